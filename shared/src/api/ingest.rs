//! Senders: their tokens, what they last sent, and what a body would become.

use super::account::wire;
use crate::{
    Action, AlertEvent, Delay, EventId, Flag, Format, HeartbeatId, HeartbeatState, IncidentId, IntegrationId, Pulse,
    Severity, Timestamp,
    alert::FieldSpan,
    config::{Finding, Heartbeat, Mapping, RateLimit, SignatureKind},
    timeline::RejectReason,
};
use serde::{Deserialize, Serialize};

wire! {
    /// A sender and how it is doing.
    struct IntegrationRow {
        id: IntegrationId,
        name: String,
        /// The first characters of each live token.
        tokens: Vec<String>,
        /// Those of them that end by themselves.
        #[serde(default)]
        ending: Vec<EndingToken>,
        created_at: Timestamp,
        last_event_at: Option<Timestamp>,
        /// Messages since the server started.
        events: u64,
        /// Whether its silence is watched, and how that stands.
        #[serde(default)]
        silence: Option<SenderSilence>,
        /// What is asked of it and how it is read.
        #[serde(default)]
        settings: Option<SenderSettings>,
    }

    /// What is set for a sender in the configuration; secrets are not among it.
    struct SenderSettings {
        /// The configuration names it; what is not set there is as usual.
        declared: bool,
        /// How it signs; the token is enough when absent.
        signature: Option<SenderSignature>,
        rate_limit: Option<RateLimit>,
        /// Found by looking when absent.
        charset: Option<String>,
        default_severity: Severity,
        time_zone: String,
        /// Its own key when absent.
        dedup_key: Option<String>,
        /// What of its JSON is what.
        mapped: bool,
        /// Where it is listened to for syslog.
        syslog_udp: Option<String>,
        syslog_tcp: Option<String>,
        /// Prefixes from where that may come; from anywhere when empty.
        syslog_from: Vec<String>,
    }

    /// How a sender signs, without the secrets.
    struct SenderSignature {
        kind: SignatureKind,
        header: Option<String>,
        timestamp_header: Option<String>,
        tolerance: Option<Delay>,
        /// Two secrets count while one takes the place of the other.
        two_secrets: bool,
        /// Since when; absent where that is longer ago than the newest 50 versions of the configuration.
        two_since: Option<Timestamp>,
    }

    /// The watch over a sender that may not be silent for long.
    struct SenderSilence {
        /// How long is too long, counted from its last message; none while that is not known.
        after: Option<Delay>,
        /// It is learned from its own rhythm: in how many of the last eight weeks it was heard.
        #[serde(default)]
        learned_weeks: Option<u32>,
        /// So many are needed.
        #[serde(default)]
        weeks_needed: u32,
        severity: Severity,
        /// Since when it is.
        since: Option<Timestamp>,
        /// The incident of its alert, while that is open.
        incident: Option<IncidentId>,
    }

    /// One of the last requests of a sender, and what became of it. Tokens are masked.
    struct SenderRequest {
        /// When it was answered.
        at: Timestamp,
        method: String,
        /// Without its query.
        path: String,
        status: u16,
        took_ms: u32,
        bytes: u64,
        peer: String,
        user_agent: String,
        /// What its first member was read as.
        format: Option<Format>,
        /// As which message it is stored.
        event: Option<EventId>,
        /// Members of it that were understood, and those that were not.
        #[serde(default)]
        accepted: u32,
        #[serde(default)]
        rejected: u32,
        /// Why it was refused: mostly as in `tocsin_refused_total`, or the answer's `code`; of signatures what is wrong with them.
        reason: Option<String>,
        detail: Option<String>,
    }

    struct NewIntegration { name: String }

    /// Another token for a sender.
    struct NewSenderToken {
        /// Until when those it has go on; until they are revoked when absent.
        #[serde(default)]
        old_until: Option<Timestamp>,
    }

    /// A token that ends by itself.
    struct EndingToken {
        /// Its first characters.
        hint: String,
        until: Timestamp,
    }

    /// A heartbeat as it is configured and as it stands.
    struct HeartbeatRow {
        heartbeat: Heartbeat,
        pulse: Pulse,
        state: HeartbeatState,
        /// The incident of its alert, while that is open.
        incident: Option<IncidentId>,
        /// The first characters of each live token.
        tokens: Vec<String>,
    }

    /// A heartbeat to be added to the configuration, with a token of its own.
    struct NewHeartbeat { name: String, interval: Delay, grace: Delay, severity: Severity }

    /// A heartbeat's address; the token in it is shown once.
    struct HeartbeatAddress { heartbeat: HeartbeatId, url: String }

    /// What an ingest request answers once it is committed.
    struct Receipt { event: crate::EventId, accepted: u32, rejected: u32, outcomes: Vec<crate::timeline::Outcome> }

    /// What a body would become, without storing or paging.
    struct Preview { events: Vec<PreviewEvent>, rejected: Vec<RejectReason>, charset: String, text: String }

    /// One member of a previewed body.
    struct PreviewEvent {
        action: Action,
        severity: Severity,
        format: Format,
        host: Option<String>,
        ip: Option<String>,
        mac: Option<String>,
        summary: String,
        dedup_key: String,
        flags: Vec<Flag>,
        fields: Vec<FieldSpan>,
        /// Where in a JSON body the fields were found, as far as that is known.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        origins: Vec<FieldOrigin>,
        /// Everything else that was read.
        event: AlertEvent,
    }

    /// Where a field was found.
    struct FieldOrigin {
        field: String,
        /// A JSON Pointer, from the whole body.
        at: String,
        /// A mapping says so; else it was found by its name.
        mapped: bool,
    }

    /// A mapping to be tried on a body, or on a stored message.
    struct MappingTrial {
        /// Whose default severity, time zone and so on count.
        #[serde(default)]
        integration: Option<IntegrationId>,
        /// Without one the body is read as it would be without a mapping.
        #[serde(default)]
        mapping: Option<Mapping>,
        #[serde(default)]
        body: Option<String>,
        #[serde(default)]
        event: Option<EventId>,
    }

    /// What a body would become, and what is wrong with the mapping.
    struct MappingPreview { preview: Preview, findings: Vec<Finding> }
}
