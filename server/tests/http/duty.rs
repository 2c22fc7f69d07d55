//! On-call duty through the interface: a range with its reasons, a draft, overrides, and feeds for calendar programs.

use super::house::{CONFIG, House, call, json, request};
use serde_json::{Value, json};
use server::clock;
use shared::{Timestamp, api::Role};
use std::process::Command;

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

const SCHEDULES: &str = r#"
# our duty
[[schedules]]
id = "duty"
name = "Duty, nights & days"
time_zone = "Europe/Berlin"
[[schedules.rotations]]
people = ["li", "anna"]
every = "day"
handoff = "09:00"
start = "2026-01-05"
"#;

fn house() -> House {
    let house = House::with(&format!("{CONFIG}{SCHEDULES}"), None);
    house.account("v", Role::Viewer, None);
    house.account("anna", Role::Responder, Some("anna"));
    house
}

/// Midnight of UTC, some days from now.
fn midnight(days: i64) -> i64 {
    clock::now().ms().div_euclid(DAY) * DAY + days * DAY
}

fn range(from: i64, until: i64) -> String {
    format!("/api/v1/schedules/duty/range?from={from}&until={until}")
}

/// Who is on call at an instant, by a range.
fn who(range: &Value, at: i64) -> Vec<&str> {
    let stretches = range["stretches"].as_array().unwrap();
    let found = stretches.iter().find(|it| it["from"].as_i64().unwrap() <= at && at < it["until"].as_i64().unwrap());
    found.unwrap()["duties"].as_array().unwrap().iter().map(|duty| duty["person"].as_str().unwrap()).collect()
}

#[actix_web::test]
async fn a_range_shows_everything_and_an_override_comes_and_goes() {
    let house = house();
    let service = house.service().await;
    let (from, until) = (midnight(2), midnight(9));
    let get = || request("GET", &range(from, until)).cookie(house.cookie("v"));
    let before = call(&service, get()).await.json();
    assert_eq!((&before["from"], &before["until"], &before["gaps"]), (&json!(from), &json!(until), &json!([])));
    assert_eq!(before["layers"][0]["stretches"], before["stretches"]);
    assert_eq!(before["load"].as_array().unwrap().len(), 2);
    let total: i64 = before["load"].as_array().unwrap().iter().map(|it| it["total_ms"].as_i64().unwrap()).sum();
    assert_eq!(total, 7 * DAY);
    assert_eq!(before["names"], json!({ "li": "李伟", "anna": "Anna" }));
    let noon = midnight(4) + 12 * HOUR;
    let on_call = who(&before, noon)[0].to_owned();
    let other = if on_call == "li" { "anna" } else { "li" };
    let body = json!({ "person": other, "replaces": on_call, "from": noon, "until": noon + HOUR, "note": "dentist" });
    let make = |body: &Value| json("POST", "/api/v1/schedules/duty/overrides", body).cookie(house.cookie("anna"));
    assert_eq!(
        call(&service, json("POST", "/api/v1/schedules/duty/overrides", &body).cookie(house.cookie("v"))).await.status,
        403
    );
    let made = call(&service, make(&body)).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let after = call(&service, get()).await.json();
    assert_eq!((who(&after, noon), who(&after, noon + HOUR)), (vec![other], vec![on_call.as_str()]));
    assert_eq!((&after["overrides"][0]["id"], &after["overrides"][0]["note"]), (&json!(id), &json!("dentist")));
    assert_eq!(after["overrides"][0]["from"], json!(noon));
    // The same person twice at once is refused, with the place.
    let twice = call(&service, make(&body)).await;
    assert_eq!((twice.status.as_u16(), twice.code()), (422, "config_refused".to_owned()));
    let past = json!({ "person": other, "from": noon - 90 * DAY, "until": noon - 89 * DAY });
    assert_eq!(call(&service, make(&past)).await.code(), "invalid");
    let (_, text) = house.store(server::db::Store::config_current).unwrap().unwrap();
    assert!(text.contains("# our duty") && text.contains("dentist"), "{text}");
    let drop =
        |id: &str| request("DELETE", &format!("/api/v1/schedules/duty/overrides/{id}")).cookie(house.cookie("anna"));
    assert_eq!(call(&service, drop(&id)).await.status, 204);
    assert_eq!(call(&service, drop(&id)).await.status, 404);
    assert_eq!(call(&service, get()).await.json()["stretches"], before["stretches"]);
    assert_eq!(call(&service, request("GET", &range(5, 5)).cookie(house.cookie("v"))).await.code(), "invalid");
}

