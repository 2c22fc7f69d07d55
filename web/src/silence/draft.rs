//! A silence as it is typed, and what is asked of the server by it.

use super::{Walls, hours};
use crate::format::civil::Civil;
use shared::{
    Silence, SilenceId, SilenceKind, SilenceRequest, Timestamp, api::IncidentRow, config::TimeSpan, silence::Recurrence,
};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// How it comes to its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum How {
    #[default]
    Once,
    UntilRecovered,
    Recurring,
}

/// The end of it, as chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// So many hours after it begins.
    After(i64),
    /// At nine, on the reader's wall.
    Morning,
    /// As typed.
    At,
    /// Never, by the clock.
    Open,
}

/// Everything the form holds. Times are as the browser's fields write them, on the reader's wall.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Draft {
    /// The one that is changed.
    pub(crate) id: Option<SilenceId>,
    pub(crate) kind: SilenceKind,
    /// One a line.
    pub(crate) conditions: String,
    /// When the one that is changed began.
    began: Option<Timestamp>,
    pub(crate) later: bool,
    pub(crate) start: String,
    pub(crate) end: End,
    pub(crate) until: String,
    pub(crate) how: How,
    pub(crate) zone: String,
    /// Monday first.
    pub(crate) days: [bool; 7],
    pub(crate) from: String,
    pub(crate) to: String,
    /// Hours that the form has no fields for, kept as they are.
    pub(crate) kept: Option<Recurrence>,
    pub(crate) reason: String,
}

impl Draft {
    /// An hour from now, about nothing yet.
    pub(crate) fn new(zone: &str, now: Timestamp, walls: Walls) -> Self {
        let field = |ms: i64| (walls.civil)(zone, now.ms() + ms).field();
        Self {
            id: None,
            kind: SilenceKind::Silence,
            conditions: String::new(),
            began: None,
            later: false,
            start: field(HOUR_MS),
            end: End::After(1),
            until: field(2 * HOUR_MS),
            how: How::Once,
            zone: zone.to_owned(),
            days: [true; 7],
            from: "01:00".to_owned(),
            to: "05:00".to_owned(),
            kept: None,
            reason: String::new(),
        }
    }

    /// What a silence says, to be changed.
    pub(crate) fn of(silence: &Silence, zone: &str, now: Timestamp, walls: Walls) -> Self {
        let fresh = Self::new(zone, now, walls);
        let field = |at: Timestamp| (walls.civil)(zone, at.ms()).field();
        let begun = silence.starts_at <= now;
        let mut draft = Self {
            id: Some(silence.id),
            kind: silence.kind,
            conditions: silence.matches.join("\n"),
            began: begun.then_some(silence.starts_at),
            later: !begun,
            start: field(silence.starts_at),
            end: if silence.ends_at.is_some() { End::At } else { End::Open },
            until: silence.ends_at.map_or(fresh.until.clone(), field),
            how: match (&silence.recurs, silence.until_recovered) {
                (Some(_), _) => How::Recurring,
                (None, true) => How::UntilRecovered,
                (None, false) => How::Once,
            },
            reason: silence.reason.clone(),
            ..fresh
        };
        if let Some(recurs) = &silence.recurs {
            draft.zone.clone_from(&recurs.time_zone);
            match recurs.windows.as_slice() {
                [TimeSpan { from: Some(from), until: Some(to), dates, months, years, .. }]
                    if dates.is_empty() && months.is_empty() && years.is_empty() =>
                {
                    draft.days = hours::days(&recurs.windows[0]);
                    (draft.from, draft.to) = (from.clone(), to.clone());
                }
                _ => draft.kept = Some(recurs.clone()),
            }
        }
        draft
    }

    /// The conditions as written, without empty lines.
    pub(crate) fn matches(&self) -> Vec<String> {
        self.conditions.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
    }

    /// Adds a condition, or takes it away.
    pub(crate) fn toggle(&mut self, condition: &str) {
        let mut lines = self.matches();
        let before = lines.len();
        lines.retain(|line| line != condition);
        if lines.len() == before {
            lines.push(condition.to_owned());
        }
        self.conditions = lines.join("\n");
    }

    pub(crate) fn has(&self, condition: &str) -> bool {
        self.conditions.lines().any(|line| line.trim() == condition)
    }

