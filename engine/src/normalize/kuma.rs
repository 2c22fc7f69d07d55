//! What Uptime Kuma posts: a monitor, its newest heartbeat, and a message.
//!
//! The shape is that of its webhook notification (`server/notification-providers/webhook.js`); its test message, and what it says
//! of certificates, have neither heartbeat nor monitor.

use super::{
    Parsed, Source, Told, bounds,
    json::{Members, Node, Value},
    object::{self, filled, member},
    time,
};
use shared::{Action, Flag, Format, SharedStr};

/// Reads an object that has all three members, two of which may be null.
pub(super) fn read(source: &Source<'_>, members: &Members<'_>, whole: &str) -> Option<Told> {
    is_event(members).then(|| Ok(vec![event(source, members, whole)]))
}

fn is_event(members: &Members<'_>) -> bool {
    let object_or_null =
        |name| member(members, name).is_some_and(|node| matches!(node.value, Value::Object(_) | Value::Null));
    object_or_null("heartbeat") && object_or_null("monitor") && member(members, "msg").is_some()
}

fn event(source: &Source<'_>, members: &Members<'_>, whole: &str) -> Parsed {
    let mut parsed = object::event(source, members, None, Format::UptimeKuma, whole);
    let event = &mut parsed.event;
    let inner = |name| member(members, name).and_then(Node::members);
    let (heartbeat, monitor) = (inner("heartbeat"), inner("monitor"));
    let beat = |name| heartbeat.and_then(|it| member(it, name)).and_then(filled);
    let of = |name| monitor.and_then(|it| member(it, name)).and_then(filled);
    event.format = Format::UptimeKuma;
    event.resolve_by_host = false;
    event.flags.retain(|flag| !matches!(flag, Flag::UnknownStatus | Flag::KeyHashed));
    let status = beat("status");
    let message = member(members, "msg").and_then(filled).unwrap_or_default();
    // Certificates that end are told of by a message alone as well.
    let is_test = heartbeat.is_none() && monitor.is_none() && message.ends_with("Testing");
    event.action = match status {
        Some("1") => Action::Resolve,
        // Maintenance, and a test: nothing is wrong.
        Some("3") => Action::Change,
        None if is_test => Action::Change,
        _ => Action::Trigger,
    };
    event.status_raw = status.map(|status| {
        let word = match status {
            "0" => "down",
            "1" => "up",
            "2" => "pending",
            "3" => "maintenance",
            other => other,
        };
        bounds::prefix(word, 16).into()
    });
    let said = beat("msg").unwrap_or(message);
    if let Some(name) = of("name") {
        event.summary = bounds::one_line(&format!("{name}: {said}")).into();
        event.content = SharedStr::default();
        event.flags.retain(|flag| *flag != Flag::NoContent);
    }
    let url = of("url").filter(|url| *url != "https://" && *url != "http://");
    let host = of("hostname").or_else(|| url.and_then(host_of));
    if let Some(host) = host {
        event.host = bounds::name(event, &super::fields::bare_host(host));
        event.ip = None;
        super::fields::find_addresses(event);
    }
    event.links.clear();
    url.into_iter().for_each(|url| bounds::link(event, url));
    event.labels = shared::Pairs::default();
    for name in ["name", "type", "id"] {
        of(name).into_iter().for_each(|value| bounds::label(event, &format!("monitor.{name}"), value));
    }
    let tags = monitor.and_then(|it| member(it, "tags"));
    if let Some(Value::Array(tags)) = tags.map(|node| &node.value) {
        for tag in tags.iter().filter_map(Node::members) {
            let of = |name| member(tag, name).and_then(filled);
            of("name").into_iter().for_each(|name| bounds::label(event, name, of("value").unwrap_or_default()));
        }
    }
    event.occurred_at = None;
    // UTC without a zone.
    if let Some(at) = beat("time").and_then(|text| time::any(text, "UTC")) {
        time::judge(event, at, false, source);
    }
    let mut key = "kuma:".to_owned();
    match of("id") {
        Some(id) => key.push_str(id),
        None if is_test => key.push_str("test"),
        None => super::fold::fold(message, &mut key),
    }
    bounds::set_key(event, key);
    parsed
}

/// The host of an address.
fn host_of(url: &str) -> Option<&str> {
    let rest = url.split_once("://")?.1;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    (!host.is_empty()).then_some(host)
}
