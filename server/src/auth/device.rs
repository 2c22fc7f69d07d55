//! Sessions of apps on paired devices: a random token they send with every request, only its hash in the store.
//!
//! A session ends after ninety days without a request, after four hundred days without another token, with its device, and
//! with its account's role, password or right to sign in (`db` sees to that).

use super::token;
use crate::{
    db::{Account, DeviceSession, Store, StoreError},
    entropy,
};
use shared::{Delay, Timestamp};

/// Without a request: a phone in a drawer over a long leave.
pub const IDLE: Delay = Delay(90 * 86_400_000);
/// Without another token.
pub const ABSOLUTE: Delay = Delay(400 * 86_400_000);
/// How long a token works beside the next one, which may never have arrived.
const BOTH: Delay = Delay(10 * 60_000);

const PREFIX: &str = "td_";

/// Whether a text is meant as the token of an app.
#[must_use]
pub fn is_token(text: &str) -> bool {
    text.starts_with(PREFIX)
}

/// A new token.
#[must_use]
pub fn made() -> String {
    entropy::token(PREFIX)
}

/// The session of a token and its account, unless it ended.
///
/// # Errors
/// When the store does not answer.
pub fn find(store: &mut Store, text: &str, now: Timestamp) -> Result<Option<(DeviceSession, Account)>, StoreError> {
    let Some((session, account)) = store.device_session_find(&token::hash_hex(text), now)? else { return Ok(None) };
    if now.ms_since(session.last_seen_at) > IDLE.0 {
        store.device_session_end(session.id)?;
        return Ok(None);
    }
    Ok(Some((session, account)))
}

/// The next token of a session that was asked for with `asked_with`; none when it ended meanwhile.
///
/// # Errors
/// When the store refuses it.
pub fn rotate(store: &mut Store, id: i64, asked_with: &str, now: Timestamp) -> Result<Option<String>, StoreError> {
    let text = made();
    let (old, new) = (token::hash_hex(asked_with), token::hash_hex(&text));
    let rotated = store.device_session_rotate(id, &old, &new, now.after(BOTH), now.after(ABSOLUTE))?;
    Ok(rotated.then_some(text))
}
