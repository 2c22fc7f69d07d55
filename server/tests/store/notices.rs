//! Notices: a maintenance that is over stays in memory until everybody was told of it, and is in the record of acts.

use crate::{
    life::{Life, resolve, trigger},
    world::{HOUR, NOW, Place},
};
use engine::{Event, SilenceAct};
use shared::{SilenceKind, SilenceRequest, timeline::Actor};

crate::promises! {
    a_maintenance_that_is_over_is_restored_until_everybody_was_told
}

fn a_maintenance_that_is_over_is_restored_until_everybody_was_told(place: &Place) {
    let mut store = place.writer();
    let mut life = Life::begin(NOW);
    let request = SilenceRequest {
        kind: SilenceKind::Maintenance,
        matches: vec!["host=~\"db-.*\"".to_owned()],
        ends_at: Some(NOW.plus_ms(HOUR)),
        reason: "换盘 new disks".to_owned(),
        ..SilenceRequest::default()
    };
    let by = Actor::Account { login: "ops".to_owned() };
    life.handle(Event::Silence { by, act: SilenceAct::Begin(request) });
    let messages: Vec<_> = [
        life.hear("falcon", None, vec![trigger("db-1", "disk 1"), trigger("db-2", "disk 2")]),
        life.hear("falcon", None, vec![resolve("db-1", "disk 1")]),
    ]
    .into_iter()
    .flatten()
    .collect();
    let changes = life.changes();
    store.commit(&messages, &changes).unwrap();
    assert!(store.audit_list(None, 10).unwrap().is_empty());

    life.now = NOW.plus_ms(HOUR);
    let tell = life.handle(Event::Wake).notices.pop().unwrap();
    let changes = life.changes();
    store.commit(&[], &changes).unwrap();
    let acts = store.audit_list(None, 10).unwrap();
    assert_eq!(acts.len(), 1);
    assert_eq!((acts[0].action.as_str(), acts[0].object.as_str()), ("maintenance.digest", "1"));
    assert_eq!(acts[0].detail, "2 kept quiet, 1 recovered alone, 1 still firing; told: li");
    let restored = place.store().restore(life.now).unwrap();
    assert_eq!(restored.silences.len(), 1, "Li was not told yet");
    assert!(restored.silences[0].ended.is_some() && restored.silences[0].digests.len() == 1);

    let (silence, attempt, try_number) = (tell.silence, tell.attempt, tell.try_number);
    life.handle(Event::NoticeFinished { silence, attempt, try_number, result: Ok(None) });
    let changes = life.changes();
    // Restoring made the other store the one that may write.
    let mut store = place.store();
    store.restore(life.now).unwrap();
    store.commit(&[], &changes).unwrap();
    assert!(place.store().restore(life.now).unwrap().silences.is_empty());
    let over = store.silence(silence).unwrap().unwrap();
    assert_eq!(over.digests[0].gone[0].title, "disk 1 on db-1");
    assert_eq!(store.silences_ended(NOW, 10).unwrap(), [over]);
}
