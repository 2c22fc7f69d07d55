//! What the pages of silences compute: where one stands, which ones a filter shows, and what a form means.

pub(crate) mod draft;
pub(crate) mod hours;

use crate::format::civil::Civil;
use hours::turn;
use shared::{Silence, SilenceKind, Timestamp};

/// One that ends sooner than this is marked.
const SOON_MS: i64 = 15 * 60_000;

/// The page's clock ticks and is a little late; what begins within a tick has begun.
const TICK_MS: i64 = 3_000;

/// The clocks of all zones; the browser's outside of tests.
#[derive(Clone, Copy)]
pub(crate) struct Walls {
    pub(crate) civil: fn(&str, i64) -> Civil,
    pub(crate) instant: fn(&str, Civil) -> i64,
}

/// Where a silence stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It keeps quiet until then, as far as that is known.
    InForce(Option<Timestamp>),
    /// It begins then, as far as that is known.
    ToCome(Option<Timestamp>),
    Over(Timestamp),
}

impl Standing {
    pub(crate) fn of(silence: &Silence, now: Timestamp, walls: Walls) -> Self {
        let end = silence.ends_at.filter(|end| *end <= now);
        if let Some(end) = silence.ended.as_ref().map(|ended| ended.at).or(end) {
            return Self::Over(end);
        }
        if silence.starts_at.ms_since(now) > TICK_MS {
            return Self::ToCome(Some(silence.starts_at));
        }
        let Some(recurs) = &silence.recurs else { return Self::InForce(silence.ends_at) };
        let (inside, turns_at) = turn(recurs, now, walls);
        let before_end = |at: &Timestamp| silence.ends_at.is_none_or(|end| *at < end);
        if inside {
            Self::InForce(turns_at.filter(before_end).or(silence.ends_at))
        } else {
            Self::ToCome(turns_at.filter(before_end))
        }
    }

    /// In force, to come, over: the order of the page.
    pub(crate) const fn section(self) -> usize {
        match self {
            Self::InForce(_) => 0,
            Self::ToCome(_) => 1,
            Self::Over(_) => 2,
        }
    }
}

/// Whether it is in force, for a few minutes only.
pub(crate) fn ends_soon(silence: &Silence, now: Timestamp) -> bool {
    let left = silence.ends_at.map(|end| end.ms_since(now));
    silence.ended.is_none() && silence.starts_at <= now && left.is_some_and(|left| (1..SOON_MS).contains(&left))
}

/// Whether every word of the text occurs in it, in any case; `kind` is the kind's name in the reader's language.
pub(crate) fn shows(silence: &Silence, kind: &str, text: &str) -> bool {
    let by = silence.by.name();
    let whole = format!("#{} {kind} {} {by} {}", silence.id, silence.matches.join(" "), silence.reason).to_lowercase();
    text.to_lowercase().split_whitespace().all(|word| whole.contains(word))
}

/// The colour and mark of a kind.
pub(crate) const fn class(kind: SilenceKind) -> &'static str {
    match kind {
        SilenceKind::Silence => "silence",
        SilenceKind::Maintenance => "maintenance",
    }
}

#[cfg(test)]
pub(crate) mod sample {
    use super::{Civil, Walls};
    use shared::{Silence, SilenceId, SilenceKind, Timestamp, timeline::Actor};

    /// Every wall shows UTC.
    pub(crate) const WALLS: Walls = Walls { civil: |_, ms| Civil::from_ms(ms), instant: |_, civil| civil.to_ms() };

    /// `2026-11-21 03:02` in UTC.
    pub(crate) fn at(text: &str) -> Timestamp {
        Timestamp::from_ms(Civil::parse(text).unwrap().to_ms())
    }

