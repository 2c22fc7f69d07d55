//! Who speaks for a host, so that its series do not suffer from it: one agent at a time, and how far its clock is off.

use super::{HostFault, Hosts, INSTANTS, lock};
use shared::{SourceId, Timestamp};
use std::collections::VecDeque;

/// A clock that is ahead by no more is right.
const RIGHT_MS: i64 = 2_000;
/// The way here may take so long: no agent waits longer for its answer.
const WAY_MS: i64 = 15_000;
/// Instants are set right by whole seconds, and by the same ones for as long as it is about the same.
const STEP_MS: i64 = 1_000;
/// Messages of which the quickest says how far the clock is off.
const HEARD: usize = 8;

/// An agent that says nothing for so long, or for three of its beats, leaves its host to another.
const LIVE_MS: i64 = 30_000;
/// Runs whose place another has taken.
const PAST_MAX: usize = 8;

/// Who says what was measured of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spoken {
    /// Of the token.
    pub source: SourceId,
    /// Drawn at each start of an agent.
    pub run: u64,
    pub every_ms: u64,
}

/// What is known of a host's agent.
#[derive(Debug, Default)]
pub(super) struct Speaker {
    clock: Clock,
    last: Option<(Spoken, Timestamp)>,
    /// Runs that spoke before the last one while it was there, the newest last.
    past: VecDeque<u64>,
}

impl Speaker {
    /// Whether this agent may speak. While one lives, none of another source may; of the same source a run that is new may,
    /// since an agent that was started anew is one, and then the run before may not: two machines of one name do not take
    /// turns.
    fn may(&self, spoken: &Spoken, now: Timestamp) -> bool {
        let Some((last, heard_at)) = &self.last else { return true };
        let beats_ms = i64::try_from(last.every_ms).unwrap_or(i64::MAX).saturating_mul(3);
        let is_same = last.source == spoken.source && (last.run == spoken.run || !self.past.contains(&spoken.run));
        is_same || now.ms_since(*heard_at) > beats_ms.max(LIVE_MS)
    }

    fn spoke(&mut self, spoken: Spoken, now: Timestamp) {
        self.past.retain(|run| *run != spoken.run);
        if let Some((last, _)) = self.last.replace((spoken.clone(), now))
            && last.run != spoken.run
        {
            self.past.push_back(last.run);
            if self.past.len() > PAST_MAX {
                self.past.pop_front();
            }
        }
    }
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
    /// Whether an agent may say what was measured of a host.
    ///
    /// # Errors
    /// When another one does.
    pub fn may_speak(&self, host: &str, spoken: &Spoken, now: Timestamp) -> Result<(), HostFault> {
        let may = self.host(host).is_none_or(|memory| lock(&memory).speaker.may(spoken, now));
        if may { Ok(()) } else { Err(HostFault::Another(host.to_owned())) }
    }

    /// What an agent said of a host was taken.
    pub fn spoke(&self, host: &str, spoken: Spoken, now: Timestamp) {
        if let Some(memory) = self.host(host) {
            lock(&memory).speaker.spoke(spoken, now);
        }
    }

    /// How far the clock of a host's agent is off when a message says so, so that its instants are set right: the same for
    /// as long as it is about the same, so that what is sent again is known again.
    ///
    /// # Errors
    /// When it says what is no time.
    pub fn clock_off(&self, host: &str, sent_at: Timestamp, now: Timestamp) -> Result<Clocked, HostFault> {
        if !INSTANTS.contains(&sent_at.ms()) {
            return Err(HostFault::Sent(sent_at.ms()));
        }
        let ahead_ms = sent_at.ms_since(now);
        Ok(match self.host(host) {
            Some(memory) => lock(&memory).speaker.clock.hear(ahead_ms),
            None => Clock::default().hear(ahead_ms),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_agent_speaks_for_a_host_and_one_that_was_started_anew_takes_its_place() {
        let at = |s: i64| Timestamp::from_ms(s * 1_000);
        let of = |source: &str, run| Spoken { source: source.into(), run, every_ms: 10_000 };
        let mut speaker = Speaker::default();
        let mut says = |source: &str, run, s| {
            let may = speaker.may(&of(source, run), at(s));
            if may {
                speaker.spoke(of(source, run), at(s));
            }
            may
        };
        assert!(says("prod", 1, 0) && says("prod", 1, 10));
        assert!(!says("lab", 2, 11), "it is of another source");
        assert!(says("prod", 3, 12), "it was started anew");
        assert!(!says("prod", 1, 20), "or there are two of one name: one of them is heard");
        assert!(says("prod", 3, 22) && !says("prod", 1, 52) && says("prod", 1, 53), "the other is silent");
        assert!(!says("prod", 3, 54) && !says("lab", 2, 83) && says("lab", 2, 84));
    }

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
