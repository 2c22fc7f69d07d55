//! The proof: what was sent and answered, in order, and not to be changed unseen.

use crate::{
    life::{CONFIG, Life, trigger},
    world::{NOW, Place, Stranger},
};
use engine::{Act, Command, Event};
use server::db::{ProofSpan, ProofVerdict, Store};
use shared::{IncidentId, api::ProofLink};

crate::promises! {
    deliveries_and_answers_have_a_link_each
    a_chain_goes_on_after_a_restart
    a_refused_commit_leaves_no_link
    the_database_refuses_to_change_the_proof
    one_changed_letter_is_found
    a_missing_link_is_found
    links_that_changed_places_are_found
    a_link_missing_at_the_end_is_found
    of_other_incidents_only_hashes_are_told
}

/// Two incidents, each paged, taken and answered; then one is resolved and the other one snoozed.
fn proved(place: &Place) -> Store {
    let mut store = place.writer();
    store.meta_put("instance", "tocsin").unwrap();
    store.config_put(CONFIG, "test", NOW, None).unwrap();
    let mut life = Life::begin(NOW);
    for host in ["db-1", "db-2"] {
        let message = life.hear("zabbix", None, vec![trigger(host, host)]).unwrap();
        store.commit(&[message], &life.changes()).unwrap();
        let Some(Command::Deliver { incident, attempt, try_number, .. }) = life.sending.pop() else {
            panic!("no page")
        };
        life.now = life.now.plus_ms(1_000);
        life.handle(Event::DeliveryFinished { incident, attempt, try_number, result: Ok(None) });
        life.act(incident, Act::Ack { until: None });
        store.commit(&[], &life.changes()).unwrap();
        life.now = life.now.plus_ms(60_000);
    }
    life.act(IncidentId(1), Act::Resolve);
    store.commit(&[], &life.changes()).unwrap();
    let until = life.now.plus_ms(3_600_000);
    life.act(IncidentId(2), Act::Snooze { until });
    store.commit(&[], &life.changes()).unwrap();
    store
}

fn links(store: &mut Store, only: Option<IncidentId>) -> Vec<ProofLink> {
    let span = match only {
        Some(id) => store.proof_of(id).unwrap().unwrap(),
        None => ProofSpan { first: 1, last: i64::MAX },
    };
    store.proof_links(span, only).unwrap().0
}