#[actix_web::test]
async fn a_draft_is_looked_at_without_being_stored() {
    let house = house();
    let service = house.service().await;
    let draft = |rotation: &Value| {
        let schedule = json!({ "id": "new", "name": "New", "time_zone": "Asia/Shanghai", "rotations": [rotation] });
        let body = json!({ "schedule": schedule, "from": midnight(1), "until": midnight(3) });
        json("POST", "/api/v1/schedules/preview", &body).cookie(house.cookie("v"))
    };
    let shown = json!({ "people": ["li"], "handoff": "09:00", "start": "2026-01-05", "restrict": [{ "from": "08:00", "until": "20:00" }] });
    let shown = call(&service, draft(&shown)).await.json();
    assert_eq!(shown["gaps"].as_array().unwrap().len(), 2, "{shown}");
    let wrong = call(&service, draft(&json!({ "people": ["x"], "handoff": "9", "start": "2026-01-05" }))).await.json();
    assert_eq!(wrong["code"], "config_refused");
    let paths: Vec<&str> =
        wrong["findings"].as_array().unwrap().iter().map(|it| it["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["schedules[new]", "schedules[new].rotations[0].handoff"]);
    assert_eq!(
        call(&service, request("GET", "/api/v1/schedules").cookie(house.cookie("v"))).await.json()["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[actix_web::test]
async fn yesterday_stays_as_it_was() {
    let house = house();
    let service = house.service().await;
    let now = clock::now();
    // As if it had been in force for three days, and was changed just now.
    let yesterday = now.plus_ms(-DAY);
    let (_, text) = house.store(server::db::Store::config_current).unwrap().unwrap();
    let edited = text.replace("[\"li\", \"anna\"]", "[\"anna\"]");
    house.store(|store| {
        server::shifts::record(store, now.plus_ms(1)).unwrap();
        let stretches = store.shifts_between(&"duty".into(), Timestamp::from_ms(0), now.plus_ms(1)).unwrap();
        assert!(stretches.len() <= 2, "nothing is made up from before the configuration: {stretches:?}");
        store.config_put(&edited, "test", now.plus_ms(2), None).unwrap();
    });
    let get = || request("GET", &range(yesterday.ms(), midnight(2))).cookie(house.cookie("v"));
    let shown = call(&service, get()).await.json();
    let recorded = shown["recorded_until"].as_i64().unwrap();
    assert!(recorded >= now.ms(), "{shown}");
    let stored =
        house.store(|store| store.shifts_between(&"duty".into(), yesterday, Timestamp::from_ms(recorded)).unwrap());
    let first = &shown["stretches"][0];
    assert_eq!(first["duties"], serde_json::to_value(&stored[0].duties).unwrap());
    assert_eq!(first["from"], json!(stored[0].from));
}

#[actix_web::test]
async fn a_calendar_program_reads_the_same_shifts() {
    let house = house();
    let service = house.service().await;
    let make = |of: Value| json("POST", "/api/v1/calendars", &json!({ "of": of })).cookie(house.cookie("v"));
    assert_eq!(call(&service, make(json!({ "person": "nobody" }))).await.code(), "invalid");
    let made = call(&service, make(json!({ "schedule": "duty" }))).await.json();
    let path = made["url"].as_str().unwrap().strip_prefix("http://127.0.0.1:8080").unwrap().to_owned();
    let feed = call(&service, request("GET", &path)).await;
    assert_eq!((feed.status.as_u16(), feed.header("content-type")), (200, "text/calendar; charset=utf-8"));
    let again = call(&service, request("GET", &path).insert_header(("if-none-match", feed.header("etag")))).await;
    assert_eq!((again.status.as_u16(), again.text.as_str()), (304, ""));
    let (from, until) = (midnight(1), midnight(100));
    let shown = call(&service, request("GET", &range(from, until)).cookie(house.cookie("v"))).await.json();
    let expected: Vec<(i64, i64)> = shown["stretches"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["from"].as_i64().unwrap(), it["until"].as_i64().unwrap()))
        .filter(|(begins, ends)| *begins > from && *ends < until)
        .collect();
    let read: Vec<(i64, i64, String, String)> = read_by_python(&feed.text);
    let within: Vec<(i64, i64)> =
        read.iter().map(|it| (it.0, it.1)).filter(|(begins, ends)| *begins > from && *ends < until).collect();
    assert_eq!(within, expected);
    assert!(read.iter().all(|it| it.2.starts_with("Duty, nights & days: ")), "{:?}", read[0]);
    let uids: std::collections::BTreeSet<&String> = read.iter().map(|it| &it.3).collect();
    assert_eq!(uids.len(), read.len(), "every shift has its own id");
    // A person's feed has theirs only, under the same ids.
    let made_too = call(&service, make(json!({ "person": "li" }))).await.json();
    let own = made_too["url"].as_str().unwrap().strip_prefix("http://127.0.0.1:8080").unwrap().to_owned();
    let own = read_by_python(&call(&service, request("GET", &own)).await.text);
    assert!(own.len() < read.len() && own.iter().all(|it| it.2.ends_with("李伟") && read.contains(it)), "{own:?}");
    // The address is told once, and works until it is revoked.
    let list = call(&service, request("GET", "/api/v1/calendars").cookie(house.cookie("anna"))).await;
    assert!(!list.text.contains(&path[10..]) && list.json()["items"][0]["last_used_at"].is_i64(), "{}", list.text);
    let revoke =
        |login: &str| request("DELETE", &format!("/api/v1/calendars/{}", made["id"])).cookie(house.cookie(login));
    assert_eq!(call(&service, revoke("anna")).await.status, 403);
    assert_eq!(call(&service, revoke("v")).await.status, 204);
    assert_eq!(call(&service, request("GET", &path)).await.status, 404);
    assert_eq!(call(&service, request("GET", "/calendar/tca_x.ics")).await.status, 404);
}

#[actix_web::test]
async fn a_shift_is_offered_and_taken() {
    let house = house();
    house.account("li", Role::Responder, Some("li"));
    house.account("admin", Role::Admin, None);
    let service = house.service().await;
    let (from, until) = (midnight(2), midnight(9));
    let get = || request("GET", &range(from, until)).cookie(house.cookie("v"));
    let shown = call(&service, get()).await.json();
    let noon = midnight(4) + 12 * HOUR;
    let (giver, taker) = if who(&shown, noon) == ["li"] { ("li", "anna") } else { ("anna", "li") };
    let offer = |login: &str, hours: i64| {
        let body = json!({ "giver": giver, "taker": taker, "from": noon, "until": noon + hours * HOUR });
        json("POST", "/api/v1/schedules/duty/swaps", &body).cookie(house.cookie(login))
    };
    assert_eq!(call(&service, offer(taker, 2)).await.status, 403);
    let refused = call(&service, offer(giver, 48)).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (409, "no_swap".to_owned()));
    let made = call(&service, offer(giver, 2)).await;
    assert_eq!((made.status.as_u16(), &made.json()["state"]), (201, &json!("offered")), "{}", made.text);
    let id = made.json()["id"].as_i64().unwrap();
    assert_eq!(who(&call(&service, get()).await.json(), noon), [giver], "an offer changes nothing");
    let decide = |login: &str, id: i64, verb: &str| {
        request("POST", &format!("/api/v1/swaps/{id}/{verb}")).cookie(house.cookie(login))
    };
    assert_eq!(call(&service, decide(giver, id, "accept")).await.status, 403);
    let taken = call(&service, decide(taker, id, "accept")).await;
    assert_eq!((&taken.json()["state"], &taken.json()["decided_by"]), (&json!("accepted"), &json!(taker)));
    let shown = call(&service, get()).await.json();
    assert_eq!((who(&shown, noon), who(&shown, noon + 2 * HOUR)), (vec![taker], vec![giver]));
    assert_eq!(call(&service, decide(taker, id, "decline")).await.code(), "not_open");
    // What is offered twice can be taken once.
    let later = json!({ "giver": giver, "taker": taker, "from": noon + 3 * HOUR, "until": noon + 4 * HOUR });
    let again = || json("POST", "/api/v1/schedules/duty/swaps", &later).cookie(house.cookie("admin"));
    let (one, two) = (call(&service, again()).await.json(), call(&service, again()).await.json());
    assert_eq!(call(&service, decide("admin", one["id"].as_i64().unwrap(), "accept")).await.status, 200);
    assert_eq!(call(&service, decide(taker, two["id"].as_i64().unwrap(), "accept")).await.code(), "no_swap");
    assert_eq!(call(&service, decide(giver, two["id"].as_i64().unwrap(), "decline")).await.status, 200);
    let list = call(&service, request("GET", "/api/v1/swaps").cookie(house.cookie("v"))).await.json();
    let states: Vec<&str> = list["items"].as_array().unwrap().iter().map(|it| it["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["declined", "accepted", "accepted"]);
}

/// (begins, ends, summary, id) of every event, read by a library that is not ours.
fn read_by_python(text: &str) -> Vec<(i64, i64, String, String)> {
    const SCRIPT: &str = "
import json, sys
from icalendar import Calendar
calendar = Calendar.from_ical(sys.argv[1])
ms = lambda prop: round(prop.dt.timestamp() * 1000)
events = [[ms(e['DTSTART']), ms(e['DTEND']), str(e['SUMMARY']), str(e['UID'])] for e in calendar.walk('VEVENT')]
assert all(e['DTSTAMP'] and not e.errors for e in calendar.walk('VEVENT'))
print(json.dumps(events))
";
    let python = e2e::environment::python().unwrap();
    let read = Command::new(python).args(["-c", SCRIPT, text]).output().unwrap();
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    serde_json::from_slice(&read.stdout).unwrap()
}
