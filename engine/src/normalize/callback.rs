//! Open-Falcon's callback, as the server wraps it: everything stands in the query there, so the stored message holds that as
//! `{"falcon_callback": {"endpoint": …, "metric": …}}`.
//!
//! The names are those of falcon-plus (`modules/alarm/cron/callback.go`): status, step, priority, time, tpl_id, exp_id, stra_id,
//! left_value, and tags as `k:v,k:v`. A rule and what it is about are the identity.

use super::{
    Parsed, Source, Told, bounds,
    fields::{self, Spans},
    json::{Members, Node},
    object::{filled, member, place},
    time, words,
};
use shared::{AlertEvent, Flag, Format, Metric};
use std::collections::BTreeMap;

/// Reads an object that holds the query and nothing else.
pub(super) fn read(source: &Source<'_>, members: &Members<'_>, whole: &str) -> Option<Told> {
    let query = member(members, "falcon_callback").and_then(Node::members).filter(|_| members.len() == 1)?;
    Some(event(source, query, whole).map(|it| vec![it]))
}

fn event(source: &Source<'_>, query: &Members<'_>, whole: &str) -> Result<Parsed, Vec<String>> {
    let of = |name| member(query, name).and_then(filled);
    let missing = |name: &str| format!("'{name}' is missing; Open-Falcon adds it to the address of the callback");
    let (Some(endpoint), Some(metric)) = (of("endpoint"), of("metric")) else {
        let named = ["endpoint", "metric"].into_iter().filter(|name| of(name).is_none());
        return Err(named.map(missing).collect());
    };
    let mut spans = Spans::new(whole);
    for (field, name) in [("host", "endpoint"), ("metric", "metric"), ("status", "status"), ("severity", "priority")] {
        member(query, name).into_iter().for_each(|node| spans.add(field, place(node)));
    }
    let mut event = AlertEvent::blank(Format::Falcon, source.integration.default_severity);
    event.status_raw = of("status").and_then(|word| bounds::name(&mut event, word));
    match of("status").map(words::action) {
        Some(Some(action)) => event.action = action,
        Some(None) => bounds::flag(&mut event, Flag::UnknownStatus),
        None => {}
    }
    fields::set_severity(&mut event, of("priority").and_then(words::rank), source);
    event.host = bounds::name(&mut event, &fields::bare_host(endpoint));
    fields::find_addresses(&mut event);
    let tags: BTreeMap<String, String> = of("tags")
        .into_iter()
        .flat_map(|tags| tags.split(','))
        .filter_map(|tag| tag.split_once([':', '=']))
        .map(|(name, value)| (bounds::prefix(name, 256).to_owned(), bounds::prefix(value, 256).to_owned()))
        .take(64)
        .collect();
    let list: Vec<String> = tags.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let value = of("left_value").unwrap_or_default();
    let mut said = metric.to_owned();
    if !list.is_empty() {
        said = format!("{said} {}", list.join(","));
    }
    if !value.is_empty() {
        said = format!("{said} = {value}");
    }
    event.summary = bounds::one_line(&said).into();
    for name in ["tpl_id", "exp_id", "stra_id"] {
        of(name).filter(|id| *id != "0").into_iter().for_each(|id| bounds::label(&mut event, name, id));
    }
    let rule = ["stra_id", "exp_id"].into_iter().find_map(|name| of(name).filter(|id| *id != "0").map(|id| (name, id)));
    let (kind, id) = rule.unwrap_or(("metric", metric));
    if let Some(at) = of("time").and_then(|text| time::any(text, &source.integration.time_zone)) {
        time::judge(&mut event, at, false, source);
    }
    bounds::set_key(&mut event, format!("callback:{kind}:{id}:{}:{}", endpoint.to_lowercase(), list.join(",")));
    let step = of("step").and_then(|step| step.parse().ok());
    let short = |text: &str| bounds::prefix(text, 256).to_owned();
    event.metric = Some(Box::new(Metric { name: short(metric), left: short(value), tags, step, ..Metric::default() }));
    Ok(Parsed { event, spans: spans.list })
}
