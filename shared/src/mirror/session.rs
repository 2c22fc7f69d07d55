//! A mirror from the wish to the proof that it is over.

use super::{Counters, MirrorFinding, MirrorSpec, Plan};
use crate::{
    MirrorId, Timestamp,
    timeline::{Actor, MirrorEvent},
};
use serde::{Deserialize, Serialize};

/// Where a mirror stands.
///
/// ```text
/// planned -> approved -> applying -> applied -> active <-> drifted, disarmed
///                                        \________\____________\-> stopping -> stopped -> proved_stopped
/// planned, approved -> dropped          applying -> stopping (nobody knows what came of it), failed (nothing was made)
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum MirrorState {
    /// It waits for a second person.
    Planned,
    /// It waits for its time, or to be sent at this moment.
    Approved,
    /// It was sent to the switch, and the switch has not said what came of it.
    Applying,
    /// It was read back as planned; whether it copies is not known yet.
    Applied,
    /// It copies, or there is nothing to copy: see [`Mirror::verified`].
    Active,
    /// It is not as it was planned any more: somebody changed it.
    Drifted,
    /// It copies nothing: its source is gone from the switch.
    Disarmed,
    /// It was asked to end, and is not known to be gone.
    Stopping,
    /// It was read back as gone.
    Stopped,
    /// And nothing was counted any more in two looks after that.
    ProvedStopped,
    /// It never began: the switch refused it.
    Failed,
    /// It was never sent: nobody approved it in time, or it was taken back.
    Dropped,
}

impl MirrorState {
    /// Whether something of it may be in a switch.
    #[must_use]
    pub const fn may_run(self) -> bool {
        matches!(self, Self::Applying | Self::Applied | Self::Active | Self::Drifted | Self::Disarmed | Self::Stopping)
    }

    /// Whether nothing more comes of it.
    #[must_use]
    pub const fn is_over(self) -> bool {
        matches!(self, Self::ProvedStopped | Self::Failed | Self::Dropped)
    }

    /// Whether it was seen in the switch, and was not asked to end.
    #[must_use]
    pub const fn is_running(self) -> bool {
        matches!(self, Self::Applied | Self::Active | Self::Drifted | Self::Disarmed)
    }
}

/// A mirror: what was asked for, by whom, what was sent, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Mirror {
    pub id: MirrorId,
    pub spec: MirrorSpec,
    pub plan: Plan,
    /// What the rules said when it was asked for; nothing that blocks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<MirrorFinding>,
    pub state: MirrorState,
    pub by: Actor,
    pub created_at: Timestamp,
    /// The requester's idempotency key: the same one again is the same mirror.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// A second person must agree before it begins.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub needs_approval: bool,
    /// Who agreed to the plan of this hash, and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved: Option<(Actor, Timestamp)>,
    pub starts_at: Timestamp,
    /// Nothing of it is left in the switch after this.
    pub expires_at: Timestamp,
    /// The latest that it may be extended to.
    pub latest: Timestamp,
    /// How often it was sent or asked to end since it began to be.
    #[serde(default)]
    pub tries: u32,
    /// What the last try failed of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<MirrorTrouble>,
    /// What its switch says of the task that is under way, such as `running, 40 %`. Never stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<String>,
    /// When it was read back as planned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified: Option<Verified>,
    pub evidence: Evidence,
    /// When and why it was asked to end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<MirrorEnd>,
    /// When it was read back as gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped_at: Option<Timestamp>,
    /// When nothing had been counted in two looks after that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proved_at: Option<Timestamp>,
    /// Nothing is left that counts, so that it is absent is all that can be said.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unprovable: bool,
    /// What was done about it, and seen; the oldest first, at most [`STEPS_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<MirrorStep>,
}

/// Steps of a mirror that are kept; of more, the first half and the newest.
pub const STEPS_MAX: usize = 200;

/// Something that was done about a mirror, or seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MirrorStep {
    pub at: Timestamp,
    pub by: Actor,
    pub what: MirrorEvent,
}

