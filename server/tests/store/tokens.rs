//! Bearer tokens, configuration versions, and facts about the installation.

use crate::world::{NOW, Place, refused};
use server::db::{NewToken, Refused, TokenKind};
use shared::{IntegrationId, api::Role};

crate::promises! {
    a_token_is_found_by_its_hash_until_it_is_revoked
    a_senders_tokens_are_revoked_together
    a_tokens_use_is_noted_once_a_minute
    a_configuration_keeps_every_version
    a_configuration_is_not_overwritten_unseen
    two_who_apply_at_once_get_two_versions
    a_fact_is_stored_once
}

fn token<'a>(hash: &'a str, integration: Option<&'a IntegrationId>) -> NewToken<'a> {
    let (kind, role) = match integration {
        Some(_) => (TokenKind::Integration, None),
        None => (TokenKind::Api, Some(Role::Responder)),
    };
    NewToken { kind, name: "名字", integration, role, hash, hint: "tin_AbCd", created_by: "cli" }
}

fn a_token_is_found_by_its_hash_until_it_is_revoked(place: &Place) {
    let mut store = place.store();
    let id = store.token_create(&token("hash", None), NOW).unwrap();
    let found = store.token_find("hash").unwrap().unwrap();
    assert_eq!(
        (found.id, found.kind, found.role, found.name.as_str()),
        (id, TokenKind::Api, Some(Role::Responder), "名字")
    );
    assert_eq!(store.tokens(TokenKind::Api).unwrap(), [found]);
    assert!(store.tokens(TokenKind::Integration).unwrap().is_empty());
    assert!(store.token_create(&token("hash", None), NOW).is_err(), "a hash is one token's");
    assert!(!store.token_revoke(TokenKind::Integration, id, NOW).unwrap());
    assert!(store.token_revoke(TokenKind::Api, id, NOW).unwrap());
    assert!(!store.token_revoke(TokenKind::Api, id, NOW).unwrap());
    assert_eq!(store.token_find("hash").unwrap(), None);
    assert!(store.tokens(TokenKind::Api).unwrap().is_empty());
}

fn a_senders_tokens_are_revoked_together(place: &Place) {
    let mut store = place.store();
    let (one, other) = ("zabbix".into(), "falcon".into());
    let first = store.token_create(&token("a", Some(&one)), NOW).unwrap();
    let second = store.token_create(&token("b", Some(&one)), NOW).unwrap();
    store.token_create(&token("c", Some(&other)), NOW).unwrap();
    assert_eq!(store.tokens_revoke_of(&one, NOW).unwrap(), [first, second]);
    assert_eq!(store.tokens_revoke_of(&one, NOW).unwrap(), [0; 0]);
    assert_eq!(store.token_find("a").unwrap(), None);
    assert_eq!(store.token_find("c").unwrap().unwrap().integration, Some(other));
    let live = store.live_tokens().unwrap();
    assert_eq!(
        live.iter().map(|(hash, token)| (hash.as_str(), token.kind)).collect::<Vec<_>>(),
        [("c", TokenKind::Integration)]
    );
}

fn a_tokens_use_is_noted_once_a_minute(place: &Place) {
    let mut store = place.store();
    let id = store.token_create(&token("a", None), NOW).unwrap();
    let mut used = |ms| {
        store.token_touch(id, NOW.plus_ms(ms)).unwrap();
        store.token_find("a").unwrap().unwrap().last_used_at.unwrap().ms_since(NOW)
    };
    assert_eq!([0, 59_999, 60_000, 60_001].map(&mut used), [0, 0, 60_000, 60_000]);
}

fn a_configuration_keeps_every_version(place: &Place) {
    let mut store = place.store();
    assert_eq!((store.config_current().unwrap(), store.config_number().unwrap()), (None, 0));
    assert_eq!(store.config_put("# 一", "li", NOW, Some(0)).unwrap(), 1);
    assert_eq!(store.config_put("# two", "li", NOW, None).unwrap(), 2);
    assert_eq!(store.config_current().unwrap(), Some((2, "# two".to_owned())));
    assert_eq!(store.config_at(1).unwrap().as_deref(), Some("# 一"));
    assert_eq!(store.config_at(3).unwrap(), None);
}

fn a_configuration_is_not_overwritten_unseen(place: &Place) {
    let mut store = place.store();
    store.config_put("# one", "li", NOW, Some(0)).unwrap();
    let moved = refused(store.config_put("# other", "han", NOW, Some(0)));
    assert_eq!(moved, Refused::ConfigMoved { expected: 0, found: 1 });
    assert_eq!(store.config_number().unwrap(), 1);
}

fn two_who_apply_at_once_get_two_versions(place: &Place) {
    drop(place.store());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut store = place.bare();
                for _ in 0..20 {
                    store.config_put("# x", "li", NOW, None).unwrap();
                }
            });
        }
    });
    assert_eq!(place.store().config_number().unwrap(), 40);
}

fn a_fact_is_stored_once(place: &Place) {
    let mut store = place.store();
    assert_eq!(store.meta("instance").unwrap(), None);
    assert_eq!(store.meta_once("instance", "a").unwrap(), "a");
    assert_eq!(store.meta_once("instance", "b").unwrap(), "a");
    store.meta_put("instance", "c").unwrap();
    store.meta_put("other", "d").unwrap();
    assert_eq!(store.meta("instance").unwrap().as_deref(), Some("c"));
}
