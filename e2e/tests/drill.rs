//! The failure drill: what real senders do while our server refuses, stalls, or dies between taking and answering.
//!
//! Afterwards a sender that tries again by itself has its alert there exactly once, with one page; one that does not was told
//! that it failed; and nothing that any of them was told to be taken is missing. Each drill is one server and all senders at
//! the same time.

mod field;

use anyhow::{Context as _, Result, ensure};
use e2e::{store_lock::StoreLock, wait};
use field::{Field, Told};
use std::{process::Command, time::Duration};

const PATIENCE: Duration = Duration::from_secs(40);

#[test]
fn while_the_store_refuses_every_sender_is_made_to_come_back_or_is_told() -> Result<()> {
    let mut field = Field::new()?;
    let lock = StoreLock::take(&field.server.data().join("tocsin.db"))?;
    let told = field.send(|field| {
        let all = || Ok((field.unrefused()?.is_empty()).then_some(()));
        wait::attempt("each sender to be refused", PATIENCE, all)
            .with_context(|| format!("not refused: {:?}", field.unrefused()))?;
        drop(lock);
        Ok(())
    })?;
    field.verdict("the store refuses", &told)
}

#[test]
fn a_server_that_stalls_for_longer_than_senders_wait_has_each_alert_once() -> Result<()> {
    let mut field = Field::new()?;
    signal(&field, "-STOP")?;
    let told = field.send(|field| {
        // Of those that have a time-out, Alertmanager's is the longest: ten seconds.
        let given_up = || Ok((field.alertmanager_failures()? > 0).then_some(()));
        let waited = wait::attempt("Alertmanager to give up a request", PATIENCE, given_up);
        signal(field, "-CONT")?;
        waited
    })?;
    field.verdict("the server stalls", &told)
}

#[test]
fn killed_before_it_stored_the_server_has_each_alert_once_or_its_sender_was_told() -> Result<()> {
    killed("ingest.before_commit", "killed before the commit")
}

#[test]
fn killed_before_it_answered_the_server_has_each_alert_once() -> Result<()> {
    killed("ingest.committed", "killed before the answer")
}

/// Senders whose requests are there when the process goes on, and dies of the first.
const AT_ONCE: usize = 12;

/// Dies by itself when the first messages are there, of as many senders as there are, and is started again on the same address
/// and database.
fn killed(failpoint: &str, fault: &str) -> Result<()> {
    let mut field = Field::new()?;
    field.server.stop()?;
    field.server.start_again_with(&["--failpoint", failpoint])?;
    signal(&field, "-STOP")?;
    let told = field.send(|field| {
        let are_there = || Ok((field.connections()? >= AT_ONCE).then_some(()));
        let waited = wait::attempt("senders to be there", PATIENCE, are_there);
        signal(field, "-CONT")?;
        waited.with_context(|| format!("{:?} connections", field.connections()))?;
        field.server.wait_for_abort(PATIENCE)?;
        // What holds a message for us meanwhile gets one while nobody is here.
        field.log_lines()?;
        field.server.start_again()
    })?;
    ensure!(told.values().any(|told| *told != Told::Taken), "nobody noticed: {told:?}");
    field.verdict(fault, &told)
}

fn signal(field: &Field, name: &str) -> Result<()> {
    let pid = field.server.pid().to_string();
    ensure!(Command::new("kill").args([name, &pid]).status()?.success(), "it does not run");
    Ok(())
}
