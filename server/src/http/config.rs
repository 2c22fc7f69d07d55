//! The configuration: shown without its secrets, checked, and put in force when nobody else was faster.

use super::{
    App,
    app::{act, blocking, now},
    body::{Json, MOST_CONFIG_BYTES},
    principal::Principal,
    problem::ApiError,
};
use crate::{
    config::{self, Refused},
    db::{AuditEntry, Store},
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{ETAG, IF_MATCH},
    },
    web,
};
use engine::{Snapshot, oncall::Copies};
use shared::{
    api::{ConfigDocument, ConfigDraft, ConfigReport, ConfigText},
    config::{Document, Finding},
};
use std::sync::Arc;

const YEAR_MS: i64 = 366 * 86_400_000;

/// The newest stored version, its text and what it says; version 0 is the built-in one, which is empty.
pub(super) async fn stored(app: &App) -> Result<(i64, String, Document), ApiError> {
    let (version, text) = app.db(Store::config_current).await?.unwrap_or_default();
    let document = config::parse(&text).map_err(|finding| {
        tracing::error!(version, at = finding.path, finding.message, "the stored configuration cannot be read");
        ApiError::internal()
    })?;
    Ok((version, text, document))
}

pub(super) async fn show_config(app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let (version, text, _) = stored(&app).await?;
    Ok(HttpResponse::Ok().insert_header((ETAG, tag(version))).json(ConfigText { toml: config::hide(&text) }))
}

pub(super) async fn check_config(
    app: web::Data<App>,
    Json(body): Json<ConfigText, MOST_CONFIG_BYTES>,
) -> Result<web::Json<ConfigReport>, ApiError> {
    let (version, _, old) = stored(&app).await?;
    let copies = app.runtime.config().copies.clone();
    let report = blocking(move || {
        let text = match config::restore(&body.toml, &old) {
            Ok(text) => text,
            Err(findings) => {
                let refused = Refused { findings, tests: Vec::new(), document: None };
                return config::report(&Err(Box::new(refused)), &old, version);
            }
        };
        config::report(&config::check(&text, version + 1, copies, now()), &old, version)
    });
    Ok(web::Json(report.await?))
}

pub(super) async fn apply_config(
    app: web::Data<App>,
    request: HttpRequest,
    principal: Principal,
    Json(body): Json<ConfigText, MOST_CONFIG_BYTES>,
) -> Result<HttpResponse, ApiError> {
    let (version, _, old) = stored(&app).await?;
    unmoved(&request, version)?;
    let text = config::restore(&body.toml, &old).map_err(refused)?;
    let entry = act(&principal.record_name(), "config.apply", (version + 1).to_string(), "");
    let report = put(&app, entry, text, version).await?;
    Ok(HttpResponse::Ok().insert_header((ETAG, tag(report.version))).json(report))
}

/// Checks a text and puts it in force unless version `expected` is not in force any more.
pub(super) async fn put(
    app: &App,
    mut entry: AuditEntry,
    text: String,
    expected: i64,
) -> Result<ConfigReport, ApiError> {
    let (_, _, old) = stored(app).await?;
    let (checked_text, copies) = (text.clone(), app.runtime.config().copies.clone());
    let result = blocking(move || config::check(&checked_text, expected + 1, copies, now())).await?;
    let mut report = config::report(&result, &old, expected);
    if let Err(refused) = result {
        return Err(refusal(&refused));
    }
    entry.detail = report.changes.join(", ").chars().take(2_000).collect();
    let (by, at) = (entry.actor.clone(), entry.at);
    report.version = app.change(entry, move |store| store.config_put(&text, &by, at, Some(expected))).await?;
    // Stored is in force: should the engine not answer now, it finds the new version by itself.
    if app.runtime.reload().await.is_err() {
        tracing::warn!(version = report.version, "the engine has not taken the new configuration yet");
    }
    report.applied = true;
    Ok(report)
}

/// The configuration as the browser's engine takes it.
pub(super) async fn show_document(app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let (version, _, document) = stored(&app).await?;
    let mut document = config::without_secrets(document);
    write_out_calendars(&mut document, &app.runtime.config());
    Ok(HttpResponse::Ok().insert_header((ETAG, tag(version))).json(ConfigDocument { version, document }))
}

/// A browser fetches no calendars of others: it gets the shifts they give, of the past and the coming year.
fn write_out_calendars(document: &mut Document, config: &Snapshot) {
    let (from, until) = (now().plus_ms(-YEAR_MS), now().plus_ms(YEAR_MS));
    for schedule in &mut document.schedules {
        let Some(roster) = config.rosters.get(&schedule.id) else { continue };
        for layer in schedule.layers.iter_mut().filter(|layer| layer.ical_url.is_some()) {
            if let Some(text) = roster.calendar_of(&layer.id, from, until) {
                (layer.ical, layer.ical_url) = (Some(text), None);
            }
        }
    }
}

pub(super) async fn apply_sections(
    app: web::Data<App>,
    request: HttpRequest,
    principal: Principal,
    Json(body): Json<ConfigDraft, MOST_CONFIG_BYTES>,
) -> Result<HttpResponse, ApiError> {
    let (version, text, old) = stored(&app).await?;
    unmoved(&request, version)?;
    let text = draft_text(&body, &text, &old)?;
    let entry = act(&principal.record_name(), "config.apply", (version + 1).to_string(), "");
    let report = put(&app, entry, text, version).await?;
    Ok(HttpResponse::Ok().insert_header((ETAG, tag(report.version))).json(report))
}

/// The text a draft stands for.
pub(super) fn draft_text(draft: &ConfigDraft, text: &str, old: &Document) -> Result<String, ApiError> {
    config::draft_text(draft, text, old).map_err(refused)
}

/// A draft only has to compile: what it would do is what is asked.
pub(super) fn compiled(text: &str, version: i64, copies: Arc<Copies>) -> Result<Arc<Snapshot>, ApiError> {
    let document = config::parse(text).map_err(|finding| refused(vec![finding]))?;
    Snapshot::compile_with(version, document, copies).map(Arc::new).map_err(refused)
}

pub(super) fn refused(findings: Vec<Finding>) -> ApiError {
    refusal(&Refused { findings, tests: Vec::new(), document: None })
}

/// Refuses when its author looked at another version.
fn unmoved(request: &HttpRequest, version: i64) -> Result<(), ApiError> {
    match seen(request).filter(|seen| *seen != version) {
        None => Ok(()),
        Some(seen) => Err(ApiError::from(crate::db::Refused::ConfigMoved { expected: seen, found: version })
            .detail("Load it again, and make your change there.")),
    }
}

pub(super) fn refusal(refused: &Refused) -> ApiError {
    let fatal = refused.findings.iter().filter(|finding| finding.fatal).count();
    ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "config_refused", "The configuration is refused")
        .detail(format!("{fatal} things must be mended; nothing was changed."))
        .findings(refused.findings.clone())
}

fn tag(version: i64) -> String {
    format!("\"{version}\"")
}

/// The version its author looked at, when they say so.
fn seen(request: &HttpRequest) -> Option<i64> {
    request.headers().get(IF_MATCH)?.to_str().ok()?.trim().trim_matches('"').parse().ok()
}
