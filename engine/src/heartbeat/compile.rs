//! Heartbeats of a document, checked and made ready.

use super::{Expected, of_calendar, of_sender};
use crate::{
    compile::{FALLBACK, is_name, unknown},
    matcher::Matcher,
    oncall::{self, HolidayDays, Spans},
    route::Fault,
    stale,
    window::{Hours, Windows},
};
use jiff::tz::TimeZone;
use shared::{
    CalendarId, Delay, HeartbeatId, Severity,
    config::{Document, Heartbeat, Integration, Layer, Schedule},
};
use std::collections::BTreeMap;

/// The shortest interval: what beats more often tells nobody more.
const SHORTEST: Delay = Delay::secs(10);
/// The longest interval and the longest grace.
const LONGEST: Delay = Delay(366 * 86_400_000);
/// A calendar that others keep and that was not fetched for so long is old.
pub const CALENDAR_OLD: Delay = Delay(24 * 3_600_000);
/// Labels and annotations of one heartbeat.
const WORDS_MAX: usize = 16;

/// Every heartbeat of a document, or everything that is wrong with them.
pub(crate) fn compile(
    document: &Document,
    windows: &Windows,
    holidays: &BTreeMap<&CalendarId, HolidayDays>,
) -> Result<BTreeMap<HeartbeatId, Expected>, Vec<Fault>> {
    let mut found = BTreeMap::new();
    let mut faults = Vec::new();
    for (i, heartbeat) in document.heartbeats.iter().enumerate() {
        if !is_name(heartbeat.id.as_str()) {
            let message = format!("`{}` is not a name; use 1 to 64 letters, digits, `-`, `_` and `.`", heartbeat.id);
            faults.push((format!("heartbeats[{i}].id"), message));
            continue;
        }
        let expected = check(heartbeat, document, windows, &mut faults);
        if found.insert(heartbeat.id.clone(), expected).is_some() {
            let message = format!("`{}` is there twice; give each its own id", heartbeat.id);
            faults.push((format!("heartbeats[{i}].id"), message));
        }
    }
    for integration in &document.integrations {
        found.extend(silence(integration, holidays, &mut faults));
    }
    for schedule in &document.schedules {
        found.extend(schedule.layers.iter().filter_map(|layer| calendar(schedule, layer)));
    }
    if faults.is_empty() { Ok(found) } else { Err(faults) }
}

fn check(heartbeat: &Heartbeat, document: &Document, windows: &Windows, faults: &mut Vec<Fault>) -> Expected {
    let mut fault =
        |field: &str, message: String| faults.push((format!("heartbeats[{}].{field}", heartbeat.id), message));
    if !(SHORTEST..=LONGEST).contains(&heartbeat.interval) {
        fault("interval", "beats are 10s to 366d apart".to_owned());
    }
    if heartbeat.grace > LONGEST {
        fault("grace", "a beat is at most 366d late".to_owned());
    }
    if let Some(policy) = &heartbeat.policy
        && policy.as_str() != FALLBACK
        && !document.policies.iter().any(|it| it.id == *policy)
    {
        fault("policy", unknown("policy", policy.as_str()));
    }
    if heartbeat.summary.as_ref().is_some_and(|text| text.trim().is_empty() || text.chars().count() > 500) {
        fault("summary", "an alert says 1 to 500 characters; leave it out for the usual sentence".to_owned());
    }
    for (field, words) in [("labels", &heartbeat.labels), ("annotations", &heartbeat.annotations)] {
        let bad = |(name, text): &(&String, &String)| !is_name(name) || text.chars().count() > 500;
        if words.len() > WORDS_MAX || words.iter().any(|it| bad(&it)) {
            let message = "at most 16, each with a name of 1 to 64 letters, digits, `-`, `_` and `.`, and at most 500 \
                           characters";
            fault(field, message.to_owned());
        }
    }
    match (&heartbeat.integration, heartbeat.matches.is_empty()) {
        (None, false) => fault("integration", "name the sender whose alerts `match` is about".to_owned()),
        (Some(_), true) => {
            fault("match", "say which alerts are beats, for example [\"labels.alertname=Watchdog\"]".to_owned());
        }
        _ => {}
    }
    let mut matches = Vec::new();
    for (i, text) in heartbeat.matches.iter().enumerate() {
        match Matcher::parse_with(text, windows) {
            Ok(matcher) => matches.push(matcher),
            Err(message) => fault(&format!("match[{i}]"), message),
        }
    }
    let mut active = Vec::new();
    for (i, id) in heartbeat.during.iter().enumerate() {
        match windows.get(id) {
            Some(window) => active.push((id.clone(), window.clone())),
            // One that did not compile has its own finding.
            None if document.time_windows.iter().any(|it| it.id == *id) => {}
            None => fault(&format!("during[{i}]"), unknown("time window", id.as_str())),
        }
    }
    Expected {
        config: heartbeat.clone(),
        matches,
        hours: Hours { active, mute: Vec::new() },
        holidays: Spans::default(),
        any: false,
        learned: false,
    }
}

