//! The list of deliveries: it says of each what its incident says, also of those that were there before the list was.

use crate::{
    life::{CONFIG, Life, trigger},
    world::{NOW, Place},
};
use engine::{Act, Command, Event};
use server::db::{DeliveryQuery, Rows, Sent, Store};
use shared::{
    AlertEvent, Attempt, AttemptState, DeliveryReceipt, Failure, Fault, IncidentId, Recipient, Severity, Timestamp,
    config::ContactKind,
};

crate::promises! {
    every_delivery_that_began_is_listed_as_its_incident_has_it
    what_was_stored_before_the_list_was_is_in_it
    a_list_is_chosen_from_and_paged_without_a_gap
    whoever_carried_a_delivery_stays_named
    the_newest_failure_of_a_provider_is_found
}

fn failure(fault: Fault) -> Failure {
    Failure { permanent: true, ambiguous: false, detail: "no such number".to_owned(), retry_after_ms: None, fault }
}

/// Six incidents a minute apart: taken and shown, refused, taken, under way, tried again, answered while tried again.
fn lived(store: &mut Store) -> Life {
    store.config_put(CONFIG, "test", NOW, None).unwrap();
    let mut life = Life::begin(NOW);
    for place in 0..6 {
        let event = AlertEvent { severity: Severity::P0, ..trigger(&format!("db-{place}"), &format!("disk {place}")) };
        let message = life.hear("zabbix", None, vec![event]).unwrap();
        store.commit(&[message], &life.changes()).unwrap();
        let Some(Command::Deliver { incident, attempt, try_number, .. }) = life.sending.pop() else {
            panic!("no page")
        };
        let result = match place {
            0 | 2 => Some(Ok(Some("id-1".to_owned()))),
            1 => Some(Err(failure(Fault::Method))),
            3 => None,
            _ => Some(Err(Failure { permanent: false, ..failure(Fault::Unknown) })),
        };
        life.now = life.now.plus_ms(1_500);
        if let Some(result) = result {
            life.handle(Event::DeliveryFinished { incident, attempt, try_number, result });
        }
        store.commit(&[], &life.changes()).unwrap();
        match place {
            0 => {
                life.now = life.now.plus_ms(500);
                let receipt = DeliveryReceipt::Shown;
                life.handle(Event::DeliveryReceipt {
                    incident,
                    message: attempt,
                    receipt,
                    device: Some("Pixel".into()),
                });
            }
            5 => life.act(incident, Act::Ack { until: None }),
            _ => {}
        }
        store.commit(&[], &life.changes()).unwrap();
        life.sending.clear();
        life.now = life.now.plus_ms(60_000);
        life.handle(Event::Wake);
        store.commit(&[], &life.changes()).unwrap();
    }
    life
}

fn all(store: &mut Store) -> Vec<Sent> {
    store.deliveries(&DeliveryQuery { limit: 500, ..DeliveryQuery::default() }).unwrap().items
}

/// What incidents say themselves, the newest first. When an accepted one is given up, and when the next try is due, is no
/// part of the list.
fn told(store: &mut Store) -> Vec<(IncidentId, Attempt)> {
    let ids: Vec<IncidentId> = (1..=6).map(IncidentId).collect();
    let incidents = store.incidents_of(&ids).unwrap();
    let mut told: Vec<(IncidentId, Attempt)> = incidents
        .iter()
        .flat_map(|it| it.pages.iter().flat_map(|page| &page.attempts).map(|attempt| (it.id, attempt.clone())))
        .filter(|(_, attempt)| attempt.first_sent_at.is_some())
        .collect();
    told.sort_by_key(|(_, attempt)| std::cmp::Reverse((attempt.first_sent_at, attempt.id)));
    told.into_iter().map(|(id, attempt)| (id, Attempt { lease_until: None, ..attempt })).collect()
}

fn listed(store: &mut Store) -> Vec<(IncidentId, Attempt)> {
    let sent = all(store).into_iter();
    sent.map(|it| (it.incident, Attempt { lease_until: None, ..it.attempt })).collect()
}

fn every_delivery_that_began_is_listed_as_its_incident_has_it(place: &Place) {
    let mut store = place.writer();
    lived(&mut store);
    let listed = listed(&mut store);
    assert!(listed.len() >= 6, "{listed:?}");
    assert_eq!(listed, told(&mut store));
    let states: Vec<AttemptState> = listed.iter().map(|(_, it)| it.state).collect();
    for state in [AttemptState::Accepted, AttemptState::Failed, AttemptState::Cancelled] {
        assert!(states.contains(&state), "{states:?}");
    }
    let first = all(&mut store).pop().unwrap();
    assert_eq!((first.title.as_str(), first.severity), ("disk 0 on db-0", Severity::P0));
    assert_eq!((first.recipient, first.queued_at), (Recipient::Person("li".into()), NOW));
    assert_eq!(first.attempt.proof.unwrap().device.as_deref(), Some("Pixel"));
}

