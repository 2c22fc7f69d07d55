//! What providers call back with: what became of a message, which key was pressed, what was written in reply.
//!
//! An address that was given with a message carries the capability of that message; what has none must be signed. Nothing
//! here opens a session, and all of it may come twice, late, or never.

mod carriers;
mod chat;
mod replies;
mod twilio;
mod wecom;

use super::{App, ack, app::now, body::whole, problem::ApiError, routes::not_allowed};
use crate::{
    answers::menu::Key,
    auth::caplink::Cap,
    outbound::quote,
    runtime::{ActError, TEST},
};
use actix_web::{
    HttpResponse,
    http::StatusCode,
    web::{self, Payload},
};
use engine::{Act, Refusal};
use serde::Deserialize;
use shared::{
    DeliveryReceipt, Failure, Fault, IncidentState, PersonId, SharedStr, config::ContactKind, timeline::Actor,
};

/// Carriers send a few hundred bytes.
const MOST_BYTES: usize = 16 * 1_024;

/// Mounts all of it under `/cb`.
pub(super) fn routes(scope: &mut web::ServiceConfig) {
    let post = |path: &str, route: actix_web::Route| {
        web::resource(path).route(route).default_service(web::to(|| async { not_allowed("POST") }))
    };
    scope
        .service(post("/receipt/{cap}", web::post().to(told)))
        .service(post("/gateway/{gateway}/{cap}", web::post().to(told_by_gateway)))
        .service(post("/gateway/{gateway}/{secret}/reply", web::post().to(replies::gateway)))
        .service(post("/slack", web::post().to(chat::slack)))
        .service(post("/telegram", web::post().to(chat::telegram)))
        .service(post("/twilio/voice/{cap}", web::post().to(twilio::voice)))
        .service(post("/twilio/call/{cap}", web::post().to(twilio::call)))
        .service(post("/twilio/sms/{cap}", web::post().to(twilio::sms)))
        .service(post("/twilio/inbound", web::post().to(twilio::inbound)))
        .service(post("/aliyun/{secret}/sms", web::post().to(carriers::aliyun_sms)))
        .service(post("/aliyun/{secret}/voice", web::post().to(carriers::aliyun_voice)))
        .service(post("/aliyun/{secret}/reply", web::post().to(replies::aliyun)))
        .service(post("/tencent/{secret}/sms", web::post().to(carriers::tencent_sms)))
        .service(post("/tencent/{secret}/voice", web::post().to(carriers::tencent_voice)))
        .service(post("/tencent/{secret}/reply", web::post().to(replies::tencent)))
        .service(
            web::resource("/wecom")
                .route(web::get().to(wecom::verify))
                .route(web::post().to(wecom::event))
                .default_service(web::to(|| async { not_allowed("GET, POST") })),
        );
}

/// What a gateway, or the receiver of a webhook, tells: JSON or a form.
#[derive(Debug, Deserialize)]
struct Told {
    /// `delivered`, `shown`, `opened`, `dismissed` or `failed`.
    #[serde(default)]
    receipt: Option<String>,
    /// Why it failed, in words.
    #[serde(default)]
    detail: Option<String>,
    /// What says so.
    #[serde(default)]
    device: Option<String>,
    /// A key of the menu of calls.
    #[serde(default)]
    pressed: Option<String>,
}

async fn told(app: web::Data<App>, cap: web::Path<String>, body: Payload) -> Result<HttpResponse, ApiError> {
    hear(&app, &cap, body, ContactKind::Webhook).await
}

async fn told_by_gateway(
    app: web::Data<App>,
    path: web::Path<(String, String)>,
    body: Payload,
) -> Result<HttpResponse, ApiError> {
    hear(&app, &path.1, body, ContactKind::Voice).await
}

async fn hear(app: &App, cap: &str, body: Payload, via: ContactKind) -> Result<HttpResponse, ApiError> {
    let cap = allowed(app, cap)?;
    let told = read(&whole(body, MOST_BYTES).await?)?;
    if let Some(receipt) = &told.receipt {
        let receipt = receipt_of(receipt, told.detail.as_deref())?;
        let device = told.device.as_deref().map(|device| quote(device, &[])).filter(|device| !device.is_empty());
        tell(app, &cap, receipt, device.as_deref().map(SharedStr::from))?;
    }
    if let Some(pressed) = &told.pressed {
        let key = Key::pressed(pressed).ok_or_else(|| {
            let keys = Key::ALL.map(|key| key.digit().to_string()).join(", ");
            bad("pressed", &format!("`{}` is no key of the menu; send one of {keys}", quote(pressed, &[])))
        })?;
        press(app, &cap, key, via).await?;
    }
    if told.receipt.is_none() && told.pressed.is_none() {
        return Err(bad("receipt", "nothing is told; send `receipt` or `pressed`"));
    }
    Ok(HttpResponse::NoContent().finish())
}

