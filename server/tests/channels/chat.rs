//! Chats against a server that follows a script: whole requests, the class of every refusal, and what another client sends.

mod oracle;
mod refusals;
mod rooms;

use super::scripted::{PATIENT, Scripted, json_of};
use rooms::{ACK, CAP, Rooms, class, delivery, exchange, exchanges, letter, mentioning, ok, room, rooms, status};
use serde_json::{Value, json};
use server::channels::Accepted;
use shared::config::{ContactKind, Language};
use url::Url;

const TITLE: &str = "P0 db-7 磁盘满 disk full";
const BODY: [&str; 2] = [
    "磁盘满 disk full\n10.1.2.3 · incident #42 · 3 times · level 2",
    "磁盘满 disk full\n10.1.2.3 · 事件 #42 · 第 3 次 · 第 2 级",
];
const OPEN: &str = "https://tocsin.example.org/incidents/42";

/// Both languages, with what is said in each: the text, the way to answer, the way to look.
const LANGUAGES: [(Language, &str, &str, &str); 2] =
    [(Language::En, BODY[0], "Acknowledge", "Open"), (Language::Zh, BODY[1], "认领", "打开")];

fn line(request: &str) -> &str {
    request.lines().next().unwrap()
}

/// The request's address, which is for a server at no matter where.
fn address(request: &str) -> Url {
    let path = line(request).split(' ').nth(1).unwrap();
    Url::parse("http://chat").unwrap().join(path).unwrap()
}

fn query(url: &Url, key: &str) -> String {
    url.query_pairs().find(|(name, _)| name == key).unwrap().1.into_owned()
}

fn plain(text: &str) -> Value {
    json!({"type": "plain_text", "text": text, "emoji": false})
}

#[tokio::test]
async fn slack_gets_blocks_with_a_button_that_is_told_of() {
    let answer = ok(&json!({"ok": true, "channel": "C1", "ts": "1503435956.000247"}));
    for (language, text, ack, open) in LANGUAGES {
        let (request, told) =
            exchange(&answer, |at| (rooms(at).slack(true), delivery(ContactKind::Slack, "C0canary", language))).await;
        assert_eq!(told, Ok(Accepted { provider_id: Some("C1:1503435956.000247".into()) }));
        assert_eq!(line(&request), "POST /api/chat.postMessage HTTP/1.1");
        assert!(request.contains("authorization: Bearer xoxb-canary-token\r\n"), "{request}");
        let expected = json!({
            "channel": "C0canary",
            "text": format!("{TITLE}\n{text}"),
            "unfurl_links": false,
            "unfurl_media": false,
            "blocks": [
                {"type": "header", "text": plain(TITLE)},
                {"type": "section", "text": plain(text)},
                {"type": "actions", "elements": [
                    {"type": "button", "action_id": "ack", "style": "primary", "text": plain(ack), "value": CAP},
                    {"type": "button", "action_id": "open", "text": plain(open), "url": OPEN},
                ]},
            ],
        });
        assert_eq!(json_of(&request), expected);
    }
}

#[tokio::test]
async fn without_somebody_who_tells_us_slack_gets_a_link() {
    let server = Scripted::answering(status("200 OK", "text/plain", "ok"));
    let to = format!("http://{}/services/T1/B1/canary-hook", server.at);
    let told = rooms(server.at).slack(true).say(&delivery(ContactKind::Slack, &to, Language::En)).await;
    assert_eq!(told, Ok(Accepted::default()));
    let request = server.request().await;
    assert_eq!(line(&request), "POST /services/T1/B1/canary-hook HTTP/1.1");
    assert!(!request.contains("authorization"), "{request}");
    let links = json!([
        {"type": "button", "action_id": "ack_link", "text": plain("Acknowledge"), "url": ACK},
        {"type": "button", "action_id": "open", "text": plain("Open"), "url": OPEN},
    ]);
    assert_eq!(json_of(&request)["blocks"][2]["elements"], links);
    let answer = ok(&json!({"ok": true}));
    let unsigned = |at| (rooms(at).slack(false), delivery(ContactKind::Slack, "C0canary", Language::En));
    assert_eq!(json_of(&exchange(&answer, unsigned).await.0)["blocks"][2]["elements"], links);
}

