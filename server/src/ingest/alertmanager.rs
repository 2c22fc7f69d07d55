//! Alertmanager's API, version 2: Prometheus and amtool speak to an integration as to an Alertmanager, by its address.
//!
//! Codes and bodies are those of Alertmanager 0.25 as measured (docs/decisions/0043), for its clients go by them: they try
//! nothing again but 5xx. Routes are not matched by the router but here, since the original refuses in this order too:
//! the path, the method, what may be answered, what was sent.

mod alerts;
mod matchers;
mod silences;

pub(super) use alerts::instant;
pub(super) use matchers::try_it as try_matcher;

use super::{Posted, Stored, body, deliver, fault::noted, refuse, text_of, words};
use crate::{
    http::{ApiError, App},
    runtime::{Refused, Unavailable},
    telemetry,
};
use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder,
    http::{
        Method, StatusCode,
        header::{
            ACCEPT, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ALLOW,
            CONTENT_TYPE, RETRY_AFTER, VARY,
        },
    },
    web,
};
use engine::normalize::{ALERTMANAGER_API, alertmanager::refusal};
use serde_json::{Value, json};
use shared::{
    IntegrationId, Timestamp,
    timeline::{Outcome, RejectReason},
};

/// The version of the original whose API this is.
const VERSION: &str = "0.25.0";
/// A silence is some hundred bytes.
const SILENCE_MAX_BYTES: usize = 64 << 10;

/// Mounts the addresses; like those of other senders they never redirect.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.service(web::resource("/am/{token}/{tail:.*}").default_service(web::to(serve)));
}

/// Why something was not done, as Alertmanager says it.
#[derive(Debug)]
enum Fault {
    /// Refused before it was looked at.
    Coded { status: StatusCode, code: u16, message: String },
    /// Looked at, and refused.
    Said { status: StatusCode, message: String },
    /// Not there.
    Nothing,
    /// Not now.
    Overloaded(Refused),
}

impl Fault {
    fn coded(status: StatusCode, message: impl Into<String>) -> Self {
        Self::Coded { status, code: status.as_u16(), message: message.into() }
    }

    /// A value that is missing or out of its form, with the code of go-openapi.
    fn unfit(code: u16, message: impl Into<String>) -> Self {
        let status = if code == 400 { StatusCode::BAD_REQUEST } else { StatusCode::UNPROCESSABLE_ENTITY };
        Self::Coded { status, code, message: message.into() }
    }

    fn bad(message: impl Into<String>) -> Self {
        Self::Said { status: StatusCode::BAD_REQUEST, message: message.into() }
    }

    /// Notes why, for the list of the sender's requests.
    fn note(&self, request: &HttpRequest) {
        match self {
            Self::Coded { status, message, .. } | Self::Said { status, message } => noted(request, *status, message),
            Self::Nothing => noted(request, StatusCode::NOT_FOUND, "there is no such silence"),
            Self::Overloaded(refused) => noted(request, StatusCode::SERVICE_UNAVAILABLE, &refused.to_string()),
        }
    }

    fn answer(self) -> HttpResponse {
        match self {
            Self::Coded { status, code, message } => {
                open(HttpResponse::build(status)).json(json!({ "code": code, "message": message }))
            }
            Self::Said { status, message } => open(HttpResponse::build(status)).json(message),
            Self::Nothing => open(HttpResponse::NotFound()).finish(),
            Self::Overloaded(refused) => {
                telemetry::refused(words(refused).0);
                open(HttpResponse::ServiceUnavailable())
                    .insert_header((RETRY_AFTER, refused.retry_after_s()))
                    .json(refused.to_string())
            }
        }
    }
}

impl From<Unavailable> for Fault {
    fn from(_: Unavailable) -> Self {
        Self::Said {
            status: StatusCode::SERVICE_UNAVAILABLE,
            message: "the pager does not answer; ask again soon".to_owned(),
        }
    }
}

