//! vSphere: a vCenter or a lone ESXi, read through its web service with an account that may only read.
//!
//! VMs are watched: a change of one is told within seconds, with a request that waits at the server. What VMs refer to and
//! the ports of distributed switches are asked for: ports of a VM whenever it changes, everything every few minutes.

pub(crate) mod machine;
pub(crate) mod places;
mod ports;
pub(crate) mod soap;
pub(crate) mod view;
pub(crate) mod xml;

use super::{
    Collector, Fault, FaultKind,
    https::{Https, Trust},
};
use crate::clock::Stopwatch;
use machine::Machine;
use places::Places;
use ports::{Around, Ports};
use shared::inventory::Observation;
use soap::{Content, Object, PATIENCE, Soap, Trouble};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    time::Duration,
};
use xml::{Element, Written};

/// Objects of one answer. More would be faster by nothing and hold more memory at the vCenter.
const PAGE: u32 = 100;
/// One vCenter has at most 45,000 that are registered.
const MACHINES_MAX: usize = 200_000;
/// A server that says for ever that there is more is broken.
const PAGES_MAX: usize = 20_000;
/// How soon it is asked again for names, when a VM refers to something without one.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

/// How a vCenter or ESXi is observed.
#[derive(Clone)]
pub struct Settings {
    /// `https://vcenter.example.org`; of it scheme, host and port count.
    pub url: String,
    /// With its domain: `reader@vsphere.local`.
    pub username: String,
    pub password: String,
    pub trust: Trust,
    /// How long a request waits for changes, in whole seconds; after it an empty observation says that all is as it was.
    pub wait: Duration,
    /// How often hypervisors, networks, datastores and all ports are read anew.
    pub look_every: Duration,
}

impl Settings {
    /// With the usual waits: 30 seconds for changes, five minutes for names.
    #[must_use]
    pub fn new(url: impl Into<String>, username: impl Into<String>, password: impl Into<String>, trust: Trust) -> Self {
        Self {
            url: url.into(),
            username: username.into(),
            password: password.into(),
            trust,
            wait: Duration::from_secs(30),
            look_every: Duration::from_secs(300),
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").field("trust", &self.trust).field("wait", &self.wait).finish_non_exhaustive()
    }
}

/// The collector of one vCenter or ESXi.
pub struct Vsphere {
    settings: Settings,
    soap: Soap,
    /// Taken out while it is brought up to date: whatever ends that in the middle, the next observation is the whole.
    known: Option<Known>,
}

/// What was told, and where the watching stands.
struct Known {
    content: Content,
    places_view: Object,
    /// Of the newest change that was read.
    version: String,
    places: Places,
    /// By id.
    machines: BTreeMap<String, Machine>,
    ports: Ports,
    looked: Stopwatch,
    /// VMs of which something is kept from our account.
    hidden: BTreeSet<String>,
}

/// What a wait brought.
#[derive(Default)]
struct Changes {
    machines: BTreeSet<String>,
    gone: BTreeSet<String>,
    /// Of VMs that moved or were plugged elsewhere, by switch and port: those they left, and those they are at.
    ports: BTreeSet<(String, String)>,
}

impl fmt::Debug for Vsphere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Vsphere").field(&self.settings).finish()
    }
}

impl Vsphere {
    /// Connects to nobody yet.
    ///
    /// # Errors
    /// When the address or the trust cannot be used.
    pub fn new(settings: Settings) -> Result<Self, Fault> {
        let soap = Soap::new(Https::new(&settings.url, &settings.trust)?);
        Ok(Self { settings, soap, known: None })
    }

    /// A session of our own, and the whole.
    async fn begin(&mut self) -> Result<Observation, Fault> {
        self.soap.logout().await;
        let content = self.soap.meet().await?;
        self.soap.login(&content, &self.settings.username, &self.settings.password).await?;
        let known = Known::begin(&self.soap, content).await?;
        if known.machines.is_empty() && known.places.hypervisors().next().is_none() {
            let message = "the account sees neither a hypervisor nor a VM; give it the role Read-only on the topmost object \
                           (the vCenter), with “propagate to children”";
            return Err(Fault::new(FaultKind::Refused, message));
        }
        if !known.hidden.is_empty() {
            tracing::warn!(
                vms = known.hidden.len(),
                "a vSphere account may not read all of what it sees: give it Read-only"
            );
        }
        let whole = known.whole();
        self.known = Some(known);
        Ok(whole)
    }
}

impl Collector for Vsphere {
    async fn next(&mut self) -> Result<Observation, Fault> {
        let Some(mut known) = self.known.take() else { return self.begin().await };
        match known.wait(&self.soap, &self.settings).await {
            Ok(told) => {
                self.known = Some(known);
                Ok(told)
            }
            // Sessions end: the vCenter restarts, an administrator ends them.
            Err(Trouble::Lost(_)) => self.begin().await,
            Err(Trouble::Fault(fault)) => Err(fault),
        }
    }
}

