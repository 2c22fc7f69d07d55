//! The tests written in a configuration: a payload at a time, nobody answers, these pages must go out.
//!
//! They run in the engine that pages, on a [stage](crate::stage).

use crate::{
    compile::Snapshot,
    stage::{Post, Scene, Stage},
};
use shared::{
    Delay, PageVia, Recipient, Timestamp,
    api::TrialResult,
    config::{Document, ExpectedPage, Target, Trial},
    text::{Language, Names, happening, recipient_name},
    timeline::{DropReason, Outcome, SuppressReason},
};
use std::{ops::ControlFlow, sync::Arc};

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
            (Target::Schedule(id), _, PageVia::Schedule(on_call)) => *id == on_call.schedule,
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

/// Lets the payload arrive and follows the deadlines.
fn tell(config: &Arc<Snapshot>, trial: &Trial, at: Timestamp, ahead_ms: i64) -> Story {
    let mut story = Story { sent: Vec::new(), outcomes: Vec::new(), reasons: Vec::new() };
    let mut stage = Stage::new(config.clone(), at);
    let Story { sent, reasons, .. } = &mut story;
    let mut watch = |scene: &Scene| {
        sent.extend(scene.sent.iter().map(|it| Sent {
            after_ms: it.at.ms_since(at),
            recipient: it.recipient.clone(),
            via: it.via.clone(),
            contact: it.contact.clone(),
            policy: it.policy.to_string(),
            level: it.level,
        }));
        for entry in &scene.changes.timeline {
            if reasons.len() < LISTED_MAX {
                reasons.push(happening(Language::En, &Names::new(), &entry.what));
            }
        }
        if sent.len() < SENT_MAX { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    let (integration, body) = (&trial.integration, trial.payload.as_bytes());
    let post = Post { integration, content_type: None, key: None, received_at: at, body };
    let outcomes = stage.post(at, &post, &mut watch).outcomes;
    stage.advance(at.plus_ms(ahead_ms), &mut watch);
    story.outcomes = outcomes;
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
        Outcome::Acknowledged { .. } => "an answer".to_owned(),
        Outcome::Closed { .. } => "a recovery".to_owned(),
        Outcome::Suppressed { reason: SuppressReason::Change } => "a change, and no alert".to_owned(),
        Outcome::Suppressed { .. } => "suppressed: its own time is more than a day before `at`".to_owned(),
        Outcome::Dropped { reason: DropReason::UnmatchedAck } => "an answer to nothing that is open".to_owned(),
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
    parsed.map(|at| Timestamp::from_ms(at.as_millisecond())).map_err(|_| {
        format!("`at = \"{text}\"` is not an instant; write 2026-11-22T03:00:00+08:00[Asia/Shanghai] or 2026-11-21T19:00:00Z")
    })
}
