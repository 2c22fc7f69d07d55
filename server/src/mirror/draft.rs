//! A mirror that is being described: what its sources are, which switch it is on, what the rules say, and its plan.

use super::{
    Desk, Order,
    desk::{Held, LOOK_WITHIN},
};
use crate::{
    clock,
    inventory::{Fault, Inventory},
    runtime::Runtime,
};
use engine::{
    Snapshot,
    mirror::{Machine, World, check, project, sensitive},
};
use sha2::{Digest as _, Sha256};
use shared::{
    Timestamp,
    mirror::{
        MirrorFinding, MirrorSource, MirrorSpec, MirrorTag, Plan, PortKind, SourcePort, SwitchView, Transport, Weight,
    },
    net::{Mac, What},
    placement::{Doubt, HopTo, Placement},
    timeline::Actor,
};
use std::{net::IpAddr, sync::Arc};
use tokio::time::timeout;

/// Machines that are listed for one address.
const MACHINES_MOST: usize = 20;
/// A VM that changed its hypervisor within this time is said to move.
const MOVING_MS: i64 = 120_000;

/// What would come of a specification.
#[derive(Debug)]
pub struct Draft {
    pub spec: MirrorSpec,
    pub world: World,
    pub findings: Vec<MirrorFinding>,
    pub plan: Option<Plan>,
    /// Why the switch does not answer, or cannot be planned for.
    pub error: Option<String>,
}

impl Draft {
    /// Whether a rule forbids it.
    #[must_use]
    pub fn is_blocked(&self) -> bool {
        self.findings.iter().any(|it| it.weight == Weight::Blocks)
    }

    /// How much would be copied.
    #[must_use]
    pub fn projected(&self) -> Option<engine::mirror::Projection> {
        project(&self.spec, &self.world)
    }
}

/// Whoever asks, and what is known here.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    pub desk: &'a Desk,
    pub inventory: &'a Inventory,
    pub runtime: &'a Runtime,
    pub by: &'a Actor,
    /// How far the store's clock is from ours.
    pub store_drift_ms: i64,
}

/// Fills in what a specification leaves open, asks the switch, and says what the rules say of it.
pub async fn world(asked: Asked<'_>, spec: MirrorSpec, except: Option<shared::MirrorId>) -> Draft {
    let config = asked.runtime.config();
    let mut spec = spec;
    let mut sources = sources(&config, asked.inventory, &spec);
    let held = asked.desk.held_for(&spec, &sources);
    let remotes: Vec<IpAddr> = match &spec.transport {
        Transport::Erspan { remote, .. } if !remote.is_unspecified() => vec![*remote],
        _ => Vec::new(),
    };
    let looked = match &held {
        Some(held) => look(held, &remotes).await.map(Some),
        None => Ok(None),
    };
    let (views, mut error) = match looked {
        Ok(views) => (views.unwrap_or_default(), None),
        Err(fault) => (Vec::new(), Some(fault.message)),
    };
    let switch = choose(&mut spec, held.as_deref(), views, &sources);
    if let Some(view) = &switch {
        settle(&mut sources, view, !config.document.mirrors.sensitive.is_empty());
    }
    let mirrors = asked.runtime.mirrors().await.unwrap_or_default();
    let world = World {
        now: clock::now(),
        mode: Arc::new(config.document.mirrors.clone()),
        asks: name_of(asked.by),
        instance: asked.desk.instance().to_owned(),
        sources,
        switch,
        mirrors,
        store_drift_ms: asked.store_drift_ms,
        except,
    };
    let findings = check(&spec, &world);
    let mut plan = None;
    if let (Some(view), Some(held), false) =
        (&world.switch, &held, findings.iter().any(|it| it.weight == Weight::Blocks))
    {
        let ports = ports(&world.sources);
        let tag = asked.desk.tag(shared::MirrorId(0), asked.by, spec.expires_at.unwrap_or(world.now), "");
        match held.plan(&Order { spec: &spec, sources: &ports, tag: &tag }, view) {
            Ok(made) => plan = Some(seal(made, &spec)),
            Err(why) => error = Some(why),
        }
    }
    Draft { spec, world, findings, plan, error }
}

async fn look(held: &Held, remotes: &[IpAddr]) -> Result<Vec<SwitchView>, Fault> {
    match timeout(LOOK_WITHIN, held.look(remotes)).await {
        Ok(looked) => looked,
        Err(_) => Err(Fault::new(
            crate::inventory::FaultKind::Unreachable,
            format!("{} did not answer within {} s", held.title(), LOOK_WITHIN.as_secs()),
        )),
    }
}

/// The switch that was named, or that the first source is plugged into.
fn choose(
    spec: &mut MirrorSpec,
    held: Option<&Held>,
    views: Vec<SwitchView>,
    sources: &[(Mac, Vec<SourcePort>)],
) -> Option<SwitchView> {
    let held = held?;
    spec.backend = Some(held.id().clone());
    let plugged = |view: &SwitchView| {
        let known = sources.iter().flat_map(|(_, found)| found).filter_map(|it| it.switch.as_deref());
        let by_mac = || sources.iter().any(|(mac, _)| view.ports.iter().any(|port| port.mac == Some(*mac)));
        known.clone().any(|switch| switch == view.switch) || by_mac()
    };
    let place = match &spec.switch {
        Some(named) => views.iter().position(|view| view.switch == *named || view.name == *named),
        None => views.iter().position(plugged).or((views.len() == 1).then_some(0)),
    };
    let view = views.into_iter().nth(place?)?;
    spec.switch = Some(view.switch.clone());
    Some(view)
}

