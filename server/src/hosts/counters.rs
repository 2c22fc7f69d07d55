//! What counters said last, so that the next value gives a rate.

use shared::Timestamp;
use std::collections::BTreeMap;

/// Counters that one machine may have; further ones give no rate.
const COUNTERS_MAX: usize = 20_000;

/// The counters of one machine.
#[derive(Debug, Default)]
pub(super) struct Counters {
    last: BTreeMap<String, (Timestamp, f64)>,
}

impl Counters {
    /// How much a counter grew in a second, since it was told last. None the first time, after a reset, for what is told
    /// late, and when more than `apart_ms` lie between: a mean of so long says nothing of the instant.
    pub(super) fn rate(&mut self, name: &str, at: Timestamp, value: f64, apart_ms: i64) -> Option<f64> {
        let Some(last) = self.last.get_mut(name) else {
            if self.last.len() < COUNTERS_MAX {
                self.last.insert(name.to_owned(), (at, value));
            }
            return None;
        };
        let passed_ms = at.ms_since(last.0);
        if passed_ms <= 0 {
            return None;
        }
        let grown = value - last.1;
        *last = (at, value);
        (passed_ms <= apart_ms && grown >= 0.0).then(|| grown * 1_000.0 / passed_ms as f64)
    }

    /// The counter has ended.
    pub(super) fn end(&mut self, name: &str) {
        self.last.remove(name);
    }

    /// Forgets what was not told since.
    pub(super) fn forget_before(&mut self, at: Timestamp) {
        self.last.retain(|_, (told, _)| *told >= at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_rate_is_of_the_time_between() {
        let mut counters = Counters::default();
        let mut rate = |ms, value| counters.rate("c", Timestamp::from_ms(ms), value, 60_000);
        assert_eq!(rate(0, 100.0), None);
        assert_eq!(rate(10_000, 150.0), Some(5.0));
        assert_eq!(rate(10_000, 170.0), None, "the same instant again");
        assert_eq!(rate(5_000, 110.0), None, "late");
        assert_eq!(rate(20_000, 30.0), None, "begun anew");
        assert_eq!(rate(30_000, 30.0), Some(0.0));
        assert_eq!(rate(90_001, 99.0), None, "too far apart");
        assert_eq!(rate(91_001, 100.0), Some(1.0));
        counters.end("c");
        assert_eq!(counters.rate("c", Timestamp::from_ms(92_001), 101.0, 60_000), None);
        counters.forget_before(Timestamp::from_ms(92_002));
        assert!(counters.last.is_empty());
    }

    proptest! {
        #[test]
        fn no_rate_is_negative_or_endless(told in prop::collection::vec((-9_000i64..9_000, -1e300..1e300f64), 0..40)) {
            let mut counters = Counters::default();
            for (ms, value) in told {
                if let Some(rate) = counters.rate("c", Timestamp::from_ms(ms), value, 1_000) {
                    prop_assert!(rate >= 0.0, "{rate}");
                }
            }
        }
    }
}