impl From<ApiError> for Fault {
    fn from(error: ApiError) -> Self {
        let said = error.said();
        let message = if said.is_empty() { error.to_string() } else { said };
        Self::coded(actix_web::ResponseError::status_code(&error), message)
    }
}

/// Pages of other origins may ask, as with the original: what they need is the address, and no browser adds anything to it.
fn open(mut builder: HttpResponseBuilder) -> HttpResponseBuilder {
    builder.insert_header((VARY, "Origin")).insert_header((ACCESS_CONTROL_ALLOW_ORIGIN, "*"));
    builder
}

/// Who asks what.
struct Asked<'a> {
    request: &'a HttpRequest,
    app: &'a App,
    integration: IntegrationId,
    now: Timestamp,
}

impl Asked<'_> {
    fn query(&self) -> Vec<(String, String)> {
        super::query(self.request)
    }
}

async fn serve(request: HttpRequest, payload: web::Payload, app: web::Data<App>) -> HttpResponse {
    if request.method() == Method::OPTIONS {
        return open(HttpResponse::Ok())
            .insert_header((ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, DELETE"))
            .insert_header((ACCESS_CONTROL_ALLOW_HEADERS, "Content-Type"))
            .finish();
    }
    answer(&request, payload, &app).await.unwrap_or_else(|fault| {
        fault.note(&request);
        fault.answer()
    })
}

async fn answer(request: &HttpRequest, payload: web::Payload, app: &App) -> Result<HttpResponse, Fault> {
    let sender = super::sender(request, app).await?;
    let tail = request.match_info().get("tail").unwrap_or_default().trim_end_matches('/');
    let plain = |text: &'static str| Ok(HttpResponse::Ok().content_type("text/plain; charset=utf-8").body(text));
    match tail {
        "-/healthy" => return plain("OK"),
        "-/ready" => {
            let not_ready = |message| Fault::Said { status: StatusCode::SERVICE_UNAVAILABLE, message };
            app.runtime.ready().map_err(not_ready)?;
            return plain("OK");
        }
        _ => {}
    }
    if tail.starts_with("api/v1/") {
        let message = "version 1 of the API was removed in Alertmanager 0.27; set `api_version: v2`";
        return Err(Fault::coded(StatusCode::GONE, message));
    }
    let get_post: &[&str] = &["GET", "POST"];
    let methods = match tail {
        "api/v2/alerts" | "api/v2/silences" => get_post,
        "api/v2/alerts/groups" | "api/v2/status" | "api/v2/receivers" => &["GET"],
        _ if silence_id(tail).is_some() => &["GET", "DELETE"],
        _ => return Err(Fault::coded(StatusCode::NOT_FOUND, format!("path /{tail} was not found"))),
    };
    let method = request.method().as_str();
    if !methods.contains(&method) {
        let message = format!("method {method} is not allowed, but [{}] are", methods.join(","));
        let mut response = Fault::coded(StatusCode::METHOD_NOT_ALLOWED, message).answer();
        if let Ok(allowed) = methods.join(",").parse() {
            response.headers_mut().insert(ALLOW, allowed);
        }
        return Ok(response);
    }
    acceptable(request)?;
    let now = crate::clock::now();
    if method == "POST" {
        let most = if tail == "api/v2/alerts" { super::BODY_MAX_BYTES } else { SILENCE_MAX_BYTES };
        let body = read(request, payload, most).await?;
        // A silence has no name that was signed, so that whoever overheard one could set it again.
        let is_told = tail == "api/v2/alerts";
        let integration = if is_told { sender.signed(request, &body)? } else { sender.unsigned(request)? };
        let asked = Asked { request, app, integration, now };
        return if is_told { post_alerts(&asked, body).await } else { silences::put(&asked, &body).await };
    }
    let asked = Asked { request, app, integration: sender.unsigned(request)?, now };
    match (method, tail) {
        (_, "api/v2/alerts") => alerts::list(&asked).await,
        (_, "api/v2/alerts/groups") => alerts::groups(&asked).await,
        (_, "api/v2/silences") => silences::list(&asked).await,
        (_, "api/v2/receivers") => Ok(found(&alerts::receivers(app))),
        (_, "api/v2/status") => Ok(found(&status(app).await?)),
        ("DELETE", _) => silences::end(&asked, silence_id(tail).unwrap_or_default()).await,
        _ => silences::show(&asked, silence_id(tail).unwrap_or_default()).await,
    }
}

fn silence_id(tail: &str) -> Option<&str> {
    tail.strip_prefix("api/v2/silence/").filter(|id| !id.is_empty() && !id.contains('/'))
}

fn found(body: &Value) -> HttpResponse {
    open(HttpResponse::Ok()).json(body)
}

/// Nothing is answered but JSON.
fn acceptable(request: &HttpRequest) -> Result<(), Fault> {
    let accept = text_of(request.headers(), &ACCEPT).unwrap_or_default();
    let kinds = accept.split(',').map(|kind| kind.split(';').next().unwrap_or_default().trim());
    if accept.is_empty() || kinds.into_iter().any(|it| matches!(it, "*/*" | "application/*" | "application/json")) {
        return Ok(());
    }
    let message = "unsupported media type requested, only [application/json] are available";
    Err(Fault::coded(StatusCode::NOT_ACCEPTABLE, message))
}

/// A body, which must be called JSON.
async fn read(request: &HttpRequest, payload: web::Payload, most: usize) -> Result<Vec<u8>, Fault> {
    let said = text_of(request.headers(), &CONTENT_TYPE).filter(|it| !it.is_empty());
    let said = said.unwrap_or_else(|| "application/octet-stream".to_owned());
    let essence = said.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        refuse(request, "content_type");
        let message = format!("unsupported media type \"{essence}\", only [application/json] are allowed");
        return Err(Fault::coded(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
    }
    Ok(body::read(request, payload, most).await?)
}

/// Stores what is valid, also where the answer says that some of it is not.
async fn post_alerts(asked: &Asked<'_>, body: Vec<u8>) -> Result<HttpResponse, Fault> {
    let kept = body.clone();
    let posted = Posted { integration: asked.integration.clone(), format: Some(ALERTMANAGER_API), body };
    let Stored { receipt, .. } =
        deliver(asked.request, asked.app, posted).await.map_err(|it| Fault::Overloaded(it.why))?;
    let faults: Vec<String> = receipt.outcomes.iter().filter_map(fault).collect();
    if faults.is_empty() {
        return Ok(open(HttpResponse::Ok()).finish());
    }
    Err(refusal(&kept).map_or_else(|| Fault::bad(faults.join("; ")), |whole| Fault::unfit(whole.code, whole.message)))
}

fn fault(outcome: &Outcome) -> Option<String> {
    match outcome {
        Outcome::Rejected { reason: RejectReason::BadEvent { faults } } => Some(faults.join("; ")),
        Outcome::Rejected { reason } => Some(shared::text::reject_reason(shared::config::Language::En, reason)),
        _ => None,
    }
}

/// What amtool asks before everything else. The configuration is one of Alertmanager's that says where alerts go here.
async fn status(app: &App) -> Result<Value, Fault> {
    let names = alerts::receivers(app);
    let names = names.as_array().into_iter().flatten().filter_map(|it| it.get("name"));
    let receivers: String = names.map(|name| format!("- name: {name}\n")).collect();
    let up_since = app.runtime.up_since().await?;
    Ok(json!({
        "cluster": { "status": "disabled", "peers": [] },
        "config": { "original": format!("route:\n  receiver: {}\nreceivers:\n{receivers}", alerts::NOBODY) },
        "uptime": alerts::instant(up_since),
        "versionInfo": {
            "branch": "tocsin", "buildDate": "", "buildUser": "", "goVersion": "",
            "revision": env!("CARGO_PKG_VERSION"), "version": VERSION,
        },
    }))
}
