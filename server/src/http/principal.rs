//! Who sends a request, and whether the table of endpoints lets them: the one layer that authorises.

use super::{
    App,
    app::now,
    origin,
    problem::ApiError,
    routes::{self, LIVE},
};
use crate::{
    auth::{device, session},
    db::{Account, DeviceSession, Session, TokenKind},
};
use actix_web::{
    Error, FromRequest, HttpMessage as _, HttpRequest, ResponseError as _,
    body::MessageBody,
    dev::{Payload, ServiceRequest, ServiceResponse},
    http::{StatusCode, header::AUTHORIZATION},
    middleware::Next,
    web,
};
use shared::{
    PersonId,
    api::{Endpoint, Role},
    timeline::Actor,
};
use std::{
    future::{Ready, ready},
    net::IpAddr,
};

/// Somebody who was let in.
#[derive(Clone, Debug)]
pub struct Principal {
    pub role: Role,
    pub who: Who,
    pub peer: IpAddr,
}

/// By which right.
#[derive(Clone, Debug)]
pub enum Who {
    /// A browser with a session.
    Account { login: String, name: String, person: Option<PersonId>, session: i64 },
    /// An app on a paired device: its account, and no more than that may do.
    Device { login: String, name: String, person: Option<PersonId>, session: i64, device: i64, label: String },
    /// A program with an API token.
    Token { id: i64, name: String },
}

impl Principal {
    fn of_session(session: &Session, account: Account, peer: IpAddr) -> Self {
        let who =
            Who::Account { login: account.login, name: account.name, person: account.person, session: session.id };
        Self { role: account.role, who, peer }
    }

    fn of_device(session: DeviceSession, account: Account, peer: IpAddr) -> Self {
        let who = Who::Device {
            login: account.login,
            name: account.name,
            person: account.person,
            session: session.id,
            device: session.device,
            label: session.label,
        };
        Self { role: account.role, who, peer }
    }

    /// As timelines name them.
    #[must_use]
    pub fn actor(&self) -> Actor {
        match &self.who {
            Who::Account { login, .. } => Actor::Account { login: login.clone() },
            Who::Device { login, label, .. } => {
                Actor::Device { login: login.as_str().into(), device: label.as_str().into() }
            }
            Who::Token { name, .. } => Actor::Token { name: name.clone() },
        }
    }

    /// As the audit record names them.
    #[must_use]
    pub fn record_name(&self) -> String {
        match &self.who {
            Who::Account { login, .. } | Who::Device { login, .. } => login.clone(),
            Who::Token { name, .. } => format!("token:{name}"),
        }
    }

    /// The person of the on-call configuration they are, if any.
    #[must_use]
    pub const fn person(&self) -> Option<&PersonId> {
        match &self.who {
            Who::Account { person, .. } | Who::Device { person, .. } => person.as_ref(),
            Who::Token { .. } => None,
        }
    }

    /// Login and number of a browser's session; an app and a token have none.
    pub(super) fn session(&self) -> Result<(&str, i64), ApiError> {
        match &self.who {
            Who::Account { login, session, .. } => Ok((login, *session)),
            Who::Device { .. } => {
                Err(ApiError::new(StatusCode::CONFLICT, "not_a_browser", "This is for browsers that are signed in")
                    .detail("Sign in by a browser as the account instead."))
            }
            Who::Token { .. } => {
                Err(ApiError::new(StatusCode::CONFLICT, "not_an_account", "A token has no account of its own")
                    .detail("Sign in as the account instead."))
            }
        }
    }

    /// Numbers of the session and of the device of an app.
    pub(super) fn device(&self) -> Result<(i64, i64), ApiError> {
        match &self.who {
            Who::Device { session, device, .. } => Ok((*session, *device)),
            Who::Account { .. } | Who::Token { .. } => {
                Err(ApiError::new(StatusCode::CONFLICT, "not_a_device", "This is for apps on paired devices")
                    .detail("Pair the device and send the token that it was given."))
            }
        }
    }

