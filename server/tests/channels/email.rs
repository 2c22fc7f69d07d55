//! E-mail against a mail server that follows a script; the real one is in the e2e tests.

use server::{
    channels::{Accepted, Address, Channels, Delivery, Letter},
    outbound::Deadlines,
};
use shared::{
    AttemptId, Failure, SilenceId, config,
    config::{EmailChannel, EmailTls, Language},
    text::PageText,
};
use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{SocketAddr, TcpListener},
    sync::Arc,
    thread::JoinHandle,
    time::Duration,
};

const PATIENT: Duration = Duration::from_secs(5);
const HASTY: Duration = Duration::from_millis(200);
const PASSWORD: &str = "canary-password";

/// What the server says at each step; `None` is silence, and an empty text hangs up.
#[derive(Clone, Copy)]
struct Script {
    greeting: Option<&'static str>,
    ehlo: &'static str,
    auth: &'static str,
    mail: Option<&'static str>,
    rcpt: Option<&'static str>,
    data: Option<&'static str>,
    content: Option<&'static str>,
}

const GOOD: Script = Script {
    greeting: Some("220 mail.example.org ESMTP"),
    ehlo: "250 mail.example.org",
    auth: "235 2.7.0 welcome",
    mail: Some("250 ok"),
    rcpt: Some("250 ok"),
    data: Some("354 go on"),
    content: Some("250 2.0.0 Ok: queued as 4F1"),
};

/// Serves one connection; joining gives everything the client said.
fn serve(script: Script) -> (SocketAddr, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    let thread = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(PATIENT)).unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut heard = String::new();
        let mut content = false;
        let mut reply = script.greeting;
        loop {
            match reply {
                Some("") => return heard,
                Some(line) => (&stream).write_all(format!("{line}\r\n").as_bytes()).unwrap(),
                None => {}
            }
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return heard;
            }
            heard.push_str(&line);
            reply = match line.get(..4).unwrap_or_default() {
                _ if content && line != ".\r\n" => None,
                _ if content => {
                    content = false;
                    script.content
                }
                "EHLO" => Some(script.ehlo),
                "AUTH" => Some(script.auth),
                "MAIL" => script.mail,
                "RCPT" => script.rcpt,
                "DATA" => {
                    content = script.data.is_some_and(|line| line.starts_with('3'));
                    script.data
                }
                "QUIT" => Some(""),
                _ => Some("500 what?"),
            };
        }
    });
    (at, thread)
}

fn channels(at: SocketAddr, tls: EmailTls, sign_in: bool, total: Duration) -> Channels {
    let email = EmailChannel {
        host: at.ip().to_string(),
        port: Some(at.port()),
        tls,
        from: "Tocsin <tocsin@example.org>".into(),
        username: sign_in.then(|| "tocsin".into()),
        password: sign_in.then(|| PASSWORD.into()),
    };
    let config = config::Channels { email: Some(email), ..config::Channels::default() };
    Channels::with_deadlines(&config, Deadlines { connect: PATIENT, total }).unwrap()
}

fn delivery(key: &str) -> Delivery {
    Delivery {
        key: key.into(),
        attempt: AttemptId(7),
        try_number: 1,
        incident: Arc::new(
            serde_json::from_value(serde_json::json!({
                "id": 42, "version": 1, "state": "triggered", "severity": "P1", "title": "disk <full>\r\nBcc: x@evil.example",
                "integration": "zabbix", "host": "db-7", "alerts": [], "firing": 1, "count": 1, "opened_at": 0,
                "updated_at": 0, "escalations": [], "timeline": 1
            }))
            .unwrap(),
        ),
        page: serde_json::from_value(serde_json::json!({
            "id": 5, "recipient": {"person": "li"}, "via": {"kind": "direct"}, "policy": "p", "level": 0, "cycle": 0,
            "created_at": 0, "attempts": []
        }))
        .unwrap(),
        language: Language::En,
        address: Address::Email { to: "li@example.org".into(), name: "李伟".into() },
        ack_url: Some("https://tocsin.example.org/a/canary".into()),
        base: "https://tocsin.example.org".into(),
        incident_url: "https://tocsin.example.org/incidents/42".into(),
        test: false,
        unrecorded: false,
        others: Vec::new(),
        storm: false,
        near: None,
        reminder: false,
    }
}

