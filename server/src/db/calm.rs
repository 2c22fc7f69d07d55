//! What people were sent of late, and storms: written by the engine with everything else, read at start and for lists.

use super::{
    Store, StoreError,
    commit::json,
    connection::on_any,
    restore::document,
    schema::{contact_send, incident, storm},
};
use diesel::{ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, RunQueryDsl as _};
use engine::{ContactSends, OPENINGS_MAX};
use shared::{ContactId, IncidentId, PersonId, Storm, Timestamp};

impl Store {
    pub(super) fn put_sends(&mut self, sends: &[ContactSends]) -> Result<(), StoreError> {
        for it in sends {
            let doc = json("what a person was sent", &it.log)?;
            let row = (
                contact_send::person.eq(it.person.as_str()),
                contact_send::contact.eq(it.contact.as_str()),
                contact_send::doc.eq(&doc),
            );
            on_any!(&mut self.db, db => diesel::insert_into(contact_send::table)
                .values(row)
                .on_conflict((contact_send::person, contact_send::contact))
                .do_update()
                .set(contact_send::doc.eq(&doc))
                .execute(db))?;
        }
        Ok(())
    }

    pub(super) fn sends(&mut self) -> Result<Vec<ContactSends>, StoreError> {
        let rows: Vec<(String, String, String)> = contact_send::table
            .order((contact_send::person, contact_send::contact))
            .select((contact_send::person, contact_send::contact, contact_send::doc))
            .load(&mut self.db)?;
        let read = |(person, contact, doc): (String, String, String)| {
            let log = document("contact_send", 0, &doc)?;
            Ok(ContactSends { person: PersonId(person), contact: ContactId(contact), log })
        };
        rows.into_iter().map(read).collect()
    }

    pub(super) fn put_storms(&mut self, storms: &[Storm]) -> Result<(), StoreError> {
        for it in storms {
            let values = (storm::live.eq(i16::from(it.ended_at.is_none())), storm::doc.eq(json("a storm", it)?));
            on_any!(&mut self.db, db => diesel::insert_into(storm::table)
                .values((storm::id.eq(it.id.0), values.clone()))
                .on_conflict(storm::id)
                .do_update()
                .set(values)
                .execute(db))?;
        }
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
        Ok(rows.into_iter().rev().map(|(at, id)| (Timestamp(at), IncidentId(id))).collect())
    }
}