fn what_was_stored_before_the_list_was_is_in_it(place: &Place) {
    let mut store = place.writer();
    lived(&mut store);
    let before = listed(&mut store);
    // As a server of the version before left it.
    let mut stranger = place.stranger();
    let down = if place.is_sqlite() {
        include_str!("../../../migrations/sqlite/2026-11-22-000700_deliveries/down.sql")
    } else {
        include_str!("../../../migrations/postgres/2026-11-22-000700_deliveries/down.sql")
    };
    stranger.run(down).unwrap();
    stranger.run("DELETE FROM __diesel_schema_migrations WHERE version = '20261122000700'").unwrap();
    let mut store = place.bare();
    assert_eq!(store.migrate().unwrap().len(), 1);
    assert_eq!(listed(&mut store), before);
    let sent = all(&mut store);
    assert!(sent.iter().all(|it| it.provider == "smtp" && it.title.starts_with("disk ")), "{sent:?}");
    let of_li =
        DeliveryQuery { recipient: Some(Recipient::Person("li".into())), limit: 500, ..DeliveryQuery::default() };
    assert_eq!(store.deliveries(&of_li).unwrap().items, sent);
}

fn a_list_is_chosen_from_and_paged_without_a_gap(place: &Place) {
    let mut store = place.writer();
    lived(&mut store);
    let whole = all(&mut store);
    let mut query = DeliveryQuery { limit: 2, ..DeliveryQuery::default() };
    let mut paged = Vec::new();
    loop {
        let page = store.deliveries(&query).unwrap();
        paged.extend(page.items);
        query.before = page.next;
        if query.before.is_none() {
            break;
        }
    }
    assert_eq!(paged, whole);
    let mut chosen = |query: DeliveryQuery| {
        let query = DeliveryQuery { limit: 500, ..query };
        store.deliveries(&query).unwrap().items.iter().map(|it| it.incident.0).collect::<Vec<_>>()
    };
    let none = DeliveryQuery::default;
    assert_eq!(chosen(DeliveryQuery { states: vec![AttemptState::Failed], ..none() }).last(), Some(&2));
    let of_one = chosen(DeliveryQuery { incident: Some(IncidentId(3)), ..none() });
    assert!(!of_one.is_empty() && of_one.iter().all(|id| *id == 3), "{of_one:?}");
    assert_eq!(chosen(DeliveryQuery { severities: vec![Severity::P5], ..none() }), [] as [i64; 0]);
    assert_eq!(chosen(DeliveryQuery { channel: Some(ContactKind::Sms), ..none() }), [] as [i64; 0]);
    assert_eq!(chosen(DeliveryQuery { provider: Some("twilio".into()), ..none() }), [] as [i64; 0]);
    assert_eq!(chosen(DeliveryQuery { recipient: Some(Recipient::Webhook("li".into())), ..none() }), [] as [i64; 0]);
    assert_eq!(chosen(DeliveryQuery { until: Some(NOW.plus_ms(1)), ..none() }), [1]);
    assert_eq!(chosen(DeliveryQuery { from: Some(NOW.plus_ms(1)), ..none() }).len(), whole.len() - 1);
}

fn whoever_carried_a_delivery_stays_named(place: &Place) {
    let mut store = place.writer();
    store.config_put(CONFIG, "test", NOW, None).unwrap();
    let mut life = Life::begin(NOW);
    let message = life.hear("zabbix", None, vec![trigger("db-0", "disk")]).unwrap();
    let mut commit = |messages: &[_], life: &mut Life, provider: &'static str| {
        let changes = life.changes();
        let rows = Rows::of(messages, &changes, |_, _| provider.to_owned()).unwrap();
        store.commit_rows(rows, &changes).unwrap();
        all(&mut store).remove(0).provider
    };
    assert_eq!(commit(&[message], &mut life, "tencent"), "tencent");
    let Some(Command::Deliver { incident, attempt, try_number, .. }) = life.sending.pop() else { panic!("no page") };
    let again = Failure { permanent: false, ..failure(Fault::Unknown) };
    life.handle(Event::DeliveryFinished { incident, attempt, try_number, result: Err(again) });
    assert_eq!(commit(&[], &mut life, "aliyun"), "tencent", "the configuration names another by now");
    let (due, _) = life.engine.next_deadline().unwrap();
    life.now = due;
    life.handle(Event::Wake);
    assert_eq!(commit(&[], &mut life, "aliyun"), "aliyun", "which carries the next try");
}

fn the_newest_failure_of_a_provider_is_found(place: &Place) {
    let mut store = place.writer();
    lived(&mut store);
    let since = Timestamp::from_ms(0);
    let outcomes = store.delivery_outcomes(since).unwrap();
    assert_eq!(outcomes.len(), all(&mut store).len());
    assert!(outcomes.is_sorted_by_key(|it| it.sent_at));
    assert_eq!(outcomes[1].fault, Some(Fault::Method));
    assert!(store.last_failure("email", ContactKind::Email, since).unwrap().is_some());
    assert!(store.last_failure("twilio", ContactKind::Email, since).unwrap().is_none());
    assert_eq!(store.delivery_providers().unwrap(), ["email"]);
    assert!(store.delivery_outcomes(NOW.plus_ms(86_400_000)).unwrap().is_empty());
}
