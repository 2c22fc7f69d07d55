//! Reads a sender's body whole: any type, bounded in size and in time, also once it is inflated.

use crate::http::ApiError;
use actix_web::{http::StatusCode, web};
use flate2::read::MultiGzDecoder;
use futures_util::StreamExt as _;
use std::{io::Read as _, time::Duration};

/// A body that is not here by then is not coming; slow senders must not hold connections for ever.
const PATIENCE: Duration = Duration::from_secs(15);

pub(super) async fn read(payload: web::Payload, limit: usize) -> Result<Vec<u8>, ApiError> {
    let whole = tokio::time::timeout(PATIENCE, collect(payload, limit)).await;
    whole.map_err(|_| {
        ApiError::new(StatusCode::REQUEST_TIMEOUT, "slow_body", "The body did not arrive in time")
            .detail("It must be here within 15 seconds.")
    })?
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
