//! Stale: an alert whose sender should have sent it again, and has not. Nobody said that it is over, so it never counts as
//! a recovery: it is marked, and goes on paging; it is closed only where its route or its sender's settings say so, and
//! whoever was paged is told before.

use crate::{
    classify,
    compile::{FALLBACK, SELF, Snapshot},
    engine::Turn,
    event::Wake,
    matcher::Subject,
    notify::Ask,
    route,
    state::State,
};
use shared::{
    Alert, AlertId, AttemptState, Delay, Format, IncidentId, PageVia, Recipient, RouteId, Stale, Timestamp,
    config::StaleAction,
    timeline::{Actor, Happening},
};
use std::collections::BTreeSet;

/// How long what a sender's own time made stale stays open, when nothing else is configured; and what a sender gets after
/// a restart of the server.
const LEASE: Delay = Delay::mins(5);

/// What `stale_after` may be.
pub(crate) const RANGE: &str = "an alert is stale after 1m to 366d; 0s switches it off";

pub(crate) fn is_out_of_range(after: Delay) -> bool {
    after != Delay::ZERO && !(Delay::mins(1)..=Delay(366 * 86_400_000)).contains(&after)
}

/// What is said of an alert that is not sent again.
#[derive(Default)]
struct Settings {
    after: Option<Delay>,
    closes: bool,
    /// The route that says after how long; none when the sender's settings do.
    route: Option<RouteId>,
}

/// Routes say it before the sender does: those that took the alert when it opened, by what its newest message reads.
fn settings(config: &Snapshot, alert: &Alert) -> Settings {
    // Nobody repeats what Tocsin itself raises.
    if alert.integration.as_str() == SELF {
        return Settings::default();
    }
    let known = config.integrations.get(&alert.integration);
    let (mut after, mut action) = (known.and_then(|it| it.stale_after), known.and_then(|it| it.stale));
    let mut by = None;
    if config.stale_by_route {
        let (event, integration, now) = (&alert.event, &alert.integration, alert.first_at);
        let severity = classify::classify(config, integration, event, now).severity();
        let routing = route::decide(&config.tree, &Subject { event, integration, severity, now });
        action = routing.stale.or(action);
        if let Some((route, delay)) = routing.stale_after {
            (after, by) = (Some(delay), Some(route));
        }
    }
    // Its protocol says that what is not sent again is over.
    let is_lease = after.is_none() && alert.event.format == Format::Alertmanager && alert.event.ends_at.is_some();
    let action = action.or(is_lease.then_some(StaleAction::Resolve));
    Settings { after, closes: action == Some(StaleAction::Resolve), route: by }
}

impl State {
    /// When an alert is stale unless it is sent again: a while after it was heard last, by its route or the settings of its
    /// sender, or when the time is over that the sender itself gave. Nobody could be heard before the server was up.
    pub(crate) fn stale_at(&self, config: &Snapshot, alert: &Alert) -> Option<Timestamp> {
        match (settings(config, alert).after, alert.event.ends_at) {
            (Some(Delay::ZERO), _) | (None, None) => None,
            (Some(after), _) => Some(alert.last_at.max(self.up_since).after(after)),
            (None, Some(ends_at)) if alert.last_at < self.up_since => Some(ends_at.max(self.up_since.after(LEASE))),
            (None, Some(ends_at)) => Some(ends_at),
        }
    }

    /// When a stale alert is closed; none when it never is.
    fn closes_at(&self, config: &Snapshot, alert: &Alert) -> Option<Timestamp> {
        let Settings { after, closes, .. } = settings(config, alert);
        let since = alert.stale_at.filter(|_| closes && after != Some(Delay::ZERO))?;
        Some(since.max(self.up_since).after(after.unwrap_or(LEASE)))
    }

    /// Looks at an alert again when it may be stale, or is to be closed.
    pub(crate) fn watch_stale(&mut self, config: &Snapshot, id: AlertId) {
        let Some(alert) = self.alerts.get(&id) else { return };
        let next = if alert.stale_at.is_some() { self.closes_at(config, alert) } else { self.stale_at(config, alert) };
        if let Some(next) = next {
            self.deadlines.set(next, Wake::Stale { alert: id });
        }
    }

    /// Looks sooner when what it reads now makes it stale before `then`.
    pub(crate) fn stale_sooner(&mut self, config: &Snapshot, id: AlertId, then: Option<Timestamp>) {
        let next = self.alerts.get(&id).and_then(|alert| self.stale_at(config, alert));
        if let Some(next) = next.filter(|next| then.is_none_or(|then| *next < then)) {
            self.deadlines.set(next, Wake::Stale { alert: id });
        }
    }

    /// The same for every open alert: after a restart, and for another configuration.
    pub(crate) fn watch_all_stale(&mut self, config: &Snapshot) {
        for id in self.alerts.keys().copied().collect::<Vec<_>>() {
            self.watch_stale(config, id);
        }
    }
}

