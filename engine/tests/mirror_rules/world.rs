//! A hypervisor with a bridge on which a mirror is allowed, and ways to spoil it.

use engine::mirror::World;
use shared::{
    BackendId, MirrorId, Timestamp,
    config::{Backend, Collector, MirrorMode},
    inventory::Power,
    mirror::{
        BackendKind, Capabilities, Egress, Evidence, Mirror, MirrorSource, MirrorSpec, MirrorState, MirrorTag,
        Observed, Plan, PortKind, SourcePort, SwitchPort, SwitchView, Transport, TunnelEnd,
    },
    net::Mac,
    timeline::Actor,
};
use std::{collections::BTreeMap, net::IpAddr, sync::Arc};

pub(crate) const NOW: Timestamp = Timestamp::from_ms(1_795_357_800_000);
pub(crate) const WEB01: Mac = Mac([0x52, 0x54, 0, 0, 0, 1]);
pub(crate) const WEB02: Mac = Mac([0x52, 0x54, 0, 0, 0, 2]);
pub(crate) const SWITCH: &str = "kvm-1/br0";
pub(crate) const INSTANCE: &str = "ab12";

pub(crate) fn collector_ip() -> IpAddr {
    [10, 77, 9, 5].into()
}

/// ERSPAN of one machine to the collector: nothing speaks against it.
pub(crate) fn spec() -> MirrorSpec {
    MirrorSpec {
        incident: Some(shared::IncidentId(7)),
        reason: "resets at the gateway".into(),
        backend: Some("kvm-1".into()),
        switch: Some(SWITCH.into()),
        source: MirrorSource::Nics { macs: vec![WEB01] },
        transport: erspan(collector_ip(), 5),
        expires_at: Some(NOW.plus_ms(1_800_000)),
        ..MirrorSpec::default()
    }
}

pub(crate) fn erspan(remote: IpAddr, session: u32) -> Transport {
    let version = shared::mirror::Encapsulation::Erspan2;
    Transport::Erspan { version, remote, session, cos: None, nanoseconds: false, netstack: None }
}

/// The same with SPAN to the collector's port.
pub(crate) fn span(spec: &mut MirrorSpec) {
    spec.transport = Transport::Span { port: "vnet9".into() };
}

pub(crate) fn rspan(spec: &mut MirrorSpec, vlan: u16) {
    spec.transport = Transport::RspanSource { uplinks: Vec::new(), vlan, strip_vlan: false };
}

/// What arrives in the VLAN of RSPAN goes out of the collector's port.
pub(crate) fn rspan_end(spec: &mut MirrorSpec) {
    spec.source = MirrorSource::Vlans { vlans: vec![900] };
    spec.transport = Transport::RspanDestination { port: "vnet9".into() };
}

pub(crate) fn vlans(spec: &mut MirrorSpec, vlans: &[u16]) {
    spec.source = MirrorSource::Vlans { vlans: vlans.to_vec() };
}

pub(crate) fn world() -> World {
    World {
        now: NOW,
        mode: Arc::new(mode()),
        asks: "li".into(),
        instance: INSTANCE.into(),
        except: None,
        sources: vec![(WEB01, vec![machine(WEB01, "web01", "vnet1")]), (WEB02, vec![machine(WEB02, "web02", "vnet2")])],
        switch: Some(view()),
        mirrors: Vec::new(),
        store_drift_ms: 0,
    }
}

fn mode() -> MirrorMode {
    let collector = Collector {
        id: "capture".into(),
        name: String::new(),
        ip: Some(collector_ip()),
        public: false,
        backend: Some("kvm-1".into()),
        switch: Some(SWITCH.into()),
        port: Some("vnet9".into()),
        vlan: Some(900),
        speed_mbps: Some(1_000),
        mtu: Some(1_600),
        at_once: 2,
        accounts: Vec::new(),
    };
    let backend = Backend {
        id: "kvm-1".into(),
        name: String::new(),
        kind: BackendKind::Openvswitch,
        source: None,
        address: "unix:/run/openvswitch/db.sock".into(),
        username: None,
        password: None,
        ca: None,
        fingerprint: None,
        certificate: None,
        key: None,
        control: None,
        sessions: None,
        paused: false,
    };
    MirrorMode {
        reserved_vlans: vec![10],
        backends: vec![backend],
        collectors: vec![collector],
        ..MirrorMode::default()
    }
}

pub(crate) fn machine(mac: Mac, vm: &str, port: &str) -> SourcePort {
    SourcePort {
        mac,
        vm: vm.into(),
        vm_key: vm.into(),
        power: Power::On,
        ips: vec![[10, 77, 0, mac.0[5]].into()],
        hypervisor: Some("kvm-1".into()),
        switch: Some(SWITCH.into()),
        port: Some(port.into()),
        seen_at: NOW.plus_ms(-5_000),
        sensitive: false,
        moving: false,
    }
}

