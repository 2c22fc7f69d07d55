//! The board's rows as signals: a changed row redraws itself, a changed order redraws the list.

use crate::{
    api::ApiError,
    board::model::{Change, Model},
    order::sorted,
};
use leptos::prelude::*;
use shared::{
    IncidentId, Timestamp,
    api::{Counts, IncidentList, IncidentRow},
};
use std::collections::{BTreeMap, HashMap};

/// An action on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pending {
    pub(crate) verb: &'static str,
    /// Confirmed when the row's version is above this.
    pub(crate) since_version: u32,
}

/// One incident's row, wherever it is drawn.
#[derive(Clone)]
pub(crate) struct Cell {
    pub(crate) row: ArcRwSignal<IncidentRow>,
    pub(crate) pending: ArcRwSignal<Option<Pending>>,
}

/// How true the board is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Freshness {
    Nothing,
    /// Remembered by this browser.
    Cached,
    Fresh,
    Failed(ApiError),
}

#[derive(Clone, Copy)]
pub(crate) struct Board {
    model: StoredValue<Model>,
    cells: StoredValue<HashMap<IncidentId, Cell>>,
    /// Rises when rows came, went or moved.
    pub(crate) order: RwSignal<u32>,
    pub(crate) counts: RwSignal<Option<Counts>>,
    pub(crate) as_of: RwSignal<Timestamp>,
    pub(crate) freshness: RwSignal<Freshness>,
}

impl Board {
    pub(crate) fn new() -> Self {
        Self {
            model: StoredValue::new(Model::default()),
            cells: StoredValue::new(HashMap::new()),
            order: RwSignal::new(0),
            counts: RwSignal::new(None),
            as_of: RwSignal::new(Timestamp::from_ms(0)),
            freshness: RwSignal::new(Freshness::Nothing),
        }
    }

    pub(crate) fn load(self, list: IncidentList, cached: bool) {
        let change = self.model.try_update_value(|model| model.load(list)).unwrap_or_default();
        self.freshness.set(if cached { Freshness::Cached } else { Freshness::Fresh });
        self.publish(change);
    }

    pub(crate) fn apply(self, rows: Vec<IncidentRow>, gone: Vec<IncidentRow>, counts: Counts, now: Timestamp) {
        let change = self.model.try_update_value(|model| model.apply(rows, gone, counts, now)).unwrap_or_default();
        self.publish(change);
    }

    pub(crate) fn answer(self, row: IncidentRow) {
        let cell = self.cell_of(&row);
        if cell.row.with_untracked(|known| known.version <= row.version) {
            cell.row.set(row.clone());
        }
        let change = self.model.try_update_value(|model| model.answer(row)).unwrap_or_default();
        self.publish(change);
    }

    pub(crate) fn failed(self, error: ApiError) {
        if self.freshness.get_untracked() == Freshness::Nothing {
            self.freshness.set(Freshness::Failed(error));
        }
    }

    pub(crate) fn clear(self) {
        self.model.set_value(Model::default());
        self.cells.set_value(HashMap::new());
        self.counts.set(None);
        self.freshness.set(Freshness::Nothing);
        self.order.update(|order| *order += 1);
    }

    pub(crate) fn with_rows<T>(self, read: impl FnOnce(&BTreeMap<IncidentId, IncidentRow>) -> T) -> T {
        self.model.with_value(|model| read(&model.rows))
    }

    pub(crate) fn row(self, id: IncidentId) -> Option<IncidentRow> {
        self.cells
            .with_value(|cells| cells.get(&id).map(|cell| cell.row.get_untracked()))
            .or_else(|| self.with_rows(|rows| rows.get(&id).cloned()))
    }

    /// The signals of a row that is on the board, or was a moment ago.
    pub(crate) fn cell(self, id: IncidentId) -> Option<Cell> {
        let known = self.cells.with_value(|cells| cells.get(&id).cloned());
        known.or_else(|| self.with_rows(|rows| rows.get(&id).cloned()).map(|row| self.cell_of(&row)))
    }

    /// The signals for a row from anywhere, such as the incident's own page.
    pub(crate) fn cell_of(self, row: &IncidentRow) -> Cell {
        let made = || Cell { row: ArcRwSignal::new(row.clone()), pending: ArcRwSignal::new(None) };
        self.cells.try_update_value(|cells| cells.entry(row.id).or_insert_with(made).clone()).unwrap_or_else(made)
    }

    pub(crate) fn export(self, most: usize) -> (Vec<IncidentRow>, Option<Counts>, Timestamp) {
        self.model.with_value(|model| {
            let rows = sorted(model.rows.values().collect(), |a, b| (a.severity, a.state).cmp(&(b.severity, b.state)));
            (rows.into_iter().take(most).cloned().collect(), model.counts.clone(), model.as_of)
        })
    }

    fn publish(self, change: Change) {
        let (counts, as_of) = self.model.with_value(|model| (model.counts.clone(), model.as_of));
        self.cells.with_value(|cells| {
            self.with_rows(|rows| {
                for id in &change.updated {
                    if let (Some(cell), Some(row)) = (cells.get(id), rows.get(id)) {
                        put(cell, row);
                    }
                }
            });
            for row in &change.removed {
                if let Some(cell) = cells.get(&row.id) {
                    put(cell, row);
                }
            }
        });
        self.counts.set(counts);
        self.as_of.set(as_of);
        if change.reordered {
            self.order.update(|order| *order += 1);
        }
        self.forget_old_cells();
    }

    /// Signals of rows long gone are dropped once there are many.
    fn forget_old_cells(self) {
        let open = self.with_rows(BTreeMap::len);
        let known = self.cells.with_value(HashMap::len);
        if known > open * 2 + 500 {
            self.model.with_value(|model| {
                self.cells.update_value(|cells| cells.retain(|id, _| model.rows.contains_key(id)));
            });
        }
    }
}

fn put(cell: &Cell, row: &IncidentRow) {
    let confirmed =
        |pending: &Option<Pending>| pending.as_ref().is_some_and(|pending| pending.since_version < row.version);
    if cell.pending.with_untracked(confirmed) {
        cell.pending.set(None);
    }
    if cell.row.with_untracked(|known| known != row) {
        cell.row.set(row.clone());
    }
}
