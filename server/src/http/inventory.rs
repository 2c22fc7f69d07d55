//! Machines: looking one up by anything it is known by, and how the sources stand that know them.

use super::{
    App,
    app::{blocking, now},
    body::Json,
    principal::Principal,
    problem::ApiError,
    segments,
};
use crate::inventory::{Inventory, Machine, Standing, ansible, open_of_each};
use actix_web::web;
use serde::Deserialize;
use shared::{
    SourceId,
    api::{
        AgentRow, Found, HypervisorRow, List, Lookup, LookupRequest, LookupTerm, OpenIncident, Role, SilentSource,
        SourceRow, SourceState, Tenant, TermKind, VmDetail,
    },
    config::{Source, SourceKind},
    inventory::Vm,
    net::{Term, What, understand},
    placement::{PlacedVm, Placement},
};
use std::sync::Arc;

/// Things that are looked up at once.
const TERMS_MAX: usize = 1_000;
/// Machines that are shown of one term, and of all of them.
const FOUND_MAX: usize = 50;
const ALL_MAX: usize = 2_000;

pub(super) async fn list_sources(app: web::Data<App>) -> web::Json<List<SourceRow>> {
    let config = app.runtime.config();
    let items = config.document.sources.iter().map(|source| row(&app.inventory, source)).collect();
    web::Json(List { items, next: None })
}

fn row(inventory: &Inventory, source: &Source) -> SourceRow {
    let Standing { tried_at, error, failures, answered } = inventory.standing(&source.id);
    let agents = agents(inventory, source);
    // One that is silent does not make a source of several fail; it is named among them.
    let all_silent = agents.iter().all(|agent| agent.silent);
    let error = error.or_else(|| silent_agents(&agents).filter(|_| all_silent));
    let answered = answered || !agents.is_empty();
    let index = inventory.index();
    let seen = index.sources().find(|(id, _)| **id == source.id).map(|(_, seen)| seen);
    let state = match () {
        () if source.paused => SourceState::Paused,
        () if error.is_some() => SourceState::Failing,
        () if answered => SourceState::Well,
        () => SourceState::Waiting,
    };
    let counts = seen.unwrap_or_default();
    SourceRow {
        id: source.id.clone(),
        name: source.title().to_owned(),
        kind: source.kind,
        address: source.address.clone(),
        state,
        seen_at: seen.map(|seen| seen.at),
        tried_at,
        error,
        failures,
        vms: counts.vms,
        nics: counts.nics,
        hypervisors: counts.hypervisors,
        ports: counts.ports,
        neighbours: counts.neighbours,
        agents,
    }
}

/// Which agents are silent, and how to mend it.
fn silent_agents(agents: &[AgentRow]) -> Option<String> {
    let silent: Vec<&str> = agents.iter().filter(|agent| agent.silent).map(|agent| agent.name.as_str()).collect();
    let mend = "is `tocsin agent` running there, and does it reach this server?";
    (!silent.is_empty()).then(|| format!("three reports in a row did not come from {}; {mend}", silent.join(", ")))
}

fn agents(inventory: &Inventory, source: &Source) -> Vec<AgentRow> {
    if source.kind == SourceKind::Agents { inventory.desk(&source.id).rows(now()) } else { Vec::new() }
}

#[derive(Deserialize)]
pub(super) struct Query {
    #[serde(default)]
    q: String,
}

pub(super) async fn find_vms(app: web::Data<App>, query: web::Query<Query>) -> Result<web::Json<Lookup>, ApiError> {
    look_up(&app, query.into_inner().q, false).await
}

pub(super) async fn find_many(
    app: web::Data<App>,
    principal: Principal,
    Json(body): Json<LookupRequest>,
) -> Result<web::Json<Lookup>, ApiError> {
    if body.probe && principal.role < Role::Responder {
        return Err(ApiError::forbidden("Asking a segment sends packets there; it needs the role responder."));
    }
    look_up(&app, body.text, body.probe).await
}

async fn look_up(app: &web::Data<App>, text: String, probe: bool) -> Result<web::Json<Lookup>, ApiError> {
    let text = Arc::new(text);
    // A thousand names that are looked for within others take a while.
    let searching = || {
        let (inventory, text) = (Arc::clone(&app.inventory), Arc::clone(&text));
        blocking(move || search(&inventory, &text))
    };
    let (mut terms, mut items) = searching().await??;
    segments::mark(&app.runtime.config().document.sources, &mut terms, &items);
    if probe && segments::ask(app, &mut terms).await {
        let (mut again, found) = searching().await??;
        for (again, term) in again.iter_mut().zip(terms) {
            (again.askable, again.asked) = (term.askable, term.asked);
        }
        (terms, items) = (again, found);
    }
    let machines = items.iter().map(|it| Machine::of(&it.placement)).collect();
    for (item, incidents) in items.iter_mut().zip(open_of(app, machines).await?) {
        item.incidents = incidents;
    }
    let config = app.runtime.config();
    let silent = config.document.sources.iter().filter_map(|source| {
        let failing = app.inventory.standing(&source.id).error;
        let error = failing.or_else(|| silent_agents(&agents(&app.inventory, source)))?;
        let seen_at = app.inventory.index().sources().find(|(id, _)| **id == source.id).map(|(_, seen)| seen.at);
        Some(SilentSource { id: source.id.clone(), name: source.title().to_owned(), error, seen_at })
    });
    let sources = u32::try_from(config.document.sources.len()).unwrap_or(u32::MAX);
    Ok(web::Json(Lookup { items, next: None, terms, silent: silent.collect(), sources }))
}

