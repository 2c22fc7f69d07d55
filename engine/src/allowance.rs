//! What a provider takes from one robot, or for one number: whatever is more is refused there, and some then refuse
//! everything for minutes. So the last places are kept for what is more urgent, and what waits for one becomes part of
//! the next message.

use crate::Snapshot;
use shared::{
    Attempt, AttemptId, Delay, Page, Recipient, Throttle, ThrottledBy, Timestamp,
    config::{Allowance, ContactKind, Document},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// A P0 waits no longer than this for what we think a provider takes: then it decides itself, and refuses or not.
const P0_WAITS_MOST: Delay = Delay::mins(1);
/// Of an allowance of so many messages and more, a tenth is kept for P0.
const KEPT_OF: u32 = 5;

/// Whose messages a provider counts together.
#[derive(Clone, Debug)]
pub(crate) struct Robot {
    /// Kind and address.
    key: String,
    kind: ContactKind,
    allowances: Arc<[Allowance]>,
}

/// The allowances that hold, by the kind of contact.
pub(crate) fn compile(document: &Document) -> BTreeMap<ContactKind, Arc<[Allowance]>> {
    let of = |kind: ContactKind| (kind, document.allowances(kind).collect::<Arc<[_]>>());
    ContactKind::ALL.into_iter().map(of).filter(|(_, allowances)| !allowances.is_empty()).collect()
}

impl Robot {
    #[cfg(test)]
    pub(crate) const fn new(kind: ContactKind, key: String, allowances: Arc<[Allowance]>) -> Self {
        Self { key, kind, allowances }
    }

    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// Where a delivery is counted; none where nothing is.
    pub(crate) fn of(config: &Snapshot, page: &Page, attempt: &Attempt) -> Option<Self> {
        let allowances = config.allowances.get(&attempt.channel)?.clone();
        let address = match &page.recipient {
            Recipient::Webhook(hook) => config.hooks.get(hook)?.url.as_str(),
            Recipient::Person(person) => {
                let contacts = &config.people.get(person)?.contacts;
                contacts.iter().find(|contact| contact.id == attempt.contact)?.address()?.1
            }
        };
        let kind = attempt.channel;
        Some(Self { key: format!("{} {address}", kind.as_str()), kind, allowances })
    }

    /// Where an allowance counts.
    fn counter(&self, allowance: &Allowance) -> &str {
        if allowance.together { self.kind.as_str() } else { &self.key }
    }

    /// Where a message counts, each with how far back.
    fn counters(&self) -> BTreeMap<&str, i64> {
        let mut counters = BTreeMap::new();
        for allowance in &*self.allowances {
            let longest = counters.entry(self.counter(allowance)).or_default();
            *longest = allowance.within.0.max(*longest);
        }
        counters
    }
}

/// What robots were given of late, and what waits for them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Meters {
    /// By address or by kind; oldest first, as far back as an allowance asks.
    given: BTreeMap<String, Vec<Timestamp>>,
    /// Deliveries that wait, with why and until when at least.
    held: BTreeMap<String, Held>,
}

#[derive(Clone, Debug)]
struct Held {
    places: BTreeSet<Place>,
    until: Throttle,
}

/// Urgency, then due time, then number.
pub(crate) type Place = (u8, Timestamp, AttemptId);

impl Meters {
    /// What one more message of this urgency waits for; none when it may go.
    pub(crate) fn wait(&self, robot: &Robot, rank: u8, now: Timestamp) -> Option<Throttle> {
        let waits = robot.allowances.iter().filter_map(|allowance| {
            let given = self.given.get(robot.counter(allowance))?;
            let kept = if rank == 0 || allowance.messages < KEPT_OF { 0 } else { allowance.messages.div_ceil(10) };
            let oldest = given.len().checked_sub((allowance.messages - kept) as usize)?;
            let until = given.get(oldest)?.after(allowance.within);
            let because = ThrottledBy::Allowance { messages: allowance.messages, within_ms: allowance.within.0 };
            (until > now).then_some(Throttle { until, because })
        });
        let longest = waits.max_by_key(|wait| wait.until)?;
        (rank > 0 || longest.until <= now.after(P0_WAITS_MOST)).then_some(longest)
    }

