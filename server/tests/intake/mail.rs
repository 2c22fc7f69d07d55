//! The address at which mail to integrations is taken.

use super::{
    house::{CONFIG, House},
    syslog::{asked, connected, free, stored, titles},
};
use e2e::store_lock::StoreLock;
use server::ingest::listen;
use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
    time::timeout,
};

const PATIENCE: Duration = Duration::from_secs(20);

fn house(settings: &str) -> (House, SocketAddr, listen::Listeners) {
    let address = free();
    let signed = "[[integrations]]\nid = \"signed\"\n[integrations.signature]\nkind = \"github\"\nsecret = \"s\"";
    let limited = "[[integrations]]\nid = \"limited\"\nrate_limit = { messages = 1, within = \"1h\" }";
    let config = format!("{CONFIG}\n{signed}\n{limited}\n[mail]\nlisten = \"{address}\"\n{settings}\n");
    let house = House::with(&config, None);
    let listeners = listen::listen(house.app.clone(), 8);
    (house, address, listeners)
}

struct Mailer(BufReader<TcpStream>);

impl Mailer {
    async fn new(address: SocketAddr) -> Self {
        let mut mailer = Self(BufReader::new(connected(address).await));
        assert_eq!(mailer.answer().await, 220);
        assert_eq!(mailer.say("EHLO db-07").await, 250);
        mailer
    }

    async fn line(&mut self) -> String {
        let mut line = String::new();
        timeout(PATIENCE, self.0.read_line(&mut line)).await.unwrap().unwrap();
        line
    }

    async fn answer(&mut self) -> u16 {
        loop {
            let line = self.line().await;
            if line.as_bytes().get(3) != Some(&b'-') {
                return line.get(..3).and_then(|it| it.parse().ok()).unwrap_or_default();
            }
        }
    }

    async fn say(&mut self, text: &str) -> u16 {
        self.0.get_mut().write_all(format!("{text}\r\n").as_bytes()).await.unwrap();
        self.answer().await
    }

    /// Sends a mail; gives the last answer.
    async fn send(&mut self, to: &[&str], mail: &str) -> u16 {
        assert_eq!(self.say("MAIL FROM:<nagios@db-07>").await, 250);
        for to in to {
            assert_eq!(self.say(&format!("RCPT TO:<{to}>")).await, 250, "{to}");
        }
        assert_eq!(self.say("DATA").await, 354);
        self.say(&format!("{mail}\r\n.")).await
    }
}

fn mail(id: &str, subject: &str, text: &str) -> String {
    let date = "Date: Sat, 21 Nov 2026 03:10:00 +0000";
    format!(
        "From: Nagios <nagios@db-07>\r\nTo: ops\r\n{date}\r\nMessage-ID: <{id}@db-07>\r\nSubject: {subject}\r\n\r\n{text}"
    )
}

#[actix_web::test]
async fn a_mail_reaches_each_integration_that_it_names_and_comes_again_as_a_repetition() {
    let (house, address, _listeners) = house("domains = [\"Alerts.example\"]");
    let other = house.another_sender("other");
    let mut mailer = Mailer::new(address).await;
    let to = [format!("{}@alerts.example", house.sender), format!("ops+{other}@ALERTS.example")];
    let to: Vec<&str> = to.iter().map(String::as_str).collect();
    let text = "[P2][PROBLEM][db-08][][slow]\r\n..a line with a dot\r\n";
    let down = mail("1", "[P0][PROBLEM][db-07][10.8.3.21][it is down]", text);
    for _ in 0..2 {
        assert_eq!(mailer.send(&to, &down).await, 250);
        assert_eq!(stored(&house).await.len(), 2, "one for each of them, and none when it comes again");
    }
    assert_eq!(titles(&house, 4).await, ["it is down", "it is down", "slow", "slow"]);
    assert_eq!(mailer.send(&to[..1], &mail("2", "[P0][OK][db-07][10.8.3.21][it is up]", "fine")).await, 250);
    let shown = asked(&house, "/api/v1/events/1").await;
    assert_eq!(shown["content_type"], "text/x-mail");
    let told = shown["text"].as_str().unwrap();
    assert!(told.contains("Subject: [P0][PROBLEM]") && told.contains("\n.a line with a dot"), "{told}");
    assert_eq!(mailer.say("QUIT").await, 221);
}

