//! The engine's state: plain data in ordered maps, rebuilt from the store at start.

use crate::{
    bundle::{Lanes, Messages},
    deadline::Deadlines,
    dense::Map,
    dispatch::Queue,
    event::OwnMessage,
    group::Groups,
    index::Index,
    inhibit::Inhibitors,
    mirror::{Recorded, Running},
    names::Names,
    notice::Outbox,
    repeats::Repeats,
    silence::Standing,
    suspect::Suspects,
    throttle::{ContactSends, SendLog},
};
use serde::{Deserialize, Serialize};
use shared::{
    Alert, AlertId, AttemptId, ContactId, Digest, EventId, HeartbeatId, Incident, IncidentId, IntegrationId, MirrorId,
    PageId, PersonId, Pulse, SharedStr, Silence, SilenceId, Storm, Timestamp,
    config::Policy,
    mirror::Mirror,
    placement::Placement,
    timeline::{Outcome, TimelineEntry},
};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

/// The last number given of each kind; ids come from here and nowhere else, so a run replays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    pub event: i64,
    pub alert: i64,
    pub incident: i64,
    pub page: i64,
    pub attempt: i64,
    pub silence: i64,
    pub mirror: i64,
}

impl Counters {
    pub(crate) fn next_event(&mut self) -> EventId {
        self.event += 1;
        EventId(self.event)
    }

    pub(crate) fn next_alert(&mut self) -> AlertId {
        self.alert += 1;
        AlertId(self.alert)
    }

    pub(crate) fn next_incident(&mut self) -> IncidentId {
        self.incident += 1;
        IncidentId(self.incident)
    }

    pub(crate) fn next_page(&mut self) -> PageId {
        self.page += 1;
        PageId(self.page)
    }

    pub(crate) fn next_attempt(&mut self) -> AttemptId {
        self.attempt += 1;
        AttemptId(self.attempt)
    }

    pub(crate) fn next_mirror(&mut self) -> MirrorId {
        self.mirror += 1;
        MirrorId(self.mirror)
    }

    pub(crate) fn next_silence(&mut self) -> SilenceId {
        self.silence += 1;
        SilenceId(self.silence)
    }
}

/// The law of accounts: what was ingested, and where it ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accounts {
    /// Members of messages, rejected bodies included.
    pub ingested: u64,
    pub opened: u64,
    /// Sent again, or answered where they come from.
    pub refreshed: u64,
    pub closed: u64,
    pub suppressed: u64,
    pub dropped: u64,
    pub rejected: u64,
}

impl Accounts {
    pub(crate) fn book(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Opened { .. } => self.opened += 1,
            Outcome::Refreshed { .. } | Outcome::Acknowledged { .. } => self.refreshed += 1,
            Outcome::Closed { .. } => self.closed += 1,
            Outcome::Suppressed { .. } => self.suppressed += 1,
            Outcome::Dropped { .. } => self.dropped += 1,
            Outcome::Rejected { .. } => self.rejected += 1,
        }
    }

    /// Whether every ingested member ended in exactly one outcome.
    #[must_use]
    pub fn balance(&self) -> bool {
        self.ingested == self.opened + self.refreshed + self.closed + self.suppressed + self.dropped + self.rejected
    }
}

/// When an identity was last closed, and how often it fired of late.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recent {
    pub incident: IncidentId,
    pub closed_at: Timestamp,
    /// Openings within the last 24 hours, oldest first, at most [`RECENT_MAX`].
    pub opened: Vec<Timestamp>,
}

/// Openings remembered for one identity.
pub const RECENT_MAX: usize = 100;

/// The identity of an alert while it is open.
pub(crate) type Key = (IntegrationId, SharedStr);

/// Whose turn it is in a level that pages one person at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LevelTurn {
    pub policy: shared::PolicyId,
    /// 0-based.
    pub level: u32,
    /// Who had a turn, the latest last.
    pub people: Vec<PersonId>,
}

