//! Hosts over HTTP: what an agent measured is taken, shown, asked for as series, and forgotten.

use super::{
    agents::agent_token as token_of,
    house::{Answer, CONFIG, House, call, json as body, request},
};
use actix_web::test::TestRequest;
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use server::clock;
use shared::{
    agent::{REPORT_PATH, SAMPLES_PATH},
    api::Role,
};
use std::{io::Write as _, time::Duration};

const SETTINGS: &str = r#"
[[host_groups]]
id = "web"
name = "Web"
hosts = ["web-*"]
"#;

fn house() -> House {
    House::with(&format!("{CONFIG}{SETTINGS}"), None)
}

fn signed(request: TestRequest, token: &str) -> TestRequest {
    request.insert_header(("authorization", format!("Bearer {token}")))
}

/// Makes the token of a host's agent, as an administrator does.
async fn agent_token(house: &House, name: &str) -> String {
    let admin = house.api_token(Role::Admin);
    let asked = signed(body("POST", "/api/v1/hosts", &json!({ "name": name })), &admin);
    let made = call(&house.service().await, asked).await;
    assert_eq!(made.status, 201, "{}", made.text);
    made.json()["token"].as_str().unwrap().to_owned()
}

fn report(agent: &str, sent_at: i64, samples: &[(i64, f64)]) -> Value {
    let samples: Vec<Value> = samples.iter().map(|(at, busy)| json!({ "at": at, "values": [busy, null] })).collect();
    json!({
        "agent": agent, "sent_at": sent_at, "every_ms": 10_000,
        "facts": { "hostname": "web-01.example.org", "cpus": 4, "ips": ["fe80::1", "10.1.2.3"] },
        "series": ["cpu.busy", "df.bytes.used.percent/mount=/data"], "samples": samples,
        "tables": { "at": sent_at, "processes": [{ "pid": 1, "name": "init" }] },
        "what_a_newer_agent_says": 1,
    })
}

async fn send(house: &House, token: &str, report: &Value) -> Answer {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(report.to_string().as_bytes()).unwrap();
    let sent = request("POST", SAMPLES_PATH)
        .insert_header(("content-type", "application/json"))
        .insert_header(("content-encoding", "gzip"))
        .set_payload(gzip.finish().unwrap());
    call(&house.service().await, signed(sent, token)).await
}

async fn get(house: &House, path: &str) -> Answer {
    call(&house.service().await, signed(request("GET", path), &house.api_token(Role::Viewer))).await
}

