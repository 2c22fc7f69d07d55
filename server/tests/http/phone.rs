//! What comes back from phones and chats: receipts, keys, replies and buttons, each from whom it should be.

use super::house::{Answer, CONFIG, Doors, House, OWN_URL, call, request};
use actix_web::http::header::CONTENT_TYPE;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::hmac;
use server::{auth::caplink, clock};
use shared::{
    AttemptId, IncidentId, IncidentState,
    config::ContactKind,
    timeline::{Actor, Happening},
};

const TOKEN: &str = "12345";
const SIGNING: &str = "8f742231b10e8888abcd99yyyzzz85a5";

/// Li has a telephone, Slack and Telegram.
fn house() -> House {
    let contacts = r#"contacts = [{ id = "bot", webhook = "https://bot.invalid/x", secret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz" }]"#;
    let phones = r#"contacts = [{ id = "text", sms = "+86 138 0000 0000" }, { id = "call", voice = "+8613800000000" },
        { id = "slack", slack = "U7" }, { id = "telegram", telegram = "77" }]"#;
    assert!(CONFIG.contains(contacts));
    let channels = format!(
        "\n[channels]\nsms = \"twilio\"\nvoice = \"twilio\"\n[channels.twilio]\naccount = \"AC1\"\ntoken = \"{TOKEN}\"\nfrom = \"+15551230000\"\nbase = \"http://127.0.0.1:9\"\n\
         [channels.slack]\ntoken = \"xoxb\"\nsigning_secret = \"{SIGNING}\"\nbase = \"http://127.0.0.1:9\"\n\
         [channels.telegram]\ntoken = \"1:x\"\nsecret = \"word\"\nbase = \"http://127.0.0.1:9\"\n\
         [channels.aliyun]\nkey_id = \"k\"\nkey_secret = \"s\"\n\
         [channels.tencent]\nsecret_id = \"k\"\nsecret_key = \"s\"\n\
         [[channels.gateways]]\nid = \"own\"\nurl = \"http://127.0.0.1:9\"\n\
         [channels.webhook]\nallow_networks = [\"127.0.0.0/8\"]\n"
    );
    House::with(&format!("{}{channels}", CONFIG.replace(contacts, phones)), Some(OWN_URL))
}

/// A P0, and the message that went to Li about it by a kind of contact.
async fn paged(house: &House, service: &Doors, kind: ContactKind) -> (IncidentId, AttemptId) {
    let sent =
        request("POST", &format!("/ingest/{}", house.sender)).set_payload("[P0][PROBLEM][db-07][][host is down]");
    let id = IncidentId(call(service, sent).await.json()["outcomes"][0]["incident"].as_i64().unwrap());
    let incident = house.app.runtime.incident(id).await.unwrap().unwrap();
    let attempt = incident.pages.iter().flat_map(|page| &page.attempts).find(|it| it.channel == kind).unwrap();
    (id, attempt.id)
}

fn cap(house: &House, (incident, attempt): (IncidentId, AttemptId)) -> String {
    house.app.runtime.links().cap(incident, &"li".into(), attempt, clock::now().after(caplink::LIFETIME))
}

async fn post(service: &Doors, path: &str, form: &[(&str, &str)], headers: &[(&str, String)]) -> Answer {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let mut request = request("POST", path).insert_header((CONTENT_TYPE, "application/x-www-form-urlencoded"));
    for (name, value) in headers {
        request = request.insert_header((*name, value.as_str()));
    }
    call(service, request.set_payload(body)).await
}

/// As Twilio signs it, by its published rule.
async fn twilio(service: &Doors, path: &str, form: &[(&str, &str)]) -> Answer {
    let mut fields = form.to_vec();
    fields.sort_unstable();
    let text = fields.iter().fold(format!("{OWN_URL}{path}"), |text, (name, value)| text + name + value);
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, TOKEN.as_bytes());
    let signature = STANDARD.encode(hmac::sign(&key, text.as_bytes()));
    post(service, path, form, &[("x-twilio-signature", signature)]).await
}

