//! Messages that several deliveries share: who is part of one, and when its slot is free.

use crate::dispatch::Queue;
use shared::{AttemptId, AttemptState, IncidentId, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// Messages of several deliveries that are under way or to be tried again.
#[derive(Clone, Debug, Default)]
pub(crate) struct Messages {
    pub(super) messages: BTreeMap<AttemptId, Message>,
    pub(super) of: BTreeMap<AttemptId, AttemptId>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Message {
    pub(super) members: BTreeMap<AttemptId, IncidentId>,
    /// To which something may still happen.
    open: BTreeSet<AttemptId>,
    flying: BTreeSet<AttemptId>,
    /// To be tried again now, with the time they were due.
    pub(super) ready: BTreeMap<AttemptId, Timestamp>,
}

impl Messages {
    /// A delivery of a message that was begun, here or by a previous process.
    pub(crate) fn add(&mut self, message: AttemptId, incident: IncidentId, attempt: AttemptId, state: AttemptState) {
        let known = self.messages.entry(message).or_default();
        known.members.insert(attempt, incident);
        if !state.is_final() {
            known.open.insert(attempt);
        }
        if state == AttemptState::Sending {
            known.flying.insert(attempt);
        }
        self.of.insert(attempt, message);
    }

    /// Forgets messages to which nothing can happen any more.
    pub(crate) fn forget_settled(&mut self) {
        let settled: Vec<AttemptId> =
            self.messages.iter().filter(|(_, it)| it.open.is_empty()).map(|(message, _)| *message).collect();
        settled.into_iter().for_each(|message| self.forget(message));
    }

    fn forget(&mut self, message: AttemptId) {
        for member in self.messages.remove(&message).map(|it| it.members).unwrap_or_default().into_keys() {
            self.of.remove(&member);
        }
    }

    /// All deliveries of the message that this one is part of; only itself when it goes out alone.
    pub(crate) fn members(&self, incident: IncidentId, attempt: AttemptId) -> Vec<(IncidentId, AttemptId)> {
        let message = self.of.get(&attempt).and_then(|message| self.messages.get(message));
        message.map_or_else(
            || vec![(incident, attempt)],
            |message| message.members.iter().map(|(attempt, incident)| (*incident, *attempt)).collect(),
        )
    }

    /// One delivery neither waits nor is under way any more; the slot of a message is free with its last one.
    pub(crate) fn leave(&mut self, queue: &mut Queue, attempt: AttemptId, over: bool) {
        let Some(message) = self.of.get(&attempt).copied() else {
            queue.remove(attempt);
            queue.finish(attempt);
            return;
        };
        let Some(known) = self.messages.get_mut(&message) else { return };
        known.flying.remove(&attempt);
        known.ready.remove(&attempt);
        if over {
            known.open.remove(&attempt);
        }
        if known.flying.is_empty() {
            queue.finish(message);
        }
        if known.ready.is_empty() {
            queue.remove(message);
        }
        if known.open.is_empty() {
            self.forget(message);
        }
    }

    /// Whether a delivery waits for a slot, or has one.
    pub(crate) fn stands(&self, queue: &Queue, attempt: AttemptId) -> (bool, bool) {
        match self.of.get(&attempt).and_then(|message| Some((message, self.messages.get(message)?))) {
            None => (queue.is_waiting(attempt), queue.is_flying(attempt)),
            Some((message, known)) => (
                known.ready.contains_key(&attempt) && queue.is_waiting(*message),
                known.flying.contains(&attempt) && queue.is_flying(*message),
            ),
        }
    }

    /// The deliveries under way instead of their messages, and likewise those that wait.
    pub(crate) fn spell_out(
        &self,
        flying: Vec<AttemptId>,
        waiting: BTreeSet<(AttemptId, Timestamp)>,
    ) -> (BTreeSet<AttemptId>, BTreeSet<(AttemptId, Timestamp)>) {
        let mut spelt = (BTreeSet::new(), BTreeSet::new());
        for attempt in flying {
            match self.messages.get(&attempt) {
                Some(message) => spelt.0.extend(message.flying.iter().copied()),
                None => drop(spelt.0.insert(attempt)),
            }
        }
        for (attempt, due) in waiting {
            match self.messages.get(&attempt) {
                Some(message) => spelt.1.extend(message.ready.iter().map(|(attempt, due)| (*attempt, *due))),
                None => drop(spelt.1.insert((attempt, due))),
            }
        }
        spelt
    }
}
