//! What the head of the page needs of an incident; the rest of the answer is kept as text, for a later module to read.

use serde::{Deserialize, de::IgnoredAny};
use shared::{
    Again, Everyone, Flapping, IncidentState, Stale, SuppressedBy, Timestamp,
    api::{IncidentRow, PolicyStand},
    text::Names,
};

/// An incident as it was answered.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Known {
    pub(crate) head: Head,
    /// The whole answer: an [`IncidentDetail`](shared::api::IncidentDetail).
    pub(crate) text: String,
}

impl Known {
    pub(crate) fn read(text: String) -> Result<Self, serde_json::Error> {
        Ok(Self { head: serde_json::from_str(&text)?, text })
    }
}

/// What the head says of it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct Head {
    pub(crate) row: IncidentRow,
    pub(crate) incident: Brief,
    pub(crate) policies: Vec<PolicyStand>,
    pub(crate) names: Names,
}

/// What it says of the incident itself.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct Brief {
    state: IncidentState,
    #[serde(default)]
    suppressed: Vec<SuppressedBy>,
    #[serde(default)]
    pages: Vec<IgnoredAny>,
    escalations: Vec<Run>,
    pub(crate) again: Option<Again>,
    pub(crate) everyone: Option<Everyone>,
    flapping: Option<Flapping>,
    stale: Option<Stale>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Run {
    held_until: Option<Timestamp>,
}

/// What an incident waits for before it pages, or is over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Waits {
    /// It flaps until then.
    Calm(Timestamp),
    /// Nobody is paged before.
    Held(Timestamp),
    /// For its sender to be heard again.
    Stale(Stale),
}

impl Brief {
    pub(crate) fn waits(&self) -> Option<Waits> {
        if let Some(flapping) = &self.flapping {
            return Some(Waits::Calm(flapping.until));
        }
        if let Some(stale) = self.stale.filter(|it| it.closed || self.state != IncidentState::Resolved) {
            return Some(Waits::Stale(stale));
        }
        let untold = self.state == IncidentState::Triggered && self.pages.is_empty();
        let held = self.escalations.iter().filter_map(|it| it.held_until).min();
        held.filter(|_| untold && self.suppressed.is_empty()).map(Waits::Held)
    }
}
