//! The engine: one event at a time in, effects out, and the next deadline.

use crate::{
    allowance::Robot,
    compile::Snapshot,
    correlate::MEMORY,
    dedup,
    event::{Act, Changes, Effects, Event, Refusal, Wake},
    notify,
    silence::Standing,
    state::{Dirty, Forgettable, LevelTurn, Restored, State},
    throttle::ContactSends,
};
use shared::{
    Alert, AlertId, AttemptState, CountedBecause, Escalation, EscalationState, EventId, Incident, IncidentId,
    IncidentState, Recipient, Timestamp,
    timeline::{Actor, Happening, Outcome, TimelineEntry},
};
use std::{collections::BTreeSet, sync::Arc};

/// The decision core. `now` never decreases from call to call.
#[derive(Clone, Debug, Default)]
pub struct Engine {
    pub state: State,
    config: Arc<Snapshot>,
}

/// One call of [`Engine::handle`].
pub(crate) struct Turn<'a> {
    pub(crate) engine: &'a mut Engine,
    pub(crate) config: Arc<Snapshot>,
    pub(crate) now: Timestamp,
    pub(crate) effects: Effects,
    /// Who was paged for what in this turn: two policies that come to the same person page them once.
    pub(crate) paged: BTreeSet<(IncidentId, Recipient)>,
    /// The escalation whose next level somebody named: it runs whatever its conditions say.
    pub(crate) asked: Option<(IncidentId, usize)>,
}

impl Engine {
    /// An engine that knows nothing yet.
    #[must_use]
    pub fn new(config: Arc<Snapshot>) -> Self {
        let mut engine = Self { state: State::default(), config };
        if !engine.config.silences.is_empty() {
            // They begin with the first event, which brings the time.
            engine.state.deadlines.set(Timestamp::from_ms(0), Wake::Review);
        }
        engine
    }

    /// Rebuilds the hot state from what the store kept. Deadlines come out of the restored things
    /// themselves; a delivery that was under way counts as ambiguous until its lease ends. When the clock was set back
    /// meanwhile, so that what is kept lies in the future, every wait is shortened by as much: nobody is paged late for it.
    #[must_use]
    pub fn restore(config: Arc<Snapshot>, restored: Restored, now: Timestamp) -> Self {
        let mut engine = Self { state: State::default(), config };
        let ahead_ms = restored.newest().map_or(0, |newest| newest.ms_since(now).max(0));
        engine.state.counters = restored.counters;
        engine.state.policies = restored.policies;
        engine.state.turns = restored.turns.into_iter().map(|it| ((it.policy, it.level), it.people)).collect();
        engine.state.names = restored.names;
        for alert in restored.alerts.values() {
            engine.state.open.insert(&alert.integration, &alert.event.dedup_key, alert.id);
            if let Some(place) = dedup::place(&alert.event) {
                engine.state.by_host.insert(&alert.integration, &place, alert.id);
            }
        }
        engine.state.alerts = restored.alerts;
        for (integration, key, recent) in restored.recent {
            let key = (integration, key);
            engine.remember(recent.closed_at.after(MEMORY), Forgettable::Recent(key.clone()));
            engine.state.recent.insert(key, recent);
        }
        for (at, integration, key, event, outcomes) in restored.seen {
            let key = (integration, key);
            engine.remember(at.after(MEMORY), Forgettable::Seen(key.clone()));
            engine.state.seen.insert(key, (event, outcomes));
        }
        engine.state.incidents = restored.incidents;
        if ahead_ms > 0 {
            for (id, incident) in engine.state.incidents.iter_mut() {
                hasten(Arc::make_mut(incident), ahead_ms);
                engine.state.dirty.incidents.insert(*id);
            }
        }
        for id in engine.state.incidents.keys().copied().collect::<Vec<_>>() {
            engine.rearm(id, now);
        }
        engine.state.messages.forget_settled();
        for ContactSends { person, contact, mut log } in restored.sends {
            log.hasten(ahead_ms);
            if ahead_ms > 0 {
                engine.state.dirty.sends.insert((person.clone(), contact.clone()));
            }
            engine.state.sends.insert((person, contact), log);
        }
        engine.restore_storm(restored.storm, restored.openings, ahead_ms);
        for silence in restored.silences {
            let id = silence.id;
            if silence.ended.is_some() {
                engine.state.over.insert(id, Arc::new(silence));
            } else {
                engine.state.silences.insert(id, Standing::new(Arc::new(silence)));
                engine.arm_silence(id, now);
            }
            engine.state.arm_notices(id);
        }
        engine.index_inhibitions(now);
        engine.restore_places(restored.places, now);
        engine.restore_mirrors(restored.mirrors, ahead_ms, now);
        engine.take_pulses(restored.pulses, now);
        engine.state.up_since = now;
        let config = engine.config.clone();
        engine.state.watch_all_stale(&config);
        for (event, at, outcomes) in restored.unsettled {
            engine.recount(event, at, &outcomes);
        }
        // A silence may have begun, and the configuration changed, while no engine ran.
        if engine.lacks_configured_silences(now) || engine.state.check_quiet(&engine.config.inhibitions, now).is_err() {
            engine.state.deadlines.set(now, Wake::Review);
        }
        engine
    }

