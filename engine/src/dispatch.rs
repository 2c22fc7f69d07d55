//! Which due delivery begins next: the most urgent first, with slots kept for P0, a bound per target and what its provider
//! takes, so that neither a storm of lower levels nor one hanging receiver can hold up a P0.

use crate::{
    allowance::{Meters, Place, Robot},
    deadline::Deadlines,
    event::Wake,
};
use shared::{AttemptId, IncidentId, Throttle, Timestamp, config::Paging};
use std::collections::{BTreeMap, BTreeSet};

/// What a delivery occupies.
#[derive(Clone, Debug, Default)]
pub(crate) struct Way {
    /// While it is under way: one mail server, one push server, one receiving host.
    pub(crate) target: String,
    /// Whose provider counts it, if one does.
    pub(crate) robot: Option<Robot>,
}

/// Due deliveries, and those under way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Queue {
    waiting: BTreeSet<Place>,
    /// Deliveries whose target is at its bound, by target.
    parked: BTreeMap<String, BTreeSet<Place>>,
    /// Deliveries whose provider takes no more, by robot, and what it was given.
    meters: Meters,
    /// Of these, those of which nobody has said so yet.
    unsaid: Vec<(IncidentId, AttemptId, Throttle)>,
    entries: BTreeMap<AttemptId, Entry>,
    flying: BTreeMap<AttemptId, Way>,
    per_target: BTreeMap<String, u32>,
}

#[derive(Clone, Debug)]
struct Entry {
    incident: IncidentId,
    rank: u8,
    due: Timestamp,
    way: Way,
}

impl Entry {
    const fn place(&self, attempt: AttemptId) -> Place {
        (self.rank, self.due, attempt)
    }
}

impl Queue {
    /// Makes a due delivery wait for its slot.
    pub(crate) fn push(&mut self, incident: IncidentId, attempt: AttemptId, rank: u8, due: Timestamp, way: Way) {
        self.entries.insert(attempt, Entry { incident, rank, due, way });
        self.waiting.insert((rank, due, attempt));
    }

    /// Forgets a delivery that has not begun.
    pub(crate) fn remove(&mut self, attempt: AttemptId) {
        let Some(entry) = self.entries.remove(&attempt) else { return };
        let place = entry.place(attempt);
        let Way { target, robot } = &entry.way;
        if self.waiting.remove(&place) {
            // It may have been the one whose end would have let the next of its target, or of its robot, go.
            self.unpark_one(target);
            self.waiting.extend(robot.as_ref().and_then(|robot| self.meters.pop(robot)));
            return;
        }
        if robot.as_ref().is_some_and(|robot| self.meters.remove(robot, &place)) {
            return;
        }
        if let Some(parked) = self.parked.get_mut(target) {
            parked.remove(&place);
            if parked.is_empty() {
                self.parked.remove(target);
            }
        }
    }

    fn release_one(&mut self, robot: Option<&Robot>, now: Timestamp) {
        self.waiting.extend(robot.and_then(|robot| self.meters.next(robot, now)));
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
        self.waiting.extend(self.meters.release());
    }

    /// Robots that may take something by now get the most urgent that waits for them.
    pub(crate) fn release(&mut self, now: Timestamp) {
        self.waiting.extend(self.meters.due(now));
    }

    /// When a robot may take something next.
    pub(crate) fn opens(&self, now: Timestamp) -> Option<Timestamp> {
        self.meters.opens(now)
    }

    /// Whose provider takes no more since this was asked last, with the reason.
    pub(crate) fn newly_held(&mut self) -> Vec<(IncidentId, AttemptId, Throttle)> {
        std::mem::take(&mut self.unsaid)
    }

    /// What a delivery waits for, when its provider takes no more.
    pub(crate) fn held(&self, attempt: AttemptId) -> Option<Throttle> {
        let entry = self.entries.get(&attempt)?;
        self.meters.held(entry.way.robot.as_ref()?, &entry.place(attempt))
    }

