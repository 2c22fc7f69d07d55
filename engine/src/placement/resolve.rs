//! From an address or a name to machines: the steps of the way, who says so, and what speaks against it.
//!
//! Order of trust: what runs the machine, then what was written down, then what a neighbour saw less than a minute ago,
//! then everything that is older. A weaker claim never replaces a stronger one; where it differs it is a doubt.

use super::index::{Index, Place, Thing};
use shared::{
    SourceId, Timestamp,
    inventory::{Hypervisor, Neighbour, Nic, Port, Power, RouterPart, Vm},
    net::{Mac, What, platform},
    placement::{Common, Doubt, Hop, HopHow, HopTo, PlacedHypervisor, PlacedPort, PlacedVm, Placement, Shared, Trust},
};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

/// What a source said longer ago than this is stale: it answers at least every five minutes when it is well.
const STALE_MS: i64 = 10 * 60_000;
/// A neighbour's answer is stale sooner: addresses are given to other machines.
const NEIGHBOUR_STALE_MS: i64 = 60_000;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The most trusted first.
    pub placements: Vec<Placement>,
    /// There are more than were asked for.
    pub more: bool,
}

/// A machine that may be the one, and the steps to it.
struct Lead<'a> {
    ip: Option<(IpAddr, Step<'a>)>,
    mac: Option<(Mac, Step<'a>)>,
    machine: Machine<'a>,
}

#[derive(Clone, Copy)]
enum Machine<'a> {
    Vm {
        source: &'a SourceId,
        at: Timestamp,
        vm: &'a Vm,
        nic: Option<&'a Nic>,
    },
    Hypervisor {
        source: &'a SourceId,
        at: Timestamp,
        hypervisor: &'a Hypervisor,
    },
    /// An address that no source knows the machine of.
    Unknown,
}

/// Who says something, how they know, and when they said it.
#[derive(Clone, Copy)]
struct Step<'a> {
    how: HopHow,
    source: &'a SourceId,
    at: Timestamp,
}

impl<'a> Step<'a> {
    /// What a source says of its own VM.
    const fn of(vm: &Vm, source: &'a SourceId, at: Timestamp) -> Self {
        let how = if vm.recorded { HopHow::Recorded } else { HopHow::Platform };
        Self { how, source, at }
    }

    fn trust(self, now: Timestamp) -> Trust {
        let limit = if self.how == HopHow::Neighbour { NEIGHBOUR_STALE_MS } else { STALE_MS };
        match self.how {
            _ if now.ms_since(self.at) > limit => Trust::Stale,
            HopHow::Recorded | HopHow::Neighbour => Trust::Fair,
            _ => Trust::Good,
        }
    }

    fn hop(self, to: HopTo, value: impl Into<String>, now: Timestamp) -> Hop {
        let Self { how, source, at } = self;
        Hop { to, value: value.into(), how, source: source.clone(), seen_at: at, trust: self.trust(now) }
    }
}

