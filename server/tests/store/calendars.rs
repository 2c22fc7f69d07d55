//! Calendars that others keep, as they are stored.

use crate::world::{DAY, HOUR, NOW, Place};
use server::{
    db::{CalendarState, Store},
    shifts,
};
use shared::Timestamp;
use std::collections::BTreeSet;

crate::promises! {
    the_last_good_copy_outlives_tries_that_fail
    of_two_who_tried_at_once_one_is_told
    past_shifts_stay_when_a_copy_becomes_another_one
}

const URL: &str = "https://calendar.example/密/basic.ics";

fn state(ms: i64) -> CalendarState {
    let at = Some(NOW.plus_ms(ms));
    CalendarState { url: URL.to_owned(), good_at: at, changed_at: at, tried_at: NOW.plus_ms(ms), ..Default::default() }
}

fn copy(store: &mut Store) -> Option<String> {
    store.calendar_copies().unwrap().get(URL).map(ToString::to_string)
}

fn the_last_good_copy_outlives_tries_that_fail(place: &Place) {
    let mut store = place.store();
    assert_eq!((store.calendar_states().unwrap(), store.calendars_number().unwrap()), (Vec::new(), 0));
    let failed = CalendarState { error: Some("it answered 500".into()), failures: 1, good_at: None, ..state(0) };
    assert!(store.calendar_put(None, &failed, None).unwrap());
    assert_eq!((copy(&mut store), store.calendars_number().unwrap()), (None, 0));
    let good = CalendarState { etag: Some("\"1\"".into()), ..state(HOUR) };
    assert!(store.calendar_put(Some(&failed), &good, Some("BEGIN:VCALENDAR\n陈晨")).unwrap());
    let again =
        CalendarState { error: Some("\0".into()), failures: 2, tried_at: NOW.plus_ms(2 * HOUR), ..good.clone() };
    assert!(store.calendar_put(Some(&good), &again, None).unwrap());
    let mut other = place.store();
    assert_eq!(copy(&mut other).as_deref(), Some("BEGIN:VCALENDAR\n陈晨"));
    assert_eq!((other.calendar_states().unwrap(), other.calendars_number().unwrap()), (vec![again], 1));
    store.calendars_keep(&BTreeSet::from([URL.to_owned()])).unwrap();
    assert!(copy(&mut store).is_some());
    store.calendars_keep(&BTreeSet::new()).unwrap();
    assert_eq!((copy(&mut store), other.calendar_states().unwrap().len()), (None, 0));
}

fn of_two_who_tried_at_once_one_is_told(place: &Place) {
    let (mut one, mut other) = (place.store(), place.store());
    assert!(one.calendar_put(None, &state(HOUR), Some("a")).unwrap());
    assert!(!other.calendar_put(None, &state(0), Some("b")).unwrap(), "what it asked is older");
    assert_eq!(copy(&mut other).as_deref(), Some("a"));
}

fn past_shifts_stay_when_a_copy_becomes_another_one(place: &Place) {
    let mut store = place.store();
    let config = format!(
        "people = [{{ id = \"a\", name = \"A\" }}, {{ id = \"b\", name = \"B\" }}]
        [[schedules]]
        id = \"s\"
        name = \"S\"
        time_zone = \"UTC\"
        layers = [{{ id = \"l\", ical_url = \"{URL}\" }}]"
    );
    store.config_put(&config, "test", NOW, None).unwrap();
    let text = |who: &str| {
        format!(
            "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nSUMMARY:{who}\nDTSTART;VALUE=DATE:20261101\nDTEND;VALUE=DATE:20261201\n\
             END:VEVENT\nEND:VCALENDAR\n"
        )
    };
    store.calendar_put(None, &state(0), Some(&text("a"))).unwrap();
    shifts::record(&mut store, NOW.plus_ms(HOUR)).unwrap();
    store.calendar_put(Some(&state(0)), &state(HOUR), Some(&text("b"))).unwrap();
    shifts::record(&mut store, NOW.plus_ms(2 * HOUR)).unwrap();
    let kept = store.shifts_between(&"s".into(), Timestamp::from_ms(0), NOW.plus_ms(DAY)).unwrap();
    let told: Vec<(i64, i64, &str)> =
        kept.iter().map(|it| (it.from.ms_since(NOW), it.until.ms_since(NOW), it.duties[0].person.as_str())).collect();
    assert_eq!(told, [(0, HOUR, "a"), (HOUR, 2 * HOUR, "b")]);
}
