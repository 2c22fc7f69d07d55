//! The only place that reads the operating system's time; everything else takes `now` as an argument.

use shared::Timestamp;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// The present instant by the wall clock; it may jump when the machine's clock is set.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the wall clock")]
pub fn now() -> Timestamp {
    // Before 1970 is a machine without a clock battery: say 1970 rather than fail.
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// Measures how long something took, unmoved by changes of the wall clock.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch {
    started: Instant,
}

impl Stopwatch {
    /// Begins to measure.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the monotonic clock")]
    pub fn start() -> Self {
        Self { started: Instant::now() }
    }

    /// Milliseconds since the start.
    #[must_use]
    pub fn elapsed_ms(&self) -> i64 {
        i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_is_past_2020_and_a_stopwatch_never_runs_backwards() {
        assert!(now() > Timestamp(1_577_836_800_000));
        let watch = Stopwatch::start();
        let first = watch.elapsed_ms();
        assert!(first >= 0 && watch.elapsed_ms() >= first);
    }
}
