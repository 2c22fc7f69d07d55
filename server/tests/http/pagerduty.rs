//! PagerDuty's interface as its clients rely on it: codes and bodies, what an answer there does here, and what is stored.

use super::house::{Answer, House, call, json, request};
use serde_json::{Value, json as value};

async fn enqueue(house: &House, path: &str, body: &Value) -> Answer {
    call(&house.service().await, json("POST", path, body)).await
}

async fn incident(house: &House, id: i64) -> Value {
    let token = house.api_token(shared::api::Role::Viewer);
    let asked =
        request("GET", &format!("/api/v1/incidents/{id}")).insert_header(("authorization", format!("Bearer {token}")));
    call(&house.service().await, asked).await.json()
}

fn trigger(house: &House, key: Option<&str>) -> Value {
    let mut event = value!({
        "routing_key": house.sender, "event_action": "trigger",
        "payload": { "summary": "db-07 does not answer", "source": "db-07", "severity": "critical" },
    });
    if let Some(key) = key {
        event["dedup_key"] = value!(key);
    }
    event
}

fn about(house: &House, action: &str, key: &str) -> Value {
    value!({ "routing_key": house.sender, "event_action": action, "dedup_key": key })
}

#[actix_web::test]
async fn an_alert_is_opened_answered_and_closed_by_its_key() {
    let house = House::new();
    let opened = enqueue(&house, "/v2/enqueue", &trigger(&house, Some("db-07/ping"))).await;
    assert_eq!(
        (opened.status.as_u16(), opened.json()),
        (202, value!({ "status": "success", "message": "Event processed", "dedup_key": "db-07/ping" }))
    );
    let found = incident(&house, 1).await;
    assert_eq!(
        (&found["row"]["state"], &found["row"]["severity"], &found["row"]["host"]),
        (&value!("triggered"), &value!("P1"), &value!("db-07"))
    );
    let answered = enqueue(&house, "/v2/enqueue", &about(&house, "acknowledge", "db-07/ping")).await;
    assert_eq!(answered.status, 202);
    let found = incident(&house, 1).await;
    assert_eq!(found["row"]["state"], "acked");
    assert_eq!(found["incident"]["ack"]["by"]["kind"], "integration", "{found:#}");
    // Nothing of ours is open under that key: taken and dropped, as PagerDuty does.
    for action in ["acknowledge", "resolve"] {
        assert_eq!(enqueue(&house, "/v2/enqueue", &about(&house, action, "another")).await.status, 202);
    }
    assert_eq!(enqueue(&house, "/v2/enqueue/", &about(&house, "resolve", "db-07/ping")).await.status, 202);
    assert_eq!(incident(&house, 1).await["row"]["state"], "resolved");
    // After that the key opens anew.
    enqueue(&house, "/v2/enqueue", &trigger(&house, Some("db-07/ping"))).await;
    assert_eq!(incident(&house, 2).await["row"]["state"], "triggered");
}

#[actix_web::test]
async fn a_key_that_is_not_given_is_made_and_told() {
    let house = House::new();
    let answer = enqueue(&house, "/v2/enqueue", &trigger(&house, None)).await.json();
    let key = answer["dedup_key"].as_str().unwrap().to_owned();
    assert!(key.len() == 32 && key.bytes().all(|it| it.is_ascii_hexdigit()), "{key}");
    assert_eq!(enqueue(&house, "/v2/enqueue", &about(&house, "resolve", &key)).await.status, 202);
    assert_eq!(incident(&house, 1).await["row"]["state"], "resolved");
}

