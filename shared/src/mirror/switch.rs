//! What a switch is, has and can do, as its driver saw it at one time.

use super::{BackendKind, Direction, MirrorTag};
use crate::{BackendId, Timestamp, inventory::Power, net::Mac};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, net::IpAddr};

/// A switch as it was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SwitchView {
    pub backend: BackendId,
    pub kind: BackendKind,
    /// The UUID of a distributed switch, or `system/bridge`.
    pub switch: String,
    /// As people know it.
    pub name: String,
    /// Of the switch's program or interface, such as `3.1.0` or `7.0.3`.
    pub version: String,
    pub seen_at: Timestamp,
    /// By what it changes, so that a plan can say what it was made for: vSphere's `configVersion`, a digest of a bridge's
    /// mirrors.
    pub revision: String,
    pub can: Capabilities,
    pub ports: Vec<SwitchPort>,
    /// Every session, whoever made it.
    pub sessions: Vec<Observed>,
    /// Over which of its ports the switch's host reaches these addresses, where that is known.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub routes: BTreeMap<IpAddr, Egress>,
    /// How far the clock of the switch's host is from ours, where that can be seen, in ms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_drift_ms: Option<i64>,
}

impl SwitchView {
    /// The port of this name or key, whole: `Ethernet4` is not `Ethernet44`.
    #[must_use]
    pub fn port(&self, key: &str) -> Option<&SwitchPort> {
        self.ports.iter().find(|port| port.key == key)
    }
}

/// How the switch's own host would send to an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", tag = "by")]
pub enum Egress {
    /// Through a port of this switch, which may be its own (`local`).
    Port { port: String },
    /// Not through this switch.
    Elsewhere { device: String },
    /// There is no way.
    Nowhere,
}

/// What a backend can do. What is false is refused, and never left out quietly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Capabilities {
    pub span: bool,
    pub rspan_source: bool,
    pub rspan_destination: bool,
    pub gre: bool,
    pub erspan2: bool,
    pub erspan3: bool,
    pub vlan_source: bool,
    pub vlan_filter: bool,
    pub snap: bool,
    pub sampling: bool,
    pub netstack: bool,
    /// It applies a change to traffic that already runs by itself; otherwise the driver makes it (rule 21).
    pub revalidates: bool,
    /// Sessions follow a VM that moves.
    pub follows: bool,
    /// Source and destination of SPAN must be on one hypervisor (rule 17).
    pub same_hypervisor: bool,
    /// The least and most bytes of a packet that can be copied.
    pub snap_least: u32,
    pub snap_most: u32,
    /// Sessions a switch takes, foreign ones included; 0 when that is not known.
    pub sessions_most: u32,
}

/// A port of a switch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct SwitchPort {
    /// A port key, or a name.
    pub key: String,
    /// As the switch calls it where that is not its key: RSPAN names a distributed switch's uplinks by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub kind: PortKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mac: Option<Mac>,
    /// Of its port group, where it is in one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The group's ports come and go with their VMs.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub ephemeral: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub promiscuous: Option<bool>,
    /// The machine that this part of the switch is on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hypervisor: Option<String>,
    /// Whose packets carry no VLAN here; none for a trunk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vlan: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vm: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub speed_mbps: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mtu: Option<u32>,
    /// The most bits a second of the last five minutes that the machine behind it sent, and was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_vm_bps: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_vm_bps: Option<u64>,
}

/// What is behind a port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum PortKind {
    /// A machine.
    Vm,
    /// A wire to other switches.
    Uplink,
    /// The end of a tunnel.
    Tunnel,
    /// The host's own door to the switch, or a kernel adapter of it.
    Host,
    /// A wire between bridges of one host.
    Patch,
    /// Nothing that is known.
    #[default]
    Unknown,
}

/// A session as a switch has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Observed {
    /// By which the switch knows it.
    pub key: String,
    pub name: String,
    /// What it says of itself, if it is a Tocsin's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<MirrorTag>,
    /// A vendor's word for its kind.
    pub kind: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub from_vm: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub to_vm: Vec<String>,
    /// Every port is a source.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub all_ports: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vlans: Vec<u16>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_vlan: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tunnel: Option<TunnelEnd>,
    /// It is switched on.
    pub enabled: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counters: Option<Counters>,
    /// What is wrong with it in its switch's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

/// Where a tunnel's copies go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TunnelEnd {
    pub remote: IpAddr,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<u32>,
}

/// What was copied so far, by the switch's own count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Counters {
    pub packets: u64,
    /// Of the packets as they were, before anything was cut off.
    pub bytes: u64,
    /// Of the source ports in the same directions, to tell "nothing to copy" from "nothing copied".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_packets: Option<u64>,
    pub at: Timestamp,
}

/// What is known of an interface that is to be a source: each machine that has the address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SourcePort {
    pub mac: Mac,
    pub vm: String,
    /// How its source names it.
    pub vm_key: String,
    pub power: Power,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ips: Vec<IpAddr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hypervisor: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub switch: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<String>,
    pub seen_at: Timestamp,
    /// A second person must agree.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sensitive: bool,
    /// It moved within the last minutes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub moving: bool,
}

impl SwitchPort {
    /// Bits a second that a mirror of these directions would copy, as far as the port's counters tell.
    #[must_use]
    pub fn mirrored_bps(&self, direction: Direction) -> Option<u64> {
        let of = |wanted: bool, bps: Option<u64>| if wanted { bps } else { Some(0) };
        let (from, to) = (of(direction.takes_from(), self.from_vm_bps)?, of(direction.takes_to(), self.to_vm_bps)?);
        Some(from.saturating_add(to))
    }
}
