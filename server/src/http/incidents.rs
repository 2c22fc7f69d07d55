//! Incidents: the board from memory, history from the store, and everything about one of them.

use super::{
    App,
    app::{blocking, now},
    events,
    problem::ApiError,
    upcoming::{self, Policies},
};
use crate::{
    config,
    db::{IncidentQuery, LIMIT_MAX},
    live::BoardFilter,
};
use actix_web::web::{self, Query};
use engine::Snapshot;
use serde::Deserialize;
use shared::{
    Alert, Escalation, Incident, IncidentId, IncidentState, IntegrationId, PageVia, PersonId, Recipient, Severity,
    TeamId,
    api::{AlertPlace, IncidentDetail, IncidentList, IncidentRow, List, PolicyStand, UpcomingLevel},
    config::Document,
    timeline::{Actor, Happening, Skip, TargetResult, TimelineEntry},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

const MOST_MESSAGES: usize = 20;
const MOST_BEFORE: usize = 10;
/// Alerts whose machines are shown.
const MOST_PLACES: usize = 50;

#[derive(Deserialize)]
pub(super) struct IncidentFilter {
    state: Option<String>,
    severity: Option<String>,
    integration: Option<IntegrationId>,
    team: Option<TeamId>,
    host: Option<String>,
    q: Option<String>,
    after: Option<String>,
    limit: Option<usize>,
    /// `true`: what was over within three days, before anybody who was paged answered; other conditions do not count.
    missed: Option<bool>,
}

/// Long enough for a weekend.
const MISSED_MS: i64 = 3 * 86_400_000;

pub(super) async fn list_incidents(
    app: web::Data<App>,
    filter: Query<IncidentFilter>,
) -> Result<web::Json<IncidentList>, ApiError> {
    let filter = filter.into_inner();
    if filter.missed == Some(true) {
        return list_missed(&app, filter.limit).await;
    }
    let states = states(filter.state.as_deref().unwrap_or("open"))?;
    let severities = severities(filter.severity.as_deref().unwrap_or_default())?;
    let filled = |text: Option<String>| text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let (text, host) = (filled(filter.q), filled(filter.host));
    let limit = filter.limit.unwrap_or(100).clamp(1, LIMIT_MAX);
    if !states.contains(&IncidentState::Resolved) && host.is_none() {
        let (integration, team, after) = (filter.integration, filter.team, filter.after);
        let filter = BoardFilter { states, severities, integration, team, text, after, limit };
        return Ok(web::Json(app.board.list(&filter, now())));
    }
    let before = match filter.after.as_deref().map(str::parse) {
        None => None,
        Some(Ok(id)) => Some(IncidentId(id)),
        Some(Err(_)) => return Err(ApiError::invalid("after", "Pass the `next` of the page before.")),
    };
    let (integration, team) = (filter.integration, filter.team);
    let query = IncidentQuery { states, severities, integration, team, host, text, before, limit };
    // The heading is about what is open, whatever the list is about.
    let heading = app.board.list(&BoardFilter::default(), now());
    let page = app.db(move |store| store.incidents(&query)).await?;
    Ok(web::Json(IncidentList {
        items: page.items.iter().map(IncidentRow::from).collect(),
        next: page.next.map(|id| id.to_string()),
        total: page.total,
        ..heading
    }))
}

async fn list_missed(app: &App, limit: Option<usize>) -> Result<web::Json<IncidentList>, ApiError> {
    let heading = app.board.list(&BoardFilter::default(), now());
    let mut missed = app.db(|store| store.missed(now().plus_ms(-MISSED_MS))).await?;
    let total = u32::try_from(missed.len()).unwrap_or(u32::MAX);
    missed.truncate(limit.unwrap_or(100).clamp(1, LIMIT_MAX));
    let items = missed.iter().map(IncidentRow::from).collect();
    Ok(web::Json(IncidentList { items, next: None, total, ..heading }))
}

fn states(text: &str) -> Result<Vec<IncidentState>, ApiError> {
    use IncidentState::{Acked, Resolved, Snoozed, Triggered};
    let mut states = BTreeSet::new();
    for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
        match word {
            "triggered" => states.extend([Triggered]),
            "acked" => states.extend([Acked]),
            "snoozed" => states.extend([Snoozed]),
            "resolved" => states.extend([Resolved]),
            "open" => states.extend([Triggered, Acked, Snoozed]),
            "all" => states.extend([Triggered, Acked, Snoozed, Resolved]),
            _ => {
                let mend = format!("`{word}` is not a state; use triggered, acked, snoozed, resolved, open or all.");
                return Err(ApiError::invalid("state", mend));
            }
        }
    }
    Ok(states.into_iter().collect())
}

