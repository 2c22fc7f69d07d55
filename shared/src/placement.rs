//! Where a machine is: the way from an address to the VM, its port and its hypervisor, with who says so and since when.

use crate::{
    SourceId, Timestamp,
    inventory::{IpHow, Power, Vm},
    net::Mac,
};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// One machine that was found, with every step of the way to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Placement {
    /// The address that was looked for, or that the interface is known to have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mac: Option<Mac>,
    /// Whose addresses begin like this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vendor: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vm: Option<PlacedVm>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<PlacedPort>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hypervisor: Option<PlacedHypervisor>,
    /// What else the VM has in common with others of its source.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shares: Vec<Shared>,
    /// In the order of the way: address, interface, VM, port, hypervisor.
    pub hops: Vec<Hop>,
    /// What speaks against it, or leaves it open.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub doubts: Vec<Doubt>,
}

impl Placement {
    /// The VM and what it runs on, where nothing speaks against either and every step to them is of now.
    #[must_use]
    pub fn settled(&self) -> Option<(&PlacedVm, &PlacedHypervisor)> {
        let unsure = |doubt: &Doubt| {
            matches!(doubt, Doubt::SeveralVms { .. } | Doubt::SeveralIps { .. } | Doubt::OtherHypervisor { .. })
        };
        if self.doubts.iter().any(unsure) || self.hops.iter().any(|hop| hop.trust == Trust::Stale) {
            return None;
        }
        self.vm.as_ref().zip(self.hypervisor.as_ref())
    }
}

/// A placement as it was known at one time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Placed {
    pub at: Timestamp,
    pub placement: Placement,
}

/// The neighbourhood of a machine in short: what a page says of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Neighbourhood {
    pub vm: String,
    pub hypervisor: String,
    /// VMs known there, this one included.
    pub vms: u32,
    /// Those of which something is open, this one included.
    pub failing: u32,
}

/// The VM in question.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PlacedVm {
    pub source: SourceId,
    /// How its source names it.
    pub key: String,
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uuid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    pub power: Power,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub datastores: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// All of its interfaces.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nics: Vec<crate::inventory::Nic>,
}

impl PlacedVm {
    /// As its source says it.
    #[must_use]
    pub fn new(source: &SourceId, vm: &Vm) -> Self {
        let Vm { key, name, uuid, hostname, power, datastores, tags, nics, .. } = vm.clone();
        Self { source: source.clone(), key, name, uuid, hostname, power, datastores, tags, nics }
    }
}

/// Where its interface is plugged in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PlacedPort {
    /// What identifies the switch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub switch: Option<String>,
    /// As people know it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub switch_name: Option<String>,
    /// The network, port group or bridge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vlan: Option<u16>,
    /// A port key, or the interface's name on the hypervisor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<String>,
    /// Whether its cable is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connected: Option<bool>,
}

/// What it runs on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PlacedHypervisor {
    pub source: SourceId,
    pub key: String,
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// How many VMs its source knows there, this one included.
    pub vms: u32,
}

/// A switch that a VM is plugged into, or a datastore that its disks lie on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Shared {
    pub what: Common,
    /// What identifies it in the VM's source.
    pub key: String,
    /// As people know it.
    pub name: String,
    /// How many VMs of the source have it, this one included.
    pub vms: u32,
}

/// What VMs have in common, the narrowest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Common {
    Hypervisor,
    Switch,
    Datastore,
}

impl Common {
    /// As it stands in identities and labels.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hypervisor => "hypervisor",
            Self::Switch => "switch",
            Self::Datastore => "datastore",
        }
    }
}

/// One step of the way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Hop {
    pub to: HopTo,
    /// What was found there.
    pub value: String,
    /// How it is known.
    pub how: HopHow,
    pub source: SourceId,
    /// When the source said so last.
    pub seen_at: Timestamp,
    pub trust: Trust,
}

/// What a step leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum HopTo {
    Ip,
    Mac,
    Vm,
    Port,
    Hypervisor,
    Cluster,
}

/// How a step is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum HopHow {
    /// The platform that runs the machine says so.
    Platform,
    /// The system inside reported the address.
    Guest,
    /// The platform assigned the address.
    Assigned,
    /// Somebody wrote it down.
    Recorded,
    /// A machine on the same segment answered for the address.
    Neighbour,
    /// The switch says so of its port.
    Switch,
}

impl From<IpHow> for HopHow {
    fn from(how: IpHow) -> Self {
        match how {
            IpHow::Guest => Self::Guest,
            IpHow::Assigned => Self::Assigned,
            IpHow::Recorded => Self::Recorded,
        }
    }
}

/// How far a step can be relied upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Trust {
    /// Its source has not been heard for too long, or the answer is old.
    Stale,
    /// Written down, or answered by a neighbour.
    Fair,
    /// Said by what runs the machine, and recent.
    Good,
}

/// What speaks against a placement, or leaves it open.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Doubt {
    /// Several VMs have an interface with this address.
    SeveralVms { mac: Mac, vms: Vec<String> },
    /// Several machines claim the IP address.
    SeveralIps { ip: IpAddr, vms: Vec<String> },
    /// A neighbour saw another interface answer for the address than the inventory says.
    OtherAnswers { ip: IpAddr, mac: Mac, segment: String },
    /// An interface answers, and no source knows whose it is.
    NotInInventory { mac: Mac },
    /// A router answers for the address: who has it is behind the router, if anybody.
    BehindRouter { ip: IpAddr, mac: Mac, segment: String },
    /// Two sources say different hypervisors.
    OtherHypervisor { source: SourceId, hypervisor: String },
}
