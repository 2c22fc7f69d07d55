//! Accounts and their sessions, and the first administrator.

use crate::world::{DAY, HOUR, NOW, Place, refused};
use server::{
    auth::{self, token},
    db::{Account, AccountPatch, NewSession, Refused, Store, StoreError},
};
use shared::{PersonId, api::Role};
use std::sync::Barrier;

crate::promises! {
    logins_differ_by_more_than_case
    an_account_changes_only_where_it_is_told_to
    the_last_administrator_stays
    two_administrators_cannot_remove_each_other_at_once
    a_session_is_found_until_it_expires
    being_seen_is_noted_once_a_minute
    a_session_that_nobody_used_for_a_week_is_over
    sessions_end_with_what_they_were_given_for
    a_session_belongs_to_its_account
    the_setup_code_works_once
    the_setup_code_works_once_for_two_at_once
    text_with_nul_is_taken
}

fn account(login: &str, role: Role) -> Account {
    Account {
        login: login.into(),
        name: format!("{login} 先生"),
        role,
        person: Some(PersonId::from(login.to_lowercase())),
        password_hash: Some("$argon2id$…".into()),
        disabled: false,
        created_at: NOW,
    }
}

fn session(store: &mut Store, login: &str, hash: &str) -> i64 {
    let new = NewSession { token_hash: hash, login, expires_at: NOW.plus_ms(DAY), user_agent: "Firefox", peer: "::1" };
    store.session_create(&new, NOW).unwrap()
}

fn logins_differ_by_more_than_case(place: &Place) {
    let mut store = place.store();
    store.account_create(&account("Wáng", Role::Admin)).unwrap();
    assert_eq!(store.account("wÁNG").unwrap().unwrap(), account("Wáng", Role::Admin));
    let taken = refused(store.account_create(&account("WÁNG", Role::Viewer)));
    assert_eq!(taken, Refused::LoginTaken { login: "WÁNG".into() });
    assert_eq!(store.account("wang").unwrap(), None);
    store.account_create(&account("li", Role::Viewer)).unwrap();
    let logins: Vec<String> = store.accounts().unwrap().into_iter().map(|account| account.login).collect();
    assert_eq!(logins, ["li", "Wáng"]);
}

fn an_account_changes_only_where_it_is_told_to(place: &Place) {
    let mut store = place.store();
    store.account_create(&account("Li", Role::Viewer)).unwrap();
    let patch = AccountPatch { role: Some(Role::Responder), person: Some(None), ..AccountPatch::default() };
    let changed = store.account_change("LI", &patch).unwrap();
    assert_eq!(changed, Account { role: Role::Responder, person: None, ..account("Li", Role::Viewer) });
    assert_eq!(store.account("li").unwrap().unwrap(), changed);
    let nobody = refused(store.account_change("nobody", &patch));
    assert_eq!(nobody, Refused::NoSuchAccount { login: "nobody".into() });
}

fn disable() -> AccountPatch {
    AccountPatch { disabled: Some(true), ..AccountPatch::default() }
}

fn the_last_administrator_stays(place: &Place) {
    let mut store = place.store();
    store.account_create(&account("one", Role::Admin)).unwrap();
    store.account_create(&account("two", Role::Admin)).unwrap();
    store.account_create(&account("three", Role::Responder)).unwrap();
    store.account_change("one", &disable()).unwrap();
    assert_eq!(store.count_admins().unwrap(), 1);
    assert_eq!(refused(store.account_change("two", &disable())), Refused::LastAdmin);
    let demote = AccountPatch { role: Some(Role::Viewer), ..AccountPatch::default() };
    assert_eq!(refused(store.account_change("two", &demote)), Refused::LastAdmin);
    assert_eq!(store.account("two").unwrap().unwrap(), account("two", Role::Admin));
    store.account_change("three", &demote).unwrap();
}

