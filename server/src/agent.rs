//! `tocsin agent`: tells a server what this machine does, and which address answers at which interface of its segments.
//!
//! Of neighbours, one loop: look at the kernel's tables, report, and wait for what the answer asks for. They are only of
//! now, so nothing is buffered: what could not be said is looked at anew. What is measured has loops of its own, and is
//! kept until the server has it. No privilege is needed: the kernel's files, its tables by netlink and sending a datagram
//! are open to every account.

mod measure;
mod netlink;
pub mod page;
mod probe;
mod queue;
mod samples;
mod say;
mod table;
mod wire;

pub(crate) use measure::is_made;
pub use measure::{Measured, Meter, Roots};
pub use samples::Sampling;
pub use say::Server;
pub use table::{Interface, Neighbour, Table};

use crate::{
    clock::{self, Stopwatch},
    entropy,
    inventory::Fault,
};
use ipnet::IpNet;
use probe::Prober;
use samples::Samples;
use say::{Refused, Said};
use shared::agent::{AgentAnswer, AgentReport, Probed};
use std::{io, time::Duration};
use tokio::time::sleep;

/// After a first try that failed; twice as long after each further one, up to [`LAST_RETRY`].
const FIRST_RETRY: Duration = Duration::from_secs(1);
const LAST_RETRY: Duration = Duration::from_secs(60);
/// A refusal counts as so many failures more.
const REFUSED: u32 = 4;
/// While an old entry is being confirmed, it is looked at again so soon.
const WATCH_EVERY: Duration = Duration::from_millis(500);
/// An answer that comes at once with nothing in it, again and again, is no reason to report faster.
const PAUSE: Duration = Duration::from_secs(1);

/// How an agent was started.
#[derive(Clone, Debug)]
pub struct Settings {
    pub name: String,
    /// Only these interfaces; none: all that have hardware addresses.
    pub interfaces: Vec<String>,
    /// At most 30 s.
    pub every: Duration,
    /// Where it may look for an address when it is asked to. Nowhere, unless this says so.
    pub probe: Vec<IpNet>,
    /// None: it only tells of neighbours.
    pub sampling: Option<Sampling>,
}

/// Why a turn failed.
#[derive(Debug, thiserror::Error)]
enum TurnError {
    #[error("the kernel's tables cannot be read: {0}")]
    Kernel(#[from] io::Error),
    #[error(transparent)]
    Lost(#[from] Fault),
    #[error("{0}")]
    Refused(Refused),
}

/// Measures and reports for ever.
///
/// # Errors
/// When the folder for what the server does not take cannot be used.
pub async fn run(settings: &Settings, server: &Server) -> io::Result<()> {
    let run = u64::from_ne_bytes(entropy::bytes());
    let Some(sampling) = &settings.sampling else {
        report(settings, server, run, None).await;
        return Ok(());
    };
    let samples = Samples::new(&settings.name, run, sampling)?;
    let loops =
        (report(settings, server, run, Some(&samples)), samples.measure(), samples.send(server), samples.ask_time());
    tokio::join!(loops.0, loops.1, loops.2, loops.3);
    Ok(())
}

/// Reports neighbours for ever.
async fn report(settings: &Settings, server: &Server, run: u64, samples: Option<&Samples>) {
    let mut agent = Agent::new(settings, run, samples);
    let mut failures: u32 = 0;
    let mut told = String::new();
    loop {
        let error = match agent.turn(server).await {
            Ok(()) => {
                if failures > 0 {
                    tracing::info!(server = server.shown(), "reports are taken again");
                }
                failures = 0;
                told.clear();
                continue;
            }
            Err(error) => error,
        };
        agent.begin_anew();
        failures = failures.saturating_add(1);
        // The same trouble is said once.
        let says = error.to_string();
        if says != told {
            tracing::warn!(error = says, "a report was not taken; it is tried again");
            told = says;
        }
        sleep(retry_after(failures, matches!(error, TurnError::Refused(_)), entropy::bytes())).await;
    }
}

/// Longer with each failure, up to a minute, and a part of it by chance: a hundred agents must not come at once. Who was
/// refused waits at once; only somebody can mend that.
fn retry_after(failures: u32, refused: bool, chance: [u8; 1]) -> Duration {
    let exponent = failures.saturating_sub(1).min(8).max(if refused { REFUSED } else { 0 });
    let most = FIRST_RETRY.saturating_mul(1 << exponent).min(LAST_RETRY);
    most / 2 + most.mul_f64(f64::from(chance[0]) / 512.0)
}

struct Agent<'a> {
    settings: &'a Settings,
    samples: Option<&'a Samples>,
    run: u64,
    said: Option<Said>,
    prober: Prober,
    probed: Vec<Probed>,
}

impl<'a> Agent<'a> {
    fn new(settings: &'a Settings, run: u64, samples: Option<&'a Samples>) -> Self {
        let prober = Prober::new(settings.probe.clone());
        Self { settings, samples, run, said: None, prober, probed: Vec::new() }
    }

