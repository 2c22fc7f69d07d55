//! Checkpoints of the embedded database, on a thread of their own: whoever commits does not also move what was written
//! before from the log into the file.

use super::{DatabaseUrl, Store, StoreError};
use diesel::{QueryableByName, RunQueryDsl as _, sql_query, sql_types::Integer};
use std::{
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread,
    time::Duration,
};

/// Pages of 4 kB in the log that are worth moving.
const WORTH_PAGES: i32 = 1_500;
/// Commits that come faster are looked at together.
const AT_MOST_EVERY: Duration = Duration::from_millis(10);

/// The thread, for as long as this value lives. When it cannot keep up, or does not run, commits do the work
/// themselves once the log is much longer.
pub struct Checkpoints {
    /// None for a database that sees to it itself.
    nudge: Option<SyncSender<()>>,
}

impl Checkpoints {
    /// Begins; on PostgreSQL there is nothing to do.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start(url: &DatabaseUrl) -> std::io::Result<Self> {
        if matches!(url, DatabaseUrl::Postgres(_)) {
            return Ok(Self { nudge: None });
        }
        let (nudge, nudged) = sync_channel(1);
        let url = url.clone();
        thread::Builder::new().name("checkpoint".to_owned()).spawn(move || run(&url, &nudged))?;
        Ok(Self { nudge: Some(nudge) })
    }

    /// Something was committed. Never waits.
    pub fn committed(&self) {
        if let Some(nudge) = &self.nudge {
            // Full means that it will look anyway.
            nudge.try_send(()).ok();
        }
    }
}

fn run(url: &DatabaseUrl, nudged: &Receiver<()>) {
    let mut store = None;
    while nudged.recv().is_ok() {
        let open = match store.take() {
            Some(store) => Ok(store),
            None => Store::open(url),
        };
        // Opened anew after a fault, which commits meet as well and report.
        match open.and_then(|mut open| open.checkpoint(WORTH_PAGES).map(|_| open)) {
            Ok(open) => store = Some(open),
            Err(error) => tracing::debug!(%error, "the log could not be moved into the file"),
        }
        thread::sleep(AT_MOST_EVERY);
    }
}

/// How far a write-ahead log is, in pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, QueryableByName)]
struct Log {
    #[diesel(sql_type = Integer)]
    log: i32,
    #[diesel(sql_type = Integer)]
    checkpointed: i32,
}

impl Store {
    /// Moves what is committed from the log into the file when it is at least this many pages, as far as nobody still
    /// reads an older state. Neither readers nor writers wait for it. Returns the pages that are left.
    ///
    /// # Errors
    /// When the database does not answer.
    fn checkpoint(&mut self, worth: i32) -> Result<i32, StoreError> {
        let left = self.log("PRAGMA wal_checkpoint(NOOP)")?;
        if left < worth { Ok(left) } else { self.log("PRAGMA wal_checkpoint(PASSIVE)") }
    }

    fn log(&mut self, pragma: &str) -> Result<i32, StoreError> {
        let Log { log, checkpointed } = sql_query(pragma).get_result(&mut self.db)?;
        Ok(log - checkpointed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use diesel::connection::SimpleConnection as _;

    #[test]
    fn a_log_is_moved_once_it_is_worth_it_also_while_somebody_writes() {
        let folder = tempfile::tempdir().unwrap();
        let url = DatabaseUrl::Sqlite(folder.path().join("tocsin.db"));
        let (mut writer, mut beside) = (Store::open(&url).unwrap(), Store::open(&url).unwrap());
        writer.db.batch_execute("CREATE TABLE t (x); INSERT INTO t VALUES (zeroblob(100000));").unwrap();
        let left = beside.checkpoint(1_000).unwrap();
        assert!(left > 20, "{left} pages left");
        // Not committed, so not counted, and not waited for.
        writer.db.batch_execute("BEGIN IMMEDIATE; INSERT INTO t VALUES (zeroblob(100000));").unwrap();
        assert_eq!(beside.checkpoint(left).unwrap(), 0);
        writer.db.batch_execute("COMMIT").unwrap();
        assert!(beside.checkpoint(1_000).unwrap() > 20);
    }
}
