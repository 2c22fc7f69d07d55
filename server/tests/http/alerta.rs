//! Alerta's API as its clients rely on it: 201 with the alert, identity with its correlated events, and a sender's own alerts
//! only.

use super::house::{Answer, CONFIG, House, call, json, request};
use serde_json::{Value, json as value};
use shared::api::Role;

async fn ask(house: &House, method: &str, path: &str, body: Option<&Value>) -> Answer {
    let asked = match body {
        Some(body) => json(method, path, body),
        None => request(method, path),
    };
    call(&house.service().await, asked.insert_header(("authorization", format!("Key {}", house.sender)))).await
}

async fn send(house: &House, event: &str, severity: &str, more: Value) -> Answer {
    let mut body = value!({
        "resource": "web01:/var", "event": event, "environment": "Production", "severity": severity, "customer": null,
    });
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    ask(house, "POST", "/alerta/alert", Some(&body)).await
}

async fn incident(house: &House, id: i64) -> Value {
    let bearer = ("authorization", format!("Bearer {}", house.api_token(Role::Viewer)));
    call(&house.service().await, request("GET", &format!("/api/v1/incidents/{id}")).insert_header(bearer)).await.json()
}

#[actix_web::test]
async fn an_alert_is_told_repeated_made_worse_and_ended_and_each_answer_says_so() {
    let house = House::new();
    let told =
        send(&house, "DiskFull", "major", value!({ "text": "97 %", "service": ["Web"], "tags": ["dc=bj"] })).await;
    let alert = told.json();
    assert_eq!(
        (told.status.as_u16(), &alert["status"], &alert["id"], &alert["alert"]["repeat"]),
        (201, &value!("ok"), &value!("1"), &value!(false))
    );
    assert_eq!(
        (&alert["alert"]["severity"], &alert["alert"]["status"], &alert["alert"]["service"], &alert["alert"]["tags"]),
        (&value!("major"), &value!("open"), &value!(["Web"]), &value!(["dc=bj"]))
    );
    assert_eq!(alert["alert"]["text"], "97 %");
    let found = incident(&house, 1).await;
    assert_eq!(
        (&found["row"]["severity"], &found["row"]["host"], &found["row"]["title"]),
        (&value!("P2"), &value!("web01"), &value!("DiskFull on web01:/var: 97 %"))
    );
    let again = send(&house, "DiskFull", "major", value!({})).await.json()["alert"].clone();
    assert_eq!((&again["repeat"], &again["duplicateCount"]), (&value!(true), &value!(1)));
    let worse = send(&house, "DiskFull", "critical", value!({})).await.json()["alert"].clone();
    assert_eq!((&worse["repeat"], &worse["previousSeverity"]), (&value!(false), &value!("major")));
    assert_eq!(incident(&house, 1).await["row"]["severity"], "P1");
    let over = send(&house, "DiskFull", "cleared", value!({})).await.json()["alert"].clone();
    assert_eq!(
        (&over["severity"], &over["previousSeverity"], &over["status"]),
        (&value!("cleared"), &value!("critical"), &value!("closed"))
    );
    assert_eq!(incident(&house, 1).await["row"]["state"], "resolved");
    let nothing = send(&house, "DiskFull", "ok", value!({})).await;
    assert_eq!((nothing.status.as_u16(), &nothing.json()["status"]), (202, &value!("ok")));
}

#[actix_web::test]
async fn an_event_that_an_open_alert_names_is_that_alert_and_of_another_machine_it_is_not() {
    let house = House::new();
    let named = value!({ "correlate": ["HostUp", "HostSlow", "HostDown"] });
    send(&house, "HostDown", "critical", named).await;
    let slow = send(&house, "HostSlow", "minor", value!({})).await.json();
    assert_eq!((&slow["id"], &slow["alert"]["previousSeverity"]), (&value!("1"), &value!("critical")));
    for other in [value!({ "resource": "web02" }), value!({ "environment": "Test" }), value!({ "customer": "acme" })] {
        assert_eq!(send(&house, "HostUp", "normal", other.clone()).await.status, 202, "{other}");
    }
    // The list of the first stays known, though the second told none.
    let up = send(&house, "HostUp", "normal", value!({})).await.json();
    assert_eq!((&up["id"], &up["alert"]["status"]), (&value!("1"), &value!("closed")));
    assert_eq!(incident(&house, 1).await["row"]["state"], "resolved");
}

