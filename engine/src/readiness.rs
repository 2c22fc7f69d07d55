//! Whether those who come on call next are ready: they are asked a day and half an hour before, and their lead is told of
//! whoever has not answered. What is asked is also what keeps a phone's subscription alive.

use crate::{Snapshot, oncall::shifts};
use serde::{Deserialize, Serialize};
use shared::{Delay, PersonId, ScheduleId, Timestamp, config::Readiness};
use std::collections::BTreeMap;

/// How long somebody has to answer before their lead hears of it.
const TO_ANSWER: Delay = Delay::mins(10);
/// Shifts that touch are one to whoever has both.
const BACK: Delay = Delay::mins(1);

/// A shift that begins soon, of somebody who is not on call in its schedule until then.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Coming {
    pub schedule: ScheduleId,
    pub person: PersonId,
    pub from: Timestamp,
}

/// What was asked about a shift, and what came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The day before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub early_at: Option<Timestamp>,
    /// Just before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lead_told_at: Option<Timestamp>,
    /// Why nothing reached the person the last time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// What is to be done about a shift now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    AskEarly,
    AskLate,
    TellLead,
}

impl Asked {
    /// When somebody was asked first.
    #[must_use]
    pub fn first_at(&self) -> Option<Timestamp> {
        self.early_at.or(self.late_at)
    }

    /// It is done, whatever came of it: done twice is worse than once too little, and there is a next step.
    pub fn note(&mut self, step: Step, now: Timestamp) {
        match step {
            Step::AskEarly => self.early_at = Some(now),
            Step::AskLate => self.late_at = Some(now),
            Step::TellLead => self.lead_told_at = Some(now),
        }
    }
}

