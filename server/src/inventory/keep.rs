//! Asks every source of the configuration, for ever, and keeps what they say: in memory for answers, in the store for the
//! next start.

use super::{Collector as _, Fault, Vendors, agents::Agents, kinds::Kind};
use crate::{
    clock,
    db::{Readers, Store, StoreError},
    runtime::Runtime,
};
use actix_web::web;
use engine::placement::{Index, Moved};
use shared::{
    SourceId, Timestamp,
    api::Move,
    config::{Source, SourceKind},
    inventory::{Observation, Vm},
    placement::Placement,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{task::JoinHandle, time};

const LOOK_EVERY: Duration = Duration::from_secs(1);
/// One question to a source takes no longer, however many machines it has.
const PATIENCE: Duration = Duration::from_secs(600);
/// After a first try that failed; twice as long after each further one, up to [`LAST_RETRY`].
const FIRST_RETRY: Duration = Duration::from_secs(1);
const LAST_RETRY: Duration = Duration::from_secs(60);
/// What changed is stored this often.
const STORE_EVERY: Duration = Duration::from_secs(60);
/// What a source says is stored in so many parts; only those that changed are written.
const PARTS: u64 = 64;

/// What all sources say now, and how each of them stands.
#[derive(Debug, Default)]
pub struct Inventory {
    index: RwLock<Index>,
    standing: RwLock<BTreeMap<SourceId, Standing>>,
    /// Counts what sources said.
    changes: AtomicU64,
    vendors: Vendors,
    pub(super) agents: Agents,
}

/// How asking a source went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    pub tried_at: Option<Timestamp>,
    pub error: Option<String>,
    pub failures: u32,
    /// It answered since the server began.
    pub answered: bool,
}

impl Inventory {
    /// The same with registers that say who made an interface.
    #[must_use]
    pub fn with_vendors(vendors: Vendors) -> Self {
        Self { vendors, ..Self::default() }
    }

    /// Says who made the interface, where no platform gave it its address. Reads files: not for where nobody may wait.
    pub fn name_vendor(&self, placement: &mut Placement) {
        if placement.vendor.is_none() {
            placement.vendor = placement.mac.and_then(|mac| self.vendors.of(mac));
        }
    }

    /// What all sources say now. Not to be held across a wait.
    pub fn index(&self) -> RwLockReadGuard<'_, Index> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same, unless a source is being read at this moment.
    pub fn index_at_once(&self) -> Option<RwLockReadGuard<'_, Index>> {
        match self.index.try_read() {
            Ok(index) => Some(index),
            Err(TryLockError::Poisoned(index)) => Some(index.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Rises whenever a source said something.
    pub fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// How asking a source went.
    #[must_use]
    pub fn standing(&self, source: &SourceId) -> Standing {
        self.standing.read().unwrap_or_else(PoisonError::into_inner).get(source).cloned().unwrap_or_default()
    }

    fn write(&self) -> RwLockWriteGuard<'_, Index> {
        self.changes.fetch_add(1, Ordering::AcqRel);
        self.index.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, source: &SourceId, how: impl FnOnce(&mut Standing)) {
        let mut standing = self.standing.write().unwrap_or_else(PoisonError::into_inner);
        let standing = standing.entry(source.clone()).or_default();
        standing.tried_at = Some(clock::now());
        how(standing);
    }

    fn forget(&self, source: &SourceId) {
        self.write().forget(source);
        self.standing.write().unwrap_or_else(PoisonError::into_inner).remove(source);
        self.agents.forget(source);
    }

    /// Takes what was stored before this start; only what sources say from now on is newer.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn restore(&self, store: &mut Store) -> Result<(), StoreError> {
        for (source, observation, seen_at) in store.inventory()? {
            self.write().observe(&source, observation, seen_at);
        }
        Ok(())
    }

