//! Everything a reason names leads to the version that was used, also when the configuration has moved on since.

use super::house::{Doors, House, call, json as body, request};
use serde_json::{Value, json};
use server::clock;
use shared::{
    Noun, Piece,
    api::{ConfigVersions, LineMark, NounThen, Role, Why},
};

const CONFIG: &str = r#"
fallback = ["person:li"]
people = [
  { id = "li", name = "Li", contacts = [{ id = "bot", webhook = "https://bot.invalid/li" }] },
  { id = "anna", name = "Anna", contacts = [{ id = "bot", webhook = "https://bot.invalid/anna" }] },
]
[[schedules]]
id = "db"
name = "Databases"
time_zone = "UTC"
rotations = [{ people = ["li"], handoff = "00:00", start = "2026-01-05" }]
[[policies]]
id = "p"
levels = [{ notify = ["schedule:db"], delay = "5m" }, { notify = ["person:anna"], delay = "5m" }]
[[routes]]
id = "all"
policy = "p"
"#;

async fn get(service: &Doors, token: &str, path: &str) -> String {
    let asked = request("GET", path).insert_header(("authorization", format!("Bearer {token}")));
    let answer = call(service, asked).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    answer.text
}

/// The addresses of what a sentence names, each by what is shown of it.
fn named(pieces: &[Piece]) -> Vec<(String, String)> {
    let nouns = pieces.iter().filter_map(|piece| Some((piece.text.clone(), piece.noun.as_ref()?)));
    nouns.map(|(shown, noun)| (shown, noun.href())).collect()
}

#[actix_web::test]
async fn each_noun_leads_to_what_it_was_when_it_was_used() {
    let house = House::with(CONFIG, None);
    let service = house.service().await;
    house.account("root", Role::Admin, None);
    let viewer = house.api_token(Role::Viewer);
    let now = clock::now();
    let cover = json!({ "person": "li", "from": now.plus_ms(-60_000).ms(), "until": now.plus_ms(3_600_000).ms() });
    let cover = body("POST", "/api/v1/schedules/db/overrides", &cover).cookie(house.cookie("root"));
    assert_eq!(call(&service, cover).await.status, 201);

    let sent = request("POST", &format!("/ingest/{}", house.sender));
    let sent = call(&service, sent.set_payload("[P1][PROBLEM][db-07][10.0.3.7][disk is full]")).await.json();
    let id = &sent["outcomes"][0]["incident"];
    // A version later the policy is another one.
    let shown: Value =
        serde_json::from_str(&get(&service, &house.api_token(Role::Admin), "/api/v1/config").await).unwrap();
    let before = shown["toml"].as_str().unwrap();
    let after = before.replace("delay = \"5m\" }, {", "delay = \"9m\" }, {");
    assert_ne!(before, after);
    let put = body("PUT", "/api/v1/config", &json!({ "toml": after })).cookie(house.cookie("root"));
    assert_eq!(call(&service, put).await.status, 200);

    let why: Why = serde_json::from_str(&get(&service, &viewer, &format!("/api/v1/incidents/{id}/why")).await).unwrap();
    let sentence = |begins: &str| {
        let place = why.sentences.iter().position(|it| it.starts_with(begins));
        let place = place.unwrap_or_else(|| panic!("nothing begins with {begins}: {:?}", why.sentences));
        let whole: String = why.pieces[place].iter().map(|piece| piece.text.as_str()).collect();
        assert_eq!(whole, why.sentences[place]);
        (whole, named(&why.pieces[place]), why.decisions[place].at)
    };
    let (_, nouns, _) = sentence("Route");
    let link = |shown: &str, href: &str| (shown.to_owned(), href.to_owned());
    assert_eq!(nouns, [link("all", "/versions/route/all?version=2"), link("p", "/versions/policy/p?version=2")]);
    let (paged, nouns, at) = sentence("Paging");
    assert_eq!(paged, "Paging Li (covering in db, by an override of root)");
    let schedule = format!("/versions/schedule/db?version=2&at={}", at.ms());
    assert_eq!(nouns, [link("Li", "/versions/person/li?version=2"), link("db", &schedule)]);
    let (_, nouns, _) = sentence("p level 1");
    assert_eq!(nouns[0], link("p", "/versions/policy/p?version=2&part=1"));
    let anna = why.not_paged.iter().find(|it| it.person.as_str() == "anna").unwrap();
    assert_eq!(named(&anna.pieces), [link("p", "/versions/policy/p?version=2&part=2")]);

    let show = async |href: &str| -> NounThen {
        serde_json::from_str(&get(&service, &viewer, &format!("/api/v1{href}")).await).unwrap()
    };
    let policy = show("/versions/policy/p?version=2").await;
    assert_eq!((policy.then.version, policy.today, policy.was, policy.is), (2, 3, true, true));
    assert_eq!((policy.then.by.as_str(), policy.then.until.is_some()), ("root", true));
    let marked = |found: &NounThen, mark| {
        let lines = found.lines.iter().filter(|line| line.mark == mark);
        lines.map(|line| line.text.clone()).collect::<Vec<_>>()
    };
    assert_eq!(marked(&policy, LineMark::Gone), ["delay = \"5m\""]);
    assert_eq!(marked(&policy, LineMark::New), ["delay = \"9m\""]);
    assert_eq!(policy.since.iter().map(|it| it.version).collect::<Vec<_>>(), [3]);
    assert_eq!(policy.policy.unwrap().levels.len(), 2);

    let then = show(&schedule).await;
    assert_eq!((then.name.as_str(), then.on_call), ("Databases", Some(vec!["Li".to_owned()])));
    let person = show("/versions/person/li?version=2").await;
    assert!(person.lines.iter().all(|line| !line.text.contains("bot.invalid")), "{:?}", person.lines);
    let contact = show("/versions/contact/li:bot?version=2").await;
    assert_eq!((contact.name.as_str(), contact.then.version), ("bot (Li)", 2));
    assert_eq!(marked(&contact, LineMark::Same), ["id = \"bot\"", "webhook = \"********\""]);
    let moment = show(
        &Noun { version: None, at: Some(at), ..why.pieces.iter().flatten().find_map(|it| it.noun.clone()).unwrap() }
            .href(),
    )
    .await;
    assert_eq!(moment.then.version, 2, "the version that was in force then");

    let versions = get(&service, &viewer, "/api/v1/versions?limit=2").await;
    let versions: ConfigVersions = serde_json::from_str(&versions).unwrap();
    let listed: Vec<_> = versions.items.iter().map(|it| (it.version, it.changes.join(", "))).collect();
    assert_eq!(listed, [(3, "policies ~p".to_owned()), (2, "schedules ~db".to_owned())]);
    assert_eq!((versions.next.as_deref(), versions.today), (Some("1"), 3));
    for path in [
        "/api/v1/versions/policy/p?version=9",
        "/api/v1/versions/policy/other?version=2",
        "/api/v1/versions/contact/li:mail",
    ] {
        let asked = request("GET", path).insert_header(("authorization", format!("Bearer {viewer}")));
        assert_eq!(call(&service, asked).await.status, 404, "{path}");
    }
}
