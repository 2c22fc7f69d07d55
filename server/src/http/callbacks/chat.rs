//! Chats: a button that somebody pressed acknowledges as the person whose account it was.

use super::{MOST_BYTES, Pressed, allowed, press_as};
use crate::{
    answers::{menu::Key, slack, telegram},
    auth::caplink::Cap,
    http::{App, app::now, body::whole, problem::ApiError},
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{self, Payload},
};
use shared::{
    PersonId,
    config::{ContactKind, Language},
    messages,
};
use subtle::ConstantTimeEq as _;

messages! {
    acked() { en: "Acknowledged. Paging has stopped.", zh: "已认领，通知已停止。" }
    acked_by(who: &str) { en: "Already acknowledged by {who}.", zh: "已由 {who} 认领。" }
    nothing_left() { en: "Nothing is left to acknowledge: all of it was answered or is over.", zh: "没有待认领的事件：均已响应或恢复。" }
    resolved() { en: "It is resolved already.", zh: "已恢复。" }
    unknown(account: &str) { en: "NOT acknowledged: nobody in Tocsin has this account. Add it to your contacts: {account}", zh: "未认领：Tocsin 中没有此账号，请将其加入您的联系方式：{account}" }
    expired() { en: "NOT acknowledged: this button is too old. Please open the incident.", zh: "未认领：按钮已过期，请打开事件。" }
    failed() { en: "NOT acknowledged: it could not be stored. Please try again.", zh: "未认领：未能保存，请重试。" }
}

fn unsigned() -> ApiError {
    ApiError::new(StatusCode::FORBIDDEN, "bad_signature", "This was not signed by whom it should be")
}

fn header<'a>(request: &'a HttpRequest, name: &str) -> &'a str {
    request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// A press in Slack. What came of it is said to whoever pressed, and to nobody else.
pub(super) async fn slack(app: web::Data<App>, request: HttpRequest, body: Payload) -> Result<HttpResponse, ApiError> {
    let config = app.runtime.config();
    let secret = config.document.channels.slack.as_ref().and_then(|slack| slack.signing_secret.clone());
    let secret = secret.filter(|it| !it.is_empty()).ok_or_else(|| ApiError::not_found("callback"))?;
    // What Slack tells of the message that the button stands in.
    let body = whole(body, 4 * MOST_BYTES).await?;
    if !slack::is_signed(&secret, header(&request, slack::SIGNED_AT), &body, header(&request, slack::SIGNATURE), now())
    {
        return Err(unsigned());
    }
    let Some(pressed) = slack::pressed(&body) else { return Ok(HttpResponse::Ok().finish()) };
    let account = format!("slack = \"{}\"", pressed.user);
    let said = answer(&app, &pressed.value, ContactKind::Slack, &pressed.user, &account).await;
    if let Some(reply_to) = pressed.reply_to {
        let reply = serde_json::json!({ "response_type": "ephemeral", "replace_original": false, "text": said });
        app.runtime.say_back(reply_to, reply);
    }
    Ok(HttpResponse::Ok().finish())
}

/// A press in Telegram.
pub(super) async fn telegram(
    app: web::Data<App>,
    request: HttpRequest,
    body: Payload,
) -> Result<HttpResponse, ApiError> {
    let config = app.runtime.config();
    let secret = config.document.channels.telegram.as_ref().and_then(|telegram| telegram.secret.clone());
    let secret = secret.filter(|it| !it.is_empty()).ok_or_else(|| ApiError::not_found("callback"))?;
    let given = header(&request, telegram::SECRET);
    if !bool::from(given.as_bytes().ct_eq(secret.as_bytes())) {
        return Err(unsigned());
    }
    let body = whole(body, 4 * MOST_BYTES).await?;
    let Some(pressed) = telegram::pressed(&body) else { return Ok(HttpResponse::Ok().finish()) };
    let user = pressed.user.to_string();
    let account = format!("telegram = \"{user}\"");
    let said = answer(&app, &pressed.value, ContactKind::Telegram, &user, &account).await;
    Ok(HttpResponse::Ok().json(telegram::said(&pressed, &said)))
}

/// Acknowledges as whoever has the account, and says what came of it in their language.
async fn answer(app: &App, cap: &str, kind: ContactKind, user: &str, account: &str) -> String {
    let Ok(cap) = allowed(app, cap) else { return expired(Language::En) };
    let config = app.runtime.config();
    let language = |person: &PersonId| config.people.get(person).map(|it| it.language).unwrap_or_default();
    // The button may stand in a room: it is theirs who pressed it, not whose page it was.
    let Some(person) = owner(app, kind, user, &cap) else { return unknown(language(&cap.person), account) };
    let l = language(&person);
    match press_as(app, &cap, &person, Key::Acknowledge, kind).await {
        Ok(Pressed::Done | Pressed::Again) => acked(l),
        Ok(Pressed::AckedBy(who)) => acked_by(l, &who),
        Ok(Pressed::AlreadyResolved) => resolved(l),
        Ok(Pressed::NothingLeft) => nothing_left(l),
        Err(_) => failed(l),
    }
}

/// Whose account it is; the recipient of the page first, should two share one.
fn owner(app: &App, kind: ContactKind, user: &str, cap: &Cap) -> Option<PersonId> {
    let config = app.runtime.config();
    let has = |person: &&shared::config::Person| {
        person.contacts.iter().filter_map(|it| it.address()).any(|(of, address)| of == kind && address == user)
    };
    let own = config.people.get(&cap.person).filter(has);
    own.or_else(|| config.people.values().find(has)).map(|person| person.id.clone())
}
