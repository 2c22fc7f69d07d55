//! The configuration of one machine or container: lines such as `net0: virtio=MAC,bridge=vmbr0,tag=42`.

use crate::inventory::uuid;
use serde_json::Value;
use shared::{
    inventory::{IpHow, Nic, NicIp},
    net::Mac,
};
use std::{collections::BTreeSet, net::IpAddr};

/// Proxmox itself allows 32 interfaces.
const NICS_MAX: u32 = 32;
/// What a machine's disks are called, with a number behind.
const DISKS: [&str; 7] = ["scsi", "virtio", "ide", "sata", "efidisk", "tpmstate", "mp"];

/// What a configuration says of a machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Config {
    pub(super) uuid: Option<String>,
    pub(super) nics: Vec<Nic>,
    pub(super) datastores: BTreeSet<String>,
    /// An agent inside should answer.
    pub(super) has_agent: bool,
}

impl Config {
    /// Of a virtual machine.
    pub(super) fn of_qemu(number: u64, said: &Value) -> Self {
        let uuid = options(said["smbios1"].as_str().unwrap_or_default());
        let uuid = uuid.into_iter().find(|(name, _)| *name == "uuid").and_then(|(_, text)| uuid::usual(text));
        let agent = word(&said["agent"]);
        let has_agent =
            options(&agent).iter().any(|(name, text)| matches!((*name, *text), ("1", "") | ("enabled", "1")));
        let mut config = Self::of(number, "tap", said);
        (config.uuid, config.has_agent) = (uuid, has_agent);
        config
    }

    /// Of a container.
    pub(super) fn of_lxc(number: u64, said: &Value) -> Self {
        Self::of(number, "veth", said)
    }

    fn of(number: u64, device: &str, said: &Value) -> Self {
        let line = |name: &str| said[name].as_str();
        let nics = (0..NICS_MAX).filter_map(|n| {
            let mut plug = Plug::read(line(&format!("net{n}"))?);
            // What the first start is told (cloud-init).
            plug.ips.extend(line(&format!("ipconfig{n}")).map(addresses).unwrap_or_default());
            Some(plug.nic(number, device, n))
        });
        let disks = said.as_object().into_iter().flatten().filter(|(name, _)| is_disk(name));
        let datastores = disks.filter_map(|(_, value)| datastore(value.as_str()?)).collect();
        Self { nics: nics.collect(), datastores, ..Self::default() }
    }
}

/// The line of one interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Plug {
    mac: Option<Mac>,
    bridge: Option<String>,
    vlan: Option<u16>,
    /// The cable is out.
    link_down: bool,
    /// A bridge of its own, for packet filters, stands between.
    firewall: bool,
    ips: BTreeSet<IpAddr>,
}

impl Plug {
    fn read(line: &str) -> Self {
        let mut plug = Self { ips: addresses(line), ..Self::default() };
        for (name, text) in options(line) {
            match name {
                "bridge" => plug.bridge = Some(text.to_owned()).filter(|text| !text.is_empty()),
                "tag" => plug.vlan = text.parse().ok().filter(|vlan| (1..=4_094).contains(vlan)),
                "link_down" => plug.link_down = text == "1",
                "firewall" => plug.firewall = text == "1",
                // Behind the name of the model, `macaddr` or `hwaddr`.
                _ => plug.mac = plug.mac.or_else(|| text.parse().ok()),
            }
        }
        plug
    }

    /// With `firewall` the machine's end is not on the bridge itself but on one of its own, between the two.
    fn nic(self, number: u64, device: &str, n: u32) -> Nic {
        let switch = if self.firewall { Some(format!("fwbr{number}i{n}")) } else { self.bridge.clone() };
        let address = |ip| NicIp { ip, how: IpHow::Assigned };
        Nic {
            mac: self.mac,
            label: format!("net{n}"),
            ips: self.ips.into_iter().map(address).collect(),
            network: self.bridge,
            vlan: self.vlan,
            switch,
            port: Some(format!("{device}{number}i{n}")),
            iface_id: None,
            connected: Some(!self.link_down),
        }
    }
}

