//! Shifts as they happened.

use crate::world::{DAY, HOUR, NOW, Place};
use server::{db::Store, shifts};
use shared::{
    ScheduleId, Timestamp,
    api::{Duty, DutyReason, Stretch, SwapRow, SwapState},
};

crate::promises! {
    shifts_are_added_behind_each_other_and_never_changed
    of_two_who_record_at_once_one_does
    each_time_is_told_by_the_configuration_in_force_then
    a_swap_is_decided_once
}

fn stretch(from: i64, until: i64, person: &str) -> Stretch {
    let reason = DutyReason::Temporary { place: 0 };
    let duty = Duty { person: person.into(), reason, until: NOW.plus_ms(9 * DAY) };
    let duties = if person.is_empty() { Vec::new() } else { vec![duty] };
    Stretch { from: NOW.plus_ms(from), until: NOW.plus_ms(until), duties }
}

fn record(store: &mut Store, expected: Option<i64>, until: i64, stretches: Vec<Stretch>) -> bool {
    let told = [(ScheduleId::from("数据库\0"), stretches)];
    store.shifts_record(expected.map(|at| NOW.plus_ms(at)), NOW.plus_ms(until), &told).unwrap()
}

fn shifts_are_added_behind_each_other_and_never_changed(place: &Place) {
    let mut store = place.store();
    assert_eq!(store.shifts_recorded_until().unwrap(), None);
    assert!(record(&mut store, None, HOUR, vec![stretch(0, HOUR, "a")]));
    assert!(record(
        &mut store,
        Some(HOUR),
        3 * HOUR,
        vec![stretch(HOUR, 2 * HOUR, "a"), stretch(2 * HOUR, 3 * HOUR, "")]
    ));
    assert_eq!(store.shifts_recorded_until().unwrap(), Some(NOW.plus_ms(3 * HOUR)));
    let id = ScheduleId::from("数据库\0");
    let all = store.shifts_between(&id, Timestamp::from_ms(0), NOW.plus_ms(DAY)).unwrap();
    assert_eq!(all, [stretch(0, 2 * HOUR, "a"), stretch(2 * HOUR, 3 * HOUR, "")]);
    let cut = store.shifts_between(&id, NOW.plus_ms(HOUR), NOW.plus_ms(2 * HOUR)).unwrap();
    assert_eq!(cut, [stretch(HOUR, 2 * HOUR, "a")]);
    assert!(store.shifts_between(&"other".into(), Timestamp::from_ms(0), NOW.plus_ms(DAY)).unwrap().is_empty());
}

fn of_two_who_record_at_once_one_does(place: &Place) {
    let (mut one, mut other) = (place.store(), place.store());
    assert!(record(&mut one, None, HOUR, vec![stretch(0, HOUR, "a")]));
    assert!(!record(&mut other, None, HOUR, vec![stretch(0, HOUR, "b")]));
    let all = other.shifts_between(&"数据库\u{fffd}".into(), Timestamp::from_ms(0), NOW.plus_ms(DAY)).unwrap();
    assert_eq!(all, [stretch(0, HOUR, "a")]);
}

fn each_time_is_told_by_the_configuration_in_force_then(place: &Place) {
    let mut store = place.store();
    assert_eq!(shifts::record(&mut store, NOW).unwrap(), None, "nothing was in force");
    let text = |person: &str| {
        format!(
            "people = [{{ id = \"{person}\", name = \"P\" }}]\n[[schedules]]\nid = \"s\"\nname = \"S\"\ntime_zone = \"UTC\"\n\
             rotations = [{{ people = [\"{person}\"], every = \"month\", handoff = \"00:00\", start = \"2026-01-01\" }}]\n"
        )
    };
    let put = |person: &str, at: i64| {
        place.store().config_put(&text(person), "test", NOW.plus_ms(at), None).unwrap();
    };
    put("a", 0);
    put("b", HOUR);
    assert_eq!(shifts::record(&mut store, NOW.plus_ms(2 * HOUR)).unwrap(), Some(NOW.plus_ms(2 * HOUR)));
    put("c", 3 * HOUR);
    place.store().config_put("", "test", NOW.plus_ms(4 * HOUR), None).unwrap();
    shifts::record(&mut store, NOW.plus_ms(6 * HOUR)).unwrap();
    let told = store.shifts_between(&"s".into(), Timestamp::from_ms(0), NOW.plus_ms(DAY)).unwrap();
    let told: Vec<(i64, i64, &str)> = told
        .iter()
        .map(|it| (it.from.ms_since(NOW) / HOUR, it.until.ms_since(NOW) / HOUR, it.duties[0].person.as_str()))
        .collect();
    assert_eq!(told, [(0, 1, "a"), (1, 3, "b"), (3, 4, "c")]);
}

fn a_swap_is_decided_once(place: &Place) {
    let mut store = place.store();
    let offer = SwapRow {
        id: 0,
        state: SwapState::Offered,
        schedule: "s".into(),
        giver: "a".into(),
        taker: "b".into(),
        from: NOW,
        until: NOW.plus_ms(HOUR),
        in_return: None,
        note: Some("明天\0".to_owned()),
        offered_by: "a".to_owned(),
        offered_at: NOW,
        decided_by: None,
        decided_at: None,
    };
    let id = store.swap_create(&offer).unwrap();
    let stored = SwapRow { id, ..offer };
    assert_eq!(store.swap(id).unwrap(), Some(stored.clone()));
    assert_eq!(store.swap(id + 1).unwrap(), None);
    let decided = SwapRow { state: SwapState::Declined, decided_by: Some("b".to_owned()), ..stored };
    assert!(store.swap_decide(&decided).unwrap());
    assert!(!store.swap_decide(&SwapRow { state: SwapState::Accepted, ..decided.clone() }).unwrap());
    assert_eq!(store.swaps(10).unwrap(), [decided]);
}
