//! Pushes to apps, taken by Google's own library and by an HTTP/2 that we did not write: what is signed and sent, and what
//! every answer means for the page and for the device.

use super::page;
use e2e::environment;
use serde_json::{Value, json};
use server::{
    channels::{Accepted, Address, Channels, Delivery},
    clock,
    db::{DatabaseUrl, NewDevice, Reach, Store},
    devices::Devices,
    outbound::Deadlines,
};
use shared::{
    Failure, Severity,
    api::{Platform, PushProvider},
    config::{self, ApnsChannel, FcmChannel, Language},
};
use std::{
    io::{BufRead as _, BufReader},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::Arc,
    time::Duration,
};

const PATIENT: Duration = Duration::from_secs(30);
const CAP: &str = "canary-capability";

/// Google and Apple.
struct Providers {
    child: Child,
    _stdin: ChildStdin,
    said: BufReader<ChildStdout>,
    given: Value,
}

impl Providers {
    fn new() -> Self {
        let mut python = Command::new(environment::python().unwrap());
        let python = python.args(["-c", include_str!("../oracles/apps.py")]);
        let mut child = python.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let stdin = child.stdin.take().unwrap();
        let said = BufReader::new(child.stdout.take().unwrap());
        let mut new = Self { child, _stdin: stdin, said, given: Value::Null };
        new.given = new.next();
        new
    }

    fn text(&self, name: &str) -> String {
        self.given[name].as_str().unwrap().to_owned()
    }

    /// What it took next.
    fn next(&mut self) -> Value {
        let mut line = String::new();
        self.said.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }
}

impl Drop for Providers {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

struct Stage {
    providers: Providers,
    store: Store,
    devices: Arc<Devices>,
    channels: Channels,
    _folder: tempfile::TempDir,
}

impl Stage {
    fn new(critical: bool) -> Self {
        let providers = Providers::new();
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(&DatabaseUrl::Sqlite(folder.path().join("t.db"))).unwrap();
        store.migrate().unwrap();
        let devices = Arc::new(Devices::open(&mut store).unwrap());
        let fcm = FcmChannel { service_account: providers.text("account"), critical, base: providers.text("fcm") };
        let apns = ApnsChannel {
            signing_key: providers.text("key"),
            key_id: "ABCDE12345".into(),
            team_id: "FGHIJ67890".into(),
            topic: "org.example.pager".into(),
            critical,
            base: providers.text("apns"),
        };
        let config = config::Channels { fcm: Some(fcm), apns: Some(apns), ..config::Channels::default() };
        let deadlines = Deadlines { connect: PATIENT, total: PATIENT };
        let channels = Channels::with_deadlines(&config, deadlines).unwrap().with_devices(Arc::clone(&devices));
        Self { providers, store, devices, channels, _folder: folder }
    }

    fn register(&mut self, kind: PushProvider, token: &str) -> i64 {
        let new = NewDevice {
            login: "li".into(),
            person: "li".into(),
            label: "Pixel".into(),
            platform: Some(Platform::Other),
            reach: Reach { kind, endpoint: token.into(), p256dh: String::new(), auth: String::new() },
            user_agent: String::new(),
            language: Language::En,
        };
        let (device, _) = self.store.device_put(&new, None, clock::now()).unwrap();
        self.devices.refresh(&mut self.store).unwrap();
        device.id
    }

    fn remove(&mut self, id: i64) {
        self.store.device_revoke(id).unwrap();
        self.devices.refresh(&mut self.store).unwrap();
    }

    async fn deliver(&self, severity: Severity) -> Result<Accepted, Failure> {
        self.channels.deliver(&delivery(severity)).await
    }

