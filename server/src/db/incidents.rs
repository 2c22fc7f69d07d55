//! Reading incidents: lists, one with its story, and what happened before.

use super::{
    Store, StoreError,
    commit::{EntryDoc, state_name},
    connection::AnyBackend,
    restore::document,
    schema::{alert, incident, timeline},
    text::{containing, host_key, index_key},
};
use diesel::{
    BoolExpressionMethods as _, EscapeExpressionMethods as _, ExpressionMethods as _, OptionalExtension as _,
    QueryDsl as _, RunQueryDsl as _, TextExpressionMethods as _,
    dsl::{count_star, sql},
    sql_types::Bool,
};
use shared::{
    Alert, AlertId, Incident, IncidentId, IncidentState, IntegrationId, Severity, TeamId, Timestamp,
    timeline::TimelineEntry,
};
use std::collections::BTreeSet;

/// A condition on the machine in the words of the indexes, which have incidents that are over; the others are few.
macro_rules! of_machine {
    ($column:expr, $machine:expr) => {
        sql::<Bool>("live = 0")
            .and($column.eq($machine.clone()))
            .or(sql::<Bool>("live = 1").and($column.eq($machine.clone())))
    };
}

/// Which incidents; what is empty or none does not choose.
#[derive(Clone, Debug, Default)]
pub struct IncidentQuery {
    pub states: Vec<IncidentState>,
    pub severities: Vec<Severity>,
    pub integration: Option<IntegrationId>,
    pub team: Option<TeamId>,
    /// A host name or an address, whole, in whatever case.
    pub host: Option<String>,
    /// Words as they stand in the number (`#123`), the title, the host name or the address, in whatever case.
    pub text: Option<String>,
    /// Only older ones: the `next` of the page before.
    pub before: Option<IncidentId>,
    /// At most [`LIMIT_MAX`].
    pub limit: usize,
}

/// One page of a list, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncidentPage {
    pub items: Vec<Incident>,
    /// Pass it as `before` to get the next page; none at the end.
    pub next: Option<IncidentId>,
    /// How many there are on all pages.
    pub total: u32,
}

/// Alerts looked at one by one: at once, and altogether.
const LOOK_EACH: i64 = 1_000;
const LOOK_MAX: usize = 20_000;

/// The longest page.
pub const LIMIT_MAX: usize = 500;

