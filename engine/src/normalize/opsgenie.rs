//! What Opsgenie's alert API is asked to do, as the server wraps it: the verb and the alert stand in the address there, so the
//! stored message holds them beside the body: `{"opsgenie": {"do": "create", "alias": …, "body": {…}}}`.
//!
//! The members are those of Opsgenie's OpenAPI description. What is asked of an alert that is open (another message, another
//! description, another priority) is an update of it.

use super::{
    Parsed, Source, Told, bounds,
    fields::{self, Spans},
    json::{Members, Node, Value},
    object::{self, Fields, filled, member, place},
    text,
};
use sha2::{Digest as _, Sha256};
use shared::{Action, AlertEvent, Flag, Format, Severity};

/// Keys that we make are as long as PagerDuty's.
const KEY_CHARS: usize = 32;

/// Tags or details are taken away: `gone` has the names of labels, and `tags` what stays.
const REMOVED: &str = "remove";

/// Reads an object that holds what was asked and nothing else.
pub(super) fn read(source: &Source<'_>, members: &Members<'_>, whole: &str) -> Option<Told> {
    let asked = member(members, "opsgenie").and_then(Node::members).filter(|_| members.len() == 1);
    let asked = asked.filter(|asked| member(asked, "do").is_some())?;
    Some(event(source, asked, whole).map(|it| vec![it]))
}

/// What is missing is said in Opsgenie's words where it has some.
fn event(source: &Source<'_>, asked: &Members<'_>, whole: &str) -> Result<Parsed, Vec<String>> {
    let none = Members::new();
    let body = member(asked, "body").and_then(Node::members).unwrap_or(&none);
    let of = |name| member(body, name).and_then(filled);
    let action = match member(asked, "do").and_then(filled) {
        Some("create") => Action::Trigger,
        Some("acknowledge") => Action::Acknowledge,
        Some("close" | "delete") => Action::Resolve,
        Some("message" | "description" | "priority" | "details" | "tags" | REMOVED) => Action::Update,
        other => return Err(vec![format!("'{}' is nothing that is done to alerts", other.unwrap_or_default())]),
    };
    let mut spans = Spans::new(whole);
    let mut event = AlertEvent::blank(Format::Opsgenie, source.integration.default_severity);
    event.action = action;
    event.status_raw = member(asked, "do").and_then(filled).map(Into::into);
    match member(body, "message").and_then(|node| Some((node, filled(node)?))) {
        Some((node, message)) => {
            spans.add("summary", place(node));
            bounds::set_text(&mut event, message);
        }
        None if action == Action::Trigger => return Err(vec!["Message can not be empty.".to_owned()]),
        None => {}
    }
    if let Some(description) = of("description") {
        bounds::set_content(&mut event, description);
    }
    set_severity(&mut event, body, source, &mut spans);
    let details = member(body, "details").and_then(Node::members);
    let client = of("source");
    // The source is who says it; the entity is what it is about.
    object::set_machine(&mut event, &Fields::of(&none, details), &mut spans);
    if event.host.is_none()
        && let Some(entity) = of("entity").filter(|it| !it.contains(char::is_whitespace))
    {
        event.host = bounds::name(&mut event, &fields::bare_host(entity));
    }
    fields::find_addresses(&mut event);
    for (name, node) in details.into_iter().flatten().rev() {
        node.scalar().into_iter().for_each(|value| bounds::label(&mut event, name, value));
    }
    for (name, value) in [("source", client), ("entity", of("entity"))] {
        value.into_iter().for_each(|value| bounds::label(&mut event, name, value));
    }
    if let Some(Value::Array(tags)) = member(body, "tags").map(|node| &node.value) {
        let tags: Vec<&str> = tags.iter().filter_map(filled).collect();
        for (name, value) in tags.iter().filter_map(|tag| tag.split_once([':', '='])) {
            bounds::label(&mut event, name, value);
        }
        // An update that says none leaves none.
        if !tags.is_empty() || action == Action::Update {
            bounds::label(&mut event, "tags", &tags.join(", "));
        }
    }
    if let Some(Value::Array(gone)) = member(body, "gone").map(|node| &node.value).filter(|_| action == Action::Update)
    {
        gone.iter().filter_map(filled).for_each(|name| bounds::label(&mut event, name, ""));
    }
    set_key(&mut event, asked, whole, &mut spans);
    Ok(Parsed { event, spans: spans.list })
}

/// P1 to P5 there are P0 to P4 here; a level in the message says more.
fn set_severity(event: &mut AlertEvent, body: &Members<'_>, source: &Source<'_>, spans: &mut Spans<'_>) {
    let node = member(body, "priority");
    let stated = node.and_then(filled).and_then(|word| match word {
        "P1" => Some(Severity::P0),
        "P2" => Some(Severity::P1),
        "P3" => Some(Severity::P2),
        "P4" => Some(Severity::P3),
        "P5" => Some(Severity::P4),
        _ => None,
    });
    if let Some(node) = node.filter(|_| stated.is_some()) {
        spans.add("severity", place(node));
    }
    let in_text = text::level_anywhere(&event.summary);
    let said = in_text.or(stated.map(|level| (level, false)));
    fields::set_severity(event, said, source);
    // Opsgenie's own default is its P3.
    if said.is_none() {
        event.severity = Severity::P2;
    }
}

fn set_key(event: &mut AlertEvent, asked: &Members<'_>, whole: &str, spans: &mut Spans<'_>) {
    if let Some((node, alias)) = member(asked, "alias").and_then(|node| Some((node, filled(node)?))) {
        spans.add("dedup_key", place(node));
        bounds::set_key(event, alias.to_owned());
        return;
    }
    // Asked again for the same, as by a client that got no answer, it is the same alert while it is open.
    let mut key = bounds::hex(&Sha256::digest(whole));
    key.truncate(KEY_CHARS);
    event.dedup_key = key.into();
    event.flags.retain(|flag| *flag != Flag::KeyHashed);
}