impl Drop for Vsphere {
    /// Sessions are few at a vCenter; where there is a runtime left, ours is given back.
    fn drop(&mut self) {
        if let (true, Ok(runtime)) = (self.soap.is_in(), tokio::runtime::Handle::try_current()) {
            let mut soap = self.soap.clone();
            runtime.spawn(async move { soap.logout().await });
        }
    }
}

impl Known {
    /// Nothing yet of what a vCenter has.
    fn new(content: Content, places_view: Object) -> Self {
        Self {
            content,
            places_view,
            version: String::new(),
            places: Places::default(),
            machines: BTreeMap::new(),
            ports: Ports::new(),
            looked: Stopwatch::start(),
            hidden: BTreeSet::new(),
        }
    }

    async fn begin(soap: &Soap, content: Content) -> Result<Self, Trouble> {
        view::watch_machines(soap, &content).await?;
        let places_view = view::of_places(soap, &content).await?;
        let mut known = Self::new(content, places_view);
        known.drain(soap, Duration::ZERO).await?;
        // After the VMs, so that there is a name for whatever they refer to.
        known.look(soap).await?;
        Ok(known)
    }

    /// Waits for changes; gives what changed, nothing if nothing did, or the whole if something got another name.
    async fn wait(&mut self, soap: &Soap, settings: &Settings) -> Result<Observation, Trouble> {
        let changes = self.drain(soap, settings.wait).await?;
        let nameless = changes.machines.iter().filter_map(|id| self.machines.get(id));
        let nameless = nameless.filter(|machine| !machine.is_known_in(&self.places)).count() > 0;
        let age = Duration::from_millis(u64::try_from(self.looked.elapsed_ms()).unwrap_or(u64::MAX));
        if (age >= settings.look_every || (nameless && age >= LOOK_AGAIN)) && self.look(soap).await? {
            return Ok(self.whole());
        }
        self.changed(soap, changes).await
    }

    async fn changed(&mut self, soap: &Soap, changes: Changes) -> Result<Observation, Trouble> {
        let around = Around { places: &self.places, machines: &self.machines };
        let fresh = ports::some(soap, &changes.ports, around).await?;
        let mut told = Observation { gone: changes.gone.into_iter().collect(), ..Observation::default() };
        for (switch, port) in &changes.ports {
            let key = ports::key(switch, port);
            match fresh.get(&key) {
                Some(port) if self.ports.get(&key) != Some(port) => {
                    told.ports.push(port.clone());
                    self.ports.insert(key, port.clone());
                }
                Some(_) => {}
                None => told.gone.extend(self.ports.remove(&key).map(|port| port.key)),
            }
        }
        told.vms = changes.machines.iter().filter_map(|id| Some(self.vm(id, self.machines.get(id)?))).collect();
        Ok(told)
    }

    /// Reads names and ports anew. True when any is not as it was.
    async fn look(&mut self, soap: &Soap) -> Result<bool, Trouble> {
        let places = Places::look(soap, &self.content, &self.places_view).await?;
        let ports = ports::all(soap, Around { places: &places, machines: &self.machines }).await?;
        self.looked = Stopwatch::start();
        let same = places == self.places && ports == self.ports;
        (self.places, self.ports) = (places, ports);
        Ok(!same)
    }

    fn whole(&self) -> Observation {
        Observation {
            whole: true,
            hypervisors: self.places.hypervisors().cloned().collect(),
            vms: self.machines.iter().map(|(id, machine)| self.vm(id, machine)).collect(),
            ports: self.ports.values().cloned().collect(),
            ..Observation::default()
        }
    }

    fn vm(&self, id: &str, machine: &Machine) -> shared::inventory::Vm {
        machine.told(id, &self.places, |switch, port| self.ports.get(&ports::key(switch, port))?.vlan)
    }

    /// Waits for changes and reads all of them, page by page.
    async fn drain(&mut self, soap: &Soap, wait: Duration) -> Result<Changes, Trouble> {
        let mut changes = Changes::default();
        let mut wait = wait;
        for _ in 0..PAGES_MAX {
            if !self.page(soap, wait, &mut changes).await? {
                return Ok(changes);
            }
            wait = Duration::ZERO;
        }
        let message = format!("the vCenter said {PAGES_MAX} times that there are more changes, and came to no end");
        Err(Fault::new(FaultKind::Unreadable, message).into())
    }

    /// Reads one page; true when there are more.
    async fn page(&mut self, soap: &Soap, wait: Duration, changes: &mut Changes) -> Result<bool, Trouble> {
        let options = Written::default()
            .text("maxWaitSeconds", &wait.as_secs().to_string())
            .text("maxObjectUpdates", &PAGE.to_string());
        let arguments = Written::default().text("version", &self.version).inside("options", &options);
        let patience = wait.saturating_add(PATIENCE);
        let mut reply = soap.call("WaitForUpdatesEx", &self.content.collector, &arguments, patience).await?;
        let mut more = false;
        while let Some(element) = reply.next(&["version", "objectSet", "truncated"]).await? {
            match element.name.as_str() {
                "version" => self.version = element.text,
                "truncated" => more = matches!(element.text.as_str(), "true" | "1"),
                _ => self.take(&element, changes)?,
            }
        }
        Ok(more)
    }

