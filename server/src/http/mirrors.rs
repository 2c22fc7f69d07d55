//! Port mirrors: what would come of one, and each act about one, which is the engine's to allow.

use super::{
    App,
    app::{act, now},
    body::Json,
    principal::Principal,
    problem::ApiError,
};
use crate::{
    mirror::{self, Asked, Draft, Held, Picked, standing},
    runtime::ActError,
};
use actix_web::{HttpResponse, http::StatusCode, web};
use engine::{
    Refusal,
    mirror::{MirrorAct, MirrorRefusal, Request},
};
use serde::Deserialize;
use shared::{
    BackendId, IncidentId, MirrorId,
    api::{
        BackendRow, CollectorRow, IncidentMirrors, MirrorApproval, MirrorBoard, MirrorCheck, MirrorExtension,
        MirrorLimits, MirrorPreset, MirrorRequest, NoPreset, OtherSession, PanicStopped, Projected, Role, SwitchPorts,
        SwitchRow,
    },
    config::{Collector, Finding},
    mirror::{
        About, Encapsulation, Mirror, MirrorPlace, MirrorSource, MirrorSpec, MirrorTag, SwitchView, Transport, Weight,
    },
    net::Mac,
    text::{Language, mirror::finding},
    timeline::Actor,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

const DAY_MS: i64 = 86_400_000;
/// Mirrors that are over are listed for so long, and so many.
const LISTED_MS: i64 = 30 * DAY_MS;
const MOST: usize = 200;
/// Mirrors that an incident could begin with.
const PRESETS: usize = 8;
/// ERSPAN's session ids: ten bits.
const SESSIONS: std::ops::RangeInclusive<u32> = 1..=1023;

pub(super) async fn list_mirrors(app: web::Data<App>, by: Principal) -> Result<web::Json<MirrorBoard>, ApiError> {
    let config = app.runtime.config();
    let mode = &config.document.mirrors;
    let live = app.runtime.mirrors().await?;
    let known: BTreeSet<MirrorId> = live.iter().map(|it| it.id).collect();
    let since = now().plus_ms(-LISTED_MS);
    let over = app.db(move |store| store.mirrors_over(since, MOST)).await?;
    let backends = mode.backends.iter().map(|backend| {
        let held = app.mirrors.held(&backend.id);
        let seen = held.as_ref().map(|it| it.standing()).unwrap_or_default();
        let switches = seen.switches.iter().map(|view| switch_row(view, app.mirrors.instance(), &known));
        BackendRow {
            id: backend.id.clone(),
            name: backend.title().to_owned(),
            kind: backend.kind,
            address: backend.address.clone(),
            paused: backend.paused,
            seen_at: seen.seen_at,
            error: seen.error.clone(),
            switches: switches.collect(),
        }
    });
    let asks = mirror::name_of(&by.actor());
    let collectors = mode.collectors.iter().map(|it| collector_row(it, &asks, &live));
    Ok(web::Json(MirrorBoard {
        items: live.iter().rev().map(|it| app.mirrors.with_progress(it)).chain(over).collect(),
        next: None,
        backends: backends.collect(),
        collectors: collectors.collect(),
        limits: MirrorLimits {
            usual_ms: mode.usual.0,
            longest_ms: mode.longest.0,
            per_person: mode.per_person,
            allowed: by.role >= Role::Network,
        },
        watchdog_at: app.data.as_deref().and_then(mirror::lease::alive_at),
    }))
}

fn switch_row(view: &SwitchView, instance: &str, known: &BTreeSet<MirrorId>) -> SwitchRow {
    let others = view.sessions.iter().filter_map(|session| {
        Some(OtherSession { standing: standing(session, instance, known)?, session: session.clone() })
    });
    SwitchRow {
        backend: view.backend.clone(),
        switch: view.switch.clone(),
        name: view.name.clone(),
        version: view.version.clone(),
        can: view.can,
        ports: u32::try_from(view.ports.len()).unwrap_or(u32::MAX),
        others: others.collect(),
    }
}

fn collector_row(collector: &Collector, asks: &str, live: &[Arc<Mirror>]) -> CollectorRow {
    let used = live.iter().filter(|it| it.state.may_run() && goes_to(&it.spec, collector)).count();
    let Collector { id, ip, backend, switch, port, vlan, accounts, .. } = collector.clone();
    CollectorRow {
        id,
        name: collector.title().to_owned(),
        ip,
        backend,
        switch,
        port,
        vlan,
        allowed: accounts.is_empty() || accounts.iter().any(|it| it == asks),
        in_use: u32::try_from(used).unwrap_or(u32::MAX),
    }
}

fn goes_to(spec: &MirrorSpec, collector: &Collector) -> bool {
    match &spec.transport {
        Transport::Erspan { remote, .. } => collector.ip == Some(*remote),
        Transport::Span { port } | Transport::RspanDestination { port } => {
            collector.port.as_ref() == Some(port) && collector.backend == spec.backend
        }
        Transport::RspanSource { vlan, .. } => collector.vlan == Some(*vlan),
        Transport::Legacy => false,
    }
}

pub(super) async fn check_mirror(
    app: web::Data<App>,
    by: Principal,
    Json(spec): Json<MirrorSpec>,
) -> Result<web::Json<MirrorCheck>, ApiError> {
    let drafted = draft(&app, &by, spec).await?;
    let live = app.runtime.mirrors().await?;
    let known: BTreeSet<MirrorId> = live.iter().map(|it| it.id).collect();
    let needs_approval = needs_approval(&drafted);
    let projected = drafted.projected();
    let Draft { spec, world, findings, plan, error } = drafted;
    Ok(web::Json(MirrorCheck {
        spec,
        findings,
        sources: world.sources.iter().flat_map(|(_, found)| found.iter().cloned()).collect(),
        plan,
        needs_approval,
        switch: world.switch.as_ref().map(|view| switch_row(view, app.mirrors.instance(), &known)),
        projected: projected.map(|it| Projected { copied_bps: it.copied_bps, room_bps: it.room_bps }),
        error,
    }))
}

fn needs_approval(drafted: &Draft) -> bool {
    drafted.findings.iter().any(|it| matches!(it.about, About::SecondPerson { .. }))
}

async fn draft(app: &App, by: &Principal, spec: MirrorSpec) -> Result<Draft, ApiError> {
    let store_drift_ms = app.db(|store| store.clock_drift_ms()).await?;
    let actor = by.actor();
    let asked =
        Asked { desk: &app.mirrors, inventory: &app.inventory, runtime: &app.runtime, by: &actor, store_drift_ms };
    Ok(mirror::world(asked, spec, None).await)
}

pub(super) async fn begin_mirror(
    app: web::Data<App>,
    by: Principal,
    Json(asked): Json<MirrorRequest>,
) -> Result<HttpResponse, ApiError> {
    let actor = by.actor();
    if let Some(key) = asked.key.clone() {
        let again = app.db(move |store| store.mirror_by_key(&actor, &key)).await?;
        if let Some(same) = again {
            return Ok(HttpResponse::Ok().json(same));
        }
    }
    if let Some(backend) = &asked.spec.backend
        && app.mirrors.held(backend).is_some_and(|it| it.config().paused)
    {
        return Err(ApiError::new(StatusCode::CONFLICT, "paused", "Nothing new is begun on this backend")
            .detail("It is paused in the configuration.")
            .field("backend"));
    }
    if let Some(incident) = asked.spec.incident {
        let known = app.db(move |store| Ok(!store.incidents_of(&[incident])?.is_empty())).await?;
        if !known {
            return Err(ApiError::invalid("incident", "There is no incident with this number."));
        }
    }
    let drafted = draft(&app, &by, asked.spec).await?;
    if drafted.is_blocked() {
        return Err(refused(&app, &by, "mirror.request", "", MirrorRefusal::Blocked(drafted.findings)).await);
    }
    let Draft { spec, world, plan, error, .. } = drafted;
    let Some(plan) = plan else {
        let why = error.unwrap_or_else(|| "The switch is not known, so there is no plan.".to_owned());
        return Err(ApiError::new(StatusCode::BAD_GATEWAY, "switch_unavailable", "There is no plan").detail(why));
    };
    let request = Request { spec, world, plan, seen: asked.hash, key: asked.key };
    let made = decide(&app, &by, "mirror.request", "", MirrorAct::Request(Box::new(request))).await?;
    let mirror = made.into_iter().next().ok_or_else(ApiError::internal)?;
    Ok(HttpResponse::build(StatusCode::CREATED).json(mirror))
}

pub(super) async fn show_mirror(app: web::Data<App>, id: web::Path<i64>) -> Result<web::Json<Mirror>, ApiError> {
    let id = MirrorId(*id);
    // What is not over has newer counters in memory than in the store.
    let live = app.runtime.mirrors().await?;
    if let Some(mirror) = live.iter().find(|it| it.id == id) {
        return Ok(web::Json(app.mirrors.with_progress(mirror)));
    }
    let stored = app.db(move |store| store.mirror(id)).await?;
    stored.map(web::Json).ok_or_else(|| ApiError::not_found("mirror"))
}

pub(super) async fn approve_mirror(
    app: web::Data<App>,
    by: Principal,
    id: web::Path<i64>,
    Json(approval): Json<MirrorApproval>,
) -> Result<web::Json<Mirror>, ApiError> {
    one(&app, &by, "mirror.approve", *id, |mirror| MirrorAct::Approve { mirror, hash: approval.hash }).await
}

pub(super) async fn extend_mirror(
    app: web::Data<App>,
    by: Principal,
    id: web::Path<i64>,
    Json(extension): Json<MirrorExtension>,
) -> Result<web::Json<Mirror>, ApiError> {
    one(&app, &by, "mirror.extend", *id, |mirror| MirrorAct::Extend { mirror, until: extension.expires_at }).await
}

pub(super) async fn stop_mirror(
    app: web::Data<App>,
    by: Principal,
    id: web::Path<i64>,
) -> Result<web::Json<Mirror>, ApiError> {
    one(&app, &by, "mirror.end", *id, |mirror| MirrorAct::Stop { mirror }).await
}

async fn one(
    app: &App,
    by: &Principal,
    action: &str,
    id: i64,
    what: impl FnOnce(MirrorId) -> MirrorAct,
) -> Result<web::Json<Mirror>, ApiError> {
    let done = decide(app, by, action, &id.to_string(), what(MirrorId(id))).await?;
    done.into_iter().next().map(web::Json).ok_or_else(|| ApiError::not_found("mirror"))
}

/// What is done is recorded by the engine's own steps; what is refused is recorded here.
async fn decide(
    app: &App,
    by: &Principal,
    action: &str,
    object: &str,
    what: MirrorAct,
) -> Result<Vec<Mirror>, ApiError> {
    match app.runtime.mirror(by.actor(), what).await {
        Ok(done) => Ok(done),
        Err(ActError::Refused(Refusal::Mirror(refusal))) => Err(refused(app, by, action, object, *refusal).await),
        Err(error) => Err(error.into()),
    }
}

async fn refused(app: &App, by: &Principal, action: &str, object: &str, refusal: MirrorRefusal) -> ApiError {
    let mut entry = act(&by.record_name(), action, object, "");
    entry.outcome = format!("refused: {refusal}");
    if let MirrorRefusal::Blocked(findings) = &refusal {
        let rules: Vec<String> = blocking(findings).map(|it| finding(Language::En, it)).collect();
        entry.detail = rules.join("; ");
    }
    match app.db(move |store| store.audit_append(&entry)).await {
        Ok(_) => ApiError::from(refusal),
        Err(error) => error,
    }
}

fn blocking(findings: &[shared::mirror::MirrorFinding]) -> impl Iterator<Item = &shared::mirror::MirrorFinding> {
    findings.iter().filter(|it| it.weight == Weight::Blocks)
}

impl From<MirrorRefusal> for ApiError {
    fn from(refusal: MirrorRefusal) -> Self {
        let (status, code) = match &refusal {
            MirrorRefusal::Unknown => (StatusCode::NOT_FOUND, "not_found"),
            MirrorRefusal::Blocked(_) => (StatusCode::UNPROCESSABLE_ENTITY, "blocked"),
            MirrorRefusal::OtherPlan { .. } => (StatusCode::CONFLICT, "plan_changed"),
            MirrorRefusal::NotWaiting => (StatusCode::CONFLICT, "not_waiting"),
            MirrorRefusal::OwnApproval | MirrorRefusal::NeedsAccount => (StatusCode::FORBIDDEN, "second_person"),
            MirrorRefusal::NotRunning => (StatusCode::CONFLICT, "not_running"),
            MirrorRefusal::InThePast => (StatusCode::UNPROCESSABLE_ENTITY, "in_the_past"),
            MirrorRefusal::TooLate { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "too_late"),
        };
        let error = Self::new(status, code, super::problem::sentence(&refusal.to_string()));
        let MirrorRefusal::Blocked(findings) = refusal else { return error };
        let told = findings.iter().map(|it| Finding {
            path: it.path.clone(),
            message: finding(Language::En, it),
            fatal: it.weight == Weight::Blocks,
        });
        error.findings(told.collect())
    }
}

#[derive(Deserialize)]
pub(super) struct OfSwitch {
    switch: String,
}

pub(super) async fn list_ports(
    app: web::Data<App>,
    backend: web::Path<String>,
    query: web::Query<OfSwitch>,
) -> Result<web::Json<SwitchPorts>, ApiError> {
    let held = held(&app, &backend)?;
    let view = held.standing().switches.into_iter().find(|it| it.switch == query.switch);
    let view = view.ok_or_else(|| ApiError::not_found("switch"))?;
    Ok(web::Json(SwitchPorts { items: view.ports, next: None, seen_at: view.seen_at }))
}

fn held(app: &App, backend: &str) -> Result<Arc<Held>, ApiError> {
    app.mirrors.held(&BackendId::from(backend)).ok_or_else(|| ApiError::not_found("backend"))
}

/// Removes first, and asks and records after: it must work when nothing else does.
pub(super) async fn panic_stop(
    app: web::Data<App>,
    by: Principal,
    backend: web::Path<String>,
) -> Result<web::Json<PanicStopped>, ApiError> {
    let held = held(&app, &backend)?;
    let every = |_: &MirrorTag| true;
    let removed = held.remove(None, Picked(&every)).await;
    let places: BTreeSet<MirrorPlace> = {
        let seen = held.standing().switches;
        seen.into_iter().map(|it| MirrorPlace { backend: held.id().clone(), switch: it.switch }).collect()
    };
    let told = app.runtime.mirror(by.actor(), MirrorAct::Panic { places: places.into_iter().collect() }).await;
    let names: Vec<String> = removed.iter().flatten().map(|it| it.name.clone()).collect();
    let mut entry = act(&by.record_name(), "mirror.panic", held.id().as_str(), names.join(", "));
    if let Err(fault) = &removed {
        entry.outcome = format!("failed: {fault}");
    }
    let recorded = app.db(move |store| store.audit_append(&entry)).await;
    if let Err(fault) = removed {
        return Err(ApiError::new(StatusCode::BAD_GATEWAY, "switch_unavailable", "Not everything is removed")
            .detail(format!("{}. It is tried again and again.", fault.message)));
    }
    if let Err(error) = recorded {
        tracing::error!(%error, "everything on a backend was stopped, and that could not be recorded");
    }
    let mirrors = told.unwrap_or_default().iter().map(|it| it.id).collect();
    Ok(web::Json(PanicStopped { removed: names, mirrors }))
}

pub(super) async fn mirrors_of_incident(
    app: web::Data<App>,
    by: Principal,
    id: web::Path<i64>,
) -> Result<web::Json<IncidentMirrors>, ApiError> {
    let id = IncidentId(*id);
    let found = app
        .db(move |store| {
            let Some(incident) = store.incidents_of(&[id])?.into_iter().next() else { return Ok(None) };
            let alerts: Vec<i64> = incident.alerts.iter().take(MOST).map(|it| it.0).collect();
            Ok(Some((store.mirrors_of(id, MOST)?, store.places(&alerts)?, incident)))
        })
        .await?;
    let (mut items, places, incident) = found.ok_or_else(|| ApiError::not_found("incident"))?;
    let live = app.runtime.mirrors().await?;
    for item in &mut items {
        if let Some(newer) = live.iter().find(|it| it.id == item.id) {
            *item = app.mirrors.with_progress(newer);
        }
    }
    let mut macs: BTreeMap<Mac, String> = BTreeMap::new();
    for (_, placed) in &places {
        let vm = placed.placement.vm.as_ref();
        let mac = placed.placement.mac.or_else(|| vm?.nics.iter().find_map(|nic| nic.mac));
        if let Some(mac) = mac {
            macs.entry(mac).or_insert_with(|| vm.map_or_else(|| mac.to_string(), |vm| vm.name.clone()));
        }
    }
    let reason: String = incident.title.chars().take(200).collect();
    let presets = presets(&app, &by.actor(), id, &reason, &macs, &live);
    let possible = !app.runtime.config().document.mirrors.backends.is_empty();
    let why = if macs.is_empty() { NoPreset::MachineUnknown } else { NoPreset::OutOfReach };
    let why_none = (possible && presets.is_empty()).then_some(why);
    Ok(web::Json(IncidentMirrors { items, next: None, presets, why_none }))
}

/// One for each machine and each collector that its switch can send to.
fn presets(
    app: &App,
    by: &Actor,
    incident: IncidentId,
    reason: &str,
    macs: &BTreeMap<Mac, String>,
    live: &[Arc<Mirror>],
) -> Vec<MirrorPreset> {
    let config = app.runtime.config();
    let (mode, asks, now) = (&config.document.mirrors, mirror::name_of(by), now());
    let mut presets = Vec::new();
    for (mac, vm) in macs {
        for held in app.mirrors.all().iter().filter(|it| !it.config().paused) {
            let standing = held.standing();
            let plugged = |view: &&SwitchView| view.ports.iter().any(|port| port.mac == Some(*mac));
            let Some(view) = standing.switches.iter().find(plugged) else { continue };
            for collector in &mode.collectors {
                if !collector.accounts.is_empty() && !collector.accounts.contains(&asks) {
                    continue;
                }
                let Some(transport) = transport_to(collector, view, live) else { continue };
                let spec = MirrorSpec {
                    title: vm.clone(),
                    incident: Some(incident),
                    reason: reason.to_owned(),
                    backend: Some(held.id().clone()),
                    switch: Some(view.switch.clone()),
                    source: MirrorSource::Nics { macs: vec![*mac] },
                    transport,
                    expires_at: Some(now.after(mode.usual)),
                    ..MirrorSpec::default()
                };
                presets.push(MirrorPreset { incident, collector: collector.id.clone(), spec });
                if presets.len() >= PRESETS {
                    return presets;
                }
            }
        }
    }
    presets
}

/// How a switch sends to a collector: by the newest tunnel it can, or out of the port the collector is plugged into.
fn transport_to(collector: &Collector, view: &SwitchView, live: &[Arc<Mirror>]) -> Option<Transport> {
    let port = collector.port.clone().filter(|_| {
        view.can.span
            && collector.backend.as_ref().is_some_and(|it| *it == view.backend)
            && collector.switch.as_ref().is_none_or(|it| *it == view.switch || *it == view.name)
    });
    let Some(remote) = collector.ip else { return port.map(|port| Transport::Span { port }) };
    let version = [
        (view.can.erspan2, Encapsulation::Erspan2),
        (view.can.erspan3, Encapsulation::Erspan3),
        (view.can.gre, Encapsulation::Gre),
    ];
    let Some((_, version)) = version.into_iter().find(|(can, _)| *can) else {
        return port.map(|port| Transport::Span { port });
    };
    let ours = live.iter().filter_map(|it| match &it.spec.transport {
        Transport::Erspan { remote: to, session, .. } if *to == remote => Some(*session),
        _ => None,
    });
    let others = view.sessions.iter().filter_map(|it| it.tunnel.as_ref()).filter(|it| it.remote == remote);
    let taken: BTreeSet<u32> = ours.chain(others.filter_map(|it| it.session)).collect();
    let session = SESSIONS.into_iter().find(|id| !taken.contains(id))?;
    Some(Transport::Erspan { version, remote, session, cos: None, nanoseconds: false, netstack: None })
}
