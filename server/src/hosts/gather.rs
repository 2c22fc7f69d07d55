//! Brings together what several requests say of one machine at one instant.
//!
//! Open-Falcon's agents send group by group and a Prometheus sends in shards, so one instant comes in parts, in any order.
//! An instant is whole when nothing more is waited for: so long after its first part.

use shared::Timestamp;
use std::collections::BTreeMap;

/// For the other parts of an instant.
pub(super) const PATIENCE_MS: i64 = 2_000;
/// What is held at most, of all machines: some seconds of a thousand of them.
pub(super) const ITEMS_MAX: usize = 1_000_000;

/// The parts that are waited with.
#[derive(Debug)]
pub(super) struct Gather<T> {
    open: BTreeMap<(String, Timestamp), Held<T>>,
    items: usize,
    most: usize,
}

#[derive(Debug)]
struct Held<T> {
    since: Timestamp,
    items: Vec<T>,
}

/// An instant of a machine, whole.
#[derive(Debug, PartialEq)]
pub(super) struct Gathered<T> {
    pub(super) machine: String,
    pub(super) at: Timestamp,
    pub(super) items: Vec<T>,
}

/// Why nothing more is taken for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("more than {ITEMS_MAX} values wait to be taken in; send them again in some seconds")]
pub struct Full;

impl<T> Gather<T> {
    pub(super) fn new(most: usize) -> Self {
        Self { open: BTreeMap::new(), items: 0, most }
    }

    /// Whether so many more can be held.
    pub(super) fn room_for(&self, items: usize) -> Result<(), Full> {
        if self.items.saturating_add(items) <= self.most { Ok(()) } else { Err(Full) }
    }

    /// Holds one more part of an instant.
    pub(super) fn put(&mut self, machine: &str, at: Timestamp, item: T, now: Timestamp) {
        let held = self.open.entry((machine.to_owned(), at)).or_insert(Held { since: now, items: Vec::new() });
        held.items.push(item);
        self.items += 1;
    }

    /// The instants that are whole, those of a machine in their order. A clock that was set back makes nothing wait longer.
    pub(super) fn due(&mut self, now: Timestamp) -> Vec<Gathered<T>> {
        let whole = |held: &Held<T>| !(0..PATIENCE_MS).contains(&now.ms_since(held.since));
        let due = self.open.extract_if(.., |_, held| whole(held));
        let due: Vec<_> = due.map(|((machine, at), held)| Gathered { machine, at, items: held.items }).collect();
        self.items -= due.iter().map(|it| it.items.len()).sum::<usize>();
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(ms: i64) -> Timestamp {
        Timestamp::from_ms(ms)
    }

    #[test]
    fn parts_of_one_instant_come_out_together_and_in_order() {
        let mut gather = Gather::new(10);
        gather.put("web", at(30_000), 'c', at(30_500));
        gather.put("web", at(15_000), 'a', at(30_600));
        gather.put("db", at(15_000), 'x', at(30_700));
        gather.put("web", at(15_000), 'b', at(32_000));
        assert_eq!(gather.due(at(32_400)), []);
        let due = gather.due(at(32_700));
        let due: Vec<_> = due.iter().map(|it| (it.machine.as_str(), it.at.ms(), it.items.as_slice())).collect();
        let web = [('a', 'b'), ('c', 'c')];
        assert_eq!(due[0], ("db", 15_000, ['x'].as_slice()));
        assert_eq!(due[1], ("web", 15_000, [web[0].0, web[0].1].as_slice()));
        assert_eq!(due[2], ("web", 30_000, ['c'].as_slice()));
        assert_eq!((gather.due(at(99_000)), gather.items), (Vec::new(), 0));
    }

    #[test]
    fn what_is_held_is_bounded_and_a_clock_set_back_holds_nothing_up() {
        let mut gather = Gather::new(2);
        gather.put("web", at(1), 1, at(1_000_000));
        assert_eq!((gather.room_for(1), gather.room_for(2)), (Ok(()), Err(Full)));
        assert_eq!(gather.due(at(5)).len(), 1);
        assert_eq!(gather.room_for(2), Ok(()));
    }
}
