//! What is in memory of one host: who measures it, its series with their newest values, samples that are not stored yet,
//! and those of the last hour, compressed.

mod columns;

pub(super) use columns::Column;

use super::{
    Batch, HostFault, Known, Taken,
    names::{Names, Series},
    part::Part,
    rollup::Point,
    speaker::Speaker,
    table::Block,
    vitals,
    watch::Watcher,
};
use shared::{
    Severity, Timestamp,
    config::HostMode,
    host::{Feed, HostFacts, HostState, HostTables, SeriesName, Vitals},
    live::LiveMessage,
};
use std::{collections::BTreeMap, sync::Arc};

/// Samples are kept, compressed and stored by slots of so long: ten minutes, the coarsest point.
pub(super) const SLOT_MS: i64 = 600_000;
/// Slots that ended longer ago than this are only in the store.
pub(super) const KEPT_MS: i64 = 75 * 60_000;
/// A series of which nothing came for so long is forgotten where room is needed, and at the end of a slot.
const UNHEARD_MS: i64 = 3_600_000;
/// Instants may be this far ahead; senders' clocks are not all right.
pub(super) const AHEAD_MS: i64 = 60_000;
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
    /// It is asked only once the store takes something again: what it sends before that would be given up as well.
    asks_later: bool,
    /// The columns of the series that it named last, in its own order.
    named: Vec<usize>,
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
    /// When something new came, by this server's clock.
    pub(super) heard_at: i64,
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
    pub(super) speaker: Speaker,
    /// Values that were passed over since the server began.
    pub(super) passed_over: u64,
    /// When it is stored next.
    pub(super) due_at: i64,
    /// Who measures it is to be stored: after a kill, what began then is asked for again.
    pub(super) has_new_feed: bool,
    /// It was known before the server began, and its newest samples of then are only in the store.
    pub(super) is_unread: bool,
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
            heard_at: i64::MIN,
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
            speaker: Speaker::default(),
            passed_over: 0,
            due_at: 0,
            has_new_feed: false,
            is_unread: false,
        };
        memory.due_at = memory.next_turn(now.ms());
        memory
    }

    /// A feed that was known before the server began.
    pub(super) fn recall(&mut self, feed: Feed, every_ms: i64, seen_at: i64, stored_until: Option<i64>) {
        let (first_at, told_again, asks_later, named) = (i64::MAX, 0, false, Vec::new());
        self.feeds.insert(feed, FeedNow { every_ms, seen_at, first_at, stored_until, told_again, asks_later, named });
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
            if at > now_ms.saturating_add(AHEAD_MS) || at < now_ms.saturating_sub(mode.keep_ms[0].max(mode.keep_ms[1]))
            {
                passed_over += sample.values.len() as u64;
                continue;
            }
            let block = self.open.entry((slot(at), feed)).or_default();
            let row = block.row(at);
            let ahead = batch.clock_ahead_ms.map(|ahead| ahead as f32);
            for (n, value) in named.iter().zip(&sample.values) {
                let Some(value) = value.map(|value| value as f32) else { continue };
                let column = n.filter(|_| value.is_finite()).and_then(|n| Some((n, self.columns.get_mut(n)?)));
                let taken = column.is_some_and(|(n, column)| {
                    column.hear(value, at, now_ms);
                    block.put(row, n, value)
                });
                passed_over += u64::from(!taken);
            }
            // An agent may say that it is alive by itself.
            for (column, value) in [(alive, Some(1.0)), (offset, ahead)] {
                if let (Some(n), Some(value)) = (column, value)
                    && block.put(row, n, value)
                    && let Some(column) = self.columns.get_mut(n)
                {
                    column.hear(value, at, now_ms);
                }
            }
            if at > newest_before {
                fresh.push((slot(at), row, at));
            }
        }
        self.note(batch, fresh.last().map(|(.., at)| *at), now_ms);
        if let Some(now_feed) = self.feeds.get_mut(&feed) {
            let first = batch.samples.first().map_or(i64::MAX, |it| it.at.ms());
            if first < now_feed.first_at && now_feed.first_at != i64::MAX && !now_feed.asks_later {
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
            (self.has_new_feed, self.due_at) = (true, 0);
        }
    }

    /// What a batch says besides samples.
    fn note(&mut self, batch: &Batch, newest: Option<i64>, now: i64) {
        if let Some(at) = newest {
            if let Some(feed) = self.feeds.get_mut(&batch.feed) {
                feed.seen_at = feed.seen_at.max(at);
            }
            self.seen_at = self.seen_at.max(at);
            self.heard_at = now;
            if self.is_unread {
                self.due_at = self.due_at.min(now);
            }
        }
        if let Some(facts) = &batch.facts
            && (is_own(batch.feed) || !self.is_measured_by_itself(batch.feed))
        {
            self.facts = Some(facts.clone());
        }
        if let Some(tables) = &batch.tables
            && self.tables.as_ref().is_none_or(|it| it.at <= tables.at)
            && (is_own(batch.feed) || !self.is_measured_by_itself(batch.feed))
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

    /// Keeps what is not stored within its bounds: the oldest goes, and whoever sent it is asked for it again.
    fn bound(&mut self, now: i64) {
        while self.open.len() > UNSAVED_MAX {
            self.give_up_oldest();
        }
        let old = self.open.keys().filter(|(slot, _)| slot + 2 * SLOT_MS < now).count();
        if old > UNSAVED_FEW || self.due_at > now.saturating_add(2 * SLOT_MS) {
            self.due_at = now;
        }
    }

    /// The oldest slot of those that are not stored yet.
    pub(super) fn oldest_open(&self) -> Option<i64> {
        self.open.keys().next().map(|(slot, _)| *slot)
    }

    /// Gives up what is oldest of what is not stored yet; whoever kept it is asked for it again.
    pub(super) fn give_up_oldest(&mut self) {
        let Some(((slot, feed), _)) = self.open.pop_first() else { return };
        tracing::warn!(host = self.name, slot, "samples that could not be stored for long were given up");
        if let Some(feed) = self.feeds.get_mut(&feed) {
            let lacking = feed.stored_until.filter(|_| feed.told_again < TOLD_AGAIN);
            feed.stored_until = Some(lacking.map_or(slot - 1, |lacking| lacking.min(slot - 1)));
            (feed.told_again, feed.asks_later, feed.first_at) = (0, true, slot + SLOT_MS);
        }
        self.whole_from = self.whole_from.max(slot + SLOT_MS);
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
        let (every_ms, age) = (self.every_ms(), now.ms().saturating_sub(self.came_at()));
        match () {
            () if age <= late_after(every_ms) => HostState::Live,
            () if age <= mode.silent_after_ms.max(3 * every_ms) => HostState::Late,
            () => HostState::Silent,
        }
    }

    /// When something of it came last; of one that was known before the server began, when that was measured. A machine
    /// whose clock is slow is not silent.
    fn came_at(&self) -> i64 {
        self.seen_at.max(self.heard_at)
    }

    pub(super) fn known(&self) -> Known {
        Known {
            name: self.name.clone(),
            seen_at: Timestamp::from_ms(self.seen_at.max(0)),
            heard_at: Timestamp::from_ms(self.came_at().max(0)),
            every_ms: self.every_ms().unsigned_abs(),
        }
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
        let again = now_feed.stored_until.is_some() && now_feed.told_again < TOLD_AGAIN && !now_feed.asks_later;
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
        self.feeds.values_mut().for_each(|feed| feed.asks_later = false);
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
