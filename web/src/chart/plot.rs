//! A chart as strokes, areas and words for a size, without a canvas.

use super::{
    axis::{self, Axis},
    line::Line,
    model::{Chart, Known, Shape},
    stack::{self, Column},
};
use crate::format::civil::Civil;
use shared::{Severity, config::Language};

/// What is drawn with; the painter knows its colour in the theme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ink {
    /// The colour of a series, from 0 to 5.
    Series(usize),
    /// What the others leave.
    Rest,
    Text,
    Muted,
    Rule,
    Surface,
    Accent,
    Severity(Severity),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Align {
    Start,
    Middle,
    End,
}

/// One thing to draw; places are in pixels from the upper left corner.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Draw {
    Path {
        points: Vec<[f64; 2]>,
        ink: Ink,
        width: f64,
        dash: &'static [f64],
    },
    Fill {
        points: Vec<[f64; 2]>,
        ink: Ink,
        alpha: f64,
    },
    Rect {
        at: [f64; 4],
        ink: Ink,
        alpha: f64,
    },
    /// Diagonal lines: nothing is known here.
    Hatch {
        at: [f64; 4],
        ink: Ink,
    },
    Dot {
        at: [f64; 2],
        ink: Ink,
    },
    Text {
        at: [f64; 2],
        text: String,
        ink: Ink,
        align: Align,
    },
}

/// Dashes of each series, so that no colour is needed to tell them apart.
pub(crate) const DASHES: [&[f64]; 6] =
    [&[], &[6.0, 3.0], &[2.0, 2.0], &[12.0, 3.0], &[8.0, 2.0, 2.0, 2.0], &[4.0, 4.0]];

/// The words on a chart.
pub(crate) struct Words<'a> {
    pub(crate) l: Language,
    pub(crate) wall: &'a dyn Fn(i64) -> Civil,
    /// What is written where nothing was heard: `no data since 03:01`.
    pub(crate) stale: &'a dyn Fn(i64) -> String,
    /// Where there is nothing at all, where it is not here yet, and where it could not be had.
    pub(crate) nothing: String,
    pub(crate) loading: String,
    pub(crate) failed: String,
}

/// Where things are on a chart of a size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Place {
    pub(crate) left: f64,
    pub(crate) right: f64,
    pub(crate) top: f64,
    pub(crate) bottom: f64,
    /// All of the room there is.
    wide: f64,
    from: i64,
    until: i64,
}

/// Room for the names at the right end, where there is enough.
const NAMES_PX: f64 = 92.0;
const NAMES_FROM_PX: f64 = 560.0;
/// Between two names.
const NAME_PX: f64 = 13.0;
/// A band's name is not cut to fewer letters.
const NAME_FROM: usize = 6;
/// About the width of a letter.
const LETTER_PX: f64 = 6.2;

impl Place {
    pub(crate) fn new(chart: &Chart, width: f64, height: f64) -> Self {
        let (from, until) = (chart.from, chart.until);
        if chart.small {
            return Self {
                left: 1.0,
                right: (width - 1.0).max(2.0),
                top: 3.0,
                bottom: (height - 3.0).max(4.0),
                wide: width,
                from,
                until,
            };
        }
        let names = if named(chart, width) { NAMES_PX } else { 10.0 };
        Self {
            left: 62.0,
            right: (width - names).max(63.0),
            top: 8.0,
            bottom: (height - 20.0).max(20.0),
            wide: width,
            from,
            until,
        }
    }

    pub(crate) fn x(&self, at: i64) -> f64 {
        let part = at.saturating_sub(self.from) as f64 / (self.until - self.from).max(1) as f64;
        self.left + part.clamp(-1.0, 2.0) * (self.right - self.left)
    }

    /// The instant below a pixel, within the chart.
    pub(crate) fn at(&self, x: f64) -> i64 {
        let part = ((x - self.left) / (self.right - self.left).max(1.0)).clamp(0.0, 1.0);
        self.from + (part * (self.until - self.from) as f64) as i64
    }