    /// When it died, and how often it failed, once everything is noted.
    fn standing(&mut self, id: i64) -> (bool, u32) {
        self.devices.refresh(&mut self.store).unwrap();
        let device = self.store.devices().unwrap().into_iter().find(|it| it.id == id).unwrap();
        (device.dead_at.is_some(), device.failures)
    }
}

fn delivery(severity: Severity) -> Delivery {
    let mut delivery = page::delivery(Address::Push { person: "li".into(), only: None });
    Arc::make_mut(&mut delivery.incident).severity = severity;
    let ack_url = Some(format!("https://tocsin.example.org/a/{CAP}"));
    Delivery { key: "page-5/7".into(), ack_url, near: None, ..delivery }
}

#[tokio::test]
async fn google_knows_who_asks_and_takes_a_page_as_data_for_one_token() {
    let mut stage = Stage::new(false);
    let id = stage.register(PushProvider::Fcm, "canary-token-200");
    assert_eq!(stage.deliver(Severity::P0).await, Ok(Accepted::default()));
    let asked = stage.providers.next();
    assert_eq!(asked["grant"], "urn:ietf:params:oauth:grant-type:jwt-bearer");
    // Google's library says the same of the same account, but for the moment.
    let (ours, theirs) = (&asked["claims"], &asked["reference"]);
    for name in ["iss", "scope"] {
        assert_eq!(ours[name], theirs[name], "{name}");
    }
    // Theirs knows no other place to ask than the one that every real account names.
    assert_eq!(ours["aud"], format!("{}/token", stage.providers.text("fcm")));
    assert_eq!(theirs["aud"], "https://oauth2.googleapis.com/token");
    assert_eq!(ours["exp"].as_i64().unwrap() - ours["iat"].as_i64().unwrap(), 3_600);
    assert_eq!(ours.as_object().unwrap().len(), theirs.as_object().unwrap().len());
    assert_eq!(asked["heads"][0], asked["heads"][1]);
    let taken = stage.providers.next();
    assert_eq!(taken["fcm"], "/v1/projects/our-pager/messages:send");
    assert_eq!(taken["authorization"], "Bearer canary-access-1");
    let message = &taken["message"]["message"];
    assert_eq!(message["token"], "canary-token-200");
    let data = json!({
        "title": "P0 db-7 磁盘满 disk full", "body": message["data"]["body"], "lang": "zh-CN", "tag": "i42",
        "navigate": "https://tocsin.example.org/incidents/42", "d": "page-5/7", "v": id.to_string(), "cap": CAP,
        "sev": "P0", "host": "db-7", "i": "42", "urgent": "true",
    });
    assert_eq!(message["data"], data);
    assert!(message["data"]["body"].as_str().unwrap().contains("10.1.2.3"));
    assert_eq!(message["android"], json!({"priority": "HIGH", "ttl": "300s", "direct_boot_ok": true}));
    let apple = &message["apns"];
    assert_eq!(
        (&apple["headers"]["apns-priority"], &apple["headers"]["apns-collapse-id"]),
        (&"10".into(), &"i42".into())
    );
    assert_eq!(apple["payload"]["aps"]["interruption-level"], "time-sensitive");
    // The token is used again.
    assert!(stage.deliver(Severity::P4).await.is_ok());
    let taken = stage.providers.next();
    assert_eq!(taken["authorization"], "Bearer canary-access-1");
    let android = json!({"priority": "NORMAL", "ttl": "14400s", "direct_boot_ok": false, "collapse_key": "digest"});
    assert_eq!(taken["message"]["message"]["android"], android);
}

#[tokio::test]
async fn apple_takes_a_page_over_http_2_under_a_token_it_verifies() {
    let mut stage = Stage::new(true);
    let id = stage.register(PushProvider::Apns, "abcdef200");
    assert_eq!(stage.deliver(Severity::P0).await, Ok(Accepted::default()));
    let taken = stage.providers.next();
    let (headers, payload) = (&taken["apns"], &taken["payload"]);
    assert_eq!((&headers[":method"], &headers[":path"]), (&"POST".into(), &"/3/device/abcdef200".into()));
    for (name, value) in [
        ("apns-topic", "org.example.pager"),
        ("apns-push-type", "alert"),
        ("apns-priority", "10"),
        ("apns-collapse-id", "i42"),
    ] {
        assert_eq!(headers[name], value, "{name}");
    }
    let left = headers["apns-expiration"].as_str().unwrap().parse::<i64>().unwrap() - clock::now().ms() / 1_000;
    assert!((240..=301).contains(&left), "{left}");
    assert_eq!(taken["head"], json!({"alg": "ES256", "kid": "ABCDE12345", "typ": "JWT"}));
    assert_eq!(taken["claims"]["iss"], "FGHIJ67890");
    assert!(taken["age"].as_f64().unwrap().abs() < 60.0 && taken["bytes"].as_u64().unwrap() <= 4_096);
    let aps = &payload["aps"];
    assert_eq!(aps["alert"]["title"], "P0 db-7 磁盘满 disk full");
    assert_eq!(aps["sound"], json!({"critical": 1, "name": "default", "volume": 1.0}));
    assert_eq!((&aps["interruption-level"], &aps["thread-id"]), (&"critical".into(), &"i42".into()));
    assert_eq!((&aps["badge"], &aps["mutable-content"], &aps["category"]), (&1.into(), &1.into(), &"PAGE".into()));
    assert_eq!((&payload["tocsin"]["cap"], &payload["tocsin"]["v"]), (&CAP.into(), &id.into()));
    let name = headers["apns-id"].as_str().unwrap().to_owned();
    assert_eq!(name.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
    assert!(stage.deliver(Severity::P0).await.is_ok());
    let again = stage.providers.next();
    assert_eq!(again["apns"]["apns-id"], name, "the same delivery is the same notification");
    assert_eq!(again["apns"]["authorization"], headers["authorization"], "Apple wants no new token each time");
    for (severity, level, priority, sound) in [
        (Severity::P1, "time-sensitive", "10", true),
        (Severity::P2, "active", "10", true),
        (Severity::P4, "passive", "5", false),
    ] {
        assert!(stage.deliver(severity).await.is_ok());
        let taken = stage.providers.next();
        let aps = &taken["payload"]["aps"];
        assert_eq!((&aps["interruption-level"], &taken["apns"]["apns-priority"]), (&level.into(), &priority.into()));
        assert_eq!(aps["sound"] == "default", sound, "{severity}");
    }
}

#[tokio::test]
async fn only_an_app_that_is_gone_is_dead_and_the_operators_faults_are_no_devices() {
    let fcm = [(400, true, false, 1), (401, false, false, 0), (403, true, false, 0), (404, true, true, 0)];
    let apns = [(400, true, false, 0), (403, true, false, 0), (410, true, true, 0), (413, true, false, 1)];
    let busy = [(429, false, false, 1), (500, false, false, 1), (503, false, false, 1)];
    let mut stage = Stage::new(false);
    let cases = [(PushProvider::Fcm, fcm), (PushProvider::Apns, apns)];
    for (kind, own) in cases {
        for (status, permanent, dead, failures) in own.into_iter().chain(busy) {
            let id = stage.register(kind, &format!("canary-token-{status}"));
            let failure = stage.deliver(Severity::P0).await.unwrap_err();
            let what = format!("{} {status}: {failure:?}", kind.as_str());
            assert_eq!((failure.permanent, failure.ambiguous), (permanent, false), "{what}");
            let waits = matches!(status, 429 | 503);
            assert_eq!(failure.retry_after_ms, waits.then_some(7_000), "{what}");
            assert!(!failure.detail.contains("canary"), "{what}");
            let ours = failures == 0 && !dead && status != 401;
            assert_eq!(failure.detail.contains(&format!("channels.{}", kind.as_str())), ours, "{what}");
            assert_eq!(stage.standing(id), (dead, failures), "{what}");
            stage.remove(id);
        }
    }
}

#[tokio::test]
async fn all_kinds_of_devices_get_the_page_and_one_that_takes_it_is_enough() {
    let mut stage = Stage::new(false);
    let gone = stage.register(PushProvider::Fcm, "canary-token-404");
    stage.register(PushProvider::Apns, "abcdef200");
    stage.register(PushProvider::None, "nobody");
    assert_eq!(stage.deliver(Severity::P1).await, Ok(Accepted::default()));
    assert_eq!(stage.standing(gone), (true, 0));
}

#[tokio::test]
async fn what_cannot_be_used_is_told_before_and_when_a_page_goes_out() {
    let fcm =
        |text: &str| FcmChannel { service_account: text.into(), critical: false, base: "http://127.0.0.1:9".into() };
    let config = config::Channels { fcm: Some(fcm("lost")), ..config::Channels::default() };
    let mut stage = Stage::new(false);
    stage.channels = Channels::new(&config).unwrap().with_devices(Arc::clone(&stage.devices));
    for kind in [PushProvider::Fcm, PushProvider::Apns] {
        let id = stage.register(kind, "canary-token-200");
        let failure = stage.deliver(Severity::P0).await.unwrap_err();
        assert!(failure.permanent && failure.detail.contains(&format!("channels.{}", kind.as_str())), "{failure:?}");
        assert_eq!(stage.standing(id), (false, 0));
        stage.remove(id);
    }
    let document = "[channels.fcm]\nservice_account = \"{}\"\n[channels.apns]\nsigning_key = \"x\"\nkey_id = \"ABCDE12345\"\n\
                    team_id = \"FGHIJ67890\"\ntopic = \"org.example.pager\"\n";
    let checked = server::config::check(document, 1, Arc::default(), clock::now()).unwrap();
    let said: Vec<&str> = checked.warnings.iter().map(|it| it.path.as_str()).collect();
    assert!(said.contains(&"channels.fcm.service_account") && said.contains(&"channels.apns.signing_key"), "{said:?}");
}
