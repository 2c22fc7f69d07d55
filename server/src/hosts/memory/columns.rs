//! The series of one host: which column is whose, what came of each last, and how often that is.

use super::{Memory, SLOT_MS, UNHEARD_MS};
use crate::hosts::{
    Batch, HostFault, Points,
    names::{Names, Series},
    part::Part,
};
use shared::{
    Timestamp,
    agent::SERIES_MAX,
    host::{Feed, SeriesName},
};
use std::sync::Arc;

/// A series of the host.
#[derive(Clone, Debug)]
pub(in crate::hosts) struct Column {
    pub(in crate::hosts) series: Arc<Series>,
    /// Who measures it.
    pub(in crate::hosts) feed: Feed,
    pub(in crate::hosts) last: f32,
    /// When that was measured.
    pub(in crate::hosts) at: i64,
    /// When something came of it, by this server's clock.
    heard_at: i64,
    /// How far apart its newest points were, in ms; the last first, 0 where there were none.
    apart: [u32; 2],
}

impl Column {
    /// About how often it is measured, which may be less often than others of its feed; 0 while that is not known. The
    /// lesser of two: a gap is none of its ways.
    pub(in crate::hosts) fn apart_ms(&self) -> i64 {
        self.apart.iter().copied().filter(|it| *it > 0).min().unwrap_or(0).into()
    }

    /// Something came of it.
    pub(in crate::hosts) fn hear(&mut self, value: f32, at: i64, now: i64) {
        self.heard_at = now;
        if at < self.at {
            return;
        }
        if at > self.at && self.at > i64::MIN {
            let apart = u32::try_from(at - self.at).unwrap_or(u32::MAX);
            self.apart = [apart, self.apart[0]];
        }
        (self.last, self.at) = (value, at);
    }
}

/// The column of each series of a batch, and the series that have none yet, with their place in it.
type LookedUp = (Vec<usize>, Vec<(usize, SeriesName)>);

impl Memory {
    /// The column of each series of a batch; none where another feed measures it, and where there is no room for it.
    pub(in crate::hosts) fn named(
        &mut self,
        batch: &Batch,
        names: &Names,
        now: i64,
    ) -> Result<Vec<Option<usize>>, HostFault> {
        let (mut found, mut new) = self.look_up(batch)?;
        if self.columns.len() + new.len() > SERIES_MAX && self.forget_unheard(now) {
            (found, new) = self.look_up(batch)?;
        }
        // What is beyond that is passed over, and counted; what was measured before goes on.
        let room = SERIES_MAX.saturating_sub(self.columns.len());
        for (n, name) in new.into_iter().take(room) {
            let column = self.add(names.of(name), batch.feed, now);
            if let Some(found) = found.get_mut(n) {
                *found = column;
            }
        }
        let feeds = &self.feeds;
        let columns = &mut self.columns;
        let own = found.into_iter().map(|n| {
            let column = columns.get_mut(n)?;
            if column.feed != batch.feed {
                let every_ms = feeds.get(&column.feed).map_or(0, |it| it.every_ms);
                if now.saturating_sub(column.heard_at) <= 3 * every_ms.max(column.apart_ms()) {
                    return None;
                }
                column.feed = batch.feed;
            }
            Some(n)
        });
        Ok(own.collect())
    }

    /// The columns of the series of a batch, beyond all where there is none yet, and which those are.
    fn look_up(&self, batch: &Batch) -> Result<LookedUp, HostFault> {
        let known = self.feeds.get(&batch.feed).map(|it| it.named.as_slice()).unwrap_or_default();
        let mut found = Vec::with_capacity(batch.series.len());
        let mut new = Vec::new();
        for (n, text) in batch.series.iter().enumerate() {
            let is_it = |column: &usize| self.columns.get(*column).is_some_and(|it| *it.series.text == **text);
            if let Some(column) = known.get(n).copied().filter(is_it).or_else(|| self.find(text).ok()) {
                found.push(column);
                continue;
            }
            let name: SeriesName = text.parse().map_err(|why: shared::host::SeriesFault| HostFault::Series {
                name: text.clone(),
                why: why.to_string(),
            })?;
            found.push(usize::MAX);
            new.push((n, name));
        }
        Ok((found, new))
    }

    /// A series that is added to every sample of every feed; none where there is no room for it.
    pub(in crate::hosts) fn own_column(&mut self, name: &str, names: &Names, feed: Feed, now: i64) -> Option<usize> {
        let found = self.find(name).ok();
        found.or_else(|| {
            (self.columns.len() < SERIES_MAX + 2).then(|| self.add(names.of(SeriesName::plain(name)), feed, now))
        })
    }

