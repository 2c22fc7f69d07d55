//! A chart in words: one sentence, its legend, and a table of what it shows.

use super::{
    axis,
    line::{Line, Value},
    model::{Chart, Known, LINES_MAX, Shape},
};
use crate::{format::civil::Civil, order::sorted, text::charts as t};
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
    let lines: Vec<String> = chart.lines.iter().filter_map(one).take(LINES_MAX).collect();
    match chart.known {
        _ if !lines.is_empty() => t::summary(l, title, &lines.join(t::list_sign(l))),
        Known::Yes => t::summary_nothing(l, title),
        Known::Loading => t::summary(l, title, &t::loading(l)),
        Known::Failed => t::summary(l, title, &t::failed(l)),
    }
}

/// A value, and the highest it was where that is more.
fn with_most(l: Language, chart: &Chart, value: Value) -> String {
    let say = |value: f64| axis::value(l, chart.unit, value);
    let (mean, most) = (say(value.mean), say(value.greatest));
    if mean == most { mean } else { t::mean_and_most(l, &mean, &most) }
}

/// What is at an instant, for the voice that reads while the cursor moves: of many lines the highest.
pub(crate) fn said_at(l: Language, chart: &Chart, at: i64, wall: &dyn Fn(i64) -> Civil) -> String {
    let values: Vec<(&Line, Value)> = chart.lines.iter().filter_map(|line| Some((line, line.at(at)?))).collect();
    let values = if chart.lines.len() > LINES_MAX && !chart.has_rest {
        sorted(values, |a, b| b.1.mean.total_cmp(&a.1.mean))
    } else {
        values
    };
    let values = values.into_iter().map(|(line, value)| format!("{} {}", line.name, with_most(l, chart, value)));
    let bands = chart.bands.iter().filter(|band| (band.from..=band.until).contains(&at));
    let bands = bands.map(|band| format!("{} {}", band.severity, band.name));
    let all: Vec<String> = std::iter::once(wall(at).time()).chain(values.take(LINES_MAX)).chain(bands).collect();
    all.join(t::comma(l))
}

/// A line of the legend: its name, its place among the colours, and what it is where somebody points, or was last.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) value: String,
    /// The highest of the samples that the value is the mean of, where that is more.
    pub(crate) most: Option<String>,
}

/// How a line of the legend is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Colour(usize),
    Rest,
    /// The highest of a whole stack.
    Most,
}

/// The legend with the cursor where it is; one that is not within the chart points at nothing.
pub(crate) fn legend(l: Language, chart: &Chart, cursor: Option<i64>) -> Vec<Entry> {
    if chart.shape == Shape::Heat {
        return Vec::new();
    }
    let cursor = cursor.filter(|at| (chart.from..=chart.until).contains(at));
    let say = |value: f64| axis::value(l, chart.unit, value);
    let of = |line: &Line| match cursor {
        Some(at) => line.at(at),
        None => line.last().map(|(_, value)| value),
    };
    let dash = || "–".to_owned();
    let one = |(n, line): (usize, &Line)| {
        let value = of(line);
        let mean = value.map_or_else(dash, |it| say(it.mean));
        let most = value.map(|it| say(it.greatest)).filter(|most| *most != mean);
        let kind = chart.colour(n).map_or(Kind::Rest, Kind::Colour);
        Entry { name: line.name.clone(), kind, value: mean, most }
    };
    let most = chart.most().map(|line| Entry {
        name: t::highest(l, &line.name),
        kind: Kind::Most,
        value: of(line).map_or_else(dash, |it| say(it.greatest)),
        most: None,
    });
    chart.lines.iter().enumerate().map(one).chain(most).collect()
}

/// The newest first; each row is of several points where there are many.
pub(crate) fn table(l: Language, chart: &Chart, wall: &dyn Fn(i64) -> Civil) -> Table {
    let instants = chart.instants();
    let each = instants.len().div_ceil(ROWS_MAX).max(1);
    // The table has room for what the picture leaves out.
    let lines = || chart.lines.iter().chain(chart.most()).chain(&chart.also);
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
            with_most(l, chart, Value { mean, least: mean, greatest })
        };
        let then = wall(first);
        let time = if is_long { then.moment(l) } else { then.time() };
        (time, lines().map(cell).collect())
    };
    let rows = instants.chunks(each).rev().map(row).collect();
    Table { columns: lines().map(|line| line.name.clone()).collect(), rows }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::{
        line::Point,
        model::{Band, Shape},
    };
    use shared::{Severity, host::Unit};

    fn chart(points: i64) -> Chart {
        let mut chart = Chart::new(Shape::Lines, Unit::Percent, 0, points * 1_000);
        let point = |n: i64| Point { at: n * 1_000, value: Some(Value::one((n % 50) as f64)), step_ms: 1_000 };
        chart.lines.push(named("user", (0..points).map(point).collect()));
        chart
    }

    fn named(name: &str, points: Vec<Point>) -> Line {
        Line { name: name.into(), points, ..Line::default() }
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
        assert_eq!(said_at(Language::Zh, &chart, 12_000, &Civil::from_ms), "00:00:12，user 12 %，P1 load is high");
        chart.bands.clear();
        let core = |n: i64| {
            let value = Some(Value { greatest: 99.0, ..Value::one(n as f64) });
            named(&n.to_string(), vec![Point { at: 0, value, step_ms: 10_000 }])
        };
        chart.lines = (0..80).map(core).collect();
        let said = said_at(Language::En, &chart, 0, &Civil::from_ms);
        assert!(said.starts_with("00:00:00, 79 79 %, at most 99 %, 78 "), "{said}");
        assert_eq!(said.matches("at most").count(), 6, "not all eighty of them");
    }

    #[test]
    fn the_legend_has_the_mean_and_the_most_where_somebody_points() {
        let mut chart = chart(100);
        chart.lines[0].points[12].value = Some(Value { mean: 12.0, least: 1.0, greatest: 80.0 });
        let said = |chart: &Chart, at| {
            let all = legend(Language::En, chart, at);
            all.into_iter().map(|it| (it.kind, it.value, it.most)).collect::<Vec<_>>()
        };
        let newest = (Kind::Colour(0), "49 %".to_owned(), None);
        assert_eq!(said(&chart, Some(12_000)), [(Kind::Colour(0), "12 %".into(), Some("80 %".into()))]);
        assert_eq!(said(&chart, None), [newest.clone()]);
        assert_eq!(said(&chart, Some(900_000)), [newest.clone()], "the cursor was left behind");
        chart.over = Some(chart.lines[0].clone());
        assert_eq!(said(&chart, Some(12_000))[1], (Kind::Most, "80 %".into(), None));
        assert_eq!(table(Language::En, &chart, &Civil::from_ms).columns, ["user", "user"]);
        chart.also.push(named("sdz", Vec::new()));
        assert_eq!((chart.more(), table(Language::En, &chart, &Civil::from_ms).columns.len()), (1, 3));
        chart.shape = Shape::Heat;
        assert_eq!(legend(Language::En, &chart, None), []);
    }
}
