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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum ContactKind {
    Email,
    Ntfy,
    #[default]
    Webhook,
    /// Every device of the person: browsers, and phones with an app.
    Push,
    Sms,
    /// A telephone call.
    Voice,
    Slack,
    Teams,
    Telegram,
    DingTalk,
    Feishu,
    WeCom,
}

impl ContactKind {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 12] = [
        Self::Push,
        Self::Voice,
        Self::Sms,
        Self::Ntfy,
        Self::Email,
        Self::Slack,
        Self::Teams,
        Self::Telegram,
        Self::DingTalk,
        Self::Feishu,
        Self::WeCom,
        Self::Webhook,
    ];

    /// The name used in configuration, metrics and storage.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Ntfy => "ntfy",
            Self::Webhook => "webhook",
            Self::Push => "push",
            Self::Sms => "sms",
            Self::Voice => "voice",
            Self::Slack => "slack",
            Self::Teams => "teams",
            Self::Telegram => "telegram",
            Self::DingTalk => "dingtalk",
            Self::Feishu => "feishu",
            Self::WeCom => "wecom",
        }
    }

    /// Whether it is a conversation that others may see as well.
    #[must_use]
    pub const fn is_chat(self) -> bool {
        matches!(self, Self::Slack | Self::Teams | Self::Telegram | Self::DingTalk | Self::Feishu | Self::WeCom)
    }

    /// Whether what is sent can be signed with a secret of the contact's own.
    #[must_use]
    pub const fn has_secret(self) -> bool {
        matches!(self, Self::Webhook | Self::DingTalk | Self::Feishu)
    }

    /// Whether somebody can be called by name there.
    #[must_use]
    pub const fn has_mention(self) -> bool {
        matches!(self, Self::DingTalk | Self::WeCom)
    }

    /// Whether one that works always tells that the message was seen, or the call answered: silence means that it was not.
    #[must_use]
    pub const fn proves(self) -> bool {
        matches!(self, Self::Push)
    }
}

/// One way to reach a person: exactly one of the kinds is set.
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
    /// `all`: every browser and phone the person registered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub push: Option<String>,
    /// A telephone number with its country, such as `+4915112345678`, for text messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sms: Option<String>,
    /// The same, for calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voice: Option<String>,
    /// A member (`U…`) or channel (`C…`) the configured app writes to, or the address of an incoming webhook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slack: Option<String>,
    /// The address of a workflow that posts into a chat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub teams: Option<String>,
    /// The number of a chat the configured bot writes to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub telegram: Option<String>,
    /// The access token of a robot, or its whole address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dingtalk: Option<String>,
    /// The token of a robot, or its whole address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feishu: Option<String>,
    /// The key of a robot, or its whole address; `user:NAME` for a member the configured app writes to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wecom: Option<String>,
    /// What is signed with: `whsec_…` for `webhook`, the robot's own for `dingtalk` and `feishu`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// Telephone number of somebody a robot calls by name in its group; for `dingtalk` and `wecom`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mention: Option<String>,
}

impl Contact {
    /// The kind and the address, when exactly one is set.
    #[must_use]
    pub fn address(&self) -> Option<(ContactKind, &str)> {
        let mut set = ContactKind::ALL.into_iter().filter_map(|kind| Some((kind, self.place(kind).as_deref()?)));
        let only = set.next();
        only.filter(|_| set.next().is_none())
    }

    /// Gives it another kind and address.
    pub fn set(&mut self, kind: ContactKind, address: String) {
        for other in ContactKind::ALL {
            *self.place_mut(other) = None;
        }
        *self.place_mut(kind) = Some(address);
        self.secret.take_if(|_| !kind.has_secret());
        self.mention.take_if(|_| !kind.has_mention());
    }

    const fn place(&self, kind: ContactKind) -> &Option<String> {
        match kind {
            ContactKind::Email => &self.email,
            ContactKind::Ntfy => &self.ntfy,
            ContactKind::Webhook => &self.webhook,
            ContactKind::Push => &self.push,
            ContactKind::Sms => &self.sms,
            ContactKind::Voice => &self.voice,
            ContactKind::Slack => &self.slack,
            ContactKind::Teams => &self.teams,
            ContactKind::Telegram => &self.telegram,
            ContactKind::DingTalk => &self.dingtalk,
            ContactKind::Feishu => &self.feishu,
            ContactKind::WeCom => &self.wecom,
        }
    }

    const fn place_mut(&mut self, kind: ContactKind) -> &mut Option<String> {
        match kind {
            ContactKind::Email => &mut self.email,
            ContactKind::Ntfy => &mut self.ntfy,
            ContactKind::Webhook => &mut self.webhook,
            ContactKind::Push => &mut self.push,
            ContactKind::Sms => &mut self.sms,
            ContactKind::Voice => &mut self.voice,
            ContactKind::Slack => &mut self.slack,
            ContactKind::Teams => &mut self.teams,
            ContactKind::Telegram => &mut self.telegram,
            ContactKind::DingTalk => &mut self.dingtalk,
            ContactKind::Feishu => &mut self.feishu,
            ContactKind::WeCom => &mut self.wecom,
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
