//! Rules about copies in a tunnel: where they may go, that they do not come back, and that they fit.

use super::{Case, Said};
use shared::{
    config::Collector,
    mirror::{About, AddressKind, BackendKind, Egress, Encapsulation, MirrorSource, Transport},
};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where the address stands in the specification.
const REMOTE: &str = "transport.remote";

/// The largest session: ERSPAN has ten bits for it, and what is larger is cut off without a word.
const SESSION_MOST: u32 = 1_023;
/// The largest class of service.
const COS_MOST: u8 = 7;

/// Bytes of a packet of Ethernet where nobody says otherwise.
const USUAL_MTU: u32 = 1_500;
/// The header of the packet that is carried.
const ETHERNET: u32 = 14;

/// 9: the tunnel does not leave through what is mirrored. A copy that is copied again kills Open vSwitch with its first
/// packet, and again after each restart.
pub(super) fn loops(case: &Case<'_>, said: &mut Said) {
    let Some(remote) = case.remote() else { return };
    for source in &case.sources {
        if source.of.ips.iter().any(|ip| ip.to_canonical() == remote) {
            said.blocks(REMOTE, About::SourcesOwnAddress { remote, vm: source.of.vm.clone() });
        }
    }
    let Some(view) = case.view else { return };
    let of_vlans = matches!(case.spec.source, MirrorSource::Vlans { .. });
    let route = view.routes.iter().find(|(ip, _)| ip.to_canonical() == remote).map(|(_, egress)| egress);
    match route {
        Some(Egress::Port { port }) if case.source_ports().iter().any(|(_, source)| source.key == *port) => {
            said.blocks(REMOTE, About::LeavesThroughSource { remote, port: port.clone() });
        }
        // Copies of whole VLANs may meet their own tunnel on the switch; those of machines' ports do not.
        Some(Egress::Port { .. }) if of_vlans => said.blocks(REMOTE, About::LeavesThroughSwitch { remote }),
        Some(Egress::Port { .. } | Egress::Elsewhere { .. }) => {}
        Some(Egress::Nowhere) => said.blocks(REMOTE, About::NoRoute { remote }),
        None if of_vlans => said.blocks(REMOTE, About::RouteUnknown { remote }),
        // A kernel adapter of the hypervisor sends it, which is never a source: there is nothing to fear.
        None if view.kind == BackendKind::Vsphere => {}
        None => said.warns(REMOTE, About::RouteUnknown { remote }),
    }
}

/// 10: the copies go where they are allowed to: to a collector, of which whoever asks may make use.
pub(super) fn collector(case: &Case<'_>, said: &mut Said) {
    let mut allowed = case.collectors().peekable();
    match case.spec.transport {
        Transport::Erspan { remote, .. } => {
            let remote = remote.to_canonical();
            if let Some(is) = forbidden(remote) {
                said.blocks(REMOTE, About::CollectorAddress { remote, is });
                return;
            }
            match allowed.peek() {
                None => said.blocks(REMOTE, About::CollectorUnknown { remote }),
                Some(collector) if is_public(remote) && !collector.public => {
                    said.blocks(REMOTE, About::CollectorAddress { remote, is: AddressKind::Public });
                }
                Some(_) => {}
            }
        }
        Transport::RspanSource { vlan, .. } if vlan != 0 && allowed.peek().is_none() => {
            said.blocks("transport.vlan", About::VlanNoCollectors { vlan });
        }
        _ => {}
    }
    // What goes into a VLAN comes to everybody who takes it.
    let forbids = |it: &&Collector| !it.accounts.is_empty() && !it.accounts.contains(&case.world.asks);
    if let Some(collector) = allowed.find(forbids) {
        said.blocks("transport", About::CollectorNotYours { collector: collector.title().to_owned() });
    }
}

/// Addresses that are nobody's, ours, or everybody's.
pub(crate) fn forbidden(address: IpAddr) -> Option<AddressKind> {
    if address.is_unspecified() {
        Some(AddressKind::Unspecified)
    } else if address.is_loopback() {
        Some(AddressKind::Loopback)
    } else if address.is_multicast() {
        Some(AddressKind::Multicast)
    } else if address == IpAddr::V4(Ipv4Addr::BROADCAST) {
        Some(AddressKind::Broadcast)
    } else {
        None
    }
}

