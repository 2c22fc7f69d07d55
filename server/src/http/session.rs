//! Signing in and out, and the own sessions.

use super::{
    App,
    app::{act, blocking, now},
    body::Json,
    principal::{self, Principal},
    problem::ApiError,
    reader, setup,
};
use crate::auth::{password, session};
use actix_web::{
    HttpRequest, HttpResponse,
    cookie::Cookie,
    http::{StatusCode, header::USER_AGENT},
    web,
};
use shared::{
    PersonId,
    api::{List, Role, SessionInfo, SessionRow, SignInRequest},
};
use tokio::sync::Semaphore;

/// A hash takes 19 MiB: more at once would be a way to use up the memory.
static HASHING: Semaphore = Semaphore::const_new(4);

pub(super) async fn sign_in(
    app: web::Data<App>,
    request: HttpRequest,
    Json(body): Json<SignInRequest>,
) -> Result<HttpResponse, ApiError> {
    let login = body.login.trim().to_owned();
    let known = prove(&app, &request, &login, body.password).await?;
    let Some(login) = known else {
        return Err(ApiError::new(StatusCode::UNAUTHORIZED, "wrong_login", "Login or password is wrong").detail(
            "Check both. Administrators can set a new password in the settings, or with `tocsin user passwd`.",
        ));
    };
    app.change(act(&login, "session.begin", login.clone(), format!("from {}", app.peer(&request))), |_| Ok(())).await?;
    let (cookie, info) = begin(&app, &request, &login).await?;
    Ok(HttpResponse::Ok().cookie(cookie).json(info))
}

/// Whether the password is right; gives the login as it is written in the store. Takes equally long either way.
pub(super) async fn prove(
    app: &App,
    request: &HttpRequest,
    login: &str,
    password: String,
) -> Result<Option<String>, ApiError> {
    let peer = app.peer(request);
    app.throttle(|throttle| throttle.admit(login, peer, now())).map_err(throttled)?;
    let asked = login.to_owned();
    let account = app.db(move |store| store.account(&asked)).await?.filter(|account| !account.disabled);
    let stored = account.as_ref().and_then(|account| account.password_hash.clone());
    let turn = HASHING.acquire().await.map_err(|_| ApiError::internal())?;
    let right = blocking(move || password::verify(&password, stored.as_deref())).await?;
    drop(turn);
    if !right {
        tracing::info!(%peer, "a sign-in was refused");
        return Ok(None);
    }
    app.throttle(|throttle| throttle.succeeded(login, peer, now()));
    Ok(account.map(|account| account.login))
}

/// Begins a session with a new token; gives its cookie and who that is. A session the browser had before ends.
pub(super) async fn begin(
    app: &App,
    request: &HttpRequest,
    login: &str,
) -> Result<(Cookie<'static>, SessionInfo), ApiError> {
    let before = principal::identify(app, request).await.ok().flatten();
    let agent = request.headers().get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let (peer, at, whose) = (app.peer(request).to_string(), now(), login.to_owned());
    let (text, account) = app
        .db(move |store| {
            if let Some(Ok((login, id))) = before.as_ref().map(Principal::session) {
                store.session_end(login, id)?;
            }
            store.sessions_forget(at)?;
            let (text, _) = session::begin(store, &whose, &agent, &peer, at)?;
            Ok((text, store.account(&whose)?))
        })
        .await?;
    let account = account.ok_or_else(ApiError::not_signed_in)?;
    let info = info(app, request, account.login, account.name, account.role, account.person);
    Ok((session::cookie(text, app.is_https()), info))
}

fn info(
    app: &App,
    request: &HttpRequest,
    login: String,
    name: String,
    role: Role,
    person: Option<PersonId>,
) -> SessionInfo {
    SessionInfo {
        login,
        name,
        role,
        language: reader::language(app, person.as_ref(), request),
        person,
        version: app.instance.version.to_owned(),
        demo: app.instance.demo,
        public_url: app.public_url(),
    }
}

pub(super) async fn who_am_i(
    app: web::Data<App>,
    request: HttpRequest,
    principal: Principal,
) -> web::Json<SessionInfo> {
    let (login, name, person) = match principal.who {
        principal::Who::Account { login, name, person, .. } | principal::Who::Device { login, name, person, .. } => {
            (login, name, person)
        }
        principal::Who::Token { name, .. } => (format!("token:{name}"), name, None),
    };
    web::Json(info(&app, &request, login, name, principal.role, person))
}

pub(super) async fn sign_out(app: web::Data<App>, principal: Principal) -> Result<HttpResponse, ApiError> {
    // An app that is signed out is not pushed to either.
    if let Ok((_, device)) = principal.device() {
        app.db(move |store| store.device_revoke(device)).await?;
        app.devices.reload(&app.readers).await;
        return Ok(HttpResponse::NoContent().finish());
    }
    let (login, id) = principal.session()?;
    let login = login.to_owned();
    app.db(move |store| store.session_end(&login, id)).await?;
    Ok(HttpResponse::NoContent().cookie(session::no_cookie(app.is_https())).finish())
}

pub(super) async fn list_sessions(
    app: web::Data<App>,
    principal: Principal,
) -> Result<web::Json<List<SessionRow>>, ApiError> {
    let (login, current) = principal.session()?;
    let (login, at) = (login.to_owned(), now());
    let sessions = app.db(move |store| store.sessions(&login, at)).await?;
    let items = sessions
        .into_iter()
        .map(|it| SessionRow {
            id: it.id,
            created_at: it.created_at,
            last_seen_at: it.last_seen_at,
            user_agent: it.user_agent,
            current: it.id == current,
        })
        .collect();
    Ok(web::Json(List { items, next: None }))
}

pub(super) async fn end_session(
    app: web::Data<App>,
    principal: Principal,
    id: web::Path<i64>,
) -> Result<HttpResponse, ApiError> {
    let id = id.into_inner();
    let login = principal.session()?.0.to_owned();
    let entry = act(&login, "session.end", id.to_string(), "");
    let ended = app.change(entry, move |store| store.session_end(&login, id)).await?;
    if ended { Ok(HttpResponse::NoContent().finish()) } else { Err(ApiError::not_found("session")) }
}

/// Too many tries.
pub(super) fn throttled(wait_s: u32) -> ApiError {
    ApiError::new(StatusCode::TOO_MANY_REQUESTS, "throttled", "Too many tries")
        .detail(format!("Wait {wait_s} s and try again."))
        .retry_after(wait_s)
}

/// A new password's hash, made in turn.
pub(super) async fn hashed(password: String) -> Result<String, ApiError> {
    let turn = HASHING.acquire().await.map_err(|_| ApiError::internal())?;
    let hash = setup::hash(password).await;
    drop(turn);
    hash
}
