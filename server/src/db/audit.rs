//! Who did what: appended in one line, each row's hash covering the row and the hash before it.
//!
//! The chain shows that a row was changed, removed or put in later. It cannot show that somebody with the whole
//! database wrote it anew from some row on: for that, keep a copy of a later hash elsewhere.

use super::{
    Store, StoreError,
    connection::Turn,
    schema::audit,
    text::{chained, plain},
};
use diesel::{ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, Queryable, RunQueryDsl as _};
use shared::{Timestamp, api::AuditRow};

/// One act, to be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    pub at: Timestamp,
    /// A login, `token:NAME`, `cli` or `system`.
    pub actor: String,
    /// For example `account.create`.
    pub action: String,
    /// What it was done to.
    pub object: String,
    /// In words; never a secret.
    pub detail: String,
    /// `ok`, or why not.
    pub outcome: String,
}

/// What a check of the whole record found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuditVerdict {
    /// Every row is as it was written.
    Intact { entries: i64 },
    /// The first row that is not.
    Broken { id: i64, what: &'static str },
}

/// The newest row's number and hash, so that rows missing at the end are seen too.
const HEAD: &str = "audit.head";
/// Rows read at a time.
const BATCH: i64 = 1_000;

impl Store {
    /// Makes a change and records it, both or neither.
    ///
    /// # Errors
    /// Whatever `change` returns; nothing is recorded then.
    pub fn audited<T>(
        &mut self,
        entry: &AuditEntry,
        change: impl FnOnce(&mut Self) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.audited_by(|store| Ok((change(store)?, entry.clone())))
    }

    /// The same, where only the change tells what is to be recorded.
    ///
    /// # Errors
    /// Whatever `change` returns; nothing is recorded then.
    pub fn audited_by<T>(
        &mut self,
        change: impl FnOnce(&mut Self) -> Result<(T, AuditEntry), StoreError>,
    ) -> Result<T, StoreError> {
        self.write(|store| {
            let (done, entry) = change(store)?;
            // Last, because nobody else can append until this transaction ends.
            store.audit_append(&entry)?;
            Ok(done)
        })
    }

    /// Records an act and gives the number of its row.
    ///
    /// # Errors
    /// When the database refuses it.
    pub fn audit_append(&mut self, entry: &AuditEntry) -> Result<i64, StoreError> {
        self.write(|store| {
            store.take_turn(Turn::Audit)?;
            let last: Option<(i64, String)> = audit::table
                .order(audit::id.desc())
                .select((audit::id, audit::hash))
                .first(&mut store.db)
                .optional()?;
            let (last, prev_hash) = last.unwrap_or_default();
            let mut row = Row {
                id: last + 1,
                at: entry.at.ms(),
                actor: plain(&entry.actor).into_owned(),
                action: plain(&entry.action).into_owned(),
                object: plain(&entry.object).into_owned(),
                detail: plain(&entry.detail).into_owned(),
                outcome: plain(&entry.outcome).into_owned(),
                prev_hash,
                hash: String::new(),
            };
            row.hash = row.digest();
            diesel::insert_into(audit::table)
                .values((
                    audit::id.eq(row.id),
                    audit::at.eq(row.at),
                    audit::actor.eq(&row.actor),
                    audit::action.eq(&row.action),
                    audit::object.eq(&row.object),
                    audit::detail.eq(&row.detail),
                    audit::outcome.eq(&row.outcome),
                    audit::prev_hash.eq(&row.prev_hash),
                    audit::hash.eq(&row.hash),
                ))
                .execute(&mut store.db)?;
            store.meta_put(HEAD, &row.head())?;
            Ok(row.id)
        })
    }

    /// The newest rows below `before`, newest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn audit_list(&mut self, before: Option<i64>, limit: usize) -> Result<Vec<AuditRow>, StoreError> {
        let rows: Vec<Row> = audit::table
            .filter(audit::id.lt(before.unwrap_or(i64::MAX)))
            .order(audit::id.desc())
            .limit(i64::try_from(limit).unwrap_or(i64::MAX))
            .load(&mut self.db)?;
        Ok(rows.into_iter().map(AuditRow::from).collect())
    }

    /// When something was last done to an object, and succeeded. Looks through the record, so it is for what is rarely asked.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn audit_last(&mut self, action: &str, object: &str) -> Result<Option<Timestamp>, StoreError> {
        let done = audit::table
            .filter(audit::action.eq(action))
            .filter(audit::object.eq(object))
            .filter(audit::outcome.eq("ok"));
        let at: Option<i64> = done.order(audit::id.desc()).select(audit::at).first(&mut self.db).optional()?;
        Ok(at.map(Timestamp::from_ms))
    }

    /// Checks the whole record.
    ///
    /// # Errors
    /// When the database does not answer; a broken record is an answer.
    pub fn audit_verify(&mut self) -> Result<AuditVerdict, StoreError> {
        self.snapshot(|store| {
            let mut last = Row::default();
            loop {
                let rows: Vec<Row> =
                    audit::table.filter(audit::id.gt(last.id)).order(audit::id).limit(BATCH).load(&mut store.db)?;
                if rows.is_empty() {
                    break;
                }
                for row in rows {
                    if let Some(what) = row.fault(&last) {
                        return Ok(AuditVerdict::Broken { id: last.id + 1, what });
                    }
                    last = row;
                }
            }
            let head = store.meta(HEAD)?;
            let expected = (last.id > 0).then(|| last.head());
            if head == expected {
                Ok(AuditVerdict::Intact { entries: last.id })
            } else {
                Ok(AuditVerdict::Broken { id: last.id + 1, what: "rows are missing at the end" })
            }
        })
    }
}

#[derive(Default, Queryable)]
struct Row {
    id: i64,
    at: i64,
    actor: String,
    action: String,
    object: String,
    detail: String,
    outcome: String,
    prev_hash: String,
    hash: String,
}

impl Row {
    /// The hash over the row and the hash before it.
    fn digest(&self) -> String {
        let (id, at) = (self.id.to_string(), self.at.to_string());
        let fields = [
            "tocsin audit 1",
            &self.prev_hash,
            &id,
            &at,
            &self.actor,
            &self.action,
            &self.object,
            &self.detail,
            &self.outcome,
        ];
        chained(&fields)
    }

    fn head(&self) -> String {
        format!("{} {}", self.id, self.hash)
    }

    /// What is wrong with this row as the successor of `last`.
    fn fault(&self, last: &Self) -> Option<&'static str> {
        if self.id != last.id + 1 {
            Some("a row is missing")
        } else if self.prev_hash != last.hash {
            Some("the row does not follow the one before it")
        } else if self.hash != self.digest() {
            Some("the row was changed")
        } else {
            None
        }
    }
}

impl From<Row> for AuditRow {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            at: Timestamp::from_ms(row.at),
            actor: row.actor,
            action: row.action,
            object: row.object,
            detail: row.detail,
            outcome: row.outcome,
            hash: row.hash,
        }
    }
}
