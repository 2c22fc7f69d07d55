//! A measured value on its way to a page and back: the whole chain, as it runs in the server.

use super::house::{Answer, CONFIG, House, call, json, request};
use actix_web::http::header::AUTHORIZATION;
use serde_json::{Value, json};
use server::hosts::{Batch, judge::Judge};
use shared::{
    Timestamp,
    api::Role,
    host::{Feed, Sample},
};
use std::sync::Arc;

const RULES: &str = r#"
[[host_groups]]
id = "web"
hosts = ["web-*"]

[[templates]]
id = "linux"
groups = ["web"]
[[templates.rules]]
id = "idle"
name = "processor is busy"
when = "all(#3) cpu.idle < 5"
clear = "all(#2) cpu.idle > 15"
severity = "P1"
service = "web"
labels = { team = "shop" }
[[templates.rules]]
id = "disk"
when = "all(#1) df.bytes.used.percent > 90"
severity = "P3"
[[templates.rules]]
id = "nginx"
when = "nodata(1m) nginx.alive"
severity = "P2"
"#;

/// Hosts that are measured by a clock of the test's own.
struct Fleet {
    house: House,
    token: String,
    judge: Arc<Judge>,
    now: Timestamp,
}

impl Fleet {
    async fn new() -> Self {
        Self::of(House::with(&format!("{CONFIG}{RULES}"), None)).await
    }

    async fn of(house: House) -> Self {
        let token = house.api_token(Role::Viewer);
        let now = server::clock::now();
        let judge = Arc::clone(&house.app.judge);
        judge.restore(&house.app.runtime).await.unwrap();
        Self { house, token, judge, now }
    }

    fn measure(&self, host: &str, series: &[&str], values: &[f64]) {
        self.measured_by(Feed::Agent, 10_000, host, series, values);
    }

    fn measured_by(&self, feed: Feed, every_ms: u64, host: &str, series: &[&str], values: &[f64]) {
        let batch = Batch {
            host: host.to_owned(),
            feed,
            every_ms,
            facts: None,
            series: series.iter().map(|it| (*it).to_owned()).collect(),
            samples: vec![Sample { at: self.now, values: values.iter().copied().map(Some).collect() }],
            tables: None,
            clock_ahead_ms: None,
            lost: 0,
        };
        self.house.app.hosts.take(batch, self.now).unwrap();
    }

    /// Ten seconds later, after what was measured is judged and told.
    async fn beat(&mut self) {
        self.judge_only(10_000).await;
    }

    async fn judge_only(&mut self, after_ms: i64) {
        let config = self.house.app.runtime.config();
        self.judge.turn(&config.thresholds, &config.document.hosts, config.version, self.now);
        self.judge.tell(&self.house.app.runtime).await;
        self.now = self.now.plus_ms(after_ms);
    }

    /// Beats without anything new.
    async fn beats(&mut self, n: usize) {
        for _ in 0..n {
            self.beat().await;
        }
    }

    async fn apply(&self, config: &str) {
        self.house.store(|store| store.config_put(config, "test", self.now, None)).unwrap();
        self.house.app.runtime.reload().await.unwrap();
    }

    async fn get(&self, path: &str) -> Value {
        self.send(request("GET", path)).await.json()
    }

    async fn send(&self, request: actix_web::test::TestRequest) -> Answer {
        let request = request.insert_header((AUTHORIZATION, format!("Bearer {}", self.token)));
        call(&self.house.service().await, request).await
    }

    /// The open alerts, as severity, host and summary.
    async fn open(&self) -> Vec<String> {
        let alerts = self.get("/api/v1/alerts").await;
        let text = |alert: &Value| {
            let event = &alert["event"];
            let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
            format!("{} {} {}", word(&event["severity"]), word(&event["host"]), word(&event["summary"]))
        };
        alerts["items"].as_array().unwrap().iter().map(text).collect()
    }
}

#[actix_web::test]
async fn a_rule_pages_through_the_whole_chain_and_its_end_resolves() {
    let mut fleet = Fleet::new().await;
    for idle in [3.0, 2.5, 2.0] {
        fleet.measure("web-1", &["cpu.idle", "nginx.alive"], &[idle, 1.0]);
        fleet.measure("db-1", &["cpu.idle"], &[idle]);
        assert_eq!(fleet.open().await, [""; 0]);
        fleet.beat().await;
    }
    assert_eq!(fleet.open().await, ["P1 web-1 processor is busy: cpu.idle is 2 %"], "db-1 is in no group");
    let incidents = fleet.get("/api/v1/incidents").await;
    let id = incidents["items"][0]["id"].as_i64().unwrap();
    let incident = fleet.get(&format!("/api/v1/incidents/{id}")).await;
    let event = &incident["alerts"][0]["event"];
    assert_eq!(event["labels"]["team"], "shop");
    assert_eq!(event["service"], "web");
    assert_eq!(event["metric"]["func"], "all(#3)");
    assert_eq!(event["metric"]["step"], 1);
    // The policy's first level was asked, as for any alert.
    assert!(incident.to_string().contains("\"li\""), "{incident}");
    let board = fleet.get("/api/v1/thresholds").await;
    assert_eq!(board["templates"][0]["hosts"], 1);
    assert_eq!(board["templates"][0]["rules"][0]["firing"], 1);
    assert_eq!(board["standing"][0]["state"], "firing");
    // Above the beginning, and not yet above the end.
    for (idle, open) in [(10.0, 1), (20.0, 1), (30.0, 0)] {
        fleet.measure("web-1", &["cpu.idle", "nginx.alive"], &[idle, 1.0]);
        fleet.beat().await;
        assert_eq!(fleet.open().await.len(), open, "{idle}");
    }
    let incident = fleet.get(&format!("/api/v1/incidents/{id}")).await;
    assert_eq!(incident["incident"]["state"], "resolved", "{incident}");
}

