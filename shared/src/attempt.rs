//! Deliveries: how one to one contact stands, why it failed or waits, and what proves that it arrived.

use crate::{AttemptId, ContactId, IncidentId, Proof, SharedStr, Timestamp, config::ContactKind};
use serde::{Deserialize, Serialize};

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum AttemptState {
    /// Due at `due`; shown as a ghost until then.
    Planned,
    /// Handed to the provider under a lease; the answer is not known yet.
    Sending,
    /// A try failed; the next one is due at `due`.
    Retrying,
    /// The provider took it.
    Accepted,
    /// No try will follow.
    Failed,
    /// Not needed any more.
    Cancelled,
}

impl AttemptState {
    /// The name used in storage and in the interface.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Sending => "sending",
            Self::Retrying => "retrying",
            Self::Accepted => "accepted",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether nothing will happen to it any more.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Accepted | Self::Failed | Self::Cancelled)
    }

    /// Whether it is over and was not taken.
    #[must_use]
    pub const fn is_lost(self) -> bool {
        matches!(self, Self::Failed | Self::Cancelled)
    }
}

/// Why a try failed, as the channel classified it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Failure {
    /// No retry can help: a bad address, a refused credential.
    pub permanent: bool,
    /// The provider may have taken it: the answer was lost. The same key is used again.
    pub ambiguous: bool,
    /// In our words, at most 300 characters; never the provider's text unescaped.
    pub detail: String,
    /// The provider asked for this much patience, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<i64>,
    #[serde(default, skip_serializing_if = "Fault::is_unknown")]
    pub fault: Fault,
}

/// Whose a failure is, as far as the answer says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    #[default]
    Unknown,
    /// The contact's: nobody has the address, or it takes nothing from us any more. Others may be reached as before.
    Method,
    /// The provider's or our account's with it: nobody is reached by it.
    Provider,
    /// Nobody's: nothing was sent, because it was not wanted any more, or had nowhere to go by then.
    Unsent,
}

impl Fault {
    /// The name it has in storage and in the interface.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Method => "method",
            Self::Provider => "provider",
            Self::Unsent => "unsent",
        }
    }

    const fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }
}

/// What a delivery that is due waits for, and until when at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Throttle {
    pub until: Timestamp,
    pub because: ThrottledBy,
}

/// Why a message to a contact does not go out at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum ThrottledBy {
    /// The contact had a message a moment ago: what comes due within this time becomes one more.
    Bundle { within_ms: i64 },
    /// The contact has had as many messages as one of its kind may.
    Limit { messages: u32, within_ms: i64 },
    /// The person has had as many messages as they may, over all contacts.
    Budget { messages: u32, within_ms: i64 },
    /// The provider takes no more from this robot, or for this number.
    Allowance { messages: u32, within_ms: i64 },
    /// A storm: the next message follows when the incidents have doubled.
    Storm { storm: IncidentId },
}

/// How a delivery shares a message with others, and what it waited for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Bundling {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits: Option<Throttle>,
    /// The message, by the number of the first delivery in it; none while it has not begun, or goes out alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<AttemptId>,
    /// How many incidents the message names.
    #[serde(default)]
    pub incidents: u32,
    /// It is a page about this storm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storm: Option<IncidentId>,
}

/// One delivery of a page, or of a notice, to one contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(from = "WrittenAttempt", into = "WrittenAttempt")]
pub struct Attempt {
    pub id: AttemptId,
    pub contact: ContactId,
    pub channel: ContactKind,
    pub state: AttemptState,
    /// When the next try is due, or was due before it became final.
    pub due: Timestamp,
    /// Tries begun so far.
    pub tries: u32,
    /// While sending: when we stop waiting for the answer. Once accepted: when it is no longer left to this contact alone,
    /// unless it was shown by then.
    pub lease_until: Option<Timestamp>,
    pub first_sent_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    pub failure: Option<Box<Failure>>,
    /// None while nothing is known.
    pub proof: Option<Box<Proof>>,
    /// None for a delivery that goes out alone and never waited.
    pub bundling: Option<Box<Bundling>>,
}

