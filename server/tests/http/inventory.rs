//! Machines over HTTP: from an address alone to the hypervisor, what each source says, and where a VM has been.

use super::house::{CONFIG, House, call, json as body, request};
use actix_web::test::TestRequest;
use e2e::vcenter::Vcenter;
use serde_json::{Value, json};
use server::inventory;
use shared::api::Role;
use std::{fs, path::Path, sync::Arc, time::Duration};

const MACHINES: &str = "name,mac,ip,hypervisor,cluster,network,vlan
web01,52:54:00:00:00:01,10.1.2.3,kvm-1,prod,br-int,42
web02,52:54:00:00:00:02,10.1.2.4,kvm-1,prod,br-int,42
db01,52:54:00:00:00:03,10.1.3.3,kvm-2,prod,br-int,43
";

pub(crate) fn config(file: &Path) -> String {
    let file = file.display();
    format!(
        "{CONFIG}\n[[sources]]\nid = \"list\"\nname = \"Our list\"\nkind = \"file\"\naddress = \"{file}\"\nevery = \"1s\"\n"
    )
}

/// Begins to ask the sources, as the server does.
pub(crate) fn keep(house: &House) {
    let app = &house.app;
    let kept = inventory::keep(Arc::clone(&app.inventory), app.runtime.clone(), Arc::clone(&app.readers));
    drop(actix_web::rt::spawn(kept));
}

pub(crate) struct Viewer<'a> {
    house: &'a House,
    token: String,
}

impl<'a> Viewer<'a> {
    pub(crate) fn of(house: &'a House) -> Self {
        Self { house, token: house.api_token(Role::Viewer) }
    }

    fn signed(&self, request: TestRequest) -> TestRequest {
        request.insert_header(("authorization", format!("Bearer {}", self.token)))
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let answer = call(&self.house.service().await, self.signed(request("GET", path))).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer.json()
    }

    async fn source(&self) -> Value {
        self.get("/api/v1/sources").await["items"][0].clone()
    }

    /// Waits until the source stands so.
    pub(crate) async fn until(&self, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..1_000 {
            let source = self.source().await;
            if holds(&source) {
                return source;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("did not happen in 20 s: {what}; {}", self.source().await);
    }
}

#[actix_web::test]
async fn from_an_address_alone_to_the_hypervisor_with_its_open_incident() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("machines.csv");
    fs::write(&file, MACHINES).unwrap();
    let house = House::with(&config(&file), None);
    let viewer = Viewer::of(&house);
    assert_eq!(viewer.source().await["state"], "waiting");
    let empty = viewer.get("/api/v1/vms?q=10.1.2.3").await;
    assert_eq!((&empty["items"], &empty["terms"][0]["kind"], &empty["sources"]), (&json!([]), &json!("ip"), &json!(1)));
    keep(&house);
    let source = viewer.until("the file was read", |it| it["state"] == "well").await;
    assert_eq!((&source["vms"], &source["nics"], &source["hypervisors"]), (&json!(3), &json!(3), &json!(2)));
    let line = "[P1][PROBLEM][WEB01][10.1.2.3][host is down]";
    let sent = request("POST", &format!("/ingest/{}", house.sender)).set_payload(line);
    assert_eq!(call(&house.service().await, sent).await.status, 200);

    let found = viewer.get("/api/v1/vms?q=10.1.2.3").await;
    let item = &found["items"][0];
    let hops: Vec<_> = item["hops"].as_array().unwrap().iter().map(|hop| (&hop["to"], &hop["value"])).collect();
    assert_eq!(
        json!(hops),
        json!([
            ["ip", "10.1.2.3"],
            ["mac", "52:54:00:00:00:01"],
            ["vm", "web01"],
            ["port", "br-int"],
            ["hypervisor", "kvm-1"],
            ["cluster", "prod"]
        ])
    );
    assert_eq!(
        (&item["hypervisor"]["vms"], &item["port"]["vlan"], &item["vendor"]),
        (&json!(2), &json!(42), &json!("QEMU/KVM"))
    );
    assert_eq!((&item["incidents"][0]["severity"], &item["hops"][0]["how"]), (&json!("P1"), &json!("recorded")));

    let row = viewer.get("/api/v1/hypervisors/one?source=list&key=kvm-1").await;
    let vms: Vec<_> = row["vms"]
        .as_array()
        .unwrap()
        .iter()
        .map(|vm| (&vm["name"], vm["incidents"].as_array().map_or(0, Vec::len)))
        .collect();
    assert_eq!(json!(vms), json!([["web01", 1], ["web02", 0]]), "who is alerting comes first");
}

#[actix_web::test]
async fn hundreds_of_lines_are_looked_up_at_once_and_what_is_wrong_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("machines.csv");
    fs::write(&file, MACHINES).unwrap();
    let house = House::with(&config(&file), None);
    let viewer = Viewer::of(&house);
    keep(&house);
    viewer.until("the file was read", |it| it["state"] == "well").await;
    let service = house.service().await;
    let look = |text: &str| viewer.signed(body("POST", "/api/v1/vms", &json!({ "text": text })));
    let text = "10.1.2.4 dev eth0 lladdr 52:54:00:00:00:02 REACHABLE\nff:ff:ff:ff:ff:ff\nnobody-knows\n";
    let found = call(&service, look(text)).await.json();
    let terms: Vec<_> =
        found["terms"].as_array().unwrap().iter().map(|it| (&it["kind"], &it["text"], &it["found"])).collect();
    assert_eq!(
        json!(terms),
        json!([
            ["ip", "10.1.2.4", 1],
            ["mac", "52:54:00:00:00:02", 1],
            ["unknown", "ff:ff:ff:ff:ff:ff", 0],
            ["name", "nobody-knows", 0]
        ])
    );
    assert!(found["terms"][2]["fault"].as_str().unwrap().contains("broadcast"), "{found}");
    let lines: String = (0..1_001).map(|n| format!("host-{n}\n")).collect();
    let refused = call(&service, look(&lines)).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text.contains("1001 things"), "{}", refused.text);
    let stranger = body("POST", "/api/v1/vms", &json!({ "text": "10.1.2.4" }));
    assert_eq!(call(&service, stranger).await.status, 401);
}

