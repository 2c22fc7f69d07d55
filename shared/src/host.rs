//! Monitored machines: what they are, what is measured of them and under which names, and how each stands.
//!
//! A host has series. A series is a metric, as Open-Falcon names it, with tags: `cpu.idle`,
//! `df.bytes.used.percent/mount=/data`. What other senders call otherwise is given these names, so that one rule and one
//! chart are about every machine, whoever measures it.

mod facts;
mod metric;
mod pattern;
mod series;

pub use facts::{CgroupUse, CoreUse, HostFacts, HostTables, PeerUse, ProcessUse};
pub use metric::{METRICS, Metric, Unit, Worse, metric};
pub use pattern::is_meant;
pub use series::{SERIES_MAX_BYTES, SeriesFault, SeriesName};

use crate::Timestamp;
use serde::{Deserialize, Serialize};

/// Who measures a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Feed {
    /// `tocsin agent` on the machine itself.
    Agent,
    /// This server, of the machine it runs on.
    Own,
    /// Somebody who speaks Open-Falcon's push.
    Falcon,
    /// A Prometheus that writes here.
    RemoteWrite,
    /// A `node_exporter` that this server asks.
    Scrape,
}

/// Whether a host is heard from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum HostState {
    Live,
    /// Two samples in a row did not come; what it said last is shown with its age.
    Late,
    /// It has said nothing for as long as counts as silent, and its alert is raised.
    Silent,
}

/// All series of a host at one instant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Sample {
    pub at: Timestamp,
    /// In the order of the names they are sent with; none where nothing could be measured. Rates are of the time since
    /// the sample before.
    pub values: Vec<Option<f64>>,
}

/// The few values of a host that lists show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Vitals {
    /// Of a hundred, of all cores.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_busy: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_iowait: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load1: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mem_used: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub swap_used: Option<f32>,
    /// The fullest file system, of a hundred.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk_used: Option<f32>,
    /// The busiest disk, of a hundred.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk_util: Option<f32>,
    /// Of all interfaces but the loopback and those that ride on others, which have the tag `kind`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub net_in_bits: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub net_out_bits: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tcp_established: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tcp_time_wait: Option<f32>,
    /// Of the tasks that the kernel would allow, of a hundred.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pids_used: Option<f32>,
}
