//! What is stored can be replayed: every message in its order, and what people answered, without writing anything.

use crate::{
    life::{CONFIG, Life},
    world::{DAY, HOUR, NOW, Place},
};
use engine::{
    Act, Event, Ingested, Snapshot,
    normalize::{Source, normalize},
    replay::Span,
};
use server::{
    db::{Message, Readers, Store},
    replay::{Order, replay},
};
use shared::{
    EventId, IncidentId, Severity, Timestamp,
    api::{Answers, Replayed, Unpaged},
    config::Integration,
};
use std::{ops::ControlFlow, sync::Arc};

crate::promises! {
    a_replay_pages_whom_the_engine_paged
    a_draft_is_compared_with_what_is_in_force
    messages_are_found_by_their_time_and_read_in_order
}

/// A message as a sender writes it, decided on by the engine.
fn hear(life: &mut Life, after_ms: i64, body: &str) -> Message {
    life.now = NOW.plus_ms(after_ms);
    let integration = Integration::undeclared("falcon".into());
    let source =
        Source { integration: &integration, content_type: None, format: None, peer: None, received_at: life.now };
    let events = normalize(&source, body.as_bytes()).events.into_iter().map(|it| it.event).collect();
    let heard = Ingested {
        integration: integration.id,
        key: None,
        events,
        rejected: Vec::new(),
        places: Vec::new(),
        replayed: false,
    };
    let effects = life.handle(Event::Ingested(heard));
    let mut message = life.hear("other", None, Vec::new()).unwrap();
    (message.id, message.integration) = (effects.event.unwrap(), "falcon".into());
    (message.body, message.outcomes) = (body.as_bytes().to_vec(), effects.outcomes);
    message
}

/// A P1 that is answered after two minutes, and a P0 that nobody answers.
fn night(place: &Place) -> Store {
    let mut store = place.writer();
    let mut life = Life::begin(NOW);
    let mut messages = vec![hear(&mut life, 0, "[P1][PROBLEM][db-1][10.0.0.1][down]")];
    life.now = NOW.plus_ms(120_000);
    life.act(IncidentId(1), Act::Ack { until: None });
    messages.push(hear(&mut life, 180_000, "[P0][PROBLEM][db-2][10.0.0.2][down]"));
    messages.push(hear(&mut life, 240_000, "[P3][PROBLEM][lab-1][10.0.0.3][odd]"));
    store.commit(&messages, &life.changes()).unwrap();
    store
}

fn compiled(text: &str) -> Arc<Snapshot> {
    Arc::new(Snapshot::compile(1, toml::from_str(text).unwrap()).unwrap())
}

fn told(place: &Place, draft: Option<&str>, answers: Answers) -> Replayed {
    let span = Span { from: NOW, until: NOW.plus_ms(HOUR) };
    let order = Order { running: compiled(CONFIG), draft: draft.map(compiled), span, answers };
    replay(&Readers::new(place.url.clone(), 1), order, |_| ControlFlow::Continue(())).unwrap()
}

fn a_replay_pages_whom_the_engine_paged(place: &Place) {
    let mut store = night(place);
    let before = store.events(&server::db::EventQuery { limit: 100, ..Default::default() }).unwrap();
    let nobody = told(place, None, Answers::Nobody).running;
    assert_eq!((nobody.messages, nobody.incidents, nobody.pages), (3, 3, 2));
    assert_eq!(nobody.list[0].at, NOW);
    assert_eq!(nobody.list[1].alert.severity, Severity::P0);
    let reasons: Vec<(Unpaged, u64)> = nobody.unpaged.iter().map(|it| (it.why, it.alerts)).collect();
    assert_eq!(reasons, [(Unpaged::NoRoute, 1)]);
    let as_it_was = told(place, None, Answers::AsItWas).running;
    assert_eq!(as_it_was.pages, 3, "the acknowledgement of the P1 ran out after half an hour, and it pages again");
    assert!(as_it_was.reminders < nobody.reminders, "{} {}", as_it_was.reminders, nobody.reminders);
    let after = store.events(&server::db::EventQuery { limit: 100, ..Default::default() }).unwrap();
    assert_eq!(before, after);
}

fn a_draft_is_compared_with_what_is_in_force(place: &Place) {
    night(place);
    let deaf = CONFIG.replace("fallback = [\"person:li\"]", "").replace("host=~\\\"db-.*\\\"", "host=db-1");
    let diff = told(place, Some(&deaf), Answers::Nobody).diff.unwrap();
    assert_eq!((diff.lost_p0, diff.lost_total), (1, 1));
    assert_eq!((diff.lost[0].alert.severity, diff.lost[0].alert.host.as_deref()), (Severity::P0, Some("db-2")));
    assert_eq!(diff.lost[0].why, Unpaged::NobodyReached);
}

fn messages_are_found_by_their_time_and_read_in_order(place: &Place) {
    let mut store = place.writer();
    assert_eq!(store.last_event_before(NOW).unwrap(), EventId(0));
    assert!(store.messages_after(EventId(0)).unwrap().is_empty());
    let mut life = Life::begin(NOW);
    let messages: Vec<Message> =
        (0..600).map(|n| hear(&mut life, n * DAY / 100, "[P3][PROBLEM][lab-1][10.0.0.3][odd]")).collect();
    let ids: Vec<EventId> = messages.iter().map(|message| message.id).collect();
    store.commit(&messages, &life.changes()).unwrap();
    let last_before = |store: &mut Store, at: Timestamp| store.last_event_before(at).unwrap();
    assert_eq!(last_before(&mut store, NOW), EventId(ids[0].0 - 1));
    assert!((ids[249]..ids[250]).contains(&last_before(&mut store, NOW.plus_ms(250 * DAY / 100))));
    assert!(last_before(&mut store, NOW.plus_ms(30 * DAY)) >= ids[599]);
    let mut read = Vec::new();
    let mut last = EventId(0);
    loop {
        let some = store.messages_after(last).unwrap();
        let Some(newest) = some.last() else { break };
        last = newest.id;
        read.extend(some.into_iter().map(|message| message.id));
    }
    assert_eq!(read, ids);
}
