//! The occurrences of an event.
//!
//! Rules are counted on the wall clock, as if it were one that never jumps; only then is each occurrence put on the
//! clock of its zone. So one time-zone database decides everything.

use super::super::wall;
use super::lines::{End, Event, stamp};
use chrono::{Datelike as _, NaiveDate, TimeZone as _, Timelike as _};
use jiff::{ToSpan as _, civil::DateTime, tz::TimeZone};
use rrule::{RRule, Tz, Unvalidated};
use shared::Timestamp;

/// Rules are followed until here.
const HORIZON: DateTime = jiff::civil::date(2050, 1, 1).at(0, 0, 0, 0);

/// When each occurrence begins and ends; the error says what is wrong with the rule.
pub(super) fn spans(event: &Event, zone: &TimeZone, most: usize) -> Result<Vec<(Timestamp, Timestamp)>, String> {
    let own = event.start.zone.as_ref().unwrap_or(zone);
    let mut walls = match &event.rule {
        Some(rule) => repeated(event.start.wall, rule, own, most)?,
        None => vec![event.start.wall],
    };
    let on_own_wall = |at: Timestamp| wall::civil(own, at);
    walls.extend(event.also.iter().filter_map(|when| on_own_wall(when.begins(own))));
    walls.sort_unstable();
    walls.dedup();
    let except: Vec<Timestamp> = event.except.iter().map(|when| when.begins(own)).collect();
    let is_excepted = |wall: DateTime| {
        let days = event.except.iter().filter(|when| when.is_date).any(|when| when.wall.date() == wall.date());
        days || except.contains(&wall::first(own, wall))
    };
    let ends = |wall: DateTime| -> Option<DateTime> {
        match &event.end {
            End::At(end) => {
                let end_wall = if end.zone.is_some() { wall::civil(own, end.begins(own))? } else { end.wall };
                wall.checked_add(event.start.wall.until(end_wall).ok()?).ok()
            }
            End::After(span) => wall.checked_add(*span).ok(),
            End::Unsaid if event.start.is_date => wall.checked_add(1.day()).ok(),
            End::Unsaid => Some(wall),
        }
    };
    let spans = walls
        .into_iter()
        .filter(|wall| !is_excepted(*wall))
        .filter_map(|wall| Some((wall::first(own, wall), wall::last(own, ends(wall)?))));
    Ok(spans.filter(|(from, until)| from < until).collect())
}

fn repeated(start: DateTime, rule: &str, zone: &TimeZone, most: usize) -> Result<Vec<DateTime>, String> {
    let upper = rule.to_ascii_uppercase();
    let mut until = HORIZON;
    let mut parts = Vec::new();
    for part in upper.split(';').filter(|part| !part.is_empty()) {
        match part.split_once('=') {
            Some(("FREQ", "SECONDLY" | "MINUTELY" | "HOURLY")) => {
                return Err(format!("`{rule}` repeats within a day; use days, weeks, months or years"));
            }
            Some(("UNTIL", text)) => until = until.min(last_wall(text, zone).ok_or_else(|| bad(rule, "UNTIL"))?),
            _ => parts.push(part),
        }
    }
    let parsed: RRule<Unvalidated> = parts.join(";").parse().map_err(|error| bad(rule, error))?;
    let set =
        parsed.build(into_chrono(start).ok_or_else(|| bad(rule, "DTSTART"))?).map_err(|error| bad(rule, error))?;
    let walls = set.limit().into_iter().map(|at| from_chrono(&at.naive_utc()));
    Ok(walls.map_while(|wall| wall.filter(|wall| *wall <= until)).take(most + 1).collect())
}

fn bad(rule: &str, error: impl std::fmt::Display) -> String {
    format!("the rule `{rule}` cannot be read: {error}")
}

/// The last wall time an UNTIL allows; a date allows its whole day.
fn last_wall(text: &str, zone: &TimeZone) -> Option<DateTime> {
    let (wall, is_date, is_utc) = stamp(text)?;
    if is_date {
        return wall.checked_add(1.day()).ok()?.checked_sub(1.nanosecond()).ok();
    }
    if is_utc { wall::civil(zone, wall::first(&TimeZone::UTC, wall)) } else { Some(wall) }
}

fn into_chrono(wall: DateTime) -> Option<chrono::DateTime<Tz>> {
    let number = |n: i8| u32::try_from(n).ok();
    let date = NaiveDate::from_ymd_opt(wall.year().into(), number(wall.month())?, number(wall.day())?)?;
    let time = date.and_hms_opt(number(wall.hour())?, number(wall.minute())?, number(wall.second())?)?;
    Some(Tz::UTC.from_utc_datetime(&time))
}

fn from_chrono(at: &chrono::NaiveDateTime) -> Option<DateTime> {
    let number = |n: u32| i8::try_from(n).ok();
    let (date, time) = (at.date(), at.time());
    DateTime::new(
        date.year().try_into().ok()?,
        number(date.month())?,
        number(date.day())?,
        number(time.hour())?,
        number(time.minute())?,
        number(time.second())?,
        0,
    )
    .ok()
}
