//! How messages fared, by channel and day: what was handed over, what was taken, what failed, and how long it took.

use super::{Scope, times::percentile};
use jiff::civil::Date;
use shared::{
    Attempt, AttemptId, AttemptState,
    api::{ChannelDay, ChannelFigures, DeliveryCount},
    config::ContactKind,
};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Default)]
struct Row {
    count: DeliveryCount,
    took_ms: Vec<i64>,
}

impl Row {
    fn add(&mut self, attempt: &Attempt) {
        let count = &mut self.count;
        count.sent += 1;
        count.retried += u32::from(attempt.tries > 1);
        match attempt.state {
            AttemptState::Accepted => count.accepted += 1,
            AttemptState::Failed => count.failed += 1,
            AttemptState::Cancelled => count.cancelled += 1,
            AttemptState::Planned | AttemptState::Sending | AttemptState::Retrying => count.waiting += 1,
        }
        let taken = attempt.finished_at.filter(|_| attempt.state == AttemptState::Accepted);
        if let Some((sent, taken)) = attempt.first_sent_at.zip(taken) {
            self.took_ms.push(taken.ms_since(sent).max(0));
        }
    }

    fn finish(mut self) -> DeliveryCount {
        self.took_ms.sort_unstable();
        let rank = |percent| percentile(&self.took_ms, percent);
        DeliveryCount { p50_ms: rank(50), p90_ms: rank(90), p99_ms: rank(99), ..self.count }
    }
}

/// The messages of a range, by channel; one that is about several incidents counts once.
#[derive(Debug, Default)]
pub(super) struct Deliveries {
    channels: BTreeMap<ContactKind, BTreeMap<Date, (Row, Vec<i64>)>>,
    seen: BTreeSet<AttemptId>,
}
