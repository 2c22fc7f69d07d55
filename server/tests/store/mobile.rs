//! Apps on phones: let in once, with a token that changes, for as long as device and account are theirs; and their answers
//! are kept for a day.

use crate::world::{NOW, Place, refused};
use server::db::{
    Account, AccountPatch, Device, Kept, NewDevice, NewSession, Reach, Refused, Repeat, Store, StoreError,
};
use shared::{
    PersonId, Timestamp,
    api::{Platform, PushProvider, Role},
    config::Language,
};

crate::promises! {
    a_code_lets_one_app_in_and_ends_with_its_browser
    a_token_is_changed_and_the_old_one_ends_with_the_first_use_of_the_new
    a_session_ends_with_its_device_and_with_its_account
    an_answer_is_kept_for_a_day_and_what_was_cut_off_is_done_again
}

const MINUTE: i64 = 60_000;

fn account(store: &mut Store, login: &str) {
    let account = Account {
        login: login.to_owned(),
        name: login.to_owned(),
        role: Role::Responder,
        person: Some(login.to_lowercase().as_str().into()),
        password_hash: None,
        disabled: false,
        created_at: NOW,
    };
    store.account_create(&account).unwrap();
}

/// A browser's session, which lives for a day.
fn browser(store: &mut Store, login: &str, name: &str) -> i64 {
    let expires_at = NOW.plus_ms(1_440 * MINUTE);
    let new = NewSession { token_hash: name, login, expires_at, user_agent: "", peer: "" };
    store.session_create(&new, NOW).unwrap()
}

fn device_of(account: &Account, person: PersonId) -> NewDevice {
    let endpoint = format!("token of {}", account.login);
    NewDevice {
        login: account.login.clone(),
        person,
        label: "Pixel".to_owned(),
        platform: Some(Platform::Android),
        reach: Reach { kind: PushProvider::Fcm, endpoint, p256dh: String::new(), auth: String::new() },
        user_agent: String::new(),
        language: Language::En,
    }
}

fn take(store: &mut Store, code: &str, token: &str, now: Timestamp) -> Result<Device, StoreError> {
    store.pairing_take(code, token, device_of, now.plus_ms(1_440 * MINUTE), now).map(|(device, ..)| device)
}

/// An app of this account, under this token.
fn paired(store: &mut Store, login: &str, token: &str) -> Device {
    let by = browser(store, login, &format!("browser for {token}"));
    store.pairing_put(token, login, by, NOW.plus_ms(MINUTE)).unwrap();
    take(store, token, token, NOW).unwrap()
}

fn alive(store: &mut Store, token: &str, now: Timestamp) -> bool {
    store.device_session_find(token, now).unwrap().is_some()
}

fn a_code_lets_one_app_in_and_ends_with_its_browser(place: &Place) {
    let mut store = place.store();
    account(&mut store, "Li");
    let by = browser(&mut store, "li", "b1");
    let (until, wrong) = (NOW.plus_ms(10 * MINUTE), Refused::WrongPairingCode);
    store.pairing_put("c1", "Li", by, until).unwrap();
    store.pairing_put("c2", "li", by, until).unwrap();
    assert_eq!(refused(take(&mut store, "c1", "t", NOW)), wrong, "a newer one took its place");
    assert_eq!(refused(take(&mut store, "c2", "t", until)), wrong, "it is too old");
    let device = take(&mut store, "c2", "t1", NOW).unwrap();
    assert_eq!((device.login.as_str(), device.person.as_str(), device.kind), ("Li", "li", PushProvider::Fcm));
    assert_eq!(refused(take(&mut store, "c2", "t", NOW)), wrong, "it was used");
    let (session, of) = store.device_session_find("t1", NOW).unwrap().unwrap();
    assert_eq!((session.device, session.label.as_str(), of.login.as_str()), (device.id, "Pixel", "Li"));
    // The same app once more: one device, and its newest session alone.
    store.pairing_put("c3", "li", by, until).unwrap();
    assert_eq!(take(&mut store, "c3", "t2", NOW).unwrap().id, device.id);
    assert!(!alive(&mut store, "t1", NOW) && alive(&mut store, "t2", NOW));
    store.pairing_put("c4", "li", by, until).unwrap();
    store.session_end("li", by).unwrap();
    assert_eq!(refused(take(&mut store, "c4", "t", NOW)), wrong, "its browser signed out");
    let by = browser(&mut store, "li", "b2");
    store.pairing_put("c5", "li", by, until).unwrap();
    store.account_change("li", &AccountPatch { person: Some(None), ..AccountPatch::default() }).unwrap();
    assert_eq!(refused(take(&mut store, "c5", "t", NOW)), wrong, "it is nobody's");
}