/// Whether an address is of the Internet (IANA's registries of special-purpose addresses, 2024).
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            let shared_or_tests = (a == 100 && b & 0xc0 == 64) || (a == 198 && b & 0xfe == 18);
            let kept = a == 0 || a >= 240 || (a, b, c) == (192, 0, 0);
            !(ip.is_private() || ip.is_link_local() || ip.is_documentation() || shared_or_tests || kept)
        }
        // 2000::/3 is all that was given out; 2001:db8::/32 is for examples.
        IpAddr::V6(ip) => ip.segments()[0] & 0xe000 == 0x2000 && !is_example(ip),
    }
}

fn is_example(ip: Ipv6Addr) -> bool {
    ip.segments()[..2] == [0x2001, 0xdb8]
}

/// 11: the tunnel's fields are within their bounds, and no other stream at the collector has the same number.
pub(super) fn fields(case: &Case<'_>, said: &mut Said) {
    let Transport::Erspan { version, session, cos, nanoseconds, netstack, .. } = &case.spec.transport else { return };
    if *session > SESSION_MOST {
        said.blocks("transport.session", About::SessionTooLarge { session: *session });
    } else if let Some(remote) = case.remote()
        && let Some(other) = case.others.iter().find(|it| it.tunnel == Some((remote, *session)))
    {
        said.blocks("transport.session", About::SessionTaken { session: *session, by: other.name.to_string() });
    }
    if let Some(cos) = cos.filter(|cos| *cos > COS_MOST) {
        said.blocks("transport.cos", About::CosTooLarge { cos });
    }
    if *nanoseconds && *version != Encapsulation::Erspan3 {
        said.blocks("transport.nanoseconds", About::NanosecondsNeedIII);
    }
    if netstack.as_ref().is_some_and(|it| it.trim().is_empty()) {
        said.blocks("transport.netstack", About::NetstackEmpty);
    }
}

/// 19: the copies fit into the packets of their way; those that do not are cut into pieces or lost.
pub(super) fn mtu(case: &Case<'_>, said: &mut Said) {
    let largest = case.source_ports().iter().filter_map(|(_, port)| port.mtu).max();
    match &case.spec.transport {
        Transport::Erspan { version, .. } => {
            let (Some(remote), Some(view)) = (case.remote(), case.view) else { return };
            let leaves_by = match view.routes.get(&remote) {
                Some(Egress::Port { port }) => view.port(port).and_then(|port| port.mtu),
                _ => None,
            };
            let way = case.collectors().filter_map(|it| it.mtu).chain(leaves_by).min().unwrap_or(USUAL_MTU);
            let added = added_bytes(*version, remote);
            let whole = largest.unwrap_or(USUAL_MTU).saturating_add(ETHERNET);
            let copied = case.spec.snap_bytes.map_or(whole, |snap| snap.min(whole));
            if copied.saturating_add(added - ETHERNET) > way {
                said.warns(REMOTE, About::TooLong { mtu: way, added });
            }
        }
        Transport::Span { .. } | Transport::RspanDestination { .. } => {
            let out = case.destination_port().and_then(|port| port.mtu);
            if let (Some(largest), Some(mtu)) = (largest, out)
                && case.spec.snap_bytes.map_or(largest, |snap| snap.min(largest)) > mtu
            {
                said.warns("transport.port", About::TooLong { mtu, added: 0 });
            }
        }
        Transport::RspanSource { .. } | Transport::Legacy => {}
    }
}

/// Bytes that a tunnel puts around what a packet of Ethernet carries: IP, GRE (8 with a key or a number), ERSPAN (type II 8,
/// type III 12; draft-foschiano-erspan-03), and the header of the packet that is carried.
fn added_bytes(version: Encapsulation, remote: IpAddr) -> u32 {
    let ip = if remote.is_ipv4() { 20 } else { 40 };
    let erspan = match version {
        Encapsulation::Gre => 0,
        Encapsulation::Erspan2 => 8,
        Encapsulation::Erspan3 => 12,
    };
    ip + 8 + erspan + ETHERNET
}
