//! The engine's thread: what it starts with, and what it does turn after turn.

use super::{
    Runtime, Vitals,
    auditor::Auditor,
    batch::Batch,
    blind::Blind,
    deliver::{Dispatcher, Links, Sending},
    inbox::Inbox,
    last_resort::LastResort,
    methods::Methods,
    pace::Pace,
    rest::Rest,
    withdraw::Withdrawer,
};
use crate::{
    channels::Channels,
    clock::Stopwatch,
    db::{Checkpoints, DatabaseUrl, Store, StoreError, WriterLock},
    devices::Devices,
    live::Board,
    telemetry,
};
use engine::{Changes, Command, Engine, Event, Snapshot};
use shared::{IncidentId, Timestamp, config::Document};
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
    /// What web pushes go to.
    pub devices: Arc<Devices>,
    pub last_resort: LastResort,
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

pub(super) struct Writer {
    pub(super) url: DatabaseUrl,
    pub(super) checkpoints: Checkpoints,
    pub(super) lock: WriterLock,
    pub(super) engine: Engine,
    pub(super) channels: Arc<Channels>,
    pub(super) devices: Arc<Devices>,
    /// Contacts that do not work.
    pub(super) methods: Methods,
    pub(super) inbox: Arc<Inbox>,
    pub(super) vitals: Arc<Vitals>,
    pub(super) board: Arc<Board>,
    pub(super) dispatcher: Dispatcher,
    pub(super) withdrawer: Withdrawer,
    pub(super) last_resort: LastResort,
    pub(super) pace: Pace,
    pub(super) rest: Rest,
    pub(super) polled_at: Timestamp,
    pub(super) auditor: Auditor,
    pub(super) blind: Option<Blind>,
    /// Which copies of calendars that others keep the engine has.
    pub(super) calendars: i64,
    /// When the last turn had messages.
    pub(super) messages_at: Timestamp,
    pub(super) epochs: u64,
    /// When the store came back last, and how long it had been waited between two tries.
    pub(super) recovered: Option<(Timestamp, i64)>,
}

