//! Machines and what knows them: looking one up, and how each source stands.

use crate::{
    IncidentId, Severity, SourceId, Timestamp, config::SourceKind, inventory::Vm, net::Mac, placement::Placement,
};
use serde::{Deserialize, Serialize};

/// How a source of machines stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SourceRow {
    pub id: SourceId,
    pub name: String,
    pub kind: SourceKind,
    /// Where it answers; never a credential. Empty for agents, which report by themselves.
    pub address: String,
    pub state: SourceState,
    /// When it answered last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen_at: Option<Timestamp>,
    /// When it was asked last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tried_at: Option<Timestamp>,
    /// Why it does not answer, and how to mend it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Tries in a row that failed.
    pub failures: u32,
    pub vms: u32,
    pub nics: u32,
    pub hypervisors: u32,
    pub ports: u32,
    pub neighbours: u32,
    /// Who reports for it, where agents do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub agents: Vec<AgentRow>,
}

/// An agent that reported for a source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AgentRow {
    pub name: String,
    /// Of its program; empty when it was not heard since the server began.
    pub version: String,
    pub heard_at: Timestamp,
    /// Three of its reports in a row did not come.
    pub silent: bool,
    pub neighbours: u32,
    /// The prefixes in which it may look for an address, by its own settings.
    pub probe: Vec<String>,
}

/// Whether a source can be relied upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum SourceState {
    /// It answers.
    Well,
    /// It was not asked yet since the server began.
    Waiting,
    /// It does not answer; what it said before still counts, with its age.
    Failing,
    Paused,
}

/// What is to be looked up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LookupRequest {
    /// Addresses in any notation, names, UUIDs, or whole lines of a program's output: up to 1,000 things.
    pub text: String,
    /// Asks the agents of a segment about addresses that are unknown or known of old, up to 5 of them; takes up to 2 s,
    /// and the role responder.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub probe: bool,
}

/// What a text names, and the machines that are it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Lookup {
    /// What was found, in the order of the text.
    pub items: Vec<Found>,
    /// Always none: a lookup has one page.
    pub next: Option<String>,
    /// What was understood of the text, each thing once.
    pub terms: Vec<LookupTerm>,
    /// The sources that do not answer: what they know may have changed.
    pub silent: Vec<SilentSource>,
    /// How many sources there are.
    pub sources: u32,
}

/// Something that a text names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LookupTerm {
    /// As it was written.
    pub text: String,
    pub kind: TermKind,
    /// In the usual form.
    pub value: String,
    /// What is wrong with it, where it cannot be looked up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// How many machines it is.
    pub found: u32,
    /// There are more than are shown.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub more: bool,
    /// The address is unknown or known of old, and agents of these sources may be asked about it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub askable: Vec<SourceId>,
    /// Who was asked, and what came of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asked: Vec<Asked>,
}

/// An agent that was asked about an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Asked {
    pub source: SourceId,
    /// None: no agent of the source may ask, or stands on that segment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// One that was asked a few seconds ago is not asked again.
    pub at: Timestamp,
    #[serde(flatten)]
    pub outcome: AskedOutcome,
}

/// What came of asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum AskedOutcome {
    /// This interface has the address.
    Answered { mac: Mac },
    /// A router answers for it, so it is not on this segment.
    Router { mac: Mac },
    /// Nobody on the segment answered.
    Nobody,
    /// There is an old answer, which takes some seconds more to confirm.
    Confirming,
    /// The agent did not report back in time.
    NoReport,
    /// The agent refused: its own settings or its routes do not allow it.
    Refused,
    /// The agent could not send.
    NotSent,
    /// Too much is asked of the agent already.
    Busy,
    /// No agent that is heard may ask, or stands on that segment.
    NoAgent,
}

/// What kind of thing it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum TermKind {
    Mac,
    MacPart,
    Ip,
    Network,
    Uuid,
    Name,
    Unknown,
}

/// A machine that a term names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Found {
    /// Which term, by its place in the list.
    pub term: u32,
    #[serde(flatten)]
    pub placement: Placement,
    /// What is open of it now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub incidents: Vec<OpenIncident>,
}

/// An incident that is about a machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OpenIncident {
    pub id: IncidentId,
    pub severity: Severity,
    pub title: String,
    pub opened_at: Timestamp,
}

/// A source that does not answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SilentSource {
    pub id: SourceId,
    pub name: String,
    pub error: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen_at: Option<Timestamp>,
}

/// A VM, what is open of it, and where it was before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct VmDetail {
    pub placement: Placement,
    pub incidents: Vec<OpenIncident>,
    /// Newest first.
    pub moves: Vec<Move>,
}

/// A VM came, went, moved, or got other addresses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Move {
    pub at: Timestamp,
    pub source: SourceId,
    /// The name of the hypervisor it ran on before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The name of the hypervisor it runs on since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// None: it is new.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Vm>,
    /// None: it is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Vm>,
}

/// A machine that runs VMs, and which of them are alerting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HypervisorRow {
    pub source: SourceId,
    pub key: String,
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    pub vms: Vec<Tenant>,
}

/// A VM of a hypervisor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Tenant {
    pub key: String,
    pub name: String,
    pub power: crate::inventory::Power,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub incidents: Vec<OpenIncident>,
}
