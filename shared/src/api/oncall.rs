//! Who is on call, and people as others see them.

use super::{BrokenContact, account::wire};
use crate::{
    LayerId, PersonId, ScheduleId, TeamId, Timestamp,
    config::{ContactKind, Language, OverrideKind, Schedule},
};
use serde::{Deserialize, Serialize};

/// Why somebody is on call.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum DutyReason {
    /// The turn of a rotation.
    Turn {
        /// None: the schedule's own rotations.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        layer: Option<LayerId>,
        /// Counted from 0 within the layer.
        rotation: u32,
        /// Counted from 0 at the rotation's start.
        turn: i64,
        /// Those whose turn it is, and who have time off.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        stands_in_for: Vec<PersonId>,
    },
    /// An event of the layer's imported calendar.
    Calendar { layer: LayerId, event: String },
    /// An override.
    Override {
        /// Counted from 0 within the schedule.
        place: u32,
        does: OverrideKind,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        replaces: Option<PersonId>,
        /// Who made it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
    /// A shift of a temporary schedule, counted from 0 within the schedule.
    Temporary { place: u32 },
}

/// What became of a swap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum SwapState {
    Offered,
    /// The overrides are made.
    Accepted,
    /// By the taker, or taken back by the giver.
    Declined,
}

impl SwapState {
    /// The name on the wire and in storage.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Offered => "offered",
            Self::Accepted => "accepted",
            Self::Declined => "declined",
        }
    }
}

