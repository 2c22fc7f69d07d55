//! A program that holds the write lock of the server's SQLite database.

use crate::environment;
use anyhow::{Context as _, Result, ensure};
use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

/// Somebody else who writes to an SQLite database and does not finish; dropping it lets go.
pub struct StoreLock(Child);

impl StoreLock {
    /// Waits until it has the lock.
    ///
    /// # Errors
    /// When it does not get it.
    pub fn take(database: &Path) -> Result<Self> {
        let script = "import sqlite3, sys\n\
            db = sqlite3.connect(sys.argv[1], timeout=20, isolation_level=None)\n\
            db.execute('BEGIN IMMEDIATE')\n\
            print('locked', flush=True)\n\
            sys.stdin.read()\n\
            db.execute('ROLLBACK')";
        let mut python = Command::new(environment::python()?);
        python.args(["-c", script]).arg(database).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = python.spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("no output")?).read_line(&mut line)?;
        ensure!(line.trim() == "locked", "the database could not be locked");
        Ok(Self(child))
    }
}

impl Drop for StoreLock {
    fn drop(&mut self) {
        // The lock goes with its holder.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}
