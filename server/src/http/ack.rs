//! `/a/{cap}`: the acknowledgement page of one person for one message, without script, session or cookie.
//!
//! Mail scanners and chat previews open links before people do, so GET and HEAD only show; POST acts, and acting
//! twice changes nothing. Whoever holds the link may acknowledge what the message named and, when that is one incident,
//! escalate it, and nothing else.

use super::{App, app::now, body::whole, incidents, problem::ApiError, reader};
use crate::{
    auth::caplink::{Cap, CapError},
    runtime::TEST,
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{CONTENT_SECURITY_POLICY, HeaderName, LOCATION, REFERRER_POLICY},
    },
    web::{self, Payload},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use engine::{Act, Refusal};
use sha2::{Digest as _, Sha256};
use shared::{
    DeliveryReceipt, Incident, IncidentState, Recipient,
    config::{ContactKind, Language},
    messages,
    text::span,
    timeline::Actor,
};
use std::{fmt::Write as _, sync::LazyLock};

messages! {
    page_title(id: &str) { en: "Incident #{id}", zh: "事件 #{id}" }
    ack_it() { en: "Acknowledge", zh: "认领" }
    ack_all(count: usize) { en: "Acknowledge all {count}", zh: "全部认领（{count} 个）" }
    several(count: usize) { en: "{count} incidents", zh: "{count} 个事件" }
    none_left() { en: "All of these were answered or are over", zh: "以上事件均已响应或恢复" }
    are_open(count: usize) { en: "{count} of them nobody has answered yet", zh: "其中 {count} 个尚无人响应" }
    and_more(count: usize) { en: "and {count} more", zh: "以及另外 {count} 个" }
    by_storm() { en: "A storm: this answers for all of it that you were paged about, except P0", zh: "告警风暴：将响应其中已通知您的全部事件，P0 除外" }
    ack_hint() { en: "Stops the paging. Nobody else is woken while you look into it.", zh: "停止通知。在您处理期间不会再打扰其他人。" }
    escalate_it() { en: "Page the next level", zh: "升级到下一级" }
    open_it() { en: "Open in Tocsin", zh: "在 Tocsin 中打开" }
    as_person(name: &str) { en: "You are answering as {name}.", zh: "您将以 {name} 的身份响应。" }
    opened_ago(span: &str) { en: "opened {span} ago", zh: "{span}前创建" }
    times(count: u32) { en: "{count} messages", zh: "{count} 条消息" }
    triggered() { en: "Nobody has answered yet", zh: "尚无人响应" }
    waiting_for(who: &str) { en: "Still waiting for an answer of {who}", zh: "仍在等待 {who} 响应" }
    acked_by(who: &str) { en: "Acknowledged by {who}", zh: "已由 {who} 认领" }
    acked_short() { en: "answered", zh: "已响应" }
    snoozed() { en: "Snoozed: quiet for now", zh: "已暂停通知" }
    resolved() { en: "Over: the incident is resolved", zh: "已恢复" }
    next_level_at(span: &str) { en: "the next level is paged in {span}", zh: "{span}后通知下一级" }
    bad_link() { en: "This link does not work", zh: "此链接无效" }
    gone_link() { en: "This link has expired", zh: "此链接已过期" }
    bad_link_hint() { en: "It may not have been copied whole. Open the incident in Tocsin, or use the link of a newer message.", zh: "链接可能未复制完整。请在 Tocsin 中打开该事件，或使用更新的通知中的链接。" }
    gone_link_hint() { en: "Links work for 24 hours. Open the incident in Tocsin, or use the link of a newer message.", zh: "链接有效期为 24 小时。请在 Tocsin 中打开该事件，或使用更新的通知中的链接。" }
    no_store() { en: "This could not be stored. Paging goes on. Try again.", zh: "操作未能保存，通知仍在继续。请重试。" }
    test_title() { en: "A test page", zh: "测试通知" }
    test_hint() { en: "Nothing is wrong: somebody tried how you are reached. You need do nothing; answering it only says that you saw it.", zh: "一切正常：这只是测试如何联系您。无需处理；响应仅表示您已看到。" }
    test_seen() { en: "I have seen it", zh: "我已看到" }
    try_again() { en: "Try again", zh: "重试" }
    unknown_incident() { en: "This incident is not known any more", zh: "此事件已不存在" }
}

