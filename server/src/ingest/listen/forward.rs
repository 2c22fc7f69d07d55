//! Fluentd's forward protocol: records, acknowledged once those of them that are events are stored.
//!
//! Whoever asks for an acknowledgement keeps what is not acknowledged and sends it again, so nothing waits here for them: what
//! cannot be stored ends the connection. Of the others what was read is kept until it is stored, as with syslog.

mod said;
mod shake;
mod wire;

use super::{
    Senders, Stop,
    door::Guest,
    post::Post,
    slots::Slot,
    store::{BATCH, keep_together},
};
use crate::{auth::token, runtime::Arrived, telemetry};
use engine::normalize::forward::RECORD;
use said::Said;
use shake::{Judged, Shake};
use std::{io, net::IpAddr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{sleep, timeout},
};
use wire::{Fault, Frames};

/// Senders that may be in the middle of something large at a time.
pub(super) const LARGE_MAX: usize = 4;
/// What is larger waits for its turn.
const SMALL_BYTES: usize = 256 << 10;
const READ_BYTES: usize = 32 << 10;
/// What a sender may say before it has proved that it knows the key.
const UNPROVED_BYTES: usize = 4 << 10;
/// Whoever has begun to say something goes on within this time.
const STALLED: Duration = Duration::from_secs(30);
/// Events of a chunk that are read before any of them is stored.
const PORTION: usize = 2_048;
/// And so much of them.
const PORTION_BYTES: usize = 16 << 20;
/// What is kept of a chunk that cannot be read.
const BROKEN_MAX_BYTES: usize = 1 << 20;
/// One message is heard within this time.
const WHOLE: Duration = Duration::from_secs(300);
/// Records that are read before others have their turn.
const TURN: usize = 256;

/// Hears a sender until it hangs up or may not speak any more, its place is needed, the port is closed, or what it says cannot be
/// read or stored.
pub(super) async fn hear(guest: Guest, stream: TcpStream, post: Arc<Post>, large: Arc<Semaphore>) -> io::Result<()> {
    let Guest { ip, slot, senders, stop } = guest;
    let key = senders.terms().shared_key;
    let (frames, bytes) = (Frames::default(), vec![0; READ_BYTES]);
    let mut heard = Heard { ip, slot, senders, stop, key, stream, frames, bytes, large, room: None, is_proved: false };
    if heard.prove().await? {
        heard.is_proved = true;
        while let Some(frame) = heard.frame().await? {
            heard.take(&post, &frame).await?;
        }
    }
    Ok(())
}

struct Heard {
    ip: IpAddr,
    slot: Slot,
    senders: Senders,
    stop: Stop,
    key: Option<String>,
    stream: TcpStream,
    frames: Frames,
    bytes: Vec<u8>,
    large: Arc<Semaphore>,
    /// For something large.
    room: Option<OwnedSemaphorePermit>,
    is_proved: bool,
}

fn broken(fault: Fault) -> io::Error {
    telemetry::forwarded("broken", 1);
    io::Error::new(io::ErrorKind::InvalidData, fault)
}

impl Heard {
    /// Has it prove that it knows the key, where there is one.
    async fn prove(&mut self) -> io::Result<bool> {
        let Some(key) = self.key.clone() else { return Ok(true) };
        let shake = Shake::new();
        self.say(&shake.hello()?).await?;
        let Some(ping) = timeout(STALLED, self.frame()).await?? else { return Ok(false) };
        let Judged { is_known, answer } = shake.judge(&ping, &key).map_err(broken)?;
        self.say(&answer).await?;
        if !is_known {
            telemetry::refused("forward_key");
            tracing::warn!(ip = %self.ip, "a sender of the forward protocol does not know the `shared_key`");
        }
        Ok(is_known)
    }

    async fn say(&mut self, bytes: &[u8]) -> io::Result<()> {
        timeout(STALLED, self.stream.write_all(bytes)).await?
    }

    /// The next thing it says; nothing when it is not to be heard any more.
    async fn frame(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut whole = Box::pin(sleep(WHOLE));
        loop {
            if let Some(frame) = self.frames.next().map_err(|fault| self.unreadable(fault))? {
                return Ok(Some(frame));
            }
            let held = self.frames.held();
            if held == 0 {
                whole = Box::pin(sleep(WHOLE));
            }
            if held < SMALL_BYTES {
                self.room = None;
            } else if self.room.is_none() {
                let large = Arc::clone(&self.large);
                self.room = tokio::select! {
                    () = self.stop.asked() => return Ok(None),
                    room = large.acquire_owned() => room.ok(),
                };
            }
            let is_stalled = async { if held > 0 { sleep(STALLED).await } else { std::future::pending().await } };
            let count = tokio::select! {
                () = self.stop.asked() => return Ok(None),
                () = self.slot.needed() => return Ok(None),
                () = is_stalled => return Err(io::ErrorKind::TimedOut.into()),
                () = &mut whole, if held > 0 => return Err(io::ErrorKind::TimedOut.into()),
                count = self.stream.read(&mut self.bytes) => count?,
            };
            let terms = self.senders.terms();
            if count == 0 || !self.senders.may_speak(self.ip) || terms.shared_key != self.key {
                return Ok(None);
            }
            self.slot.heard();
            self.frames.push(self.bytes.get(..count).unwrap_or_default());
            if !self.is_proved && self.key.is_some() && self.frames.held() > UNPROVED_BYTES {
                return Err(self.unreadable(Fault::TooLarge));
            }
        }
    }

