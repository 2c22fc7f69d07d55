//! Alerta's API, so that its client and whoever else speaks it speak to us by another address.
//!
//! Shapes and codes are those of Alerta's API reference as its client 8.5 reads them. A token sees what was told with it and
//! nothing else. What opens, answers, ends or changes an alert is stored as a message with what stood in its address; an
//! event that an open alert names in its `correlate` list is told under that alert's identity, as it is one alert there.

mod query;
mod shown;

use super::{
    Posted, Sender, Unstored, acts, body, carried, deliver,
    fault::{Fault, about},
    query as query_of,
};
use crate::{clock, http::App, runtime::Told};
use actix_web::{
    HttpRequest, HttpResponse,
    http::{Method, StatusCode, header::RETRY_AFTER},
    web,
};
use engine::{Act, normalize};
use serde_json::{Value, json};
use shared::{Alert, AlertEvent, AlertId, Format, Incident, IntegrationId, Timestamp};
use std::borrow::Cow;

const BODY_MAX_BYTES: usize = 512 << 10;
/// What Alerta shelves for when no time is said: two hours.
const SHELVED_MS: i64 = 7_200_000;
/// First parts of paths; before them may stand a token.
const NAMES: [&str; 8] =
    ["alert", "alerts", "heartbeat", "heartbeats", "config", "management", "userinfo", "environments"];
/// What is done to an alert, in Alerta's words.
const DONE: [&str; 11] =
    ["ack", "close", "closed", "tag", "attributes", "open", "unack", "unshelve", "shelve", "shelved", "note"];

/// Mounts the addresses; like those of other senders they never redirect.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    for path in ["/alerta", "/alerta/{tail:.*}"] {
        config.service(web::resource(path).default_service(web::to(serve)));
    }
}

fn refused(request: &HttpRequest, fault: Fault) -> HttpResponse {
    fault.note(request);
    // What cannot be processed is a bad request there.
    let is_bad = fault.status == StatusCode::UNPROCESSABLE_ENTITY;
    let status = if is_bad { StatusCode::BAD_REQUEST } else { fault.status };
    let mut response = HttpResponse::build(status);
    if let Some(seconds) = fault.retry_after_s {
        response.insert_header((RETRY_AFTER, seconds));
    }
    response.json(json!({
        "status": "error", "message": fault.message, "code": status.as_u16(), "errors": [fault.message],
    }))
}

/// Who asks.
struct Asked<'a> {
    request: &'a HttpRequest,
    app: &'a App,
    integration: IntegrationId,
    now: Timestamp,
}

impl Asked<'_> {
    fn query(&self) -> Vec<(String, String)> {
        query_of(self.request)
    }

    /// An alert and its incident, by its number.
    async fn alert(&self, id: &str) -> Result<(Alert, Option<Incident>), Fault> {
        let not_found = || Fault::new(StatusCode::NOT_FOUND, "not found");
        let number = AlertId(id.parse().map_err(|_| not_found())?);
        let found = self.app.db(move |store| {
            let alert = store.alert(number)?;
            let incident = alert.as_ref().map(|it| store.incident(it.incident)).transpose()?.flatten();
            Ok(alert.map(|alert| (alert, incident)))
        });
        found.await?.filter(|(alert, _)| alert.integration == self.integration).ok_or_else(not_found)
    }
}

async fn serve(request: HttpRequest, payload: web::Payload, app: web::Data<App>) -> HttpResponse {
    answer(&request, payload, &app).await.unwrap_or_else(|fault| refused(&request, fault))
}

