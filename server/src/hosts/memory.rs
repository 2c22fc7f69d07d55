//! What is in memory of one host: who measures it, its series with their newest values, samples that are not stored yet,
//! and those of the last hour, compressed.

use super::{
    Batch, HostFault, Known, Points, Taken,
    names::{Names, Series},
    part::Part,
    rollup::Point,
    table::Block,
    vitals,
    watch::Watcher,
};
use shared::{
    Severity, Timestamp,
    agent::SERIES_MAX,
    config::HostMode,
    host::{Feed, HostFacts, HostState, HostTables, SeriesName, Vitals},
    live::LiveMessage,
};
use std::{collections::BTreeMap, sync::Arc};

/// Samples are kept, compressed and stored by slots of so long: ten minutes, the coarsest point.
pub(super) const SLOT_MS: i64 = 600_000;
/// Slots that ended longer ago than this are only in the store.
const KEPT_MS: i64 = 75 * 60_000;
/// A series of which nothing came for so long is forgotten where room is needed, and at the end of a slot.
const UNHEARD_MS: i64 = 3_600_000;
/// Instants may be this far ahead; senders' clocks are not all right.
const AHEAD_MS: i64 = 60_000;
/// An agent is told so often to send again what this server may lack.
const TOLD_AGAIN: u8 = 3;
/// A slot is stored this long after its end at the earliest: what was under way arrives.
const GRACE_MS: i64 = 15_000;
/// Hosts are stored one after the other within this time.
const SPREAD_MS: u64 = 285_000;
/// So many slots of a host that are not stored may wait; the oldest is given up for a newer one.
pub(super) const UNSAVED_MAX: usize = 96;
/// More of them than in everyday life: they are stored at once.
const UNSAVED_FEW: usize = 6;

/// How the configuration has hosts kept.
#[derive(Clone, Debug)]
pub(super) struct Mode {
    pub(super) every_ms: i64,
    pub(super) silent_after_ms: i64,
    /// Of samples, minutes and tens.
    pub(super) keep_ms: [i64; 3],
}

impl From<&HostMode> for Mode {
    fn from(it: &HostMode) -> Self {
        Self {
            every_ms: it.every.0.max(1_000),
            silent_after_ms: it.silent_after.0,
            keep_ms: [it.keep_samples.0, it.keep_minutes.0, it.keep_tens.0],
        }
    }
}

impl Default for Mode {
    fn default() -> Self {
        Self::from(&HostMode::default())
    }
}

/// Somebody who measures the host.
#[derive(Clone, Debug)]
pub(super) struct FeedNow {
    pub(super) every_ms: i64,
    /// The newest instant that came.
    pub(super) seen_at: i64,
    /// The first instant that came since the server began.
    first_at: i64,
    /// What was not after this was stored before the server began.
    stored_until: Option<i64>,
    told_again: u8,
    /// The columns of the series that it named last, in its own order.
    named: Vec<usize>,
}

/// A series of the host.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) series: Arc<Series>,
    /// Who measures it.
    pub(super) feed: Feed,
    pub(super) last: f32,
    /// When that was measured.
    pub(super) at: i64,
    /// When something came of it, by this server's clock.
    heard_at: i64,
}

/// One host.
#[derive(Debug)]
pub(super) struct Memory {
    pub(super) name: String,
    /// Its number in the store.
    pub(super) id: Option<i64>,
    pub(super) facts: Option<HostFacts>,
    pub(super) tables: Option<HostTables>,
    pub(super) feeds: BTreeMap<Feed, FeedNow>,
    pub(super) seen_at: i64,
    pub(super) vitals: Vitals,
    pub(super) clock_ahead_ms: Option<i64>,
    pub(super) lost: u64,
    pub(super) columns: Vec<Column>,
    /// The columns in the order of their names.
    order: Vec<usize>,
    /// Not stored yet.
    pub(super) open: BTreeMap<(i64, Feed), Block>,
    pub(super) sealed: BTreeMap<(i64, Feed), Part>,
    /// Slots from here on are in memory, whole.
    pub(super) whole_from: i64,
    pub(super) watchers: Vec<Watcher>,
    pub(super) worst: Option<Severity>,
    /// What the board was told last of how it stands.
    pub(super) said: Option<HostState>,
    /// What is taken from the instants of its agent.
    pub(super) clock_off_ms: i64,
    /// Values that were passed over since the server began.
    pub(super) passed_over: u64,
    /// When it is stored next.
    pub(super) due_at: i64,
}