    /// Whether what they were let in by still holds: the session lives, with the same role, or the token was not
    /// revoked. Live connections ask this from time to time.
    pub async fn still_holds(&self, app: &App) -> Result<bool, ApiError> {
        let (role, now) = (self.role, now());
        match self.who.clone() {
            Who::Account { login, session, .. } => {
                app.db(move |store| {
                    let alive = store.sessions(&login, now)?.iter().any(|it| it.id == session);
                    let account = store.account(&login)?.filter(|account| !account.disabled);
                    Ok(alive && account.is_some_and(|account| account.role == role))
                })
                .await
            }
            Who::Device { session, .. } => {
                app.db(move |store| {
                    let account = store.device_session_account(session, now)?.filter(|account| !account.disabled);
                    Ok(account.is_some_and(|account| account.role == role))
                })
                .await
            }
            Who::Token { id, .. } => {
                app.db(move |store| Ok(store.tokens(TokenKind::Api)?.iter().any(|token| token.id == id))).await
            }
        }
    }
}

impl FromRequest for Principal {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(request.extensions().get::<Self>().cloned().ok_or_else(ApiError::not_signed_in))
    }
}

/// The layer: in front of everything under `/api/v1`.
pub(super) async fn authorise(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    match admit(request.request()).await {
        Ok(principal) => {
            if let Some(principal) = principal {
                request.extensions_mut().insert(principal);
            }
            next.call(request).await.map(ServiceResponse::map_into_left_body)
        }
        Err(refusal) => Ok(request.into_response(refusal.error_response()).map_into_right_body()),
    }
}

/// Lets a request through, with who sends it where that matters.
async fn admit(request: &HttpRequest) -> Result<Option<Principal>, ApiError> {
    let app = app(request)?;
    let Some(endpoint) = routes::endpoint(request) else {
        return Ok(None);
    };
    if !is_bearer(request) {
        let public_url = app.public_url();
        if origin::is_cross_site(request, &public_url) {
            return Err(cross_site());
        }
        if endpoint.path == LIVE.path && !origin::is_own_socket(request, &public_url) {
            return Err(cross_site());
        }
    }
    let Some(least) = endpoint.role else { return Ok(None) };
    let principal = identify(app, request).await?.ok_or_else(ApiError::not_signed_in)?;
    if principal.role < least {
        tracing::warn!(by = principal.record_name(), endpoint = endpoint.path, "refused: the role does not allow it");
        return Err(too_little(endpoint, least, principal.role));
    }
    Ok(Some(principal))
}

fn too_little(endpoint: &Endpoint, least: Role, has: Role) -> ApiError {
    let what = endpoint.summary.split(';').next().unwrap_or(endpoint.summary);
    ApiError::forbidden(format!("“{what}” needs the role {}; you are {}.", least.as_str(), has.as_str()))
}

fn cross_site() -> ApiError {
    ApiError::new(StatusCode::FORBIDDEN, "cross_site", "This request was made by a page of another site")
        .detail("If you reach Tocsin through a proxy, set `public_url` to the address in the browser's address bar.")
}

fn app(request: &HttpRequest) -> Result<&App, ApiError> {
    request.app_data::<web::Data<App>>().map(|app| app.get_ref()).ok_or_else(ApiError::internal)
}

fn is_bearer(request: &HttpRequest) -> bool {
    bearer(request).is_some()
}

/// The token that a request carries, if any.
pub(super) fn bearer(request: &HttpRequest) -> Option<&str> {
    let value = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// By token when there is one, else by cookie.
pub(super) async fn identify(app: &App, request: &HttpRequest) -> Result<Option<Principal>, ApiError> {
    let peer = app.peer(request);
    if let Some(token) = bearer(request).filter(|token| device::is_token(token)) {
        let text = token.to_owned();
        let found = app.db(move |store| device::find(store, &text, now())).await?;
        return Ok(found.map(|(session, account)| Principal::of_device(session, account, peer)));
    }
    if let Some(token) = bearer(request) {
        let key = app.keyring.find_api(token, &app.readers).await;
        return Ok(key.map(|key| Principal { role: key.role, who: Who::Token { id: key.id, name: key.name }, peer }));
    }
    let Some(cookie) = request.cookie(session::cookie_name(app.is_https())) else { return Ok(None) };
    let text = cookie.value().to_owned();
    let found = app.db(move |store| session::find(store, &text, now())).await?;
    Ok(found.map(|(session, account)| Principal::of_session(&session, account, peer)))
}
