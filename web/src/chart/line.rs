//! A series as a chart has it: points with the least and the greatest around each mean, and gaps where nothing was
//! measured.

use shared::api::{SeriesAnswer, SeriesLine};

/// So many distances between points are needed to say which one is usual, and so many to each side are looked at: what
/// was usual changes when somebody begins to look.
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
    /// How long it is of, and how far off the next one is when nothing is missing: a roll-up's is longer than a sample's.
    pub(crate) step_ms: i64,
}

/// A series with a name for its legend; the oldest point first.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Line {
    /// As the server calls the series.
    pub(crate) series: String,
    pub(crate) name: String,
    pub(crate) points: Vec<Point>,
}

impl Line {
    /// A line as the server answered it.
    pub(crate) fn of(answer: &SeriesAnswer, line: &SeriesLine) -> Self {
        let step_ms = answer.step_ms.max(1);
        let number = |list: &[Option<f32>], n: usize| list.get(n).copied().flatten().map(f64::from);
        let point = |(n, mean): (usize, &Option<f32>)| {
            let steps = i64::try_from(n).unwrap_or(i64::MAX);
            let at = answer.from.ms().saturating_add(steps.saturating_mul(answer.step_ms));
            let value = mean.map(f64::from).filter(|it| it.is_finite()).map(|mean| Value {
                mean,
                least: number(&line.least, n).filter(|it| it.is_finite()).unwrap_or(mean).min(mean),
                greatest: number(&line.greatest, n).filter(|it| it.is_finite()).unwrap_or(mean).max(mean),
            });
            Point { at, value, step_ms }
        };
        let points = line.mean.iter().enumerate().map(point).collect();
        Self { series: line.series.clone(), name: line.series.clone(), points }
    }

    /// Adds what was just measured; what is not newer is passed over, what is older than `since` is given up.
    pub(crate) fn push(&mut self, at: i64, value: Option<f64>, step_ms: i64, since: i64) {
        let value = value.filter(|it| it.is_finite()).map(Value::one);
        if !self.add(Point { at, value, step_ms: step_ms.max(1) }) {
            return;
        }
        let old = self.points.iter().take_while(|point| point.at < since).count();
        let old = old.max(self.points.len().saturating_sub(KEEP_MAX));
        self.points.drain(..old);
    }

    /// Whether it is newer than what there is, and was added.
    fn add(&mut self, point: Point) -> bool {
        // Points of the answer that lie in the future have no value and make room for real ones.
        while self.points.last().is_some_and(|last| last.value.is_none() && last.at >= point.at) {
            self.points.pop();
        }
        let is_newer = self.points.last().is_none_or(|last| last.at < point.at);
        if is_newer {
            self.points.push(point);
        }
        is_newer
    }

    /// Takes over what was heard while this answer was on its way.
    pub(crate) fn follow(&mut self, before: &Self) {
        let newest = self.last().map_or(i64::MIN, |(at, _)| at);
        let newer = before.points.iter().filter(|point| point.at > newest && point.value.is_some());
        for point in newer {
            self.add(*point);
        }
    }

    /// Stretches without a gap.
    pub(crate) fn runs(&self) -> Vec<Vec<(i64, Value)>> {
        let alone = |run: Vec<(Point, Value)>| run.into_iter().map(|(point, value)| (point.at, value)).collect();
        self.stretches().into_iter().map(alone).collect()
    }

    /// Each value with the time it is of: to the next one, or as long as its own step where a gap follows.
    pub(crate) fn spans(&self) -> Vec<(i64, i64, Value)> {
        let of = |run: Vec<(Point, Value)>| {
            let ends: Vec<i64> = run.iter().skip(1).map(|(next, _)| next.at).collect();
            let span = |(n, (point, value)): (usize, (Point, Value))| {
                (point.at, ends.get(n).copied().unwrap_or(point.at.saturating_add(point.step_ms)), value)
            };
            run.into_iter().enumerate().map(span).collect::<Vec<_>>()
        };
        self.stretches().into_iter().flat_map(of).collect()
    }

