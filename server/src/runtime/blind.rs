//! While the store takes nothing: P0 pages go out all the same, marked as unrecorded, and are recorded later.
//!
//! The engine's memory goes on without the disk for that one purpose. Nothing in it is shown or answered with
//! success; senders are told to send again and authors of actions that theirs was not stored, but paging stops
//! for them. Once the store is back the memory is thrown away and read from the store, and the P0 messages kept
//! meanwhile are decided on again, as if they had just come.

use super::{
    ActError, Arrived, BeatError, Refused, StartError, Unavailable,
    batch::Batch,
    inbox::{Finished, Item},
    methods::Methods,
    turn::Decided,
    writer::{Writer, answer, load},
};
use crate::{
    db::{LockError, Store, StoreError, WriterLock},
    telemetry,
};
use engine::{Command, Engine};
use shared::{Severity, Timestamp};
use std::sync::PoisonError;

/// P0 messages kept for later; further ones still page, and are left to their senders' retries.
const SPOOL_MAX: usize = 1_000;
/// Their bodies, together.
const SPOOL_BYTES: usize = 16 << 20;
const FIRST_RETRY_MS: i64 = 200;
const LAST_RETRY_MS: i64 = 2_000;
/// A store that fails again this soon is waited for longer.
const RELAPSE_MS: i64 = 30_000;

/// What is kept until the store is back.
#[derive(Debug)]
pub(super) struct Blind {
    /// Tells deliveries begun in this state from all others.
    pub(super) epoch: u64,
    pub(super) spool: Vec<Arrived>,
    spool_bytes: usize,
    /// Ends of deliveries whose beginning is stored.
    pub(super) results: Vec<Finished>,
    pub(super) retry_at: Timestamp,
    pause_ms: i64,
}

impl Blind {
    fn new(epoch: u64, now: Timestamp, pause_ms: i64) -> Self {
        let retry_at = now.plus_ms(pause_ms);
        Self { epoch, spool: Vec::new(), spool_bytes: 0, results: Vec::new(), retry_at, pause_ms }
    }

    /// Keeps a message for later, if there is room.
    pub(super) fn keep(&mut self, arrived: Arrived) {
        let size = arrived.body.len();
        if self.spool.len() < SPOOL_MAX && self.spool_bytes + size <= SPOOL_BYTES {
            self.spool_bytes += size;
            self.spool.push(arrived);
        } else {
            tracing::warn!("a P0 was paged and is not kept: the spool is full; its sender was told to send it again");
        }
    }

    /// The store was asked again in vain.
    pub(super) fn wait_longer(&mut self, now: Timestamp) {
        self.pause_ms = (self.pause_ms * 2).min(LAST_RETRY_MS);
        self.retry_at = now.plus_ms(self.pause_ms);
    }
}

impl Writer {
    /// What was decided could not be stored. False when another server decides now.
    pub(super) fn refused(&mut self, error: &StoreError, decided: Vec<Decided>) -> bool {
        let now = self.pace.now();
        self.go_blind(error, now);
        let stale = matches!(error, StoreError::Fenced { .. });
        let superseded = !stale && self.is_superseded();
        if let Some(blind) = self.blind.as_mut().filter(|_| stale) {
            blind.retry_at = now;
        }
        for mut decided in decided {
            if stale || superseded {
                // Somebody else knows more than this memory: what it decided must reach nobody.
                decided.batch.commands.clear();
            }
            self.failed(decided);
        }
        !superseded
    }

    /// Whether another server holds the lock. When it cannot be asked, nobody is known to.
    fn is_superseded(&mut self) -> bool {
        if self.lock.still_held() {
            return false;
        }
        match WriterLock::acquire(&self.url) {
            Ok(lock) => {
                self.lock = lock;
                false
            }
            Err(LockError::Taken { .. }) => true,
            Err(LockError::Store(_)) => false,
        }
    }

    /// The store refused: from here the memory is ahead of the disk, and serves P0 pages only.
    fn go_blind(&mut self, error: &StoreError, now: Timestamp) {
        if self.blind.is_some() {
            return;
        }
        tracing::error!(%error, "the store takes nothing; senders are told to send again, and P0 pages go out unrecorded");
        telemetry::store_failed();
        *self.vitals.trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
        self.engine.stop_listening();
        self.epochs += 1;
        let relapse = self.recovered.filter(|(at, _)| now.ms_since(*at) < RELAPSE_MS);
        let pause_ms = relapse.map_or(FIRST_RETRY_MS, |(_, pause_ms)| (pause_ms * 2).min(LAST_RETRY_MS));
        self.blind = Some(Blind::new(self.epochs, now, pause_ms));
    }

