//! Alerts as Alerta's API is told them, and what it is asked to do to them, as the server wraps it: which alert it is about
//! stands in the address there, and which open one an event belongs to is known to the server only:
//! `{"alerta": {"do": "alert", "key": …, "correlate": […], "body": {…}}}`.
//!
//! The members are those of Alerta's API reference (docs.alerta.io, "Alert Format"). An alert is identified by its
//! environment, resource, event and customer.

use super::{
    Parsed, Source, Told, bounds,
    fields::{self, Spans},
    json::{Members, Node, Value},
    object::{self, Fields, filled, member, place},
    text, time, words,
};
use shared::{Action, AlertEvent, Delay, Format, Severity};
use std::borrow::Cow;

/// Members that are labels under their own names.
const LABELS: [&str; 7] = ["environment", "resource", "event", "customer", "group", "value", "origin"];
/// Lists that are labels as one text.
const LISTS: [&str; 3] = ["service", "correlate", "tags"];
/// Attributes that name the machine.
const HOSTS: [&str; 4] = ["host", "hostname", "instance", "node"];

/// The identity of an alert of Alerta's.
#[must_use]
pub fn key(environment: &str, resource: &str, event: &str, customer: &str) -> String {
    let mut key = format!("{environment}|{resource}|{event}");
    if !customer.is_empty() {
        key.push('|');
        key.push_str(customer);
    }
    key
}

/// The resource as it takes part in that: Netdata names the host in the origin, and not in each resource.
#[must_use]
pub fn resource<'a>(resource: &'a str, origin: &str) -> Cow<'a, str> {
    let host = origin.trim().strip_prefix("netdata/").unwrap_or_default();
    let is_named = resource.strip_prefix(host).is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/']));
    if host.is_empty() || is_named { Cow::Borrowed(resource) } else { Cow::Owned(format!("{host}:{resource}")) }
}

/// Reads an alert, or an object that holds what was asked and nothing else.
pub(super) fn read(source: &Source<'_>, members: &Members<'_>, whole: &str) -> Option<Told> {
    let wrapped = member(members, "alerta").and_then(Node::members).filter(|_| members.len() == 1);
    if let Some(asked) = wrapped.filter(|asked| member(asked, "do").is_some()) {
        return Some(asked_for(source, asked, whole).map(|it| vec![it]));
    }
    let has = |name| member(members, name).is_some_and(|node| filled(node).is_some());
    let is_alert = has("resource") && has("event") && (has("environment") || has("severity"));
    let is_alert = is_alert && !object::says_itself(members, &["severity"]);
    (is_alert || source.format == Some("alerta")).then(|| alert(source, members, None, whole).map(|it| vec![it]))
}

fn asked_for(source: &Source<'_>, asked: &Members<'_>, whole: &str) -> Result<Parsed, Vec<String>> {
    let none = Members::new();
    let body = member(asked, "body").and_then(Node::members).unwrap_or(&none);
    let action = match member(asked, "do").and_then(filled) {
        Some("alert") => return alert(source, body, Some(asked), whole),
        Some("heartbeat") => return Ok(heartbeat(source, body, whole)),
        Some("ack") => Action::Acknowledge,
        Some("close") => Action::Resolve,
        Some("tag" | "attributes") => Action::Update,
        other => return Err(vec![format!("'{}' is nothing that is done to alerts", other.unwrap_or_default())]),
    };
    let Some((node, key)) = member(asked, "key").and_then(|node| Some((node, filled(node)?))) else {
        return Err(vec!["it is not said which alert".to_owned()]);
    };
    let mut spans = Spans::new(whole);
    spans.add("dedup_key", place(node));
    let mut event = AlertEvent::blank(Format::Alerta, source.integration.default_severity);
    event.action = action;
    event.status_raw = member(asked, "do").and_then(filled).map(Into::into);
    fields::set_severity(&mut event, None, source);
    if let Some(text) = member(body, "text").and_then(filled).filter(|_| action != Action::Update) {
        bounds::set_text(&mut event, text);
    }
    set_labels(&mut event, body, asked);
    bounds::set_key(&mut event, key.to_owned());
    Ok(Parsed { event, spans: spans.list })
}

