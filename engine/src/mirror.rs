//! Port mirrors: the rules that must hold before one begins, and its life from the wish to the proof that it is over.
//!
//! Nothing here talks to a switch. The shell shows what there is ([`World`]) and reports what came of what it was told to
//! do; it is told by [`MirrorCommand`].

mod rules;

pub use rules::{Projection, check, project};

use shared::{
    CollectorId, Timestamp,
    config::MirrorMode,
    mirror::{Mirror, SourcePort, SwitchView},
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
    /// Each source of the specification with the machines that have its address.
    pub sources: Vec<(Mac, Vec<SourcePort>)>,
    /// The switch; none while it is not known which, or it does not answer.
    pub switch: Option<SwitchView>,
    /// Ours that are not over, on every switch.
    pub mirrors: Vec<Arc<Mirror>>,
    /// How far the store's clock is from ours, in ms.
    pub store_drift_ms: i64,
}

impl World {
    /// The collector of this id.
    #[must_use]
    pub fn collector(&self, id: &CollectorId) -> Option<&shared::config::Collector> {
        self.mode.collectors.iter().find(|it| it.id == *id)
    }
}
