//! What sources say of machines: virtual machines and their interfaces, the hypervisors they run on, the ports of
//! switches, and which address a segment has seen at which interface. Claims, not truths: two sources may contradict.

use crate::{Timestamp, net::Mac};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// What a source saw at one time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    /// Everything the source knows: what it said before and says no more is gone. Otherwise only what changed.
    pub whole: bool,
    pub hypervisors: Vec<Hypervisor>,
    pub vms: Vec<Vm>,
    pub ports: Vec<Port>,
    pub neighbours: Vec<Neighbour>,
    /// The keys of what is no longer there; only where this is not the whole.
    pub gone: Vec<String>,
}

/// A machine that others run on: an ESXi host, a libvirt host, a compute node, a Kubernetes node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Hypervisor {
    /// How its source names it, unique there.
    pub key: String,
    /// Its host name, as people know it.
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// At which its management answers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ips: Vec<IpAddr>,
}

/// A machine that runs on a hypervisor; a pod is one, too.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Vm {
    /// How its source names it, unique there.
    pub key: String,
    pub name: String,
    /// In the usual form, lower case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uuid: Option<String>,
    /// Somebody wrote it down; nothing that runs it says so.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub recorded: bool,
    /// What the system inside calls itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    pub power: Power,
    /// The key of the hypervisor it runs on, in the same source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hypervisor: Option<String>,
    /// The names of where its disks lie.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub datastores: Vec<String>,
    /// Tags, or labels as `key=value`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub nics: Vec<Nic>,
}

/// Whether a machine runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Power {
    On,
    Off,
    /// Suspended or paused.
    Paused,
    #[default]
    Unknown,
}

/// A network interface of a VM.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Nic {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mac: Option<Mac>,
    /// As the source calls it: `Network adapter 1`, `net0`, `eth0`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub label: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ips: Vec<NicIp>,
    /// The name of the network, port group or bridge it is on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// 1 to 4094.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vlan: Option<u16>,
    /// What identifies the switch: the UUID of a distributed switch, the name of a bridge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub switch: Option<String>,
    /// What identifies its port there: a port key, or the interface's name on the hypervisor (`tap3`, `vnet1`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<String>,
    /// The id by which switches know it besides: Open vSwitch's `iface-id`, which is OpenStack's port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iface_id: Option<String>,
    /// Whether its cable is in; none when the source does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connected: Option<bool>,
}

/// An address of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NicIp {
    pub ip: IpAddr,
    pub how: IpHow,
}

/// How a source knows an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum IpHow {
    /// The system inside reported it.
    Guest,
    /// The platform assigned it: a port's fixed address, a pod's.
    Assigned,
    /// Somebody wrote it down.
    Recorded,
}

/// A port of a switch, as the switch itself knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Port {
    /// How its source names it, unique there.
    pub key: String,
    /// What identifies the switch, as in [`Nic::switch`].
    pub switch: String,
    /// As people know it.
    pub switch_name: String,
    /// The port's own name or key, as in [`Nic::port`].
    pub port: String,
    /// Of the machine behind it; never that of the hypervisor's side.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mac: Option<Mac>,
    /// The name of its port group, if it is in one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vlan: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iface_id: Option<String>,
    /// The UUID of the VM behind it, where the switch was told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vm_uuid: Option<String>,
    /// The name of the machine this part of the switch runs on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hypervisor: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connected: Option<bool>,
}

/// Which interface answered for an address on a segment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Neighbour {
    pub ip: IpAddr,
    pub mac: Mac,
    /// Where it was seen: the reporting machine and its interface, `web01/eth0`.
    pub segment: String,
    /// When the answer was last confirmed.
    pub seen_at: Timestamp,
    /// What answers is a router.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub router: Option<RouterPart>,
}

impl Neighbour {
    /// Unique in its source.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{} {}", self.ip, self.segment)
    }
}

/// What an address has to do with the router that answers for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RouterPart {
    /// It is the router's own.
    Own,
    /// It is not known to be the router's own: the machine is behind it, or nowhere.
    Behind,
}
