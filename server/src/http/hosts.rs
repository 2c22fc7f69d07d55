//! Hosts: the board of them, one of them, its series in time, and the token of a new one's agent.

use super::{
    App,
    app::{act, blocking, now},
    body::Json,
    overrides::edit,
    principal::Principal,
    problem::ApiError,
    tokens::{Wanted, issue},
};
use crate::{
    config::add_agents,
    db::{IncidentQuery, Store, StoreError, TokenKind},
    hosts::{QueryFault, Shown},
    inventory::{Inventory, Machine, is_agent_name, open_of_each},
};
use actix_web::{HttpResponse, http::StatusCode, web};
use serde::Deserialize;
use shared::{
    Incident, IncidentId, IncidentState, SourceId, Timestamp,
    api::{
        HostBoard, HostDetail, HostGroupRow, HostIncident, HostRow, HostVm, List, NewAgent, NewToken, RuleState,
        SeriesAnswer, SeriesQuery,
    },
    config::SourceKind,
    placement::Placement,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    sync::Arc,
};

/// Incidents that are over are shown of one host for so long unless another stretch is asked for, and so many.
const OVER_MS: i64 = 86_400_000;
const OVER_MAX: usize = 50;
/// So many pages of them are looked through for a stretch that is long ago.
const OVER_PAGES: usize = 8;
/// Names and addresses of one host by which incidents are looked for.
const NAMES_MAX: usize = 8;
/// Hosts of one incident.
const OF_INCIDENT_MAX: usize = 200;

#[derive(Deserialize)]
pub(super) struct One {
    name: String,
    from: Option<Timestamp>,
    until: Option<Timestamp>,
}

pub(super) async fn list_hosts(app: web::Data<App>) -> Result<web::Json<HostBoard>, ApiError> {
    let now = now();
    let config = app.runtime.config();
    let hosts = rows(&app, |_| true).await?;
    let count = |id| hosts.iter().filter(|row| row.groups.contains(id)).count();
    let groups = config.document.host_groups.iter().map(|group| HostGroupRow {
        id: group.id.clone(),
        name: group.title().to_owned(),
        hosts: u32::try_from(count(&group.id)).unwrap_or(u32::MAX),
    });
    let groups = groups.collect();
    Ok(web::Json(HostBoard { now, hosts, groups }))
}

/// The hosts that are wanted, with where each runs and what is open of it.
async fn rows(
    app: &web::Data<App>,
    wanted: impl Fn(&Shown) -> bool + Send + 'static,
) -> Result<Vec<HostRow>, ApiError> {
    let config = app.runtime.config();
    let (hosts, inventory) = (Arc::clone(&app.hosts), Arc::clone(&app.inventory));
    let shown = move || {
        let mut shown = hosts.shown(&config.document.host_groups, now());
        shown.retain(&wanted);
        for it in &mut shown {
            let placement = place(&inventory, it);
            it.row.hypervisor = placement.as_ref().and_then(|it| Some(it.hypervisor.as_ref()?.name.clone()));
            it.row.cluster = placement.and_then(|it| it.hypervisor?.cluster);
        }
        shown
    };
    let shown = blocking(shown).await?;
    let machines: Vec<Machine> = shown.iter().map(machine).collect();
    let open = app.runtime.ask(move |engine| open_of_each(engine.state.incidents.values().map(|it| &**it), &machines));
    let open = open.await.map_err(|_| ApiError::unavailable())?;
    let with = |(Shown { mut row, .. }, open): (Shown, Vec<_>)| {
        row.severity = open.first().map(|it: &shared::api::OpenIncident| it.severity);
        row.incidents = u32::try_from(open.len()).unwrap_or(u32::MAX);
        row
    };
    Ok(shown.into_iter().zip(open).map(with).collect())
}

fn machine(shown: &Shown) -> Machine {
    Machine::called(shown.names.iter().map(String::as_str), shown.ips.iter().copied())
}

/// Where the VM is that a host is: by its hardware addresses, its addresses, its names.
fn place(inventory: &Inventory, shown: &Shown) -> Option<Placement> {
    let index = inventory.index();
    index.sources().next()?;
    let at = now();
    let by_mac = shown.macs.iter().find_map(|mac| index.locate(Some(*mac), None, None, at));
    let by_ip = || shown.ips.iter().find_map(|ip| index.locate(None, Some(*ip), None, at));
    let by_name = || shown.names.iter().find_map(|name| index.locate(None, None, Some(name), at));
    by_mac.or_else(by_ip).or_else(by_name)
}

