//! Silences and maintenance: what is kept quiet on purpose, by whom, why and until when.

use crate::{
    Digest, IncidentId, InhibitionId, Notice, SilenceId, Stint, Timestamp,
    config::{TimeSpan, TimeWindow},
    placement::Common,
    timeline::Actor,
};
use serde::{Deserialize, Serialize};

/// What a silence is for; both keep quiet in the same way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum SilenceKind {
    /// Known trouble that nobody needs to hear of.
    #[default]
    Silence,
    /// Planned work: what fires is its doing.
    Maintenance,
}

/// The times at which a recurring silence keeps quiet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Recurrence {
    /// IANA name, such as `Asia/Shanghai`.
    pub time_zone: String,
    /// As in a time window of the configuration.
    pub windows: Vec<TimeSpan>,
}

impl Recurrence {
    /// The same as a window without a name.
    #[must_use]
    pub fn window(&self) -> TimeWindow {
        TimeWindow { time_zone: self.time_zone.clone(), windows: self.windows.clone(), ..TimeWindow::default() }
    }
}

/// What somebody wants to be quiet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SilenceRequest {
    #[serde(default)]
    pub kind: SilenceKind,
    /// Conditions as in a route; all must hold.
    #[serde(rename = "match")]
    pub matches: Vec<String>,
    /// Now when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<Timestamp>,
    /// Required, unless it ends with the trouble or recurs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Timestamp>,
    /// It ends when the last incident it keeps quiet has recovered.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub until_recovered: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recurs: Option<Recurrence>,
    /// For whoever wonders why it is quiet.
    pub reason: String,
    /// Who wants it, as the program says that asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
}

/// When and by whom a silence was ended; by the system when its time was over or the trouble was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SilenceEnd {
    pub at: Timestamp,
    pub by: Actor,
    /// The first version of the configuration that did not have it any more, for one that stood in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gone_since: Option<i64>,
}

/// A silence, and what it hid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Silence {
    pub id: SilenceId,
    pub kind: SilenceKind,
    #[serde(rename = "match")]
    pub matches: Vec<String>,
    pub starts_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub until_recovered: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recurs: Option<Recurrence>,
    pub reason: String,
    /// Its id in the configuration, when it stands there: nobody changes or ends it by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configured: Option<String>,
    pub by: Actor,
    /// Who wants it, as the program said that asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    pub created_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<SilenceEnd>,
    /// The incidents it kept quiet, oldest first; the first [`HID_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hid: Vec<IncidentId>,
    /// How many there were.
    pub hidden: u32,
    /// When whoever made it is told that it ends soon, if something fires under it then or later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remind_at: Option<Timestamp>,
    /// What a maintenance keeps quiet at present.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stint: Option<Box<Stint>>,
    /// What happened in a maintenance, each time it was over; the newest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub digests: Vec<Digest>,
    /// Who was told, or why not; the newest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<Notice>,
}

impl Silence {
    /// Who wants it, for people: with the program that asked for it, where one did.
    #[must_use]
    pub fn made_by(&self) -> String {
        let by = self.by.name();
        self.author.as_ref().map_or_else(|| by.clone(), |author| format!("{author} ({by})"))
    }

    /// Whether the engine keeps it in memory: it is not over, or somebody is still to be told of it.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.ended.is_none() || self.notices.iter().any(Notice::is_pending)
    }
}

/// Incidents named in a silence.
pub const HID_MAX: usize = 1_000;

/// What keeps an incident quiet although it fires. When the last one goes, it pages as if it had just opened.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum SuppressedBy {
    Silence {
        silence: SilenceId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
    Maintenance {
        silence: SilenceId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
    /// Something larger is wrong, and this follows from it.
    Inhibition {
        inhibition: InhibitionId,
        /// The oldest incident that says so.
        source: IncidentId,
    },
    /// Many VMs of its hypervisor (or switch, or datastore) fail alike, and that is paged about instead.
    Suspect {
        what: Common,
        /// As people know it.
        name: String,
        /// The incident about it.
        source: IncidentId,
    },
}

impl SuppressedBy {
    /// The silence, when it is one.
    #[must_use]
    pub const fn silence(&self) -> Option<SilenceId> {
        match self {
            Self::Silence { silence, .. } | Self::Maintenance { silence, .. } => Some(*silence),
            Self::Inhibition { .. } | Self::Suspect { .. } => None,
        }
    }

    /// The incident because of which it is quiet, when that is so.
    #[must_use]
    pub const fn source(&self) -> Option<IncidentId> {
        match self {
            Self::Inhibition { source, .. } | Self::Suspect { source, .. } => Some(*source),
            Self::Silence { .. } | Self::Maintenance { .. } => None,
        }
    }
}