#[actix_web::test]
async fn what_was_told_under_the_name_of_another_is_that_alert_when_it_comes_again_and_when_it_ends() {
    let house = House::new();
    send(&house, "HostDown", "critical", value!({ "correlate": ["HostSlow", "HostUp"], "tags": ["customer=acme"] }))
        .await;
    for again in ["minor", "minor"] {
        let slow = send(&house, "HostSlow", again, value!({ "correlate": ["HostDown", "HostUp"] })).await.json();
        assert_eq!(slow["id"], "1");
    }
    let over = send(&house, "HostSlow", "normal", value!({})).await;
    assert_eq!((over.status.as_u16(), &over.json()["id"]), (201, &value!("1")));
    send(&house, "DiskFull", "major", value!({ "correlate": ["DiskOk"], "tags": ["customer=acme"] })).await;
    assert_eq!(send(&house, "DiskOk", "normal", value!({})).await.status, 201);
    // Netdata's resource without a host is that of the machine in its origin.
    let chart = |host: &str| value!({ "resource": "httpcheck_shop.status", "origin": format!("netdata/{host}") });
    assert_eq!(send(&house, "bad_status", "critical", chart("db-07")).await.status, 201);
    assert_eq!(send(&house, "bad_status", "cleared", chart("db-08")).await.status, 202);
    assert_eq!(send(&house, "bad_status", "cleared", chart("db-07")).await.status, 201);
}

#[actix_web::test]
async fn what_is_done_to_an_alert_there_is_done_here() {
    let house = House::new();
    send(&house, "DiskFull", "major", value!({ "timeout": 600 })).await;
    let put = async |verb: &str, body: Value| {
        let answer = ask(&house, "PUT", &format!("/alerta/api/alert/1/{verb}"), Some(&body)).await;
        (answer.status.as_u16(), incident(&house, 1).await["row"]["state"].clone())
    };
    assert_eq!(put("status", value!({ "status": "ack", "text": "li looks" })).await, (200, value!("acked")));
    assert_eq!(put("action", value!({ "action": "unack" })).await, (200, value!("triggered")));
    assert_eq!(put("action", value!({ "action": "unack" })).await.0, 409);
    assert_eq!(put("action", value!({ "action": "shelve", "timeout": 60 })).await, (200, value!("snoozed")));
    assert_eq!(put("status", value!({ "status": "open" })).await, (200, value!("triggered")));
    assert_eq!(put("tag", value!({ "tags": ["owner=dba"] })).await.0, 200);
    assert_eq!(put("tag", value!({ "tags": ["owner=dba", "new"] })).await.0, 200);
    let shown = ask(&house, "GET", "/alerta/alert/1", None).await.json()["alert"].clone();
    assert_eq!((&shown["tags"], &shown["text"]), (&value!(["owner=dba", "new"]), &value!("")));
    assert_eq!(put("attributes", value!({ "attributes": { "ticket": "17" } })).await.0, 200);
    assert_eq!(put("note", value!({ "text": "new disk" })).await.0, 201);
    assert_eq!(put("untag", value!({ "tags": ["owner=dba"] })).await.0, 404);
    let told = incident(&house, 1).await.to_string();
    for word in ["li looks", "new disk", "\"owner\":\"dba\"", "\"ticket\":\"17\""] {
        assert!(told.contains(word), "{word}: {told}");
    }
    assert_eq!(incident(&house, 1).await["row"]["title"], "DiskFull on web01:/var");
    assert_eq!(put("status", value!({ "status": "closed" })).await, (200, value!("resolved")));
    assert_eq!(put("status", value!({ "status": "ack" })).await.0, 409);
}

#[actix_web::test]
async fn what_alerts_of_others_share_is_not_put_off_or_taken_back_and_what_is_refused_leaves_no_word() {
    let house = House::with(&CONFIG.replace("policy = \"p\"", "policy = \"p\"\ngroup = { by = [\"host\"] }"), None);
    let other = house.another_sender("other");
    send(&house, "DiskFull", "major", value!({})).await;
    let theirs = value!({ "resource": "web01", "event": "Fan", "environment": "Production", "severity": "debug" });
    let told = json("POST", &format!("/alerta/{other}/alert"), &theirs);
    assert_eq!(call(&house.service().await, told).await.status, 201);
    assert_eq!(incident(&house, 1).await["alerts"].as_array().unwrap().len(), 2);
    let put = async |body: Value| {
        let asked = json("PUT", &format!("/alerta/{other}/alert/2/action"), &body);
        let answer = call(&house.service().await, asked).await;
        (answer.status.as_u16(), incident(&house, 1).await["row"]["state"].clone())
    };
    let refused = value!({ "action": "shelve", "timeout": 60, "text": "never written" });
    assert_eq!(put(refused).await, (409, value!("triggered")));
    ask(&house, "PUT", "/alerta/alert/1/action", Some(&value!({ "action": "ack" }))).await;
    assert_eq!(put(value!({ "action": "unack" })).await, (409, value!("acked")));
    assert_eq!(put(value!({ "action": "explode", "text": "never written" })).await.0, 404);
    assert!(!incident(&house, 1).await.to_string().contains("never written"));
}

