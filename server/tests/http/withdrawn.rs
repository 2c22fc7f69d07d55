//! What stands in chats after somebody has answered: one change of each message, and nothing depends on it.

use super::{
    house::{Doors, House, call, json, request},
    provider::Provider,
};
use serde_json::{Value, json as value};
use server::{auth::caplink, clock};
use shared::{AttemptId, AttemptState, IncidentId, IncidentState, api::Role};
use std::time::Duration;

/// Li is written to on Slack and on Telegram, and Anna nowhere.
fn config(chat: &Provider) -> String {
    let at = chat.at;
    format!(
        r#"
fallback = ["person:li"]
people = [
  {{ id = "li", name = "李伟", language = "zh", time_zone = "Asia/Shanghai", contacts = [{{ id = "s", slack = "C1" }}, {{ id = "t", telegram = "-1001" }}] }},
  {{ id = "anna", name = "Anna" }},
]
policies = [{{ id = "p", levels = [{{ notify = ["person:li"], delay = "5m" }}] }}]
routes = [{{ id = "all", policy = "p" }}]

[channels.slack]
token = "xoxb-1"
signing_secret = "s"
base = "http://{at}"
[channels.telegram]
token = "1:A"
secret = "s"
base = "http://{at}"
"#
    )
}

fn chat(edited: &'static str) -> Provider {
    Provider::new(move |line| match line.split(' ').nth(1).unwrap() {
        "/api/chat.postMessage" => ("200 OK", value!({"ok": true, "channel": "C1", "ts": "1.2"}).to_string()),
        "/bot1:A/sendMessage" => {
            ("200 OK", value!({"ok": true, "result": {"message_id": 7, "chat": {"id": -1001}}}).to_string())
        }
        _ => (edited, value!({"ok": edited == "200 OK", "error": "message_not_found"}).to_string()),
    })
}

/// Path and body, of both chats, Slack first.
async fn both(chat: &Provider) -> [(String, Value); 2] {
    let mut all = Vec::new();
    for _ in 0..2 {
        let request = chat.asked().await;
        let path = request.split(' ').nth(1).unwrap().to_owned();
        all.push((path, serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap()));
    }
    all.sort_by_key(|(path, _)| !path.starts_with("/api/"));
    all.try_into().unwrap()
}

