//! Webhook and ntfy against a server that follows a script: every odd answer has its class, within the deadline.

mod apps;
mod chat;
mod email;
mod page;
mod phone;
mod push;
mod scripted;

use e2e::oracle::ask;
use scripted::{PATIENT, Scripted, json_of};
use server::{
    channels::{Accepted, Address, Channels, Delivery, Letter},
    clock::Stopwatch,
    outbound::Deadlines,
};
use shared::{
    Failure, SilenceId, config,
    config::{EmailChannel, EmailTls, Language, NtfyChannel, WebhookChannel},
    text::PageText,
};
use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    time::Duration,
};

const HASTY: Duration = Duration::from_millis(150);
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const TOKEN: &str = "tk_canary_token";
const ACK: &str = "https://tocsin.example.org/a/canary-capability";

/// Keeps the connection open until the client has had enough of it.
fn hold(stream: &mut TcpStream) {
    let mut byte = [0];
    while stream.read(&mut byte).is_ok_and(|n| n > 0) {}
}

/// Channels that may reach this machine.
fn channels(ntfy: Option<SocketAddr>, total: Duration) -> Channels {
    let config = config::Channels {
        ntfy: ntfy.map(|at| NtfyChannel { server: format!("http://{at}"), token: Some(TOKEN.into()) }),
        webhook: WebhookChannel { allow_networks: vec!["127.0.0.0/8".into()], allow_http: false },
        email: None,
        heartbeat: None,
        ..config::Channels::default()
    };
    Channels::with_deadlines(&config, Deadlines { connect: PATIENT, total }).unwrap()
}

fn delivery(address: Address) -> Delivery {
    Delivery { ack_url: Some(ACK.into()), ..page::delivery(address) }
}

fn hook(url: String) -> Address {
    Address::Webhook { url, secret: Some(SECRET.into()), recipient: "李伟".into() }
}

fn topic() -> Address {
    Address::Ntfy { topic: "canary-topic".into() }
}

async fn call_hook(at: SocketAddr, total: Duration) -> Result<Accepted, Failure> {
    channels(None, total).deliver(&delivery(hook(format!("http://{at}/hook?key=canary-url")))).await
}

async fn call_ntfy(at: SocketAddr, total: Duration) -> Result<Accepted, Failure> {
    channels(Some(at), total).deliver(&delivery(topic())).await
}

/// (permanent, ambiguous, retry after)
fn class(outcome: Result<Accepted, Failure>) -> (bool, bool, Option<i64>) {
    let failure = outcome.unwrap_err();
    assert!(failure.detail.chars().count() <= 300, "{}", failure.detail);
    for canary in ["canary", SECRET, TOKEN, "127.0.0.1"] {
        assert!(!failure.detail.contains(canary), "{}", failure.detail);
    }
    (failure.permanent, failure.ambiguous, failure.retry_after_ms)
}

#[tokio::test]
async fn a_webhook_is_signed_and_says_everything() {
    let server = Scripted::answering("HTTP/1.1 204 No Content\r\n\r\n");
    assert_eq!(call_hook(server.at, PATIENT).await, Ok(Accepted::default()));
    let request = server.request().await;
    let head = request.to_ascii_lowercase();
    assert!(head.starts_with("post /hook?key=canary-url http/1.1\r\n"), "{request}");
    for line in ["content-type: application/json\r\n", "webhook-id: page-5-7\r\n", "webhook-signature: v1,"] {
        assert!(head.contains(line), "{line} in {request}");
    }
    let body = json_of(&request);
    assert_eq!((&body["type"], &body["id"], &body["ack_url"]), (&"page".into(), &"page-5-7".into(), &ACK.into()));
    assert_eq!(body["incident"]["severity"], "P0");
    assert_eq!((&body["incident"]["count"], &body["incident"]["host"]), (&3.into(), &"db-7".into()));
    assert_eq!((&body["page"]["recipient"], &body["page"]["level"]), (&"李伟".into(), &2.into()));
    assert_eq!((&body["page"]["via"]["kind"], &body["test"]), (&"direct".into(), &false.into()));
}

#[tokio::test]
async fn a_webhook_without_a_secret_is_unsigned_and_one_with_a_bad_secret_is_not_sent() {
    let server = Scripted::answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    let url = format!("http://{}/", server.at);
    let bad = Address::Webhook { url: url.clone(), secret: Some("canary".into()), recipient: "x".into() };
    assert_eq!(class(channels(None, PATIENT).deliver(&delivery(bad)).await), (true, false, None));
    let plain = Address::Webhook { url, secret: None, recipient: "x".into() };
    assert!(channels(None, PATIENT).deliver(&delivery(plain)).await.is_ok());
    assert!(!server.request().await.to_ascii_lowercase().contains("webhook-signature"));
}