#[actix_web::test]
async fn alerts_are_asked_for_by_what_they_are_and_what_is_not_understood_gives_none() {
    let house = House::new();
    send(&house, "DiskFull", "major", value!({ "tags": ["dc=bj"] })).await;
    send(&house, "Slow", "warning", value!({ "text": "very slow" })).await;
    let asked = async |query: &str| {
        let answer = ask(&house, "GET", &format!("/alerta/alerts?{query}"), None).await;
        let events = answer.json()["alerts"].as_array().map(|alerts| {
            alerts.iter().map(|alert| alert["event"].as_str().unwrap().to_owned()).collect::<Vec<_>>().join(" ")
        });
        events.unwrap_or_else(|| answer.status.as_u16().to_string())
    };
    for (query, events) in [
        ("", "Slow DiskFull"),
        ("severity=major&severity=warning", "Slow DiskFull"),
        ("severity=major&status=ack", ""),
        ("severity!=major", "Slow"),
        ("event=~disk", "DiskFull"),
        ("tag=dc%3Dbj", "DiskFull"),
        ("q=resource%3A%22web01%3A%2Fvar%22+AND+severity%3Awarning", "Slow"),
        ("q=very", "Slow"),
        ("id=1", "DiskFull"),
        ("page=2&page-size=1", "DiskFull"),
        ("from-date=2999-01-01T00:00:00.000Z", ""),
        ("q=severity%3A(major+OR+minor)", "400"),
        ("q=NOT+x", "400"),
        ("colour=red", "400"),
    ] {
        assert_eq!(asked(query).await, events, "{query}");
    }
    let count = ask(&house, "GET", "/alerta/alerts/count", None).await.json();
    assert_eq!((&count["total"], &count["severityCounts"]["major"]), (&value!(2), &value!(1)));
    assert_eq!(ask(&house, "GET", "/alerta/alert/1", None).await.json()["alert"]["event"], "DiskFull");
}

#[actix_web::test]
async fn a_heartbeat_is_kept_and_pages_nobody_and_what_is_wrong_is_said() {
    let house = House::new();
    let beat = ask(&house, "POST", "/alerta/heartbeat", Some(&value!({ "origin": "backup", "timeout": 300 }))).await;
    assert_eq!((beat.status.as_u16(), &beat.json()["heartbeat"]["origin"]), (201, &value!("backup")));
    assert!(incident(&house, 1).await["row"].is_null());
    let missing = ask(&house, "POST", "/alerta/alert", Some(&value!({ "event": "x" }))).await;
    assert_eq!(
        (missing.status.as_u16(), missing.json()),
        (
            400,
            value!({
                "status": "error", "message": "Missing mandatory value for \"resource\"", "code": 400,
                "errors": ["Missing mandatory value for \"resource\""],
            })
        )
    );
    // Its client asks for the settings without a key; nothing else is told without one.
    let config = call(&house.service().await, request("GET", "/alerta/config")).await;
    assert_eq!((config.status.as_u16(), &config.json()["alarm_model"]["severity"]["critical"]), (200, &value!(1)));
    for path in ["/alerta/alerts", "/alerta/nobody/alerts", "/alerta", "/alerta/"] {
        assert_eq!(call(&house.service().await, request("GET", path)).await.status, 401, "{path}");
    }
    for path in ["alerts/history", "blackouts", "user/me"] {
        let answer = ask(&house, "GET", &format!("/alerta/{path}"), None).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["status"]), (404, &value!("error")), "{path}");
    }
    // By the token in the address, with and without Alerta's own base; nobody sees what another told.
    let in_path = format!("/alerta/{}/api/alert/", house.sender);
    let body = value!({ "resource": "db-07", "event": "Down", "environment": "Production", "severity": "critical" });
    assert_eq!(call(&house.service().await, json("POST", &in_path, &body)).await.status, 201);
    let other = house.another_sender("other");
    for path in ["alert/1", "alerts?id=1"] {
        let seen = call(&house.service().await, request("GET", &format!("/alerta/{other}/{path}"))).await;
        assert!(seen.status == 404 || seen.json()["total"] == 0, "{path}: {}", seen.json());
    }
}
