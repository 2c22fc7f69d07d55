//! From a configured schedule to a roster, with every fault named.

use super::{
    Roster, Spans,
    cover::{self, Cover, Instead},
    ical::{self, HolidayDays, Reading},
    imported::{self, Copies, Imported},
    layer::Tier,
    rotation::{Away, Fault, Turns},
    wall::{self, Moment},
};
use jiff::tz::TimeZone;
use shared::{
    CalendarId, PersonId, Timestamp,
    config::{LayerDays, Person, Rotation, Schedule, TimeOff},
};
use std::collections::{BTreeMap, BTreeSet};

/// What a schedule needs to know of the rest of its document.
#[derive(Clone, Debug, Default)]
pub struct Surroundings<'a> {
    people: Option<&'a BTreeMap<PersonId, Person>>,
    time_off: &'a [TimeOff],
    calendars: BTreeMap<&'a CalendarId, HolidayDays>,
    copies: Option<&'a Copies>,
}

impl<'a> Surroundings<'a> {
    /// The people of the document, who is away when, its holiday calendars as they were read, and the copies of calendars
    /// that others keep.
    #[must_use]
    pub const fn new(
        people: &'a BTreeMap<PersonId, Person>,
        time_off: &'a [TimeOff],
        calendars: BTreeMap<&'a CalendarId, HolidayDays>,
        copies: &'a Copies,
    ) -> Self {
        Self { people: Some(people), time_off, calendars, copies: Some(copies) }
    }

    /// Faults of the time off, as (field, message).
    #[must_use]
    pub fn time_off_faults(&self) -> Vec<(String, String)> {
        let mut faults = Vec::new();
        for (i, off) in self.time_off.iter().enumerate() {
            match (Moment::read(&off.from), Moment::read(&off.until)) {
                (Ok(from), Ok(until)) => {
                    if until.ends(&TimeZone::UTC) <= from.begins(&TimeZone::UTC) {
                        faults.push((format!("[{i}].until"), "it ends before it begins; give a later time".to_owned()));
                    }
                }
                (from, until) => {
                    faults.extend(from.err().map(|error| (format!("[{i}].from"), error)));
                    faults.extend(until.err().map(|error| (format!("[{i}].until"), error)));
                }
            }
        }
        faults
    }

    /// Who is away when, on their own clock or else on this one. What cannot be read has its own finding.
    fn away(&self, zone: &TimeZone) -> Away {
        let mut spans: BTreeMap<PersonId, Vec<(Timestamp, Timestamp)>> = BTreeMap::new();
        for off in self.time_off {
            let own = self.people.and_then(|people| people.get(&off.person)?.time_zone.as_deref());
            let own = own.and_then(|name| wall::zone(name).ok());
            let clock = own.as_ref().unwrap_or(zone);
            if let (Ok(from), Ok(until)) = (Moment::read(&off.from), Moment::read(&off.until)) {
                spans.entry(off.person.clone()).or_default().push((from.begins(clock), until.ends(clock)));
            }
        }
        spans.into_iter().map(|(person, spans)| (person, Spans::new(spans))).collect()
    }
}

impl Roster {
    /// Reads a schedule.
    ///
    /// # Errors
    /// Every fault, as (path within the schedule, message).
    pub fn compile(schedule: &Schedule, around: &Surroundings<'_>) -> Result<Self, Vec<(String, String)>> {
        let zone = wall::zone(&schedule.time_zone).map_err(|error| vec![("time_zone".to_owned(), error)])?;
        let away = around.away(&zone);
        let mut faults = Vec::new();
        let (layers, imported) = tiers(schedule, &zone, &away, around, &mut faults);
        let holidays = holidays(&schedule.holidays, &zone, &around.calendars, &mut faults);
        let mut keep = Keep { faults };
        let covers = schedule.overrides.iter().enumerate();
        let covers: Vec<(usize, Cover)> =
            covers.filter_map(|(i, it)| Some((i, keep.or_note(Cover::compile(it, i, &zone))?))).collect();
        let temporary = schedule.temporary.iter().enumerate();
        let mut temporary: Vec<Instead> =
            temporary.filter_map(|(i, it)| keep.or_note(Instead::compile(it, i, &zone))).collect();
        temporary.sort_by_key(|it| it.from);
        let mut faults = keep.faults;
        cover::contradictions(&covers, &mut faults);
        cover::overlaps(&temporary, &mut faults);
        if !faults.is_empty() {
            return Err(faults);
        }
        let overrides = covers.into_iter().map(|(_, cover)| cover).collect();
        Ok(Self { id: schedule.id.clone(), zone, layers, away, holidays, overrides, temporary, imported })
    }
}

