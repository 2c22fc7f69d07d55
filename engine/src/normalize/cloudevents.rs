//! CloudEvents 1.0 as JSON: what an event carries is read as if it had been posted itself, and the envelope says the rest.
//!
//! One of the binary mode has its attributes in headers; the server writes them around the data before it is stored, so there is
//! one form to read. Required are `id`, `source`, `specversion` and `type` (CloudEvents, "Required attributes").

use super::{
    Parsed, Source, bounds, bracket, decode,
    documents::{Batch, Carried, Identity, Said},
    fields::{self, Spans},
    json::{Members, Node, Value},
    object::{filled, place},
    text, time, words,
};
use base64::{DecodeError, Engine as _, prelude::BASE64_STANDARD_NO_PAD};
use shared::{Action, AlertEvent, Flag, Format};

const REQUIRED: &[&str] = &["id", "source", "specversion", "type"];
/// What is no label: the data, and what only says how it is written or which message it is.
const UNLABELLED: &[&str] = &["id", "specversion", "time", "datacontenttype", "dataschema", "data", "data_base64"];
/// Extensions that say which machine, how bad it is, and how it stands.
const HOST: &[&str] = &["host", "hostname", "instance", "node"];
const IP: &[&str] = &["ip", "hostip", "ipaddress"];
const SEVERITY: &[&str] = &["priority", "level", "severity", "severitytext"];
const ACTION: &[&str] = &["status", "state", "action"];
/// How a type ends that says that something is over; forms of a verb that could as well be what failed are none of them.
const OVER: &[&str] = &["resolved", "recovered", "ok", "healthy"];
/// And one that does so of a trouble: a connection that is closed is one, an alert that is closed is none any more.
const ENDED: &[&str] = &["closed", "cleared"];
const TROUBLE: &[&str] = &["alert", "alarm", "incident", "problem", "issue", "fault", "error", "warning", "full"];
/// And one that says that it has begun. An alert and an alarm are things that begin and end.
const BEGUN: &[&str] = &[
    "raised",
    "triggered",
    "fired",
    "firing",
    "detected",
    "opened",
    "open",
    "created",
    "started",
    "down",
    "failed",
    "failing",
    "degraded",
    "exceeded",
    "abnormal",
    "unhealthy",
    "unreachable",
    "offline",
];
/// `up` and `online` are states of these; of anything else one is a direction, and the other perhaps the trouble.
const UP: &[&str] = &["host", "node", "server", "instance", "machine", "service", "site", "link", "interface", "port"];
/// What turns the word behind it around.
const NOT: &[&str] = &["longer", "un", "non", "be", "partially", "half"];
/// And what does so further before it.
const NEVER: &[&str] = &["not", "no", "never", "cannot"];

/// Reads an object that says which version of CloudEvents it is, or was sent as one.
pub(super) fn read(batch: &mut Batch<'_>, members: &Members<'_>) -> Option<Carried> {
    let of_type = |it: &str| it.trim_start().to_ascii_lowercase().starts_with("application/cloudevents");
    let is_sent_as = || batch.is_posted() && batch.source.content_type.is_some_and(of_type);
    // That of Alibaba Cloud's monitor looks like one without being one; it has a reader of its own.
    let is_event = node(members, "specversion").is_some() || is_sent_as();
    (is_event && !super::clouds::is_cms(members)).then(|| events(batch, members))
}

/// Names are lower case, so there is one spelling.
fn node<'n, 'a>(members: &'n Members<'a>, name: &str) -> Option<&'n Node<'a>> {
    members.iter().rev().find(|(known, _)| known == name).map(|(_, node)| node)
}

fn of<'n>(members: &'n Members<'_>, name: &str) -> Option<&'n str> {
    node(members, name).and_then(filled)
}

fn first<'n>(members: &'n Members<'_>, names: &[&str]) -> Option<&'n str> {
    names.iter().find_map(|name| of(members, name))
}

