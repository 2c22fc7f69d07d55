//! How often a source that must be asked is asked.

use std::time::Duration;
use tokio::time::{Interval, MissedTickBehavior, interval};

/// At once the first time and after a fault, then at every interval; a given up wait does not start anew.
#[derive(Debug)]
pub(super) struct Pace {
    every: Duration,
    running: Option<Interval>,
}

impl Pace {
    /// The shortest interval is a tenth of a second: a source is watched, not besieged.
    pub(super) fn new(every: Duration) -> Self {
        Self { every: every.max(Duration::from_millis(100)), running: None }
    }

    /// Waits until it is time to look again.
    pub(super) async fn wait(&mut self) {
        let running = self.running.get_or_insert_with(|| {
            let mut running = interval(self.every);
            running.set_missed_tick_behavior(MissedTickBehavior::Delay);
            running
        });
        running.tick().await;
    }

    /// Looks at once the next time; how long to wait after a fault is for the caller to say.
    pub(super) fn begin_anew(&mut self) {
        self.running = None;
    }
}
