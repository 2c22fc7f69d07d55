//! A rotation: whose turn it is, with hand-offs on the wall clock.
//!
//! Turn n begins when the clock first shows the start plus n lengths, or later. So the turns tile the line: no gap, no
//! overlap, one hand-off a turn, and a turn whose hours the clock leaps over has no length.

use super::{
    restrict::{self, Hours},
    spans::Spans,
    wall,
};
use jiff::{
    ToSpan,
    civil::{DateTime, Time},
    tz::TimeZone,
};
use shared::{
    LayerId, PersonId, Timestamp,
    api::{Duty, DutyReason},
    config::{Every, Rotation},
};
use std::collections::{BTreeMap, BTreeSet};

/// Who is away, by person.
pub(super) type Away = BTreeMap<PersonId, Spans>;

/// A fault: the field within the thing, and what is wrong with it.
pub(super) type Fault = (String, String);

#[derive(Clone, Debug)]
pub(super) struct Turns {
    groups: Vec<Vec<PersonId>>,
    every: Every,
    length: i64,
    /// The wall time of the first hand-off.
    start: DateTime,
    /// The instant of the last.
    end: Timestamp,
    hours: Vec<Hours>,
    zone: TimeZone,
    /// Nobody in it is ever away.
    all_there: bool,
}

