//! The configuration over HTTP: secrets stay, versions do not run over each other, and people change themselves.

use super::house::{CONFIG, House, call, json, request};
use serde_json::json;
use shared::api::Role;

#[actix_web::test]
async fn what_is_shown_can_be_put_back_and_means_the_same() {
    let house = House::new();
    let service = house.service().await;
    house.account("admin", Role::Admin, None);
    let shown = call(&service, request("GET", "/api/v1/config").cookie(house.cookie("admin"))).await;
    assert_eq!(shown.header("etag"), "\"1\"");
    let text = shown.json()["toml"].as_str().unwrap().to_owned();
    assert!(!text.contains("whsec_") && text.contains("********") && text.contains("# who there is"));
    let put = |toml: &str| json("PUT", "/api/v1/config", &json!({ "toml": toml })).cookie(house.cookie("admin"));
    let report = call(&service, put(&text)).await.json();
    assert_eq!((&report["applied"], &report["version"], &report["changes"]), (&json!(true), &json!(2), &json!([])));
    assert_eq!(house.store(|store| store.config_at(2)).unwrap().unwrap(), CONFIG);
    // One change, checked first.
    let changed = text.replace("name = \"Anna\"", "name = \"Anna Berg\"");
    let check = json("POST", "/api/v1/config/check", &json!({ "toml": changed })).cookie(house.cookie("admin"));
    let report = call(&service, check).await.json();
    assert_eq!((&report["applied"], &report["changes"]), (&json!(false), &json!(["people ~anna"])));
    let stale = put(&changed).insert_header(("if-match", "\"1\""));
    assert_eq!(call(&service, stale).await.code(), "version_conflict");
    let fresh = put(&changed).insert_header(("if-match", "\"2\""));
    assert_eq!(call(&service, fresh).await.json()["version"], 3);
    assert_eq!(house.app.runtime.config().version, 3, "in force at once");
    assert!(house.store(|store| store.config_at(3)).unwrap().unwrap().contains("whsec_"));
}

#[actix_web::test]
async fn a_bad_configuration_is_refused_with_every_reason() {
    let house = House::new();
    let service = house.service().await;
    house.account("admin", Role::Admin, None);
    let put = |toml: &str| json("PUT", "/api/v1/config", &json!({ "toml": toml })).cookie(house.cookie("admin"));
    let answer = call(&service, put("[paging]\ntrys = 3\n")).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (422, "config_refused"));
    assert_eq!(answer.json()["findings"][0]["path"], "line 2, column 1");
    let answer = call(&service, put(&CONFIG.replace("person:anna", "person:nobody"))).await.json();
    assert_eq!(answer["findings"][0]["path"], "policies[p].levels[1].notify[0]");
    // Nobody would hear of a P0 any more.
    let deaf = "[[people]]\nid = \"li\"\nname = \"Li\"\n[[policies]]\nid = \"p\"\nlevels = [{ notify = [\"person:li\"], delay = \"5m\" }]\n[[routes]]\nid = \"all\"\npolicy = \"p\"\n";
    assert_eq!(call(&service, put(deaf)).await.code(), "config_refused");
    let hidden =
        CONFIG.replace("whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz", "********").replace("id = \"li\"", "id = \"lee\"");
    let answer = call(&service, put(&hidden)).await.json();
    assert_eq!(answer["findings"][0]["path"], "people[lee].contacts[bot].secret");
    assert_eq!(house.app.runtime.config().version, 1);
    let check = json("POST", "/api/v1/config/check", &json!({ "toml": "x =" })).cookie(house.cookie("admin"));
    let report = call(&service, check).await;
    assert_eq!((report.status.as_u16(), &report.json()["findings"][0]["fatal"]), (200, &json!(true)));
}

#[actix_web::test]
async fn a_person_changes_how_they_are_reached_and_nothing_else() {
    let house = House::new();
    let service = house.service().await;
    house.account("li", Role::Responder, Some("li"));
    house.account("viewer", Role::Viewer, Some("anna"));
    let me = || request("GET", "/api/v1/me/person").cookie(house.cookie("li"));
    let mut person = call(&service, me()).await.json();
    assert_eq!(person["contacts"][0]["secret"], "********");
    person["id"] = json!("anna");
    person["name"] = json!("Somebody else");
    person["language"] = json!("en");
    person["contacts"].as_array_mut().unwrap().push(json!({ "id": "phone", "ntfy": "li-topic" }));
    let put = |body: &serde_json::Value| json("PUT", "/api/v1/me/person", body).cookie(house.cookie("li"));
    let changed = call(&service, put(&person)).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    let config = house.app.runtime.config();
    let stored = &config.people[&"li".into()];
    assert_eq!((stored.name.as_str(), stored.contacts.len()), ("李伟", 2));
    assert!(stored.contacts[0].secret.as_deref().unwrap().starts_with("whsec_"));
    assert_eq!(config.people[&"anna".into()].contacts.len(), 1);
    let text = house.store(|store| store.config_current()).unwrap().unwrap().1;
    assert!(text.starts_with("# who there is"), "comments stay: {text}");
    // Nothing that would leave them unreachable.
    person["contacts"] = json!([{ "id": "phone", "ntfy": "not a topic" }]);
    assert_eq!(call(&service, put(&person)).await.code(), "config_refused");
    let viewer = json("PUT", "/api/v1/me/person", &person).cookie(house.cookie("viewer"));
    assert_eq!(call(&service, viewer).await.code(), "forbidden");
}
