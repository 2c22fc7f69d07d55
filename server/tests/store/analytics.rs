//! Reading a range of the past in pieces.

use crate::{
    life::{Life, resolve, trigger},
    world::{DAY, HOUR, NOW, Place},
};
use engine::Act;
use server::db::{Store, Told};
use shared::{IncidentId, Severity, Timestamp};

crate::promises! {
    a_range_is_told_in_pieces_newest_first_with_what_is_open_still
    what_opened_long_before_a_range_and_was_over_in_it_is_told_too
    what_a_timeline_says_later_is_read_and_what_a_note_says_is_not
    messages_of_a_range_are_counted
}

fn told(store: &mut Store, from: Timestamp, until: Timestamp, severities: &[Severity], piece: usize) -> Vec<Told> {
    let mut cursor = store.told_from(from, until, severities.to_vec(), None).unwrap();
    let mut all = Vec::new();
    loop {
        let some = store.told_next(&mut cursor, piece).unwrap();
        assert!(some.len() <= piece);
        if some.is_empty() {
            return all;
        }
        all.extend(some);
    }
}

fn numbers(told: &[Told]) -> Vec<i64> {
    told.iter().map(|it| it.incident.id.0).collect()
}

/// Twelve incidents, a day apart; even ones are over at once. Every third is a P0.
fn twelve(place: &Place) -> Store {
    let mut store = place.writer();
    let mut life = Life::begin(NOW);
    let mut messages = Vec::new();
    for n in 1..=12 {
        life.now = NOW.plus_ms((n - 1) * DAY);
        let mut event = trigger(&format!("db-{n}"), &format!("disk {n}"));
        event.severity = if n % 3 == 0 { Severity::P0 } else { Severity::P2 };
        messages.extend(life.hear("zabbix", None, vec![event]));
        if n % 2 == 0 {
            life.act(IncidentId(n), Act::Resolve);
        }
    }
    store.commit(&messages, &life.changes()).unwrap();
    store
}

fn a_range_is_told_in_pieces_newest_first_with_what_is_open_still(place: &Place) {
    let mut store = twelve(place);
    let (from, until) = (NOW.plus_ms(9 * DAY), NOW.plus_ms(11 * DAY));
    for piece in [1, 2, 100] {
        // 10 and 11 opened in the range; those of the week before and older ones are open still.
        assert_eq!(numbers(&told(&mut store, from, until, &[], piece)), [11, 10, 9, 7, 5, 3, 1], "{piece}");
        assert_eq!(numbers(&told(&mut store, from, until, &[Severity::P0], piece)), [9, 3]);
        assert_eq!(numbers(&told(&mut store, NOW, until, &[], piece)).len(), 11);
    }
    let team = store.told_from(from, until, Vec::new(), Some("none".into())).unwrap();
    assert_eq!(store.told_next(&mut team.clone(), 10).unwrap(), []);
    assert_eq!(numbers(&told(&mut store, NOW.plus_ms(-DAY), NOW, &[], 10)), [0; 0], "nothing had opened yet");
}

fn what_opened_long_before_a_range_and_was_over_in_it_is_told_too(place: &Place) {
    let mut store = place.writer();
    let mut life = Life::begin(NOW);
    let mut messages = Vec::new();
    for n in 1..=3 {
        messages.extend(life.hear("zabbix", None, vec![trigger(&format!("db-{n}"), &format!("disk {n}"))]));
    }
    // Over after four days, after ten, and not at all; then others, one a day.
    for day in 1..=30 {
        life.now = NOW.plus_ms(day * DAY);
        for (number, last) in [(1, 4), (2, 10)] {
            if day == last {
                life.act(IncidentId(number), Act::Resolve);
            }
        }
        messages.extend(life.hear("zabbix", None, vec![trigger(&format!("web-{day}"), &format!("disk of day {day}"))]));
        life.act(IncidentId(3 + day), Act::Resolve);
    }
    store.commit(&messages, &life.changes()).unwrap();
    let of_day = |day: i64| (NOW.plus_ms(day * DAY), NOW.plus_ms((day + 1) * DAY));
    for piece in [1, 2, 100] {
        let mut long = |day: i64| {
            let (from, until) = of_day(day);
            numbers(&told(&mut store, from, until, &[], piece)).into_iter().filter(|it| *it <= 3).collect::<Vec<_>>()
        };
        assert_eq!(long(9), [3, 2], "{piece}: the second one was over a day later");
        assert_eq!(long(20), [3], "{piece}");
    }
    let (from, until) = of_day(9);
    let around = store.incidents_between(from, until, 100).unwrap();
    assert!(around.iter().any(|it| it.id == IncidentId(2)), "it was open then");
    let (from, until) = of_day(20);
    let around = store.incidents_between(from, until, 100).unwrap();
    assert!(!around.iter().any(|it| it.id == IncidentId(2)), "it was over by then");
}

fn what_a_timeline_says_later_is_read_and_what_a_note_says_is_not(place: &Place) {
    let mut store = place.writer();
    let mut life = Life::begin(NOW);
    let mut messages = Vec::new();
    messages.extend(life.hear("zabbix", None, vec![trigger("db-1", "disk 1")]));
    messages.extend(life.hear("zabbix", None, vec![trigger("db-2", "disk 2")]));
    life.now = NOW.plus_ms(60_000);
    let text = r#"no {"kind":"acked"} yet"#.to_owned();
    life.act(IncidentId(2), Act::Note { text });
    life.act(IncidentId(1), Act::Ack { until: None });
    life.now = NOW.plus_ms(HOUR);
    life.act(IncidentId(1), Act::Unack);
    life.act(IncidentId(1), Act::Ack { until: None });
    messages.extend(life.hear("zabbix", None, vec![resolve("db-1", "disk 1")]));
    store.commit(&messages, &life.changes()).unwrap();
    let told = told(&mut store, NOW, NOW.plus_ms(DAY), &[], 10);
    assert_eq!(numbers(&told), [2, 1]);
    let [other, answered] = [&told[0].story, &told[1].story];
    assert_eq!(answered.acknowledged_at, Some(NOW.plus_ms(60_000)), "the first time, though it was taken back");
    assert_eq!(other.acknowledged_at, None);
    assert!(answered.key.is_some() && answered.key != other.key);
    assert_eq!(answered.routes.iter().map(|id| id.as_str()).collect::<Vec<_>>(), ["databases"]);
}

fn messages_of_a_range_are_counted(place: &Place) {
    let mut store = place.writer();
    let mut life = Life::begin(NOW);
    let mut messages = Vec::new();
    for n in 0..4 {
        life.now = NOW.plus_ms(n * HOUR);
        messages.extend(life.hear("zabbix", None, vec![trigger("db-1", "disk 1")]));
        messages.extend(life.hear("zabbix", None, vec![resolve(&format!("db-{n}9"), "nothing open")]));
    }
    store.commit(&messages, &life.changes()).unwrap();
    assert_eq!(store.messages_between(NOW, NOW.plus_ms(DAY)).unwrap(), (8, 4));
    assert_eq!(store.messages_between(NOW.plus_ms(HOUR), NOW.plus_ms(3 * HOUR)).unwrap(), (4, 2));
    assert_eq!(store.messages_between(NOW.plus_ms(DAY), NOW.plus_ms(2 * DAY)).unwrap(), (0, 0));
}
