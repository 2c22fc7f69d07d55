//! Webhooks of Sentry: of an integration, which names the resource in a header (the server writes it around the body:
//! `{"sentry": {"resource": "issue", "body": {…}}}`), and of the older plugin.
//!
//! The members are those of Sentry's "Integration Platform, Webhooks". The issue is who the alert is, so an alert about one of its events
//! and the issue's own end are about the same; a metric alert has a number of its own, which it keeps until it is resolved.

use super::{
    Parsed, Source, Told, bounds,
    fields::{self, Spans},
    json::{Members, Node, Value},
    object::{self, filled, member, place},
    text, time, words,
};
use shared::{Action, AlertEvent, Flag, Format};

/// Reads an object that holds a webhook and nothing else, one that is a webhook without its header, or one of the plugin.
pub(super) fn read(source: &Source<'_>, members: &Members<'_>, whole: &str) -> Option<Told> {
    let said = |name| of(members, name);
    if let Some(told) = object::wrapped(members, "sentry", &["resource", "body", "body_base64"]) {
        let resource = of(told, "resource")?;
        let none = Members::new();
        let body = member(told, "body").and_then(Node::members).unwrap_or(&none);
        let mut parsed = hook(source, resource, body, whole);
        if let Some(text) = of(told, "body") {
            if text::looks_like_p0(text.as_bytes()) {
                return Some(Ok(vec![text::poison(text)]));
            }
            // What is no JSON is kept as it came.
            bounds::set_content(&mut parsed.event, text);
        }
        return Some(Ok(vec![parsed]));
    }
    let is_hook = member(members, "installation").is_some() && said("action").is_some();
    if is_hook && !object::says_itself(members, &["action"]) {
        let data = member(members, "data").and_then(Node::members)?;
        let has = |name: &&str| member(data, name).is_some();
        let resource = ["metric_alert", "event", "error", "issue"].into_iter().find(has)?;
        return Some(Ok(vec![hook(source, resource, members, whole)]));
    }
    let event = member(members, "event").and_then(Node::members)?;
    let is_plugin = ["culprit", "project_slug", "triggering_rules"].iter().any(|name| member(members, name).is_some())
        && said("url").is_some()
        && said("project").is_some();
    is_plugin.then(|| Ok(vec![plugin(source, members, event, whole)]))
}

/// What an event or an issue says of itself.
struct Said<'n, 'a> {
    /// The issue, or the event of one.
    of: &'n Members<'a>,
    id: Option<&'n str>,
    title: Option<&'n str>,
    url: Option<&'n str>,
    project: Option<&'n str>,
}

/// What a member of an object says.
fn of<'n>(map: &'n Members<'_>, name: &str) -> Option<&'n str> {
    member(map, name).and_then(filled)
}

fn hook(source: &Source<'_>, resource: &str, body: &Members<'_>, whole: &str) -> Parsed {
    let verb = of(body, "action").unwrap_or_default();
    let data = member(body, "data").and_then(Node::members);
    let inner = |name| data.and_then(|data| member(data, name)).and_then(Node::members);
    if let (Some(data), Some(alert)) = (data, inner("metric_alert")) {
        return metric_alert(source, verb, data, alert, whole);
    }
    let (issue, event) = (inner("issue"), inner("event").or_else(|| inner("error")));
    let Some(about) = event.or(issue) else { return change(source, resource, verb) };
    let project = match member(about, "project").map(|node| &node.value) {
        Some(Value::Object(project)) => of(project, "slug"),
        _ => data.and_then(|data| of(data, "project_slug")),
    };
    let said = Said {
        of: about,
        id: event.and_then(|event| of(event, "issue_id")).or_else(|| issue.and_then(|issue| of(issue, "id"))),
        title: of(about, "title"),
        url: ["web_url", "permalink", "url"].into_iter().find_map(|name| of(about, name)),
        project,
    };
    let mut parsed = told(source, &said, whole);
    let event = &mut parsed.event;
    event.action = match (resource, verb) {
        ("issue", "resolved" | "archived" | "ignored") => Action::Resolve,
        ("issue", "created" | "unresolved") | ("event_alert" | "event" | "error", _) => Action::Trigger,
        // Who has it, what was said of it: nothing is wrong that was not before.
        _ => Action::Change,
    };
    event.status_raw = bounds::name(event, verb);
    let rule = data.and_then(|data| of(data, "triggered_rule"));
    rule.into_iter().for_each(|rule| bounds::label(event, "rule", rule));
    bounds::label(event, "resource", resource);
    parsed
}

/// The plugin of older servers says an issue with its newest event, and never that it is over.
fn plugin(source: &Source<'_>, members: &Members<'_>, event: &Members<'_>, whole: &str) -> Parsed {
    let top = |name| of(members, name);
    let title = top("message").or_else(|| of(event, "title"));
    let id = top("id").or_else(|| of(event, "issue_id"));
    let said = Said { of: event, id, title, url: top("url"), project: top("project_slug").or_else(|| top("project")) };
    let mut parsed = told(source, &said, whole);
    let event = &mut parsed.event;
    if let Some(level) = top("level") {
        set_severity(event, level, source);
    }
    top("culprit").into_iter().for_each(|culprit| bounds::label(event, "culprit", culprit));
    parsed
}

