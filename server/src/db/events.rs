//! Reading messages: one as it arrived, lists of them, and when each sender was last heard.

use super::{
    Message, Store, StoreError,
    commit::MessageDoc,
    incidents::LIMIT_MAX,
    restore::document,
    schema::{event, incident_event},
    text::index_key,
};
use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, JoinOnDsl as _, OptionalExtension as _, QueryDsl as _,
    RunQueryDsl as _, TextExpressionMethods as _, dsl::sql, sql_types::Bool,
};
use shared::{EventId, IncidentId, IntegrationId, Timestamp, api::EventRow};

/// Which messages; what is none does not choose.
#[derive(Clone, Debug, Default)]
pub struct EventQuery {
    pub integration: Option<IntegrationId>,
    /// The name of an outcome that one of its members had; `rejected` is the quarantine.
    pub outcome: Option<String>,
    /// About this incident.
    pub incident: Option<IncidentId>,
    /// Only older ones: the `next` of the page before.
    pub before: Option<EventId>,
    /// At most [`LIMIT_MAX`].
    pub limit: usize,
}

/// One page of messages, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventPage {
    pub items: Vec<EventRow>,
    /// Pass it as `before` to get the next page; none at the end.
    pub next: Option<EventId>,
}

/// How the names begin of messages that somebody here told again.
pub const REPLAYED: &str = "replay ";

/// The newest message of a sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastHeard {
    pub integration: IntegrationId,
    pub event: EventId,
    pub at: Timestamp,
}

/// The outcomes of members that went to no incident.
const UNPAGED: [&str; 3] = ["suppressed", "dropped", "rejected"];

