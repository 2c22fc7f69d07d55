//! Connections: frames one behind the other, each read as it says itself. While there is no room for what was read, nothing
//! more is, so that senders keep what they have.

use super::{Senders, Stop, post::Post, slots::Slot, slots::Slots};
use engine::normalize::syslog::{FRAME_MAX_BYTES, Frames};
use rustix::net::sockopt;
use std::{io, net::IpAddr, sync::Arc, time::Duration};
use tokio::{
    io::AsyncReadExt as _,
    net::{TcpListener, TcpStream},
    time::sleep,
};

const READ_BYTES: usize = 16 << 10;
/// Senders keep their connection and may have nothing to say for days; whether they are still there is asked so often.
const ALIVE_AFTER: Duration = Duration::from_secs(60);
const ALIVE_EVERY: Duration = Duration::from_secs(10);
const ALIVE_TRIES: u32 = 3;
/// What has begun and does not go on for so long is taken as it is: some senders end a message by beginning the next.
const STALLED: Duration = Duration::from_secs(5);
/// What a sender has said already when its port is closed.
const LAST_BYTES: usize = 16 * FRAME_MAX_BYTES;
const AFTER_FAILURE: Duration = Duration::from_secs(1);

pub(super) async fn accept(
    listener: TcpListener,
    mut senders: Senders,
    post: Arc<Post>,
    slots: Arc<Slots>,
    mut stop: Stop,
) {
    loop {
        let accepted = tokio::select! {
            () = stop.asked() => return,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection of a sender of syslog could not be taken");
                sleep(AFTER_FAILURE).await;
                continue;
            }
        };
        let ip = peer.ip().to_canonical();
        if !senders.may_speak(ip) {
            continue;
        }
        let (connection, post) = (Connection { ip, slot: slots.take(ip), senders: senders.clone() }, Arc::clone(&post));
        let stop = stop.clone();
        // It ends with the port: both hear of it alike.
        tokio::spawn(async move {
            if let Err(error) = connection.hear(stream, &post, stop).await {
                tracing::debug!(%ip, %error, "a connection of a sender of syslog ended");
            }
        });
    }
}

/// Has the system ask whether the sender is still there: one that lost its power never says that it is gone.
fn keep_alive(stream: &TcpStream) -> io::Result<()> {
    sockopt::set_socket_keepalive(stream, true)?;
    sockopt::set_tcp_keepidle(stream, ALIVE_AFTER)?;
    sockopt::set_tcp_keepintvl(stream, ALIVE_EVERY)?;
    Ok(sockopt::set_tcp_keepcnt(stream, ALIVE_TRIES)?)
}

struct Connection {
    ip: IpAddr,
    slot: Slot,
    senders: Senders,
}

impl Connection {
    /// Hears a sender until it hangs up or may not speak any more, its place is needed, or the port is closed.
    async fn hear(mut self, mut stream: TcpStream, post: &Post, mut stop: Stop) -> io::Result<()> {
        if let Err(error) = keep_alive(&stream) {
            tracing::warn!(ip = %self.ip, %error, "it will not be noticed when a sender of syslog is gone");
        }
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
