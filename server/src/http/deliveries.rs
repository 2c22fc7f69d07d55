//! Every delivery that began, the newest first, and how those who carry them do.

use super::{
    App,
    analytics::instant,
    app::{blocking, now},
    csv,
    incidents::severities,
    problem::ApiError,
};
use crate::db::{DELIVERIES_MAX, DeliveryQuery, Sent, SentPage};
use actix_web::{
    HttpResponse,
    http::header::CONTENT_DISPOSITION,
    web::{self, Query},
};
use engine::{Snapshot, health};
use serde::Deserialize;
use shared::{
    AttemptId, AttemptState, HookId, IncidentId, PersonId, Recipient, Timestamp,
    api::{DeliveryHealth, DeliveryRow, LastError, List, ProviderHealth},
    config::ContactKind,
};

/// Rows of one CSV; the newest.
const CSV_ROWS: usize = 20_000;

#[derive(Deserialize)]
pub(super) struct Asked {
    state: Option<String>,
    severity: Option<String>,
    channel: Option<ContactKind>,
    provider: Option<String>,
    person: Option<PersonId>,
    webhook: Option<HookId>,
    incident: Option<IncidentId>,
    from: Option<Timestamp>,
    until: Option<Timestamp>,
    after: Option<String>,
    limit: Option<usize>,
    /// `csv`: everything that was asked for, as one table.
    format: Option<String>,
}

impl Asked {
    fn query(self) -> Result<DeliveryQuery, ApiError> {
        let recipient = match (self.person, self.webhook) {
            (Some(person), None) => Some(Recipient::Person(person)),
            (None, Some(hook)) => Some(Recipient::Webhook(hook)),
            (None, None) => None,
            (Some(_), Some(_)) => {
                return Err(ApiError::invalid("webhook", "Ask for a person or for a webhook, not for both."));
            }
        };
        Ok(DeliveryQuery {
            states: states(self.state.as_deref().unwrap_or_default())?,
            severities: severities(self.severity.as_deref().unwrap_or_default())?,
            channel: self.channel,
            provider: self.provider.filter(|it| !it.is_empty()),
            recipient,
            incident: self.incident,
            from: self.from,
            until: self.until,
            before: self.after.as_deref().map(cursor).transpose()?,
            limit: self.limit.unwrap_or(50).clamp(1, DELIVERIES_MAX),
        })
    }
}

fn states(text: &str) -> Result<Vec<AttemptState>, ApiError> {
    const ALL: [AttemptState; 5] = [
        AttemptState::Sending,
        AttemptState::Retrying,
        AttemptState::Accepted,
        AttemptState::Failed,
        AttemptState::Cancelled,
    ];
    let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
    let known = |word: &str| ALL.into_iter().find(|state| state.as_str() == word);
    words
        .map(|word| {
            let names = ALL.map(AttemptState::as_str).join(", ");
            known(word).ok_or_else(|| ApiError::invalid("state", format!("`{word}` is none of {names}.")))
        })
        .collect()
}

/// Where a page ended: the time and the number of its last row.
fn cursor(text: &str) -> Result<(Timestamp, AttemptId), ApiError> {
    let parts = text.split_once('.');
    let read = parts.and_then(|(at, id)| Some((Timestamp::from_ms(at.parse().ok()?), AttemptId(id.parse().ok()?))));
    read.ok_or_else(|| ApiError::invalid("after", "Pass the `next` of the page before."))
}

pub(super) async fn list_deliveries(app: web::Data<App>, asked: Query<Asked>) -> Result<HttpResponse, ApiError> {
    let asked = asked.into_inner();
    let as_csv = match asked.format.as_deref() {
        None | Some("json") => false,
        Some("csv") => true,
        Some(_) => return Err(ApiError::invalid("format", "Ask for `json` or `csv`.")),
    };
    let query = asked.query()?;
    if as_csv {
        return table(&app, query).await;
    }
    let (page, instance) = app
        .db(move |store| {
            let instance = store.meta("instance")?.unwrap_or_default();
            Ok((store.deliveries(&query)?, instance))
        })
        .await?;
    let config = app.runtime.config();
    let SentPage { items, next } = page;
    let items: Vec<DeliveryRow> = items.into_iter().map(|sent| row(&config, &instance, sent)).collect();
    let next = next.map(|(at, id)| format!("{}.{id}", at.ms()));
    Ok(HttpResponse::Ok().json(List { items, next }))
}

