//! The engine's time: it follows the wall clock, but never goes back and never runs far from real time's own speed.
//!
//! Two things are read from it. Timers (levels, reminders, leases) measure time that really passes; who is on call is
//! a matter of the wall clock. As long as the two agree there is one time for both, the sleep of the machine included.
//! When the wall clock alone moves (a time server's step, a wrong battery clock, a virtual machine that was halted),
//! nobody can tell whether it was right before or is right now. So it is neither believed at once, which would end
//! every wait of the house in the same instant, nor ignored: time runs an eighth faster, or slower, until both agree.
//! A page comes a little early or a little late, and never all at once, and never not at all.

use crate::{clock, telemetry};
use shared::Timestamp;
use std::time::Duration;

/// Time is off its real speed by at most one part in so many. The shortest lease of a delivery, ten seconds, then
/// still outlives the eight that a delivery may take.
const SLEW: i64 = 8;
/// A leap that is worth a line in the log; an ordinary correction is smaller.
const NOTABLE_MS: i64 = 2_000;

/// Goes on with the machine, and towards the wall clock.
#[derive(Debug)]
pub(super) struct Pace {
    /// In microseconds, or a busy thread's many short steps would all be rounded to no correction at all.
    time_us: i64,
    seen: Reading,
    /// Whether a leap was noted and not yet made up for.
    off: bool,
}

/// Both clocks at one moment.
#[derive(Clone, Copy, Debug)]
struct Reading {
    wall: Timestamp,
    /// Since the machine was started, its sleep included; nobody sets this clock.
    uptime: Duration,
}

/// What is worth a line in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Notice {
    /// The wall clock moved by so much more (or, negative, less) than time did.
    Leapt { by_ms: i64 },
    /// The engine's time and the wall clock are one again.
    Agrees,
}

impl Pace {
    /// Begins at the wall clock's time: there is no other.
    pub(super) fn start() -> Self {
        Self::at(Reading::take())
    }

    /// The engine's time.
    pub(super) fn now(&mut self) -> Timestamp {
        let before_ms = self.offset_ms();
        let notice = self.follow(Reading::take());
        let offset_ms = self.offset_ms();
        if offset_ms != before_ms {
            telemetry::clock_offset(offset_ms);
        }
        match notice {
            Some(Notice::Leapt { by_ms }) => tracing::warn!(
                by_ms,
                offset_ms,
                agrees_in_s = offset_ms.abs().saturating_mul(SLEW) / 1_000,
                "the wall clock leapt, and no such time has passed; timers keep their pace and come to agree slowly"
            ),
            Some(Notice::Agrees) => tracing::info!("timers and the wall clock agree again"),
            None => {}
        }
        self.time()
    }

    const fn at(reading: Reading) -> Self {
        Self { time_us: reading.wall.ms().saturating_mul(1_000), seen: reading, off: false }
    }

    const fn time(&self) -> Timestamp {
        Timestamp::from_ms(self.time_us.div_euclid(1_000))
    }

    /// How far the wall clock is ahead of the engine's time; negative when it is behind.
    const fn offset_ms(&self) -> i64 {
        self.seen.wall.ms_since(self.time())
    }

    /// Goes on to the moment of `reading`.
    fn follow(&mut self, reading: Reading) -> Option<Notice> {
        let passed = reading.uptime.saturating_sub(self.seen.uptime);
        let passed_us = i64::try_from(passed.as_micros()).unwrap_or(i64::MAX);
        let slew_us = passed_us / SLEW;
        let (slowest, fastest) = (
            self.time_us.saturating_add(passed_us - slew_us),
            self.time_us.saturating_add(passed_us.saturating_add(slew_us)),
        );
        self.time_us = reading.wall.ms().saturating_mul(1_000).clamp(slowest, fastest);
        let by_ms = reading.wall.ms_since(self.seen.wall).saturating_sub(passed_us / 1_000);
        self.seen = reading;
        let leapt = by_ms.saturating_abs() > NOTABLE_MS;
        let agrees = self.offset_ms().saturating_abs() <= NOTABLE_MS;
        match (leapt, agrees) {
            // Back where it came from, as after a mistake that was mended: both say all there is to say.
            (true, true) | (false, true) if self.off => {
                self.off = false;
                Some(Notice::Agrees)
            }
            (true, false) => {
                self.off = true;
                Some(Notice::Leapt { by_ms })
            }
            _ => None,
        }
    }
}

