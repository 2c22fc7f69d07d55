//! The last requests as a strip: what was taken stands above a line, what was not hangs below it, and the longer the slower.

use super::{reason::Fate, took};
use crate::text::requests as t;
use leptos::prelude::*;
use shared::{api::SenderRequest, config::Language};
use std::fmt::Write as _;

/// As many as the server keeps.
const SLOTS: usize = 50;
const SLOT: usize = 10;
/// Where the line is, and how far from it a bar reaches.
const MIDDLE: usize = 40;
const LONGEST: usize = 36;
/// Whoever waits for so long waits for ever.
const SLOWEST_MS: u32 = 30_000;

/// Of the newest first, as the server lists them.
pub(super) fn strip(l: Language, requests: &[SenderRequest]) -> AnyView {
    let count = |fate: Fate| requests.iter().filter(|it| Fate::of(it) == fate).count();
    let (taken, refused, failed) = (count(Fate::Taken), count(Fate::Refused), count(Fate::Failed));
    let said = t::strip(l, requests.len().min(SLOTS), taken, refused, failed);
    let bars = [Fate::Taken, Fate::Refused, Fate::Failed]
        .map(|fate| view! { <path class=fate.class() d=path(requests, fate)/> });
    let legend = [
        (Fate::Taken, t::taken_count(l, taken), true),
        (Fate::Refused, t::refused_count(l, refused), refused > 0),
        (Fate::Failed, t::failed_count(l, failed), failed > 0),
    ];
    let legend = legend.into_iter().filter(|(.., is_shown)| *is_shown).map(|(fate, words, _)| {
        view! { <span class=fate.class()><i aria-hidden="true"></i>{words}</span> }
    });
    let pace = pace(requests).map(|(half, slowest)| {
        let words = t::pace(l, &took(l, half), &took(l, slowest));
        view! { <span>{words}</span> }
    });
    view! {
        <figure class="request-strip">
            <svg viewBox=format!("0 0 {} {}", SLOTS * SLOT, MIDDLE * 2) preserveAspectRatio="none" role="img" aria-label=said>
                <path class="line" d=format!("M0 {MIDDLE}H{}", SLOTS * SLOT)/>
                {bars.into_iter().collect_view()}
            </svg>
            <div class="strip-ends" aria-hidden="true"><span>{t::older(l)}</span><span>{t::higher(l)}</span><span>{t::newest(l)}</span></div>
            <figcaption>{legend.collect_view()}{pace}</figcaption>
        </figure>
    }
    .into_any()
}

/// The bars of what went that way; the newest is the last.
fn path(requests: &[SenderRequest], fate: Fate) -> String {
    let mut path = String::new();
    for (nth, request) in requests.iter().take(SLOTS).enumerate() {
        if Fate::of(request) != fate {
            continue;
        }
        let (x, length) = (SLOTS * SLOT - nth * SLOT - SLOT / 2, length(request.took_ms));
        let end = if fate == Fate::Taken { MIDDLE - length } else { MIDDLE + length };
        let drawn = write!(path, "M{x} {MIDDLE}V{end}");
        debug_assert!(drawn.is_ok());
    }
    path
}

/// By its logarithm: of what takes a millisecond and what takes a second, both are seen.
fn length(took_ms: u32) -> usize {
    let whole = f64::from(SLOWEST_MS + 1).ln();
    let part = f64::from(took_ms.min(SLOWEST_MS) + 1).ln() / whole;
    let least = 6.0;
    (least + part * (LONGEST as f64 - least)).round() as usize
}

/// Within how long half of them were answered, and the slowest.
fn pace(requests: &[SenderRequest]) -> Option<(u32, u32)> {
    let mut took: Vec<u32> = requests.iter().map(|it| it.took_ms).collect();
    took.sort_unstable();
    Some((*took.get(took.len().saturating_sub(1) / 2)?, *took.last()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::integrations::requests::tests::request;

    #[test]
    fn the_newest_is_at_the_right_and_what_was_not_taken_hangs() {
        let of = |status, took_ms| SenderRequest { status, took_ms, ..request(0) };
        let all = [of(200, 0), of(401, 0), of(503, SLOWEST_MS)];
        assert_eq!(path(&all, Fate::Taken), "M495 40V34");
        assert_eq!(path(&all, Fate::Refused), "M485 40V46");
        assert_eq!(path(&all, Fate::Failed), "M475 40V76");
        let many: Vec<_> = (0..60).map(|_| of(200, 1)).collect();
        assert_eq!(path(&many, Fate::Taken).matches('M').count(), SLOTS);
    }

    #[test]
    fn slower_is_longer_and_half_is_the_middle() {
        let lengths = [0, 1, 10, 100, 1_000, 30_000, u32::MAX].map(length);
        assert!(lengths.is_sorted() && lengths[0] >= 6 && lengths[6] == LONGEST, "{lengths:?}");
        let took =
            |all: &[u32]| pace(&all.iter().map(|ms| SenderRequest { took_ms: *ms, ..request(0) }).collect::<Vec<_>>());
        assert_eq!((took(&[]), took(&[9]), took(&[4, 1, 9, 2])), (None, Some((9, 9)), Some((2, 9))));
    }
}
