//! Datagrams: each is a message. Nothing makes their senders wait, so what there is no room for is lost and counted.

use super::{Senders, Stop, post::Post};
use engine::normalize::syslog::FRAME_MAX_BYTES;
use std::{net::SocketAddr, time::Duration};
use tokio::{net::UdpSocket, time::sleep};

/// Datagrams that have arrived already when the port is closed.
const LAST: usize = 4_096;
const AFTER_FAILURE: Duration = Duration::from_secs(1);

pub(super) async fn hear(socket: UdpSocket, mut senders: Senders, post: Post, mut stop: Stop) {
    let mut bytes = vec![0; FRAME_MAX_BYTES];
    let mut take = |datagram: &[u8], peer: SocketAddr| {
        let ip = peer.ip().to_canonical();
        if senders.may_speak(ip) {
            post.take_or_lose(datagram, ip);
        }
    };
    loop {
        let received = tokio::select! {
            () = stop.asked() => break,
            received = socket.recv_from(&mut bytes) => received,
        };
        match received {
            Ok((count, peer)) => take(bytes.get(..count).unwrap_or_default(), peer),
            Err(error) => {
                tracing::warn!(%error, "a datagram of syslog could not be read");
                sleep(AFTER_FAILURE).await;
            }
        }
    }
    for _ in 0..LAST {
        let Ok((count, peer)) = socket.try_recv_from(&mut bytes) else { break };
        take(bytes.get(..count).unwrap_or_default(), peer);
    }
}
