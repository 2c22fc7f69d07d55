//! Receives what is measured of hosts, keeps it, and gives it back as it is looked at.
//!
//! Whoever measures hands over a [`Batch`]; the newest samples are in memory, older ones in the store, coarser with age.

mod codec;
mod counters;
pub mod falcon;
mod gather;
mod given;
mod intake;
pub mod judge;
mod keep;
mod memory;
mod names;
pub mod own;
mod part;
pub mod prometheus;
mod query;
mod rollup;
pub mod scrape;
mod show;
mod speaker;
mod table;
mod vitals;
mod watch;

pub use gather::Full;
pub use intake::{Intake, settle};

pub use keep::keep;
pub use query::QueryFault;
pub use show::{Detail, Shown};
pub use speaker::{Clocked, Spoken};
pub use watch::{Looking, Seen};

use bytestring::ByteString;
use memory::{Memory, Mode};
use names::Names;
use shared::{
    Severity, Timestamp,
    agent::{SAMPLES_MAX, SERIES_MAX},
    config::HostMode,
    host::{Feed, HostFacts, HostTables, Sample, SeriesName},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeInclusive,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};
use tokio::sync::{Semaphore, broadcast};

/// Hosts that are kept.
pub const HOSTS_MAX: usize = 20_000;
/// The longest name of a host.
const NAME_MAX: usize = 255;
/// Values of the past that may wait to be stored, of all hosts: 64 MB.
const LATE_MAX: usize = 16 << 20;
/// Values that may wait to be stored altogether, 400 MB: an hour of a thousand hosts with 300 series every ten seconds.
const UNSAVED_MAX: usize = 100 << 20;
/// With so many of them waiting, hosts are stored before their turn.
const LATE_MUCH: usize = LATE_MAX / 2;
/// From 1970 to the end of the year 9999; an instant beyond is none, and could not be reckoned with.
const INSTANTS: RangeInclusive<i64> = 0..=253_402_300_799_999;
/// Samples that end longer ago than this are of the past.
const PAST_MS: i64 = 3 * memory::SLOT_MS;
/// Frames of the board that wait for one browser.
const PULSES: usize = 4;
/// Questions for series that are answered at one time.
const READINGS: usize = 3;

/// What one feed says of one host: some samples of the same series, the oldest first, by this server's clock.
#[derive(Clone, Debug)]
pub struct Batch {
    pub host: String,
    pub feed: Feed,
    /// It measures about this often.
    pub every_ms: u64,
    pub facts: Option<HostFacts>,
    pub series: Vec<String>,
    pub samples: Vec<Sample>,
    pub tables: Option<HostTables>,
    /// How far its clock is ahead of ours; what it is off by is taken from `samples` already.
    pub clock_ahead_ms: Option<i64>,
    /// Samples that the feed had to give up since it began.
    pub lost: u64,
}

/// What became of a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// How often to measure from now on.
    pub every_ms: u64,
    /// What is not after this is in the store.
    pub stored_until: Option<Timestamp>,
    /// This server has begun anew and may lack what is after `stored_until`.
    pub again: bool,
    /// The facts are not known.
    pub facts: bool,
    /// Values that were passed over: there already, of series that another feed measures, too old, or no numbers.
    pub passed_over: u64,
}

/// Why a batch is not taken at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostFault {
    #[error(
        "`{0}` is not the name of a host; use 1 to 255 characters without spaces at the ends and control characters"
    )]
    Name(String),
    #[error("a series is called `{name}`: {why}")]
    Series { name: String, why: String },
    #[error("there are {n} {what}; {most} are taken")]
    TooMany { what: &'static str, n: usize, most: usize },
    #[error("`sent_at` is {0}, which is no time; it is in milliseconds since 1970")]
    Sent(i64),
    #[error("a sample has {values} values, and {series} series are named")]
    Uneven { values: usize, series: usize },
    #[error(
        "another machine's agent measures a host called `{0}`; the names of hosts are one space, whatever the source of a \
         token: start one of the two with another --name"
    )]
    Another(String),
    /// Nothing is wrong with it; it is to be sent again later.
    #[error("so many samples of the past wait to be stored that no more are taken; send them again in a minute")]
    Behind,
}

/// A host as whoever judges it needs to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    pub name: String,
    /// When its newest sample was measured, by whatever clock did so.
    pub seen_at: Timestamp,
    /// When something of it came last.
    pub heard_at: Timestamp,
    pub every_ms: u64,
}

/// The points of one series, the oldest first.
#[derive(Clone, Debug, PartialEq)]
pub struct Points {
    pub series: SeriesName,
    /// How far apart they usually are.
    pub step_ms: i64,
    pub points: Vec<(Timestamp, f32)>,
}

