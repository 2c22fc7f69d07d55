//! What every answer gets, whoever made it: security headers, a line in the log, and an answer even to a panic.

use super::{App, problem::ApiError};
use crate::{clock::Stopwatch, ingest};
use actix_web::{
    Error,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::header::{
        CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderMap, HeaderName, HeaderValue, REFERRER_POLICY,
        STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
    },
    middleware::Next,
    web,
};
use futures_util::FutureExt as _;
use std::panic::AssertUnwindSafe;

/// For answers that are not pages: they load nothing and stand in no frame.
const PLAIN_POLICY: &str = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// For the application: its own files and its own server, no inline script or style.
pub(super) fn page_policy(public_url: &str) -> String {
    // Some browsers do not take a WebSocket of the same host for 'self'.
    let socket = match public_url.split_once("://") {
        Some(("https", host)) => format!(" wss://{host}"),
        Some((_, host)) => format!(" ws://{host}"),
        None => String::new(),
    };
    format!(
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; \
         connect-src 'self'{socket}; manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'"
    )
}

/// The outermost layer.
pub async fn outermost(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let watch = Stopwatch::start();
    let method = request.method().clone();
    let https = request.app_data::<web::Data<App>>().is_some_and(|app| app.is_https());
    let served = AssertUnwindSafe(async move { next.call(request).await }).catch_unwind().await;
    // The hook of the process has logged where it happened.
    let mut response = served.unwrap_or_else(|_| Err(ApiError::internal().into()))?;
    add_headers(response.headers_mut(), https);
    let took_ms = watch.elapsed_ms();
    if let Some(app) = response.request().app_data::<web::Data<App>>() {
        let error = response.response().error().and_then(Error::as_error::<ApiError>);
        ingest::answered(app, response.request(), response.status(), error, took_ms);
    }
    let status = response.status().as_u16();
    // The pattern, never the path: paths hold tokens.
    let route = response.request().match_pattern().unwrap_or_else(|| "-".to_owned());
    if status >= 500 {
        tracing::warn!(%method, route, status, took_ms, "request failed");
    } else {
        tracing::debug!(%method, route, status, took_ms, "request");
    }
    Ok(response)
}

fn add_headers(headers: &mut HeaderMap, https: bool) {
    let absent = |headers: &mut HeaderMap, name: HeaderName, value: &'static str| {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    };
    absent(headers, X_CONTENT_TYPE_OPTIONS, "nosniff");
    absent(headers, X_FRAME_OPTIONS, "DENY");
    absent(headers, REFERRER_POLICY, "same-origin");
    absent(headers, CONTENT_SECURITY_POLICY, PLAIN_POLICY);
    absent(headers, HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    absent(headers, HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    absent(headers, HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()");
    absent(headers, CACHE_CONTROL, "no-store");
    if https {
        absent(headers, STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
}
