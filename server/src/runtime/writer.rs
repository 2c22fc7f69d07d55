//! The engine's thread: takes a batch, decides, commits once, and then answers, pages and shows.

use super::{
    ActError, Arrived, Refused, Runtime, Unavailable, Vitals,
    blind::Blind,
    deliver::{Dispatcher, Links, Sending},
    inbox::{Finished, Inbox, IngestReply, Item},
    pace::Pace,
    receipt,
};
use crate::{
    channels::Channels,
    db::{DatabaseUrl, EXCERPT_CHARS, Message, Store, StoreError, WriterLock},
    failpoint,
    live::Board,
    telemetry,
};
use engine::{Act, Changes, Command, Effects, Engine, Event, Ingested, Snapshot};
use shared::{
    Incident, IncidentId, Severity, Timestamp,
    api::Receipt,
    config::Document,
    live::Heard,
    timeline::{Actor, Outcome},
};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering},
    },
    thread,
    time::Duration,
};
use tokio::sync::oneshot;

/// The thread looks for a newer configuration this often.
const POLL_MS: i64 = 1_000;
/// What the engine's thread may sleep at most, so that its heartbeat shows.
const SLEEP_MAX_MS: i64 = 500;

/// What the runtime is started with.
pub struct Start {
    pub url: DatabaseUrl,
    /// Migrated, and used by nobody else.
    pub store: Store,
    pub lock: WriterLock,
    pub links: Links,
    pub board: Arc<Board>,
    /// Makes delivery keys unique among servers; kept in the store.
    pub instance: String,
}

/// Why the runtime did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the state could not be read back: {0}")]
    Store(#[from] StoreError),
    #[error("the stored configuration (version {version}) does not work: {why}")]
    Config { version: i64, why: String },
    #[error("no thread could be started: {0}")]
    Thread(#[from] std::io::Error),
}

/// How the engine's thread ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// As asked; everything queued was committed.
    Asked,
    /// Another server writes to the same database.
    Superseded,
}

type ActReply = oneshot::Sender<Result<Incident, ActError>>;

/// What must happen once a batch is stored, in the order of the batch.
#[derive(Default)]
struct Batch {
    messages: Vec<Message>,
    ingests: Vec<(IngestReply, Receipt)>,
    acts: Vec<(ActReply, IncidentId, Option<engine::Refusal>)>,
    commands: Vec<Command>,
    heard: Vec<Heard>,
    /// Kept for the case that the commit fails.
    urgent: Vec<Arrived>,
    results: Vec<Finished>,
    handled: bool,
}

struct Writer {
    url: DatabaseUrl,
    store: Store,
    lock: WriterLock,
    engine: Engine,
    channels: Arc<Channels>,
    inbox: Arc<Inbox>,
    vitals: Arc<Vitals>,
    board: Arc<Board>,
    dispatcher: Dispatcher,
    pace: Pace,
    polled_at: Timestamp,
    blind: Option<Blind>,
    epochs: u64,
}

impl Runtime {
    /// Reads the state back and starts the engine's thread.
    ///
    /// # Errors
    /// When the store cannot be read, or its configuration cannot work.
    pub fn start(start: Start) -> Result<(Self, thread::JoinHandle<Stopped>), StartError> {
        let Start { url, mut store, lock, links, board, instance } = start;
        let mut pace = Pace::start();
        let now = pace.now();
        let (config, channels) = load(&mut store)?;
        let engine = Engine::restore(config.clone(), store.restore(now)?);
        let inbox = Arc::new(Inbox::default());
        links.configure(config.document.public_url.as_deref());
        let vitals = Arc::new(Vitals {
            config: RwLock::new(config),
            channels: RwLock::new(channels.clone()),
            store: std::sync::Mutex::new(format!("{} {}", product(&url), store.version()?)),
            trouble: std::sync::Mutex::default(),
            last_tick: AtomicI64::new(now.0),
            lateness_ms: AtomicI64::new(0),
            in_flight: AtomicU32::new(0),
            due: AtomicU32::new(0),
            open: AtomicU32::new(0),
            alive: AtomicBool::new(true),
            links,
        });
        let tasks = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("deliver")
            .enable_all()
            .build()?;
        let dispatcher = Dispatcher { tasks: tasks.handle().clone(), inbox: inbox.clone(), instance };
        board.reset(engine.state.incidents.values(), engine.config().version);
        let runtime = Self { inbox: inbox.clone(), vitals: vitals.clone() };
        let writer = Writer {
            url,
            store,
            lock,
            engine,
            channels,
            inbox,
            vitals,
            board,
            dispatcher,
            pace,
            polled_at: now,
            blind: None,
            epochs: now.0.unsigned_abs(),
        };
        let thread = thread::Builder::new().name("engine".to_owned()).spawn(move || {
            let alive = Alive(writer.vitals.clone());
            let stopped = writer.run();
            drop(alive);
            // Deliveries under way are given up; their leases bring them back.
            tasks.shutdown_background();
            stopped
        })?;
        Ok((runtime, thread))
    }
}

