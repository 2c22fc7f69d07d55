//! From alerts to incidents: how one opens the other, and how closing one ends the other.

use crate::{
    copies::{self, RECIPIENTS},
    dedup,
    engine::Turn,
    group::grouping,
    rise::lead,
    route::Routing,
    state::{Forgettable, RECENT_MAX, Recent, State},
};
use shared::{
    Again, Alert, AlertEvent, AlertId, AlertState, Delay, EventId, Few, Incident, IncidentId, IncidentState,
    IntegrationId, Severity, SharedStr, ThinVec, Timestamp,
    timeline::{Actor, Happening, RecoveryMatch},
};
use std::sync::Arc;

/// How long closed identities and idempotency keys are remembered.
pub const MEMORY: Delay = Delay(86_400_000);

impl Turn<'_> {
    /// Opens an alert and its incident; routing and paging follow.
    pub(crate) fn open(
        &mut self,
        integration: &IntegrationId,
        event: AlertEvent,
        message: EventId,
        severity: Severity,
        routing: &Routing,
    ) -> (AlertId, IncidentId) {
        let key = (integration.clone(), event.dedup_key.clone());
        let incident_id = self.engine.state.counters.next_incident();
        let alert_id = self.put_alert(integration, event, message, severity, incident_id);
        let state = &self.engine.state;
        let again = state.recent.get(&key).map(|recent| {
            let since = self.now.plus_ms(-MEMORY.0);
            let times = recent.opened.iter().filter(|at| **at > since).count() as u32 + 1;
            Box::new(Again { previous: recent.incident, closed_at: recent.closed_at, times })
        });
        if let Some(alert) = state.alerts.get(&alert_id).cloned() {
            self.open_for(&alert, incident_id, routing, again);
            if let Some(incident) = self.incident(incident_id) {
                incident.alerts = Few::One(alert_id);
                (incident.firing, incident.count) = (1, 1);
            }
        }
        (alert_id, incident_id)
    }

    /// A new incident about an alert, which it does not hold yet.
    pub(crate) fn open_for(&mut self, alert: &Alert, id: IncidentId, routing: &Routing, again: Option<Box<Again>>) {
        let incident = Incident {
            id,
            version: 1,
            state: IncidentState::Triggered,
            severity: alert.severity(),
            title: alert.event.summary.clone(),
            integration: alert.integration.clone(),
            host: alert.event.host.clone(),
            ip: alert.event.ip.clone(),
            hosts: ThinVec::new(),
            team: routing.team.clone(),
            annotations: routing.annotations.clone(),
            suppressed: ThinVec::new(),
            alerts: Few::default(),
            firing: 0,
            count: 0,
            opened_at: self.now,
            updated_at: self.now,
            ack: None,
            everyone: None,
            answered: false,
            snoozed_until: None,
            resolved_at: None,
            again,
            group: grouping(routing, self.now),
            flapping: None,
            stale: None,
            escalations: ThinVec::new(),
            pages: ThinVec::new(),
            timeline: 0,
        };
        let state = &mut self.engine.state;
        state.groups.insert(&incident);
        state.incidents.insert(id, Arc::new(incident));
        state.dirty.incidents.insert(id);
        self.count_opening(id, alert.severity());
    }

    /// A new alert, in every index.
    pub(crate) fn put_alert(
        &mut self,
        integration: &IntegrationId,
        mut event: AlertEvent,
        message: EventId,
        severity: Severity,
        incident: IncidentId,
    ) -> AlertId {
        event.shrink();
        let state = &mut self.engine.state;
        state.names.share_in(&mut event);
        let id = state.counters.next_alert();
        if let Some(place) = dedup::place(&event) {
            state.by_host.insert(integration, &place, id);
        }
        state.open.insert(integration, &event.dedup_key, id);
        let alert = Alert {
            id,
            incident,
            integration: integration.clone(),
            state: AlertState::Firing,
            event,
            first_summary: None,
            severity: Some(severity),
            highest: severity,
            count: 1,
            first_at: self.now,
            last_at: self.now,
            closed_at: None,
            stale_at: None,
            first_event: message,
            last_event: message,
        };
        state.alerts.insert(id, Box::new(alert));
        state.dirty.alerts.insert(id);
        state.watch_stale(&self.config, id);
        id
    }

    /// Notes a repetition: the newest text and count, the first text kept. Gives the incident.
    pub(crate) fn refresh(&mut self, alert_id: AlertId, mut event: AlertEvent, message: EventId) -> Option<IncidentId> {
        let now = self.now;
        let state = &mut self.engine.state;
        let known = state.alerts.get(&alert_id)?;
        event.merge(&known.event);
        if known.event == event {
            return state.count_repeat(alert_id, message, now);
        }
        self.put_event(alert_id, event, message, 1)
    }

    /// Notes what more is said of an alert, which is no repetition. Gives the incident.
    pub(crate) fn amend(&mut self, alert_id: AlertId, event: AlertEvent, message: EventId) -> Option<IncidentId> {
        let known = self.engine.state.alerts.get(&alert_id)?;
        let event = event.onto(&known.event);
        self.put_event(alert_id, event, message, 0)
    }

    /// What a copy of an event adds to the alert it was about, when that is still open: whom else it was sent to, and what more it
    /// says, as a mail does.
    pub(crate) fn add_copy(&mut self, integration: &IntegrationId, copy: &AlertEvent, message: EventId) {
        let state = &self.engine.state;
        let open = dedup::open(state, integration, &copy.dedup_key);
        let Some((id, alert)) = open.and_then(|id| Some((id, state.alerts.get(&id)?))) else { return };
        let mut event = alert.event.clone();
        let to = |event: &AlertEvent| event.labels.get(RECIPIENTS).cloned().unwrap_or_default();
        let all = copies::merged(&to(&event), &to(copy));
        event.labels.insert(RECIPIENTS.to_owned(), all);
        if event.content.len() < copy.content.len() {
            event.content = copy.content.clone();
        }
        if event.links.is_empty() {
            event.links.clone_from(&copy.links);
        }
        if event != alert.event {
            self.put_event(id, event, message, 0);
        }
    }

    /// What is known of an alert from now on, and how often more it was sent.
    fn put_event(
        &mut self,
        alert_id: AlertId,
        mut event: AlertEvent,
        message: EventId,
        times: u32,
    ) -> Option<IncidentId> {
        let now = self.now;
        let state = &mut self.engine.state;
        let known = state.alerts.get(&alert_id)?;
        let stale_at = state.stale_at(&self.config, known);
        event.shrink();
        state.names.share_in(&mut event);
        let alert = state.alerts.get_mut(&alert_id)?;
        if alert.first_summary.is_none() && alert.event.summary != event.summary {
            alert.first_summary = Some(alert.event.summary.clone());
        }
        let host_before = dedup::place(&alert.event);
        let host_now = dedup::place(&event);
        alert.count = alert.count.saturating_add(times);
        alert.last_at = now;
        alert.last_event = message;
        let before = std::mem::replace(&mut alert.event, event).summary;
        let (incident_id, integration) = (alert.incident, alert.integration.clone());
        if host_before != host_now {
            self.forget_host(&integration, host_before, alert_id);
            if let Some(place) = host_now {
                self.engine.state.by_host.insert(&integration, &place, alert_id);
            }
        }
        let state = &mut self.engine.state;
        state.stale_sooner(&self.config, alert_id, stale_at);
        state.dirty.alerts.insert(alert_id);
        let incident = state.incidents.get_mut(&incident_id).map(Arc::make_mut)?;
        incident.count = incident.count.saturating_add(times);
        incident.updated_at = now;
        // Of several alerts one speaks for the incident.
        if let Some(alert) = state.alerts.get(&alert_id).filter(|_| incident.firing == 1 || incident.title == before) {
            lead(incident, alert);
        }
        state.dirty.incidents.insert(incident_id);
        Some(incident_id)
    }

    /// A recovery closes an alert; the last one resolves the incident.
    pub(crate) fn recover(
        &mut self,
        alert_id: AlertId,
        message: EventId,
        matched: RecoveryMatch,
    ) -> Option<IncidentId> {
        let (incident_id, summary, opened) = self.close_alert(alert_id, Some(message))?;
        let incident = self.engine.state.incidents.get_mut(&incident_id).map(Arc::make_mut)?;
        let by = Actor::Integration { integration: incident.integration.clone() };
        incident.firing = incident.firing.saturating_sub(1);
        let fires_on = incident.firing > 0;
        self.review_stale(incident_id);
        if fires_on {
            let recovered = Happening::AlertRecovered { alert: alert_id, event: message, matched };
            self.note(incident_id, by.clone(), recovered);
            self.flaps(incident_id, alert_id, message, &by, opened);
            self.without(incident_id, &summary, by);
        } else if !self.flaps(incident_id, alert_id, message, &by, opened) {
            let held = self.engine.state.incidents.get(&incident_id).is_some_and(|it| still_waits(it, self.now));
            self.note(incident_id, by, Happening::Recovered { alert: alert_id, event: message, matched, held });
            self.end(incident_id);
        }
        Some(incident_id)
    }

    /// Resolved by hand: every alert of the incident is closed with it.
    pub(crate) fn resolve(&mut self, incident_id: IncidentId, by: Actor) {
        let alerts =
            self.engine.state.incidents.get(&incident_id).map(|incident| incident.alerts.clone()).unwrap_or_default();
        for alert in &alerts {
            self.close_alert(*alert, None);
        }
        if let Some(incident) = self.engine.state.incidents.get_mut(&incident_id).map(Arc::make_mut) {
            incident.firing = 0;
            incident.answered = true;
        }
        self.note(incident_id, by, Happening::Resolved);
        self.end(incident_id);
    }

    /// Stops everything that runs for an incident and marks it resolved.
    pub(crate) fn end(&mut self, incident_id: IncidentId) {
        self.quiet(incident_id);
        self.forget_flapping(incident_id);
        let now = self.now;
        if let Some(incident) = self.engine.state.incidents.get_mut(&incident_id).map(Arc::make_mut) {
            incident.state = IncidentState::Resolved;
            incident.resolved_at = Some(now);
            incident.updated_at = now;
            incident.version += 1;
        }
        let State { incidents, groups, .. } = &mut self.engine.state;
        incidents.get(&incident_id).into_iter().for_each(|incident| groups.remove(incident));
        self.engine.state.dirty.incidents.insert(incident_id);
        self.recovered_in_silence(incident_id);
    }

    /// Closes an alert; gives its incident, its text, and how often its identity opened of late.
    pub(crate) fn close_alert(
        &mut self,
        alert_id: AlertId,
        message: Option<EventId>,
    ) -> Option<(IncidentId, SharedStr, u32)> {
        let mut alert = self.engine.state.alerts.remove(&alert_id)?;
        alert.state = AlertState::Resolved;
        alert.closed_at = Some(self.now);
        if let Some(message) = message {
            alert.last_event = message;
            alert.last_at = self.now;
        }
        let key = (alert.integration.clone(), alert.event.dedup_key.clone());
        self.engine.state.open.remove(&key.0, &key.1, alert_id);
        self.forget_host(&alert.integration, dedup::place(&alert.event), alert_id);
        let incident = alert.incident;
        self.leave(alert_id);
        let since = self.now.plus_ms(-MEMORY.0);
        let state = &mut self.engine.state;
        let recent = state.recent.entry(key.clone()).or_insert_with(|| Recent {
            incident,
            closed_at: self.now,
            opened: Vec::new(),
        });
        recent.incident = incident;
        recent.closed_at = self.now;
        recent.opened.retain(|at| *at > since);
        recent.opened.push(alert.first_at);
        if recent.opened.len() > RECENT_MAX {
            recent.opened.remove(0);
        }
        let lately = self.now.plus_ms(-self.config.document.flapping.within.0);
        let opened = recent.opened.iter().filter(|at| **at > lately).count() as u32;
        let summary = alert.event.summary.clone();
        self.engine.remember(self.now.after(MEMORY), Forgettable::Recent(key));
        let state = &mut self.engine.state;
        state.dirty.alerts.remove(&alert_id);
        state.dirty.closed.insert(alert_id, alert);
        Some((incident, summary, opened))
    }

    fn forget_host(&mut self, integration: &IntegrationId, place: Option<String>, alert: AlertId) {
        let Some(place) = place else { return };
        self.engine.state.by_host.remove(integration, &place, alert);
    }
}

/// Whether everybody who is to be paged is still to be.
fn still_waits(incident: &Incident, now: Timestamp) -> bool {
    let waits = |held: Option<Timestamp>| held.is_some_and(|held| held > now);
    incident.state == IncidentState::Triggered
        && incident.suppressed.is_empty()
        && incident.pages.is_empty()
        && !incident.escalations.is_empty()
        && incident.escalations.iter().all(|it| waits(it.held_until))
}
