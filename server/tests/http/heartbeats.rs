//! Heartbeats over HTTP: made with an address of their own, heard by any client, listed as they stand.

use super::house::{CONFIG, House, call, json as body, request};
use actix_web::test::TestRequest;
use serde_json::json;
use shared::{Signal, api::Role};

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

/// The path of an address.
fn path(url: &str) -> String {
    url.split_once("/heartbeat/").map(|(_, rest)| format!("/heartbeat/{rest}")).unwrap()
}

#[actix_web::test]
async fn a_heartbeat_is_made_heard_fails_recovers_and_is_revoked() {
    let house = House::new();
    let service = house.service().await;
    let admin = Caller(house.api_token(Role::Admin));
    let wanted = json!({ "name": "Nightly \"backup\"", "interval": "1d", "grace": "1h", "severity": "P1" });
    let refused = Caller(house.api_token(Role::Responder)).send("POST", "/api/v1/heartbeats", &wanted);
    assert_eq!(call(&service, refused).await.status, 403);
    let made = call(&service, admin.send("POST", "/api/v1/heartbeats", &wanted)).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let (id, url) = (made.json()["heartbeat"].clone(), made.json()["url"].as_str().unwrap().to_owned());
    assert_eq!(id, "nightly-backup");
    let text = call(&service, admin.get("/api/v1/config")).await.json()["toml"].as_str().unwrap().to_owned();
    assert!(text.starts_with("# who there is") && text.contains("[[heartbeats]]\nid = \"nightly-backup\""), "{text}");
    assert_eq!(call(&service, admin.send("POST", "/api/v1/heartbeats", &wanted)).await.status, 422);

    let row = async || call(&service, admin.get("/api/v1/heartbeats")).await.json()["items"][0].clone();
    let before = row().await;
    assert_eq!((&before["state"], &before["heartbeat"]["name"]), (&json!("waiting"), &json!("Nightly \"backup\"")));
    assert_eq!(before["tokens"].as_array().unwrap().len(), 1);

    let path = path(&url);
    for (method, text) in [("GET", "OK"), ("POST", "OK"), ("HEAD", "")] {
        let answer = call(&service, request(method, &path)).await;
        assert_eq!((answer.status.as_u16(), answer.text.as_str()), (200, text), "{method}");
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    let note = request("POST", &format!("{path}/0")).set_payload("812 files\n");
    assert_eq!(call(&service, note).await.status, 200);
    let up = row().await;
    assert_eq!(
        (&up["state"], &up["pulse"]["beats"], &up["pulse"]["note"]),
        (&json!("up"), &json!(4), &json!("812 files"))
    );

    let fails = request("POST", &format!("{path}/3")).set_payload("disk is full");
    assert_eq!(call(&service, fails).await.status, 200);
    let down = row().await;
    assert_eq!((&down["state"], &down["pulse"]["down"]["because"]), (&json!("down"), &json!("failed")));
    let incident = down["incident"].as_i64().unwrap();
    let detail = call(&service, admin.get(&format!("/api/v1/incidents/{incident}"))).await.json();
    assert_eq!(detail["incident"]["title"], "Nightly \"backup\" reports a failure", "{detail}");
    assert_eq!(detail["incident"]["integration"], "tocsin");
    assert!(detail["incident"]["pages"].as_array().is_some_and(|pages| !pages.is_empty()), "{detail}");
    let kinds: Vec<_> = detail["timeline"].as_array().unwrap().iter().map(|it| it["what"]["kind"].clone()).collect();
    assert_eq!(kinds[..2], [json!("opened"), json!("heartbeat_down")]);
    let message = &detail["messages"][0];
    assert!(message["text"].as_str().unwrap().contains("reports a failure"), "{message}");

    assert_eq!(call(&service, request("GET", &path)).await.status, 200);
    let detail = call(&service, admin.get(&format!("/api/v1/incidents/{incident}"))).await.json();
    assert_eq!(detail["incident"]["state"], "resolved");

    let gone = request("DELETE", "/api/v1/heartbeats/nightly-backup/token")
        .insert_header(("authorization", format!("Bearer {}", admin.0)));
    assert_eq!(call(&service, gone).await.status, 204);
    assert_eq!(call(&service, request("GET", &path)).await.code(), "unknown_token");
    let again = call(&service, admin.send("POST", "/api/v1/heartbeats/nightly-backup/token", &json!(null))).await;
    assert_eq!(again.status, 201, "{}", again.text);
    assert_ne!(again.json()["url"], json!(url));
}

#[actix_web::test]
async fn what_is_no_beat_is_refused_for_a_reason_and_never_redirected() {
    let house = House::with(&format!("{CONFIG}\n[[heartbeats]]\nid = \"job\"\ninterval = \"1h\"\n"), None);
    let service = house.service().await;
    let admin = Caller(house.api_token(Role::Admin));
    let made = call(&service, admin.send("POST", "/api/v1/heartbeats/job/token", &json!(null))).await.json();
    let path = path(made["url"].as_str().unwrap());
    for (method, suffix, status, code) in [
        ("GET", "/odd", 404, "unknown_signal"),
        ("GET", "/256", 404, "unknown_signal"),
        ("PUT", "", 405, "method_not_allowed"),
        ("DELETE", "/fail", 405, "method_not_allowed"),
    ] {
        let answer = call(&service, request(method, &format!("{path}{suffix}"))).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (status, code), "{method} {suffix}");
    }
    assert_eq!(call(&service, request("GET", "/heartbeat/guess")).await.code(), "unknown_token");
    assert_eq!(call(&service, request("GET", &format!("/heartbeat/{}", house.sender))).await.code(), "unknown_token");
    assert_eq!(call(&service, request("GET", &format!("{path}/"))).await.status, 200);
    let missing = admin.send("POST", "/api/v1/heartbeats/other/token", &json!(null));
    assert_eq!(call(&service, missing).await.status, 404);

    // Its token outlives the configuration: whoever beats there hears that nobody listens.
    let toml = json!({ "toml": CONFIG });
    assert_eq!(call(&service, admin.send("PUT", "/api/v1/config", &toml)).await.status, 200);
    assert_eq!(call(&service, request("GET", &path)).await.code(), "unknown_heartbeat");
}

