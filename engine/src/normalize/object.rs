//! A JSON object (or a form) with common field names as an event.

use super::{
    Parsed, Source, bounds, bracket,
    documents::Identity,
    fields::{self, Spans},
    json::{Members, Node, Value},
    text, time, words,
};
use shared::{Action, AlertEvent, Flag, Format, Severity};

const ACTION: &[&str] = &["action", "event_action", "status", "state"];
const SEVERITY: &[&str] = &["priority", "level", "severity"];
const HOST: &[&str] = &["host", "hostname", "host_name", "instance", "node", "endpoint", "ident", "target_ident"];
/// Often the monitoring system itself, so it is asked last.
const SOURCE: &[&str] = &["source"];
const IP: &[&str] = &["ip", "host_ip", "ip_address", "address"];
const MAC: &[&str] = &["mac", "mac_address"];
const TEXT: &[&str] =
    &["summary", "title", "subject", "message", "msg", "text", "description", "content", "log", "alertname", "name"];
/// Fields that may hold a whole message of the bracketed family; a mail's subject is its identity.
const LINE: &[&str] =
    &["subject", "content", "text", "message", "msg", "log", "summary", "title", "description", "payload", "data"];
const SERVICE: &[&str] = &["service", "job", "component"];
const KEY: &[&str] = &["dedup_key", "key", "alias", "fingerprint", "id"];
/// Of them those that are often another one in every message.
const NUMBER: &[&str] = &["key", "id"];
/// The last one is that of Fluent Bit's records; elsewhere it is often a day and nothing more.
const TIME: &[&str] = &["timestamp", "time", "occurred_at", "event_time", "starts_at", DATE];
const DATE: &str = "date";
/// Smaller numbers are a day (`20261121`), not seconds since 1970.
const EPOCH: u64 = 1_000_000_000;
/// Until when a firing alert holds, as Prometheus says of those it sends again and again.
const ENDS: &str = "ends_at";
const LINK: &[&str] = &["url", "link", "generator_url", "runbook_url", "links"];

/// Names are compared without case, `_` and `-`: `dedupKey` is `dedup_key`.
fn same(name: &str, known: &str) -> bool {
    let letters = |b: &u8| *b != b'_' && *b != b'-';
    let lower = |b: u8| b.to_ascii_lowercase();
    let (mut of_name, mut of_known) =
        (name.bytes().filter(letters).map(lower), known.bytes().filter(letters).map(lower));
    // Most differ in their first letter, and every member is compared with many names.
    of_name.next() == of_known.next() && name.len() <= known.len() + 4 && of_name.eq(of_known)
}

/// The last member of that name, because of duplicate keys the last wins.
pub(super) fn member<'n, 'a>(members: &'n Members<'a>, known: &str) -> Option<&'n Node<'a>> {
    members.iter().rev().find(|(name, _)| same(name, known)).map(|(_, node)| node)
}

/// An object with its nested label maps.
pub(super) struct Fields<'n, 'a> {
    top: &'n Members<'a>,
    labels: Option<&'n Members<'a>>,
    annotations: Option<&'n Members<'a>>,
}

impl<'n, 'a> Fields<'n, 'a> {
    fn new(top: &'n Members<'a>) -> Self {
        let nested = |name| member(top, name).and_then(Node::members);
        Self { top, labels: nested("labels").or_else(|| nested("tags")), annotations: nested("annotations") }
    }

    /// Of an object whose labels are known by another name.
    pub(super) const fn of(top: &'n Members<'a>, labels: Option<&'n Members<'a>>) -> Self {
        Self { top, labels, annotations: None }
    }

    /// Every field of these names: by name, then by place.
    fn all(&self, names: &'static [&'static str]) -> impl Iterator<Item = &'n Node<'a>> {
        let places = [Some(self.top), self.labels, self.annotations];
        places.into_iter().flatten().flat_map(move |place| names.iter().filter_map(move |name| member(place, name)))
    }

    /// The first of them that holds something.
    fn first(&self, names: &'static [&'static str]) -> Option<(&'n Node<'a>, &'n str)> {
        self.all(names).find_map(|node| filled(node).map(|text| (node, text)))
    }
}

