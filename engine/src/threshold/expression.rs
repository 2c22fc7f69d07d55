//! Conditions as text: `all(#3) cpu.idle < 5`, and what they make of points.

use super::{LOOK_BACK_MAX_MS, POINTS_MAX, points::Course};
use shared::{
    Delay, Timestamp,
    host::{SeriesFault, SeriesName},
};
use std::{fmt, str::FromStr};

/// What counts as equal, as in Open-Falcon.
const EQUAL_WITHIN: f64 = 0.0001;

/// A condition.
#[derive(Clone, Debug, PartialEq)]
pub struct Expression {
    pub function: Function,
    /// Which series: those of the metric that have these tags.
    pub series: SeriesName,
    /// Of `nodata`, which compares nothing: `==` and 0.
    pub operator: Operator,
    pub threshold: f64,
}

/// What is made of the newest points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// Each of them.
    All(Span),
    Sum(Span),
    Avg(Span),
    Max(Span),
    Min(Span),
    /// The newest without any one of those before it.
    Diff(Span),
    /// The same, of a hundred of the earlier one.
    Pdiff(Span),
    /// At least so many of them.
    Lookup {
        least: u32,
        span: Span,
    },
    /// The newest is further from their mean than so many times their standard deviation.
    Stddev(Span),
    /// There was none for so long.
    Nodata(Delay),
}

/// How many points, or how long a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    Points(u32),
    Time(Delay),
}

/// How a value is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    Equal,
    Unequal,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

/// What a condition makes of points.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Made {
    pub holds: bool,
    /// What was compared; the newest value where each point was.
    pub value: Option<f64>,
}

impl Operator {
    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::Unequal => "!=",
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Greater => ">",
            Self::AtLeast => ">=",
        }
    }

    fn holds(self, left: f64, right: f64) -> bool {
        let equal = (left - right).abs() < EQUAL_WITHIN;
        match self {
            Self::Equal => equal,
            Self::Unequal => !equal,
            Self::Less => left < right,
            Self::AtMost => left <= right,
            Self::Greater => left > right,
            Self::AtLeast => left >= right,
        }
    }
}

impl Function {
    /// The points that it looks at; none of `nodata`.
    #[must_use]
    pub const fn span(self) -> Option<Span> {
        match self {
            Self::All(span)
            | Self::Sum(span)
            | Self::Avg(span)
            | Self::Max(span)
            | Self::Min(span)
            | Self::Diff(span)
            | Self::Pdiff(span)
            | Self::Lookup { span, .. }
            | Self::Stddev(span) => Some(span),
            Self::Nodata(_) => None,
        }
    }

    /// What compares the newest point with earlier ones needs one more.
    const fn looks_back(self) -> bool {
        matches!(self, Self::Diff(_) | Self::Pdiff(_))
    }
}

impl Expression {
    /// How far back it looks, if points come every `step`.
    #[must_use]
    pub const fn reach(&self, step: Delay) -> Delay {
        match self.function.span() {
            // Points may come a little late, and a gap within ends the course.
            Some(Span::Points(n)) => Delay(step.0.saturating_mul(n as i64 + 2).saturating_mul(2)),
            Some(Span::Time(time)) => Delay(time.0.saturating_add(step.0.saturating_mul(2))),
            None => Delay(0),
        }
    }

