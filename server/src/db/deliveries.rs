//! Deliveries as rows of their own: written with the incidents that hold them, and found without reading those.

use super::{
    Store, StoreError,
    commit::json,
    connection::{AnyBackend, Db},
    restore::document,
    schema::{delivery, incident},
    text::{index_key, plain},
};
use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, QueryResult,
    RunQueryDsl,
    query_builder::{AstPass, QueryFragment, QueryId},
    sql_types::{BigInt, Nullable, SmallInt, Text},
};
use engine::{Changes, health::Outcome};
use serde::{Deserialize, Serialize};
use shared::{
    Attempt, AttemptId, AttemptState, Fault, Incident, IncidentId, Page, PageId, Recipient, Severity, Timestamp,
    config::ContactKind,
};
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

/// The longest page of the list.
pub const DELIVERIES_MAX: usize = 500;
/// Outcomes that a day's health is computed of; more are cut, the oldest.
const OUTCOMES_MAX: i64 = 200_000;

/// Which deliveries; what is empty or none does not choose.
#[derive(Clone, Debug, Default)]
pub struct DeliveryQuery {
    pub states: Vec<AttemptState>,
    pub severities: Vec<Severity>,
    pub channel: Option<ContactKind>,
    pub provider: Option<String>,
    pub recipient: Option<Recipient>,
    pub incident: Option<IncidentId>,
    /// First sent then or later.
    pub from: Option<Timestamp>,
    /// First sent before.
    pub until: Option<Timestamp>,
    /// Only what comes after this one in the list: the `next` of the page before.
    pub before: Option<(Timestamp, AttemptId)>,
    /// At most [`DELIVERIES_MAX`].
    pub limit: usize,
}

/// A delivery that began, with what it was about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    pub incident: IncidentId,
    pub title: String,
    /// Of the incident when the delivery last changed.
    pub severity: Severity,
    /// Whoever carried the last try.
    pub provider: String,
    pub page: PageId,
    pub recipient: Recipient,
    /// When the page was made, or its wait was over.
    pub queued_at: Timestamp,
    pub attempt: Attempt,
}

/// One page of the list, the newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentPage {
    pub items: Vec<Sent>,
    /// Pass it as `before` to get the next page; none at the end.
    pub next: Option<(Timestamp, AttemptId)>,
}

impl Store {
    /// One page of deliveries that began, the newest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn deliveries(&mut self, query: &DeliveryQuery) -> Result<SentPage, StoreError> {
        let limit = query.limit.clamp(1, DELIVERIES_MAX);
        let mut rows: Vec<Found> = matching(query)
            .order((delivery::sent_at.desc(), delivery::id.desc()))
            .limit(limit as i64 + 1)
            .select((
                delivery::id,
                delivery::incident,
                delivery::severity,
                delivery::sent_at,
                delivery::provider,
                delivery::doc,
            ))
            .load(&mut self.db)?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(|row| (Timestamp::from_ms(row.3), AttemptId(row.0)));
        let ids: BTreeSet<i64> = rows.iter().map(|row| row.1).collect();
        let titles: Vec<(i64, String)> = incident::table
            .filter(incident::id.eq_any(ids))
            .select((incident::id, incident::title))
            .load(&mut self.db)?;
        let titles: BTreeMap<i64, String> = titles.into_iter().collect();
        let items = rows.into_iter().map(|row| sent(row, &titles)).collect::<Result<_, _>>()?;
        Ok(SentPage { items, next })
    }

    /// What became of every delivery that was first sent since, the oldest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn delivery_outcomes(&mut self, since: Timestamp) -> Result<Vec<Outcome>, StoreError> {
        let rows: Vec<OutcomeRow> = delivery::table
            .filter(delivery::sent_at.ge(since.ms()))
            .order((delivery::sent_at.desc(), delivery::id.desc()))
            .limit(OUTCOMES_MAX)
            .select((
                delivery::provider,
                delivery::channel,
                delivery::state,
                delivery::sent_at,
                delivery::finished_at,
                delivery::fault,
            ))
            .load(&mut self.db)?;
        let read = |(provider, channel, state, sent_at, finished_at, fault): OutcomeRow| {
            Some(Outcome {
                provider,
                channel: named(&channel)?,
                state: named(&state)?,
                sent_at: Timestamp::from_ms(sent_at),
                finished_at: finished_at.map(Timestamp::from_ms),
                fault: fault.map(|it| named(&it).unwrap_or_default()),
            })
        };
        Ok(rows.into_iter().rev().filter_map(read).collect())
    }

    /// The newest delivery by a provider and channel that failed, or whose last try did.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn last_failure(
        &mut self,
        provider: &str,
        channel: ContactKind,
        since: Timestamp,
    ) -> Result<Option<Attempt>, StoreError> {
        let row: Option<(i64, String)> = delivery::table
            .filter(delivery::provider.eq(index_key(provider)))
            .filter(delivery::channel.eq(channel.as_str()))
            .filter(delivery::sent_at.ge(since.ms()))
            .filter(delivery::fault.is_not_null().and(delivery::fault.ne(Fault::Unsent.as_str())))
            .order((delivery::sent_at.desc(), delivery::id.desc()))
            .select((delivery::id, delivery::doc))
            .first(&mut self.db)
            .optional()?;
        row.map(|(id, doc)| {
            document::<SentDoc<'_>>("delivery", id, &doc).map(|doc: SentDoc<'_>| doc.attempt.into_owned())
        })
        .transpose()
    }

    /// Providers that carried something, by name.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn delivery_providers(&mut self) -> Result<Vec<String>, StoreError> {
        Ok(delivery::table
            .select(delivery::provider)
            .distinct()
            .order(delivery::provider)
            .limit(DELIVERIES_MAX as i64)
            .load(&mut self.db)?)
    }

    pub(super) fn put_deliveries(&mut self, rows: &[DeliveryRow]) -> Result<(), StoreError> {
        let at_once = match &self.db {
            // Prepared once, and then as fast as many at once.
            Db::Sqlite(_) => 1,
            #[cfg(feature = "postgres")]
            Db::Postgres(_) => super::commit::PG_ROWS,
        };
        for rows in rows.chunks(at_once) {
            PutDeliveries(rows).execute(&mut self.db)?;
        }
        Ok(())
    }
}

