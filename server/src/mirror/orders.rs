//! What the engine wants done about mirrors, from its thread to whoever does it.

use engine::mirror::MirrorCommand;
use shared::{MirrorId, mirror::Mirror};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::Notify;

/// By mirror and kind, in the order in which they are carried out.
type Waiting = BTreeMap<(MirrorId, u8), (MirrorCommand, Arc<Mirror>)>;

/// What is to be done, the newest of a kind for each mirror.
#[derive(Debug, Default)]
pub struct Orders {
    waiting: Mutex<Waiting>,
    news: Notify,
}

impl Orders {
    /// Gives an order; one of the same kind for the same mirror that still waits is replaced, so that they are never more
    /// than a few for each mirror.
    pub fn give(&self, command: MirrorCommand, mirror: Arc<Mirror>) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.insert((command.mirror(), kind(command)), (command, mirror));
        self.news.notify_one();
    }

    /// Waits for orders, and takes all.
    pub async fn taken(&self) -> Vec<(MirrorCommand, Arc<Mirror>)> {
        loop {
            let taken = std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
            if !taken.is_empty() {
                return taken.into_values().collect();
            }
            self.news.notified().await;
        }
    }
}

/// In the order in which they are carried out when several wait: what ends comes first.
const fn kind(command: MirrorCommand) -> u8 {
    match command {
        MirrorCommand::Remove { .. } => 0,
        MirrorCommand::Retag { .. } => 1,
        MirrorCommand::Apply { .. } => 2,
        MirrorCommand::Rearm { .. } => 3,
        MirrorCommand::Look { .. } => 4,
        MirrorCommand::Prove { .. } => 5,
    }
}
