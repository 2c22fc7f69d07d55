//! The outbound heartbeat: tells a dead-man's switch elsewhere that the pager works, and only while it does.

use super::{Runtime, auditor::Audited};
use crate::clock::{self, Stopwatch};
use shared::Timestamp;
use std::{sync::PoisonError, time::Duration};

/// Whether it is time is looked at this often.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// An audit that is older says nothing; a round takes a few seconds.
const AUDIT_MAX_AGE_MS: i64 = 60_000;

/// How the last heartbeat went.
#[derive(Clone, Debug, Default)]
pub(super) struct Heartbeat {
    pub(super) taken_at: Option<Timestamp>,
    /// Why it was withheld or not taken.
    trouble: Option<String>,
}

impl Runtime {
    /// Sends the heartbeat when it is due, for as long as the process lives.
    pub async fn beat(self) {
        let mut last: Option<Stopwatch> = None;
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let channels = self.vitals.channels.read().unwrap_or_else(PoisonError::into_inner).clone();
            let Some(every) = channels.heartbeat_every() else {
                last = None;
                self.note_heartbeat(Heartbeat::default());
                continue;
            };
            if last.is_some_and(|last| last.elapsed_ms() < every.0) {
                continue;
            }
            last = Some(Stopwatch::start());
            let result = match self.sound(clock::now()) {
                Ok(()) => channels.beat().await.map_err(|failure| format!("was not taken: {}", failure.detail)),
                Err(why) => Err(format!("is withheld: {why}")),
            };
            self.note_heartbeat(match result {
                Ok(()) => Heartbeat { taken_at: Some(clock::now()), trouble: None },
                Err(trouble) => {
                    tracing::warn!("the outbound heartbeat {trouble}");
                    Heartbeat { trouble: Some(trouble), ..self.heartbeat() }
                }
            });
        }
    }

    /// Whether everything works as far as the pager can tell by itself.
    fn sound(&self, now: Timestamp) -> Result<(), String> {
        self.ready()?;
        let audited = self.audited();
        match audited.at {
            None => Err("the first audit is not complete".to_owned()),
            Some(at) if now.ms_since(at) > AUDIT_MAX_AGE_MS => {
                Err(format!("the last audit was {} s ago", now.ms_since(at) / 1_000))
            }
            Some(_) => audited.found.first().map_or(Ok(()), |broken| Err(format!("a promise is broken: {broken}"))),
        }
    }

    /// What is wrong with the pager, a sentence each.
    pub(super) fn warnings(&self) -> Vec<String> {
        let heartbeat = self.heartbeat().trouble.map(|trouble| format!("the outbound heartbeat {trouble}"));
        let broken = self.audited().found.into_iter().map(|it| format!("a promise is broken: {it}"));
        let deaf = self.vitals.deaf.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.ready().err().into_iter().chain(broken).chain(heartbeat).chain(deaf).collect()
    }

    /// Which ports could not be opened; none when all that should be open are.
    pub(crate) fn note_deaf(&self, deaf: Vec<String>) {
        *self.vitals.deaf.lock().unwrap_or_else(PoisonError::into_inner) = deaf;
    }

    // Copies, not guards: a guard that lives for one expression too long locks out the next.

    pub(super) fn audited(&self) -> Audited {
        self.vitals.audited.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn heartbeat(&self) -> Heartbeat {
        self.vitals.heartbeat.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note_heartbeat(&self, heartbeat: Heartbeat) {
        *self.vitals.heartbeat.lock().unwrap_or_else(PoisonError::into_inner) = heartbeat;
    }
}
