//! A webhook receiver on the loopback: records every call with its time, and answers as it is told to.

use crate::{http::find, wait};
use anyhow::{Context as _, Result, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Deserialize;
use sha2::Sha256;
use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// A secret as configurations write it.
pub const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// 204.
    Accept,
    /// This status, and nothing else.
    Status(u16),
    /// This status, and what the receiver has to say.
    Says(u16, &'static str),
    /// 429, with the seconds to wait.
    TooMany(u32),
    /// Nothing for so long, then 204.
    Hang(Duration),
    /// The call is read and taken, and the connection closed without a word.
    Drop,
}

/// One call.
#[derive(Clone, Debug)]
pub struct Call {
    pub at: Instant,
    pub at_ms: i64,
    pub path: String,
    headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub reply: Reply,
}

/// The body of a page, as receivers read it.
#[derive(Clone, Debug, Deserialize)]
pub struct Page {
    pub id: String,
    pub title: String,
    pub text: String,
    pub incident: PageIncident,
    /// Everything the message is about.
    pub incidents: Vec<PageIncident>,
    pub storm: bool,
    pub page: PageLevel,
    pub ack_url: Option<String>,
    pub reminder: bool,
    pub unrecorded: bool,
}

#[derive(Clone, Debug, Deserialize)]
pub struct PageIncident {
    pub id: i64,
    pub severity: String,
    pub host: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct PageLevel {
    pub recipient: String,
    pub level: u32,
    pub cycle: u32,
}

impl Call {
    /// A header's value.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The idempotency key.
    #[must_use]
    pub fn key(&self) -> &str {
        self.header("webhook-id").unwrap_or_default()
    }

    /// Whether it is a notice, which nobody has to answer.
    #[must_use]
    pub fn is_notice(&self) -> bool {
        let body: Option<serde_json::Value> = serde_json::from_slice(&self.body).ok();
        body.is_some_and(|body| body["type"] == "notice")
    }

    /// The page in the body.
    ///
    /// # Errors
    /// When it is none.
    pub fn page(&self) -> Result<Page> {
        serde_json::from_slice(&self.body).context("the body is no page")
    }

    /// Checks the signature as the Standard Webhooks scheme says.
    ///
    /// # Errors
    /// Says what is missing or wrong.
    pub fn verify(&self, secret: &str) -> Result<()> {
        let timestamp = self.header("webhook-timestamp").context("no webhook-timestamp")?;
        let seconds: i64 = timestamp.parse().context("webhook-timestamp is no number")?;
        ensure!((self.at_ms / 1_000 - seconds).abs() <= 300, "signed at {seconds}, received at {} ms", self.at_ms);
        let key = STANDARD.decode(secret.trim_start_matches("whsec_")).context("the secret is not base64")?;
        let mac = Hmac::<Sha256>::new_from_slice(&key).context("the secret is no key")?;
        let mac = mac.chain_update(format!("{}.{timestamp}.", self.key())).chain_update(&self.body);
        let expected = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
        let signatures = self.header("webhook-signature").context("no webhook-signature")?;
        ensure!(signatures.split(' ').any(|it| it == expected), "signed {signatures}, not {expected}");
        Ok(())
    }
}

type Script = Box<dyn Fn(&Call) -> Reply + Send + Sync>;

struct Inner {
    calls: Mutex<Vec<Call>>,
    script: Mutex<Arc<Script>>,
    stopped: AtomicBool,
}

/// The receiver; ends when it is dropped.
pub struct HookSink {
    address: SocketAddr,
    inner: Arc<Inner>,
    thread: Option<JoinHandle<()>>,
}

impl HookSink {
    /// Begins to take calls.
    ///
    /// # Errors
    /// When no port is free.
    pub fn start() -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let script: Script = Box::new(|_| Reply::Accept);
        let inner = Arc::new(Inner {
            calls: Mutex::default(),
            script: Mutex::new(Arc::new(script)),
            stopped: AtomicBool::new(false),
        });
        let shared = Arc::clone(&inner);
        let thread = thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if shared.stopped.load(Ordering::Relaxed) {
                    break;
                }
                let inner = Arc::clone(&shared);
                // A caller that breaks off is nothing to this receiver.
                thread::spawn(move || inner.serve(stream).ok());
            }
        });
        Ok(Self { address, inner, thread: Some(thread) })
    }

    /// How calls are answered from now on.
    pub fn script(&self, script: impl Fn(&Call) -> Reply + Send + Sync + 'static) {
        *lock(&self.inner.script) = Arc::new(Box::new(script));
    }

    /// The beginning of a configuration: people whose phones ring here, each at `/<id>`; the first is also paged for
    /// whatever pages nobody else.
    #[must_use]
    pub fn people(&self, ids: &[&str]) -> String {
        let fallback = ids.first().unwrap_or(&"nobody");
        let head = format!(
            "fallback = [\"person:{fallback}\"]\n\
             channels.webhook = {{ allow_networks = [\"127.0.0.0/8\"], allow_http = true }}\n"
        );
        let person = |id: &&str| {
            let url = self.url(&format!("/{id}"));
            format!(
                "[[people]]\nid = \"{id}\"\nname = \"{id}\"\ncontacts = [{{ id = \"phone\", webhook = \"{url}\" }}]\n"
            )
        };
        head + &ids.iter().map(person).collect::<String>()
    }

    /// The address of a path here.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Every call so far, in the order in which they came.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        lock(&self.inner.calls).clone()
    }

    /// The calls of one path.
    #[must_use]
    pub fn calls_of(&self, path: &str) -> Vec<Call> {
        lock(&self.inner.calls).iter().filter(|call| call.path == path).cloned().collect()
    }

    /// How many calls came so far.
    #[must_use]
    pub fn count(&self) -> usize {
        lock(&self.inner.calls).len()
    }

    /// Waits for the n-th call (from 1) of a path.
    ///
    /// # Errors
    /// When it did not come.
    pub fn wait_for(&self, path: &str, n: usize, patience: Duration) -> Result<Call> {
        wait::until(&format!("call {n} of {path}"), patience, || self.calls_of(path).into_iter().nth(n - 1))
    }
}

