//! Port mirrors: what carries them out, where copies may go, and how much of it is allowed.

use crate::{BackendId, CollectorId, Delay, SourceId, mirror::BackendKind};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// What is allowed to be mirrored, for how long, by what and to where. Without a backend there are no mirrors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct MirrorMode {
    /// How long a mirror lasts if nobody says otherwise.
    pub usual: Delay,
    /// The longest one may last, extensions included.
    pub longest: Delay,
    /// What waits for a second person so long is dropped.
    pub approve_within: Delay,
    /// Where a machine is must be known from no longer ago than this.
    pub fresh: Delay,
    /// At once, by one person, and on one switch.
    pub per_person: u32,
    pub per_switch: u32,
    /// VMs whose traffic only a second person may let somebody see: conditions such as `name=~pay-.*`, `tag=pci`,
    /// `cluster=cards`. A VM is sensitive when one of them holds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sensitive: Vec<String>,
    /// VLANs that RSPAN never uses, such as those of management and storage.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reserved_vlans: Vec<u16>,
    /// When copies would take more of what their way has free, it is said; and from when it is refused. Of a hundred.
    pub warn_percent: u32,
    pub block_percent: u32,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub backends: Vec<Backend>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub collectors: Vec<Collector>,
}

impl Default for MirrorMode {
    fn default() -> Self {
        Self {
            usual: Delay::mins(30),
            longest: Delay::mins(240),
            approve_within: Delay::mins(30),
            fresh: Delay::secs(60),
            per_person: 3,
            per_switch: 8,
            sensitive: Vec::new(),
            reserved_vlans: Vec::new(),
            warn_percent: 50,
            block_percent: 80,
            backends: Vec::new(),
            collectors: Vec::new(),
        }
    }
}

/// What carries mirrors out: an Open vSwitch with its bridges, or a vCenter with its distributed switches. Its
/// credentials may change a switch, so they stand here and not with the sources, which are only ever asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Backend {
    pub id: BackendId,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    pub kind: BackendKind,
    /// The source that tells of the machines on its switches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceId>,
    /// `unix:/run/openvswitch/db.sock`, `tls:kvm-1.example.org`, `ssh:user@kvm-1`, or `https://vcenter.example.org`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub address: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// As of a source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The control socket of `ovs-vswitchd` on this machine (`unix:/run/openvswitch/ovs-vswitchd.<pid>.ctl`, or the
    /// folder it is in): over it the way to a collector is asked for. Mirrors begin and end without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control: Option<String>,
    /// Sessions that one of its switches takes, foreign ones included, where it does not say so itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sessions: Option<u32>,
    /// Nothing new is begun on it. What runs is still watched and ended.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub paused: bool,
}

impl Backend {
    /// What people call it.
    #[must_use]
    pub fn title(&self) -> &str {
        if self.name.is_empty() { self.id.as_str() } else { &self.name }
    }
}

/// A machine that copies may go to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Collector {
    pub id: CollectorId,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// At which it takes ERSPAN and GRE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<IpAddr>,
    /// The address is of the Internet, and copies may go there all the same.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub public: bool,
    /// The port it is plugged into, for SPAN and as the end of RSPAN; with its backend and switch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backend: Option<BackendId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub switch: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<String>,
    /// The VLAN in which RSPAN comes to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vlan: Option<u16>,
    /// How much it takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speed_mbps: Option<u32>,
    /// The largest packet on the way to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mtu: Option<u32>,
    /// Mirrors to it at once.
    #[serde(default = "default_at_once")]
    pub at_once: u32,
    /// The names of the accounts that may send to it; everybody who may mirror when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accounts: Vec<String>,
}

const fn default_at_once() -> u32 {
    16
}

impl Collector {
    /// What people call it.
    #[must_use]
    pub fn title(&self) -> &str {
        if self.name.is_empty() { self.id.as_str() } else { &self.name }
    }
}
