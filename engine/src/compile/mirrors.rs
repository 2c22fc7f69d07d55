//! Bounds on what is allowed of port mirrors, and what carries them out.

use super::{Check, unknown};
use crate::mirror::{Sensitive, forbidden, is_public};
use shared::{
    Delay,
    config::{Backend, Collector, Document, MirrorMode},
    mirror::{AddressKind, BackendKind},
};
use std::collections::{BTreeMap, BTreeSet};

/// The longest that a mirror may ever last; whoever needs more wants something else.
const LONGEST: Delay = Delay::mins(240);
/// Conditions on sensitive machines; each is asked of every source.
const SENSITIVE_MOST: usize = 100;

impl Check {
    pub(super) fn mirrors(&mut self, document: &Document) {
        let mode = &document.mirrors;
        self.mirror_times(mode);
        for (field, most, number) in [("per_person", 100, mode.per_person), ("per_switch", 1_000, mode.per_switch)] {
            if !(1..=most).contains(&number) {
                self.fault(format!("mirrors.{field}"), format!("`{field}` is 1 to {most}"));
            }
        }
        if !(1..=100).contains(&mode.block_percent) {
            self.fault("mirrors.block_percent", "copies are refused from 1 to 100 percent on");
        }
        if !(1..=mode.block_percent.max(1)).contains(&mode.warn_percent) {
            self.fault("mirrors.warn_percent", "it is said from 1 percent on, and no later than it is refused");
        }
        for (i, vlan) in mode.reserved_vlans.iter().enumerate().filter(|(_, vlan)| !is_vlan(**vlan)) {
            self.fault(format!("mirrors.reserved_vlans[{i}]"), no_vlan(*vlan));
        }
        if mode.sensitive.len() > SENSITIVE_MOST {
            let message = format!("at most {SENSITIVE_MOST} conditions; one can name several with `name=~a.*|b.*`");
            self.fault("mirrors.sensitive", message);
        } else if let Err(faults) = Sensitive::compile(&mode.sensitive) {
            for (i, message) in faults {
                self.fault(format!("mirrors.sensitive[{i}]"), message);
            }
        }
        let backends = self.index(&mode.backends, "mirrors.backends", |it| it.id.clone(), |id| id.as_str());
        self.index(&mode.collectors, "mirrors.collectors", |it| it.id.clone(), |id| id.as_str());
        for backend in &mode.backends {
            self.backend(backend, document);
        }
        let mut addresses = BTreeMap::new();
        for collector in &mode.collectors {
            self.collector(collector, &backends.keys().collect(), mode);
            let Some(ip) = collector.ip else { continue };
            if let Some(other) = addresses.insert(ip.to_canonical(), &collector.id) {
                let message = format!("`{other}` has this address, too; a machine is one collector");
                self.fault(format!("mirrors.collectors[{}].ip", collector.id), message);
            }
        }
    }

    fn mirror_times(&mut self, mode: &MirrorMode) {
        if !(Delay::mins(1)..=LONGEST).contains(&mode.longest) {
            self.fault("mirrors.longest", "a mirror lasts 1m to 4h at most; what is needed for longer is no mirror");
        }
        if !(Delay::mins(1)..=mode.longest.max(Delay::mins(1))).contains(&mode.usual) {
            self.fault("mirrors.usual", "a mirror usually lasts 1m to as long as `longest` allows");
        }
        if !(Delay::mins(1)..=Delay::mins(1_440)).contains(&mode.approve_within) {
            self.fault("mirrors.approve_within", "`approve_within` is 1m to 24h");
        }
        if !(Delay::secs(1)..=Delay::mins(10)).contains(&mode.fresh) {
            self.fault("mirrors.fresh", "`fresh` is 1s to 10m; machines move, and older knowledge misleads");
        }
    }

