//! A series as a chart has it: points with the least and the greatest around each mean, and gaps where nothing was
//! measured.

use shared::api::{SeriesAnswer, SeriesLine};

/// So many distances between points are needed to say which one is usual.
const USUAL_OF: usize = 8;
/// Points of one line that are kept while it grows.
const KEEP_MAX: usize = 4_000;

/// What was measured within one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Value {
    pub(crate) mean: f64,
    pub(crate) least: f64,
    pub(crate) greatest: f64,
}

impl Value {
    /// A single sample.
    pub(crate) const fn one(value: f64) -> Self {
        Self { mean: value, least: value, greatest: value }
    }
}

/// A point in time, in milliseconds; nothing was measured where there is no value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Point {
    pub(crate) at: i64,
    pub(crate) value: Option<Value>,
}

/// A series with a name for its legend; the oldest point first.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Line {
    /// As the server calls the series.
    pub(crate) series: String,
    pub(crate) name: String,
    pub(crate) points: Vec<Point>,
    /// How far apart the points are when nothing is missing.
    pub(crate) step_ms: i64,
}

impl Line {
    /// A line as the server answered it.
    pub(crate) fn of(answer: &SeriesAnswer, line: &SeriesLine) -> Self {
        let number = |list: &[Option<f32>], n: usize| list.get(n).copied().flatten().map(f64::from);
        let point = |(n, mean): (usize, &Option<f32>)| {
            let steps = i64::try_from(n).unwrap_or(i64::MAX);
            let at = answer.from.ms().saturating_add(steps.saturating_mul(answer.step_ms));
            let value = mean.map(f64::from).filter(|it| it.is_finite()).map(|mean| Value {
                mean,
                least: number(&line.least, n).filter(|it| it.is_finite()).unwrap_or(mean).min(mean),
                greatest: number(&line.greatest, n).filter(|it| it.is_finite()).unwrap_or(mean).max(mean),
            });
            Point { at, value }
        };
        let points = line.mean.iter().enumerate().map(point).collect();
        Self { series: line.series.clone(), name: line.series.clone(), points, step_ms: answer.step_ms.max(1) }
    }

    /// Adds what was just measured; what is not newer is passed over, what is older than `since` is given up.
    pub(crate) fn push(&mut self, at: i64, value: Option<f64>, step_ms: i64, since: i64) {
        // Points of the answer that lie in the future have no value and make room for real ones.
        while self.points.last().is_some_and(|last| last.value.is_none() && last.at >= at) {
            self.points.pop();
        }
        if self.points.last().is_some_and(|last| last.at >= at) {
            return;
        }
        self.step_ms = step_ms.max(1);
        self.points.push(Point { at, value: value.filter(|it| it.is_finite()).map(Value::one) });
        let old = self.points.iter().take_while(|point| point.at < since).count();
        let old = old.max(self.points.len().saturating_sub(KEEP_MAX));
        self.points.drain(..old);
    }

    /// Stretches without a gap.
    pub(crate) fn runs(&self) -> Vec<Vec<(i64, Value)>> {
        let mut runs: Vec<Vec<(i64, Value)>> = Vec::new();
        // A sample that is missing is a gap; a beat that is a little late is none.
        let reach = self.usual_ms().saturating_mul(8) / 5;
        for Point { at, value } in &self.points {
            let Some(value) = *value else { continue };
            match runs.last_mut() {
                Some(run) if run.last().is_some_and(|(last, _)| at - last <= reach) => run.push((*at, value)),
                _ => runs.push(vec![(*at, value)]),
            }
        }
        runs
    }

    /// How far apart values usually are: steps may be shorter than the time between two samples, and that changes when
    /// somebody begins to look. Nine of ten are not further apart.
    fn usual_ms(&self) -> i64 {
        let measured: Vec<i64> =
            self.points.iter().filter(|point| point.value.is_some()).map(|point| point.at).collect();
        let mut apart: Vec<i64> = measured.windows(2).map(|pair| pair[1] - pair[0]).collect();
        apart.sort_unstable();
        let usual = apart.get(apart.len().saturating_sub(1) * 9 / 10).copied().unwrap_or(0);
        if apart.len() < USUAL_OF { self.step_ms } else { usual.max(self.step_ms) }
    }

    /// What it was at an instant: the nearest point, if it is near enough to be of then.
    pub(crate) fn at(&self, at: i64) -> Option<Value> {
        let after = self.points.partition_point(|point| point.at < at);
        let is_measured = |point: &&Point| point.value.is_some();
        let before = self.points[..after].iter().rev().find(is_measured);
        let near = [before, self.points[after..].iter().find(is_measured)];
        let nearest = near.into_iter().flatten().min_by_key(|point| (point.at - at).abs())?;
        nearest.value.filter(|_| (nearest.at - at).abs() <= self.usual_ms())
    }

