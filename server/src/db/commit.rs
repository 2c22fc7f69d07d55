//! The engine's writes: messages, what became of them, and everything that changed with them, in one transaction.

use super::{
    Store, StoreError,
    connection::on_any,
    schema::{alert, counters, event, incident, member, timeline},
    text::{host_key, index_key, plain},
};
use diesel::{ExpressionMethods as _, Insertable, QueryDsl as _, RunQueryDsl as _, upsert::excluded};
use engine::{Changes, Counters};
use serde::{Deserialize, Serialize};
use shared::{
    Alert, AlertState, AttemptState, EventId, Format, Incident, IncidentState, IntegrationId, Timestamp,
    timeline::{Outcome, TimelineEntry},
};
use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

/// A message as it arrived, with what became of each of its members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub id: EventId,
    pub integration: IntegrationId,
    pub received_at: Timestamp,
    pub peer: String,
    pub content_type: String,
    pub charset: String,
    pub formats: Vec<Format>,
    /// The sender's idempotency key.
    pub key: Option<String>,
    /// The beginning of the decoded text, for lists; the first [`EXCERPT_CHARS`] characters are kept.
    pub excerpt: String,
    pub body: Vec<u8>,
    /// One for each member, in its order.
    pub outcomes: Vec<Outcome>,
}

/// How much of a message lists show.
pub const EXCERPT_CHARS: usize = 200;

/// What is stored of a message besides its body.
#[derive(Serialize, Deserialize)]
pub(super) struct MessageDoc<'a> {
    pub(super) integration: Cow<'a, IntegrationId>,
    pub(super) peer: Cow<'a, str>,
    pub(super) content_type: Cow<'a, str>,
    pub(super) charset: Cow<'a, str>,
    pub(super) formats: Cow<'a, [Format]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) key: Option<Cow<'a, str>>,
    pub(super) excerpt: Cow<'a, str>,
    pub(super) outcomes: Cow<'a, [Outcome]>,
}

impl<'a> MessageDoc<'a> {
    fn of(message: &'a Message) -> Self {
        let end = message.excerpt.char_indices().nth(EXCERPT_CHARS).map_or(message.excerpt.len(), |(at, _)| at);
        Self {
            integration: Cow::Borrowed(&message.integration),
            peer: Cow::Borrowed(&message.peer),
            content_type: Cow::Borrowed(&message.content_type),
            charset: Cow::Borrowed(&message.charset),
            formats: Cow::Borrowed(&message.formats),
            key: message.key.as_deref().map(Cow::Borrowed),
            excerpt: Cow::Borrowed(message.excerpt.get(..end).unwrap_or_default()),
            outcomes: Cow::Borrowed(&message.outcomes),
        }
    }
}

/// Rows of one statement. The widest table has 15 columns and SQLite takes 32,766 values a statement.
const ROWS_MAX: usize = 1_000;

impl Store {
    /// Makes messages and changes durable: all of it, or nothing.
    ///
    /// Fenced: this store must have restored its memory from ([`Store::restore`]), and committed to, the newest
    /// revision. A second writer, or a memory that is older than the database, gets [`StoreError::Fenced`] and must
    /// restore again. After any other error the same call may be repeated: should the failed one have happened after
    /// all (its answer was lost), the repetition is fenced too.
    ///
    /// # Errors
    /// Nothing is stored then; only when the connection was lost, it may have been.
    pub fn commit(&mut self, messages: &[Message], changes: &Changes) -> Result<(), StoreError> {
        if messages.is_empty() && changes.is_empty() {
            return Ok(());
        }
        let expected = self.revision.unwrap_or(NOT_RESTORED);
        let revision = self.write(|store| {
            let revision = store.count(expected, &changes.counters)?;
            store.put_messages(messages)?;
            store.put_incidents(&changes.incidents)?;
            store.put_alerts(&changes.alerts)?;
            store.append_timeline(&changes.timeline)?;
            Ok(revision)
        })?;
        self.revision = Some(revision);
        Ok(())
    }

    /// Moves the counters on, first of all: on PostgreSQL this also makes a second writer wait for us, and then fail.
    fn count(&mut self, expected: i64, to: &Counters) -> Result<i64, StoreError> {
        let moved = diesel::update(counters::table)
            .filter(counters::revision.eq(expected))
            .filter(counters::event.le(to.event))
            .filter(counters::alert.le(to.alert))
            .filter(counters::incident.le(to.incident))
            .filter(counters::page.le(to.page))
            .filter(counters::attempt.le(to.attempt))
            .set((
                counters::revision.eq(expected + 1),
                counters::event.eq(to.event),
                counters::alert.eq(to.alert),
                counters::incident.eq(to.incident),
                counters::page.eq(to.page),
                counters::attempt.eq(to.attempt),
            ))
            .execute(&mut self.db)?;
        if moved == 1 {
            return Ok(expected + 1);
        }
        let found = counters::table.select(counters::revision).first(&mut self.db)?;
        Err(StoreError::Fenced { expected, found })
    }

