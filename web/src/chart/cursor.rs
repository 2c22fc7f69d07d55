//! Moving through a chart with keys and pointers: where the cursor goes, and what is zoomed to.

use super::model::Chart;

/// Points passed over by a page key.
const PAGE: usize = 10;
/// Nothing shorter is zoomed to.
const SHORTEST_MS: i64 = 10_000;

/// What a key does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The cursor is at this instant now.
    To(i64),
    /// Nothing is pointed at any more.
    Leave,
    Zoom(i64, i64),
    /// Back to the range that was chosen.
    Whole,
    /// The table instead of the picture, or the other way round.
    Table,
}

/// What a key means with the cursor where it is; none for a key that means nothing here.
pub(crate) fn key(chart: &Chart, cursor: Option<i64>, key: &str) -> Option<Step> {
    let instants = chart.instants();
    let last = instants.len().checked_sub(1);
    let at = |n: usize| instants.get(n).copied().map(Step::To);
    // Without a cursor the newest point is the first that is pointed at.
    let here = match cursor {
        Some(cursor) => nearest(&instants, cursor),
        None => last.map(|last| last + 1),
    };
    match key {
        "ArrowLeft" => at(here?.saturating_sub(1).min(last?)),
        "ArrowRight" => at((here? + 1).min(last?)),
        "PageUp" => at(here?.saturating_sub(PAGE).min(last?)),
        "PageDown" => at((here? + PAGE).min(last?)),
        "Home" => at(0),
        "End" => at(last?),
        "+" | "=" => zoomed(chart, cursor, 0.5),
        "-" | "_" => zoomed(chart, cursor, 2.0),
        "0" => Some(Step::Whole),
        "t" | "T" => Some(Step::Table),
        "Escape" if cursor.is_some() => Some(Step::Leave),
        _ => None,
    }
}

/// A shorter or longer stretch around the cursor, or around the middle.
fn zoomed(chart: &Chart, cursor: Option<i64>, by: f64) -> Option<Step> {
    let length = chart.until.saturating_sub(chart.from);
    let middle = cursor.unwrap_or(chart.from + length / 2).clamp(chart.from, chart.until);
    let wanted = ((length as f64 * by) as i64).max(SHORTEST_MS);
    let before = (middle - chart.from) as f64 / length.max(1) as f64;
    let from = middle - (wanted as f64 * before) as i64;
    (wanted != length).then(|| Step::Zoom(from, from + wanted))
}

fn nearest(instants: &[i64], at: i64) -> Option<usize> {
    let after = instants.partition_point(|instant| *instant < at);
    let near = [after.checked_sub(1), Some(after)].into_iter().flatten().filter(|n| *n < instants.len());
    near.min_by_key(|n| (instants[*n] - at).abs())
}

/// The measured instant that is nearest.
pub(crate) fn snap(chart: &Chart, at: i64) -> Option<i64> {
    let instants = chart.instants();
    nearest(&instants, at).map(|n| instants[n])
}

/// The stretch between two instants that somebody dragged over; none where it was only a tap.
pub(crate) fn dragged(chart: &Chart, one: i64, other: i64) -> Option<(i64, i64)> {
    let (from, until) = (one.min(other).max(chart.from), one.max(other).min(chart.until));
    let least = (chart.until - chart.from) / 100;
    (until - from > least).then(|| {
        let missing = (SHORTEST_MS - (until - from)).max(0);
        (from - missing / 2, until + missing - missing / 2)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::{
        line::{Line, Point, Value},
        model::Shape,
    };
    use proptest::prelude::*;
    use shared::host::Unit;

    fn chart() -> Chart {
        let mut chart = Chart::new(Shape::Lines, Unit::Percent, 0, 100_000);
        let point = |n: i64| Point { at: n * 1_000, value: (n != 50).then_some(Value::one(1.0)), step_ms: 1_000 };
        chart.lines.push(Line { name: "a".into(), points: (0..=100).map(point).collect(), ..Line::default() });
        chart
    }

    #[test]
    fn the_cursor_walks_from_point_to_point_and_over_gaps() {
        let chart = chart();
        assert_eq!(key(&chart, None, "ArrowLeft"), Some(Step::To(100_000)));
        assert_eq!(key(&chart, Some(100_000), "ArrowRight"), Some(Step::To(100_000)));
        assert_eq!(key(&chart, Some(49_000), "ArrowRight"), Some(Step::To(51_000)), "nothing was measured between");
        assert_eq!(key(&chart, Some(20_400), "ArrowLeft"), Some(Step::To(19_000)));
        assert_eq!(key(&chart, Some(4_000), "PageUp"), Some(Step::To(0)));
        assert_eq!(key(&chart, None, "Home"), Some(Step::To(0)));
        assert_eq!(key(&chart, None, "Escape"), None);
        assert_eq!(key(&chart, Some(0), "Escape"), Some(Step::Leave));
        assert_eq!(key(&chart, None, "x"), None);
        assert_eq!(key(&Chart::new(Shape::Lines, Unit::Percent, 0, 9), None, "ArrowLeft"), None, "there is nothing");
    }

    #[test]
    fn zooming_keeps_the_cursor_where_it_is() {
        let chart = chart();
        assert_eq!(key(&chart, Some(25_000), "+"), Some(Step::Zoom(12_500, 62_500)));
        assert_eq!(key(&chart, None, "-"), Some(Step::Zoom(-50_000, 150_000)));
        assert_eq!(snap(&chart, 49_900), Some(49_000));
        assert_eq!(dragged(&chart, 60_000, 20_000), Some((20_000, 60_000)));
        assert_eq!(dragged(&chart, 60_000, 60_500), None, "a tap");
        assert_eq!(dragged(&chart, 50_000, 52_000), Some((46_000, 56_000)), "not less than ten seconds");
    }

    proptest! {
        #[test]
        fn any_key_anywhere_stays_within(cursor in proptest::option::of(-1_000_000_i64..1_000_000), which in 0_usize..10) {
            let keys = ["ArrowLeft", "ArrowRight", "PageUp", "PageDown", "Home", "End", "+", "-", "Escape", "t"];
            match key(&chart(), cursor, keys[which]) {
                Some(Step::To(at)) => prop_assert!((0..=100_000).contains(&at)),
                Some(Step::Zoom(from, until)) => prop_assert!(until - from >= SHORTEST_MS),
                _ => {}
            }
        }
    }
}