/// Whether an object says by names of its own how bad it is, how it stands, or what it is: then it is nobody's but the generic
/// form's, whatever else it looks like. `but` are names that mean something else there.
pub(super) fn says_itself(members: &Members<'_>, but: &[&str]) -> bool {
    let names = [ACTION, SEVERITY, &["dedup_key", "key", "alias", "fingerprint", "host", "hostname", "ip"]];
    let names = names.into_iter().flatten().filter(|name| !but.contains(name));
    names.into_iter().any(|name| member(members, name).is_some())
}

/// A scalar that says something.
pub(super) fn filled<'n>(node: &'n Node<'_>) -> Option<&'n str> {
    node.scalar().map(str::trim).filter(|text| !text.is_empty())
}

/// Where a scalar stands, without its quotes.
pub(super) fn place<'a>(node: &Node<'a>) -> &'a str {
    node.raw.strip_prefix('"').and_then(|raw| raw.strip_suffix('"')).unwrap_or(node.raw)
}

/// Makes an event of an object; `group` is the object around it, whose status is the fallback.
pub(super) fn event(
    source: &Source<'_>,
    members: &Members<'_>,
    group: Option<&Members<'_>>,
    format: Format,
    whole: &str,
) -> Parsed {
    let found = Fields::new(members);
    let mut spans = Spans::new(whole);
    match found.all(LINE).filter_map(filled).find_map(|text| line(source, text, whole)) {
        Some(line) => of_line(source, &found, line, spans),
        None => {
            let event = from_fields(source, &found, group, format, &mut spans);
            rest(source, &found, event, spans)
        }
    }
}

/// The same when a text that is known to matter is a whole message of the bracketed family.
pub(super) fn said_by_line(source: &Source<'_>, members: &Members<'_>, text: &str, whole: &str) -> Option<Parsed> {
    line(source, text, whole).map(|line| of_line(source, &Fields::new(members), line, Spans::new(whole)))
}

fn line(source: &Source<'_>, text: &str, whole: &str) -> Option<Parsed> {
    bracket::head(text)?;
    bracket::parse(source, bracket::split(text).1.first()?, Spans::new(whole))
}

fn of_line<'t>(source: &Source<'_>, found: &Fields<'_, '_>, line: Parsed, mut spans: Spans<'t>) -> Parsed {
    spans.list = line.spans;
    rest(source, found, from_line(line.event, found), spans)
}

fn rest(source: &Source<'_>, found: &Fields<'_, '_>, mut event: AlertEvent, mut spans: Spans<'_>) -> Parsed {
    set_machine(&mut event, found, &mut spans);
    set_rest(&mut event, found, source, &mut spans);
    fields::find_addresses(&mut event);
    set_key(&mut event, found, &mut spans);
    Parsed { event, spans: spans.list }
}

/// Whether an object writes P0 by a name that states a level, elsewhere than at a place.
pub(super) fn writes_p0(members: &Members<'_>, but: Option<&str>) -> bool {
    let is_p0 = |node: &Node<'_>| filled(node).and_then(words::level).is_some_and(|(it, _)| it == Severity::P0);
    let elsewhere = |node: &&Node<'_>| but.is_none_or(|but| !std::ptr::eq(place(node), but));
    Fields::new(members).all(SEVERITY).filter(elsewhere).any(is_p0)
}

/// The line says what it is; other texts beside it (a mail's body) become the content.
fn from_line(mut event: AlertEvent, found: &Fields<'_, '_>) -> AlertEvent {
    let other = found.all(LINE).filter_map(filled).find(|text| bracket::head(text).is_none());
    if let Some(text) = other {
        let is_told = event.content.is_empty() || event.format == Format::Combined;
        let both = if is_told { text.to_owned() } else { format!("{}\n{text}", event.content) };
        bounds::set_content(&mut event, &both);
    }
    if let Some(action) = found.all(ACTION).filter_map(filled).find_map(words::action) {
        settle(&mut event, action);
    }
    event
}

