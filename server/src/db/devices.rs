//! Devices that receive pushes, browsers and paired apps: by whom they were registered, how they are reached (sealed), and
//! how they do.

use super::{
    Refused, Store, StoreError,
    commit::json,
    connection::Turn,
    restore::document,
    schema::device,
    text::{plain, sha256_hex},
};
use crate::devices::Proofs;
use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, RunQueryDsl as _,
};
use serde::{Deserialize, Serialize};
use shared::{
    PersonId, Timestamp,
    api::{DeviceChange, Platform, PushProvider, Rang},
    config::Language,
};
use std::fmt;

/// Of one person; who has more of them reads none.
pub const DEVICES_MOST: usize = 10;
/// Another text after every change, so that other servers see that there was one.
const TURN: &str = "devices.turn";

/// A browser that somebody registered, or an app that was paired.
#[derive(Clone, PartialEq, Eq)]
pub struct Device {
    pub id: i64,
    /// The account that registered it: with its end, or once it is another person, the device is gone.
    pub login: String,
    pub person: PersonId,
    pub label: String,
    pub kind: PushProvider,
    /// What an app runs on; none for browsers.
    pub platform: Option<Platform>,
    /// The push service's address; the provider's token of `fcm` and `apns`; of a device nobody pushes to only a name.
    pub endpoint: String,
    /// The browser's public key and its secret, base64url; empty for other kinds.
    pub p256dh: String,
    pub auth: String,
    pub user_agent: String,
    pub language: Language,
    pub created_at: Timestamp,
    pub seen_at: Timestamp,
    pub shown_at: Option<Timestamp>,
    pub opened_at: Option<Timestamp>,
    /// Pushes in a row that were not taken.
    pub failures: u32,
    pub dead_at: Option<Timestamp>,
    pub why: Option<String>,
    /// What is pushed to it names no host, address or cause.
    pub private: bool,
    /// Whether a test rang, by its owner's word.
    pub rang: Option<Rang>,
    /// What it said of the pushes that were sent to it.
    pub proofs: Proofs,
}

impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not how it is reached: whoever knows that and our key can push to it.
        f.debug_struct("Device").field("id", &self.id).field("person", &self.person).finish_non_exhaustive()
    }
}

/// A device as it registers itself, at every start of the application.
#[derive(Clone)]
pub struct NewDevice {
    pub login: String,
    pub person: PersonId,
    pub label: String,
    pub platform: Option<Platform>,
    pub reach: Reach,
    pub user_agent: String,
    pub language: Language,
}

/// How a device is reached, as [`Device`] has it.
#[derive(Clone)]
pub struct Reach {
    pub kind: PushProvider,
    pub endpoint: String,
    pub p256dh: String,
    pub auth: String,
}

/// What became of pushes to a device since it was noted last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceNote {
    pub shown_at: Option<Timestamp>,
    pub opened_at: Option<Timestamp>,
    /// A push was taken: what failed before it does not count any more.
    pub took: bool,
    /// Pushes that failed since then.
    pub failures: u32,
    pub dead: Option<Death>,
    /// What it said, and what was sent since.
    pub proofs: Proofs,
}

/// What a push service said of a subscription that is gone. It is about that one: a device that was registered anew meanwhile
/// has another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Death {
    pub at: Timestamp,
    pub why: String,
    /// Which subscription: [`device_key`].
    pub of: String,
}

/// As it is stored.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct DeviceDoc {
    login: String,
    pub(super) label: String,
    #[serde(default)]
    kind: PushProvider,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    platform: Option<Platform>,
    /// Sealed: endpoint, key and secret.
    pub(super) reached: String,
    user_agent: String,
    language: Language,
    created_at: Timestamp,
    seen_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    shown_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    opened_at: Option<Timestamp>,
    #[serde(default)]
    failures: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dead_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    #[serde(default)]
    private: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rang: Option<Rang>,
    #[serde(default)]
    proofs: Proofs,
}

/// Under which a device is stored: its address is secret and must be found all the same. Addresses of push services are
/// what they are; a token is one of its provider's.
#[must_use]
pub fn device_key(kind: PushProvider, endpoint: &str) -> String {
    let named = match kind {
        PushProvider::Web | PushProvider::Unifiedpush => endpoint.to_owned(),
        PushProvider::Fcm | PushProvider::Apns | PushProvider::None => format!("{} {endpoint}", kind.as_str()),
    };
    format!("sha256:{}", sha256_hex(named.as_bytes()))
}