    fn backend(&mut self, backend: &Backend, document: &Document) {
        let path = |field: &str| format!("mirrors.backends[{}].{field}", backend.id);
        if backend.kind != BackendKind::DryRun && backend.address.trim().is_empty() {
            let message = "where it answers is missing; write for example unix:/run/openvswitch/db.sock or \
                           https://vcenter.example.org";
            self.fault(path("address"), message);
        }
        if let Some(source) = &backend.source
            && !document.sources.iter().any(|it| it.id == *source)
        {
            self.fault(path("source"), unknown("source", source.as_str()));
        }
        if backend.sessions.is_some_and(|most| !(1..=1_000).contains(&most)) {
            self.fault(path("sessions"), "a switch takes 1 to 1000 sessions; leave it out where it says so itself");
        }
    }

    fn collector(&mut self, it: &Collector, backends: &BTreeSet<&shared::BackendId>, mode: &MirrorMode) {
        let path = |field: &str| format!("mirrors.collectors[{}].{field}", it.id);
        if it.ip.is_none() && it.port.is_none() && it.vlan.is_none() {
            let message = "how copies come to it is missing; name its `ip` for ERSPAN and GRE, its `port` for SPAN, or \
                           its `vlan` for RSPAN";
            self.fault(format!("mirrors.collectors[{}]", it.id), message);
        }
        if let Some(ip) = it.ip.map(|ip| ip.to_canonical()) {
            if let Some(kind) = forbidden(ip) {
                self.fault(path("ip"), format!("{ip} is {}; name the collector's own address", kind_of(kind)));
            } else if is_public(ip) && !it.public {
                let message =
                    format!("{ip} is of the Internet; say `public = true` if copies may go there all the same");
                self.fault(path("ip"), message);
            }
        }
        match &it.backend {
            Some(backend) if !backends.contains(backend) => {
                self.fault(path("backend"), unknown("backend of mirrors", backend.as_str()));
            }
            None if it.port.is_some() || it.switch.is_some() => {
                self.fault(path("backend"), "a port or switch is one of a backend's; name that, too");
            }
            _ => {}
        }
        if it.port.as_ref().is_some_and(|port| port.trim().is_empty()) {
            self.fault(path("port"), "the port has no name; write it out, or leave it out");
        }
        match it.vlan {
            Some(vlan) if !is_vlan(vlan) => self.fault(path("vlan"), no_vlan(vlan)),
            Some(vlan) if mode.reserved_vlans.contains(&vlan) => {
                self.fault(path("vlan"), format!("VLAN {vlan} is among `reserved_vlans`, which mirrors leave alone"));
            }
            _ => {}
        }
        if it.speed_mbps == Some(0) {
            self.fault(path("speed_mbps"), "a collector that takes nothing is none; leave it out if it is not known");
        }
        if it.mtu.is_some_and(|mtu| !(576..=65_535).contains(&mtu)) {
            self.fault(path("mtu"), "packets have 576 to 65535 bytes; leave it out if it is not known");
        }
        if !(1..=1_000).contains(&it.at_once) {
            self.fault(path("at_once"), "a collector takes 1 to 1000 mirrors at once");
        }
    }
}

fn no_vlan(vlan: u16) -> String {
    format!("{vlan} is no VLAN; write 1 to 4094")
}

const fn is_vlan(vlan: u16) -> bool {
    matches!(vlan, 1..=4_094)
}

const fn kind_of(kind: AddressKind) -> &'static str {
    match kind {
        AddressKind::Unspecified => "no address",
        AddressKind::Loopback => "a loopback address",
        AddressKind::Multicast => "a multicast address",
        AddressKind::Broadcast => "the broadcast address",
        AddressKind::Public => "an address of the Internet",
    }
}

#[cfg(test)]
mod tests {
    use crate::Snapshot;
    use shared::config::Document;

    fn faults(text: &str) -> Vec<(String, String)> {
        let document: Document = toml::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let findings = Snapshot::compile(1, document).err().unwrap_or_default();
        findings.into_iter().map(|it| (it.path, it.message)).collect()
    }

    const GOOD: &str = r#"
        [mirrors]
        usual = "15m"
        longest = "1h"
        sensitive = ["name=~pay-.*", "tag=pci"]
        reserved_vlans = [10, 4094]
        [[mirrors.backends]]
        id = "kvm-1"
        kind = "openvswitch"
        source = "ovs"
        address = "unix:/run/openvswitch/db.sock"
        [[mirrors.backends]]
        id = "demo"
        kind = "dry_run"
        [[mirrors.collectors]]
        id = "capture"
        ip = "10.77.9.5"
        backend = "kvm-1"
        port = "vnet9"
        vlan = 900
        [[sources]]
        id = "ovs"
        kind = "openvswitch"
        address = "unix:/run/openvswitch/db.sock"
    "#;