    fn y(&self, axis: &Axis, value: f64) -> f64 {
        self.bottom - axis.up(value) * (self.bottom - self.top)
    }

    fn within(&self, x: f64) -> f64 {
        x.clamp(self.left, self.right)
    }
}

/// The same for every chart of a page, so that an instant is at the same place in each.
fn named(chart: &Chart, width: f64) -> bool {
    width >= NAMES_FROM_PX && !chart.small
}

/// The points worth asking for: twice as many as there are pixels.
pub(crate) fn points_for(width: f64) -> u32 {
    (width.clamp(40.0, 1_000.0) as u32).saturating_mul(2)
}

/// The axis of values.
pub(crate) fn axis(chart: &Chart, height: f64) -> Axis {
    let steps = ((height / 38.0) as u32).clamp(2, 6);
    let (mut least, mut most) = match chart.shape {
        Shape::Stacked => {
            let over = chart.most().map_or(0.0, Line::greatest);
            (0.0, stack::highest(&stack::stacked(&chart.lines)).max(over))
        }
        _ => chart.lines.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), line| {
            (least.min(line.least()), most.max(line.greatest()))
        }),
    };
    // A limit is shown when the values come near it, not when it would squeeze them flat.
    for limit in &chart.limits {
        if most.is_finite() && limit.value <= most.max(0.0) * 2.0 + 1.0 {
            most = most.max(limit.value);
        }
        least = least.min(limit.value);
    }
    Axis::new(chart.unit, least, most, chart.top, steps)
}

/// The picture of a chart.
pub(crate) fn picture(chart: &Chart, words: &Words<'_>, width: f64, height: f64) -> Vec<Draw> {
    let place = Place::new(chart, width, height);
    let axis = axis(chart, place.bottom - place.top);
    let mut all = Vec::new();
    bands(chart, &place, &mut all);
    if !chart.small {
        rules(chart, words, &place, &axis, &mut all);
    }
    match chart.shape {
        Shape::Heat => heat(chart, &place, &mut all),
        Shape::Stacked => stack_of(chart, &place, &axis, &mut all),
        Shape::Lines | Shape::Area => lines(chart, &place, &axis, &mut all),
    }
    limits(chart, &place, &axis, &mut all);
    marks(chart, &place, &mut all);
    if !chart.small {
        band_names(chart, &place, &mut all);
    }
    stale(chart, words, &place, &mut all);
    if named(chart, width) && chart.shape != Shape::Heat {
        names(chart, &place, &axis, &mut all);
    }
    if chart.is_empty() && !(chart.small && chart.known == Known::Loading) {
        let at = [f64::midpoint(place.left, place.right), f64::midpoint(place.top, place.bottom)];
        let text = match chart.known {
            Known::Yes => &words.nothing,
            Known::Loading => &words.loading,
            Known::Failed => &words.failed,
        };
        all.push(Draw::Text { at, text: text.clone(), ink: Ink::Muted, align: Align::Middle });
    }
    all
}

fn bands(chart: &Chart, place: &Place, all: &mut Vec<Draw>) {
    for band in chart.bands.iter().filter(|band| band.until > chart.from && band.from < chart.until) {
        let (left, right) = (place.within(place.x(band.from)), place.within(place.x(band.until)));
        let ink = Ink::Severity(band.severity);
        all.push(Draw::Rect {
            at: [left, place.top, (right - left).max(1.0), place.bottom - place.top],
            ink,
            alpha: 0.12,
        });
        // Its beginning is an edge, and its length is a bar on top: the tint alone is told by nobody.
        all.push(Draw::Rect { at: [left, place.top - 3.0, (right - left).max(2.0), 3.0], ink, alpha: 1.0 });
        if band.from >= chart.from {
            all.push(Draw::Path { points: vec![[left, place.top], [left, place.bottom]], ink, width: 1.0, dash: &[] });
        }
    }
}

