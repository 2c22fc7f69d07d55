//! What WeCom calls back with, as another implementation of its callbacks seals it and reads our answers.

use super::house::{Answer, Doors, House, call, request};
use e2e::oracle::ask;
use serde_json::{Value, json};
use server::{answers::wecom::Keys, auth::caplink, clock};
use shared::{AttemptId, Delay, IncidentId, IncidentState, PersonId, Timestamp, config::ContactKind, timeline::Actor};

const TOKEN: &str = "tok";
/// Its last letter has bits that mean nothing.
const AES_KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
const CORP: &str = "ww1";

const CONFIG: &str = r#"
fallback = ["person:li"]
people = [
  { id = "li", name = "李伟", language = "zh", contacts = [{ id = "card", wecom = "user:LiWei" }] },
  { id = "anna", name = "Anna", contacts = [{ id = "card", wecom = "user:anna" }, { id = "other", wecom = "robot" }] },
]
policies = [{ id = "p", levels = [{ notify = ["person:li"], delay = "5m" }] }]
routes = [{ id = "all", policy = "p" }]

[channels.wecom]
base = "http://127.0.0.1:9"
corp_id = "ww1"
agent_id = 1000002
secret = "s"
token = "tok"
aes_key = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
"#;

/// Asks wechatpy.
fn oracle(questions: &[Value]) -> Vec<String> {
    let questions: Vec<Value> = questions
        .iter()
        .map(|question| {
            let mut question = question.clone();
            question["token"] = TOKEN.into();
            question["aes_key"] = AES_KEY.into();
            question["corp_id"] = CORP.into();
            question
        })
        .collect();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracles/wecom.py");
    serde_json::from_value(ask(script, &json!(questions)).unwrap()).unwrap()
}

fn keys() -> Keys {
    Keys::new(TOKEN, AES_KEY, CORP).unwrap()
}

fn field<'a>(xml: &'a str, name: &str) -> &'a str {
    let inner = xml.split(&format!("<{name}>")).nth(1).unwrap().split(&format!("</{name}>")).next().unwrap();
    inner.trim().trim_start_matches("<![CDATA[").trim_end_matches("]]>")
}

/// The address a sealed text comes to, with what it is signed by.
fn address(sealed: &str) -> String {
    let query: String = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("msg_signature", field(sealed, "MsgSignature"))
        .append_pair("timestamp", field(sealed, "TimeStamp"))
        .append_pair("nonce", field(sealed, "Nonce"))
        .finish();
    format!("/cb/wecom?{query}")
}

async fn post(service: &Doors, sealed: &str) -> Answer {
    call(service, request("POST", &address(sealed)).set_payload(sealed.to_owned())).await
}

/// A press of a button, in WeCom's words.
fn press(user: &str, key: &str) -> String {
    format!(
        "<xml><ToUserName><![CDATA[{CORP}]]></ToUserName><FromUserName><![CDATA[{user}]]></FromUserName>\
         <CreateTime>1700000000</CreateTime><MsgType><![CDATA[event]]></MsgType>\
         <Event><![CDATA[template_card_event]]></Event><EventKey><![CDATA[{key}]]></EventKey>\
         <TaskId><![CDATA[test-1]]></TaskId><CardType><![CDATA[button_interaction]]></CardType>\
         <ResponseCode><![CDATA[code]]></ResponseCode><AgentID>1000002</AgentID></xml>"
    )
}

fn sealed(text: &str, at: Timestamp) -> String {
    keys().seal(text, [5; 16], "nonce1", at)
}

/// What stands in the place of the button afterwards.
fn said(answer: &Answer) -> String {
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "text/xml; charset=utf-8"));
    let stamp = server::answers::wecom::Stamp {
        signature: field(&answer.text, "MsgSignature"),
        timestamp: field(&answer.text, "TimeStamp"),
        nonce: field(&answer.text, "Nonce"),
    };
    let text = keys().open(stamp, field(&answer.text, "Encrypt"), clock::now()).unwrap();
    assert_eq!(field(&text, "MsgType"), "update_button");
    field(&text, "ReplaceName").to_owned()
}

async fn incident(house: &House, service: &Doors) -> IncidentId {
    let line = "[P0][PROBLEM][db-07][10.0.3.7][down]";
    let sent = request("POST", &format!("/ingest/{}", house.sender)).set_payload(line);
    let receipt = call(service, sent).await.json();
    IncidentId(receipt["outcomes"][0]["incident"].as_i64().unwrap())
}

fn cap(house: &House, incident: IncidentId, person: &str, lives: Delay) -> String {
    let expires = clock::now().after(lives);
    house.app.runtime.links().cap(incident, &person.into(), AttemptId(1), expires)
}

/// How it stands, and who answered by WeCom.
async fn answered(house: &House, id: IncidentId) -> (IncidentState, Option<PersonId>) {
    let incident = house.app.runtime.incident(id).await.unwrap().unwrap();
    let by = incident.ack.map(|ack| match ack.by {
        Actor::Link { person, via: Some(ContactKind::WeCom) } => person,
        other => panic!("{other:?}"),
    });
    (incident.state, by)
}

