//! Ordered maps and sets in full blocks, for keys that mostly rise: where the nodes of a B-tree stay half empty behind
//! the newest key, these are left full. Numbers given one after the other, and deadlines, are such keys.
//!
//! A block is a sorted list; the first key of each is kept beside, so a search looks at two short lists. Keys in any
//! order work as well: a block that is full is cut in two.

use std::{
    fmt, mem,
    ops::{Bound, RangeBounds},
};

/// Entries of a block at most.
const BLOCK: usize = 128;
/// Room a block gains at a time, where keys do not rise.
const STEP: usize = 16;

/// An ordered map.
#[derive(Clone)]
pub struct Map<K, V> {
    /// For each block a key that is not above any of its own, and above all of the blocks before.
    firsts: Vec<K>,
    /// None is empty.
    blocks: Vec<Vec<(K, V)>>,
    len: usize,
}

impl<K: Copy + Ord, V> Map<K, V> {
    /// How many entries there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &K) -> Option<&V> {
        let (at, place) = self.find(key)?;
        self.blocks.get(at)?.get(place).map(|(_, value)| value)
    }

    /// The value of a key, to change it.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let (at, place) = self.find(key)?;
        self.blocks.get_mut(at)?.get_mut(place).map(|(_, value)| value)
    }

    /// Whether there is such a key.
    #[must_use]
    pub fn contains_key(&self, key: &K) -> bool {
        self.find(key).is_some()
    }

    /// The entry with the smallest key.
    #[must_use]
    pub fn first(&self) -> Option<(&K, &V)> {
        self.blocks.first()?.first().map(|(key, value)| (key, value))
    }

    /// Sets the value of a key and gives the one it had.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        let at = self.block_of(&key);
        let found = self.blocks.get(at).map_or(Err(0), |block| block.binary_search_by(|(known, _)| known.cmp(&key)));
        match found {
            Ok(place) => {
                let known = self.blocks.get_mut(at).and_then(|block| block.get_mut(place));
                known.map(|(_, known)| mem::replace(known, value))
            }
            Err(place) => {
                self.len += 1;
                self.put(at, place, key, value);
                None
            }
        }
    }

    /// Takes a key out and gives its value.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        let (at, place) = self.find(key)?;
        let (_, value) = self.blocks.get_mut(at)?.remove(place);
        self.len -= 1;
        self.close_up(at);
        Some(value)
    }

    /// Takes out the entry with the smallest key.
    pub fn pop_first(&mut self) -> Option<(K, V)> {
        let entry = self.blocks.first_mut()?.remove(0);
        self.len -= 1;
        self.close_up(0);
        Some(entry)
    }

    /// Keeps the entries of which this is true.
    pub fn retain(&mut self, mut keep: impl FnMut(&K, &V) -> bool) {
        for block in &mut self.blocks {
            block.retain(|(key, value)| keep(key, value));
        }
        self.len = self.blocks.iter().map(Vec::len).sum();
        for at in (0..self.blocks.len()).rev() {
            self.close_up(at);
        }
    }

    /// All entries in the order of their keys.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&K, &V)> {
        self.blocks.iter().flatten().map(|(key, value)| (key, value))
    }

    /// The same, to change the values.
    pub fn iter_mut(&mut self) -> impl DoubleEndedIterator<Item = (&K, &mut V)> {
        self.blocks.iter_mut().flatten().map(|(key, value)| (&*key, value))
    }

    /// All keys in their order.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &K> {
        self.iter().map(|(key, _)| key)
    }

    /// All values in the order of their keys.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }

    /// The entries with keys in a range, in their order; none in one that ends before it begins.
    pub fn range(&self, range: impl RangeBounds<K>) -> impl DoubleEndedIterator<Item = (&K, &V)> {
        let (first, begin) = match range.start_bound() {
            Bound::Unbounded => (0, 0),
            Bound::Included(from) => self.place_of(|key| key < from),
            Bound::Excluded(from) => self.place_of(|key| key <= from),
        };
        let (last, end) = match range.end_bound() {
            Bound::Unbounded => (self.blocks.len(), 0),
            Bound::Included(to) => self.place_of(|key| key <= to),
            Bound::Excluded(to) => self.place_of(|key| key < to),
        };
        let blocks = self.blocks.iter().enumerate().take(last + 1).skip(first);
        let entries = blocks.flat_map(move |(at, block)| {
            let begin = if at == first { begin } else { 0 };
            let end = if at == last { end } else { block.len() };
            block.get(begin..end).unwrap_or_default()
        });
        entries.map(|(key, value)| (key, value))
    }

    /// The block that holds a key, if any does.
    fn block_of(&self, key: &K) -> usize {
        self.firsts.partition_point(|first| first <= key).saturating_sub(1)
    }

    fn find(&self, key: &K) -> Option<(usize, usize)> {
        let at = self.block_of(key);
        let place = self.blocks.get(at)?.binary_search_by(|(known, _)| known.cmp(key)).ok()?;
        Some((at, place))
    }

    /// The block and the place in it of the first key of which this is false; it is true of those before.
    fn place_of(&self, is_before: impl Fn(&K) -> bool) -> (usize, usize) {
        let at = self.firsts.partition_point(&is_before).saturating_sub(1);
        (at, self.blocks.get(at).map_or(0, |block| block.partition_point(|(key, _)| is_before(key))))
    }

    fn put(&mut self, at: usize, place: usize, key: K, value: V) {
        let Some(block) = self.blocks.get_mut(at) else {
            self.firsts.push(key);
            self.blocks.push(vec![(key, value)]);
            return;
        };
        if block.len() < BLOCK {
            if block.len() == block.capacity() {
                block.reserve_exact(STEP);
            }
            block.insert(place, (key, value));
            if let Some(first) = self.firsts.get_mut(at).filter(|first| key < **first) {
                *first = key;
            }
            return;
        }
        // Where keys rise, the block that is left behind stays full.
        if place == BLOCK {
            let mut next = Vec::with_capacity(BLOCK);
            next.push((key, value));
            self.firsts.insert(at + 1, key);
            self.blocks.insert(at + 1, next);
            return;
        }
        let cut = if place >= BLOCK / 4 * 3 { place } else { BLOCK / 2 };
        let upper = block.split_off(cut);
        *block = fitting(mem::take(block), STEP);
        if let Some((first, _)) = upper.first() {
            self.firsts.insert(at + 1, *first);
            self.blocks.insert(at + 1, upper);
        }
        let (at, place) = if place > cut { (at + 1, place - cut) } else { (at, place) };
        self.put(at, place, key, value);
    }

    /// After something was taken out of a block: a small one is joined with the next one, an empty one goes.
    fn close_up(&mut self, at: usize) {
        let Some(len) = self.blocks.get(at).map(Vec::len) else { return };
        let next = self.blocks.get(at + 1).map_or(BLOCK, Vec::len);
        if len == 0 {
            self.firsts.remove(at);
            self.blocks.remove(at);
        } else if len + next <= BLOCK / 2 {
            self.firsts.remove(at + 1);
            let next = self.blocks.remove(at + 1);
            if let Some(block) = self.blocks.get_mut(at) {
                block.extend(next);
            }
        } else if let Some(block) = self.blocks.get_mut(at).filter(|it| it.capacity() > len * 2 + STEP) {
            *block = fitting(mem::take(block), STEP);
        }
    }
}

