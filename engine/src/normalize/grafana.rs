//! What Grafana up to version 8 posts for its own alerts: a rule, its state and what it measured. Newer ones post what an Alertmanager
//! does (alertmanager.rs).
//!
//! The shape is that of its webhook notifier (`pkg/services/alerting/notifiers/webhook.go`). The rule is who the alert is.

use super::{
    Parsed, Source, Told, bounds,
    json::{Members, Node, Value},
    object::{self, filled, member},
};
use shared::{Action, AlertEvent, Flag, Format};

/// Tags of a series that are a machine.
const MACHINES: &[&str] = &["host", "hostname", "instance", "node"];

/// Reads an object that has a rule with a number, a state, and what was measured.
pub(super) fn read(source: &Source<'_>, members: &Members<'_>, whole: &str) -> Option<Told> {
    let has = |name| member(members, name).is_some();
    (has("rule_id") && has("rule_name") && has("state") && has("eval_matches"))
        .then(|| Ok(vec![event(source, members, whole)]))
}

fn event(source: &Source<'_>, members: &Members<'_>, whole: &str) -> Parsed {
    let mut parsed = object::event(source, members, None, Format::Json, whole);
    let event = &mut parsed.event;
    let of = |name| member(members, name).and_then(filled);
    event.resolve_by_host = false;
    event.flags.retain(|flag| !matches!(flag, Flag::UnknownStatus | Flag::KeyHashed));
    event.status_raw = of("state").and_then(|state| bounds::name(event, state));
    event.action = match of("state") {
        Some("ok") => Action::Resolve,
        // Nobody has decided that anything is wrong.
        Some("paused" | "pending") => Action::Change,
        _ => Action::Trigger,
    };
    if event.format == Format::Json {
        let rule = of("rule_name").or_else(|| of("title")).unwrap_or("(no name)");
        event.summary = bounds::one_line(rule).into();
        bounds::set_content(event, of("message").unwrap_or_default());
        event.flags.retain(|flag| *flag != Flag::NoContent);
    }
    let matches = member(members, "eval_matches").map(|node| &node.value);
    if let Some(Value::Array(matches)) = matches {
        matches.iter().filter_map(Node::members).for_each(|series| add(event, series));
        super::fields::find_addresses(event);
    }
    for name in ["rule_url", "image_url"] {
        of(name).into_iter().for_each(|url| bounds::link(event, url));
    }
    let (org, rule) = (of("org_id").unwrap_or_default(), of("rule_id").unwrap_or_default());
    bounds::set_key(event, format!("grafana:{org}/{rule}"));
    parsed
}

/// What one series was: its value, and the machine where the rule says none.
fn add(event: &mut AlertEvent, series: &Members<'_>) {
    if let Some((metric, value)) =
        member(series, "metric").and_then(filled).zip(member(series, "value").and_then(filled))
    {
        bounds::annotation(event, metric, value);
    }
    let Some(tags) = member(series, "tags").and_then(Node::members) else { return };
    for (name, node) in tags.iter().rev() {
        node.scalar().into_iter().for_each(|value| bounds::label(event, name, value));
    }
    if event.host.is_none()
        && let Some(host) = MACHINES.iter().find_map(|name| member(tags, name).and_then(filled))
    {
        event.host = bounds::name(event, &super::fields::bare_host(host));
    }
}
