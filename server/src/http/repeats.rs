//! What an app asks twice under one key is done once: phones lose the answer as often as the request.
//!
//! `Idempotency-Key` counts for what is done to incidents, for a day and for each device by itself. The first answer is
//! given again, unless it said that a later try may go better.

use super::{
    app::{App, now},
    body::whole,
    principal::Principal,
    problem::ApiError,
};
use crate::db::{Kept, Repeat};
use actix_web::{
    Error, FromRequest as _, HttpMessage as _, HttpResponse, ResponseError as _,
    body::{BoxBody, MessageBody, to_bytes},
    dev::{Payload, ServiceRequest, ServiceResponse},
    http::{
        Method, StatusCode,
        header::{HeaderName, HeaderValue},
    },
    middleware::Next,
    web::{self, Bytes},
};
use futures_util::stream;
use sha2::{Digest as _, Sha256};
use std::future::ready;

/// Of an action; longer bodies are refused by whoever reads them.
const BYTES_MOST: usize = 256 * 1024;
const KEY_CHARS: usize = 200;
const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Says that this was answered before.
const REPEATED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// The layer: within the one that authorises.
pub(super) async fn once(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let Some((device, key)) = keyed(&request) else {
        return next.call(request).await.map(ServiceResponse::map_into_boxed_body);
    };
    let body = match read(&mut request).await {
        Ok(body) => body,
        Err(refusal) => return Ok(request.into_response(refusal.error_response())),
    };
    let kept = match kept(&request, device, &key, &body) {
        Ok(kept) => kept,
        Err(refusal) => return Ok(request.into_response(refusal.error_response())),
    };
    let Some(app) = request.app_data::<web::Data<App>>().cloned() else {
        return Ok(request.into_response(ApiError::internal().error_response()));
    };
    let claim = kept.clone();
    match app.db(move |store| store.repeat_claim(&claim, now())).await {
        Ok(Repeat::New) => {}
        Ok(Repeat::Answered { status, body }) => return Ok(request.into_response(again(status, body))),
        Ok(Repeat::Busy) => return Ok(request.into_response(busy().error_response())),
        Ok(Repeat::Other) => return Ok(request.into_response(other().error_response())),
        Err(refusal) => return Ok(request.into_response(refusal.error_response())),
    }
    // On its own: when the phone loses its connection meanwhile, the answer is kept for its next try all the same.
    let done = actix_web::rt::spawn(async move {
        let (request, response) = next.call(request).await?.into_parts();
        let (response, body) = response.into_parts();
        let body = to_bytes(body).await.unwrap_or_default();
        settle(&app, kept.key_hash, response.status(), &body).await;
        Ok(ServiceResponse::new(request, response.set_body(BoxBody::new(body))))
    });
    done.await.unwrap_or_else(|_| Err(ApiError::internal().into()))
}

/// The device and the key it chose, of a request for which keys count.
fn keyed(request: &ServiceRequest) -> Option<(i64, HeaderValue)> {
    let acts = request.method() == Method::POST && request.path().starts_with("/api/v1/incidents/");
    let key = request.headers().get(&KEY).filter(|_| acts)?.clone();
    let device = request.extensions().get::<Principal>()?.device().ok()?.1;
    Some((device, key))
}

/// The whole body, which stays in the request.
async fn read(request: &mut ServiceRequest) -> Result<Bytes, ApiError> {
    let (http, payload) = request.parts_mut();
    let payload = web::Payload::from_request(http, payload).await.map_err(|_| ApiError::internal())?;
    let body = whole(payload, BYTES_MOST).await?;
    request.set_payload(Payload::Stream { payload: Box::pin(stream::once(ready(Ok(body.clone())))) });
    Ok(body)
}

fn kept(request: &ServiceRequest, device: i64, key: &HeaderValue, body: &Bytes) -> Result<Kept, ApiError> {
    let key = key.to_str().unwrap_or_default().trim();
    if key.is_empty() || key.len() > KEY_CHARS {
        let title = "The Idempotency-Key cannot be used";
        return Err(ApiError::new(StatusCode::BAD_REQUEST, "bad_idempotency_key", title)
            .detail(format!("Choose 1 to {KEY_CHARS} printable characters, such as a UUID.")));
    }
    let asked = [request.method().as_str(), &request.uri().to_string(), ""].join("\n");
    let key_hash = hex(&Sha256::digest(format!("{device}\n{key}")));
    Ok(Kept { key_hash, asked_hash: hex(&Sha256::new().chain_update(asked).chain_update(body).finalize()), device })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Keeps the answer, if another try could not have a better one.
async fn settle(app: &App, key_hash: String, status: StatusCode, body: &Bytes) {
    let is_final =
        !status.is_server_error() && !matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT);
    let answer = is_final.then(|| (status.as_u16(), String::from_utf8_lossy(body).into_owned()));
    let settled = app.db(move |store| {
        let answer = answer.as_ref().map(|(status, body)| (*status, body.as_str()));
        store.repeat_settle(&key_hash, answer)
    });
    if let Err(error) = settled.await {
        tracing::warn!(code = error.code(), "the answer to an app could not be kept");
    }
}

fn again(status: u16, body: String) -> HttpResponse {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let media = if status.is_success() { "application/json" } else { "application/problem+json" };
    HttpResponse::build(status).content_type(media).insert_header((REPEATED, "true")).body(body)
}

fn busy() -> ApiError {
    ApiError::new(StatusCode::CONFLICT, "still_being_done", "The same request is being answered right now")
        .detail("Ask again in a second, with the same key.")
        .retry_after(1)
}

fn other() -> ApiError {
    let title = "This Idempotency-Key stands for another request";
    ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused", title)
        .detail("Choose another key for what is not the same request to the letter.")
}
