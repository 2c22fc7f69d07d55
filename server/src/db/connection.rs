//! One connection to either store: opened with the settings our promises need, and its transactions.

use super::{DatabaseUrl, Store, StoreError};
use crate::seal::KeyFile;
#[cfg(feature = "postgres")]
use diesel::pg::PgConnection;
use diesel::{
    Connection as _, MultiConnection, RunQueryDsl as _,
    connection::{AnsiTransactionManager, SimpleConnection as _, TransactionManager},
    dsl::sql,
    sql_types::Text,
    sqlite::SqliteConnection,
};
use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    path::Path,
    time::Duration,
};

/// What statements are built for, when they are built piece by piece.
pub(super) type AnyBackend = <Db as diesel::Connection>::Backend;

/// A connection to either store. Most statements are written once, for this.
#[derive(MultiConnection)]
pub(super) enum Db {
    Sqlite(SqliteConnection),
    #[cfg(feature = "postgres")]
    Postgres(PgConnection),
}

/// Runs one expression on the connection that is really there: for what [`Db`] cannot express (rows in batches,
/// `ON CONFLICT`), although both stores understand it.
macro_rules! on_any {
    ($db:expr, $connection:ident => $body:expr) => {
        match $db {
            $crate::db::connection::Db::Sqlite($connection) => $body,
            #[cfg(feature = "postgres")]
            $crate::db::connection::Db::Postgres($connection) => $body,
        }
    };
}
pub(super) use on_any;

/// How long a statement waits for another writer before it is [`StoreError::Busy`]: a sender waits behind it.
const PATIENCE_MS: u32 = 1_500;

/// What a transaction is for.
#[derive(Clone, Copy)]
enum Purpose {
    /// Takes the write lock at once, so that it cannot fail half way for another writer.
    Write,
    /// Several reads of one moment.
    Snapshot,
}

/// Changes that must not run at the same time although they touch different rows; always taken before the audit chain.
#[derive(Clone, Copy)]
pub(super) enum Turn {
    Migrations = 1,
    Accounts = 2,
    Configuration = 3,
    Audit = 4,
}

/// The first half of our PostgreSQL advisory locks; spells `toc` and nothing else.
#[cfg(feature = "postgres")]
pub(super) const LOCK_SPACE: i32 = 0x746f63;

impl Store {
    /// Opens a connection, with keys beside a SQLite file. On PostgreSQL, which has no such place, it keeps no secrets:
    /// [`Store::open_with`] is for that.
    ///
    /// # Errors
    /// As [`Store::open_with`].
    pub fn open(url: &DatabaseUrl) -> Result<Self, StoreError> {
        Self::open_with(url, &url.keys().unwrap_or_else(KeyFile::nowhere))
    }

    /// Opens a connection. A SQLite file and its folder are made when they are missing; the schema is not
    /// ([`Store::migrate`]), and neither are keys, before there is a secret to be sealed.
    ///
    /// # Errors
    /// When the database cannot be reached or does not keep our promises.
    pub fn open_with(url: &DatabaseUrl, keys: &KeyFile) -> Result<Self, StoreError> {
        let db = match url {
            DatabaseUrl::Sqlite(path) => Db::Sqlite(open_sqlite(url, path)?),
            #[cfg(feature = "postgres")]
            DatabaseUrl::Postgres(text) => Db::Postgres(open_postgres(url, text)?),
            #[cfg(not(feature = "postgres"))]
            DatabaseUrl::Postgres(_) => {
                let context = "this tocsin was built without PostgreSQL".to_owned();
                return Err(StoreError::Schema { context, source: None });
            }
        };
        Ok(Self { db, keys: keys.clone(), restored: None })
    }

    /// Where its keys are, for another connection.
    #[must_use]
    pub const fn keys(&self) -> &KeyFile {
        &self.keys
    }

