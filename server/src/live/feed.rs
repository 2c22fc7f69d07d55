//! The pace of deltas: at once after a pause, and at most four a second while much happens.

use super::Board;
use crate::clock;
use std::{sync::Arc, time::Duration};

const AT_MOST_EVERY: Duration = Duration::from_millis(250);

/// Publishes deltas for as long as the server runs.
pub async fn publish(board: Arc<Board>) {
    loop {
        board.dirty.notified().await;
        // What is committed together is shown together.
        tokio::time::sleep(Duration::from_millis(10)).await;
        board.publish(clock::now());
        tokio::time::sleep(AT_MOST_EVERY).await;
    }
}
