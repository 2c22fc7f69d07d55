//! What Prometheus stops telling: marked at the end it stated, closed a while later, and neither where that is configured.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use super::notices::{at, engine};
use engine::{
    Engine, Event, Ingested,
    normalize::{ALERTMANAGER_API, Source, normalize},
};
use shared::{AlertId, IncidentId, IncidentState, Timestamp, config::Integration};

/// The house, in which Prometheus has settings of its own.
fn house(settings: &str) -> Engine {
    engine(&format!("[[integrations]]\nid = \"prometheus\"\n{settings}"))
}

/// Prometheus tells that a host is down, until four minutes later.
fn tell(engine: &mut Engine, minute: i64) {
    let ends = jiff::Timestamp::from_millisecond(at(minute + 4).ms()).unwrap();
    let body = format!(
        "[{{\"labels\":{{\"alertname\":\"Down\",\"severity\":\"page\"}},\"startsAt\":\"2026-11-22T00:00:00Z\",\
         \"endsAt\":\"{ends}\"}}]"
    );
    let integration = Integration::undeclared("prometheus".into());
    let source = Source {
        integration: &integration,
        content_type: Some("application/json"),
        format: Some(ALERTMANAGER_API),
        peer: None,
        received_at: at(minute),
    };
    let events = normalize(&source, body.as_bytes()).events.into_iter().map(|parsed| parsed.event).collect();
    let message = Ingested {
        integration: integration.id,
        key: None,
        events,
        rejected: Vec::new(),
        places: Vec::new(),
        replayed: false,
    };
    engine.handle(at(minute), Event::Ingested(message));
}

fn pass(engine: &mut Engine, until: Timestamp) {
    while let Some((due, _)) = engine.next_deadline().filter(|(due, _)| *due <= until) {
        engine.handle(due, Event::Wake);
    }
}

/// Whether the first alert is marked as stale; none when it is over.
fn is_stale(engine: &Engine) -> Option<bool> {
    engine.state.alerts.get(&AlertId(1)).map(|alert| alert.stale_at.is_some())
}

#[test]
fn it_holds_as_long_as_it_is_told_again_and_five_minutes_more() {
    let mut engine = house("");
    for minute in 0..10 {
        tell(&mut engine, minute);
        pass(&mut engine, at(minute));
    }
    // The last said until the thirteenth minute.
    pass(&mut engine, at(12));
    assert_eq!(is_stale(&engine), Some(false));
    pass(&mut engine, at(14));
    assert_eq!(is_stale(&engine), Some(true));
    pass(&mut engine, at(17));
    assert_eq!(is_stale(&engine), Some(true));
    pass(&mut engine, at(19));
    assert_eq!(is_stale(&engine), None);
    // Told again later, it is a new one.
    tell(&mut engine, 30);
    assert_eq!(engine.state.incidents.get(&IncidentId(2)).unwrap().state, IncidentState::Triggered);
}

#[test]
fn it_stays_open_where_that_is_configured() {
    for more in ["stale = \"mark\"", "stale_after = \"4m\""] {
        let mut engine = house(more);
        tell(&mut engine, 0);
        pass(&mut engine, at(600));
        assert_eq!(is_stale(&engine), Some(true), "{more}");
    }
}

#[test]
fn told_again_after_it_was_marked_it_is_not_closed() {
    let mut engine = house("");
    tell(&mut engine, 0);
    pass(&mut engine, at(6));
    assert_eq!(is_stale(&engine), Some(true));
    tell(&mut engine, 6);
    assert_eq!(is_stale(&engine), Some(false));
    pass(&mut engine, at(9));
    assert_eq!(is_stale(&engine), Some(false));
}
