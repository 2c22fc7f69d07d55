//! What the shared texts say of mirrors, under one name for the pages.

use shared::{
    MirrorId,
    config::Language,
    mirror::{MirrorEnd, MirrorFinding},
    text::{Names, happening},
    timeline::{Happening, MirrorEvent},
};

/// What a rule says, with the reason and the mend.
pub(crate) fn finding(l: Language, finding: &MirrorFinding) -> String {
    shared::text::mirror::finding(l, finding)
}

/// Something that was done about a mirror, or seen.
pub(crate) fn event(l: Language, mirror: MirrorId, what: &MirrorEvent) -> String {
    happening(l, &Names::new(), &Happening::Mirror { mirror, what: what.clone() })
}

/// Why it was asked to end.
pub(crate) fn end(l: Language, why: &MirrorEnd) -> String {
    shared::text::mirror::end(l, why)
}
