//! The engine's writes: messages, what became of them, and everything that changed with them, in one transaction.

use super::{
    Store, StoreError,
    broken::Learned,
    connection::{AnyBackend, Db},
    deliveries::DeliveryRow,
    proof::NewLink,
    schema::{alert, counters, event, incident, incident_event, timeline},
    text::{host_key, index_key, plain},
};
use diesel::{
    ExpressionMethods as _, Insertable, QueryDsl as _, QueryResult, RunQueryDsl,
    query_builder::{AstPass, QueryFragment, QueryId},
    sql_types::BigInt,
};
use engine::{Changes, Counters};
use serde::{Deserialize, Serialize};
use shared::{
    Alert, Attempt, AttemptState, EventId, Format, Incident, IncidentId, IncidentState, IntegrationId, Recipient,
    Timestamp,
    timeline::{Actor, Happening, Outcome, TimelineEntry},
};
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

/// A message as it arrived, with what became of each of its members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub id: EventId,
    pub integration: IntegrationId,
    pub received_at: Timestamp,
    /// When the engine decided on it.
    pub decided_at: Timestamp,
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
    pub(super) decided_at: Timestamp,
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
            decided_at: message.decided_at,
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

/// Rows of one statement on PostgreSQL, where each is a round trip; it takes 65,535 values a statement.
#[cfg(feature = "postgres")]
pub(super) const PG_ROWS: usize = 1_000;

/// Writes rows with as few statements as the store allows: `$sqlite` and `$postgres` make one of the rows that `$now`
/// holds. On SQLite preparing a statement costs more than running it, and those of a fixed shape are prepared once; so
/// there they are for 32 rows, for 8, and for one.
macro_rules! write_rows {
    ($db:expr, $rows:expr, $now:ident, sqlite: $sqlite:expr, postgres: $postgres:expr) => {
        match $db {
            $crate::db::connection::Db::Sqlite(connection) => {
                let mut rows = $rows.into_iter();
                write_rows!(connection, rows, $now, $sqlite, 32);
                write_rows!(connection, rows, $now, $sqlite, 8);
                write_rows!(connection, rows, $now, $sqlite, 1);
            }
            #[cfg(feature = "postgres")]
            $crate::db::connection::Db::Postgres(connection) => {
                for $now in $rows.chunks($crate::db::commit::PG_ROWS) {
                    $postgres.execute(connection)?;
                }
            }
        }
    };
    ($connection:ident, $rows:ident, $now:ident, $sqlite:expr, $count:literal) => {
        while $rows.len() >= $count {
            let Ok($now) = <[_; $count]>::try_from($rows.by_ref().take($count).collect::<Vec<_>>()) else { break };
            $sqlite.execute($connection)?;
        }
    };
}

/// Inserts rows that are new.
macro_rules! insert {
    ($db:expr, $table:ident, $rows:expr) => {
        write_rows!($db, $rows, rows,
            sqlite: diesel::insert_into($table::table).values(rows),
            postgres: diesel::insert_into($table::table).values(rows))
    };
}

/// Writes rows anew that are there, whole on SQLite and these columns on PostgreSQL. Not as updates, which
/// [`diesel`] prepares again each time and which take one row each. No row may be among them twice.
macro_rules! rewrite {
    ($db:expr, $table:ident, $rows:expr, $($column:ident),+) => {
        rewrite!($db, $table by id, $rows, $($column),+)
    };
    ($db:expr, $table:ident by $($key:ident)|+, $rows:expr, $($column:ident),+) => {
        write_rows!($db, $rows, rows,
            sqlite: diesel::replace_into($table::table).values(rows),
            postgres: diesel::insert_into($table::table)
                .values(rows)
                .on_conflict(($($table::$key),+))
                .do_update()
                .set(($($table::$column.eq(diesel::upsert::excluded($table::$column)),)+)))
    };
}

pub(super) use {insert, rewrite, write_rows};

