//! Schedules: rotations with a hand-off time in a time zone, and overrides.

use crate::{PersonId, ScheduleId};
use serde::{Deserialize, Serialize};

/// Who is on call when.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    pub id: ScheduleId,
    pub name: String,
    /// IANA name, such as `Asia/Shanghai`; hand-offs and overrides are wall-clock times there.
    pub time_zone: String,
    /// All rotations are on call together.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rotations: Vec<Rotation>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<Override>,
}

/// The unit of a rotation's shift.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Every {
    Day,
    #[default]
    Week,
}

/// People taking turns.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Rotation {
    pub people: Vec<PersonId>,
    #[serde(default)]
    pub every: Every,
    /// Days or weeks a shift lasts.
    #[serde(default = "one")]
    pub length: u32,
    /// Wall-clock time of the hand-off, `HH:MM`. A time that does not exist on a day is the first
    /// instant after the gap; a time that comes twice is its first occurrence.
    pub handoff: String,
    /// The date of the first person's first hand-off, `YYYY-MM-DD`; nobody is on call before.
    pub start: String,
}

const fn one() -> u32 {
    1
}

/// Somebody covers for a while.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Override {
    pub person: PersonId,
    /// Whom they replace, when that person is on call then; everybody when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<PersonId>,
    /// Wall-clock times in the schedule's zone, `YYYY-MM-DD HH:MM`.
    pub from: String,
    pub until: String,
}