    /// A delivery that waits although it could begin, or that nothing would ever let go.
    pub(crate) fn held_up(&self, paging: &Paging, deadlines: &Deadlines) -> Option<AttemptId> {
        let slots = paging.in_flight as usize;
        let open_to_all = slots.saturating_sub(paging.in_flight_p0 as usize);
        let free = |(rank, _, _): &&Place| self.flying.len() < slots && (*rank == 0 || self.flying.len() < open_to_all);
        let waiting = self.waiting.first().filter(free);
        let parked = self.parked.iter().find_map(|(target, places)| {
            let place = places.first()?;
            let flying = self.per_target.get(target).copied().unwrap_or_default();
            let comes = |(_, _, attempt): &Place| self.entries.get(attempt).is_some_and(|it| it.way.target == *target);
            let urgent = place.0 == 0 && flying < paging.in_flight_per_target * 2;
            (urgent || (flying == 0 && !self.waiting.iter().any(comes))).then_some(place)
        });
        let robot = |(_, _, attempt): &Place| self.entries.get(attempt)?.way.robot.as_ref().map(Robot::key);
        let held = self.meters.stuck(
            |at| deadlines.contains(at, Wake::Bundle),
            |key| self.waiting.iter().any(|place| robot(place) == Some(key)),
        );
        waiting.or(parked).or(held).map(|(_, _, attempt)| *attempt)
    }

    /// What is under way, and what waits with the time it was due.
    pub(crate) fn content(&self) -> (Vec<AttemptId>, BTreeSet<(AttemptId, Timestamp)>) {
        let waiting = self.entries.iter().map(|(attempt, entry)| (*attempt, entry.due)).collect();
        (self.flying.keys().copied().collect(), waiting)
    }

    pub(crate) fn is_waiting(&self, attempt: AttemptId) -> bool {
        self.entries.contains_key(&attempt)
    }

    /// Begins the next delivery, if a slot is free for it and its provider takes it.
    pub(crate) fn begin(&mut self, paging: &Paging, now: Timestamp) -> Option<(IncidentId, AttemptId)> {
        let slots = paging.in_flight as usize;
        let open_to_all = slots.saturating_sub(paging.in_flight_p0 as usize);
        loop {
            let place @ (rank, _, attempt) = *self.waiting.first()?;
            if self.flying.len() >= slots || (rank > 0 && self.flying.len() >= open_to_all) {
                return None;
            }
            self.waiting.remove(&place);
            let Some(entry) = self.entries.get(&attempt) else { continue };
            let (incident, way) = (entry.incident, entry.way.clone());
            if let Some(robot) = &way.robot
                && let Some(wait) = self.meters.wait(robot, rank, now)
            {
                self.meters.hold(robot, place, wait, now);
                self.unsaid.push((incident, attempt, wait));
                if self.per_target.get(&way.target).is_none_or(|flying| *flying < paging.in_flight_per_target) {
                    self.unpark_one(&way.target);
                }
                continue;
            }
            let bound = paging.in_flight_per_target * if rank == 0 { 2 } else { 1 };
            let flying = self.per_target.entry(way.target.clone()).or_default();
            if *flying >= bound {
                self.parked.entry(way.target).or_default().insert(place);
                self.release_one(way.robot.as_ref(), now);
                continue;
            }
            *flying += 1;
            if let Some(robot) = &way.robot {
                self.meters.give(robot, now, now);
                self.release_one(Some(robot), now);
            }
            self.entries.remove(&attempt);
            self.flying.insert(attempt, way);
            return Some((incident, attempt));
        }
    }

    /// What begins is known by another number from now on: that of its message.
    pub(crate) fn rename(&mut self, from: AttemptId, to: AttemptId) {
        if let Some(way) = self.flying.remove(&from) {
            self.flying.insert(to, way);
        }
    }

    /// Counts a delivery as under way that a previous process began.
    pub(crate) fn adopt(&mut self, attempt: AttemptId, way: Way) {
        *self.per_target.entry(way.target.clone()).or_default() += 1;
        self.flying.insert(attempt, way);
    }

