//! Opsgenie's alert API as its clients rely on it: 202 with a number that says at once what came of it, and what is asked of an
//! alert there done here.

use super::house::{Answer, CONFIG, House, call, json, request};
use serde_json::{Value, json as value};
use shared::api::Role;

async fn ask(house: &House, method: &str, path: &str, body: Option<&Value>) -> Answer {
    ask_as(house, &house.sender, method, path, body).await
}

async fn ask_as(house: &House, token: &str, method: &str, path: &str, body: Option<&Value>) -> Answer {
    let asked = match body {
        Some(body) => json(method, path, body),
        None => request(method, path),
    };
    call(&house.service().await, asked.insert_header(("authorization", format!("GenieKey {token}")))).await
}

/// What came of a request, asked for at once as Zabbix does.
async fn done(house: &House, answer: &Answer) -> Value {
    assert_eq!((answer.status.as_u16(), &answer.json()["result"]), (202, &value!("Request will be processed")));
    let id = answer.json()["requestId"].as_str().unwrap().to_owned();
    let found = ask(house, "GET", &format!("/v2/alerts/requests/{id}"), None).await;
    assert_eq!((found.status.as_u16(), &found.json()["requestId"]), (200, &value!(id)));
    found.json()["data"].clone()
}

async fn incident(house: &House, id: i64) -> Value {
    let bearer = ("authorization", format!("Bearer {}", house.api_token(Role::Viewer)));
    call(&house.service().await, request("GET", &format!("/api/v1/incidents/{id}")).insert_header(bearer)).await.json()
}

fn alert() -> Value {
    value!({
        "message": "db-07 does not answer", "alias": "db-07/ping", "description": "since 03:10", "entity": "db-07",
        "priority": "P1", "source": "checks", "tags": ["env:prod", "critical"], "details": { "ip": "10.8.3.21" },
    })
}

#[actix_web::test]
async fn an_alert_is_created_answered_and_closed_and_each_request_says_so() {
    let house = House::new();
    let made = done(&house, &ask(&house, "POST", "/v2/alerts", Some(&alert())).await).await;
    assert_eq!(
        (&made["success"], &made["isSuccess"], &made["action"], &made["status"], &made["alias"]),
        (&value!(true), &value!(true), &value!("Create"), &value!("Created alert"), &value!("db-07/ping"))
    );
    let found = incident(&house, 1).await;
    assert_eq!(
        (&found["row"]["severity"], &found["row"]["host"], &found["row"]["ip"], &found["row"]["title"]),
        (&value!("P0"), &value!("db-07"), &value!("10.8.3.21"), &value!("db-07 does not answer"))
    );
    // By alias, with its slash encoded; by number; with a slash at the end.
    let by_alias = "/v2/alerts/db-07%2Fping/acknowledge?identifierType=alias";
    let answered = ask(&house, "POST", by_alias, Some(&value!({ "note": "mine", "user": "li" }))).await;
    assert_eq!(done(&house, &answered).await["action"], "Acknowledge");
    let found = incident(&house, 1).await;
    assert_eq!(found["row"]["state"], "acked");
    assert!(found.to_string().contains("li: mine"), "{found:#}");
    let number = made["alertId"].as_str().unwrap();
    let shown = ask(&house, "GET", &format!("/v2/alerts/{number}"), None).await.json();
    assert_eq!(
        (&shown["data"]["status"], &shown["data"]["acknowledged"], &shown["data"]["priority"], &shown["data"]["count"]),
        (&value!("open"), &value!(true), &value!("P1"), &value!(1))
    );
    let closed =
        done(&house, &ask(&house, "POST", &format!("/v2/alerts/{number}/close/"), Some(&value!({}))).await).await;
    assert_eq!((&closed["action"], &closed["success"]), (&value!("Close"), &value!(true)));
    assert_eq!(incident(&house, 1).await["row"]["state"], "resolved");
    let shown = ask(&house, "GET", "/v2/alerts/db-07%2Fping?identifierType=alias", None).await.json();
    assert_eq!(shown["data"]["status"], "closed");
    // Closed once more: processed, and not done.
    let again = done(&house, &ask(&house, "POST", &format!("/v2/alerts/{number}/close"), None).await).await;
    assert_eq!((&again["success"], &again["status"]), (&value!(false), &value!("There is no open alert")));
}

