//! Hours of the week on the wall clock, such as 22:00 to 06:00 on weekdays. One over midnight belongs to the day on
//! which it begins.

use super::wall;
use jiff::{
    civil::{self, Date, Time},
    tz::TimeZone,
};
use shared::{
    Delay, Timestamp,
    config::{Weekday, Window},
};
use std::collections::BTreeSet;

/// Hours that go on for longer than a week without a gap never end: the week repeats itself.
const NEVER_ENDS: Delay = Delay(9 * 86_400_000);

#[derive(Clone, Debug)]
pub(super) struct Hours {
    /// By days since Monday.
    days: [bool; 7],
    from: Time,
    until: Time,
}

impl Hours {
    /// Reads a window; the error is (field, message).
    pub(super) fn compile(window: &Window) -> Result<Self, (&'static str, String)> {
        let from = wall::clock(&window.from).map_err(|error| ("from", error))?;
        let until = wall::clock(&window.until).map_err(|error| ("until", error))?;
        let mut days = [window.days.is_empty(); 7];
        for day in &window.days {
            if let Some(on) = days.get_mut(*day as usize) {
                *on = true;
            }
        }
        Ok(Self { days, from, until })
    }

    /// The window that begins on a date.
    fn on(&self, date: Date, zone: &TimeZone) -> Option<(Timestamp, Timestamp)> {
        let day = usize::try_from(date.weekday().to_monday_zero_offset()).ok()?;
        if !*self.days.get(day)? {
            return None;
        }
        let last_day = if self.until <= self.from { wall::days_after(date, 1) } else { date };
        let from = wall::first(zone, date.to_datetime(self.from));
        let until = wall::last(zone, last_day.to_datetime(self.until));
        (from < until).then_some((from, until))
    }
}

/// Until when these hours last that run at `now`, those that follow without a gap included but none after `enough`.
pub(super) fn running_until(hours: &[Hours], zone: &TimeZone, now: Timestamp, enough: Timestamp) -> Option<Timestamp> {
    let mut until = one_until(hours, zone, now)?;
    while until < enough {
        if until > now.after(NEVER_ENDS) {
            return Some(enough);
        }
        match one_until(hours, zone, until) {
            Some(further) => until = further,
            None => break,
        }
    }
    Some(until)
}

fn one_until(hours: &[Hours], zone: &TimeZone, now: Timestamp) -> Option<Timestamp> {
    let today = wall::civil(zone, now)?.date();
    // Tomorrow's too: where midnight comes twice, tomorrow has begun before today is over.
    let around = [today.yesterday().ok(), Some(today), today.tomorrow().ok()];
    let windows = around.into_iter().flatten().flat_map(|date| hours.iter().filter_map(move |one| one.on(date, zone)));
    windows.filter(|(from, until)| *from <= now && now < *until).map(|(_, until)| until).max()
}

pub(super) fn edges(
    hours: &[Hours],
    zone: &TimeZone,
    from: Timestamp,
    until: Timestamp,
    edges: &mut BTreeSet<Timestamp>,
) {
    if hours.is_empty() {
        return;
    }
    for date in wall::dates(zone, from, until) {
        edges.extend(hours.iter().filter_map(|one| one.on(date, zone)).flat_map(|(from, until)| [from, until]));
    }
}

/// A day of the week as the configuration names it.
pub(super) const fn named(day: civil::Weekday) -> Weekday {
    match day {
        civil::Weekday::Monday => Weekday::Mon,
        civil::Weekday::Tuesday => Weekday::Tue,
        civil::Weekday::Wednesday => Weekday::Wed,
        civil::Weekday::Thursday => Weekday::Thu,
        civil::Weekday::Friday => Weekday::Fri,
        civil::Weekday::Saturday => Weekday::Sat,
        civil::Weekday::Sunday => Weekday::Sun,
    }
}