/// Says so when the thread is gone, however it went.
struct Alive(Arc<Vitals>);

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.alive.store(false, Ordering::Release);
    }
}

/// The stored configuration, ready to use; the empty one before the first was applied.
fn load(store: &mut Store) -> Result<(Arc<Snapshot>, Arc<Channels>), StartError> {
    let (version, text) = store.config_current()?.unwrap_or_default();
    let bad = |why: String| StartError::Config { version, why };
    let document: Document = toml::from_str(&text).map_err(|error| bad(error.to_string()))?;
    let channels = Channels::new(&document.channels).map_err(bad)?;
    let snapshot = Snapshot::compile(version, document).map_err(|found| {
        bad(found.iter().map(|it| format!("{}: {}", it.path, it.message)).collect::<Vec<_>>().join("; "))
    })?;
    Ok((Arc::new(snapshot), Arc::new(channels)))
}

impl Writer {
    fn run(mut self) -> Stopped {
        loop {
            let now = self.pace.now();
            let Some(batch) = self.inbox.drain(self.patience(now)) else { return Stopped::Asked };
            let now = self.pace.now();
            self.measure_lateness(now);
            if self.blind.is_some() {
                if !self.grope(batch, now) {
                    return Stopped::Superseded;
                }
            } else {
                self.turn(batch, now);
            }
            self.show_vitals(now);
        }
    }

    fn patience(&self, now: Timestamp) -> Duration {
        let due = self.engine.next_deadline().map_or(SLEEP_MAX_MS, |(at, _)| at.ms_since(now));
        let retry = self.blind.as_ref().map_or(SLEEP_MAX_MS, |blind| blind.retry_at.ms_since(now));
        Duration::from_millis(due.min(retry).clamp(0, SLEEP_MAX_MS).unsigned_abs())
    }

    fn turn(&mut self, items: Vec<Item>, now: Timestamp) {
        let mut batch = Batch::default();
        for item in items {
            self.take(item, now, &mut batch);
        }
        if now.ms_since(self.polled_at) >= POLL_MS {
            self.polled_at = now;
            if let Err(error) = self.look_for_config(now, &mut batch) {
                self.go_blind(&error, now);
            }
        }
        if !batch.handled {
            let effects = self.engine.handle(now, Event::Wake);
            batch.commands.extend(effects.commands);
        }
        let changes = self.engine.take_changes();
        if !batch.messages.is_empty() {
            failpoint::hit("ingest.before_commit");
        }
        if !batch.results.is_empty() {
            failpoint::hit("notify.before_record");
        }
        let watch = crate::clock::Stopwatch::start();
        match self.store.commit(&batch.messages, &changes) {
            Ok(()) => {
                if !batch.messages.is_empty() || !changes.is_empty() {
                    telemetry::committed(batch.messages.len(), watch.elapsed_ms());
                }
                self.committed(batch, &changes, now);
            }
            Err(error) => {
                self.go_blind(&error, now);
                self.failed(batch, &changes, now);
            }
        }
    }