impl Index {
    /// Finds machines by whatever was typed; at most `most` of them.
    #[must_use]
    pub fn find(&self, what: &What, now: Timestamp, most: usize) -> Answer {
        let mut placements = Vec::new();
        let mut add = |leads: Vec<Lead<'_>>| {
            placements.extend(self.put_together(leads, now));
            placements.len() <= most
        };
        match what {
            What::Ip(ip) => {
                add(self.leads_to_ip(*ip, now));
            }
            What::Mac(mac) => {
                add(self.leads_to_mac(*mac));
            }
            What::MacPart(part) => {
                self.macs_with(part).take(most + 1).all(|mac| add(self.leads_to_mac(mac)));
            }
            What::Network(network) => {
                self.ips_in(*network).take(most + 1).all(|ip| add(self.leads_to_ip(ip, now)));
            }
            What::Uuid(name) => {
                add(self.named(name).filter_map(|place| self.lead_to(place, name)).collect());
            }
            What::Name(name) => {
                let mut seen = BTreeSet::new();
                // A machine may be known by its short name only.
                let short = name.split('.').next().filter(|short| short.len() > 1 && short.len() < name.len());
                let exact = self.named(name).chain(short.into_iter().flat_map(|short| self.named(short)));
                let places = exact.chain(self.named_from(name)).chain(self.named_with(name));
                let found = places.filter(|place| seen.insert(*place)).take(most + 1);
                let leads: Vec<_> = found.filter_map(|place| self.lead_to(place, name)).collect();
                // In the order in which the names fit, not by trust.
                leads.into_iter().all(|lead| add(vec![lead]));
            }
            What::NoMac(_) | What::Unknown => {}
        }
        let mut placements = merged(placements);
        let more = placements.len() > most;
        placements.truncate(most);
        Answer { placements, more }
    }

    /// The machine that an alert names, by the surest of what it says: hardware address, address, name. None when no source
    /// knows it, and when the name alone is that of several.
    #[must_use]
    pub fn locate(
        &self,
        mac: Option<Mac>,
        ip: Option<IpAddr>,
        name: Option<&str>,
        now: Timestamp,
    ) -> Option<Placement> {
        let known = |leads: Vec<Lead<'_>>| {
            let found = merged(self.put_together(leads, now)).into_iter().next();
            found.filter(|placed| placed.vm.is_some() || placed.hypervisor.is_some())
        };
        let by_mac = || known(self.leads_to_mac(mac?));
        let by_ip = || known(self.leads_to_ip(ip?, now));
        let by_name = || {
            let name = name?.trim_end_matches('.');
            let short = name.split('.').next().filter(|short| short.len() < name.len());
            [Some(name), short].into_iter().flatten().find_map(|name| {
                let leads: Vec<_> = self.named(name).filter_map(|place| self.lead_to(place, name)).collect();
                let mut found = merged(self.put_together(leads, now)).into_iter();
                found.next().filter(|_| found.next().is_none())
            })
        };
        by_mac().or_else(by_ip).or_else(by_name)
    }

    /// One VM by the key it has in its source, at its first interface.
    #[must_use]
    pub fn vm(&self, source: &SourceId, key: &str, now: Timestamp) -> Option<Placement> {
        let lead = self.lead_to(self.place_of_vm(source, key)?, "")?;
        Some(self.placement(&lead, now))
    }

    fn leads_to_ip(&self, ip: IpAddr, now: Timestamp) -> Vec<Lead<'_>> {
        let (mut leads, mut neighbours): (Vec<Lead<'_>>, Vec<(&SourceId, &Neighbour)>) = (Vec::new(), Vec::new());
        for place in self.by_ip(ip) {
            match self.thing(place) {
                Some((source, at, Thing::Vm(vm))) => {
                    for nic in &vm.nics {
                        let Some(how) = nic.ips.iter().find(|it| it.ip == ip).map(|it| it.how) else { continue };
                        let step = Step { how: how.into(), source, at };
                        let mac = nic.mac.map(|mac| (mac, Step::of(vm, source, at)));
                        let machine = Machine::Vm { source, at, vm, nic: Some(nic) };
                        leads.push(Lead { ip: Some((ip, step)), mac, machine });
                    }
                }
                Some((source, at, Thing::Hypervisor(hypervisor))) => {
                    let step = Step { how: HopHow::Platform, source, at };
                    let machine = Machine::Hypervisor { source, at, hypervisor };
                    leads.push(Lead { ip: Some((ip, step)), mac: None, machine });
                }
                Some((source, _, Thing::Neighbour(seen))) => neighbours.push((source, seen)),
                Some((_, _, Thing::Port(_))) | None => {}
            }
        }
        leads.extend(self.leads_of_neighbours(ip, neighbours, &leads, now));
        leads
    }

    /// The newest answer of a neighbour leads on where the inventory knows nothing, or nothing but old.
    fn leads_of_neighbours<'a>(
        &'a self,
        ip: IpAddr,
        mut neighbours: Vec<(&'a SourceId, &'a Neighbour)>,
        known: &[Lead<'a>],
        now: Timestamp,
    ) -> Vec<Lead<'a>> {
        // A router that answers for others comes last: it is never who has the address.
        neighbours.sort_by_key(|(_, seen)| (is_behind(seen), Reverse(seen.seen_at)));
        let Some((source, seen)) = neighbours.first() else { return Vec::new() };
        let step = Step { how: HopHow::Neighbour, source, at: seen.seen_at.min(now) };
        let is_old = |lead: &Lead<'_>| lead.ip.is_none_or(|(_, step)| step.trust(now) == Trust::Stale);
        let beats = !is_behind(seen) && step.trust(now) > Trust::Stale && known.iter().all(is_old);
        match known {
            [] if is_behind(seen) => vec![Lead { ip: Some((ip, step)), mac: None, machine: Machine::Unknown }],
            [_, ..] if !beats => Vec::new(),
            _ => {
                let leads = self.leads_to_mac(seen.mac).into_iter();
                leads.map(|lead| Lead { ip: Some((ip, step)), mac: Some((seen.mac, step)), ..lead }).collect()
            }
        }
    }

    fn leads_to_mac(&self, mac: Mac) -> Vec<Lead<'_>> {
        let mut leads: Vec<Lead<'_>> = Vec::new();
        for place in self.by_mac(mac) {
            let Some((source, at, Thing::Vm(vm))) = self.thing(place) else { continue };
            for nic in vm.nics.iter().filter(|nic| nic.mac == Some(mac)) {
                leads.push(Lead { mac: Some((mac, Step::of(vm, source, at))), ..nic_lead(source, at, vm, nic) });
            }
        }
        if leads.is_empty() {
            let mut said = self.by_mac(mac).filter_map(|place| match self.thing(place)? {
                (source, at, Thing::Port(_)) => Some(Step { how: HopHow::Switch, source, at }),
                (source, _, Thing::Neighbour(seen)) => Some(Step { how: HopHow::Neighbour, source, at: seen.seen_at }),
                _ => None,
            });
            if let Some(step) = said.next() {
                leads.push(Lead { ip: self.answers(mac), mac: Some((mac, step)), machine: Machine::Unknown });
            }
        }
        leads
    }

    /// The address for which an interface answered last.
    fn answers(&self, mac: Mac) -> Option<(IpAddr, Step<'_>)> {
        let seen = self.by_mac(mac).filter_map(|place| match self.thing(place)? {
            (source, _, Thing::Neighbour(seen)) if !is_behind(seen) => Some((source, seen)),
            _ => None,
        });
        let (source, seen) = seen.max_by_key(|(_, seen)| seen.seen_at)?;
        Some((seen.ip, Step { how: HopHow::Neighbour, source, at: seen.seen_at }))
    }

    fn lead_to(&self, place: Place, name: &str) -> Option<Lead<'_>> {
        match self.thing(place)? {
            (source, at, Thing::Vm(vm)) => {
                let named = |nic: &&Nic| nic.iface_id.as_deref().is_some_and(|id| id.eq_ignore_ascii_case(name));
                let nic = vm.nics.iter().find(named).or_else(|| vm.nics.first());
                Some(match nic {
                    Some(nic) => nic_lead(source, at, vm, nic),
                    None => Lead { ip: None, mac: None, machine: Machine::Vm { source, at, vm, nic: None } },
                })
            }
            (source, at, Thing::Hypervisor(hypervisor)) => {
                Some(Lead { ip: None, mac: None, machine: Machine::Hypervisor { source, at, hypervisor } })
            }
            // The VM behind it has the same id; where none is known, the port's own address leads on.
            (source, at, Thing::Port(port)) => {
                let step = Step { how: HopHow::Switch, source, at };
                let mac = port.mac.filter(|mac| self.leads_to_mac(*mac).iter().all(Lead::is_unknown))?;
                Some(Lead { ip: self.answers(mac), mac: Some((mac, step)), machine: Machine::Unknown })
            }
            (_, _, Thing::Neighbour(_)) => None,
        }
    }

    /// One placement a machine and interface, the most trusted first, with what speaks against each.
    fn put_together(&self, leads: Vec<Lead<'_>>, now: Timestamp) -> Vec<Placement> {
        let mut placements: Vec<_> = leads.iter().map(|lead| self.placement(lead, now)).collect();
        placements.sort_by_cached_key(|placement| Reverse(Rank::of(placement)));
        placements
    }

    fn placement(&self, lead: &Lead<'_>, now: Timestamp) -> Placement {
        let mut placed = Placement::default();
        if let Some((ip, step)) = lead.ip {
            placed.ip = Some(ip);
            placed.hops.push(step.hop(HopTo::Ip, ip.to_string(), now));
        }
        if let Some((mac, step)) = lead.mac {
            placed.mac = Some(mac);
            placed.vendor = platform(mac).map(str::to_owned);
            placed.hops.push(step.hop(HopTo::Mac, mac.to_string(), now));
        }
        match lead.machine {
            Machine::Vm { source, at, vm, nic } => {
                let step = Step::of(vm, source, at);
                placed.hops.push(step.hop(HopTo::Vm, vm.name.clone(), now));
                let port = nic.and_then(|nic| self.port_of(nic));
                self.place_port(&mut placed, nic, port, step, now);
                self.place_hypervisor(&mut placed, vm, port, step, now);
                placed.vm = Some(PlacedVm::new(source, vm));
                placed.shares = self.shares_of(source, vm);
            }
            Machine::Hypervisor { source, at, hypervisor } => {
                let step = Step { how: HopHow::Platform, source, at };
                self.stand_on(&mut placed, hypervisor, step, now);
            }
            Machine::Unknown => {
                if let Some(mac) = placed.mac {
                    placed.doubts.push(Doubt::NotInInventory { mac });
                    let port = self.ports_of(mac).next();
                    if let Some((source, at, _)) = port {
                        self.place_port(&mut placed, None, port, Step { how: HopHow::Switch, source, at }, now);
                    }
                }
            }
        }
        self.doubt(&mut placed, now);
        placed
    }

    /// The switches and datastores of a VM, by the names people know.
    fn shares_of(&self, source: &SourceId, vm: &Vm) -> Vec<Shared> {
        let named = |what, key: &str| {
            let ports =
                || vm.nics.iter().filter(|nic| nic.switch.as_deref() == Some(key)).filter_map(|it| self.port_of(it));
            let switch = || ports().find_map(|(_, _, port)| Some(port.switch_name.clone()).filter(|it| !it.is_empty()));
            Some(what).filter(|what| *what == Common::Switch).and_then(|_| switch()).unwrap_or_else(|| key.to_owned())
        };
        let shared = |(what, key, vms): (Common, Box<str>, u32)| {
            let (name, key) = (named(what, &key), key.into_string());
            Shared { what, key, name, vms }
        };
        self.shares(source, vm).into_iter().map(shared).collect()
    }

    fn place_port(
        &self,
        placed: &mut Placement,
        nic: Option<&Nic>,
        port: Option<(&SourceId, Timestamp, &Port)>,
        said: Step<'_>,
        now: Timestamp,
    ) {
        let of_switch = port.map(|(_, _, port)| port);
        let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let found = PlacedPort {
            switch: nic.and_then(|nic| nic.switch.clone()).or_else(|| of_switch.and_then(|port| text(&port.switch))),
            switch_name: of_switch.and_then(|port| text(&port.switch_name)),
            network: nic.and_then(|nic| nic.network.clone()).or_else(|| of_switch.and_then(|port| port.group.clone())),
            vlan: nic.and_then(|nic| nic.vlan).or_else(|| of_switch.and_then(|port| port.vlan)),
            port: nic.and_then(|nic| nic.port.clone()).or_else(|| of_switch.and_then(|port| text(&port.port))),
            connected: of_switch.and_then(|port| port.connected).or_else(|| nic.and_then(|nic| nic.connected)),
        };
        if found == PlacedPort::default() {
            return;
        }
        let step = port.map_or(said, |(source, at, _)| Step { how: HopHow::Switch, source, at });
        let switch = found.switch_name.as_ref().or(found.network.as_ref()).or(found.switch.as_ref());
        let names: Vec<&str> = [switch, found.port.as_ref()].into_iter().flatten().map(String::as_str).collect();
        placed.hops.push(step.hop(HopTo::Port, names.join(" / "), now));
        placed.port = Some(found);
    }

    fn place_hypervisor(
        &self,
        placed: &mut Placement,
        vm: &Vm,
        port: Option<(&SourceId, Timestamp, &Port)>,
        said: Step<'_>,
        now: Timestamp,
    ) {
        let of_switch = port.and_then(|(source, at, port)| {
            port.hypervisor.as_deref().map(|name| (Step { how: HopHow::Switch, source, at }, name))
        });
        let Some(key) = vm.hypervisor.as_deref() else {
            if let Some((step, name)) = of_switch {
                let named = Hypervisor { key: name.to_owned(), name: name.to_owned(), ..Hypervisor::default() };
                self.stand_on(placed, &named, step, now);
            }
            return;
        };
        let unnamed = Hypervisor { key: key.to_owned(), name: key.to_owned(), ..Hypervisor::default() };
        let hypervisor = self.hypervisor(said.source, key).unwrap_or(&unnamed);
        self.stand_on(placed, hypervisor, said, now);
        // The switch may know better: it sees the port where it is now.
        if let Some((step, name)) = of_switch.filter(|(_, name)| !same_machine(name, &hypervisor.name)) {
            placed.doubts.push(Doubt::OtherHypervisor { source: step.source.clone(), hypervisor: name.to_owned() });
        }
    }

    fn stand_on(&self, placed: &mut Placement, hypervisor: &Hypervisor, step: Step<'_>, now: Timestamp) {
        placed.hops.push(step.hop(HopTo::Hypervisor, hypervisor.name.clone(), now));
        if let Some(cluster) = &hypervisor.cluster {
            placed.hops.push(step.hop(HopTo::Cluster, cluster.clone(), now));
        }
        placed.hypervisor = Some(PlacedHypervisor {
            source: step.source.clone(),
            key: hypervisor.key.clone(),
            name: hypervisor.name.clone(),
            cluster: hypervisor.cluster.clone(),
            vms: u32::try_from(self.tenants(step.source, &hypervisor.key).count()).unwrap_or(u32::MAX),
        });
    }

    /// The port of a switch behind an interface: by the id both know, else by its address.
    fn port_of(&self, nic: &Nic) -> Option<(&SourceId, Timestamp, &Port)> {
        let by_id = nic.iface_id.as_deref().into_iter().flat_map(|id| self.named(id));
        let by_id = by_id.filter_map(|place| self.as_port(place));
        let by_mac = nic.mac.into_iter().flat_map(|mac| self.ports_of(mac));
        by_id.chain(by_mac).max_by_key(|(_, at, port)| (nic.port.as_deref() == Some(port.port.as_str()), *at))
    }

    fn ports_of(&self, mac: Mac) -> impl Iterator<Item = (&SourceId, Timestamp, &Port)> {
        self.by_mac(mac).filter_map(|place| self.as_port(place))
    }

    fn as_port(&self, place: Place) -> Option<(&SourceId, Timestamp, &Port)> {
        match self.thing(place)? {
            (source, at, Thing::Port(port)) => Some((source, at, port)),
            _ => None,
        }
    }

    /// The names of the VMs among these, if they are several; two sources may know the same one.
    fn several(&self, places: impl Iterator<Item = Place>) -> Option<Vec<String>> {
        let vms = places.filter_map(|place| match self.thing(place)? {
            (source, _, Thing::Vm(vm)) => Some((identity(source, vm), vm.name.clone())),
            _ => None,
        });
        let vms: BTreeMap<_, _> = vms.collect();
        (vms.len() > 1).then(|| vms.into_values().collect())
    }

    /// What other sources say against it.
    fn doubt(&self, placed: &mut Placement, now: Timestamp) {
        if let Some(mac) = placed.mac
            && let Some(vms) = self.several(self.by_mac(mac))
        {
            placed.doubts.push(Doubt::SeveralVms { mac, vms });
        }
        if let Some(ip) = placed.ip
            && let Some(vms) = self.several(self.by_ip(ip))
        {
            placed.doubts.push(Doubt::SeveralIps { ip, vms });
        }
        for (ip, place) in placed.ip.into_iter().flat_map(|ip| self.by_ip(ip).map(move |place| (ip, place))) {
            let Some((_, _, Thing::Neighbour(seen))) = self.thing(place) else { continue };
            let (mac, segment) = (seen.mac, seen.segment.clone());
            let is_fresh = now.ms_since(seen.seen_at) <= NEIGHBOUR_STALE_MS;
            match placed.mac {
                None if is_behind(seen) => placed.doubts.push(Doubt::BehindRouter { ip, mac, segment }),
                Some(known) if known != mac && is_fresh && !is_behind(seen) => {
                    placed.doubts.push(Doubt::OtherAnswers { ip, mac, segment });
                }
                _ => {}
            }
        }
        placed.doubts.sort();
        placed.doubts.dedup();
    }
}

