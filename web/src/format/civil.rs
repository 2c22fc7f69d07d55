//! Wall-clock dates and times: what a zone's offset makes of an instant, and how both languages write it.

use shared::config::Language;

/// A date and time on some wall.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Civil {
    pub(crate) year: i64,
    pub(crate) month: u32,
    pub(crate) day: u32,
    pub(crate) hour: u32,
    pub(crate) minute: u32,
    pub(crate) second: u32,
}

const DAY_MS: i64 = 86_400_000;
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const DAYS_ZH: [&str; 7] = ["周四", "周五", "周六", "周日", "周一", "周二", "周三"];

impl Civil {
    /// Milliseconds since 1970 read as if on a clock in UTC (Howard Hinnant's civil_from_days).
    pub(crate) fn from_ms(ms: i64) -> Self {
        let days = ms.div_euclid(DAY_MS);
        let rest = ms.rem_euclid(DAY_MS) / 1_000;
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let of_era = shifted.rem_euclid(146_097);
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_index = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month_index + 2) / 5 + 1;
        let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        let small = |n: i64| u32::try_from(n).unwrap_or(0);
        Self {
            year,
            month: small(month),
            day: small(day),
            hour: small(rest / 3_600),
            minute: small(rest / 60 % 60),
            second: small(rest % 60),
        }
    }

    /// The inverse of [`Civil::from_ms`].
    pub(crate) fn to_ms(self) -> i64 {
        let year = self.year - i64::from(self.month <= 2);
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let month = i64::from(self.month);
        let month_index = if month > 2 { month - 3 } else { month + 9 };
        let of_year = (153 * month_index + 2) / 5 + i64::from(self.day) - 1;
        let of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year;
        let days = era * 146_097 + of_era - 719_468;
        days * DAY_MS
            + i64::from(self.hour) * 3_600_000
            + i64::from(self.minute) * 60_000
            + i64::from(self.second) * 1_000
    }

    /// The instant at which a wall shows this; one that it skips is moved by the gap.
    pub(crate) fn instant(self, wall: &dyn Fn(i64) -> Self) -> i64 {
        let guess = self.to_ms();
        let offset = wall(guess).to_ms() - guess;
        let second = guess - offset;
        guess - (wall(second).to_ms() - second)
    }

    /// Midnight, some days later (earlier when negative).
    pub(crate) fn midnight(self, days: i64) -> Self {
        Self::from_ms(self.to_ms().div_euclid(DAY_MS).saturating_add(days).saturating_mul(DAY_MS))
    }

    /// Reads `2026-11-21 03:02:11` (what the browser writes for Sweden).
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty());
        let mut next = || numbers.next().and_then(|part| part.parse::<u32>().ok());
        let (year, month, day) = (i64::from(next()?), next()?, next()?);
        Some(Self { year, month, day, hour: next()? % 24, minute: next()?, second: next().unwrap_or(0) })
    }

    /// `03:02:11`.
    pub(crate) fn time(self) -> String {
        format!("{:02}:{:02}:{:02}", self.hour, self.minute, self.second)
    }

    /// `03:02`.
    pub(crate) fn short_time(self) -> String {
        format!("{:02}:{:02}", self.hour, self.minute)
    }

    /// `Fri 21 Nov`, `11-21 周五`.
    pub(crate) fn date(self, language: Language) -> String {
        match language {
            Language::En => format!("{} {} {}", DAYS[self.weekday()], self.day, self.month_name()),
            Language::Zh => format!("{:02}-{:02} {}", self.month, self.day, DAYS_ZH[self.weekday()]),
        }
    }

    /// `Fri`, `周五`.
    pub(crate) fn weekday_name(self, language: Language) -> &'static str {
        match language {
            Language::En => DAYS[self.weekday()],
            Language::Zh => DAYS_ZH[self.weekday()],
        }
    }

    /// `Fri 21 Nov 03:02:11`, `11-21 周五 03:02:11`.
    pub(crate) fn full(self, language: Language) -> String {
        format!("{} {}", self.date(language), self.time())
    }

    /// `Fri 21 Nov 03:02`.
    pub(crate) fn moment(self, language: Language) -> String {
        format!("{} {}", self.date(language), self.short_time())
    }

    pub(crate) fn same_day(self, other: Self) -> bool {
        (self.year, self.month, self.day) == (other.year, other.month, other.day)
    }

    /// `Nov 2026`, `2026年11月`.
    pub(crate) fn month_and_year(self, language: Language) -> String {
        match language {
            Language::En => format!("{} {}", self.month_name(), self.year),
            Language::Zh => format!("{}年{}月", self.year, self.month),
        }
    }

    /// `2026-11-21`.
    pub(crate) fn iso_date(self) -> String {
        format!("{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }

    /// Days since Monday, 0 to 6.
    pub(crate) fn since_monday(self) -> i64 {
        (self.to_ms().div_euclid(DAY_MS) + 3).rem_euclid(7)
    }

    /// `2026-11-21T03:02`, as the browser's date-and-time field writes it.
    pub(crate) fn field(self) -> String {
        format!("{:04}-{:02}-{:02}T{:02}:{:02}", self.year, self.month, self.day, self.hour, self.minute)
    }

    fn weekday(self) -> usize {
        usize::try_from(self.to_ms().div_euclid(DAY_MS).rem_euclid(7)).unwrap_or(0)
    }

    fn month_name(self) -> &'static str {
        MONTHS[usize::try_from(self.month.clamp(1, 12) - 1).unwrap_or(0)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_reads_the_same_both_ways() {
        for ms in [0, 951_782_400_000, 1_795_228_931_000, -86_400_000, 4_102_444_799_000] {
            assert_eq!(Civil::from_ms(ms).to_ms(), ms, "{ms}");
        }
    }

    #[test]
    fn both_languages_write_the_date_their_way() {
        let at = Civil::parse("2026-11-21 03:02:11").unwrap();
        assert_eq!(at.full(Language::En), "Sat 21 Nov 03:02:11");
        assert_eq!(at.full(Language::Zh), "11-21 周六 03:02:11");
    }

    #[test]
    fn midnight_written_as_24_is_midnight() {
        assert_eq!(Civil::parse("2026-11-21 24:00:00").unwrap().hour, 0);
    }
}
