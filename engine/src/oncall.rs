//! Who is on call: rotations with hand-offs on the wall clock of a zone, and overrides.
//!
//! A hand-off whose wall time does not exist on a day (clocks go forward) happens at the first instant
//! after the gap; one that comes twice (clocks go back) happens at its first occurrence. So every
//! rotation tiles the line from its start: no gap, no overlap, one hand-off a turn.

use jiff::{
    Span, ToSpan,
    civil::{Date, DateTime, Time},
    tz::{AmbiguousOffset, TimeZone},
};
use shared::{
    PersonId, Timestamp,
    config::{Every, Schedule},
};
use std::collections::BTreeSet;

/// A schedule with its zone, times and dates read.
#[derive(Clone, Debug)]
pub struct Roster {
    rotations: Vec<Turns>,
    overrides: Vec<Cover>,
}

#[derive(Clone, Debug)]
struct Turns {
    people: Vec<PersonId>,
    period_days: i64,
    handoff: Time,
    start: Date,
    zone: TimeZone,
}

#[derive(Clone, Debug)]
struct Cover {
    person: PersonId,
    replaces: Option<PersonId>,
    from: Timestamp,
    until: Timestamp,
}

/// Somebody on call at an instant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duty {
    pub person: PersonId,
    /// Covering by an override.
    pub over: bool,
    pub replaces: Option<PersonId>,
    /// When this turn or override ends.
    pub until: Timestamp,
}

/// A stretch with the same people on call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    pub from: Timestamp,
    pub until: Timestamp,
    pub duties: Vec<Duty>,
}

impl Roster {
    /// Reads a schedule; the error is (path within the schedule, message).
    pub fn compile(schedule: &Schedule) -> Result<Self, (String, String)> {
        let zone = zone(&schedule.time_zone).map_err(|error| ("time_zone".to_owned(), error))?;
        let mut rotations = Vec::new();
        for (i, rotation) in schedule.rotations.iter().enumerate() {
            let at = |field: &str| format!("rotations[{i}].{field}");
            let handoff = clock(&rotation.handoff).map_err(|error| (at("handoff"), error))?;
            let start = rotation
                .start
                .parse::<Date>()
                .map_err(|_| (at("start"), format!("`{}` is not a date; write YYYY-MM-DD", rotation.start)))?;
            if rotation.length == 0 || rotation.length > 366 {
                return Err((at("length"), "a shift lasts 1 to 366 days or weeks".to_owned()));
            }
            if rotation.people.is_empty() {
                return Err((at("people"), "the rotation has nobody in it; name at least one person".to_owned()));
            }
            let period_days = i64::from(rotation.length) * if rotation.every == Every::Week { 7 } else { 1 };
            rotations.push(Turns { people: rotation.people.clone(), period_days, handoff, start, zone: zone.clone() });
        }
        let mut overrides = Vec::new();
        for (i, cover) in schedule.overrides.iter().enumerate() {
            let read = |field: &str, text: &str| {
                let path = format!("overrides[{i}].{field}");
                let parsed = text.replacen(' ', "T", 1).parse::<DateTime>();
                parsed
                    .map(|time| instant(&zone, time))
                    .map_err(|_| (path, format!("`{text}` is not a local time; write YYYY-MM-DD HH:MM")))
            };
            let (from, until) = (read("from", &cover.from)?, read("until", &cover.until)?);
            if until <= from {
                return Err((format!("overrides[{i}].until"), "the override ends before it begins".to_owned()));
            }
            overrides.push(Cover { person: cover.person.clone(), replaces: cover.replaces.clone(), from, until });
        }
        Ok(Self { rotations, overrides })
    }

    /// Who is on call at an instant, overrides applied; empty when nobody is.
    #[must_use]
    pub fn at(&self, now: Timestamp) -> Vec<Duty> {
        let mut duties: Vec<Duty> = Vec::new();
        for turns in &self.rotations {
            if let Some((person, until)) = turns.at(now) {
                duties.push(Duty { person: person.clone(), over: false, replaces: None, until });
            }
        }
        for cover in self.overrides.iter().filter(|cover| cover.from <= now && now < cover.until) {
            let before = duties.len();
            match &cover.replaces {
                Some(replaced) => duties.retain(|duty| duty.over || duty.person != *replaced),
                None => duties.retain(|duty| duty.over),
            }
            // An override for somebody who is not on call then covers nothing.
            if cover.replaces.is_none() || duties.len() < before {
                duties.push(Duty {
                    person: cover.person.clone(),
                    over: true,
                    replaces: cover.replaces.clone(),
                    until: cover.until,
                });
            }
        }
        let mut seen = BTreeSet::new();
        duties.retain(|duty| seen.insert(duty.person.clone()));
        duties
    }

