//! Whether a kept alert pages nobody, and the reason.

use shared::{Action, AlertEvent, Flag, timeline::SuppressReason};

/// Replays of old alerts are stored, and wake nobody.
pub(crate) fn suppress(event: &AlertEvent) -> Option<SuppressReason> {
    (event.action == Action::Trigger && event.flags.contains(&Flag::Stale)).then_some(SuppressReason::Stale)
}
