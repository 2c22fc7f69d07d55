//! Measures on a steady beat and sends what was measured: two loops that never wait for each other, and a third that asks
//! a time server.
//!
//! What was just measured goes first, since somebody may look at it; what was kept while the server was away follows in
//! batches, the oldest first. Everything stays in the queue until the server says that it is stored for good.

use super::{
    measure::Meter,
    queue::{Frame, Queue},
    retry_after,
    say::Server,
};
use crate::{clock, entropy};
use rsntp::{AsyncSntpClient, Config};
use shared::{
    Timestamp,
    agent::{EVERY_MIN_MS, EVERY_MS, SampleAnswer, SampleReport},
    host::{HostFacts, HostTables},
};
use std::{
    io,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{Notify, watch},
    time::{sleep, timeout},
};

/// On disk, for a server that is away for long.
const BUFFER_BYTES: u64 = 64 * 1_024 * 1_024;
/// Samples that are sent at once when many were kept: small enough that what is measured meanwhile does not wait.
const BATCH: usize = 60;
/// Nothing is measured more seldom, whatever the server says.
const EVERY_MAX_MS: u64 = 300_000;
/// The first rates are of this time.
const FIRST_LOOK: Duration = Duration::from_secs(1);
/// What the machine is is looked at again so often, or when it is asked for.
const FACTS_EVERY: Duration = Duration::from_secs(60);
/// A time server is asked this often, waited for so long, and believed no longer than a few times in vain.
const NTP_EVERY: Duration = Duration::from_secs(64);
const NTP_PATIENCE: Duration = Duration::from_secs(5);
const NTP_MISSES: u32 = 4;

/// How an agent measures.
#[derive(Clone, Debug, Default)]
pub struct Sampling {
    /// Where samples are kept that the server did not take; nowhere but in memory without it.
    pub buffer: Option<PathBuf>,
    /// A time server, `HOST` or `HOST:PORT`.
    pub ntp: Option<String>,
}

/// What the loops share.
#[derive(Debug)]
pub(super) struct Samples {
    name: String,
    /// Drawn at each start.
    run: u64,
    ntp_server: Option<String>,
    kept: Mutex<Kept>,
    fresh: Notify,
    every_ms: watch::Sender<u64>,
    /// How far this machine's clock is behind the time server's.
    ntp_offset_ms: watch::Sender<Option<f64>>,
}

#[derive(Debug)]
struct Kept {
    queue: Queue,
    /// Of the newest sample.
    tables: Option<HostTables>,
    facts: HostFacts,
}

