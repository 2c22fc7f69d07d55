//! The live connection: numbered deltas over one WebSocket, with resume and resync.
//!
//! A browser fetches the board by HTTP (which states the sequence number it is true at), connects, and
//! sends `Resume`. It then gets every later delta in order, or `Resync` when the gap is too large. Deltas
//! are coalesced (at most four frames a second) and carry the newest state of each changed incident.

use crate::{
    EventId, IncidentId, IntegrationId, Severity, Timestamp,
    api::{Counts, IncidentRow},
    host::{HostState, HostTables, Vitals},
    timeline::Outcome,
};
use serde::{Deserialize, Serialize};

/// The version of this protocol; a browser that speaks another one reloads.
pub const PROTOCOL: u32 = 1;
/// The server pings this often …
pub const PING_MS: i64 = 20_000;
/// … and a browser that heard nothing for this long reconnects.
pub const WATCHDOG_MS: i64 = 45_000;

/// What the server says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum LiveMessage {
    /// First on every connection.
    Hello {
        protocol: u32,
        version: String,
        seq: u64,
        now: Timestamp,
    },
    /// Everything that changed since the previous delta.
    Delta {
        /// One more than the previous delta's, or the browser has missed something and asks again.
        seq: u64,
        now: Timestamp,
        rows: Vec<IncidentRow>,
        /// Incidents that are no longer open, newest state included for those who look at them.
        gone: Vec<IncidentRow>,
        counts: Counts,
        /// The newest message of each integration that sent something.
        heard: Vec<Heard>,
        /// The configuration in force, when it changed.
        config: Option<i64>,
    },
    /// Fetch the board again: the gap is too large (or this browser was too slow).
    Resync {
        seq: u64,
    },
    /// The hosts that said something since the last of these; only to who looks at the board of hosts.
    Hosts {
        now: Timestamp,
        hosts: Vec<HostPulse>,
    },
    /// A sample of the host that is looked at.
    Host {
        now: Timestamp,
        name: String,
        state: HostState,
        every_ms: u64,
        at: Timestamp,
        /// In the order of the series that were asked for; none where the host has no such series.
        values: Vec<Option<f32>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tables: Option<Box<HostTables>>,
        /// The turn of the look that the values are in the order of.
        #[serde(default)]
        turn: u32,
    },
    Ping {
        now: Timestamp,
    },
    /// The session ended (signed out elsewhere, disabled, role changed): sign in again.
    SignedOut,
}

/// What a browser says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum BrowserMessage {
    /// Everything up to this sequence number is known.
    Resume {
        seq: u64,
    },
    Pong,
    /// What is on screen of hosts, instead of what was before; nothing when both are absent. It ends with the connection.
    Look {
        /// The board of all hosts.
        #[serde(default)]
        hosts: bool,
        #[serde(default)]
        host: Option<LookAt>,
    },
}

/// The host on screen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LookAt {
    pub name: String,
    /// Names of series; only those that are on screen.
    pub series: Vec<String>,
    /// Once a second, for as long as this is said.
    pub fast: bool,
    /// Processes, cores, control groups and peers too.
    #[serde(default)]
    pub tables: bool,
    /// Comes back with the values, so that those of another look are known on a slow line.
    #[serde(default)]
    pub turn: u32,
}

/// A host that just said something, or stopped to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HostPulse {
    pub name: String,
    pub state: HostState,
    pub seen_at: Timestamp,
    pub vitals: Vitals,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worst: Option<Severity>,
}

/// A message an integration just sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Heard {
    pub integration: IntegrationId,
    pub event: EventId,
    pub at: Timestamp,
    pub severity: Option<Severity>,
    pub summary: String,
    pub outcome: Outcome,
    pub incident: Option<IncidentId>,
}