/// The slot of an instant.
pub(super) const fn slot(at: i64) -> i64 {
    at.div_euclid(SLOT_MS) * SLOT_MS
}

impl Memory {
    /// A host that was never heard of before.
    pub(super) fn new(name: String, now: Timestamp) -> Self {
        let mut memory = Self {
            name,
            id: None,
            facts: None,
            tables: None,
            feeds: BTreeMap::new(),
            seen_at: i64::MIN,
            vitals: Vitals::default(),
            clock_ahead_ms: None,
            lost: 0,
            columns: Vec::new(),
            order: Vec::new(),
            open: BTreeMap::new(),
            sealed: BTreeMap::new(),
            whole_from: i64::MIN,
            watchers: Vec::new(),
            worst: None,
            said: None,
            clock_off_ms: 0,
            passed_over: 0,
            due_at: 0,
        };
        memory.due_at = memory.next_turn(now.ms());
        memory
    }

    /// A feed that was known before the server began.
    pub(super) fn recall(&mut self, feed: Feed, every_ms: i64, seen_at: i64, stored_until: Option<i64>) {
        let (first_at, told_again, named) = (i64::MAX, 0, Vec::new());
        self.feeds.insert(feed, FeedNow { every_ms, seen_at, first_at, stored_until, told_again, named });
    }

    /// When slots that end by then are stored: each host has its own moment after the end of a slot.
    pub(super) fn next_turn(&self, now: i64) -> i64 {
        let own = (engine::placement::digest(self.name.as_bytes()) % SPREAD_MS).cast_signed() + GRACE_MS;
        slot(now - own) + SLOT_MS + own
    }

    pub(super) fn take(
        &mut self,
        batch: &Batch,
        names: &Names,
        mode: &Mode,
        now: Timestamp,
    ) -> Result<Taken, HostFault> {
        let (feed, now_ms) = (batch.feed, now.ms());
        let named = self.named(batch, names, now_ms)?;
        let [alive, offset] = ["agent.alive", "clock.offset"].map(|name| self.own_column(name, names, feed, now_ms));
        let every_ms = i64::try_from(batch.every_ms).unwrap_or(i64::MAX).clamp(1_000, 86_400_000);
        self.recall_new(feed, every_ms);
        let newest_before = self.feeds.get(&feed).map_or(i64::MIN, |it| it.seen_at);
        let (mut passed_over, mut fresh) = (0, Vec::new());
        for sample in &batch.samples {
            let at = sample.at.ms();
            if at > now_ms.saturating_add(AHEAD_MS) || at < now_ms.saturating_sub(mode.keep_ms[0]) {
                passed_over += sample.values.len() as u64;
                continue;
            }
            let block = self.open.entry((slot(at), feed)).or_default();
            let row = block.row(at);
            let ahead = batch.clock_ahead_ms.map(|ahead| ahead as f32);
            for (column, value) in [(alive, Some(1.0)), (offset, ahead)] {
                if let (Some(n), Some(value)) = (column, value) {
                    block.put(row, n, value);
                    heard(&mut self.columns, n, value, at, now_ms);
                }
            }
            for (n, value) in named.iter().zip(&sample.values) {
                let Some(value) = value.map(|value| value as f32) else { continue };
                let taken = n.filter(|_| value.is_finite()).is_some_and(|n| {
                    heard(&mut self.columns, n, value, at, now_ms);
                    block.put(row, n, value)
                });
                passed_over += u64::from(!taken);
            }
            if at > newest_before {
                fresh.push((slot(at), row, at));
            }
        }
        self.note(batch, fresh.last().map(|(.., at)| *at));
        if let Some(now_feed) = self.feeds.get_mut(&feed) {
            let first = batch.samples.first().map_or(i64::MAX, |it| it.at.ms());
            if first < now_feed.first_at && now_feed.first_at != i64::MAX {
                // It sends again what was lacking.
                now_feed.told_again = TOLD_AGAIN;
            }
            now_feed.first_at = now_feed.first_at.min(first);
            now_feed.every_ms = every_ms;
            now_feed.named = named.into_iter().map(|n| n.unwrap_or(usize::MAX)).collect();
        }
        self.passed_over += passed_over;
        self.bound(now_ms);
        self.vitals = vitals::of(self.newest());
        self.tell(feed, &fresh, mode, now);
        Ok(self.taken(feed, mode, passed_over))
    }

