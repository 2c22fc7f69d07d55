//! Reads a sender's body whole: any type, bounded in size and in time, also once it is inflated.

use super::{Posted, deliver, encoded, fault::Fault, refuse, requests::Note};
use crate::http::{ApiError, App};
use actix_web::{HttpRequest, http::StatusCode, web};
use engine::normalize;
use flate2::read::MultiGzDecoder;
use futures_util::StreamExt as _;
use serde_json::{Map, Value};
use shared::IntegrationId;
use std::{io::Read as _, time::Duration};

/// A body that is not here by then is not coming; slow senders must not hold connections for ever.
const PATIENCE: Duration = Duration::from_secs(15);

pub(super) async fn read(request: &HttpRequest, payload: web::Payload, limit: usize) -> Result<Vec<u8>, ApiError> {
    let whole = tokio::time::timeout(PATIENCE, collect(payload, limit)).await;
    let read = whole.unwrap_or_else(|_| {
        Err(ApiError::new(StatusCode::REQUEST_TIMEOUT, "slow_body", "The body did not arrive in time")
            .detail("It must be here within 15 seconds."))
    });
    match &read {
        Ok(body) => drop(Note::of(request, |note| note.bytes = body.len())),
        Err(error) => {
            refuse(request, "body");
            Note::of(request, |note| note.detail = Some(error.said()));
        }
    }
    read
}

async fn collect(mut payload: web::Payload, limit: usize) -> Result<Vec<u8>, ApiError> {
    let mut body = Vec::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|error| {
            ApiError::new(StatusCode::BAD_REQUEST, "broken_body", "The body broke off").detail(error.to_string())
        })?;
        if body.len() + chunk.len() > limit {
            return Err(ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", "The body is too large")
                .detail(format!("At most {limit} bytes are taken; send fewer alerts in one request.")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Whose body it is, and as what it is kept when it is no object.
#[derive(Clone, Copy)]
pub(super) struct Keeper<'a> {
    pub(super) request: &'a HttpRequest,
    pub(super) app: &'a App,
    pub(super) integration: &'a IntegrationId,
    pub(super) format: &'static str,
}

/// An object in JSON, in any charset; an empty one where nothing was sent, since there is not always something to say. What is
/// no object is put into quarantine, and pages when it looks like a P0.
pub(super) async fn object(keeper: Keeper<'_>, payload: web::Payload, limit: usize) -> Result<Value, Fault> {
    if let Some(encoding) = encoded(keeper.request) {
        refuse(keeper.request, "encoding");
        let message = format!("the body is encoded as `{encoding}`; send it as it is");
        return Err(Fault::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
    }
    let body = read(keeper.request, payload, limit).await?;
    if body.trim_ascii().is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    let charset = keeper.app.runtime.config().integrations.get(keeper.integration).and_then(|it| it.charset.clone());
    let why = match serde_json::from_str::<Value>(&normalize::decoded(&body, charset.as_deref())) {
        Ok(value) if value.is_object() => return Ok(value),
        Ok(_) => "it is no object".to_owned(),
        Err(error) => error.to_string(),
    };
    let Keeper { request, app, integration, format } = keeper;
    refuse(request, "body");
    let posted = Posted { integration: integration.clone(), format: Some(format), body };
    let kept = deliver(request, app, posted).await.map_err(|it| it.why)?.receipt.event;
    let message = format!("Request body is not processable. {why}. It is kept as message {kept}.");
    Err(Fault::new(StatusCode::UNPROCESSABLE_ENTITY, message))
}

/// A message that is put together here, in letters that every charset has where the sender's settings state one: it is read in
/// that, now and whenever it is read again.
pub(super) fn put_together(app: &App, integration: &IntegrationId, message: &Value) -> Vec<u8> {
    let text = message.to_string();
    let stated = app.runtime.config().integrations.get(integration).is_some_and(|it| it.charset.is_some());
    if !stated || text.is_ascii() {
        return text.into_bytes();
    }
    // Outside of its texts JSON has no other letters.
    let mut ascii = String::with_capacity(2 * text.len());
    for c in text.chars() {
        if c.is_ascii() {
            ascii.push(c);
        } else {
            let units = c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect::<String>();
            ascii.push_str(&units);
        }
    }
    ascii.into_bytes()
}

/// What a gzip holds, of which there may be several in a row.
pub(super) fn inflated(body: &[u8], limit: usize) -> Result<Vec<u8>, ApiError> {
    let mut inflated = Vec::new();
    let read = MultiGzDecoder::new(body).take(limit as u64 + 1).read_to_end(&mut inflated);
    if let Err(error) = read {
        return Err(ApiError::new(StatusCode::BAD_REQUEST, "broken_body", "The body cannot be inflated")
            .detail(format!("It says `Content-Encoding: gzip`: {error}")));
    }
    if inflated.len() > limit {
        return Err(ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", "The body is too large")
            .detail(format!("At most {limit} bytes are taken after inflation; send less in one request.")));
    }
    Ok(inflated)
}
