//! A restart: what was due comes at its time, also when the machine's clock was set meanwhile.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use engine::{
    Command, Engine, Event, Ingested, Snapshot,
    normalize::{Source, normalize},
    sim::Store,
};
use shared::{Delay, Timestamp, config::Integration};
use std::sync::Arc;

const NOW: Timestamp = Timestamp(1_795_244_400_000);
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
    let source = Source { integration: &integration, content_type: None, format: None, received_at: NOW };
    let events = normalize(&source, b"[P0][PROBLEM][db-07][10.1.2.3][host is down]").events;
    let events = events.into_iter().map(|parsed| parsed.event).collect();
    let message = Ingested { integration: "falcon".into(), key: None, events, rejected: Vec::new() };
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

#[test]
fn a_clock_that_was_set_back_makes_nobody_wait_for_it() {
    assert_eq!(second_level(NOW.plus_ms(-HOUR_MS)), Delay(300_000));
}
