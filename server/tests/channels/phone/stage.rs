//! The stage of the carriers' tests: one that answers as it is told, accounts full of canaries, an incident at night.

use super::super::page;
use serde_json::{Value, json};
use server::{
    channels::{Accepted, Address, Channels, Delivery, Letter},
    outbound::Deadlines,
};
use shared::{Failure, SilenceId, config::Language, text::PageText};
use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener},
    sync::Arc,
    thread::JoinHandle,
    time::Duration,
};

const PATIENT: Duration = Duration::from_secs(5);
pub(crate) const ACK: &str = "https://tocsin.example.org/a/canary-capability";
pub(crate) const NUMBER: &str = "+8613800138000";

/// A server for one connection, which gives one answer. Joining gives the request.
pub(crate) struct Scripted {
    at: SocketAddr,
    thread: JoinHandle<String>,
}

impl Scripted {
    fn new(answer: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = listener.local_addr().unwrap();
        let thread = std::thread::spawn(move || {
            loop {
                let (mut stream, _) = listener.accept().unwrap();
                stream.set_read_timeout(Some(PATIENT)).unwrap();
                let (mut reader, mut text, mut length) = (BufReader::new(&stream), String::new(), 0);
                while !text.ends_with("\r\n\r\n") {
                    let mut line = String::new();
                    reader.read_line(&mut line).unwrap();
                    if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                        length = value.trim().parse().unwrap();
                    }
                    text.push_str(&line);
                }
                let mut body = vec![0; length];
                reader.read_exact(&mut body).unwrap();
                // Beside us real senders of other tests go on calling a port that was their server's a moment ago. Every
                // request of ours has text in it.
                if let Ok(body) = std::str::from_utf8(&body) {
                    stream.write_all(answer.as_bytes()).unwrap();
                    return text + body;
                }
            }
        });
        Self { at, thread }
    }

    async fn request(self) -> String {
        tokio::task::spawn_blocking(|| self.thread.join().unwrap()).await.unwrap()
    }
}

/// Channels with one carrier, whose address is not known yet.
pub(crate) struct Carried(Box<dyn Fn(SocketAddr) -> Value>);

impl Carried {
    pub(crate) fn gateway(mut config: Value) -> Self {
        config["id"] = "own".into();
        Self(Box::new(move |at| {
            let mut gateway = config.clone();
            gateway["url"] = format!("http://{at}/sms").into();
            json!({ "gateways": [gateway] })
        }))
    }

    pub(crate) fn twilio() -> Self {
        Self(Box::new(|at| {
            json!({"twilio": {
                "account": "ACcanaryaccount", "token": "canary-token", "from": "+15551239999", "base": format!("http://{at}")
            }})
        }))
    }

    pub(crate) fn aliyun(menu: bool) -> Self {
        Self(Box::new(move |at| {
            json!({"aliyun": {
                "key_id": "canary-key-id", "key_secret": "canary-key-secret", "sign_name": "值班", "sms_template": "SMS_1",
                "voice_template": "TTS_1", "voice_number": "057112345678", "voice_menu": menu,
                "sms_base": format!("http://{at}"), "voice_base": format!("http://{at}")
            }})
        }))
    }

    pub(crate) fn tencent() -> Self {
        Self(Box::new(|at| {
            json!({"tencent": {
                "secret_id": "canary-secret-id", "secret_key": "canary-secret-key", "sms_app": "1400006666",
                "sign_name": "值班", "sms_template": "1110", "voice_app": "1400007777", "voice_template": "1111",
                "sms_base": format!("http://{at}"), "voice_base": format!("http://{at}")
            }})
        }))
    }

    pub(crate) fn channels(&self, at: SocketAddr) -> Channels {
        let config = serde_json::from_value((self.0)(at)).unwrap();
        Channels::with_deadlines(&config, Deadlines { connect: PATIENT, total: PATIENT }).unwrap()
    }

    /// The request, and what its answer came to.
    pub(crate) async fn answering(
        &self,
        status: &str,
        body: &str,
        delivery: &Delivery,
    ) -> (String, Result<Accepted, Failure>) {
        let server = Scripted::new(answer(status, body));
        let outcome = self.channels(server.at).deliver(delivery).await;
        (server.request().await, outcome)
    }

    pub(crate) async fn notified(
        &self,
        status: &str,
        body: &str,
        letter: &Letter,
    ) -> (String, Result<Accepted, Failure>) {
        let server = Scripted::new(answer(status, body));
        let outcome = self.channels(server.at).tell(letter).await;
        (server.request().await, outcome)
    }
}

fn answer(status: &str, body: &str) -> String {
    let waits = if status.starts_with("429") { "retry-after: 7\r\n" } else { "" };
    format!("HTTP/1.1 {status}\r\n{waits}content-length: {}\r\n\r\n{body}", body.len())
}

pub(crate) fn head_of(request: &str) -> String {
    request.split_once("\r\n\r\n").unwrap().0.to_ascii_lowercase() + "\r\n"
}

pub(crate) fn json_of(request: &str) -> Value {
    serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap()
}

pub(crate) fn pairs_of(request: &str) -> Vec<(String, String)> {
    url::form_urlencoded::parse(request.split_once("\r\n\r\n").unwrap().1.as_bytes()).into_owned().collect()
}

pub(crate) fn form_of(request: &str) -> BTreeMap<String, String> {
    pairs_of(request).into_iter().collect()
}

pub(crate) fn accepted(id: Option<&str>) -> Result<Accepted, Failure> {
    Ok(Accepted { provider_id: id.map(str::to_owned) })
}

/// (permanent, retry after) of a failure in which nothing secret stands.
pub(crate) fn refused(outcome: Result<Accepted, Failure>) -> (bool, Option<i64>) {
    let failure = outcome.unwrap_err();
    assert!(failure.detail.chars().count() <= 300, "{}", failure.detail);
    for canary in ["canary", "13800138000", "QUNjYW5hcnl", "127.0.0.1"] {
        assert!(!failure.detail.contains(canary), "{}", failure.detail);
    }
    assert!(!failure.ambiguous, "{failure:?}");
    (failure.permanent, failure.retry_after_ms)
}

pub(crate) fn delivery(address: Address) -> Delivery {
    Delivery { ack_url: Some(ACK.into()), ..page::delivery(address) }
}

pub(crate) fn english(address: Address) -> Delivery {
    let mut delivery = delivery(address);
    delivery.language = Language::En;
    delivery.near = None;
    Arc::make_mut(&mut delivery.incident).title = "disk full".into();
    delivery
}

pub(crate) fn letter(address: Address) -> Letter {
    Letter {
        key: "page-9".into(),
        about: server::channels::LetterAbout::Silence(SilenceId(12)),
        text: PageText { title: "维护 12 已结束".into(), body: "换盘\n#41 P1 磁盘满".into() },
        language: Language::Zh,
        address,
        url: "https://tocsin.example.org/silences/12".into(),
    }
}

/// A text message.
pub(crate) fn sms() -> Address {
    Address::Sms { to: NUMBER.into() }
}

/// A call.
pub(crate) fn voice() -> Address {
    Address::Voice { to: NUMBER.into() }
}

pub(crate) fn query_of(request: &str) -> BTreeMap<String, String> {
    let path = request.split(' ').nth(1).unwrap();
    url::form_urlencoded::parse(path.split_once('?').unwrap().1.as_bytes()).into_owned().collect()
}
