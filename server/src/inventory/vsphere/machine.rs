//! A VM as vSphere's properties tell it, kept so that a change of one property gives the whole VM again.

use super::{places::Places, xml::Element};
use shared::{
    inventory::{IpHow, Nic, NicIp, Power, Vm},
    net::Mac,
};
use std::net::IpAddr;

/// The properties that are asked for and watched.
pub(super) const PROPERTIES: [&str; 8] = [
    "name",
    "config.instanceUuid",
    "config.hardware.device",
    "datastore",
    "guest.hostName",
    "guest.net",
    "runtime.host",
    "runtime.powerState",
];

/// What is known of a VM.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Machine {
    name: String,
    uuid: Option<String>,
    hostname: Option<String>,
    power: Power,
    hypervisor: Option<String>,
    /// The ids of its datastores.
    datastores: Vec<String>,
    cards: Vec<Card>,
    guest: Vec<GuestCard>,
}

/// A network interface as its hardware is configured.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Card {
    mac: Option<Mac>,
    label: String,
    backing: Backing,
    connected: Option<bool>,
    /// The id by which NSX or OpenStack know it.
    external_id: Option<String>,
}

/// What an interface is plugged into.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Backing {
    /// A port of a distributed switch.
    Distributed {
        switch: String,
        group: Option<String>,
        port: Option<String>,
    },
    /// A port group of the hypervisor's own switch, by name.
    Standard {
        group: String,
    },
    /// A network that something else runs, such as NSX.
    Opaque {
        id: String,
    },
    Unknown,
}

/// An interface as the system inside reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct GuestCard {
    mac: Mac,
    ips: Vec<IpAddr>,
}

impl Machine {
    /// Takes the new value of a property; none is that it has no more. False for a property that is not known.
    pub(super) fn take(&mut self, property: &str, value: Option<&Element>) -> bool {
        let text = || value.map(|value| value.text.clone()).filter(|text| !text.is_empty());
        match property {
            "name" => self.name = text().map(|name| unescaped(&name)).unwrap_or_default(),
            "config.instanceUuid" => self.uuid = text().map(|uuid| uuid.to_ascii_lowercase()),
            "config.hardware.device" => {
                self.cards = value.into_iter().flat_map(|devices| &devices.children).filter_map(Card::of).collect();
            }
            "datastore" => {
                self.datastores = value.into_iter().flat_map(|all| &all.children).map(|one| one.text.clone()).collect();
            }
            "guest.hostName" => self.hostname = text(),
            "guest.net" => {
                self.guest = value.into_iter().flat_map(|all| &all.children).filter_map(GuestCard::of).collect();
            }
            "runtime.host" => self.hypervisor = text(),
            "runtime.powerState" => {
                self.power = match text().as_deref() {
                    Some("poweredOn") => Power::On,
                    Some("poweredOff") => Power::Off,
                    Some("suspended") => Power::Paused,
                    _ => Power::Unknown,
                };
            }
            _ => return false,
        }
        true
    }

    /// Whether it runs where and as it did, plugged into the same ports.
    pub(super) fn stands_as(&self, other: &Self) -> bool {
        (self.power, &self.hypervisor, &self.cards) == (other.power, &other.hypervisor, &other.cards)
    }

    /// The ports of distributed switches it is plugged into, as switch and port, with the MAC behind each.
    pub(super) fn ports(&self) -> impl Iterator<Item = (&str, &str, Option<Mac>)> {
        self.cards.iter().filter_map(|card| match &card.backing {
            Backing::Distributed { switch, port: Some(port), .. } => Some((switch.as_str(), port.as_str(), card.mac)),
            _ => None,
        })
    }

    pub(super) fn uuid(&self) -> Option<&str> {
        self.uuid.as_deref()
    }

    /// Whether `places` has a name for everything it refers to.
    pub(super) fn is_known_in(&self, places: &Places) -> bool {
        let hypervisor = self.hypervisor.iter().all(|id| places.hypervisor(id).is_some());
        let datastores = self.datastores.iter().all(|id| places.datastore(id).is_some());
        let networks = self.cards.iter().all(|card| match &card.backing {
            Backing::Distributed { group: Some(group), .. } => places.group(group).is_some(),
            _ => true,
        });
        hypervisor && datastores && networks
    }

