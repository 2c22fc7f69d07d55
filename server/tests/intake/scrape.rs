//! Exporters that this server asks.

use super::{
    house::{CONFIG, House},
    latest, until,
};
use server::{
    clock,
    hosts::{Batch, Hosts, scrape},
};
use shared::{
    Timestamp,
    host::{Feed, HostFacts, Sample},
    live::LookAt,
};
use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

const FIRST: &str = include_str!("node_exporter-1.5.0-at-0s.txt");
const SECOND: &str = include_str!("node_exporter-1.5.0-at-5s.txt");

/// Answers each question with the next of these, the last one for ever.
struct Exporter {
    address: String,
    asked: Arc<AtomicUsize>,
    questions: Arc<Mutex<Vec<String>>>,
}

fn exporter(answers: Vec<(u16, String)>) -> Exporter {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/metrics", listener.local_addr().unwrap());
    let (asked, questions) = (Arc::<AtomicUsize>::default(), Arc::<Mutex<Vec<String>>>::default());
    let (counted, kept) = (Arc::clone(&asked), Arc::clone(&questions));
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let (mut question, mut piece) = (Vec::new(), [0; 1_024]);
            while !question.ends_with(b"\r\n\r\n") {
                match stream.read(&mut piece) {
                    Ok(bytes) if bytes > 0 => question.extend_from_slice(&piece[..bytes]),
                    _ => break,
                }
            }
            kept.lock().unwrap().push(String::from_utf8_lossy(&question).to_lowercase());
            let n = counted.fetch_add(1, Ordering::SeqCst);
            let (status, body) = &answers[n.min(answers.len() - 1)];
            let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            // Whoever asked may have gone by then.
            drop(stream.write_all(format!("{head}{body}").as_bytes()));
        }
    });
    Exporter { address, asked, questions }
}

fn house(address: &str, more: &str) -> House {
    house_every(address, "1s", more)
}

fn house_every(address: &str, every: &str, more: &str) -> House {
    let scrapes = format!("[[hosts.scrapes]]\naddress = \"{address}\"\nevery = \"{every}\"\n{more}");
    let house = House::with(&format!("{CONFIG}{scrapes}"), None);
    drop(actix_web::rt::spawn(scrape::keep(Arc::clone(&house.app.hosts), house.app.runtime.clone())));
    house
}

#[actix_web::test]
async fn an_exporter_is_asked_again_and_again_and_becomes_a_host() {
    let exporter = exporter(vec![(200, FIRST.to_owned()), (200, SECOND.to_owned()), (500, String::new())]);
    let house = house(&exporter.address, "username = \"reader\"\npassword = \"canary\"\n");
    let hosts = &house.app.hosts;
    until("a rate", || latest(hosts, "web01", "cpu.busy").is_some()).await;
    let close = |series: &str, expected: f64| {
        let found = latest(hosts, "web01", series).unwrap();
        assert!((found - expected).abs() < 1e-3 * expected, "{series}: {found}, not {expected}");
    };
    close("cpu.busy", 79.820_18);
    close("mem.memtotal", 25_276_510_208.0);
    close("df.bytes.used.percent/mount=/", 41.363_59);
    assert_eq!(hosts.known().iter().map(|it| it.every_ms).collect::<Vec<_>>(), [1_000]);
    let question = exporter.questions.lock().unwrap()[0].clone();
    assert!(question.starts_with("get /metrics http/1.1\r\n"), "{question}");
    // reader:canary
    assert!(question.contains("authorization: basic cmvhzgvyomnhbmfyeq==\r\n"), "{question}");
    // What it says last is no answer, and it is asked all the same.
    until("more questions", || exporter.asked.load(Ordering::SeqCst) >= 4).await;
    close("cpu.busy", 79.820_18);
    let detail = hosts.detail("web01", &[], clock::now()).unwrap();
    let facts = detail.facts.unwrap();
    assert_eq!((facts.hostname.as_str(), facts.cpus), ("web01", 2));
    assert!(facts.missing.len() == 1 && facts.missing[0].contains("answers with status 500"), "{:?}", facts.missing);
    assert_eq!(detail.tables.unwrap().cores.len(), 2);
}

#[actix_web::test]
async fn an_exporter_is_asked_each_second_while_somebody_looks() {
    let exporter = exporter(vec![(200, FIRST.to_owned())]);
    let house = house_every(&exporter.address, "1h", "");
    let hosts = &house.app.hosts;
    until("the host", || latest(hosts, "web01", "load.1min").is_some()).await;
    assert_eq!(exporter.asked.load(Ordering::SeqCst), 1);
    let at = LookAt { name: "web01".to_owned(), series: Vec::new(), fast: true, tables: false, turn: 0 };
    let looking = hosts.look(false, Some(at));
    until("more questions than one in an hour", || exporter.asked.load(Ordering::SeqCst) >= 3).await;
    drop(looking);
}

/// What somebody says who measures this machine.
fn batch(feed: Feed, os: &str, at: Timestamp) -> Batch {
    Batch {
        host: "web01".to_owned(),
        feed,
        every_ms: 10_000,
        facts: Some(HostFacts { os: os.to_owned(), ..HostFacts::default() }),
        series: vec!["load.1min".to_owned()],
        samples: vec![Sample { at, values: vec![Some(1.0)] }],
        tables: None,
        clock_ahead_ms: None,
        lost: 0,
    }
}

#[test]
fn what_a_machine_says_of_itself_stays_while_it_says_something() {
    let hosts = Hosts::default();
    let now = clock::now();
    for (feed, os, after_ms, expected) in [
        (Feed::Scrape, "told", 0, "told"),
        (Feed::Agent, "own", 1_000, "own"),
        (Feed::Scrape, "told", 15_000, "own"),
        // The agent is gone.
        (Feed::Scrape, "told", 60_000, "told"),
    ] {
        let at = now.plus_ms(after_ms);
        hosts.take(batch(feed, os, at), at).unwrap();
        assert_eq!(hosts.detail("web01", &[], at).unwrap().facts.unwrap().os, expected, "{after_ms}");
    }
}

#[actix_web::test]
async fn a_host_is_called_as_the_configuration_says_and_what_is_no_exporter_is_none() {
    let good = exporter(vec![(200, FIRST.to_owned())]);
    let named = house(&good.address, "host = \"the web\"\n");
    until("the host", || latest(&named.app.hosts, "the web", "load.1min").is_some()).await;
    assert_eq!(named.app.hosts.known().len(), 1);
    let bad = exporter(vec![(200, "<html>\n".to_owned()), (401, String::new()), (200, "a\n".repeat(5 << 20))]);
    let none = house(&bad.address, "");
    until("three questions", || bad.asked.load(Ordering::SeqCst) >= 4).await;
    assert_eq!(none.app.hosts.known().len(), 0);
}

#[actix_web::test]
async fn an_exporter_that_is_paused_is_not_asked() {
    let quiet = exporter(vec![(200, FIRST.to_owned())]);
    let loud = exporter(vec![(200, FIRST.to_owned())]);
    let also = format!("[[hosts.scrapes]]\naddress = \"{}\"\nevery = \"1s\"\n", loud.address);
    let house = house(&quiet.address, &format!("paused = true\n{also}"));
    until("the other one to be asked twice", || loud.asked.load(Ordering::SeqCst) >= 2).await;
    assert_eq!((quiet.asked.load(Ordering::SeqCst), house.app.hosts.known().len()), (0, 1));
}
