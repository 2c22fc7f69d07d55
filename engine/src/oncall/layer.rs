//! A layer: rotations and imported shifts that count on some days.

use super::{
    ical::Shifts,
    rotation::{Away, Turns},
    spans::Spans,
};
use shared::{LayerId, Timestamp, api::Duty, config::LayerDays};
use std::collections::BTreeSet;

#[derive(Clone, Debug)]
pub(super) struct Tier {
    /// None: the schedule's own rotations.
    pub(super) id: Option<LayerId>,
    pub(super) precedence: i32,
    pub(super) on: LayerDays,
    pub(super) rotations: Vec<Turns>,
    pub(super) imported: Option<Shifts>,
}

impl Tier {
    /// Adds those on call at an instant; `holiday` is the one it lies in.
    pub(super) fn at(
        &self,
        now: Timestamp,
        holiday: Option<(Timestamp, Timestamp)>,
        holidays: &Spans,
        away: &Away,
        duties: &mut Vec<Duty>,
    ) {
        let counts_until = match (self.on, holiday) {
            (LayerDays::Always, _) => Timestamp::from_ms(i64::MAX),
            (LayerDays::Holidays, Some((_, until))) => until,
            (LayerDays::Workdays, None) => holidays.next_edge(now).unwrap_or(Timestamp::from_ms(i64::MAX)),
            (LayerDays::Holidays, None) | (LayerDays::Workdays, Some(_)) => return,
        };
        let before = duties.len();
        for (rotation, turns) in (0..).zip(&self.rotations) {
            turns.at(now, away, self.id.as_ref(), rotation, duties);
        }
        if let (Some(shifts), Some(id)) = (&self.imported, &self.id) {
            shifts.at(now, id, duties);
        }
        for duty in duties.iter_mut().skip(before) {
            duty.until = duty.until.min(counts_until);
        }
    }

    /// Adds every instant of a range at which the answer may change, holidays and time off apart.
    pub(super) fn edges(&self, from: Timestamp, until: Timestamp, edges: &mut BTreeSet<Timestamp>) {
        for turns in &self.rotations {
            turns.edges(from, until, edges);
        }
        if let Some(shifts) = &self.imported {
            shifts.edges(from, until, edges);
        }
    }
}
