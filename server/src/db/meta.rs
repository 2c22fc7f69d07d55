//! Facts about this installation: its id, its secret, and what else is one text under one name.

use super::{Store, StoreError, connection::on_any, schema::meta, text::plain};
use diesel::{ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, RunQueryDsl as _, upsert::excluded};

impl Store {
    /// The fact of this name.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn meta(&mut self, key: &str) -> Result<Option<String>, StoreError> {
        Ok(meta::table.find(key).select(meta::value).first(&mut self.db).optional()?)
    }

    /// Stores a fact unless it is there already, and gives the one that is there: of two servers that start at once,
    /// both get the same.
    ///
    /// # Errors
    /// When the database refuses it.
    pub fn meta_once(&mut self, key: &str, value: &str) -> Result<String, StoreError> {
        let row = (meta::key.eq(plain(key)), meta::value.eq(plain(value)));
        on_any!(&mut self.db, c => diesel::insert_into(meta::table).values(&row).on_conflict_do_nothing().execute(c))?;
        Ok(meta::table.find(key).select(meta::value).first(&mut self.db)?)
    }

    /// Stores a fact over the one that may be there.
    ///
    /// # Errors
    /// When the database refuses it.
    pub fn meta_put(&mut self, key: &str, value: &str) -> Result<(), StoreError> {
        let row = (meta::key.eq(plain(key)), meta::value.eq(plain(value)));
        on_any!(&mut self.db, c => diesel::insert_into(meta::table)
            .values(&row)
            .on_conflict(meta::key)
            .do_update()
            .set(meta::value.eq(excluded(meta::value)))
            .execute(c))?;
        Ok(())
    }

    /// Removes a fact; false when there was none.
    pub(super) fn meta_remove(&mut self, key: &str) -> Result<bool, StoreError> {
        Ok(diesel::delete(meta::table.find(key)).execute(&mut self.db)? > 0)
    }
}
