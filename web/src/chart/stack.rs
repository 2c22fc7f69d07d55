//! Lines on top of each other, and the rest of more lines than can be told apart.

use super::{
    line::{Line, Point, Value},
    model::LINES_MAX,
};
use crate::order::sorted;
use std::collections::BTreeMap;

/// The sum of several lines, where any of them has a value.
pub(crate) fn sum(lines: &[Line], name: String) -> Line {
    let mut sums: BTreeMap<i64, Option<Value>> = BTreeMap::new();
    for point in lines.iter().flat_map(|line| &line.points) {
        let sum = sums.entry(point.at).or_default();
        if let Some(value) = point.value {
            let before = sum.unwrap_or(Value::one(0.0));
            *sum = Some(Value {
                mean: before.mean + value.mean,
                least: before.least + value.least,
                greatest: before.greatest + value.greatest,
            });
        }
    }
    let points = sums.into_iter().map(|(at, value)| Point { at, value }).collect();
    Line { series: String::new(), name, points, step_ms: lines.iter().map(|line| line.step_ms).max().unwrap_or(1) }
}

/// At most six lines and the sum of what is more; whether there is such a sum.
pub(crate) fn six_and_rest(mut lines: Vec<Line>, rest: String) -> (Vec<Line>, bool) {
    if lines.len() <= LINES_MAX {
        return (lines, false);
    }
    let others = lines.split_off(LINES_MAX);
    lines.push(sum(&others, rest));
    (lines, true)
}

/// The six lines that reach highest, highest first, and how many were left out.
pub(crate) fn six_highest(lines: Vec<Line>) -> (Vec<Line>, usize) {
    let more = lines.len().saturating_sub(LINES_MAX);
    if more == 0 {
        return (lines, 0);
    }
    let mut lines = sorted(lines, |a, b| b.greatest().total_cmp(&a.greatest()));
    lines.truncate(LINES_MAX);
    (lines, more)
}

/// One instant of a stack.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Column {
    pub(crate) at: i64,
    /// The upper edge of each line, the lowest first.
    pub(crate) edges: Vec<f64>,
}

/// The upper edges of each line, in stretches without a gap. A line without a value where another has one is as high as
/// nothing.
pub(crate) fn stacked(lines: &[Line]) -> Vec<Vec<Column>> {
    let mut runs: Vec<Vec<Column>> = Vec::new();
    let total = sum(lines, String::new());
    for run in total.runs() {
        let column = |at: i64| {
            let mut height = 0.0;
            let edge = |line: &Line| {
                let place = line.points.partition_point(|point| point.at < at);
                let own = line.points.get(place).filter(|point| point.at == at).and_then(|point| point.value);
                height += own.map_or(0.0, |value| value.mean.max(0.0));
                height
            };
            Column { at, edges: lines.iter().map(edge).collect() }
        };
        runs.push(run.iter().map(|(at, _)| column(*at)).collect());
    }
    runs
}

/// The highest edge of a stack.
pub(crate) fn highest(runs: &[Vec<Column>]) -> f64 {
    runs.iter().flatten().filter_map(|column| column.edges.last()).copied().fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(name: &str, values: &[Option<f64>]) -> Line {
        let point = |(n, value): (usize, &Option<f64>)| Point { at: n as i64 * 1_000, value: value.map(Value::one) };
        let points = values.iter().enumerate().map(point).collect();
        Line { series: name.into(), name: name.into(), points, step_ms: 1_000 }
    }

    #[test]
    fn a_stack_adds_up_and_keeps_gaps() {
        let lines = [line("a", &[Some(1.0), None, Some(3.0)]), line("b", &[Some(10.0), None, None])];
        let runs = stacked(&lines);
        assert_eq!(runs.len(), 2, "{runs:?}");
        assert_eq!(runs[0], [Column { at: 0, edges: vec![1.0, 11.0] }]);
        assert_eq!(runs[1], [Column { at: 2_000, edges: vec![3.0, 3.0] }]);
        assert_eq!(highest(&runs), 11.0);
    }

    #[test]
    fn of_more_than_six_the_rest_is_one_line() {
        let lines: Vec<Line> = (0..9).map(|n| line(&n.to_string(), &[Some(f64::from(n))])).collect();
        let (kept, more) = six_highest(lines.clone());
        assert_eq!((kept[0].name.as_str(), kept.len(), more), ("8", 6, 3));
        let (kept, rest) = six_and_rest(lines, "others".into());
        assert!(rest);
        assert_eq!((kept.len(), kept[6].last().map(|(_, value)| value.mean)), (7, Some(6.0 + 7.0 + 8.0)));
        let (few, rest) = six_and_rest(kept.into_iter().take(2).collect(), "others".into());
        assert_eq!((few.len(), rest), (2, false));
    }
}