    /// Sets the deadlines of a restored incident.
    fn rearm(&mut self, id: IncidentId, now: Timestamp) {
        let Some(incident) = self.state.incidents.get(&id) else { return };
        for (index, escalation) in incident.escalations.iter().enumerate() {
            if let Some(due) = escalation.due {
                self.state.deadlines.set(due, Wake::Level { incident: id, escalation: index as u32 });
            }
        }
        if let Some(until) = incident.ack.as_ref().and_then(|ack| ack.until) {
            self.state.deadlines.set(until, Wake::AckTimeout { incident: id });
        }
        if let Some(until) = incident.snoozed_until {
            self.state.deadlines.set(until, Wake::SnoozeEnds { incident: id });
        }
        if incident.state != IncidentState::Resolved {
            self.state.groups.insert(incident);
            if let Some(flapping) = &incident.flapping {
                self.state.deadlines.set(flapping.until, Wake::Calm { incident: id });
            }
        }
        for page in &incident.pages {
            for attempt in &page.attempts {
                if let Some(at) = attempt.first_sent_at.filter(|_| attempt.message() == attempt.id)
                    && let Some(robot) = Robot::of(&self.config, page, attempt)
                {
                    self.state.queue.recall(&robot, at, now);
                }
                let message = attempt.bundling.as_ref().and_then(|it| it.message);
                if let Some(message) = message.filter(|_| attempt.state != AttemptState::Planned) {
                    self.state.messages.add(message, id, attempt.id, attempt.state);
                }
                match (attempt.state, attempt.lease_until) {
                    (AttemptState::Planned | AttemptState::Retrying, _) => {
                        self.state.deadlines.set(attempt.due, Wake::Attempt { incident: id, attempt: attempt.id });
                    }
                    (AttemptState::Sending, Some(until)) => {
                        self.state.deadlines.set(until, Wake::Lease { incident: id, attempt: attempt.id });
                        if !self.state.queue.is_flying(attempt.message()) {
                            self.state.adopted += 1;
                            self.state.queue.adopt(attempt.message(), notify::way(&self.config, page, attempt));
                        }
                    }
                    (AttemptState::Accepted, Some(until)) => {
                        self.state.deadlines.set(until, Wake::Lease { incident: id, attempt: attempt.id });
                    }
                    _ => {}
                }
            }
        }
    }

    /// The configuration in force.
    #[must_use]
    pub fn config(&self) -> &Arc<Snapshot> {
        &self.config
    }

    /// When something is due next, and why.
    #[must_use]
    pub fn next_deadline(&self) -> Option<(Timestamp, Wake)> {
        self.state.deadlines.next()
    }