fn events(batch: &mut Batch<'_>, members: &Members<'_>) -> Carried {
    let mut faults: Vec<String> = Vec::new();
    let missing = REQUIRED.iter().filter(|name| of(members, name).is_none());
    faults.extend(missing.map(|name| format!("'{name}' is missing or blank; a CloudEvent has it")));
    if let Some(version) = of(members, "specversion").filter(|it| !it.starts_with("1.") && *it != "0.3") {
        faults.push(format!("'specversion' is '{}'; 1.0 is read", bounds::prefix(version, 32)));
    }
    if !faults.is_empty() {
        // A P0 is seen in what is refused, also in base64.
        if let Some(Ok(bytes)) = base64(members) {
            let decoded = decode::decode(&bytes, batch.source.integration.charset.as_deref());
            batch.suspect(&decoded.text);
        }
        return Err(faults);
    }
    let (source, id) = (of(members, "source").unwrap_or_default(), of(members, "id").unwrap_or_default());
    batch.name(format!("{source} {id}"));
    let mut said = data(batch, members);
    if said.is_empty() {
        said.push(bare(batch.source));
    }
    let is_one = said.len() == 1 && said.iter().all(|it| !it.is_listed);
    for it in &mut said {
        complete(it, members, is_one, batch.source, batch.whole);
    }
    Ok(said)
}

/// What the data says, if it says anything.
fn data(batch: &mut Batch<'_>, members: &Members<'_>) -> Vec<Said> {
    match node(members, "data").map(|node| (node, &node.value)) {
        None | Some((_, Value::Null)) => encoded(batch, members),
        Some((_, Value::Text(text))) => batch.carried(text),
        Some((node, _)) => batch.carried(node.raw),
    }
}

/// The same of data that is no UTF-8, as far as it is text: that is for its bytes to say, since programs call a body what they like
/// (curl calls all of them forms).
fn encoded(batch: &mut Batch<'_>, members: &Members<'_>) -> Vec<Said> {
    let bytes = match base64(members) {
        None => return Vec::new(),
        Some(Ok(bytes)) => bytes,
        Some(Err(fault)) => {
            batch.refuse(format!("'data_base64' is no base64: {fault}"));
            return Vec::new();
        }
    };
    let decoded = decode::decode(&bytes, batch.source.integration.charset.as_deref());
    let is_binary = bytes.contains(&0) && decoded.flags.contains(&Flag::ControlCharacters);
    let is_line = || bracket::head(decoded.text.trim_start()).is_some() || text::looks_like_p0(&bytes);
    if is_binary && !is_line() {
        return Vec::new();
    }
    let mut said = batch.carried(&decoded.text);
    for it in &mut said {
        decoded.flags.iter().for_each(|flag| bounds::flag(&mut it.parsed.event, *flag));
    }
    said
}

/// In either alphabet, also in lines.
fn base64(members: &Members<'_>) -> Option<Result<Vec<u8>, DecodeError>> {
    let text = of(members, "data_base64")?;
    let plain = text.chars().filter(|c| !c.is_whitespace() && *c != '=').map(|c| match c {
        '-' => '+',
        '_' => '/',
        _ => c,
    });
    Some(BASE64_STANDARD_NO_PAD.decode(plain.collect::<String>()))
}

/// An event of which only the envelope says something.
fn bare(source: &Source<'_>) -> Said {
    let mut event = AlertEvent::blank(Format::Text, source.integration.default_severity);
    fields::set_severity(&mut event, None, source);
    bounds::flag(&mut event, Flag::NoContent);
    Said { parsed: Parsed { event, spans: Vec::new() }, identity: Identity::Made, is_listed: false }
}

/// Adds what the envelope says to what the data says. Data of a sender that has a form of its own says itself what it is about.
fn complete(said: &mut Said, members: &Members<'_>, is_one: bool, source: &Source<'_>, whole: &str) {
    let mut spans = Spans::new(whole);
    let event = &mut said.parsed.event;
    if let Some(node) = node(members, "time").filter(|_| event.occurred_at.is_none())
        && let Some(at) = filled(node).and_then(|text| time::any(text, &source.integration.time_zone))
    {
        time::judge(event, at, false, source);
        spans.add("time", place(node));
    }
    let words = words_of(event);
    let is_made = said.identity == Identity::Made || matches!(event.format, Format::Json | Format::Text);
    if is_made {
        event.format = Format::CloudEvents;
        set_text(event, members, &mut spans);
    }
    set_machine(event, members);
    set_severity(event, members);
    if is_made {
        set_action(event, members);
    }
    said.identity = set_key(event, members, said.identity, is_one, &words);
    for (name, node) in members.iter().rev().filter(|(name, _)| !UNLABELLED.contains(&name.as_ref())) {
        node.scalar().into_iter().for_each(|value| bounds::label(event, name, value));
    }
    said.parsed.spans.append(&mut spans.list);
}

/// The words of the data itself.
fn words_of(event: &AlertEvent) -> String {
    let is_all = event.format == Format::Text && !event.content.is_empty();
    match event.flags.contains(&Flag::NoContent) {
        true => String::new(),
        false if is_all => event.content.to_string(),
        false => event.summary.to_string(),
    }
}

