//! Where lines, gaps, bands and marks of a chart end up, for any values.

use super::*;
use crate::chart::{
    line::{Point, Value},
    model::{Band, Limit, Mark},
};
use proptest::prelude::*;
use shared::host::Unit;

fn words() -> Words<'static> {
    Words {
        l: Language::En,
        wall: &Civil::from_ms,
        stale: &|at| format!("no data since {at}"),
        nothing: "nothing".into(),
        loading: "loading".into(),
        failed: "failed".into(),
    }
}

fn line(name: &str, values: &[Option<f64>]) -> Line {
    let point = |(n, value): (usize, &Option<f64>)| Point {
        at: n as i64 * 10_000,
        value: value.map(Value::one),
        step_ms: 10_000,
    };
    let points = values.iter().enumerate().map(point).collect();
    Line { series: name.into(), name: name.into(), points }
}

fn chart(shape: Shape) -> Chart {
    let mut chart = Chart::new(shape, Unit::Percent, 0, 100_000);
    chart.lines =
        vec![line("user", &[Some(10.0), Some(20.0), None, Some(30.0), Some(40.0)]), line("system", &[Some(5.0); 5])];
    chart
}

fn paths(picture: &[Draw], of: Ink) -> Vec<usize> {
    let points = |draw: &Draw| match draw {
        Draw::Path { points, ink, .. } if *ink == of => Some(points.len()),
        _ => None,
    };
    picture.iter().filter_map(points).collect()
}

fn texts(picture: &[Draw]) -> Vec<&str> {
    picture
        .iter()
        .filter_map(|draw| if let Draw::Text { text, .. } = draw { Some(text.as_str()) } else { None })
        .collect()
}

#[test]
fn a_gap_is_not_drawn_over() {
    let picture = picture(&chart(Shape::Lines), &words(), 400.0, 160.0);
    assert_eq!(paths(&picture, Ink::Series(0)), [2, 2], "two strokes with a gap between");
    assert_eq!(paths(&picture, Ink::Series(1)), [5]);
    assert!(texts(&picture).contains(&"100 %"), "{:?}", texts(&picture));
}

#[test]
fn the_greatest_is_shown_with_the_mean() {
    let mut chart = chart(Shape::Lines);
    chart.lines[1].points[0].value = Some(Value { mean: 5.0, least: 1.0, greatest: 80.0 });
    let picture = picture(&chart, &words(), 400.0, 160.0);
    let bands = picture.iter().filter(|draw| matches!(draw, Draw::Fill { ink: Ink::Series(1), .. })).count();
    assert_eq!((bands, paths(&picture, Ink::Series(1))), (1, vec![5, 5]), "the greatest and the mean");
}

#[test]
fn the_highest_of_a_stack_is_a_line_over_it_where_points_are_of_many_samples() {
    let mut chart = chart(Shape::Stacked);
    let mut busy = line("busy", &[Some(15.0), Some(25.0), Some(5.0), Some(35.0), Some(45.0)]);
    chart.over = Some(busy.clone());
    assert!(paths(&picture(&chart, &words(), 400.0, 160.0), Ink::Text).is_empty(), "each point is one sample");
    busy.points[1].value = Some(Value { mean: 25.0, least: 3.0, greatest: 97.0 });
    chart.over = Some(busy);
    assert_eq!(paths(&picture(&chart, &words(), 400.0, 160.0), Ink::Text), [5]);
    chart.top = None;
    assert!(axis(&chart, 160.0).high >= 97.0);
}

#[test]
fn what_is_not_here_yet_has_axes_and_says_so() {
    let mut chart = chart(Shape::Lines);
    chart.lines.clear();
    for (known, said) in [(Known::Loading, "loading"), (Known::Failed, "failed"), (Known::Yes, "nothing")] {
        chart.known = known;
        let picture = picture(&chart, &words(), 400.0, 160.0);
        assert!(texts(&picture).contains(&said) && texts(&picture).contains(&"100 %"), "{:?}", texts(&picture));
    }
}

#[test]
fn a_core_is_a_strip_as_wide_as_its_points_are_long() {
    let mut chart = chart(Shape::Heat);
    chart.lines.truncate(1);
    chart.lines[0].points[4].step_ms = 1_000;
    let picture = picture(&chart, &words(), 400.0, 160.0);
    let place = Place::new(&chart, 400.0, 160.0);
    let widths: Vec<f64> = picture
        .iter()
        .filter_map(|draw| if let Draw::Rect { at, ink: Ink::Series(0), .. } = draw { Some(at[2] - 0.5) } else { None })
        .collect();
    let of = |ms: i64| place.x(ms) - place.x(0);
    let expected = [of(10_000), of(10_000), of(10_000), of(1_000)];
    assert!(widths.iter().zip(expected).all(|(a, b)| (a - b).abs() < 0.01) && widths.len() == 4, "{widths:?}");
}

