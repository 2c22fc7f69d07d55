//! A browser's live connection, spoken by hand: what is sent, what is read and what is not is up to the test.

use crate::{http::find, wait};
use anyhow::{Context as _, Result, bail, ensure};
use shared::live::{BrowserMessage, LiveMessage};
use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

/// A WebSocket.
pub struct LiveSocket {
    stream: TcpStream,
    bytes: Vec<u8>,
}

/// How the server answered a handshake.
pub enum Handshake {
    Open(Box<LiveSocket>),
    Refused(u16),
}

/// What came over the wire.
#[derive(Debug)]
pub enum Frame {
    Message(LiveMessage),
    /// With its code.
    Closed(Option<u16>),
}

const TEXT: u8 = 1;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

impl LiveSocket {
    /// Opens a connection with these headers.
    ///
    /// # Errors
    /// When the server does not answer.
    pub fn handshake(address: SocketAddr, headers: &[(&str, &str)]) -> Result<Handshake> {
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(2))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        let mut head = format!(
            "GET /api/v1/live HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        );
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        stream.write_all(format!("{head}\r\n").as_bytes())?;
        let mut bytes = Vec::new();
        let end = loop {
            if let Some(end) = find(&bytes, b"\r\n\r\n") {
                break end;
            }
            let mut buffer = [0; 4_096];
            let n = stream.read(&mut buffer).context("no answer to the handshake")?;
            ensure!(n > 0, "the server broke off in the handshake");
            bytes.extend_from_slice(&buffer[..n]);
        };
        let answer = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let status = answer.split(' ').nth(1).and_then(|text| text.parse().ok()).context("no status line")?;
        if status != 101 {
            return Ok(Handshake::Refused(status));
        }
        // The published example of RFC 6455.
        ensure!(answer.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "the server did not prove that it speaks WebSocket");
        Ok(Handshake::Open(Box::new(Self { stream, bytes: bytes.split_off(end + 4) })))
    }

    /// Opens a connection with an API token.
    ///
    /// # Errors
    /// When it is refused.
    pub fn open(address: SocketAddr, token: &str) -> Result<Self> {
        match Self::handshake(address, &[("Authorization", &format!("Bearer {token}"))])? {
            Handshake::Open(socket) => Ok(*socket),
            Handshake::Refused(status) => bail!("the live connection was refused with {status}"),
        }
    }

    /// Says something.
    ///
    /// # Errors
    /// When the connection is gone.
    pub fn say(&mut self, message: &BrowserMessage) -> Result<()> {
        self.send(TEXT, &serde_json::to_vec(message)?)
    }

    /// Sends a frame as it is.
    ///
    /// # Errors
    /// When the connection is gone.
    pub fn send(&mut self, kind: u8, payload: &[u8]) -> Result<()> {
        let mut frame = vec![0x80 | kind];
        match u16::try_from(payload.len()) {
            Ok(length @ 0..126) => frame.push(0x80 | length as u8),
            Ok(length) => {
                frame.push(0x80 | 126);
                frame.extend(length.to_be_bytes());
            }
            Err(_) => bail!("a browser never says so much"),
        }
        // Masked, as a client must; the mask of zeros changes nothing.
        frame.extend([0; 4]);
        frame.extend(payload);
        self.stream.write_all(&frame)?;
        Ok(())
    }

    /// The next thing the server says, pings left out.
    ///
    /// # Errors
    /// When nothing came in time.
    pub fn hear(&mut self, patience: Duration) -> Result<Frame> {
        let begun = wait::instant();
        loop {
            let (kind, payload) = self.frame(patience.saturating_sub(begun.elapsed()))?;
            match kind {
                TEXT => {
                    let message = serde_json::from_slice(&payload).context("not in the protocol")?;
                    if matches!(message, LiveMessage::Ping { .. }) {
                        self.say(&BrowserMessage::Pong)?;
                    } else {
                        return Ok(Frame::Message(message));
                    }
                }
                CLOSE => return Ok(Frame::Closed(payload.first_chunk().map(|code| u16::from_be_bytes(*code)))),
                PING => self.send(PONG, &payload)?,
                _ => {}
            }
        }
    }

    /// The next message.
    ///
    /// # Errors
    /// When nothing came in time, or the server closed the connection.
    pub fn message(&mut self, patience: Duration) -> Result<LiveMessage> {
        match self.hear(patience)? {
            Frame::Message(message) => Ok(message),
            Frame::Closed(code) => bail!("the server closed the live connection with {code:?}"),
        }
    }

    fn frame(&mut self, patience: Duration) -> Result<(u8, Vec<u8>)> {
        let begun = wait::instant();
        let mut buffer = [0; 65_536];
        loop {
            if let Some(frame) = self.take() {
                return Ok(frame);
            }
            let left = patience.saturating_sub(begun.elapsed());
            ensure!(!left.is_zero(), "the server said nothing for {patience:?}");
            self.stream.set_read_timeout(Some(left))?;
            match self.stream.read(&mut buffer) {
                Ok(0) => return Ok((CLOSE, Vec::new())),
                Ok(n) => self.bytes.extend_from_slice(&buffer[..n]),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return Ok((CLOSE, Vec::new())),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// A whole frame out of what was read.
    fn take(&mut self) -> Option<(u8, Vec<u8>)> {
        let (kind, first) = (self.bytes.first()? & 0x0f, self.bytes.get(1)? & 0x7f);
        let (length, head) = match first {
            126 => (u64::from(u16::from_be_bytes(*self.bytes.get(2..)?.first_chunk()?)), 4),
            127 => (u64::from_be_bytes(*self.bytes.get(2..)?.first_chunk()?), 10),
            small => (u64::from(small), 2),
        };
        let end = head + usize::try_from(length).ok()?;
        if self.bytes.len() < end {
            return None;
        }
        let rest = self.bytes.split_off(end);
        let payload = std::mem::replace(&mut self.bytes, rest).split_off(head);
        Some((kind, payload))
    }
}
