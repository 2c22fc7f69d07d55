//! What comes of every answer that is no yes, and that alert text stays text.

use super::{
    CAP, PATIENT, Scripted, exchange, json_of, letter, ok, rooms,
    rooms::{ACK, CHATS, class, delivery, room, status},
};
use serde_json::{Value, json};
use server::{channels::Channels, outbound::Deadlines};
use shared::config::{self, ContactKind, Language, WebhookChannel};

const NEVER: (bool, bool, Option<i64>) = (true, false, None);
const SOON: (bool, bool, Option<i64>) = (false, false, None);
const PERHAPS: (bool, bool, Option<i64>) = (false, true, None);

/// Everything secret that a chat is told, as a careless one would echo it.
fn echo(kind: ContactKind) -> String {
    let token = match kind {
        ContactKind::Slack => "xoxb-canary-token",
        ContactKind::Telegram => "123456:canary-token",
        _ => "canary-secret",
    };
    let escaped = ACK.replace('/', "\\/");
    format!("{token} canary-room {ACK} {escaped} {CAP}")
}

async fn outcome(kind: ContactKind, answer: &[u8]) -> (bool, bool, Option<i64>) {
    let mut page = delivery(kind, "canary-room", Language::En);
    page.address = room(kind, "canary-room", Some("canary-secret"));
    class(exchange(answer, |at| (rooms::rooms(at).slack(true), page)).await.1)
}

#[tokio::test]
async fn every_refusal_has_its_class() {
    let slack =
        |error: &str| (ContactKind::Slack, json!({"ok": false, "error": error, "needed": echo(ContactKind::Slack)}));
    let errcode = |kind, code: i64| (kind, json!({"errcode": code, "errmsg": echo(kind)}));
    let code = |code: i64, words: &str| {
        (ContactKind::Feishu, json!({"code": code, "msg": format!("{words} {}", echo(ContactKind::Feishu))}))
    };
    for ((kind, body), expected) in [
        (slack("ratelimited"), SOON),
        (slack("internal_error"), PERHAPS),
        (slack("channel_not_found"), NEVER),
        (slack("invalid_auth"), NEVER),
        (slack("not_in_channel"), NEVER),
        (slack("account_inactive"), NEVER),
        (slack(&echo(ContactKind::Slack)), NEVER),
        ((ContactKind::Telegram, json!({"ok": false, "description": echo(ContactKind::Telegram)})), NEVER),
        (errcode(ContactKind::DingTalk, 130_101), (false, false, Some(60_000))),
        (errcode(ContactKind::DingTalk, -1), SOON),
        (errcode(ContactKind::DingTalk, 310_000), NEVER),
        (errcode(ContactKind::DingTalk, 300_001), NEVER),
        (code(9_499, "too many request"), SOON),
        (code(9_499, "Bad Request"), NEVER),
        (code(11_232, "frequency limited"), SOON),
        (code(19_021, "sign match fail"), NEVER),
        (code(19_022, "Ip Not Allowed"), NEVER),
        (code(19_024, "Key Words Not Found"), NEVER),
        (errcode(ContactKind::WeCom, 45_009), SOON),
        (errcode(ContactKind::WeCom, -1), SOON),
        (errcode(ContactKind::WeCom, 93_000), NEVER),
        (errcode(ContactKind::WeCom, 40_058), NEVER),
    ] {
        assert_eq!(outcome(kind, &ok(&body)).await, expected, "{kind:?} {body}");
    }
}

#[tokio::test]
async fn a_status_decides_unless_the_body_knows_better() {
    let json = "application/json";
    let words = echo(ContactKind::Telegram);
    let wait =
        json!({"ok": false, "error_code": 429, "description": words, "parameters": {"retry_after": 7}}).to_string();
    let many = json!({"code": 11_232, "msg": format!("frequency limited {}", echo(ContactKind::Feishu))}).to_string();
    for kind in CHATS.into_iter().filter(|kind| *kind != ContactKind::Teams) {
        let echo = echo(kind);
        for (line, expected) in [("500 Oops", SOON), ("404 Not Found", NEVER), ("403 Forbidden", NEVER)] {
            assert_eq!(outcome(kind, &status(line, "text/plain", &echo)).await, expected, "{kind:?} {line}");
        }
        // A portal, and a server that has nothing to say.
        assert_eq!(outcome(kind, &status("200 OK", "text/html; charset=utf-8", "<html>")).await, NEVER, "{kind:?}");
        assert_eq!(outcome(kind, &status("200 OK", json, &echo)).await, PERHAPS, "{kind:?}");
        assert_eq!(outcome(kind, &status("200 OK", json, "")).await, PERHAPS, "{kind:?}");
    }
    let telegram = status("429 Too Many Requests", json, &wait);
    assert_eq!(outcome(ContactKind::Telegram, &telegram).await, (false, false, Some(7_000)));
    assert_eq!(outcome(ContactKind::Feishu, &status("400 Bad Request", json, &many)).await, SOON);
    let slack = b"HTTP/1.1 429 Slow\r\nretry-after: 30\r\ncontent-length: 0\r\n\r\n";
    assert_eq!(outcome(ContactKind::Slack, slack).await, (false, false, Some(30_000)));
}