#[actix_web::test]
async fn a_source_that_fails_says_why_and_what_it_said_before_counts_across_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("machines.csv");
    fs::write(&file, MACHINES).unwrap();
    let mut house = House::with(&config(&file), None);
    let viewer = Viewer::of(&house);
    keep(&house);
    viewer.until("the file was read", |it| it["state"] == "well").await;
    // One VM moves, one goes.
    fs::write(
        &file,
        "name,mac,ip,hypervisor\nweb01,52:54:00:00:00:01,10.1.2.3,kvm-2\nweb02,52:54:00:00:00:02,10.1.2.4,kvm-1\n",
    )
    .unwrap();
    viewer.until("the change was read", |it| it["vms"] == 2).await;
    fs::write(&file, "name,mac\nweb01,52:54:00\n").unwrap();
    let failing = viewer.until("the fault was seen", |it| it["state"] == "failing").await;
    assert!(failing["error"].as_str().unwrap().contains("row 1: `mac` 52:54:00 has 6 hexadecimal digits"), "{failing}");
    assert_eq!(failing["vms"], 2, "what it said before counts");
    let silent = viewer.get("/api/v1/vms?q=web01").await["silent"][0].clone();
    assert_eq!((&silent["name"], silent["seen_at"].is_i64()), (&json!("Our list"), true));

    let detail = viewer.get("/api/v1/vms/one?source=list&key=web01").await;
    assert_eq!(detail["placement"]["hypervisor"]["name"], "kvm-2");
    let moves: Vec<_> = detail["moves"].as_array().unwrap().iter().map(|it| (&it["from"], &it["to"])).collect();
    assert_eq!(json!(moves), json!([["kvm-1", "kvm-2"]]));
    let gone = viewer.get("/api/v1/vms/one?source=list&key=db01").await;
    assert_eq!(
        (&gone["placement"]["vm"]["name"], &gone["moves"][0]["after"]),
        (&json!("db01"), &Value::Null),
        "it is told of, still"
    );
    let unknown =
        call(&house.service().await, viewer.signed(request("GET", "/api/v1/vms/one?source=list&key=x"))).await;
    assert_eq!(unknown.status, 404);

    let stored = house.store(|store| store.inventory()).unwrap();
    assert_eq!(
        (stored.len(), stored[0].1.vms.len()),
        (1, 3),
        "the first answer is stored at once, further ones each minute"
    );
    house.restart();
    let viewer = Viewer::of(&house);
    let at_once = viewer.get("/api/v1/vms?q=10.1.2.3").await;
    assert_eq!(at_once["items"][0]["vm"]["name"], "web01");
    assert_eq!(viewer.source().await["state"], "waiting");
}

#[actix_web::test]
async fn a_migration_in_a_vcenter_is_known_by_a_hardware_address_alone() {
    let vcenter = Vcenter::start(&[]).unwrap();
    let listens = &vcenter.listens;
    let source = format!(
        "{CONFIG}\n[[sources]]\nid = \"vc\"\nkind = \"vsphere\"\naddress = \"{}\"\nusername = \"{}\"\npassword = \"{}\"\n\
         fingerprint = \"{}\"\n",
        listens.secure, listens.username, listens.password, listens.fingerprint
    );
    let house = House::with(&source, None);
    let viewer = Viewer::of(&house);
    keep(&house);
    let well = viewer.until("the vCenter was read", |it| it["state"] == "well").await;
    assert_eq!((&well["vms"], &well["nics"], &well["hypervisors"]), (&json!(4), &json!(8), &json!(4)));

    // The stand-in numbers VMs in their MACs and addresses.
    let found = viewer.get("/api/v1/vms?q=00:50:56:9a:00:00").await["items"][0].clone();
    let (vm, from) = (found["vm"]["name"].as_str().unwrap(), found["hypervisor"]["name"].as_str().unwrap());
    let hop = |found: &Value, to: &str| {
        let hops = found["hops"].as_array().unwrap();
        hops.iter().find(|hop| hop["to"] == to).map_or(Value::Null, |hop| hop["value"].clone())
    };
    assert_eq!((hop(&found, "vm"), hop(&found, "hypervisor")), (json!(vm), json!(from)), "{found}");
    assert_eq!(viewer.get("/api/v1/vms?q=10.77.0.0").await["items"][0]["vm"]["name"], vm);

    let to = if from == "DC0_C0_H1" { "DC0_C0_H2" } else { "DC0_C0_H1" };
    vcenter.command(&format!("/migrate?vm={vm}&to={to}")).unwrap();
    let key = found["vm"]["key"].as_str().unwrap();
    let path = format!("/api/v1/vms/one?source=vc&key={key}");
    for _ in 0..1_000 {
        let detail = viewer.get(&path).await;
        // The move is stored a moment after it is known.
        if detail["placement"]["hypervisor"]["name"] == to && detail["moves"][0].is_object() {
            let last = &detail["moves"][0];
            let keys = (&found["hypervisor"]["key"], &detail["placement"]["hypervisor"]["key"]);
            assert_eq!((&last["before"]["hypervisor"], &last["after"]["hypervisor"]), keys);
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{vm} did not move from {from} to {to} in 20 s");
}
