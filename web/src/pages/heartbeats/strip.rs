//! The newest beats and misses of a heartbeat on a line of time.

use crate::text::heartbeats as t;
use leptos::prelude::*;
use shared::{Mark, MarkKind, Timestamp, config::Language};
use std::fmt::Write as _;

const WIDTH: i64 = 400;
const HEIGHT: i64 = 20;

pub(super) fn strip(l: Language, marks: &[Mark], now: Timestamp) -> AnyView {
    let count = |kind: MarkKind| marks.iter().filter(|mark| mark.kind == kind).count();
    if marks.is_empty() {
        return view! { <p class="muted">{t::no_strip(l)}</p> }.into_any();
    }
    let said = t::strip(l, count(MarkKind::Beat), count(MarkKind::Missed), count(MarkKind::Failed));
    let lines = [("beat", MarkKind::Beat), ("missed", MarkKind::Missed), ("failed", MarkKind::Failed)]
        .map(|(class, kind)| view! { <path class=class d=path(marks, kind, now)/> });
    view! {
        <svg class="beats" viewBox=format!("0 0 {WIDTH} {HEIGHT}") preserveAspectRatio="none" role="img" aria-label=said>
            {lines.into_iter().collect_view()}
        </svg>
    }
    .into_any()
}

/// Where marks of a kind stand: a beat is a line, a miss lies flat, a failure is a cross.
fn path(marks: &[Mark], kind: MarkKind, now: Timestamp) -> String {
    let from = marks.first().map_or(now, |mark| mark.at);
    let length = now.ms_since(from).max(1);
    let mut path = String::new();
    for mark in marks.iter().filter(|mark| mark.kind == kind) {
        let x = 4 + mark.at.ms_since(from) * (WIDTH - 8) / length;
        let drawn = match kind {
            MarkKind::Beat => write!(path, "M{x} 3V17"),
            MarkKind::Missed => write!(path, "M{} 17H{}", x - 4, x + 4),
            MarkKind::Failed => write!(path, "M{} 5l6 10m0 -10l-6 10", x - 3),
        };
        debug_assert!(drawn.is_ok());
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_stand_where_their_time_is() {
        let mark = |at, kind| Mark { at: Timestamp::from_ms(at), kind };
        let marks = [mark(0, MarkKind::Beat), mark(500, MarkKind::Missed), mark(1_000, MarkKind::Beat)];
        assert_eq!(path(&marks, MarkKind::Beat, Timestamp::from_ms(1_000)), "M4 3V17M396 3V17");
        assert_eq!(path(&marks, MarkKind::Missed, Timestamp::from_ms(1_000)), "M196 17H204");
        assert_eq!(path(&marks, MarkKind::Failed, Timestamp::from_ms(1_000)), "");
    }
}
