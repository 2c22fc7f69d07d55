//! Silences: written by the engine with everything else, read at start and for lists.

use super::{AuditEntry, Store, StoreError, commit::json, restore::document, schema::silence};
use diesel::{
    ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, RunQueryDsl as _, dsl::sql, sql_types::Bool,
};
use shared::{
    Digest, Silence, SilenceId, Timestamp,
    text::{Language, digest_sums},
};
use std::{collections::BTreeMap, sync::Arc};

impl Store {
    /// Those with numbers up to `known` are there already.
    pub(super) fn put_silences(&mut self, silences: &[Arc<Silence>], known: i64) -> Result<(), StoreError> {
        // The newest state of each: what is over comes after what stands.
        let newest: BTreeMap<_, _> = silences.iter().map(|it| (it.id, &**it)).collect();
        for it in newest.into_values() {
            let (live, ended_at) = (i16::from(it.is_live()), it.ended.as_ref().map(|end| end.at.ms()));
            let values =
                (silence::live.eq(live), silence::ended_at.eq(ended_at), silence::doc.eq(json("a silence", it)?));
            if it.id.0 > known {
                diesel::insert_into(silence::table).values((silence::id.eq(it.id.0), values)).execute(&mut self.db)?;
            } else {
                let changed = diesel::update(silence::table.find(it.id.0)).set(values).execute(&mut self.db)?;
                if changed != 1 {
                    return Err(StoreError::Other {
                        context: format!("silence {} is gone from the database", it.id),
                        source: None,
                    });
                }
            }
        }
        Ok(())
    }

    /// What happened in maintenances, into the record of acts.
    pub(super) fn record_digests(&mut self, digests: &[(SilenceId, Digest)]) -> Result<(), StoreError> {
        for (silence, digest) in digests {
            let people: Vec<&str> = digest.people.iter().map(|person| person.as_str()).collect();
            self.audit_append(&AuditEntry {
                at: digest.at,
                actor: "system".to_owned(),
                action: "maintenance.digest".to_owned(),
                object: silence.to_string(),
                detail: format!("{}; told: {}", digest_sums(Language::En, digest), people.join(", ")),
                outcome: "ok".to_owned(),
            })?;
        }
        Ok(())
    }

    /// Silences that are not over, and those of which somebody is still to be told, oldest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn silences_live(&mut self) -> Result<Vec<Silence>, StoreError> {
        let rows: Vec<(i64, String)> = silence::table
            .filter(sql::<Bool>("live = 1"))
            .order(silence::id)
            .select((silence::id, silence::doc))
            .load(&mut self.db)?;
        rows.iter().map(|(id, doc)| document("silence", *id, doc)).collect()
    }

    /// Silences that ended since, the newest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn silences_ended(&mut self, since: Timestamp, limit: usize) -> Result<Vec<Silence>, StoreError> {
        let rows: Vec<(i64, String)> = silence::table
            .filter(silence::ended_at.ge(since.ms()))
            .order(silence::ended_at.desc())
            .limit(limit as i64)
            .select((silence::id, silence::doc))
            .load(&mut self.db)?;
        rows.iter().map(|(id, doc)| document("silence", *id, doc)).collect()
    }

    /// One silence.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn silence(&mut self, id: SilenceId) -> Result<Option<Silence>, StoreError> {
        let doc: Option<String> = silence::table.find(id.0).select(silence::doc).first(&mut self.db).optional()?;
        doc.map(|doc| document("silence", id.0, &doc)).transpose()
    }
}
