//! Heartbeats: how each stands, and the addresses at which they are heard.

use super::{
    App,
    app::{act, now},
    body::Json,
    integrations::sender_id,
    overrides::edit,
    principal::Principal,
    problem::ApiError,
    tokens::{Wanted, issue, named},
};
use crate::{config::add_heartbeat, db::TokenKind};
use actix_web::{HttpResponse, web};
use engine::{compile::SELF, dedup, heartbeat};
use shared::{
    HeartbeatId, Pulse,
    api::{HeartbeatAddress, HeartbeatRow, List, NewHeartbeat},
    config::Heartbeat,
};

pub(super) async fn list_heartbeats(app: web::Data<App>) -> Result<web::Json<List<HeartbeatRow>>, ApiError> {
    let tokens = app.db(|store| store.tokens(TokenKind::Heartbeat)).await?;
    let now = now();
    let rows = app.runtime.ask(move |engine| {
        let state = &engine.state;
        let row = |heartbeat: &Heartbeat| {
            let id = &heartbeat.id;
            let pulse = state.pulses.get(id).cloned().unwrap_or_else(|| Pulse::new(id.clone()));
            let alert =
                dedup::open(state, &SELF.into(), &heartbeat::key(id)).and_then(|alert| state.alerts.get(&alert));
            HeartbeatRow {
                state: pulse.state(now, heartbeat.grace, heartbeat.paused),
                pulse,
                incident: alert.map(|alert| alert.incident),
                tokens: Vec::new(),
                heartbeat: heartbeat.clone(),
            }
        };
        engine.config().document.heartbeats.iter().map(row).collect::<Vec<_>>()
    });
    let mut items = rows.await.map_err(|_| ApiError::unavailable())?;
    for row in &mut items {
        let own = tokens.iter().filter(|token| token.name == row.heartbeat.id.0);
        row.tokens = own.map(|token| token.hint.clone()).collect();
    }
    Ok(web::Json(List { items, next: None }))
}

pub(super) async fn make_heartbeat(
    app: web::Data<App>,
    principal: Principal,
    Json(body): Json<NewHeartbeat>,
) -> Result<HttpResponse, ApiError> {
    let name = named(&body.name)?;
    let id = sender_id(&name)
        .map(|id| HeartbeatId(id.0))
        .ok_or_else(|| ApiError::invalid("name", "Use letters or digits; `tocsin` is taken by Tocsin itself."))?;
    let NewHeartbeat { interval, grace, severity, .. } = body;
    edit(&app, &principal, "heartbeat.create", id.as_str(), |text, document, _| {
        if document.heartbeats.iter().any(|it| it.id == id) {
            return Err(ApiError::invalid("name", "There is a heartbeat of this name already."));
        }
        Ok((add_heartbeat(text, &id, &name, interval, grace, severity)?, ()))
    })
    .await?;
    address(&app, &principal, id).await
}

pub(super) async fn make_token(
    app: web::Data<App>,
    principal: Principal,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let id = HeartbeatId::from(id.into_inner());
    if !app.runtime.config().heartbeats.contains_key(&id) {
        return Err(ApiError::not_found("heartbeat"));
    }
    address(&app, &principal, id).await
}

pub(super) async fn revoke_tokens(
    app: web::Data<App>,
    principal: Principal,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let id = id.into_inner();
    let entry = act(&principal.record_name(), "heartbeat.revoke", id.clone(), "");
    let revoked = app.change(entry, move |store| store.tokens_revoke_named(TokenKind::Heartbeat, &id, now())).await?;
    app.keyring.reload(&app.readers).await;
    if revoked == 0 {
        Err(ApiError::not_found("heartbeat with a token"))
    } else {
        Ok(HttpResponse::NoContent().finish())
    }
}

/// Makes a token for a heartbeat, and the address with it.
async fn address(app: &web::Data<App>, principal: &Principal, id: HeartbeatId) -> Result<HttpResponse, ApiError> {
    let entry = act(&principal.record_name(), "heartbeat.token", id.to_string(), "");
    let wanted =
        Wanted { kind: TokenKind::Heartbeat, name: id.to_string(), integration: None, role: None, old_until: None };
    let (_, text) = issue(app, entry, wanted).await?;
    let url = format!("{}/heartbeat/{text}", app.public_url());
    Ok(HttpResponse::Created().json(HeartbeatAddress { heartbeat: id, url }))
}