/// Everything the engine knows.
#[derive(Clone, Debug, Default)]
pub struct State {
    pub counters: Counters,
    pub accounts: Accounts,
    /// Open alerts. Nobody else holds them: a commit gets a copy, whose texts are these.
    pub alerts: Map<AlertId, Box<Alert>>,
    /// Open incidents, and resolved ones with a delivery still under way.
    pub incidents: Map<IncidentId, Arc<Incident>>,
    /// Policies as incidents started with them.
    pub policies: BTreeMap<(i64, shared::PolicyId), Arc<Policy>>,
    /// Silences that are not over.
    pub silences: BTreeMap<SilenceId, Standing>,
    /// Silences that are over, while somebody is still to be told of them.
    pub(crate) over: BTreeMap<SilenceId, Arc<Silence>>,
    pub(crate) outbox: Outbox,
    /// Since when senders can be heard.
    pub up_since: Timestamp,
    /// Port mirrors that are not over.
    pub mirrors: BTreeMap<MirrorId, Running>,
    /// How the configured heartbeats stand.
    pub pulses: BTreeMap<HeartbeatId, Pulse>,
    pub(crate) inhibitors: Inhibitors,
    pub(crate) suspects: Suspects,
    /// By identity.
    pub(crate) open: Index,
    pub(crate) by_host: Index,
    pub(crate) groups: Groups,
    pub(crate) recent: BTreeMap<Key, Recent>,
    /// Idempotency keys of the last 24 hours with the message and the answer they got.
    pub(crate) seen: BTreeMap<Key, (EventId, Vec<Outcome>)>,
    /// Recoveries that problems may still follow which were sent before them.
    pub(crate) late: crate::late::Late,
    /// Events that were told of late, and may be told again to others.
    pub(crate) copies: crate::copies::Copies,
    /// What is forgotten when: closed identities and idempotency keys.
    pub(crate) forget: BTreeMap<Timestamp, Vec<Forgettable>>,
    pub(crate) deadlines: Deadlines,
    pub(crate) queue: Queue,
    /// Due deliveries that wait for their message.
    pub(crate) lanes: Lanes,
    /// Messages of several deliveries.
    pub(crate) messages: Messages,
    /// What each person was sent of late.
    pub(crate) sends: BTreeMap<(PersonId, ContactId), SendLog>,
    /// While it lasts.
    pub storm: Option<Box<Storm>>,
    /// When the newest incidents opened, also those that are over.
    pub(crate) openings: VecDeque<(Timestamp, IncidentId)>,
    /// Deliveries a previous process began; they hold slots until their leases end.
    pub(crate) adopted: usize,
    pub(crate) dirty: Dirty,
    pub(crate) repeats: Repeats,
    /// What many alerts say alike.
    pub(crate) names: Names,
    /// Who had a turn in levels that page one at a time, the latest last.
    pub(crate) turns: BTreeMap<(shared::PolicyId, u32), Vec<PersonId>>,
}

/// Where the machine of an alert was, as it was first known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placing {
    pub alert: AlertId,
    pub at: Timestamp,
    pub placement: Arc<Placement>,
}

/// Something that is forgotten after a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Forgettable {
    Seen(Key),
    Recent(Key),
}

/// What changed since the store was last told.
#[derive(Clone, Debug, Default)]
pub(crate) struct Dirty {
    pub(crate) alerts: BTreeSet<AlertId>,
    pub(crate) incidents: BTreeSet<IncidentId>,
    /// Closed alerts, which the maps no longer hold.
    pub(crate) closed: BTreeMap<AlertId, Box<Alert>>,
    pub(crate) timeline: Vec<TimelineEntry>,
    pub(crate) silences: BTreeSet<SilenceId>,
    pub(crate) turns: BTreeSet<(shared::PolicyId, u32)>,
    pub(crate) pulses: BTreeSet<HeartbeatId>,
    pub(crate) own: Vec<OwnMessage>,
    pub(crate) places: Vec<Placing>,
    pub(crate) mirrors: BTreeSet<MirrorId>,
    pub(crate) mirror_steps: Vec<Recorded>,
    pub(crate) sends: BTreeSet<(PersonId, ContactId)>,
    /// The storm that lasts changed.
    pub(crate) storm: bool,
    /// Storms that are over.
    pub(crate) storms: Vec<Storm>,
    pub(crate) digests: Vec<(SilenceId, Digest)>,
    /// Deliveries that began, went on or ended.
    pub(crate) deliveries: BTreeSet<(IncidentId, AttemptId)>,
}

