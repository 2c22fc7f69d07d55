//! Where senders post: authenticates, bounds, reads, and answers with success only what is stored.

mod acts;
mod alerta;
mod alertmanager;
mod body;
mod carried;
mod enveloped;
mod falcon;
mod fault;
pub mod fuzz;
mod heartbeat;
pub mod listen;
mod lost;
mod measures;
mod opsgenie;
mod pace;
mod pagerduty;
mod preview;
mod requests;
mod sender;
mod signature;
mod slack;

pub use lost::Lost;
pub use pace::Pace;
pub use preview::{preview, preview_mapping};
pub use requests::{Requests, answered};
pub(crate) use signature::check;

use crate::{
    clock,
    db::Message,
    http::{ApiError, App},
    runtime::{Arrived, Refused},
    telemetry,
};
use actix_web::{
    HttpRequest, HttpResponse, guard,
    http::{
        Method, StatusCode,
        header::{ALLOW, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER, USER_AGENT},
    },
    web,
};
use engine::{
    classify,
    normalize::{self, Parsed, SYSLOG, Source},
};
use requests::Note;
use sender::{Sender, sender};
use shared::{EventId, Format, IntegrationId, Severity, SharedStr, api::Receipt, timeline::Outcome};
use std::net::IpAddr;

/// The largest body, in bytes; a batch of 256 alerts of the wordiest sender fits.
pub const BODY_MAX_BYTES: usize = 1 << 20;
/// The most that a compressed body may hold.
const INFLATED_MAX_BYTES: usize = 2 << 20;
/// Longer keys are as good as their hash.
const KEY_MAX_CHARS: usize = 255;
/// By this header a sender of CloudEvents asks whether it is welcome.
const REQUEST_ORIGIN: &str = "webhook-request-origin";
/// Names a path may give the body's format.
const FORMATS: &[&str] = &[
    "auto",
    "bracket",
    "falcon",
    "json",
    "text",
    "form",
    "pagerduty",
    "pagerduty-change",
    "alertmanager",
    "opsgenie",
    "alerta",
    "slack",
    "gotify",
    SYSLOG,
];

/// Mounts the addresses senders post to. None of them ever redirects: a sender that follows a redirect loses
/// the body and takes the answer for success.
pub fn routes(config: &mut web::ServiceConfig) {
    heartbeat::routes(config);
    falcon::routes(config);
    measures::routes(config);
    pagerduty::routes(config);
    alertmanager::routes(config);
    opsgenie::routes(config);
    alerta::routes(config);
    slack::routes(config);
    for path in [
        "/ingest",
        "/ingest/",
        "/ingest/{token}",
        "/ingest/{token}/",
        "/ingest/{token}/{format}",
        "/ingest/{token}/{format}/",
    ] {
        let resource = web::resource(path).route(web::post().to(receive));
        let asks = guard::fn_guard(|request| request.head().headers().contains_key(REQUEST_ORIGIN));
        let resource = resource.route(web::method(Method::OPTIONS).guard(asks).to(welcome));
        config.service(resource.default_service(web::to(wrong_method)));
    }
}

