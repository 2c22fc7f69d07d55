//! Named places where a test may kill the process, to prove that nothing acknowledged is lost.
//!
//! Compiled to nothing unless the `failpoints` feature is on; a release never has it.

/// Every failpoint there is; the crash tests go through all of them.
pub const ALL: &[&str] = &[
    // A batch is decided and not stored.
    "ingest.before_commit",
    // A batch is stored and nobody was told.
    "ingest.committed",
    // A delivery is stored as begun, and its channel was not called.
    "notify.claimed",
    // The channel answered, and the engine was not told.
    "notify.sent",
    // The result of a delivery is about to be stored.
    "notify.before_record",
    // An action is stored and its author was not told.
    "act.committed",
];

#[cfg(feature = "failpoints")]
mod armed {
    use std::sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    };

    static ARMED: OnceLock<(String, AtomicU32)> = OnceLock::new();

    /// Arms `name` or `name:n`: the process dies at the n-th time it gets there.
    pub fn arm(spec: &str) -> Result<(), String> {
        let (name, times) = spec.split_once(':').unwrap_or((spec, "1"));
        if !super::ALL.contains(&name) {
            return Err(format!("there is no failpoint `{name}`; there are {}", super::ALL.join(", ")));
        }
        let times = times.parse().map_err(|_| format!("`{times}` is not a number of times"))?;
        ARMED.set((name.to_owned(), AtomicU32::new(times))).map_err(|_| "a failpoint is armed already".to_owned())
    }

    /// Dies here, as by `kill -9`, if a test asked for it.
    pub fn hit(name: &str) {
        if let Some((armed, left)) = ARMED.get()
            && armed == name
            && left.fetch_sub(1, Ordering::SeqCst) == 1
        {
            std::process::abort();
        }
    }
}

#[cfg(feature = "failpoints")]
pub use armed::{arm, hit};

/// Nothing, without the feature.
#[cfg(not(feature = "failpoints"))]
pub fn hit(_name: &str) {}