    /// Takes what a source said, and gives the moves it tells of.
    pub fn take(&self, source: &SourceId, observation: Observation, now: Timestamp) -> Vec<Move> {
        let moved = self.write().observe(source, observation, now);
        let index = self.index();
        let on = |vm: Option<&Vm>| {
            let key = vm?.hypervisor.as_ref()?;
            Some(index.hypervisor(source, key).map_or_else(|| key.clone(), |it| it.name.clone()))
        };
        let told = |Moved { before, after, .. }: Moved| {
            let (from, to) = (on(before.as_ref()), on(after.as_ref()));
            Move { at: now, source: source.clone(), from, to, before, after }
        };
        moved.into_iter().map(told).collect()
    }
}

/// A source that is being asked.
struct Asked {
    source: Source,
    task: JoinHandle<()>,
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Asks the sources of the configuration in force, for ever.
pub async fn keep(inventory: Arc<Inventory>, runtime: Runtime, readers: Arc<Readers>) {
    let mut asked: BTreeMap<SourceId, Asked> = BTreeMap::new();
    let mut cleaned = None;
    loop {
        let config = runtime.config();
        let wanted: BTreeMap<&SourceId, &Source> = config.document.sources.iter().map(|it| (&it.id, it)).collect();
        asked.retain(|id, asked| wanted.get(id).is_some_and(|source| **source == asked.source && !source.paused));
        for (id, source) in &wanted {
            if !source.paused && !asked.contains_key(*id) {
                let (it, inventory, readers) = ((*source).clone(), Arc::clone(&inventory), Arc::clone(&readers));
                let task = match source.kind {
                    SourceKind::Agents => actix_web::rt::spawn(store_reports(it.id, inventory, readers)),
                    _ => actix_web::rt::spawn(ask(it, inventory, readers)),
                };
                asked.insert((*id).clone(), Asked { source: (*source).clone(), task });
            }
        }
        let ids: BTreeSet<SourceId> = wanted.keys().map(|id| (*id).clone()).collect();
        if cleaned.as_ref() != Some(&ids) {
            let known: Vec<_> = inventory.index().sources().map(|(id, _)| id.clone()).collect();
            known.iter().filter(|id| !ids.contains(*id)).for_each(|id| inventory.forget(id));
            let keep = ids.clone();
            match readers.aside(move |store| store.inventory_keep(&keep)).await {
                Ok(()) => cleaned = Some(ids),
                Err(error) => tracing::warn!(%error, "machines of removed sources could not be forgotten"),
            }
        }
        time::sleep(LOOK_EVERY).await;
    }
}

/// Asks one source, for ever.
async fn ask(source: Source, inventory: Arc<Inventory>, readers: Arc<Readers>) {
    let mut written = Written::default();
    let mut collector = None;
    loop {
        let mut kind = match collector.take() {
            Some(kind) => kind,
            None => match Kind::of(&source) {
                Ok(kind) => kind,
                Err(fault) => {
                    wait_after(&inventory, &source, &fault).await;
                    continue;
                }
            },
        };
        match time::timeout(PATIENCE, kind.next()).await {
            Ok(Ok(observation)) => {
                collector = Some(kind);
                written.changed |= observation != Observation::default();
                heard(&inventory, &readers, &source.id, observation).await;
            }
            Ok(Err(fault)) => {
                // It begins anew with its next answer, and so the same collector goes on.
                collector = Some(kind);
                wait_after(&inventory, &source, &fault).await;
            }
            Err(_) => {
                let message = format!("it did not answer within {} s", PATIENCE.as_secs());
                wait_after(&inventory, &source, &Fault::new(super::FaultKind::Unreachable, message)).await;
            }
        }
        written.keep(&inventory, &readers, &source.id).await;
    }
}

/// Stores what the agents of a source report, for ever. It counts as soon as it is reported; nobody is asked here.
async fn store_reports(source: SourceId, inventory: Arc<Inventory>, readers: Arc<Readers>) {
    let desk = inventory.desk(&source);
    let mut written = Written::default();
    loop {
        desk.changed().await;
        written.changed = true;
        written.keep(&inventory, &readers, &source).await;
    }
}

async fn heard(inventory: &Arc<Inventory>, readers: &Arc<Readers>, source: &SourceId, observation: Observation) {
    let now = clock::now();
    // Some hundred thousand machines take a while.
    let (taking, id) = (Arc::clone(inventory), source.clone());
    let Ok(moves) = web::block(move || taking.take(&id, observation, now)).await else { return };
    inventory.note(source, |standing| {
        *standing = Standing { tried_at: standing.tried_at, answered: true, ..Standing::default() };
    });
    if !moves.is_empty()
        && let Err(error) = readers.aside(move |store| store.moves_put(&moves)).await
    {
        tracing::warn!(%error, source = source.as_str(), "where machines moved could not be stored");
    }
}

async fn wait_after(inventory: &Inventory, source: &Source, fault: &Fault) {
    let mut failures = 0;
    inventory.note(&source.id, |standing| {
        standing.failures = standing.failures.saturating_add(1);
        standing.error = Some(fault.message.clone());
        failures = standing.failures;
    });
    if failures == 1 {
        tracing::warn!(source = source.id.as_str(), error = %fault, "a source of machines does not answer; what it said before counts");
    }
    time::sleep(FIRST_RETRY.saturating_mul(1 << (failures - 1).min(8)).min(LAST_RETRY)).await;
}

/// What of a source is in the store.
#[derive(Default)]
struct Written {
    changed: bool,
    at: Option<Timestamp>,
    /// The digest of each part as it is stored.
    parts: BTreeMap<u64, u64>,
}

impl Written {
    async fn keep(&mut self, inventory: &Arc<Inventory>, readers: &Arc<Readers>, source: &SourceId) {
        let now = clock::now();
        if !self.changed || self.at.is_some_and(|at| now.ms_since(at) < STORE_EVERY.as_millis() as i64) {
            return;
        }
        let (reading, id, known) = (Arc::clone(inventory), source.clone(), self.parts.clone());
        let made = web::block(move || parts(&reading, &id, &known)).await;
        let Ok(Some((seen_at, new, all))) = made else { return };
        let id = source.clone();
        let put = readers.aside(move |store| {
            for (part, doc) in &new {
                store.inventory_put(&id, *part, seen_at, doc.as_deref())?;
            }
            Ok(())
        });
        match put.await {
            Ok(()) => *self = Self { changed: false, at: Some(now), parts: all },
            Err(error) => {
                tracing::warn!(%error, source = source.as_str(), "what a source said could not be stored; it is tried again")
            }
        }
    }
}

/// When the source said it, the parts that differ from what is stored (none: nothing is in it any more), and the digest of
/// every part.
type Parts = (Timestamp, Vec<(u64, Option<String>)>, BTreeMap<u64, u64>);

fn parts(inventory: &Inventory, source: &SourceId, known: &BTreeMap<u64, u64>) -> Option<Parts> {
    let (whole, seen_at) = inventory.index().whole(source)?;
    let Observation { hypervisors, vms, ports, neighbours, .. } = whole;
    let mut parts: BTreeMap<u64, Observation> = BTreeMap::new();
    // The first part is written each time: it says when the source was heard.
    let of = |key: &str| 1 + engine::placement::digest(key.as_bytes()) % PARTS;
    parts.insert(0, Observation { hypervisors, neighbours, ..Observation::default() });
    for vm in vms {
        parts.entry(of(&vm.key)).or_default().vms.push(vm);
    }
    for port in ports {
        parts.entry(of(&port.key)).or_default().ports.push(port);
    }
    let mut new = Vec::new();
    let mut digests = BTreeMap::new();
    for (part, observation) in parts {
        let doc = serde_json::to_string(&observation).ok()?;
        let digest = engine::placement::digest(doc.as_bytes());
        digests.insert(part, digest);
        if part == 0 || known.get(&part) != Some(&digest) {
            new.push((part, Some(doc)));
        }
    }
    new.extend((0..=PARTS).filter(|part| !digests.contains_key(part)).map(|part| (part, None)));
    Some((seen_at, new, digests))
}