async fn wrong_method() -> Result<HttpResponse, ApiError> {
    let title = "This address is posted to";
    Err(ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", title).allow("POST".to_owned()))
}

/// Counts a refusal, and notes it in the list of the sender's requests.
fn refuse(request: &HttpRequest, reason: &'static str) {
    telemetry::refused(reason);
    Note::of(request, |note| note.reason = Some(reason));
}

/// What a sender of CloudEvents asks before it sends ("HTTP 1.1 Web Hooks for Event Delivery", 4): whether this origin may. Whoever has
/// the token may, as fast as its settings say. Nothing is called back.
async fn welcome(request: HttpRequest, app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let integration = sender(&request, &app).await?.greeted(&request);
    let limit = app.runtime.config().integration(&integration).rate_limit;
    let rate = limit.map_or_else(|| "*".to_owned(), |limit| limit.a_minute().to_string());
    let origin = request.headers().get(REQUEST_ORIGIN).cloned().unwrap_or_else(|| HeaderValue::from_static("*"));
    let mut response = HttpResponse::Ok();
    response.insert_header((ALLOW, "POST")).insert_header(("webhook-allowed-origin", origin));
    Ok(response.insert_header(("webhook-allowed-rate", rate)).finish())
}

async fn receive(request: HttpRequest, payload: web::Payload, app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let sender = sender(&request, &app).await?;
    let format = request.match_info().get("format").map(ToOwned::to_owned);
    if let Some(name) = format.as_deref().filter(|name| !FORMATS.contains(name)) {
        refuse(&request, "format");
        return Err(ApiError::new(StatusCode::NOT_FOUND, "unknown_format", "There is no such format").detail(format!(
            "`{name}` is not one of {}; leave it out and it is found by looking.",
            FORMATS.join(", ")
        )));
    }
    let encoding = encoded(&request);
    let is_gzip = encoding.as_deref().is_some_and(|it| it.eq_ignore_ascii_case("gzip"));
    if let Some(encoding) = encoding.filter(|_| !is_gzip) {
        refuse(&request, "encoding");
        let title = "The body is compressed in a way that is not taken";
        return Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "encoded_body", title)
            .detail(format!("The request says `Content-Encoding: {encoding}`; send it as gzip, or as it is.")));
    }
    let body = body::read(&request, payload, BODY_MAX_BYTES).await?;
    // What is signed is what was sent.
    let integration = sender.signed(&request, &body)?;
    let refused = |_: &ApiError| refuse(&request, "body");
    let body = if is_gzip { body::inflated(&body, INFLATED_MAX_BYTES).inspect_err(refused)? } else { body };
    let charset = app.runtime.config().integration(&integration).charset.clone();
    let is_found = format.as_deref().is_none_or(|name| name == "auto");
    let refused = |_: &ApiError| refuse(&request, "format");
    let wrapped = if is_found {
        enveloped::wrapped(request.headers(), &body, charset.as_deref()).inspect_err(refused)?
    } else {
        None
    };
    let made = wrapped.as_ref().map(|it| it.content_type);
    let body = wrapped.map_or(body, |it| it.body);
    let posted = Posted { integration, format: format.as_deref(), body };
    match deliver_as(made, &request, &app, posted).await {
        Ok(stored) => Ok(answer(&request, stored.receipt)),
        Err(unstored) => Ok(overloaded(&request, &unstored)),
    }
}

/// The query in its order; what cannot be decoded is none.
fn query(request: &HttpRequest) -> Vec<(String, String)> {
    web::Query::from_query(request.query_string()).map(web::Query::into_inner).unwrap_or_default()
}

/// How a body is encoded that should not be.
fn encoded(request: &HttpRequest) -> Option<String> {
    text_of(request.headers(), &CONTENT_ENCODING).filter(|it| !it.eq_ignore_ascii_case("identity"))
}

/// A body of a known sender.
struct Posted<'a> {
    integration: IntegrationId,
    /// What the address says it is.
    format: Option<&'a str>,
    body: Vec<u8>,
}

/// What is durable now.
struct Stored {
    receipt: Receipt,
    /// The identity of its first member, when it had one.
    key: Option<SharedStr>,
}

/// Nothing is durable: it has to be sent again.
#[derive(Debug)]
struct Unstored {
    why: Refused,
    /// What the first member of it was read as.
    format: Option<Format>,
}

/// Reads a body and hands it to the engine; when this returns, it is stored or the sender has to send it again.
async fn deliver(request: &HttpRequest, app: &App, posted: Posted<'_>) -> Result<Stored, Unstored> {
    deliver_as(None, request, app, posted).await
}

/// The same for a body that was made into this, whatever the request says.
async fn deliver_as(
    made: Option<&str>,
    request: &HttpRequest,
    app: &App,
    posted: Posted<'_>,
) -> Result<Stored, Unstored> {
    let said = text_of(request.headers(), &CONTENT_TYPE).filter(|it| !it.is_empty());
    // What only the address says is stored as well, so that it is read alike when it is read again.
    let kept;
    let content_type = match posted.format {
        _ if made.is_some() => made,
        Some("alerta" | "callback" | "opsgenie") => Some("application/json"),
        Some(SYSLOG) => Some(normalize::syslog::FRAMES),
        None | Some("auto" | "slack" | "gotify") => said.as_deref(),
        Some(format) => {
            kept = normalize::keeping(said.as_deref().unwrap_or_default(), format);
            Some(kept.as_str())
        }
    };
    let integration = posted.integration.clone();
    let mut arrived = arrived(app, posted, content_type, app.peer(request));
    arrived.key = idempotency_key(request, arrived.read.named.as_deref());
    let first = arrived.read.events.first().map(|it| &it.event);
    let (key, format) = (first.map(|it| it.dedup_key.clone()), first.map(|it| it.format));
    Note::of(request, |note| note.format = format);
    telemetry::logged("http", "passed_over", arrived.read.passed_over.into());
    if arrived.read.events.is_empty() && arrived.read.rejected.is_empty() {
        let nothing = Receipt { event: EventId::default(), accepted: 0, rejected: 0, outcomes: Vec::new() };
        return Ok(Stored { receipt: nothing, key });
    }
    // A P0 is never too much.
    let limit = app.runtime.config().integration(&integration).rate_limit.filter(|_| !arrived.urgent);
    let taken = match limit.map_or(Ok(()), |limit| app.pace.take(&integration, limit, arrived.received_at)) {
        Ok(()) => {
            let received_at = arrived.received_at;
            let taken = app.runtime.ingest(arrived).await;
            // What was not stored has to be sent again, and counts then.
            if taken.is_err() && limit.is_some() {
                app.pace.give_back(&integration, received_at);
            }
            taken
        }
        Err(retry_after_s) => Err(Refused::Limited { retry_after_s }),
    };
    let receipt = taken.map_err(|why| {
        Note::of(request, |note| (note.reason, note.detail) = (Some(words(why).0), Some(why.to_string())));
        Unstored { why, format }
    })?;
    Note::of(request, |note| {
        (note.event, note.members) = (Some(receipt.event), (receipt.accepted, receipt.rejected));
    });
    Ok(Stored { receipt, key })
}

