//! The loop around the engine: next event or next deadline, decide, commit, and only then act.
//!
//! One thread owns the engine and the writing connection. Everybody else reaches it through bounded lanes
//! (P0 first) and waits for the answer, which comes after the commit. A commit takes everything that was
//! queued: one flush for many messages. When a commit fails nothing of it is answered with success, and the
//! state is read back from the store before anything else is recorded; see [`blind`] for what pages then.

mod auditor;
mod batch;
mod beat;
mod blind;
mod deliver;
mod inbox;
mod lanes;
mod last_resort;
mod methods;
mod own;
mod pace;
mod reported;
mod rest;
mod tell;
mod test_pages;
mod told;
mod turn;
mod withdraw;
mod writer;

pub use deliver::Links;
pub use last_resort::LastResort;
pub use methods::fingerprint;
pub use reported::{Named, Reported};
pub use tell::PersonalNotice;
pub use test_pages::{TEST, Tested};
pub use told::Told;
pub use writer::{Start, StartError, Stopped};

use crate::{channels::Channels, clock::Stopwatch, mirror::Orders};
use auditor::Audited;
use beat::Heartbeat;
use engine::{
    Act, Engine, Refusal, SilenceAct, Snapshot,
    compile::SELF,
    matcher::{Matcher, Subject},
    mirror::MirrorAct,
    normalize::{Normalized, Source, normalize},
};
use inbox::{Beat, Inbox, Item, Proven};
use shared::{
    Alert, AttemptId, DeliveryReceipt, EventId, HeartbeatId, Incident, IncidentId, IntegrationId, MirrorId, PersonId,
    Recipient, Severity, SharedStr, Signal, Silence, Timestamp,
    api::{PagerStatus, Receipt},
    config::{ContactKind, Integration},
    mirror::{Mirror, MirrorReport},
    placement::Placement,
    timeline::Actor,
};
use std::{
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering},
    },
    time::Duration,
};
use test_pages::TestPages;
use tokio::sync::oneshot;

/// How long somebody waits for the store before they are told to come back.
const PATIENCE: Duration = Duration::from_secs(2);
/// The engine is taken for dead when it has not completed a turn for this long.
const TICK_MAX_MS: i64 = 5_000;

/// A sender's message on its way to the engine, already read.
#[derive(Clone, Debug)]
pub struct Arrived {
    pub integration: IntegrationId,
    pub received_at: Timestamp,
    /// The sender's address, for the list of messages.
    pub peer: String,
    pub content_type: String,
    /// The sender's idempotency key.
    pub key: Option<String>,
    pub body: Vec<u8>,
    pub read: Normalized,
    /// Where the machine of each member runs, as far as that is known at once.
    pub places: Vec<Option<Arc<Placement>>>,
    /// Whether any member is a P0, by its own word or by its route: it takes the lane that nothing can fill up.
    pub urgent: bool,
    /// Somebody here told it again, and not its sender.
    pub replayed: bool,
}

impl Arrived {
    /// What it is about: identities, and machines.
    pub(crate) fn things(&self) -> impl Iterator<Item = String> {
        let events = self.read.events.iter().map(|it| &it.event);
        let named = events.flat_map(|it| [Some(&it.dedup_key), it.host.as_ref().or(it.ip.as_ref())]).flatten();
        named.map(|it| it.to_lowercase())
    }

    /// Reads a body; urgent when a member calls itself a P0.
    #[must_use]
    pub fn read(source: &Source<'_>, body: Vec<u8>) -> Self {
        let read = normalize(source, &body);
        Self {
            integration: source.integration.id.clone(),
            received_at: source.received_at,
            peer: source.peer.unwrap_or_default().to_owned(),
            content_type: source.content_type.unwrap_or_default().to_owned(),
            key: None,
            places: Vec::new(),
            replayed: false,
            urgent: read.events.iter().any(|it| it.event.severity == Severity::P0),
            body,
            read,
        }
    }

