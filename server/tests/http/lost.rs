//! What is refused of a sender that tells nobody: the pager says so itself; and why something was refused stands in the list of
//! requests whichever interface was spoken to.

use super::house::{CONFIG, Doors, House, call, json, request};
use serde_json::{Value, json as value};
use shared::api::Role;
use std::time::Duration;

const TOO_LARGE: usize = (1 << 20) + 1;

fn house() -> House {
    House::with(&format!("{CONFIG}\n[[integrations]]\nid = \"monitor\"\n"), None)
}

async fn read(house: &House, doors: &Doors, path: &str) -> Vec<Value> {
    let bearer = ("authorization", format!("Bearer {}", house.api_token(Role::Viewer)));
    let found = call(doors, request("GET", path).insert_header(bearer)).await;
    found.json()["items"].as_array().unwrap().clone()
}

/// The pager's own incidents about refused alerts, once there is one in this state.
async fn own(house: &House, doors: &Doors, state: &str) -> Value {
    for _ in 0..500 {
        let rows = read(house, doors, "/api/v1/incidents?state=all").await;
        let found: Vec<_> = rows.into_iter().filter(|row| row["title"].as_str().unwrap().contains("refused")).collect();
        assert!(found.len() <= 1, "one incident however much is refused: {found:#?}");
        if let Some(row) = found.into_iter().find(|row| row["state"] == state) {
            return row;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("there is no incident about it that is {state}");
}

async fn told_an_alertmanager(doors: &Doors, token: &str, kind: &str, body: Vec<u8>) -> u16 {
    let path = format!("/am/{token}/api/v2/alerts");
    let asked = request("POST", &path).insert_header(("content-type", kind)).set_payload(body);
    call(doors, asked).await.status.as_u16()
}

#[actix_web::test]
async fn a_batch_that_an_alertmanager_refuses_is_told_of_until_the_sender_is_heard_again() {
    let good = br#"[{"labels":{"alertname":"Down","severity":"info"}}]"#.to_vec();
    for (kind, body) in [("application/json", vec![b'['; TOO_LARGE]), ("text/plain", b"[]".to_vec())] {
        let house = house();
        let doors = house.service().await;
        // Whoever has no token could page otherwise.
        assert_eq!(told_an_alertmanager(&doors, "tin_nobody", kind, body.clone()).await, 401);
        for _ in 0..3 {
            assert!((400..=415).contains(&told_an_alertmanager(&doors, &house.sender, kind, body.clone()).await));
        }
        let row = own(&house, &doors, "triggered").await;
        assert_eq!((&row["severity"], &row["integration"]), (&value!("P1"), &value!("tocsin")), "{row:#}");
        let incident = &row["id"];
        let found = read(&house, &doors, "/api/v1/events?integration=tocsin").await;
        let text = found[0]["text"].as_str().unwrap();
        assert!(text.contains("1 of its requests were refused since 20") && text.contains("the last with 4"), "{text}");
        assert!(!text.contains("tin_"), "{text}");
        for _ in 0..8 {
            assert_eq!(told_an_alertmanager(&doors, &house.sender, "application/json", good.clone()).await, 200);
        }
        assert_eq!(own(&house, &doors, "resolved").await["id"], *incident);
    }
}

#[actix_web::test]
async fn a_body_that_is_too_large_is_told_of_wherever_it_is_posted_and_what_is_kept_is_not() {
    let house = house();
    let doors = house.service().await;
    let path = format!("/ingest/{}", house.sender);
    // It is in quarantine, where somebody may look at it; so is a batch with one label that is none.
    let half = b"[{\"labels\":".to_vec();
    assert_eq!(told_an_alertmanager(&doors, &house.sender, "application/json", half).await, 400);
    assert_eq!(call(&doors, json("POST", &path, &value!(7)).set_payload("{\"half\":")).await.status, 400);
    // Who only asks loses nothing.
    let list = format!("/am/{}/api/v2/alerts?filter=((", house.sender);
    assert_eq!(call(&doors, request("GET", &list)).await.status, 400);
    assert_eq!(call(&doors, request("POST", &path).set_payload(vec![b'x'; TOO_LARGE])).await.status, 413);
    let row = own(&house, &doors, "triggered").await;
    assert_eq!(row["title"], "alerts of monitor are refused and lost");
    let told = read(&house, &doors, "/api/v1/events?integration=tocsin").await;
    assert_eq!(told.len(), 1, "{told:#?}");
}

#[actix_web::test]
async fn each_interface_says_in_the_list_of_requests_why_it_refused() {
    let house = house();
    let doors = house.service().await;
    let token = &house.sender;
    let genie = ("authorization", format!("GenieKey {token}"));
    let pd =
        value!({ "routing_key": token, "event_action": "trigger", "payload": { "source": "x", "severity": "error" } });
    let requests = [
        json("POST", "/v2/enqueue", &pd),
        json("POST", "/v2/alerts", &value!({ "alias": "no message" })).insert_header(genie.clone()),
        json("POST", "/v2/alerts/x/notes?identifierType=alias", &value!([])).insert_header(genie.clone()),
        request("GET", "/v2/alerts/requests/none").insert_header(genie),
        json("POST", &format!("/alerta/{token}/alert"), &value!({ "event": "no resource" })),
        json("PUT", &format!("/alerta/{token}/alert/none/status"), &value!({})),
        json("POST", &format!("/slack/{token}"), &value!({ "text": "" })),
        json("POST", &format!("/message?token={token}"), &value!([])),
        json("POST", &format!("/am/{token}/api/v2/alerts"), &value!([{ "labels": { "a": 1 } }])),
        request("DELETE", &format!("/am/{token}/api/v2/silence/00000000-0000-0000-0000-000000000000")),
        request("GET", &format!("/am/{token}/api/v1/alerts")),
    ];
    let mut refused = 0;
    for asked in requests {
        refused += usize::from(call(&doors, asked).await.status.is_client_error());
    }
    let noted = read(&house, &doors, "/api/v1/integrations/monitor/requests").await;
    let noted: Vec<_> = noted.iter().filter(|it| it["status"].as_u64().unwrap() >= 400).collect();
    assert!(noted.len() >= 9 && noted.len() == refused, "{refused} {noted:#?}");
    for it in noted {
        assert!(it["reason"].is_string() && it["detail"].as_str().is_some_and(|it| !it.is_empty()), "{it:#}");
        assert!(!it.to_string().contains(token.as_str()), "{it:#}");
    }
}

#[actix_web::test]
async fn a_message_that_is_told_again_here_is_no_sign_of_its_sender() {
    let house = house();
    let doors = house.service().await;
    let first = json("POST", &format!("/ingest/{}", house.sender), &value!({ "severity": "P3", "summary": "x" }));
    assert_eq!(call(&doors, first).await.status, 200);
    let row = async || {
        let rows = read(&house, &doors, "/api/v1/integrations").await;
        rows.into_iter().find(|row| row["id"] == "monitor").unwrap()
    };
    let before = row().await;
    assert_eq!(before["events"], 1);
    let bearer = ("authorization", format!("Bearer {}", house.api_token(Role::Responder)));
    tokio::time::sleep(Duration::from_millis(2)).await;
    let again = call(&doors, request("POST", "/api/v1/events/1/replay").insert_header(bearer)).await;
    assert_eq!((again.status.as_u16(), &again.json()["event"]), (200, &value!(2)), "{}", again.text);
    let after = row().await;
    assert_eq!((&after["events"], &after["last_event_at"]), (&value!(1), &before["last_event_at"]));
}
