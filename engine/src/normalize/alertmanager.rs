//! Alerts of Prometheus: as it tells them to an Alertmanager (API version 2), and as one tells them on (webhook, version 4),
//! which is Grafana's shape too.
//!
//! The shapes are those of Alertmanager's `openapi.yaml` and `notify/webhook`, and what is refused is what its version 0.25
//! refuses, in words of its kind: Prometheus writes them into its log. The label set is the identity.

use super::{
    Out, Parsed, Source, bounds, decode,
    fields::Spans,
    json::{Members, Node, Reader, Value},
    object::{self, filled, member, place},
    text, time, words,
};
use shared::{Action, AlertEvent, Delay, Flag, Format, SharedStr, Timestamp, timeline::RejectReason};
use std::collections::BTreeMap;

/// What an alert without an end lasts unless it is told again: Alertmanager's `resolve_timeout`.
const ASSUMED: Delay = Delay::mins(5);
/// The annotations that are texts for people, the shortest first.
const TEXTS: &[&str] = &["summary", "title", "message", "description"];
/// Where Grafana says more, the most useful first.
const PLACES: &[&str] = &["dashboard_url", "panel_url", "image_url", "silence_url"];

/// A body of the API that is refused as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Alertmanager's: 400 for what is no list of alerts, 601 for a value out of its form, 602 for one that is missing.
    pub code: u16,
    /// What is wrong, and where.
    pub message: String,
}

/// Why a body of the API is refused as a whole; none when each of its alerts stands for itself.
#[must_use]
pub fn refusal(body: &[u8]) -> Option<Refusal> {
    let decoded = decode::decode(body, None);
    let root = root(&decoded.text);
    root.and_then(|root| root.as_ref().map_or(Ok(Vec::new()), alerts).map(drop)).err()
}

/// Reads a body of the API; like the original it looks at the first value only.
pub(super) fn api(source: &Source<'_>, text: &str, out: &mut Out) {
    let bad = |refusal: Refusal| RejectReason::BadEvent { faults: vec![refusal.message] };
    let root = match root(text) {
        Ok(Some(root)) => root,
        Ok(None) => return,
        Err(refusal) => return out.reject(bad(refusal), text),
    };
    let items = match alerts(&root) {
        Ok(items) => items,
        Err(refusal) => return out.reject(bad(refusal), text),
    };
    for (found, (node, members)) in items.into_iter().enumerate() {
        if found >= bounds::MEMBERS {
            return out.overflow(found + 1, node.raw);
        }
        match posted(source, members, text) {
            Ok(parsed) => out.events.push(parsed),
            Err(fault) => out.reject(RejectReason::BadEvent { faults: vec![fault] }, node.raw),
        }
    }
}

/// The first value of a text; none when it is `null`, which is no alerts.
fn root(text: &str) -> Result<Option<Node<'_>>, Refusal> {
    let mut reader = Reader::new(text);
    if !reader.more() {
        return Err(Refusal { code: 602, message: "alerts in body is required".to_owned() });
    }
    match reader.value() {
        Ok(node) if matches!(node.value, Value::Null) => Ok(None),
        Ok(node) => Ok(Some(node)),
        Err(_) => Err(unreadable(&format!("it is no JSON at {}", reader.place()))),
    }
}

fn unreadable(why: &str) -> Refusal {
    Refusal { code: 400, message: format!("parsing alerts body failed, because {why}") }
}

/// The alerts of a list, once the types of all their members are right: one wrong type refuses the whole list.
fn alerts<'n, 'a>(root: &'n Node<'a>) -> Result<Vec<(&'n Node<'a>, &'n Members<'a>)>, Refusal> {
    let Value::Array(items) = &root.value else {
        return Err(unreadable(&format!("it is {} where a list of alerts is wanted", root.kind())));
    };
    let object = |(at, node): (usize, &'n Node<'a>)| {
        let members =
            node.members().ok_or_else(|| unreadable(&format!("{at} is {} where an alert is wanted", node.kind())))?;
        typed(at, members)?;
        Ok((node, members))
    };
    let all: Vec<_> = items.iter().enumerate().map(object).collect::<Result<_, Refusal>>()?;
    for (at, (_, members)) in all.iter().enumerate() {
        if member(members, "labels").is_none_or(|node| matches!(node.value, Value::Null)) {
            return Err(Refusal { code: 602, message: format!("{at}.labels in body is required") });
        }
        if let Some(url) = member(members, "generatorURL").and_then(filled).filter(|url| !is_uri(url)) {
            let message = format!("{at}.generatorURL in body must be of type uri: \"{url}\"");
            return Err(Refusal { code: 601, message });
        }
    }
    Ok(all)
}

