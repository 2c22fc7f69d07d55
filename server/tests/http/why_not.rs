//! "Why was I not paged at 03:12": everything that was going on then, and a reason for each of it.

use super::house::{Doors, House, call, json as body, request};
use serde_json::{Value, json};
use server::clock;
use shared::{IncidentId, api::Role};

const CONFIG: &str = r#"
fallback = ["person:li"]
people = [
  { id = "li", name = "Li", contacts = [{ id = "bot", webhook = "https://bot.invalid/x" }] },
  { id = "anna", name = "Anna", contacts = [{ id = "bot", webhook = "https://bot.invalid/y" }] },
]
[[schedules]]
id = "db"
name = "Databases"
time_zone = "UTC"
rotations = [{ people = ["li"], handoff = "00:00", start = "2026-01-05" }]
overrides = [{ person = "anna", from = "2030-01-01 00:00", until = "2030-01-02 00:00" }]
[[policies]]
id = "p"
levels = [{ notify = ["schedule:db"], delay = "5m" }, { notify = ["person:anna"], delay = "5m" }]
[[routes]]
id = "all"
policy = "p"
"#;

async fn send(house: &House, service: &Doors, line: &str) -> Value {
    let sent = request("POST", &format!("/ingest/{}", house.sender)).set_payload(line.to_owned());
    call(service, sent).await.json()["outcomes"][0].clone()
}

async fn ask(service: &Doors, token: &str, path: &str) -> Value {
    let asked = request("GET", path).insert_header(("authorization", format!("Bearer {token}")));
    call(service, asked).await.json()
}

#[actix_web::test]
async fn who_asks_why_it_did_not_ring_is_told_of_all_that_was_going_on() {
    let house = House::with(CONFIG, None);
    let service = house.service().await;
    let responder = house.api_token(Role::Responder);
    let wanted = json!({
        "match": ["host=lab-1"], "reason": "moving it", "ends_at": clock::now().plus_ms(3_600_000).ms()
    });
    let silence = body("POST", "/api/v1/silences", &wanted);
    let silence = call(&service, silence.insert_header(("authorization", format!("Bearer {responder}")))).await;
    assert_eq!(silence.status, 201, "{}", silence.text);
    let down = send(&house, &service, "[P1][PROBLEM][db-07][10.0.3.7][disk is full]").await;
    let hidden = send(&house, &service, "[P1][PROBLEM][lab-1][10.0.3.8][disk is full]").await;
    send(&house, &service, "[P1][OK][db-99][10.0.3.9][disk is full]").await;
    send(&house, &service, "").await;

    let at = clock::now().ms();
    let viewer = house.api_token(Role::Viewer);
    let anna = ask(&service, &viewer, &format!("/api/v1/people/anna/why-not?at={at}&within=5")).await;
    assert_eq!((anna["name"].as_str(), anna["more"].as_bool()), (Some("Anna"), Some(false)), "{anna}");
    let duty = &anna["duties"][0];
    assert_eq!((duty["name"].as_str(), duty["on_call"].as_bool()), (Some("Databases"), Some(false)), "{duty}");
    assert_eq!(duty["others"], json!(["Li"]));
    let reason = |answer: &Value, incident: &Value| {
        let of = |it: &&Value| it["row"]["id"] == incident["incident"];
        answer["incidents"].as_array().unwrap().iter().find(of).unwrap().clone()
    };
    assert_eq!(reason(&anna, &down)["reason"], "level 2 of policy p names them, and it has not run");
    assert_eq!(reason(&anna, &hidden)["reason"], "nobody was paged: it was kept quiet by silence 1");
    let outcomes: Vec<_> =
        anna["messages"].as_array().unwrap().iter().map(|it| &it["outcomes"][0]["outcome"]).collect();
    assert_eq!(outcomes, ["rejected", "dropped"], "{anna}");

    let li = ask(&service, &viewer, &format!("/api/v1/people/li/why-not?at={at}&q=DB-07")).await;
    assert_eq!(li["incidents"].as_array().unwrap().len(), 1, "the silenced one is about another machine");
    let page = &reason(&li, &down)["pages"][0];
    assert_eq!((page["policy"].as_str(), page["level"].as_i64()), (Some("p"), Some(1)), "{li}");
    assert!(li["messages"].as_array().unwrap().iter().all(|it| it["text"].as_str().unwrap().contains("db-07")));

    let before = ask(&service, &viewer, &format!("/api/v1/people/li/why-not?at={}&within=1", at - 3_600_000)).await;
    assert_eq!((&before["incidents"], &before["messages"]), (&json!([]), &json!([])), "nothing was going on then");
    let id = IncidentId(down["incident"].as_i64().unwrap());
    assert!(house.app.runtime.incident(id).await.unwrap().is_some());
}

#[actix_web::test]
async fn what_cannot_be_answered_is_said_by_field() {
    let house = House::with(CONFIG, None);
    let service = house.service().await;
    let viewer = house.api_token(Role::Viewer);
    let now = clock::now().ms();
    for (path, status, field) in [
        (format!("/api/v1/people/anna/why-not?at={}", now + 600_000), 422, "at"),
        (format!("/api/v1/people/anna/why-not?at={now}&within=0"), 422, "within"),
        (format!("/api/v1/people/anna/why-not?at={now}&within=1441"), 422, "within"),
    ] {
        let asked = request("GET", &path).insert_header(("authorization", format!("Bearer {viewer}")));
        let refused = call(&service, asked).await;
        assert_eq!(
            (refused.status.as_u16(), refused.json()["field"].as_str()),
            (status, Some(field)),
            "{path}: {}",
            refused.text
        );
    }
    let unknown = request("GET", &format!("/api/v1/people/nobody/why-not?at={now}"));
    let unknown = call(&service, unknown.insert_header(("authorization", format!("Bearer {viewer}")))).await;
    assert_eq!(unknown.status, 404);
}
