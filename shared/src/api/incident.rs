//! Incidents as lists and pages show them, and the actions people take.

use super::account::wire;
use crate::{
    Alert, AlertId, AttemptState, EscalationState, Format, Incident, IncidentId, IncidentState, IntegrationId,
    PersonId, Piece, PolicyId, Recipient, Severity, SharedStr, SuppressedBy, TeamId, Timestamp,
    alert::FieldSpan,
    config::Target,
    timeline::{Actor, Outcome, TimelineEntry},
};
use serde::{Deserialize, Serialize};

wire! {
    /// How many open incidents of each severity, and in which state.
    struct Counts {
        /// Triggered and not kept quiet, by rank P0 to P6.
        triggered: [u32; 7],
        /// Acknowledged, snoozed or kept quiet, by rank.
        acked: [u32; 7],
        /// When the oldest triggered one opened.
        oldest_triggered: Option<Timestamp>,
        /// People with a page that nobody has answered yet.
        people_paged: u32,
        /// Urgent ones about which every delivery failed, the fallback's as well.
        #[serde(default)]
        unreached: u32,
        /// While one lasts.
        #[serde(default)]
        storm: Option<Box<StormNow>>,
    }

    /// The storm that lasts, as its banner shows it.
    struct StormNow { since: Timestamp, incidents: u64, messages: u64, waiting: u64 }

    /// One line of the board.
    struct IncidentRow {
        id: IncidentId,
        version: u32,
        state: IncidentState,
        severity: Severity,
        title: String,
        host: Option<String>,
        ip: Option<String>,
        /// The machines of its other alerts.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        hosts: Vec<String>,
        integration: IntegrationId,
        team: Option<TeamId>,
        count: u32,
        /// Of how many alerts so many fire.
        #[serde(default)]
        alerts: u32,
        firing: u32,
        /// It fires and recovers again and again.
        #[serde(default)]
        flapping: bool,
        /// Nothing was heard of it for too long; of what is resolved, that it was closed for it.
        #[serde(default)]
        stale: bool,
        opened_at: Timestamp,
        updated_at: Timestamp,
        /// Who acknowledged.
        acked_by: Option<String>,
        ack_until: Option<Timestamp>,
        snoozed_until: Option<Timestamp>,
        resolved_at: Option<Timestamp>,
        /// Why it pages nobody although it fires.
        suppressed: Vec<SuppressedBy>,
        next: Option<NextStep>,
        /// Every level of some policy is used up.
        exhausted: bool,
        /// Who was paged and how far the proof goes.
        proof: Proof,
    }

    /// What happens next unless somebody answers.
    struct NextStep { policy: PolicyId, /** 1-based; none when its levels are used up then. */ level: Option<u32>, at: Timestamp }

    /// The best evidence that somebody was reached.
    struct Proof {
        recipients: Vec<String>,
        /// The most advanced delivery, if any was planned.
        best: Option<AttemptState>,
        /// How long after the page was made that was.
        delay_ms: Option<i64>,
        failed: u32,
    }

    /// The list of incidents and the board's heading, true at sequence number `seq`.
    struct IncidentList { items: Vec<IncidentRow>, next: Option<String>, counts: Counts, seq: u64, now: Timestamp, total: u32 }

    /// Everything the incident page shows.
    struct IncidentDetail {
        incident: Incident,
        row: IncidentRow,
        alerts: Vec<Alert>,
        /// Where the machines of its newest alerts were when they came, at most 50.
        places: Vec<AlertPlace>,
        timeline: Vec<TimelineEntry>,
        /// The policies it runs by.
        policies: Vec<PolicyStand>,
        /// Levels still to come, drawn as ghosts.
        upcoming: Vec<UpcomingLevel>,
        /// The newest messages about it, newest first, at most 20.
        messages: Vec<EventDetail>,
        /// Earlier incidents of the same identity or host, newest first, at most 10.
        before: Vec<IncidentRow>,
        /// Names of the people that occur on the page.
        names: std::collections::BTreeMap<PersonId, String>,
        seq: u64,
        now: Timestamp,
    }

    /// Where the machine of an alert was, as it was known first.
    struct AlertPlace { alert: AlertId, at: Timestamp, placement: crate::placement::Placement }

    /// A policy as an incident keeps it.
    struct PolicyStand {
        policy: PolicyId,
        /// The configuration version it is kept from.
        config: i64,
        /// The version in force, when its policy of this name says something else.
        newer: Option<i64>,
    }

    /// A level that runs unless somebody answers, with who is on call then.
    struct UpcomingLevel {
        policy: PolicyId,
        level: u32,
        cycle: u32,
        at: Timestamp,
        recipients: Vec<Recipient>,
        /// Only one of the people is paged: whose turn it is then.
        one_of: bool,
    }

    /// A message as it arrived.
    struct EventDetail {
        id: crate::EventId,
        integration: IntegrationId,
        received_at: Timestamp,
        peer: String,
        content_type: String,
        charset: String,
        size_bytes: u64,
        /// Decoded, at most 64 KiB.
        text: String,
        fields: Vec<FieldSpan>,
        formats: Vec<Format>,
        outcomes: Vec<Outcome>,
        /// The subscription that it asks about; none for all other messages.
        #[serde(default)]
        subscription: Option<Subscription>,
    }

    /// A service asks whether to send its messages here, and sends none until it is told so.
    struct Subscription {
        /// Who would be told: the host of the address in the message.
        host: String,
        /// Whether that host is one that is told from here; otherwise only the link is left.
        known: bool,
        /// When it was told; none while it waits.
        confirmed_at: Option<Timestamp>,
    }

    /// What a service said when its subscription was confirmed.
    struct Confirmed { host: String, said: String }

    /// One line of the list of messages.
    struct EventRow {
        id: crate::EventId,
        integration: IntegrationId,
        received_at: Timestamp,
        peer: String,
        size_bytes: u64,
        /// The first 200 characters.
        text: String,
        outcomes: Vec<Outcome>,
    }

    /// The chain of decisions, per policy and person.
    struct Why {
        incident: IncidentId,
        /// The entries that are decisions: opened, routed, levels, pages.
        decisions: Vec<TimelineEntry>,
        /// The same as sentences, in the reader's language.
        sentences: Vec<String>,
        /// The sentences in pieces, each thing they name a piece that says which version of it was used.
        #[serde(default)]
        pieces: Vec<Vec<Piece>>,
        /// For each person in the configuration who was not paged: the reason.
        not_paged: Vec<NotPaged>,
    }

    /// Why somebody was not paged.
    struct NotPaged {
        person: PersonId,
        name: String,
        reason: String,
        /// The reason in pieces.
        #[serde(default)]
        pieces: Vec<Piece>,
    }
}

