//! Senders that say in headers what their body is about, those that ask first whether they are welcome, and subscriptions that wait for
//! an administrator.

use super::house::{Answer, House, call, json, request};
use actix_web::test::TestRequest;
use serde_json::{Value, json as value};
use shared::api::Role;

async fn read(house: &House, role: Role, method: &str, path: &str) -> Answer {
    let bearer = ("authorization", format!("Bearer {}", house.api_token(role)));
    call(&house.service().await, request(method, path).insert_header(bearer)).await
}

fn post(house: &House, body: impl Into<Vec<u8>>) -> TestRequest {
    request("POST", &format!("/ingest/{}", house.sender)).set_payload(body.into())
}

async fn send(house: &House, asked: TestRequest) -> Value {
    let answer = call(&house.service().await, asked).await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
    answer.json()
}

async fn incident(house: &House, id: i64) -> Value {
    read(house, Role::Viewer, "GET", &format!("/api/v1/incidents/{id}")).await.json()
}

fn event(id: &str) -> [(&'static str, String); 6] {
    [
        ("ce-specversion", "1.0".to_owned()),
        ("ce-id", id.to_owned()),
        ("ce-source", "/monitor".to_owned()),
        ("ce-type", "com.example.disk.full".to_owned()),
        ("ce-subject", "disk/%E7%A3%81%E7%9B%98".to_owned()),
        ("ce-dedupkey", "d-1".to_owned()),
    ]
}

fn with(asked: TestRequest, headers: impl IntoIterator<Item = (&'static str, String)>) -> TestRequest {
    headers.into_iter().fold(asked, |asked, header| asked.insert_header(header))
}

#[actix_web::test]
async fn an_event_in_headers_and_one_in_a_body_are_the_same_event() {
    let house = House::new();
    let data = r#"{"severity":"P1","host":"db-07","summary":"磁盘已满"}"#;
    // Without a content type, as the Python SDK has it.
    let receipt = send(&house, with(post(&house, data), event("1"))).await;
    assert_eq!(receipt["outcomes"][0]["outcome"], "opened", "{receipt}");
    let found = incident(&house, 1).await;
    assert_eq!(
        (&found["row"]["severity"], &found["row"]["host"], &found["row"]["title"]),
        (&value!("P1"), &value!("db-07"), &value!("磁盘已满"))
    );
    assert_eq!(found["alerts"][0]["event"]["labels"]["subject"], "disk/磁盘");
    assert_eq!(found["alerts"][0]["event"]["dedup_key"], "d-1");
    // What is stored reads the same once more: the page shows where its fields stand.
    let stored = &found["messages"][0];
    assert!(stored["text"].as_str().unwrap().contains("\"specversion\":\"1.0\""), "{stored}");
    assert_eq!(stored["formats"], value!(["cloudevents"]));
    // The same event, structured: it is stored already.
    let again = value!({"specversion": "1.0", "id": "1", "source": "/monitor", "type": "com.example.disk.full", "data": {"host": "db-07"}});
    let structured = |body: &Value| {
        post(&house, body.to_string()).insert_header(("content-type", "application/cloudevents+json; charset=utf-8"))
    };
    assert_eq!(send(&house, structured(&again)).await["event"], receipt["event"]);
    // Its end, as text with the type of text.
    let over = with(post(&house, "it is over"), event("2"));
    let over =
        over.insert_header(("content-type", "text/plain")).insert_header(("ce-type", "com.example.disk.full.resolved"));
    assert_eq!(send(&house, over).await["outcomes"][0]["outcome"], "closed");
    assert_eq!(incident(&house, 1).await["row"]["state"], "resolved");
}

#[actix_web::test]
async fn an_event_that_is_none_is_refused_with_what_it_lacks_and_kept() {
    let house = House::new();
    let lacks =
        post(&house, r#"{"host":"db-07"}"#).insert_header(("ce-specversion", "1.0")).insert_header(("ce-id", "1"));
    let answer = call(&house.service().await, lacks).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (400, "not_understood".to_owned()));
    assert!(
        answer.text.contains("'source' is missing") && answer.text.contains("'type' is missing"),
        "{}",
        answer.text
    );
    assert!(answer.text.contains("in quarantine"), "{}", answer.text);
    let avro = post(&house, "x").insert_header(("content-type", "application/cloudevents+avro"));
    let answer = call(&house.service().await, avro).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (415, "unknown_event_format".to_owned()));
}

#[actix_web::test]
async fn an_event_without_its_version_is_asked_for_it_and_its_p0_pages() {
    let house = House::new();
    let sent = |id: &'static str, body: &str| {
        let headers = [("ce-id", id), ("ce-type", "x"), ("ce-source", "/m"), ("content-type", "application/json")];
        headers.into_iter().fold(post(&house, body), |asked, header| asked.insert_header(header))
    };
    let answer = call(&house.service().await, sent("1", r#"{"severity":"P1","host":"db-07","message":"down"}"#)).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (400, "not_understood".to_owned()));
    assert!(answer.text.contains("'specversion' is missing"), "{}", answer.text);
    send(&house, sent("2", r#"{"severity":"P0","host":"db-07","message":"down"}"#)).await;
    assert_eq!(incident(&house, 1).await["row"]["severity"], "P0");
}

#[actix_web::test]
async fn what_curl_calls_a_form_is_read_in_its_own_charset_and_its_extensions_are_labels() {
    let house = House::new();
    // [P0][PROBLEM][db-07][10.8.3.21][磁盘已满] in GBK.
    let body = [b"[P0][PROBLEM][db-07][10.8.3.21][".as_slice(), b"\xb4\xc5\xc5\xcc\xd2\xd1\xc2\xfa]"].concat();
    let asked = with(post(&house, body), event("1")).insert_header(("ce-datacenter", "bj-1"));
    send(&house, asked.insert_header(("content-type", "application/x-www-form-urlencoded"))).await;
    let found = incident(&house, 1).await;
    assert_eq!(
        (&found["row"]["severity"], &found["row"]["host"], &found["row"]["title"]),
        (&value!("P0"), &value!("db-07"), &value!("磁盘已满"))
    );
    assert_eq!(found["alerts"][0]["event"]["labels"]["datacenter"], "bj-1");
}

#[actix_web::test]
async fn a_format_in_the_address_is_taken_at_its_word() {
    let house = House::new();
    let asked =
        request("POST", &format!("/ingest/{}/text", house.sender)).set_payload("[P1][PROBLEM][db-07][10.8.3.21][down]");
    send(&house, with(asked, event("1"))).await;
    let found = incident(&house, 1).await;
    assert_eq!(found["messages"][0]["text"], "[P1][PROBLEM][db-07][10.8.3.21][down]");
}

#[actix_web::test]
async fn what_github_says_is_kept_once_and_pages_nobody() {
    let house = House::new();
    let body = r#"{"action":"completed","check_run":{"name":"ci","conclusion":"failure"},"repository":{"full_name":"octo/shop"}}"#;
    let form = format!("payload={}", percent(body));
    let sent = |body: String, kind: &'static str, delivery: &'static str| {
        let asked = post(&house, body).insert_header(("x-github-event", "check_run"));
        asked.insert_header(("x-github-delivery", delivery)).insert_header(("content-type", kind))
    };
    let first = send(&house, sent(body.to_owned(), "application/json", "a")).await;
    assert_eq!(first["outcomes"][0], value!({"outcome": "suppressed", "reason": {"kind": "change"}}));
    assert_eq!(send(&house, sent(body.to_owned(), "application/json", "a")).await["event"], first["event"]);
    let second = send(&house, sent(form, "application/x-www-form-urlencoded", "b")).await;
    assert_ne!(second["event"], first["event"]);
    let of = async |id: &Value| read(&house, Role::Viewer, "GET", &format!("/api/v1/events/{id}")).await.json();
    let (first, second) = (of(&first["event"]).await, of(&second["event"]).await);
    let text = |message: &Value| message["text"].as_str().unwrap().replace("\"b\"", "\"a\"");
    assert_eq!((text(&first), &first["formats"]), (text(&second), &value!(["github"])));
    assert_eq!(first["subscription"], Value::Null);
}

fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[actix_web::test]
async fn what_sentry_says_opens_and_closes_by_its_issue() {
    let house = House::new();
    let body = |action: &str| {
        let issue =
            value!({"id": "1170820242", "title": "ReferenceError", "level": "error", "project": {"slug": "front-end"}});
        value!({"action": action, "installation": {"uuid": "a"}, "data": {"issue": issue}}).to_string()
    };
    let sent = |action: &str| post(&house, body(action)).insert_header(("sentry-hook-resource", "issue"));
    assert_eq!(send(&house, sent("created")).await["outcomes"][0]["outcome"], "opened");
    assert_eq!(send(&house, sent("resolved")).await["outcomes"][0]["outcome"], "closed");
}

#[actix_web::test]
async fn a_sender_that_asks_whether_it_is_welcome_is_when_it_has_the_token() {
    let house = House::new();
    let service = house.service().await;
    let ask = |path: &str| {
        let asked = request("OPTIONS", path).insert_header(("webhook-request-origin", "eventemitter.example.com"));
        asked
            .insert_header(("webhook-request-callback", "http://169.254.169.254/"))
            .insert_header(("webhook-request-rate", "120"))
    };
    for path in [
        format!("/ingest/{}", house.sender),
        format!("/ingest/{}/", house.sender),
        format!("/ingest?access_token={}", house.sender),
    ] {
        let answer = call(&service, ask(&path)).await;
        assert_eq!(answer.status.as_u16(), 200, "{path}: {}", answer.text);
        assert_eq!(
            (answer.header("webhook-allowed-origin"), answer.header("webhook-allowed-rate"), answer.header("allow")),
            ("eventemitter.example.com", "*", "POST"),
            "{path}"
        );
    }
    let stranger = call(&service, ask("/ingest/t_nobody")).await;
    assert_eq!((stranger.status.as_u16(), stranger.header("webhook-allowed-origin")), (401, ""));
    for method in ["OPTIONS", "GET", "PUT"] {
        let answer = call(&service, request(method, &format!("/ingest/{}", house.sender))).await;
        assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, "POST"), "{method}");
    }
}

fn asks(url: &str) -> Value {
    value!({
        "Type": "SubscriptionConfirmation", "MessageId": "165545c9", "Token": "2336412f37",
        "TopicArn": "arn:aws:sns:us-west-2:123456789012:alarms", "Message": "You have chosen to subscribe.",
        "SubscribeURL": url, "Timestamp": "2026-11-20T19:10:00.000Z",
    })
}

#[actix_web::test]
async fn a_subscription_waits_for_an_administrator_and_nothing_is_fetched_but_there() {
    let house = House::new();
    let service = house.service().await;
    // One of theirs by its form, and longer than a name can be: it is looked up nowhere.
    let nowhere = format!("sns.us-{}-1.amazonaws.com", "a".repeat(64));
    let mut last = String::new();
    for (url, host, known) in [
        (
            "https://sns.us-west-2.amazonaws.com.evil.example/?Token=1",
            "sns.us-west-2.amazonaws.com.evil.example",
            false,
        ),
        ("https://169.254.169.254/latest/meta-data", "169.254.169.254", false),
        ("http://sns.us-west-2.amazonaws.com/?Token=1", "sns.us-west-2.amazonaws.com", false),
        ("https://127.0.0.1:8443/", "127.0.0.1", false),
        (&format!("https://{nowhere}/?Action=ConfirmSubscription&Token=1"), &nowhere, true),
    ] {
        // Each is a message of its own.
        let mut body = asks(url);
        body["MessageId"] = value!(url);
        let receipt = call(&service, json("POST", &format!("/ingest/{}", house.sender), &body)).await.json();
        assert_eq!(receipt["outcomes"][0], value!({"outcome": "suppressed", "reason": {"kind": "change"}}));
        let path = format!("/api/v1/events/{}", receipt["event"]);
        let shown = read(&house, Role::Viewer, "GET", &path).await.json();
        assert_eq!(shown["subscription"], value!({"host": host, "known": known, "confirmed_at": null}), "{url}");
        let confirm = format!("{path}/confirm");
        assert_eq!(read(&house, Role::Responder, "POST", &confirm).await.status.as_u16(), 403);
        let answer = read(&house, Role::Admin, "POST", &confirm).await;
        let want = if known { (502, "not_confirmed") } else { (422, "unknown_service") };
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), want, "{url}: {}", answer.text);
        assert!(!answer.text.contains("Token"), "{}", answer.text);
        last = path;
    }
    // What was tried is for the record, and what failed is not done.
    let record = read(&house, Role::Admin, "GET", "/api/v1/audit").await.json();
    let tried: Vec<&Value> =
        record["items"].as_array().unwrap().iter().filter(|it| it["action"] == "subscription.confirm").collect();
    // The first entry was there before anything was asked, the second says what came of it.
    let [came, asked] = tried[..] else { panic!("{record:#}") };
    assert_eq!((&came["detail"], &asked["detail"]), (&format!("at {nowhere}").into(), &format!("at {nowhere}").into()));
    assert_eq!(asked["outcome"], "asked");
    assert!(came["outcome"] != "ok" && came["outcome"] != "asked", "{came}");
    assert_eq!(read(&house, Role::Viewer, "GET", &last).await.json()["subscription"]["confirmed_at"], Value::Null);
    // Once it is done, the message waits no more.
    let number = last.rsplit('/').next().unwrap().to_owned();
    let entry = server::db::AuditEntry {
        at: server::clock::now(),
        actor: "admin".to_owned(),
        action: "subscription.confirm".to_owned(),
        object: number,
        detail: String::new(),
        outcome: "ok".to_owned(),
    };
    let at = entry.at;
    house.store(|store| store.audit_append(&entry)).unwrap();
    assert_eq!(read(&house, Role::Viewer, "GET", &last).await.json()["subscription"]["confirmed_at"], at.ms());
}

#[actix_web::test]
async fn a_notification_is_stored_once_and_has_nothing_to_confirm() {
    let house = House::new();
    let body = value!({"Type": "Notification", "MessageId": "22b8", "TopicArn": "arn:aws:sns:eu-west-1:1:t", "Message": "[P1][PROBLEM][db-07][10.8.3.21][down]"});
    let sent = || post(&house, body.to_string()).insert_header(("content-type", "text/plain; charset=UTF-8"));
    let first = send(&house, sent()).await;
    assert_eq!(send(&house, sent()).await["event"], first["event"]);
    // Delivered raw, its number stands in a header.
    let raw = || post(&house, "[P1][PROBLEM][db-08][10.8.3.22][down]").insert_header(("x-amz-sns-message-id", "33c9"));
    assert_eq!(send(&house, raw()).await["event"], send(&house, raw()).await["event"]);
    let confirm = read(&house, Role::Admin, "POST", &format!("/api/v1/events/{}/confirm", first["event"])).await;
    assert_eq!((confirm.status.as_u16(), confirm.code().as_str()), (409, "no_subscription"));
    let nothing = read(&house, Role::Admin, "POST", "/api/v1/events/999/confirm").await;
    assert_eq!(nothing.status.as_u16(), 404);
}
