//! What overrules the layers: overrides, and temporary schedules that hold instead of everything else.

use super::{rotation::Fault, wall::Moment};
use jiff::tz::TimeZone;
use shared::{
    PersonId, Timestamp,
    api::{Duty, DutyReason},
    config::{Override, OverrideKind, Temporary},
};
use std::collections::BTreeSet;

/// An override with its times read.
#[derive(Clone, Debug)]
pub(super) struct Cover {
    kind: OverrideKind,
    id: Option<String>,
    by: Option<String>,
    person: PersonId,
    replaces: Option<PersonId>,
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
    /// The end read as a beginning, so that one that follows on the same wall time does not overlap.
    meets: Timestamp,
}

/// Reads the beginning and the end of something.
fn span(zone: &TimeZone, path: &str, from: &str, until: &str) -> Result<(Timestamp, Timestamp, Timestamp), Vec<Fault>> {
    let read = |field: &str, text: &str| Moment::read(text).map_err(|error| (format!("{path}.{field}"), error));
    match (read("from", from), read("until", until)) {
        (Ok(from), Ok(until)) => {
            let (begins, ends, meets) = (from.begins(zone), until.ends(zone), until.begins(zone));
            // On the wall it may be in order and still have no length: the clock leaps over it.
            let in_order = match (from, until) {
                (Moment::Wall(from), Moment::Wall(until)) => from < until,
                _ => begins < ends,
            };
            if !in_order {
                let message = "it ends before it begins; give a later time".to_owned();
                return Err(vec![(format!("{path}.until"), message)]);
            }
            Ok((begins, ends, meets))
        }
        (from, until) => Err([from.err(), until.err()].into_iter().flatten().collect()),
    }
}

impl Cover {
    pub(super) fn compile(cover: &Override, place: usize, zone: &TimeZone) -> Result<Self, Vec<Fault>> {
        let path = format!("overrides[{place}]");
        let (from, until, meets) = span(zone, &path, &cover.from, &cover.until)?;
        if cover.replaces.is_some() && cover.kind != OverrideKind::Replace {
            let message = "only an override of kind \"replace\" replaces somebody; leave it out".to_owned();
            return Err(vec![(format!("{path}.replaces"), message)]);
        }
        if cover.replaces.as_ref() == Some(&cover.person) {
            let message = format!("`{}` cannot replace themselves; name somebody else", cover.person);
            return Err(vec![(format!("{path}.replaces"), message)]);
        }
        let Override { kind, id, by, person, replaces, .. } = cover.clone();
        Ok(Self { kind, id, by, person, replaces, from, until, meets })
    }

    /// Whom it puts on call, and whom it lets off.
    fn parts(&self) -> (Option<&PersonId>, Option<&PersonId>) {
        match self.kind {
            OverrideKind::Remove => (None, Some(&self.person)),
            OverrideKind::Add | OverrideKind::Replace => (Some(&self.person), self.replaces.as_ref()),
        }
    }

    /// Somebody whom both put on call, or both let off, at the same time.
    fn contradicts<'a>(&'a self, other: &'a Self) -> Option<&'a PersonId> {
        if self.from >= other.meets || other.from >= self.meets {
            return None;
        }
        let ((on, off), (other_on, other_off)) = (self.parts(), other.parts());
        let put_on = on.filter(|_| on == other_on);
        put_on.or_else(|| off.filter(|_| off == other_off)).or_else(|| {
            // Added and removed at once: neither order is meant for sure.
            let added = |cover: &Self| cover.kind == OverrideKind::Remove;
            on.filter(|_| on == other_off && added(other)).or_else(|| off.filter(|_| off == other_on && added(self)))
        })
    }

