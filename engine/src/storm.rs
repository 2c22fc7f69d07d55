//! Storms: when so many incidents open at once that pages are collected, when that is over, and the account of it.

use crate::{
    engine::{Engine, Turn},
    event::Wake,
    state::State,
};
use shared::{AttemptState, IncidentId, Severity, Storm, Timestamp, timeline::Outcome};

/// Openings remembered: a storm may begin with so many at most.
pub const OPENINGS_MAX: usize = 1_000;

impl Turn<'_> {
    /// Counts for the storm, if there is one.
    pub(crate) fn count(&mut self, with: impl FnOnce(&mut Storm)) {
        let state = &mut self.engine.state;
        if let Some(storm) = &mut state.storm {
            with(storm);
            storm.deliveries.waiting = storm.must_wait();
            state.dirty.storm = true;
        }
    }

    /// A delivery that was planned is due.
    pub(crate) fn count_due(&mut self) {
        self.count(|storm| storm.deliveries.due += 1);
    }

    pub(crate) fn count_outcome(&mut self, outcome: &Outcome) {
        self.count(|storm| {
            storm.received += 1;
            let outcomes = &mut storm.outcomes;
            *match outcome {
                Outcome::Opened { .. } => &mut outcomes.opened,
                Outcome::Refreshed { .. } | Outcome::Acknowledged { .. } => &mut outcomes.refreshed,
                Outcome::Closed { .. } => &mut outcomes.closed,
                Outcome::Suppressed { .. } => &mut outcomes.suppressed,
                Outcome::Dropped { .. } => &mut outcomes.unchanged,
                Outcome::Rejected { .. } => &mut outcomes.rejected,
            } += 1;
        });
    }

    /// A new incident: a storm may begin with it, or go on.
    pub(crate) fn count_opening(&mut self, id: IncidentId, severity: Severity) {
        let (now, mode) = (self.now, self.config.document.storm.clone());
        let state = &mut self.engine.state;
        state.openings.push_back((now, id));
        if state.openings.len() > OPENINGS_MAX {
            state.openings.pop_front();
        }
        if mode.incidents == 0 {
            return;
        }
        let since = now.plus_ms(-mode.within.0);
        // In the order of time, as the clock of the engine's thread never goes back.
        let lately = state.openings.len() - state.openings.partition_point(|(at, _)| *at <= since);
        if state.storm.is_none() && lately >= mode.incidents as usize {
            self.storm_begins(id, lately);
        } else if state.storm.is_some() {
            self.count(|storm| {
                storm.incidents += 1;
                storm.p0 += u64::from(severity == Severity::P0);
            });
        }
        // Half the rate keeps it going; so it does not end and begin again and again.
        if lately * 2 >= mode.incidents as usize && self.engine.state.storm.is_some() {
            self.storm_lasts(now.after(mode.calm));
        }
    }

    fn storm_begins(&mut self, id: IncidentId, lately: usize) {
        let state = &mut self.engine.state;
        let of = |(_, id): &(Timestamp, IncidentId)| state.incidents.get(id);
        let openings = || state.openings.iter().rev().take(lately);
        let p0 = openings().filter_map(of).filter(|it| it.severity == Severity::P0).count();
        let quiet = openings().filter_map(of).filter(|it| !it.suppressed.is_empty()).count();
        let mut storm = Storm {
            id,
            since: openings().next_back().map_or(self.now, |(at, _)| *at),
            began_at: self.now,
            until: self.now,
            incidents: lately as u64,
            p0: p0 as u64,
            quiet: quiet as u64,
            ..Storm::default()
        };
        storm.deliveries.carried = state.waiting();
        storm.deliveries.waiting = storm.deliveries.carried;
        state.storm = Some(Box::new(storm));
        state.dirty.storm = true;
    }

    fn storm_lasts(&mut self, until: Timestamp) {
        let state = &mut self.engine.state;
        let Some(storm) = &mut state.storm else { return };
        let before = std::mem::replace(&mut storm.until, until);
        state.deadlines.clear(before, Wake::Storm);
        state.deadlines.set(until, Wake::Storm);
        state.dirty.storm = true;
    }

    /// Nothing kept it going for a while: it is over, and what waited goes out as the limits allow.
    pub(crate) fn storm_calms(&mut self, at: Timestamp) {
        if self.engine.state.storm.as_ref().is_some_and(|storm| storm.until == at) {
            self.storm_ends();
        }
    }

    fn storm_ends(&mut self) {
        let waiting = self.engine.state.waiting();
        let state = &mut self.engine.state;
        let Some(mut storm) = state.storm.take() else { return };
        state.deadlines.clear(storm.until, Wake::Storm);
        storm.ended_at = Some(self.now);
        storm.balance(waiting);
        state.dirty.storms.push(*storm);
        state.lanes.reconsider();
    }

    /// Storms may be switched off in the middle of one.
    pub(crate) fn storm_reconfigured(&mut self) {
        if self.config.document.storm.incidents == 0 {
            self.storm_ends();
        }
    }
}

impl Engine {
    /// A storm goes on after a restart. Deliveries that waited come due once more, and are counted once.
    pub(crate) fn restore_storm(
        &mut self,
        storm: Option<Storm>,
        openings: Vec<(Timestamp, IncidentId)>,
        ahead_ms: i64,
    ) {
        let state = &mut self.state;
        state.openings = openings.into_iter().map(|(at, id)| (at.plus_ms(-ahead_ms), id)).collect();
        let Some(mut storm) = storm else { return };
        storm.until = storm.until.plus_ms(-ahead_ms);
        storm.carry_over();
        state.deadlines.set(storm.until, Wake::Storm);
        state.storm = Some(Box::new(storm));
        state.dirty.storm = ahead_ms > 0;
    }
}

impl State {
    /// Deliveries that are due and have not begun, counted one by one.
    #[must_use]
    pub fn waiting(&self) -> u64 {
        let of = |id: IncidentId, attempt: &shared::Attempt| {
            let wake = Wake::Attempt { incident: id, attempt: attempt.id };
            attempt.state == AttemptState::Planned && !self.deadlines.contains(attempt.due, wake)
        };
        let pages = self.incidents.values().flat_map(|it| it.pages.iter().map(|page| (it.id, page)));
        let attempts = pages.flat_map(|(id, page)| page.attempts.iter().map(move |attempt| (id, attempt)));
        attempts.filter(|(id, attempt)| of(*id, attempt)).count() as u64
    }

    /// The storm as a restored engine knows it: what waits comes due there once more.
    pub(crate) fn storm_as_restored(&self) -> Option<Storm> {
        let mut storm = self.storm.as_deref()?.clone();
        storm.carry_over();
        Some(storm)
    }
}