/// The same entries, with so much room to spare.
fn fitting<T>(entries: Vec<T>, spare: usize) -> Vec<T> {
    let mut fitting = Vec::with_capacity(entries.len() + spare);
    fitting.extend(entries);
    fitting
}

impl<K, V> Default for Map<K, V> {
    fn default() -> Self {
        Self { firsts: Vec::new(), blocks: Vec::new(), len: 0 }
    }
}

impl<K: Copy + Ord + fmt::Debug, V: fmt::Debug> fmt::Debug for Map<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<K: Copy + Ord, V: PartialEq> PartialEq for Map<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && self.iter().eq(other.iter())
    }
}

impl<K: Copy + Ord, V: Eq> Eq for Map<K, V> {}

/// An ordered set.
#[derive(Clone, PartialEq, Eq)]
pub struct Set<K: Copy + Ord>(Map<K, ()>);

impl<K: Copy + Ord> Set<K> {
    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it is there.
    #[must_use]
    pub fn contains(&self, key: &K) -> bool {
        self.0.contains_key(key)
    }

    /// The smallest.
    #[must_use]
    pub fn first(&self) -> Option<&K> {
        self.0.first().map(|(key, ())| key)
    }

    /// Adds it; false when it was there.
    pub fn insert(&mut self, key: K) -> bool {
        self.0.insert(key, ()).is_none()
    }

    /// Takes it out; false when it was not there.
    pub fn remove(&mut self, key: &K) -> bool {
        self.0.remove(key).is_some()
    }

    /// Takes out the smallest.
    pub fn pop_first(&mut self) -> Option<K> {
        self.0.pop_first().map(|(key, ())| key)
    }

    /// Keeps those of which this is true.
    pub fn retain(&mut self, mut keep: impl FnMut(&K) -> bool) {
        self.0.retain(|key, ()| keep(key));
    }

    /// All of them in their order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &K> {
        self.0.keys()
    }

    /// Those in a range, in their order.
    pub fn range(&self, range: impl RangeBounds<K>) -> impl DoubleEndedIterator<Item = &K> {
        self.0.range(range).map(|(key, ())| key)
    }
}

