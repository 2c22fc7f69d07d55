//! Looking for an address: an ordinary datagram makes the kernel ask the segment who has it, and its table has the answer.
//!
//! The server says for which address; whether that is allowed is decided here once more, by this agent's own settings and
//! routes. Nothing is ever sent that a router would carry on.

use super::table::Table;
use crate::clock::{self, Stopwatch};
use ipnet::IpNet;
use shared::agent::{ProbeOutcome, Probed};
use std::{
    collections::{BTreeMap, VecDeque},
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket},
    time::Duration,
};
use tokio::time::sleep;

/// Nobody listens there (RFC 863), and nobody minds.
const DISCARD: u16 = 9;
/// A machine that is there answers within milliseconds.
const PATIENCE: Duration = Duration::from_secs(1);
const LOOK_EVERY: Duration = Duration::from_millis(25);
/// So many datagrams a second, whatever the server asks for.
const A_SECOND: usize = 5;
/// An old entry is confirmed by then: the kernel waits five seconds for a sign of life, then asks three times.
const CONFIRMED_WITHIN: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct Prober {
    limits: Vec<IpNet>,
    /// When the last datagrams were sent, since the machine started.
    sent: VecDeque<Duration>,
    /// Old entries that are being confirmed, with when they were asked for, since the machine started.
    watched: BTreeMap<IpAddr, Duration>,
}

impl Prober {
    pub(super) const fn new(limits: Vec<IpNet>) -> Self {
        Self { limits, sent: VecDeque::new(), watched: BTreeMap::new() }
    }

    pub(super) fn is_watching(&self) -> bool {
        !self.watched.is_empty()
    }

    /// Looks for some addresses, for up to a second after the last datagram.
    ///
    /// # Errors
    /// When the kernel's tables cannot be read.
    pub(super) async fn probe(&mut self, ips: &[IpAddr], only: &[String]) -> io::Result<Vec<Probed>> {
        let mut done = Vec::new();
        let mut open = Vec::new();
        let mut table = Table::read(only)?;
        for ip in ips {
            match self.send(*ip, &table).await? {
                Some(outcome) => done.push(Probed { ip: *ip, outcome }),
                None => open.push(*ip),
            }
        }
        let watch = Stopwatch::start();
        while !open.is_empty() {
            table.look_again()?;
            let over = Duration::from_millis(watch.elapsed_ms().unsigned_abs()) >= PATIENCE;
            open.retain(|ip| {
                let outcome = match table.answer(*ip) {
                    Some(answer) if answer.is_sure => ProbeOutcome::Answered,
                    // There was an answer once; the kernel does not ask again at once.
                    Some(_) => ProbeOutcome::Confirming,
                    None if over => ProbeOutcome::Nobody,
                    None => return true,
                };
                if outcome == ProbeOutcome::Confirming {
                    self.watched.insert(*ip, clock::uptime());
                }
                done.push(Probed { ip: *ip, outcome });
                false
            });
            if !open.is_empty() {
                sleep(LOOK_EVERY).await;
            }
        }
        Ok(done)
    }

    /// Sends one datagram, if that is allowed and the address is on a segment; the outcome, if nothing was sent.
    async fn send(&mut self, ip: IpAddr, table: &Table) -> io::Result<Option<ProbeOutcome>> {
        if !self.limits.iter().any(|limit| limit.contains(&ip)) {
            tracing::warn!(%ip, "the server asked for an address outside --probe; nothing was sent");
            return Ok(Some(ProbeOutcome::NotAllowed));
        }
        let Some(interface) = table.segment_of(ip) else { return Ok(Some(ProbeOutcome::NotOnLink)) };
        if !Table::sends_directly(interface, ip)? {
            return Ok(Some(ProbeOutcome::NotOnLink));
        }
        self.pace().await;
        if let Err(error) = poke(ip) {
            tracing::warn!(%ip, %error, "no datagram could be sent");
            return Ok(Some(ProbeOutcome::NotSent));
        }
        Ok(None)
    }

    /// What became of old entries that were to be confirmed.
    pub(super) fn confirmed(&mut self, table: &Table, now: Duration) -> Vec<Probed> {
        let mut done = Vec::new();
        self.watched.retain(|ip, asked_at| {
            let since = now.saturating_sub(*asked_at);
            let outcome = match table.answer(*ip) {
                Some(answer) if answer.is_sure => ProbeOutcome::Answered,
                Some(_) if since < CONFIRMED_WITHIN => return true,
                _ => ProbeOutcome::Nobody,
            };
            done.push(Probed { ip: *ip, outcome });
            false
        });
        done
    }

    async fn pace(&mut self) {
        if self.sent.len() >= A_SECOND
            && let Some(first) = self.sent.pop_front()
        {
            sleep((first + Duration::from_secs(1)).saturating_sub(clock::uptime())).await;
        }
        self.sent.push_back(clock::uptime());
    }
}

/// A datagram without content to a port on which nobody listens.
fn poke(ip: IpAddr) -> io::Result<()> {
    let any: IpAddr = if ip.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    UdpSocket::bind((any, 0))?.send_to(&[], (ip, DISCARD)).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nothing_is_sent_that_this_agent_was_not_allowed_or_that_is_on_no_segment() {
        let ip: IpAddr = "127.0.0.9".parse().unwrap();
        let mut nowhere = Prober::new(Vec::new());
        let refused = |ip, outcome| vec![Probed { ip, outcome }];
        assert_eq!(nowhere.probe(&[ip], &[]).await.unwrap(), refused(ip, ProbeOutcome::NotAllowed));
        let mut here = Prober::new(vec!["127.0.0.0/8".parse().unwrap()]);
        assert_eq!(here.probe(&[ip], &[]).await.unwrap(), refused(ip, ProbeOutcome::NotOnLink));
        let outside = "10.77.0.9".parse().unwrap();
        assert_eq!(here.probe(&[outside], &[]).await.unwrap(), refused(outside, ProbeOutcome::NotAllowed));
        assert!(here.sent.is_empty() && !here.is_watching());
    }
}
