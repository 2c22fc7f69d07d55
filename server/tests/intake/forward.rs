//! The addresses at which the forward protocol is heard.

use super::{
    house::{CONFIG, House},
    syslog::{asked, connected, free, is_hung_up, stored, titles},
    until,
};
use e2e::store_lock::StoreLock;
use flate2::{Compression, write::GzEncoder};
use server::{clock, ingest::listen};
use sha2::{Digest as _, Sha512};
use std::{io::Write as _, net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

const PATIENCE: Duration = Duration::from_secs(10);

fn house(settings: &str) -> (House, SocketAddr, listen::Listeners) {
    let address = free();
    let config = format!(
        "{CONFIG}\n[[integrations]]\nid = \"apps\"\n[integrations.forward]\nlisten = \"{address}\"\n{settings}\n\
         events = [{{ match = [\"severity_word=fatal\"] }}]\n"
    );
    let house = House::with(&config, None);
    let listeners = listen::listen(house.app.clone(), 8);
    (house, address, listeners)
}

fn text(out: &mut Vec<u8>, text: &str) {
    out.extend([0xd9, u8::try_from(text.len()).unwrap()]);
    out.extend(text.as_bytes());
}

fn entry(members: &[(&str, &str)]) -> Vec<u8> {
    let mut out = vec![0x92, 0xd7, 0, 0x6b, 0, 0, 0, 0, 0, 0, 0, 0x80 | u8::try_from(members.len()).unwrap()];
    members.iter().for_each(|(name, value)| [name, value].into_iter().for_each(|it| text(&mut out, it)));
    out
}

/// PackedForward, compressed or not, which asks to be acknowledged when it has a name.
fn packed(entries: &[Vec<u8>], chunk: Option<&str>, is_gzip: bool) -> Vec<u8> {
    let mut bytes = entries.concat();
    if is_gzip {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&bytes).unwrap();
        bytes = encoder.finish().unwrap();
    }
    let mut out = vec![0x93];
    text(&mut out, "app.web");
    out.push(0xc6);
    out.extend(u32::try_from(bytes.len()).unwrap().to_be_bytes());
    out.extend(bytes);
    let options: Vec<_> =
        chunk.map(|it| ("chunk", it)).into_iter().chain(is_gzip.then_some(("compressed", "gzip"))).collect();
    out.push(0x80 | u8::try_from(options.len()).unwrap());
    options.iter().for_each(|(name, value)| [name, value].into_iter().for_each(|it| text(&mut out, it)));
    out
}

/// What we answer to a chunk of this name.
fn ack(chunk: &str) -> Vec<u8> {
    [&[0x81, 0xa3], b"ack".as_slice(), &[0xa0 | u8::try_from(chunk.len()).unwrap()], chunk.as_bytes()].concat()
}

async fn is_acknowledged(stream: &mut TcpStream, chunk: &str) {
    let want = ack(chunk);
    let mut told = vec![0; want.len()];
    timeout(PATIENCE, stream.read_exact(&mut told)).await.unwrap().unwrap();
    assert_eq!(told, want);
}

fn p1(host: &str) -> Vec<u8> {
    entry(&[("message", &format!("[P1][PROBLEM][{host}][][it is down]")), ("pid", "7")])
}

#[actix_web::test]
async fn a_chunk_is_acknowledged_once_its_events_are_stored_and_sent_again_it_is_a_repetition() {
    let (house, address, _listeners) = house("from = [\"127.0.0.1\"]");
    let mut stream = connected(address).await;
    let logged = entry(&[("log", "all is well"), ("level", "info")]);
    let fatal = entry(&[("message", "out of memory"), ("level", "fatal"), ("host", "vm-7")]);
    let chunk = packed(&[p1("a"), logged.clone(), fatal], Some("c1"), false);
    for round in 0..3 {
        // However its bytes arrive, and from whomever: what was not acknowledged is sent over another connection.
        for piece in chunk.chunks(11) {
            stream.write_all(piece).await.unwrap();
        }
        is_acknowledged(&mut stream, "c1").await;
        assert_eq!(stored(&house).await.len(), 2, "in round {round}");
        stream = connected(address).await;
    }
    assert_eq!(titles(&house, 2).await, ["it is down", "out of memory"]);
    let shown = asked(&house, "/api/v1/alerts").await;
    let counts: Vec<_> = shown["items"].as_array().unwrap().iter().map(|it| it["count"].as_i64().unwrap()).collect();
    assert_eq!(counts, [1, 1], "{shown:#}");
    // The same name with other words is another chunk, and one without an event is acknowledged too.
    stream.write_all(&packed(&[p1("b")], Some("c1"), true)).await.unwrap();
    is_acknowledged(&mut stream, "c1").await;
    stream.write_all(&[&[0xc0], packed(&[logged], Some("c2"), true).as_slice()].concat()).await.unwrap();
    is_acknowledged(&mut stream, "c2").await;
    assert_eq!(stored(&house).await.len(), 3);
    let event = asked(&house, "/api/v1/events/1").await;
    assert_eq!(event["content_type"], "application/x-fluent-forward");
    assert!(event["text"].as_str().unwrap().contains("\"tag\":\"app.web\""), "{event:#}");
}

