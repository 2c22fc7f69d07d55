//! What is secret in the store is sealed on its way in and opened on its way out: secrets of configurations, the secret of
//! links and of web push, addresses of calendars and devices. This also seals what an older version stored plainly, and seals
//! anew with another key.

use super::{
    Store, StoreError,
    commit::json,
    connection::{Db, Turn},
    devices::DeviceDoc,
    restore::document,
    schema::{calendar_copy, config_version, device, meta},
    text::sha256_hex,
};
use crate::{
    config::{Held, Put, SEALED, rewrite_secrets},
    seal::{Keys, SealError},
};
use diesel::{
    ExpressionMethods as _, QueryDsl as _, QueryableByName, RunQueryDsl as _, connection::SimpleConnection as _,
    sql_query, sql_types::Integer,
};

/// The name of the key everything is sealed with; none before the first secret.
const KEY: &str = "secrets.key";
/// Up to which list of sealed places everything stored was gone through.
const GONE_THROUGH: &str = "secrets.gone_through";
/// Rises with every place that is newly sealed: what is stored is gone through once more.
const PLACES: &str = "1";
/// There may be plain remains on the medium.
const REMAINS: &str = "secrets.remains";
/// The private key that web pushes are signed with.
pub const VAPID: &str = "push.vapid";
/// Facts that are secret.
const SECRET_FACTS: [&str; 2] = ["secret", VAPID];

/// The keys, and which of them seals.
struct Sealer {
    keys: Keys,
    name: String,
}

impl Sealer {
    fn seal(&self, place: &str, text: &str) -> Result<String, SealError> {
        self.keys.seal(&self.name, place, text)
    }
}

/// A value of the database: where it stands, and how.
struct Value<'a> {
    place: &'a str,
    held: Held<'a>,
}

type Change<'a> = dyn FnMut(Value<'_>) -> Result<Put, StoreError> + 'a;

/// What going through the secrets came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Values that were sealed, or sealed anew.
    pub sealed: usize,
    /// Values that no key opens, and that were given up.
    pub lost: usize,
}

fn config_place(version: i64, path: &str) -> String {
    format!("configuration {version}: {path}")
}

fn fact_place(key: &str) -> String {
    format!("fact {key}")
}

fn device_place(key: &str) -> String {
    format!("device {key}")
}

fn calendar_place(key: &str) -> String {
    format!("calendar {key}")
}

/// A calendar is found by this: its address may be a secret.
pub(super) fn calendar_key(url: &str) -> String {
    format!("sha256:{}", sha256_hex(url.as_bytes()))
}

impl Store {
    /// A configuration's text as it is stored.
    pub(super) fn seal_config(&mut self, version: i64, text: &str) -> Result<String, StoreError> {
        let mut sealer = None;
        rewrite_secrets(text, |held| {
            // Made only for a text that has secrets.
            let sealer = match &mut sealer {
                Some(sealer) => sealer,
                none => none.insert(self.sealer()?),
            };
            Ok(Put::Sealed(sealer.seal(&config_place(version, held.path), held.literal)?))
        })
    }

    /// A stored configuration as it was put in force.
    pub(super) fn open_config(&self, version: i64, text: String) -> Result<String, StoreError> {
        if !text.contains(SEALED) {
            return Ok(text);
        }
        let mut keys = None;
        rewrite_secrets(&text, |held| {
            let Some(sealed) = held.sealed else { return Ok(Put::Literal(held.literal.to_owned())) };
            let keys = match &mut keys {
                Some(keys) => keys,
                none => none.insert(self.keys.read_any()?),
            };
            Ok(Put::Literal(keys.open(&config_place(version, held.path), sealed)?))
        })
    }

    pub(super) fn seal_device(&mut self, key: &str, reached: &str) -> Result<String, StoreError> {
        Ok(self.sealer()?.seal(&device_place(key), reached)?)
    }

    pub(super) fn open_device(&self, key: &str, sealed: &str) -> Result<String, StoreError> {
        Ok(self.keys.read_any()?.open(&device_place(key), sealed)?)
    }

    pub(super) fn seal_calendar(&mut self, key: &str, url: &str) -> Result<String, StoreError> {
        Ok(self.sealer()?.seal(&calendar_place(key), url)?)
    }

    pub(super) fn open_calendar(&self, key: &str, url: String) -> Result<String, StoreError> {
        if !url.starts_with(SEALED) {
            return Ok(url);
        }
        Ok(self.keys.read_any()?.open(&calendar_place(key), &url)?)
    }

