//! What waits for the engine's thread, bounded by count and by bytes; messages with a P0 have bounds of their own.

use super::{
    ActError, Arrived, BeatError, Refused, Unavailable,
    lanes::{Lane, Turns, weight},
};
use engine::{Act, Engine, SilenceAct, mirror::MirrorAct};
use shared::{
    AlertId, AttemptId, ContactId, DeliveryReceipt, Failure, HeartbeatId, Incident, IncidentId, MirrorId, PersonId,
    SharedStr, Signal, Silence, SilenceId,
    api::Receipt,
    mirror::{Mirror, MirrorReport},
    placement::Placement,
    timeline::Actor,
};
use std::{
    collections::VecDeque,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::sync::oneshot;

pub(super) type Places = Vec<(AlertId, Arc<Placement>)>;
pub(super) type IngestReply = oneshot::Sender<Result<Receipt, Refused>>;
pub(super) type BeatReply = oneshot::Sender<Result<(), BeatError>>;
pub(super) type SilenceReply = oneshot::Sender<Result<Silence, ActError>>;
pub(super) type MirrorReply = oneshot::Sender<Result<Vec<Mirror>, ActError>>;
pub(super) type Question = Box<dyn FnOnce(&Engine) + Send>;

/// Something for the engine's thread to do.
pub(super) enum Item {
    Arrived(Box<Arrived>, IngestReply),
    Act {
        incident: IncidentId,
        by: Actor,
        act: Act,
        reply: oneshot::Sender<Result<Incident, ActError>>,
    },
    Silence {
        by: Actor,
        act: SilenceAct,
        reply: SilenceReply,
    },
    Mirror {
        by: Actor,
        act: Box<MirrorAct>,
        reply: MirrorReply,
    },
    MirrorReported(MirrorId, MirrorReport),
    Beat(Beat, BeatReply),
    Finished(Finished),
    Told(Told),
    /// The owner of a broken contact was told.
    Warned(PersonId, ContactId),
    /// A contact took a test.
    Worked(PersonId, ContactId),
    /// What somebody else says became of a message.
    Proven(Proven),
    /// Where the machines of these alerts run by now.
    Placed(Places),
    /// Look for a newer configuration.
    Reload(Option<oneshot::Sender<Result<i64, Unavailable>>>),
    Ask(Question),
}

/// A heartbeat was heard.
#[derive(Clone, Debug)]
pub(super) struct Beat {
    pub(super) heartbeat: HeartbeatId,
    pub(super) signal: Signal,
    pub(super) note: String,
}

/// A delivery came to its end.
#[derive(Clone, Debug)]
pub(super) struct Finished {
    pub(super) incident: IncidentId,
    pub(super) attempt: AttemptId,
    pub(super) try_number: u32,
    pub(super) result: Result<Option<String>, Failure>,
    /// The state it was begun in, when that was never stored.
    pub(super) blind: Option<u64>,
}

/// What became of a message, by any incident it names.
#[derive(Clone, Debug)]
pub(super) struct Proven {
    pub(super) incident: IncidentId,
    pub(super) message: AttemptId,
    pub(super) receipt: DeliveryReceipt,
    pub(super) device: Option<SharedStr>,
}

/// A notice came to its end.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub(super) silence: SilenceId,
    pub(super) attempt: AttemptId,
    pub(super) try_number: u32,
    pub(super) result: Result<Option<String>, Failure>,
}

pub(super) struct Bounds {
    pub(super) items: usize,
    pub(super) bytes: usize,
}

/// Messages of any severity.
const ORDINARY: Bounds = Bounds { items: 16_384, bytes: 64 << 20 };
/// Messages with a P0 in them, beside the room that each sender has for itself.
const URGENT: Bounds = Bounds { items: 4_096, bytes: 16 << 20 };
/// Actions, questions and results; bounded by the slots and by the patience of people.
const CONTROL_MAX: usize = 8_192;

#[derive(Default)]
struct Lanes {
    control: VecDeque<Item>,
    urgent: Turns,
    ordinary: Lane,
    closed: bool,
}

#[derive(Default)]
pub(super) struct Inbox {
    lanes: Mutex<Lanes>,
    filled: Condvar,
}

/// What one turn of the thread takes at most, so that a commit stays short.
pub(super) const BATCH_ITEMS: usize = 1_024;
const BATCH_BYTES: usize = 4 << 20;

