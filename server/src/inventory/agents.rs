//! Agents: they report which address answers at which interface of their segments, and are asked to look for one.
//!
//! Nobody goes and asks them: reports come over HTTP (`http::agents`), count at once, and the answer to a report is held so
//! that a question reaches the agent without waiting for its next one.

mod desk;
mod line;
mod report;

pub use desk::{Desk, Held, Taken};
pub use report::{ReportFault, is_agent_name};

use super::Inventory;
use ipnet::IpNet;
use shared::{
    SourceId, Timestamp,
    agent::AgentReport,
    config::{Source, SourceKind},
};
use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::watch;

/// The prefixes that one source may name.
const PREFIXES_MAX: usize = 64;

/// A desk for each source that agents report for.
#[derive(Debug)]
pub(super) struct Agents {
    desks: Mutex<BTreeMap<SourceId, Arc<Desk>>>,
    closing: watch::Sender<bool>,
}

impl Default for Agents {
    fn default() -> Self {
        Self { desks: Mutex::default(), closing: watch::Sender::new(false) }
    }
}

impl Agents {
    pub(super) fn forget(&self, source: &SourceId) {
        self.desks.lock().unwrap_or_else(PoisonError::into_inner).remove(source);
    }
}

impl Inventory {
    /// Where agents report for a source. After a start it holds what was stored of them.
    pub fn desk(&self, source: &SourceId) -> Arc<Desk> {
        let mut desks = self.agents.desks.lock().unwrap_or_else(PoisonError::into_inner);
        let desk = desks.entry(source.clone()).or_insert_with(|| {
            let (whole, seen_at) = self.index().whole(source).unwrap_or_default();
            Arc::new(Desk::new(whole.neighbours, seen_at, self.agents.closing.subscribe()))
        });
        Arc::clone(desk)
    }

    /// Takes a report: what it says counts from now on.
    ///
    /// # Errors
    /// When it holds what cannot be, or too much of it.
    pub fn report(&self, source: &SourceId, report: AgentReport, now: Timestamp) -> Result<Taken, ReportFault> {
        let tell = |observation| drop(self.take(source, observation, now));
        self.desk(source).take(report, now, tell)
    }

    /// Answers every report that is held, now and from now on: the server ends.
    pub fn answer_agents(&self) {
        self.agents.closing.send_replace(true);
    }
}

/// The prefixes in which a source's agents may be asked for an address.
///
/// # Errors
/// When there are too many, or one of them is none; the error names it.
pub(super) fn prefixes(source: &Source) -> Result<Vec<IpNet>, String> {
    if source.probe.len() > PREFIXES_MAX {
        return Err(format!("{} prefixes are named; {PREFIXES_MAX} are taken", source.probe.len()));
    }
    source.probe.iter().map(|text| prefix(text)).collect()
}

fn prefix(text: &str) -> Result<IpNet, String> {
    let read: Result<IpNet, _> = text.trim().parse();
    read.map_err(|_| format!("`{text}` is not a prefix; write 10.0.0.0/24 or 2001:db8::/64"))
}

/// Whether agents of this source may be asked for an address.
#[must_use]
pub fn may_ask(source: &Source, ip: IpAddr) -> bool {
    let is_inside = || prefixes(source).is_ok_and(|prefixes| prefixes.iter().any(|prefix| prefix.contains(&ip)));
    source.kind == SourceKind::Agents && !source.paused && is_inside()
}

/// What is wrong with a source of agents, as (field, message); nothing where it is none and says nothing of them.
pub(super) fn check(source: &Source) -> Option<(&'static str, String)> {
    if source.kind != SourceKind::Agents {
        let told = "only agents can be asked to look for addresses; leave `probe` out";
        return (!source.probe.is_empty()).then(|| ("probe", told.to_owned()));
    }
    if !source.address.is_empty() {
        let told = "agents report by themselves; leave `address` out, and give each a token \
                    (`tocsin token create --kind agent --name SOURCE/AGENT`)";
        return Some(("address", told.to_owned()));
    }
    prefixes(source).err().map(|why| ("probe", why))
}
