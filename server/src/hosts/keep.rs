//! Stores what hosts measured, slot by slot, each host at its own moment; brings it back at the next start; and forgets
//! what is older than it is kept.
//!
//! A slot is one part of samples. The minutes and the ten minutes of it are put into longer parts beside those of the slots
//! before, in the same transaction; a slot that is stored again, with what came late, is put together with what is there.

use super::{
    Hosts, LATE_MUCH, Shared, UNSAVED_MAX, lock,
    memory::{KEPT_MS, Memory, Mode, SLOT_MS, slot},
    part::{Memo, Part},
    rollup::rolled,
    table::Table,
};
use crate::{
    clock,
    db::{HostPart, Readers, Store, StoreError},
    runtime::Runtime,
};
use serde::{Deserialize, Serialize};
use shared::{
    Timestamp,
    host::{Feed, HostFacts, Vitals},
};
use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
    time::Duration,
};
use tokio::time;

const LOOK_EVERY: Duration = Duration::from_millis(250);
const PULSE_EVERY_MS: i64 = 1_000;
/// Slots of one host that are stored in one turn; the others follow in the next.
const SLOTS_AT_ONCE: usize = 6;
/// Hosts that are stored between two looks.
const HOSTS_AT_ONCE: usize = 16;
/// After the store failed.
const RETRY_MS: i64 = 10_000;
/// Old parts that are removed at once.
const DROPPED_AT_ONCE: usize = 12;
/// Names that nobody has any more are looked for this often.
const TIDY_EVERY_MS: i64 = SLOT_MS;

/// How far apart the points of each level are, in seconds, and how long a part of it is, in ms.
pub(super) const LEVELS: [(i64, i64); 3] = [(0, SLOT_MS), (60, 3_600_000), (600, 12 * 3_600_000)];

/// What is stored of a host besides its samples.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Doc {
    feeds: BTreeMap<Feed, DocFeed>,
    facts: Option<HostFacts>,
    vitals: Vitals,
    clock_ahead_ms: Option<i64>,
    lost: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct DocFeed {
    every_ms: i64,
    seen_at: i64,
    stored_until: Option<i64>,
}