#[actix_web::test]
async fn what_cannot_be_stored_is_not_acknowledged_and_a_p0_among_it_pages_all_the_same() {
    let (house, address, _listeners) = house("from = [\"127.0.0.1\"]");
    let mut stream = connected(address).await;
    let lock = StoreLock::take(&house.database()).unwrap();
    let p0 = entry(&[("message", "[P0][PROBLEM][db-07][][it is down]")]);
    let chunk = packed(&[p1("a"), p0], Some("c1"), false);
    stream.write_all(&chunk).await.unwrap();
    assert!(is_hung_up(&mut stream).await, "it was acknowledged, or may go on");
    drop(lock);
    let mut stream = connected(address).await;
    let mut tries = 0;
    // A store that was held up takes a moment.
    loop {
        stream.write_all(&chunk).await.unwrap();
        let mut told = vec![0; ack("c1").len()];
        match timeout(PATIENCE, stream.read_exact(&mut told)).await.unwrap() {
            Ok(_) => break assert_eq!(told, ack("c1")),
            Err(_) => stream = connected(address).await,
        }
        tries += 1;
        assert!(tries < 100, "it is never acknowledged");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(titles(&house, 2).await.len(), 2);
    let shown = asked(&house, "/api/v1/alerts").await;
    let counts: Vec<_> = shown["items"].as_array().unwrap().iter().map(|it| it["count"].as_i64().unwrap()).collect();
    assert_eq!(counts, [1, 1], "what is sent again is a repetition: {shown:#}");
}

#[actix_web::test]
async fn who_asks_for_no_acknowledgement_is_heard_also_while_the_port_closes() {
    let (house, address, listeners) = house("from = [\"127.0.0.1\"]");
    let mut stream = connected(address).await;
    for round in 0..300 {
        let mut one = vec![0x93];
        text(&mut one, "app");
        one.extend(&p1(&format!("h{round}"))[1..]);
        stream.write_all(&one).await.unwrap();
    }
    until("all of them", || house.app.runtime.status(clock::now(), 0).open_incidents == 300).await;
    listeners.stop().await;
    assert!(TcpStream::connect(address).await.is_err(), "it still listens");
}

async fn said(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = vec![0; 1_024];
    let count = timeout(PATIENCE, stream.read(&mut bytes)).await.unwrap().unwrap();
    bytes.truncate(count);
    bytes
}

#[actix_web::test]
async fn who_does_not_prove_that_it_knows_the_key_is_not_heard() {
    let (house, address, _listeners) = house("shared_key = \"open sesame\"");
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    for (key, is_heard) in [("open wheat", false), ("open sesame", true)] {
        let mut stream = connected(address).await;
        let hello = said(&mut stream).await;
        let at = hello.windows(5).position(|it| it == b"nonce").unwrap() + 7;
        let nonce = &hello[at..at + 16];
        let digest = |name: &str| hex(&Sha512::digest([b"salt", name.as_bytes(), nonce, key.as_bytes()].concat()));
        let mut ping = vec![0x96];
        ["PING", "app-1", "salt", &digest("app-1"), "", ""].into_iter().for_each(|it| text(&mut ping, it));
        stream.write_all(&ping).await.unwrap();
        let pong = said(&mut stream).await;
        assert_eq!(pong[6], if is_heard { 0xc3 } else { 0xc2 }, "{pong:x?}");
        assert_eq!(pong.ends_with(digest("tocsin").as_bytes()), is_heard);
        if is_heard {
            stream.write_all(&packed(&[p1("a")], Some("c1"), false)).await.unwrap();
            is_acknowledged(&mut stream, "c1").await;
        } else {
            assert!(is_hung_up(&mut stream).await);
        }
    }
    let mut rude = connected(address).await;
    said(&mut rude).await;
    rude.write_all(&packed(&[p1("b")], None, false)).await.unwrap();
    assert!(is_hung_up(&mut rude).await, "it did not say PING");
    assert_eq!(stored(&house).await.len(), 1);
}

#[actix_web::test]
async fn what_cannot_be_read_holds_up_nobody() {
    let (house, address, _listeners) = house("from = [\"127.0.0.1\"]");
    for odd in [&[0xc1][..], &[0xdd, 0xff, 0xff, 0xff, 0xff], b"GET / HTTP/1.1\r\n"] {
        let mut stream = connected(address).await;
        stream.write_all(odd).await.unwrap();
        assert!(is_hung_up(&mut stream).await, "{odd:x?}");
    }
    let mut stream = connected(address).await;
    let deep = [vec![0x92, 7, 0x81, 0xa1, b'x'], vec![0x91; 200], vec![0xc0]].concat();
    stream.write_all(&packed(&[deep, p1("a")], Some("c1"), false)).await.unwrap();
    is_acknowledged(&mut stream, "c1").await;
    assert_eq!(titles(&house, 1).await, ["it is down"]);
    // It would hold up what is behind it each time it is sent again: it is kept in quarantine, and its sender may forget it.
    stream.write_all(&packed(&[p1("b"), vec![0x92, 7]], Some("c2"), false)).await.unwrap();
    is_acknowledged(&mut stream, "c2").await;
    assert_eq!(titles(&house, 2).await.len(), 2);
    let kept = asked(&house, "/api/v1/events?outcome=rejected").await;
    assert_eq!(kept["items"].as_array().map(Vec::len), Some(1), "{kept:#}");
}
