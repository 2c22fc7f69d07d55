//! Sessions of browsers: a random token in a cookie, only its hash in the store, and two ways to grow old.
//!
//! A session ends after a week without a request, after thirty days in any case, and with its account's role,
//! password or right to sign in (`db` sees to that).

use super::token;
use crate::{
    db::{Account, NewSession, Session, Store, StoreError},
    entropy,
};
use actix_web::cookie::{Cookie, SameSite, time::Duration};
use shared::{Delay, Timestamp};

/// Without a request.
pub const IDLE: Delay = Delay(7 * 86_400_000);
/// In any case.
pub const ABSOLUTE: Delay = Delay(30 * 86_400_000);

const PLAIN_NAME: &str = "tocsin";
/// Bound to this host, to https and to all paths by the browser itself.
const HOST_NAME: &str = "__Host-tocsin";
const MOST_AGENT_CHARS: usize = 200;

/// The cookie's name; without https a browser would not keep the better one.
#[must_use]
pub const fn cookie_name(https: bool) -> &'static str {
    if https { HOST_NAME } else { PLAIN_NAME }
}

/// The cookie that carries a session's token.
#[must_use]
pub fn cookie(token: String, https: bool) -> Cookie<'static> {
    Cookie::build(cookie_name(https), token)
        .path("/")
        .http_only(true)
        .secure(https)
        .same_site(SameSite::Strict)
        .max_age(Duration::milliseconds(ABSOLUTE.0))
        .finish()
}

/// The cookie that takes it away again.
#[must_use]
pub fn no_cookie(https: bool) -> Cookie<'static> {
    let mut cookie = cookie(String::new(), https);
    cookie.make_removal();
    cookie
}

/// Begins a session and gives the cookie's text and the session's number.
///
/// # Errors
/// When the store refuses it.
pub fn begin(
    store: &mut Store,
    login: &str,
    user_agent: &str,
    peer: &str,
    now: Timestamp,
) -> Result<(String, i64), StoreError> {
    let text = entropy::token("ts_");
    let user_agent: String = user_agent.chars().filter(|c| !c.is_control()).take(MOST_AGENT_CHARS).collect();
    let new = NewSession {
        token_hash: &token::hash_hex(&text),
        login,
        expires_at: now.after(ABSOLUTE),
        user_agent: &user_agent,
        peer,
    };
    let id = store.session_create(&new, now)?;
    Ok((text, id))
}

/// The session of a cookie's text and its account, unless it ended.
///
/// # Errors
/// When the store does not answer.
pub fn find(store: &mut Store, text: &str, now: Timestamp) -> Result<Option<(Session, Account)>, StoreError> {
    let Some((session, account)) = store.session_find(&token::hash_hex(text), now)? else { return Ok(None) };
    if now.ms_since(session.last_seen_at) > IDLE.0 {
        store.session_end(&account.login, session.id)?;
        return Ok(None);
    }
    Ok(Some((session, account)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_bound_to_the_host_where_there_is_https() {
        let text = cookie("x".to_owned(), true).to_string();
        assert!(
            text.starts_with("__Host-tocsin=x; HttpOnly; SameSite=Strict; Secure; Path=/; Max-Age=2592000"),
            "{text}"
        );
        let text = cookie("x".to_owned(), false).to_string();
        assert!(text.starts_with("tocsin=x; HttpOnly; SameSite=Strict; Path=/;") && !text.contains("Secure"), "{text}");
        assert!(no_cookie(true).to_string().contains("Max-Age=0"));
    }
}
