//! One message at one moment over HTTP: the same answer as the command line's, over a change of the clock too, for
//! everybody who may look; drafts for administrators.

use super::house::{Answer, CONFIG, Doors, House, call, json};
use engine::rehearsal;
use serde_json::{Value, json};
use shared::{Delay, IntegrationId, api::Role};

/// Li has the night that begins an hour before the clock changes, Anna takes over at three by the clock on the wall.
const BERLIN: &str = r#"
[[schedules]]
id = "night"
name = "Night"
time_zone = "Europe/Berlin"
[[schedules.layers]]
id = "first"
rotations = [{ people = ["li", "anna"], every = "day", handoff = "03:00", start = "2026-10-24" }]
[[policies]]
id = "p"
repeat = 1
levels = [{ notify = ["schedule:night"], delay = "45m" }, { notify = ["schedule:night"], delay = "1h" }]
[[routes]]
id = "all"
policy = "p"
"#;

fn berlin() -> String {
    format!("{}{BERLIN}", CONFIG.split("[[policies]]").next().unwrap())
}

async fn post(house: &House, service: &Doors, who: &str, body: &Value) -> Answer {
    call(service, json("POST", "/api/v1/rehearsal", body).cookie(house.cookie(who))).await
}

#[actix_web::test]
async fn a_viewer_lives_through_the_change_of_the_clock_as_the_engine_does() {
    let house = House::with(&berlin(), None);
    let service = house.service().await;
    house.account("viewer", Role::Viewer, None);
    let ask = |at: Value| json!({ "message": "[P1][PROBLEM][db-7][][host is down]", "at": at, "zone": "Europe/Berlin", "for": "2h30m" });
    let told = post(&house, &service, "viewer", &ask(json!("2026-10-25 02:30"))).await;
    let said = told.json();
    assert_eq!((told.status.as_u16(), &said["version"]), (200, &json!(1)), "{}", told.text);
    // Half past two comes twice, the first time in summer time; the hand-off at three is an hour later than it looks.
    let at = rehearsal::instant("2026-10-25T00:30:00Z", None).unwrap();
    assert_eq!(said["at"], json!(at));
    let by_engine = rehearsal::rehearse(
        &house.app.runtime.config(),
        &IntegrationId::from(rehearsal::NOBODYS),
        b"[P1][PROBLEM][db-7][][host is down]",
        at,
        Delay::mins(150),
    );
    let expected: Vec<_> = by_engine.sent.iter().cloned().map(rehearsal::delivery).collect();
    assert_eq!(said["sent"], json!(expected));
    assert_eq!(said["timeline"], json!(by_engine.timeline), "with its reasons");
    let sent = said["sent"].as_array().unwrap();
    let line = |it: &Value| {
        let after = it["at"].as_i64().unwrap() - at.ms();
        (it["recipient"]["person"].as_str().unwrap().to_owned(), it["level"].as_i64().unwrap(), after / 60_000)
    };
    let lines: Vec<_> = sent.iter().map(line).collect();
    let paged: Vec<_> = lines.iter().map(|(who, level, after)| (who.as_str(), *level, *after)).collect();
    assert_eq!(paged, [("li", 0, 0), ("li", 1, 45), ("anna", 0, 105), ("anna", 1, 150)], "{said}");
    assert_eq!((&sent[2]["via"]["schedule"], &sent[2]["via"]["reason"]["layer"]), (&json!("night"), &json!("first")));
    assert_eq!(said["members"][0]["policies"], json!(["p"]));
    // An instant as the rest of the interface writes it, and the next change of the clock, are moments too.
    assert_eq!(post(&house, &service, "viewer", &ask(json!(at.ms()))).await.json()["sent"], said["sent"]);
    let change = post(&house, &service, "viewer", &ask(json!("clock-change"))).await.json();
    let next = rehearsal::clock_change("Europe/Berlin", server::clock::now()).unwrap();
    assert_eq!((&change["at"], change["sent"].as_array().unwrap().len()), (&json!(next), 4), "{change}");
    // Nothing is kept: there is neither a message nor an incident.
    assert_eq!(house.store(|store| store.last_event_before(next)).unwrap().0, 0);
    assert!(house.store(|store| store.restore(server::clock::now())).unwrap().incidents.is_empty());
    // Without a word about it a sample alert is tried now.
    let sample = post(&house, &service, "viewer", &json!({})).await.json();
    assert_eq!((&sample["read"]["events"][0]["host"], &sample["sent"][0]["level"]), (&json!("db-7"), &json!(0)));
}

#[actix_web::test]
async fn an_administrator_tries_a_draft_and_what_is_wrong_is_named() {
    let house = House::with(&berlin(), None);
    let service = house.service().await;
    house.account("viewer", Role::Viewer, None);
    house.account("responder", Role::Responder, None);
    house.account("admin", Role::Admin, None);
    let routes = json!([{ "id": "all", "policy": "p", "match": ["severity=P0"] }]);
    let nowhere = json!({ "message": "[P3][PROBLEM][db-7][][slow]", "draft": { "routes": routes } });
    for who in ["viewer", "responder"] {
        let refused = post(&house, &service, who, &nowhere).await;
        assert_eq!((refused.status.as_u16(), refused.code().as_str()), (403, "forbidden"), "{who}");
        assert!(refused.text.contains("leave `draft` out"), "{}", refused.text);
    }
    let told = post(&house, &service, "admin", &nowhere).await.json();
    assert_eq!((&told["version"], &told["sent"]), (&json!(2), &json!([])), "{told}");
    assert_eq!(told["outcomes"][0]["outcome"], "opened", "{told}");
    assert_eq!(house.app.runtime.config().version, 1, "nothing of it is in force");
    let wrong = json!({ "draft": { "routes": [{ "id": "all", "policy": "nobody" }] } });
    let refused = post(&house, &service, "admin", &wrong).await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (422, "config_refused"));
    assert!(refused.json()["findings"][0]["path"].as_str().unwrap().contains("routes"), "{}", refused.text);
    for (body, field, mend) in [
        (json!({ "at": "yesterday" }), "at", "YYYY-MM-DD HH:MM"),
        (json!({ "at": -1 }), "at", "between 1970 and 2100"),
        (json!({ "zone": "Mars/Base" }), "zone", "use an IANA name"),
        (json!({ "at": "clock-change" }), "at", "name another zone"),
        (json!({ "for": "25h" }), "for", "a day at most"),
        (json!({ "message": "x".repeat(300_000) }), "message", "262144 bytes"),
    ] {
        let refused = post(&house, &service, "viewer", &body).await;
        let said = refused.json();
        assert_eq!((refused.status.as_u16(), &said["field"]), (422, &json!(field)), "{}", refused.text);
        assert!(said["detail"].as_str().unwrap().contains(mend), "{}", refused.text);
        assert!(refused.header("content-type").starts_with("application/problem+json"));
    }
}
