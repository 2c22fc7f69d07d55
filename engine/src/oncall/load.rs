//! Stretches read in other ways: as shifts, as gaps, and as what each person carries.

use super::{Duty, Spans, Stretch, restrict, wall};
use jiff::{civil::Time, tz::TimeZone};
use shared::{
    PersonId, Timestamp,
    api::{Gap, PersonLoad},
    config::Weekday,
};
use std::collections::BTreeMap;

/// Night is from 22:00 to 06:00.
const NIGHT: (i8, i8) = (22, 6);

/// Stretches in which nobody is on call, joined where they touch.
#[must_use]
pub fn gaps(stretches: &[Stretch]) -> Vec<Gap> {
    let mut gaps: Vec<Gap> = Vec::new();
    for stretch in stretches.iter().filter(|it| it.duties.is_empty()) {
        match gaps.last_mut().filter(|gap| gap.until == stretch.from) {
            Some(gap) => gap.until = stretch.until,
            None => gaps.push(Gap { from: stretch.from, until: stretch.until }),
        }
    }
    gaps
}

/// Stretches put together again into the shifts they were cut from, by their beginning. What goes on beyond the
/// stretches ends when the duty says.
#[must_use]
pub fn shifts(stretches: &[Stretch]) -> Vec<(Timestamp, Duty)> {
    let mut done: Vec<(Timestamp, Duty)> = Vec::new();
    let mut running: Vec<(Timestamp, Timestamp, &Duty)> = Vec::new();
    let mut end = None;
    for stretch in stretches {
        let goes_on = |duty: &Duty| end == Some(stretch.from) && stretch.duties.contains(duty);
        let (going_on, over): (Vec<_>, Vec<_>) = running.into_iter().partition(|(_, _, duty)| goes_on(duty));
        done.extend(over.into_iter().map(|(from, until, duty)| (from, Duty { until, ..duty.clone() })));
        running = going_on;
        for duty in &stretch.duties {
            match running.iter_mut().find(|(_, _, known)| *known == duty) {
                Some((_, until, _)) => *until = stretch.until,
                None => running.push((stretch.from, stretch.until, duty)),
            }
        }
        end = Some(stretch.until);
    }
    done.extend(running.into_iter().map(|(from, _, duty)| (from, duty.clone())));
    done.sort_by(|a, b| (a.0, &a.1.person).cmp(&(b.0, &b.1.person)));
    done
}

/// What each person carries, by person.
pub(super) fn load(stretches: &[Stretch], zone: &TimeZone, holidays: &Spans) -> Vec<PersonLoad> {
    let (Some(first), Some(last)) = (stretches.first(), stretches.last()) else { return Vec::new() };
    let (nights, weekends) = nights_and_weekends(zone, first.from, last.until);
    let mut loads: BTreeMap<&PersonId, PersonLoad> = BTreeMap::new();
    let mut before: &[Duty] = &[];
    for stretch in stretches {
        let (from, until) = (stretch.from, stretch.until);
        for Duty { person, .. } in &stretch.duties {
            let load = loads.entry(person).or_insert_with(|| PersonLoad {
                person: person.clone(),
                shifts: 0,
                total_ms: 0,
                night_ms: 0,
                weekend_ms: 0,
                holiday_ms: 0,
            });
            if !before.iter().any(|duty| duty.person == *person) {
                load.shifts += 1;
            }
            load.total_ms += until.ms_since(from);
            load.night_ms += nights.covered_ms(from, until);
            load.weekend_ms += weekends.covered_ms(from, until);
            load.holiday_ms += holidays.covered_ms(from, until);
        }
        before = &stretch.duties;
    }
    loads.into_values().collect()
}

fn nights_and_weekends(zone: &TimeZone, from: Timestamp, until: Timestamp) -> (Spans, Spans) {
    let (mut nights, mut weekends) = (Vec::new(), Vec::new());
    let clock = |hour| Time::new(hour, 0, 0, 0).unwrap_or_default();
    for date in wall::dates(zone, from, until) {
        let next = wall::days_after(date, 1);
        let begins = wall::first(zone, date.to_datetime(clock(NIGHT.0)));
        nights.push((begins, wall::last(zone, next.to_datetime(clock(NIGHT.1)))));
        if matches!(restrict::named(date.weekday()), Weekday::Sat | Weekday::Sun) {
            let midnight = |date: jiff::civil::Date| date.to_datetime(Time::midnight());
            weekends.push((wall::first(zone, midnight(date)), wall::last(zone, midnight(next))));
        }
    }
    (Spans::new(nights), Spans::new(weekends))
}
