//! Listens for agents of Open-Falcon as its `transfer` does: JSON-RPC 1.0 over TCP, in the manner of Go's `net/rpc/jsonrpc`.
//!
//! One JSON object after another, with or without blanks between, each answered by one line. There is no token in this
//! protocol: only the addresses of the configuration may speak, and what they may make us hold is bounded.

use super::{Metric, Reply};
use crate::{clock, hosts::Intake, runtime::Runtime, telemetry};
use ipnet::IpNet;
use serde::Deserialize;
use serde_json::{Value, json};
use std::{collections::BTreeSet, io, net::IpAddr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::{JoinHandle, JoinSet},
    time::{sleep, timeout},
};

/// Agents keep their connection.
const CONNECTIONS_MAX: usize = 4_096;
/// Calls with more are not answered; an agent sends some ten thousand bytes.
const CALL_MAX_BYTES: usize = 2 << 20;
/// Of each connection, besides the few that may read a larger call at a time.
const SMALL_BYTES: usize = 64 << 10;
const LARGE_CALLS: usize = 16;
/// Agents send once a step; whoever says nothing for so long connects again.
const IDLE: Duration = Duration::from_secs(900);
/// For a call that has begun, and for its answer to be taken.
const CALL: Duration = Duration::from_secs(15);
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Addresses that were turned away are told of once each, so many of them.
const STRANGERS_MAX: usize = 64;

/// Listens where the configuration in force says, for ever.
pub async fn listen(intake: Arc<Intake>, runtime: Runtime) {
    let mut listening: Option<(String, Vec<String>, Listening)> = None;
    let mut failed: Option<String> = None;
    loop {
        let config = runtime.config();
        let mode = &config.document.hosts;
        let same = match (&listening, &mode.falcon_listen) {
            (Some((address, from, _)), Some(wanted)) => address == wanted && *from == mode.falcon_from,
            (None, None) => true,
            _ => false,
        };
        if !same {
            // The old one is closed first: the new one may have the same port.
            listening = None;
            if let Some(address) = &mode.falcon_listen {
                match TcpListener::bind(address.trim()).await {
                    Ok(listener) => {
                        tracing::info!(address, "listens for agents of Open-Falcon");
                        failed = None;
                        let task = tokio::spawn(accept(listener, prefixes(&mode.falcon_from), Arc::clone(&intake)));
                        listening = Some((address.clone(), mode.falcon_from.clone(), Listening(task)));
                    }
                    Err(error) if failed.as_ref() != Some(address) => {
                        tracing::error!(address, %error, "cannot listen for agents of Open-Falcon (`falcon_listen`); it is tried again");
                        failed = Some(address.clone());
                    }
                    Err(_) => {}
                }
            }
        }
        sleep(LOOK_EVERY).await;
    }
}

struct Listening(JoinHandle<()>);

impl Drop for Listening {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn prefixes(texts: &[String]) -> Vec<IpNet> {
    let prefix = |text: &str| text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
    texts.iter().filter_map(|text| prefix(text.trim())).collect()
}

async fn accept(listener: TcpListener, from: Vec<IpNet>, intake: Arc<Intake>) {
    let large = Arc::new(Semaphore::new(LARGE_CALLS));
    // They end with this task.
    let mut connections = JoinSet::new();
    let mut strangers = BTreeSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection of an agent of Open-Falcon could not be taken");
                sleep(LOOK_EVERY).await;
                continue;
            }
        };
        let ip = peer.ip().to_canonical();
        if !from.iter().any(|prefix| prefix.contains(&ip)) {
            telemetry::refused("falcon_from");
            if strangers.len() < STRANGERS_MAX && strangers.insert(ip) {
                tracing::warn!(%ip, "an agent of Open-Falcon was turned away; `falcon_from` does not name its address");
            }
            continue;
        }
        if connections.len() >= CONNECTIONS_MAX {
            telemetry::refused("falcon_connections");
            continue;
        }
        let (intake, large) = (Arc::clone(&intake), Arc::clone(&large));
        connections.spawn(async move {
            if let Err(error) = serve(stream, &intake, &large).await {
                tracing::debug!(%ip, %error, "a connection of an agent of Open-Falcon ended");
            }
        });
    }
}

/// Answers call after call until the other side hangs up.
async fn serve(mut stream: TcpStream, intake: &Intake, large: &Semaphore) -> io::Result<()> {
    let late = |_| io::Error::new(io::ErrorKind::TimedOut, "it did not go on in time");
    let (mut bytes, mut scan) = (Vec::new(), Scan::default());
    loop {
        let mut room = None;
        let end = loop {
            match scan.look(&bytes) {
                Ok(Some(end)) => break end,
                Ok(None) if bytes.len() < CALL_MAX_BYTES => {}
                Ok(None) => return Err(io::Error::other(format!("a call has more than {CALL_MAX_BYTES} bytes"))),
                Err(NoJson) => return Err(io::Error::other("what it says is no JSON object")),
            }
            if bytes.len() > SMALL_BYTES && room.is_none() {
                room = timeout(CALL, large.acquire()).await.map_err(late)?.ok();
            }
            let patience = if bytes.is_empty() { IDLE } else { CALL };
            if timeout(patience, stream.read_buf(&mut bytes)).await.map_err(late)?? == 0 {
                return Ok(());
            }
        };
        let answer = answer(bytes.get(..end).unwrap_or_default(), intake);
        bytes.drain(..end);
        bytes.shrink_to(SMALL_BYTES);
        scan = Scan::default();
        drop(room);
        timeout(CALL, stream.write_all(answer.as_bytes())).await.map_err(late)??;
    }
}

#[derive(Deserialize)]
struct Call {
    method: String,
    #[serde(default)]
    params: Value,
    #[serde(default)]
    id: Value,
}

