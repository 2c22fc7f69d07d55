//! What changed on the board since somebody looked, for those who ask again instead of being told.

use super::Board;
use shared::{Incident, IncidentId};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// What changed between two deltas.
#[derive(Clone, Debug)]
pub struct Since {
    /// The newest delta's number.
    pub seq: u64,
    /// What is open, as it is now.
    pub open: Vec<Arc<Incident>>,
    pub over: Vec<IncidentId>,
}

impl Board {
    /// What changed after delta number `seq`; none when that cannot be told any more, or never could.
    #[must_use]
    pub fn since(&self, seq: u64) -> Option<Since> {
        let rows = self.lock();
        let is_kept = rows.kept.front().is_some_and(|first| first.seq <= seq.saturating_add(1));
        if seq > rows.seq || (seq < rows.seq && !is_kept) {
            return None;
        }
        let later = rows.kept.iter().filter(|frame| frame.seq > seq);
        let ids: BTreeSet<IncidentId> = later.flat_map(|frame| frame.about.iter().copied()).collect();
        let (open, over): (Vec<_>, Vec<_>) = ids.into_iter().partition(|id| rows.incidents.contains_key(id));
        let open = open.iter().filter_map(|id| rows.incidents.get(id).cloned()).collect();
        Some(Since { seq: rows.seq, open, over })
    }

    /// Every open incident that `wanted` wants, and the newest delta's number before they were looked through.
    pub fn open(&self, mut wanted: impl FnMut(&Incident) -> bool) -> (u64, Vec<Arc<Incident>>) {
        let seq = self.seq();
        let mut found: BTreeMap<IncidentId, Arc<Incident>> = BTreeMap::new();
        self.look_through(|_, incident| {
            if wanted(incident) {
                found.insert(incident.id, incident.clone());
            }
        });
        (seq, found.into_values().collect())
    }
}
