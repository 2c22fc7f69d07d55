//! What is secret is sealed in the store, opens only where it belongs, and survives other keys, moves and losses.

use crate::world::{NOW, Place};
use server::db::{CalendarState, StoreError};
use std::{fs, path::Path};

crate::promises! {
    secrets_are_sealed_and_come_back
    a_sealed_value_opens_only_where_it_belongs
    what_was_stored_plainly_is_sealed_and_nothing_of_it_is_left
    another_key_opens_all_of_it_and_the_old_one_nothing
    a_missing_or_wrong_key_is_told_and_changes_nothing
    what_was_sealed_with_a_lost_key_can_be_given_up
    a_store_without_secrets_needs_no_key
}

const CONFIG: &str = r#"# ours
[[webhooks]]
id = "one"
url = "https://one.example/canary-1"
secret = 'canary-2' # never shown
[[webhooks]]
id = "two"
url = "https://two.example"
secret = "canary-3"
"#;
const URL: &str = "https://calendar.example/canary-4.ics";

fn texts(place: &Place) -> Vec<String> {
    let mut stranger = place.stranger();
    let queries = [
        "SELECT toml FROM config_version ORDER BY version",
        "SELECT value FROM meta",
        "SELECT url || doc FROM calendar_copy",
    ];
    queries.into_iter().flat_map(|query| stranger.texts(query)).collect()
}

/// One of everything that is secret.
fn fill(place: &Place) -> CalendarState {
    let mut store = place.store();
    store.config_put(CONFIG, "test", NOW, None).unwrap();
    assert_eq!(store.secret_once("secret", "canary-5").unwrap(), "canary-5");
    let state = CalendarState { url: URL.to_owned(), tried_at: NOW, ..CalendarState::default() };
    assert!(store.calendar_put(None, &state, Some("BEGIN:VCALENDAR")).unwrap());
    state
}

fn is_whole(place: &Place, state: &CalendarState) {
    let mut store = place.store();
    assert_eq!(store.config_at(1).unwrap().as_deref(), Some(CONFIG));
    assert_eq!(store.config_current().unwrap(), Some((1, CONFIG.to_owned())));
    assert_eq!(store.config_versions(1, 9).unwrap()[0].toml, CONFIG);
    assert_eq!(store.configs_since(None).unwrap()[0].1, CONFIG);
    assert_eq!(store.secret_once("secret", "another").unwrap(), "canary-5");
    assert_eq!(store.calendar_states().unwrap(), std::slice::from_ref(state));
    assert!(store.calendar_copies().unwrap().contains_key(URL));
}

fn secrets_are_sealed_and_come_back(place: &Place) {
    let state = fill(place);
    let stored = texts(place);
    assert!(stored.iter().all(|text| !text.contains("canary")), "{stored:#?}");
    assert!(stored[0].starts_with("# ours") && stored[0].contains("# never shown"));
    assert!(!stored[0].contains("two.example"), "addresses of webhooks are sealed, too");
    assert_eq!(stored[0].matches("sealed:v1:").count(), 4, "{}", stored[0]);
    is_whole(place, &state);
    assert_eq!(place.store().seal_all().unwrap(), 0);
}

fn a_sealed_value_opens_only_where_it_belongs(place: &Place) {
    fill(place);
    let sealed = texts(place)[0].clone();
    let values: Vec<&str> = sealed.split('"').filter(|text| text.starts_with("sealed:v1:")).collect();
    // The secret of one webhook stands at the other.
    let moved = sealed.replace(values[3], values[1]);
    assert_ne!(moved, sealed);
    place.stranger().run(&format!("UPDATE config_version SET toml = '{}'", moved.replace('\'', "''"))).unwrap();
    let error = place.store().config_at(1).unwrap_err();
    assert!(matches!(error, StoreError::Sealed(_)), "{error}");
    assert!(error.to_string().contains("webhooks[two].secret"), "{error}");
    // A whole configuration stands at another version.
    place
        .stranger()
        .run(&format!("UPDATE config_version SET version = 2, toml = '{}'", sealed.replace('\'', "''")))
        .unwrap();
    assert!(matches!(place.store().config_at(2), Err(StoreError::Sealed(_))));
}

