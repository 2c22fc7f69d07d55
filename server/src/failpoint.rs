//! Named places where a test may kill the process, to prove that nothing acknowledged is lost, or make it hang there.
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
    // A mirror is stored as being sent, and its switch has nothing of it.
    "mirror.before_send",
    // Its switch has it, and the engine was not told.
    "mirror.sent",
    // A mirror is to end, and its switch has it still.
    "mirror.before_remove",
    // Its switch has it no more, and the engine was not told.
    "mirror.removed",
];

#[cfg(feature = "failpoints")]
mod armed {
    use std::sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    };

    struct Armed {
        name: String,
        /// How many times it is still passed.
        left: AtomicU32,
        hangs: bool,
    }

    static ARMED: OnceLock<Armed> = OnceLock::new();

    /// Arms `name`, `name:n`, or either with `=hang`: the n-th time the process gets there it dies, or stays for ever.
    pub fn arm(spec: &str) -> Result<(), String> {
        let (place, hangs) = spec.strip_suffix("=hang").map_or((spec, false), |place| (place, true));
        let (name, times) = place.split_once(':').unwrap_or((place, "1"));
        if !super::ALL.contains(&name) {
            return Err(format!("there is no failpoint `{name}`; there are {}", super::ALL.join(", ")));
        }
        let times = times.parse().map_err(|_| format!("`{times}` is not a number of times"))?;
        let armed = Armed { name: name.to_owned(), left: AtomicU32::new(times), hangs };
        ARMED.set(armed).map_err(|_| "a failpoint is armed already".to_owned())
    }

    /// Dies here, as by `kill -9`, or goes no further, if a test asked for it.
    pub fn hit(name: &str) {
        let Some(armed) = ARMED.get().filter(|armed| armed.name == name) else { return };
        if armed.left.fetch_sub(1, Ordering::SeqCst) != 1 {
            return;
        }
        if !armed.hangs {
            std::process::abort();
        }
        loop {
            std::thread::park();
        }
    }
}

#[cfg(feature = "failpoints")]
pub use armed::{arm, hit};

/// Nothing, without the feature.
#[cfg(not(feature = "failpoints"))]
pub fn hit(_name: &str) {}
