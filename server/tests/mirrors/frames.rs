//! Reads what tcpdump wrote down: the pings among the frames, and the tunnel around them.

use std::{fs, net::Ipv4Addr, path::Path};

/// A ping's packet as it came to a destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Copy {
    pub(crate) from: Ipv4Addr,
    pub(crate) to: Ipv4Addr,
    /// Of the frame as it came.
    pub(crate) vlan: Option<u16>,
    pub(crate) tunnel: Option<Tunnel>,
    /// Of the whole frame.
    pub(crate) bytes: usize,
}

/// What was around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tunnel {
    /// GRE's word for what it carries.
    pub(crate) protocol: u16,
    pub(crate) session: u32,
    /// What ERSPAN III says: the copies went to the machine.
    pub(crate) to_vm: Option<bool>,
}

/// The pings of a file that may still be written to.
pub(crate) fn copies(file: &Path) -> Vec<Copy> {
    let bytes = fs::read(file).unwrap_or_default();
    let mut rest = bytes.get(24..).unwrap_or_default();
    let mut copies = Vec::new();
    while let Some(length) = rest.get(8..12) {
        let length = usize::try_from(u32::from_le_bytes(length.try_into().unwrap())).unwrap();
        let Some(frame) = rest.get(16..16 + length) else { break };
        copies.extend(frame_of(frame));
        rest = &rest[16 + length..];
    }
    copies
}

fn number(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().unwrap()))
}

fn frame_of(frame: &[u8]) -> Option<Copy> {
    let (vlan, at) = match number(frame, 12)? {
        0x8100 => (Some(number(frame, 14)? & 0xfff), 18),
        _ => (None, 14),
    };
    if number(frame, at - 2)? != 0x0800 {
        return None;
    }
    let packet = frame.get(at..)?;
    let (protocol, from, to, content) = ipv4(packet)?;
    let bytes = frame.len();
    match protocol {
        // A question or its answer; a collector without a listener also complains.
        1 if matches!(content.first(), Some(0 | 8)) => Some(Copy { from, to, vlan, tunnel: None, bytes }),
        47 => {
            let (tunnel, inner) = gre(content)?;
            let copy = frame_of(inner)?;
            Some(Copy { tunnel: Some(tunnel), bytes, ..copy })
        }
        _ => None,
    }
}

fn ipv4(packet: &[u8]) -> Option<(u8, Ipv4Addr, Ipv4Addr, &[u8])> {
    let header = usize::from(packet.first()? & 0xf) * 4;
    let address = |at: usize| Some(Ipv4Addr::from(<[u8; 4]>::try_from(packet.get(at..at + 4)?).unwrap()));
    Some((*packet.get(9)?, address(12)?, address(16)?, packet.get(header..)?))
}

fn gre(bytes: &[u8]) -> Option<(Tunnel, &[u8])> {
    let (flags, protocol) = (number(bytes, 0)?, number(bytes, 2)?);
    let has = |flag: u16| usize::from(flags & flag != 0) * 4;
    let key_at = 4 + has(0x8000);
    let rest = bytes.get(key_at + has(0x2000) + has(0x1000)..)?;
    let (session, to_vm, header) = match protocol {
        0x6558 => {
            let key = bytes.get(key_at..key_at + has(0x2000))?;
            (u32::from_be_bytes(key.try_into().ok()?), None, 0)
        }
        0x88be => (u32::from(number(rest, 2)? & 0x3ff), None, 8),
        0x22eb => (u32::from(number(rest, 2)? & 0x3ff), Some(number(rest, 10)? & 0x8 != 0), 12),
        _ => return None,
    };
    Some((Tunnel { protocol, session, to_vm }, rest.get(header..)?))
}
