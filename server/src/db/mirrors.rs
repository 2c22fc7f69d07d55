//! Port mirrors: written by the engine with everything else, read at start, for lists and for those who ask twice.

use super::{AuditEntry, Store, StoreError, commit::json, connection::Db, restore::document, schema::mirror};
use crate::clock;
use diesel::{
    ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, RunQueryDsl as _,
    dsl::sql,
    sql_types::{BigInt, Bool},
};
use engine::mirror::Recorded;
use shared::{
    IncidentId, MirrorId, Timestamp,
    mirror::Mirror,
    timeline::{Actor, MirrorEvent},
};
use std::{collections::BTreeMap, sync::Arc};

impl Store {
    /// Those with numbers up to `known` are there already.
    pub(super) fn put_mirrors(&mut self, mirrors: &[Arc<Mirror>], known: i64) -> Result<(), StoreError> {
        let newest: BTreeMap<_, _> = mirrors.iter().map(|it| (it.id, &**it)).collect();
        for it in newest.into_values() {
            let live = i16::from(!it.is_over());
            let values = (
                mirror::incident.eq(it.spec.incident.map(|incident| incident.0)),
                mirror::live.eq(live),
                mirror::created_at.eq(it.created_at.ms()),
                mirror::idem_key.eq(it.key.as_deref().map(|key| idem_key(&it.by, key))),
                mirror::doc.eq(json("a mirror", it)?),
            );
            if it.id.0 > known {
                diesel::insert_into(mirror::table).values((mirror::id.eq(it.id.0), values)).execute(&mut self.db)?;
            } else {
                let changed = diesel::update(mirror::table.find(it.id.0)).set(values).execute(&mut self.db)?;
                if changed != 1 {
                    let context = format!("mirror {} is gone from the database", it.id);
                    return Err(StoreError::Other { context, source: None });
                }
            }
        }
        Ok(())
    }

    /// What was done about mirrors, into the record of acts.
    pub(super) fn record_mirrors(&mut self, steps: &[Recorded]) -> Result<(), StoreError> {
        for Recorded { mirror, step, incident, reason, to } in steps {
            let (action, outcome) = act_of(&step.what);
            let incident = incident.map_or_else(|| "none".to_owned(), |id| id.to_string());
            self.audit_append(&AuditEntry {
                at: step.at,
                actor: actor(&step.by),
                action: action.to_owned(),
                object: mirror.to_string(),
                detail: format!("{}; to {to}; incident {incident}; reason: {reason}", json("a step", &step.what)?),
                outcome: outcome.to_owned(),
            })?;
        }
        Ok(())
    }

