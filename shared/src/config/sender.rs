//! How far a sender is trusted and listened to: signatures, and how much it may send.

use super::SyslogRule;
use crate::Delay;
use serde::{Deserialize, Serialize};

/// How a sender signs what it sends; what is not signed so is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Signature {
    pub kind: SignatureKind,
    /// Of Standard Webhooks `whsec_` and base64; of the others the text as it stands.
    pub secret: String,
    /// Counts as well, while the sender is given another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_secret: Option<String>,
    /// The header with the signature, where its name is chosen: Grafana's is `X-Grafana-Alerting-Signature` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// The header with the time of signing, where one is chosen; without it nothing says how old a message is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp_header: Option<String>,
    /// How far that time may be from ours, `300s` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tolerance: Option<Delay>,
}

impl Signature {
    /// Where it counts: the secrets, the one in use first.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.secret.as_str()).chain(self.next_secret.as_deref())
    }
}

/// Whose way of signing it is; all of them are HMAC with SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum SignatureKind {
    /// `webhook-signature` over `id.timestamp.body`.
    StandardWebhooks,
    /// A contact point of Grafana: over the body, or `timestamp:body`, in hex.
    Grafana,
    /// `X-Hub-Signature-256`, `sha256=` and hex.
    #[serde(rename = "github")]
    GitHub,
    /// `Sentry-Hook-Signature`, in hex.
    Sentry,
    /// A header of one's own over the body, or `timestamp.body`, in hex or base64.
    HmacSha256,
}

/// So many messages a sender may send within a time; a P0 is taken in any case, and does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RateLimit {
    pub messages: u32,
    pub within: Delay,
}

impl RateLimit {
    /// How many that are in a minute, rounded down, but one at least.
    #[must_use]
    pub fn a_minute(self) -> i64 {
        (i64::from(self.messages) * Delay::mins(1).0 / self.within.0.max(1)).max(1)
    }
}

/// A sender that speaks the forward protocol of Fluentd. Whoever comes to the address is this sender, when they come from one
/// of these networks and know the key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Forward {
    /// An address of this server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen: Option<String>,
    /// Prefixes, as `10.0.0.0/24`; anywhere when there is a key.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub from: Vec<String>,
    /// `shared_key` of the sender; each connection begins with its proof.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shared_key: Option<String>,
    /// Which records are events besides those that say `[P0][PROBLEM]…`: those that any of these rules takes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<SyslogRule>,
}

/// Where mail to integrations is taken. Who sends it is known by the token in the recipient's address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Mail {
    /// An address of this server.
    pub listen: String,
    /// What may stand behind the `@`; anything when absent, since the token says enough.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub domains: Vec<String>,
    /// Prefixes, as `10.0.0.0/24`, that may connect; anywhere when absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub from: Vec<String>,
    /// Offers STARTTLS with this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<Certificate>,
}

/// Files in PEM, which are read again for each connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// The certificate, and those that lead to a known authority.
    pub certificate_file: String,
    pub key_file: String,
}
