//! Opsgenie's alert API, so that whoever speaks to it speaks to us by another address.
//!
//! Shapes and codes are those of Opsgenie's OpenAPI description. There everything that changes an alert is done later and
//! asked for by the number of the request; here it is done before it is answered, and the number says what came of it. What
//! opens, answers, ends or changes an alert is stored as a message, with the verb and the alert of its address in it; what is
//! only said to people (a note, a delay) is done to the incident.

mod requests;
mod shown;

use super::{
    Posted, Sender, acts, body, carried, deliver,
    fault::{Fault, about},
    wrong_method,
};
use crate::{clock, entropy, http::App};
use actix_web::{
    HttpRequest, HttpResponse,
    http::{Method, StatusCode, header::RETRY_AFTER},
    web,
};
use engine::{Act, normalize};
use requests::Done;
use serde_json::{Value, json};
use shared::{Alert, AlertId, IntegrationId, Timestamp};
use std::borrow::Cow;

/// How what is asked here is stored.
const FORMAT: &str = "opsgenie";
/// What taking tags or details away is called in the stored message.
const REMOVED: &str = "remove";
const BODY_MAX_BYTES: usize = 512 << 10;

/// Mounts the addresses; like those of other senders they never redirect.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    for path in ["/v2/alerts", "/v2/alerts/{tail:.*}"] {
        config.service(web::resource(path).default_service(web::to(serve)));
    }
    for path in ["/v1/json/integrations/webhooks/netdata", "/v1/json/integrations/webhooks/netdata/"] {
        config.service(web::resource(path).route(web::post().to(netdata)).default_service(web::to(wrong_method)));
    }
}

/// Its clients try again on 429.
fn refused(request: &HttpRequest, fault: Fault) -> HttpResponse {
    fault.note(request);
    let status = if fault.retry_after_s.is_some() { StatusCode::TOO_MANY_REQUESTS } else { fault.status };
    let mut response = HttpResponse::build(status);
    if let Some(seconds) = fault.retry_after_s {
        response.insert_header((RETRY_AFTER, seconds));
    }
    response.json(json!({ "message": fault.message, "took": 0.001, "requestId": uuid() }))
}

/// The number of a request that changed nothing.
fn uuid() -> String {
    Done::new(clock::now(), "create", None).id(u32::from_ne_bytes(entropy::bytes()))
}

/// Who asks.
struct Asked<'a> {
    request: &'a HttpRequest,
    app: &'a App,
    integration: IntegrationId,
    now: Timestamp,
}

impl Asked<'_> {
    fn query(&self, name: &str) -> Option<String> {
        super::query(self.request).into_iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// The alert that a path names: by its number, or by its alias, as `identifierType` says.
    async fn alert(&self, identifier: &str) -> Result<Option<Alert>, Fault> {
        let integration = self.integration.clone();
        let is_alias = self.query("identifierType").is_some_and(|it| it.eq_ignore_ascii_case("alias"));
        let number = identifier.parse().ok().map(AlertId);
        let key = normalize::key_of(identifier);
        if is_alias {
            let open = self.app.runtime.told_under(integration.clone(), key.clone()).await?;
            if let Some(told) = open {
                return Ok(Some(told.alert));
            }
        }
        let found = self.app.db(move |store| match number.filter(|_| !is_alias) {
            Some(number) => store.alert(number),
            None if is_alias => store.closed_alert_of_key(&integration, &key),
            None => Ok(None),
        });
        Ok(found.await?.filter(|alert| alert.integration == self.integration))
    }

    const fn keeper(&self) -> body::Keeper<'_> {
        body::Keeper { request: self.request, app: self.app, integration: &self.integration, format: FORMAT }
    }

    /// What everything that changes something is answered with.
    fn will_be_processed(&self, verb: &str, alert: Option<AlertId>) -> HttpResponse {
        let id = Done::new(self.now, verb, alert).id(u32::from_ne_bytes(entropy::bytes()));
        let took = (clock::now().ms_since(self.now).max(1) as f64) / 1_000.0;
        HttpResponse::Accepted().json(json!({
            "result": "Request will be processed", "took": took, "requestId": id,
        }))
    }
}

async fn serve(request: HttpRequest, payload: web::Payload, app: web::Data<App>) -> HttpResponse {
    answer(&request, payload, &app).await.unwrap_or_else(|fault| refused(&request, fault))
}

