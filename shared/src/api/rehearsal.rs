//! One message at one moment: how it is read, where it goes, and whom that pages while nobody answers.

use super::{ConfigDraft, Preview, account::wire};
use crate::{
    ContactId, Delay, IncidentId, IntegrationId, PageVia, PolicyId, Recipient, RouteId, Severity, TeamId, Timestamp,
    config::ContactKind,
    timeline::{Outcome, RouteStep, SeverityReason, TimelineEntry},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// When a message is tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum Moment {
    At(Timestamp),
    /// `2026-10-25T01:30:00Z`, `2026-10-25 02:30` on the clock of the zone, or `clock-change` for the next one there.
    Written(String),
}

wire! {
    /// What is tried. Whatever is left out is as on the command line.
    #[derive(Default)]
    struct RehearsalRequest {
        /// As a sender would post it; a P1 of a host that is down without one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<String>,
        /// Whose message it is; a sender without settings when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        integration: Option<IntegrationId>,
        /// Now when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<Moment>,
        /// Of times that are written; UTC when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        zone: Option<String>,
        /// How long is looked on while nobody answers: `2h` when absent, a day at most.
        #[serde(default, rename = "for", skip_serializing_if = "Option::is_none")]
        length: Option<Delay>,
        /// By which configuration, when not by the one in force; for administrators.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        draft: Option<ConfigDraft>,
    }

    /// What would become of a message that arrives while nothing else is open.
    struct Rehearsal {
        /// The configuration's version; one more than the one in force for a draft.
        version: i64,
        at: Timestamp,
        read: Preview,
        /// One for each event that was read.
        members: Vec<RehearsedMember>,
        outcomes: Vec<Outcome>,
        /// Deliveries in the order in which they would begin.
        sent: Vec<RehearsedDelivery>,
        /// Everything that would be decided, with its reasons.
        timeline: Vec<TimelineEntry>,
        /// There would be more than is told here.
        cut: bool,
    }

    /// Where one event of a message goes.
    struct RehearsedMember {
        /// After routing.
        severity: SeverityReason,
        trace: Vec<RouteStep>,
        policies: Vec<PolicyId>,
        team: Option<TeamId>,
        annotations: BTreeMap<String, String>,
        /// What it shares an incident with.
        group: Option<String>,
        stale_after: Option<(RouteId, Delay)>,
        /// How long each policy waits for a recovery.
        holds: Vec<(PolicyId, Delay)>,
        /// Until when each policy is muted.
        muted: Vec<(PolicyId, Timestamp)>,
    }

    /// A delivery that would begin.
    struct RehearsedDelivery {
        at: Timestamp,
        /// Numbered from 1 in each rehearsal.
        incident: IncidentId,
        /// Of the incident, at that moment.
        severity: Severity,
        recipient: Recipient,
        /// How the recipient was found: the schedule with its layer or override, the team, or by name.
        via: PageVia,
        contact: ContactId,
        channel: ContactKind,
        policy: PolicyId,
        /// 0-based.
        level: u32,
        /// How often the policy had been gone through before.
        cycle: u32,
        /// The first delivery of its page.
        first: bool,
        /// Asked for after every level was used up.
        reminder: bool,
    }
}
