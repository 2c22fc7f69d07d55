//! Agents over HTTP: a report makes an address findable, and a lookup reaches an agent that waits.

use super::house::{Answer, CONFIG, House, call, json as body, request};
use actix_web::test::TestRequest;
use serde_json::{Value, json};
use server::{
    auth::token,
    clock,
    db::{NewToken, TokenKind},
    entropy,
};
use shared::{
    agent::{AgentAnswer, REPORT_PATH},
    api::Role,
};
use std::time::Duration;

const SOURCES: &str = "
[[sources]]
id = \"segment-a\"
kind = \"agents\"
probe = [\"10.7.0.0/24\"]
[[sources]]
id = \"segment-b\"
kind = \"agents\"
paused = true
";

fn house() -> House {
    House::with(&format!("{CONFIG}{SOURCES}"), None)
}

pub(super) fn agent_token(house: &House, name: &str) -> String {
    let text = entropy::token("tag_");
    let new = NewToken {
        kind: TokenKind::Agent,
        name,
        integration: None,
        role: None,
        hash: &token::hash_hex(&text),
        hint: &token::hint(&text),
        created_by: "test",
    };
    house.store(|store| store.token_create(&new, clock::now())).unwrap();
    text
}

fn report(agent: &str) -> Value {
    json!({
        "agent": agent, "version": "9.9", "run": 7, "every_ms": 30_000, "hold_ms": 0, "whole": true,
        "probe": ["10.7.0.0/24"],
        "interfaces": [{ "name": "eth0", "mac": "52:54:00:00:00:07", "ips": ["10.7.0.7/24"] }],
        "neighbours": [{ "interface": "eth0", "ip": "10.7.0.9", "mac": "52:54:00:00:00:09", "age_ms": 1_200 }],
        "what_a_newer_agent_says": 1,
    })
}

fn signed(request: TestRequest, token: &str) -> TestRequest {
    request.insert_header(("authorization", format!("Bearer {token}")))
}

async fn send(house: &House, token: &str, report: &Value) -> Answer {
    call(&house.service().await, signed(body("POST", REPORT_PATH, report), token)).await
}

async fn look_up(house: &House, token: &str, text: &str, probe: bool) -> Answer {
    let asked = body("POST", "/api/v1/vms", &json!({ "text": text, "probe": probe }));
    call(&house.service().await, signed(asked, token)).await
}

#[actix_web::test]
async fn a_report_makes_an_address_findable_and_its_agent_known() {
    let house = house();
    let (viewer, token) = (house.api_token(Role::Viewer), agent_token(&house, "segment-a/web01"));
    let answer = send(&house, &token, &report("web01")).await;
    assert_eq!((answer.status.as_u16(), answer.json()), (200, json!({ "whole": false, "probe": [] })));
    let found = look_up(&house, &viewer, "10.7.0.9", false).await.json();
    let item = &found["items"][0];
    assert_eq!((&item["mac"], &item["hops"][0]["how"]), (&json!("52:54:00:00:00:09"), &json!("neighbour")));
    assert_eq!((&item["hops"][0]["source"], &item["hops"][0]["trust"]), (&json!("segment-a"), &json!("fair")));
    assert_eq!(found["terms"][0].get("askable"), None, "it is known");
    let sources = call(&house.service().await, signed(request("GET", "/api/v1/sources"), &viewer)).await.json();
    let source = &sources["items"][0];
    assert_eq!((&source["state"], &source["neighbours"]), (&json!("well"), &json!(2)));
    let agent = &source["agents"][0];
    assert_eq!((&agent["name"], &agent["version"], &agent["silent"]), (&json!("web01"), &json!("9.9"), &json!(false)));
    assert!(agent["heard_at"].is_i64(), "{agent}");
    // A report that builds on what this server never heard.
    let mut change = report("web01");
    (change["whole"], change["run"]) = (json!(false), json!(8));
    assert_eq!(send(&house, &token, &change).await.json()["whole"], json!(true));
}

#[actix_web::test]
async fn who_may_not_report_and_what_cannot_be_read_is_refused_with_the_mend() {
    let house = house();
    let (one, any) = (agent_token(&house, "segment-a/web01"), agent_token(&house, "segment-a"));
    let (paused, nowhere) = (agent_token(&house, "segment-b"), agent_token(&house, "segment-z"));
    let sender = house.sender.clone();
    for (token, status, code, told) in [
        ("", 401, "unknown_token", "--kind agent"),
        ("tag_wrong", 401, "unknown_token", "--kind agent"),
        (sender.as_str(), 401, "unknown_token", "--kind agent"),
        (&one, 403, "forbidden", "--name web01"),
        (&paused, 409, "source_paused", "segment-b"),
        (&nowhere, 409, "no_such_source", "id = \"segment-z\""),
    ] {
        let answer = send(&house, token, &report("web02")).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (status, code), "{}", answer.text);
        assert!(answer.text.replace('\\', "").contains(told), "{}", answer.text);
    }
    assert_eq!(send(&house, &any, &report("web02")).await.status, 200);
    let doors = house.service().await;
    let long = signed(request("POST", REPORT_PATH), &any).set_payload(vec![b' '; (1 << 20) + 1]);
    assert_eq!(call(&doors, long).await.status, 413);
    let unsigned = request("POST", REPORT_PATH).set_payload(vec![b' '; (1 << 20) + 1]);
    assert_eq!(call(&doors, unsigned).await.status, 401, "who it is comes before what they say");
    let text = signed(request("POST", REPORT_PATH), &any).set_payload("{}");
    assert_eq!(call(&doors, text).await.status, 415);
    let mut bad = report("web02");
    bad["neighbours"][0]["mac"] = json!("ff:ff:ff:ff:ff:ff");
    assert_eq!(send(&house, &any, &bad).await.status, 400);
    let nameless = send(&house, &any, &report("")).await;
    assert_eq!((nameless.status.as_u16(), nameless.code().as_str()), (422, "bad_report"));
    assert_eq!(call(&doors, request("GET", REPORT_PATH)).await.status, 405);
}

