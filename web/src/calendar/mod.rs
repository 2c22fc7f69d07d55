//! A schedule's calendar without a browser: which days are shown, what stands where on them, and what it says.

pub(crate) mod days;
pub(crate) mod drag;
pub(crate) mod lists;
pub(crate) mod picture;
pub(crate) mod pieces;
pub(crate) mod read;
pub(crate) mod view;

use crate::format::civil::Civil;
use shared::{PersonId, Timestamp, api::Shift, config::Language};

/// What the wall of the chosen zone shows at an instant.
pub(crate) type Wall<'a> = &'a dyn Fn(i64) -> Civil;

/// Everything a drawing depends on.
#[derive(Clone, Copy)]
pub(crate) struct Look<'a> {
    pub(crate) l: Language,
    pub(crate) range: &'a read::Range,
    /// Who is on call in the end.
    pub(crate) shifts: &'a [Shift],
    pub(crate) now: Timestamp,
    pub(crate) me: Option<&'a PersonId>,
    /// Whether what is to come may be changed.
    pub(crate) may: bool,
    pub(crate) wall: Wall<'a>,
}

/// From and until, the second day only where it is another.
pub(crate) fn between(l: Language, wall: Wall<'_>, from: Timestamp, until: Timestamp) -> String {
    let (start, end) = (wall(from.ms()), wall(until.ms()));
    let end_text = if start.same_day(end) { end.short_time() } else { end.moment(l) };
    format!("{} – {end_text}", start.moment(l))
}

impl Look<'_> {
    pub(crate) fn name(&self, person: &PersonId) -> String {
        self.range.names.get(person).cloned().unwrap_or_else(|| person.to_string())
    }

    /// `Sun 22 Nov 09:00`.
    pub(crate) fn moment(&self, at: Timestamp) -> String {
        (self.wall)(at.ms()).moment(self.l)
    }

    pub(crate) fn between(&self, from: Timestamp, until: Timestamp) -> String {
        between(self.l, self.wall, from, until)
    }

    /// Who, when, and for whom.
    pub(crate) fn sentence(&self, shift: &Shift) -> String {
        let text = format!("{}: {}", self.name(&shift.person), self.between(shift.from, shift.until));
        match &shift.replaces {
            Some(person) => format!("{text}, {}", crate::text::oncall::covers(self.l, &self.name(person))),
            None if shift.over => format!("{text}, {}", crate::text::oncall::covering(self.l)),
            None => text,
        }
    }
}
