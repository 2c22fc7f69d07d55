//! Silences and maintenance: what is asked for, and what it would keep quiet.

use crate::{PersonId, Silence, api::IncidentRow};
use serde::{Deserialize, Serialize};

/// One silence with what it hid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SilenceDetail {
    pub silence: Silence,
    /// The person who is told before it ends, and at the end of a maintenance; none when whoever made it is no person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<PersonId>,
    /// The incidents it kept quiet, newest first; at most 200.
    pub hid: Vec<IncidentRow>,
}

/// What a silence would keep quiet, and would have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SilencePreview {
    /// Open incidents it matches now, the most urgent first; at most 50.
    pub open: Vec<IncidentRow>,
    pub open_total: u32,
    /// Incidents of the last seven days it would have matched, newest first; at most 50.
    pub week: Vec<IncidentRow>,
    pub week_total: u32,
    /// Not all of the week's incidents were looked at: there were too many.
    pub week_cut: bool,
}
