//! The engine in the browser: a module of its own, fetched when somebody edits what it decides.

use leptos::{
    prelude::*,
    task::spawn_local,
    wasm_split::{SplitLoaderError, wasm_split},
};
use shared::{
    ContactId, Delay, PolicyId, Recipient, Severity, Timestamp,
    config::{ContactKind, Document, Finding, Policy},
};

/// What the engine is asked.
#[derive(Clone)]
pub(crate) enum Ask {
    /// Whom a policy of a document (as JSON), with these policies instead of its own, pages for a lone alert that nobody
    /// answers.
    Policy {
        document: String,
        policies: Vec<Policy>,
        policy: PolicyId,
        severity: Severity,
        at: Timestamp,
        length: Delay,
    },
    /// When the clock of a zone changes next.
    ClockChange { zone: String, after: Timestamp },
    /// When a clock of a zone shows an hour next, on a day of the week if one is named.
    Clock { zone: String, after: Timestamp, weekday: Option<i8>, hour: i8, minute: i8 },
}

/// What it answers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Told {
    Sent(Vec<Attempted>),
    At(Option<Timestamp>),
    /// The document is refused for this.
    Refused(Vec<Finding>),
}

/// A delivery that would begin.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Attempted {
    pub(crate) at: Timestamp,
    pub(crate) recipient: Recipient,
    pub(crate) contact: ContactId,
    pub(crate) channel: ContactKind,
    /// 0-based.
    pub(crate) level: u32,
    pub(crate) reminder: bool,
}

#[wasm_split(rehearsal, wasm_split_path = leptos::wasm_split, fallible, preload(fetch_engine))]
fn tell(ask: Ask) -> Result<Told, SplitLoaderError> {
    Ok(match ask {
        Ask::Policy { document, policies, policy, severity, at, length } => {
            match serde_json::from_str::<Document>(&document) {
                Ok(mut document) => {
                    document.policies = policies;
                    match engine::rehearsal::rehearse_policy(&document, &policy, severity, at, length) {
                        Ok(told) => Told::Sent(told.sent.into_iter().map(attempted).collect()),
                        Err(findings) => Told::Refused(findings),
                    }
                }
                Err(error) => {
                    Told::Refused(vec![Finding { path: String::new(), message: error.to_string(), fatal: true }])
                }
            }
        }
        Ask::ClockChange { zone, after } => Told::At(engine::rehearsal::clock_change(&zone, after)),
        Ask::Clock { zone, after, weekday, hour, minute } => {
            Told::At(engine::rehearsal::next_clock(&zone, after, weekday, hour, minute))
        }
    })
}

fn attempted(sent: engine::stage::Sent) -> Attempted {
    Attempted {
        at: sent.at,
        recipient: sent.recipient,
        contact: sent.contact,
        channel: sent.channel,
        level: sent.level,
        reminder: sent.reminder,
    }
}

/// Whether the engine is here.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Arrival {
    Awaited,
    Here,
    Missing,
}

/// Fetches the engine; one that did not arrive is asked for again when this is.
pub(crate) fn fetch(arrival: RwSignal<Arrival>) {
    arrival.set(Arrival::Awaited);
    spawn_local(async move {
        let arrived = if fetch_engine().await.is_ok() { Arrival::Here } else { Arrival::Missing };
        arrival.try_set(arrived);
    });
}

/// Asks an engine that is here; none when it is not.
pub(crate) fn ask(ask: Ask) -> Option<Told> {
    super::later::at_once(tell(ask)).and_then(Result::ok)
}
