//! How busy ports were of late, out of counters that only ever grow.

use shared::Timestamp;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Rates older than this say nothing any more.
const KEPT_MS: i64 = 300_000;
/// Open vSwitch reads its counters every five seconds; between two looks closer than twice that, a rate would be made up.
const APART_MS: i64 = 10_000;
/// Of [`KEPT_MS`] at [`APART_MS`].
const KEPT: usize = 30;

/// The counters of ports at the last look, and the rates before it.
#[derive(Debug, Default)]
pub(super) struct Rates(BTreeMap<String, Port>);

/// Bytes in each direction: from the machine, and to it.
type Bytes = (u64, u64);

#[derive(Debug)]
struct Port {
    at: Timestamp,
    bytes: Bytes,
    /// Bits a second, and when.
    rates: VecDeque<(Timestamp, Bytes)>,
}

impl Rates {
    /// Takes the counters of every port there is; gives the highest rate of each direction of late, in bits a second, for
    /// those of which one is known.
    pub(super) fn take(&mut self, now: Timestamp, counted: &BTreeMap<String, Bytes>) -> BTreeMap<String, Bytes> {
        let there: BTreeSet<&String> = counted.keys().collect();
        self.0.retain(|key, _| there.contains(key));
        let mut peaks = BTreeMap::new();
        for (key, bytes) in counted {
            let port = self.0.entry(key.clone()).or_insert(Port { at: now, bytes: *bytes, rates: VecDeque::new() });
            port.take(now, *bytes);
            if let Some(peak) = port.peak() {
                peaks.insert(key.clone(), peak);
            }
        }
        peaks
    }
}

impl Port {
    fn take(&mut self, now: Timestamp, bytes: Bytes) {
        self.rates.retain(|(at, _)| now.ms_since(*at) <= KEPT_MS);
        let ms = now.ms_since(self.at);
        // The clock was set back, or the switch began to count anew.
        let is_anew = ms < 0 || bytes.0 < self.bytes.0 || bytes.1 < self.bytes.1;
        if is_anew {
            (self.at, self.bytes) = (now, bytes);
        } else if ms >= APART_MS {
            let rate = |now: u64, then: u64| (now - then).saturating_mul(8_000) / ms.unsigned_abs();
            if self.rates.len() >= KEPT {
                self.rates.pop_front();
            }
            self.rates.push_back((now, (rate(bytes.0, self.bytes.0), rate(bytes.1, self.bytes.1))));
            (self.at, self.bytes) = (now, bytes);
        }
    }

    fn peak(&self) -> Option<Bytes> {
        self.rates.iter().map(|(_, rate)| *rate).reduce(|a, b| (a.0.max(b.0), a.1.max(b.1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_ms(seconds * 1_000)
    }

    fn one(bytes: Bytes) -> BTreeMap<String, Bytes> {
        BTreeMap::from([("a".to_owned(), bytes)])
    }

    #[test]
    fn the_peak_of_five_minutes_is_known_after_two_looks() {
        let mut rates = Rates::default();
        assert!(rates.take(at(0), &one((0, 0))).is_empty());
        assert!(rates.take(at(4), &one((500, 0))).is_empty());
        assert_eq!(rates.take(at(10), &one((1_000, 500))), one((800, 400)));
        assert_eq!(rates.take(at(20), &one((1_000, 500))), one((800, 400)));
        assert_eq!(rates.take(at(311), &one((1_000, 500))), one((0, 0)));
    }

    #[test]
    fn a_port_that_counts_anew_has_no_rate_of_that_time() {
        let mut rates = Rates::default();
        rates.take(at(0), &one((9_000, 9_000)));
        assert!(rates.take(at(10), &one((10, 10))).is_empty());
        assert!(rates.take(at(15), &BTreeMap::new()).is_empty());
        assert!(rates.take(at(20), &one((10, 10))).is_empty(), "what is gone is forgotten");
    }

    proptest! {
        #[test]
        fn any_counters_are_taken(looks in prop::collection::vec((any::<i32>(), any::<u64>(), any::<u64>()), 0..80)) {
            let mut rates = Rates::default();
            for (ms, from, to) in looks {
                rates.take(Timestamp::from_ms(ms.into()), &one((from, to)));
                prop_assert!(rates.0.values().all(|port| port.rates.len() <= KEPT));
            }
        }
    }
}