    /// Mirrors that are not over, oldest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn mirrors_live(&mut self) -> Result<Vec<Mirror>, StoreError> {
        let rows: Vec<(i64, String)> = mirror::table
            .filter(sql::<Bool>("live = 1"))
            .order(mirror::id)
            .select((mirror::id, mirror::doc))
            .load(&mut self.db)?;
        rows.iter().map(|(id, doc)| document("mirror", *id, doc)).collect()
    }

    /// Mirrors that are over and were asked for since, the newest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn mirrors_over(&mut self, since: Timestamp, limit: usize) -> Result<Vec<Mirror>, StoreError> {
        let rows: Vec<(i64, String)> = mirror::table
            .filter(mirror::created_at.ge(since.ms()))
            .filter(sql::<Bool>("live = 0"))
            .order(mirror::id.desc())
            .limit(limit as i64)
            .select((mirror::id, mirror::doc))
            .load(&mut self.db)?;
        rows.iter().map(|(id, doc)| document("mirror", *id, doc)).collect()
    }

    /// The mirrors of an incident, the newest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn mirrors_of(&mut self, incident: IncidentId, limit: usize) -> Result<Vec<Mirror>, StoreError> {
        let rows: Vec<(i64, String)> = mirror::table
            .filter(mirror::incident.eq(incident.0))
            .order(mirror::id.desc())
            .limit(limit as i64)
            .select((mirror::id, mirror::doc))
            .load(&mut self.db)?;
        rows.iter().map(|(id, doc)| document("mirror", *id, doc)).collect()
    }

    /// How far the database's clock is from ours, in ms; on this machine it is the same clock.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn clock_drift_ms(&mut self) -> Result<i64, StoreError> {
        let asked_at = clock::now();
        let there: i64 = match &mut self.db {
            Db::Sqlite(_) => return Ok(0),
            #[cfg(feature = "postgres")]
            Db::Postgres(connection) => {
                let now = sql::<BigInt>("CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)");
                diesel::select(now).get_result(connection)?
            }
        };
        // It was asked for at some time between.
        let (early, late) = (there - clock::now().ms(), there - asked_at.ms());
        Ok(if early <= 0 && late >= 0 { 0 } else { early.abs().min(late.abs()) * early.signum() })
    }

    /// One mirror.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn mirror(&mut self, id: MirrorId) -> Result<Option<Mirror>, StoreError> {
        let doc: Option<String> = mirror::table.find(id.0).select(mirror::doc).first(&mut self.db).optional()?;
        doc.map(|doc| document("mirror", id.0, &doc)).transpose()
    }

    /// The mirror that this actor asked for with this key.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn mirror_by_key(&mut self, by: &Actor, key: &str) -> Result<Option<Mirror>, StoreError> {
        let row: Option<(i64, String)> = mirror::table
            .filter(mirror::idem_key.eq(idem_key(by, key)))
            .select((mirror::id, mirror::doc))
            .first(&mut self.db)
            .optional()?;
        row.map(|(id, doc)| document("mirror", id, &doc)).transpose()
    }
}

/// Two who choose the same key ask for two mirrors.
fn idem_key(by: &Actor, key: &str) -> String {
    format!("{} {key}", actor(by))
}

fn actor(by: &Actor) -> String {
    match by {
        Actor::System => "system".to_owned(),
        Actor::Account { login } => login.clone(),
        Actor::Device { login, .. } => login.to_string(),
        Actor::Link { person, .. } => format!("link:{person}"),
        Actor::Token { name } => format!("token:{name}"),
        Actor::Integration { integration } => format!("integration:{integration}"),
    }
}

const fn act_of(what: &MirrorEvent) -> (&'static str, &'static str) {
    match what {
        MirrorEvent::Requested { .. } => ("mirror.request", "ok"),
        MirrorEvent::Approved { .. } => ("mirror.approve", "ok"),
        MirrorEvent::Sent { .. } => ("mirror.send", "ok"),
        MirrorEvent::Applied => ("mirror.applied", "ok"),
        MirrorEvent::Verified { .. } => ("mirror.verified", "ok"),
        MirrorEvent::NotCopying => ("mirror.verified", "not copying"),
        MirrorEvent::Disarmed => ("mirror.disarmed", "ok"),
        MirrorEvent::Drifted { .. } => ("mirror.drifted", "ok"),
        MirrorEvent::Restored => ("mirror.restored", "ok"),
        MirrorEvent::Extended { .. } => ("mirror.extend", "ok"),
        MirrorEvent::NotExtended { .. } => ("mirror.extend", "failed"),
        MirrorEvent::Ending { .. } => ("mirror.end", "ok"),
        MirrorEvent::NotStopped { .. } => ("mirror.end", "failed"),
        MirrorEvent::Stopped { .. } => ("mirror.stopped", "ok"),
        MirrorEvent::ProvedStopped => ("mirror.proved", "ok"),
        MirrorEvent::StillCounted => ("mirror.proved", "still counted"),
        MirrorEvent::Refused { .. } => ("mirror.send", "refused"),
        MirrorEvent::Dropped => ("mirror.drop", "ok"),
    }
}
