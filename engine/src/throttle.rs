//! When the next message may go to a contact: not right after the one before, within the limits, in a storm only when
//! there is twice as much to tell. A P0 is never asked.

use crate::state::State;
use serde::{Deserialize, Serialize};
use shared::{
    ContactId, Delay, IncidentId, PersonId, Recipient, Throttle, ThrottledBy, Timestamp,
    config::{ContactKind, Document, Paging},
};

/// Whom a message is for, and by which contact: a person, or the room of a chat.
pub(crate) type Outlet = (Recipient, ContactId);

/// What a person was sent by one contact of late.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactSends {
    pub person: PersonId,
    pub contact: ContactId,
    pub log: SendLog,
}

/// Messages of late, without those about a P0.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendLog {
    /// Oldest first; as many as a limit asks for.
    pub sent: Vec<Timestamp>,
    /// What the person was told of the storm that lasts, or lasted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storm: Option<Told>,
}

/// How many incidents of a storm a person was told of by one contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    pub storm: IncidentId,
    pub incidents: u32,
    pub at: Timestamp,
}

impl SendLog {
    /// A message began; what no limit asks for any more is forgotten.
    pub(crate) fn add(&mut self, now: Timestamp, document: &Document) {
        let longest = document.limits.0.iter().map(|limit| limit.within).max().unwrap_or_default();
        let since = now.plus_ms(-longest.0.max(document.paging.bundle.0));
        self.sent.retain(|at| *at > since);
        self.sent.push(now);
    }

    /// The same when the clock was set back meanwhile.
    pub(crate) fn hasten(&mut self, by_ms: i64) {
        self.sent.iter_mut().for_each(|at| *at = at.plus_ms(-by_ms));
        self.storm.iter_mut().for_each(|told| told.at = told.at.plus_ms(-by_ms));
    }

    fn bundle(&self, paging: &Paging) -> Option<Throttle> {
        let last = self.sent.last()?;
        Some(Throttle { until: last.after(paging.bundle), because: ThrottledBy::Bundle { within_ms: paging.bundle.0 } })
    }
}

/// When so many messages within this time are not exceeded by one more.
fn under(sent: &[Timestamp], messages: u32, within: Delay) -> Option<Timestamp> {
    let oldest = sent.len().checked_sub(messages as usize)?;
    sent.get(oldest).map(|at| at.after(within))
}

/// What waits to be sent in one message.
pub(crate) struct Waiting {
    pub(crate) kind: ContactKind,
    /// Something is P1 at least: it goes at once as far as the limits allow.
    pub(crate) urgent: bool,
    pub(crate) incidents: usize,
}

/// What a message to an outlet waits for now; none when it may go.
pub(crate) fn throttle(
    state: &State,
    document: &Document,
    (recipient, contact): &Outlet,
    waiting: &Waiting,
    now: Timestamp,
) -> Option<Throttle> {
    // In a room there is nobody whose sleep is spared.
    let Recipient::Person(person) = recipient else { return None };
    let log = state.sends.get(&(person.clone(), contact.clone()));
    let mut waits: Vec<Throttle> =
        log.filter(|_| !waiting.urgent).and_then(|log| log.bundle(&document.paging)).into_iter().collect();
    let own = log.map_or(&[][..], |log| &log.sent);
    let mut all: Option<Vec<Timestamp>> = None;
    for limit in &document.limits.0 {
        let (messages, within, within_ms) = (limit.messages, limit.within, limit.within.0);
        match limit.contact {
            Some(of) if of != waiting.kind => {}
            Some(_) => waits.extend(under(own, messages, within).map(|until| {
                let because = ThrottledBy::Limit { messages, within_ms };
                Throttle { until, because }
            })),
            None => {
                let all = all.get_or_insert_with(|| sent_to(state, person));
                waits.extend(under(all, messages, within).map(|until| {
                    let because = ThrottledBy::Budget { messages, within_ms };
                    Throttle { until, because }
                }));
            }
        }
    }
    if let Some(storm) = &state.storm
        && let Some(told) = log.and_then(|log| log.storm).filter(|told| told.storm == storm.id)
        && waiting.incidents < told.incidents as usize
    {
        let until = told.at.after(document.storm.at_least_every);
        waits.push(Throttle { until, because: ThrottledBy::Storm { storm: storm.id } });
    }
    waits.into_iter().filter(|throttle| throttle.until > now).max_by_key(|throttle| throttle.until)
}

/// Messages to a person by all of their contacts, oldest first.
fn sent_to(state: &State, person: &PersonId) -> Vec<Timestamp> {
    let from = (person.clone(), ContactId::default());
    let logs = state.sends.range(from..).take_while(|((whose, _), _)| whose == person);
    let mut sent: Vec<Timestamp> = logs.flat_map(|(_, log)| log.sent.iter().copied()).collect();
    sent.sort_unstable();
    sent
}