impl Lead<'_> {
    const fn is_unknown(&self) -> bool {
        matches!(self.machine, Machine::Unknown)
    }
}

/// Whether a router answers for an address that is not its own.
fn is_behind(seen: &Neighbour) -> bool {
    seen.router == Some(RouterPart::Behind)
}

/// The steps to a VM that was found by itself.
fn nic_lead<'a>(source: &'a SourceId, at: Timestamp, vm: &'a Vm, nic: &'a Nic) -> Lead<'a> {
    let ip = nic.ips.first().map(|it| (it.ip, Step { how: it.how.into(), source, at }));
    let mac = nic.mac.map(|mac| (mac, Step::of(vm, source, at)));
    Lead { ip, mac, machine: Machine::Vm { source, at, vm, nic: Some(nic) } }
}

/// The same for two sources that know the same VM.
fn identity(source: &SourceId, vm: &Vm) -> String {
    vm.uuid.clone().unwrap_or_else(|| format!("{source} {}", vm.key))
}

/// Whether two names are of one machine: one of them may lack the domain.
fn same_machine(a: &str, b: &str) -> bool {
    let short = |name: &str| name.split('.').next().unwrap_or_default().to_lowercase();
    a.eq_ignore_ascii_case(b) || (short(a) == short(b) && (!a.contains('.') || !b.contains('.')))
}

