//! Places for connections: so many of all senders together, each of which may keep its own for ever.
//!
//! When all are taken, whoever holds the most gives one up, namely the one that was silent for the longest: a machine that
//! comes back after it lost its power takes the place that it had.

use crate::{clock::Stopwatch, telemetry};
use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Notify;

/// That places are short is told of so often.
const TOLD_EVERY_MS: i64 = 60_000;

#[derive(Debug)]
pub(super) struct Slots {
    most: usize,
    /// What is spoken there.
    protocol: &'static str,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    /// Who holds one, those that were silent for the longest first.
    by: BTreeMap<u64, (IpAddr, Arc<Notify>)>,
    last: u64,
    told: Option<Stopwatch>,
}

/// A connection's place, until it is dropped.
#[derive(Debug)]
pub(super) struct Slot {
    at: u64,
    slots: Arc<Slots>,
    hang_up: Arc<Notify>,
}

impl Slots {
    pub(super) fn new(most: usize, protocol: &'static str) -> Arc<Self> {
        Arc::new(Self { most, protocol, held: Mutex::default() })
    }

    /// A place for a connection from there; somebody else may have to leave.
    pub(super) fn take(self: &Arc<Self>, ip: IpAddr) -> Slot {
        let hang_up = Arc::new(Notify::new());
        let mut held = self.lock();
        if held.by.len() >= self.most {
            held.release_one(self.protocol);
        }
        let at = held.next();
        held.by.insert(at, (ip, Arc::clone(&hang_up)));
        drop(held);
        Slot { at, slots: Arc::clone(self), hang_up }
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn next(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    fn release_one(&mut self, protocol: &'static str) {
        let mut counts: BTreeMap<IpAddr, usize> = BTreeMap::new();
        self.by.values().for_each(|(ip, _)| *counts.entry(*ip).or_default() += 1);
        let most = counts.values().max().copied();
        let found = self.by.iter().find(|(_, (ip, _))| counts.get(ip).copied() == most).map(|(at, _)| *at);
        let Some((ip, hang_up)) = found.and_then(|at| self.by.remove(&at)) else { return };
        hang_up.notify_one();
        telemetry::refused(match protocol {
            "syslog" => "syslog_connections",
            "forward" => "forward_connections",
            _ => "mail_connections",
        });
        if self.told.is_none_or(|told| told.elapsed_ms() > TOLD_EVERY_MS) {
            self.told = Some(Stopwatch::start());
            let connections = self.by.len() + 1;
            tracing::error!(%ip, protocol, connections, "too many senders: one that was silent is hung up on");
        }
    }
}

impl Slot {
    /// It was heard just now.
    pub(super) fn heard(&mut self) {
        let mut held = self.slots.lock();
        // Whoever has to leave has no place any more.
        if let Some(own) = held.by.remove(&self.at) {
            self.at = held.next();
            held.by.insert(self.at, own);
        }
    }

    /// Waits until somebody else needs the place.
    pub(super) async fn needed(&self) {
        self.hang_up.notified().await;
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.slots.lock().by.remove(&self.at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;

    fn must_leave(slot: &Slot) -> bool {
        slot.needed().now_or_never().is_some()
    }

    #[test]
    fn who_holds_the_most_gives_up_what_was_silent_for_the_longest() {
        let slots = Slots::new(4, "syslog");
        let [a, b, c] = ["10.0.0.1", "10.0.0.2", "10.0.0.3"].map(|ip| ip.parse().unwrap());
        let (mut first, second, other) = (slots.take(a), slots.take(a), slots.take(b));
        let mut third = slots.take(a);
        first.heard();
        let newcomer = slots.take(c);
        assert!(must_leave(&second) && ![&first, &other, &third, &newcomer].into_iter().any(must_leave));
        drop(second);
        // What has to leave does not come back by being heard.
        let dead = slots.take(b);
        assert!(must_leave(&third));
        third.heard();
        assert_eq!(slots.lock().by.len(), 4);
        // The machine that comes back takes the place that it had.
        let _back = slots.take(b);
        assert!(must_leave(&other) && ![&first, &newcomer, &dead].into_iter().any(must_leave));
        drop((first, third, other, newcomer, dead));
        assert_eq!(slots.lock().by.len(), 1);
    }
}
