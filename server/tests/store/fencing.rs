//! One memory at a time: whoever is not up to date cannot write.

use crate::{
    life::{Life, trigger},
    world::{NOW, Place},
};
use engine::{Act, Engine};
use server::db::StoreError;
use shared::IncidentId;

crate::promises! {
    a_memory_that_is_not_the_newest_is_fenced
    whoever_has_not_restored_cannot_commit
    counters_never_go_backwards
    a_commit_that_happened_cannot_happen_again
    two_racing_writers_lose_nothing
}

fn fenced(result: Result<(), StoreError>) {
    match result.unwrap_err() {
        StoreError::Fenced { .. } => {}
        other => panic!("not fenced: {other}"),
    }
}

fn a_memory_that_is_not_the_newest_is_fenced(place: &Place) {
    let (mut first, mut second) = (place.writer(), place.writer());
    let (mut here, mut there) = (Life::begin(NOW), Life::begin(NOW));
    let message = here.hear("a", None, vec![trigger("db-01", "disk")]).unwrap();
    first.commit(&[message], &here.changes()).unwrap();

    let message = there.hear("b", None, vec![trigger("db-02", "disk")]).unwrap();
    fenced(second.commit(&[message], &there.changes()));
    // An action has no message that could collide; it is fenced all the same.
    let restored = second.restore(NOW).unwrap();
    there.engine = Engine::restore(there.engine.config().clone(), restored, NOW);
    here.act(IncidentId(1), Act::Ack { until: None });
    there.act(IncidentId(1), Act::Resolve);
    second.commit(&[], &there.changes()).unwrap();
    fenced(first.commit(&[], &here.changes()));
    assert_eq!(first.incident(IncidentId(1)).unwrap().unwrap().resolved_at, Some(NOW));
}

fn whoever_has_not_restored_cannot_commit(place: &Place) {
    let mut store = place.store();
    let mut life = Life::begin(NOW);
    let message = life.hear("a", None, vec![trigger("db-01", "disk")]).unwrap();
    fenced(store.commit(&[message], &life.changes()));
}

fn counters_never_go_backwards(place: &Place) {
    let mut store = place.writer();
    let mut life = Life::begin(NOW);
    let message = life.hear("a", None, vec![trigger("db-01", "disk")]).unwrap();
    store.commit(&[message], &life.changes()).unwrap();
    life.act(IncidentId(1), Act::Ack { until: None });
    let mut changes = life.changes();
    changes.counters.page -= 1;
    changes.counters.event = 0;
    fenced(store.commit(&[], &changes));
    assert_eq!(store.restore(NOW).unwrap().counters, life.engine.state.counters);
}

fn a_commit_that_happened_cannot_happen_again(place: &Place) {
    // As after a lost connection: the memory does not know that its commit arrived.
    let (mut store, mut memory) = (place.writer(), place.writer());
    let mut life = Life::begin(NOW);
    let message = life.hear("a", None, vec![trigger("db-01", "disk")]).unwrap();
    let changes = life.changes();
    store.commit(std::slice::from_ref(&message), &changes).unwrap();
    fenced(memory.commit(&[message], &changes));
}

fn two_racing_writers_lose_nothing(place: &Place) {
    const EACH: i64 = 25;
    drop(place.store());
    std::thread::scope(|scope| {
        for from in ["a", "b"] {
            scope.spawn(move || {
                let mut store = place.bare();
                let mut life = Life::begin(NOW);
                let mut done = 0;
                while done < EACH {
                    let restored = store.restore(NOW).unwrap();
                    life.engine = Engine::restore(life.engine.config().clone(), restored, NOW);
                    let message = life.hear(from, None, vec![trigger("db", &format!("{from}{done}"))]).unwrap();
                    match store.commit(&[message], &life.changes()) {
                        Ok(()) => done += 1,
                        Err(StoreError::Fenced { .. }) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
            });
        }
    });
    let restored = place.store().restore(NOW).unwrap();
    assert_eq!(restored.counters.event, 2 * EACH);
    assert_eq!(restored.alerts.len() as i64, 2 * EACH);
}
