//! Where the database is: one deciding server, connections that come and go, and what an operator is told.

use crate::{
    life::{Life, trigger},
    world::{self, NOW, Place},
};
use e2e::postgres::{Durability, Server};
use server::db::{DatabaseUrl, LockError, Readers, Store, StoreError, WriterLock};
use std::sync::atomic::{AtomicUsize, Ordering};

crate::promises! {
    one_server_decides
    a_database_that_is_held_is_busy_and_nothing_is_stored
    readers_share_a_few_connections
    a_reader_that_panics_takes_only_its_own_connection
}

fn one_server_decides(place: &Place) {
    let mut lock = WriterLock::acquire(&place.url).unwrap();
    assert!(lock.still_held());
    match WriterLock::acquire(&place.url) {
        Err(error @ LockError::Taken { .. }) => assert!(error.to_string().contains("another Tocsin server"), "{error}"),
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("two servers decide"),
    }
    // The lock keeps nobody else from the database.
    place.writer();
    drop(lock);
    WriterLock::acquire(&place.url).unwrap();
}

fn a_database_that_is_held_is_busy_and_nothing_is_stored(place: &Place) {
    let mut store = place.writer();
    let mut life = Life::begin(NOW);
    let message = life.hear("zabbix", None, vec![trigger("db-01", "disk")]).unwrap();
    let changes = life.changes();
    let mut stranger = place.stranger();
    let hold = if place.is_sqlite() { "BEGIN IMMEDIATE" } else { "BEGIN; LOCK TABLE counters" };
    stranger.run(hold).unwrap();
    let error = store.commit(std::slice::from_ref(&message), &changes).unwrap_err();
    assert!(matches!(error, StoreError::Busy { .. }), "{error}");
    assert!(error.is_transient());
    stranger.run("ROLLBACK").unwrap();
    assert!(store.event(message.id).unwrap().is_none());
    // The same commit, repeated, is taken.
    store.commit(std::slice::from_ref(&message), &changes).unwrap();
}

fn readers_share_a_few_connections(place: &Place) {
    drop(place.store());
    let readers = Readers::new(place.url.clone(), 2);
    let (at_once, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..10 {
                    readers
                        .with(|store| {
                            most.fetch_max(at_once.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                            let number = store.config_number();
                            at_once.fetch_sub(1, Ordering::SeqCst);
                            number
                        })
                        .unwrap();
                }
            });
        }
    });
    assert!(most.load(Ordering::SeqCst) <= 2);
}

fn a_reader_that_panics_takes_only_its_own_connection(place: &Place) {
    drop(place.store());
    let readers = Readers::new(place.url.clone(), 1);
    let panicked = std::thread::scope(|scope| {
        scope.spawn(|| readers.with(|_| -> Result<(), StoreError> { panic!("on purpose") })).join().is_err()
    });
    assert!(panicked);
    assert_eq!(readers.with(Store::config_number).unwrap(), 0);
}

#[test]
fn a_server_that_went_away_is_unavailable_and_its_lock_lost_until_it_is_back() {
    let mut server = Server::start_with(Durability::None).unwrap();
    let url = DatabaseUrl::parse(&server.create_database().unwrap()).unwrap();
    let mut lock = WriterLock::acquire(&url).unwrap();
    let readers = Readers::new(url.clone(), 2);
    readers.with(|store| store.migrate().map(drop)).unwrap();
    let mut store = Store::open(&url).unwrap();
    store.restore(NOW).unwrap();

    server.kill().unwrap();
    let mut life = Life::begin(NOW);
    let message = life.hear("zabbix", None, vec![trigger("db-01", "disk")]).unwrap();
    let changes = life.changes();
    for error in [
        store.commit(std::slice::from_ref(&message), &changes).unwrap_err(),
        store.restore(NOW).unwrap_err(),
        readers.with(Store::config_number).unwrap_err(),
        readers.with(Store::config_number).unwrap_err(),
        Store::open(&url).err().unwrap(),
    ] {
        assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
        assert!(error.is_transient());
    }
    assert!(!lock.still_held());

    server.restart().unwrap();
    assert_eq!(readers.with(Store::config_number).unwrap(), 0);
    assert!(!lock.still_held(), "what was lost is not held again");
    let mut lock = WriterLock::acquire(&url).unwrap();
    assert!(lock.still_held());
    let mut store = Store::open(&url).unwrap();
    store.restore(NOW).unwrap();
    store.commit(&[message], &changes).unwrap();
}

#[test]
fn a_new_file_is_made_for_our_eyes_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/er/tocsin.db");
    let url = DatabaseUrl::parse(&format!("sqlite://{}", path.display())).unwrap();
    Store::open(&url).unwrap().migrate().unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn an_operator_is_told_what_to_mend() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("notes.txt");
    std::fs::write(&file, "this is no database at all, and long enough to be read as one".repeat(10)).unwrap();
    let said = |url: &str| Store::open(&DatabaseUrl::parse(url).unwrap()).err().unwrap().to_string();
    let error = said(file.to_str().unwrap());
    assert!(error.contains("not a database"), "{error}");
    let error = said(&format!("{}/tocsin.db", file.display()));
    assert!(error.contains("folder"), "{error}");
    let error = said("postgres://li:secret@127.0.0.1:1/tocsin");
    assert!(error.contains("running there") && !error.contains("secret"), "{error}");
    let DatabaseUrl::Postgres(url) = world::postgres().url else { panic!() };
    let error = said(&url.replace("/test_", "/missing_"));
    assert!(error.contains("createdb"), "{error}");
}
