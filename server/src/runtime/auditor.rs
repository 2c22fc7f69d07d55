//! The engine's thread looks through its own memory all the time, and wakes somebody when a promise is broken.
//!
//! Every few seconds a round begins; a little of it is done after each turn. What it finds is a defect of this program,
//! so it is an alert of its own, a P0, and the outbound heartbeat is withheld: whoever watches the pager from outside
//! hears of it even when paging itself is what is broken.

use super::{Arrived, writer::Writer};
use engine::{audit::Audit, compile::SELF, dedup, invariant::Broken, normalize};
use shared::{IntegrationId, Timestamp, config::Integration};
use std::sync::PoisonError;
use tokio::sync::oneshot;

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
        let own = IntegrationId::from(SELF);
        let is_open = dedup::open(&self.engine.state, &own, KEY).is_some();
        if is_open == found.is_empty() {
            // Nobody waits for the answer. A P0 is taken all the same, and a recovery is sent again by the next round.
            let (reply, answer) = oneshot::channel();
            self.inbox.arrived(own_alert(&found, now), reply);
            drop(answer);
        }
        let audited = Audited { at: Some(now), found: found.iter().map(ToString::to_string).collect() };
        *self.vitals.audited.lock().unwrap_or_else(PoisonError::into_inner) = audited;
    }
}

/// The pager's alert about itself, or its recovery, as if it had sent it to itself.
fn own_alert(found: &[Broken], now: Timestamp) -> Arrived {
    let what = found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    let status = if found.is_empty() { "resolved" } else { "firing" };
    let body = serde_json::json!({
        "severity": "P0", "status": status, "host": SELF, "summary": "the pager has broken a promise", "content": what,
    })
    .to_string()
    .into_bytes();
    let own = Integration::undeclared(SELF.into());
    let content_type = "application/json";
    let source =
        normalize::Source { integration: &own, content_type: Some(content_type), format: None, received_at: now };
    let mut read = normalize::normalize(&source, &body);
    for parsed in &mut read.events {
        KEY.clone_into(&mut parsed.event.dedup_key);
    }
    Arrived {
        integration: own.id,
        received_at: now,
        peer: SELF.to_owned(),
        content_type: content_type.to_owned(),
        key: None,
        body,
        read,
        urgent: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::{IncidentId, Severity, alert::Action};

    #[test]
    fn an_alert_of_its_own_says_what_is_broken_and_a_clean_round_recovers_it() {
        let broken = Broken::Silent { incident: IncidentId(7), severity: Severity::P0 };
        let alert = own_alert(&[broken], Timestamp(1)).read.events.remove(0).event;
        assert_eq!((alert.action, alert.severity, alert.dedup_key.as_str()), (Action::Trigger, Severity::P0, KEY));
        assert!(alert.content.contains("incident 7 is unanswered"), "{}", alert.content);
        let recovery = own_alert(&[], Timestamp(2)).read.events.remove(0).event;
        assert_eq!((recovery.action, recovery.dedup_key.as_str()), (Action::Resolve, KEY));
    }
}
