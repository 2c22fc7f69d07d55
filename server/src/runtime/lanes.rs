//! The lanes for messages: one for all severities, and one for those with a P0, in which every sender has its turn and some
//! room of its own.

use super::{
    Arrived,
    inbox::{Bounds, IngestReply},
};
use shared::IntegrationId;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Room that every sender has in the lane of P0s, however much of the others waits there. Tokens are made by people, so the
/// number of senders is bounded too.
const RESERVED: Bounds = Bounds { items: 64, bytes: 256 << 10 };

/// The read form is about as large as the body itself.
pub(super) fn weight(arrived: &Arrived) -> usize {
    2 * arrived.body.len() + 1_024
}

#[derive(Default)]
pub(super) struct Lane {
    items: VecDeque<(Box<Arrived>, IngestReply)>,
    bytes: usize,
    /// Members of the messages in it.
    pub(super) members: usize,
}

impl Lane {
    pub(super) fn offer(&mut self, arrived: Arrived, reply: IngestReply, bounds: &Bounds) -> bool {
        let fits = self.has_room(&arrived, bounds);
        if fits {
            self.push(Box::new(arrived), reply);
        }
        fits
    }

    fn has_room(&self, arrived: &Arrived, bounds: &Bounds) -> bool {
        self.items.len() < bounds.items && self.bytes + weight(arrived) <= bounds.bytes
    }

    fn push(&mut self, arrived: Box<Arrived>, reply: IngestReply) {
        self.bytes += weight(&arrived);
        self.members += arrived.read.events.len();
        self.items.push_back((arrived, reply));
    }

    /// Takes out what the same sender said before of the same things, in its order.
    pub(super) fn withdraw(&mut self, urgent: &Arrived) -> Vec<(Box<Arrived>, IngestReply)> {
        let things: BTreeSet<String> = urgent.things().collect();
        let is_same = |it: &Arrived| it.integration == urgent.integration && it.things().any(|it| things.contains(&it));
        let mut found = Vec::new();
        for at in (0..self.items.len()).rev() {
            if self.items.get(at).is_some_and(|(it, _)| is_same(it))
                && let Some((arrived, reply)) = self.items.remove(at)
            {
                self.bytes -= weight(&arrived);
                self.members -= arrived.read.events.len();
                found.push((arrived, reply));
            }
        }
        found.reverse();
        found
    }

    pub(super) fn take(&mut self) -> Option<(Box<Arrived>, IngestReply)> {
        let (arrived, reply) = self.items.pop_front()?;
        self.bytes -= weight(&arrived);
        self.members -= arrived.read.events.len();
        Some((arrived, reply))
    }

    pub(super) fn len(&self) -> usize {
        self.items.len()
    }
}

/// A lane in which one message of each sender is taken after the other: whoever sends without end holds up itself.
#[derive(Default)]
pub(super) struct Turns {
    senders: BTreeMap<IntegrationId, Lane>,
    /// Who is next; each sender of whom something waits, once.
    turns: VecDeque<IntegrationId>,
    items: usize,
    bytes: usize,
    pub(super) members: usize,
}

impl Turns {
    pub(super) fn offer(&mut self, arrived: Arrived, reply: IngestReply, bounds: &Bounds) -> bool {
        let is_full = self.items >= bounds.items || self.bytes + weight(&arrived) > bounds.bytes;
        // One that is larger than all of a sender's own room is taken when nothing else of it waits.
        let is_own = self.senders.get(&arrived.integration).is_none_or(|lane| lane.has_room(&arrived, &RESERVED));
        if is_full && !is_own {
            return false;
        }
        self.put(Box::new(arrived), reply);
        true
    }

    /// The same of what has its place already.
    pub(super) fn put(&mut self, arrived: Box<Arrived>, reply: IngestReply) {
        let (size, members) = (weight(&arrived), arrived.read.events.len());
        let sender = arrived.integration.clone();
        let lane = self.senders.entry(sender.clone()).or_default();
        lane.push(arrived, reply);
        if lane.len() == 1 {
            self.turns.push_back(sender);
        }
        self.items += 1;
        self.bytes += size;
        self.members += members;
    }

    pub(super) fn take(&mut self) -> Option<(Box<Arrived>, IngestReply)> {
        let sender = self.turns.pop_front()?;
        let lane = self.senders.get_mut(&sender)?;
        let taken = lane.take()?;
        if lane.len() == 0 {
            self.senders.remove(&sender);
        } else {
            self.turns.push_back(sender);
        }
        self.items -= 1;
        self.bytes -= weight(&taken.0);
        self.members -= taken.0.read.events.len();
        Some(taken)
    }

    pub(super) fn len(&self) -> usize {
        self.items
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::normalize::Source;
    use shared::{Timestamp, config::Integration};
    use tokio::sync::oneshot;

    const BOUNDS: Bounds = Bounds { items: 100, bytes: 1 << 20 };

    fn p0(sender: &str, number: usize) -> (Arrived, IngestReply) {
        let integration = Integration::undeclared(sender.into());
        let source = Source {
            integration: &integration,
            content_type: None,
            format: None,
            peer: None,
            received_at: Timestamp::from_ms(0),
        };
        (Arrived::read(&source, format!("[P0][PROBLEM][{sender}-{number}][][x]").into_bytes()), oneshot::channel().0)
    }

    #[test]
    fn who_sends_p0s_without_end_neither_fills_up_the_lane_nor_goes_first() {
        let mut lane = Turns::default();
        let mut offer = |sender: &str, number| {
            let (arrived, reply) = p0(sender, number);
            lane.offer(arrived, reply, &BOUNDS)
        };
        let taken = (0..10_000).take_while(|number| offer("hostile", *number)).count();
        assert_eq!(taken, BOUNDS.items, "the lane is bounded");
        for sender in ["a", "b"] {
            assert!((0..3).all(|number| offer(sender, number)), "{sender} has room of its own");
        }
        assert!((3..RESERVED.items).all(|number| offer("a", number)) && !offer("a", RESERVED.items));
        assert_eq!(lane.len(), BOUNDS.items + RESERVED.items + 3);
        let order: Vec<String> =
            (0..9).map(|_| lane.take().unwrap().0.read.events[0].event.host.clone().unwrap().to_string()).collect();
        assert_eq!(
            order,
            ["hostile-0", "a-0", "b-0", "hostile-1", "a-1", "b-1", "hostile-2", "a-2", "b-2"],
            "in turn, each in its own order"
        );
        while lane.take().is_some() {}
        assert_eq!((lane.len(), lane.bytes, lane.members, lane.senders.len()), (0, 0, 0, 0));
    }
}