type OutcomeRow = (String, String, String, i64, Option<i64>, Option<String>);
type Found = (i64, i64, i16, i64, String, String);

fn sent((id, of, severity, _, provider, doc): Found, titles: &BTreeMap<i64, String>) -> Result<Sent, StoreError> {
    let doc: SentDoc<'_> = document("delivery", id, &doc)?;
    Ok(Sent {
        incident: IncidentId(of),
        title: titles.get(&of).cloned().unwrap_or_default(),
        severity: Severity::from_rank(u64::try_from(severity).unwrap_or(u64::MAX)),
        provider,
        page: doc.page,
        recipient: doc.recipient.into_owned(),
        queued_at: doc.queued_at,
        attempt: doc.attempt.into_owned(),
    })
}

/// A value by the name it is stored under; none for one of a later version.
fn named<T: serde::de::DeserializeOwned>(name: &str) -> Option<T> {
    serde_json::from_value(serde_json::Value::String(name.to_owned())).ok()
}

/// The deliveries a query asks for, on this page and those after it.
fn matching(query: &DeliveryQuery) -> delivery::BoxedQuery<'_, AnyBackend> {
    let mut found = delivery::table.into_boxed();
    if !query.states.is_empty() {
        found = found.filter(delivery::state.eq_any(query.states.iter().map(|state| state.as_str())));
    }
    if !query.severities.is_empty() {
        found = found.filter(delivery::severity.eq_any(query.severities.iter().map(|it| i16::from(it.rank()))));
    }
    if let Some(channel) = query.channel {
        found = found.filter(delivery::channel.eq(channel.as_str()));
    }
    if let Some(provider) = &query.provider {
        found = found.filter(delivery::provider.eq(index_key(provider)));
    }
    if let Some(recipient) = &query.recipient {
        found = found.filter(delivery::recipient.eq(recipient_key(recipient)));
    }
    if let Some(id) = query.incident {
        found = found.filter(delivery::incident.eq(id.0));
    }
    if let Some(from) = query.from {
        found = found.filter(delivery::sent_at.ge(from.ms()));
    }
    if let Some(until) = query.until {
        found = found.filter(delivery::sent_at.lt(until.ms()));
    }
    if let Some((at, id)) = query.before {
        let later = delivery::sent_at.eq(at.ms()).and(delivery::id.lt(id.0));
        found = found.filter(delivery::sent_at.lt(at.ms()).or(later));
    }
    found
}

fn recipient_key(recipient: &Recipient) -> String {
    let (kind, id) = match recipient {
        Recipient::Person(id) => ("person", id.as_str()),
        Recipient::Webhook(id) => ("webhook", id.as_str()),
    };
    index_key(&format!("{kind}:{id}")).into_owned()
}

/// What a row holds besides its index.
#[derive(Serialize, Deserialize)]
struct SentDoc<'a> {
    page: PageId,
    recipient: Cow<'a, Recipient>,
    queued_at: Timestamp,
    attempt: Cow<'a, Attempt>,
}

/// A delivery as it is stored.
pub(super) struct DeliveryRow {
    id: i64,
    incident: i64,
    recipient: String,
    channel: &'static str,
    provider: String,
    state: &'static str,
    severity: i16,
    sent_at: i64,
    finished_at: Option<i64>,
    fault: Option<&'static str>,
    doc: String,
}