/// What each band is of, where it is long enough to say it.
fn band_names(chart: &Chart, place: &Place, all: &mut Vec<Draw>) {
    for band in chart.bands.iter().filter(|band| band.until > chart.from && band.from < chart.until) {
        let (left, right) = (place.within(place.x(band.from)), place.within(place.x(band.until)));
        let letters = ((right - left - 8.0) / LETTER_PX).max(0.0) as usize;
        if letters >= NAME_FROM {
            let (at, text) = ([left + 4.0, place.bottom - 8.0], clipped(&band.name, letters));
            all.push(Draw::Text { at, text, ink: Ink::Text, align: Align::Start });
        }
    }
}

/// Lines of the values and of the times, with what is written at them.
fn rules(chart: &Chart, words: &Words<'_>, place: &Place, axis: &Axis, all: &mut Vec<Draw>) {
    if chart.shape != Shape::Heat {
        for tick in &axis.ticks {
            let y = place.y(axis, *tick).round() + 0.5;
            all.push(Draw::Path {
                points: vec![[place.left, y], [place.right, y]],
                ink: Ink::Rule,
                width: 1.0,
                dash: &[],
            });
            let text = axis::value(words.l, chart.unit, *tick);
            all.push(Draw::Text { at: [place.left - 6.0, y], text, ink: Ink::Muted, align: Align::End });
        }
    }
    let room = ((place.right - place.left) / 88.0) as u32;
    for (at, text) in axis::times(words.l, chart.from, chart.until, room.max(1), words.wall) {
        let x = place.x(at);
        // Half of it would be outside.
        let half = text.chars().count() as f64 * LETTER_PX / 2.0;
        all.push(Draw::Path {
            points: vec![[x, place.bottom], [x, place.bottom + 4.0]],
            ink: Ink::Muted,
            width: 1.0,
            dash: &[],
        });
        if x - half > 0.0 && x + half < place.wide {
            all.push(Draw::Text { at: [x, place.bottom + 12.0], text, ink: Ink::Muted, align: Align::Middle });
        }
    }
}

fn ink(chart: &Chart, line: usize) -> Ink {
    chart.colour(line).map_or(Ink::Rest, Ink::Series)
}

fn lines(chart: &Chart, place: &Place, axis: &Axis, all: &mut Vec<Draw>) {
    for (n, line) in chart.lines.iter().enumerate().rev() {
        let ink = ink(chart, n);
        let is_filled = chart.shape == Shape::Area && n == 0;
        for run in line.runs() {
            let on = |value: f64, at: i64| [place.x(at), place.y(axis, value)];
            let mean: Vec<[f64; 2]> = run.iter().map(|(at, value)| on(value.mean, *at)).collect();
            if is_filled {
                let ends = [[mean[mean.len() - 1][0], place.bottom], [mean[0][0], place.bottom]];
                all.push(Draw::Fill { points: mean.iter().copied().chain(ends).collect(), ink, alpha: 0.18 });
            }
            if line.has_band() {
                let upper = run.iter().map(|(at, value)| on(value.greatest, *at));
                let lower = run.iter().rev().map(|(at, value)| on(value.least, *at));
                all.push(Draw::Fill { points: upper.clone().chain(lower).collect(), ink, alpha: 0.2 });
                all.push(Draw::Path { points: upper.collect(), ink, width: 0.75, dash: &[] });
            }
            let width = if chart.small { 1.25 } else { 1.75 };
            match mean.as_slice() {
                [one] => all.push(Draw::Dot { at: *one, ink }),
                _ => all.push(Draw::Path { points: mean, ink, width, dash: DASHES.get(n).copied().unwrap_or(&[]) }),
            }
        }
    }
}

