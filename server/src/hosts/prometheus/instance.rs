//! One instance that Prometheus or this server asks: what it is called, how often it is asked, and its batch of each instant.

use super::{Reading, node};
use crate::hosts::{Batch, counters::Counters, given, intake::Machine};
use shared::{
    Timestamp,
    agent::EVERY_MIN_MS,
    host::{Feed, HostFacts, HostTables, Sample},
};
use std::collections::{BTreeMap, VecDeque};

/// How often is told by the middle of so many intervals, so that one that failed does not count.
const INTERVALS: usize = 5;
/// Until there are two instants; what a Prometheus asks at by default is a minute.
const EVERY_MS: u64 = 60_000;
/// Counters give no rate over a longer gap; Prometheus itself looks back no further.
pub(super) const APART_MS: i64 = 5 * 60_000;
/// One that says nothing for so long is forgotten.
const KEPT_MS: i64 = 3_600_000;

/// What is remembered of an instance.
#[derive(Debug, Default)]
pub(crate) struct Instance {
    /// As it calls itself.
    name: Option<String>,
    pub(super) counters: Counters,
    pub(super) facts: HostFacts,
    last_at: Option<Timestamp>,
    intervals_ms: VecDeque<i64>,
}

/// An instant in our names.
#[derive(Debug, Default)]
pub(crate) struct Mapped {
    pub(crate) values: BTreeMap<String, Option<f64>>,
    pub(crate) tables: Option<HostTables>,
    /// How far its clock is ahead of the instant.
    pub(crate) clock_ahead_ms: Option<i64>,
    /// Values that are too many, or cannot be named.
    pub(crate) left_out: u64,
}

impl Machine for Instance {
    fn kept_ms(&self) -> i64 {
        KEPT_MS
    }
}

impl Instance {
    /// The batch of an instant that was pushed, and how many values were left out; none when nothing was measured: whoever
    /// asked it got no answer.
    pub(crate) fn batch(&mut self, instance: &str, at: Timestamp, readings: Vec<Reading>) -> (Option<Batch>, u64) {
        let is_down = readings.iter().any(|it| it.series.name == "up" && it.value == 0.0);
        if is_down || readings.iter().all(Reading::is_stale) {
            readings.iter().for_each(|it| self.end(it));
            return (None, 0);
        }
        let mapped = self.map(at, &readings);
        let every_ms = self.every(at);
        let host = self.host(instance);
        let left_out = mapped.left_out;
        (Some(self.filled(host, Feed::RemoteWrite, every_ms, at, mapped)), left_out)
    }

    /// An instant in our names.
    pub(crate) fn map(&mut self, at: Timestamp, readings: &[Reading]) -> Mapped {
        self.counters.forget_before(at.plus_ms(-2 * APART_MS));
        let mapped = node::map(self, at, readings);
        if given::is_host(&self.facts.hostname) {
            self.name = Some(self.facts.hostname.clone());
        }
        mapped
    }

    /// A batch of what was mapped.
    pub(crate) fn filled(&self, host: String, feed: Feed, every_ms: u64, at: Timestamp, mapped: Mapped) -> Batch {
        let (series, values) = mapped.values.into_iter().unzip();
        let facts = (self.facts != HostFacts::default()).then(|| self.facts.clone());
        let samples = vec![Sample { at, values }];
        Batch { host, feed, every_ms, facts, series, samples, tables: mapped.tables, clock_ahead_ms: None, lost: 0 }
    }

    /// What the host is called: as the machine calls itself, or else the instance without its port.
    pub(crate) fn host(&self, instance: &str) -> String {
        self.name.clone().unwrap_or_else(|| without_port(instance).to_owned())
    }

    /// What the host is called, once it has said so.
    pub(crate) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// What it is, as far as it has said so.
    pub(crate) fn facts(&self) -> &HostFacts {
        &self.facts
    }

    pub(super) fn end(&mut self, reading: &Reading) {
        if reading.is_stale()
            && let Some(name) = given::series(&reading.series.name, node::tags(reading))
        {
            self.counters.end(&name);
        }
    }

    fn every(&mut self, at: Timestamp) -> u64 {
        let passed_ms = self.last_at.map(|last| at.ms_since(last)).filter(|ms| *ms > 0);
        if self.last_at.is_none_or(|last| last < at) {
            self.last_at = Some(at);
        }
        self.intervals_ms.extend(passed_ms);
        while self.intervals_ms.len() > INTERVALS {
            self.intervals_ms.pop_front();
        }
        let mut sorted: Vec<i64> = self.intervals_ms.iter().copied().collect();
        sorted.sort_unstable();
        // Those who ask are some milliseconds early or late; intervals are whole seconds, or tenths of one.
        let whole = |ms: &i64| ms.saturating_add(50).unsigned_abs() / 100 * 100;
        sorted.get(sorted.len() / 2).map_or(EVERY_MS, |ms| whole(ms).max(EVERY_MIN_MS))
    }
}

