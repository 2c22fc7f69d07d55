//! The kernel's messages about links, addresses, routes and neighbours, as bytes (rtnetlink(7)).
//!
//! Every reader is total: what is cut off or of an unknown kind is passed over, and no length is believed.

use shared::net::Mac;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Kinds of messages that the kernel sends (`linux/netlink.h`, `linux/rtnetlink.h`).
const ERROR: u16 = 2;
const DONE: u16 = 3;
const NEW_LINK: u16 = 16;
const NEW_ADDRESS: u16 = 20;
const NEW_ROUTE: u16 = 24;
const NEW_NEIGHBOUR: u16 = 28;
/// The bits of an attribute's kind that say how it is written.
const KIND_MASK: u16 = 0x3fff;
/// States in which an entry has an answer: reachable, stale, delay, probe, permanent.
const HAS_ANSWER: u16 = 0x02 | 0x04 | 0x08 | 0x10 | 0x80;
const PERMANENT: u16 = 0x80;
/// States in which the kernel sends to the address without asking once more: reachable, permanent.
const IS_SURE: u16 = 0x02 | PERMANENT;
/// The neighbour said of itself that it is a router (IPv6).
const SAYS_ROUTER: u8 = 0x80;
const ETHERNET: u16 = 1;
const UP: u32 = 1;
/// The kernel counts ages in hundredths of a second (`USER_HZ`).
const TICK_MS: u64 = 10;

/// What may be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Request {
    Links,
    Addresses,
    Routes,
    Neighbours,
    /// The route to one address.
    RouteTo(IpAddr),
}

impl Request {
    /// The message that asks for it; `number` comes back in each answer.
    pub(super) fn bytes(self, number: u32) -> Vec<u8> {
        const REQUEST: u16 = 1;
        const ACKNOWLEDGE: u16 = 4;
        const DUMP: u16 = 0x300;
        let (kind, flags, body) = match self {
            Self::Links => (18, DUMP, vec![0; 16]),
            Self::Addresses => (22, DUMP, vec![0; 8]),
            Self::Routes => (26, DUMP, vec![0; 12]),
            Self::Neighbours => (30, DUMP, vec![0; 12]),
            Self::RouteTo(ip) => (26, ACKNOWLEDGE, route_to(ip)),
        };
        let length = u32::try_from(16 + body.len()).unwrap_or(u32::MAX);
        let mut bytes = length.to_ne_bytes().to_vec();
        bytes.extend(u16::to_ne_bytes(kind));
        bytes.extend((REQUEST | flags).to_ne_bytes());
        bytes.extend(number.to_ne_bytes());
        bytes.extend(0_u32.to_ne_bytes());
        bytes.extend(body);
        bytes
    }
}

fn route_to(ip: IpAddr) -> Vec<u8> {
    const DESTINATION: u16 = 1;
    let (family, address) = match ip {
        IpAddr::V4(v4) => (V4, v4.octets().to_vec()),
        IpAddr::V6(v6) => (V6, v6.octets().to_vec()),
    };
    let length = u8::try_from(address.len()).unwrap_or(u8::MAX);
    let mut body = vec![family, length.saturating_mul(8), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    body.extend((u16::from(length) + 4).to_ne_bytes());
    body.extend(DESTINATION.to_ne_bytes());
    body.extend(address);
    body
}

/// Families of addresses (`AF_INET`, `AF_INET6`).
const V4: u8 = 2;
const V6: u8 = 10;

/// Something the kernel says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Message {
    Link {
        index: u32,
        name: String,
        mac: Option<Mac>,
        is_ethernet: bool,
        is_up: bool,
    },
    Address {
        index: u32,
        ip: IpAddr,
        bits: u8,
    },
    Route(Route),
    Neighbour {
        index: u32,
        ip: IpAddr,
        mac: Mac,
        age_ms: u64,
        says_router: bool,
        is_sure: bool,
    },
    /// Of a kind or in a state that says nothing here.
    Other,
}

/// Where a route leads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Route {
    /// To machines, and not to this one or to all of a segment.
    pub(super) is_unicast: bool,
    /// The interfaces it leaves by, each with its router, if one is on the way.
    pub(super) hops: Vec<(Option<u32>, Option<IpAddr>)>,
}