    /// Chooses how it ends; what has an end of its own needs none by the clock.
    pub(crate) fn choose(&mut self, how: How) {
        self.how = how;
        self.end = if how == How::Once { End::After(1) } else { End::Open };
    }

    /// When it ends by the clock; none also while a field cannot be read.
    pub(crate) fn ends_at(&self, zone: &str, now: Timestamp, walls: Walls) -> Option<Timestamp> {
        let instant = |wall: Civil| Timestamp::from_ms((walls.instant)(zone, wall));
        let start = self.starts_at(zone, walls).filter(|_| self.later).unwrap_or(now);
        match self.end {
            End::After(hours) => Some(start.plus_ms(hours * HOUR_MS)),
            End::Morning => {
                let nine = |ms: i64| Civil { hour: 9, minute: 0, second: 0, ..(walls.civil)(zone, ms) };
                let today = instant(nine(start.ms()));
                Some(if today > start { today } else { instant(nine(start.ms() + DAY_MS)) })
            }
            End::At => Civil::parse(&self.until).map(instant),
            End::Open => None,
        }
    }

    fn starts_at(&self, zone: &str, walls: Walls) -> Option<Timestamp> {
        if !self.later {
            return self.began;
        }
        Civil::parse(&self.start).map(|wall| Timestamp::from_ms((walls.instant)(zone, wall)))
    }

    /// What the server is asked for.
    pub(crate) fn request(&self, zone: &str, now: Timestamp, walls: Walls) -> SilenceRequest {
        SilenceRequest {
            kind: self.kind,
            matches: self.matches(),
            starts_at: self.starts_at(zone, walls),
            ends_at: self.ends_at(zone, now, walls),
            until_recovered: self.how == How::UntilRecovered,
            recurs: (self.how == How::Recurring).then(|| self.recurs()),
            reason: self.reason.trim().to_owned(),
            author: None,
        }
    }

    fn recurs(&self) -> Recurrence {
        if let Some(kept) = &self.kept {
            return kept.clone();
        }
        let all = self.days.iter().all(|day| *day);
        let named = hours::DAYS.iter().zip(self.days).filter(|(_, is_on)| *is_on && !all);
        let days = named.map(|(day, _)| (*day).to_owned()).collect();
        let (from, until) = (Some(self.from.clone()), Some(self.to.clone()));
        Recurrence {
            time_zone: self.zone.clone(),
            windows: vec![TimeSpan { days, from, until, ..TimeSpan::default() }],
        }
    }
}

/// What an incident could be known by: its host, its sender, its words. The first and the last are a narrow silence.
pub(crate) fn offers(row: &IncidentRow) -> Vec<String> {
    let mut offers = Vec::new();
    if let Some(host) = &row.host {
        offers.push(condition("host", host));
    } else if let Some(ip) = &row.ip {
        offers.push(condition("ip", ip));
    }
    offers.push(condition("integration", row.integration.as_str()));
    offers.push(condition("summary", &row.title));
    offers
}

/// `host=db-07`, in quotes where the value could be taken for something else.
fn condition(field: &str, value: &str) -> String {
    let plain = value.trim() == value && !value.starts_with(['~', '"']);
    if plain { format!("{field}={value}") } else { format!("{field}=\"{value}\"") }
}

