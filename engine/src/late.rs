//! Messages that arrive in another order than they were sent, by the sender's own clock.
//!
//! Only times of the same sender about the same identity are compared, and only when both messages have one. Equal times
//! say nothing, and neither does a clock that is ahead of ours. In doubt it pages.

use shared::{AlertEvent, Delay, EventId, Flag, Format, IntegrationId, SharedStr, Timestamp};
use std::collections::{BTreeMap, VecDeque};

/// A problem that was sent before its recovery may arrive so much later.
const ON_THE_WAY: Delay = Delay::mins(15);
/// Recoveries remembered; older ones are forgotten first.
const MOST: usize = 10_000;

/// The identity of an alert.
type Key = (IntegrationId, SharedStr);

/// Recoveries that came of late. Only in memory: after a restart a late problem pages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Late {
    over: BTreeMap<Key, Recovery>,
    /// When each came, oldest first; a key may be there more than once.
    order: VecDeque<(Timestamp, Key)>,
}

/// The newest recovery of an identity by the sender's clock.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Recovery {
    said: Timestamp,
    message: EventId,
    /// How many came of late.
    times: u32,
}

impl Late {
    /// A recovery came.
    pub(crate) fn recovered(&mut self, sender: &IntegrationId, event: &AlertEvent, message: EventId, now: Timestamp) {
        let Some(said) = said(event) else { return };
        while self.order.front().is_some_and(|(at, _)| at.after(ON_THE_WAY) <= now) || self.order.len() >= MOST {
            let Some((_, key)) = self.order.pop_front() else { break };
            self.forget(&key);
        }
        let key = (sender.clone(), event.dedup_key.clone());
        self.order.push_back((now, key.clone()));
        let newest = self.over.entry(key).or_insert(Recovery { said, message, times: 0 });
        newest.times += 1;
        if newest.said < said {
            (newest.said, newest.message) = (said, message);
        }
    }

    /// The recovery that was sent after this problem and came before it.
    pub(crate) fn over_already(&self, sender: &IntegrationId, event: &AlertEvent, now: Timestamp) -> Option<EventId> {
        let said = said(event)?;
        // None in the way of nearly every message.
        if self.order.back().is_none_or(|(at, _)| at.after(ON_THE_WAY) <= now) {
            return None;
        }
        let over = self.over.get(&(sender.clone(), event.dedup_key.clone()))?;
        (said < over.said).then_some(over.message)
    }

    fn forget(&mut self, key: &Key) {
        let Some(known) = self.over.get_mut(key) else { return };
        known.times -= 1;
        if known.times == 0 {
            self.over.remove(key);
        }
    }
}

/// Whether a message was sent before the newest one about an open alert, and is no news any more.
pub(crate) fn is_overtaken(event: &AlertEvent, newest: &AlertEvent) -> bool {
    said(event).zip(said(newest)).is_some_and(|(said, newest)| said < newest)
}

/// When it happened, by a clock of the sender that can be believed.
fn said(event: &AlertEvent) -> Option<Timestamp> {
    // Prometheus says since when something is wrong, and not when it says so.
    let is_start = event.format == Format::Alertmanager;
    event.occurred_at.filter(|_| !is_start && !event.flags.contains(&Flag::ClockSkew))
}