    /// One item into the engine; its answer waits for the commit.
    fn take(&mut self, item: Item, now: Timestamp, batch: &mut Batch) {
        match item {
            // Whoever waited has been told to send it again.
            Item::Arrived(_, reply) if reply.is_closed() => {}
            Item::Arrived(arrived, reply) => {
                let receipt = self.ingest(*arrived, now, batch);
                batch.ingests.push((reply, receipt));
            }
            Item::Act { incident, by, act, reply } => {
                let effects = self.act(incident, by, act, now, batch);
                batch.acts.push((reply, incident, effects.refused));
            }
            Item::Finished(finished) if finished.blind.is_none() => {
                batch.results.push(finished.clone());
                self.finished(finished, now, batch);
            }
            // Begun while the store was away; what it became of is not in this memory.
            Item::Finished(_) => {}
            Item::Reload(reply) => {
                let looked = self.look_for_config(now, batch);
                let version = self.engine.config().version;
                if let Some(reply) = reply {
                    answer(reply, looked.map(|()| version).map_err(|_| Unavailable));
                }
            }
            Item::Ask(question) => question(&self.engine),
        }
    }

    fn ingest(&mut self, arrived: Arrived, now: Timestamp, batch: &mut Batch) -> Receipt {
        if arrived.is_p0() {
            batch.urgent.push(Arrived::clone(&arrived));
        }
        let Arrived { integration, received_at, peer, content_type, key, body, read } = arrived;
        let formats = read
            .events
            .iter()
            .map(|it| it.event.format)
            .collect::<std::collections::BTreeSet<_>>()
            .into_iter()
            .collect();
        let first = read.events.first().map(|it| (it.event.severity, it.event.summary.clone()));
        let charset = read.charset;
        let message = Ingested {
            integration: integration.clone(),
            key: key.clone(),
            events: read.events.into_iter().map(|it| it.event).collect(),
            rejected: read.rejected,
        };
        batch.handled = true;
        let effects = self.engine.handle(now, Event::Ingested(message));
        batch.commands.extend(effects.commands);
        let receipt = receipt(effects.event, effects.outcomes);
        if effects.repeated {
            return receipt;
        }
        telemetry::ingested(&receipt.outcomes);
        let excerpt: String = read.text.chars().take(EXCERPT_CHARS).collect();
        if let Some(outcome) = receipt.outcomes.first() {
            let (severity, summary) =
                first.map_or((None, excerpt.clone()), |(severity, summary)| (Some(severity), summary));
            let incident = incident_of(outcome);
            batch.heard.push(Heard {
                integration: integration.clone(),
                event: receipt.event,
                at: received_at,
                severity,
                summary,
                outcome: outcome.clone(),
                incident,
            });
        }
        let outcomes = receipt.outcomes.clone();
        let charset = charset.as_str().to_owned();
        batch.messages.push(Message {
            id: receipt.event,
            integration,
            received_at,
            peer,
            content_type,
            charset,
            formats,
            key,
            excerpt,
            body,
            outcomes,
        });
        receipt
    }

    fn act(&mut self, incident: IncidentId, by: Actor, act: Act, now: Timestamp, batch: &mut Batch) -> Effects {
        batch.handled = true;
        let mut effects = self.engine.handle(now, Event::Acted { incident, by, act });
        batch.commands.append(&mut effects.commands);
        effects
    }

    fn finished(&mut self, finished: Finished, now: Timestamp, batch: &mut Batch) {
        let Finished { incident, attempt, try_number, result, .. } = finished;
        batch.handled = true;
        let effects = self.engine.handle(now, Event::DeliveryFinished { incident, attempt, try_number, result });
        batch.commands.extend(effects.commands);
    }

    /// Takes a newer configuration of the store into force.
    fn look_for_config(&mut self, now: Timestamp, batch: &mut Batch) -> Result<(), StoreError> {
        if self.store.config_number()? == self.engine.config().version {
            return Ok(());
        }
        match load(&mut self.store) {
            Ok((config, channels)) => {
                tracing::info!(version = config.version, "a new configuration is in force");
                self.use_config(config.clone(), channels);
                batch.handled = true;
                let effects = self.engine.handle(now, Event::ConfigReplaced(config));
                batch.commands.extend(effects.commands);
                Ok(())
            }
            Err(StartError::Store(error)) => Err(error),
            Err(error) => {
                // It was checked before it was stored, so this is a version of another program.
                tracing::error!(%error, "the newest configuration cannot be used; the one before stays in force");
                Ok(())
            }
        }
    }

    fn use_config(&mut self, config: Arc<Snapshot>, channels: Arc<Channels>) {
        self.vitals.links.configure(config.document.public_url.as_deref());
        self.board.configured(config.version);
        *self.vitals.config.write().unwrap_or_else(PoisonError::into_inner) = config;
        *self.vitals.channels.write().unwrap_or_else(PoisonError::into_inner) = channels.clone();
        self.channels = channels;
    }

