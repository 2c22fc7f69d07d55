//! Who is on call, and people as others see them.

use super::account::wire;
use crate::{
    PersonId, ScheduleId, TeamId, Timestamp,
    config::{ContactKind, Language},
};
use serde::{Deserialize, Serialize};

wire! {
    /// Who is on call now, schedule by schedule.
    struct OnCallNow { now: Timestamp, schedules: Vec<ScheduleNow>, names: std::collections::BTreeMap<PersonId, String> }

    /// One schedule now and in the coming two weeks.
    struct ScheduleNow {
        schedule: ScheduleId,
        name: String,
        time_zone: String,
        /// Empty: nobody would be paged.
        on_call: Vec<Shift>,
        /// Shifts from now on, in order, at most 20 and two weeks.
        upcoming: Vec<Shift>,
        /// Stretches of the coming two weeks without anybody.
        gaps: Vec<Gap>,
    }

    /// Somebody on call for a while.
    struct Shift { person: PersonId, from: Timestamp, until: Timestamp, over: bool, replaces: Option<PersonId> }

    /// Nobody on call for a while.
    struct Gap { from: Timestamp, until: Timestamp }

    /// A person as others see them: how they can be reached, not where.
    struct PersonRow {
        id: PersonId,
        name: String,
        language: Language,
        time_zone: Option<String>,
        teams: Vec<TeamId>,
        contacts: Vec<ContactKind>,
    }
}
