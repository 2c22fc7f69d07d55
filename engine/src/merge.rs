//! Merge and detach by hand: what belongs together becomes one incident, and what does not gets its own.

use crate::{classify, engine::Turn, event::Refusal, heartbeat, matcher::Subject, notify, route};
use shared::{
    Alert, AlertId, Escalation, EscalationState, IncidentId, IncidentState, Timestamp,
    timeline::{Actor, Happening},
};
use std::sync::Arc;

/// Alerts one incident may hold.
const ALERTS_MAX: usize = 1_000;

impl Turn<'_> {
    /// Refused when somebody acted since the author looked.
    fn unchanged(&self, id: IncidentId, version: Option<u32>) -> Result<(), Refusal> {
        let now = self.engine.state.incidents.get(&id).ok_or(Refusal::NotOpen)?.version;
        version.filter(|seen| *seen != now).map_or(Ok(()), |seen| Err(Refusal::VersionConflict { seen, now }))
    }

    /// Moves what still fires into another incident and ends this one. Who answered the other answers for it too, unless
    /// it is more urgent: then the other pages again.
    pub(crate) fn merge(
        &mut self,
        id: IncidentId,
        by: Actor,
        into: IncidentId,
        version: Option<u32>,
    ) -> Result<(), Refusal> {
        self.unchanged(id, version)?;
        let state = &mut self.engine.state;
        let from = state.incidents.get(&id).cloned().ok_or(Refusal::NotOpen)?;
        let target = state.incidents.get(&into).filter(|it| it.id != id && it.state != IncidentState::Resolved);
        let room = target.ok_or(Refusal::NoTarget)?.alerts.len();
        let moved: Vec<Alert> =
            from.alerts.iter().filter_map(|alert| state.alerts.get(alert).map(|it| Alert::clone(it))).collect();
        if room + moved.len() > ALERTS_MAX {
            return Err(Refusal::TooManyAlerts { limit: ALERTS_MAX as u32 });
        }
        for alert in &moved {
            self.give(alert.id, id, into);
        }
        self.note(id, by.clone(), Happening::MergedInto { into });
        self.note(into, by.clone(), Happening::Merged { from: id, alerts: moved.len() as u32 });
        self.take_over(into, &from.escalations);
        for alert in &moved {
            self.enter(alert.id);
        }
        self.review_stale(into);
        self.end(id);
        let worst = moved.iter().min_by_key(|alert| (alert.severity(), alert.id));
        let rises = |alert: &&Alert| {
            self.engine.state.incidents.get(&into).is_some_and(|target| alert.severity() < target.severity)
        };
        if let Some(alert) = worst.filter(rises) {
            let (_, routing) = self.judge(alert);
            let policies = notify::policies_or_fallback(routing.policies.clone(), alert.severity());
            self.severity_moves(into, alert.id, by, &routing, &policies);
        }
        Ok(())
    }

    /// An alert becomes an incident of its own, which goes where its routes send it.
    pub(crate) fn detach(
        &mut self,
        id: IncidentId,
        by: Actor,
        alert_id: AlertId,
        version: Option<u32>,
    ) -> Result<(), Refusal> {
        self.unchanged(id, version)?;
        let state = &mut self.engine.state;
        let alert = state.alerts.get(&alert_id).filter(|alert| alert.incident == id).cloned();
        let alert = alert.ok_or(Refusal::NoSuchAlert)?;
        if state.incidents.get(&id).is_none_or(|incident| incident.firing < 2) {
            return Err(Refusal::OnlyAlert);
        }
        let stated = classify::classify(&self.config, &alert.integration, &alert.event, self.now);
        let subject = Subject {
            event: &alert.event,
            integration: &alert.integration,
            severity: stated.severity(),
            now: self.now,
        };
        let mut routing = route::route(&self.config.tree, &subject);
        heartbeat::overrule(&self.config, &subject, &mut routing);
        // What follows belongs to the group, not to what was taken out of it.
        routing.group = None;
        let reason = classify::overruled(stated, routing.severity.as_ref().map(|(route, severity)| (route, *severity)));
        let to = self.engine.state.counters.next_incident();
        self.open_for(&alert, to, &routing, None);
        self.give(alert_id, id, to);
        if let Some(from) = self.incident(id) {
            from.count = from.count.saturating_sub(alert.count);
        }
        self.note(id, by.clone(), Happening::AlertDetached { alert: alert_id, to });
        let opened = Happening::Opened {
            alert: alert_id,
            event: alert.first_event,
            severity: reason,
            key: alert.event.dedup_key.to_string(),
            flags: alert.event.flags.to_vec(),
        };
        self.note(to, Actor::Integration { integration: alert.integration.clone() }, opened);
        self.note(to, by.clone(), Happening::Detached { from: id });
        let policies = notify::policies_or_fallback(routing.policies.clone(), alert.severity());
        self.begin(to, alert_id, routing, policies);
        self.without(id, &alert.event.summary, by);
        self.review_stale(id);
        self.review_stale(to);
        Ok(())
    }

    /// Moves an open alert from one incident to another.
    fn give(&mut self, alert_id: AlertId, from: IncidentId, to: IncidentId) {
        let now = self.now;
        let state = &mut self.engine.state;
        let Some(alert) = state.alerts.get_mut(&alert_id) else { return };
        alert.incident = to;
        let (count, event) = (alert.count, alert.event.clone());
        state.dirty.alerts.insert(alert_id);
        state.dirty.incidents.extend([from, to]);
        if let Some(from) = state.incidents.get_mut(&from).map(Arc::make_mut) {
            from.alerts.retain(|it| *it != alert_id);
            from.firing = from.firing.saturating_sub(1);
            from.updated_at = now;
            from.version += 1;
        }
        if let Some(to) = state.incidents.get_mut(&to).map(Arc::make_mut) {
            let place = to.alerts.partition_point(|it| *it < alert_id);
            to.alerts.insert(place, alert_id);
            to.also_about(&event);
            to.firing += 1;
            to.count = to.count.saturating_add(count);
            to.updated_at = now;
            to.version += 1;
        }
    }

    /// Policies the other incident does not run, or still waits with, go on there where they were here.
    fn take_over(&mut self, into: IncidentId, escalations: &[Escalation]) {
        let now = self.now;
        let waits = |held: Option<Timestamp>| held.is_some_and(|held| held > now);
        for other in escalations {
            let Some(target) = self.incident(into) else { return };
            let runs = target.state == IncidentState::Triggered && target.suppressed.is_empty();
            let place = target.escalations.iter().position(|it| it.policy == other.policy);
            let place = match place.and_then(|place| Some((place, target.escalations.get_mut(place)?))) {
                None => {
                    target.escalations.push(Escalation { due: None, ..other.clone() });
                    target.escalations.len() - 1
                }
                Some((place, known)) if waits(known.held_until) && !waits(other.held_until) && other.due.is_some() => {
                    *known = Escalation { due: known.due, ..other.clone() };
                    place
                }
                Some(_) => continue,
            };
            if runs {
                self.set_due(into, place, other.due);
                continue;
            }
            self.set_due(into, place, None);
            let taken = self.incident(into).and_then(|target| target.escalations.get_mut(place));
            if let Some(taken) = taken.filter(|it| it.state == EscalationState::Running) {
                taken.state = EscalationState::Stopped;
            }
        }
    }
}