#[actix_web::test]
async fn other_words_change_an_alert_and_are_no_repetition_of_it() {
    let house = House::new();
    ask(&house, "POST", "/v2/alerts", Some(&value!({ "message": "slow", "alias": "a", "priority": "P5" }))).await;
    for (verb, body) in [
        ("message", value!({ "message": "slower" })),
        ("description", value!({ "description": "since 03:10" })),
        ("priority", value!({ "priority": "P2" })),
    ] {
        let path = format!("/v2/alerts/a/{verb}?identifierType=alias");
        assert_eq!(done(&house, &ask(&house, "PUT", &path, Some(&body)).await).await["success"], true, "{verb}");
    }
    let found = incident(&house, 1).await;
    assert_eq!((&found["row"]["title"], &found["row"]["severity"]), (&value!("slower"), &value!("P1")));
    assert_eq!((&found["row"]["count"], &found["alerts"][0]["event"]["content"]), (&value!(1), &value!("since 03:10")));
    ask(&house, "POST", "/v2/alerts", Some(&value!({ "message": "slow", "alias": "a", "priority": "P2" }))).await;
    assert_eq!(incident(&house, 1).await["row"]["count"], 2);
    let note = ask(&house, "POST", "/v2/alerts/a/notes?identifierType=alias", Some(&value!({ "note": "seen" }))).await;
    assert_eq!(done(&house, &note).await["action"], "AddNote");
    let burial = value!({ "endTime": "2999-01-01T00:00:00Z" });
    let refused = ask(&house, "POST", "/v2/alerts/a/snooze?identifierType=alias", Some(&burial)).await;
    assert_eq!(refused.status, 422);
    let until = jiff::Timestamp::from_millisecond(server::clock::now().plus_ms(3_600_000).ms()).unwrap();
    let until = value!({ "endTime": until.to_string() });
    let snoozed = ask(&house, "POST", "/v2/alerts/a/snooze?identifierType=alias", Some(&until)).await;
    assert_eq!(done(&house, &snoozed).await["success"], true);
    assert_eq!(incident(&house, 1).await["row"]["state"], "snoozed");
    let listed = ask(&house, "GET", "/v2/alerts?query=status:open", None).await.json();
    assert_eq!((listed["data"].as_array().unwrap().len(), &listed["data"][0]["alias"]), (1, &value!("a")));
    assert_eq!(ask(&house, "GET", "/v2/alerts/count", None).await.json()["data"]["count"], 1);
}

#[actix_web::test]
async fn what_is_wrong_is_said_and_nobody_sees_what_another_sender_told() {
    let house = House::new();
    let empty = ask(&house, "POST", "/v2/alerts", Some(&value!({ "alias": "a" }))).await;
    assert_eq!((empty.status.as_u16(), &empty.json()["message"]), (422, &value!("Message can not be empty.")));
    assert!(empty.json()["requestId"].is_string());
    let broken = request("POST", "/v2/alerts").insert_header(("authorization", format!("GenieKey {}", house.sender)));
    assert_eq!(call(&house.service().await, broken.set_payload("{")).await.status, 422);
    let stranger = request("POST", "/v2/alerts").insert_header(("authorization", "GenieKey nobody"));
    assert_eq!(call(&house.service().await, stranger.set_payload("{}")).await.status, 401);
    for path in ["/v2/alerts/17", "/v2/alerts/requests/00000000-0000-4000-8000-000000000000", "/v2/alerts/x/y/z"] {
        assert_eq!(ask(&house, "GET", path, None).await.status, 404, "{path}");
    }
    let made = ask(&house, "POST", "/v2/alerts", Some(&alert())).await;
    let alert = done(&house, &made).await["alertId"].as_str().unwrap().to_owned();
    let other = house.another_sender("other");
    for path in
        [format!("/v2/alerts/{alert}"), format!("/v2/alerts/requests/{}", made.json()["requestId"].as_str().unwrap())]
    {
        let asked = request("GET", &path).insert_header(("authorization", format!("GenieKey {other}")));
        assert_eq!(call(&house.service().await, asked).await.status, 404, "{path}");
    }
    let none = ask(&house, "POST", "/v2/alerts/nothing/close?identifierType=alias", None).await;
    assert_eq!((none.status.as_u16(), &done(&house, &none).await["isSuccess"]), (202, &value!(false)));
}

#[actix_web::test]
async fn an_alert_is_meant_by_its_number_and_by_its_alias_however_long_that_is() {
    let house = House::new();
    let first = done(&house, &ask(&house, "POST", "/v2/alerts", Some(&alert())).await).await;
    let number = first["alertId"].as_str().unwrap();
    ask(&house, "POST", &format!("/v2/alerts/{number}/close"), None).await;
    ask(&house, "POST", "/v2/alerts", Some(&alert())).await;
    // What comes late for the old one does nothing to the new one of the same alias.
    for verb in ["close", "acknowledge", "snooze"] {
        let late = ask(&house, "POST", &format!("/v2/alerts/{number}/{verb}"), None).await;
        assert_eq!(done(&house, &late).await["success"], false, "{verb}");
    }
    assert_eq!(incident(&house, 2).await["row"]["state"], "triggered");
    let alias = "磁".repeat(100);
    let made = value!({ "message": "disk is full", "alias": format!(" {alias} ") });
    ask(&house, "POST", "/v2/alerts", Some(&made)).await;
    let encoded: String = alias.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let closed = ask(&house, "POST", &format!("/v2/alerts/{encoded}/close?identifierType=alias"), None).await;
    assert_eq!(done(&house, &closed).await["success"], true);
    assert_eq!(incident(&house, 3).await["row"]["state"], "resolved");
}