/// The kind and the body of each message of one datagram. `number` is the one that was asked with; others are passed over.
pub(super) fn each(mut datagram: &[u8], number: u32, mut tell: impl FnMut(u16, &[u8])) {
    while let Some(header) = datagram.first_chunk::<16>() {
        let length = u32_at(header, 0).unwrap_or_default() as usize;
        let Some(body) = datagram.get(16..length) else { break };
        if u32_at(header, 8) == Some(number) {
            tell(u16_at(header, 4).unwrap_or_default(), body);
        }
        datagram = datagram.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
}

/// Whether this message is the last one: with the number of the error, if it ended with one.
pub(super) fn end(kind: u16, body: &[u8]) -> Option<Option<i32>> {
    match kind {
        DONE => Some(None),
        ERROR => Some(i32_at(body, 0).filter(|error| *error != 0).map(i32::wrapping_neg)),
        _ => None,
    }
}

/// What a message about links, addresses, routes and neighbours says.
pub(super) fn message(kind: u16, body: &[u8]) -> Message {
    let told = match kind {
        NEW_LINK => link(body),
        NEW_ADDRESS => address(body),
        NEW_ROUTE => route(body).map(Message::Route),
        NEW_NEIGHBOUR => neighbour(body),
        _ => None,
    };
    told.unwrap_or(Message::Other)
}

fn link(body: &[u8]) -> Option<Message> {
    let (kind, index, flags) = (u16_at(body, 2)?, u32_at(body, 4)?, u32_at(body, 8)?);
    let (mut name, mut mac) = (None, None);
    for (kind, value) in attributes(body.get(16..)?) {
        match kind {
            1 => mac = hardware(value),
            3 => name = text(value),
            _ => {}
        }
    }
    Some(Message::Link { index, name: name?, mac, is_ethernet: kind == ETHERNET, is_up: flags & UP != 0 })
}

fn address(body: &[u8]) -> Option<Message> {
    let (family, bits, index) = (*body.first()?, *body.get(1)?, u32_at(body, 4)?);
    let (mut of_prefix, mut local) = (None, None);
    for (kind, value) in attributes(body.get(8..)?) {
        match kind {
            1 => of_prefix = ip(family, value),
            2 => local = ip(family, value),
            _ => {}
        }
    }
    // On a point-to-point link the first is the other side's.
    Some(Message::Address { index, ip: local.or(of_prefix)?, bits })
}

fn route(body: &[u8]) -> Option<Route> {
    const UNICAST: u8 = 1;
    let (family, kind) = (*body.first()?, *body.get(7)?);
    let (mut first, mut hops) = ((None, None), Vec::new());
    for (kind, value) in attributes(body.get(12..)?) {
        match kind {
            4 => first.0 = u32_at(value, 0),
            5 => first.1 = ip(family, value),
            18 => first.1 = via(value),
            9 => hops = several(family, value),
            _ => {}
        }
    }
    if first != (None, None) {
        hops.push(first);
    }
    Some(Route { is_unicast: kind == UNICAST, hops })
}

/// A route with several next hops: length, flags, index, and attributes of each.
fn several(family: u8, mut rest: &[u8]) -> Vec<(Option<u32>, Option<IpAddr>)> {
    let mut hops = Vec::new();
    while let (Some(length), Some(index)) = (u16_at(rest, 0), u32_at(rest, 4)) {
        let Some(inside) = rest.get(8..usize::from(length)) else { break };
        let router = attributes(inside).find_map(|(kind, value)| match kind {
            5 => ip(family, value),
            18 => via(value),
            _ => None,
        });
        hops.push((Some(index), router));
        rest = rest.get(usize::from(length).next_multiple_of(4)..).unwrap_or_default();
    }
    hops
}

/// A router of the other family: the family, then the address.
fn via(value: &[u8]) -> Option<IpAddr> {
    ip(u8::try_from(u16_at(value, 0)?).ok()?, value.get(2..)?)
}

fn neighbour(body: &[u8]) -> Option<Message> {
    let (family, index, state, flags) = (*body.first()?, u32_at(body, 4)?, u16_at(body, 8)?, *body.get(10)?);
    if state & HAS_ANSWER == 0 {
        return None;
    }
    let (mut address, mut mac, mut ages) = (None, None, None);
    for (kind, value) in attributes(body.get(12..)?) {
        match kind {
            1 => address = ip(family, value),
            2 => mac = hardware(value),
            // When it was confirmed, used and updated. What somebody wrote down is never confirmed.
            3 => ages = u32_at(value, if state & PERMANENT == 0 { 0 } else { 8 }),
            _ => {}
        }
    }
    let age_ms = u64::from(ages?) * TICK_MS;
    let (says_router, is_sure) = (flags & SAYS_ROUTER != 0, state & IS_SURE != 0);
    Some(Message::Neighbour { index, ip: address?, mac: mac?, age_ms, says_router, is_sure })
}

/// Kind and value of each attribute: length, kind, value, up to the next multiple of four.
fn attributes(mut rest: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let (length, kind) = (usize::from(u16_at(rest, 0)?), u16_at(rest, 2)?);
        let value = rest.get(4..length)?;
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind & KIND_MASK, value))
    })
}

