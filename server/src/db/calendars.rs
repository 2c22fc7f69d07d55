//! Calendars that others keep: how fetching them went, and the last good copy of each.

use super::{
    Store, StoreError, commit::json, connection::Turn, restore::document, schema::calendar_copy, sealed::calendar_key,
    text::plain,
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
        let rows: Vec<(String, String)> =
            calendar_copy::table.select((calendar_copy::url, calendar_copy::doc)).load(&mut self.db)?;
        let mut states = rows
            .iter()
            .map(|(key, doc)| self.calendar(key, doc))
            .collect::<Result<Vec<CalendarState>, StoreError>>()?;
        states.sort_by(|one, other| one.url.cmp(&other.url));
        Ok(states)
    }

    /// The last good copy of every calendar that has one.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn calendar_copies(&mut self) -> Result<Copies, StoreError> {
        let rows: Vec<(String, String, Option<String>)> = calendar_copy::table
            .select((calendar_copy::url, calendar_copy::doc, calendar_copy::copy))
            .load(&mut self.db)?;
        let mut copies = Copies::new();
        for (key, doc, copy) in rows {
            let state = self.calendar(&key, &doc)?;
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
        let key = calendar_key(&state.url);
        self.write(|store| {
            store.take_turn(Turn::Configuration)?;
            let url = store.seal_calendar(&key, &state.url)?;
            let doc = json("a calendar", &CalendarState { url, ..state.clone() })?;
            let row = calendar_copy::table.find(&key);
            let known: Option<String> = row.select(calendar_copy::doc).first(&mut store.db).optional()?;
            let known = known.map(|doc| store.calendar(&key, &doc)).transpose()?;
            if known.as_ref() != before {
                return Ok(false);
            }
            if known.is_some() {
                diesel::update(row).set(calendar_copy::doc.eq(&doc)).execute(&mut store.db)?;
            } else {
                let values = (calendar_copy::url.eq(&key), calendar_copy::doc.eq(&doc));
                diesel::insert_into(calendar_copy::table).values(values).execute(&mut store.db)?;
            }
            if let Some(copy) = copy {
                let copy = calendar_copy::copy.eq(plain(copy));
                diesel::update(calendar_copy::table.find(&key)).set(copy).execute(&mut store.db)?;
                let number = store.calendars_number()? + 1;
                store.meta_put(NUMBER, &number.to_string())?;
            }
            Ok(true)
        })
    }

    /// A row, with its address opened.
    fn calendar(&self, key: &str, doc: &str) -> Result<CalendarState, StoreError> {
        let state: CalendarState = document("calendar", 0, doc)?;
        Ok(CalendarState { url: self.open_calendar(key, state.url)?, ..state })
    }

    /// Forgets every calendar but these.
    ///
    /// # Errors
    /// When the database refuses it.
    pub fn calendars_keep(&mut self, urls: &BTreeSet<String>) -> Result<(), StoreError> {
        let gone = self.calendar_states()?.into_iter().filter(|state| !urls.contains(&state.url));
        for state in gone.collect::<Vec<_>>() {
            diesel::delete(calendar_copy::table.find(&calendar_key(&state.url))).execute(&mut self.db)?;
        }
        Ok(())
    }
}