    /// Stores a secret fact unless it is there already, and gives the one that is there.
    ///
    /// # Errors
    /// When the database refuses it, or the key is not there.
    pub fn secret_once(&mut self, key: &str, value: &str) -> Result<String, StoreError> {
        debug_assert!(SECRET_FACTS.contains(&key), "{key} would not be sealed anew");
        self.write(|store| {
            store.take_turn(Turn::Configuration)?;
            let place = fact_place(key);
            match store.meta(key)? {
                Some(stored) if stored.starts_with(SEALED) => Ok(store.keys.read_any()?.open(&place, &stored)?),
                Some(stored) => Ok(stored),
                None => {
                    let sealed = store.sealer()?.seal(&place, value)?;
                    store.meta_put(key, &sealed)?;
                    Ok(value.to_owned())
                }
            }
        })
    }

    /// Makes sure that what is secret is sealed and can be opened: what an older version stored plainly is sealed now, and
    /// then nothing of it is left in the database's files. Gives how many values that were.
    ///
    /// # Errors
    /// When the key is not there, with what to do; when the database does not answer.
    pub fn seal_all(&mut self) -> Result<usize, StoreError> {
        if let Some(key) = self.meta(KEY)? {
            self.keys.read(&key)?;
        }
        let mut sealed = 0;
        if self.meta(GONE_THROUGH)?.as_deref() != Some(PLACES) {
            sealed = self.write(|store| {
                store.take_turn(Turn::Configuration)?;
                let sealed = store.seal_plain()?;
                store.meta_put(GONE_THROUGH, PLACES)?;
                if sealed > 0 {
                    store.meta_put(REMAINS, "")?;
                }
                Ok(sealed)
            })?;
        }
        if self.meta(REMAINS)?.is_some() {
            match self.wipe() {
                Ok(()) => drop(self.meta_remove(REMAINS)?),
                Err(error) => tracing::warn!(
                    %error,
                    "secrets are sealed, and remains of them may still be in the database's files; the next start tries again"
                ),
            }
        }
        Ok(sealed)
    }

    /// Whether everything sealed can be opened: the name of the key in force; none before the first secret.
    ///
    /// # Errors
    /// When the key is not there.
    pub fn secrets_key(&mut self) -> Result<Option<String>, StoreError> {
        let Some(key) = self.meta(KEY)? else { return Ok(None) };
        self.keys.read(&key)?;
        Ok(Some(key))
    }

    /// Seals everything anew, in one transaction: with the newest key of the file when that is not in force yet, else with
    /// one that is added. Then the file keeps only that key. `told` hears of (configurations done, of how many).
    ///
    /// # Errors
    /// When the key in force is not there; when the file or the database cannot be written. What was sealed opens still.
    pub fn secrets_rotate(&mut self, told: &mut dyn FnMut(usize, usize)) -> Result<Swept, StoreError> {
        self.sweep_with_new_key(told, false)
    }

    /// The same when keys are lost: what none of the file's keys opens is replaced by the word `lost`.
    ///
    /// # Errors
    /// When the file or the database cannot be written.
    pub fn secrets_forget(&mut self, told: &mut dyn FnMut(usize, usize)) -> Result<Swept, StoreError> {
        self.sweep_with_new_key(told, true)
    }

    fn sweep_with_new_key(&mut self, told: &mut dyn FnMut(usize, usize), forget: bool) -> Result<Swept, StoreError> {
        // Two at once would each drop the other's key.
        let _alone = self.keys.lock()?;
        let in_force = self.meta(KEY)?;
        let mut keys = match &in_force {
            Some(key) if !forget => self.keys.read(key)?,
            _ => self.keys.read_or_make()?,
        };
        if in_force.as_deref() == Some(keys.newest()) {
            keys = self.keys.add()?;
        }
        let sealer = Sealer { name: keys.newest().to_owned(), keys };
        let mut swept = Swept::default();
        self.write(|store| {
            store.take_turn(Turn::Configuration)?;
            if forget {
                swept.lost = store.drop_lost(&sealer.keys)?;
            }
            store.each_value(told, &mut |value| {
                let opened = match value.held.sealed {
                    Some(sealed) => sealer.keys.open(value.place, sealed),
                    None => Ok(value.held.literal.to_owned()),
                };
                let literal = match opened {
                    Err(_) if forget => {
                        swept.lost += 1;
                        lost(value.held.path).to_owned()
                    }
                    opened => opened?,
                };
                swept.sealed += 1;
                Ok(Put::Sealed(sealer.seal(value.place, &literal)?))
            })?;
            store.meta_put(KEY, &sealer.name)
        })?;
        // What only the old key opens may stay there where another program reads on; without that key it is nothing.
        if let Err(error) = self.move_log() {
            tracing::debug!(%error, "values under the old key stay in the log for now");
        }
        self.keys.keep_only(&sealer.name)?;
        Ok(swept)
    }

