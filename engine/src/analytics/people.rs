//! Whom it woke: pages by person and day on each person's own wall clock.

use super::Scope;
use jiff::{
    ToSpan as _,
    civil::{Date, DateTime, Weekday},
    tz::TimeZone,
};
use shared::{
    PersonId, Timestamp,
    api::{DayPages, PersonPages},
};
use std::collections::{BTreeMap, BTreeSet};

/// Night is from 22:00 to 07:00: what the wall clock shows, however many hours that is when it changes.
const NIGHT: (i8, i8) = (22, 7);

#[derive(Debug, Default)]
struct Person {
    /// Pages, and of them those at night.
    days: BTreeMap<Date, (u32, u32)>,
    weekend: u32,
    rang_at: BTreeSet<Timestamp>,
    /// By the day on whose evening they begin.
    nights: BTreeSet<Date>,
}

/// The pages that rang, by person.
#[derive(Debug, Default)]
pub(super) struct People(BTreeMap<PersonId, Person>);

/// What the clock on the wall of a zone shows.
pub(super) fn wall(zone: &TimeZone, at: Timestamp) -> Option<DateTime> {
    Some(zone.to_datetime(jiff::Timestamp::from_millisecond(at.ms()).ok()?))
}

impl People {
    /// A page that rang; whether it did by itself, and not within a message that was counted. Two pages of one night,
    /// before and after midnight, are one interrupted night.
    pub(super) fn add(&mut self, scope: &Scope, id: &PersonId, at: Timestamp) -> bool {
        let zone = scope.zones.get(id).unwrap_or(&scope.zone);
        let Some(wall) = wall(zone, at) else { return false };
        let (evening, morning) = (wall.hour() >= NIGHT.0, wall.hour() < NIGHT.1);
        let person = self.0.entry(id.clone()).or_default();
        if !person.rang_at.insert(at) {
            return false;
        }
        let day = person.days.entry(wall.date()).or_default();
        day.0 += 1;
        if evening || morning {
            day.1 += 1;
            let began = if evening { wall.date() } else { wall.date().saturating_sub(1.day()) };
            person.nights.insert(began);
        }
        person.weekend += u32::from(matches!(wall.weekday(), Weekday::Saturday | Weekday::Sunday));
        true
    }

    /// The days of the range, and the people, the most paged first.
    pub(super) fn finish(self, scope: &Scope) -> (Vec<String>, Vec<PersonPages>) {
        let ends = [scope.from, scope.until.plus_ms(-1)].map(|at| wall(&scope.zone, at).map(DateTime::date));
        // A day may have begun for some that is yet to come on the reader's clock.
        let all = self.0.values().flat_map(|person| person.days.keys().copied()).chain(ends.into_iter().flatten());
        let all: BTreeSet<Date> = all.collect();
        let (Some(first), Some(last)) = (all.first().copied(), all.last().copied()) else { return Default::default() };
        let days: Vec<Date> = first.series(1.day()).take_while(|day| *day <= last).collect();
        let place = |date: &Date| days.binary_search(date).ok().and_then(|place| u32::try_from(place).ok());
        let tell = |(id, person): (PersonId, Person)| {
            let days = person.days.iter();
            let days = days.filter_map(|(date, (pages, night))| {
                Some(DayPages { day: place(date)?, pages: *pages, night: *night })
            });
            let days: Vec<DayPages> = days.collect();
            PersonPages {
                name: scope.names.get(&id).cloned().unwrap_or_else(|| id.to_string()),
                person: id,
                pages: days.iter().map(|day| day.pages).sum(),
                night: days.iter().map(|day| day.night).sum(),
                weekend: person.weekend,
                nights: u32::try_from(person.nights.len()).unwrap_or(u32::MAX),
                days,
            }
        };
        let mut people: Vec<PersonPages> = self.0.into_iter().map(tell).collect();
        people.sort_by_key(|person| std::cmp::Reverse((person.pages, person.night)));
        (days.iter().map(ToString::to_string).collect(), people)
    }
}
