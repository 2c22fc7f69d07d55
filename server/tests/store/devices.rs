//! Devices: registered by whoever has them, bounded, sealed, and gone with the account that registered them.

use crate::world::{NOW, Place, refused};
use server::{
    db::{
        Account, AccountPatch, DEVICES_MOST, Death, Device, DeviceNote, NewDevice, Reach, Refused, Store, VAPID,
        device_key,
    },
    devices::Devices,
};
use shared::{
    PersonId, Timestamp,
    api::{DeviceChange, PushProvider, Role},
    config::Language,
};
use std::fs;

crate::promises! {
    the_same_endpoint_is_the_same_device_of_whoever_registered_it_last
    a_person_has_so_many_devices_and_the_dead_make_room
    how_a_device_is_reached_is_sealed_and_survives_another_key
    what_was_sealed_with_a_lost_key_is_registered_again
    what_becomes_of_pushes_is_noted_and_counted
    what_its_owner_decides_is_kept_when_a_device_renews_itself
    a_device_ends_with_its_account
    whose_account_has_ended_registers_nothing
    two_servers_agree_and_have_one_key
    a_device_is_reached_in_another_way_and_stays_the_same
}

fn new(person: &str, endpoint: &str) -> NewDevice {
    NewDevice {
        login: person.to_owned(),
        person: person.into(),
        label: "手机\0".to_owned(),
        platform: None,
        reach: reach(PushProvider::Web, endpoint),
        user_agent: "Firefox".to_owned(),
        language: Language::Zh,
    }
}

fn reach(kind: PushProvider, endpoint: &str) -> Reach {
    let (p256dh, auth) = ("canary-key".to_owned(), "canary-auth".to_owned());
    Reach { kind, endpoint: endpoint.to_owned(), p256dh, auth }
}

fn put(store: &mut Store, person: &str, endpoint: &str) -> (Device, bool) {
    store.device_put(&new(person, endpoint), None, NOW).unwrap()
}

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

/// Its subscription is gone.
fn gone(device: &Device, at: Timestamp) -> Death {
    Death { at, why: "its subscription is gone".into(), of: device_key(device.kind, &device.endpoint) }
}

fn the_same_endpoint_is_the_same_device_of_whoever_registered_it_last(place: &Place) {
    let mut store = place.store();
    let (first, is_new) = put(&mut store, "li", "https://push.example/canary-1");
    assert!(is_new);
    assert_eq!((first.label.as_str(), first.created_at, first.dead_at), ("手机\0", NOW, None));
    assert_eq!((first.endpoint.as_str(), first.auth.as_str()), ("https://push.example/canary-1", "canary-auth"));
    let later = NOW.plus_ms(60_000);
    let dead = DeviceNote { dead: Some(gone(&first, NOW)), failures: 3, ..DeviceNote::default() };
    store.devices_note([(first.id, &dead)]).unwrap();
    let renewed = NewDevice { label: "iPad".into(), ..new("li", "https://push.example/canary-1") };
    let (again, is_new) = store.device_put(&renewed, None, later).unwrap();
    assert_eq!((again.id, is_new, again.label.as_str()), (first.id, false, "iPad"));
    assert_eq!((again.created_at, again.seen_at, again.dead_at, again.failures), (NOW, later, None, 3));
    // Somebody else signed in on it.
    let (theirs, is_new) = put(&mut store, "anna", "https://push.example/canary-1");
    assert!(is_new && theirs.id != first.id);
    assert_eq!(store.devices().unwrap(), [theirs]);
    // Its browser says that another address took the place of it; nobody else's goes.
    put(&mut store, "li", "https://push.example/li");
    let moved = store.device_put(&new("anna", "https://push.example/2"), Some("https://push.example/li"), NOW).unwrap();
    assert_eq!(store.devices().unwrap().len(), 3);
    store.device_put(&new("anna", "https://push.example/3"), Some("https://push.example/2"), NOW).unwrap();
    assert!(store.devices().unwrap().iter().all(|it| it.id != moved.0.id));
    let li: PersonId = "li".into();
    assert!(!store.device_remove(moved.0.id, &li).unwrap());
    let own = store.devices().unwrap().into_iter().find(|it| it.person == li).unwrap();
    assert!(!store.device_remove(own.id, &"anna".into()).unwrap(), "another's is not removed");
    assert!(store.device_remove(own.id, &li).unwrap());
    assert!(!store.device_remove(own.id, &li).unwrap());
}

