//! Imported calendars: the events of an iCalendar text (RFC 5545) as shifts or as holidays.
//!
//! Events repeat and end on the wall clock of their zone, so that a shift from nine to nine is one on the day the clock
//! jumps too. An event without a zone, and one of whole days, stands on the wall clock of the schedule that uses it.

mod lines;
mod recur;

use super::{spans::Spans, wall};
use jiff::{civil::Date, tz::TimeZone};
use lines::{Event, events};
use shared::{
    LayerId, PersonId, Timestamp,
    api::{Duty, DutyReason},
    config::{ContactKind, HolidayCalendar, Person},
};
use std::collections::{BTreeMap, BTreeSet};

/// More is not a calendar people keep.
const OCCURRENCES_MAX: usize = 50_000;

/// A calendar's holidays, not yet on the clock of any zone.
#[derive(Clone, Debug, Default)]
pub struct HolidayDays {
    /// First and last day of each.
    days: Vec<(Date, Date)>,
    events: Vec<Event>,
}

impl HolidayDays {
    /// Reads a calendar; the errors are (field, message).
    ///
    /// # Errors
    /// Every fault in it.
    pub fn compile(calendar: &HolidayCalendar) -> Result<Self, Vec<(String, String)>> {
        let (mut found, mut faults) = (Self::default(), Vec::new());
        for (i, text) in calendar.dates.iter().enumerate() {
            let (first, last) = text.split_once("..").unwrap_or((text, text));
            match (wall::date(first.trim()), wall::date(last.trim())) {
                (Ok(first), Ok(last)) if first <= last => found.days.push((first, last)),
                (Ok(_), Ok(_)) => {
                    faults
                        .push((format!("dates[{i}]"), format!("`{text}` ends before it begins; turn the dates round")));
                }
                (Err(error), _) | (_, Err(error)) => faults.push((format!("dates[{i}]"), error)),
            }
        }
        if let Some(text) = &calendar.ical {
            match events(text).and_then(|events| occurrences(&events, &TimeZone::UTC).map(|_| events)) {
                Ok(events) => found.events = events,
                Err(error) => faults.push(("ical".to_owned(), error)),
            }
        }
        if faults.is_empty() { Ok(found) } else { Err(faults) }
    }

    /// As spans on a zone's clock.
    pub(super) fn spans(&self, zone: &TimeZone) -> Vec<(Timestamp, Timestamp)> {
        let midnight = |date: Date| date.to_datetime(jiff::civil::Time::midnight());
        let day = |(first, last): &(Date, Date)| {
            (wall::first(zone, midnight(*first)), wall::last(zone, midnight(wall::days_after(*last, 1))))
        };
        let mut spans: Vec<_> = self.days.iter().map(day).collect();
        // It was expanded once already, when it was read.
        let events = occurrences(&self.events, zone).unwrap_or_default();
        spans.extend(events.into_iter().map(|(from, until, _)| (from, until)));
        spans
    }
}

