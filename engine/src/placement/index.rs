//! What the sources say now, in order by every name that people and alerts use.
//!
//! A VM is held once; ordered sets of names and addresses point at it. So a delta costs what it changes, and a search
//! by exact name or by prefix costs the same with a hundred machines as with a million.

use shared::{
    SourceId, Timestamp,
    inventory::{Hypervisor, Neighbour, Nic, Observation, Port, Vm},
    net::{Mac, MacPart, Network},
    placement::Common,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    ops::Bound,
};

/// A thing in the index: the number of its source, and its place there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Place {
    source: u32,
    slot: u32,
}

/// What a source says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Thing {
    Vm(Vm),
    Hypervisor(Hypervisor),
    Port(Port),
    Neighbour(Neighbour),
}

impl Thing {
    /// Unique in its source: things of different kinds may have the same key.
    fn key(&self) -> (String, u8) {
        match self {
            Self::Vm(vm) => (vm.key.clone(), 0),
            Self::Hypervisor(hypervisor) => (hypervisor.key.clone(), 1),
            Self::Port(port) => (port.key.clone(), 2),
            Self::Neighbour(seen) => (seen.key(), 3),
        }
    }
}

/// The switches and datastores of a VM, each once.
fn common_of(vm: &Vm) -> BTreeSet<(Common, Box<str>)> {
    let switches = vm.nics.iter().filter_map(|nic| nic.switch.as_deref()).map(|key| (Common::Switch, key.into()));
    let datastores = vm.datastores.iter().map(|key| (Common::Datastore, key.as_str().into()));
    switches.chain(datastores).collect()
}

fn common(thing: &Thing) -> BTreeSet<(Common, Box<str>)> {
    if let Thing::Vm(vm) = thing { common_of(vm) } else { BTreeSet::new() }
}

/// How many kinds of things have keys.
const KINDS: u8 = 4;

/// What a source said, and when.
#[derive(Clone, Debug, Default)]
struct Said {
    id: SourceId,
    things: Vec<Option<Thing>>,
    free: Vec<u32>,
    keys: BTreeMap<(String, u8), u32>,
    seen: Seen,
}

/// How much a source knows, and since when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// When it said something last, or said that nothing changed.
    pub at: Timestamp,
    pub vms: u32,
    pub nics: u32,
    pub hypervisors: u32,
    pub ports: u32,
    pub neighbours: u32,
}

/// A VM that is elsewhere, or has other addresses, than its source said before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    pub key: String,
    /// None: it is new.
    pub before: Option<Vm>,
    /// None: it is gone.
    pub after: Option<Vm>,
}

/// Everything that all sources say now.
#[derive(Clone, Debug, Default)]
pub struct Index {
    sources: BTreeMap<u32, Said>,
    macs: BTreeSet<(Mac, Place)>,
    ips: BTreeSet<(IpAddr, Place)>,
    /// Names, host names and UUIDs in lower case, and ids by which switches know interfaces.
    names: BTreeSet<(Box<str>, Place)>,
    /// VMs by the hypervisor's key.
    tenants: BTreeSet<(u32, Box<str>, u32)>,
    /// How many VMs of a source have a switch or a datastore in common.
    common: BTreeMap<(u32, Common, Box<str>), u32>,
}

impl Index {
    /// Takes what a source said at `now`. Gives the VMs that came, went, moved to another hypervisor or port, or changed
    /// their addresses; of the first observation nothing is new.
    pub fn observe(&mut self, source: &SourceId, observation: Observation, now: Timestamp) -> Vec<Moved> {
        let known = self.number(source);
        let number = known.unwrap_or_else(|| self.add(source));
        let Observation { whole, hypervisors, vms, ports, neighbours, gone } = observation;
        let things = hypervisors.into_iter().map(Thing::Hypervisor);
        let things = things.chain(ports.into_iter().map(Thing::Port));
        let things = things.chain(neighbours.into_iter().map(Thing::Neighbour)).chain(vms.into_iter().map(Thing::Vm));
        let mut moved = Vec::new();
        let mut kept = BTreeSet::new();
        for thing in things {
            let key = thing.key();
            moved.extend(self.put(number, key.clone(), thing));
            if whole {
                kept.insert(key);
            }
        }
        let gone: Vec<_> = if whole {
            let Some(said) = self.sources.get(&number) else { return moved };
            said.keys.keys().filter(|key| !kept.contains(*key)).cloned().collect()
        } else {
            gone.into_iter().flat_map(|key| (0..KINDS).map(move |kind| (key.clone(), kind))).collect()
        };
        for key in gone {
            moved.extend(self.remove(number, &key));
        }
        if let Some(said) = self.sources.get_mut(&number) {
            said.seen.at = now;
        }
        if known.is_none() {
            moved.clear();
        }
        moved
    }

