//! Silences and maintenance that stand in the document.

use super::TimeSpan;
use crate::SilenceKind;
use serde::{Deserialize, Serialize};

/// What is kept quiet as long as it stands here, at the times it names. Nobody changes or ends it by hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ConfiguredSilence {
    /// What it is known by when the document changes.
    pub id: String,
    #[serde(default, skip_serializing_if = "is_silence")]
    pub kind: SilenceKind,
    /// Conditions as in a route; all must hold.
    #[serde(rename = "match")]
    pub matches: Vec<String>,
    /// For whoever wonders why it is quiet.
    pub reason: String,
    /// IANA name; `from`, `until` and `windows` are wall-clock times there.
    #[serde(default = "utc")]
    pub time_zone: String,
    /// `YYYY-MM-DD HH:MM`, or an instant with an offset; since it stands here when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Required, unless it recurs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// It keeps quiet again and again at these times only, as in a time window.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<TimeSpan>,
}

fn utc() -> String {
    "UTC".to_owned()
}

fn is_silence(kind: &SilenceKind) -> bool {
    *kind == SilenceKind::Silence
}
