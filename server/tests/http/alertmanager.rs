//! An integration as an Alertmanager, where it is more than one: what belongs to which sender, and what becomes of it here.
//! What a real one answers is compared in e2e/tests/alertmanager.rs.

use super::house::{Answer, House, call, json, request};
use serde_json::{Value, json as value};
use shared::api::Role;

async fn am(house: &House, method: &str, token: &str, path: &str, body: Option<&Value>) -> Answer {
    let path = format!("/am/{token}{path}");
    let asked = match body {
        Some(body) => json(method, &path, body),
        None => request(method, &path),
    };
    call(&house.service().await, asked).await
}

async fn api(house: &House, path: &str) -> Value {
    let bearer = ("authorization", format!("Bearer {}", house.api_token(Role::Responder)));
    call(&house.service().await, request("GET", path).insert_header(bearer)).await.json()
}

fn down() -> Value {
    value!([{
        "labels": { "alertname": "Down", "instance": "db-07:9100", "severity": "critical" },
        "annotations": { "summary": "db-07 is down" },
        "endsAt": "2999-01-01T00:00:00Z", "generatorURL": "http://prometheus.example/graph",
    }])
}

fn silence(comment: &str) -> Value {
    value!({
        "matchers": [{ "name": "alertname", "value": "Down", "isRegex": false }],
        "startsAt": "2026-01-01T00:00:00Z", "endsAt": "2027-09-01T00:00:00Z", "createdBy": "wang", "comment": comment,
    })
}

#[actix_web::test]
async fn what_prometheus_tells_is_an_incident_and_its_silence_is_one_of_ours() {
    let house = House::new();
    let taken = am(&house, "POST", &house.sender, "/api/v2/alerts", Some(&down())).await;
    assert_eq!((taken.status.as_u16(), taken.text.len()), (200, 0));
    let found = api(&house, "/api/v1/incidents/1").await;
    assert_eq!((&found["row"]["title"], &found["row"]["host"]), (&value!("db-07 is down"), &value!("db-07")));
    assert_eq!(found["row"]["severity"], "P1");

    let made = am(&house, "POST", &house.sender, "/api/v2/silences", Some(&silence("works"))).await;
    assert_eq!(made.status, 200, "{}", made.json());
    let ours = api(&house, "/api/v1/silences/1").await;
    let sender = &ours["silence"]["by"]["integration"];
    assert_eq!(
        (&ours["silence"]["author"], &ours["silence"]["reason"], &ours["silence"]["match"][1]),
        (&value!("wang"), &value!("works"), &value!("labels.alertname=Down"))
    );
    assert_eq!(ours["silence"]["match"][0], format!("integration={}", sender.as_str().unwrap()));
    assert_eq!(ours["hid"][0]["id"], 1, "{ours:#}");
    let listed = am(&house, "GET", &house.sender, "/api/v2/alerts", None).await.json();
    assert_eq!(
        (&listed[0]["status"]["state"], &listed[0]["status"]["silencedBy"][0]),
        (&value!("suppressed"), &made.json()["silenceID"])
    );
}

#[actix_web::test]
async fn a_sender_sees_and_silences_only_what_is_its_own() {
    let house = House::new();
    let other = house.another_sender("other");
    am(&house, "POST", &house.sender, "/api/v2/alerts", Some(&down())).await;
    am(&house, "POST", &other, "/api/v2/alerts", Some(&down())).await;
    let made = am(&house, "POST", &other, "/api/v2/silences", Some(&silence("theirs"))).await.json();
    let path = format!("/api/v2/silence/{}", made["silenceID"].as_str().unwrap());

    let own = am(&house, "GET", &house.sender, "/api/v2/alerts", None).await.json();
    assert_eq!((own.as_array().unwrap().len(), &own[0]["status"]["state"]), (1, &value!("active")), "{own}");
    assert_eq!(am(&house, "GET", &house.sender, "/api/v2/silences", None).await.json(), value!([]));
    for method in ["GET", "DELETE"] {
        assert_eq!(am(&house, method, &house.sender, &path, None).await.status, 404, "{method}");
    }
    let mut change = silence("mine");
    change["id"] = made["silenceID"].clone();
    assert_eq!(am(&house, "POST", &house.sender, "/api/v2/silences", Some(&change)).await.status, 404);
    assert_eq!(am(&house, "DELETE", &other, &path, None).await.status, 200);

    // One that people made is seen, and is theirs to end.
    let bearer = ("authorization", format!("Bearer {}", house.api_token(Role::Responder)));
    let wide = value!({ "match": ["host=db-07"], "until_recovered": true, "reason": "known" });
    let wide = call(&house.service().await, json("POST", "/api/v1/silences", &wide).insert_header(bearer)).await;
    assert_eq!(wide.status, 201, "{}", wide.json());
    let seen = am(&house, "GET", &house.sender, "/api/v2/silences?filter=host%3Ddb-07", None).await.json();
    assert_eq!((&seen[0]["comment"], &seen[0]["matchers"][0]["name"]), (&value!("known"), &value!("host")));
    let path = format!("/api/v2/silence/{}", seen[0]["id"].as_str().unwrap());
    assert_eq!(am(&house, "DELETE", &house.sender, &path, None).await.status, 403);

    // Also one that is about this sender and nothing else.
    let bearer = ("authorization", format!("Bearer {}", house.api_token(Role::Responder)));
    let ours = value!({ "match": ["integration=monitor"], "until_recovered": true, "reason": "by hand" });
    let ours = call(&house.service().await, json("POST", "/api/v1/silences", &ours).insert_header(bearer)).await;
    assert_eq!(ours.status, 201, "{}", ours.json());
    let seen = am(&house, "GET", &house.sender, "/api/v2/silences", None).await.json();
    let by_hand = seen.as_array().unwrap().iter().find(|it| it["comment"] == "by hand").unwrap();
    let path = format!("/api/v2/silence/{}", by_hand["id"].as_str().unwrap());
    assert_eq!(am(&house, "DELETE", &house.sender, &path, None).await.status, 403);
    let mut many = silence("many");
    many["matchers"] = (0..65).map(|n| value!({ "name": format!("a{n}"), "value": "x", "isRegex": false })).collect();
    assert_eq!(am(&house, "POST", &house.sender, "/api/v2/silences", Some(&many)).await.status, 400);

    let stranger = am(&house, "POST", "tin_nobody", "/api/v2/alerts", Some(&down())).await;
    assert_eq!((stranger.status.as_u16(), &stranger.json()["code"]), (401, &value!(401)));
}