impl Hosts {
    /// Takes what was stored before this start.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn restore(&self, store: &mut Store, now: Timestamp) -> Result<(), StoreError> {
        for record in store.hosts()? {
            let doc: Doc = serde_json::from_str(&record.doc).unwrap_or_else(|error| {
                tracing::warn!(host = record.name, %error, "what was known of a host cannot be read; its samples stay");
                Doc::default()
            });
            let mut memory = Memory::new(record.name.clone(), now);
            memory.id = Some(record.id);
            memory.seen_at = record.seen_at.ms();
            (memory.facts, memory.vitals) = (doc.facts, doc.vitals);
            (memory.clock_ahead_ms, memory.lost) = (doc.clock_ahead_ms, doc.lost);
            for (feed, it) in doc.feeds {
                memory.recall(feed, it.every_ms, it.seen_at, it.stored_until);
            }
            // The slot of now may be in the store in part.
            memory.whole_from = slot(now.ms()) + SLOT_MS;
            memory.is_unread = true;
            let mut hosts = self.hosts.write().unwrap_or_else(PoisonError::into_inner);
            hosts.insert(record.name, Arc::new(Mutex::new(memory)));
        }
        Ok(())
    }

    /// Stores what is due of one host; all that waits, at the end of the server. Whether more is due.
    ///
    /// # Errors
    /// When the store fails; nothing is lost by it.
    pub fn store_host(&self, name: &str, store: &mut Store, now: Timestamp, all: bool) -> Result<bool, StoreError> {
        let Some(memory) = self.host(name) else { return Ok(false) };
        let _turn = self.storing.lock().unwrap_or_else(PoisonError::into_inner);
        let stored = self.store_slots(&memory, store, now, all);
        let mut memory = lock(&memory);
        memory.due_at = match &stored {
            Ok(false) => memory.next_turn(now.ms()),
            Ok(true) => now.ms(),
            Err(_) => now.ms() + RETRY_MS,
        };
        stored
    }

    fn store_slots(&self, host: &Shared, store: &mut Store, now: Timestamp, all: bool) -> Result<bool, StoreError> {
        let keys = {
            let memory = lock(host);
            if all { memory.open.keys().copied().collect() } else { memory.over(now.ms()) }
        };
        let at_once = if all { keys.len() } else { SLOTS_AT_ONCE };
        let (known, has_new_feed) = {
            let mut memory = lock(host);
            (memory.id, std::mem::take(&mut memory.has_new_feed))
        };
        let id = match known {
            Some(id) if !has_new_feed => id,
            None if keys.is_empty() && !has_new_feed => return Ok(false),
            _ => self.store_doc(host, store).inspect_err(|_| lock(host).has_new_feed = has_new_feed)?,
        };
        self.read_newest(host, id, store, now)?;
        for some in keys.get(..at_once.min(keys.len())).unwrap_or_default().chunks(SLOTS_AT_ONCE) {
            self.store_some(host, id, some, store, now)?;
        }
        if !keys.is_empty() {
            self.store_doc(host, store)?;
        }
        let more = drop_old(store, id, &self.mode(), now)?;
        let mut memory = lock(host);
        memory.forget_old(now.ms());
        memory.forget_unheard(now.ms());
        Ok(keys.len() > at_once || more)
    }

    /// Brings the newest samples from before this start into memory, once the host is heard again: rules look back.
    fn read_newest(&self, host: &Shared, id: i64, store: &mut Store, now: Timestamp) -> Result<(), StoreError> {
        if !lock(host).is_unread {
            return Ok(());
        }
        let mut memo = Memo::default();
        for stored in store.host_parts(id, 0, now.plus_ms(-KEPT_MS)..now)? {
            let Some(feed) = FEEDS.into_iter().find(|feed| feed_name(*feed) == stored.feed) else { continue };
            match Part::read(&stored.body, &self.names, &mut memo) {
                Ok(part) => {
                    lock(host).sealed.entry((stored.at.ms(), feed)).or_insert(part);
                }
                Err(error) => tracing::error!(%error, host = id, at = stored.at.ms(), "rules do not see it"),
            }
        }
        lock(host).is_unread = false;
        Ok(())
    }

    /// Stores some slots, and what they add to the longer parts, in one transaction.
    fn store_some(
        &self,
        host: &Shared,
        id: i64,
        keys: &[(i64, Feed)],
        store: &mut Store,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut memo = Memo::default();
        let mut longer: BTreeMap<(i64, i64, Feed), Rolled> = BTreeMap::new();
        let (mut parts, mut done) = (Vec::new(), Vec::new());
        for (at, feed) in keys.iter().copied() {
            let (new, changes) = {
                let memory = lock(host);
                let Some(block) = memory.open.get(&(at, feed)) else { continue };
                (block.table(|n| memory.columns.get(n).map(|it| &it.series)), block.changes)
            };
            let mut samples: Table<1> = self.stored(store, id, 0, at, feed_name(feed), &mut memo)?;
            samples.merge(new);
            for ((step, span_ms), points) in
                LEVELS.into_iter().skip(1).zip([rolled(&samples, 60_000), rolled(&samples, SLOT_MS)])
            {
                let begin = at.div_euclid(span_ms) * span_ms;
                // Read once, however many slots are a part of it.
                let whole = match longer.entry((step, begin, feed)) {
                    Entry::Occupied(found) => found.into_mut(),
                    Entry::Vacant(place) => {
                        place.insert(self.stored(store, id, step, begin, feed_name(feed), &mut memo)?)
                    }
                };
                whole.merge(points);
            }
            let part = Part::of(&samples);
            parts.push(kept(0, at, feed, &part));
            done.push(((at, feed), changes, part));
        }
        parts.extend(longer.into_iter().map(|((step, at, feed), whole)| kept(step, at, feed, &Part::of(&whole))));
        store.host_parts_put(id, &parts)?;
        let mut memory = lock(host);
        for (key, changes, part) in done {
            memory.stored(key, changes, part, now.ms());
        }
        Ok(())
    }

    /// What is stored of a span; nothing where that cannot be read.
    fn stored<const W: usize>(
        &self,
        store: &mut Store,
        id: i64,
        step: i64,
        at: i64,
        feed: &str,
        memo: &mut Memo,
    ) -> Result<Table<W>, StoreError> {
        let span = Timestamp::from_ms(at)..Timestamp::from_ms(at + 1);
        let parts = store.host_parts(id, step, span)?;
        let Some(part) = parts.iter().find(|part| part.feed == feed) else { return Ok(Table::default()) };
        let table = Part::read(&part.body, &self.names, memo).and_then(|part| part.table());
        Ok(table.unwrap_or_else(|error| {
            tracing::error!(%error, host = id, step, at, "it is written anew without what was there");
            Table::default()
        }))
    }

    fn store_doc(&self, host: &Shared, store: &mut Store) -> Result<i64, StoreError> {
        let (name, seen_at, doc) = {
            let memory = lock(host);
            let feed = |(feed, it): (&Feed, &super::memory::FeedNow)| {
                let stored_until = memory.stored_until(*feed);
                (*feed, DocFeed { every_ms: it.every_ms, seen_at: it.seen_at, stored_until })
            };
            let doc = Doc {
                feeds: memory.feeds.iter().map(feed).collect(),
                facts: memory.facts.clone(),
                vitals: memory.vitals,
                clock_ahead_ms: memory.clock_ahead_ms,
                lost: memory.lost,
            };
            (memory.name.clone(), Timestamp::from_ms(memory.seen_at.max(0)), doc)
        };
        let doc = serde_json::to_string(&doc).map_err(|error| StoreError::Other {
            context: format!("what is known of the host {name} cannot be written"),
            source: Some(Box::new(error)),
        })?;
        let id = store.host_put(&name, seen_at, &doc)?;
        lock(host).id = Some(id);
        Ok(id)
    }

    /// Stores everything that waits, until `deadline` says that it is time to end. Agents send the rest again; what others
    /// measured would be lost, so it comes first.
    ///
    /// # Errors
    /// The first failure of the store; the other hosts are stored all the same.
    pub fn store_all(&self, store: &mut Store, now: Timestamp, deadline: impl Fn() -> bool) -> Result<(), StoreError> {
        let order = |memory: &Shared| {
            let memory = lock(memory);
            let is_sent_again = memory.open.keys().all(|(_, feed)| *feed == Feed::Agent);
            (is_sent_again, memory.name.clone())
        };
        let mut hosts: Vec<(bool, String)> = self.all().iter().map(order).collect();
        hosts.sort();
        let mut failed = Ok(());
        for (n, (_, name)) in hosts.iter().enumerate() {
            if deadline() {
                let left = hosts.get(n..).unwrap_or_default();
                let lost = left.iter().filter(|(is_sent_again, _)| !is_sent_again).count();
                tracing::warn!(
                    hosts = left.len(),
                    lost,
                    "not every sample could be stored before the end; agents send theirs again, the others' are lost"
                );
                break;
            }
            let stored = self.store_host(name, store, now, true);
            failed = failed.and(stored.map(drop));
        }
        failed
    }

    /// Forgets a host, with everything measured of it; whether there was one. It is known anew when it is heard again.
    ///
    /// # Errors
    /// When the store fails; then it is forgotten in part, and comes back at the next start.
    pub fn forget(&self, name: &str, store: &mut Store) -> Result<bool, StoreError> {
        let _turn = self.storing.lock().unwrap_or_else(PoisonError::into_inner);
        let gone = self.hosts.write().unwrap_or_else(PoisonError::into_inner).remove(name);
        let Some(gone) = gone else { return Ok(false) };
        let id = lock(&gone).id;
        if let Some(id) = id {
            for (step, _) in LEVELS {
                while store.host_parts_drop(id, step, Timestamp::from_ms(i64::MAX), DROPPED_AT_ONCE)? > 0 {}
            }
            store.host_drop(id)?;
        }
        Ok(true)
    }

    /// The hosts that are due to be stored, and how much of the past waits altogether.
    pub(super) fn due(&self, now: Timestamp) -> Vec<String> {
        let (mut due, mut late) = (Vec::new(), 0);
        let much = self.late.load(Ordering::Relaxed) > LATE_MUCH;
        let (mode, mut states) = (self.mode(), [0; 3]);
        for memory in self.all() {
            let mut memory = lock(&memory);
            if let Some(n) = states.get_mut(memory.state(&mode, now) as usize) {
                *n += 1;
            }
            let late_here = memory.late_values(now.ms());
            late += late_here;
            // Their turn is up to ten minutes away, and nothing more of the past would be taken until then. One that the
            // store did not take just now waits all the same.
            if much && late_here > 0 && memory.due_at > now.ms() + RETRY_MS {
                memory.due_at = now.ms();
            }
            if memory.due_at <= now.ms() {
                due.push((memory.due_at, memory.name.clone()));
            }
        }
        self.late.store(late, Ordering::Relaxed);
        let [live, not_come, silent] = states;
        crate::telemetry::hosts(live, not_come, silent);
        due.sort();
        due.truncate(HOSTS_AT_ONCE);
        due.into_iter().map(|(_, name)| name).collect()
    }
}

