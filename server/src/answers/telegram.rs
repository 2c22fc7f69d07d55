//! Telegram's updates: which button somebody pressed, and what is answered.

use serde::Deserialize;
use serde_json::{Value, json};

/// The header with the word that was given to `setWebhook`.
pub const SECRET: &str = "x-telegram-bot-api-secret-token";
/// What the data of our button begins with.
const ACK: &str = "a:";
/// Longer texts are refused.
const TEXT_CHARS: usize = 200;

/// A button was pressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Press {
    /// Of the press itself; it is answered by it.
    pub id: String,
    /// Who, which is also the number of a chat with them alone.
    pub user: i64,
    /// What the button carries.
    pub value: String,
}

#[derive(Deserialize)]
struct Update {
    callback_query: Query,
}

#[derive(Deserialize)]
struct Query {
    id: String,
    from: User,
    data: String,
}

#[derive(Deserialize)]
struct User {
    id: i64,
}

/// The press of our button for acknowledging; none for any other update.
#[must_use]
pub fn pressed(body: &[u8]) -> Option<Press> {
    let query = serde_json::from_slice::<Update>(body).ok()?.callback_query;
    let value = query.data.strip_prefix(ACK)?.to_owned();
    Some(Press { id: query.id, user: query.from.id, value })
}

/// The body that answers an update: a few words over the chat of whoever pressed.
#[must_use]
pub fn said(press: &Press, text: &str) -> Value {
    let text: String = text.chars().take(TEXT_CHARS).collect();
    json!({ "method": "answerCallbackQuery", "callback_query_id": press.id, "text": text })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_our_button_is_a_press() {
        let update = |data: &str| {
            let query = json!({"id": "9", "from": {"id": 77, "first_name": "Li"}, "data": data, "chat_instance": "1"});
            json!({"update_id": 1, "callback_query": query}).to_string()
        };
        let press = pressed(update("a:cap").as_bytes()).unwrap();
        assert_eq!((press.user, press.value.as_str()), (77, "cap"));
        assert_eq!(said(&press, "ok")["callback_query_id"], "9");
        assert_eq!(pressed(update("other").as_bytes()), None);
        assert_eq!(pressed(br#"{"update_id":2,"message":{"text":"a:cap"}}"#), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_not(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(pressed(&body).is_none());
        }
    }
}