    /// Nothing that was said counts; outcomes that could not be said are too old to be.
    fn begin_anew(&mut self) {
        self.said = None;
        self.probed.clear();
    }

    /// Looks, reports, and does what is asked.
    async fn turn(&mut self, server: &Server) -> Result<(), TurnError> {
        let watch = Stopwatch::start();
        let table = Table::read(&self.settings.interfaces)?;
        let now = clock::uptime();
        self.probed.extend(self.prober.confirmed(&table, now));
        let hold = if self.prober.is_watching() { WATCH_EVERY } else { self.settings.every };
        let said = Said::of(&table, now);
        let report = self.report(&table, &said, hold);
        let AgentAnswer { whole, probe, every_ms } = server.report(&report, hold).await??;
        if let Some((samples, every_ms)) = self.samples.zip(every_ms) {
            samples.measure_every(every_ms);
        }
        self.said = (!whole).then_some(said);
        self.probed.clear();
        if !probe.is_empty() {
            self.probed = self.prober.probe(&probe, &self.settings.interfaces).await?;
        }
        let soon = i64::try_from(hold.as_millis() / 2).unwrap_or(i64::MAX);
        if probe.is_empty() && !whole && watch.elapsed_ms() < soon {
            sleep(PAUSE.min(hold)).await;
        }
        Ok(())
    }

    fn report(&self, table: &Table, said: &Said, hold: Duration) -> AgentReport {
        let millis = |it: Duration| u64::try_from(it.as_millis()).unwrap_or(u64::MAX);
        let mut report = AgentReport {
            agent: self.settings.name.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            run: self.run,
            every_ms: millis(self.settings.every),
            hold_ms: millis(hold),
            whole: self.said.is_none(),
            probe: self.settings.probe.iter().map(ToString::to_string).collect(),
            interfaces: table.interfaces().map(Interface::told).collect(),
            probed: self.probed.clone(),
            ..AgentReport::default()
        };
        (report.neighbours, report.gone) = said.since(self.said.as_ref(), table);
        report
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retry_comes_later_each_time_and_never_for_all_at_once() {
        let millis = |failures, refused, chance| retry_after(failures, refused, [chance]).as_millis();
        assert_eq!((millis(1, false, 0), millis(2, false, 0), millis(3, false, 0)), (500, 1_000, 2_000));
        assert_eq!((millis(20, false, 0), millis(u32::MAX, false, 0)), (30_000, 30_000));
        assert_eq!(millis(1, true, 0), 8_000, "a wrong token is not tried again every second");
        for chance in 0..=u8::MAX {
            assert!((30_000..60_000).contains(&millis(20, false, chance)), "{chance}");
        }
        assert_ne!(millis(20, false, 1), millis(20, false, 200));
    }
}
