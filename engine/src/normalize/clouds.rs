//! Alarms of clouds' own monitors, mostly inside a notification: Amazon's CloudWatch, Huawei's Cloud Eye, Alibaba's CMS 2.0.
//!
//! None of them has a level that says whom to wake: CloudWatch has none at all, and those of the others are words, which are read
//! by the table of all words. A level in the name or the description says more.

use super::{
    Parsed, Source, Told, bounds,
    fields::{self, Spans},
    json::{Members, Node, Value},
    object::{filled, member, place},
    text, time, words,
};
use shared::{Action, AlertEvent, Format};

/// Dimensions of CloudWatch that are a machine, the plainest first.
const MACHINES: &[&str] =
    &["host", "hostname", "server_name", "instance_name", "instance_id", "db_instance_identifier"];

/// An event with the text, and with the level that the text or a word states.
fn begin(source: &Source<'_>, format: Format, name: &str, content: &str, word: Option<&str>) -> AlertEvent {
    let mut event = AlertEvent::blank(format, source.integration.default_severity);
    event.summary = bounds::one_line(name).into();
    bounds::set_content(&mut event, content);
    let in_text = text::level_anywhere(name).or_else(|| text::level_anywhere(content));
    let of_word = word.and_then(|word| words::level(word).or_else(|| words::severity(word).map(|it| (it, false))));
    if in_text.is_none() && word.is_some_and(|word| words::level(word).is_none()) {
        event.severity_word = word.and_then(|word| bounds::name(&mut event, word));
    }
    fields::set_severity(&mut event, in_text.or(of_word), source);
    event
}

/// An alarm of CloudWatch, as SNS carries it (CloudWatch, "Notification formats"): an account, a region and a name are who it is.
pub(super) fn cloudwatch(source: &Source<'_>, members: &Members<'_>, whole: &str) -> Option<Told> {
    let of = |name| member(members, name).and_then(filled);
    let (name, state) = (of("alarm_name")?, of("new_state_value")?);
    let mut spans = Spans::new(whole);
    let mut note = |field: &str, name: &str| {
        member(members, name).into_iter().for_each(|node| spans.add(field, place(node)));
    };
    let said: Vec<&str> = ["alarm_description", "new_state_reason"].into_iter().filter_map(of).collect();
    let mut event = begin(source, Format::Sns, name, &said.join("\n"), None);
    note("summary", "alarm_name");
    note("status", "new_state_value");
    event.status_raw = bounds::name(&mut event, state);
    // Whoever does not want to hear that there is no data does not have it told.
    event.action = if state == "OK" { Action::Resolve } else { Action::Trigger };
    let trigger = member(members, "trigger").and_then(Node::members);
    let metric = trigger.and_then(|trigger| measured(trigger)).or(trigger);
    let dimensions = dimensions(metric);
    for (dimension, value) in &dimensions {
        bounds::label(&mut event, dimension, value);
    }
    let machine = |known: &&str| dimensions.iter().find(|(name, _)| is_named(name, known)).map(|(_, value)| *value);
    if let Some(host) = MACHINES.iter().find_map(machine) {
        event.host = bounds::name(&mut event, host);
    }
    let inner = |name| metric.and_then(|metric| member(metric, name)).and_then(filled);
    event.service = inner("namespace").and_then(|it| bounds::name(&mut event, it));
    fields::find_addresses(&mut event);
    for (label, value) in
        [("metric", inner("metric_name")), ("region", of("region")), ("account", of("aws_account_id"))]
    {
        value.into_iter().for_each(|value| bounds::label(&mut event, label, value));
    }
    if let Some(at) = of("state_change_time").and_then(|text| time::any(text, "UTC")) {
        time::judge(&mut event, at, false, source);
    }
    let (account, region) = (of("aws_account_id").unwrap_or_default(), of("region").unwrap_or_default());
    bounds::set_key(&mut event, format!("cloudwatch:{account}/{region}/{name}"));
    Some(Ok(vec![Parsed { event, spans: spans.list }]))
}

/// What an alarm on an expression measures first.
fn measured<'n, 'a>(trigger: &'n Members<'a>) -> Option<&'n Members<'a>> {
    let Value::Array(metrics) = &member(trigger, "metrics")?.value else { return None };
    let inner = |node: &'n Node<'a>, name| member(node.members()?, name);
    metrics.iter().find_map(|metric| inner(inner(metric, "metric_stat")?, "metric")?.members())
}

/// `[{"name": "InstanceId", "value": "i-0123"}]`.
fn dimensions<'n>(metric: Option<&'n Members<'_>>) -> Vec<(&'n str, &'n str)> {
    let list = metric.and_then(|metric| member(metric, "dimensions"));
    let Some(Value::Array(items)) = list.map(|node| &node.value) else { return Vec::new() };
    let pair = |item: &'n Node<'_>| {
        let of = |name| member(item.members()?, name).and_then(filled);
        Some((of("name")?, of("value")?))
    };
    items.iter().filter_map(pair).collect()
}

/// Whether two names are the same but for case and underscores.
fn is_named(name: &str, known: &str) -> bool {
    let letters = |text: &str| text.replace(['_', '-'], "").to_ascii_lowercase();
    letters(name) == letters(known)
}

