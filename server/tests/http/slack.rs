//! Messages for people as their senders rely on them being taken: `ok` of Slack, Gotify's message, 200 for Netdata's.

use super::house::{Answer, House, call, json, request};
use serde_json::{Value, json as value};
use shared::api::Role;

async fn row(house: &House, id: i64) -> Value {
    let bearer = ("authorization", format!("Bearer {}", house.api_token(Role::Viewer)));
    let asked = request("GET", &format!("/api/v1/incidents/{id}")).insert_header(bearer);
    call(&house.service().await, asked).await.json()["row"].clone()
}

async fn post(house: &House, path: &str, kind: &str, body: &str) -> Answer {
    let asked = request("POST", path).insert_header(("content-type", kind.to_owned())).set_payload(body.to_owned());
    call(&house.service().await, asked).await
}

fn is_ok(answer: &Answer) -> bool {
    answer.status == 200 && answer.text == "ok"
}

#[actix_web::test]
async fn a_message_for_slack_is_ok_whatever_it_is_called_and_its_recovery_ends_it() {
    let house = House::new();
    let paths = ["slack", "hooks"].map(|name| format!("/{name}/{}", house.sender));
    let json = value!({ "attachments": [{ "title": "[FIRING:1] Down (db-07:9100 critical)", "color": "danger" }] })
        .to_string();
    for (kind, body) in [
        ("application/json", json.clone()),
        ("text/plain", json.clone()),
        ("", format!("\n  {json}\n")),
        ("application/x-www-form-urlencoded", json.clone()),
    ] {
        assert!(is_ok(&post(&house, &paths[0], kind, &body).await), "{kind}");
    }
    let found = row(&house, 1).await;
    assert_eq!((&found["severity"], &found["count"]), (&value!("P1"), &value!(4)));
    let over = json.replace("FIRING:1", "RESOLVED").replace("danger", "good");
    let form: String = format!("payload={}", percent(&format!("    {over}")));
    assert!(is_ok(&post(&house, &format!("{}/", paths[1]), "application/x-www-form-urlencoded", &form).await));
    assert_eq!(row(&house, 1).await["state"], "resolved");
    // Words alone, and the format in the path.
    assert!(is_ok(&post(&house, &paths[0], "application/json", "{\"text\":\"[P0] db-08 is down\"}").await));
    assert_eq!(row(&house, 2).await["severity"], "P0");
    let named =
        post(&house, &format!("/ingest/{}/slack", house.sender), "application/json", "{\"text\":\"slow\"}").await;
    assert_eq!((named.status.as_u16(), &named.json()["accepted"]), (200, &value!(1)));
    let event = named.json()["event"].clone();
    let bearer = ("authorization", format!("Bearer {}", house.api_token(Role::Viewer)));
    let kept =
        call(&house.service().await, request("GET", &format!("/api/v1/events/{event}")).insert_header(bearer)).await;
    assert_eq!(kept.json()["formats"], value!(["slack"]));
    assert_eq!(kept.json()["text"], "{\"slack\":{\"text\":\"slow\"}}");
}

fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[actix_web::test]
async fn what_is_no_message_for_slack_is_refused_in_its_words() {
    let house = House::new();
    let path = format!("/slack/{}", house.sender);
    let empty = post(&house, &path, "application/json", "{}").await;
    assert_eq!(empty.status, 400);
    assert!(empty.text.starts_with("invalid_payload: it is kept as message 1"));
    let nobody = post(&house, "/slack/nobody", "application/json", "{\"text\":\"x\"}").await;
    assert!(nobody.status == 401 && nobody.text.starts_with("invalid_token"));
    assert_eq!(call(&house.service().await, request("GET", &path)).await.status, 405);
}

#[actix_web::test]
async fn gotify_gets_its_message_back() {
    let house = House::new();
    let body = value!({ "title": "disk on db-07", "message": "97 %", "priority": 8 });
    let by_query = json("POST", &format!("/message?token={}", house.sender), &body);
    let told = call(&house.service().await, by_query).await;
    let shown = told.json();
    assert_eq!(
        (told.status.as_u16(), &shown["id"], &shown["appid"], &shown["title"], &shown["message"], &shown["priority"]),
        (200, &value!(1), &value!(1), &value!("disk on db-07"), &value!("97 %"), &value!(8))
    );
    assert!(shown["date"].as_str().is_some_and(|date| date.ends_with('Z')), "{shown}");
    let found = row(&house, 1).await;
    assert_eq!((&found["severity"], &found["title"]), (&value!("P1"), &value!("disk on db-07")));
    let form = request("POST", "/message")
        .insert_header(("x-gotify-key", house.sender.clone()))
        .insert_header(("content-type", "application/x-www-form-urlencoded"))
        .set_payload("title=disk+on+db-07&message=98+%25&priority=8");
    let told = call(&house.service().await, form).await;
    assert_eq!(told.status, 200);
    assert_eq!(row(&house, 1).await["count"], 2);
    // It is kept as what it is, so that whoever reads it again reads the same.
    let bearer = ("authorization", format!("Bearer {}", house.api_token(Role::Viewer)));
    let path = format!("/api/v1/events/{}", told.json()["id"]);
    let kept = call(&house.service().await, request("GET", &path).insert_header(bearer)).await.json();
    let text: Value = serde_json::from_str(kept["text"].as_str().unwrap()).unwrap();
    assert_eq!(text, value!({ "gotify": { "title": "disk on db-07", "message": "98 %", "priority": "8" } }));
    let stranger = call(&house.service().await, json("POST", "/message?token=nobody", &body)).await;
    assert_eq!((stranger.status.as_u16(), &stranger.json()["errorCode"]), (401, &value!(401)));
}

#[actix_web::test]
async fn netdata_takes_us_for_opsgenie() {
    let house = House::new();
    let path = format!("/v1/json/integrations/webhooks/netdata?apiKey={}", house.sender);
    let alarm = |status: &str, old: &str| {
        value!({
            "host": "db-07", "alarmId": 12, "chart": "system.cpu", "when": 1_795_201_800, "name": "cpu", "family": "cpu",
            "status": status, "old_status": old, "value": 95, "units": "%", "info": "is critical, average CPU utilization",
        })
    };
    let told = call(&house.service().await, json("POST", &path, &alarm("CRITICAL", "WARNING"))).await;
    assert_eq!((told.status.as_u16(), &told.json()["result"]), (200, &value!("Request will be processed")));
    assert_eq!(row(&house, 1).await["severity"], "P1");
    assert_eq!(call(&house.service().await, json("POST", &path, &alarm("CLEAR", "CRITICAL"))).await.status, 200);
    assert_eq!(row(&house, 1).await["state"], "resolved");
    let wrong =
        call(&house.service().await, json("POST", &path.replace("apiKey=", "apiKey=x"), &alarm("CLEAR", ""))).await;
    assert_eq!(wrong.status, 401);
}