/// Reads a body by the configuration in force, for the lane it belongs into.
fn arrived(app: &App, posted: Posted<'_>, content_type: Option<&str>, peer: IpAddr) -> Arrived {
    let Posted { integration, format, mut body } = posted;
    let settings = app.runtime.config().integration(&integration);
    if format == Some("gotify") {
        let fields = fields(content_type.unwrap_or_default(), settings.charset.as_deref(), &body);
        body = fields.map_or(body, |fields| body::put_together(app, &integration, &fields));
    }
    if let Some(name @ ("slack" | "gotify")) = format {
        wrap(name, &mut body);
    }
    let (peer, received_at) = (peer.to_string(), clock::now());
    read(app, &Source { integration: &settings, content_type, format, peer: Some(&peer), received_at }, body)
}

/// What a body says, how urgent that is, and where its machines run.
fn read(app: &App, source: &Source<'_>, body: Vec<u8>) -> Arrived {
    let (config, now, sender) = (app.runtime.config(), source.received_at, &source.integration.id);
    let mut arrived = Arrived::read(source, body);
    let is_p0 = |it: &Parsed| classify::foresee(&config, sender, &it.event, now) == Severity::P0;
    arrived.urgent = arrived.read.events.iter().any(is_p0);
    arrived.places = app.inventory.places(arrived.read.events.iter().map(|it| &it.event), now);
    arrived
}

/// A stored message as if it came now, read by the settings of now. What it says of when it happened stays: what is older
/// than a day wakes nobody below a P1.
pub(crate) fn again(app: &App, message: Message, key: String) -> Arrived {
    let settings = app.runtime.config().integration(&message.integration);
    let source = Source {
        integration: &settings,
        content_type: Some(message.content_type.as_str()).filter(|it| !it.is_empty()),
        format: None,
        // Who sends it is part of what syslog says.
        peer: Some(&message.peer),
        received_at: clock::now(),
    };
    let mut arrived = read(app, &source, message.body);
    (arrived.key, arrived.replayed) = (Some(key), true);
    arrived
}

/// Puts the name of an interface around an object that was told to it: any JSON may be meant for it, and whoever reads the
/// stored message again does not know its address.
fn wrap(name: &str, body: &mut Vec<u8>) {
    let start = body.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(body.len());
    if body.get(start) == Some(&b'{') {
        body.splice(..start, format!("{{\"{name}\":").into_bytes());
        body.push(b'}');
    }
}

/// A form as an object, so that it can be wrapped; none of what is no form.
fn fields(content_type: &str, charset: Option<&str>, body: &[u8]) -> Option<serde_json::Value> {
    let is_called = content_type.to_ascii_lowercase().starts_with("application/x-www-form-urlencoded");
    let is_object = matches!(body.trim_ascii_start().first(), Some(b'{' | b'['));
    let fields = Some(()).filter(|()| is_called && !is_object).and_then(|()| normalize::form(body, charset))?;
    Some(fields.into_iter().map(|(name, value)| (name, serde_json::Value::from(value))).collect())
}

/// Success when anything of it was understood; otherwise the reason, and where it is kept.
fn answer(request: &HttpRequest, receipt: Receipt) -> HttpResponse {
    if receipt.accepted > 0 || receipt.outcomes.is_empty() {
        return HttpResponse::Ok().json(receipt);
    }
    let why = receipt.outcomes.iter().find_map(|outcome| match outcome {
        Outcome::Rejected { reason } => Some(shared::text::reject_reason(shared::config::Language::En, reason)),
        _ => None,
    });
    let kept = format!("It is kept as message {}, in quarantine.", receipt.event);
    let why = format!("{} {kept}", why.unwrap_or_default());
    Note::of(request, |note| (note.reason, note.detail) = (Some("not_understood"), Some(why.clone())));
    let error =
        ApiError::new(StatusCode::BAD_REQUEST, "not_understood", "The body could not be understood").detail(why);
    actix_web::ResponseError::error_response(&error)
}