fn search(inventory: &Inventory, text: &str) -> Result<(Vec<LookupTerm>, Vec<Found>), ApiError> {
    let understood = understand(text);
    if understood.len() > TERMS_MAX {
        let told = format!("The text names {} things; look up {TERMS_MAX} at a time.", understood.len());
        return Err(ApiError::invalid("text", told));
    }
    let (mut terms, mut items) = (Vec::new(), Vec::new());
    for (number, term) in understood.iter().enumerate() {
        let most = FOUND_MAX.min(ALL_MAX - items.len());
        let answer = inventory.index().find(&term.what, now(), most);
        terms.push(told(text, term, answer.placements.len(), answer.more));
        let found = |mut placement| {
            inventory.name_vendor(&mut placement);
            Found { term: number as u32, placement, incidents: Vec::new() }
        };
        items.extend(answer.placements.into_iter().map(found));
    }
    Ok((terms, items))
}

fn told(text: &str, term: &Term, found: usize, more: bool) -> LookupTerm {
    let (kind, value, fault) = match &term.what {
        What::Mac(mac) => (TermKind::Mac, mac.to_string(), None),
        What::MacPart(part) => (TermKind::MacPart, part.digits.clone(), None),
        What::Ip(ip) => (TermKind::Ip, ip.to_string(), None),
        What::Network(network) => (TermKind::Network, network.to_string(), None),
        What::Uuid(uuid) => (TermKind::Uuid, uuid.clone(), None),
        What::Name(name) => (TermKind::Name, name.clone(), None),
        What::NoMac(fault) => (TermKind::Unknown, String::new(), Some(fault.to_string())),
        What::Unknown => (TermKind::Unknown, String::new(), None),
    };
    let text = text.get(term.at.clone()).unwrap_or_default().to_owned();
    let found = u32::try_from(found).unwrap_or(u32::MAX);
    LookupTerm { text, kind, value, fault, found, more, askable: Vec::new(), asked: Vec::new() }
}

async fn open_of(app: &App, machines: Vec<Machine>) -> Result<Vec<Vec<OpenIncident>>, ApiError> {
    let open = app.runtime.ask(move |engine| open_of_each(engine.state.incidents.values().map(|it| &**it), &machines));
    open.await.map_err(|_| ApiError::unavailable())
}

/// All machines, as Ansible takes them.
pub(super) async fn ansible(app: web::Data<App>) -> Result<web::Json<serde_json::Value>, ApiError> {
    let machines = app.inventory.index().vms().map(|(_, _, vm)| Machine::of_vm(vm)).collect();
    // Between the two questions a machine may come or go; it is shown without its incidents then.
    let open = open_of(&app, machines).await?;
    let inventory = Arc::clone(&app.inventory);
    Ok(web::Json(blocking(move || ansible::inventory(&inventory.index(), &open)).await?))
}

#[derive(Deserialize)]
pub(super) struct One {
    source: String,
    key: String,
}

/// One VM, with everything that is known of it.
pub(super) async fn show_vm(app: web::Data<App>, one: web::Query<One>) -> Result<web::Json<VmDetail>, ApiError> {
    let One { source, key } = one.into_inner();
    let source = SourceId::from(source);
    let placement = app.inventory.index().vm(&source, &key, now());
    let moves = app.db({
        let (source, key) = (source.clone(), key.clone());
        move |store| store.moves(&source, &key)
    });
    let moves = moves.await?;
    let placement = match placement {
        Some(placement) => placement,
        // It is gone; what it was is still told.
        None => moves
            .iter()
            .find_map(|it| it.before.as_ref())
            .map(|vm| Placement { vm: Some(PlacedVm::new(&source, vm)), ..Placement::default() })
            .ok_or_else(|| ApiError::not_found("VM"))?,
    };
    let machines = vec![Machine::of(&placement)];
    let incidents = open_of(&app, machines).await?.pop().unwrap_or_default();
    Ok(web::Json(VmDetail { placement, incidents, moves }))
}

/// One hypervisor with its VMs, and who of them is alerting.
pub(super) async fn show_hypervisor(
    app: web::Data<App>,
    one: web::Query<One>,
) -> Result<web::Json<HypervisorRow>, ApiError> {
    let One { source, key } = one.into_inner();
    let source = SourceId::from(source);
    let (mut row, machines) = {
        let index = app.inventory.index();
        let hypervisor = index.hypervisor(&source, &key).ok_or_else(|| ApiError::not_found("hypervisor"))?;
        let tenants: Vec<&Vm> = index.tenants(&source, &key).collect();
        let tenant =
            |vm: &&Vm| Tenant { key: vm.key.clone(), name: vm.name.clone(), power: vm.power, incidents: vec![] };
        let machines = tenants.iter().map(|vm| Machine::of_vm(vm)).collect();
        let row = HypervisorRow {
            source: source.clone(),
            key: hypervisor.key.clone(),
            name: hypervisor.name.clone(),
            cluster: hypervisor.cluster.clone(),
            vms: tenants.iter().map(tenant).collect(),
        };
        (row, machines)
    };
    for (tenant, incidents) in row.vms.iter_mut().zip(open_of(&app, machines).await?) {
        tenant.incidents = incidents;
    }
    // Who is alerting comes first.
    row.vms.sort_by_cached_key(|vm| (vm.incidents.first().map_or(u8::MAX, |it| it.severity as u8), vm.name.clone()));
    Ok(web::Json(row))
}
