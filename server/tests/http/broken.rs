//! A contact that does not work: marked, told of by another one, and forgotten once it works or is another.

use super::{
    house::{Doors, House, call, request},
    provider::Provider,
};
use serde_json::Value;
use server::clock;
use shared::api::Role;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

fn config(carrier: &Provider, ntfy: &Provider, number: &str) -> String {
    let (carrier, ntfy) = (carrier.at, ntfy.at);
    format!(
        r#"
fallback = ["person:li"]
policies = [{{ id = "p", levels = [{{ notify = ["person:li"], delay = "5m" }}] }}]
routes = [{{ id = "all", policy = "p" }}]
[[people]]
id = "li"
name = "Li"
contacts = [{{ id = "text", sms = "{number}" }}, {{ id = "topic", ntfy = "li" }}]
[channels.twilio]
account = "AC1"
token = "secret-token"
from = "+15551230000"
base = "http://{carrier}"
[channels.ntfy]
server = "http://{ntfy}"
"#
    )
}

async fn send(house: &House, service: &Doors, line: &str) {
    let sent = request("POST", &format!("/ingest/{}", house.sender)).set_payload(line.to_owned());
    assert_eq!(call(service, sent).await.status, 200);
}

async fn broken(house: &House, service: &Doors) -> Vec<Value> {
    let bearer = ("authorization", format!("Bearer {}", house.api_token(Role::Viewer)));
    let people = call(service, request("GET", "/api/v1/people").insert_header(bearer)).await.json();
    people["items"][0]["broken"].as_array().unwrap().clone()
}

async fn until_broken(house: &House, service: &Doors, count: usize) -> Vec<Value> {
    for _ in 0..500 {
        let found = broken(house, service).await;
        if found.len() == count {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("not {count} are broken after 10 s");
}

#[actix_web::test]
async fn whoever_has_a_contact_that_does_not_work_is_told_once_by_another() {
    let takes = Arc::new(AtomicBool::new(false));
    let carrier = Provider::new({
        let takes = Arc::clone(&takes);
        move |_| {
            if takes.load(Ordering::Acquire) {
                ("201 Created", r#"{"sid": "SM1"}"#.to_owned())
            } else {
                ("400 Bad Request", r#"{"code": 21211, "message": "no number"}"#.to_owned())
            }
        }
    });
    let ntfy = Provider::new(|_| ("200 OK", r#"{"id": "n1"}"#.to_owned()));
    let house = House::with(&config(&carrier, &ntfy, "+8613800138000"), None);
    let service = house.service().await;
    assert!(broken(&house, &service).await.is_empty());

    send(&house, &service, "[P0][PROBLEM][db-07][10.0.3.7][disk is full]").await;
    let found = until_broken(&house, &service, 1).await;
    assert_eq!((found[0]["contact"].as_str(), found[0]["channel"].as_str()), (Some("text"), Some("sms")));
    assert!(found[0]["why"].as_str().unwrap().contains("this is not a telephone number"), "{found:?}");
    let (mut pages, mut notices) = (0, 0);
    while pages + notices < 2 {
        let asked = ntfy.asked().await;
        if asked.contains("Your contact text (sms) does not work") { notices += 1 } else { pages += 1 }
    }
    assert_eq!((pages, notices), (1, 1));

    // It is refused again: nobody is told again.
    send(&house, &service, "[P0][PROBLEM][db-08][10.0.3.8][disk is full]").await;
    assert!(ntfy.asked().await.contains("db-08"));
    assert!(ntfy.is_left_alone(300).await);
    assert_eq!(broken(&house, &service).await, found, "since when it was refused first");

    // The next message that is taken clears it.
    takes.store(true, Ordering::Release);
    send(&house, &service, "[P0][PROBLEM][db-09][10.0.3.9][disk is full]").await;
    until_broken(&house, &service, 0).await;
    assert!(house.store(|store| store.broken_contacts()).unwrap().is_empty());
}

#[actix_web::test]
async fn another_number_is_another_contact() {
    let carrier = Provider::new(|_| ("400 Bad Request", r#"{"code": 21211, "message": "no number"}"#.to_owned()));
    let ntfy = Provider::new(|_| ("200 OK", r#"{"id": "n1"}"#.to_owned()));
    let mut house = House::with(&config(&carrier, &ntfy, "+8613800138000"), None);
    let service = house.service().await;
    send(&house, &service, "[P0][PROBLEM][db-07][10.0.3.7][disk is full]").await;
    until_broken(&house, &service, 1).await;
    drop(service);
    house.restart();
    let service = house.service().await;
    assert_eq!(broken(&house, &service).await.len(), 1, "a restart mends nothing");
    let text = config(&carrier, &ntfy, "+8613800138001");
    house.store(|store| store.config_put(&text, "test", clock::now(), None)).unwrap();
    house.app.runtime.reload().await.unwrap();
    assert!(broken(&house, &service).await.is_empty());
    assert!(house.store(|store| store.broken_contacts()).unwrap().is_empty());
}
