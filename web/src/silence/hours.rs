//! The hours of a silence that recurs, read on a wall of its zone; the server decides by its own clock all the same.

use super::Walls;
use crate::format::civil::Civil;
use shared::{Timestamp, config::TimeSpan, silence::Recurrence};

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 86_400_000;
/// How far ahead the next turn is looked for.
const AHEAD_DAYS: i64 = 35;

/// The days of the week as a configuration names them, Monday first.
pub(crate) const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// Whether an instant is inside, and when that changes next, if it does within a month.
pub(crate) fn turn(recurs: &Recurrence, now: Timestamp, walls: Walls) -> (bool, Option<Timestamp>) {
    let wall = (walls.civil)(&recurs.time_zone, now.ms()).to_ms();
    let today = wall.div_euclid(DAY_MS) * DAY_MS;
    let mut spans = Vec::new();
    for day in (-1..AHEAD_DAYS).map(|ahead| today + ahead * DAY_MS) {
        for span in recurs.windows.iter().filter(|span| is_on(span, day)) {
            let (from, until) = part_of_day(span);
            spans.push((day + from, day + until));
        }
    }
    // Spans that touch are one.
    let mut end = wall;
    while let Some((_, later)) = spans.iter().find(|(from, until)| *from <= end && end < *until) {
        end = *later;
    }
    let inside = end > wall;
    let next = spans.iter().map(|(from, _)| *from).filter(|from| *from > wall).min();
    let turns = if inside { Some(end).filter(|end| end - wall < (AHEAD_DAYS - 1) * DAY_MS) } else { next };
    (inside, turns.map(|wall| Timestamp::from_ms((walls.instant)(&recurs.time_zone, Civil::from_ms(wall)))))
}

/// Whether a span begins on the day that begins there.
fn is_on(span: &TimeSpan, midnight: i64) -> bool {
    let day = Civil::from_ms(midnight);
    // The first of January 1970 was a Thursday.
    let weekday = (midnight.div_euclid(DAY_MS) + 3).rem_euclid(7);
    let next_month = Civil { day: 1, ..Civil::from_ms(Civil { day: 1, ..day }.to_ms() + 31 * DAY_MS) };
    let last = i64::from(Civil::from_ms(next_month.to_ms() - DAY_MS).day);
    let date = |text: &str| number(text).map(|date| if date < 0 { last + 1 + date } else { date });
    let month = |text: &str| name(&MONTHS, text).map(|index| index + 1).or_else(|| number(text));
    within(&span.days, weekday, &|text| name(&DAYS, text))
        && within(&span.dates, i64::from(day.day), &date)
        && within(&span.months, i64::from(day.month), &month)
        && within(&span.years, day.year, &number)
}

/// From and until, in milliseconds of the day; one that ends the next day ends after more than a day's.
fn part_of_day(span: &TimeSpan) -> (i64, i64) {
    let clock = |text: &Option<String>| -> Option<i64> {
        let (hour, minute) = text.as_deref()?.split_once(':')?;
        Some((number(hour)? * 60 + number(minute)?) * MINUTE_MS)
    };
    let from = clock(&span.from).unwrap_or(0);
    let until = clock(&span.until).unwrap_or(DAY_MS);
    (from, if until <= from { until + DAY_MS } else { until })
}

/// Nothing named: everything is within.
fn within(ranges: &[String], value: i64, read: &dyn Fn(&str) -> Option<i64>) -> bool {
    let holds = |range: &String| {
        let (from, until) = range.split_once("..").unwrap_or((range, range));
        let (Some(from), Some(until)) = (read(from), read(until)) else { return false };
        if from <= until { (from..=until).contains(&value) } else { value >= from || value <= until }
    };
    ranges.is_empty() || ranges.iter().any(holds)
}

fn number(text: &str) -> Option<i64> {
    text.trim().parse().ok()
}

/// A name's place; its first three letters tell.
fn name(names: &[&str], text: &str) -> Option<i64> {
    let text = text.trim().to_lowercase();
    names.iter().position(|name| text.starts_with(name)).and_then(|index| i64::try_from(index).ok())
}

/// The days of the week a span names; all of them when it names none.
pub(crate) fn days(span: &TimeSpan) -> [bool; 7] {
    std::array::from_fn(|day| within(&span.days, day as i64, &|text| name(&DAYS, text)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::silence::sample::{WALLS, at};

    fn span(days: &[&str], from: &str, until: &str) -> TimeSpan {
        let days = days.iter().map(|day| (*day).to_owned()).collect();
        let clock = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        TimeSpan { days, from: clock(from), until: clock(until), ..TimeSpan::default() }
    }

    fn turns(windows: &[TimeSpan], now: &str) -> (bool, Option<Timestamp>) {
        turn(&Recurrence { time_zone: "UTC".into(), windows: windows.to_vec() }, at(now), WALLS)
    }

    // 2026-11-21 is a Saturday.
    #[test]
    fn hours_of_weekdays_begin_on_monday() {
        let windows = [span(&["mon..fri"], "01:00", "03:00")];
        assert_eq!(turns(&windows, "2026-11-21 02:00"), (false, Some(at("2026-11-23 01:00"))));
        assert_eq!(turns(&windows, "2026-11-23 02:00"), (true, Some(at("2026-11-23 03:00"))));
        assert_eq!(turns(&windows, "2026-11-23 03:00"), (false, Some(at("2026-11-24 01:00"))));
    }

    #[test]
    fn a_night_belongs_to_the_day_it_begins() {
        let windows = [span(&["sat"], "22:00", "06:00")];
        assert_eq!(turns(&windows, "2026-11-22 05:59"), (true, Some(at("2026-11-22 06:00"))));
        assert_eq!(turns(&windows, "2026-11-21 05:59"), (false, Some(at("2026-11-21 22:00"))));
    }

    #[test]
    fn days_that_touch_are_one_stretch() {
        let windows = [span(&["sat", "sun"], "", "")];
        assert_eq!(turns(&windows, "2026-11-21 02:00"), (true, Some(at("2026-11-23 00:00"))));
        let always = [span(&[], "", "")];
        assert_eq!(turns(&always, "2026-11-21 02:00"), (true, None));
    }

    #[test]
    fn dates_count_from_either_end_of_the_month() {
        let last = TimeSpan { dates: vec!["-1".into()], ..span(&[], "02:00", "04:00") };
        assert_eq!(turns(&[last], "2026-11-21 02:00"), (false, Some(at("2026-11-30 02:00"))));
        let winter = TimeSpan { months: vec!["nov..feb".into()], dates: vec!["1..7".into()], ..span(&[], "", "") };
        assert_eq!(turns(&[winter], "2026-11-21 02:00"), (false, Some(at("2026-12-01 00:00"))));
        let past = TimeSpan { years: vec!["2020".into()], ..span(&[], "", "") };
        assert_eq!(turns(&[past], "2026-11-21 02:00"), (false, None));
    }

    #[test]
    fn the_days_of_a_span_are_ticked() {
        assert_eq!(days(&span(&["sat..mon"], "", "")), [true, false, false, false, false, true, true]);
        assert_eq!(days(&span(&[], "", "")), [true; 7]);
    }
}
