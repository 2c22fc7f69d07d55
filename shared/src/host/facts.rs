//! What a host is, and what is looked at as a table: processes, cores, control groups, peers.

use crate::{Timestamp, net::Mac};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// What a host is; changes seldom.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct HostFacts {
    /// As the machine calls itself.
    pub hostname: String,
    /// `Debian GNU/Linux 12 (bookworm)`.
    pub os: String,
    /// `6.1.0-26-amd64`.
    pub kernel: String,
    /// `x86_64`.
    pub arch: String,
    pub cpu_model: String,
    pub cpus: u32,
    pub memory_bytes: u64,
    pub swap_bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub boot_at: Option<Timestamp>,
    /// Its own addresses, without the loopback: by these it is joined to its VM.
    pub ips: Vec<IpAddr>,
    pub macs: Vec<Mac>,
    /// Of the program that measures.
    pub version: String,
    /// What that program cannot measure here, and why: `cgroups: /sys/fs/cgroup is not mounted`.
    pub missing: Vec<String>,
}

/// What is looked at as a table. Only the newest is kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct HostTables {
    pub at: Timestamp,
    /// Those that use most of the processor or of memory, the busiest first.
    pub processes: Vec<ProcessUse>,
    /// In the order of their numbers.
    pub cores: Vec<CoreUse>,
    /// Those with the most tasks first.
    pub cgroups: Vec<CgroupUse>,
    /// TCP connections by the port at the other end (or our own, for what we serve), those with the most first.
    pub peers: Vec<PeerUse>,
}

/// One process.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct ProcessUse {
    pub pid: u32,
    pub name: String,
    pub user: String,
    /// `R`, `S`, `D`, `Z` …, as in proc(5).
    pub state: String,
    /// Of one core: 200 is two whole cores.
    pub cpu_percent: f32,
    pub rss_bytes: u64,
    pub threads: u32,
    pub read_bytes_s: Option<f32>,
    pub write_bytes_s: Option<f32>,
    /// The command line, shortened; without anything that looks like a password.
    pub command: String,
}

/// How one core spent the time since the sample before, each of a hundred.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct CoreUse {
    pub core: u32,
    pub user: f32,
    pub nice: f32,
    pub system: f32,
    pub idle: f32,
    pub iowait: f32,
    pub irq: f32,
    pub softirq: f32,
    pub steal: f32,
    pub guest: f32,
}

/// One control group.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct CgroupUse {
    /// Below the root of control groups: `/system.slice/nginx.service`.
    pub path: String,
    pub pids: u64,
    /// None: as many as the kernel allows.
    pub pids_max: Option<u64>,
    pub memory_bytes: Option<u64>,
    pub memory_max_bytes: Option<u64>,
    /// Of one core.
    pub cpu_percent: Option<f32>,
}

/// Connections that have one port in common.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct PeerUse {
    pub port: u16,
    /// The port is ours, and others come to it; otherwise it is theirs.
    pub ours: bool,
    pub established: u32,
    pub time_wait: u32,
    pub close_wait: u32,
    pub other: u32,
    /// The address at the other end with the most of them, and how many.
    pub busiest: Option<(IpAddr, u32)>,
}