pub(super) async fn show_host(app: web::Data<App>, one: web::Query<One>) -> Result<web::Json<HostDetail>, ApiError> {
    let (now, One { name, from, until }) = (now(), one.into_inner());
    let stretch = (from.unwrap_or_else(|| now.plus_ms(-OVER_MS)), until.unwrap_or(now));
    let config = app.runtime.config();
    let (hosts, inventory) = (Arc::clone(&app.hosts), Arc::clone(&app.inventory));
    let found = blocking(move || {
        let detail = hosts.detail(&name, &config.document.host_groups, now)?;
        let placement = place(&inventory, &detail.shown);
        Some((detail, placement))
    });
    let (detail, placement) = found.await?.ok_or_else(|| ApiError::not_found("host"))?;
    let mut row = detail.shown.row.clone();
    let incidents = incidents(&app, &detail.shown, stretch).await?;
    let open = || incidents.iter().filter(|it| it.until.is_none());
    row.severity = open().map(|it| it.severity).min();
    row.incidents = u32::try_from(open().count()).unwrap_or(u32::MAX);
    let (mut vm, mut hypervisor) = (None, None);
    if let Some(placement) = placement {
        (vm, hypervisor) = (placement.vm, placement.hypervisor);
    }
    row.cluster = hypervisor.as_ref().and_then(|it| it.cluster.clone());
    row.hypervisor = hypervisor.map(|it| it.name);
    let rules = app.judge.standing(|host, state| host == row.name && state >= RuleState::Unknown);
    Ok(web::Json(HostDetail {
        now,
        row,
        facts: detail.facts,
        tables: detail.tables,
        series: detail.series,
        rules,
        incidents,
        vm: vm.map(|it| HostVm { source: it.source.to_string(), key: it.key, name: it.name }),
        clock_ahead_ms: detail.clock_ahead_ms,
        lost: detail.lost,
    }))
}

/// What is open of a host, the most severe first, and what was over within a stretch.
async fn incidents(
    app: &web::Data<App>,
    shown: &Shown,
    stretch: (Timestamp, Timestamp),
) -> Result<Vec<HostIncident>, ApiError> {
    let machines = vec![machine(shown)];
    let open = app.runtime.ask(move |engine| {
        let of_host = open_of_each(engine.state.incidents.values().map(|it| &**it), &machines);
        let found = of_host.into_iter().flatten().filter_map(|it| engine.state.incidents.get(&it.id));
        found.map(|it| band(it)).collect::<Vec<_>>()
    });
    let mut found = open.await.map_err(|_| ApiError::unavailable())?;
    let names: Vec<String> = shown.names.iter().cloned().chain(shown.ips.iter().map(ToString::to_string)).collect();
    let over = app.db(move |store| {
        let mut over: BTreeMap<IncidentId, Incident> = BTreeMap::new();
        for name in names.into_iter().take(NAMES_MAX) {
            over.extend(resolved(store, name, stretch)?.into_iter().map(|it| (it.id, it)));
        }
        Ok(over)
    });
    found.extend(over.await?.into_values().rev().map(|it| band(&it)).take(OVER_MAX));
    Ok(found)
}

/// What was over of a machine within a stretch, the newest first.
fn resolved(
    store: &mut Store,
    name: String,
    (from, until): (Timestamp, Timestamp),
) -> Result<Vec<Incident>, StoreError> {
    let states = vec![IncidentState::Resolved];
    let mut query = IncidentQuery { states, host: Some(name), limit: OVER_MAX, ..IncidentQuery::default() };
    let mut found = Vec::new();
    for _ in 0..OVER_PAGES {
        let page = store.incidents(&query)?;
        // They are in the order in which they began; one that lasted very long before the stretch is not waited for.
        let is_past = page.items.last().is_none_or(|it| it.opened_at < from.plus_ms(-OVER_MS));
        let is_within = |it: &Incident| it.opened_at <= until && it.resolved_at.is_some_and(|at| at >= from);
        found.extend(page.items.into_iter().filter(is_within));
        query.before = page.next;
        if is_past || query.before.is_none() || found.len() >= OVER_MAX {
            break;
        }
    }
    Ok(found)
}

fn band(incident: &Incident) -> HostIncident {
    HostIncident {
        id: incident.id,
        title: incident.title.to_string(),
        severity: incident.severity,
        from: incident.opened_at,
        until: incident.resolved_at,
        acked_at: incident.ack.as_ref().map(|ack| ack.at),
    }
}

pub(super) async fn forget_host(
    app: web::Data<App>,
    principal: Principal,
    one: web::Query<One>,
) -> Result<HttpResponse, ApiError> {
    let name = one.into_inner().name;
    let entry = act(&principal.record_name(), "host.forget", name.clone(), "");
    let hosts = Arc::clone(&app.hosts);
    let known = app.db(move |store| hosts.forget(&name, store)).await?;
    if !known {
        return Err(ApiError::not_found("host"));
    }
    app.change(entry, |_| Ok(())).await?;
    Ok(HttpResponse::NoContent().finish())
}

