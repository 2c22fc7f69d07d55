//! The conversation with the kernel about its network (netlink(7)); any account may ask.

use super::wire::{Message, Request};
use std::io;

#[cfg(target_os = "linux")]
pub(super) use linux::ask;

/// # Errors
/// Always: elsewhere the tables are asked for in another way.
#[cfg(not(target_os = "linux"))]
pub(super) fn ask(_: Request, _: impl FnMut(Message)) -> io::Result<()> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "the agent runs on Linux only"))
}

#[cfg(target_os = "linux")]
mod linux {
    use super::{Message, Request, io};
    use crate::agent::wire;
    use rustix::{
        fd::OwnedFd,
        net::{
            AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socket_with,
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
        let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None)?;
        set_socket_timeout(&socket, Timeout::Recv, Some(PATIENCE))?;
        send(&socket, &request.bytes(NUMBER), SendFlags::empty())?;
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
        tell: &mut impl FnMut(Message),
    ) -> io::Result<Option<io::Result<()>>> {
        let (length, _) = recv(socket, &mut *datagram, RecvFlags::empty())?;
        let mut end = None;
        wire::read(datagram.get(..length).unwrap_or_default(), NUMBER, |message| match message {
            Message::End(None) => end = Some(Ok(())),
            Message::End(Some(error)) => end = Some(Err(io::Error::from_raw_os_error(error))),
            message => tell(message),
        });
        Ok(end)
    }
}
