//! What must be heard from again and again, and is an alert when it is not.

use crate::{Delay, HeartbeatId, IntegrationId, PolicyId, Severity, WindowId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A dead-man's switch: a beat that does not come in time is an alert, and the next beat its recovery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Heartbeat {
    pub id: HeartbeatId,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// How far apart beats are.
    pub interval: Delay,
    /// How late a beat may be.
    #[serde(default = "default_grace")]
    pub grace: Delay,
    #[serde(default = "default_severity")]
    pub severity: Severity,
    /// What the alert says; a sentence with the name when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// Who is paged, whatever the routes say; they decide when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyId>,
    /// Of its alert, for routes and groups, besides `heartbeat`, which is its id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Shown with its incident and pages, besides those of the routes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// A sender whose firing alerts are beats, such as Prometheus with its Watchdog.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integration: Option<IntegrationId>,
    /// Which of them; conditions as in a route.
    #[serde(default, rename = "match", skip_serializing_if = "Vec::is_empty")]
    pub matches: Vec<String>,
    /// Time windows outside which silence is fine; always expected when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub during: Vec<WindowId>,
    /// Beats are kept, and nothing is missed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub paused: bool,
}

const fn default_grace() -> Delay {
    Delay::mins(5)
}

const fn default_severity() -> Severity {
    Severity::P2
}

impl Heartbeat {
    /// What people call it.
    #[must_use]
    pub fn title(&self) -> &str {
        if self.name.is_empty() { self.id.as_str() } else { &self.name }
    }
}
