//! Events of Nightingale's webhook and callback, one or many a body.
//!
//! The shape is that of `models/alert_cur_event.go`; any of its members may be null or absent. Its `hash` is the identity that its own
//! recovery goes by: a rule with two levels fires and recovers each of them, and one may be over while the other burns.

use super::{
    Parsed, Source, Told, bounds,
    json::{Members, Node, Value},
    object::{self, filled, member},
    text, time,
};
use shared::{Action, Flag, Format, SharedStr};
use std::collections::BTreeMap;

/// Reads an object in which rules have numbers, and states are a truth value.
pub(super) fn read(source: &Source<'_>, members: &Members<'_>, whole: &str) -> Option<Told> {
    is_event(members).then(|| Ok(vec![event(source, members, whole)]))
}

fn is_event(members: &Members<'_>) -> bool {
    let has = |name| member(members, name).is_some();
    has("rule_id") && has("rule_name") && has("is_recovered")
}

fn event(source: &Source<'_>, members: &Members<'_>, whole: &str) -> Parsed {
    let mut parsed = object::event(source, members, None, Format::Nightingale, whole);
    let event = &mut parsed.event;
    let of = |name| member(members, name).and_then(filled);
    let truth = |name| member(members, name).is_some_and(|node| matches!(node.value, Value::Bool(true)));
    event.format = Format::Nightingale;
    event.resolve_by_host = false;
    event.action = if truth("is_recovered") { Action::Resolve } else { Action::Trigger };
    // 1 emergency, 2 warning, 3 notice: P1 to P3, as numbers are read. P0 is for whose rule says so.
    let rule = of("rule_name").unwrap_or_default();
    match text::level_anywhere(rule) {
        Some((level, _)) => (event.severity, event.severity_word) = (level, None),
        None => event.severity_word = of("severity").map(|number| format!("S{}", bounds::prefix(number, 16)).into()),
    }
    let tags = tags(members);
    event.labels = shared::Pairs::default();
    tags.iter().for_each(|(name, value)| bounds::label(event, name, value));
    for name in ["group_name", "cluster", "cate"] {
        of(name).into_iter().for_each(|value| bounds::label(event, name, value));
    }
    for name in ["trigger_value", "prom_ql", "rule_note", "target_note"] {
        of(name).into_iter().for_each(|value| bounds::annotation(event, name, value));
    }
    let annotations = member(members, "annotations").and_then(Node::members).into_iter().flatten();
    for (name, value) in annotations.filter_map(|(name, node)| Some((name, node.scalar()?))) {
        bounds::annotation(event, name, value);
    }
    if !rule.is_empty() {
        event.summary = bounds::one_line(rule).into();
        event.content = SharedStr::default();
        of("rule_note").into_iter().for_each(|note| bounds::set_content(event, note));
        event.flags.retain(|flag| *flag != Flag::NoContent);
    }
    if let Some(host) = of("target_ident").or_else(|| tags.get("ident").copied()) {
        event.host = bounds::name(event, host);
        event.ip = None;
        super::fields::find_addresses(event);
    }
    event.occurred_at = None;
    let at = if event.action == Action::Resolve { of("recover_time").filter(|at| *at != "0") } else { None };
    let at = at.or_else(|| of("last_eval_time")).or_else(|| of("trigger_time"));
    if let Some(at) = at.and_then(|text| time::any(text, "UTC")) {
        time::judge(event, at, false, source);
    }
    let key = of("hash").map(ToOwned::to_owned).unwrap_or_else(|| {
        let series: Vec<String> = tags.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let (rule, source) = (of("rule_id").unwrap_or_default(), of("datasource_id").unwrap_or_default());
        format!("{rule}/{source}/{}|{}", of("severity").unwrap_or_default(), series.join(","))
    });
    event.flags.retain(|flag| *flag != Flag::KeyHashed);
    bounds::set_key(event, format!("n9e:{key}"));
    parsed
}

/// The series: a map, or a list of `name=value`.
fn tags<'n>(members: &'n Members<'_>) -> BTreeMap<&'n str, &'n str> {
    if let Some(map) = member(members, "tags_map").and_then(Node::members) {
        return map.iter().filter_map(|(name, node)| Some((name.as_ref(), node.scalar()?))).collect();
    }
    match member(members, "tags").map(|node| &node.value) {
        Some(Value::Array(items)) => {
            items.iter().filter_map(Node::scalar).filter_map(|tag| tag.split_once('=')).collect()
        }
        _ => BTreeMap::new(),
    }
}