async fn paged(house: &House, service: &Doors) -> IncidentId {
    let sent =
        request("POST", &format!("/ingest/{}", house.sender)).set_payload("[P0][PROBLEM][db-07][10.0.3.7][down]");
    let id = IncidentId(call(service, sent).await.json()["outcomes"][0]["incident"].as_i64().unwrap());
    for _ in 0..500 {
        let incident = house.app.runtime.incident(id).await.unwrap().unwrap();
        if incident.pages.iter().flat_map(|page| &page.attempts).all(|it| it.state == AttemptState::Accepted) {
            return id;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("nothing was taken in 10 s");
}

async fn acknowledge(house: &House, service: &Doors, id: IncidentId, person: &str) {
    let expires = clock::now().after(caplink::LIFETIME);
    let cap = house.app.runtime.links().cap(id, &person.into(), AttemptId(1), expires);
    assert_eq!(call(service, request("POST", &format!("/a/{cap}"))).await.status, 303);
}

#[actix_web::test]
async fn each_answer_changes_each_message_once() {
    let chat = chat("200 OK");
    let house = House::with(&config(&chat), None);
    house.account("anna", Role::Responder, Some("anna"));
    let service = house.service().await;
    let id = paged(&house, &service).await;
    let sent = both(&chat).await;
    assert!(sent[0].1.to_string().contains(r#""action_id":"ack""#), "{sent:?}");
    acknowledge(&house, &service, id, "anna").await;
    let [slack, telegram] = both(&chat).await;
    assert_eq!((slack.0.as_str(), telegram.0.as_str()), ("/api/chat.update", "/bot1:A/editMessageText"));
    assert_eq!((&slack.1["channel"], &slack.1["ts"]), (&value!("C1"), &value!("1.2")));
    assert_eq!((&telegram.1["chat_id"], &telegram.1["message_id"]), (&value!("-1001"), &value!(7)));
    let section = slack.1["blocks"][1]["text"]["text"].as_str().unwrap();
    let (_, said) = section.rsplit_once('\n').unwrap();
    assert!(said.starts_with("已由 Anna 认领 ") && said.len() == "已由 Anna 认领 03:02".len(), "{section}");
    assert!(telegram.1["text"].as_str().unwrap().contains(said), "{telegram:?}");
    for body in [&slack.1, &telegram.1] {
        let text = body.to_string();
        assert!(text.contains("P0 db-07"), "it can still be read: {text}");
        assert!(!text.contains("callback_data") && !text.contains("/a/") && !text.contains(r#""ack""#), "{text}");
    }
    assert!(chat.is_left_alone(300).await);
    let resolved = json("POST", &format!("/api/v1/incidents/{id}/resolve"), &value!({})).cookie(house.cookie("anna"));
    assert_eq!(call(&service, resolved).await.status, 200);
    assert!(both(&chat).await.iter().all(|(_, body)| body["text"].as_str().unwrap().contains("已恢复 ")));
    assert!(chat.is_left_alone(500).await);
}

#[actix_web::test]
async fn what_is_over_before_anybody_answered_says_so() {
    let chat = chat("200 OK");
    let house = House::with(&config(&chat), None);
    let service = house.service().await;
    paged(&house, &service).await;
    both(&chat).await;
    let over = request("POST", &format!("/ingest/{}", house.sender)).set_payload("[P0][OK][db-07][10.0.3.7][down]");
    assert!(call(&service, over).await.status.is_success());
    for (path, body) in both(&chat).await {
        assert!(path.ends_with("/chat.update") || path.ends_with("/editMessageText"), "{path}");
        assert!(body["text"].as_str().unwrap().contains("已恢复 "), "{body}");
    }
}

#[actix_web::test]
async fn a_change_that_fails_changes_nothing_else() {
    let chat = chat("500 Internal Server Error");
    let house = House::with(&config(&chat), None);
    let service = house.service().await;
    let id = paged(&house, &service).await;
    both(&chat).await;
    acknowledge(&house, &service, id, "li").await;
    both(&chat).await;
    let incident = house.app.runtime.incident(id).await.unwrap().unwrap();
    assert_eq!(incident.state, IncidentState::Acked);
    assert!(incident.pages[0].attempts.iter().all(|it| it.state == AttemptState::Accepted && it.failure.is_none()));
    assert!(chat.is_left_alone(500).await, "nothing is tried again");
    // And the next page goes out as ever.
    let sent =
        request("POST", &format!("/ingest/{}", house.sender)).set_payload("[P0][PROBLEM][db-08][10.0.3.8][down]");
    assert!(call(&service, sent).await.status.is_success());
    assert!(both(&chat).await.iter().all(|(path, _)| path.ends_with("Message")));
}

#[actix_web::test]
async fn what_ntfy_published_is_published_anew_under_its_number() {
    let server = Provider::new(|_| ("200 OK", value!({"id": "Xy12"}).to_string()));
    let config = format!(
        r#"
fallback = ["person:li"]
people = [{{ id = "li", name = "Li", contacts = [{{ id = "n", ntfy = "li-topic" }}] }}]
policies = [{{ id = "p", levels = [{{ notify = ["person:li"], delay = "5m" }}] }}]
routes = [{{ id = "all", policy = "p" }}]
channels.ntfy = {{ server = "http://{}" }}
"#,
        server.at
    );
    let house = House::with(&config, None);
    let service = house.service().await;
    let id = paged(&house, &service).await;
    let body = |request: &str| serde_json::from_str::<Value>(request.split_once("\r\n\r\n").unwrap().1).unwrap();
    let page = body(&server.asked().await);
    assert_eq!(
        (&page["priority"], page.get("sequence_id"), &page["actions"][0]["action"]),
        (&value!(5), None, &value!("http"))
    );
    acknowledge(&house, &service, id, "li").await;
    let changed = body(&server.asked().await);
    assert_eq!(
        (&changed["topic"], &changed["sequence_id"], &changed["priority"]),
        (&value!("li-topic"), &value!("Xy12"), &value!(2))
    );
    assert!(changed["title"].as_str().unwrap().starts_with("Acknowledged by Li "), "{changed}");
    assert!(!changed.to_string().contains("/a/"), "nothing is left to press: {changed}");
}

#[actix_web::test]
async fn a_test_page_stays_as_it_is() {
    let chat = chat("200 OK");
    let house = House::with(&config(&chat), None);
    house.account("li", Role::Responder, Some("li"));
    let service = house.service().await;
    for contact in ["s", "t"] {
        let test = json("POST", "/api/v1/me/test", &value!({"contact": contact, "severity": "P0"}));
        let told = call(&service, test.cookie(house.cookie("li"))).await;
        assert_eq!((told.status.as_u16(), &told.json()["accepted"]), (200, &value!(true)), "{}", told.text);
    }
    both(&chat).await;
    assert!(chat.is_left_alone(500).await);
}