#[tokio::test]
async fn teams_gets_an_adaptive_card() {
    for (language, text, ack, open) in LANGUAGES {
        let server = Scripted::answering(status("202 Accepted", "", ""));
        let to = format!("http://{}/workflows/w/triggers/manual/paths/invoke?sp=%2Ft&sig=canary-sig", server.at);
        let told = rooms(server.at).say(&delivery(ContactKind::Teams, &to, language)).await;
        assert_eq!(told, Ok(Accepted::default()));
        let request = server.request().await;
        assert_eq!(line(&request), "POST /workflows/w/triggers/manual/paths/invoke?sp=%2Ft&sig=canary-sig HTTP/1.1");
        let expected = json!({"type": "message", "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "msteams": {"width": "Full"},
                "body": [
                    {"type": "TextBlock", "text": TITLE, "wrap": true, "size": "Medium", "weight": "Bolder",
                        "color": "Attention"},
                    {"type": "TextBlock", "text": text.replace('\n', "\n\n"), "wrap": true},
                ],
                "actions": [
                    {"type": "Action.OpenUrl", "title": ack, "url": ACK},
                    {"type": "Action.OpenUrl", "title": open, "url": OPEN},
                ],
            },
        }]});
        assert_eq!(json_of(&request), expected);
    }
}

#[tokio::test]
async fn telegram_gets_a_text_with_buttons() {
    let answer = ok(&json!({"ok": true, "result": {"message_id": 7, "chat": {"id": -100_123, "type": "group"}}}));
    for (language, text, ack, open) in LANGUAGES {
        let (request, told) =
            exchange(&answer, |at| (rooms(at), delivery(ContactKind::Telegram, "-100123", language))).await;
        assert_eq!(told, Ok(Accepted { provider_id: Some("-100123:7".into()) }));
        assert_eq!(line(&request), "POST /bot123456:canary-token/sendMessage HTTP/1.1");
        let expected = json!({
            "chat_id": "-100123",
            "text": format!("{TITLE}\n{text}"),
            "disable_notification": false,
            "link_preview_options": {"is_disabled": true},
            "reply_markup": {"inline_keyboard": [[
                {"text": ack, "callback_data": format!("a:{CAP}")}, {"text": open, "url": OPEN},
            ]]},
        });
        assert_eq!(json_of(&request), expected);
    }
}

#[tokio::test]
async fn telegram_gets_links_where_buttons_are_not_possible() {
    let answer = ok(&json!({"ok": true}));
    let long = format!("https://tocsin.example.org/a/{}", "c".repeat(63));
    let mut page = delivery(ContactKind::Telegram, "-100123", Language::En);
    page.ack_url = Some(long.clone());
    let request = exchange(&answer, |at| (rooms(at), page)).await.0;
    let row = json!([{"text": "Acknowledge", "url": long}, {"text": "Open", "url": OPEN}]);
    assert_eq!(json_of(&request)["reply_markup"]["inline_keyboard"][0], row);

    let mut page = delivery(ContactKind::Telegram, "-100123", Language::En);
    page.ack_url = Some(format!("http://10.0.0.5:8080/a/{}", "c".repeat(63)));
    page.incident_url = "http://10.0.0.5:8080/incidents/42".into();
    let body = json_of(&exchange(&answer, |at| (rooms(at), page)).await.0);
    assert_eq!(body["reply_markup"], Value::Null);
    let tail =
        format!("\nAcknowledge: http://10.0.0.5:8080/a/{}\nOpen: http://10.0.0.5:8080/incidents/42", "c".repeat(63));
    assert!(body["text"].as_str().unwrap().ends_with(&tail), "{body}");
}

#[tokio::test]
async fn dingtalk_gets_a_card_or_calls_somebody_by_name() {
    let answer = ok(&json!({"errcode": 0, "errmsg": "ok"}));
    for (language, text, ack, open) in LANGUAGES {
        let said = format!("#### {TITLE}\n\n{}", text.replace('\n', "\n\n"));
        let page = delivery(ContactKind::DingTalk, "canary-token", language);
        let (request, told) = exchange(&answer, |at| (rooms(at), page)).await;
        assert_eq!(told, Ok(Accepted::default()));
        assert_eq!(line(&request), "POST /robot/send?access_token=canary-token HTTP/1.1");
        let expected = json!({"msgtype": "actionCard", "actionCard": {
            "title": TITLE, "text": said, "btnOrientation": "1",
            "btns": [{"title": ack, "actionURL": ACK}, {"title": open, "actionURL": OPEN}],
        }});
        assert_eq!(json_of(&request), expected);

        let page = mentioning(delivery(ContactKind::DingTalk, "canary-token", language), "+8613800000000");
        let expected = json!({
            "msgtype": "markdown",
            "markdown": {"title": TITLE, "text": format!("{said}\n\n@13800000000\n\n[{ack}]({ACK})  [{open}]({OPEN})")},
            "at": {"atMobiles": ["13800000000"], "isAtAll": false},
        });
        assert_eq!(json_of(&exchange(&answer, |at| (rooms(at), page)).await.0), expected);
    }
}