    /// Decides. Everything due at `now` is done first, so that the order of events is the order of time.
    pub fn handle(&mut self, now: Timestamp, event: Event) -> Effects {
        let config = self.config.clone();
        let mut turn =
            Turn { engine: self, config, now, effects: Effects::default(), paged: BTreeSet::new(), asked: None };
        turn.wake();
        match event {
            Event::Ingested(message) => turn.ingest(message),
            Event::Acted { incident, by, act } => {
                let refused = turn.act(incident, by, act).err();
                turn.effects.refused = refused;
            }
            Event::Silence { by, act } => match turn.silence(by, act) {
                Ok(silence) => turn.effects.silence = Some(silence),
                Err(refusal) => turn.effects.refused = Some(refusal),
            },
            Event::Mirror { by, act } => match turn.mirror(by, act) {
                Ok(mirrored) => turn.effects.mirrored = mirrored,
                Err(refusal) => turn.effects.refused = Some(refusal),
            },
            Event::MirrorReported { mirror, report } => turn.mirror_reported(mirror, report),
            Event::Beat { heartbeat, signal, note } => {
                turn.effects.refused = turn.heard(&heartbeat, signal, note).err();
            }
            Event::DeliveryReceipt { incident, message, receipt, device } => {
                turn.receipt(incident, message, &receipt, device.as_ref());
            }
            Event::DeliveryFinished { incident, attempt, try_number, result } => {
                turn.finished(incident, attempt, try_number, &result);
            }
            Event::NoticeFinished { silence, attempt, try_number, result } => {
                turn.notice_finished(silence, attempt, try_number, result);
            }
            Event::Placed(places) => {
                for (alert, placement) in places {
                    turn.place(alert, &placement);
                    turn.pages_for(alert);
                }
            }
            Event::ConfigReplaced(config) => {
                turn.engine.config = config.clone();
                turn.config = config;
                turn.engine.forget_policies();
                turn.engine.state.queue.reconsider();
                turn.engine.watch_heartbeats(now, CountedBecause::Configured);
                turn.engine.state.watch_all_stale(&turn.config);
                turn.engine.state.lanes.reconsider();
                turn.storm_reconfigured();
                turn.suspects_reconfigured();
                turn.reindex();
                turn.take_configured_silences();
                // A smaller bound takes effect as deliveries end.
                turn.engine.state.adopted = turn.engine.state.adopted.max(turn.engine.state.queue.in_flight());
            }
            // Who is on call is asked anew at each level, so nothing that stands has to be looked at.
            Event::CalendarsRead(copies) => {
                turn.config = Arc::new(turn.config.with_copies(copies));
                turn.engine.config = turn.config.clone();
            }
            Event::Wake => {}
        }
        // What an event made due at once (a first level, a failed level's successor) happens in the same turn.
        turn.wake();
        turn.dispatch();
        turn.send_notices();
        turn.effects
    }

    /// What must become durable since the last call; resolved incidents leave the memory with it.
    pub fn take_changes(&mut self) -> Changes {
        self.take_changes_but_repeats(Timestamp::from_ms(i64::MAX))
    }

    /// The same, except that alerts which were only repeated, and began to be after `since`, are left for a later call.
    pub fn take_changes_but_repeats(&mut self, since: Timestamp) -> Changes {
        self.settle(since);
        let settled = self.state.repeats.settled(EventId(self.state.counters.event));
        let Dirty {
            alerts,
            incidents,
            closed,
            timeline,
            silences,
            digests,
            turns,
            pulses,
            own,
            places,
            mirrors,
            mirror_steps,
            sends,
            storm,
            mut storms,
            deliveries,
        } = std::mem::take(&mut self.state.dirty);
        let mut changed: Vec<_> =
            alerts.iter().filter_map(|id| self.state.alerts.get(id).map(|it| Alert::clone(it))).collect();
        changed.extend(closed.into_values().map(|it| *it));
        let mut moved = Vec::with_capacity(incidents.len());
        for id in incidents {
            let Some(incident) = self.state.incidents.get(&id) else { continue };
            let over = incident.state == IncidentState::Resolved
                && !incident
                    .pages
                    .iter()
                    .flat_map(|page| &page.attempts)
                    .any(|attempt| attempt.state == AttemptState::Sending);
            moved.push(incident.clone());
            if over {
                self.state.incidents.remove(&id);
            }
        }
        let known = silences.into_iter().filter_map(|id| match self.state.silences.get(&id) {
            Some(standing) => Some(standing.silence.clone()),
            None => self.state.over.get(&id).cloned(),
        });
        let silences = known.collect();
        self.state.over.retain(|_, silence| silence.is_live());
        let mirrors = self.changed_mirrors(mirrors);
        let turns = turns.into_iter().filter_map(|(policy, level)| {
            let people = self.state.turns.get(&(policy.clone(), level))?.clone();
            Some(LevelTurn { policy, level, people })
        });
        let (turns, counters) = (turns.collect(), self.state.counters);
        let pulses = pulses.iter().filter_map(|id| self.state.pulses.get(id).cloned()).collect();
        let sends = sends.into_iter().filter_map(|outlet| {
            let log = self.state.sends.get(&outlet)?.clone();
            Some(ContactSends { person: outlet.0, contact: outlet.1, log })
        });
        let sends = sends.collect();
        storms.extend(self.state.storm.as_deref().filter(|_| storm).cloned());
        Changes {
            alerts: changed,
            incidents: moved,
            timeline,
            silences,
            digests,
            turns,
            pulses,
            own,
            places,
            mirrors,
            mirror_steps,
            sends,
            storms,
            deliveries: deliveries.into_iter().collect(),
            counters,
            settled,
        }
    }

