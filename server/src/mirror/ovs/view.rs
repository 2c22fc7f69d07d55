//! Open vSwitch's rows as mirrors see a switch: what is behind each port, what can be done, and every session.

use super::{
    request::revision,
    tables::{Bridge, Interface, Mirror, Port, Schema, Tables},
    tag,
    wanted::{SESSIONS_MOST, SNAP_BYTES},
};
use crate::inventory::ovsdb::{MAC_KEYS, VM_KEYS};
use shared::{
    BackendId, Timestamp,
    mirror::{
        BackendKind, Capabilities, Counters, Direction, Egress, MirrorTag, Observed, PortKind, SwitchPort, SwitchView,
        TunnelEnd,
    },
    net::Mac,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

/// Open vSwitch's words for the ends of tunnels.
const TUNNELS: [&str; 12] =
    ["gre", "ip6gre", "erspan", "ip6erspan", "vxlan", "geneve", "lisp", "stt", "gtpu", "bareudp", "srv6", "ipsec_gre"];
/// How Linux's drivers of cables that are none call themselves; a machine, or nobody knows what, is behind them.
const VIRTUAL_DRIVERS: [&str; 4] = ["tun", "veth", "macvlan", "dummy"];
/// How hypervisors name such interfaces, for switches that do not tell the driver.
const VIRTUAL_NAMES: [&str; 7] = ["tap", "vnet", "veth", "qvo", "macvtap", "fwln", "vif"];
/// The first version of each series that applies a change of mirrors to what already runs.
const REVALIDATES_SINCE: [(u32, u32, u32); 5] = [(2, 17, 12), (3, 0, 8), (3, 1, 6), (3, 2, 4), (3, 3, 3)];

/// The highest rates of ports by their ids: from the machine, and to it.
pub(super) type Peaks = BTreeMap<String, (u64, u64)>;

/// A bridge as it is seen. `devices` are the ways of the switch's host.
pub(super) fn view(
    backend: &BackendId,
    tables: &Tables,
    bridge: &Bridge,
    can: Capabilities,
    seen: (Timestamp, &Peaks),
    devices: &BTreeMap<IpAddr, Option<String>>,
) -> SwitchView {
    let (seen_at, peaks) = seen;
    let port = |port: &Port| SwitchPort {
        hypervisor: tables.hypervisor.clone(),
        from_vm_bps: peaks.get(&port.id).map(|(from, _)| *from),
        to_vm_bps: peaks.get(&port.id).map(|(_, to)| *to),
        ..switch_port(bridge, port)
    };
    let route = |(to, device): (&IpAddr, &Option<String>)| (*to, egress(bridge, device.as_deref()));
    SwitchView {
        backend: backend.clone(),
        kind: BackendKind::Openvswitch,
        switch: bridge.switch.clone(),
        name: bridge.name.clone(),
        version: tables.version.clone(),
        seen_at,
        revision: revision(bridge),
        can,
        ports: bridge.ports.iter().filter(|port| !is_own(port)).map(port).collect(),
        sessions: sessions(bridge, seen_at),
        routes: devices.iter().map(route).collect(),
        clock_drift_ms: None,
    }
}

/// What this switch can do with mirrors, by what its database has columns and types for.
pub(super) fn capabilities(schema: &Schema, tables: &Tables) -> Capabilities {
    let has = |column| schema.has("Mirror", column);
    let plugs = |kind: &str| tables.interface_types.iter().any(|it| it == kind);
    Capabilities {
        span: true,
        rspan_source: has("output_vlan"),
        rspan_destination: has("select_vlan"),
        gre: plugs("gre"),
        erspan2: plugs("erspan"),
        erspan3: plugs("erspan"),
        vlan_source: has("select_vlan"),
        vlan_filter: has("select_vlan"),
        snap: has("snaplen"),
        sampling: false,
        netstack: false,
        revalidates: revalidates(&tables.version),
        follows: false,
        same_hypervisor: false,
        snap_least: *SNAP_BYTES.start(),
        snap_most: *SNAP_BYTES.end(),
        sessions_most: SESSIONS_MOST,
    }
}

/// Whether a version applies a change to what already runs; one that cannot be read does not.
fn revalidates(version: &str) -> bool {
    let mut parts = version.split('.').map(|part| {
        let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<u32>().ok()
    });
    let (Some(Some(major)), Some(Some(minor))) = (parts.next(), parts.next()) else { return false };
    let patch = parts.next().flatten().unwrap_or_default();
    match REVALIDATES_SINCE.iter().find(|(a, b, _)| (*a, *b) == (major, minor)) {
        Some((_, _, since)) => patch >= *since,
        None => (major, minor) > (3, 3),
    }
}

/// It was made for a mirror.
fn is_own(port: &Port) -> bool {
    tag::read(&port.ids).is_some()
}

fn switch_port(bridge: &Bridge, port: &Port) -> SwitchPort {
    let ids = port.interfaces.first().map(|interface| &interface.ids);
    let id = |key: &&str| ids.and_then(|ids| ids.get(*key)).filter(|value| !value.is_empty());
    let speeds = port.interfaces.iter().filter_map(|interface| interface.speed_bps);
    SwitchPort {
        key: port.name.clone(),
        kind: kind(bridge, port),
        mac: MAC_KEYS.iter().filter_map(id).find_map(|text| text.parse::<Mac>().ok()),
        vlan: port.vlan,
        vm: VM_KEYS.iter().find_map(id).cloned(),
        // A bond is as fast as its cables together.
        speed_mbps: u32::try_from(speeds.sum::<u64>() / 1_000_000).ok().filter(|mbps| *mbps > 0),
        mtu: port.interfaces.iter().filter_map(|interface| interface.mtu).min(),
        ..SwitchPort::default()
    }
}

/// What is behind a port. What looks like a cable to elsewhere is taken for one, so that it is never mirrored by mistake.
fn kind(bridge: &Bridge, port: &Port) -> PortKind {
    let [interface] = port.interfaces.as_slice() else {
        // Several cables as one.
        return PortKind::Uplink;
    };
    let names_machine = |key: &&str| interface.ids.get(*key).is_some_and(|value| !value.is_empty());
    let keys = MAC_KEYS.iter().chain(&VM_KEYS).chain(&["iface-id"]);
    let plugs_machine = || keys.clone().any(names_machine);
    match interface.kind.as_str() {
        _ if interface.name == bridge.name => PortKind::Host,
        "patch" => PortKind::Patch,
        kind if TUNNELS.contains(&kind) => PortKind::Tunnel,
        _ if plugs_machine() => PortKind::Vm,
        "internal" | "tap" => PortKind::Host,
        "" | "dpdk" | "afxdp" | "afxdp-nonpmd" if !is_virtual(interface) => PortKind::Uplink,
        _ => PortKind::Unknown,
    }
}

fn is_virtual(interface: &Interface) -> bool {
    match interface.status.get("driver_name") {
        Some(driver) => VIRTUAL_DRIVERS.contains(&driver.as_str()),
        None => VIRTUAL_NAMES.iter().any(|start| interface.name.starts_with(start)),
    }
}

fn egress(bridge: &Bridge, device: Option<&str>) -> Egress {
    let Some(device) = device else { return Egress::Nowhere };
    let is_of = |port: &&Port| port.interfaces.iter().any(|interface| interface.name == device);
    match bridge.ports.iter().find(is_of) {
        Some(port) => Egress::Port { port: port.name.clone() },
        None => Egress::Elsewhere { device: device.to_owned() },
    }
}

/// Every mirror, and every port of one whose mirror is gone: as long as nobody removes it, it is a port like any other.
fn sessions(bridge: &Bridge, at: Timestamp) -> Vec<Observed> {
    let mirrors = bridge.mirrors.iter().map(|mirror| observed(bridge, mirror, at));
    let has_mirror =
        |tag: &MirrorTag| bridge.mirrors.iter().filter_map(|it| tag::read(&it.ids)).any(|it| tag::is_of(&it, tag));
    let left = bridge.ports.iter().filter_map(|port| {
        let tag = tag::read(&port.ids).filter(|tag| !has_mirror(tag))?;
        Some(Observed {
            key: port.id.clone(),
            name: tag.name(),
            tag: Some(tag),
            kind: "Port".to_owned(),
            ports: vec![port.name.clone()],
            tunnel: tunnel(port),
            fault: Some(format!("the Port {} has lost its Mirror", port.name)),
            ..nothing()
        })
    });
    mirrors.chain(left).collect()
}

fn nothing() -> Observed {
    Observed {
        key: String::new(),
        name: String::new(),
        tag: None,
        kind: String::new(),
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

fn observed(bridge: &Bridge, mirror: &Mirror, at: Timestamp) -> Observed {
    let names = |ids: &BTreeSet<String>| bridge.names(ids).into_iter().map(str::to_owned).collect::<Vec<_>>();
    let output = mirror.output_port.as_ref();
    let port = output.and_then(|id| bridge.port_of_id(id));
    let interface = port.and_then(|port| port.interfaces.first());
    let kind = match (interface.map(|it| it.kind.as_str()), mirror.output_vlan) {
        (Some(kind), _) if TUNNELS.contains(&kind) => kind.to_uppercase(),
        (Some(_), _) => "SPAN".to_owned(),
        (None, Some(_)) => "RSPAN".to_owned(),
        (None, None) => "Mirror".to_owned(),
    };
    Observed {
        key: mirror.id.clone(),
        name: mirror.name.clone(),
        tag: tag::read(&mirror.ids),
        kind,
        from_vm: names(&mirror.from),
        to_vm: names(&mirror.to),
        all_ports: mirror.all,
        vlans: mirror.vlans.iter().copied().collect(),
        ports: output.map(|id| port.map_or(id, |port| &port.name).clone()).into_iter().collect(),
        output_vlan: mirror.output_vlan,
        tunnel: port.and_then(tunnel),
        counters: Some(counters(bridge, mirror, at)).filter(|_| !mirror.statistics.is_empty()),
        fault: fault(bridge, mirror, interface),
        ..nothing()
    }
}

fn tunnel(port: &Port) -> Option<TunnelEnd> {
    let options = &port.interfaces.first()?.options;
    let remote = options.get("remote_ip")?.parse().ok()?;
    Some(TunnelEnd { remote, session: options.get("key").and_then(|key| key.parse().ok()) })
}

/// Why a mirror does nothing though the database took it.
fn fault(bridge: &Bridge, mirror: &Mirror, output: Option<&Interface>) -> Option<String> {
    let counts = |mirror: &&Mirror| !mirror.statistics.is_empty();
    let carried_out = bridge.mirrors.iter().filter(counts).count();
    match (&mirror.output_port, mirror.output_vlan) {
        (None, None) => Some("it has no output, and copies nothing".to_owned()),
        (Some(_), Some(_)) => Some("it has an output port, so its output VLAN counts for nothing".to_owned()),
        _ if mirror.statistics.is_empty() && carried_out >= usize::try_from(SESSIONS_MOST).unwrap_or(usize::MAX) => {
            Some(format!("a bridge carries out {SESSIONS_MOST} mirrors, and this is one more"))
        }
        _ => output.map(|it| it.error.clone()).filter(|error| !error.is_empty()),
    }
}

/// What a mirror has copied, and its sources have counted in the same directions. The switch counts every five seconds; what
/// it has not counted yet is nothing.
pub(super) fn counters(bridge: &Bridge, mirror: &Mirror, at: Timestamp) -> Counters {
    let of = |name: &str| mirror.statistics.get(name).copied().unwrap_or_default();
    let ports = |ids: &BTreeSet<String>, name: &str| -> Vec<Option<u64>> {
        ids.iter().map(|id| bridge.port_of_id(id).and_then(|port| port.count(name))).collect()
    };
    let mut sources = ports(&mirror.from, "rx_packets");
    sources.extend(ports(&mirror.to, "tx_packets"));
    let sum = sources.iter().try_fold(0_u64, |sum, count| Some(sum.saturating_add((*count)?)));
    Counters {
        packets: of("tx_packets"),
        bytes: of("tx_bytes"),
        source_packets: sum.filter(|_| !sources.is_empty()),
        at,
    }
}

/// What ports have counted in the directions of a mirror, for one that is gone.
pub(super) fn sent_by(bridge: &Bridge, ports: &[String], direction: Direction) -> u64 {
    let ports = || ports.iter().filter_map(|name| bridge.port(name));
    let sum = |wanted: bool, name: &str| -> u64 {
        if wanted { ports().filter_map(|port| port.count(name)).sum() } else { 0 }
    };
    sum(direction.takes_from(), "rx_packets").saturating_add(sum(direction.takes_to(), "tx_packets"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_that_need_help_are_known() {
        for version in
            ["2.17.11", "3.0.7", "3.1.0", "3.1.5", "3.2.3", "3.3.2", "2.16.9", "2.18.0", "", "x.y", "3", "0.0"]
        {
            assert!(!revalidates(version), "{version}");
        }
        for version in ["2.17.12", "3.0.8", "3.1.6", "3.2.4", "3.3.3", "3.4.0", "4.0.0", "3.10.1", "3.3.3-rc1"] {
            assert!(revalidates(version), "{version}");
        }
    }

    fn port(name: &str, interface_kind: &str, ids: &[(&str, &str)], driver: Option<&str>) -> Port {
        let pairs = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect::<BTreeMap<_, _>>()
        };
        let status = driver.map(|driver| vec![("driver_name", driver)]).unwrap_or_default();
        let interface = Interface {
            name: name.into(),
            kind: interface_kind.into(),
            ids: pairs(ids),
            status: pairs(&status),
            ..Interface::default()
        };
        Port { name: name.into(), interfaces: vec![interface], ..Port::default() }
    }

    #[test]
    fn what_is_behind_a_port() {
        let bridge = Bridge { name: "br0".into(), ..Bridge::default() };
        let mac = [("attached-mac", "52:54:00:00:00:01")];
        for (port, expected) in [
            (port("br0", "internal", &[], None), PortKind::Host),
            (port("mgmt", "internal", &[], None), PortKind::Host),
            (port("vnet0", "", &mac, Some("tun")), PortKind::Vm),
            (port("qr-1", "internal", &[("iface-id", "x")], None), PortKind::Vm),
            (port("vhu1", "dpdkvhostuserclient", &mac, None), PortKind::Vm),
            (port("vnet1", "", &[], Some("tun")), PortKind::Unknown),
            (port("vnet2", "", &[("iface-id", "")], None), PortKind::Unknown),
            (port("eth0", "", &[], Some("e1000e")), PortKind::Uplink),
            (port("eth1", "", &[], None), PortKind::Uplink),
            (port("dpdk0", "dpdk", &[], None), PortKind::Uplink),
            (port("vx", "vxlan", &[], None), PortKind::Tunnel),
            (port("p", "patch", &[], None), PortKind::Patch),
        ] {
            assert_eq!(kind(&bridge, &port), expected, "{}", port.name);
        }
        let mut bond = port("bond0", "", &mac, None);
        bond.interfaces.push(bond.interfaces[0].clone());
        assert_eq!(kind(&bridge, &bond), PortKind::Uplink);
    }

    #[test]
    fn a_way_out_is_through_the_bridge_or_elsewhere() {
        let bridge =
            Bridge { name: "br0".into(), ports: vec![port("br0", "internal", &[], None)], ..Bridge::default() };
        assert_eq!(egress(&bridge, Some("br0")), Egress::Port { port: "br0".into() });
        assert_eq!(egress(&bridge, Some("br01")), Egress::Elsewhere { device: "br01".into() });
        assert_eq!(egress(&bridge, None), Egress::Nowhere);
    }
}
