//! Speaking with the server: what changed since the last report, and one request that is answered when there is something
//! to do.

use super::table::Table;
use crate::{
    clock,
    inventory::{
        Fault, FaultKind,
        https::{Https, Question, Trust, header::CONTENT_ENCODING},
    },
};
use flate2::{Compression, write::GzEncoder};
use serde::de::DeserializeOwned;
use shared::{
    agent::{
        AgentAnswer, AgentGone, AgentNeighbour, AgentReport, BEHIND, REPORT_PATH, SAMPLES_PATH, SampleAnswer,
        SampleReport,
    },
    net::Mac,
    problem::Problem,
};
use std::{
    collections::BTreeMap,
    fmt,
    fs::File,
    io::{self, Read as _},
    net::IpAddr,
    path::PathBuf,
    time::Duration,
};

/// A token is shorter by far.
const TOKEN_BYTES: u64 = 1_024;
/// Answers name a few addresses, or say what is wrong.
const ANSWER_BYTES: u64 = 64 * 1_024;
/// For everything but the time for which the answer is held.
const PATIENCE: Duration = Duration::from_secs(15);
/// The kernel counts ages in hundredths of a second, and reading takes a while: less is no change.
const JITTER: Duration = Duration::from_millis(1_500);

/// The server and the right to report to it.
#[derive(Debug)]
pub struct Server {
    https: Https,
    token_file: PathBuf,
}

/// The server does not take the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    status: u16,
    why: String,
    /// Of what Tocsin says; none where it was somebody on the way to it.
    code: Option<String>,
}

impl Refused {
    /// Whether the same would be refused again, whatever is mended: it is not as the server wants it.
    pub(super) fn is_for_good(&self) -> bool {
        self.code.is_some() && matches!(self.status, 400 | 413 | 422)
    }

    /// Whether only samples of the past are not taken for now.
    pub(super) fn is_behind(&self) -> bool {
        self.code.as_deref() == Some(BEHIND)
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the server answered {}: {}", self.status, self.why)
    }
}

impl From<Refused> for super::TurnError {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl Server {
    /// The server at `url`, and the file that holds this agent's token. The file is read for each report, so that another
    /// token counts without a restart.
    ///
    /// # Errors
    /// When the address is none, would send the token in the clear, or the file cannot be read.
    pub fn new(url: &str, trust: &Trust, token_file: PathBuf) -> Result<Self, Fault> {
        let server = Self { https: Https::new(url, trust)?, token_file };
        server.token().map(|_| server)
    }

    /// Scheme, host and port.
    #[must_use]
    pub fn shown(&self) -> &str {
        self.https.shown()
    }

    fn token(&self) -> Result<String, Fault> {
        let mut token = String::new();
        let read = File::open(&self.token_file).and_then(|file| file.take(TOKEN_BYTES).read_to_string(&mut token));
        let shown = self.token_file.display();
        read.map_err(|error| {
            let told = format!("the file of the token {shown} cannot be read ({error}); this account must be able to");
            Fault::new(FaultKind::Refused, told)
        })?;
        let token = token.trim();
        if token.is_empty() || token.contains(|c: char| !c.is_ascii_graphic()) {
            let told = format!("{shown} does not hold a token; `tocsin token create --kind agent` prints one");
            return Err(Fault::new(FaultKind::Refused, told));
        }
        Ok(token.to_owned())
    }

    /// Reports once; the answer may be held for `hold`.
    pub(super) async fn report(
        &self,
        report: &AgentReport,
        hold: Duration,
    ) -> Result<Result<AgentAnswer, Refused>, Fault> {
        let body = serde_json::to_vec(report)
            .map_err(|error| Fault::new(FaultKind::Unreadable, "a report cannot be written").because(error))?;
        self.ask(Question::post_json(REPORT_PATH, &self.token()?, body, hold + PATIENCE)).await
    }