/// What all of them cost and did, for those who watch this server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    pub hosts: usize,
    /// Values in memory that are not stored yet.
    pub unsaved_values: usize,
    /// Bytes of compressed samples in memory.
    pub sealed_bytes: usize,
    /// Since the server began.
    pub samples: u64,
    pub values: u64,
    pub passed_over: u64,
}

type Shared = Arc<Mutex<Memory>>;

/// Every host.
#[derive(Debug)]
pub struct Hosts {
    hosts: RwLock<BTreeMap<String, Shared>>,
    names: Names,
    mode: RwLock<Mode>,
    /// Those of which something came since they were judged last.
    touched: Mutex<BTreeSet<String>>,
    /// Those of which something came since the board was told last.
    pulsed: Mutex<BTreeSet<String>>,
    pulses: broadcast::Sender<ByteString>,
    paces: watch::Paces,
    numbers: AtomicU64,
    /// Values of the past that wait to be stored.
    late: AtomicUsize,
    samples: AtomicU64,
    values: AtomicU64,
    /// One at a time stores a host: what is there is read, put together and written.
    storing: Mutex<()>,
    readings: Semaphore,
}

impl Default for Hosts {
    fn default() -> Self {
        Self {
            hosts: RwLock::default(),
            names: Names::default(),
            mode: RwLock::default(),
            touched: Mutex::default(),
            pulsed: Mutex::default(),
            pulses: broadcast::Sender::new(PULSES),
            paces: watch::Paces::default(),
            numbers: AtomicU64::new(0),
            late: AtomicUsize::new(0),
            samples: AtomicU64::new(0),
            values: AtomicU64::new(0),
            storing: Mutex::default(),
            readings: Semaphore::new(READINGS),
        }
    }
}

impl Hosts {
    /// Takes how hosts are kept from the configuration in force.
    pub fn configure(&self, mode: &HostMode) {
        *self.mode.write().unwrap_or_else(PoisonError::into_inner) = Mode::from(mode);
    }

