//! A message on its way in: the account of each member, and what it is to what is open.

use crate::{
    classify,
    copies::RECIPIENTS,
    correlate::MEMORY,
    dedup::{self, Identity},
    engine::Turn,
    event::{Act, Ingested},
    group::Newcomer,
    heartbeat, late,
    matcher::Subject,
    notify,
    route::{self, Routing},
    state::{Forgettable, State},
    suppress,
};
use shared::{
    Action, AlertEvent, AlertId, EventId, IncidentId, IncidentState, IntegrationId,
    placement::Placement,
    timeline::{Actor, DropReason, Happening, Outcome, SuppressReason},
};
use std::sync::Arc;

impl Turn<'_> {
    pub(crate) fn ingest(&mut self, message: Ingested) {
        let Ingested { integration, key, events, rejected, places, replayed } = message;
        if let Some(key) = &key
            && let Some((event, outcomes)) = self.engine.state.seen.get(&(integration.clone(), key.as_str().into()))
        {
            self.effects.event = Some(*event);
            self.effects.outcomes.clone_from(outcomes);
            self.effects.repeated = true;
            return;
        }
        let id = self.engine.state.counters.next_event();
        self.effects.event = Some(id);
        if !replayed {
            self.sender_heard(&integration);
        }
        let mut places = places.into_iter();
        for event in events {
            let place = places.next().flatten();
            let outcome = self.alert(&integration, event, id, place.as_ref());
            self.account(outcome);
        }
        for reason in rejected {
            self.account(Outcome::Rejected { reason });
        }
        if let Some(key) = key {
            let key = (integration, key.into());
            self.engine.remember(self.now.after(MEMORY), Forgettable::Seen(key.clone()));
            self.engine.state.seen.insert(key, (id, self.effects.outcomes.clone()));
        }
    }

    fn account(&mut self, outcome: Outcome) {
        self.book(&outcome);
        self.effects.outcomes.push(outcome);
    }

    /// The law of accounts, of the whole and of the storm that lasts.
    pub(crate) fn book(&mut self, outcome: &Outcome) {
        self.count_outcome(outcome);
        self.engine.state.accounts.ingested += 1;
        self.engine.state.accounts.book(outcome);
    }

    /// One member of a message through the whole path.
    pub(crate) fn alert(
        &mut self,
        integration: &IntegrationId,
        event: AlertEvent,
        message: EventId,
        place: Option<&Arc<Placement>>,
    ) -> Outcome {
        let reason = match event.action {
            Action::Acknowledge | Action::Update => DropReason::UnmatchedAck,
            _ => DropReason::UnmatchedResolve,
        };
        let unmatched = Outcome::Dropped { reason };
        let state = &mut self.engine.state;
        let is_open =
            event.labels.contains_key(RECIPIENTS) && dedup::open(state, integration, &event.dedup_key).is_some();
        if let Some(of) = state.copies.of(integration, &event, message, is_open, self.now) {
            self.add_copy(integration, &event, message);
            return Outcome::Dropped { reason: DropReason::Duplicate { of } };
        }
        let beat = self.beats(integration, &event);
        let identity = dedup::identify(&self.engine.state, integration, &event);
        if beat.is_none()
            && let Some(outcome) = self.arrives_late(integration, &event, &identity, message)
        {
            return outcome;
        }
        match identity {
            // A sender that repeats an open alert with its first time is not replaying it.
            Identity::New => match beat.map(|heartbeat| SuppressReason::Heartbeat { heartbeat }).or_else(|| {
                suppress::suppress(&event, || {
                    classify::classify(&self.config, integration, &event, self.now).severity()
                })
            }) {
                Some(reason) => Outcome::Suppressed { reason },
                None => self.new_alert(integration, event, message, place),
            },
            Identity::Update(alert) => {
                let incident = self.amend(alert, event, message);
                incident.map_or(unmatched, |incident| self.refreshed(alert, incident))
            }
            Identity::Repeat(alert) => {
                let incident = self.refresh(alert, event, message);
                incident.map_or(unmatched, |incident| self.refreshed(alert, incident))
            }
            Identity::Acknowledgement(alert) => self
                .answered_elsewhere(integration, alert)
                .map_or(unmatched, |incident| Outcome::Acknowledged { alert, incident }),
            Identity::Change => Outcome::Suppressed { reason: SuppressReason::Change },
            Identity::Recovery(alert, matched) => {
                self.recover(alert, message, matched).map_or(unmatched, |incident| Outcome::Closed { alert, incident })
            }
            Identity::Unmatched => unmatched,
        }
    }

    /// What follows when something was said again of an open alert, or more.
    fn refreshed(&mut self, alert: AlertId, incident: IncidentId) -> Outcome {
        self.heard_again(alert);
        self.enter(alert);
        self.severity_repeated(incident, alert);
        Outcome::Refreshed { alert, incident }
    }

    /// What becomes of a message that others overtook on their way; none when it is in time.
    fn arrives_late(
        &mut self,
        integration: &IntegrationId,
        event: &AlertEvent,
        identity: &Identity,
        message: EventId,
    ) -> Option<Outcome> {
        let now = self.now;
        let overtaken = |state: &State, alert: &AlertId| {
            state.alerts.get(alert).is_some_and(|alert| late::is_overtaken(event, &alert.event))
        };
        let state = &mut self.engine.state;
        match identity {
            Identity::New => {
                let by = state.late.over_already(integration, event, now)?;
                // Clocks lie, and nobody can tell: what is urgent pages all the same.
                let severity = classify::classify(&self.config, integration, event, now).severity();
                (!severity.is_urgent()).then_some(Outcome::Suppressed { reason: SuppressReason::Over { by } })
            }
            Identity::Repeat(alert) if overtaken(state, alert) => {
                let incident = state.count_repeat(*alert, message, now)?;
                Some(Outcome::Refreshed { alert: *alert, incident })
            }
            Identity::Recovery(alert, _) if overtaken(state, alert) => {
                Some(Outcome::Dropped { reason: DropReason::Overtaken { alert: *alert } })
            }
            Identity::Recovery(..) | Identity::Unmatched if event.action == Action::Resolve => {
                state.late.recovered(integration, event, message, now);
                None
            }
            _ => None,
        }
    }

    /// Whoever watches the sender answered there: nobody is woken for what somebody has in hand.
    fn answered_elsewhere(&mut self, integration: &IntegrationId, alert: AlertId) -> Option<IncidentId> {
        let incident = self.engine.state.alerts.get(&alert)?.incident;
        let is_triggered =
            self.engine.state.incidents.get(&incident).is_some_and(|it| it.state == IncidentState::Triggered);
        if is_triggered {
            let by = Actor::Integration { integration: integration.clone() };
            self.act(incident, by, Act::Ack { until: None }).ok()?;
        }
        Some(incident)
    }

    fn new_alert(
        &mut self,
        integration: &IntegrationId,
        event: AlertEvent,
        message: EventId,
        place: Option<&Arc<Placement>>,
    ) -> Outcome {
        let stated = classify::classify(&self.config, integration, &event, self.now);
        let subject = Subject { event: &event, integration, severity: stated.severity(), now: self.now };
        let mut routing = route::route(&self.config.tree, &subject);
        heartbeat::overrule(&self.config, &subject, &mut routing);
        self.overrule_suspect(&subject, &mut routing);
        let reason = classify::overruled(stated, routing.severity.as_ref().map(|(route, severity)| (route, *severity)));
        let policies = notify::policies_or_fallback(routing.policies.clone(), reason.severity());
        let newcomer = Newcomer { integration, event, message, reason, policies: &policies };
        if let Some((incident, why)) = self.joins(&newcomer, &routing) {
            return match self.join(incident, newcomer, &why, &routing) {
                Some(alert) => {
                    self.note_heartbeat(incident, alert);
                    if let Some(place) = place {
                        self.place(alert, place);
                        self.pages_for(alert);
                    }
                    Outcome::Opened { alert, incident }
                }
                None => Outcome::Dropped { reason: DropReason::UnmatchedResolve },
            };
        }
        let Newcomer { event, reason, .. } = newcomer;
        let (severity, key, flags) = (reason.severity(), event.dedup_key.to_string(), event.flags.to_vec());
        let (alert, incident) = self.open(integration, event, message, severity, &routing);
        let by = Actor::Integration { integration: integration.clone() };
        self.note(incident, by, Happening::Opened { alert, event: message, severity: reason, key, flags });
        self.note_heartbeat(incident, alert);
        if let Some(place) = place {
            self.place(alert, place);
        }
        self.begin(incident, alert, routing, policies);
        self.pages_for(alert);
        if self.engine.state.incidents.get(&incident).is_some_and(|it| !it.suppressed.is_empty()) {
            self.count(|storm| storm.quiet += 1);
        }
        Outcome::Opened { alert, incident }
    }

    /// A new incident goes where its routes send it.
    pub(crate) fn begin(&mut self, id: IncidentId, alert: AlertId, routing: Routing, policies: Vec<shared::PolicyId>) {
        let Some((severity, since)) = self.engine.state.alerts.get(&alert).map(|it| (it.severity(), it.first_at))
        else {
            return;
        };
        let waits = |policy: &shared::PolicyId| {
            (routing.hold(policy, severity), routing.held_until(policy, severity, since).filter(|at| *at > self.now))
        };
        let waits: Vec<_> = policies.iter().map(waits).collect();
        self.note(
            id,
            Actor::System,
            Happening::Routed {
                trace: routing.trace,
                policies: policies.clone(),
                config: self.config.version,
                group: routing.group.map(|group| group.key),
                annotations: routing.annotations.to_map(),
            },
        );
        self.enter(alert);
        for (policy, (hold, until)) in policies.into_iter().zip(waits) {
            if let (Some(hold), Some(until)) = (hold, until) {
                let held = Happening::Held { policy: policy.clone(), hold_ms: hold.0, until };
                self.note(id, Actor::System, held);
            }
            self.start(id, policy, until);
        }
    }
}
