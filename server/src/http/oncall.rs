//! Who is on call now and in the coming two weeks, with the stretches in which nobody is.

use super::{App, app::now, problem::ApiError};
use actix_web::web;
use engine::{
    Snapshot,
    oncall::{Roster, covering, gaps, shifts},
    readiness::{Asked, Coming},
};
use shared::{
    Delay, PersonId, Timestamp,
    api::{MobileOnCall, OnCallNow, OwnDuty, ScheduleNow, Shift, ShiftAsked},
    config::Schedule,
};
use std::collections::BTreeMap;

const AHEAD: Delay = Delay(14 * 86_400_000);
/// A shift that began before this is shown as begun then.
const BACK: Delay = Delay(35 * 86_400_000);
const MOST_SHIFTS: usize = 20;

pub(super) async fn on_call_now(app: web::Data<App>) -> Result<web::Json<OnCallNow>, ApiError> {
    let now = now();
    let asked = app.db(move |store| store.readiness(now)).await?;
    Ok(web::Json(look(&app.runtime.config(), now, &asked)))
}

/// When one person is on call, by schedule.
pub(super) fn duty_of(config: &Snapshot, person: &PersonId, now: Timestamp) -> MobileOnCall {
    let own = |shifts: Vec<Shift>| -> Vec<Shift> { shifts.into_iter().filter(|it| it.person == *person).collect() };
    let duties = look(config, now, &[]).schedules.into_iter().map(|it| OwnDuty {
        schedule: it.schedule,
        name: it.name,
        time_zone: it.time_zone,
        on_call: own(it.on_call),
        upcoming: own(it.upcoming),
    });
    let schedules: Vec<OwnDuty> = duties.filter(|it| !it.on_call.is_empty() || !it.upcoming.is_empty()).collect();
    MobileOnCall { now, on_call: schedules.iter().any(|it| !it.on_call.is_empty()), schedules }
}

fn look(config: &Snapshot, now: Timestamp, asked: &[(Coming, Asked)]) -> OnCallNow {
    let schedules: Vec<ScheduleNow> = config
        .document
        .schedules
        .iter()
        .filter_map(|schedule| Some(one(schedule, config.rosters.get(&schedule.id)?, now, asked)))
        .collect();
    let shifts = schedules.iter().flat_map(|it| it.on_call.iter().chain(&it.upcoming));
    let named = shifts.flat_map(|shift| std::iter::once(&shift.person).chain(&shift.replaces));
    let names = named_people(config, named);
    OnCallNow { now, schedules, names }
}

/// The names of these people, as far as the configuration has them.
pub(super) fn named_people<'a>(
    config: &Snapshot,
    people: impl Iterator<Item = &'a PersonId>,
) -> BTreeMap<PersonId, String> {
    people.filter_map(|id| Some((id.clone(), config.people.get(id)?.name.clone()))).collect()
}

fn one(schedule: &Schedule, roster: &Roster, now: Timestamp, asked: &[(Coming, Asked)]) -> ScheduleNow {
    let stretches = roster.between(now.plus_ms(-BACK.0), now.after(AHEAD));
    let (mut on_call, mut upcoming) = (Vec::new(), Vec::new());
    for (from, duty) in shifts(&stretches).into_iter().filter(|(_, duty)| duty.until > now) {
        let (over, replaces) = covering(&duty.reason);
        let shift = Shift { from, until: duty.until, over, replaces: replaces.cloned(), person: duty.person };
        if from <= now { on_call.push(shift) } else { upcoming.push(shift) }
    }
    upcoming.truncate(MOST_SHIFTS);
    let mut gaps = gaps(&stretches);
    gaps.retain(|gap| gap.until > now);
    for gap in &mut gaps {
        gap.from = gap.from.max(now);
    }
    ScheduleNow {
        schedule: schedule.id.clone(),
        name: schedule.name.clone(),
        time_zone: schedule.time_zone.clone(),
        on_call,
        asked: asked.iter().filter(|(it, _)| it.schedule == schedule.id).filter_map(answered(&upcoming)).collect(),
        upcoming,
        gaps,
    }
}

/// What was asked about shifts that are still to come.
fn answered(upcoming: &[Shift]) -> impl FnMut(&(Coming, Asked)) -> Option<ShiftAsked> {
    move |(coming, asked)| {
        upcoming.iter().find(|it| it.person == coming.person && it.from == coming.from)?;
        Some(ShiftAsked {
            person: coming.person.clone(),
            from: coming.from,
            asked_at: asked.first_at()?,
            confirmed_at: asked.confirmed_at,
            problem: asked.problem.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = r#"
        [[people]]
        id = "a"
        name = "A"
        [[people]]
        id = "b"
        name = "B"
        [[schedules]]
        id = "s"
        name = "S"
        time_zone = "UTC"
        rotations = [{ people = ["a", "b"], every = "week", handoff = "09:00", start = "2026-01-05" }]
        overrides = [{ person = "b", replaces = "a", from = "2026-01-06 12:00", until = "2026-01-07 12:00" }]
        [[schedules]]
        id = "later"
        name = "L"
        time_zone = "UTC"
        rotations = [{ people = ["b"], handoff = "00:00", start = "2026-01-10" }]
    "#;

    #[test]
    fn shifts_are_whole_and_gaps_are_found() {
        let config = Snapshot::compile(1, toml::from_str(DOCUMENT).unwrap()).unwrap();
        // 2026-01-06T10:00Z, a Tuesday.
        let now = Timestamp::from_ms(1_767_693_600_000);
        let hour = 3_600_000;
        let monday = now.plus_ms(-25 * hour);
        let found = look(&config, now, &[]);
        let s = &found.schedules[0];
        assert_eq!(s.on_call.len(), 1);
        assert_eq!((s.on_call[0].person.as_str(), s.on_call[0].from), ("a", monday));
        assert_eq!(s.on_call[0].until, now.plus_ms(2 * hour), "until the override");
        let then: Vec<(&str, bool)> = s.upcoming.iter().map(|it| (it.person.as_str(), it.over)).collect();
        assert_eq!(then, [("b", true), ("a", false), ("b", false), ("a", false)]);
        assert_eq!(s.upcoming[1].until, monday.plus_ms(7 * 24 * hour));
        assert_eq!(s.upcoming[3].until, monday.plus_ms(21 * 24 * hour), "beyond the window");
        assert!(s.gaps.is_empty());
        let later = &found.schedules[1];
        assert_eq!((later.on_call.len(), later.gaps.len()), (0, 1));
        assert_eq!((later.gaps[0].from, later.gaps[0].until), (now, now.plus_ms(86 * hour)));
        assert_eq!(found.names.len(), 2);
    }
}
