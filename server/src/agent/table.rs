//! What the kernel knows of this machine's segments: its interfaces, its routers, and who answered for which address.

use super::{
    netlink::ask,
    wire::{Message, Request, Route},
};
use ipnet::IpNet;
use shared::{
    agent::{AgentInterface, INTERFACES_MAX, NEIGHBOURS_MAX},
    net::Mac,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    net::IpAddr,
};

/// What the kernel knows now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    interfaces: BTreeMap<u32, Interface>,
    /// By interface and address.
    neighbours: BTreeMap<(u32, IpAddr), Neighbour>,
    /// The addresses over which routes lead, by interface.
    routers: BTreeSet<(u32, IpAddr)>,
}

/// An interface with a hardware address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interface {
    pub name: String,
    pub mac: Option<Mac>,
    /// Its addresses, each with the prefix it is on.
    pub nets: Vec<IpNet>,
}

/// Who answered for an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Neighbour {
    pub mac: Mac,
    /// How long ago the answer was confirmed.
    pub age_ms: u64,
    pub router: bool,
    /// The kernel relies on it: it was confirmed a short while ago, or somebody wrote it down.
    pub is_sure: bool,
}

impl Interface {
    pub(super) fn told(&self) -> AgentInterface {
        let ips = self.nets.iter().take(INTERFACES_MAX).map(ToString::to_string).collect();
        AgentInterface { name: self.name.clone(), mac: self.mac, ips }
    }
}

impl Table {
    /// Looks at the kernel's tables; with names, only at these interfaces.
    ///
    /// # Errors
    /// When the kernel does not answer, or there is no interface of a name.
    pub fn read(only: &[String]) -> io::Result<Self> {
        let mut table = Self::default();
        for request in [Request::Links, Request::Addresses, Request::Routes, Request::Neighbours] {
            ask(request, |message| table.take(message))?;
        }
        let missing = only.iter().find(|name| table.interfaces.values().all(|it| it.name != **name));
        if let Some(missing) = missing {
            let there: Vec<&str> = table.interfaces.values().map(|it| it.name.as_str()).collect();
            let told = format!("there is no interface `{missing}` that is up; there are: {}", there.join(", "));
            return Err(io::Error::new(io::ErrorKind::NotFound, told));
        }
        table.keep(only);
        Ok(table)
    }

    /// Looks once more at who answered, and at nothing else.
    ///
    /// # Errors
    /// When the kernel does not answer.
    pub(super) fn look_again(&mut self) -> io::Result<()> {
        self.neighbours.clear();
        ask(Request::Neighbours, |message| self.take(message))
    }

    /// Takes one message. Links come first: what is of no interface here is passed over.
    fn take(&mut self, message: Message) {
        match message {
            Message::Link { index, name, mac, is_ethernet: true, is_up: true } => {
                self.interfaces.insert(index, Interface { name, mac, nets: Vec::new() });
            }
            Message::Address { index, ip, bits } => {
                if let (Some(interface), Ok(net)) = (self.interfaces.get_mut(&index), IpNet::new(ip, bits)) {
                    interface.nets.push(net);
                }
            }
            Message::Route(Route { hops, .. }) => {
                let routers = hops.into_iter().filter_map(|(index, router)| Some((index?, router?)));
                self.routers.extend(routers.filter(|(index, _)| self.interfaces.contains_key(index)));
            }
            Message::Neighbour { index, ip, mac, age_ms, says_router, is_sure }
                if self.interfaces.contains_key(&index) =>
            {
                let router = says_router || self.routers.contains(&(index, ip));
                self.neighbours.insert((index, ip), Neighbour { mac, age_ms, router, is_sure });
            }
            Message::Link { .. } | Message::Neighbour { .. } | Message::Other => {}
        }
    }

    /// Forgets other interfaces, and the oldest of more than are told.
    fn keep(&mut self, only: &[String]) {
        self.interfaces.retain(|_, it| only.is_empty() || only.contains(&it.name));
        while self.interfaces.len() > INTERFACES_MAX {
            self.interfaces.pop_last();
        }
        let interfaces = &self.interfaces;
        self.neighbours.retain(|(index, _), _| interfaces.contains_key(index));
        if self.neighbours.len() > NEIGHBOURS_MAX {
            let mut ages: Vec<u64> = self.neighbours.values().map(|it| it.age_ms).collect();
            ages.sort_unstable();
            let oldest = ages.get(NEIGHBOURS_MAX).copied().unwrap_or(u64::MAX);
            self.neighbours.retain(|_, it| it.age_ms < oldest);
        }
    }

    /// In the order in which the kernel numbers them.
    pub fn interfaces(&self) -> impl Iterator<Item = &Interface> {
        self.interfaces.values()
    }

    /// Every answer with the name of its interface.
    pub fn neighbours(&self) -> impl Iterator<Item = (&str, IpAddr, Neighbour)> {
        let name = |index| self.interfaces.get(index).map(|it| it.name.as_str());
        self.neighbours.iter().filter_map(move |((index, ip), it)| Some((name(index)?, *ip, *it)))
    }

    /// The newest answer for an address.
    #[must_use]
    pub fn answer(&self, ip: IpAddr) -> Option<Neighbour> {
        let of_ip = self.neighbours.iter().filter(|((_, it), _)| *it == ip).map(|(_, answer)| *answer);
        of_ip.min_by_key(|answer| answer.age_ms)
    }