fn a_person_has_so_many_devices_and_the_dead_make_room(place: &Place) {
    let mut store = place.store();
    let ids: Vec<i64> =
        (0..DEVICES_MOST).map(|n| put(&mut store, "li", &format!("https://push.example/{n}")).0.id).collect();
    let one_more = new("li", "https://push.example/more");
    assert_eq!(refused(store.device_put(&one_more, None, NOW)), Refused::TooManyDevices { most: DEVICES_MOST });
    assert!(!put(&mut store, "li", "https://push.example/0").1, "what is there is renewed all the same");
    put(&mut store, "anna", "https://push.example/anna");
    for (n, at) in [(3, 20), (5, 10)] {
        let device = store.devices().unwrap().into_iter().find(|it| it.id == ids[n]).unwrap();
        let dead = DeviceNote { dead: Some(gone(&device, NOW.plus_ms(at))), ..DeviceNote::default() };
        store.devices_note([(ids[n], &dead)]).unwrap();
    }
    store.device_put(&one_more, None, NOW).unwrap();
    let left: Vec<i64> = store.devices().unwrap().iter().map(|it| it.id).collect();
    assert!(left.contains(&ids[3]) && !left.contains(&ids[5]), "the longest dead goes: {left:?}");
    // What a browser gave up makes room for what it has instead.
    let replaced = new("li", "https://push.example/instead");
    store.device_put(&replaced, Some("https://push.example/more"), NOW).unwrap();
    assert_eq!(store.devices().unwrap().len(), DEVICES_MOST + 1);
}

fn stored(place: &Place) -> Vec<String> {
    let queries = ["SELECT endpoint || person || doc FROM device ORDER BY id", "SELECT value FROM meta"];
    queries.into_iter().flat_map(|query| place.stranger().texts(query)).collect()
}

fn how_a_device_is_reached_is_sealed_and_survives_another_key(place: &Place) {
    let mut store = place.store();
    let (device, _) = put(&mut store, "li", "https://push.example/canary-1");
    let key = store.secret_once(VAPID, "canary-vapid").unwrap();
    assert!(stored(place).iter().all(|text| !text.contains("canary") && !text.contains("push.example")));
    assert!(!format!("{device:?}").contains("canary"));
    let (before, old) = (stored(place), fs::read(place.key_path()).unwrap());
    let swept = store.secrets_rotate(&mut |_, _| {}).unwrap();
    assert_eq!((swept.sealed, swept.lost), (2, 0));
    assert!(before.iter().all(|text| !text.contains("sealed:v1:") || !stored(place).contains(text)));
    assert_eq!(store.devices().unwrap(), [device]);
    assert_eq!(store.secret_once(VAPID, "another").unwrap(), key);
    fs::write(place.key_path(), old).unwrap();
    assert!(place.store().devices().is_err(), "the old key opens nothing");
}

fn what_was_sealed_with_a_lost_key_is_registered_again(place: &Place) {
    let mut store = place.store();
    put(&mut store, "li", "https://push.example/canary-1");
    let devices = Devices::open(&mut store).unwrap();
    let key = devices.push_key().unwrap().to_owned();
    drop(store);
    fs::remove_file(place.key_path()).unwrap();
    let mut store = place.store();
    assert_eq!(store.secrets_forget(&mut |_, _| {}).unwrap().lost, 2);
    assert_eq!(store.devices().unwrap(), []);
    let devices = Devices::open(&mut store).unwrap();
    assert_ne!(devices.push_key().unwrap(), key, "browsers subscribe anew");
    assert!(put(&mut store, "li", "https://push.example/canary-1").1);
}