/// What is missing is said in Alerta's words.
fn alert(
    source: &Source<'_>,
    body: &Members<'_>,
    asked: Option<&Members<'_>>,
    whole: &str,
) -> Result<Parsed, Vec<String>> {
    let of = |name| member(body, name).and_then(filled);
    let missing = |name: &str| format!("Missing mandatory value for \"{name}\"");
    let Some(resource) = of("resource") else { return Err(vec![missing("resource")]) };
    let Some(what) = of("event") else { return Err(vec![missing("event")]) };
    let mut spans = Spans::new(whole);
    let mut event = AlertEvent::blank(Format::Alerta, source.integration.default_severity);
    for (field, name) in [("summary", "event"), ("host", "resource"), ("severity", "severity"), ("content", "text")] {
        member(body, name).into_iter().for_each(|node| spans.add(field, place(node)));
    }
    let said = of("text").or_else(|| of("value")).map(bounds::one_line).unwrap_or_default();
    let summary = format!("{what} on {resource}");
    let summary = if said.is_empty() { summary } else { format!("{summary}: {said}") };
    event.summary = bounds::one_line(&summary).into();
    // What the event was made of is an object in some senders.
    let raw = member(body, "rawData").map(|node| node.scalar().unwrap_or(node.raw)).filter(|raw| *raw != "null");
    let long = of("text").filter(|text| *text != said);
    let content: Vec<&str> = long.into_iter().chain(raw.map(str::trim).filter(|raw| !raw.is_empty())).collect();
    bounds::set_content(&mut event, &content.join("\n"));
    set_severity(&mut event, of("severity"), source);
    let none = Members::new();
    set_labels(&mut event, body, asked.unwrap_or(&none));
    set_machine(&mut event, body, resource, &mut spans);
    if let Some(node) = member(body, "createTime")
        && let Some(at) = filled(node).and_then(|text| time::any(text, "UTC"))
    {
        spans.add("time", place(node));
        time::judge(&mut event, at, false, source);
    }
    // There an alert that is not repeated for so long is expired, which is not closed.
    let timeout = of("timeout").and_then(|text| text.parse::<i64>().ok()).filter(|seconds| *seconds > 0);
    event.ends_at = timeout
        .filter(|_| event.action == Action::Trigger)
        .and_then(|seconds| seconds.checked_mul(1_000))
        .map(|ms| source.received_at.after(Delay(ms)));
    let of_sender = || {
        let or_none = |name| of(name).unwrap_or_default();
        key(or_none("environment"), &self::resource(resource, or_none("origin")), what, or_none("customer"))
    };
    let known = asked.and_then(|asked| member(asked, "key")).and_then(filled);
    bounds::set_key(&mut event, known.map_or_else(of_sender, str::to_owned));
    Ok(Parsed { event, spans: spans.list })
}

/// That somebody is alive changes no alert; a heartbeat of ours may listen for it.
fn heartbeat(source: &Source<'_>, body: &Members<'_>, whole: &str) -> Parsed {
    let mut event = AlertEvent::blank(Format::Alerta, Severity::P5);
    let origin = member(body, "origin").and_then(filled).unwrap_or("unknown");
    event.action = Action::Change;
    event.status_raw = Some("heartbeat".into());
    event.summary = bounds::one_line(&format!("Heartbeat of {origin}")).into();
    set_labels(&mut event, body, &Members::new());
    bounds::set_key(&mut event, format!("heartbeat|{origin}"));
    if let Some(at) = member(body, "createTime").and_then(filled).and_then(|text| time::any(text, "UTC")) {
        time::judge(&mut event, at, false, source);
    }
    Parsed { event, spans: Spans::new(whole).list }
}

/// A level in the words wins; a severity that is none of Alerta's says nothing, and one that is not said does not mean
/// that all is well.
fn set_severity(event: &mut AlertEvent, word: Option<&str>, source: &Source<'_>) {
    event.status_raw = word.and_then(|word| bounds::name(event, word));
    if word.and_then(words::action) == Some(Action::Resolve) {
        event.action = Action::Resolve;
    }
    let in_text = text::level_anywhere(&event.summary).or_else(|| text::level_anywhere(&event.content));
    let of_word = word.and_then(|word| {
        let security = word.eq_ignore_ascii_case("security").then_some(Severity::P0);
        let stated = words::level(word).or_else(|| words::rank(word));
        stated.or_else(|| Some((security.or_else(|| words::severity(word))?, false)))
    });
    if in_text.is_none() && word.is_some_and(|word| words::level(word).is_none()) {
        event.severity_word.clone_from(&event.status_raw);
    }
    fields::set_severity(event, in_text.or(of_word), source);
}