fn typed(at: usize, members: &Members<'_>) -> Result<(), Refusal> {
    let wrong = |name: &str, node: &Node<'_>, wanted: &str| {
        Err(unreadable(&format!("{at}.{name} is {} where {wanted} is wanted", node.kind())))
    };
    for name in ["labels", "annotations"] {
        match member(members, name).map(|node| (node, &node.value)) {
            None | Some((_, Value::Null)) => {}
            Some((_, Value::Object(pairs))) => {
                let is_text = |node: &Node<'_>| matches!(node.value, Value::Text(_) | Value::Null);
                if let Some((of, node)) = pairs.iter().find(|(_, node)| !is_text(node)) {
                    return wrong(&format!("{name}.{of}"), node, "a text");
                }
            }
            Some((node, _)) => return wrong(name, node, "an object"),
        }
    }
    for name in ["startsAt", "endsAt", "generatorURL"] {
        match member(members, name).map(|node| (node, &node.value)) {
            None | Some((_, Value::Null)) => {}
            Some((_, Value::Text(text))) => {
                if name != "generatorURL" && !text.is_empty() && instant(text).is_none() {
                    return Err(unreadable(&format!("{at}.{name} is no time: \"{text}\"")));
                }
            }
            Some((node, _)) => return wrong(name, node, "a text"),
        }
    }
    Ok(())
}

/// As Go's `ParseRequestURI` has it: absolute, or a path from the root.
fn is_uri(text: &str) -> bool {
    let scheme = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
    };
    text.starts_with('/') || text.split_once(':').is_some_and(|(before, _)| scheme(before))
}

/// A date with a time; without a zone it is UTC.
fn instant(text: &str) -> Option<Timestamp> {
    let is_date = text.len() > 10 && text.as_bytes().get(4) == Some(&b'-');
    time::any(text, "UTC").filter(|_| is_date)
}

/// A stated time; absent as `null`, empty, or year 1.
fn stated(members: &Members<'_>, name: &str) -> Option<Timestamp> {
    let year_1_ends = Timestamp::from_ms(-62_104_060_800_000);
    member(members, name).and_then(filled).and_then(instant).filter(|at| *at >= year_1_ends)
}

/// One alert of the API.
fn posted(source: &Source<'_>, members: &Members<'_>, whole: &str) -> Result<Parsed, String> {
    let now = source.received_at;
    let (starts, ends) = (stated(members, "startsAt"), stated(members, "endsAt"));
    // The original takes the end for the start here, also one to come; nobody is told of what begins tomorrow.
    let starts_at = starts.or(ends.filter(|at| *at < now)).unwrap_or(now);
    let ends_at = ends.unwrap_or_else(|| now.after(ASSUMED));
    if ends_at < starts_at {
        return Err("start time must be before end time".to_owned());
    }
    for name in ["labels", "annotations"] {
        let pairs = member(members, name).and_then(Node::members);
        if pairs.is_some_and(|pairs| pairs.iter().any(|(name, _)| name.is_empty())) {
            let what = if name == "labels" { "invalid label set" } else { "invalid annotations" };
            return Err(format!("{what}: a name is empty"));
        }
    }
    if labels(members).is_empty() {
        return Err("at least one label pair required".to_owned());
    }
    let mut parsed = told(source, members, None, whole);
    let event = &mut parsed.event;
    event.action = if ends_at > now { Action::Trigger } else { Action::Resolve };
    event.occurred_at = None;
    time::judge(event, starts_at, true, source);
    event.ends_at = (event.action == Action::Trigger).then_some(ends_at);
    if ends.is_none() {
        bounds::flag(event, Flag::AssumedEnd);
    }
    Ok(parsed)
}

