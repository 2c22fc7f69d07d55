//! Tests written in the configuration: given a payload at a time, nobody answers, expect these pages.

use crate::{Delay, IntegrationId};
use serde::{Deserialize, Serialize};

/// One test that `tocsin check` runs with the same engine that pages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Trial {
    pub name: String,
    pub integration: IntegrationId,
    /// When the payload arrives: `2026-11-22T03:00:00+08:00[Asia/Shanghai]` or any RFC 3339 instant.
    pub at: String,
    /// The body, exactly as the sender would post it.
    pub payload: String,
    /// In any order; further pages are not an error unless `exact`.
    pub expect: Vec<ExpectedPage>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub exact: bool,
}

/// One page that must go out: `{ to = "person:li", via = "phone", after = "5m" }`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ExpectedPage {
    pub to: super::Target,
    /// A contact id; any contact when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<crate::ContactId>,
    /// Since the payload arrived, to the second.
    #[serde(default)]
    pub after: Delay,
}
