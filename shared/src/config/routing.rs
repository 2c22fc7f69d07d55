//! Senders, the routing tree, escalation policies and outgoing webhooks.

use super::{ContactKind, Forward, Mapping, RateLimit, Signature};
use crate::{
    CalendarId, ClassId, Delay, HookId, InhibitionId, IntegrationId, PersonId, PolicyId, RouteId, ScheduleId, Severity,
    TeamId, WindowId,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{collections::BTreeMap, fmt, str::FromStr};

/// Settings of a sender; its token is made with `tocsin token create` or in the browser.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Integration {
    pub id: IntegrationId,
    #[serde(default)]
    pub name: String,
    /// For messages that state no level.
    #[serde(default = "default_severity")]
    pub default_severity: Severity,
    /// IANA name, for times the sender writes without a zone.
    #[serde(default = "default_zone")]
    pub time_zone: String,
    /// What this sender's own words mean; the first rule that matches wins. A message that says P0 to P6 means that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<Class>,
    /// Where in its JSON the fields of an alert stand, for a sender of a form of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping: Option<Box<Mapping>>,
    /// What is not sent again for so long is stale: for senders that repeat what still holds. What a sender says itself
    /// counts when absent, and `0s` switches it off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale_after: Option<Delay>,
    /// What becomes of what is stale; when absent it is marked, except what Prometheus stops sending, which is closed: so
    /// does an Alertmanager.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale: Option<StaleAction>,
    /// An alert when the sender is silent for so long, whatever it sends; learned from its own rhythm when absent, and `0s`
    /// switches it off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silent_after: Option<Delay>,
    /// How bad that is.
    #[serde(default = "default_severity", skip_serializing_if = "is_default_severity")]
    pub silent_severity: Severity,
    /// Holiday calendars: on their days its silence says nothing. A day begins at midnight in `time_zone`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holidays: Vec<CalendarId>,
    /// How it signs what it sends; the token is enough when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<Signature>,
    /// How much it may send.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<RateLimit>,
    /// What its texts are written in, by a label of the WHATWG's such as `gbk`; found by looking when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charset: Option<String>,
    /// What makes two of its messages one alert, such as `{host}|{labels.service}`; its own key when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dedup_key: Option<String>,
    /// Where it may speak syslog, and which of that is an event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub syslog: Option<Syslog>,
    /// Where it may speak Fluentd's forward protocol, and which of its records is an event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forward: Option<Forward>,
}

/// A sender that speaks syslog. The protocol knows no token: what comes to the address is this sender's, so `from` says from
/// where it may come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Syslog {
    /// An address of this server for datagrams, each of which is a message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub udp: Option<String>,
    /// One for connections.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tcp: Option<String>,
    /// Prefixes, as `10.0.0.0/24`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub from: Vec<String>,
    /// Which messages are events besides those that say `[P0][PROBLEM]…`: those that any of these rules takes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<SyslogRule>,
}

/// A rule that makes events of what is logged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SyslogRule {
    /// As in a route, all must hold; there is at least one. Of syslog `severity_word` is emerg, alert, crit, err, warning,
    /// notice, info or debug, `service` the program, and `labels.facility` the facility; of the forward protocol `service` is
    /// the tag, unless the record names one.
    #[serde(rename = "match")]
    pub matches: Vec<String>,
}

/// What becomes of an alert that is stale.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum StaleAction {
    /// It is marked, and stays open.
    #[default]
    Mark,
    /// Whoever was paged is told, and as long again after that it is closed.
    Resolve,
}

fn is_default_severity(severity: &Severity) -> bool {
    *severity == default_severity()
}

/// A rule that gives a severity to messages that state none of ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Class {
    /// Named as the reason of the severity.
    pub id: ClassId,
    /// As in a route; `severity_word` is the sender's own word. Empty matches everything.
    #[serde(default, rename = "match", skip_serializing_if = "Vec::is_empty")]
    pub matches: Vec<String>,
    pub severity: Severity,
}

/// While an alert of the first kind is open, those of the second page nobody.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Inhibition {
    pub id: InhibitionId,
    /// What is larger; conditions as in a route, all of which must hold.
    pub source: Vec<String>,
    /// What follows from it. An alert that is also a source is not kept quiet by another source.
    pub target: Vec<String>,
    /// Fields that both must have in common.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub equal: Vec<String>,
    /// Whether a field that is missing on both sides is in common; else an alert without it is left alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub missing_equal: bool,
}

const fn default_severity() -> Severity {
    Severity::P3
}

fn default_zone() -> String {
    "Asia/Shanghai".to_owned()
}

impl Integration {
    /// A sender that has a token but no entry in the document.
    #[must_use]
    pub fn undeclared(id: IntegrationId) -> Self {
        Self {
            name: id.to_string(),
            id,
            default_severity: default_severity(),
            time_zone: default_zone(),
            classes: Vec::new(),
            mapping: None,
            stale_after: None,
            stale: None,
            silent_after: None,
            silent_severity: default_severity(),
            holidays: Vec::new(),
            signature: None,
            rate_limit: None,
            charset: None,
            dedup_key: None,
            syslog: None,
            forward: None,
        }
    }
}

