//! A restart: what was due comes at its time, also when the machine's clock was set meanwhile.

use engine::{
    Command, Engine, Event, Ingested, SilenceAct, Snapshot,
    normalize::{Source, normalize},
    sim::Store,
};
use shared::{Delay, SilenceKind, SilenceRequest, Timestamp, config::Integration, timeline::Actor};
use std::{collections::BTreeSet, sync::Arc};

const NOW: Timestamp = Timestamp::from_ms(1_795_244_400_000);
const HOUR_MS: i64 = 3_600_000;
const CONFIG: &str = r#"
fallback = ["person:li"]
people = [{ id = "li", name = "Li", contacts = [{ id = "mail", email = "l@example.org" }] }]
[[policies]]
id = "db"
levels = [{ notify = ["person:li"], delay = "5m" }, { notify = ["person:li"], delay = "5m" }]
[[routes]]
id = "all"
policy = "db"
"#;

/// A P0 at [`NOW`], whose second level is due in five minutes; then the process ends.
fn killed() -> Store {
    let config = Arc::new(Snapshot::compile(1, toml::from_str(CONFIG).unwrap()).unwrap());
    let mut store = Store::new(config.clone());
    let mut engine = Engine::new(config);
    let integration: Integration = toml::from_str("id = \"falcon\"\nname = \"falcon\"").unwrap();
    let source = Source { integration: &integration, content_type: None, format: None, peer: None, received_at: NOW };
    let events = normalize(&source, b"[P0][PROBLEM][db-07][10.1.2.3][host is down]").events;
    let events = events.into_iter().map(|parsed| parsed.event).collect();
    let message = Ingested {
        integration: "falcon".into(),
        key: None,
        events,
        rejected: Vec::new(),
        places: Vec::new(),
        replayed: false,
    };
    for command in engine.handle(NOW, Event::Ingested(message)).commands {
        let Command::Deliver { incident, attempt, try_number, .. } = command;
        engine.handle(NOW, Event::DeliveryFinished { incident, attempt, try_number, result: Ok(None) });
    }
    store.apply(NOW, engine.take_changes()).unwrap();
    store
}

/// When the second level comes after a restart at `now`.
fn second_level(now: Timestamp) -> Delay {
    let mut engine = killed().restore(now);
    let mut at = now;
    while engine.state.incidents.values().all(|incident| incident.pages.len() < 2) {
        let (due, _) = engine.next_deadline().unwrap();
        at = at.max(due);
        engine.handle(at, Event::Wake);
    }
    Delay(at.ms_since(now))
}

#[test]
fn a_level_keeps_its_time_over_a_restart() {
    assert_eq!(second_level(NOW.plus_ms(60_000)), Delay(240_000));
    assert_eq!(second_level(NOW.plus_ms(HOUR_MS)), Delay(0));
}

/// 500 machines are down, 50 of them silenced (n9e #1131, Alertmanager #4064, OnCall #1206).
#[test]
fn a_restart_with_five_hundred_open_and_fifty_silenced_sends_only_what_is_due() {
    // Nothing is collected: every page that is due can be counted.
    let all_at_once = format!("limits = []\nstorm = {{ incidents = 0 }}\n{CONFIG}");
    let config = Arc::new(Snapshot::compile(1, toml::from_str(&all_at_once).unwrap()).unwrap());
    let (mut store, mut engine) = (Store::new(config.clone()), Engine::new(config));
    let silence = SilenceRequest {
        matches: vec!["host=~quiet-.*".to_owned()],
        reason: "moving".to_owned(),
        ends_at: Some(NOW.plus_ms(HOUR_MS)),
        kind: SilenceKind::Silence,
        starts_at: None,
        until_recovered: false,
        recurs: None,
        author: None,
    };
    let by = Actor::Account { login: "li".to_owned() };
    engine.handle(NOW, Event::Silence { by, act: SilenceAct::Begin(silence) });
    let integration: Integration = toml::from_str("id = \"falcon\"\nname = \"falcon\"").unwrap();
    let source = Source { integration: &integration, content_type: None, format: None, peer: None, received_at: NOW };
    let mut waiting = Vec::new();
    for n in 0..500 {
        let kind = if n % 10 == 0 { "quiet" } else { "db" };
        let line = format!("[P1][PROBLEM][{kind}-{n}][10.1.{}.{}][host is down]", n / 250, n % 250);
        let events = normalize(&source, line.as_bytes()).events.into_iter().map(|parsed| parsed.event).collect();
        let message = Ingested {
            integration: "falcon".into(),
            key: None,
            events,
            rejected: Vec::new(),
            places: Vec::new(),
            replayed: false,
        };
        waiting.extend(engine.handle(NOW, Event::Ingested(message)).commands);
    }
    // Every slot that becomes free sends the next page.
    let mut sent = 0;
    while let Some(command) = waiting.pop() {
        sent += command.incidents().count();
        let Command::Deliver { incident, attempt, try_number, .. } = command;
        waiting.extend(
            engine.handle(NOW, Event::DeliveryFinished { incident, attempt, try_number, result: Ok(None) }).commands,
        );
    }
    assert_eq!((engine.state.incidents.len(), sent), (500, 450));
    store.apply(NOW, engine.take_changes()).unwrap();

    let restarted = NOW.plus_ms(60_000);
    let mut engine = store.restore(restarted);
    for at in (60..300).map(|second| NOW.plus_ms(second * 1_000)) {
        assert_eq!(engine.handle(at, Event::Wake).commands, [], "{} s after the alerts", at.ms_since(NOW) / 1_000);
    }
    let due = NOW.plus_ms(300_000);
    let mut waiting = engine.handle(due, Event::Wake).commands;
    let mut paged = BTreeSet::new();
    while let Some(command) = waiting.pop() {
        assert!(command.incidents().all(|it| paged.insert(it)), "an incident is paged twice: {command:?}");
        let Command::Deliver { incident, attempt, try_number, .. } = command;
        waiting.extend(
            engine.handle(due, Event::DeliveryFinished { incident, attempt, try_number, result: Ok(None) }).commands,
        );
    }
    let host = |id| engine.state.incidents.get(id).unwrap().host.as_deref();
    let quiet = |id| host(id).is_some_and(|host| host.starts_with("quiet"));
    assert_eq!((paged.len(), paged.iter().any(quiet)), (450, false));
}

#[test]
fn a_clock_that_was_set_back_makes_nobody_wait_for_it() {
    assert_eq!(second_level(NOW.plus_ms(-HOUR_MS)), Delay(300_000));
}