async fn state(house: &House, id: IncidentId) -> IncidentState {
    house.app.runtime.incident(id).await.unwrap().unwrap().state
}

fn timeline(house: &House, id: IncidentId) -> Vec<(Actor, Happening)> {
    let entries = house.store(|store| store.timeline(id)).unwrap();
    entries.into_iter().map(|entry| (entry.actor, entry.what)).collect()
}

/// Who acknowledged, and by what.
fn acked_by(house: &House, id: IncidentId) -> Option<(String, Option<ContactKind>)> {
    timeline(house, id).into_iter().find_map(|(actor, what)| match (actor, what) {
        (Actor::Link { person, via }, Happening::Acked { .. }) => Some((person.to_string(), via)),
        _ => None,
    })
}

#[actix_web::test]
async fn a_receipt_is_taken_down_once_and_only_with_its_capability() {
    let house = house();
    let service = house.service().await;
    let message = paged(&house, &service, ContactKind::Sms).await;
    let path = format!("/cb/gateway/falcon/{}", cap(&house, message));
    for _ in 0..2 {
        assert_eq!(post(&service, &path, &[("receipt", "delivered")], &[]).await.status, 204);
    }
    let json = request("POST", &path).set_payload(r#"{"receipt":"shown","device":"Pixel <8>"}"#);
    assert_eq!(call(&service, json).await.status, 204);
    // Everything before the answer to an action is stored by then.
    let done = post(&service, &path, &[("pressed", "1")], &[]).await;
    assert_eq!(done.status, 204, "{}", done.text);
    let told: Vec<String> = timeline(&house, message.0)
        .into_iter()
        .filter_map(|(_, what)| match what {
            Happening::DeliveryReceipt { attempt, receipt, device, .. } if attempt == message.1 => {
                Some(format!("{receipt:?} {}", device.as_deref().unwrap_or_default()))
            }
            Happening::CallsStopped { person } => Some(format!("no calls for {person}")),
            _ => None,
        })
        .collect();
    assert_eq!(told, ["Delivered ", "Shown Pixel <8>", "Opened ", "no calls for li"]);
    for (body, expected) in [("receipt=eaten", 422), ("pressed=9", 422), ("", 422), ("{\"receipt\":7}", 422)] {
        assert_eq!(call(&service, request("POST", &path).set_payload(body)).await.status.as_u16(), expected, "{body}");
    }
    assert_eq!(post(&service, "/cb/receipt/AAAA", &[("receipt", "shown")], &[]).await.status, 404);
    assert_eq!(call(&service, request("GET", &path)).await.status, 405);
}

#[actix_web::test]
async fn a_call_reads_its_menu_and_a_key_acknowledges() {
    let house = house();
    let service = house.service().await;
    let message = paged(&house, &service, ContactKind::Voice).await;
    let path = format!("/cb/twilio/voice/{}", cap(&house, message));
    assert_eq!(post(&service, &path, &[("CallSid", "CA1")], &[]).await.status, 403, "nobody signed it");
    let menu = twilio(&service, &path, &[("CallSid", "CA1"), ("CallStatus", "in-progress")]).await;
    assert_eq!((menu.status.as_u16(), menu.header("content-type")), (200, "text/xml; charset=utf-8"));
    assert!(
        menu.text.contains("zh-CN") && menu.text.contains("db-07") && menu.text.contains("认领请按 4"),
        "{}",
        menu.text
    );
    let odd = twilio(&service, &path, &[("CallSid", "CA1"), ("Digits", "9")]).await.text;
    assert!(odd.contains("按键无效") && odd.contains("<Redirect"), "{odd}");
    assert_eq!(state(&house, message.0).await, IncidentState::Triggered, "listening acknowledges nothing");
    let done = twilio(&service, &path, &[("CallSid", "CA1"), ("Digits", "4")]).await.text;
    assert!(done.contains("已认领，谢谢"), "{done}");
    assert_eq!(acked_by(&house, message.0), Some(("li".to_owned(), Some(ContactKind::Voice))));
    let again = twilio(&service, &path, &[("CallSid", "CA2")]).await.text;
    assert!(again.contains("已由 李伟 认领") && !again.contains("<Gather"), "{again}");
}

#[actix_web::test]
async fn a_call_that_nobody_answers_is_not_waited_for() {
    let house = house();
    let service = house.service().await;
    let message = paged(&house, &service, ContactKind::Voice).await;
    let path = format!("/cb/twilio/call/{}", cap(&house, message));
    assert_eq!(twilio(&service, &path, &[("CallSid", "CA1"), ("CallStatus", "ringing")]).await.status, 204);
    assert_eq!(twilio(&service, &path, &[("CallSid", "CA1"), ("CallStatus", "no-answer")]).await.status, 204);
    // Nothing answers at the carrier's address in this house; either way it did not arrive.
    let note = request("POST", &format!("/cb/gateway/x/{}", cap(&house, message))).set_payload("pressed=1");
    assert_eq!(call(&service, note).await.status, 204);
    let failed = timeline(&house, message.0)
        .into_iter()
        .any(|(_, what)| matches!(what, Happening::Delivery { attempt, failure: Some(_), .. } if attempt == message.1));
    assert!(failed, "{:?}", timeline(&house, message.0));
}

#[actix_web::test]
async fn a_letter_by_text_message_acknowledges_what_its_sender_was_texted_about() {
    let house = house();
    let service = house.service().await;
    let (id, _) = paged(&house, &service, ContactKind::Sms).await;
    let path = "/cb/twilio/inbound";
    let write = |from: &'static str, body: &'static str| {
        let service = &service;
        async move { twilio(service, path, &[("From", from), ("Body", body), ("MessageSid", "SM1")]).await.text }
    };
    assert!(!write("+4915100000000", "a").await.contains("<Message>"), "a stranger gets no answer");
    assert_eq!(state(&house, id).await, IncidentState::Triggered);
    assert!(write("+8613800000000", "99a").await.contains("没有与您相关"));
    assert!(write("+8613800000000", "what?").await.contains("未能识别"));
    let done = write("+8613800000000", "１ａ").await;
    assert!(done.contains(&format!("已处理：#{id}")), "{done}");
    assert_eq!(acked_by(&house, id), Some(("li".to_owned(), Some(ContactKind::Sms))));
}

#[actix_web::test]
async fn carriers_and_gateways_pass_on_what_somebody_wrote_back() {
    let house = house();
    let service = house.service().await;
    let secret = |of: &str| house.app.runtime.links().carrier_secret(of);
    let aliyun = |from: &str, text: &str| {
        let body = serde_json::json!([{ "phone_number": from, "content": text, "sequence_id": 1 }]).to_string();
        (format!("/cb/aliyun/{}/reply", secret("aliyun")), body)
    };
    let tencent = |from: &str, text: &str| {
        let body = serde_json::json!({ "mobile": from, "nationcode": "86", "text": text, "time": 1 }).to_string();
        (format!("/cb/tencent/{}/reply", secret("tencent")), body)
    };
    let own = |from: &str, text: &str| {
        (format!("/cb/gateway/own/{}/reply", secret("gateway own")), format!("mobile={from}&content={text}"))
    };
    let write = async |(path, body): (String, String)| {
        let answer = call(&service, request("POST", &path).set_payload(body)).await;
        (answer.status.as_u16(), answer.text)
    };
    let taken = [(200, r#"{"code":0,"msg":"ok"}"#.to_owned()), (200, r#"{"result":0,"errmsg":"OK"}"#.to_owned())];

    let (first, _) = paged(&house, &service, ContactKind::Sms).await;
    assert_eq!(write(aliyun("13900000000", "a")).await, taken[0], "a stranger is told nothing");
    assert_eq!(write(tencent("", "a")).await, taken[1]);
    assert_eq!(write(own("0000000", "a")).await, (200, r#"{"reply":null}"#.to_owned()));
    let guessed = format!("/cb/gateway/own/{}/reply", secret("gateway other"));
    assert_eq!(write((guessed, "from=13800000000&text=a".into())).await.0, 404);
    assert_eq!(write((own("", "").0, "text=a".into())).await.0, 422, "from whom?");
    assert_eq!(state(&house, first).await, IncidentState::Triggered);
    assert_eq!(write(aliyun("13800000000", "a")).await, taken[0]);
    assert_eq!(acked_by(&house, first), Some(("li".to_owned(), Some(ContactKind::Sms))));
    assert_eq!(write(tencent("13800000000", &format!("{first}r"))).await, taken[1]);
    assert!(timeline(&house, first).iter().any(|(_, what)| matches!(what, Happening::Resolved)));

    let (second, _) = paged(&house, &service, ContactKind::Sms).await;
    let (status, said) = write(own("13800000000", "aa")).await;
    assert!(status == 200 && said.contains(&format!("已处理：#{second}")), "{said}");
    assert_eq!(acked_by(&house, second), Some(("li".to_owned(), Some(ContactKind::Sms))));
}

#[actix_web::test]
async fn a_press_in_slack_counts_for_whose_account_it_was() {
    let house = house();
    let service = house.service().await;
    let message = paged(&house, &service, ContactKind::Slack).await;
    let value = cap(&house, message);
    let press = |user: &str| {
        serde_json::json!({
            "type": "block_actions", "user": {"id": user}, "actions": [{"action_id": "ack", "value": value}]
        })
        .to_string()
    };
    let sign = |payload: &str, seconds: i64| {
        let body = url::form_urlencoded::Serializer::new(String::new()).append_pair("payload", payload).finish();
        let key = hmac::Key::new(hmac::HMAC_SHA256, SIGNING.as_bytes());
        let tag = hmac::sign(&key, format!("v0:{seconds}:{body}").as_bytes());
        let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        vec![("x-slack-request-timestamp", seconds.to_string()), ("x-slack-signature", format!("v0={hex}"))]
    };
    let now = clock::now().ms() / 1_000;
    let send = async |payload: String, headers: Vec<(&str, String)>| {
        post(&service, "/cb/slack", &[("payload", payload.as_str())], &headers).await.status.as_u16()
    };
    assert_eq!(send(press("U7"), Vec::new()).await, 403);
    assert_eq!(send(press("U7"), sign(&press("U7"), now - 3_600)).await, 403, "replayed an hour later");
    assert_eq!(send(press("U8"), sign(&press("U7"), now)).await, 403, "another body than was signed");
    assert_eq!(send(press("U8"), sign(&press("U8"), now)).await, 200);
    assert_eq!(state(&house, message.0).await, IncidentState::Triggered, "nobody has the account U8");
    assert_eq!(send(press("U7"), sign(&press("U7"), now)).await, 200);
    assert_eq!(acked_by(&house, message.0), Some(("li".to_owned(), Some(ContactKind::Slack))));
}

#[actix_web::test]
async fn a_press_in_telegram_is_answered_in_its_own_answer() {
    let house = house();
    let service = house.service().await;
    let message = paged(&house, &service, ContactKind::Telegram).await;
    let update = |user: i64| {
        let data = format!("a:{}", cap(&house, message));
        serde_json::json!({"update_id": 1, "callback_query": {"id": "9", "from": {"id": user}, "data": data}})
            .to_string()
    };
    let send = async |word: &str, body: String| {
        let update = request("POST", "/cb/telegram").insert_header(("x-telegram-bot-api-secret-token", word));
        call(&service, update.set_payload(body)).await
    };
    assert_eq!(send("other", update(77)).await.status, 403);
    let unknown = send("word", update(78)).await.json();
    assert!(unknown["text"].as_str().unwrap().contains("telegram = \"78\""), "{unknown}");
    assert_eq!(state(&house, message.0).await, IncidentState::Triggered);
    let done = send("word", update(77)).await.json();
    assert_eq!((&done["method"], &done["text"]), (&"answerCallbackQuery".into(), &"已认领，通知已停止。".into()));
    assert_eq!(acked_by(&house, message.0), Some(("li".to_owned(), Some(ContactKind::Telegram))));
}