/// Incidents shown of a bundle: up to so many, and to so many bytes, that the page loads anywhere. Of the rest it says how many.
const LISTED_MAX: usize = 100;
const LISTED_BYTES: usize = 11_000;
/// Acknowledged together, in one commit when the engine is quick.
const ACKED_AT_ONCE: usize = 64;

const STYLE: &str = "\
:root{color-scheme:dark light}\
body{font:18px/1.6 system-ui,sans-serif;margin:0;background:#101418;color:#e8ecf0}\
main{max-width:34rem;margin:0 auto;padding:1.2rem}\
h1{font-size:1.35rem;line-height:1.35;margin:.2rem 0 .6rem;overflow-wrap:anywhere}\
p{margin:.4rem 0;overflow-wrap:anywhere}\
ul{list-style:none;padding:0}li{margin:.4rem 0;overflow-wrap:anywhere}\
.sev{display:inline-block;font-weight:700;padding:0 .5rem;border:2px solid #ff6b60;border-radius:.3rem;color:#ff8a80}\
.calm{border-color:#7f8b97;color:#b8c2cc}\
.muted{color:#a9b4bf}\
.state{font-weight:600}\
button{font:inherit;font-weight:700;width:100%;min-height:4rem;margin:1rem 0 .3rem;border:0;border-radius:.6rem;\
background:#2f81f7;color:#fff}\
button.second{background:#2a323b;color:#e8ecf0;min-height:3rem;font-weight:600}\
a{color:#79b8ff}\
@media (prefers-color-scheme:light){body{background:#fff;color:#14181c}.muted{color:#505a64}.sev{color:#b3261e;border-color:#b3261e}\
.calm{border-color:#6a7580;color:#3f4852}button{background:#0b5cd6}button.second{background:#e6eaee;color:#14181c}a{color:#0b5cd6}}";

/// Nothing but this style and forms to ourselves.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
});

pub(super) async fn show(app: web::Data<App>, request: HttpRequest, cap: web::Path<String>) -> HttpResponse {
    let cap = match app.runtime.links().verify(&cap, now()) {
        Ok(cap) => cap,
        Err(error) => return refused(&app, &request, error),
    };
    let language = reader::language(&app, Some(&cap.person), &request);
    if cap.incident == TEST {
        return page(StatusCode::OK, language, &test_page(language));
    }
    let named = match named(&app, &cap).await {
        Ok(named) => named,
        Err(error) => return troubled(language, &error),
    };
    let parts = match named.incidents.as_slice() {
        [incident] if !named.bundle => incident_page(&app, language, &cap, incident),
        all => bundle_page(&app, language, &cap, all, named.storm),
    };
    page(StatusCode::OK, language, &parts)
}

/// What a link is about.
pub(super) struct Named {
    /// Of a bundle those that are open; otherwise the one, however it stands.
    pub(super) incidents: Vec<Incident>,
    pub(super) bundle: bool,
    pub(super) storm: bool,
}

pub(super) async fn named(app: &App, cap: &Cap) -> Result<Named, ApiError> {
    let incident = incidents::find(app, cap.incident).await?;
    let attempts = incident.pages.iter().flat_map(|page| &page.attempts);
    let bundling =
        attempts.filter(|it| it.id == cap.attempt || it.message() == cap.attempt).find_map(|it| it.bundling.as_ref());
    let (together, storm) = bundling.map_or((false, None), |it| (it.message.is_some(), it.storm));
    if !together && storm.is_none() {
        return Ok(Named { incidents: vec![incident], bundle: false, storm: false });
    }
    let since = match storm {
        Some(storm) => app.db(move |store| store.storm(storm)).await?.map(|storm| storm.since),
        None => None,
    };
    let found = app.runtime.named_by(cap.person.clone(), cap.attempt, since).await;
    let incidents = found.map_err(|_| crate::runtime::ActError::Unavailable { retry_after_s: 2 })?;
    Ok(Named { incidents, bundle: true, storm: since.is_some() })
}

/// Whether this person's acknowledgement would change something.
fn is_open_to(incident: &Incident, person: &shared::PersonId) -> bool {
    let answered = incident.everyone.as_ref().is_some_and(|everyone| everyone.answered.contains(person));
    matches!(incident.state, IncidentState::Triggered | IncidentState::Snoozed) && !answered
}

