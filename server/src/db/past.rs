//! Reading what happened, oldest first, for a replay: messages as they arrived, silences, and what people answered.

use super::{
    Message, Store, StoreError,
    commit::EntryDoc,
    restore::document,
    schema::{event, incident, timeline},
};
use diesel::{
    ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, RunQueryDsl as _,
    dsl::{max, min},
};
use engine::{
    Act,
    replay::{Answer, Past},
};
use shared::{
    EventId, Incident, IntegrationId, Timestamp,
    timeline::{Actor, Happening},
};
use std::collections::BTreeMap;

/// Messages read at once, by number and by their bodies' length: nobody's memory is to hold a day of them.
const READ_MAX: i64 = 256;
const READ_BYTES: i64 = 8 * 1024 * 1024;
/// Incidents looked at together.
const LOOK_EACH: i64 = 500;
/// Silences that ended since.
const SILENCES_MAX: usize = 10_000;
/// Words of which a timeline's row must hold one to be read whole.
const ANSWERS: [&str; 7] =
    ["\"opened\"", "\"alert_joined\"", "\"acked\"", "\"answered\"", "\"unacked\"", "\"snoozed\"", "\"resolved\""];

impl Store {
    /// The last message that came before an instant; number 0 when there is none. Numbers rise with time, so a few
    /// looks find it.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn last_event_before(&mut self, at: Timestamp) -> Result<EventId, StoreError> {
        let ends: (Option<i64>, Option<i64>) =
            event::table.select((min(event::id), max(event::id))).first(&mut self.db)?;
        let (Some(mut low), Some(high)) = ends else { return Ok(EventId(0)) };
        let (first, mut high) = (low, high + 1);
        while low < high {
            let middle = low + (high - low) / 2;
            let found: Option<i64> = event::table
                .filter(event::id.ge(middle))
                .order(event::id)
                .select(event::received_at)
                .first(&mut self.db)
                .optional()?;
            if found.is_some_and(|received_at| received_at < at.ms()) { low = middle + 1 } else { high = middle }
        }
        Ok(EventId(low.max(first) - 1))
    }

    /// The messages after one, oldest first: as many as are read at once; none at the end.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn messages_after(&mut self, after: EventId) -> Result<Vec<Message>, StoreError> {
        let rows: Vec<(i64, i64)> = event::table
            .filter(event::id.gt(after.0))
            .order(event::id)
            .limit(READ_MAX)
            .select((event::id, event::size_bytes))
            .load(&mut self.db)?;
        let mut bytes = 0;
        let mut ids = Vec::with_capacity(rows.len());
        for (id, size) in rows {
            if !ids.is_empty() && bytes + size > READ_BYTES {
                break;
            }
            bytes += size;
            ids.push(id);
        }
        let mut messages = self.messages(&ids)?;
        messages.reverse();
        Ok(messages)
    }

    /// Silences that were in force at some instant since, as they began and ended; by time.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn silences_past(&mut self, since: Timestamp) -> Result<Vec<(Timestamp, Past)>, StoreError> {
        let mut past = Vec::new();
        let mut silences = self.silences_live()?;
        silences.retain(|silence| silence.ended.is_none());
        silences.extend(self.silences_ended(since, SILENCES_MAX)?);
        for silence in silences {
            past.extend(silence.ended.as_ref().map(|end| (end.at, Past::SilenceEnded(silence.id))));
            past.push((silence.created_at.max(since), Past::Silenced(Box::new(silence))));
        }
        past.sort_by_key(|(at, _)| *at);
        Ok(past)
    }

    /// What people answered about incidents that opened since, until an instant; by time.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn answers_past(&mut self, since: Timestamp, until: Timestamp) -> Result<Vec<(Timestamp, Past)>, StoreError> {
        let mut past = Vec::new();
        let mut before = i64::MAX;
        loop {
            let rows: Vec<(i64, i64, String)> = incident::table
                .filter(incident::id.lt(before))
                .order(incident::id.desc())
                .limit(LOOK_EACH)
                .select((incident::id, incident::opened_at, incident::doc))
                .load(&mut self.db)?;
            let Some((last, oldest, _)) = rows.last() else { break };
            before = *last;
            // Numbers rise with time: nothing older opened since.
            let over = *oldest < since.ms();
            let mut senders = BTreeMap::new();
            for (id, _, doc) in rows.iter().filter(|(_, opened_at, _)| (since.ms()..until.ms()).contains(opened_at)) {
                let incident: Incident = document("incident", *id, doc)?;
                if incident.answered {
                    senders.insert(*id, incident.integration);
                }
            }
            self.answers_about(&senders, until, &mut past)?;
            if over {
                break;
            }
        }
        past.sort_by_key(|(at, _)| *at);
        Ok(past)
    }

    fn answers_about(
        &mut self,
        senders: &BTreeMap<i64, IntegrationId>,
        until: Timestamp,
        past: &mut Vec<(Timestamp, Past)>,
    ) -> Result<(), StoreError> {
        let ids: Vec<i64> = senders.keys().copied().collect();
        let rows: Vec<(i64, i64, String)> = timeline::table
            .filter(timeline::incident.eq_any(&ids))
            .order((timeline::incident, timeline::seq))
            .select((timeline::incident, timeline::at, timeline::doc))
            .load(&mut self.db)?;
        let mut keys: BTreeMap<i64, Vec<String>> = BTreeMap::new();
        for (id, at, doc) in rows {
            if at >= until.ms() || !ANSWERS.iter().any(|word| doc.contains(word)) {
                continue;
            }
            let Some(integration) = senders.get(&id) else { continue };
            let row: Vec<EntryDoc<'_>> = document("the timeline of incident", id, &doc)?;
            for entry in row {
                let (by, what) = (entry.actor.into_owned(), entry.what.into_owned());
                let keys = keys.entry(id).or_default();
                if let Happening::Opened { key, .. } | Happening::AlertJoined { key, .. } = what {
                    keys.push(key);
                } else if let Some(act) = act(&by, &what) {
                    let answer = Answer { integration: integration.clone(), dedup_keys: keys.clone(), by, act };
                    past.push((Timestamp::from_ms(at), Past::Answered(answer)));
                }
            }
        }
        Ok(())
    }
}

/// What somebody did, of what a timeline says; none for what happened by rule, and for what depends on what was paged.
fn act(by: &Actor, what: &Happening) -> Option<Act> {
    if matches!(by, Actor::System | Actor::Integration { .. }) {
        return None;
    }
    match what {
        Happening::Acked { until } => Some(Act::Ack { until: *until }),
        Happening::Answered { person: Some(person), .. } => Some(Act::AckAs { person: person.clone(), until: None }),
        Happening::Unacked => Some(Act::Unack),
        Happening::Snoozed { until } => Some(Act::Snooze { until: *until }),
        Happening::Resolved => Some(Act::Resolve),
        _ => None,
    }
}