    /// Says once what was measured; when that is, is part of it.
    pub(super) async fn samples(&self, report: &mut SampleReport) -> Result<Result<SampleAnswer, Refused>, Fault> {
        let token = self.token()?;
        // As late as can be: the server compares it with its own clock.
        report.sent_at = clock::now();
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        let packed = serde_json::to_writer(&mut encoder, report).map_err(io::Error::from);
        let body = packed
            .and_then(|()| encoder.finish())
            .map_err(|error| Fault::new(FaultKind::Unreadable, "samples cannot be written").because(error))?;
        let mut question = Question::post_json(SAMPLES_PATH, &token, body, PATIENCE);
        question.headers.push((CONTENT_ENCODING, "gzip".to_owned()));
        self.ask(question).await
    }

    async fn ask<T: DeserializeOwned>(&self, question: Question) -> Result<Result<T, Refused>, Fault> {
        let answer = self.https.ask(question).await?;
        let status = answer.status;
        let body = answer.read(ANSWER_BYTES).await?;
        match status {
            200 => serde_json::from_slice(&body).map(Ok).map_err(|error| {
                let told = format!("{} answers what is no answer to an agent; is it Tocsin?", self.shown());
                Fault::new(FaultKind::Unreadable, told).because(error)
            }),
            // A server that starts or stops, or a proxy without it, is tried again soon.
            500.. => Some(refused(status, &body))
                .filter(Refused::is_behind)
                .map(Err)
                .ok_or_else(|| Fault::new(FaultKind::Unreachable, format!("{} answered {status}", self.shown()))),
            _ => Ok(Err(refused(status, &body))),
        }
    }
}

/// A refusal with what it says, on one line.
fn refused(status: u16, body: &[u8]) -> Refused {
    let Ok(problem) = serde_json::from_slice::<Problem>(body) else {
        return Refused { status, why: "it does not say why; is the address right?".to_owned(), code: None };
    };
    let told = format!("{}. {}", problem.title, problem.detail);
    let why = told.chars().map(|c| if c.is_control() { ' ' } else { c }).take(500).collect();
    Refused { status, why, code: Some(problem.code) }
}

/// What was said of the neighbours, for saying only what changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    entries: BTreeMap<(String, IpAddr), Entry>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    mac: Mac,
    router: bool,
    /// When the answer was confirmed, since the machine started.
    confirmed_at: Duration,
}

impl Said {
    pub(super) fn of(table: &Table, now: Duration) -> Self {
        let entry = |(interface, ip, it): (&str, IpAddr, super::Neighbour)| {
            let confirmed_at = now.saturating_sub(Duration::from_millis(it.age_ms));
            ((interface.to_owned(), ip), Entry { mac: it.mac, router: it.router, confirmed_at })
        };
        Self { entries: table.neighbours().map(entry).collect() }
    }

    /// What is to be said after `before`: what is new or newer, and what is gone.
    pub(super) fn since(&self, before: Option<&Self>, table: &Table) -> (Vec<AgentNeighbour>, Vec<AgentGone>) {
        let known = |interface: &str, ip| before.and_then(|it| it.entries.get(&(interface.to_owned(), ip)));
        let is_news = |interface: &str, ip| {
            let now = self.entries.get(&(interface.to_owned(), ip));
            known(interface, ip).zip(now).is_none_or(|(old, new)| {
                (old.mac, old.router) != (new.mac, new.router) || new.confirmed_at > old.confirmed_at + JITTER
            })
        };
        let neighbour = |(interface, ip, it): (&str, IpAddr, super::Neighbour)| AgentNeighbour {
            interface: interface.to_owned(),
            ip,
            mac: it.mac,
            age_ms: it.age_ms,
            router: it.router,
        };
        let news = table.neighbours().filter(|(interface, ip, _)| is_news(interface, *ip)).map(neighbour).collect();
        let gone = before.into_iter().flat_map(|it| it.entries.keys()).filter(|key| !self.entries.contains_key(*key));
        (news, gone.map(|(interface, ip)| AgentGone { interface: interface.clone(), ip: *ip }).collect())
    }
}
