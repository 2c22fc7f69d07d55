//! The list of deliveries, how providers do, and the proof, as a reader gets them and as a stranger checks them.

use super::{
    house::{Answer, Doors, House, call, request},
    provider::Provider,
};
use serde_json::Value;
use shared::api::Role;
use std::{path::Path, process::Command, time::Duration};

fn config(twilio: &Provider) -> String {
    let at = twilio.at;
    format!(
        r#"
fallback = ["person:li"]
people = [{{ id = "li", name = "=Li", contacts = [{{ id = "text", sms = "+8613800138000" }}] }}]
policies = [{{ id = "p", levels = [{{ notify = ["person:li"], delay = "5m" }}] }}]
routes = [{{ id = "all", policy = "p" }}]
[paging]
bundle = "0s"
[channels.twilio]
account = "AC1"
token = "secret-token"
from = "+15551230000"
base = "http://{at}"
"#
    )
}

fn answering(status: &'static str, body: &'static str) -> Provider {
    Provider::new(move |_| (status, body.to_owned()))
}

fn taking() -> Provider {
    answering("201 Created", r#"{"sid": "SM1"}"#)
}

async fn ask(house: &House, service: &Doors, path: &str, role: Role) -> Answer {
    let bearer = ("authorization", format!("Bearer {}", house.api_token(role)));
    call(service, request("GET", path).insert_header(bearer)).await
}

async fn alert(house: &House, service: &Doors, line: &str) -> i64 {
    let sent = request("POST", &format!("/ingest/{}", house.sender)).set_payload(line.to_owned());
    call(service, sent).await.json()["outcomes"][0]["incident"].as_i64().unwrap()
}

/// The list once so many deliveries are over.
async fn over(house: &House, service: &Doors, count: usize) -> Vec<Value> {
    for _ in 0..500 {
        let list = ask(house, service, "/api/v1/deliveries?state=accepted,failed", Role::Viewer).await.json();
        let items = list["items"].as_array().unwrap().clone();
        if items.len() >= count {
            return items;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("they are not over after 10 s");
}

#[actix_web::test]
async fn a_reader_sees_who_was_sent_what_by_whom_and_how_long_each_hop_took() {
    let twilio = taking();
    let house = House::with(&config(&twilio), None);
    let service = house.service().await;
    let first = alert(&house, &service, "[P1][PROBLEM][db-07][10.0.3.7][=HYPERLINK(1)]").await;
    alert(&house, &service, "[P2][PROBLEM][db-08][10.0.3.8][disk is full]").await;
    let items = over(&house, &service, 2).await;
    let row = items.iter().find(|row| row["incident"] == first).unwrap();
    assert_eq!((row["provider"].as_str(), row["channel"].as_str()), (Some("twilio"), Some("sms")));
    assert_eq!((row["name"].as_str(), row["contact"].as_str()), (Some("=Li"), Some("text")));
    assert_eq!((row["state"].as_str(), row["severity"].as_str()), (Some("accepted"), Some("P1")));
    assert_eq!((row["provider_id"].as_str(), row["tries"].as_i64()), (Some("SM1"), Some(1)));
    let at = |name: &str| row[name].as_i64().unwrap();
    assert!(at("queued_at") <= at("sent_at") && at("sent_at") <= at("taken_at"), "{row}");
    let chosen = async |query: &str| {
        let list = ask(&house, &service, &format!("/api/v1/deliveries?{query}"), Role::Viewer).await;
        list.json()["items"].as_array().unwrap().len()
    };
    assert_eq!((chosen("severity=P1").await, chosen("person=li").await, chosen("person=anna").await), (1, 2, 0));
    assert_eq!((chosen("provider=twilio").await, chosen("provider=aliyun").await), (2, 0));
    assert_eq!((chosen(&format!("incident={first}")).await, chosen("until=1").await), (1, 0));
    // A page ends where the next one begins.
    let page = ask(&house, &service, "/api/v1/deliveries?limit=1", Role::Viewer).await.json();
    let next = page["next"].as_str().unwrap();
    let rest = ask(&house, &service, &format!("/api/v1/deliveries?limit=1&after={next}"), Role::Viewer).await.json();
    assert_ne!(page["items"][0]["attempt"], rest["items"][0]["attempt"]);
    assert_eq!(rest["next"].as_str(), None);
    let health = ask(&house, &service, "/api/v1/deliveries/health", Role::Viewer).await.json();
    assert_eq!((health["names"][0].as_str(), health["providers"][0]["state"].as_str()), (Some("twilio"), Some("ok")));
    for query in ["state=planned", "severity=P9", "after=1", "format=xml", "person=li&webhook=noc"] {
        let refused = ask(&house, &service, &format!("/api/v1/deliveries?{query}"), Role::Viewer).await;
        assert_eq!(refused.status.as_u16(), 422, "{query}: {}", refused.text);
    }
}

#[actix_web::test]
async fn a_spreadsheet_gets_the_same_and_runs_nothing_of_it() {
    let twilio = taking();
    let house = House::with(&config(&twilio), None);
    let service = house.service().await;
    alert(&house, &service, "[P1][PROBLEM][db-07][10.0.3.7][=HYPERLINK(1)]").await;
    over(&house, &service, 1).await;
    let csv = ask(&house, &service, "/api/v1/deliveries?format=csv", Role::Viewer).await;
    assert!(csv.header("content-type").starts_with("text/csv"), "{}", csv.header("content-type"));
    let lines: Vec<&str> = csv.text.lines().collect();
    assert!(lines[0].starts_with("sent,incident,severity,title,recipient,name"), "{}", lines[0]);
    assert!(lines[1].contains("\"'=HYPERLINK(1)\"") && lines[1].contains("\"'=Li\""), "{}", lines[1]);
    assert!(lines[1].contains(",sms,twilio,accepted,1,"), "{}", lines[1]);
    assert_eq!(lines.len(), 2);
}

#[actix_web::test]
async fn a_number_that_nobody_has_says_nothing_about_its_provider() {
    let twilio = answering("400 Bad Request", r#"{"code": 21211, "message": "Invalid 'To' Phone Number"}"#);
    let house = House::with(&config(&twilio), None);
    let service = house.service().await;
    alert(&house, &service, "[P1][PROBLEM][db-07][10.0.3.7][disk is full]").await;
    let items = over(&house, &service, 1).await;
    assert_eq!((items[0]["state"].as_str(), items[0]["failure"]["fault"].as_str()), (Some("failed"), Some("method")));
    let health = ask(&house, &service, "/api/v1/deliveries/health", Role::Viewer).await.json();
    let provider = &health["providers"][0];
    // Nobody else is there to be paged, so that it is tried by every level; what the next level came before was not sent
    // at all, which says nothing either.
    let list = ask(&house, &service, "/api/v1/deliveries", Role::Viewer).await.json();
    assert_eq!((provider["state"].as_str(), provider["accepted"].as_i64()), (Some("idle"), Some(0)), "{list}");
    assert!(provider["failed"].as_i64() >= Some(1), "{provider}");
}

#[actix_web::test]
async fn a_provider_that_refuses_our_account_is_failing_and_says_why() {
    let twilio = answering("401 Unauthorized", r#"{"code": 20003, "message": "Authenticate"}"#);
    let house = House::with(&config(&twilio), None);
    let service = house.service().await;
    alert(&house, &service, "[P1][PROBLEM][db-07][10.0.3.7][disk is full]").await;
    over(&house, &service, 1).await;
    let channels = ask(&house, &service, "/api/v1/channels", Role::Admin).await.json();
    let rows = channels["items"].as_array().unwrap();
    let row = rows.iter().find(|row| row["name"] == "twilio").unwrap();
    let health = &row["health"][0];
    assert_eq!((health["provider"].as_str(), health["state"].as_str()), (Some("twilio"), Some("failing")), "{row}");
    let error = &health["last_error"];
    assert_eq!(error["fault"], "provider");
    assert!(error["detail"].as_str().unwrap().contains("the account or its token is wrong"), "{error}");
    for name in ["slack", "telegram", "feishu", "dingtalk", "teams", "wecom", "push", "ntfy", "email", "webhook"] {
        assert!(rows.iter().any(|row| row["name"] == name), "{name}");
    }
    assert_eq!(ask(&house, &service, "/api/v1/channels", Role::Viewer).await.status.as_u16(), 403);
    // Whoever is paged about the pager itself hears of it, once.
    let incidents = ask(&house, &service, "/api/v1/incidents", Role::Viewer).await.json();
    let titles: Vec<&str> =
        incidents["items"].as_array().unwrap().iter().filter_map(|it| it["title"].as_str()).collect();
    let told = titles.iter().filter(|it| **it == "twilio refuses our account: pages by sms reach nobody");
    assert_eq!(told.count(), 1, "{titles:?}");
}

/// What a stranger finds with nothing but the file and the script of the documentation.
fn checked(folder: &Path, lines: &[String]) -> Result<String, String> {
    let file = folder.join("proof.ndjson");
    std::fs::write(&file, lines.join("\n") + "\n").unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/check-proof.py");
    let said = Command::new(e2e::environment::python().unwrap()).arg(script).arg(file).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if said.status.success() { Ok(text(&said.stdout)) } else { Err(text(&said.stderr)) }
}

#[actix_web::test]
async fn a_stranger_can_check_the_proof_and_finds_what_was_changed() {
    let twilio = taking();
    let house = House::with(&config(&twilio), None);
    let service = house.service().await;
    let first = alert(&house, &service, "[P1][PROBLEM][db-07][10.0.3.7][磁盘满]").await;
    alert(&house, &service, "[P1][PROBLEM][db-08][10.0.3.8][disk is full]").await;
    over(&house, &service, 2).await;
    let bearer = ("authorization", format!("Bearer {}", house.api_token(Role::Responder)));
    let ack = request("POST", &format!("/api/v1/incidents/{first}/ack")).insert_header(bearer);
    let ack = ack.insert_header(("content-type", "application/json")).set_payload("{}");
    assert_eq!(call(&service, ack).await.status, 200);
    let export = async |query: &str| -> Vec<String> {
        let answer = ask(&house, &service, &format!("/api/v1/proof{query}"), Role::Viewer).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.text.lines().map(str::to_owned).collect()
    };
    let folder = tempfile::tempdir().unwrap();
    let check = |lines: &[String]| checked(folder.path(), lines);
    let whole = export("").await;
    assert_eq!(whole.len(), 5, "two pages, two deliveries, one answer");
    assert!(check(&whole).unwrap().starts_with("whole up to link 5: "));
    // One letter, one line less, two that changed places.
    let mut letter = whole.clone();
    letter[2] = letter[2].replacen("accepted", "acceptee", 1);
    assert_eq!(check(&letter).unwrap_err(), "link 3: what it says was changed");
    let mut less = whole.clone();
    less.remove(1);
    assert_eq!(check(&less).unwrap_err(), "link 3: it does not follow link 1");
    let mut swapped = whole.clone();
    swapped.swap(3, 4);
    assert_eq!(check(&swapped).unwrap_err(), "link 5: it does not follow link 3");
    // Words in a link whose content is withheld, and words that no link has.
    let link = |change: &dyn Fn(&mut serde_json::Map<String, Value>)| {
        let mut lines = whole.clone();
        let mut link: Value = serde_json::from_str(&lines[2]).unwrap();
        change(link.as_object_mut().unwrap());
        lines[2] = link.to_string();
        lines
    };
    let forged = link(&|it| drop((it.remove("what"), it.insert("actor".into(), "anna".into()))));
    assert_eq!(check(&forged).unwrap_err(), "link 3: it says something that nothing proves");
    let added = link(&|it| drop(it.insert("by".into(), "anna".into())));
    assert_eq!(check(&added).unwrap_err(), "link 3: it says something that nothing proves");
    assert!(check(&link(&|_| ())).is_ok());
    // Of one incident: the chain is whole, and tells nothing of the other one.
    let of_one = export(&format!("?incident={first}")).await;
    assert!(check(&of_one).is_ok(), "{of_one:?}");
    let told: Vec<Value> = of_one.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(told.iter().all(|link| link.get("what").is_none() || link["incident"] == first), "{told:?}");
    assert!(told.iter().any(|link| link.get("what").is_none()));
    let later = export("?from=9999999999999&to=99999999999999").await;
    assert_eq!(check(&later).as_deref(), Ok("no links"));
    assert_eq!(ask(&house, &service, "/api/v1/proof?from=2&to=1", Role::Viewer).await.status.as_u16(), 422);
}