/// What the store gives back at start.
#[derive(Clone, Debug, Default)]
pub struct Restored {
    pub counters: Counters,
    /// Those that are open; see [`Restored::add_alert`].
    pub alerts: Map<AlertId, Box<Alert>>,
    /// See [`Restored::add_incident`].
    pub incidents: Map<IncidentId, Arc<Incident>>,
    /// Silences that are not over, and those of which somebody is still to be told.
    pub silences: Vec<Silence>,
    /// Port mirrors that are not over.
    pub mirrors: Vec<Mirror>,
    /// Policies of the configuration versions the incidents started with.
    pub policies: BTreeMap<(i64, shared::PolicyId), Arc<Policy>>,
    /// Whose turn it is in levels that page one person at a time.
    pub turns: Vec<LevelTurn>,
    /// How heartbeats stood, configured still or not.
    pub pulses: Vec<Pulse>,
    /// What each person was sent of late.
    pub sends: Vec<ContactSends>,
    /// The storm that lasts.
    pub storm: Option<Storm>,
    /// When the newest incidents opened, oldest first; at most [`OPENINGS_MAX`](crate::OPENINGS_MAX).
    pub openings: Vec<(Timestamp, IncidentId)>,
    /// Closed identities of the last 24 hours.
    pub recent: Vec<(IntegrationId, SharedStr, Recent)>,
    /// Idempotency keys of the last 24 hours: when, whose, which message, which answer.
    pub seen: Vec<(Timestamp, IntegrationId, SharedStr, EventId, Vec<Outcome>)>,
    /// Messages after [`Changes::settled`], oldest first: when they were decided on, and what became of their members.
    ///
    /// [`Changes::settled`]: crate::Changes::settled
    pub unsettled: Vec<(EventId, Timestamp, Vec<Outcome>)>,
    /// Where the machines of open alerts were.
    pub places: Vec<(AlertId, Placement)>,
    /// What they repeat.
    pub names: Names,
}

impl Restored {
    /// Adds an open alert as it is kept: with nothing in reserve, and texts that others have too held once.
    pub fn add_alert(&mut self, mut alert: Alert) {
        alert.event.shrink();
        self.names.share(&mut alert.integration.0);
        self.names.share_in(&mut alert.event);
        self.alerts.insert(alert.id, Box::new(alert));
    }

    /// The same for an incident, after its alerts.
    pub fn add_incident(&mut self, mut incident: Incident) {
        incident.shrink();
        let first = incident.alerts.first().and_then(|id| self.alerts.get(id));
        self.names.share_of(&mut incident, first.map(|alert| &**alert));
        self.incidents.insert(incident.id, Arc::new(incident));
    }

    /// The newest instant at which something is known to have happened; none when nothing is kept.
    #[must_use]
    pub fn newest(&self) -> Option<Timestamp> {
        let incidents = self.incidents.values().map(|incident| incident.updated_at);
        incidents.chain(self.alerts.values().map(|alert| alert.last_at)).max()
    }
}

impl State {
    /// How many deliveries are due but not begun.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.queue.waiting() - self.lanes.tickets() + self.lanes.waiting()
    }

    /// How many deliveries are under way.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.queue.in_flight()
    }

    /// The same words again: only the counts change, and they are stored later.
    pub(crate) fn count_repeat(&mut self, id: AlertId, message: EventId, now: Timestamp) -> Option<IncidentId> {
        let alert = self.alerts.get_mut(&id)?;
        alert.count = alert.count.saturating_add(1);
        alert.last_at = now;
        alert.last_event = message;
        let incident = self.incidents.get_mut(&alert.incident).map(Arc::make_mut)?;
        incident.count = incident.count.saturating_add(1);
        incident.updated_at = now;
        self.repeats.wait(id, message, now);
        Some(incident.id)
    }

    /// How many deadlines are pending.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.deadlines.len()
    }
}
