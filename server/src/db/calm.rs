//! What people were sent of late, and storms: written by the engine with everything else, read at start and for lists.

use super::{
    Store, StoreError,
    commit::{json, rewrite, write_rows},
    restore::document,
    schema::{contact_send, incident, storm},
};
use diesel::{ExpressionMethods as _, Insertable, OptionalExtension as _, QueryDsl as _, RunQueryDsl as _};
use engine::{ContactSends, OPENINGS_MAX};
use shared::{ContactId, IncidentId, PersonId, Storm, Timestamp};
use std::collections::BTreeMap;

impl Store {
    pub(super) fn put_sends(&mut self, sends: &[ContactSends]) -> Result<(), StoreError> {
        let newest: BTreeMap<_, _> = sends.iter().map(|it| ((&it.person, &it.contact), it)).collect();
        let rows = newest.into_values().map(ContactSendRow::of).collect::<Result<Vec<_>, _>>()?;
        rewrite!(&mut self.db, contact_send by person | contact, rows, doc);
        Ok(())
    }

    pub(super) fn sends(&mut self) -> Result<Vec<ContactSends>, StoreError> {
        let rows: Vec<(String, String, String)> = contact_send::table
            .order((contact_send::person, contact_send::contact))
            .select((contact_send::person, contact_send::contact, contact_send::doc))
            .load(&mut self.db)?;
        let read = |(person, contact, doc): (String, String, String)| {
            let log = document("contact_send", 0, &doc)?;
            Ok(ContactSends { person: PersonId::from(person), contact: ContactId::from(contact), log })
        };
        rows.into_iter().map(read).collect()
    }

    pub(super) fn put_storms(&mut self, storms: &[Storm]) -> Result<(), StoreError> {
        let newest: BTreeMap<_, _> = storms.iter().map(|it| (it.id, it)).collect();
        let rows = newest.into_values().map(StormRow::of).collect::<Result<Vec<_>, _>>()?;
        rewrite!(&mut self.db, storm, rows, live, doc);
        Ok(())
    }

    /// The storm that lasts.
    pub(super) fn storm_now(&mut self) -> Result<Option<Storm>, StoreError> {
        let row: Option<(i64, String)> = storm::table
            .filter(storm::live.eq(1))
            .order(storm::id.desc())
            .select((storm::id, storm::doc))
            .first(&mut self.db)
            .optional()?;
        row.map(|(id, doc)| document("storm", id, &doc)).transpose()
    }

    /// Storms, the newest first; the first may still last.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn storms(&mut self, limit: usize) -> Result<Vec<Storm>, StoreError> {
        let rows: Vec<(i64, String)> = storm::table
            .order(storm::id.desc())
            .limit(limit as i64)
            .select((storm::id, storm::doc))
            .load(&mut self.db)?;
        rows.iter().map(|(id, doc)| document("storm", *id, doc)).collect()
    }

    /// One storm.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn storm(&mut self, id: IncidentId) -> Result<Option<Storm>, StoreError> {
        let doc: Option<String> = storm::table.find(id.0).select(storm::doc).first(&mut self.db).optional()?;
        doc.map(|doc| document("storm", id.0, &doc)).transpose()
    }

    /// When the newest incidents opened, oldest first, also those that are over.
    pub(super) fn openings(&mut self) -> Result<Vec<(Timestamp, IncidentId)>, StoreError> {
        let rows: Vec<(i64, i64)> = incident::table
            .order(incident::id.desc())
            .limit(OPENINGS_MAX as i64)
            .select((incident::opened_at, incident::id))
            .load(&mut self.db)?;
        Ok(rows.into_iter().rev().map(|(at, id)| (Timestamp::from_ms(at), IncidentId(id))).collect())
    }
}

// While a storm lasts both kinds of rows are part of nearly every commit.

#[derive(Insertable)]
#[diesel(table_name = contact_send, treat_none_as_default_value = false)]
struct ContactSendRow {
    person: String,
    contact: String,
    doc: String,
}

impl ContactSendRow {
    fn of(it: &ContactSends) -> Result<Self, StoreError> {
        let doc = json("what a person was sent", &it.log)?;
        Ok(Self { person: it.person.as_str().to_owned(), contact: it.contact.as_str().to_owned(), doc })
    }
}

#[derive(Insertable)]
#[diesel(table_name = storm, treat_none_as_default_value = false)]
struct StormRow {
    id: i64,
    live: i16,
    doc: String,
}

impl StormRow {
    fn of(it: &Storm) -> Result<Self, StoreError> {
        Ok(Self { id: it.id.0, live: i16::from(it.ended_at.is_none()), doc: json("a storm", it)? })
    }
}
