//! Webhooks of GitHub, as the server wraps them: which event it is stands in a header there, so the stored message holds it beside the
//! body: `{"github": {"event": "workflow_run", "delivery": …, "body": {…}}}`.
//!
//! All of them are changes: what somebody did, or what a program of theirs found. They wake nobody and stand beside the alerts they may
//! explain. The members are those of GitHub's "Webhook events and payloads".

use super::{
    Parsed, Source, Told, bounds,
    fields::{self, Spans},
    json::{Members, Node, Value},
    object::{self, filled, member, place},
    time, words,
};
use shared::{Action, AlertEvent, Format};

/// What an event is about has its name, or one of these.
const ABOUT: &[&str] = &["alert", "issue", "comment", "release", "head_commit"];
/// What people call it, the plainest first.
const TITLES: &[&[&str]] = &[
    &["name"],
    &["display_title"],
    &["title"],
    &["rule", "description"],
    &["security_advisory", "summary"],
    &["secret_type_display_name"],
    &["secret_type"],
    &["affected_package_name"],
    &["summary"],
    &["app", "name"],
    &["environment"],
    &["tag_name"],
    &["message"],
];
const STATES: &[&str] = &["conclusion", "state", "status"];
const LINKS: &[&str] = &["html_url", "target_url", "log_url", "environment_url"];
const TIMES: &[&str] = &["completed_at", "updated_at", "published_at", "created_at", "timestamp"];
const SEVERITIES: &[&[&str]] = &[
    &["severity"],
    &["security_vulnerability", "severity"],
    &["rule", "security_severity_level"],
    &["rule", "severity"],
];

/// Reads an object that holds an event of GitHub and nothing else.
pub(super) fn read(source: &Source<'_>, members: &Members<'_>, whole: &str) -> Option<Told> {
    let told = object::wrapped(members, "github", &["event", "delivery", "body", "body_base64"])?;
    let event = member(told, "event").and_then(filled)?;
    Some(Ok(vec![change(source, event, told, whole)]))
}

/// What stands at a path of names.
fn at<'n>(members: &'n Members<'_>, path: &[&str]) -> Option<&'n str> {
    let (last, above) = path.split_last()?;
    let map = above.iter().try_fold(members, |map, name| member(map, name).and_then(Node::members))?;
    member(map, last).and_then(filled)
}

fn change(source: &Source<'_>, name: &str, told: &Members<'_>, whole: &str) -> Parsed {
    let none = Members::new();
    let body = member(told, "body").and_then(Node::members).unwrap_or(&none);
    let mut spans = Spans::new(whole);
    let mut event = AlertEvent::blank(Format::GitHub, source.integration.default_severity);
    event.action = Action::Change;
    let about = about(name, body).unwrap_or(&none);
    let first = |paths: &[&[&str]]| paths.iter().find_map(|path| at(about, path));
    let of = |names: &[&str]| names.iter().find_map(|name| at(about, &[name]));
    let repository = at(body, &["repository", "full_name"]).or_else(|| at(body, &["organization", "login"]));
    let action = at(body, &["action"]);
    let state = of(STATES);
    event.status_raw = state.or(action).and_then(|word| bounds::name(&mut event, word));
    // `completed` is said of what succeeded and of what failed; `published` is all there is to say.
    let word = of(&["conclusion"]).or(action.filter(|_| !is_run(name))).or(state);
    let branch = at(about, &["head_branch"])
        .or_else(|| at(about, &["check_suite", "head_branch"]))
        .or_else(|| at(body, &["ref"]).map(|it| it.trim_start_matches("refs/heads/")));
    let title = match name {
        "ping" => at(body, &["zen"]),
        "deployment" | "deployment_status" => at(about, &["environment"]),
        _ => first(TITLES),
    };
    set_summary(&mut event, name, [repository, word, title, branch]);
    member(told, "event").into_iter().for_each(|node| spans.add("summary", place(node)));
    let longer = of(&["description", "body"]).or_else(|| member(told, "body").and_then(filled));
    longer.into_iter().for_each(|text| bounds::set_content(&mut event, text));
    let severity = first(SEVERITIES);
    event.severity_word = severity.and_then(|word| bounds::name(&mut event, word));
    fields::set_severity(&mut event, severity.and_then(words::severity).map(|level| (level, false)), source);
    event.service = repository.and_then(|it| bounds::name(&mut event, it));
    let links = of(LINKS).or_else(|| at(body, &["compare"])).or_else(|| at(body, &["repository", "html_url"]));
    links.into_iter().for_each(|url| bounds::link(&mut event, url));
    for (label, value) in [
        ("event", Some(name)),
        ("action", action),
        ("repository", repository),
        ("branch", branch),
        ("sender", at(body, &["sender", "login"])),
        ("sha", at(about, &["head_sha"]).or_else(|| at(body, &["after"]))),
        ("environment", at(about, &["environment"])),
    ] {
        value.into_iter().for_each(|value| bounds::label(&mut event, label, value));
    }
    if let Some(at) = of(TIMES).and_then(|text| time::any(text, "UTC")) {
        time::judge(&mut event, at, false, source);
    }
    let who = at(about, &["name"]).or_else(|| at(about, &["number"])).or_else(|| at(about, &["environment"]));
    let key = [repository, Some(name), who].into_iter().flatten().collect::<Vec<_>>().join("/");
    bounds::set_key(&mut event, format!("github:{key}"));
    Parsed { event, spans: spans.list }
}

/// Whether it tells how something goes that comes to an end.
fn is_run(name: &str) -> bool {
    name.starts_with("workflow_") || name.starts_with("check_") || name.starts_with("deployment")
}

/// The member that the event is about: `workflow_run` has one of its name, `issues` has `issue`, every alert has `alert`.
fn about<'n, 'a>(name: &str, body: &'n Members<'a>) -> Option<&'n Members<'a>> {
    let singular = name.strip_suffix('s').unwrap_or(name);
    let names = [name, singular].into_iter().chain(ABOUT.iter().copied());
    let named = names.filter_map(|name| member(body, name)).find_map(Node::members);
    // A status of a commit has everything at the top.
    named.or_else(|| member(body, "state").filter(|node| matches!(node.value, Value::Text(_))).map(|_| body))
}

/// `octo-org/shop: workflow run failure, CI (main)`.
fn set_summary(event: &mut AlertEvent, name: &str, parts: [Option<&str>; 4]) {
    let [repository, word, title, branch] = parts;
    let mut text = repository.map(|it| format!("{it}: ")).unwrap_or_default();
    text.push_str(&name.replace('_', " "));
    if let Some(word) = word {
        text.push(' ');
        text.push_str(&word.replace('_', " "));
    }
    if let Some(title) = title.map(bounds::one_line) {
        text.push_str(", ");
        text.push_str(&title);
    }
    if let Some(branch) = branch {
        text.push_str(&format!(" ({branch})"));
    }
    event.summary = bounds::one_line(&text).into();
}