#[tokio::test]
async fn a_robots_whole_address_is_signed_like_its_token() {
    let server = Scripted::answering(ok(&json!({"errcode": 0})));
    let to = format!("http://{}/gate?access_token=canary%2Btoken&room=%E5%80%BC", server.at);
    let mut page = delivery(ContactKind::DingTalk, &to, Language::En);
    page.address = room(ContactKind::DingTalk, &to, Some("canary-secret"));
    assert!(rooms(server.at).say(&page).await.is_ok());
    let request = server.request().await;
    assert!(
        line(&request).starts_with("POST /gate?access_token=canary%2Btoken&room=%E5%80%BC&timestamp="),
        "{request}"
    );
    assert_eq!(query(&address(&request), "sign").len(), 44, "{request}");

    let server = Scripted::answering(ok(&json!({"StatusCode": 0})));
    let to = format!("http://{}/gate/canary-token", server.at);
    let mut page = delivery(ContactKind::Feishu, &to, Language::En);
    page.address = room(ContactKind::Feishu, &to, Some("canary-secret"));
    assert!(rooms(server.at).say(&page).await.is_ok());
    let request = server.request().await;
    assert_eq!(line(&request), "POST /gate/canary-token HTTP/1.1");
    assert_eq!(json_of(&request)["sign"].as_str().map(str::len), Some(44), "{request}");
}

#[tokio::test]
async fn feishu_gets_a_card() {
    let answer = ok(&json!({"StatusCode": 0, "StatusMessage": "success", "code": 0, "data": {}, "msg": "success"}));
    let plain = |text: &str| json!({"tag": "plain_text", "content": text});
    for (language, text, ack, open) in LANGUAGES {
        let page = delivery(ContactKind::Feishu, "canary-token", language);
        let (request, told) = exchange(&answer, |at| (rooms(at), page)).await;
        assert_eq!(told, Ok(Accepted::default()));
        assert_eq!(line(&request), "POST /open-apis/bot/v2/hook/canary-token HTTP/1.1");
        let expected = json!({"msg_type": "interactive", "card": {
            "config": {"wide_screen_mode": true},
            "header": {"template": "red", "title": plain(TITLE)},
            "elements": [
                {"tag": "div", "text": plain(text)},
                {"tag": "action", "actions": [
                    {"tag": "button", "text": plain(ack), "type": "primary", "url": ACK},
                    {"tag": "button", "text": plain(open), "type": "default", "url": OPEN},
                ]},
            ],
        }});
        assert_eq!(json_of(&request), expected);
    }
}

#[tokio::test]
async fn a_robot_of_wecom_gets_a_text() {
    let answer = ok(&json!({"errcode": 0, "errmsg": "ok"}));
    for (language, text, ack, open) in LANGUAGES {
        let content = format!("{TITLE}\n{text}\n{ack}: {ACK}\n{open}: {OPEN}");
        let page = delivery(ContactKind::WeCom, "canary-key", language);
        let (request, told) = exchange(&answer, |at| (rooms(at), page)).await;
        assert_eq!(told, Ok(Accepted::default()));
        assert_eq!(line(&request), "POST /cgi-bin/webhook/send?key=canary-key HTTP/1.1");
        assert_eq!(json_of(&request), json!({"msgtype": "text", "text": {"content": content}}));
        let page = mentioning(delivery(ContactKind::WeCom, "canary-key", language), "+8613800000000");
        let said = json_of(&exchange(&answer, |at| (rooms(at), page)).await.0);
        assert_eq!(said["text"]["mentioned_mobile_list"], json!(["13800000000"]));
    }
}

fn issued(token: &str, seconds: u32) -> Vec<u8> {
    ok(&json!({"errcode": 0, "errmsg": "ok", "access_token": token, "expires_in": seconds}))
}

