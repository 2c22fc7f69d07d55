//! Apps on paired devices: the codes that let them in, their sessions by the hash of their token, and what they were
//! answered by the keys they chose.

use super::{
    Account, Device, NewDevice, Refused, Store, StoreError,
    accounts::{self, login_key},
    connection::{Turn, on_any},
    devices::DeviceDoc,
    restore::document,
    schema::{account, device, device_session, mobile_answer, pairing, session},
    text::plain,
};
use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, NullableExpressionMethods as _, OptionalExtension as _,
    QueryDsl as _, RunQueryDsl as _,
};
use shared::{Delay, PersonId, Timestamp};

/// How long being seen is not worth another write.
const TOUCH_MS: i64 = 60_000;
/// How long an answer is kept for a repetition.
const KEPT: Delay = Delay(24 * 3_600_000);
/// Something that is still being done after this was cut off; it may be done again.
const CUT_OFF: Delay = Delay(60_000);

/// An app that is let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceSession {
    pub id: i64,
    pub device: i64,
    /// What its owner called the device.
    pub label: String,
    pub last_seen_at: Timestamp,
}

/// What is known of a request under the key an app chose for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// Nothing: it is to be done, and what is answered to be kept.
    New,
    /// It was answered.
    Answered { status: u16, body: String },
    /// It is being done.
    Busy,
    /// Something else was asked under the same key.
    Other,
}

/// Under which something is kept: the hash of device and key, and of what was asked.
#[derive(Clone, Debug)]
pub struct Kept {
    pub key_hash: String,
    pub asked_hash: String,
    pub device: i64,
}

/// A session's number, the hash of the token before, when it was seen; the device's number and document.
type Found = (i64, Option<String>, i64, i64, String);

impl Store {
    /// Stores a code that lets one app in as the account of this session, in place of any earlier one of that account.
    ///
    /// # Errors
    /// When there is no such session, or the database refuses it.
    pub fn pairing_put(
        &mut self,
        code_hash: &str,
        login: &str,
        by: i64,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(|store| {
            let own: Vec<i64> =
                session::table.filter(session::account.eq(login_key(login))).select(session::id).load(&mut store.db)?;
            diesel::delete(pairing::table.filter(pairing::session.eq_any(own))).execute(&mut store.db)?;
            diesel::insert_into(pairing::table)
                .values((
                    pairing::code_hash.eq(plain(code_hash)),
                    pairing::session.eq(by),
                    pairing::expires_at.eq(expires_at.ms()),
                ))
                .execute(&mut store.db)?;
            Ok(())
        })
    }

    /// Takes a code, registers the device and begins its session, all or nothing; `device_of` says how the device of this
    /// account and person is registered. Gives both with the session's account.
    ///
    /// # Errors
    /// [`Refused::WrongPairingCode`], [`Refused::TooManyDevices`].
    pub fn pairing_take(
        &mut self,
        code_hash: &str,
        token_hash: &str,
        device_of: impl FnOnce(&Account, PersonId) -> NewDevice,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<(Device, Account, PersonId), StoreError> {
        self.write(|store| {
            store.take_turn(Turn::Accounts)?;
            let found: Option<accounts::Row> = pairing::table
                .inner_join(session::table.inner_join(account::table))
                .filter(pairing::code_hash.eq(plain(code_hash)).and(pairing::expires_at.gt(now.ms())))
                .filter(session::expires_at.gt(now.ms()).and(account::disabled.eq(0)))
                .select(account::all_columns)
                .first(&mut store.db)
                .optional()?;
            let account = found.map(Account::try_from).transpose()?.ok_or(Refused::WrongPairingCode)?;
            let person = account.person.clone().ok_or(Refused::WrongPairingCode)?;
            // Of two at once, one takes it.
            if diesel::delete(pairing::table.find(plain(code_hash))).execute(&mut store.db)? == 0 {
                return Err(Refused::WrongPairingCode.into());
            }
            diesel::delete(pairing::table.filter(pairing::expires_at.le(now.ms()))).execute(&mut store.db)?;
            diesel::delete(device_session::table.filter(device_session::expires_at.le(now.ms())))
                .execute(&mut store.db)?;
            let (device, _) = store.device_put(&device_of(&account, person.clone()), None, now)?;
            // Who paired it before, with the same token of its provider, has another session now.
            diesel::delete(device_session::table.filter(device_session::device.eq(device.id)))
                .execute(&mut store.db)?;
            diesel::insert_into(device_session::table)
                .values((
                    device_session::token_hash.eq(plain(token_hash)),
                    device_session::account.eq(login_key(&account.login)),
                    device_session::device.eq(device.id),
                    device_session::created_at.eq(now.ms()),
                    device_session::last_seen_at.eq(now.ms()),
                    device_session::expires_at.eq(expires_at.ms()),
                ))
                .execute(&mut store.db)?;
            Ok((device, account, person))
        })
    }

    /// The app's session with this token and its account, unless it expired or the account is disabled. The first use of a
    /// token ends the one before it; that it was seen is noted once a minute.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn device_session_find(
        &mut self,
        token_hash: &str,
        now: Timestamp,
    ) -> Result<Option<(DeviceSession, Account)>, StoreError> {
        let present = device_session::token_hash.nullable().eq(Some(plain(token_hash)));
        let before = device_session::previous_hash
            .eq(Some(plain(token_hash)))
            .and(device_session::previous_until.gt(Some(now.ms())));
        let columns =
            (device_session::id, device_session::previous_hash, device_session::last_seen_at, device::id, device::doc);
        let found: Option<(Found, accounts::Row)> = device_session::table
            .inner_join(account::table)
            .inner_join(device::table)
            .filter(present.or(before))
            .filter(device_session::expires_at.gt(now.ms()).and(account::disabled.eq(0)))
            .select((columns, account::all_columns))
            .first(&mut self.db)
            .optional()?;
        let Some(((id, previous, seen, device, doc), account)) = found else { return Ok(None) };
        let doc: DeviceDoc = document("device", device, &doc)?;
        let last_seen_at = Timestamp::from_ms(seen);
        let is_first_use = previous.is_some_and(|previous| previous != token_hash);
        if is_first_use || last_seen_at.plus_ms(TOUCH_MS) <= now {
            let noted = self.device_session_note(id, is_first_use, now);
            // A store that takes no writes still lets people look.
            noted.unwrap_or_else(|error| tracing::debug!(%error, "an app's last use was not noted"));
        }
        Ok(Some((DeviceSession { id, device, label: doc.label, last_seen_at }, Account::try_from(account)?)))
    }

