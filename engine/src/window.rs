//! Time windows on the wall clock of a zone: whether an instant is inside, and when that changes next.
//!
//! An instant is inside by what a clock on the wall there shows at it. So an hour that comes twice is inside twice, one
//! that does not exist is not missed, and no rule about changing clocks is needed.

use crate::oncall;
use jiff::{
    civil::{Date, DateTime, Time},
    tz::TimeZone,
};
use shared::{
    Timestamp, WindowId,
    config::{TimeSpan, TimeWindow},
};
use std::{collections::BTreeMap, sync::Arc};

/// The windows of a document by name.
pub type Windows = BTreeMap<WindowId, Arc<Window>>;

/// A week and the days on which its edges may lie.
const WEEK_DAYS: u32 = 9;
/// How far ahead a change is looked for where dates, months or years matter: a leap day comes within eight years.
const AHEAD_DAYS: u32 = 9 * 366;

const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// A compiled time window.
#[derive(Clone, Debug)]
pub struct Window {
    zone: TimeZone,
    spans: Vec<Span>,
}

#[derive(Clone, Debug)]
struct Span {
    /// A bit a weekday, Monday first.
    days: u8,
    dates: Vec<(i8, i8)>,
    /// A bit a month, January first.
    months: u16,
    years: Vec<(i16, i16)>,
    hours: Option<(Time, Time)>,
}

impl Window {
    /// Reads a window; the error is (path within it, message).
    pub fn compile(window: &TimeWindow) -> Result<Self, (String, String)> {
        let zone = oncall::zone(&window.time_zone).map_err(|error| ("time_zone".to_owned(), error))?;
        if window.windows.is_empty() {
            return Err(("windows".to_owned(), "the window has no times in it; name at least one".to_owned()));
        }
        let span = |(i, span)| Span::compile(span).map_err(|(field, error)| (format!("windows[{i}].{field}"), error));
        let spans = window.windows.iter().enumerate().map(span).collect::<Result<_, _>>()?;
        Ok(Self { zone, spans })
    }

    /// Whether an instant is inside.
    #[must_use]
    pub fn contains(&self, now: Timestamp) -> bool {
        self.civil(now).is_some_and(|local| self.spans.iter().any(|span| span.contains(local)))
    }

    /// When the instant after `now` comes at which inside and outside change places; none when it never does.
    #[must_use]
    pub fn changes_after(&self, now: Timestamp) -> Option<Timestamp> {
        let inside = self.contains(now);
        let ahead = if self.spans.iter().all(Span::is_weekly) { WEEK_DAYS } else { AHEAD_DAYS };
        let mut date = self.civil(now)?.date();
        for _ in 0..ahead {
            let next = date.tomorrow().ok()?;
            // Far from any day that counts, nothing changes: no need to ask the zone.
            let around = [date.yesterday().ok(), Some(date), Some(next)];
            if inside || self.spans.iter().any(|span| around.iter().flatten().any(|day| span.is_on(*day))) {
                let edges = self.edges(date, next);
                if let Some(at) = edges.into_iter().find(|at| *at > now && self.contains(*at) != inside) {
                    return Some(at);
                }
            }
            date = next;
        }
        None
    }

    /// `Sat 03:12`, as the wall clock shows it.
    #[must_use]
    pub fn local(&self, now: Timestamp) -> String {
        let name = self.zone.iana_name().unwrap_or("UTC");
        self.civil(now).map_or_else(String::new, |local| format!("{} {name}", local.strftime("%a %Y-%m-%d %H:%M")))
    }

    fn civil(&self, at: Timestamp) -> Option<DateTime> {
        Some(self.zone.to_datetime(jiff::Timestamp::from_millisecond(at.ms()).ok()?))
    }

    /// Every instant of a day at which the answer may change, in order: its beginning, each hour named, and where clocks
    /// are changed.
    fn edges(&self, date: Date, next: Date) -> Vec<Timestamp> {
        let hours = self.spans.iter().filter_map(|span| span.hours).flat_map(|(from, until)| [from, until]);
        let mut edges = Vec::new();
        for time in hours.chain([Time::midnight()]) {
            for day in [date, next] {
                let ambiguous = self.zone.to_ambiguous_timestamp(day.to_datetime(time));
                edges.extend([ambiguous.earlier(), ambiguous.later()].into_iter().flatten());
            }
        }
        if let (Some(first), Some(last)) = (edges.iter().min().copied(), edges.iter().max().copied()) {
            let changes = self.zone.following(first).map(|change| change.timestamp());
            edges.extend(changes.take_while(|at| *at <= last));
        }
        edges.sort_unstable();
        edges.into_iter().map(|at| Timestamp::from_ms(at.as_millisecond())).collect()
    }
}

