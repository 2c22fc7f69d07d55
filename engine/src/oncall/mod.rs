//! Who is on call: layers of rotations with hand-offs on the wall clock of a zone, and what overrules them.
//!
//! A temporary schedule beats overrides, overrides beat layers, and of the layers that have somebody the highest
//! precedence wins. Everything is a pure function of the configuration and an instant, so that the past of a
//! configuration that is in force, and the future of one that is only a draft, are asked in the same way.

mod compile;
mod cover;
pub mod history;
mod ical;
mod imported;
mod layer;
mod load;
mod restrict;
mod rotation;
mod spans;
mod swap;
mod wall;

pub use compile::Surroundings;
pub(crate) use compile::holidays;
pub use ical::{HolidayDays, Unclear, count_events};
pub use imported::{Copies, CopyState, Imported, address_fault};
pub use load::{gaps, shifts};
pub use shared::api::{Duty, DutyReason, Stretch};
pub use spans::Spans;
pub use swap::{Swap, SwapRefusal};
pub(crate) use wall::clock;
pub use wall::{read, read_end, write, zone};

use cover::{Cover, Instead};
use jiff::tz::TimeZone;
use layer::Tier;
use rotation::Away;
use shared::{
    Delay, LayerId, PersonId, ScheduleId, Timestamp,
    api::{ClockChange, PersonLoad},
    config::OverrideKind,
};
use std::collections::BTreeSet;

/// A hand-off further away than this is none.
const FURTHEST: Delay = Delay(400 * 86_400_000);

/// A schedule with its zone, times and dates read.
#[derive(Clone, Debug)]
pub struct Roster {
    id: ScheduleId,
    zone: TimeZone,
    /// The highest precedence first.
    layers: Vec<Tier>,
    away: Away,
    holidays: Spans,
    /// In the order they are written.
    overrides: Vec<Cover>,
    /// In order; they do not overlap.
    temporary: Vec<Instead>,
    /// Layers that take their shifts from a calendar elsewhere, in the order they are written.
    imported: Vec<Imported>,
}

/// Whether somebody is on call by an override, and for whom.
#[must_use]
pub fn covering(reason: &DutyReason) -> (bool, Option<&PersonId>) {
    match reason {
        DutyReason::Override { does, replaces, .. } => (*does != OverrideKind::Remove, replaces.as_ref()),
        DutyReason::Turn { stands_in_for, .. } => (!stands_in_for.is_empty(), stands_in_for.first()),
        DutyReason::Calendar { .. } | DutyReason::Temporary { .. } => (false, None),
    }
}

impl Roster {
    /// The schedule it was made of.
    #[must_use]
    pub const fn schedule(&self) -> &ScheduleId {
        &self.id
    }

    /// The zone its wall clock hangs in.
    #[must_use]
    pub const fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// What became of the calendars its layers take their shifts from.
    #[must_use]
    pub fn imported(&self) -> &[Imported] {
        &self.imported
    }

    /// The shifts a calendar gives one layer in a range, as a calendar of their own that can stand in a document.
    #[must_use]
    pub fn calendar_of(&self, layer: &LayerId, from: Timestamp, until: Timestamp) -> Option<String> {
        let found = self.layers.iter().find(|it| it.id.as_ref() == Some(layer))?;
        Some(found.imported.as_ref()?.written(from, until))
    }

    /// Everybody whom a calendar puts on call, each as often as it does.
    pub fn people_of_calendars(&self) -> impl Iterator<Item = &PersonId> {
        self.layers.iter().filter_map(|layer| layer.imported.as_ref()).flat_map(ical::Shifts::people)
    }

