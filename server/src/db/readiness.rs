//! What those who come on call were asked about their shifts, and what they answered.

use super::{Store, StoreError, commit::json, connection::on_any, restore::document, schema::readiness, text::plain};
use diesel::{ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, RunQueryDsl as _, upsert::excluded};
use engine::readiness::{Asked, Coming};
use shared::{PersonId, ScheduleId, Timestamp};

impl Store {
    /// Everything known of shifts that have begun since, or will, by their beginning.
    ///
    /// # Errors
    /// When the database does not answer, or holds what cannot be read.
    pub fn readiness(&mut self, since: Timestamp) -> Result<Vec<(Coming, Asked)>, StoreError> {
        let rows: Vec<(String, String, i64, String)> = readiness::table
            .filter(readiness::begins.ge(since.ms()))
            .order((readiness::begins, readiness::schedule, readiness::person))
            .load(&mut self.db)?;
        rows.into_iter()
            .map(|(schedule, person, begins, doc)| {
                let asked = document("readiness", begins, &doc)?;
                let (schedule, person) = (ScheduleId::from(schedule), PersonId::from(person));
                Ok((Coming { schedule, person, from: Timestamp::from_ms(begins) }, asked))
            })
            .collect()
    }

    /// Changes what is known of a shift, or notes the first of it, and gives it as it is then.
    ///
    /// # Errors
    /// When the database refuses it.
    pub fn readiness_change(&mut self, coming: &Coming, change: impl FnOnce(&mut Asked)) -> Result<Asked, StoreError> {
        self.write(|store| {
            let key = (plain(coming.schedule.as_str()), plain(coming.person.as_str()), coming.from.ms());
            let doc: Option<String> =
                readiness::table.find(key.clone()).select(readiness::doc).first(&mut store.db).optional()?;
            let mut asked = match doc {
                Some(doc) => document("readiness", coming.from.ms(), &doc)?,
                None => Asked::default(),
            };
            change(&mut asked);
            let (schedule, person, begins) = key;
            let row = (
                readiness::schedule.eq(schedule),
                readiness::person.eq(person),
                readiness::begins.eq(begins),
                readiness::doc.eq(json("readiness", &asked)?),
            );
            on_any!(&mut store.db, c => diesel::insert_into(readiness::table)
                .values(&row)
                .on_conflict((readiness::schedule, readiness::person, readiness::begins))
                .do_update()
                .set(readiness::doc.eq(excluded(readiness::doc)))
                .execute(c))?;
            Ok(asked)
        })
    }

    /// Forgets shifts that began before this.
    ///
    /// # Errors
    /// When the database refuses it.
    pub fn readiness_forget(&mut self, before: Timestamp) -> Result<(), StoreError> {
        diesel::delete(readiness::table.filter(readiness::begins.lt(before.ms()))).execute(&mut self.db)?;
        Ok(())
    }
}
