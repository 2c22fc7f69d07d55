//! A storm of incidents, and the account of it.

use crate::{IncidentId, Timestamp};
use serde::{Deserialize, Serialize};

/// So many incidents at once that pages about all but P0 were collected; counted as it went on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Storm {
    /// The incident that made it one.
    pub id: IncidentId,
    /// When the first of those opened that made it one.
    pub since: Timestamp,
    pub began_at: Timestamp,
    /// When it is over, unless more come.
    pub until: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// Incidents, those included that made it a storm.
    pub incidents: u64,
    /// Of those, P0: they paged as always.
    pub p0: u64,
    /// Of those, how many a silence, a maintenance or an inhibition kept quiet when they opened.
    pub quiet: u64,
    /// Alert events that came in since it began, and where each ended.
    pub received: u64,
    pub outcomes: StormOutcomes,
    pub deliveries: StormDeliveries,
    /// Messages that were sent.
    pub messages: u64,
    /// What is missing in either account: nothing, or there is a defect.
    pub dropped: u64,
}

/// Where alert events ended: exactly one of these each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StormOutcomes {
    pub opened: u64,
    /// Sent again, or answered where they come from.
    pub refreshed: u64,
    pub closed: u64,
    /// Kept, and too old to page anybody.
    pub suppressed: u64,
    /// Kept, and nothing to change: recoveries of what is not open, and repeated messages.
    pub unchanged: u64,
    /// Not understood; kept in quarantine.
    pub rejected: u64,
}

impl StormOutcomes {
    /// All of them.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.opened + self.refreshed + self.closed + self.suppressed + self.unchanged + self.rejected
    }
}

/// What became of deliveries that were due: `carried + due = sent + cancelled + waiting`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StormDeliveries {
    /// Due already when it began.
    pub carried: u64,
    /// Due since.
    pub due: u64,
    pub sent: u64,
    /// Of those, how many shared a message with others.
    pub bundled: u64,
    /// How many waited for their message.
    pub delayed: u64,
    /// Answered, over or paged anew before they were sent.
    pub cancelled: u64,
    /// Waiting when it was counted last.
    pub waiting: u64,
}

impl Storm {
    /// How many deliveries must be waiting by what was counted.
    #[must_use]
    pub const fn must_wait(&self) -> u64 {
        let it = &self.deliveries;
        (it.carried + it.due).saturating_sub(it.sent + it.cancelled)
    }

    /// What waits is about to come due once more, after a restart.
    pub fn carry_over(&mut self) {
        let waits = self.must_wait();
        let it = &mut self.deliveries;
        let of_due = waits.min(it.due);
        it.due -= of_due;
        it.carried = it.carried.saturating_sub(waits - of_due);
        it.waiting = 0;
    }

    /// Closes both accounts: `waiting` deliveries were found to wait.
    pub const fn balance(&mut self, waiting: u64) {
        self.deliveries.waiting = waiting;
        self.dropped = self.received.abs_diff(self.outcomes.total()) + self.must_wait().abs_diff(waiting);
    }
}
