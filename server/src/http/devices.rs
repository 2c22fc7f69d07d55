//! Devices that receive pushes: browsers register themselves at every start of the application, apps are paired
//! ([`super::pairing`]); their owners and administrators see and revoke them.

use super::{
    App,
    app::{act, now},
    body::Json,
    me::own,
    principal::Principal,
    problem::ApiError,
};
use crate::{
    channels::{push_endpoint, push_keys},
    db::{self, Device},
    devices::doubt,
    outbound::visible,
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header::USER_AGENT},
    web,
};
use shared::api::{DeviceChange, DeviceRow, List, NewDevice, PersonDevice, PushKey, PushProvider};
use std::sync::Arc;
use url::Url;

pub(super) const LABEL_CHARS: usize = 60;
pub(super) const USER_AGENT_CHARS: usize = 300;
/// Of the key and the secret: more is none.
const KEY_BYTES: usize = 200;

pub(super) async fn list_devices(
    app: web::Data<App>,
    principal: Principal,
) -> Result<web::Json<List<DeviceRow>>, ApiError> {
    let person = own(&app, &principal)?;
    let items = app.devices.of(&person.id).iter().map(|device| row(device)).collect();
    Ok(web::Json(List { items, next: None }))
}

pub(super) async fn register(
    app: web::Data<App>,
    request: HttpRequest,
    principal: Principal,
    Json(body): Json<NewDevice>,
) -> Result<web::Json<DeviceRow>, ApiError> {
    let login = principal.session()?.0.to_owned();
    let person = own(&app, &principal)?;
    check_subscription(&app, &body.endpoint, &body.p256dh, &body.auth)?;
    let agent = request.headers().get(USER_AGENT).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let own = app.devices.of(&person.id);
    let label = line(&body.label, LABEL_CHARS);
    // A worker that renews its subscription does not know what the device is called.
    let before = own.iter().find(|it| it.endpoint == body.endpoint || Some(&it.endpoint) == body.replaces.as_ref());
    if body.renew && before.is_none() {
        return Err(ApiError::not_found("device"));
    }
    let called = before.map_or_else(|| "Browser".to_owned(), |device| device.label.clone());
    let reach = db::Reach { kind: PushProvider::Web, endpoint: body.endpoint, p256dh: body.p256dh, auth: body.auth };
    let new = db::NewDevice {
        login,
        person: person.id,
        label: if label.is_empty() { called } else { label },
        platform: None,
        reach,
        user_agent: line(&agent.unwrap_or_default(), USER_AGENT_CHARS),
        language: body.language,
    };
    // What is renewed at every start is no act that anybody looks for in the record.
    let known = own.iter().any(|it| it.endpoint == new.reach.endpoint && it.login == new.login);
    let entry = act(&principal.record_name(), "device.register", new.person.to_string(), new.label.clone());
    let put = move |store: &mut db::Store| store.device_register(&new, body.replaces.as_deref(), now());
    let (device, _) = if known { app.db(put).await? } else { app.change(entry, put).await? };
    app.devices.reload(&app.readers).await;
    Ok(web::Json(row(&device)))
}

/// Whether a subscription is of a push service we push to, with keys that a message can be encrypted for.
pub(super) fn check_subscription(app: &App, endpoint: &str, p256dh: &str, auth: &str) -> Result<(), ApiError> {
    push_endpoint(&app.runtime.config().document.channels.push, endpoint)
        .map_err(|why| ApiError::invalid("endpoint", sentence(&why)))?;
    let long = [p256dh, auth].into_iter().any(|text| text.len() > KEY_BYTES);
    let keys =
        if long { Err("the subscription's keys are too long".to_owned()) } else { push_keys(p256dh, auth).map(drop) };
    keys.map_err(|why| ApiError::invalid("p256dh", sentence(&why)))
}

