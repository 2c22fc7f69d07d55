//! What people were sent, and storms: a restart forgets neither.

use crate::{
    life::{Life, trigger},
    world::{NOW, Place},
};
use engine::{Engine, Event, Snapshot};
use shared::{IncidentId, Timestamp};
use std::sync::Arc;

crate::promises! {
    a_restart_does_not_reset_what_limits_count
    a_storm_goes_on_after_a_restart_and_its_account_balances
}

const CALM: &str = r#"
fallback = ["person:li"]
people = [{ id = "li", name = "李雷", contacts = [{ id = "mail", email = "li@example.org" }] }]
limits = [{ contact = "email", messages = 1, within = "1h" }]
storm = { incidents = 3, within = "1m", calm = "2m" }
policies = [{ id = "all", levels = [{ notify = ["person:li"], delay = "5h" }] }]
routes = [{ id = "all", policy = "all" }]
[channels.email]
host = "mail.example"
from = "tocsin@example.org"
"#;

fn config() -> Arc<Snapshot> {
    Arc::new(Snapshot::compile(1, toml::from_str(CALM).unwrap()).unwrap())
}

fn life() -> Life {
    let mut life = Life::begin(NOW);
    life.engine = Engine::new(config());
    life
}

/// Begins a message each for what is due until then.
fn pass(engine: &mut Engine, from: Timestamp, ms: i64) -> usize {
    let (mut now, until, mut sent) = (from, from.plus_ms(ms), 0);
    while let Some((at, _)) = engine.next_deadline().filter(|(at, _)| *at <= until) {
        now = now.max(at);
        sent += engine.handle(now, Event::Wake).commands.len();
    }
    sent
}

fn a_restart_does_not_reset_what_limits_count(place: &Place) {
    let mut store = place.writer();
    let mut life = life();
    let messages: Vec<_> = (1..=2)
        .map(|n| life.hear("zabbix", None, vec![trigger(&format!("db-{n}"), &format!("disk {n}"))]).unwrap())
        .collect();
    assert_eq!(life.sending.len(), 1, "the limit is one message");
    store.commit(&messages, &life.changes()).unwrap();

    let restored = store.restore(NOW).unwrap();
    let [sends] = restored.sends.as_slice() else { panic!("{:?}", restored.sends) };
    assert_eq!((sends.person.as_str(), sends.contact.as_str()), ("li", "mail"));
    assert_eq!(sends.log.sent, [NOW]);
    let mut engine = Engine::restore(config(), restored, NOW);
    // The first is tried again when its lease ends; the second waits for the end of the hour.
    assert_eq!(engine.handle(NOW, Event::Wake).commands, []);
    let state = |engine: &Engine| engine.state.incidents.get(&IncidentId(2)).unwrap().pages[0].attempts[0].tries;
    pass(&mut engine, NOW, 3_599_999);
    assert_eq!(state(&engine), 0);
    pass(&mut engine, NOW.plus_ms(3_599_999), 1);
    assert_eq!(state(&engine), 1);
}

fn a_storm_goes_on_after_a_restart_and_its_account_balances(place: &Place) {
    let mut store = place.writer();
    let mut life = life();
    let hear = |life: &mut Life, n: i32| {
        life.hear("zabbix", None, vec![trigger(&format!("db-{n}"), &format!("disk {n}"))]).unwrap()
    };
    let messages: Vec<_> = (1..=4).map(|n| hear(&mut life, n)).collect();
    store.commit(&messages, &life.changes()).unwrap();
    let storms = store.storms(10).unwrap();
    assert_eq!((storms.len(), storms[0].incidents, storms[0].ended_at), (1, 4, None));
    assert_eq!(store.storm(IncidentId(3)).unwrap(), Some(storms[0].clone()), "the third made it one");

    let restored = store.restore(NOW).unwrap();
    assert_eq!(restored.openings.len(), 4);
    assert_eq!(restored.storm.as_ref(), Some(&storms[0]));
    life.engine = Engine::restore(config(), restored, NOW);
    life.now = NOW.plus_ms(30_000);
    let message = hear(&mut life, 5);
    store.commit(&[message], &life.changes()).unwrap();
    assert_eq!(store.storms(10).unwrap()[0].incidents, 5);
    pass(&mut life.engine, life.now, 600_000);
    store.commit(&[], &life.changes()).unwrap();
    let storms = store.storms(10).unwrap();
    let [storm] = storms.as_slice() else { panic!("{storms:?}") };
    assert!(storm.ended_at.is_some() && store.restore(NOW).unwrap().storm.is_none());
    assert_eq!((storm.dropped, storm.received, storm.outcomes.total()), (0, 3, 3), "{storm:?}");
    assert_eq!(storm.must_wait(), storm.deliveries.waiting, "{storm:?}");
    assert_eq!(storm.deliveries.waiting, 4, "the limit lets none of the four others go: {storm:?}");
}
