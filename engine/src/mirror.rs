//! Port mirrors: the rules that must hold before one begins, and its life from the wish to the proof that it is over.
//!
//! Nothing here talks to a switch. The shell shows what there is ([`World`]) and reports what came of what it was told to
//! do; it is told by [`MirrorCommand`].

mod alarm;
mod asked;
mod lifecycle;
mod rules;
mod sensitive;

pub use lifecycle::Running;
pub use rules::{Projection, check, project};
pub(crate) use rules::{forbidden, is_public};
pub use sensitive::{Machine, Sensitive, sensitive};

use shared::{
    CollectorId, IncidentId, MirrorId, Timestamp,
    config::MirrorMode,
    mirror::{Mirror, MirrorFinding, MirrorPlace, MirrorSpec, MirrorStep, Plan, SourcePort, SwitchView},
    net::Mac,
};
use std::sync::Arc;

/// Everything that the rules look at, as it was when it was gathered.
#[derive(Clone, Debug)]
pub struct World {
    pub now: Timestamp,
    pub mode: Arc<MirrorMode>,
    /// The account or token that asks.
    pub asks: String,
    /// This Tocsin, as its tags name it.
    pub instance: String,
    /// Each source of the specification with the machines that have its address.
    pub sources: Vec<(Mac, Vec<SourcePort>)>,
    /// The switch; none while it is not known which, or it does not answer.
    pub switch: Option<SwitchView>,
    /// Ours that are not over, on every switch.
    pub mirrors: Vec<Arc<Mirror>>,
    /// How far the store's clock is from ours, in ms.
    pub store_drift_ms: i64,
    /// The mirror that is checked again: what is its own speaks not against it.
    pub except: Option<MirrorId>,
}

impl World {
    /// The collector of this id.
    #[must_use]
    pub fn collector(&self, id: &CollectorId) -> Option<&shared::config::Collector> {
        self.mode.collectors.iter().find(|it| it.id == *id)
    }
}

/// What people do about mirrors.
#[derive(Clone, Debug)]
pub enum MirrorAct {
    Request(Box<Request>),
    /// A second person agrees to the plan of this hash.
    Approve {
        mirror: MirrorId,
        hash: String,
    },
    Extend {
        mirror: MirrorId,
        until: Timestamp,
    },
    Stop {
        mirror: MirrorId,
    },
    /// Everything of ours on these switches was removed at once.
    Panic {
        places: Vec<MirrorPlace>,
    },
}

/// Somebody wants a mirror.
#[derive(Clone, Debug)]
pub struct Request {
    /// With everything filled in.
    pub spec: MirrorSpec,
    pub world: World,
    /// Made of both, at this moment.
    pub plan: Plan,
    /// The hash of the plan that the person saw.
    pub seen: String,
    pub key: Option<String>,
}

/// Why something about a mirror was refused; nothing changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MirrorRefusal {
    #[error("there is no such mirror, or it is over")]
    Unknown,
    #[error("the rules do not allow it")]
    Blocked(Vec<MirrorFinding>),
    #[error("the switch has changed since: the plan is another one now; look at it again")]
    OtherPlan { now: String },
    #[error("it does not wait for anybody's approval")]
    NotWaiting,
    #[error("who asks for it cannot approve it; a second person must")]
    OwnApproval,
    #[error("it needs a second person, so both must sign in themselves: a token can neither ask for it nor approve it")]
    NeedsAccount,
    #[error("it does not run")]
    NotRunning,
    #[error("the time lies in the past")]
    InThePast,
    #[error("it would last longer than a mirror may; choose an earlier end")]
    TooLate { latest: Timestamp },
}

/// What the shell must do about a mirror once the changes are durable, and report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MirrorCommand {
    Apply {
        mirror: MirrorId,
    },
    Look {
        mirror: MirrorId,
    },
    /// Its source is gone: find it anew by its address, and send the plan for the port it has now.
    Rearm {
        mirror: MirrorId,
    },
    /// Write its new end into the switch.
    Retag {
        mirror: MirrorId,
    },
    Remove {
        mirror: MirrorId,
    },
    /// Find out whether anything is still counted.
    Prove {
        mirror: MirrorId,
    },
}

impl MirrorCommand {
    /// Which mirror it is about.
    #[must_use]
    pub const fn mirror(self) -> MirrorId {
        match self {
            Self::Apply { mirror }
            | Self::Look { mirror }
            | Self::Rearm { mirror }
            | Self::Retag { mirror }
            | Self::Remove { mirror }
            | Self::Prove { mirror } => mirror,
        }
    }
}

/// A step of a mirror for the record of acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    pub mirror: MirrorId,
    pub step: MirrorStep,
    pub incident: Option<IncidentId>,
    pub reason: String,
    /// Where the copies go.
    pub to: String,
}
