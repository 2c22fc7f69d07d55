//! Port mirrors: what somebody wants copied where and until when, what a switch has, the plan between the two, and what
//! became of it.
//!
//! One model for every switch: directions are the machine's (`from_vm`, `to_vm`), and a vendor's words stand in plans only.

mod check;
mod plan;
mod session;
mod switch;

pub use check::{About, AddressKind, MirrorFinding, Needs, Rule, Weight};
pub use plan::{MIRROR_MARK, MirrorTag, PLAN_MARK, Plan, PlanStep, REVISION_MARK, tag_name};
pub use session::{
    Evidence, Looked, Mirror, MirrorEnd, MirrorPlace, MirrorReport, MirrorState, MirrorStep, MirrorTrouble, Presence,
    STEPS_MAX, Verified,
};
pub use switch::{Capabilities, Counters, Egress, Observed, PortKind, SourcePort, SwitchPort, SwitchView, TunnelEnd};

use crate::{BackendId, IncidentId, Timestamp, net::Mac};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// What somebody wants to look at. A draft may lack what is mandatory: the rules say so.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct MirrorSpec {
    /// For whom a list of sessions is to make sense.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// What it is to help with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incident: Option<IncidentId>,
    /// Why the traffic must be looked at.
    pub reason: String,
    /// What carries it out; with `switch` taken from the source where it is not named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backend: Option<BackendId>,
    /// The UUID of a distributed switch, or `system/bridge` of Open vSwitch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub switch: Option<String>,
    pub source: MirrorSource,
    pub direction: Direction,
    pub transport: Transport,
    /// Only what has one of these VLANs; all when empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub vlan_filter: Vec<u16>,
    /// Bytes of each packet that are copied; all when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snap_bytes: Option<u32>,
    /// One packet of so many is copied; each when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sampling: Option<u32>,
    /// The destination port goes on taking part in its network.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub keep_normal_traffic: bool,
    /// Now when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<Timestamp>,
    /// Mandatory; nothing of ours lasts longer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// Whose traffic is copied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum MirrorSource {
    /// Interfaces of VMs, by their addresses: ports are found anew when a VM moves.
    Nics { macs: Vec<Mac> },
    /// Everything in these VLANs.
    Vlans { vlans: Vec<u16> },
}

impl Default for MirrorSource {
    fn default() -> Self {
        Self::Nics { macs: Vec::new() }
    }
}

/// Which way the traffic goes, seen from the machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// What the machine sends: `received` on a distributed switch's port, `select_src_port` of Open vSwitch.
    FromVm,
    /// What the machine is sent: `transmitted`, `select_dst_port`.
    ToVm,
    #[default]
    Both,
}

impl Direction {
    /// Whether what the machine sends is copied.
    #[must_use]
    pub const fn takes_from(self) -> bool {
        matches!(self, Self::FromVm | Self::Both)
    }

    /// Whether what the machine is sent is copied.
    #[must_use]
    pub const fn takes_to(self) -> bool {
        matches!(self, Self::ToVm | Self::Both)
    }

    /// How many times a packet between the machine and another may be copied.
    #[must_use]
    pub const fn ways(self) -> u32 {
        match self {
            Self::FromVm | Self::ToVm => 1,
            Self::Both => 2,
        }
    }
}

/// How the copies get to where they are looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Transport {
    /// Out of another port of the same switch (SPAN; vSphere: distributed port mirroring).
    Span { port: String },
    /// Into a VLAN of their own, towards a switch elsewhere (RSPAN; vSphere: remote mirroring source). Open vSwitch needs
    /// no uplinks named: the VLAN goes wherever its trunks go.
    RspanSource {
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        uplinks: Vec<String>,
        vlan: u16,
        /// Without the VLAN the packet had of itself.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        strip_vlan: bool,
    },
    /// Out of such a VLAN to a port (vSphere: remote mirroring destination). The source is VLANs.
    RspanDestination { port: String },
    /// In a tunnel to an address (ERSPAN or GRE; vSphere: encapsulated remote mirroring source).
    Erspan {
        version: Encapsulation,
        remote: IpAddr,
        /// Which stream it is at the collector, 0 to 1023; for GRE the key.
        session: u32,
        /// Class of service, 0 to 7.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cos: Option<u8>,
        /// Timestamps in nanoseconds rather than 100 µs (ERSPAN III only).
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        nanoseconds: bool,
        /// vSphere's network stack that sends it; the management's when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        netstack: Option<String>,
    },
    /// Ports and uplinks mixed, as before vSphere 5.1. Such sessions are shown, and never made.
    Legacy,
}

impl Default for Transport {
    fn default() -> Self {
        Self::Erspan {
            version: Encapsulation::default(),
            remote: IpAddr::from([0, 0, 0, 0]),
            session: 0,
            cos: None,
            nanoseconds: false,
            netstack: None,
        }
    }
}

/// What stands around each copy on its way through a tunnel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Encapsulation {
    /// Transparent Ethernet bridging (0x6558), with the session as key.
    Gre,
    /// ERSPAN type II (0x88be).
    #[default]
    Erspan2,
    /// ERSPAN type III (0x22eb).
    Erspan3,
}

/// What carries mirrors out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum BackendKind {
    Openvswitch,
    /// A vCenter with its distributed switches.
    Vsphere,
    /// Does as if: for the demo, and to try the screens.
    DryRun,
}