pub(super) async fn act(
    app: web::Data<App>,
    request: HttpRequest,
    text: web::Path<String>,
    body: Payload,
) -> HttpResponse {
    let cap = match app.runtime.links().verify(&text, now()) {
        Ok(cap) => cap,
        Err(error) => return refused(&app, &request, error),
    };
    let language = reader::language(&app, Some(&cap.person), &request);
    let done = match whole(body, 1_024).await {
        Ok(form) => answer(&app, &cap, &form).await,
        Err(error) => Err(error),
    };
    match done {
        // Showing the page again by GET makes reloading it harmless.
        Ok(()) => HttpResponse::SeeOther()
            .insert_header((LOCATION, format!("/a/{text}")))
            .insert_header((REFERRER_POLICY, "no-referrer"))
            .finish(),
        Err(error) => troubled(language, &error),
    }
}

/// Acknowledges, or escalates when the form says so. A button of a notification sends no form: it acknowledges.
async fn answer(app: &App, cap: &Cap, form: &[u8]) -> Result<(), ApiError> {
    let by = Actor::Link { person: cap.person.clone(), via: carrier(app, cap).await };
    let fields: Vec<(std::borrow::Cow<'_, str>, std::borrow::Cow<'_, str>)> =
        url::form_urlencoded::parse(form).collect();
    let field = |name: &str| fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_ref());
    if cap.incident == TEST {
        return acknowledge(app, cap, &by).await.map(drop);
    }
    let act = if field("do") == Some("escalate") {
        // The version the person looked at: pressed twice, or after somebody else acted, it does nothing.
        let version = field("version").and_then(|text| text.parse().ok());
        Act::Escalate { policy: None, level: None, version }
    } else {
        return acknowledge(app, cap, &by).await.map(drop);
    };
    match app.runtime.act(cap.incident, by, act).await {
        Ok(_) => Ok(()),
        // It is over, or somebody was faster: the page shows how it stands.
        Err(crate::runtime::ActError::Refused(Refusal::NotOpen | Refusal::VersionConflict { .. })) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// What carried the message whose link or button this is; how sure we are of who pressed it depends on it.
async fn carrier(app: &App, cap: &Cap) -> Option<ContactKind> {
    if cap.incident == TEST {
        return None;
    }
    // An answer counts all the same where this cannot be known.
    let incident = incidents::find(app, cap.incident).await.ok()?;
    let mut attempts = incident.pages.iter().flat_map(|page| &page.attempts);
    attempts.find(|it| it.id == cap.attempt || it.message() == cap.attempt).map(|it| it.channel)
}

/// Acknowledges everything the message named that waits for whoever answers, some at a time: the queue of the engine is
/// bounded. Gives how many that were.
pub(super) async fn acknowledge(app: &App, cap: &Cap, by: &Actor) -> Result<usize, ApiError> {
    if cap.incident == TEST {
        // Nothing is wrong, and nobody else is told.
        let heard = app.runtime.receipt(TEST, cap.attempt, DeliveryReceipt::Opened, None);
        return if heard { Ok(1) } else { Err(ApiError::unavailable()) };
    }
    let who = if let Actor::Link { person, .. } = by { person } else { &cap.person };
    let ids: Vec<_> = match named(app, cap).await {
        Ok(Named { incidents, bundle: true, .. }) => {
            incidents.iter().filter(|it| is_open_to(it, who)).map(|it| it.id).collect()
        }
        // Whether it is open the engine says.
        Ok(_) => vec![cap.incident],
        Err(error) if actix_web::ResponseError::status_code(&error) == StatusCode::NOT_FOUND => vec![cap.incident],
        // A part of a message must not pass for all of it.
        Err(error) => return Err(error),
    };
    for some in ids.chunks(ACKED_AT_ONCE) {
        let acts = some.iter().map(|id| app.runtime.act(*id, by.clone(), Act::Ack { until: None }));
        for done in futures_util::future::join_all(acts).await {
            match done {
                Ok(_) | Err(crate::runtime::ActError::Refused(Refusal::NotOpen)) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(ids.len())
}

pub(super) fn refused(app: &App, request: &HttpRequest, error: CapError) -> HttpResponse {
    let l = reader::language(app, None, request);
    let (status, title, hint) = match error {
        CapError::Expired => (StatusCode::GONE, gone_link(l), gone_link_hint(l)),
        CapError::Malformed | CapError::Forged => (StatusCode::NOT_FOUND, bad_link(l), bad_link_hint(l)),
    };
    let open = format!("<p><a href=\"/\">{}</a></p>", open_it(l));
    page(status, l, &Parts { title: title.clone(), body: format!("<h1>{title}</h1><p>{hint}</p>{open}") })
}

pub(super) fn troubled(l: Language, error: &ApiError) -> HttpResponse {
    let status = actix_web::ResponseError::status_code(error);
    let title = if status == StatusCode::NOT_FOUND { unknown_incident(l) } else { no_store(l) };
    let again = format!("<p><a href=\"\">{}</a></p>", try_again(l));
    page(status, l, &Parts { title: title.clone(), body: format!("<h1>{title}</h1>{again}") })
}

/// What a link of a test leads to.
fn test_page(l: Language) -> Parts {
    let title = test_title(l);
    let body = format!(
        "<h1>{title}</h1><p>{}</p><form method=\"post\"><button name=\"do\" value=\"ack\">{}</button></form>",
        test_hint(l),
        test_seen(l)
    );
    Parts { title, body }
}

/// All incidents that the link answers for.
fn bundle_page(app: &App, l: Language, cap: &Cap, incidents: &[Incident], storm: bool) -> Parts {
    let config = app.runtime.config();
    let name = config.people.get(&cap.person).map_or(cap.person.as_str(), |person| person.name.as_str());
    let open = incidents.iter().filter(|it| is_open_to(it, &cap.person)).count();
    let title = if incidents.is_empty() { none_left(l) } else { several(l, incidents.len()) };
    let mut body = format!("<h1>{title}</h1>");
    if storm {
        write!(body, "<p class=\"muted\">{}</p>", by_storm(l)).ok();
    }
    body.push_str("<ul>");
    let mut listed = 0;
    for incident in incidents.iter().take(LISTED_MAX) {
        if body.len() > LISTED_BYTES {
            break;
        }
        listed += 1;
        let calm = if incident.severity.is_urgent() { "" } else { " calm" };
        let place = incident.host.as_deref().or(incident.ip.as_deref()).unwrap_or_default();
        let state = match incident.state {
            _ if is_open_to(incident, &cap.person) => String::new(),
            IncidentState::Resolved => format!(" · {}", resolved(l)),
            _ => format!(" · {}", acked_short(l)),
        };
        write!(
            body,
            "<li><span class=\"sev{calm}\">{}</span> <a href=\"/incidents/{}\">#{}</a> <strong>{}</strong> {}{state}</li>",
            incident.severity,
            incident.id,
            incident.id,
            escaped(place),
            escaped(&incident.title),
        )
        .ok();
    }
    body.push_str("</ul>");
    if incidents.len() > listed {
        write!(body, "<p class=\"muted\">{}</p>", and_more(l, incidents.len() - listed)).ok();
    }
    let state = if open == 0 { none_left(l) } else { are_open(l, open) };
    if !incidents.is_empty() {
        write!(body, "<p class=\"state\" role=\"status\">{state}</p>").ok();
    }
    if open > 0 {
        write!(
            body,
            "<form method=\"post\"><button name=\"do\" value=\"ack\">{}</button></form><p class=\"muted\">{}</p>",
            ack_all(l, open),
            ack_hint(l)
        )
        .ok();
    }
    write!(body, "<p class=\"muted\">{}</p><p><a href=\"/\">{}</a></p>", escaped(&as_person(l, name)), open_it(l)).ok();
    Parts { title, body }
}

pub(super) struct Parts {
    pub(super) title: String,
    /// Markup; whatever was sent by strangers is escaped in it.
    pub(super) body: String,
}

fn incident_page(app: &App, l: Language, cap: &Cap, incident: &Incident) -> Parts {
    let config = app.runtime.config();
    let name = config.people.get(&cap.person).map_or(cap.person.as_str(), |person| person.name.as_str());
    let who =
        |id: &shared::PersonId| config.people.get(id).map_or_else(|| id.to_string(), |person| person.name.clone());
    let id = incident.id.to_string();
    let now = now();
    let calm = if incident.severity.is_urgent() { "" } else { " calm" };
    let mut body = format!(
        "<p><span class=\"sev{calm}\">{}</span> <span class=\"muted\">{}</span></p><h1>{}</h1>",
        incident.severity,
        page_title(l, &id),
        escaped(&incident.title),
    );
    let place =
        [incident.host.as_deref(), incident.ip.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" · ");
    if !place.is_empty() {
        // Writing to a String cannot fail, here and below.
        write!(body, "<p><strong>{}</strong></p>", escaped(&place)).ok();
    }
    let mut facts = vec![opened_ago(l, &span(l, now.ms_since(incident.opened_at)))];
    if incident.count > 1 {
        facts.push(times(l, incident.count));
    }
    let due = incident.escalations.iter().filter_map(|it| it.due).min().filter(|due| *due > now);
    if let Some(due) = due.filter(|_| incident.state == IncidentState::Triggered) {
        facts.push(next_level_at(l, &span(l, due.ms_since(now))));
    }
    write!(body, "<p class=\"muted\">{}</p>", facts.join(" · ")).ok();
    let acker = incident.ack.as_ref().map(|ack| match &ack.by {
        Actor::Link { person, .. } => who(person),
        other => other.name(),
    });
    let names = |ids: &[shared::PersonId]| ids.iter().map(who).collect::<Vec<_>>().join(", ");
    let missing = incident.everyone.as_ref().map(|everyone| names(&everyone.missing));
    // Who answered where everybody must has nothing more to do.
    let answered = incident.everyone.as_ref().is_some_and(|everyone| everyone.answered.contains(&cap.person));
    let state = match incident.state {
        IncidentState::Triggered => missing.map_or_else(|| triggered(l), |missing| waiting_for(l, &missing)),
        IncidentState::Acked => acked_by(l, &acker.unwrap_or_default()),
        IncidentState::Snoozed => snoozed(l),
        IncidentState::Resolved => resolved(l),
    };
    write!(body, "<p class=\"state\" role=\"status\">{}</p>", escaped(&state)).ok();
    // Who was asked to help may say that they are there.
    let asked = |page: &shared::Page| page.recipient == Recipient::Person(cap.person.clone()) && page.is_waiting();
    let helps = incident.state == IncidentState::Acked && incident.pages.iter().any(asked);
    if helps || matches!(incident.state, IncidentState::Triggered | IncidentState::Snoozed) && !answered {
        write!(
            body,
            "<form method=\"post\"><button name=\"do\" value=\"ack\">{}</button></form><p class=\"muted\">{}</p>",
            ack_it(l),
            ack_hint(l)
        )
        .ok();
    }
    if incident.state != IncidentState::Resolved {
        write!(
            body,
            "<form method=\"post\"><input type=\"hidden\" name=\"version\" value=\"{}\"><button class=\"second\" \
             name=\"do\" value=\"escalate\">{}</button></form>",
            incident.version,
            escalate_it(l)
        )
        .ok();
    }
    write!(
        body,
        "<p class=\"muted\">{}</p><p><a href=\"/incidents/{id}\">{}</a></p>",
        escaped(&as_person(l, name)),
        open_it(l)
    )
    .ok();
    Parts { title: format!("{} · {}", incident.severity, page_title(l, &id)), body }
}

pub(super) fn page(status: StatusCode, l: Language, parts: &Parts) -> HttpResponse {
    let lang = match l {
        Language::En => "en",
        Language::Zh => "zh-CN",
    };
    let html = format!(
        "<!doctype html>\n<html lang=\"{lang}\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width,initial-scale=1\">\n<meta name=\"robots\" content=\"noindex,nofollow\">\n<title>{} \
         · Tocsin</title>\n<style>{STYLE}</style>\n<main>{}</main>\n</html>\n",
        escaped(&parts.title),
        parts.body
    );
    HttpResponse::build(status)
        .insert_header((CONTENT_SECURITY_POLICY, POLICY.as_str()))
        .insert_header((REFERRER_POLICY, "no-referrer"))
        .insert_header((HeaderName::from_static("x-robots-tag"), "noindex, nofollow"))
        .content_type("text/html; charset=utf-8")
        .body(html)
}

/// A stranger's text as text: nothing in it is markup, and nothing turns the direction of the page around.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in crate::outbound::visible(text).chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strangers_text_is_never_markup() {
        assert_eq!(escaped("<script>\"&'\u{202e}"), "&lt;script&gt;&quot;&amp;&#39;");
    }

    #[test]
    fn the_page_is_small_and_allows_only_its_own_style() {
        let parts = Parts { title: "x".to_owned(), body: String::new() };
        let response = page(StatusCode::OK, Language::Zh, &parts);
        let policy = response.headers().get("content-security-policy").unwrap().to_str().unwrap();
        assert!(policy.contains("style-src 'sha256-") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(response.headers().get("referrer-policy").unwrap(), "no-referrer");
        assert!(STYLE.len() < 4_000);
    }
}