    /// The VM with the names of what it refers to; `vlan_of` knows those of ports.
    pub(super) fn told(&self, key: &str, places: &Places, vlan_of: impl Fn(&str, &str) -> Option<u16>) -> Vm {
        let datastores = self.datastores.iter().filter_map(|id| places.datastore(id)).map(str::to_owned).collect();
        Vm {
            key: key.to_owned(),
            name: self.name.clone(),
            uuid: self.uuid.clone(),
            hostname: self.hostname.clone(),
            power: self.power,
            recorded: false,
            hypervisor: self.hypervisor.clone(),
            datastores,
            tags: Vec::new(),
            nics: self.cards.iter().map(|card| self.nic(card, places, &vlan_of)).collect(),
        }
    }

    fn nic(&self, card: &Card, places: &Places, vlan_of: impl Fn(&str, &str) -> Option<u16>) -> Nic {
        let reported = self.guest.iter().filter(|guest| Some(guest.mac) == card.mac).flat_map(|guest| &guest.ips);
        let mut ips: Vec<NicIp> = reported.map(|ip| NicIp { ip: *ip, how: IpHow::Guest }).collect();
        ips.sort_unstable();
        ips.dedup();
        let mut nic = Nic {
            mac: card.mac,
            label: card.label.clone(),
            ips,
            iface_id: card.external_id.clone(),
            connected: card.connected,
            ..Nic::default()
        };
        match &card.backing {
            Backing::Distributed { switch, group, port } => {
                let group = group.as_deref().and_then(|group| places.group(group));
                nic.network = group.map(|group| group.name.clone());
                nic.vlan = port.as_deref().and_then(|port| vlan_of(switch, port)).or_else(|| group?.vlan);
                nic.switch = Some(switch.clone());
                nic.port.clone_from(port);
            }
            Backing::Standard { group } => {
                let found = self.hypervisor.as_deref().and_then(|id| places.standard_group(id, group));
                nic.network = Some(group.clone());
                nic.vlan = found.and_then(|found| found.vlan);
                nic.switch = found.map(|found| found.switch.clone());
            }
            Backing::Opaque { id } => nic.network = Some(places.opaque(id).unwrap_or(id).to_owned()),
            Backing::Unknown => {}
        }
        nic
    }
}

impl Card {
    /// Every kind of `VirtualEthernetCard`, also such as are newer than this program: no other device has a MAC.
    fn of(device: &Element) -> Option<Self> {
        let mac = device.child("macAddress").map(|mac| mac.text.parse().ok());
        let is_card = mac.is_some() || device.kind == "VirtualEthernetCard" || CARDS.contains(&device.kind.as_str());
        is_card.then(|| Self {
            mac: mac.flatten(),
            label: device.text_at("deviceInfo.label").unwrap_or_default().to_owned(),
            backing: device.child("backing").map_or(Backing::Unknown, Backing::of),
            connected: device.truth_at("connectable.connected"),
            external_id: device.text_at("externalId").map(str::to_owned),
        })
    }
}

/// Those that may not have a MAC yet: a VM that was never started.
const CARDS: [&str; 7] = [
    "VirtualE1000",
    "VirtualE1000e",
    "VirtualPCNet32",
    "VirtualSriovEthernetCard",
    "VirtualVmxnet",
    "VirtualVmxnet2",
    "VirtualVmxnet3",
];

impl Backing {
    fn of(backing: &Element) -> Self {
        let text = |path: &str| backing.text_at(path).map(str::to_owned);
        if let Some(switch) = text("port.switchUuid") {
            return Self::Distributed { switch, group: text("port.portgroupKey"), port: text("port.portKey") };
        }
        if let Some(id) = text("opaqueNetworkId") {
            return Self::Opaque { id };
        }
        text("deviceName").map_or(Self::Unknown, |group| Self::Standard { group: unescaped(&group) })
    }
}

impl GuestCard {
    fn of(reported: &Element) -> Option<Self> {
        let mac = reported.text_at("macAddress")?.parse().ok()?;
        let with_length = reported.child("ipConfig").into_iter().flat_map(|config| config.all("ipAddress"));
        let with_length = with_length.filter_map(|address| address.text_at("ipAddress"));
        let plain = reported.all("ipAddress").map(|address| address.text.as_str());
        let ips = plain.chain(with_length).filter_map(|text| text.parse().ok()).collect();
        Some(Self { mac, ips })
    }
}