async fn send(script: Script, tls: EmailTls, sign_in: bool, total: Duration) -> (Result<Accepted, Failure>, String) {
    let (at, thread) = serve(script);
    // Spawned as the runtime does it: the future can move between threads.
    let channels = channels(at, tls, sign_in, total);
    let outcome = tokio::spawn(async move { channels.deliver(&delivery("page-5-7")).await }).await.unwrap();
    (outcome, tokio::task::spawn_blocking(|| thread.join().unwrap()).await.unwrap())
}

/// (permanent, ambiguous)
async fn class(script: Script, sign_in: bool, total: Duration) -> (bool, bool) {
    let failure = send(script, EmailTls::None, sign_in, total).await.0.unwrap_err();
    assert!(failure.detail.chars().count() <= 300 && !failure.detail.contains("canary"), "{failure:?}");
    (failure.permanent, failure.ambiguous)
}

fn headers(heard: &str) -> Vec<&str> {
    let mail = heard.split_once("DATA\r\n").unwrap().1;
    mail.split_once("\r\n\r\n").unwrap().0.split("\r\n").collect()
}

#[tokio::test]
async fn a_mail_is_threaded_marked_and_readable_in_both_forms() {
    let (outcome, heard) = send(GOOD, EmailTls::None, false, PATIENT).await;
    assert_eq!(outcome.unwrap().provider_id.as_deref(), Some("2.0.0 Ok: queued as 4F1"));
    let headers = headers(&heard);
    for line in [
        "From: \"Tocsin\" <tocsin@example.org>",
        "Auto-Submitted: auto-generated",
        "X-Tocsin-Incident: 42",
        "Importance: high",
        "References: <incident-42@example.org>",
        "In-Reply-To: <incident-42@example.org>",
    ] {
        assert!(headers.contains(&line) || headers.contains(&line.replace('"', "").as_str()), "{line} in {headers:#?}");
    }
    assert!(headers.iter().all(|line| !line.starts_with("Bcc")), "{headers:#?}");
    assert!(headers.iter().any(|line| line.starts_with("Subject: P1 db-7")), "{headers:#?}");
    let body = heard.replace("=\r\n", "").replace("=3D", "=");
    assert!(body.contains("multipart/alternative") && body.contains("https://tocsin.example.org/a/canary"));
    assert!(body.contains("disk &lt;full&gt;") && body.contains("disk <full>"), "{body}");
    assert!(heard.ends_with("QUIT\r\n") && heard.is_ascii(), "{heard}");
}

#[tokio::test]
async fn every_try_has_the_same_message_id() {
    let id = |heard: &str| headers(heard).into_iter().find(|line| line.starts_with("Message-ID")).unwrap().to_owned();
    let one = send(GOOD, EmailTls::None, false, PATIENT).await.1;
    let two = send(GOOD, EmailTls::None, false, PATIENT).await.1;
    assert_eq!(id(&one), id(&two));
    assert!(id(&one).ends_with("@example.org>"));
}

#[tokio::test]
async fn a_refusal_is_permanent_with_5_and_transient_with_4_at_every_step() {
    for (digit, expected) in [("4", (false, false)), ("5", (true, false))] {
        let line: &'static str = if digit == "4" { "451 4.3.0 try later" } else { "550 5.1.1 no" };
        for (step, script) in [
            ("greeting", Script { greeting: Some(line), ..GOOD }),
            ("mail", Script { mail: Some(line), ..GOOD }),
            ("rcpt", Script { rcpt: Some(line), ..GOOD }),
            ("data", Script { data: Some(line), ..GOOD }),
            ("content", Script { content: Some(line), ..GOOD }),
        ] {
            assert_eq!(class(script, false, PATIENT).await, expected, "{digit} at {step}");
        }
    }
}

