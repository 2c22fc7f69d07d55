//! Stored messages through a configuration that may never have seen them: who would have been paged, when, and what
//! would have been lost.
//!
//! Messages are taken one by one, in the order in which they were decided on, and none is kept. A draft is replayed
//! beside the configuration in force, message by message, so that the same alert is known in both.

mod diff;
mod ledger;
mod report;

pub use ledger::NIGHT;

use crate::{Snapshot, stage::Post};
use ledger::Ledger;
use shared::{
    EventId, IntegrationId, Silence, SilenceId, Timestamp,
    api::{Answers, Replayed, Unpaged},
    timeline::{Actor, DropReason, Outcome, SuppressReason},
};
use std::{ops::ControlFlow, sync::Arc};

/// The instants that count. What was stored before `from` is lived through, so that what was open then is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub from: Timestamp,
    pub until: Timestamp,
}

/// A stored message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    pub id: EventId,
    pub integration: IntegrationId,
    pub content_type: Option<String>,
    pub key: Option<String>,
    pub received_at: Timestamp,
    pub body: Vec<u8>,
}

/// What people did about an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Identities of the incident's alerts: whatever incident holds the first of them that is open is answered.
    pub integration: IntegrationId,
    pub dedup_keys: Vec<String>,
    pub by: Actor,
    pub act: crate::Act,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Past {
    Message(Received),
    Answered(Answer),
    Silenced(Box<Silence>),
    SilenceEnded(SilenceId),
}

/// How far a replay has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    pub messages: u64,
    pub at: Timestamp,
}

/// Messages between two words of progress.
const EVERY: u64 = 256;

/// Why there is no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stopped<E> {
    /// Whoever watched the progress did not want more.
    Cancelled,
    /// What happened could not be read.
    Unreadable(E),
}

/// Replays what happened, oldest first, through the configuration in force and a draft of another. Answers are part of
/// the past when `answers` says so; leaving them out is up to whoever reads the past.
///
/// # Errors
/// When it is cancelled, or the past cannot be read.
pub fn replay<E>(
    running: Arc<Snapshot>,
    draft: Option<Arc<Snapshot>>,
    span: Span,
    answers: Answers,
    past: impl IntoIterator<Item = Result<(Timestamp, Past), E>>,
    mut progress: impl FnMut(Progress) -> ControlFlow<()>,
) -> Result<Replayed, Stopped<E>> {
    let mut running = Ledger::new(running, span);
    let mut draft = draft.map(|config| Ledger::new(config, span));
    let mut pairs = Vec::new();
    let mut messages = 0;
    for happened in past {
        let (at, past) = happened.map_err(Stopped::Unreadable)?;
        if at >= span.until {
            break;
        }
        let today = running.take(at, &past);
        let other = draft.as_mut().map(|draft| draft.take(at, &past));
        let Past::Message(message) = &past else { continue };
        if let Some(other) = &other
            && at >= span.from
            && pairs.len() < ledger::KEPT_MAX
        {
            pairs.extend(diff::pairs(message.id, &today, other));
        }
        messages += 1;
        if messages % EVERY == 0 && progress(Progress { messages, at }).is_break() {
            return Err(Stopped::Cancelled);
        }
    }
    running.end();
    draft.iter_mut().for_each(Ledger::end);
    if progress(Progress { messages, at: span.until }).is_break() {
        return Err(Stopped::Cancelled);
    }
    let diff = draft.as_ref().map(|draft| diff::diff(&running, draft, &pairs));
    Ok(Replayed { answers, running: running.report(), draft: draft.as_ref().map(Ledger::report), diff })
}

impl Received {
    fn post(&self) -> Post<'_> {
        Post {
            integration: &self.integration,
            content_type: self.content_type.as_deref().filter(|text| !text.is_empty()),
            key: self.key.as_deref(),
            received_at: self.received_at,
            body: &self.body,
        }
    }
}

/// Why a member of a message went to no incident.
const fn nowhere(outcome: &Outcome) -> Option<Unpaged> {
    match outcome {
        Outcome::Rejected { .. } => Some(Unpaged::Rejected),
        Outcome::Suppressed { reason: SuppressReason::Stale } => Some(Unpaged::Stale),
        Outcome::Suppressed { reason: SuppressReason::Over { .. } }
        | Outcome::Dropped { reason: DropReason::Overtaken { .. } } => Some(Unpaged::Overtaken),
        Outcome::Dropped { reason: DropReason::UnmatchedResolve } => Some(Unpaged::UnmatchedRecovery),
        // A beat is taken, and that is all it is for.
        Outcome::Suppressed { reason: SuppressReason::Heartbeat { .. } | SuppressReason::Change }
        | Outcome::Dropped { reason: DropReason::Duplicate { .. } | DropReason::UnmatchedAck }
        | Outcome::Opened { .. }
        | Outcome::Refreshed { .. }
        | Outcome::Acknowledged { .. }
        | Outcome::Closed { .. } => None,
    }
}