#[actix_web::test]
async fn each_series_is_judged_by_itself_and_a_restart_forgets_nothing() {
    let mut fleet = Fleet::new().await;
    let disks =
        ["df.bytes.used.percent/fstype=ext4,mount=/", "df.bytes.used.percent/fstype=ext4,mount=/data", "nginx.alive"];
    fleet.measure("web-1", &disks, &[95.0, 96.0, 1.0]);
    fleet.beat().await;
    assert_eq!(fleet.open().await.len(), 2);
    fleet.measure("web-1", &disks, &[95.0, 40.0, 1.0]);
    fleet.beat().await;
    assert_eq!(
        fleet.open().await,
        ["P3 web-1 all(#1) df.bytes.used.percent > 90: df.bytes.used.percent/fstype=ext4,mount=/ is 95 %"]
    );
    let Fleet { mut house, .. } = fleet;
    house.restart();
    let mut fleet = Fleet::of(house).await;
    fleet.measure("web-1", &disks, &[50.0, 40.0, 1.0]);
    fleet.beat().await;
    assert_eq!(fleet.open().await, [""; 0], "what was open before the restart is over after it");
}

#[actix_web::test]
async fn a_silent_host_is_one_alert_and_not_one_for_each_thing_it_does_not_say() {
    let mut fleet = Fleet::new().await;
    for _ in 0..3 {
        fleet.measure("web-1", &["cpu.idle", "nginx.alive"], &[50.0, 1.0]);
        fleet.measure("web-2", &["cpu.idle", "nginx.alive"], &[50.0, 1.0]);
        fleet.beat().await;
    }
    // One goes silent; the other only stops to say something of its web server.
    for _ in 0..30 {
        fleet.measure("web-2", &["cpu.idle"], &[50.0]);
        fleet.beat().await;
    }
    let mut open = fleet.open().await;
    open.sort();
    assert_eq!(
        open,
        ["P2 web-1 web-1 is silent", "P2 web-2 nodata(1m) nginx.alive: nginx.alive is not measured any more"]
    );
    fleet.measure("web-1", &["cpu.idle", "nginx.alive"], &[50.0, 1.0]);
    fleet.measure("web-2", &["cpu.idle", "nginx.alive"], &[50.0, 1.0]);
    for _ in 0..5 {
        fleet.judge_only(0).await;
    }
    assert_eq!(fleet.open().await, [""; 0]);
}

#[actix_web::test]
async fn a_rule_that_is_taken_away_ends_what_it_raised() {
    let mut fleet = Fleet::new().await;
    for _ in 0..3 {
        fleet.measure("web-1", &["cpu.idle"], &[1.0]);
        fleet.beat().await;
    }
    assert_eq!(fleet.open().await.len(), 1);
    fleet.apply(CONFIG).await;
    fleet.beat().await;
    assert_eq!(fleet.open().await, [""; 0]);
}

#[actix_web::test]
async fn a_rule_that_is_changed_to_other_series_ends_what_it_raised_of_the_old_ones() {
    let mut fleet = Fleet::new().await;
    let disks = ["df.bytes.used.percent/mount=/", "df.bytes.used.percent/mount=/data"];
    fleet.measure("web-1", &disks, &[95.0, 96.0]);
    fleet.beat().await;
    assert_eq!(fleet.open().await.len(), 2);
    let narrow = RULES.replace("df.bytes.used.percent > 90", "df.bytes.used.percent/mount=/ > 90");
    fleet.apply(&format!("{CONFIG}{narrow}")).await;
    fleet.beat().await;
    let open = fleet.open().await;
    assert!(open.len() == 1 && open[0].ends_with("mount=/ is 95 %"), "{open:?}");
}

