//! Lists that mostly hold one: that one takes no memory of its own.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{fmt, mem, ops::Deref, slice};
use thin_vec::{ThinVec, thin_vec};

/// A list in the order it is given.
#[derive(Clone)]
pub enum Few<T> {
    One(T),
    /// None, or two and more; one after others went.
    Others(ThinVec<T>),
}

impl<T> Few<T> {
    /// Adds one at the end.
    pub fn push(&mut self, item: T) {
        self.insert(self.len(), item);
    }

    /// Adds one at a place; at the end when there are fewer.
    pub fn insert(&mut self, place: usize, item: T) {
        let mut items = match mem::take(self) {
            Self::Others(items) if items.is_empty() => {
                *self = Self::One(item);
                return;
            }
            Self::One(first) => thin_vec![first],
            Self::Others(items) => items,
        };
        items.insert(place.min(items.len()), item);
        *self = Self::Others(items);
    }

    /// Keeps those of which this is true.
    pub fn retain(&mut self, mut keep: impl FnMut(&T) -> bool) {
        match self {
            Self::One(item) if keep(item) => {}
            Self::One(_) => *self = Self::default(),
            Self::Others(items) => {
                items.retain(|item| keep(item));
                self.shrink_to_fit();
            }
        }
    }

    /// Gives back what it holds in reserve.
    pub fn shrink_to_fit(&mut self) {
        if let Self::Others(items) = self {
            match items.len() {
                1 => *self = items.pop().map_or_else(Self::default, Self::One),
                _ => items.shrink_to_fit(),
            }
        }
    }
}

impl<T> Default for Few<T> {
    fn default() -> Self {
        Self::Others(ThinVec::new())
    }
}

impl<T> Deref for Few<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match self {
            Self::One(item) => slice::from_ref(item),
            Self::Others(items) => items,
        }
    }
}

impl<'a, T> IntoIterator for &'a Few<T> {
    type Item = &'a T;
    type IntoIter = slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<T> FromIterator<T> for Few<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        let mut few = Self::Others(items.into_iter().collect());
        few.shrink_to_fit();
        few
    }
}

impl<T: PartialEq> PartialEq for Few<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T: Eq> Eq for Few<T> {}

impl<T: fmt::Debug> fmt::Debug for Few<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: Serialize> Serialize for Few<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (**self).serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Few<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Vec::deserialize(deserializer)?.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Clone, Copy, Debug)]
    enum Op {
        Push(u8),
        Insert(u8, u8),
        Retain(u8),
        Shrink,
    }

    fn op() -> impl Strategy<Value = Op> {
        prop_oneof![
            any::<u8>().prop_map(Op::Push),
            any::<(u8, u8)>().prop_map(|(place, item)| Op::Insert(place % 4, item)),
            any::<u8>().prop_map(Op::Retain),
            Just(Op::Shrink),
        ]
    }

    proptest! {
        #[test]
        fn it_does_as_a_list_does(ops in proptest::collection::vec(op(), 0..20)) {
            let (mut few, mut list) = (Few::default(), Vec::new());
            for op in ops {
                match op {
                    Op::Push(item) => {
                        few.push(item);
                        list.push(item);
                    }
                    Op::Insert(place, item) => {
                        few.insert(place.into(), item);
                        list.insert(usize::from(place).min(list.len()), item);
                    }
                    Op::Retain(below) => {
                        few.retain(|item| *item < below);
                        list.retain(|item| *item < below);
                    }
                    Op::Shrink => few.shrink_to_fit(),
                }
                prop_assert_eq!(&*few, &*list);
            }
            let json = serde_json::to_string(&few).unwrap();
            prop_assert_eq!(&json, &serde_json::to_string(&list).unwrap());
            prop_assert_eq!(serde_json::from_str::<Few<u8>>(&json).unwrap(), list.into_iter().collect());
        }
    }

    #[test]
    fn the_only_one_is_held_in_place() {
        let mut few: Few<i64> = [7].into_iter().collect();
        assert!(matches!(few, Few::One(7)) && size_of::<Few<i64>>() == 16);
        few.push(8);
        few.retain(|it| *it == 8);
        assert!(matches!(few, Few::One(8)));
    }
}
