//! Series in time, from memory and from the store: as coarse as was asked for, with the least and the greatest of each
//! point kept, and gaps left as gaps.

use super::{
    Hosts, INSTANTS,
    keep::LEVELS,
    lock,
    memory::SLOT_MS,
    names::Series,
    part::{Memo, Part},
    rollup::{Point, roll},
};
use crate::{
    clock::Stopwatch,
    db::{Store, StoreError},
};
use shared::{
    Timestamp,
    api::{SeriesAnswer, SeriesLine, SeriesQuery},
    host::{SeriesFault, SeriesName},
};
use std::{collections::BTreeMap, sync::Arc};

/// Lines of one answer.
const LINES_MAX: usize = 2_000;
/// Points of each.
const POINTS_MAX: u32 = 2_000;
/// Points of all lines; where there are many, each has fewer.
const ALL_POINTS_MAX: usize = 600_000;
/// Names that are asked for at once.
const ASKED_MAX: usize = 2_000;
/// It takes no longer.
const PATIENCE_MS: i64 = 15_000;
/// Samples just outside of what was asked for say whether its edges are gaps.
const EDGE_MS: i64 = 150_000;
/// The store is asked for so much of one host at once.
const READ_MS: i64 = 14 * 86_400_000;

/// Why a question for series is not answered.
#[derive(Debug, thiserror::Error)]
pub enum QueryFault {
    #[error("{message}")]
    Bad { field: &'static str, message: String },
    #[error("it takes longer than {} s; ask for fewer hosts, or for a shorter time", PATIENCE_MS / 1_000)]
    TooLong,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Refuses what could not be reckoned with.
fn possible(from: i64, until: i64) -> Result<(), QueryFault> {
    for (field, ms) in [("from", from), ("until", until)] {
        if !INSTANTS.contains(&ms) {
            return Err(bad(field, format!("{ms} is no time; it is in milliseconds since 1970.")));
        }
    }
    Ok(())
}

fn bad(field: &'static str, message: impl Into<String>) -> QueryFault {
    QueryFault::Bad { field, message: message.into() }
}

/// A question that can be answered.
struct Asked {
    patterns: Vec<SeriesName>,
    from: i64,
    until: i64,
    step_ms: i64,
    points: usize,
    /// Of the store's levels.
    level: usize,
}

impl Hosts {
    /// Waits for a place among those who ask: few are answered at one time.
    pub async fn may_read(&self) -> Option<tokio::sync::SemaphorePermit<'_>> {
        // It is never closed.
        self.readings.acquire().await.ok()
    }

    /// Answers a question for series; blocks.
    ///
    /// # Errors
    /// When the question cannot be answered, or the store fails.
    pub fn series(&self, query: &SeriesQuery, store: &mut Store, now: Timestamp) -> Result<SeriesAnswer, QueryFault> {
        let watch = Stopwatch::start();
        let hosts: Vec<String> = if query.hosts.is_empty() {
            self.all().iter().map(|memory| lock(memory).name.clone()).collect()
        } else {
            query.hosts.clone()
        };
        let asked = self.asked(query, &hosts, now)?;
        let (mut lines, mut left_out) = (Vec::new(), 0);
        let mut memo = Memo::default();
        for host in hosts {
            if watch.elapsed_ms() > PATIENCE_MS {
                return Err(QueryFault::TooLong);
            }
            let every_ms = self.host(&host).map_or(1_000, |memory| lock(&memory).slowest_ms(self.mode().every_ms));
            for (series, points) in self.points_of(&host, &asked, store, &mut memo)? {
                let is_in = |it: &Point| (asked.from..asked.until).contains(&it.at);
                if lines.len() < LINES_MAX && points.iter().any(is_in) {
                    lines.push(line(&host, &series, points, &asked, every_ms));
                } else if points.iter().any(is_in) {
                    left_out += 1;
                }
            }
        }
        let points = asked.points as u32;
        Ok(SeriesAnswer { now, from: Timestamp::from_ms(asked.from), step_ms: asked.step_ms, points, lines, left_out })
    }

    /// The samples of some series of a host, each with its instant, as many as the store and memory have; for those who
    /// judge the past. Coarser points stand for samples that are no longer kept.
    ///
    /// # Errors
    /// As [`Hosts::series`].
    pub fn past(
        &self,
        host: &str,
        pattern: &SeriesName,
        from: Timestamp,
        until: Timestamp,
        store: &mut Store,
        now: Timestamp,
    ) -> Result<Vec<super::Points>, QueryFault> {
        possible(from.ms(), until.ms())?;
        let level = self.level(0, from.ms(), now);
        let step_ms = LEVELS.get(level).map_or(0, |(step, _)| step * 1_000).max(self.mode().every_ms);
        let (from, until) = (from.ms(), until.ms());
        let asked = Asked { patterns: vec![pattern.clone()], from, until, step_ms, points: 0, level };
        let found = self.points_of(host, &asked, store, &mut Memo::default())?;
        let points = found.into_iter().map(|(series, points)| super::Points {
            series: series.name.clone(),
            // Each series has a beat of its own.
            step_ms: median_step(&points).max(step_ms),
            points: points
                .iter()
                .filter(|it| (from..until).contains(&it.at))
                .map(|it| (Timestamp::from_ms(it.at), it.mean))
                .collect(),
        });
        Ok(points.collect())
    }

    fn asked(&self, query: &SeriesQuery, hosts: &[String], now: Timestamp) -> Result<Asked, QueryFault> {
        let patterns: Result<Vec<SeriesName>, SeriesFault> = query.series.iter().map(|it| it.parse()).collect();
        let patterns = patterns.map_err(|why| bad("series", why.to_string()))?;
        if patterns.is_empty() {
            return Err(bad("series", "Name at least one series, such as cpu.busy."));
        }
        if patterns.len() > ASKED_MAX || query.hosts.len() > ASKED_MAX {
            return Err(bad("hosts", format!("Name at most {ASKED_MAX} hosts and as many series.")));
        }
        let (from, until) = (query.from.ms(), query.until.ms());
        possible(from, until)?;
        let most = self.mode().keep_ms.into_iter().max().unwrap_or_default();
        if until <= from || until.saturating_sub(from) > most {
            let days = most / 86_400_000;
            return Err(bad("until", format!("Let it end after it begins, and at most {days} days later.")));
        }
        if query.points == 0 || query.points > POINTS_MAX {
            return Err(bad("points", format!("Ask for 1 to {POINTS_MAX} points.")));
        }
        let lines = hosts.len().saturating_mul(patterns.len()).clamp(1, LINES_MAX);
        let points = i64::from(query.points).min((ALL_POINTS_MAX / lines) as i64).max(1);
        let wanted_ms = whole(until - from, points);
        let level = self.level(wanted_ms, from, now);
        let base_ms = match LEVELS.get(level) {
            Some((step, _)) if *step > 0 => step * 1_000,
            _ => self.fastest_ms(hosts).clamp(1_000, 60_000),
        };
        // Whole points of the level, so that each asks the same again the next time.
        let step_ms = whole(wanted_ms, base_ms).max(1) * base_ms;
        let from = from.div_euclid(step_ms) * step_ms;
        let points = whole(until - from, step_ms) as usize;
        Ok(Asked { patterns, from, until, step_ms, points, level })
    }

    /// The coarsest level that is fine enough; a coarser one where that is no longer kept.
    fn level(&self, wanted_ms: i64, from: i64, now: Timestamp) -> usize {
        let fine = LEVELS.iter().rposition(|(step, _)| step * 1_000 <= wanted_ms).unwrap_or(0);
        let keep_ms = self.mode().keep_ms;
        let is_kept = |level: &usize| keep_ms.get(*level).is_some_and(|keep_ms| now.ms() - keep_ms <= from);
        (fine..LEVELS.len()).find(is_kept).unwrap_or(LEVELS.len() - 1)
    }

    fn fastest_ms(&self, hosts: &[String]) -> i64 {
        let every_ms = hosts.iter().filter_map(|name| Some(lock(&*self.host(name)?).every_ms()));
        every_ms.min().unwrap_or(1_000)
    }

    /// The points of each series of a host that was asked for, in order.
    fn points_of(
        &self,
        host: &str,
        asked: &Asked,
        store: &mut Store,
        memo: &mut Memo,
    ) -> Result<BTreeMap<Arc<Series>, Vec<Point>>, QueryFault> {
        let mut found: BTreeMap<Arc<Series>, Vec<Point>> = BTreeMap::new();
        let Some(memory) = self.host(host) else { return Ok(found) };
        let (step, span_ms) = LEVELS.get(asked.level).copied().unwrap_or_default();
        let (recent, mut parts, id, whole_from, late) = {
            let memory = lock(&memory);
            let recent = memory.unsaved(&asked.patterns, asked.from - EDGE_MS, asked.until + EDGE_MS);
            let parts = memory.sealed.range((asked.from - EDGE_MS - SLOT_MS, shared::host::Feed::Agent)..);
            let parts: Vec<Part> =
                parts.filter(|((at, _), _)| *at < asked.until + EDGE_MS).map(|(_, it)| it.clone()).collect();
            let late: Vec<i64> = memory.open.keys().map(|(at, _)| *at).filter(|at| *at < memory.whole_from).collect();
            (recent, parts, memory.id, memory.whole_from, late)
        };
        let from = (asked.from - EDGE_MS).div_euclid(span_ms) * span_ms;
        let mut until = (asked.until + EDGE_MS).min(whole_from);
        if id.is_none() {
            until = i64::MIN;
        }
        // What came late is put together with the samples beside it, as it will be when it is stored.
        for (id, at) in id.iter().flat_map(|id| late.iter().map(move |at| (*id, *at))).filter(|_| step > 0) {
            for part in store.host_parts(id, 0, Timestamp::from_ms(at)..Timestamp::from_ms(at + 1))? {
                parts.extend(Part::read(&part.body, &self.names, memo));
            }
        }
        let mut at = from;
        while let Some(id) = id
            && at < until
        {
            let end = until.min(at.saturating_add(READ_MS));
            for part in store.host_parts(id, step, Timestamp::from_ms(at)..Timestamp::from_ms(end))? {
                match Part::read(&part.body, &self.names, memo) {
                    Ok(part) => add(&mut found, &part, asked),
                    Err(error) => tracing::error!(%error, host, step, at = part.at.ms(), "it is shown as a gap"),
                }
            }
            at = end;
        }
        let mut in_memory: BTreeMap<Arc<Series>, Vec<Point>> = recent;
        parts.iter().for_each(|part| add(&mut in_memory, part, asked));
        for (series, mut points) in in_memory {
            points.sort_by_key(|it| it.at);
            points.dedup_by_key(|it| it.at);
            let of = found.entry(series).or_default();
            if step > 0 {
                of.extend(roll(points.into_iter(), step * 1_000));
            } else {
                of.extend(points);
            }
        }
        for points in found.values_mut() {
            // Of two that say the same time, the one that is made of more.
            points.sort_by(|a, b| a.at.cmp(&b.at).then(b.n.total_cmp(&a.n)));
            points.dedup_by_key(|it| it.at);
            points.retain(|it| it.at >= asked.from - EDGE_MS && it.at < asked.until + EDGE_MS);
        }
        found.retain(|_, points| !points.is_empty());
        Ok(found)
    }
}

/// How many steps it takes.
const fn whole(span: i64, step: i64) -> i64 {
    (span + step - 1) / step
}

/// Adds what a part has of the series that were asked for.
fn add(found: &mut BTreeMap<Arc<Series>, Vec<Point>>, part: &Part, asked: &Asked) {
    let meant = part.columns.iter().enumerate().filter(|(_, it)| asked.means(it));
    let mut meant = meant.peekable();
    if meant.peek().is_none() {
        return;
    }
    let opened = match part.open() {
        Ok(opened) => opened,
        Err(error) => return tracing::error!(%error, "it is shown as a gap"),
    };
    for (n, series) in meant {
        match opened.points(n) {
            Ok(points) => found.entry(Arc::clone(series)).or_default().extend(points),
            Err(error) => tracing::error!(%error, series = &*series.text, "it is shown as a gap"),
        }
    }
}

impl Asked {
    fn means(&self, series: &Series) -> bool {
        self.patterns.iter().any(|pattern| series.name.is_of(pattern))
    }
}

/// One line of the answer from points in order.
fn line(host: &str, series: &Series, points: Vec<Point>, asked: &Asked, every_ms: i64) -> SeriesLine {
    let level_ms = LEVELS.get(asked.level).map_or(0, |(step, _)| step * 1_000);
    let interval_ms = median_step(&points).max(every_ms).max(level_ms);
    let gap_ms = interval_ms.saturating_mul(5) / 2;
    let mut cells: Vec<Option<Point>> = vec![None; asked.points];
    let mut before: Option<(i64, Point, i64)> = None;
    let shifted = points.into_iter().map(|it| (it.at, Point { at: it.at - asked.from, ..it }));
    let mut last_at = BTreeMap::new();
    let stepped = roll(
        shifted.map(|(at, it)| {
            let n = it.at.div_euclid(asked.step_ms);
            last_at.entry(n).and_modify(|(_, last)| *last = at).or_insert((at, at));
            it
        }),
        asked.step_ms,
    );
    for point in stepped {
        let n = point.at.div_euclid(asked.step_ms);
        let (first, last) = last_at.get(&n).copied().unwrap_or_default();
        // Between two samples that are no further apart than samples are there is no gap, however fine the points are.
        if let Some((from, earlier, until)) = before
            && first - until <= gap_ms
        {
            let same = Point { least: earlier.mean, greatest: earlier.mean, ..earlier };
            let place = |n: i64| usize::try_from(n).unwrap_or(0);
            cells.iter_mut().take(place(n)).skip(place(from + 1)).for_each(|cell| *cell = Some(same));
        }
        if let Some(cell) = usize::try_from(n).ok().and_then(|n| cells.get_mut(n)) {
            *cell = Some(point);
        }
        before = Some((n, point, last));
    }
    let each = |of: fn(&Point) -> f32| cells.iter().map(|it| it.as_ref().map(of)).collect::<Vec<_>>();
    let (mean, mut least, mut greatest) = (each(|it| it.mean), each(|it| it.least), each(|it| it.greatest));
    if least == mean && greatest == mean {
        (least, greatest) = (Vec::new(), Vec::new());
    }
    SeriesLine { host: host.to_owned(), series: series.text.to_string(), unit: series.unit, mean, least, greatest }
}

/// How far apart points mostly are.
fn median_step(points: &[Point]) -> i64 {
    let mut steps: Vec<i64> = points
        .windows(2)
        .map(|pair| match pair {
            [a, b] => b.at - a.at,
            _ => 0,
        })
        .collect();
    if steps.is_empty() {
        return 0;
    }
    let middle = steps.len() / 2;
    *steps.select_nth_unstable(middle).1
}