    /// Changes who is on call at an instant within it.
    pub(super) fn apply(&self, place: usize, duties: &mut Vec<Duty>) {
        let mut until = self.until;
        match (self.kind, &self.replaces) {
            (OverrideKind::Add, _) => {}
            (OverrideKind::Remove, _) => return duties.retain(|duty| duty.person != self.person),
            (OverrideKind::Replace, None) => {
                duties.retain(|duty| matches!(duty.reason, DutyReason::Override { .. }));
            }
            (OverrideKind::Replace, Some(replaced)) => {
                let ends = duties.iter().filter(|duty| duty.person == *replaced).map(|duty| duty.until).max();
                // Somebody who is not on call is not replaced either.
                let Some(ends) = ends else { return };
                until = until.min(ends);
                duties.retain(|duty| duty.person != *replaced);
            }
        }
        let reason = DutyReason::Override {
            place: u32::try_from(place).unwrap_or(u32::MAX),
            does: self.kind,
            id: self.id.clone(),
            replaces: self.replaces.clone(),
            by: self.by.clone(),
        };
        duties.push(Duty { person: self.person.clone(), reason, until });
    }
}

/// Names pairs that put the same person on call, or let them off, at the same time.
pub(super) fn contradictions(covers: &[(usize, Cover)], faults: &mut Vec<Fault>) {
    let mut by_beginning: Vec<&(usize, Cover)> = covers.iter().collect();
    by_beginning.sort_by_key(|(place, cover)| (cover.from, *place));
    for (i, (place, cover)) in by_beginning.iter().enumerate() {
        let later = by_beginning.iter().skip(i + 1).take_while(|(_, other)| other.from < cover.until);
        for (other_place, other) in later {
            if let Some(person) = cover.contradicts(other) {
                let (first, second) = (place.min(other_place), place.max(other_place));
                let message = format!(
                    "`{person}` is in overrides[{first}] at the same time; let one end before the other begins"
                );
                faults.push((format!("overrides[{second}]"), message));
            }
        }
    }
}

/// A temporary schedule with its times read.
#[derive(Clone, Debug)]
pub(super) struct Instead {
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
    meets: Timestamp,
    pub(super) place: u32,
    shifts: Vec<(PersonId, Timestamp, Timestamp)>,
}

impl Instead {
    pub(super) fn compile(temporary: &Temporary, place: usize, zone: &TimeZone) -> Result<Self, Vec<Fault>> {
        let path = format!("temporary[{place}]");
        let (from, until, meets) = span(zone, &path, &temporary.from, &temporary.until)?;
        let (mut shifts, mut faults) = (Vec::new(), Vec::new());
        for (i, shift) in temporary.shifts.iter().enumerate() {
            let path = format!("{path}.shifts[{i}]");
            match span(zone, &path, &shift.from, &shift.until) {
                Ok((begins, ends, _)) if begins < from || ends > until => {
                    faults.push((path, "the shift leaves the temporary schedule; cut it, or widen that".to_owned()));
                }
                Ok((begins, ends, _)) => shifts.push((shift.person.clone(), begins, ends)),
                Err(found) => faults.extend(found),
            }
        }
        let place = u32::try_from(place).unwrap_or(u32::MAX);
        if faults.is_empty() { Ok(Self { from, until, meets, place, shifts }) } else { Err(faults) }
    }

    pub(super) fn at(&self, now: Timestamp) -> Vec<Duty> {
        let running = self.shifts.iter().filter(|(_, from, until)| *from <= now && now < *until);
        let duty = |(person, _, until): &(PersonId, Timestamp, Timestamp)| Duty {
            person: person.clone(),
            reason: DutyReason::Temporary { place: self.place },
            until: *until,
        };
        running.map(duty).collect()
    }

    pub(super) fn edges(&self, edges: &mut BTreeSet<Timestamp>) {
        edges.extend([self.from, self.until]);
        edges.extend(self.shifts.iter().flat_map(|(_, from, until)| [*from, *until]));
    }
}

/// Names temporary schedules that hold at the same time.
pub(super) fn overlaps(temporary: &[Instead], faults: &mut Vec<Fault>) {
    let mut in_order: Vec<&Instead> = temporary.iter().collect();
    in_order.sort_by_key(|it| (it.from, it.place));
    for pair in in_order.windows(2) {
        if let [one, other] = pair
            && other.from < one.meets
        {
            let (first, second) = (one.place.min(other.place), one.place.max(other.place));
            let message = format!("temporary[{first}] holds at the same time; let one end before the other begins");
            faults.push((format!("temporary[{second}]"), message));
        }
    }
}
