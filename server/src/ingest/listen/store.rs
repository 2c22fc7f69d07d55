//! Stores what was heard at a port, in its order. Nobody sends it again, so it is offered until it is stored.
//!
//! While something cannot be stored nothing overtakes it, except a P0: that is offered at once, because it pages also when it
//! cannot be stored, and with it goes what was said of the same thing before.

use super::{
    Stop, Transport,
    post::{EVENTS_MAX, Heard},
};
use crate::runtime::{Arrived, Runtime, Taken};
use shared::IntegrationId;
use std::{collections::BTreeSet, pin::pin, time::Duration};
use tokio::{
    sync::mpsc,
    time::{MissedTickBehavior, interval},
};

/// Events that are stored together.
pub(super) const BATCH: usize = 256;
const AGAIN_AFTER: Duration = Duration::from_millis(500);

/// What waits at a port.
pub(super) struct Waiting {
    runtime: Runtime,
    integration: IntegrationId,
    transport: Transport,
    /// In the order in which it was heard.
    events: Vec<Heard>,
}

impl Waiting {
    pub(super) const fn new(runtime: Runtime, integration: IntegrationId, transport: Transport) -> Self {
        Self { runtime, integration, transport, events: Vec::new() }
    }

    /// Stores until nothing more can come, or there was time enough after the port was closed.
    pub(super) async fn store(mut self, mut heard: mpsc::Receiver<Heard>, stop: Stop) {
        let mut over = pin!(stop.over());
        let mut again = interval(AGAIN_AFTER);
        again.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut is_open = true;
        loop {
            let is_stuck = !self.events.is_empty();
            let is_time = tokio::select! {
                count = heard.recv_many(&mut self.events, EVENTS_MAX), if is_open => {
                    is_open = count > 0;
                    !is_stuck
                }
                _ = again.tick(), if is_stuck => true,
                () = &mut over, if is_stuck => break,
                else => return,
            };
            keep_together(self.events.iter_mut().map(|it| (&mut it.arrived, &mut it.is_taken)));
            if is_time {
                if self.offer(BATCH).await {
                    again.reset_immediately();
                } else {
                    again.reset();
                }
            }
            self.offer(0).await;
        }
        heard.close();
        while let Ok(event) = heard.try_recv() {
            self.events.push(event);
        }
        let events = self.events.len();
        self.transport.count("lost", events as u64);
        tracing::error!(events, integration = %self.integration, "what was heard at a port could not be stored and is lost");
    }

    /// Offers so many of those that wait for the longest, and every P0 that was not offered yet. That keeps its place, and is a
    /// repetition when it is its turn. False when any of the first has to be offered again.
    async fn offer(&mut self, first: usize) -> bool {
        let first = first.min(self.events.len());
        let is_due = |(at, it): &(usize, &mut Heard)| *at < first || (it.arrived.urgent && !it.is_taken);
        let due: Vec<Arrived> =
            self.events.iter_mut().enumerate().filter(is_due).map(|(_, it)| it.arrived.clone()).collect();
        if due.is_empty() {
            return true;
        }
        let Taken { taken, stored } = self.runtime.ingest_all(due).await;
        self.events.iter_mut().enumerate().filter(is_due).take(taken).for_each(|(_, it)| it.is_taken = true);
        // Behind the first that is not stored all others wait, stored or not: that is a repetition then.
        let stored = stored.min(first);
        self.events.drain(..stored);
        self.transport.count("stored", stored as u64);
        stored == first
    }
}

/// What was said of a thing before a P0 about it goes the way of the P0: a recovery that came after it would end it.
pub(super) fn keep_together<'a>(events: impl DoubleEndedIterator<Item = (&'a mut Arrived, &'a mut bool)>) {
    let mut things = BTreeSet::new();
    for (arrived, is_taken) in events.rev() {
        if !arrived.urgent && !things.is_empty() && arrived.things().any(|it| things.contains(&it)) {
            (arrived.urgent, *is_taken) = (true, false);
        }
        if arrived.urgent && !*is_taken {
            things.extend(arrived.things());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::normalize::Source;
    use shared::{Timestamp, config::Integration};
    use std::sync::Arc;
    use tokio::sync::Semaphore;

    fn heard(text: &str, is_taken: bool) -> Heard {
        let integration = Integration::undeclared("switches".into());
        let received_at = Timestamp::from_ms(1_795_201_920_000);
        let source = Source { integration: &integration, content_type: None, format: None, peer: None, received_at };
        let room = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
        Heard { arrived: Arrived::read(&source, text.as_bytes().to_vec()), is_taken, _room: room }
    }

    /// Which of these wait to be offered at once.
    fn at_once(said: &[(&str, bool)]) -> Vec<usize> {
        let mut events: Vec<Heard> = said.iter().map(|(text, is_taken)| heard(text, *is_taken)).collect();
        keep_together(events.iter_mut().map(|it| (&mut it.arrived, &mut it.is_taken)));
        let urgent = |(_, it): &(usize, &Heard)| it.arrived.urgent && !it.is_taken;
        events.iter().enumerate().filter(urgent).map(|(at, _)| at).collect()
    }

    #[test]
    fn what_was_said_of_a_machine_before_its_p0_goes_with_it() {
        let said = [
            ("[P3][OK][DB-07][][disk is fine]", true),
            ("[P3][PROBLEM][web-1][][slow]", true),
            ("[P1][PROBLEM][][10.0.0.7][x]", false),
            ("[P0][PROBLEM][db-07][][host is down]", false),
            ("[P0][OK][][10.0.0.7][x]", false),
            ("[P3][OK][db-07][][load is fine]", false),
        ];
        assert_eq!(at_once(&said), [0, 2, 3, 4]);
        // The engine has the P0: what came before it was offered before it.
        let said = [("[P3][OK][a][][x]", true), ("[P0][PROBLEM][a][][y]", true), ("[P3][OK][a][][z]", false)];
        assert_eq!(at_once(&said), [] as [usize; 0]);
    }
}