fn two_administrators_cannot_remove_each_other_at_once(place: &Place) {
    let mut store = place.store();
    for round in 0..10 {
        let (one, two) = (format!("one{round}"), format!("two{round}"));
        store.account_create(&account(&one, Role::Admin)).unwrap();
        store.account_create(&account(&two, Role::Admin)).unwrap();
        for previous in store.accounts().unwrap() {
            if previous.role == Role::Admin && !previous.disabled && previous.login != one && previous.login != two {
                store.account_change(&previous.login, &disable()).unwrap();
            }
        }
        let start = Barrier::new(2);
        std::thread::scope(|scope| {
            let race = |login| {
                let start = &start;
                scope.spawn(move || {
                    let mut store = place.bare();
                    start.wait();
                    store.account_change(login, &disable()).is_ok()
                })
            };
            let (first, second) = (race(&one), race(&two));
            assert_ne!(first.join().unwrap(), second.join().unwrap());
        });
        assert_eq!(store.count_admins().unwrap(), 1);
    }
}

fn a_session_is_found_until_it_expires(place: &Place) {
    let mut store = place.store();
    store.account_create(&account("Li", Role::Viewer)).unwrap();
    let id = session(&mut store, "LI", "hash");
    let (found, whose) = store.session_find("hash", NOW).unwrap().unwrap();
    assert_eq!((found.id, found.user_agent.as_str(), whose.login.as_str()), (id, "Firefox", "Li"));
    assert!(store.session_find("HASH", NOW).unwrap().is_none());
    assert!(store.session_find("hash", NOW.plus_ms(DAY)).unwrap().is_none());
    assert_eq!(store.sessions("li", NOW).unwrap(), [found]);
    assert_eq!(store.sessions_forget(NOW.plus_ms(DAY - 1)).unwrap(), 0);
    assert_eq!(store.sessions_forget(NOW.plus_ms(DAY)).unwrap(), 1);
    assert!(store.session_find("hash", NOW).unwrap().is_none());
    let new = NewSession { token_hash: "h", login: "nobody", expires_at: NOW, user_agent: "", peer: "" };
    assert!(store.session_create(&new, NOW).is_err());
}

fn being_seen_is_noted_once_a_minute(place: &Place) {
    let mut store = place.store();
    store.account_create(&account("li", Role::Viewer)).unwrap();
    session(&mut store, "li", "hash");
    let mut seen = |ms| store.session_find("hash", NOW.plus_ms(ms)).unwrap().unwrap().0.last_seen_at.ms_since(NOW);
    assert_eq!([59_999, 60_000, 60_001, 119_999, HOUR].map(&mut seen), [0, 0, 60_000, 60_000, 60_000]);
    assert_eq!(store.sessions("li", NOW).unwrap()[0].last_seen_at, NOW.plus_ms(HOUR));
}

fn a_session_that_nobody_used_for_a_week_is_over(place: &Place) {
    let mut store = place.store();
    store.account_create(&account("li", Role::Viewer)).unwrap();
    let hash = token::hash_hex("cookie");
    let expires_at = NOW.after(auth::session::ABSOLUTE);
    let new = NewSession { token_hash: &hash, login: "li", expires_at, user_agent: "Firefox", peer: "::1" };
    store.session_create(&new, NOW).unwrap();
    let mut works = |days: i64| auth::session::find(&mut store, "cookie", NOW.plus_ms(days * DAY)).unwrap().is_some();
    assert_eq!([6, 12, 20, 21].map(&mut works), [true, true, false, false]);
}

