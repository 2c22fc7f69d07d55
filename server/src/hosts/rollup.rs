//! Coarser points: of a minute, of ten minutes, each with mean, least, greatest, last, and of how many samples.

use super::table::Table;

/// The values of a rolled point in a table.
pub(super) const ROLLED: usize = 5;

/// One point of a series. A sample is one too: of itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Point {
    /// When it begins, in ms.
    pub(super) at: i64,
    pub(super) mean: f32,
    pub(super) least: f32,
    pub(super) greatest: f32,
    pub(super) last: f32,
    /// Of so many samples.
    pub(super) n: f32,
}

impl Point {
    /// A sample.
    pub(super) const fn of(at: i64, value: f32) -> Self {
        Self { at, mean: value, least: value, greatest: value, last: value, n: 1.0 }
    }

    pub(super) const fn values(&self) -> [f32; ROLLED] {
        [self.mean, self.least, self.greatest, self.last, self.n]
    }

    pub(super) fn from_values(at: i64, [mean, least, greatest, last, n]: [f32; ROLLED]) -> Self {
        Self { at, mean, least, greatest, last, n }
    }
}

/// The points of each `step_ms` that holds any, from points in order.
pub(super) fn roll(points: impl Iterator<Item = Point>, step_ms: i64) -> Vec<Point> {
    let mut rolled: Vec<Point> = Vec::new();
    // The mean is made of it at the end of each step: many small values do not vanish beside their sum.
    let mut sum = 0.0_f64;
    for point in points {
        let at = point.at.div_euclid(step_ms) * step_ms;
        let weighed = f64::from(point.mean) * f64::from(point.n);
        match rolled.last_mut().filter(|it| it.at == at) {
            Some(it) => {
                sum += weighed;
                it.n += point.n;
                it.mean = (sum / f64::from(it.n)) as f32;
                it.least = it.least.min(point.least);
                it.greatest = it.greatest.max(point.greatest);
                it.last = point.last;
            }
            None => {
                sum = weighed;
                rolled.push(Point { at, ..point });
            }
        }
    }
    rolled
}

/// Samples as points of each `step_ms`.
pub(super) fn rolled(samples: &Table<1>, step_ms: i64) -> Table<ROLLED> {
    let mut at: Vec<i64> = samples.at.iter().map(|at| at.div_euclid(step_ms) * step_ms).collect();
    at.dedup();
    let columns = samples.columns.iter().map(|(series, [values])| {
        let each = samples.at.iter().zip(values).filter(|(_, value)| !value.is_nan());
        let points = roll(each.map(|(at, value)| Point::of(*at, *value)), step_ms);
        let mut columns = [(); ROLLED].map(|()| vec![f32::NAN; at.len()]);
        for point in points {
            let Ok(row) = at.binary_search(&point.at) else { continue };
            for (column, value) in columns.iter_mut().zip(point.values()) {
                if let Some(cell) = column.get_mut(row) {
                    *cell = value;
                }
            }
        }
        (series.clone(), columns)
    });
    let columns = columns.collect();
    Table { at, columns }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn a_rolled_point_is_what_its_samples_are(
            samples in prop::collection::btree_map(-5_000_i64..5_000, -1e6_f32..1e6, 0..80),
            step in 1_i64..2_000,
        ) {
            let rolled = roll(samples.iter().map(|(at, value)| Point::of(*at, *value)), step);
            let mut naive: BTreeMap<i64, Vec<f32>> = BTreeMap::new();
            for (at, value) in &samples {
                naive.entry(at.div_euclid(step) * step).or_default().push(*value);
            }
            prop_assert_eq!(rolled.len(), naive.len());
            for (point, (at, values)) in rolled.iter().zip(&naive) {
                let least = values.iter().copied().fold(f32::INFINITY, f32::min);
                let greatest = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let mean = values.iter().map(|it| f64::from(*it)).sum::<f64>() / values.len() as f64;
                prop_assert_eq!((point.at, point.least, point.greatest), (*at, least, greatest));
                prop_assert_eq!((point.last, point.n), (*values.last().unwrap(), values.len() as f32));
                prop_assert!((f64::from(point.mean) - mean).abs() <= mean.abs() * 1e-6 + 1e-6, "{point:?} {mean}");
            }
            // Twice rolled is as if at once: the coarser from the finer.
            let (twice, once) = (
                roll(rolled.iter().copied(), step * 10),
                roll(samples.iter().map(|(at, value)| Point::of(*at, *value)), step * 10),
            );
            prop_assert_eq!(twice.len(), once.len());
            for (twice, once) in twice.iter().zip(&once) {
                prop_assert_eq!((twice.at, twice.least, twice.greatest), (once.at, once.least, once.greatest));
                prop_assert_eq!((twice.last, twice.n), (once.last, once.n));
                prop_assert!((twice.mean - once.mean).abs() <= 1.0, "{twice:?} {once:?}");
            }
        }
    }
}
