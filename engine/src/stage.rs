//! The engine with nobody behind it: a virtual clock, every delivery accepted at once, nothing sent and nothing stored.
//!
//! Whatever asks "what would happen" asks here: the tests in a configuration, replays, and the picture of a policy.

use crate::{
    compile::Snapshot,
    engine::Engine,
    event::{Changes, Command, Effects, Event, Ingested, Part},
    normalize::{Source, normalize},
};
use shared::{
    AttemptState, ContactId, IncidentId, IntegrationId, PageId, PageVia, PolicyId, Recipient, Severity, Timestamp,
    config::ContactKind,
};
use std::{collections::VecDeque, ops::ControlFlow, sync::Arc};

/// The engine under a clock that only moves when it is told to.
#[derive(Debug)]
pub struct Stage {
    engine: Engine,
    now: Timestamp,
}

/// One delivery that would have begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    pub at: Timestamp,
    pub incident: IncidentId,
    pub page: PageId,
    /// The first delivery of its page, which is when the page begins.
    pub first: bool,
    /// Asked for after every level was used up.
    pub reminder: bool,
    pub recipient: Recipient,
    pub via: PageVia,
    pub contact: ContactId,
    pub channel: ContactKind,
    pub policy: PolicyId,
    /// 0-based.
    pub level: u32,
    pub cycle: u32,
    /// Of the incident, at that moment.
    pub severity: Severity,
}

/// What one event came to.
#[derive(Clone, Debug, Default)]
pub struct Scene {
    pub at: Timestamp,
    /// In the order in which they began.
    pub sent: Vec<Sent>,
    pub changes: Changes,
}

/// Looks at each scene; breaking off ends the waiting.
pub type Watch<'a> = &'a mut dyn FnMut(&Scene) -> ControlFlow<()>;

/// A message as a sender posted it.
#[derive(Clone, Copy, Debug)]
pub struct Post<'a> {
    pub integration: &'a IntegrationId,
    pub content_type: Option<&'a str>,
    pub key: Option<&'a str>,
    pub received_at: Timestamp,
    pub body: &'a [u8],
}

impl Stage {
    /// An engine that knows nothing yet, at an instant.
    #[must_use]
    pub fn new(config: Arc<Snapshot>, now: Timestamp) -> Self {
        Self { engine: Engine::new(config), now }
    }

    /// The engine as it stands.
    #[must_use]
    pub const fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Lets everything happen that is due until then, that instant included.
    pub fn advance(&mut self, until: Timestamp, watch: Watch<'_>) {
        while let Some((due, _)) = self.engine.next_deadline().filter(|(due, _)| *due <= until) {
            self.now = self.now.max(due);
            if self.step(Event::Wake, watch).1.is_break() {
                return;
            }
        }
        self.now = self.now.max(until);
    }

    /// A message arrives, after all that was due before it.
    pub fn post(&mut self, at: Timestamp, post: &Post<'_>, watch: Watch<'_>) -> Effects {
        let integration = self.engine.config().integration(post.integration);
        let (content_type, received_at) = (post.content_type, post.received_at);
        let source = Source { integration: &integration, content_type, format: None, peer: None, received_at };
        let parsed = normalize(&source, post.body);
        let message = Ingested {
            integration: post.integration.clone(),
            key: post.key.map(ToOwned::to_owned),
            events: parsed.events.into_iter().map(|parsed| parsed.event).collect(),
            rejected: parsed.rejected,
            places: Vec::new(),
            replayed: false,
        };
        self.happen(at, Event::Ingested(message), watch)
    }

    /// Something happens, after all that was due before it. Time never goes back: what comes late happens now.
    pub fn happen(&mut self, at: Timestamp, event: Event, watch: Watch<'_>) -> Effects {
        self.advance(at, watch);
        self.step(event, watch).0
    }

    fn step(&mut self, event: Event, watch: Watch<'_>) -> (Effects, ControlFlow<()>) {
        let now = self.now;
        let mut effects = self.engine.handle(now, event);
        let mut commands: VecDeque<Command> = std::mem::take(&mut effects.commands).into();
        let mut sent = Vec::with_capacity(commands.len());
        while let Some(command) = commands.pop_front() {
            let Command::Deliver { incident, attempt, try_number, .. } = &command;
            let (incident, attempt, try_number) = (*incident, *attempt, *try_number);
            sent.extend(self.begun(command));
            let taken = Event::DeliveryFinished { incident, attempt, try_number, result: Ok(None) };
            commands.extend(self.engine.handle(now, taken).commands);
        }
        let scene = Scene { at: now, sent, changes: self.engine.take_changes() };
        let goes_on = watch(&scene);
        (effects, goes_on)
    }

    /// Every page of one message, which may be about several incidents.
    fn begun(&self, command: Command) -> Vec<Sent> {
        let Command::Deliver { incident, page, attempt, contact, reminder, others, .. } = command;
        let parts = std::iter::once(Part { incident, page, attempt, reminder }).chain(others);
        parts.filter_map(|part| self.page_begun(part, &contact)).collect()
    }

    fn page_begun(&self, part: Part, contact: &ContactId) -> Option<Sent> {
        let Part { incident, page, attempt, reminder } = part;
        let known = self.engine.state.incidents.get(&incident)?;
        let page = known.pages.iter().rev().find(|it| it.id == page)?;
        let first =
            page.attempts.iter().filter(|it| it.first_sent_at.is_some()).min_by_key(|it| (it.first_sent_at, it.id));
        let channel = page.attempts.iter().find(|it| it.id == attempt)?.channel;
        debug_assert!(page.attempts.iter().all(|it| it.state != AttemptState::Failed), "nothing fails on a stage");
        Some(Sent {
            at: self.now,
            incident,
            page: page.id,
            first: first.is_some_and(|first| first.id == attempt),
            reminder,
            recipient: page.recipient.clone(),
            via: page.via.clone(),
            contact: contact.clone(),
            channel,
            policy: page.policy.clone(),
            level: page.level,
            cycle: page.cycle,
            severity: known.severity,
        })
    }
}
