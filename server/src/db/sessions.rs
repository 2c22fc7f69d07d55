//! Browsers that are signed in, found by the hash of their cookie.

use super::{
    Account, Store, StoreError,
    accounts::{self, login_key},
    schema::{account, session},
    text::plain,
};
use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, Queryable,
    RunQueryDsl as _,
};
use shared::Timestamp;

/// A browser that is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub id: i64,
    pub created_at: Timestamp,
    pub last_seen_at: Timestamp,
    pub expires_at: Timestamp,
    pub user_agent: String,
    pub peer: String,
}

/// A session to be begun.
#[derive(Clone, Debug)]
pub struct NewSession<'a> {
    /// Of the cookie's text.
    pub token_hash: &'a str,
    pub login: &'a str,
    pub expires_at: Timestamp,
    pub user_agent: &'a str,
    pub peer: &'a str,
}

/// How long being seen is not worth another write.
const TOUCH_MS: i64 = 60_000;

impl Store {
    /// Begins a session and gives its number.
    ///
    /// # Errors
    /// When there is no such account, or the database refuses it.
    pub fn session_create(&mut self, new: &NewSession<'_>, now: Timestamp) -> Result<i64, StoreError> {
        Ok(diesel::insert_into(session::table)
            .values((
                session::token_hash.eq(plain(new.token_hash)),
                session::account.eq(login_key(new.login)),
                session::created_at.eq(now.ms()),
                session::last_seen_at.eq(now.ms()),
                session::expires_at.eq(new.expires_at.ms()),
                session::user_agent.eq(plain(new.user_agent)),
                session::peer.eq(plain(new.peer)),
            ))
            .returning(session::id)
            .get_result(&mut self.db)?)
    }

    /// The session with this hash and its account, unless it expired or the account is disabled. Notes, at most once
    /// a minute, that it was seen.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn session_find(&mut self, token_hash: &str, now: Timestamp) -> Result<Option<(Session, Account)>, StoreError> {
        let found: Option<(Row, accounts::Row)> = session::table
            .inner_join(account::table)
            .filter(session::token_hash.eq(plain(token_hash)).and(session::expires_at.gt(now.ms())))
            .filter(account::disabled.eq(0))
            .first(&mut self.db)
            .optional()?;
        let Some((row, account)) = found else { return Ok(None) };
        // As it was before: how long nobody used it decides whether it still holds.
        let session = Session::from(row);
        if session.last_seen_at.plus_ms(TOUCH_MS) <= now
            && let Err(error) = self.session_touch(session.id, now)
        {
            // A store that takes no writes still lets people look.
            tracing::debug!(%error, "a session's last use was not noted");
        }
        Ok(Some((session, Account::try_from(account)?)))
    }

    /// The sessions of an account that have not expired, the latest seen first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn sessions(&mut self, login: &str, now: Timestamp) -> Result<Vec<Session>, StoreError> {
        let rows: Vec<Row> = session::table
            .filter(session::account.eq(login_key(login)).and(session::expires_at.gt(now.ms())))
            .order((session::last_seen_at.desc(), session::id.desc()))
            .load(&mut self.db)?;
        Ok(rows.into_iter().map(Session::from).collect())
    }

    /// Ends one session of an account; false when it has none of this number.
    ///
    /// # Errors
    /// When the database refuses it.
    pub fn session_end(&mut self, login: &str, id: i64) -> Result<bool, StoreError> {
        let ended = diesel::delete(session::table)
            .filter(session::id.eq(id).and(session::account.eq(login_key(login))))
            .execute(&mut self.db)?;
        Ok(ended > 0)
    }

    /// Forgets the sessions that have expired; gives how many.
    ///
    /// # Errors
    /// When the database refuses it.
    pub fn sessions_forget(&mut self, now: Timestamp) -> Result<usize, StoreError> {
        Ok(diesel::delete(session::table).filter(session::expires_at.le(now.ms())).execute(&mut self.db)?)
    }

    fn session_touch(&mut self, id: i64, now: Timestamp) -> Result<(), StoreError> {
        self.write(|store| {
            diesel::update(session::table.find(id)).set(session::last_seen_at.eq(now.ms())).execute(&mut store.db)?;
            Ok(())
        })
    }
}

#[derive(Queryable)]
struct Row {
    id: i64,
    _token_hash: String,
    _account: String,
    created_at: i64,
    last_seen_at: i64,
    expires_at: i64,
    user_agent: String,
    peer: String,
}

impl From<Row> for Session {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            created_at: Timestamp::from_ms(row.created_at),
            last_seen_at: Timestamp::from_ms(row.last_seen_at),
            expires_at: Timestamp::from_ms(row.expires_at),
            user_agent: row.user_agent,
            peer: row.peer,
        }
    }
}
