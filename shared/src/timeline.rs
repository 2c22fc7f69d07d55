//! What happened to an incident and why, as data: every decision leaves one of these, and texts only render them.

mod mirror;
mod outcome;

pub use mirror::MirrorEvent;
pub use outcome::{DropReason, Outcome, RejectReason, SuppressReason};

use crate::{
    AlertId, AttemptId, AttemptState, ClassId, ContactId, Counted, DeliveryReceipt, DownBecause, EventId, Failure,
    Flag, HeartbeatId, IncidentId, IntegrationId, MirrorId, PageId, PageVia, PersonId, PolicyId, Recipient, RouteId,
    Severity, SharedStr, SourceId, SuppressedBy, Throttle, Timestamp, Waits, WindowId, config::ContactKind,
    placement::Common,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Who did something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Actor {
    /// Tocsin itself, by rule.
    System,
    /// A signed-in account.
    Account { login: String },
    /// Somebody who holds what was sent to this person; `via` says what carried it: a link in a mail may be forwarded, a
    /// telephone or an account in a chat is somebody's own.
    Link {
        person: PersonId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        via: Option<ContactKind>,
    },
    /// An account by the app on one of its paired devices: whoever holds the device unlocked.
    Device {
        login: SharedStr,
        /// As its owner named it.
        device: SharedStr,
    },
    /// An API token, by its name.
    Token { name: String },
    /// A sender.
    Integration { integration: IntegrationId },
}

/// One numbered entry of an incident's timeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TimelineEntry {
    pub incident: IncidentId,
    /// 1, 2, 3 … without a gap.
    pub seq: u32,
    pub at: Timestamp,
    pub actor: Actor,
    pub what: Happening,
}

