//! What the pager has to say about itself: alerts of its own, taken as if it had sent them to itself.

use super::{Arrived, writer::Writer};
use engine::{Changes, compile::SELF, dedup};
use shared::{
    IntegrationId, PolicyId, Timestamp,
    timeline::{Happening, TargetResult},
};
use std::collections::BTreeMap;
use tokio::sync::oneshot;

/// A P0 about the pager, or its recovery when nothing is wrong any more.
pub(super) struct OwnAlert<'a> {
    /// Its identity while it is open.
    pub(super) key: &'a str,
    pub(super) summary: &'a str,
    /// What is wrong; none: it is over.
    pub(super) wrong: Option<String>,
}

impl OwnAlert<'_> {
    fn arrived(self, now: Timestamp) -> Arrived {
        let status = if self.wrong.is_some() { "firing" } else { "resolved" };
        let body = serde_json::json!({
            "severity": "P0", "status": status, "host": SELF, "summary": self.summary, "content": self.wrong,
        });
        Arrived::of_itself(&body, self.key, now)
    }
}

impl Writer {
    /// Opens an alert about the pager, or ends it; nothing when it is so already.
    pub(super) fn tell_of_itself(&self, alert: OwnAlert<'_>, now: Timestamp) {
        let is_open = dedup::open(&self.engine.state, &IntegrationId::from(SELF), alert.key).is_some();
        if is_open != alert.wrong.is_some() {
            // Nobody waits for the answer. A P0 is taken all the same.
            let (reply, answer) = oneshot::channel();
            self.inbox.arrived(alert.arrived(now), reply);
            drop(answer);
        }
    }

    /// A policy of which no level reached anybody is wrong, whatever the fallback did; once it reaches somebody it is not.
    pub(super) fn watch_policies(&self, changes: &Changes, now: Timestamp) {
        let mut told: BTreeMap<&PolicyId, Option<String>> = BTreeMap::new();
        for entry in &changes.timeline {
            match &entry.what {
                Happening::NobodyReached { policy, fallback, .. } => {
                    let wrong = nobody(policy, entry.incident.0, fallback);
                    told.insert(policy, Some(wrong));
                }
                Happening::LevelRan { policy, targets, .. } if targets.iter().any(|it| !it.recipients.is_empty()) => {
                    told.insert(policy, None);
                }
                _ => {}
            }
        }
        for (policy, wrong) in told {
            let (key, summary) = (format!("nobody:{policy}"), format!("policy {policy} reached nobody"));
            self.tell_of_itself(OwnAlert { key: &key, summary: &summary, wrong }, now);
        }
    }
}

fn nobody(policy: &PolicyId, incident: i64, fallback: &[TargetResult]) -> String {
    let paged = fallback.iter().filter(|it| !it.recipients.is_empty()).map(|it| it.target.as_str());
    let paged = paged.collect::<Vec<_>>().join(", ");
    let instead = if paged.is_empty() {
        "the fallback reached nobody either".to_owned()
    } else {
        format!("the fallback was paged: {paged}")
    };
    format!(
        "No level of policy {policy} reached anybody for incident {incident}; {instead}. Mend the policy, its schedules \
         or its people's contacts: the incident's reasons name each target."
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::{Severity, alert::Action};

    #[test]
    fn an_alert_of_its_own_says_what_is_wrong_and_its_recovery_has_the_same_identity() {
        let alert = |wrong: Option<String>| {
            let alert = OwnAlert { key: "audit", summary: "the pager has broken a promise", wrong };
            alert.arrived(Timestamp::from_ms(1)).read.events.remove(0).event
        };
        let fires = alert(Some("incident 7 is unanswered".to_owned()));
        assert_eq!((fires.action, fires.severity, fires.dedup_key.as_str()), (Action::Trigger, Severity::P0, "audit"));
        assert!(fires.content.contains("incident 7 is unanswered"), "{}", fires.content);
        let over = alert(None);
        assert_eq!((over.action, over.dedup_key.as_str()), (Action::Resolve, "audit"));
    }
}