    fn unreadable(&self, fault: Fault) -> io::Error {
        tracing::warn!(ip = %self.ip, %fault, "what a sender of the forward protocol says cannot be read");
        broken(fault)
    }

    /// Stores what one message says, and tells so where that is asked for.
    async fn take(&mut self, post: &Post, frame: &[u8]) -> io::Result<()> {
        let charset = post.charset();
        let said = Said::read(frame, charset.as_deref()).map_err(|fault| self.unreadable(fault))?;
        let Some(said) = said else { return Ok(()) };
        let (mut portion, mut held, mut failed) = (Vec::new(), 0, None);
        for (index, record) in said.records(charset).enumerate() {
            if index % TURN == TURN - 1 {
                tokio::task::yield_now().await;
            }
            let body = match record {
                Ok(body) => body,
                // One that is no object takes nothing from those beside it; the rest of what is cut is not known.
                Err(fault @ Fault::Expected(_)) => {
                    drop(self.unreadable(fault));
                    continue;
                }
                // It would be the same when it is sent again, and hold up what is behind it for days: it is kept, and acknowledged.
                Err(fault) => {
                    drop(self.unreadable(fault));
                    let body = frame.get(..BROKEN_MAX_BYTES).unwrap_or(frame).to_vec();
                    let key = said.chunk.map(|chunk| key(chunk, index, &body));
                    let mut arrived = post.read_broken(body, RECORD, self.ip);
                    arrived.key = key;
                    portion.push(arrived);
                    break;
                }
            };
            let key = said.chunk.map(|chunk| key(chunk, index, &body));
            let Some(mut arrived) = post.read_as(body, RECORD, self.ip) else { continue };
            match key {
                Some(key) => {
                    arrived.key = Some(key);
                    portion.push(arrived);
                }
                None => post.hand_over_unnamed(arrived).await,
            }
            held += portion.last().map_or(0, |it: &Arrived| it.body.len());
            if portion.len() >= PORTION || held >= PORTION_BYTES {
                held = 0;
                failed = store(post, std::mem::take(&mut portion), failed).await;
            }
        }
        if let Some(error) = store(post, portion, failed).await {
            return Err(error);
        }
        match said.chunk {
            Some(chunk) => {
                let mut ack = Vec::new();
                rmp::encode::write_map_len(&mut ack, 1)?;
                rmp::encode::write_str(&mut ack, "ack")?;
                // As it was written, which is text to all who look at it.
                match std::str::from_utf8(chunk) {
                    Ok(chunk) => rmp::encode::write_str(&mut ack, chunk)?,
                    Err(_) => rmp::encode::write_bin(&mut ack, chunk)?,
                }
                self.say(&ack).await
            }
            None => Ok(()),
        }
    }
}

/// By what a record is known when its chunk is sent again. Its own bytes take part: there are senders that name every chunk alike.
fn key(chunk: &[u8], index: usize, body: &[u8]) -> String {
    let said = format!("{index} {} {}", String::from_utf8_lossy(chunk), String::from_utf8_lossy(body));
    format!("forward {}", token::hash_hex(&said))
}

/// Stores events in their order, and says what failed, now or before. When one is not stored, those behind it are not either; a P0
/// among them pages all the same, and waits for no other.
async fn store(post: &Post, mut events: Vec<Arrived>, failed: Option<io::Error>) -> Option<io::Error> {
    let mut is_taken = vec![false; events.len()];
    keep_together(events.iter_mut().zip(is_taken.iter_mut()));
    if failed.is_some() || events.len() > BATCH {
        // They keep their place, and are repetitions when it is their turn.
        let urgent: Vec<Arrived> = events.iter().filter(|it| it.urgent).cloned().collect();
        if !urgent.is_empty() {
            post.runtime().ingest_all(urgent).await;
        }
    }
    if failed.is_some() {
        return failed;
    }
    let mut done = 0;
    for batch in events.chunks(BATCH) {
        let told = post.runtime().ingest_all(batch.to_vec()).await;
        telemetry::forwarded("stored", told.stored as u64);
        if told.stored < batch.len() {
            let behind = events.get(done + told.taken..).unwrap_or_default();
            let urgent: Vec<Arrived> = behind.iter().filter(|it| it.urgent).cloned().collect();
            if !urgent.is_empty() {
                post.runtime().ingest_all(urgent).await;
            }
            let unstored = events.len() - done - told.stored;
            telemetry::forwarded("unstored", unstored as u64);
            tracing::warn!(unstored, integration = %post.integration(), "what is forwarded cannot be stored; its sender keeps it");
            return Some(io::Error::other("it cannot be stored"));
        }
        done += batch.len();
    }
    None
}
