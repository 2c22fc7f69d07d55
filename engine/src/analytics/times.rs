//! How long things took: buckets, percentiles, and the hours of the week.

use jiff::tz::TimeZone;
use shared::{
    Severity, Timestamp,
    api::{Distribution, HourOfWeek, Times},
};

/// Of one severity, or of all.
#[derive(Clone, Debug, Default)]
struct Row {
    took_ms: Vec<i64>,
    never: u32,
    waiting: u32,
}

/// How long one thing took, by severity.
#[derive(Debug)]
pub(super) struct Measure {
    bounds_s: &'static [i64],
    rows: [Row; 7],
}

impl Measure {
    pub(super) fn new(bounds_s: &'static [i64]) -> Self {
        Self { bounds_s, rows: Default::default() }
    }

    /// One incident: how long it took, or that it did not happen, and then whether it never will.
    pub(super) fn add(&mut self, severity: Severity, took_ms: Option<i64>, over: bool) {
        let Some(row) = self.rows.get_mut(usize::from(severity.rank())) else { return };
        match took_ms {
            Some(ms) => row.took_ms.push(ms),
            None if over => row.never += 1,
            None => row.waiting += 1,
        }
    }
}

impl From<Measure> for Distribution {
    fn from(measure: Measure) -> Self {
        let bounds_ms: Vec<i64> = measure.bounds_s.iter().map(|s| s * 1_000).collect();
        let mut all = Row::default();
        for row in &measure.rows {
            all.took_ms.extend(&row.took_ms);
            all.never += row.never;
            all.waiting += row.waiting;
        }
        let by_severity = Severity::ALL.into_iter().zip(measure.rows).map(|(level, row)| (Some(level), row));
        let some = |(_, row): &(Option<Severity>, Row)| !row.took_ms.is_empty() || row.never + row.waiting > 0;
        let rows = std::iter::once((None, all)).chain(by_severity.filter(some));
        Self { rows: rows.map(|(severity, row)| row.times(severity, &bounds_ms)).collect(), bounds_ms }
    }
}

impl Row {
    fn times(mut self, severity: Option<Severity>, bounds_ms: &[i64]) -> Times {
        self.took_ms.sort_unstable();
        let mut counts = vec![0; bounds_ms.len() + 1];
        for ms in &self.took_ms {
            if let Some(count) = counts.get_mut(bounds_ms.partition_point(|bound| bound < ms)) {
                *count += 1;
            }
        }
        Times {
            severity,
            counts,
            done: u32::try_from(self.took_ms.len()).unwrap_or(u32::MAX),
            never: self.never,
            waiting: self.waiting,
            p50_ms: percentile(&self.took_ms, 50),
            p90_ms: percentile(&self.took_ms, 90),
            p99_ms: percentile(&self.took_ms, 99),
        }
    }
}

/// The nearest rank: of n values in order, the one at place ⌈p·n/100⌉, counted from 1. None of none.
pub(super) fn percentile(sorted: &[i64], p: usize) -> Option<i64> {
    let place = (p * sorted.len()).div_ceil(100).max(1);
    sorted.get(place - 1).copied()
}

#[derive(Clone, Debug, Default)]
struct Hour {
    pages: u32,
    incidents: u32,
    took_ms: Vec<i64>,
}

/// The hours of the week on one wall clock. The hour that comes twice in autumn counts as one, the one that is missing
/// in spring gets nothing.
#[derive(Debug)]
pub(super) struct Hours(Vec<Hour>);

impl Default for Hours {
    fn default() -> Self {
        Self(vec![Hour::default(); 7 * 24])
    }
}

impl Hours {
    fn at(&mut self, zone: &TimeZone, at: Timestamp) -> Option<&mut Hour> {
        let wall = zone.to_datetime(jiff::Timestamp::from_millisecond(at.ms()).ok()?);
        let place = i32::from(wall.weekday().to_monday_zero_offset()) * 24 + i32::from(wall.hour());
        self.0.get_mut(usize::try_from(place).ok()?)
    }

    pub(super) fn page(&mut self, zone: &TimeZone, at: Timestamp) {
        if let Some(hour) = self.at(zone, at) {
            hour.pages += 1;
        }
    }

    pub(super) fn incident(&mut self, zone: &TimeZone, opened_at: Timestamp, took_ms: Option<i64>) {
        if let Some(hour) = self.at(zone, opened_at) {
            hour.incidents += 1;
            hour.took_ms.extend(took_ms);
        }
    }

    pub(super) fn finish(self) -> Vec<HourOfWeek> {
        let finish = |mut hour: Hour| {
            hour.took_ms.sort_unstable();
            HourOfWeek { pages: hour.pages, incidents: hour.incidents, ack_ms: percentile(&hour.took_ms, 50) }
        };
        self.0.into_iter().map(finish).collect()
    }
}