#[actix_web::test]
async fn what_is_measured_less_often_than_the_rest_is_judged_by_its_own_beat() {
    let mut fleet = Fleet::new().await;
    for n in 0..19 {
        fleet.measure("web-1", &["load.1min", "nginx.alive"], &[1.0, 1.0]);
        if n % 6 == 0 {
            fleet.measured_by(Feed::Falcon, 60_000, "web-1", &["cpu.idle"], &[f64::from(n) / 10.0]);
        }
        fleet.beat().await;
    }
    assert_eq!(fleet.open().await, ["P1 web-1 processor is busy: cpu.idle is 1.2 %"], "three points a minute apart");
}

#[actix_web::test]
async fn what_was_missed_is_found_under_its_own_name_and_what_a_host_could_not_say_is_not_missed() {
    let mut fleet = Fleet::new().await;
    for _ in 0..12 {
        fleet.measure("web-1", &["cpu.idle"], &[50.0]);
        fleet.beat().await;
    }
    assert_eq!(fleet.open().await, ["P2 web-1 nodata(1m) nginx.alive: nginx.alive is not measured any more"]);
    let Fleet { mut house, now, .. } = fleet;
    house.restart();
    let mut fleet = Fleet { now, ..Fleet::of(house).await };
    for n in 0..12 {
        let tagged = ["cpu.idle", "nginx.alive/port=80"];
        let both = [50.0, 1.0];
        // After the start it is still missed, until it comes.
        let known = if n < 6 { 1 } else { 2 };
        fleet.measure("web-1", &tagged[..known], &both[..known]);
        fleet.beat().await;
        if n == 5 {
            assert_eq!(fleet.open().await.len(), 1);
        }
    }
    assert_eq!(fleet.open().await, [""; 0]);
    // Two minutes away, less than what makes it silent.
    fleet.beats(12).await;
    for _ in 0..5 {
        fleet.measure("web-1", &["cpu.idle"], &[50.0]);
        fleet.beat().await;
    }
    assert_eq!(fleet.open().await, [""; 0], "it was not there to say it");
    for _ in 0..7 {
        fleet.measure("web-1", &["cpu.idle"], &[50.0]);
        fleet.beat().await;
    }
    let open = fleet.open().await;
    assert!(open.len() == 1 && open[0].contains("nginx.alive/port=80 is not measured any more"), "{open:?}");
}

#[actix_web::test]
async fn the_hours_of_a_rule_end_also_of_a_host_that_says_nothing() {
    let time = |now: Timestamp, minutes: i64| {
        let of_day = now.plus_ms(minutes * 60_000).ms().rem_euclid(86_400_000) / 60_000;
        format!("{:02}:{:02}", of_day / 60, of_day % 60)
    };
    let now = server::clock::now();
    let rules = RULES.replace("severity = \"P3\"", "severity = \"P3\"\nduring = [\"now\"]");
    let window = format!(
        "[[time_windows]]\nid = \"now\"\ntime_zone = \"UTC\"\nwindows = [{{ from = \"{}\", until = \"{}\" }}]\n",
        time(now, -30),
        time(now, 3)
    );
    let mut fleet = Fleet::of(House::with(&format!("{CONFIG}{rules}{window}"), None)).await;
    fleet.measure("web-1", &["df.bytes.used.percent/mount=/"], &[95.0]);
    fleet.beat().await;
    assert_eq!(fleet.open().await.len(), 1);
    for _ in 0..40 {
        fleet.judge_only(10_000).await;
    }
    let open = fleet.open().await;
    assert!(open.iter().all(|it| it.ends_with("is silent")), "{open:?}");
}

#[actix_web::test]
async fn a_rule_is_tried_on_what_was_measured_before_it_is_stored() {
    let mut fleet = Fleet::new().await;
    let begun = fleet.now;
    // In the past, so that the range is over.
    fleet.now = begun.plus_ms(-600_000);
    for load in [1.0, 9.0, 9.0, 9.0, 1.0, 1.0, 9.0] {
        fleet.measure("web-1", &["load.1min"], &[load]);
        fleet.measure("db-1", &["load.1min"], &[load]);
        fleet.now = fleet.now.plus_ms(10_000);
    }
    let trial = |when: &str| json!({"rule": {"id": "new", "when": when}, "groups": ["web"], "from": begun.plus_ms(-600_000), "until": begun});
    let tried = fleet.send(json("POST", "/api/v1/thresholds/trial", &trial("all(#2) load.1min > 5"))).await.json();
    assert_eq!((tried["hosts"].as_u64(), tried["series"].as_u64()), (Some(1), Some(1)), "{tried}");
    assert_eq!(tried["alerts"].as_array().unwrap().len(), 1, "{tried}");
    assert_eq!(tried["alerts"][0]["from"].as_i64(), Some(begun.plus_ms(-580_000).ms()));
    assert_eq!(tried["alerts"][0]["until"].as_i64(), Some(begun.plus_ms(-560_000).ms()));
    let refused = fleet.send(json("POST", "/api/v1/thresholds/trial", &trial("often(#2) load.1min > 5"))).await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (422, "bad_rule"));
    assert!(refused.text.contains("lookup"), "{}", refused.text);
}