/// `asked` may hold the correlated events that an older message about the alert has named.
fn set_labels(event: &mut AlertEvent, body: &Members<'_>, asked: &Members<'_>) {
    let list = |members, name| match member(members, name).map(|node: &Node<'_>| &node.value) {
        Some(Value::Array(items)) => items.iter().filter_map(filled).collect::<Vec<_>>(),
        Some(Value::Text(text)) if !text.trim().is_empty() => vec![text.trim()],
        _ => Vec::new(),
    };
    for name in LABELS {
        member(body, name).and_then(filled).into_iter().for_each(|value| bounds::label(event, name, value));
    }
    member(body, "type").and_then(filled).into_iter().for_each(|value| bounds::label(event, "type", value));
    for name in LISTS {
        let mut items = list(body, name);
        if items.is_empty() && name == "correlate" {
            items = list(asked, name);
        }
        if !items.is_empty() {
            bounds::label(event, name, &items.join(", "));
        }
        if name == "service" {
            event.service = items.first().and_then(|first| bounds::name(event, first));
        }
    }
    // Whose names these are says which alert it is; no attribute and no tag does.
    let is_own = |name: &str| LABELS.iter().chain(&LISTS).any(|own| name.trim() == *own);
    for (name, node) in member(body, "attributes").and_then(Node::members).into_iter().flatten() {
        if let Some(value) = node.scalar() {
            let (plain, links) = without_markup(value);
            if is_own(name) {
                bounds::label(event, &format!("attributes.{}", name.trim()), plain.trim());
            } else {
                bounds::label(event, name, plain.trim());
            }
            links.into_iter().for_each(|url| bounds::link(event, url));
        }
    }
    let tags = list(body, "tags").into_iter().filter_map(|tag| tag.split_once(['=', ':']));
    for (name, value) in tags.filter(|(name, _)| !is_own(name)) {
        bounds::label(event, name, value);
    }
}

/// What attributes call the machine, or the start of `web01:/dev/sda`; Netdata says itself where it runs.
fn set_machine(event: &mut AlertEvent, body: &Members<'_>, resource: &str, spans: &mut Spans<'_>) {
    let attributes = member(body, "attributes").and_then(Node::members);
    let named = HOSTS.iter().find_map(|name| attributes.and_then(|it| member(it, name)).and_then(filled));
    let origin = member(body, "origin").and_then(filled).unwrap_or_default();
    let host = match origin.strip_prefix("netdata/") {
        Some(host) => host,
        None if fields::address(resource).is_some() => resource,
        None => match resource.split_once("://") {
            Some((_, rest)) => {
                let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
                authority.rsplit('@').next().unwrap_or_default()
            }
            None => resource.split([':', '/']).next().unwrap_or_default(),
        },
    };
    let host = named.unwrap_or(host);
    if !host.contains(char::is_whitespace) {
        event.host = bounds::name(event, &fields::bare_host(host));
    }
    let none = Members::new();
    object::set_machine(event, &Fields::of(&none, attributes), spans);
    fields::find_addresses(event);
}

/// A text without its tags, and where its anchors lead: Netdata puts one into an attribute.
fn without_markup(html: &str) -> (String, Vec<&str>) {
    let (mut plain, mut links, mut rest) = (String::new(), Vec::new(), html);
    while let Some((before, tail)) = rest.split_once('<') {
        plain.push_str(before);
        rest = tail;
        if !tail.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/') {
            plain.push('<');
            continue;
        }
        let Some((tag, after)) = tail.split_once('>') else {
            // None after it ends either.
            plain.push('<');
            break;
        };
        let quoted = tag.split_once("href=").map(|(_, value)| value.trim_start_matches(['"', '\'']));
        links.extend(quoted.and_then(|value| value.split(['"', '\'', ' ']).next()));
        rest = after;
    }
    plain.push_str(rest);
    (plain, links)
}

#[cfg(test)]
mod tests {
    use super::without_markup;

    #[test]
    fn markup_becomes_text_and_links() {
        let (plain, links) = without_markup("<a href=\"https://n.example/?a=1\">View <b>Netdata</b></a> 3 < 4");
        assert_eq!((plain.as_str(), links), ("View Netdata 3 < 4", vec!["https://n.example/?a=1"]));
        assert_eq!(without_markup("a <b").0, "a <b");
        assert_eq!(without_markup("1 < 2 > 1").0, "1 < 2 > 1");
    }
}
