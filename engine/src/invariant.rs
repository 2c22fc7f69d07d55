//! What must be true of the state after every event; tests and the simulator ask it, and the server all the time
//! (`audit`).

use crate::{
    bundle,
    correlate::MEMORY,
    dedup,
    engine::Engine,
    event::Wake,
    inhibit::Rule,
    state::{Accounts, RECENT_MAX, Recent, State},
};
use shared::{
    AlertId, Attempt, AttemptId, AttemptState, EscalationState, HeartbeatId, Incident, IncidentId, IncidentState,
    MirrorId, Page, Pulse, Severity, Timestamp, config::Paging,
};
use std::collections::BTreeSet;

/// A promise that does not hold: a defect of the engine, never of its input.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    #[error("alerts are not accounted for: {0:?}")]
    Accounts(Accounts),
    #[error("alert {0} and the index of open identities disagree")]
    OpenIndex(AlertId),
    #[error("alert {alert} is open in incident {incident}, which is not")]
    Orphan { alert: AlertId, incident: IncidentId },
    #[error("incident {incident} says {said} alerts fire, {found} do")]
    Firing { incident: IncidentId, said: u32, found: u32 },
    #[error("nothing of incident {0} fires, and it is open without flapping")]
    Empty(IncidentId),
    #[error("incident {0} and the index of groups disagree")]
    Group(IncidentId),
    #[error("{severity} incident {incident} is unanswered, and nothing will ever happen to it")]
    Silent { incident: IncidentId, severity: Severity },
    #[error("incident {0} is answered, and a level or a delivery still waits")]
    Restless(IncidentId),
    #[error("notice {0} is lost, or counted twice")]
    Notice(AttemptId),
    #[error("incident {0} is kept quiet, or is not, and the silences and inhibitions say otherwise")]
    Quiet(IncidentId),
    #[error("incident {0} waits for the answers of everybody, and nobody's is missing, or it is answered")]
    Awaited(IncidentId),
    #[error("incident {0} is stale, or is not, and its alerts say otherwise")]
    Stale(IncidentId),
    #[error("mirror {0} is past its time and not asked to end, or nothing will ever happen to it")]
    Mirror(MirrorId),
    #[error("the time of heartbeat {0} and the index of deadlines disagree")]
    Heartbeat(HeartbeatId),
    #[error("a timer of incident {0} and the index of deadlines disagree")]
    Timer(IncidentId),
    #[error("delivery {0} and the queue or the index of deadlines disagree")]
    Delivery(AttemptId),
    #[error("a deadline of {0:?} has passed unheeded")]
    Late(Timestamp),
    #[error("more deliveries are under way than slots exist: {0}")]
    Slots(usize),
}

impl Engine {
    /// Whether an engine restored from the store would decide as this one does; the answer names what differs.
    #[must_use]
    pub fn differs_from(&self, restored: &Self, now: Timestamp) -> Option<&'static str> {
        let (config, theirs) = (self.config(), restored.config());
        let differences = [
            ("the version of the configuration", config.version != theirs.version),
            ("the calendars that others keep", config.copies != theirs.copies),
        ];
        let differs = differences.into_iter().find(|(_, differs)| *differs).map(|(what, _)| what);
        differs.or_else(|| self.state.differs_from(&restored.state, now))
    }
}

impl State {
    /// Checks everything; `now` is the time of the event just handled, `slots` the bound on deliveries under way.
    pub fn check(&self, now: Timestamp, slots: u32) -> Result<(), Broken> {
        self.check_sums(now, slots)?;
        if let Some(lost) = self.lost_notice() {
            return Err(Broken::Notice(lost));
        }
        self.check_alerts()?;
        if let Some(gone) = self.groups.incidents().find(|id| !self.incidents.contains_key(id)) {
            return Err(Broken::Group(gone));
        }
        self.incidents.values().try_for_each(|incident| self.check_incident(incident))
    }

    /// The part of [`Self::check`] that costs the same however much is open.
    pub(crate) fn check_sums(&self, now: Timestamp, slots: u32) -> Result<(), Broken> {
        if !self.accounts.balance() {
            return Err(Broken::Accounts(self.accounts));
        }
        if let Some((at, _)) = self.deadlines.next().filter(|(at, _)| *at <= now) {
            return Err(Broken::Late(at));
        }
        // Deliveries taken over from a process that had more slots may exceed them until their leases end.
        if self.queue.in_flight() > slots as usize + self.adopted {
            return Err(Broken::Slots(self.queue.in_flight()));
        }
        if let Some(mirror) = self.mirrors.values().find_map(|it| it.is_lost(now, &self.deadlines)) {
            return Err(Broken::Mirror(mirror));
        }
        let armed = |due: Option<Timestamp>| due.is_none_or(|due| self.deadlines.contains(due, Wake::Heartbeat));
        if let Some(pulse) = self.pulses.values().find(|pulse| !armed(pulse.due)) {
            return Err(Broken::Heartbeat(pulse.heartbeat.clone()));
        }
        Ok(())
    }

