//! What can happen to the engine, and what it answers. If it is not an [`Event`], it cannot change a decision.

use crate::{
    compile::Snapshot,
    mirror::{MirrorAct, MirrorCommand, MirrorRefusal, Recorded},
    oncall::Copies,
};
use shared::{
    Alert, AlertEvent, AlertId, AttemptId, ContactId, Delay, DeliveryReceipt, Digest, EventId, Failure, HeartbeatId,
    Incident, IncidentId, IntegrationId, MirrorId, PageId, PersonId, PolicyId, Pulse, SharedStr, Signal, Silence,
    SilenceId, SilenceRequest, Storm, Timestamp,
    config::Target,
    mirror::{Mirror, MirrorReport},
    placement::Placement,
    timeline::{Actor, Outcome, RejectReason, TimelineEntry},
};
use std::sync::Arc;

use crate::{
    state::{Counters, LevelTurn, Placing},
    throttle::ContactSends,
};

/// Everything that can happen.
#[derive(Clone, Debug)]
pub enum Event {
    /// A sender's message, normalized at the edge.
    Ingested(Ingested),
    /// Somebody acted on an incident.
    Acted { incident: IncidentId, by: Actor, act: Act },
    /// Somebody made, changed or ended a silence.
    Silence { by: Actor, act: SilenceAct },
    /// Somebody asked for a port mirror, or did something about one.
    Mirror { by: Actor, act: MirrorAct },
    /// What came of a port mirror in its switch.
    MirrorReported { mirror: MirrorId, report: MirrorReport },
    /// A heartbeat was heard.
    Beat { heartbeat: HeartbeatId, signal: Signal, note: String },
    /// A delivery came to its end.
    DeliveryFinished {
        incident: IncidentId,
        attempt: AttemptId,
        try_number: u32,
        result: Result<Option<String>, Failure>,
    },
    /// Somebody else says what became of a message, by any incident it names.
    DeliveryReceipt { incident: IncidentId, message: AttemptId, receipt: DeliveryReceipt, device: Option<SharedStr> },
    /// A notice came to its end.
    NoticeFinished { silence: SilenceId, attempt: AttemptId, try_number: u32, result: Result<Option<String>, Failure> },
    /// It is known now where the machines of these alerts run, or they run elsewhere.
    Placed(Vec<(AlertId, Arc<Placement>)>),
    /// A new configuration is in force.
    ConfigReplaced(Arc<Snapshot>),
    /// Calendars that others keep were fetched: these copies of them count from now on.
    CalendarsRead(Arc<Copies>),
    /// A deadline passed: everything due at `now` is done.
    Wake,
}

/// A message of a sender: one body, any number of members.
#[derive(Clone, Debug)]
pub struct Ingested {
    pub integration: IntegrationId,
    /// The sender's own idempotency key; the same key within 24 hours is the same message.
    pub key: Option<String>,
    pub events: Vec<AlertEvent>,
    pub rejected: Vec<RejectReason>,
    /// Where the machine of each member is, as far as that is known at once; shorter when it is not known of the last.
    pub places: Vec<Option<Arc<Placement>>>,
    /// Somebody here told it again: that says nothing of whether its sender is there.
    pub replayed: bool,
}

/// What people do with silences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SilenceAct {
    Begin(SilenceRequest),
    Change(SilenceId, SilenceRequest),
    End(SilenceId),
}

/// What people do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// `until`: when the author expects to be done; the severity's default when absent.
    Ack {
        until: Option<Timestamp>,
    },
    /// The same by a person of the configuration, whatever account they use.
    AckAs {
        person: PersonId,
        until: Option<Timestamp>,
    },
    Unack,
    /// This person is not called again about it.
    StopCalls {
        person: PersonId,
    },
    Resolve,
    Snooze {
        until: Timestamp,
    },
    /// Run a level (0-based) now; refused when the incident is not at `version` any more.
    Escalate {
        policy: Option<PolicyId>,
        level: Option<u32>,
        version: Option<u32>,
    },
    Reassign {
        to: PersonId,
    },
    /// Go on by the policies of the configuration in force; refused when the incident is not at `version` any more.
    ApplyPolicy {
        version: Option<u32>,
    },
    /// Page these besides, whatever the policies do; refused when the incident is not at `version` any more.
    AddResponders {
        targets: Vec<Target>,
        version: Option<u32>,
    },
    Note {
        text: String,
    },
    /// Move what still fires into another incident and end this one; refused when it is not at `version` any more.
    Merge {
        into: IncidentId,
        version: Option<u32>,
    },
    /// Give one of several alerts an incident of its own; refused when it is not at `version` any more.
    Detach {
        alert: AlertId,
        version: Option<u32>,
    },
}

