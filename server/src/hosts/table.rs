//! Series of one host with the same instants: as they come, and as they are put together with what is stored.

use super::names::Series;
use std::{collections::BTreeMap, sync::Arc};

/// Samples of one feed in one slot of time, as they come. Columns go by the host's own numbers of its series; what is not
/// a number was not measured.
#[derive(Clone, Debug, Default)]
pub(super) struct Block {
    /// In order, in ms.
    at: Vec<i64>,
    /// Each may be shorter than `at`.
    columns: Vec<Vec<f32>>,
    /// Rises with each value that is new.
    pub(super) changes: u64,
}

impl Block {
    /// The row of an instant, a new one if there is none.
    pub(super) fn row(&mut self, at: i64) -> usize {
        match self.at.last() {
            Some(last) if *last >= at => {}
            _ => {
                self.at.push(at);
                return self.at.len() - 1;
            }
        }
        self.at.binary_search(&at).unwrap_or_else(|row| {
            self.at.insert(row, at);
            self.columns.iter_mut().filter(|it| it.len() > row).for_each(|it| it.insert(row, f32::NAN));
            row
        })
    }

    /// Puts a value where none is; whether it did.
    pub(super) fn put(&mut self, row: usize, column: usize, value: f32) -> bool {
        if self.columns.len() <= column {
            self.columns.resize_with(column + 1, Vec::new);
        }
        let Some(column) = self.columns.get_mut(column) else { return false };
        if column.len() <= row {
            column.resize(row + 1, f32::NAN);
        }
        let Some(cell) = column.get_mut(row).filter(|cell| cell.is_nan()) else { return false };
        *cell = value;
        self.changes += 1;
        true
    }

    pub(super) fn value(&self, row: usize, column: usize) -> Option<f32> {
        self.columns.get(column)?.get(row).copied().filter(|value| !value.is_nan())
    }

    /// The points of one series, in order.
    pub(super) fn points(&self, column: usize) -> impl Iterator<Item = (i64, f32)> {
        let values = self.columns.get(column).map_or(&[][..], Vec::as_slice);
        self.at.iter().copied().zip(values.iter().copied()).filter(|(_, value)| !value.is_nan())
    }

    pub(super) fn first_at(&self) -> Option<i64> {
        self.at.first().copied()
    }

    /// How many values there is room for: what it costs in memory.
    pub(super) fn cells(&self) -> usize {
        self.columns.iter().map(Vec::len).sum()
    }

    /// Keeps the columns that `kept` lists, in that order.
    pub(super) fn renumber(&mut self, kept: &[usize]) {
        let mut old = std::mem::take(&mut self.columns);
        self.columns = kept.iter().map(|n| old.get_mut(*n).map(std::mem::take).unwrap_or_default()).collect();
    }

    /// By names instead of numbers.
    pub(super) fn table<'a>(&self, name: impl Fn(usize) -> Option<&'a Arc<Series>>) -> Table<1> {
        let rows = self.at.len();
        let filled = self.columns.iter().enumerate().filter(|(_, it)| it.iter().any(|value| !value.is_nan()));
        let columns = filled.filter_map(|(n, values)| {
            let mut values = values.clone();
            values.resize(rows, f32::NAN);
            Some((Arc::clone(name(n)?), [values]))
        });
        Table { at: self.at.clone(), columns: columns.collect() }
    }
}

/// Series by name, each with `W` values at each instant. What is not a number was not measured.
#[derive(Clone, Debug, Default)]
pub(super) struct Table<const W: usize> {
    /// In order, in ms.
    pub(super) at: Vec<i64>,
    /// Each as long as `at`.
    pub(super) columns: BTreeMap<Arc<Series>, [Vec<f32>; W]>,
}

impl<const W: usize> Table<W> {
    /// Takes what `newer` has; it counts where both have a value.
    pub(super) fn merge(&mut self, newer: Self) {
        let mut at = [self.at.as_slice(), newer.at.as_slice()].concat();
        at.sort_unstable();
        at.dedup();
        if at != self.at {
            let rows = places(&at, &self.at);
            self.columns.values_mut().flatten().for_each(|values| *values = spread(values, &rows, at.len()));
        }
        let rows = places(&at, &newer.at);
        for (series, columns) in newer.columns {
            match self.columns.get_mut(&series) {
                None => {
                    let spread = columns.map(|values| spread(&values, &rows, at.len()));
                    self.columns.insert(series, spread);
                }
                Some(own) => {
                    let there = columns.first().map(|values| values.iter().map(|it| !it.is_nan()).collect::<Vec<_>>());
                    for (own, values) in own.iter_mut().zip(columns) {
                        let each = values.into_iter().zip(&rows).zip(there.iter().flatten());
                        for ((value, row), _) in each.filter(|(_, there)| **there) {
                            if let Some(cell) = own.get_mut(*row) {
                                *cell = value;
                            }
                        }
                    }
                }
            }
        }
        self.at = at;
    }
}

/// Where each of `some` stands in `all`.
fn places(all: &[i64], some: &[i64]) -> Vec<usize> {
    some.iter().filter_map(|at| all.binary_search(at).ok()).collect()
}

fn spread(values: &[f32], rows: &[usize], len: usize) -> Vec<f32> {
    let mut spread = vec![f32::NAN; len];
    for (value, row) in values.iter().zip(rows) {
        if let Some(cell) = spread.get_mut(*row) {
            *cell = *value;
        }
    }
    spread
}

#[cfg(test)]
mod tests {
    use super::{super::names::Names, *};
    use proptest::prelude::*;
    use shared::host::SeriesName;

    proptest! {
        #[test]
        fn whatever_the_order_a_block_has_each_value_that_came_first(
            values in prop::collection::vec((0_i64..20, 0_usize..4, -9.0_f32..9.0), 0..60)
        ) {
            let (mut block, mut naive) = (Block::default(), BTreeMap::new());
            for (at, column, value) in values {
                let row = block.row(at);
                let is_new = !naive.contains_key(&(column, at));
                prop_assert_eq!(block.put(row, column, value), is_new);
                naive.entry((column, at)).or_insert(value);
            }
            for column in 0..4 {
                let expected: Vec<_> = naive.range((column, 0)..(column, 99)).map(|((_, at), it)| (*at, *it)).collect();
                prop_assert_eq!(block.points(column).collect::<Vec<_>>(), expected);
            }
        }

        #[test]
        fn two_tables_are_one_and_the_newer_counts(
            older in prop::collection::btree_map((0_usize..3, 0_i64..9), 0.0_f32..9.0, 0..20),
            newer in prop::collection::btree_map((0_usize..3, 0_i64..9), 10.0_f32..19.0, 0..20),
        ) {
            let names = Names::default();
            let series: Vec<_> = ["a", "b", "c"].map(|it| names.of(SeriesName::plain(it))).into();
            let table = |values: &BTreeMap<(usize, i64), f32>| {
                let mut block = Block::default();
                for ((column, at), value) in values {
                    let row = block.row(*at);
                    block.put(row, *column, *value);
                }
                block.table(|n| series.get(n))
            };
            let mut merged = table(&older);
            merged.merge(table(&newer));
            let mut expected = older.clone();
            expected.extend(newer.clone());
            let mut found = BTreeMap::new();
            for (n, it) in series.iter().enumerate() {
                let Some([values]) = merged.columns.get(it) else { continue };
                prop_assert_eq!(values.len(), merged.at.len());
                found.extend(merged.at.iter().zip(values).filter(|(_, it)| !it.is_nan()).map(|(at, it)| ((n, *at), *it)));
            }
            prop_assert_eq!(found, expected);
        }
    }
}
