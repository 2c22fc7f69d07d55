//! Monitored machines and what was measured of them, in compressed parts.

use super::{
    Store, StoreError,
    schema::{host, host_part},
    text::plain,
};
use diesel::{ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, RunQueryDsl as _};
use shared::Timestamp;
use std::ops::Range;

/// A host as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostRecord {
    pub id: i64,
    pub name: String,
    pub seen_at: Timestamp,
    /// What is known of it besides its samples, as JSON.
    pub doc: String,
}

/// A stored part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPart {
    /// How far apart its points are, in seconds; 0: it has every sample.
    pub step: i64,
    /// When its span begins.
    pub at: Timestamp,
    /// Who measured it.
    pub feed: String,
    pub body: Vec<u8>,
}

impl Store {
    /// Every host, by name.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn hosts(&mut self) -> Result<Vec<HostRecord>, StoreError> {
        let rows: Vec<(i64, String, i64, String)> = host::table.order(host::name).load(&mut self.db)?;
        let record = |(id, name, seen_at, doc)| HostRecord { id, name, seen_at: Timestamp::from_ms(seen_at), doc };
        Ok(rows.into_iter().map(record).collect())
    }

    /// Stores what is known of a host, and gives its number.
    ///
    /// # Errors
    /// When the database refuses it.
    pub fn host_put(&mut self, name: &str, seen_at: Timestamp, doc: &str) -> Result<i64, StoreError> {
        let name = plain(name);
        let values = (host::name.eq(&*name), host::seen_at.eq(seen_at.ms()), host::doc.eq(plain(doc)));
        self.write(|store| {
            let known: Option<i64> =
                host::table.filter(host::name.eq(&*name)).select(host::id).first(&mut store.db).optional()?;
            match known {
                Some(id) => {
                    diesel::update(host::table.find(id)).set(values).execute(&mut store.db)?;
                    Ok(id)
                }
                None => {
                    let inserted = diesel::insert_into(host::table).values(values).returning(host::id);
                    Ok(inserted.get_result(&mut store.db)?)
                }
            }
        })
    }

    /// The parts of a host with points of this step that begin in a span of time, oldest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn host_parts(&mut self, of: i64, step: i64, span: Range<Timestamp>) -> Result<Vec<HostPart>, StoreError> {
        let rows: Vec<(i64, String, Vec<u8>)> = host_part::table
            .filter(host_part::host.eq(of))
            .filter(host_part::step.eq(step))
            .filter(host_part::at.ge(span.start.ms()))
            .filter(host_part::at.lt(span.end.ms()))
            .order((host_part::at, host_part::feed))
            .select((host_part::at, host_part::feed, host_part::body))
            .load(&mut self.db)?;
        let part = |(at, feed, body)| HostPart { step, at: Timestamp::from_ms(at), feed, body };
        Ok(rows.into_iter().map(part).collect())
    }

    /// When the newest part of a host with points of this step begins.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn host_newest_part(&mut self, of: i64, step: i64) -> Result<Option<Timestamp>, StoreError> {
        let parts = host_part::table.filter(host_part::host.eq(of)).filter(host_part::step.eq(step));
        let newest: Option<i64> =
            parts.order(host_part::at.desc()).select(host_part::at).first(&mut self.db).optional()?;
        Ok(newest.map(Timestamp::from_ms))
    }

    /// Stores parts, each in the place of the one that was there.
    ///
    /// # Errors
    /// When the database refuses it.
    pub fn host_parts_put(&mut self, of: i64, parts: &[HostPart]) -> Result<(), StoreError> {
        self.write(|store| {
            for part in parts {
                let key = (of, part.step, part.at.ms(), &*part.feed);
                diesel::delete(host_part::table.find(key)).execute(&mut store.db)?;
                let row = (
                    host_part::host.eq(of),
                    host_part::step.eq(part.step),
                    host_part::at.eq(part.at.ms()),
                    host_part::feed.eq(&*part.feed),
                    host_part::body.eq(&*part.body),
                );
                diesel::insert_into(host_part::table).values(row).execute(&mut store.db)?;
            }
            Ok(())
        })
    }

    /// Removes the oldest parts of a host that begin before an instant, at most so many; gives how many there were.
    ///
    /// # Errors
    /// When the database refuses it.
    pub fn host_parts_drop(&mut self, of: i64, step: i64, before: Timestamp, most: usize) -> Result<usize, StoreError> {
        let old = host_part::table.filter(host_part::host.eq(of)).filter(host_part::step.eq(step));
        let old: Vec<i64> = old
            .filter(host_part::at.lt(before.ms()))
            .order(host_part::at)
            .limit(most as i64)
            .select(host_part::at)
            .load(&mut self.db)?;
        let Some(last) = old.last() else { return Ok(0) };
        let of_step = host_part::table.filter(host_part::host.eq(of)).filter(host_part::step.eq(step));
        Ok(diesel::delete(of_step.filter(host_part::at.le(last))).execute(&mut self.db)?)
    }

    /// Forgets a host whose parts are gone.
    ///
    /// # Errors
    /// When the database refuses it.
    pub fn host_drop(&mut self, of: i64) -> Result<(), StoreError> {
        diesel::delete(host::table.find(of)).execute(&mut self.db)?;
        Ok(())
    }
    /// A store that refuses to take a host of this name, or does so again.
    #[cfg(test)]
    pub(crate) fn refuse_host(&mut self, name: &str, refuses: bool) {
        let sql = match refuses {
            true => format!(
                "CREATE TRIGGER no BEFORE INSERT ON host WHEN NEW.name = '{name}' BEGIN SELECT RAISE(ABORT, 'no'); END"
            ),
            false => "DROP TRIGGER no".to_owned(),
        };
        diesel::sql_query(sql).execute(&mut self.db).expect("a test's own statement");
    }
}
