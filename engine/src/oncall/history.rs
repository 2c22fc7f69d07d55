//! What was in force: the stretches to be kept as they happened, so that no later edit changes yesterday.
//!
//! A stretch is settled once it is over. Until it is kept, it comes out of the configuration that was in force then,
//! not of the one that is in force now.

use super::{Roster, Stretch};
use shared::Timestamp;

/// A schedule as one version of the configuration has it; none in versions that do not have the schedule.
#[derive(Clone, Copy, Debug)]
pub struct Version<'a> {
    /// When the version came into force.
    pub at: Timestamp,
    pub roster: Option<&'a Roster>,
}

/// Who was on call from `from` to `until`, under the versions in force then, which are in order. Times before the first
/// version, and without the schedule, are left out.
#[must_use]
pub fn in_force(versions: &[Version<'_>], from: Timestamp, until: Timestamp) -> Vec<Stretch> {
    let mut kept: Vec<Stretch> = Vec::new();
    let ends = versions.iter().skip(1).map(|version| version.at).chain([Timestamp::from_ms(i64::MAX)]);
    for (version, end) in versions.iter().zip(ends) {
        let Some(roster) = version.roster else { continue };
        append(&mut kept, roster.between(version.at.max(from), end.min(until)));
    }
    kept
}

/// Puts stretches behind others; a stretch that only goes on is made longer.
pub fn append(kept: &mut Vec<Stretch>, more: Vec<Stretch>) {
    for stretch in more {
        match kept.last_mut().filter(|last| last.until == stretch.from && last.duties == stretch.duties) {
            Some(last) => last.until = stretch.until,
            None => kept.push(stretch),
        }
    }
}