    /// The newest value there is.
    pub(crate) fn last(&self) -> Option<(i64, Value)> {
        self.points.iter().rev().find_map(|point| Some((point.at, point.value?)))
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = Value> {
        self.points.iter().filter_map(|point| point.value)
    }

    /// The greatest it ever was.
    pub(crate) fn greatest(&self) -> f64 {
        self.values().map(|value| value.greatest).fold(f64::NEG_INFINITY, f64::max)
    }

    pub(crate) fn least(&self) -> f64 {
        self.values().map(|value| value.least).fold(f64::INFINITY, f64::min)
    }

    /// The mean of its means.
    pub(crate) fn mean(&self) -> Option<f64> {
        let (sum, n) = self.values().fold((0.0, 0_u32), |(sum, n), value| (sum + value.mean, n + 1));
        (n > 0).then(|| sum / f64::from(n))
    }

    /// Whether a point is more than one sample, so that there is a band around it.
    pub(crate) fn has_band(&self) -> bool {
        self.values().any(|value| value.least < value.mean || value.greatest > value.mean)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use shared::{Timestamp, host::Unit};

    fn answer(lines: Vec<SeriesLine>) -> SeriesAnswer {
        let (now, from) = (Timestamp::from_ms(10_000), Timestamp::from_ms(1_000));
        SeriesAnswer { now, from, step_ms: 1_000, points: 5, lines, left_out: 0 }
    }

    fn series(mean: &[Option<f32>], least: &[Option<f32>], greatest: &[Option<f32>]) -> SeriesLine {
        SeriesLine {
            host: "a".into(),
            series: "cpu.busy".into(),
            unit: Unit::Percent,
            mean: mean.to_vec(),
            least: least.to_vec(),
            greatest: greatest.to_vec(),
        }
    }

    #[test]
    fn gaps_are_gaps_and_a_point_is_where_it_was_measured() {
        let line = series(&[Some(1.0), Some(2.0), None, Some(4.0), None], &[], &[]);
        let line = Line::of(&answer(vec![line.clone()]), &line);
        let runs = line.runs();
        assert_eq!(runs.iter().map(Vec::len).collect::<Vec<_>>(), [2, 1]);
        assert_eq!((runs[0][0].0, runs[1][0].0), (1_000, 4_000));
        assert_eq!(line.at(1_900).map(|value| value.mean), Some(2.0));
        assert_eq!(line.at(3_000).map(|value| value.mean), Some(2.0), "a step away is of then");
        assert_eq!(line.at(60_000), None);
        assert_eq!(line.last().map(|(at, _)| at), Some(4_000));
    }

    #[test]
    fn least_and_greatest_are_kept_beside_the_mean() {
        let line = series(&[Some(5.0), Some(6.0)], &[Some(1.0), None], &[Some(9.0), Some(6.5)]);
        let line = Line::of(&answer(vec![line.clone()]), &line);
        assert!(line.has_band());
        assert_eq!((line.least(), line.greatest(), line.mean()), (1.0, 9.0, Some(5.5)));
    }

    #[test]
    fn what_is_measured_now_follows_what_was_answered() {
        let line = series(&[Some(1.0), Some(2.0), None, None, None], &[], &[]);
        let mut line = Line::of(&answer(vec![line.clone()]), &line);
        line.push(3_100, Some(3.0), 1_000, 0);
        assert_eq!(line.points.len(), 4, "what lies in the future gave way");
        line.push(3_100, Some(9.0), 1_000, 0);
        line.push(2_500, Some(9.0), 1_000, 0);
        assert_eq!(line.last(), Some((3_100, Value::one(3.0))), "neither twice nor backwards");
        line.push(9_000, None, 1_000, 3_000);
        assert_eq!(line.points.first().map(|point| point.at), Some(3_000));
        assert_eq!(line.runs().len(), 1);
    }

    #[test]
    fn steps_shorter_than_what_is_measured_are_no_gaps() {
        let mut mean = vec![None; 120];
        for n in (0..120).filter(|n| n % 10 == 0 && *n != 60) {
            mean[n] = Some(1.0);
        }
        let line = series(&mean, &[], &[]);
        let line = Line::of(&answer(vec![line.clone()]), &line);
        assert_eq!(line.runs().iter().map(Vec::len).collect::<Vec<_>>(), [6, 5], "one sample is missing");
        assert!(line.at(13_000).is_some(), "what was measured two steps before is of then");
    }

    proptest! {
        #[test]
        fn any_answer_and_anything_measured_is_taken(
            mean in proptest::collection::vec(proptest::option::of(any::<f32>()), 0..40),
            pushed in proptest::collection::vec((any::<i32>(), proptest::option::of(any::<f64>())), 0..40),
            at in any::<i32>(),
        ) {
            let line = series(&mean, &mean, &[]);
            let mut line = Line::of(&answer(vec![line.clone()]), &line);
            for (at, value) in pushed {
                line.push(i64::from(at), value, 1_000, -5_000_000);
            }
            prop_assert!(line.points.is_sorted_by(|a, b| a.at < b.at));
            prop_assert!(line.values().all(|value| value.mean.is_finite() && value.least <= value.greatest));
            let in_runs: usize = line.runs().iter().map(Vec::len).sum();
            prop_assert_eq!(in_runs, line.values().count());
            line.at(i64::from(at));
        }
    }
}