    /// A message of the pager to itself, under an identity: `body` is what a sender of JSON would post.
    pub(crate) fn of_itself(body: &serde_json::Value, key: &str, now: Timestamp) -> Self {
        let own = Integration::undeclared(SELF.into());
        let source = Source {
            integration: &own,
            content_type: Some("application/json"),
            format: None,
            peer: Some(SELF),
            received_at: now,
        };
        let mut arrived = Self::read(&source, body.to_string().into_bytes());
        for parsed in &mut arrived.read.events {
            parsed.event.dedup_key = key.into();
        }
        arrived
    }
}

/// How many of some messages, from the first on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Those that found room: a P0 among them pages, whether or not it can be stored.
    pub taken: usize,
    pub stored: usize,
}

/// Why a message was not taken. Nothing of it was stored as far as we know: send it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("too many messages are waiting; send it again in {retry_after_s} s")]
    Overloaded { retry_after_s: u32 },
    #[error("the store does not take anything at the moment; send it again in {retry_after_s} s")]
    Unavailable { retry_after_s: u32 },
    #[error("this integration has sent as much as its `rate_limit` allows; send it again in {retry_after_s} s")]
    Limited { retry_after_s: u32 },
}

impl Refused {
    /// When it may be sent again.
    #[must_use]
    pub const fn retry_after_s(self) -> u32 {
        match self {
            Self::Overloaded { retry_after_s }
            | Self::Unavailable { retry_after_s }
            | Self::Limited { retry_after_s } => retry_after_s,
        }
    }
}

/// Why a beat was not noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BeatError {
    #[error("the configuration has no such heartbeat")]
    Unknown,
    #[error(transparent)]
    Refused(#[from] Refused),
}

/// Why an action had no effect.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ActError {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("the action could not be stored; try again in {retry_after_s} s")]
    Unavailable { retry_after_s: u32 },
}

/// The store (or the engine's thread) does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the store does not answer at the moment; try again")]
pub struct Unavailable;

/// The way to the engine; cheap to clone.
#[derive(Clone)]
pub struct Runtime {
    inbox: Arc<Inbox>,
    vitals: Arc<Vitals>,
}

/// What the engine's thread shows of itself without being asked.
#[derive(Debug)]
struct Vitals {
    config: RwLock<Arc<Snapshot>>,
    channels: RwLock<Arc<Channels>>,
    store: Mutex<String>,
    /// Why nothing can be stored, while that is so.
    trouble: Mutex<Option<String>>,
    /// The last whole audit of what is open.
    audited: Mutex<Audited>,
    heartbeat: Mutex<Heartbeat>,
    /// Ports that the configuration names and that could not be opened, a sentence each.
    deaf: Mutex<Vec<String>>,
    /// Measures how long ago the last turn was, unmoved by the wall clock.
    watch: Stopwatch,
    last_turn_ms: AtomicI64,
    lateness_ms: AtomicI64,
    waiting: AtomicU32,
    in_flight: AtomicU32,
    due: AtomicU32,
    open: AtomicU32,
    alive: AtomicBool,
    links: Links,
    /// What the engine wants done about mirrors.
    orders: Arc<Orders>,
    /// Test pages that were sent lately.
    test_pages: Mutex<TestPages>,
}

impl Runtime {
    /// Decides on a message; the answer comes after the commit.
    pub async fn ingest(&self, arrived: Arrived) -> Result<Receipt, Refused> {
        let (reply, answer) = oneshot::channel();
        if !self.inbox.arrived(arrived, reply) {
            return Err(Refused::Overloaded { retry_after_s: 2 });
        }
        match tokio::time::timeout(PATIENCE, answer).await {
            Ok(Ok(answer)) => answer,
            // The message may yet be stored; sent again it is a repetition.
            _ => Err(Refused::Unavailable { retry_after_s: 2 }),
        }
    }

