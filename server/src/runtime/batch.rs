//! What one turn of the engine's thread decided, and what must happen once it is stored.

use super::{
    ActError, Arrived, BeatError, Unavailable,
    inbox::{Beat, BeatReply, Finished, IngestReply, MirrorReply, Places, Proven, SilenceReply, Told},
    receipt,
};
use crate::{
    db::{EXCERPT_CHARS, Message},
    telemetry,
};
use engine::{
    Act, Command, Effects, Engine, Event, Ingested, Refusal, SilenceAct, Tell,
    mirror::{MirrorAct, MirrorCommand},
};
use shared::{
    ContactId, Incident, IncidentId, MirrorId, PersonId, SilenceId, Timestamp, api::Receipt, live::Heard,
    mirror::MirrorReport, timeline::Actor,
};
use tokio::sync::oneshot;

pub(super) type ActReply = oneshot::Sender<Result<Incident, ActError>>;

/// The version in force, after somebody asked for the newest.
pub(super) type Reloaded = Result<i64, Unavailable>;

/// What must happen once a batch is stored, in the order of the batch.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) messages: Vec<Message>,
    pub(super) ingests: Vec<(IngestReply, Receipt)>,
    pub(super) acts: Vec<(ActReply, IncidentId, Option<engine::Refusal>)>,
    pub(super) silences: Vec<(SilenceReply, Result<SilenceId, Refusal>)>,
    pub(super) mirrors: Vec<(MirrorReply, Result<Vec<MirrorId>, Refusal>)>,
    pub(super) orders: Vec<MirrorCommand>,
    pub(super) beats: Vec<(BeatReply, Result<(), BeatError>)>,
    /// Who asked to look for a newer configuration, before that is done.
    pub(super) looks: Vec<Option<oneshot::Sender<Reloaded>>>,
    pub(super) reloads: Vec<(oneshot::Sender<Reloaded>, Reloaded)>,
    pub(super) commands: Vec<Command>,
    pub(super) notices: Vec<Tell>,
    pub(super) heard: Vec<Heard>,
    /// Kept for the case that the commit fails.
    pub(super) urgent: Vec<Arrived>,
    pub(super) results: Vec<Finished>,
    pub(super) handled: bool,
    /// Contacts whose owner was told that they do not work, and those that took a test.
    pub(super) warned: Vec<(PersonId, ContactId)>,
    pub(super) worked: Vec<(PersonId, ContactId)>,
}

impl Batch {
    /// What the engine wants sent.
    pub(super) fn collect(&mut self, effects: &mut Effects) {
        self.commands.append(&mut effects.commands);
        self.notices.append(&mut effects.notices);
        self.orders.append(&mut effects.mirrors);
    }

    /// Members of the messages in it.
    pub(super) fn members(&self) -> usize {
        self.messages.iter().map(|it| it.outcomes.len()).sum()
    }

    /// A message into the engine.
    pub(super) fn ingest(&mut self, engine: &mut Engine, arrived: Arrived, now: Timestamp) -> Receipt {
        let kept = arrived.urgent.then(|| arrived.clone());
        let Arrived { integration, received_at, peer, content_type, key, body, read, places, replayed, .. } = arrived;
        let formats = read
            .events
            .iter()
            .map(|it| it.event.format)
            .collect::<std::collections::BTreeSet<_>>()
            .into_iter()
            .collect();
        let first = read.events.first().map(|it| (it.event.severity, it.event.summary.clone()));
        let charset = read.charset;
        let message = Ingested {
            integration: integration.clone(),
            key: key.clone(),
            events: read.events.into_iter().map(|it| it.event).collect(),
            rejected: read.rejected,
            places,
            replayed,
        };
        self.handled = true;
        let mut effects = engine.handle(now, Event::Ingested(message));
        self.collect(&mut effects);
        let receipt = receipt(effects.event, effects.outcomes);
        // A repetition of what is open changes nothing that would have to be done again.
        let news = receipt.outcomes.iter().any(|it| it.is_news());
        self.urgent.extend(kept.filter(|_| news && !effects.repeated));
        if effects.repeated {
            return receipt;
        }
        telemetry::ingested(&receipt.outcomes);
        let excerpt: String = read.text.chars().take(EXCERPT_CHARS).collect();
        // Told again here it is no sign of its sender.
        if let Some(outcome) = receipt.outcomes.first().filter(|_| !replayed) {
            let (severity, summary) =
                first.map_or((None, excerpt.clone()), |(severity, summary)| (Some(severity), summary.to_string()));
            let incident = outcome.incident();
            self.heard.push(Heard {
                integration: integration.clone(),
                event: receipt.event,
                at: received_at,
                severity,
                summary,
                outcome: outcome.clone(),
                incident,
            });
        }
        let outcomes = receipt.outcomes.clone();
        let charset = charset.as_str().to_owned();
        self.messages.push(Message {
            id: receipt.event,
            integration,
            received_at,
            decided_at: now,
            peer,
            content_type,
            charset,
            formats,
            key,
            excerpt,
            body,
            outcomes,
        });
        receipt
    }

