//! What is read of pods, nodes and the changes of a watch; all else of them is passed over.

use crate::inventory::uuid;
use serde::{Deserialize, Deserializer};
use shared::{
    inventory::{Hypervisor, IpHow, Nic, NicIp, Power, Vm},
    net::Mac,
};
use std::{collections::BTreeMap, net::IpAddr};

/// Labels of a pod that are told.
const TAGS_MAX: usize = 64;
/// Interfaces of a pod, and addresses of each.
const NICS_MAX: usize = 64;
/// What Multus says of the networks a pod is in.
const NETWORKS: &str = "k8s.v1.cni.cncf.io/network-status";
/// In which part of a site a node stands.
const ZONE: &str = "topology.kubernetes.io/zone";
/// What a pod's own interface is called inside.
const OWN: &str = "eth0";

/// A page of a list.
#[derive(Deserialize)]
pub(super) struct List<T> {
    #[serde(default, deserialize_with = "or_nothing")]
    pub(super) metadata: Meta,
    #[serde(default = "Vec::new", deserialize_with = "or_nothing", bound(deserialize = "T: Deserialize<'de>"))]
    pub(super) items: Vec<T>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Meta {
    name: String,
    namespace: String,
    uid: String,
    pub(super) resource_version: String,
    /// Of a list: from where its next page goes on.
    pub(super) r#continue: String,
    #[serde(deserialize_with = "or_nothing")]
    labels: BTreeMap<String, String>,
    #[serde(deserialize_with = "or_nothing")]
    annotations: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Pod {
    metadata: Meta,
    spec: PodSpec,
    status: PodStatus,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PodSpec {
    node_name: String,
    hostname: String,
    host_network: bool,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PodStatus {
    phase: String,
    #[serde(rename = "podIP")]
    pod_ip: String,
    #[serde(rename = "podIPs", deserialize_with = "or_nothing")]
    pod_ips: Vec<PodIp>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct PodIp {
    ip: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Node {
    metadata: Meta,
    status: NodeStatus,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct NodeStatus {
    #[serde(deserialize_with = "or_nothing")]
    addresses: Vec<NodeAddress>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct NodeAddress {
    r#type: String,
    address: String,
}

/// A line of a watch.
#[derive(Deserialize)]
#[serde(tag = "type", content = "object", rename_all = "UPPERCASE")]
pub(super) enum Event {
    Added(Box<Pod>),
    Modified(Box<Pod>),
    Deleted(Box<Pod>),
    /// Nothing that concerns us happened up to its version.
    Bookmark(Box<Marked>),
    Error(Failure),
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Marked {
    pub(super) metadata: Meta,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Failure {
    pub(super) code: u16,
    pub(super) message: String,
}

/// One network of a pod, as Multus writes it down.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Attachment {
    name: String,
    interface: String,
    #[serde(deserialize_with = "or_nothing")]
    ips: Vec<String>,
    mac: String,
    default: bool,
}

/// Lists and maps without members are `null` here and there.
fn or_nothing<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(from: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

impl Pod {
    pub(super) fn version(&self) -> &str {
        &self.metadata.resource_version
    }

    /// The pod as a machine; none without a UID. It is its key, as another pod may have the same name later.
    pub(super) fn told(self) -> Option<Vm> {
        let Self { metadata: Meta { name, namespace, uid, labels, annotations, .. }, spec, status } = self;
        if uid.is_empty() {
            return None;
        }
        let power = match status.phase.as_str() {
            "Running" => Power::On,
            "Pending" | "Succeeded" | "Failed" => Power::Off,
            _ => Power::Unknown,
        };
        let ended = matches!(status.phase.as_str(), "Succeeded" | "Failed");
        // A pod in its node's network has the node's addresses, as all such pods of it: whoever looks for one of them means
        // the node. And those of a pod that has ended may be another's already.
        let nics = if spec.host_network || ended { Vec::new() } else { nics(&status, annotations.get(NETWORKS)) };
        let hostname = some(if spec.hostname.is_empty() { name.clone() } else { spec.hostname });
        Some(Vm {
            name: if namespace.is_empty() { name } else { format!("{namespace}/{name}") },
            uuid: uuid::usual(&uid),
            key: uid,
            hostname: hostname.filter(|_| !spec.host_network),
            power,
            hypervisor: some(spec.node_name),
            tags: labels.into_iter().map(|(label, text)| format!("{label}={text}")).take(TAGS_MAX).collect(),
            nics,
            ..Vm::default()
        })
    }
}

impl Node {
    pub(super) fn told(self) -> Option<Hypervisor> {
        let name = some(self.metadata.name)?;
        let inside = self.status.addresses.into_iter().filter(|it| it.r#type == "InternalIP");
        let mut labels = self.metadata.labels;
        Some(Hypervisor {
            key: name.clone(),
            name,
            cluster: labels.remove(ZONE).and_then(some),
            ips: inside.filter_map(|it| it.address.parse().ok()).collect(),
        })
    }
}

/// The interface that every pod has, and those that Multus added.
fn nics(status: &PodStatus, networks: Option<&String>) -> Vec<Nic> {
    let own = status.pod_ips.iter().map(|it| it.ip.as_str()).chain([status.pod_ip.as_str()]);
    let own = addresses(own);
    // What is not understood of it is not told: the pod's own addresses are known all the same.
    let attached: Vec<Attachment> = networks.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let first = attached.iter().position(|it| it.default).unwrap_or(usize::MAX);
    let mut nics: Vec<Nic> = attached.iter().take(NICS_MAX).map(Attachment::nic).collect();
    match nics.get_mut(first) {
        Some(nic) => {
            if nic.label.is_empty() {
                nic.label = OWN.to_owned();
            }
            for ip in own {
                if !nic.ips.contains(&ip) {
                    nic.ips.push(ip);
                }
            }
        }
        None if own.is_empty() => {}
        None => nics.insert(0, Nic { label: OWN.to_owned(), ips: own, ..Nic::default() }),
    }
    nics
}

impl Attachment {
    fn nic(&self) -> Nic {
        Nic {
            mac: self.mac.parse::<Mac>().ok(),
            label: self.interface.clone(),
            ips: addresses(self.ips.iter().map(String::as_str)),
            network: some(self.name.clone()),
            ..Nic::default()
        }
    }
}

/// Each once, in the order they came; Multus writes some with the length of their network.
fn addresses<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<NicIp> {
    let mut told = Vec::new();
    for text in texts.take(NICS_MAX) {
        let Ok(ip) = text.split('/').next().unwrap_or_default().parse::<IpAddr>() else { continue };
        let ip = NicIp { ip, how: IpHow::Assigned };
        if !told.contains(&ip) {
            told.push(ip);
        }
    }
    told
}

fn some(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::https::json::any_json;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn vm(said: Value) -> Vm {
        serde_json::from_value::<Pod>(said).unwrap().told().unwrap()
    }

    fn pod(spec: Value, status: Value, networks: &str) -> Vm {
        let metadata = json!({"name": "web-0", "namespace": "shop", "uid": "6FA459EA-ee8a-3ca4-894e-db77e160355e",
            "annotations": {NETWORKS: networks}, "labels": {"app": "web"}});
        vm(json!({"metadata": metadata, "spec": spec, "status": status}))
    }

    #[test]
    fn a_pod_on_its_nodes_network_claims_no_address() {
        let status = json!({"phase": "Running", "podIP": "10.0.0.1", "podIPs": [{"ip": "10.0.0.1"}]});
        let there = pod(json!({"nodeName": "n1", "hostNetwork": true}), status.clone(), "[]");
        assert_eq!((there.nics.len(), there.hostname, there.hypervisor.as_deref()), (0, None, Some("n1")));
        let own = pod(json!({"nodeName": "n1"}), status, "");
        assert_eq!((own.nics.len(), own.hostname.as_deref(), own.name.as_str()), (1, Some("web-0"), "shop/web-0"));
    }

    #[test]
    fn a_pod_that_has_ended_has_given_its_address_back() {
        for (phase, power, nics) in [
            ("Running", Power::On, 1),
            ("Pending", Power::Off, 1),
            ("Succeeded", Power::Off, 0),
            ("Failed", Power::Off, 0),
            ("Unknown", Power::Unknown, 1),
        ] {
            let vm = pod(json!({}), json!({"phase": phase, "podIP": "10.0.0.1"}), "");
            assert_eq!((vm.power, vm.nics.len()), (power, nics), "{phase}");
        }
    }

    #[test]
    fn networks_of_multus_are_interfaces() {
        let status = json!({"phase": "Running", "podIPs": [{"ip": "10.244.1.73"}, {"ip": "fd00::73"}]});
        let networks = json!([
            {"name": "cbr0", "interface": "eth0", "ips": ["10.244.1.73"], "mac": "0a:58:0a:f4:01:49", "default": true, "dns": {}},
            {"name": "default/macvlan", "interface": "net1", "ips": ["192.0.2.7/24"], "mac": "52:54:00:12:34:56", "dns": {}},
        ]);
        let vm = pod(json!({}), status.clone(), &networks.to_string());
        let shown: Vec<_> =
            vm.nics.iter().map(|nic| (nic.label.as_str(), nic.network.as_deref(), nic.ips.len())).collect();
        assert_eq!(shown, [("eth0", Some("cbr0"), 2), ("net1", Some("default/macvlan"), 1)]);
        assert!(vm.nics.iter().all(|nic| nic.mac.is_some()));
        // Without a default network among them, the pod's own interface stands first.
        let vm = pod(json!({}), status, r#"[{"name": "a", "interface": "net1"}]"#);
        assert_eq!(vm.nics.iter().map(|nic| nic.label.as_str()).collect::<Vec<_>>(), ["eth0", "net1"]);
    }

    #[test]
    fn nothing_is_an_empty_list() {
        let page: List<Pod> =
            serde_json::from_value(json!({"metadata": {"resourceVersion": "7"}, "items": null})).unwrap();
        assert_eq!((page.items.len(), page.metadata.resource_version.as_str()), (0, "7"));
        let node: Node =
            serde_json::from_value(json!({"metadata": {"name": "n", "labels": null}, "status": {"addresses": null}}))
                .unwrap();
        assert_eq!(node.told().unwrap().ips.len(), 0);
    }

    proptest! {
        #[test]
        fn any_answer_is_read_or_refused(said in any_json(), text in ".{0,40}") {
            drop(serde_json::from_value::<List<Pod>>(said.clone()));
            drop(serde_json::from_value::<List<Node>>(json!({"items": [said]})));
            for networks in [text, said.to_string(), json!([said]).to_string()] {
                let vm = pod(json!({}), json!({"podIP": "10.0.0.1"}), &networks);
                prop_assert!(vm.nics.iter().any(|nic| !nic.ips.is_empty()), "{:?}", vm.nics);
            }
        }
    }
}