    /// Decides on messages in their order: once one finds no room, none behind it is taken. The answer comes when all of them
    /// are stored, or one is not.
    pub async fn ingest_all(&self, messages: Vec<Arrived>) -> Taken {
        let mut answers = Vec::with_capacity(messages.len());
        for arrived in messages {
            let (reply, answer) = oneshot::channel();
            if !self.inbox.arrived(arrived, reply) {
                break;
            }
            answers.push(answer);
        }
        let mut taken = Taken { taken: answers.len(), stored: 0 };
        let all = async {
            for answer in &mut answers {
                if !matches!(answer.await, Ok(Ok(_))) {
                    break;
                }
                taken.stored += 1;
            }
        };
        // What was stored by then counts.
        drop(tokio::time::timeout(PATIENCE, all).await);
        // The last is given up first: what nobody waits for is passed over, and nothing behind it may be decided on.
        while answers.pop().is_some() {}
        taken
    }

    /// Notes a beat, or another signal of a heartbeat; the answer comes after the commit.
    pub async fn hear(&self, heartbeat: HeartbeatId, signal: Signal, note: String) -> Result<(), BeatError> {
        let (reply, answer) = oneshot::channel();
        if !self.inbox.push(Item::Beat(Beat { heartbeat, signal, note }, reply)) {
            return Err(BeatError::Refused(Refused::Overloaded { retry_after_s: 2 }));
        }
        match tokio::time::timeout(PATIENCE, answer).await {
            Ok(Ok(answer)) => answer,
            // It may yet be stored; sent again it is another beat, and does no harm.
            _ => Err(BeatError::Refused(Refused::Unavailable { retry_after_s: 2 })),
        }
    }

    /// Acts on an incident; the answer comes after the commit, with the incident as it then is.
    pub async fn act(&self, incident: IncidentId, by: Actor, act: Act) -> Result<Incident, ActError> {
        let (reply, answer) = oneshot::channel();
        let unavailable = ActError::Unavailable { retry_after_s: 2 };
        if !self.inbox.push(Item::Act { incident, by, act, reply }) {
            return Err(unavailable);
        }
        match tokio::time::timeout(PATIENCE, answer).await {
            Ok(Ok(answer)) => answer,
            _ => Err(unavailable),
        }
    }

    /// Tells what became of a message. It is worth hearing and nobody waits for it: false when there is no room.
    #[must_use]
    pub fn receipt(
        &self,
        incident: IncidentId,
        message: AttemptId,
        receipt: DeliveryReceipt,
        device: Option<SharedStr>,
    ) -> bool {
        if incident == TEST {
            self.test_heard(message, receipt, device);
            return true;
        }
        self.inbox.push(Item::Proven(Proven { incident, message, receipt, device }))
    }

    /// Makes, changes or ends a silence; the answer comes after the commit, with the silence as it then is.
    pub async fn silence(&self, by: Actor, act: SilenceAct) -> Result<Silence, ActError> {
        let (reply, answer) = oneshot::channel();
        let unavailable = ActError::Unavailable { retry_after_s: 2 };
        if !self.inbox.push(Item::Silence { by, act, reply }) {
            return Err(unavailable);
        }
        match tokio::time::timeout(PATIENCE, answer).await {
            Ok(Ok(answer)) => answer,
            _ => Err(unavailable),
        }
    }

    /// Asks for a mirror, or does something about one; the answer comes after the commit, with the mirrors as they then
    /// are.
    pub async fn mirror(&self, by: Actor, act: MirrorAct) -> Result<Vec<Mirror>, ActError> {
        let (reply, answer) = oneshot::channel();
        let unavailable = ActError::Unavailable { retry_after_s: 2 };
        if !self.inbox.push(Item::Mirror { by, act: Box::new(act), reply }) {
            return Err(unavailable);
        }
        match tokio::time::timeout(PATIENCE, answer).await {
            Ok(Ok(answer)) => answer,
            _ => Err(unavailable),
        }
    }

    /// Says what came of a mirror in its switch.
    pub(crate) fn mirror_reported(&self, mirror: MirrorId, report: MirrorReport) {
        self.inbox.push(Item::MirrorReported(mirror, report));
    }

    /// The mirrors that are not over, from memory.
    pub async fn mirrors(&self) -> Result<Vec<Arc<Mirror>>, Unavailable> {
        self.ask(|engine| engine.state.mirrors.values().map(|it| it.mirror.clone()).collect()).await
    }