pub(super) fn severities(text: &str) -> Result<Vec<Severity>, ApiError> {
    let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
    words.map(|word| word.parse().map_err(|error: String| ApiError::invalid("severity", error))).collect()
}

#[derive(Deserialize)]
pub(super) struct AlertPage {
    after: Option<i64>,
    limit: Option<usize>,
}

pub(super) async fn list_alerts(
    app: web::Data<App>,
    page: Query<AlertPage>,
) -> Result<web::Json<List<Alert>>, ApiError> {
    let limit = page.limit.unwrap_or(100).clamp(1, LIMIT_MAX);
    let mut items = app.runtime.alerts(page.after.unwrap_or(0), limit + 1).await?;
    let more = items.len() > limit;
    items.truncate(limit);
    let next = items.last().filter(|_| more).map(|alert| alert.id.to_string());
    Ok(web::Json(List { items, next }))
}

/// An incident, open or over. The engine's memory is asked first: it may be ahead of what a reader sees.
pub(super) async fn find(app: &App, id: IncidentId) -> Result<Incident, ApiError> {
    match app.runtime.incident(id).await {
        Ok(Some(incident)) => Ok(incident),
        _ => app.db(move |store| store.incident(id)).await?.ok_or_else(|| ApiError::not_found("incident")),
    }
}

/// The policies of incidents as they started with them.
pub(super) async fn policies(app: &App, incidents: impl IntoIterator<Item = &Incident>) -> Result<Policies, ApiError> {
    let current = app.runtime.config();
    let wanted: BTreeSet<i64> = incidents.into_iter().flat_map(|it| &it.escalations).map(|it| it.config).collect();
    let mut found = Policies::new();
    for version in wanted {
        let known = if version == current.version { current.policies.clone() } else { older(app, version).await? };
        found.extend(known.into_iter().map(|(id, policy)| ((version, id), policy)));
    }
    Ok(found)
}

/// Configurations by version.
pub(super) type Documents = BTreeMap<i64, Arc<Document>>;

/// The configurations of these versions, as far as they can be read.
pub(super) async fn documents(app: &App, versions: impl IntoIterator<Item = i64>) -> Result<Documents, ApiError> {
    let current = app.runtime.config();
    let mut found = Documents::new();
    for version in versions.into_iter().collect::<BTreeSet<i64>>() {
        if version == current.version {
            found.insert(version, Arc::new(current.document.clone()));
        } else if let Some(text) = app.db(move |store| store.config_at(version)).await?
            && let Some(document) = blocking(move || config::parse(&text).ok()).await?
        {
            found.insert(version, Arc::new(document));
        }
    }
    Ok(found)
}

async fn older(app: &App, version: i64) -> Result<BTreeMap<shared::PolicyId, Arc<shared::config::Policy>>, ApiError> {
    let Some(text) = app.db(move |store| store.config_at(version)).await? else { return Ok(BTreeMap::new()) };
    let compiled = blocking(move || {
        let document = config::parse(&text).ok()?;
        Snapshot::compile(version, document).ok()
    });
    Ok(compiled.await?.map(|snapshot| snapshot.policies).unwrap_or_default())
}