/// Keeps what was read and notes the faults of what was not.
struct Keep {
    faults: Vec<Fault>,
}

impl Keep {
    fn or_note<T>(&mut self, read: Result<T, Vec<Fault>>) -> Option<T> {
        read.map_err(|faults| self.faults.extend(faults)).ok()
    }
}

/// The layers, the highest precedence first, and what became of calendars elsewhere.
fn tiers(
    schedule: &Schedule,
    zone: &TimeZone,
    away: &Away,
    around: &Surroundings<'_>,
    faults: &mut Vec<Fault>,
) -> (Vec<Tier>, Vec<Imported>) {
    let (mut layers, mut calendars) = (Vec::new(), Vec::new());
    let own = turns(&schedule.rotations, "rotations", zone, away, faults);
    if !own.is_empty() {
        layers.push(Tier { id: None, precedence: 0, on: LayerDays::Always, rotations: own, imported: None });
    }
    let mut ids = BTreeSet::new();
    for (i, layer) in schedule.layers.iter().enumerate() {
        let path = format!("layers[{i}]");
        if layer.id.as_str().trim().is_empty() {
            faults.push((format!("{path}.id"), "a layer has a name; give it one".to_owned()));
        } else if !ids.insert(&layer.id) {
            faults.push((format!("{path}.id"), format!("`{}` is there twice; give each its own id", layer.id)));
        }
        if layer.on != LayerDays::Always && schedule.holidays.is_empty() {
            let message = "the schedule names no holiday calendar; add one to `holidays`, or leave `on` out".to_owned();
            faults.push((format!("{path}.on"), message));
        }
        if layer.rotations.is_empty() && layer.ical.is_none() && layer.ical_url.is_none() {
            let message = "the layer puts nobody on call; give it `rotations`, `ical` or `ical_url`".to_owned();
            faults.push((path.clone(), message));
        }
        if layer.ical.is_some() && layer.ical_url.is_some() {
            let message = "a layer has one calendar; keep one of `ical` and `ical_url`".to_owned();
            faults.push((format!("{path}.ical_url"), message));
        }
        let wrong = layer.ical_url.as_deref().and_then(imported::address_fault);
        faults.extend(wrong.map(|message| (format!("{path}.ical_url"), message)));
        let rotations = turns(&layer.rotations, &format!("{path}.rotations"), zone, away, faults);
        let nobody = BTreeMap::new();
        let people = around.people.unwrap_or(&nobody);
        let imported = layer.ical.as_deref().map(|text| Reading::strict(text, zone, people)).transpose();
        let mut imported = imported.map_err(|error| faults.push((format!("{path}.ical"), error))).ok().flatten();
        if let Some(url) = &layer.ical_url {
            let none = Copies::new();
            let (calendar, shifts) = imported::read(&layer.id, url, around.copies.unwrap_or(&none), zone, people);
            calendars.push(calendar);
            imported = shifts;
        }
        let (id, precedence, on) = (Some(layer.id.clone()), layer.precedence, layer.on);
        layers.push(Tier { id, precedence, on, rotations, imported });
    }
    layers.sort_by_key(|layer| std::cmp::Reverse(layer.precedence));
    (layers, calendars)
}

fn turns(rotations: &[Rotation], path: &str, zone: &TimeZone, away: &Away, faults: &mut Vec<Fault>) -> Vec<Turns> {
    let mut found = Vec::with_capacity(rotations.len());
    for (i, rotation) in rotations.iter().enumerate() {
        match Turns::compile(rotation, zone, away) {
            Ok(turns) => found.push(turns),
            Err(wrong) => faults.extend(wrong.into_iter().map(|(field, why)| (format!("{path}[{i}].{field}"), why))),
        }
    }
    found
}

/// The days of these calendars on the clock of a zone.
pub(crate) fn holidays(
    named: &[CalendarId],
    zone: &TimeZone,
    calendars: &BTreeMap<&CalendarId, HolidayDays>,
    faults: &mut Vec<Fault>,
) -> Spans {
    let mut found = Vec::new();
    for (i, id) in named.iter().enumerate() {
        match calendars.get(id) {
            Some(calendar) => found.push(calendar),
            None => {
                let message =
                    format!("there is no holiday calendar `{id}` in this document; declare it or correct the name");
                faults.push((format!("holidays[{i}]"), message));
            }
        }
    }
    ical::together(found.into_iter(), zone)
}