/// The integration for Netdata, which takes 200 and nothing else for success.
async fn netdata(request: HttpRequest, payload: web::Payload, app: web::Data<App>) -> HttpResponse {
    let taken = async {
        let sender = super::sender(&request, &app).await?;
        // Its script escapes nothing: what is no JSON is kept as it came, and pages when it looks like a P0.
        let body = body::read(&request, payload, BODY_MAX_BYTES).await?;
        let integration = sender.signed(&request, &body)?;
        let posted = Posted { integration, format: Some(FORMAT), body };
        let stored = deliver(&request, &app, posted).await.map_err(|it| it.why)?;
        about(&stored.receipt.outcomes)?;
        Ok(HttpResponse::Ok()
            .json(json!({ "result": "Request will be processed", "took": 0.001, "requestId": uuid() })))
    };
    taken.await.unwrap_or_else(|fault| refused(&request, fault))
}

async fn answer(request: &HttpRequest, payload: web::Payload, app: &App) -> Result<HttpResponse, Fault> {
    let token = carried::token(request).unwrap_or_default();
    let sender = Sender::of(request, app, &token).await.map_err(|_| {
        Fault::new(StatusCode::UNAUTHORIZED, "Could not authenticate; the API key is the token of an integration")
    })?;
    let integration = sender.unsigned(request)?;
    let asked = Asked { request, app, integration, now: clock::now() };
    // A part may hold a slash that is encoded, so the path is taken apart before it is decoded.
    let path = request.path().trim_matches('/').to_owned();
    let parts: Vec<Cow<'_, str>> = path.split('/').skip(1).map(decoded).collect();
    let parts: Vec<&str> = parts.iter().map(AsRef::as_ref).collect();
    let is = |method: Method| *request.method() == method;
    match parts.as_slice() {
        ["alerts"] if is(Method::POST) => {
            let body = body::object(asked.keeper(), payload, BODY_MAX_BYTES).await?;
            let alias = body.get("alias").and_then(Value::as_str).map(ToOwned::to_owned);
            let alert = told(&asked, "create", alias, body).await?;
            Ok(asked.will_be_processed("create", alert))
        }
        ["alerts"] if is(Method::GET) => shown::list(&asked).await,
        ["alerts", "count"] if is(Method::GET) => shown::count(&asked).await,
        ["alerts", "requests", id] if is(Method::GET) => shown::request(&asked, id).await,
        ["alerts", identifier] if is(Method::GET) => shown::alert(&asked, identifier).await,
        ["alerts", identifier] if is(Method::DELETE) => change(&asked, identifier, &["delete"], Value::Null).await,
        ["alerts", identifier, what @ ("tags" | "details")] if is(Method::DELETE) => {
            remove(&asked, identifier, what).await
        }
        ["alerts", identifier, what @ ..] if Done::is_verb(what) && (is(Method::POST) || is(Method::PUT)) => {
            let body = body::object(asked.keeper(), payload, BODY_MAX_BYTES).await?;
            change(&asked, identifier, what, body).await
        }
        _ => Err(Fault::new(StatusCode::NOT_FOUND, format!("there is no {} of /{path}", request.method()))),
    }
}

/// A part of a path; what cannot be decoded is taken as it stands.
fn decoded(part: &str) -> Cow<'_, str> {
    percent_encoding::percent_decode_str(part).decode_utf8().unwrap_or(Cow::Borrowed(part))
}

/// Stores what was asked of an alert as a message; gives the alert it was about.
async fn told(asked: &Asked<'_>, verb: &str, alias: Option<String>, body: Value) -> Result<Option<AlertId>, Fault> {
    let message = json!({ "opsgenie": { "do": verb, "alias": alias, "body": body } });
    let body = body::put_together(asked.app, &asked.integration, &message);
    let posted = Posted { integration: asked.integration.clone(), format: Some(FORMAT), body };
    let stored = deliver(asked.request, asked.app, posted).await.map_err(|it| it.why)?;
    about(&stored.receipt.outcomes)
}

/// The tags of an alert.
fn tags(alert: &Alert) -> Vec<&str> {
    let text = alert.event.labels.get("tags").map(String::as_str).unwrap_or_default();
    text.split(", ").filter(|tag| !tag.is_empty()).collect()
}