#[tokio::test]
async fn ntfy_gets_a_message_with_a_button_that_acknowledges() {
    let answer = r#"{"id":"sPs71M8A2T","event":"message"}"#;
    let server = Scripted::answering(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{answer}", answer.len()));
    let accepted = call_ntfy(server.at, PATIENT).await.unwrap();
    assert_eq!(accepted.provider_id.as_deref(), Some("sPs71M8A2T"));
    let request = server.request().await;
    assert!(request.starts_with("POST / HTTP/1.1\r\n"), "{request}");
    assert!(request.contains(&format!("authorization: Bearer {TOKEN}\r\n")), "{request}");
    let body = json_of(&request);
    assert_eq!((&body["topic"], &body["priority"]), (&"canary-topic".into(), &5.into()));
    assert_eq!(body["click"], "https://tocsin.example.org/incidents/42");
    assert!(body["title"].as_str().unwrap().starts_with("P0 db-7"), "{body}");
    let said = body["message"].as_str().unwrap();
    assert!(said.ends_with("虚拟机 web01 位于 esx-07；其上另外 14 台正常"), "{said}");
    let ack = serde_json::json!({
        "action": "http", "label": "认领", "url": ACK, "method": "POST", "body": "action=ack", "clear": true,
        "headers": {"Content-Type": "application/x-www-form-urlencoded"}
    });
    assert_eq!((&body["actions"][0], &body["actions"][1]["action"]), (&ack, &"view".into()));
}

#[tokio::test]
async fn other_clients_publish_the_same_and_the_library_of_webhooks_takes_our_signature() {
    let server = Scripted::answering("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}");
    call_ntfy(server.at, PATIENT).await.unwrap();
    let publishing = server.request().await;
    let server = Scripted::answering("HTTP/1.1 204 No Content\r\n\r\n");
    call_hook(server.at, PATIENT).await.unwrap();
    let calling = server.request().await;
    let header = |request: &str, name: &str| {
        let line = request.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")).map(str::to_owned));
        line.unwrap_or_else(|| panic!("{name} in {request}"))
    };
    let (ours, body) = (json_of(&publishing), calling.split_once("\r\n\r\n").unwrap().1);
    let mut webhook = serde_json::json!({"secret": SECRET, "body": body});
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        webhook[name] = header(&calling, name).into();
    }
    let question = serde_json::json!({
        "ntfy": {"token": TOKEN, "message": ours}, "webhook": webhook
    });
    let said = ask(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracles/plain.py"), &question).unwrap();
    let theirs = &said["ntfy"]["fields"];
    for field in ["topic", "title", "message", "priority", "tags", "click"] {
        assert_eq!(ours[field], theirs[field], "{field}");
    }
    assert_eq!(ours["actions"][0], theirs["actions"][0], "the button that acknowledges, whole");
    for (name, value) in ours["actions"][1].as_object().unwrap() {
        assert_eq!(&theirs["actions"][1][name], value, "the link, but for what is its default");
    }
    assert_eq!(header(&publishing, "authorization"), said["ntfy"]["authorization"]);
    assert_eq!(said["ntfy"]["url"], "http://ntfy.example.org/");
    assert_eq!(said["webhook"]["taken"], serde_json::from_str::<serde_json::Value>(body).unwrap());
    assert_eq!(said["webhook"]["signature"], webhook["webhook-signature"]);
}

#[tokio::test]
async fn every_refusal_has_its_class_on_both_channels() {
    for (status, headers, expected) in [
        ("500 Oops", "", (false, false, None)),
        ("503 Busy", "retry-after: 3\r\n", (false, false, Some(3_000))),
        ("429 Slow down", "retry-after: 7\r\n", (false, false, Some(7_000))),
        ("429 Slow down", "retry-after: 999999999\r\n", (false, false, Some(3_600_000))),
        ("429 Slow down", "", (false, false, None)),
        ("400 Bad", "", (true, false, None)),
        ("401 Who", "retry-after: 5\r\n", (true, false, None)),
        ("404 Gone", "", (true, false, None)),
        ("408 Late", "", (false, false, None)),
    ] {
        // Receivers that echo everything secret they were told.
        let escaped = ACK.replace('/', "\\/");
        let answer = |echo: &str| format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n{echo}", echo.len());
        let server = Scripted::answering(answer(&format!("\u{202e}Cannot POST /hook?key=canary-url {SECRET} {ACK}")));
        assert_eq!(class(call_hook(server.at, PATIENT).await), expected, "webhook {status}");
        server.request().await;
        let server = Scripted::answering(answer(&format!("\u{1b}canary-topic {TOKEN} {escaped}")));
        assert_eq!(class(call_ntfy(server.at, PATIENT).await), expected, "ntfy {status}");
        server.request().await;
    }
}

#[tokio::test]
async fn silence_and_broken_answers_are_ambiguous() {
    type Script = fn(&mut TcpStream);
    let scripts: [(&str, Script); 5] = [
        ("silence", hold),
        ("closed", |_| {}),
        ("half-closed", |stream| {
            stream.shutdown(Shutdown::Write).unwrap();
            hold(stream);
        }),
        ("a drip of the head", |stream| {
            stream.write_all(b"H").unwrap();
            hold(stream);
        }),
        ("half a head", |stream| stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-le").unwrap()),
    ];
    for (name, script) in scripts {
        let (server, watch) = (Scripted::new(script), Stopwatch::start());
        assert_eq!(class(call_hook(server.at, HASTY).await), (false, true, None), "{name}");
        assert!(watch.elapsed_ms() < 2_000, "{name}");
        server.request().await;
    }
}

#[tokio::test]
async fn once_the_status_is_known_a_bad_body_changes_nothing() {
    for (status, accepted) in [("200 OK", true), ("500 Oops", false)] {
        let head = format!("HTTP/1.1 {status}\r\ncontent-length: 1000000000\r\n\r\n");
        let endless = head.clone();
        let server = Scripted::new(move |stream| {
            stream.write_all(endless.as_bytes()).unwrap();
            while stream.write_all(&[b'x'; 8_192]).is_ok() {}
        });
        let outcome = call_ntfy(server.at, PATIENT).await;
        assert_eq!(outcome.is_ok(), accepted, "{outcome:?}");
        assert!(outcome.is_ok() || class(outcome) == (false, false, None));
        server.request().await;

        let server = Scripted::new(move |stream| {
            stream.write_all(format!("{head}x").as_bytes()).unwrap();
            hold(stream);
        });
        let watch = Stopwatch::start();
        assert_eq!(call_ntfy(server.at, HASTY).await.is_ok(), accepted);
        assert!(watch.elapsed_ms() < 2_000);
        server.request().await;
    }
}

#[tokio::test]
async fn a_web_page_in_place_of_ntfy_is_not_a_delivery() {
    let server = Scripted::answering(
        "HTTP/1.1 200 OK\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: 6\r\n\r\n<html>",
    );
    assert_eq!(class(call_ntfy(server.at, PATIENT).await), (true, false, None));
    server.request().await;
}

#[tokio::test]
async fn a_redirect_is_refused_and_never_followed() {
    let target = TcpListener::bind("127.0.0.1:0").unwrap();
    let location = target.local_addr().unwrap();
    for status in ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"] {
        let answer = format!("HTTP/1.1 {status}\r\nlocation: http://{location}/\r\ncontent-length: 0\r\n\r\n");
        let server = Scripted::answering(answer);
        let failure = call_hook(server.at, PATIENT).await.unwrap_err();
        assert!(failure.permanent && failure.detail.contains("redirects are not followed"), "{failure:?}");
        server.request().await;
    }
    assert_untouched(&target);
}

fn assert_untouched(listener: &TcpListener) {
    listener.set_nonblocking(true).unwrap();
    assert_eq!(listener.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock, "somebody connected");
}

#[tokio::test]
async fn a_refused_connection_and_an_unknown_name_can_be_tried_again() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_eq!(class(call_hook(closed, PATIENT).await), (false, false, None));
    assert_eq!(class(call_ntfy(closed, PATIENT).await), (false, false, None));
    let nowhere = delivery(hook("https://canary.invalid/".into()));
    assert_eq!(class(channels(None, PATIENT).deliver(&nowhere).await), (false, false, None));
}

