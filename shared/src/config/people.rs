//! People, how each is reached, and teams.

use super::TimeSpan;
use crate::{ContactId, Delay, PersonId, Severity, TeamId};
use serde::{Deserialize, Serialize};

/// The language a person reads at 3 a.m.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Language {
    #[default]
    En,
    /// Simplified Chinese.
    Zh,
}

/// Somebody who can be paged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Person {
    pub id: PersonId,
    pub name: String,
    #[serde(default)]
    pub language: Language,
    /// IANA name, for showing times; the server's default when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<Contact>,
    /// First matching rule wins; without rules every contact is used at once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Rule>,
    /// When nothing but a P0 rings.
    #[serde(default, skip_serializing_if = "QuietHours::is_empty")]
    pub quiet_hours: QuietHours,
}

/// Hours in which pages to a person wait until the hours are over, except those about a P0.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct QuietHours {
    /// On the wall clock of the person's `time_zone`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub times: Vec<TimeSpan>,
    /// Who is paged for a P0 or P1 meanwhile, if they can be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hand_over_to: Option<PersonId>,
}

impl QuietHours {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What kind of delivery a contact is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum ContactKind {
    Email,
    Ntfy,
    Webhook,
}

impl ContactKind {
    /// The name used in configuration, metrics and storage.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Ntfy => "ntfy",
            Self::Webhook => "webhook",
        }
    }
}

/// One way to reach a person: exactly one of `email`, `ntfy` and `webhook` is set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Contact {
    pub id: ContactId,
    /// An e-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// A topic on the configured ntfy server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ntfy: Option<String>,
    /// An address that is called with a signed POST.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<String>,
    /// For `webhook`: the `whsec_…` signing secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

impl Contact {
    /// The kind and the address, when exactly one is set.
    #[must_use]
    pub fn address(&self) -> Option<(ContactKind, &str)> {
        match (&self.email, &self.ntfy, &self.webhook) {
            (Some(address), None, None) => Some((ContactKind::Email, address)),
            (None, Some(topic), None) => Some((ContactKind::Ntfy, topic)),
            (None, None, Some(url)) => Some((ContactKind::Webhook, url)),
            _ => None,
        }
    }
}

/// For some severities: which contacts, and when.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Empty means every severity.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub severity: Vec<Severity>,
    pub notify: Vec<RuleStep>,
}

/// One contact, some time after the page began.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RuleStep {
    pub contact: ContactId,
    #[serde(default)]
    pub after: Delay,
}

/// A group of people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Team {
    pub id: TeamId,
    pub name: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<PersonId>,
}
