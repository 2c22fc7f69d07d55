//! Takes connections at a port: of those who may speak there, each with a place of its own.

use super::{Senders, Stop, slots::Slot, slots::Slots};
use rustix::net::sockopt;
use std::{io, net::IpAddr, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    time::sleep,
};

/// Senders keep their connection and may have nothing to say for days; whether they are still there is asked so often.
const ALIVE_AFTER: Duration = Duration::from_secs(60);
const ALIVE_EVERY: Duration = Duration::from_secs(10);
const ALIVE_TRIES: u32 = 3;
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// A port, until it is asked to stop.
pub(super) struct Door {
    pub(super) senders: Senders,
    pub(super) slots: Arc<Slots>,
    pub(super) stop: Stop,
}

/// Who came in.
pub(super) struct Guest {
    pub(super) ip: IpAddr,
    pub(super) slot: Slot,
    pub(super) senders: Senders,
    pub(super) stop: Stop,
}

impl Door {
    /// Has each connection heard in a task of its own.
    pub(super) async fn open<Heard>(mut self, listener: TcpListener, hear: impl Fn(Guest, TcpStream) -> Heard)
    where
        Heard: Future<Output = io::Result<()>> + Send + 'static,
    {
        let protocol = self.senders.protocol;
        loop {
            let accepted = tokio::select! {
                () = self.stop.asked() => return,
                accepted = listener.accept() => accepted,
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, protocol, "a connection of a sender could not be taken");
                    sleep(AFTER_FAILURE).await;
                    continue;
                }
            };
            let ip = peer.ip().to_canonical();
            if !self.senders.may_speak(ip) {
                continue;
            }
            if let Err(error) = keep_alive(&stream) {
                tracing::warn!(%ip, protocol, %error, "it will not be noticed when a sender is gone");
            }
            let (slot, senders, stop) = (self.slots.take(ip), self.senders.clone(), self.stop.clone());
            let heard = hear(Guest { ip, slot, senders, stop }, stream);
            // It ends with the port: both hear of it alike.
            tokio::spawn(async move {
                if let Err(error) = heard.await {
                    tracing::debug!(%ip, protocol, %error, "a connection of a sender ended");
                }
            });
        }
    }
}

/// Has the system ask whether the sender is still there: one that lost its power never says that it is gone.
fn keep_alive(stream: &TcpStream) -> io::Result<()> {
    sockopt::set_socket_keepalive(stream, true)?;
    sockopt::set_tcp_keepidle(stream, ALIVE_AFTER)?;
    sockopt::set_tcp_keepintvl(stream, ALIVE_EVERY)?;
    Ok(sockopt::set_tcp_keepcnt(stream, ALIVE_TRIES)?)
}