#[tokio::test]
async fn what_is_private_is_never_connected_to() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let config = config::Channels {
        webhook: WebhookChannel { allow_networks: vec!["10.99.0.0/16".into()], allow_http: true },
        ..config::Channels::default()
    };
    let channels = Channels::with_deadlines(&config, Deadlines { connect: PATIENT, total: PATIENT }).unwrap();
    for host in
        ["localhost", "LOCALHOST", "127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1", "0.0.0.0"]
    {
        let failure = channels.deliver(&delivery(hook(format!("http://{host}:{port}/")))).await.unwrap_err();
        assert!(failure.permanent && failure.detail.contains("private or reserved"), "{host}: {failure:?}");
    }
    assert_untouched(&listener);
}

#[tokio::test]
async fn plain_http_needs_permission_and_nothing_is_sent_without_the_channel() {
    let channels = Channels::new(&config::Channels::default()).unwrap();
    for address in [
        hook("http://example.org/canary".into()),
        hook("canary".into()),
        topic(),
        Address::Email { to: "li@example.org".into(), name: "Li".into() },
    ] {
        assert_eq!(class(channels.deliver(&delivery(address)).await), (true, false, None));
    }
}

#[test]
fn nothing_secret_is_printed_for_debugging() {
    let email = EmailChannel {
        host: "mail.example.org".into(),
        port: None,
        tls: EmailTls::Tls,
        from: "Tocsin <tocsin@example.org>".into(),
        username: Some("tocsin".into()),
        password: Some("canary-password".into()),
    };
    let ntfy = NtfyChannel { server: "https://ntfy.example.org".into(), token: Some(TOKEN.into()) };
    let config = config::Channels { email: Some(email), ntfy: Some(ntfy), ..config::Channels::default() };
    let mut printed = format!("{:?}", Channels::new(&config).unwrap());
    for address in [hook("https://example.org/canary".into()), topic()] {
        printed += &format!("{:?}", delivery(address));
    }
    assert!(!printed.contains("canary") && !printed.contains(SECRET), "{printed}");
}

