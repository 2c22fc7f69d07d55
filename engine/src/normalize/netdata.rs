//! What Netdata's `alarm-notify.sh` writes into the messages of others: the body it posts to Opsgenie's integration for it,
//! and the words in its messages for Slack and Gotify.
//!
//! An alarm is identified by its host, chart and name in each of them. Its numbers are not: they differ from event to event.

use super::{
    Parsed, Source, Told, bounds,
    fields::{self, Spans},
    json::Members,
    object::{filled, member, place},
    text, time, words,
};
use shared::{Action, AlertEvent, Format};

/// The identity of an alarm; its name is written with blanks in messages for people.
pub(super) fn key(host: &str, chart: &str, name: &str) -> String {
    format!("netdata:{host}/{chart}/{}", name.replace(' ', "_"))
}

/// The name of an alarm in `10min cpu usage = 95%` or `10min cpu usage (was critical for 3 minutes)`.
pub(super) fn name(alarm: &str) -> &str {
    let end = [" = ", " ("].into_iter().filter_map(|end| alarm.find(end)).min();
    alarm.get(..end.unwrap_or(alarm.len())).unwrap_or(alarm).trim()
}

/// The chart in `Sat 21 Nov 03:10:00 UTC 2026: system.cpu 10min cpu usage = 95%`, which are a message's words for Gotify.
pub(super) fn chart(message: &str) -> &str {
    let after = message.split_once(": ").map_or("", |(_, after)| after);
    after.split_whitespace().next().filter(|word| word.contains('.')).unwrap_or_default()
}

/// Reads an object that has an alarm's numbers, chart and both of its states.
pub(super) fn read(source: &Source<'_>, members: &Members<'_>, whole: &str) -> Option<Told> {
    let has = |name| member(members, name).is_some();
    let is_alarm = ["alarmId", "chart", "name", "status", "old_status"].into_iter().all(has);
    is_alarm.then(|| Ok(vec![event(source, members, whole)]))
}

fn event(source: &Source<'_>, members: &Members<'_>, whole: &str) -> Parsed {
    let of = |name| member(members, name).and_then(filled).unwrap_or_default();
    let mut spans = Spans::new(whole);
    for (field, name) in [("host", "host"), ("status", "status"), ("summary", "info"), ("time", "when")] {
        member(members, name).into_iter().for_each(|node| spans.add(field, place(node)));
    }
    let mut event = AlertEvent::blank(Format::Opsgenie, source.integration.default_severity);
    let status = of("status");
    event.status_raw = bounds::name(&mut event, status);
    event.host = bounds::name(&mut event, of("host"));
    // "is critical, average CPU utilization …"
    let said = of("info").split_once(", ").map_or(of("info"), |(_, info)| info);
    let value = format!("{}{}", of("value"), of("units"));
    let summary = format!("{} = {value} on {}: {said}", of("name"), of("chart"));
    event.summary = bounds::one_line(&summary).into();
    set_state(&mut event, status, source);
    for name in ["chart", "name", "family", "value", "old_status", "src", "calc_expression"] {
        member(members, name).and_then(filled).into_iter().for_each(|value| bounds::label(&mut event, name, value));
    }
    if let Some(at) = time::any(of("when"), "UTC") {
        time::judge(&mut event, at, false, source);
    }
    fields::find_addresses(&mut event);
    bounds::set_key(&mut event, key(of("host"), of("chart"), of("name")));
    Parsed { event, spans: spans.list }
}

/// CRITICAL, WARNING or CLEAR; a level in the words wins.
fn set_state(event: &mut AlertEvent, status: &str, source: &Source<'_>) {
    if words::action(status) == Some(Action::Resolve) {
        event.action = Action::Resolve;
    }
    let stated =
        text::level_anywhere(&event.summary).or_else(|| words::severity(status).map(|severity| (severity, false)));
    fields::set_severity(event, stated, source);
}
