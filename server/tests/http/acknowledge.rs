//! The page behind an acknowledgement link: looking changes nothing, answering works once and for all.

use super::house::{Doors, House, call, json, request};
use actix_web::http::header::CONTENT_TYPE;
use server::{auth::caplink, clock};
use shared::{AttemptId, Delay, IncidentId, IncidentState, api::Role};

async fn incident(house: &House, service: &Doors) -> IncidentId {
    let line = "[P0][PROBLEM][db-07][10.0.3.7][<script>alert(1)</script> 主库宕机]";
    let sent = request("POST", &format!("/ingest/{}", house.sender)).set_payload(line);
    let receipt = call(service, sent).await.json();
    IncidentId(receipt["outcomes"][0]["incident"].as_i64().unwrap())
}

fn link(house: &House, incident: IncidentId, person: &str, lives: Delay) -> String {
    let expires = clock::now().after(lives);
    format!("/a/{}", house.app.runtime.links().cap(incident, &person.into(), AttemptId(1), expires))
}

async fn state(house: &House, id: IncidentId) -> IncidentState {
    house.app.runtime.incident(id).await.unwrap().unwrap().state
}

#[actix_web::test]
async fn looking_ten_times_acknowledges_nothing_and_answering_twice_does_so_once() {
    let house = House::new();
    let service = house.service().await;
    let id = incident(&house, &service).await;
    let link = link(&house, id, "li", caplink::LIFETIME);
    for _ in 0..10 {
        let shown = call(&service, request("GET", &link)).await;
        assert_eq!(shown.status, 200);
        assert!(shown.text.contains("&lt;script&gt;") && !shown.text.contains("<script"), "{}", shown.text);
        assert!(shown.text.contains("认领") && shown.text.contains("李伟") && shown.text.contains("db-07"));
        assert!(shown.text.len() < 15_000);
        assert_eq!(shown.header("referrer-policy"), "no-referrer");
        assert!(shown.header("x-robots-tag").contains("noindex"));
        assert!(shown.header("content-security-policy").contains("form-action 'self'"));
        assert_eq!(call(&service, request("HEAD", &link)).await.status, 200);
    }
    assert_eq!(state(&house, id).await, IncidentState::Triggered);
    for _ in 0..3 {
        // A button of a notification sends no form at all.
        let done = call(&service, request("POST", &link)).await;
        assert_eq!((done.status.as_u16(), done.header("location")), (303, link.as_str()));
    }
    assert_eq!(state(&house, id).await, IncidentState::Acked);
    let timeline = house.store(|store| store.timeline(id)).unwrap();
    assert_eq!(
        timeline.iter().filter(|entry| matches!(entry.what, shared::timeline::Happening::Acked { .. })).count(),
        1
    );
    assert!(call(&service, request("GET", &link)).await.text.contains("已由 李伟 认领"));
}

#[actix_web::test]
async fn the_page_speaks_the_persons_language_and_escalates_once() {
    let house = House::new();
    let service = house.service().await;
    let id = incident(&house, &service).await;
    let link = link(&house, id, "anna", caplink::LIFETIME);
    let shown = call(&service, request("GET", &link)).await.text;
    assert!(shown.contains("Acknowledge") && shown.contains("Anna"), "{shown}");
    let version = shown.split("name=\"version\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let escalate = || {
        request("POST", &link)
            .insert_header((CONTENT_TYPE, "application/x-www-form-urlencoded"))
            .set_payload(format!("version={version}&do=escalate"))
    };
    for _ in 0..2 {
        assert_eq!(call(&service, escalate()).await.status, 303);
    }
    let incident = house.app.runtime.incident(id).await.unwrap().unwrap();
    assert_eq!(incident.pages.len(), 2, "li, then anna, and nobody twice");
}

#[actix_web::test]
async fn links_that_do_not_work_say_so() {
    let house = House::new();
    let service = house.service().await;
    let id = incident(&house, &service).await;
    let old = link(&house, id, "li", Delay(-1));
    let other = link(&house, IncidentId(999), "li", caplink::LIFETIME);
    for (link, status) in [(old.as_str(), 410), ("/a/rubbish", 404), ("/a/AAAA", 404), (other.as_str(), 404)] {
        for method in ["GET", "POST"] {
            let answer = call(&service, request(method, link)).await;
            let expected = if method == "POST" && link == other { 303 } else { status };
            assert_eq!(answer.status.as_u16(), expected, "{method} {link}");
            assert!(answer.status == 303 || answer.text.contains("<h1>"), "{}", answer.text);
        }
    }
    assert_eq!(state(&house, id).await, IncidentState::Triggered);
    assert_eq!(call(&service, request("PUT", "/a/rubbish")).await.status, 405);
}

#[actix_web::test]
async fn over_is_over() {
    let house = House::new();
    let service = house.service().await;
    house.account("li", Role::Responder, Some("li"));
    let id = incident(&house, &service).await;
    let resolved =
        json("POST", &format!("/api/v1/incidents/{id}/resolve"), &serde_json::json!({})).cookie(house.cookie("li"));
    assert_eq!(call(&service, resolved).await.status, 200);
    let link = link(&house, id, "li", caplink::LIFETIME);
    assert_eq!(call(&service, request("POST", &link)).await.status, 303);
    let shown = call(&service, request("GET", &link)).await;
    assert!(shown.text.contains("已恢复") && !shown.text.contains("<button"), "{}", shown.text);
}