    /// Whether everything that is kept quiet is so for a reason that holds now, and nothing else is.
    pub fn check_quiet(&self, rules: &[Rule], now: Timestamp) -> Result<(), Broken> {
        let open = || self.incidents.values().filter(|it| it.state != IncidentState::Resolved);
        let wrong = open().find(|it| it.suppressed != self.suppressors(it, rules, now));
        wrong.map_or(Ok(()), |incident| Err(Broken::Quiet(incident.id)))
    }

    /// A delivery that waits although a slot is free for it, or that nothing would ever let begin.
    #[must_use]
    pub fn held_up(&self, paging: &Paging) -> Option<AttemptId> {
        self.queue.held_up(paging, &self.deadlines)
    }

    /// What of the state differs in an engine restored from the store.
    fn differs_from(&self, restored: &Self, now: Timestamp) -> Option<&'static str> {
        let recent = |state: &Self| {
            let since = now.plus_ms(-MEMORY.0);
            let times = |it: &Recent| it.opened.iter().filter(|at| **at > since).count().min(RECENT_MAX);
            let known = state.recent.iter().map(|(key, it)| (key.clone(), it.incident, it.closed_at, times(it)));
            known.collect::<Vec<_>>()
        };
        // What waits for a slot here is simply due there.
        let due = |state: &Self| {
            let (flying, mut waiting) = state.queue.content();
            waiting.retain(|(attempt, _)| !state.lanes.is_ticket(*attempt));
            let (flying, mut waiting) = state.messages.spell_out(flying, waiting);
            waiting.extend(state.lanes.content());
            let timed = state.deadlines.iter().filter(|(_, wake)| {
                // A restored engine looks at silences first of all, and gives heartbeats time.
                !matches!(
                    wake,
                    Wake::Forget
                        | Wake::Review
                        | Wake::Bundle
                        | Wake::Silence { .. }
                        | Wake::Mirror { .. }
                        | Wake::Notice { .. }
                        | Wake::Heartbeat
                        | Wake::Stale { .. }
                )
            });
            let (attempts, others): (Vec<_>, Vec<_>) =
                timed.partition(|(_, wake)| matches!(wake, Wake::Attempt { .. }));
            let attempts = attempts.into_iter().filter_map(|(at, wake)| match wake {
                Wake::Attempt { attempt, .. } => Some((attempt, at)),
                _ => None,
            });
            (flying, attempts.chain(waiting).collect::<BTreeSet<_>>(), others)
        };
        let silences = |state: &Self| state.silences.values().map(|it| it.silence.clone()).collect::<Vec<_>>();
        let heard = |state: &Self| {
            let pulses = state.pulses.values().cloned();
            pulses.map(|pulse| Pulse { due: None, counted: None, ..pulse }).collect::<Vec<_>>()
        };
        // What was counted last is stored now and then.
        let mirrored = |state: &Self| {
            let mirrors = state.mirrors.values().map(|it| (it.mirror.id, it.mirror.state, it.mirror.expires_at));
            mirrors.collect::<Vec<_>>()
        };
        let used = |state: &Self| {
            let running = state.incidents.values().flat_map(|it| &it.escalations);
            let keys: BTreeSet<_> = running.map(|it| (it.config, it.policy.clone())).collect();
            keys.into_iter().map(|key| state.policies.get(&key).cloned()).collect::<Vec<_>>()
        };
        let differences = [
            ("the counters", self.counters != restored.counters),
            ("the silences", silences(self) != silences(restored)),
            ("the silences of which somebody is to be told", self.over != restored.over),
            ("the inhibitions", self.inhibitors != restored.inhibitors),
            ("the alerts", self.alerts != restored.alerts),
            ("the incidents", self.incidents != restored.incidents),
            ("the heartbeats", heard(self) != heard(restored)),
            ("the groups", self.groups != restored.groups),
            ("the open identities", self.open != restored.open || self.by_host != restored.by_host),
            ("the closed identities", recent(self) != recent(restored)),
            ("the idempotency keys", self.seen != restored.seen),
            ("the deadlines", due(self) != due(restored)),
            ("the turns", self.turns != restored.turns),
            ("what people were sent", self.sends != restored.sends),
            ("the mirrors", mirrored(self) != mirrored(restored)),
            ("the storm", self.storm_as_restored() != restored.storm_as_restored()),
            ("the policies", used(self) != used(restored)),
        ];
        differences.into_iter().find(|(_, differs)| *differs).map(|(what, _)| what)
    }

    fn check_alerts(&self) -> Result<(), Broken> {
        for alert in self.alerts.values() {
            let by_host = dedup::place(&alert.event)
                .is_none_or(|place| dedup::of_host(self, &alert.integration, &place).any(|it| it == alert.id));
            if dedup::open(self, &alert.integration, &alert.event.dedup_key) != Some(alert.id) || !by_host {
                return Err(Broken::OpenIndex(alert.id));
            }
            if self.incidents.get(&alert.incident).is_none_or(|it| it.state == IncidentState::Resolved) {
                return Err(Broken::Orphan { alert: alert.id, incident: alert.incident });
            }
        }
        match self.open.alerts().chain(self.by_host.alerts()).find(|alert| !self.alerts.contains_key(alert)) {
            Some(alert) => Err(Broken::OpenIndex(alert)),
            None => Ok(()),
        }
    }

    pub(crate) fn check_incident(&self, incident: &Incident) -> Result<(), Broken> {
        let id = incident.id;
        let found = incident.alerts.iter().filter(|alert| self.alerts.contains_key(alert)).count() as u32;
        if found != incident.firing {
            return Err(Broken::Firing { incident: id, said: incident.firing, found });
        }
        let open = incident.state != IncidentState::Resolved;
        if open && found == 0 && incident.flapping.is_none() {
            return Err(Broken::Empty(id));
        }
        let stale = self.firing(incident).all(|alert| alert.stale_at.is_some()) && found > 0;
        if open && incident.stale.is_some() != stale {
            return Err(Broken::Stale(id));
        }
        if self.groups.contains(incident) != (open && incident.group.is_some()) {
            return Err(Broken::Group(id));
        }
        let attempts = || incident.pages.iter().flat_map(|page| &page.attempts);
        let waiting = |it: &Attempt| matches!(it.state, AttemptState::Planned | AttemptState::Retrying);
        let due = incident.escalations.iter().any(|it| it.due.is_some());
        let restless = due || attempts().any(waiting);
        // Who is asked to help is rung although somebody answered.
        let helper = |page: &Page| page.via.is_beside() && incident.state != IncidentState::Resolved;
        let rings = due || incident.pages.iter().any(|page| page.is_waiting() && !helper(page));
        match incident.state {
            IncidentState::Triggered
                if incident.severity.is_urgent()
                    && incident.suppressed.is_empty()
                    && !restless
                    && !attempts().any(|it| it.state == AttemptState::Sending) =>
            {
                return Err(Broken::Silent { incident: id, severity: incident.severity });
            }
            IncidentState::Triggered => {}
            _ if rings || incident.escalations.iter().any(|it| it.state == EscalationState::Running) => {
                return Err(Broken::Restless(id));
            }
            _ => {}
        }
        let awaited = incident.everyone.as_ref();
        if awaited.is_some_and(|it| it.missing.is_empty() || incident.state != IncidentState::Triggered) {
            return Err(Broken::Awaited(id));
        }
        self.check_timers(incident)?;
        let pages = incident.pages.iter();
        pages
            .flat_map(|page| page.attempts.iter().map(move |it| (page, it)))
            .try_for_each(|(page, attempt)| self.check_delivery(id, page, attempt))
    }

    fn check_timers(&self, incident: &Incident) -> Result<(), Broken> {
        let id = incident.id;
        let level = |(place, due): (usize, Option<Timestamp>)| {
            due.is_none_or(|due| self.deadlines.contains(due, Wake::Level { incident: id, escalation: place as u32 }))
        };
        let levels = incident.escalations.iter().map(|it| it.due).enumerate().all(level);
        let ack = incident
            .ack
            .as_ref()
            .and_then(|ack| ack.until)
            .is_none_or(|until| self.deadlines.contains(until, Wake::AckTimeout { incident: id }));
        let snooze = incident
            .snoozed_until
            .is_none_or(|until| self.deadlines.contains(until, Wake::SnoozeEnds { incident: id }));
        let calm = incident
            .flapping
            .as_ref()
            .is_none_or(|flapping| self.deadlines.contains(flapping.until, Wake::Calm { incident: id }));
        let answered = (incident.state == IncidentState::Acked) == incident.ack.is_some()
            && (incident.state == IncidentState::Snoozed) == incident.snoozed_until.is_some();
        if levels && ack && snooze && calm && answered { Ok(()) } else { Err(Broken::Timer(id)) }
    }

    fn check_delivery(&self, incident: IncidentId, page: &Page, attempt: &Attempt) -> Result<(), Broken> {
        let lane = bundle::outlet(page, attempt).filter(|outlet| self.lanes.holds(outlet, attempt.id));
        if lane.as_ref().is_some_and(|lane| !self.lanes.goes_on(lane, &self.queue, &self.deadlines)) {
            return Err(Broken::Delivery(attempt.id));
        }
        let in_lane = lane.is_some();
        let (queued, flying) = self.messages.stands(&self.queue, attempt.id);
        let held = match attempt.state {
            AttemptState::Planned | AttemptState::Retrying => {
                let timed = self.deadlines.contains(attempt.due, Wake::Attempt { incident, attempt: attempt.id });
                timed != (queued || in_lane) && !flying
            }
            AttemptState::Sending => {
                let leased = attempt
                    .lease_until
                    .is_some_and(|until| self.deadlines.contains(until, Wake::Lease { incident, attempt: attempt.id }));
                leased && flying && !in_lane
            }
            _ => {
                let awaited = attempt
                    .lease_until
                    .is_none_or(|until| self.deadlines.contains(until, Wake::Lease { incident, attempt: attempt.id }));
                awaited && !queued && !flying && !in_lane
            }
        };
        if held { Ok(()) } else { Err(Broken::Delivery(attempt.id)) }
    }
}
