//! What an endpoint of Open-Falcon measured at one instant, as our host.

use super::{super::counters::Counters, Point};
use crate::hosts::{Batch, intake::Machine};
use shared::{
    Timestamp,
    agent::{EVERY_MIN_MS, SERIES_MAX},
    host::{Feed, Sample, SeriesName},
};
use std::collections::BTreeMap;

/// Series that the catalogue knows under another name or in another unit, and by how much to multiply. They are added
/// where the sender has not got them itself.
const ALSO: &[(&str, &str, f64)] = &[
    ("net.if.in.bytes", "net.if.in.bits", 8.0),
    ("net.if.out.bytes", "net.if.out.bits", 8.0),
    // A sector of the kernel's statistics has 512 bytes, whatever the disk's own.
    ("disk.io.read_sectors", "disk.io.read_bytes", 512.0),
    ("disk.io.write_sectors", "disk.io.write_bytes", 512.0),
    // Its free memory is what is available.
    ("mem.memfree", "mem.memavailable", 1.0),
    ("kernel.maxproc", "pids.max", 1.0),
    ("TcpExt.ListenOverflows", "tcp.listen.overflows", 1.0),
    ("TcpExt.ListenDrops", "tcp.listen.drops", 1.0),
    ("Tcp.RetransSegs", "tcp.retrans", 1.0),
];
/// As many as a sender may have under different steps before the shortest is forgotten with it.
const STEPS_MAX: usize = 16;

/// What says nothing for so long gives no rate any more, unless its steps are longer.
const KEPT_MS: i64 = 3_600_000;
/// A step is some seconds early or late.
const MARGIN_MS: i64 = 60_000;

/// What is remembered of an endpoint.
#[derive(Debug, Default)]
pub(crate) struct Endpoint {
    counters: Counters,
    /// Each step and when it was last heard: the shortest of those in use says how often it measures.
    steps: BTreeMap<i64, Timestamp>,
}

impl Machine for Endpoint {
    fn kept_ms(&self) -> i64 {
        let longest_ms = self.steps.keys().next_back().copied().unwrap_or_default();
        KEPT_MS.max(2 * longest_ms + MARGIN_MS)
    }
}

impl Endpoint {
    /// The host's batch, and how many of the values were too many for it.
    pub(crate) fn batch(&mut self, host: String, at: Timestamp, points: Vec<Point>) -> (Batch, u64) {
        self.counters.forget_before(at.plus_ms(-self.kept_ms()));
        let mut values: BTreeMap<String, Option<f64>> = BTreeMap::new();
        let mut left_out = 0;
        for point in points {
            if self.steps.len() < STEPS_MAX || self.steps.contains_key(&point.step_ms) {
                self.steps.insert(point.step_ms, at);
            }
            // As in rrdtool with Open-Falcon's heartbeat: nothing over a gap of more than two steps.
            let value = if point.counts {
                self.counters.rate(&point.series, at, point.value, 2 * point.step_ms)
            } else {
                Some(point.value)
            };
            if values.len() < SERIES_MAX || values.contains_key(&point.series) {
                values.insert(point.series, value);
            } else {
                left_out += 1;
            }
        }
        also(&mut values);
        // A step that was not heard for three of its own is no longer in use.
        self.steps.retain(|step_ms, heard| at.ms_since(*heard) <= 3 * step_ms);
        let every_ms = self.steps.keys().next().map_or(EVERY_MIN_MS, |ms| ms.unsigned_abs().max(EVERY_MIN_MS));
        let (series, values) = values.into_iter().unzip();
        let batch = Batch {
            host,
            feed: Feed::Falcon,
            every_ms,
            facts: None,
            series,
            samples: vec![Sample { at, values }],
            tables: None,
            clock_ahead_ms: None,
            lost: 0,
        };
        (batch, left_out)
    }
}

