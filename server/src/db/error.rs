//! What can go wrong with the store, sorted by what the caller does about it.

use diesel::result::{ConnectionError, DatabaseErrorKind, Error as Diesel};
use std::error::Error;

/// Why the store did not do what was asked. Nothing of a failed call is stored.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached, or its medium fails. Drop this [`super::Store`] and open another one later.
    #[error("the database cannot be reached: {context}")]
    Unavailable { context: String, source: Option<Cause> },
    /// No room is left on its medium.
    #[error("the database has no room left: {context}")]
    Full { context: String, source: Option<Cause> },
    /// Somebody else holds it for longer than we wait.
    #[error("the database is busy: {context}")]
    Busy { context: String, source: Option<Cause> },
    /// Somebody else decided since this memory was restored: it must not be written, but restored again.
    #[error("another server wrote since this one restored its memory (revision {expected}, found {found})")]
    Fenced { expected: i64, found: i64 },
    /// Something stored cannot be read back.
    #[error("the database holds something unreadable: {what}")]
    Corrupt { what: String, source: Option<Cause> },
    /// The schema is not the one this program knows.
    #[error("{context}")]
    Schema { context: String, source: Option<Cause> },
    /// The rules forbid it; the store itself is well.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Something secret could not be sealed or opened.
    #[error(transparent)]
    Sealed(#[from] crate::seal::SealError),
    /// Anything else.
    #[error("the database refused: {context}")]
    Other { context: String, source: Option<Cause> },
}

/// What the driver said.
pub(super) type Cause = Box<dyn Error + Send + Sync>;

/// What the rules forbid; the caller tells whoever asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("there is already an account `{login}`")]
    LoginTaken { login: String },
    #[error("there is no account `{login}`")]
    NoSuchAccount { login: String },
    #[error("this is the last administrator who is not disabled: make another one first")]
    LastAdmin,
    #[error("the setup code is wrong or was used already; start `tocsin serve` again to get a new one")]
    WrongSetupCode,
    #[error("there is already an administrator: sign in, or use `tocsin user`")]
    SetUpAlready,
    #[error("the configuration changed meanwhile: it is at version {found}, you started from {expected}")]
    ConfigMoved { expected: i64, found: i64 },
    #[error("this pairing code is wrong, was used already, or is older than ten minutes; ask for a new one")]
    WrongPairingCode,
    #[error("this account was disabled, or belongs to another person by now: sign in again")]
    AccountChanged,
    #[error("no more than {most} devices of one person are pushed to: remove one first")]
    TooManyDevices { most: usize },
}

impl StoreError {
    /// Whether the same call may succeed a moment later without anybody mending anything.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::Busy { .. } | Self::Full { .. })
    }

    /// A stored thing that cannot be read back.
    pub(super) fn corrupt(what: impl Into<String>, source: impl Into<Cause>) -> Self {
        Self::Corrupt { what: what.into(), source: Some(source.into()) }
    }

    /// Sorts what the driver says about a statement.
    pub(super) fn of(error: Diesel) -> Self {
        let context = error.to_string();
        let text = context.to_lowercase();
        let source: Option<Cause> = Some(Box::new(error));
        let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
        match kind(source.as_deref()) {
            Some(DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand) => {
                Self::Unavailable { context, source }
            }
            Some(DatabaseErrorKind::SerializationFailure) => Self::Busy { context, source },
            _ if says(FULL) => Self::Full { context, source },
            _ if says(BUSY) => Self::Busy { context, source },
            _ if says(GONE) => Self::Unavailable { context, source },
            _ if says(MALFORMED) => Self::Corrupt { what: context, source },
            _ if says(SHAPE) => {
                let context = format!("the database is not of this version ({context}); run `tocsin migrate`");
                Self::Schema { context, source }
            }
            _ => Self::Other { context, source },
        }
    }

    /// Sorts what the driver says about connecting.
    pub(super) fn connecting(to: &str, error: ConnectionError) -> Self {
        let context = format!("{to}: {}", mended(&error.to_string()));
        Self::Unavailable { context, source: Some(Box::new(error)) }
    }
}

impl From<Diesel> for StoreError {
    fn from(error: Diesel) -> Self {
        Self::of(error)
    }
}

fn kind<'a>(source: Option<&'a (dyn Error + Send + Sync + 'static)>) -> Option<&'a DatabaseErrorKind> {
    match source?.downcast_ref::<Diesel>()? {
        Diesel::DatabaseError(kind, _) => Some(kind),
        _ => None,
    }
}

// Neither driver passes the code of every error on, so these are the words of SQLite and of PostgreSQL in English
// (a connection asks for English when it may).
const FULL: &[&str] = &["database or disk is full", "no space left on device", "disk quota exceeded", "disk full"];
const BUSY: &[&str] = &[
    "database is locked",
    "database table is locked",
    "lock timeout",
    "statement timeout",
    "deadlock detected",
    "too many clients",
    "remaining connection slots",
];
const GONE: &[&str] = &[
    "disk i/o error",
    "unable to open database file",
    "attempt to write a readonly database",
    "server closed the connection",
    "terminating connection",
    "connection refused",
    "could not connect",
    "could not receive data",
    "could not send data",
    "connection timed out",
    "no connection to the server",
    "is shutting down",
    "is starting up",
    "in recovery mode",
    "read-only transaction",
    "transaction manager",
    "ssl syscall error",
];
const MALFORMED: &[&str] = &["disk image is malformed", "file is not a database", "invalid page in block"];
const SHAPE: &[&str] = &["no such table", "no such column", "has no column named", "does not exist"];

/// Adds to the commonest refusals what to do about them.
fn mended(said: &str) -> String {
    let text = said.to_lowercase();
    let mend = if text.contains("unable to open database file") {
        "check that the folder exists and that this account may write there"
    } else if text.contains("file is not a database") {
        "the file is something else; name another one with --database"
    } else if text.contains("password authentication failed") || text.contains("no password supplied") {
        "check user and password in the database URL"
    } else if text.contains("database") && text.contains("does not exist") {
        "make the database first: createdb NAME"
    } else if text.contains("connection refused") || text.contains("no such file or directory") {
        "is PostgreSQL running there, and does it listen on this address?"
    } else {
        return said.trim().to_owned();
    };
    format!("{} ({mend})", said.trim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use diesel::{Connection as _, SqliteConnection, connection::SimpleConnection as _};

    #[test]
    fn a_full_medium_is_told_apart_from_a_busy_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("small.db");
        let open = || SqliteConnection::establish(path.to_str().unwrap()).unwrap();
        let mut small = open();
        small.batch_execute("CREATE TABLE t (x); PRAGMA max_page_count = 4;").unwrap();
        let error = StoreError::of(small.batch_execute("INSERT INTO t VALUES (zeroblob(100000))").unwrap_err());
        assert!(matches!(error, StoreError::Full { .. }), "{error:?}");
        assert!(error.is_transient());

        small.batch_execute("BEGIN IMMEDIATE").unwrap();
        let error = StoreError::of(open().batch_execute("BEGIN IMMEDIATE").unwrap_err());
        assert!(matches!(error, StoreError::Busy { .. }), "{error:?}");
        assert!(error.is_transient());
    }

    #[test]
    fn a_refusal_is_not_repeated() {
        assert!(!StoreError::from(Refused::LastAdmin).is_transient());
        assert!(!StoreError::Fenced { expected: 1, found: 2 }.is_transient());
        assert!(!StoreError::of(Diesel::NotFound).is_transient());
    }
}
