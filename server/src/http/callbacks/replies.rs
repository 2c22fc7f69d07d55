//! Text messages that somebody writes back: whose number they come from is who says so.

use super::{MOST_BYTES, bad, carriers, tell};
use crate::{
    answers::{
        Written, aliyun,
        reply::{About, Reply, Verb, parse_reply},
        tencent,
    },
    auth::caplink::{self, Cap},
    http::{App, ack, app::now, body::whole, problem::ApiError},
};
use actix_web::{
    HttpResponse,
    web::{self, Payload},
};
use engine::Act;
use serde_json::json;
use shared::{
    DeliveryReceipt, PersonId,
    config::{ContactKind, Language},
    messages,
    timeline::Actor,
};

messages! {
    done(number: &str) { en: "Done: {number}.", zh: "已处理：{number}。" }
    nothing_open() { en: "You were texted about nothing that is open.", zh: "没有与您相关的未恢复事件。" }
    not_understood() { en: "Not understood. Write a to acknowledge the last one, 12a for incident 12, aa for all, r to resolve, e to escalate.", zh: "未能识别。回复 a 认领最近一条，12a 认领事件 12，aa 认领全部，r 标记恢复，e 升级。" }
}

/// Fewer digits are no telephone number that could be anybody's in particular.
const FEWEST_DIGITS: usize = 7;
/// What gateways call the number and the text, in the order in which they are looked for.
const FROM: [&str; 5] = ["from", "mobile", "phone", "phone_number", "number"];
const TEXT: [&str; 5] = ["text", "content", "message", "body", "msg"];

/// Alibaba Cloud's; it cannot be answered by what is answered here.
pub(super) async fn aliyun(
    app: web::Data<App>,
    of: web::Path<String>,
    body: Payload,
) -> Result<HttpResponse, ApiError> {
    let body = carriers::admitted(&app, "aliyun", &of, body).await?;
    hear_all(&app, aliyun::replies(&body), aliyun::TAKEN).await
}

/// Tencent Cloud's; as above.
pub(super) async fn tencent(
    app: web::Data<App>,
    of: web::Path<String>,
    body: Payload,
) -> Result<HttpResponse, ApiError> {
    let body = carriers::admitted(&app, "tencent", &of, body).await?;
    hear_all(&app, tencent::replies(&body), tencent::TAKEN).await
}

async fn hear_all(app: &App, written: Vec<Written>, taken: &'static str) -> Result<HttpResponse, ApiError> {
    // One that could not be stored does not hold up the others; all of them are sent again.
    let mut failed = None;
    for Written { from, text } in written.iter().take(carriers::REPORTS_MAX) {
        failed = hear(app, from, text).await.err().or(failed);
    }
    match failed {
        Some(error) => Err(error),
        None => Ok(HttpResponse::Ok().content_type("application/json; charset=utf-8").body(taken)),
    }
}

/// What a gateway was written: `from` and `text`, as JSON or as a form. It is told what may be written back.
pub(super) async fn gateway(
    app: web::Data<App>,
    path: web::Path<(String, String)>,
    body: Payload,
) -> Result<HttpResponse, ApiError> {
    let (name, secret) = path.into_inner();
    let is_configured = app.runtime.config().document.channels.gateways.iter().any(|it| it.id == name);
    if !is_configured || !app.runtime.links().is_carrier_secret(&format!("gateway {name}"), &secret) {
        return Err(ApiError::not_found("callback"));
    }
    let written = read(&whole(body, MOST_BYTES).await?)?;
    let reply = hear(&app, &written.from, &written.text).await?;
    Ok(HttpResponse::Ok().json(json!({ "reply": reply })))
}

fn read(body: &[u8]) -> Result<Written, ApiError> {
    let json: Option<serde_json::Map<String, serde_json::Value>> = serde_json::from_slice(body).ok();
    let fields: Vec<(String, String)> = match json {
        Some(fields) => fields
            .into_iter()
            .map(|(name, value)| (name, value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
            .collect(),
        None => url::form_urlencoded::parse(body).into_owned().collect(),
    };
    let find = |names: [&'static str; 5]| {
        let named = |name: &&str| fields.iter().find(|(known, value)| known == name && !value.trim().is_empty());
        let found = names.iter().find_map(named).map(|(_, value)| value.clone());
        found.ok_or_else(|| bad(names[0], &format!("it is missing; send `{}` as JSON or as a form", names[0])))
    };
    Ok(Written { from: find(FROM)?, text: find(TEXT)? })
}

/// Does what is asked for, and says what may be written back; nothing to a stranger.
pub(super) async fn hear(app: &App, from: &str, text: &str) -> Result<Option<String>, ApiError> {
    let people = owners(app, from);
    let Some(first) = people.first() else { return Ok(None) };
    let language = app.runtime.config().people.get(first).map(|person| person.language).unwrap_or_default();
    Ok(Some(match parse_reply(text) {
        Some(reply) => carry_out(app, reply, people, language).await?,
        None => not_understood(language),
    }))
}

/// Whose number it is. Some gateways leave out the country: that is somebody's as long as it is nobody else's.
fn owners(app: &App, number: &str) -> Vec<PersonId> {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let wanted = digits(number);
    let config = app.runtime.config();
    let who = |is_theirs: &dyn Fn(&str) -> bool| -> Vec<PersonId> {
        let has = |person: &&shared::config::Person| {
            person.contacts.iter().any(|it| it.sms.as_deref().is_some_and(|number| is_theirs(&digits(number))))
        };
        config.people.values().filter(has).map(|person| person.id.clone()).collect()
    };
    let same = who(&|known| known == wanted);
    let national = wanted.trim_start_matches('0');
    if !same.is_empty() || national.len() < FEWEST_DIGITS || number.trim_start().starts_with('+') {
        return same;
    }
    let alike = who(&|known| known.ends_with(national));
    if alike.len() == 1 { alike } else { Vec::new() }
}

async fn carry_out(app: &App, reply: Reply, people: Vec<PersonId>, language: Language) -> Result<String, ApiError> {
    let texted = app.runtime.texted(people).await.map_err(|_| ApiError::unavailable())?;
    let meant: Vec<_> = match reply.about {
        About::Latest => texted.into_iter().take(1).collect(),
        About::Incident(number) => texted.into_iter().filter(|(_, incident, _)| incident.0 == number).take(1).collect(),
        About::All => texted,
    };
    // Who names one incident means that one, whatever else stood in the message.
    let is_alone = matches!(reply.about, About::Incident(_));
    let mut numbers = Vec::new();
    for (person, incident, attempt) in meant {
        if numbers.contains(&incident) {
            continue;
        }
        let by = Actor::Link { person: person.clone(), via: Some(ContactKind::Sms) };
        let cap = Cap { incident, person, attempt, expires: now().after(caplink::LIFETIME) };
        tell(app, &cap, DeliveryReceipt::Opened, None)?;
        match reply.verb {
            Verb::Acknowledge if is_alone => drop(app.runtime.act(incident, by, Act::Ack { until: None }).await?),
            Verb::Acknowledge => drop(ack::acknowledge(app, &cap, &by).await?),
            Verb::Resolve => drop(app.runtime.act(incident, by, Act::Resolve).await?),
            Verb::Escalate => {
                let act = Act::Escalate { policy: None, level: None, version: None };
                drop(app.runtime.act(incident, by, act).await?);
            }
        }
        numbers.push(incident);
    }
    let list = numbers.iter().map(|number| format!("#{number}")).collect::<Vec<_>>().join(", ");
    Ok(if numbers.is_empty() { nothing_open(language) } else { done(language, &list) })
}
