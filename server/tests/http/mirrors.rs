//! A port mirror from an alert to the proof that it is over, as those who may and those who may not ask for it meet it.

use super::{
    house::{Answer, CONFIG, House, call, json, request},
    inventory::keep,
};
use actix_web::{cookie::Cookie, http::header::AUTHORIZATION};
use serde_json::{Value, json};
use server::{clock, mirror};
use shared::api::Role;
use std::{fs, sync::Arc, time::Duration};

const MINUTE: i64 = 60_000;
const MACHINES: &str = "name,mac,ip,hypervisor,switch,port,tags\n\
    web1,52:54:00:00:00:01,10.1.2.1,kvm-1,kvm-1/br0,tap1,web\n\
    pay1,52:54:00:00:00:02,10.1.2.2,kvm-1,kvm-1/br0,tap2,pci\n\
    capture,52:54:00:00:00:09,10.1.9.9,kvm-1,kvm-1/br0,tap9,\n";
const WEB: &str = "52:54:00:00:00:01";
const PAY: &str = "52:54:00:00:00:02";

struct Place {
    house: House,
    _folder: tempfile::TempDir,
}

/// Who asks.
#[derive(Clone)]
enum By {
    Cookie(Cookie<'static>),
    Token(String),
}

impl Place {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let list = folder.path().join("machines.csv");
        fs::write(&list, MACHINES).unwrap();
        let list = list.display();
        let config = format!(
            "{CONFIG}\n\
             [mirrors]\nsensitive = [\"tag=pci\"]\n\
             [[mirrors.backends]]\nid = \"fabric\"\nkind = \"dry_run\"\nsource = \"list\"\naddress = \"{list}\"\n\
             [[mirrors.collectors]]\nid = \"shark\"\nname = \"Capture host\"\nip = \"10.1.9.9\"\n\
             [[mirrors.collectors]]\nid = \"theirs\"\nip = \"10.1.9.8\"\naccounts = [\"anna\"]\n\
             [[sources]]\nid = \"list\"\nkind = \"file\"\naddress = \"{list}\"\n"
        );
        let house = House::with(&config, None);
        for (login, role) in [("li", Role::Network), ("anna", Role::Network), ("viewer", Role::Viewer)] {
            house.account(login, role, None);
        }
        let place = Self { house, _folder: folder };
        keep(&place.house);
        let app = &place.house.app;
        let (desk, runtime, inventory) = (Arc::clone(&app.mirrors), app.runtime.clone(), Arc::clone(&app.inventory));
        drop(actix_web::rt::spawn(mirror::carry_out(Arc::clone(&desk), runtime.clone(), inventory)));
        let (data, keys) =
            (place._folder.path().to_owned(), server::seal::KeyFile::at(place._folder.path().join("key")));
        drop(actix_web::rt::spawn(mirror::keep(desk, runtime, data, keys)));
        let viewer = place.by("viewer");
        place
            .until("the backend is known", || async {
                let board = place.get(&viewer, "/api/v1/mirrors").await;
                (board["backends"][0]["switches"].as_array().is_some_and(|it| !it.is_empty())).then_some(())
            })
            .await;
        place
            .until("the machines are known", || async {
                (place.get(&viewer, "/api/v1/sources").await["items"][0]["state"] == "well").then_some(())
            })
            .await;
        let alert = request("POST", &format!("/ingest/{}", place.house.sender));
        let sent = call(&place.house.service().await, alert.set_payload("[P1][PROBLEM][web1][10.1.2.1][slow]")).await;
        assert_eq!(sent.status, 200);
        place
    }

    fn by(&self, login: &str) -> By {
        By::Cookie(self.house.cookie(login))
    }

    async fn send(&self, by: &By, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let asked = match body {
            Some(body) => json(method, path, body),
            None => request(method, path),
        };
        let asked = match by {
            By::Cookie(cookie) => asked.cookie(cookie.clone()).insert_header(("origin", super::house::OWN_URL)),
            By::Token(token) => asked.insert_header((AUTHORIZATION, format!("Bearer {token}"))),
        };
        call(&self.house.service().await, asked).await
    }

    async fn get(&self, by: &By, path: &str) -> Value {
        let answer = self.send(by, "GET", path, None).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        serde_json::from_str(&answer.text).unwrap()
    }

