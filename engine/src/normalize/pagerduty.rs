//! PagerDuty's events: version 2 and its changes, and the older `create_event.json`.
//!
//! The shapes are those of PagerDuty's developer documentation (Events API v2, Events API v1) and of what its clients send.
//! Faults are told in its words, because they stand in the logs of those who know them. Fails open: an event that
//! PagerDuty would refuse for what only describes it (source, severity) is taken.

use super::{
    Parsed, Source, bounds,
    fields::{self, Spans},
    json::{Members, Node, Value},
    object::{self, Fields, filled, member, place},
    text, time, words,
};
use sha2::{Digest as _, Sha256};
use shared::{Action, AlertEvent, Flag, Format, Severity};

/// A detail that is longer than this, or has several lines, is read and no label.
const LABEL_BYTES: usize = 256;
/// What says how bad it is among labels and details, the plainest first.
const LEVELS: &[&str] = &["priority", "level", "severity"];
/// Generated keys are as long as PagerDuty's.
const KEY_CHARS: usize = 32;

/// Whether an object says so much that it is one of these, whatever address it was sent to.
pub(super) fn is_event(members: &Members<'_>) -> bool {
    let has = |name| member(members, name).is_some();
    has("routing_key") && has("event_action") || has("service_key") && has("event_type")
}

/// An event in the words of version 2.
struct Said<'n, 'a> {
    action: Option<&'n Node<'a>>,
    key: Option<&'n Node<'a>>,
    summary: Option<&'n Node<'a>>,
    /// What version 2 says of the alert itself.
    payload: Option<&'n Members<'a>>,
    details: Option<&'n Node<'a>>,
    top: &'n Members<'a>,
    is_v1: bool,
}

impl<'n, 'a> Said<'n, 'a> {
    fn of(top: &'n Members<'a>) -> Self {
        let of = |name| member(top, name).filter(|node| filled(node).is_some());
        let is_v1 = member(top, "event_type").is_some();
        if is_v1 {
            let (action, key, summary) = (of("event_type"), of("incident_key"), of("description"));
            return Self { action, key, summary, payload: None, details: member(top, "details"), top, is_v1 };
        }
        let payload = member(top, "payload").and_then(Node::members);
        let inner = |name| payload.and_then(|payload| member(payload, name));
        let summary = inner("summary").filter(|node| filled(node).is_some());
        let details = inner("custom_details").or_else(|| member(top, "custom_details"));
        Self { action: of("event_action"), key: of("dedup_key"), summary, payload, details, top, is_v1 }
    }

    /// What is asked for, or the faults for which nothing can be.
    fn action(&self, is_change: bool) -> Result<Action, Vec<String>> {
        let [verb, key, summary] = if self.is_v1 {
            ["event_type", "incident_key", "description"]
        } else {
            ["event_action", "dedup_key", "payload.summary"]
        };
        let missing = |name: &str| format!("'{name}' is missing or blank");
        let action = match self.action.and_then(filled) {
            _ if is_change => Action::Change,
            Some("trigger") => Action::Trigger,
            Some("acknowledge") => Action::Acknowledge,
            Some("resolve") => Action::Resolve,
            Some(_) => {
                let fault = "is invalid (must be one of the following: 'trigger', 'acknowledge' or 'resolve')";
                return Err(vec![format!("'{verb}' {fault}")]);
            }
            None => return Err(vec![missing(verb)]),
        };
        match action {
            Action::Trigger | Action::Change if self.summary.is_none() => Err(vec![missing(summary)]),
            Action::Acknowledge | Action::Resolve if self.key.is_none() => Err(vec![missing(key)]),
            _ => Ok(action),
        }
    }
}