    /// Nobody of a batch that was not stored is answered with success.
    fn failed(&mut self, decided: Decided) {
        let Decided { batch, changes, now, acts, .. } = decided;
        for (reply, _) in batch.ingests {
            answer(reply, Err(Refused::Unavailable { retry_after_s: 2 }));
        }
        for (reply, _) in acts {
            answer(reply, Err(ActError::Unavailable { retry_after_s: 2 }));
        }
        for (reply, _) in batch.beats {
            answer(reply, Err(BeatError::Refused(Refused::Unavailable { retry_after_s: 2 })));
        }
        for (reply, _) in batch.mirrors {
            answer(reply, Err(ActError::Unavailable { retry_after_s: 2 }));
        }
        for (reply, _) in batch.silences {
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
        self.send(commands, &changes, now, Some(epoch));
    }

    /// A turn without the store. False when another server has taken over.
    pub(super) fn grope(&mut self, store: &mut Store, items: Vec<Item>, now: Timestamp) -> bool {
        if self.blind.as_ref().is_some_and(|blind| now >= blind.retry_at) {
            match self.recover(store, now) {
                Ok(true) => return self.turn(store, items, now),
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
                Item::Arrived(arrived, reply) if arrived.urgent => {
                    let receipt = batch.ingest(&mut self.engine, *arrived, now);
                    batch.ingests.push((reply, receipt));
                }
                Item::Arrived(_, reply) => answer(reply, Err(Refused::Unavailable { retry_after_s: 2 })),
                // It cannot be recorded, but the paging stops.
                Item::Act { incident, by, act, reply } => {
                    let refused = batch.act(&mut self.engine, incident, by, act, now);
                    batch.acts.push((reply, incident, refused));
                }
                // A silence that is not stored would keep quiet what nobody remembers.
                Item::Silence { reply, .. } => answer(reply, Err(ActError::Unavailable { retry_after_s: 2 })),
                // What is not stored is not begun; what has ended is removed by whoever looks after the switches.
                Item::Mirror { reply, .. } => answer(reply, Err(ActError::Unavailable { retry_after_s: 2 })),
                // It is looked at again once the store is back.
                Item::MirrorReported(..) => {}
                Item::Beat(_, reply) => {
                    answer(reply, Err(BeatError::Refused(Refused::Unavailable { retry_after_s: 2 })));
                }
                Item::Finished(finished) if finished.blind.is_none() => {
                    batch.results.push(finished.clone());
                    batch.finished(&mut self.engine, finished, now);
                }
                Item::Finished(finished) if finished.blind == epoch => batch.finished(&mut self.engine, finished, now),
                Item::Finished(_) => {}
                // It cannot be recorded; the notice is sent again, under the same key, when its lease has ended.
                Item::Told(_) | Item::Proven(_) | Item::Warned(..) | Item::Worked(..) => {}
                // It is looked up again once the store is back.
                Item::Placed(_) => {}
                Item::Reload(reply) => {
                    if let Some(reply) = reply {
                        answer(reply, Err(Unavailable));
                    }
                }
                // Whoever asks sees the channel close: what is in memory now is not what is stored.
                Item::Ask(_) => {}
            }
        }
        let decided = Decided::of(&mut self.engine, (&self.devices, &mut self.methods), batch, now, now);
        self.failed(decided);
        true
    }

    /// Reads the state back, decides on what was kept and on what is due, and goes on only once that is stored: a
    /// store that takes small things and refuses the real work is not back. Ok(false) when another server decides now.
    fn recover(&mut self, store: &mut Store, now: Timestamp) -> Result<bool, StartError> {
        if self.is_superseded() {
            return Ok(false);
        }
        self.beat();
        let mut opened = Store::open_with(&self.url, store.keys())?;
        self.beat();
        // With nothing to decide this is the only write.
        opened.meta_put("writable_at", &now.ms().to_string())?;
        let calendars = opened.calendars_number()?;
        let (config, channels) = load(&mut opened, &self.devices)?;
        let mut engine = Engine::restore(config.clone(), opened.restore(now)?, now);
        let Some(blind) = &mut self.blind else { return Ok(true) };
        let mut batch = Batch::default();
        for finished in &blind.results {
            batch.finished(&mut engine, finished.clone(), now);
        }
        for arrived in &blind.spool {
            batch.ingest(&mut engine, arrived.clone(), now);
        }
        let mut methods = Methods::new(opened.broken_contacts()?);
        let mut decided = Decided::of(&mut engine, (&self.devices, &mut methods), batch, now, now);
        let stored = decided.rows().and_then(|rows| opened.commit_rows(rows, &decided.changes));
        if let Err(error) = stored {
            if !error.is_transient() && !matches!(error, StoreError::Fenced { .. }) && !blind.spool.is_empty() {
                tracing::error!(%error, kept = blind.spool.len(), "what was kept cannot be stored and is left to its senders");
                blind.spool.clear();
                blind.spool_bytes = 0;
            }
            return Err(error.into());
        }
        tracing::info!(kept = blind.spool.len(), "the store takes messages again");
        self.recovered = Some((now, blind.pause_ms));
        self.blind = None;
        *store = opened;
        self.engine = engine;
        self.methods = methods;
        self.calendars = calendars;
        self.use_config(config, channels);
        self.board.reset(self.engine.state.incidents.values(), self.engine.config().version);
        *self.vitals.trouble.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.committed(decided);
        Ok(true)
    }
}