impl Turns {
    pub(super) fn compile(rotation: &Rotation, zone: &TimeZone, away: &Away) -> Result<Self, Vec<Fault>> {
        let mut faults: Vec<Fault> = Vec::new();
        let mut fault = |field: &str, message: String| faults.push((field.to_owned(), message));
        let handoff = wall::clock(&rotation.handoff).unwrap_or_else(|error| {
            fault("handoff", error);
            Time::MIN
        });
        let start = wall::date(&rotation.start).map_err(|error| fault("start", error)).unwrap_or_default();
        let end = rotation.end.as_deref().map(wall::date).transpose().map_err(|error| fault("end", error));
        if matches!(end, Ok(Some(end)) if end <= start) {
            fault("end", "the rotation ends before it has begun; give a later date".to_owned());
        }
        if rotation.length == 0 || rotation.length > 366 {
            fault("length", "a turn lasts 1 to 366 hours, days, weeks or months".to_owned());
        }
        let groups: Vec<Vec<PersonId>> = match (rotation.people.is_empty(), rotation.groups.is_empty()) {
            (true, true) => {
                fault("people", "the rotation has nobody in it; name at least one person".to_owned());
                Vec::new()
            }
            (false, false) => {
                fault("groups", "a rotation has either `people` or `groups`; leave one of them out".to_owned());
                Vec::new()
            }
            (false, true) => rotation.people.iter().map(|person| vec![person.clone()]).collect(),
            (true, false) => rotation.groups.clone(),
        };
        if let Some(empty) = groups.iter().position(Vec::is_empty) {
            fault(&format!("groups[{empty}]"), "the group has nobody in it; name at least one person".to_owned());
        }
        let mut hours = Vec::new();
        for (i, window) in rotation.restrict.iter().enumerate() {
            match Hours::compile(window) {
                Ok(one) => hours.push(one),
                Err((field, message)) => fault(&format!("restrict[{i}].{field}"), message),
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let end =
            end.ok().flatten().map_or(Timestamp::from_ms(i64::MAX), |end| wall::first(zone, end.to_datetime(handoff)));
        let all_there = !groups.iter().flatten().any(|person| away.contains_key(person));
        Ok(Self {
            groups,
            every: rotation.every,
            length: i64::from(rotation.length),
            start: start.to_datetime(handoff),
            end,
            hours,
            zone: zone.clone(),
            all_there,
        })
    }

    /// The instant at which turn `n` begins; none beyond the years a clock can show.
    fn begins(&self, n: i64) -> Option<Timestamp> {
        let n = n.checked_mul(self.length)?;
        let span = match self.every {
            Every::Hour => 0.hours().try_hours(n),
            Every::Day => 0.days().try_days(n),
            Every::Week => 0.weeks().try_weeks(n),
            Every::Month => 0.months().try_months(n),
        };
        Some(wall::first(&self.zone, self.start.checked_add(span.ok()?).ok()?))
    }

    /// The number of the turn at `now`, counted from the start; none before it and after the end.
    fn turn(&self, now: Timestamp) -> Option<i64> {
        if now >= self.end {
            return None;
        }
        let local = wall::civil(&self.zone, now)?;
        let days = i64::from(self.start.date().until(local.date()).ok()?.get_days());
        let passed = match self.every {
            Every::Hour => days * 24 + i64::from(local.hour()) - i64::from(self.start.hour()),
            Every::Day => days,
            Every::Week => days.div_euclid(7),
            Every::Month => {
                let months = |time: DateTime| i64::from(time.year()) * 12 + i64::from(time.month());
                months(local) - months(self.start)
            }
        };
        let mut n = passed.div_euclid(self.length);
        // The hand-off of the day or hour may still lie ahead, and the clock may have jumped.
        while self.begins(n)? > now {
            n -= 1;
        }
        while self.begins(n + 1)? <= now {
            n += 1;
        }
        (n >= 0).then_some(n)
    }

    /// Adds those on call at an instant.
    pub(super) fn at(
        &self,
        now: Timestamp,
        away: &Away,
        layer: Option<&LayerId>,
        rotation: u32,
        duties: &mut Vec<Duty>,
    ) {
        let Some(turn) = self.turn(now) else { return };
        let Some(next) = self.begins(turn + 1) else { return };
        let mut until = next.min(self.end);
        if !self.hours.is_empty() {
            match restrict::running_until(&self.hours, &self.zone, now, until) {
                Some(ends) => until = until.min(ends),
                None => return,
            }
        }
        let reason =
            |stands_in_for: Vec<PersonId>| DutyReason::Turn { layer: layer.cloned(), rotation, turn, stands_in_for };
        let many = self.groups.len();
        let place = usize::try_from(turn).unwrap_or_default() % many.max(1);
        if self.all_there {
            let people = self.groups.get(place).into_iter().flatten();
            duties.extend(people.map(|person| Duty { person: person.clone(), reason: reason(Vec::new()), until }));
            return;
        }
        let mut passed_over: Vec<PersonId> = Vec::new();
        for group in self.groups.iter().cycle().skip(place).take(many) {
            let edge = |person: &PersonId| away.get(person).and_then(|spans| spans.next_edge(now));
            let is_away = |person: &PersonId| away.get(person).is_some_and(|spans| spans.at(now).is_some());
            if group.iter().all(is_away) {
                // Whoever of them comes back first takes over again.
                until = group.iter().filter_map(edge).fold(until, Timestamp::min);
                passed_over
                    .extend(group.iter().filter(|person| !passed_over.contains(person)).cloned().collect::<Vec<_>>());
                continue;
            }
            for person in group.iter().filter(|person| !is_away(person)) {
                let until = edge(person).map_or(until, |leaves| until.min(leaves));
                duties.push(Duty { person: person.clone(), reason: reason(passed_over.clone()), until });
            }
            return;
        }
    }

    /// Adds every instant of a range at which the answer may change.
    pub(super) fn edges(&self, from: Timestamp, until: Timestamp, edges: &mut BTreeSet<Timestamp>) {
        edges.insert(self.end);
        restrict::edges(&self.hours, &self.zone, from, until, edges);
        let mut n = self.turn(from).map_or(0, |n| n + 1);
        // Beyond the years a clock can show there is nothing to find, and a lot to look through.
        if from >= self.end || wall::civil(&self.zone, from).is_none() {
            return;
        }
        while let Some(at) = self.begins(n).filter(|at| *at < until.min(self.end)) {
            edges.insert(at);
            n += 1;
        }
    }
}