impl Samples {
    /// # Errors
    /// When the folder of the buffer cannot be used.
    pub(super) fn new(name: &str, run: u64, sampling: &Sampling) -> io::Result<Self> {
        let queue = Queue::new(sampling.buffer.as_deref(), BUFFER_BYTES)?;
        Ok(Self {
            name: name.to_owned(),
            run,
            ntp_server: sampling.ntp.clone(),
            kept: Mutex::new(Kept { queue, tables: None, facts: HostFacts::default() }),
            fresh: Notify::new(),
            every_ms: watch::Sender::new(EVERY_MS),
            ntp_offset_ms: watch::Sender::new(None),
        })
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The server's last word on how often to measure.
    pub(super) fn measure_every(&self, every_ms: u64) {
        let every_ms = every_ms.clamp(EVERY_MIN_MS, EVERY_MAX_MS);
        self.every_ms.send_if_modified(|it| std::mem::replace(it, every_ms) != every_ms);
    }

    /// Measures for ever.
    pub(super) async fn measure(&self) {
        let mut every = self.every_ms.subscribe();
        let mut meter = Meter::here();
        let mut last = clock::uptime();
        let mut due = last + FIRST_LOOK;
        let mut facts_due = Duration::ZERO;
        // Without a look before it, the first sample would have no rates.
        meter = self.look(meter, false, None).await;
        loop {
            tokio::select! {
                () = sleep(due.saturating_sub(clock::uptime())) => {}
                changed = every.changed() => {
                    if changed.is_ok() {
                        due = (last + Duration::from_millis(*every.borrow())).max(clock::uptime());
                    }
                    continue;
                }
            }
            last = clock::uptime();
            let with_facts = last >= facts_due;
            meter = self.look(meter, with_facts, Some(&self.fresh)).await;
            if with_facts {
                facts_due = last + FACTS_EVERY;
            }
            // On the beat, unless a whole one was missed.
            let every = Duration::from_millis(*self.every_ms.borrow());
            due = Some(due + every).filter(|due| *due > last).unwrap_or(last + every);
        }
    }

    /// Measures once, beside the loops; with somebody to tell, what was measured counts.
    async fn look(&self, mut meter: Meter, with_facts: bool, tell: Option<&Notify>) -> Meter {
        let ntp_offset_ms = *self.ntp_offset_ms.borrow();
        let looked = tokio::task::spawn_blocking(move || {
            let measured = meter.measure(clock::now(), ntp_offset_ms);
            let facts = with_facts.then(|| meter.facts());
            (meter, measured, facts)
        });
        let Ok((meter, measured, facts)) = looked.await else {
            tracing::error!("measuring failed; it begins anew");
            return Meter::here();
        };
        let Some(fresh) = tell else { return meter };
        let mut kept = self.kept();
        if let Some(facts) = facts {
            kept.facts = facts;
        }
        kept.tables = Some(measured.tables);
        complain(kept.queue.push(&Arc::new(measured.series), &measured.sample));
        drop(kept);
        fresh.notify_one();
        meter
    }

    /// Sends for ever.
    pub(super) async fn send(&self, server: &Server) {
        let mut sender = Sender::new(self, server);
        loop {
            match sender.turn().await {
                Turn::Sent => {}
                Turn::Nothing => match sender.held_back() {
                    // What was asked for again is not all sent yet.
                    Some(left) => drop(timeout(left, self.fresh.notified()).await),
                    None => {
                        sender.again = false;
                        self.fresh.notified().await;
                    }
                },
                Turn::Failed { refused } => {
                    sleep(retry_after(sender.failures, refused, entropy::bytes())).await;
                }
            }
        }
    }

    /// Asks the time server for ever, if one was named.
    pub(super) async fn ask_time(&self) {
        let Some(server) = &self.ntp_server else { return };
        let client = AsyncSntpClient::with_config(Config::default().timeout(NTP_PATIENCE));
        let mut misses = 0;
        loop {
            // Looking up the name is within the patience, too.
            match timeout(2 * NTP_PATIENCE, client.synchronize(server.as_str())).await {
                Ok(Ok(answer)) => {
                    misses = 0;
                    self.ntp_offset_ms.send_replace(Some(answer.clock_offset().as_secs_f64() * 1_000.0));
                }
                failed => {
                    misses += 1;
                    if misses == 1 {
                        let why = match failed {
                            Ok(Err(error)) => error.to_string(),
                            _ => "it did not answer in time".to_owned(),
                        };
                        tracing::warn!(server, why, "the time server does not say what time it is; it is asked again");
                    }
                    if misses >= NTP_MISSES {
                        self.ntp_offset_ms.send_replace(None);
                    }
                }
            }
            sleep(NTP_EVERY).await;
        }
    }
}

/// What came of one turn of sending.
enum Turn {
    Sent,
    Nothing,
    Failed { refused: bool },
}

/// What is sent next.
struct Next {
    frame: Frame,
    report: SampleReport,
    /// It was just measured, and nothing that was kept.
    is_newest: bool,
}

struct Sender<'a> {
    samples: &'a Samples,
    server: &'a Server,
    /// The facts that the server has.
    said: Option<HostFacts>,
    failures: u32,
    told: String,
    /// What the server asked for again is not all sent yet: that it still lacks it is no news.
    again: bool,
    /// How often in a row the server did not take what was kept, and when that is tried again.
    put_off: u32,
    held_until: Option<Duration>,
}

impl<'a> Sender<'a> {
    const fn new(samples: &'a Samples, server: &'a Server) -> Self {
        let told = String::new();
        Self { samples, server, said: None, failures: 0, told, again: false, put_off: 0, held_until: None }
    }

    /// For how long what was kept is not sent, as the server cannot store so much of it.
    fn held_back(&mut self) -> Option<Duration> {
        let left = self.held_until?.checked_sub(clock::uptime()).filter(|left| !left.is_zero());
        if left.is_none() {
            self.held_until = None;
        }
        left
    }

