//! Repeats that only count: their message is stored at once, the alert and the incident they count for a little later.
//!
//! Whoever sends the same words thirty times a second has said nothing new. Their messages are durable with their
//! outcomes, so the counts can be made of them again: after a crash they are ([`Repeats::settled`] says from where).

use shared::{AlertId, EventId, Timestamp};
use std::collections::{BTreeMap, VecDeque};

/// Alerts whose stored row lacks repeats.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Repeats {
    /// The first message each row lacks.
    lacking: BTreeMap<AlertId, EventId>,
    /// The same in the order of messages; entries that `lacking` does not confirm are void.
    order: VecDeque<(Timestamp, EventId, AlertId)>,
}

impl Repeats {
    /// The alert's row lacks this message from now on.
    pub(crate) fn wait(&mut self, alert: AlertId, event: EventId, now: Timestamp) {
        if let std::collections::btree_map::Entry::Vacant(entry) = self.lacking.entry(alert) {
            entry.insert(event);
            self.order.push_back((now, event, alert));
        }
    }

    /// The alert's row is written with all its repeats; whether it lacked any.
    pub(crate) fn written(&mut self, alert: AlertId) -> bool {
        self.lacking.remove(&alert).is_some()
    }

    /// Takes the alerts that have waited since `before` or longer.
    pub(crate) fn take(&mut self, before: Timestamp) -> Vec<AlertId> {
        let mut taken = Vec::new();
        while let Some((since, event, alert)) = self.order.front().copied() {
            let void = self.lacking.get(&alert) != Some(&event);
            if !void && since > before {
                break;
            }
            self.order.pop_front();
            if !void {
                self.lacking.remove(&alert);
                taken.push(alert);
            }
        }
        taken
    }

    /// The last message up to which no row lacks anything; `newest` is the last one of all.
    pub(crate) fn settled(&mut self, newest: EventId) -> EventId {
        while let Some((_, event, alert)) = self.order.front() {
            if self.lacking.get(alert) == Some(event) {
                return EventId(event.0 - 1);
            }
            self.order.pop_front();
        }
        newest
    }
}