fn read(body: &[u8]) -> Result<Told, ApiError> {
    let json = serde_json::from_slice(body).ok();
    let form = || {
        let mut told = Told { receipt: None, detail: None, device: None, pressed: None };
        for (name, value) in url::form_urlencoded::parse(body) {
            let value = Some(value.into_owned());
            match name.as_ref() {
                "receipt" => told.receipt = value,
                "detail" => told.detail = value,
                "device" => told.device = value,
                "pressed" => told.pressed = value,
                _ => {}
            }
        }
        told
    };
    match json {
        Some(told) => Ok(told),
        None if body.starts_with(b"{") => {
            Err(bad("receipt", "the body is no JSON of `receipt`, `detail`, `device` and `pressed`"))
        }
        None => Ok(form()),
    }
}

fn receipt_of(word: &str, detail: Option<&str>) -> Result<DeliveryReceipt, ApiError> {
    match word {
        "delivered" => Ok(DeliveryReceipt::Delivered),
        "shown" => Ok(DeliveryReceipt::Shown),
        "opened" => Ok(DeliveryReceipt::Opened),
        "dismissed" => Ok(DeliveryReceipt::Dismissed),
        "failed" => Ok(failed(detail)),
        _ => Err(bad("receipt", "a receipt is delivered, shown, opened, dismissed or failed")),
    }
}

/// It did not arrive after all; the words are a stranger's.
fn failed(why: Option<&str>) -> DeliveryReceipt {
    let why = why.map(|why| quote(why, &[])).filter(|why| !why.is_empty());
    let detail = why.unwrap_or_else(|| "the provider says that it did not arrive".to_owned());
    DeliveryReceipt::Failed {
        failure: Failure { permanent: true, ambiguous: false, detail, retry_after_ms: None, fault: Fault::Unknown },
    }
}

fn bad(field: &'static str, detail: &str) -> ApiError {
    ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_receipt", "This cannot be understood")
        .field(field)
        .detail(detail)
}

/// What an address allows.
fn allowed(app: &App, cap: &str) -> Result<Cap, ApiError> {
    app.runtime.links().verify(cap, now()).map_err(|error| {
        ApiError::new(StatusCode::NOT_FOUND, "bad_link", "Nothing is answered under this address")
            .detail(error.to_string())
    })
}

fn tell(app: &App, cap: &Cap, receipt: DeliveryReceipt, device: Option<SharedStr>) -> Result<(), ApiError> {
    let heard = app.runtime.receipt(cap.incident, cap.attempt, receipt, device);
    // Whoever tells tries again.
    if heard { Ok(()) } else { Err(ApiError::unavailable()) }
}

/// What came of a key.
enum Pressed {
    Done,
    /// Somebody was faster, by their name.
    AckedBy(String),
    AlreadyResolved,
    /// Of what the message named nothing waits for this person.
    NothingLeft,
    Again,
}

/// Somebody pressed a key: they saw it, and want this.
async fn press(app: &App, cap: &Cap, key: Key, via: ContactKind) -> Result<Pressed, ApiError> {
    press_as(app, cap, &cap.person, key, via).await
}

/// The same, when the message may have come into the hands of another.
async fn press_as(app: &App, cap: &Cap, person: &PersonId, key: Key, via: ContactKind) -> Result<Pressed, ApiError> {
    if *person == cap.person {
        tell(app, cap, DeliveryReceipt::Opened, None)?;
    }
    let by = Actor::Link { person: person.clone(), via: Some(via) };
    if cap.incident == TEST && key != Key::Repeat {
        return Ok(Pressed::Done);
    }
    let act = match key {
        Key::Repeat => return Ok(Pressed::Again),
        Key::Acknowledge => {
            if let Some(over) = over(app, cap, person).await? {
                return Ok(over);
            }
            let answered = ack::acknowledge(app, cap, &by).await?;
            return Ok(if answered > 0 { Pressed::Done } else { Pressed::NothingLeft });
        }
        Key::Resolve => Act::Resolve,
        Key::Escalate => Act::Escalate { policy: None, level: None, version: None },
        Key::StopCalls => Act::StopCalls { person: person.clone() },
    };
    match app.runtime.act(cap.incident, by, act).await {
        Ok(_) => Ok(Pressed::Done),
        Err(ActError::Refused(Refusal::NotOpen)) => Ok(Pressed::AlreadyResolved),
        Err(error) => Err(error.into()),
    }
}

/// Whether nothing is left to acknowledge of one incident, and why.
async fn over(app: &App, cap: &Cap, person: &PersonId) -> Result<Option<Pressed>, ApiError> {
    if cap.incident == TEST {
        return Ok(None);
    }
    let named = ack::named(app, cap).await?;
    let [incident] = named.incidents.as_slice() else { return Ok(None) };
    Ok(match (incident.state, &incident.ack) {
        (IncidentState::Resolved, _) => Some(Pressed::AlreadyResolved),
        (IncidentState::Acked, Some(ack)) => {
            let config = app.runtime.config();
            let name = match &ack.by {
                Actor::Link { person, .. } => config.people.get(person).map(|it| it.name.clone()),
                _ => None,
            };
            // Who was asked to help may still say that they are there.
            let helps = incident
                .pages
                .iter()
                .any(|page| page.via.is_beside() && page.recipient == shared::Recipient::Person(person.clone()));
            (!helps).then(|| Pressed::AckedBy(name.unwrap_or_else(|| ack.by.name())))
        }
        _ => None,
    })
}