/// What happened, with the reason in its fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Happening {
    /// An alert opened this incident.
    Opened {
        alert: AlertId,
        event: EventId,
        severity: SeverityReason,
        key: String,
        flags: Vec<Flag>,
    },
    /// The routing tree was walked; what each rule said, in order.
    Routed {
        trace: Vec<RouteStep>,
        policies: Vec<PolicyId>,
        config: i64,
        /// What alerts of the same incident have in common, as the route says.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        group: Option<String>,
        /// What the routes have to say to whoever is paged.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        annotations: BTreeMap<String, String>,
    },
    /// Its pages wait: nobody is paged by this policy if it recovers first.
    Held {
        policy: PolicyId,
        hold_ms: i64,
        until: Timestamp,
    },
    /// It is kept quiet from now on, or for another reason than before.
    Suppressed {
        by: Vec<SuppressedBy>,
    },
    /// Nothing keeps it quiet any more.
    Released,
    /// The sender now says it is more (or less) urgent.
    SeverityChanged {
        from: Severity,
        to: Severity,
        pages_again: bool,
    },
    /// A level of a policy ran: for each target, who that was.
    LevelRan {
        policy: PolicyId,
        config: i64,
        level: u32,
        cycle: u32,
        targets: Vec<TargetResult>,
        /// The configuration in force, which schedules, teams and people's own rules were taken from.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        in_force: Option<i64>,
    },
    /// A level had nobody to page, and the next one followed at once.
    LevelEmpty {
        policy: PolicyId,
        config: i64,
        level: u32,
        cycle: u32,
        targets: Vec<TargetResult>,
        /// The configuration in force, which schedules, teams and people's own rules were taken from.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        in_force: Option<i64>,
    },
    /// A level was passed over at once because of its own conditions.
    LevelSkipped {
        policy: PolicyId,
        config: i64,
        level: u32,
        cycle: u32,
        unmet: Unmet,
    },
    /// Every page of the level failed, so its delay was not waited out.
    LevelFailed {
        policy: PolicyId,
        level: u32,
    },
    /// No level of the policy reached anybody: the fallback is paged.
    NobodyReached {
        policy: PolicyId,
        fallback: Vec<TargetResult>,
        /// The configuration in force, which schedules, teams and people's own rules were taken from.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        in_force: Option<i64>,
    },
    /// What the fallback was sent failed as well: what is left is the machine that the server runs on.
    Unreached {
        policy: PolicyId,
    },
    /// All levels and repeats are used up.
    Exhausted {
        policy: PolicyId,
        reminder_ms: Option<i64>,
    },
    /// The slow reminder after exhaustion.
    Reminded {
        policy: PolicyId,
        level: u32,
    },
    /// A page was made for a recipient.
    Paged {
        page: PageId,
        recipient: Recipient,
        via: PageVia,
        policy: PolicyId,
        level: u32,
        rule: Option<u32>,
        plan: Vec<PlannedAttempt>,
        /// Its deliveries count from then instead.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        waits: Option<Waits>,
        /// The version of the policy.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        config: Option<i64>,
        /// The configuration in force, which schedules, teams and people's own rules were taken from.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        in_force: Option<i64>,
    },
    /// A delivery changed state.
    Delivery {
        page: PageId,
        attempt: AttemptId,
        recipient: Recipient,
        contact: ContactId,
        channel: ContactKind,
        state: AttemptState,
        tries: u32,
        delay_ms: i64,
        failure: Option<Failure>,
        /// How many incidents the message named, when it was not this one alone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        incidents: Option<u32>,
    },
    /// A delivery is due and waits, to be sent together with what comes due meanwhile.
    Throttled {
        page: PageId,
        attempt: AttemptId,
        recipient: Recipient,
        contact: ContactId,
        channel: ContactKind,
        throttle: Throttle,
    },
    /// Somebody else said what became of a delivery.
    DeliveryReceipt {
        page: PageId,
        attempt: AttemptId,
        recipient: Recipient,
        contact: ContactId,
        channel: ContactKind,
        receipt: DeliveryReceipt,
        /// What said so, by the name its owner gave it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        device: Option<SharedStr>,
        /// Since it was sent.
        delay_ms: i64,
    },
    /// A delivery was taken, and nothing says that anybody saw it.
    Unproven {
        page: PageId,
        attempt: AttemptId,
        recipient: Recipient,
        contact: ContactId,
        channel: ContactKind,
        within_ms: i64,
    },
    /// A failed delivery, or an unproven one, pulled a later one forward.
    PulledForward {
        page: PageId,
        attempt: AttemptId,
        contact: ContactId,
    },
    Acked {
        until: Option<Timestamp>,
    },
    /// Somebody answered, and others must too before it is acknowledged; or it is already, and nobody is missing.
    Answered {
        /// Who of the configuration that was; none for somebody else.
        person: Option<PersonId>,
        missing: Vec<PersonId>,
    },
    /// The acknowledgement ran out.
    AckExpired,
    /// Somebody asked not to be called again about this.
    CallsStopped {
        person: PersonId,
    },
    Unacked,
    Snoozed {
        until: Timestamp,
    },
    SnoozeEnded,
    /// Somebody asked for the next (or a chosen) level now.
    Escalated {
        policy: PolicyId,
        level: u32,
    },
    Reassigned {
        to: PersonId,
    },
    /// Somebody let it go on by the policy of the configuration in force.
    PolicyApplied {
        policy: PolicyId,
        from: i64,
        to: i64,
    },
    /// Somebody was asked to help; the policies go on as they were.
    RespondersAdded {
        targets: Vec<TargetResult>,
        /// The configuration in force, which schedules, teams and people's own rules were taken from.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        in_force: Option<i64>,
    },
    Note {
        text: String,
    },
    /// Resolved by hand.
    Resolved,
    /// The last firing alert recovered.
    Recovered {
        alert: AlertId,
        event: EventId,
        matched: RecoveryMatch,
        /// Its pages still waited, so nobody was paged.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        held: bool,
    },
    /// One of several alerts recovered; others still fire.
    AlertRecovered {
        alert: AlertId,
        event: EventId,
        matched: RecoveryMatch,
    },
    /// An alert joined instead of opening an incident of its own.
    AlertJoined {
        alert: AlertId,
        event: EventId,
        severity: SeverityReason,
        /// The alert's identity.
        key: String,
        /// What it has in common with the others, as the route says.
        group: String,
        /// Nobody had answered and every level was used up, so that the policies start over.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        pages_again: bool,
    },
    /// By hand: what still fired went into another incident, and this one is over.
    MergedInto {
        into: IncidentId,
    },
    /// By hand: another incident's alerts came in.
    Merged {
        from: IncidentId,
        alerts: u32,
    },
    /// By hand: one of several alerts got an incident of its own.
    AlertDetached {
        alert: AlertId,
        to: IncidentId,
    },
    /// By hand: this incident is about an alert that was part of another one.
    Detached {
        from: IncidentId,
    },
    /// It fired and recovered so often that it is kept open as one; what it does now pages nobody anew.
    FlappingBegan {
        alert: AlertId,
        event: EventId,
        times: u32,
        within_ms: i64,
        calm_ms: i64,
    },
    /// A heartbeat did not come, or its sender said that it failed: the reason for this incident's alert.
    HeartbeatDown {
        heartbeat: HeartbeatId,
        because: DownBecause,
        /// The last beat; none when there was none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        last_at: Option<Timestamp>,
        /// From when it was waited for, and why from then; none when it failed before anything was awaited.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        counted: Option<Counted>,
        interval_ms: i64,
        grace_ms: i64,
        /// Of a sender: its silence was judged by so many weeks in which it was heard.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        learned_weeks: Option<u32>,
        /// What was sent along with the last signal.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        note: String,
    },
    /// Many VMs of a hypervisor, a switch or a datastore fail alike: the reason for this incident's alert.
    Suspected {
        what: Common,
        source: SourceId,
        name: String,
        /// The names of the first of them.
        vms: Vec<String>,
        failing: u32,
        /// How many have it, and how many had to fail.
        of: u32,
        least: u32,
        within_ms: i64,
    },
    /// Fewer still fail; whoever does when the time is up pages for themselves.
    SuspicionCalms {
        failing: u32,
        calm_ms: i64,
    },
    /// The VM of an alert runs on another hypervisor than when the alert came.
    VmMoved {
        vm: String,
        from: String,
        to: String,
    },
    /// Something about a port mirror that is to help with this incident.
    Mirror {
        mirror: MirrorId,
        what: MirrorEvent,
    },
    /// An alert should have been sent again, and was not: nobody knows whether it still holds.
    AlertStale {
        alert: AlertId,
        /// How long nothing was heard of it.
        silent_ms: i64,
        /// It is closed after this unless it is heard again; none when it stays open.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        closes_ms: Option<i64>,
        /// The route that says after how long; none when its sender or the sender's settings do.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        route: Option<RouteId>,
    },
    /// A stale alert was sent again.
    AlertHeardAgain {
        alert: AlertId,
    },
    /// A stale alert was closed without a recovery.
    StaleClosed {
        alert: AlertId,
        silent_ms: i64,
        /// It was the last one that fired.
        over: bool,
    },
    /// It has been calm: over, or firing steadily.
    FlappingEnded {
        changes: u32,
        firing: bool,
    },
}

