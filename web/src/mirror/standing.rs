//! How a mirror stands: in which list, with which mark and tone, how much of its time is left, and what may be done.

use shared::{
    Timestamp,
    mirror::{Mirror, MirrorSource, MirrorState, Transport, Verified},
};

const MINUTE_MS: i64 = 60_000;
/// What a button adds.
const STEPS_MIN: [i64; 2] = [15, 30];

/// How serious a state is; a shape goes with each, so that no colour is needed to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Somebody or something is waited for.
    Waits,
    /// It is in the switch and copies.
    Copies,
    /// It is in the switch, and nothing was seen yet.
    Quiet,
    /// It is not as it should be.
    Wrong,
    /// It was asked to end, and is not known to be gone.
    Ending,
    /// It is gone.
    Gone,
    /// And that was proved.
    Proved,
    /// It never ran.
    Never,
}

impl Tone {
    pub(crate) const fn class(self) -> &'static str {
        match self {
            Self::Waits => "waits",
            Self::Copies => "copies",
            Self::Quiet => "idle",
            Self::Wrong => "wrong",
            Self::Ending => "ending",
            Self::Gone => "gone",
            Self::Proved => "proved",
            Self::Never => "never",
        }
    }

    /// Its shape, in a box of twelve.
    pub(crate) const fn shape(self) -> &'static str {
        match self {
            // A ring with a hand.
            Self::Waits => "M6 1a5 5 0 1 0 .01 0zM6 3v3l2 1.500",
            // A play sign.
            Self::Copies => "M2.500 1.500l8 4.500-8 4.500z",
            // Two bars.
            Self::Quiet => "M3.500 2v8M8.500 2v8",
            // A triangle with a mark.
            Self::Wrong => "M6 1l5 9.500h-10zM6 4.500v3M6 9v.1",
            // A square in a ring.
            Self::Ending => "M6 .7a5.300 5.300 0 1 0 .01 0zM4 4h4v4h-4z",
            // An empty square.
            Self::Gone => "M2 2h8v8h-8z",
            // A tick in a ring.
            Self::Proved => "M6 .7a5.300 5.300 0 1 0 .01 0zM3.500 6l2 2 3-4",
            // A cross.
            Self::Never => "M2 2l8 8M10 2l-8 8",
        }
    }
}

pub(crate) const fn tone(mirror: &Mirror) -> Tone {
    match mirror.state {
        MirrorState::Planned | MirrorState::Approved | MirrorState::Applying => Tone::Waits,
        MirrorState::Active => match mirror.verified {
            Some(Verified::Idle { .. }) => Tone::Quiet,
            _ => Tone::Copies,
        },
        MirrorState::Applied => Tone::Quiet,
        MirrorState::Drifted | MirrorState::Disarmed => Tone::Wrong,
        MirrorState::Stopping => Tone::Ending,
        MirrorState::Stopped => Tone::Gone,
        MirrorState::ProvedStopped => Tone::Proved,
        MirrorState::Failed | MirrorState::Dropped => Tone::Never,
    }
}

/// Whether somebody should look at it again soon.
pub(crate) const fn is_busy(mirror: &Mirror) -> bool {
    !mirror.is_over() && !matches!(mirror.state, MirrorState::Planned)
}

/// Milliseconds left, and which part of its time that is, of a hundred; nothing when its end is not awaited any more.
pub(crate) fn left(mirror: &Mirror, now: Timestamp) -> Option<(i64, i64)> {
    let counts = mirror.state.is_running() || matches!(mirror.state, MirrorState::Approved | MirrorState::Applying);
    if !counts {
        return None;
    }
    let left = mirror.expires_at.ms_since(now).max(0);
    let from = mirror.applied_at.unwrap_or(mirror.starts_at);
    let whole = mirror.expires_at.ms_since(from).max(1);
    Some((left, (left * 100 / whole).clamp(0, 100)))
}

/// More time that can be asked for: minutes, and the end they lead to.
pub(crate) fn extensions(mirror: &Mirror) -> Vec<(i64, Timestamp)> {
    if !mirror.state.is_running() {
        return Vec::new();
    }
    let mut offers = Vec::new();
    for minutes in STEPS_MIN {
        let until = mirror.expires_at.plus_ms(minutes * MINUTE_MS).min(mirror.latest);
        let gained = until.ms_since(mirror.expires_at) / MINUTE_MS;
        if gained > 0 && offers.iter().all(|(_, known)| *known != until) {
            offers.push((gained, until));
        }
    }
    offers
}

/// Whether asking it to end makes a difference.
pub(crate) const fn can_stop(mirror: &Mirror) -> bool {
    !mirror.is_over() && !matches!(mirror.state, MirrorState::Stopping | MirrorState::Stopped)
}