/// Of a line that says nothing (that is known) of its state, what stands around it does.
pub(super) fn settle(event: &mut AlertEvent, action: Action) {
    if event.flags.contains(&Flag::UnknownStatus) {
        event.action = action;
    }
}

fn from_fields(
    source: &Source<'_>,
    found: &Fields<'_, '_>,
    group: Option<&Members<'_>>,
    format: Format,
    spans: &mut Spans<'_>,
) -> AlertEvent {
    let mut event = AlertEvent::blank(format, source.integration.default_severity);
    set_text(&mut event, found, spans);
    let stated = severity(found, spans).or_else(|| {
        // `{"text":"[db] [P0] …"}`: a level anywhere in the text counts as stated, as it does in plain text.
        text::level_anywhere(&event.summary).or_else(|| text::level_anywhere(&event.content))
    });
    fields::set_severity(&mut event, stated, source);
    set_word(&mut event, found);
    set_action(&mut event, found, group, spans);
    event
}

/// `P<n>` wherever it stands, then a number or word of priority, level and severity.
fn severity(found: &Fields<'_, '_>, spans: &mut Spans<'_>) -> Option<(Severity, bool)> {
    let explicit = |text: &str| words::level(text);
    let loose = |text: &str| words::rank(text).or_else(|| words::severity(text).map(|level| (level, false)));
    let read = |parse: &dyn Fn(&str) -> Option<(Severity, bool)>| {
        found.all(SEVERITY).find_map(|node| filled(node).and_then(parse).map(|stated| (node, stated)))
    };
    let (node, stated) = read(&explicit).or_else(|| read(&loose))?;
    spans.add("severity", place(node));
    Some(stated)
}

/// Keeps the sender's own word where no `P<n>` says it all, also one nobody knows: rules may.
fn set_word(event: &mut AlertEvent, found: &Fields<'_, '_>) {
    let in_text = || text::level_anywhere(&event.summary).or_else(|| text::level_anywhere(&event.content));
    let said: Vec<&str> = found.all(SEVERITY).filter_map(filled).collect();
    if said.is_empty() || said.iter().any(|word| words::level(word).is_some()) {
        return;
    }
    let known = said.iter().find(|word| words::rank(word).is_some() || words::severity(word).is_some());
    if known.is_some() || in_text().is_none() {
        event.severity_word = known.or(said.first()).and_then(|word| bounds::name(event, word));
    }
}

fn set_action(event: &mut AlertEvent, found: &Fields<'_, '_>, group: Option<&Members<'_>>, spans: &mut Spans<'_>) {
    let own = found.all(ACTION).filter_map(|node| filled(node).map(|word| (node, word)));
    let group = group.and_then(|group| member(group, "status")).and_then(|node| filled(node).map(|word| (node, word)));
    let mut first = None;
    for (node, word) in own.chain(group) {
        first = first.or(Some((node, word, None)));
        if let Some(action) = words::action(word) {
            first = Some((node, word, Some(action)));
            break;
        }
    }
    if let Some((node, word, action)) = first {
        spans.add("status", place(node));
        event.status_raw = bounds::name(event, word);
        match action {
            Some(action) => event.action = action,
            None => bounds::flag(event, Flag::UnknownStatus),
        }
        return;
    }
    // "level": "ok" is a state, not a severity; Nightingale says it with a truth value.
    let recovered = member(found.top, "is_recovered").is_some_and(|node| matches!(node.value, Value::Bool(true)));
    let state = found.all(SEVERITY).filter_map(filled).find_map(words::action);
    if recovered || state == Some(Action::Resolve) {
        event.action = Action::Resolve;
    }
}

