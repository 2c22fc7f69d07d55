//! Whether this process lives, whether it can do its work, and what it measures.

use super::{App, app::now};
use crate::telemetry;
use actix_web::{HttpResponse, web};
use shared::api::PagerStatus;

/// The process answers.
pub(super) async fn healthz() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ok\n")
}

/// It can store, and its engine completes its turns.
pub(super) async fn readyz(app: web::Data<App>) -> HttpResponse {
    match app.runtime.ready() {
        Ok(()) => HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ready\n"),
        Err(why) => {
            HttpResponse::ServiceUnavailable().content_type("text/plain; charset=utf-8").body(format!("{why}\n"))
        }
    }
}

/// Prometheus text.
pub(super) async fn metrics() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(telemetry::render())
}

pub(super) async fn status(app: web::Data<App>) -> web::Json<PagerStatus> {
    web::Json(app.runtime.status(now(), app.board.browsers()))
}
