//! Devices that receive web pushes, registered by browsers, and the receipts their workers send without a session.

use super::house::{Answer, CONFIG, Doors, House, call, json, request};
use actix_web::http::header::CONTENT_TYPE;
use serde_json::{Value, json as value};
use server::{auth::caplink, clock};
use shared::{AttemptId, Delay, IncidentId, api::Role, timeline::Happening};

const ENDPOINT: &str = "https://fcm.googleapis.com/fcm/send/canary-endpoint";
const P256DH: &str = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";

fn subscription(endpoint: &str) -> Value {
    value!({"label": " My\u{202e} phone\n", "endpoint": endpoint, "p256dh": P256DH, "auth": AUTH, "language": "zh"})
}

fn house() -> House {
    let house = House::new();
    house.account("li", Role::Responder, Some("li"));
    house.account("anna", Role::Viewer, Some("anna"));
    house.account("root", Role::Admin, None);
    house
}

async fn register(house: &House, service: &Doors, login: &str, body: &Value) -> Answer {
    let asked = json("POST", "/api/v1/me/devices", body)
        .insert_header(("user-agent", "Firefox/150"))
        .cookie(house.cookie(login));
    call(service, asked).await
}

async fn devices(house: &House, service: &Doors, login: &str) -> Vec<Value> {
    let answer = call(service, request("GET", "/api/v1/me/devices").cookie(house.cookie(login))).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    for secret in ["canary-endpoint", P256DH, AUTH, "sealed:"] {
        assert!(!answer.text.contains(secret), "{}", answer.text);
    }
    answer.json()["items"].as_array().unwrap().clone()
}

#[actix_web::test]
async fn a_browser_registers_itself_renews_itself_and_is_removed() {
    let house = house();
    let service = house.service().await;
    let key = call(&service, request("GET", "/api/v1/push/key").cookie(house.cookie("anna"))).await.json();
    assert_eq!(key["key"].as_str().unwrap().len(), 87);
    assert_eq!(call(&service, request("GET", "/api/v1/push/key")).await.status, 401);
    assert!(devices(&house, &service, "li").await.is_empty());
    let made = register(&house, &service, "li", &subscription(ENDPOINT)).await;
    assert_eq!(made.status, 200, "{}", made.text);
    assert!(!made.text.contains("canary"), "{}", made.text);
    let row = made.json();
    assert_eq!((&row["label"], &row["service"]), (&"My phone".into(), &"fcm.googleapis.com".into()));
    assert_eq!(
        (&row["user_agent"], &row["language"], &row["dead_at"]),
        (&"Firefox/150".into(), &"zh".into(), &Value::Null)
    );
    let renewed =
        register(&house, &service, "li", &value!({"label": "", "endpoint": ENDPOINT, "p256dh": P256DH, "auth": AUTH}))
            .await;
    assert_eq!((&renewed.json()["id"], &renewed.json()["label"]), (&row["id"], &"My phone".into()));
    // Its worker says that it moved.
    let mut moved = subscription("https://fcm.googleapis.com/fcm/send/canary-endpoint-2");
    moved["label"] = "".into();
    moved["replaces"] = ENDPOINT.into();
    assert_eq!(register(&house, &service, "li", &moved).await.json()["label"], "My phone");
    let own = devices(&house, &service, "li").await;
    assert_eq!(own.len(), 1);
    // Only the first start of each is an act for the record.
    let record = house.store(|store| store.audit_list(None, 50)).unwrap();
    let acts = record.iter().filter(|it| it.action == "device.register").count();
    assert_eq!(acts, 2);
    let path = format!("/api/v1/me/devices/{}", own[0]["id"]);
    assert_eq!(call(&service, request("DELETE", &path).cookie(house.cookie("anna"))).await.status, 404);
    assert_eq!(devices(&house, &service, "li").await.len(), 1);
    assert_eq!(call(&service, request("DELETE", &path).cookie(house.cookie("li"))).await.status, 204);
    assert_eq!(call(&service, request("DELETE", &path).cookie(house.cookie("li"))).await.status, 404);
    assert!(devices(&house, &service, "li").await.is_empty());
}