/// Makes an event of an object, the `found`th of its body; `is_change` when it came where changes are told.
///
/// # Errors
/// What is missing, in PagerDuty's words.
pub(super) fn event(
    source: &Source<'_>,
    members: &Members<'_>,
    is_change: bool,
    found: usize,
    whole: &str,
) -> Result<Parsed, Vec<String>> {
    let said = Said::of(members);
    let action = said.action(is_change)?;
    let mut spans = Spans::new(whole);
    let mut event = AlertEvent::blank(Format::PagerDuty, source.integration.default_severity);
    event.action = action;
    if let Some(node) = said.action {
        spans.add("status", place(node));
        event.status_raw = filled(node).and_then(|word| bounds::name(&mut event, word));
    }
    match said.summary.and_then(|node| Some((node, filled(node)?))) {
        Some((node, summary)) => {
            spans.add("summary", place(node));
            bounds::set_text(&mut event, summary);
        }
        None => {
            event.summary = "(no text)".into();
            bounds::flag(&mut event, Flag::NoContent);
        }
    }
    let firing = said.details.map(|node| add_details(&mut event, node)).unwrap_or_default();
    set_severity(&mut event, &said, &firing, source, &mut spans);
    set_machine(&mut event, &said, &firing, &mut spans);
    set_rest(&mut event, &said, source, &mut spans);
    fields::find_addresses(&mut event);
    match said.key.and_then(|node| Some((node, filled(node)?))) {
        Some((node, key)) => {
            spans.add("dedup_key", place(node));
            bounds::set_key(&mut event, key.to_owned());
        }
        None => {
            // It is given back to the sender. A client that got no answer sends the same again, and that is the same alert while
            // it is open.
            let mut key = bounds::hex(&Sha256::digest(format!("{found}\0{whole}")));
            key.truncate(KEY_CHARS);
            event.dedup_key = key.into();
        }
    }
    Ok(Parsed { event, spans: spans.list })
}

/// Labels by name.
type Common<'t> = Vec<(&'t str, &'t str)>;

/// What Alertmanager says of the several alerts of one message.
#[derive(Default)]
struct Firing<'t> {
    /// What all of them have.
    common: Common<'t>,
    /// How bad the worst of them is.
    worst: Option<(Severity, bool)>,
}

/// How bad labels say it is.
fn stated(pairs: &Common<'_>) -> Option<(Severity, bool)> {
    let named = |known: &str| pairs.iter().find(|(name, _)| *name == known).map(|(_, value)| *value);
    LEVELS.iter().filter_map(|known| named(known)).find_map(level)
}

fn level(word: &str) -> Option<(Severity, bool)> {
    words::level(word).or_else(|| words::severity(word).map(|level| (level, false)))
}

/// Short details become labels, long ones are read. Gives what Alertmanager says of the alerts that fire.
fn add_details<'n>(event: &mut AlertEvent, node: &'n Node<'_>) -> Firing<'n> {
    let mut long: Vec<String> = if event.content.is_empty() { Vec::new() } else { vec![event.content.to_string()] };
    let mut firing = Firing::default();
    let is_short = |text: &str| text.len() <= LABEL_BYTES && !text.contains('\n');
    match &node.value {
        Value::Object(members) => {
            for (name, node) in members.iter().rev() {
                match (node.scalar(), &node.value) {
                    (Some(text), _) if is_short(text) => bounds::label(event, name, text),
                    (Some(text), _) => {
                        long.push(format!("{name}:\n{text}"));
                        if name == "firing" {
                            firing = Firing::of(text);
                        }
                    }
                    (None, Value::Object(inner)) => {
                        for (under, node) in inner.iter().rev() {
                            if let Some(text) = node.scalar() {
                                bounds::label(event, &format!("{name}.{under}"), text);
                            }
                        }
                    }
                    (None, Value::Array(items)) => {
                        let items: Vec<&str> = items.iter().filter_map(Node::scalar).collect();
                        bounds::label(event, name, &items.join(", "));
                    }
                    (None, _) => {}
                }
            }
        }
        _ => long.extend(node.scalar().map(str::to_owned)),
    }
    if !long.is_empty() {
        bounds::set_content(event, &long.join("\n"));
    }
    for (name, value) in &firing.common {
        bounds::label(event, name, value);
    }
    firing
}

impl<'t> Firing<'t> {
    /// Alertmanager writes its alerts as text, ` - name = value` in a line below `Labels:`.
    fn of(text: &'t str) -> Self {
        let mut common: Option<Common<'_>> = None;
        let mut worst = None;
        for section in text.split("Labels:").skip(1) {
            let lines = section.lines().skip(1).map_while(|line| line.trim_start().strip_prefix("- "));
            let pairs: Common<'_> = lines.filter_map(|line| line.split_once(" = ")).collect();
            worst = [worst, stated(&pairs)].into_iter().flatten().min();
            common = Some(match common {
                None => pairs,
                Some(known) => known.into_iter().filter(|pair| pairs.contains(pair)).collect(),
            });
        }
        Self { common: common.unwrap_or_default(), worst }
    }
}