/// As a version stored it that knew of no seals.
fn plainly(place: &Place) -> CalendarState {
    let state = CalendarState { url: URL.to_owned(), tried_at: NOW, ..CalendarState::default() };
    place.store();
    let mut stranger = place.stranger();
    let doc = format!(r#"{{"url":"{URL}","tried_at":{}}}"#, NOW.ms());
    for statement in [
        format!(
            "INSERT INTO config_version (version, at, actor, toml) VALUES (1, {}, 'test', '{}')",
            NOW.ms(),
            CONFIG.replace('\'', "''")
        ),
        "INSERT INTO meta (key, value) VALUES ('secret', 'canary-5')".to_owned(),
        format!("INSERT INTO calendar_copy (url, doc, copy) VALUES ('{URL}', '{doc}', 'BEGIN:VCALENDAR')"),
    ] {
        stranger.run(&statement).unwrap();
    }
    state
}

fn what_was_stored_plainly_is_sealed_and_nothing_of_it_is_left(place: &Place) {
    let state = plainly(place);
    is_whole(place, &state);
    assert!(texts(place).iter().any(|text| text.contains("canary")));
    if place.is_sqlite() {
        assert!(found_in_files(place.folder.path(), b"canary-"), "nothing is shown if it was never there");
    }
    let mut store = place.store();
    assert_eq!(store.seal_all().unwrap(), 6);
    assert_eq!(store.seal_all().unwrap(), 0);
    assert!(texts(place).iter().all(|text| !text.contains("canary")));
    if place.is_sqlite() {
        assert!(!found_in_files(place.folder.path(), b"canary-"));
    }
    is_whole(place, &state);
    // The same connection goes on with its limits as they were.
    store.config_put("# two", "test", NOW, Some(1)).unwrap();
}

fn found_in_files(folder: &Path, what: &[u8]) -> bool {
    let files = fs::read_dir(folder).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap());
    files.into_iter().any(|bytes| bytes.windows(what.len()).any(|window| window == what))
}

fn another_key_opens_all_of_it_and_the_old_one_nothing(place: &Place) {
    let state = fill(place);
    let (before, old) = (texts(place), fs::read(place.key_path()).unwrap());
    let key = place.store().secrets_key().unwrap().unwrap();
    let mut told = Vec::new();
    let swept = place.store().secrets_rotate(&mut |done, of| told.push((done, of))).unwrap();
    assert_eq!((swept.sealed, swept.lost), (6, 0));
    assert_eq!(told, [(0, 1), (1, 1)]);
    assert_ne!(place.store().secrets_key().unwrap().unwrap(), key);
    is_whole(place, &state);
    for sealed in before.iter().flat_map(|text| text.split('"')).filter(|text| text.starts_with("sealed:v1:")) {
        assert!(texts(place).iter().all(|text| !text.contains(sealed)), "it was not sealed anew");
    }
    // Who has only the old file has nothing.
    let new = fs::read(place.key_path()).unwrap();
    fs::write(place.key_path(), old).unwrap();
    assert!(matches!(place.store().config_at(1), Err(StoreError::Sealed(_))));
    // A key that was put first by hand is the one that is taken.
    fs::write(place.key_path(), [b"MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\n", &new[..]].concat()).unwrap();
    place.store().secrets_rotate(&mut |_, _| {}).unwrap();
    assert!(fs::read_to_string(place.key_path()).unwrap().contains("MDEyMzQ1"));
    is_whole(place, &state);
}

fn a_missing_or_wrong_key_is_told_and_changes_nothing(place: &Place) {
    let state = fill(place);
    let (before, key) = (texts(place), fs::read(place.key_path()).unwrap());
    fs::remove_file(place.key_path()).unwrap();
    let refused = |what: &str| {
        let mut store = place.store();
        let errors = [
            store.seal_all().unwrap_err(),
            store.config_put(CONFIG, "test", NOW, None).unwrap_err(),
            store.secrets_rotate(&mut |_, _| {}).unwrap_err(),
        ];
        for error in errors {
            let error = error.to_string();
            assert!(
                error.contains(what) && error.contains("tocsin.db.key") && error.contains("--secret-key-file"),
                "{error}"
            );
        }
    };
    refused("is missing");
    assert!(!place.key_path().exists(), "a new key would hide what is wrong");
    fs::write(place.key_path(), "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\n").unwrap();
    refused("does not hold key");
    assert_eq!(texts(place), before);
    fs::write(place.key_path(), key).unwrap();
    is_whole(place, &state);
}

fn what_was_sealed_with_a_lost_key_can_be_given_up(place: &Place) {
    fill(place);
    fs::remove_file(place.key_path()).unwrap();
    let swept = place.store().secrets_forget(&mut |_, _| {}).unwrap();
    assert_eq!((swept.sealed, swept.lost), (4, 6));
    let mut store = place.store();
    assert_eq!(store.seal_all().unwrap(), 0);
    let text = store.config_at(1).unwrap().unwrap();
    assert!(
        text.contains("# never shown") && text.contains("https://lost.invalid/") && text.contains("id = \"two\""),
        "{text}"
    );
    assert_eq!(store.secret_once("secret", "made anew").unwrap(), "made anew");
    assert_eq!(store.calendar_states().unwrap(), []);
}

fn a_store_without_secrets_needs_no_key(place: &Place) {
    let mut store = place.store();
    store.config_put("# nothing", "test", NOW, None).unwrap();
    assert_eq!((store.seal_all().unwrap(), store.secrets_key().unwrap()), (0, None));
    assert!(!place.key_path().exists());
}
