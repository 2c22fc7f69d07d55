//! A backend that does as if: switches, machines and counters in memory, for the demo and for tests.
//!
//! It obeys the drivers' contract like any other, counts by the clock it is given, and can be told to fail.

use super::{
    Driver, Order, Outcome, Picked, Quiet, Removed,
    ovs::{Output, Wanted},
};
use crate::inventory::{Fault, FaultKind};
use serde_json::json;
use shared::{
    BackendId, MirrorId, Timestamp,
    inventory::Observation,
    mirror::{
        BackendKind, Capabilities, Counters, Egress, Looked, MirrorTag, Observed, Plan, PlanStep, PortKind, Presence,
        REVISION_MARK, SwitchPort, SwitchView, TunnelEnd,
    },
    net::Mac,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Sessions a switch takes, as Open vSwitch's do.
const SESSIONS_MOST: u32 = 32;
/// Of each packet, on average.
const PACKET_BYTES: u64 = 640;
/// The machines of the usual switches: their names, VLANs and addresses.
const MACHINES: [(&str, u16, u8); 6] =
    [("web-01", 10, 1), ("web-02", 10, 2), ("db-01", 20, 3), ("mail-01", 10, 4), ("cache-01", 20, 5), ("ci-01", 30, 6)];
/// The usual switches, by their hypervisors.
const HYPERVISORS: [&str; 2] = ["hv-1", "hv-2"];
/// What a switch is called that has no other name.
const SWITCH: &str = "br-prod";

/// Tells the time: the demo's may run faster than ours.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Switches in memory.
pub struct DryRun {
    backend: BackendId,
    clock: Clock,
    kept: Mutex<Kept>,
}

impl fmt::Debug for DryRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DryRun").field("backend", &self.backend).finish_non_exhaustive()
    }
}

/// What is to go wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trouble {
    #[default]
    None,
    /// Nothing answers.
    Unreachable,
    /// What is sent is refused.
    Refuses,
    /// What is sent is carried out, and nobody hears of it.
    LosesAnswers,
    /// What is removed stays, and that is said.
    KeepsMirrors,
}

#[derive(Debug)]
struct Kept {
    switches: Vec<Switch>,
    trouble: Trouble,
    /// The key of the next session.
    next: u64,
}

#[derive(Debug)]
struct Switch {
    name: String,
    hypervisor: String,
    ports: Vec<SwitchPort>,
    sessions: Vec<Session>,
    can: Capabilities,
}

#[derive(Clone, Debug)]
struct Session {
    key: u64,
    name: String,
    tag: Option<MirrorTag>,
    wanted: Wanted,
    since: Timestamp,
}

impl DryRun {
    /// Two switches with machines, an uplink, and a port for a collector.
    #[must_use]
    pub fn new(backend: BackendId, clock: Clock) -> Self {
        let switches = HYPERVISORS.iter().zip(1_u8..).map(|(hypervisor, number)| Switch::usual(hypervisor, number));
        let kept = Kept { switches: switches.collect(), trouble: Trouble::None, next: 1 };
        Self { backend, clock, kept: Mutex::new(kept) }
    }

    /// Switches with a port for each interface of these machines, as their lists say where they are plugged in.
    #[must_use]
    pub fn of(backend: BackendId, clock: Clock, machines: &Observation) -> Self {
        let mut switches: BTreeMap<(String, String), Vec<SwitchPort>> = BTreeMap::new();
        let nics = machines.vms.iter().flat_map(|vm| vm.nics.iter().map(move |nic| (vm, nic)));
        for (number, (vm, nic)) in nics.enumerate() {
            let hypervisor = vm.hypervisor.clone().unwrap_or_else(|| HYPERVISORS[0].to_owned());
            let named = nic.switch.as_deref().and_then(|switch| switch.split_once('/'));
            let (on, name) = named.unwrap_or((&hypervisor, SWITCH));
            let key = nic.port.clone().unwrap_or_else(|| format!("vnet{number}"));
            let machine = SwitchPort { mac: nic.mac, vm: Some(vm.name.clone()), vlan: nic.vlan, ..busy_port(&key, on) };
            switches.entry((on.to_owned(), name.to_owned())).or_default().push(machine);
        }
        let switches = switches.into_iter().map(|((hypervisor, name), ports)| Switch::with(hypervisor, name, ports));
        let kept = Kept { switches: switches.collect(), trouble: Trouble::None, next: 1 };
        Self { backend, clock, kept: Mutex::new(kept) }
    }

    /// What is to go wrong from now on.
    pub fn fail(&self, trouble: Trouble) {
        self.kept().trouble = trouble;
    }

    /// Plugs a port out of every switch that has it.
    pub fn unplug(&self, port: &str) {
        for switch in &mut self.kept().switches {
            switch.ports.retain(|it| it.key != port);
            for session in &mut switch.sessions {
                session.wanted.from.remove(port);
                session.wanted.to.remove(port);
            }
        }
    }

