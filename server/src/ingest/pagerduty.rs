//! PagerDuty's Events API, so that whoever speaks to it speaks to us by another address: version 2, its changes, and version 1.
//!
//! The routing key in the body is the token of an integration. Answers have the codes and bodies of the original: its
//! clients take nothing else for success, and try again on 429 and 5xx only.

use super::{Posted, Sender, body, deliver, encoded, fault::noted, refuse, text_of, words, wrong_method};
use crate::{http::App, runtime::Refused, telemetry};
use actix_web::{
    HttpRequest, HttpResponse, ResponseError as _,
    http::{
        StatusCode,
        header::{HeaderName, RETRY_AFTER},
    },
    web,
};
use engine::normalize::routing_key;
use serde_json::{Value, json};
use shared::timeline::{Outcome, RejectReason};

/// As PagerDuty bounds it.
const BODY_MAX_BYTES: usize = 512 << 10;

/// Which of its interfaces was spoken to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Interface {
    V2,
    Change,
    V1,
}

impl Interface {
    const fn format(self) -> &'static str {
        match self {
            Self::V2 | Self::V1 => "pagerduty",
            Self::Change => "pagerduty-change",
        }
    }
}

/// Mounts the addresses; like those of other senders they never redirect.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    for (path, interface) in [
        ("/v2/enqueue", Interface::V2),
        ("/v2/change/enqueue", Interface::Change),
        ("/generic/2010-04-15/create_event.json", Interface::V1),
    ] {
        for path in [path.to_owned(), format!("{path}/")] {
            let take = move |request, payload, app| take(interface, request, payload, app);
            config.service(web::resource(path).route(web::post().to(take)).default_service(web::to(wrong_method)));
        }
    }
}

async fn take(interface: Interface, request: HttpRequest, payload: web::Payload, app: web::Data<App>) -> HttpResponse {
    if let Some(encoding) = encoded(&request) {
        refuse(&request, "encoding");
        return invalid(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            &[format!("the body is encoded as `{encoding}`; send it as it is")],
        );
    }
    let body = match body::read(&request, payload, BODY_MAX_BYTES).await {
        Ok(body) => body,
        Err(error) => return invalid(error.status_code(), &[error.to_string()]),
    };
    // Newer clients name it in a header as well.
    let key = routing_key(&body).or_else(|| text_of(request.headers(), &HeaderName::from_static("x-routing-key")));
    let Some(key) = key else {
        refuse(&request, "token");
        let name = if interface == Interface::V1 { "service_key" } else { "routing_key" };
        return invalid(StatusCode::BAD_REQUEST, &[format!("'{name}' is missing or blank")]);
    };
    let unknown = |mend: String| {
        let body = json!({ "status": "invalid key", "message": "Invalid routing key", "errors": [mend] });
        answer(StatusCode::UNAUTHORIZED, &body)
    };
    let Ok(sender) = Sender::of(&request, &app, &key).await else {
        let mend = "the key is of no integration; make one on the Integrations page and use its token";
        return unknown(mend.to_owned());
    };
    let integration = match sender.signed(&request, &body) {
        Ok(integration) => integration,
        Err(error) => return unknown(error.said()),
    };
    let posted = Posted { integration, format: Some(interface.format()), body: without(body, &key) };
    match deliver(&request, &app, posted).await {
        Ok(stored) => {
            let faults = faults(&stored.receipt.outcomes);
            if stored.receipt.accepted == 0 && !faults.is_empty() {
                noted(&request, StatusCode::BAD_REQUEST, &faults.join("; "));
                return invalid(StatusCode::BAD_REQUEST, &faults);
            }
            taken(interface, stored.key.as_deref())
        }
        Err(unstored) => throttled(unstored.why),
    }
}

/// A body with stars in place of the token: whoever may read the stored message may not send in its sender's name.
fn without(mut body: Vec<u8>, token: &str) -> Vec<u8> {
    let mut at = 0;
    while let Some(found) = body[at..].windows(token.len().max(1)).position(|part| part == token.as_bytes()) {
        at += found + token.len();
        body[at - token.len()..at].fill(b'*');
    }
    body
}

/// Accepted, with the key by which the alert is spoken of from now on.
fn taken(interface: Interface, key: Option<&str>) -> HttpResponse {
    let mut body = json!({ "status": "success", "message": "Event processed" });
    let (status, name) = match interface {
        Interface::V2 => (StatusCode::ACCEPTED, Some("dedup_key")),
        Interface::Change => (StatusCode::ACCEPTED, None),
        Interface::V1 => (StatusCode::OK, Some("incident_key")),
    };
    if let (Value::Object(members), Some(name)) = (&mut body, name) {
        members.insert(name.to_owned(), key.into());
    }
    answer(status, &body)
}

/// What is wrong with it, in PagerDuty's words where it has some.
fn faults(outcomes: &[Outcome]) -> Vec<String> {
    let reason =
        |outcome: &Outcome| if let Outcome::Rejected { reason } = outcome { Some(reason.clone()) } else { None };
    let words = |reason| match reason {
        RejectReason::BadEvent { faults } => faults,
        other => vec![shared::text::reject_reason(shared::config::Language::En, &other)],
    };
    outcomes.iter().filter_map(reason).flat_map(words).collect()
}

fn invalid(status: StatusCode, faults: &[String]) -> HttpResponse {
    answer(status, &json!({ "status": "invalid event", "message": "Event object is invalid", "errors": faults }))
}

fn throttled(refused: Refused) -> HttpResponse {
    telemetry::refused(words(refused).0);
    let message = "Requests for this service are arriving too quickly.  Please retry later.";
    let mut response = answer(
        StatusCode::TOO_MANY_REQUESTS,
        &json!({ "status": "throttle exceeded", "message": message, "errors": [refused.to_string()] }),
    );
    response.headers_mut().insert(RETRY_AFTER, refused.retry_after_s().into());
    response
}

fn answer(status: StatusCode, body: &Value) -> HttpResponse {
    HttpResponse::build(status).json(body)
}
