//! Errors as application/problem+json (RFC 9457), with a stable `code` and, where there is one, the mend.

use serde::{Deserialize, Serialize};

/// What every failed request answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Problem {
    /// HTTP status code.
    pub status: u16,
    /// Stable, for programs: `not_found`, `version_conflict`, …
    pub code: String,
    /// One sentence for people.
    pub title: String,
    /// What is wrong and how to mend it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// The field at fault, as a path such as `people[2].contacts[0].email`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Further findings, when there is more than one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<crate::config::Finding>,
}
