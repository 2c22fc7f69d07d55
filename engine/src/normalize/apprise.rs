//! What Apprise posts as JSON or as a form, and what is sent to Gotify: a title, a message, and how bad it is.

use super::{
    Parsed, Source, Told, bounds, bracket,
    fields::{self, Spans},
    fold,
    json::{Members, Node},
    netdata,
    object::{self, filled, member, place},
    slack, text,
};
use shared::{Action, AlertEvent, Flag, Format, Severity};

/// Reads an object (or a form) with a version and one of Apprise's four types, or what came to Gotify's address (the server
/// wraps it then).
pub(super) fn read(source: &Source<'_>, members: &Members<'_>, whole: &str) -> Option<Told> {
    let gotify = member(members, "gotify").and_then(Node::members).filter(|_| members.len() == 1);
    let gotify = gotify.or_else(|| (source.format == Some("gotify")).then_some(members));
    if let Some(members) = gotify {
        let priority = member(members, "priority").and_then(filled).and_then(|text| text.parse::<i64>().ok());
        // Ten are common; programs for phones are silent below 4 and loud from 8 on.
        let severity = priority.map(|priority| match priority {
            8.. => Severity::P1,
            4..8 => Severity::P3,
            ..4 => Severity::P4,
        });
        return Some(event(source, members, Action::Trigger, severity, whole));
    }
    let has = |name| member(members, name).is_some();
    let version = member(members, "version").and_then(filled);
    // Of its interface, of which there is one.
    let is_one = version.is_some_and(|it| it.starts_with("1.")) && has("title") && has("message");
    if !is_one || object::says_itself(members, &[]) {
        return None;
    }
    let (action, severity) = match member(members, "type").and_then(filled)? {
        "success" => (Action::Resolve, None),
        "failure" => (Action::Trigger, Some(Severity::P2)),
        "warning" => (Action::Trigger, Some(Severity::P3)),
        "info" => (Action::Trigger, Some(Severity::P4)),
        _ => return None,
    };
    Some(event(source, members, action, severity, whole))
}

fn event(source: &Source<'_>, members: &Members<'_>, action: Action, severity: Option<Severity>, whole: &str) -> Told {
    let of = |name| member(members, name).and_then(filled).unwrap_or_default();
    let (title, message) = (of("title"), of("message"));
    let is_untyped = member(members, "type").is_none();
    // Words say that it is over only where no type says that it is not.
    let is_failing = matches!(of("type"), "failure" | "warning");
    let mut spans = Spans::new(whole);
    // A line of the bracketed family says what it says; of what it does not say of its state the type does, or its words.
    let lines = [title, message].into_iter().filter(|text| bracket::head(text).is_some());
    let mut lines: Vec<Parsed> = lines
        .flat_map(|text| bracket::split(text).1)
        .take(bounds::MEMBERS)
        .filter_map(|line| {
            let mut parsed = bracket::parse(source, line, Spans::new(whole))?;
            let stated = bracket::head(line).and_then(|head| slack::state(head.says())).map(|(action, ..)| action);
            if action == Action::Resolve || (stated == Some(Action::Resolve) && !is_failing) {
                object::settle(&mut parsed.event, Action::Resolve);
            }
            Some(parsed)
        })
        .collect();
    if !lines.is_empty() {
        // What stands beside a line is an alert of its own only where it states a level that is worse.
        let worst = lines.iter().map(|it| it.event.severity).min();
        let other = [title, message].into_iter().find(|text| bracket::head(text).is_none());
        let other = other.filter(|_| action == Action::Trigger);
        let level = other.and_then(text::worst_level);
        if let Some((other, _)) = other.zip(level).filter(|(_, (level, _))| worst.is_some_and(|worst| *level < worst)) {
            lines.push(text::event(source, other, whole));
        }
        return Ok(lines);
    }
    let mut event = AlertEvent::blank(Format::Json, source.integration.default_severity);
    let summary = [title, message].into_iter().find(|text| !text.is_empty());
    let summary = summary.ok_or_else(|| vec!["'message' is missing or blank".to_owned()])?;
    bounds::set_text(&mut event, summary);
    if summary == title && !message.is_empty() && message != title {
        bounds::set_content(&mut event, message);
    }
    for (field, name) in [("summary", "title"), ("content", "message"), ("status", "type"), ("severity", "priority")] {
        member(members, name).into_iter().for_each(|node| spans.add(field, place(node)));
    }
    // Netdata writes `CLEAR, name = value, on host`.
    let netdata = title.split_once(", ").and_then(|(status, rest)| {
        let (alarm, host) = rest.rsplit_once(", on ")?;
        matches!(status, "CRITICAL" | "WARNING" | "CLEAR").then_some((status, netdata::name(alarm), host))
    });
    event.action = match (netdata, slack::state(summary)) {
        (Some(("CLEAR", ..)), _) => Action::Resolve,
        (None, Some((Action::Resolve, ..))) if !is_failing => Action::Resolve,
        _ => action,
    };
    event.status_raw = member(members, "type").and_then(filled).and_then(|word| bounds::name(&mut event, word));
    let in_text = [title, message].into_iter().filter_map(text::worst_level).min_by_key(|(level, _)| *level);
    fields::set_severity(&mut event, in_text.or(severity.map(|severity| (severity, false))), source);
    for (name, node) in members.iter().rev() {
        let is_own = ["title", "message", "version", "type", "priority"].iter().any(|own| name == own);
        if let Some(value) = node.scalar().filter(|_| !is_own) {
            bounds::label(&mut event, name, value);
        }
    }
    let mut key = "note:".to_owned();
    match netdata {
        Some((_, name, host)) => {
            event.host = bounds::name(&mut event, host);
            key = netdata::key(host, netdata::chart(message), name);
        }
        None => {
            let state = slack::state(summary).filter(|(_, _, rest)| rest.contains(char::is_alphanumeric));
            let line = state.map_or(summary, |(_, _, rest)| rest).lines().next().unwrap_or_default();
            if state.is_some() {
                fold::named(line, &mut key)
            } else {
                fold::fold(line, &mut key)
            }
            // A title may be the same for all there is; Apprise's types tell which of its messages is the end of another.
            let below = message.lines().map(str::trim).find(|line| !line.is_empty());
            if let Some(below) = below.filter(|line| state.is_none() && is_untyped && *line != summary) {
                key.push('|');
                fold::fold(below, &mut key);
            }
        }
    }
    fields::find_addresses(&mut event);
    event.flags.retain(|flag| *flag != Flag::KeyHashed);
    bounds::set_key(&mut event, key);
    Ok(vec![Parsed { event, spans: spans.list }])
}