#[tokio::test]
async fn an_address_of_a_room_is_never_seen_in_a_failure() {
    for kind in CHATS.into_iter().filter(|kind| *kind != ContactKind::Telegram) {
        let secret =
            "canary-path canary-sig /canary-path?sig=canary-sig&token=canary%2Btoken canary+token canary%2Btoken";
        let server = Scripted::answering(status("400 Bad", "text/plain", secret));
        let to = format!("http://{}/hooks/canary-path?sig=canary-sig&token=canary%2Btoken", server.at);
        let mut page = delivery(kind, &to, Language::En);
        page.address = room(kind, &to, Some("canary-secret"));
        assert_eq!(class(rooms::rooms(server.at).say(&page).await), NEVER, "{kind:?}");
        let closed = format!("http://{}/canary?sig=canary", std::net::SocketAddr::from(([127, 0, 0, 1], 1)));
        let page = delivery(kind, &closed, Language::En);
        assert_eq!(class(rooms::rooms(([127, 0, 0, 1], 1).into()).say(&page).await), SOON, "{kind:?}");
    }
}

#[tokio::test]
async fn nothing_is_said_without_permission_or_configuration() {
    let limits = WebhookChannel { allow_networks: Vec::new(), allow_http: true };
    let config = config::Channels { webhook: limits, ..config::Channels::default() };
    let channels = Channels::with_deadlines(&config, Deadlines { connect: PATIENT, total: PATIENT }).unwrap();
    for kind in CHATS {
        let private = delivery(kind, "http://127.0.0.1/canary", Language::En);
        assert_eq!(class(channels.deliver(&private).await), NEVER, "{kind:?}");
    }
    for (kind, to) in [
        (ContactKind::Slack, "C0canary"),
        (ContactKind::Teams, "canary"),
        (ContactKind::Telegram, "1"),
        (ContactKind::WeCom, "user:canary"),
    ] {
        assert_eq!(class(channels.deliver(&delivery(kind, to, Language::En)).await), NEVER, "{kind:?}");
    }
    let at = std::net::SocketAddr::from(([127, 0, 0, 1], 1));
    let hook = delivery(ContactKind::Telegram, "https://canary.example.org/", Language::En);
    assert_eq!(class(rooms::rooms(at).say(&hook).await), NEVER, "a bot knows chats by number");
}

#[test]
fn nothing_secret_is_printed_for_debugging() {
    let rooms = || rooms::rooms(([127, 0, 0, 1], 1).into()).slack(true);
    let printed = format!("{:?} {:?}", rooms().channels(), rooms().app(true));
    assert!(!printed.contains("canary"), "{printed}");
}

#[tokio::test]
async fn alert_text_is_never_markup() {
    const MARKUP: &str = "<!channel> [x](http://evil.example) @all <at user_id=\"all\"></at> *b* _i_\n# h\n- l\n1. n";
    for kind in CHATS {
        let server = Scripted::answering(ok(&json!({"ok": true, "errcode": 0})));
        let to = if kind == ContactKind::Teams { format!("http://{}/", server.at) } else { "C0canary".into() };
        let mut notice = letter(kind, &to);
        notice.text.body = MARKUP.into();
        notice.text.title = MARKUP.replace('\n', " ");
        rooms::rooms(server.at).slack(true).tell(&notice).await.unwrap();
        let said = json_of(&server.request().await);
        let escaped =
            "&lt;!channel> \\[x\\](http://evil.example) @all &lt;at user\\_id=\"all\">&lt;/at> \\*b\\* \\_i\\_";
        let lines = format!("{escaped}\n\n\\# h\n\n\\- l\n\n1\\. n");
        let (text, expected): (&Value, String) = match kind {
            ContactKind::Slack => {
                let fallback = said["text"].as_str().unwrap();
                assert!(fallback.starts_with("&lt;!channel&gt;") && !fallback.contains('<'), "{fallback}");
                assert_eq!(said["blocks"][1]["text"]["type"], "plain_text");
                (&said["blocks"][1]["text"]["text"], MARKUP.into())
            }
            ContactKind::Teams => {
                let body = &said["attachments"][0]["content"]["body"];
                assert_eq!(body[0]["text"], format!("{escaped} # h - l 1. n"));
                (&body[1]["text"], lines)
            }
            ContactKind::DingTalk => {
                let title = format!("{escaped} # h - l 1. n");
                (&said["actionCard"]["text"], format!("#### {title}\n\n{lines}"))
            }
            ContactKind::Feishu => {
                assert_eq!(said["card"]["elements"][0]["text"]["tag"], "plain_text");
                (&said["card"]["elements"][0]["text"]["content"], MARKUP.into())
            }
            ContactKind::Telegram => {
                assert_eq!((&said["parse_mode"], &said["entities"]), (&Value::Null, &Value::Null));
                (&said["text"], format!("{}\n{MARKUP}", notice.text.title))
            }
            _ => {
                let text = said["text"]["content"].as_str().unwrap();
                assert!(!text.contains('<') && said["text"]["mentioned_mobile_list"].is_null(), "{text}");
                (&said["msgtype"], "text".into())
            }
        };
        assert_eq!(*text, expected, "{kind:?}");
    }
}
