//! WeCom: a robot says it in its group, or an app writes to a member.

mod app;

use super::{
    Accepted, Room, chat, markup,
    message::Message,
    room::{Again, Most, Post, Refusal, address, below, links, mobile, with_links},
};
use crate::outbound::{Outbound, permanent};
use app::App;
use serde_json::{Value, json};
use shared::{Failure, config::WeComChannel};
use url::Url;

/// A robot's text; what is longer is cut off there, links and all.
const TEXT_BYTES: usize = 2_048;
/// Before the name of a member.
const MEMBER: &str = "user:";

#[derive(Debug)]
pub(super) struct WeCom {
    base: Url,
    app: Option<App>,
}

impl WeCom {
    pub(super) fn new(config: &WeComChannel) -> Result<Self, String> {
        let base = chat::base("wecom.base", &config.base)?;
        let app = App::new(config, &base);
        Ok(Self { base, app })
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
        if let Some(member) = room.to.strip_prefix(MEMBER) {
            let app = self.app.as_ref().ok_or_else(|| {
                permanent("no WeCom app is configured: wecom.corp_id, wecom.agent_id and wecom.secret make one")
            })?;
            return app.write(outbound, message, room, member).await;
        }
        let url = address(room, |key| {
            let mut url = below(&self.base, &["cgi-bin", "webhook", "send"]);
            url.query_pairs_mut().append_pair("key", key);
            url
        })?;
        Post::new(url, body(message, room), message, room).send_coded(outbound, again).await?;
        Ok(Accepted::default())
    }
}

/// Most codes are about the key or the message.
fn again(refusal: &Refusal<'_>) -> Again {
    match refusal.code {
        -1 | 45_009 => Again::Soon,
        // No such robot; no such member, or none the app may write to.
        93_000 | 60_111 | 81_013 => Again::Gone,
        // Neither secret nor agent, or not from here.
        40_001 | 40_013 | 40_056 | 41_002 | 60_020 | 301_002 => Again::Barred,
        _ => Again::Never,
    }
}

fn body(message: &Message<'_>, room: &Room) -> Value {
    let content = with_links(&markup::tagless(&message.whole()), &links(message), Most::Bytes(TEXT_BYTES));
    let mut text = json!({"content": content});
    if let Some(number) = room.mention.as_deref() {
        text["mentioned_mobile_list"] = json!([mobile(number)]);
    }
    json!({"msgtype": "text", "text": text})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_tried_again_when_that_can_help() {
        let again = |code| again(&Refusal { code, words: "" });
        assert_eq!((again(45_009), again(-1)), (Again::Soon, Again::Soon));
        assert_eq!((again(93_000), again(40_058)), (Again::Gone, Again::Never));
    }
}
