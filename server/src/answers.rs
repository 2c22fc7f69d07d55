//! What carriers and chats tell us back: who signed it, receipts, keys that were pressed, replies; read and never acted on.
//!
//! Everything here is pure and total: bytes of strangers go in, and nothing, or what they say, comes out.

pub mod aliyun;
pub mod menu;
pub mod reply;
pub mod slack;
pub mod telegram;
pub mod tencent;
pub mod twilio;
pub mod wecom;

use crate::outbound::quote;
use menu::Key;
use serde_json::Value;

/// What a carrier says became of a message or a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CarrierReport {
    /// The carrier's own id of it, as it was given when it took the message.
    pub provider_id: Option<String>,
    /// What we gave it to come back: the key of the delivery, or its end.
    pub key: Option<String>,
    pub fate: Fate,
    /// Why, in plain words, when it came to nothing.
    pub why: Option<String>,
    /// What was pressed on the telephone.
    pub pressed: Option<Key>,
}

/// How far a message or a call came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// The carrier has it.
    Queued,
    /// It has left the carrier; some networks never say more.
    Sent,
    Ringing,
    /// Somebody answered the call, or their mailbox did: nobody has acknowledged by that.
    Answered,
    /// A machine answered.
    Machine,
    /// The telephone has shown it, or the call has been heard to its end.
    Delivered,
    /// It came to nothing.
    Failed,
}

/// A text message that somebody wrote back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The number it came from, with its country's.
    pub from: String,
    pub text: String,
}

/// A text, a number or a truth, as text: carriers write the same field in either way.
fn text(value: &Value, name: &str) -> Option<String> {
    let text = match value.get(name)? {
        Value::String(text) => quote(text, &[]),
        Value::Number(number) => number.to_string(),
        Value::Bool(truth) => truth.to_string(),
        _ => return None,
    };
    Some(text).filter(|text| !text.is_empty())
}

/// The members of an array, or the one thing that came instead of it.
fn members(body: &[u8]) -> Vec<Value> {
    match serde_json::from_slice(body) {
        Ok(Value::Array(members)) => members,
        Ok(one @ Value::Object(_)) => vec![one],
        _ => Vec::new(),
    }
}

/// Code and words of a failure, as far as they are given.
fn reason(code: Option<String>, words: Option<String>) -> Option<String> {
    match (code, words) {
        (Some(code), Some(words)) => Some(format!("{words} ({code})")),
        (one, other) => one.or(other),
    }
}
