//! Where an alert's machine was when it came, and a hypervisor that is suspected: from the message to the page.

use super::{
    house::{CONFIG, House, call, request},
    inventory::{Viewer, config, keep},
};
use serde_json::{Value, json};
use server::inventory;
use std::{fs, path::PathBuf, sync::Arc, time::Duration};

struct Place {
    house: House,
    _folder: tempfile::TempDir,
    file: PathBuf,
}

impl Place {
    /// Machines as in [`Place::says`]; their source is asked already.
    async fn with(machines: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("machines.csv");
        says(&file, machines);
        let house = House::with(&config(&file), None);
        let place = Self { house, _folder: folder, file };
        place.begin();
        Viewer::of(&place.house).until("the file was read", |it| it["state"] == "well").await;
        place
    }

    fn begin(&self) {
        keep(&self.house);
        let app = &self.house.app;
        drop(actix_web::rt::spawn(inventory::follow(Arc::clone(&app.inventory), app.runtime.clone())));
    }

    async fn send(&self, lines: &[&str]) {
        for line in lines {
            let sent = request("POST", &format!("/ingest/{}", self.house.sender)).set_payload((*line).to_owned());
            assert_eq!(call(&self.house.service().await, sent).await.status, 200);
        }
    }

    async fn incident(&self, id: u32) -> Value {
        Viewer::of(&self.house).get(&format!("/api/v1/incidents/{id}")).await
    }

    async fn until(&self, id: u32, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..1_000 {
            let incident = self.incident(id).await;
            if holds(&incident) {
                return incident;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("did not happen in 20 s: {what}; {}", self.incident(id).await);
    }
}

/// `vm@hypervisor`, with spaces between.
fn says(file: &PathBuf, machines: &str) {
    let row = |it: &str| {
        let (vm, on) = it.split_once('@').unwrap();
        let n: u8 = vm.trim_start_matches("web").parse().unwrap();
        format!("{vm},52:54:00:00:00:{n:02x},10.1.2.{n},{on}\n")
    };
    let rows: String = machines.split_whitespace().map(row).collect();
    fs::write(file, format!("name,mac,ip,hypervisor\n{rows}")).unwrap();
}

fn down(n: u8) -> String {
    format!("[P1][PROBLEM][web{n}][10.1.2.{n}][host is down]")
}

#[actix_web::test]
async fn an_alert_keeps_where_its_machine_was_also_when_it_moves() {
    let mut place = Place::with("web1@kvm-1 web2@kvm-1").await;
    place.send(&[&down(1)]).await;
    let at = |incident: &Value| incident["places"][0]["placement"]["hypervisor"]["name"].clone();
    let before = place.until(1, "it is placed", |it| it["places"] != json!([])).await;
    assert_eq!((&at(&before), &before["places"][0]["alert"]), (&json!("kvm-1"), &json!(1)));
    assert_eq!(before["places"][0]["placement"]["hypervisor"]["vms"], 2);
    says(&place.file, "web1@kvm-2 web2@kvm-1");
    let viewer = Viewer::of(&place.house);
    for _ in 0..1_000 {
        let found = viewer.get("/api/v1/vms?q=10.1.2.1").await;
        if found["items"][0]["hypervisor"]["name"] == "kvm-2" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(viewer.get("/api/v1/vms?q=web1").await["items"][0]["hypervisor"]["name"], "kvm-2");
    assert_eq!(at(&place.incident(1).await), "kvm-1", "what was known then");
    place.house.restart();
    assert_eq!(at(&place.incident(1).await), "kvm-1");
}

#[actix_web::test]
async fn one_incident_about_the_hypervisor_keeps_its_vms_quiet_until_they_move_away() {
    let mut place = Place::with("web1@kvm-1 web2@kvm-1 web3@kvm-1 web4@kvm-1 web5@kvm-2").await;
    let lines = [down(1), down(2), down(5), down(3)];
    place.send(&lines.each_ref().map(String::as_str)).await;
    let quiet = |incident: &Value| incident["incident"]["suppressed"][0]["kind"].clone();
    // An alert does not wait for a source that is being read at that moment; it is placed soon after.
    place.until(4, "its hypervisor is suspected", |it| quiet(it) == "suspect").await;
    let about = place.incident(5).await;
    assert_eq!(about["incident"]["title"], "hypervisor suspected: 3 of 4 VMs fail alike");
    assert_eq!((&about["incident"]["host"], &about["incident"]["severity"]), (&json!("kvm-1"), &json!("P1")));
    let reason = about["timeline"].as_array().unwrap().iter().find(|it| it["what"]["kind"] == "suspected");
    assert_eq!(reason.unwrap()["what"]["vms"], json!(["web1", "web2", "web3"]));
    for id in [1, 2, 4] {
        assert_eq!(quiet(&place.incident(id).await), "suspect", "{id}");
    }
    assert_eq!(quiet(&place.incident(3).await), Value::Null, "web5 runs elsewhere");

    place.house.restart();
    place.begin();
    assert_eq!(quiet(&place.incident(2).await), "suspect");
    says(&place.file, "web1@kvm-1 web2@kvm-2 web3@kvm-1 web4@kvm-1 web5@kvm-2");
    let moved = place.until(2, "it is released", |it| quiet(it) == Value::Null).await;
    let last: Vec<&Value> = moved["timeline"].as_array().unwrap().iter().map(|it| &it["what"]["kind"]).collect();
    assert!(last.contains(&&json!("vm_moved")) && last.contains(&&json!("released")), "{last:?}");
    assert_eq!(quiet(&place.incident(1).await), "suspect");
}

#[actix_web::test]
async fn what_is_known_only_later_is_kept_then() {
    let place = Place::with("web1@kvm-1").await;
    place.send(&[&down(7)]).await;
    assert_eq!(place.incident(1).await["places"], json!([]));
    says(&place.file, "web1@kvm-1 web7@kvm-1");
    let found = place.until(1, "it is placed", |it| it["places"] != json!([])).await;
    assert_eq!(found["places"][0]["placement"]["vm"]["name"], "web7");
}

#[actix_web::test]
async fn without_sources_nothing_is_looked_for() {
    let house = House::with(CONFIG, None);
    let sent = request("POST", &format!("/ingest/{}", house.sender)).set_payload(down(1));
    assert_eq!(call(&house.service().await, sent).await.status, 200);
    assert_eq!(Viewer::of(&house).get("/api/v1/incidents/1").await["places"], json!([]));
}
