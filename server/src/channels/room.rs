//! Saying something in a room: where it is, what of that is secret, and what the answer means.

use super::{
    Room,
    message::{Message, clip, clip_bytes},
};
use crate::outbound::{
    Outbound, OutboundRequest, SHORTEST_SECRET, ambiguous, barred, gone, permanent, quote, transient,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;
use shared::Failure;
use url::Url;

/// One message on its way into a room.
pub(super) struct Post {
    url: Url,
    bearer: Option<String>,
    body: Value,
    secrets: Vec<String>,
}

/// What a refusal says of another try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Again {
    Never,
    /// Never: the room is gone, or takes nothing from us.
    Gone,
    /// Never: it does not take our account.
    Barred,
    Soon,
    AfterMs(i64),
    /// It may have been said.
    Perhaps,
}

/// The code of an answer that is not 0, with the words that came with it.
pub(super) struct Refusal<'a> {
    pub(super) code: i64,
    pub(super) words: &'a str,
}

impl Post {
    pub(super) fn new(url: Url, body: Value, message: &Message<'_>, room: &Room) -> Self {
        let mut secrets = message.secrets.clone();
        secrets.extend([room.to.clone(), url.to_string()]);
        secrets.extend(room.secret.clone());
        secrets.extend(keys(&url));
        Self { url, bearer: None, body, secrets }
    }

    /// What the request shows to the other side that nobody else may see.
    pub(super) fn hiding(mut self, secret: &str) -> Self {
        self.secrets.push(secret.to_owned());
        self
    }

    pub(super) fn bearer(mut self, token: &str) -> Self {
        self.bearer = Some(format!("Bearer {token}"));
        self.hiding(token)
    }

    /// Sends it once; the body of any 2xx that a web page is not.
    pub(super) async fn send(&self, outbound: &Outbound) -> Result<Vec<u8>, Failure> {
        self.send_and_read(outbound, |_, _| ()).await
    }

    /// The same, where the body of a refusal says more than its status.
    pub(super) async fn send_and_read(
        &self,
        outbound: &Outbound,
        correct: impl FnOnce(&[u8], &mut Failure),
    ) -> Result<Vec<u8>, Failure> {
        let body = serde_json::to_vec(&self.body).map_err(|_| permanent("the message cannot be written"))?;
        let mut headers = vec![("content-type", "application/json; charset=utf-8".to_owned())];
        headers.extend(self.bearer.clone().map(|bearer| ("authorization", bearer)));
        let request = OutboundRequest { url: self.url.to_string(), headers, body, secrets: self.secrets.clone() };
        let answer = outbound.post_and_read(request, correct).await?;
        // A portal or a proxy says 200 to anything; the page would be lost in silence.
        if answer.content_type == "text/html" {
            return Err(permanent("a web page answered instead of the chat; check the address"));
        }
        Ok(answer.body)
    }