/// Programs that speak SMTP themselves often write neither a date nor a name for the message, or always the same.
#[actix_web::test]
async fn what_is_mailed_again_without_a_date_is_another_message() {
    let (house, address, _listeners) = house("");
    let to = format!("{}@x", house.sender);
    let mut mailer = Mailer::new(address).await;
    let say = |word: &str| format!("Message-ID: <1@ups>\r\nSubject: [P0][{word}][ups-1][][on battery]\r\n\r\n");
    for word in ["PROBLEM", "OK", "PROBLEM"] {
        assert_eq!(mailer.send(&[&to], &say(word)).await, 250);
    }
    let rows = asked(&house, "/api/v1/incidents?state=all").await;
    let open = rows["items"].as_array().unwrap().iter().filter(|row| row["state"] != "resolved").count();
    assert_eq!(open, 1, "{rows:#}");
    // Nobody's address, and none at all: nothing is answered to it.
    for from in ["nagios", ""] {
        assert_eq!(mailer.say(&format!("MAIL FROM:<{from}>")).await, 250);
        assert_eq!(mailer.say(&format!("RCPT TO:<{to}>")).await, 250);
        assert_eq!(mailer.say("DATA").await, 354);
        let host = if from.is_empty() { "ups-2" } else { "ups-3" };
        assert_eq!(mailer.say(&format!("Subject: [P0][PROBLEM][{host}][][on battery]\r\n\r\n.")).await, 250);
    }
    let rows = asked(&house, "/api/v1/incidents?state=all").await;
    let titles = rows.to_string();
    assert!(titles.contains("ups-2") && titles.contains("ups-3"), "{rows:#}");
}

#[actix_web::test]
async fn nobody_elses_mail_is_taken_and_nobody_is_told_more_than_that() {
    let (house, address, _listeners) = house("domains = [\"alerts.example\"]");
    let signed = house.another_sender("signed");
    let mut mailer = Mailer::new(address).await;
    assert_eq!(mailer.say("RCPT TO:<x@alerts.example>").await, 503);
    assert_eq!(mailer.say("MAIL FROM:<a@b>").await, 250);
    for to in [
        "x@alerts.example".to_owned(),
        format!("{}@elsewhere.example", house.sender),
        format!("{signed}@alerts.example"),
        "someone@gmail.com".to_owned(),
    ] {
        assert_eq!(mailer.say(&format!("RCPT TO:<{to}>")).await, 550, "{to}");
    }
    assert_eq!(mailer.say("DATA").await, 554);
    assert_eq!((mailer.say("AUTH PLAIN AGEAYg==").await, mailer.say("STARTTLS").await), (502, 502));
    assert_eq!((mailer.say("XYZZY now").await, mailer.say("NOOP").await), (500, 250));
    assert_eq!(mailer.say("MAIL FROM:<a@b>").await, 503);
    let mut guesses = 0;
    // Whoever guesses is hung up on.
    while mailer.say("RCPT TO:<guess@alerts.example>").await == 550 && guesses < 64 {
        guesses += 1;
    }
    assert!((1..16).contains(&guesses), "{guesses}");
    assert!(stored(&house).await.is_empty());
}

#[actix_web::test]
async fn a_mail_that_cannot_be_stored_is_to_be_sent_again_and_one_that_is_too_large_is_not() {
    let (house, address, _listeners) = house("");
    let to = format!("{}@x", house.sender);
    let mut mailer = Mailer::new(address).await;
    let down = mail("1", "[P0][PROBLEM][db-07][][it is down]", "x");
    let lock = StoreLock::take(&house.database()).unwrap();
    assert_eq!(mailer.send(&[&to], &down).await, 451);
    drop(lock);
    let mut last = 0;
    // A store that was held up takes a moment.
    for _ in 0..100 {
        last = mailer.send(&[&to], &down).await;
        if last == 250 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(last, 250);
    assert_eq!(titles(&house, 1).await, ["it is down"]);
    assert_eq!(stored(&house).await.len(), 1, "it was stored once");
    assert_eq!(mailer.say("MAIL FROM:<a@b> SIZE=9000000").await, 552);
    assert_eq!(mailer.send(&[&to], &mail("2", "large", &"x".repeat(5 << 20))).await, 552);
    let limited = house.another_sender("limited");
    let limited = format!("{limited}@x");
    assert_eq!(mailer.send(&[&limited], &mail("3", "one", "x")).await, 250);
    assert_eq!(mailer.send(&[&limited], &mail("4", "two", "x")).await, 451, "it is over its limit");
    assert_eq!(mailer.send(&[&limited], &mail("5", "[P0][PROBLEM][a][][x]", "x")).await, 250, "a P0 never is");
}
