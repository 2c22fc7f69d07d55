//! How long a sender may be silent, learned from when it was heard: half hours of the week, eight weeks back.
//!
//! Of each half hour of the week it is kept in which of the last eight weeks something came. From that follows how likely
//! it is that nothing comes in it: with n weeks known, k of them with a message, `(2n + 1 − 2k) / (2n + 1)`. A silence
//! counts when the half hours it covers would be silent together less than once in a thousand. So nights and weekends
//! that were always silent cost nothing, whoever sends all the time is missed after a few half hours, and of whoever
//! sends when something breaks nothing is concluded for a long time.
//!
//! Whole numbers only: the same messages give the same instant on every machine.

use crate::oncall::Spans;
use shared::{Rhythm, Timestamp};

const SLOT_MS: i64 = 1_800_000;
/// Half hours of a week.
const SLOTS: i64 = 336;
/// From Monday to the first of January 1970, which was a Thursday.
const TO_THURSDAY: i64 = 3 * 48;
/// Weeks a bit is kept for.
const WEEKS: i64 = 8;
/// Weeks with a message before anything is concluded.
pub const WEEKS_NEEDED: u32 = 4;
/// What is not unusual by then never is: four weeks.
const FURTHEST: i64 = 4 * SLOTS;
/// A probability of one, and the one below which a silence counts.
const ONE: u64 = 1 << 40;
const RARE: u64 = ONE / 1_000;

/// The week and the half hour in it.
const fn place(slot: i64) -> (i64, usize) {
    let place = slot + TO_THURSDAY;
    (place.div_euclid(SLOTS), place.rem_euclid(SLOTS) as usize)
}

/// Notes that something came.
pub(crate) fn hear(rhythm: &mut Option<Box<Rhythm>>, at: Timestamp) {
    let (week, slot) = place(at.ms().div_euclid(SLOT_MS));
    let fresh = || Box::new(Rhythm { week, first: week, heard: vec![0; SLOTS as usize] });
    let rhythm = rhythm.get_or_insert_with(fresh);
    if week > rhythm.week {
        let gone = u32::try_from(week - rhythm.week).unwrap_or(u32::MAX);
        rhythm.heard.iter_mut().for_each(|weeks| *weeks = weeks.checked_shl(gone).unwrap_or(0));
        rhythm.week = week;
    }
    // A clock that was set back says nothing about the weeks before.
    if let Some(weeks) = rhythm.heard.get_mut(slot).filter(|_| week == rhythm.week) {
        *weeks |= 1;
    }
}

/// In how many of the last eight weeks something came.
#[must_use]
pub fn weeks(rhythm: &Rhythm) -> u32 {
    rhythm.heard.iter().fold(0_u8, |all, weeks| all | weeks).count_ones()
}