fn also(values: &mut BTreeMap<String, Option<f64>>) {
    let mut more = Vec::new();
    for (name, value) in values.iter() {
        let Ok(name) = name.parse::<SeriesName>() else { continue };
        if let Some((_, ours, factor)) = ALSO.iter().find(|(theirs, ..)| *theirs == name.metric) {
            let ours = SeriesName { metric: (*ours).to_owned(), tags: name.tags };
            more.push((ours.to_string(), value.map(|value| value * factor)));
        }
    }
    let idle = values.get("cpu.idle").copied().flatten();
    more.extend(idle.map(|idle| ("cpu.busy".to_owned(), Some((100.0 - idle).clamp(0.0, 100.0)))));
    for (name, value) in more {
        if values.len() < SERIES_MAX {
            values.entry(name).or_insert(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(s: i64) -> Timestamp {
        Timestamp::from_ms(s * 1_000)
    }

    fn point(series: &str, value: f64, counts: bool, step_s: i64) -> Point {
        let (endpoint, series) = ("web".to_owned(), series.to_owned());
        Point { endpoint, at: at(0), series, value, counts, step_ms: step_s * 1_000 }
    }

    fn value(batch: &Batch, series: &str) -> Option<f64> {
        let n =
            batch.series.iter().position(|it| it == series).unwrap_or_else(|| panic!("{series}: {:?}", batch.series));
        batch.samples[0].values[n]
    }

    #[test]
    fn its_own_series_stay_and_ours_are_added() {
        let mut endpoint = Endpoint::default();
        let mut push = |s, bytes, bits: Option<f64>| {
            let mut points = vec![
                point("cpu.idle", 90.0, false, 60),
                point("net.if.in.bytes/iface=eth0", bytes, true, 60),
                point("mem.memfree", 7.0, false, 60),
            ];
            points.extend(bits.map(|bits| point("net.if.in.bits/iface=eth0", bits, false, 60)));
            endpoint.batch("web".into(), at(s), points).0
        };
        let first = push(0, 1_000.0, None);
        assert_eq!(value(&first, "net.if.in.bytes/iface=eth0"), None);
        let second = push(60, 7_000.0, None);
        assert_eq!(value(&second, "net.if.in.bytes/iface=eth0"), Some(100.0));
        assert_eq!(value(&second, "net.if.in.bits/iface=eth0"), Some(800.0));
        assert_eq!((value(&second, "cpu.busy"), value(&second, "mem.memavailable")), (Some(10.0), Some(7.0)));
        assert_eq!((second.every_ms, second.feed, second.samples[0].at), (60_000, Feed::Falcon, at(60)));
        let third = push(120, 500.0, Some(5.0));
        assert_eq!(value(&third, "net.if.in.bytes/iface=eth0"), None, "a reset gives none");
        assert_eq!(value(&third, "net.if.in.bits/iface=eth0"), Some(5.0), "what it says itself stays");
        let after_a_gap = push(241, 9_500.0, None);
        assert_eq!(value(&after_a_gap, "net.if.in.bytes/iface=eth0"), None, "over two steps");
        assert_eq!(value(&push(301, 9_560.0, None), "net.if.in.bytes/iface=eth0"), Some(1.0));
    }

    #[test]
    fn a_counter_that_is_told_once_a_day_has_a_rate() {
        let mut endpoint = Endpoint::default();
        let mut push = |s, count| {
            let points = vec![point("backups", count, true, 86_400), point("cpu.idle", 90.0, false, 60)];
            value(&endpoint.batch("web".into(), at(s), points).0, "backups")
        };
        assert_eq!(push(0, 0.0), None);
        let rate = push(86_405, 86_405.0);
        assert_eq!(rate, Some(1.0));
        assert_eq!((endpoint.kept_ms(), Endpoint::default().kept_ms()), (2 * 86_400_000 + MARGIN_MS, KEPT_MS));
    }

    #[test]
    fn the_shortest_step_in_use_says_how_often_and_series_are_bounded() {
        let mut endpoint = Endpoint::default();
        let (batch, _) =
            endpoint.batch("web".into(), at(0), vec![point("a", 1.0, false, 10), point("b", 1.0, false, 300)]);
        assert_eq!(batch.every_ms, 10_000);
        let (batch, _) = endpoint.batch("web".into(), at(300), vec![point("b", 1.0, false, 300)]);
        assert_eq!(batch.every_ms, 300_000);
        let many = (0..2_007).map(|n| point(&format!("m{n}"), 1.0, false, 60)).collect();
        let (batch, left_out) = endpoint.batch("web".into(), at(301), many);
        assert_eq!((batch.series.len(), left_out), (SERIES_MAX, 7));
    }
}
