//! Incidents, and how people are told of them: escalations, pages and attempts.

use crate::api::DutyReason;
use crate::{
    AlertEvent, AlertId, Attempt, AttemptState, Few, HookId, IncidentId, IntegrationId, PageId, Pairs, PersonId,
    PolicyId, ScheduleId, Severity, SharedStr, SuppressedBy, TeamId, Timestamp, timeline::Actor,
};
use serde::{Deserialize, Serialize};
use thin_vec::ThinVec;

/// Where an incident stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum IncidentState {
    /// Nobody has answered; people are being paged.
    Triggered,
    /// Somebody answered.
    Acked,
    /// Somebody asked for quiet until a time; then it is triggered again.
    Snoozed,
    /// Over.
    Resolved,
}

/// Who answered, and until when we believe it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Ack {
    pub by: Actor,
    pub at: Timestamp,
    /// When it is triggered again unless resolved; none for severities without an ack timeout.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// Who answered, and who has not yet, of those whom levels paged that everybody must answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Everyone {
    /// Never empty: with the last answer the incident is acknowledged.
    pub missing: Vec<PersonId>,
    /// In the order of their answers; also people who were not asked.
    pub answered: Vec<PersonId>,
}

/// The same identity fired before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Again {
    pub previous: IncidentId,
    pub closed_at: Timestamp,
    /// How many times within 24 hours, this one included.
    pub times: u32,
}

/// Which later alerts join an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Grouping {
    /// What its alerts have in common, as their route says.
    pub key: String,
    /// When the newest of them opened; the window of the route counts from here.
    pub newest_at: Timestamp,
}

/// It fires and recovers again and again, and is kept open as one until it is calm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Flapping {
    pub since: Timestamp,
    /// When it is calm, unless it changes before.
    pub until: Timestamp,
    /// How often it has fired or recovered since.
    pub changes: u32,
}

/// Nothing was heard of any of its alerts for too long; nobody said that it is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Stale {
    pub since: Timestamp,
    /// When one of them was heard last.
    pub heard_at: Timestamp,
    /// When it is closed unless it is heard again; none when it stays open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closes_at: Option<Timestamp>,
    /// It was closed for that reason, and not because it recovered.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub closed: bool,
}

/// Machines an incident is found by besides its first one's.
const HOSTS_MAX: usize = 50;

/// What people work on: one or more alerts, answered together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Incident {
    pub id: IncidentId,
    /// Rises with every change; an action may name the version its author looked at.
    pub version: u32,
    pub state: IncidentState,
    pub severity: Severity,
    pub title: SharedStr,
    pub integration: IntegrationId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<SharedStr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<SharedStr>,
    /// The machines of its other alerts, also of those that are over: it is found by each of them.
    #[serde(default, skip_serializing_if = "ThinVec::is_empty")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<SharedStr>"))]
    pub hosts: ThinVec<SharedStr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamId>,
    /// What its routes have to say to whoever is paged, such as a runbook's address.
    #[serde(default, skip_serializing_if = "Pairs::is_empty")]
    pub annotations: Pairs,
    /// Why it pages nobody although it fires; empty when it does page.
    #[serde(default, skip_serializing_if = "ThinVec::is_empty")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<SuppressedBy>"))]
    pub suppressed: ThinVec<SuppressedBy>,
    #[cfg_attr(feature = "schema", schemars(with = "Vec<AlertId>"))]
    pub alerts: Few<AlertId>,
    /// How many of its alerts still fire; none of an open incident only while it flaps.
    pub firing: u32,
    /// How many messages it stands for.
    pub count: u32,
    pub opened_at: Timestamp,
    /// The newest message or action.
    pub updated_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ack: Option<Box<Ack>>,
    /// While some of those who all must answer have not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub everyone: Option<Box<Everyone>>,
    /// Whether somebody ever did anything about it but write a note.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub answered: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snoozed_until: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again: Option<Box<Again>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<Box<Grouping>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flapping: Option<Box<Flapping>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale: Option<Box<Stale>>,
    #[cfg_attr(feature = "schema", schemars(with = "Vec<Escalation>"))]
    pub escalations: ThinVec<Escalation>,
    #[serde(default, skip_serializing_if = "ThinVec::is_empty")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<Page>"))]
    pub pages: ThinVec<Page>,
    /// How many timeline entries exist; they are numbered 1 to this without a gap.
    pub timeline: u32,
}

impl Incident {
    /// Whether people were paged for it, and it was over before any of them answered.
    #[must_use]
    pub fn is_missed(&self) -> bool {
        self.state == IncidentState::Resolved && !self.answered && !self.pages.is_empty()
    }

    /// Whether nobody knows of it although somebody must: no level is left, nothing that was sent was taken, and what the
    /// fallback was sent failed as well.
    #[must_use]
    pub fn is_unreached(&self) -> bool {
        let is_due = self.state == IncidentState::Triggered && self.severity.is_urgent() && self.suppressed.is_empty();
        if !is_due || !self.escalations.iter().any(|it| it.state == EscalationState::Exhausted) {
            return false;
        }
        let lost = |page: &Page| page.attempts.iter().all(|it| it.state.is_lost());
        let mut attempts = self.pages.iter().flat_map(|page| &page.attempts);
        !attempts.any(|it| it.state == AttemptState::Accepted)
            && (self.pages.iter().any(|page| page.via == PageVia::Fallback && lost(page))
                || self.pages.iter().all(lost))
    }

