//! What a configuration would have done with stored messages, and how two configurations differ in it.

use super::account::wire;
use crate::{
    EventId, IncidentId, IntegrationId, PolicyId, Recipient, Severity, Timestamp,
    config::{Document, HostGroup, Mapping, Policy, Route, Template},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What people do while messages are replayed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Answers {
    /// Nobody answers: what the configuration does by itself.
    #[default]
    Nobody,
    /// What was acknowledged, snoozed and resolved by hand is so again, at the same moment.
    AsItWas,
}

/// Why an alert paged nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Unpaged {
    /// The message was not understood.
    Rejected,
    /// Its own time is more than a day ago.
    Stale,
    /// A recovery of nothing that was open.
    UnmatchedRecovery,
    /// Other messages about the same overtook it on their way.
    Overtaken,
    /// No route took it, and it is not urgent enough for the fallback.
    NoRoute,
    /// A silence, a maintenance or an inhibition kept it quiet.
    KeptQuiet,
    /// It recovered while its route held it.
    Held,
    /// It recovered while its pages waited for the morning, the end of quiet hours or of a mute.
    Waited,
    /// Its policies run no level for it.
    NotMeant,
    /// Its levels came to nobody who can be paged.
    NobodyReached,
    /// Its pages still waited at the end.
    StillWaiting,
}

impl Unpaged {
    /// Every reason, in the order in which they are told.
    pub const ALL: [Self; 11] = [
        Self::NobodyReached,
        Self::NoRoute,
        Self::NotMeant,
        Self::Rejected,
        Self::Stale,
        Self::KeptQuiet,
        Self::Held,
        Self::Waited,
        Self::StillWaiting,
        Self::UnmatchedRecovery,
        Self::Overtaken,
    ];
}

/// A configuration that is not in force: a whole text, or sections that replace those of the one in force.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ConfigDraft {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub toml: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policies: Option<Vec<Policy>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub routes: Option<Vec<Route>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host_groups: Option<Vec<HostGroup>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub templates: Option<Vec<Template>>,
    /// Senders whose mapping is replaced, or taken away; what else is said of them stays.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub mappings: BTreeMap<IntegrationId, Option<Mapping>>,
}

wire! {
    /// The configuration in force as data, without its secrets.
    struct ConfigDocument { version: i64, document: Document }

    /// What to replay. Without a draft the configuration in force is replayed by itself.
    struct ReplayRequest {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        draft: Option<ConfigDraft>,
        /// Messages from then on count; those of the day before are only lived through.
        from: Timestamp,
        until: Timestamp,
        #[serde(default)]
        answers: Answers,
    }

    /// The replay that runs or ran last.
    struct ReplayState {
        /// Rises with every replay since the server started.
        id: u64,
        running: bool,
        /// Messages so far.
        messages: u64,
        from: Timestamp,
        until: Timestamp,
        /// How far it has come.
        at: Timestamp,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        result: Option<Replayed>,
        /// Why there is no result.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        failure: Option<String>,
    }

    /// What came of a replay.
    struct Replayed {
        answers: Answers,
        /// By the configuration in force now.
        running: ReplayReport,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        draft: Option<ReplayReport>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        diff: Option<ReplayDiff>,
    }

    /// What one configuration would have done.
    #[derive(Default)]
    struct ReplayReport {
        messages: u64,
        incidents: u64,
        /// Pages to people and webhooks; a reminder is not one.
        pages: u64,
        /// Of those, to people between 22:00 and 07:00 on their own clock.
        night: u64,
        reminders: u64,
        /// P0 first; severities without an incident are left out.
        severities: Vec<SeverityLoad>,
        /// Whoever was paged most comes first.
        people: Vec<PageLoad>,
        unpaged: Vec<UnpagedCount>,
        /// The first pages, by time.
        list: Vec<ReplayPage>,
        /// There was more than is kept; the counts are whole all the same.
        cut: bool,
    }

    /// How much of one severity there was.
    struct SeverityLoad {
        severity: Severity,
        incidents: u64,
        /// Incidents that paged somebody.
        paged: u64,
        pages: u64,
        night: u64,
        /// From its opening to its first page, of the incidents that paged.
        median_ms: Option<i64>,
        slowest_ms: Option<i64>,
    }

    /// How often one recipient would have been paged.
    struct PageLoad { recipient: Recipient, pages: u64, night: u64, reminders: u64 }

    /// Alerts that paged nobody, for one reason.
    struct UnpagedCount { why: Unpaged, alerts: u64, urgent: u64, examples: Vec<ReplayAlert> }

    /// One alert of a replay.
    struct ReplayAlert {
        at: Timestamp,
        /// The stored message that opened it.
        message: EventId,
        /// Which alert of that message.
        #[serde(default)]
        place: u32,
        /// The incident it really went to; known of what a draft changes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        incident: Option<IncidentId>,
        integration: IntegrationId,
        severity: Severity,
        host: Option<String>,
        title: String,
    }

    /// One page of a replay.
    struct ReplayPage {
        at: Timestamp,
        recipient: Recipient,
        night: bool,
        /// Since the incident opened.
        after_ms: i64,
        policy: PolicyId,
        /// 0-based.
        level: u32,
        alert: ReplayAlert,
    }

    /// What a draft changes.
    #[derive(Default)]
    struct ReplayDiff {
        /// Alerts that page somebody today and would page nobody, P0 first; at most a hundred.
        lost: Vec<LostAlert>,
        lost_p0: u64,
        lost_total: u64,
        /// Alerts that page nobody today and would page somebody.
        found_total: u64,
        gained_pages: u64,
        lost_pages: u64,
        /// Pages that stay, but at another time.
        moved_pages: u64,
        people: Vec<PageChange>,
        /// By time, at most a hundred.
        gained: Vec<ReplayPage>,
        /// By time, at most a hundred.
        dropped: Vec<ReplayPage>,
    }

    /// An alert that would not reach anybody any more.
    struct LostAlert { alert: ReplayAlert, why: Unpaged, today: Vec<Recipient> }

    /// What a draft changes for one recipient.
    struct PageChange { recipient: Recipient, pages: u64, draft_pages: u64, night: u64, draft_night: u64 }
}