/// The body of an action; which fields matter depends on the action.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ActionRequest {
    /// The version the author looked at; `escalate`, `responders`, `apply-policy`, `merge` and `detach` are refused when
    /// somebody acted since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// `note`: the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// `snooze`: until when. `ack`: expected to be done by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// `escalate`: the policy, when there are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyId>,
    /// `escalate`: a chosen level, 1-based; the next one when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<u32>,
    /// `merge`: into which incident.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub into: Option<IncidentId>,
    /// `detach`: which of its alerts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alert: Option<crate::AlertId>,
    /// `reassign`: to whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<PersonId>,
    /// `responders`: whom to page too, such as `person:li` or `schedule:db`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<Target>,
}

impl Actor {
    /// The account that acted, in a browser or by one of its devices.
    #[must_use]
    pub fn login(&self) -> Option<&str> {
        match self {
            Self::Account { login } => Some(login),
            Self::Device { login, .. } => Some(login),
            Self::System | Self::Link { .. } | Self::Token { .. } | Self::Integration { .. } => None,
        }
    }

    /// A short name for lists.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::System => "Tocsin".to_owned(),
            Self::Account { login } => login.clone(),
            Self::Device { login, .. } => login.to_string(),
            Self::Link { person, .. } => person.to_string(),
            Self::Token { name } => name.clone(),
            Self::Integration { integration } => integration.to_string(),
        }
    }
}

impl From<&Incident> for IncidentRow {
    fn from(incident: &Incident) -> Self {
        let next = incident
            .escalations
            .iter()
            .filter(|escalation| escalation.state == EscalationState::Running)
            .filter_map(|escalation| {
                Some(NextStep {
                    policy: escalation.policy.clone(),
                    level: escalation.due_level().map(|level| level + 1),
                    at: escalation.due?,
                })
            })
            .min_by_key(|next| next.at);
        Self {
            id: incident.id,
            version: incident.version,
            state: incident.state,
            severity: incident.severity,
            title: incident.title.to_string(),
            host: incident.host.as_ref().map(SharedStr::to_string),
            ip: incident.ip.as_ref().map(SharedStr::to_string),
            hosts: incident.hosts.iter().map(SharedStr::to_string).collect(),
            integration: incident.integration.clone(),
            team: incident.team.clone(),
            count: incident.count,
            alerts: u32::try_from(incident.alerts.len()).unwrap_or(u32::MAX),
            flapping: incident.flapping.is_some(),
            stale: incident.stale.as_ref().is_some_and(|it| it.closed || incident.state != IncidentState::Resolved),
            firing: incident.firing,
            opened_at: incident.opened_at,
            updated_at: incident.updated_at,
            acked_by: incident.ack.as_ref().map(|ack| ack.by.name()),
            ack_until: incident.ack.as_ref().and_then(|ack| ack.until),
            snoozed_until: incident.snoozed_until,
            resolved_at: incident.resolved_at,
            suppressed: incident.suppressed.to_vec(),
            next,
            exhausted: incident.escalations.iter().any(|escalation| escalation.state == EscalationState::Exhausted),
            proof: Proof::of(incident),
        }
    }
}

impl Proof {
    fn of(incident: &Incident) -> Self {
        let mut recipients: Vec<String> = Vec::new();
        let mut best: Option<(u8, AttemptState, Option<i64>)> = None;
        let mut failed = 0;
        for page in &incident.pages {
            let name = match &page.recipient {
                Recipient::Person(id) => id.to_string(),
                Recipient::Webhook(id) => id.to_string(),
            };
            if !recipients.contains(&name) {
                recipients.push(name);
            }
            for attempt in &page.attempts {
                let rank = match attempt.state {
                    AttemptState::Accepted => 5,
                    AttemptState::Sending => 4,
                    AttemptState::Retrying => 3,
                    AttemptState::Planned => 2,
                    AttemptState::Failed => 1,
                    AttemptState::Cancelled => 0,
                };
                failed += u32::from(attempt.state == AttemptState::Failed);
                if best.is_none_or(|(top, ..)| rank > top) {
                    let delay = attempt.finished_at.map(|at| at.ms_since(page.begins_at()));
                    best = Some((rank, attempt.state, delay));
                }
            }
        }
        Self { recipients, best: best.map(|(_, state, _)| state), delay_ms: best.and_then(|(.., delay)| delay), failed }
    }
}
