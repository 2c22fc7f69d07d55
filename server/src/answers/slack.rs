//! Slack's interactions: whether it signed them, and which button somebody pressed.

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Deserialize;
use sha2::Sha256;
use shared::{Delay, Timestamp};

/// The headers its signature stands in, and when it signed.
pub const SIGNATURE: &str = "x-slack-signature";
pub const SIGNED_AT: &str = "x-slack-request-timestamp";
/// What is older was heard by somebody else as well.
const TOLERANCE: Delay = Delay::mins(5);

/// Whether this came from Slack a moment ago: `v0:seconds:body` under the app's signing secret.
#[must_use]
pub fn is_signed(secret: &str, seconds: &str, body: &[u8], signature: &str, now: Timestamp) -> bool {
    let Ok(at) = seconds.parse::<i64>() else { return false };
    if (now.ms() / 1_000 - at).abs() > TOLERANCE.0 / 1_000 {
        return false;
    }
    let Some(tag) = signature.strip_prefix("v0=").and_then(from_hex) else { return false };
    let Ok(mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return false };
    mac.chain_update(format!("v0:{seconds}:")).chain_update(body).verify_slice(&tag).is_ok()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text.chars().map(|c| c.to_digit(16).and_then(|it| u8::try_from(it).ok())).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect())
}

/// A button was pressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Press {
    /// `U…`: who.
    pub user: String,
    /// What the button carries.
    pub value: String,
    /// Where something can be said to them alone.
    pub reply_to: Option<String>,
}

#[derive(Deserialize)]
struct Payload {
    r#type: String,
    user: User,
    #[serde(default)]
    actions: Vec<Action>,
    response_url: Option<String>,
}

#[derive(Deserialize)]
struct User {
    id: String,
}

#[derive(Deserialize)]
struct Action {
    action_id: String,
    value: Option<String>,
}

/// The press of our button for acknowledging; none for anything else, such as the press of a link.
#[must_use]
pub fn pressed(body: &[u8]) -> Option<Press> {
    let (_, payload) = url::form_urlencoded::parse(body).find(|(name, _)| name == "payload")?;
    let payload: Payload = serde_json::from_str(&payload).ok().filter(|it: &Payload| it.r#type == "block_actions")?;
    let action = payload.actions.into_iter().find(|action| action.action_id == "ack")?;
    Some(Press { user: payload.user.id, value: action.value?, reply_to: payload.response_url })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
    const SIGNED: &str = "v0=8fbebf00ac93668847713f9b87fed8672a561e520b2c9b9e8a267e9688369cae";
    const BODY: &[u8] = b"token=xyz&payload=%7B%7D";

    #[test]
    fn the_signature_agrees_with_slacks_own_library() {
        let at = |seconds: i64| Timestamp::from_ms(seconds * 1_000);
        let signed = |body: &[u8], signature: &str, now| is_signed(SECRET, "1531420618", body, signature, now);
        assert!(signed(BODY, SIGNED, at(1_531_420_618)) && signed(BODY, SIGNED, at(1_531_420_618 + 300)));
        assert!(!signed(BODY, SIGNED, at(1_531_420_618 + 301)), "replayed");
        assert!(!signed(b"token=xyz&payload=%7B%7E", SIGNED, at(1_531_420_618)));
        assert!(!signed(BODY, &SIGNED.replace("v0=8", "v0=9"), at(1_531_420_618)));
        for odd in ["", "v0=", "v0=zz", "v0=8fb"] {
            assert!(!signed(BODY, odd, at(1_531_420_618)), "{odd}");
        }
    }

    #[test]
    fn only_our_button_is_a_press() {
        let body = |action: &str| {
            let payload = serde_json::json!({
                "type": "block_actions", "user": {"id": "U7", "username": "li"}, "response_url": "https://hooks.slack.com/x",
                "actions": [{"action_id": action, "value": "cap"}]
            });
            url::form_urlencoded::Serializer::new(String::new()).append_pair("payload", &payload.to_string()).finish()
        };
        let press = pressed(body("ack").as_bytes()).unwrap();
        assert_eq!((press.user.as_str(), press.value.as_str()), ("U7", "cap"));
        assert_eq!(pressed(body("open").as_bytes()), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_not(body in proptest::collection::vec(any::<u8>(), 0..200), signature in any::<String>()) {
            prop_assert!(pressed(&body).is_none());
            prop_assert!(!is_signed(SECRET, "1531420618", &body, &signature, Timestamp::from_ms(1_531_420_618_000)));
        }
    }
}
