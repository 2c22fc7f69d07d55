//! Axes: round steps with units, and times at round places of the wall clock.

use crate::format::civil::Civil;
use shared::{config::Language, host::Unit, text::span};

const KIBI: f64 = 1_024.0;
const BINARY: [&str; 6] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
const DECIMAL: [&str; 5] = ["", "k", "M", "G", "T"];

/// A value with its unit, short enough for a legend: `12 %`, `1.5 GiB`, `940 Mbit/s`.
pub(crate) fn value(l: Language, unit: Unit, value: f64) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    match unit {
        Unit::Percent => format!("{} %", number(value)),
        Unit::Bytes => bytes(value, ""),
        Unit::BytesPerSecond => bytes(value, "/s"),
        Unit::BitsPerSecond => {
            let (text, prefix) = decimal(value);
            format!("{text} {prefix}bit/s")
        }
        Unit::PerSecond => {
            let (text, prefix) = decimal(value);
            format!("{text}{prefix}/s")
        }
        Unit::Milliseconds if value.abs() >= 10_000.0 => span(l, value as i64),
        Unit::Milliseconds => format!("{} ms", number(value)),
        Unit::Seconds => span(l, (value * 1_000.0) as i64),
        Unit::Count | Unit::Plain => {
            let (text, prefix) = decimal(value);
            format!("{text}{prefix}")
        }
    }
}

/// Three digits that count, and no noughts behind the point.
fn number(value: f64) -> String {
    let size = value.abs();
    let places = if size >= 100.0 || size == 0.0 {
        0
    } else if size >= 10.0 {
        1
    } else {
        2
    };
    let text = format!("{value:.places$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

fn bytes(value: f64, per: &str) -> String {
    let (mut value, mut place) = (value, 0);
    while value.abs() >= KIBI && place + 1 < BINARY.len() {
        value /= KIBI;
        place += 1;
    }
    format!("{} {}{per}", number(value), BINARY[place])
}

/// Below ten thousand as it is; above in steps of a thousand.
fn decimal(value: f64) -> (String, &'static str) {
    let (mut small, mut place) = (value, 0);
    if value.abs() >= 10_000.0 {
        while small.abs() >= 1_000.0 && place + 1 < DECIMAL.len() {
            small /= 1_000.0;
            place += 1;
        }
    }
    (number(small), DECIMAL[place])
}

/// An axis from its lower to its upper end, with the values that are written beside it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Axis {
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) ticks: Vec<f64>,
}

impl Axis {
    /// An axis for values from `least` to `most`, with at most `n` steps. It begins at nothing, unless values are below.
    pub(crate) fn new(unit: Unit, least: f64, most: f64, top: Option<f64>, n: u32) -> Self {
        let finite = |value: f64, or: f64| if value.is_finite() { value } else { or };
        let low = finite(least, 0.0).min(0.0);
        let most = finite(most, 0.0).max(low);
        let high = top.unwrap_or(most).max(most);
        let high = if high <= low { low + 1.0 } else { high };
        let step = step(unit, (high - low) / f64::from(n.max(1)));
        // The fixed end of an axis is its end; otherwise it ends at a step.
        let first = (low / step).floor() * step;
        let high = if top.is_some_and(|top| high <= top) { high } else { (high / step).ceil() * step };
        let count = (((high - first) / step) + 1e-6).floor().clamp(0.0, 40.0) as u32;
        let ticks = (0..=count).map(|n| first + f64::from(n) * step).collect();
        Self { low: first, high: if high > first { high } else { first + step }, ticks }
    }

    /// How far up a value is, from 0 to 1.
    pub(crate) fn up(&self, value: f64) -> f64 {
        ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }
}

/// The round step that is at least `rough`.
fn step(unit: Unit, rough: f64) -> f64 {
    let rough = if rough.is_finite() && rough > 0.0 { rough } else { 1.0 };
    let base: f64 = if matches!(unit, Unit::Bytes | Unit::BytesPerSecond) && rough >= 1.0 {
        KIBI.powf(rough.log(KIBI).floor())
    } else {
        10_f64.powf(rough.log10().floor())
    };
    let steps: &[f64] =
        if base >= KIBI || (base - 1.0).abs() < 1e-9 && matches!(unit, Unit::Bytes | Unit::BytesPerSecond) {
            &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1_024.0]
        } else {
            &[1.0, 2.0, 2.5, 5.0, 10.0]
        };
    // 25 is a round step, 2.5 is not where only whole things are counted.
    let usable = |it: &&f64| !(**it == 2.5 && base <= 1.0 && unit == Unit::Count);
    let found = steps.iter().filter(usable).map(|it| it * base).find(|it| *it >= rough * (1.0 - 1e-9));
    let step = found.unwrap_or(rough);
    if unit == Unit::Count { step.max(1.0) } else { step }
}

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const TIME_STEPS: [i64; 20] = [
    SECOND,
    5 * SECOND,
    10 * SECOND,
    30 * SECOND,
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    2 * DAY,
    7 * DAY,
    28 * DAY,
    364 * DAY,
];

