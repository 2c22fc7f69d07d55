//! Asks the kernel for its TCP sockets (sock_diag(7)), many times faster than it writes /proc/net/tcp.

use super::sockets::Socket;
use crate::agent::netlink::converse;
use std::{
    io,
    net::{IpAddr, SocketAddr},
};

/// `SOCK_DIAG_BY_FAMILY`, of questions and of answers.
const BY_FAMILY: u16 = 20;
const TCP: u8 = 6;
/// `AF_INET`, `AF_INET6`.
const FAMILIES: [u8; 2] = [2, 10];

/// Tells of each socket that is in one of the states, a bit each.
///
/// # Errors
/// None when the kernel cannot be asked at all; otherwise why it broke off, with some sockets told.
pub(super) fn each(states: u32, tell: &mut impl FnMut(Socket)) -> Result<(), Option<io::Error>> {
    let mut any = false;
    for family in FAMILIES {
        let asked = converse(true, &|number| question(family, states, number), |kind, body| {
            if let Some(socket) = (kind == BY_FAMILY).then(|| answer(body)).flatten() {
                any = true;
                tell(socket);
            }
        });
        match asked {
            Ok(()) => any = true,
            // A kernel without IPv6 has none.
            Err(_) if family == FAMILIES[1] => {}
            Err(error) => return Err(any.then_some(error)),
        }
    }
    Ok(())
}

/// `inet_diag_req_v2` in a message: family, protocol, extensions, nothing, states, and a socket that is any.
fn question(family: u8, states: u32, number: u32) -> Vec<u8> {
    const REQUEST_DUMP: u16 = 0x301;
    let mut bytes = 72_u32.to_ne_bytes().to_vec();
    bytes.extend(BY_FAMILY.to_ne_bytes());
    bytes.extend(REQUEST_DUMP.to_ne_bytes());
    bytes.extend(number.to_ne_bytes());
    bytes.extend(0_u32.to_ne_bytes());
    bytes.extend([family, TCP, 0, 0]);
    bytes.extend(states.to_ne_bytes());
    bytes.resize(72, 0);
    bytes
}

/// `inet_diag_msg`: family, state, timer, retransmits, then ports and addresses as they are sent.
fn answer(body: &[u8]) -> Option<Socket> {
    let (family, state) = (*body.first()?, *body.get(1)?);
    let port = |at: usize| body.get(at..)?.first_chunk().copied().map(u16::from_be_bytes);
    let ip: IpAddr = match family {
        2 => body.get(24..)?.first_chunk::<4>().copied()?.into(),
        10 => body.get(24..)?.first_chunk::<16>().copied()?.into(),
        _ => return None,
    };
    Some(Socket { state, port: port(4)?, remote: SocketAddr::new(ip, port(6)?) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::measure::sockets::{ESTABLISHED, LISTEN};
    use proptest::prelude::*;
    use std::net::{TcpListener, TcpStream};

    #[test]
    fn the_kernel_tells_of_both_ends_of_a_connection_and_of_who_listens() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (here, there) = (stream.local_addr().unwrap(), listener.local_addr().unwrap());
        let mut told = Vec::new();
        each(0xffff, &mut |socket| told.push(socket)).unwrap();
        let client = Socket { state: ESTABLISHED, port: here.port(), remote: there };
        assert!(told.contains(&client), "{client:?}");
        assert!(told.iter().any(|it| it.port == there.port() && it.remote == here));
        assert!(told.iter().any(|it| it.port == there.port() && it.state == LISTEN));
        let mut told = Vec::new();
        each(1 << LISTEN, &mut |socket| told.push(socket)).unwrap();
        assert!(told.iter().all(|it| it.state == LISTEN) && !told.is_empty());
    }

    proptest! {
        #[test]
        fn any_answer_is_read(body in prop::collection::vec(any::<u8>(), 0..100), family in prop::sample::select(vec![2_u8, 10, 1])) {
            answer(&body);
            answer(&[vec![family], body].concat());
        }
    }
}