#[actix_web::test]
async fn what_an_agent_measured_is_on_the_board_on_its_page_and_in_its_series() {
    let house = house();
    let token = agent_token(&house, "web-01").await;
    assert_eq!(house.app.runtime.config().document.sources[0].id.as_str(), "agents", "made with the first");
    agent_token(&house, "web-02").await;
    assert_eq!(house.app.runtime.config().document.sources.len(), 1);
    let now = clock::now().ms();
    let answer = send(&house, &token, &report("web-01", now, &[(now - 10_000, 25.0), (now, 75.0)])).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let told = answer.json();
    assert_eq!((&told["every_ms"], &told["again"], &told["facts"]), (&json!(10_000), &json!(false), &json!(false)));
    assert_eq!(told["stored_until"], json!(now - 10_001));

    let board = get(&house, "/api/v1/hosts").await.json();
    let row = &board["hosts"][0];
    assert_eq!((&row["name"], &row["state"], &row["ip"]), (&json!("web-01"), &json!("live"), &json!("10.1.2.3")));
    assert_eq!((&row["vitals"]["cpu_busy"], &row["groups"]), (&json!(75.0), &json!(["web"])));
    assert_eq!(board["groups"], json!([{ "id": "web", "name": "Web", "hosts": 1 }]));

    let one = get(&house, "/api/v1/hosts/one?name=web-01").await.json();
    assert_eq!((&one["facts"]["cpus"], &one["tables"]["processes"][0]["name"]), (&json!(4), &json!("init")));
    let series: Vec<&str> = one["series"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect();
    assert_eq!(series, ["agent.alive", "clock.offset", "cpu.busy"]);
    assert_eq!((&one["series"][2]["last"], &one["series"][2]["unit"]), (&json!(75.0), &json!("percent")));
    assert_eq!(get(&house, "/api/v1/hosts/one?name=web-09").await.status, 404);

    let asked = json!({ "series": ["cpu.busy"], "from": now - 60_000, "until": now + 1, "points": 600 });
    let viewer = house.api_token(Role::Viewer);
    let found =
        call(&house.service().await, signed(body("POST", "/api/v1/hosts/series", &asked), &viewer)).await.json();
    assert_eq!(found["step_ms"], json!(10_000), "{found}");
    let mean: Vec<f64> = found["lines"][0]["mean"].as_array().unwrap().iter().filter_map(Value::as_f64).collect();
    assert_eq!(mean, [25.0, 75.0]);
    let bad = json!({ "series": ["cpu.busy"], "from": now, "until": now, "points": 600 });
    let refused = call(&house.service().await, signed(body("POST", "/api/v1/hosts/series", &bad), &viewer)).await;
    assert_eq!(refused.status, 422, "{}", refused.text);

    let forget = |role| signed(request("DELETE", "/api/v1/hosts/one?name=web-01"), &house.api_token(role));
    assert_eq!(call(&house.service().await, forget(Role::Viewer)).await.status, 403);
    assert_eq!(call(&house.service().await, forget(Role::Responder)).await.status, 204);
    assert_eq!(call(&house.service().await, forget(Role::Responder)).await.status, 404);
    assert_eq!(get(&house, "/api/v1/hosts").await.json()["hosts"], json!([]));
}

#[actix_web::test]
async fn a_clock_that_is_wrong_is_set_right_and_told() {
    let house = house();
    let token = agent_token(&house, "web-01").await;
    let now = clock::now().ms();
    // An hour ahead.
    let ahead = now + 3_600_000;
    let answer = send(&house, &token, &report("web-01", ahead, &[(ahead - 5_000, 25.0)])).await;
    let stored_until = answer.json()["stored_until"].as_i64().unwrap();
    assert_eq!(stored_until, ahead - 5_001, "by the agent's clock");
    let one = get(&house, "/api/v1/hosts/one?name=web-01").await.json();
    let seen_at = one["row"]["seen_at"].as_i64().unwrap();
    assert!((now - 6_000..now + 1_000).contains(&seen_at), "{seen_at} {now}");
    assert!((3_590_000..3_600_001).contains(&one["clock_ahead_ms"].as_i64().unwrap()), "{one}");
}

#[actix_web::test]
async fn a_message_that_was_long_on_its_way_moves_no_sample() {
    let house = house();
    let token = agent_token(&house, "web-01").await;
    let at = clock::now().ms() - 9_000;
    for _ in 0..2 {
        let answer = send(&house, &token, &report("web-01", at, &[(at, 25.0)])).await;
        assert_eq!(answer.json()["stored_until"], json!(at - 1), "{}", answer.text);
    }
    let seen_at = get(&house, "/api/v1/hosts/one?name=web-01").await.json()["row"]["seen_at"].clone();
    assert_eq!(seen_at, json!(at));
}

#[actix_web::test]
async fn a_machine_of_the_same_name_does_not_write_into_the_series_of_another() {
    let lab = "\n[[sources]]\nid = \"lab\"\nkind = \"agents\"\n[[sources]]\nid = \"prod\"\nkind = \"agents\"\n";
    let house = House::with(&format!("{CONFIG}{lab}"), None);
    let (prod, lab) = (token_of(&house, "prod/db-01"), token_of(&house, "lab/db-01"));
    let now = clock::now().ms();
    let said = |run: u64, at: i64, busy| {
        let mut said = report("db-01", now, &[(at, busy)]);
        said["run"] = json!(run);
        said
    };
    assert_eq!(send(&house, &prod, &said(1, now - 2_000, 10.0)).await.status, 200);
    let refused = send(&house, &lab, &said(2, now - 1_000, 99.0)).await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (409, "another_agent"));
    assert!(refused.text.contains("another --name"), "{}", refused.text);
    assert_eq!(send(&house, &prod, &said(3, now - 500, 11.0)).await.status, 200, "it was started anew");
    assert_eq!(send(&house, &prod, &said(1, now, 12.0)).await.status, 409);
    assert_eq!(get(&house, "/api/v1/hosts").await.json()["hosts"][0]["vitals"]["cpu_busy"], json!(11.0));
}

