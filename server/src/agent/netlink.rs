//! The conversation with the kernel about its network (netlink(7)); any account may ask.

use super::wire::{Message, Request};
use std::io;

#[cfg(target_os = "linux")]
pub(super) use linux::{ask, converse};

/// # Errors
/// Always: elsewhere the tables are asked for in another way.
#[cfg(not(target_os = "linux"))]
pub(super) fn ask(_: Request, _: impl FnMut(Message)) -> io::Result<()> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "the agent runs on Linux only"))
}

/// # Errors
/// Always, as [`ask`].
#[cfg(not(target_os = "linux"))]
pub(super) fn converse(_: bool, _: &dyn Fn(u32) -> Vec<u8>, _: impl FnMut(u16, &[u8])) -> io::Result<()> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "the agent runs on Linux only"))
}

#[cfg(target_os = "linux")]
mod linux {
    use super::{Message, Request, io};
    use crate::agent::wire;
    use rustix::{
        fd::OwnedFd,
        net::{
            AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, recv, send, socket_with,
            sockopt::{Timeout, set_socket_timeout},
        },
    };
    use std::time::Duration;

    /// The kernel answers at once; this is for a kernel that does not.
    const PATIENCE: Duration = Duration::from_secs(2);
    /// The kernel sends no larger datagram than the reader has room for, and none above this.
    const DATAGRAM: usize = 64 * 1024;
    /// A table of more datagrams than these is not read to its end.
    const DATAGRAMS_MAX: usize = 16_384;
    /// Every conversation has a socket of its own, so any number will do.
    const NUMBER: u32 = 1;

    /// Asks, and tells of each message of the answer. What changed while it was read may be missing or be told twice; the
    /// next look has it.
    ///
    /// # Errors
    /// When the kernel refuses or does not answer.
    pub(in crate::agent) fn ask(request: Request, mut tell: impl FnMut(Message)) -> io::Result<()> {
        converse(false, &|number| request.bytes(number), |kind, body| tell(wire::message(kind, body)))
    }

    /// Sends the question that `question` makes of a number, about sockets or about routes and the like, and tells of the
    /// kind and the body of each message of the answer.
    ///
    /// # Errors
    /// As [`ask`].
    pub(in crate::agent) fn converse(
        about_sockets: bool,
        question: &dyn Fn(u32) -> Vec<u8>,
        mut tell: impl FnMut(u16, &[u8]),
    ) -> io::Result<()> {
        let protocol = about_sockets.then_some(netlink::SOCK_DIAG);
        let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, protocol)?;
        set_socket_timeout(&socket, Timeout::Recv, Some(PATIENCE))?;
        send(&socket, &question(NUMBER), SendFlags::empty())?;
        let mut datagram = vec![0; DATAGRAM];
        for _ in 0..DATAGRAMS_MAX {
            if let Some(end) = next(&socket, &mut datagram, &mut tell)? {
                return end;
            }
        }
        Err(io::Error::other("the kernel's table does not end"))
    }

    /// One datagram; gives how the answer ended if it did.
    fn next(
        socket: &OwnedFd,
        datagram: &mut [u8],
        tell: &mut impl FnMut(u16, &[u8]),
    ) -> io::Result<Option<io::Result<()>>> {
        let (length, _) = recv(socket, &mut *datagram, RecvFlags::empty())?;
        let mut end = None;
        wire::each(datagram.get(..length).unwrap_or_default(), NUMBER, |kind, body| match wire::end(kind, body) {
            Some(None) => end = Some(Ok(())),
            Some(Some(error)) => end = Some(Err(io::Error::from_raw_os_error(error))),
            None => tell(kind, body),
        });
        Ok(end)
    }
}