/// The labels that say something; of duplicates the last.
fn labels<'n>(members: &'n Members<'_>) -> BTreeMap<&'n str, &'n str> {
    let pairs = member(members, "labels").and_then(Node::members).into_iter().flatten();
    pairs
        .filter_map(|(name, node)| Some((name.as_ref(), node.scalar()?)))
        .collect::<BTreeMap<_, _>>()
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .collect()
}

/// Whether an object is a group of such alerts, as an Alertmanager or Grafana posts it.
pub(super) fn is_group(members: &Members<'_>) -> bool {
    ["groupKey", "groupLabels", "commonLabels"].iter().any(|name| member(members, name).is_some())
}

/// One alert of either; `group` is what it came in.
pub(super) fn told(source: &Source<'_>, members: &Members<'_>, group: Option<&Members<'_>>, whole: &str) -> Parsed {
    let mut parsed = object::event(source, members, group, Format::Alertmanager, whole);
    let event = &mut parsed.event;
    let labels = labels(members);
    let annotations = member(members, "annotations").and_then(Node::members);
    // Where a text of it is a message of the bracketed family, that says what it says.
    if event.format == Format::Alertmanager {
        set_text(event, &labels, annotations);
        let mut written = TEXTS.iter().filter_map(|name| member(annotations?, name));
        if let Some(node) = written.find(|node| filled(node).is_some()) {
            let mut spans = Spans::new(whole);
            spans.add("summary", place(node));
            parsed.spans.retain(|span| span.field != "summary");
            parsed.spans.append(&mut spans.list);
        }
    }
    // A level in the words for people says more than a label.
    if let Some((level, _)) = text::level_anywhere(&event.summary).or_else(|| text::level_anywhere(&event.content)) {
        (event.severity, event.severity_word) = (level, None);
        event.flags.retain(|flag| *flag != Flag::DefaultSeverity);
    }
    event.format = Format::Alertmanager;
    event.resolve_by_host = false;
    event.metric = None;
    // While it fires, its end is not known; the API overrules this.
    event.ends_at = None;
    if let Some(action) = member(members, "status").and_then(filled).and_then(words::action) {
        event.action = action;
        event.flags.retain(|flag| *flag != Flag::UnknownStatus);
    }
    event.labels = shared::Pairs::default();
    for (name, value) in &labels {
        bounds::label(event, name, value);
    }
    for (name, node) in annotations.into_iter().flatten().rev() {
        node.scalar().into_iter().for_each(|value| bounds::annotation(event, name, value));
    }
    // Grafana's, of the measurement that fired.
    if let Some(values) = member(members, "valueString").and_then(filled) {
        bounds::annotation(event, "valueString", values);
    }
    for name in PLACES {
        member(members, name).and_then(filled).into_iter().for_each(|url| bounds::link(event, url));
    }
    event.flags.retain(|flag| *flag != Flag::KeyHashed);
    event.dedup_key = fingerprint(&labels).into();
    parsed
}

/// What was written for people, then the rule's name; an alert without either is known by its labels.
fn set_text(event: &mut AlertEvent, labels: &BTreeMap<&str, &str>, annotations: Option<&Members<'_>>) {
    let written = TEXTS.iter().filter_map(|name| member(annotations?, name)).filter_map(filled);
    let mut texts: Vec<&str> = written.collect();
    texts.dedup();
    if texts.is_empty() && !labels.contains_key("alertname") {
        let pairs: Vec<String> = labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
        bounds::set_text(event, &pairs.join(", "));
    } else if !texts.is_empty() {
        event.content = SharedStr::default();
        let whole = texts.join("\n");
        event.summary = bounds::one_line(&whole).into();
        let rest = if texts.first().is_some_and(|first| *first == event.summary) { 1 } else { 0 };
        bounds::set_content(event, &texts.get(rest..).unwrap_or_default().join("\n"));
    }
}

/// As Prometheus computes it (`model.LabelSet.Fingerprint`): FNV-1a of 64 bits over the sorted names and values, each
/// followed by a byte that stands in neither.
fn fingerprint(labels: &BTreeMap<&str, &str>) -> String {
    const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
    const SEPARATOR: u8 = 0xff;
    let texts = labels.iter().flat_map(|(name, value)| [*name, *value]);
    let bytes = texts.flat_map(|text| text.bytes().chain([SEPARATOR]));
    let sum = bytes.fold(OFFSET, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(PRIME));
    format!("{sum:016x}")
}
