//! Slack: an app writes to a channel or member, or an incoming webhook to the channel it was made for.

use super::{
    Accepted, Room, Withdrawal, chat, markup,
    message::{Message, clip},
    room::{Again, Post, below},
};
use crate::outbound::{Outbound, barred, permanent, quote};
use serde::Deserialize;
use serde_json::{Value, json};
use shared::{Failure, config::SlackChannel};
use std::fmt;
use url::Url;

/// Slack refuses what is longer.
const HEADER_CHARS: usize = 150;
const SECTION_CHARS: usize = 3_000;
/// What a phone shows of it when it is locked is shorter still.
const FALLBACK_CHARS: usize = 3_000;

pub(super) struct Slack {
    app: Option<App>,
}

struct App {
    base: Url,
    token: String,
    /// Slack tells us of pressed buttons, and we can know that it is Slack.
    hears: bool,
}

impl fmt::Debug for Slack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slack").field("base", &self.base().map(Url::as_str)).finish_non_exhaustive()
    }
}

impl Slack {
    /// Without an app only incoming webhooks can be written to.
    pub(super) fn new(config: Option<&SlackChannel>) -> Result<Self, String> {
        let app = |config: &SlackChannel| -> Result<App, String> {
            let base = chat::base("slack.base", &config.base)?;
            Ok(App { base, token: config.token.clone(), hears: config.signing_secret.is_some() })
        };
        Ok(Self { app: config.map(app).transpose()? })
    }

    pub(super) fn base(&self) -> Option<&Url> {
        self.app.as_ref().map(|app| &app.base)
    }

    pub(super) async fn say(
        &self,
        outbound: &Outbound,
        message: &Message<'_>,
        room: &Room,
    ) -> Result<Accepted, Failure> {
        if room.to.contains("://") {
            let url = Url::parse(&room.to).map_err(|_| permanent("the address is not a URL"))?;
            // Whose app the webhook belongs to is not known; a press might go to somebody else.
            Post::new(url, body(message, false), message, room).send(outbound).await?;
            return Ok(Accepted::default());
        }
        let app = self.app()?;
        let mut body = body(message, app.hears);
        body["channel"] = room.to.as_str().into();
        let said = app.call(outbound, "chat.postMessage", body, message, room).await?;
        let id = said.channel.zip(said.ts).map(|(channel, ts)| quote(&format!("{channel}:{ts}"), &[]));
        Ok(Accepted { provider_id: id })
    }

    pub(super) async fn withdraw(&self, outbound: &Outbound, withdrawal: &Withdrawal) -> Result<(), Failure> {
        let place = withdrawal.message_id().and_then(|id| id.split_once(':'));
        let (channel, ts) = place.ok_or_else(|| permanent("this is no message of Slack"))?;
        let message = withdrawal.message();
        let mut body = body(&message, false);
        body["channel"] = channel.into();
        body["ts"] = ts.into();
        self.app()?.call(outbound, "chat.update", body, &message, &withdrawal.room(channel)).await.map(drop)
    }

    fn app(&self) -> Result<&App, Failure> {
        self.app.as_ref().ok_or_else(|| barred("no Slack app is configured"))
    }
}

impl App {
    async fn call(
        &self,
        outbound: &Outbound,
        method: &str,
        body: Value,
        message: &Message<'_>,
        room: &Room,
    ) -> Result<Said, Failure> {
        let post = Post::new(below(&self.base, &["api", method]), body, message, room).bearer(&self.token);
        let answer = post.send(outbound).await?;
        let said: Said = serde_json::from_slice(&answer).map_err(|_| post.unclear())?;
        if said.ok {
            return Ok(said);
        }
        let error = said.error.as_deref().unwrap_or("no reason");
        Err(post.refused(error, again(error)))
    }
}

/// Slack's answer, which is 200 for a refusal too.
#[derive(Deserialize)]
struct Said {
    ok: bool,
    error: Option<String>,
    channel: Option<String>,
    ts: Option<String>,
}

/// What an error says of another try. Most are about the token, the channel or the message, which stay as they are.
fn again(error: &str) -> Again {
    match error {
        "ratelimited"
        | "rate_limited"
        | "message_limit_exceeded"
        | "request_timeout"
        | "service_unavailable"
        | "team_added_to_org"
        | "org_login_required" => Again::Soon,
        // By Slack's own words a part of it may have been done.
        "internal_error" | "fatal_error" => Again::Perhaps,
        "channel_not_found"
        | "user_not_found"
        | "users_not_found"
        | "user_disabled"
        | "is_archived"
        | "not_in_channel"
        | "cannot_dm_bot"
        | "messages_tab_disabled"
        | "restricted_action" => Again::Gone,
        "invalid_auth"
        | "not_authed"
        | "account_inactive"
        | "token_revoked"
        | "token_expired"
        | "missing_scope"
        | "no_permission"
        | "access_denied"
        | "ekm_access_denied"
        | "team_access_not_granted" => Again::Barred,
        _ => Again::Never,
    }
}

/// Names and signs in alert text stay what they are: plain text, without pictures in place of `:words:`.
fn plain(text: &str) -> Value {
    json!({"type": "plain_text", "text": text, "emoji": false})
}

fn body(message: &Message<'_>, hears: bool) -> Value {
    let mut blocks = vec![json!({"type": "header", "text": plain(&clip(&message.title, HEADER_CHARS))})];
    if !message.body.is_empty() {
        blocks.push(json!({"type": "section", "text": plain(&clip(&message.body, SECTION_CHARS))}));
    }
    blocks.push(json!({"type": "actions", "elements": buttons(message, hears)}));
    json!({
        "text": markup::mrkdwn(&clip(&message.whole(), FALLBACK_CHARS)),
        "blocks": blocks,
        "unfurl_links": false,
        "unfurl_media": false,
    })
}

/// Slack tells of the press of a link too, so each has a name of its own.
fn buttons(message: &Message<'_>, hears: bool) -> Vec<Value> {
    let link = |action: &str, word: &str, url: &str| json!({"type": "button", "action_id": action, "text": plain(word), "url": url});
    let word = message.ack_word();
    let ack = match (message.answer.filter(|_| hears), message.ack_url) {
        (Some(answer), _) => Some(json!({
            "type": "button", "action_id": "ack", "style": "primary", "text": plain(word), "value": answer.cap,
        })),
        (None, Some(url)) => Some(link("ack_link", word, url)),
        (None, None) => None,
    };
    ack.into_iter().chain([link("open", message.open_word(), message.url)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_tried_again_when_that_can_help() {
        for error in ["channel_not_found", "user_disabled", "not_in_channel", "is_archived"] {
            assert_eq!(again(error), Again::Gone, "{error}");
        }
        for error in ["invalid_auth", "account_inactive", "missing_scope"] {
            assert_eq!(again(error), Again::Barred, "{error}");
        }
        assert_eq!((again("invalid_blocks"), again("")), (Again::Never, Again::Never));
        assert_eq!((again("ratelimited"), again("internal_error")), (Again::Soon, Again::Perhaps));
    }
}
