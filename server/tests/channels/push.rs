//! Web push against push services that follow a script: what each device is sent, what another program reads of it, and
//! what every answer means for the page and for the device.

use super::page;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use e2e::oracle::ask;
use serde_json::{Value, json};
use server::{
    channels::{Accepted, Address, Channels, Delivery, Letter},
    clock,
    db::{DatabaseUrl, NewDevice, Reach, Store},
    devices::Devices,
    outbound::Deadlines,
};
use shared::{
    Failure, PersonId, SilenceId,
    api::PushProvider,
    config,
    config::{Language, PushChannel, WebhookChannel},
    text::PageText,
};
use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Barrier},
    thread::JoinHandle,
    time::Duration,
};

const PATIENT: Duration = Duration::from_secs(10);
/// Of RFC 8291, appendix A.
const PRIVATE: &str = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94";
const P256DH: &str = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";
const CONTACT: &str = "mailto:oncall@example.org";
const CAP: &str = "canary-capability";

struct Sent {
    head: String,
    body: Vec<u8>,
}

impl Sent {
    fn header(&self, name: &str) -> &str {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value)
    }
}

/// A push service for so many pushes; joining gives them.
struct Service {
    at: SocketAddr,
    thread: JoinHandle<Vec<Sent>>,
}

impl Service {
    /// Answers by the last part of the path, which is a status, once `together` pushes are there.
    fn new(pushes: usize, together: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = listener.local_addr().unwrap();
        let barrier = Arc::new(Barrier::new(together));
        let thread = std::thread::spawn(move || {
            let answering: Vec<_> = (0..pushes)
                .map(|_| {
                    let (stream, barrier) = (listener.accept().unwrap().0, Arc::clone(&barrier));
                    std::thread::spawn(move || answer(stream, &barrier))
                })
                .collect();
            answering.into_iter().map(|it| it.join().unwrap()).collect()
        });
        Self { at, thread }
    }

    async fn sent(self) -> Vec<Sent> {
        tokio::task::spawn_blocking(|| self.thread.join().unwrap()).await.unwrap()
    }
}

fn answer(mut stream: TcpStream, barrier: &Barrier) -> Sent {
    stream.set_read_timeout(Some(PATIENT)).unwrap();
    let mut reader = BufReader::new(&mut stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        head.push_str(&line);
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    barrier.wait();
    let path = head.split(' ').nth(1).unwrap().to_owned();
    let status = path.rsplit('/').next().unwrap();
    // What is refused is echoed, as some services do.
    let echo = format!("no: {path} {}", head.lines().find(|line| line.starts_with("authorization")).unwrap());
    let length = echo.len();
    write!(stream, "HTTP/1.1 {status} x\r\nretry-after: 7\r\ncontent-length: {length}\r\n\r\n{echo}").unwrap();
    Sent { head, body }
}

/// A store with devices in it, and pushes to them.
struct Stage {
    store: Store,
    devices: Arc<Devices>,
    _folder: tempfile::TempDir,
}

impl Stage {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(&DatabaseUrl::Sqlite(folder.path().join("t.db"))).unwrap();
        store.migrate().unwrap();
        let devices = Arc::new(Devices::open(&mut store).unwrap());
        Self { store, devices, _folder: folder }
    }

    fn register(&mut self, person: &str, label: &str, endpoint: &str) -> i64 {
        self.register_as(PushProvider::Web, person, label, endpoint)
    }

    fn register_as(&mut self, kind: PushProvider, person: &str, label: &str, endpoint: &str) -> i64 {
        let new = NewDevice {
            login: person.to_owned(),
            person: person.into(),
            label: label.to_owned(),
            platform: None,
            reach: Reach { kind, endpoint: endpoint.to_owned(), p256dh: P256DH.to_owned(), auth: AUTH.to_owned() },
            user_agent: String::new(),
            language: Language::En,
        };
        let (device, _) = self.store.device_put(&new, None, clock::now()).unwrap();
        self.devices.refresh(&mut self.store).unwrap();
        device.id
    }

    fn channels(&self, push: PushChannel) -> Channels {
        let config = config::Channels { push, webhook: WebhookChannel::default(), ..config::Channels::default() };
        let deadlines = Deadlines { connect: PATIENT, total: PATIENT };
        Channels::with_deadlines(&config, deadlines).unwrap().with_devices(Arc::clone(&self.devices))
    }

    async fn deliver(&self) -> Result<Accepted, Failure> {
        self.channels(loopback()).deliver(&delivery()).await
    }

    /// As the store has it once everything is noted.
    fn device(&mut self, id: i64) -> server::db::Device {
        self.devices.refresh(&mut self.store).unwrap();
        let stored = self.store.devices().unwrap().into_iter().find(|it| it.id == id).unwrap();
        assert_eq!(stored, *self.devices.find(id, &stored.person).unwrap(), "memory and store agree");
        stored
    }
}

