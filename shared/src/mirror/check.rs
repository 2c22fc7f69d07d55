//! What the rules say of a mirror before anything is sent.

use crate::net::Mac;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// The 23 rules of a mirror. A code is the rule's number, `M01` to `M23`, and never changes its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Rule {
    /// It ends, and not too late.
    #[serde(rename = "M01")]
    Expiry,
    /// Each source is exactly one interface, seen of late.
    #[serde(rename = "M02")]
    SourceKnown,
    /// Source and destination differ.
    #[serde(rename = "M03")]
    SameSession,
    /// The destination is nobody else's destination, and no source of what is sent to a machine.
    #[serde(rename = "M04")]
    DestinationTaken,
    /// Neither the destination nor a source of what is sent to a machine is promiscuous.
    #[serde(rename = "M05")]
    Promiscuous,
    /// The destination's port group keeps its ports.
    #[serde(rename = "M06")]
    Ephemeral,
    /// The destination is a collector.
    #[serde(rename = "M07")]
    DestinationMarked,
    /// No uplink, tunnel or management port is a source, and not everything is.
    #[serde(rename = "M08")]
    SourceKind,
    /// The tunnel does not leave through what is mirrored.
    #[serde(rename = "M09")]
    Loop,
    /// The copies go to an address that is allowed.
    #[serde(rename = "M10")]
    CollectorAllowed,
    /// The tunnel's fields are within their bounds.
    #[serde(rename = "M11")]
    TunnelFields,
    /// The VLAN of RSPAN is free for it.
    #[serde(rename = "M12")]
    RspanVlan,
    /// The packets are cut where that works.
    #[serde(rename = "M13")]
    Snap,
    /// Sampling is possible there.
    #[serde(rename = "M14")]
    Sampling,
    /// The switch can do it.
    #[serde(rename = "M15")]
    Capability,
    /// Nobody has too many.
    #[serde(rename = "M16")]
    Quota,
    /// Source and destination are on one hypervisor where they must be.
    #[serde(rename = "M17")]
    SameHypervisor,
    /// The copies fit where they go.
    #[serde(rename = "M18")]
    Bandwidth,
    /// The tunnel's packets fit into the network's.
    #[serde(rename = "M19")]
    Mtu,
    /// Why, for which incident, and a second person where the machine is sensitive.
    #[serde(rename = "M20")]
    Accountable,
    /// The switch has to be told to look again at what already runs.
    #[serde(rename = "M21")]
    Revalidation,
    /// Something else goes on with the machine.
    #[serde(rename = "M22")]
    Unsettled,
    /// The clocks agree.
    #[serde(rename = "M23")]
    Clock,
}

impl Rule {
    /// All, in order.
    pub const ALL: [Self; 23] = [
        Self::Expiry,
        Self::SourceKnown,
        Self::SameSession,
        Self::DestinationTaken,
        Self::Promiscuous,
        Self::Ephemeral,
        Self::DestinationMarked,
        Self::SourceKind,
        Self::Loop,
        Self::CollectorAllowed,
        Self::TunnelFields,
        Self::RspanVlan,
        Self::Snap,
        Self::Sampling,
        Self::Capability,
        Self::Quota,
        Self::SameHypervisor,
        Self::Bandwidth,
        Self::Mtu,
        Self::Accountable,
        Self::Revalidation,
        Self::Unsettled,
        Self::Clock,
    ];

    /// 1 to 23.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8 + 1
    }
}

/// Whether a mirror may begin in spite of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    /// It may not.
    Blocks,
    /// Somebody must see it first.
    Warns,
}

/// What a rule says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MirrorFinding {
    pub rule: Rule,
    pub weight: Weight,
    /// The field of the specification it is about: `source.macs[0]`, `transport.session`.
    pub path: String,
    /// What is the matter, as data; texts render it with the reason and the mend.
    pub about: About,
}

