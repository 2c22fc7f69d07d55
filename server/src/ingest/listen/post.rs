//! What becomes of a message that was heard: most are passed over, and what is an event waits to be stored, if there is room.

use super::Transport;
use crate::{
    entropy,
    http::App,
    ingest::{Posted, arrived},
    runtime::{Arrived, Runtime},
};
use actix_web::web;
use engine::normalize::syslog;
use shared::IntegrationId;
use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

/// What may wait at a port, and as much of P0s, which wait behind nothing else.
const ROOM_BYTES: usize = 8 << 20;
/// What an event takes besides its text.
const EVENT_BYTES: usize = 2 << 10;
/// As many as there can be room for.
pub(super) const EVENTS_MAX: usize = 2 * ROOM_BYTES / EVENT_BYTES;

/// An event that waits.
pub(super) struct Heard {
    pub(super) arrived: Arrived,
    /// The engine has it: offered again it is a repetition.
    pub(super) is_taken: bool,
    pub(super) _room: OwnedSemaphorePermit,
}

/// Names for messages, none twice: one that has to be offered again is known again.
#[derive(Debug)]
pub(super) struct Keys {
    start: u64,
    last: AtomicU64,
}

impl Keys {
    pub(super) fn new() -> Self {
        Self { start: u64::from_le_bytes(entropy::bytes()), last: AtomicU64::new(0) }
    }

    fn next(&self) -> String {
        format!("heard {:x} {}", self.start, self.last.fetch_add(1, Ordering::Relaxed))
    }
}

/// The way of a port's messages to those that wait to be stored.
pub(super) struct Post {
    app: web::Data<App>,
    keys: Arc<Keys>,
    integration: IntegrationId,
    transport: Transport,
    queue: mpsc::Sender<Heard>,
    ordinary: Arc<Semaphore>,
    urgent: Arc<Semaphore>,
}

impl Post {
    /// For a port of an integration; gives the other end too, whose end is seen when the last of these is gone.
    pub(super) fn new(
        app: web::Data<App>,
        keys: Arc<Keys>,
        integration: IntegrationId,
        transport: Transport,
    ) -> (Self, mpsc::Receiver<Heard>) {
        let (queue, waiting) = mpsc::channel(EVENTS_MAX);
        let room = || Arc::new(Semaphore::new(ROOM_BYTES));
        (Self { app, keys, integration, transport, queue, ordinary: room(), urgent: room() }, waiting)
    }

    /// Takes a message when there is room for it; whoever sends datagrams cannot be made to wait.
    pub(super) fn take_or_lose(&self, frame: &[u8], peer: IpAddr) {
        let Some(arrived) = self.read(frame.to_vec(), peer) else { return };
        let room = self.room(&arrived).try_acquire_many_owned(size(&arrived));
        match room {
            Ok(room) => self.put(arrived, room),
            Err(_) => self.transport.count("lost", 1),
        }
    }

    /// Takes a message as soon as there is room for it.
    pub(super) async fn take(&self, frame: Vec<u8>, peer: IpAddr) {
        if let Some(arrived) = self.read(frame, peer) {
            self.hand_over(arrived).await;
        }
    }

    /// Lets what was read wait, as soon as there is room for it; nobody but us can name it.
    pub(super) async fn hand_over_unnamed(&self, mut arrived: Arrived) {
        arrived.key = Some(self.keys.next());
        self.hand_over(arrived).await;
    }

    async fn hand_over(&self, arrived: Arrived) {
        // It is never closed.
        if let Ok(room) = self.room(&arrived).acquire_many_owned(size(&arrived)).await {
            self.put(arrived, room);
        }
    }

    /// Nothing when it is no event.
    fn read(&self, frame: Vec<u8>, peer: IpAddr) -> Option<Arrived> {
        let mut arrived = self.read_as(frame, syslog::MESSAGE, peer)?;
        arrived.key = Some(self.keys.next());
        Some(arrived)
    }

    /// The same of what is told in another way.
    pub(super) fn read_as(&self, body: Vec<u8>, content_type: &str, peer: IpAddr) -> Option<Arrived> {
        let posted = Posted { integration: self.integration.clone(), format: None, body };
        let arrived = arrived(&self.app, posted, Some(content_type), peer);
        self.transport.count("passed_over", arrived.read.passed_over.into());
        (!arrived.read.events.is_empty()).then_some(arrived)
    }

    /// What cannot be read, to be kept with the reason; it pages where it looks like a P0.
    pub(super) fn read_broken(&self, body: Vec<u8>, content_type: &str, peer: IpAddr) -> Arrived {
        let posted = Posted { integration: self.integration.clone(), format: None, body };
        arrived(&self.app, posted, Some(content_type), peer)
    }

    /// The way to the engine, for what its sender waits for.
    pub(super) fn runtime(&self) -> &Runtime {
        &self.app.runtime
    }

    /// What its texts are written in, where its settings state that.
    pub(super) fn charset(&self) -> Option<String> {
        self.app.runtime.config().integrations.get(&self.integration).and_then(|it| it.charset.clone())
    }

    pub(super) const fn integration(&self) -> &IntegrationId {
        &self.integration
    }

    fn room(&self, arrived: &Arrived) -> Arc<Semaphore> {
        Arc::clone(if arrived.urgent { &self.urgent } else { &self.ordinary })
    }

    fn put(&self, arrived: Arrived, room: OwnedSemaphorePermit) {
        // Nobody stores any more when the port was closed long ago.
        if self.queue.try_send(Heard { arrived, is_taken: false, _room: room }).is_err() {
            self.transport.count("lost", 1);
        }
    }
}

fn size(arrived: &Arrived) -> u32 {
    // What is larger than all the room waits for all of it.
    u32::try_from((arrived.body.len() + EVENT_BYTES).min(ROOM_BYTES)).unwrap_or(u32::MAX)
}
