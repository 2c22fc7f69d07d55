//! Telegram: a bot writes to a chat that began a conversation with it.

use super::{
    Accepted, Room, Withdrawal, chat,
    message::Message,
    room::{Again, Most, Post, below, links, with_links},
};
use crate::outbound::{LONGEST_RETRY_AFTER_MS, Outbound, permanent, quote};
use serde::Deserialize;
use serde_json::{Value, json};
use shared::{Failure, Fault, config::TelegramChannel};
use std::fmt;
use url::{Host, Url};

const TEXT_CHARS: usize = 4_096;
const CALLBACK_BYTES: usize = 64;
/// Names that only a house knows. Telegram refuses a whole message for a button it does not like.
const PRIVATE: [&str; 8] = ["local", "localhost", "localdomain", "internal", "lan", "home", "corp", "test"];

pub(super) struct Telegram {
    base: Url,
    token: String,
    /// Telegram tells us of pressed buttons, and we can know that it is Telegram.
    hears: bool,
}

impl fmt::Debug for Telegram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Telegram").field("base", &self.base.as_str()).finish_non_exhaustive()
    }
}

impl Telegram {
    pub(super) fn new(config: &TelegramChannel) -> Result<Self, String> {
        let base = chat::base("telegram.base", &config.base)?;
        Ok(Self { base, token: config.token.clone(), hears: config.secret.is_some() })
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
        if room.to.contains("://") {
            return Err(permanent("a chat on Telegram is written as its number, not as an address"));
        }
        let body = body(message, &room.to, self.hears);
        let said = self.call(outbound, "sendMessage", body, message, room).await?;
        let id = said.result.map(|sent| quote(&format!("{}:{}", sent.chat.id, sent.message_id), &[]));
        Ok(Accepted { provider_id: id })
    }

    pub(super) async fn withdraw(&self, outbound: &Outbound, withdrawal: &Withdrawal) -> Result<(), Failure> {
        let place = withdrawal.message_id().and_then(|id| id.rsplit_once(':'));
        let place = place.and_then(|(chat, id)| Some((chat, id.parse::<i64>().ok()?)));
        let (chat, id) = place.ok_or_else(|| permanent("this is no message of Telegram"))?;
        let message = withdrawal.message();
        let mut body = body(&message, chat, false);
        body["message_id"] = id.into();
        // Whatever is changed makes no sound.
        body.as_object_mut().map(|body| body.remove("disable_notification"));
        self.call(outbound, "editMessageText", body, &message, &withdrawal.room(chat)).await.map(drop)
    }

    async fn call(
        &self,
        outbound: &Outbound,
        method: &str,
        body: Value,
        message: &Message<'_>,
        room: &Room,
    ) -> Result<Said, Failure> {
        let url = below(&self.base, &[&format!("bot{}", self.token), method]);
        let post = Post::new(url, body, message, room).hiding(&self.token);
        let answer = post.send_and_read(outbound, correct).await?;
        let said: Said = serde_json::from_slice(&answer).map_err(|_| post.unclear())?;
        if said.ok {
            return Ok(said);
        }
        Err(post.refused(said.description.as_deref().unwrap_or("no reason"), Again::Never))
    }
}

#[derive(Deserialize)]
struct Said {
    #[serde(default)]
    ok: bool,
    description: Option<String>,
    parameters: Option<Parameters>,
    result: Option<Sent>,
}

#[derive(Deserialize)]
struct Parameters {
    /// Seconds.
    retry_after: Option<i64>,
}

#[derive(Deserialize)]
struct Sent {
    message_id: i64,
    chat: Place,
}

#[derive(Deserialize)]
struct Place {
    id: i64,
}

/// How long to wait, and whom a refusal is about, stands in the body.
fn correct(body: &[u8], failure: &mut Failure) {
    let Ok(said) = serde_json::from_slice::<Said>(body) else { return };
    let words = said.description.unwrap_or_default().to_ascii_lowercase();
    // The bot is known, and this chat is not, or does not want it.
    if ["chat not found", "user not found", "blocked by the user", "user is deactivated", "was kicked", "not a member"]
        .iter()
        .any(|gone| words.contains(gone))
    {
        failure.fault = Fault::Method;
    }
    let Some(seconds) = said.parameters.and_then(|it| it.retry_after) else { return };
    failure.retry_after_ms = Some(seconds.saturating_mul(1_000).clamp(0, LONGEST_RETRY_AFTER_MS));
}

/// Without a `parse_mode`, so that nothing in the text is markup.
fn body(message: &Message<'_>, chat: &str, hears: bool) -> Value {
    let callback = message.answer.filter(|_| hears).map(|answer| format!("a:{}", answer.cap));
    let callback = callback.filter(|data| data.len() <= CALLBACK_BYTES);
    let mut links = links(message);
    if callback.is_some() {
        links.retain(|(_, url)| Some(*url) != message.ack_url);
    }
    let (buttons, written): (Vec<_>, Vec<_>) = links.into_iter().partition(|(_, url)| is_public(url));
    let pressed = callback.map(|data| json!({"text": message.ack_word(), "callback_data": data}));
    let buttons = buttons.iter().map(|(word, url)| json!({"text": word, "url": url}));
    let row: Vec<Value> = pressed.into_iter().chain(buttons).collect();
    let mut body = json!({
        "chat_id": chat,
        "text": with_links(&message.whole(), &written, Most::Chars(TEXT_CHARS)),
        "disable_notification": message.page.is_none(),
        "link_preview_options": {"is_disabled": true},
    });
    if !row.is_empty() {
        body["reply_markup"] = json!({"inline_keyboard": [row]});
    }
    body
}

/// Whether Telegram takes it for a link that leads somewhere.
fn is_public(url: &str) -> bool {
    match Url::parse(url).as_ref().ok().and_then(Url::host) {
        Some(Host::Domain(name)) => {
            name.trim_end_matches('.').rsplit_once('.').is_some_and(|(_, last)| !PRIVATE.contains(&last))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_the_world_knows_become_buttons() {
        for (url, public) in [
            ("https://tocsin.example.org/a", true),
            ("http://localhost:8080/a", false),
            ("https://tocsin/a", false),
            ("https://10.0.0.1/a", false),
            ("https://[2001:db8::1]/a", false),
            ("https://tocsin.lan./a", false),
            ("tocsin", false),
        ] {
            assert_eq!(is_public(url), public, "{url}");
        }
    }

    #[test]
    fn how_long_to_wait_is_read_from_the_body() {
        let wait = |body: &str| {
            let mut failure = crate::outbound::transient("it answered 429");
            correct(body.as_bytes(), &mut failure);
            failure.retry_after_ms
        };
        assert_eq!(wait(r#"{"ok":false,"parameters":{"retry_after":7}}"#), Some(7_000));
        assert_eq!(wait(r#"{"ok":false,"parameters":{"retry_after":99999999999999999}}"#), Some(3_600_000));
        assert_eq!((wait(r#"{"ok":false}"#), wait("<html>")), (None, None));
    }
}