fn set_text(event: &mut AlertEvent, members: &Members<'_>, spans: &mut Spans<'_>) {
    if !event.flags.contains(&Flag::NoContent) {
        return;
    }
    let kind = of(members, "type").unwrap_or_default();
    let text = of(members, "subject").map_or_else(|| kind.to_owned(), |subject| format!("{kind}: {subject}"));
    event.summary = bounds::one_line(&text).into();
    event.flags.retain(|flag| *flag != Flag::NoContent);
    node(members, "type").into_iter().for_each(|node| spans.add("summary", place(node)));
}

/// What the event is about is often a machine; a path or a sentence is none.
fn set_machine(event: &mut AlertEvent, members: &Members<'_>) {
    let subject = of(members, "subject").filter(|it| !it.contains(|c: char| c.is_whitespace() || c == '/'));
    if event.host.is_none()
        && let Some(host) = first(members, HOST).or(subject)
    {
        event.host = bounds::name(event, &fields::bare_host(host));
    }
    if event.ip.is_none() {
        event.ip = first(members, IP).and_then(fields::address).map(|ip| ip.to_string().into());
    }
    if event.mac.is_none() {
        event.mac = of(members, "mac").and_then(fields::mac).map(Into::into);
    }
    if event.service.is_none() {
        event.service = of(members, "service").and_then(|service| bounds::name(event, service));
    }
    fields::find_addresses(event);
}

fn set_severity(event: &mut AlertEvent, members: &Members<'_>) {
    if !event.flags.contains(&Flag::DefaultSeverity) {
        return;
    }
    let said = || SEVERITY.iter().filter_map(|name| of(members, name));
    let level = said().find_map(words::level).or_else(|| text::level_anywhere(of(members, "subject")?));
    let loose = |word: &str| words::rank(word).or_else(|| words::severity(word).map(|level| (level, false)));
    let Some((severity, is_clamped)) = level.or_else(|| said().find_map(loose)) else { return };
    event.severity = severity;
    event.flags.retain(|flag| *flag != Flag::DefaultSeverity);
    if is_clamped {
        bounds::flag(event, Flag::LevelOutOfRange);
    }
    if level.is_none() {
        event.severity_word = said().find(|word| loose(word).is_some()).and_then(|word| bounds::name(event, word));
    }
}

/// What the data says of the state counts, then an extension, then how the type ends.
fn set_action(event: &mut AlertEvent, members: &Members<'_>) {
    let is_unknown = event.flags.contains(&Flag::UnknownStatus);
    if event.action == Action::Resolve || (event.status_raw.is_some() && !is_unknown) {
        return;
    }
    let kind = of(members, "type").unwrap_or_default();
    let extension =
        ACTION.iter().filter_map(|name| of(members, name)).find_map(|word| Some((word, words::action(word)?)));
    let Some((word, action)) = extension.or_else(|| Some((kind, state_of(kind).1?))) else { return };
    event.action = action;
    event.status_raw = bounds::name(event, word);
    event.flags.retain(|flag| *flag != Flag::UnknownStatus);
}

/// Who the alert is: the extension `dedupkey`; else what the data goes by, where it has a form of its own or states it; else the
/// source, the type without its state and the subject. Without a subject a number in the data; else the machine and the words.
///
/// The first and the subject are for data that is one message; what stands in a list is not named by what is around it.
fn set_key(event: &mut AlertEvent, members: &Members<'_>, identity: Identity, is_one: bool, words: &str) -> Identity {
    let attribute = |name| of(members, name).unwrap_or_default();
    let (source, (stem, action)) = (attribute("source"), state_of(attribute("type")));
    let named = of(members, "dedupkey").map(ToOwned::to_owned);
    let subject = || of(members, "subject").map(|subject| format!("ce:{source}|{stem}|{subject}"));
    let given = named.or_else(|| subject().filter(|_| identity != Identity::Own)).filter(|_| is_one);
    if given.is_none() && !matches!(identity, Identity::Made | Identity::Worded) {
        return identity;
    }
    let is_given = given.is_some();
    event.flags.retain(|flag| *flag != Flag::KeyHashed);
    // Words that tell of the end are seldom those of the beginning.
    let is_over = event.action == Action::Resolve && action == Some(Action::Resolve);
    event.resolve_by_host = given.is_none() && is_over;
    let key = given.unwrap_or_else(|| {
        let service = event.service.clone().unwrap_or_default();
        let kin = format!("event:{source}|{stem}|");
        fields::kept_kin(match identity {
            // Its form has a way of its own with words.
            Identity::Worded => {
                format!("{kin}{}|{}", event.host.as_deref().unwrap_or_default(), event.dedup_key.replace('|', " "))
            }
            _ => fields::folded_key(event, &kin, &service, &words.replace('|', " ")),
        })
    });
    bounds::set_key(event, key);
    if is_given { Identity::Own } else { identity }
}

