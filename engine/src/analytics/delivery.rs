//! How messages fared, by channel and day: what was handed over, what was taken, what failed, and how long it took.

use super::{Scope, people::wall, times::percentile};
use jiff::civil::Date;
use shared::{
    Attempt, AttemptId, AttemptState, Incident,
    api::{ChannelDay, ChannelFigures, DeliveryCount},
    config::ContactKind,
};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug, Default)]
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

    fn join(&mut self, other: &Self) {
        let (all, one) = (&mut self.count, &other.count);
        all.sent += one.sent;
        all.accepted += one.accepted;
        all.failed += one.failed;
        all.cancelled += one.cancelled;
        all.waiting += one.waiting;
        all.retried += one.retried;
        self.took_ms.extend(&other.took_ms);
    }

    fn finish(mut self) -> DeliveryCount {
        self.took_ms.sort_unstable();
        let rank = |percent| percentile(&self.took_ms, percent);
        DeliveryCount { p50_ms: rank(50), p90_ms: rank(90), p99_ms: rank(99), ..self.count }
    }
}

/// The messages of a range by channel and day of the reader's; one that is about several incidents counts once.
#[derive(Debug, Default)]
pub(super) struct Deliveries {
    channels: BTreeMap<ContactKind, BTreeMap<Date, Row>>,
    seen: BTreeSet<AttemptId>,
}

impl Deliveries {
    /// Counts every delivery that was first handed over in the range.
    pub(super) fn add(&mut self, scope: &Scope, incident: &Incident) {
        for attempt in incident.pages.iter().flat_map(|page| &page.attempts) {
            let Some(sent) = attempt.first_sent_at.filter(|at| scope.has(*at)) else { continue };
            let Some(wall) = wall(&scope.zone, sent) else { continue };
            if self.seen.insert(attempt.message()) {
                self.channels.entry(attempt.channel).or_default().entry(wall.date()).or_default().add(attempt);
            }
        }
    }

    pub(super) fn finish(self) -> Vec<ChannelFigures> {
        let tell = |(channel, days): (ContactKind, BTreeMap<Date, Row>)| {
            let mut all = Row::default();
            days.values().for_each(|day| all.join(day));
            let days = days.into_iter().map(|(day, row)| ChannelDay { day: day.to_string(), count: row.finish() });
            ChannelFigures { channel, all: all.finish(), days: days.collect() }
        };
        self.channels.into_iter().map(tell).collect()
    }
}
