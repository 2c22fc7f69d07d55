//! The board's heading, kept up to date by what each row adds and takes away.

use shared::{
    IncidentId, IncidentState, Timestamp,
    api::{Counts, IncidentRow},
};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Default)]
pub(super) struct Tally {
    triggered: [u32; 7],
    acked: [u32; 7],
    oldest: BTreeSet<(Timestamp, IncidentId)>,
    /// How many unanswered incidents each recipient was paged for.
    people: BTreeMap<String, u32>,
}

impl Tally {
    pub(super) fn add(&mut self, row: &IncidentRow) {
        self.count(row, u32::wrapping_add);
        if row.state == IncidentState::Triggered {
            self.oldest.insert((row.opened_at, row.id));
            for name in &row.proof.recipients {
                *self.people.entry(name.clone()).or_default() += 1;
            }
        }
    }

    pub(super) fn remove(&mut self, row: &IncidentRow) {
        self.count(row, u32::wrapping_sub);
        if row.state == IncidentState::Triggered {
            self.oldest.remove(&(row.opened_at, row.id));
            for name in &row.proof.recipients {
                if let Some(count) = self.people.get_mut(name) {
                    *count -= 1;
                    if *count == 0 {
                        self.people.remove(name);
                    }
                }
            }
        }
    }

    fn count(&mut self, row: &IncidentRow, change: fn(u32, u32) -> u32) {
        let ranks = match row.state {
            IncidentState::Triggered => &mut self.triggered,
            IncidentState::Acked | IncidentState::Snoozed => &mut self.acked,
            IncidentState::Resolved => return,
        };
        if let Some(count) = ranks.get_mut(usize::from(row.severity.rank())) {
            *count = change(*count, 1);
        }
    }

    pub(super) fn counts(&self) -> Counts {
        Counts {
            triggered: self.triggered,
            acked: self.acked,
            oldest_triggered: self.oldest.first().map(|(at, _)| *at),
            people_paged: self.people.len() as u32,
        }
    }
}
