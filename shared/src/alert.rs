//! Alert events as senders sent them, and the deduplicated alerts they become.

use crate::{AlertId, EventId, IncidentId, IntegrationId, Pairs, Severity, SharedStr, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use thin_vec::ThinVec;

/// What the sender asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Something is wrong.
    Trigger,
    /// Somebody answered where the message comes from.
    Acknowledge,
    /// Something more of what is wrong: other words, another severity.
    Update,
    /// It is over.
    Resolve,
    /// Nothing is wrong: something was changed, such as a deployment.
    Change,
}

/// Which parser understood the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// `[P0][PROBLEM][host][ip][text]`.
    Bracket,
    /// The six-field Open-Falcon line with an expression and a step.
    Falcon,
    /// Open-Falcon's merged message: level, status, count, metric.
    Combined,
    /// A JSON object (or an array of them) with common field names.
    Json,
    /// An alert of Prometheus, as it is told to an Alertmanager or as one tells it on; Grafana's too.
    Alertmanager,
    /// Our media type for Zabbix.
    Zabbix,
    /// What Opsgenie's alert API is asked for.
    Opsgenie,
    /// Nightingale's webhook.
    Nightingale,
    /// Uptime Kuma's webhook.
    UptimeKuma,
    /// PagerDuty's events, of either version.
    #[serde(rename = "pagerduty")]
    PagerDuty,
    /// A notification command of Nagios or Icinga.
    Nagios,
    /// What Alerta's API is told.
    Alerta,
    /// An incoming webhook of Slack or Mattermost.
    Slack,
    /// An event of the CNCF's CloudEvents.
    #[serde(rename = "cloudevents")]
    CloudEvents,
    /// A notification of Amazon's SNS or Huawei's SMN.
    Sns,
    /// A webhook of GitHub.
    #[serde(rename = "github")]
    GitHub,
    /// A webhook of Sentry.
    Sentry,
    /// A message of syslog.
    Syslog,
    /// A record of Fluentd's forward protocol.
    Forward,
    /// A mail.
    Mail,
    /// Anything else: kept as text.
    Text,
}

/// Something noteworthy about a message that was accepted all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Flag {
    /// P7 to P99, clamped to P6.
    LevelOutOfRange,
    /// The status word is unknown and was taken as a problem.
    UnknownStatus,
    /// The address field holds something that is not an address.
    BadIp,
    /// The message was cut off.
    Truncated,
    /// There was text after the last bracket.
    TrailingText,
    /// Only level and status were present.
    NoContent,
    /// The last bytes were an incomplete UTF-8 sequence and were dropped.
    CutUtf8,
    /// Decoded as GB18030.
    Gb18030,
    /// Some bytes fit no known charset and were replaced.
    LossyText,
    /// NUL or other control characters were replaced.
    ControlCharacters,
    /// No level was stated; the integration's default was taken.
    DefaultSeverity,
    /// The sender's clock is more than five minutes ahead; its time is shown, not used.
    ClockSkew,
    /// The sender's time is older than a day.
    Stale,
    /// Too many or too long labels; the rest was cut.
    LabelsCut,
    /// The body could not be parsed, but it looked like a P0 and was raised as one.
    Poison,
    /// A merged message that stands for several alerts.
    Merged,
    /// The dedup key was too long and was hashed.
    KeyHashed,
    /// It said no end, where its sender states one; five minutes were assumed.
    AssumedEnd,
    /// The settings of its sender made the dedup key.
    KeyTemplate,
    /// Its sender's mapping does not fit it; it was read as without one.
    Unmapped,
    /// Its sender's mapping gives it a milder level, but it says P0.
    UrgentAnyway,
}

/// A measured value and the threshold it crossed, as Open-Falcon writes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Metric {
    /// For example `cpu.idle`.
    pub name: String,
    /// For example `all(#3)`.
    pub func: String,
    /// The measured value, as sent.
    pub left: String,
    /// `<`, `>=` and so on.
    pub op: String,
    /// The threshold, as sent.
    pub right: String,
    /// Sorted `key=value` tags.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Open-Falcon's repeat counter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<u32>,
}

/// One member of an accepted message, in our words; immutable once made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AlertEvent {
    pub action: Action,
    /// As stated by the sender, or the integration's default (then flagged).
    pub severity: Severity,
    pub format: Format,
    /// One line, at most 1,024 characters.
    pub summary: SharedStr,
    /// The rest of the text, at most 16 KiB; empty when the summary says it all.
    #[serde(default, skip_serializing_if = "SharedStr::is_empty")]
    pub content: SharedStr,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<SharedStr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<SharedStr>,
    /// Lower-case colon form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac: Option<SharedStr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<SharedStr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    /// On the heap, since few alerts have one.
    pub metric: Option<Box<Metric>>,
    #[serde(default, skip_serializing_if = "Pairs::is_empty")]
    pub labels: Pairs,
    /// What the sender has to say about it, where it tells that from the labels; conditions see it as `annotations.NAME`.
    #[serde(default, skip_serializing_if = "Pairs::is_empty")]
    pub annotations: Pairs,
    /// What identifies the alert within its integration while it is open.
    pub dedup_key: SharedStr,
    /// For a recovery without an exact match: close the only open alert of this host from this
    /// integration, if there is exactly one (of the five-field form, and of events whose type says that it is over).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub resolve_by_host: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_raw: Option<SharedStr>,
    /// How bad it is in the sender's own words, when those are not P0 to P6.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity_word: Option<SharedStr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurred_at: Option<Timestamp>,
    /// Until when it holds unless it is sent again, as its sender says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "ThinVec::is_empty")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub links: ThinVec<String>,
    #[serde(default, skip_serializing_if = "ThinVec::is_empty")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<Flag>"))]
    pub flags: ThinVec<Flag>,
}