    /// Whether a calendar of it was never fetched or cannot be read, so that nobody knows who is on call by it.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        self.imported.iter().any(Imported::is_unknown)
    }

    /// Who is on call at an instant, and why; everybody once; empty when nobody is.
    #[must_use]
    pub fn at(&self, now: Timestamp) -> Vec<Duty> {
        let mut duties = match self.temporary_at(now) {
            Some(instead) => instead.at(now),
            None => self.by_layers_and_overrides(now),
        };
        once(&mut duties);
        duties
    }

    fn temporary_at(&self, now: Timestamp) -> Option<&Instead> {
        let place = self.temporary.partition_point(|it| it.from <= now).checked_sub(1)?;
        self.temporary.get(place).filter(|it| now < it.until)
    }

    fn by_layers_and_overrides(&self, now: Timestamp) -> Vec<Duty> {
        let mut duties = Vec::new();
        let holiday = self.holidays.at(now);
        let mut wins = None;
        for layer in &self.layers {
            if wins.is_some_and(|wins| layer.precedence < wins) {
                break;
            }
            layer.at(now, holiday, &self.holidays, &self.away, &mut duties);
            if !duties.is_empty() {
                wins = Some(layer.precedence);
            }
        }
        for (place, cover) in self.overrides.iter().enumerate() {
            if cover.from <= now && now < cover.until {
                cover.apply(place, &mut duties);
            }
        }
        duties
    }

    /// Stretches between two instants, in order, without gap or overlap; those without anybody included. Neighbours
    /// differ.
    #[must_use]
    pub fn between(&self, from: Timestamp, until: Timestamp) -> Vec<Stretch> {
        let mut edges = BTreeSet::new();
        for layer in &self.layers {
            layer.edges(from, until, &mut edges);
        }
        for spans in self.away.values().chain([&self.holidays]) {
            spans.edges(from, until, &mut edges);
        }
        edges.extend(self.overrides.iter().flat_map(|cover| [cover.from, cover.until]));
        self.temporary.iter().for_each(|it| it.edges(&mut edges));
        stretches(edges, from, until, |at| self.at(at))
    }

    /// What each layer says by itself over a range, the highest precedence first.
    #[must_use]
    pub fn layers_between(&self, from: Timestamp, until: Timestamp) -> Vec<(Option<LayerId>, i32, Vec<Stretch>)> {
        let one = |layer: &Tier| {
            let mut edges = BTreeSet::new();
            layer.edges(from, until, &mut edges);
            for spans in self.away.values().chain([&self.holidays]) {
                spans.edges(from, until, &mut edges);
            }
            let at = |now| {
                let mut duties = Vec::new();
                layer.at(now, self.holidays.at(now), &self.holidays, &self.away, &mut duties);
                once(&mut duties);
                duties
            };
            (layer.id.clone(), layer.precedence, stretches(edges, from, until, at))
        };
        self.layers.iter().map(one).collect()
    }

    /// The overrides' beginnings and ends, in the order they are written.
    pub fn override_spans(&self) -> impl Iterator<Item = (Timestamp, Timestamp)> {
        self.overrides.iter().map(|cover| (cover.from, cover.until))
    }

    /// The temporary schedules' beginnings and ends, in order, each with its place in the schedule.
    pub fn temporary_spans(&self) -> impl Iterator<Item = (usize, (Timestamp, Timestamp))> {
        self.temporary.iter().map(|it| (it.place as usize, (it.from, it.until)))
    }

    /// The holidays of its calendars.
    #[must_use]
    pub const fn holidays(&self) -> &Spans {
        &self.holidays
    }

    /// Whether a person has time off at some instant of a range, as far as this schedule knows them.
    #[must_use]
    pub fn is_away(&self, person: &PersonId, from: Timestamp, until: Timestamp) -> bool {
        self.away.get(person).is_some_and(|spans| spans.within(from, until).next().is_some())
    }

    /// The next instant after `now` at which other people are on call; none within 400 days when it stays as it is.
    #[must_use]
    pub fn next_handoff(&self, now: Timestamp) -> Option<Timestamp> {
        let people = |duties: &[Duty]| duties.iter().map(|duty| duty.person.clone()).collect::<BTreeSet<_>>();
        let current = people(&self.at(now));
        let (mut from, mut window) = (now, Delay(8 * 86_400_000));
        while from < now.after(FURTHEST) {
            let until = from.after(window);
            let changed = self.between(from, until).into_iter().find(|it| people(&it.duties) != current);
            if let Some(stretch) = changed {
                return Some(stretch.from);
            }
            (from, window) = (until, Delay(window.0 * 4));
        }
        None
    }

    /// What each person carries in a range, told by its stretches.
    #[must_use]
    pub fn load(&self, stretches: &[Stretch]) -> Vec<PersonLoad> {
        load::load(stretches, &self.zone, &self.holidays)
    }

    /// Where the wall clock jumps in a range.
    #[must_use]
    pub fn clock_changes(&self, from: Timestamp, until: Timestamp) -> Vec<ClockChange> {
        let Ok(start) = jiff::Timestamp::from_millisecond(from.ms()) else { return Vec::new() };
        let mut before = self.zone.to_offset(start);
        let mut changes = Vec::new();
        for transition in self.zone.following(start) {
            let at = Timestamp::from_ms(transition.timestamp().as_millisecond());
            if at >= until {
                break;
            }
            let by_s = transition.offset().seconds() - before.seconds();
            before = transition.offset();
            if by_s != 0 {
                changes.push(ClockChange { at, by_s });
            }
        }
        changes
    }
}

/// Everybody once, by the first reason.
fn once(duties: &mut Vec<Duty>) {
    if duties.len() > 1 {
        let mut seen = BTreeSet::new();
        duties.retain(|duty| seen.insert(duty.person.clone()));
    }
}

fn stretches(
    mut edges: BTreeSet<Timestamp>,
    from: Timestamp,
    until: Timestamp,
    at: impl Fn(Timestamp) -> Vec<Duty>,
) -> Vec<Stretch> {
    if from >= until {
        return Vec::new();
    }
    edges.insert(from);
    let mut found: Vec<Stretch> = Vec::new();
    for edge in edges.range(from..until) {
        let duties = at(*edge);
        if found.last().is_some_and(|last| last.duties == duties) {
            continue;
        }
        if let Some(last) = found.last_mut() {
            last.until = *edge;
        }
        found.push(Stretch { from: *edge, until, duties });
    }
    found
}
