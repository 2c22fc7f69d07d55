//! Databases for tests: a SQLite file of its own, or a database of its own on one PostgreSQL server a process.

use e2e::postgres::{Durability, Server};
use server::{
    db::{DatabaseUrl, Store, StoreError},
    seal::KeyFile,
};
use shared::Timestamp;
use std::{
    path::PathBuf,
    sync::{Mutex, OnceLock},
};
use tempfile::TempDir;

/// An empty database.
pub(crate) struct Place {
    pub(crate) url: DatabaseUrl,
    pub(crate) folder: TempDir,
}

/// Saturday 2026-11-21 07:00 UTC.
pub(crate) const NOW: Timestamp = Timestamp::from_ms(1_795_244_400_000);
pub(crate) const HOUR: i64 = 3_600_000;
pub(crate) const DAY: i64 = 24 * HOUR;

pub(crate) fn sqlite() -> Place {
    let folder = tempfile::tempdir().unwrap();
    let url = DatabaseUrl::Sqlite(folder.path().join("tocsin.db"));
    Place { url, folder }
}

/// Fails, rather than skips, where there is no PostgreSQL: half of the promises would go untested.
pub(crate) fn postgres() -> Place {
    static SERVER: OnceLock<Mutex<Server>> = OnceLock::new();
    let server = SERVER.get_or_init(|| match Server::start_with(Durability::None) {
        Ok(server) => Mutex::new(server),
        Err(error) => panic!("the store is tested on PostgreSQL too: {error:#}"),
    });
    let url = server.lock().unwrap().create_database().unwrap();
    Place { url: DatabaseUrl::parse(&url).unwrap(), folder: tempfile::tempdir().unwrap() }
}

impl Place {
    /// A connection to a database whose schema may be missing.
    pub(crate) fn bare(&self) -> Store {
        Store::open_with(&self.url, &self.keys()).unwrap()
    }

    /// Where its keys are.
    pub(crate) fn keys(&self) -> KeyFile {
        KeyFile::at(self.key_path())
    }

    pub(crate) fn key_path(&self) -> PathBuf {
        self.folder.path().join("tocsin.db.key")
    }

    /// A connection to a database with its schema.
    pub(crate) fn store(&self) -> Store {
        let mut store = self.bare();
        store.migrate().unwrap();
        store
    }

    /// A connection that may commit.
    pub(crate) fn writer(&self) -> Store {
        let mut store = self.store();
        store.restore(NOW).unwrap();
        store
    }

    pub(crate) fn is_sqlite(&self) -> bool {
        matches!(self.url, DatabaseUrl::Sqlite(_))
    }

    /// Another program on the same database.
    pub(crate) fn stranger(&self) -> Stranger {
        use diesel::Connection as _;
        match &self.url {
            DatabaseUrl::Sqlite(path) => {
                Stranger::Sqlite(diesel::SqliteConnection::establish(path.to_str().unwrap()).unwrap())
            }
            DatabaseUrl::Postgres(url) => Stranger::Postgres(diesel::PgConnection::establish(url).unwrap()),
        }
    }
}

/// A connection that obeys no rule of ours.
pub(crate) enum Stranger {
    Sqlite(diesel::SqliteConnection),
    Postgres(diesel::PgConnection),
}

impl Stranger {
    pub(crate) fn run(&mut self, sql: &str) -> Result<(), String> {
        use diesel::connection::SimpleConnection as _;
        let done = match self {
            Self::Sqlite(connection) => connection.batch_execute(sql),
            Self::Postgres(connection) => connection.batch_execute(sql),
        };
        done.map_err(|error| error.to_string())
    }

    /// The single column of a query, as text.
    pub(crate) fn texts(&mut self, query: &str) -> Vec<String> {
        use diesel::{RunQueryDsl as _, dsl::sql, sql_types::Text};
        match self {
            Self::Sqlite(connection) => sql::<Text>(query).load(connection).unwrap(),
            Self::Postgres(connection) => sql::<Text>(query).load(connection).unwrap(),
        }
    }
}

pub(crate) fn refused<T: std::fmt::Debug>(result: Result<T, StoreError>) -> server::db::Refused {
    match result.unwrap_err() {
        StoreError::Refused(refused) => refused,
        other => panic!("refused for another reason: {other}"),
    }
}
