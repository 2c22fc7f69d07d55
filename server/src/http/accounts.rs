//! Accounts: who may sign in, as what, and which person they are.

use super::{
    App,
    app::{act, now},
    body::Json,
    principal::Principal,
    problem::ApiError,
    session::hashed,
    setup::{checked_login, name_or, weak},
};
use crate::{
    auth::password,
    db::{Account, AccountPatch, Store},
};
use actix_web::{HttpResponse, web};
use shared::{
    PersonId,
    api::{AccountChange, AccountRow, List, NewAccount},
};

fn row(account: Account) -> AccountRow {
    AccountRow {
        login: account.login,
        name: account.name,
        role: account.role,
        person: account.person,
        disabled: account.disabled,
        created_at: account.created_at,
    }
}

pub(super) async fn list_accounts(app: web::Data<App>) -> Result<web::Json<List<AccountRow>>, ApiError> {
    let accounts = app.db(Store::accounts).await?;
    Ok(web::Json(List { items: accounts.into_iter().map(row).collect(), next: None }))
}

pub(super) async fn make_account(
    app: web::Data<App>,
    principal: Principal,
    Json(body): Json<NewAccount>,
) -> Result<HttpResponse, ApiError> {
    let login = checked_login(&body.login)?;
    password::check(&login, &body.password).map_err(|error| weak(&error, "password"))?;
    let account = Account {
        name: name_or(&body.name, &login),
        person: known_person(&app, body.person)?,
        role: body.role,
        password_hash: Some(hashed(body.password).await?),
        disabled: false,
        created_at: now(),
        login,
    };
    let detail = format!("as {}", account.role.as_str());
    let entry = act(&principal.record_name(), "account.create", account.login.clone(), detail);
    let made = account.clone();
    app.change(entry, move |store| store.account_create(&account)).await?;
    Ok(HttpResponse::Created().json(row(made)))
}

pub(super) async fn change_account(
    app: web::Data<App>,
    principal: Principal,
    login: web::Path<String>,
    Json(body): Json<AccountChange>,
) -> Result<web::Json<AccountRow>, ApiError> {
    let login = login.into_inner();
    let mut done = Vec::new();
    done.extend(body.name.is_some().then(|| "name".to_owned()));
    done.extend(body.role.map(|role| format!("role {}", role.as_str())));
    done.extend(body.person.as_ref().map(|person| format!("person {person}")));
    done.extend(body.disabled.map(|disabled| if disabled { "disabled" } else { "enabled" }.to_owned()));
    done.extend(body.password.is_some().then(|| "new password".to_owned()));
    let password_hash = match body.password {
        Some(password) => {
            password::check(&login, &password).map_err(|error| weak(&error, "password"))?;
            Some(hashed(password).await?)
        }
        None => None,
    };
    let person = match body.person {
        // An empty name means nobody.
        Some(person) => Some(known_person(&app, Some(person).filter(|id| !id.as_str().is_empty()))?),
        None => None,
    };
    let patch = AccountPatch {
        name: body.name.map(|name| name_or(&name, &login)),
        role: body.role,
        person,
        disabled: body.disabled,
        password_hash,
    };
    let entry = act(&principal.record_name(), "account.change", login.clone(), done.join(", "));
    let account = app.change(entry, move |store| store.account_change(&login, &patch)).await?;
    // Whom this ended is not pushed to from now on, and not from the next second on.
    app.devices.reload(&app.readers).await;
    Ok(web::Json(row(account)))
}

fn known_person(app: &App, person: Option<PersonId>) -> Result<Option<PersonId>, ApiError> {
    match person {
        Some(id) if !app.runtime.config().people.contains_key(&id) => {
            Err(ApiError::invalid("person", format!("There is no person `{id}` in the configuration.")))
        }
        person => Ok(person),
    }
}