/// Points of a longer span.
type Rolled = Table<{ super::rollup::ROLLED }>;

fn kept(step: i64, at: i64, feed: Feed, part: &Part) -> HostPart {
    HostPart { step, at: Timestamp::from_ms(at), feed: feed_name(feed).to_owned(), body: part.write() }
}

/// A few of the parts that are older than they are kept; whether there may be more.
fn drop_old(store: &mut Store, id: i64, mode: &Mode, now: Timestamp) -> Result<bool, StoreError> {
    let mut more = false;
    for ((step, span_ms), keep_ms) in LEVELS.into_iter().zip(mode.keep_ms) {
        let before = now.plus_ms(-keep_ms.saturating_add(span_ms));
        more |= store.host_parts_drop(id, step, before, DROPPED_AT_ONCE)? >= DROPPED_AT_ONCE;
    }
    Ok(more)
}

const FEEDS: [Feed; 5] = [Feed::Agent, Feed::Own, Feed::Falcon, Feed::RemoteWrite, Feed::Scrape];

/// As it is stored.
pub(super) const fn feed_name(feed: Feed) -> &'static str {
    match feed {
        Feed::Agent => "agent",
        Feed::Own => "own",
        Feed::Falcon => "falcon",
        Feed::RemoteWrite => "remote_write",
        Feed::Scrape => "scrape",
    }
}

