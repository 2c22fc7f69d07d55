//! Those who come on call are asked whether they are ready; their lead hears of whoever does not answer.

use super::{
    house::{House, call, json, request},
    provider::Provider,
};
use serde_json::{Value, json as value};
use server::{clock, readiness};
use shared::{Delay, Timestamp, api::Role};

fn written(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.ms()).unwrap().strftime("%Y-%m-%d %H:%M+00:00").to_string()
}

fn config(ntfy: &Provider, from: Timestamp) -> String {
    let (from, until) = (written(from), written(from.after(Delay::mins(60))));
    format!(
        r#"
        fallback = ["person:anna"]
        channels.ntfy = {{ server = "http://{}" }}
        [[people]]
        id = "li"
        name = "李伟"
        language = "zh"
        contacts = [{{ id = "call", voice = "+8613800000000" }}, {{ id = "phone", ntfy = "topic-of-li" }}]
        [[people]]
        id = "anna"
        name = "Anna"
        contacts = [{{ id = "phone", ntfy = "topic-of-anna" }}]
        [[channels.gateways]]
        id = "call"
        for = "voice"
        url = "https://voice.invalid/call"
        [[schedules]]
        id = "db"
        name = "Databases"
        time_zone = "Asia/Shanghai"
        lead = "anna"
        overrides = [{{ person = "li", from = "{from}", until = "{until}" }}]
        "#,
        ntfy.at
    )
}

fn body(request: &str) -> Value {
    serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap()
}

#[actix_web::test]
async fn who_comes_on_call_is_asked_and_who_does_not_answer_is_told_of() {
    let ntfy = Provider::new(|_| ("200 OK", value!({"id": "x"}).to_string()));
    let from = Timestamp::from_ms(clock::now().ms() / 60_000 * 60_000).after(Delay::mins(25 * 60));
    let house = House::with(&config(&ntfy, from), None);
    house.account("li", Role::Responder, Some("li"));
    house.account("anna", Role::Responder, Some("anna"));
    let service = house.service().await;
    let look = |before: i64| readiness::look(&house.app.runtime, &house.app.readers, from.after(Delay::mins(-before)));
    assert_eq!(look(24 * 60 + 1).await.unwrap(), 0);
    assert_eq!(look(24 * 60).await.unwrap(), 1);
    let asked = body(&ntfy.asked().await);
    assert_eq!(asked["topic"], "topic-of-li", "nobody is called for it: {asked}");
    assert!(
        asked["title"].as_str().unwrap().starts_with('自') && asked["message"].as_str().unwrap().contains("Databases")
    );
    assert_eq!(look(24 * 60).await.unwrap(), 0, "once");
    let link = asked["click"].as_str().unwrap();
    let path = &link[link.find("/r/").unwrap()..];
    for method in ["GET", "HEAD"].repeat(5) {
        assert_eq!(call(&service, request(method, path)).await.status, 200);
    }
    let shown = async || {
        let answer = call(&service, request("GET", "/api/v1/oncall").cookie(house.cookie("anna"))).await.json();
        answer["schedules"][0]["asked"].clone()
    };
    let then = shown().await;
    assert_eq!((&then[0]["person"], &then[0]["from"]), (&"li".into(), &from.ms().into()));
    assert!(then[0]["confirmed_at"].is_null() && then[0]["problem"].is_null(), "a scanner confirms nothing: {then}");
    assert_eq!(look(30).await.unwrap(), 1);
    assert_eq!(body(&ntfy.asked().await)["topic"], "topic-of-li");
    assert_eq!(look(15).await.unwrap(), 1);
    let told = body(&ntfy.asked().await);
    assert_eq!((&told["topic"], &told["title"]), (&"topic-of-anna".into(), &"李伟 has not confirmed".into()));
    assert_eq!(call(&service, request("POST", path)).await.status, 303);
    assert!(shown().await[0]["confirmed_at"].is_i64());
    assert!(call(&service, request("GET", path)).await.text.contains("已确认就绪"));
    assert_eq!(call(&service, request("GET", &path.replace("/r/", "/r/x"))).await.status, 404);
}

#[actix_web::test]
async fn one_confirms_on_the_page_too_and_only_shifts_of_ones_own() {
    let ntfy = Provider::new(|_| ("500 Internal Server Error", "{}".to_owned()));
    let from = Timestamp::from_ms(clock::now().ms() / 60_000 * 60_000).after(Delay::mins(23 * 60));
    let house = House::with(&config(&ntfy, from), None);
    house.account("li", Role::Responder, Some("li"));
    house.account("anna", Role::Responder, Some("anna"));
    let service = house.service().await;
    let ready = async |login: &str, from: i64| {
        let body = value!({"schedule": "db", "from": from});
        call(&service, json("POST", "/api/v1/me/shifts/ready", &body).cookie(house.cookie(login))).await.status
    };
    let look = |before: i64| readiness::look(&house.app.runtime, &house.app.readers, from.after(Delay::mins(-before)));
    // Nothing reaches them: the lead need not wait for an answer.
    assert_eq!(look(23 * 60).await.unwrap(), 1);
    let known = house.store(|store| store.readiness(clock::now()).unwrap());
    assert!(known[0].1.problem.as_deref().is_some_and(|why| why.starts_with("ntfy: ")), "{known:?}");
    assert_eq!(ready("anna", from.ms()).await, 404);
    assert_eq!(ready("li", from.ms() + 1).await, 404);
    assert_eq!(ready("li", from.ms()).await, 204);
    let known = house.store(|store| store.readiness(clock::now()).unwrap());
    let at = known[0].1.confirmed_at;
    assert_eq!(ready("li", from.ms()).await, 204);
    let known = house.store(|store| store.readiness(clock::now()).unwrap());
    assert!(at.is_some() && known[0].1.confirmed_at == at, "the first counts");
    assert_eq!(look(29).await.unwrap(), 1, "asked again all the same: it keeps the phone's subscription alive");
    assert_eq!(look(14).await.unwrap(), 0, "and nobody is told on");
}
