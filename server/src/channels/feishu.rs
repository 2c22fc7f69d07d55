//! Feishu, which is called Lark elsewhere: a robot says it in its group.

use super::{
    Accepted, Room, chat,
    message::{Message, clip, clip_bytes},
    room::{Again, Post, Refusal, address, below, hmac, links},
};
use crate::{clock, outbound::Outbound};
use serde_json::{Value, json};
use shared::{Failure, Severity, config::FeishuChannel};
use url::Url;

/// The whole message may have 20 KB; JSON can make two bytes of one.
const BODY_BYTES: usize = 8_000;
const TITLE_CHARS: usize = 200;

#[derive(Debug)]
pub(super) struct Feishu {
    base: Url,
}

impl Feishu {
    pub(super) fn new(config: &FeishuChannel) -> Result<Self, String> {
        Ok(Self { base: chat::base("feishu.base", &config.base)? })
    }

    pub(super) fn base(&self) -> &Url {
        &self.base
    }

    pub(super) async fn say(
        &self,
        outbound: &Outbound,
        message: &Message<'_>,
        room: &Room,
    ) -> Result<Accepted, Failure> {
        let url = address(room, |token| below(&self.base, &["open-apis", "bot", "v2", "hook", token]))?;
        let mut body = json!({"msg_type": "interactive", "card": card(message)});
        if let Some(secret) = room.secret.as_deref() {
            let seconds = clock::now().ms() / 1_000;
            body["timestamp"] = seconds.to_string().into();
            body["sign"] = sign(secret, seconds)?.into();
        }
        Post::new(url, body, message, room).send_coded(outbound, again).await?;
        Ok(Accepted::default())
    }
}

/// Time and secret are the key, and nothing is signed with it.
fn sign(secret: &str, seconds: i64) -> Result<String, Failure> {
    hmac(&format!("{seconds}\n{secret}"), "")
}

/// Most codes are about the signature, the robot's own rules or the message.
fn again(refusal: &Refusal<'_>) -> Again {
    match refusal.code {
        11_232 => Again::Soon,
        // No such token, another signature, an address or words that it does not allow.
        19_001 | 19_021 | 19_022 | 19_024 => Again::Gone,
        // The same number for a message it cannot read as for one too many.
        9_499 if !refusal.words.to_ascii_lowercase().contains("bad request") => Again::Soon,
        _ => Again::Never,
    }
}

fn card(message: &Message<'_>) -> Value {
    let plain = |text: &str| json!({"tag": "plain_text", "content": text});
    let kinds = if message.ack_url.is_some() { ["primary", "default"] } else { ["default"; 2] };
    let buttons: Vec<Value> = links(message)
        .into_iter()
        .zip(kinds)
        .map(|((word, url), kind)| json!({"tag": "button", "text": plain(word), "type": kind, "url": url}))
        .collect();
    let mut elements = Vec::new();
    if !message.body.is_empty() {
        elements.push(json!({"tag": "div", "text": plain(&clip_bytes(&message.body, BODY_BYTES))}));
    }
    elements.push(json!({"tag": "action", "actions": buttons}));
    json!({
        "config": {"wide_screen_mode": true},
        "header": {"template": color(message), "title": plain(&clip(&message.title, TITLE_CHARS))},
        "elements": elements,
    })
}

/// Of the card's head.
fn color(message: &Message<'_>) -> &'static str {
    match message.page.as_ref().map(|page| page.severity) {
        Some(Severity::P0 | Severity::P1) => "red",
        Some(Severity::P2 | Severity::P3) => "orange",
        _ => "blue",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_agrees_with_the_published_algorithm() {
        let sign = sign("test-secret", 1_700_000_000);
        assert_eq!(sign.as_deref(), Ok("mbm4Y4oluIPQ00qlBIhX8vAZ0EKv3nw0LuTb91jPL84="));
    }

    #[test]
    fn a_code_is_tried_again_when_that_can_help() {
        let again = |code, words| again(&Refusal { code, words });
        assert_eq!((again(11_232, "frequency limited"), again(9_499, "too many request")), (Again::Soon, Again::Soon));
        assert_eq!(again(9_499, "Bad Request"), Again::Never);
        for (code, words) in [(19_001, "token"), (19_021, "sign"), (19_022, "ip"), (19_024, "keyword")] {
            assert_eq!(again(code, words), Again::Gone, "{code}");
        }
    }
}
