//! Hosts as lists and pages show them, as far as memory knows; who else knows something of them is asked elsewhere.

use super::{Hosts, lock, memory::Memory};
use shared::{
    Timestamp,
    api::{HostRow, SeriesRow},
    config::HostGroup,
    host::{HostFacts, HostTables},
    net::Mac,
};
use std::net::IpAddr;

/// A host with what joins it to others.
#[derive(Clone, Debug)]
pub struct Shown {
    pub row: HostRow,
    /// What it is called, and what it calls itself.
    pub names: Vec<String>,
    pub ips: Vec<IpAddr>,
    pub macs: Vec<Mac>,
}

/// What is known of one host besides its row.
#[derive(Clone, Debug)]
pub struct Detail {
    pub shown: Shown,
    pub facts: Option<HostFacts>,
    pub tables: Option<HostTables>,
    /// By name.
    pub series: Vec<SeriesRow>,
    pub clock_ahead_ms: Option<i64>,
    pub lost: u64,
}

impl Hosts {
    /// Every host, by name.
    pub fn shown(&self, groups: &[HostGroup], now: Timestamp) -> Vec<Shown> {
        self.all().iter().map(|memory| self.show(&lock(memory), groups, now)).collect()
    }

    /// One host.
    pub fn detail(&self, name: &str, groups: &[HostGroup], now: Timestamp) -> Option<Detail> {
        let memory = self.host(name)?;
        let memory = lock(&memory);
        let row = |it: &super::memory::Column| SeriesRow {
            name: it.series.text.to_string(),
            unit: it.series.unit,
            last: Some(it.last).filter(|last| !last.is_nan()),
            at: Timestamp::from_ms(it.at.max(0)),
            feed: it.feed,
        };
        let mut series: Vec<SeriesRow> = memory.columns.iter().filter(|it| it.at > i64::MIN).map(row).collect();
        series.sort_by(|a, b| a.name.cmp(&b.name));
        Some(Detail {
            shown: self.show(&memory, groups, now),
            facts: memory.facts.clone(),
            tables: memory.tables.clone(),
            series,
            clock_ahead_ms: memory.clock_ahead_ms,
            lost: memory.lost,
        })
    }

    fn show(&self, memory: &Memory, groups: &[HostGroup], now: Timestamp) -> Shown {
        let facts = memory.facts.as_ref();
        let ips = facts.map(|it| it.ips.clone()).unwrap_or_default();
        let row = HostRow {
            name: memory.name.clone(),
            state: memory.state(&self.mode(), now),
            seen_at: Timestamp::from_ms(memory.seen_at.max(0)),
            every_ms: memory.every_ms().unsigned_abs(),
            feeds: memory.feeds.keys().copied().collect(),
            // People know machines by the older kind of address where there is one.
            ip: ips.iter().find(|ip| ip.is_ipv4()).or_else(|| ips.first()).copied(),
            cpus: facts.map_or(0, |it| it.cpus),
            groups: groups.iter().filter(|it| it.holds(&memory.name)).map(|it| it.id.clone()).collect(),
            hypervisor: None,
            cluster: None,
            vitals: memory.vitals,
            severity: None,
            incidents: 0,
            worst: memory.worst,
        };
        let mut names = vec![memory.name.clone()];
        names.extend(facts.map(|it| it.hostname.clone()).filter(|name| !name.is_empty() && *name != memory.name));
        Shown { row, names, ips, macs: facts.map(|it| it.macs.clone()).unwrap_or_default() }
    }
}
