//! Test pages to the own contacts and devices, followed to the end.

use super::{App, app::now, body::Json, me::own, principal::Principal, problem::ApiError, session};
use crate::runtime::Tested;
use actix_web::web;
use shared::api::{NewTestPage, TestPage};

pub(super) async fn begin(
    app: web::Data<App>,
    principal: Principal,
    Json(body): Json<NewTestPage>,
) -> Result<web::Json<TestPage>, ApiError> {
    let person = own(&app, &principal)?;
    let what = match (body.contact, body.device) {
        (Some(contact), None) => Tested::Contact(contact),
        (None, Some(device)) => {
            let known = app.devices.find(device, &person.id);
            Tested::Device(known.ok_or_else(|| ApiError::not_found("device"))?.id)
        }
        _ => return Err(ApiError::invalid("contact", "Name one contact, or one device.")),
    };
    // A receiver of somebody else's choosing is not to be called as fast as one can click.
    let whose = format!("test {} {what:?}", person.id);
    app.throttle(|throttle| throttle.admit(&whose, principal.peer, now())).map_err(session::throttled)?;
    let begun = app.runtime.begin_test(&person, &what, body.severity, now());
    begun.map(web::Json).map_err(|why| ApiError::invalid("contact", why))
}

pub(super) async fn show(
    app: web::Data<App>,
    principal: Principal,
    id: web::Path<i64>,
) -> Result<web::Json<TestPage>, ApiError> {
    let person = own(&app, &principal)?;
    let page = app.runtime.test_of(id.into_inner(), &person.id);
    page.map(web::Json).ok_or_else(|| ApiError::not_found("test page"))
}
