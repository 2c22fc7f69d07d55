//! Who looks at what, and what they are sent: the board of hosts once a second, the host on screen with each sample. How
//! often a host is measured follows from it.
//!
//! Whoever is slow loses frames of hosts; nothing waits for them, and nothing else is lost with them.

use super::Hosts;
use bytestring::ByteString;
use shared::{
    Timestamp,
    live::{HostPulse, LiveMessage, LookAt},
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::{
    broadcast::{self, error::RecvError},
    mpsc, watch,
};

/// Once a second, while somebody looks.
pub(super) const FAST_MS: i64 = 1_000;
/// Measured so often for so long after the last one looked away: pages are turned.
const LINGER_MS: i64 = 10_000;
/// Frames that wait for one browser.
const WAITING: usize = 8;
/// So many look at one host at once; others see it every ten seconds.
const WATCHERS_MAX: usize = 64;
/// Series of one look.
pub(super) const LOOKED_MAX: usize = 400;

/// Somebody who looks at a host.
#[derive(Debug)]
pub(super) struct Watcher {
    number: u64,
    pub(super) series: Vec<String>,
    pub(super) tables: bool,
    pub(super) turn: u32,
    to: mpsc::Sender<LiveMessage>,
}

impl Watcher {
    pub(super) fn tell(&self, message: LiveMessage) {
        // Who is slow, or gone, misses it.
        drop(self.to.try_send(message));
    }
}

/// What comes for somebody who looks.
#[derive(Clone, Debug)]
pub enum Seen {
    /// Of the board, written once for everybody.
    Board(ByteString),
    Host(Box<LiveMessage>),
}

/// A look at hosts; it ends when this is dropped.
#[derive(Debug)]
pub struct Looking {
    hosts: Arc<Hosts>,
    host: Option<(String, u64, bool)>,
    frames: Option<mpsc::Receiver<LiveMessage>>,
    board: Option<broadcast::Receiver<ByteString>>,
}

impl Looking {
    /// The next thing to show; never, where nothing is looked at.
    pub async fn next(&mut self) -> Seen {
        loop {
            let (frames, board) = (&mut self.frames, &mut self.board);
            let frame = async {
                match frames {
                    Some(frames) => frames.recv().await,
                    None => std::future::pending().await,
                }
            };
            let pulses = async {
                match board {
                    Some(board) => board.recv().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                message = frame => match message {
                    Some(message) => return Seen::Host(Box::new(message)),
                    // The host was forgotten.
                    None => self.frames = None,
                },
                text = pulses => match text {
                    Ok(text) => return Seen::Board(text),
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => self.board = None,
                },
            }
        }
    }
}

impl Drop for Looking {
    fn drop(&mut self) {
        let Some((name, number, fast)) = self.host.take() else { return };
        if let Some(memory) = self.hosts.host(&name) {
            memory.lock().unwrap_or_else(PoisonError::into_inner).watchers.retain(|it| it.number != number);
        }
        if fast {
            self.hosts.paces.look_away(&name, crate::clock::now());
        }
    }
}

impl Hosts {
    /// Begins to look; at a host that is not known there is nothing to see.
    pub fn look(self: &Arc<Self>, board: bool, at: Option<LookAt>) -> Looking {
        let board = board.then(|| self.pulses.subscribe());
        let mut looking = Looking { hosts: Arc::clone(self), host: None, frames: None, board };
        let Some(LookAt { name, mut series, fast, tables, turn }) = at else { return looking };
        let Some(memory) = self.host(&name) else { return looking };
        series.truncate(LOOKED_MAX);
        let (to, frames) = mpsc::channel(WAITING);
        let number = self.next_number();
        let mut memory = memory.lock().unwrap_or_else(PoisonError::into_inner);
        if memory.watchers.len() >= WATCHERS_MAX {
            return looking;
        }
        memory.watchers.push(Watcher { number, series, tables, turn, to });
        drop(memory);
        if fast {
            self.paces.look(&name);
        }
        looking.frames = Some(frames);
        looking.host = Some((name, number, fast));
        looking
    }

    /// Tells who looks at the board of the hosts that said something since, or stand otherwise now.
    pub(super) fn pulse(&self, now: Timestamp) {
        if self.pulses.receiver_count() == 0 {
            return;
        }
        let heard = std::mem::take(&mut *self.pulsed());
        let mode = self.mode();
        let mut hosts = Vec::new();
        for memory in self.all() {
            let mut memory = memory.lock().unwrap_or_else(PoisonError::into_inner);
            let state = memory.state(&mode, now);
            let said = memory.said.replace(state);
            if said != Some(state) || heard.contains(&memory.name) {
                hosts.push(HostPulse {
                    name: memory.name.clone(),
                    state,
                    seen_at: Timestamp::from_ms(memory.seen_at.max(0)),
                    vitals: memory.vitals,
                    worst: memory.worst,
                });
            }
        }
        if hosts.is_empty() {
            return;
        }
        match serde_json::to_string(&LiveMessage::Hosts { now, hosts }) {
            // No receiver is no fault.
            Ok(text) => drop(self.pulses.send(ByteString::from(text))),
            Err(error) => tracing::error!(%error, "a message about hosts could not be written"),
        }
    }
}

/// Hosts that are measured more often than the others, since somebody looks.
#[derive(Debug)]
pub(super) struct Paces {
    hosts: Mutex<BTreeMap<String, Pace>>,
    changes: watch::Sender<u64>,
}

#[derive(Debug)]
struct Pace {
    lookers: usize,
    /// While nobody looks any more.
    until: i64,
    /// What its agent was told last; none: as everybody.
    told: Option<i64>,
}

impl Pace {
    const fn is_fast(&self, now: i64) -> bool {
        self.lookers > 0 || now < self.until
    }
}

impl Default for Paces {
    fn default() -> Self {
        Self { hosts: Mutex::default(), changes: watch::Sender::new(0) }
    }
}

impl Paces {
    fn hosts(&self) -> MutexGuard<'_, BTreeMap<String, Pace>> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look(&self, name: &str) {
        let mut hosts = self.hosts();
        hosts.entry(name.to_owned()).or_insert(Pace { lookers: 0, until: 0, told: None }).lookers += 1;
        drop(hosts);
        self.changes.send_modify(|n| *n += 1);
    }

    fn look_away(&self, name: &str, now: Timestamp) {
        if let Some(pace) = self.hosts().get_mut(name) {
            pace.lookers = pace.lookers.saturating_sub(1);
            pace.until = now.ms() + LINGER_MS;
        }
    }

    /// How often a host is measured now, where others are every `usual_ms`.
    pub(super) fn every_ms(&self, name: &str, usual_ms: i64, now: Timestamp) -> i64 {
        let is_fast = self.hosts().get(name).is_some_and(|pace| pace.is_fast(now.ms()));
        if is_fast { FAST_MS.min(usual_ms) } else { usual_ms }
    }

    /// The same, for an agent that is told it now.
    pub(super) fn tell(&self, name: &str, usual_ms: i64, now: Timestamp) -> i64 {
        self.untold(name, usual_ms, now).unwrap_or_else(|| self.every_ms(name, usual_ms, now))
    }

    /// How often, if its agent was told otherwise; it counts as told then.
    fn untold(&self, name: &str, usual_ms: i64, now: Timestamp) -> Option<i64> {
        let mut hosts = self.hosts();
        let pace = hosts.get_mut(name)?;
        let wanted = if pace.is_fast(now.ms()) { FAST_MS.min(usual_ms) } else { usual_ms };
        let told = pace.told.replace(wanted).unwrap_or(usual_ms);
        if !pace.is_fast(now.ms()) {
            hosts.remove(name);
        }
        (told != wanted).then_some(wanted)
    }

    /// Waits until the agent of a host is to be told how often to measure.
    pub(super) async fn change(&self, name: &str, usual_ms: i64) -> i64 {
        let mut changes = self.changes.subscribe();
        loop {
            if let Some(every_ms) = self.untold(name, usual_ms, crate::clock::now()) {
                return every_ms;
            }
            if changes.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Those at which nobody looks any more become as the others; those that nobody measures by our word are forgotten.
    pub(super) fn settle(&self, now: Timestamp) {
        let mut hosts = self.hosts();
        hosts.retain(|_, pace| pace.is_fast(now.ms()) || pace.until + 6 * LINGER_MS > now.ms());
        let settles = hosts.values().any(|pace| !pace.is_fast(now.ms()));
        drop(hosts);
        if settles {
            self.changes.send_modify(|n| *n += 1);
        }
    }
}
