//! An alertmanager.yml as it is written, and what of it has no counterpart here.

use super::Differences;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::collections::BTreeMap;

/// The parts that are carried over.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct File {
    pub(super) route: Option<Route>,
    #[serde(deserialize_with = "or_nothing")]
    pub(super) receivers: Vec<Receiver>,
    #[serde(deserialize_with = "or_nothing")]
    pub(super) inhibit_rules: Vec<InhibitRule>,
    #[serde(deserialize_with = "or_nothing")]
    pub(super) time_intervals: Vec<Interval>,
    /// The older name of the same.
    #[serde(deserialize_with = "or_nothing")]
    pub(super) mute_time_intervals: Vec<Interval>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Route {
    pub(super) receiver: String,
    pub(super) group_by: Option<Vec<String>>,
    pub(super) r#continue: bool,
    #[serde(rename = "match", deserialize_with = "or_nothing")]
    pub(super) equal: BTreeMap<String, String>,
    #[serde(rename = "match_re", deserialize_with = "or_nothing")]
    pub(super) like: BTreeMap<String, String>,
    #[serde(deserialize_with = "or_nothing")]
    pub(super) matchers: Vec<String>,
    #[serde(deserialize_with = "or_nothing")]
    pub(super) active_time_intervals: Vec<String>,
    #[serde(deserialize_with = "or_nothing")]
    pub(super) mute_time_intervals: Vec<String>,
    pub(super) group_wait: Option<String>,
    pub(super) group_interval: Option<String>,
    pub(super) repeat_interval: Option<String>,
    #[serde(deserialize_with = "or_nothing")]
    pub(super) routes: Vec<Route>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Receiver {
    pub(super) name: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct InhibitRule {
    pub(super) name: String,
    #[serde(rename = "source_match", deserialize_with = "or_nothing")]
    pub(super) source_equal: BTreeMap<String, String>,
    #[serde(rename = "source_match_re", deserialize_with = "or_nothing")]
    pub(super) source_like: BTreeMap<String, String>,
    #[serde(deserialize_with = "or_nothing")]
    pub(super) source_matchers: Vec<String>,
    #[serde(rename = "target_match", deserialize_with = "or_nothing")]
    pub(super) target_equal: BTreeMap<String, String>,
    #[serde(rename = "target_match_re", deserialize_with = "or_nothing")]
    pub(super) target_like: BTreeMap<String, String>,
    #[serde(deserialize_with = "or_nothing")]
    pub(super) target_matchers: Vec<String>,
    #[serde(deserialize_with = "or_nothing")]
    pub(super) equal: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Interval {
    pub(super) name: String,
    #[serde(deserialize_with = "or_nothing")]
    pub(super) time_intervals: Vec<Span>,
}

/// A list that is there and empty matches nothing; one that is absent does not matter.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Span {
    pub(super) times: Option<Vec<Times>>,
    pub(super) weekdays: Option<Vec<String>>,
    pub(super) days_of_month: Option<Vec<String>>,
    pub(super) months: Option<Vec<String>>,
    pub(super) years: Option<Vec<String>>,
    pub(super) location: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Times {
    pub(super) start_time: String,
    pub(super) end_time: String,
}

/// `key:` with nothing behind it.
fn or_nothing<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

pub(super) fn read(yaml: &str) -> Result<File, String> {
    serde_saphyr::from_str(yaml).map_err(|error| format!("this is no alertmanager.yml: {error}"))
}

/// The whole file as values, for what is only looked at: numbers and texts are not told apart here.
pub(super) fn values(yaml: &str) -> Result<Value, String> {
    serde_saphyr::from_str(yaml).map_err(|error| format!("this is no alertmanager.yml: {error}"))
}

/// The members of a list of objects below a key.
pub(super) fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

const TOP: [&str; 6] = ["global", "route", "receivers", "inhibit_rules", "time_intervals", "mute_time_intervals"];
const ROUTE: [&str; 12] = [
    "receiver",
    "group_by",
    "continue",
    "match",
    "match_re",
    "matchers",
    "active_time_intervals",
    "mute_time_intervals",
    "group_wait",
    "group_interval",
    "repeat_interval",
    "routes",
];
const INHIBIT: [&str; 8] = [
    "name",
    "source_match",
    "source_match_re",
    "source_matchers",
    "target_match",
    "target_match_re",
    "target_matchers",
    "equal",
];

/// What holds for every import, and the keys that are not carried over.
pub(super) fn differences(yaml: &str, differences: &mut Differences) -> Result<(), String> {
    for (place, what) in ALWAYS {
        differences.add(*place, *what);
    }
    let file = values(yaml)?;
    unknown(&file, &TOP, "", differences);
    if let Some(global) = file.get("global").and_then(Value::as_object) {
        for key in global.keys() {
            let what = match key.as_str() {
                "resolve_timeout" => {
                    "not carried over: an alert that is no longer sent stays open until its sender says it is over"
                }
                _ => "not carried over: how pages leave the house is `[channels]` and people's contacts here",
            };
            differences.add(format!("global.{key}"), what);
        }
    }
    for (i, rule) in list(&file, "inhibit_rules").iter().enumerate() {
        unknown(rule, &INHIBIT, &format!("inhibit_rules[{i}]."), differences);
    }
    if let Some(route) = file.get("route") {
        below(route, "route", differences);
    }
    Ok(())
}

fn below(route: &Value, place: &str, differences: &mut Differences) {
    unknown(route, &ROUTE, &format!("{place}."), differences);
    for (i, child) in list(route, "routes").iter().enumerate() {
        below(child, &format!("{place}.routes[{i}]"), differences);
    }
}

fn unknown(value: &Value, known: &[&str], place: &str, differences: &mut Differences) {
    for key in value.as_object().into_iter().flat_map(serde_json::Map::keys) {
        if !known.contains(&key.as_str()) {
            differences.add(format!("{place}{key}"), "not carried over: it has no counterpart here");
        }
    }
}

/// How the two programs differ whatever the file says.
const ALWAYS: &[(&str, &str)] = &[
    (
        "route",
        "Alertmanager sends a group of alerts again and again until they are over; Tocsin pages level by level until \
         somebody answers, and then stays quiet",
    ),
    (
        "route",
        "a route's policy is decided when an alert opens and when its severity rises, not each time a message goes out",
    ),
    (
        "route",
        "an alert that continues to several routes is one incident with several policies, and a person they share is \
         paged once; Alertmanager sends each route's message",
    ),
    (
        "route",
        "a P0 or P1 is never silent: where a policy reaches nobody, `fallback` is paged, also for a receiver that was \
         empty to drop alerts",
    ),
    (
        "route",
        "`labels.severity` in a condition is the sender's label as in Alertmanager; Tocsin's own P0 to P6 is `severity`, \
         made of that label (critical is P1, warning P3) unless the integration's `classes` say otherwise",
    ),
];
