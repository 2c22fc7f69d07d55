//! Our requests beside those of another client (Apprise), for the same room, secret and time.

use super::{
    CAP, Rooms, address, exchange, json_of, line, ok, query, rooms,
    rooms::{delivery, mentioning, room},
};
use e2e::oracle::ask;
use serde_json::{Value, json};
use server::answers::slack::is_signed;
use shared::{
    Timestamp,
    config::{ContactKind, Language},
};

const SECRET: &str = "SECtest";
/// What Slack posts when a button is pressed, and when.
const PRESS: &str = "payload=%7B%22type%22%3A%22block_actions%22%7D";
const PRESSED: &str = "1531420618";

/// What the other client says.
fn oracle(given: &Value) -> Value {
    ask(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracles/chat.py"), given).unwrap()
}

/// Our request, signed where the chat signs.
async fn ours(kind: ContactKind, to: &str, mention: Option<&str>) -> String {
    let mut page = delivery(kind, to, Language::En);
    page.address = room(kind, to, Some(SECRET));
    if let Some(number) = mention {
        page = mentioning(page, number);
    }
    let answer = ok(&json!({"ok": true, "errcode": 0}));
    let (request, told) = exchange(&answer, |at| (rooms::rooms(at).slack(true), page)).await;
    assert!(told.is_ok(), "{told:?}");
    request
}

/// What each chat was sent by us.
struct Ours {
    slack: String,
    telegram: String,
    dingtalk: String,
    feishu: String,
    wecom: String,
    teams: String,
}

impl Ours {
    async fn new() -> Self {
        Self {
            slack: ours(ContactKind::Slack, "C0123ABCD", None).await,
            telegram: ours(ContactKind::Telegram, "-1001234567", None).await,
            dingtalk: ours(ContactKind::DingTalk, "abc123", Some("+8613800000000")).await,
            feishu: ours(ContactKind::Feishu, "abc-123", None).await,
            wecom: ours(ContactKind::WeCom, "abc-123", None).await,
            teams: teams().await,
        }
    }

    /// What the other client sends to the same rooms, at the time at which we did.
    fn others(&self) -> Value {
        oracle(&json!({
            "title": "P0 db-7", "body": "the disk is full", "secret": SECRET,
            "dingtalk_ms": query(&address(&self.dingtalk), "timestamp").parse::<i64>().unwrap(),
            "feishu_seconds": json_of(&self.feishu)["timestamp"],
            "slack_blocks": json_of(&self.slack)["blocks"],
            "slack_press": {"secret": SECRET, "seconds": PRESSED, "body": PRESS},
            "urls": {
                "slack": "slack://xoxb-1234-1234-4ddbc191d40ee098cbaae6f3523ada2d/+C0123ABCD?image=no",
                "telegram": "tgram://123456:canary-token/-1001234567/?image=no",
                "dingtalk": format!("dingtalk://{SECRET}@abc123/13800000000/?format=markdown"),
                "feishu": "feishu://abc-123",
                "wecom": "wecombot://abc-123",
                "teams": "workflows://example.org:443/WF1/SIG1/?image=no",
            },
        }))
    }

    fn all(&self) -> [(&'static str, &str); 6] {
        [
            ("slack", &self.slack),
            ("telegram", &self.telegram),
            ("dingtalk", &self.dingtalk),
            ("feishu", &self.feishu),
            ("wecom", &self.wecom),
            ("teams", &self.teams),
        ]
    }
}

#[tokio::test]
async fn endpoints_fields_and_signatures_are_those_of_another_client() {
    let ours = Ours::new().await;
    let said = ours.others();
    let other = &said["apprise"];
    for (name, request) in ours.all() {
        same_address(name, request, &other[name]);
        same_fields(name, &json_of(request), &other[name]["body"]);
    }
    assert!(ours.slack.contains("authorization: Bearer xoxb-"), "{}", ours.slack);
    assert!(other["slack"]["authorization"].as_str().unwrap().starts_with("Bearer xoxb-"));
    assert_eq!(json_of(&ours.feishu)["sign"], said["feishu_sign"]);
    let (signature, then) = (said["slack_signature"].as_str().unwrap(), Timestamp::from_ms(1_531_420_618_000));
    assert!(is_signed(SECRET, PRESSED, PRESS.as_bytes(), signature, then), "Slack's own signature");
    assert!(!is_signed("other", PRESSED, PRESS.as_bytes(), signature, then));
    let blocks = said["slack_blocks"].as_array().unwrap();
    assert_eq!(blocks.len(), 3);
    assert_eq!(blocks[2]["elements"][0]["value"], CAP, "Slack's own client takes our blocks and keeps what they say");
}

/// Method, path and everything in the query, the signature among it.
fn same_address(name: &str, request: &str, other: &Value) {
    let ours = address(request);
    assert_eq!(line(request).split(' ').next(), other["method"].as_str(), "{name}");
    // Apprise ends Feishu's path in a slash; the published address has none.
    assert_eq!(ours.path(), other["path"].as_str().unwrap().trim_end_matches('/'), "{name}");
    for (key, value) in other["query"].as_object().unwrap() {
        // Apprise escapes the signature twice, so that DingTalk would not know it.
        let value = value.as_str().unwrap().replace("%2B", "+").replace("%2F", "/").replace("%3D", "=");
        assert_eq!(query(&ours, key), value, "{name} {key}");
    }
}

/// What both must say alike, and what is each one's own but must be there as text.
fn same_fields(name: &str, ours: &Value, other: &Value) {
    const CARD: [&str; 9] = [
        "/type",
        "/attachments/0/contentType",
        "/attachments/0/contentUrl",
        "/attachments/0/content/$schema",
        "/attachments/0/content/type",
        "/attachments/0/content/version",
        "/attachments/0/content/body/0/type",
        "/attachments/0/content/body/1/type",
        "/attachments/0/content/body/1/wrap",
    ];
    let (alike, own): (&[&str], &[&str]) = match name {
        "slack" => (&["/channel"], &[]),
        "telegram" => (&["/disable_notification"], &["/text"]),
        "dingtalk" => (&["/msgtype", "/at/atMobiles", "/at/isAtAll"], &["/markdown/title", "/markdown/text"]),
        "feishu" => (&[], &["/msg_type"]),
        "wecom" => (&["/msgtype"], &["/text/content"]),
        _ => (&CARD, &["/attachments/0/content/body/0/text", "/attachments/0/content/body/1/text"]),
    };
    for pointer in alike {
        let wanted = other.pointer(pointer);
        assert!(wanted.is_some(), "{pointer} in {other}");
        assert_eq!(ours.pointer(pointer), wanted, "{name} {pointer} in {ours}");
    }
    for (pointer, body) in own.iter().flat_map(|pointer| [(pointer, ours), (pointer, other)]) {
        assert!(body.pointer(pointer).is_some_and(Value::is_string), "{name} {pointer} in {body}");
    }
    if name == "telegram" {
        // A number there, the same as text here; Telegram takes both.
        assert_eq!(ours["chat_id"].as_str().unwrap(), other["chat_id"].to_string());
    }
}

/// A workflow's address as Teams gives it.
async fn teams() -> String {
    let answer = ok(&json!({}));
    let path = "/workflows/WF1/triggers/manual/paths/invoke?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=SIG1";
    let page = |at| -> (Rooms, _) {
        (rooms::rooms(at), delivery(ContactKind::Teams, &format!("http://{at}{path}"), Language::En))
    };
    exchange(&answer, page).await.0
}