    /// Nothing of a source counts any more.
    pub fn forget(&mut self, source: &SourceId) {
        let Some(number) = self.number(source) else { return };
        let keys: Vec<_> = self.sources.get(&number).into_iter().flat_map(|said| said.keys.keys().cloned()).collect();
        for key in keys {
            drop(self.remove(number, &key));
        }
        self.sources.remove(&number);
    }

    /// The sources that have said something.
    pub fn sources(&self) -> impl Iterator<Item = (&SourceId, Seen)> {
        self.sources.values().map(|said| (&said.id, said.seen))
    }

    /// Everything one source says now, as if it said it once more.
    #[must_use]
    pub fn whole(&self, source: &SourceId) -> Option<(Observation, Timestamp)> {
        let said = self.sources.get(&self.number(source)?)?;
        let mut whole = Observation { whole: true, ..Observation::default() };
        for slot in said.keys.values() {
            match said.things.get(*slot as usize)?.clone()? {
                Thing::Vm(vm) => whole.vms.push(vm),
                Thing::Hypervisor(hypervisor) => whole.hypervisors.push(hypervisor),
                Thing::Port(port) => whole.ports.push(port),
                Thing::Neighbour(seen) => whole.neighbours.push(seen),
            }
        }
        Some((whole, said.seen.at))
    }

    /// Every VM with the source that says so, in the order of their keys.
    pub fn vms(&self) -> impl Iterator<Item = (&SourceId, Timestamp, &Vm)> {
        self.sources.values().flat_map(|said| {
            said.keys.values().filter_map(|slot| match said.things.get(*slot as usize)?.as_ref()? {
                Thing::Vm(vm) => Some((&said.id, said.seen.at, vm)),
                _ => None,
            })
        })
    }

    /// A hypervisor, by its source and the key it has there.
    #[must_use]
    pub fn hypervisor(&self, source: &SourceId, key: &str) -> Option<&Hypervisor> {
        let said = self.sources.get(&self.number(source)?)?;
        let slot = said.keys.get(&(key.to_owned(), 1))?;
        match said.things.get(*slot as usize)?.as_ref()? {
            Thing::Hypervisor(hypervisor) => Some(hypervisor),
            _ => None,
        }
    }

