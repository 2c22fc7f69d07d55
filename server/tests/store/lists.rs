//! Reading: lists, page by page, and what belongs to an incident.

use crate::{
    life::{Life, resolve, trigger},
    world::{HOUR, NOW, Place},
};
use engine::Act;
use server::db::{EventQuery, IncidentQuery, Store};
use shared::{EventId, IncidentId, IncidentState, Severity, timeline::RejectReason};

crate::promises! {
    incidents_are_read_page_by_page
    incidents_are_found_by_what_they_are
    a_search_finds_the_words_as_they_are_written
    messages_are_read_page_by_page
    the_quarantine_lists_rejected_messages
    the_messages_of_an_incident_are_those_about_it
    earlier_incidents_are_of_the_same_identity_or_machine
    each_sender_was_last_heard_with_its_newest_message
}

/// Ten incidents on five machines, from two senders; odd ones are resolved.
fn ten(place: &Place) -> Store {
    let mut store = place.writer();
    let mut life = Life::begin(NOW);
    let mut messages = Vec::new();
    for n in 1..=10 {
        life.now = NOW.plus_ms(n * 1_000);
        let from = if n <= 4 { "zabbix" } else { "falcon" };
        let mut event = trigger(&format!("DB-{}", n % 5), &format!("alert {n}"));
        event.ip = Some(format!("10.0.0.{n}").into());
        event.severity = if n % 2 == 0 { Severity::P0 } else { Severity::P3 };
        messages.extend(life.hear(from, None, vec![event]));
        if n % 2 == 1 {
            life.act(IncidentId(n), Act::Resolve);
        }
    }
    store.commit(&messages, &life.changes()).unwrap();
    store
}

fn ids(store: &mut Store, query: &IncidentQuery) -> Vec<i64> {
    let page = store.incidents(&IncidentQuery { limit: 100, ..query.clone() }).unwrap();
    assert_eq!(page.total as usize, page.items.len());
    assert_eq!(page.next, None);
    page.items.iter().map(|incident| incident.id.0).collect()
}

fn incidents_are_read_page_by_page(place: &Place) {
    let mut store = ten(place);
    let mut query = IncidentQuery { limit: 4, ..IncidentQuery::default() };
    let mut seen = Vec::new();
    loop {
        let page = store.incidents(&query).unwrap();
        assert_eq!(page.total, 10);
        seen.push(page.items.iter().map(|incident| incident.id.0).collect::<Vec<_>>());
        query.before = page.next;
        if page.next.is_none() {
            break;
        }
    }
    assert_eq!(seen, [vec![10, 9, 8, 7], vec![6, 5, 4, 3], vec![2, 1]]);
}

fn incidents_are_found_by_what_they_are(place: &Place) {
    let mut store = ten(place);
    let all = IncidentQuery::default();
    let open = vec![IncidentState::Triggered, IncidentState::Acked, IncidentState::Snoozed];
    assert_eq!(ids(&mut store, &IncidentQuery { states: open.clone(), ..all.clone() }), [10, 8, 6, 4, 2]);
    assert_eq!(ids(&mut store, &IncidentQuery { severities: vec![Severity::P3], ..all.clone() }), [9, 7, 5, 3, 1]);
    assert_eq!(ids(&mut store, &IncidentQuery { integration: Some("zabbix".into()), ..all.clone() }), [4, 3, 2, 1]);
    assert_eq!(ids(&mut store, &IncidentQuery { host: Some("db-2".into()), ..all.clone() }), [7, 2]);
    assert_eq!(ids(&mut store, &IncidentQuery { host: Some("10.0.0.9".into()), ..all.clone() }), [9]);
    assert_eq!(ids(&mut store, &IncidentQuery { team: Some("none".into()), ..all.clone() }), [0; 0]);
    let both = IncidentQuery { states: open, integration: Some("falcon".into()), host: Some("DB-0".into()), ..all };
    assert_eq!(ids(&mut store, &both), [10]);
    assert_eq!(store.restore(NOW).unwrap().alerts.len(), 5);
}

fn a_search_finds_the_words_as_they_are_written(place: &Place) {
    let mut store = place.writer();
    let mut life = Life::begin(NOW);
    let mut messages = Vec::new();
    for title in ["Disk 100% full", "Disk 1000 full", "磁盘_满了", "磁盘X满了", "Ärger mit \\ im Namen"] {
        let mut event = trigger("db-01", title);
        event.summary = title.into();
        messages.extend(life.hear("zabbix", None, vec![event]));
    }
    store.commit(&messages, &life.changes()).unwrap();
    let mut found =
        |text: &str| ids(&mut store, &IncidentQuery { text: Some(text.into()), ..IncidentQuery::default() });
    assert_eq!(found("disk 100"), [2, 1]);
    assert_eq!(found("100%"), [1]);
    assert_eq!(found("磁盘_"), [3]);
    assert_eq!(found("ÄRGER MIT \\"), [5]);
    assert_eq!(found("#4"), [4]);
    assert_eq!(found(" DB-01 ").len(), 5);
    assert_eq!(found("nothing like it"), [0; 0]);
}

fn events(store: &mut Store, query: &EventQuery) -> Vec<i64> {
    let page = store.events(&EventQuery { limit: 100, ..query.clone() }).unwrap();
    page.items.iter().map(|row| row.id.0).collect()
}