fn ip(family: u8, value: &[u8]) -> Option<IpAddr> {
    match family {
        V4 => <[u8; 4]>::try_from(value).ok().map(|octets| Ipv4Addr::from(octets).into()),
        V6 => <[u8; 16]>::try_from(value).ok().map(|octets| Ipv6Addr::from(octets).into()),
        _ => None,
    }
}

fn hardware(value: &[u8]) -> Option<Mac> {
    Mac::checked(value.try_into().ok()?).ok()
}

/// Ends with a zero.
fn text(value: &[u8]) -> Option<String> {
    let end = value.iter().position(|byte| *byte == 0).unwrap_or(value.len());
    String::from_utf8(value.get(..end)?.to_vec()).ok().filter(|text| !text.is_empty())
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().copied().map(u16::from_ne_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().copied().map(u32::from_ne_bytes)
}

fn i32_at(bytes: &[u8], at: usize) -> Option<i32> {
    bytes.get(at..)?.first_chunk().copied().map(i32::from_ne_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
        let mut bytes = (u16::try_from(value.len()).unwrap() + 4).to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(value);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    fn datagram(kind: u16, number: u32, body: &[u8]) -> Vec<u8> {
        let mut bytes = (u32::try_from(body.len()).unwrap() + 16).to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(0_u16.to_ne_bytes());
        bytes.extend(number.to_ne_bytes());
        bytes.extend(0_u32.to_ne_bytes());
        bytes.extend(body);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    fn neighbour_body(family: u8, state: u16, flags: u8, attributes: &[Vec<u8>]) -> Vec<u8> {
        let mut body = vec![family, 0, 0, 0];
        body.extend(7_u32.to_ne_bytes());
        body.extend(state.to_ne_bytes());
        body.extend([flags, 0]);
        body.extend(attributes.concat());
        body
    }

    fn told(datagram: &[u8]) -> Vec<Message> {
        let mut told = Vec::new();
        each(datagram, 1, |kind, body| told.push(message(kind, body)));
        told
    }

    fn ends(datagram: &[u8]) -> Vec<Option<i32>> {
        let mut ends = Vec::new();
        each(datagram, 1, |kind, body| ends.extend(end(kind, body)));
        ends
    }

    fn ages(confirmed: u32, updated: u32) -> Vec<u8> {
        attribute(3, &[confirmed, 0, updated, 1].map(u32::to_ne_bytes).concat())
    }

    #[test]
    fn an_entry_with_an_answer_is_told_with_the_age_of_its_confirmation() {
        let (address, mac) = (attribute(1, &[10, 0, 0, 9]), attribute(2, &[0x52, 0x54, 0, 0, 0, 9]));
        let each = [address, mac, ages(250, 100)];
        let stale = told(&datagram(28, 1, &neighbour_body(V4, 4, 0, &each)));
        let expected = Message::Neighbour {
            index: 7,
            ip: [10, 0, 0, 9].into(),
            mac: Mac([0x52, 0x54, 0, 0, 0, 9]),
            age_ms: 2_500,
            says_router: false,
            is_sure: false,
        };
        assert_eq!(stale, [expected]);
        let Message::Neighbour { age_ms, says_router, is_sure, .. } =
            told(&datagram(28, 1, &neighbour_body(V4, 0x80, 0x80, &each))).remove(0)
        else {
            panic!("a permanent entry has an answer");
        };
        assert_eq!((age_ms, says_router, is_sure), (1_000, true, true));
        for without_answer in [0, 1, 0x20, 0x40] {
            let body = neighbour_body(V4, without_answer, 0, &each);
            assert_eq!(told(&datagram(28, 1, &body)), [Message::Other], "{without_answer}");
        }
    }

    #[test]
    fn routers_are_found_in_every_way_a_route_can_name_them() {
        let head = [V4, 0, 0, 0, 254, 0, 0, 1, 0, 0, 0, 0];
        let plain = [head.to_vec(), attribute(4, &3_u32.to_ne_bytes()), attribute(5, &[10, 0, 0, 1])].concat();
        let router = |last| Some(IpAddr::from([10, 0, 0, last]));
        let expected = Route { is_unicast: true, hops: vec![(Some(3), router(1))] };
        assert_eq!(told(&datagram(24, 1, &plain)), [Message::Route(expected)]);
        let hop = |index: u32, attribute: Vec<u8>| {
            let length = u16::try_from(8 + attribute.len()).unwrap();
            [&length.to_ne_bytes()[..], &[0, 0], &index.to_ne_bytes(), &attribute].concat()
        };
        let fe80 = [vec![0xfe, 0x80], vec![0; 13], vec![1]].concat();
        let other = attribute(18, &[&u16::from(V6).to_ne_bytes()[..], &fe80].concat());
        let hops = [hop(3, attribute(5, &[10, 0, 0, 2])), hop(4, other)].concat();
        let body = [head.to_vec(), attribute(9, &hops)].concat();
        let expected =
            Route { is_unicast: true, hops: vec![(Some(3), router(2)), (Some(4), Some("fe80::1".parse().unwrap()))] };
        assert_eq!(told(&datagram(24, 1, &body)), [Message::Route(expected)]);
    }

    #[test]
    fn what_is_cut_off_ends_there_and_other_conversations_are_passed_over() {
        let mut bytes = datagram(3, 1, &0_i32.to_ne_bytes());
        bytes.extend(datagram(3, 2, &0_i32.to_ne_bytes()));
        bytes.extend(datagram(2, 1, &(-13_i32).to_ne_bytes()));
        assert_eq!(ends(&bytes), [None, Some(13)]);
        bytes.truncate(bytes.len() - 1);
        assert_eq!(ends(&bytes), [None]);
    }

    #[test]
    fn a_request_is_as_the_kernel_wants_it() {
        let bytes = Request::RouteTo([10, 0, 0, 9].into()).bytes(5);
        assert_eq!((bytes.len(), u32_at(&bytes, 0), u16_at(&bytes, 4)), (36, Some(36), Some(26)));
        assert_eq!((bytes[17], &bytes[32..]), (32, &[10, 0, 0, 9][..]));
        let bytes = Request::Neighbours.bytes(5);
        assert_eq!((bytes.len(), u16_at(&bytes, 6), u32_at(&bytes, 8)), (28, Some(0x301), Some(5)));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            told(&bytes);
        }

        /// Messages of known kinds with anything inside.
        #[test]
        fn any_insides_are_read(
            kind in prop::sample::select(vec![2_u16, 3, 16, 20, 24, 28]),
            body in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            prop_assert_eq!(told(&datagram(kind, 1, &body)).len(), 1);
        }

        #[test]
        fn any_attributes_are_read(
            kinds in prop::collection::vec((0_u16..20, prop::collection::vec(any::<u8>(), 0..24)), 0..6),
            kind in prop::sample::select(vec![16_u16, 20, 24, 28]),
            head in prop::collection::vec(any::<u8>(), 8..=16),
        ) {
            let attributes: Vec<Vec<u8>> = kinds.iter().map(|(kind, value)| attribute(*kind, value)).collect();
            told(&datagram(kind, 1, &[head, attributes.concat()].concat()));
        }
    }
}
