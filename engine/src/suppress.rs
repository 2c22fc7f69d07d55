//! Whether a kept alert pages nobody, and the reason.

use shared::{Action, AlertEvent, Flag, Severity, timeline::SuppressReason};

/// Replays of old alerts are stored, and wake nobody; but a P0 or P1 from a machine with a wrong clock is no replay, and
/// nobody can tell the two apart.
pub(crate) fn suppress(event: &AlertEvent, severity: impl FnOnce() -> Severity) -> Option<SuppressReason> {
    let stale = event.action == Action::Trigger && event.flags.contains(&Flag::Stale);
    (stale && !severity().is_urgent()).then_some(SuppressReason::Stale)
}