    /// Whether an address is one of a machine on a segment of this machine's, by this machine's own addresses. Gives the
    /// interface of that segment.
    #[must_use]
    pub fn segment_of(&self, ip: IpAddr) -> Option<u32> {
        let is_there = |net: &&IpNet| net.contains(&ip) && net.addr() != ip && !is_special(net, ip);
        let found = self.interfaces.iter().find(|(_, it)| it.nets.iter().any(|net| is_there(&net)));
        // One of our own is nobody else's, whatever the prefix of another says.
        let is_own = self.interfaces.values().flat_map(|it| &it.nets).any(|net| net.addr() == ip);
        found.map(|(index, _)| *index).filter(|_| !is_own)
    }

    /// Whether the kernel would send to the address itself by this interface, and not to a router.
    ///
    /// # Errors
    /// When the kernel does not answer.
    pub(super) fn sends_directly(interface: u32, ip: IpAddr) -> io::Result<bool> {
        let mut direct = false;
        let asked = ask(Request::RouteTo(ip), |message| {
            if let Message::Route(route) = message {
                direct = route.is_unicast && route.hops == [(Some(interface), None)];
            }
        });
        match asked {
            Ok(()) => Ok(direct),
            // Some kinds of routes are told as an error.
            Err(error)
                if matches!(error.kind(), io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable) =>
            {
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }
}

/// The address of the network itself or of all its machines (IPv4), or a group's.
fn is_special(net: &IpNet, ip: IpAddr) -> bool {
    let is_edge = net.prefix_len() < 31 && (ip == net.network() || ip == net.broadcast());
    ip.is_multicast() || ip.is_unspecified() || ip.is_loopback() || (ip.is_ipv4() && is_edge)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn mac(last: u8) -> Mac {
        Mac([0x52, 0x54, 0, 0, 0, last])
    }

    fn link(index: u32, name: &str) -> Message {
        Message::Link { index, name: name.to_owned(), mac: Some(mac(0xaa)), is_ethernet: true, is_up: true }
    }

    fn neighbour(index: u32, ip: IpAddr, last: u8, age_ms: u64) -> Message {
        Message::Neighbour { index, ip, mac: mac(last), age_ms, says_router: false, is_sure: true }
    }

    fn table() -> Table {
        let mut table = Table::default();
        table.take(link(2, "eth0"));
        table.take(link(3, "eth1"));
        let down = Message::Link { index: 4, name: "eth2".into(), mac: None, is_ethernet: true, is_up: false };
        table.take(down);
        table.take(Message::Address { index: 2, ip: ip("10.0.0.7"), bits: 24 });
        table.take(Message::Address { index: 3, ip: ip("10.0.1.7"), bits: 24 });
        table.take(Message::Address { index: 4, ip: ip("10.0.2.7"), bits: 24 });
        table.take(Message::Address { index: 2, ip: ip("10.0.0.8"), bits: 77 });
        let hops = vec![(Some(2), Some(ip("10.0.0.1"))), (None, Some(ip("10.0.0.3")))];
        table.take(Message::Route(Route { is_unicast: true, hops }));
        table.take(neighbour(2, ip("10.0.0.1"), 1, 100));
        table.take(neighbour(3, ip("10.0.0.1"), 2, 50));
        table.take(neighbour(4, ip("10.0.2.9"), 9, 50));
        table
    }

    #[test]
    fn a_router_is_one_on_the_interface_its_route_leaves_by() {
        let table = table();
        let told: Vec<_> = table.neighbours().map(|(name, _, it)| (name, it.mac, it.router)).collect();
        assert_eq!(told, [("eth0", mac(1), true), ("eth1", mac(2), false)]);
        assert_eq!(table.answer(ip("10.0.0.1")).map(|it| it.mac), Some(mac(2)), "the newest");
        let nets: Vec<_> = table.interfaces().map(|it| it.nets.len()).collect();
        assert_eq!(nets, [1, 1]);
    }

    #[test]
    fn a_segment_holds_its_machines_and_not_its_edges_or_ourselves() {
        let table = table();
        assert_eq!(table.segment_of(ip("10.0.0.9")), Some(2));
        assert_eq!(table.segment_of(ip("10.0.1.9")), Some(3));
        for other in ["10.0.2.9", "10.9.9.9", "10.0.0.7", "10.0.0.0", "10.0.0.255", "224.0.0.1", "127.0.0.1", "fd00::1"]
        {
            assert_eq!(table.segment_of(ip(other)), None, "{other}");
        }
    }

    #[test]
    fn the_newest_are_kept_where_there_are_too_many() {
        let mut table = table();
        for n in 0..=u16::MAX {
            let [a, b] = n.to_be_bytes();
            table.take(neighbour(2, IpAddr::from([10, 1, a, b]), 7, u64::from(n) + 1_000));
        }
        table.keep(&["eth0".to_owned()]);
        assert!(table.neighbours.len() <= NEIGHBOURS_MAX && table.neighbours.len() > NEIGHBOURS_MAX / 2);
        assert!(table.answer(ip("10.0.0.1")).is_some() && table.answer(ip("10.1.255.255")).is_none());
        assert_eq!(table.interfaces.len(), 1);
    }
}