/// When a silence that began then counts; none while too little is known, or when it would not be unusual in four weeks.
/// The half hours of holidays cost nothing.
pub(crate) fn due(rhythm: &Rhythm, from: Timestamp, holidays: &Spans) -> Option<Timestamp> {
    if weeks(rhythm) < WEEKS_NEEDED {
        return None;
    }
    let begun = from.ms().div_euclid(SLOT_MS);
    let known = rhythm.week - rhythm.first;
    let mut silent = ONE;
    for slot in begun + 1..=begun + FURTHEST {
        if holidays.at(Timestamp::from_ms(slot * SLOT_MS)).is_some() {
            continue;
        }
        let (week, at) = place(slot);
        let heard = rhythm.heard.get(at).copied().unwrap_or(0);
        // This week's half hours to come are not silent yet.
        let (heard, of) = if week > rhythm.week { (heard, known + 1) } else { (heard & !1, known) };
        let of = of.min(if week > rhythm.week { WEEKS } else { WEEKS - 1 }).unsigned_abs();
        let k = u64::from(heard.count_ones()).min(of);
        silent = silent * (2 * of + 1 - 2 * k) / (2 * of + 1);
        if silent < RARE {
            return Some(Timestamp::from_ms((slot + 1) * SLOT_MS));
        }
    }
    None
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::{due as due_with, *};
    use proptest::prelude::*;

    const MIN: i64 = 60_000;
    const DAY: i64 = 86_400_000;
    /// Monday 2026-01-05 00:00 UTC.
    const MONDAY: i64 = 1_767_571_200_000;

    fn due(rhythm: &Rhythm, from: Timestamp) -> Option<Timestamp> {
        due_with(rhythm, from, &Spans::default())
    }

    /// Hears all of these in order; whether one of them came after the silence before it counted.
    fn live(times: &[i64]) -> (Option<Box<Rhythm>>, bool) {
        let (mut rhythm, mut paged, mut last) = (None, false, None);
        for at in times {
            let due: Option<Timestamp> = last.and_then(|last| due(rhythm.as_deref()?, last));
            paged |= due.is_some_and(|due| due.ms() <= *at);
            hear(&mut rhythm, Timestamp::from_ms(*at));
            last = Some(Timestamp::from_ms(*at));
        }
        (rhythm, paged)
    }

    fn every(minutes: i64, days: i64) -> Vec<i64> {
        (0..days * 1_440 / minutes).map(|n| MONDAY + n * minutes * MIN).collect()
    }

    #[test]
    fn who_sends_all_the_time_is_missed_within_two_hours() {
        let times = every(10, 70);
        let (rhythm, paged) = live(&times);
        assert!(!paged);
        let last = *times.last().unwrap();
        let due = due(&rhythm.unwrap(), Timestamp::from_ms(last)).unwrap();
        assert!((60 * MIN..=120 * MIN).contains(&(due.ms() - last)), "{} min", (due.ms() - last) / MIN);
    }

    #[test]
    fn nothing_is_concluded_from_three_weeks() {
        let (rhythm, _) = live(&every(10, 21));
        assert_eq!(due(&rhythm.unwrap(), Timestamp::from_ms(MONDAY + 21 * DAY)), None);
    }

    #[test]
    fn a_report_each_morning_is_missed_when_it_fails_for_days() {
        let times: Vec<i64> = (0..70).map(|day| MONDAY + day * DAY + 125 * MIN).collect();
        let (rhythm, paged) = live(&times);
        assert!(!paged);
        let last = *times.last().unwrap();
        let silent = due(&rhythm.unwrap(), Timestamp::from_ms(last)).unwrap().ms() - last;
        assert!((2 * DAY..=3 * DAY + 30 * MIN).contains(&silent), "{} h", silent / 3_600_000);
    }

    #[test]
    fn of_somebody_who_sends_now_and_then_little_is_concluded() {
        // Once a day, at another time each day.
        let times: Vec<i64> = (0..70).map(|day| MONDAY + day * DAY + (day * 7_919 % 1_440) * MIN).collect();
        let (rhythm, paged) = live(&times);
        assert!(!paged);
        let silent = due(&rhythm.unwrap(), Timestamp::from_ms(*times.last().unwrap()));
        assert!(silent.is_none_or(|due| due.ms() - times.last().unwrap() > 4 * DAY));
    }

    #[test]
    fn old_weeks_are_forgotten() {
        let mut times = every(10, 56);
        // Since then only in the mornings.
        times.extend((56..126).flat_map(|day| (0..12).map(move |n| MONDAY + day * DAY + (480 + n * 10) * MIN)));
        let (rhythm, _) = live(&times);
        let evening = times.last().unwrap();
        let due = due(&rhythm.unwrap(), Timestamp::from_ms(*evening)).unwrap();
        assert!(due.ms() - evening > 20 * 60 * MIN, "the next morning at the earliest");
    }

    proptest! {
        /// Working hours on some days, every few minutes with gaps of less than half an hour: never silent.
        #[test]
        fn a_regular_rhythm_never_counts_as_silence(
            begins in 0_i64..20, hours in 1_i64..10, days in prop::collection::btree_set(0_i64..7, 1..8),
            gaps in prop::collection::vec(1_i64..25, 64), weeks in 5_i64..20,
        ) {
            let (mut times, mut gap) = (Vec::new(), gaps.iter().cycle());
            for week in 0..weeks {
                for day in &days {
                    let opens = MONDAY + (week * 7 + day) * DAY + begins * 60 * MIN;
                    let mut at = opens + gap.next().unwrap() * MIN;
                    while at < opens + hours * 60 * MIN {
                        times.push(at);
                        at += gap.next().unwrap() * MIN;
                    }
                }
            }
            prop_assert!(!live(&times).1);
        }

        /// Dead for good in the midst of a regular life: noticed within three hours.
        #[test]
        fn a_chatty_sender_that_dies_is_noticed(gap in 1_i64..25, days in 35_i64..120, minute in 0_i64..1_440) {
            let mut times = every(gap, days);
            times.extend((0..=minute / gap).map(|n| MONDAY + days * DAY + n * gap * MIN));
            let (rhythm, paged) = live(&times);
            prop_assert!(!paged);
            let last = *times.last().unwrap();
            let due = due(&rhythm.unwrap(), Timestamp::from_ms(last)).unwrap();
            prop_assert!(due.ms() - last <= 180 * MIN, "{} min", (due.ms() - last) / MIN);
        }
    }
}
