//! Hosts: how they are measured and kept, groups of them, and the rules by which a value becomes an alert.

use crate::{Delay, HostGroupId, Severity, TemplateId, ThresholdId, WindowId, host::is_meant};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How hosts are measured and how long that is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct HostMode {
    /// How often agents measure while nobody looks; once a second while somebody does.
    pub every: Delay,
    /// How long every sample is kept, how long a minute's, and how long ten minutes' least, greatest, mean and last value.
    pub keep_samples: Delay,
    pub keep_minutes: Delay,
    pub keep_tens: Delay,
    /// A host that says nothing for so long is silent. At least three of its own intervals, whatever this says.
    pub silent_after: Delay,
    /// The severity of that alert; none: it is shown, and nobody is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub silent_severity: Option<Severity>,
    /// Measures the machine this server runs on.
    pub own: bool,
    /// An address on this server for agents of Open-Falcon that speak its own protocol (JSON-RPC, as `transfer` does at
    /// port 8433). They have no token, so `falcon_from` says from where they may come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub falcon_listen: Option<String>,
    /// Prefixes, as `10.0.0.0/24`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub falcon_from: Vec<String>,
    /// `node_exporter`s that this server asks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scrapes: Vec<Scrape>,
}

impl Default for HostMode {
    fn default() -> Self {
        Self {
            every: Delay::secs(10),
            keep_samples: Delay::mins(48 * 60),
            keep_minutes: Delay::mins(14 * 24 * 60),
            keep_tens: Delay::mins(400 * 24 * 60),
            silent_after: Delay::mins(3),
            silent_severity: Some(Severity::P2),
            own: true,
            falcon_listen: None,
            falcon_from: Vec::new(),
            scrapes: Vec::new(),
        }
    }
}

/// A `node_exporter` that is asked for what it measures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Scrape {
    /// `http://10.0.0.7:9100/metrics`.
    pub address: String,
    /// What the host is called; by default as it calls itself (`node_uname_info`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    #[serde(default = "default_scrape_every")]
    pub every: Delay,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// A file on this server with the certificates (PEM) of those who may have signed its own, instead of the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub paused: bool,
}

const fn default_scrape_every() -> Delay {
    Delay::secs(15)
}

/// Hosts that are meant together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct HostGroup {
    pub id: HostGroupId,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Names with `*` and `?`: `web-*`, `db-0?.example.org`. A host belongs to the group when one of them is its own.
    pub hosts: Vec<String>,
    /// Names that do not belong to it all the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub except: Vec<String>,
}

impl HostGroup {
    /// What people call it.
    #[must_use]
    pub fn title(&self) -> &str {
        if self.name.is_empty() { self.id.as_str() } else { &self.name }
    }

    /// Whether the host of this name belongs to it.
    #[must_use]
    pub fn holds(&self, host: &str) -> bool {
        let any = |patterns: &[String]| patterns.iter().any(|pattern| is_meant(pattern, host));
        any(&self.hosts) && !any(&self.except)
    }
}

/// Rules that are bound to groups of hosts together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Template {
    pub id: TemplateId,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Its rules count too, but for those with an id that this one has itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<TemplateId>,
    /// The groups whose hosts its rules are for. A template without groups is only there to be a parent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<HostGroupId>,
    /// Its rules are for every host.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub every_host: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Threshold>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub paused: bool,
}

impl Template {
    /// What people call it.
    #[must_use]
    pub fn title(&self) -> &str {
        if self.name.is_empty() { self.id.as_str() } else { &self.name }
    }
}

/// When a value becomes an alert, and when it is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Threshold {
    pub id: ThresholdId,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// As Open-Falcon writes it: `all(#3) cpu.idle < 5`, `avg(5m) load.1min > 40`,
    /// `max(#2) df.bytes.used.percent/mount=/data >= 90`, `nodata(5m) nginx.alive`. Each series of the metric is judged by
    /// itself.
    pub when: String,
    /// It must hold for so long before it counts.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub hold: Delay,
    /// Once it counts, it is over only when this holds, such as `all(#3) cpu.idle > 15`; when `when` holds no longer, if
    /// this is not written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clear: Option<String>,
    #[serde(default = "default_severity")]
    pub severity: Severity,
    /// It is told so often while it lasts, the first time included; not at all with 0.
    #[serde(default = "default_steps")]
    pub max_steps: u32,
    /// At least so long between two of these.
    #[serde(default = "default_every")]
    pub every: Delay,
    /// Time windows outside which it does not count; always when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub during: Vec<WindowId>,
    /// What the alert says, instead of the condition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub paused: bool,
}

impl Threshold {
    /// What people call it.
    #[must_use]
    pub fn title(&self) -> &str {
        if self.name.is_empty() { &self.when } else { &self.name }
    }
}

const fn is_zero(delay: &Delay) -> bool {
    delay.0 == 0
}

const fn default_severity() -> Severity {
    Severity::P2
}

const fn default_steps() -> u32 {
    3
}

const fn default_every() -> Delay {
    Delay::mins(5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_holds_what_one_of_its_patterns_means_and_none_of_its_exceptions() {
        let group = HostGroup {
            hosts: vec!["web-*".to_owned(), "db-01".to_owned()],
            except: vec!["web-test-*".to_owned()],
            ..HostGroup::default()
        };
        let held = ["web-01", "db-01", "web-test-1", "db-02"].map(|name| group.holds(name));
        assert_eq!(held, [true, true, false, false]);
    }
}