pub(super) async fn list_all(app: web::Data<App>) -> web::Json<List<PersonDevice>> {
    let of = |device: &Arc<Device>| PersonDevice {
        person: device.person.clone(),
        login: device.login.clone(),
        device: row(device),
    };
    web::Json(List { items: app.devices.all().iter().map(of).collect(), next: None })
}

pub(super) async fn revoke(
    app: web::Data<App>,
    principal: Principal,
    id: web::Path<i64>,
) -> Result<HttpResponse, ApiError> {
    let id = id.into_inner();
    let known = app.devices.all().into_iter().find(|it| it.id == id);
    let (person, label) = known.map(|it| (it.person.to_string(), it.label.clone())).unwrap_or_default();
    let entry = act(&principal.record_name(), "device.revoke", person, label);
    let revoked = app.change(entry, move |store| store.device_revoke(id)).await?;
    app.devices.reload(&app.readers).await;
    if revoked { Ok(HttpResponse::NoContent().finish()) } else { Err(ApiError::not_found("device")) }
}

pub(super) async fn change(
    app: web::Data<App>,
    principal: Principal,
    id: web::Path<i64>,
    Json(body): Json<DeviceChange>,
) -> Result<web::Json<DeviceRow>, ApiError> {
    let (person, id) = (own(&app, &principal)?.id, id.into_inner());
    let label = body.label.as_deref().map(|label| line(label, LABEL_CHARS)).filter(|label| !label.is_empty());
    let wanted = DeviceChange { label, ..body };
    let entry = act(&principal.record_name(), "device.change", person.to_string(), id.to_string());
    let changed = app.change(entry, move |store| store.device_change(id, &person, &wanted, now())).await?;
    let device = changed.ok_or_else(|| ApiError::not_found("device"))?;
    app.devices.reload(&app.readers).await;
    Ok(web::Json(row(&device)))
}

pub(super) async fn remove(
    app: web::Data<App>,
    principal: Principal,
    id: web::Path<i64>,
) -> Result<HttpResponse, ApiError> {
    let (person, id) = (own(&app, &principal)?.id, id.into_inner());
    let label = app.devices.find(id, &person).map(|device| device.label.clone()).unwrap_or_default();
    let entry = act(&principal.record_name(), "device.remove", person.to_string(), label);
    let removed = app.change(entry, move |store| store.device_remove(id, &person)).await?;
    app.devices.reload(&app.readers).await;
    if removed { Ok(HttpResponse::NoContent().finish()) } else { Err(ApiError::not_found("device")) }
}

pub(super) async fn push_key(app: web::Data<App>) -> Result<web::Json<PushKey>, ApiError> {
    let key = app.devices.push_key().map(str::to_owned).ok_or_else(|| {
        ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "no_push_key", "This server has no key for web push")
    })?;
    Ok(web::Json(PushKey { key }))
}

/// Without what it is reached by.
pub(super) fn row(device: &Device) -> DeviceRow {
    let service = match device.kind {
        PushProvider::Web | PushProvider::Unifiedpush => {
            let url = Url::parse(&device.endpoint).ok();
            url.and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
        }
        other => other.as_str().to_owned(),
    };
    DeviceRow {
        id: device.id,
        label: device.label.clone(),
        kind: device.kind,
        platform: device.platform,
        service,
        user_agent: device.user_agent.clone(),
        language: device.language,
        created_at: device.created_at,
        seen_at: device.seen_at,
        shown_at: device.shown_at,
        opened_at: device.opened_at,
        failures: device.failures,
        dead_at: device.dead_at,
        why: device.why.clone(),
        private: device.private,
        delay: device.proofs.delay(),
        rang: device.rang.clone(),
        doubt: doubt(device, now()),
    }
}

/// One line of a stranger's text.
pub(super) fn line(text: &str, chars: usize) -> String {
    visible(&text.replace('\n', " ")).trim().chars().take(chars).collect()
}

fn sentence(why: &str) -> String {
    let mut chars = why.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}