/// The shifts that begin after `now`, as far ahead as anybody is asked, in the order of their beginning.
#[must_use]
pub fn coming(config: &Snapshot, now: Timestamp) -> Vec<Coming> {
    let rules = &config.document.readiness;
    let ahead = Delay(rules.early.0.max(rules.late.0));
    if ahead == Delay::ZERO {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (schedule, roster) in &config.rosters {
        let mut until: BTreeMap<PersonId, Timestamp> = BTreeMap::new();
        for (from, duty) in shifts(&roster.between(now.plus_ms(-BACK.0), now.after(ahead).after(BACK))) {
            let goes_on = until.get(&duty.person).is_some_and(|until| *until >= from);
            let last = until.entry(duty.person.clone()).or_default();
            *last = (*last).max(duty.until);
            if !goes_on && from > now && from <= now.after(ahead) && config.people.contains_key(&duty.person) {
                found.push(Coming { schedule: schedule.clone(), person: duty.person, from });
            }
        }
    }
    found.sort_by(|a, b| (a.from, a).cmp(&(b.from, b)));
    found
}

/// What is to be done about a shift that begins at `from`.
#[must_use]
pub fn due(rules: &Readiness, from: Timestamp, asked: &Asked, now: Timestamp) -> Option<Step> {
    if now >= from {
        return None;
    }
    let within = |before: Delay| before > Delay::ZERO && now.after(before) >= from;
    if within(rules.late) {
        if asked.late_at.is_none() {
            return Some(Step::AskLate);
        }
    } else if within(rules.early) && asked.early_at.is_none() {
        return Some(Step::AskEarly);
    }
    let waited = asked.first_at().is_some_and(|first| asked.problem.is_some() || now >= first.after(TO_ANSWER));
    let told = within(rules.lead) && waited && asked.confirmed_at.is_none() && asked.lead_told_at.is_none();
    told.then_some(Step::TellLead)
}

/// Who is told of somebody who has not answered: the schedule's lead, or else those of all.
#[must_use]
pub fn leads<'a>(config: &'a Snapshot, coming: &Coming) -> Vec<&'a PersonId> {
    let schedules = &config.document.schedules;
    let own = schedules.iter().find(|it| it.id == coming.schedule).and_then(|it| it.lead.as_ref());
    let all = config.document.readiness.leads.iter().filter(|_| own.is_none());
    own.into_iter().chain(all).filter(|lead| **lead != coming.person && config.people.contains_key(*lead)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HOUR: i64 = 3_600_000;
    /// 2026-01-05 09:00 UTC, a Monday.
    const HANDOFF: Timestamp = Timestamp::from_ms(1_767_603_600_000);
    const DOCUMENT: &str = r#"
        readiness = { leads = ["c"] }
        people = [{ id = "a", name = "A" }, { id = "b", name = "B" }, { id = "c", name = "C" }]
        [[schedules]]
        id = "db"
        name = "DB"
        time_zone = "UTC"
        lead = "b"
        rotations = [{ people = ["a", "b"], every = "week", handoff = "09:00", start = "2026-01-05" }]
        [[schedules]]
        id = "always"
        name = "Always"
        time_zone = "UTC"
        rotations = [{ people = ["c"], every = "day", handoff = "09:00", start = "2025-01-05" }]
    "#;

    fn config(text: &str) -> Snapshot {
        Snapshot::compile(1, toml::from_str(text).unwrap()).unwrap()
    }

    #[test]
    fn whoever_is_on_call_already_is_not_asked() {
        let config = config(DOCUMENT);
        let week = HANDOFF.plus_ms(7 * 24 * HOUR);
        let found = coming(&config, week.plus_ms(-24 * HOUR));
        assert_eq!(found, [Coming { schedule: "db".into(), person: "b".into(), from: week }]);
        assert!(coming(&config, week.plus_ms(-24 * HOUR - 1)).is_empty());
        assert!(coming(&config, week).is_empty());
    }

    #[test]
    fn a_lead_is_not_told_of_themselves() {
        let config = config(DOCUMENT);
        let of = |schedule: &str, person: &str| {
            let coming = Coming { schedule: schedule.into(), person: person.into(), from: HANDOFF };
            leads(&config, &coming).into_iter().map(|it| it.as_str().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(of("db", "a"), ["b"]);
        assert!(of("db", "b").is_empty());
        assert_eq!(of("always", "a"), ["c"]);
        assert!(of("always", "c").is_empty());
    }

    #[test]
    fn a_person_is_asked_a_day_and_half_an_hour_before_and_then_their_lead_is_told() {
        let rules = Readiness::default();
        let mut asked = Asked::default();
        let at = |hours: f64| HANDOFF.plus_ms((hours * HOUR as f64) as i64);
        assert_eq!(due(&rules, HANDOFF, &asked, at(-24.1)), None);
        assert_eq!(due(&rules, HANDOFF, &asked, at(-24.0)), Some(Step::AskEarly));
        asked.note(Step::AskEarly, at(-24.0));
        assert_eq!(due(&rules, HANDOFF, &asked, at(-1.0)), None);
        assert_eq!(due(&rules, HANDOFF, &asked, at(-0.5)), Some(Step::AskLate));
        asked.note(Step::AskLate, at(-0.5));
        assert_eq!(due(&rules, HANDOFF, &asked, at(-0.3)), None);
        assert_eq!(due(&rules, HANDOFF, &asked, at(-0.25)), Some(Step::TellLead));
        let confirmed = Asked { confirmed_at: Some(at(-0.3)), ..asked.clone() };
        assert_eq!(due(&rules, HANDOFF, &confirmed, at(-0.25)), None);
        asked.note(Step::TellLead, at(-0.25));
        assert_eq!(due(&rules, HANDOFF, &asked, at(-0.1)), None);
        assert_eq!(due(&rules, HANDOFF, &Asked::default(), HANDOFF), None);
    }

    #[test]
    fn who_takes_over_at_short_notice_has_time_to_answer_and_who_cannot_be_asked_has_not() {
        let rules = Readiness::default();
        let soon = HANDOFF.plus_ms(-12 * 60_000);
        let mut asked = Asked::default();
        assert_eq!(due(&rules, HANDOFF, &asked, soon), Some(Step::AskLate));
        asked.note(Step::AskLate, soon);
        assert_eq!(due(&rules, HANDOFF, &asked, soon.after(Delay::mins(9))), None);
        assert_eq!(due(&rules, HANDOFF, &asked, soon.after(Delay::mins(10))), Some(Step::TellLead));
        asked.problem = Some("no device".to_owned());
        assert_eq!(due(&rules, HANDOFF, &asked, soon), Some(Step::TellLead));
    }

    proptest! {
        #[test]
        fn every_step_is_taken_once_whenever_one_looks(looks in prop::collection::vec(0_i64..90_000_000, 1..60), answers in any::<bool>()) {
            let (rules, mut asked, mut taken) = (Readiness::default(), Asked::default(), Vec::new());
            let mut looks = looks;
            looks.sort_unstable();
            for look in looks {
                let now = HANDOFF.plus_ms(look - 90_000_000);
                while let Some(step) = due(&rules, HANDOFF, &asked, now) {
                    asked.note(step, now);
                    prop_assert!(!taken.contains(&step), "{step:?} again");
                    taken.push(step);
                    if answers {
                        asked.confirmed_at = Some(now);
                    }
                }
            }
            prop_assert!(!(answers && taken.contains(&Step::TellLead)));
        }
    }
}
