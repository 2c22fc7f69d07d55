//! Alerts, notes, heartbeats and settings as Alerta shows them.

use crate::{http::App, ingest::alertmanager::instant};
use serde_json::{Map, Value, json};
use shared::{Alert, AlertEvent, AlertState, IncidentState, Severity, Timestamp};

/// Labels that have a place of their own there.
const OWN: [&str; 11] = [
    "environment",
    "resource",
    "event",
    "customer",
    "group",
    "value",
    "origin",
    "type",
    "service",
    "correlate",
    "tags",
];
/// Alerta's severities, from the worst on.
const SEVERITIES: [(&str, u8); 13] = [
    ("security", 0),
    ("critical", 1),
    ("major", 2),
    ("minor", 3),
    ("warning", 4),
    ("indeterminate", 5),
    ("informational", 6),
    ("normal", 7),
    ("ok", 7),
    ("cleared", 7),
    ("debug", 8),
    ("trace", 9),
    ("unknown", 10),
];

/// What its client needs to know of the server.
pub(super) fn config() -> Value {
    let severities: Map<String, Value> =
        SEVERITIES.iter().map(|(name, rank)| ((*name).to_owned(), json!(rank))).collect();
    json!({
        "alarm_model": {
            "name": "Alerta", "severity": severities,
            "defaults": { "normal_severity": "normal", "previous_severity": "indeterminate" },
        },
        "auth_required": true, "allow_readonly": false, "provider": "basic", "customer_views": false,
        "refresh_interval": 5_000, "colors": {}, "severity": severities,
    })
}

pub(super) fn status(app: &App, since: Timestamp, now: Timestamp) -> Value {
    json!({
        "status": "ok", "application": "tocsin", "version": app.instance.version, "time": now.ms(),
        "uptime": now.ms_since(since), "metrics": [],
    })
}

/// In the sender's own word, or in the one that is nearest to ours.
pub(super) fn severity(alert: &Alert) -> String {
    let near = match alert.severity() {
        Severity::P0 => "security",
        Severity::P1 => "critical",
        Severity::P2 => "major",
        Severity::P3 => "warning",
        Severity::P4 => "informational",
        Severity::P5 | Severity::P6 => "debug",
    };
    let word = alert.event.severity_word.as_deref().map(str::to_lowercase);
    word.filter(|word| SEVERITIES.iter().any(|(name, _)| name == word)).unwrap_or_else(|| near.to_owned())
}

/// `expired` is what nobody repeated in the time it was said to hold.
pub(super) fn state(alert: &Alert, incident: Option<IncidentState>) -> &'static str {
    match (alert.state, incident) {
        (AlertState::Resolved, _) | (_, Some(IncidentState::Resolved)) => "closed",
        (_, Some(IncidentState::Acked)) => "ack",
        (_, Some(IncidentState::Snoozed)) => "shelved",
        _ if alert.stale_at.is_some() => "expired",
        _ => "open",
    }
}

/// A list that is kept as one text.
pub(super) fn list(event: &AlertEvent, name: &str) -> Value {
    let text = event.labels.get(name).map(String::as_str).unwrap_or_default();
    text.split(", ").filter(|item| !item.is_empty()).collect()
}

pub(super) fn alert(alert: &Alert, incident: Option<IncidentState>) -> Value {
    let event = &alert.event;
    let label = |name: &str| event.labels.get(name);
    // What was told in another format has no such names.
    let named = |name: &str, or: &str| label(name).map_or_else(|| or.to_owned(), Clone::clone);
    let attributes: Map<String, Value> = event
        .labels
        .iter()
        .filter(|(name, _)| !OWN.contains(&name.as_str()))
        // Its client takes no such names.
        .map(|(name, value)| (name.replace(['.', '$'], "_"), json!(value)))
        .collect();
    let (resource, what) =
        (named("resource", event.host.as_deref().unwrap_or("unknown")), named("event", &event.dedup_key));
    // The summary says both before the words.
    let text = event.summary.strip_prefix(&format!("{what} on {resource}"));
    let text = text.map_or(&*event.summary, |text| text.trim_start_matches(": "));
    let left_ms = event.ends_at.map_or(0, |at| at.ms_since(alert.last_at).max(0));
    let received = instant(alert.last_at);
    json!({
        "id": alert.id.0.to_string(), "resource": resource,
        "event": what, "environment": named("environment", ""), "severity": severity(alert),
        "correlate": list(event, "correlate"), "status": state(alert, incident), "service": list(event, "service"),
        "group": named("group", "Misc"), "value": label("value"), "text": text, "tags": list(event, "tags"),
        "attributes": attributes, "origin": label("origin"), "type": named("type", "exceptionAlert"),
        "createTime": instant(event.occurred_at.unwrap_or(alert.first_at)),
        "timeout": (left_ms + 999) / 1_000, "rawData": event.content,
        "customer": label("customer"), "duplicateCount": alert.count.saturating_sub(1), "repeat": alert.count > 1,
        "previousSeverity": "indeterminate", "trendIndication": "noChange", "receiveTime": received,
        "lastReceiveId": alert.id.0.to_string(), "lastReceiveTime": received, "updateTime": received, "history": [],
    })
}

/// Notes have no numbers of their own here.
pub(super) fn note(alert: &Alert, text: &str, now: Timestamp) -> Value {
    let id = alert.id.0.to_string();
    json!({ "status": "ok", "id": id, "note": {
        "id": id, "text": text, "user": alert.integration, "type": "alert", "attributes": {}, "createTime": instant(now),
        "related": { "alert": id },
    } })
}

/// As it was sent; an origin is its own number.
pub(super) fn heartbeat(body: &Value, now: Timestamp) -> Value {
    let id = body["origin"].as_str().unwrap_or("unknown");
    let tags = if body["tags"].is_array() { body["tags"].clone() } else { json!([]) };
    let timeout = body["timeout"].as_i64().unwrap_or(86_400);
    json!({ "status": "ok", "id": id, "heartbeat": {
        "id": id, "origin": id, "status": "ok", "tags": tags, "attributes": {}, "type": "Heartbeat",
        "createTime": instant(now), "receiveTime": instant(now), "timeout": timeout, "maxLatency": 2_000, "latency": 0,
        "since": 0, "customer": body["customer"],
    } })
}
