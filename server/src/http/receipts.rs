//! `POST /p/r`: a browser says that it shows a push, or what was done with it. The capability in the push allows it.
//!
//! It comes from a worker without a session, perhaps long after: the first of each kind counts, any other changes nothing.

use super::{App, app::now, body::whole, problem::ApiError};
use crate::auth::caplink::CapError;
use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{self, Payload},
};
use serde::Deserialize;
use shared::{DeliveryReceipt, SharedStr};

/// A capability takes most of it.
const BYTES_MOST: usize = 2_048;

#[derive(Deserialize)]
struct Body {
    cap: String,
    kind: Kind,
    /// The device's number, as the push named it.
    #[serde(default)]
    device: Option<i64>,
    /// How long ago it happened, in milliseconds, when it could not be said at once.
    #[serde(default)]
    late_ms: u32,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Shown,
    Opened,
    Dismissed,
}

pub(super) async fn take(
    app: web::Data<App>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let now = now();
    app.devices.admit_receipt(app.peer(&request), now).map_err(|seconds| {
        ApiError::new(StatusCode::TOO_MANY_REQUESTS, "too_many", "Too many receipts come from this address")
            .retry_after(seconds)
    })?;
    // As text too: a page that is being closed can send nothing else.
    let body: Body = serde_json::from_slice(&whole(payload, BYTES_MOST).await?).map_err(|error| {
        ApiError::new(StatusCode::BAD_REQUEST, "bad_json", "The receipt cannot be read").detail(error.to_string())
    })?;
    let cap = match app.runtime.links().verify(&body.cap, now) {
        Ok(cap) => cap,
        // It is too late for anything; the worker need not keep it.
        Err(CapError::Expired) => return Ok(HttpResponse::NoContent().finish()),
        Err(CapError::Malformed | CapError::Forged) => return Err(ApiError::not_found("message")),
    };
    let device = body.device.and_then(|id| app.devices.find(id, &cap.person));
    if let Some(device) = &device {
        match body.kind {
            Kind::Shown => {
                let after_ms = now.ms_since(cap.minted_at()) - i64::from(body.late_ms);
                app.devices.shown(device.id, u32::try_from(after_ms).ok(), now);
            }
            Kind::Opened | Kind::Dismissed => app.devices.opened(device.id, now),
        }
    }
    let receipt = match body.kind {
        Kind::Shown => DeliveryReceipt::Shown,
        Kind::Opened => DeliveryReceipt::Opened,
        Kind::Dismissed => DeliveryReceipt::Dismissed,
    };
    let label = device.map(|device| SharedStr::from(device.label.as_str()));
    if app.runtime.receipt(cap.incident, cap.attempt, receipt, label) {
        Ok(HttpResponse::NoContent().finish())
    } else {
        Err(ApiError::unavailable())
    }
}