    async fn until<T, F: Future<Output = Option<T>>>(&self, what: &str, mut look: impl FnMut() -> F) -> T {
        for _ in 0..1_500 {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("did not happen in 30 s: {what}");
    }

    async fn check(&self, by: &By, spec: &Value) -> Value {
        let answer = self.send(by, "POST", "/api/v1/mirrors/check", Some(spec)).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        serde_json::from_str(&answer.text).unwrap()
    }

    /// A request for what is checked now.
    async fn wanted(&self, by: &By, spec: &Value) -> Value {
        let check = self.check(by, spec).await;
        let hash = check["plan"]["hash"].as_str().unwrap_or_else(|| panic!("no plan: {check:#}"));
        json!({ "spec": check["spec"], "hash": hash })
    }

    async fn begin(&self, by: &By, spec: &Value) -> Value {
        let wanted = self.wanted(by, spec).await;
        let answer = self.send(by, "POST", "/api/v1/mirrors", Some(&wanted)).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        serde_json::from_str(&answer.text).unwrap()
    }

    async fn until_state(&self, id: &Value, state: &str) -> Value {
        let viewer = self.by("viewer");
        let path = format!("/api/v1/mirrors/{id}");
        self.until(state, || async {
            let mirror = self.get(&viewer, &path).await;
            (mirror["state"] == state).then_some(mirror)
        })
        .await
    }
}

fn spec(mac: &str, session: u32) -> Value {
    json!({
        "incident": 1, "reason": "who talks to it", "expires_at": clock::now().plus_ms(30 * MINUTE),
        "source": { "kind": "nics", "macs": [mac] },
        "transport": { "kind": "erspan", "version": "erspan2", "remote": "10.1.9.9", "session": session },
    })
}

fn rules(check: &Value) -> Vec<&str> {
    check["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|it| it["weight"] == "blocks")
        .map(|it| it["rule"].as_str().unwrap())
        .collect()
}

#[actix_web::test]
async fn from_a_preset_of_the_incident_to_the_end() {
    let place = Place::new().await;
    let (li, viewer) = (place.by("li"), place.by("viewer"));
    let of_incident = place.get(&viewer, "/api/v1/incidents/1/mirrors").await;
    let preset = &of_incident["presets"][0];
    assert_eq!((&preset["collector"], &preset["spec"]["title"]), (&json!("shark"), &json!("web1")), "{of_incident:#}");
    let mirror = place.begin(&li, &preset["spec"]).await;
    assert!(["approved", "applying"].contains(&mirror["state"].as_str().unwrap()), "{mirror:#}");
    let active = place.until_state(&mirror["id"], "active").await;
    assert!(active["plan"]["steps"][0]["sent"].as_str().is_some_and(|sent| !sent.is_empty()));
    let board = place.get(&viewer, "/api/v1/mirrors").await;
    assert_eq!((&board["items"][0]["id"], &board["limits"]["allowed"]), (&mirror["id"], &json!(false)));
    assert_eq!(board["collectors"][0]["in_use"], 1);
    let extended = json!({ "expires_at": clock::now().plus_ms(45 * MINUTE) });
    let answer = place.send(&li, "POST", &format!("/api/v1/mirrors/{}/extend", mirror["id"]), Some(&extended)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let too_late = json!({ "expires_at": clock::now().plus_ms(900 * MINUTE) });
    let answer = place.send(&li, "POST", &format!("/api/v1/mirrors/{}/extend", mirror["id"]), Some(&too_late)).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (422, "too_late"));
    let stopped = place.send(&li, "POST", &format!("/api/v1/mirrors/{}/stop", mirror["id"]), Some(&json!({}))).await;
    assert_eq!(stopped.status, 200);
    let over = place
        .until("it is over", || async {
            let mirror = place.get(&viewer, &format!("/api/v1/mirrors/{}", mirror["id"])).await;
            let over = mirror["state"] == "proved_stopped" || mirror["unprovable"] == true;
            over.then_some(mirror)
        })
        .await;
    assert_eq!(over["ended"]["why"], "asked");
    let steps: Vec<&str> =
        over["steps"].as_array().unwrap().iter().map(|it| it["what"]["kind"].as_str().unwrap()).collect();
    assert_eq!(&steps[..3], ["requested", "sent", "applied"]);
    let timeline = place.get(&viewer, "/api/v1/incidents/1").await.to_string();
    assert!(timeline.contains("\"requested\"") && timeline.contains("\"stopped\""));
    let acts = place.house.store(|store| store.audit_list(None, 100).unwrap());
    let acts: Vec<&str> = acts.iter().map(|it| it.action.as_str()).filter(|it| it.starts_with("mirror.")).collect();
    for act in ["mirror.request", "mirror.applied", "mirror.extend", "mirror.end", "mirror.stopped"] {
        assert!(acts.contains(&act), "{act}: {acts:?}");
    }
}

#[actix_web::test]
async fn what_the_rules_forbid_is_not_begun_and_is_recorded() {
    let place = Place::new().await;
    let (li, anna, viewer) = (place.by("li"), place.by("anna"), place.by("viewer"));
    let mut bare = spec(WEB, 5);
    bare["reason"] = json!("");
    let check = place.check(&viewer, &bare).await;
    assert_eq!((rules(&check), &check["plan"]), (vec!["M20"], &Value::Null));
    let refused = place.send(&li, "POST", "/api/v1/mirrors", Some(&json!({ "spec": bare, "hash": "" }))).await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (422, "blocked"), "{}", refused.text);
    assert!(refused.text.contains("reason"), "{}", refused.text);
    // A collector that is another's, and an address that is none.
    let mut theirs = spec(WEB, 5);
    theirs["transport"]["remote"] = json!("10.1.9.8");
    assert_eq!(rules(&place.check(&li, &theirs).await), ["M10"]);
    assert!(rules(&place.check(&anna, &theirs).await).is_empty());
    theirs["transport"]["remote"] = json!("192.0.2.1");
    assert!(rules(&place.check(&li, &theirs).await).contains(&"M10"));
    // A plan that was not looked at.
    let mut other = place.wanted(&li, &spec(WEB, 5)).await;
    other["hash"] = json!("0000");
    let refused = place.send(&li, "POST", "/api/v1/mirrors", Some(&other)).await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (409, "plan_changed"));
    // The same stream twice.
    place.begin(&li, &spec(WEB, 5)).await;
    assert!(rules(&place.check(&anna, &spec(WEB, 5)).await).contains(&"M11"));
    let viewers = place.send(&viewer, "POST", "/api/v1/mirrors", Some(&other)).await;
    assert_eq!(viewers.status, 403);
    let acts = place.house.store(|store| store.audit_list(None, 100).unwrap());
    assert!(acts.iter().any(|it| it.action == "mirror.request" && it.outcome.starts_with("refused")));
}