/// `web01:9100` is `web01`; an address of IPv6 has brackets then.
fn without_port(instance: &str) -> &str {
    if let Some((address, _)) = instance.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return address;
    }
    match instance.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && !host.contains(':') && port.bytes().all(|b| b.is_ascii_digit()) => {
            host
        }
        _ => instance,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hosts::prometheus::{STALE_BITS, Series};
    use std::sync::Arc;

    const fn at(s: i64) -> Timestamp {
        Timestamp::from_ms(s * 1_000)
    }

    fn reading(name: &str, labels: &[(&str, &str)], value: f64) -> Reading {
        let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Reading { series: Arc::new(Series { name: name.to_owned(), labels, counter: None }), value }
    }

    #[test]
    fn a_host_is_called_as_it_calls_itself_or_as_it_is_asked() {
        for (instance, host) in [
            ("web01:9100", "web01"),
            ("10.0.0.7:9100", "10.0.0.7"),
            ("[fd00::7]:9100", "fd00::7"),
            ("fd00::7", "fd00::7"),
            ("web01", "web01"),
            ("a:b", "a:b"),
        ] {
            assert_eq!(without_port(instance), host);
        }
        let mut it = Instance::default();
        let (batch, _) = it.batch("10.0.0.7:9100", at(0), vec![reading("node_load1", &[], 1.0)]);
        assert_eq!(batch.unwrap().host, "10.0.0.7");
        let uname =
            reading("node_uname_info", &[("nodename", "web01"), ("release", "6.1"), ("machine", "x86_64")], 1.0);
        let (batch, _) = it.batch("10.0.0.7:9100", at(15), vec![uname, reading("node_load1", &[], 1.0)]);
        let batch = batch.unwrap();
        let facts = batch.facts.unwrap();
        assert_eq!((batch.host.as_str(), facts.kernel.as_str(), facts.arch.as_str()), ("web01", "6.1", "x86_64"));
        let (batch, _) = it.batch("10.0.0.7:9100", at(30), vec![reading("node_load1", &[], 1.0)]);
        assert_eq!(batch.unwrap().host, "web01", "it is remembered");
    }

    #[test]
    fn how_often_is_the_middle_of_some_intervals() {
        let mut it = Instance::default();
        let mut every = |s| it.batch("a", at(s), vec![reading("node_load1", &[], 1.0)]).0.unwrap().every_ms;
        assert_eq!((every(0), every(15), every(30), every(90), every(105)), (60_000, 15_000, 15_000, 15_000, 15_000));
        assert_eq!(every(100), 15_000, "one that is late does not count");
        let mut it = Instance::default();
        let mut every = |ms: i64| {
            let at = Timestamp::from_ms(1_700_000_000_000 + ms);
            it.batch("a", at, vec![reading("node_load1", &[], 1.0)]).0.unwrap().every_ms
        };
        assert_eq!((every(0), every(1_002), every(2_001), every(2_998)), (60_000, 1_000, 1_000, 1_000), "nearly is so");
    }

    #[test]
    fn an_instance_that_did_not_answer_measured_nothing_and_an_ended_counter_begins_anew() {
        let mut it = Instance::default();
        let forks = |value| reading("node_forks_total", &[], value);
        let mut rate = |s, readings: Vec<Reading>| {
            let batch = it.batch("a", at(s), readings).0?;
            let n = batch.series.iter().position(|it| it == "cpu.forks")?;
            batch.samples[0].values[n]
        };
        assert_eq!(rate(0, vec![forks(0.0)]), None);
        assert_eq!(rate(15, vec![forks(30.0), reading("up", &[], 1.0)]), Some(2.0));
        assert_eq!(rate(30, vec![forks(f64::from_bits(STALE_BITS)), reading("up", &[], 0.0)]), None);
        assert_eq!(rate(45, vec![forks(90.0)]), None, "it had ended");
        assert_eq!(rate(60, vec![forks(105.0)]), Some(1.0));
        let mut down = Instance::default();
        assert!(
            down.batch("a", at(0), vec![reading("up", &[], 0.0), reading("scrape_duration_seconds", &[], 1.0)])
                .0
                .is_none()
        );
        assert!(down.batch("a", at(0), vec![forks(f64::from_bits(STALE_BITS))]).0.is_none());
    }
}
