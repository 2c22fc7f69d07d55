//! WeCom's app: what it sends is a card for one member, under a token that lives for two hours.

use super::super::{
    Accepted, Room, markup,
    message::{Answer, Message, clip, clip_bytes},
    room::{Again, Post, Refusal, below},
};
use crate::{
    answers::wecom::Keys,
    clock,
    outbound::{Fetch, Fetched, Outbound, barred, gone, permanent, quote, transient},
};
use serde::Deserialize;
use serde_json::{Value, json};
use shared::{Failure, config::WeComChannel};
use std::{
    fmt,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use tokio::{sync::Mutex, time::timeout};
use url::Url;

/// Of a card without buttons.
const TITLE_BYTES: usize = 128;
const TEXT_BYTES: usize = 512;
/// Of a card with them.
const TITLE_CHARS: usize = 36;
const TEXT_CHARS: usize = 160;
const TASK_BYTES: usize = 128;
const KEY_BYTES: usize = 1_024;
/// Together with the message itself it ends well before the lease of a delivery does.
const TOKEN_PATIENCE: Duration = Duration::from_secs(5);
/// A token is not used in its last minute.
const MARGIN: Duration = Duration::from_secs(60);
const TOKEN_ANSWER_BYTES: usize = 16 * 1_024;

pub(super) struct App {
    base: Url,
    corp_id: String,
    agent_id: i64,
    secret: String,
    /// WeCom tells us of pressed buttons, and we can read it.
    hears: bool,
    token: Mutex<Option<Token>>,
}

struct Token {
    text: String,
    /// By the clock that nobody sets.
    until: Duration,
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("agent_id", &self.agent_id).finish_non_exhaustive()
    }
}

impl App {
    /// None when something of it is not configured.
    pub(super) fn new(config: &WeComChannel, base: &Url) -> Option<Self> {
        Some(Self {
            base: base.clone(),
            corp_id: config.corp_id.clone()?,
            agent_id: config.agent_id?,
            secret: config.secret.clone()?,
            hears: hears(config),
            token: Mutex::new(None),
        })
    }

    pub(super) async fn write(
        &self,
        outbound: &Outbound,
        message: &Message<'_>,
        room: &Room,
        member: &str,
    ) -> Result<Accepted, Failure> {
        let token = timeout(TOKEN_PATIENCE, self.token(outbound)).await;
        let token = token.unwrap_or_else(|_| Err(transient("there was no access token in time")))?;
        let mut url = below(&self.base, &["cgi-bin", "message", "send"]);
        url.query_pairs_mut().append_pair("access_token", &token);
        let post = Post::new(url, self.body(message, member), message, room).hiding(&self.secret);
        let refused = AtomicBool::new(false);
        let again = |refusal: &Refusal<'_>| {
            let stale = matches!(refusal.code, 40_014 | 42_001);
            refused.fetch_or(stale, Ordering::Relaxed);
            if stale { Again::Soon } else { super::again(refusal) }
        };
        let said = post.send_coded(outbound, again).await;
        if refused.into_inner() {
            // It ran out early, so the next try asks for another. Whoever has it locked is doing that already.
            if let Ok(mut known) = self.token.try_lock() {
                known.take_if(|known| known.text == token);
            }
        }
        let said = said?;
        if is_lost(&said) {
            return Err(gone("the app may not write to this member, or there is none"));
        }
        let id = said.get("msgid").and_then(Value::as_str);
        Ok(Accepted { provider_id: id.map(|id| quote(id, &[])) })
    }

    /// The token that is there, or a new one; whoever comes meanwhile waits for it.
    async fn token(&self, outbound: &Outbound) -> Result<String, Failure> {
        let mut known = self.token.lock().await;
        if let Some(token) = known.as_ref().filter(|token| clock::uptime() < token.until) {
            return Ok(token.text.clone());
        }
        let issued = self.issue(outbound).await?;
        let until = clock::uptime() + Duration::from_secs(issued.expires_in).saturating_sub(MARGIN);
        *known = Some(Token { text: issued.access_token.clone(), until });
        Ok(issued.access_token)
    }

    async fn issue(&self, outbound: &Outbound) -> Result<Issued, Failure> {
        let mut url = below(&self.base, &["cgi-bin", "gettoken"]);
        url.query_pairs_mut().append_pair("corpid", &self.corp_id).append_pair("corpsecret", &self.secret);
        let fetch = Fetch {
            url: url.to_string(),
            etag: None,
            last_modified: None,
            most_bytes: TOKEN_ANSWER_BYTES,
            accept: "application/json",
        };
        // However it failed: nothing was said in the room.
        let fetched = outbound.fetch(&fetch).await.map_err(|failure| Failure { ambiguous: false, ..failure })?;
        let Fetched::New { body, .. } = fetched else {
            return Err(transient("there was no access token"));
        };
        let issued: Issued =
            serde_json::from_slice(&body).map_err(|_| permanent("whoever answered is not WeCom; check wecom.base"))?;
        match issued.errcode {
            0 if !issued.access_token.is_empty() => Ok(issued),
            // Words of a stranger are not needed: the code is known everywhere.
            -1 | 45_009 => Err(transient(format!("there was no access token: {}", issued.errcode))),
            code => Err(barred(format!("there was no access token: {code}; check wecom.corp_id and wecom.secret"))),
        }
    }

    fn body(&self, message: &Message<'_>, member: &str) -> Value {
        let answer = message.answer.filter(|answer| self.hears && answer.cap.len() <= KEY_BYTES);
        let (kind, card) = match answer {
            Some(answer) => ("template_card", with_button(message, answer)),
            None => ("textcard", with_link(message)),
        };
        let mut body = json!({"touser": member, "agentid": self.agent_id, "msgtype": kind});
        body[kind] = card;
        body
    }
}