    /// The open incidents that conditions match, each with all of its alerts that fire.
    pub async fn matching(&self, conditions: Vec<Matcher>, now: Timestamp) -> Result<Vec<Incident>, Unavailable> {
        self.ask(move |engine| {
            let state = &engine.state;
            let matched = |incident: &&Arc<Incident>| {
                let mut alerts = incident.alerts.iter().filter_map(|id| state.alerts.get(id)).peekable();
                alerts.peek().is_some()
                    && alerts.all(|alert| {
                        let (event, integration) = (&alert.event, &alert.integration);
                        let subject = Subject { event, integration, severity: incident.severity, now };
                        conditions.iter().all(|condition| condition.holds(&subject))
                    })
            };
            state.incidents.values().filter(matched).map(|it| Incident::clone(it)).collect()
        })
        .await
    }

    /// Takes the store's newest configuration into force and gives its version.
    pub async fn reload(&self) -> Result<i64, Unavailable> {
        let (reply, answer) = oneshot::channel();
        if !self.inbox.push(Item::Reload(Some(reply))) {
            return Err(Unavailable);
        }
        match tokio::time::timeout(PATIENCE, answer).await {
            Ok(Ok(answer)) => answer,
            _ => Err(Unavailable),
        }
    }

    /// Asks the engine something between two events.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Engine) -> T + Send + 'static,
    ) -> Result<T, Unavailable> {
        let (reply, answer) = oneshot::channel();
        let asked = Item::Ask(Box::new(move |engine| drop(reply.send(question(engine)))));
        if !self.inbox.push(asked) {
            return Err(Unavailable);
        }
        tokio::time::timeout(PATIENCE, answer).await.ok().and_then(Result::ok).ok_or(Unavailable)
    }

    /// Says where the machines of open alerts run by now.
    pub(crate) fn placed(&self, places: Vec<(shared::AlertId, Arc<Placement>)>) {
        self.inbox.push(Item::Placed(places));
    }

    /// An open incident, from memory.
    pub async fn incident(&self, id: IncidentId) -> Result<Option<Incident>, Unavailable> {
        self.ask(move |engine| engine.state.incidents.get(&id).cloned())
            .await
            .map(|found| found.map(Arc::unwrap_or_clone))
    }

    /// What a message's link answers: the open incidents it named, the most severe first. A page about a storm answers for
    /// all of the storm that the person was paged for by then, except what is P0 by now.
    pub async fn named_by(
        &self,
        person: PersonId,
        message: AttemptId,
        storm: Option<Timestamp>,
    ) -> Result<Vec<Incident>, Unavailable> {
        self.ask(move |engine| {
            let of_person = |page: &&shared::Page| page.recipient == Recipient::Person(person.clone());
            let named = |incident: &&Arc<Incident>| {
                let mut attempts = incident.pages.iter().filter(of_person).flat_map(|page| &page.attempts);
                let of_storm =
                    storm.is_some_and(|since| incident.opened_at >= since) && incident.severity != Severity::P0;
                attempts.any(|it| it.message() == message || (of_storm && it.tries > 0))
            };
            let open = engine.state.incidents.values().filter(|it| it.state != shared::IncidentState::Resolved);
            let mut found: Vec<Incident> = open.filter(named).map(|it| Incident::clone(it)).collect();
            found.sort_by_key(|it| (it.severity, it.id));
            found
        })
        .await
    }

    /// The text messages these people were sent about what is open, the newest first: whom, about what, and the message.
    pub async fn texted(&self, people: Vec<PersonId>) -> Result<Vec<(PersonId, IncidentId, AttemptId)>, Unavailable> {
        self.ask(move |engine| {
            let open = engine.state.incidents.values().filter(|it| it.state != shared::IncidentState::Resolved);
            let pages = open.flat_map(|incident| incident.pages.iter().map(|page| (incident.id, page)));
            let mut found: Vec<_> = pages
                .filter_map(|(id, page)| match &page.recipient {
                    Recipient::Person(person) if people.contains(person) => Some((person, id, page)),
                    _ => None,
                })
                .flat_map(|(person, id, page)| {
                    let texts = page.attempts.iter().filter(|it| it.channel == ContactKind::Sms);
                    texts.filter_map(move |it| Some((it.first_sent_at?, person.clone(), id, it.message())))
                })
                .collect();
            found.sort_by_key(|(at, _, id, _)| std::cmp::Reverse((*at, *id)));
            found.into_iter().map(|(_, person, id, message)| (person, id, message)).collect()
        })
        .await
    }

    /// Open alerts with larger numbers than `after`, from memory.
    pub async fn alerts(&self, after: i64, limit: usize) -> Result<Vec<Alert>, Unavailable> {
        let from = shared::AlertId(after.saturating_add(1));
        self.ask(move |engine| {
            engine.state.alerts.range(from..).map(|(_, alert)| Alert::clone(alert)).take(limit).collect()
        })
        .await
    }

    /// The configuration in force.
    #[must_use]
    pub fn config(&self) -> Arc<Snapshot> {
        self.vitals.config.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What the engine wants done about mirrors.
    #[must_use]
    pub fn orders(&self) -> Arc<Orders> {
        self.vitals.orders.clone()
    }

    /// Links as they stand in pages.
    #[must_use]
    pub fn links(&self) -> &Links {
        &self.vitals.links
    }

    /// Whether messages can be stored and the engine completes its turns; the error says what is wrong.
    pub fn ready(&self) -> Result<(), String> {
        let vitals = &self.vitals;
        if !vitals.alive.load(Ordering::Acquire) {
            return Err("the engine has stopped".to_owned());
        }
        if let Some(trouble) = vitals.trouble.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
            return Err(format!("the store takes nothing: {trouble}"));
        }
        let age = self.stalled_ms();
        if age > TICK_MAX_MS { Err(format!("the engine has not completed a turn for {age} ms")) } else { Ok(()) }
    }

    /// Milliseconds since the engine last completed a turn; a few hundred when all is well.
    #[must_use]
    pub fn stalled_ms(&self) -> i64 {
        self.vitals.watch.elapsed_ms() - self.vitals.last_turn_ms.load(Ordering::Acquire)
    }

    /// The pager looking at itself.
    #[must_use]
    pub fn status(&self, now: Timestamp, browsers: u32) -> PagerStatus {
        let vitals = &self.vitals;
        PagerStatus {
            now,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            store: vitals.store.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            last_tick_ms: self.stalled_ms(),
            lateness_ms: vitals.lateness_ms.load(Ordering::Relaxed),
            queue: self.inbox.waiting(),
            waiting: vitals.waiting.load(Ordering::Relaxed),
            in_flight: vitals.in_flight.load(Ordering::Relaxed),
            due: vitals.due.load(Ordering::Relaxed),
            browsers,
            open_incidents: vitals.open.load(Ordering::Relaxed),
            config: self.config().version,
            audited_at: self.audited().at,
            heartbeat_at: self.heartbeat().taken_at,
            warnings: self.warnings(),
        }
    }

    /// Says something back where a provider told us to, once and for whoever listens: nothing depends on it.
    pub fn say_back(&self, url: String, body: serde_json::Value) {
        let channels = self.vitals.channels.read().unwrap_or_else(PoisonError::into_inner).clone();
        tokio::spawn(async move {
            if let Err(failure) = channels.say_back(url, &body).await {
                tracing::warn!(reason = failure.detail, "what came of a button could not be said");
            }
        });
    }

    /// Lets the engine finish what is queued, then stops it.
    pub fn stop(&self) {
        self.inbox.close();
    }
}

impl std::fmt::Debug for Runtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runtime").field("waiting", &self.inbox.waiting()).finish_non_exhaustive()
    }
}

/// The receipt of a message.
fn receipt(event: Option<EventId>, outcomes: Vec<shared::timeline::Outcome>) -> Receipt {
    let rejected = outcomes.iter().filter(|it| matches!(it, shared::timeline::Outcome::Rejected { .. })).count() as u32;
    Receipt { event: event.unwrap_or_default(), accepted: outcomes.len() as u32 - rejected, rejected, outcomes }
}
