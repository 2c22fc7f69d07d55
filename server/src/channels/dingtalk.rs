//! DingTalk: a robot says it in its group.

use super::{
    Accepted, Room, chat, markup,
    message::{Message, clip, clip_bytes},
    room::{Again, Post, Refusal, address, below, hmac, links, mobile},
};
use crate::{clock, outbound::Outbound};
use serde_json::{Value, json};
use shared::{Failure, config::DingTalkChannel};
use url::Url;

/// The whole message may have 20,000 bytes; escaping can make four of one.
const BODY_BYTES: usize = 4_000;
const TITLE_CHARS: usize = 200;
/// A robot that spoke too often is deaf for ten minutes. A page does not wait that long without having asked again.
const TOO_FAST_MS: i64 = 60_000;

#[derive(Debug)]
pub(super) struct DingTalk {
    base: Url,
}

impl DingTalk {
    pub(super) fn new(config: &DingTalkChannel) -> Result<Self, String> {
        Ok(Self { base: chat::base("dingtalk.base", &config.base)? })
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
        let mut url = address(room, |token| {
            let mut url = below(&self.base, &["robot", "send"]);
            url.query_pairs_mut().append_pair("access_token", token);
            url
        })?;
        if let Some(secret) = room.secret.as_deref() {
            let ms = clock::now().ms();
            let sign = sign(secret, ms)?;
            url.query_pairs_mut().append_pair("timestamp", &ms.to_string()).append_pair("sign", &sign);
        }
        let body = match room.mention.as_deref() {
            Some(number) => calling(message, mobile(number)),
            None => card(message),
        };
        Post::new(url, body, message, room).send_coded(outbound, again).await?;
        Ok(Accepted::default())
    }
}

fn sign(secret: &str, ms: i64) -> Result<String, Failure> {
    hmac(secret, &format!("{ms}\n{secret}"))
}

/// Most codes are about the token, the signature, the robot's own rules or the message.
fn again(refusal: &Refusal<'_>) -> Again {
    match refusal.code {
        -1 => Again::Soon,
        130_101 => Again::AfterMs(TOO_FAST_MS),
        // No such token, a group that is no more, a robot that is turned off, its words or signature.
        300_001 | 310_000 | 400_013 | 400_101 | 400_102 => Again::Gone,
        _ => Again::Never,
    }
}

fn text(message: &Message<'_>) -> String {
    let title = markup::markdown(&clip(&message.title, TITLE_CHARS));
    format!("#### {title}\n\n{}", markup::markdown(&clip_bytes(&message.body, BODY_BYTES)))
}

/// A card with buttons, which can call nobody by name.
fn card(message: &Message<'_>) -> Value {
    let mut card = json!({"title": clip(&message.title, TITLE_CHARS), "text": text(message), "btnOrientation": "1"});
    let links = links(message);
    if let [(word, url)] = links.as_slice() {
        card["singleTitle"] = (*word).into();
        card["singleURL"] = (*url).into();
    } else {
        card["btns"] = links.iter().map(|(word, url)| json!({"title": word, "actionURL": url})).collect();
    }
    json!({"msgtype": "actionCard", "actionCard": card})
}

/// A text with links that calls somebody by name; who has muted the group is told all the same.
fn calling(message: &Message<'_>, mobile: &str) -> Value {
    let links: Vec<String> = links(message).iter().map(|(word, url)| format!("[{word}]({url})")).collect();
    let text = format!("{}\n\n@{mobile}\n\n{}", text(message), links.join("  "));
    json!({
        "msgtype": "markdown",
        "markdown": {"title": clip(&message.title, TITLE_CHARS), "text": text},
        "at": {"atMobiles": [mobile], "isAtAll": false},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_agrees_with_the_published_algorithm() {
        let sign = sign("SECtest", 1_700_000_000_000);
        assert_eq!(sign.as_deref(), Ok("aZLLrriXgn05YbwaGR7knYsLeJADjr9NwLaNNKpxh4g="));
    }

    #[test]
    fn a_code_is_tried_again_when_that_can_help() {
        let again = |code| again(&Refusal { code, words: "" });
        assert_eq!((again(130_101), again(-1)), (Again::AfterMs(60_000), Again::Soon));
        assert_eq!((again(310_000), again(300_001), again(40_035)), (Again::Gone, Again::Gone, Again::Never));
    }
}
