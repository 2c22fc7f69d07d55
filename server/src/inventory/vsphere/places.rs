//! What VMs refer to: hypervisors, clusters, datastores, networks and switches, by their ids. Read page by page, again and
//! again, since they change seldom and watching them would cost the vCenter more than asking.

use super::{
    machine::unescaped,
    soap::{Content, Object, Soap, Trouble},
    view,
    xml::Element,
};
use shared::inventory::Hypervisor;
use std::collections::BTreeMap;

/// More is not an inventory of one vCenter (its maxima are below a tenth of it).
const PLACES_MAX: usize = 200_000;

/// Which types are looked at, and which of their properties. Each object is asked for the properties of its own type.
const WANTED: [(&str, &[&str]); 6] = [
    ("HostSystem", &["name", "parent", "config.network.vnic", "config.network.portgroup"]),
    ("ComputeResource", &["name"]),
    ("Datastore", &["name"]),
    ("DistributedVirtualPortgroup", &["name", "key", "config.defaultPortConfig"]),
    ("OpaqueNetwork", &["name", "summary"]),
    ("DistributedVirtualSwitch", &["name", "uuid"]),
];

/// A port group of a distributed switch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) name: String,
    pub(super) vlan: Option<u16>,
}

/// A port group of a hypervisor's own switch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StandardGroup {
    pub(super) switch: String,
    pub(super) vlan: Option<u16>,
}

/// A distributed switch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Switch {
    pub(super) object: Object,
    pub(super) uuid: String,
    pub(super) name: String,
}

/// Everything that has a name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Places {
    hypervisors: BTreeMap<String, Hypervisor>,
    clusters: BTreeMap<String, String>,
    datastores: BTreeMap<String, String>,
    groups: BTreeMap<String, Group>,
    /// By hypervisor and name.
    standard: BTreeMap<(String, String), StandardGroup>,
    opaque: BTreeMap<String, String>,
    switches: BTreeMap<String, Switch>,
}

impl Places {
    /// Reads all of them, page by page.
    pub(super) async fn look(soap: &Soap, content: &Content, view: &Object) -> Result<Self, Trouble> {
        let mut places = Self::default();
        let mut parents = Vec::new();
        let wanted = view::spec(view, &WANTED);
        view::each(soap, content, &wanted, PLACES_MAX, |element| places.take(element, &mut parents)).await?;
        Ok(places.with_clusters(parents))
    }

    fn with_clusters(mut self, parents: Vec<(String, String)>) -> Self {
        for (hypervisor, parent) in parents {
            if let Some(hypervisor) = self.hypervisors.get_mut(&hypervisor) {
                hypervisor.cluster = self.clusters.get(&parent).cloned();
            }
        }
        self
    }

    /// Takes one object; the parents of hypervisors are remembered, because clusters may come later.
    pub(super) fn take(&mut self, element: &Element, parents: &mut Vec<(String, String)>) {
        let Some(object) = element.child("obj").map(Object::of) else { return };
        let value = |name: &str| view::value(element, name);
        let text = |name: &str| value(name).map(|value| value.text.clone()).unwrap_or_default();
        let name = unescaped(&text("name"));
        match object.kind.as_str() {
            "HostSystem" => {
                // Only a cluster's: a hypervisor that stands alone has a parent with its own name.
                let parent = value("parent").filter(|parent| parent.of == "ClusterComputeResource");
                parents.extend(parent.map(|parent| (object.id.clone(), parent.text.clone())));
                for group in value("config.network.portgroup").into_iter().flat_map(|groups| &groups.children) {
                    self.take_standard(&object.id, group);
                }
                let interfaces = value("config.network.vnic").into_iter().flat_map(|vnics| &vnics.children);
                let ips = interfaces.flat_map(vnic_ips).collect();
                let hypervisor = Hypervisor { key: object.id.clone(), name, cluster: None, ips };
                self.hypervisors.insert(object.id, hypervisor);
            }
            "ClusterComputeResource" => drop(self.clusters.insert(object.id, name)),
            "Datastore" => drop(self.datastores.insert(object.id, name)),
            "DistributedVirtualPortgroup" => {
                let vlan = value("config.defaultPortConfig").and_then(vlan_of);
                self.groups.insert(text("key"), Group { name, vlan });
            }
            "OpaqueNetwork" => {
                if let Some(id) = value("summary").and_then(|summary| summary.text_at("opaqueNetworkId")) {
                    self.opaque.insert(id.to_owned(), name);
                }
            }
            // `VmwareDistributedVirtualSwitch` on a real one.
            kind if kind.ends_with("DistributedVirtualSwitch") => {
                let switch = Switch { object, uuid: text("uuid"), name };
                self.switches.insert(switch.uuid.clone(), switch);
            }
            _ => {}
        }
    }

    fn take_standard(&mut self, hypervisor: &str, group: &Element) {
        let Some(name) = group.text_at("spec.name") else { return };
        let vlan = group.text_at("spec.vlanId").and_then(|text| text.parse().ok()).filter(is_vlan);
        let switch = group.text_at("spec.vswitchName").unwrap_or_default().to_owned();
        self.standard.insert((hypervisor.to_owned(), name.to_owned()), StandardGroup { switch, vlan });
    }

    pub(super) fn hypervisor(&self, id: &str) -> Option<&Hypervisor> {
        self.hypervisors.get(id)
    }

    pub(super) fn hypervisors(&self) -> impl Iterator<Item = &Hypervisor> {
        self.hypervisors.values()
    }

    pub(super) fn datastore(&self, id: &str) -> Option<&str> {
        self.datastores.get(id).map(String::as_str)
    }

    pub(super) fn group(&self, key: &str) -> Option<&Group> {
        self.groups.get(key)
    }

    pub(super) fn standard_group(&self, hypervisor: &str, name: &str) -> Option<&StandardGroup> {
        self.standard.get(&(hypervisor.to_owned(), name.to_owned()))
    }

    pub(super) fn opaque(&self, id: &str) -> Option<&str> {
        self.opaque.get(id).map(String::as_str)
    }

    pub(super) fn switches(&self) -> impl Iterator<Item = &Switch> {
        self.switches.values()
    }
}

/// The addresses of a kernel interface; autoconfigured ones of IPv6 too.
fn vnic_ips(vnic: &Element) -> Vec<std::net::IpAddr> {
    let v6 = vnic.at("spec.ip.ipV6Config").into_iter().flat_map(|config| config.all("ipV6Address"));
    let v6 = v6.filter_map(|address| address.text_at("ipAddress"));
    vnic.text_at("spec.ip.ipAddress").into_iter().chain(v6).filter_map(|text| text.parse().ok()).collect()
}

/// The VLAN of a port's or port group's setting: its own, or the secondary one of a private VLAN. A trunk has none.
pub(crate) fn vlan_of(setting: &Element) -> Option<u16> {
    let vlan = setting.child("vlan")?;
    let id = vlan.text_at("pvlanId").or_else(|| vlan.text_at("vlanId"))?;
    id.parse().ok().filter(is_vlan)
}

fn is_vlan(id: &u16) -> bool {
    (1..=4_094).contains(id)
}
