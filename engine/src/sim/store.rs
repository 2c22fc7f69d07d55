//! A model of the store: it keeps exactly what [`Engine::take_changes`] says, and rebuilds an engine from it.

use crate::{
    compile::Snapshot,
    engine::Engine,
    event::Changes,
    oncall::Copies,
    state::{Counters, LevelTurn, Recent, Restored},
    storm::OPENINGS_MAX,
    throttle::ContactSends,
};
use shared::{
    Alert, AlertId, AlertState, AttemptState, ContactId, Delay, EventId, HeartbeatId, Incident, IncidentId,
    IncidentState, IntegrationId, MirrorId, PersonId, PolicyId, Pulse, SharedStr, Silence, SilenceId, Storm, Timestamp,
    mirror::Mirror, placement::Placement, timeline::Outcome,
};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

/// What the engine may ask the store for after a restart: a day.
const KEPT: Delay = Delay(86_400_000);

/// A message with an idempotency key: when it came, whose it is, its number and the answer it got.
type Seen = (Timestamp, IntegrationId, SharedStr, EventId, Vec<Outcome>);

/// What is durable.
#[derive(Clone, Debug, Default)]
pub struct Store {
    counters: Counters,
    open_alerts: BTreeMap<AlertId, Alert>,
    /// Closed within the last day, oldest first.
    closed_alerts: VecDeque<Alert>,
    incidents: BTreeMap<IncidentId, Incident>,
    /// Timeline rows of each incident that can still grow.
    rows: BTreeMap<IncidentId, u32>,
    configs: BTreeMap<i64, Arc<Snapshot>>,
    seen: VecDeque<Seen>,
    silences: BTreeMap<SilenceId, Silence>,
    mirrors: BTreeMap<MirrorId, Mirror>,
    turns: BTreeMap<(PolicyId, u32), LevelTurn>,
    pulses: BTreeMap<HeartbeatId, Pulse>,
    sends: BTreeMap<(PersonId, ContactId), ContactSends>,
    /// Where the machines of open alerts were.
    places: BTreeMap<AlertId, Arc<Placement>>,
    storm: Option<Storm>,
    openings: VecDeque<(Timestamp, IncidentId)>,
    /// Messages whose repeats the alerts may not count yet.
    unsettled: VecDeque<(EventId, Timestamp, Vec<Outcome>)>,
}

impl Store {
    /// A store that knows one configuration.
    #[must_use]
    pub fn new(config: Arc<Snapshot>) -> Self {
        Self { configs: BTreeMap::from([(config.version, config)]), ..Self::default() }
    }

    /// Keeps a configuration; incidents that run an older one still find it.
    pub fn replace_config(&mut self, config: Arc<Snapshot>) {
        self.configs.insert(config.version, config);
        let used: BTreeSet<i64> =
            self.incidents.values().flat_map(|incident| &incident.escalations).map(|it| it.config).collect();
        let newest = self.configs.keys().next_back().copied();
        self.configs.retain(|version, _| Some(*version) == newest || used.contains(version));
    }

    /// Keeps the copies of calendars that others keep; they count for the configuration in force and every later one.
    pub fn keep_copies(&mut self, copies: Arc<Copies>) {
        let newest = self.config().with_copies(copies);
        self.configs.insert(newest.version, Arc::new(newest));
    }

    /// The configuration in force.
    #[must_use]
    pub fn config(&self) -> Arc<Snapshot> {
        self.configs.values().next_back().cloned().unwrap_or_default()
    }

    /// Commits changes; the error names a promise of the engine to the store that does not hold.
    pub fn apply(&mut self, now: Timestamp, changes: Changes) -> Result<(), String> {
        let Changes {
            alerts,
            incidents,
            timeline,
            silences,
            digests: _,
            turns,
            pulses,
            own,
            places,
            mirrors,
            mirror_steps: _,
            sends,
            storms,
            deliveries: _,
            counters,
            settled,
        } = changes;
        let before = std::mem::replace(&mut self.counters, counters);
        if counters.event < before.event
            || counters.alert < before.alert
            || counters.incident < before.incident
            || counters.page < before.page
            || counters.attempt < before.attempt
        {
            return Err(format!("a number was given back: {before:?}, then {counters:?}"));
        }
        for entry in timeline {
            let last = self.rows.entry(entry.incident).or_default();
            if entry.seq != *last + 1 || entry.at > now {
                return Err(format!("timeline of incident {}: entry {} after {last}", entry.incident, entry.seq));
            }
            *last = entry.seq;
        }
        if let Some(strange) = own.iter().find(|it| it.id.0 <= before.event || it.id.0 > counters.event) {
            return Err(format!("message {} of its own has a number that was used, or not given", strange.id));
        }
        self.pulses.extend(pulses.into_iter().map(|pulse| (pulse.heartbeat.clone(), pulse)));
        self.places.extend(places.into_iter().map(|it| (it.alert, it.placement)));
        self.turns.extend(turns.into_iter().map(|turn| ((turn.policy.clone(), turn.level), turn)));
        self.sends.extend(sends.into_iter().map(|it| ((it.person.clone(), it.contact.clone()), it)));
        for storm in storms {
            self.storm = Some(storm).filter(|storm| storm.ended_at.is_none());
        }
        for silence in silences {
            if silence.is_live() {
                self.silences.insert(silence.id, Arc::unwrap_or_clone(silence));
            } else {
                self.silences.remove(&silence.id);
            }
        }
        for mirror in mirrors {
            if mirror.is_over() {
                self.mirrors.remove(&mirror.id);
            } else {
                self.mirrors.insert(mirror.id, Arc::unwrap_or_clone(mirror));
            }
        }
        for incident in incidents {
            self.keep(Arc::unwrap_or_clone(incident), before)?;
        }
        for alert in alerts {
            if !self.open_alerts.contains_key(&alert.id) && alert.id.0 <= before.alert {
                return Err(format!("alert {} came back, or its number was used before", alert.id));
            }
            if alert.state == AlertState::Resolved {
                self.open_alerts.remove(&alert.id);
                self.places.remove(&alert.id);
                self.closed_alerts.push_back(alert);
            } else {
                self.open_alerts.insert(alert.id, alert);
            }
        }
        let since = now.plus_ms(-KEPT.0);
        while self.closed_alerts.front().is_some_and(|alert| alert.closed_at <= Some(since)) {
            self.closed_alerts.pop_front();
        }
        while self.unsettled.front().is_some_and(|(event, ..)| *event <= settled) {
            self.unsettled.pop_front();
        }
        while self.seen.front().is_some_and(|seen| seen.0 <= since) {
            self.seen.pop_front();
        }
        Ok(())
    }