impl Store {
    /// Makes messages and changes durable: all of it, or nothing. Deliveries are noted under their channels' names; see
    /// [`Rows::of`].
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
        let channel = |_: &Recipient, attempt: &Attempt| attempt.channel.as_str().to_owned();
        self.commit_rows(Rows::of(messages, changes, channel)?, changes)
    }

    /// The same of messages and changes that were written out before.
    ///
    /// # Errors
    /// As [`Store::commit`] says.
    pub fn commit_rows(&mut self, rows: Rows, changes: &Changes) -> Result<(), StoreError> {
        let (expected, known) = self.restored.unwrap_or((NOT_RESTORED, Counters::default()));
        let revision = self.write(|store| {
            let revision = store.count(expected, &changes.counters, changes.settled)?;
            insert!(&mut store.db, event, rows.events);
            insert!(&mut store.db, incident_event, rows.incident_events);
            store.put_incidents(rows.incidents, known.incident)?;
            store.put_alerts(rows.alerts, known.alert)?;
            insert!(&mut store.db, timeline, rows.timeline);
            store.put_silences(&changes.silences, known.silence)?;
            store.record_digests(&changes.digests)?;
            store.put_turns(&changes.turns)?;
            store.put_pulses(&changes.pulses)?;
            store.put_sends(&changes.sends)?;
            store.put_storms(&changes.storms)?;
            store.put_places(&changes.places)?;
            store.put_mirrors(&changes.mirrors, known.mirror)?;
            store.record_mirrors(&changes.mirror_steps)?;
            store.put_deliveries(&rows.deliveries)?;
            store.prove(rows.links)?;
            store.put_broken(&rows.learned)?;
            Ok(revision)
        })?;
        self.restored = Some((revision, changes.counters));
        Ok(())
    }

    /// Moves the counters on, first of all: on PostgreSQL this also makes a second writer wait for us, and then fail.
    fn count(&mut self, expected: i64, to: &Counters, settled: EventId) -> Result<i64, StoreError> {
        let moved = MoveCounters { expected, to, settled }.execute(&mut self.db)?;
        if moved == 1 {
            return Ok(expected + 1);
        }
        let found = counters::table.select(counters::revision).first(&mut self.db)?;
        Err(StoreError::Fenced { expected, found })
    }

    /// Those with numbers up to `known` are there already.
    fn put_incidents(&mut self, rows: Vec<IncidentRow>, known: i64) -> Result<(), StoreError> {
        let (old, new): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.id <= known);
        insert!(&mut self.db, incident, new);
        rewrite!(
            &mut self.db,
            incident,
            old,
            version,
            state,
            severity,
            title,
            host,
            ip,
            integration,
            team,
            updated_at,
            resolved_at,
            live,
            search,
            doc
        );
        Ok(())
    }

    fn put_alerts(&mut self, rows: Vec<AlertRow>, known: i64) -> Result<(), StoreError> {
        let (old, new): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.id <= known);
        insert!(&mut self.db, alert, new);
        rewrite!(&mut self.db, alert, old, incident, closed_at, doc);
        Ok(())
    }
}

/// What a commit writes of messages and of most of the engine's changes, written out as it is stored.
pub struct Rows {
    events: Vec<EventRow>,
    incident_events: Vec<IncidentEventRow>,
    incidents: Vec<IncidentRow>,
    alerts: Vec<AlertRow>,
    timeline: Vec<TimelineRow>,
    deliveries: Vec<DeliveryRow>,
    links: Vec<NewLink>,
    learned: Vec<Learned>,
}

impl Rows {
    /// Takes about as long as to store them. `provider` says who carries a delivery.
    ///
    /// # Errors
    /// When something cannot be written out, and so cannot be stored.
    pub fn of(
        messages: &[Message],
        changes: &Changes,
        provider: impl Fn(&Recipient, &Attempt) -> String,
    ) -> Result<Self, StoreError> {
        // No row is written twice: the newest state of each wins.
        let incidents: BTreeMap<_, _> = changes.incidents.iter().map(|incident| (incident.id, &**incident)).collect();
        let alerts: BTreeMap<_, _> = changes.alerts.iter().map(|alert| (alert.id, alert)).collect();
        let own: Vec<Message> = changes.own.iter().map(super::heartbeats::message).collect();
        let messages = || messages.iter().chain(&own);
        Ok(Self {
            events: messages().map(EventRow::of).collect::<Result<_, _>>()?,
            incident_events: messages().flat_map(IncidentEventRow::all_of).collect(),
            incidents: incidents.into_values().map(IncidentRow::of).collect::<Result<_, _>>()?,
            alerts: alerts.into_values().map(AlertRow::of).collect::<Result<_, _>>()?,
            timeline: TimelineRow::all_of(&changes.timeline)?,
            deliveries: DeliveryRow::all_of(changes, provider)?,
            links: NewLink::all_of(changes)?,
            learned: Vec::new(),
        })
    }