    fn mode(&self) -> Mode {
        self.mode.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn host(&self, name: &str) -> Option<Shared> {
        self.hosts.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// Every host, by name; each is locked for as long as it is looked at, and no longer.
    fn all(&self) -> Vec<Shared> {
        self.hosts.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    fn pulsed(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.pulsed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next_number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    /// Takes a batch; what it says is seen at once by who looks.
    ///
    /// # Errors
    /// When it holds what cannot be, or too much of it. Nothing of it is taken then.
    pub fn take(&self, batch: Batch, now: Timestamp) -> Result<Taken, HostFault> {
        check(&batch)?;
        let newest = batch.samples.iter().map(|it| it.at.ms()).max();
        let is_late = newest.is_some_and(|at| at.saturating_add(PAST_MS) < now.ms());
        if is_late && self.late.load(Ordering::Relaxed) > LATE_MAX {
            return Err(HostFault::Behind);
        }
        let (mode, memory) = (self.mode(), self.host_or_new(&batch.host, now)?);
        let mut taken = lock(&memory).take(&batch, &self.names, &mode, now)?;
        let values: usize = batch.samples.iter().map(|it| it.values.len()).sum();
        if is_late {
            self.late.fetch_add(values, Ordering::Relaxed);
        }
        crate::telemetry::measured(batch.feed, batch.samples.len(), values);
        self.samples.fetch_add(batch.samples.len() as u64, Ordering::Relaxed);
        self.values.fetch_add(values as u64, Ordering::Relaxed);
        if matches!(batch.feed, Feed::Agent | Feed::Own) {
            taken.every_ms = self.paces.tell(&batch.host, mode.every_ms, now).unsigned_abs();
        }
        self.touched.lock().unwrap_or_else(PoisonError::into_inner).insert(batch.host.clone());
        self.pulsed().insert(batch.host);
        Ok(taken)
    }

    fn host_or_new(&self, name: &str, now: Timestamp) -> Result<Shared, HostFault> {
        if let Some(memory) = self.host(name) {
            return Ok(memory);
        }
        let mut hosts = self.hosts.write().unwrap_or_else(PoisonError::into_inner);
        let n = hosts.len() + 1;
        if n > HOSTS_MAX && !hosts.contains_key(name) {
            return Err(HostFault::TooMany { what: "hosts", n, most: HOSTS_MAX });
        }
        let new = || Arc::new(Mutex::new(Memory::new(name.to_owned(), now)));
        Ok(Arc::clone(hosts.entry(name.to_owned()).or_insert_with(new)))
    }

    /// How often a host is to be measured now, by whoever asks it every `usual_ms`: once a second while somebody looks.
    pub fn every_ms(&self, host: &str, usual_ms: u64, now: Timestamp) -> u64 {
        let usual_ms = i64::try_from(usual_ms).unwrap_or(i64::MAX);
        self.paces.every_ms(host, usual_ms, now).unsigned_abs()
    }

    /// Waits until the agent of a host is to measure more or less often than it was told last, and gives how often.
    pub async fn pace(&self, host: &str) -> u64 {
        let usual_ms = self.mode().every_ms;
        self.paces.change(host, usual_ms).await.unsigned_abs()
    }

    /// The hosts of which something came since this was asked last.
    pub fn touched(&self) -> Vec<String> {
        let touched = std::mem::take(&mut *self.touched.lock().unwrap_or_else(PoisonError::into_inner));
        touched.into_iter().collect()
    }

    /// Every host, by name.
    pub fn known(&self) -> Vec<Known> {
        self.all().iter().map(|memory| lock(memory).known()).collect()
    }

    /// The series of a host that `pattern` means, and when each was measured last; none that was not for an hour.
    pub fn heard(&self, host: &str, pattern: &SeriesName) -> Vec<(SeriesName, Timestamp)> {
        self.host(host).map(|memory| lock(&memory).heard(pattern)).unwrap_or_default()
    }

    /// The newest points of each series of a host that `pattern` means, as far as they are in memory, from where `since`
    /// says for points so many ms apart; at least `least_ms`.
    pub fn recent(&self, host: &str, pattern: &SeriesName, least_ms: i64, since: &dyn Fn(i64) -> i64) -> Vec<Points> {
        self.host(host).map(|memory| lock(&memory).recent(pattern, least_ms, since)).unwrap_or_default()
    }

    /// Whether a host has a series of this name; none that did not come for an hour.
    pub fn has(&self, host: &str, series: &str) -> bool {
        self.host(host).is_some_and(|memory| lock(&memory).has(series))
    }

    /// Gives up the oldest of what is not stored, of every host, until it is at most so many values: an outage of the store
    /// must not become one of the pager.
    fn shed(&self, most: usize) {
        loop {
            let hosts = self.all();
            let unsaved: usize = hosts.iter().map(|memory| lock(memory).size().0).sum();
            let oldest = hosts.iter().filter_map(|memory| lock(memory).oldest_open()).min();
            let Some(oldest) = oldest.filter(|_| unsaved > most) else { return };
            for memory in &hosts {
                let mut memory = lock(memory);
                while memory.oldest_open() == Some(oldest) {
                    memory.give_up_oldest();
                }
            }
        }
    }

    /// The worst rule that holds of each host that has one; every other has none.
    pub fn judged(&self, worst: &BTreeMap<String, Severity>) {
        for memory in self.all() {
            let mut memory = lock(&memory);
            let is = worst.get(&memory.name).copied();
            if std::mem::replace(&mut memory.worst, is) != is {
                self.pulsed().insert(memory.name.clone());
            }
        }
    }

    /// What all of them cost and did.
    pub fn load(&self) -> Load {
        let mut load = Load {
            samples: self.samples.load(Ordering::Relaxed),
            values: self.values.load(Ordering::Relaxed),
            ..Load::default()
        };
        for memory in self.all() {
            let memory = lock(&memory);
            let (unsaved, sealed) = memory.size();
            load.hosts += 1;
            load.unsaved_values += unsaved;
            load.sealed_bytes += sealed;
            load.passed_over += memory.passed_over;
        }
        load
    }
}

fn lock(memory: &Mutex<Memory>) -> MutexGuard<'_, Memory> {
    memory.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Refuses what cannot be.
fn check(batch: &Batch) -> Result<(), HostFault> {
    let name = &batch.host;
    let chars = name.chars().count();
    if !(1..=NAME_MAX).contains(&chars) || name.trim() != name || name.chars().any(char::is_control) {
        return Err(HostFault::Name(name.chars().take(NAME_MAX).collect()));
    }
    for (what, n, most) in [
        ("series of this host", batch.series.len(), SERIES_MAX),
        ("samples in one message", batch.samples.len(), SAMPLES_MAX),
    ] {
        if n > most {
            return Err(HostFault::TooMany { what, n, most });
        }
    }
    let series = batch.series.len();
    let uneven = batch.samples.iter().map(|it| it.values.len()).find(|values| *values != series);
    uneven.map_or(Ok(()), |values| Err(HostFault::Uneven { values, series }))
}

#[cfg(test)]
mod tests;
