//! Whether an alert pages nobody, and the reason: it is a replay, or it is kept quiet for a while.

use crate::{engine::Turn, matcher::Subject, state::State};
use shared::{
    Action, Alert, AlertEvent, AlertId, Flag, Incident, IncidentId, IncidentState, Severity, SuppressedBy, ThinVec,
    Timestamp,
    timeline::{Actor, Happening, SuppressReason},
};
use std::collections::BTreeSet;

/// Replays of old alerts are stored, and wake nobody; but a P0 or P1 from a machine with a wrong clock is no replay, and
/// nobody can tell the two apart.
pub(crate) fn suppress(event: &AlertEvent, severity: impl FnOnce() -> Severity) -> Option<SuppressReason> {
    let stale = event.action == Action::Trigger && event.flags.contains(&Flag::Stale);
    (stale && !severity().is_urgent()).then_some(SuppressReason::Stale)
}

/// An open alert as conditions see it.
fn subject(alert: &Alert, now: Timestamp) -> Subject<'_> {
    Subject { event: &alert.event, integration: &alert.integration, severity: alert.severity(), now }
}

impl State {
    /// What keeps an incident quiet now; nothing unless every alert of it that fires is kept quiet.
    pub(crate) fn suppressors(
        &self,
        incident: &Incident,
        rules: &[crate::inhibit::Rule],
        now: Timestamp,
    ) -> ThinVec<SuppressedBy> {
        if incident.firing == 0 {
            // It flaps and is over for now: what kept it quiet stands until it fires again.
            return incident.suppressed.clone();
        }
        let mut found: BTreeSet<SuppressedBy> = BTreeSet::new();
        for alert in incident.alerts.iter().filter_map(|id| self.alerts.get(id)) {
            let by = self.suppressors_of(alert, rules, now);
            if by.is_empty() {
                return ThinVec::new();
            }
            found.extend(by);
        }
        found.into_iter().collect()
    }

    fn suppressors_of(&self, alert: &Alert, rules: &[crate::inhibit::Rule], now: Timestamp) -> Vec<SuppressedBy> {
        let subject = subject(alert, now);
        let silences = self.silences.values().filter(|it| it.covers(&subject)).map(|it| it.suppresses(now));
        let inhibitions = self.inhibitors.over(alert.id).filter_map(|(place, sources)| {
            let source = sources.iter().filter_map(|source| self.alerts.get(source)).find(|source| {
                // An incident does not keep itself quiet, and of two that would keep each other quiet the older one pages.
                let mutual = || self.inhibitors.is_over(alert.id, source.id);
                source.incident != alert.incident && !(alert.incident < source.incident && mutual())
            })?;
            Some(SuppressedBy::Inhibition { inhibition: rules.get(place)?.id.clone(), source: source.incident })
        });
        silences.chain(inhibitions).chain(self.suspected(alert)).collect()
    }
}

impl Turn<'_> {
    /// An alert opened or changed: it may be kept quiet, and others by it.
    pub(crate) fn enter(&mut self, id: AlertId) {
        let now = self.now;
        let state = &mut self.engine.state;
        let Some(alert) = state.alerts.get(&id) else { return };
        let is_quiet = state.incidents.get(&alert.incident).is_some_and(|incident| !incident.suppressed.is_empty());
        let suspected = state.suspects.covers(id);
        if self.config.inhibitions.is_empty() && state.silences.is_empty() && !is_quiet && !suspected {
            return;
        }
        let subject = subject(alert, now);
        let incident = alert.incident;
        let touched = state.inhibitors.enter(id, &self.config.inhibitions, &subject);
        // Itself first: of two that could keep each other quiet, the one that was there goes on paging.
        self.review(incident);
        self.review_alerts(&touched);
    }

    /// An alert is over: those it kept quiet are looked at again.
    pub(crate) fn leave(&mut self, id: AlertId) {
        let touched = self.engine.state.inhibitors.leave(id);
        self.review_alerts(&touched);
        self.rises(id);
    }

    fn review_alerts(&mut self, alerts: &BTreeSet<AlertId>) {
        let incidents: BTreeSet<IncidentId> =
            alerts.iter().filter_map(|id| Some(self.engine.state.alerts.get(id)?.incident)).collect();
        for incident in incidents {
            self.review(incident);
        }
    }

    /// A silence or the configuration changed: everything that is open is looked at again.
    pub(crate) fn review_all(&mut self) {
        let open = self.engine.state.incidents.values().filter(|it| it.state != IncidentState::Resolved);
        for incident in open.map(|it| it.id).collect::<Vec<_>>() {
            self.review(incident);
        }
    }

    /// Looks whether an incident is kept quiet. What begins to be stops paging; what is released and still fires pages
    /// again, unless somebody answered.
    pub(crate) fn review(&mut self, id: IncidentId) {
        let Some(incident) = self.engine.state.incidents.get(&id) else { return };
        if incident.state == IncidentState::Resolved {
            return;
        }
        let by = self.engine.state.suppressors(incident, &self.config.inhibitions, self.now);
        if by == incident.suppressed {
            return;
        }
        let was_quiet = !incident.suppressed.is_empty();
        let paging = incident.state == IncidentState::Triggered;
        let is_quiet = !by.is_empty();
        for silence in by.iter().filter_map(SuppressedBy::silence).collect::<Vec<_>>() {
            self.hide(silence, id);
        }
        if let Some(incident) = self.incident(id) {
            incident.suppressed.clone_from(&by);
            incident.version += 1;
        }
        self.engine.state.dirty.incidents.insert(id);
        self.missed(id);
        for silence in by.iter().filter_map(SuppressedBy::silence).collect::<Vec<_>>() {
            self.remind_owner(silence);
        }
        if is_quiet {
            self.note(id, Actor::System, Happening::Suppressed { by: by.to_vec() });
        } else {
            self.note(id, Actor::System, Happening::Released);
        }
        match (was_quiet, is_quiet) {
            (false, true) if paging => self.quiet(id),
            (true, false) if paging => self.trigger_again(id),
            _ => {}
        }
    }

    /// The index of inhibitions made anew, for a new configuration.
    pub(crate) fn reindex(&mut self) {
        self.engine.index_inhibitions(self.now);
        self.review_all();
    }
}

impl crate::Engine {
    /// Puts every open alert on the sides of the rules in force.
    pub(crate) fn index_inhibitions(&mut self, now: Timestamp) {
        let config = self.config().clone();
        self.state.inhibitors = crate::inhibit::Inhibitors::default();
        if config.inhibitions.is_empty() {
            return;
        }
        let State { alerts, inhibitors, .. } = &mut self.state;
        for alert in alerts.values() {
            inhibitors.enter(alert.id, &config.inhibitions, &subject(alert, now));
        }
    }
}
