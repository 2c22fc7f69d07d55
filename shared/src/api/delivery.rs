//! Deliveries as a list, and how those who carry them do.

use super::account::wire;
use crate::{
    AttemptId, AttemptState, ContactId, Failure, Fault, IncidentId, PageId, Recipient, Severity, SharedStr, Timestamp,
    config::ContactKind,
};
use serde::{Deserialize, Serialize};

wire! {
    /// A delivery that began: what it was about, who carried it, and when each hop was reached.
    struct DeliveryRow {
        attempt: AttemptId,
        incident: IncidentId,
        title: String,
        /// Of the incident when the delivery last changed.
        severity: Severity,
        page: PageId,
        recipient: Recipient,
        /// The recipient's name, as the configuration has it now.
        name: String,
        contact: ContactId,
        channel: ContactKind,
        /// Whoever carried the last try: a carrier, a chat, the host of a push service or of a webhook.
        provider: String,
        /// What the provider was given to tell tries of one message apart.
        key: String,
        state: AttemptState,
        tries: u32,
        /// When the page was made, or its wait was over.
        queued_at: Timestamp,
        /// When the first try began.
        sent_at: Timestamp,
        /// When the provider took it.
        taken_at: Option<Timestamp>,
        /// When it was on the phone, or the call was answered.
        delivered_at: Option<Timestamp>,
        shown_at: Option<Timestamp>,
        /// When somebody touched it.
        seen_at: Option<Timestamp>,
        /// When it was clear that no try would follow, of one that was not taken or was taken back.
        failed_at: Option<Timestamp>,
        /// Of the last try, if it failed.
        failure: Option<Failure>,
        /// What showed it first.
        device: Option<SharedStr>,
        provider_id: Option<SharedStr>,
    }

    /// How a provider did in the last 24 hours, by one channel.
    struct ProviderHealth {
        provider: String,
        channel: ContactKind,
        state: HealthState,
        accepted: u32,
        /// Also those whose last try failed and that will be tried again.
        failed: u32,
        /// From the first try until it was taken, of those that were.
        p50_ms: Option<i64>,
        p95_ms: Option<i64>,
        /// Five minutes each, in which anything was sent; the oldest first.
        spans: Vec<HealthSpan>,
        last_error: Option<LastError>,
    }

    /// Deliveries that began within five minutes.
    struct HealthSpan { at: Timestamp, accepted: u32, failed: u32, p50_ms: Option<i64>, p95_ms: Option<i64> }

    /// The newest failure.
    struct LastError { at: Timestamp, detail: String, fault: Fault }

    /// What every provider did lately.
    struct DeliveryHealth {
        providers: Vec<ProviderHealth>,
        /// Of all that ever carried something.
        names: Vec<String>,
        now: Timestamp,
        from: Timestamp,
    }

    /// A contact that refused for good what was sent to it, until one takes something again or is changed.
    struct BrokenContact { contact: ContactId, channel: ContactKind, at: Timestamp, why: String }
}

/// Whether a provider carries what it is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum HealthState {
    /// Nothing says anything about it: nothing was sent in the last 24 hours but to contacts that do not work.
    #[default]
    Idle,
    Ok,
    /// The newest failed, or a tenth of the last hour, or it takes long.
    Degraded,
    /// The newest three failed, or it refuses our account.
    Failing,
}

/// A link of the proof, a line of what `/api/v1/proof` gives. What is absent is withheld: the link is about another
/// incident than was asked for, and `content` stands for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ProofLink {
    /// 1, 2, 3 … without a gap.
    pub seq: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// `paged`, `delivery`, `receipt`, `unproven`, or what people did: `acked`, `resolved` and so on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<IncidentId>,
    /// What the provider was given with the message; empty of what is no delivery.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// The entry of the timeline, as JSON in a text: a hash is over letters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub what: Option<String>,
    /// SHA-256 of what it says, in hex.
    pub content: String,
    /// The hash of the link before.
    pub prev: String,
    /// SHA-256 of `prev` and `content`.
    pub hash: String,
}