    /// Whether it holds; none when too little is known to say so.
    #[must_use]
    pub fn ask(&self, course: &Course) -> Option<Made> {
        let more = u32::from(self.function.looks_back());
        let newest = match self.function.span()? {
            Span::Points(n) => course.newest(n.saturating_add(more))?,
            Span::Time(time) => course.within(time)?,
        };
        let (last, earlier) = newest.split_last()?;
        let is = |value: f64| self.operator.holds(value, self.threshold);
        let compared = |value: f64| Some(Made { holds: is(value), value: Some(value) });
        let all = || newest.iter().copied();
        let n = newest.len() as f64;
        match self.function {
            Function::All(_) => Some(Made { holds: all().all(is), value: Some(*last) }),
            Function::Lookup { least, .. } => {
                Some(Made { holds: all().filter(|it| is(*it)).count() >= least as usize, value: Some(*last) })
            }
            Function::Sum(_) => compared(all().sum()),
            Function::Avg(_) => compared(all().sum::<f64>() / n),
            Function::Max(_) => compared(all().fold(f64::NEG_INFINITY, f64::max)),
            Function::Min(_) => compared(all().fold(f64::INFINITY, f64::min)),
            Function::Diff(_) => any(earlier.iter().rev().map(|it| last - it), is),
            // A share of nothing says nothing.
            Function::Pdiff(_) => {
                any(earlier.iter().rev().filter(|it| **it != 0.0).map(|it| (last - it) / it * 100.0), is)
            }
            Function::Stddev(_) => {
                let mean = all().sum::<f64>() / n;
                let deviation = (all().map(|it| (it - mean).powi(2)).sum::<f64>() / n).sqrt();
                Some(Made { holds: (last - mean).abs() > self.threshold * deviation, value: Some(*last) })
            }
            Function::Nodata(_) => None,
        }
    }

    /// Whether nothing came for as long as `nodata` says; none for every other condition.
    #[must_use]
    pub const fn is_without_data(&self, heard_at: Timestamp, now: Timestamp) -> Option<bool> {
        match self.function {
            Function::Nodata(patience) => Some(now.ms_since(heard_at) >= patience.0),
            _ => None,
        }
    }
}

/// The first that holds, or the first at all.
fn any(values: impl Iterator<Item = f64>, is: impl Fn(f64) -> bool) -> Option<Made> {
    let mut first = None;
    for value in values {
        if is(value) {
            return Some(Made { holds: true, value: Some(value) });
        }
        first = first.or(Some(value));
    }
    Some(Made { holds: false, value: first })
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Points(n) => write!(f, "#{n}"),
            Self::Time(time) => time.fmt(f),
        }
    }
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All(span) => write!(f, "all({span})"),
            Self::Sum(span) => write!(f, "sum({span})"),
            Self::Avg(span) => write!(f, "avg({span})"),
            Self::Max(span) => write!(f, "max({span})"),
            Self::Min(span) => write!(f, "min({span})"),
            Self::Diff(span) => write!(f, "diff({span})"),
            Self::Pdiff(span) => write!(f, "pdiff({span})"),
            Self::Lookup { least, span } => write!(f, "lookup(#{least},{span})"),
            Self::Stddev(span) => write!(f, "stddev({span})"),
            Self::Nodata(patience) => write!(f, "nodata({patience})"),
        }
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.function, self.series)?;
        match self.function {
            Function::Nodata(_) => Ok(()),
            _ => write!(f, " {} {}", self.operator.as_str(), self.threshold),
        }
    }
}

impl FromStr for Expression {
    type Err = String;

    /// The error says what is wrong and how it is written.
    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let example = "write for example all(#3) cpu.idle < 5, avg(5m) load.1min > 40 or nodata(5m) nginx.alive";
        let Some((head, rest)) = text.split_once(')') else {
            return Err(format!("`{text}` has no function; {example}"));
        };
        let Some((name, arguments)) = head.split_once('(') else {
            return Err(format!("`{text}` has no function; {example}"));
        };
        let function = function(name.trim(), arguments)?;
        let rest = rest.trim();
        if let Function::Nodata(_) = function {
            let series = series(rest)?;
            return Ok(Self { function, series, operator: Operator::Equal, threshold: 0.0 });
        }
        let Some(at) = rest.rfind(['<', '>', '=', '!']) else {
            return Err(format!("`{rest}` compares nothing; {example}"));
        };
        // The last sign may be the second of two. A tag's `=` is never the last, since a number follows the comparison.
        let (left, right) = rest.split_at(at + 1);
        let two = left.len() >= 2 && left.as_bytes().get(left.len() - 2).is_some_and(|it| b"<>=!".contains(it));
        let (named, sign) = left.split_at(left.len() - if two { 2 } else { 1 });
        let operator = match sign {
            "<" => Operator::Less,
            "<=" => Operator::AtMost,
            ">" => Operator::Greater,
            ">=" => Operator::AtLeast,
            "==" | "=" => Operator::Equal,
            "!=" => Operator::Unequal,
            other => return Err(format!("`{other}` is not a comparison; use <, <=, >, >=, == or !=")),
        };
        if matches!(function, Function::Stddev(_)) && operator != Operator::Greater {
            return Err("stddev asks how far off a value is at least; write stddev(#20) cpu.busy > 3".to_owned());
        }
        Ok(Self { function, series: series(named)?, operator, threshold: number(right)? })
    }
}

