//! What a chart is to show.

use super::line::Line;
use shared::{Severity, host::Unit};

/// Series that have a colour of their own; what is more is one grey rest, or left to the table.
pub(crate) const LINES_MAX: usize = 6;

/// How lines are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Shape {
    #[default]
    Lines,
    /// One line with the space below it filled.
    Area,
    /// On top of each other.
    Stacked,
    /// A strip for each line, darker the higher it is.
    Heat,
}

/// A stretch of time in which something was wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Band {
    pub(crate) from: i64,
    pub(crate) until: i64,
    pub(crate) severity: Severity,
    pub(crate) name: String,
}

/// Something that happened at an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) at: i64,
    pub(crate) name: String,
}

/// A value from which on something is wrong.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Limit {
    pub(crate) value: f64,
    pub(crate) severity: Severity,
    pub(crate) name: String,
}

/// Whether what a chart is made of is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Known {
    #[default]
    Yes,
    /// It was asked for.
    Loading,
    /// It could not be had.
    Failed,
}

/// A chart.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Chart {
    pub(crate) shape: Shape,
    pub(crate) unit: Unit,
    /// The upper end of the axis, if it has one whatever is measured: a hundred percent.
    pub(crate) top: Option<f64>,
    pub(crate) lines: Vec<Line>,
    /// The last line is what the others leave: it has no colour of its own.
    pub(crate) has_rest: bool,
    /// Lines that are in the table only.
    pub(crate) also: Vec<Line>,
    /// What a stack is as a whole, for the highest it was where a point is of many samples.
    pub(crate) over: Option<Line>,
    pub(crate) known: Known,
    pub(crate) from: i64,
    pub(crate) until: i64,
    pub(crate) bands: Vec<Band>,
    pub(crate) marks: Vec<Mark>,
    pub(crate) limits: Vec<Limit>,
    /// Nothing was heard since then, although something should have been.
    pub(crate) stale_from: Option<i64>,
    /// Without axes and labels, as one of many.
    pub(crate) small: bool,
}

impl Chart {
    pub(crate) fn new(shape: Shape, unit: Unit, from: i64, until: i64) -> Self {
        Self {
            shape,
            unit,
            top: (unit == Unit::Percent).then_some(100.0),
            lines: Vec::new(),
            has_rest: false,
            also: Vec::new(),
            over: None,
            known: Known::Yes,
            from,
            until: until.max(from + 1),
            bands: Vec::new(),
            marks: Vec::new(),
            limits: Vec::new(),
            stale_from: None,
            small: false,
        }
    }

    /// Whether there is anything to draw.
    pub(crate) fn is_empty(&self) -> bool {
        self.lines.iter().all(|line| line.values().next().is_none())
    }

    /// How many lines are in the table only, where no other line stands for them.
    pub(crate) const fn more(&self) -> usize {
        if self.has_rest { 0 } else { self.also.len() }
    }

    /// What a stack was at most, if that is more than its means say.
    pub(crate) fn most(&self) -> Option<&Line> {
        self.over.as_ref().filter(|line| line.has_band())
    }

    /// Every instant with a point, in order.
    pub(crate) fn instants(&self) -> Vec<i64> {
        let within = self.from..=self.until;
        let points = self.lines.iter().flat_map(|line| &line.points);
        let all: std::collections::BTreeSet<i64> =
            points.filter(|point| point.value.is_some() && within.contains(&point.at)).map(|point| point.at).collect();
        all.into_iter().collect()
    }

    /// The colour of a line, from 0; none for the rest.
    pub(crate) const fn colour(&self, line: usize) -> Option<usize> {
        if self.has_rest && line + 1 == self.lines.len() || line >= LINES_MAX { None } else { Some(line) }
    }
}
