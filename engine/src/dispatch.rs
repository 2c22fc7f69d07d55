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
        if self.waiting.remove(&place) {
            // It may have been the one whose end would have let the next of its target go.
            self.unpark_one(&entry.target);
        } else if let Some(parked) = self.parked.get_mut(&entry.target) {
            parked.remove(&place);
            if parked.is_empty() {
                self.parked.remove(&entry.target);
            }
        }
    }

    fn unpark_one(&mut self, target: &str) {
        let Some(parked) = self.parked.get_mut(target) else { return };
        if let Some(place) = parked.pop_first() {
            self.waiting.insert(place);
        }
        if parked.is_empty() {
            self.parked.remove(target);
        }
    }

    /// The bounds may have changed: every delivery is asked again.
    pub(crate) fn reconsider(&mut self) {
        self.waiting.extend(std::mem::take(&mut self.parked).into_values().flatten());
    }

    /// A delivery that waits although it could begin, or that nothing would ever let go.
    pub(crate) fn held_up(&self, paging: &Paging) -> Option<AttemptId> {
        let slots = paging.in_flight as usize;
        let open_to_all = slots.saturating_sub(paging.in_flight_p0 as usize);
        let free = |(rank, _, _): &&Place| self.flying.len() < slots && (*rank == 0 || self.flying.len() < open_to_all);
        let waiting = self.waiting.first().filter(free);
        let parked = self.parked.iter().find_map(|(target, places)| {
            let place = places.first()?;
            let flying = self.per_target.get(target).copied().unwrap_or_default();
            let comes = |(_, _, attempt): &Place| self.entries.get(attempt).is_some_and(|it| it.target == *target);
            let urgent = place.0 == 0 && flying < paging.in_flight_per_target * 2;
            (urgent || (flying == 0 && !self.waiting.iter().any(comes))).then_some(place)
        });
        waiting.or(parked).map(|(_, _, attempt)| *attempt)
    }

    /// What is under way, and what waits with the time it was due.
    pub(crate) fn content(&self) -> (Vec<AttemptId>, BTreeSet<(AttemptId, Timestamp)>) {
        let waiting = self.entries.iter().map(|(attempt, entry)| (*attempt, entry.due)).collect();
        (self.flying.keys().copied().collect(), waiting)
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

    /// What begins is known by another number from now on: that of its message.
    pub(crate) fn rename(&mut self, from: AttemptId, to: AttemptId) {
        if let Some(target) = self.flying.remove(&from) {
            self.flying.insert(to, target);
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
        self.unpark_one(&target);
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
    use proptest::prelude::*;

    fn paging() -> Paging {
        Paging { in_flight: 4, in_flight_p0: 1, in_flight_per_target: 2, ..Paging::default() }
    }

    fn push(queue: &mut Queue, attempt: i64, rank: u8, target: &str) {
        queue.push(IncidentId(1), AttemptId(attempt), rank, Timestamp::from_ms(attempt), target.to_owned());
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

    #[test]
    fn one_that_is_not_needed_any_more_lets_the_next_of_its_target_go() {
        let mut queue = Queue::default();
        for n in 1..=6 {
            push(&mut queue, n, 3, "hangs");
        }
        push(&mut queue, 7, 3, "well");
        assert_eq!(std::iter::from_fn(|| queue.begin(&paging())).count(), 3, "two at their bound, one elsewhere");
        for urgent in [8, 9] {
            push(&mut queue, urgent, 0, "urgent");
            queue.begin(&paging()).unwrap();
            // The next may go to the target that hangs, and finds all slots but the one for P0 taken.
            queue.finish(AttemptId(urgent - 7));
            assert_eq!(queue.begin(&paging()), None);
        }
        // Those two are not needed any more: the others of their target must not wait for their end.
        queue.remove(AttemptId(3));
        queue.remove(AttemptId(4));
        assert_eq!(queue.held_up(&paging()), None);
        queue.finish(AttemptId(8));
        assert_eq!(queue.begin(&paging()), Some((IncidentId(1), AttemptId(5))));
    }

    #[derive(Clone, Copy, Debug)]
    enum Op {
        Push { rank: u8, target: u8 },
        Remove(usize),
        Finish(usize),
        Reconsider,
    }

    fn op() -> impl Strategy<Value = Op> {
        prop_oneof![
            6 => (0..4_u8, 0..2_u8).prop_map(|(rank, target)| Op::Push { rank, target }),
            2 => any::<usize>().prop_map(Op::Remove),
            3 => any::<usize>().prop_map(Op::Finish),
            1 => Just(Op::Reconsider),
        ]
    }

    proptest! {
        #[test]
        fn the_bounds_hold_and_nothing_waits_for_ever(ops in proptest::collection::vec(op(), 1..150)) {
            let (mut queue, paging) = (Queue::default(), paging());
            let mut waiting: BTreeMap<AttemptId, (u8, u8)> = BTreeMap::new();
            let mut flying: BTreeMap<AttemptId, (u8, u8)> = BTreeMap::new();
            let mut next = 0;
            let drain = std::iter::repeat_n(Op::Finish(0), 200);
            for op in ops.into_iter().chain(drain) {
                match op {
                    Op::Push { rank, target } => {
                        next += 1;
                        push(&mut queue, next, rank, &target.to_string());
                        waiting.insert(AttemptId(next), (rank, target));
                    }
                    Op::Remove(n) => {
                        let chosen = waiting.keys().copied().nth(n % waiting.len().max(1));
                        if let Some(attempt) = chosen {
                            waiting.remove(&attempt);
                            queue.remove(attempt);
                        }
                    }
                    Op::Finish(n) => {
                        let chosen = flying.keys().copied().nth(n % flying.len().max(1));
                        if let Some(attempt) = chosen {
                            flying.remove(&attempt);
                            queue.finish(attempt);
                        }
                    }
                    Op::Reconsider => queue.reconsider(),
                }
                while let Some((_, attempt)) = queue.begin(&paging) {
                    let begun = waiting.remove(&attempt).expect("only what waits begins");
                    let others = flying.len();
                    prop_assert!(begun.0 == 0 || others < 3, "{begun:?} took a slot kept for P0");
                    flying.insert(attempt, begun);
                }
                prop_assert!(flying.len() <= 4);
                for target in 0..4 {
                    let same = flying.values().filter(|it| it.1 == target);
                    let (urgent, all) = same.fold((0, 0), |(urgent, all), it| (urgent + u32::from(it.0 == 0), all + 1));
                    prop_assert!(all <= if urgent > 0 { 4 } else { 2 }, "{all} deliveries at target {target}");
                }
                prop_assert_eq!(queue.held_up(&paging), None);
                prop_assert_eq!((queue.waiting(), queue.in_flight()), (waiting.len(), flying.len()));
            }
            prop_assert!(waiting.is_empty() && flying.is_empty(), "left over: {waiting:?}");
        }
    }
}
