//! What an agent and the server say to each other: a report of one machine, answered with what to do next.
//!
//! `POST /agent/v1/report`, JSON both ways, with a token of kind `agent`. The answer is held until there is something to
//! do or `hold_ms` is over, so one connection carries both directions. Fields that a side does not know are passed over:
//! agent and server may be of different versions, and a report will hold more than neighbours one day.

use crate::{
    Timestamp,
    host::{HostFacts, HostTables, Sample},
    net::Mac,
};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// Where agents report.
pub const REPORT_PATH: &str = "/agent/v1/report";
/// An answer is held no longer than this, and reports come no more seldom.
pub const HOLD_MAX_MS: u64 = 30_000;
/// The addresses that one agent may tell of. A kernel keeps about a thousand unless it was told otherwise.
pub const NEIGHBOURS_MAX: usize = 4_096;
/// The interfaces that one agent may tell of, and the addresses of each.
pub const INTERFACES_MAX: usize = 64;
/// The addresses that an agent is asked for at once.
pub const PROBES_MAX: usize = 5;
/// Where agents say what they measured.
pub const SAMPLES_PATH: &str = "/agent/v1/samples";
/// The code of the answer to samples of the past of which too many wait to be stored; what was just measured is taken.
pub const BEHIND: &str = "behind";
/// The series that one host may have.
pub const SERIES_MAX: usize = 2_000;
/// The samples in one message; what was kept while the server was away comes in several.
pub const SAMPLES_MAX: usize = 360;
/// Nothing is measured more often.
pub const EVERY_MIN_MS: u64 = 1_000;
/// How often an agent measures while nobody looks, if the server does not say otherwise.
pub const EVERY_MS: u64 = 10_000;

/// What an agent says: everything it sees, or what changed since its last report.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct AgentReport {
    /// What the machine is called: 1 to 64 letters, digits, `.`, `-` and `_`.
    pub agent: String,
    /// Of the agent's program.
    pub version: String,
    /// Drawn at each start: changes build on what the same run has said.
    pub run: u64,
    /// It reports about this often; three times in vain, and it counts as silent.
    pub every_ms: u64,
    /// How long the answer may be held when there is nothing to do.
    pub hold_ms: u64,
    /// Everything it sees. Otherwise only what changed.
    pub whole: bool,
    /// The prefixes in which it may look for an address, by its own settings.
    pub probe: Vec<String>,
    /// Its own, always all of them.
    pub interfaces: Vec<AgentInterface>,
    pub neighbours: Vec<AgentNeighbour>,
    /// What it sees no more; only where this is not the whole.
    pub gone: Vec<AgentGone>,
    /// What came of the addresses it was asked for.
    pub probed: Vec<Probed>,
}

/// An interface of the agent's own machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct AgentInterface {
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mac: Option<Mac>,
    /// Each with the length of its prefix: `10.0.0.7/24`.
    pub ips: Vec<String>,
}

/// An entry of the kernel's neighbour table that has an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AgentNeighbour {
    pub interface: String,
    pub ip: IpAddr,
    pub mac: Mac,
    /// How long ago the answer was confirmed: ages do not depend on clocks that agree.
    pub age_ms: u64,
    /// A route leads over this address, or it says of itself that it is a router.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub router: bool,
}

/// An entry that is no longer there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AgentGone {
    pub interface: String,
    pub ip: IpAddr,
}

/// What came of looking for an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Probed {
    pub ip: IpAddr,
    pub outcome: ProbeOutcome,
}

/// How looking for an address went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ProbeOutcome {
    /// Who answered is among the neighbours.
    Answered,
    /// Nobody did within a second.
    Nobody,
    /// An old entry is there, and the kernel takes some seconds to confirm it; another outcome follows.
    Confirming,
    /// It is outside what the agent's own settings allow.
    NotAllowed,
    /// It is not on a segment of the agent's: a router would be asked instead.
    NotOnLink,
    /// The datagram could not be sent; the agent's log says why.
    NotSent,
}

/// What the server has to say to an agent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct AgentAnswer {
    /// The server does not know what the changes build on: the next report is to be the whole.
    pub whole: bool,
    /// Look for these, and report at once.
    pub probe: Vec<IpAddr>,
    /// Somebody looks at this host, or nobody does any more: measure this often from now on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every_ms: Option<u64>,
}

/// What an agent measured: some samples of the same series, the oldest first. `POST /agent/v1/samples`, JSON, gzip, with
/// the same token as reports.
///
/// A sample may be sent again: one of an instant that the server has is passed over.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct SampleReport {
    /// What the machine is called, as in reports; the host's name.
    pub agent: String,
    /// As in reports: drawn at each start. None says nothing of who it is.
    pub run: u64,
    /// The agent's clock as it sends this: when it is wrong by more than the way here takes, instants are set right by it.
    pub sent_at: Timestamp,
    /// It measures about this often now.
    pub every_ms: u64,
    /// With the first samples of a run, when they change, and when they are asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub facts: Option<HostFacts>,
    /// Names of series, as `disk.io.util/device=sda`.
    pub series: Vec<String>,
    pub samples: Vec<Sample>,
    /// As of the newest sample; not with what was kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tables: Option<HostTables>,
    /// Samples that were given up since there was no more room to keep them, since the agent started.
    pub lost: u64,
}

/// The answer to samples.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct SampleAnswer {
    /// Measure this often from now on.
    pub every_ms: u64,
    /// What is not after this is stored for good, by the agent's clock; the agent keeps what is, and sends it again when
    /// `again` says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stored_until: Option<Timestamp>,
    /// The server has started anew and may lack what is after `stored_until`.
    pub again: bool,
    /// Send the facts with the next samples.
    pub facts: bool,
}
