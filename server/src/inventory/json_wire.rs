//! JSON values one after another on a connection, as Open vSwitch's database and QEMU's monitor speak.

use super::{
    Fault, FaultKind,
    endpoint::{Endpoint, Stream},
};
use serde_json::Value;
use std::io;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// What is kept of the buffer after a large value.
const KEPT_BYTES: usize = 64 << 10;

/// A connection on which each side sends objects or lists, with nothing but white space between.
pub(crate) struct JsonWire {
    endpoint: Endpoint,
    stream: Stream,
    /// What came and was not given out yet.
    buffer: Vec<u8>,
    scan: Scan,
    most_bytes: usize,
}

impl JsonWire {
    /// Connects; a value of more than `most_bytes` will be refused.
    ///
    /// # Errors
    /// Those of [`Endpoint::connect`].
    pub(crate) async fn connect(endpoint: &Endpoint, most_bytes: usize) -> Result<Self, Fault> {
        Ok(Self::over(endpoint.clone(), endpoint.connect().await?, most_bytes))
    }

    fn over(endpoint: Endpoint, stream: Stream, most_bytes: usize) -> Self {
        Self { endpoint, stream, buffer: Vec::new(), scan: Scan::default(), most_bytes }
    }

    /// Whom we speak with, for messages.
    #[must_use]
    pub(crate) const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The next value. Nothing is lost when the wait is given up.
    ///
    /// # Errors
    /// When the connection ends, and when what comes is no JSON or too much of it; then it is of no more use.
    pub(crate) async fn next(&mut self) -> Result<Value, Fault> {
        loop {
            if let Some(end) = self.scan.end(&self.buffer).map_err(|byte| self.unreadable(&not_json(byte)))? {
                let value = serde_json::from_slice(&self.buffer[..end]);
                self.buffer.drain(..end);
                self.buffer.shrink_to(KEPT_BYTES);
                self.scan = Scan::default();
                return value.map_err(|error| self.unreadable(&format!("what is no JSON ({error})")));
            }
            if self.buffer.len() >= self.most_bytes {
                return Err(self.unreadable(&format!("a value of more than {} bytes", self.most_bytes)));
            }
            let read = self.stream.read_buf(&mut self.buffer).await.map_err(|error| self.endpoint.lost(error))?;
            if read == 0 {
                return Err(self.endpoint.lost(io::ErrorKind::UnexpectedEof.into()));
            }
        }
    }

    /// Sends a value whole.
    ///
    /// # Errors
    /// When the connection is gone. A given up send leaves it of no more use.
    pub(crate) async fn send(&mut self, value: &Value) -> Result<(), Fault> {
        let sent = async {
            self.stream.write_all(value.to_string().as_bytes()).await?;
            self.stream.flush().await
        };
        sent.await.map_err(|error| self.endpoint.lost(error))
    }

    fn unreadable(&self, what: &str) -> Fault {
        let message = format!("{} sent {what}; is it the right socket?", self.endpoint);
        Fault::new(FaultKind::Unreadable, message)
    }
}

fn not_json(byte: u8) -> String {
    format!("what is no JSON (it begins with {:?})", char::from(byte))
}

/// Finds where a value ends without looking at a byte twice; whether it is JSON is for the reader to say.
#[derive(Debug, Default)]
struct Scan {
    looked: usize,
    depth: usize,
    in_text: bool,
    escaped: bool,
}

impl Scan {
    /// Behind the first value of `bytes`, which may only have grown since the last call; none while it goes on. Fails
    /// with the byte that begins neither an object nor a list.
    fn end(&mut self, bytes: &[u8]) -> Result<Option<usize>, u8> {
        for &byte in bytes.get(self.looked..).unwrap_or_default() {
            self.looked += 1;
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' if self.in_text => self.escaped = true,
                b'"' if self.depth > 0 => self.in_text = !self.in_text,
                _ if self.in_text => {}
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' if self.depth > 0 => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        return Ok(Some(self.looked));
                    }
                }
                _ if self.depth > 0 || byte.is_ascii_whitespace() => {}
                _ => return Err(byte),
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    const MOST: usize = 4_096;

    /// Everything that is read of `bytes` when they come in pieces of `size`, and the fault at the end.
    async fn read(bytes: &[u8], size: usize) -> (Vec<Value>, Fault) {
        let (ours, mut theirs) = tokio::io::duplex(size);
        let mut wire = JsonWire::over(Endpoint::unix("/test"), Box::new(ours), MOST);
        let bytes = bytes.to_vec();
        let sender = tokio::spawn(async move {
            // The reader may have hung up.
            theirs.write_all(&bytes).await.ok();
        });
        let mut values = Vec::new();
        let fault = loop {
            match wire.next().await {
                Ok(value) => values.push(value),
                Err(fault) => break fault,
            }
        };
        drop(wire);
        sender.await.unwrap();
        (values, fault)
    }

    #[tokio::test]
    async fn values_are_told_apart_wherever_they_are_cut() {
        let values = [json!({"a": "}]\\\"{"}), json!([1, [2, {"b": null}]]), json!({})];
        let text = format!(" {}\r\n{}{}", values[0], values[1], values[2]);
        for size in 1..=text.len() {
            let (read, fault) = read(text.as_bytes(), size).await;
            assert_eq!((read.as_slice(), fault.kind), (values.as_slice(), FaultKind::Unreachable), "{size}");
        }
    }

    #[tokio::test]
    async fn what_is_no_json_or_too_long_is_refused() {
        let endless = format!("{{\"a\": \"{}", "x".repeat(2 * MOST));
        let deep = "[".repeat(MOST - 1) + &"]".repeat(MOST - 1);
        for text in ["HTTP/1.1 400 Bad Request", "}", "{]", "\"text\"", endless.as_str(), deep.as_str()] {
            let (values, fault) = read(text.as_bytes(), 1_024).await;
            assert_eq!((values, fault.kind), (vec![], FaultKind::Unreadable), "{fault}");
        }
    }

    #[tokio::test]
    async fn what_is_sent_is_heard() {
        let (ours, theirs) = tokio::io::duplex(16);
        let wire = |stream| JsonWire::over(Endpoint::unix("/test"), Box::new(stream), MOST);
        let (mut ours, mut theirs) = (wire(ours), wire(theirs));
        let value = json!({"method": "echo", "params": ["a longer text than fits at once"]});
        let (sent, heard) = tokio::join!(ours.send(&value), theirs.next());
        sent.unwrap();
        assert_eq!(heard.unwrap(), value);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300), size in 1..64_usize) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let (values, fault) = runtime.block_on(read(&bytes, size));
            prop_assert!(values.len() <= bytes.len() / 2);
            prop_assert!(matches!(fault.kind, FaultKind::Unreadable | FaultKind::Unreachable));
        }

        #[test]
        fn the_end_does_not_depend_on_the_pieces(bytes in "[\\[\\]{}\"\\\\a ]{0,40}", cut in 0..40_usize) {
            let bytes = bytes.as_bytes();
            let whole = Scan::default().end(bytes);
            let mut scan = Scan::default();
            let first = scan.end(&bytes[..cut.min(bytes.len())]);
            let pieces = if first == Ok(None) { scan.end(bytes) } else { first };
            prop_assert_eq!(whole, pieces);
        }
    }
}