    /// Repeats join what is stored: those that waited long enough, and those whose alert or incident is stored anyway, so
    /// that the rows of an incident and of its alerts never count different messages.
    fn settle(&mut self, since: Timestamp) {
        let State { alerts, incidents, dirty, repeats, .. } = &mut self.state;
        for id in repeats.take(since) {
            dirty.alerts.insert(id);
            dirty.incidents.extend(alerts.get(&id).map(|alert| alert.incident));
        }
        for alert in dirty.alerts.iter().filter_map(|id| alerts.get(id)) {
            if repeats.written(alert.id) {
                dirty.incidents.insert(alert.incident);
            }
        }
        for id in &dirty.incidents {
            let Some(incident) = incidents.get(id) else { continue };
            for alert in &incident.alerts {
                if repeats.written(*alert) {
                    dirty.alerts.insert(*alert);
                }
            }
        }
    }

    /// Counts the repeats of a message that the stored rows lack.
    fn recount(&mut self, event: EventId, at: Timestamp, outcomes: &[Outcome]) {
        let repeated = |outcome: &Outcome| match outcome {
            Outcome::Refreshed { alert, .. } => Some(*alert),
            _ => None,
        };
        // Asked before any is counted: one message may repeat an alert twice.
        let lacking = |id: &AlertId| self.state.alerts.get(id).is_some_and(|alert| alert.last_event < event);
        let repeats: Vec<AlertId> = outcomes.iter().filter_map(repeated).filter(lacking).collect();
        for alert in repeats {
            self.state.count_repeat(alert, event, at);
        }
    }

    /// Policies of old configurations stay while an incident runs them.
    fn forget_policies(&mut self) {
        let state = &mut self.state;
        let used: BTreeSet<_> =
            state.incidents.values().flat_map(|it| &it.escalations).map(|it| (it.config, it.policy.clone())).collect();
        state.policies.retain(|key, _| used.contains(key));
    }

    pub(crate) fn remember(&mut self, until: Timestamp, what: Forgettable) {
        self.state.forget.entry(until).or_default().push(what);
        self.state.deadlines.set(until, Wake::Forget);
    }
}

/// Shortens every wait of an incident that is a length of time. A snooze ends at the hour somebody chose, and quiet hours
/// by the clock on the wall.
fn hasten(incident: &mut Incident, by_ms: i64) {
    let sooner = |at: &mut Timestamp| *at = at.plus_ms(-by_ms);
    incident.escalations.iter_mut().filter_map(|it| it.due.as_mut()).for_each(sooner);
    incident.ack.iter_mut().filter_map(|ack| ack.until.as_mut()).for_each(sooner);
    incident.flapping.iter_mut().map(|flapping| &mut flapping.until).for_each(sooner);
    incident.group.iter_mut().map(|group| &mut group.newest_at).for_each(sooner);
    let timed = incident.pages.iter_mut().filter(|page| page.waits.is_none());
    for attempt in timed.flat_map(|page| &mut page.attempts) {
        if !attempt.state.is_final() {
            sooner(&mut attempt.due);
        }
        attempt.lease_until.iter_mut().for_each(sooner);
    }
}