fn deliveries_and_answers_have_a_link_each(place: &Place) {
    let mut store = proved(place);
    let links = links(&mut store, None);
    let kinds: Vec<_> = links.iter().filter_map(|it| it.kind.as_deref()).collect();
    assert_eq!(kinds, ["paged", "delivery", "acked", "paged", "delivery", "acked", "resolved", "snoozed"]);
    assert!(links.iter().zip(1..).all(|(link, seq)| link.seq == seq));
    assert_eq!(links[1].key.as_deref(), Some("tocsin-1"));
    assert_eq!((links[2].key.as_deref(), links[2].actor.as_deref()), (Some(""), Some("li")));
    assert!(links[1].what.as_deref().unwrap().contains(r#""state":"accepted""#));
    let ProofVerdict::Intact { links: 8, head } = store.proof_verify().unwrap() else { panic!("it is whole") };
    assert_eq!(head, links[7].hash);
    let between = store.proof_between(NOW.plus_ms(1), NOW.plus_ms(1_500)).unwrap();
    assert_eq!(between, Some(ProofSpan { first: 2, last: 3 }));
    assert_eq!(store.proof_between(NOW.plus_ms(9_999_999), NOW.plus_ms(99_999_999)).unwrap(), None);
    assert_eq!(store.proof_of(IncidentId(9)).unwrap(), None);
}

fn a_chain_goes_on_after_a_restart(place: &Place) {
    drop(proved(place));
    let mut store = place.store();
    let restored = store.restore(NOW.plus_ms(200_000)).unwrap();
    let config = Life::begin(NOW).engine.config().clone();
    let now = NOW.plus_ms(200_000);
    let mut life = Life { engine: engine::Engine::restore(config, restored, now), now, sending: Vec::new() };
    life.act(IncidentId(2), Act::Resolve);
    store.commit(&[], &life.changes()).unwrap();
    assert!(matches!(store.proof_verify().unwrap(), ProofVerdict::Intact { links: 9, .. }));
}

fn a_refused_commit_leaves_no_link(place: &Place) {
    let mut store = place.writer();
    store.config_put(CONFIG, "test", NOW, None).unwrap();
    let mut life = Life::begin(NOW);
    let message = life.hear("zabbix", None, vec![trigger("db-1", "disk")]).unwrap();
    let changes = life.changes();
    place.store().restore(NOW).unwrap();
    place.stranger().run("UPDATE counters SET revision = revision + 1").unwrap();
    assert!(store.commit(&[message], &changes).is_err());
    assert!(matches!(store.proof_verify().unwrap(), ProofVerdict::Intact { links: 0, .. }));
}

fn the_database_refuses_to_change_the_proof(place: &Place) {
    drop(proved(place));
    let mut stranger = place.stranger();
    for sql in ["UPDATE proof SET actor = 'han' WHERE id = 1", "DELETE FROM proof WHERE id = 2"] {
        let error = stranger.run(sql).unwrap_err();
        assert!(error.contains("append-only"), "{error}");
    }
    if !place.is_sqlite() {
        assert!(stranger.run("TRUNCATE proof").unwrap_err().contains("append-only"));
    }
}

/// Somebody with the whole database does something to the proof; the number of the first link that is not as it was.
fn tampered(place: &Place, sql: &str) -> i64 {
    let mut store = proved(place);
    let mut stranger = place.stranger();
    match &mut stranger {
        Stranger::Sqlite(_) => stranger.run("DROP TRIGGER proof_keeps_rows; DROP TRIGGER proof_keeps_words").unwrap(),
        Stranger::Postgres(_) => stranger.run("ALTER TABLE proof DISABLE TRIGGER ALL").unwrap(),
    }
    stranger.run(sql).unwrap();
    match store.proof_verify().unwrap() {
        ProofVerdict::Broken { id, .. } => id,
        ProofVerdict::Intact { .. } => panic!("it was not noticed: {sql}"),
    }
}

fn one_changed_letter_is_found(place: &Place) {
    let letter = "UPDATE proof SET what = replace(what, 'accepted', 'acceptee') WHERE id = 2";
    assert_eq!(tampered(place, letter), 2);
}

fn a_missing_link_is_found(place: &Place) {
    assert_eq!(tampered(place, "DELETE FROM proof WHERE id = 2"), 2);
}

fn links_that_changed_places_are_found(place: &Place) {
    let swap = "UPDATE proof SET id = 99 WHERE id = 4; UPDATE proof SET id = 4 WHERE id = 5; UPDATE proof SET id = 5 WHERE id = 99";
    assert_eq!(tampered(place, swap), 4);
}

fn a_link_missing_at_the_end_is_found(place: &Place) {
    assert_eq!(tampered(place, "DELETE FROM proof WHERE id = 8"), 8);
}

fn of_other_incidents_only_hashes_are_told(place: &Place) {
    let mut store = proved(place);
    let of_one = links(&mut store, Some(IncidentId(2)));
    assert_eq!(of_one.iter().map(|it| it.seq).collect::<Vec<_>>(), [4, 5, 6, 7, 8]);
    let whole: Vec<_> = of_one.iter().filter(|it| it.incident == Some(IncidentId(2))).map(|it| it.seq).collect();
    assert_eq!(whole, [4, 5, 6, 8]);
    for withheld in of_one.iter().filter(|it| it.incident.is_none()) {
        let words = serde_json::to_value(withheld).unwrap();
        let mut told: Vec<_> = words.as_object().unwrap().keys().cloned().collect();
        told.sort();
        assert_eq!(told, ["content", "hash", "prev", "seq"]);
    }
    assert!(of_one.windows(2).all(|two| two[1].prev == two[0].hash));
}