/// The same silence once more, ending later.
pub(crate) fn longer(silence: &Silence, now: Timestamp) -> SilenceRequest {
    SilenceRequest {
        kind: silence.kind,
        matches: silence.matches.clone(),
        starts_at: Some(silence.starts_at),
        ends_at: silence.ends_at.map(|end| end.max(now).plus_ms(HOUR_MS)),
        until_recovered: silence.until_recovered,
        recurs: silence.recurs.clone(),
        reason: silence.reason.clone(),
        author: silence.author.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        board::sample::row,
        silence::sample::{WALLS, at, silence},
    };
    use shared::{IncidentState, Severity};

    const NOW: &str = "2026-11-21 10:30";

    fn asked(change: impl FnOnce(&mut Draft)) -> SilenceRequest {
        let mut draft = Draft::new("UTC", at(NOW), WALLS);
        change(&mut draft);
        draft.request("UTC", at(NOW), WALLS)
    }

    #[test]
    fn a_new_one_begins_now_and_lasts_an_hour() {
        let request = asked(|draft| draft.conditions = " host=db-07 \n\nseverity!=P0".to_owned());
        assert_eq!(request.matches, ["host=db-07", "severity!=P0"]);
        assert_eq!((request.starts_at, request.ends_at), (None, Some(at("2026-11-21 11:30"))));
        assert_eq!((request.until_recovered, request.recurs), (false, None));
    }

    #[test]
    fn an_end_counts_from_the_chosen_start() {
        let later = |end: End| {
            asked(|draft| {
                (draft.later, draft.start, draft.end) = (true, "2026-11-23T08:00".to_owned(), end);
            })
        };
        let request = later(End::After(4));
        assert_eq!((request.starts_at, request.ends_at), (Some(at("2026-11-23 08:00")), Some(at("2026-11-23 12:00"))));
        assert_eq!(later(End::Morning).ends_at, Some(at("2026-11-23 09:00")));
        assert_eq!(asked(|draft| draft.end = End::Morning).ends_at, Some(at("2026-11-22 09:00")));
    }

    #[test]
    fn what_ends_by_itself_needs_no_end_but_may_have_one() {
        let request = asked(|draft| draft.choose(How::UntilRecovered));
        assert_eq!((request.until_recovered, request.ends_at), (true, None));
        let request = asked(|draft| {
            draft.choose(How::UntilRecovered);
            (draft.end, draft.until) = (End::At, "2026-11-22T00:00".to_owned());
        });
        assert_eq!(request.ends_at, Some(at("2026-11-22 00:00")));
    }

    #[test]
    fn what_recurs_names_its_days_unless_it_is_all_of_them() {
        let request = asked(|draft| {
            draft.choose(How::Recurring);
            draft.days = [true, false, false, false, false, true, false];
        });
        let recurs = request.recurs.unwrap();
        assert_eq!((recurs.time_zone.as_str(), request.ends_at), ("UTC", None));
        assert_eq!(recurs.windows[0].days, ["mon", "sat"]);
        assert_eq!(recurs.windows[0].from.as_deref(), Some("01:00"));
        let daily = asked(|draft| draft.choose(How::Recurring)).recurs.unwrap();
        assert!(daily.windows[0].days.is_empty());
    }

    #[test]
    fn a_changed_silence_asks_for_what_it_was() {
        let span = TimeSpan {
            days: vec!["mon".into(), "tue".into()],
            from: Some("22:00".into()),
            until: Some("02:00".into()),
            ..TimeSpan::default()
        };
        let recurs = |windows: Vec<TimeSpan>| Some(Recurrence { time_zone: "Asia/Shanghai".into(), windows });
        let odd = TimeSpan { dates: vec!["1".into()], ..TimeSpan::default() };
        for silence in [
            silence(),
            Silence { starts_at: at("2026-11-21 11:00"), ..silence() },
            Silence { ends_at: None, until_recovered: true, ..silence() },
            Silence { recurs: recurs(vec![span]), ..silence() },
            Silence { recurs: recurs(vec![odd]), ends_at: None, ..silence() },
        ] {
            let request = Draft::of(&silence, "UTC", at(NOW), WALLS).request("UTC", at(NOW), WALLS);
            let later = longer(&silence, at(NOW));
            assert_eq!(request, SilenceRequest { ends_at: silence.ends_at, ..later });
        }
    }

    #[test]
    fn an_extension_counts_from_its_end() {
        assert_eq!(longer(&silence(), at(NOW)).ends_at, Some(at("2026-11-21 13:00")));
    }

    #[test]
    fn an_incident_offers_what_it_is_known_by() {
        let row = row(7, Severity::P1, IncidentState::Triggered);
        assert_eq!(offers(&row), ["host=db-07", "integration=falcon", "summary=title 7"]);
        let nameless = IncidentRow { host: None, title: "~odd".to_owned(), ..row };
        assert_eq!(offers(&nameless), ["ip=10.8.3.21", "integration=falcon", "summary=\"~odd\""]);
    }

    #[test]
    fn a_condition_is_added_and_taken_away() {
        let mut draft = Draft::new("UTC", at(NOW), WALLS);
        draft.conditions = "severity!=P0".to_owned();
        draft.toggle("host=db-07");
        assert!(draft.has("host=db-07") && draft.has("severity!=P0"));
        draft.toggle("host=db-07");
        assert_eq!(draft.conditions, "severity!=P0");
    }
}
