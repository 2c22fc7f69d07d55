//! Severities that move: an incident is as bad as the worst of its alerts that fire. A rise pages again, even when
//! acknowledged; a fall changes the colour only.

use crate::{classify, engine::Turn, heartbeat, matcher::Subject, notify, route, route::Routing};
use shared::{
    AlertId, IncidentId, IncidentState, PolicyId, Severity, Timestamp,
    timeline::{Actor, Happening, SeverityReason},
};

impl Turn<'_> {
    /// How bad an open alert is now and who says so, and where that leads.
    pub(crate) fn judge(&self, alert: &shared::Alert) -> (SeverityReason, Routing) {
        let stated = classify::classify(&self.config, &alert.integration, &alert.event, self.now);
        let severity = stated.severity();
        let subject = Subject { event: &alert.event, integration: &alert.integration, severity, now: self.now };
        let mut routing = route::decide(&self.config.tree, &subject);
        heartbeat::overrule(&self.config, &subject, &mut routing);
        let reason = classify::overruled(stated, routing.severity.as_ref().map(|(route, severity)| (route, *severity)));
        (reason, routing)
    }

    /// The sender said it again, and may have changed its mind about how bad it is.
    pub(crate) fn severity_repeated(&mut self, id: IncidentId, alert_id: AlertId) {
        let Some(alert) = self.engine.state.alerts.get(&alert_id) else { return };
        let (reason, routing) = self.judge(alert);
        let to = reason.severity();
        if alert.severity() == to {
            return;
        }
        let by = Actor::Integration { integration: alert.integration.clone() };
        if let Some(alert) = self.engine.state.alerts.get_mut(&alert_id) {
            alert.severity = Some(to);
            alert.highest = alert.highest.min(to);
            self.engine.state.dirty.alerts.insert(alert_id);
        }
        if self.engine.state.incidents.get(&id).is_some_and(|incident| to < incident.severity) {
            let policies = notify::policies_or_fallback(routing.policies.clone(), to);
            self.severity_moves(id, alert_id, by, &routing, &policies);
        } else {
            self.severity_falls(id, by);
            self.enter(alert_id);
        }
    }

    /// An alert is more urgent than the incident was: it leads from now on, and everybody is paged again.
    pub(crate) fn severity_moves(
        &mut self,
        id: IncidentId,
        alert_id: AlertId,
        by: Actor,
        routing: &Routing,
        policies: &[PolicyId],
    ) {
        let Some(alert) = self.engine.state.alerts.get(&alert_id).cloned() else { return };
        let to = alert.severity();
        let Some(incident) = self.incident(id) else { return };
        let from = std::mem::replace(&mut incident.severity, to);
        incident.version += 1;
        lead(incident, &alert);
        self.note(id, by, Happening::SeverityChanged { from, to, pages_again: true });
        self.enter(alert_id);
        let mut known = Vec::new();
        // A muted route may be one only for lesser severities, and the other way round.
        if let Some(incident) = self.incident(id) {
            for escalation in &mut incident.escalations {
                escalation.held_until = routing.held_until(&escalation.policy, to, alert.first_at);
                known.push(escalation.policy.clone());
            }
        }
        self.trigger_again(id);
        for policy in policies.iter().filter(|policy| !known.contains(policy)) {
            self.start(id, policy.clone(), routing.held_until(policy, to, alert.first_at));
        }
    }

    /// An alert of the incident is over or less urgent: the worst of the others counts.
    pub(crate) fn severity_falls(&mut self, id: IncidentId, by: Actor) {
        let Some(incident) = self.engine.state.incidents.get(&id) else { return };
        // One that flaps stays at its worst, so that coming back as bad as it was is no rise.
        let (from, flaps) = (incident.severity, incident.flapping.is_some());
        let Some(to) = self.engine.state.worst(incident).filter(|worst| *worst > from && !flaps) else { return };
        if let Some(incident) = self.incident(id) {
            incident.severity = to;
            incident.version += 1;
        }
        self.rerank(id);
        self.note(id, by, Happening::SeverityChanged { from, to, pages_again: false });
    }

    /// An alert of several recovered: another one speaks for the incident, and those that wait may have to wait longer.
    pub(crate) fn without(&mut self, id: IncidentId, summary: &str, by: Actor) {
        self.severity_falls(id, by);
        let state = &self.engine.state;
        let Some(incident) = state.incidents.get(&id) else { return };
        if incident.title == summary {
            let next = state.firing(incident).min_by_key(|alert| (alert.severity(), alert.id)).cloned();
            if let (Some(next), Some(incident)) = (next, self.incident(id)) {
                lead(incident, &next);
            }
        }
        self.hold_on(id);
        self.review(id);
    }

    /// The pages of an incident that nobody was told of yet wait as long as one of the alerts that fire has to.
    fn hold_on(&mut self, id: IncidentId) {
        let state = &self.engine.state;
        let Some(incident) = state.incidents.get(&id) else { return };
        let waits = |held: Option<Timestamp>| held.is_some_and(|held| held > self.now);
        let held: Vec<usize> = incident
            .escalations
            .iter()
            .enumerate()
            .filter(|(_, it)| waits(it.held_until) && it.next_level == 0)
            .map(|(place, _)| place)
            .collect();
        if held.is_empty() || incident.state == IncidentState::Resolved {
            return;
        }
        let judged: Vec<(Severity, Timestamp, Routing)> =
            state.firing(incident).map(|alert| (alert.severity(), alert.first_at, self.judge(alert).1)).collect();
        for place in held {
            let Some(escalation) = self.engine.state.incidents.get(&id).and_then(|it| it.escalations.get(place)) else {
                return;
            };
            let until = |(severity, since, routing): &(Severity, Timestamp, Routing)| {
                let goes = routing.policies.contains(&escalation.policy);
                goes.then(|| routing.held_until(&escalation.policy, *severity, *since).unwrap_or(self.now))
            };
            let (before, until) = (escalation.held_until, judged.iter().filter_map(until).min());
            if let Some(until) = until.filter(|until| Some(*until) != before) {
                self.hold(id, place, until);
            }
        }
    }
}

/// The alert whose words, machine and address an incident is shown by.
pub(crate) fn lead(incident: &mut shared::Incident, alert: &shared::Alert) {
    incident.title.clone_from(&alert.event.summary);
    incident.host = alert.event.host.clone().or(incident.host.take());
    incident.ip = alert.event.ip.clone().or(incident.ip.take());
}