/// The answer to one call, as Go's server words it.
fn answer(call: &[u8], intake: &Intake) -> String {
    let (id, result) = match serde_json::from_slice::<Call>(call) {
        Ok(call) => (call.id, carry_out(&call.method, call.params, intake)),
        Err(error) => (Value::Null, Err(format!("rpc: the request cannot be read: {error}"))),
    };
    let (result, error) = match result {
        Ok(result) => (result, Value::Null),
        Err(error) => (Value::Null.to_string(), Value::from(error)),
    };
    format!("{{\"id\":{id},\"result\":{result},\"error\":{error}}}\n")
}

/// The result as JSON.
fn carry_out(method: &str, params: Value, intake: &Intake) -> Result<String, String> {
    match method {
        "Transfer.Ping" => Ok(json!({ "code": 0 }).to_string()),
        "Transfer.Update" => {
            let (watch, now) = (clock::Stopwatch::start(), clock::now());
            let (metrics,): (Vec<Option<Metric>>,) =
                serde_json::from_value(params).map_err(|error| format!("the parameters cannot be read: {error}"))?;
            let (total, invalid) = intake.falcon(&metrics, now).map_err(|full| full.to_string())?;
            serde_json::to_string(&Reply::new(total, invalid, watch.elapsed_ms())).map_err(|error| error.to_string())
        }
        _ if method.starts_with("Transfer.") => Err(format!("rpc: can't find method {}", told(method))),
        _ => Err(format!("rpc: can't find service {}", told(method))),
    }
}

/// Of what a stranger says, what fits into a line.
fn told(text: &str) -> String {
    text.chars().take(100).collect()
}

/// Finds where a JSON object ends, however it arrives.
#[derive(Debug, Default)]
struct Scan {
    at: usize,
    depth: usize,
    in_text: bool,
    escaped: bool,
}

/// Something else than an object begins.
#[derive(Debug, PartialEq, Eq)]
struct NoJson;

impl Scan {
    /// Looks at what is new of `bytes`, and gives the length of the first object when it is whole. What is inside is for the
    /// parser to judge.
    fn look(&mut self, bytes: &[u8]) -> Result<Option<usize>, NoJson> {
        for byte in bytes.iter().skip(self.at) {
            self.at += 1;
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' if self.in_text => self.escaped = true,
                b'"' if self.depth > 0 => self.in_text = !self.in_text,
                _ if self.in_text => {}
                b'{' => self.depth += 1,
                b'[' if self.depth > 0 => self.depth += 1,
                b'}' | b']' if self.depth > 0 => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        return Ok(Some(self.at));
                    }
                }
                _ if self.depth > 0 || byte.is_ascii_whitespace() => {}
                _ => return Err(NoJson),
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hosts::Hosts;
    use proptest::prelude::*;

    #[test]
    fn an_object_ends_where_it_ends() {
        let mut scan = Scan::default();
        let text = br#" {"a":"}\"{","b":[{}]} {"c""#;
        assert_eq!(scan.look(&text[..9]), Ok(None));
        assert_eq!(scan.look(text), Ok(Some(22)));
        assert_eq!(Scan::default().look(b"\r\n "), Ok(None));
        for none in ["x", "[", "\"", "}", "1"] {
            assert_eq!(Scan::default().look(none.as_bytes()), Err(NoJson), "{none}");
        }
    }

    #[test]
    fn calls_are_answered_as_go_does() {
        let intake = Intake::new(Arc::new(Hosts::default()));
        let said = |call: &str| answer(call.as_bytes(), &intake);
        assert_eq!(
            said(r#"{"method":"Transfer.Ping","params":[{}],"id":1}"#),
            "{\"id\":1,\"result\":{\"code\":0},\"error\":null}\n"
        );
        let update = r#"{"method":"Transfer.Update","id":7,"params":[[{"metric":"cpu.idle","endpoint":"web","value":1,
            "step":60,"counterType":"GAUGE","tags":"","timestamp":0},null]]}"#;
        let answered = said(update);
        let after = answered
            .strip_prefix("{\"id\":7,\"result\":{\"Message\":\"ok\",\"Total\":2,\"Invalid\":1,\"Latency\":")
            .unwrap();
        assert!(after.trim_start_matches(|c: char| c.is_ascii_digit()) == "},\"error\":null}\n", "{answered}");
        assert_eq!(
            said(r#"{"method":"Judge.Send","params":[],"id":"x"}"#),
            "{\"id\":\"x\",\"result\":null,\"error\":\"rpc: can't find service Judge.Send\"}\n"
        );
        assert!(said(r#"{"method":"Transfer.Stop","id":2}"#).contains("rpc: can't find method Transfer.Stop"));
        for bad in [r#"{"method":"Transfer.Update","id":2}"#, r#"{"method":"Transfer.Update","params":[1],"id":2}"#] {
            assert!(said(bad).contains("\"result\":null,\"error\":\"the parameters cannot be read"), "{}", said(bad));
        }
        assert!(said("{}").contains("cannot be read"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_scanned_and_any_object_is_found(bytes in prop::collection::vec(any::<u8>(), 0..100), text in ".{0,20}", cut in 0usize..30) {
            let mut scan = Scan::default();
            if let Ok(Some(end)) = scan.look(&bytes) {
                prop_assert!(end <= bytes.len());
            }
            let object = json!({ "a": [text, { "b": text }] }).to_string();
            let whole = format!("{object}{object}");
            let mut scan = Scan::default();
            let first = scan.look(whole.as_bytes().get(..cut.min(object.len() - 1)).unwrap_or_default());
            prop_assert_eq!(first, Ok(None));
            prop_assert_eq!(scan.look(whole.as_bytes()), Ok(Some(object.len())));
        }
    }
}
