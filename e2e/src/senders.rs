//! The account of the real senders that tests ran: each writes a line, and `cargo xtask test` prints them all at its end.
#![expect(clippy::disallowed_methods, reason = "a test has no configuration; the command that runs it says where")]

use anyhow::{Context as _, Result};
use std::{
    fs::OpenOptions,
    io::Write as _,
    process::{Command, Stdio},
};

/// Notes that a sender was understood: who it is, its version, what it was made to do, and what came of that. Called when a
/// test has seen that, so what failed has no line. Nothing is written unless `TOCSIN_SENDERS` names a file.
///
/// # Errors
/// When the file cannot be written.
pub fn worked(sender: &str, version: &str, calls: &str, result: &str) -> Result<()> {
    let Some(path) = std::env::var_os("TOCSIN_SENDERS") else { return Ok(()) };
    let line = [sender, version, calls, result].map(|cell| cell.replace(['\t', '\n'], " ")).join("\t");
    // One write, since tests run beside each other.
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    file.write_all(format!("{line}\n").as_bytes()).context("the account of senders cannot be written")
}

/// The first number with points in it among what a program says when asked for its version.
///
/// # Errors
/// When it cannot be run, or says none.
pub fn version(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output()?;
    let said = [output.stdout, output.stderr].concat();
    version_in(&String::from_utf8_lossy(&said)).with_context(|| format!("{command:?} names no version"))
}

/// The same in a text.
#[must_use]
pub fn version_in(said: &str) -> Option<String> {
    let words = said.split(|letter: char| letter.is_whitespace() || matches!(letter, ',' | '(' | ')' | '/'));
    let words = words.map(|word| word.trim_start_matches('v').trim_end_matches('.'));
    let is_version = |word: &&str| word.contains('.') && word.starts_with(|letter: char| letter.is_ascii_digit());
    words.into_iter().find(is_version).map(str::to_owned)
}