fn messages_are_read_page_by_page(place: &Place) {
    let mut store = ten(place);
    let mut query = EventQuery { integration: Some("falcon".into()), limit: 4, ..EventQuery::default() };
    let first = store.events(&query).unwrap();
    assert_eq!(first.items.iter().map(|row| row.id.0).collect::<Vec<_>>(), [10, 9, 8, 7]);
    assert_eq!(first.items[0].text, "falcon 10");
    assert_eq!(first.items[0].size_bytes, 9);
    query.before = first.next;
    let last = store.events(&query).unwrap();
    assert_eq!(last.items.iter().map(|row| row.id.0).collect::<Vec<_>>(), [6, 5]);
    assert_eq!(last.next, None);
    assert_eq!(store.event(EventId(99)).unwrap(), None);
}

fn the_quarantine_lists_rejected_messages(place: &Place) {
    let mut store = place.writer();
    let mut life = Life::begin(NOW);
    let mut messages = Vec::new();
    for n in 0..6 {
        let rejected = if n % 2 == 0 { vec![RejectReason::Empty; 3] } else { Vec::new() };
        let from = if n < 4 { "zabbix" } else { "falcon" };
        messages.extend(life.hear_all(from, None, vec![trigger("db-01", "disk")], rejected));
    }
    store.commit(&messages, &life.changes()).unwrap();
    let rejected = EventQuery { outcome: Some("rejected".into()), ..EventQuery::default() };
    assert_eq!(events(&mut store, &rejected), [5, 3, 1]);
    assert_eq!(events(&mut store, &EventQuery { integration: Some("zabbix".into()), ..rejected.clone() }), [3, 1]);
    let page = store.events(&EventQuery { limit: 2, ..rejected.clone() }).unwrap();
    assert_eq!(page.next, Some(EventId(3)));
    let page = store.events(&EventQuery { limit: 2, before: page.next, ..rejected }).unwrap();
    assert_eq!((page.items.len(), page.next), (1, None));
}

fn the_messages_of_an_incident_are_those_about_it(place: &Place) {
    let mut store = place.writer();
    let mut life = Life::begin(NOW);
    let mut messages = Vec::new();
    for _ in 0..3 {
        messages.extend(life.hear("zabbix", None, vec![trigger("db-01", "disk"), trigger("db-01", "disk")]));
        messages.extend(life.hear("zabbix", None, vec![trigger("db-02", "load")]));
    }
    messages.extend(life.hear("zabbix", None, vec![resolve("db-01", "disk")]));
    store.commit(&messages, &life.changes()).unwrap();
    let of = |store: &mut Store, id, limit| -> Vec<i64> {
        store.messages_of(IncidentId(id), limit).unwrap().iter().map(|message| message.id.0).collect()
    };
    assert_eq!(of(&mut store, 1, 20), [7, 5, 3, 1]);
    assert_eq!(of(&mut store, 1, 2), [7, 5]);
    assert_eq!(of(&mut store, 2, 20), [6, 4, 2]);
    assert_eq!(of(&mut store, 3, 20), [0; 0]);
    let about = EventQuery { incident: Some(IncidentId(2)), before: Some(EventId(6)), ..EventQuery::default() };
    assert_eq!(events(&mut store, &about), [4, 2]);
}

fn earlier_incidents_are_of_the_same_identity_or_machine(place: &Place) {
    let mut store = place.writer();
    let mut life = Life::begin(NOW);
    let mut messages = Vec::new();
    for (n, (host, ip, key)) in [
        ("db-01", "10.0.0.1", "disk"),
        ("db-02", "10.0.0.2", "disk"),
        ("DB-01", "10.0.0.3", "load"),
        ("x", "10.0.0.1", "ip"),
        ("db-01", "10.0.0.1", "disk"),
    ]
    .into_iter()
    .enumerate()
    {
        life.now = NOW.plus_ms(n as i64 * HOUR);
        // The identity moves to another machine and back.
        let mut event = trigger(host, key);
        event.ip = Some(ip.into());
        messages.extend(life.hear("zabbix", None, vec![event]));
        life.act(IncidentId(n as i64 + 1), Act::Resolve);
    }
    store.commit(&messages, &life.changes()).unwrap();
    let last = store.incident(IncidentId(5)).unwrap().unwrap();
    let before = |store: &mut Store, limit| -> Vec<i64> {
        store.before(&last, limit).unwrap().iter().map(|incident| incident.id.0).collect()
    };
    assert_eq!(before(&mut store, 10), [4, 3, 2, 1]);
    assert_eq!(before(&mut store, 2), [4, 3]);
    let first = store.incident(IncidentId(1)).unwrap().unwrap();
    assert!(store.before(&first, 10).unwrap().is_empty());
}

fn each_sender_was_last_heard_with_its_newest_message(place: &Place) {
    let mut store = ten(place);
    let heard = store.integrations_heard().unwrap();
    let heard: Vec<_> = heard.iter().map(|it| (it.integration.as_str(), it.event.0, it.at)).collect();
    assert_eq!(heard, [("falcon", 10, NOW.plus_ms(10_000)), ("zabbix", 4, NOW.plus_ms(4_000))]);
}