/// A delivery as it is written: flat, so that what is known of it is found in one place.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Attempt"))]
struct WrittenAttempt {
    id: AttemptId,
    contact: ContactId,
    channel: ContactKind,
    state: AttemptState,
    due: Timestamp,
    tries: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lease_until: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    first_sent_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    finished_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failure: Option<Box<Failure>>,
    /// The provider's own id of the message, if it gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    provider_id: Option<SharedStr>,
    /// When it was on the phone, or the call was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    delivered_at: Option<Timestamp>,
    /// When it stood on a screen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    shown_at: Option<Timestamp>,
    /// When somebody touched it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seen_at: Option<Timestamp>,
    /// What showed it first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    device: Option<SharedStr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bundling: Option<Box<Bundling>>,
}

impl From<WrittenAttempt> for Attempt {
    fn from(written: WrittenAttempt) -> Self {
        let WrittenAttempt { id, contact, channel, state, due, tries, lease_until, first_sent_at, .. } = written;
        let WrittenAttempt {
            finished_at, failure, provider_id, delivered_at, shown_at, seen_at, device, bundling, ..
        } = written;
        let proof = Proof { provider_id, delivered_at, shown_at, seen_at, device };
        let proof = (proof != Proof::default()).then(|| Box::new(proof));
        Self {
            id,
            contact,
            channel,
            state,
            due,
            tries,
            lease_until,
            first_sent_at,
            finished_at,
            failure,
            proof,
            bundling,
        }
    }
}

impl From<Attempt> for WrittenAttempt {
    fn from(attempt: Attempt) -> Self {
        let Attempt { id, contact, channel, state, due, tries, lease_until, first_sent_at, .. } = attempt;
        let Attempt { finished_at, failure, proof, bundling, .. } = attempt;
        let Proof { provider_id, delivered_at, shown_at, seen_at, device } = proof.map(|it| *it).unwrap_or_default();
        Self {
            id,
            contact,
            channel,
            state,
            due,
            tries,
            lease_until,
            first_sent_at,
            finished_at,
            failure,
            provider_id,
            delivered_at,
            shown_at,
            seen_at,
            device,
            bundling,
        }
    }
}

impl Attempt {
    /// One that is due then and has not begun.
    #[must_use]
    pub const fn planned(id: AttemptId, contact: ContactId, channel: ContactKind, due: Timestamp) -> Self {
        Self {
            id,
            contact,
            channel,
            state: AttemptState::Planned,
            due,
            tries: 0,
            lease_until: None,
            first_sent_at: None,
            finished_at: None,
            failure: None,
            proof: None,
            bundling: None,
        }
    }

    /// Whether it is known to have been on a screen.
    #[must_use]
    pub fn is_shown(&self) -> bool {
        self.proof.as_ref().is_some_and(|proof| proof.is_shown())
    }

    /// The message it is part of: itself when it goes out alone.
    #[must_use]
    pub fn message(&self) -> AttemptId {
        self.bundling.as_ref().and_then(|it| it.message).unwrap_or(self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_flat_and_comes_back() {
        let mut attempt = Attempt::planned(AttemptId(7), "push".into(), ContactKind::Push, Timestamp::from_ms(5));
        let bare = serde_json::to_string(&attempt).unwrap();
        assert_eq!(bare, r#"{"id":7,"contact":"push","channel":"push","state":"planned","due":5,"tries":0}"#);
        assert_eq!(serde_json::from_str::<Attempt>(&bare).unwrap(), attempt);
        let proof =
            Proof { provider_id: Some("m-1".into()), shown_at: Some(Timestamp::from_ms(9)), ..Proof::default() };
        attempt.proof = Some(Box::new(proof));
        let written = serde_json::to_string(&attempt).unwrap();
        assert!(written.contains(r#""provider_id":"m-1","shown_at":9"#), "{written}");
        assert_eq!(serde_json::from_str::<Attempt>(&written).unwrap(), attempt);
    }
}
