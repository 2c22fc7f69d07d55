//! The engine's thread looks through its own memory all the time, and wakes somebody when a promise is broken.
//!
//! Every few seconds a round begins; a little of it is done after each turn. What it finds is a defect of this program,
//! so it is an alert of its own, a P0, and the outbound heartbeat is withheld: whoever watches the pager from outside
//! hears of it even when paging itself is what is broken.

use super::{own::OwnAlert, writer::Writer};
use engine::audit::Audit;
use shared::Timestamp;
use std::sync::PoisonError;

/// Incidents looked at after one turn; less than a millisecond's work.
const SLICE: usize = 1_000;
/// Rounds begin this far apart.
const EVERY_MS: i64 = 10_000;
/// The identity of the alert while it is open.
const KEY: &str = "audit";

/// Where the round has come to.
#[derive(Debug)]
pub(super) struct Auditor {
    audit: Audit,
    begins_at: Timestamp,
}

impl Auditor {
    pub(super) fn new(now: Timestamp) -> Self {
        Self { audit: Audit::default(), begins_at: now }
    }
}

/// What the last whole round found.
#[derive(Clone, Debug, Default)]
pub(super) struct Audited {
    pub(super) at: Option<Timestamp>,
    pub(super) found: Vec<String>,
}

impl Writer {
    /// Goes on with the round, or begins the next one when it is time.
    pub(super) fn go_on_auditing(&mut self, now: Timestamp) {
        if now < self.auditor.begins_at {
            return;
        }
        let Some(found) = self.auditor.audit.advance(&self.engine.state, SLICE) else { return };
        self.auditor.begins_at = now.plus_ms(EVERY_MS);
        for broken in &found {
            tracing::error!(%broken, "the pager has broken a promise; this is a defect, please report it");
        }
        let wrong = found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        let wrong = Some(wrong).filter(|_| !found.is_empty());
        // A recovery that is lost is sent again by the next round.
        self.tell_of_itself(OwnAlert { key: KEY, summary: "the pager has broken a promise", wrong }, now);
        let audited = Audited { at: Some(now), found: found.iter().map(ToString::to_string).collect() };
        *self.vitals.audited.lock().unwrap_or_else(PoisonError::into_inner) = audited;
    }
}
