//! The wall clock of a zone: texts to times, and times to instants where the clock jumps.
//!
//! The instant of a wall time as a beginning is the first at which the clock shows it or later: its first occurrence
//! when it comes twice, the end of the gap when it does not come at all. As an end it is the instant after which the
//! clock never shows an earlier time again: its last occurrence, or the end of the gap.

use jiff::{
    ToSpan,
    civil::{Date, DateTime, Time},
    tz::{AmbiguousOffset, TimeZone},
};
use shared::Timestamp;

/// The zone of an IANA name.
///
/// # Errors
/// What is wrong with the name, and how to mend it.
pub fn zone(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name)
        .map_err(|_| format!("`{name}` is not a time zone; use an IANA name such as Asia/Shanghai or UTC"))
}

/// Reads a time of day, `HH:MM`.
pub(crate) fn clock(text: &str) -> Result<Time, String> {
    let bad = || format!("`{text}` is not a time of day; write HH:MM, 00:00 to 23:59");
    let (hours, minutes) = text.split_once(':').ok_or_else(bad)?;
    let number = |digits: &str| {
        let two = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
        digits.parse::<i8>().ok().filter(|_| two)
    };
    Time::new(number(hours).ok_or_else(bad)?, number(minutes).ok_or_else(bad)?, 0, 0).map_err(|_| bad())
}

/// Reads a date, `YYYY-MM-DD`.
pub(super) fn date(text: &str) -> Result<Date, String> {
    let plain = text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let parsed = text.parse().ok().filter(|_| plain);
    parsed.ok_or_else(|| format!("`{text}` is not a date; write YYYY-MM-DD"))
}

/// A point of time as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    /// What the clock on the wall shows.
    Wall(DateTime),
    /// With an offset: the same everywhere.
    Exact(Timestamp),
}

impl Moment {
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let iso = text.trim().replacen(' ', "T", 1);
        // A text with an offset is a wall time too, to a parser that ignores the offset: it is asked second.
        if let Ok(exact) = iso.parse::<jiff::Timestamp>() {
            return Ok(Self::Exact(Timestamp::from_ms(exact.as_millisecond())));
        }
        iso.parse::<DateTime>().map(Self::Wall).map_err(|_| {
            format!("`{text}` is not a time; write YYYY-MM-DD HH:MM, or with an offset YYYY-MM-DD HH:MM+08:00")
        })
    }

    /// As a beginning.
    pub(super) fn begins(self, zone: &TimeZone) -> Timestamp {
        match self {
            Self::Wall(time) => first(zone, time),
            Self::Exact(at) => at,
        }
    }

    /// As an end.
    pub(super) fn ends(self, zone: &TimeZone) -> Timestamp {
        match self {
            Self::Wall(time) => last(zone, time),
            Self::Exact(at) => at,
        }
    }
}

/// Reads a time as schedules write it, as a beginning.
///
/// # Errors
/// A sentence with the mend.
pub fn read(zone: &TimeZone, text: &str) -> Result<Timestamp, String> {
    Ok(Moment::read(text)?.begins(zone))
}

/// The same as an end: a wall time that comes twice is its last occurrence.
///
/// # Errors
/// A sentence with the mend.
pub fn read_end(zone: &TimeZone, text: &str) -> Result<Timestamp, String> {
    Ok(Moment::read(text)?.ends(zone))
}

/// The instant at which something begins that is to begin at a wall time.
pub(super) fn first(zone: &TimeZone, time: DateTime) -> Timestamp {
    resolve(zone, time, false)
}

/// The instant at which something ends that is to end at a wall time.
pub(super) fn last(zone: &TimeZone, time: DateTime) -> Timestamp {
    resolve(zone, time, true)
}

fn resolve(zone: &TimeZone, time: DateTime, last: bool) -> Timestamp {
    let ambiguous = zone.to_ambiguous_timestamp(time);
    let found = match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(time).ok(),
        AmbiguousOffset::Fold { before, after } => (if last { after } else { before }).to_timestamp(time).ok(),
        // Read with the later offset the time lies before the gap; the next transition is the gap itself.
        AmbiguousOffset::Gap { after, .. } => after
            .to_timestamp(time)
            .ok()
            .and_then(|before_gap| zone.following(before_gap).next().map(|transition| transition.timestamp())),
    };
    Timestamp::from_ms(found.map_or(i64::MAX, |at| at.as_millisecond()))
}

/// What the clock on the wall shows; none outside the years a clock can show.
pub(super) fn civil(zone: &TimeZone, at: Timestamp) -> Option<DateTime> {
    Some(zone.to_datetime(jiff::Timestamp::from_millisecond(at.ms()).ok()?))
}

/// `date` moved by days; saturates.
pub(super) fn days_after(date: Date, days: i64) -> Date {
    let edge = if days < 0 { Date::MIN } else { Date::MAX };
    0.days().try_days(days).ok().and_then(|span| date.checked_add(span).ok()).unwrap_or(edge)
}

/// The dates the clock shows from one instant to another, and the ones around them: whatever lasts at most a day and
/// touches the range begins on one of these.
pub(super) fn dates(zone: &TimeZone, from: Timestamp, until: Timestamp) -> impl Iterator<Item = Date> + use<> {
    let ends = civil(zone, from).zip(civil(zone, until));
    let (first, last) =
        ends.map_or((Date::MAX, Date::MIN), |(from, until)| (days_after(from.date(), -1), days_after(until.date(), 1)));
    let mut next = Some(first).filter(|first| *first <= last);
    std::iter::from_fn(move || {
        let date = next?;
        next = date.tomorrow().ok().filter(|date| *date <= last);
        Some(date)
    })
}

/// An instant as a configuration writes it in this zone: the wall time when that reads back as the same instant, as a
/// beginning or as an end, else with its offset.
#[must_use]
pub fn write(zone: &TimeZone, at: Timestamp, is_end: bool) -> String {
    let Some(time) = civil(zone, at) else { return at.ms().to_string() };
    let shape =
        if time.second() == 0 && time.subsec_nanosecond() == 0 { "%Y-%m-%d %H:%M" } else { "%Y-%m-%d %H:%M:%S%.f" };
    if resolve(zone, time, is_end) == at {
        return time.strftime(shape).to_string();
    }
    let instant = jiff::Timestamp::from_millisecond(at.ms()).unwrap_or_default();
    instant.to_zoned(zone.clone()).strftime(&format!("{shape}%:z")).to_string()
}