#[actix_web::test]
async fn an_unknown_address_is_asked_for_and_found_in_one_lookup() {
    let house = house();
    let (responder, token) = (house.api_token(Role::Responder), agent_token(&house, "segment-a"));
    let unknown = look_up(&house, &responder, "10.7.0.20", false).await.json();
    assert_eq!(unknown["terms"][0]["askable"], json!(["segment-a"]));
    let nobody = look_up(&house, &responder, "10.7.0.20", true).await.json();
    assert_eq!(nobody["terms"][0]["asked"][0]["outcome"], "no_agent");

    let agent = async {
        // The answer is held until somebody asks.
        let mut first = report("web01");
        first["hold_ms"] = json!(20_000);
        let asked: AgentAnswer = serde_json::from_str(&send(&house, &token, &first).await.text).unwrap();
        let mut outcome = report("web01");
        outcome["neighbours"] =
            json!([{ "interface": "eth0", "ip": "10.7.0.20", "mac": "52:54:00:00:00:20", "age_ms": 0 }]);
        outcome["probed"] = json!([{ "ip": "10.7.0.20", "outcome": "answered" }]);
        assert_eq!(send(&house, &token, &outcome).await.status, 200);
        asked
    };
    let asking = async {
        // Until the agent is there.
        for _ in 0..1_000 {
            let rows = signed(request("GET", "/api/v1/sources"), &responder);
            if call(&house.service().await, rows).await.json()["items"][0]["agents"].is_array() {
                return look_up(&house, &responder, "10.7.0.20 10.9.9.9", true).await.json();
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("the agent was not heard in 5 s");
    };
    let (asked, found) = tokio::join!(agent, asking);
    assert_eq!(asked.probe, ["10.7.0.20".parse::<std::net::IpAddr>().unwrap()]);
    let term = &found["terms"][0]["asked"][0];
    assert_eq!(
        (&term["outcome"], &term["mac"], &term["agent"]),
        (&json!("answered"), &json!("52:54:00:00:00:20"), &json!("web01"))
    );
    assert_eq!(found["items"][0]["mac"], "52:54:00:00:00:20");
    assert_eq!(found["terms"][1].get("asked"), None, "it is in no prefix: {found}");
    // Asked a moment ago: it is known now, and nobody is asked once more.
    let again = look_up(&house, &responder, "10.7.0.20", true).await.json();
    assert_eq!(again["terms"][0].get("asked"), None);
}

#[actix_web::test]
async fn a_viewer_reads_and_sends_no_packets() {
    let house = house();
    let viewer = house.api_token(Role::Viewer);
    let refused = look_up(&house, &viewer, "10.7.0.20", true).await;
    assert_eq!((refused.status.as_u16(), refused.text.contains("role responder")), (403, true));
    let by_get = signed(request("GET", "/api/v1/vms?q=10.7.0.20&probe=true"), &viewer);
    let found = call(&house.service().await, by_get).await.json();
    assert_eq!(found["terms"][0].get("asked"), None, "nothing is done by GET");
}

#[actix_web::test]
async fn an_agent_that_misses_three_reports_is_said_to_be_silent() {
    let house = house();
    let (viewer, token) = (house.api_token(Role::Viewer), agent_token(&house, "segment-a"));
    let mut often = report("web01");
    often["every_ms"] = json!(1);
    assert_eq!(send(&house, &token, &often).await.status, 200);
    for _ in 0..1_000 {
        let sources = call(&house.service().await, signed(request("GET", "/api/v1/sources"), &viewer)).await.json();
        let source = &sources["items"][0];
        if source["agents"][0]["silent"] == true {
            assert_eq!(source["state"], "failing");
            assert!(source["error"].as_str().unwrap().contains("web01"), "{source}");
            let found = look_up(&house, &viewer, "10.7.0.9", false).await.json();
            assert!(found["silent"][0]["error"].as_str().unwrap().contains("web01"), "{found}");
            assert_eq!(found["items"][0]["mac"], "52:54:00:00:00:09", "what it said before counts");
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the agent did not fall silent in 20 s");
}
