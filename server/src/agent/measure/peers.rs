//! TCP connections by the port that they have in common: ours, where others come to us, or theirs.

use super::sockets::{CLOSE_WAIT, ESTABLISHED, LISTEN, Socket, TIME_WAIT};
use shared::host::PeerUse;
use std::{collections::BTreeSet, net::IpAddr};

/// Rows of the table.
const PEERS_MAX: usize = 20;
/// Connections that are looked at one by one; of more, the rest is only counted by state.
const CONNECTIONS_MAX: usize = 262_144;

/// Connections as they are told.
#[derive(Debug, Default)]
pub(super) struct Peers {
    listening: BTreeSet<u16>,
    connections: Vec<Socket>,
}

impl Peers {
    pub(super) fn add(&mut self, socket: Socket) {
        if socket.state == LISTEN {
            self.listening.insert(socket.port);
        } else if self.connections.len() < CONNECTIONS_MAX {
            self.connections.push(socket);
        }
    }

    /// Those with the most connections first.
    pub(super) fn told(mut self) -> Vec<PeerUse> {
        let listening = &self.listening;
        let key = |it: &Socket| {
            let ours = listening.contains(&it.port);
            (ours, if ours { it.port } else { it.remote.port() }, it.remote.ip().to_canonical())
        };
        // Sorted, each port is one run and each address a run in it; a map of all addresses would cost far more.
        self.connections.sort_unstable_by_key(key);
        let of_port = |it: &Socket| (key(it).0, key(it).1);
        let runs = self.connections.chunk_by(|a, b| of_port(a) == of_port(b));
        let mut peers: Vec<PeerUse> = runs
            .filter_map(|run| {
                let (ours, port) = of_port(run.first()?);
                Some(PeerUse { busiest: busiest(run), ..counted(ours, port, run) })
            })
            .collect();
        let all = |it: &PeerUse| it.established + it.time_wait + it.close_wait + it.other;
        peers.sort_by_key(|it| (std::cmp::Reverse(all(it)), it.port, it.ours));
        peers.truncate(PEERS_MAX);
        peers
    }
}

fn counted(ours: bool, port: u16, run: &[Socket]) -> PeerUse {
    let mut peer = PeerUse { port, ours, ..PeerUse::default() };
    for socket in run {
        *match socket.state {
            ESTABLISHED => &mut peer.established,
            TIME_WAIT => &mut peer.time_wait,
            CLOSE_WAIT => &mut peer.close_wait,
            _ => &mut peer.other,
        } += 1;
    }
    peer
}

/// The address with the most, of connections in the order of their addresses.
fn busiest(run: &[Socket]) -> Option<(IpAddr, u32)> {
    let ip = |it: &Socket| it.remote.ip().to_canonical();
    let of_ip = run.chunk_by(|a, b| ip(a) == ip(b)).filter_map(|of_ip| Some((ip(of_ip.first()?), of_ip.len())));
    let most = of_ip.reduce(|most, it| if it.1 > most.1 { it } else { most });
    most.map(|(ip, n)| (ip, u32::try_from(n).unwrap_or(u32::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn socket(state: u8, port: u16, remote: &str) -> Socket {
        Socket { state, port, remote: remote.parse().unwrap() }
    }

    #[test]
    fn connections_are_counted_by_the_port_that_is_served() {
        let mut peers = Peers::default();
        // The order in which the kernel tells is none: who listens may come last.
        for n in 0..30 {
            peers.add(socket(TIME_WAIT, 40_000 + n, "10.0.0.9:3306"));
        }
        peers.add(socket(ESTABLISHED, 40_500, "10.0.0.8:3306"));
        peers.add(socket(ESTABLISHED, 443, "192.0.2.1:50000"));
        peers.add(socket(CLOSE_WAIT, 443, "[::ffff:192.0.2.1]:50001"));
        peers.add(socket(4, 443, "192.0.2.2:50002"));
        peers.add(socket(LISTEN, 443, "0.0.0.0:0"));
        let told = peers.told();
        let first = PeerUse {
            port: 3306,
            established: 1,
            time_wait: 30,
            busiest: Some(("10.0.0.9".parse().unwrap(), 30)),
            ..PeerUse::default()
        };
        let second = PeerUse {
            port: 443,
            ours: true,
            established: 1,
            close_wait: 1,
            other: 1,
            busiest: Some(("192.0.2.1".parse().unwrap(), 2)),
            ..PeerUse::default()
        };
        assert_eq!(told, [first, second]);
    }

    #[test]
    fn only_the_largest_are_told() {
        let mut peers = Peers::default();
        for port in 1..=100 {
            for n in 0..port {
                peers.add(socket(ESTABLISHED, 1_000 + n, &format!("10.0.0.1:{port}")));
            }
        }
        let told: Vec<u16> = peers.told().iter().map(|it| it.port).collect();
        assert_eq!(told, (81..=100).rev().collect::<Vec<u16>>());
    }
}
