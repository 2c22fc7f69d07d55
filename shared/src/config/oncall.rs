//! Schedules: layers of rotations with hand-offs on the wall clock of a time zone, and what overrules them.
//!
//! Times are written as the wall clock of the schedule's zone shows them, `YYYY-MM-DD HH:MM`, or as an instant with
//! its offset, `2026-10-25 02:30+01:00`. Where a span begins, a wall time that comes twice is its first occurrence;
//! where it ends, its last. A wall time that does not exist is the first instant after the gap.

use crate::{CalendarId, Delay, LayerId, PersonId, ScheduleId};
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
    /// Holiday calendars that count here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holidays: Vec<CalendarId>,
    /// All on call together: the layer of precedence 0, which has no name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rotations: Vec<Rotation>,
    /// Of the layers that have somebody at an instant, the one with the highest precedence wins; equal ones are on
    /// call together.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<Layer>,
    /// Beat the layers; applied in the order they are written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<Override>,
    /// Beat layers and overrides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub temporary: Vec<Temporary>,
    /// Who is told when somebody does not confirm that they are ready for their shift.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lead: Option<PersonId>,
}

/// When those who come on call are asked whether they are ready; 0 switches each off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Readiness {
    /// So long before their shift …
    pub early: Delay,
    /// … and again so long before it.
    pub late: Delay,
    /// So long before it their lead is told, unless they have confirmed.
    pub lead: Delay,
    /// Who is told of schedules that name no lead.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub leads: Vec<PersonId>,
}

impl Default for Readiness {
    fn default() -> Self {
        Self { early: Delay::mins(24 * 60), late: Delay::mins(30), lead: Delay::mins(15), leads: Vec::new() }
    }
}

impl Schedule {
    /// The addresses of calendars that others keep.
    pub fn calendar_urls(&self) -> impl Iterator<Item = &str> {
        self.layers.iter().filter_map(|layer| layer.ical_url.as_deref())
    }

    /// Every rotation with the layer it stands in; none for the schedule's own.
    pub fn all_rotations(&self) -> impl Iterator<Item = (Option<&LayerId>, &Rotation)> {
        let own = self.rotations.iter().map(|rotation| (None, rotation));
        let layered = self.layers.iter();
        own.chain(layered.flat_map(|layer| layer.rotations.iter().map(move |rotation| (Some(&layer.id), rotation))))
    }

    /// Everybody named, each as often as they are.
    pub fn people(&self) -> impl Iterator<Item = &PersonId> {
        let turns = self
            .all_rotations()
            .flat_map(|(_, rotation)| rotation.people.iter().chain(rotation.groups.iter().flatten()));
        let covers = self.overrides.iter().flat_map(|cover| std::iter::once(&cover.person).chain(&cover.replaces));
        let fixed = self.temporary.iter().flat_map(|it| &it.shifts).map(|shift| &shift.person);
        turns.chain(covers).chain(fixed)
    }
}

/// Rotations with a name and a precedence.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Layer {
    pub id: LayerId,
    /// The higher one beats the lower one; equal ones are on call together.
    #[serde(default)]
    pub precedence: i32,
    /// On which days the layer counts.
    #[serde(default)]
    pub on: LayerDays,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rotations: Vec<Rotation>,
    /// An iCalendar text whose events are shifts: attendees by their e-mail address, or else the people the summary
    /// names, by id, e-mail address or name. `[L0]` to `[L9]` before them is a level: the highest one counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ical: Option<String>,
    /// The address of such a text, `https://…` or `webcal://…`: fetched again and again, and the last good copy counts.
    /// An event of nobody this document knows is told, and counts for nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ical_url: Option<String>,
}

/// On which days a layer counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum LayerDays {
    #[default]
    Always,
    /// Only on holidays of the schedule's calendars.
    Holidays,
    /// Except on holidays.
    Workdays,
}

/// The unit of a rotation's shift.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Every {
    Hour,
    Day,
    #[default]
    Week,
    Month,
}

/// People taking turns. Whoever has time off is passed over: the next in the order stands in, and the order of the
/// turns stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Rotation {
    /// One at a time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<PersonId>,
    /// Instead of `people`: several at a time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<Vec<PersonId>>,
    #[serde(default)]
    pub every: Every,
    /// Hours, days, weeks or months a turn lasts. Hours are those the wall clock shows: a turn that falls into the
    /// hour that does not exist has no length, one that falls into the hour that comes twice is longer.
    #[serde(default = "one")]
    pub length: u32,
    /// Wall-clock time of the hand-off, `HH:MM`; for hours, of the first one. A time that does not exist on a day is
    /// the first instant after the gap; a time that comes twice is its first occurrence.
    pub handoff: String,
    /// The date of the first hand-off, `YYYY-MM-DD`; nobody is on call before. A month without this day hands over
    /// on its last day.
    pub start: String,
    /// The date of the last hand-off, to nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<String>,
    /// On call only within these; always when there are none. The turns go on meanwhile.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub restrict: Vec<Window>,
}

const fn one() -> u32 {
    1
}

/// Hours of the week on the wall clock.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// The days on which it begins; every day when there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub days: Vec<Weekday>,
    /// `HH:MM`.
    pub from: String,
    /// `HH:MM`. Not after `from`: on the following day; equal: 24 hours.
    pub until: String,
}

/// A day of the week.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Weekday {
    #[default]
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

/// What an override does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum OverrideKind {
    /// `person` is on call instead of `replaces`, while that one is; instead of everybody without `replaces`.
    #[default]
    Replace,
    /// `person` is on call too.
    Add,
    /// `person` is not on call.
    Remove,
}

/// Somebody covers for a while, helps out, or is let off.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Override {
    /// A name to speak of it by; the application gives one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(default, skip_serializing_if = "is_replace")]
    pub kind: OverrideKind,
    pub person: PersonId,
    /// Whom they replace, when that person is on call then; everybody when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<PersonId>,
    /// Wall-clock times in the schedule's zone, `YYYY-MM-DD HH:MM`, or instants with an offset.
    pub from: String,
    pub until: String,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Who made it; the application writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

fn is_replace(kind: &OverrideKind) -> bool {
    *kind == OverrideKind::Replace
}

/// Fixed shifts that hold instead of layers and overrides; a hole between them is nobody.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Temporary {
    /// Wall-clock times in the schedule's zone, `YYYY-MM-DD HH:MM`, or instants with an offset.
    pub from: String,
    pub until: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shifts: Vec<FixedShift>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// One person for a while, within a temporary schedule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct FixedShift {
    pub person: PersonId,
    /// Wall-clock times in the schedule's zone, `YYYY-MM-DD HH:MM`, or instants with an offset.
    pub from: String,
    pub until: String,
}

/// A person is away: rotations pass them over. An override or a temporary schedule that names them still holds, as
/// somebody wrote it on purpose.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TimeOff {
    pub person: PersonId,
    /// Wall-clock times in the person's zone, in the schedule's when they have none; or instants with an offset.
    pub from: String,
    pub until: String,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Days on which other rules may hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct HolidayCalendar {
    pub id: CalendarId,
    /// `YYYY-MM-DD`, or the first and the last day of several, `YYYY-MM-DD..YYYY-MM-DD`. A day begins at midnight in
    /// the zone of the schedule that uses the calendar.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dates: Vec<String>,
    /// An iCalendar text whose events are holidays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ical: Option<String>,
}
