//! JSON that nobody knows: captured, mapped, tried, put in force, and read by that from then on.

use super::house::{CONFIG, Doors, House, call, json, request};
use serde_json::{Value, json};
use shared::api::Role;

const BODY: &str = r#"{"what":{"title":"replication lag"},"where":"db-07","badness":"crit","phase":"raised"}"#;

fn mapping() -> Value {
    json!({
        "summary": "{/what/title} on {/where}",
        "host": "/where",
        "severity": { "from": "/badness", "words": { "crit": "P0" } },
        "status": { "from": "/phase", "words": { "raised": "trigger", "gone": "resolve" } },
    })
}

async fn put(house: &House, service: &Doors, body: &Value, version: i64) -> super::house::Answer {
    let tag = format!("\"{version}\"");
    let put = json("PUT", "/api/v1/config/sections", body).cookie(house.cookie("admin"));
    call(service, put.insert_header(("if-match", tag))).await
}

#[actix_web::test]
async fn a_mapping_is_tried_on_a_captured_message_and_then_reads_the_next() {
    let house = House::new();
    let service = house.service().await;
    house.account("admin", Role::Admin, None);
    house.account("v", Role::Viewer, None);
    let get = |path: &str| request("GET", path).cookie(house.cookie("v"));
    let made = json("POST", "/api/v1/integrations", &json!({ "name": "Shop" })).cookie(house.cookie("admin"));
    let made = call(&service, made).await.json();
    let url = made["url"].as_str().unwrap().strip_prefix("http://127.0.0.1:8080").unwrap().to_owned();
    let send = |body: &str| {
        request("POST", &url).insert_header(("content-type", "application/json")).set_payload(body.to_owned())
    };
    // Nothing in it has a name we know: a P3 without a text.
    let event = call(&service, send(BODY)).await.json()["event"].as_i64().unwrap();
    let try_it = |body: &Value| json("POST", "/api/v1/preview/mapping", body).cookie(house.cookie("v"));
    let tried = call(&service, try_it(&json!({ "event": event }))).await.json();
    let plain = &tried["preview"]["events"][0];
    assert_eq!((&plain["severity"], &plain["summary"]), (&json!("P3"), &json!("(no text)")), "{tried}");
    // The draft reads the same stored message, and says from where.
    let tried = call(&service, try_it(&json!({ "event": event, "mapping": mapping() }))).await.json();
    let mapped = &tried["preview"]["events"][0];
    assert_eq!((&mapped["severity"], &mapped["host"]), (&json!("P0"), &json!("db-07")), "{tried}");
    assert_eq!(mapped["summary"], "replication lag on db-07");
    let origins = mapped["origins"].as_array().unwrap();
    assert!(origins.contains(&json!({ "field": "host", "at": "/where", "mapped": true })), "{tried}");
    assert_eq!(tried["findings"], json!([]));
    // A draft that is wrong is read as far as it goes, and what is wrong is named.
    let wrong = json!({ "body": BODY, "mapping": { "host": "{where}", "summary": "/what/title" } });
    let tried = call(&service, try_it(&wrong)).await.json();
    assert_eq!(tried["findings"][0]["path"], "mapping.host");
    assert_eq!(tried["preview"]["events"][0]["summary"], "replication lag");
    assert_eq!(call(&service, try_it(&json!({}))).await.json()["field"], "body");
    assert_eq!(call(&service, try_it(&json!({ "event": 987_654 }))).await.status, 404);
    assert_eq!(call(&service, try_it(&json!({ "body": "", "mapping": { "hots": "/a" } }))).await.status, 400);
    // Put in force beside everything else; whoever looked at an older version is told, and a bad one is refused.
    let report = put(&house, &service, &json!({ "mappings": { "shop": mapping() } }), 1).await.json();
    assert_eq!(report["changes"], json!(["integrations +shop"]), "{report}");
    assert!(house.store(|store| store.config_at(2)).unwrap().unwrap().starts_with(CONFIG));
    assert_eq!(put(&house, &service, &json!({ "mappings": { "shop": null } }), 1).await.code(), "version_conflict");
    let refused = put(&house, &service, &json!({ "mappings": { "shop": { "host": "nowhere}" } } }), 2).await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (422, "config_refused"));
    assert_eq!(refused.json()["findings"][0]["path"], "integrations[shop].mapping.host");
    let reader = json("PUT", "/api/v1/config/sections", &json!({ "mappings": {} })).cookie(house.cookie("v"));
    assert_eq!(call(&service, reader).await.status, 403);
    // The next message opens an incident with the mapped fields, and read again it is marked the same way.
    let receipt = call(&service, send(BODY)).await.json();
    let incident = receipt["outcomes"][0]["incident"].as_i64().unwrap();
    let detail = call(&service, get(&format!("/api/v1/incidents/{incident}"))).await.json();
    let alert = &detail["alerts"][0];
    assert_eq!(alert["event"]["host"], "db-07", "{detail}");
    assert_eq!((&detail["row"]["severity"], &detail["row"]["host"]), (&json!("P0"), &json!("db-07")), "{detail}");
    let message = call(&service, get(&format!("/api/v1/events/{}", receipt["event"]))).await.json();
    let fields = message["fields"].as_array().unwrap();
    assert!(fields.iter().any(|it| it["field"] == "severity" && it["mapped"] == true), "{message}");
    // Its own word ends it.
    let over = call(&service, send(&BODY.replace("raised", "gone"))).await.json();
    assert_eq!(over["outcomes"][0]["outcome"], "closed", "{over}");
    assert_eq!(over["outcomes"][0]["incident"], incident);
    // The sender keeps its name, and without its mapping it is read as before.
    let senders = call(&service, get("/api/v1/integrations")).await.json();
    let row = senders["items"].as_array().unwrap().iter().find(|row| row["id"] == "shop").unwrap().clone();
    assert_eq!(row["name"], "Shop");
    let report = put(&house, &service, &json!({ "mappings": { "shop": null } }), 2).await.json();
    assert_eq!(report["changes"], json!(["integrations ~shop"]), "{report}");
    let tried = call(&service, try_it(&json!({ "body": BODY, "integration": "shop" }))).await.json();
    assert_eq!(tried["preview"]["events"][0]["severity"], "P3");
}