impl AlertEvent {
    /// An event with nothing in it yet.
    #[must_use]
    pub fn blank(format: Format, severity: Severity) -> Self {
        Self {
            action: Action::Trigger,
            severity,
            format,
            summary: SharedStr::default(),
            content: SharedStr::default(),
            host: None,
            ip: None,
            mac: None,
            service: None,
            metric: None,
            labels: Pairs::default(),
            annotations: Pairs::default(),
            dedup_key: SharedStr::default(),
            resolve_by_host: false,
            status_raw: None,
            severity_word: None,
            occurred_at: None,
            ends_at: None,
            links: ThinVec::new(),
            flags: ThinVec::new(),
        }
    }

    /// What is known of an alert once this was said of it: what an update does not speak of stays, and a label that it says
    /// nothing for is gone.
    #[must_use]
    pub fn onto(self, known: &Self) -> Self {
        let mut event = known.clone();
        if !self.summary.is_empty() {
            event.summary = self.summary;
        }
        if !self.content.is_empty() {
            event.content = self.content;
        }
        if !self.flags.contains(&Flag::DefaultSeverity) {
            (event.severity, event.severity_word) = (self.severity, self.severity_word);
            event.flags.retain(|flag| *flag != Flag::DefaultSeverity);
        }
        for (name, value) in self.labels.iter() {
            event.labels.insert(name.clone(), value.clone());
        }
        if self.labels.values().any(String::is_empty) {
            let stay = event.labels.iter().filter(|(_, value)| !value.is_empty());
            event.labels = stay.map(|(name, value)| (name.clone(), value.clone())).collect();
        }
        event
    }

    /// What an older message about the same alert still says. As an Alertmanager merges what it is told: the earliest start
    /// stays, and so does an end that was stated and is later than the new one.
    pub fn merge(&mut self, older: &Self) {
        if self.is_vague() && !older.flags.contains(&Flag::DefaultSeverity) {
            (self.severity, self.severity_word) = (older.severity, older.severity_word.clone());
            self.flags.retain(|flag| *flag != Flag::DefaultSeverity);
        }
        if self.format != Format::Alertmanager || older.format != Format::Alertmanager {
            return;
        }
        if older.occurred_at.is_some_and(|older| self.occurred_at.is_none_or(|own| older < own)) {
            self.occurred_at = older.occurred_at;
        }
        let is_stated = !older.flags.contains(&Flag::AssumedEnd);
        if is_stated && self.ends_at.is_some() && older.ends_at > self.ends_at {
            self.ends_at = older.ends_at;
            self.flags.retain(|flag| *flag != Flag::AssumedEnd);
        }
    }

    /// Whether a repetition says nothing of how bad it is: an alert of Opsgenie's without a priority, and what flaps in Nagios,
    /// which is well at that moment.
    fn is_vague(&self) -> bool {
        match self.format {
            Format::Opsgenie => self.flags.contains(&Flag::DefaultSeverity),
            Format::Nagios => self.status_raw.as_deref() == Some("FLAPPINGSTART"),
            _ => false,
        }
    }

    /// Gives back what its lists hold in reserve; an open alert stays in memory for long.
    pub fn shrink(&mut self) {
        self.links.shrink_to_fit();
        self.flags.shrink_to_fit();
    }
}

/// Whether the sender still says something is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum AlertState {
    Firing,
    Resolved,
}

/// A deduplicated alert: one identity, however often it was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Alert {
    pub id: AlertId,
    pub incident: IncidentId,
    pub integration: IntegrationId,
    pub state: AlertState,
    /// The newest text and fields the sender gave.
    pub event: AlertEvent,
    /// The first text, when the newest differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_summary: Option<SharedStr>,
    /// As decided for its newest message; none in rows older than this field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// The most urgent severity it ever had.
    pub highest: Severity,
    /// How often it was sent while open.
    pub count: u32,
    pub first_at: Timestamp,
    pub last_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Timestamp>,
    /// Since when it should have been sent again, and was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale_at: Option<Timestamp>,
    /// The message that opened it.
    pub first_event: EventId,
    /// The newest message about it.
    pub last_event: EventId,
}

impl Alert {
    /// How bad it is now.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.severity.unwrap_or(self.highest)
    }
}

/// Where in the decoded message a field was found; byte offsets into the decoded UTF-8 text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FieldSpan {
    /// `severity`, `status`, `host`, `ip`, `content`, `metric`, `step`, … or a JSON key path.
    pub field: String,
    pub start: u32,
    pub end: u32,
    /// Its sender's mapping says so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mapped: bool,
}