async fn answer(request: &HttpRequest, payload: web::Payload, app: &App) -> Result<HttpResponse, Fault> {
    let path = request.path().trim_matches('/').to_owned();
    let parts: Vec<Cow<'_, str>> = path.split('/').skip(1).filter(|part| !part.is_empty()).map(decoded).collect();
    // The base of many installations ends with /api.
    let mut parts: Vec<&str> = parts.iter().map(AsRef::as_ref).filter(|part| *part != "api").collect();
    let carried = carried::token(request);
    let is_name = |at: usize| parts.get(at).is_some_and(|part| NAMES.contains(part));
    let is_in_path = !parts.is_empty() && !is_name(0) && (carried.is_none() || is_name(1));
    let in_path = is_in_path.then(|| parts.remove(0).to_owned());
    // Its client asks for it before each command, and without its key.
    if parts.as_slice() == ["config"] && request.method() == Method::GET {
        return Ok(HttpResponse::Ok().json(shown::config()));
    }
    let token = in_path.or(carried).unwrap_or_default();
    let sender = Sender::of(request, app, &token).await.map_err(|_| {
        Fault::new(StatusCode::UNAUTHORIZED, "API key parameter is invalid; it is the token of an integration")
    })?;
    let integration = sender.unsigned(request)?;
    let asked = Asked { request, app, integration, now: clock::now() };
    let keeper = body::Keeper { request, app, integration: &asked.integration, format: "alerta" };
    let is = |method: Method| *request.method() == method;
    match parts.as_slice() {
        ["alert"] if is(Method::POST) => send(&asked, body::object(keeper, payload, BODY_MAX_BYTES).await?).await,
        ["heartbeat"] if is(Method::POST) => {
            heartbeat(&asked, body::object(keeper, payload, BODY_MAX_BYTES).await?).await
        }
        ["alerts"] if is(Method::GET) => query::list(&asked).await,
        ["alerts", "count"] if is(Method::GET) => query::count(&asked).await,
        ["management", "status"] if is(Method::GET) => {
            let since = asked.app.runtime.up_since().await?;
            Ok(HttpResponse::Ok().json(shown::status(asked.app, since, asked.now)))
        }
        ["alert", id] if is(Method::GET) => {
            let (alert, incident) = asked.alert(id).await?;
            let alert = shown::alert(&alert, incident.map(|it| it.state));
            Ok(HttpResponse::Ok().json(json!({ "status": "ok", "total": 1, "alert": alert })))
        }
        ["alert", id, verb] if is(Method::PUT) => {
            let body = body::object(keeper, payload, BODY_MAX_BYTES).await?;
            change(&asked, id, verb, body).await
        }
        _ => Err(not_here(&format!("{} /{}", request.method(), parts.join("/")))),
    }
}

fn not_here(what: &str) -> Fault {
    Fault::new(StatusCode::NOT_FOUND, format!("{what} is not done here; see the web interface and its API"))
}

/// A part of a path; what cannot be decoded is taken as it stands.
fn decoded(part: &str) -> Cow<'_, str> {
    percent_encoding::percent_decode_str(part).decode_utf8().unwrap_or(Cow::Borrowed(part))
}

/// Stores what was asked as a message; gives the alert it was about.
async fn tell(asked: &Asked<'_>, message: &Value) -> Result<Option<AlertId>, Fault> {
    let posted = Posted {
        integration: asked.integration.clone(),
        format: Some("alerta"),
        body: body::put_together(asked.app, &asked.integration, &json!({ "alerta": message })),
    };
    let stored = deliver(asked.request, asked.app, posted).await.map_err(|Unstored { why, .. }| why)?;
    about(&stored.receipt.outcomes)
}

/// The open alert that an event belongs to: its own, or one that correlates with it.
async fn known(asked: &Asked<'_>, body: &Value) -> Option<Told> {
    let of = |name: &str| match &body[name] {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    };
    let (environment, event, customer) = (of("environment"), of("event"), of("customer"));
    if of("resource").is_empty() || event.is_empty() {
        return None;
    }
    let resource = normalize::alerta_resource(&of("resource"), &of("origin")).into_owned();
    let key = normalize::key_of(&normalize::alerta_key(&environment, &resource, &event, &customer));
    let is_same = move |open: &AlertEvent| {
        let label = |name: &str| open.labels.get(name).map(String::as_str).unwrap_or_default();
        open.format == Format::Alerta
            // It may have been told under the name of another since.
            && (label("event") == event || label("correlate").split(", ").any(|name| name == event))
            && normalize::alerta_resource(label("resource"), label("origin")) == resource
            && label("environment") == environment
            && label("customer") == customer
    };
    // Where the engine does not answer the event is told all the same: a P0 pages then, too.
    asked.app.runtime.told_as(asked.integration.clone(), key, is_same).await.ok().flatten()
}

