//! Rules about time: it ends, and everybody's clock agrees on when.

use super::{Case, Said};
use shared::mirror::About;

/// How far ahead a mirror may begin, in ms: what is known of machines today says little of tomorrow.
const AHEAD_MS: i64 = 3_600_000;

/// From so much difference on an end is not the same end for everybody, in ms.
const DRIFT_MS: u64 = 30_000;

/// 1: it ends, and not too late.
pub(super) fn expiry(case: &Case<'_>, said: &mut Said) {
    let (spec, now, longest) = (case.spec, case.world.now, case.world.mode.longest.0);
    let begins = spec.starts_at.map_or(now, |at| at.max(now));
    if begins.ms_since(now) > AHEAD_MS {
        said.blocks("starts_at", About::StartTooLate { latest_ms: AHEAD_MS });
    }
    match spec.expires_at {
        None => said.blocks("expires_at", About::NoExpiry),
        Some(at) if at <= begins => said.blocks("expires_at", About::ExpiryPast),
        Some(at) if at.ms_since(begins) > longest => {
            said.blocks("expires_at", About::ExpiryTooLate { longest_ms: longest });
        }
        Some(_) => {}
    }
}

/// 23: the clocks of the store and of the switch agree with ours.
pub(super) fn clock(case: &Case<'_>, said: &mut Said) {
    let switch = case.view.and_then(|view| view.clock_drift_ms);
    let drifts = [("", Some(case.world.store_drift_ms)), ("switch", switch)];
    for (path, ms) in drifts.into_iter().filter_map(|(path, ms)| Some((path, ms?))) {
        if ms.unsigned_abs() >= DRIFT_MS {
            said.blocks(path, About::ClocksDiffer { ms });
        }
    }
}