pub(super) async fn show_incident(
    app: web::Data<App>,
    id: web::Path<i64>,
) -> Result<web::Json<IncidentDetail>, ApiError> {
    let id = IncidentId(id.into_inner());
    // Before anything is read: what changes meanwhile comes again by the live connection.
    let seq = app.board.seq();
    let incident = find(&app, id).await?;
    let policies = policies(&app, [&incident]).await?;
    let of = incident.clone();
    let (alerts, places, timeline, messages, before) = app
        .db(move |store| {
            let newest: Vec<i64> = of.alerts.iter().rev().take(MOST_PLACES).map(|id| id.0).collect();
            Ok((
                store.alerts_of(&of)?,
                store.places(&newest)?,
                store.timeline(id)?,
                store.messages_of(id, MOST_MESSAGES)?,
                store.before(&of, MOST_BEFORE)?,
            ))
        })
        .await?;
    let config = app.runtime.config();
    let detail = blocking(move || {
        let upcoming = upcoming::levels(&incident, &policies, &config);
        let names = names(&incident, &timeline, &upcoming, &config);
        IncidentDetail {
            row: IncidentRow::from(&incident),
            policies: incident.escalations.iter().map(|it| stand(it, &policies, &config)).collect(),
            incident,
            alerts,
            places: places
                .into_iter()
                .map(|(alert, it)| AlertPlace { alert, at: it.at, placement: it.placement })
                .collect(),
            timeline,
            upcoming,
            messages: messages.into_iter().map(|message| events::detail(&config, message)).collect(),
            before: before.iter().map(IncidentRow::from).collect(),
            names,
            seq,
            now: now(),
        }
    });
    Ok(web::Json(detail.await?))
}

/// The policy an incident keeps, and whether the configuration in force has another of this name.
fn stand(escalation: &Escalation, policies: &Policies, config: &Snapshot) -> PolicyStand {
    let kept = policies.get(&(escalation.config, escalation.policy.clone()));
    let newer = config.policies.get(&escalation.policy).filter(|newer| Some(*newer) != kept).map(|_| config.version);
    PolicyStand { policy: escalation.policy.clone(), config: escalation.config, newer }
}

/// Names of everybody who occurs.
fn names(
    incident: &Incident,
    timeline: &[TimelineEntry],
    upcoming: &[UpcomingLevel],
    config: &Snapshot,
) -> BTreeMap<PersonId, String> {
    let mut people: BTreeSet<&PersonId> = BTreeSet::new();
    let pages = incident.pages.iter().map(|page| &page.recipient);
    for recipient in pages.chain(upcoming.iter().flat_map(|level| &level.recipients)) {
        people.extend(person(recipient));
    }
    for page in &incident.pages {
        people.extend(match &page.via {
            PageVia::Schedule(on_call) => on_call.replaces.as_ref(),
            PageVia::StandIn { person } => Some(person),
            _ => None,
        });
    }
    let actors = timeline.iter().map(|entry| &entry.actor).chain(incident.ack.as_ref().map(|ack| &ack.by));
    people.extend(actors.filter_map(|actor| match actor {
        Actor::Link { person, .. } => Some(person),
        _ => None,
    }));
    people.extend(incident.everyone.iter().flat_map(|it| it.missing.iter().chain(&it.answered)));
    for entry in timeline {
        people.extend(in_happening(&entry.what));
    }
    people.into_iter().filter_map(|id| Some((id.clone(), config.people.get(id)?.name.clone()))).collect()
}

const fn person(recipient: &Recipient) -> Option<&PersonId> {
    match recipient {
        Recipient::Person(id) => Some(id),
        Recipient::Webhook(_) => None,
    }
}

fn in_happening(what: &Happening) -> Vec<&PersonId> {
    match what {
        Happening::LevelRan { targets, .. }
        | Happening::LevelEmpty { targets, .. }
        | Happening::RespondersAdded { targets, .. }
        | Happening::NobodyReached { fallback: targets, .. } => targets.iter().flat_map(in_target).collect(),
        Happening::Paged { recipient, .. }
        | Happening::Throttled { recipient, .. }
        | Happening::Delivery { recipient, .. } => person(recipient).into_iter().collect(),
        Happening::Reassigned { to } => vec![to],
        Happening::Answered { person, missing } => person.iter().chain(missing).collect(),
        _ => Vec::new(),
    }
}

fn in_target(target: &TargetResult) -> Vec<&PersonId> {
    target.recipients.iter().filter_map(person).chain(target.skipped.iter().filter_map(Skip::person)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_words_or_groups_of_them() {
        assert_eq!(states("open").unwrap().len(), 3);
        assert_eq!(states("resolved, acked").unwrap(), [IncidentState::Acked, IncidentState::Resolved]);
        assert_eq!(states("all").unwrap().len(), 4);
        assert!(states("closed").is_err());
        assert_eq!(severities("P0,p3").unwrap(), [Severity::P0, Severity::P3]);
        assert!(severities("P9").is_err());
    }
}
