//! One ordered index of deadlines with their reasons, at 24 bytes each: an open incident has two or three.

use crate::{dense::Set, event::Wake};
use shared::{AlertId, AttemptId, IncidentId, MirrorId, SilenceId, Timestamp};

/// When something must be looked at again, and why.
#[derive(Clone, Debug, Default)]
pub(crate) struct Deadlines(Set<Deadline>);

/// Ordered by its time, and then as [`Wake`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Deadline {
    at: Timestamp,
    /// The reason in the upper four bits, and what it is about; numbers are given one by one and never come to 2^60.
    what: u64,
    /// Which part of that.
    part: u64,
}

const REASON_BITS: u32 = 4;
const NUMBER: u64 = u64::MAX >> REASON_BITS;

impl Deadline {
    fn new(at: Timestamp, wake: Wake) -> Self {
        let (reason, number, part) = match wake {
            Wake::Level { incident, escalation } => (0, incident.0, i64::from(escalation)),
            Wake::Attempt { incident, attempt } => (1, incident.0, attempt.0),
            Wake::Lease { incident, attempt } => (2, incident.0, attempt.0),
            Wake::AckTimeout { incident } => (3, incident.0, 0),
            Wake::SnoozeEnds { incident } => (4, incident.0, 0),
            Wake::Calm { incident } => (5, incident.0, 0),
            Wake::Bundle => (6, 0, 0),
            Wake::Storm => (7, 0, 0),
            Wake::Silence { silence } => (8, silence.0, 0),
            Wake::Notice { silence, attempt } => (9, silence.0, attempt.0),
            Wake::Stale { alert } => (10, alert.0, 0),
            Wake::Heartbeat => (11, 0, 0),
            Wake::Suspects => (12, 0, 0),
            Wake::Review => (13, 0, 0),
            Wake::Forget => (14, 0, 0),
            Wake::Mirror { mirror } => (15, mirror.0, 0),
        };
        let what = (reason << (u64::BITS - REASON_BITS)) | (number.cast_unsigned() & NUMBER);
        Self { at, what, part: part.cast_unsigned() }
    }

    fn wake(self) -> Wake {
        let number = (self.what & NUMBER).cast_signed();
        let (incident, silence) = (IncidentId(number), SilenceId(number));
        let attempt = AttemptId(self.part.cast_signed());
        match self.what >> (u64::BITS - REASON_BITS) {
            0 => Wake::Level { incident, escalation: self.part as u32 },
            1 => Wake::Attempt { incident, attempt },
            2 => Wake::Lease { incident, attempt },
            3 => Wake::AckTimeout { incident },
            4 => Wake::SnoozeEnds { incident },
            5 => Wake::Calm { incident },
            6 => Wake::Bundle,
            7 => Wake::Storm,
            8 => Wake::Silence { silence },
            9 => Wake::Notice { silence, attempt },
            10 => Wake::Stale { alert: AlertId(number) },
            11 => Wake::Heartbeat,
            12 => Wake::Suspects,
            13 => Wake::Review,
            14 => Wake::Forget,
            _ => Wake::Mirror { mirror: MirrorId(number) },
        }
    }
}

impl Deadlines {
    pub(crate) fn set(&mut self, at: Timestamp, wake: Wake) {
        self.0.insert(Deadline::new(at, wake));
    }

    pub(crate) fn clear(&mut self, at: Timestamp, wake: Wake) {
        self.0.remove(&Deadline::new(at, wake));
    }

    pub(crate) fn next(&self) -> Option<(Timestamp, Wake)> {
        self.0.first().map(|next| (next.at, next.wake()))
    }

    /// Takes the earliest deadline that is due.
    pub(crate) fn pop_due(&mut self, now: Timestamp) -> Option<(Timestamp, Wake)> {
        if self.0.first()?.at > now {
            return None;
        }
        self.0.pop_first().map(|due| (due.at, due.wake()))
    }

    /// Gives up every deadline of some kinds.
    pub(crate) fn give_up(&mut self, kinds: impl Fn(Wake) -> bool) {
        self.0.retain(|deadline| !kinds(deadline.wake()));
    }

    pub(crate) fn contains(&self, at: Timestamp, wake: Wake) -> bool {
        self.0.contains(&Deadline::new(at, wake))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Timestamp, Wake)> + '_ {
        self.0.iter().map(|deadline| (deadline.at, deadline.wake()))
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn wake() -> impl Strategy<Value = Wake> {
        let number = || 0..(1_i64 << 60);
        let incident = || number().prop_map(IncidentId);
        let silence = || number().prop_map(SilenceId);
        let attempt = || (0..i64::MAX).prop_map(AttemptId);
        prop_oneof![
            (incident(), any::<u32>()).prop_map(|(incident, escalation)| Wake::Level { incident, escalation }),
            (incident(), attempt()).prop_map(|(incident, attempt)| Wake::Attempt { incident, attempt }),
            (incident(), attempt()).prop_map(|(incident, attempt)| Wake::Lease { incident, attempt }),
            incident().prop_map(|incident| Wake::AckTimeout { incident }),
            incident().prop_map(|incident| Wake::SnoozeEnds { incident }),
            incident().prop_map(|incident| Wake::Calm { incident }),
            Just(Wake::Bundle),
            Just(Wake::Storm),
            silence().prop_map(|silence| Wake::Silence { silence }),
            (silence(), attempt()).prop_map(|(silence, attempt)| Wake::Notice { silence, attempt }),
            number().prop_map(|alert| Wake::Stale { alert: AlertId(alert) }),
            Just(Wake::Heartbeat),
            Just(Wake::Review),
            Just(Wake::Forget),
        ]
    }

    proptest! {
        #[test]
        fn a_deadline_is_its_time_and_its_reason(one in (0..3_i64, wake()), other in (0..3_i64, wake())) {
            let of = |(at, wake): (i64, Wake)| (Timestamp::from_ms(at), wake);
            let (one, other) = (of(one), of(other));
            let (this, that) = (Deadline::new(one.0, one.1), Deadline::new(other.0, other.1));
            prop_assert_eq!((this.at, this.wake()), one);
            prop_assert_eq!(this.cmp(&that), one.cmp(&other), "the order in which what is due together is done");
        }
    }

    #[test]
    fn a_deadline_takes_24_bytes() {
        assert_eq!(size_of::<Deadline>(), 24);
    }
}
