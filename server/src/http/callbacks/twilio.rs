//! Twilio: the menu of a call, what became of calls and text messages, and replies to them.

use super::{MOST_BYTES, Pressed, allowed, failed, press, replies, tell};
use crate::{
    answers::{
        CarrierReport, Fate,
        menu::{self, Key},
        twilio::{self, SIGNATURE},
    },
    auth::caplink::Cap,
    http::{App, ack, app::now, body::whole, problem::ApiError},
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{self, Payload},
};
use quick_xml::escape::escape;
use shared::{
    DeliveryReceipt, Incident, PersonId,
    config::{ContactKind, Language},
    text::{
        bundle_text, page_text,
        phone::{Phrase, spoken},
    },
};

type Form = Vec<(String, String)>;

/// A form that Twilio signed.
async fn signed(app: &App, request: &HttpRequest, body: Payload) -> Result<Form, ApiError> {
    let config = app.runtime.config();
    let twilio = config.document.channels.twilio.as_ref().ok_or_else(|| ApiError::not_found("callback"))?;
    let body = whole(body, MOST_BYTES).await?;
    let form: Form = url::form_urlencoded::parse(&body).into_owned().collect();
    // As it was given to them: what stands before us may have changed the host.
    let url = format!("{}{}", app.runtime.links().base(), request.uri());
    let signature = request.headers().get(SIGNATURE).and_then(|it| it.to_str().ok()).unwrap_or_default();
    if !twilio.token.is_empty() && twilio::is_signed(&twilio.token, &url, &form, signature) {
        return Ok(form);
    }
    Err(ApiError::new(StatusCode::FORBIDDEN, "bad_signature", "This was not signed by Twilio")
        .detail("The signature covers the address as Twilio knows it: `public_url` must be what it calls."))
}

/// The menu, and what is pressed in it.
pub(super) async fn voice(
    app: web::Data<App>,
    request: HttpRequest,
    cap: web::Path<String>,
    body: Payload,
) -> Result<HttpResponse, ApiError> {
    let form = signed(&app, &request, body).await?;
    let address = format!("{}{}", app.runtime.links().base(), request.uri().path());
    // Whoever listens must hear what is the matter, not an error of HTTP.
    let Ok(cap) = allowed(&app, &cap) else {
        return Ok(twiml(menu::last_words(Language::En, Phrase::Expired)));
    };
    let language = language_of(&app, &cap.person);
    let key = match (twilio::pressed(&form), form.iter().any(|(name, _)| name == "Digits")) {
        (Some(key), _) => key,
        (None, true) => return Ok(twiml(menu::and_then(language, Phrase::UnknownKey, &address))),
        (None, false) => return Ok(twiml(read_aloud(&app, &cap, language, &address).await)),
    };
    let phrase = match press(&app, &cap, key, ContactKind::Voice).await {
        Ok(Pressed::Again) => return Ok(twiml(read_aloud(&app, &cap, language, &address).await)),
        Ok(Pressed::AckedBy(who)) => return Ok(twiml(menu::last_words(language, Phrase::AlreadyAcked { who: &who }))),
        Ok(Pressed::AlreadyResolved | Pressed::NothingLeft) => Phrase::AlreadyResolved,
        Ok(Pressed::Done) => match key {
            Key::Acknowledge | Key::Repeat => Phrase::Acked,
            Key::Resolve => Phrase::Resolved,
            Key::Escalate => Phrase::Escalated,
            Key::StopCalls => Phrase::CallsStopped,
        },
        Err(_) => return Ok(twiml(menu::and_then(language, Phrase::Failed, &address))),
    };
    Ok(twiml(menu::last_words(language, phrase)))
}

/// The page and its keys; when it is over already, that.
async fn read_aloud(app: &App, cap: &Cap, language: Language, address: &str) -> String {
    match super::over(app, cap, &cap.person).await {
        Ok(Some(Pressed::AckedBy(who))) => return menu::last_words(language, Phrase::AlreadyAcked { who: &who }),
        Ok(Some(_)) => return menu::last_words(language, Phrase::AlreadyResolved),
        _ => {}
    }
    let title = match ack::named(app, cap).await {
        Ok(named) => match named.incidents.as_slice() {
            [] => return menu::last_words(language, Phrase::AlreadyResolved),
            [one] => page_text(language, one, 0, false).title,
            all => bundle_text(language, &all.iter().collect::<Vec<&Incident>>(), named.storm).title,
        },
        // What is the matter cannot be looked up; that something is, is worth waking for.
        Err(_) => String::new(),
    };
    menu::menu(language, &spoken(language, &title, cap.incident.0), address)
}

/// What became of a call.
pub(super) async fn call(
    app: web::Data<App>,
    request: HttpRequest,
    cap: web::Path<String>,
    body: Payload,
) -> Result<HttpResponse, ApiError> {
    let form = signed(&app, &request, body).await?;
    told(&app, &cap, twilio::call_status(&form))
}

/// What became of a text message.
pub(super) async fn sms(
    app: web::Data<App>,
    request: HttpRequest,
    cap: web::Path<String>,
    body: Payload,
) -> Result<HttpResponse, ApiError> {
    let form = signed(&app, &request, body).await?;
    told(&app, &cap, twilio::message_status(&form))
}

fn told(app: &App, cap: &str, report: Option<CarrierReport>) -> Result<HttpResponse, ApiError> {
    let cap = allowed(app, cap)?;
    if let Some(receipt) = report.and_then(|report| receipt_of(&report)) {
        tell(app, &cap, receipt, None)?;
    }
    Ok(HttpResponse::NoContent().finish())
}

/// What a report proves; nothing while the message is on its way.
fn receipt_of(report: &CarrierReport) -> Option<DeliveryReceipt> {
    match report.fate {
        Fate::Queued | Fate::Sent | Fate::Ringing => None,
        Fate::Answered | Fate::Delivered => Some(DeliveryReceipt::Delivered),
        // A mailbox wakes nobody.
        Fate::Machine | Fate::Failed => Some(failed(report.why.as_deref())),
    }
}

/// A text message that somebody wrote to our number.
pub(super) async fn inbound(
    app: web::Data<App>,
    request: HttpRequest,
    body: Payload,
) -> Result<HttpResponse, ApiError> {
    let form = signed(&app, &request, body).await?;
    let Some((from, text)) = twilio::inbound(&form) else { return Ok(twiml(answer_by_text(None))) };
    let said = replies::hear(&app, from, text).await?;
    // A telephone that answers by itself would go on for ever.
    let address = app.peer(&request);
    let often = app.throttle(|throttle| throttle.admit(&format!("text {from}"), address, now())).is_err();
    Ok(twiml(answer_by_text(said.as_deref().filter(|_| !often))))
}

fn language_of(app: &App, person: &PersonId) -> Language {
    app.runtime.config().people.get(person).map(|person| person.language).unwrap_or_default()
}

fn answer_by_text(text: Option<&str>) -> String {
    let message = text.map(|text| format!("<Message>{}</Message>", escape(text))).unwrap_or_default();
    format!(r#"<?xml version="1.0" encoding="UTF-8"?><Response>{message}</Response>"#)
}

fn twiml(document: String) -> HttpResponse {
    HttpResponse::Ok().content_type("text/xml; charset=utf-8").body(document)
}