    #[test]
    fn what_cannot_work_is_named_with_the_mend() {
        assert_eq!(faults(GOOD), []);
        for (good, bad, path, mend) in [
            ("usual = \"15m\"", "usual = \"2h\"", "mirrors.usual", "1m to as long"),
            ("longest = \"1h\"", "longest = \"5h\"", "mirrors.longest", "1m to 4h"),
            ("longest = \"1h\"", "longest = \"1h\"\napprove_within = \"0\"", "mirrors.approve_within", "1m to 24h"),
            ("longest = \"1h\"", "longest = \"1h\"\nfresh = \"1h\"", "mirrors.fresh", "1s to 10m"),
            ("longest = \"1h\"", "longest = \"1h\"\nper_person = 0", "mirrors.per_person", "1 to 100"),
            ("longest = \"1h\"", "longest = \"1h\"\nblock_percent = 200", "mirrors.block_percent", "1 to 100"),
            ("longest = \"1h\"", "longest = \"1h\"\nwarn_percent = 90", "mirrors.warn_percent", "no later"),
            ("[10, 4094]", "[10, 4095]", "mirrors.reserved_vlans[1]", "1 to 4094"),
            ("\"tag=pci\"", "\"rack=r7\"", "mirrors.sensitive[1]", "write name"),
            ("source = \"ovs\"", "source = \"other\"", "mirrors.backends[kvm-1].source", "source"),
            ("id = \"demo\"", "id = \"kvm-1\"", "mirrors.backends[1].id", "twice"),
            ("kind = \"dry_run\"", "kind = \"vsphere\"", "mirrors.backends[demo].address", "https://"),
            ("kind = \"dry_run\"", "kind = \"dry_run\"\nsessions = 0", "mirrors.backends[demo].sessions", "1 to 1000"),
            ("\"10.77.9.5\"", "\"127.0.0.1\"", "mirrors.collectors[capture].ip", "loopback"),
            ("\"10.77.9.5\"", "\"::ffff:224.0.0.5\"", "mirrors.collectors[capture].ip", "multicast"),
            ("\"10.77.9.5\"", "\"8.8.8.8\"", "mirrors.collectors[capture].ip", "public = true"),
            ("backend = \"kvm-1\"", "backend = \"kvm-9\"", "mirrors.collectors[capture].backend", "kvm-9"),
            ("backend = \"kvm-1\"", "", "mirrors.collectors[capture].backend", "name that, too"),
            ("port = \"vnet9\"", "port = \" \"", "mirrors.collectors[capture].port", "no name"),
            ("vlan = 900", "vlan = 0", "mirrors.collectors[capture].vlan", "1 to 4094"),
            ("vlan = 900", "vlan = 10", "mirrors.collectors[capture].vlan", "reserved_vlans"),
            ("vlan = 900", "vlan = 900\nspeed_mbps = 0", "mirrors.collectors[capture].speed_mbps", "leave it out"),
            ("vlan = 900", "vlan = 900\nmtu = 99", "mirrors.collectors[capture].mtu", "576"),
            ("vlan = 900", "vlan = 900\nat_once = 0", "mirrors.collectors[capture].at_once", "1 to 1000"),
            (
                "vlan = 900",
                "vlan = 900\n[[mirrors.collectors]]\nid = \"twin\"\nip = \"10.77.9.5\"",
                "mirrors.collectors[twin].ip",
                "too",
            ),
            (
                "vlan = 900",
                "vlan = 900\n[[mirrors.collectors]]\nid = \"nowhere\"",
                "mirrors.collectors[nowhere]",
                "name its",
            ),
        ] {
            assert!(GOOD.contains(good), "{good}");
            let found = faults(&GOOD.replacen(good, bad, 1));
            assert!(matches!(&found[..], [(at, why)] if at == path && why.contains(mend)), "{bad}: {found:?}");
        }
    }
}