    fn stretches(&self) -> Vec<Vec<(Point, Value)>> {
        let measured: Vec<(Point, Value)> =
            self.points.iter().filter_map(|point| Some((*point, point.value?))).collect();
        let apart: Vec<i64> = measured.windows(2).map(|pair| pair[1].0.at - pair[0].0.at).collect();
        let mut runs: Vec<Vec<(Point, Value)>> = Vec::new();
        for (n, (point, value)) in measured.iter().enumerate() {
            let joins = n.checked_sub(1).is_some_and(|before| {
                // A sample that is missing is a gap; a beat that is a little late is none.
                let late = |step: i64| apart[before] > step.saturating_mul(8) / 5;
                let step = measured[before].0.step_ms.max(point.step_ms);
                !late(step) || !late(usual_ms(&apart, before).max(step))
            });
            match runs.last_mut() {
                Some(run) if joins => run.push((*point, *value)),
                _ => runs.push(vec![(*point, *value)]),
            }
        }
        runs
    }

    /// What it was at an instant: the nearest point, if it is near enough to be of then.
    pub(crate) fn at(&self, at: i64) -> Option<Value> {
        let after = self.points.partition_point(|point| point.at < at);
        let is_measured = |point: &&Point| point.value.is_some();
        let before = self.points[..after].iter().rev().find(is_measured);
        let near = [before, self.points[after..].iter().find(is_measured)];
        let nearest = near.into_iter().flatten().min_by_key(|point| (point.at - at).abs())?;
        let off = (nearest.at - at).abs();
        nearest.value.filter(|_| off <= nearest.step_ms || off <= self.usual_around(nearest.at))
    }

    fn usual_around(&self, at: i64) -> i64 {
        let measured: Vec<i64> =
            self.points.iter().filter(|point| point.value.is_some()).map(|point| point.at).collect();
        let apart: Vec<i64> = measured.windows(2).map(|pair| pair[1] - pair[0]).collect();
        usual_ms(&apart, measured.partition_point(|it| *it < at))
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

/// How far apart values usually are around the n-th distance: steps may be shorter than the time between two samples.
/// Nine of ten are not further apart.
fn usual_ms(apart: &[i64], n: usize) -> i64 {
    let around = n.saturating_sub(USUAL_OF)..(n + USUAL_OF + 1).min(apart.len());
    let mut near = apart.get(around).unwrap_or_default().to_vec();
    if near.len() < USUAL_OF {
        return 0;
    }
    near.sort_unstable();
    near[(near.len() - 1) * 9 / 10]
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
    fn a_history_of_longer_steps_stays_whole_when_samples_follow_it_each_second() {
        let mut line = Line::default();
        for n in 0..30 {
            line.add(Point { at: n * 10_000, value: Some(Value::one(1.0)), step_ms: 10_000 });
        }
        // Long after most distances are of a second.
        for n in 0..280 {
            line.push(300_000 + n * 1_000, Some(2.0), 1_000, 0);
        }
        assert_eq!(line.runs().iter().map(Vec::len).collect::<Vec<_>>(), [310]);
        line.push(590_000, Some(2.0), 1_000, 0);
        assert_eq!(line.runs().len(), 2, "what is missing each second is a gap");
        let spans = line.spans();
        assert_eq!((spans[3].0, spans[3].1), (30_000, 40_000));
        assert_eq!(spans.last().map(|it| (it.0, it.1)), Some((590_000, 591_000)));
    }

    #[test]
    fn what_was_heard_while_an_answer_was_on_its_way_is_kept() {
        let line = series(&[Some(1.0), Some(2.0), None, None, None], &[], &[]);
        let mut before = Line::default();
        for at in [1_500, 3_000, 4_000, 5_000] {
            before.push(at, Some(9.0), 1_000, 0);
        }
        let mut line = Line::of(&answer(vec![line.clone()]), &line);
        line.follow(&before);
        let values: Vec<(i64, f64)> = line.runs().concat().into_iter().map(|(at, value)| (at, value.mean)).collect();
        assert_eq!(values, [(1_000, 1.0), (2_000, 2.0), (3_000, 9.0), (4_000, 9.0), (5_000, 9.0)]);
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
