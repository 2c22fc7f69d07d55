//! Notices: what people are told that is no page, because nobody has to answer it.

use crate::{Attempt, IncidentId, PersonId, Severity, Timestamp};
use serde::{Deserialize, Serialize};

/// What a notice is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum NoticeAbout {
    /// The silence ends soon, and something still fires under it.
    EndsSoon {
        ends_at: Timestamp,
        /// Incidents that fire under it.
        firing: u32,
    },
    /// The maintenance is over: the digest made at this time.
    Over { digest: Timestamp },
}

/// Why somebody is not told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Untold {
    /// Whoever made the silence is no person of the configuration.
    NoPerson,
    /// The person's rules name no contact for any severity.
    NoContact,
    /// The person must not be rung before the silence ends.
    Rests { until: Timestamp },
}

/// One person's notice. When a contact fails for good the next one has a notice of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Notice {
    pub about: NoticeAbout,
    /// When it was decided.
    pub at: Timestamp,
    /// None for an owner who is no person of the configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonId>,
    /// None when the person is not told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sending: Option<Attempt>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub untold: Option<Untold>,
}

impl Notice {
    /// Whether something is still to be done for it.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        self.sending.as_ref().is_some_and(|sending| !sending.state.is_final())
    }
}

/// An incident as a digest names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Named {
    pub incident: IncidentId,
    pub severity: Severity,
    pub title: String,
}

/// What a maintenance kept quiet since it last began to, while it is in force.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Stint {
    /// When it kept the first one quiet.
    pub since: Timestamp,
    /// Each incident once; the first [`crate::silence::HID_MAX`].
    pub hid: Vec<IncidentId>,
    /// The first [`NAMED_MAX`] of them.
    pub named: Vec<Named>,
    /// Those of them that recovered before anybody acted.
    pub recovered: Vec<IncidentId>,
    /// Who would have been paged; the first [`PEOPLE_MAX`].
    pub people: Vec<PersonId>,
}

/// What happened during a maintenance, as it stood when it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Digest {
    pub at: Timestamp,
    /// When it kept the first incident quiet.
    pub since: Timestamp,
    /// How many incidents it kept quiet.
    pub hid: u32,
    /// Of those, how many recovered before anybody acted.
    pub recovered: u32,
    /// How many still fire.
    pub firing: u32,
    /// The most severe of those that still fire, and the first of those that recovered; at most [`NAMED_MAX`] of each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub still: Vec<Named>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gone: Vec<Named>,
    /// Who would have been paged, and the owner.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<PersonId>,
}

/// Incidents a digest names of each kind.
pub const NAMED_MAX: usize = 20;
/// People a digest goes to.
pub const PEOPLE_MAX: usize = 200;
/// Notices and digests a silence remembers; the newest.
pub const NOTICES_MAX: usize = 400;
pub const DIGESTS_MAX: usize = 20;