#[actix_web::test]
async fn another_implementation_is_understood_and_understands_us() {
    let house = House::with(CONFIG, None);
    let service = house.service().await;
    let id = incident(&house, &service).await;
    let now = (clock::now().ms() / 1_000).to_string();
    let seal = |text: &str| json!({"do": "seal", "text": text, "nonce": "n-1", "timestamp": now});
    let theirs =
        oracle(&[seal("1616140317555161061 字"), seal(&press("LiWei", &cap(&house, id, "li", caplink::LIFETIME)))]);

    // Our address is checked first.
    let word: String = url::form_urlencoded::Serializer::new(address(&theirs[0]))
        .append_pair("echostr", field(&theirs[0], "Encrypt"))
        .finish();
    let shown = call(&service, request("GET", &word)).await;
    assert_eq!((shown.status.as_u16(), shown.text.as_str()), (200, "1616140317555161061 字"));

    let answer = post(&service, &theirs[1]).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answered(&house, id).await, (IncidentState::Acked, Some("li".into())));
    let ours = oracle(&[
        json!({
            "do": "open", "sealed": answer.text, "signature": field(&answer.text, "MsgSignature"),
            "timestamp": field(&answer.text, "TimeStamp"), "nonce": field(&answer.text, "Nonce"),
        }),
        json!({
            "do": "echo", "echostr": field(&answer.text, "Encrypt"), "signature": field(&answer.text, "MsgSignature"),
            "timestamp": field(&answer.text, "TimeStamp"), "nonce": field(&answer.text, "Nonce"),
        }),
    ]);
    assert_eq!(ours[0], ours[1]);
    assert_eq!((field(&ours[0], "ToUserName"), field(&ours[0], "ReplaceName")), ("LiWei", "已认领，谢谢。"));
}

#[actix_web::test]
async fn who_presses_answers_as_themselves_and_a_stranger_does_not() {
    let house = House::with(CONFIG, None);
    let service = house.service().await;
    let id = incident(&house, &service).await;
    let key = cap(&house, id, "li", caplink::LIFETIME);
    let pressed = |user: &str| sealed(&press(user, &key), clock::now());
    for stranger in ["wang", "robot", "user:anna"] {
        assert_eq!(said(&post(&service, &pressed(stranger)).await), "Tocsin 中没有您的账号", "{stranger}");
    }
    assert_eq!(answered(&house, id).await, (IncidentState::Triggered, None));
    // Their names are the same in any letters.
    assert_eq!(said(&post(&service, &pressed("ANNA")).await), "Acknowledged. Thank you.");
    assert_eq!(answered(&house, id).await, (IncidentState::Acked, Some("anna".into())));
    assert_eq!(said(&post(&service, &pressed("LiWei")).await), "已由 Anna 认领。");
    assert_eq!(answered(&house, id).await.1, Some("anna".into()));
    let expired = cap(&house, id, "li", Delay(-1));
    for key in [expired.as_str(), "rubbish", "ack"] {
        assert_eq!(said(&post(&service, &sealed(&press("LiWei", key), clock::now())).await), "已失效，请打开 Tocsin");
    }
    let other = sealed(&press("LiWei", &key).replace("template_card_event", "enter_agent"), clock::now());
    let other = post(&service, &other).await;
    assert_eq!((other.status.as_u16(), other.text.as_str()), (200, ""));
}

#[actix_web::test]
async fn what_is_not_sealed_just_now_by_wecom_does_nothing() {
    let house = House::with(CONFIG, None);
    let service = house.service().await;
    let id = incident(&house, &service).await;
    let text = press("LiWei", &cap(&house, id, "li", caplink::LIFETIME));
    let good = sealed(&text, clock::now());
    let foreign = Keys::new(TOKEN, AES_KEY, "ww2").unwrap().seal(&text, [5; 16], "n", clock::now());
    let unsigned = Keys::new("other", AES_KEY, CORP).unwrap().seal(&text, [5; 16], "n", clock::now());
    for (body, code) in [
        (sealed(&text, clock::now().plus_ms(-301_000)), "stale"),
        (sealed(&text, clock::now().plus_ms(310_000)), "stale"),
        (good.replace("nonce1", "nonce2"), "bad_signature"),
        (unsigned, "bad_signature"),
        (foreign, "bad_seal"),
    ] {
        let answer = post(&service, &body).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (403, code), "{}", answer.text);
    }
    let bodies = [String::new(), "<xml>".to_owned(), text.clone(), "\u{0}".to_owned()];
    for body in bodies {
        let answer = call(&service, request("POST", &address(&good)).set_payload(body)).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (400, "bad_callback"));
    }
    let long = call(&service, request("POST", &address(&good)).set_payload("x".repeat(20_000))).await;
    assert_eq!(long.status, 413, "{}", long.text);
    assert_eq!(call(&service, request("GET", "/cb/wecom")).await.status, 400);
    assert_eq!(call(&service, request("PUT", &address(&good))).await.status, 405);
    assert_eq!(answered(&house, id).await, (IncidentState::Triggered, None));
}

#[actix_web::test]
async fn without_a_key_nothing_is_there() {
    let sealed = sealed(&press("LiWei", "x"), clock::now());
    for config in [CONFIG.replace("aes_key =", "# "), CONFIG.replace(AES_KEY, "short")] {
        let house = House::with(&config, None);
        let service = house.service().await;
        assert_eq!(post(&service, &sealed).await.status, 404);
        assert_eq!(call(&service, request("GET", &address(&sealed))).await.status, 404);
    }
}
