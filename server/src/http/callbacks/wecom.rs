//! WeCom: the check of our address, and buttons that were pressed on cards.

use super::{MOST_BYTES, Pressed, press_as};
use crate::{
    answers::{
        menu::Key,
        wecom::{self, Keys, Press, Shut},
    },
    auth::caplink::{Cap, CapError},
    entropy,
    http::{App, app::now, body::whole, problem::ApiError},
};
use actix_web::{
    HttpResponse,
    http::StatusCode,
    web::{self, Payload},
};
use engine::Snapshot;
use serde::Deserialize;
use shared::{
    PersonId,
    config::{ContactKind, Language},
    messages,
    text::phone::Phrase,
};
use std::time::Duration;
use tokio::time::timeout;

/// WeCom hangs up after 5 s and shows an error.
const PATIENCE: Duration = Duration::from_secs(4);

messages! {
    stranger() { en: "Tocsin does not know you", zh: "Tocsin 中没有您的账号" }
    gone() { en: "Expired: open Tocsin instead", zh: "已失效，请打开 Tocsin" }
}

/// What stands in the address.
#[derive(Debug, Deserialize)]
pub(super) struct Stamp {
    msg_signature: String,
    timestamp: String,
    nonce: String,
    /// Of a check of our address.
    #[serde(default)]
    echostr: String,
}

fn keys(app: &App) -> Result<Keys, ApiError> {
    let config = app.runtime.config();
    let wecom = &config.document.channels.wecom;
    let parts = (wecom.token.as_deref(), wecom.aes_key.as_deref(), wecom.corp_id.as_deref());
    let (Some(token), Some(key), Some(corp)) = parts else { return Err(ApiError::not_found("callback")) };
    Keys::new(token, key, corp).ok_or_else(|| {
        ApiError::not_found("callback").detail("`wecom.aes_key` is no key of WeCom: those have 43 letters and digits.")
    })
}

fn open(keys: &Keys, stamp: &Stamp, sealed: &str) -> Result<String, ApiError> {
    let of = wecom::Stamp { signature: &stamp.msg_signature, timestamp: &stamp.timestamp, nonce: &stamp.nonce };
    keys.open(of, sealed, now()).map_err(|shut| {
        let code = match shut {
            Shut::Unsigned => "bad_signature",
            Shut::Stale => "stale",
            Shut::Sealed => "bad_seal",
        };
        ApiError::new(StatusCode::FORBIDDEN, code, "This is not from WeCom").detail(format!("In short: {shut}."))
    })
}

/// WeCom asks whether this address is ours: whoever can read the word may say it back.
pub(super) async fn verify(app: web::Data<App>, stamp: web::Query<Stamp>) -> Result<HttpResponse, ApiError> {
    // A plus that was not escaped has become a space on its way.
    let word = open(&keys(&app)?, &stamp, &stamp.echostr.replace(' ', "+"))?;
    Ok(HttpResponse::Ok().content_type("text/plain; charset=utf-8").body(word))
}

/// Something happened in the app.
pub(super) async fn event(
    app: web::Data<App>,
    stamp: web::Query<Stamp>,
    body: Payload,
) -> Result<HttpResponse, ApiError> {
    let keys = keys(&app)?;
    let body = whole(body, MOST_BYTES).await?;
    let sealed = wecom::encrypted(&body).ok_or_else(|| {
        ApiError::new(StatusCode::BAD_REQUEST, "bad_callback", "This cannot be understood")
            .detail("Nothing is encrypted in the body.")
    })?;
    let text = open(&keys, &stamp, &sealed)?;
    // Who enters the app and what they write there is told as well.
    let Some(press) = wecom::pressed(&text) else { return Ok(HttpResponse::Ok().finish()) };
    let user = press.user.clone();
    // It goes on when WeCom has stopped waiting: what was pressed is not to be lost half-way.
    let work = actix_web::rt::spawn(async move { answer(&app, &press).await });
    match timeout(PATIENCE, work).await {
        Ok(done) => {
            let said = done.map_err(|_| ApiError::internal())??;
            let reply = wecom::replaced(&keys, &user, &said, now());
            let reply = keys.seal(&reply, entropy::bytes(), &stamp.nonce, now());
            Ok(HttpResponse::Ok().content_type("text/xml; charset=utf-8").body(reply))
        }
        Err(_) => Ok(HttpResponse::Ok().finish()),
    }
}

/// Does what was asked for; what is said instead of the button.
async fn answer(app: &App, press: &Press) -> Result<String, ApiError> {
    let config = app.runtime.config();
    let language = |person: Option<&PersonId>| {
        person.and_then(|id| config.people.get(id)).map(|it| it.language).unwrap_or_default()
    };
    let cap = match app.runtime.links().verify(&press.key, now()) {
        Ok(cap) => cap,
        Err(error) => {
            tracing::info!(reason = %error, "a button on WeCom that does not work");
            let reader = owner(&config, None, &press.user);
            let language: Language = language(reader.as_ref());
            return Ok(match error {
                CapError::Expired | CapError::Malformed | CapError::Forged => gone(language),
            });
        }
    };
    let Some(person) = owner(&config, Some(&cap), &press.user) else {
        tracing::info!(incident = cap.incident.0, "a member of WeCom whom nobody knows pressed a button");
        return Ok(stranger(language(Some(&cap.person))));
    };
    let language = language(Some(&person));
    Ok(match press_as(app, &cap, &person, Key::Acknowledge, ContactKind::WeCom).await? {
        Pressed::Done | Pressed::Again => Phrase::Acked.said(language),
        Pressed::AckedBy(who) => Phrase::AlreadyAcked { who: &who }.said(language),
        Pressed::AlreadyResolved | Pressed::NothingLeft => Phrase::AlreadyResolved.said(language),
    })
}

/// Whose name in WeCom it is: the addressee's if it is theirs, and whoever else has it otherwise.
fn owner(config: &Snapshot, cap: Option<&Cap>, user: &str) -> Option<PersonId> {
    // WeCom does not tell names apart by the size of their letters.
    let is_user = |to: &str| to.strip_prefix("user:").is_some_and(|name| name.eq_ignore_ascii_case(user));
    let has =
        |person: &&shared::config::Person| person.contacts.iter().any(|it| it.wecom.as_deref().is_some_and(is_user));
    let addressee = cap.and_then(|cap| config.people.get(&cap.person)).filter(has);
    addressee.or_else(|| config.people.values().find(has)).map(|person| person.id.clone())
}
