//! The stretch of time a host's page shows: one of a few ranges up to now, or one that was zoomed to.

use crate::api::query;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

/// A range up to now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) word: &'static str,
    pub(crate) length_ms: i64,
    /// It is asked for anew so often; what is measured each second is told without asking.
    pub(crate) again_ms: i64,
}

const fn r(word: &'static str, length_ms: i64, again_ms: i64) -> Range {
    Range { word, length_ms, again_ms }
}

pub(crate) const LIVE: &str = "live";
pub(crate) const RANGES: [Range; 6] = [
    r(LIVE, 5 * MINUTE_MS, i64::MAX),
    r("1h", HOUR_MS, 10_000),
    r("12h", 12 * HOUR_MS, MINUTE_MS),
    r("24h", DAY_MS, MINUTE_MS),
    r("7d", 7 * DAY_MS, 5 * MINUTE_MS),
    r("30d", 30 * DAY_MS, 10 * MINUTE_MS),
];
const USUAL: Range = RANGES[1];
/// Nothing longer is zoomed to.
const LONGEST_MS: i64 = 400 * DAY_MS;

/// What the page's address asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Look {
    pub(crate) range: Range,
    pub(crate) zoom: Option<(i64, i64)>,
}

impl Look {
    pub(crate) fn read(range: Option<&str>, from: Option<&str>, until: Option<&str>) -> Self {
        let range = RANGES.into_iter().find(|it| Some(it.word) == range).unwrap_or(USUAL);
        let number = |text: Option<&str>| text.and_then(|text| text.parse::<i64>().ok());
        let zoom = number(from).zip(number(until));
        Self { range, zoom: zoom.filter(|(from, until)| from < until && until.saturating_sub(*from) <= LONGEST_MS) }
    }

    /// Whether the newest is always in sight.
    pub(crate) const fn follows(&self) -> bool {
        self.zoom.is_none()
    }

    pub(crate) fn is_live(&self) -> bool {
        self.follows() && self.range.word == LIVE
    }

    /// The stretch to show.
    pub(crate) fn window(&self, now: i64) -> (i64, i64) {
        self.zoom.unwrap_or((now.saturating_sub(self.range.length_ms), now))
    }

    /// Since when what was wrong is to be known: of the day before at least.
    pub(crate) fn wrong_since(&self, now: i64) -> i64 {
        self.window(now).0.min(now.saturating_sub(DAY_MS))
    }

    /// Whether it is time to ask again.
    pub(crate) fn is_due(&self, asked_at: i64, now: i64) -> bool {
        match self.zoom {
            Some((_, until)) => until > asked_at && now - asked_at >= 10_000,
            None => now - asked_at >= self.range.again_ms,
        }
    }

    /// The page's address with it.
    pub(crate) fn address(&self, host: &str, more: &[(&str, &str)]) -> String {
        let (from, until) =
            self.zoom.map_or_else(Default::default, |(from, until)| (from.to_string(), until.to_string()));
        let range = if self.range == USUAL { "" } else { self.range.word };
        let mut parts = vec![("name", host), ("range", range), ("from", &*from), ("until", &*until)];
        parts.extend_from_slice(more);
        format!("/hosts/one{}", query::build(&parts))
    }
}

/// A stretch without the future: as long, and no later than now.
pub(crate) fn past((from, until): (i64, i64), now: i64) -> (i64, i64) {
    let beyond = until.saturating_sub(now).max(0);
    (from.saturating_sub(beyond), until.saturating_sub(beyond))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_holds_the_range_and_the_zoom() {
        let look = Look::read(Some("24h"), None, None);
        assert_eq!(look.window(DAY_MS), (0, DAY_MS));
        assert_eq!(look.address("web 1", &[]), "/hosts/one?name=web%201&range=24h");
        let zoomed = Look { zoom: Some((5, 10)), ..look };
        assert_eq!(zoomed.address("a", &[]), "/hosts/one?name=a&range=24h&from=5&until=10");
        assert_eq!(Look::read(Some("24h"), Some("5"), Some("10")), zoomed);
        assert_eq!((zoomed.window(99), zoomed.follows()), ((5, 10), false));
        assert_eq!(Look::read(None, None, None).address("a", &[]), "/hosts/one?name=a");
        for (from, until) in [("10", "5"), ("x", "5"), ("0", "99999999999999")] {
            assert_eq!(Look::read(Some("nonsense"), Some(from), Some(until)), Look { range: USUAL, zoom: None });
        }
    }

    #[test]
    fn nothing_is_zoomed_to_that_is_not_yet() {
        assert_eq!((past((10, 30), 20), past((10, 30), 40)), ((0, 20), (10, 30)));
        let (week, hour) = (Look::read(Some("7d"), None, None), Look::read(None, None, None));
        assert_eq!((week.wrong_since(9 * DAY_MS), hour.wrong_since(9 * DAY_MS)), (2 * DAY_MS, 8 * DAY_MS));
    }

    #[test]
    fn it_is_asked_again_while_it_moves() {
        let live = Look::read(Some(LIVE), None, None);
        assert!(live.is_live() && !live.is_due(0, DAY_MS), "what is measured is told");
        let hour = Look::read(None, None, None);
        assert!(!hour.is_due(0, 9_999) && hour.is_due(0, 10_000));
        let past = Look { zoom: Some((0, 1_000)), ..hour };
        assert!(!past.is_due(2_000, DAY_MS), "the past does not change");
        let now = Look { zoom: Some((0, 100_000)), ..hour };
        assert!(now.is_due(2_000, 12_000));
    }
}
