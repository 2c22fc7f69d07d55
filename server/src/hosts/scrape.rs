//! Asks each `node_exporter` of the configuration what it measures.

use super::{
    Batch, Hosts, given,
    prometheus::{self, Instance, READINGS_MAX},
};
use crate::{
    clock,
    inventory::{
        Fault, FaultKind,
        https::{
            Https, Method, Question, Trust,
            header::{ACCEPT, AUTHORIZATION},
        },
    },
    runtime::Runtime,
    telemetry,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use shared::{
    agent::EVERY_MIN_MS,
    config::{Finding, HostMode, Scrape},
    host::{Feed, HostFacts},
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::{
    sync::Semaphore,
    task::JoinHandle,
    time::{sleep, timeout},
};

/// A large `node_exporter` answers with half a million bytes.
const ANSWER_MAX_BYTES: u64 = 8 << 20;
/// Exporters that are asked at a time; the others wait their turn.
const AT_ONCE: usize = 32;
/// For an answer, if the interval is not shorter.
const PATIENCE: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(250);
const CONFIG_EVERY: Duration = Duration::from_secs(1);
const EVERY_MS: std::ops::RangeInclusive<i64> = 1_000..=3_600_000;
const SCRAPES_MAX: usize = 2_000;
const ACCEPTED: &str = "text/plain;version=0.0.4";

/// What is wrong with the exporters of a configuration.
#[must_use]
pub fn check(mode: &HostMode) -> Vec<Finding> {
    let mut findings = Vec::new();
    if mode.scrapes.len() > SCRAPES_MAX {
        let message =
            format!("there are {} of them; at most {SCRAPES_MAX} are asked by one server", mode.scrapes.len());
        findings.push(Finding { path: "hosts.scrapes".to_owned(), message, fatal: true });
    }
    let mut seen = BTreeMap::new();
    for scrape in &mode.scrapes {
        let path = |field: &str| format!("hosts.scrapes[{}].{field}", shown(&scrape.address));
        let mut fault = |field: &str, message: String| {
            findings.push(Finding { path: path(field), message, fatal: true });
        };
        if seen.insert(scrape.address.as_str(), ()).is_some() {
            fault("address", "it is named twice; one exporter is one host".to_owned());
        }
        if !EVERY_MS.contains(&scrape.every.0) {
            fault("every", "an exporter can be asked from every second to once an hour (1s to 1h)".to_owned());
        }
        if let Some(host) = scrape.host.as_deref().filter(|host| !given::is_host(host)) {
            fault(
                "host",
                format!("`{host}` is not the name of a host; use 1 to 255 characters without spaces at the ends"),
            );
        }
        if scrape.username.is_some() != scrape.password.is_some() {
            fault("username", "a name and its password go together; write both or neither".to_owned());
        }
        if let Err(wrong) = Exporter::of(scrape, None) {
            fault("address", wrong.message);
        }
    }
    findings
}

/// An address as findings name it: without what may be a password.
fn shown(address: &str) -> &str {
    if address.contains('@') { "…" } else { address }
}

/// An exporter that can be asked.
#[derive(Debug)]
struct Exporter {
    https: Https,
    /// With what follows it in the address.
    path: String,
    /// Host and port, as Prometheus calls what it asks.
    instance: String,
    authorization: Option<String>,
}

impl Exporter {
    /// `beside` is a client that trusts those whom this machine trusts.
    fn of(scrape: &Scrape, beside: Option<&Https>) -> Result<Self, Fault> {
        let refuse = |why: &str| Fault::new(FaultKind::Unreachable, format!("the address {why}"));
        // Nothing secret is sent without a password, and most exporters know no TLS.
        let is_secret = scrape.password.is_some();
        let https = match (&scrape.ca, beside) {
            (None, Some(beside)) => beside.elsewhere(&scrape.address, is_secret)?,
            (ca, _) => Https::asking(&scrape.address, &Trust::named(ca.as_deref(), None)?, is_secret)?,
        };
        let text = scrape.address.trim();
        let full = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
        let url = url::Url::parse(&full).map_err(|_| refuse("is not a URL; write http://10.0.0.7:9100/metrics"))?;
        let path = match (url.path(), url.query()) {
            ("" | "/", None) => "/metrics".to_owned(),
            (path, None) => path.to_owned(),
            (path, Some(query)) => format!("{path}?{query}"),
        };
        let host = url.host_str().unwrap_or_default();
        let instance = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let authorization = scrape.username.as_ref().zip(scrape.password.as_ref());
        let authorization =
            authorization.map(|(name, password)| format!("Basic {}", STANDARD.encode(format!("{name}:{password}"))));
        Ok(Self { https, path, instance, authorization })
    }

    /// What it measures now.
    async fn ask(&self, patience: Duration) -> Result<prometheus::Exposition, Fault> {
        let mut headers = vec![(ACCEPT, ACCEPTED.to_owned())];
        headers.extend(self.authorization.iter().map(|it| (AUTHORIZATION, it.clone())));
        let question = Question { method: Method::GET, path: self.path.clone(), headers, body: Vec::new(), patience };
        let answer = self.https.ask(question).await?;
        let refuse = |kind, why: String| Err(Fault::new(kind, format!("{} {why}", self.https.shown())));
        match answer.status {
            200 => {}
            401 | 403 => {
                return refuse(
                    FaultKind::Refused,
                    "does not let us in; are `username` and `password` right?".to_owned(),
                );
            }
            404 => return refuse(FaultKind::Unreadable, format!("has nothing at {}; most have /metrics", self.path)),
            status => return refuse(FaultKind::Unreadable, format!("answers with status {status}")),
        }
        let body = answer.read(ANSWER_MAX_BYTES).await?;
        let read = prometheus::read(&String::from_utf8_lossy(&body));
        if read.readings.is_empty() {
            return refuse(
                FaultKind::Unreadable,
                "answers with no metrics at all; is this the address of an exporter?".to_owned(),
            );
        }
        Ok(read)
    }
}

struct Asked {
    scrape: Scrape,
    task: JoinHandle<()>,
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Asks the exporters of the configuration in force, for ever.
pub async fn keep(hosts: Arc<Hosts>, runtime: Runtime) {
    let turns = Arc::new(Semaphore::new(AT_ONCE));
    // One client for all that need no authority of their own: each would hold all that this machine trusts.
    let mut beside: Option<Https> = None;
    let mut asked: BTreeMap<String, Asked> = BTreeMap::new();
    loop {
        let config = runtime.config();
        let wanted: BTreeMap<&str, &Scrape> =
            config.document.hosts.scrapes.iter().filter(|it| !it.paused).map(|it| (it.address.as_str(), it)).collect();
        asked.retain(|address, asked| wanted.get(address.as_str()).is_some_and(|scrape| **scrape == asked.scrape));
        for (address, scrape) in wanted {
            if asked.contains_key(address) {
                continue;
            }
            // The configuration was checked; what was a file then may be none now, which is tried again.
            let exporter = match Exporter::of(scrape, beside.as_ref()) {
                Ok(exporter) => exporter,
                Err(fault) => {
                    tracing::debug!(exporter = shown(address), %fault, "an exporter cannot be asked; it is tried again");
                    continue;
                }
            };
            if scrape.ca.is_none() && beside.is_none() {
                beside = Some(exporter.https.clone());
            }
            let scraper = Scraper {
                scrape: scrape.clone(),
                exporter,
                instance: Instance::default(),
                answered: false,
                failed: false,
                refused: false,
                hosts: Arc::clone(&hosts),
            };
            let task = actix_web::rt::spawn(scraper.run(Arc::clone(&turns)));
            asked.insert(address.to_owned(), Asked { scrape: scrape.clone(), task });
        }
        sleep(CONFIG_EVERY).await;
    }
}

/// One exporter and what is known of it.
struct Scraper {
    scrape: Scrape,
    exporter: Exporter,
    instance: Instance,
    answered: bool,
    failed: bool,
    /// What it says is not taken, and that was told.
    refused: bool,
    hosts: Arc<Hosts>,
}

impl Scraper {
    async fn run(mut self, turns: Arc<Semaphore>) {
        loop {
            let watch = clock::Stopwatch::start();
            let every_ms = self.every_ms();
            // Shorter than the interval, so that two questions never cross.
            let patience = PATIENCE.min(Duration::from_millis(every_ms * 9 / 10));
            if let Ok(Ok(turn)) = timeout(patience, turns.acquire()).await {
                let answer = self.exporter.ask(patience).await;
                drop(turn);
                match answer {
                    Ok(read) => self.heard(read, every_ms),
                    Err(fault) => self.missed(&fault, every_ms),
                }
            }
            while watch.elapsed_ms().unsigned_abs() < self.every_ms() {
                sleep(LOOK_EVERY).await;
            }
        }
    }

    /// Once a second while somebody looks.
    fn every_ms(&self) -> u64 {
        let usual_ms = self.scrape.every.0.unsigned_abs().max(EVERY_MIN_MS);
        self.host().map_or(usual_ms, |host| self.hosts.every_ms(&host, usual_ms, clock::now()))
    }

    /// What the host is called, once that is known.
    fn host(&self) -> Option<String> {
        self.scrape.host.clone().or_else(|| self.instance.name().map(str::to_owned))
    }

    fn heard(&mut self, read: prometheus::Exposition, every_ms: u64) {
        let at = clock::now();
        let mapped = self.instance.map(at, &read.readings);
        telemetry::left_out("scrape", "series", mapped.left_out + read.left_out);
        self.answered = true;
        if self.failed {
            self.failed = false;
            tracing::info!(exporter = self.exporter.https.shown(), "an exporter answers again");
        }
        let host = self.host().unwrap_or_else(|| self.instance.host(&self.exporter.instance));
        let clock_ahead_ms = mapped.clock_ahead_ms;
        let mut batch = self.instance.filled(host, Feed::Scrape, every_ms, at, mapped);
        batch.clock_ahead_ms = clock_ahead_ms;
        if let Some(facts) = &mut batch.facts {
            let beyond =
                (read.left_out > 0).then(|| format!("{} values beyond the first {READINGS_MAX}", read.left_out));
            let garbled =
                (read.garbled > 0).then(|| format!("{} lines of the answer that are no metrics", read.garbled));
            facts.missing = beyond.into_iter().chain(garbled).collect();
        }
        self.hand_over(batch);
    }

    /// The reason is told once, and stands with the host if there is one by now: it is silent soon.
    fn missed(&mut self, fault: &Fault, every_ms: u64) {
        if self.failed {
            return;
        }
        self.failed = true;
        tracing::warn!(exporter = self.exporter.https.shown(), error = %fault, "an exporter cannot be read; it is asked again");
        let Some(host) = self.host().filter(|_| self.answered) else { return };
        let mut facts: HostFacts = self.instance.facts().clone();
        facts.missing = vec![format!("everything: {}", fault.message)];
        self.hand_over(Batch {
            host,
            feed: Feed::Scrape,
            every_ms,
            facts: Some(facts),
            series: Vec::new(),
            samples: Vec::new(),
            tables: None,
            clock_ahead_ms: None,
            lost: 0,
        });
    }

    fn hand_over(&mut self, batch: Batch) {
        match self.hosts.take(batch, clock::now()) {
            Ok(_) => self.refused = false,
            Err(fault) if !self.refused => {
                self.refused = true;
                let exporter = self.exporter.https.shown();
                tracing::warn!(exporter, %fault, "what an exporter says is not taken; that is told once");
            }
            Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;

    fn findings(scrapes: &str) -> Vec<(String, String)> {
        let document = parse(scrapes).unwrap_or_else(|finding| panic!("{finding:?}"));
        check(&document.hosts).into_iter().map(|it| (it.path, it.message)).collect()
    }

    #[test]
    fn an_address_is_where_it_is_asked() {
        for (address, shown, path, instance) in [
            ("http://10.0.0.7:9100/metrics", "http://10.0.0.7:9100", "/metrics", "10.0.0.7:9100"),
            ("http://10.0.0.7:9100", "http://10.0.0.7:9100", "/metrics", "10.0.0.7:9100"),
            ("https://web/x?collect[]=cpu", "https://web", "/x?collect[]=cpu", "web"),
            ("http://[fd00::7]:9100/m", "http://[fd00::7]:9100", "/m", "[fd00::7]:9100"),
        ] {
            let document = parse(&format!("[[hosts.scrapes]]\naddress = \"{address}\"\n")).unwrap();
            let exporter = Exporter::of(&document.hosts.scrapes[0], None).unwrap();
            let told = (exporter.https.shown(), exporter.path.as_str(), exporter.instance.as_str());
            assert_eq!(told, (shown, path, instance));
        }
    }

    #[test]
    fn what_is_wrong_is_told_without_a_password() {
        let good = "[[hosts.scrapes]]\naddress = \"http://10.0.0.7:9100/metrics\"\n";
        assert_eq!(findings(good), []);
        assert_eq!(findings(&format!("{good}host = \"web01\"\nevery = \"5s\"\npaused = true")), []);
        for (rest, field, told) in [
            ("every = \"500ms\"".to_owned(), "every", "1s to 1h"),
            ("host = \" web\"".to_owned(), "host", "not the name of a host"),
            ("username = \"a\"".to_owned(), "username", "both or neither"),
            ("username = \"a\"\npassword = \"canary\"".to_owned(), "address", "in the clear"),
            ("ca = \"/no/such/file\"".to_owned(), "address", "/no/such/file"),
            (good.to_owned(), "address", "twice"),
        ] {
            let found = findings(&format!("{good}{rest}"));
            assert_eq!(found.len(), 1, "{rest}: {found:?}");
            assert!(found[0].0.ends_with(field) && found[0].1.contains(told), "{found:?}");
            assert!(!format!("{found:?}").contains("canary"));
        }
        for address in ["http://u:canary@web:9100", "ftp://web", ""] {
            let found = findings(&format!("[[hosts.scrapes]]\naddress = \"{address}\""));
            assert!(found.len() == 1 && !format!("{found:?}").contains("canary"), "{address}: {found:?}");
        }
    }
}
