//! Where Open-Falcon's alarm sends: we stand in for its gateways of text messages, chat and mail, and are called back.
//!
//! Addresses are `/falcon/{token}/sms`, `im`, `mail` and `callback`. It looks at no status and tries nothing again, so an answer
//! only says in its log what happened; the answer to a callback goes into the text message that people get.

use super::{Posted, body, deliver, overloaded, sender, wrong_method};
use crate::http::{ApiError, App};
use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};
use engine::normalize;
use serde_json::{Map, Value, json};

/// Mails of merged alerts are long.
const BODY_MAX_BYTES: usize = 1 << 20;
/// Members of a callback's query; there are eleven.
const QUERY_MAX: usize = 64;

/// Mounts the addresses; like those of other senders they never redirect.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    for path in ["/falcon/{token}/{gateway:sms|im|mail}", "/falcon/{token}/{gateway:sms|im|mail}/"] {
        config.service(web::resource(path).route(web::post().to(gateway)).default_service(web::to(wrong_method)));
    }
    for path in ["/falcon/{token}/callback", "/falcon/{token}/callback/"] {
        config.service(web::resource(path).route(web::get().to(callback)).default_service(web::to(get_only)));
    }
}

async fn get_only() -> Result<HttpResponse, ApiError> {
    let title = "This address is called back with GET";
    Err(ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", title).allow("GET".to_owned()))
}

fn text(text: &'static str) -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body(text)
}

/// As Open-Falcon's mail-provider answers.
async fn gateway(request: HttpRequest, payload: web::Payload, app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let sender = sender(&request, &app).await?;
    let body = body::read(&request, payload, BODY_MAX_BYTES).await?;
    let integration = sender.signed(&request, &body)?;
    match deliver(&request, &app, Posted { integration, format: None, body }).await {
        Ok(stored) if stored.receipt.accepted > 0 => Ok(text("success")),
        Ok(stored) => Ok(super::answer(&request, stored.receipt)),
        Err(unstored) => Ok(overloaded(&request, &unstored)),
    }
}

async fn callback(request: HttpRequest, app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let integration = sender(&request, &app).await?.unsigned(&request)?;
    // Decoded as a form is: what stands behind the percent signs may be GBK.
    let charset = app.runtime.config().integrations.get(&integration).and_then(|it| it.charset.clone());
    let query = normalize::form(request.query_string().as_bytes(), charset.as_deref())
        .unwrap_or_else(|| super::query(&request));
    let query: Map<String, Value> =
        query.into_iter().take(QUERY_MAX).map(|(name, value)| (name, value.into())).collect();
    let body = body::put_together(&app, &integration, &json!({ "falcon_callback": query }));
    match deliver(&request, &app, Posted { integration, format: Some("callback"), body }).await {
        Ok(stored) if stored.receipt.accepted > 0 => Ok(text("ok")),
        Ok(stored) => Ok(super::answer(&request, stored.receipt)),
        Err(unstored) => Ok(overloaded(&request, &unstored)),
    }
}