    /// With what was learned of contacts.
    #[must_use]
    pub fn learning(mut self, learned: Vec<Learned>) -> Self {
        self.learned = learned;
        self
    }

    /// Whether anything was, so that there is something to store although nothing else changed.
    #[must_use]
    pub const fn has_learned(&self) -> bool {
        !self.learned.is_empty()
    }
}

/// No revision of the database: whoever has not restored cannot commit.
const NOT_RESTORED: i64 = -1;

/// Moves the counters from the revision that is expected, never back. Written out because [`diesel`] prepares its own
/// updates again each time, and this one is part of every commit.
struct MoveCounters<'a> {
    expected: i64,
    to: &'a Counters,
    settled: EventId,
}

impl MoveCounters<'_> {
    const fn columns(&self) -> [(&'static str, &i64); 7] {
        let Counters { event, alert, incident, page, attempt, silence, mirror } = self.to;
        [
            ("event", event),
            ("alert", alert),
            ("incident", incident),
            ("page", page),
            ("attempt", attempt),
            ("silence", silence),
            ("mirror", mirror),
        ]
    }
}

impl QueryFragment<AnyBackend> for MoveCounters<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, AnyBackend>) -> QueryResult<()> {
        out.push_sql("UPDATE counters SET revision = revision + 1, settled = ");
        out.push_bind_param::<BigInt, _>(&self.settled.0)?;
        for (column, value) in self.columns() {
            out.push_sql(", ");
            out.push_sql(column);
            out.push_sql(" = ");
            out.push_bind_param::<BigInt, _>(value)?;
        }
        out.push_sql(" WHERE revision = ");
        out.push_bind_param::<BigInt, _>(&self.expected)?;
        for (column, value) in self.columns() {
            out.push_sql(" AND ");
            out.push_sql(column);
            out.push_sql(" <= ");
            out.push_bind_param::<BigInt, _>(value)?;
        }
        Ok(())
    }
}

impl QueryId for MoveCounters<'_> {
    type QueryId = MoveCounters<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl RunQueryDsl<Db> for MoveCounters<'_> {}

/// Most documents are smaller, so that they do not grow piece by piece.
const USUAL_DOC: usize = 1_024;

/// A document as it is stored. Our own types always become JSON; should one not, nothing is stored.
pub(super) fn json(what: &str, value: &impl Serialize) -> Result<String, StoreError> {
    let failed = |error: Box<dyn std::error::Error + Send + Sync>| StoreError::Other {
        context: format!("{what} cannot be written as JSON"),
        source: Some(error),
    };
    let mut doc = Vec::with_capacity(USUAL_DOC);
    serde_json::to_writer(&mut doc, value).map_err(|error| failed(error.into()))?;
    String::from_utf8(doc).map_err(|error| failed(error.into()))
}

// The rows. Without `treat_none_as_default_value = false` SQLite would be sent one statement a row.

#[derive(Insertable)]
#[diesel(table_name = event, treat_none_as_default_value = false)]
struct EventRow {
    id: i64,
    integration: String,
    received_at: i64,
    idem_key: Option<String>,
    size_bytes: i64,
    unpaged: i16,
    doc: String,
    body: Vec<u8>,
}

impl EventRow {
    fn of(message: &Message) -> Result<Self, StoreError> {
        Ok(Self {
            id: message.id.0,
            integration: index_key(message.integration.as_str()).into_owned(),
            received_at: message.received_at.ms(),
            idem_key: message.key.as_deref().map(|key| index_key(key).into_owned()),
            size_bytes: i64::try_from(message.body.len()).unwrap_or(i64::MAX),
            unpaged: i16::from(message.outcomes.iter().any(Outcome::is_unpaged)),
            doc: json("a message", &MessageDoc::of(message))?,
            body: message.body.clone(),
        })
    }
}

