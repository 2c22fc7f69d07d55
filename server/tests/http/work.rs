//! A working day: a sender is made, its alert arrives, people look at it, answer it, and ask why.

use super::house::{Answer, House, call, json, request};
use serde_json::{Value, json};
use shared::api::Role;

fn numbers(answer: &Answer) -> Vec<i64> {
    answer.json()["items"].as_array().unwrap().iter().map(|row| row["id"].as_i64().unwrap()).collect()
}

#[actix_web::test]
async fn from_a_new_sender_to_a_resolved_incident() {
    let house = House::new();
    let service = house.service().await;
    house.account("admin", Role::Admin, None);
    house.account("anna", Role::Responder, Some("anna"));
    let get = |path: &str| request("GET", path).cookie(house.cookie("anna"));
    let made = json("POST", "/api/v1/integrations", &json!({ "name": "Zabbix Beijing" })).cookie(house.cookie("admin"));
    let made = call(&service, made).await.json();
    assert_eq!(made["integration"], "zabbix-beijing");
    let url = made["url"].as_str().unwrap().strip_prefix("http://127.0.0.1:8080").unwrap().to_owned();
    let sent = request("POST", &url).set_payload("[P1][PROBLEM][db-07][10.0.3.7][disk full]");
    let receipt = call(&service, sent).await.json();
    let id = receipt["outcomes"][0]["incident"].as_i64().unwrap();
    // The sender was heard.
    let senders = call(&service, get("/api/v1/integrations")).await.json();
    let row = senders["items"].as_array().unwrap().iter().find(|row| row["id"] == "zabbix-beijing").unwrap().clone();
    assert_eq!((&row["name"], &row["events"]), (&json!("Zabbix Beijing"), &json!(1)));
    assert!(row["last_event_at"].is_i64() && row["tokens"][0].as_str().unwrap().starts_with("tin_"));
    // The board, the alert, the message.
    let board = call(&service, get("/api/v1/incidents")).await;
    assert_eq!(numbers(&board), [id]);
    assert_eq!((&board.json()["total"], &board.json()["counts"]["triggered"][1]), (&json!(1), &json!(1)));
    assert_eq!(numbers(&call(&service, get("/api/v1/alerts")).await).len(), 1);
    assert_eq!(numbers(&call(&service, get("/api/v1/incidents?severity=P0")).await), [0_i64; 0]);
    assert_eq!(numbers(&call(&service, get("/api/v1/incidents?host=DB-07")).await), [id]);
    let event = numbers(&call(&service, get("/api/v1/events")).await)[0];
    let message = call(&service, get(&format!("/api/v1/events/{event}"))).await.json();
    assert!(message["text"].as_str().unwrap().contains("disk full") && message["fields"].as_array().unwrap().len() > 3);
    detail(&call(&service, get(&format!("/api/v1/incidents/{id}"))).await.json(), id);
    // Why, in the reader's language.
    let why = call(&service, get(&format!("/api/v1/incidents/{id}/why")).insert_header(("accept-language", "zh")))
        .await
        .json();
    assert!(
        why["sentences"].as_array().unwrap().iter().any(|it| it.as_str().unwrap().contains("Route all → policy p")),
        "{why}"
    );
    assert_eq!(why["not_paged"][0]["reason"], "level 2 of policy p names them, and it has not run");
    // What people do.
    let act = |verb: &str, body: Value| {
        json("POST", &format!("/api/v1/incidents/{id}/{verb}"), &body).cookie(house.cookie("anna"))
    };
    let row = call(&service, act("ack", json!({}))).await.json();
    assert_eq!((&row["state"], &row["acked_by"]), (&json!("acked"), &json!("anna")));
    let version = row["version"].as_u64().unwrap();
    assert_eq!(call(&service, act("escalate", json!({ "version": version - 1 }))).await.code(), "version_conflict");
    assert_eq!(call(&service, act("escalate", json!({ "level": 0 }))).await.code(), "invalid");
    assert_eq!(call(&service, act("escalate", json!({ "level": 9 }))).await.code(), "no_such_level");
    assert_eq!(call(&service, act("reassign", json!({ "to": "nobody" }))).await.code(), "no_such_person");
    let help = |targets: Value, version: u64| act("responders", json!({ "targets": targets, "version": version }));
    assert_eq!(call(&service, help(json!([]), version)).await.code(), "invalid");
    assert_eq!(call(&service, help(json!(["person:nobody"]), version)).await.code(), "nobody_reached");
    assert_eq!(call(&service, help(json!(["person:anna"]), version - 1)).await.code(), "version_conflict");
    assert_eq!(call(&service, act("snooze", json!({ "until": 5 }))).await.code(), "in_the_past");
    assert_eq!(call(&service, act("snooze", json!({}))).await.code(), "invalid");
    assert_eq!(call(&service, act("note", json!({ "text": " " }))).await.code(), "invalid");
    assert_eq!(call(&service, act("note", json!({ "text": "looking" }))).await.status, 200);
    assert_eq!(call(&service, act("unack", json!({}))).await.json()["state"], "triggered");
    assert_eq!(call(&service, act("resolve", json!({}))).await.json()["state"], "resolved");
    assert_eq!(call(&service, act("resolve", json!({}))).await.code(), "not_open");
    // History.
    assert_eq!(numbers(&call(&service, get("/api/v1/incidents")).await), [0_i64; 0]);
    assert_eq!(numbers(&call(&service, get("/api/v1/incidents?state=resolved&limit=200")).await), [id]);
    assert_eq!(call(&service, get(&format!("/api/v1/incidents/{id}"))).await.json()["incident"]["state"], "resolved");
    let revoke = request("DELETE", "/api/v1/integrations/zabbix-beijing").cookie(house.cookie("admin"));
    assert_eq!(call(&service, revoke).await.status, 204);
    assert_eq!(call(&service, request("POST", &url).set_payload("[P1][PROBLEM][x][y][z]")).await.status, 401);
}