fn loopback() -> PushChannel {
    PushChannel { contact: Some(CONTACT.into()), hosts: vec!["127.0.0.1".into()] }
}

fn delivery() -> Delivery {
    let delivery = page::delivery(Address::Push { person: "li".into(), only: None });
    let ack_url = Some(format!("https://tocsin.example.org/a/{CAP}"));
    Delivery { key: "page-5/7".into(), ack_url, near: None, ..delivery }
}

/// What another program reads of a push.
fn oracle(sent: &Sent) -> Value {
    let given = json!({
        "private": PRIVATE, "auth": AUTH, "body": URL_SAFE_NO_PAD.encode(&sent.body),
        "authorization": sent.header("authorization"),
    });
    ask(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracles/push.py"), &given).unwrap()
}

#[tokio::test]
async fn another_program_opens_a_push_and_knows_who_sent_it() {
    let mut stage = Stage::new();
    let service = Service::new(2, 1);
    let at = service.at;
    let id = stage.register("li", "Pixel", &format!("http://{at}/push/201"));
    for _ in 0..2 {
        assert_eq!(stage.deliver().await, Ok(Accepted::default()));
    }
    let [first, second] = <[Sent; 2]>::try_from(service.sent().await).ok().unwrap();
    assert_eq!((first.header("ttl"), first.header("urgency"), first.header("topic")), ("300", "high", "i42"));
    assert_eq!((first.header("content-encoding"), first.head.split(' ').next()), ("aes128gcm", Some("POST")));
    let said = oracle(&first);
    assert_eq!(said["watermelon"], "When I grow up, I want to be a watermelon", "the other program knows the standard");
    assert_eq!((&said["verified"], &said["head"]), (&true.into(), &json!({"typ": "JWT", "alg": "ES256"})));
    let (claims, now) = (&said["claims"], clock::now().ms() / 1_000);
    assert_eq!((&claims["aud"], &claims["sub"]), (&format!("http://{at}").into(), &CONTACT.into()));
    assert!((now + 3_600..=now + 24 * 3_600).contains(&claims["exp"].as_i64().unwrap()), "{claims}");
    let key = format!("k={}", stage.devices.push_key().unwrap());
    assert!(first.header("authorization").ends_with(&key), "{}", first.head);
    let message: Value = serde_json::from_str(said["text"].as_str().unwrap()).unwrap();
    assert_eq!(message["notification"]["title"], "P0 db-7 磁盘满 disk full");
    assert_eq!(message["notification"]["navigate"], "https://tocsin.example.org/incidents/42");
    let ours =
        json!({"d": "page-5/7", "v": id, "cap": CAP, "sev": "P0", "host": "db-7", "i": 42, "r": true, "urgent": true});
    assert_eq!(message["notification"]["data"], ours);
    // The token is used again, the key of the message never.
    assert_eq!(first.header("authorization"), second.header("authorization"));
    assert_ne!(first.body[..86], second.body[..86]);
    assert_eq!(oracle(&second)["text"], said["text"]);
}

#[tokio::test]
async fn an_app_with_a_distributor_of_its_own_is_pushed_to_in_the_same_way() {
    let mut stage = Stage::new();
    let service = Service::new(1, 1);
    let endpoint = format!("http://{}/up/201", service.at);
    let id = stage.register_as(PushProvider::Unifiedpush, "li", "GrapheneOS", &endpoint);
    assert_eq!(stage.deliver().await, Ok(Accepted::default()));
    let sent = service.sent().await;
    let said = oracle(&sent[0]);
    assert_eq!((&said["verified"], sent[0].header("content-encoding")), (&true.into(), "aes128gcm"));
    let message: Value = serde_json::from_str(said["text"].as_str().unwrap()).unwrap();
    assert_eq!(
        (&message["notification"]["data"]["v"], &message["notification"]["data"]["cap"]),
        (&id.into(), &CAP.into())
    );
}

#[tokio::test]
async fn a_push_to_one_device_reaches_no_other_and_counts_as_sent() {
    let mut stage = Stage::new();
    let service = Service::new(1, 1);
    let meant = stage.register("li", "Pixel", &format!("http://{}/push/201", service.at));
    stage.register("li", "Desk", "http://127.0.0.1:1/push/201");
    let only = Delivery { address: Address::Push { person: "li".into(), only: Some(meant) }, ..delivery() };
    assert_eq!(stage.channels(loopback()).deliver(&only).await, Ok(Accepted::default()));
    assert_eq!(service.sent().await.len(), 1);
    let nobody = Delivery { address: Address::Push { person: "li".into(), only: Some(meant + 9) }, ..delivery() };
    let failure = stage.channels(loopback()).deliver(&nobody).await.unwrap_err();
    assert!(failure.permanent, "{failure:?}");
    let (sent, untouched) = (stage.device(meant), stage.device(meant + 1));
    assert_ne!(sent.proofs, untouched.proofs);
    assert_eq!((untouched.failures, sent.failures), (0, 0));
}

#[tokio::test]
async fn a_notice_is_quiet() {
    let mut stage = Stage::new();
    let service = Service::new(1, 1);
    stage.register("li", "Pixel", &format!("http://{}/push/201", service.at));
    let letter = Letter {
        key: "page-9".into(),
        about: server::channels::LetterAbout::Silence(SilenceId(12)),
        text: PageText { title: "维护 12 已结束".into(), body: "换盘".into() },
        language: Language::Zh,
        address: Address::Push { person: "li".into(), only: None },
        url: "https://tocsin.example.org/silences/12".into(),
    };
    assert_eq!(stage.channels(loopback()).tell(&letter).await, Ok(Accepted::default()));
    let sent = service.sent().await;
    assert_eq!((sent[0].header("urgency"), sent[0].header("topic")), ("low", ""));
    let message: Value = serde_json::from_str(oracle(&sent[0])["text"].as_str().unwrap()).unwrap();
    assert_eq!((&message["notification"]["silent"], &message["notification"]["tag"]), (&true.into(), &"s12".into()));
}

#[tokio::test]
async fn every_answer_has_its_class_and_only_a_subscription_that_is_gone_kills_a_device() {
    // Status, accepted, permanent, told to wait, dead, failures.
    for (status, ok, permanent, waits, dead, failures) in [
        (200, true, false, false, false, 0),
        (201, true, false, false, false, 0),
        (202, true, false, false, false, 0),
        (400, false, true, false, false, 1),
        (401, false, true, false, false, 0),
        (403, false, true, false, false, 0),
        (404, false, true, false, true, 0),
        (410, false, true, false, true, 0),
        (413, false, true, false, false, 0),
        (429, false, false, true, false, 1),
        (500, false, false, false, false, 1),
        (503, false, false, true, false, 1),
    ] {
        let mut stage = Stage::new();
        let service = Service::new(1, 1);
        let id = stage.register("li", "Pixel", &format!("http://{}/canary-endpoint/{status}", service.at));
        let told = stage.deliver().await;
        let sent = service.sent().await;
        assert_eq!(told.is_ok(), ok, "{status}: {told:?}");
        if let Err(failure) = told {
            assert_eq!((failure.permanent, failure.ambiguous), (permanent, false), "{status}: {failure:?}");
            assert_eq!(failure.retry_after_ms, waits.then_some(7_000), "{status}");
            let token = sent[0].header("authorization").split(['=', ',']).nth(1).unwrap();
            for secret in ["canary-endpoint", token, AUTH, CAP] {
                assert!(!failure.detail.contains(secret), "{status}: {failure:?}");
            }
            let operator = matches!(status, 401 | 403);
            assert_eq!(failure.detail.contains("channels.push.contact"), operator, "{status}: {failure:?}");
        }
        let device = stage.device(id);
        assert_eq!((device.dead_at.is_some(), device.failures), (dead, failures), "{status}");
        if dead {
            let again = stage.deliver().await.unwrap_err();
            assert!(again.permanent && again.detail.contains("no device is registered"), "{again:?}");
        }
    }
}

#[tokio::test]
async fn a_push_service_that_does_not_answer_is_tried_again() {
    let mut stage = Stage::new();
    let at = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let id = stage.register("li", "Pixel", &format!("http://{at}/push/201"));
    let failure = stage.deliver().await.unwrap_err();
    assert!(!failure.permanent && failure.detail.starts_with("Pixel: "), "{failure:?}");
    assert_eq!(stage.device(id).failures, 1);
    let service = Service::new(1, 1);
    stage.register("li", "Pixel", &format!("http://{}/push/201", service.at));
    assert!(stage.deliver().await.is_ok());
    service.sent().await;
    assert_eq!(stage.device(id).failures, 2, "the other one's success is not its own");
}

#[tokio::test]
async fn all_devices_are_pushed_to_at_once_and_one_that_takes_it_is_enough() {
    let mut stage = Stage::new();
    // Nobody is answered before all three are there.
    let service = Service::new(3, 3);
    let [busy, gone, _] = [("Pixel", 500), ("iPad", 410), ("Desk", 201)]
        .map(|(label, status)| stage.register("li", label, &format!("http://{}/{label}/{status}", service.at)));
    stage.register("anna", "Other", &format!("http://{}/other/500", service.at));
    assert_eq!(stage.deliver().await, Ok(Accepted::default()));
    assert_eq!(service.sent().await.len(), 3);
    assert_eq!((stage.device(busy).failures, stage.device(gone).dead_at.is_some()), (1, true));
    let both = Service::new(2, 2);
    let mut stage = Stage::new();
    for (label, status) in [("Pixel", 503), ("iPad", 410)] {
        stage.register("li", label, &format!("http://{}/{label}/{status}", both.at));
    }
    let failure = stage.deliver().await.unwrap_err();
    both.sent().await;
    assert!(!failure.permanent && failure.retry_after_ms == Some(7_000), "{failure:?}");
    assert!(failure.detail.contains("Pixel: ") && failure.detail.contains("; iPad: "), "{failure:?}");
}

#[tokio::test]
async fn what_cannot_be_pushed_says_so_and_what_is_not_allowed_is_not_asked() {
    let mut stage = Stage::new();
    let none = stage.deliver().await.unwrap_err();
    assert!(none.permanent && none.detail.contains("no device is registered"), "{none:?}");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let at = listener.local_addr().unwrap();
    let id = stage.register("li", "Pixel", &format!("http://{at}/push/201"));
    // The list may be shorter than it was when the device was registered.
    let unlisted = PushChannel { contact: Some(CONTACT.into()), hosts: Vec::new() };
    let refused = stage.channels(unlisted).deliver(&delivery()).await.unwrap_err();
    assert!(refused.permanent && refused.detail.contains("channels.push.hosts"), "{refused:?}");
    let nobody = PushChannel { contact: None, hosts: vec!["127.0.0.1".into()] };
    let mut at_home = delivery();
    at_home.base = "http://127.0.0.1:8080".into();
    let refused = stage.channels(nobody).deliver(&at_home).await.unwrap_err();
    assert!(refused.permanent && refused.detail.contains("channels.push.contact"), "{refused:?}");
    assert!(listener.accept().is_err(), "nobody was asked");
    assert_eq!((stage.device(id).dead_at, stage.device(id).failures), (None, 0));
    let unknown = stage.devices.find(id, &PersonId::from("anna"));
    assert!(unknown.is_none(), "a device is its person's alone");
    let config = config::Channels {
        push: PushChannel { contact: Some("mailto:x@localhost".into()), hosts: Vec::new() },
        ..config::Channels::default()
    };
    let why = Channels::new(&config).unwrap_err();
    assert!(why.starts_with("push.contact: ") && why.contains("mailto:oncall@example.org"), "{why}");
}
