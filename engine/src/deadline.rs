//! One ordered index of deadlines with their reasons.

use crate::event::Wake;
use shared::Timestamp;
use std::collections::BTreeSet;

/// When something must be looked at again, and why.
#[derive(Clone, Debug, Default)]
pub(crate) struct Deadlines(BTreeSet<(Timestamp, Wake)>);

impl Deadlines {
    pub(crate) fn set(&mut self, at: Timestamp, wake: Wake) {
        self.0.insert((at, wake));
    }

    pub(crate) fn clear(&mut self, at: Timestamp, wake: Wake) {
        self.0.remove(&(at, wake));
    }

    pub(crate) fn next(&self) -> Option<(Timestamp, Wake)> {
        self.0.first().copied()
    }

    /// Takes the earliest deadline that is due.
    pub(crate) fn pop_due(&mut self, now: Timestamp) -> Option<(Timestamp, Wake)> {
        let (at, _) = *self.0.first()?;
        if at <= now { self.0.pop_first() } else { None }
    }

    /// Gives up every deadline of some kinds.
    pub(crate) fn give_up(&mut self, kinds: impl Fn(Wake) -> bool) {
        self.0.retain(|(_, wake)| !kinds(*wake));
    }

    pub(crate) fn contains(&self, at: Timestamp, wake: Wake) -> bool {
        self.0.contains(&(at, wake))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Timestamp, Wake)> + '_ {
        self.0.iter().copied()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}