fn series(text: &str) -> Result<SeriesName, String> {
    text.trim().parse().map_err(|fault: SeriesFault| fault.to_string())
}

/// A number, with `k`, `M`, `G` or `T` for thousands of thousands, `Ki`, `Mi`, `Gi` or `Ti` for powers of 1,024, and `%`
/// for nothing.
fn number(text: &str) -> Result<f64, String> {
    let text = text.trim();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == '%');
    let unit = text.get(digits.len()..).unwrap_or_default();
    if digits.is_empty() {
        return Err(format!("`{text}` is not a number to compare with"));
    }
    let scale = match unit {
        "" | "%" => 1.0,
        "k" | "K" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "Ki" => 1024.0,
        "Mi" => 1_048_576.0,
        "Gi" => 1_073_741_824.0,
        "Ti" => 1_099_511_627_776.0,
        _ => return Err(format!("`{unit}` is not a unit; use k, M, G, T, Ki, Mi, Gi, Ti or %")),
    };
    match digits.trim().parse::<f64>() {
        Ok(value) if (value * scale).is_finite() => Ok(value * scale),
        _ => Err(format!("`{text}` is not a number to compare with")),
    }
}

fn function(name: &str, arguments: &str) -> Result<Function, String> {
    let mut arguments = arguments.split(',').map(str::trim);
    let first = arguments.next().unwrap_or_default();
    let made = match name {
        "all" => Function::All(span(first)?),
        "sum" => Function::Sum(span(first)?),
        "avg" => Function::Avg(span(first)?),
        "max" => Function::Max(span(first)?),
        "min" => Function::Min(span(first)?),
        "diff" => Function::Diff(span(first)?),
        "pdiff" => Function::Pdiff(span(first)?),
        "stddev" => Function::Stddev(span(first)?),
        "lookup" => {
            let Span::Points(least) = span(first)? else {
                return Err("lookup takes two numbers, as in lookup(#2,5): at least 2 of the last 5".to_owned());
            };
            let Some(of) = arguments.next() else {
                return Err("lookup takes two numbers, as in lookup(#2,5): at least 2 of the last 5".to_owned());
            };
            let span = if of.bytes().all(|it| it.is_ascii_digit()) { span(&format!("#{of}"))? } else { span(of)? };
            if matches!(span, Span::Points(n) if n < least) {
                return Err(format!("of so few points there are never {least}; write lookup(#2,5) for 2 of 5"));
            }
            Function::Lookup { least, span }
        }
        "nodata" => match span(first)? {
            Span::Time(patience) => Function::Nodata(patience),
            Span::Points(_) => return Err("nodata takes a time, as in nodata(5m)".to_owned()),
        },
        other => {
            let known = "all, sum, avg, max, min, diff, pdiff, lookup, stddev and nodata";
            return Err(format!("`{other}` is not a function; there are {known}"));
        }
    };
    match arguments.next() {
        Some(extra) => Err(format!("`{name}` takes no `{extra}`")),
        None => Ok(made),
    }
}

fn span(text: &str) -> Result<Span, String> {
    if let Some(digits) = text.strip_prefix('#') {
        return match digits.trim().parse() {
            Ok(n) if (1..=POINTS_MAX).contains(&n) => Ok(Span::Points(n)),
            _ => Err(format!("`{text}` is not a number of points; write #1 to #{POINTS_MAX}")),
        };
    }
    let time = Delay::parse(text)
        .map_err(|_| format!("`{text}` is neither a number of points (#3) nor a length of time (5m)"))?;
    if (1_000..=LOOK_BACK_MAX_MS).contains(&time.0) {
        Ok(Span::Time(time))
    } else {
        Err(format!("a condition looks back 1s to {}, not {time}", Delay(LOOK_BACK_MAX_MS)))
    }
}
