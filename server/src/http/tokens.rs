//! API tokens: made once, shown once, revoked.

use super::{
    App,
    app::{act, now},
    body::Json,
    principal::Principal,
    problem::ApiError,
};
use crate::{
    auth::token,
    db::{self, AuditEntry, Store, TokenKind},
    entropy,
};
use actix_web::{HttpResponse, web};
use shared::{
    IntegrationId, Timestamp,
    api::{List, NewApiToken, NewToken, Role, TokenRow},
};

pub(super) async fn list_tokens(app: web::Data<App>) -> Result<web::Json<List<TokenRow>>, ApiError> {
    let tokens = app.db(|store| store.tokens(TokenKind::Api)).await?;
    let items = tokens
        .into_iter()
        .map(|it| TokenRow {
            id: it.id,
            name: it.name,
            role: it.role.unwrap_or(Role::Viewer),
            created_at: it.created_at,
            last_used_at: it.last_used_at,
            hint: it.hint,
        })
        .collect();
    Ok(web::Json(List { items, next: None }))
}

pub(super) async fn make_token(
    app: web::Data<App>,
    principal: Principal,
    Json(body): Json<NewApiToken>,
) -> Result<HttpResponse, ApiError> {
    let name = named(&body.name)?;
    let detail = format!("api, {}", body.role.as_str());
    let entry = act(&principal.record_name(), "token.create", name.clone(), detail);
    let wanted = Wanted { kind: TokenKind::Api, name, integration: None, role: Some(body.role), old_until: None };
    let (_, text) = issue(&app, entry, wanted).await?;
    Ok(HttpResponse::Created().json(NewToken { token: text, integration: None, url: None }))
}

pub(super) async fn revoke_token(
    app: web::Data<App>,
    principal: Principal,
    id: web::Path<i64>,
) -> Result<HttpResponse, ApiError> {
    let id = id.into_inner();
    let entry = act(&principal.record_name(), "token.revoke", id.to_string(), "api");
    let revoked = app.change(entry, move |store| store.token_revoke(TokenKind::Api, id, now())).await?;
    app.keyring.reload(&app.readers).await;
    if revoked { Ok(HttpResponse::NoContent().finish()) } else { Err(ApiError::not_found("token")) }
}

/// A token that is to be made.
pub(super) struct Wanted {
    pub(super) kind: TokenKind,
    pub(super) name: String,
    pub(super) integration: Option<IntegrationId>,
    pub(super) role: Option<Role>,
    /// When the sender's other tokens end.
    pub(super) old_until: Option<Timestamp>,
}

impl Wanted {
    pub(super) fn of_sender(name: String, sender: &IntegrationId) -> Self {
        let integration = Some(sender.clone());
        Self { kind: TokenKind::Integration, name, integration, role: None, old_until: None }
    }
}

/// Makes a token for whoever the record names, and gives its number and its text, which is kept nowhere.
pub(super) async fn issue(app: &App, entry: AuditEntry, wanted: Wanted) -> Result<(i64, String), ApiError> {
    let text = entropy::token(wanted.kind.prefix());
    let (by, secret) = (entry.actor.clone(), text.clone());
    let make = move |store: &mut Store| {
        let new = db::NewToken {
            kind: wanted.kind,
            name: &wanted.name,
            integration: wanted.integration.as_ref(),
            role: wanted.role,
            hash: &token::hash_hex(&secret),
            hint: &token::hint(&secret),
            created_by: &by,
        };
        if let (Some(until), Some(sender)) = (wanted.old_until, &wanted.integration) {
            store.tokens_end(sender, until)?;
        }
        store.token_create(&new, now())
    };
    let id = app.change(entry, make).await?;
    app.keyring.reload(&app.readers).await;
    Ok((id, text))
}

/// What a token or sender is called in lists.
pub(super) fn named(name: &str) -> Result<String, ApiError> {
    let name: String = name.trim().chars().filter(|c| !c.is_control()).collect();
    if (1..=100).contains(&name.chars().count()) {
        return Ok(name);
    }
    Err(ApiError::invalid("name", "Give it a name of 1 to 100 characters."))
}
