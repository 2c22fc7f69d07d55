//! How pages leave the house: mail server, ntfy server, webhooks, the pace of paging, and what counts as flapping.

use crate::{Delay, Severity};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Settings of each channel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Channels {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<EmailChannel>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ntfy: Option<NtfyChannel>,
    pub webhook: WebhookChannel,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heartbeat: Option<OutboundHeartbeat>,
}

/// Who is told from time to time that the pager works, and alarms when that stops: a dead-man's switch elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct OutboundHeartbeat {
    /// Called with POST and an empty body.
    pub url: String,
    /// At least a second.
    #[serde(default = "each_minute")]
    pub every: Delay,
}

const fn each_minute() -> Delay {
    Delay::mins(1)
}

/// How the connection to the mail server is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum EmailTls {
    /// Plain text; only for a relay on this machine.
    None,
    /// Upgrade after connecting (port 587).
    #[default]
    Starttls,
    /// TLS from the first byte (port 465).
    Tls,
}

/// The mail server pages are sent through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct EmailChannel {
    pub host: String,
    /// 25, 465 or 587 by `tls` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    #[serde(default)]
    pub tls: EmailTls,
    /// The sender's address, for example `Tocsin <tocsin@example.org>`.
    pub from: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
}

/// The ntfy server pages are published to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NtfyChannel {
    /// Base address, for example `https://ntfy.example.org`.
    pub server: String,
    /// Access token, when the server asks for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

/// Limits on where webhooks (and ntfy) may connect.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct WebhookChannel {
    /// Networks that may be reached although they are private or loopback, such as `10.20.0.0/16`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allow_networks: Vec<String>,
    /// Whether `http://` targets are accepted.
    pub allow_http: bool,
}

/// The pace of paging, for what a policy does not say itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Paging {
    /// An acknowledged P0 is triggered again after this long; `0s` switches it off.
    pub ack_timeout_p0: Delay,
    /// The same for P1.
    pub ack_timeout_p1: Delay,
    /// The same for the severities below, which have none otherwise.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub ack_timeouts: BTreeMap<Severity, Delay>,
    /// Between reminders to the last level once a P0 or P1 has used up its policy.
    pub reminder: Delay,
    /// Pages that wait for the recipient's morning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub defer: Option<Defer>,
    /// How often a delivery is tried at most.
    pub tries: u32,
    /// Before the second try; doubled for each further one, with jitter.
    pub retry_after: Delay,
    /// No try begins later than this after the delivery was due.
    pub give_up_after: Delay,
    /// How long an answer of a provider is waited for before the delivery counts as ambiguous.
    pub lease: Delay,
    /// Pages to one contact of a person that come due within this time of its last message become one message.
    pub bundle: Delay,
    /// Deliveries under way at once.
    pub in_flight: u32,
    /// Of those, reserved for P0.
    pub in_flight_p0: u32,
    /// Deliveries under way at once to one target.
    pub in_flight_per_target: u32,
}

/// Pages of lesser severities wait out the night of whoever they are for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Defer {
    /// `HH:MM` on the wall clock of the recipient's `time_zone`.
    pub from: String,
    /// `HH:MM`, when they go out.
    pub until: String,
    pub severity: Vec<Severity>,
}

impl Default for Defer {
    fn default() -> Self {
        let severity = vec![Severity::P3, Severity::P4, Severity::P5, Severity::P6];
        Self { from: "18:00".to_owned(), until: "09:00".to_owned(), severity }
    }
}

impl Default for Paging {
    fn default() -> Self {
        Self {
            ack_timeout_p0: Delay::mins(15),
            ack_timeout_p1: Delay::mins(30),
            ack_timeouts: BTreeMap::new(),
            reminder: Delay::mins(15),
            defer: None,
            tries: 5,
            retry_after: Delay::secs(5),
            give_up_after: Delay::mins(10),
            lease: Delay::secs(15),
            bundle: Delay::secs(30),
            in_flight: 64,
            in_flight_p0: 16,
            in_flight_per_target: 8,
        }
    }
}

/// When an alert that fires and recovers again and again is kept open as one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct FlapDetection {
    /// It flaps when it has opened so often …
    pub times: u32,
    /// … within this time.
    pub within: Delay,
    /// It has calmed down when it neither fired nor recovered for this long.
    pub calm: Delay,
}

impl Default for FlapDetection {
    fn default() -> Self {
        Self { times: 4, within: Delay::mins(15), calm: Delay::mins(10) }
    }
}