pub(super) async fn show_series(
    app: web::Data<App>,
    Json(query): Json<SeriesQuery>,
) -> Result<web::Json<SeriesAnswer>, ApiError> {
    let hosts = Arc::clone(&app.hosts);
    read(&app, move |store| hosts.series(&query, store, now())).await.map(web::Json)
}

/// Reads what was measured, when it is this question's turn.
pub(super) async fn read<T: Send + 'static>(
    app: &App,
    work: impl FnOnce(&mut Store) -> Result<T, QueryFault> + Send + 'static,
) -> Result<T, ApiError> {
    let _place = app.hosts.may_read().await;
    let readers = Arc::clone(&app.readers);
    let answer = blocking(move || {
        let mut fault = None;
        let answer = readers.with(|store| match work(store) {
            Ok(answer) => Ok(Some(answer)),
            Err(QueryFault::Store(error)) => Err(error),
            Err(other) => {
                fault = Some(other);
                Ok(None)
            }
        });
        (answer, fault)
    });
    let (answer, fault) = answer.await?;
    match (answer?, fault) {
        (Some(answer), _) => Ok(answer),
        (None, Some(QueryFault::Bad { field, message })) => Err(ApiError::invalid(field, message)),
        (None, fault) => {
            let told = fault.map(|it| it.to_string()).unwrap_or_default();
            let title = "The series cannot be read in time";
            Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "too_long", title).detail(told))
        }
    }
}

pub(super) async fn make_agent(
    app: web::Data<App>,
    principal: Principal,
    Json(body): Json<NewAgent>,
) -> Result<HttpResponse, ApiError> {
    let name = body.name.trim().to_owned();
    if !is_agent_name(&name) {
        return Err(ApiError::invalid("name", "Use 1 to 64 letters, digits, dots, hyphens and underscores."));
    }
    let source = |document: &shared::config::Document| {
        let agents = document.sources.iter().find(|it| it.kind == SourceKind::Agents && !it.paused);
        agents.map(|it| it.id.clone())
    };
    let id = match source(&app.runtime.config().document) {
        Some(id) => id,
        None => {
            edit(&app, &principal, "source.create", "agents", |text, document, _| {
                if let Some(id) = source(document) {
                    return Ok((text.to_owned(), id));
                }
                let id = SourceId::from("agents");
                if document.sources.iter().any(|it| it.id == id) {
                    let told = "The source `agents` is paused, or of another kind; add one with kind = \"agents\".";
                    return Err(ApiError::new(StatusCode::CONFLICT, "no_such_source", "There is no source of agents")
                        .detail(told));
                }
                Ok((add_agents(text, &id)?, id))
            })
            .await?
        }
    };
    let full = format!("{id}/{name}");
    let entry = act(&principal.record_name(), "agent.token", full.clone(), "");
    let wanted = Wanted { kind: TokenKind::Agent, name: full, integration: None, role: None, old_until: None };
    let (_, token) = issue(&app, entry, wanted).await?;
    Ok(HttpResponse::Created().json(NewToken { token, integration: None, url: Some(app.public_url()) }))
}

/// The monitored machines that an incident's alerts are about.
pub(super) async fn hosts_of_incident(
    app: web::Data<App>,
    id: web::Path<i64>,
) -> Result<web::Json<List<HostRow>>, ApiError> {
    let id = IncidentId(*id);
    let found = app.db(move |store| {
        let Some(incident) = store.incident(id)? else { return Ok(None) };
        let alerts: Vec<i64> = incident.alerts.iter().take(OF_INCIDENT_MAX).map(|it| it.0).collect();
        Ok(Some((store.places(&alerts)?, incident)))
    });
    let (places, incident) = found.await?.ok_or_else(|| ApiError::not_found("incident"))?;
    let said = [incident.host.as_deref(), incident.ip.as_deref()];
    let said = said.into_iter().flatten().chain(incident.hosts.iter().map(|it| &**it));
    let mut names: BTreeSet<String> = said.map(str::to_lowercase).collect();
    let mut ips: BTreeSet<IpAddr> = names.iter().filter_map(|it| it.parse().ok()).collect();
    for (_, placed) in &places {
        let Some(vm) = &placed.placement.vm else { continue };
        names.extend([Some(&vm.name), vm.hostname.as_ref()].into_iter().flatten().map(|it| it.to_lowercase()));
        ips.extend(vm.nics.iter().flat_map(|nic| &nic.ips).map(|it| it.ip));
    }
    let is_meant = move |it: &Shown| {
        it.names.iter().any(|name| names.contains(&name.to_lowercase())) || it.ips.iter().any(|ip| ips.contains(ip))
    };
    let mut items = rows(&app, is_meant).await?;
    items.truncate(OF_INCIDENT_MAX);
    Ok(web::Json(List { items, next: None }))
}