#[actix_web::test]
async fn what_is_wrong_is_said_in_pagerdutys_words() {
    let house = House::new();
    let refused =
        enqueue(&house, "/v2/enqueue", &value!({ "routing_key": house.sender, "event_action": "trigger" })).await;
    assert_eq!(
        (refused.status.as_u16(), refused.json()),
        (
            400,
            value!({ "status": "invalid event", "message": "Event object is invalid", "errors": ["'payload.summary' is missing or blank"] })
        )
    );
    let nobody = enqueue(&house, "/v2/enqueue", &value!({ "event_action": "trigger" })).await;
    assert_eq!(
        (nobody.status.as_u16(), &nobody.json()["errors"][0]),
        (400, &value!("'routing_key' is missing or blank"))
    );
    let mut stranger = trigger(&house, None);
    stranger["routing_key"] = value!("R0123456789012345678901234567890");
    let stranger = enqueue(&house, "/v2/enqueue", &stranger).await;
    assert_eq!((stranger.status.as_u16(), stranger.json()["status"].as_str()), (401, Some("invalid key")));
    let broken = call(&house.service().await, request("POST", "/v2/enqueue").set_payload("{")).await;
    assert_eq!(broken.status, 400);
    let large = format!("{{\"routing_key\":\"{}\",\"x\":\"{}\"}}", house.sender, "x".repeat(600_000));
    let large = call(&house.service().await, request("POST", "/v2/enqueue").set_payload(large)).await;
    assert_eq!((large.status.as_u16(), large.json()["status"].as_str()), (413, Some("invalid event")));
}

#[actix_web::test]
async fn changes_and_the_older_version_are_taken() {
    let house = House::new();
    let change = value!({ "routing_key": house.sender, "payload": { "summary": "release 2.1", "source": "ci" } });
    let taken = enqueue(&house, "/v2/change/enqueue", &change).await;
    assert_eq!(
        (taken.status.as_u16(), taken.json()),
        (202, value!({ "status": "success", "message": "Event processed" }))
    );
    let old = value!({ "service_key": house.sender, "event_type": "trigger", "description": "srv01 is down", "incident_key": "srv01" });
    let taken = enqueue(&house, "/generic/2010-04-15/create_event.json", &old).await;
    assert_eq!(
        (taken.status.as_u16(), taken.json()),
        (200, value!({ "status": "success", "message": "Event processed", "incident_key": "srv01" }))
    );
    // The change opened nothing.
    assert_eq!(incident(&house, 1).await["row"]["title"], "srv01 is down");
}

#[actix_web::test]
async fn a_client_that_got_no_answer_and_names_no_key_has_one_alert() {
    let house = House::new();
    let doors = house.service().await;
    let body = value!({
        "routing_key": house.sender, "event_action": "trigger",
        "payload": { "summary": "it is down", "source": "db-07", "severity": "critical" },
    });
    let send = async |body: &Value| call(&doors, json("POST", "/v2/enqueue", body)).await.json()["dedup_key"].clone();
    let first = send(&body).await;
    assert!(first == send(&body).await && first.as_str().is_some_and(|key| key.len() == 32), "{first}");
    let mut other = body.clone();
    other["payload"]["source"] = "db-08".into();
    assert_ne!(send(&other).await, first, "what says something else is another alert");
    let genie = async || {
        let asked = json("POST", "/v2/alerts", &value!({ "message": "disk is full" }));
        let asked = asked.insert_header(("authorization", format!("GenieKey {}", house.sender)));
        call(&doors, asked).await.json()["requestId"].clone()
    };
    assert_ne!(genie().await, genie().await, "each request has a name of its own");
    let bearer = ("authorization", format!("Bearer {}", house.api_token(shared::api::Role::Viewer)));
    let mut counts = Vec::new();
    // The list shows what is stored a moment after it is answered.
    for _ in 0..500 {
        let board = call(&doors, request("GET", "/api/v1/incidents").insert_header(bearer.clone())).await.json();
        counts = board["items"].as_array().unwrap().iter().map(|row| row["count"].as_u64().unwrap()).collect();
        counts.sort_unstable();
        if counts == [1, 2, 2] {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert_eq!(counts, [1, 2, 2]);
}