fn detail(detail: &Value, id: i64) {
    assert_eq!((&detail["incident"]["id"], &detail["row"]["id"]), (&json!(id), &json!(id)));
    assert_eq!(detail["alerts"].as_array().unwrap().len(), 1);
    assert_eq!(detail["messages"].as_array().unwrap().len(), 1);
    assert_eq!(detail["upcoming"][0]["recipients"], json!([{ "person": "anna" }]));
    assert_eq!(detail["names"], json!({ "anna": "Anna", "li": "李伟" }));
    let seqs: Vec<i64> = detail["timeline"].as_array().unwrap().iter().map(|it| it["seq"].as_i64().unwrap()).collect();
    assert_eq!(seqs, (1..=i64::try_from(seqs.len()).unwrap()).collect::<Vec<_>>());
}

#[actix_web::test]
async fn what_is_configured_is_shown_without_addresses() {
    let house = House::new();
    let service = house.service().await;
    house.account("v", Role::Viewer, None);
    let get = |path: &str| request("GET", path).cookie(house.cookie("v"));
    let people = call(&service, get("/api/v1/people")).await;
    assert_eq!(people.json()["items"][0]["contacts"], json!(["webhook"]));
    for path in [
        "/api/v1/people",
        "/api/v1/policies",
        "/api/v1/routes",
        "/api/v1/schedules",
        "/api/v1/oncall",
        "/api/v1/integrations",
    ] {
        let answer = call(&service, get(path)).await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(!answer.text.contains("bot.invalid") && !answer.text.contains("whsec_"), "{path}");
    }
    let status = call(&service, get("/api/v1/status")).await.json();
    assert_eq!((&status["config"], &status["warnings"]), (&json!(1), &json!([])));
    let preview = request("POST", "/api/v1/preview/event?format=bracket")
        .cookie(house.cookie("v"))
        .insert_header(("content-type", "text/plain"))
        .set_payload("[P0][PROBLEM][db-07][10.0.3.7][down]");
    let preview = call(&service, preview).await.json();
    assert_eq!((&preview["events"][0]["severity"], &preview["events"][0]["host"]), (&json!("P0"), &json!("db-07")));
}

#[actix_web::test]
async fn an_api_token_works_until_it_is_revoked() {
    let house = House::new();
    let service = house.service().await;
    house.account("admin", Role::Admin, None);
    let make =
        json("POST", "/api/v1/tokens", &json!({ "name": "ci", "role": "responder" })).cookie(house.cookie("admin"));
    let token = call(&service, make).await.json()["token"].as_str().unwrap().to_owned();
    let with = |path: &str| request("GET", path).insert_header(("authorization", format!("Bearer {token}")));
    assert_eq!(call(&service, with("/api/v1/session")).await.json()["login"], "token:ci");
    assert_eq!(call(&service, with("/api/v1/accounts")).await.status, 403);
    let list = call(&service, request("GET", "/api/v1/tokens").cookie(house.cookie("admin"))).await;
    assert!(!list.text.contains(&token) && list.text.contains(&token[..8]));
    let id = numbers(&list)[0];
    let revoke = request("DELETE", &format!("/api/v1/tokens/{id}")).cookie(house.cookie("admin"));
    assert_eq!(call(&service, revoke).await.status, 204);
    assert_eq!(call(&service, with("/api/v1/session")).await.status, 401);
}