    /// Counts a message that a previous process sent.
    pub(crate) fn recall(&mut self, robot: &Robot, at: Timestamp, now: Timestamp) {
        self.meters.give(robot, at, now);
    }

    /// What has just begun is not sent after all.
    pub(crate) fn abandon(&mut self, attempt: AttemptId) {
        if let Some(robot) = self.flying.get(&attempt).and_then(|way| way.robot.clone()) {
            self.meters.take_back(&robot);
        }
        self.finish(attempt);
    }

    /// Frees the slot of a delivery; one that waits for the same target may go next.
    pub(crate) fn finish(&mut self, attempt: AttemptId) {
        let Some(Way { target, .. }) = self.flying.remove(&attempt) else { return };
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
    use shared::{
        Delay,
        config::{Allowance, ContactKind},
    };

    const NOW: Timestamp = Timestamp::from_ms(1_000_000);

    fn paging() -> Paging {
        Paging { in_flight: 4, in_flight_p0: 1, in_flight_per_target: 2, ..Paging::default() }
    }

    fn push(queue: &mut Queue, attempt: i64, rank: u8, target: &str) {
        queue.push(
            IncidentId(1),
            AttemptId(attempt),
            rank,
            Timestamp::from_ms(attempt),
            Way { target: target.to_owned(), robot: None },
        );
    }

    fn allowance(messages: u32, within: Delay) -> Allowance {
        Allowance { contact: ContactKind::DingTalk, carrier: None, together: false, messages, within }
    }

    fn robot(messages: u32) -> Robot {
        Robot::new(ContactKind::DingTalk, "dingtalk room".to_owned(), [allowance(messages, Delay::mins(1))].into())
    }

    fn push_to_robot(queue: &mut Queue, attempt: i64, rank: u8) {
        let way = Way { target: "dingtalk".to_owned(), robot: Some(robot(20)) };
        queue.push(IncidentId(1), AttemptId(attempt), rank, Timestamp::from_ms(attempt), way);
    }

    /// Begins and ends everything that may begin now.
    fn drained(queue: &mut Queue, now: Timestamp) -> Vec<i64> {
        queue.release(now);
        std::iter::from_fn(|| {
            let (_, attempt) = queue.begin(&paging(), now)?;
            queue.finish(attempt);
            Some(attempt.0)
        })
        .collect()
    }

    #[test]
    fn of_what_a_robot_takes_the_last_places_are_kept_for_p0() {
        let mut queue = Queue::default();
        (1..=30).for_each(|n| push_to_robot(&mut queue, n, 2));
        assert_eq!(drained(&mut queue, NOW).len(), 18);
        let (_, first, wait) = queue.newly_held()[0];
        assert_eq!((first, wait.until), (AttemptId(19), NOW.after(Delay::mins(1))));
        push_to_robot(&mut queue, 31, 0);
        push_to_robot(&mut queue, 32, 0);
        push_to_robot(&mut queue, 33, 0);
        assert_eq!(drained(&mut queue, NOW.plus_ms(500)), [31, 32], "the third would be refused");
        assert_eq!(queue.opens(NOW), Some(NOW.after(Delay::mins(1))));
        assert!(drained(&mut queue, NOW.plus_ms(59_999)).is_empty());
        let then = drained(&mut queue, NOW.after(Delay::mins(1)));
        assert_eq!((then[0], then.len()), (33, 13), "the P0 first, and then what had waited");
        assert_eq!((queue.waiting(), queue.opens(NOW)), (0, None));
    }

    #[test]
    fn what_is_not_sent_after_all_leaves_its_place() {
        let mut queue = Queue::default();
        (1..=19).for_each(|n| push_to_robot(&mut queue, n, 2));
        let (_, attempt) = queue.begin(&paging(), NOW).unwrap();
        queue.abandon(attempt);
        assert_eq!(drained(&mut queue, NOW).len(), 18);
        // One that waits and is not needed any more holds up nobody.
        (20..=22).for_each(|n| push_to_robot(&mut queue, n, 2));
        assert!(drained(&mut queue, NOW).is_empty());
        queue.remove(AttemptId(20));
        assert_eq!(drained(&mut queue, NOW.after(Delay::mins(1))), [21, 22]);
    }

    #[test]
    fn a_p0_is_not_kept_for_hours_by_what_we_think_a_provider_takes() {
        let hourly = allowance(2, Delay::mins(60));
        let robot = Robot::new(ContactKind::Voice, "voice +49".to_owned(), [hourly].into());
        let mut queue = Queue::default();
        for (n, rank) in [(1, 0), (2, 1), (3, 1), (4, 0)] {
            let way = Way { target: "voice".to_owned(), robot: Some(robot.clone()) };
            queue.push(IncidentId(1), AttemptId(n), rank, Timestamp::from_ms(n), way);
        }
        assert_eq!(drained(&mut queue, NOW), [1, 4]);
        push_to_robot(&mut queue, 5, 0);
        let way = Way { target: "voice".to_owned(), robot: Some(robot) };
        queue.push(IncidentId(1), AttemptId(6), 0, Timestamp::from_ms(6), way);
        assert_eq!(drained(&mut queue, NOW.plus_ms(1)), [5, 6]);
        assert_eq!(drained(&mut queue, NOW.after(Delay::mins(61))), [2, 3]);
    }

    #[test]
    fn what_a_provider_counts_by_account_is_counted_over_all_addresses() {
        let account = Allowance { together: true, ..allowance(3, Delay::mins(1)) };
        let own = allowance(2, Delay::mins(1));
        let mut queue = Queue::default();
        for (n, topic) in [(1, "a"), (2, "a"), (3, "a"), (4, "b"), (5, "b"), (6, "c")] {
            let robot = Robot::new(ContactKind::Ntfy, format!("ntfy {topic}"), [account.clone(), own.clone()].into());
            let way = Way { target: format!("ntfy {topic}"), robot: Some(robot) };
            queue.push(IncidentId(1), AttemptId(n), 2, Timestamp::from_ms(n), way);
        }
        assert_eq!(drained(&mut queue, NOW), [1, 2, 4], "two for one topic, three in all");
        assert_eq!(drained(&mut queue, NOW.after(Delay::mins(1))), [3, 5, 6]);
        assert_eq!((queue.waiting(), queue.opens(NOW)), (0, None));
    }

    #[test]
    fn a_p0_goes_first_and_has_its_own_slot() {
        let mut queue = Queue::default();
        for n in 1..=10 {
            push(&mut queue, n, 3, &format!("target-{n}"));
        }
        let begun: Vec<_> = std::iter::from_fn(|| queue.begin(&paging(), NOW)).collect();
        assert_eq!(begun.len(), 3, "one of four slots is kept for P0");
        push(&mut queue, 11, 0, "target-11");
        assert_eq!(queue.begin(&paging(), NOW), Some((IncidentId(1), AttemptId(11))));
    }

    #[test]
    fn a_hanging_target_holds_up_only_itself() {
        let mut queue = Queue::default();
        for n in 1..=5 {
            push(&mut queue, n, 3, "hangs");
        }
        push(&mut queue, 6, 3, "well");
        let begun: Vec<i64> =
            std::iter::from_fn(|| queue.begin(&paging(), NOW)).map(|(_, attempt)| attempt.0).collect();
        assert_eq!(begun, [1, 2, 6]);
        queue.finish(AttemptId(1));
        assert_eq!(queue.begin(&paging(), NOW), Some((IncidentId(1), AttemptId(3))));
        queue.remove(AttemptId(4));
        queue.finish(AttemptId(2));
        assert_eq!(queue.begin(&paging(), NOW), Some((IncidentId(1), AttemptId(5))));
    }

    #[test]
    fn one_that_is_not_needed_any_more_lets_the_next_of_its_target_go() {
        let mut queue = Queue::default();
        for n in 1..=6 {
            push(&mut queue, n, 3, "hangs");
        }
        push(&mut queue, 7, 3, "well");
        assert_eq!(std::iter::from_fn(|| queue.begin(&paging(), NOW)).count(), 3, "two at their bound, one elsewhere");
        for urgent in [8, 9] {
            push(&mut queue, urgent, 0, "urgent");
            queue.begin(&paging(), NOW).unwrap();
            // The next may go to the target that hangs, and finds all slots but the one for P0 taken.
            queue.finish(AttemptId(urgent - 7));
            assert_eq!(queue.begin(&paging(), NOW), None);
        }
        // Those two are not needed any more: the others of their target must not wait for their end.
        queue.remove(AttemptId(3));
        queue.remove(AttemptId(4));
        assert_eq!(queue.held_up(&paging(), &Deadlines::default()), None);
        queue.finish(AttemptId(8));
        assert_eq!(queue.begin(&paging(), NOW), Some((IncidentId(1), AttemptId(5))));
    }

    #[derive(Clone, Copy, Debug)]
    enum Op {
        Push { rank: u8, target: u8 },
        Remove(usize),
        Finish(usize),
        Reconsider,
        Pass { ms: i64 },
    }

    fn op() -> impl Strategy<Value = Op> {
        prop_oneof![
            6 => (0..4_u8, 0..3_u8).prop_map(|(rank, target)| Op::Push { rank, target }),
            2 => any::<usize>().prop_map(Op::Remove),
            3 => any::<usize>().prop_map(Op::Finish),
            1 => Just(Op::Reconsider),
            2 => (0..40_000_i64).prop_map(|ms| Op::Pass { ms }),
        ]
    }

    proptest! {
        #[test]
        fn the_bounds_hold_and_nothing_waits_for_ever(ops in proptest::collection::vec(op(), 1..150)) {
            let (mut queue, paging, mut now) = (Queue::default(), paging(), NOW);
            let mut waiting: BTreeMap<AttemptId, (u8, u8)> = BTreeMap::new();
            let mut flying: BTreeMap<AttemptId, (u8, u8)> = BTreeMap::new();
            // What the robot of two of the targets was given.
            let mut given: Vec<(u8, Timestamp)> = Vec::new();
            let mut next = 0;
            let drain = (0..400).map(|n| if n % 2 == 0 { Op::Finish(0) } else { Op::Pass { ms: 20_000 } });
            for op in ops.into_iter().chain(drain) {
                match op {
                    Op::Push { rank, target } => {
                        next += 1;
                        let way = Way { target: target.to_string(), robot: (target > 0).then(|| robot(6)) };
                        queue.push(IncidentId(1), AttemptId(next), rank, Timestamp::from_ms(next), way);
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
                    Op::Pass { ms } => {
                        now = now.plus_ms(ms);
                        queue.release(now);
                    }
                }
                while let Some((_, attempt)) = queue.begin(&paging, now) {
                    let begun = waiting.remove(&attempt).expect("only what waits begins");
                    let others = flying.len();
                    prop_assert!(begun.0 == 0 || others < 3, "{begun:?} took a slot kept for P0");
                    flying.insert(attempt, begun);
                    if begun.1 > 0 {
                        given.push((begun.0, now));
                        let lately = given.iter().filter(|(_, at)| *at > now.plus_ms(-60_000)).count();
                        prop_assert!(lately <= if begun.0 == 0 { 6 } else { 5 }, "{begun:?} is the {lately}th within a minute");
                    }
                }
                prop_assert!(flying.len() <= 4);
                for target in 0..4 {
                    let same = flying.values().filter(|it| it.1 == target);
                    let (urgent, all) = same.fold((0, 0), |(urgent, all), it| (urgent + u32::from(it.0 == 0), all + 1));
                    prop_assert!(all <= if urgent > 0 { 4 } else { 2 }, "{all} deliveries at target {target}");
                }
                let mut looked_at = Deadlines::default();
                queue.opens(now).into_iter().for_each(|at| looked_at.set(at, Wake::Bundle));
                prop_assert_eq!(queue.held_up(&paging, &looked_at), None);
                prop_assert_eq!((queue.waiting(), queue.in_flight()), (waiting.len(), flying.len()));
            }
            prop_assert!(waiting.is_empty() && flying.is_empty(), "left over: {waiting:?}");
        }
    }
}