/// Some senders try again on 429 only, all others on 503. What is over a sender's own limit is a 429 to all but
/// Alertmanager, which gives up on that.
fn overloaded(request: &HttpRequest, unstored: &Unstored) -> HttpResponse {
    let refused = unstored.why;
    let (reason, code) = words(refused);
    telemetry::refused(reason);
    let agent = text_of(request.headers(), &USER_AGENT).unwrap_or_default().to_lowercase();
    // Nightingale says nothing of itself in its headers.
    let wants_429 = unstored.format == Some(Format::Nightingale)
        || ["n9e", "nightingale", "pagerduty", "pdjs", "opsgenie"].iter().any(|name| agent.contains(name));
    let is_limited = matches!(refused, Refused::Limited { .. }) && !agent.contains("alertmanager");
    let status = if wants_429 || is_limited { StatusCode::TOO_MANY_REQUESTS } else { StatusCode::SERVICE_UNAVAILABLE };
    let error = ApiError::new(status, code, "The message was not stored").detail(refused.to_string());
    let mut response = actix_web::ResponseError::error_response(&error);
    response.headers_mut().insert(RETRY_AFTER, refused.retry_after_s().into());
    response
}

/// Why nothing was stored: for the counters, and for programs.
const fn words(refused: Refused) -> (&'static str, &'static str) {
    match refused {
        Refused::Overloaded { .. } => ("overload", "overloaded"),
        Refused::Unavailable { .. } => ("store", "unavailable"),
        Refused::Limited { .. } => ("rate_limit", "rate_limited"),
    }
}

/// The sender's own name for the message, by whichever convention it follows. One that was signed stands above all: who sends
/// a message again that they cannot sign cannot give it another name either.
/// `told` is the one in its body.
fn idempotency_key(request: &HttpRequest, told: Option<&str>) -> Option<String> {
    let headers = request.headers();
    let signed = Note::of(request, |note| note.key.clone()).flatten();
    let named = |name: &'static str| text_of(headers, &HeaderName::from_static(name)).filter(|key| !key.is_empty());
    let event = || Some(format!("{} {}", named("ce-source")?, named("ce-id")?));
    let key = signed
        .or_else(|| named("idempotency-key"))
        .or_else(|| named("webhook-id"))
        .or_else(|| told.map(ToOwned::to_owned))
        .or_else(|| ["x-github-delivery", "x-amz-sns-message-id", "x-smn-message-id"].into_iter().find_map(named))
        .or_else(event)?;
    let short = key.chars().count() <= KEY_MAX_CHARS;
    Some(if short { key } else { crate::auth::token::hash_hex(&key) })
}

fn text_of(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    /// Who tries again at what: a sender that gives up at the wrong status loses the page.
    #[test]
    fn each_sender_is_refused_with_what_it_tries_again() {
        let full = Refused::Overloaded { retry_after_s: 2 };
        let shut = Refused::Unavailable { retry_after_s: 2 };
        let limited = Refused::Limited { retry_after_s: 60 };
        for (agent, format, expected) in [
            // 5xx alone, also where it sent too much.
            ("Alertmanager/0.25.0", Some(Format::Alertmanager), [503, 503, 503]),
            // 429 alone; it says nothing of itself, and newer ones do.
            ("Go-http-client/1.1", Some(Format::Nightingale), [429; 3]),
            ("n9e/8.1", None, [429; 3]),
            ("pdjs/2.0.0 (v18/linux)", None, [429; 3]),
            ("opsgenie-node-sdk:0.5.1", None, [429; 3]),
            // Anything but success.
            ("curl/7.88.1", Some(Format::Bracket), [503, 503, 429]),
            ("Grafana", Some(Format::Json), [503, 503, 429]),
            ("syslog-ng 3.38/libcurl", Some(Format::Syslog), [503, 503, 429]),
            ("Amazon Simple Notification Service Agent", None, [503, 503, 429]),
            ("", None, [503, 503, 429]),
        ] {
            let request = TestRequest::default().insert_header(("user-agent", agent)).to_http_request();
            let answers = [full, shut, limited].map(|why| overloaded(&request, &Unstored { why, format }));
            assert_eq!(answers.each_ref().map(|it| it.status().as_u16()), expected, "{agent}");
            let waits = answers.each_ref().map(|it| it.headers().get(RETRY_AFTER).unwrap().to_str().unwrap());
            assert_eq!(waits, ["2", "2", "60"], "{agent}");
        }
    }
}
