//! Days as they pass: from midnight to midnight on a wall, with the hour that is missing or comes twice.

use super::Wall;
use crate::format::civil::Civil;
use shared::Timestamp;

/// One day of the wall.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Day {
    pub(crate) midnight: Civil,
    pub(crate) from: Timestamp,
    pub(crate) until: Timestamp,
    pub(crate) jump: Option<Jump>,
}

/// The wall clock goes forward, or back when `by_ms` is negative.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Jump {
    pub(crate) at: Timestamp,
    pub(crate) by_ms: i64,
}

impl Day {
    pub(crate) fn is_weekend(&self) -> bool {
        self.midnight.since_monday() >= 5
    }
}

/// So many days from a date on.
pub(crate) fn days(wall: Wall<'_>, first: Civil, count: i64) -> Vec<Day> {
    let midnight = |n: i64| first.midnight(n);
    let at = |n: i64| Timestamp::from_ms(midnight(n).instant(wall));
    let day = |n: i64| {
        let (from, until) = (at(n), at(n + 1));
        Day { midnight: midnight(n), from, until, jump: jump(wall, from, until) }
    };
    (0..count).map(day).collect()
}

/// How far the wall is ahead of UTC; instants are looked at by the second, as walls are.
fn ahead(wall: Wall<'_>, second: i64) -> i64 {
    wall(second * 1_000).to_ms() - second * 1_000
}

fn jump(wall: Wall<'_>, from: Timestamp, until: Timestamp) -> Option<Jump> {
    // A jump at midnight itself belongs to the day it opens.
    let (mut before, mut after) = (from.ms().div_euclid(1_000) - 1, until.ms().div_euclid(1_000) - 1);
    let (start, end) = (ahead(wall, before), ahead(wall, after));
    if start == end {
        return None;
    }
    while after - before > 1 {
        let middle = i64::midpoint(before, after);
        if ahead(wall, middle) == start { before = middle } else { after = middle }
    }
    Some(Jump { at: Timestamp::from_ms(after * 1_000), by_ms: end - start })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    const HOUR_MS: i64 = 3_600_000;

    /// Berlin in 2026: an hour ahead, two from 29 March 01:00 to 25 October 01:00 UTC.
    pub(crate) fn berlin(ms: i64) -> Civil {
        let is_summer = (1_774_746_000_000..1_792_890_000_000).contains(&ms);
        Civil::from_ms(ms + if is_summer { 2 } else { 1 } * HOUR_MS)
    }

    pub(crate) fn date(text: &str) -> Civil {
        Civil::parse(&format!("{text} 00:00")).unwrap()
    }

    #[test]
    fn an_ordinary_day_has_twenty_four_hours() {
        let days = days(&berlin, date("2026-11-16"), 7);
        assert!(days.iter().all(|day| day.until.ms_since(day.from) == 24 * HOUR_MS && day.jump.is_none()));
        assert!(days.windows(2).all(|two| two[0].until == two[1].from));
        assert_eq!(
            days.iter().map(Day::is_weekend).collect::<Vec<_>>(),
            [false, false, false, false, false, true, true]
        );
    }

    #[test]
    fn spring_loses_an_hour_and_autumn_has_one_twice() {
        let spring = days(&berlin, date("2026-03-29"), 1)[0];
        assert_eq!(spring.until.ms_since(spring.from), 23 * HOUR_MS);
        assert_eq!(spring.jump, Some(Jump { at: Timestamp::from_ms(1_774_746_000_000), by_ms: HOUR_MS }));
        let autumn = days(&berlin, date("2026-10-25"), 1)[0];
        assert_eq!(autumn.until.ms_since(autumn.from), 25 * HOUR_MS);
        assert_eq!(autumn.jump, Some(Jump { at: Timestamp::from_ms(1_792_890_000_000), by_ms: -HOUR_MS }));
    }

    #[test]
    fn a_day_whose_midnight_is_skipped_begins_an_hour_late() {
        // As in Cairo: at 22:00 UTC the wall goes from 24:00 to 01:00.
        let jump_at = date("2026-04-24").to_ms() - 2 * HOUR_MS;
        let cairo = move |ms: i64| Civil::from_ms(ms + if ms < jump_at { 2 } else { 3 } * HOUR_MS);
        let day = days(&cairo, date("2026-04-24"), 1)[0];
        assert_eq!(day.until.ms_since(day.from), 23 * HOUR_MS);
        assert_eq!(day.jump, Some(Jump { at: Timestamp::from_ms(jump_at), by_ms: HOUR_MS }));
    }
}