    fn keep(&mut self, incident: Incident, before: Counters) -> Result<(), String> {
        let id = incident.id;
        match self.incidents.get(&id) {
            None if id.0 <= before.incident => {
                return Err(format!("incident {id} came back, or its number was used before"));
            }
            None => {
                self.openings.push_back((incident.opened_at, id));
                if self.openings.len() > OPENINGS_MAX {
                    self.openings.pop_front();
                }
            }
            Some(known)
                if known.version > incident.version
                    || (known.version == incident.version && known.count > incident.count) =>
            {
                return Err(format!("incident {id} went back in time: version {}", incident.version));
            }
            _ => {}
        }
        if self.rows.get(&id).copied().unwrap_or_default() != incident.timeline {
            return Err(format!("incident {id} counts {} timeline entries, the store has others", incident.timeline));
        }
        let sending = incident.pages.iter().flat_map(|page| &page.attempts).any(|it| it.state == AttemptState::Sending);
        if incident.state == IncidentState::Resolved && !sending {
            self.incidents.remove(&id);
            self.rows.remove(&id);
        } else {
            self.incidents.insert(id, incident);
        }
        Ok(())
    }

    /// Keeps a message with what became of it, in the same transaction; `key` is its idempotency key.
    pub fn remember(
        &mut self,
        at: Timestamp,
        integration: IntegrationId,
        key: Option<String>,
        event: EventId,
        outcomes: Vec<Outcome>,
    ) {
        self.unsettled.push_back((event, at, outcomes.clone()));
        if let Some(key) = key {
            self.seen.push_back((at, integration, key.into(), event, outcomes));
        }
    }

    /// The incidents that are open, or have a delivery under way.
    #[must_use]
    pub fn incidents(&self) -> &BTreeMap<IncidentId, Incident> {
        &self.incidents
    }

    /// The alerts that are open.
    #[must_use]
    pub fn alerts(&self) -> &BTreeMap<AlertId, Alert> {
        &self.open_alerts
    }

    /// An engine as a new process would have it.
    #[must_use]
    pub fn restore(&self, now: Timestamp) -> Engine {
        let since = now.plus_ms(-KEPT.0);
        let mut recent: BTreeMap<(IntegrationId, SharedStr), Recent> = BTreeMap::new();
        for alert in self.closed_alerts.iter().filter(|alert| alert.closed_at > Some(since)) {
            let Some(closed_at) = alert.closed_at else { continue };
            let entry = recent
                .entry((alert.integration.clone(), alert.event.dedup_key.clone()))
                .or_insert_with(|| Recent { incident: alert.incident, closed_at, opened: Vec::new() });
            entry.incident = alert.incident;
            entry.closed_at = closed_at;
            entry.opened.push(alert.first_at);
        }
        let policies = self
            .configs
            .iter()
            .flat_map(|(version, config)| {
                config.policies.iter().map(|(id, policy)| ((*version, id.clone()), policy.clone()))
            })
            .collect();
        let mut restored = Restored {
            counters: self.counters,
            silences: self.silences.values().cloned().collect(),
            mirrors: self.mirrors.values().cloned().collect(),
            policies,
            turns: self.turns.values().cloned().collect(),
            pulses: self.pulses.values().cloned().collect(),
            sends: self.sends.values().cloned().collect(),
            storm: self.storm.clone(),
            places: self.places.iter().map(|(id, placement)| (*id, Placement::clone(placement))).collect(),
            openings: self.openings.iter().copied().collect(),
            recent: recent.into_iter().map(|((integration, key), recent)| (integration, key, recent)).collect(),
            seen: self.seen.iter().filter(|seen| seen.0 > since).cloned().collect(),
            unsettled: self.unsettled.iter().cloned().collect(),
            ..Restored::default()
        };
        self.open_alerts.values().for_each(|alert| restored.add_alert(alert.clone()));
        self.incidents.values().for_each(|incident| restored.add_incident(incident.clone()));
        Engine::restore(self.config(), restored, now)
    }
}