    fn put_messages(&mut self, messages: &[Message]) -> Result<(), StoreError> {
        for batch in messages.chunks(ROWS_MAX) {
            let rows = batch.iter().map(EventRow::of).collect::<Result<Vec<_>, _>>()?;
            on_any!(&mut self.db, c => diesel::insert_into(event::table).values(&rows).execute(c))?;
        }
        let members: Vec<MemberRow<'_>> = messages.iter().flat_map(MemberRow::all_of).collect();
        for rows in members.chunks(ROWS_MAX) {
            on_any!(&mut self.db, c => diesel::insert_into(member::table).values(rows).execute(c))?;
        }
        Ok(())
    }

    fn put_incidents(&mut self, incidents: &[Arc<Incident>]) -> Result<(), StoreError> {
        // One statement must not touch a row twice: the newest state of each wins.
        let newest: BTreeMap<_, _> = incidents.iter().map(|incident| (incident.id, &**incident)).collect();
        let newest: Vec<&Incident> = newest.into_values().collect();
        for batch in newest.chunks(ROWS_MAX) {
            let rows = batch.iter().map(|incident| IncidentRow::of(incident)).collect::<Result<Vec<_>, _>>()?;
            on_any!(&mut self.db, c => diesel::insert_into(incident::table)
                .values(&rows)
                .on_conflict(incident::id)
                .do_update()
                .set((
                    incident::version.eq(excluded(incident::version)),
                    incident::state.eq(excluded(incident::state)),
                    incident::severity.eq(excluded(incident::severity)),
                    incident::title.eq(excluded(incident::title)),
                    incident::host.eq(excluded(incident::host)),
                    incident::ip.eq(excluded(incident::ip)),
                    incident::integration.eq(excluded(incident::integration)),
                    incident::team.eq(excluded(incident::team)),
                    incident::opened_at.eq(excluded(incident::opened_at)),
                    incident::updated_at.eq(excluded(incident::updated_at)),
                    incident::resolved_at.eq(excluded(incident::resolved_at)),
                    incident::live.eq(excluded(incident::live)),
                    incident::search.eq(excluded(incident::search)),
                    incident::doc.eq(excluded(incident::doc)),
                ))
                .execute(c))?;
        }
        Ok(())
    }

    fn put_alerts(&mut self, alerts: &[Arc<Alert>]) -> Result<(), StoreError> {
        let newest: BTreeMap<_, _> = alerts.iter().map(|alert| (alert.id, &**alert)).collect();
        let newest: Vec<&Alert> = newest.into_values().collect();
        for batch in newest.chunks(ROWS_MAX) {
            let rows = batch.iter().map(|alert| AlertRow::of(alert)).collect::<Result<Vec<_>, _>>()?;
            on_any!(&mut self.db, c => diesel::insert_into(alert::table)
                .values(&rows)
                .on_conflict(alert::id)
                .do_update()
                .set((
                    alert::incident.eq(excluded(alert::incident)),
                    alert::integration.eq(excluded(alert::integration)),
                    alert::dedup_key.eq(excluded(alert::dedup_key)),
                    alert::state.eq(excluded(alert::state)),
                    alert::first_at.eq(excluded(alert::first_at)),
                    alert::last_at.eq(excluded(alert::last_at)),
                    alert::closed_at.eq(excluded(alert::closed_at)),
                    alert::doc.eq(excluded(alert::doc)),
                ))
                .execute(c))?;
        }
        Ok(())
    }

    fn append_timeline(&mut self, entries: &[TimelineEntry]) -> Result<(), StoreError> {
        for batch in entries.chunks(ROWS_MAX) {
            let rows = batch.iter().map(TimelineRow::of).collect::<Result<Vec<_>, _>>()?;
            on_any!(&mut self.db, c => diesel::insert_into(timeline::table).values(&rows).execute(c))?;
        }
        Ok(())
    }
}

/// No revision of the database: whoever has not restored cannot commit.
const NOT_RESTORED: i64 = -1;

/// A document as it is stored. Our own types always become JSON; should one not, nothing is stored.
pub(super) fn json(what: &str, value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Other {
        context: format!("{what} cannot be written as JSON"),
        source: Some(error.into()),
    })
}

// The rows. Without `treat_none_as_default_value = false` SQLite would be sent one statement a row.

#[derive(Insertable)]
#[diesel(table_name = event, treat_none_as_default_value = false)]
struct EventRow<'a> {
    id: i64,
    integration: Cow<'a, str>,
    received_at: i64,
    idem_key: Option<Cow<'a, str>>,
    size_bytes: i64,
    doc: String,
    body: &'a [u8],
}

impl<'a> EventRow<'a> {
    fn of(message: &'a Message) -> Result<Self, StoreError> {
        Ok(Self {
            id: message.id.0,
            integration: index_key(message.integration.as_str()),
            received_at: message.received_at.0,
            idem_key: message.key.as_deref().map(index_key),
            size_bytes: i64::try_from(message.body.len()).unwrap_or(i64::MAX),
            doc: json("a message", &MessageDoc::of(message))?,
            body: &message.body,
        })
    }
}

