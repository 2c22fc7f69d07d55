//! Replays what is stored: reads it page by page, oldest first, and asks the engine what would have been.

mod desk;

pub use desk::{Desk, Occupied};

use crate::db::{Readers, Store, StoreError};
use engine::{
    Snapshot,
    replay::{self, Past, Progress, Received, Span, Stopped},
};
use shared::{
    Delay, EventId, Timestamp,
    api::{Answers, ReplayDiff, Replayed},
    timeline::Outcome,
};
use std::{
    collections::{BTreeMap, VecDeque, btree_map::Entry},
    ops::ControlFlow,
    sync::Arc,
};

/// Before what counts, so much is lived through: what was open then is mostly known, as after a restart.
const BEFORE: Delay = engine::MEMORY;

/// What is to be replayed.
#[derive(Clone, Debug)]
pub struct Order {
    pub running: Arc<Snapshot>,
    pub draft: Option<Arc<Snapshot>>,
    pub span: Span,
    pub answers: Answers,
}

/// Replays the stored messages of a span. Only reads, a little at a time; blocks for long.
///
/// # Errors
/// When it is cancelled, or the database does not answer.
pub fn replay(
    readers: &Readers,
    order: Order,
    progress: impl FnMut(Progress) -> ControlFlow<()>,
) -> Result<Replayed, Stopped<StoreError>> {
    let Order { running, draft, span, answers } = order;
    let past = History::begin(readers, span, answers).map_err(Stopped::Unreadable)?;
    let mut replayed = replay::replay(running, draft, span, answers, past, progress)?;
    if let Some(diff) = &mut replayed.diff {
        readers.with(|store| find_incidents(store, diff)).map_err(Stopped::Unreadable)?;
    }
    Ok(replayed)
}

/// Names the incidents that what a draft changes really went to.
fn find_incidents(store: &mut Store, diff: &mut ReplayDiff) -> Result<(), StoreError> {
    let mut known: BTreeMap<EventId, Vec<Outcome>> = BTreeMap::new();
    let lost = diff.lost.iter_mut().map(|it| &mut it.alert);
    let pages = diff.gained.iter_mut().chain(&mut diff.dropped).map(|it| &mut it.alert);
    for alert in lost.chain(pages) {
        let outcomes = match known.entry(alert.message) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(empty) => empty.insert(store.event(alert.message)?.map_or_else(Vec::new, |it| it.outcomes)),
        };
        let place = usize::try_from(alert.place).unwrap_or(usize::MAX);
        alert.incident = outcomes.get(place).and_then(Outcome::incident);
    }
    Ok(())
}

/// Everything that was stored of a span, by time.
struct History<'a> {
    readers: &'a Readers,
    /// Silences and answers, by time.
    others: VecDeque<(Timestamp, Past)>,
    messages: VecDeque<(Timestamp, Past)>,
    last: EventId,
    is_over: bool,
}

impl<'a> History<'a> {
    fn begin(readers: &'a Readers, span: Span, answers: Answers) -> Result<Self, StoreError> {
        let since = span.from.plus_ms(-BEFORE.0);
        let (last, others) = readers.with(|store| {
            let mut others = store.silences_past(since)?;
            if answers == Answers::AsItWas {
                others.extend(store.answers_past(since, span.until)?);
            }
            others.sort_by_key(|(at, _)| *at);
            Ok((store.last_event_before(since)?, others))
        })?;
        Ok(Self { readers, others: others.into(), messages: VecDeque::new(), last, is_over: false })
    }

    fn read(&mut self) -> Result<(), StoreError> {
        let last = self.last;
        let messages = self.readers.with(|store: &mut Store| store.messages_after(last))?;
        self.is_over = messages.is_empty();
        for message in messages {
            self.last = message.id;
            let received = Received {
                id: message.id,
                integration: message.integration,
                content_type: Some(message.content_type),
                key: message.key,
                received_at: message.received_at,
                body: message.body,
            };
            self.messages.push_back((message.decided_at, Past::Message(received)));
        }
        Ok(())
    }
}

impl Iterator for History<'_> {
    type Item = Result<(Timestamp, Past), StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.messages.is_empty()
            && !self.is_over
            && let Err(error) = self.read()
        {
            self.is_over = true;
            return Some(Err(error));
        }
        let (other, message) = (self.others.front(), self.messages.front());
        let other_first = match (other, message) {
            (Some((other, _)), Some((message, _))) => other <= message,
            (other, _) => other.is_some(),
        };
        if other_first { self.others.pop_front().map(Ok) } else { self.messages.pop_front().map(Ok) }
    }
}
