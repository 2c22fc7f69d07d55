//! The addresses at which senders of syslog are heard.

use super::{
    house::{CONFIG, House, call, json, request},
    until,
};
use serde_json::{Value, json as value};
use server::{clock, ingest::listen};
use shared::{EventId, api::Role};
use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpStream, UdpSocket},
    time::timeout,
};

const PATIENCE: Duration = Duration::from_secs(10);
const RULE: &str = "events = [{ match = [\"severity_word=~emerg|alert|crit\", \"service!=sshd\"] }]";

pub(super) fn free() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// A house that is to listen there, for those of one network.
fn config(address: SocketAddr, from: &str) -> String {
    format!(
        "{CONFIG}\n[[integrations]]\nid = \"switches\"\n[integrations.syslog]\nudp = \"{address}\"\ntcp = \"{address}\"\n\
         from = [\"{from}\"]\n{RULE}\n"
    )
}

fn house(from: &str, connections: usize) -> (House, SocketAddr, listen::Listeners) {
    let address = free();
    let house = House::with(&config(address, from), None);
    let listeners = listen::listen(house.app.clone(), connections);
    (house, address, listeners)
}

pub(super) async fn connected(address: SocketAddr) -> TcpStream {
    let connect = async {
        loop {
            if let Ok(stream) = TcpStream::connect(address).await {
                return stream;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, connect).await.unwrap()
}

pub(super) async fn asked(house: &House, path: &str) -> Value {
    let bearer = ("authorization", format!("Bearer {}", house.api_token(Role::Viewer)));
    call(&house.service().await, request("GET", path).insert_header(bearer)).await.json()
}

/// What is stored, the newest first.
pub(super) async fn stored(house: &House) -> Vec<Value> {
    asked(house, "/api/v1/events").await["items"].as_array().unwrap().clone()
}

/// The titles of incidents, once there are so many.
pub(super) async fn titles(house: &House, count: usize) -> Vec<String> {
    let looked = timeout(PATIENCE, async {
        loop {
            let incidents = asked(house, "/api/v1/incidents?limit=500").await;
            let found: Vec<String> = incidents["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|it| it["title"].as_str().unwrap().to_owned())
                .collect();
            if found.len() >= count {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    let mut found = looked.await.unwrap();
    found.sort();
    assert_eq!(found.len(), count, "{found:?}");
    found
}

pub(super) async fn is_hung_up(stream: &mut TcpStream) -> bool {
    let heard = timeout(PATIENCE, stream.read(&mut [0; 16])).await.unwrap();
    heard.is_err() || heard.is_ok_and(|bytes| bytes == 0)
}

#[actix_web::test]
async fn messages_are_heard_however_their_bytes_arrive_and_what_is_only_logged_is_not_stored() {
    let (house, address, _listeners) = house("127.0.0.0/8", 8);
    let mut stream = connected(address).await;
    let said = b"<11>Nov 21 03:10:00 vm app: [P0][PROBLEM][a][][x]\n46 <11>Nov 21 03:10:00 vm app: [P1][PROBLEM][b][]";
    for piece in said.chunks(7) {
        stream.write_all(piece).await.unwrap();
        stream.flush().await.unwrap();
    }
    stream.write_all(b"<14>Nov 21 03:10:00 vm sshd: Accepted\n<10>sshd: no\0<10>kernel: oops 812\n").await.unwrap();
    // Nothing ends it; it is taken all the same.
    stream.write_all(b"<11>app: [P2][PROBLEM][c][][z]").await.unwrap();
    assert_eq!(titles(&house, 4).await.len(), 4);
    let incident = asked(&house, "/api/v1/incidents/1").await;
    assert_eq!((&incident["row"]["severity"], &incident["row"]["host"]), (&value!("P0"), &value!("a")));
    let stored = stored(&house).await;
    assert_eq!(stored.len(), 4, "{stored:#?}");
    // A message is stored as it was framed, and is read alike when it is read again.
    let shown = asked(&house, "/api/v1/events/1").await;
    assert_eq!(shown["text"], "<11>Nov 21 03:10:00 vm app: [P0][PROBLEM][a][][x]");
    assert_eq!((&shown["integration"], &shown["content_type"]), (&value!("switches"), &value!("application/syslog")));
    let host = shown["fields"].as_array().unwrap().iter().find(|it| it["field"] == "host").unwrap();
    assert_eq!((&host["start"], &host["end"]), (&value!(42), &value!(43)));
}

#[actix_web::test]
async fn a_datagram_is_a_message_and_a_rule_makes_an_event_of_it() {
    let (house, address, _listeners) = house("127.0.0.1", 8);
    drop(connected(address).await);
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    for datagram in [
        b"<10>Nov 21 03:10:00 vm-7 kernel: Out of memory: killed 812".as_slice(),
        b"<10>Nov 21 03:11:00 vm-7 kernel: Out of memory: killed 93",
        b"<11>Nov 21 03:10:00 vm-7 kernel: nothing much",
        b"<11>app: [P1][PROBLEM][db-07][][line one\nline two]\0",
        b"\xff\xfe\0",
        b"",
    ] {
        socket.send_to(datagram, address).await.unwrap();
    }
    assert_eq!(titles(&house, 2).await, ["Out of memory: killed 93", "line one"]);
    let asked = asked(&house, "/api/v1/alerts").await;
    let counts: Vec<_> = asked["items"].as_array().unwrap().iter().map(|it| it["count"].clone()).collect();
    assert!(counts.contains(&value!(2)), "one machine, program and text are one alert: {counts:?}");
}

/// Whether the system asks the other end of a connection now and then whether it is still there.
#[cfg(target_os = "linux")]
fn is_asked_for(stream: &TcpStream) -> bool {
    let port = |address: std::io::Result<SocketAddr>| format!(":{:04X}", address.unwrap().port());
    let (far, near) = (port(stream.peer_addr()), port(stream.local_addr()));
    let sockets = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let mut lines = sockets.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let own = lines.find(|it| it.len() > 5 && it[1].ends_with(&far) && it[2].ends_with(&near)).unwrap();
    own[5].starts_with("02:")
}

#[actix_web::test]
async fn one_too_many_takes_the_place_of_one_that_is_silent() {
    let (house, address, _listeners) = house("127.0.0.0/8", 2);
    let mut first = connected(address).await;
    first.write_all(b"<11>[P1][PROBLEM][a][][x]\n").await.unwrap();
    titles(&house, 1).await;
    #[cfg(target_os = "linux")]
    until("it is asked whether it is still there", || is_asked_for(&first)).await;
    let mut second = connected(address).await;
    let mut third = connected(address).await;
    third.write_all(b"<11>[P1][PROBLEM][b][][x]\n").await.unwrap();
    titles(&house, 2).await;
    assert!(is_hung_up(&mut first).await);
    let mut fourth = connected(address).await;
    fourth.write_all(b"<11>[P1][PROBLEM][c][][x]\n").await.unwrap();
    titles(&house, 3).await;
    assert!(is_hung_up(&mut second).await);
    third.write_all(b"<11>[P1][PROBLEM][d][][x]\n").await.unwrap();
    titles(&house, 4).await;
}

#[actix_web::test]
async fn a_stranger_is_hung_up_on() {
    let (other, address, _others) = self::house("10.0.0.0/8", 2);
    let mut stranger = connected(address).await;
    let _refused = stranger.write_all(b"<11>[P0][PROBLEM][a][][x]\n").await;
    assert!(is_hung_up(&mut stranger).await, "a stranger is heard");
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.send_to(b"<11>[P0][PROBLEM][a][][x]", address).await.unwrap();
    // A second one that is turned away shows that the first was read.
    assert!(is_hung_up(&mut connected(address).await).await);
    assert_eq!(stored(&other).await, [] as [Value; 0]);
}

#[actix_web::test]
async fn a_frame_that_never_ends_is_cut_and_holds_up_nobody() {
    let (house, address, _listeners) = house("127.0.0.0/8", 8);
    let mut stream = connected(address).await;
    stream.write_all(b"<11>app: [P0][PROBLEM][a][][").await.unwrap();
    for _ in 0..64 {
        stream.write_all(&[b'x'; 64 << 10]).await.unwrap();
    }
    stream.write_all(b"]\n<11>app: [P1][PROBLEM][b][][y]\n").await.unwrap();
    titles(&house, 2).await;
    let first = asked(&house, "/api/v1/events/1").await;
    assert_eq!(first["size_bytes"], 64 << 10, "{}", first["outcomes"]);
    let alerts = asked(&house, "/api/v1/alerts").await;
    let flags = |host| {
        alerts["items"].as_array().unwrap().iter().find(|it| it["event"]["host"] == host).unwrap()["event"]["flags"]
            .to_string()
    };
    assert!(flags("a").contains("truncated") && !flags("b").contains("truncated"), "{alerts:#}");
}

#[actix_web::test]
async fn a_burst_of_one_connection_is_stored_whole_in_its_order_also_when_the_port_closes_meanwhile() {
    let (house, address, listeners) = house("127.0.0.0/8", 8);
    let mut stream = connected(address).await;
    let mut said = Vec::new();
    for host in 0..1_000 {
        said.extend(format!("<11>app: [P3][PROBLEM][h{host}][][x]\n<14>app: fine\n").bytes());
    }
    stream.write_all(&said).await.unwrap();
    stream.flush().await.unwrap();
    until("the first of them", || house.app.runtime.status(clock::now(), 0).open_incidents > 0).await;
    listeners.stop().await;
    let mut bodies: Vec<String> = Vec::new();
    let mut last = EventId(0);
    loop {
        let page = house.store(|store| store.messages_after(last)).unwrap();
        let Some(message) = page.last() else { break };
        last = message.id;
        bodies.extend(page.iter().map(|it| String::from_utf8_lossy(&it.body).into_owned()));
    }
    let want: Vec<_> = (0..1_000).map(|host| format!("<11>app: [P3][PROBLEM][h{host}][][x]")).collect();
    assert_eq!(bodies, want);
    assert_eq!(house.app.runtime.status(clock::now(), 0).open_incidents, 1_000);
    assert!(TcpStream::connect(address).await.is_err(), "it still listens");
}

#[actix_web::test]
async fn the_ports_follow_the_configuration() {
    let (house, address, _listeners) = house("127.0.0.0/8", 8);
    let mut before = connected(address).await;
    let other = free();
    house.store(|store| store.config_put(&config(other, "127.0.0.0/8"), "test", clock::now(), None)).unwrap();
    house.app.runtime.reload().await.unwrap();
    let mut after = connected(other).await;
    assert!(is_hung_up(&mut before).await && TcpStream::connect(address).await.is_err());
    after.write_all(b"<11>[P1][PROBLEM][a][][x]\n").await.unwrap();
    titles(&house, 1).await;
    house.store(|store| store.config_put(CONFIG, "test", clock::now(), None)).unwrap();
    house.app.runtime.reload().await.unwrap();
    assert!(is_hung_up(&mut after).await);
}

#[actix_web::test]
async fn whoever_may_speak_can_change_while_the_others_go_on() {
    let (house, address, _listeners) = house("127.0.0.1", 8);
    let mut stream = connected(address).await;
    let put = async |from: &str| {
        house.store(|store| store.config_put(&config(address, from), "test", clock::now(), None)).unwrap();
        house.app.runtime.reload().await.unwrap();
    };
    put("127.0.0.1\", \"127.0.0.2").await;
    let other = UdpSocket::bind("127.0.0.2:0").await.unwrap();
    let told = async |text: &str| {
        let waited = timeout(PATIENCE, async {
            while stored(&house).await.len() < 2 {
                other.send_to(text.as_bytes(), address).await.unwrap();
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        });
        waited.await.unwrap();
    };
    told("<11>[P1][PROBLEM][a][][x]").await;
    stream.write_all(b"<11>[P1][PROBLEM][b][][x]\n").await.unwrap();
    titles(&house, 2).await;
    put("127.0.0.2").await;
    let is_gone = timeout(PATIENCE, async {
        // It is seen when it speaks.
        while stream.write_all(b"<14>fine\n").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    assert!(is_gone.await.is_ok(), "it is still heard");
}

#[actix_web::test]
async fn who_does_not_name_itself_is_known_by_its_address_and_nobody_elses_recovery_ends_its_problem() {
    let (house, address, _listeners) = house("127.0.0.0/8", 8);
    drop(connected(address).await);
    for (ip, text) in [("127.0.0.2", "<11>[P1][PROBLEM][][][disk full]"), ("127.0.0.3", "<10>kernel: Oops")] {
        for socket in [UdpSocket::bind((ip, 0)).await.unwrap(), UdpSocket::bind("127.0.0.1:0").await.unwrap()] {
            socket.send_to(text.as_bytes(), address).await.unwrap();
        }
    }
    titles(&house, 4).await;
    let alerts = asked(&house, "/api/v1/alerts").await;
    let mut ips: Vec<_> = alerts["items"].as_array().unwrap().iter().map(|it| it["event"]["ip"].to_string()).collect();
    ips.sort();
    assert_eq!(ips, ["\"127.0.0.1\"", "\"127.0.0.1\"", "\"127.0.0.2\"", "\"127.0.0.3\""]);
    let socket = UdpSocket::bind("127.0.0.2:0").await.unwrap();
    let open = || house.app.runtime.status(clock::now(), 0).open_incidents;
    socket.send_to(b"<11>[P1][OK][][][something else is fine]", address).await.unwrap();
    socket.send_to(b"<11>[P1][PROBLEM][db-7][][behind it]", address).await.unwrap();
    until("both are decided on", || open() == 5).await;
    socket.send_to(b"<11>[P1][OK][][][disk full]", address).await.unwrap();
    until("its own recovery ends it", || open() == 4).await;
}

#[actix_web::test]
async fn a_recovery_before_a_p0_does_not_end_it() {
    let (house, address, _listeners) = house("127.0.0.0/8", 8);
    let mut stream = connected(address).await;
    for round in 0..20 {
        let host = format!("db-{round}");
        let said = format!("<11>[P3][OK][{host}][][disk is fine]\n<11>[P0][PROBLEM][{host}][][it is down]\n");
        stream.write_all(said.as_bytes()).await.unwrap();
        titles(&house, round + 1).await;
    }
    assert_eq!(house.app.runtime.status(clock::now(), 0).open_incidents, 20);
}

#[actix_web::test]
async fn a_port_that_cannot_be_opened_is_told_of_until_it_is() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let house = House::with(&config(address, "127.0.0.0/8"), None);
    let _listeners = listen::listen(house.app.clone(), 8);
    let warnings = || house.app.runtime.status(clock::now(), 0).warnings;
    until("it is told of", || !warnings().is_empty()).await;
    let told = format!("nobody hears what switches says by syslog to tcp {address}: ");
    assert!(warnings()[0].starts_with(&told), "{:?}", warnings());
    drop(taken);
    until("it is heard", || warnings().is_empty()).await;
    drop(connected(address).await);
}

#[actix_web::test]
async fn frames_may_be_posted_and_those_who_try_are_told_why_nothing_comes_of_it() {
    let house = House::new();
    let service = house.service().await;
    let path = format!("/ingest/{}/syslog", house.sender);
    let body = "<14>sshd: Accepted\n<11>app: [P0][PROBLEM][a][][x]\n29 <11>app: [P1][PROBLEM][b][y";
    let answer = call(&service, request("POST", &path).set_payload(body)).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["accepted"]), (200, &value!(2)), "{}", answer.text);
    let shown = asked(&house, "/api/v1/events/1").await;
    assert_eq!(shown["content_type"], "application/syslog-frames");
    let hosts = shown["fields"].as_array().unwrap().iter().filter(|it| it["field"] == "host").count();
    assert_eq!(hosts, 2, "{shown:#}");
    let answer = call(&service, request("POST", &path).set_payload("<14>sshd: Accepted\n<0>panic\n")).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["accepted"]), (200, &value!(0)), "{}", answer.text);
    assert_eq!(stored(&house).await.len(), 1);
    let bearer = ("authorization", format!("Bearer {}", house.api_token(Role::Viewer)));
    let tried = json("POST", "/api/v1/preview/event?format=syslog", &Value::Null).set_payload("<14>sshd: Accepted");
    let preview = call(&service, tried.insert_header(bearer)).await.json();
    assert!(preview["rejected"].to_string().contains("syslog.events"), "{preview}");
}