    /// The column of a series, or where its name would stand in the order.
    pub(in crate::hosts) fn find(&self, text: &str) -> Result<usize, usize> {
        let name = |n: &usize| self.columns.get(*n).map_or("", |it| &*it.series.text);
        let place = self.order.binary_search_by(|n| name(n).cmp(text))?;
        self.order.get(place).copied().ok_or(place)
    }

    fn add(&mut self, series: Arc<Series>, feed: Feed, now: i64) -> usize {
        let place = match self.find(&series.text) {
            Ok(found) => return found,
            Err(place) => place,
        };
        self.columns.push(Column { series, feed, last: f32::NAN, at: i64::MIN, heard_at: now, apart: [0; 2] });
        self.order.insert(place, self.columns.len() - 1);
        self.columns.len() - 1
    }

    /// Forgets series of which nothing came for long, and is not waiting to be stored. Whether there were any.
    pub(in crate::hosts) fn forget_unheard(&mut self, now: i64) -> bool {
        let waits = |n: usize| self.open.values().any(|block| block.points(n).next().is_some());
        let heard = |n: usize, it: &Column| now.saturating_sub(it.heard_at) <= UNHEARD_MS || waits(n);
        let kept: Vec<usize> =
            self.columns.iter().enumerate().filter(|(n, it)| heard(*n, it)).map(|(n, _)| n).collect();
        if kept.len() == self.columns.len() {
            return false;
        }
        self.columns = kept.iter().filter_map(|n| self.columns.get(*n).cloned()).collect();
        self.open.values_mut().for_each(|block| block.renumber(&kept));
        self.feeds.values_mut().for_each(|feed| feed.named.clear());
        let columns = &self.columns;
        self.order = (0..columns.len()).collect();
        self.order.sort_by_key(|n| columns.get(*n).map(|it| Arc::clone(&it.series)));
        true
    }

    /// The newest values of series that are measured now.
    pub(in crate::hosts) fn newest(&self) -> impl Iterator<Item = (&Series, f32)> {
        let fresh = |it: &&Column| {
            let every_ms = self.feeds.get(&it.feed).map_or(0, |feed| feed.every_ms).max(it.apart_ms());
            it.at.saturating_add(3 * every_ms) >= self.seen_at && !it.last.is_nan()
        };
        self.columns.iter().filter(fresh).map(|it| (&*it.series, it.last))
    }

    pub(in crate::hosts) fn heard(&self, pattern: &SeriesName) -> Vec<(SeriesName, Timestamp)> {
        let meant = self.order.iter().filter_map(|n| self.columns.get(*n)).filter(|it| it.series.name.is_of(pattern));
        meant.map(|it| (it.series.name.clone(), Timestamp::from_ms(it.at.max(0)))).collect()
    }

    /// Whether there is a series of this name.
    pub(in crate::hosts) fn has(&self, series: &str) -> bool {
        self.find(series).is_ok()
    }

    /// The newest points in memory of each series that `pattern` means, and how far apart they are, at least `least_ms`;
    /// from where `since` says for that.
    pub(in crate::hosts) fn recent(
        &self,
        pattern: &SeriesName,
        least_ms: i64,
        since: &dyn Fn(i64) -> i64,
    ) -> Vec<Points> {
        let meant = self.columns.iter().enumerate().filter(|(_, it)| it.series.name.is_of(pattern));
        let mut recent: Vec<Points> = meant
            .map(|(n, it)| {
                let step_ms = it.apart_ms().max(least_ms);
                let since = since(step_ms);
                let mut points: Vec<(i64, f32)> = self.sealed_points(&it.series, since);
                points.extend(self.open.values().flat_map(|block| block.points(n)).filter(|(at, _)| *at >= since));
                points.sort_by_key(|(at, _)| *at);
                points.dedup_by_key(|(at, _)| *at);
                let points = points.into_iter().map(|(at, value)| (Timestamp::from_ms(at), value)).collect();
                Points { series: it.series.name.clone(), step_ms, points }
            })
            .collect();
        recent.sort_by(|a, b| a.series.cmp(&b.series));
        recent
    }

    fn sealed_points(&self, series: &Arc<Series>, since: i64) -> Vec<(i64, f32)> {
        let parts = self.sealed.iter().filter(|((slot, _), _)| slot + SLOT_MS > since);
        let of = |part: &Part| {
            let n = part.columns.binary_search(series).ok()?;
            part.open().and_then(|opened| opened.points(n)).ok()
        };
        let points = parts.filter_map(|(_, part)| of(part)).flatten();
        points.filter(|it| it.at >= since).map(|it| (it.at, it.mean)).collect()
    }
}