/// Whose shifts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CalendarOf {
    Person(PersonId),
    Schedule(ScheduleId),
}

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
        /// Who was asked whether they are ready for a shift to come.
        asked: Vec<ShiftAsked>,
    }

    /// Somebody who comes on call was asked whether they are ready.
    struct ShiftAsked {
        person: PersonId,
        from: Timestamp,
        asked_at: Timestamp,
        confirmed_at: Option<Timestamp>,
        /// Why nothing reached them.
        problem: Option<String>,
    }

    /// A shift of one's own that one is ready for.
    struct ShiftReady { schedule: ScheduleId, from: Timestamp }

    /// A layer whose shifts come from a calendar that somebody else keeps.
    struct ImportedCalendar {
        schedule: ScheduleId,
        layer: LayerId,
        /// Where it is kept, without what may be secret in its address.
        host: String,
        /// Whether a copy counts; without one the layer puts nobody on call.
        has_copy: bool,
        /// Events of the copy.
        events: u32,
        /// When the last shift of the copy is over.
        last: Option<Timestamp>,
        /// When the copy was last known to be what the calendar says.
        good_at: Option<Timestamp>,
        /// When the copy became another one.
        changed_at: Option<Timestamp>,
        /// When it was last looked for.
        tried_at: Option<Timestamp>,
        /// Why that failed.
        error: Option<String>,
        /// It could not be looked at for more than a day.
        old: bool,
        /// Names in events to come that put nobody on call; the first 20.
        unclear: Vec<UnclearName>,
    }

    /// A name in an event that is nobody's, or several people's.
    struct UnclearName {
        /// The event's summary.
        event: String,
        /// As the calendar writes it; empty when the event names nobody at all.
        name: String,
        shared: bool,
    }

    /// Somebody on call for a while.
    struct Shift { person: PersonId, from: Timestamp, until: Timestamp, over: bool, replaces: Option<PersonId> }

    /// Nobody on call for a while.
    struct Gap { from: Timestamp, until: Timestamp }

    /// Somebody on call, and why.
    struct Duty {
        person: PersonId,
        reason: DutyReason,
        /// When the turn, its hours, the override or the shift ends.
        until: Timestamp,
    }

    /// A stretch with the same people on call for the same reasons.
    struct Stretch { from: Timestamp, until: Timestamp, duties: Vec<Duty> }

    /// What one person carries in a range.
    struct PersonLoad {
        person: PersonId,
        /// Times they come on call.
        shifts: u32,
        total_ms: i64,
        /// Of the total, 22:00 to 06:00 on the schedule's wall clock.
        night_ms: i64,
        /// Of the total, Saturdays and Sundays.
        weekend_ms: i64,
        /// Of the total, holidays of the schedule's calendars.
        holiday_ms: i64,
    }

    /// A schedule over a range, with what it is made of.
    struct ScheduleRange {
        schedule: ScheduleId,
        name: String,
        time_zone: String,
        from: Timestamp,
        until: Timestamp,
        /// What the past of the range is: stored as it happened until here, computed from here on.
        recorded_until: Timestamp,
        /// Who is on call in the end; the stretches follow each other without a gap, those with nobody included.
        stretches: Vec<Stretch>,
        /// The highest precedence first; what each would say by itself.
        layers: Vec<LayerRange>,
        overrides: Vec<OverrideRange>,
        temporary: Vec<TemporaryRange>,
        holidays: Vec<Gap>,
        gaps: Vec<Gap>,
        load: Vec<PersonLoad>,
        /// The next instant from now at which other people are on call.
        next_handoff: Option<Timestamp>,
        /// Where the wall clock jumps.
        clock_changes: Vec<ClockChange>,
        names: std::collections::BTreeMap<PersonId, String>,
    }

    /// One layer by itself over a range.
    struct LayerRange { layer: Option<LayerId>, precedence: i32, stretches: Vec<Stretch> }

    /// An override as instants.
    struct OverrideRange {
        id: Option<String>,
        does: OverrideKind,
        person: PersonId,
        replaces: Option<PersonId>,
        from: Timestamp,
        until: Timestamp,
        note: Option<String>,
    }

    /// A temporary schedule as instants.
    struct TemporaryRange { from: Timestamp, until: Timestamp, note: Option<String> }

    /// The wall clock jumps, forward when `by_s` is positive.
    struct ClockChange { at: Timestamp, by_s: i32 }

    /// A schedule that is not stored, to be looked at over a range of at most 400 days.
    struct SchedulePreview { schedule: Schedule, from: Timestamp, until: Timestamp }

    /// Whose shifts a calendar feed has.
    struct NewCalendar { of: CalendarOf }

    /// A calendar feed that was made: whoever knows the address reads it.
    struct CalendarMade { id: i64, url: String }

    /// A calendar feed, without its address.
    struct CalendarRow {
        id: i64,
        of: CalendarOf,
        created_at: Timestamp,
        created_by: String,
        last_used_at: Option<Timestamp>,
        hint: String,
    }

    /// A shift is offered to somebody, perhaps for one of theirs.
    struct NewSwap {
        /// Who gives the shift; whoever asks when absent.
        #[serde(default)]
        giver: Option<PersonId>,
        taker: PersonId,
        from: Timestamp,
        until: Timestamp,
        #[serde(default)]
        in_return: Option<Gap>,
        #[serde(default)]
        note: Option<String>,
    }

    /// A swap, offered or decided.
    struct SwapRow {
        id: i64,
        state: SwapState,
        schedule: ScheduleId,
        giver: PersonId,
        taker: PersonId,
        from: Timestamp,
        until: Timestamp,
        in_return: Option<Gap>,
        note: Option<String>,
        offered_by: String,
        offered_at: Timestamp,
        decided_by: Option<String>,
        decided_at: Option<Timestamp>,
    }

    /// An override to be made.
    struct NewOverride {
        #[serde(default)]
        does: OverrideKind,
        person: PersonId,
        #[serde(default)]
        replaces: Option<PersonId>,
        from: Timestamp,
        until: Timestamp,
        #[serde(default)]
        note: Option<String>,
    }

    /// The name of an override that was made.
    struct OverrideMade { id: String }

    /// A person as others see them: how they can be reached, not where.
    struct PersonRow {
        id: PersonId,
        name: String,
        language: Language,
        time_zone: Option<String>,
        teams: Vec<TeamId>,
        contacts: Vec<ContactKind>,
        /// Those of them that do not work.
        broken: Vec<BrokenContact>,
    }
}
