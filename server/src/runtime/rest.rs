//! After a rush the allocator is made to give back what was freed: it does so a second later, when some thread ends,
//! and then nothing may end for long.

use shared::Timestamp;
use std::{io, thread};

/// So long after the last work: all that it took is freed, and the allocator has waited its second.
const QUIET_MS: i64 = 2_000;

/// When there was work last, until what it took was given back.
#[derive(Debug)]
pub(super) struct Rest(Option<Timestamp>);

impl Rest {
    /// At the start, which takes much itself.
    pub(super) const fn after_start(now: Timestamp) -> Self {
        Self(Some(now))
    }

    /// There is work.
    pub(super) const fn worked(&mut self, now: Timestamp) {
        self.0 = Some(now);
    }

    /// Gives back what was freed, once after each time of work.
    ///
    /// # Errors
    /// When no thread can be started.
    pub(super) fn look(&mut self, now: Timestamp) -> io::Result<()> {
        if self.is_due(now) { thread::Builder::new().name("rest".to_owned()).spawn(|| {}).map(drop) } else { Ok(()) }
    }

    fn is_due(&mut self, now: Timestamp) -> bool {
        self.0.take_if(|worked| now.ms_since(*worked) >= QUIET_MS).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_rests_once_after_each_time_of_work() {
        let at = |ms: i64| Timestamp::from_ms(1_000_000 + ms);
        let mut rest = Rest::after_start(at(0));
        assert_eq!([500, 2_000, 4_000].map(|ms| rest.is_due(at(ms))), [false, true, false]);
        rest.worked(at(5_000));
        rest.worked(at(6_500));
        assert_eq!([7_100, 8_500, 20_000].map(|ms| rest.is_due(at(ms))), [false, true, false]);
    }
}
