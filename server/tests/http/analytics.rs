//! Figures about the past as a reader gets them, and as a spreadsheet does.

use super::house::{Doors, House, call, json as body, request};
use serde_json::{Value, json};
use server::clock;
use shared::api::{Analytics, Duty, DutyReason, Gap, Role, Stretch};

const CONFIG: &str = r#"
fallback = ["person:li"]
people = [{ id = "li", name = "Li", contacts = [{ id = "bot", webhook = "https://bot.invalid/x" }] }]
[[schedules]]
id = "db"
name = "=Databases"
time_zone = "UTC"
[[schedules.rotations]]
people = ["li"]
handoff = "00:00"
start = "2026-01-05"
restrict = [{ from = "00:00", until = "12:00" }]
[[policies]]
id = "p"
levels = [{ notify = ["person:li"], delay = "5m" }]
[[routes]]
id = "all"
policy = "p"
"#;

const HOUR: i64 = 3_600_000;

async fn send(house: &House, service: &Doors, line: &str) -> Value {
    let sent = request("POST", &format!("/ingest/{}", house.sender)).set_payload(line.to_owned());
    call(service, sent).await.json()["outcomes"][0].clone()
}

fn range() -> (i64, i64) {
    (clock::now().ms() - 26 * HOUR, clock::now().ms() + HOUR)
}

fn path(rest: &str) -> String {
    let (from, until) = range();
    format!("/api/v1/analytics?from={from}&until={until}{rest}")
}