/// Whether what WeCom tells of a button could be read; a button that nobody hears is worse than a link.
fn hears(config: &WeComChannel) -> bool {
    let parts = config.token.as_deref().zip(config.aes_key.as_deref()).zip(config.corp_id.as_deref());
    parts.is_some_and(|((token, key), corp)| Keys::new(token, key, corp).is_some())
}

/// WeCom's answer to who asks for a token.
#[derive(Deserialize)]
struct Issued {
    #[serde(default)]
    errcode: i64,
    #[serde(default)]
    access_token: String,
    /// Seconds.
    #[serde(default)]
    expires_in: u64,
}

/// Its 0 says that it was understood; that somebody was meant whom it does not know stands beside it.
fn is_lost(said: &Value) -> bool {
    said.get("invaliduser").and_then(Value::as_str).is_some_and(|names| !names.is_empty())
}

/// A card that leads to one place: where a page is answered, or what a notice is about.
fn with_link(message: &Message<'_>) -> Value {
    let (word, url) = match message.ack_url {
        Some(url) => (message.ack_word(), url),
        None => (message.open_word(), message.url),
    };
    json!({
        "title": clip_bytes(&markup::tagless(&message.title), TITLE_BYTES),
        "description": clip_bytes(&markup::tagless(&message.body), TEXT_BYTES),
        "url": url,
        "btntxt": word,
    })
}

/// A card with a button that WeCom tells us of.
fn with_button(message: &Message<'_>, answer: Answer<'_>) -> Value {
    json!({
        "card_type": "button_interaction",
        "main_title": {"title": clip(&markup::tagless(&message.title), TITLE_CHARS)},
        "sub_title_text": clip(&markup::tagless(&message.body), TEXT_CHARS),
        "card_action": {"type": 1, "url": message.url},
        "task_id": task(message.key),
        "button_list": [{"text": message.ack_word(), "style": 1, "key": answer.cap}],
    })
}

/// The key in the letters a task may be named with.
fn task(key: &str) -> String {
    let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '@');
    key.chars().map(|c| if known(c) { c } else { '_' }).take(TASK_BYTES).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_has_letters_that_are_allowed() {
        assert_eq!(task("page-5/7.é@x_1"), "page-5_7__@x_1");
        assert_eq!(task(&"k".repeat(500)).len(), TASK_BYTES);
    }
}