fn sessions_end_with_what_they_were_given_for(place: &Place) {
    let mut store = place.store();
    store.account_create(&account("boss", Role::Admin)).unwrap();
    store.account_create(&account("li", Role::Viewer)).unwrap();
    session(&mut store, "boss", "boss");
    let mut ends = |what: &str, change: &dyn Fn(&mut Store, i64), left: usize| {
        let mine = session(&mut store, "li", &format!("{what} mine"));
        session(&mut store, "li", &format!("{what} other"));
        change(&mut store, mine);
        assert_eq!(store.sessions("li", NOW).unwrap().len(), left, "{what}");
        store.sessions_end("li", None).unwrap();
    };
    let change = |patch: AccountPatch| move |store: &mut Store, _| drop(store.account_change("li", &patch).unwrap());
    ends("name", &change(AccountPatch { name: Some("Li".into()), ..AccountPatch::default() }), 2);
    ends("role", &change(AccountPatch { role: Some(Role::Responder), ..AccountPatch::default() }), 0);
    ends("reset", &change(AccountPatch { password_hash: Some("new".into()), ..AccountPatch::default() }), 0);
    ends("password", &|store, mine| store.password_set("li", "newer", Some(mine)).unwrap(), 1);
    ends("disabled", &change(disable()), 0);
    assert_eq!(store.account("li").unwrap().unwrap().password_hash.as_deref(), Some("newer"));
    assert_eq!(store.sessions("boss", NOW).unwrap().len(), 1);
    // One that was begun after the account was disabled is not found.
    session(&mut store, "li", "late");
    assert!(store.session_find("late", NOW).unwrap().is_none());
}

fn a_session_belongs_to_its_account(place: &Place) {
    let mut store = place.store();
    store.account_create(&account("li", Role::Viewer)).unwrap();
    store.account_create(&account("han", Role::Viewer)).unwrap();
    let id = session(&mut store, "li", "hash");
    assert!(!store.session_end("han", id).unwrap());
    assert!(store.session_end("LI", id).unwrap());
    assert!(!store.session_end("li", id).unwrap());
}

fn the_setup_code_works_once(place: &Place) {
    let mut store = place.store();
    assert!(store.setup_needed().unwrap());
    let admin = account("boss", Role::Admin);
    assert_eq!(refused(store.setup_take("", &admin)), Refused::WrongSetupCode);
    assert!(store.setup_code_put("old").unwrap());
    assert!(store.setup_code_put("code").unwrap());
    assert_eq!(refused(store.setup_take("old", &admin)), Refused::WrongSetupCode);
    // A code is not used up by an account that cannot be made.
    store.account_create(&account("BOSS", Role::Viewer)).unwrap();
    assert_eq!(refused(store.setup_take("code", &admin)), Refused::LoginTaken { login: "boss".into() });
    store.setup_take("code", &account("chief", Role::Admin)).unwrap();
    assert!(!store.setup_needed().unwrap());
    assert_eq!(refused(store.setup_take("code", &account("other", Role::Admin))), Refused::SetUpAlready);
    assert!(!store.setup_code_put("again").unwrap());
}

fn the_setup_code_works_once_for_two_at_once(place: &Place) {
    let mut store = place.store();
    store.setup_code_put("code").unwrap();
    let start = Barrier::new(2);
    let took: usize = std::thread::scope(|scope| {
        let racers = ["one", "two"].map(|login| {
            let start = &start;
            scope.spawn(move || {
                let mut store = place.bare();
                start.wait();
                match store.setup_take("code", &account(login, Role::Admin)) {
                    Ok(()) => 1,
                    Err(StoreError::Refused(_)) => 0,
                    Err(error) => panic!("{error}"),
                }
            })
        });
        racers.into_iter().map(|racer| racer.join().unwrap()).sum()
    });
    assert_eq!(took, 1);
    assert_eq!(store.accounts().unwrap().len(), 1);
}

fn text_with_nul_is_taken(place: &Place) {
    let mut store = place.store();
    store.account_create(&Account { name: "a\0b".into(), ..account("l\0i", Role::Viewer) }).unwrap();
    assert_eq!(store.account("L\0I").unwrap().unwrap().name, "a\u{fffd}b");
    assert_eq!(store.meta_once("k", "a\0b").unwrap(), "a\u{fffd}b");
}