fn what_becomes_of_pushes_is_noted_and_counted(place: &Place) {
    let mut store = place.store();
    let id = put(&mut store, "li", "https://push.example/1").0.id;
    let devices = Devices::open(&mut store).unwrap();
    let at = |ms| Some(NOW.plus_ms(ms));
    devices.shown(id, Some(700), NOW.plus_ms(5));
    devices.opened(id, NOW.plus_ms(9));
    devices.shown(id + 1, None, NOW);
    let known = devices.find(id, &"li".into()).unwrap();
    assert_eq!((known.shown_at, known.opened_at), (at(9), at(9)), "at once in memory");
    devices.refresh(&mut store).unwrap();
    let device = &store.devices().unwrap()[0];
    assert_eq!((device.shown_at, device.opened_at), (at(9), at(9)));
    assert_eq!(device.proofs.delay().map(|delay| delay.last_ms), Some(700));
    assert_eq!(device.proofs, devices.find(id, &"li".into()).unwrap().proofs, "memory and store agree");
    let noted = [
        DeviceNote { failures: 2, ..DeviceNote::default() },
        DeviceNote { failures: 1, ..DeviceNote::default() },
        DeviceNote { took: true, shown_at: at(1), ..DeviceNote::default() },
        DeviceNote { failures: 1, dead: Some(gone(device, NOW)), ..DeviceNote::default() },
    ];
    let mut failures = Vec::new();
    for note in &noted {
        store.devices_note([(id, note), (id + 7, note)]).unwrap();
        failures.push(store.devices().unwrap()[0].failures);
    }
    assert_eq!(failures, [2, 3, 0, 1]);
    let device = &store.devices().unwrap()[0];
    assert_eq!((device.shown_at, device.dead_at), (at(9), Some(NOW)), "what is older changes nothing");
}

fn what_its_owner_decides_is_kept_when_a_device_renews_itself(place: &Place) {
    let mut store = place.store();
    let (li, id) = (PersonId::from("li"), put(&mut store, "li", "https://push.example/1").0.id);
    let wanted = DeviceChange { label: Some("Desk".into()), private: Some(true), heard: Some(true) };
    assert_eq!(store.device_change(id, &"anna".into(), &wanted, NOW).unwrap(), None, "another's");
    let turn = store.devices_turn().unwrap();
    let changed = store.device_change(id, &li, &wanted, NOW).unwrap().unwrap();
    assert_ne!(store.devices_turn().unwrap(), turn, "other servers see it");
    assert_eq!((changed.label.as_str(), changed.private), ("Desk", true));
    let nothing = DeviceChange { label: None, private: None, heard: None };
    assert_eq!(store.device_change(id, &li, &nothing, NOW.plus_ms(9)).unwrap(), Some(changed.clone()));
    let renewed = put(&mut store, "li", "https://push.example/1").0;
    assert_eq!((renewed.private, renewed.rang, renewed.id), (true, changed.rang, id));
}

fn a_device_ends_with_its_account(place: &Place) {
    let mut store = place.store();
    account(&mut store, "Li");
    account(&mut store, "anna");
    let registered = |store: &mut Store| {
        put(store, "li", "https://push.example/1");
        put(store, "anna", "https://push.example/2");
    };
    registered(&mut store);
    let people = |store: &mut Store| -> Vec<String> {
        store.devices().unwrap().into_iter().map(|it| it.person.to_string()).collect()
    };
    // A new name or role is no end.
    let renamed = AccountPatch { name: Some("Li Wei".into()), role: Some(Role::Viewer), ..AccountPatch::default() };
    store.account_change("Li", &renamed).unwrap();
    assert_eq!(people(&mut store), ["li", "anna"]);
    store.account_change("LI", &AccountPatch { disabled: Some(true), ..AccountPatch::default() }).unwrap();
    assert_eq!(people(&mut store), ["anna"]);
    store.account_change("anna", &AccountPatch { person: Some(None), ..AccountPatch::default() }).unwrap();
    assert_eq!(people(&mut store), [""; 0]);
}