    /// What the switches can do from now on.
    pub fn set_capabilities(&self, can: Capabilities) {
        for switch in &mut self.kept().switches {
            switch.can = can;
        }
    }

    /// A session that somebody else made on the first switch: of a port's traffic, to the collector's.
    pub fn add_foreign(&self, name: &str, port: &str) {
        let now = (self.clock)();
        let mut kept = self.kept();
        let key = kept.take_key();
        let wanted = Wanted {
            name: name.to_owned(),
            from: BTreeSet::from([port.to_owned()]),
            to: BTreeSet::new(),
            any_port: false,
            vlans: BTreeSet::new(),
            output: Output::Vlan(4_000),
            snap: None,
            own: None,
        };
        if let Some(switch) = kept.switches.first_mut() {
            switch.sessions.push(Session { key, name: name.to_owned(), tag: None, wanted, since: now });
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answering(&self) -> Result<MutexGuard<'_, Kept>, Fault> {
        let kept = self.kept();
        if kept.trouble == Trouble::Unreachable {
            let message = format!("the dry run {} was told not to answer", self.backend);
            return Err(Fault::new(FaultKind::Unreachable, message));
        }
        Ok(kept)
    }
}

impl Kept {
    fn take_key(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn switch(&mut self, id: Option<&str>) -> Option<&mut Switch> {
        self.switches.iter_mut().find(|switch| Some(switch.id().as_str()) == id)
    }
}

impl Switch {
    fn usual(hypervisor: &str, number: u8) -> Self {
        let machine = |(name, vlan, last): &(&str, u16, u8)| {
            let mac = Mac::checked([0x52, 0x54, 0x00, 0xd0, number, *last]).ok();
            let (name, key) = (format!("{name}{}", if number == 1 { "" } else { "-b" }), format!("vnet{number}{last}"));
            SwitchPort { mac, vm: Some(name), vlan: Some(*vlan), ..busy_port(&key, hypervisor) }
        };
        Self::with(hypervisor.to_owned(), SWITCH.to_owned(), MACHINES.iter().map(machine).collect())
    }

    /// With the ports of machines, a wire, the host's door, and a port for a collector.
    fn with(hypervisor: String, name: String, mut ports: Vec<SwitchPort>) -> Self {
        ports.push(plain_port("bond0", PortKind::Uplink, &hypervisor));
        ports.push(plain_port(&name, PortKind::Host, &hypervisor));
        ports.push(plain_port("capture0", PortKind::Unknown, &hypervisor));
        Self { name, hypervisor, ports, sessions: Vec::new(), can: usual_capabilities() }
    }

    fn id(&self) -> String {
        format!("{}/{}", self.hypervisor, self.name)
    }

    fn revision(&self) -> String {
        let keys: Vec<String> = self.sessions.iter().map(|session| session.key.to_string()).collect();
        format!("[{}]", keys.join(" "))
    }

    fn view(&self, backend: &BackendId, now: Timestamp, remotes: &[IpAddr]) -> SwitchView {
        let elsewhere = || Egress::Elsewhere { device: "eth0".to_owned() };
        SwitchView {
            backend: backend.clone(),
            kind: BackendKind::DryRun,
            switch: self.id(),
            name: self.name.clone(),
            version: "1".to_owned(),
            seen_at: now,
            revision: self.revision(),
            can: self.can,
            ports: self.ports.clone(),
            sessions: self.sessions.iter().map(|session| session.observed(now)).collect(),
            routes: remotes.iter().map(|remote| (*remote, elsewhere())).collect(),
            clock_drift_ms: Some(0),
        }
    }

