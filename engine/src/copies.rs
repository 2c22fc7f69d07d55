//! One event told several times: Open-Falcon's alarm sends it as a text message, as chat and as mail, each to those who want it so.
//!
//! What all of them hold is the line. With the time and the step of Open-Falcon's own line it is the same event whenever it comes;
//! a line without them is the same event while that is open, when it comes soon and to other people, and a repetition when to
//! the same. What ends something that is open is never taken for a copy.

use shared::{Action, AlertEvent, Delay, EventId, Format, IntegrationId, Severity, SharedStr, Timestamp};
use std::collections::{BTreeMap, VecDeque};

/// Who else is told of an event may be told so much later: mail waits in a queue.
const DATED: Delay = Delay::mins(15);
/// The same of an event that does not say when it was.
const UNDATED: Delay = Delay::mins(2);
/// An event has no more copies than this.
const COPIES: usize = 16;
/// A list of recipients is not made longer than this.
const RECIPIENTS_BYTES: usize = 4 * 1024;
/// Events remembered; older ones are forgotten first.
const MOST: usize = 10_000;

/// The label that names whom Open-Falcon sent it to, with commas between them.
pub(crate) const RECIPIENTS: &str = "tos";

/// Events that came of late from where they may come again. Only in memory: after a restart a copy counts as a repetition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Copies {
    told: BTreeMap<Key, Told>,
    /// When each was told first, oldest first.
    order: VecDeque<(Timestamp, Key)>,
}

/// What all copies of an event have in common.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    integration: IntegrationId,
    action: Action,
    severity: Severity,
    identity: SharedStr,
    /// The line; of a merged one each channel has its own.
    summary: SharedStr,
    occurred_at: Option<Timestamp>,
    step: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Told {
    at: Timestamp,
    message: EventId,
    recipients: Vec<String>,
}

impl Copies {
    /// The message that told the same event already; what is none is remembered.
    pub(crate) fn of(
        &mut self,
        integration: &IntegrationId,
        event: &AlertEvent,
        message: EventId,
        is_open: bool,
        now: Timestamp,
    ) -> Option<EventId> {
        // Open-Falcon names the same people in another order each time.
        let mut to: Vec<&str> = names(event.labels.get(RECIPIENTS)?).collect();
        to.sort_unstable();
        let to = to.join(",");
        let is_merged = event.format == Format::Combined;
        let step = event.metric.as_ref().and_then(|metric| metric.step);
        let key = Key {
            integration: integration.clone(),
            action: event.action,
            severity: event.severity,
            identity: event.dedup_key.clone(),
            summary: if is_merged { SharedStr::default() } else { event.summary.clone() },
            occurred_at: event.occurred_at,
            step,
        };
        let is_dated = event.occurred_at.is_some() && step.is_some();
        let window = if is_dated { DATED } else { UNDATED };
        if let Some(told) = self.told.get_mut(&key).filter(|told| now < told.at.after(window)) {
            let is_new = !told.recipients.contains(&to) && told.recipients.len() < COPIES;
            if is_new {
                told.recipients.push(to.clone());
            }
            let is_copy = match event.action {
                Action::Resolve => !is_open,
                _ => is_dated || (is_new && is_open),
            };
            if is_copy {
                return Some(told.message);
            }
        }
        while self.order.front().is_some_and(|(at, _)| at.after(DATED) <= now) || self.order.len() >= MOST {
            let Some((at, key)) = self.order.pop_front() else { break };
            // One that was told again since has another entry.
            if self.told.get(&key).is_some_and(|told| told.at == at) {
                self.told.remove(&key);
            }
        }
        self.order.push_back((now, key.clone()));
        self.told.insert(key, Told { at: now, message, recipients: vec![to] });
        None
    }
}

fn names(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|name| !name.is_empty())
}

/// Both lists of recipients as one, in the order in which they came.
pub(crate) fn merged(one: &str, other: &str) -> String {
    let mut all: Vec<&str> = Vec::new();
    let mut bytes = 0;
    for name in names(one).chain(names(other)) {
        if !all.contains(&name) && bytes + name.len() < RECIPIENTS_BYTES {
            bytes += name.len() + 1;
            all.push(name);
        }
    }
    all.join(",")
}