fn view() -> SwitchView {
    let port = |key: &str, kind: PortKind| SwitchPort {
        key: key.into(),
        kind,
        hypervisor: Some("kvm-1".into()),
        mtu: Some(1_500),
        ..SwitchPort::default()
    };
    let vm = |key: &str, vm: &str, mac: Option<Mac>, vlan: u16| SwitchPort {
        vm: Some(vm.into()),
        mac,
        vlan: Some(vlan),
        from_vm_bps: Some(1_000_000),
        to_vm_bps: Some(2_000_000),
        speed_mbps: Some(10_000),
        ..port(key, PortKind::Vm)
    };
    let wire = SwitchPort { speed_mbps: Some(10_000), mtu: Some(1_600), ..port("eth0", PortKind::Uplink) };
    SwitchView {
        backend: BackendId::from("kvm-1"),
        kind: BackendKind::Openvswitch,
        switch: SWITCH.into(),
        name: "br0".into(),
        version: "3.3.4".into(),
        seen_at: NOW,
        revision: "1".into(),
        can: able(),
        ports: vec![
            vm("vnet1", "web01", Some(WEB01), 42),
            vm("vnet2", "web02", Some(WEB02), 42),
            vm("vnet9", "capture", None, 77),
            wire,
            port("br0", PortKind::Host),
            port("vxlan0", PortKind::Tunnel),
            port("patch0", PortKind::Patch),
        ],
        sessions: Vec::new(),
        routes: BTreeMap::from([(collector_ip(), Egress::Port { port: "eth0".into() })]),
        clock_drift_ms: Some(20),
    }
}

fn able() -> Capabilities {
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
        sampling: true,
        netstack: true,
        revalidates: true,
        follows: false,
        same_hypervisor: true,
        snap_least: 14,
        snap_most: 65_535,
        sessions_most: 32,
    }
}

/// The switch; it is there again if another change took it away.
pub(crate) fn switch(world: &mut World) -> &mut SwitchView {
    world.switch.get_or_insert_with(view)
}

/// A port of it; a new one if it has none of this name.
pub(crate) fn port<'a>(world: &'a mut World, key: &str) -> &'a mut SwitchPort {
    let ports = &mut switch(world).ports;
    let place = ports.iter().position(|port| port.key == key).unwrap_or(ports.len());
    if place == ports.len() {
        ports.push(SwitchPort { key: key.into(), ..SwitchPort::default() });
    }
    &mut ports[place]
}

/// The first machine of the first source.
pub(crate) fn source(world: &mut World) -> &mut SourcePort {
    if world.sources.is_empty() {
        world.sources.push((WEB01, vec![machine(WEB01, "web01", "vnet1")]));
    }
    &mut world.sources[0].1[0]
}

pub(crate) fn rules(world: &mut World) -> &mut MirrorMode {
    Arc::make_mut(&mut world.mode)
}

pub(crate) fn collector(world: &mut World) -> &mut Collector {
    &mut rules(world).collectors[0]
}

/// A session that somebody else made.
pub(crate) fn foreign(name: &str) -> Observed {
    Observed {
        key: format!("uuid-of-{name}"),
        name: name.into(),
        tag: None,
        kind: "Mirror".into(),
        from_vm: Vec::new(),
        to_vm: Vec::new(),
        all_ports: false,
        vlans: Vec::new(),
        ports: Vec::new(),
        output_vlan: None,
        tunnel: None,
        enabled: true,
        counters: None,
        fault: None,
    }
}

/// A mirror of ours that runs, as the engine has it.
pub(crate) fn ours(id: i64, by: &str, spec: MirrorSpec) -> Mirror {
    let sources = match &spec.source {
        MirrorSource::Nics { macs } => macs.iter().map(|mac| (*mac, format!("vnet{}", mac.0[5]))).collect(),
        MirrorSource::Vlans { .. } => Vec::new(),
    };
    Mirror {
        id: MirrorId(id),
        plan: Plan { backend: "kvm-1".into(), switch: SWITCH.into(), sources, ..Plan::default() },
        expires_at: spec.expires_at.unwrap_or_default(),
        latest: spec.expires_at.unwrap_or_default(),
        spec,
        findings: Vec::new(),
        state: MirrorState::Active,
        by: Actor::Account { login: by.into() },
        created_at: NOW,
        key: None,
        needs_approval: false,
        approved: None,
        starts_at: NOW,
        tries: 1,
        trouble: None,
        progress: None,
        applied_at: Some(NOW),
        verified: None,
        evidence: Evidence::default(),
        ended: None,
        stopped_at: None,
        proved_at: None,
        unprovable: false,
        steps: Vec::new(),
    }
}

/// The same as its switch has it.
pub(crate) fn observed(mirror: &Mirror, instance: &str) -> Observed {
    let tag = MirrorTag {
        mirror: mirror.id,
        instance: instance.into(),
        owner: "li".into(),
        expires_at: mirror.expires_at,
        plan: "0f".into(),
    };
    let mut session = Observed { tag: Some(tag.clone()), ..foreign(&tag.name()) };
    let ports = || mirror.plan.sources.iter().map(|(_, port)| port.clone()).collect();
    (session.from_vm, session.to_vm) = (ports(), ports());
    match &mirror.spec.transport {
        Transport::Span { port } | Transport::RspanDestination { port } => session.ports.push(port.clone()),
        Transport::RspanSource { vlan, .. } => session.output_vlan = Some(*vlan),
        Transport::Erspan { remote, session: number, .. } => {
            session.tunnel = Some(TunnelEnd { remote: *remote, session: Some(*number) });
        }
        Transport::Legacy => {}
    }
    session
}

pub(crate) fn add(world: &mut World, mirror: Mirror) {
    world.mirrors.push(Arc::new(mirror));
}