/// Why an action was refused; nothing changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("there is no open incident with this number")]
    NotOpen,
    #[error("somebody acted since you looked: the incident is at version {now}, you saw {seen}")]
    VersionConflict { seen: u32, now: u32 },
    #[error("the incident runs no such policy")]
    NoSuchPolicy,
    #[error("the policy has {levels} levels")]
    NoSuchLevel { levels: u32 },
    #[error("there is no such person in the configuration")]
    NoSuchPerson,
    #[error("the person has no contact to be paged by")]
    NoContact,
    #[error("the configuration in force has no other version of the incident's policies")]
    NothingNewer,
    #[error("none of these comes to somebody who can be paged now")]
    NobodyReached,
    #[error("the time lies in the past")]
    InThePast,
    #[error("the incident is not acknowledged or snoozed")]
    NotAcked,
    #[error("there is no other open incident with that number to merge into")]
    NoTarget,
    #[error("an incident holds at most {limit} alerts")]
    TooManyAlerts { limit: u32 },
    #[error("the incident has no such alert that still fires")]
    NoSuchAlert,
    #[error("it is the only alert of the incident that still fires")]
    OnlyAlert,
    #[error("the configuration has no such heartbeat")]
    NoSuchHeartbeat,
    #[error("there is no such silence, or it is over")]
    NoSuchSilence,
    #[error("the silence stands in the configuration as `{name}`; change it there")]
    ConfiguredSilence { name: String },
    #[error(transparent)]
    Mirror(Box<MirrorRefusal>),
    #[error("{message}")]
    BadSilence { path: String, message: String },
}

/// The reason for a deadline: one ordered index of these, never a timer per thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wake {
    /// The next level of an escalation (by its place in the incident).
    Level {
        incident: IncidentId,
        escalation: u32,
    },
    /// A planned delivery or a retry.
    Attempt {
        incident: IncidentId,
        attempt: AttemptId,
    },
    /// The answer of a provider has not come.
    Lease {
        incident: IncidentId,
        attempt: AttemptId,
    },
    AckTimeout {
        incident: IncidentId,
    },
    SnoozeEnds {
        incident: IncidentId,
    },
    /// What flapped has not changed for a while.
    Calm {
        incident: IncidentId,
    },
    /// Messages that waited may go.
    Bundle,
    /// A storm has been calm for a while.
    Storm,
    /// A silence begins, pauses, goes on or ends.
    Silence {
        silence: SilenceId,
    },
    /// A notice is due, or the answer to it has not come.
    Notice {
        silence: SilenceId,
        attempt: AttemptId,
    },
    /// An alert may be stale, or is to be closed as such.
    Stale {
        alert: AlertId,
    },
    /// A port mirror begins, ends, or is to be looked at.
    Mirror {
        mirror: MirrorId,
    },
    /// A heartbeat, or several, did not come in time.
    Heartbeat,
    /// Of suspected hypervisors too few VMs fail by now; and after a restart.
    Suspects,
    /// After a restart: what keeps quiet may have changed meanwhile.
    Review,
    /// Old idempotency keys and closed identities are forgotten.
    Forget,
}