    /// A message is given to a robot; what no allowance asks for any more is forgotten.
    pub(crate) fn give(&mut self, robot: &Robot, at: Timestamp, now: Timestamp) {
        for (counter, longest) in robot.counters() {
            if at > now || at <= now.plus_ms(-longest) {
                continue;
            }
            let given = self.given.entry(counter.to_owned()).or_default();
            given.retain(|it| *it > now.plus_ms(-longest));
            given.insert(given.partition_point(|it| *it <= at), at);
        }
    }

    /// The newest message was not sent after all.
    pub(crate) fn take_back(&mut self, robot: &Robot) {
        for counter in robot.counters().into_keys() {
            self.given.get_mut(counter).and_then(Vec::pop);
        }
    }

    pub(crate) fn hold(&mut self, robot: &Robot, place: Place, until: Throttle, now: Timestamp) {
        let held = self.held.entry(robot.key.clone()).or_insert_with(|| Held { places: BTreeSet::new(), until });
        // It is looked at again as soon as anything may go, or now that it was.
        if until.until < held.until.until || held.until.until <= now {
            held.until = until;
        }
        held.places.insert(place);
    }

    /// Forgets one that waits; gives whether it was there.
    pub(crate) fn remove(&mut self, robot: &Robot, place: &Place) -> bool {
        let Some(held) = self.held.get_mut(&robot.key) else { return false };
        let was = held.places.remove(place);
        if held.places.is_empty() {
            self.held.remove(&robot.key);
        }
        was
    }

    /// The most urgent that waits for a robot, when that may take something by now.
    pub(crate) fn next(&mut self, robot: &Robot, now: Timestamp) -> Option<Place> {
        let is_due = self.held.get(&robot.key).is_some_and(|held| held.until.until <= now);
        if is_due { self.pop(robot) } else { None }
    }

    /// The most urgent that waits for a robot.
    pub(crate) fn pop(&mut self, robot: &Robot) -> Option<Place> {
        pop(&mut self.held, &robot.key)
    }

    /// The most urgent of each robot that may take something by now.
    pub(crate) fn due(&mut self, now: Timestamp) -> Vec<Place> {
        let due: Vec<String> =
            self.held.iter().filter(|(_, held)| held.until.until <= now).map(|(key, _)| key.clone()).collect();
        due.iter().filter_map(|key| pop(&mut self.held, key)).collect()
    }

    /// Everything that waits.
    pub(crate) fn release(&mut self) -> impl Iterator<Item = Place> + use<> {
        std::mem::take(&mut self.held).into_values().flat_map(|held| held.places)
    }

    /// What somebody waits for who waits for this robot.
    pub(crate) fn held(&self, robot: &Robot, place: &Place) -> Option<Throttle> {
        self.held.get(&robot.key).filter(|held| held.places.contains(place)).map(|held| held.until)
    }

    /// One that waits for a robot nobody looks at again: neither at that time, nor because another one comes.
    pub(crate) fn stuck(&self, looked_at: impl Fn(Timestamp) -> bool, comes: impl Fn(&str) -> bool) -> Option<&Place> {
        let forgotten = |(key, held): &(&String, &Held)| !looked_at(held.until.until) && !comes(key);
        self.held.iter().find(forgotten).and_then(|(_, held)| held.places.first())
    }

    /// When the next robot may take something that takes nothing now. For one that does, somebody waits for a slot.
    pub(crate) fn opens(&self, now: Timestamp) -> Option<Timestamp> {
        self.held.values().map(|held| held.until.until).filter(|until| *until > now).min()
    }
}

fn pop(held: &mut BTreeMap<String, Held>, key: &str) -> Option<Place> {
    let of = held.get_mut(key)?;
    let place = of.places.pop_first();
    if of.places.is_empty() {
        held.remove(key);
    }
    place
}