    async fn turn(&mut self) -> Turn {
        let Some(Next { frame, mut report, is_newest }) = self.next() else { return Turn::Nothing };
        match self.server.samples(&mut report).await {
            Ok(Ok(answer)) => {
                if self.failures > 0 {
                    tracing::info!(server = self.server.shown(), "samples are taken again");
                }
                self.failures = 0;
                if !is_newest || self.put_off == 0 {
                    self.put_off = 0;
                    self.told.clear();
                }
                self.taken(&frame, report, &answer);
                Turn::Sent
            }
            Ok(Err(refused)) if refused.is_behind() => {
                self.hold_back(&refused.to_string());
                Turn::Sent
            }
            // It would be refused for ever, and hold up what comes after it.
            Ok(Err(refused)) if refused.is_for_good() => {
                tracing::error!(error = %refused, samples = frame.samples.len(), "samples were refused, and are given up");
                self.samples.kept().queue.give_up(&frame);
                Turn::Sent
            }
            Ok(Err(refused)) => self.failed(&refused.to_string(), true),
            Err(fault) => self.failed(&fault.to_string(), false),
        }
    }

    /// What to send: what was just measured, or else the oldest that is kept.
    fn next(&mut self) -> Option<Next> {
        let held_back = self.held_back().is_some();
        let mut kept = self.samples.kept();
        let newest = kept.queue.newest();
        let is_newest = newest.is_some();
        let frame = match newest {
            Some(frame) => frame,
            None if held_back => return None,
            None => match kept.queue.oldest(BATCH) {
                Ok(frame) => frame?,
                Err(error) => {
                    complain(Err(error));
                    return None;
                }
            },
        };
        let last = frame.samples.last().map(|it| it.at);
        let report = SampleReport {
            agent: self.samples.name.clone(),
            run: self.samples.run,
            // When it is sent.
            sent_at: Timestamp::default(),
            every_ms: *self.samples.every_ms.borrow(),
            facts: Some(&kept.facts)
                .filter(|facts| self.said.as_ref() != Some(*facts) && !facts.kernel.is_empty())
                .cloned(),
            series: frame.series.to_vec(),
            samples: frame.samples.clone(),
            tables: kept.tables.as_ref().filter(|it| is_newest && Some(it.at) == last).cloned(),
            lost: kept.queue.lost(),
        };
        Some(Next { frame, report, is_newest })
    }

    fn taken(&mut self, frame: &Frame, report: SampleReport, answer: &SampleAnswer) {
        if report.facts.is_some() {
            self.said = report.facts;
        }
        if answer.facts {
            self.said = None;
        }
        {
            let mut kept = self.samples.kept();
            kept.queue.server_is_back();
            kept.queue.took(frame);
            if let Some(until) = answer.stored_until {
                complain(kept.queue.stored(until));
            }
            if answer.again && !self.again {
                self.again = true;
                kept.queue.send_again(answer.stored_until);
                // What was just taken is not what it lacks.
                kept.queue.took(frame);
            }
        }
        if answer.every_ms > 0 {
            self.samples.measure_every(answer.every_ms);
        }
    }

    /// The server takes what is measured, only not so much of the past: that alone waits.
    fn hold_back(&mut self, why: &str) {
        (self.failures, self.put_off) = (0, self.put_off.saturating_add(1));
        self.tell(why);
        self.held_until = Some(clock::uptime() + retry_after(self.put_off, false, entropy::bytes()));
        self.samples.kept().queue.server_is_back();
    }

    /// The same trouble is said once.
    fn tell(&mut self, why: &str) {
        if self.told != why {
            tracing::warn!(error = why, "samples were not taken; they are kept and sent again");
            why.clone_into(&mut self.told);
        }
    }

    fn failed(&mut self, why: &str, refused: bool) -> Turn {
        self.failures = self.failures.saturating_add(1);
        self.tell(why);
        complain(self.samples.kept().queue.server_is_away());
        // Nobody looks at what does not arrive.
        self.samples.measure_every(EVERY_MS);
        Turn::Failed { refused }
    }
}

/// A disk that cannot be written to costs the buffer, not the samples.
fn complain(done: io::Result<()>) {
    if let Err(error) = done {
        tracing::warn!(%error, "the buffer on disk cannot be used; samples are kept in memory until the agent starts anew");
    }
}