impl<K: Copy + Ord> Default for Set<K> {
    fn default() -> Self {
        Self(Map::default())
    }
}

impl<K: Copy + Ord + fmt::Debug> fmt::Debug for Set<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[derive(Clone, Copy, Debug)]
    enum Op {
        Rise,
        Insert(u16),
        Remove(u16),
        PopFirst,
        Retain(u16),
    }

    fn op() -> impl Strategy<Value = Op> {
        prop_oneof![
            40 => Just(Op::Rise),
            40 => (0..2_000_u16).prop_map(Op::Insert),
            30 => (0..2_000_u16).prop_map(Op::Remove),
            10 => Just(Op::PopFirst),
            1 => (2..9_u16).prop_map(Op::Retain),
        ]
    }

    fn bound() -> impl Strategy<Value = Bound<u16>> {
        let key = 0..2_000_u16;
        prop_oneof![Just(Bound::Unbounded), key.clone().prop_map(Bound::Included), key.prop_map(Bound::Excluded)]
    }

    /// What must be true of the blocks whatever was done.
    fn is_sound(map: &Map<u16, u32>) -> bool {
        let sorted = map.keys().zip(map.keys().skip(1)).all(|(one, next)| one < next);
        let bounded = map.firsts.iter().zip(&map.blocks).all(|(first, block)| *first <= block[0].0);
        let apart = map.firsts.iter().skip(1).zip(&map.blocks).all(|(next, block)| block[block.len() - 1].0 < *next);
        let filled = map.blocks.iter().all(|block| (1..=BLOCK).contains(&block.len()));
        sorted && bounded && apart && filled && map.firsts.len() == map.blocks.len()
    }

    proptest! {
        #[test]
        fn it_does_as_an_ordered_map_does(
            ops in proptest::collection::vec(op(), 1..1_500),
            bounds in proptest::collection::vec((bound(), bound()), 1..10),
        ) {
            let (mut map, mut known) = (Map::default(), BTreeMap::new());
            for (n, op) in (0_u32..).zip(ops) {
                match op {
                    Op::Rise => {
                        let key = known.last_key_value().map_or(0, |(key, _)| key + 1);
                        prop_assert_eq!(map.insert(key, n), known.insert(key, n));
                    }
                    Op::Insert(key) => prop_assert_eq!(map.insert(key, n), known.insert(key, n)),
                    Op::Remove(key) => prop_assert_eq!(map.remove(&key), known.remove(&key)),
                    Op::PopFirst => prop_assert_eq!(map.pop_first(), known.pop_first()),
                    Op::Retain(of) => {
                        map.retain(|key, _| key % of == 0);
                        known.retain(|key, _| key % of == 0);
                    }
                }
                prop_assert_eq!(map.first(), known.first_key_value());
            }
            prop_assert!(is_sound(&map), "{map:?}");
            prop_assert_eq!((map.len(), map.is_empty()), (known.len(), known.is_empty()));
            prop_assert!(map.iter().eq(known.iter()) && map.iter().rev().eq(known.iter().rev()));
            prop_assert!((0..2_000).all(|key| map.get(&key) == known.get(&key)));
            for (from, to) in bounds {
                let within = |key: &u16| (from, to).contains(key);
                let expected: Vec<_> = known.iter().filter(|(key, _)| within(key)).collect();
                prop_assert_eq!(map.range((from, to)).collect::<Vec<_>>(), expected.clone());
                prop_assert!(map.range((from, to)).rev().eq(expected.into_iter().rev()));
            }
            for (_, value) in map.iter_mut() {
                *value += 1;
            }
            known.values_mut().for_each(|value| *value += 1);
            prop_assert!(map.values().eq(known.values()));
        }
    }

    #[test]
    fn blocks_behind_rising_keys_are_full() {
        let mut map = Map::default();
        for n in 0..100_000_u32 {
            map.insert(n, n);
        }
        assert_eq!(map.blocks.len(), 100_000_usize.div_ceil(BLOCK));
        // Keys that rise in the middle, as deadlines in an hour do before those in two.
        let mut set = Set::default();
        for n in 0..50_000_u32 {
            set.insert(n);
            set.insert(1_000_000 + n);
        }
        let room: usize = set.0.blocks.iter().map(Vec::capacity).sum();
        assert!(room < 110_000, "room for {room}");
    }

    #[test]
    fn keys_in_any_order_leave_little_room() {
        let mut set = Set::default();
        for n in 0..100_000_u64 {
            set.insert(n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        }
        let room: usize = set.0.blocks.iter().map(Vec::capacity).sum();
        assert!(room < 125_000, "room for {room}");
        for n in 0..90_000_u64 {
            assert!(set.remove(&n.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        }
        let room: usize = set.0.blocks.iter().map(Vec::capacity).sum();
        assert!(set.len() == 10_000 && room < 40_000, "room for {room}");
    }
}