/// What the shell must do once the changes are durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Hand one message to its channel, then report [`Event::DeliveryFinished`] for any attempt of it.
    Deliver {
        incident: IncidentId,
        page: PageId,
        attempt: AttemptId,
        contact: ContactId,
        try_number: u32,
        lease: Delay,
        /// The page of `incident` was asked for after every level was used up; the others say so for themselves.
        reminder: bool,
        /// The number of the whole message, the same for every try: this attempt's own when it goes out alone.
        message: AttemptId,
        /// Other incidents that the message names, the most severe first; what becomes of it becomes of all.
        others: Vec<Part>,
        /// It is a page about the storm that this incident set off.
        storm: Option<IncidentId>,
    },
}

impl Command {
    /// The incidents it is about.
    pub fn incidents(&self) -> impl Iterator<Item = IncidentId> + '_ {
        let Self::Deliver { incident, others, .. } = self;
        std::iter::once(*incident).chain(others.iter().map(|other| other.incident))
    }
}

/// One delivery of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    pub incident: IncidentId,
    pub page: PageId,
    pub attempt: AttemptId,
    /// Asked for after every level was used up.
    pub reminder: bool,
}

/// A notice to hand to its channel once the changes are durable; then report [`Event::NoticeFinished`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tell {
    pub silence: SilenceId,
    pub attempt: AttemptId,
    pub try_number: u32,
}

/// The answer to one event.
#[derive(Clone, Debug, Default)]
pub struct Effects {
    pub commands: Vec<Command>,
    /// What people are told that is no page.
    pub notices: Vec<Tell>,
    /// One entry for each member of an ingested message, in its order: the account.
    pub outcomes: Vec<Outcome>,
    /// The number of an ingested message: new, or of the first one with the same key.
    pub event: Option<EventId>,
    /// The message is a repetition by its key; nothing is stored for it.
    pub repeated: bool,
    /// The silence that was made, changed or ended.
    pub silence: Option<SilenceId>,
    /// What is to be done about port mirrors.
    pub mirrors: Vec<MirrorCommand>,
    /// The port mirrors that were asked for, or that something was done about.
    pub mirrored: Vec<MirrorId>,
    /// Why an action was refused.
    pub refused: Option<Refusal>,
}

/// An alert, or a recovery, that the engine raised under its own name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnMessage {
    pub id: EventId,
    pub at: Timestamp,
    pub event: AlertEvent,
    pub outcome: Outcome,
}

/// What must become durable: the newest state of everything that changed since the last call.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    pub alerts: Vec<Alert>,
    pub incidents: Vec<Arc<Incident>>,
    pub timeline: Vec<TimelineEntry>,
    pub silences: Vec<Arc<Silence>>,
    /// What happened in maintenances that are over, for the record of acts.
    pub digests: Vec<(SilenceId, Digest)>,
    /// Whose turn it is, in levels where that changed.
    pub turns: Vec<LevelTurn>,
    /// Heartbeats that were heard or missed.
    pub pulses: Vec<Pulse>,
    /// Alerts the engine raised itself: kept as messages, as if somebody had sent them.
    pub own: Vec<OwnMessage>,
    /// Where the machines of alerts were when they came.
    pub places: Vec<Placing>,
    /// Port mirrors that changed.
    pub mirrors: Vec<Arc<Mirror>>,
    /// What was done about them, for the record of acts.
    pub mirror_steps: Vec<Recorded>,
    /// What people were sent, where that changed.
    pub sends: Vec<ContactSends>,
    /// Storms that began, went on or ended.
    pub storms: Vec<Storm>,
    /// Which deliveries of these incidents began, went on or ended; also some that have not begun.
    pub deliveries: Vec<(IncidentId, AttemptId)>,
    pub counters: Counters,
    /// The rows of alerts count every message up to this one; see [`Restored::unsettled`].
    ///
    /// [`Restored::unsettled`]: crate::Restored::unsettled
    pub settled: EventId,
}

impl Changes {
    /// Whether nothing changed but perhaps the counters, which are stored with every accepted message.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.alerts.is_empty()
            && self.incidents.is_empty()
            && self.timeline.is_empty()
            && self.silences.is_empty()
            && self.turns.is_empty()
            && self.pulses.is_empty()
            && self.own.is_empty()
            && self.places.is_empty()
            && self.mirrors.is_empty()
            && self.sends.is_empty()
            && self.storms.is_empty()
    }
}
