//! What Alibaba Cloud and Tencent Cloud tell of text messages and calls, under addresses that only they were given.

use super::{
    house::{Answer, Doors, House, call, request},
    provider::Provider,
};
use serde_json::{Value, json};
use server::answers::{aliyun, tencent};
use shared::{Attempt, AttemptState, IncidentId, IncidentState, api::Role, config::ContactKind, timeline::Actor};
use std::time::Duration;

fn config(carrier: &Provider) -> String {
    let at = carrier.at;
    format!(
        r#"
fallback = ["person:li"]
people = [
  {{ id = "li", name = "李伟", contacts = [{{ id = "text", sms = "+8613800138000" }}, {{ id = "call", voice = "+8613800138000" }}] }},
]
policies = [{{ id = "p", levels = [{{ notify = ["person:li"], delay = "5m" }}] }}]
routes = [{{ id = "all", policy = "p" }}]

[channels]
sms = "aliyun"
voice = "aliyun"
[channels.aliyun]
key_id = "id"
key_secret = "secret"
sign_name = "s"
sms_template = "SMS_1"
voice_number = "02100000000"
voice_template = "TTS_1"
voice_menu = true
sms_base = "http://{at}"
voice_base = "http://{at}"
"#
    )
}

fn carrier() -> Provider {
    Provider::new(|line| {
        let id = if line.contains("Action=SendSms") {
            json!({"Code": "OK", "BizId": "b-1"})
        } else {
            json!({"Code": "OK", "CallId": "c-1"})
        };
        ("200 OK", id.to_string())
    })
}

async fn addresses(house: &House, service: &Doors, name: &str) -> Vec<String> {
    let bearer = ("authorization", format!("Bearer {}", house.api_token(Role::Admin)));
    let shown = call(service, request("GET", "/api/v1/channels").insert_header(bearer)).await.json();
    let row = shown["items"].as_array().unwrap().iter().find(|row| row["name"] == name).unwrap().clone();
    let all: Vec<String> = serde_json::from_value(row["callback"].clone()).unwrap();
    assert_eq!(row["configured"], !all.is_empty(), "{row}");
    all.iter().map(|it| it.strip_prefix(super::house::OWN_URL).unwrap().to_owned()).collect()
}

async fn post(service: &Doors, address: &str, body: &Value) -> Answer {
    call(service, request("POST", address).set_payload(body.to_string())).await
}

