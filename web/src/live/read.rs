//! What the server says on the live connection, as far as the board needs it.
//!
//! [`LiveMessage`](shared::live::LiveMessage) is not read as it stands: the derived reader of a tagged enum keeps the
//! whole message in a buffer first, and so everything in it would have two readers. What a message about a message says
//! is left as text for the pages that show it.

use serde::{Deserialize, de::IgnoredAny};
use shared::{
    Timestamp,
    api::{Counts, IncidentRow},
};

/// A message of the server.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Message {
    Hello(Hello),
    Delta(Box<Delta>),
    Resync,
    Ping(Ping),
    /// What is measured of hosts, as text: only the pages that asked for it read it.
    Measured(String),
    SignedOut,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct Hello {
    pub(crate) protocol: u32,
    pub(crate) now: Timestamp,
}

/// Everything that changed since the previous one.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct Delta {
    pub(crate) seq: u64,
    pub(crate) now: Timestamp,
    pub(crate) rows: Vec<IncidentRow>,
    pub(crate) gone: Vec<IncidentRow>,
    pub(crate) counts: Counts,
    heard: Vec<IgnoredAny>,
    pub(crate) config: Option<i64>,
    /// The whole message, if a sender was heard.
    #[serde(skip)]
    pub(crate) heard_in: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct Ping {
    pub(crate) now: Timestamp,
}

#[derive(Deserialize)]
struct Kind {
    #[serde(rename = "type")]
    kind: String,
}

/// A message; none when it is not one of those this build knows.
pub(super) fn message(text: &str) -> Option<Message> {
    let Kind { kind } = read(text)?;
    Some(match kind.as_str() {
        "hello" => Message::Hello(read(text)?),
        "delta" => {
            let mut delta: Delta = read(text)?;
            delta.heard_in = (!delta.heard.is_empty()).then(|| text.to_owned());
            Message::Delta(Box::new(delta))
        }
        "resync" => Message::Resync,
        "ping" => Message::Ping(read(text)?),
        "host" | "hosts" => Message::Measured(text.to_owned()),
        "signed_out" => Message::SignedOut,
        _ => return None,
    })
}

fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Option<T> {
    serde_json::from_str(text).ok()
}

#[cfg(test)]
impl Delta {
    /// One in which nothing happened.
    pub(super) fn empty(seq: u64, now: Timestamp) -> Self {
        let counts = Counts {
            triggered: [0; 7],
            acked: [0; 7],
            oldest_triggered: None,
            people_paged: 0,
            unreached: 0,
            storm: None,
        };
        Self { seq, now, rows: vec![], gone: vec![], counts, heard: vec![], config: None, heard_in: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::sample::row;
    use shared::{
        AlertId, EventId, IncidentId, IncidentState, Severity,
        live::{Heard, LiveMessage},
        timeline::Outcome,
    };

    fn read_back(said: &LiveMessage) -> (String, Option<Message>) {
        let text = serde_json::to_string(said).unwrap();
        let read = message(&text);
        (text, read)
    }

    #[test]
    fn every_message_is_read_as_it_was_said() {
        let (seq, now) = (7, Timestamp::from_ms(9));
        for said in [
            LiveMessage::Hello { protocol: 1, version: "0.1.0".to_owned(), seq, now },
            LiveMessage::Resync { seq },
            LiveMessage::Ping { now },
            LiveMessage::Hosts { now, hosts: Vec::new() },
            LiveMessage::SignedOut,
        ] {
            // Another kind of message needs a reader above and a line here.
            let text = serde_json::to_string(&said).unwrap();
            let read = match &said {
                LiveMessage::Hello { .. } => Message::Hello(Hello { protocol: 1, now }),
                LiveMessage::Delta { .. } => continue,
                LiveMessage::Resync { .. } => Message::Resync,
                LiveMessage::Ping { .. } => Message::Ping(Ping { now }),
                LiveMessage::Hosts { .. } | LiveMessage::Host { .. } => Message::Measured(text),
                LiveMessage::SignedOut => Message::SignedOut,
            };
            assert_eq!(read_back(&said).1, Some(read));
        }
        assert_eq!(message(r#"{"type":"unheard_of"}"#), None);
        assert_eq!(message("not JSON"), None);
    }

    #[test]
    fn a_delta_is_read_and_what_was_heard_is_kept_as_text() {
        let (rows, gone) =
            (vec![row(1, Severity::P0, IncidentState::Triggered)], vec![row(2, Severity::P3, IncidentState::Resolved)]);
        let oldest_triggered = Some(Timestamp::from_ms(9));
        let counts =
            Counts { triggered: [1; 7], acked: [0; 7], oldest_triggered, people_paged: 1, unreached: 0, storm: None };
        let delta = |heard: Vec<Heard>| LiveMessage::Delta {
            seq: 7,
            now: Timestamp::from_ms(9),
            rows: rows.clone(),
            gone: gone.clone(),
            counts: counts.clone(),
            heard,
            config: Some(4),
        };
        let heard = Heard {
            integration: "falcon".into(),
            event: EventId(3),
            at: Timestamp::from_ms(9),
            severity: None,
            summary: "disk".to_owned(),
            outcome: Outcome::Opened { alert: AlertId(1), incident: IncidentId(1) },
            incident: Some(IncidentId(1)),
        };
        let (text, read) = read_back(&delta(vec![heard]));
        let Some(Message::Delta(read)) = read else { panic!("{read:?}") };
        assert_eq!((read.seq, read.now, &read.rows, &read.gone), (7, Timestamp::from_ms(9), &rows, &gone));
        assert_eq!((&read.counts, read.config, read.heard_in.as_deref()), (&counts, Some(4), Some(text.as_str())));
        let (_, read) = read_back(&delta(Vec::new()));
        assert!(matches!(read, Some(Message::Delta(read)) if read.heard_in.is_none()));
    }
}
