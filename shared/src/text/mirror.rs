//! Port mirrors as sentences: what happened to one, and what a rule says of one that is being described.

use super::Voice;
use crate::{MirrorId, timeline::MirrorEvent};

/// What happened to a mirror.
pub(super) fn event(_: &Voice<'_>, mirror: MirrorId, what: &MirrorEvent) -> String {
    format!("{mirror} {what:?}")
}
