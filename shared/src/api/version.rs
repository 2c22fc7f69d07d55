//! Versions of the configuration, and single things of it as a version had them.

use super::account::wire;
use crate::{
    NounKind, Timestamp,
    config::{Policy, Route},
};
use serde::{Deserialize, Serialize};

/// What became of a line since.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum LineMark {
    Same,
    /// It is not there any more.
    Gone,
    /// It came since.
    New,
}

wire! {
    /// A version of the configuration and when it was in force.
    struct ConfigVersion {
        version: i64,
        from: Timestamp,
        /// None: it is in force.
        until: Option<Timestamp>,
        by: String,
        /// What it changed, a line a thing, such as `policies ~db`.
        changes: Vec<String>,
    }

    /// Versions, the newest first, and which one is in force.
    struct ConfigVersions { items: Vec<ConfigVersion>, next: Option<String>, today: i64 }

    /// One configured thing as a version had it.
    struct NounThen {
        kind: NounKind,
        id: String,
        /// What people call it.
        name: String,
        /// The version, and when it was in force.
        then: ConfigVersion,
        /// The version in force now.
        today: i64,
        /// Whether the version had it.
        was: bool,
        /// Whether the one in force has it.
        is: bool,
        /// As text, with what became of each line since; without secrets and people's addresses.
        lines: Vec<NounLine>,
        /// The later versions that changed it, oldest first, as far as they were looked through.
        since: Vec<ConfigVersion>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        policy: Option<Policy>,
        /// Without the routes below it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        route: Option<Route>,
        /// Of a schedule: who was on call at the moment asked for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        on_call: Option<Vec<String>>,
    }

    /// A line of a text, then and now.
    struct NounLine { text: String, mark: LineMark }
}
