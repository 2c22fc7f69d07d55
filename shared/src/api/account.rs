//! Signing in, accounts, tokens, and the health of the pager itself.

use super::{ProviderHealth, Role};
use crate::{
    ContactId, Failure, IntegrationId, PersonId, Severity, Timestamp,
    config::{Finding, Language},
};
use serde::{Deserialize, Serialize};

macro_rules! wire {
    ($($(#[$doc:meta])* struct $name:ident { $($(#[$field:meta])* $f:ident : $t:ty),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        pub struct $name { $($(#[$field])* pub $f: $t),* }
    )*};
}
pub(super) use wire;

wire! {
    /// Whether setting up is still to be done.
    struct SetupState { needed: bool }

    /// Makes the first administrator.
    struct SetupRequest { code: String, login: String, name: String, password: String }

    struct SignInRequest { login: String, password: String }

    /// Who is signed in, and what the browser needs to know of the server.
    struct SessionInfo {
        login: String,
        name: String,
        role: Role,
        /// The person of the on-call configuration this account is, if any.
        person: Option<PersonId>,
        language: Language,
        version: String,
        demo: bool,
        public_url: String,
    }

    /// One of the own sessions.
    struct SessionRow { id: i64, created_at: Timestamp, last_seen_at: Timestamp, user_agent: String, current: bool }

    struct PasswordRequest { old: String, new: String }

    struct TestPageRequest { contact: ContactId, severity: Severity }

    /// How a test page went.
    struct TestPageResult { accepted: bool, took_ms: i64, failure: Option<Failure> }

    struct AccountRow { login: String, name: String, role: Role, person: Option<PersonId>, disabled: bool, created_at: Timestamp }

    struct NewAccount { login: String, name: String, role: Role, person: Option<PersonId>, password: String }

    /// Absent fields stay as they are.
    struct AccountChange {
        name: Option<String>,
        role: Option<Role>,
        person: Option<PersonId>,
        disabled: Option<bool>,
        password: Option<String>,
    }

    struct TokenRow { id: i64, name: String, role: Role, created_at: Timestamp, last_used_at: Option<Timestamp>, hint: String }

    struct NewApiToken { name: String, role: Role }

    /// A token's text, shown once.
    struct NewToken { token: String, integration: Option<IntegrationId>, url: Option<String> }

    struct ConfigText { toml: String }

    /// What a check found, what applying changed, and how the document's tests went.
    struct ConfigReport {
        version: i64,
        applied: bool,
        /// For example `people +li`, `policies ~db`, `routes -old`.
        changes: Vec<String>,
        findings: Vec<Finding>,
        tests: Vec<TrialResult>,
    }

    /// How one of the document's tests went.
    struct TrialResult { name: String, passed: bool, detail: String }

    struct AuditRow { id: i64, at: Timestamp, actor: String, action: String, object: String, detail: String, outcome: String, hash: String }

    /// A channel as its administrator sets it up.
    struct ChannelRow {
        name: String,
        configured: bool,
        /// Addresses that are to be entered at the provider; with none it calls back by what it is given with each message.
        callback: Vec<String>,
        /// How it did in the last 24 hours, by what it is called in the list of deliveries; empty when it carried nothing.
        health: Vec<ProviderHealth>,
    }

    /// The pager looking at itself.
    struct PagerStatus {
        now: Timestamp,
        version: String,
        store: String,
        /// Milliseconds since the engine last completed a turn.
        last_tick_ms: i64,
        /// How late the latest due decision was claimed, in milliseconds.
        lateness_ms: i64,
        queue: u32,
        /// Deliveries that are due and wait for a slot, and those under way.
        waiting: u32,
        in_flight: u32,
        /// Deadlines that are set.
        due: u32,
        browsers: u32,
        open_incidents: u32,
        config: i64,
        /// When the last audit of everything open was complete.
        audited_at: Option<Timestamp>,
        /// When the outbound heartbeat was last taken.
        heartbeat_at: Option<Timestamp>,
        warnings: Vec<String>,
    }
}