/// The first text is the summary; longer or further ones make the content.
fn set_text(event: &mut AlertEvent, found: &Fields<'_, '_>, spans: &mut Spans<'_>) {
    let mut texts: Vec<&str> = Vec::new();
    let mut bytes = 0;
    for (node, text) in found.all(TEXT).filter_map(|node| filled(node).map(|text| (node, text))) {
        if texts.is_empty() {
            spans.add("summary", place(node));
        }
        if bytes <= bounds::CONTENT_BYTES && !texts.contains(&text) {
            bytes += text.len();
            texts.push(text);
        }
    }
    if texts.is_empty() {
        bounds::flag(event, Flag::NoContent);
        event.summary = "(no text)".into();
        return;
    }
    event.summary = bounds::one_line(texts.first().copied().unwrap_or_default()).into();
    let rest = if texts.first().is_some_and(|first| *first == event.summary) { 1 } else { 0 };
    let content = texts.get(rest..).unwrap_or_default().join("\n");
    bounds::set_content(event, &content);
}

pub(super) fn set_machine(event: &mut AlertEvent, found: &Fields<'_, '_>, spans: &mut Spans<'_>) {
    let nested = |names: &'static [&'static str]| {
        let host = member(found.top, "host").and_then(Node::members)?;
        names.iter().filter_map(|name| member(host, name)).find_map(|node| filled(node).map(|text| (node, text)))
    };
    // Fluent Bit says of a container's line on which node it was written.
    let of_pod = || {
        let node = member(member(found.top, "kubernetes").and_then(Node::members)?, "host")?;
        filled(node).map(|text| (node, text))
    };
    if event.host.is_none()
        && let Some((node, host)) =
            found.first(HOST).or_else(|| nested(&["name", "hostname"])).or_else(of_pod).or_else(|| found.first(SOURCE))
    {
        spans.add("host", place(node));
        event.host = bounds::name(event, &fields::bare_host(host));
    }
    if event.ip.is_none() || found.first(IP).is_some() {
        let listed = found.all(IP).find_map(|node| match &node.value {
            Value::Array(items) => items.iter().find_map(|node| filled(node).map(|text| (node, text))),
            _ => None,
        });
        if let Some((node, ip)) = found.first(IP).or(listed).or_else(|| nested(IP)) {
            spans.add("ip", place(node));
            match fields::address(ip) {
                Some(address) => event.ip = Some(address.to_string().into()),
                None => {
                    bounds::label(event, "ip_field", ip);
                    bounds::flag(event, Flag::BadIp);
                }
            }
        }
    }
    if let Some((node, mac)) = found.first(MAC).and_then(|(node, text)| fields::mac(text).map(|mac| (node, mac))) {
        spans.add("mac", place(node));
        event.mac = Some(mac.into());
    }
}

fn set_rest(event: &mut AlertEvent, found: &Fields<'_, '_>, source: &Source<'_>, spans: &mut Spans<'_>) {
    if let Some((node, service)) = found.first(SERVICE) {
        spans.add("service", place(node));
        event.service = bounds::name(event, service);
    }
    if event.occurred_at.is_none()
        && let Some((name, node, at)) = TIME.iter().find_map(|name| {
            let node = member(found.top, name)?;
            let is_moment = |text: &str| text.len() > "2026-11-21".len() || text.parse().is_ok_and(|s: u64| s >= EPOCH);
            let text = filled(node).filter(|text| *name != DATE || is_moment(text))?;
            Some((name, node, time::any(text, &source.integration.time_zone)?))
        })
    {
        spans.add("time", place(node));
        time::judge(event, at, *name == "starts_at", source);
    }
    if let Some(at) = member(found.top, ENDS).and_then(|node| time::any(filled(node)?, &source.integration.time_zone)) {
        // Past or absent it says nothing; of what is over nobody asks.
        event.ends_at = Some(at).filter(|at| *at > source.received_at && event.action == Action::Trigger);
    }
    for node in found.all(LINK) {
        match &node.value {
            Value::Array(items) => items.iter().filter_map(Node::scalar).for_each(|url| bounds::link(event, url)),
            _ => node.scalar().into_iter().for_each(|url| bounds::link(event, url)),
        }
    }
    set_labels(event, found);
}

