//! The one place where a test waits: it looks again and again until something is so, or says that it never was.
#![expect(clippy::disallowed_methods, reason = "tests watch a real process in real time")]

use anyhow::{Result, bail, ensure};
use std::{
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// Long enough for a debug build on a busy machine; what takes longer is broken.
pub const PATIENCE: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Waits until `look` finds something.
///
/// # Errors
/// When it did not within `patience`; the error names what was waited for.
pub fn until<T>(what: &str, patience: Duration, mut look: impl FnMut() -> Option<T>) -> Result<T> {
    attempt(what, patience, || Ok(look()))
}

/// Waits until `look` finds something; an error of `look` ends the wait.
///
/// # Errors
/// Those of `look`, and when it found nothing within `patience`.
pub fn attempt<T>(what: &str, patience: Duration, mut look: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let begun = Instant::now();
    loop {
        if let Some(found) = look()? {
            return Ok(found);
        }
        if begun.elapsed() > patience {
            bail!("waited {patience:?} in vain for {what}");
        }
        thread::sleep(LOOK_EVERY);
    }
}

/// Watches that something stays so for a while.
///
/// # Errors
/// As soon as it is not so.
pub fn stays(what: &str, length: Duration, mut is_so: impl FnMut() -> bool) -> Result<()> {
    let begun = Instant::now();
    while begun.elapsed() < length {
        ensure!(is_so(), "after {:?} it no longer held that {what}", begun.elapsed());
        thread::sleep(LOOK_EVERY);
    }
    Ok(())
}

/// Lets time pass: the pace of a sender, or the moment at which something is to happen.
pub fn pass(length: Duration) {
    thread::sleep(length);
}

/// Sleeps until an instant; returns at once when it is over.
pub fn sleep_until(at: Instant) {
    if let Some(left) = at.checked_duration_since(Instant::now()) {
        thread::sleep(left);
    }
}

/// Now, for measuring.
#[must_use]
pub fn instant() -> Instant {
    Instant::now()
}

/// Now, as servers and people write it: milliseconds since 1970.
#[must_use]
pub fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