impl DeviceNote {
    fn apply(&self, doc: &mut DeviceDoc, key: &str) {
        doc.shown_at = doc.shown_at.max(self.shown_at);
        doc.opened_at = doc.opened_at.max(self.opened_at);
        doc.failures = if self.took { 0 } else { doc.failures }.saturating_add(self.failures);
        if let Some(death) = self.dead.as_ref().filter(|it| it.of == key) {
            doc.dead_at = Some(death.at);
            doc.why = Some(death.why.clone());
        }
        doc.proofs = std::mem::take(&mut doc.proofs).then(&self.proofs, self.shown_at.is_some());
    }
}

impl Store {
    /// Every device, by number.
    ///
    /// # Errors
    /// When the database does not answer, or the key that opens them is not there.
    pub fn devices(&mut self) -> Result<Vec<Device>, StoreError> {
        let rows: Vec<(i64, String, String, String)> = device::table.order(device::id).load(&mut self.db)?;
        rows.into_iter().map(|row| self.device_opened(row)).collect()
    }

    /// Another text after every change of any device; none before the first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn devices_turn(&mut self) -> Result<Option<String>, StoreError> {
        self.meta(TURN)
    }

    /// Registers a device, or renews the one with this endpoint: it belongs to whoever registered it last. `replaces` is an
    /// endpoint of the same person that the browser has given up. Gives it as it is then, and whether it is new to the
    /// person.
    ///
    /// # Errors
    /// [`Refused::TooManyDevices`] when the person has as many that live.
    pub fn device_put(
        &mut self,
        new: &NewDevice,
        replaces: Option<&str>,
        now: Timestamp,
    ) -> Result<(Device, bool), StoreError> {
        self.write(|store| {
            // Two at once could be one too many; and an account that ends meanwhile takes its devices along.
            store.take_turn(Turn::Accounts)?;
            let key = device_key(new.reach.kind, &new.reach.endpoint);
            let replaced = replaces.map(|endpoint| device_key(new.reach.kind, endpoint));
            if let Some(old) = replaced.filter(|old| *old != key) {
                let of_person = device::table.filter(device::endpoint.eq(old));
                diesel::delete(of_person.filter(device::person.eq(plain(new.person.as_str()))))
                    .execute(&mut store.db)?;
            }
            let row: Option<(i64, String, String)> = device::table
                .filter(device::endpoint.eq(&key))
                .select((device::id, device::person, device::doc))
                .first(&mut store.db)
                .optional()?;
            let known = match row {
                Some((id, person, doc)) => {
                    let doc: DeviceDoc = document("device", id, &doc)?;
                    (doc.login == new.login && person == plain(new.person.as_str())).then_some((id, doc))
                }
                None => None,
            };
            if known.is_none() {
                store.device_room(&key, &new.person)?;
            }
            let is_new = known.is_none();
            let id = store.device_write(new, &key, known, now)?;
            store.devices_turned()?;
            let row = device::table.find(id).first(&mut store.db)?;
            Ok((store.device_opened(row)?, is_new))
        })
    }

    /// The same, for somebody who is signed in and may not be any more: their account may have ended, or become another
    /// person's, while the request was on its way.
    ///
    /// # Errors
    /// As [`Self::device_put`]; [`Refused::NoSuchAccount`] and [`Refused::AccountChanged`].
    pub fn device_register(
        &mut self,
        new: &NewDevice,
        replaces: Option<&str>,
        now: Timestamp,
    ) -> Result<(Device, bool), StoreError> {
        self.write(|store| {
            store.take_turn(Turn::Accounts)?;
            let account = store.existing(&new.login)?;
            if account.disabled || account.person.as_ref() != Some(&new.person) {
                return Err(Refused::AccountChanged.into());
            }
            store.device_put(new, replaces, now)
        })
    }

    /// Makes room for one more device of a person: what is dead goes first, the longest dead of all before others.
    fn device_room(&mut self, key: &str, person: &PersonId) -> Result<(), StoreError> {
        // Whoever else had this endpoint has it no more.
        diesel::delete(device::table.filter(device::endpoint.eq(key))).execute(&mut self.db)?;
        let rows: Vec<(i64, String)> = device::table
            .filter(device::person.eq(plain(person.as_str())))
            .select((device::id, device::doc))
            .load(&mut self.db)?;
        if rows.len() < DEVICES_MOST {
            return Ok(());
        }
        let mut dead = Vec::new();
        for (id, doc) in rows {
            let doc: DeviceDoc = document("device", id, &doc)?;
            dead.extend(doc.dead_at.map(|at| (at, id)));
        }
        let (_, oldest) = dead.into_iter().min().ok_or(Refused::TooManyDevices { most: DEVICES_MOST })?;
        diesel::delete(device::table.find(oldest)).execute(&mut self.db)?;
        Ok(())
    }

    fn device_write(
        &mut self,
        new: &NewDevice,
        key: &str,
        known: Option<(i64, DeviceDoc)>,
        now: Timestamp,
    ) -> Result<i64, StoreError> {
        let old = known.as_ref().map(|(_, doc)| doc);
        // A subscription that is told of again lives: its push service says so to the browser before we hear of it.
        let doc = DeviceDoc {
            login: new.login.clone(),
            label: new.label.clone(),
            kind: new.reach.kind,
            platform: new.platform,
            reached: self.seal_reach(key, &new.reach)?,
            user_agent: new.user_agent.clone(),
            language: new.language,
            created_at: old.map_or(now, |old| old.created_at),
            seen_at: now,
            shown_at: old.and_then(|old| old.shown_at),
            opened_at: old.and_then(|old| old.opened_at),
            failures: old.map_or(0, |old| old.failures),
            dead_at: None,
            why: None,
            private: old.is_some_and(|old| old.private),
            rang: old.and_then(|old| old.rang.clone()),
            proofs: old.map(|old| old.proofs.clone()).unwrap_or_default(),
        };
        let doc = json("a device", &doc)?;
        if let Some((id, _)) = known {
            diesel::update(device::table.find(id)).set(device::doc.eq(doc)).execute(&mut self.db)?;
            return Ok(id);
        }
        let values = (device::endpoint.eq(key), device::person.eq(plain(new.person.as_str())), device::doc.eq(doc));
        Ok(diesel::insert_into(device::table).values(values).returning(device::id).get_result(&mut self.db)?)
    }

    /// Reaches a device in another way from now on; gives it as it is then, none when it is gone. Whoever else was reached so
    /// is not any more.
    ///
    /// # Errors
    /// When the database refuses it.
    pub fn device_reach(&mut self, id: i64, reach: &Reach, now: Timestamp) -> Result<Option<Device>, StoreError> {
        self.write(|store| {
            store.take_turn(Turn::Accounts)?;
            let row: Option<String> = device::table.find(id).select(device::doc).first(&mut store.db).optional()?;
            let Some(text) = row else { return Ok(None) };
            let key = device_key(reach.kind, &reach.endpoint);
            let others = device::table.filter(device::endpoint.eq(&key).and(device::id.ne(id)));
            diesel::delete(others).execute(&mut store.db)?;
            let doc = DeviceDoc {
                kind: reach.kind,
                reached: store.seal_reach(&key, reach)?,
                seen_at: now,
                failures: 0,
                dead_at: None,
                why: None,
                ..document("device", id, &text)?
            };
            let doc = json("a device", &doc)?;
            diesel::update(device::table.find(id))
                .set((device::endpoint.eq(&key), device::doc.eq(doc)))
                .execute(&mut store.db)?;
            store.devices_turned()?;
            let row = device::table.find(id).first(&mut store.db)?;
            store.device_opened(row).map(Some)
        })
    }

    /// Removes a device of whomever; false when there is none of this number.
    ///
    /// # Errors
    /// When the database refuses it.
    pub fn device_revoke(&mut self, id: i64) -> Result<bool, StoreError> {
        self.write(|store| {
            let removed = diesel::delete(device::table.find(id)).execute(&mut store.db)? > 0;
            if removed {
                store.devices_turned()?;
            }
            Ok(removed)
        })
    }

    /// Changes what its owner decides about a device; none when the person has none of this number.
    ///
    /// # Errors
    /// When the database refuses it.
    pub fn device_change(
        &mut self,
        id: i64,
        person: &PersonId,
        change: &DeviceChange,
        now: Timestamp,
    ) -> Result<Option<Device>, StoreError> {
        self.write(|store| {
            // What became of pushes is noted at the same time.
            store.take_turn(Turn::Accounts)?;
            let of_person = device::table.find(id).filter(device::person.eq(plain(person.as_str())));
            let row: Option<String> = of_person.select(device::doc).first(&mut store.db).optional()?;
            let Some(text) = row else { return Ok(None) };
            let mut doc: DeviceDoc = document("device", id, &text)?;
            if let Some(label) = &change.label {
                doc.label.clone_from(label);
            }
            doc.private = change.private.unwrap_or(doc.private);
            doc.rang = change.heard.map(|heard| Rang { at: now, heard }).or(doc.rang);
            let doc = json("a device", &doc)?;
            diesel::update(device::table.find(id)).set(device::doc.eq(doc)).execute(&mut store.db)?;
            store.devices_turned()?;
            let row = device::table.find(id).first(&mut store.db)?;
            Ok(Some(store.device_opened(row)?))
        })
    }

    /// Removes a device of a person; false when they have none of this number.
    ///
    /// # Errors
    /// When the database refuses it.
    pub fn device_remove(&mut self, id: i64, person: &PersonId) -> Result<bool, StoreError> {
        self.write(|store| {
            let of_person = device::table.find(id).filter(device::person.eq(plain(person.as_str())));
            let removed = diesel::delete(of_person).execute(&mut store.db)? > 0;
            if removed {
                store.devices_turned()?;
            }
            Ok(removed)
        })
    }

    /// Takes down what became of pushes. What was removed meanwhile stays away.
    ///
    /// # Errors
    /// When the database refuses it.
    pub fn devices_note<'a>(
        &mut self,
        notes: impl IntoIterator<Item = (i64, &'a DeviceNote)>,
    ) -> Result<(), StoreError> {
        self.write(|store| {
            // A registration that comes at the same time must not be written over.
            store.take_turn(Turn::Accounts)?;
            for (id, note) in notes {
                let row: Option<(String, String)> =
                    device::table.find(id).select((device::endpoint, device::doc)).first(&mut store.db).optional()?;
                let Some((key, text)) = row else { continue };
                let mut doc: DeviceDoc = document("device", id, &text)?;
                note.apply(&mut doc, &key);
                diesel::update(device::table.find(id))
                    .set(device::doc.eq(json("a device", &doc)?))
                    .execute(&mut store.db)?;
            }
            store.devices_turned()
        })
    }

    /// Removes every device that an account registered: it was disabled, or is another person from now on.
    pub(super) fn devices_end(&mut self, login: &str) -> Result<(), StoreError> {
        let rows: Vec<(i64, String)> = device::table.select((device::id, device::doc)).load(&mut self.db)?;
        for (id, doc) in rows {
            let doc: DeviceDoc = document("device", id, &doc)?;
            if super::accounts::login_key(&doc.login) == super::accounts::login_key(login) {
                diesel::delete(device::table.find(id)).execute(&mut self.db)?;
            }
        }
        self.devices_turned()
    }

    fn seal_reach(&mut self, key: &str, reach: &Reach) -> Result<String, StoreError> {
        self.seal_device(key, &json("a device", &(&reach.endpoint, &reach.p256dh, &reach.auth))?)
    }

    pub(super) fn devices_turned(&mut self) -> Result<(), StoreError> {
        self.meta_put(TURN, &crate::entropy::token(""))
    }

    fn device_opened(&self, (id, key, person, doc): (i64, String, String, String)) -> Result<Device, StoreError> {
        let doc: DeviceDoc = document("device", id, &doc)?;
        let reached = self.open_device(&key, &doc.reached)?;
        let (endpoint, p256dh, auth) = document("the address of device", id, &reached)?;
        Ok(Device {
            id,
            login: doc.login,
            person: PersonId::from(person),
            label: doc.label,
            kind: doc.kind,
            platform: doc.platform,
            endpoint,
            p256dh,
            auth,
            user_agent: doc.user_agent,
            language: doc.language,
            created_at: doc.created_at,
            seen_at: doc.seen_at,
            shown_at: doc.shown_at,
            opened_at: doc.opened_at,
            failures: doc.failures,
            dead_at: doc.dead_at,
            why: doc.why,
            private: doc.private,
            rang: doc.rang,
            proofs: doc.proofs,
        })
    }
}