impl Turn<'_> {
    /// The time of an alert is over, or it was heard since.
    pub(crate) fn stale_due(&mut self, id: AlertId) {
        let config = self.config.clone();
        let state = &mut self.engine.state;
        let Some(alert) = state.alerts.get(&id) else { return };
        let is_stale = alert.stale_at.is_some();
        let next = if is_stale { state.closes_at(&config, alert) } else { state.stale_at(&config, alert) };
        match next {
            None => {}
            Some(next) if next > self.now => state.deadlines.set(next, Wake::Stale { alert: id }),
            Some(_) if is_stale => self.close_stale(id),
            Some(_) => self.becomes_stale(id),
        }
    }

    fn becomes_stale(&mut self, id: AlertId) {
        let (config, now) = (self.config.clone(), self.now);
        let state = &mut self.engine.state;
        let Some(alert) = state.alerts.get_mut(&id) else { return };
        alert.stale_at = Some(now);
        let (incident, silent_ms) = (alert.incident, now.ms_since(alert.last_at));
        state.dirty.alerts.insert(id);
        let closes_at = state.alerts.get(&id).and_then(|alert| state.closes_at(&config, alert));
        let closes_ms = closes_at.map(|at| at.ms_since(now));
        let route = state.alerts.get(&id).and_then(|alert| settings(&config, alert).route);
        state.watch_stale(&config, id);
        self.note(incident, Actor::System, Happening::AlertStale { alert: id, silent_ms, closes_ms, route });
        self.review_stale(incident);
        let whole = self.engine.state.incidents.get(&incident).is_some_and(|it| it.stale.is_some());
        if whole && closes_at.is_some() {
            self.tell_stale(incident);
        }
    }

    /// A stale alert was sent again.
    pub(crate) fn heard_again(&mut self, id: AlertId) {
        let state = &mut self.engine.state;
        if state.alerts.get(&id).is_none_or(|alert| alert.stale_at.is_none()) {
            return;
        }
        let Some(alert) = state.alerts.get_mut(&id) else { return };
        alert.stale_at = None;
        let incident = alert.incident;
        state.dirty.alerts.insert(id);
        state.watch_stale(&self.config, id);
        self.note(incident, Actor::System, Happening::AlertHeardAgain { alert: id });
        self.review_stale(incident);
    }

    /// An incident is stale when every alert of it that fires is.
    pub(crate) fn review_stale(&mut self, id: IncidentId) {
        let (config, state) = (self.config.clone(), &self.engine.state);
        let Some(incident) = state.incidents.get(&id) else { return };
        let firing = || state.firing(incident);
        let stale = firing().next().is_some() && firing().all(|alert| alert.stale_at.is_some());
        let stale = stale.then(|| {
            let closes_at = firing().map(|alert| state.closes_at(&config, alert)).max().flatten();
            Box::new(Stale {
                since: firing().filter_map(|alert| alert.stale_at).max().unwrap_or(self.now),
                heard_at: firing().map(|alert| alert.last_at).max().unwrap_or(self.now),
                closes_at,
                closed: false,
            })
        });
        if incident.stale != stale
            && let Some(incident) = self.incident(id)
        {
            incident.stale = stale;
            incident.version += 1;
            self.engine.state.dirty.incidents.insert(id);
        }
    }

    /// Tells whoever was paged that it is about to be closed.
    fn tell_stale(&mut self, id: IncidentId) {
        let Some(incident) = self.engine.state.incidents.get(&id).filter(|it| it.suppressed.is_empty()) else { return };
        let rang = |page: &&shared::Page| {
            page.attempts.iter().any(|it| matches!(it.state, AttemptState::Accepted | AttemptState::Sending))
        };
        let told: BTreeSet<Recipient> = incident.pages.iter().filter(rang).map(|page| page.recipient.clone()).collect();
        let policy = incident.escalations.first().map_or_else(|| FALLBACK.into(), |it| it.policy.clone());
        let by_hand = incident.severity.is_urgent();
        for recipient in told {
            let ask = Ask { via: PageVia::Stale, policy: &policy, level: 0, cycle: 0, by_hand };
            // Whoever has no contact any more cannot be told; the timeline keeps the reason.
            drop(self.page(id, &recipient, ask));
        }
    }

    fn close_stale(&mut self, id: AlertId) {
        let Some(silent_ms) = self.engine.state.alerts.get(&id).map(|alert| self.now.ms_since(alert.last_at)) else {
            return;
        };
        let Some((incident_id, summary, _)) = self.close_alert(id, None) else { return };
        let Some(incident) = self.incident(incident_id) else { return };
        incident.firing = incident.firing.saturating_sub(1);
        let over = incident.firing == 0;
        if over && let Some(stale) = &mut incident.stale {
            stale.closed = true;
        }
        self.note(incident_id, Actor::System, Happening::StaleClosed { alert: id, silent_ms, over });
        if over {
            self.end(incident_id);
        } else {
            self.without(incident_id, &summary, Actor::System);
            self.review_stale(incident_id);
        }
    }
}