/// `name=text`, or a name alone, with commas between.
fn options(line: &str) -> Vec<(&str, &str)> {
    line.split(',').map(|option| option.split_once('=').unwrap_or((option, ""))).collect()
}

/// The fixed addresses of a line: `ip=10.0.0.5/24`, but not `ip=dhcp`.
fn addresses(line: &str) -> BTreeSet<IpAddr> {
    let given = options(line).into_iter().filter(|(name, _)| matches!(*name, "ip" | "ip6"));
    given.filter_map(|(_, text)| address(text)).collect()
}

/// An address, with the length of its network or without.
fn address(text: &str) -> Option<IpAddr> {
    text.split('/').next().unwrap_or_default().parse().ok()
}

fn is_disk(name: &str) -> bool {
    let numbered = |kind: &str| {
        let number = name.strip_prefix(kind).unwrap_or_default();
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    };
    name == "rootfs" || DISKS.iter().any(|kind| numbered(kind))
}

/// Where a disk lies: `local-lvm` of `local-lvm:vm-100-disk-0,size=32G`.
fn datastore(line: &str) -> Option<String> {
    let (volume, rest) = line.split_once(',').unwrap_or((line, ""));
    let (store, _) = volume.split_once(':')?;
    let is_cd = options(rest).contains(&("media", "cdrom"));
    // Some are paths of the node, such as a whole disk passed on.
    (!is_cd && !store.is_empty() && !store.contains('/')).then(|| store.to_owned())
}

/// Proxmox writes numbers as numbers here and as texts there.
fn word(value: &Value) -> String {
    value.as_str().map_or_else(|| value.as_u64().map(|number| number.to_string()).unwrap_or_default(), str::to_owned)
}