/// What comes first: more trusted, running, with a hypervisor.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Rank(Trust, bool, bool, Timestamp);

impl Rank {
    fn of(placed: &Placement) -> Self {
        let first = placed.hops.first();
        let trust = placed.hops.iter().map(|hop| hop.trust).min().unwrap_or(Trust::Stale);
        let runs = placed.vm.as_ref().is_none_or(|vm| vm.power == Power::On);
        Self(trust, runs, placed.hypervisor.is_some(), first.map(|hop| hop.seen_at).unwrap_or_default())
    }
}

/// The same interface of the same VM, said by two sources, is one placement: the first, with what the others differ in.
fn merged(placements: Vec<Placement>) -> Vec<Placement> {
    let mut merged: Vec<Placement> = Vec::new();
    for placed in placements {
        let same = |it: &&mut Placement| match (&it.vm, &placed.vm) {
            (Some(a), Some(b)) if a.uuid.is_some() => a.uuid == b.uuid && it.mac == placed.mac,
            (Some(a), Some(b)) => a.source == b.source && a.key == b.key && it.mac == placed.mac,
            (None, None) => it.hypervisor == placed.hypervisor && it.mac == placed.mac && it.ip == placed.ip,
            _ => false,
        };
        let Some(kept) = merged.iter_mut().find(same) else {
            merged.push(placed);
            continue;
        };
        if let (Some(a), Some(b)) = (&kept.hypervisor, &placed.hypervisor)
            && !same_machine(&a.name, &b.name)
        {
            let doubt = Doubt::OtherHypervisor { source: b.source.clone(), hypervisor: b.name.clone() };
            kept.doubts.push(doubt);
        }
        kept.hypervisor = kept.hypervisor.take().or(placed.hypervisor);
        kept.port = kept.port.take().or(placed.port);
        // Steps that only the other source knows are part of the way, too.
        let missing: Vec<Hop> =
            placed.hops.into_iter().filter(|hop| kept.hops.iter().all(|it| it.to != hop.to)).collect();
        kept.hops.extend(missing);
        kept.hops.sort_by_key(|hop| hop.to);
        kept.doubts.extend(placed.doubts);
        kept.doubts.sort();
        kept.doubts.dedup();
    }
    merged
}