    fn device_session_note(&mut self, id: i64, is_first_use: bool, now: Timestamp) -> Result<(), StoreError> {
        self.write(|store| {
            diesel::update(device_session::table.find(id))
                .set(device_session::last_seen_at.eq(now.ms()))
                .execute(&mut store.db)?;
            if is_first_use {
                diesel::update(device_session::table.find(id))
                    .set((
                        device_session::previous_hash.eq(None::<String>),
                        device_session::previous_until.eq(None::<i64>),
                    ))
                    .execute(&mut store.db)?;
            }
            Ok(())
        })
    }

    /// Gives an app's session another token; the one it was asked with works on until the new one is used, or until
    /// `both_until`. False when the session is gone.
    ///
    /// # Errors
    /// When the database refuses it.
    pub fn device_session_rotate(
        &mut self,
        id: i64,
        asked_with: &str,
        token_hash: &str,
        both_until: Timestamp,
        expires_at: Timestamp,
    ) -> Result<bool, StoreError> {
        let changed = diesel::update(device_session::table.find(id))
            .set((
                device_session::token_hash.eq(plain(token_hash)),
                device_session::previous_hash.eq(Some(plain(asked_with))),
                device_session::previous_until.eq(Some(both_until.ms())),
                device_session::expires_at.eq(expires_at.ms()),
            ))
            .execute(&mut self.db)?;
        Ok(changed > 0)
    }

    /// The account of an app's session that has neither ended nor expired.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn device_session_account(&mut self, id: i64, now: Timestamp) -> Result<Option<Account>, StoreError> {
        let row: Option<accounts::Row> = device_session::table
            .inner_join(account::table)
            .filter(device_session::id.eq(id).and(device_session::expires_at.gt(now.ms())))
            .select(account::all_columns)
            .first(&mut self.db)
            .optional()?;
        row.map(Account::try_from).transpose()
    }

    /// Ends one session of an app; the device stays, and is pushed to.
    ///
    /// # Errors
    /// When the database refuses it.
    pub fn device_session_end(&mut self, id: i64) -> Result<(), StoreError> {
        diesel::delete(device_session::table.find(id)).execute(&mut self.db)?;
        Ok(())
    }

    /// Ends the sessions of an account's apps.
    pub(super) fn device_sessions_end(&mut self, login: &str) -> Result<(), StoreError> {
        let own = device_session::table.filter(device_session::account.eq(login_key(login)));
        diesel::delete(own).execute(&mut self.db)?;
        Ok(())
    }

    /// Says what is known of a request by its key, and notes that it is being done if nothing was.
    ///
    /// # Errors
    /// When the database refuses it.
    pub fn repeat_claim(&mut self, kept: &Kept, now: Timestamp) -> Result<Repeat, StoreError> {
        self.write(|store| {
            let old = mobile_answer::at.le(now.plus_ms(-KEPT.0).ms());
            let cut_off = mobile_answer::status.is_null().and(mobile_answer::at.le(now.plus_ms(-CUT_OFF.0).ms()));
            diesel::delete(mobile_answer::table.filter(old.or(cut_off))).execute(&mut store.db)?;
            let row = (
                mobile_answer::key_hash.eq(&kept.key_hash),
                mobile_answer::device.eq(kept.device),
                mobile_answer::asked_hash.eq(&kept.asked_hash),
                mobile_answer::at.eq(now.ms()),
                mobile_answer::body.eq(""),
            );
            let claimed = on_any!(&mut store.db, c => diesel::insert_into(mobile_answer::table)
                .values(&row).on_conflict_do_nothing().execute(c))?;
            if claimed > 0 {
                return Ok(Repeat::New);
            }
            let (asked, status, body): (String, Option<i64>, String) = mobile_answer::table
                .find(&kept.key_hash)
                .select((mobile_answer::asked_hash, mobile_answer::status, mobile_answer::body))
                .first(&mut store.db)?;
            Ok(match status.map(u16::try_from) {
                _ if asked != kept.asked_hash => Repeat::Other,
                Some(Ok(status)) => Repeat::Answered { status, body },
                _ => Repeat::Busy,
            })
        })
    }

    /// Keeps what was answered; without an answer, the request may be repeated as if it had never come.
    ///
    /// # Errors
    /// When the database refuses it.
    pub fn repeat_settle(&mut self, key_hash: &str, answer: Option<(u16, &str)>) -> Result<(), StoreError> {
        let row = mobile_answer::table.find(key_hash);
        match answer {
            Some((status, body)) => diesel::update(row)
                .set((mobile_answer::status.eq(Some(i64::from(status))), mobile_answer::body.eq(plain(body))))
                .execute(&mut self.db)?,
            None => diesel::delete(row).execute(&mut self.db)?,
        };
        Ok(())
    }
}
