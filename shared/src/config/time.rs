//! Named time windows: hours, days, dates, months and years on the wall clock of a zone.

use crate::WindowId;
use serde::{Deserialize, Serialize};

/// A named set of times that routes (and whatever else depends on the hour) refer to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TimeWindow {
    pub id: WindowId,
    /// IANA name, such as `Asia/Shanghai`; every time of the window is a wall-clock time there.
    pub time_zone: String,
    /// An instant is in the window when it is in one of these.
    pub windows: Vec<TimeSpan>,
}

/// Times for which everything named holds; what is not named does not matter. Ranges are written `mon..fri` and include
/// both ends.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TimeSpan {
    /// Days of the week: `mon`, `mon..fri`, `sat..mon`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub days: Vec<String>,
    /// Days of the month, negative from its end: `1`, `1..7`, `-1`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dates: Vec<String>,
    /// `jan`, `nov..feb`, or 1 to 12.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub months: Vec<String>,
    /// `2026`, `2026..2028`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub years: Vec<String>,
    /// `HH:MM`; with `until`, the part of the day. The whole day without both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// `HH:MM`, not included. Not after `from`, it is a time of the next day, and the span belongs to the day it begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}