    /// On Saturday from 10 to 12.
    pub(crate) fn silence() -> Silence {
        Silence {
            id: SilenceId(12),
            kind: SilenceKind::Maintenance,
            matches: vec!["host=~\"db-.*\"".to_owned(), "severity!=P0".to_owned()],
            starts_at: at("2026-11-21 10:00"),
            ends_at: Some(at("2026-11-21 12:00")),
            until_recovered: false,
            recurs: None,
            reason: "Kernel update".to_owned(),
            configured: None,
            by: Actor::Account { login: "li".to_owned() },
            author: None,
            created_at: at("2026-11-21 09:00"),
            ended: None,
            hid: Vec::new(),
            hidden: 0,
            remind_at: None,
            stint: None,
            digests: Vec::new(),
            notices: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        sample::{WALLS, at, silence},
        *,
    };
    use shared::{SilenceEnd, config::TimeSpan, silence::Recurrence, timeline::Actor};

    fn standing(silence: &Silence, now: &str) -> Standing {
        Standing::of(silence, at(now), WALLS)
    }

    #[test]
    fn a_silence_is_to_come_then_in_force_then_over() {
        let silence = silence();
        let end = at("2026-11-21 12:00");
        assert_eq!(standing(&silence, "2026-11-21 09:59"), Standing::ToCome(Some(at("2026-11-21 10:00"))));
        assert_eq!(standing(&silence, "2026-11-21 10:00"), Standing::InForce(Some(end)));
        assert_eq!(standing(&silence, "2026-11-21 12:00"), Standing::Over(end));
    }

    #[test]
    fn one_that_somebody_ended_is_over_before_its_time() {
        let by = Actor::Account { login: "wang".to_owned() };
        let ended = Some(SilenceEnd { at: at("2026-11-21 10:30"), by, gone_since: None });
        let silence = Silence { ended, ..silence() };
        assert_eq!(standing(&silence, "2026-11-21 10:31"), Standing::Over(at("2026-11-21 10:30")));
    }

    #[test]
    fn one_without_an_end_stays_in_force() {
        let silence = Silence { ends_at: None, until_recovered: true, ..silence() };
        assert_eq!(standing(&silence, "2027-11-21 10:31"), Standing::InForce(None));
    }

    #[test]
    fn one_that_recurs_is_in_force_in_its_hours_only() {
        let span = TimeSpan { from: Some("22:00".into()), until: Some("02:00".into()), ..TimeSpan::default() };
        let recurs = Some(Recurrence { time_zone: "UTC".into(), windows: vec![span] });
        let silence = Silence { ends_at: Some(at("2026-11-23 01:00")), recurs, ..silence() };
        let from = at("2026-11-21 22:00");
        assert_eq!(standing(&silence, "2026-11-21 21:00"), Standing::ToCome(Some(from)));
        assert_eq!(standing(&silence, "2026-11-22 01:59"), Standing::InForce(Some(at("2026-11-22 02:00"))));
        assert_eq!(standing(&silence, "2026-11-22 23:00"), Standing::InForce(Some(at("2026-11-23 01:00"))));
        assert_eq!(standing(&silence, "2026-11-23 01:00"), Standing::Over(at("2026-11-23 01:00")));
    }

    #[test]
    fn the_last_quarter_of_an_hour_is_marked() {
        let silence = silence();
        assert!(!ends_soon(&silence, at("2026-11-21 11:45")));
        assert!(ends_soon(&silence, at("2026-11-21 11:46")));
        assert!(!ends_soon(&silence, at("2026-11-21 12:00")));
        let short = Silence { ends_at: Some(at("2026-11-21 10:10")), ..silence };
        assert!(!ends_soon(&short, at("2026-11-21 09:59")), "what has not begun does not end soon");
    }

    #[test]
    fn every_word_of_the_filter_must_occur() {
        for text in ["", "KERNEL", "#12 li", "host=~ maintenance", "db-"] {
            assert!(shows(&silence(), "Maintenance", text), "{text}");
        }
        for text in ["#13", "kernel wang", "silence"] {
            assert!(!shows(&silence(), "Maintenance", text), "{text}");
        }
    }
}
