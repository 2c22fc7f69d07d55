//! Bearer tokens of senders, programs and machines: found by their hash, revoked, never deleted.

use super::{Store, StoreError, schema::token, text::plain};
use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, Queryable,
    RunQueryDsl as _,
};
use shared::{IntegrationId, Timestamp, api::Role};

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TokenKind {
    /// A sender of alerts.
    Integration,
    /// A program that uses the application interface.
    Api,
    /// An agent on a machine; for which source, and which agent alone if one, is the token's name.
    Agent,
    /// A calendar program that reads shifts; whose, is the token's name.
    Calendar,
    /// Where a heartbeat is heard; which, is the token's name.
    Heartbeat,
}

impl TokenKind {
    /// The name on the command line and in storage.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Integration => "integration",
            Self::Api => "api",
            Self::Agent => "agent",
            Self::Calendar => "calendar",
            Self::Heartbeat => "heartbeat",
        }
    }

    /// What its texts begin with, so that one which is found somewhere says what it opens.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Integration => "tin_",
            Self::Api => "tap_",
            Self::Agent => "tag_",
            Self::Calendar => "tca_",
            Self::Heartbeat => "thb_",
        }
    }
}

impl std::str::FromStr for TokenKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "integration" => Ok(Self::Integration),
            "api" => Ok(Self::Api),
            "agent" => Ok(Self::Agent),
            "calendar" => Ok(Self::Calendar),
            "heartbeat" => Ok(Self::Heartbeat),
            _ => Err(format!("`{text}` is not a kind of token; use integration, heartbeat, api or agent")),
        }
    }
}

/// A token, without its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    pub id: i64,
    pub kind: TokenKind,
    pub name: String,
    /// The sender, for tokens of senders.
    pub integration: Option<IntegrationId>,
    /// What it may do, for tokens of programs.
    pub role: Option<Role>,
    /// Its first characters.
    pub hint: String,
    pub created_at: Timestamp,
    pub created_by: String,
    pub last_used_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
    /// When it stops being one, if that is said.
    pub expires_at: Option<Timestamp>,
}

/// A token to be stored; only the hash of its text is.
#[derive(Clone, Debug)]
pub struct NewToken<'a> {
    pub kind: TokenKind,
    pub name: &'a str,
    pub integration: Option<&'a IntegrationId>,
    pub role: Option<Role>,
    pub hash: &'a str,
    pub hint: &'a str,
    pub created_by: &'a str,
}

/// How long a use is not worth another write.
const TOUCH_MS: i64 = 60_000;

impl Store {
    /// Stores a token and gives its number.
    ///
    /// # Errors
    /// When the database refuses it.
    pub fn token_create(&mut self, new: &NewToken<'_>, now: Timestamp) -> Result<i64, StoreError> {
        Ok(diesel::insert_into(token::table)
            .values((
                token::kind.eq(new.kind.as_str()),
                token::name.eq(plain(new.name)),
                token::integration.eq(new.integration.map(|id| plain(id.as_str()))),
                token::role.eq(new.role.map(Role::as_str)),
                token::hash.eq(plain(new.hash)),
                token::hint.eq(plain(new.hint)),
                token::created_at.eq(now.ms()),
                token::created_by.eq(plain(new.created_by)),
            ))
            .returning(token::id)
            .get_result(&mut self.db)?)
    }

    /// The token with this hash, unless it was revoked. The caller notes its use with [`Store::token_touch`].
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn token_find(&mut self, hash: &str) -> Result<Option<Token>, StoreError> {
        let row: Option<Row> = token::table
            .filter(token::hash.eq(plain(hash)).and(token::revoked_at.is_null()))
            .first(&mut self.db)
            .optional()?;
        row.map(Token::try_from).transpose()
    }

    /// Notes that a token was used, at most once a minute.
    ///
    /// # Errors
    /// When the database refuses it.
    pub fn token_touch(&mut self, id: i64, now: Timestamp) -> Result<(), StoreError> {
        let stale = token::last_used_at.is_null().or(token::last_used_at.le(now.plus_ms(-TOUCH_MS).ms()));
        diesel::update(token::table)
            .filter(token::id.eq(id))
            .filter(stale)
            .set(token::last_used_at.eq(now.ms()))
            .execute(&mut self.db)?;
        Ok(())
    }

