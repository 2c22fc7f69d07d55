//! Simulated years: a seeded world of senders, providers, people and crashes around the engine.
//!
//! One seed is one world, byte for byte: the same seed gives the same trace. After every event the world
//! asks the engine's own invariants and its promises to people, senders and the store; the first one that
//! does not hold ends the run with the seed that reproduces it.

mod house;
mod people;
mod promises;
mod providers;
mod senders;
mod store;
mod world;

pub use store::Store;

use crate::compile::Snapshot;
use shared::Timestamp;
use std::{fmt, sync::Arc};

/// How many things happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Calls of the engine.
    pub events: u64,
    /// Accepted bodies, repetitions by key included.
    pub messages: u64,
    pub opened: u64,
    pub refreshed: u64,
    pub closed: u64,
    pub suppressed: u64,
    pub dropped: u64,
    pub rejected: u64,
    pub incidents: u64,
    /// Deliveries begun, tries counted each.
    pub deliveries: u64,
    pub accepted: u64,
    /// Answers that did not come or were lost.
    pub ambiguous: u64,
    /// Pages that rang a second time, each after an ambiguous answer.
    pub rang_twice: u64,
    /// What people did, and what of it was refused.
    pub actions: u64,
    pub refused: u64,
    pub crashes: u64,
    /// Restarts from the store that were compared with the engine they replace.
    pub restores: u64,
    pub configurations: u64,
    /// Stretches in which the process stood still.
    pub sleeps: u64,
}

impl Counts {
    /// Adds another run's counts.
    pub fn add(&mut self, other: &Self) {
        for ((_, mine), (_, theirs)) in self.fields().into_iter().zip(other.values()) {
            *mine += theirs;
        }
    }

    fn fields(&mut self) -> [(&'static str, &mut u64); 19] {
        [
            ("events", &mut self.events),
            ("messages", &mut self.messages),
            ("opened", &mut self.opened),
            ("refreshed", &mut self.refreshed),
            ("closed", &mut self.closed),
            ("suppressed", &mut self.suppressed),
            ("dropped", &mut self.dropped),
            ("rejected", &mut self.rejected),
            ("incidents", &mut self.incidents),
            ("deliveries", &mut self.deliveries),
            ("accepted", &mut self.accepted),
            ("ambiguous", &mut self.ambiguous),
            ("rang twice", &mut self.rang_twice),
            ("actions", &mut self.actions),
            ("refused", &mut self.refused),
            ("crashes", &mut self.crashes),
            ("restores", &mut self.restores),
            ("configurations", &mut self.configurations),
            ("sleeps", &mut self.sleeps),
        ]
    }

    /// Each count with its name, in a fixed order.
    #[must_use]
    pub fn values(&self) -> [(&'static str, u64); 19] {
        self.clone().fields().map(|(name, value)| (name, *value))
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.values().into_iter().try_for_each(|(name, value)| writeln!(f, "{name:<15}{value:>12}"))
    }
}

/// How large the simulated world is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale {
    /// None: three to seven, as the seed will have it.
    pub people: Option<u32>,
    /// Four at least.
    pub policies: u32,
    /// Machines of each kind.
    pub machines: u32,
    /// How many troubles there are for one of a house.
    pub busy: u32,
}

impl Scale {
    /// A handful of people: everything happens close together.
    pub const HOUSE: Self = Self { people: None, policies: 4, machines: 8, busy: 1 };

    /// So many people and policies, with troubles in proportion: 200 people have about 600 incidents a day.
    #[must_use]
    pub fn town(people: u32, policies: u32) -> Self {
        let policies = policies.max(Self::HOUSE.policies);
        let machines = Self::HOUSE.machines.max(policies.saturating_add(10));
        Self { people: Some(people.max(1)), policies, machines, busy: (people / 33).max(1) }
    }

    const fn is_house(&self) -> bool {
        self.people.is_none()
    }
}

impl fmt::Display for Scale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.people {
            Some(people) => write!(f, "{people} people, {} policies", self.policies),
            None => f.write_str("a house"),
        }
    }
}

/// A run in which every promise held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    pub seed: u64,
    pub days: u32,
    pub scale: Scale,
    pub counts: Counts,
    /// SHA-256 of everything that happened, in hexadecimal: the same seed and days give the same.
    pub trace: String,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {}, {} days, {}", self.seed, self.days, self.scale)?;
        write!(f, "{}", self.counts)?;
        write!(f, "trace {}", self.trace)
    }
}

/// A promise that did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub seed: u64,
    pub days: u32,
    pub scale: Scale,
    pub at: Timestamp,
    pub what: String,
    /// The newest lines of the trace.
    pub tail: Vec<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.tail.iter().try_for_each(|line| writeln!(f, "{line}"))?;
        writeln!(f, "seed {} at {} ms: {}", self.seed, self.at.ms(), self.what)?;
        write!(f, "reproduce: tocsin simulate --seed {} --days {}", self.seed, self.days)?;
        match self.scale.people {
            Some(people) => write!(f, " --people {people} --policies {}", self.scale.policies),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Failure {}

/// How far a run has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    pub day: u32,
    pub days: u32,
    pub events: u64,
}

/// Simulates `days` of a world made from `seed`; without a configuration the world makes its own and
/// replaces it now and then. `progress` is called once a simulated day.
pub fn run(
    seed: u64,
    days: u32,
    scale: Scale,
    config: Option<Arc<Snapshot>>,
    mut progress: impl FnMut(Progress),
) -> Result<Report, Box<Failure>> {
    world::World::new(seed, days, scale, config).run(&mut progress)
}