/// A level in the text, then what the alerts' own labels and the details say, then what the sender says of all it sends.
fn set_severity(
    event: &mut AlertEvent,
    said: &Said<'_, '_>,
    firing: &Firing<'_>,
    source: &Source<'_>,
    spans: &mut Spans<'_>,
) {
    let in_text = text::level_anywhere(&event.summary).or_else(|| text::level_anywhere(&event.content));
    let own = said.payload.and_then(|payload| member(payload, "severity"));
    if let Some(node) = own.filter(|_| in_text.is_none()) {
        spans.add("severity", place(node));
    }
    let details = said.details.and_then(Node::members);
    let detailed = LEVELS.iter().filter_map(|name| member(details?, name)).filter_map(filled);
    let words: Vec<&str> = detailed.chain(own.and_then(filled)).collect();
    let of_words = || words.iter().find_map(|word| level(word));
    // A class of the integration may say what a word means, where nothing but a word says how bad it is.
    let word = words.first().filter(|_| in_text.is_none() && firing.worst.is_none());
    if let Some(word) = word.filter(|word| words::level(word).is_none()) {
        event.severity_word = bounds::name(event, word);
    }
    fields::set_severity(event, in_text.or(firing.worst).or_else(of_words), source);
}

fn set_machine(event: &mut AlertEvent, said: &Said<'_, '_>, firing: &Firing<'_>, spans: &mut Spans<'_>) {
    let named = |names: &[&str]| firing.common.iter().find(|(name, _)| names.contains(name)).map(|(_, value)| *value);
    if let Some(host) = named(&["instance", "host", "hostname", "node"]) {
        event.host = bounds::name(event, &fields::bare_host(host));
    }
    let details = said.details.and_then(Node::members);
    let none = Members::new();
    // Some name themselves as the source, which is not where it burns.
    let of = |name| said.payload.and_then(|payload| member(payload, name)).and_then(filled);
    let client = member(said.top, "client").and_then(filled);
    let is_sender = of("source").is_some() && of("source") == client;
    let top = if is_sender { &none } else { said.payload.unwrap_or(&none) };
    object::set_machine(event, &Fields::of(top, details), spans);
    // Zabbix writes `name : address`.
    if let Some((name, ip)) = event.host.clone().as_deref().and_then(|host| host.split_once(" : "))
        && let Some(ip) = fields::address(ip)
    {
        event.host = bounds::name(event, name);
        event.ip = event.ip.take().or_else(|| Some(ip.to_string().into()));
    }
}

fn set_rest(event: &mut AlertEvent, said: &Said<'_, '_>, source: &Source<'_>, spans: &mut Spans<'_>) {
    let of = |name| said.payload.and_then(|payload| member(payload, name));
    if let Some((node, component)) = of("component").and_then(|node| Some((node, filled(node)?))) {
        spans.add("service", place(node));
        event.service = bounds::name(event, component);
    }
    for name in ["group", "class"] {
        if let Some(value) = of(name).and_then(filled) {
            bounds::label(event, name, value);
        }
    }
    if let Some(client) = member(said.top, "client").and_then(filled) {
        bounds::label(event, "client", client);
    }
    if let Some(node) = of("timestamp")
        && let Some(at) = filled(node).and_then(|text| time::any(text, &source.integration.time_zone))
    {
        spans.add("time", place(node));
        time::judge(event, at, false, source);
    }
    let listed = ["links", "images", "contexts"].into_iter().filter_map(|name| member(said.top, name));
    for item in
        listed.filter_map(|node| if let Value::Array(items) = &node.value { Some(items) } else { None }).flatten()
    {
        let of = |name| item.members().and_then(|item| member(item, name)).and_then(Node::scalar);
        of("href").or_else(|| of("src")).into_iter().for_each(|url| bounds::link(event, url));
    }
    member(said.top, "client_url").and_then(Node::scalar).into_iter().for_each(|url| bounds::link(event, url));
}