    fn session(&mut self, tag: &MirrorTag) -> Option<&mut Session> {
        let is_of = |it: &MirrorTag| (it.mirror, &it.instance) == (tag.mirror, &tag.instance);
        self.sessions.iter_mut().find(|session| session.tag.as_ref().is_some_and(is_of))
    }
}

fn plain_port(key: &str, kind: PortKind, hypervisor: &str) -> SwitchPort {
    SwitchPort {
        key: key.to_owned(),
        kind,
        hypervisor: Some(hypervisor.to_owned()),
        speed_mbps: Some(10_000),
        mtu: Some(1_500),
        ..SwitchPort::default()
    }
}

/// A machine's, with the traffic that its sessions count.
fn busy_port(key: &str, hypervisor: &str) -> SwitchPort {
    let rate = rate(key) * PACKET_BYTES * 8;
    let (from_vm_bps, to_vm_bps) = (Some(rate), Some(rate / 2));
    SwitchPort { from_vm_bps, to_vm_bps, ..plain_port(key, PortKind::Vm, hypervisor) }
}

fn usual_capabilities() -> Capabilities {
    Capabilities {
        span: true,
        rspan_source: true,
        rspan_destination: true,
        gre: true,
        erspan2: true,
        erspan3: true,
        vlan_source: true,
        vlan_filter: true,
        snap: true,
        sampling: false,
        netstack: false,
        revalidates: true,
        follows: false,
        same_hypervisor: false,
        snap_least: 14,
        snap_most: 65_535,
        sessions_most: SESSIONS_MOST,
    }
}

/// Packets a second of a port; the same for the same name.
fn rate(port: &str) -> u64 {
    100 + port.bytes().fold(0_u64, |sum, byte| sum * 31 + u64::from(byte)) % 900
}

impl Session {
    /// Packets of its sources up to `now`, since `since`.
    fn packets(&self, since: Timestamp, now: Timestamp) -> u64 {
        let ms = now.ms_since(since).max(0).unsigned_abs();
        let from: u64 = self.wanted.from.iter().map(|port| rate(port)).sum();
        let to: u64 = self.wanted.to.iter().map(|port| rate(port) / 2).sum();
        let vlans = self.wanted.vlans.iter().filter(|_| self.wanted.any_port);
        let of_vlans: u64 = vlans.map(|vlan| rate(&vlan.to_string())).sum();
        (from + to + of_vlans) * ms / 1_000
    }

    fn counters(&self, now: Timestamp) -> Counters {
        let packets = self.packets(self.since, now);
        let source_packets = Some(self.packets(Timestamp::from_ms(0), now));
        Counters { packets, bytes: packets * PACKET_BYTES, source_packets, at: now }
    }

    fn observed(&self, now: Timestamp) -> Observed {
        let tunnel = self.wanted.own.as_ref().and_then(|own| {
            let remote = own.options.get("remote_ip")?.parse().ok()?;
            Some(TunnelEnd { remote, session: own.options.get("key").and_then(|key| key.parse().ok()) })
        });
        let (kind, ports, output_vlan) = match &self.wanted.output {
            Output::Port(port) => ("SPAN", vec![port.clone()], None),
            Output::Vlan(vlan) => ("RSPAN", Vec::new(), Some(*vlan)),
            Output::Tunnel => ("ERSPAN", Vec::new(), None),
        };
        Observed {
            key: self.key.to_string(),
            name: self.name.clone(),
            tag: self.tag.clone(),
            kind: kind.to_owned(),
            from_vm: self.wanted.from.iter().cloned().collect(),
            to_vm: self.wanted.to.iter().cloned().collect(),
            all_ports: false,
            vlans: self.wanted.vlans.iter().copied().collect(),
            ports,
            output_vlan,
            tunnel,
            enabled: true,
            counters: Some(self.counters(now)),
            fault: None,
        }
    }

    fn presence(&self, wanted: &Wanted) -> Presence {
        let (is, should) = (&self.wanted, wanted);
        let outline = |it: &Wanted| (it.vlans.clone(), it.output.clone(), it.snap, it.own.clone());
        if outline(is) != outline(should) || !is.from.is_subset(&should.from) || !is.to.is_subset(&should.to) {
            return Presence::Changed(format!("it is {is:?} and should be {should:?}"));
        }
        if (&is.from, &is.to) == (&should.from, &should.to) { Presence::AsPlanned } else { Presence::SourceGone }
    }
}

impl Driver for DryRun {
    async fn look(&self, remotes: &[IpAddr]) -> Result<Vec<SwitchView>, Fault> {
        let now = (self.clock)();
        let kept = self.answering()?;
        Ok(kept.switches.iter().map(|switch| switch.view(&self.backend, now, remotes)).collect())
    }

    fn plan(&self, order: &Order<'_>, view: &SwitchView) -> Result<Plan, String> {
        let wanted = Wanted::planned(order, view)?;
        let names = |names: &BTreeSet<String>| names.iter().cloned().collect::<Vec<_>>();
        let output = match (&wanted.output, &wanted.own) {
            (Output::Port(port), _) => json!({ "port": port }),
            (Output::Vlan(vlan), _) => json!({ "vlan": vlan }),
            (Output::Tunnel, own) => json!({"tunnel": own.as_ref().map(|own| (own.kind, &own.options))}),
        };
        let sent = json!({"revision": REVISION_MARK, "name": wanted.name, "from_vm": names(&wanted.from),
            "to_vm": names(&wanted.to), "vlans": wanted.vlans, "snap_bytes": wanted.snap, "output": output,
            "owner": order.tag.owner, "expires_ms": order.tag.expires_at.ms()});
        let step = PlanStep {
            call: "dry run".to_owned(),
            // What was just made of values is text.
            sent: serde_json::to_string_pretty(&sent).unwrap_or_default(),
            changes: vec![format!("+ Session {}", wanted.name)],
            undo: format!("remove the session {}", wanted.name),
        };
        Ok(Plan {
            backend: view.backend.clone(),
            switch: view.switch.clone(),
            revision: view.revision.clone(),
            sources: order.sources.to_vec(),
            steps: vec![step],
            hash: String::new(),
        })
    }