/// The delivery of this kind, once the carrier has taken it.
async fn taken(house: &House, id: IncidentId, channel: ContactKind) -> Attempt {
    for _ in 0..500 {
        let incident = house.app.runtime.incident(id).await.unwrap().unwrap();
        let mut attempts = incident.pages.iter().flat_map(|page| &page.attempts);
        if let Some(found) = attempts.find(|it| it.channel == channel && it.state == AttemptState::Accepted) {
            return found.clone();
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("nothing was taken in 10 s");
}

async fn incident(house: &House, service: &Doors) -> IncidentId {
    let sent =
        request("POST", &format!("/ingest/{}", house.sender)).set_payload("[P0][PROBLEM][db-07][10.0.3.7][down]");
    IncidentId(call(service, sent).await.json()["outcomes"][0]["incident"].as_i64().unwrap())
}

#[actix_web::test]
async fn a_receipt_is_noted_and_a_key_answers() {
    let carrier = carrier();
    let house = House::with(&config(&carrier), None);
    let service = house.service().await;
    let id = incident(&house, &service).await;
    let text = taken(&house, id, ContactKind::Sms).await;
    let of_call = taken(&house, id, ContactKind::Voice).await;
    let [sms, voice, _] = addresses(&house, &service, "aliyun").await.try_into().unwrap();
    let key = |it: &Attempt| format!("test-{}", it.id);

    // With one account for two servers another one's message may have our number.
    let other = json!([{"success": true, "biz_id": "b-9", "out_id": key(&text)}]);
    let report = json!([{"success": true, "biz_id": "b-1", "out_id": key(&text)}, {"odd": 1}]);
    for (body, delivered) in [(&other, false), (&json!([]), false), (&json!("x"), false), (&report, true)] {
        let answer = post(&service, &sms, body).await;
        assert_eq!((answer.status.as_u16(), answer.text.as_str()), (200, aliyun::TAKEN));
        let proof = taken(&house, id, ContactKind::Sms).await.proof.unwrap();
        assert_eq!(proof.delivered_at.is_some(), delivered, "{body}");
    }
    let ended = |dtmf: &str| json!([{"call_id": "c-1", "status_code": "200000", "duration": "9", "out_id": key(&of_call), "dtmf": dtmf}]);
    // The report of a text message is no report of a call.
    assert_eq!(post(&service, &sms, &ended("4")).await.status, 200);
    assert_eq!(house.app.runtime.incident(id).await.unwrap().unwrap().state, IncidentState::Triggered);
    for _ in 0..2 {
        assert_eq!(post(&service, &voice, &ended("4")).await.text, aliyun::TAKEN);
    }
    let acked = house.app.runtime.incident(id).await.unwrap().unwrap();
    assert_eq!(acked.state, IncidentState::Acked);
    assert_eq!(acked.ack.unwrap().by, Actor::Link { person: "li".into(), via: Some(ContactKind::Voice) });
    assert!(taken(&house, id, ContactKind::Voice).await.proof.unwrap().seen_at.is_some());
}

#[actix_web::test]
async fn what_a_carrier_repeats_escalates_once() {
    let carrier = carrier();
    let two = r#"levels = [{ notify = ["person:li"], delay = "5m" }, { notify = ["person:li"], delay = "5m" }, { notify = ["person:li"], delay = "5m" }]"#;
    let text = config(&carrier).replace(r#"levels = [{ notify = ["person:li"], delay = "5m" }]"#, two);
    let house = House::with(&text, None);
    let service = house.service().await;
    let id = incident(&house, &service).await;
    let of_call = taken(&house, id, ContactKind::Voice).await;
    let [_, voice, _] = addresses(&house, &service, "aliyun").await.try_into().unwrap();
    let key = format!("test-{}", of_call.id);
    let during = json!([{"call_id": "c-1", "status_code": "300000", "dtmf": "5", "out_id": key}]);
    let after = json!([{"call_id": "c-1", "status_code": "200000", "duration": "9", "dtmf": "5", "out_id": key}]);
    for body in [&during, &after, &after] {
        assert_eq!(post(&service, &voice, body).await.text, aliyun::TAKEN);
    }
    let timeline = house.store(|store| store.timeline(id)).unwrap();
    let by_hand = timeline.iter().filter(|entry| matches!(entry.actor, Actor::Link { .. })).count();
    assert_eq!(by_hand, 1, "{timeline:?}");
}

#[actix_web::test]
async fn nobody_else_is_listened_to() {
    let carrier = carrier();
    let house = House::with(&config(&carrier), None);
    let service = house.service().await;
    let [sms, voice, _] = addresses(&house, &service, "aliyun").await.try_into().unwrap();
    assert_eq!(addresses(&house, &service, "tencent").await, Vec::<String>::new());
    let other = voice.replace("aliyun", "tencent");
    let guessed = format!("/cb/aliyun/{}/sms", "A".repeat(22));
    for address in [other.as_str(), &guessed, "/cb/aliyun/x/voice", "/cb/tencent/x/sms"] {
        assert_eq!(post(&service, address, &json!([])).await.status, 404, "{address}");
    }
    assert_eq!(call(&service, request("GET", &sms)).await.status, 405);
    let long = call(&service, request("POST", &sms).set_payload("x".repeat(300_000))).await;
    assert_eq!(long.status, 413);

    let text = config(&carrier) + "[channels.tencent]\nsecret_id = \"i\"\nsecret_key = \"k\"\n";
    let house = House::with(&text, None);
    let service = house.service().await;
    let [_, voice, _] = addresses(&house, &service, "tencent").await.try_into().unwrap();
    let body = json!({"voicekey_callback": {"callid": "nobody's", "keypress": "4"}});
    assert_eq!(post(&service, &voice, &body).await.text, tencent::TAKEN);
}
