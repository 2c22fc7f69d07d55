//! Silences: made with a reason, shown before they are made, and ended; what fires on pages afterwards.

use super::house::{CONFIG, Doors, House, OWN_URL, call, json as body, request};
use actix_web::{test::TestRequest, web};
use serde_json::json;
use server::clock;
use shared::{Incident, IncidentId, SuppressedBy, api::Role};
use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpListener,
    time::Duration,
};

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
        "match": ["host=db-07"], "reason": "moving the disk", "ends_at": clock::now().plus_ms(3_600_000).ms()
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
async fn a_silence_of_the_configuration_follows_it_and_nobody_else() {
    const SILENCE: &str = "
[[silences]]
id = \"backup\"
match = [\"host=db-07\"]
reason = \"the backup makes it slow\"
time_zone = \"Asia/Shanghai\"
until = \"2099-01-01 00:00\"
";
    let mut house = House::new();
    let service = house.service().await;
    let admin = Caller(house.api_token(Role::Admin));
    let put = |text: &str| admin.send("PUT", "/api/v1/config", &json!({ "toml": text }));
    let wrong = SILENCE.replace("2099-01-01 00:00", "soon");
    let refused = call(&service, put(&format!("{CONFIG}{wrong}"))).await;
    assert_eq!(refused.status, 422);
    assert!(
        refused.text.contains("silences[backup].until") && refused.text.contains("`soon` is not a time"),
        "{}",
        refused.text
    );
    let applied = call(&service, put(&format!("{CONFIG}{SILENCE}"))).await;
    assert_eq!(applied.json()["changes"], json!(["silences +backup"]), "{}", applied.text);
    let quiet = fires(&house, &service, "[P1][PROBLEM][db-07][10.0.3.7][slow]").await;
    assert!(quiet.pages.is_empty());

    let list = call(&service, admin.get("/api/v1/silences")).await.json();
    let made = &list["items"][0];
    assert_eq!(
        (&made["configured"], &made["hidden"], &made["by"]),
        (&json!("backup"), &json!(1), &json!({ "kind": "system" }))
    );
    let id = made["id"].as_i64().unwrap();
    let wanted = json!({ "match": ["host=x"], "reason": "y", "ends_at": clock::now().plus_ms(3_600_000).ms() });
    for attempt in [
        admin.send("POST", &format!("/api/v1/silences/{id}/end"), &json!({})),
        admin.send("PUT", &format!("/api/v1/silences/{id}"), &wanted),
    ] {
        let refused = call(&service, attempt).await;
        assert_eq!((refused.status.as_u16(), refused.code()), (409, "configured".to_owned()));
        assert!(refused.text.contains("stands in the configuration as `backup`"), "{}", refused.text);
    }
    assert!(call(&service, admin.get("/api/v1/config")).await.text.contains("the backup makes it slow"));

    // A restart, and the same text under another version: one silence, with what it hid.
    house.restart();
    let service = house.service().await;
    call(&service, put(&format!("{CONFIG}{SILENCE}# again\n"))).await;
    let list = call(&service, admin.get("/api/v1/silences")).await.json();
    assert_eq!((list["items"].as_array().unwrap().len(), &list["items"][0]["hidden"]), (1, &json!(1)));
    assert!(house.app.runtime.incident(quiet.id).await.unwrap().unwrap().pages.is_empty());

    let gone = call(&service, put(CONFIG)).await;
    assert_eq!(gone.json()["changes"], json!(["silences -backup"]), "{}", gone.text);
    let ended = call(&service, admin.get(&format!("/api/v1/silences/{id}"))).await.json();
    assert_eq!(ended["silence"]["ended"]["gone_since"], gone.json()["version"], "{ended}");
    assert!(!house.app.runtime.incident(quiet.id).await.unwrap().unwrap().pages.is_empty(), "what still fires pages");
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

#[actix_web::test]
async fn who_would_have_been_paged_is_told_when_a_maintenance_ends() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let bot = format!("http://{}/x", listener.local_addr().unwrap());
    let config = CONFIG.replace("https://bot.invalid/x", &bot);
    let house = House::with(&format!("{config}\n[channels.webhook]\nallow_networks = [\"127.0.0.0/8\"]\n"), None);
    let service = house.service().await;
    let ops = Caller(house.api_token(Role::Responder));
    let wanted = json!({
        "kind": "maintenance", "match": ["host=db-07"], "reason": "moving the disk",
        "ends_at": clock::now().plus_ms(3_600_000).ms()
    });
    let id = call(&service, ops.send("POST", "/api/v1/silences", &wanted)).await.json()["id"].as_i64().unwrap();
    let hidden = fires(&house, &service, "[P2][PROBLEM][db-07][10.0.3.7][disk is full]").await;
    assert!(hidden.pages.is_empty());
    let recovery = request("POST", &format!("/ingest/{}", house.sender));
    call(&service, recovery.set_payload("[P2][OK][db-07][10.0.3.7][disk is full]")).await;
    let heard = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(stream);
        let (mut length, mut line) = (0, String::new());
        while reader.read_line(&mut line).unwrap() > 2 {
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            line.clear();
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        reader.get_mut().write_all(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap();
        serde_json::from_slice::<serde_json::Value>(&body).unwrap()
    });
    call(&service, ops.send("POST", &format!("/api/v1/silences/{id}/end"), &json!({}))).await;
    let body = web::block(move || heard.join().unwrap()).await.unwrap();
    assert_eq!((&body["type"], &body["silence"]), (&"notice".into(), &id.into()), "{body}");
    assert_eq!(body["url"], format!("{OWN_URL}/silences/{id}"));
    assert!(body["text"].as_str().unwrap().contains("disk is full"), "{body}");

    let path = format!("/api/v1/silences/{id}");
    let watch = clock::Stopwatch::start();
    let detail = loop {
        let detail = call(&service, ops.get(&path)).await.json();
        if detail["silence"]["notices"][0]["sending"]["state"] == "accepted" {
            break detail;
        }
        assert!(watch.elapsed_ms() < 20_000, "{detail}");
        actix_web::rt::time::sleep(Duration::from_millis(20)).await;
    };
    let digest = &detail["silence"]["digests"][0];
    assert_eq!((&digest["hid"], &digest["recovered"], &digest["firing"]), (&1.into(), &1.into(), &0.into()));
    assert_eq!(digest["people"], json!(["li"]));
    assert_eq!(detail["silence"]["notices"][1]["untold"]["kind"], "no_person", "a token is no person: {detail}");
    assert!(detail["owner"].is_null(), "{detail}");
    let listed = call(&service, ops.get("/api/v1/silences")).await.json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 1, "{listed}");
}