fn a_token_is_changed_and_the_old_one_ends_with_the_first_use_of_the_new(place: &Place) {
    let mut store = place.store();
    account(&mut store, "li");
    paired(&mut store, "li", "t1");
    let id = store.device_session_find("t1", NOW).unwrap().unwrap().0.id;
    let (both_until, expires_at) = (NOW.plus_ms(10 * MINUTE), NOW.plus_ms(9_000 * MINUTE));
    assert!(store.device_session_rotate(id, "t1", "t2", both_until, expires_at).unwrap());
    assert!(alive(&mut store, "t1", NOW), "the new one may never have arrived");
    assert!(!alive(&mut store, "t1", both_until), "but that is soon over");
    assert!(store.device_session_rotate(id, "t1", "t3", both_until, expires_at).unwrap());
    assert!(!alive(&mut store, "t2", NOW) && alive(&mut store, "t3", NOW) && !alive(&mut store, "t1", NOW));
    assert!(alive(&mut store, "t3", expires_at.plus_ms(-1)) && !alive(&mut store, "t3", expires_at));
    let seen = store.device_session_find("t3", NOW.plus_ms(5 * MINUTE)).unwrap().unwrap().0.last_seen_at;
    assert!(seen >= NOW);
    store.device_session_end(id).unwrap();
    assert!(!alive(&mut store, "t3", NOW));
    assert!(!store.device_session_rotate(id, "t3", "t4", both_until, expires_at).unwrap());
    assert_eq!(store.devices().unwrap().len(), 1, "it is still pushed to");
}

fn a_session_ends_with_its_device_and_with_its_account(place: &Place) {
    let mut store = place.store();
    let changes = [
        AccountPatch { role: Some(Role::Viewer), ..AccountPatch::default() },
        AccountPatch { password_hash: Some("x".into()), ..AccountPatch::default() },
        AccountPatch { person: Some(Some("wang".into())), ..AccountPatch::default() },
        AccountPatch { disabled: Some(true), ..AccountPatch::default() },
    ];
    account(&mut store, "anna");
    paired(&mut store, "anna", "annas");
    for (n, change) in changes.iter().enumerate() {
        let (login, token) = (format!("li{n}"), format!("t{n}"));
        account(&mut store, &login);
        paired(&mut store, &login, &token);
        let id = store.device_session_find(&token, NOW).unwrap().unwrap().0.id;
        store.account_change(&login, &AccountPatch { name: Some("Li".into()), ..AccountPatch::default() }).unwrap();
        assert!(store.device_session_account(id, NOW).unwrap().is_some(), "a name is no right");
        store.account_change(&login, change).unwrap();
        assert!(!alive(&mut store, &token, NOW) && store.device_session_account(id, NOW).unwrap().is_none(), "{n}");
    }
    assert!(alive(&mut store, "annas", NOW), "nobody else's ends");
    store.password_set("anna", "hash", None).unwrap();
    assert!(!alive(&mut store, "annas", NOW));
    let device = paired(&mut store, "anna", "again");
    assert!(store.device_remove(device.id, &"anna".into()).unwrap());
    assert!(!alive(&mut store, "again", NOW));
}

fn an_answer_is_kept_for_a_day_and_what_was_cut_off_is_done_again(place: &Place) {
    let mut store = place.store();
    account(&mut store, "li");
    let device = paired(&mut store, "li", "t").id;
    let kept = |key: &str, asked: &str| Kept { key_hash: key.into(), asked_hash: asked.into(), device };
    let at = |minutes: i64| NOW.plus_ms(minutes * MINUTE);
    assert_eq!(store.repeat_claim(&kept("k", "a"), NOW).unwrap(), Repeat::New);
    assert_eq!(store.repeat_claim(&kept("k", "a"), NOW).unwrap(), Repeat::Busy);
    assert_eq!(store.repeat_claim(&kept("k", "b"), NOW).unwrap(), Repeat::Other);
    store.repeat_settle("k", Some((200, "{\"a\": \"\0\"}"))).unwrap();
    let answered = Repeat::Answered { status: 200, body: "{\"a\": \"\u{fffd}\"}".into() };
    assert_eq!(store.repeat_claim(&kept("k", "a"), at(1_439)).unwrap(), answered);
    assert_eq!(store.repeat_claim(&kept("k", "b"), at(1_439)).unwrap(), Repeat::Other);
    assert_eq!(store.repeat_claim(&kept("k", "b"), at(1_440)).unwrap(), Repeat::New, "a day is over");
    // Without an answer, and when the server died over it.
    store.repeat_settle("k", None).unwrap();
    assert_eq!(store.repeat_claim(&kept("k", "c"), at(1_440)).unwrap(), Repeat::New);
    assert_eq!(store.repeat_claim(&kept("k", "c"), at(1_441)).unwrap(), Repeat::New);
    assert!(store.device_revoke(device).unwrap(), "what was answered goes with the device");
}
