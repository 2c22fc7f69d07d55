//! Swaps: one person gives a shift to another, perhaps for one of theirs. Checked, it is one override or two.

use super::{Roster, Stretch, wall};
use shared::{
    PersonId, Timestamp,
    config::{Override, OverrideKind},
};

/// What is asked: `giver` is on call from `from` to `until`, and `taker` is to be instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Swap {
    pub giver: PersonId,
    pub taker: PersonId,
    pub from: Timestamp,
    pub until: Timestamp,
    /// A range in which the taker is on call, and the giver is to be instead.
    pub in_return: Option<(Timestamp, Timestamp)>,
}

/// Why a swap cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SwapRefusal {
    #[error("nobody can swap with themselves; name somebody else")]
    Same,
    #[error("that is over, or ends before it begins; choose a shift that is still to come")]
    Over,
    #[error("{0} is not on call all that time; choose a shift of theirs")]
    NotOnCall(PersonId),
    #[error("{0} is on call then already; choose somebody else, or another shift")]
    OnCallAlready(PersonId),
    #[error("{0} has time off then; choose somebody else, or another shift")]
    Away(PersonId),
    #[error("a temporary schedule holds then, and overrides do not; change that one")]
    Temporary,
}

impl Swap {
    /// The overrides that make it so. A shift that runs already changes hands at `now`.
    ///
    /// # Errors
    /// Why it cannot be.
    pub fn overrides(&self, roster: &Roster, now: Timestamp) -> Result<Vec<Override>, SwapRefusal> {
        if self.giver == self.taker {
            return Err(SwapRefusal::Same);
        }
        let mut overrides = vec![hand_over(roster, &self.giver, &self.taker, (self.from, self.until), now)?];
        if let Some(span) = self.in_return {
            overrides.push(hand_over(roster, &self.taker, &self.giver, span, now)?);
        }
        Ok(overrides)
    }
}

fn hand_over(
    roster: &Roster,
    giver: &PersonId,
    taker: &PersonId,
    (from, until): (Timestamp, Timestamp),
    now: Timestamp,
) -> Result<Override, SwapRefusal> {
    let from = from.max(now);
    if until <= from {
        return Err(SwapRefusal::Over);
    }
    if roster.temporary_spans().any(|(_, span)| span.0 < until && from < span.1) {
        return Err(SwapRefusal::Temporary);
    }
    let stretches = roster.between(from, until);
    let has = |stretch: &Stretch, person: &PersonId| stretch.duties.iter().any(|duty| duty.person == *person);
    if !stretches.iter().all(|stretch| has(stretch, giver)) {
        return Err(SwapRefusal::NotOnCall(giver.clone()));
    }
    if stretches.iter().any(|stretch| has(stretch, taker)) {
        return Err(SwapRefusal::OnCallAlready(taker.clone()));
    }
    if roster.is_away(taker, from, until) {
        return Err(SwapRefusal::Away(taker.clone()));
    }
    Ok(Override {
        kind: OverrideKind::Replace,
        person: taker.clone(),
        replaces: Some(giver.clone()),
        from: wall::write(roster.zone(), from, false),
        until: wall::write(roster.zone(), until, true),
        ..Override::default()
    })
}