    /// Sends it once to one of those that say in the body whether they took it: `errcode`, `code` or `StatusCode`.
    pub(super) async fn send_coded(
        &self,
        outbound: &Outbound,
        again: impl Fn(&Refusal<'_>) -> Again,
    ) -> Result<Value, Failure> {
        let correct = |body: &[u8], failure: &mut Failure| {
            if let Some(known) = serde_json::from_slice(body).ok().and_then(|said| self.judge(&said, &again)) {
                *failure = known;
            }
        };
        let body = self.send_and_read(outbound, correct).await?;
        let said: Value = serde_json::from_slice(&body).map_err(|_| self.unclear())?;
        match (code(&said), self.judge(&said, &again)) {
            (None, _) => Err(self.unclear()),
            (_, Some(failure)) => Err(failure),
            (_, None) => Ok(said),
        }
    }

    /// The failure that an answer tells of, if it does.
    fn judge(&self, said: &Value, again: &impl Fn(&Refusal<'_>) -> Again) -> Option<Failure> {
        let code = code(said).filter(|code| *code != 0)?;
        let words = ["errmsg", "msg", "StatusMessage"].into_iter().find_map(|key| said.get(key)?.as_str());
        let words = words.unwrap_or_default();
        Some(self.refused(&format!("{code} {words}"), again(&Refusal { code, words })))
    }

    /// The other side's reason as a failure.
    pub(super) fn refused(&self, words: &str, again: Again) -> Failure {
        let secrets: Vec<String> =
            self.secrets.iter().filter(|secret| secret.len() >= SHORTEST_SECRET).cloned().collect();
        let detail = format!("it refused: “{}”", quote(words, &secrets));
        match again {
            Again::Never => permanent(detail),
            Again::Gone => gone(detail),
            Again::Barred => barred(detail),
            Again::Soon => transient(detail),
            Again::AfterMs(ms) => Failure { retry_after_ms: Some(ms), ..transient(detail) },
            Again::Perhaps => ambiguous(detail),
        }
    }

    /// Another try may repeat it, which is better than a page nobody got.
    pub(super) fn unclear(&self) -> Failure {
        ambiguous("it did not say whether it took the message")
    }
}

fn code(said: &Value) -> Option<i64> {
    ["errcode", "code", "StatusCode"].into_iter().find_map(|key| said.get(key)?.as_i64())
}

/// The parts of an address that are as good as a password: its last name, and what its query gives.
fn keys(url: &Url) -> Vec<String> {
    let last = url.path_segments().and_then(|mut names| names.next_back());
    let raw = url.query().into_iter().flat_map(|query| query.split('&')).filter_map(|pair| pair.split_once('='));
    let decoded = url.query_pairs().map(|(_, value)| value.into_owned());
    last.into_iter().chain(raw.map(|(_, value)| value)).map(str::to_owned).chain(decoded).collect()
}

/// An address below a base; what stands in a name cannot leave it.
pub(super) fn below(base: &Url, names: &[&str]) -> Url {
    let mut url = base.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(names);
    }
    url
}

/// Where a room is: its own address as it is, or else what `known` makes of its name.
pub(super) fn address(room: &Room, known: impl FnOnce(&str) -> Url) -> Result<Url, Failure> {
    if room.to.contains("://") {
        return Url::parse(&room.to).map_err(|_| permanent("the address is not a URL"));
    }
    Ok(known(&room.to))
}

/// Base64 of HMAC-SHA256.
pub(super) fn hmac(key: &str, text: &str) -> Result<String, Failure> {
    let mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).map_err(|_| permanent("the secret cannot be used"))?;
    Ok(STANDARD.encode(mac.chain_update(text).finalize().into_bytes()))
}

/// A telephone number as the chats of mainland China know it.
pub(super) fn mobile(number: &str) -> &str {
    number.strip_prefix("+86").unwrap_or(number)
}

/// What can be done about it, most useful first. Opening a link acknowledges nothing.
pub(super) fn links<'a>(message: &Message<'a>) -> Vec<(&'static str, &'a str)> {
    let ack = message.ack_url.map(|url| (message.ack_word(), url));
    ack.into_iter().chain([(message.open_word(), message.url)]).collect()
}

/// The limit of a text.
#[derive(Clone, Copy)]
pub(super) enum Most {
    Chars(usize),
    Bytes(usize),
}

/// A text with links below it, which are never cut off.
pub(super) fn with_links(text: &str, links: &[(&str, &str)], most: Most) -> String {
    let tail: String = links.iter().map(|(word, url)| format!("\n{word}: {url}")).collect();
    let text = match most {
        Most::Chars(most) => clip(text, most.saturating_sub(tail.chars().count())),
        Most::Bytes(most) => clip_bytes(text, most.saturating_sub(tail.len())),
    };
    format!("{text}{tail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_below_its_base() {
        let base = Url::parse("https://chat.example.org/gate/").unwrap();
        assert_eq!(below(&base, &["bot1:A", "send"]).as_str(), "https://chat.example.org/gate/bot1:A/send");
        assert_eq!(below(&base, &["a/../b?c#d"]).as_str(), "https://chat.example.org/gate/a%2F..%2Fb%3Fc%23d");
    }

    #[test]
    fn what_opens_a_room_is_known_as_secret() {
        let url = Url::parse("https://chat.example.org/services/T1/canary1?sig=canary%2B2&v=1").unwrap();
        assert_eq!(keys(&url), ["canary1", "canary%2B2", "1", "canary+2", "1"]);
    }

    #[test]
    fn links_survive_a_long_text() {
        let said = with_links(&"字".repeat(2_000), &[("打开", "https://e/1")], Most::Bytes(2_048));
        assert!(said.len() <= 2_048 && said.ends_with("字…\n打开: https://e/1"), "{said}");
        assert_eq!(with_links("a", &[], Most::Chars(1)), "a");
    }
}