    /// Stored: now everybody may know, and the pages go out.
    fn committed(&mut self, batch: Batch, changes: &Changes, now: Timestamp) {
        if !batch.messages.is_empty() {
            failpoint::hit("ingest.committed");
        }
        if !batch.acts.is_empty() {
            failpoint::hit("act.committed");
        }
        // First the board: whoever is answered and looks at once finds what they sent.
        self.board.apply(&changes.incidents, batch.heard);
        for (reply, receipt) in batch.ingests {
            answer(reply, Ok(receipt));
        }
        for (reply, id, refused) in batch.acts {
            let newest = || {
                changes
                    .incidents
                    .iter()
                    .find(|it| it.id == id)
                    .or_else(|| self.engine.state.incidents.get(&id))
                    .cloned()
            };
            let result = match refused {
                Some(refusal) => Err(ActError::Refused(refusal)),
                None => newest().ok_or(ActError::Refused(engine::Refusal::NotOpen)),
            };
            answer(reply, result.map(Arc::unwrap_or_clone));
        }
        if !batch.commands.is_empty() {
            self.send(batch.commands, changes, now, None);
        }
    }

    fn send(&self, commands: Vec<Command>, changes: &Changes, now: Timestamp, blind: Option<u64>) {
        let wanted: std::collections::BTreeSet<IncidentId> =
            commands.iter().map(|Command::Deliver { incident, .. }| *incident).collect();
        let incidents: BTreeMap<_, _> =
            changes.incidents.iter().filter(|it| wanted.contains(&it.id)).map(|it| (it.id, it.clone())).collect();
        let how =
            Sending { config: self.engine.config(), channels: &self.channels, links: &self.vitals.links, now, blind };
        self.dispatcher.send(commands, &incidents, &how);
    }

    /// The store refused: from here the memory is ahead of the disk, and serves P0 pages only.
    fn go_blind(&mut self, error: &StoreError, now: Timestamp) {
        if self.blind.is_some() {
            return;
        }
        tracing::error!(%error, "the store takes nothing; senders are told to send again, and P0 pages go out unrecorded");
        telemetry::store_failed();
        *self.vitals.trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
        self.epochs += 1;
        self.blind = Some(Blind::new(self.epochs, now));
    }

    /// Nobody of a batch that was not stored is answered with success.
    fn failed(&mut self, batch: Batch, changes: &Changes, now: Timestamp) {
        for (reply, _) in batch.ingests {
            answer(reply, Err(Refused::Unavailable { retry_after_s: 2 }));
        }
        for (reply, ..) in batch.acts {
            answer(reply, Err(ActError::Unavailable { retry_after_s: 2 }));
        }
        let Some(blind) = &mut self.blind else { return };
        batch.urgent.into_iter().for_each(|arrived| blind.keep(arrived));
        blind.results.extend(batch.results);
        let epoch = blind.epoch;
        let p0 = |it: &Command| {
            let Command::Deliver { incident, .. } = it;
            changes.incidents.iter().any(|it| it.id == *incident && it.severity == Severity::P0)
        };
        let commands: Vec<_> = batch.commands.into_iter().filter(p0).collect();
        self.send(commands, changes, now, Some(epoch));
    }

