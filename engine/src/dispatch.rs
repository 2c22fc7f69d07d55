//! Which due delivery begins next: the most urgent first, with slots kept for P0 and a bound per target,
//! so that neither a storm of lower levels nor one hanging receiver can hold up a P0.

use shared::{AttemptId, IncidentId, Timestamp, config::Paging};
use std::collections::{BTreeMap, BTreeSet};

/// Urgency, then due time, then number.
type Place = (u8, Timestamp, AttemptId);

/// Due deliveries, and those under way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Queue {
    waiting: BTreeSet<Place>,
    /// Deliveries whose target is at its bound, by target.
    parked: BTreeMap<String, BTreeSet<Place>>,
    entries: BTreeMap<AttemptId, Entry>,
    flying: BTreeMap<AttemptId, String>,
    per_target: BTreeMap<String, u32>,
}

#[derive(Clone, Debug)]
struct Entry {
    incident: IncidentId,
    rank: u8,
    due: Timestamp,
    target: String,
}

impl Queue {
    /// Makes a due delivery wait for its slot.
    pub(crate) fn push(&mut self, incident: IncidentId, attempt: AttemptId, rank: u8, due: Timestamp, target: String) {
        self.entries.insert(attempt, Entry { incident, rank, due, target });
        self.waiting.insert((rank, due, attempt));
    }

    /// Forgets a delivery that has not begun.
    pub(crate) fn remove(&mut self, attempt: AttemptId) {
        let Some(entry) = self.entries.remove(&attempt) else { return };
        let place = (entry.rank, entry.due, attempt);
        if !self.waiting.remove(&place)
            && let Some(parked) = self.parked.get_mut(&entry.target)
        {
            parked.remove(&place);
            if parked.is_empty() {
                self.parked.remove(&entry.target);
            }
        }
    }

    pub(crate) fn is_waiting(&self, attempt: AttemptId) -> bool {
        self.entries.contains_key(&attempt)
    }

    /// Begins the next delivery, if a slot is free for it.
    pub(crate) fn begin(&mut self, paging: &Paging) -> Option<(IncidentId, AttemptId)> {
        let slots = paging.in_flight as usize;
        let open_to_all = slots.saturating_sub(paging.in_flight_p0 as usize);
        loop {
            let place @ (rank, _, attempt) = *self.waiting.first()?;
            if self.flying.len() >= slots || (rank > 0 && self.flying.len() >= open_to_all) {
                return None;
            }
            self.waiting.remove(&place);
            let Some(entry) = self.entries.get(&attempt) else { continue };
            let bound = paging.in_flight_per_target * if rank == 0 { 2 } else { 1 };
            let flying = self.per_target.entry(entry.target.clone()).or_default();
            if *flying >= bound {
                self.parked.entry(entry.target.clone()).or_default().insert(place);
                continue;
            }
            *flying += 1;
            let Some(entry) = self.entries.remove(&attempt) else { continue };
            self.flying.insert(attempt, entry.target);
            return Some((entry.incident, attempt));
        }
    }

    /// Counts a delivery as under way that a previous process began.
    pub(crate) fn adopt(&mut self, attempt: AttemptId, target: String) {
        *self.per_target.entry(target.clone()).or_default() += 1;
        self.flying.insert(attempt, target);
    }

    /// Frees the slot of a delivery; one that waits for the same target may go next.
    pub(crate) fn finish(&mut self, attempt: AttemptId) {
        let Some(target) = self.flying.remove(&attempt) else { return };
        if let Some(flying) = self.per_target.get_mut(&target) {
            *flying = flying.saturating_sub(1);
            if *flying == 0 {
                self.per_target.remove(&target);
            }
        }
        if let Some(parked) = self.parked.get_mut(&target) {
            if let Some(place) = parked.pop_first() {
                self.waiting.insert(place);
            }
            if parked.is_empty() {
                self.parked.remove(&target);
            }
        }
    }

    pub(crate) fn is_flying(&self, attempt: AttemptId) -> bool {
        self.flying.contains_key(&attempt)
    }

    pub(crate) fn waiting(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.flying.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paging() -> Paging {
        Paging { in_flight: 4, in_flight_p0: 1, in_flight_per_target: 2, ..Paging::default() }
    }

    fn push(queue: &mut Queue, attempt: i64, rank: u8, target: &str) {
        queue.push(IncidentId(1), AttemptId(attempt), rank, Timestamp(attempt), target.to_owned());
    }

    #[test]
    fn a_p0_goes_first_and_has_its_own_slot() {
        let mut queue = Queue::default();
        for n in 1..=10 {
            push(&mut queue, n, 3, &format!("target-{n}"));
        }
        let begun: Vec<_> = std::iter::from_fn(|| queue.begin(&paging())).collect();
        assert_eq!(begun.len(), 3, "one of four slots is kept for P0");
        push(&mut queue, 11, 0, "target-11");
        assert_eq!(queue.begin(&paging()), Some((IncidentId(1), AttemptId(11))));
    }

    #[test]
    fn a_hanging_target_holds_up_only_itself() {
        let mut queue = Queue::default();
        for n in 1..=5 {
            push(&mut queue, n, 3, "hangs");
        }
        push(&mut queue, 6, 3, "well");
        let begun: Vec<i64> = std::iter::from_fn(|| queue.begin(&paging())).map(|(_, attempt)| attempt.0).collect();
        assert_eq!(begun, [1, 2, 6]);
        queue.finish(AttemptId(1));
        assert_eq!(queue.begin(&paging()), Some((IncidentId(1), AttemptId(3))));
        queue.remove(AttemptId(4));
        queue.finish(AttemptId(2));
        assert_eq!(queue.begin(&paging()), Some((IncidentId(1), AttemptId(5))));
    }
}
