//! What the engine gets back at start: everything that is still open, and what it must remember of the last day.

use super::{
    Store, StoreError,
    commit::MessageDoc,
    schema::{alert, counters, event, incident},
};
use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _, dsl::sql, sql_types::Bool,
};
use engine::{Counters, MEMORY, RECENT_MAX, Recent, Restored, compile, dense::Map};
use serde::{Deserialize, de::DeserializeOwned};
use shared::{
    Alert, EventId, Incident, IncidentId, IntegrationId, PolicyId, SharedStr, Timestamp,
    config::{Document, Policy},
    timeline::Outcome,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// An idempotency key: when it came, whose it is, which message it had, and which answer.
type Seen = (Timestamp, IntegrationId, SharedStr, EventId, Vec<Outcome>);

impl Store {
    /// Reads the engine's memory as of one moment, and makes this store the one that may [`Store::commit`] to it.
    ///
    /// # Errors
    /// When the database does not answer, or holds something unreadable: an open incident is never left out silently.
    pub fn restore(&mut self, now: Timestamp) -> Result<Restored, StoreError> {
        let (revision, restored) = self.snapshot(|store| {
            let (revision, counters, settled) = store.counters()?;
            let mut restored = Restored {
                counters,
                silences: store.silences_live()?,
                mirrors: store.mirrors_live()?,
                turns: store.turns()?,
                pulses: store.pulses()?,
                sends: store.sends()?,
                storm: store.storm_now()?,
                openings: store.openings()?,
                recent: store.recent(now)?,
                seen: store.seen(now)?,
                unsettled: store.unsettled(settled)?,
                ..Restored::default()
            };
            store.read_open(&mut restored)?;
            restored.policies = store.policies_of(&restored.incidents)?;
            Ok((revision, restored))
        })?;
        self.restored = Some((revision, restored.counters));
        Ok(restored)
    }

    fn counters(&mut self) -> Result<(i64, Counters, i64), StoreError> {
        let row: (i64, i64, i64, i64, i64, i64, i64, i64, i64) = counters::table
            .select((
                counters::revision,
                counters::event,
                counters::alert,
                counters::incident,
                counters::page,
                counters::attempt,
                counters::silence,
                counters::mirror,
                counters::settled,
            ))
            .first(&mut self.db)?;
        let (revision, event, alert, incident, page, attempt, silence, mirror, settled) = row;
        Ok((revision, Counters { event, alert, incident, page, attempt, silence, mirror }, settled))
    }

    /// The incidents that are live and their open alerts, a thousand at a time: what was read of some takes its final form
    /// before the next are read, so that a start needs little more memory than what runs afterwards.
    fn read_open(&mut self, restored: &mut Restored) -> Result<(), StoreError> {
        let mut after = 0;
        loop {
            let incidents = self.live_incidents(after)?;
            let Some(last) = incidents.last() else { break };
            after = last.id.0;
            let mut ids: Vec<i64> = incidents.iter().flat_map(|it| &it.alerts).map(|id| id.0).collect();
            ids.sort_unstable();
            for ids in ids.chunks(IDS_MAX) {
                self.open_alerts(ids)?.into_iter().for_each(|alert| restored.add_alert(alert));
                let places = self.places(ids)?.into_iter();
                let places = places.filter(|(alert, _)| restored.alerts.contains_key(alert));
                let places: Vec<_> = places.map(|(alert, placed)| (alert, placed.placement)).collect();
                restored.places.extend(places);
            }
            incidents.into_iter().for_each(|incident| restored.add_incident(incident));
        }
        Ok(())
    }

    fn open_alerts(&mut self, ids: &[i64]) -> Result<Vec<Alert>, StoreError> {
        let rows: Vec<(i64, String)> = alert::table
            .filter(alert::id.eq_any(ids).and(alert::closed_at.is_null()))
            .order(alert::id)
            .select((alert::id, alert::doc))
            .load(&mut self.db)?;
        rows.into_iter().map(|(id, doc)| document("alert", id, &doc)).collect()
    }

    fn live_incidents(&mut self, after: i64) -> Result<Vec<Incident>, StoreError> {
        let rows: Vec<(i64, String)> = incident::table
            .filter(sql::<Bool>("live = 1"))
            .filter(incident::id.gt(after))
            .order(incident::id)
            .limit(IDS_MAX as i64)
            .select((incident::id, incident::doc))
            .load(&mut self.db)?;
        rows.into_iter().map(|(id, doc)| document("incident", id, &doc)).collect()
    }

    /// The policies these incidents started with. One that cannot be found any more is left out with an error in the
    /// log: the engine still holds its incident, and a pager that does not start pages nobody.
    fn policies_of(
        &mut self,
        incidents: &Map<IncidentId, Arc<Incident>>,
    ) -> Result<BTreeMap<(i64, PolicyId), Arc<Policy>>, StoreError> {
        let mut wanted: BTreeMap<i64, BTreeSet<&PolicyId>> = BTreeMap::new();
        for escalation in incidents.values().flat_map(|incident| &incident.escalations) {
            wanted.entry(escalation.config).or_default().insert(&escalation.policy);
        }
        let mut found = BTreeMap::new();
        for (version, policies) in wanted {
            let Some(known) = self.policies_at(version)? else { continue };
            for policy in policies {
                match known.get(policy) {
                    Some(plan) => drop(found.insert((version, policy.clone()), plan.clone())),
                    None => {
                        tracing::error!(%policy, version, "an open incident follows a policy that its configuration lacks")
                    }
                }
            }
        }
        Ok(found)
    }

    fn policies_at(&mut self, version: i64) -> Result<Option<BTreeMap<PolicyId, Arc<Policy>>>, StoreError> {
        let toml = self.config_at(version)?;
        let document = match toml.as_deref().map(toml::from_str::<Document>) {
            // Version 0 is the built-in configuration, which is not stored.
            None => Document::default(),
            Some(Ok(document)) => document,
            Some(Err(error)) => {
                tracing::error!(%error, version, "open incidents follow a configuration that cannot be read any more");
                return Ok(None);
            }
        };
        Ok(Some(policies_in(document)))
    }

    /// Identities that closed within the memory, as the engine would remember them: closing by closing. A closing
    /// counts the openings of the day before it, hence two days are read.
    fn recent(&mut self, now: Timestamp) -> Result<Vec<(IntegrationId, SharedStr, Recent)>, StoreError> {
        /// The part of an alert that is needed.
        #[derive(Deserialize)]
        struct Identity {
            integration: IntegrationId,
            event: Key,
        }
        #[derive(Deserialize)]
        struct Key {
            dedup_key: SharedStr,
        }
        let rows: Vec<(i64, i64, i64, Option<i64>, String)> = alert::table
            .filter(alert::closed_at.gt(now.plus_ms(-2 * MEMORY.0).ms()))
            .order((alert::closed_at, alert::id))
            .select((alert::id, alert::incident, alert::first_at, alert::closed_at, alert::doc))
            .load(&mut self.db)?;
        let mut recent: BTreeMap<(IntegrationId, SharedStr), Recent> = BTreeMap::new();
        for (id, incident, first_at, closed_at, doc) in rows {
            let Some(closed_at) = closed_at.map(Timestamp::from_ms) else { continue };
            let identity: Identity = document("alert", id, &doc)?;
            let key = (identity.integration, identity.event.dedup_key);
            let incident = IncidentId(incident);
            let entry = recent.entry(key).or_insert_with(|| Recent { incident, closed_at, opened: Vec::new() });
            let since = closed_at.plus_ms(-MEMORY.0);
            entry.incident = incident;
            entry.closed_at = closed_at;
            entry.opened.retain(|at| *at > since);
            entry.opened.push(Timestamp::from_ms(first_at));
            if entry.opened.len() > RECENT_MAX {
                entry.opened.remove(0);
            }
        }
        let since = now.plus_ms(-MEMORY.0);
        recent.retain(|_, entry| entry.closed_at > since);
        Ok(recent.into_iter().map(|((integration, key), entry)| (integration, key, entry)).collect())
    }

    /// Messages whose repeats the alerts' rows may not count yet.
    fn unsettled(&mut self, settled: i64) -> Result<Vec<(EventId, Timestamp, Vec<Outcome>)>, StoreError> {
        let rows: Vec<(i64, String)> = event::table
            .filter(event::id.gt(settled))
            .order(event::id)
            .select((event::id, event::doc))
            .load(&mut self.db)?;
        rows.iter()
            .map(|(id, doc)| {
                let message: MessageDoc<'_> = document("message", *id, doc)?;
                Ok((EventId(*id), message.decided_at, message.outcomes.into_owned()))
            })
            .collect()
    }

    fn seen(&mut self, now: Timestamp) -> Result<Vec<Seen>, StoreError> {
        let rows: Vec<(i64, i64, String)> = event::table
            .filter(event::idem_key.is_not_null())
            .filter(event::received_at.gt(now.plus_ms(-MEMORY.0).ms()))
            .order(event::id)
            .select((event::id, event::received_at, event::doc))
            .load(&mut self.db)?;
        let mut seen = Vec::with_capacity(rows.len());
        for (id, at, doc) in rows {
            let message: MessageDoc<'_> = document("message", id, &doc)?;
            let Some(key) = message.key else { continue };
            let (integration, outcomes) = (message.integration.into_owned(), message.outcomes.into_owned());
            seen.push((Timestamp::from_ms(at), integration, (&*key).into(), EventId(id), outcomes));
        }
        Ok(seen)
    }
}

/// Numbers asked for, and rows read, in one statement.
const IDS_MAX: usize = 1_000;

/// The policies of a document, with the one that is made of its `fallback`. The document is not compiled: a later version
/// may find fault with it, and its policies run on all the same.
fn policies_in(document: Document) -> BTreeMap<PolicyId, Arc<Policy>> {
    let fallback = compile::fallback_policy(&document.fallback);
    let mut policies: BTreeMap<_, _> =
        document.policies.into_iter().map(|policy| (policy.id.clone(), Arc::new(policy))).collect();
    policies.entry(fallback.id.clone()).or_insert_with(|| Arc::new(fallback));
    policies
}

/// Reads a stored document back.
pub(super) fn document<T: DeserializeOwned>(what: &str, id: i64, doc: &str) -> Result<T, StoreError> {
    serde_json::from_str(doc).map_err(|error| StoreError::corrupt(format!("{what} {id}: {error}"), error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::Snapshot;

    #[test]
    fn the_policies_are_those_the_engine_compiles() {
        let text = r#"
            fallback = ["person:li"]
            [[people]]
            id = "li"
            name = "Li"
            contacts = [{ id = "mail", email = "li@example.org" }]
            [[policies]]
            id = "db"
            levels = [{ notify = ["person:li"], delay = "5m" }]
        "#;
        let document: Document = toml::from_str(text).unwrap();
        let snapshot = Snapshot::compile(7, document.clone()).unwrap();
        assert_eq!(policies_in(document), snapshot.policies);
    }
}