    /// Somebody's action into the engine; gives why it was refused.
    pub(super) fn act(
        &mut self,
        engine: &mut Engine,
        incident: IncidentId,
        by: Actor,
        act: Act,
        now: Timestamp,
    ) -> Option<Refusal> {
        self.handled = true;
        let mut effects = engine.handle(now, Event::Acted { incident, by, act });
        self.collect(&mut effects);
        effects.refused
    }

    /// Somebody's silence into the engine.
    pub(super) fn silence(
        &mut self,
        engine: &mut Engine,
        by: Actor,
        act: SilenceAct,
        now: Timestamp,
    ) -> Result<SilenceId, Refusal> {
        self.handled = true;
        let mut effects = engine.handle(now, Event::Silence { by, act });
        self.collect(&mut effects);
        effects.silence.ok_or(effects.refused.unwrap_or(Refusal::NoSuchSilence))
    }

    /// Somebody's wish about a mirror into the engine.
    pub(super) fn mirror(
        &mut self,
        engine: &mut Engine,
        by: Actor,
        act: MirrorAct,
        now: Timestamp,
    ) -> Result<Vec<MirrorId>, Refusal> {
        self.handled = true;
        let mut effects = engine.handle(now, Event::Mirror { by, act });
        self.collect(&mut effects);
        effects.refused.map_or(Ok(effects.mirrored), Err)
    }

    /// What came of a mirror into the engine.
    pub(super) fn mirror_reported(
        &mut self,
        engine: &mut Engine,
        mirror: MirrorId,
        report: MirrorReport,
        now: Timestamp,
    ) {
        self.handled = true;
        self.collect(&mut engine.handle(now, Event::MirrorReported { mirror, report }));
    }

    /// A beat into the engine.
    pub(super) fn beat(&mut self, engine: &mut Engine, beat: Beat, now: Timestamp) -> Result<(), BeatError> {
        self.handled = true;
        let Beat { heartbeat, signal, note } = beat;
        let mut effects = engine.handle(now, Event::Beat { heartbeat, signal, note });
        self.collect(&mut effects);
        effects.refused.map_or(Ok(()), |_| Err(BeatError::Unknown))
    }

    /// The end of a delivery into the engine.
    pub(super) fn finished(&mut self, engine: &mut Engine, finished: Finished, now: Timestamp) {
        let Finished { incident, attempt, try_number, result, .. } = finished;
        self.handled = true;
        let mut effects = engine.handle(now, Event::DeliveryFinished { incident, attempt, try_number, result });
        self.collect(&mut effects);
    }

    /// What became of a message into the engine.
    pub(super) fn proven(&mut self, engine: &mut Engine, proven: Proven, now: Timestamp) {
        let Proven { incident, message, receipt, device } = proven;
        self.handled = true;
        self.collect(&mut engine.handle(now, Event::DeliveryReceipt { incident, message, receipt, device }));
    }

    /// Where the machines of alerts run, into the engine.
    pub(super) fn placed(&mut self, engine: &mut Engine, places: Places, now: Timestamp) {
        self.handled = true;
        self.collect(&mut engine.handle(now, Event::Placed(places)));
    }

    /// The end of a notice into the engine.
    pub(super) fn told(&mut self, engine: &mut Engine, told: Told, now: Timestamp) {
        let Told { silence, attempt, try_number, result } = told;
        self.handled = true;
        self.collect(&mut engine.handle(now, Event::NoticeFinished { silence, attempt, try_number, result }));
    }

    /// What is due, when nothing else made the engine look.
    pub(super) fn wake(&mut self, engine: &mut Engine, now: Timestamp) {
        if !self.handled {
            self.collect(&mut engine.handle(now, Event::Wake));
        }
    }
}