/// Hosts that could not be stored. One is tried four times a second while the store is away, which is said once.
#[derive(Debug, Default)]
struct Failing(BTreeSet<String>);

impl Failing {
    /// Whether one that could not be stored is the first.
    fn is_new(&mut self, host: &str) -> bool {
        self.0.insert(host.to_owned()) && self.0.len() == 1
    }

    /// Whether one that was stored was the last; those that are forgotten do not count.
    fn is_over(&mut self, host: &str, is_known: impl Fn(&str) -> bool) -> bool {
        let were = !self.0.is_empty();
        self.0.retain(|it| it != host && is_known(it));
        were && self.0.is_empty()
    }
}

/// Stores hosts and tells who looks, for ever.
pub async fn keep(hosts: Arc<Hosts>, runtime: Runtime, readers: Arc<Readers>) {
    let (mut pulsed, mut tidied) = (clock::Stopwatch::start(), clock::Stopwatch::start());
    let mut failing = Failing::default();
    loop {
        hosts.configure(&runtime.config().document.hosts);
        let now = clock::now();
        hosts.paces.settle(now);
        if pulsed.elapsed_ms() >= PULSE_EVERY_MS {
            pulsed = clock::Stopwatch::start();
            hosts.pulse(now);
            hosts.shed(UNSAVED_MAX);
        }
        if tidied.elapsed_ms() >= TIDY_EVERY_MS {
            tidied = clock::Stopwatch::start();
            hosts.names.forget_unused();
        }
        for name in hosts.due(now) {
            let storing = Arc::clone(&hosts);
            let host = name.clone();
            let stored = readers.aside(move |store| storing.store_host(&host, store, clock::now(), false)).await;
            match stored {
                Ok(_) if failing.is_over(&name, |name| hosts.host(name).is_some()) => {
                    tracing::info!("what was measured of hosts is stored again");
                }
                Ok(_) => {}
                Err(error) => {
                    if failing.is_new(&name) {
                        tracing::warn!(%error, host = name, "what was measured of a host could not be stored; it is tried again");
                    }
                    break;
                }
            }
        }
        time::sleep(LOOK_EVERY).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn that_the_store_is_away_is_said_once_and_so_is_its_end() {
        let mut failing = Failing::default();
        let known = |name: &str| name != "gone";
        assert!(!failing.is_over("a", known), "nothing was wrong");
        assert_eq!(["a", "b", "gone", "a"].map(|name| failing.is_new(name)), [true, false, false, false]);
        assert!(!failing.is_over("a", known) && !failing.is_new("a"));
        assert_eq!(["c", "b", "a", "a"].map(|name| failing.is_over(name, known)), [false, false, true, false]);
        assert!(failing.is_new("b"), "another time");
    }
}
