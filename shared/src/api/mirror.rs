//! Port mirrors: what would come of one, the sessions, and what switches have besides.

use crate::{
    BackendId, CollectorId, IncidentId, MirrorId, Timestamp,
    mirror::{BackendKind, Capabilities, Mirror, MirrorFinding, MirrorSpec, Observed, Plan, SourcePort, SwitchPort},
};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// What would come of a mirror: asked while it is being described; nothing is stored or sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MirrorCheck {
    /// The specification with what was filled in: backend, switch, expiry.
    pub spec: MirrorSpec,
    pub findings: Vec<MirrorFinding>,
    /// The interfaces that the sources are, each machine that has one of the addresses.
    pub sources: Vec<SourcePort>,
    /// None while a finding blocks, or the switch does not answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Plan>,
    /// A second person must agree.
    pub needs_approval: bool,
    /// The switch it would be on, as far as it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub switch: Option<SwitchRow>,
    /// Bits a second that would be copied, and that its way has room for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub projected: Option<Projected>,
    /// Why the switch does not answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// How much would be copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Projected {
    pub copied_bps: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room_bps: Option<u64>,
}

/// A mirror that is to begin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct MirrorRequest {
    pub spec: MirrorSpec,
    /// Of the plan that was looked at: another one begins nothing.
    pub hash: String,
    /// The same key again is the same mirror.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// Somebody agrees to a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct MirrorApproval {
    /// Of the plan that was looked at.
    pub hash: String,
}

/// More time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct MirrorExtension {
    pub expires_at: Timestamp,
}

/// Everything there is to see of mirrors at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MirrorBoard {
    /// Those that are not over, then those of the last 30 days, the newest first.
    pub items: Vec<Mirror>,
    /// Always none.
    pub next: Option<String>,
    pub backends: Vec<BackendRow>,
    /// Where copies may go.
    pub collectors: Vec<CollectorRow>,
    pub limits: MirrorLimits,
    /// The watchdog's last sign of life, where one runs beside this server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watchdog_at: Option<Timestamp>,
}

/// What whoever asks may do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MirrorLimits {
    pub usual_ms: i64,
    pub longest_ms: i64,
    pub per_person: u32,
    /// Whoever asks may begin and end mirrors.
    pub allowed: bool,
}

/// What carries mirrors out, and how it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BackendRow {
    pub id: BackendId,
    pub name: String,
    pub kind: BackendKind,
    /// Never a credential.
    pub address: String,
    pub paused: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen_at: Option<Timestamp>,
    /// Why it does not answer, and how to mend it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    pub switches: Vec<SwitchRow>,
}

/// A switch as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SwitchRow {
    pub backend: BackendId,
    pub switch: String,
    pub name: String,
    pub version: String,
    pub can: Capabilities,
    pub ports: u32,
    /// Sessions that are not ours, or ours no more.
    pub others: Vec<OtherSession>,
}

/// A session in a switch that is no mirror of this server's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OtherSession {
    pub standing: Standing,
    pub session: Observed,
}

/// Whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Somebody else's: it is shown, and never touched.
    Foreign,
    /// Tagged by a Tocsin, and nobody knows it any more: it is stopped.
    Orphaned,
}

/// Where copies may go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CollectorRow {
    pub id: CollectorId,
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<IpAddr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backend: Option<BackendId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub switch: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vlan: Option<u16>,
    /// Whoever asks may send to it.
    pub allowed: bool,
    /// Mirrors that send to it now.
    pub in_use: u32,
}

/// The ports of a switch, for whoever looks for a destination.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SwitchPorts {
    pub items: Vec<SwitchPort>,
    /// Always none.
    pub next: Option<String>,
    pub seen_at: Timestamp,
}

/// Which mirror a machine's incident would begin with: filled in for two taps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MirrorPreset {
    pub incident: IncidentId,
    /// As in the list of collectors; the first that the switch can reach.
    pub collector: CollectorId,
    pub spec: MirrorSpec,
}

/// The mirrors of an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct IncidentMirrors {
    pub items: Vec<Mirror>,
    /// Always none.
    pub next: Option<String>,
    /// Empty where no machine of the incident is on a switch that can be mirrored.
    pub presets: Vec<MirrorPreset>,
    /// Why there is no preset; none where nothing can be mirrored at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why_none: Option<NoPreset>,
}

/// Why an incident has no mirror to begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum NoPreset {
    /// No source knows its machine.
    MachineUnknown,
    /// Its machine is on no switch of a backend, or no collector can be reached from there.
    OutOfReach,
}

/// What was stopped on a switch at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PanicStopped {
    /// The names of what was removed.
    pub removed: Vec<String>,
    /// What is asked to end because of it.
    pub mirrors: Vec<MirrorId>,
}
