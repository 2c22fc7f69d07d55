//! What figures need of an incident's timeline.

use shared::{
    PolicyId, RouteId, SuppressedBy, Timestamp,
    timeline::{Actor, Happening},
};
use std::collections::BTreeSet;

/// What an incident's timeline says that the incident itself does not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Story {
    /// The identity of the alert that opened it.
    pub key: Option<String>,
    /// The routes that sent it to a policy.
    pub routes: BTreeSet<RouteId>,
    /// Of them, those whose pages waited for a time window.
    pub muted: BTreeSet<RouteId>,
    /// Policies whose pages waited first.
    pub held: BTreeSet<PolicyId>,
    /// Everything that ever kept it quiet.
    pub quiet: BTreeSet<SuppressedBy>,
    /// When somebody first acknowledged it, snoozed it or resolved it by hand.
    pub acknowledged_at: Option<Timestamp>,
    pub flapped: bool,
    /// It ended because it became part of another one.
    pub merged: bool,
}

impl Story {
    /// Names of what is read, beside an incident's first entries.
    pub const READ: [&str; 6] = ["acked", "snoozed", "resolved", "suppressed", "flapping_began", "merged_into"];

    /// Reads one entry; they come in order.
    pub fn read(&mut self, at: Timestamp, actor: &Actor, what: &Happening) {
        match what {
            Happening::Opened { key, .. } => self.key = Some(key.clone()),
            Happening::Routed { trace, .. } => {
                for step in trace.iter().filter(|step| step.matched && step.policy.is_some()) {
                    self.routes.insert(step.route.clone());
                    if step.muted.is_some() {
                        self.muted.insert(step.route.clone());
                    }
                }
            }
            Happening::Held { policy, .. } => drop(self.held.insert(policy.clone())),
            Happening::Suppressed { by } => self.quiet.extend(by.iter().map(whatever_the_end)),
            Happening::Acked { .. } | Happening::Snoozed { .. } | Happening::Resolved if *actor != Actor::System => {
                self.acknowledged_at.get_or_insert(at);
            }
            Happening::FlappingBegan { .. } => self.flapped = true,
            Happening::MergedInto { .. } => self.merged = true,
            _ => {}
        }
    }
}

/// The same cause with another end is the same cause.
fn whatever_the_end(by: &SuppressedBy) -> SuppressedBy {
    match by.clone() {
        SuppressedBy::Silence { silence, .. } => SuppressedBy::Silence { silence, until: None },
        SuppressedBy::Maintenance { silence, .. } => SuppressedBy::Maintenance { silence, until: None },
        other @ (SuppressedBy::Inhibition { .. } | SuppressedBy::Suspect { .. }) => other,
    }
}
