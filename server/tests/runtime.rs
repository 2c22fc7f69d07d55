//! The runtime on a real store: what is answered is stored, pages follow the commit, and a store that refuses
//! delays nobody's P0.

use engine::{Act, Engine, Event, normalize::Source};
use server::{
    clock,
    db::{AuditEntry, DatabaseUrl, EventQuery, Store, WriterLock},
    live::{Board, BoardFilter},
    runtime::{Arrived, LastResort, Links, Refused, Runtime, Start, Stopped},
};
use shared::{
    IncidentState, IntegrationId, Severity, Timestamp,
    config::Integration,
    timeline::{Actor, Happening, Outcome},
};
use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    sync::{Arc, Mutex, mpsc},
    thread::JoinHandle,
    time::Duration,
};

/// A receiver of webhooks that takes everything and keeps it.
struct Sink {
    at: String,
    pages: Arc<Mutex<Vec<serde_json::Value>>>,
}

impl Sink {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = format!("http://{}/hook", listener.local_addr().unwrap());
        let pages: Arc<Mutex<Vec<serde_json::Value>>> = Arc::default();
        let kept = pages.clone();
        // Ends with the process.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let kept = kept.clone();
                std::thread::spawn(move || take(stream.unwrap(), &kept));
            }
        });
        Self { at, pages }
    }

    fn pages(&self) -> Vec<serde_json::Value> {
        self.pages.lock().unwrap().clone()
    }
}