/// Adds what the system inside says of its interfaces, as an agent tells it (`result`) or a container's node.
pub(super) fn take_interfaces(nics: &mut [Nic], said: &Value) {
    let list = said["result"].as_array().or_else(|| said.as_array());
    for interface in list.into_iter().flatten() {
        let mac = interface["hardware-address"].as_str().or_else(|| interface["hwaddr"].as_str());
        let Some(mac) = mac.and_then(|text| text.parse::<Mac>().ok()) else { continue };
        let listed = interface["ip-addresses"].as_array().into_iter().flatten().map(|it| &it["ip-address"]);
        let texts = listed.chain([&interface["inet"], &interface["inet6"]]).filter_map(Value::as_str);
        for ip in texts.filter_map(address) {
            let told = NicIp { ip, how: IpHow::Guest };
            for nic in nics.iter_mut().filter(|nic| nic.mac == Some(mac) && !nic.ips.contains(&told)) {
                nic.ips.push(told);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::https::json::any_json;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn interfaces_are_read_in_every_form() {
        let mac: Mac = "BC:24:11:00:00:01".parse().unwrap();
        for (line, expected) in [
            (
                "virtio=BC:24:11:00:00:01,bridge=vmbr0,tag=42,link_down=1",
                Plug {
                    mac: Some(mac),
                    bridge: Some("vmbr0".into()),
                    vlan: Some(42),
                    link_down: true,
                    ..Plug::default()
                },
            ),
            (
                "model=e1000,macaddr=bc:24:11:00:00:01,bridge=vmbr1,firewall=1,queues=4,trunks=1;2",
                Plug { mac: Some(mac), bridge: Some("vmbr1".into()), firewall: true, ..Plug::default() },
            ),
            (
                "name=eth0,bridge=vnet1,gw=10.0.0.1,hwaddr=BC:24:11:00:00:01,ip=10.0.0.5/24,ip6=fd00::5/64,type=veth",
                Plug {
                    mac: Some(mac),
                    bridge: Some("vnet1".into()),
                    ips: ["10.0.0.5".parse().unwrap(), "fd00::5".parse().unwrap()].into(),
                    ..Plug::default()
                },
            ),
            ("name=eth0,ip=dhcp,ip6=auto,tag=5000", Plug::default()),
            ("", Plug::default()),
        ] {
            assert_eq!(Plug::read(line), expected, "{line}");
        }
    }

    #[test]
    fn a_firewall_stands_between_the_machine_and_its_bridge() {
        let nic = |line: &str| Plug::read(line).nic(100, "tap", 1);
        let plain = nic("virtio=BC:24:11:00:00:01,bridge=vmbr0");
        assert_eq!((plain.switch.as_deref(), plain.port.as_deref()), (Some("vmbr0"), Some("tap100i1")));
        let walled = nic("virtio=BC:24:11:00:00:01,bridge=vmbr0,firewall=1");
        assert_eq!((walled.switch.as_deref(), walled.port.as_deref()), (Some("fwbr100i1"), Some("tap100i1")));
        assert_eq!(walled.network.as_deref(), Some("vmbr0"));
    }

    #[test]
    fn disks_name_their_stores_and_compact_disks_do_not() {
        let said = json!({
            "scsi0": "local-lvm:vm-100-disk-0,size=32G", "scsihw": "virtio-scsi-pci", "efidisk0": "ceph:vm-100-disk-1",
            "ide2": "iso:iso/debian.iso,media=cdrom", "sata0": "/dev/sdb,size=1T", "ide0": "none,media=cdrom",
            "unused0": "old:vm-100-disk-9", "virtio1": "nfs:100/disk.qcow2",
        });
        let stores: Vec<_> = Config::of_qemu(100, &said).datastores.into_iter().collect();
        assert_eq!(stores, ["ceph", "local-lvm", "nfs"]);
        assert_eq!(Config::of_lxc(7, &json!({"rootfs": "zfs:subvol-7"})).datastores, ["zfs".to_owned()].into());
    }

    #[test]
    fn an_agent_is_on_in_every_notation() {
        for (agent, on) in [
            (json!("1"), true),
            (json!(1), true),
            (json!("enabled=1,fstrim_cloned_disks=1"), true),
            (json!("1,type=isa"), true),
            (json!("0"), false),
            (json!("enabled=0"), false),
            (json!(null), false),
        ] {
            assert_eq!(Config::of_qemu(1, &json!({"agent": agent})).has_agent, on, "{agent}");
        }
    }

    fn written() -> impl Strategy<Value = (Plug, String)> {
        let mac = any::<[u8; 6]>().prop_filter_map("no machine's", |bytes| Mac::checked(bytes).ok());
        let ips = prop::collection::btree_set(any::<[u8; 4]>().prop_map(IpAddr::from), 0..2);
        let fields = (mac, "[a-z]{2,5}[0-9]{1,3}", prop::option::of(1_u16..=4_094), any::<bool>(), any::<bool>(), ips);
        fields.prop_map(|(mac, bridge, vlan, link_down, firewall, ips)| {
            let mut line = vec![format!("virtio={}", mac.to_string().to_uppercase()), format!("bridge={bridge}")];
            line.extend(vlan.map(|vlan| format!("tag={vlan}")));
            line.extend(link_down.then(|| "link_down=1".to_owned()));
            line.extend(firewall.then(|| "firewall=1".to_owned()));
            line.extend(ips.iter().map(|ip| format!("ip={ip}/24")));
            (Plug { mac: Some(mac), bridge: Some(bridge), vlan, link_down, firewall, ips }, line.join(","))
        })
    }

    proptest! {
        #[test]
        fn a_line_says_what_was_written((plug, line) in written()) {
            prop_assert_eq!(Plug::read(&line), plug, "{}", line);
        }

        #[test]
        fn any_line_is_read(line in "[a-z0-9=,:;/. é]{0,60}") {
            Plug::read(&line).nic(u64::MAX, "tap", u32::MAX);
            datastore(&line);
        }

        #[test]
        fn any_answer_is_read(said in any_json()) {
            for said in [said.clone(), json!({"net0": said, "net1": "virtio=52:54:00:12:34:56", "smbios1": said, "agent": said, "scsi0": said})] {
                let mut config = Config::of_qemu(1, &said);
                Config::of_lxc(1, &said);
                take_interfaces(&mut config.nics, &said);
                prop_assert!(config.nics.len() <= NICS_MAX as usize);
            }
        }
    }
}