fn whose_account_has_ended_registers_nothing(place: &Place) {
    let mut store = place.store();
    account(&mut store, "li");
    let register = |store: &mut Store, person: &str| {
        let device = NewDevice { login: "li".to_owned(), ..new(person, "https://push.example/1") };
        store.device_register(&device, None, NOW)
    };
    assert_eq!(refused(register(&mut store, "anna")), Refused::AccountChanged, "another person's");
    assert!(register(&mut store, "li").unwrap().1);
    // The request was on its way when an administrator disabled the account.
    store.account_change("li", &AccountPatch { disabled: Some(true), ..AccountPatch::default() }).unwrap();
    assert_eq!(refused(register(&mut store, "li")), Refused::AccountChanged);
    let stranger = NewDevice { login: "nobody".to_owned(), ..new("li", "https://push.example/1") };
    let refusal = refused(store.device_register(&stranger, None, NOW));
    assert_eq!(refusal, Refused::NoSuchAccount { login: "nobody".to_owned() });
    assert!(store.devices().unwrap().is_empty());
}

fn two_servers_agree_and_have_one_key(place: &Place) {
    let (mut one, mut other) = (place.store(), place.store());
    let (here, there) = (Devices::open(&mut one).unwrap(), Devices::open(&mut other).unwrap());
    assert_eq!(here.push_key().unwrap(), there.push_key().unwrap());
    let li: PersonId = "li".into();
    let device = put(&mut one, "li", "https://push.example/1").0;
    for (devices, store) in [(&here, &mut one), (&there, &mut other)] {
        assert!(devices.of(&li).is_empty());
        devices.refresh(store).unwrap();
        assert_eq!(devices.live(&li).len(), 1);
    }
    there.shown(device.id, None, NOW);
    there.refresh(&mut other).unwrap();
    here.refresh(&mut one).unwrap();
    assert_eq!(here.find(device.id, &li).unwrap().shown_at, Some(NOW));
    one.device_remove(device.id, &li).unwrap();
    // What is noted of it comes too late.
    there.opened(device.id, NOW);
    there.refresh(&mut other).unwrap();
    assert!(there.of(&li).is_empty() && other.devices().unwrap().is_empty());
}

fn a_device_is_reached_in_another_way_and_stays_the_same(place: &Place) {
    let mut store = place.store();
    let (device, _) = put(&mut store, "li", "https://push.example/1");
    let other = put(&mut store, "anna", "https://push.example/2").0;
    let dead = DeviceNote { dead: Some(gone(&device, NOW)), failures: 3, ..DeviceNote::default() };
    store.devices_note([(device.id, &dead)]).unwrap();
    let fcm = reach(PushProvider::Fcm, "canary-token");
    let changed = store.device_reach(device.id, &fcm, NOW.plus_ms(5)).unwrap().unwrap();
    assert_eq!((changed.id, changed.kind, changed.endpoint.as_str()), (device.id, PushProvider::Fcm, "canary-token"));
    assert_eq!((changed.dead_at, changed.failures, changed.created_at), (None, 0, NOW));
    // What is told of the old one comes too late.
    store.devices_note([(device.id, &dead)]).unwrap();
    let now = store.devices().unwrap().into_iter().find(|it| it.id == device.id).unwrap();
    assert_eq!((now.dead_at, now.why), (None, None));
    assert!(stored(place).iter().all(|text| !text.contains("canary-token")));
    // A token of one provider is none of another's; the same of the same is another device's no more.
    store.device_reach(other.id, &reach(PushProvider::Apns, "canary-token"), NOW).unwrap();
    assert_eq!(store.devices().unwrap().len(), 2);
    store.device_reach(other.id, &fcm, NOW).unwrap();
    assert_eq!(store.devices().unwrap().iter().map(|it| it.id).collect::<Vec<_>>(), [other.id]);
    assert_eq!(store.device_reach(device.id, &fcm, NOW).unwrap(), None, "it is gone");
    assert!(store.device_revoke(other.id).unwrap() && !store.device_revoke(other.id).unwrap());
}