/// What is the matter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum About {
    // 1
    NoExpiry,
    ExpiryPast,
    ExpiryTooLate {
        longest_ms: i64,
    },
    StartTooLate {
        latest_ms: i64,
    },
    // 2
    NoSource,
    TooManySources {
        most: u32,
    },
    SourceUnknown {
        mac: Mac,
    },
    SourceAmbiguous {
        mac: Mac,
        vms: Vec<String>,
    },
    SourceOld {
        mac: Mac,
        age_ms: i64,
        most_ms: i64,
    },
    SourceUnplugged {
        mac: Mac,
        vm: String,
    },
    SourceElsewhere {
        mac: Mac,
        switch: String,
    },
    SourceTwice {
        mac: Mac,
    },
    /// Another machine is at the port by now.
    PortOfAnother {
        mac: Mac,
        port: String,
    },
    // 3, 4
    OwnDestination {
        port: String,
    },
    OwnVlan {
        vlan: u16,
    },
    DestinationOf {
        port: String,
        session: String,
    },
    SourceOf {
        port: String,
        session: String,
    },
    VlanOf {
        vlan: u16,
        session: String,
    },
    // 5, 6
    PromiscuousPort {
        port: String,
    },
    EphemeralGroup {
        port: String,
        group: String,
    },
    // 7
    NotACollector {
        port: String,
        vm: Option<String>,
    },
    NormalTraffic {
        port: String,
    },
    NoSuchPort {
        port: String,
    },
    // 8
    NotAMachine {
        port: String,
        is: super::PortKind,
    },
    // 9
    LeavesThroughSource {
        remote: IpAddr,
        port: String,
    },
    LeavesThroughSwitch {
        remote: IpAddr,
    },
    RouteUnknown {
        remote: IpAddr,
    },
    NoRoute {
        remote: IpAddr,
    },
    SourcesOwnAddress {
        remote: IpAddr,
        vm: String,
    },
    // 10
    CollectorUnknown {
        remote: IpAddr,
    },
    CollectorAddress {
        remote: IpAddr,
        is: AddressKind,
    },
    CollectorNotYours {
        collector: String,
    },
    VlanNoCollectors {
        vlan: u16,
    },
    // 11
    SessionTooLarge {
        session: u32,
    },
    SessionTaken {
        session: u32,
        by: String,
    },
    CosTooLarge {
        cos: u8,
    },
    #[serde(rename = "nanoseconds_need_iii")]
    NanosecondsNeedIII,
    NetstackEmpty,
    // 12
    VlanOutOfRange {
        vlan: u16,
    },
    VlanReserved {
        vlan: u16,
    },
    VlanUsed {
        vlan: u16,
        port: String,
    },
    NoUplink,
    // 13, 14
    SnapOutOfRange {
        least: u32,
        most: u32,
    },
    SnapInTunnel,
    SamplingOutOfRange,
    // 15
    CannotDo {
        what: Needs,
        version: String,
    },
    SourceAndTransport,
    LegacyIsReadOnly,
    SwitchUnknown,
    Paused {
        backend: String,
    },
    // 16
    TooManyOnSwitch {
        most: u32,
    },
    TooManyOfPerson {
        most: u32,
    },
    TooManyAtCollector {
        collector: String,
        most: u32,
    },
    // 17
    OtherHypervisor {
        source: String,
        destination: String,
    },
    HypervisorUnknown {
        port: String,
    },
    // 18
    TooMuch {
        copied_bps: u64,
        room_bps: u64,
        percent: u32,
    },
    RateUnknown,
    // 19
    TooLong {
        mtu: u32,
        added: u32,
    },
    // 20
    NoReason,
    NoIncident,
    SecondPerson {
        vms: Vec<String>,
    },
    // 21
    MustRevalidate {
        version: String,
    },
    // 22
    AlreadyMirrored {
        vm: String,
        session: String,
    },
    Moving {
        vm: String,
    },
    Asleep {
        vm: String,
    },
    // 23
    ClocksDiffer {
        ms: i64,
    },
}

/// What a switch would have to be able to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Needs {
    Span,
    RspanSource,
    RspanDestination,
    Gre,
    Erspan2,
    Erspan3,
    VlanSource,
    VlanFilter,
    Snap,
    Sampling,
    Netstack,
}

/// Why copies may not go to an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum AddressKind {
    Unspecified,
    Loopback,
    Multicast,
    Broadcast,
    Public,
}
