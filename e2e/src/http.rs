//! A small HTTP client that sends exactly what a test says: one request a connection, every wait bounded.

use crate::wait;
use anyhow::{Context as _, Result, bail, ensure};
use serde::de::DeserializeOwned;
use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

const CONNECT: Duration = Duration::from_secs(2);
const ANSWER: Duration = Duration::from_secs(15);

/// Somebody who talks to one server.
#[derive(Clone, Debug)]
pub struct Client {
    address: SocketAddr,
    headers: Vec<(String, String)>,
}

/// What the server said.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Client {
    #[must_use]
    pub const fn new(address: SocketAddr) -> Self {
        Self { address, headers: Vec::new() }
    }

    /// The same, with an API token.
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.with("Authorization", &format!("Bearer {token}"))
    }

    /// The same, with one more header on every request.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// GET.
    ///
    /// # Errors
    /// When no whole answer came.
    pub fn get(&self, path: &str) -> Result<Answer> {
        self.send("GET", path, &[], b"")
    }

    /// GET, and the JSON of a 200.
    ///
    /// # Errors
    /// When the answer is another one.
    pub fn read<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        self.get(path)?.is(200).and_then(|answer| answer.json()).with_context(|| format!("GET {path}"))
    }

    /// POST of anything.
    ///
    /// # Errors
    /// When no whole answer came: what was sent may have arrived or not.
    pub fn post(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<Answer> {
        self.send("POST", path, headers, body)
    }

    /// POST of JSON.
    ///
    /// # Errors
    /// When no whole answer came.
    pub fn post_json(&self, path: &str, body: &serde_json::Value) -> Result<Answer> {
        self.post(path, &[("Content-Type", "application/json")], body.to_string().as_bytes())
    }

    /// Any request, with its length.
    ///
    /// # Errors
    /// When no whole answer came.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<Answer> {
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", self.address);
        let own = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        for (name, value) in own.chain(headers.iter().copied()) {
            head += &format!("{name}: {value}\r\n");
        }
        if !body.is_empty() || method != "GET" {
            head += &format!("Content-Length: {}\r\n", body.len());
        }
        head += "\r\n";
        self.exchange(&[head.as_bytes(), body].concat(), method == "HEAD")
    }

    /// Bytes as they are; they must ask for the connection to be closed.
    ///
    /// # Errors
    /// When no whole answer came.
    pub fn raw(&self, request: &[u8]) -> Result<Answer> {
        self.exchange(request, false)
    }

    /// Sends the beginning of a request and then one more byte each `every`, until the server closes the connection.
    ///
    /// # Errors
    /// When it did not within `patience`, or without a whole answer.
    pub fn drip(&self, begin: &[u8], every: Duration, patience: Duration) -> Result<Answer> {
        let mut stream =
            TcpStream::connect_timeout(&self.address, CONNECT).context("the server takes no connection")?;
        // Waiting for an answer is what paces the bytes.
        stream.set_read_timeout(Some(every))?;
        stream.write_all(begin)?;
        let mut bytes = Vec::new();
        let mut buffer = [0; 4_096];
        let begun = wait::instant();
        loop {
            ensure!(begun.elapsed() < patience, "the connection was still open after {patience:?}");
            match stream.read(&mut buffer) {
                Ok(0) => return Answer::parse(&bytes, false),
                Ok(n) => bytes.extend_from_slice(&buffer[..n]),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    // Closed meanwhile: then the next look finds the end.
                    stream.write_all(b" ").ok();
                }
                // Whoever goes on sending into a closed connection is told so; what was said before counts.
                Err(_) if !bytes.is_empty() => return Answer::parse(&bytes, false),
                Err(error) => return Err(error).context("the server broke off"),
            }
        }
    }

    fn exchange(&self, request: &[u8], head_only: bool) -> Result<Answer> {
        let mut stream =
            TcpStream::connect_timeout(&self.address, CONNECT).context("the server takes no connection")?;
        stream.set_read_timeout(Some(ANSWER))?;
        stream.set_write_timeout(Some(ANSWER))?;
        stream.set_nodelay(true)?;
        // A server that refuses early closes before everything is sent; its answer counts.
        let sent = stream.write_all(request);
        let mut bytes = Vec::new();
        if let Err(error) = stream.read_to_end(&mut bytes)
            && bytes.is_empty()
        {
            return Err(error).context("the server broke off");
        }
        if bytes.is_empty() {
            sent.context("the request could not be sent")?;
        }
        Answer::parse(&bytes, head_only)
    }
}

impl Answer {
    fn parse(bytes: &[u8], head_only: bool) -> Result<Self> {
        let end = find(bytes, b"\r\n\r\n").context("the answer broke off in its head")?;
        let head = std::str::from_utf8(&bytes[..end]).context("the head of the answer is not text")?;
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).context("no status line")?;
        let headers = lines.filter_map(|line| line.split_once(':'));
        let headers: Vec<_> = headers.map(|(name, value)| (name.to_lowercase(), value.trim().to_owned())).collect();
        let mut answer = Self { status, headers, body: bytes[end + 4..].to_vec() };
        if head_only {
            ensure!(answer.body.is_empty(), "an answer to HEAD has a body");
        } else if answer.header("transfer-encoding") == Some("chunked") {
            answer.body = unchunked(&answer.body)?;
        } else if let Some(length) = answer.header("content-length").and_then(|text| text.parse::<usize>().ok()) {
            ensure!(answer.body.len() == length, "the answer broke off after {} of {length} bytes", answer.body.len());
        }
        Ok(answer)
    }

    /// A header's first value.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// When it is something else.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.body).with_context(|| format!("unexpected body: {}", self.text()))
    }

    /// Itself, when the status is the expected one.
    ///
    /// # Errors
    /// Shows the answer otherwise.
    pub fn is(self, status: u16) -> Result<Self> {
        if self.status != status {
            bail!("answered {} where {status} was expected: {}", self.status, self.text());
        }
        Ok(self)
    }
}

/// Where `needle` begins.
#[must_use]
pub fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes.windows(needle.len()).position(|window| window == needle)
}

/// A chunked body, whole.
///
/// # Errors
/// When it broke off.
pub fn unchunked(mut bytes: &[u8]) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = find(bytes, b"\r\n").context("a chunk broke off")?;
        let size = std::str::from_utf8(&bytes[..end]).ok().and_then(|text| usize::from_str_radix(text.trim(), 16).ok());
        let size = size.context("a chunk without a size")?;
        if size == 0 {
            return Ok(body);
        }
        body.extend_from_slice(bytes.get(end + 2..end + 2 + size).context("a chunk broke off")?);
        bytes = bytes.get(end + 4 + size..).context("a chunk broke off")?;
    }
}