#[actix_web::test]
async fn a_reader_sees_how_soon_people_answered_and_what_is_noise() {
    let house = House::with(CONFIG, None);
    let service = house.service().await;
    let (responder, viewer) = (house.api_token(Role::Responder), house.api_token(Role::Viewer));
    let as_responder = |path: &str, what: &Value| {
        body("POST", path, what).insert_header(("authorization", format!("Bearer {responder}")))
    };
    let silence = json!({ "match": ["host=lab-1"], "reason": "moving it", "ends_at": clock::now().ms() + HOUR });
    assert_eq!(call(&service, as_responder("/api/v1/silences", &silence)).await.status, 201);
    let down = send(&house, &service, "[P1][PROBLEM][db-07][10.0.3.7][disk is full]").await;
    send(&house, &service, "[P0][PROBLEM][lab-1][10.0.3.8][disk is full]").await;
    send(&house, &service, "[P2][PROBLEM][web-1][10.0.3.9][=slow, \"very\"]").await;
    send(&house, &service, "[P2][OK][web-1][10.0.3.9][=slow, \"very\"]").await;
    send(&house, &service, "[P1][OK][db-99][10.0.3.9][disk is full]").await;
    let ack = format!("/api/v1/incidents/{}/ack", down["incident"]);
    assert_eq!(call(&service, as_responder(&ack, &json!({}))).await.status, 200);

    let ask = async |rest: &str| {
        let asked = request("GET", &path(rest)).insert_header(("authorization", format!("Bearer {viewer}")));
        call(&service, asked).await
    };
    let answer = ask("&zone=Asia/Shanghai").await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let figures: Analytics = serde_json::from_value(answer.json()).unwrap();
    assert_eq!((figures.incidents, figures.messages, figures.unpaged, figures.cut_at), (3, 5, 1, None));
    assert_eq!((figures.time_zone.as_str(), figures.hours.len()), ("Asia/Shanghai", 168));
    assert_eq!((figures.acknowledge.rows[0].done, figures.resolve.rows[0].done), (1, 1));
    assert_eq!(figures.routes[0].id, "all");
    assert_eq!((figures.routes[0].incidents, figures.routes[0].by_itself, figures.routes[0].silenced), (3, 1, 1));
    let slow = figures.identities.iter().find(|it| it.host.as_deref() == Some("web-1")).unwrap();
    assert_eq!((slow.by_itself, slow.acknowledged, slow.title.as_str()), (1, 0, "=slow, \"very\""));
    assert_eq!((figures.quiet[0].id.as_str(), figures.quiet[0].incidents, figures.quiet[0].paged), ("1", 1, 0));
    let urgent: Analytics = serde_json::from_value(ask("&severity=P1").await.json()).unwrap();
    assert_eq!((urgent.incidents, urgent.acknowledge.rows[0].done), (1, 1));
    let nobodys: Analytics = serde_json::from_value(ask("&team=none").await.json()).unwrap();
    assert_eq!((nobodys.incidents, nobodys.identities.len()), (0, 0));

    let csv = ask("&format=csv&table=identities").await;
    assert_eq!(csv.status, 200);
    assert!(csv.text.starts_with("id,title,host,integration,newest_incident,incidents"), "{}", csv.text);
    assert!(csv.text.contains(r#","'=slow, ""very""",web-1,"#), "{}", csv.text);
    for table in
        ["acknowledge", "resolve", "people", "channels", "hours", "routes", "policies", "quiet", "gaps", "load"]
    {
        let csv = ask(&format!("&format=csv&table={table}")).await;
        assert!(csv.status == 200 && csv.text.contains("\r\n"), "{table}: {}", csv.text);
    }
}

#[actix_web::test]
async fn coverage_is_told_of_what_is_over_and_a_name_is_no_formula() {
    let house = House::with(CONFIG, None);
    let service = house.service().await;
    let viewer = house.api_token(Role::Viewer);
    // Recorded: Li from 20 to 10 hours ago, then nobody for an hour.
    let now = clock::now();
    let duty = |until| Duty {
        person: "li".into(),
        until,
        reason: DutyReason::Turn { layer: None, rotation: 0, turn: 0, stands_in_for: vec![] },
    };
    let ago = |hours: i64| now.plus_ms(-hours * HOUR);
    let stretches = vec![
        Stretch { from: ago(20), until: ago(10), duties: vec![duty(ago(10))] },
        Stretch { from: ago(10), until: ago(9), duties: vec![] },
    ];
    let recorded = house.store(|store| {
        let before = store.shifts_recorded_until().unwrap();
        store.shifts_record(before, now, &[("db".into(), stretches)]).unwrap()
    });
    assert!(recorded);
    let asked = request("GET", &path("")).insert_header(("authorization", format!("Bearer {viewer}")));
    let figures: Analytics = serde_json::from_value(call(&service, asked).await.json()).unwrap();
    let coverage = &figures.schedules[0];
    assert_eq!(coverage.name, "=Databases");
    assert!(coverage.until <= clock::now(), "what is ahead is not told of: {coverage:?}");
    let gap = Gap { from: ago(10), until: ago(9) };
    assert!(coverage.gaps.contains(&gap), "{coverage:?}");
    assert!(coverage.load[0].name == "Li" && coverage.load[0].load.total_ms >= 10 * HOUR, "{coverage:?}");
    let asked = request("GET", &path("&format=csv&table=load"));
    let csv = call(&service, asked.insert_header(("authorization", format!("Bearer {viewer}")))).await;
    assert!(csv.text.starts_with("schedule,person,name,shifts,total_ms"), "{}", csv.text);
    // In the morning another shift has just begun.
    assert!(["db,li,Li,1,", "db,li,Li,2,"].iter().any(|row| csv.text.contains(row)), "{}", csv.text);
    let asked = request("GET", &path("&format=csv&table=gaps"));
    let csv = call(&service, asked.insert_header(("authorization", format!("Bearer {viewer}")))).await;
    assert!(csv.text.contains("db,\"'=Databases\",20"), "{}", csv.text);
}

#[actix_web::test]
async fn what_cannot_be_answered_is_said_by_field() {
    let house = House::with(CONFIG, None);
    let service = house.service().await;
    let viewer = house.api_token(Role::Viewer);
    let now = clock::now().ms();
    for (path, field) in [
        (format!("/api/v1/analytics?from={now}&until={now}"), "until"),
        (format!("/api/v1/analytics?from={}&until={now}", now - 93 * 24 * HOUR), "until"),
        (path("&zone=Mars/Base"), "zone"),
        (path("&severity=P9"), "severity"),
        (path("&format=xls"), "format"),
        (path("&format=csv&table=accounts"), "table"),
    ] {
        let asked = request("GET", &path).insert_header(("authorization", format!("Bearer {viewer}")));
        let refused = call(&service, asked).await;
        assert_eq!((refused.status.as_u16(), refused.json()["field"].as_str()), (422, Some(field)), "{path}");
    }
    assert_eq!(call(&service, request("GET", &path(""))).await.status, 401);
}
