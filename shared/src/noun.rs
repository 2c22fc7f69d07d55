//! What reasons name: a configured thing at the version that was used, or something that has a page of its own.

use crate::Timestamp;
use serde::{Deserialize, Serialize};

/// What kind of thing a reason names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum NounKind {
    Policy,
    Route,
    Schedule,
    Team,
    Person,
    /// One of a person's contacts; its id is `person:contact`.
    Contact,
    Webhook,
    Integration,
    TimeWindow,
    Inhibition,
    Heartbeat,
    /// A version of the configuration; its id is the number.
    Version,
    Silence,
    Incident,
    /// A port mirror.
    Mirror,
}

impl NounKind {
    /// The name in addresses and on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Policy => "policy",
            Self::Route => "route",
            Self::Schedule => "schedule",
            Self::Team => "team",
            Self::Person => "person",
            Self::Contact => "contact",
            Self::Webhook => "webhook",
            Self::Integration => "integration",
            Self::TimeWindow => "time_window",
            Self::Inhibition => "inhibition",
            Self::Heartbeat => "heartbeat",
            Self::Version => "version",
            Self::Silence => "silence",
            Self::Incident => "incident",
            Self::Mirror => "mirror",
        }
    }
}

/// One thing that a reason names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Noun {
    pub kind: NounKind,
    pub id: String,
    /// The configuration version it was taken from; when absent, the one that was in force at `at`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<i64>,
    /// Which of a policy's levels or a person's rules, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<u32>,
    /// When it was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

impl Noun {
    /// Where it is shown as it was, within the application.
    #[must_use]
    pub fn href(&self) -> String {
        let mut href = match self.kind {
            NounKind::Silence => return format!("/silences/{}", self.id),
            NounKind::Incident => return format!("/incidents/{}", self.id),
            NounKind::Mirror => return format!("/mirrors/{}", self.id),
            NounKind::Version => return format!("/versions?version={}", self.id),
            kind => format!("/versions/{}/", kind.as_str()),
        };
        encode(&self.id, &mut href);
        let asked = [("version", self.version), ("part", self.part.map(i64::from)), ("at", self.at.map(|at| at.ms()))];
        let mut sign = '?';
        for (name, value) in asked {
            if let Some(value) = value {
                href.push_str(&format!("{sign}{name}={value}"));
                sign = '&';
            }
        }
        href
    }
}

/// Writes one part of an address or query string, with everything escaped that could mean something there.
pub fn encode(value: &str, out: &mut String) {
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~:,".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
}

/// A piece of a sentence; the pieces together are the sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Piece {
    pub text: String,
    /// What this piece names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noun: Option<Noun>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_which_version_and_which_part_of_it() {
        let noun = |kind, id: &str| Noun { kind, id: id.to_owned(), version: Some(12), part: Some(2), at: None };
        assert_eq!(noun(NounKind::Policy, "db-prod").href(), "/versions/policy/db-prod?version=12&part=2");
        assert_eq!(noun(NounKind::Route, "a/b c").href(), "/versions/route/a%2Fb%20c?version=12&part=2");
        assert_eq!(noun(NounKind::Silence, "7").href(), "/silences/7");
        let at = Noun { version: None, part: None, at: Some(Timestamp::from_ms(5)), ..noun(NounKind::Schedule, "db") };
        assert_eq!(at.href(), "/versions/schedule/db?at=5");
    }
}