impl Reading {
    fn take() -> Self {
        Self { wall: clock::now(), uptime: clock::uptime() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BEGAN: Timestamp = Timestamp::from_ms(1_780_000_000_000);
    const MINUTE: i64 = 60_000;
    const HOUR: i64 = 60 * MINUTE;
    const DAY: i64 = 24 * HOUR;

    /// A machine whose two clocks a test moves.
    struct Machine {
        pace: Pace,
        reading: Reading,
        notices: Vec<Notice>,
    }

    impl Machine {
        fn start() -> Self {
            let reading = Reading { wall: BEGAN, uptime: Duration::from_secs(5_000) };
            Self { pace: Pace::at(reading), reading, notices: Vec::new() }
        }

        /// Time passes, and the thread looks at the clocks twice a second, as it does.
        fn runs(&mut self, length_ms: i64) -> Timestamp {
            let mut left = length_ms;
            while left > 0 {
                self.stands_still(left.min(500));
                left -= 500;
            }
            self.pace.time()
        }

        /// Time passes, and nobody looks until it has: the machine slept.
        fn stands_still(&mut self, length_ms: i64) -> Timestamp {
            self.reading.wall = self.reading.wall.plus_ms(length_ms);
            self.reading.uptime += Duration::from_millis(length_ms.unsigned_abs());
            self.look()
        }

        /// Somebody sets the wall clock.
        fn leaps(&mut self, by_ms: i64) -> Timestamp {
            self.reading.wall = self.reading.wall.plus_ms(by_ms);
            self.look()
        }

        fn look(&mut self) -> Timestamp {
            let notice = self.pace.follow(self.reading);
            self.notices.extend(notice);
            self.pace.time()
        }
    }

    #[test]
    fn time_is_the_wall_clocks_while_nobody_sets_it() {
        let mut machine = Machine::start();
        assert_eq!(machine.runs(3 * HOUR), BEGAN.plus_ms(3 * HOUR));
        assert_eq!(machine.notices, []);
    }

    #[test]
    fn what_came_due_while_the_machine_slept_is_due_when_it_wakes() {
        let mut machine = Machine::start();
        assert_eq!(machine.stands_still(8 * HOUR), BEGAN.plus_ms(8 * HOUR));
        assert_eq!(machine.notices, []);
    }

    #[test]
    fn a_leap_of_a_day_makes_nothing_due_at_once() {
        let mut machine = Machine::start();
        assert_eq!(machine.leaps(DAY), BEGAN);
        // A level of five minutes is not run before it has waited nearly that long.
        assert!(machine.runs(4 * MINUTE) < BEGAN.plus_ms(5 * MINUTE));
        assert!(machine.runs(MINUTE) >= BEGAN.plus_ms(5 * MINUTE));
        assert_eq!(machine.notices, [Notice::Leapt { by_ms: DAY }]);
    }

    #[test]
    fn a_clock_that_is_set_back_puts_nothing_off_by_more_than_a_little() {
        let mut machine = Machine::start();
        assert_eq!(machine.leaps(-DAY), BEGAN);
        assert!(machine.runs(6 * MINUTE) >= BEGAN.plus_ms(5 * MINUTE));
        assert_eq!(machine.notices, [Notice::Leapt { by_ms: -DAY }]);
    }

    #[test]
    fn the_new_time_is_believed_in_the_end_and_the_log_says_so_once() {
        for by_ms in [HOUR, -HOUR] {
            let mut machine = Machine::start();
            machine.leaps(by_ms);
            machine.runs(SLEW * HOUR + MINUTE);
            assert_eq!(machine.pace.time(), machine.reading.wall);
            assert_eq!(machine.notices, [Notice::Leapt { by_ms }, Notice::Agrees]);
        }
    }

    #[test]
    fn a_mistake_that_is_mended_at_once_leaves_no_trace() {
        let mut machine = Machine::start();
        machine.leaps(DAY);
        machine.runs(10_000);
        machine.leaps(-DAY);
        assert_eq!(machine.notices, [Notice::Leapt { by_ms: DAY }, Notice::Agrees]);
        assert_eq!(machine.runs(MINUTE), machine.reading.wall);
    }

    #[test]
    fn a_busy_thread_that_looks_all_the_time_comes_to_agree_as_well() {
        let mut machine = Machine::start();
        machine.leaps(3_000);
        for tenth_ms in 1..=10 * 25_000 {
            machine.reading.uptime += Duration::from_micros(100);
            if tenth_ms % 10 == 0 {
                machine.reading.wall = machine.reading.wall.plus_ms(1);
            }
            machine.look();
        }
        assert!(machine.pace.offset_ms() <= 1, "{} ms are left", machine.pace.offset_ms());
    }

    proptest! {
        /// Whatever the clocks do: time never goes back, and is never far from the speed of real time.
        #[test]
        fn time_keeps_its_pace(moves in prop::collection::vec((0..2_000i64, -2 * DAY..2 * DAY, 0..4u8), 1..200)) {
            let mut machine = Machine::start();
            for (passed_ms, by_ms, kind) in moves {
                let before = machine.pace.time_us;
                if kind == 0 {
                    machine.reading.wall = machine.reading.wall.plus_ms(by_ms);
                }
                machine.stands_still(passed_ms);
                let ran = machine.pace.time_us - before;
                prop_assert!(ran >= passed_ms * 1_000 * (SLEW - 1) / SLEW && ran <= passed_ms * 1_000 * (SLEW + 1) / SLEW);
            }
        }
    }
}
