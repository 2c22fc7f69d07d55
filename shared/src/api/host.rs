//! Hosts: the board of them, one of them, its series in time, and the rules by which values become alerts.

use crate::{
    HostGroupId, IncidentId, Severity, TemplateId, ThresholdId, Timestamp,
    config::Threshold,
    host::{Feed, HostFacts, HostState, HostTables, Unit, Vitals},
};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// All hosts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HostBoard {
    pub now: Timestamp,
    /// By name.
    pub hosts: Vec<HostRow>,
    pub groups: Vec<HostGroupRow>,
}

/// A host, as lists show it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HostRow {
    pub name: String,
    pub state: HostState,
    /// When the newest sample was measured.
    pub seen_at: Timestamp,
    /// About how often it is measured now.
    pub every_ms: u64,
    pub feeds: Vec<Feed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<IpAddr>,
    pub cpus: u32,
    pub groups: Vec<HostGroupId>,
    /// Where its VM runs, if it is one that a source knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hypervisor: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    pub vitals: Vitals,
    /// Of its worst open incident.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    pub incidents: u32,
    /// The worst of its threshold rules that hold now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worst: Option<Severity>,
}

/// A group of hosts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HostGroupRow {
    pub id: HostGroupId,
    pub name: String,
    pub hosts: u32,
}

/// One host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HostDetail {
    pub now: Timestamp,
    pub row: HostRow,
    pub facts: Option<HostFacts>,
    pub tables: Option<HostTables>,
    /// What is measured of it, by name, with the newest value.
    pub series: Vec<SeriesRow>,
    pub rules: Vec<RuleStanding>,
    /// Open ones first, then those that were over in the stretch that was asked for: the last 24 hours if none was.
    pub incidents: Vec<HostIncident>,
    /// The VM that it is, for `/api/v1/vms/one`: source and key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vm: Option<HostVm>,
    /// How far its clock is ahead of this server's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock_ahead_ms: Option<i64>,
    /// Samples that its agent had to give up.
    pub lost: u64,
}

/// The VM that a host is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HostVm {
    pub source: String,
    pub key: String,
    pub name: String,
}

/// A series of a host and its newest value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SeriesRow {
    pub name: String,
    pub unit: Unit,
    pub last: Option<f32>,
    pub at: Timestamp,
    pub feed: Feed,
}

/// An incident that a host has a part in, as a band in its charts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HostIncident {
    pub id: IncidentId,
    pub title: String,
    pub severity: Severity,
    pub from: Timestamp,
    /// None while it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acked_at: Option<Timestamp>,
}

/// How a rule stands with a series of a host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RuleStanding {
    pub host: String,
    pub template: TemplateId,
    pub rule: ThresholdId,
    pub title: String,
    pub when: String,
    pub severity: Severity,
    /// Which series; the rule's own pattern where there is none of it.
    pub series: String,
    pub state: RuleState,
    /// Since when it is in this state.
    pub since: Timestamp,
    /// What the rule makes of the series: its newest value, or their mean, and so on.
    pub value: Option<f32>,
    pub threshold: Option<f32>,
}

/// How a rule stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum RuleState {
    Fine,
    /// Nothing can be said: there is no such series, or too little of it.
    Unknown,
    /// The condition holds, and not for long enough yet.
    Holding,
    Firing,
}

/// What is asked of series.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct SeriesQuery {
    /// Names; every host when empty.
    pub hosts: Vec<String>,
    /// Names of series; a metric alone means all series of it: `disk.io.util`.
    pub series: Vec<String>,
    pub from: Timestamp,
    pub until: Timestamp,
    /// The most points of each line: twice as many as there are pixels is plenty.
    pub points: u32,
}

/// Series in time, all with the same instants: the n-th point is of the time from `from + n * step_ms` on, for `step_ms`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SeriesAnswer {
    pub now: Timestamp,
    pub from: Timestamp,
    pub step_ms: i64,
    pub points: u32,
    pub lines: Vec<SeriesLine>,
    /// More lines would have matched; they are left out.
    pub left_out: u32,
}

/// One series in time. Nothing was measured where there is none: a gap.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SeriesLine {
    pub host: String,
    pub series: String,
    pub unit: Unit,
    pub mean: Vec<Option<f32>>,
    /// Left out where each is the mean: a point is one sample then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub least: Vec<Option<f32>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub greatest: Vec<Option<f32>>,
}

/// The threshold rules of the configuration in force, and how each stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ThresholdBoard {
    pub templates: Vec<TemplateRow>,
    /// What fires or holds now, the worst first; at most 500.
    pub standing: Vec<RuleStanding>,
}

/// A template and the hosts it is for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TemplateRow {
    pub template: crate::config::Template,
    pub hosts: u32,
    /// With those of its parents, in the order in which they are listed.
    pub rules: Vec<ThresholdRow>,
}

/// A rule of a template, its own or a parent's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ThresholdRow {
    pub rule: Threshold,
    /// The parent it is from, if it is not the template's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<TemplateId>,
    pub firing: u32,
    pub holding: u32,
    /// Series that it looks at.
    pub series: u32,
}

/// A rule that is not stored, to be tried on what was measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ThresholdTrial {
    pub rule: Threshold,
    /// Whose hosts; every host when both are empty.
    #[serde(default)]
    pub groups: Vec<HostGroupId>,
    #[serde(default)]
    pub hosts: Vec<String>,
    pub from: Timestamp,
    pub until: Timestamp,
}

/// What a rule would have done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ThresholdForecast {
    pub from: Timestamp,
    pub until: Timestamp,
    pub hosts: u32,
    pub series: u32,
    /// The alerts it would have raised, in order; at most 1,000.
    pub alerts: Vec<WouldAlert>,
    pub left_out: u32,
    /// How far apart the points were that it was tried on; more than the hosts' own interval where only roll-ups are kept.
    pub step_ms: i64,
}

/// An alert that a rule would have raised.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WouldAlert {
    pub host: String,
    pub series: String,
    pub from: Timestamp,
    /// None: it would still last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// As it began.
    pub value: Option<f32>,
    /// How often it would have been told.
    pub steps: u32,
}

/// What is asked for a token of a new agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NewAgent {
    /// Of the host: 1 to 64 letters, digits, `.`, `-` and `_`.
    pub name: String,
}