impl DeliveryRow {
    /// Of the deliveries that changed those that began. `provider` says who carries one that is under way.
    pub(super) fn all_of(
        changes: &Changes,
        provider: impl Fn(&Recipient, &Attempt) -> String,
    ) -> Result<Vec<Self>, StoreError> {
        if changes.deliveries.is_empty() {
            return Ok(Vec::new());
        }
        let incidents: BTreeMap<IncidentId, &Incident> =
            changes.incidents.iter().map(|incident| (incident.id, &**incident)).collect();
        let wanted: BTreeSet<_> = changes.deliveries.iter().copied().collect();
        let mut rows = Vec::new();
        for (id, attempt) in wanted {
            let Some(incident) = incidents.get(&id) else { continue };
            let found = incident
                .pages
                .iter()
                .rev()
                .find_map(|page| page.attempts.iter().find(|it| it.id == attempt).map(|attempt| (page, attempt)));
            let Some((page, attempt)) = found else { continue };
            let provider = provider(&page.recipient, attempt);
            rows.extend(Self::of(incident, page, attempt, &provider)?);
        }
        Ok(rows)
    }

    /// None of one that has not begun.
    fn of(incident: &Incident, page: &Page, attempt: &Attempt, provider: &str) -> Result<Option<Self>, StoreError> {
        let Some(sent_at) = attempt.first_sent_at else { return Ok(None) };
        let doc = SentDoc {
            page: page.id,
            recipient: Cow::Borrowed(&page.recipient),
            queued_at: page.begins_at(),
            attempt: Cow::Borrowed(attempt),
        };
        Ok(Some(Self {
            id: attempt.id.0,
            incident: incident.id.0,
            recipient: recipient_key(&page.recipient),
            channel: attempt.channel.as_str(),
            provider: plain(&index_key(provider)).into_owned(),
            state: attempt.state.as_str(),
            severity: i16::from(incident.severity.rank()),
            sent_at: sent_at.ms(),
            finished_at: attempt.finished_at.map(|at| at.ms()),
            fault: attempt.failure.as_ref().map(|it| Fault::as_str(it.fault)),
            doc: json("a delivery", &doc)?,
        }))
    }
}

/// Writes deliveries, new ones and those that are there. Whose try is under way is named then, and stays named when the
/// configuration names another later. Written out because [`diesel`] has no words for that on both stores.
struct PutDeliveries<'a>(&'a [DeliveryRow]);

impl QueryFragment<AnyBackend> for PutDeliveries<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, AnyBackend>) -> QueryResult<()> {
        if self.0.len() > 1 {
            // As many shapes as there are numbers of rows.
            out.unsafe_to_cache_prepared();
        }
        out.push_sql(
            "INSERT INTO delivery (id, incident, recipient, channel, provider, state, severity, sent_at, finished_at, \
             fault, doc) VALUES ",
        );
        for (place, row) in self.0.iter().enumerate() {
            out.push_sql(if place == 0 { "(" } else { ", (" });
            out.push_bind_param::<BigInt, _>(&row.id)?;
            out.push_sql(", ");
            out.push_bind_param::<BigInt, _>(&row.incident)?;
            out.push_sql(", ");
            out.push_bind_param::<Text, _>(&row.recipient)?;
            out.push_sql(", ");
            out.push_bind_param::<Text, _>(&row.channel)?;
            out.push_sql(", ");
            out.push_bind_param::<Text, _>(&row.provider)?;
            out.push_sql(", ");
            out.push_bind_param::<Text, _>(&row.state)?;
            out.push_sql(", ");
            out.push_bind_param::<SmallInt, _>(&row.severity)?;
            out.push_sql(", ");
            out.push_bind_param::<BigInt, _>(&row.sent_at)?;
            out.push_sql(", ");
            out.push_bind_param::<Nullable<BigInt>, _>(&row.finished_at)?;
            out.push_sql(", ");
            out.push_bind_param::<Nullable<Text>, _>(&row.fault)?;
            out.push_sql(", ");
            out.push_bind_param::<Text, _>(&row.doc)?;
            out.push_sql(")");
        }
        out.push_sql(
            " ON CONFLICT (id) DO UPDATE SET state = excluded.state, severity = excluded.severity, \
             finished_at = excluded.finished_at, fault = excluded.fault, doc = excluded.doc, provider = CASE \
             excluded.state WHEN 'sending' THEN excluded.provider ELSE delivery.provider END",
        );
        Ok(())
    }
}

impl QueryId for PutDeliveries<'_> {
    type QueryId = PutDeliveries<'static>;
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl RunQueryDsl<Db> for PutDeliveries<'_> {}
