//! The engine in the browser: a module of its own, fetched when somebody edits what it decides.

use leptos::{
    prelude::*,
    task::spawn_local,
    wasm_split::{SplitLoaderError, wasm_split},
};
use shared::{
    Delay, IntegrationId, PolicyId, Severity, Timestamp,
    api::{Rehearsal, RehearsedDelivery},
    config::{Document, Finding, Policy, Route},
};
use std::sync::Arc;

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
    /// What is wrong with a document (as JSON) that has these routes instead of its own, or doubtful.
    Review { document: String, routes: Vec<Route>, at: Timestamp },
    /// What becomes of a message in a document with these routes, when nobody answers.
    Message {
        document: String,
        routes: Vec<Route>,
        integration: IntegrationId,
        body: String,
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
    Sent(Vec<RehearsedDelivery>),
    Reviewed(Vec<Finding>),
    Tried(Box<Rehearsal>),
    At(Option<Timestamp>),
    /// The document is refused for this.
    Refused(Vec<Finding>),
}

#[wasm_split(rehearsal, wasm_split_path = leptos::wasm_split, fallible, preload(fetch_engine))]
fn tell(ask: Ask) -> Result<Told, SplitLoaderError> {
    Ok(match ask {
        Ask::Policy { document, policies, policy, severity, at, length } => {
            match serde_json::from_str::<Document>(&document) {
                Ok(mut document) => {
                    document.policies = policies;
                    match engine::rehearsal::rehearse_policy(&document, &policy, severity, at, length) {
                        Ok(told) => Told::Sent(told.sent.into_iter().map(engine::rehearsal::delivery).collect()),
                        Err(findings) => Told::Refused(findings),
                    }
                }
                Err(error) => Told::Refused(unread(&error)),
            }
        }
        Ask::Review { document, routes, at } => Told::Reviewed(match serde_json::from_str::<Document>(&document) {
            Ok(document) => engine::rehearsal::review(Document { routes, ..document }, at),
            Err(error) => unread(&error),
        }),
        Ask::Message { document, routes, integration, body, at, length } => {
            let compiled = serde_json::from_str::<Document>(&document)
                .map_err(|error| unread(&error))
                .and_then(|document| engine::Snapshot::compile(1, Document { routes, ..document }));
            match compiled {
                Ok(config) => {
                    let config = Arc::new(config);
                    let told = engine::rehearsal::try_message(&config, &integration, body.as_bytes(), at, length);
                    Told::Tried(Box::new(told))
                }
                Err(findings) => Told::Refused(findings),
            }
        }
        Ask::ClockChange { zone, after } => Told::At(engine::rehearsal::clock_change(&zone, after)),
        Ask::Clock { zone, after, weekday, hour, minute } => {
            Told::At(engine::rehearsal::next_clock(&zone, after, weekday, hour, minute))
        }
    })
}

fn unread(error: &serde_json::Error) -> Vec<Finding> {
    vec![Finding { path: String::new(), message: error.to_string(), fatal: true }]
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