impl Inner {
    fn serve(&self, mut stream: TcpStream) -> Result<()> {
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        let mut bytes = Vec::new();
        let mut buffer = [0; 16_384];
        let end = loop {
            let n = stream.read(&mut buffer)?;
            ensure!(n > 0, "the caller broke off");
            bytes.extend_from_slice(&buffer[..n]);
            if let Some(end) = find(&bytes, b"\r\n\r\n") {
                break end;
            }
        };
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let mut lines = head.split("\r\n");
        let path = lines.next().and_then(|line| line.split(' ').nth(1)).unwrap_or_default().to_owned();
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
            .collect();
        let length = headers.iter().find(|(name, _)| name == "content-length");
        let length: usize = length.and_then(|(_, text)| text.parse().ok()).unwrap_or(0);
        let mut body = bytes.split_off(end + 4);
        while body.len() < length {
            let n = stream.read(&mut buffer)?;
            ensure!(n > 0, "the caller broke off");
            body.extend_from_slice(&buffer[..n]);
        }
        let at = wait::instant();
        let mut call = Call { at, at_ms: wait::now_ms(), path, headers, body, reply: Reply::Accept };
        let script = lock(&self.script).clone();
        call.reply = script(&call);
        let reply = call.reply;
        // Recorded before it is answered: a caller that dies at the answer has called all the same.
        lock(&self.calls).push(call);
        self.answer(&mut stream, reply)
    }

    fn answer(&self, stream: &mut TcpStream, reply: Reply) -> Result<()> {
        let (status, more, body) = match reply {
            Reply::Accept => (204, String::new(), ""),
            Reply::Status(status) => (status, String::new(), ""),
            Reply::Says(status, text) => (status, String::new(), text),
            Reply::TooMany(seconds) => (429, format!("Retry-After: {seconds}\r\n"), ""),
            Reply::Hang(length) => {
                let begun = wait::instant();
                while begun.elapsed() < length && !self.stopped.load(Ordering::Relaxed) {
                    wait::pass(Duration::from_millis(20));
                }
                (204, String::new(), "")
            }
            Reply::Drop => return Ok(()),
        };
        let length = if status == 204 { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
        let answer = format!("HTTP/1.1 {status} Told\r\n{more}{length}Connection: close\r\n\r\n{body}");
        stream.write_all(answer.as_bytes())?;
        Ok(())
    }
}

impl Drop for HookSink {
    fn drop(&mut self) {
        self.inner.stopped.store(true, Ordering::Relaxed);
        // Wakes the thread that waits for a call.
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
