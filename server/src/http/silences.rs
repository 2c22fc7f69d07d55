//! Silences and maintenance: each is one act of the engine, answered with the silence as it then is.

use super::{
    App,
    app::{act, now},
    body::Json,
    principal::Principal,
    problem::ApiError,
};
use actix_web::{HttpResponse, http::StatusCode, web};
use engine::{SilenceAct, matcher::Subject, silence};
use shared::{
    Alert, IncidentId, Silence, SilenceId, SilenceRequest, Timestamp,
    api::{IncidentRow, List, SilenceDetail, SilencePreview},
};

const DAY_MS: i64 = 86_400_000;
/// Ended silences are listed for so long, and so many.
const LISTED_MS: i64 = 30 * DAY_MS;
const MOST: usize = 500;
const MOST_HID: usize = 200;
const MOST_PREVIEWED: usize = 50;

pub(super) async fn list_silences(app: web::Data<App>) -> Result<web::Json<List<Silence>>, ApiError> {
    let since = now().plus_ms(-LISTED_MS);
    let items = app
        .db(move |store| {
            let mut all = store.silences_live()?;
            all.retain(|silence| silence.ended.is_none());
            all.extend(store.silences_ended(since, MOST)?);
            Ok(all)
        })
        .await?;
    Ok(web::Json(List { items, next: None }))
}

pub(super) async fn show_silence(
    app: web::Data<App>,
    id: web::Path<i64>,
) -> Result<web::Json<SilenceDetail>, ApiError> {
    let id = SilenceId(*id);
    let config = app.runtime.config();
    let found = app
        .db(move |store| {
            let Some(silence) = store.silence(id)? else { return Ok(None) };
            let newest: Vec<IncidentId> = silence.hid.iter().rev().take(MOST_HID).copied().collect();
            let hid = store.incidents_of(&newest)?;
            let owner = config.person_of(&silence.by);
            Ok(Some(SilenceDetail { silence, owner, hid: hid.iter().map(IncidentRow::from).collect() }))
        })
        .await?;
    found.map(web::Json).ok_or_else(|| ApiError::not_found("silence"))
}

pub(super) async fn make_silence(
    app: web::Data<App>,
    by: Principal,
    Json(request): Json<SilenceRequest>,
) -> Result<HttpResponse, ApiError> {
    check(&request)?;
    let silence = decide(&app, &by, "silence.begin", SilenceAct::Begin(request)).await?;
    Ok(HttpResponse::build(StatusCode::CREATED).json(silence))
}

pub(super) async fn change_silence(
    app: web::Data<App>,
    by: Principal,
    id: web::Path<i64>,
    Json(request): Json<SilenceRequest>,
) -> Result<web::Json<Silence>, ApiError> {
    check(&request)?;
    decide(&app, &by, "silence.change", SilenceAct::Change(SilenceId(*id), request)).await.map(web::Json)
}

pub(super) async fn end_silence(
    app: web::Data<App>,
    by: Principal,
    id: web::Path<i64>,
) -> Result<web::Json<Silence>, ApiError> {
    decide(&app, &by, "silence.end", SilenceAct::End(SilenceId(*id))).await.map(web::Json)
}

/// Everything that is wrong with a request, not only the first thing.
fn check(request: &SilenceRequest) -> Result<(), ApiError> {
    let faults = silence::faults(request, now());
    match faults.first() {
        None => Ok(()),
        Some(first) => Err(ApiError::invalid(&first.path.clone(), first.message.clone()).findings(faults)),
    }
}

async fn decide(app: &App, by: &Principal, action: &str, what: SilenceAct) -> Result<Silence, ApiError> {
    let silence = app.runtime.silence(by.actor(), what).await?;
    let detail = format!("{}: {}", silence.matches.join(", "), silence.reason);
    let entry = act(&by.record_name(), action, silence.id.to_string(), detail);
    app.db(move |store| store.audit_append(&entry)).await?;
    Ok(silence)
}

pub(super) async fn preview_silence(
    app: web::Data<App>,
    Json(request): Json<SilenceRequest>,
) -> Result<web::Json<SilencePreview>, ApiError> {
    let now = now();
    let conditions = silence::conditions(&request).ok_or_else(|| {
        let faults =
            silence::faults(&request, now).into_iter().filter(|fault| fault.path.starts_with("match")).collect();
        ApiError::invalid("match", "Name conditions that can be read.").findings(faults)
    })?;
    let mut open = app.runtime.matching(conditions.clone(), now).await?;
    open.sort_by_key(|incident| (incident.severity, std::cmp::Reverse(incident.id)));
    let (week, week_cut) = app
        .db(move |store| {
            let matched = |alert: &Alert| {
                let subject = subject(alert, now);
                conditions.iter().all(|condition| condition.holds(&subject))
            };
            let (alerts, cut) = store.alerts_since(now.plus_ms(-7 * DAY_MS), matched)?;
            let ids: std::collections::BTreeSet<IncidentId> = alerts.iter().map(|alert| alert.incident).collect();
            let newest: Vec<IncidentId> = ids.iter().rev().take(MOST_PREVIEWED).copied().collect();
            Ok(((ids.len() as u32, store.incidents_of(&newest)?), cut))
        })
        .await?;
    let (week_total, week) = week;
    Ok(web::Json(SilencePreview {
        open_total: open.len() as u32,
        open: open.iter().take(MOST_PREVIEWED).map(IncidentRow::from).collect(),
        week: week.iter().map(IncidentRow::from).collect(),
        week_total,
        week_cut,
    }))
}

fn subject(alert: &Alert, now: Timestamp) -> Subject<'_> {
    Subject { event: &alert.event, integration: &alert.integration, severity: alert.highest, now }
}