    /// The VMs of a hypervisor.
    pub fn tenants<'a>(&'a self, source: &SourceId, key: &str) -> impl Iterator<Item = &'a Vm> + use<'a> {
        let number = self.number(source).unwrap_or(u32::MAX);
        let key: Box<str> = key.into();
        let range = (number, key.clone(), 0)..=(number, key, u32::MAX);
        self.tenants.range(range).filter_map(move |(_, _, slot)| {
            match self.thing(Place { source: number, slot: *slot }) {
                Some((_, _, Thing::Vm(vm))) => Some(vm),
                _ => None,
            }
        })
    }

    pub(super) fn place_of_vm(&self, source: &SourceId, key: &str) -> Option<Place> {
        let number = self.number(source)?;
        let slot = self.sources.get(&number)?.keys.get(&(key.to_owned(), 0))?;
        Some(Place { source: number, slot: *slot })
    }

    pub(super) fn thing(&self, place: Place) -> Option<(&SourceId, Timestamp, &Thing)> {
        let said = self.sources.get(&place.source)?;
        Some((&said.id, said.seen.at, said.things.get(place.slot as usize)?.as_ref()?))
    }

    pub(super) fn by_mac(&self, mac: Mac) -> impl Iterator<Item = Place> {
        self.macs.range((mac, FIRST)..=(mac, LAST)).map(|(_, place)| *place)
    }

    pub(super) fn by_ip(&self, ip: IpAddr) -> impl Iterator<Item = Place> {
        self.ips.range((ip, FIRST)..=(ip, LAST)).map(|(_, place)| *place)
    }

    /// The addresses of a network that are known, in their order.
    pub(super) fn ips_in(&self, network: Network) -> impl Iterator<Item = IpAddr> {
        let mut last = None;
        self.ips
            .range((network.first, FIRST)..)
            .map(|(ip, _)| *ip)
            .take_while(move |ip| network.contains(*ip))
            .filter(move |ip| last.replace(*ip) != Some(*ip))
    }

    /// The hardware addresses that begin or end so.
    pub(super) fn macs_with(&self, part: &MacPart) -> impl Iterator<Item = Mac> {
        let digits = part.digits.as_str();
        // As a number: the digits and zeros behind them.
        let first = u64::from_str_radix(&format!("{digits:0<12}"), 16).unwrap_or(u64::MAX);
        let begins = self.macs.range((Mac::of_number(first), FIRST)..).map(|(mac, _)| *mac);
        let begins = begins.take_while(move |mac| hex(*mac).starts_with(digits));
        let ends = self.macs.iter().map(|(mac, _)| *mac);
        let ends = ends.filter(move |mac| hex(*mac).ends_with(digits) && !hex(*mac).starts_with(digits));
        let mut last = None;
        begins.chain(ends).filter(move |mac| last.replace(*mac) != Some(*mac))
    }

    /// What has exactly this name.
    pub(super) fn named(&self, name: &str) -> impl Iterator<Item = Place> {
        let name: Box<str> = name.to_lowercase().into();
        self.names.range((name.clone(), FIRST)..=(name, LAST)).map(|(_, place)| *place)
    }

    /// What has a name that begins so, in the order of the names.
    pub(super) fn named_from<'a>(&'a self, beginning: &str) -> impl Iterator<Item = Place> + use<'a> {
        let beginning: Box<str> = beginning.to_lowercase().into();
        let range = (Bound::Included((beginning.clone(), FIRST)), Bound::Unbounded);
        self.names.range(range).take_while(move |(name, _)| name.starts_with(&*beginning)).map(|(_, place)| *place)
    }

    /// What has a name with this in it; looks at every name.
    pub(super) fn named_with<'a>(&'a self, part: &str) -> impl Iterator<Item = Place> + use<'a> {
        let part = part.to_lowercase();
        self.names.iter().filter(move |(name, _)| name.contains(&part)).map(|(_, place)| *place)
    }

    fn number(&self, source: &SourceId) -> Option<u32> {
        self.sources.iter().find(|(_, said)| said.id == *source).map(|(number, _)| *number)
    }

    fn add(&mut self, source: &SourceId) -> u32 {
        let number = self.sources.keys().next_back().map_or(0, |last| last + 1);
        self.sources.insert(number, Said { id: source.clone(), ..Said::default() });
        number
    }

    fn put(&mut self, source: u32, key: (String, u8), thing: Thing) -> Option<Moved> {
        let said = self.sources.get_mut(&source)?;
        let slot = match said.keys.get(&key) {
            Some(slot) => *slot,
            None => {
                let free = said.free.pop();
                let slot = free.unwrap_or_else(|| u32::try_from(said.things.len()).unwrap_or(u32::MAX));
                if free.is_none() {
                    said.things.push(None);
                }
                said.keys.insert(key, slot);
                slot
            }
        };
        let held = said.things.get_mut(slot as usize)?;
        if held.as_ref() == Some(&thing) {
            return None;
        }
        let before = held.replace(thing.clone());
        let place = Place { source, slot };
        if let Some(before) = &before {
            self.unlink(place, before);
        }
        self.link(place, &thing);
        moved(before, Some(thing))
    }

    fn remove(&mut self, source: u32, key: &(String, u8)) -> Option<Moved> {
        let said = self.sources.get_mut(&source)?;
        let slot = said.keys.remove(key)?;
        let before = said.things.get_mut(slot as usize)?.take()?;
        said.free.push(slot);
        self.unlink(Place { source, slot }, &before);
        moved(Some(before), None)
    }

    fn link(&mut self, place: Place, thing: &Thing) {
        let Names { macs, ips, names } = Names::of(thing);
        self.macs.extend(macs.into_iter().map(|mac| (mac, place)));
        self.ips.extend(ips.into_iter().map(|ip| (ip, place)));
        self.names.extend(names.into_iter().map(|name| (name, place)));
        if let Thing::Vm(Vm { hypervisor: Some(hypervisor), .. }) = thing {
            self.tenants.insert((place.source, hypervisor.as_str().into(), place.slot));
        }
        for (what, key) in common(thing) {
            *self.common.entry((place.source, what, key)).or_default() += 1;
        }
        self.count(place.source, thing, |count, n| *count = count.saturating_add(n));
    }

    fn unlink(&mut self, place: Place, thing: &Thing) {
        let Names { macs, ips, names } = Names::of(thing);
        for mac in macs {
            self.macs.remove(&(mac, place));
        }
        for ip in ips {
            self.ips.remove(&(ip, place));
        }
        for name in names {
            self.names.remove(&(name, place));
        }
        if let Thing::Vm(Vm { hypervisor: Some(hypervisor), .. }) = thing {
            self.tenants.remove(&(place.source, hypervisor.as_str().into(), place.slot));
        }
        for (what, key) in common(thing) {
            let entry = (place.source, what, key);
            let count = self.common.get_mut(&entry).map(|count| {
                *count = count.saturating_sub(1);
                *count
            });
            if count == Some(0) {
                self.common.remove(&entry);
            }
        }
        self.count(place.source, thing, |count, n| *count = count.saturating_sub(n));
    }

    /// What a VM has in common with others of its source, and how many they are, itself included.
    pub(super) fn shares(&self, source: &SourceId, vm: &Vm) -> Vec<(Common, Box<str>, u32)> {
        let Some(number) = self.number(source) else { return Vec::new() };
        let counted = |(what, key): (Common, Box<str>)| {
            let count = self.common.get(&(number, what, key.clone())).copied().unwrap_or_default();
            (what, key, count)
        };
        common_of(vm).into_iter().map(counted).collect()
    }

    fn count(&mut self, source: u32, thing: &Thing, by: impl Fn(&mut u32, u32)) {
        let Some(Said { seen, .. }) = self.sources.get_mut(&source) else { return };
        match thing {
            Thing::Vm(vm) => {
                by(&mut seen.vms, 1);
                by(&mut seen.nics, u32::try_from(vm.nics.len()).unwrap_or(u32::MAX));
            }
            Thing::Hypervisor(_) => by(&mut seen.hypervisors, 1),
            Thing::Port(_) => by(&mut seen.ports, 1),
            Thing::Neighbour(_) => by(&mut seen.neighbours, 1),
        }
    }
}