/// An alarm of Cloud Eye, as SMN carries it: `{"version": "v1", "data": {"AlarmRuleName": …, "IsAlarm": true}}`.
pub(super) fn cloud_eye(source: &Source<'_>, members: &Members<'_>, _whole: &str) -> Option<Told> {
    let data = member(members, "data").and_then(Node::members)?;
    let of = |name| member(data, name).and_then(filled);
    let (rule, state) = (of("alarm_rule_name")?, of("is_alarm")?);
    let resource = of("resource_name").or_else(|| of("resource_id")).unwrap_or_default();
    let metric = of("metric_name").unwrap_or_default();
    let wanted = format!("{} {}", of("comparison_operator").unwrap_or_default(), of("value").unwrap_or_default());
    let content = format!("{}: {}; {}", rule, of("current_data").unwrap_or_default(), wanted.trim());
    let name = [resource, metric].into_iter().filter(|it| !it.is_empty()).collect::<Vec<_>>().join(": ");
    let name = if name.is_empty() { rule } else { &name };
    let mut event = begin(source, Format::Sns, name, &content, of("alarm_level"));
    event.action = if state == "false" { Action::Resolve } else { Action::Trigger };
    event.status_raw = Some(if state == "false" { "ok".into() } else { "alarm".into() });
    if !resource.is_empty() {
        event.host = bounds::name(&mut event, resource);
    }
    event.ip = of("private_ip").and_then(fields::address).map(|ip| ip.to_string().into());
    fields::find_addresses(&mut event);
    event.service = of("namespace").and_then(|it| bounds::name(&mut event, it));
    for label in ["AlarmRuleName", "MetricName", "DimensionName", "RegionId", "ResourceId", "AccountName"] {
        of(label).into_iter().for_each(|value| bounds::label(&mut event, label, value));
    }
    let parts = ["region_id", "resource_id", "alarm_rule_name", "metric_name"].map(|name| of(name).unwrap_or_default());
    bounds::set_key(&mut event, format!("ces:{}", parts.join("/")));
    Some(Ok(vec![Parsed { event, spans: Vec::new() }]))
}

/// Whether an object is an alert of CMS 2.0, which has some of the names of a CloudEvent, and not all that one must have.
pub(super) fn is_cms(members: &Members<'_>) -> bool {
    let of = |name| member(members, name).and_then(filled);
    let has_state = of("status").is_some_and(|it| matches!(it, "OCCURRED" | "RESOLVED" | "RECOVERED"));
    let is_alert = of("type").is_none_or(|kind| kind == "ALERT");
    let is_theirs = ["subtype", "alert_entity_id", "rule_id"].into_iter().any(|name| of(name).is_some());
    has_state && is_alert && is_theirs && of("subject").is_some()
}

/// An alert of CMS 2.0 (its `type` is `ALERT`): a rule and what it watches are who it is.
pub(super) fn cms(source: &Source<'_>, members: &Members<'_>, whole: &str) -> Option<Told> {
    if !is_cms(members) {
        return None;
    }
    let of = |name| member(members, name).and_then(filled);
    let inner = |path: &[&str]| {
        let (last, above) = path.split_last()?;
        let map = above.iter().try_fold(members, |map, name| member(map, name).and_then(Node::members))?;
        member(map, last).and_then(filled)
    };
    let mut spans = Spans::new(whole);
    let mut note = |field: &str, name: &str| {
        member(members, name).into_iter().for_each(|node| spans.add(field, place(node)));
    };
    let subject = of("subject").unwrap_or_default();
    let mut event =
        begin(source, Format::CloudEvents, subject, of("alert_message").unwrap_or_default(), of("severity"));
    note("summary", "subject");
    note("status", "status");
    note("severity", "severity");
    event.status_raw = of("status").map(Into::into);
    event.action = if of("status") == Some("OCCURRED") { Action::Trigger } else { Action::Resolve };
    let entity = of("alert_entity_id").or_else(|| inner(&["resource", "entity", "entity_id"]));
    let name = inner(&["resource", "entity", "prop", "instance_name"]).or_else(|| inner(&["labels", "instance_id"]));
    if let Some(host) = name.or_else(|| inner(&["resource", "entity", "entity_id"])) {
        event.host = bounds::name(&mut event, host);
    }
    event.ip = inner(&["alert_entity_fields", "private_ip"]).and_then(fields::address).map(|ip| ip.to_string().into());
    fields::find_addresses(&mut event);
    for map in [&["labels"][..], &["resource", "tags"], &["annotations"], &["data"]] {
        let found = map.iter().try_fold(members, |map, name| member(map, name).and_then(Node::members));
        for (name, node) in found.into_iter().flatten().rev() {
            node.scalar().into_iter().for_each(|value| bounds::label(&mut event, name, value));
        }
    }
    for name in ["workspace", "ruleId", "userId"] {
        of(name).into_iter().for_each(|value| bounds::label(&mut event, name, value));
    }
    of("alert_history_url").into_iter().for_each(|url| bounds::link(&mut event, url));
    let at = of("timestamp").or_else(|| of("time")).and_then(|text| time::any(text, "UTC"));
    at.into_iter().for_each(|at| time::judge(&mut event, at, false, source));
    let mut key = format!("cms:{}/{}", of("rule_id").unwrap_or(subject), entity.unwrap_or_default());
    if entity.is_none() {
        fields::push_lower(&mut key, event.host.as_deref().unwrap_or_default());
    }
    bounds::set_key(&mut event, key);
    Some(Ok(vec![Parsed { event, spans: spans.list }]))
}