fn take(stream: TcpStream, kept: &Mutex<Vec<serde_json::Value>>) {
    let mut reader = BufReader::new(stream);
    loop {
        let (mut length, mut key) = (0, String::new());
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            let lower = line.to_ascii_lowercase();
            if let Some(value) = lower.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if let Some(value) = lower.strip_prefix("webhook-id:") {
                key = value.trim().to_owned();
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let mut page: serde_json::Value = serde_json::from_slice(&body).unwrap();
        page["key"] = key.into();
        kept.lock().unwrap().push(page);
        reader.get_mut().write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
    }
}

struct World {
    runtime: Runtime,
    board: Arc<Board>,
    thread: JoinHandle<Stopped>,
    sink: Sink,
    url: DatabaseUrl,
}

fn world(folder: &Path) -> World {
    let sink = Sink::start();
    let url = DatabaseUrl::parse(folder.join("t.db").to_str().unwrap()).unwrap();
    let mut store = Store::open(&url).unwrap();
    store.migrate().unwrap();
    if store.config_current().unwrap().is_none() {
        store.config_put(&document(&sink.at), "test", clock::now(), None).unwrap();
    }
    let (runtime, board, thread) = start(&url, store);
    World { runtime, board, thread, sink, url }
}

fn start(url: &DatabaseUrl, store: Store) -> (Runtime, Arc<Board>, JoinHandle<Stopped>) {
    let lock = WriterLock::acquire(url).unwrap();
    let board = Arc::new(Board::new(1));
    let links = Links::new(None, "http://tocsin.example.org".to_owned(), [7; 32]);
    let start = Start {
        url: url.clone(),
        store,
        lock,
        links,
        board: board.clone(),
        instance: "test".to_owned(),
        devices: Arc::default(),
        last_resort: LastResort::default(),
    };
    let (runtime, thread) = Runtime::start(start).unwrap();
    (runtime, board, thread)
}

fn document(hook: &str) -> String {
    format!(
        r#"
        channels.webhook = {{ allow_http = true, allow_networks = ["127.0.0.0/8"] }}
        fallback = ["person:li"]
        [[people]]
        id = "li"
        name = "Li Wei"
        contacts = [{{ id = "hook", webhook = "{hook}/1" }}]
        [[people]]
        id = "wang"
        name = "Wang Fang"
        contacts = [{{ id = "hook", webhook = "{hook}/2" }}]
        [[policies]]
        id = "all"
        levels = [{{ notify = ["person:li"], delay = "1s" }}, {{ notify = ["person:wang"], delay = "1h" }}]
        [[routes]]
        id = "all"
        policy = "all"
        "#
    )
}

#[tokio::test]
async fn a_policy_that_reaches_nobody_is_a_p0_of_its_own_until_it_does() {
    let folder = tempfile::tempdir().unwrap();
    let sink = Sink::start();
    let url = DatabaseUrl::parse(folder.path().join("t.db").to_str().unwrap()).unwrap();
    let mut store = Store::open(&url).unwrap();
    store.migrate().unwrap();
    // Wang is the only one of the policy, and has no contact.
    let full = document(&sink.at);
    let empty = full
        .replace(r#"levels = [{ notify = ["person:li"], delay = "1s" }, "#, "levels = [")
        .replace(&format!(r#"contacts = [{{ id = "hook", webhook = "{}/2" }}]"#, sink.at), "");
    store.config_put(&empty, "test", clock::now(), None).unwrap();
    let (runtime, board, thread) = start(&url, store);
    runtime.ingest(message("[P3][PROBLEM][db-07][10.0.3.7][disk is full]")).await.unwrap();
    let own = || {
        let listed = board.list(&BoardFilter { limit: 10, ..BoardFilter::default() }, clock::now());
        listed.items.into_iter().filter(|row| row.integration.as_str() == "tocsin").collect::<Vec<_>>()
    };
    until("the P0 about the policy", || own().len() == 1).await;
    assert_eq!((own()[0].severity, own()[0].title.as_str()), (Severity::P0, "policy all reached nobody"));
    until("both pages of the fallback", || sink.pages().len() >= 2).await;

    // The policy is mended; the next alert reaches somebody, and what was said is taken back.
    let mut store = Store::open(&url).unwrap();
    store.config_put(&full, "test", clock::now(), None).unwrap();
    runtime.reload().await.unwrap();
    runtime.ingest(message("[P3][PROBLEM][db-08][10.0.3.8][disk is full]")).await.unwrap();
    until("the recovery", || own().is_empty()).await;
    runtime.stop();
    assert_eq!(thread.join().unwrap(), Stopped::Asked);
}

fn message(text: &str) -> Arrived {
    let integration = Integration::undeclared(IntegrationId::from("falcon"));
    let source = Source {
        integration: &integration,
        content_type: None,
        format: None,
        peer: Some("127.0.0.1"),
        received_at: clock::now(),
    };
    Arrived::read(&source, text.as_bytes().to_vec())
}

/// Waits for something that must come, by looking.
async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..1_000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("did not happen in 20 s: {what}");
}

#[tokio::test]
async fn what_is_answered_is_stored_and_the_next_level_comes_until_somebody_answers() {
    let folder = tempfile::tempdir().unwrap();
    let world = world(folder.path());
    let receipt = world.runtime.ingest(message("[P0][PROBLEM][db-07][10.1.2.3][host is down]")).await.unwrap();
    let Outcome::Opened { incident, .. } = receipt.outcomes[0] else { panic!("{receipt:?}") };
    let mut reader = Store::open(&world.url).unwrap();
    assert_eq!(reader.event(receipt.event).unwrap().unwrap().body, b"[P0][PROBLEM][db-07][10.1.2.3][host is down]");
    until("both levels are paged", || world.sink.pages().len() == 2).await;
    let by = Actor::Account { login: "wang".to_owned() };
    let acked = world.runtime.act(incident, by, Act::Ack { until: None }).await.unwrap();
    assert_eq!(acked.state, IncidentState::Acked);
    let receipt = world.runtime.ingest(message("[P0][OK][db-07][10.1.2.3][host is up]")).await.unwrap();
    assert!(matches!(receipt.outcomes[0], Outcome::Closed { .. }), "{receipt:?}");
    until("the pages are recorded", || {
        let stored = reader.incident(incident).unwrap().unwrap();
        stored.pages.iter().flat_map(|page| &page.attempts).all(|it| it.state == shared::AttemptState::Accepted)
    })
    .await;
    let timeline = reader.timeline(incident).unwrap();
    assert!(timeline.iter().zip(1..).all(|(entry, seq)| entry.seq == seq), "numbered without a gap");
    assert!(timeline.iter().any(|it| matches!(it.what, Happening::Acked { .. })));
    assert_eq!(world.board.list(&BoardFilter { limit: 10, ..BoardFilter::default() }, Timestamp::from_ms(0)).total, 0);
    world.runtime.stop();
    assert_eq!(world.thread.join().unwrap(), Stopped::Asked);
}

#[tokio::test]
async fn a_restart_goes_on_where_the_last_one_stopped_and_pages_nobody_twice() {
    let folder = tempfile::tempdir().unwrap();
    let world = world(folder.path());
    let receipt = world.runtime.ingest(message("[P0][PROBLEM][db-07][10.1.2.3][host is down]")).await.unwrap();
    until("level 1 is paged and recorded", || {
        let Outcome::Opened { incident, .. } = receipt.outcomes[0] else { return false };
        let stored = Store::open(&world.url).unwrap().incident(incident).unwrap().unwrap();
        stored.pages[0].attempts[0].state == shared::AttemptState::Accepted
    })
    .await;
    world.runtime.stop();
    assert_eq!(world.thread.join().unwrap(), Stopped::Asked);
    let (runtime, board, thread) = start(&world.url, Store::open(&world.url).unwrap());
    assert_eq!(board.list(&BoardFilter { limit: 10, ..BoardFilter::default() }, Timestamp::from_ms(0)).total, 1);
    until("level 2 is paged", || world.sink.pages().len() == 2).await;
    let keys: std::collections::BTreeSet<String> =
        world.sink.pages().iter().map(|page| page["key"].as_str().unwrap().to_owned()).collect();
    assert_eq!(keys.len(), 2, "{keys:?}");
    runtime.stop();
    assert_eq!(thread.join().unwrap(), Stopped::Asked);
}

/// Holds the database's write lock until told to let go.
fn hold(url: &DatabaseUrl) -> (mpsc::SyncSender<()>, JoinHandle<()>) {
    let (let_go, wait) = mpsc::sync_channel(1);
    let (held, is_held) = mpsc::sync_channel(1);
    let url = url.clone();
    let thread = std::thread::spawn(move || {
        let entry = AuditEntry {
            at: clock::now(),
            actor: "test".to_owned(),
            action: "hold".to_owned(),
            object: String::new(),
            detail: String::new(),
            outcome: "ok".to_owned(),
        };
        let done = Store::open(&url).unwrap().audited(&entry, |_| {
            held.send(()).unwrap();
            wait.recv().unwrap();
            Ok(())
        });
        done.unwrap();
    });
    is_held.recv().unwrap();
    (let_go, thread)
}

#[tokio::test]
async fn a_p0_pages_while_the_store_refuses_and_is_recorded_once_it_is_back() {
    let folder = tempfile::tempdir().unwrap();
    let world = world(folder.path());
    let (let_go, holder) = hold(&world.url);
    let refused = world.runtime.ingest(message("[P0][PROBLEM][db-07][10.1.2.3][host is down]")).await;
    assert!(matches!(refused, Err(Refused::Unavailable { .. })), "never a success without a commit: {refused:?}");
    until("the P0 is paged unrecorded", || !world.sink.pages().is_empty()).await;
    assert_eq!(world.sink.pages()[0]["unrecorded"], true);
    let other = world.runtime.ingest(message("[P3][PROBLEM][web-01][10.1.2.4][slow]")).await;
    assert!(matches!(other, Err(Refused::Unavailable { .. })), "{other:?}");
    assert!(world.runtime.ready().is_err());
    let_go.send(()).unwrap();
    holder.join().unwrap();
    until("the store is used again", || world.runtime.ready().is_ok()).await;
    until("the P0 is recorded and paged", || world.sink.pages().iter().any(|page| page["unrecorded"] == false)).await;
    let all = Store::open(&world.url).unwrap().events(&EventQuery { limit: 10, ..EventQuery::default() }).unwrap();
    assert_eq!(all.items.len(), 1, "the P0 that was kept, and not the P3 that its sender must send again");
    let open = world.board.list(&BoardFilter { limit: 10, ..BoardFilter::default() }, Timestamp::from_ms(0));
    assert_eq!(open.items.iter().map(|row| row.severity).collect::<Vec<_>>(), [Severity::P0]);
    world.runtime.stop();
    assert_eq!(world.thread.join().unwrap(), Stopped::Asked);
}

#[tokio::test]
async fn a_memory_that_is_older_than_the_store_pages_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let world = world(folder.path());
    world.runtime.ingest(message("[P0][PROBLEM][db-07][10.1.2.3][host is down]")).await.unwrap();
    until("both levels are paged", || world.sink.pages().len() == 2).await;
    // Their results too: what is stored after this is what the other server decides.
    until("nothing is under way", || world.runtime.status(clock::now(), 0).in_flight == 0).await;
    // What a server that took over would do: it restores, and what it decides is stored.
    let mut other = Store::open(&world.url).unwrap();
    let restored = other.restore(clock::now()).unwrap();
    let mut engine = Engine::restore(world.runtime.config(), restored, clock::now());
    let by = Actor::Account { login: "wang".to_owned() };
    let act = Event::Acted { incident: shared::IncidentId(1), by, act: Act::Ack { until: None } };
    engine.handle(clock::now(), act);
    other.commit(&[], &engine.take_changes()).unwrap();
    let refused = world.runtime.ingest(message("[P0][PROBLEM][db-08][10.1.2.4][host is down]")).await;
    assert!(matches!(refused, Err(Refused::Unavailable { .. })), "{refused:?}");
    until("it has read the newer state and recorded what it kept", || world.sink.pages().len() == 4).await;
    assert!(world.sink.pages().iter().all(|page| page["unrecorded"] == false), "{:?}", world.sink.pages());
    assert_eq!(other.incident(shared::IncidentId(1)).unwrap().unwrap().state, IncidentState::Acked);
    world.runtime.stop();
    assert_eq!(world.thread.join().unwrap(), Stopped::Asked);
}

#[tokio::test]
async fn a_configuration_applied_by_another_process_is_in_force_within_seconds() {
    let folder = tempfile::tempdir().unwrap();
    let world = world(folder.path());
    let text = document(&world.sink.at).replace("Wang Fang", "王芳");
    let version = Store::open(&world.url).unwrap().config_put(&text, "test", clock::now(), None).unwrap();
    until("the new version is in force", || world.runtime.config().version == version).await;
    assert_eq!(world.runtime.config().people[&shared::PersonId::from("wang")].name, "王芳");
    world.runtime.stop();
    assert_eq!(world.thread.join().unwrap(), Stopped::Asked);
}