impl Turn<'_> {
    fn wake(&mut self) {
        while let Some((at, wake)) = self.engine.state.deadlines.pop_due(self.now) {
            match wake {
                Wake::Level { incident, escalation } => self.level_due(incident, escalation as usize, at),
                Wake::Attempt { incident, attempt } => self.attempt_due(incident, attempt, at),
                Wake::Lease { incident, attempt } => self.lease_ended(incident, attempt, at),
                Wake::AckTimeout { incident } => self.ack_ended(incident, at),
                Wake::SnoozeEnds { incident } => self.snooze_ended(incident, at),
                Wake::Calm { incident } => self.calm(incident, at),
                Wake::Bundle => self.lanes_due(),
                Wake::Storm => self.storm_calms(at),
                Wake::Silence { silence } => self.silence_due(silence),
                Wake::Mirror { mirror } => self.mirror_due(mirror),
                Wake::Notice { silence, attempt } => self.notice_due(silence, attempt, at),
                Wake::Stale { alert } => self.stale_due(alert),
                Wake::Heartbeat => self.heartbeats_due(at),
                Wake::Suspects => self.suspects_due(),
                Wake::Review => {
                    self.take_configured_silences();
                    self.review_all();
                }
                Wake::Forget => self.forget(at),
            }
        }
    }

    fn forget(&mut self, at: Timestamp) {
        for what in self.engine.state.forget.remove(&at).unwrap_or_default() {
            match what {
                Forgettable::Seen(key) => drop(self.engine.state.seen.remove(&key)),
                // Closed again since: the later deadline forgets it.
                Forgettable::Recent(key) => {
                    if self.engine.state.recent.get(&key).is_some_and(|recent| recent.closed_at.after(MEMORY) <= at) {
                        self.engine.state.recent.remove(&key);
                    }
                }
            }
        }
    }

    /// Begins a policy for an incident; its first level runs in this turn, unless its route is muted or it is kept quiet.
    pub(crate) fn start(&mut self, id: IncidentId, policy: shared::PolicyId, held_until: Option<Timestamp>) {
        let version = self.config.version;
        if let Some(plan) = self.config.policies.get(&policy) {
            self.engine.state.policies.entry((version, policy.clone())).or_insert_with(|| plan.clone());
        }
        let now = self.now;
        let plan = self.plan(version, &policy);
        let Some(incident) = self.engine.state.incidents.get_mut(&id).map(Arc::make_mut) else { return };
        let place = incident.escalations.len();
        let quiet = !incident.suppressed.is_empty();
        incident.escalations.reserve_exact(1);
        incident.escalations.push(Escalation {
            policy,
            config: version,
            state: if quiet { EscalationState::Stopped } else { EscalationState::Running },
            next_level: 0,
            again: false,
            levels: plan.levels.len() as u32,
            repeat: plan.repeat,
            cycle: 0,
            reached: false,
            due: None,
            held_until,
        });
        if quiet {
            self.missed(id);
        } else {
            self.set_due(id, place, Some(held_until.map_or(now, |held| held.max(now))));
        }
    }

    pub(crate) fn act(&mut self, id: IncidentId, by: Actor, act: Act) -> Result<(), Refusal> {
        let state = self.engine.state.incidents.get(&id).map(|incident| incident.state).ok_or(Refusal::NotOpen)?;
        if let Act::Note { text } = act {
            self.note(id, by, Happening::Note { text });
            return Ok(());
        }
        if state == IncidentState::Resolved {
            return Err(Refusal::NotOpen);
        }
        let done = match act {
            Act::Ack { until } => {
                let person = self.person_of(&by);
                self.ack(id, by, person, until)
            }
            Act::AckAs { person, until } => self.ack(id, by, Some(person), until),
            Act::StopCalls { person } => self.stop_calls(id, by, person),
            Act::Unack if matches!(state, IncidentState::Acked | IncidentState::Snoozed) => {
                self.note(id, by, Happening::Unacked);
                self.trigger_again(id);
                Ok(())
            }
            Act::Unack => Err(Refusal::NotAcked),
            Act::Resolve => {
                self.resolve(id, by);
                Ok(())
            }
            Act::Snooze { until } => self.snooze(id, by, until),
            Act::Escalate { policy, level, version } => self.escalate(id, by, policy, level, version),
            Act::Reassign { to } => self.reassign(id, by, to),
            Act::ApplyPolicy { version } => self.apply_policies(id, &by, version),
            Act::AddResponders { targets, version } => self.add_responders(id, by, &targets, version),
            Act::Merge { into, version } => self.merge(id, by, into, version),
            Act::Detach { alert, version } => self.detach(id, by, alert, version),
            Act::Note { .. } => Ok(()),
        };
        if done.is_ok()
            && let Some(incident) = self.incident(id).filter(|incident| !incident.answered)
        {
            incident.answered = true;
            self.engine.state.dirty.incidents.insert(id);
        }
        done
    }

    /// Appends to an incident's timeline.
    pub(crate) fn note(&mut self, id: IncidentId, actor: Actor, what: Happening) {
        let Some(incident) = self.engine.state.incidents.get_mut(&id).map(Arc::make_mut) else { return };
        incident.timeline += 1;
        let entry = TimelineEntry { incident: id, seq: incident.timeline, at: self.now, actor, what };
        self.engine.state.dirty.timeline.push(entry);
        self.engine.state.dirty.incidents.insert(id);
    }
}