fn stack_of(chart: &Chart, place: &Place, axis: &Axis, all: &mut Vec<Draw>) {
    for run in stack::stacked(&chart.lines) {
        let edge = |column: &Column, n: Option<usize>| {
            let value = n.and_then(|n| column.edges.get(n)).copied().unwrap_or(0.0);
            [place.x(column.at), place.y(axis, value)]
        };
        // A single sample is as wide as its step, so that it is seen.
        let widened = |points: Vec<[f64; 2]>| match points.as_slice() {
            [[x, y]] => vec![[x - 1.0, *y], [x + 1.0, *y]],
            _ => points,
        };
        for n in 0..chart.lines.len() {
            let upper = widened(run.iter().map(|column| edge(column, Some(n))).collect());
            let lower = widened(run.iter().map(|column| edge(column, n.checked_sub(1))).collect());
            let ink = ink(chart, n);
            all.push(Draw::Fill {
                points: upper.iter().copied().chain(lower.into_iter().rev()).collect(),
                ink,
                alpha: 0.75,
            });
            all.push(Draw::Path { points: upper, ink, width: 1.0, dash: &[] });
        }
    }
    // The parts are means; how high the whole was is a line of its own.
    for run in chart.most().map(Line::runs).unwrap_or_default() {
        let points: Vec<[f64; 2]> =
            run.iter().map(|(at, value)| [place.x(*at), place.y(axis, value.greatest)]).collect();
        if points.len() > 1 {
            all.push(Draw::Path { points, ink: Ink::Text, width: 1.0, dash: &[] });
        }
    }
}

fn heat(chart: &Chart, place: &Place, all: &mut Vec<Draw>) {
    let high = (place.bottom - place.top) / chart.lines.len().max(1) as f64;
    let top = chart.top.unwrap_or_else(|| chart.lines.iter().map(Line::greatest).fold(1.0, f64::max));
    for (n, line) in chart.lines.iter().enumerate() {
        let y = place.top + n as f64 * high;
        let each = ((high - 1.0) / high.max(1.0)).clamp(0.0, 1.0) * high;
        for (from, until, value) in line.spans() {
            let (left, right) = (place.within(place.x(from)), place.within(place.x(until)));
            if right > left {
                let alpha = (value.mean / top).clamp(0.0, 1.0) * 0.94 + 0.06;
                all.push(Draw::Rect { at: [left, y, right - left + 0.5, each.max(1.0)], ink: Ink::Series(0), alpha });
            }
        }
        // One name in several where the strips are thinner than letters.
        let every = (NAME_PX / high.max(1.0)).ceil().max(1.0) as usize;
        if !chart.small && n.is_multiple_of(every) {
            let text = clipped(&line.name, 8);
            all.push(Draw::Text { at: [place.left - 6.0, y + high / 2.0], text, ink: Ink::Muted, align: Align::End });
        }
    }
}

fn limits(chart: &Chart, place: &Place, axis: &Axis, all: &mut Vec<Draw>) {
    if chart.shape == Shape::Heat {
        return;
    }
    for limit in chart.limits.iter().filter(|limit| (axis.low..=axis.high).contains(&limit.value)) {
        let y = place.y(axis, limit.value);
        let ink = Ink::Severity(limit.severity);
        all.push(Draw::Path { points: vec![[place.left, y], [place.right, y]], ink, width: 1.25, dash: &[5.0, 4.0] });
        if !chart.small {
            let text = clipped(&limit.name, 40);
            let above = if y - place.top > 16.0 { y - 8.0 } else { y + 8.0 };
            all.push(Draw::Text { at: [place.right - 4.0, above], text, ink: Ink::Text, align: Align::End });
        }
    }
}

fn marks(chart: &Chart, place: &Place, all: &mut Vec<Draw>) {
    for mark in chart.marks.iter().filter(|mark| (chart.from..=chart.until).contains(&mark.at)) {
        let x = place.x(mark.at);
        all.push(Draw::Path {
            points: vec![[x, place.top], [x, place.bottom]],
            ink: Ink::Text,
            width: 1.0,
            dash: &[1.0, 3.0],
        });
        let (y, wide) = (place.bottom, 4.0);
        all.push(Draw::Fill { points: vec![[x - wide, y], [x + wide, y], [x, y - 7.0]], ink: Ink::Text, alpha: 1.0 });
    }
}