impl Mirror {
    /// Whether nothing more comes of it.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        self.state.is_over() || (matches!(self.state, MirrorState::Stopped) && self.unprovable)
    }

    /// Where it is carried out.
    #[must_use]
    pub fn place(&self) -> MirrorPlace {
        MirrorPlace { backend: self.plan.backend.clone(), switch: self.plan.switch.clone() }
    }
}

/// A switch of a backend.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MirrorPlace {
    pub backend: crate::BackendId,
    pub switch: String,
}

/// How it is known that a mirror does what it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", tag = "how")]
pub enum Verified {
    /// The switch counted copies.
    Counted { at: Timestamp },
    /// It counted none, and nothing of its source either: there is nothing to see yet.
    Idle { at: Timestamp },
    /// The switch does not count copies; it has the session as planned, and switched on.
    Uncounted { at: Timestamp },
}

/// What was copied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Evidence {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<Counters>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<Counters>,
    /// Bits a second between the last two looks.
    pub bps: u64,
    /// The highest such rate.
    pub peak_bps: u64,
    /// Looks in a row in which nothing was counted.
    pub flat: u32,
}

impl Evidence {
    /// Packets and bytes copied since the first look.
    #[must_use]
    pub fn copied(&self) -> (u64, u64) {
        let (Some(first), Some(last)) = (self.first, self.last) else { return (0, 0) };
        (last.packets.saturating_sub(first.packets), last.bytes.saturating_sub(first.bytes))
    }
}

/// Why a mirror was asked to end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", tag = "why")]
pub enum MirrorEnd {
    Asked {
        at: Timestamp,
        by: Actor,
    },
    Expired {
        at: Timestamp,
    },
    /// Everything on its switch was stopped at once.
    Panic {
        at: Timestamp,
        by: Actor,
    },
    /// Nobody knows what came of sending it.
    Unanswered {
        at: Timestamp,
    },
    /// Somebody else removed it from the switch, or the watchdog did.
    Removed {
        at: Timestamp,
    },
    /// It was changed in the switch, and fails closed.
    Changed {
        at: Timestamp,
    },
    /// The switch refused it, and has nothing of it.
    Refused {
        at: Timestamp,
    },
    /// Nobody approved it in time.
    NotApproved {
        at: Timestamp,
    },
}

impl MirrorEnd {
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        match self {
            Self::Asked { at, .. }
            | Self::Expired { at }
            | Self::Panic { at, .. }
            | Self::Unanswered { at }
            | Self::Removed { at }
            | Self::Changed { at }
            | Self::Refused { at }
            | Self::NotApproved { at } => *at,
        }
    }
}

/// What went wrong with the last try.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MirrorTrouble {
    pub at: Timestamp,
    /// In the driver's words, with how to mend it.
    pub message: String,
}

/// What a driver reports of a mirror.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MirrorReport {
    /// It is in the switch, read back as planned.
    Applied {
        counters: Option<Counters>,
    },
    /// The switch refused it, and was read back to have nothing of it.
    Refused {
        message: String,
    },
    /// Nobody knows whether it is in the switch.
    Unknown {
        message: String,
    },
    /// It was looked at.
    Looked(Looked),
    /// It was read back as gone.
    Stopped {
        counters: Option<Counters>,
    },
    /// It may still be there.
    NotStopped {
        message: String,
    },
    /// After it was gone: whether nothing more is counted where copies went; none where nothing is left that counts.
    Quiet {
        flat: Option<bool>,
    },
    /// Its tag says the new expiry.
    Extended,
    NotExtended {
        message: String,
    },
}

/// How a mirror is in its switch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Looked {
    pub presence: Presence,
    pub counters: Option<Counters>,
}

/// Whether it is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Presence {
    AsPlanned,
    /// What is different.
    Changed(String),
    /// It is there, and its source is not.
    SourceGone,
    Absent,
}
