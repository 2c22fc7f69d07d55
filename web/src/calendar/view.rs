//! A day, a week, two weeks or a month: the strips it is drawn as, and the one before and after it.

use super::{Wall, days::days};
use crate::format::civil::Civil;
use shared::{Timestamp, config::Language};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum View {
    Day,
    Week,
    Fortnight,
    Month,
}

impl View {
    pub(crate) const ALL: [Self; 4] = [Self::Day, Self::Week, Self::Fortnight, Self::Month];

    /// As the address says it.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Fortnight => "2weeks",
            Self::Month => "month",
        }
    }

    pub(crate) fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|view| view.word() == word)
    }

    /// The first day of each strip, and how many days a strip has.
    pub(crate) fn strips(self, at: Civil) -> (Vec<Civil>, i64) {
        let monday = |day: Civil| day.midnight(-day.since_monday());
        let weeks = |first: Civil, count: i64| (0..count).map(|n| first.midnight(n * 7)).collect();
        match self {
            Self::Day => (vec![at.midnight(0)], 1),
            Self::Week => (weeks(monday(at), 1), 7),
            Self::Fortnight => (weeks(monday(at), 2), 7),
            Self::Month => {
                let (first, next) = (month(at, 0), month(at, 1));
                let days = (next.to_ms() - monday(first).to_ms()) / 86_400_000;
                (weeks(monday(first), (days + 6) / 7), 7)
            }
        }
    }

    /// A day of the view so many views later.
    pub(crate) fn step(self, at: Civil, by: i64) -> Civil {
        match self {
            Self::Day => at.midnight(by),
            Self::Week => at.midnight(by * 7),
            Self::Fortnight => at.midnight(by * 14),
            Self::Month => month(at, by),
        }
    }

    /// What has to be known to draw it: a day is listed together with the six that follow.
    pub(crate) fn range(self, at: Civil, wall: Wall<'_>) -> Option<(Timestamp, Timestamp)> {
        let (strips, length) = self.strips(at);
        let count = if self == Self::Day { 7 } else { i64::try_from(strips.len()).ok()? * length };
        let days = days(wall, *strips.first()?, count);
        Some((days.first()?.from, days.last()?.until))
    }

    pub(crate) fn title(self, at: Civil, l: Language) -> String {
        let (strips, length) = self.strips(at);
        match (self, strips.as_slice()) {
            (Self::Month, _) => at.month_and_year(l),
            (_, [first, .., last]) => {
                format!("{} – {} {}", first.date(l), last.midnight(length - 1).date(l), last.year)
            }
            (Self::Week, [first]) => format!("{} – {} {}", first.date(l), first.midnight(6).date(l), first.year),
            _ => format!("{} {}", at.date(l), at.year),
        }
    }
}

/// The first of the month so many months later.
fn month(at: Civil, by: i64) -> Civil {
    let months = at.year * 12 + i64::from(at.month) - 1 + by;
    let month = u32::try_from(months.rem_euclid(12)).unwrap_or(0) + 1;
    Civil { year: months.div_euclid(12), month, day: 1, hour: 0, minute: 0, second: 0 }
}

#[cfg(test)]
mod tests {
    use super::{super::days::tests::date, *};

    #[test]
    fn weeks_begin_on_monday_and_a_month_shows_whole_ones() {
        let at = date("2026-11-21");
        assert_eq!(View::Week.strips(at), (vec![date("2026-11-16")], 7));
        assert_eq!(View::Fortnight.strips(at).0, [date("2026-11-16"), date("2026-11-23")]);
        let (weeks, _) = View::Month.strips(at);
        assert_eq!((weeks[0], weeks.len()), (date("2026-10-26"), 6));
        // February 2027 fits four weeks exactly.
        assert_eq!(View::Month.strips(date("2027-02-10")).0.len(), 4);
    }

    #[test]
    fn a_step_over_the_new_year_arrives() {
        assert_eq!(View::Month.step(date("2026-12-31"), 1), date("2027-01-01"));
        assert_eq!(View::Month.step(date("2026-01-31"), -1), date("2025-12-01"));
        assert_eq!(View::Day.step(date("2026-12-31"), 1), date("2027-01-01"));
    }

    #[test]
    fn a_view_is_found_by_its_word() {
        assert!(View::ALL.into_iter().all(|view| View::of(view.word()) == Some(view)));
        assert_eq!(View::of("year"), None);
    }
}
