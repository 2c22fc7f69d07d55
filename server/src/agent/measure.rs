//! Measures the machine it runs on: one sample of every series, the tables beside it, and what the machine is.
//!
//! Everything is read from the kernel's files and sockets, without privilege. A rate is what a counter grew by, over the
//! time between two readings by a clock that nobody sets; a counter that went back says nothing once. What cannot be read
//! is none, never zero, and [`HostFacts::missing`] says why.

mod cgroups;
mod command;
mod cpu;
mod diag;
mod disks;
mod facts;
mod fields;
mod interfaces;
mod memory;
mod peers;
mod processes;
mod roots;
mod sockets;
mod space;
mod tasks;
mod values;

pub(crate) use interfaces::is_made;
pub use roots::Roots;

use shared::{
    Timestamp,
    host::{HostFacts, HostTables, Sample},
};
use std::{collections::BTreeMap, time::Duration};
use values::Values;

/// Tables that cost more than they tell by the second are made anew no more often.
const SLOW_EVERY: Duration = Duration::from_secs(10);

/// What was measured at one instant.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// Names of series, in the order of the sample's values.
    pub series: Vec<String>,
    pub sample: Sample,
    pub tables: HostTables,
}

/// Measures, and remembers the counters of the last time.
#[derive(Debug)]
pub struct Meter {
    roots: Roots,
    cpu: cpu::Cpu,
    memory: memory::Memory,
    disks: disks::Disks,
    interfaces: interfaces::Interfaces,
    sockets: sockets::Sockets,
    processes: processes::Processes,
    cgroups: cgroups::Cgroups,
    last: Option<Timestamp>,
    missing: BTreeMap<&'static str, String>,
}

impl Meter {
    /// Of the machine that this program runs on.
    #[must_use]
    pub fn here() -> Self {
        Self::of(Roots::here())
    }

    /// Of the machine whose files are there.
    #[must_use]
    pub fn of(roots: Roots) -> Self {
        Self {
            roots,
            cpu: cpu::Cpu::default(),
            memory: memory::Memory::default(),
            disks: disks::Disks::default(),
            interfaces: interfaces::Interfaces::default(),
            sockets: sockets::Sockets::default(),
            processes: processes::Processes::default(),
            cgroups: cgroups::Cgroups::default(),
            last: None,
            missing: BTreeMap::new(),
        }
    }

    /// Measures once; takes some milliseconds, in which it may wait for the disk. The first time there are no rates.
    ///
    /// `ntp_offset_ms` is what whoever asks a time server knows.
    pub fn measure(&mut self, now: Timestamp, ntp_offset_ms: Option<f64>) -> Measured {
        let mut out = Values::default();
        out.put("agent.alive", 1.0);
        out.put("kernel.uptime", self.roots.uptime().map(|it| it.as_secs_f64()));
        out.put("sys.ntp.offset", ntp_offset_ms);
        let cores = self.cpu.measure(&self.roots, &mut out);
        self.memory.measure(&self.roots, &mut out);
        space::measure(&self.roots, &mut out);
        self.disks.measure(&self.roots, &mut out);
        self.interfaces.measure(&self.roots, &mut out);
        let peers = self.sockets.measure(&self.roots, &mut out);
        let processes = self.processes.measure(&self.roots, &mut out);
        tasks::measure(&self.roots, &mut out);
        let cgroups = self.cgroups.measure(&self.roots, &mut out);
        if ntp_offset_ms.is_none() {
            out.lacks("sys.ntp.offset", "no time server answers; name one with --ntp SERVER");
        }
        // Two samples of one instant would be one.
        let at = self.last.filter(|last| *last == now).map_or(now, |last| last.plus_ms(1));
        self.last = Some(at);
        let Values { names, values, missing } = out;
        self.missing = missing;
        let tables = HostTables { at, processes, cores, cgroups, peers };
        Measured { series: names, sample: Sample { at, values }, tables }
    }

    /// What the machine is, and what could not be measured the last time.
    #[must_use]
    pub fn facts(&self) -> HostFacts {
        let missing = self.missing.iter().map(|(what, why)| format!("{what}: {why}")).collect();
        HostFacts { missing, ..facts::read(&self.roots) }
    }
}

#[cfg(test)]
mod tests;