    /// Takes down the machine of an alert that came in.
    pub fn also_about(&mut self, alert: &AlertEvent) {
        let Some(host) = alert.host.as_ref().or(alert.ip.as_ref()) else { return };
        let is_known = self.host.as_ref() == Some(host) || self.ip.as_ref() == Some(host) || self.hosts.contains(host);
        if !is_known && self.hosts.len() < HOSTS_MAX {
            self.hosts.push(host.clone());
        }
    }

    /// Gives back what its lists hold in reserve; an open incident stays in memory for long.
    pub fn shrink(&mut self) {
        self.hosts.shrink_to_fit();
        self.alerts.shrink_to_fit();
        self.escalations.shrink_to_fit();
        self.pages.shrink_to_fit();
        for page in &mut self.pages {
            page.attempts.shrink_to_fit();
        }
    }
}

/// Whether an escalation goes on by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum EscalationState {
    /// The next level is due at `due`.
    Running,
    /// All levels and repeats are used up; P0 and P1 are still reminded slowly.
    Exhausted,
    /// Acknowledged, snoozed or resolved.
    Stopped,
}

/// One policy running for one incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Escalation {
    pub policy: PolicyId,
    /// The configuration version whose policy this incident keeps.
    pub config: i64,
    pub state: EscalationState,
    /// The level that runs next (0-based).
    pub next_level: u32,
    /// That level ran already and runs again: somebody's answer ended, or it gives somebody else time.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
    /// How many levels the policy has; 0 in what was stored before this was kept.
    #[serde(default)]
    pub levels: u32,
    /// How often it is repeated.
    #[serde(default)]
    pub repeat: u32,
    /// How many times the policy has been run through.
    pub cycle: u32,
    /// Whether anybody was reached in this cycle.
    pub reached: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// Its route is muted or holds it until then: nobody is paged by rule before, only when somebody asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_until: Option<Timestamp>,
}

impl Escalation {
    /// The level (0-based) that runs when it is due; none when its levels and repeats are used up then.
    #[must_use]
    pub const fn due_level(&self) -> Option<u32> {
        if self.levels == 0 || self.next_level < self.levels {
            return Some(self.next_level);
        }
        if self.reached && self.cycle < self.repeat { Some(0) } else { None }
    }
}

/// Who a page is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Recipient {
    Person(PersonId),
    Webhook(HookId),
}

/// Why this recipient: the target of the level that named them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum PageVia {
    /// Named in the level itself.
    Direct,
    /// On call in a schedule.
    Schedule(Box<OnCall>),
    /// A member of a team.
    Team { team: TeamId },
    /// Nobody else could be reached.
    Fallback,
    /// Somebody asked for their help.
    Added,
    /// They were paged, and it is about to be closed without a recovery.
    Stale,
    /// In place of somebody who has quiet hours.
    StandIn { person: PersonId },
}

/// Somebody on call in a schedule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(inline))]
pub struct OnCall {
    pub schedule: ScheduleId,
    /// The shift's end, when the rotation or override says one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Covering by an override, for this person if it replaced one.
    pub over: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<PersonId>,
    /// Why they were on call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Box<DutyReason>>,
}

impl PageVia {
    /// Whether it rings beside what the policies do, also when somebody answered.
    #[must_use]
    pub const fn is_beside(&self) -> bool {
        matches!(self, Self::Added | Self::Stale)
    }
}

/// Why a page waits, and until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Waits {
    pub until: Timestamp,
    pub because: WaitsFor,
}

/// What a page waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum WaitsFor {
    /// The end of the recipient's quiet hours.
    QuietHours,
    /// The recipient's morning, as lesser severities do.
    Morning,
}

/// One notification of one recipient: its attempts follow the recipient's rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Page {
    pub id: PageId,
    pub recipient: Recipient,
    pub via: PageVia,
    pub policy: PolicyId,
    /// 0-based level and cycle of the policy that asked for it.
    pub level: u32,
    pub cycle: u32,
    /// The recipient's rule that was followed: its index, or none for the built-in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<u32>,
    pub created_at: Timestamp,
    /// Its deliveries count from then instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits: Option<Box<Waits>>,
    /// Somebody asked for this recipient by name: it waits for no bundle and no limit.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_hand: bool,
    /// Its recipient asked not to be called again about the incident.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub no_calls: bool,
    #[cfg_attr(feature = "schema", schemars(with = "Vec<Attempt>"))]
    pub attempts: ThinVec<Attempt>,
}

impl Page {
    /// From when its deliveries count.
    #[must_use]
    pub fn begins_at(&self) -> Timestamp {
        self.waits.as_ref().map_or(self.created_at, |waits| waits.until)
    }

    /// Whether any of its messages is known to have been on a screen.
    #[must_use]
    pub fn is_shown(&self) -> bool {
        self.attempts.iter().any(Attempt::is_shown)
    }

    /// Whether a delivery of it has not begun, or is to be tried again.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.attempts.iter().any(|it| matches!(it.state, AttemptState::Planned | AttemptState::Retrying))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Alert;

    /// What the allocator takes for blocks of this size.
    fn class(bytes: usize) -> usize {
        [16, 32, 48, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384].into_iter().find(|it| *it >= bytes).unwrap()
    }

    /// Each field that is added to these is held a hundred thousand times over.
    #[test]
    fn an_open_incident_takes_no_more_than_decision_8_says() {
        const COUNTS: usize = 16;
        let of_list = |item: usize| class(COUNTS + item);
        assert_eq!(class(size_of::<Alert>()), 224);
        assert_eq!(class(COUNTS + size_of::<Incident>()), 224);
        assert_eq!(of_list(size_of::<Escalation>()), 80);
        assert_eq!(of_list(size_of::<Page>()), 112);
        assert_eq!(of_list(size_of::<Attempt>()), 96);
    }
}
