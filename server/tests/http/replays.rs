//! Replays over HTTP: begun with a draft, watched until they are done, cancelled; and sections of the configuration.

use super::house::{Answer, CONFIG, Doors, House, call, json, request};
use serde_json::{Value, json};
use server::clock;
use shared::api::Role;

async fn done(house: &House, service: &Doors) -> Value {
    loop {
        let state = call(service, request("GET", "/api/v1/config/replay").cookie(house.cookie("admin"))).await.json();
        if state["running"] == json!(false) {
            return state;
        }
        tokio::task::yield_now().await;
    }
}

async fn post(house: &House, service: &Doors, body: &Value) -> Answer {
    call(service, json("POST", "/api/v1/config/replay", body).cookie(house.cookie("admin"))).await
}

#[actix_web::test]
async fn a_draft_is_replayed_and_a_lost_page_is_named() {
    let house = House::new();
    let service = house.service().await;
    house.account("admin", Role::Admin, None);
    let none = call(&service, request("GET", "/api/v1/config/replay").cookie(house.cookie("admin"))).await;
    assert_eq!(none.status.as_u16(), 404);
    for body in ["[P0][PROBLEM][db-07][10.1.2.3][down]", "[P2][PROBLEM][web-1][10.1.2.4][slow]"] {
        let sent = request("POST", &format!("/ingest/{}", house.sender)).set_payload(body);
        assert_eq!(call(&service, sent).await.status.as_u16(), 200);
    }
    let span = |more: Value| {
        let mut body = json!({ "from": clock::now().ms() - 86_400_000, "until": clock::now().ms() + 60_000 });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let begun = post(&house, &service, &span(json!({}))).await;
    assert_eq!(begun.json()["id"], 1, "{}", begun.text);
    let state = done(&house, &service).await;
    let running = &state["result"]["running"];
    assert_eq!((&running["messages"], &running["incidents"], &running["pages"]), (&json!(2), &json!(2), &json!(2)));
    assert!(state["result"].get("draft").is_none());
    // A draft given as a section: the P2 goes nowhere.
    let routes = json!([{ "id": "all", "policy": "p", "match": ["severity=P0"] }]);
    let begun = post(&house, &service, &span(json!({ "draft": { "routes": routes }, "answers": "as_it_was" }))).await;
    assert_eq!(begun.json()["id"], 2, "{}", begun.text);
    let state = done(&house, &service).await;
    let diff = &state["result"]["diff"];
    assert_eq!((&diff["lost_p0"], &diff["lost_total"]), (&json!(0), &json!(1)), "{state}");
    assert_eq!((&diff["lost"][0]["why"], &diff["lost"][0]["alert"]["host"]), (&json!("no_route"), &json!("web-1")));
    assert_eq!(diff["lost"][0]["alert"]["incident"], 2, "the incident it really went to: {state}");
    // Nothing of it is in force, and nothing was stored.
    assert_eq!(house.app.runtime.config().version, 1);
    let bad = json!([{ "id": "all", "policy": "nobody" }]);
    let refused = post(&house, &service, &span(json!({ "draft": { "routes": bad } }))).await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (422, "config_refused"));
    assert!(refused.json()["findings"][0]["path"].as_str().unwrap().contains("routes"), "{}", refused.text);
    let upside_down = json!({ "from": clock::now().ms() + 5_000, "until": clock::now().ms() });
    assert_eq!(post(&house, &service, &upside_down).await.json()["field"], "from");
    let cancel = request("DELETE", "/api/v1/config/replay").cookie(house.cookie("admin"));
    assert_eq!(call(&service, cancel).await.status.as_u16(), 204);
}

#[actix_web::test]
async fn sections_are_replaced_and_the_rest_of_the_text_stays() {
    let house = House::new();
    let service = house.service().await;
    house.account("admin", Role::Admin, None);
    let shown = call(&service, request("GET", "/api/v1/config/document").cookie(house.cookie("admin"))).await;
    assert_eq!((shown.header("etag"), &shown.json()["version"]), ("\"1\"", &json!(1)));
    assert!(!shown.text.contains("whsec_"));
    let mut policies = shown.json()["document"]["policies"].clone();
    policies[0]["levels"][0]["delay"] = json!("7m");
    let put = |body: &Value, version: &str| {
        let tag = format!("\"{version}\"");
        json("PUT", "/api/v1/config/sections", body).cookie(house.cookie("admin")).insert_header(("if-match", tag))
    };
    let report = call(&service, put(&json!({ "policies": policies }), "1")).await;
    assert_eq!((&report.json()["applied"], &report.json()["changes"]), (&json!(true), &json!(["policies ~p"])));
    let stored = house.store(|store| store.config_at(2)).unwrap().unwrap();
    assert!(stored.starts_with(CONFIG.split("[[policies]]").next().unwrap()) && stored.contains("7m"), "{stored}");
    assert_eq!(call(&service, put(&json!({ "routes": [] }), "1")).await.code(), "version_conflict");
    policies[0]["levels"][1]["notify"] = json!(["person:nobody"]);
    let refused = call(&service, put(&json!({ "policies": policies }), "2")).await.json();
    assert_eq!(refused["findings"][0]["path"], "policies[p].levels[1].notify[0]");
}