/// What is not known is not drawn as if it were.
fn stale(chart: &Chart, words: &Words<'_>, place: &Place, all: &mut Vec<Draw>) {
    let Some(since) = chart.stale_from.filter(|since| *since < chart.until) else { return };
    let left = place.within(place.x(since));
    let at = [left, place.top, place.right - left, place.bottom - place.top];
    all.push(Draw::Hatch { at, ink: Ink::Muted });
    if chart.small {
        return;
    }
    let text = (words.stale)(since);
    let wide = text.chars().count() as f64 * LETTER_PX + 8.0;
    // To the right where it fits, else to the left of the edge.
    let (x, align) = if place.right - left > wide { (left + 4.0, Align::Start) } else { (left - 4.0, Align::End) };
    all.push(Draw::Text { at: [x, place.top + 9.0], text, ink: Ink::Text, align });
}

/// The name of each line at its right end, pushed apart where two would meet.
fn names(chart: &Chart, place: &Place, axis: &Axis, all: &mut Vec<Draw>) {
    let top_of = |n: usize, line: &Line| {
        let (at, value) = line.last()?;
        if chart.shape != Shape::Stacked {
            return Some(place.y(axis, value.mean));
        }
        let below: f64 = chart.lines.iter().take(n).filter_map(|it| it.at(at)).map(|value| value.mean).sum();
        Some(place.y(axis, below + value.mean / 2.0))
    };
    let ends = chart.lines.iter().enumerate().filter_map(|(n, line)| Some((n, top_of(n, line)?))).collect();
    let ends = crate::order::sorted(ends, |a: &(usize, f64), b| a.1.total_cmp(&b.1));
    let mut y = place.top;
    let count = ends.len();
    for (nth, (n, own)) in ends.into_iter().enumerate() {
        let room_below = (count - nth - 1) as f64 * NAME_PX;
        let at = own.max(y).min(place.bottom - room_below);
        y = at + NAME_PX;
        let ink = ink(chart, n);
        all.push(Draw::Dot { at: [place.right + 8.0, at], ink });
        let text = clipped(&chart.lines[n].name, 12);
        all.push(Draw::Text { at: [place.right + 15.0, at], text, ink: Ink::Text, align: Align::Start });
    }
}

fn clipped(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

/// What lies over a chart where somebody points: a line, and a dot on each series.
pub(crate) fn cross(chart: &Chart, words: &Words<'_>, width: f64, height: f64, at: i64) -> Vec<Draw> {
    if !(chart.from..=chart.until).contains(&at) {
        return Vec::new();
    }
    let place = Place::new(chart, width, height);
    let axis = axis(chart, place.bottom - place.top);
    let x = place.x(at).round() + 0.5;
    let mut all =
        vec![Draw::Path { points: vec![[x, place.top], [x, place.bottom]], ink: Ink::Text, width: 1.0, dash: &[] }];
    if matches!(chart.shape, Shape::Lines | Shape::Area) {
        for (n, line) in chart.lines.iter().enumerate() {
            let value = line.at(at).map(|value| place.y(&axis, value.mean));
            all.extend(value.map(|y| Draw::Dot { at: [x, y], ink: ink(chart, n) }));
        }
    }
    if !chart.small {
        let then = (words.wall)(at);
        let text = if chart.until - chart.from > 86_400_000 { then.moment(words.l) } else { then.time() };
        let half = text.chars().count() as f64 * LETTER_PX / 2.0 + 5.0;
        let middle = x.clamp(half, (width - half).max(half));
        let top = place.bottom + 3.0;
        all.push(Draw::Rect { at: [middle - half, top, half * 2.0, 17.0], ink: Ink::Text, alpha: 1.0 });
        all.push(Draw::Text { at: [middle, top + 9.0], text, ink: Ink::Surface, align: Align::Middle });
    }
    all
}

/// A stretch that somebody is dragging over.
pub(crate) fn selection(chart: &Chart, width: f64, height: f64, (one, other): (i64, i64)) -> Draw {
    let place = Place::new(chart, width, height);
    let (left, right) = (place.within(place.x(one.min(other))), place.within(place.x(one.max(other))));
    Draw::Rect {
        at: [left, place.top, (right - left).max(1.0), place.bottom - place.top],
        ink: Ink::Accent,
        alpha: 0.25,
    }
}

#[cfg(test)]
mod tests;
