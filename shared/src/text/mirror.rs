//! Port mirrors as sentences: what happened to one, and what a rule says of one that is being described.

use super::{Language, Voice};
use crate::{MirrorId, mirror::MirrorFinding, timeline::MirrorEvent};

/// What a rule says, with the reason and the mend.
#[must_use]
pub fn finding(_: Language, it: &MirrorFinding) -> String {
    format!("{:?}", it.about)
}

/// What happened to a mirror.
pub(super) fn event(_: &Voice<'_>, mirror: MirrorId, what: &MirrorEvent) -> String {
    format!("{mirror} {what:?}")
}
