//! The tests written in a configuration: a payload at a time, nobody answers, these pages must go out.
//!
//! They run in the engine that pages, under a virtual clock: every delivery is accepted at once, and the
//! time between two deadlines costs nothing.

use crate::{
    compile::Snapshot,
    engine::Engine,
    event::{Command, Event, Ingested},
    normalize::{Source, normalize},
};
use shared::{
    Delay, PageVia, Recipient, Timestamp,
    api::TrialResult,
    config::{Document, ExpectedPage, Target, Trial},
    text::{Language, Names, happening, recipient_name},
    timeline::Outcome,
};
use std::sync::Arc;

/// How long is listened on after the last expected page, so that a late one is named as late.
const MARGIN: Delay = Delay::mins(30);
/// How long an exact test without expectations listens.
const QUIET: Delay = Delay::mins(60);
/// The longest test: a page expected after that is not waited for.
const LONGEST: Delay = Delay(14 * 86_400_000);
/// Deliveries looked at in one test; more than any policy makes in two weeks.
const SENT_MAX: usize = 10_000;
/// Pages listed in a failure.
const LISTED_MAX: usize = 20;

/// Runs each test of the document against the compiled snapshot, in the order written.
#[must_use]
pub fn run(snapshot: &Snapshot, document: &Document) -> Vec<TrialResult> {
    let config = Arc::new(snapshot.clone());
    document
        .tests
        .iter()
        .map(|trial| {
            let failure = check(&config, trial).err();
            TrialResult {
                name: trial.name.clone(),
                passed: failure.is_none(),
                detail: failure.unwrap_or_else(|| passed(trial)),
            }
        })
        .collect()
}

fn passed(trial: &Trial) -> String {
    match trial.expect.len() {
        0 => "nobody was paged".to_owned(),
        1 => "the page went out".to_owned(),
        pages => format!("all {pages} pages went out"),
    }
}

/// One delivery that began.
struct Sent {
    after_ms: i64,
    recipient: Recipient,
    via: PageVia,
    contact: shared::ContactId,
    policy: String,
    level: u32,
}

impl Sent {
    fn is(&self, expected: &ExpectedPage) -> bool {
        let to = match (&expected.to, &self.recipient, &self.via) {
            (Target::Person(id), Recipient::Person(person), _) => id == person,
            (Target::Webhook(id), Recipient::Webhook(hook), _) => id == hook,
            (Target::Schedule(id), _, PageVia::Schedule { schedule, .. }) => id == schedule,
            (Target::Team(id), _, PageVia::Team { team }) => id == team,
            _ => false,
        };
        to && expected.via.as_ref().is_none_or(|via| *via == self.contact)
    }

    fn in_time(&self, expected: &ExpectedPage) -> bool {
        self.after_ms / 1_000 == expected.after.0 / 1_000
    }

    fn line(&self) -> String {
        let kind = if matches!(self.recipient, Recipient::Person(_)) { "person" } else { "webhook" };
        let who = recipient_name(&self.recipient);
        let after = seconds(self.after_ms);
        format!("{kind}:{who} via {} after {after} ({} level {})", self.contact, self.policy, self.level + 1)
    }
}

/// What a payload led to.
struct Story {
    sent: Vec<Sent>,
    outcomes: Vec<Outcome>,
    /// The first sentences of the timeline, which say why nobody was paged.
    reasons: Vec<String>,
}

fn check(config: &Arc<Snapshot>, trial: &Trial) -> Result<(), String> {
    let at = instant(&trial.at)?;
    if trial.expect.is_empty() && !trial.exact {
        return Err("it expects nothing, so it could never fail; write `exact = true` to say that nobody is paged, \
                    or name the pages in `expect`"
            .to_owned());
    }
    let longest = trial.expect.iter().map(|page| page.after).max().unwrap_or(QUIET);
    if longest > LONGEST {
        return Err(format!("a page after {longest} is too far away; tests look {LONGEST} ahead at most"));
    }
    let story = tell(config, trial, at, longest.0.saturating_add(MARGIN.0));
    let mut unclaimed: Vec<bool> = story.sent.iter().map(|_| true).collect();
    let mut missing = Vec::new();
    for expected in &trial.expect {
        let mut found = false;
        for (sent, free) in story.sent.iter().zip(&mut unclaimed) {
            // Without `via` the expectation means the page, which may use several contacts at once.
            if *free && sent.is(expected) && sent.in_time(expected) && (!found || expected.via.is_none()) {
                (found, *free) = (true, false);
            }
        }
        if !found {
            missing.push(expected);
        }
    }
    let extra: Vec<&Sent> = story
        .sent
        .iter()
        .zip(&unclaimed)
        .filter(|(sent, free)| **free && trial.exact && sent.after_ms / 1_000 <= longest.0 / 1_000)
        .map(|(sent, _)| sent)
        .collect();
    if missing.is_empty() && extra.is_empty() { Ok(()) } else { Err(explain(&story, &missing, &extra)) }
}