/// An alert about an issue.
fn told(source: &Source<'_>, said: &Said<'_, '_>, whole: &str) -> Parsed {
    let own = |name| of(said.of, name);
    let mut spans = Spans::new(whole);
    let mut note = |field: &str, name: &str| {
        member(said.of, name).into_iter().for_each(|node| spans.add(field, place(node)));
    };
    let mut event = AlertEvent::blank(Format::Sentry, source.integration.default_severity);
    let title = said.title.or_else(|| own("message")).or_else(|| own("culprit")).unwrap_or("(no title)");
    bounds::set_text(&mut event, title);
    note("summary", "title");
    if let Some(culprit) = own("culprit").filter(|it| *it != title) {
        bounds::set_content(&mut event, culprit);
        bounds::label(&mut event, "culprit", culprit);
    }
    set_severity(&mut event, own("level").unwrap_or_default(), source);
    note("severity", "level");
    for (name, value) in tags(said.of) {
        bounds::label(&mut event, name, value);
    }
    for name in ["environment", "release", "platform", "short_id"] {
        own(name).into_iter().for_each(|value| bounds::label(&mut event, name, value));
    }
    // The machine of the newest event is not that of the issue, but it is where one looks.
    let host = own("server_name").map(str::to_owned).or_else(|| event.labels.get("server_name").cloned());
    event.host = host.and_then(|host| bounds::name(&mut event, &host));
    event.service = said.project.and_then(|project| bounds::name(&mut event, project));
    fields::find_addresses(&mut event);
    said.url.into_iter().for_each(|url| bounds::link(&mut event, url));
    let at = ["datetime", "timestamp", "last_seen"].into_iter().find_map(own).and_then(|text| time::any(text, "UTC"));
    at.into_iter().for_each(|at| time::judge(&mut event, at, false, source));
    let key = match said.id {
        Some(id) => format!("sentry:{id}"),
        None => fields::folded_key(&event, "sentry:", said.project.unwrap_or_default(), title),
    };
    bounds::set_key(&mut event, key);
    Parsed { event, spans: spans.list }
}

/// `[["server_name", "web-01"]]`, or the same as objects.
fn tags<'n>(event: &'n Members<'_>) -> Vec<(&'n str, &'n str)> {
    let Some(Value::Array(items)) = member(event, "tags").map(|node| &node.value) else { return Vec::new() };
    let pair = |item: &'n Node<'_>| match &item.value {
        Value::Array(pair) => Some((pair.first().and_then(filled)?, pair.get(1).and_then(filled)?)),
        Value::Object(map) => Some((of(map, "key")?, of(map, "value")?)),
        _ => None,
    };
    items.iter().filter_map(pair).collect()
}

fn metric_alert(source: &Source<'_>, verb: &str, data: &Members<'_>, alert: &Members<'_>, whole: &str) -> Parsed {
    let mut spans = Spans::new(whole);
    let mut event = AlertEvent::blank(Format::Sentry, source.integration.default_severity);
    let rule = member(alert, "alert_rule").and_then(Node::members);
    let name = rule.and_then(|rule| of(rule, "name"));
    let title = name.or_else(|| of(data, "description_title")).or_else(|| of(alert, "title"));
    event.summary = bounds::one_line(title.unwrap_or("(no title)")).into();
    of(data, "description_text").into_iter().for_each(|text| bounds::set_content(&mut event, text));
    member(data, "description_title").into_iter().for_each(|node| spans.add("summary", place(node)));
    let is_over = verb == "resolved";
    event.action = if is_over { Action::Resolve } else { Action::Trigger };
    event.status_raw = bounds::name(&mut event, verb);
    set_severity(&mut event, if is_over { "" } else { verb }, source);
    if let Some(Value::Array(projects)) = member(alert, "projects").map(|node| &node.value) {
        event.service = projects.first().and_then(filled).and_then(|project| bounds::name(&mut event, project));
    }
    name.into_iter().for_each(|name| bounds::label(&mut event, "rule", name));
    bounds::label(&mut event, "resource", "metric_alert");
    of(data, "web_url").into_iter().for_each(|url| bounds::link(&mut event, url));
    let moment = if is_over { "date_closed" } else { "date_detected" };
    let at = of(alert, moment).and_then(|text| time::any(text, "UTC"));
    at.into_iter().for_each(|at| time::judge(&mut event, at, false, source));
    let id = of(alert, "id").or_else(|| rule.and_then(|rule| of(rule, "id"))).unwrap_or_default();
    bounds::set_key(&mut event, format!("sentry:metric/{id}"));
    Parsed { event, spans: spans.list }
}

/// What is told of nothing that could be wrong: that the integration was installed, for example.
fn change(source: &Source<'_>, resource: &str, verb: &str) -> Parsed {
    let mut event = AlertEvent::blank(Format::Sentry, source.integration.default_severity);
    event.action = Action::Change;
    event.status_raw = bounds::name(&mut event, verb);
    event.summary = bounds::one_line(format!("Sentry: {} {verb}", resource.replace('_', " ")).trim()).into();
    fields::set_severity(&mut event, None, source);
    bounds::label(&mut event, "resource", resource);
    bounds::set_key(&mut event, format!("sentry:{resource}"));
    Parsed { event, spans: Vec::new() }
}

/// An error is P2, a warning P3, and so on by the table of all words; a level in the title says more.
fn set_severity(event: &mut AlertEvent, word: &str, source: &Source<'_>) {
    event.flags.retain(|flag| *flag != Flag::DefaultSeverity);
    let in_text = text::level_anywhere(&event.summary);
    let stated = in_text.or_else(|| words::severity(word).map(|level| (level, false)));
    event.severity_word = if in_text.is_none() { bounds::name(event, word) } else { None };
    fields::set_severity(event, stated, source);
}
