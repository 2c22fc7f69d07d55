//! The record of acts: complete, in order, and not to be changed unseen.

use crate::world::{NOW, Place, Stranger, refused};
use server::db::{AuditEntry, AuditVerdict, Refused, Store};

crate::promises! {
    acts_are_listed_newest_first
    a_change_and_its_record_are_one
    two_who_act_at_once_make_one_chain
    the_database_refuses_to_change_the_record
    a_changed_word_is_detected
    a_missing_row_is_detected
    a_row_missing_at_the_end_is_detected
    a_moved_border_between_fields_is_detected
}

fn entry(n: usize) -> AuditEntry {
    AuditEntry {
        at: NOW,
        actor: "li".into(),
        action: "account.create".into(),
        object: format!("account:用户{n}"),
        detail: "with\0nul".into(),
        outcome: "ok".into(),
    }
}

fn recorded(place: &Place, count: usize) -> Store {
    let mut store = place.store();
    for n in 1..=count {
        assert_eq!(store.audit_append(&entry(n)).unwrap(), n as i64);
    }
    assert_eq!(store.audit_verify().unwrap(), AuditVerdict::Intact { entries: count as i64 });
    store
}

fn acts_are_listed_newest_first(place: &Place) {
    let mut store = recorded(place, 5);
    let rows = store.audit_list(None, 2).unwrap();
    assert_eq!(rows.iter().map(|row| row.id).collect::<Vec<_>>(), [5, 4]);
    assert_eq!((rows[0].object.as_str(), rows[0].detail.as_str()), ("account:用户5", "with\u{fffd}nul"));
    let rows = store.audit_list(Some(4), 10).unwrap();
    assert_eq!(rows.iter().map(|row| row.id).collect::<Vec<_>>(), [3, 2, 1]);
}

fn a_change_and_its_record_are_one(place: &Place) {
    let mut store = place.store();
    let version = store.audited(&entry(1), |store| store.config_put("# one", "li", NOW, Some(0))).unwrap();
    assert_eq!(version, 1);
    // Refused half way: neither the first change nor the record of it stays.
    let result = store.audited(&entry(2), |store| {
        store.config_put("# two", "li", NOW, None)?;
        store.config_put("# three", "li", NOW, Some(0))
    });
    assert_eq!(refused(result), Refused::ConfigMoved { expected: 0, found: 2 });
    assert_eq!(store.config_number().unwrap(), 1);
    // A panic leaves nothing either, and the connection works on.
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        store.audited(&entry(3), |store| -> Result<(), _> {
            store.config_put("# four", "li", NOW, None)?;
            panic!("on purpose")
        })
    }));
    assert!(panicked.is_err());
    assert_eq!(store.config_number().unwrap(), 1);
    store.audited(&entry(4), |store| store.config_put("# five", "li", NOW, None)).unwrap();
    assert_eq!(place.bare().config_number().unwrap(), 2);
    assert_eq!(store.audit_verify().unwrap(), AuditVerdict::Intact { entries: 2 });
}

fn two_who_act_at_once_make_one_chain(place: &Place) {
    drop(place.store());
    std::thread::scope(|scope| {
        for thread in 0..2 {
            scope.spawn(move || {
                let mut store = place.bare();
                for n in 0..20 {
                    store.audited(&entry(n), |store| store.meta_put(&format!("{thread}"), &n.to_string())).unwrap();
                }
            });
        }
    });
    assert_eq!(place.store().audit_verify().unwrap(), AuditVerdict::Intact { entries: 40 });
}

fn the_database_refuses_to_change_the_record(place: &Place) {
    recorded(place, 2);
    let mut stranger = place.stranger();
    for sql in ["UPDATE audit SET actor = 'han' WHERE id = 1", "DELETE FROM audit WHERE id = 2"] {
        let error = stranger.run(sql).unwrap_err();
        assert!(error.contains("append-only"), "{error}");
    }
    if !place.is_sqlite() {
        assert!(stranger.run("TRUNCATE audit").unwrap_err().contains("append-only"));
    }
}

/// Somebody with the whole database does something to the record.
fn tampered(place: &Place, sql: &str) -> AuditVerdict {
    let mut store = recorded(place, 5);
    let mut stranger = place.stranger();
    match &mut stranger {
        Stranger::Sqlite(_) => stranger.run("DROP TRIGGER audit_keeps_rows; DROP TRIGGER audit_keeps_words").unwrap(),
        Stranger::Postgres(_) => stranger.run("ALTER TABLE audit DISABLE TRIGGER ALL").unwrap(),
    }
    stranger.run(sql).unwrap();
    store.audit_verify().unwrap()
}

fn broken(verdict: &AuditVerdict) -> i64 {
    match verdict {
        AuditVerdict::Broken { id, .. } => *id,
        AuditVerdict::Intact { .. } => panic!("it was not noticed"),
    }
}

fn a_changed_word_is_detected(place: &Place) {
    assert_eq!(broken(&tampered(place, "UPDATE audit SET outcome = 'refused' WHERE id = 3")), 3);
}

fn a_missing_row_is_detected(place: &Place) {
    assert_eq!(broken(&tampered(place, "DELETE FROM audit WHERE id = 2")), 2);
}

fn a_row_missing_at_the_end_is_detected(place: &Place) {
    assert_eq!(broken(&tampered(place, "DELETE FROM audit WHERE id = 5")), 5);
}

fn a_moved_border_between_fields_is_detected(place: &Place) {
    let sql = "UPDATE audit SET actor = 'lia', action = 'ccount.create' WHERE id = 4";
    assert_eq!(broken(&tampered(place, sql)), 4);
}