/// Takes tags or details away; the address says which.
async fn remove(asked: &Asked<'_>, identifier: &str, what: &str) -> Result<HttpResponse, Fault> {
    let name = if what == "tags" { "tags" } else { "keys" };
    let given = asked.query(name).unwrap_or_default();
    let given: Vec<&str> = given.split(',').map(str::trim).filter(|it| !it.is_empty()).collect();
    if given.is_empty() {
        let why = format!("'{name}' can not be empty; write them as ?{name}=a,b");
        return Err(Fault::new(StatusCode::UNPROCESSABLE_ENTITY, why));
    }
    let Some(alert) = asked.alert(identifier).await?.filter(|alert| alert.closed_at.is_none()) else {
        return Ok(asked.will_be_processed(REMOVED, None));
    };
    let known = tags(&alert);
    let body = if what == "tags" {
        let gone = given.iter().filter(|tag| known.contains(tag)).filter_map(|tag| tag.split_once([':', '=']));
        let gone = gone.filter(|(name, value)| alert.event.labels.get(*name).is_some_and(|it| it == value));
        let stay: Vec<&&str> = known.iter().filter(|tag| !given.contains(tag)).collect();
        json!({ "tags": stay, "gone": gone.map(|(name, _)| name).collect::<Vec<_>>() })
    } else {
        json!({ "tags": known, "gone": given })
    };
    let done = told(asked, REMOVED, Some(alert.event.dedup_key.to_string()), body).await?;
    Ok(asked.will_be_processed(REMOVED, done))
}

/// Does something to an alert.
async fn change(asked: &Asked<'_>, identifier: &str, what: &[&str], mut body: Value) -> Result<HttpResponse, Fault> {
    let verb = what.first().copied().unwrap_or_default();
    let Some(alert) = asked.alert(identifier).await? else {
        return Ok(asked.will_be_processed(verb, None));
    };
    // Under its alias another one may be open by now; of what is over there is only something to say.
    if alert.closed_at.is_some() && verb != "notes" {
        return Ok(asked.will_be_processed(verb, None));
    }
    // Tags are added to those that are there.
    if let Some(more) = body["tags"].as_array().filter(|_| verb == "tags") {
        let known = tags(&alert);
        let new = more.iter().filter(|tag| tag.as_str().is_none_or(|tag| !known.contains(&tag)));
        let all: Value = known.iter().map(|tag| json!(tag)).chain(new.cloned()).collect();
        body["tags"] = all;
    }
    let note = body.get("note").and_then(Value::as_str).map(str::trim).filter(|note| !note.is_empty());
    let user = body.get("user").and_then(Value::as_str);
    let signed = |text: &str| user.map_or_else(|| text.to_owned(), |user| format!("{user}: {text}"));
    let act = async |act: Act| {
        let done = acts::act(asked.app, &alert, act, asked.now).await?;
        Ok::<_, Fault>(done.then_some(alert.id))
    };
    let done = match verb {
        "notes" => {
            let note = note.ok_or_else(|| Fault::new(StatusCode::UNPROCESSABLE_ENTITY, "Note can not be empty."))?;
            act(Act::Note { text: signed(note) }).await?
        }
        "unacknowledge" => act(Act::Unack).await?,
        "snooze" => {
            let until = body.get("endTime").and_then(Value::as_str).and_then(|it| it.parse::<jiff::Timestamp>().ok());
            let mend = "endTime can not be empty; write it as 2026-11-21T03:10:00Z";
            let until = until.ok_or_else(|| Fault::new(StatusCode::UNPROCESSABLE_ENTITY, mend))?;
            act(Act::Snooze { until: Timestamp::from_ms(until.as_millisecond()) }).await?
        }
        "close" | "delete" | "acknowledge" | "message" | "description" | "priority" | "tags" | "details" => {
            // What people have to say stands before the end of it; of what is over already there is nothing to say.
            if let Some(note) = note {
                act(Act::Note { text: signed(note) }).await?;
            }
            told(asked, verb, Some(alert.event.dedup_key.to_string()), body).await?
        }
        // Teams and schedules have other names here: whoever works on it reads what was asked for.
        _ => act(Act::Note { text: signed(&format!("{}: {body}", what.join("/"))) }).await?,
    };
    Ok(asked.will_be_processed(verb, done))
}
