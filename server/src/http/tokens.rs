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
    db::{self, TokenKind},
    entropy,
};
use actix_web::{HttpResponse, web};
use shared::api::{List, NewApiToken, NewToken, Role, TokenRow};

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
    let text = entropy::token("tap_");
    let (by, role, secret) = (principal.record_name(), body.role, text.clone());
    let entry = act(&by, "token.create", name.clone(), format!("api, {}", role.as_str()));
    app.change(entry, move |store| {
        let new = db::NewToken {
            kind: TokenKind::Api,
            name: &name,
            integration: None,
            role: Some(role),
            hash: &token::hash_hex(&secret),
            hint: &token::hint(&secret),
            created_by: &by,
        };
        store.token_create(&new, now())
    })
    .await?;
    app.keyring.reload(&app.readers).await;
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

/// What a token or sender is called in lists.
pub(super) fn named(name: &str) -> Result<String, ApiError> {
    let name: String = name.trim().chars().filter(|c| !c.is_control()).collect();
    if (1..=100).contains(&name.chars().count()) {
        return Ok(name);
    }
    Err(ApiError::invalid("name", "Give it a name of 1 to 100 characters."))
}
