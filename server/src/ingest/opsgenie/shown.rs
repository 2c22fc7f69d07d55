//! Alerts and requests as Opsgenie shows them.

use super::{Asked, Fault, requests::Done, uuid};
use crate::{ingest::alertmanager::instant, runtime::Told};
use actix_web::{HttpResponse, http::StatusCode};
use engine::normalize;
use serde_json::{Value, json};
use shared::{Alert, AlertState, Incident, IncidentState, Severity};

/// Alerts on a page of a list, and the most that may be asked for.
const PAGE: usize = 20;
const PAGE_MAX: usize = 100;

fn answer(data: &Value) -> HttpResponse {
    HttpResponse::Ok().json(json!({ "data": data, "took": 0.001, "requestId": uuid() }))
}

fn not_found(what: &str) -> Fault {
    Fault::new(StatusCode::NOT_FOUND, format!("{what} not found"))
}

/// What came of a request; 404 when it is none of this sender's.
pub(super) async fn request(asked: &Asked<'_>, id: &str) -> Result<HttpResponse, Fault> {
    let done = Done::read(id).ok_or_else(|| not_found("Request"))?;
    let alert = match done.alert {
        Some(number) => {
            let found = asked.app.db(move |store| store.alert(number)).await?;
            Some(found.filter(|it| it.integration == asked.integration).ok_or_else(|| not_found("Request"))?)
        }
        None => None,
    };
    let success = alert.is_some();
    Ok(HttpResponse::Ok().json(json!({
        "data": {
            "success": success, "isSuccess": success, "action": done.action(), "processedAt": instant(done.at),
            "integrationId": asked.integration, "status": done.status(),
            "alertId": alert.as_ref().map(|it| it.id.0.to_string()).unwrap_or_default(),
            "alias": alert.as_ref().map(|it| it.event.dedup_key.to_string()).unwrap_or_default(),
        },
        "took": 0.001, "requestId": id,
    })))
}

/// One alert, open or over.
pub(super) async fn alert(asked: &Asked<'_>, identifier: &str) -> Result<HttpResponse, Fault> {
    let alert = asked.alert(identifier).await?.ok_or_else(|| not_found("Alert"))?;
    let number = alert.incident;
    let incident = asked.app.db(move |store| store.incident(number)).await?;
    Ok(answer(&shown(asked, &alert, incident.as_ref().map(|it| it.state), incident.as_ref())))
}

/// The open alerts of this sender, the newest first.
pub(super) async fn list(asked: &Asked<'_>) -> Result<HttpResponse, Fault> {
    let number = |name: &str| asked.query(name).and_then(|text| text.parse::<usize>().ok());
    let (offset, limit) = (number("offset").unwrap_or(0), number("limit").unwrap_or(PAGE).min(PAGE_MAX));
    let mut found = open(asked).await?;
    found.reverse();
    let page: Vec<Value> =
        found.iter().skip(offset).take(limit).map(|told| shown(asked, &told.alert, Some(told.state), None)).collect();
    Ok(answer(&page.into()))
}

/// How many there are.
pub(super) async fn count(asked: &Asked<'_>) -> Result<HttpResponse, Fault> {
    Ok(answer(&json!({ "count": open(asked).await?.len() })))
}

/// Those that a query asks for: `alias:x`, `status:open`, or words of the message.
async fn open(asked: &Asked<'_>) -> Result<Vec<Told>, Fault> {
    let told = asked.app.runtime.told_by(asked.integration.clone(), None).await;
    let told = told.map_err(|_| Fault::new(StatusCode::SERVICE_UNAVAILABLE, "the pager does not answer"))?;
    let query = asked.query("query").unwrap_or_default();
    let admits = |alert: &Alert| {
        query.split_whitespace().filter(|word| !word.eq_ignore_ascii_case("and")).all(|word| {
            match word.split_once([':', '=']) {
                Some(("status", status)) => status.trim_matches('"').eq_ignore_ascii_case("open"),
                Some(("alias", alias)) => *alert.event.dedup_key == *normalize::key_of(alias.trim_matches('"')),
                _ => alert.event.summary.to_lowercase().contains(&word.trim_matches('"').to_lowercase()),
            }
        })
    };
    Ok(told.into_iter().filter(|it| admits(&it.alert)).collect())
}

const fn priority(severity: Severity) -> &'static str {
    match severity {
        Severity::P0 => "P1",
        Severity::P1 => "P2",
        Severity::P2 => "P3",
        Severity::P3 => "P4",
        Severity::P4 | Severity::P5 | Severity::P6 => "P5",
    }
}

fn shown(asked: &Asked<'_>, alert: &Alert, state: Option<IncidentState>, incident: Option<&Incident>) -> Value {
    let event = &alert.event;
    let label = |name: &str| event.labels.get(name).cloned().unwrap_or_default();
    let is_open = alert.state == AlertState::Firing;
    let is = |known| state == Some(known);
    let tags: Vec<String> = label("tags").split(", ").filter(|it| !it.is_empty()).map(ToOwned::to_owned).collect();
    json!({
        "id": alert.id.0.to_string(), "tinyId": alert.id.0.to_string(), "alias": event.dedup_key,
        "message": event.summary, "description": event.content, "status": if is_open { "open" } else { "closed" },
        "acknowledged": is(IncidentState::Acked), "isSeen": is(IncidentState::Acked),
        "snoozed": is(IncidentState::Snoozed), "count": alert.count, "tags": tags,
        "createdAt": instant(alert.first_at), "lastOccurredAt": instant(alert.last_at),
        "updatedAt": instant(alert.last_at), "source": label("source"), "entity": label("entity"),
        "owner": incident.and_then(|it| it.ack.as_ref()).map(|ack| ack.by.name()).unwrap_or_default(),
        "priority": priority(alert.severity()), "teams": [], "responders": [], "actions": [],
        "details": *event.labels,
        "integration": { "id": asked.integration, "name": asked.integration, "type": "API" },
    })
}
