//! Test pages: followed to the end by whoever began them, and heard of by nobody else.

use super::house::{CONFIG, Doors, House, call, json, request};
use actix_web::http::header::CONTENT_TYPE;
use serde_json::{Value, json as value};
use server::{auth::caplink, clock, runtime::TEST};
use shared::{AttemptId, api::Role};

const CARD: &str = "/api/v1/me/contact-card.vcf";
const P256DH: &str = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";

async fn device(house: &House, service: &Doors, extra: Value) -> (u16, Value) {
    let mut body = value!({
        "label": "Pixel", "endpoint": "https://fcm.googleapis.com/fcm/send/1", "p256dh": P256DH, "auth": AUTH
    });
    body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    let answer = call(service, json("POST", "/api/v1/me/devices", &body).cookie(house.cookie("li"))).await;
    (answer.status.as_u16(), answer.json())
}

/// The steps of a test, in words.
async fn steps(house: &House, service: &Doors, id: i64) -> Vec<String> {
    let path = format!("/api/v1/me/test-pages/{id}");
    let page = call(service, request("GET", &path).cookie(house.cookie("li"))).await.json();
    let word = |hop: &Value| {
        let step = &hop["step"];
        format!("{} {}", step["receipt"]["kind"].as_str().unwrap_or("-"), step["device"].as_str().unwrap_or("-"))
    };
    // How its provider answers comes when it comes.
    let heard = page["hops"].as_array().unwrap().iter().filter(|hop| hop["step"]["kind"] == "heard");
    heard.map(word).collect()
}

#[actix_web::test]
async fn a_test_is_followed_until_it_is_touched_and_no_incident_comes_of_it() {
    let house = House::new();
    house.account("li", Role::Responder, Some("li"));
    house.account("anna", Role::Responder, Some("anna"));
    let service = house.service().await;
    let (_, row) = device(&house, &service, value!({})).await;
    let begin = |login: &str, body: Value| {
        call(&service, json("POST", "/api/v1/me/test-pages", &body).cookie(house.cookie(login)))
    };
    let of_device = value!({"device": row["id"], "severity": "P0"});
    assert_eq!(begin("anna", of_device.clone()).await.status, 404, "another's device");
    for nothing in [value!({"severity": "P0"}), value!({"severity": "P0", "contact": "nowhere"})] {
        assert_eq!(begin("li", nothing).await.status, 422);
    }
    let begun = begin("li", of_device).await;
    assert_eq!(begun.status, 200, "{}", begun.text);
    let id = begun.json()["id"].as_i64().unwrap();
    assert_eq!(begun.json()["hops"][0]["step"]["kind"], "queued");

    let sent = clock::now().plus_ms(-900);
    let cap = house.app.runtime.links().cap(TEST, &"li".into(), AttemptId(id), sent.after(caplink::LIFETIME));
    let shown = value!({"cap": cap, "kind": "shown", "device": row["id"], "late_ms": 300});
    let said = request("POST", "/p/r").insert_header((CONTENT_TYPE, "text/plain")).set_payload(shown.to_string());
    assert_eq!(call(&service, said).await.status, 204);
    assert_eq!(steps(&house, &service, id).await, ["shown Pixel"]);
    let own = call(&service, request("GET", "/api/v1/me/devices").cookie(house.cookie("li"))).await.json();
    let delay = own["items"][0]["delay"]["last_ms"].as_i64().unwrap();
    assert!((600..5_000).contains(&delay), "from sending to showing, without what it was late: {delay}");

    let link = format!("/a/{cap}");
    let page = call(&service, request("GET", &link)).await;
    assert!(page.status == 200 && page.text.contains("一切正常"), "{}", page.text);
    assert_eq!(steps(&house, &service, id).await.len(), 1, "looking is not answering");
    assert_eq!(call(&service, request("POST", &link)).await.status, 303);
    assert_eq!(steps(&house, &service, id).await, ["shown Pixel", "opened -"]);
    let path = format!("/api/v1/me/test-pages/{id}");
    assert_eq!(call(&service, request("GET", &path).cookie(house.cookie("anna"))).await.status, 404);
    let incidents = call(&service, request("GET", "/api/v1/incidents").cookie(house.cookie("li"))).await.json();
    assert_eq!(incidents["items"], value!([]));
}

#[actix_web::test]
async fn an_owner_changes_a_device_and_a_removed_one_does_not_renew_itself() {
    let house = House::new();
    house.account("li", Role::Viewer, Some("li"));
    house.account("anna", Role::Viewer, Some("anna"));
    let service = house.service().await;
    assert_eq!(device(&house, &service, value!({"renew": true})).await.0, 404);
    let (_, row) = device(&house, &service, value!({})).await;
    assert_eq!((&row["private"], &row["rang"], &row["doubt"]), (&false.into(), &Value::Null, &Value::Null));
    let path = format!("/api/v1/me/devices/{}", row["id"]);
    let change = |login: &str, body: Value| call(&service, json("PUT", &path, &body).cookie(house.cookie(login)));
    assert_eq!(change("anna", value!({"private": true})).await.status, 404);
    let changed = change("li", value!({"private": true, "label": " Desk\n", "heard": false})).await.json();
    assert_eq!(
        (&changed["private"], &changed["label"], &changed["rang"]["heard"]),
        (&true.into(), &"Desk".into(), &false.into())
    );
    // Renewing keeps what its owner decided.
    let (status, renewed) = device(&house, &service, value!({"renew": true, "label": ""})).await;
    assert_eq!((status, &renewed["private"], &renewed["label"]), (200, &true.into(), &"Desk".into()));
    assert_eq!(change("li", value!({"label": " "})).await.json()["label"], "Desk");
}

#[actix_web::test]
async fn the_contact_card_names_who_calls() {
    let nobody = House::new();
    nobody.account("li", Role::Viewer, Some("li"));
    let nothing = call(&nobody.service().await, request("GET", CARD).cookie(nobody.cookie("li"))).await;
    assert_eq!(nothing.status, 204);
    let twilio = "channels.twilio = { account = \"AC1\", token = \"canary\", from = \"+15551230000\" }\n";
    let house = House::with(&format!("{twilio}{CONFIG}"), None);
    house.account("li", Role::Viewer, Some("li"));
    let service = house.service().await;
    let card = call(&service, request("GET", CARD).cookie(house.cookie("li"))).await;
    assert!(card.status == 200 && card.text.contains("VOICE:+15551230000\r\n"), "{} {}", card.status, card.text);
    assert!(!card.text.contains("canary"));
    assert_eq!(call(&service, request("GET", CARD)).await.status, 401);
}
