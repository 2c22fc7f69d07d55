//! libvirt's remote procedure calls: the frame, the header, and errors (libvirt's `virnetprotocol.x`).

use super::xdr::{Reader, Writer, XdrError};
use crate::{
    inventory::{Endpoint, Fault, FaultKind, endpoint::Stream},
    outbound::quote,
};
use std::{io, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::timeout,
};

/// The program of all calls about machines, and its only version.
const PROGRAM: u32 = 0x2000_8086;
/// The program of pings, which go either way.
const KEEPALIVE: u32 = 0x6b65_6570;
const VERSION: u32 = 1;
const PING: i32 = 1;
const PONG: i32 = 2;
/// Of a message: a call, its reply, or something that is neither.
const CALL: i32 = 0;
const REPLY: i32 = 1;
const MESSAGE: i32 = 2;
/// The result of a call.
const OK: i32 = 0;
const ERROR: i32 = 1;
/// The length and the six numbers of the header.
const HEADER_BYTES: usize = 28;
/// Texts have at most 4 MiB in this protocol, and no call of ours gives two.
const FRAME_BYTES: usize = 8 << 20;

/// An open connection to libvirt's daemon.
pub(super) struct Wire {
    endpoint: Endpoint,
    stream: Stream,
    /// What came and was not taken yet.
    buffer: Vec<u8>,
    serial: u32,
}

/// The daemon's own no.
#[derive(Debug)]
pub(super) struct Refusal {
    /// libvirt's `virErrorNumber`.
    pub(super) code: i32,
    pub(super) message: String,
}

/// Why a call gave nothing.
pub(super) enum CallError {
    /// The daemon said no; the connection is as good as before.
    Refused(Refusal),
    /// There was no reply in time. It may come later and is passed over then.
    Late,
    /// The connection is of no more use.
    Lost(Fault),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Header {
    program: u32,
    procedure: i32,
    kind: i32,
    serial: u32,
    status: i32,
}

impl Header {
    fn frame(self, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(HEADER_BYTES + body.len()).unwrap_or(u32::MAX);
        let header = Writer::default().u32(length).u32(self.program).u32(VERSION).i32(self.procedure);
        let mut frame = header.i32(self.kind).u32(self.serial).i32(self.status).done();
        frame.extend(body);
        frame
    }

    /// Reads the header of a frame that comes without its length, and what follows it.
    fn read(frame: &[u8]) -> Result<(Self, &[u8]), XdrError> {
        let (header, body) = frame.split_at_checked(HEADER_BYTES - 4).ok_or(XdrError::Short)?;
        let mut reader = Reader::new(header);
        let program = reader.u32()?;
        reader.u32()?;
        let (procedure, kind) = (reader.i32()?, reader.i32()?);
        Ok((Self { program, procedure, kind, serial: reader.u32()?, status: reader.i32()? }, body))
    }
}

impl Wire {
    /// Connects. Behind TLS the daemon says with one byte that it accepts our certificate.
    pub(super) async fn connect(endpoint: &Endpoint, within: Duration) -> Result<Self, Fault> {
        let mut stream = endpoint.connect().await?;
        if endpoint.is_tls() {
            let accepted = timeout(within, stream.read_u8()).await.map_err(|_| silent(endpoint, within))?;
            if accepted.map_err(|error| endpoint.lost(error))? != 1 {
                let message =
                    format!("{endpoint} does not accept our certificate; its `tls_allowed_dn_list` may say why");
                return Err(Fault::new(FaultKind::Refused, message));
            }
        }
        Ok(Self { endpoint: endpoint.clone(), stream, buffer: Vec::new(), serial: 0 })
    }

    /// Calls a procedure and gives what it returned.
    pub(super) async fn call(
        &mut self,
        procedure: i32,
        arguments: &[u8],
        within: Duration,
    ) -> Result<Vec<u8>, CallError> {
        self.serial = self.serial.wrapping_add(1);
        let header = Header { program: PROGRAM, procedure, kind: CALL, serial: self.serial, status: OK };
        // A half sent call would garble the next one.
        let sent = timeout(within, self.send(header, arguments)).await;
        sent.map_err(|_| CallError::Lost(silent(&self.endpoint, within)))??;
        timeout(within, self.reply(header)).await.unwrap_or(Err(CallError::Late))
    }

    async fn send(&mut self, header: Header, body: &[u8]) -> Result<(), CallError> {
        self.stream.write_all(&header.frame(body)).await.map_err(|error| self.lost(error))?;
        self.stream.flush().await.map_err(|error| self.lost(error))
    }

    /// Waits for the reply to a call; pings are answered, what is late or was not asked for is passed over. Nothing is
    /// lost when the wait is given up.
    async fn reply(&mut self, call: Header) -> Result<Vec<u8>, CallError> {
        loop {
            let frame = self.frame().await?;
            let (header, body) = Header::read(&frame).map_err(|error| self.unreadable(&error))?;
            if (header.program, header.procedure) == (KEEPALIVE, PING) {
                let pong = Header { procedure: PONG, kind: MESSAGE, ..header };
                self.send(pong, &[]).await?;
            }
            if (header.program, header.kind, header.serial) != (PROGRAM, REPLY, call.serial) {
                continue;
            }
            return match header.status {
                OK => Ok(body.to_vec()),
                ERROR => Err(CallError::Refused(refusal(body).map_err(|error| self.unreadable(&error))?)),
                _ => Err(self.unreadable(&XdrError::NeitherNor)),
            };
        }
    }

