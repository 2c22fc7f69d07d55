//! What became of each member of a message: the account in which nothing is missing.

use crate::{AlertId, EventId, HeartbeatId, IncidentId};
use serde::{Deserialize, Serialize};

/// Where one ingested alert event ended: the law of accounts says exactly one of these.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum Outcome {
    /// A new alert, in a new or existing incident.
    Opened { alert: AlertId, incident: IncidentId },
    /// An open alert was sent again, or more was said of it.
    Refreshed { alert: AlertId, incident: IncidentId },
    /// Somebody answered an open alert where it comes from.
    Acknowledged { alert: AlertId, incident: IncidentId },
    /// A recovery closed an alert.
    Closed { alert: AlertId, incident: IncidentId },
    /// Kept, and nobody is paged, for a stated reason.
    Suppressed { reason: SuppressReason },
    /// Kept, and changed nothing.
    Dropped { reason: DropReason },
    /// Not understood; kept in quarantine.
    Rejected { reason: RejectReason },
}

impl Outcome {
    /// The incident it went to; none when it paged nobody.
    #[must_use]
    pub const fn incident(&self) -> Option<IncidentId> {
        match self {
            Self::Opened { incident, .. }
            | Self::Refreshed { incident, .. }
            | Self::Acknowledged { incident, .. }
            | Self::Closed { incident, .. } => Some(*incident),
            Self::Suppressed { .. } | Self::Dropped { .. } | Self::Rejected { .. } => None,
        }
    }

    /// Whether it paged nobody, and somebody may ask why; a beat or a change is no alert.
    #[must_use]
    pub const fn is_unpaged(&self) -> bool {
        self.incident().is_none() && !matches!(self, Self::Suppressed { reason } if reason.is_no_alert())
    }

    /// Whether it changed an incident in a way that must not be lost: a repetition of what is open would only be sent again.
    #[must_use]
    pub const fn is_news(&self) -> bool {
        matches!(self, Self::Opened { .. } | Self::Acknowledged { .. } | Self::Closed { .. })
    }

    /// The name used in metrics and storage.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Opened { .. } => "opened",
            Self::Refreshed { .. } => "refreshed",
            Self::Acknowledged { .. } => "acknowledged",
            Self::Closed { .. } => "closed",
            Self::Suppressed { .. } => "suppressed",
            Self::Dropped { .. } => "dropped",
            Self::Rejected { .. } => "rejected",
        }
    }
}

/// Why nobody is paged for a kept alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum SuppressReason {
    /// Older than a day by the sender's clock, and the integration does not page for replays.
    Stale,
    /// By the sender's clock it was over before it arrived: this recovery of it overtook it.
    Over { by: EventId },
    /// It fires all the time, as the beat of a heartbeat.
    Heartbeat { heartbeat: HeartbeatId },
    /// It says that something was changed, and not that anything is wrong.
    Change,
}

impl SuppressReason {
    /// Whether nobody expects to be paged for it.
    const fn is_no_alert(&self) -> bool {
        matches!(self, Self::Heartbeat { .. } | Self::Change)
    }
}

/// Why an event changed nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum DropReason {
    /// A recovery of nothing that is open.
    UnmatchedResolve,
    /// An answer to nothing that is open, or news of it.
    UnmatchedAck,
    /// A recovery that is older than the alert, by the sender's clock: it was of what fired before.
    Overtaken { alert: AlertId },
    /// The same message (or idempotency key) was accepted before, within its window.
    Duplicate { of: EventId },
}

/// Why a body was put into quarantine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum RejectReason {
    /// Nothing but blanks.
    Empty,
    /// Declared as JSON, and is not.
    BadJson { detail: String },
    /// JSON nested deeper than the limit.
    TooDeep { limit: u32 },
    /// A JSON value that is neither an object nor an array of objects.
    NotAnObject { found: String },
    /// More members than one request may have.
    TooMany { limit: u32, found: u64 },
    /// A form without any field we read.
    NoContent { detail: String },
    /// An event of a product's own interface that lacks what the product asks for; each fault in its words.
    BadEvent { faults: Vec<String> },
}