async fn send(asked: &Asked<'_>, body: Value) -> Result<HttpResponse, Fault> {
    let before = known(asked, &body).await.map(|told| told.alert);
    let mut message = json!({ "do": "alert" });
    if let Some(open) = &before {
        message["key"] = json!(open.event.dedup_key);
        message["correlate"] = shown::list(&open.event, "correlate");
    }
    message["body"] = body;
    let Some(id) = tell(asked, &message).await? else {
        // As Alerta answers what it does not keep as an alert.
        let message = "stored; nothing is open that it concerns";
        return Ok(HttpResponse::Accepted().json(json!({ "status": "ok", "message": message })));
    };
    let (alert, incident) = asked.alert(&id.0.to_string()).await?;
    let mut shown = shown::alert(&alert, incident.map(|it| it.state));
    if alert.closed_at.is_some() {
        // The last word stays the problem's with us.
        shown["severity"] = message["body"]["severity"].clone();
    }
    let previous = before.map_or_else(|| "indeterminate".to_owned(), |before| shown::severity(&before));
    shown["repeat"] = json!(shown["severity"] == *previous);
    shown["previousSeverity"] = json!(previous);
    Ok(HttpResponse::Created().json(json!({ "status": "ok", "id": shown["id"], "alert": shown })))
}

/// That somebody is alive is kept as a change, and pages nobody; silence is watched by `[[heartbeats]]`.
async fn heartbeat(asked: &Asked<'_>, body: Value) -> Result<HttpResponse, Fault> {
    tell(asked, &json!({ "do": "heartbeat", "body": body })).await?;
    Ok(HttpResponse::Created().json(shown::heartbeat(&body, asked.now)))
}

/// Does something to an alert; an alert that is over stays so.
async fn change(asked: &Asked<'_>, id: &str, verb: &str, mut body: Value) -> Result<HttpResponse, Fault> {
    let (alert, _) = asked.alert(id).await?;
    // Tags are added to those that are there.
    if let (Some(known), Some(more)) = (shown::list(&alert.event, "tags").as_array(), body["tags"].as_array()) {
        let new = more.iter().filter(|tag| !known.contains(tag));
        let all: Value = known.iter().chain(new).cloned().collect();
        body["tags"] = all;
    }
    let text = body["text"].as_str().map(str::trim).filter(|text| !text.is_empty()).map(ToOwned::to_owned);
    // Under its identity another one may be open by now; of what is over there is only something to say.
    if alert.closed_at.is_some() && verb != "note" {
        return Err(Fault::new(StatusCode::CONFLICT, "the alert is over"));
    }
    let act = async |act: Act| acts::act(asked.app, &alert, act, asked.now).await;
    let done = match verb {
        "status" | "action" => body[verb].as_str().unwrap_or_default().to_owned(),
        "tag" | "attributes" | "note" => verb.to_owned(),
        _ => return Err(not_here(verb)),
    };
    if !DONE.contains(&done.as_str()) {
        return Err(not_here(&format!("'{done}' of an alert")));
    }
    let told = async |verb: &str| {
        let message = json!({ "do": verb, "key": alert.event.dedup_key, "body": body });
        tell(asked, &message).await?.ok_or_else(|| Fault::new(StatusCode::CONFLICT, "the alert is over"))
    };
    match done.as_str() {
        "ack" => drop(told("ack").await?),
        "close" | "closed" => drop(told("close").await?),
        "tag" | "attributes" => drop(told(verb).await?),
        "open" | "unack" | "unshelve" => {
            if !act(Act::Unack).await? {
                let why = "nobody answered it, or alerts of others are in its incident";
                return Err(Fault::new(StatusCode::CONFLICT, why));
            }
        }
        "shelve" | "shelved" => {
            let ms = body["timeout"].as_i64().filter(|seconds| *seconds > 0).and_then(|it| it.checked_mul(1_000));
            if !act(Act::Snooze { until: asked.now.plus_ms(ms.unwrap_or(SHELVED_MS)) }).await? {
                return Err(Fault::new(StatusCode::CONFLICT, "alerts of others are in its incident"));
            }
        }
        "note" if text.is_none() => {
            return Err(Fault::new(StatusCode::BAD_REQUEST, "must supply 'text' for a note"));
        }
        "note" => {}
        other => return Err(not_here(&format!("'{other}' of an alert"))),
    }
    // Of what was refused there is no word.
    if let Some(text) = text {
        let note = shown::note(&alert, &text, asked.now);
        act(Act::Note { text }).await?;
        if done == "note" {
            return Ok(HttpResponse::Created().json(note));
        }
    }
    Ok(HttpResponse::Ok().json(json!({ "status": "ok" })))
}
