//! Who speaks for a host, as far as its series must not suffer from it: how far the clock of its agent is off.

use super::{Hosts, lock};
use std::collections::VecDeque;

/// A clock that is ahead by no more is right.
const RIGHT_MS: i64 = 2_000;
/// The way here may take so long: no agent waits longer for its answer.
const WAY_MS: i64 = 15_000;
/// Instants are set right by whole seconds, and by the same ones for as long as it is about the same.
const STEP_MS: i64 = 1_000;
/// Messages of which the quickest says how far the clock is off.
const HEARD: usize = 8;

/// What is known of a host's agent.
#[derive(Debug, Default)]
pub(super) struct Speaker {
    clock: Clock,
}

/// How far a clock is off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clocked {
    /// As far as is known: it may be more, by what the quickest message took.
    pub ahead_ms: i64,
    /// What is taken from its instants.
    pub off_ms: i64,
}

/// The clock of an agent, by what its last messages said.
///
/// What a message takes to arrive makes a clock look behind, and never ahead. So the quickest of some messages counts, and
/// that it is behind is only believed beyond what the way may take. To be shown some seconds late is a small harm; samples
/// that are moved for nothing are at wrong instants, and are not known again when they are sent again.
#[derive(Debug, Default)]
struct Clock {
    ahead_ms: VecDeque<i64>,
    off_ms: i64,
}

impl Clock {
    fn hear(&mut self, ahead_ms: i64) -> Clocked {
        if self.ahead_ms.iter().any(|before| before.saturating_sub(ahead_ms) > WAY_MS) {
            // No way takes so long: it was set back.
            self.ahead_ms.clear();
        }
        if self.ahead_ms.len() >= HEARD {
            self.ahead_ms.pop_front();
        }
        self.ahead_ms.push_back(ahead_ms);
        let ahead_ms = self.ahead_ms.iter().copied().fold(ahead_ms, i64::max);
        self.off_ms = match ahead_ms {
            right if (-WAY_MS..=RIGHT_MS).contains(&right) => 0,
            ahead if self.off_ms != 0 && ahead.saturating_sub(self.off_ms).saturating_abs() <= STEP_MS => self.off_ms,
            ahead => ahead.saturating_add(STEP_MS / 2).div_euclid(STEP_MS).saturating_mul(STEP_MS),
        };
        Clocked { ahead_ms, off_ms: self.off_ms }
    }
}

impl Hosts {
    /// How far the clock of a host's agent is off when a message says so, so that its instants are set right: the same for
    /// as long as it is about the same, so that what is sent again is known again.
    #[must_use]
    pub fn clock_off(&self, host: &str, ahead_ms: i64) -> Clocked {
        match self.host(host) {
            Some(memory) => lock(&memory).speaker.clock.hear(ahead_ms),
            None => Clock::default().hear(ahead_ms),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn off(heard: &[i64]) -> Vec<i64> {
        let mut clock = Clock::default();
        heard.iter().map(|ahead| clock.hear(*ahead).off_ms).collect()
    }

    #[test]
    fn a_clock_that_is_off_is_set_right_by_the_same_for_as_long_as_it_is_about_the_same() {
        assert_eq!(off(&[1_900, 5_320, 5_480, 4_700, 60_020, -200]), [0, 5_000, 5_000, 5_000, 60_000, 0]);
        assert_eq!(
            off(&[-3_604_000, -3_600_100, -3_600_020, -3_609_000]),
            [-3_604_000, -3_600_000, -3_600_000, -3_600_000]
        );
    }

    #[test]
    fn the_time_on_the_way_is_not_taken_for_a_clock_that_is_wrong() {
        let mut clock = Clock::default();
        for (ahead_ms, expected) in [(-5_000, (-5_000, 0)), (-30, (-30, 0)), (-14_000, (-30, 0)), (-8_000, (-30, 0))] {
            let clocked = clock.hear(ahead_ms);
            assert_eq!((clocked.ahead_ms, clocked.off_ms), expected, "{ahead_ms}");
        }
        // Ahead for certain, however slow some messages are.
        assert_eq!(off(&[9_990, 2_500, 9_950, -1_000]), [10_000; 4]);
        // Set back by less than a way takes: known when no quick message says otherwise.
        let heard: Vec<i64> = [10_000].into_iter().chain([-20; HEARD]).collect();
        assert_eq!(off(&heard).last(), Some(&0));
        assert_eq!(off(&[i64::MIN, i64::MAX, i64::MIN]).len(), 3);
    }
}