/// A type without the word at its end that tells a state, and what that says: `com.example.disk.full.resolved`, `AlertClosed`. The word
/// stands alone, or behind one other. Whatever is in doubt tells nothing: then it is a problem.
fn state_of(kind: &str) -> (&str, Option<Action>) {
    let (rest, word) = last_word(kind);
    let (further, before) = last_word(rest);
    let is_end = |text: &str| text.is_empty() || text.ends_with(['.', '/', ':']);
    let is = |known: &[&str], word: &str| known.iter().any(|it| it.eq_ignore_ascii_case(word));
    let is_trouble = || is(TROUBLE, before) || is(BEGUN, before);
    let action =
        if is(OVER, word) || (is(&["up", "online"], word) && is(UP, before)) || (is(ENDED, word) && is_trouble()) {
            Action::Resolve
        } else if is(BEGUN, word) {
            Action::Trigger
        } else {
            return (kind, None);
        };
    let (third, second) = last_word(further);
    let is_never = [before, second, last_word(third).1].into_iter().any(|word| is(NEVER, word));
    if is_never || is(NOT, before) || !(is_end(rest) || is_end(further)) {
        return (kind, None);
    }
    (rest.trim_end_matches(|c: char| !c.is_alphanumeric()), Some(action))
}

/// The last word of a name, also of one `WrittenLikeThis`, and what stands before it.
fn last_word(name: &str) -> (&str, &str) {
    let name = name.trim_end_matches(|c: char| !c.is_alphanumeric());
    let mut start = name.len();
    let mut later_is_upper = false;
    for (at, c) in name.char_indices().rev() {
        if !c.is_alphanumeric() || (later_is_upper && c.is_lowercase()) {
            break;
        }
        later_is_upper = c.is_uppercase();
        start = at;
    }
    name.split_at_checked(start).unwrap_or((name, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_type_tells_a_state() {
        let (over, begun) = (Some(Action::Resolve), Some(Action::Trigger));
        for (kind, stem, action) in [
            ("com.example.disk.full.resolved", "com.example.disk.full", over),
            ("com.example.alert.triggered", "com.example.alert", begun),
            ("com.example.alert.resolved", "com.example.alert", over),
            ("com.example.alarm.raised", "com.example.alarm", begun),
            ("com.example.alarm.cleared", "com.example.alarm", over),
            ("com.example.host.unhealthy", "com.example.host", begun),
            ("com.example.host.healthy", "com.example.host", over),
            ("com.example.fan.detected", "com.example.fan", begun),
            ("com.example.alert", "com.example.alert", None),
            ("AlertClosed", "Alert", over),
            ("HostUp", "Host", over),
            ("HostDown", "Host", begun),
            ("com.example.host.up", "com.example.host", over),
            ("com.example.disk_ok", "com.example.disk", over),
            ("com.example.not_ok", "com.example.not_ok", None),
            ("com.example.not.ok", "com.example.not.ok", None),
            ("com.example.no.longer.healthy", "com.example.no.longer.healthy", None),
            ("com.example.no_longer_healthy", "com.example.no_longer_healthy", None),
            ("com.example.dns.failed_to_resolve", "com.example.dns.failed_to_resolve", None),
            ("com.example.db.FailedToRecover", "com.example.db.FailedToRecover", None),
            ("com.example.disaster.recovery", "com.example.disaster.recovery", None),
            ("com.example.traffic.scale.up", "com.example.traffic.scale.up", None),
            ("ScaleUp", "ScaleUp", None),
            ("com.example.db.connection.closed", "com.example.db.connection.closed", None),
            ("com.example.audit.log.cleared", "com.example.audit.log.cleared", None),
            ("com.example.generator.online", "com.example.generator.online", None),
            ("com.example.node.online", "com.example.node", over),
            ("com.example.disk.full.cleared", "com.example.disk.full", over),
            ("com.example.alert.not.yet.resolved", "com.example.alert.not.yet.resolved", None),
            ("be.example.alert.resolved", "be.example.alert", over),
            ("com.example.order.disclosed", "com.example.order.disclosed", None),
            ("", "", None),
        ] {
            assert_eq!(state_of(kind), (stem, action), "{kind}");
        }
    }
}
