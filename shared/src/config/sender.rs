//! How far a sender is trusted and listened to: signatures, and how much it may send.

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
