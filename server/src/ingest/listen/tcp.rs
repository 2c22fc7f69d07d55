//! Connections of syslog: frames one behind the other, each read as it says itself. While there is no room for what was read, nothing
//! more is, so that senders keep what they have.

use super::{Senders, Stop, door::Guest, post::Post, slots::Slot};
use engine::normalize::syslog::{FRAME_MAX_BYTES, Frames};
use std::{io, net::IpAddr, sync::Arc, time::Duration};
use tokio::{io::AsyncReadExt as _, net::TcpStream, time::sleep};

const READ_BYTES: usize = 16 << 10;
/// What has begun and does not go on for so long is taken as it is: some senders end a message by beginning the next.
const STALLED: Duration = Duration::from_secs(5);
/// What a sender has said already when its port is closed.
const LAST_BYTES: usize = 16 * FRAME_MAX_BYTES;

/// Hears a sender until it hangs up or may not speak any more, its place is needed, or the port is closed.
pub(super) async fn hear(guest: Guest, stream: TcpStream, post: Arc<Post>) -> io::Result<()> {
    let Guest { ip, slot, senders, stop } = guest;
    Connection { ip, slot, senders }.hear(stream, &post, stop).await
}

struct Connection {
    ip: IpAddr,
    slot: Slot,
    senders: Senders,
}

impl Connection {
    async fn hear(mut self, mut stream: TcpStream, post: &Post, mut stop: Stop) -> io::Result<()> {
        let (mut frames, mut bytes) = (Frames::default(), vec![0; READ_BYTES]);
        let ended = loop {
            let is_stalled = async {
                if frames.has_begun() {
                    sleep(STALLED).await;
                } else {
                    std::future::pending().await
                }
            };
            let read = tokio::select! {
                () = stop.asked() => break Ok(()),
                () = self.slot.needed() => break Ok(()),
                () = is_stalled => None,
                read = stream.read(&mut bytes) => Some(read),
            };
            match read {
                Some(Ok(0)) => break Ok(()),
                Some(Ok(_)) if !self.senders.may_speak(self.ip) => break Ok(()),
                Some(Ok(count)) => {
                    self.slot.heard();
                    frames.push(bytes.get(..count).unwrap_or_default());
                }
                // What came before the connection broke was said all the same.
                Some(Err(error)) => break Err(error),
                None => self.take(post, frames.rest()).await,
            }
            self.take(post, frames.by_ref()).await;
        };
        let mut last = 0;
        while stop.is_asked() && last < LAST_BYTES {
            let Ok(count @ 1..) = stream.try_read(&mut bytes) else { break };
            last += count;
            frames.push(bytes.get(..count).unwrap_or_default());
            self.take(post, frames.by_ref()).await;
        }
        self.take(post, frames.rest()).await;
        ended
    }

    async fn take(&self, post: &Post, frames: impl IntoIterator<Item = Vec<u8>>) {
        for frame in frames {
            post.take(frame, self.ip).await;
        }
    }
}