/// Names of vSphere's objects are stored with these three characters as in URLs (`ManagedEntity.name`).
pub(crate) fn unescaped(name: &str) -> String {
    name.replace("%2f", "/").replace("%2F", "/").replace("%5c", "\\").replace("%5C", "\\").replace("%25", "%")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::vsphere::xml::Elements;

    fn element(xml: &str) -> Element {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let xml = format!("<r xmlns:xsi=\"x\">{xml}</r>");
        runtime.block_on(Elements::new(xml.as_bytes()).next(&["val"])).unwrap().unwrap()
    }

    #[test]
    fn every_kind_of_card_is_one_and_other_devices_are_none() {
        let devices = element(
            r#"<val xsi:type="ArrayOfVirtualDevice">
            <VirtualDevice xsi:type="VirtualDisk"><key>2000</key><backing><fileName>[ds] a.vmdk</fileName></backing></VirtualDevice>
            <VirtualDevice xsi:type="vim25:VirtualVmxnet4"><key>4000</key><deviceInfo><label>Network adapter 1</label></deviceInfo>
              <backing xsi:type="VirtualEthernetCardDistributedVirtualPortBackingInfo"><port><switchUuid>50 1a</switchUuid>
              <portgroupKey>dvportgroup-9</portgroupKey><portKey>12</portKey><connectionCookie>7</connectionCookie></port></backing>
              <connectable><connected>true</connected></connectable><macAddress>00:50:56:AB:CD:01</macAddress>
              <externalId>port-1</externalId></VirtualDevice>
            <VirtualDevice xsi:type="VirtualE1000"><backing><deviceName>VM %2f Network</deviceName></backing></VirtualDevice>
            <VirtualDevice xsi:type="VirtualVmxnet3"><backing><opaqueNetworkId>net-7</opaqueNetworkId></backing>
              <macAddress>zero</macAddress></VirtualDevice></val>"#,
        );
        let mut machine = Machine::default();
        assert!(machine.take("config.hardware.device", Some(&devices)));
        let vm =
            machine.told("vm-1", &Places::default(), |switch, port| (switch, port).eq(&("50 1a", "12")).then_some(77));
        let [first, second, third] = vm.nics.as_slice() else { panic!("{:?}", vm.nics) };
        assert_eq!(first.mac, "00:50:56:ab:cd:01".parse().ok());
        assert_eq!((first.switch.as_deref(), first.port.as_deref(), first.vlan), (Some("50 1a"), Some("12"), Some(77)));
        assert_eq!(
            (first.connected, first.iface_id.as_deref(), first.network.as_deref()),
            (Some(true), Some("port-1"), None)
        );
        assert_eq!((second.mac, second.network.as_deref(), second.connected), (None, Some("VM / Network"), None));
        assert_eq!((third.mac, third.network.as_deref()), (None, Some("net-7")));
        assert_eq!(machine.ports().collect::<Vec<_>>(), [("50 1a", "12", first.mac)]);
    }

    #[test]
    fn addresses_are_those_reported_for_the_mac_each_once() {
        let devices = element(
            r#"<val><VirtualDevice xsi:type="VirtualVmxnet3"><macAddress>00:50:56:ab:cd:01</macAddress></VirtualDevice></val>"#,
        );
        let net = element(
            r#"<val><GuestNicInfo><network>x</network><ipAddress>10.77.0.5</ipAddress><ipAddress>fe80::1</ipAddress>
              <macAddress>00:50:56:ab:cd:01</macAddress><ipConfig><ipAddress><ipAddress>10.77.0.5</ipAddress><prefixLength>24</prefixLength>
              </ipAddress></ipConfig></GuestNicInfo>
              <GuestNicInfo><ipAddress>10.77.0.9</ipAddress><macAddress>00:50:56:ab:cd:02</macAddress></GuestNicInfo>
              <GuestNicInfo><ipAddress>172.17.0.1</ipAddress></GuestNicInfo></val>"#,
        );
        let mut machine = Machine::default();
        assert!(machine.take("config.hardware.device", Some(&devices)) && machine.take("guest.net", Some(&net)));
        let ips = |machine: &Machine| machine.told("vm-1", &Places::default(), |_, _| None).nics[0].ips.clone();
        let guest = |text: &str| NicIp { ip: text.parse().unwrap(), how: IpHow::Guest };
        assert_eq!(ips(&machine), [guest("10.77.0.5"), guest("fe80::1")]);
        assert!(machine.take("guest.net", None));
        assert_eq!(ips(&machine), []);
    }

    #[test]
    fn a_property_that_is_not_known_says_so_and_the_known_ones_are_those_that_are_asked_for() {
        let mut machine = Machine::default();
        assert!(PROPERTIES.iter().all(|property| machine.take(property, None)));
        assert!(!machine.take("config.hardware.device[4000].connectable", None));
        assert_eq!(machine, Machine::default());
    }
}