/// The watch over a sender that may not be silent for long; also checks what else counts from its last message.
fn silence(
    integration: &Integration,
    holidays: &BTreeMap<&CalendarId, HolidayDays>,
    faults: &mut Vec<Fault>,
) -> Option<(HeartbeatId, Expected)> {
    // A zone that is none has its own finding.
    let zone = oncall::zone(&integration.time_zone).unwrap_or(TimeZone::UTC);
    let mut unknown = Vec::new();
    let holidays = oncall::holidays(&integration.holidays, &zone, holidays, &mut unknown);
    let at = |(field, message)| (format!("integrations[{}].{field}", integration.id), message);
    faults.extend(unknown.into_iter().map(at));
    let mut fault = |field: &str, message: &str| {
        faults.push((format!("integrations[{}].{field}", integration.id), message.to_owned()));
    };
    if integration.stale_after.is_some_and(stale::is_out_of_range) {
        fault("stale_after", stale::RANGE);
    }
    let learned = integration.silent_after.is_none();
    let interval = integration.silent_after.unwrap_or(Delay::ZERO);
    if interval == Delay::ZERO && !learned {
        return None;
    }
    if !learned && !(Delay::mins(1)..=LONGEST).contains(&interval) {
        fault("silent_after", "a sender is silent after 1m to 366d; 0s switches it off");
    }
    let id = of_sender(&integration.id);
    let title = if integration.name.is_empty() { integration.id.as_str() } else { &integration.name };
    let config = Heartbeat {
        id: id.clone(),
        name: title.to_owned(),
        interval,
        grace: Delay::ZERO,
        severity: integration.silent_severity,
        summary: Some(if learned {
            format!("nothing heard from {title} for unusually long")
        } else {
            format!("nothing heard from {title} for {interval}")
        }),
        policy: None,
        labels: [("sender".to_owned(), integration.id.to_string())].into(),
        annotations: BTreeMap::new(),
        integration: Some(integration.id.clone()),
        matches: Vec::new(),
        during: Vec::new(),
        paused: false,
    };
    Some((id, Expected { config, matches: Vec::new(), hours: Hours::default(), holidays, any: true, learned }))
}

/// The watch over a calendar that others keep: each time it is fetched is a beat. Its last good copy counts meanwhile, so it
/// is nothing to be woken for.
fn calendar(schedule: &Schedule, layer: &Layer) -> Option<(HeartbeatId, Expected)> {
    layer.ical_url.as_ref()?;
    let id = of_calendar(&schedule.id, &layer.id);
    let title = if schedule.name.is_empty() { schedule.id.as_str() } else { &schedule.name };
    let summary = format!("the calendar of {title} (layer {}) could not be fetched for {CALENDAR_OLD}", layer.id);
    let labels = [("schedule", schedule.id.as_str()), ("layer", layer.id.as_str())];
    let config = Heartbeat {
        id: id.clone(),
        name: title.to_owned(),
        interval: CALENDAR_OLD,
        grace: Delay::ZERO,
        severity: Severity::P4,
        summary: Some(summary),
        policy: None,
        labels: labels.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        annotations: BTreeMap::new(),
        integration: None,
        matches: Vec::new(),
        during: Vec::new(),
        paused: false,
    };
    let (hours, holidays) = (Hours::default(), Spans::default());
    Some((id, Expected { config, matches: Vec::new(), hours, holidays, any: false, learned: false }))
}
