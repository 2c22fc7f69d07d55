//! The own password, the own contacts and rules, and a test page.

use super::{
    App,
    app::{act, now},
    body::Json,
    config,
    principal::Principal,
    problem::ApiError,
    session, setup,
};
use crate::{
    auth::password,
    config::{KEPT, replace_person, restore_person},
};
use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};
use shared::{
    api::{PasswordRequest, TestPageRequest, TestPageResult},
    config::Person,
};

pub(super) async fn change_password(
    app: web::Data<App>,
    request: HttpRequest,
    principal: Principal,
    Json(body): Json<PasswordRequest>,
) -> Result<HttpResponse, ApiError> {
    let login = principal.session()?.0.to_owned();
    if session::prove(&app, &request, &login, body.old).await?.is_none() {
        return Err(ApiError::new(StatusCode::FORBIDDEN, "wrong_password", "The old password is wrong").field("old"));
    }
    password::check(&login, &body.new).map_err(|error| setup::weak(&error, "new"))?;
    let hash = session::hashed(body.new).await?;
    let whose = login.clone();
    let entry = act(&principal.record_name(), "password.change", login.clone(), "ended all sessions");
    app.change(entry, move |store| store.password_set(&whose, &hash, None)).await?;
    // Not even this browser keeps the token it had under the old password.
    let (cookie, _) = session::begin(&app, &request, &login).await?;
    Ok(HttpResponse::NoContent().cookie(cookie).finish())
}

/// The person a principal is, from the configuration in force.
pub(super) fn own(app: &App, principal: &Principal) -> Result<Person, ApiError> {
    let none = || {
        ApiError::new(StatusCode::NOT_FOUND, "no_person", "This account is not a person of the configuration")
            .detail("An administrator can link it to one in the settings.")
    };
    let id = principal.person().ok_or_else(none)?;
    app.runtime.config().people.get(id).cloned().ok_or_else(none)
}

pub(super) async fn own_person(app: web::Data<App>, principal: Principal) -> Result<web::Json<Person>, ApiError> {
    Ok(web::Json(shown(own(&app, &principal)?)))
}

/// Without the secrets.
fn shown(mut person: Person) -> Person {
    for secret in person.contacts.iter_mut().filter_map(|contact| contact.secret.as_mut()) {
        KEPT.clone_into(secret);
    }
    person
}

pub(super) async fn change_person(
    app: web::Data<App>,
    principal: Principal,
    Json(wanted): Json<Person>,
) -> Result<web::Json<Person>, ApiError> {
    let known = own(&app, &principal)?;
    let refused = |findings| {
        ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "config_refused", "This cannot be used as it is")
            .findings(findings)
    };
    // Name and id are the administrator's.
    let wanted = Person { id: known.id.clone(), name: known.name.clone(), ..wanted };
    let wanted = restore_person(wanted, Some(&known)).map_err(refused)?;
    for _ in 0..3 {
        let (version, text, _) = config::stored(&app).await?;
        let text = replace_person(&text, &wanted).map_err(|error| {
            ApiError::new(StatusCode::CONFLICT, "no_person", "The person cannot be changed").detail(error.to_string())
        })?;
        let entry = act(&principal.record_name(), "person.change", wanted.id.to_string(), "");
        match config::put(&app, entry, text, version).await {
            Ok(_) => return Ok(web::Json(shown(wanted))),
            // Somebody else was faster with something else.
            Err(error) if error.code() == "version_conflict" => {}
            Err(error) => return Err(error),
        }
    }
    Err(ApiError::unavailable())
}

pub(super) async fn send_test(
    app: web::Data<App>,
    principal: Principal,
    Json(body): Json<TestPageRequest>,
) -> Result<web::Json<TestPageResult>, ApiError> {
    let person = own(&app, &principal)?;
    // A receiver of somebody else's choosing is not to be called as fast as one can click.
    app.throttle(|throttle| throttle.admit(&format!("test {}", person.id), principal.peer, now()))
        .map_err(session::throttled)?;
    Ok(web::Json(app.runtime.test_page(&person, &body.contact, body.severity, now()).await))
}
