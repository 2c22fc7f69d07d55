//! Where a machine is: what all sources say of machines, found by any of its names, and put together into one answer.
//!
//! Nothing here decides on alerts, and nothing waits: sources are observed elsewhere, and what they say is handed in with
//! the time at which they said it. Two sources may contradict each other; both are kept, and the answer names the doubt.

mod index;
mod resolve;

pub use index::{Index, Moved, Seen};
pub use resolve::Answer;

use siphasher::sip::SipHasher13;
use std::hash::Hasher as _;

/// A number for some bytes, the same on every machine and in every version.
#[must_use]
pub fn digest(bytes: &[u8]) -> u64 {
    let mut hasher = SipHasher13::new();
    hasher.write(bytes);
    hasher.finish()
}