    /// Removes secrets that are made anew, or fetched, and that none of these keys opens; gives how many.
    fn drop_lost(&mut self, keys: &Keys) -> Result<usize, StoreError> {
        let mut lost = 0;
        for key in SECRET_FACTS {
            let stored = self.meta(key)?.filter(|stored| stored.starts_with(SEALED));
            if stored.is_some_and(|stored| keys.open(&fact_place(key), &stored).is_err()) {
                self.meta_remove(key)?;
                lost += 1;
            }
        }
        let rows: Vec<(String, String)> =
            calendar_copy::table.select((calendar_copy::url, calendar_copy::doc)).load(&mut self.db)?;
        for (key, doc) in rows {
            let state: super::CalendarState = document("calendar", 0, &doc)?;
            if state.url.starts_with(SEALED) && keys.open(&calendar_place(&key), &state.url).is_err() {
                diesel::delete(calendar_copy::table.find(&key)).execute(&mut self.db)?;
                lost += 1;
            }
        }
        for (key, doc) in self.sealed_devices()? {
            if keys.open(&device_place(&key), &doc.reached).is_err() {
                diesel::delete(device::table.filter(device::endpoint.eq(&key))).execute(&mut self.db)?;
                self.devices_turned()?;
                lost += 1;
            }
        }
        Ok(lost)
    }

    /// The key in force, and the file it is in; the first secret decides which key that is.
    fn sealer(&mut self) -> Result<Sealer, StoreError> {
        let name = match self.meta(KEY)? {
            Some(name) => name,
            None => {
                let made = self.keys.read_or_make()?.newest().to_owned();
                self.meta_once(KEY, &made)?
            }
        };
        Ok(Sealer { keys: self.keys.read(&name)?, name })
    }

    fn seal_plain(&mut self) -> Result<usize, StoreError> {
        let (mut found, mut sealed) = (false, 0);
        // Looked for first: a store without secrets needs no key.
        self.each_value(&mut |_, _| {}, &mut |value| {
            found = true;
            Ok(as_it_is(&value.held))
        })?;
        if !found {
            return Ok(0);
        }
        let sealer = self.sealer()?;
        self.each_value(&mut |_, _| {}, &mut |value| {
            if value.held.sealed.is_some_and(|text| sealer.keys.open(value.place, text).is_ok()) {
                return Ok(as_it_is(&value.held));
            }
            sealed += 1;
            Ok(Put::Sealed(sealer.seal(value.place, value.held.literal)?))
        })?;
        Ok(sealed)
    }

    /// Puts another value in the place of each that is, or is to be, sealed.
    fn each_value(&mut self, told: &mut dyn FnMut(usize, usize), change: &mut Change<'_>) -> Result<(), StoreError> {
        // What is replaced is overwritten with zeros.
        self.overwrite("ON")?;
        let done = self
            .each_config(told, change)
            .and_then(|()| self.each_fact(change))
            .and_then(|()| self.each_calendar(change))
            .and_then(|()| self.each_device(change));
        self.overwrite("OFF")?;
        done
    }

    fn overwrite(&mut self, on_or_off: &str) -> Result<(), StoreError> {
        match &mut self.db {
            Db::Sqlite(connection) => Ok(connection.batch_execute(&format!("PRAGMA secure_delete = {on_or_off}"))?),
            #[cfg(feature = "postgres")]
            Db::Postgres(_) => Ok(()),
        }
    }

    fn each_config(&mut self, told: &mut dyn FnMut(usize, usize), change: &mut Change<'_>) -> Result<(), StoreError> {
        let versions: Vec<i64> =
            config_version::table.order(config_version::version).select(config_version::version).load(&mut self.db)?;
        for (done, version) in versions.iter().enumerate() {
            told(done, versions.len());
            let row = config_version::table.find(version);
            let stored: String = row.select(config_version::toml).first(&mut self.db)?;
            let new =
                rewrite_secrets(&stored, |held| change(Value { place: &config_place(*version, held.path), held }))?;
            if new != stored {
                diesel::update(row).set(config_version::toml.eq(new)).execute(&mut self.db)?;
            }
        }
        told(versions.len(), versions.len());
        Ok(())
    }