/// Lets the payload arrive, accepts every delivery at once, and follows the deadlines.
fn tell(config: &Arc<Snapshot>, trial: &Trial, at: Timestamp, ahead_ms: i64) -> Story {
    let integration = config.integration(&trial.integration);
    let source = Source { integration: &integration, content_type: None, format: None, received_at: at };
    let parsed = normalize(&source, trial.payload.as_bytes());
    let message = Ingested {
        integration: trial.integration.clone(),
        key: None,
        events: parsed.events.into_iter().map(|parsed| parsed.event).collect(),
        rejected: parsed.rejected,
    };
    let mut engine = Engine::new(config.clone());
    let mut story = Story { sent: Vec::new(), outcomes: Vec::new(), reasons: Vec::new() };
    let mut effects = engine.handle(at, Event::Ingested(message));
    story.outcomes = std::mem::take(&mut effects.outcomes);
    let end = at.plus_ms(ahead_ms);
    let mut now = at;
    loop {
        let mut answers = Vec::new();
        for command in effects.commands.drain(..) {
            let Command::Deliver { incident, page, attempt, contact, try_number, others, .. } = command;
            let parts = std::iter::once((incident, page)).chain(others.iter().map(|part| (part.incident, part.page)));
            for (incident, page) in parts {
                let known = engine.state.incidents.get(&incident);
                if let Some(page) = known.and_then(|it| it.pages.iter().rev().find(|it| it.id == page)) {
                    story.sent.push(Sent {
                        after_ms: now.ms_since(at),
                        recipient: page.recipient.clone(),
                        via: page.via.clone(),
                        contact: contact.clone(),
                        policy: page.policy.0.clone(),
                        level: page.level,
                    });
                }
            }
            answers.push(Event::DeliveryFinished { incident, attempt, try_number, result: Ok(None) });
        }
        for entry in engine.take_changes().timeline {
            if story.reasons.len() < LISTED_MAX {
                story.reasons.push(happening(Language::En, &Names::new(), &entry.what));
            }
        }
        if answers.is_empty() {
            let Some((due, _)) = engine.next_deadline().filter(|(due, _)| *due <= end) else { break };
            now = now.max(due);
            effects = engine.handle(now, Event::Wake);
        }
        for answer in answers {
            effects.commands.extend(engine.handle(now, answer).commands);
        }
        if story.sent.len() >= SENT_MAX {
            break;
        }
    }
    story
}

fn explain(story: &Story, missing: &[&ExpectedPage], extra: &[&Sent]) -> String {
    let mut lines: Vec<String> = Vec::new();
    for expected in missing {
        let via = expected.via.as_ref().map(|via| format!(" via {via}")).unwrap_or_default();
        let late = story.sent.iter().find(|sent| sent.is(expected));
        let instead = match late {
            Some(sent) => format!("it went out after {}", seconds(sent.after_ms)),
            None => "it did not go out".to_owned(),
        };
        lines.push(format!("expected a page to {}{via} after {}: {instead}", expected.to, expected.after));
    }
    for sent in extra {
        lines.push(format!("not expected, and the test is exact: {}", sent.line()));
    }
    if story.sent.is_empty() {
        lines.push("nobody was paged:".to_owned());
        story.outcomes.iter().for_each(|outcome| lines.push(format!("  the payload was {}", ended(outcome))));
        story.reasons.iter().for_each(|reason| lines.push(format!("  {reason}")));
    } else {
        lines.push("pages that went out:".to_owned());
        story.sent.iter().take(LISTED_MAX).for_each(|sent| lines.push(format!("  {}", sent.line())));
        if let Some(more) = story.sent.len().checked_sub(LISTED_MAX).filter(|more| *more > 0) {
            lines.push(format!("  and {more} more"));
        }
    }
    lines.join("\n")
}

fn ended(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Opened { .. } => "opened as an incident, which pages nobody".to_owned(),
        Outcome::Refreshed { .. } => "a repetition".to_owned(),
        Outcome::Closed { .. } => "a recovery".to_owned(),
        Outcome::Suppressed { .. } => "suppressed: its own time is more than a day before `at`".to_owned(),
        Outcome::Dropped { .. } => "a recovery of nothing that is open".to_owned(),
        Outcome::Rejected { reason } => format!("not understood: {reason:?}"),
    }
}

/// `90s` rather than milliseconds that no test can name.
fn seconds(ms: i64) -> Delay {
    Delay(ms / 1_000 * 1_000)
}

fn instant(text: &str) -> Result<Timestamp, String> {
    let parsed = if text.contains('[') {
        text.parse::<jiff::Zoned>().map(|zoned| zoned.timestamp())
    } else {
        text.parse::<jiff::Timestamp>()
    };
    parsed.map(|at| Timestamp(at.as_millisecond())).map_err(|_| {
        format!("`at = \"{text}\"` is not an instant; write 2026-11-22T03:00:00+08:00[Asia/Shanghai] or 2026-11-21T19:00:00Z")
    })
}