#[derive(Insertable)]
#[diesel(table_name = member, treat_none_as_default_value = false)]
struct MemberRow<'a> {
    event: i64,
    place: i32,
    integration: Cow<'a, str>,
    outcome: &'static str,
    alert: Option<i64>,
    incident: Option<i64>,
}

impl<'a> MemberRow<'a> {
    fn all_of(message: &'a Message) -> impl Iterator<Item = Self> {
        (0..).zip(&message.outcomes).map(|(place, outcome)| {
            let (alert, incident) = match outcome {
                Outcome::Opened { alert, incident }
                | Outcome::Refreshed { alert, incident }
                | Outcome::Closed { alert, incident } => (Some(alert.0), Some(incident.0)),
                Outcome::Suppressed { .. } | Outcome::Dropped { .. } | Outcome::Rejected { .. } => (None, None),
            };
            let integration = index_key(message.integration.as_str());
            Self { event: message.id.0, place, integration, outcome: outcome.name(), alert, incident }
        })
    }
}

#[derive(Insertable)]
#[diesel(table_name = incident, treat_none_as_default_value = false)]
struct IncidentRow<'a> {
    id: i64,
    version: i64,
    state: &'static str,
    severity: i16,
    title: Cow<'a, str>,
    host: Option<String>,
    ip: Option<String>,
    integration: Cow<'a, str>,
    team: Option<Cow<'a, str>>,
    opened_at: i64,
    updated_at: i64,
    resolved_at: Option<i64>,
    live: i16,
    search: String,
    doc: String,
}

impl<'a> IncidentRow<'a> {
    fn of(incident: &'a Incident) -> Result<Self, StoreError> {
        Ok(Self {
            id: incident.id.0,
            version: i64::from(incident.version),
            state: state_name(incident.state),
            severity: i16::from(incident.severity.rank()),
            title: plain(&incident.title),
            host: incident.host.as_deref().map(host_key),
            ip: incident.ip.as_deref().map(host_key),
            integration: index_key(incident.integration.as_str()),
            team: incident.team.as_ref().map(|team| index_key(team.as_str())),
            opened_at: incident.opened_at.0,
            updated_at: incident.updated_at.0,
            resolved_at: incident.resolved_at.map(|at| at.0),
            live: i16::from(is_live(incident)),
            search: searchable(incident),
            doc: json("an incident", incident)?,
        })
    }
}

/// Whether the engine keeps it in memory: not resolved, or with a delivery whose answer is awaited.
pub(super) fn is_live(incident: &Incident) -> bool {
    let mut attempts = incident.pages.iter().flat_map(|page| &page.attempts);
    incident.state != IncidentState::Resolved || attempts.any(|attempt| attempt.state == AttemptState::Sending)
}

/// What the search field looks through: number, title and machine.
fn searchable(incident: &Incident) -> String {
    let words = [Some(incident.title.as_str()), incident.host.as_deref(), incident.ip.as_deref()];
    let text = words.into_iter().flatten().fold(format!("#{}", incident.id), |text, word| text + " " + word);
    plain(&text.to_lowercase()).into_owned()
}

/// The name a state is stored under; the same as in JSON.
pub(super) const fn state_name(state: IncidentState) -> &'static str {
    match state {
        IncidentState::Triggered => "triggered",
        IncidentState::Acked => "acked",
        IncidentState::Snoozed => "snoozed",
        IncidentState::Resolved => "resolved",
    }
}

#[derive(Insertable)]
#[diesel(table_name = alert, treat_none_as_default_value = false)]
struct AlertRow<'a> {
    id: i64,
    incident: i64,
    integration: Cow<'a, str>,
    dedup_key: Cow<'a, str>,
    state: &'static str,
    first_at: i64,
    last_at: i64,
    closed_at: Option<i64>,
    doc: String,
}

impl<'a> AlertRow<'a> {
    fn of(alert: &'a Alert) -> Result<Self, StoreError> {
        Ok(Self {
            id: alert.id.0,
            incident: alert.incident.0,
            integration: index_key(alert.integration.as_str()),
            dedup_key: index_key(&alert.event.dedup_key),
            state: match alert.state {
                AlertState::Firing => "firing",
                AlertState::Resolved => "resolved",
            },
            first_at: alert.first_at.0,
            last_at: alert.last_at.0,
            closed_at: alert.closed_at.map(|at| at.0),
            doc: json("an alert", alert)?,
        })
    }
}

#[derive(Insertable)]
#[diesel(table_name = timeline, treat_none_as_default_value = false)]
struct TimelineRow {
    incident: i64,
    seq: i64,
    at: i64,
    doc: String,
}

impl TimelineRow {
    fn of(entry: &TimelineEntry) -> Result<Self, StoreError> {
        let doc = json("a timeline entry", entry)?;
        Ok(Self { incident: entry.incident.0, seq: i64::from(entry.seq), at: entry.at.0, doc })
    }
}