#[tokio::test]
async fn the_app_of_wecom_writes_a_card_under_a_token_it_keeps() {
    let sent = ok(&json!({"errcode": 0, "errmsg": "ok", "msgid": "m1", "invaliduser": ""}));
    let stale = ok(&json!({"errcode": 42_001, "errmsg": "access_token expired"}));
    let (at, requests) =
        exchanges(vec![issued("canary-one", 7_200), sent.clone(), stale, issued("canary-two", 7_200), sent]);
    let channels = rooms(at).app(true);
    let page = delivery(ContactKind::WeCom, "user:li", Language::Zh);
    assert_eq!(channels.deliver(&page).await, Ok(Accepted { provider_id: Some("m1".into()) }));
    assert_eq!(class(channels.deliver(&page).await), (false, false, None));
    assert!(channels.deliver(&page).await.is_ok());
    let requests = requests.await.unwrap();
    let lines: Vec<&str> = requests.iter().map(|it| line(it)).collect();
    let (issue, send) = ("GET /cgi-bin/gettoken?corpid=ww1&corpsecret=canary-secret HTTP/1.1", "/cgi-bin/message/send");
    let send = |token: &str| format!("POST {send}?access_token={token} HTTP/1.1");
    assert_eq!(lines, [issue, &send("canary-one"), &send("canary-one"), issue, &send("canary-two")]);
    let expected = json!({
        "touser": "li", "agentid": 1_000_002, "msgtype": "template_card",
        "template_card": {
            "card_type": "button_interaction",
            "main_title": {"title": TITLE},
            "sub_title_text": BODY[1],
            "card_action": {"type": 1, "url": OPEN},
            "task_id": "page-5_7",
            "button_list": [{"text": "认领", "style": 1, "key": CAP}],
        },
    });
    assert_eq!(json_of(&requests[1]), expected);
}

#[tokio::test]
async fn without_somebody_who_tells_us_wecom_gets_a_link() {
    let sent = ok(&json!({"errcode": 0, "invaliduser": "li"}));
    let (at, requests) = exchanges(vec![issued("canary-one", 7_200), sent]);
    let told = rooms(at).app(false).deliver(&delivery(ContactKind::WeCom, "user:li", Language::En)).await;
    assert_eq!(class(told), (true, false, None), "nobody got it");
    let card = json!({"title": TITLE, "description": BODY[0], "url": ACK, "btntxt": "Acknowledge"});
    assert_eq!(json_of(&requests.await.unwrap()[1])["textcard"], card);
    for (answer, permanent) in [
        (ok(&json!({"errcode": 40_013, "errmsg": "canary-secret"})), true),
        (ok(&json!({"errcode": -1})), false),
        (status("200 OK", "text/html", "<html>"), true),
        (status("502 Bad Gateway", "", ""), false),
    ] {
        let (at, _) = exchanges(vec![answer]);
        let told = rooms(at).app(false).deliver(&delivery(ContactKind::WeCom, "user:li", Language::En)).await;
        assert_eq!(class(told), (permanent, false, None));
    }
}

#[tokio::test]
async fn a_notice_has_nothing_to_acknowledge_and_makes_no_sound() {
    let answer = ok(&json!({"ok": true, "errcode": 0}));
    for kind in
        [ContactKind::Slack, ContactKind::Telegram, ContactKind::DingTalk, ContactKind::Feishu, ContactKind::WeCom]
    {
        let server = Scripted::answering(answer.clone());
        rooms(server.at).slack(true).tell(&letter(kind, "C0canary")).await.unwrap();
        let said = json_of(&server.request().await);
        let text = said.to_string();
        assert!(text.contains("/silences/12") && !text.contains("认领") && !text.contains("/a/"), "{text}");
        assert!(kind != ContactKind::Telegram || said["disable_notification"] == true, "{text}");
        assert!(kind != ContactKind::DingTalk || said["actionCard"]["singleTitle"] == "打开", "{text}");
    }
}

#[tokio::test]
async fn what_is_too_long_is_cut_and_the_links_stay() {
    for kind in rooms::CHATS {
        let server = Scripted::answering(ok(&json!({"ok": true, "errcode": 0})));
        let to = if kind == ContactKind::Teams {
            format!("http://{}/w?sig=canary-sig", server.at)
        } else {
            "C0canary".into()
        };
        let mut notice = letter(kind, &to);
        notice.text.body = "<*字".repeat(20_000);
        rooms(server.at).slack(true).tell(&notice).await.unwrap();
        let request = server.request().await;
        assert!(request.len() < 20_000 && request.contains("/silences/12"), "{kind:?}: {}", request.len());
        let said = json_of(&request);
        let length = |text: &Value| text.as_str().unwrap().chars().count();
        match kind {
            ContactKind::Slack => assert_eq!(length(&said["blocks"][1]["text"]["text"]), 3_000),
            ContactKind::Telegram => assert_eq!(length(&said["text"]), 4_096),
            ContactKind::WeCom => assert!(said["text"]["content"].as_str().unwrap().len() <= 2_048),
            _ => {}
        }
    }
}
