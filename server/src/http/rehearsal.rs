//! A message at a moment, by the configuration in force or a draft: what the engine would do; nothing is kept or sent.

use super::{
    App,
    app::{blocking, now},
    body::{Json, MOST_CONFIG_BYTES},
    config::{compiled, draft_text, stored},
    principal::Principal,
    problem::ApiError,
};
use actix_web::{http::StatusCode, web};
use engine::rehearsal;
use shared::{
    Delay, IntegrationId, Timestamp,
    api::{Moment, Rehearsal, RehearsalRequest, Role},
};
use std::time::Duration;
use tokio::sync::Semaphore;

/// The longest message; a sender may post more, but nobody tries that by hand.
const MOST_MESSAGE_BYTES: usize = 256 * 1024;
/// The longest time that is looked on.
const LONGEST: Delay = Delay::mins(24 * 60);
/// The start of the year 2100: what rotations look like then is nobody's question.
const LATEST: Timestamp = Timestamp::from_ms(4_102_444_800_000);
/// So many are worked out at once, beside the engine that pages.
static AT_ONCE: Semaphore = Semaphore::const_new(2);
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) async fn rehearse(
    app: web::Data<App>,
    principal: Principal,
    Json(body): Json<RehearsalRequest, MOST_CONFIG_BYTES>,
) -> Result<web::Json<Rehearsal>, ApiError> {
    let RehearsalRequest { message, integration, at, zone, length, draft } = body;
    if draft.is_some() && principal.role < Role::Admin {
        return Err(ApiError::forbidden("Only administrators try drafts; leave `draft` out to try what is in force."));
    }
    let message = message.unwrap_or_else(|| rehearsal::SAMPLE.to_owned());
    if message.len() > MOST_MESSAGE_BYTES {
        return Err(ApiError::invalid("message", format!("It may have {MOST_MESSAGE_BYTES} bytes.")));
    }
    let length = length.unwrap_or(rehearsal::LENGTH);
    if length > LONGEST || length < Delay::ZERO {
        return Err(ApiError::invalid("for", "It may be a day at most: `24h`."));
    }
    let at = moment(at, zone.as_deref().unwrap_or("UTC"))?;
    let integration = integration.unwrap_or_else(|| IntegrationId::from(rehearsal::NOBODYS));
    let Ok(Ok(_turn)) = tokio::time::timeout(PATIENCE, AT_ONCE.acquire()).await else {
        return Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "busy", "Other messages are being tried")
            .detail("Try again in a moment.")
            .retry_after(5));
    };
    let in_force = app.runtime.config();
    let draft = match draft {
        Some(draft) => {
            let (version, text, old) = stored(&app).await?;
            Some((draft_text(&draft, &text, &old)?, version + 1))
        }
        None => None,
    };
    let told = blocking(move || {
        let config = match draft {
            Some((text, version)) => compiled(&text, version, in_force.copies.clone())?,
            None => in_force,
        };
        Ok(rehearsal::try_message(&config, &integration, message.as_bytes(), at, length))
    });
    told.await?.map(web::Json)
}

fn moment(at: Option<Moment>, zone: &str) -> Result<Timestamp, ApiError> {
    if let Err(mend) = rehearsal::moment("1970-01-01T00:00:00Z", zone, now()) {
        return Err(ApiError::invalid("zone", mend));
    }
    let at = match at {
        None => now(),
        Some(Moment::At(at)) => at,
        Some(Moment::Written(text)) => {
            rehearsal::moment(&text, zone, now()).map_err(|mend| ApiError::invalid("at", mend))?
        }
    };
    if !(Timestamp::from_ms(0)..LATEST).contains(&at) {
        return Err(ApiError::invalid("at", "It must lie between 1970 and 2100."));
    }
    Ok(at)
}
