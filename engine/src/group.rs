//! Groups: which open incident a new alert joins instead of opening its own, and what it changes there.

use crate::{
    engine::Turn,
    route::{Membership, Routing},
    state::State,
};
use shared::{
    Alert, AlertId, Delay, EscalationState, EventId, Grouping, Incident, IncidentId, IncidentState, IntegrationId,
    PolicyId, Severity,
    timeline::{Actor, Happening, SeverityReason},
};
use siphasher::sip::SipHasher13;
use std::{collections::BTreeSet, hash::Hasher as _, sync::Arc};

/// An incident that has been open for longer takes nothing more.
const LONGEST: Delay = Delay(86_400_000);
/// Alerts that are over and are still listed with a flapping incident.
const OVER_MAX: usize = 50;

/// Open incidents by what their alerts share: a hash leads to candidates, which are compared for real.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Groups(BTreeSet<(u64, IncidentId)>);

impl Groups {
    pub(crate) fn insert(&mut self, incident: &Incident) {
        if let Some(group) = &incident.group {
            self.0.insert((hash(&group.key), incident.id));
        }
    }

    pub(crate) fn remove(&mut self, incident: &Incident) {
        if let Some(group) = &incident.group {
            self.0.remove(&(hash(&group.key), incident.id));
        }
    }

    /// Whether an incident is there, by its group.
    pub(crate) fn contains(&self, incident: &Incident) -> bool {
        incident.group.as_ref().is_some_and(|group| self.0.contains(&(hash(&group.key), incident.id)))
    }

    fn candidates(&self, key: &str) -> impl Iterator<Item = IncidentId> {
        let hash = hash(key);
        self.0.range((hash, IncidentId(i64::MIN))..=(hash, IncidentId(i64::MAX))).rev().map(|(_, id)| *id)
    }

    pub(crate) fn incidents(&self) -> impl Iterator<Item = IncidentId> {
        self.0.iter().map(|(_, id)| *id)
    }
}

fn hash(key: &str) -> u64 {
    let mut hasher = SipHasher13::new_with_keys(0x67_726f_7570, 0x6b65_7973);
    hasher.write(key.as_bytes());
    hasher.finish()
}

/// Why an alert joins.
pub(crate) enum Joining {
    /// It shares its group with the newest open incident.
    Group(Membership),
    /// It is back in the incident that is kept open because it flaps.
    Flapping,
}

/// An alert before it is known where it belongs.
pub(crate) struct Newcomer<'a> {
    pub(crate) integration: &'a IntegrationId,
    pub(crate) event: shared::AlertEvent,
    pub(crate) message: EventId,
    pub(crate) reason: SeverityReason,
    pub(crate) policies: &'a [PolicyId],
}

impl State {
    /// The newest open incident of a group.
    fn newest_of(&self, key: &str) -> Option<&Incident> {
        let is = |incident: &&Arc<Incident>| {
            incident.state != IncidentState::Resolved && incident.group.as_ref().is_some_and(|it| it.key == key)
        };
        self.groups.candidates(key).filter_map(|id| self.incidents.get(&id)).find(is).map(|incident| &**incident)
    }

    /// The most urgent severity of the alerts of an incident that fire.
    pub(crate) fn worst(&self, incident: &Incident) -> Option<Severity> {
        self.firing(incident).map(Alert::severity).min()
    }

    /// The alerts of an incident that fire, oldest first.
    pub(crate) fn firing<'a>(&'a self, incident: &'a Incident) -> impl Iterator<Item = &'a Alert> {
        incident.alerts.iter().filter_map(|id| self.alerts.get(id)).map(|alert| &**alert)
    }
}