/// A node of the routing tree: tried in order, the first match wins unless it continues.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Route {
    pub id: RouteId,
    /// All must hold: `severity=P0`, `host=~"db-.*"`, `service!=web`, `ip in 10.0.0.0/8`, `time not in office`. Empty
    /// matches everything.
    #[serde(default, rename = "match", skip_serializing_if = "Vec::is_empty")]
    pub matches: Vec<String>,
    /// Inherited from the parent when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamId>,
    /// Overrides what the sender stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// Go on with the next sibling although this one matched.
    #[serde(default, rename = "continue", skip_serializing_if = "std::ops::Not::not")]
    pub continues: bool,
    /// Which alerts are one incident; inherited from the parent when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<Group>,
    /// Shown with the incident and its pages, such as a runbook's address; added to the parent's.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// Pages go out within these time windows only and wait for one otherwise; inherited from the parent when absent,
    /// and no limit when empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active: Option<Vec<WindowId>>,
    /// Pages wait while one of these time windows lasts; inherited from the parent when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mute: Option<Vec<WindowId>>,
    /// Pages wait this long, and nobody is paged for what recovers meanwhile; P0 does not wait. Inherited from the parent
    /// when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<Delay>,
    /// The same for P0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold_p0: Option<Delay>,
    /// What is not sent again for so long is stale, whatever the settings of its sender say; `0s` switches that off.
    /// Inherited from the parent when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale_after: Option<Delay>,
    /// What becomes of what is stale; inherited from the parent when absent, and the sender's where no route says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale: Option<StaleAction>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<Route>,
}

/// Alerts of one route that agree in these fields belong together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Fields as in conditions: `service`, `labels.cluster`. None puts all alerts of the route together.
    pub by: Vec<String>,
    /// Whether two alerts that both lack a field agree in it; otherwise an alert that lacks one stays by itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub missing_equal: bool,
    /// An alert joins the open incident when it comes at most this long after the newest of its alerts.
    #[serde(default = "default_window")]
    pub window: Delay,
    /// An incident takes at most so many alerts; the next one opens another.
    #[serde(default = "default_limit")]
    pub limit: u32,
}

const fn default_window() -> Delay {
    Delay::mins(10)
}

const fn default_limit() -> u32 {
    100
}

impl Default for Group {
    fn default() -> Self {
        Self { by: Vec::new(), missing_equal: false, window: default_window(), limit: default_limit() }
    }
}

/// Who is told, in what order, until somebody answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Policy {
    pub id: PolicyId,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    pub levels: Vec<Level>,
    /// How many more times the levels are run through.
    #[serde(default)]
    pub repeat: u32,
}

/// One step of a policy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Level {
    pub notify: Vec<Target>,
    /// How long this level may take to answer before the next one runs.
    pub delay: Delay,
    /// Of the people the targets come to only one is paged: whoever has not been for the longest time.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub round_robin: bool,
    /// Everybody this level pages must answer; until then it goes on for those who have not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub everyone: bool,
    /// An acknowledgement while this is the latest level ends after so long, whatever the severity's time-out is; `0s`
    /// switches it off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ack_timeout: Option<Delay>,
    /// The level is passed over at once unless all of this holds when it is due.
    #[serde(default, skip_serializing_if = "LevelWhen::is_empty")]
    pub when: LevelWhen,
}

/// What must hold for a level to run; what is not named does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct LevelWhen {
    /// The incident has one of these severities.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub severity: Vec<Severity>,
    /// It is inside one of these time windows.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub during: Vec<WindowId>,
    /// It is outside all of these time windows.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub except: Vec<WindowId>,
    /// At least so many of the incident's alerts fire.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alerts: Option<u32>,
}

impl LevelWhen {
    /// Whether it asks for nothing, so that the level always runs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Somebody or something a level notifies, written `kind:id`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(with = "String"))]
pub enum Target {
    Person(PersonId),
    Schedule(ScheduleId),
    Team(TeamId),
    Webhook(HookId),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(id) => write!(f, "person:{id}"),
            Self::Schedule(id) => write!(f, "schedule:{id}"),
            Self::Team(id) => write!(f, "team:{id}"),
            Self::Webhook(id) => write!(f, "webhook:{id}"),
        }
    }
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("person", id)) if !id.is_empty() => Ok(Self::Person(id.into())),
            Some(("schedule", id)) if !id.is_empty() => Ok(Self::Schedule(id.into())),
            Some(("team", id)) if !id.is_empty() => Ok(Self::Team(id.into())),
            Some(("webhook", id)) if !id.is_empty() => Ok(Self::Webhook(id.into())),
            _ => Err(format!("`{text}` is not a target; write person:ID, schedule:ID, team:ID or webhook:ID")),
        }
    }
}

impl Serialize for Target {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Target {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// An outgoing webhook that a level can notify, signed by the Standard Webhooks scheme, or a room of a chat.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Hook {
    pub id: HookId,
    /// `webhook`, or a kind of chat.
    #[serde(default, skip_serializing_if = "is_webhook")]
    pub kind: ContactKind,
    /// Where it is: of a chat what a contact of that kind holds.
    pub url: String,
    /// `whsec_` and base64 of 24 to 64 bytes; of a robot its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

fn is_webhook(kind: &ContactKind) -> bool {
    *kind == ContactKind::Webhook
}