#[actix_web::test]
async fn what_was_refused_is_tried_from_the_quarantine() {
    let house = House::new();
    let service = house.service().await;
    house.account("v", Role::Viewer, None);
    let body = r#"{"items":[]}"#;
    let zabbix = r#"{"zabbix":{"event_id":"{EVENT.ID}","event_name":"disk full"},"box":"db-07"}"#;
    let send = request("POST", &format!("/ingest/{}", house.sender));
    let send = send.insert_header(("content-type", "application/json")).set_payload(zabbix);
    let refused = call(&service, send).await;
    assert_eq!(refused.code(), "not_understood");
    let quarantine = request("GET", "/api/v1/events?outcome=rejected").cookie(house.cookie("v"));
    let event = call(&service, quarantine).await.json()["items"][0]["id"].clone();
    let trial = json!({ "event": event, "mapping": { "host": "/box", "summary": "/zabbix/event_name" } });
    let tried = json("POST", "/api/v1/preview/mapping", &trial).cookie(house.cookie("v"));
    let tried = call(&service, tried).await.json();
    assert_eq!(tried["preview"]["rejected"], json!([]), "{tried}");
    assert_eq!(tried["preview"]["events"][0]["summary"], "disk full");
    let trial = json!({ "body": body, "mapping": { "each": "/items", "host": "/box" } });
    let tried = json("POST", "/api/v1/preview/mapping", &trial).cookie(house.cookie("v"));
    assert_eq!(call(&service, tried).await.json()["preview"]["rejected"][0]["kind"], "empty");
}
