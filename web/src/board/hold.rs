//! A live list never moves under the finger: while it is held, new rows wait behind a pill.

use super::arrange::Item;
use shared::IncidentId;
use std::collections::HashSet;

/// Why the list stands still.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reasons {
    pub(crate) pointer: bool,
    pub(crate) selection: bool,
    pub(crate) scrolled: bool,
    pub(crate) paused: bool,
}

impl Reasons {
    pub(crate) const fn any(self) -> bool {
        self.pointer || self.selection || self.scrolled || self.paused
    }
}

/// Ids that are in the fresh list but not in the one on screen, in their order.
pub(crate) fn waiting(on_screen: &[Item], fresh: &[Item]) -> Vec<IncidentId> {
    let known: HashSet<IncidentId> = on_screen.iter().filter_map(Item::id).collect();
    fresh.iter().filter_map(Item::id).filter(|id| !known.contains(id)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_new_rows_wait() {
        let item = |id| Item::Row(IncidentId(id));
        let on_screen = [item(1), item(2)];
        assert_eq!(waiting(&on_screen, &[item(3), item(2), item(4)]), [IncidentId(3), IncidentId(4)]);
        assert!(waiting(&on_screen, &[item(2)]).is_empty());
    }
}
