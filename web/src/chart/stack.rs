//! Lines on top of each other, and the rest of more lines than can be told apart.

use super::{
    line::{Line, Point, Value},
    model::LINES_MAX,
};
use crate::order::sorted;
use std::collections::BTreeMap;

/// The sum of several lines, where any of them has a value.
pub(crate) fn sum(lines: &[Line], name: String) -> Line {
    let mut sums: BTreeMap<i64, (Option<Value>, i64)> = BTreeMap::new();
    for point in lines.iter().flat_map(|line| &line.points) {
        let (sum, step_ms) = sums.entry(point.at).or_default();
        *step_ms = point.step_ms.max(*step_ms);
        if let Some(value) = point.value {
            let before = sum.unwrap_or(Value::one(0.0));
            *sum = Some(Value {
                mean: before.mean + value.mean,
                least: before.least + value.least,
                greatest: before.greatest + value.greatest,
            });
        }
    }
    let points = sums.into_iter().map(|(at, (value, step_ms))| Point { at, value, step_ms }).collect();
    Line { series: String::new(), name, points }
}

/// Lines for a chart: those that are drawn, whether the last of them is the sum of what is more, and what is in the table
/// only.
pub(crate) type Chosen = (Vec<Line>, bool, Vec<Line>);

/// At most six lines and the sum of what is more.
pub(crate) fn six_and_rest(mut lines: Vec<Line>, rest: String) -> Chosen {
    if lines.len() <= LINES_MAX {
        return (lines, false, Vec::new());
    }
    let others = lines.split_off(LINES_MAX);
    match others.as_slice() {
        // One that is alone is called what it is.
        [one] => lines.push(one.clone()),
        _ => {
            lines.push(sum(&others, rest));
            return (lines, true, others);
        }
    }
    (lines, true, Vec::new())
}

/// The six lines that reach highest, in the order in which they came, so that they keep their colours.
pub(crate) fn six_highest(lines: Vec<Line>) -> Chosen {
    if lines.len() <= LINES_MAX {
        return (lines, false, Vec::new());
    }
    let highest: Vec<(usize, f64)> = lines.iter().map(Line::greatest).enumerate().collect();
    let highest = sorted(highest, |a, b| b.1.total_cmp(&a.1));
    let chosen: Vec<usize> = highest.into_iter().take(LINES_MAX).map(|(n, _)| n).collect();
    let (mut drawn, mut more) = (Vec::new(), Vec::new());
    for (n, line) in lines.into_iter().enumerate() {
        if chosen.contains(&n) { drawn.push(line) } else { more.push(line) }
    }
    (drawn, false, more)
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
        let point = |(n, value): (usize, &Option<f64>)| Point {
            at: n as i64 * 1_000,
            value: value.map(Value::one),
            step_ms: 1_000,
        };
        let points = values.iter().enumerate().map(point).collect();
        Line { series: name.into(), name: name.into(), points }
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
        let (kept, _, more) = six_highest(lines.iter().rev().cloned().collect());
        let names = |lines: &[Line]| lines.iter().map(|line| line.name.as_str()).collect::<Vec<_>>().join("");
        assert_eq!((names(&kept).as_str(), names(&more).as_str()), ("876543", "210"));
        let (kept, _, _) = six_highest(lines.clone());
        assert_eq!(names(&kept), "345678", "in the order in which they came");
        let (kept, rest, more) = six_and_rest(lines.clone(), "others".into());
        assert!(rest);
        assert_eq!((kept.len(), kept[6].last().map(|(_, value)| value.mean)), (7, Some(6.0 + 7.0 + 8.0)));
        assert_eq!(names(&more), "678", "each of them is in the table");
        let (few, rest, _) = six_and_rest(kept.into_iter().take(2).collect(), "others".into());
        assert_eq!((few.len(), rest), (2, false));
        let (seven, rest, _) = six_and_rest(lines.into_iter().take(7).collect(), "others".into());
        assert_eq!((seven[6].name.as_str(), rest), ("6", true), "one that is alone keeps its name");
    }
}