    /// All tokens of a kind that are not revoked, oldest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn tokens(&mut self, kind: TokenKind) -> Result<Vec<Token>, StoreError> {
        let rows: Vec<Row> = token::table
            .filter(token::kind.eq(kind.as_str()).and(token::revoked_at.is_null()))
            .order(token::id)
            .load(&mut self.db)?;
        rows.into_iter().map(Token::try_from).collect()
    }

    /// Every token that is not revoked, with its hash: for a table in memory.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn live_tokens(&mut self) -> Result<Vec<(String, Token)>, StoreError> {
        let rows: Vec<Row> = token::table.filter(token::revoked_at.is_null()).order(token::id).load(&mut self.db)?;
        rows.into_iter().map(|mut row| Ok((std::mem::take(&mut row.hash), Token::try_from(row)?))).collect()
    }

    /// Revokes a token; false when there is none of this kind and number that still worked.
    ///
    /// # Errors
    /// When the database refuses it.
    pub fn token_revoke(&mut self, kind: TokenKind, id: i64, now: Timestamp) -> Result<bool, StoreError> {
        let revoked = diesel::update(token::table)
            .filter(token::id.eq(id).and(token::kind.eq(kind.as_str())).and(token::revoked_at.is_null()))
            .set(token::revoked_at.eq(now.ms()))
            .execute(&mut self.db)?;
        Ok(revoked > 0)
    }

    /// Revokes every token of a kind with this name; how many.
    ///
    /// # Errors
    /// When the database refuses it.
    pub fn tokens_revoke_named(&mut self, kind: TokenKind, name: &str, now: Timestamp) -> Result<usize, StoreError> {
        let named = token::kind.eq(kind.as_str()).and(token::name.eq(plain(name)));
        Ok(diesel::update(token::table)
            .filter(named.and(token::revoked_at.is_null()))
            .set(token::revoked_at.eq(now.ms()))
            .execute(&mut self.db)?)
    }

    /// Lets every token of a sender end at a time, unless it ends earlier, and gives how many there are.
    ///
    /// # Errors
    /// When the database refuses it.
    pub fn tokens_end(&mut self, sender: &IntegrationId, at: Timestamp) -> Result<usize, StoreError> {
        let of_sender = token::integration.eq(plain(sender.as_str())).and(token::revoked_at.is_null());
        let later = token::expires_at.is_null().or(token::expires_at.gt(at.ms()));
        Ok(diesel::update(token::table)
            .filter(of_sender)
            .filter(later)
            .set(token::expires_at.eq(at.ms()))
            .execute(&mut self.db)?)
    }

    /// Revokes every token of a sender and gives their numbers.
    ///
    /// # Errors
    /// When the database refuses it.
    pub fn tokens_revoke_of(&mut self, sender: &IntegrationId, now: Timestamp) -> Result<Vec<i64>, StoreError> {
        self.write(|store| {
            let live: Vec<i64> = token::table
                .filter(token::integration.eq(plain(sender.as_str())).and(token::revoked_at.is_null()))
                .order(token::id)
                .select(token::id)
                .load(&mut store.db)?;
            diesel::update(token::table)
                .filter(token::id.eq_any(&live))
                .set(token::revoked_at.eq(now.ms()))
                .execute(&mut store.db)?;
            Ok(live)
        })
    }
}

#[derive(Queryable)]
struct Row {
    id: i64,
    kind: String,
    name: String,
    integration: Option<String>,
    role: Option<String>,
    hash: String,
    hint: String,
    created_at: i64,
    created_by: String,
    last_used_at: Option<i64>,
    revoked_at: Option<i64>,
    expires_at: Option<i64>,
}

impl TryFrom<Row> for Token {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let unreadable = |error: String| StoreError::corrupt(format!("token {}: {error}", row.id), error);
        Ok(Self {
            id: row.id,
            kind: row.kind.parse().map_err(unreadable)?,
            role: row.role.as_deref().map(str::parse).transpose().map_err(unreadable)?,
            name: row.name,
            integration: row.integration.map(IntegrationId::from),
            hint: row.hint,
            created_at: Timestamp::from_ms(row.created_at),
            created_by: row.created_by,
            last_used_at: row.last_used_at.map(Timestamp::from_ms),
            revoked_at: row.revoked_at.map(Timestamp::from_ms),
            expires_at: row.expires_at.map(Timestamp::from_ms),
        })
    }
}