/// Times to be written below a chart, at most `n` of them: instants, and what is written.
pub(crate) fn times(l: Language, from: i64, until: i64, n: u32, wall: &dyn Fn(i64) -> Civil) -> Vec<(i64, String)> {
    let length = until.saturating_sub(from).max(1);
    let rough = length / i64::from(n.max(1));
    let step = TIME_STEPS.iter().copied().find(|step| *step >= rough).unwrap_or(364 * DAY).max(length / 50 + 1);
    // Round on the reader's wall, not in UTC.
    let offset = wall(from).to_ms().saturating_sub(from.div_euclid(SECOND) * SECOND);
    let first =
        from.saturating_add(offset).div_euclid(step).saturating_add(1).saturating_mul(step).saturating_sub(offset);
    let mut ticks = Vec::new();
    let mut next = first;
    while next <= until {
        // Where clocks were changed meanwhile, round is elsewhere.
        let ahead = wall(next).to_ms().saturating_sub(next.div_euclid(SECOND) * SECOND).saturating_sub(offset);
        let at = if step >= HOUR { next.saturating_sub(ahead) } else { next };
        next = next.saturating_add(step);
        if !(from..=until).contains(&at) {
            continue;
        }
        let then = wall(at);
        let text = if step >= DAY || (then.hour, then.minute, then.second) == (0, 0, 0) {
            then.date(l)
        } else if step < MINUTE {
            then.time()
        } else {
            then.short_time()
        };
        ticks.push((at, text));
    }
    ticks
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn values_have_units_people_know() {
        let say = |unit, it| value(Language::En, unit, it);
        assert_eq!(say(Unit::Percent, 12.0), "12 %");
        assert_eq!(say(Unit::Percent, 3.14159), "3.14 %");
        assert_eq!(say(Unit::Bytes, 1_610_612_736.0), "1.5 GiB");
        assert_eq!(say(Unit::BytesPerSecond, 0.0), "0 B/s");
        assert_eq!(say(Unit::BitsPerSecond, 940_000_000.0), "940 Mbit/s");
        assert_eq!(say(Unit::PerSecond, 12_345.0), "12.3k/s");
        assert_eq!(say(Unit::Count, 9_999.0), "9999");
        assert_eq!(say(Unit::Milliseconds, 0.4), "0.4 ms");
        assert_eq!(say(Unit::Seconds, 7_200.0), "2 h 00");
        assert_eq!(say(Unit::Plain, f64::NAN), "–");
    }

    #[test]
    fn an_axis_has_round_steps_and_a_fixed_end_where_there_is_one() {
        let axis = Axis::new(Unit::Percent, 3.0, 41.0, Some(100.0), 4);
        assert_eq!((axis.low, axis.high, axis.ticks.clone()), (0.0, 100.0, vec![0.0, 25.0, 50.0, 75.0, 100.0]));
        assert_eq!(axis.up(50.0), 0.5);
        let axis = Axis::new(Unit::Plain, 0.2, 21.4, None, 4);
        assert_eq!((axis.low, axis.high), (0.0, 30.0));
        let axis = Axis::new(Unit::Bytes, 0.0, 3.0e9, None, 4);
        assert_eq!(axis.high, 3.0 * 1024.0 * 1024.0 * 1024.0);
        let axis = Axis::new(Unit::Milliseconds, -40.0, 10.0, None, 5);
        assert!(axis.low <= -40.0 && axis.high >= 10.0, "{axis:?}");
        assert_eq!(Axis::new(Unit::Count, 0.0, 0.0, None, 4).high, 1.0);
    }

    #[test]
    fn times_are_round_on_the_readers_wall() {
        // Half past five ahead, as in India.
        let wall = |at: i64| Civil::from_ms(at + 330 * 60_000);
        let ticks = times(Language::En, 0, 2 * HOUR, 5, &wall);
        assert_eq!(
            ticks.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>(),
            ["06:00", "06:30", "07:00", "07:30"]
        );
        let days = times(Language::En, 0, 7 * DAY, 8, &Civil::from_ms);
        assert_eq!(days[0], (DAY, "Fri 2 Jan".to_owned()));
        // An hour ahead from noon of the third day on.
        let wall = |at: i64| Civil::from_ms(if at >= 2 * DAY + DAY / 2 { at + HOUR } else { at });
        let days = times(Language::En, 0, 5 * DAY, 6, &wall);
        let at: Vec<i64> = days.iter().map(|(at, _)| *at).collect();
        assert_eq!(at, [DAY, 2 * DAY, 3 * DAY - HOUR, 4 * DAY - HOUR, 5 * DAY - HOUR]);
    }

    proptest! {
        #[test]
        fn any_values_make_an_axis(least in any::<f64>(), most in any::<f64>(), top in proptest::option::of(0.0..1e12), n in 0_u32..40) {
            for unit in [Unit::Percent, Unit::Bytes, Unit::Count, Unit::Milliseconds] {
                let axis = Axis::new(unit, least, most, top, n);
                prop_assert!(axis.ticks.len() <= 41);
                if least.abs() < 1e15 && most.abs() < 1e15 {
                    prop_assert!(axis.high > axis.low, "{axis:?}");
                    prop_assert!((0.0..=1.0).contains(&axis.up(most)));
                }
                value(Language::Zh, unit, least);
            }
        }

        #[test]
        fn any_stretch_of_time_has_few_ticks(from in -4_000_000_000_000_i64..4_000_000_000_000, length in 0_i64..90_000_000_000, n in 1_u32..12) {
            let ticks = times(Language::En, from, from + length, n, &Civil::from_ms);
            prop_assert!(ticks.len() <= 60);
            prop_assert!(ticks.iter().all(|(at, _)| (from..=from + length).contains(at)));
        }
    }
}