#[actix_web::test]
async fn what_is_no_subscription_is_refused_with_the_reason() {
    let house = house();
    let service = house.service().await;
    for (field, wrong) in [
        ("endpoint", "https://169.254.169.254/latest/meta-data"),
        ("endpoint", "https://localhost/x"),
        ("endpoint", "http://fcm.googleapis.com/x"),
        ("endpoint", "https://fcm.googleapis.com.evil.example/x"),
        ("p256dh", "AAAA"),
        ("auth", "AAAA"),
        ("p256dh", &"A".repeat(300)),
    ] {
        let mut body = subscription(ENDPOINT);
        body[field] = wrong.into();
        let refused = register(&house, &service, "li", &body).await;
        assert_eq!(
            (refused.status.as_u16(), refused.code().as_str()),
            (422, "invalid"),
            "{field} {wrong}: {}",
            refused.text
        );
    }
    assert!(devices(&house, &service, "li").await.is_empty());
    let nobody = register(&house, &service, "root", &subscription(ENDPOINT)).await;
    assert_eq!(nobody.code(), "no_person");
    let program = json("POST", "/api/v1/me/devices", &subscription(ENDPOINT))
        .insert_header(("authorization", format!("Bearer {}", house.api_token(Role::Admin))));
    assert_eq!(call(&service, program).await.code(), "not_an_account");
    let foreign = json("POST", "/api/v1/me/devices", &subscription(ENDPOINT))
        .insert_header(("origin", "https://evil.example"))
        .cookie(house.cookie("li"));
    assert_eq!(call(&service, foreign).await.code(), "cross_site");
    for n in 0..10 {
        assert_eq!(register(&house, &service, "li", &subscription(&format!("{ENDPOINT}{n}"))).await.status, 200);
    }
    let eleventh = register(&house, &service, "li", &subscription(ENDPOINT)).await;
    assert_eq!((eleventh.status.as_u16(), eleventh.code().as_str()), (409, "too_many_devices"));
}

#[actix_web::test]
async fn an_own_push_service_is_allowed_by_the_configuration_in_force() {
    let own = "https://push.lan:8443/up/x";
    let house = House::with(&format!("{CONFIG}\n[channels.push]\nhosts = [\"push.lan\"]\n"), None);
    house.account("li", Role::Responder, Some("li"));
    let service = house.service().await;
    assert_eq!(register(&house, &service, "li", &subscription(own)).await.status, 200);
}

#[actix_web::test]
async fn devices_end_with_their_account() {
    let house = house();
    let service = house.service().await;
    let end = async |login: &str, change: Value| {
        register(&house, &service, login, &subscription(&format!("{ENDPOINT}{login}"))).await;
        assert_eq!(house.app.devices.live(&login.into()).len(), 1);
        let changed = json("PUT", &format!("/api/v1/accounts/{login}"), &change).cookie(house.cookie("root"));
        assert_eq!(call(&service, changed).await.status, 200);
        assert_eq!(house.app.devices.of(&login.into()), [], "{login}");
    };
    end("li", value!({"disabled": true})).await;
    end("anna", value!({"person": ""})).await;
}

/// An incident that paged Li, and what a push about it allows.
async fn paged(house: &House, service: &Doors, lives: Delay) -> (IncidentId, String) {
    let sent =
        request("POST", &format!("/ingest/{}", house.sender)).set_payload("[P0][PROBLEM][db-07][10.0.3.7][主库宕机]");
    let receipt = call(service, sent).await.json();
    let id = IncidentId(receipt["outcomes"][0]["incident"].as_i64().unwrap());
    let incident = house.app.runtime.incident(id).await.unwrap().unwrap();
    let attempt: AttemptId = incident.pages[0].attempts[0].id;
    (id, house.app.runtime.links().cap(id, &"li".into(), attempt, clock::now().after(lives)))
}

async fn say(service: &Doors, body: &Value, media: &'static str) -> u16 {
    let said = request("POST", "/p/r").insert_header((CONTENT_TYPE, media)).set_payload(body.to_string());
    call(service, said).await.status.as_u16()
}