impl Runtime {
    /// Reads the state back and starts the engine's thread.
    ///
    /// # Errors
    /// When the store cannot be read, or its configuration cannot work.
    pub fn start(start: Start) -> Result<(Self, thread::JoinHandle<Stopped>), StartError> {
        let Start { url, mut store, lock, links, board, instance, devices, last_resort } = start;
        let mut pace = Pace::start();
        let now = pace.now();
        // Asked first: a copy that comes in between is taken twice.
        let calendars = store.calendars_number()?;
        let (config, channels) = load(&mut store, &devices)?;
        let engine = Engine::restore(config.clone(), store.restore(now)?, now);
        let methods = Methods::new(store.broken_contacts()?);
        let inbox = Arc::new(Inbox::default());
        links.configure(config.document.public_url.as_deref());
        let vitals = Arc::new(Vitals {
            config: RwLock::new(config),
            channels: RwLock::new(channels.clone()),
            store: std::sync::Mutex::new(format!("{} {}", product(&url), store.version()?)),
            trouble: std::sync::Mutex::default(),
            audited: std::sync::Mutex::default(),
            heartbeat: std::sync::Mutex::default(),
            deaf: std::sync::Mutex::default(),
            watch: Stopwatch::start(),
            last_turn_ms: AtomicI64::new(0),
            lateness_ms: AtomicI64::new(0),
            waiting: AtomicU32::new(0),
            in_flight: AtomicU32::new(0),
            due: AtomicU32::new(0),
            open: AtomicU32::new(0),
            alive: AtomicBool::new(true),
            test_pages: std::sync::Mutex::default(),
            links,
            orders: Arc::default(),
        });
        let tasks = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("deliver")
            .enable_all()
            .build()?;
        let dispatcher = Dispatcher { tasks: tasks.handle().clone(), inbox: inbox.clone(), instance };
        let withdrawer = Withdrawer::start(tasks.handle());
        board.reset(engine.state.incidents.values(), engine.config().version);
        board.storm(engine.state.storm.as_deref());
        let runtime = Self { inbox: inbox.clone(), vitals: vitals.clone() };
        let checkpoints = Checkpoints::start(&url)?;
        let writer = Writer {
            url,
            checkpoints,
            lock,
            engine,
            channels,
            devices,
            methods,
            inbox,
            vitals,
            board,
            dispatcher,
            withdrawer,
            last_resort,
            pace,
            rest: Rest::after_start(now),
            polled_at: now,
            auditor: Auditor::new(now),
            blind: None,
            calendars,
            messages_at: Timestamp::from_ms(0),
            epochs: now.ms().unsigned_abs(),
            recovered: None,
        };
        let thread = thread::Builder::new().name("engine".to_owned()).spawn(move || {
            let alive = Alive(writer.vitals.clone());
            let stopped = writer.run(store);
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
pub(super) fn load(store: &mut Store, devices: &Arc<Devices>) -> Result<(Arc<Snapshot>, Arc<Channels>), StartError> {
    let (version, text) = store.config_current()?.unwrap_or_default();
    let bad = |why: String| StartError::Config { version, why };
    let document: Document = toml::from_str(&text).map_err(|error| bad(error.to_string()))?;
    let channels = Channels::new(&document.channels).map_err(bad)?.with_devices(Arc::clone(devices));
    let copies = Arc::new(store.calendar_copies()?);
    let snapshot = Snapshot::compile_with(version, document, copies).map_err(|found| {
        bad(found.iter().map(|it| format!("{}: {}", it.path, it.message)).collect::<Vec<_>>().join("; "))
    })?;
    Ok((Arc::new(snapshot), Arc::new(channels)))
}

impl Writer {
    fn run(mut self, mut store: Store) -> Stopped {
        // Whoever was not told before the last end is told now.
        let now = self.pace.now();
        self.warn(self.methods.untold(), now);
        loop {
            let now = self.pace.now();
            let Some(items) = self.inbox.drain(self.patience(now)) else { return Stopped::Asked };
            let now = self.pace.now();
            self.measure_lateness(now);
            if !items.is_empty() {
                self.rest.worked(now);
            }
            let goes_on = if self.blind.is_some() {
                self.grope(&mut store, items, now)
            } else {
                self.turn(&mut store, items, now)
            };
            if !goes_on {
                tracing::error!("another server has taken over this database");
                return Stopped::Superseded;
            }
            if self.blind.is_none() {
                self.go_on_auditing(now);
            }
            self.show_vitals();
            if let Err(error) = self.rest.look(now) {
                tracing::debug!(%error, "no thread could be started, so memory is given back later");
            }
        }
    }

    fn patience(&self, now: Timestamp) -> Duration {
        let due = self.engine.next_deadline().map_or(SLEEP_MAX_MS, |(at, _)| at.ms_since(now));
        let retry = self.blind.as_ref().map_or(SLEEP_MAX_MS, |blind| blind.retry_at.ms_since(now));
        Duration::from_millis(due.min(retry).clamp(0, SLEEP_MAX_MS).unsigned_abs())
    }

    /// Takes a newer configuration of the store into force.
    pub(super) fn look_for_config(
        &mut self,
        store: &mut Store,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<(), StoreError> {
        let calendars = store.calendars_number()?;
        if store.config_number()? == self.engine.config().version {
            return if calendars == self.calendars {
                Ok(())
            } else {
                self.take_calendars(store, calendars, now, batch)
            };
        }
        match load(store, &self.devices) {
            Ok((config, channels)) => {
                self.calendars = calendars;
                tracing::info!(version = config.version, "a new configuration is in force");
                self.use_config(config.clone(), channels);
                batch.handled = true;
                batch.collect(&mut self.engine.handle(now, Event::ConfigReplaced(config)));
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

    /// Takes the store's copies of calendars that others keep into force.
    fn take_calendars(
        &mut self,
        store: &mut Store,
        number: i64,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Result<(), StoreError> {
        let copies = Arc::new(store.calendar_copies()?);
        self.calendars = number;
        batch.handled = true;
        batch.collect(&mut self.engine.handle(now, Event::CalendarsRead(copies)));
        let config = self.engine.config().clone();
        // Who is on call is by them too: browsers look again.
        self.board.configured(config.version);
        *self.vitals.config.write().unwrap_or_else(PoisonError::into_inner) = config;
        tracing::info!("calendars that others keep have changed, and are in force");
        Ok(())
    }

    pub(super) fn use_config(&mut self, config: Arc<Snapshot>, channels: Arc<Channels>) {
        self.vitals.links.configure(config.document.public_url.as_deref());
        self.board.configured(config.version);
        *self.vitals.config.write().unwrap_or_else(PoisonError::into_inner) = config;
        *self.vitals.channels.write().unwrap_or_else(PoisonError::into_inner) = channels.clone();
        self.channels = channels;
    }

    pub(super) fn send(&self, commands: Vec<Command>, changes: &Changes, now: Timestamp, blind: Option<u64>) {
        let wanted: std::collections::BTreeSet<IncidentId> = commands.iter().flat_map(Command::incidents).collect();
        let incidents: BTreeMap<_, _> =
            changes.incidents.iter().filter(|it| wanted.contains(&it.id)).map(|it| (it.id, it.clone())).collect();
        let near = incidents.keys().filter_map(|id| Some((*id, self.engine.neighbourhood(*id)?))).collect();
        let how = Sending {
            config: self.engine.config(),
            channels: &self.channels,
            links: &self.vitals.links,
            now,
            blind,
            near: &near,
        };
        self.dispatcher.send(commands, &incidents, &how);
    }

    pub(super) fn measure_lateness(&self, now: Timestamp) {
        if let Some((at, _)) = self.engine.next_deadline().filter(|(at, _)| *at <= now) {
            let late = now.ms_since(at);
            self.vitals.lateness_ms.store(late, Ordering::Relaxed);
            telemetry::late(late);
        }
    }

    /// Says that the thread lives.
    pub(super) fn beat(&self) {
        self.vitals.last_turn_ms.store(self.vitals.watch.elapsed_ms(), Ordering::Release);
    }

    pub(super) fn show_vitals(&self) {
        let state = &self.engine.state;
        let open = state.incidents.len();
        self.vitals.waiting.store(state.queued() as u32, Ordering::Relaxed);
        self.vitals.in_flight.store(state.in_flight() as u32, Ordering::Relaxed);
        self.vitals.due.store(state.pending() as u32, Ordering::Relaxed);
        self.vitals.open.store(open as u32, Ordering::Relaxed);
        self.beat();
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

/// Whoever asked may have stopped waiting; that is theirs to decide.
pub(super) fn answer<T>(reply: oneshot::Sender<T>, result: T) {
    reply.send(result).ok();
}
