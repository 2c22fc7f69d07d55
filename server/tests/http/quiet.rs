//! Silences: made with a reason, shown before they are made, and ended; what fires on pages afterwards.

use super::house::{Doors, House, call, json as body, request};
use actix_web::test::TestRequest;
use serde_json::json;
use server::clock;
use shared::{Incident, IncidentId, SuppressedBy, api::Role};

/// A program with a token.
struct Caller(String);

impl Caller {
    fn get(&self, path: &str) -> TestRequest {
        request("GET", path).insert_header(("authorization", format!("Bearer {}", self.0)))
    }

    fn send(&self, method: &str, path: &str, value: &serde_json::Value) -> TestRequest {
        body(method, path, value).insert_header(("authorization", format!("Bearer {}", self.0)))
    }
}

async fn fires(house: &House, service: &Doors, line: &str) -> Incident {
    let sent = request("POST", &format!("/ingest/{}", house.sender)).set_payload(line.to_owned());
    let receipt = call(service, sent).await.json();
    let id = IncidentId(receipt["outcomes"][0]["incident"].as_i64().unwrap());
    house.app.runtime.incident(id).await.unwrap().unwrap()
}

#[actix_web::test]
async fn a_silence_is_previewed_made_seen_and_ended() {
    let house = House::new();
    let service = house.service().await;
    let li = Caller(house.api_token(Role::Responder));
    let before = fires(&house, &service, "[P1][PROBLEM][db-07][10.0.3.7][disk is full]").await;
    assert!(!before.pages.is_empty());
    fires(&house, &service, "[P1][PROBLEM][web-01][10.0.3.8][disk is full]").await;

    let wanted = json!({
        "match": ["host=db-07"], "reason": "moving the disk", "ends_at": clock::now().plus_ms(3_600_000).0
    });
    let shown = call(&service, li.send("POST", "/api/v1/silences/preview", &wanted)).await.json();
    assert_eq!((shown["open_total"].as_i64(), shown["week_total"].as_i64()), (Some(1), Some(1)), "{shown}");
    assert_eq!(shown["open"][0]["host"], "db-07");

    let made = call(&service, li.send("POST", "/api/v1/silences", &wanted)).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let id = made.json()["id"].as_i64().unwrap();
    let quiet = house.app.runtime.incident(before.id).await.unwrap().unwrap();
    assert!(matches!(quiet.suppressed[..], [SuppressedBy::Silence { .. }]), "{:?}", quiet.suppressed);
    assert!(quiet.escalations.iter().all(|escalation| escalation.due.is_none()));
    let after = fires(&house, &service, "[P0][PROBLEM][db-07][10.0.3.7][host is down]").await;
    assert!(after.pages.is_empty(), "a P0 that somebody silenced pages nobody");

    let listed = call(&service, li.get("/api/v1/silences")).await.json();
    assert_eq!(listed["items"][0]["hidden"], 2, "{listed}");
    let detail = call(&service, li.get(&format!("/api/v1/silences/{id}"))).await.json();
    assert_eq!(detail["hid"].as_array().unwrap().len(), 2);
    let why = call(&service, li.get(&format!("/api/v1/incidents/{}", after.id))).await;
    assert!(why.text.contains("\"suppressed\""), "{}", why.text);

    let ended = call(&service, li.send("POST", &format!("/api/v1/silences/{id}/end"), &json!({}))).await;
    assert_eq!(ended.status, 200, "{}", ended.text);
    let paged = house.app.runtime.incident(after.id).await.unwrap().unwrap();
    assert!(paged.suppressed.is_empty() && !paged.pages.is_empty());
    let again = call(&service, li.send("POST", &format!("/api/v1/silences/{id}/end"), &json!({}))).await;
    assert_eq!(again.status, 404);
    let audit = house.store(|store| store.audit_list(None, 10)).unwrap();
    assert!(audit.iter().any(|entry| entry.action == "silence.end"));
}

#[actix_web::test]
async fn a_silence_without_an_end_a_reason_or_a_condition_is_refused_by_field() {
    let house = House::new();
    let service = house.service().await;
    let (li, viewer) = (Caller(house.api_token(Role::Responder)), Caller(house.api_token(Role::Viewer)));
    let refused =
        call(&service, li.send("POST", "/api/v1/silences", &json!({ "match": ["host"], "reason": " " }))).await;
    assert_eq!(refused.status, 422);
    let problem = refused.json();
    let fields: Vec<_> =
        problem["findings"].as_array().unwrap().iter().map(|it| it["path"].as_str().unwrap()).collect();
    assert_eq!(fields, ["reason", "ends_at", "match[0]"], "{problem}");
    let wanted = json!({ "match": ["host=a"], "reason": "r", "until_recovered": true });
    assert_eq!(call(&service, viewer.send("POST", "/api/v1/silences", &wanted)).await.status, 403);
}
