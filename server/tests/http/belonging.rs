//! What belongs to which incident, and what nobody answered in time: merged, detached, and told.

use super::house::{Doors, House, call, json as body, request};
use serde_json::{Value, json};
use shared::api::Role;

async fn post(service: &Doors, token: &str, path: &str, value: Value) -> (u16, Value) {
    let sent = body("POST", path, &value).insert_header(("authorization", format!("Bearer {token}")));
    let answer = call(service, sent).await;
    (answer.status.as_u16(), answer.json())
}

async fn get(service: &Doors, token: &str, path: &str) -> Value {
    let asked = request("GET", path).insert_header(("authorization", format!("Bearer {token}")));
    call(service, asked).await.json()
}

async fn fires(house: &House, service: &Doors, line: &str) {
    let sent = request("POST", &format!("/ingest/{}", house.sender)).set_payload(line.to_owned());
    assert_eq!(call(service, sent).await.status, 200);
}

fn kinds(detail: &Value) -> Vec<&str> {
    detail["timeline"].as_array().unwrap().iter().map(|entry| entry["what"]["kind"].as_str().unwrap()).collect()
}

#[actix_web::test]
async fn incidents_are_merged_and_an_alert_is_detached_again() {
    let house = House::new();
    let service = house.service().await;
    let li = house.api_token(Role::Responder);
    fires(&house, &service, "[P1][PROBLEM][db-07][10.0.3.7][disk is full]").await;
    fires(&house, &service, "[P2][PROBLEM][db-08][10.0.3.8][disk is full]").await;

    let stale = post(&service, &li, "/api/v1/incidents/2/merge", json!({ "into": 1, "version": 99 })).await;
    assert_eq!((stale.0, stale.1["code"].as_str()), (409, Some("version_conflict")));
    let nowhere = post(&service, &li, "/api/v1/incidents/2/merge", json!({ "into": 2 })).await;
    assert_eq!((nowhere.0, nowhere.1["code"].as_str()), (422, Some("no_target")));
    assert_eq!(post(&service, &li, "/api/v1/incidents/2/merge", json!({})).await.0, 422);

    let seen = get(&service, &li, "/api/v1/incidents/2").await["row"]["version"].clone();
    let merged = post(&service, &li, "/api/v1/incidents/2/merge", json!({ "into": 1, "version": seen })).await;
    assert_eq!((merged.0, merged.1["state"].as_str()), (200, Some("resolved")), "{}", merged.1);
    let (from, into) =
        (get(&service, &li, "/api/v1/incidents/2").await, get(&service, &li, "/api/v1/incidents/1").await);
    assert!(kinds(&from).contains(&"merged_into"), "{from}");
    assert!(kinds(&into).contains(&"merged"), "{into}");
    assert_eq!((into["row"]["alerts"].as_u64(), into["row"]["firing"].as_u64()), (Some(2), Some(2)));
    assert_eq!(into["alerts"].as_array().unwrap().len(), 2);

    let detached = post(&service, &li, "/api/v1/incidents/1/detach", json!({ "alert": 2 })).await;
    assert_eq!((detached.0, detached.1["firing"].as_u64()), (200, Some(1)), "{}", detached.1);
    let own = get(&service, &li, "/api/v1/incidents/3").await;
    assert!(kinds(&own).contains(&"detached") && own["row"]["state"] == "triggered", "{own}");
    let only = post(&service, &li, "/api/v1/incidents/1/detach", json!({ "alert": 1 })).await;
    assert_eq!((only.0, only.1["code"].as_str()), (409, Some("only_alert")));

    let audit = house.store(|store| store.audit_list(None, 10)).unwrap();
    let acts: Vec<_> =
        audit.iter().map(|row| (row.action.as_str(), row.object.as_str(), row.detail.as_str())).collect();
    assert!(acts.contains(&("incident.merge", "2", "into #1")), "{acts:?}");
    assert!(acts.contains(&("incident.detach", "1", "alert 2")), "{acts:?}");
}

#[actix_web::test]
async fn what_was_over_before_anybody_answered_is_a_list_of_its_own() {
    let house = House::new();
    let service = house.service().await;
    let li = house.api_token(Role::Responder);
    for host in ["db-1", "db-2", "db-3"] {
        fires(&house, &service, &format!("[P1][PROBLEM][{host}][10.0.3.7][disk is full]")).await;
    }
    let missed = "/api/v1/incidents?missed=true";
    assert_eq!(get(&service, &li, missed).await["total"], 0, "what is open may still be answered");
    assert_eq!(post(&service, &li, "/api/v1/incidents/2/ack", json!({})).await.0, 200);
    assert_eq!(post(&service, &li, "/api/v1/incidents/3/resolve", json!({})).await.0, 200);
    for host in ["db-1", "db-2"] {
        fires(&house, &service, &format!("[P1][OK][{host}][10.0.3.7][disk is full]")).await;
    }
    let list = get(&service, &li, missed).await;
    let ids: Vec<_> = list["items"].as_array().unwrap().iter().map(|row| row["id"].as_i64().unwrap()).collect();
    assert_eq!((ids, list["total"].as_u64()), (vec![1], Some(1)), "{list}");
}