    /// Takes one `ObjectUpdate`.
    fn take(&mut self, update: &Element, changes: &mut Changes) -> Result<(), Fault> {
        let Some(id) = update.text_at("obj").map(str::to_owned) else { return Ok(()) };
        let before = self.machines.remove(&id);
        if update.text_at("kind") == Some("leave") {
            changes.ports.extend(before.iter().flat_map(owned));
            changes.machines.remove(&id);
            self.hidden.remove(&id);
            changes.gone.insert(id);
            return Ok(());
        }
        let mut machine = before.clone().unwrap_or_default();
        for change in update.all("changeSet") {
            let property = change.text_at("name").unwrap_or_default();
            if !machine.take(property, change.child("val")) {
                let message = format!(
                    "the vCenter told of `{}`, which was not asked for; everything is read anew",
                    crate::outbound::quote(property, &[])
                );
                return Err(Fault::new(FaultKind::Unreadable, message));
            }
        }
        if update.all("missingSet").any(|missing| missing.at("fault.fault").is_some_and(|it| it.kind == "NoPermission"))
        {
            self.hidden.insert(id.clone());
        }
        if !before.as_ref().is_some_and(|before| before.stands_as(&machine)) {
            changes.ports.extend(before.iter().chain([&machine]).flat_map(owned));
        }
        if before.as_ref() != Some(&machine) {
            changes.gone.remove(&id);
            changes.machines.insert(id.clone());
        }
        self.machines.insert(id, machine);
        if self.machines.len() > MACHINES_MAX {
            let message = format!("the vCenter has more than {MACHINES_MAX} VMs");
            return Err(Fault::new(FaultKind::Unreadable, message));
        }
        Ok(())
    }
}

fn owned(machine: &Machine) -> Vec<(String, String)> {
    machine.ports().map(|(switch, port, _)| (switch.to_owned(), port.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What real answers have in them, put together in any way.
    const NAMES: [&str; 40] = [
        "obj",
        "kind",
        "changeSet",
        "propSet",
        "missingSet",
        "fault",
        "name",
        "val",
        "VirtualDevice",
        "macAddress",
        "backing",
        "port",
        "switchUuid",
        "portgroupKey",
        "portKey",
        "deviceName",
        "opaqueNetworkId",
        "deviceInfo",
        "label",
        "connectable",
        "connected",
        "externalId",
        "GuestNicInfo",
        "ipAddress",
        "ipConfig",
        "spec",
        "ip",
        "ipV6Config",
        "ipV6Address",
        "vlanId",
        "vswitchName",
        "vlan",
        "pvlanId",
        "key",
        "connectee",
        "connectedEntity",
        "state",
        "runtimeInfo",
        "config",
        "setting",
    ];
    const TEXTS: [&str; 16] = [
        "",
        "modify",
        "leave",
        "runtime.host",
        "config.hardware.device",
        "guest.net",
        "config.network.vnic",
        "uuid",
        "00:50:56:ab:cd:01",
        "10.77.0.1",
        "fe80::1",
        "4095",
        "-7",
        "true",
        "vm-1",
        "%2f%",
    ];
    const TYPES: [&str; 8] = [
        "",
        "VirtualMachine",
        "HostSystem",
        "ClusterComputeResource",
        "Datastore",
        "DistributedVirtualPortgroup",
        "VmwareDistributedVirtualSwitch",
        "NoPermission",
    ];

    fn element() -> impl Strategy<Value = Element> {
        let any = |texts: &'static [&'static str]| prop::sample::select(texts).prop_map(str::to_owned);
        let named = move |children: Vec<Element>| {
            (any(&NAMES), any(&TEXTS), any(&TYPES), any(&TYPES)).prop_map(move |(name, text, kind, of)| Element {
                name,
                text,
                kind,
                of,
                children: children.clone(),
            })
        };
        named(Vec::new()).prop_recursive(6, 80, 8, move |inner| prop::collection::vec(inner, 0..8).prop_flat_map(named))
    }

    fn known() -> Known {
        let object = Object { kind: "Folder".into(), id: "group-d1".into() };
        Known::new(Content::at(&object), object)
    }

    proptest! {
        #[test]
        fn any_elements_are_taken_or_refused(elements in prop::collection::vec(element(), 1..12)) {
            let mut known = known();
            let mut changes = Changes::default();
            let mut parents = Vec::new();
            for element in &elements {
                drop(known.take(element, &mut changes));
                known.places.take(element, &mut parents);
                prop_assert!(changes.machines.is_disjoint(&changes.gone));
            }
            for switch in known.places.switches() {
                let around = Around { places: &known.places, machines: &known.machines };
                for element in &elements {
                    let port = ports::read(element, switch, around);
                    prop_assert!(port.is_none_or(|port| port.key.starts_with(&port.switch)));
                }
            }
            prop_assert_eq!(known.whole().vms.len(), known.machines.len());
        }
    }
}