    fn recall_new(&mut self, feed: Feed, every_ms: i64) {
        if !self.feeds.contains_key(&feed) {
            self.recall(feed, every_ms, i64::MIN, None);
        }
    }

    /// What a batch says besides samples.
    fn note(&mut self, batch: &Batch, newest: Option<i64>) {
        if let Some(at) = newest {
            if let Some(feed) = self.feeds.get_mut(&batch.feed) {
                feed.seen_at = feed.seen_at.max(at);
            }
            self.seen_at = self.seen_at.max(at);
        }
        if let Some(facts) = &batch.facts
            && (is_own(batch.feed) || !self.is_measured_by_itself(batch.feed))
        {
            self.facts = Some(facts.clone());
        }
        if let Some(tables) = &batch.tables
            && self.tables.as_ref().is_none_or(|it| it.at <= tables.at)
        {
            self.tables = Some(tables.clone());
        }
        if batch.clock_ahead_ms.is_some() {
            self.clock_ahead_ms = batch.clock_ahead_ms;
        }
        self.lost = if batch.feed == Feed::Agent { batch.lost } else { self.lost.max(batch.lost) };
    }

    /// Whether the machine says itself what it is, which is more than others can tell of it.
    fn is_measured_by_itself(&self, besides: Feed) -> bool {
        let seen = |feed: Feed| self.feeds.get(&feed).map(|it| (it.seen_at, late_after(it.every_ms)));
        let other = seen(besides).map_or(i64::MIN, |(seen_at, _)| seen_at);
        let own = [Feed::Agent, Feed::Own].into_iter().filter_map(seen);
        own.into_iter().any(|(seen_at, late_ms)| other.saturating_sub(seen_at) <= late_ms)
    }