impl Store {
    /// One page of incidents, newest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn incidents(&mut self, query: &IncidentQuery) -> Result<IncidentPage, StoreError> {
        let limit = query.limit.clamp(1, LIMIT_MAX);
        self.snapshot(|store| {
            let total: i64 = matching(query).select(count_star()).first(&mut store.db)?;
            let mut rows: Vec<(i64, String)> = matching(query)
                .filter(incident::id.lt(query.before.map_or(i64::MAX, |id| id.0)))
                .order(incident::id.desc())
                .limit(limit as i64 + 1)
                .select((incident::id, incident::doc))
                .load(&mut store.db)?;
            let more = rows.len() > limit;
            rows.truncate(limit);
            let next = rows.last().filter(|_| more).map(|(id, _)| IncidentId(*id));
            let items = rows.iter().map(|(id, doc)| document("incident", *id, doc)).collect::<Result<_, _>>()?;
            Ok(IncidentPage { items, next, total: u32::try_from(total).unwrap_or(u32::MAX) })
        })
    }

    /// Incidents with an alert that was closed since, which were over before anybody who was paged answered; newest
    /// first, of the alerts that were closed last.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn missed(&mut self, since: Timestamp) -> Result<Vec<Incident>, StoreError> {
        let closed: Vec<i64> = alert::table
            .filter(alert::closed_at.gt(since.ms()))
            .order(alert::closed_at.desc())
            .limit(LOOK_MAX as i64)
            .select(alert::incident)
            .load(&mut self.db)?;
        let ids: BTreeSet<i64> = closed.into_iter().collect();
        let ids: Vec<IncidentId> = ids.into_iter().rev().map(IncidentId).collect();
        let mut missed = Vec::new();
        for ids in ids.chunks(LOOK_EACH as usize) {
            missed.extend(self.incidents_of(ids)?.into_iter().filter(Incident::is_missed));
        }
        Ok(missed)
    }

    /// One incident.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn incident(&mut self, id: IncidentId) -> Result<Option<Incident>, StoreError> {
        let doc: Option<String> = incident::table.find(id.0).select(incident::doc).first(&mut self.db).optional()?;
        doc.map(|doc| document("incident", id.0, &doc)).transpose()
    }

    /// The alerts of an incident, oldest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn alerts_of(&mut self, of: &Incident) -> Result<Vec<Alert>, StoreError> {
        let rows: Vec<(i64, String)> = alert::table
            .filter(alert::id.eq_any(of.alerts.iter().map(|id| id.0)))
            .order(alert::id)
            .select((alert::id, alert::doc))
            .load(&mut self.db)?;
        rows.iter().map(|(id, doc)| document("alert", *id, doc)).collect()
    }

    /// One alert, open or over.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn alert(&mut self, id: AlertId) -> Result<Option<Alert>, StoreError> {
        let doc: Option<String> = alert::table.find(id.0).select(alert::doc).first(&mut self.db).optional()?;
        doc.map(|doc| document("alert", id.0, &doc)).transpose()
    }

    /// The newest alert of a sender with this identity that is over.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn closed_alert_of_key(&mut self, integration: &IntegrationId, key: &str) -> Result<Option<Alert>, StoreError> {
        let row: Option<(i64, String)> = alert::table
            .filter(alert::integration.eq(index_key(integration.as_str())).and(alert::dedup_key.eq(index_key(key))))
            .filter(alert::closed_at.is_not_null())
            .order(alert::incident.desc())
            .select((alert::id, alert::doc))
            .first(&mut self.db)
            .optional()?;
        row.map(|(id, doc)| document("alert", id, &doc)).transpose()
    }

    /// Alerts that opened since, the newest first, to a function that says which to keep; whether there were more than
    /// could be looked at.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn alerts_since(
        &mut self,
        since: Timestamp,
        keep: impl Fn(&Alert) -> bool,
    ) -> Result<(Vec<Alert>, bool), StoreError> {
        let (mut kept, mut looked_at, mut before) = (Vec::new(), 0, i64::MAX);
        loop {
            let rows: Vec<(i64, i64, String)> = alert::table
                .filter(alert::id.lt(before))
                .order(alert::id.desc())
                .limit(LOOK_EACH)
                .select((alert::id, alert::first_at, alert::doc))
                .load(&mut self.db)?;
            let Some((last, ..)) = rows.last() else { return Ok((kept, false)) };
            before = *last;
            for (id, first_at, doc) in &rows {
                if *first_at < since.ms() {
                    return Ok((kept, false));
                }
                let alert: Alert = document("alert", *id, doc)?;
                if keep(&alert) {
                    kept.push(alert);
                }
            }
            looked_at += rows.len();
            if looked_at >= LOOK_MAX {
                return Ok((kept, true));
            }
        }
    }

    /// Some incidents by their numbers, the newest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn incidents_of(&mut self, ids: &[IncidentId]) -> Result<Vec<Incident>, StoreError> {
        let rows: Vec<(i64, String)> = incident::table
            .filter(incident::id.eq_any(ids.iter().map(|id| id.0)))
            .order(incident::id.desc())
            .select((incident::id, incident::doc))
            .load(&mut self.db)?;
        rows.iter().map(|(id, doc)| document("incident", *id, doc)).collect()
    }

    /// The timeline of an incident, from its beginning.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn timeline(&mut self, id: IncidentId) -> Result<Vec<TimelineEntry>, StoreError> {
        let rows: Vec<(i64, i64, String)> = timeline::table
            .filter(timeline::incident.eq(id.0))
            .order(timeline::seq)
            .select((timeline::seq, timeline::at, timeline::doc))
            .load(&mut self.db)?;
        let mut entries = Vec::new();
        for (first, at, doc) in rows {
            let row: Vec<EntryDoc<'_>> = document("the timeline of incident", id.0, &doc)?;
            for (seq, entry) in (u32::try_from(first).unwrap_or_default()..).zip(row) {
                let (actor, what) = (entry.actor.into_owned(), entry.what.into_owned());
                entries.push(TimelineEntry { incident: id, seq, at: Timestamp::from_ms(at), actor, what });
            }
        }
        Ok(entries)
    }

    /// Earlier incidents of the same identity or on the same machine, newest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn before(&mut self, of: &Incident, limit: usize) -> Result<Vec<Incident>, StoreError> {
        let limit = limit.min(LIMIT_MAX);
        self.snapshot(|store| {
            let mut ids: BTreeSet<i64> = store.same_identity(of, limit)?.into_iter().collect();
            if let Some(host) = of.host.as_deref().map(host_key) {
                ids.extend(store.older(of, limit, |query| query.filter(of_machine!(incident::host, host)))?);
            }
            if let Some(ip) = of.ip.as_deref().map(host_key) {
                ids.extend(store.older(of, limit, |query| query.filter(of_machine!(incident::ip, ip)))?);
            }
            let newest: Vec<i64> = ids.into_iter().rev().take(limit).collect();
            let rows: Vec<(i64, String)> = incident::table
                .filter(incident::id.eq_any(&newest))
                .order(incident::id.desc())
                .select((incident::id, incident::doc))
                .load(&mut store.db)?;
            rows.iter().map(|(id, doc)| document("incident", *id, doc)).collect()
        })
    }

    fn same_identity(&mut self, of: &Incident, limit: usize) -> Result<Vec<i64>, StoreError> {
        let keys: Vec<String> = alert::table
            .filter(alert::id.eq_any(of.alerts.iter().rev().take(LIMIT_MAX).map(|id| id.0)))
            .select(alert::dedup_key)
            .load(&mut self.db)?;
        Ok(alert::table
            .filter(alert::integration.eq(index_key(of.integration.as_str())).and(alert::dedup_key.eq_any(&keys)))
            .filter(alert::closed_at.is_not_null())
            .filter(alert::incident.lt(of.id.0))
            .order(alert::incident.desc())
            .limit(limit as i64)
            .select(alert::incident)
            .distinct()
            .load(&mut self.db)?)
    }

    fn older<'a>(
        &mut self,
        than: &Incident,
        limit: usize,
        on: impl FnOnce(Incidents<'a>) -> Incidents<'a>,
    ) -> Result<Vec<i64>, StoreError> {
        Ok(on(incident::table.into_boxed())
            .filter(incident::id.lt(than.id.0))
            .order(incident::id.desc())
            .limit(limit as i64)
            .select(incident::id)
            .load(&mut self.db)?)
    }
}

type Incidents<'a> = incident::BoxedQuery<'a, AnyBackend>;

/// The incidents a query asks for, on all pages.
fn matching(query: &IncidentQuery) -> Incidents<'_> {
    let mut found = incident::table.into_boxed();
    if !query.states.is_empty() {
        found = found.filter(incident::state.eq_any(query.states.iter().map(|state| state_name(*state))));
    }
    if !query.severities.is_empty() {
        found = found.filter(incident::severity.eq_any(query.severities.iter().map(|level| i16::from(level.rank()))));
    }
    if let Some(integration) = &query.integration {
        found = found.filter(incident::integration.eq(index_key(integration.as_str())));
    }
    if let Some(team) = &query.team {
        found = found.filter(incident::team.eq(index_key(team.as_str())));
    }
    if let Some(host) = query.host.as_deref().map(host_key) {
        found = found.filter(of_machine!(incident::host, host).or(of_machine!(incident::ip, host)));
    }
    if let Some(text) = query.text.as_deref().filter(|text| !text.trim().is_empty()) {
        found = found.filter(incident::search.like(containing(text.trim())).escape('\\'));
    }
    found
}