impl Inbox {
    /// Queues a message, unless its lane is full.
    pub(super) fn arrived(&self, arrived: Arrived, reply: IngestReply) -> bool {
        let mut lanes = self.lock();
        let taken = if lanes.closed {
            false
        } else if arrived.urgent {
            // A recovery that came before it must not end it.
            let before = lanes.ordinary.withdraw(&arrived);
            before.into_iter().for_each(|(arrived, reply)| lanes.urgent.put(arrived, reply));
            lanes.urgent.offer(arrived, reply, &URGENT)
        } else {
            lanes.ordinary.offer(arrived, reply, &ORDINARY)
        };
        drop(lanes);
        self.filled.notify_one();
        taken
    }

    /// Queues anything else. Results of deliveries are always taken: their number is bounded by the slots.
    pub(super) fn push(&self, item: Item) -> bool {
        let mut lanes = self.lock();
        let result = matches!(item, Item::Finished(_) | Item::Told(_));
        if (lanes.closed || lanes.control.len() >= CONTROL_MAX) && !result {
            return false;
        }
        lanes.control.push_back(item);
        drop(lanes);
        self.filled.notify_one();
        true
    }

    /// Waits at most `patience`, then takes a batch: actions and results first, then P0, then the rest.
    /// None once the inbox is closed and empty.
    pub(super) fn drain(&self, patience: Duration) -> Option<Vec<Item>> {
        let mut lanes = self.lock();
        if lanes.is_empty() && !lanes.closed && !patience.is_zero() {
            let waited = self.filled.wait_timeout_while(lanes, patience, |lanes| lanes.is_empty() && !lanes.closed);
            lanes = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        if lanes.closed && lanes.is_empty() {
            return None;
        }
        Some(lanes.batch())
    }

    /// Waits until messages with so many members are there, and takes what waits; nothing once `lasts` is over. While
    /// somebody asks for what only the store knows, it is waited for the end.
    pub(super) fn more(&self, members: usize, lasts: &AtomicBool) -> Vec<Item> {
        let waits = |lanes: &mut Lanes| lasts.load(Ordering::Acquire) && !lanes.is_worth(members);
        let waited = self.filled.wait_while(self.lock(), waits);
        let mut lanes = waited.unwrap_or_else(PoisonError::into_inner);
        if lasts.load(Ordering::Acquire) { lanes.batch() } else { Vec::new() }
    }

    /// Whoever waits looks again at what they wait for.
    pub(super) fn look_up(&self) {
        // Who has looked and does not yet wait holds the lock.
        drop(self.lock());
        self.filled.notify_one();
    }

    /// Nothing more is taken; what waits is still served.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.filled.notify_one();
    }

    pub(super) fn waiting(&self) -> u32 {
        let lanes = self.lock();
        (lanes.control.len() + lanes.urgent.len() + lanes.ordinary.len()) as u32
    }

    fn lock(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lanes {
    /// What one turn takes: actions and results first, then P0, then the rest.
    fn batch(&mut self) -> Vec<Item> {
        let mut batch: Vec<Item> = Vec::new();
        // Not all at once, and apart from the messages: whoever asks a thousand questions holds up no alert.
        let control = self.control.len().min(BATCH_ITEMS);
        batch.extend(self.control.drain(..control));
        let (mut messages, mut bytes) = (0, 0);
        while messages < BATCH_ITEMS && bytes < BATCH_BYTES {
            // However many P0s wait, every fourth place is for what else does: recoveries wait there, too.
            let is_shared = messages % 4 == 3 && self.ordinary.len() > 0;
            let next = if is_shared { self.ordinary.take() } else { self.urgent.take() };
            let Some((arrived, reply)) = next.or_else(|| self.ordinary.take()) else { break };
            messages += 1;
            bytes += weight(&arrived);
            batch.push(Item::Arrived(arrived, reply));
        }
        // Few large ones may fill a turn by themselves.
        if messages > 0
            && messages < 4
            && let Some((arrived, reply)) = self.ordinary.take()
        {
            batch.push(Item::Arrived(arrived, reply));
        }
        batch
    }

    /// Whether messages with so many members wait, and nobody asks for what only the store knows.
    fn is_worth(&self, members: usize) -> bool {
        let asked = self.control.iter().any(|item| matches!(item, Item::Reload(_)));
        !asked && self.urgent.members + self.ordinary.members >= members
    }

    fn is_empty(&self) -> bool {
        self.control.is_empty() && self.urgent.len() == 0 && self.ordinary.len() == 0
    }
}
