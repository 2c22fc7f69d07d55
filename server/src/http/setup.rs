//! The first administrator, made through a one-time link that the server prints at its start.

use super::{
    App,
    app::{act, blocking, now},
    body::Json,
    problem::ApiError,
    session::{self, hashed},
};
use crate::{
    auth::{password, token},
    db::{Account, Refused, Store, StoreError},
    entropy,
};
use actix_web::{HttpRequest, HttpResponse, web};
use shared::{
    Delay, Timestamp,
    api::{Role, SetupRequest, SetupState},
};

/// How long a code works; each start of the server makes a new one.
pub const CODE_LIFETIME: Delay = Delay(24 * 3_600_000);
const CODE_EXPIRES: &str = "setup.code_expires";

/// A new code in place of an older one; none when there is an administrator already.
///
/// # Errors
/// When the store refuses it.
pub fn new_code(store: &mut Store, now: Timestamp) -> Result<Option<String>, StoreError> {
    let code = entropy::token("");
    store.meta_put(CODE_EXPIRES, &now.after(CODE_LIFETIME).ms().to_string())?;
    Ok(store.setup_code_put(&token::hash_hex(&code))?.then_some(code))
}

fn expired(store: &mut Store, now: Timestamp) -> Result<bool, StoreError> {
    let expires = store.meta(CODE_EXPIRES)?.and_then(|text| text.parse().ok()).unwrap_or(0);
    Ok(now.ms() >= expires)
}

pub(super) async fn setup_state(app: web::Data<App>) -> Result<web::Json<SetupState>, ApiError> {
    let needed = app.db(Store::setup_needed).await?;
    Ok(web::Json(SetupState { needed }))
}

pub(super) async fn set_up(
    app: web::Data<App>,
    request: HttpRequest,
    Json(body): Json<SetupRequest>,
) -> Result<HttpResponse, ApiError> {
    let login = checked_login(&body.login)?;
    password::check(&login, &body.password).map_err(|error| weak(&error, "password"))?;
    let peer = app.peer(&request);
    // The code cannot be guessed; this keeps hashing from being asked for without end.
    app.throttle(|throttle| throttle.admit("setup", peer, now())).map_err(session::throttled)?;
    let admin = Account {
        name: name_or(&body.name, &login),
        login: login.clone(),
        role: Role::Admin,
        person: None,
        password_hash: Some(hashed(body.password).await?),
        disabled: false,
        created_at: now(),
    };
    let (code, at) = (token::hash_hex(body.code.trim()), now());
    app.change(act(&login, "setup.admin", login.clone(), format!("from {peer}")), move |store| {
        if store.setup_needed()? && expired(store, at)? {
            return Err(Refused::WrongSetupCode.into());
        }
        store.setup_take(&code, &admin)
    })
    .await?;
    app.throttle(|throttle| throttle.succeeded("setup", peer, now()));
    let (cookie, info) = session::begin(&app, &request, &login).await?;
    Ok(HttpResponse::Ok().cookie(cookie).json(info))
}

/// A login as people write it, or what is wrong with it.
pub(super) fn checked_login(login: &str) -> Result<String, ApiError> {
    let login = login.trim();
    let fits = (1..=64).contains(&login.chars().count())
        && login.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '@' | '+'));
    if fits {
        return Ok(login.to_owned());
    }
    Err(ApiError::invalid("login", "Use 1 to 64 letters, digits and any of - _ . @ +, without blanks."))
}

/// Shown names are one line of sensible length.
pub(super) fn name_or(name: &str, login: &str) -> String {
    let name: String = name.trim().chars().filter(|c| !c.is_control()).take(100).collect();
    if name.is_empty() { login.to_owned() } else { name }
}

pub(super) fn weak(error: &password::PasswordError, field: &str) -> ApiError {
    if *error == password::PasswordError::Hashing {
        return ApiError::internal();
    }
    ApiError::invalid(field, format!("{error}; take another one.")).field(field.to_owned())
}

/// Hashing is for a thread that may block.
pub(super) async fn hash(password: String) -> Result<String, ApiError> {
    blocking(move || password::hash(&password)).await?.map_err(|error| weak(&error, "password"))
}