/// The label map as it is, annotations, then every other scalar at the top and one level below.
fn set_labels(event: &mut AlertEvent, found: &Fields<'_, '_>) {
    for map in [found.labels, found.annotations].into_iter().flatten() {
        // From the end: the last of duplicate keys wins, and the first label of a name stays.
        for (name, node) in map.iter().rev() {
            if let Some(value) = node.scalar() {
                bounds::label(event, name, value);
            }
        }
    }
    for (name, node) in found.top.iter().rev() {
        let known = [ACTION, SEVERITY, HOST, SOURCE, IP, MAC, TEXT, LINE, SERVICE, KEY, TIME, LINK]
            .into_iter()
            .flatten()
            .any(|known| same(name, known));
        match &node.value {
            Value::Object(inner) if !["labels", "annotations"].iter().any(|map| same(name, map)) => {
                for (inner_name, node) in inner.iter().rev() {
                    if let Some(value) = node.scalar().filter(|_| !same(name, "tags")) {
                        bounds::label(event, &format!("{}.{inner_name}", bounds::prefix(name, 256)), value);
                    }
                }
            }
            Value::Array(items) if same(name, "tags") || same(name, "labels") => {
                for (tag, value) in items.iter().filter_map(Node::scalar).filter_map(|tag| tag.split_once(['=', ':'])) {
                    bounds::label(event, tag, value);
                }
            }
            _ => {
                if let Some(value) = node.scalar().filter(|_| !known) {
                    bounds::label(event, name, value);
                }
            }
        }
    }
}

/// The identity that an object states: by which name, and what.
fn stated<'n, 'a>(members: &'n Members<'a>) -> Option<(&'static str, &'n Node<'a>, &'n str)> {
    let known = KEY.iter().filter_map(|name| Some((*name, member(members, name)?)));
    known.filter_map(|(name, node)| Some((name, node, filled(node)?))).next()
}

/// What an object holds that has this member, exactly so written, and nothing beside it; `holds` are the names that may stand in there.
pub(super) fn wrapped<'n, 'a>(members: &'n Members<'a>, name: &str, holds: &[&str]) -> Option<&'n Members<'a>> {
    let [(only, node)] = members.as_slice() else { return None };
    node.members().filter(|inner| only == name && inner.iter().all(|(name, _)| holds.contains(&name.as_ref())))
}

/// How the event that was made of an object came by its identity.
pub(super) fn identity(members: &Members<'_>, event: &AlertEvent) -> Identity {
    match stated(members) {
        Some((name, ..)) if NUMBER.contains(&name) => Identity::Named,
        Some(_) => Identity::Own,
        None => Identity::unstated(event),
    }
}

fn set_key(event: &mut AlertEvent, found: &Fields<'_, '_>, spans: &mut Spans<'_>) {
    if let Some((_, node, key)) = stated(found.top) {
        spans.add("dedup_key", place(node));
        event.flags.retain(|flag| *flag != Flag::KeyHashed);
        // A key of the sender's own names one alert; closing another one by its host would be wrong.
        event.resolve_by_host = false;
        bounds::set_key(event, key.to_owned());
        return;
    }
    if event.dedup_key.is_empty() {
        fold_key(event);
    }
}

/// What identifies an alert whose sender does not say.
pub(super) fn fold_key(event: &mut AlertEvent) {
    let kind = if event.format == Format::Json { "json:" } else { "text:" };
    let service = event.service.clone().unwrap_or_default();
    let key = fields::folded_key(event, kind, &service, &event.summary);
    bounds::set_key(event, key);
}
