//! The engine's time: the wall clock, except that it never goes back.

use crate::clock::{self, Stopwatch};
use shared::Timestamp;

/// Wall-clock time that goes on at the machine's own pace when the wall clock is set back.
#[derive(Debug)]
pub(super) struct Pace {
    last: Timestamp,
    since: Stopwatch,
    behind: bool,
}

/// A step of the wall clock that is worth a line in the log.
const NOTABLE_MS: i64 = 2_000;

impl Pace {
    pub(super) fn start() -> Self {
        Self { last: clock::now(), since: Stopwatch::start(), behind: false }
    }

    pub(super) fn now(&mut self) -> Timestamp {
        let steady = self.last.plus_ms(self.since.elapsed_ms());
        let wall = clock::now();
        let step = wall.ms_since(steady);
        if step < 0 {
            // Timers go on; the wall clock is believed again once it has caught up.
            if step < -NOTABLE_MS && !self.behind {
                tracing::warn!(step_ms = step, "the wall clock was set back; timers go on at their own pace");
                self.behind = true;
            }
            return steady;
        }
        if step > NOTABLE_MS {
            tracing::warn!(
                step_ms = step,
                "the wall clock leapt forward, or the machine slept; what is due is done now"
            );
        }
        self.behind = false;
        self.last = wall;
        self.since = Stopwatch::start();
        wall
    }
}