#[actix_web::test]
async fn alertmanagers_watchdog_beats_and_its_recovery_does_not() {
    let config = "\n[[heartbeats]]\nid = \"direct\"\ninterval = \"1h\"\n[[heartbeats]]\nid = \"matched\"\ninterval = \
                  \"1h\"\nintegration = \"monitor\"\nmatch = [\"labels.alertname=Watchdog\"]\n";
    let house = House::with(&format!("{CONFIG}{config}"), None);
    let service = house.service().await;
    let admin = Caller(house.api_token(Role::Admin));
    let made = call(&service, admin.send("POST", "/api/v1/heartbeats/direct/token", &json!(null))).await.json();
    let post = |status: &str| {
        json!({ "version": "4", "status": status, "receiver": "tocsin", "groupLabels": {}, "commonLabels": {},
            "alerts": [{ "status": status, "labels": { "alertname": "Watchdog", "severity": "none" },
                "annotations": { "summary": "always firing" }, "fingerprint": "f1" }] })
    };
    let direct = path(made["url"].as_str().unwrap());
    let ingest = format!("/ingest/{}", house.sender);
    for status in ["firing", "resolved"] {
        for path in [&direct, &ingest] {
            let answer = call(&service, body("POST", path, &post(status))).await;
            assert_eq!(answer.status, 200, "{}", answer.text);
        }
    }
    let rows = call(&service, admin.get("/api/v1/heartbeats")).await.json();
    for row in rows["items"].as_array().unwrap() {
        assert_eq!((&row["state"], &row["pulse"]["beats"]), (&json!("up"), &json!(1)), "{row}");
    }
    let open = call(&service, admin.get("/api/v1/incidents")).await.json();
    assert_eq!(open["items"], json!([]), "a beat is no incident");
    let unpaged = call(&service, admin.get("/api/v1/events?outcome=unpaged")).await;
    assert!(!unpaged.text.contains("always firing") || unpaged.status != 200, "{}", unpaged.text);
}

#[actix_web::test]
async fn a_beat_is_stored_before_it_is_answered() {
    let house = House::with(&format!("{CONFIG}\n[[heartbeats]]\nid = \"job\"\ninterval = \"1h\"\n"), None);
    house.app.runtime.hear("job".into(), Signal::Beat, "done".to_owned()).await.unwrap();
    let stored = house.store(|store| store.pulses()).unwrap();
    assert_eq!((stored.len(), stored[0].beats, stored[0].note.as_str()), (1, 1, "done"));
    assert!(stored[0].due.is_some());
}