impl Span {
    fn compile(span: &TimeSpan) -> Result<Self, (&'static str, String)> {
        let days = cycle(&span.days, &WEEKDAYS, 0).map_err(|error| ("days", error))?;
        let months = cycle(&span.months, &MONTHS, 1).map_err(|error| ("months", error))?;
        let dates =
            ranges(&span.dates, |text| text.parse::<i8>().ok().filter(|day| (1..=31).contains(&day.unsigned_abs())))
                .map_err(|text| {
                    ("dates", format!("`{text}` is not a day of the month; write 1, 1..7, -1 or -3..-1"))
                })?;
        let years = ranges(&span.years, |text| text.parse::<i16>().ok().filter(|year| (1970..=9999).contains(year)))
            .map_err(|text| ("years", format!("`{text}` is not a year; write 2026 or 2026..2028")))?;
        if let Some((from, until)) = years.iter().find(|(from, until)| from > until) {
            return Err(("years", format!("`{from}..{until}` ends before it begins")));
        }
        let backwards =
            |(from, until): &&(i8, i8)| (*from < 0 || *until > 0) && from > until || (*from < 0 && *until > 0);
        if let Some((from, until)) = dates.iter().find(backwards) {
            return Err(("dates", format!("`{from}..{until}` ends before it begins")));
        }
        let hours = match (&span.from, &span.until) {
            (None, None) => None,
            (Some(from), Some(until)) => Some((
                oncall::clock(from).map_err(|error| ("from", error))?,
                oncall::clock(until).map_err(|error| ("until", error))?,
            )),
            (Some(_), None) => return Err(("until", "the time begins and does not end; write `until` too".to_owned())),
            (None, Some(_)) => return Err(("from", "the time ends and does not begin; write `from` too".to_owned())),
        };
        Ok(Self { days: days as u8, dates, months, years, hours })
    }

    const fn is_weekly(&self) -> bool {
        self.dates.is_empty() && self.years.is_empty() && self.months == u16::MAX
    }

    fn contains(&self, local: DateTime) -> bool {
        let (date, time) = (local.date(), local.time());
        let began_yesterday = || date.yesterday().is_ok_and(|day| self.is_on(day));
        match self.hours {
            None => self.is_on(date),
            Some((from, until)) if from < until => from <= time && time < until && self.is_on(date),
            Some((from, until)) => (from <= time && self.is_on(date)) || (time < until && began_yesterday()),
        }
    }

    fn is_on(&self, date: Date) -> bool {
        let last = date.days_in_month();
        // A range that begins after the month's end is not in this month; one that ends there ends with it.
        let from_end = |day: i8| if day < 0 { last + day + 1 } else { day };
        let in_dates = |(from, until): &(i8, i8)| from_end(*from) <= date.day() && date.day() <= from_end(*until);
        self.days & (1 << date.weekday().to_monday_zero_offset()) != 0
            && self.months & (1 << (date.month() - 1)) != 0
            && (self.dates.is_empty() || self.dates.iter().any(in_dates))
            && (self.years.is_empty() || self.years.iter().any(|(from, until)| (*from..=*until).contains(&date.year())))
    }
}

/// `a..b` or `a`, both ends included; the error is the text that is neither.
fn ranges<T: Copy>(texts: &[String], read: impl Fn(&str) -> Option<T>) -> Result<Vec<(T, T)>, &str> {
    let range = |text: &str| {
        let (from, until) = text.split_once("..").unwrap_or((text, text));
        Some((read(from.trim())?, read(until.trim())?))
    };
    texts.iter().map(|text| range(text).ok_or(text.as_str())).collect()
}

/// Ranges of names that come round again (`sat..mon`), as bits; every bit when there are none. Names may be cut to three
/// letters, and written as numbers from `first` unless that is 0.
fn cycle(texts: &[String], names: &[&str], first: usize) -> Result<u16, String> {
    if texts.is_empty() {
        return Ok(u16::MAX);
    }
    let place = |text: &str| {
        let text = text.to_lowercase();
        let named = || names.iter().position(|name| text == *name || name.get(..3) == Some(text.as_str()));
        let numbered = text.parse::<usize>().ok().filter(|_| first > 0).and_then(|number| number.checked_sub(first));
        numbered.or_else(named).filter(|place| *place < names.len())
    };
    let found = ranges(texts, place).map_err(|text| {
        let short: Vec<&str> = names.iter().filter_map(|name| name.get(..3)).collect();
        format!("`{text}` is not one of {}, nor a range such as {}..{}", short.join(", "), short[0], short[4])
    })?;
    let mut bits = 0;
    for (from, until) in found {
        let length = (until + names.len() - from) % names.len();
        (0..=length).for_each(|step| bits |= 1 << ((from + step) % names.len()));
    }
    Ok(bits)
}

/// Windows in which something is active, and windows in which it is mute.
#[derive(Clone, Debug, Default)]
pub struct Hours {
    pub active: Vec<(WindowId, Arc<Window>)>,
    pub mute: Vec<(WindowId, Arc<Window>)>,
}

/// Changes looked at before a mute counts as one that never ends.
const CHANGES_MAX: usize = 2_000;

impl Hours {
    /// Whether it is quiet at an instant; the window is the one that mutes, none for outside every active one.
    #[must_use]
    pub fn quiet(&self, now: Timestamp) -> Option<Option<&WindowId>> {
        if let Some((id, _)) = self.mute.iter().find(|(_, window)| window.contains(now)) {
            return Some(Some(id));
        }
        let inactive = !self.active.is_empty() && !self.active.iter().any(|(_, window)| window.contains(now));
        inactive.then_some(None)
    }

    /// When it stops being quiet; none when it never does.
    #[must_use]
    pub fn quiet_until(&self, now: Timestamp) -> Option<Timestamp> {
        let mut at = now;
        for _ in 0..CHANGES_MAX {
            let windows = self.active.iter().chain(&self.mute);
            at = windows.filter_map(|(_, window)| window.changes_after(at)).min()?;
            if self.quiet(at).is_none() {
                return Some(at);
            }
        }
        None
    }
}
