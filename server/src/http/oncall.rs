//! Who is on call now and in the coming two weeks, with the stretches in which nobody is.

use super::{App, app::now};
use actix_web::web;
use engine::{
    Snapshot,
    oncall::{Duty, Roster, Stretch},
};
use shared::{
    Delay, PersonId, Timestamp,
    api::{Gap, OnCallNow, ScheduleNow, Shift},
    config::Schedule,
};
use std::collections::BTreeMap;

const AHEAD: Delay = Delay(14 * 86_400_000);
/// A shift that began before this is shown as begun then.
const BACK: Delay = Delay(35 * 86_400_000);
const MOST_SHIFTS: usize = 20;

pub(super) async fn on_call_now(app: web::Data<App>) -> web::Json<OnCallNow> {
    web::Json(look(&app.runtime.config(), now()))
}

fn look(config: &Snapshot, now: Timestamp) -> OnCallNow {
    let schedules: Vec<ScheduleNow> = config
        .document
        .schedules
        .iter()
        .filter_map(|schedule| Some(one(schedule, config.rosters.get(&schedule.id)?, now)))
        .collect();
    let shifts = schedules.iter().flat_map(|it| it.on_call.iter().chain(&it.upcoming));
    let named = shifts.flat_map(|shift| std::iter::once(&shift.person).chain(&shift.replaces));
    let names: BTreeMap<PersonId, String> =
        named.filter_map(|id| Some((id.clone(), config.people.get(id)?.name.clone()))).collect();
    OnCallNow { now, schedules, names }
}

fn one(schedule: &Schedule, roster: &Roster, now: Timestamp) -> ScheduleNow {
    let until = now.after(AHEAD);
    let stretches = roster.between(now.plus_ms(-BACK.0), until);
    let shifts = shifts(&stretches, until);
    let (mut on_call, mut upcoming) = (Vec::new(), Vec::new());
    for shift in shifts.into_iter().filter(|shift| shift.until > now) {
        if shift.from <= now { on_call.push(shift) } else { upcoming.push(shift) }
    }
    upcoming.truncate(MOST_SHIFTS);
    ScheduleNow {
        schedule: schedule.id.clone(),
        name: schedule.name.clone(),
        time_zone: schedule.time_zone.clone(),
        on_call,
        upcoming,
        gaps: gaps(&stretches, now),
    }
}

/// Stretches put together again into the shifts they were cut from, by their beginning.
fn shifts(stretches: &[Stretch], window_ends: Timestamp) -> Vec<Shift> {
    let mut done: Vec<Shift> = Vec::new();
    let mut running: Vec<(Duty, Shift)> = Vec::new();
    for stretch in stretches {
        let (going_on, over): (Vec<_>, Vec<_>) =
            running.into_iter().partition(|(duty, _)| stretch.duties.contains(duty));
        done.extend(over.into_iter().map(|(_, shift)| shift));
        running = going_on;
        for duty in &stretch.duties {
            if let Some((_, shift)) = running.iter_mut().find(|(known, _)| known == duty) {
                shift.until = stretch.until;
                continue;
            }
            let shift = Shift {
                person: duty.person.clone(),
                from: stretch.from,
                until: stretch.until,
                over: duty.over,
                replaces: duty.replaces.clone(),
            };
            running.push((duty.clone(), shift));
        }
    }
    // What goes on beyond the window ends when the duty says.
    done.extend(running.into_iter().map(|(duty, shift)| Shift {
        until: if shift.until >= window_ends { duty.until } else { shift.until },
        ..shift
    }));
    done.sort_by(|a, b| (a.from, &a.person).cmp(&(b.from, &b.person)));
    done
}

fn gaps(stretches: &[Stretch], now: Timestamp) -> Vec<Gap> {
    let mut gaps: Vec<Gap> = Vec::new();
    for stretch in stretches.iter().filter(|it| it.duties.is_empty() && it.until > now) {
        match gaps.last_mut().filter(|gap| gap.until == stretch.from) {
            Some(gap) => gap.until = stretch.until,
            None => gaps.push(Gap { from: stretch.from.max(now), until: stretch.until }),
        }
    }
    gaps
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
        let now = Timestamp(1_767_693_600_000);
        let hour = 3_600_000;
        let monday = now.plus_ms(-25 * hour);
        let found = look(&config, now);
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
