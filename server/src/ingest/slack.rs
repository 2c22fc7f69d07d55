//! Where messages for people are posted: the incoming webhooks of Slack and Mattermost, and Gotify's messages.
//!
//! Their clients take 200 for success, Slack's with `ok` and nothing else; words of refusals are those of Slack's
//! documentation of incoming webhooks, and of Gotify's API.

use super::{BODY_MAX_BYTES, Posted, body, deliver, encoded, fault::Fault, refuse, sender, text_of, wrong_method};
use crate::{clock, http::App};
use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{CONTENT_TYPE, RETRY_AFTER, USER_AGENT},
    },
    web,
};
use serde_json::{Value, json};
use shared::{EventId, api::Receipt, timeline::Outcome};

/// Mounts the addresses; like those of other senders they never redirect. Mattermost's own are below `/hooks`.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    for path in ["/slack/{token}", "/slack/{token}/", "/hooks/{token}", "/hooks/{token}/"] {
        config.service(web::resource(path).route(web::post().to(slack)).default_service(web::to(wrong_method)));
    }
    for path in ["/message", "/message/"] {
        config.service(web::resource(path).route(web::post().to(gotify)).default_service(web::to(wrong_method)));
    }
}

/// Stores a message as one of these; gives what was sent, too.
async fn take(
    format: &'static str,
    request: &HttpRequest,
    payload: web::Payload,
    app: &App,
) -> Result<(Receipt, Vec<u8>), Fault> {
    let sender = sender(request, app).await?;
    if let Some(encoding) = encoded(request) {
        refuse(request, "encoding");
        let message = format!("the body is encoded as `{encoding}`; send it as it is");
        return Err(Fault::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
    }
    let content_type = text_of(request.headers(), &CONTENT_TYPE).unwrap_or_default();
    if content_type.to_ascii_lowercase().starts_with("multipart/") {
        refuse(request, "encoding");
        let mend = "multipart forms are not taken; send the form urlencoded (curl -d instead of -F), or JSON";
        return Err(Fault::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, mend));
    }
    let body = body::read(request, payload, BODY_MAX_BYTES).await?;
    let integration = sender.signed(request, &body)?;
    let posted = Posted { integration, format: Some(format), body: body.clone() };
    let receipt = deliver(request, app, posted).await.map_err(|it| it.why)?.receipt;
    let is_refused = receipt.outcomes.iter().all(|it| matches!(it, Outcome::Rejected { .. }));
    if is_refused {
        super::Note::of(request, |note| note.reason = Some("not_understood"));
        return Err(Fault::new(StatusCode::BAD_REQUEST, kept(receipt.event)));
    }
    Ok((receipt, body))
}

fn kept(event: EventId) -> String {
    format!("it is kept as message {event}, in quarantine")
}

async fn slack(request: HttpRequest, payload: web::Payload, app: web::Data<App>) -> HttpResponse {
    const PLAIN: (actix_web::http::header::HeaderName, &str) = (CONTENT_TYPE, "text/plain; charset=utf-8");
    match take("slack", &request, payload, &app).await {
        Ok(_) => HttpResponse::Ok().insert_header(PLAIN).body("ok"),
        Err(mut fault) => {
            fault.note(&request);
            // Alertmanager gives up at a 429 of Slack's.
            let agent = text_of(request.headers(), &USER_AGENT).unwrap_or_default().to_lowercase();
            if fault.status == StatusCode::TOO_MANY_REQUESTS && agent.contains("alertmanager") {
                fault.status = StatusCode::SERVICE_UNAVAILABLE;
            }
            let word = match fault.status {
                StatusCode::UNAUTHORIZED => "invalid_token",
                StatusCode::SERVICE_UNAVAILABLE => "rollup_error",
                StatusCode::TOO_MANY_REQUESTS => "rate_limited",
                _ => "invalid_payload",
            };
            let mut response = HttpResponse::build(fault.status);
            if let Some(seconds) = fault.retry_after_s {
                response.insert_header((RETRY_AFTER, seconds));
            }
            response.insert_header(PLAIN).body(format!("{word}: {}", fault.message))
        }
    }
}

async fn gotify(request: HttpRequest, payload: web::Payload, app: web::Data<App>) -> HttpResponse {
    match take("gotify", &request, payload, &app).await {
        Ok((receipt, body)) => HttpResponse::Ok().json(message(&request, &receipt, &body)),
        Err(fault) => {
            fault.note(&request);
            let mut response = HttpResponse::build(fault.status);
            if let Some(seconds) = fault.retry_after_s {
                response.insert_header((RETRY_AFTER, seconds));
            }
            let name = fault.status.canonical_reason().unwrap_or_default();
            response.json(json!({
                "error": name, "errorCode": fault.status.as_u16(), "errorDescription": fault.message,
            }))
        }
    }
}

/// The message as Gotify shows it; it was stored, so what of it is no JSON is shown as nothing.
fn message(request: &HttpRequest, receipt: &Receipt, body: &[u8]) -> Value {
    let is_form = text_of(request.headers(), &CONTENT_TYPE).is_some_and(|it| it.starts_with("application/x-www-form"));
    let sent: Value = if is_form { Value::Null } else { serde_json::from_slice(body).unwrap_or_default() };
    json!({
        "id": receipt.event, "appid": 1, "title": sent["title"].as_str().unwrap_or_default(),
        "message": sent["message"].as_str().unwrap_or_default(), "priority": sent["priority"].as_i64().unwrap_or_default(),
        "date": super::alertmanager::instant(clock::now()),
    })
}
