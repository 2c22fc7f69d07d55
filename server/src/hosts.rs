//! Receives what is measured of hosts, keeps it, and gives it back as it is looked at.
//!
//! Whoever measures hands over a [`Batch`]; the newest samples are in memory, older ones in the store, coarser with age.

mod counters;
pub mod falcon;
mod gather;
mod given;
mod intake;
pub mod judge;
pub mod own;
pub mod prometheus;
pub mod scrape;

pub use gather::Full;
pub use intake::{Intake, settle};

use shared::{
    Severity, Timestamp,
    host::{Feed, HostFacts, HostTables, Sample, SeriesName},
};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

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
    /// Values that were passed over: of series that another feed measures already, too old, or too many.
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
    #[error("a sample has {values} values, and {series} series are named")]
    Uneven { values: usize, series: usize },
}

/// A host as whoever judges it needs to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    pub name: String,
    /// When its newest sample was measured.
    pub seen_at: Timestamp,
    pub every_ms: u64,
}

/// The points of one series, the oldest first.
#[derive(Clone, Debug, PartialEq)]
pub struct Points {
    pub series: SeriesName,
    pub points: Vec<(Timestamp, f32)>,
}

/// Every host.
#[derive(Debug, Default)]
pub struct Hosts {
    hosts: Mutex<BTreeMap<String, Host>>,
}

#[derive(Debug, Default)]
struct Host {
    seen_at: Timestamp,
    every_ms: u64,
    series: BTreeMap<SeriesName, VecDeque<(Timestamp, f32)>>,
    touched: bool,
    worst: Option<Severity>,
}

impl Hosts {
    fn hosts(&self) -> MutexGuard<'_, BTreeMap<String, Host>> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a batch; what it says is seen at once by who looks.
    ///
    /// # Errors
    /// When it holds what cannot be, or too much of it. Nothing of it is taken then.
    pub fn take(&self, batch: Batch, now: Timestamp) -> Result<Taken, HostFault> {
        let mut names: Vec<SeriesName> = Vec::with_capacity(batch.series.len());
        for name in &batch.series {
            names.push(name.parse().map_err(|why: shared::host::SeriesFault| HostFault::Series {
                name: name.clone(),
                why: why.to_string(),
            })?);
        }
        let mut hosts = self.hosts();
        let host = hosts.entry(batch.host).or_default();
        host.every_ms = batch.every_ms;
        host.touched = true;
        for sample in batch.samples {
            host.seen_at = host.seen_at.max(sample.at.min(now));
            for (name, value) in names.iter().zip(sample.values) {
                let Some(value) = value else { continue };
                let ring = host.series.entry(name.clone()).or_default();
                ring.push_back((sample.at, value as f32));
                if ring.len() > 360 {
                    ring.pop_front();
                }
            }
        }
        Ok(Taken { every_ms: batch.every_ms, ..Taken::default() })
    }

    /// The hosts of which something came since this was asked last.
    pub fn touched(&self) -> Vec<String> {
        let mut hosts = self.hosts();
        let mut touched = Vec::new();
        for (name, host) in hosts.iter_mut() {
            if std::mem::take(&mut host.touched) {
                touched.push(name.clone());
            }
        }
        touched
    }

    /// Every host, by name.
    pub fn known(&self) -> Vec<Known> {
        let known = |(name, host): (&String, &Host)| Known {
            name: name.clone(),
            seen_at: host.seen_at,
            every_ms: host.every_ms,
        };
        self.hosts().iter().map(known).collect()
    }

    /// The newest points of each series of a host that `pattern` means, from `since` on, as far as they are in memory.
    pub fn recent(&self, host: &str, pattern: &SeriesName, since: Timestamp) -> Vec<Points> {
        let hosts = self.hosts();
        let Some(host) = hosts.get(host) else { return Vec::new() };
        let meant = host.series.iter().filter(|(name, _)| name.is_of(pattern));
        let points = |(name, ring): (&SeriesName, &VecDeque<(Timestamp, f32)>)| Points {
            series: name.clone(),
            points: ring.iter().filter(|(at, _)| *at >= since).copied().collect(),
        };
        meant.map(points).collect()
    }

    /// The worst rule that holds of each host that has one; every other has none.
    pub fn judged(&self, worst: &BTreeMap<String, Severity>) {
        for (name, host) in self.hosts().iter_mut() {
            host.worst = worst.get(name).copied();
        }
    }
}