/// Every occurrence with the place of its event, in order.
fn occurrences(events: &[Event], zone: &TimeZone) -> Result<Vec<(Timestamp, Timestamp, usize)>, String> {
    let mut found = Vec::new();
    // An occurrence that was moved is an event of its own, and leaves its old place.
    let mut moved: BTreeMap<&str, BTreeSet<Timestamp>> = BTreeMap::new();
    for event in events {
        if let Some(instead_of) = &event.instead_of {
            moved.entry(&event.uid).or_default().insert(instead_of.begins(zone));
        }
    }
    let none = BTreeSet::new();
    for (place, event) in events.iter().enumerate() {
        let left = if event.instead_of.is_none() { moved.get(event.uid.as_str()).unwrap_or(&none) } else { &none };
        if !event.cancelled {
            let spans =
                recur::spans(event, zone, OCCURRENCES_MAX)?.into_iter().filter(|(from, _)| !left.contains(from));
            found.extend(spans.map(|(from, until)| (from, until, place)));
        }
        if found.len() > OCCURRENCES_MAX {
            return Err(format!(
                "the calendar has more than {OCCURRENCES_MAX} events until 2050; give its rules an UNTIL or a COUNT"
            ));
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// Imported shifts, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Shifts {
    all: Vec<Shift>,
    /// No shift is longer.
    longest_ms: i64,
}

#[derive(Clone, Debug)]
struct Shift {
    from: Timestamp,
    until: Timestamp,
    person: PersonId,
    event: String,
}

impl Shifts {
    /// Reads a calendar whose events are shifts of these people.
    pub(super) fn compile(text: &str, zone: &TimeZone, people: &BTreeMap<PersonId, Person>) -> Result<Self, String> {
        let events = events(text)?;
        let mut named = Vec::with_capacity(events.len());
        for event in &events {
            let who = who(event, people);
            if who.is_empty() && !event.cancelled {
                return Err(format!(
                    "the event `{}` ({}) names nobody of this configuration; give it an attendee with the e-mail \
                     address of a person, or a person's id or name as its summary",
                    event.summary, event.uid
                ));
            }
            named.push(who);
        }
        let mut all = Vec::new();
        for (from, until, place) in occurrences(&events, zone)? {
            let (Some(event), Some(who)) = (events.get(place), named.get(place)) else { continue };
            let shift = |person: &PersonId| Shift { from, until, person: person.clone(), event: event.uid.clone() };
            all.extend(who.iter().map(shift));
        }
        let longest_ms = all.iter().map(|shift| shift.until.ms_since(shift.from)).max().unwrap_or_default();
        Ok(Self { all, longest_ms })
    }

    /// Those that touch a range.
    fn within(&self, from: Timestamp, until: Timestamp) -> impl Iterator<Item = &Shift> {
        let first = self.all.partition_point(|shift| shift.from.plus_ms(self.longest_ms) <= from);
        let near = self.all.iter().skip(first).take_while(move |shift| shift.from < until);
        near.filter(move |shift| shift.until > from)
    }

    pub(super) fn at(&self, now: Timestamp, layer: &LayerId, duties: &mut Vec<Duty>) {
        duties.extend(self.within(now, now.plus_ms(1)).map(|shift| Duty {
            person: shift.person.clone(),
            reason: DutyReason::Calendar { layer: layer.clone(), event: shift.event.clone() },
            until: shift.until,
        }));
    }

    pub(super) fn edges(&self, from: Timestamp, until: Timestamp, edges: &mut BTreeSet<Timestamp>) {
        edges.extend(self.within(from, until).flat_map(|shift| [shift.from, shift.until]));
    }
}

/// Whose shift an event is: its attendees, or else those its summary names.
fn who(event: &Event, people: &BTreeMap<PersonId, Person>) -> Vec<PersonId> {
    let has = |person: &Person, address: &str| {
        let addresses = person.contacts.iter().filter_map(|contact| contact.address());
        addresses.into_iter().any(|(kind, it)| kind == ContactKind::Email && it.eq_ignore_ascii_case(address))
    };
    let attends = |person: &&Person| event.attendees.iter().any(|address| has(person, address));
    let attendees: Vec<PersonId> = people.values().filter(attends).map(|person| person.id.clone()).collect();
    if !attendees.is_empty() {
        return attendees;
    }
    let named = |text: &str| {
        let text = text.trim().to_lowercase();
        let is = |person: &&Person| person.id.as_str().to_lowercase() == text || person.name.to_lowercase() == text;
        people.values().find(is).map(|person| person.id.clone())
    };
    if let Some(person) = named(&event.summary) {
        return vec![person];
    }
    let parts = event.summary.split([',', ';', '/', '&', '+', '、', '，']);
    // One unknown name makes the whole doubtful: a shift must not lose one of its people without a word.
    parts.map(named).collect::<Option<BTreeSet<_>>>().into_iter().flatten().collect()
}

/// Puts the spans of several calendars together.
pub(super) fn together<'a>(calendars: impl Iterator<Item = &'a HolidayDays>, zone: &TimeZone) -> Spans {
    Spans::new(calendars.flat_map(|calendar| calendar.spans(zone)).collect())
}