/// What the switch itself says of a source's port is newer than what its source says. A machine that no source knows may be
/// a sensitive one, where there are any.
fn settle(sources: &mut [(Mac, Vec<SourcePort>)], view: &SwitchView, sensitive: bool) {
    for (mac, found) in sources {
        let mut ports = view.ports.iter().filter(|port| port.mac == Some(*mac) && port.kind == PortKind::Vm);
        let (Some(port), None) = (ports.next(), ports.next()) else { continue };
        if found.is_empty() {
            found.push(SourcePort {
                mac: *mac,
                vm: port.vm.clone().unwrap_or_else(|| port.key.clone()),
                vm_key: port.key.clone(),
                power: shared::inventory::Power::Unknown,
                ips: Vec::new(),
                hypervisor: port.hypervisor.clone(),
                switch: None,
                port: None,
                seen_at: view.seen_at,
                sensitive,
                moving: false,
            });
        }
        if let [only] = found.as_mut_slice() {
            only.switch = Some(view.switch.clone());
            only.port = Some(port.key.clone());
            only.hypervisor = port.hypervisor.clone().or_else(|| only.hypervisor.take());
            only.seen_at = view.seen_at;
        }
    }
}

/// Every machine that has one of the addresses, by what the sources of machines say.
#[must_use]
pub fn sources(config: &Snapshot, inventory: &Inventory, spec: &MirrorSpec) -> Vec<(Mac, Vec<SourcePort>)> {
    let MirrorSource::Nics { macs } = &spec.source else { return Vec::new() };
    let (mode, now) = (&config.document.mirrors, clock::now());
    let index = inventory.index();
    macs.iter()
        .map(|mac| {
            let found = index.find(&What::Mac(*mac), now, MACHINES_MOST).placements;
            let ports = found.iter().filter_map(|placement| {
                let vm = placement.vm.as_ref()?;
                let nic = vm.nics.iter().find(|nic| nic.mac == Some(*mac));
                let (port, hypervisor) = (placement.port.as_ref(), placement.hypervisor.as_ref());
                // By the steps that say where it is plugged in; nobody knows that of a machine which has none.
                let plugged = placement.hops.iter().filter(|hop| matches!(hop.to, HopTo::Port | HopTo::Hypervisor));
                let seen_at = plugged.map(|hop| hop.seen_at).max().unwrap_or(Timestamp::from_ms(0));
                let machine = Machine {
                    name: &vm.name,
                    hostname: vm.hostname.as_deref(),
                    tags: &vm.tags,
                    cluster: hypervisor.and_then(|it| it.cluster.as_deref()),
                    hypervisor: hypervisor.map(|it| it.name.as_str()),
                };
                Some(SourcePort {
                    mac: *mac,
                    vm: vm.name.clone(),
                    vm_key: format!("{}/{}", vm.source, vm.key),
                    power: vm.power,
                    ips: nic.map(|nic| nic.ips.iter().map(|it| it.ip).collect()).unwrap_or_default(),
                    hypervisor: hypervisor.map(|it| it.name.clone()),
                    switch: port.and_then(|it| it.switch.clone()),
                    port: port.and_then(|it| it.port.clone()),
                    seen_at,
                    sensitive: sensitive(mode, &machine),
                    moving: is_moving(placement, now),
                })
            });
            (*mac, ports.collect())
        })
        .collect()
}

/// Its sources contradict each other about where it runs, as they do while it moves.
fn is_moving(placement: &Placement, now: Timestamp) -> bool {
    let contradicts = |doubt: &Doubt| matches!(doubt, Doubt::OtherHypervisor { .. });
    let newest = placement.hops.iter().map(|hop| hop.seen_at).max();
    placement.doubts.iter().any(contradicts) && newest.is_some_and(|at| now.ms_since(at) < MOVING_MS)
}

/// The port of each source; what is not known is refused by the rules before.
#[must_use]
pub(super) fn ports(sources: &[(Mac, Vec<SourcePort>)]) -> Vec<(Mac, String)> {
    let port = |(mac, found): &(Mac, Vec<SourcePort>)| Some((*mac, found.first()?.port.clone()?));
    sources.iter().filter_map(port).collect()
}

/// Who asks, by the name that quotas and allow-lists use.
#[must_use]
pub fn name_of(by: &Actor) -> String {
    match by {
        Actor::Account { login } => login.clone(),
        Actor::Device { login, .. } => login.to_string(),
        Actor::Token { name } => name.clone(),
        Actor::Link { person, .. } => person.to_string(),
        Actor::Integration { integration } => integration.to_string(),
        Actor::System => "system".to_owned(),
    }
}

/// The same plan with its hash.
#[must_use]
pub fn seal(mut plan: Plan, spec: &MirrorSpec) -> Plan {
    let parts = (spec, &plan.backend, &plan.switch, &plan.sources, &plan.steps);
    // Our own types always become JSON; an empty text would be a hash that no other plan has.
    let text = serde_json::to_vec(&parts).unwrap_or_default();
    plan.hash = Sha256::digest(&text).iter().map(|byte| format!("{byte:02x}")).collect();
    plan
}

/// The tag that a mirror of a plan carries.
#[must_use]
pub(super) fn tag(
    instance: &str,
    mirror: shared::MirrorId,
    owner: &Actor,
    expires_at: Timestamp,
    hash: &str,
) -> MirrorTag {
    MirrorTag {
        mirror,
        instance: instance.to_owned(),
        owner: name_of(owner),
        expires_at,
        plan: hash.chars().take(12).collect(),
    }
}
