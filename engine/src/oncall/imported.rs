//! Calendars that others keep: the last good copies of them, and what became of each in a layer.

use super::ical::{Reading, Shifts, Unclear};
use jiff::tz::TimeZone;
use shared::{LayerId, PersonId, Timestamp, config::Person};
use std::{collections::BTreeMap, sync::Arc};

/// The last good copy of each calendar, by its address as the document writes it.
pub type Copies = BTreeMap<String, Arc<str>>;

/// A layer that takes its shifts from a calendar elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    pub layer: LayerId,
    pub url: String,
    pub copy: CopyState,
}

/// What the copy of a calendar says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CopyState {
    /// There is none yet.
    Missing,
    /// It was good once and cannot be read now: another program read it, or a time zone is gone.
    Unreadable(String),
    Read {
        events: usize,
        unclear: Vec<Unclear>,
        /// When the last shift it gives is over; none when it puts nobody on call.
        last: Option<Timestamp>,
    },
}

impl Imported {
    /// Names in events that are not over, each once.
    #[must_use]
    pub fn unclear(&self, now: Timestamp) -> Vec<&Unclear> {
        let CopyState::Read { unclear, .. } = &self.copy else { return Vec::new() };
        let mut told: Vec<&Unclear> = Vec::new();
        for name in unclear.iter().filter(|it| it.until > now) {
            if !told.iter().any(|it| it.name == name.name && (it.event == name.event || !name.name.is_empty())) {
                told.push(name);
            }
        }
        told
    }

    /// Whether nobody knows who is on call by it.
    #[must_use]
    pub const fn is_unknown(&self) -> bool {
        !matches!(self.copy, CopyState::Read { .. })
    }
}

/// Reads the copy of a layer's calendar; without one that can be read the layer has no shifts.
pub(super) fn read(
    layer: &LayerId,
    url: &str,
    copies: &Copies,
    zone: &TimeZone,
    people: &BTreeMap<PersonId, Person>,
) -> (Imported, Option<Shifts>) {
    let read = copies.get(url).map(|text| Reading::of(text, zone, people));
    let (copy, shifts) = match read {
        None => (CopyState::Missing, None),
        Some(Err(error)) => (CopyState::Unreadable(error), None),
        Some(Ok(Reading { shifts, events, unclear })) => {
            (CopyState::Read { events, unclear, last: shifts.last() }, Some(shifts))
        }
    };
    (Imported { layer: layer.clone(), url: url.to_owned(), copy }, shifts)
}

/// What is wrong with the address of a calendar; none when nothing is.
#[must_use]
pub fn address_fault(url: &str) -> Option<String> {
    let known = ["https://", "http://", "webcal://", "webcals://"];
    let lower = url.trim().to_ascii_lowercase();
    if url.trim() != url || url.contains(char::is_whitespace) || !known.iter().any(|scheme| lower.starts_with(scheme)) {
        return Some(format!("`{url}` is not the address of a calendar; write https://… or webcal://…"));
    }
    None
}