    fn each_fact(&mut self, change: &mut Change<'_>) -> Result<(), StoreError> {
        for key in SECRET_FACTS {
            let Some(stored) = self.meta(key)? else { continue };
            let new = changed(&fact_place(key), &stored, change)?;
            diesel::update(meta::table.find(key)).set(meta::value.eq(new)).execute(&mut self.db)?;
        }
        Ok(())
    }

    fn each_calendar(&mut self, change: &mut Change<'_>) -> Result<(), StoreError> {
        let rows: Vec<(String, String)> =
            calendar_copy::table.select((calendar_copy::url, calendar_copy::doc)).load(&mut self.db)?;
        for (row, doc) in rows {
            let mut state: super::CalendarState = document("calendar", 0, &doc)?;
            // A plain address says under which key it belongs; a sealed one is there.
            let key = if state.url.starts_with(SEALED) { row.clone() } else { calendar_key(&state.url) };
            state.url = changed(&calendar_place(&key), &state.url, change)?;
            diesel::update(calendar_copy::table.find(&row))
                .set((calendar_copy::url.eq(&key), calendar_copy::doc.eq(json("a calendar", &state)?)))
                .execute(&mut self.db)?;
        }
        Ok(())
    }

    fn each_device(&mut self, change: &mut Change<'_>) -> Result<(), StoreError> {
        for (key, mut doc) in self.sealed_devices()? {
            doc.reached = changed(&device_place(&key), &doc.reached, change)?;
            diesel::update(device::table.filter(device::endpoint.eq(&key)))
                .set(device::doc.eq(json("a device", &doc)?))
                .execute(&mut self.db)?;
        }
        Ok(())
    }

    /// Every device by the hash of its endpoint, with what it is reached by as it is stored.
    fn sealed_devices(&mut self) -> Result<Vec<(String, DeviceDoc)>, StoreError> {
        let rows: Vec<(String, String)> =
            device::table.order(device::id).select((device::endpoint, device::doc)).load(&mut self.db)?;
        rows.into_iter().map(|(key, doc)| Ok((key, document("device", 0, &doc)?))).collect()
    }

    /// Leaves nothing of what was replaced in the database's files: rows are written anew, without gaps and old copies.
    fn wipe(&mut self) -> Result<(), StoreError> {
        match &mut self.db {
            Db::Sqlite(connection) => {
                tracing::info!(
                    "writing the database anew, so that no plain secret is left in its file; this happens once"
                );
                connection.batch_execute("VACUUM")?;
            }
            #[cfg(feature = "postgres")]
            Db::Postgres(connection) => {
                connection.batch_execute("SET lock_timeout = 60000; SET statement_timeout = 0")?;
                // Each by itself: together they would be a transaction, in which there is no VACUUM.
                let tables = ["config_version", "calendar_copy", "meta"];
                let done = tables.into_iter().try_for_each(|it| connection.batch_execute(&format!("VACUUM FULL {it}")));
                connection.batch_execute(&super::connection::waits())?;
                done?;
            }
        }
        self.move_log()
    }

    /// Moves all of the write-ahead log into the file, and empties it. PostgreSQL's log is its own.
    fn move_log(&mut self) -> Result<(), StoreError> {
        #[derive(QueryableByName)]
        struct Moved {
            #[diesel(sql_type = Integer)]
            busy: i32,
        }
        if !matches!(self.db, Db::Sqlite(_)) {
            return Ok(());
        }
        let Moved { busy } = sql_query("PRAGMA wal_checkpoint(TRUNCATE)").get_result(&mut self.db)?;
        if busy == 0 {
            return Ok(());
        }
        let context = "another program reads it, so that its write-ahead log cannot be emptied".to_owned();
        Err(StoreError::Busy { context, source: None })
    }
}

/// What stands for a secret that is lost, such that the configuration works otherwise.
fn lost(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, key)| key) {
        "url" | "webhook" | "ical_url" | "teams" => "\"https://lost.invalid/\"",
        "secret" => "\"whsec_bG9zdCBsb3N0IGxvc3QgbG9zdCBsb3N0\"",
        // A whole text that was no TOML.
        "" => "# lost",
        _ => "\"lost\"",
    }
}

fn as_it_is(held: &Held<'_>) -> Put {
    match held.sealed {
        Some(sealed) => Put::Sealed(sealed.to_owned()),
        None => Put::Literal(held.literal.to_owned()),
    }
}

/// A value that stands by itself.
fn changed(place: &str, stored: &str, change: &mut Change<'_>) -> Result<String, StoreError> {
    let sealed = stored.starts_with(SEALED).then_some(stored);
    match change(Value { place, held: Held { path: "", literal: stored, sealed } })? {
        Put::Literal(text) | Put::Sealed(text) => Ok(text),
    }
}