#[actix_web::test]
async fn what_cannot_be_taken_is_refused_with_the_mend() {
    let house = house();
    let token = agent_token(&house, "web-01").await;
    let now = clock::now().ms();
    let good = report("web-01", now, &[(now, 1.0)]);
    assert_eq!(send(&house, "tag_wrong", &good).await.status, 401);
    let other = send(&house, &token, &report("web-02", now, &[(now, 1.0)])).await;
    assert_eq!((other.status.as_u16(), other.text.contains("--name web-01")), (403, true));
    let mut uneven = good.clone();
    uneven["samples"][0]["values"] = json!([1.0]);
    let uneven = send(&house, &token, &uneven).await;
    assert_eq!((uneven.status.as_u16(), uneven.code().as_str()), (422, "bad_samples"));
    assert!(uneven.text.contains("1 values, and 2 series"), "{}", uneven.text);
    for sent_at in [i64::MIN, i64::MAX, -1] {
        let odd = send(&house, &token, &report("web-01", sent_at, &[(sent_at, 1.0)])).await;
        assert_eq!((odd.status.as_u16(), odd.code().as_str()), (422, "bad_samples"), "{sent_at}");
        assert!(odd.text.contains("sent_at"), "{}", odd.text);
    }
    let doors = house.service().await;
    let raw = |encoding: &str, payload: Vec<u8>| {
        let sent = request("POST", SAMPLES_PATH).insert_header(("content-type", "application/json"));
        signed(sent.insert_header(("content-encoding", encoding.to_owned())).set_payload(payload), &token)
    };
    assert_eq!(call(&doors, raw("zstd", vec![1])).await.status, 415);
    assert_eq!(call(&doors, raw("gzip", vec![1, 2, 3])).await.status, 400);
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    bomb.write_all(&vec![b' '; 17 << 20]).unwrap();
    assert_eq!(call(&doors, raw("gzip", bomb.finish().unwrap())).await.status, 413);
    assert_eq!(call(&doors, raw("identity", good.to_string().into_bytes())).await.status, 200);
    let admin = house.api_token(Role::Admin);
    let odd = signed(body("POST", "/api/v1/hosts", &json!({ "name": "web/01" })), &admin);
    assert_eq!(call(&doors, odd).await.status, 422);
}

#[actix_web::test]
async fn an_agent_is_told_at_once_that_somebody_looks() {
    let house = house();
    let token = agent_token(&house, "web-01").await;
    let now = clock::now().ms();
    send(&house, &token, &report("web-01", now, &[(now, 1.0)])).await;
    let reported =
        json!({ "agent": "web-01", "version": "9", "run": 1, "every_ms": 30_000, "hold_ms": 25_000, "whole": true });
    let held = async {
        let sent = signed(body("POST", REPORT_PATH, &reported), &token);
        call(&house.service().await, sent).await.json()
    };
    let looks = async {
        // Until the report is held.
        for _ in 0..1_000 {
            if get(&house, "/api/v1/sources").await.json()["items"][0]["agents"].is_array() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let look = json!({ "name": "web-01", "series": ["cpu.busy"], "fast": true });
        house.app.hosts.look(false, serde_json::from_value(look).unwrap())
    };
    let (answer, looking) = tokio::join!(held, looks);
    assert_eq!(answer["every_ms"], json!(1_000));
    let at = clock::now().ms();
    let told = send(&house, &token, &report("web-01", at, &[(at, 2.0)])).await.json();
    assert_eq!(told["every_ms"], json!(1_000));
    drop(looking);
}

#[actix_web::test]
async fn an_incident_names_the_hosts_it_is_about_and_a_host_its_incidents() {
    let house = house();
    let token = agent_token(&house, "web-01").await;
    let now = clock::now().ms();
    send(&house, &token, &report("web-01", now, &[(now, 1.0)])).await;
    let alert = "[P1][PROBLEM][web-01.example.org][10.1.2.3][disk is full]";
    let sent = request("POST", &format!("/ingest/{}", house.sender)).set_payload(alert);
    assert_eq!(call(&house.service().await, sent).await.status, 200);
    let row = get(&house, "/api/v1/hosts").await.json()["hosts"][0].clone();
    assert_eq!((&row["severity"], &row["incidents"]), (&json!("P1"), &json!(1)));
    let one = get(&house, "/api/v1/hosts/one?name=web-01").await.json();
    let id = one["incidents"][0]["id"].as_i64().unwrap();
    assert_eq!(one["incidents"][0].get("until"), None);
    let hosts = get(&house, &format!("/api/v1/incidents/{id}/hosts")).await.json();
    assert_eq!(hosts["items"][0]["name"], "web-01");
    assert_eq!(get(&house, "/api/v1/incidents/99999/hosts").await.status, 404);

    let resolve =
        signed(body("POST", &format!("/api/v1/incidents/{id}/resolve"), &json!({})), &house.api_token(Role::Admin));
    let resolved = call(&house.service().await, resolve).await;
    assert!(resolved.status.is_success(), "{}", resolved.text);
    let of = async |stretch: &str| {
        let one = get(&house, &format!("/api/v1/hosts/one?name=web-01{stretch}")).await.json();
        one["incidents"].as_array().unwrap().len()
    };
    assert_eq!(of("").await, 1, "it was over within a day");
    assert_eq!(of(&format!("&from={}&until={}", now - 60_000, now + 60_000)).await, 1);
    assert_eq!(of(&format!("&from={}", now + 3_600_000)).await, 0, "it was over before");
    assert_eq!(of(&format!("&until={}", now - 3_600_000)).await, 0, "it had not begun");
}
