//! The only place that reads the operating system's time; everything else takes `now` as an argument.

use rustix::time::{ClockId, clock_gettime};
use shared::Timestamp;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Counts on while the machine sleeps.
#[cfg(target_os = "linux")]
const UPTIME: ClockId = ClockId::Boottime;
/// Elsewhere the monotonic clock does that by itself, or there is nothing better.
#[cfg(not(target_os = "linux"))]
const UPTIME: ClockId = ClockId::Monotonic;

/// The present instant by the wall clock; it may jump when the machine's clock is set.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the wall clock")]
pub fn now() -> Timestamp {
    // Before 1970 is a machine without a clock battery: say 1970 rather than fail.
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_ms(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// How long the machine has been running, its sleep included; nobody can set this clock.
#[must_use]
pub fn uptime() -> Duration {
    let time = clock_gettime(UPTIME);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or_default(), u32::try_from(time.tv_nsec).unwrap_or_default())
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
        assert!(now() > Timestamp::from_ms(1_577_836_800_000));
        let watch = Stopwatch::start();
        let first = watch.elapsed_ms();
        assert!(first >= 0 && watch.elapsed_ms() >= first);
        let up = uptime();
        assert!(!up.is_zero() && uptime() >= up);
    }
}