    /// The next frame without its length.
    async fn frame(&mut self) -> Result<Vec<u8>, CallError> {
        loop {
            if let Some((length, rest)) = self.buffer.split_first_chunk::<4>() {
                let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
                if !(HEADER_BYTES..=FRAME_BYTES).contains(&length) {
                    let message =
                        format!("{} sent a message of {length} bytes; is it libvirt's socket?", self.endpoint);
                    return Err(CallError::Lost(Fault::new(FaultKind::Unreadable, message)));
                }
                if let Some(frame) = rest.get(..length - 4) {
                    let frame = frame.to_vec();
                    self.buffer.drain(..length);
                    return Ok(frame);
                }
            }
            let read = self.stream.read_buf(&mut self.buffer).await.map_err(|error| self.lost(error))?;
            if read == 0 {
                return Err(self.lost(io::ErrorKind::UnexpectedEof.into()));
            }
        }
    }

    fn lost(&self, error: io::Error) -> CallError {
        CallError::Lost(self.endpoint.lost(error))
    }

    fn unreadable(&self, error: &XdrError) -> CallError {
        CallError::Lost(unreadable(&self.endpoint, error))
    }
}

/// That what came cannot be read.
pub(super) fn unreadable(endpoint: &Endpoint, error: &XdrError) -> Fault {
    Fault::new(FaultKind::Unreadable, format!("{endpoint} answered what cannot be read: {error}")).because(*error)
}

/// That nothing came in time.
pub(super) fn silent(endpoint: &Endpoint, within: Duration) -> Fault {
    let message = format!("{endpoint} did not answer within {} s; does libvirt hang?", within.as_secs());
    Fault::new(FaultKind::Unreachable, message)
}

/// Of `remote_error`, its number and its sentence.
fn refusal(body: &[u8]) -> Result<Refusal, XdrError> {
    let mut reader = Reader::new(body);
    let code = reader.i32()?;
    // Which part of libvirt it comes from.
    reader.i32()?;
    let message = reader.maybe(Reader::text)?.unwrap_or_default();
    Ok(Refusal { code, message: quote(&message, &[]) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tokio::io::duplex;

    const PATIENT: Duration = Duration::from_secs(5);

    /// What a call of ours gives when the daemon sends `bytes`, in pieces of `size`.
    async fn called(bytes: Vec<u8>, size: usize) -> Result<Vec<u8>, CallError> {
        let (ours, theirs) = duplex(size);
        let (mut said, mut heard) = tokio::io::split(theirs);
        let sender = tokio::spawn(async move {
            // The caller may have hung up.
            heard.write_all(&bytes).await.ok();
            heard.shutdown().await.ok();
        });
        let drain = tokio::spawn(async move { tokio::io::copy(&mut said, &mut tokio::io::sink()).await });
        let mut wire =
            Wire { endpoint: Endpoint::unix("/test"), stream: Box::new(ours), buffer: Vec::new(), serial: 6 };
        let result = wire.call(59, &[], PATIENT).await;
        drop(wire);
        sender.await.unwrap();
        drain.await.unwrap().unwrap();
        result
    }

    fn reply(serial: u32, status: i32, body: &[u8]) -> Vec<u8> {
        Header { program: PROGRAM, procedure: 59, kind: REPLY, serial, status }.frame(body)
    }

    #[tokio::test]
    async fn a_reply_is_found_among_what_was_not_asked_for() {
        let ping = Header { program: KEEPALIVE, procedure: PING, kind: MESSAGE, serial: 0, status: OK }.frame(&[]);
        let event = Header { program: PROGRAM, procedure: 318, kind: MESSAGE, serial: 0, status: OK }.frame(&[0; 8]);
        let bytes = [ping, event, reply(5, OK, b"late"), reply(7, OK, b"mine")].concat();
        for size in [1, 3, 7, 1_000] {
            assert!(matches!(called(bytes.clone(), size).await, Ok(body) if body == b"mine"), "{size}");
        }
    }

    #[tokio::test]
    async fn an_error_has_its_number_and_sentence() {
        let body = Writer::default().i32(42).i32(10).some_text("Domain not found").done();
        let Err(CallError::Refused(refusal)) = called(reply(7, ERROR, &body), 64).await else { panic!("no refusal") };
        assert_eq!((refusal.code, refusal.message.as_str()), (42, "Domain not found"));
    }

    #[tokio::test]
    async fn what_is_no_frame_is_a_fault() {
        let huge = u32::MAX.to_be_bytes().to_vec();
        for (bytes, kind) in [
            (b"HTTP/1.1 400 Bad Request".to_vec(), FaultKind::Unreadable),
            (huge, FaultKind::Unreadable),
            (reply(7, 9, &[]), FaultKind::Unreadable),
            (reply(7, ERROR, &[]), FaultKind::Unreadable),
            (reply(7, OK, b"cut")[..20].to_vec(), FaultKind::Unreachable),
        ] {
            let Err(CallError::Lost(fault)) = called(bytes, 64).await else { panic!("no fault") };
            assert_eq!(fault.kind, kind, "{fault}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_reply_or_a_fault(bytes in prop::collection::vec(any::<u8>(), 0..80), framed in any::<bool>()) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
            let bytes = if framed { reply(7, i32::from(bytes.first().copied().unwrap_or(0)), &bytes) } else { bytes };
            let result = runtime.block_on(called(bytes, 64));
            prop_assert!(!matches!(result, Err(CallError::Late)));
        }
    }
}
