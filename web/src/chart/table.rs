//! A chart in words: one sentence, and a table of what it shows.

use super::{axis, line::Line, model::Chart};
use crate::{format::civil::Civil, text::charts as t};
use shared::config::Language;

/// Rows of a table; of more points several are one row.
const ROWS_MAX: usize = 60;

/// A table: the heading of each column after the time, and rows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Table {
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<(String, Vec<String>)>,
}

/// One sentence about each of the first lines: how it is, and between what it was.
pub(crate) fn summary(l: Language, title: &str, chart: &Chart) -> String {
    let say = |value: f64| axis::value(l, chart.unit, value);
    let one = |line: &Line| {
        let (_, last) = line.last()?;
        let mean = line.mean()?;
        Some(t::summary_line(l, &line.name, &say(last.mean), &say(line.least()), &say(line.greatest()), &say(mean)))
    };
    let lines: Vec<String> = chart.lines.iter().filter_map(one).take(6).collect();
    if lines.is_empty() {
        return t::summary_nothing(l, title);
    }
    t::summary(l, title, &lines.join(t::list_sign(l)))
}

/// What is at an instant, for the voice that reads while the cursor moves.
pub(crate) fn said_at(l: Language, chart: &Chart, at: i64, wall: &dyn Fn(i64) -> Civil) -> String {
    let one = |line: &Line| {
        let value = line.at(at)?;
        Some(format!("{} {}", line.name, axis::value(l, chart.unit, value.mean)))
    };
    let values: Vec<String> = chart.lines.iter().filter_map(one).collect();
    let bands = chart.bands.iter().filter(|band| (band.from..=band.until).contains(&at));
    let bands = bands.map(|band| format!("{} {}", band.severity, band.name));
    let all: Vec<String> = std::iter::once(wall(at).time()).chain(values).chain(bands).collect();
    all.join(", ")
}

/// The newest first; each row is of several points where there are many.
pub(crate) fn table(l: Language, chart: &Chart, wall: &dyn Fn(i64) -> Civil) -> Table {
    let instants = chart.instants();
    let each = instants.len().div_ceil(ROWS_MAX).max(1);
    let is_long = chart.until - chart.from > 86_400_000;
    let row = |times: &[i64]| {
        let (first, last) = (times.first().copied().unwrap_or_default(), times.last().copied().unwrap_or_default());
        let cell = |line: &Line| {
            let values = line.points.iter().filter(|point| (first..=last).contains(&point.at));
            let values: Vec<_> = values.filter_map(|point| point.value).collect();
            if values.is_empty() {
                return "–".to_owned();
            }
            let mean = values.iter().map(|value| value.mean).sum::<f64>() / values.len() as f64;
            let greatest = values.iter().map(|value| value.greatest).fold(f64::NEG_INFINITY, f64::max);
            let (mean, most) = (axis::value(l, chart.unit, mean), axis::value(l, chart.unit, greatest));
            if mean == most { mean } else { t::mean_and_most(l, &mean, &most) }
        };
        let then = wall(first);
        let time = if is_long { then.moment(l) } else { then.time() };
        (time, chart.lines.iter().map(cell).collect())
    };
    let rows = instants.chunks(each).rev().map(row).collect();
    Table { columns: chart.lines.iter().map(|line| line.name.clone()).collect(), rows }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::{
        line::{Point, Value},
        model::{Band, Shape},
    };
    use shared::{Severity, host::Unit};

    fn chart(points: i64) -> Chart {
        let mut chart = Chart::new(Shape::Lines, Unit::Percent, 0, points * 1_000);
        let point = |n: i64| Point { at: n * 1_000, value: Some(Value::one((n % 50) as f64)) };
        chart.lines.push(Line {
            name: "user".into(),
            points: (0..points).map(point).collect(),
            step_ms: 1_000,
            ..Line::default()
        });
        chart
    }

    #[test]
    fn a_sentence_says_how_it_is_and_how_it_was() {
        let text = summary(Language::En, "CPU", &chart(100));
        assert_eq!(text, "CPU: user 49 %, from 0 % to 49 %, 24.5 % on average");
        assert_eq!(summary(Language::En, "CPU", &chart(0)), "CPU: nothing was measured");
        assert!(summary(Language::Zh, "CPU", &chart(100)).contains("user"));
    }

    #[test]
    fn a_long_table_is_short_and_keeps_the_greatest() {
        let table = table(Language::En, &chart(600), &Civil::from_ms);
        assert_eq!((table.columns.as_slice(), table.rows.len()), (["user".to_owned()].as_slice(), 60));
        assert_eq!(table.rows[0], ("00:09:50".to_owned(), vec!["44.5 %, at most 49 %".to_owned()]));
        assert_eq!(super::table(Language::En, &chart(3), &Civil::from_ms).rows[0].1, ["2 %"]);
    }

    #[test]
    fn the_cursor_says_the_time_the_values_and_what_was_wrong() {
        let mut chart = chart(100);
        chart.bands.push(Band { from: 10_000, until: 20_000, severity: Severity::P1, name: "load is high".into() });
        assert_eq!(said_at(Language::En, &chart, 12_000, &Civil::from_ms), "00:00:12, user 12 %, P1 load is high");
    }
}