    /// A turn without the store. False when another server has taken over.
    fn grope(&mut self, items: Vec<Item>, now: Timestamp) -> bool {
        if self.blind.as_ref().is_some_and(|blind| now >= blind.retry_at) {
            match self.recover(now) {
                Ok(true) => {
                    self.turn(items, now);
                    return true;
                }
                Ok(false) => return false,
                Err(error) => {
                    tracing::warn!(%error, "the store still takes nothing");
                    if let Some(blind) = &mut self.blind {
                        blind.wait_longer(now);
                    }
                }
            }
        }
        let epoch = self.blind.as_ref().map(|blind| blind.epoch);
        let mut batch = Batch::default();
        for item in items {
            match item {
                Item::Arrived(arrived, reply) if arrived.is_p0() => {
                    let receipt = self.ingest(*arrived, now, &mut batch);
                    batch.ingests.push((reply, receipt));
                }
                Item::Arrived(_, reply) => answer(reply, Err(Refused::Unavailable { retry_after_s: 2 })),
                // It cannot be recorded, but the paging stops.
                Item::Act { incident, by, act, reply } => {
                    let effects = self.act(incident, by, act, now, &mut batch);
                    batch.acts.push((reply, incident, effects.refused));
                }
                Item::Finished(finished) if finished.blind.is_none() => {
                    batch.results.push(finished.clone());
                    self.finished(finished, now, &mut batch);
                }
                Item::Finished(finished) if finished.blind == epoch => self.finished(finished, now, &mut batch),
                Item::Finished(_) => {}
                Item::Reload(reply) => {
                    if let Some(reply) = reply {
                        answer(reply, Err(Unavailable));
                    }
                }
                // Whoever asks sees the channel close: what is in memory now is not what is stored.
                Item::Ask(_) => {}
            }
        }
        if !batch.handled {
            batch.commands.extend(self.engine.handle(now, Event::Wake).commands);
        }
        let changes = self.engine.take_changes();
        self.failed(batch, &changes, now);
        true
    }

    /// Opens the store anew and reads the state back. Ok(false) when another server decides now.
    fn recover(&mut self, now: Timestamp) -> Result<bool, StartError> {
        if !self.lock.still_held() {
            match WriterLock::acquire(&self.url) {
                Ok(lock) => self.lock = lock,
                Err(crate::db::LockError::Taken { .. }) => {
                    tracing::error!("another server has taken over this database");
                    return Ok(false);
                }
                Err(crate::db::LockError::Store(error)) => return Err(error.into()),
            }
        }
        let mut store = Store::open(&self.url)?;
        // Reading may work where writing does not: a full disk.
        store.meta_put("writable_at", &now.0.to_string())?;
        let (config, channels) = load(&mut store)?;
        let engine = Engine::restore(config.clone(), store.restore(now)?);
        self.store = store;
        self.engine = engine;
        self.use_config(config, channels);
        self.board.reset(self.engine.state.incidents.values(), self.engine.config().version);
        *self.vitals.trouble.lock().unwrap_or_else(PoisonError::into_inner) = None;
        let Some(blind) = self.blind.take() else { return Ok(true) };
        tracing::info!(kept = blind.spool.len(), "the store takes messages again");
        for result in blind.results {
            self.inbox.push(Item::Finished(result));
        }
        let mut batch = Batch::default();
        for arrived in blind.spool {
            self.ingest(arrived, now, &mut batch);
        }
        let changes = self.engine.take_changes();
        match self.store.commit(&batch.messages, &changes) {
            Ok(()) => self.committed(batch, &changes, now),
            Err(error) => {
                self.go_blind(&error, now);
                self.failed(batch, &changes, now);
            }
        }
        Ok(true)
    }

    fn measure_lateness(&self, now: Timestamp) {
        if let Some((at, _)) = self.engine.next_deadline().filter(|(at, _)| *at <= now) {
            let late = now.ms_since(at);
            self.vitals.lateness_ms.store(late, Ordering::Relaxed);
            telemetry::late(late);
        }
    }

    fn show_vitals(&self, now: Timestamp) {
        let state = &self.engine.state;
        let open = state.incidents.len();
        self.vitals.in_flight.store(state.in_flight() as u32, Ordering::Relaxed);
        self.vitals.due.store(state.pending() as u32, Ordering::Relaxed);
        self.vitals.open.store(open as u32, Ordering::Relaxed);
        self.vitals.last_tick.store(now.0, Ordering::Release);
        telemetry::vitals(open, state.queued(), state.in_flight(), self.inbox.waiting());
    }
}

/// The database as its makers write it.
const fn product(url: &DatabaseUrl) -> &'static str {
    match url {
        DatabaseUrl::Sqlite(_) => "SQLite",
        DatabaseUrl::Postgres(_) => "PostgreSQL",
    }
}

const fn incident_of(outcome: &Outcome) -> Option<IncidentId> {
    match outcome {
        Outcome::Opened { incident, .. } | Outcome::Refreshed { incident, .. } | Outcome::Closed { incident, .. } => {
            Some(*incident)
        }
        _ => None,
    }
}

/// Whoever asked may have stopped waiting; that is theirs to decide.
fn answer<T>(reply: oneshot::Sender<T>, result: T) {
    reply.send(result).ok();
}