const FIRST: Place = Place { source: 0, slot: 0 };
const LAST: Place = Place { source: u32::MAX, slot: u32::MAX };

fn hex(mac: Mac) -> String {
    format!("{:012x}", mac.number())
}

/// Whether a change of a VM is one that its history tells.
fn moved(before: Option<Thing>, after: Option<Thing>) -> Option<Moved> {
    let vm = |thing: Option<Thing>| match thing {
        Some(Thing::Vm(vm)) => Some(vm),
        _ => None,
    };
    let (before, after) = (vm(before), vm(after));
    let place = |vm: &Vm| {
        let nic = |nic: &Nic| (nic.mac, nic.switch.clone(), nic.port.clone(), nic.ips.clone());
        (vm.hypervisor.clone(), vm.nics.iter().map(nic).collect::<Vec<_>>())
    };
    let key = before.as_ref().or(after.as_ref())?.key.clone();
    (before.as_ref().map(place) != after.as_ref().map(place)).then_some(Moved { key, before, after })
}

/// Everything by which a thing is found.
#[derive(Default)]
struct Names {
    macs: BTreeSet<Mac>,
    ips: BTreeSet<IpAddr>,
    names: BTreeSet<Box<str>>,
}

impl Names {
    fn of(thing: &Thing) -> Self {
        let mut found = Self::default();
        match thing {
            Thing::Vm(vm) => {
                found.name(Some(&vm.name));
                found.name(vm.hostname.as_deref());
                found.name(vm.uuid.as_deref());
                for nic in &vm.nics {
                    found.macs.extend(nic.mac);
                    found.ips.extend(nic.ips.iter().map(|it| it.ip));
                    found.name(nic.iface_id.as_deref());
                }
            }
            Thing::Hypervisor(hypervisor) => {
                found.name(Some(&hypervisor.name));
                found.ips.extend(&hypervisor.ips);
            }
            Thing::Port(port) => {
                found.macs.extend(port.mac);
                found.name(port.iface_id.as_deref());
            }
            Thing::Neighbour(seen) => {
                found.macs.insert(seen.mac);
                found.ips.insert(seen.ip);
            }
        }
        found
    }

    fn name(&mut self, name: Option<&str>) {
        if let Some(name) = name.filter(|name| !name.is_empty()) {
            self.names.insert(name.to_lowercase().into());
        }
    }
}