#[test]
fn settings_that_cannot_work_are_refused_with_a_sentence() {
    let email = |from: &str, password: Option<&str>| config::Channels {
        email: Some(EmailChannel {
            host: "mail.example.org".into(),
            port: None,
            tls: EmailTls::default(),
            from: from.into(),
            username: Some("u".into()),
            password: password.map(str::to_owned),
        }),
        ..config::Channels::default()
    };
    assert!(Channels::new(&email("tocsin@example.org", Some("p"))).is_ok());
    assert!(Channels::new(&email("not an address", Some("p"))).unwrap_err().contains("email.from"));
    assert!(Channels::new(&email("tocsin@example.org", None)).unwrap_err().contains("email.password"));
    let webhook = WebhookChannel { allow_networks: vec!["10.0.0.0/99".into()], allow_http: false };
    let networks = config::Channels { webhook, ..config::Channels::default() };
    assert!(Channels::new(&networks).unwrap_err().contains("10.0.0.0/99"));
}

fn letter(address: Address) -> Letter {
    Letter {
        key: "page-9".into(),
        about: server::channels::LetterAbout::Silence(SilenceId(12)),
        text: PageText { title: "维护 12 已结束".into(), body: "换盘\n#41 P1 <b>磁盘满</b>".into() },
        language: Language::Zh,
        address,
        url: "https://tocsin.example.org/silences/12".into(),
    }
}

#[tokio::test]
async fn a_notice_says_that_it_is_no_page_and_makes_no_sound() {
    let server = Scripted::answering("HTTP/1.1 204 No Content\r\n\r\n");
    let told = channels(None, PATIENT).tell(&letter(hook(format!("http://{}/hook", server.at)))).await;
    assert_eq!(told, Ok(Accepted::default()));
    let request = server.request().await;
    let head = request.to_ascii_lowercase();
    assert!(head.contains("webhook-id: page-9\r\n") && head.contains("webhook-signature: v1,"), "{request}");
    let body = json_of(&request);
    assert_eq!((&body["type"], &body["silence"], &body["ack_url"]), (&"notice".into(), &12.into(), &().into()));
    assert_eq!(body["url"], "https://tocsin.example.org/silences/12");

    let server = Scripted::answering("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}");
    channels(Some(server.at), PATIENT).tell(&letter(topic())).await.unwrap();
    let body = json_of(&server.request().await);
    assert_eq!((&body["priority"], &body["title"]), (&2.into(), &"维护 12 已结束".into()));
    assert_eq!(body["actions"].as_array().unwrap().len(), 1, "nobody has to answer it");
    assert_eq!(body["actions"][0]["url"], "https://tocsin.example.org/silences/12");
}