#[derive(Insertable)]
#[diesel(table_name = incident_event, treat_none_as_default_value = false)]
struct IncidentEventRow {
    incident: i64,
    event: i64,
}

impl IncidentEventRow {
    fn all_of(message: &Message) -> impl Iterator<Item = Self> {
        let incidents: BTreeSet<IncidentId> = message.outcomes.iter().filter_map(Outcome::incident).collect();
        incidents.into_iter().map(|incident| Self { incident: incident.0, event: message.id.0 })
    }
}

#[derive(Insertable)]
#[diesel(table_name = incident, treat_none_as_default_value = false)]
struct IncidentRow {
    id: i64,
    version: i64,
    state: &'static str,
    severity: i16,
    title: String,
    host: Option<String>,
    ip: Option<String>,
    integration: String,
    team: Option<String>,
    opened_at: i64,
    updated_at: i64,
    resolved_at: Option<i64>,
    live: i16,
    search: String,
    doc: String,
}

impl IncidentRow {
    fn of(incident: &Incident) -> Result<Self, StoreError> {
        Ok(Self {
            id: incident.id.0,
            version: i64::from(incident.version),
            state: state_name(incident.state),
            severity: i16::from(incident.severity.rank()),
            title: plain(&incident.title).into_owned(),
            host: incident.host.as_deref().map(host_key),
            ip: incident.ip.as_deref().map(host_key),
            integration: index_key(incident.integration.as_str()).into_owned(),
            team: incident.team.as_ref().map(|team| index_key(team.as_str()).into_owned()),
            opened_at: incident.opened_at.ms(),
            updated_at: incident.updated_at.ms(),
            resolved_at: incident.resolved_at.map(|at| at.ms()),
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
struct AlertRow {
    id: i64,
    incident: i64,
    integration: String,
    dedup_key: String,
    first_at: i64,
    closed_at: Option<i64>,
    doc: String,
}

impl AlertRow {
    fn of(alert: &Alert) -> Result<Self, StoreError> {
        Ok(Self {
            id: alert.id.0,
            incident: alert.incident.0,
            integration: index_key(alert.integration.as_str()).into_owned(),
            dedup_key: index_key(&alert.event.dedup_key).into_owned(),
            first_at: alert.first_at.ms(),
            closed_at: alert.closed_at.map(|at| at.ms()),
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

/// One entry of a timeline row; its number and time follow from the row.
#[derive(Serialize, Deserialize)]
pub(super) struct EntryDoc<'a> {
    #[serde(default = "by_system", skip_serializing_if = "is_system")]
    pub(super) actor: Cow<'a, Actor>,
    pub(super) what: Cow<'a, Happening>,
}

fn by_system() -> Cow<'static, Actor> {
    Cow::Owned(Actor::System)
}

fn is_system(actor: &Actor) -> bool {
    *actor == Actor::System
}

impl TimelineRow {
    /// What was written on one incident at one instant shares a row.
    fn all_of(entries: &[TimelineEntry]) -> Result<Vec<Self>, StoreError> {
        let mut by_incident: BTreeMap<IncidentId, Vec<&TimelineEntry>> = BTreeMap::new();
        for entry in entries {
            by_incident.entry(entry.incident).or_default().push(entry);
        }
        let mut rows = Vec::with_capacity(by_incident.len());
        for entries in by_incident.values() {
            for row in entries.chunk_by(|a, b| a.at == b.at) {
                let Some(first) = row.first() else { continue };
                let doc: Vec<EntryDoc<'_>> = row
                    .iter()
                    .map(|entry| EntryDoc { actor: Cow::Borrowed(&entry.actor), what: Cow::Borrowed(&entry.what) })
                    .collect();
                let doc = json("a timeline entry", &doc)?;
                rows.push(Self { incident: first.incident.0, seq: i64::from(first.seq), at: first.at.ms(), doc });
            }
        }
        Ok(rows)
    }
}