#[actix_web::test]
async fn a_body_in_another_charset_is_read_and_one_that_cannot_be_is_kept_and_pages_when_it_is_a_p0() {
    let house = House::new();
    let key = ("authorization", format!("GenieKey {}", house.sender));
    let gbk =
        [&b"{\"message\":\""[..], b"\xb4\xc5\xc5\xcc\xc2\xfa", b"\",\"alias\":\"a\",\"priority\":\"P1\"}"].concat();
    let asked = request("POST", "/v2/alerts").insert_header(key.clone()).set_payload(gbk);
    assert_eq!(call(&house.service().await, asked).await.status, 202);
    let found = incident(&house, 1).await;
    assert_eq!((&found["row"]["title"], &found["row"]["severity"]), (&value!("磁盘满"), &value!("P0")));
    let torn = request("POST", "/v2/alerts").insert_header(key).set_payload("{\"message\":\"[P0] db-07 is down\",");
    let answer = call(&house.service().await, torn).await;
    assert_eq!(answer.status, 422);
    assert!(answer.json()["message"].as_str().unwrap().contains("kept as message 2"), "{}", answer.text);
    assert_eq!(incident(&house, 2).await["row"]["severity"], "P0");
}

#[actix_web::test]
async fn a_priority_that_was_raised_stays_when_the_alert_is_told_again_without_one() {
    let house = House::new();
    let told = value!({ "message": "slow", "alias": "a" });
    ask(&house, "POST", "/v2/alerts", Some(&told)).await;
    assert_eq!(incident(&house, 1).await["row"]["severity"], "P2");
    let raised = value!({ "priority": "P1" });
    ask(&house, "PUT", "/v2/alerts/a/priority?identifierType=alias", Some(&raised)).await;
    ask(&house, "POST", "/v2/alerts", Some(&told)).await;
    let found = incident(&house, 1).await;
    assert_eq!((&found["row"]["severity"], &found["row"]["count"]), (&value!("P0"), &value!(2)));
}

#[actix_web::test]
async fn nobody_puts_off_an_incident_in_which_alerts_of_others_fire() {
    let house = House::with(&CONFIG.replace("policy = \"p\"", "policy = \"p\"\ngroup = { by = [\"host\"] }"), None);
    let other = house.another_sender("other");
    ask(&house, "POST", "/v2/alerts", Some(&alert())).await;
    let theirs = value!({ "message": "a fan is slow", "alias": "fan", "entity": "db-07", "priority": "P5" });
    ask_as(&house, &other, "POST", "/v2/alerts", Some(&theirs)).await;
    let found = incident(&house, 1).await;
    assert_eq!(found["alerts"].as_array().unwrap().len(), 2, "{found:#}");
    let until = jiff::Timestamp::from_millisecond(server::clock::now().plus_ms(3_600_000).ms()).unwrap();
    let until = value!({ "endTime": until.to_string() });
    let path = |what: &str| format!("/v2/alerts/fan/{what}?identifierType=alias");
    let snoozed = ask_as(&house, &other, "POST", &path("snooze"), Some(&until)).await;
    assert_eq!(snoozed.status, 202);
    assert_eq!(incident(&house, 1).await["row"]["state"], "triggered");
    // When theirs is all that fires, it is theirs to put off.
    ask(&house, "POST", "/v2/alerts/db-07%2Fping/close?identifierType=alias", None).await;
    ask_as(&house, &other, "POST", &path("snooze"), Some(&until)).await;
    assert_eq!(incident(&house, 1).await["row"]["state"], "snoozed");
}

#[actix_web::test]
async fn tags_are_added_to_those_that_are_there_and_what_is_taken_away_is_gone() {
    let house = House::new();
    let mut told = alert();
    told["tags"] = value!(["env:prod", "old"]);
    told["details"] = value!({ "rack": "7" });
    ask(&house, "POST", "/v2/alerts", Some(&told)).await;
    let path = |what: &str| format!("/v2/alerts/db-07%2Fping/{what}identifierType=alias");
    let done = async |method: &str, what: &str, body: Option<&Value>| {
        let answer = ask(&house, method, &path(what), body).await;
        let labels = incident(&house, 1).await["alerts"][0]["event"]["labels"].clone();
        let of = |name: &str| labels[name].as_str().map(str::to_owned);
        (answer.status.as_u16(), of("tags"), of("env"), of("rack"))
    };
    let some = |text: &str| Some(text.to_owned());
    let more = value!({ "tags": ["dc:bj", "old"] });
    assert_eq!(done("POST", "tags?", Some(&more)).await, (202, some("env:prod, old, dc:bj"), some("prod"), some("7")));
    assert_eq!(done("DELETE", "tags?tags=env:prod,old,no&", None).await, (202, some("dc:bj"), None, some("7")));
    assert_eq!(done("DELETE", "details?keys=rack&", None).await, (202, some("dc:bj"), None, None));
    assert_eq!(done("DELETE", "tags?tags=dc%3Abj&", None).await, (202, None, None, None));
    assert_eq!(done("DELETE", "tags?", None).await.0, 422);
    assert_eq!(incident(&house, 1).await["row"]["state"], "triggered");
}