#[test]
fn an_incident_is_a_band_with_an_edge_and_a_limit_a_line() {
    let mut chart = chart(Shape::Stacked);
    let severity = Severity::P1;
    chart.bands.push(Band { from: 20_000, until: 60_000, severity, name: "full".into() });
    chart.bands.push(Band { from: 200_000, until: 300_000, severity, name: "later".into() });
    chart.limits.push(Limit { value: 90.0, severity: Severity::P2, name: "cpu.busy > 90".into() });
    chart.marks.push(Mark { at: 30_000, name: "answered".into() });
    let picture = picture(&chart, &words(), 400.0, 160.0);
    let rects: Vec<f64> = picture
        .iter()
        .filter_map(
            |draw| if let Draw::Rect { at, ink: Ink::Severity(Severity::P1), .. } = draw { Some(at[2]) } else { None },
        )
        .collect();
    assert_eq!(rects.len(), 2, "the tint and the bar of the one that is in sight");
    let width = Place::new(&chart, 400.0, 160.0).x(60_000) - Place::new(&chart, 400.0, 160.0).x(20_000);
    assert!((rects[0] - width).abs() < 0.01);
    assert!(texts(&picture).contains(&"cpu.busy > 90"));
    assert_eq!(paths(&picture, Ink::Text).len(), 1, "the mark");
    assert!(!texts(&picture).contains(&"later"), "it is not in sight");
    chart.bands[0].name = "#7 the disk is full".into();
    let picture = super::picture(&chart, &words(), 900.0, 160.0);
    assert!(texts(&picture).contains(&"#7 the disk is full"), "{:?}", texts(&picture));
}

#[test]
fn the_stale_edge_says_since_when() {
    let mut chart = chart(Shape::Area);
    chart.stale_from = Some(40_000);
    let drawn = picture(&chart, &words(), 400.0, 160.0);
    assert!(texts(&drawn).contains(&"no data since 40000"));
    let hatch = drawn.iter().find_map(|draw| if let Draw::Hatch { at, .. } = draw { Some(*at) } else { None }).unwrap();
    assert!((hatch[0] - Place::new(&chart, 400.0, 160.0).x(40_000)).abs() < 0.01);
    chart.lines.clear();
    assert!(texts(&picture(&chart, &words(), 400.0, 160.0)).contains(&"nothing"));
}

#[test]
fn names_at_the_ends_do_not_meet() {
    let mut chart = chart(Shape::Lines);
    chart.lines = (0..6).map(|n| line(&format!("a long name {n}"), &[Some(50.0); 3])).collect();
    let picture = picture(&chart, &words(), 900.0, 160.0);
    let mut ys: Vec<f64> = picture
        .iter()
        .filter_map(|draw| match draw {
            Draw::Text { at, text, .. } if text.starts_with("a long") => Some(at[1]),
            _ => None,
        })
        .collect();
    ys.sort_by(f64::total_cmp);
    assert_eq!(ys.len(), 6);
    assert!(ys.windows(2).all(|pair| pair[1] - pair[0] >= 12.9), "{ys:?}");
    assert!(ys.iter().all(|y| (0.0..160.0).contains(y)));
}

#[test]
fn pointing_finds_the_instant_and_marks_each_series() {
    let chart = chart(Shape::Lines);
    let place = Place::new(&chart, 400.0, 160.0);
    assert_eq!(place.at(place.x(40_000)), 40_000);
    assert_eq!((place.at(-50.0), place.at(9_000.0)), (0, 100_000));
    let cross = cross(&chart, &words(), 400.0, 160.0, 40_000);
    assert_eq!(cross.iter().filter(|draw| matches!(draw, Draw::Dot { .. })).count(), 2);
    assert!(super::cross(&chart, &words(), 400.0, 160.0, 200_000).is_empty(), "it is not in sight");
}

proptest! {
    #[test]
    fn anything_is_drawn_within_numbers(
        values in proptest::collection::vec(proptest::option::of(-1e15..1e15_f64), 0..30),
        shape in 0_usize..4, width in 0.0..2_000.0_f64, height in 0.0..600.0_f64, small in any::<bool>(),
    ) {
        let shape = [Shape::Lines, Shape::Area, Shape::Stacked, Shape::Heat][shape];
        let mut chart = chart(shape);
        chart.unit = Unit::Bytes;
        chart.top = None;
        chart.small = small;
        chart.lines.push(line("x", &values));
        chart.limits.push(Limit { value: values.first().copied().flatten().unwrap_or(0.0), severity: Severity::P0, name: "n".into() });
        for draw in picture(&chart, &words(), width, height) {
            let points = match draw {
                Draw::Path { points, .. } | Draw::Fill { points, .. } => points,
                Draw::Rect { at, .. } | Draw::Hatch { at, .. } => vec![[at[0], at[1]], [at[2], at[3]]],
                Draw::Dot { at, .. } | Draw::Text { at, .. } => vec![at],
            };
            prop_assert!(points.iter().flatten().all(|number| number.is_finite()));
        }
    }
}