    /// The column of each series of a batch; none where another feed measures it.
    fn named(&mut self, batch: &Batch, names: &Names, now: i64) -> Result<Vec<Option<usize>>, HostFault> {
        let known = self.feeds.get(&batch.feed).map(|it| it.named.clone()).unwrap_or_default();
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
        if self.columns.len() + new.len() > SERIES_MAX {
            let heard = |it: &Column| now.saturating_sub(it.heard_at) <= UNHEARD_MS;
            let n = self.columns.iter().filter(|it| heard(it)).count() + new.len();
            if n > SERIES_MAX {
                return Err(HostFault::TooMany { what: "series of this host", n, most: SERIES_MAX });
            }
            self.forget_unheard(now);
            return self.named(batch, names, now);
        }
        for (n, name) in new {
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
                if now.saturating_sub(column.heard_at) <= 3 * every_ms {
                    return None;
                }
                column.feed = batch.feed;
            }
            Some(n)
        });
        Ok(own.collect())
    }

    /// A series that is added to every sample of every feed; none where there is no room for it.
    fn own_column(&mut self, name: &str, names: &Names, feed: Feed, now: i64) -> Option<usize> {
        let found = self.find(name).ok();
        found.or_else(|| {
            (self.columns.len() < SERIES_MAX + 2).then(|| self.add(names.of(SeriesName::plain(name)), feed, now))
        })
    }

    /// The column of a series, or where its name would stand in the order.
    fn find(&self, text: &str) -> Result<usize, usize> {
        let name = |n: &usize| self.columns.get(*n).map_or("", |it| &*it.series.text);
        let place = self.order.binary_search_by(|n| name(n).cmp(text))?;
        self.order.get(place).copied().ok_or(place)
    }

    fn add(&mut self, series: Arc<Series>, feed: Feed, now: i64) -> usize {
        let place = match self.find(&series.text) {
            Ok(found) => return found,
            Err(place) => place,
        };
        self.columns.push(Column { series, feed, last: f32::NAN, at: i64::MIN, heard_at: now });
        self.order.insert(place, self.columns.len() - 1);
        self.columns.len() - 1
    }

    /// Forgets series of which nothing came for long, and is not waiting to be stored.
    pub(super) fn forget_unheard(&mut self, now: i64) {
        let waits = |n: usize| self.open.values().any(|block| block.points(n).next().is_some());
        let heard = |n: usize, it: &Column| now.saturating_sub(it.heard_at) <= UNHEARD_MS || waits(n);
        let kept: Vec<usize> =
            self.columns.iter().enumerate().filter(|(n, it)| heard(*n, it)).map(|(n, _)| n).collect();
        if kept.len() == self.columns.len() {
            return;
        }
        self.columns = kept.iter().filter_map(|n| self.columns.get(*n).cloned()).collect();
        self.open.values_mut().for_each(|block| block.renumber(&kept));
        self.feeds.values_mut().for_each(|feed| feed.named.clear());
        let columns = &self.columns;
        self.order = (0..columns.len()).collect();
        self.order.sort_by_key(|n| columns.get(*n).map(|it| Arc::clone(&it.series)));
    }

    /// Keeps what is not stored within its bounds: the oldest goes, and whoever sent it is asked for it again.
    fn bound(&mut self, now: i64) {
        while self.open.len() > UNSAVED_MAX {
            let Some(((slot, feed), _)) = self.open.pop_first() else { return };
            tracing::warn!(host = self.name, slot, "samples that could not be stored for long were given up");
            if let Some(feed) = self.feeds.get_mut(&feed) {
                (feed.told_again, feed.stored_until) = (0, Some(slot - 1));
                feed.first_at = slot + SLOT_MS;
            }
            self.whole_from = self.whole_from.max(slot + SLOT_MS);
        }
        let old = self.open.keys().filter(|(slot, _)| slot + 2 * SLOT_MS < now).count();
        if old > UNSAVED_FEW || self.due_at > now.saturating_add(2 * SLOT_MS) {
            self.due_at = now;
        }
    }

    /// The newest values of series that are measured now.
    fn newest(&self) -> impl Iterator<Item = (&Series, f32)> {
        let fresh = |it: &&Column| {
            let every_ms = self.feeds.get(&it.feed).map_or(0, |feed| feed.every_ms);
            it.at.saturating_add(3 * every_ms) >= self.seen_at && !it.last.is_nan()
        };
        self.columns.iter().filter(fresh).map(|it| (&*it.series, it.last))
    }

    /// About how often it is measured: by the fastest of those who measured it when it was measured last.
    pub(super) fn every_ms(&self) -> i64 {
        let heard = |it: &&FeedNow| self.seen_at.saturating_sub(it.seen_at) <= late_after(it.every_ms);
        self.feeds.values().filter(heard).map(|it| it.every_ms).min().unwrap_or(1_000)
    }

    /// How far apart its samples may be without a gap; `usual_ms` is how often agents measure while nobody looks.
    pub(super) fn slowest_ms(&self, usual_ms: i64) -> i64 {
        let is_asked = self.feeds.keys().any(|feed| matches!(feed, Feed::Agent | Feed::Own));
        let slowest = self.feeds.values().map(|it| it.every_ms).max().unwrap_or(1_000);
        if is_asked { slowest.max(usual_ms) } else { slowest }
    }

    pub(super) fn state(&self, mode: &Mode, now: Timestamp) -> HostState {
        let (every_ms, age) = (self.every_ms(), now.ms().saturating_sub(self.seen_at));
        match () {
            () if age <= late_after(every_ms) => HostState::Live,
            () if age <= mode.silent_after_ms.max(3 * every_ms) => HostState::Late,
            () => HostState::Silent,
        }
    }

    pub(super) fn known(&self) -> Known {
        Known {
            name: self.name.clone(),
            seen_at: Timestamp::from_ms(self.seen_at.max(0)),
            every_ms: self.every_ms().unsigned_abs(),
        }
    }

    pub(super) fn heard(&self, pattern: &SeriesName) -> Vec<(SeriesName, Timestamp)> {
        let meant = self.order.iter().filter_map(|n| self.columns.get(*n)).filter(|it| it.series.name.is_of(pattern));
        meant.map(|it| (it.series.name.clone(), Timestamp::from_ms(it.at.max(0)))).collect()
    }

    /// The points that are not stored yet, of series that one of the patterns means.
    pub(super) fn unsaved(&self, patterns: &[SeriesName], from: i64, until: i64) -> BTreeMap<Arc<Series>, Vec<Point>> {
        let meant = |it: &Column| patterns.iter().any(|pattern| it.series.name.is_of(pattern));
        let mut found: BTreeMap<Arc<Series>, Vec<Point>> = BTreeMap::new();
        for (n, column) in self.columns.iter().enumerate().filter(|(_, it)| meant(it)) {
            let points = self.open.values().flat_map(|block| block.points(n));
            let points = points.filter(|(at, _)| (from..until).contains(at)).map(|(at, value)| Point::of(at, value));
            found.entry(Arc::clone(&column.series)).or_default().extend(points);
        }
        found
    }

    fn taken(&mut self, feed: Feed, mode: &Mode, passed_over: u64) -> Taken {
        let is_own = is_own(feed);
        let facts = is_own && self.facts.is_none();
        let stored_until = self.stored_until(feed).map(Timestamp::from_ms);
        let Some(now_feed) = self.feeds.get_mut(&feed) else { return Taken::default() };
        let again = now_feed.stored_until.is_some() && now_feed.told_again < TOLD_AGAIN;
        if again {
            now_feed.told_again += 1;
        }
        let every_ms = if is_own { mode.every_ms } else { now_feed.every_ms };
        Taken { every_ms: every_ms.unsigned_abs(), stored_until, again, facts, passed_over }
    }

    /// Up to when everything that came is in the store.
    pub(super) fn stored_until(&self, feed: Feed) -> Option<i64> {
        let mut unsaved = self.open.iter().filter(|((_, it), _)| *it == feed);
        let first = unsaved.find_map(|(_, block)| block.first_at());
        let now = self.feeds.get(&feed)?;
        let lacking = now.stored_until.filter(|_| now.told_again < TOLD_AGAIN);
        let until = first.map_or(now.seen_at, |first| first - 1);
        Some(lacking.map_or(until, |lacking| lacking.min(until))).filter(|until| *until > i64::MIN)
    }

    /// Tells those who look at this host what came.
    fn tell(&mut self, feed: Feed, fresh: &[(i64, usize, i64)], mode: &Mode, now: Timestamp) {
        if self.watchers.is_empty() {
            return;
        }
        let (state, every_ms) = (self.state(mode, now), self.every_ms().unsigned_abs());
        let last = fresh.len().saturating_sub(1);
        for watcher in &self.watchers {
            let columns: Vec<Option<usize>> = watcher.series.iter().map(|name| self.find(name).ok()).collect();
            for (n, (slot, row, at)) in fresh.iter().enumerate() {
                let block = self.open.get(&(*slot, feed));
                let value = |column: &Option<usize>| {
                    let n = (*column)?;
                    // What another feed measures comes with that one's samples; it stays as it is until then.
                    let others = self.columns.get(n).filter(|it| it.feed != feed && !it.last.is_nan());
                    block?.value(*row, n).or_else(|| Some(others?.last))
                };
                let tables = self.tables.as_ref().filter(|_| watcher.tables && n == last);
                watcher.tell(LiveMessage::Host {
                    now,
                    name: self.name.clone(),
                    state,
                    every_ms,
                    at: Timestamp::from_ms(*at),
                    values: columns.iter().map(value).collect(),
                    tables: tables.cloned().map(Box::new),
                    turn: watcher.turn,
                });
            }
        }
    }

    /// The newest points in memory of each series that `pattern` means.
    pub(super) fn recent(&self, pattern: &SeriesName, since: i64) -> Vec<Points> {
        let meant = self.columns.iter().enumerate().filter(|(_, it)| it.series.name.is_of(pattern));
        let mut recent: Vec<Points> = meant
            .map(|(n, it)| {
                let mut points: Vec<(i64, f32)> = self.sealed_points(&it.series, since);
                points.extend(self.open.values().flat_map(|block| block.points(n)).filter(|(at, _)| *at >= since));
                points.sort_by_key(|(at, _)| *at);
                points.dedup_by_key(|(at, _)| *at);
                let points = points.into_iter().map(|(at, value)| (Timestamp::from_ms(at), value)).collect();
                Points { series: it.series.name.clone(), points }
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

    /// What is due to be stored: slots that are over, oldest first.
    pub(super) fn over(&self, now: i64) -> Vec<(i64, Feed)> {
        self.open.keys().filter(|(slot, _)| slot + SLOT_MS + GRACE_MS <= now).copied().collect()
    }

    /// A slot is stored; it stays in memory for a while. Unless something came meanwhile it is no longer waiting.
    pub(super) fn stored(&mut self, key: (i64, Feed), changes: u64, part: Part, now: i64) {
        if self.open.get(&key).is_some_and(|block| block.changes == changes) {
            self.open.remove(&key);
            self.sealed.insert(key, part);
        }
        self.forget_old(now);
    }

    pub(super) fn forget_old(&mut self, now: i64) {
        while let Some(entry) = self.sealed.first_entry() {
            let end = entry.key().0 + SLOT_MS;
            if end + KEPT_MS > now {
                break;
            }
            entry.remove();
            self.whole_from = self.whole_from.max(end);
        }
    }

    /// Values of the past that wait to be stored.
    pub(super) fn late_values(&self, now: i64) -> usize {
        self.open.iter().filter(|((slot, _), _)| slot + 3 * SLOT_MS < now).map(|(_, block)| block.cells()).sum()
    }

    /// Values that wait to be stored, and bytes that are kept compressed.
    pub(super) fn size(&self) -> (usize, usize) {
        let open = self.open.values().map(Block::cells).sum();
        (open, self.sealed.values().map(Part::bytes).sum())
    }
}

const fn is_own(feed: Feed) -> bool {
    matches!(feed, Feed::Agent | Feed::Own)
}

/// Two samples in a row did not come, with some patience for the way they come.
const fn late_after(every_ms: i64) -> i64 {
    let patience = every_ms / 2;
    2 * every_ms + if patience > 2_000 { patience } else { 2_000 }
}

fn heard(columns: &mut [Column], n: usize, value: f32, at: i64, now: i64) {
    if let Some(column) = columns.get_mut(n) {
        column.heard_at = now;
        if at >= column.at {
            (column.last, column.at) = (value, at);
        }
    }
}
