//! Chats that are configured to be at one address, and what is said in them.

use super::super::{
    page,
    scripted::{PATIENT, Scripted, read_request},
};
use serde_json::Value;
use server::{
    channels::{Accepted, Address, Channels, Delivery, Letter, Room},
    outbound::Deadlines,
};
use shared::{
    Failure, SilenceId, config,
    config::{
        ContactKind, DingTalkChannel, FeishuChannel, Language, SlackChannel, TelegramChannel, WeComChannel,
        WebhookChannel,
    },
    text::PageText,
};
use std::{
    io::Write as _,
    net::{SocketAddr, TcpListener},
};
use tokio::task::JoinHandle;

pub(crate) const CAP: &str = "canary-capability";
pub(crate) const ACK: &str = "https://tocsin.example.org/a/canary-capability";
pub(crate) const CHATS: [ContactKind; 6] = [
    ContactKind::Slack,
    ContactKind::Teams,
    ContactKind::Telegram,
    ContactKind::DingTalk,
    ContactKind::Feishu,
    ContactKind::WeCom,
];

/// Chats that all answer at one address.
pub(crate) struct Rooms(config::Channels);

pub(crate) fn rooms(at: SocketAddr) -> Rooms {
    let base = format!("http://{at}");
    Rooms(config::Channels {
        webhook: WebhookChannel { allow_networks: vec!["127.0.0.0/8".into()], allow_http: false },
        telegram: Some(TelegramChannel {
            token: "123456:canary-token".into(),
            secret: Some("canary-secret".into()),
            base: base.clone(),
        }),
        dingtalk: DingTalkChannel { base: base.clone() },
        feishu: FeishuChannel { base: base.clone(), ..FeishuChannel::default() },
        wecom: WeComChannel { base, ..WeComChannel::default() },
        ..config::Channels::default()
    })
}

impl Rooms {
    /// With an app in Slack, which tells us of pressed buttons or does not.
    pub(crate) fn slack(mut self, tells: bool) -> Self {
        self.0.slack = Some(SlackChannel {
            token: "xoxb-canary-token".into(),
            signing_secret: tells.then(|| "canary-secret".into()),
            base: self.0.wecom.base.clone(),
        });
        self
    }

    /// With an app in WeCom, as it can be used several times.
    pub(crate) fn app(mut self, tells: bool) -> Channels {
        let key = |text: &str| tells.then(|| text.to_owned());
        self.0.wecom = WeComChannel {
            base: self.0.wecom.base.clone(),
            corp_id: Some("ww1".into()),
            agent_id: Some(1_000_002),
            secret: Some("canary-secret".into()),
            token: key("canary-callback"),
            aes_key: key("canaryAesKeycanaryAesKeycanaryAesKeycanaryA"),
        };
        self.channels()
    }

    pub(crate) fn channels(&self) -> Channels {
        Channels::with_deadlines(&self.0, Deadlines { connect: PATIENT, total: PATIENT }).unwrap()
    }

    pub(crate) async fn say(&self, delivery: &Delivery) -> Result<Accepted, Failure> {
        self.channels().deliver(delivery).await
    }

    pub(crate) async fn tell(&self, letter: &Letter) -> Result<Accepted, Failure> {
        self.channels().tell(letter).await
    }
}

pub(crate) fn room(kind: ContactKind, to: &str, secret: Option<&str>) -> Address {
    Address::Chat(Room { kind, to: to.into(), secret: secret.map(str::to_owned), mention: None })
}

pub(crate) fn delivery(kind: ContactKind, to: &str, language: Language) -> Delivery {
    Delivery {
        key: "page-5/7".into(),
        language,
        ack_url: Some(ACK.into()),
        near: None,
        ..page::delivery(room(kind, to, None))
    }
}

pub(crate) fn mentioning(mut delivery: Delivery, number: &str) -> Delivery {
    if let Address::Chat(room) = &mut delivery.address {
        room.mention = Some(number.into());
    }
    delivery
}

pub(crate) fn letter(kind: ContactKind, to: &str) -> Letter {
    Letter {
        key: "page-9".into(),
        about: server::channels::LetterAbout::Silence(SilenceId(12)),
        text: PageText { title: "维护 12 已结束".into(), body: "换盘\n#41 P1 磁盘满".into() },
        language: Language::Zh,
        address: room(kind, to, None),
        url: "https://tocsin.example.org/silences/12".into(),
    }
}

/// An answer as it goes over the wire.
pub(crate) fn status(status: &str, content_type: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n\r\n{body}").into_bytes()
}

pub(crate) fn ok(body: &Value) -> Vec<u8> {
    status("200 OK", "application/json", &body.to_string())
}

/// Says something to a server that gives this answer: what it was sent, and what came of it.
pub(crate) async fn exchange(
    answer: &[u8],
    what: impl FnOnce(SocketAddr) -> (Rooms, Delivery),
) -> (String, Result<Accepted, Failure>) {
    let server = Scripted::answering(answer);
    let (rooms, delivery) = what(server.at);
    let told = rooms.say(&delivery).await;
    (server.request().await, told)
}

/// A server that gives these answers one after the other, each on a connection of its own.
pub(crate) fn exchanges(answers: Vec<Vec<u8>>) -> (SocketAddr, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    let serve = move |answer: Vec<u8>| {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(PATIENT)).unwrap();
        let request = read_request(&mut stream);
        stream.write_all(&answer).unwrap();
        request
    };
    (at, tokio::task::spawn_blocking(move || answers.into_iter().map(serve).collect()))
}

/// (permanent, ambiguous, retry after), of a failure that gives nothing away.
pub(crate) fn class(outcome: Result<Accepted, Failure>) -> (bool, bool, Option<i64>) {
    let failure = outcome.unwrap_err();
    assert!(failure.detail.chars().count() <= 300, "{}", failure.detail);
    for secret in ["canary", "127.0.0.1", "tocsin.example.org/a/"] {
        assert!(!failure.detail.contains(secret), "{}", failure.detail);
    }
    (failure.permanent, failure.ambiguous, failure.retry_after_ms)
}