#[actix_web::test]
async fn a_sensitive_machine_waits_for_a_second_person() {
    let place = Place::new().await;
    let (li, anna) = (place.by("li"), place.by("anna"));
    let robot = By::Token(place.house.api_token(Role::Network));
    let wanted = place.wanted(&robot, &spec(PAY, 6)).await;
    let refused = place.send(&robot, "POST", "/api/v1/mirrors", Some(&wanted)).await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (403, "second_person"), "{}", refused.text);
    let check = place.check(&li, &spec(PAY, 6)).await;
    assert_eq!(check["needs_approval"], true);
    let mirror = place.begin(&li, &spec(PAY, 6)).await;
    assert_eq!(mirror["state"], "planned");
    let (path, hash) = (format!("/api/v1/mirrors/{}/approve", mirror["id"]), json!({ "hash": mirror["plan"]["hash"] }));
    assert_eq!(place.send(&li, "POST", &path, Some(&hash)).await.code(), "second_person");
    assert_eq!(place.send(&robot, "POST", &path, Some(&hash)).await.code(), "second_person");
    assert_eq!(place.send(&anna, "POST", &path, Some(&json!({ "hash": "x" }))).await.code(), "plan_changed");
    assert_eq!(place.send(&anna, "POST", &path, Some(&hash)).await.status, 200);
    let active = place.until_state(&mirror["id"], "active").await;
    assert_eq!(active["approved"][0]["login"], "anna");
}

#[actix_web::test]
async fn a_panic_removes_everything_of_ours_and_is_told() {
    let place = Place::new().await;
    let li = place.by("li");
    let mirror = place.begin(&li, &spec(WEB, 5)).await;
    place.until_state(&mirror["id"], "active").await;
    let answer = place.send(&li, "POST", "/api/v1/mirrors/switches/fabric/panic", Some(&json!({}))).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let stopped: Value = serde_json::from_str(&answer.text).unwrap();
    assert_eq!(stopped["mirrors"], json!([mirror["id"]]));
    assert_eq!(stopped["removed"].as_array().unwrap().len(), 1);
    let over = place
        .until("it is over", || async {
            let mirror = place.get(&li, &format!("/api/v1/mirrors/{}", mirror["id"])).await;
            mirror.get("stopped_at").is_some().then_some(mirror)
        })
        .await;
    assert_eq!(over["ended"]["why"], "panic");
    let ports = place.get(&li, "/api/v1/mirrors/switches/fabric/ports?switch=kvm-1%2Fbr0").await;
    assert!(ports["items"].as_array().unwrap().iter().any(|it| it["key"] == "tap1"));
}