impl Store {
    /// One message, as it arrived.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn event(&mut self, id: EventId) -> Result<Option<Message>, StoreError> {
        Ok(self.messages(&[id.0])?.pop())
    }

    /// The newest messages about an incident, newest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn messages_of(&mut self, id: IncidentId, limit: usize) -> Result<Vec<Message>, StoreError> {
        let query = EventQuery { incident: Some(id), ..EventQuery::default() };
        self.snapshot(|store| {
            let ids = store.event_ids(&query, limit.min(LIMIT_MAX))?;
            store.messages(&ids)
        })
    }

    /// One page of messages without their bodies, newest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn events(&mut self, query: &EventQuery) -> Result<EventPage, StoreError> {
        let limit = query.limit.clamp(1, LIMIT_MAX);
        self.snapshot(|store| {
            let mut ids = store.event_ids(query, limit + 1)?;
            let more = ids.len() > limit;
            ids.truncate(limit);
            let next = ids.last().filter(|_| more).map(|id| EventId(*id));
            Ok(EventPage { items: store.event_rows(&ids)?, next })
        })
    }

    /// Some messages without their bodies, newest first.
    pub(super) fn event_rows(&mut self, ids: &[i64]) -> Result<Vec<EventRow>, StoreError> {
        let rows: Vec<(i64, i64, i64, String)> = event::table
            .filter(event::id.eq_any(ids))
            .order(event::id.desc())
            .select((event::id, event::received_at, event::size_bytes, event::doc))
            .load(&mut self.db)?;
        let mut items = Vec::with_capacity(rows.len());
        for (id, received_at, size, doc) in rows {
            let doc: MessageDoc<'_> = document("message", id, &doc)?;
            items.push(EventRow {
                id: EventId(id),
                integration: doc.integration.into_owned(),
                received_at: Timestamp::from_ms(received_at),
                peer: doc.peer.into_owned(),
                size_bytes: u64::try_from(size).unwrap_or_default(),
                text: doc.excerpt.into_owned(),
                outcomes: doc.outcomes.into_owned(),
            });
        }
        Ok(items)
    }

    /// When each sender was last heard. Asks once a sender, however many messages there are.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn integrations_heard(&mut self) -> Result<Vec<LastHeard>, StoreError> {
        self.snapshot(|store| {
            let mut heard = Vec::new();
            let mut last = String::new();
            loop {
                let next: Option<String> = event::table
                    .filter(event::integration.gt(&last))
                    .order(event::integration)
                    .select(event::integration)
                    .first(&mut store.db)
                    .optional()?;
                let Some(integration) = next else { return Ok(heard) };
                // What somebody here told again says nothing of whether its sender is there.
                let own = event::idem_key.is_null().or(event::idem_key.not_like(format!("{REPLAYED}%")));
                let newest: Option<(i64, i64)> = event::table
                    .filter(event::integration.eq(&integration).and(own))
                    .order(event::id.desc())
                    .select((event::id, event::received_at))
                    .first(&mut store.db)
                    .optional()?;
                last.clone_from(&integration);
                let Some((id, at)) = newest else { continue };
                heard.push(LastHeard {
                    integration: IntegrationId::from(integration),
                    event: EventId(id),
                    at: Timestamp::from_ms(at),
                });
            }
        })
    }

    /// The numbers of the messages a query asks for, newest first.
    fn event_ids(&mut self, query: &EventQuery, limit: usize) -> Result<Vec<i64>, StoreError> {
        let mut before = query.before.map_or(i64::MAX, |id| id.0);
        if query.outcome.is_none() {
            return self.ids_before(query, before, limit);
        }
        // Outcomes stand in the documents. Most messages open or repeat something, and those that page nobody have an
        // index, so what is asked for is never far away.
        let mut found = Vec::new();
        while found.len() < limit {
            let ids = self.ids_before(query, before, LIMIT_MAX)?;
            let Some(last) = ids.last() else { break };
            before = *last;
            let rows: Vec<(i64, String)> = event::table
                .filter(event::id.eq_any(&ids))
                .order(event::id.desc())
                .select((event::id, event::doc))
                .load(&mut self.db)?;
            for (id, doc) in rows {
                let doc: MessageDoc<'_> = document("message", id, &doc)?;
                if doc.outcomes.iter().any(|outcome| query.outcome.as_deref() == Some(outcome.name())) {
                    found.push(id);
                }
            }
        }
        found.truncate(limit);
        Ok(found)
    }

    /// The same by everything but the outcome's name, read off one index.
    fn ids_before(&mut self, query: &EventQuery, before: i64, limit: usize) -> Result<Vec<i64>, StoreError> {
        let limit = limit as i64;
        let integration = query.integration.as_ref().map(|id| index_key(id.as_str()));
        if let Some(incident) = query.incident {
            let mut found = incident_event::table
                .inner_join(event::table.on(event::id.eq(incident_event::event)))
                .filter(incident_event::incident.eq(incident.0).and(incident_event::event.lt(before)))
                .into_boxed();
            if let Some(integration) = integration {
                found = found.filter(event::integration.eq(integration));
            }
            let newest = found.order(incident_event::event.desc()).limit(limit).select(incident_event::event);
            return Ok(newest.load(&mut self.db)?);
        }
        let mut found = event::table.filter(event::id.lt(before)).into_boxed();
        if let Some(integration) = integration {
            found = found.filter(event::integration.eq(integration));
        }
        if query.outcome.as_deref().is_some_and(|outcome| UNPAGED.contains(&outcome)) {
            found = found.filter(sql::<Bool>("unpaged = 1"));
        }
        Ok(found.order(event::id.desc()).limit(limit).select(event::id).load(&mut self.db)?)
    }

    /// Messages by their numbers, newest first.
    pub(super) fn messages(&mut self, ids: &[i64]) -> Result<Vec<Message>, StoreError> {
        let rows: Vec<(i64, i64, String, Vec<u8>)> = event::table
            .filter(event::id.eq_any(ids))
            .order(event::id.desc())
            .select((event::id, event::received_at, event::doc, event::body))
            .load(&mut self.db)?;
        let mut messages = Vec::with_capacity(rows.len());
        for (id, received_at, doc, body) in rows {
            let doc: MessageDoc<'_> = document("message", id, &doc)?;
            messages.push(Message {
                id: EventId(id),
                integration: doc.integration.into_owned(),
                received_at: Timestamp::from_ms(received_at),
                decided_at: doc.decided_at,
                peer: doc.peer.into_owned(),
                content_type: doc.content_type.into_owned(),
                charset: doc.charset.into_owned(),
                formats: doc.formats.into_owned(),
                key: doc.key.map(std::borrow::Cow::into_owned),
                excerpt: doc.excerpt.into_owned(),
                body,
                outcomes: doc.outcomes.into_owned(),
            });
        }
        Ok(messages)
    }
}
