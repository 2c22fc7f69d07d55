//! Heartbeats: how they stand comes back, with the alert that the engine raised itself.

use crate::{
    life::CONFIG,
    world::{HOUR, NOW, Place},
};
use engine::{Engine, Event, Snapshot};
use server::db::{NewToken, TokenKind};
use shared::{Action, MarkKind, Signal, timeline::Outcome};
use std::sync::Arc;

crate::promises! {
    how_a_heartbeat_stands_comes_back_with_its_alert
    the_tokens_of_a_heartbeat_are_revoked_by_its_name
}

fn how_a_heartbeat_stands_comes_back_with_its_alert(place: &Place) {
    let mut store = place.writer();
    let toml =
        format!("{CONFIG}\n[[heartbeats]]\nid = \"备份\"\ninterval = \"1h\"\ngrace = \"0s\"\nseverity = \"P1\"\n");
    store.config_put(&toml, "test", NOW, None).unwrap();
    let mut engine = Engine::new(Arc::new(Snapshot::compile(1, toml::from_str(&toml).unwrap()).unwrap()));
    for ms in [0, 60_000] {
        let note = "812 files\0".to_owned();
        engine.handle(NOW.plus_ms(ms), Event::Beat { heartbeat: "备份".into(), signal: Signal::Beat, note });
        store.commit(&[], &engine.take_changes()).unwrap();
    }
    engine.handle(NOW.plus_ms(60_000 + HOUR), Event::Wake);
    let changes = engine.take_changes();
    assert_eq!(changes.own.len(), 1);
    store.commit(&[], &changes).unwrap();

    let mut other = place.store();
    let restored = other.restore(NOW.plus_ms(2 * HOUR)).unwrap();
    assert_eq!(restored.pulses, engine.state.pulses.values().cloned().collect::<Vec<_>>());
    let kinds: Vec<_> = restored.pulses[0].marks.iter().map(|mark| mark.kind).collect();
    assert_eq!(kinds, [MarkKind::Beat, MarkKind::Beat, MarkKind::Missed]);
    let first = restored.alerts.values().next().unwrap();
    assert_eq!((restored.alerts.len(), first.first_event), (1, changes.own[0].id));
    // What it raised itself is a message like any other: it says what the alert says when it is read again.
    let message = other.event(changes.own[0].id).unwrap().unwrap();
    assert!(matches!(message.outcomes[..], [Outcome::Opened { .. }]));
    let integration = shared::config::Integration::undeclared(message.integration.clone());
    let source = engine::normalize::Source {
        integration: &integration,
        content_type: Some(&message.content_type),
        format: None,
        peer: None,
        received_at: message.received_at,
    };
    let read = engine::normalize::normalize(&source, &message.body).events.remove(0).event;
    let alert = &first.event;
    assert_eq!((read.action, &read.summary, &read.dedup_key), (Action::Trigger, &alert.summary, &alert.dedup_key));
    assert_eq!((read.severity, &read.labels), (alert.severity, &alert.labels));
}

fn the_tokens_of_a_heartbeat_are_revoked_by_its_name(place: &Place) {
    let mut store = place.store();
    let kind = TokenKind::Heartbeat;
    for (hash, name) in [("a", "job"), ("b", "job"), ("c", "other")] {
        let new = NewToken { kind, name, integration: None, role: None, hash, hint: "thb_AbCd", created_by: "cli" };
        store.token_create(&new, NOW).unwrap();
    }
    assert_eq!(store.tokens_revoke_named(TokenKind::Api, "job", NOW).unwrap(), 0);
    assert_eq!(store.tokens_revoke_named(kind, "job", NOW).unwrap(), 2);
    assert_eq!(store.tokens_revoke_named(kind, "job", NOW).unwrap(), 0);
    assert_eq!(store.tokens(kind).unwrap().iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["other"]);
}