fn row(config: &Snapshot, instance: &str, sent: Sent) -> DeliveryRow {
    let Sent { incident, title, severity, provider, page, recipient, queued_at, attempt } = sent;
    let name = match &recipient {
        Recipient::Person(id) => config.people.get(id).map_or_else(|| id.to_string(), |it| it.name.clone()),
        Recipient::Webhook(id) => id.to_string(),
    };
    let finished_in = |state| attempt.finished_at.filter(|_| attempt.state == state);
    let proof = attempt.proof.as_deref().cloned().unwrap_or_default();
    DeliveryRow {
        key: format!("{instance}-{}", attempt.message()),
        taken_at: finished_in(AttemptState::Accepted),
        failed_at: finished_in(AttemptState::Failed),
        attempt: attempt.id,
        incident,
        title,
        severity,
        page,
        recipient,
        name,
        contact: attempt.contact,
        channel: attempt.channel,
        provider,
        state: attempt.state,
        tries: attempt.tries,
        queued_at,
        sent_at: attempt.first_sent_at.unwrap_or(queued_at),
        delivered_at: proof.delivered_at,
        shown_at: proof.shown_at,
        seen_at: proof.seen_at,
        failure: attempt.failure.map(|it| *it),
        device: proof.device,
        provider_id: proof.provider_id,
    }
}

async fn table(app: &App, mut query: DeliveryQuery) -> Result<HttpResponse, ApiError> {
    query.limit = DELIVERIES_MAX;
    let (sent, instance) = app
        .db(move |store| {
            let mut all = Vec::new();
            loop {
                let SentPage { items, next } = store.deliveries(&query)?;
                all.extend(items);
                query.before = next;
                if query.before.is_none() || all.len() >= CSV_ROWS {
                    return Ok((all, store.meta("instance")?.unwrap_or_default()));
                }
            }
        })
        .await?;
    let config = app.runtime.config();
    let text = blocking(move || {
        let rows = sent.into_iter().map(|sent| cells(row(&config, &instance, sent)));
        csv::written(&HEADINGS, rows)
    })
    .await?;
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_DISPOSITION, "attachment; filename=\"tocsin-deliveries.csv\""))
        .content_type("text/csv; charset=utf-8; header=present")
        .body(text))
}

const HEADINGS: [&str; 23] = [
    "sent",
    "incident",
    "severity",
    "title",
    "recipient",
    "name",
    "contact",
    "channel",
    "provider",
    "state",
    "tries",
    "queued",
    "queued_to_sent_ms",
    "sent_to_taken_ms",
    "taken",
    "delivered",
    "shown",
    "seen",
    "failed",
    "error",
    "fault",
    "provider_id",
    "key",
];

fn cells(row: DeliveryRow) -> Vec<String> {
    let at = |at: Option<Timestamp>| at.map(instant).unwrap_or_default();
    let recipient = match &row.recipient {
        Recipient::Person(id) => format!("person:{id}"),
        Recipient::Webhook(id) => format!("webhook:{id}"),
    };
    let taken = row.taken_at.map(|at| at.ms_since(row.sent_at).to_string());
    let (error, fault) = row.failure.map(|it| (it.detail, it.fault.as_str().to_owned())).unwrap_or_default();
    vec![
        instant(row.sent_at),
        row.incident.to_string(),
        row.severity.to_string(),
        row.title,
        recipient,
        row.name,
        row.contact.to_string(),
        row.channel.as_str().to_owned(),
        row.provider,
        row.state.as_str().to_owned(),
        row.tries.to_string(),
        instant(row.queued_at),
        row.sent_at.ms_since(row.queued_at).to_string(),
        taken.unwrap_or_default(),
        at(row.taken_at),
        at(row.delivered_at),
        at(row.shown_at),
        at(row.seen_at),
        at(row.failed_at),
        error,
        fault,
        row.provider_id.map(|it| it.to_string()).unwrap_or_default(),
        row.key,
    ]
}

pub(super) async fn show_health(app: web::Data<App>) -> Result<web::Json<DeliveryHealth>, ApiError> {
    let now = now();
    let providers = providers(&app, now).await?;
    let names = app.db(|store| store.delivery_providers()).await?;
    Ok(web::Json(DeliveryHealth { providers, names, now, from: now.plus_ms(-health::DAY.0) }))
}

/// How every provider that carried something in the last day does, each with its newest error.
pub(super) async fn providers(app: &App, now: Timestamp) -> Result<Vec<ProviderHealth>, ApiError> {
    app.db(move |store| {
        let since = now.plus_ms(-health::DAY.0);
        let outcomes = store.delivery_outcomes(since)?;
        let mut all = health::health(now, &outcomes);
        for it in &mut all {
            let failed = store.last_failure(&it.provider, it.channel, since)?;
            it.last_error = failed.and_then(|attempt| {
                let at = attempt.finished_at.or(attempt.first_sent_at)?;
                let failure = attempt.failure?;
                Some(LastError { at, detail: failure.detail, fault: failure.fault })
            });
        }
        Ok(all)
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_what_a_page_gave_and_nothing_else() {
        assert_eq!(cursor("1795244400000.17").ok(), Some((Timestamp::from_ms(1_795_244_400_000), AttemptId(17))));
        for text in ["", "17", "a.b", "1.2.3", "."] {
            assert!(cursor(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_state_that_is_none_is_refused() {
        assert_eq!(states("failed, retrying").ok(), Some(vec![AttemptState::Failed, AttemptState::Retrying]));
        assert!(states("planned").is_err() && states("ok").is_err());
    }
}