    /// `sqlite` or `postgres`.
    #[must_use]
    pub const fn backend_name(&self) -> &'static str {
        match &self.db {
            Db::Sqlite(_) => "sqlite",
            #[cfg(feature = "postgres")]
            Db::Postgres(_) => "postgres",
        }
    }

    /// The version of the database, for the status page.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn version(&mut self) -> Result<String, StoreError> {
        let query = match &self.db {
            Db::Sqlite(_) => "SELECT sqlite_version()",
            #[cfg(feature = "postgres")]
            Db::Postgres(_) => "SELECT current_setting('server_version')",
        };
        Ok(sql::<Text>(query).get_result(&mut self.db)?)
    }

    /// Whether the database answers; for readiness.
    ///
    /// # Errors
    /// When it does not.
    pub fn ping(&mut self) -> Result<(), StoreError> {
        self.version().map(drop)
    }

    /// Whether the connection can be used again: no transaction was left open.
    pub(super) fn is_sound(&mut self) -> bool {
        self.depth().is_ok_and(|depth| depth == 0)
    }

    /// Runs `work` in one transaction that may write; an error (or a panic) leaves nothing of it. Nested calls are
    /// part of the outer one.
    pub(super) fn write<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.transaction(Purpose::Write, work)
    }

    /// Runs several reads on one state of the database.
    pub(super) fn snapshot<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.transaction(Purpose::Snapshot, work)
    }

    /// Waits for the turn of this kind of change, until the end of the transaction. SQLite has one writer anyway.
    pub(super) fn take_turn(&mut self, turn: Turn) -> Result<(), StoreError> {
        match (&mut self.db, turn) {
            (Db::Sqlite(_), _) => Ok(()),
            #[cfg(feature = "postgres")]
            (Db::Postgres(connection), turn) => {
                let query = format!("SELECT pg_advisory_xact_lock({LOCK_SPACE}, {})", turn as i32);
                Ok(connection.batch_execute(&query)?)
            }
        }
    }

    fn depth(&mut self) -> Result<u32, StoreError> {
        let status = <Db as diesel::Connection>::TransactionManager::transaction_manager_status_mut(&mut self.db);
        Ok(status.transaction_depth()?.map_or(0, std::num::NonZeroU32::get))
    }

    fn begin(&mut self, purpose: Purpose) -> Result<(), StoreError> {
        if self.depth()? > 0 {
            return Ok(<Db as diesel::Connection>::TransactionManager::begin_transaction(&mut self.db)?);
        }
        match &mut self.db {
            Db::Sqlite(connection) => {
                let begin = match purpose {
                    Purpose::Write => "BEGIN IMMEDIATE",
                    Purpose::Snapshot => "BEGIN DEFERRED",
                };
                AnsiTransactionManager::begin_transaction_sql(connection, begin)?;
            }
            #[cfg(feature = "postgres")]
            Db::Postgres(connection) => {
                let begin = match purpose {
                    Purpose::Write => "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",
                    Purpose::Snapshot => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
                };
                AnsiTransactionManager::begin_transaction_sql(connection, begin)?;
            }
        }
        Ok(())
    }

    fn transaction<T>(
        &mut self,
        purpose: Purpose,
        work: impl FnOnce(&mut Self) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.begin(purpose)?;
        // A panic must not leave the transaction open: what is "committed" later would only be nested in it.
        match catch_unwind(AssertUnwindSafe(|| work(self))) {
            Ok(Ok(value)) => {
                <Db as diesel::Connection>::TransactionManager::commit_transaction(&mut self.db)?;
                Ok(value)
            }
            Ok(Err(error)) => {
                self.roll_back();
                Err(error)
            }
            Err(panic) => {
                self.roll_back();
                resume_unwind(panic)
            }
        }
    }

    fn roll_back(&mut self) {
        let rolled_back = <Db as diesel::Connection>::TransactionManager::rollback_transaction(&mut self.db);
        if let Err(error) = rolled_back {
            tracing::debug!(%error, "a transaction could not be rolled back; its connection is given up");
        }
    }
}