#[tokio::test]
async fn a_refused_sign_in_is_permanent_and_never_quotes_the_password() {
    let offers = Script { ehlo: "250-mail.example.org\r\n250 AUTH PLAIN LOGIN", ..GOOD };
    assert!(send(offers, EmailTls::None, true, PATIENT).await.0.is_ok());
    let refuses = Script { auth: "535 5.7.8 not with canary-password", ..offers };
    assert_eq!(class(refuses, true, PATIENT).await, (true, false));
    assert_eq!(class(Script { auth: "454 4.7.0 later", ..offers }, true, PATIENT).await, (false, false));
    assert_eq!(class(GOOD, true, PATIENT).await, (true, false), "no way to sign in is offered");
}

#[tokio::test]
async fn without_starttls_nothing_is_said() {
    let (outcome, heard) = send(GOOD, EmailTls::Starttls, true, PATIENT).await;
    assert!(outcome.as_ref().is_err_and(|failure| failure.permanent), "{outcome:?}");
    assert!(!heard.contains("AUTH") && !heard.contains("MAIL"), "{heard}");
}

#[tokio::test]
async fn silence_is_ambiguous_only_once_the_content_is_sent() {
    for silence in [None, Some("")] {
        // At once: each waits for its deadline.
        let (greeting, rcpt, data, content) = tokio::join!(
            class(Script { greeting: silence, ..GOOD }, false, HASTY),
            class(Script { rcpt: silence, ..GOOD }, false, HASTY),
            class(Script { data: silence, ..GOOD }, false, HASTY),
            class(Script { content: silence, ..GOOD }, false, HASTY),
        );
        assert_eq!([greeting, rcpt, data], [(false, false); 3]);
        assert_eq!(content, (false, true));
    }
    assert_eq!(class(Script { content: Some("rubbish"), ..GOOD }, false, HASTY).await, (false, true));
}

#[tokio::test]
async fn nobody_at_the_door_is_transient_and_an_odd_address_permanent() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let channels = channels(closed, EmailTls::None, false, PATIENT);
    let failure = channels.deliver(&delivery("k")).await.unwrap_err();
    assert!(!failure.permanent && !failure.ambiguous, "{failure:?}");
    for to in ["", "li", "li@", "a@b\r\nRCPT TO:<x@y>", "li@example.org, wang@example.org"] {
        let odd = Delivery { address: Address::Email { to: to.into(), name: String::new() }, ..delivery("k") };
        assert!(channels.deliver(&odd).await.unwrap_err().permanent, "{to}");
    }
}

#[tokio::test]
async fn a_notice_is_a_mail_without_urgency_that_leads_to_its_page() {
    let (at, thread) = serve(GOOD);
    let letter = Letter {
        key: "page-9".into(),
        about: server::channels::LetterAbout::Silence(SilenceId(12)),
        text: PageText { title: "Maintenance 12 is over".into(), body: "works\n#41 P1 <b>disk</b>".into() },
        language: Language::En,
        address: Address::Email { to: "li@example.org".into(), name: "Li".into() },
        url: "https://tocsin.example.org/silences/12".into(),
    };
    let channels = channels(at, EmailTls::None, false, PATIENT);
    tokio::spawn(async move { channels.tell(&letter).await }).await.unwrap().unwrap();
    let heard = tokio::task::spawn_blocking(|| thread.join().unwrap()).await.unwrap();
    let head = headers(&heard).join("\n");
    assert!(head.contains("Subject: Maintenance 12 is over"), "{head}");
    assert!(head.contains("References: <silence-12@example.org>"), "{head}");
    assert!(!head.contains("X-Priority") && !head.contains("X-Tocsin-Incident"), "{head}");
    assert!(heard.contains("https://tocsin.example.org/silences/12"), "{heard}");
    assert!(!heard.contains("Acknowledge") && heard.contains("&lt;b&gt;disk"), "{heard}");
}
