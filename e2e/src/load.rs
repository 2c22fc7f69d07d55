//! Load: many connections that send as fast as they are answered, or at a fixed rate whatever the answers are.

use crate::{http::find, wait};
use anyhow::{Context as _, Result, ensure};
use futures_util::future::try_join_all;
use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net,
};

/// How long each request took, and how long all of them.
#[derive(Clone, Debug, Default)]
pub struct Measured {
    took: Vec<Duration>,
    pub total: Duration,
    /// Answers that were no success.
    pub refused: u64,
}

impl Measured {
    /// From single times.
    #[must_use]
    pub fn new(mut took: Vec<Duration>, total: Duration, refused: u64) -> Self {
        took.sort_unstable();
        Self { took, total, refused }
    }

    /// Requests that succeeded, a second.
    #[must_use]
    pub fn per_second(&self) -> f64 {
        if self.total.is_zero() { 0.0 } else { self.took.len() as f64 / self.total.as_secs_f64() }
    }

    /// The time so many of a thousand stayed within, in milliseconds.
    #[must_use]
    pub fn within_ms(&self, per_mille: usize) -> f64 {
        let last = self.took.len().saturating_sub(1);
        let at = (self.took.len() * per_mille / 1_000).min(last);
        self.took.get(at).map_or(f64::NAN, |took| took.as_secs_f64() * 1_000.0)
    }
}

/// The bytes of a POST that keeps its connection.
#[must_use]
pub fn post(path: &str, content_type: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// Sends `count` requests over so many connections, each as soon as the one before is answered.
///
/// # Errors
/// When the server breaks off.
pub fn closed_loop(
    address: SocketAddr,
    connections: u64,
    count: u64,
    request: impl Fn(u64) -> Vec<u8> + Sync,
) -> Result<Measured> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let (next, request) = (AtomicU64::new(0), &request);
    let next = &next;
    let begun = wait::instant();
    let connection = || async move {
        let mut stream = net::TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (mut took, mut refused) = (Vec::new(), 0);
        let mut buffer = Vec::with_capacity(4_096);
        loop {
            let n = next.fetch_add(1, Ordering::Relaxed);
            if n >= count {
                return anyhow::Ok((took, refused));
            }
            let bytes = request(n);
            let sent = wait::instant();
            stream.write_all(&bytes).await?;
            buffer.clear();
            let status = loop {
                ensure!(stream.read_buf(&mut buffer).await? > 0, "the server closed a connection");
                if let Some(status) = answered(&buffer)? {
                    break status;
                }
            };
            if (200..300).contains(&status) { took.push(sent.elapsed()) } else { refused += 1 }
        }
    };
    // All on this one thread: the other core is the server's.
    let done = runtime.block_on(try_join_all((0..connections).map(|_| connection())))?;
    let refused = done.iter().map(|(_, refused)| refused).sum();
    let took = done.into_iter().flat_map(|(took, _)| took).collect();
    Ok(Measured::new(took, begun.elapsed(), refused))
}

/// The status once an answer is there as a whole.
fn answered(bytes: &[u8]) -> Result<Option<u16>> {
    let Some(end) = find(bytes, b"\r\n\r\n") else { return Ok(None) };
    let head = std::str::from_utf8(&bytes[..end]).context("the head of an answer is not text")?;
    let length = head.split("\r\n").filter_map(|line| line.split_once(':'));
    let length = length.filter(|(name, _)| name.eq_ignore_ascii_case("content-length")).map(|(_, text)| text.trim());
    let length: usize = length.filter_map(|text| text.parse().ok()).next().unwrap_or(0);
    let status = head.split(' ').nth(1).and_then(|text| text.parse().ok()).context("an answer without a status")?;
    Ok((bytes.len() >= end + 4 + length).then_some(status))
}

/// Sends `rate` requests a second for a while, the first at `begun`; a late answer delays nobody. Times count from when
/// a request was due.
///
/// # Errors
/// When the server breaks off.
pub fn open_loop(
    address: SocketAddr,
    begun: Instant,
    rate: u32,
    length: Duration,
    request: impl Fn(u64) -> Vec<u8> + Sync,
) -> Result<Measured> {
    const SENDERS: u64 = 64;
    let count = u64::from(rate) * length.as_secs();
    let due = |n: u64| due(begun, rate, n);
    let sender = |first: u64| -> Result<(Vec<Duration>, u64)> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        let (mut took, mut refused) = (Vec::new(), 0);
        for n in (first..count).step_by(SENDERS as usize) {
            let bytes = request(n);
            wait::sleep_until(due(n));
            let status = exchange(&mut stream, &bytes)?;
            if (200..300).contains(&status) { took.push(due(n).elapsed()) } else { refused += 1 }
        }
        Ok((took, refused))
    };
    let (mut took, mut refused) = (Vec::new(), 0);
    thread::scope(|scope| {
        let senders: Vec<_> = (0..SENDERS)
            .map(|first| {
                let sender = &sender;
                scope.spawn(move || sender(first))
            })
            .collect();
        for sender in senders {
            let (some, more) = sender.join().map_err(|_| anyhow::anyhow!("a sender panicked"))??;
            took.extend(some);
            refused += more;
        }
        anyhow::Ok(())
    })?;
    Ok(Measured::new(took, begun.elapsed(), refused))
}

fn exchange(stream: &mut TcpStream, request: &[u8]) -> Result<u16> {
    stream.write_all(request)?;
    let mut bytes = Vec::with_capacity(2_048);
    let mut buffer = [0; 2_048];
    loop {
        let n = stream.read(&mut buffer)?;
        ensure!(n > 0, "the server closed a connection");
        bytes.extend_from_slice(&buffer[..n]);
        if let Some(status) = answered(&bytes)? {
            return Ok(status);
        }
    }
}

/// When each of the requests was due, for who measures their effect elsewhere.
#[must_use]
pub fn due(begun: Instant, rate: u32, n: u64) -> Instant {
    begun + Duration::from_micros(n * 1_000_000 / u64::from(rate))
}
