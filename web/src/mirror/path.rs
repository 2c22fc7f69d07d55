//! The way of a mirror from the wish to the proof that it is over: which stages are behind it, and when they were.

use shared::{
    Timestamp,
    mirror::{Mirror, MirrorState, Verified},
    timeline::MirrorEvent,
};

/// A stage of the way, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Planned,
    Approved,
    Applying,
    Applied,
    Active,
    Stopping,
    Stopped,
    Proved,
}

impl Stage {
    pub(crate) const ALL: [Self; 8] = [
        Self::Planned,
        Self::Approved,
        Self::Applying,
        Self::Applied,
        Self::Active,
        Self::Stopping,
        Self::Stopped,
        Self::Proved,
    ];
}

/// How a stage stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Done,
    /// It is there now.
    Here,
    /// It is there now, and not as it should be.
    Wrong,
    /// It ended here without getting further.
    Broken,
    ToCome,
    /// It never came to that.
    Skipped,
}

impl Standing {
    pub(crate) const fn class(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Here => "here",
            Self::Wrong => "wrong",
            Self::Broken => "broken",
            Self::ToCome => "to-come",
            Self::Skipped => "skipped",
        }
    }
}

/// A stage with how it stands and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) stage: Stage,
    pub(crate) standing: Standing,
    pub(crate) at: Option<Timestamp>,
}

/// Where a state is on the way.
const fn stage(state: MirrorState) -> Stage {
    match state {
        MirrorState::Planned => Stage::Planned,
        MirrorState::Approved | MirrorState::Dropped => Stage::Approved,
        MirrorState::Applying | MirrorState::Failed => Stage::Applying,
        MirrorState::Applied => Stage::Applied,
        MirrorState::Active | MirrorState::Drifted | MirrorState::Disarmed => Stage::Active,
        MirrorState::Stopping => Stage::Stopping,
        MirrorState::Stopped => Stage::Stopped,
        MirrorState::ProvedStopped => Stage::Proved,
    }
}

/// When a stage was reached.
fn reached(mirror: &Mirror, stage: Stage) -> Option<Timestamp> {
    match stage {
        Stage::Planned => Some(mirror.created_at),
        Stage::Approved => match &mirror.approved {
            Some((_, at)) => Some(*at),
            None => (!mirror.needs_approval).then_some(mirror.created_at),
        },
        Stage::Applying => {
            let sent = |what: &MirrorEvent| matches!(what, MirrorEvent::Sent { .. });
            mirror.steps.iter().find(|step| sent(&step.what)).map(|step| step.at)
        }
        Stage::Applied => mirror.applied_at,
        Stage::Active => mirror.verified.map(|it| match it {
            Verified::Counted { at } | Verified::Idle { at } | Verified::Uncounted { at } => at,
        }),
        Stage::Stopping => mirror.ended.as_ref().map(shared::mirror::MirrorEnd::at),
        Stage::Stopped => mirror.stopped_at,
        Stage::Proved => mirror.proved_at,
    }
}

/// All stages of a mirror.
pub(crate) fn path(mirror: &Mirror) -> Vec<Step> {
    let here = Stage::ALL.iter().position(|it| *it == stage(mirror.state)).unwrap_or(0);
    let broken = matches!(mirror.state, MirrorState::Failed | MirrorState::Dropped);
    let one = |(place, stage): (usize, Stage)| {
        let at = reached(mirror, stage);
        let standing = match place.cmp(&here) {
            // What was left out on the way, such as being seen to copy by one that was stopped at once.
            std::cmp::Ordering::Less => {
                if at.is_some() {
                    Standing::Done
                } else {
                    Standing::Skipped
                }
            }
            std::cmp::Ordering::Greater if broken || mirror.is_over() => Standing::Skipped,
            std::cmp::Ordering::Greater => Standing::ToCome,
            std::cmp::Ordering::Equal => match mirror.state {
                MirrorState::Failed | MirrorState::Dropped => Standing::Broken,
                MirrorState::Drifted | MirrorState::Disarmed => Standing::Wrong,
                _ if mirror.is_over() => Standing::Done,
                _ => Standing::Here,
            },
        };
        let at = if standing == Standing::Broken { mirror.ended.as_ref().map(|end| end.at()).or(at) } else { at };
        Step { stage, standing, at: at.filter(|_| !matches!(standing, Standing::ToCome | Standing::Skipped)) }
    };
    Stage::ALL.into_iter().enumerate().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mirror::sample::{at, mirror};
    use shared::mirror::MirrorEnd;

    fn standings(mirror: &Mirror) -> String {
        path(mirror).iter().map(|step| step.standing.class()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_running_one_has_its_end_before_it() {
        let mut one = mirror(MirrorState::Active);
        one.verified = Some(Verified::Counted { at: at(1) });
        assert_eq!(standings(&one), "done done skipped done here to-come to-come to-come");
        one.state = MirrorState::Drifted;
        assert_eq!(standings(&one), "done done skipped done wrong to-come to-come to-come");
    }

    #[test]
    fn one_that_was_stopped_before_it_was_seen_skipped_that() {
        let mut one = mirror(MirrorState::ProvedStopped);
        (one.ended, one.stopped_at, one.proved_at) =
            (Some(MirrorEnd::Expired { at: at(30) }), Some(at(30)), Some(at(31)));
        assert_eq!(standings(&one), "done done skipped done skipped done done done");
        assert_eq!(path(&one)[5].at, Some(at(30)));
    }

    #[test]
    fn where_nothing_counts_being_absent_is_the_end() {
        let mut one = mirror(MirrorState::Stopped);
        (one.ended, one.stopped_at) = (Some(MirrorEnd::Expired { at: at(30) }), Some(at(30)));
        assert_eq!(standings(&one), "done done skipped done skipped done here to-come");
        one.unprovable = true;
        assert_eq!(standings(&one), "done done skipped done skipped done done skipped");
    }

    #[test]
    fn what_failed_or_was_dropped_ends_there() {
        let mut one = mirror(MirrorState::Failed);
        one.ended = Some(MirrorEnd::Refused { at: at(2) });
        assert_eq!(standings(&one), "done done broken skipped skipped skipped skipped skipped");
        assert_eq!(path(&one)[2].at, Some(at(2)));
        one.state = MirrorState::Dropped;
        one.needs_approval = true;
        assert_eq!(standings(&one), "done broken skipped skipped skipped skipped skipped skipped");
    }

    #[test]
    fn one_that_waits_has_not_been_approved() {
        let mut one = mirror(MirrorState::Planned);
        one.needs_approval = true;
        assert_eq!(standings(&one), "here to-come to-come to-come to-come to-come to-come to-come");
        assert_eq!(path(&one)[1].at, None);
    }
}
