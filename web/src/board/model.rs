//! The open incidents as the server last told us: a list, then deltas on top of it.

use shared::{
    IncidentId, IncidentState, Timestamp,
    api::{Counts, IncidentList, IncidentRow},
};
use std::collections::BTreeMap;

/// Rows by id, and the heading's numbers.
#[derive(Debug, Default)]
pub(crate) struct Model {
    pub(crate) rows: BTreeMap<IncidentId, IncidentRow>,
    pub(crate) counts: Option<Counts>,
    /// The server's clock when this was true.
    pub(crate) as_of: Timestamp,
}

/// What a list or delta changed.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Change {
    pub(crate) updated: Vec<IncidentId>,
    pub(crate) added: Vec<IncidentId>,
    /// No longer open.
    pub(crate) removed: Vec<IncidentRow>,
    /// A row moved to another place of the order, or came or went.
    pub(crate) reordered: bool,
}

impl Model {
    /// Replaces everything by a list.
    pub(crate) fn load(&mut self, list: IncidentList) -> Change {
        let mut change = Change { reordered: true, ..Change::default() };
        // Not collected: that sorts first, in code of its own.
        let mut fresh = BTreeMap::new();
        for row in list.items {
            fresh.insert(row.id, row);
        }
        for (id, row) in &self.rows {
            if !fresh.contains_key(id) {
                change.removed.push(IncidentRow { state: IncidentState::Resolved, ..row.clone() });
            }
        }
        for id in fresh.keys() {
            if self.rows.contains_key(id) { change.updated.push(*id) } else { change.added.push(*id) }
        }
        self.rows = fresh;
        self.counts = Some(list.counts);
        self.as_of = list.now;
        change
    }

    /// Applies one delta; rows older than what is known are ignored.
    pub(crate) fn apply(
        &mut self,
        rows: Vec<IncidentRow>,
        gone: Vec<IncidentRow>,
        counts: Counts,
        now: Timestamp,
    ) -> Change {
        let mut change = Change::default();
        for row in rows {
            self.put(row, &mut change);
        }
        for row in gone {
            if self.rows.remove(&row.id).is_some() {
                change.reordered = true;
                change.removed.push(row);
            }
        }
        self.counts = Some(counts);
        self.as_of = now;
        change
    }

    /// One row that an action answered with.
    pub(crate) fn answer(&mut self, row: IncidentRow) -> Change {
        let mut change = Change::default();
        if row.state == IncidentState::Resolved {
            if self.rows.remove(&row.id).is_some() {
                change.reordered = true;
                change.removed.push(row);
            }
        } else if self.rows.contains_key(&row.id) {
            self.put(row, &mut change);
        }
        change
    }

    fn put(&mut self, row: IncidentRow, change: &mut Change) {
        match self.rows.get(&row.id) {
            Some(known) if known.version > row.version => {}
            Some(known) => {
                let place = |row: &IncidentRow| (row.severity, row.state, row.suppressed.is_empty());
                change.reordered |= place(known) != place(&row);
                change.updated.push(row.id);
                self.rows.insert(row.id, row);
            }
            None => {
                change.reordered = true;
                change.added.push(row.id);
                self.rows.insert(row.id, row);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::sample::row;
    use IncidentState::{Acked, Resolved, Triggered};
    use shared::Severity::{P0, P1};

    fn counts() -> Counts {
        Counts { triggered: [0; 7], acked: [0; 7], oldest_triggered: None, people_paged: 0, unreached: 0, storm: None }
    }

    fn model(rows: Vec<IncidentRow>) -> Model {
        let mut model = Model::default();
        let total = u32::try_from(rows.len()).unwrap();
        model.load(IncidentList {
            items: rows,
            next: None,
            counts: counts(),
            seq: 1,
            now: Timestamp::from_ms(1),
            total,
        });
        model
    }

    #[test]
    fn a_delta_adds_updates_and_removes() {
        let mut model = model(vec![row(1, P0, Triggered), row(2, P1, Triggered)]);
        let mut acked = row(1, P0, Acked);
        acked.version = 2;
        let change = model.apply(
            vec![acked, row(3, P1, Triggered)],
            vec![row(2, P1, Resolved)],
            counts(),
            Timestamp::from_ms(2),
        );
        assert_eq!((change.updated, change.added, change.reordered), (vec![IncidentId(1)], vec![IncidentId(3)], true));
        assert_eq!(change.removed.len(), 1);
        assert_eq!(model.rows.keys().map(|id| id.0).collect::<Vec<_>>(), [1, 3]);
    }

    #[test]
    fn an_older_version_never_overwrites_a_newer_one() {
        let mut newer = row(1, P0, Acked);
        newer.version = 5;
        let mut model = model(vec![newer]);
        let change = model.apply(vec![row(1, P0, Triggered)], vec![], counts(), Timestamp::from_ms(2));
        assert_eq!(change, Change::default());
        assert_eq!(model.rows[&IncidentId(1)].state, Acked);
    }

    #[test]
    fn a_count_that_rises_moves_nothing() {
        let mut model = model(vec![row(1, P0, Triggered)]);
        let mut again = row(1, P0, Triggered);
        (again.version, again.count) = (2, 9);
        assert!(!model.apply(vec![again], vec![], counts(), Timestamp::from_ms(2)).reordered);
    }

    #[test]
    fn a_new_list_says_what_is_gone() {
        let mut model = model(vec![row(1, P0, Triggered), row(2, P1, Triggered)]);
        let list = IncidentList {
            items: vec![row(2, P1, Triggered)],
            next: None,
            counts: counts(),
            seq: 9,
            now: Timestamp::from_ms(3),
            total: 1,
        };
        let change = model.load(list);
        assert_eq!(change.removed[0].id, IncidentId(1));
        assert_eq!(change.removed[0].state, Resolved);
    }

    #[test]
    fn an_answer_that_resolves_takes_the_row_away() {
        let mut model = model(vec![row(1, P0, Triggered)]);
        let mut answer = row(1, P0, Resolved);
        answer.version = 2;
        assert_eq!(model.answer(answer).removed.len(), 1);
        assert!(model.rows.is_empty());
    }
}
