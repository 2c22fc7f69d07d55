//! Imported calendars: the events of an iCalendar text (RFC 5545) as shifts or as holidays.
//!
//! Events repeat and end on the wall clock of their zone, so that a shift from nine to nine is one on the day the clock
//! jumps too. An event without a zone, and one of whole days, stands on the wall clock of the schedule that uses it.

mod lines;
mod recur;
mod who;

pub use who::Unclear;

use super::{spans::Spans, wall};
use jiff::{civil::Date, tz::TimeZone};
use lines::{Event, events};
use shared::{
    LayerId, PersonId, Timestamp,
    api::{Duty, DutyReason},
    config::{HolidayCalendar, Person},
};
use std::collections::{BTreeMap, BTreeSet};
use who::Named;

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
    level: u8,
}

/// A calendar as the shifts of these people.
#[derive(Clone, Debug, Default)]
pub(super) struct Reading {
    pub(super) shifts: Shifts,
    /// Events that are not cancelled.
    pub(super) events: usize,
    /// Names that put nobody on call, the one that lasts longest first.
    pub(super) unclear: Vec<Unclear>,
}

impl Reading {
    /// Reads a calendar; the error is about the whole of it.
    pub(super) fn of(text: &str, zone: &TimeZone, people: &BTreeMap<PersonId, Person>) -> Result<Self, String> {
        let events = events(text)?;
        let named: Vec<Named> = events.iter().map(|event| who::named(event, people)).collect();
        let mut last: Vec<Option<Timestamp>> = vec![None; events.len()];
        let mut all = Vec::new();
        for (from, until, place) in occurrences(&events, zone)? {
            let (Some(event), Some(who)) = (events.get(place), named.get(place)) else { continue };
            if let Some(last) = last.get_mut(place) {
                *last = (*last).max(Some(until));
            }
            let (level, _) = who::level(&event.summary);
            let shift =
                |person: &PersonId| Shift { from, until, person: person.clone(), event: event.uid.clone(), level };
            all.extend(who.people.iter().map(shift));
        }
        let mut unclear = Vec::new();
        for ((event, who), until) in events.iter().zip(named).zip(last) {
            let Some(until) = until else { continue };
            let told = |(name, shared)| Unclear { event: event.summary.clone(), name, shared, until };
            unclear.extend(who.unclear.into_iter().map(told));
        }
        unclear.sort_by_key(|it| std::cmp::Reverse(it.until));
        let events = events.iter().filter(|event| !event.cancelled).count();
        Ok(Self { shifts: Shifts::new(all), events, unclear })
    }

    /// The shifts of a calendar that stands in the document, which must name somebody in every event.
    pub(super) fn strict(text: &str, zone: &TimeZone, people: &BTreeMap<PersonId, Person>) -> Result<Shifts, String> {
        for event in events(text)?.iter().filter(|event| !event.cancelled) {
            let Named { people: found, unclear } = who::named(event, people);
            // A stranger who is invited besides is no mistake of the document; a summary is all about who it is.
            let invited = found.iter().next().is_some() && !event.attendees.is_empty();
            if let Some((name, shared)) = unclear.into_iter().next().filter(|_| !invited) {
                let (what, mend) = if shared {
                    ("is the name of several people", "write the id of the one it means")
                } else {
                    (
                        "names nobody of this configuration",
                        "give it an attendee with the e-mail address of a person, or \
                     a person's id, e-mail address or name as its summary",
                    )
                };
                return Err(format!("in the event `{}` ({}) `{name}` {what}; {mend}", event.summary, event.uid));
            }
        }
        Ok(Self::of(text, zone, people)?.shifts)
    }
}

impl Shifts {
    /// Puts them in order; lower levels are cut around higher ones.
    fn new(all: Vec<Shift>) -> Self {
        let levels: BTreeSet<u8> = all.iter().map(|shift| shift.level).collect();
        let mut kept = all;
        if levels.len() > 1 {
            let (mut free, mut taken) = (Vec::new(), Vec::new());
            for level in levels.into_iter().rev() {
                let above = Spans::new(std::mem::take(&mut taken));
                let these = || kept.iter().filter(|shift| shift.level == level);
                free.extend(these().flat_map(|shift| shift.around(&above)));
                taken = above.within(Timestamp::from_ms(i64::MIN), Timestamp::from_ms(i64::MAX)).collect();
                taken.extend(these().map(|shift| (shift.from, shift.until)));
            }
            kept = free;
        }
        kept.sort_by(|a, b| (a.from, a.until, &a.event, &a.person).cmp(&(b.from, b.until, &b.event, &b.person)));
        let longest_ms = kept.iter().map(|shift| shift.until.ms_since(shift.from)).max().unwrap_or_default();
        Self { all: kept, longest_ms }
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

    pub(super) fn people(&self) -> impl Iterator<Item = &PersonId> {
        self.all.iter().map(|shift| &shift.person)
    }

    /// Those of a range as a calendar that names their people by id.
    pub(super) fn written(&self, from: Timestamp, until: Timestamp) -> String {
        let stamp = |at: Timestamp| {
            let at = jiff::Timestamp::from_millisecond(at.ms()).unwrap_or_default();
            at.strftime("%Y%m%dT%H%M%SZ").to_string()
        };
        let event = |(n, shift): (usize, &Shift)| {
            let (from, until, person) = (stamp(shift.from), stamp(shift.until), &shift.person);
            format!("BEGIN:VEVENT\nUID:{n}\nSUMMARY:{person}\nDTSTART:{from}\nDTEND:{until}\nEND:VEVENT\n")
        };
        let events: String = self.within(from, until).enumerate().map(event).collect();
        format!("BEGIN:VCALENDAR\n{events}END:VCALENDAR\n")
    }

    /// When the last one is over.
    pub(super) fn last(&self) -> Option<Timestamp> {
        self.all.iter().map(|shift| shift.until).max()
    }
}

impl Shift {
    /// What is left of it outside of these spans.
    fn around(&self, taken: &Spans) -> Vec<Self> {
        let mut left = Vec::new();
        let mut from = self.from;
        for (begins, ends) in taken.within(self.from, self.until).chain([(self.until, self.until)]) {
            if from < begins {
                left.push(Self { from, until: begins, ..self.clone() });
            }
            from = ends;
        }
        left
    }
}

/// Whether a text is a calendar, and how many events it has that are not cancelled.
///
/// # Errors
/// What is wrong with it, with the line where that is known.
pub fn count_events(text: &str) -> Result<usize, String> {
    Reading::of(text, &TimeZone::UTC, &BTreeMap::new()).map(|reading| reading.events)
}

/// Puts the spans of several calendars together.
pub(super) fn together<'a>(calendars: impl Iterator<Item = &'a HolidayDays>, zone: &TimeZone) -> Spans {
    Spans::new(calendars.flat_map(|calendar| calendar.spans(zone)).collect())
}
