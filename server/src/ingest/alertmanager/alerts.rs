//! What a sender told us, as Alertmanager shows it: alerts, groups and receivers.

use super::{
    Asked, Fault, found,
    matchers::{Compiled, Matcher},
};
use crate::{http::App, runtime::Told};
use actix_web::HttpResponse;
use regex::Regex;
use serde_json::{Map, Value, json};
use shared::{Format, IncidentId, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// The receiver of what nobody is paged for.
pub(super) const NOBODY: &str = "nobody";

/// Matchers of one query.
const FILTERS_MAX: usize = 64;

/// Which alerts are asked for.
struct Filter {
    matchers: Vec<Matcher>,
    receiver: Option<Regex>,
    active: bool,
    silenced: bool,
    inhibited: bool,
}

impl Filter {
    fn of(asked: &Asked<'_>) -> Result<Self, Fault> {
        let mut filter = Self { matchers: Vec::new(), receiver: None, active: true, silenced: true, inhibited: true };
        for (name, value) in asked.query() {
            // What is none of Go's words for truth is no.
            let yes = matches!(&*value, "" | "1" | "t" | "T" | "true" | "TRUE" | "True" | "yes" | "on" | "ok" | "y");
            match &*name {
                "filter" if filter.matchers.len() >= FILTERS_MAX => {
                    return Err(Fault::bad(format!("at most {FILTERS_MAX} filters")));
                }
                "filter" => filter.matchers.push(Matcher::parse(&value).map_err(Fault::bad)?),
                "receiver" => {
                    let regex = Regex::new(&format!("^(?:{value})$")).map_err(|error| {
                        Fault::bad(format!("failed to parse receiver param: {}", error.to_string().replace('\n', " ")))
                    })?;
                    filter.receiver = Some(regex);
                }
                "active" => filter.active = yes,
                "silenced" => filter.silenced = yes,
                "inhibited" => filter.inhibited = yes,
                _ => {}
            }
        }
        Ok(filter)
    }

    fn admits(&self, matchers: &[Compiled<'_>], told: &Told, now: Timestamp) -> bool {
        let event = &told.alert.event;
        // What was not told again in time is over there.
        if event.ends_at.is_some_and(|at| at < now) {
            return false;
        }
        let (silenced, inhibited) = (!told.silences.is_empty(), !told.follows.is_empty());
        let wanted =
            (self.active || silenced || inhibited) && (self.silenced || !silenced) && (self.inhibited || !inhibited);
        let label = |name: &str| event.labels.get(name).map(String::as_str).unwrap_or_default();
        wanted
            && matchers.iter().all(|it| it.matches(label(it.name())))
            && self.receiver.as_ref().is_none_or(|regex| receivers_of(told).iter().any(|name| regex.is_match(name)))
    }
}

fn receivers_of(told: &Told) -> Vec<String> {
    match told.policies.as_slice() {
        [] => vec![NOBODY.to_owned()],
        some => some.iter().map(ToString::to_string).collect(),
    }
}

/// RFC 3339 with milliseconds, as go-openapi writes it.
pub(in crate::ingest) fn instant(at: Timestamp) -> String {
    // Nothing of ours lies outside of what can be written.
    jiff::Timestamp::from_millisecond(at.ms()).map(|at| format!("{at:.3}")).unwrap_or_default()
}

fn shown(told: &Told, now: Timestamp) -> Value {
    let (alert, event) = (&told.alert, &told.alert.event);
    let silenced: Vec<String> = told.silences.iter().map(|id| super::silences::uuid(*id)).collect();
    let state = if silenced.is_empty() && told.follows.is_empty() { "active" } else { "suppressed" };
    // An Alertmanager's webhook says no end of what fires.
    let ends_at = event.ends_at.unwrap_or_else(|| now.plus_ms(300_000));
    let mut members = json!({
        "labels": *event.labels,
        "annotations": *event.annotations,
        "startsAt": instant(event.occurred_at.unwrap_or(alert.first_at)),
        "endsAt": instant(ends_at),
        "updatedAt": instant(alert.last_at),
        "fingerprint": event.dedup_key,
        "receivers": receivers_of(told).iter().map(|name| json!({ "name": name })).collect::<Vec<_>>(),
        "status": {
            "state": state, "silencedBy": silenced, "inhibitedBy": told.follows, "mutedBy": [],
        },
    });
    if let (Value::Object(members), Some(url)) = (&mut members, event.links.first()) {
        members.insert("generatorURL".to_owned(), url.as_str().into());
    }
    members
}

/// The alerts that were asked for, by fingerprint.
async fn asked_for(asked: &Asked<'_>) -> Result<Vec<Told>, Fault> {
    let filter = Filter::of(asked)?;
    let mut told = asked.app.runtime.told_by(asked.integration.clone(), Some(Format::Alertmanager)).await?;
    let matchers: Result<Vec<_>, String> = filter.matchers.iter().map(Matcher::compile).collect();
    let matchers = matchers.map_err(Fault::bad)?;
    told.retain(|it| filter.admits(&matchers, it, asked.now));
    told.sort_by(|a, b| a.alert.event.dedup_key.cmp(&b.alert.event.dedup_key));
    Ok(told)
}

pub(super) async fn list(asked: &Asked<'_>) -> Result<HttpResponse, Fault> {
    let told = asked_for(asked).await?;
    Ok(found(&told.iter().map(|it| shown(it, asked.now)).collect()))
}

/// An incident is a group: it is what people are told of together. Its labels are those that all of its alerts have.
pub(super) async fn groups(asked: &Asked<'_>) -> Result<HttpResponse, Fault> {
    let mut of: BTreeMap<IncidentId, Vec<Told>> = BTreeMap::new();
    for told in asked_for(asked).await? {
        of.entry(told.incident).or_default().push(told);
    }
    let group = |alerts: &Vec<Told>| {
        let mut common = alerts.first().map(|it| it.alert.event.labels.to_map()).unwrap_or_default();
        common.retain(|name, value| alerts.iter().all(|it| it.alert.event.labels.get(name) == Some(value)));
        let shown: Vec<Value> = alerts.iter().map(|it| shown(it, asked.now)).collect();
        let receivers: BTreeSet<String> = alerts.iter().flat_map(receivers_of).collect();
        let group = move |name: String| json!({ "labels": common, "routeLabels": Map::new(), "receiver": { "name": name }, "alerts": shown });
        receivers.into_iter().map(group).collect::<Vec<_>>()
    };
    Ok(found(&of.values().flat_map(group).collect()))
}

/// Whoever may be paged: the policies.
pub(super) fn receivers(app: &App) -> Value {
    let config = app.runtime.config();
    let policies = config.policies.keys().map(ToString::to_string);
    policies.chain([NOBODY.to_owned()]).map(|name| json!({ "name": name })).collect()
}
