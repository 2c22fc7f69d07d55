//! Replays: begun, watched, cancelled. They only read, and one runs at a time.

use super::{
    App,
    app::{blocking, now},
    body::{Json, MOST_CONFIG_BYTES},
    config::{compiled, draft_text, refused, stored},
    problem::ApiError,
};
use crate::replay::Order;
use actix_web::{HttpResponse, http::StatusCode, web};
use engine::{Snapshot, replay::Span};
use shared::api::{ReplayRequest, ReplayState};
use std::sync::Arc;

/// The longest span: a year.
const LONGEST_MS: i64 = 366 * 86_400_000;

pub(super) async fn begin_replay(
    app: web::Data<App>,
    Json(body): Json<ReplayRequest, MOST_CONFIG_BYTES>,
) -> Result<web::Json<ReplayState>, ApiError> {
    let ReplayRequest { draft, from, until, answers } = body;
    let until = until.min(now());
    if from >= until {
        return Err(ApiError::invalid("from", "It must lie before the end, and before now."));
    }
    if until.ms_since(from) > LONGEST_MS {
        return Err(ApiError::invalid("from", "At most a year is replayed at once."));
    }
    let (version, text, old) = stored(&app).await?;
    let copies = app.runtime.config().copies.clone();
    let draft = match draft {
        Some(draft) => {
            let text = draft_text(&draft, &text, &old)?;
            let copies = copies.clone();
            Some(blocking(move || compiled(&text, version + 1, copies)).await??)
        }
        None => None,
    };
    let running = blocking(move || Snapshot::compile_with(version, old, copies)).await?;
    let running = running.map(Arc::new).map_err(refused)?;
    let order = Order { running, draft, span: Span { from, until }, answers };
    let begun = app.replays.begin(Arc::clone(&app.readers), order).map_err(|error| {
        tracing::warn!(%error, "there is no thread for a replay");
        ApiError::unavailable()
    })?;
    begun.map(web::Json).map_err(|_| {
        ApiError::new(StatusCode::CONFLICT, "replay_running", "A replay is under way")
            .detail("Wait for it, or cancel it first.")
    })
}

pub(super) async fn show_replay(app: web::Data<App>) -> Result<web::Json<ReplayState>, ApiError> {
    app.replays.look().map(web::Json).ok_or_else(|| ApiError::not_found("replay"))
}

pub(super) async fn cancel_replay(app: web::Data<App>) -> HttpResponse {
    app.replays.cancel();
    HttpResponse::NoContent().finish()
}