impl Turn<'_> {
    /// The incident a new alert joins, if there is one.
    pub(crate) fn joins(&self, newcomer: &Newcomer<'_>, routing: &Routing) -> Option<(IncidentId, Joining)> {
        let state = &self.engine.state;
        let identity = (newcomer.integration.clone(), newcomer.event.dedup_key.clone());
        let before = state.recent.get(&identity).and_then(|recent| state.incidents.get(&recent.incident));
        if let Some(flapping) = before.filter(|it| it.flapping.is_some() && it.state != IncidentState::Resolved) {
            return Some((flapping.id, Joining::Flapping));
        }
        let membership = routing.group.as_ref()?;
        let incident = state.newest_of(&membership.key)?;
        let newest_at = incident.group.as_ref().map_or(incident.opened_at, |group| group.newest_at);
        let in_time = self.now.ms_since(newest_at) <= membership.window.0
            && self.now.ms_since(incident.opened_at) <= LONGEST.0
            && incident.alerts.len() < membership.limit as usize;
        // Somebody who is told of this alert only would not hear of it; but a rise starts what is missing.
        let runs = |policy: &PolicyId| incident.escalations.iter().any(|it| it.policy == *policy);
        let heard = newcomer.policies.iter().all(runs) || newcomer.reason.severity() < incident.severity;
        (in_time && heard).then(|| (incident.id, Joining::Group(membership.clone())))
    }

    /// Takes an alert into an open incident. It pages again when it is more urgent than the others, or when nobody had
    /// answered and there was nothing left to come.
    pub(crate) fn join(
        &mut self,
        id: IncidentId,
        newcomer: Newcomer<'_>,
        why: &Joining,
        routing: &Routing,
    ) -> Option<AlertId> {
        let Newcomer { integration, event, message, reason, policies } = newcomer;
        let (severity, key, by) = (reason.severity(), event.dedup_key.to_string(), integration.clone());
        let alert = self.put_alert(integration, event, message, severity, id);
        let now = self.now;
        let State { incidents, alerts, .. } = &mut self.engine.state;
        let incident = incidents.get_mut(&id).map(Arc::make_mut)?;
        if let Some(alert) = alerts.get(&alert) {
            incident.also_about(&alert.event);
        }
        incident.alerts.push(alert);
        incident.firing += 1;
        incident.count = incident.count.saturating_add(1);
        incident.updated_at = now;
        if let Joining::Flapping = why {
            // What is over stays in the store; an incident that flaps for days would grow without end.
            let over = incident.alerts.iter().filter(|id| !alerts.contains_key(id)).count();
            let mut spare = over.saturating_sub(OVER_MAX);
            incident.alerts.retain(|id| {
                let spared = spare > 0 && !alerts.contains_key(id);
                spare -= usize::from(spared);
                !spared
            });
        } else if let Some(group) = &mut incident.group {
            group.newest_at = now;
        }
        incident.stale = None;
        let rises = severity < incident.severity;
        let used_up = matches!(why, Joining::Group(_)) && is_used_up(incident);
        self.engine.state.dirty.incidents.insert(id);
        if let Joining::Group(Membership { key: group, .. }) = why {
            let group = group.clone();
            let joined = Happening::AlertJoined {
                alert,
                event: message,
                severity: reason,
                key,
                group,
                pages_again: used_up && !rises,
            };
            self.note(id, Actor::Integration { integration: by.clone() }, joined);
        }
        self.flaps_on(id);
        if rises {
            self.severity_moves(id, alert, Actor::Integration { integration: by }, routing, policies);
            return Some(alert);
        }
        self.enter(alert);
        self.release_sooner(id, alert, routing);
        if used_up {
            self.start_over(id);
        }
        Some(alert)
    }

    /// A policy that waits for the others of the incident does not wait longer than this alert has to.
    fn release_sooner(&mut self, id: IncidentId, alert: AlertId, routing: &Routing) {
        let state = &self.engine.state;
        let (Some(incident), Some(alert)) = (state.incidents.get(&id), state.alerts.get(&alert)) else { return };
        if incident.state != IncidentState::Triggered {
            return;
        }
        let until = |policy: &PolicyId| routing.held_until(policy, alert.severity(), alert.first_at);
        let waits = |(place, it): (usize, &shared::Escalation)| {
            let held = it.held_until.filter(|held| *held > self.now && routing.policies.contains(&it.policy))?;
            let until = until(&it.policy).unwrap_or(self.now);
            (until < held).then_some((place, until))
        };
        for (place, until) in incident.escalations.iter().enumerate().filter_map(waits).collect::<Vec<_>>() {
            self.hold(id, place, until);
        }
    }

    /// Moves the end of an escalation's hold.
    pub(crate) fn hold(&mut self, id: IncidentId, place: usize, until: shared::Timestamp) {
        let Some(escalation) = self.incident(id).and_then(|incident| incident.escalations.get_mut(place)) else {
            return;
        };
        escalation.held_until = Some(until);
        if escalation.due.is_some() {
            self.set_due(id, place, Some(until));
        }
    }

    /// Nobody answered, and there is nothing left to come: the policies start over.
    pub(crate) fn start_over(&mut self, id: IncidentId) {
        if self.engine.state.incidents.get(&id).is_some_and(|incident| is_used_up(incident)) {
            self.trigger_again(id);
        }
    }
}

/// Whether nobody answered and nobody will be told by rule any more.
fn is_used_up(incident: &Incident) -> bool {
    incident.state == IncidentState::Triggered
        && incident.suppressed.is_empty()
        && !incident.severity.is_urgent()
        && !incident.escalations.is_empty()
        && incident.escalations.iter().all(|it| it.state == EscalationState::Exhausted)
}

/// The group of an incident that opens.
pub(crate) fn grouping(routing: &Routing, now: shared::Timestamp) -> Option<Box<Grouping>> {
    let group = routing.group.as_ref()?;
    Some(Box::new(Grouping { key: group.key.clone(), newest_at: now }))
}
