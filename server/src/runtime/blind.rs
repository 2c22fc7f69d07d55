//! While the store takes nothing: P0 pages go out all the same, marked as unrecorded, and are recorded later.
//!
//! The engine's memory goes on without the disk for that one purpose. Nothing in it is shown or answered with
//! success; senders are told to send again and authors of actions that theirs was not stored, but paging stops
//! for them. Once the store is back the memory is thrown away and read from the store, and the P0 messages kept
//! meanwhile are decided on again, as if they had just come.

use super::{Arrived, inbox::Finished};
use shared::Timestamp;

/// P0 messages kept for later; further ones still page, and are left to their senders' retries.
const SPOOL_MAX: usize = 1_000;
/// Their bodies, together.
const SPOOL_BYTES: usize = 16 << 20;
const FIRST_RETRY_MS: i64 = 200;
const LAST_RETRY_MS: i64 = 2_000;

/// What is kept until the store is back.
#[derive(Debug)]
pub(super) struct Blind {
    /// Tells deliveries begun in this state from all others.
    pub(super) epoch: u64,
    pub(super) spool: Vec<Arrived>,
    spool_bytes: usize,
    /// Ends of deliveries whose beginning is stored.
    pub(super) results: Vec<Finished>,
    pub(super) retry_at: Timestamp,
    pause_ms: i64,
}

impl Blind {
    pub(super) fn new(epoch: u64, now: Timestamp) -> Self {
        let retry_at = now.plus_ms(FIRST_RETRY_MS);
        Self { epoch, spool: Vec::new(), spool_bytes: 0, results: Vec::new(), retry_at, pause_ms: FIRST_RETRY_MS }
    }

    /// Keeps a message for later, if there is room.
    pub(super) fn keep(&mut self, arrived: Arrived) {
        let size = arrived.body.len();
        if self.spool.len() < SPOOL_MAX && self.spool_bytes + size <= SPOOL_BYTES {
            self.spool_bytes += size;
            self.spool.push(arrived);
        } else {
            tracing::warn!("a P0 was paged and is not kept: the spool is full; its sender was told to send it again");
        }
    }

    /// The store was asked again in vain.
    pub(super) fn wait_longer(&mut self, now: Timestamp) {
        self.pause_ms = (self.pause_ms * 2).min(LAST_RETRY_MS);
        self.retry_at = now.plus_ms(self.pause_ms);
    }
}
