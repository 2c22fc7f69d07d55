//! Jobs of the demo that beat: one in time, and one that is late, is missed and comes back, again and again.

use super::senders::{House, pause};
use shared::HeartbeatId;
use std::time::Duration;

/// Each heartbeat and the pause between its beats. The document gives the first a minute, and the second a minute and ten
/// more of grace: so it is overdue most of the time, and missed for a while.
pub(super) const JOBS: &[(&str, Duration)] =
    &[("db-backup", Duration::from_secs(30)), ("ledger-export", Duration::from_secs(15 * 60))];

pub(super) async fn run(house: House, tokens: Vec<(HeartbeatId, String)>) {
    let mut waits: Vec<(String, Duration, Duration)> = Vec::new();
    for (id, token) in tokens {
        let every = JOBS.iter().find(|(job, _)| *job == id.as_str()).map(|(_, every)| *every);
        waits.extend(every.map(|every| (token, every, Duration::ZERO)));
    }
    loop {
        let Some(next) = waits.iter().map(|(.., wait)| *wait).min() else { return };
        pause(next).await;
        for (token, every, wait) in &mut waits {
            *wait -= next;
            if wait.is_zero() {
                house.post(&format!("/heartbeat/{token}"), token, String::new(), "text/plain").await;
                *wait = *every;
            }
        }
    }
}