/// What stands in the way of somebody's approval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Approval {
    /// It waits for none.
    Settled,
    /// Whoever asked for it cannot agree to it.
    Own,
    Open,
}

pub(crate) fn approval(mirror: &Mirror, login: &str) -> Approval {
    let own = mirror.by.login() == Some(login);
    match mirror.state {
        MirrorState::Planned if own => Approval::Own,
        MirrorState::Planned => Approval::Open,
        _ => Approval::Settled,
    }
}

/// The machines whose traffic it is, as far as their names are known: `web01`, or addresses, or VLANs.
pub(crate) fn sources(mirror: &Mirror) -> Vec<String> {
    let requested = mirror.steps.iter().find_map(|step| match &step.what {
        shared::timeline::MirrorEvent::Requested { of, .. } if !of.is_empty() => Some(of.clone()),
        _ => None,
    });
    requested.unwrap_or_else(|| match &mirror.spec.source {
        MirrorSource::Nics { macs } => macs.iter().map(ToString::to_string).collect(),
        MirrorSource::Vlans { vlans } => vlans.iter().map(|vlan| format!("VLAN {vlan}")).collect(),
    })
}

/// Where its copies go: a collector's name, an address, a port or a VLAN.
pub(crate) fn destination(mirror: &Mirror) -> String {
    let requested = mirror.steps.iter().find_map(|step| match &step.what {
        shared::timeline::MirrorEvent::Requested { to, .. } if !to.is_empty() => Some(to.clone()),
        _ => None,
    });
    requested.unwrap_or_else(|| end(&mirror.spec.transport))
}

/// Where a transport leads, without knowing whose place that is.
pub(crate) fn end(transport: &Transport) -> String {
    match transport {
        Transport::Span { port } | Transport::RspanDestination { port } => port.clone(),
        Transport::RspanSource { vlan, .. } => format!("VLAN {vlan}"),
        Transport::Erspan { remote, .. } => remote.to_string(),
        Transport::Legacy => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mirror::sample::{at, mirror};

    #[test]
    fn a_countdown_is_a_part_of_its_time() {
        let one = mirror(MirrorState::Active);
        assert_eq!(left(&one, at(0)), Some((1_800_000, 100)));
        assert_eq!(left(&one, at(15)), Some((900_000, 50)));
        assert_eq!(left(&one, at(40)), Some((0, 0)));
        for state in [MirrorState::Planned, MirrorState::Stopping, MirrorState::Stopped, MirrorState::ProvedStopped] {
            assert_eq!(left(&mirror(state), at(0)), None, "{state:?}");
        }
    }

    #[test]
    fn more_time_ends_at_the_latest() {
        let mut one = mirror(MirrorState::Active);
        assert_eq!(extensions(&one), [(15, at(45)), (30, at(60))]);
        one.latest = at(50);
        assert_eq!(extensions(&one), [(15, at(45)), (20, at(50))]);
        one.latest = at(40);
        assert_eq!(extensions(&one), [(10, at(40))]);
        one.latest = at(30);
        assert_eq!(extensions(&one), []);
        assert_eq!(extensions(&mirror(MirrorState::Stopping)), []);
    }

    #[test]
    fn nobody_agrees_to_what_they_asked_for() {
        let planned = mirror(MirrorState::Planned);
        assert_eq!(approval(&planned, "li"), Approval::Own);
        assert_eq!(approval(&planned, "wang"), Approval::Open);
        assert_eq!(approval(&mirror(MirrorState::Active), "wang"), Approval::Settled);
    }

    #[test]
    fn what_is_idle_does_not_look_like_what_copies() {
        let mut one = mirror(MirrorState::Active);
        one.verified = Some(Verified::Idle { at: at(1) });
        assert_eq!(tone(&one), Tone::Quiet);
        one.verified = Some(Verified::Counted { at: at(1) });
        assert_eq!(tone(&one), Tone::Copies);
    }

    #[test]
    fn what_is_ending_is_not_asked_again() {
        let asked = |state| can_stop(&mirror(state));
        assert!(asked(MirrorState::Planned) && asked(MirrorState::Applying) && asked(MirrorState::Drifted));
        assert!(!asked(MirrorState::Stopping) && !asked(MirrorState::Stopped) && !asked(MirrorState::Failed));
    }

    #[test]
    fn names_are_those_of_the_request() {
        let mut one = mirror(MirrorState::Active);
        assert_eq!((sources(&one), destination(&one)), (vec!["web01".to_owned()], "capture".to_owned()));
        one.steps.clear();
        assert_eq!(sources(&one), ["52:54:00:00:00:01"]);
        assert_eq!(destination(&one), "10.77.0.9");
    }
}
