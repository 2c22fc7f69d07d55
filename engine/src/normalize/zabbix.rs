//! What our media type for Zabbix posts (docs/integrations/media_tocsin.yaml): the macros of an event, under `zabbix`.
//!
//! An event keeps its id from the problem to the recovery, so that is the identity. A macro that Zabbix could not resolve
//! arrives as it was written and says nothing. Meanings of the numbers are those of Zabbix's documentation (Macros, by
//! location; `{EVENT.SOURCE}`, `{EVENT.VALUE}`, `{EVENT.NSEVERITY}`).

use super::{
    Parsed, Source, Told, bounds,
    fields::{self, Spans},
    json::{Members, Node, Reader, Value},
    object::{filled, member, place},
    text, time,
};
use shared::{Action, AlertEvent, Flag, Format, Severity};

/// Reads an object that holds the macros and nothing else.
pub(super) fn read(source: &Source<'_>, members: &Members<'_>, whole: &str) -> Option<Told> {
    member(members, "zabbix").and_then(Node::members).map(|macros| events(source, macros, whole))
}

/// What a macro says; nothing when Zabbix did not know it.
fn of<'n>(macros: &'n Members<'_>, name: &str) -> Option<&'n str> {
    let is_known = |text: &&str| !(text.starts_with('{') && text.ends_with('}')) && *text != "*UNKNOWN*";
    member(macros, name).and_then(filled).filter(is_known)
}

/// One event, and an answer after it where somebody answered.
fn events(source: &Source<'_>, macros: &Members<'_>, whole: &str) -> Told {
    let told = event(source, macros, whole)?;
    let mut answer = told.clone();
    answer.event.action = Action::Acknowledge;
    let is_answer = told.event.action == Action::Trigger && is_answered(macros);
    Ok([told].into_iter().chain(is_answer.then_some(answer)).collect())
}

/// Whether this very update is an answer: that somebody answered before is said with each comment as well.
fn is_answered(macros: &Members<'_>) -> bool {
    let of = |name| of(macros, name);
    of("event_update_status") == Some("1")
        && match of("update_action") {
            Some(done) => done.split(',').any(|it| it.trim().eq_ignore_ascii_case("acknowledged")),
            None => of("event_ack_status").is_some_and(|it| it.eq_ignore_ascii_case("yes")),
        }
}

fn event(source: &Source<'_>, macros: &Members<'_>, whole: &str) -> Result<Parsed, Vec<String>> {
    let of = |name| of(macros, name);
    let Some(id) = of("event_id") else {
        return Err(vec!["'event_id' is missing; the media type sends {EVENT.ID} there".to_owned()]);
    };
    let mut spans = Spans::new(whole);
    let mut note = |field: &str, name: &str| {
        member(macros, name).into_iter().for_each(|node| spans.add(field, place(node)));
    };
    let mut event = AlertEvent::blank(Format::Zabbix, source.integration.default_severity);
    event.action = action(macros);
    event.status_raw = of("event_value").map(Into::into);
    note("status", "event_value");
    let name = of("event_name").or_else(|| of("alert_subject")).unwrap_or("(no name)");
    note("summary", "event_name");
    event.summary = bounds::one_line(name).into();
    let said: Vec<&str> =
        ["event_opdata", "trigger_description", "update_message"].into_iter().filter_map(of).collect();
    bounds::set_content(&mut event, &said.join("\n"));
    set_severity(&mut event, macros, source);
    note("severity", "event_nseverity");
    if let Some(host) = of("host_name").or_else(|| of("host_host")) {
        event.host = bounds::name(&mut event, host);
        note("host", "host_name");
    }
    if let Some(ip) = of("host_ip").and_then(fields::address) {
        event.ip = Some(ip.to_string().into());
        note("ip", "host_ip");
    }
    fields::find_addresses(&mut event);
    for name in ["host_host", "host_group", "trigger_id", "update_user"] {
        of(name).into_iter().for_each(|value| bounds::label(&mut event, name, value));
    }
    of("event_tags").into_iter().for_each(|tags| add_tags(&mut event, tags));
    event.service =
        event.labels.get("service").or_else(|| event.labels.get("application")).map(|it| it.as_str().into());
    for name in ["event_url", "trigger_url"] {
        of(name).into_iter().for_each(|url| bounds::link(&mut event, url));
    }
    let at = of("event_date").zip(of("event_time")).map(|(date, time)| format!("{} {time}", date.replace('.', "-")));
    // The moment of the problem, also in what is said of it later.
    if let Some(at) = at.and_then(|text| time::zoneless(&text, &source.integration.time_zone)) {
        time::judge(&mut event, at, true, source);
    }
    bounds::set_key(&mut event, format!("zabbix:{id}"));
    note("dedup_key", "event_id");
    Ok(Parsed { event, spans: spans.list })
}

/// A problem or its end; what discovery and registration find is no problem.
fn action(macros: &Members<'_>) -> Action {
    match (of(macros, "event_source"), of(macros, "event_value")) {
        (Some("1" | "2"), _) => Action::Change,
        (_, Some("0")) => Action::Resolve,
        _ => Action::Trigger,
    }
}

/// A level that the name says, or Zabbix's own: a disaster is P0, high is P1, and so on to P4.
fn set_severity(event: &mut AlertEvent, macros: &Members<'_>, source: &Source<'_>) {
    let number = of(macros, "event_nseverity").and_then(|it| it.parse::<u8>().ok());
    let of_number = number.map(|number| match number {
        5.. => Severity::P0,
        4 => Severity::P1,
        3 => Severity::P2,
        2 => Severity::P3,
        _ => Severity::P4,
    });
    let in_name = text::level_anywhere(&event.summary);
    if in_name.is_none() {
        event.severity_word = of(macros, "event_severity").and_then(|word| bounds::name(event, word));
    }
    fields::set_severity(event, in_name.or_else(|| of_number.map(|level| (level, false))), source);
}

/// `{EVENT.TAGSJSON}`: a list of names with values, in a text.
fn add_tags(event: &mut AlertEvent, text: &str) {
    let mut reader = Reader::new(text);
    let Some(Ok(list)) = reader.more().then(|| reader.value()) else { return bounds::flag(event, Flag::Truncated) };
    let Value::Array(items) = &list.value else { return };
    for tag in items.iter().filter_map(Node::members) {
        let of = |name| member(tag, name).and_then(filled);
        of("tag").into_iter().for_each(|name| bounds::label(event, name, of("value").unwrap_or_default()));
    }
}