    async fn apply(&self, order: &Order<'_>, plan: &Plan) -> Outcome {
        let now = (self.clock)();
        let mut kept = match self.answering() {
            Ok(kept) => kept,
            Err(fault) => return Outcome::Unknown(fault.message),
        };
        let (trouble, key) = (kept.trouble, kept.take_key());
        if trouble == Trouble::Refuses {
            return Outcome::Refused("the dry run was told to refuse".to_owned());
        }
        let Some(switch) = kept.switch(Some(&plan.switch)) else {
            return Outcome::Refused(format!("there is no switch {}", plan.switch));
        };
        let wanted = match Wanted::there(order, true) {
            Ok(wanted) => wanted,
            Err(why) => return Outcome::Refused(why),
        };
        if let Some(session) = switch.session(order.tag) {
            return match session.presence(&wanted) {
                Presence::AsPlanned => Outcome::Applied(Some(session.counters(now))),
                other => Outcome::Unknown(format!("it is there already, but {other:?}")),
            };
        }
        if switch.revision() != plan.revision {
            return Outcome::Refused("the switch has changed since it was planned; plan it again".to_owned());
        }
        if switch.sessions.len() >= usize::try_from(SESSIONS_MOST).unwrap_or(usize::MAX) {
            return Outcome::Refused(format!("the switch takes {SESSIONS_MOST} sessions; end another one first"));
        }
        let is_there = |name: &String| switch.ports.iter().any(|port| port.key == *name);
        if !wanted.from.iter().chain(&wanted.to).all(is_there) {
            return Outcome::Refused("a source is not on the switch any more".to_owned());
        }
        let session = Session { key, name: order.tag.name(), tag: Some(order.tag.clone()), wanted, since: now };
        let counters = session.counters(now);
        switch.sessions.push(session);
        if trouble == Trouble::LosesAnswers {
            return Outcome::Unknown("the dry run was told to lose its answer".to_owned());
        }
        Outcome::Applied(Some(counters))
    }

    async fn read(&self, order: &Order<'_>) -> Result<Looked, Fault> {
        let now = (self.clock)();
        let mut kept = self.answering()?;
        let there = kept.switch(order.spec.switch.as_deref()).and_then(|switch| {
            let wanted = Wanted::there(order, true);
            let session = switch.session(order.tag)?;
            let presence = wanted.map_or_else(Presence::Changed, |wanted| session.presence(&wanted));
            Some(Looked { presence, counters: Some(session.counters(now)) })
        });
        Ok(there.unwrap_or(Looked { presence: Presence::Absent, counters: None }))
    }

    async fn retag(&self, order: &Order<'_>) -> Result<(), Fault> {
        let mut kept = self.answering()?;
        let session = kept.switch(order.spec.switch.as_deref()).and_then(|switch| switch.session(order.tag));
        let Some(session) = session else {
            let message = format!("the dry run has no {} that could be extended", order.tag.name());
            return Err(Fault::new(FaultKind::Unreadable, message));
        };
        session.tag = Some(order.tag.clone());
        Ok(())
    }

    async fn remove(&self, switch: Option<&str>, picked: Picked<'_>) -> Result<Vec<Removed>, Fault> {
        let now = (self.clock)();
        let mut kept = self.answering()?;
        let keeps = kept.trouble == Trouble::KeepsMirrors;
        let mut removed: BTreeMap<MirrorId, Removed> = BTreeMap::new();
        for switch in kept.switches.iter_mut().filter(|it| switch.is_none_or(|switch| it.id() == switch)) {
            let is_picked = |session: &Session| session.tag.as_ref().is_some_and(picked.0);
            for session in switch.sessions.iter().filter(|session| is_picked(session)) {
                let Some(tag) = &session.tag else { continue };
                let (mirror, name, counters) = (tag.mirror, session.name.clone(), Some(session.counters(now)));
                removed.insert(mirror, Removed { mirror, name, tag: Some(tag.clone()), counters });
            }
            switch.sessions.retain(|session| keeps || !is_picked(session));
        }
        if keeps && !removed.is_empty() {
            let message = "the dry run was told to keep what is removed".to_owned();
            return Err(Fault::new(FaultKind::Refused, message));
        }
        Ok(removed.into_values().collect())
    }

    async fn quiet(&self, order: &Order<'_>) -> Result<Quiet, Fault> {
        let mut kept = self.answering()?;
        let there = kept.switch(order.spec.switch.as_deref()).and_then(|switch| switch.session(order.tag));
        Ok(if there.is_some() { Quiet::Counted } else { Quiet::Flat })
    }
}
