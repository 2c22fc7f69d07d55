//! Calendars that others keep: how fetching them went, and the last good copy of each.

use super::{
    Store, StoreError,
    commit::json,
    connection::Turn,
    restore::document,
    schema::calendar_copy,
    text::{index_key, plain},
};
use diesel::{ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, RunQueryDsl as _};
use engine::oncall::Copies;
use serde::{Deserialize, Serialize};
use shared::Timestamp;
use std::collections::BTreeSet;

/// Counts how often a copy became another one.
const NUMBER: &str = "calendar_copies";

/// What is known of a calendar besides its text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalendarState {
    /// As the configuration writes it.
    pub url: String,
    /// Of the copy, for its keeper to compare.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<String>,
    /// When the copy became another one; none before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<Timestamp>,
    /// When the copy was last found to be what the calendar says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub good_at: Option<Timestamp>,
    pub tried_at: Timestamp,
    /// Tries that failed since then.
    #[serde(default)]
    pub failures: u32,
    /// Why the last try failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl Store {
    /// How fetching each calendar went, in the order of their addresses.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn calendar_states(&mut self) -> Result<Vec<CalendarState>, StoreError> {
        let rows: Vec<String> =
            calendar_copy::table.order(calendar_copy::url).select(calendar_copy::doc).load(&mut self.db)?;
        rows.iter().enumerate().map(|(row, doc)| document("calendar", row as i64, doc)).collect()
    }

    /// The last good copy of every calendar that has one.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn calendar_copies(&mut self) -> Result<Copies, StoreError> {
        let rows: Vec<(String, Option<String>)> =
            calendar_copy::table.select((calendar_copy::doc, calendar_copy::copy)).load(&mut self.db)?;
        let mut copies = Copies::new();
        for (row, (doc, copy)) in rows.into_iter().enumerate() {
            let state: CalendarState = document("calendar", row as i64, &doc)?;
            copies.extend(copy.map(|copy| (state.url, copy.into())));
        }
        Ok(copies)
    }

    /// A number that rises with every copy that becomes another one. Cheap enough to ask every second.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn calendars_number(&mut self) -> Result<i64, StoreError> {
        let Some(text) = self.meta(NUMBER)? else { return Ok(0) };
        text.parse().map_err(|error: std::num::ParseIntError| StoreError::corrupt(NUMBER, error))
    }

    /// Stores how a try went, with the new copy if there is one, unless somebody else tried since `before` was read;
    /// then it says false.
    ///
    /// # Errors
    /// When the database refuses it.
    pub fn calendar_put(
        &mut self,
        before: Option<&CalendarState>,
        state: &CalendarState,
        copy: Option<&str>,
    ) -> Result<bool, StoreError> {
        let (key, doc) = (index_key(&state.url), json("a calendar", state)?);
        self.write(|store| {
            store.take_turn(Turn::Configuration)?;
            let row = calendar_copy::table.find(&*key);
            let known: Option<String> = row.select(calendar_copy::doc).first(&mut store.db).optional()?;
            let known: Option<CalendarState> = known.map(|doc| document("calendar", 0, &doc)).transpose()?;
            if known.as_ref() != before {
                return Ok(false);
            }
            if known.is_some() {
                diesel::update(row).set(calendar_copy::doc.eq(&doc)).execute(&mut store.db)?;
            } else {
                let values = (calendar_copy::url.eq(&*key), calendar_copy::doc.eq(&doc));
                diesel::insert_into(calendar_copy::table).values(values).execute(&mut store.db)?;
            }
            if let Some(copy) = copy {
                let copy = calendar_copy::copy.eq(plain(copy));
                diesel::update(calendar_copy::table.find(&*key)).set(copy).execute(&mut store.db)?;
                let number = store.calendars_number()? + 1;
                store.meta_put(NUMBER, &number.to_string())?;
            }
            Ok(true)
        })
    }

    /// Forgets every calendar but these.
    ///
    /// # Errors
    /// When the database refuses it.
    pub fn calendars_keep(&mut self, urls: &BTreeSet<String>) -> Result<(), StoreError> {
        let gone = self.calendar_states()?.into_iter().filter(|state| !urls.contains(&state.url));
        for state in gone.collect::<Vec<_>>() {
            diesel::delete(calendar_copy::table.find(&*index_key(&state.url))).execute(&mut self.db)?;
        }
        Ok(())
    }
}