/// How a severity was decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum SeverityReason {
    /// The message said so.
    Stated { severity: Severity },
    /// The message said nothing; the integration's default.
    Default { severity: Severity },
    /// The message said so in its own words, which the table of words knows.
    Word { severity: Severity, word: String },
    /// A rule of the integration set it.
    Class { severity: Severity, class: ClassId, was: Severity },
    /// A route set it.
    Route { severity: Severity, route: RouteId, was: Severity },
}

impl SeverityReason {
    /// The decided severity.
    #[must_use]
    pub const fn severity(&self) -> Severity {
        match self {
            Self::Stated { severity }
            | Self::Default { severity }
            | Self::Word { severity, .. }
            | Self::Class { severity, .. }
            | Self::Route { severity, .. } => *severity,
        }
    }
}

/// How a recovery found its alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum RecoveryMatch {
    /// The same identity.
    Key,
    /// The only open alert of that host from this sender that could be meant.
    OnlyAlertOfHost,
}

/// What one rule of the routing tree said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RouteStep {
    pub route: RouteId,
    /// Depth in the tree, 0 at the top.
    pub depth: u32,
    pub matched: bool,
    /// The first condition that was false, as written, with the value it met.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<FailedMatch>,
    /// The policy this rule sent it to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyId>,
    /// Whether later rules were still asked.
    pub continues: bool,
    /// Why its pages wait, when they do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub muted: Option<Muted>,
}

/// Why the pages of a route wait.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Muted {
    /// The time window that mutes it; none when it is outside the windows in which it is active.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<WindowId>,
    /// When pages go out if it still fires; none when that never comes, and then the route pages nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// The first condition that was false.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FailedMatch {
    /// As written in the configuration.
    pub condition: String,
    /// The value the alert had; none when the field was absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// What one target of a level came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TargetResult {
    /// As written: `person:li`, `schedule:db`, `team:net`, `webhook:noc`.
    pub target: String,
    /// Who was paged for it; empty when nobody.
    pub recipients: Vec<Recipient>,
    /// Why nobody, or why somebody was left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<Skip>,
}

/// Why a target or a person was not paged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Skip {
    /// Nobody is on call in the schedule now.
    NobodyOnCall,
    /// The team has no members.
    EmptyTeam,
    /// The target was removed from the configuration since.
    Gone,
    /// The person has no contact.
    NoContact { person: PersonId },
    /// The person's rules give no contact for this severity.
    NoRule { person: PersonId },
    /// Already paged by another target of this level.
    AlreadyPaged { person: PersonId },
    /// They answered already; others have not.
    Answered { person: PersonId },
    /// Paged, but it rings only then, and the next level does not wait for it.
    Waits { person: PersonId, waits: Waits },
    /// They have quiet hours, and somebody else is paged for them.
    HandedOver { person: PersonId, to: PersonId },
    /// The level pages one at a time, and it is somebody else's turn.
    OthersTurn { person: PersonId },
}

impl Skip {
    /// Whom it is about; none when it is about the whole target.
    #[must_use]
    pub const fn person(&self) -> Option<&PersonId> {
        match self {
            Self::NoContact { person }
            | Self::NoRule { person }
            | Self::AlreadyPaged { person }
            | Self::Answered { person }
            | Self::Waits { person, .. }
            | Self::HandedOver { person, .. }
            | Self::OthersTurn { person } => Some(person),
            Self::NobodyOnCall | Self::EmptyTeam | Self::Gone => None,
        }
    }
}

/// The first condition of a level that did not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Unmet {
    /// The incident has another severity than the level is for.
    Severity { is: Severity, wanted: Vec<Severity> },
    /// It was outside every time window in which the level runs.
    Outside { windows: Vec<WindowId> },
    /// It was inside a time window in which the level does not run.
    Inside { window: WindowId },
    /// Fewer alerts fired than the level asks for.
    Alerts { firing: u32, wanted: u32 },
}

/// One delivery a page plans.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PlannedAttempt {
    pub attempt: AttemptId,
    pub contact: ContactId,
    pub channel: ContactKind,
    pub after_ms: i64,
}