/// What the incident's timeline has of receipts: their kind, and the device.
fn told(house: &House, id: IncidentId) -> Vec<(String, Option<String>)> {
    let timeline = house.store(|store| store.timeline(id)).unwrap();
    let of_receipt = timeline.into_iter().filter_map(|entry| match entry.what {
        Happening::DeliveryReceipt { receipt, device, .. } => {
            let kind = serde_json::to_value(&receipt).unwrap()["kind"].as_str().unwrap().to_owned();
            Some((kind, device.map(|it| it.to_string())))
        }
        _ => None,
    });
    of_receipt.collect()
}

#[actix_web::test]
async fn a_worker_says_what_became_of_a_page_and_saying_it_twice_changes_nothing() {
    let house = house();
    let service = house.service().await;
    register(&house, &service, "li", &subscription(ENDPOINT)).await;
    let device = devices(&house, &service, "li").await[0]["id"].clone();
    let (id, cap) = paged(&house, &service, caplink::LIFETIME).await;
    let shown = value!({"cap": cap, "kind": "shown", "device": device});
    for media in ["application/json", "text/plain;charset=UTF-8"] {
        assert_eq!(say(&service, &shown, media).await, 204);
    }
    // A device that is not this person's, or none, is not named.
    assert_eq!(say(&service, &value!({"cap": cap, "kind": "dismissed", "device": 999}), "text/plain").await, 204);
    assert_eq!(say(&service, &value!({"cap": cap, "kind": "opened"}), "text/plain").await, 204);
    // The engine's thread answers in turn: after this everything before it is stored.
    house.app.runtime.incident(id).await.unwrap();
    tokio_wait(|| told(&house, id).len() >= 2).await;
    let mark = |kind: &str| (kind.to_owned(), Some("My phone".to_owned()));
    assert_eq!(told(&house, id), [mark("shown"), ("dismissed".to_owned(), None)]);
    let own = &devices(&house, &service, "li").await[0];
    assert!(own["shown_at"].is_i64() && own["opened_at"].is_null(), "{own}");
    assert_eq!(say(&service, &value!({"cap": cap, "kind": "opened", "device": device}), "text/plain").await, 204);
    assert!(devices(&house, &service, "li").await[0]["opened_at"].is_i64());
}

async fn tokio_wait(done: impl Fn() -> bool) {
    for _ in 0..200 {
        if done() {
            return;
        }
        actix_web::rt::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[actix_web::test]
async fn a_receipt_needs_its_capability_and_what_is_old_is_taken_and_forgotten() {
    let house = house();
    let service = house.service().await;
    let (id, cap) = paged(&house, &service, Delay(-1)).await;
    let plain = "text/plain";
    assert_eq!(say(&service, &value!({"cap": cap, "kind": "shown"}), plain).await, 204, "a worker need not keep it");
    let (forged, unknown) = (format!("B{}", &cap[1..]), IncidentId(999));
    let gone =
        house.app.runtime.links().cap(unknown, &"li".into(), AttemptId(9_999), clock::now().after(Delay(60_000)));
    assert_eq!(say(&service, &value!({"cap": gone, "kind": "shown"}), plain).await, 204);
    for (body, status) in [
        (value!({"cap": forged, "kind": "shown"}), 404),
        (value!({"cap": "", "kind": "shown"}), 404),
        (value!({"cap": cap, "kind": "delivered"}), 400),
        (value!({"kind": "shown"}), 400),
        (value!([]), 400),
        (value!({"cap": "x".repeat(3_000), "kind": "shown"}), 413),
    ] {
        assert_eq!(say(&service, &body, plain).await, status, "{body}");
    }
    assert_eq!(call(&service, request("GET", "/p/r")).await.status, 405);
    assert_eq!(call(&service, request("GET", "/p/x")).await.status, 404);
    // The engine's thread answers in turn: after this everything before it is stored.
    house.app.runtime.incident(id).await.unwrap();
    assert_eq!(told(&house, id), []);
    // Whoever floods it is slowed down.
    let mut statuses = Vec::new();
    for _ in 0..700 {
        statuses.push(say(&service, &value!({"cap": "", "kind": "shown"}), plain).await);
    }
    assert!(statuses.contains(&429) && statuses[0] == 404, "{statuses:?}");
}
