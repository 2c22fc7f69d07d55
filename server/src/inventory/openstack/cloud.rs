//! What Nova and Neutron said, put together: each server with the ports that are plugged into it.

use crate::inventory::uuid;
use serde_json::Value;
use shared::{
    inventory::{Hypervisor, IpHow, Nic, NicIp, Observation, Power, Vm},
    net::Mac,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

/// Tags and metadata of a server that are told.
const TAGS_MAX: usize = 64;
/// Of a tag, in characters.
const TAG_CHARS: usize = 200;
/// Interfaces are named after so much of an id: Linux has 15 characters for one.
const ID_IN_NAME: usize = 11;

/// What was read so far. Networks, ports and floating addresses come after the servers: what is for nobody is left out.
#[derive(Debug, Default)]
pub(super) struct Cloud {
    servers: BTreeMap<String, Server>,
    networks: BTreeMap<String, Network>,
    /// Of each port with a server, that server.
    plugged: BTreeMap<String, String>,
}

#[derive(Debug, Default)]
struct Server {
    vm: Vm,
    zone: Option<String>,
    /// By the port's id.
    nics: BTreeMap<String, Nic>,
    /// As the ports say where it runs.
    bound_at: Option<String>,
}

#[derive(Debug, Default)]
struct Network {
    name: Option<String>,
    vlan: Option<u16>,
}

impl Cloud {
    /// Takes one of Nova's `servers`.
    pub(super) fn take_server(&mut self, said: &Value) {
        let Some(id) = text(&said["id"]) else { return };
        let tags = said["tags"].as_array().into_iter().flatten().filter_map(text);
        let metadata = said["metadata"].as_object().into_iter().flatten();
        let metadata = metadata.filter_map(|(name, value)| Some(format!("{name}={}", value.as_str()?)));
        let tags = tags.chain(metadata).map(|tag| tag.chars().take(TAG_CHARS).collect()).take(TAGS_MAX).collect();
        let hypervisor =
            text(&said["OS-EXT-SRV-ATTR:hypervisor_hostname"]).or_else(|| text(&said["OS-EXT-SRV-ATTR:host"]));
        let vm = Vm {
            key: id.clone(),
            name: text(&said["name"]).unwrap_or_else(|| id.clone()),
            uuid: uuid::usual(&id),
            hostname: text(&said["OS-EXT-SRV-ATTR:hostname"]),
            power: power(said),
            hypervisor,
            tags,
            ..Vm::default()
        };
        let zone = text(&said["OS-EXT-AZ:availability_zone"]);
        self.servers.insert(id, Server { vm, zone, ..Server::default() });
    }

    /// Takes one of Neutron's `networks`.
    pub(super) fn take_network(&mut self, said: &Value) {
        let Some(id) = text(&said["id"]) else { return };
        // Elsewhere the segment's number is that of a tunnel.
        let is_vlan = said["provider:network_type"] == "vlan";
        let vlan = said["provider:segmentation_id"].as_u64().and_then(|vlan| u16::try_from(vlan).ok());
        let vlan = vlan.filter(|vlan| is_vlan && (1..=4_094).contains(vlan));
        self.networks.insert(id, Network { name: text(&said["name"]), vlan });
    }

    /// Takes one of Neutron's `ports`. Those of routers, DHCP and balancers are no server's.
    ///
    /// `allowed_address_pairs` are not told: they say what a port may use, often a whole network or an address that several
    /// servers share, and not what it has.
    pub(super) fn take_port(&mut self, said: &Value) {
        let (Some(id), Some(device)) = (text(&said["id"]), text(&said["device_id"])) else { return };
        let Some(server) = self.servers.get_mut(&device) else { return };
        let fixed = said["fixed_ips"].as_array().into_iter().flatten();
        let ips = fixed.filter_map(|fixed| address(&fixed["ip_address"])).collect::<BTreeSet<_>>();
        let network_id = text(&said["network_id"]).unwrap_or_default();
        let network = self.networks.get(&network_id);
        let (switch, port) = plug(said, &id, &network_id);
        let connected = match (said["admin_state_up"].as_bool(), said["status"].as_str()) {
            (Some(false), _) => Some(false),
            (_, Some("ACTIVE")) => Some(true),
            // Its machine may be off, or the switch not ready yet.
            _ => None,
        };
        let nic = Nic {
            mac: said["mac_address"].as_str().and_then(|mac| mac.parse::<Mac>().ok()),
            label: text(&said["name"]).unwrap_or_default(),
            ips: ips.into_iter().collect(),
            network: network.and_then(|network| network.name.clone()),
            vlan: network.and_then(|network| network.vlan),
            switch,
            port,
            iface_id: Some(id.clone()),
            connected,
        };
        server.bound_at = server.bound_at.take().or_else(|| text(&said["binding:host_id"]));
        server.nics.insert(id.clone(), nic);
        self.plugged.insert(id, device);
    }

    /// Takes one of Neutron's `floatingips`: an address at which the server behind a port is reached from outside.
    pub(super) fn take_floating(&mut self, said: &Value) {
        let Some((port, ip)) = text(&said["port_id"]).zip(address(&said["floating_ip_address"])) else { return };
        let server = self.plugged.get(&port).and_then(|server| self.servers.get_mut(server));
        let Some(nic) = server.and_then(|server| server.nics.get_mut(&port)) else { return };
        if !nic.ips.contains(&ip) {
            nic.ips.push(ip);
        }
    }

    /// Everything as one observation.
    pub(super) fn told(self) -> Observation {
        let mut hypervisors: BTreeMap<String, Hypervisor> = BTreeMap::new();
        let mut vms = Vec::with_capacity(self.servers.len());
        for Server { mut vm, zone, nics, bound_at } in self.servers.into_values() {
            vm.hypervisor = vm.hypervisor.or(bound_at);
            vm.nics = nics.into_values().collect();
            if let Some(key) = &vm.hypervisor {
                let known = hypervisors.entry(key.clone()).or_default();
                (known.key, known.name) = (key.clone(), key.clone());
                known.cluster = known.cluster.take().or(zone);
            }
            vms.push(vm);
        }
        let hypervisors = hypervisors.into_values().collect();
        Observation { whole: true, hypervisors, vms, ..Observation::default() }
    }
}

/// A text that says something.
fn text(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

fn address(value: &Value) -> Option<NicIp> {
    Some(NicIp { ip: value.as_str()?.parse::<IpAddr>().ok()?, how: IpHow::Assigned })
}

/// The switch of the hypervisor and the port's name there, as far as names follow a rule.
fn plug(said: &Value, id: &str, network: &str) -> (Option<String>, Option<String>) {
    let details = &said["binding:vif_details"];
    let named = |prefix: &str, id: &str| id.get(..ID_IN_NAME).map(|start| format!("{prefix}{start}"));
    let bridge = text(&details["bridge_name"]);
    match said["binding:vif_type"].as_str() {
        // A bridge for packet filters stands between: the switch sees the far end of a pair of interfaces.
        Some("ovs") if details["ovs_hybrid_plug"] == true => (bridge, named("qvo", id)),
        Some("ovs") => (bridge, named("tap", id)),
        Some("vhostuser") => (bridge, named("vhu", id)),
        Some("bridge") => (bridge.or_else(|| named("brq", network)), named("tap", id)),
        _ => (bridge, None),
    }
}

fn power(said: &Value) -> Power {
    let status = said["status"].as_str().unwrap_or_default();
    // A suspended machine is off for the hypervisor, and yet goes on where it was.
    if matches!(status, "PAUSED" | "SUSPENDED") {
        return Power::Paused;
    }
    match (said["OS-EXT-STS:power_state"].as_i64(), status) {
        (Some(1), _) => Power::On,
        (Some(3 | 7), _) => Power::Paused,
        (Some(4 | 6), _) => Power::Off,
        (_, "ACTIVE" | "REBOOT" | "HARD_REBOOT" | "PASSWORD" | "MIGRATING") => Power::On,
        (_, "SHUTOFF" | "SHELVED" | "SHELVED_OFFLOADED" | "SOFT_DELETED" | "BUILD") => Power::Off,
        _ => Power::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::https::json::any_json;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn power_is_what_the_hypervisor_says_unless_it_sleeps() {
        for (state, status, expected) in [
            (json!(1), "ACTIVE", Power::On),
            (json!(4), "SUSPENDED", Power::Paused),
            (json!(3), "PAUSED", Power::Paused),
            (json!(4), "SHUTOFF", Power::Off),
            (json!(0), "SHELVED_OFFLOADED", Power::Off),
            (json!(null), "ACTIVE", Power::On),
            (json!("1"), "UNKNOWN", Power::Unknown),
        ] {
            assert_eq!(
                power(&json!({"OS-EXT-STS:power_state": state, "status": status})),
                expected,
                "{state} {status}"
            );
        }
    }

    #[test]
    fn a_port_is_named_as_its_agent_names_it() {
        let id = "f71a6703-d6de-4be1-a91a-a570ede1d159";
        let plug = |kind: &str, details: Value| {
            plug(&json!({"binding:vif_type": kind, "binding:vif_details": details}), id, "ab5ba8e2-1000")
        };
        let both = |switch: &str, port: &str| (Some(switch.to_owned()), Some(port.to_owned()));
        assert_eq!(plug("ovs", json!({"bridge_name": "br-int"})), both("br-int", "tapf71a6703-d6"));
        let hybrid = json!({"bridge_name": "br-int", "ovs_hybrid_plug": true});
        assert_eq!(plug("ovs", hybrid), both("br-int", "qvof71a6703-d6"));
        assert_eq!(plug("bridge", json!({})), both("brqab5ba8e2-10", "tapf71a6703-d6"));
        assert_eq!(plug("vhostuser", json!(null)), (None, Some("vhuf71a6703-d6".into())));
        assert_eq!(plug("hw_veb", json!({"vlan": "50"})), (None, None));
    }

    #[test]
    fn only_a_vlan_has_a_vlan() {
        let mut cloud = Cloud::default();
        for (id, kind, number) in [
            ("a", "vlan", json!(42)),
            ("b", "vxlan", json!(42)),
            ("c", "vlan", json!(5_000)),
            ("d", "flat", json!(null)),
        ] {
            cloud.take_network(&json!({"id": id, "provider:network_type": kind, "provider:segmentation_id": number}));
        }
        let vlans: Vec<Option<u16>> = cloud.networks.values().map(|network| network.vlan).collect();
        assert_eq!(vlans, [Some(42), None, None, None]);
    }

    proptest! {
        #[test]
        fn any_answer_is_taken(said in any_json()) {
            let mut cloud = Cloud::default();
            cloud.take_server(&json!({"id": "s", "tags": said, "metadata": said, "OS-EXT-STS:power_state": said, "name": said}));
            cloud.take_network(&json!({"id": "n", "provider:network_type": "vlan", "provider:segmentation_id": said}));
            cloud.take_port(&json!({"id": "p", "device_id": "s", "fixed_ips": said, "binding:vif_details": said,
                "binding:vif_type": "ovs", "network_id": said, "mac_address": said}));
            cloud.take_floating(&json!({"port_id": "p", "floating_ip_address": said}));
            cloud.take_server(&said);
            cloud.take_network(&said);
            cloud.take_port(&said);
            cloud.take_floating(&said);
            let told = cloud.told();
            prop_assert!(told.vms.iter().all(|vm| vm.tags.len() <= TAGS_MAX && !vm.name.is_empty()));
            prop_assert!(told.vms.iter().any(|vm| vm.key == "s" && vm.nics.len() == 1));
        }

        #[test]
        fn any_id_names_a_port(id in ".{1,20}", kind in "(ovs|bridge|vhostuser)") {
            plug(&json!({"binding:vif_type": kind}), &id, &id);
        }
    }
}