fn open_sqlite(url: &DatabaseUrl, path: &Path) -> Result<SqliteConnection, StoreError> {
    let trouble =
        |context: String, source: std::io::Error| StoreError::Unavailable { context, source: Some(Box::new(source)) };
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)
            .map_err(|error| trouble(format!("the folder {} cannot be made: {error}", folder.display()), error))?;
    }
    // Made here rather than by SQLite so that only our account can read it: it holds alerts and hashes of secrets.
    let mut options = std::fs::OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|error| trouble(format!("{} cannot be opened: {error}", path.display()), error))?;
    let name = path.to_str().ok_or_else(|| StoreError::Other {
        context: format!("the path {} is not UTF-8; choose another one", path.display()),
        source: None,
    })?;
    let mut connection =
        SqliteConnection::establish(name).map_err(|error| StoreError::connecting(&url.to_string(), error))?;
    connection.batch_execute(&format!("PRAGMA busy_timeout = {PATIENCE_MS};"))?;
    enter_wal(&mut connection)?;
    // FULL: a commit that was answered survives a power failure. Checked, because a wrong answer here breaks the first
    // of our promises silently. Checkpoints are made by a thread (`checkpoint.rs`); 40 MB of log is where it is late.
    connection.batch_execute(
        "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;
         PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -2048; PRAGMA wal_autocheckpoint = 10000;",
    )?;
    let settings = "SELECT journal_mode || ' ' || synchronous || ' ' || foreign_keys
        FROM pragma_journal_mode, pragma_synchronous, pragma_foreign_keys";
    match sql::<Text>(settings).get_result::<String>(&mut connection)?.as_str() {
        "wal 2 1" => Ok(connection),
        other => {
            let context =
                format!("SQLite does not keep what it is told on this medium (wanted `wal 2 1`, got `{other}`)");
            Err(StoreError::Other { context, source: None })
        }
    }
}

/// Switches to write-ahead logging. Two processes that open a new file at once may each be told "locked" without
/// waiting, hence the few tries.
fn enter_wal(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    const TRIES: u32 = 20;
    let mut tries = 0;
    loop {
        tries += 1;
        match connection.batch_execute("PRAGMA journal_mode = WAL;").map_err(StoreError::of) {
            Err(StoreError::Busy { .. }) if tries < TRIES => std::thread::sleep(Duration::from_millis(25)),
            done => return done,
        }
    }
}

/// Opens a PostgreSQL connection that notices a dead peer within seconds and never commits without its disk.
#[cfg(feature = "postgres")]
pub(super) fn open_postgres(url: &DatabaseUrl, text: &str) -> Result<PgConnection, StoreError> {
    let mut connection = PgConnection::establish(&with_timeouts(text))
        .map_err(|error| StoreError::connecting(&url.to_string(), error))?;
    connection.batch_execute(&format!(
        "{};
         SET idle_in_transaction_session_timeout = 60000; SET application_name = 'tocsin';
         SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off';",
        waits()
    ))?;
    // Only some accounts may; errors are sorted by their English words.
    if let Err(error) = connection.batch_execute("SET lc_messages = 'C'") {
        tracing::trace!(%error, "the server's messages stay in its language");
    }
    let encoding: String = sql::<Text>("SELECT current_setting('server_encoding')").get_result(&mut connection)?;
    if encoding != "UTF8" {
        let context =
            format!("the database is encoded in {encoding}; make one with: createdb -E UTF8 -T template0 NAME");
        return Err(StoreError::Schema { context, source: None });
    }
    Ok(connection)
}

/// How long a statement may wait, and take.
#[cfg(feature = "postgres")]
pub(super) fn waits() -> String {
    format!("SET lock_timeout = {PATIENCE_MS}; SET statement_timeout = 30000")
}

/// Adds limits to a connection string that states none.
#[cfg(feature = "postgres")]
fn with_timeouts(text: &str) -> String {
    let mut url = text.to_owned();
    for (key, value) in [
        ("connect_timeout", "5"),
        ("tcp_user_timeout", "5000"),
        ("keepalives_idle", "5"),
        ("keepalives_interval", "2"),
        ("keepalives_count", "3"),
    ] {
        if !text.contains(key) {
            url.push(if url.contains('?') { '&' } else { '?' });
            url.push_str(key);
            url.push('=');
            url.push_str(value);
        }
    }
    url
}
