//! One server decides: the lock by which a second one on the same database finds out.

#[cfg(feature = "postgres")]
use super::connection::{LOCK_SPACE, open_postgres};
use super::{DatabaseUrl, StoreError};
#[cfg(feature = "postgres")]
use diesel::{RunQueryDsl as _, dsl::sql, pg::PgConnection, sql_types::Bool};
use std::fs::{File, TryLockError};

/// Held as long as this process decides; given back when it is dropped or the process ends, however it ends.
pub struct WriterLock {
    held: Held,
}

enum Held {
    /// The lock is on the file, so the file stays open.
    File { _file: File },
    /// The lock belongs to this connection and dies with it.
    #[cfg(feature = "postgres")]
    Connection(Box<PgConnection>),
}

/// Why the lock was not given.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process holds it.
    #[error("another Tocsin server is running on {on}; stop it first, or wait until it has ended")]
    Taken { on: DatabaseUrl },
    /// The lock could not be asked for.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The second half of the PostgreSQL advisory lock; the turns of [`super::connection`] are small numbers.
#[cfg(feature = "postgres")]
const WRITER: i32 = 0x77_72_74;

impl WriterLock {
    /// Takes the lock without waiting.
    ///
    /// # Errors
    /// When another server holds it, or the database cannot be reached.
    pub fn acquire(url: &DatabaseUrl) -> Result<Self, LockError> {
        match url {
            DatabaseUrl::Sqlite(path) => {
                let mut name = path.clone().into_os_string();
                name.push(".lock");
                let trouble = |error: std::io::Error| StoreError::Unavailable {
                    context: format!("the lock file {} cannot be used: {error}", name.display()),
                    source: Some(Box::new(error)),
                };
                if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                    std::fs::create_dir_all(folder).map_err(trouble)?;
                }
                let file = File::options().create(true).append(true).open(&name).map_err(trouble)?;
                match file.try_lock() {
                    Ok(()) => Ok(Self { held: Held::File { _file: file } }),
                    Err(TryLockError::WouldBlock) => Err(LockError::Taken { on: url.clone() }),
                    Err(TryLockError::Error(error)) => Err(trouble(error).into()),
                }
            }
            #[cfg(feature = "postgres")]
            DatabaseUrl::Postgres(text) => {
                let mut connection = open_postgres(url, text)?;
                let taken = sql::<Bool>(&format!("SELECT pg_try_advisory_lock({LOCK_SPACE}, {WRITER})"))
                    .get_result(&mut connection)
                    .map_err(StoreError::of)?;
                if taken {
                    Ok(Self { held: Held::Connection(Box::new(connection)) })
                } else {
                    Err(LockError::Taken { on: url.clone() })
                }
            }
            #[cfg(not(feature = "postgres"))]
            DatabaseUrl::Postgres(_) => Err(super::Store::open(url)
                .err()
                .map_or_else(|| LockError::Taken { on: url.clone() }, LockError::Store)),
        }
    }

    /// Whether this process still holds it. A lock on a file cannot be lost; one on PostgreSQL is lost with its
    /// connection, and then another server may be deciding already: stop deciding. Answers within seconds.
    pub fn still_held(&mut self) -> bool {
        match &mut self.held {
            Held::File { .. } => true,
            #[cfg(feature = "postgres")]
            Held::Connection(connection) => sql::<Bool>("SELECT true").get_result(connection.as_mut()).unwrap_or(false),
        }
    }
}

#[cfg(feature = "postgres")]
impl Drop for WriterLock {
    /// Gives the lock back at once, for whoever starts in the same moment: a server of PostgreSQL that has much to do
    /// notices only later that a connection has ended. Where it cannot be given back, it ends with the connection.
    fn drop(&mut self) {
        if let Held::Connection(connection) = &mut self.held {
            let unlock = sql::<Bool>(&format!("SELECT pg_advisory_unlock({LOCK_SPACE}, {WRITER})"));
            if let Err(error) = unlock.get_result::<bool>(connection.as_mut()) {
                tracing::debug!(%error, "the lock of the server ends with its connection");
            }
        }
    }
}
