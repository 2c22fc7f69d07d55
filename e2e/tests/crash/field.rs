//! Everybody around a server that dies all the time: senders, somebody who answers pages, and a moody receiver.

use anyhow::Result;
use e2e::{
    hook::{HookSink, Reply, SECRET},
    http::Client,
    tocsin::Tocsin,
    wait,
};
use shared::{
    api::{Receipt, Role},
    timeline::Outcome,
};
use std::{
    net::SocketAddr,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

/// A message that was answered with success.
#[derive(Clone, Debug)]
pub(crate) struct Acknowledged {
    pub(crate) event: i64,
    pub(crate) incident: i64,
    pub(crate) host: String,
    pub(crate) keyed: bool,
    pub(crate) p0: bool,
}

/// An incident that somebody acknowledged, and since when they know that it is stored.
#[derive(Clone, Debug)]
pub(crate) struct Acked {
    pub(crate) incident: i64,
    pub(crate) at: Instant,
}

pub(crate) struct Field {
    address: Mutex<SocketAddr>,
    ingest: String,
    token: String,
    stopped: AtomicBool,
    acknowledged: Mutex<Vec<Acknowledged>>,
    acked: Mutex<Vec<Acked>>,
}

/// Between two messages of a sender.
const PACE: Duration = Duration::from_millis(40);
/// Before a message is sent again.
const AGAIN: Duration = Duration::from_millis(10);

/// Everything goes to Wang, and after two seconds to Zhao; both have a phone that fails now and then. Nothing spares them:
/// on a slow machine more is sent than a person is told in an hour, and the rest would wait for it.
pub(crate) fn house(hook: &HookSink) -> String {
    let (wang, zhao) = (hook.url("/wang"), hook.url("/zhao"));
    format!(
        r#"
fallback = ["person:zhao"]
limits = []
storm = {{ incidents = 0 }}
paging = {{ lease = "10s", retry_after = "1s", in_flight = 256, in_flight_per_target = 128 }}
channels.webhook = {{ allow_networks = ["127.0.0.0/8"], allow_http = true }}

[[people]]
id = "wang"
name = "Wang"
contacts = [{{ id = "phone", webhook = "{wang}", secret = "{SECRET}" }}]

[[people]]
id = "zhao"
name = "Zhao"
contacts = [{{ id = "phone", webhook = "{zhao}", secret = "{SECRET}" }}]

[[policies]]
id = "all"
levels = [{{ notify = ["person:wang"], delay = "2s" }}, {{ notify = ["person:zhao"], delay = "1h" }}]

[[routes]]
id = "all"
policy = "all"
"#
    )
}

/// Of a hundred calls seven are refused, four are taken and not answered, four are answered late.
pub(crate) fn misbehave(hook: &HookSink) {
    let count = std::sync::atomic::AtomicUsize::new(0);
    hook.script(move |_| match count.fetch_add(37, Ordering::Relaxed) % 100 {
        0..=6 => Reply::Status(500),
        7..=10 => Reply::Drop,
        11..=14 => Reply::Hang(Duration::from_millis(100)),
        _ => Reply::Accept,
    });
}

impl Field {
    pub(crate) fn prepare(server: &Tocsin) -> Result<Self> {
        Ok(Self {
            address: Mutex::new(server.address()),
            ingest: format!("/ingest/{}", server.sender("falcon")?),
            token: server.api_token(Role::Admin)?,
            stopped: AtomicBool::new(false),
            acknowledged: Mutex::default(),
            acked: Mutex::default(),
        })
    }

    pub(crate) fn moved_to(&self, address: SocketAddr) {
        *lock(&self.address) = address;
    }

    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    pub(crate) fn acknowledged(&self) -> Vec<Acknowledged> {
        lock(&self.acknowledged).clone()
    }

    pub(crate) fn acked(&self) -> Vec<Acked> {
        lock(&self.acked).clone()
    }

    fn goes_on(&self) -> bool {
        !self.stopped.load(Ordering::Relaxed)
    }

    /// Somebody at the address where the server is now.
    pub(crate) fn client(&self) -> Client {
        Client::new(*lock(&self.address)).bearer(&self.token)
    }

    /// One sender: a new alert, again and again until it is answered with success, then the next one.
    pub(crate) fn send(&self, sender: usize) {
        for n in 0.. {
            let (p0, keyed) = (n % 4 != 3, n % 2 == 0);
            let host = format!("s{sender}-{n}");
            let body = format!("[{}][PROBLEM][{host}][10.0.0.{sender}][it is down]", if p0 { "P0" } else { "P3" });
            let headers = [("Idempotency-Key", host.as_str())];
            let headers = if keyed { &headers[..] } else { &[] };
            let receipt = loop {
                if !self.goes_on() {
                    return;
                }
                let answer = self.client().post(&self.ingest, headers, body.as_bytes());
                if let Ok(answer) = answer
                    && answer.status == 200
                    && let Ok(receipt) = answer.json::<Receipt>()
                {
                    break receipt;
                }
                wait::pass(AGAIN);
            };
            if let Some(Outcome::Opened { incident, .. } | Outcome::Refreshed { incident, .. }) =
                receipt.outcomes.first()
            {
                let (event, incident) = (receipt.event.0, incident.0);
                lock(&self.acknowledged).push(Acknowledged { event, incident, host, keyed, p0 });
            }
            wait::pass(PACE);
        }
    }

    /// Acknowledges every third incident, once it is known.
    pub(crate) fn answer_pages(&self) {
        let mut next = 0;
        while self.goes_on() {
            let incident = lock(&self.acknowledged).get(next).map(|it| it.incident);
            let Some(incident) = incident else {
                wait::pass(AGAIN);
                continue;
            };
            let path = format!("/api/v1/incidents/{incident}/ack");
            match self.client().post(&path, &[], b"") {
                Ok(answer) if answer.status == 200 => {
                    lock(&self.acked).push(Acked { incident, at: wait::instant() });
                    next += 3;
                }
                _ => wait::pass(AGAIN),
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
