//! Whose shift an event is.

use super::lines::Event;
use shared::{
    PersonId, Timestamp,
    config::{ContactKind, Person},
};
use std::collections::{BTreeMap, BTreeSet};

/// A name in an event that is nobody's of the configuration, or more than one person's: it puts nobody on call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unclear {
    /// The event's summary.
    pub event: String,
    /// As the calendar writes it; empty when the event has neither a summary nor an attendee.
    pub name: String,
    /// Several people go by it.
    pub shared: bool,
    /// When its last occurrence is over.
    pub until: Timestamp,
}

/// The people of an event, and its names that are not clear, each with whether several people share it.
#[derive(Debug, Default)]
pub(super) struct Named {
    pub(super) people: BTreeSet<PersonId>,
    pub(super) unclear: Vec<(String, bool)>,
}

/// The level a summary begins with, `[L0]` to `[L9]`, and the rest. An event without one has the lowest.
pub(super) fn level(summary: &str) -> (u8, &str) {
    let summary = summary.trim();
    let found = summary.split_once(']').and_then(|(head, rest)| {
        let digit = head.strip_prefix("[L").or_else(|| head.strip_prefix("[l"))?;
        let level = digit.parse::<u8>().ok().filter(|level| *level <= 9)?;
        Some((level, rest.trim()))
    });
    found.unwrap_or((0, summary))
}

/// The people an event names: its attendees, or those of its summary when no attendee is known.
pub(super) fn named(event: &Event, people: &BTreeMap<PersonId, Person>) -> Named {
    let mut attending = Named::default();
    for address in &event.attendees {
        attending.add(address, people);
    }
    if !attending.people.is_empty() {
        return attending;
    }
    let mut summary = Named::default();
    let (_, text) = level(&event.summary);
    summary.add_all(text, people);
    if summary.people.is_empty() {
        // What an invitation is called says less than who is invited.
        let told = if event.attendees.is_empty() { summary.unclear } else { attending.unclear };
        return Named { unclear: told, ..summary };
    }
    summary.unclear.extend(attending.unclear);
    summary
}

impl Named {
    /// One name.
    fn add(&mut self, text: &str, people: &BTreeMap<PersonId, Person>) {
        match find(text, people) {
            Found::One(person) => drop(self.people.insert(person)),
            Found::Nobody => self.unclear.push((text.trim().to_owned(), false)),
            Found::Several => self.unclear.push((text.trim().to_owned(), true)),
        }
    }

    /// One name or several. What is a name as a whole is not taken apart, and an address with a `+` is one.
    fn add_all(&mut self, text: &str, people: &BTreeMap<PersonId, Person>) {
        let whole = matches!(find(text, people), Found::One(_) | Found::Several);
        let parts: Vec<&str> =
            if whole { vec![text] } else { text.split(['\n', ',', ';', '&', '、', '，', '；']).collect() };
        for part in parts {
            let closer: Vec<&str> = match find(part, people) {
                Found::Nobody if !part.contains('@') => part.split(['/', '+']).collect(),
                _ => vec![part],
            };
            for name in closer.into_iter().filter(|name| !name.trim().is_empty()) {
                self.add(name, people);
            }
        }
        if self.people.is_empty() && self.unclear.is_empty() {
            self.unclear.push((String::new(), false));
        }
    }
}

enum Found {
    One(PersonId),
    Nobody,
    Several,
}

/// By id first, since it is nobody else's; then by e-mail address; then by name.
fn find(text: &str, people: &BTreeMap<PersonId, Person>) -> Found {
    let text = text.trim().to_lowercase();
    let has_id = |person: &Person| person.id.as_str().to_lowercase() == text;
    let has_address = |person: &Person| {
        let mut addresses = person.contacts.iter().filter_map(|contact| contact.address());
        addresses.any(|(kind, it)| kind == ContactKind::Email && it.trim().to_lowercase() == text)
    };
    let has_name = |person: &Person| person.name.trim().to_lowercase() == text;
    let ways: [&dyn Fn(&Person) -> bool; 3] = [&has_id, &has_address, &has_name];
    for is in ways {
        let mut found = people.values().filter(|person| is(person));
        match (found.next(), found.next()) {
            (Some(person), None) => return Found::One(person.id.clone()),
            (Some(_), Some(_)) => return Found::Several,
            _ => {}
        }
    }
    Found::Nobody
}