    /// Stretches between two instants, in order, without gap or overlap; those without anybody included.
    #[must_use]
    pub fn between(&self, from: Timestamp, until: Timestamp) -> Vec<Stretch> {
        let mut edges: BTreeSet<Timestamp> = BTreeSet::from([from]);
        for turns in &self.rotations {
            turns.edges(from, until, &mut edges);
        }
        for cover in &self.overrides {
            edges.extend([cover.from, cover.until].into_iter().filter(|at| *at > from && *at < until));
        }
        let edges: Vec<Timestamp> = edges.into_iter().collect();
        let ends = edges.iter().skip(1).copied().chain([until]);
        edges.iter().copied().zip(ends).map(|(from, until)| Stretch { from, until, duties: self.at(from) }).collect()
    }
}

impl Turns {
    /// The instant at which turn `n` begins.
    fn begins(&self, n: i64) -> Option<Timestamp> {
        let date = self.start.checked_add(days(n.checked_mul(self.period_days)?)?).ok()?;
        Some(instant(&self.zone, date.to_datetime(self.handoff)))
    }

    /// The number of the turn at `now`, counted from the start; none before it.
    fn turn(&self, now: Timestamp) -> Option<i64> {
        let local = jiff::Timestamp::from_millisecond(now.0).ok()?.to_zoned(self.zone.clone()).date();
        let since_start = i64::from(self.start.until(local).ok()?.get_days());
        let mut n = since_start.div_euclid(self.period_days);
        // The date's own hand-off may still lie ahead, or a zone change may have moved it by a day.
        while self.begins(n)? > now {
            n -= 1;
        }
        while self.begins(n + 1)? <= now {
            n += 1;
        }
        (n >= 0).then_some(n)
    }

    fn at(&self, now: Timestamp) -> Option<(&PersonId, Timestamp)> {
        let n = self.turn(now)?;
        let place = usize::try_from(n).ok()? % self.people.len();
        Some((self.people.get(place)?, self.begins(n + 1)?))
    }

    fn edges(&self, from: Timestamp, until: Timestamp, edges: &mut BTreeSet<Timestamp>) {
        let mut n = self.turn(from).map_or(0, |n| n + 1);
        while let Some(at) = self.begins(n).filter(|at| *at < until) {
            if at > from {
                edges.insert(at);
            }
            n += 1;
        }
    }
}

fn days(n: i64) -> Option<Span> {
    0.days().try_days(n).ok()
}

/// The zone of an IANA name.
pub fn zone(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name)
        .map_err(|_| format!("`{name}` is not a time zone; use an IANA name such as Asia/Shanghai or UTC"))
}

pub(crate) fn clock(text: &str) -> Result<Time, String> {
    let bad = || format!("`{text}` is not a time of day; write HH:MM, 00:00 to 23:59");
    let (hours, minutes) = text.split_once(':').ok_or_else(bad)?;
    let number = |digits: &str| if digits.len() == 2 { digits.parse::<i8>().ok() } else { None };
    Time::new(number(hours).ok_or_else(bad)?, number(minutes).ok_or_else(bad)?, 0, 0).map_err(|_| bad())
}

/// The instant of a wall-clock time: after a gap its first instant, in a fold the first occurrence.
fn instant(zone: &TimeZone, time: DateTime) -> Timestamp {
    let ambiguous = zone.to_ambiguous_timestamp(time);
    let found = match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { offset } | AmbiguousOffset::Fold { before: offset, .. } => {
            offset.to_timestamp(time).ok()
        }
        // Read with the later offset the time lies before the gap; the next transition is the gap itself.
        AmbiguousOffset::Gap { after, .. } => after
            .to_timestamp(time)
            .ok()
            .and_then(|before_gap| zone.following(before_gap).next().map(|transition| transition.timestamp())),
    };
    Timestamp(found.map_or(i64::MAX, |at| at.as_millisecond()))
}
