//! Acknowledgement and its end, snooze, and what people do with an escalation.

use crate::{
    compile::FALLBACK,
    engine::Turn,
    event::{Refusal, Wake},
};
use shared::{
    Ack, Delay, EscalationState, Incident, IncidentId, IncidentState, PersonId, PolicyId, Recipient, Severity,
    Timestamp,
    config::Policy,
    timeline::{Actor, Happening},
};
use std::sync::Arc;

impl Turn<'_> {
    pub(crate) fn incident(&mut self, id: IncidentId) -> Option<&mut Incident> {
        self.engine.state.incidents.get_mut(&id).map(Arc::make_mut)
    }

    /// Moves an escalation's only timer.
    pub(crate) fn set_due(&mut self, id: IncidentId, place: usize, due: Option<Timestamp>) {
        let wake = Wake::Level { incident: id, escalation: place as u32 };
        let Some(escalation) = self
            .engine
            .state
            .incidents
            .get_mut(&id)
            .map(Arc::make_mut)
            .and_then(|incident| incident.escalations.get_mut(place))
        else {
            return;
        };
        let before = std::mem::replace(&mut escalation.due, due);
        if let Some(before) = before {
            self.engine.state.deadlines.clear(before, wake);
        }
        if let Some(due) = due {
            self.engine.state.deadlines.set(due, wake);
        }
        self.engine.state.dirty.incidents.insert(id);
    }

    pub(crate) fn plan(&self, config: i64, policy: &PolicyId) -> Arc<Policy> {
        let kept = self.engine.state.policies.get(&(config, policy.clone()));
        kept.or_else(|| self.config.policies.get(policy))
            .or_else(|| self.config.policies.get(&PolicyId::from(FALLBACK)))
            .cloned()
            .unwrap_or_default()
    }

    /// How often an incident's policy is repeated before it only reminds.
    pub(crate) fn repeats(&self, id: IncidentId, policy: &PolicyId) -> Option<u32> {
        let escalation = self.engine.state.incidents.get(&id)?.escalations.iter().find(|it| it.policy == *policy)?;
        Some(self.plan(escalation.config, policy).repeat)
    }

    /// Stops levels, acknowledgement timers and deliveries that have not begun.
    pub(crate) fn quiet(&mut self, id: IncidentId) {
        // Whoever was told a moment ago may be told again: what they were told no longer holds.
        self.paged.retain(|(incident, _)| *incident != id);
        let Some(incident) = self.engine.state.incidents.get_mut(&id).map(Arc::make_mut) else { return };
        let ack = incident.ack.take().and_then(|ack| ack.until);
        let snooze = incident.snoozed_until.take();
        incident.everyone = None;
        let places = incident.escalations.len();
        // One that is used up stays so: triggered again, it starts over instead of going on.
        for escalation in incident.escalations.iter_mut().filter(|it| it.state == EscalationState::Running) {
            escalation.state = EscalationState::Stopped;
        }
        if let Some(until) = ack {
            self.engine.state.deadlines.clear(until, Wake::AckTimeout { incident: id });
        }
        if let Some(until) = snooze {
            self.engine.state.deadlines.clear(until, Wake::SnoozeEnds { incident: id });
        }
        for place in 0..places {
            self.set_due(id, place, None);
        }
        self.cancel_attempts(id, |_| true);
        self.engine.state.dirty.incidents.insert(id);
    }

    /// The person of the configuration an actor is, as far as their name tells.
    pub(crate) fn person_of(&self, by: &Actor) -> Option<PersonId> {
        self.config.person_of(by)
    }

    pub(crate) fn ack(
        &mut self,
        id: IncidentId,
        by: Actor,
        person: Option<PersonId>,
        until: Option<Timestamp>,
    ) -> Result<(), Refusal> {
        if until.is_some_and(|until| until <= self.now) {
            return Err(Refusal::InThePast);
        }
        let Some(incident) = self.engine.state.incidents.get(&id) else { return Err(Refusal::NotOpen) };
        if incident.state == IncidentState::Acked && until.is_none() {
            // Losing a race is a success: the row names who was first.
            self.helper_answered(id, by, person);
            return Ok(());
        }
        if self.others_must_answer(id, &by, person) {
            return Ok(());
        }
        let until = until.or_else(|| self.ack_timeout(id).map(|delay| self.now.after(delay)));
        self.quiet(id);
        let now = self.now;
        if let Some(incident) = self.incident(id) {
            incident.state = IncidentState::Acked;
            incident.ack = Some(Box::new(Ack { by: by.clone(), at: now, until }));
            incident.updated_at = now;
            incident.version += 1;
        }
        if let Some(until) = until {
            self.engine.state.deadlines.set(until, Wake::AckTimeout { incident: id });
        }
        self.note(id, by, Happening::Acked { until });
        Ok(())
    }

    /// Counts an answer where everybody must give one. While others have not, whoever answered is left alone, and the
    /// escalation goes on for the others.
    fn others_must_answer(&mut self, id: IncidentId, by: &Actor, person: Option<PersonId>) -> bool {
        let people = &self.config.people;
        let incident = self.engine.state.incidents.get_mut(&id).map(Arc::make_mut);
        let Some((incident, mut everyone)) = incident.and_then(|it| it.everyone.take().map(|everyone| (it, everyone)))
        else {
            return false;
        };
        // Nobody waits for somebody who is gone.
        everyone.missing.retain(|missing| people.contains_key(missing) && Some(missing) != person.as_ref());
        if everyone.missing.is_empty() {
            return false;
        }
        let again = person.as_ref().is_some_and(|person| everyone.answered.contains(person));
        if let Some(person) = person.as_ref().filter(|_| !again) {
            everyone.answered.push(person.clone());
        }
        let missing = everyone.missing.clone();
        incident.everyone = Some(everyone);
        if again {
            return true;
        }
        incident.updated_at = self.now;
        incident.version += 1;
        if let Some(person) = &person {
            let person = Recipient::Person(person.clone());
            self.cancel_attempts(id, |page| page.recipient == person);
        }
        self.note(id, by.clone(), Happening::Answered { person, missing });
        true
    }

    /// How long an acknowledgement holds: as the level says that ran last, or else as the severity has it.
    fn ack_timeout(&self, id: IncidentId) -> Option<Delay> {
        let incident = self.engine.state.incidents.get(&id)?;
        let by_level = |it: &shared::Escalation| {
            let plan = self.plan(it.config, &it.policy);
            let last = if it.again { it.next_level } else { it.next_level.checked_sub(1)? };
            plan.levels.get(last as usize)?.ack_timeout
        };
        let by_levels: Vec<Delay> = incident.escalations.iter().filter_map(by_level).collect();
        let paging = self.config.paging();
        let by_severity = match incident.severity {
            Severity::P0 => Some(paging.ack_timeout_p0),
            Severity::P1 => Some(paging.ack_timeout_p1),
            severity => paging.ack_timeouts.get(&severity).copied(),
        };
        let chosen = if by_levels.is_empty() { by_severity.into_iter().collect() } else { by_levels };
        chosen.into_iter().filter(|delay| *delay > Delay::ZERO).min()
    }

    pub(crate) fn ack_ended(&mut self, id: IncidentId, at: Timestamp) {
        let due = self.engine.state.incidents.get(&id).and_then(|it| it.ack.as_ref()?.until);
        if due == Some(at) {
            self.note(id, Actor::System, Happening::AckExpired);
            self.trigger_again(id);
        }
    }

    pub(crate) fn snooze(&mut self, id: IncidentId, by: Actor, until: Timestamp) -> Result<(), Refusal> {
        if until <= self.now {
            return Err(Refusal::InThePast);
        }
        self.quiet(id);
        let now = self.now;
        if let Some(incident) = self.incident(id) {
            incident.state = IncidentState::Snoozed;
            incident.snoozed_until = Some(until);
            incident.updated_at = now;
            incident.version += 1;
        }
        self.engine.state.deadlines.set(until, Wake::SnoozeEnds { incident: id });
        self.note(id, by, Happening::Snoozed { until });
        Ok(())
    }

    pub(crate) fn snooze_ended(&mut self, id: IncidentId, at: Timestamp) {
        if self.engine.state.incidents.get(&id).is_some_and(|it| it.snoozed_until == Some(at)) {
            self.note(id, Actor::System, Happening::SnoozeEnded);
            self.trigger_again(id);
        }
    }

    /// Back to triggered: each escalation goes on where it was, by running its current level again now;
    /// one that was used up starts over.
    pub(crate) fn trigger_again(&mut self, id: IncidentId) {
        self.quiet(id);
        let now = self.now;
        let Some(incident) = self.incident(id) else { return };
        incident.state = IncidentState::Triggered;
        incident.updated_at = now;
        incident.version += 1;
        if !incident.suppressed.is_empty() {
            // It goes on when it is released.
            return;
        }
        // Not before its route stops being muted.
        let starts: Vec<Timestamp> =
            incident.escalations.iter().map(|it| it.held_until.map_or(now, |held| held.max(now))).collect();
        for (place, at) in starts.into_iter().enumerate() {
            self.resume(id, place, None, at);
        }
    }

    /// Lets an escalation run again at `at`, with the level it was at or a chosen one. Asked for twice before it ran, it is
    /// still that level.
    pub(crate) fn resume(&mut self, id: IncidentId, place: usize, level: Option<u32>, at: Timestamp) {
        let Some(escalation) = self.incident(id).and_then(|incident| incident.escalations.get_mut(place)) else {
            return;
        };
        let used_up = escalation.state == EscalationState::Exhausted;
        escalation.state = EscalationState::Running;
        match level {
            Some(level) => (escalation.next_level, escalation.again) = (level, false),
            None if used_up => {
                (escalation.next_level, escalation.again) = (0, false);
                escalation.cycle = 0;
                escalation.reached = false;
            }
            None if escalation.again => {}
            None => {
                escalation.again = escalation.next_level > 0;
                escalation.next_level = escalation.next_level.saturating_sub(1);
            }
        }
        self.set_due(id, place, Some(at));
    }

    /// Escalation by hand: refused on a stale view; an acknowledged incident is triggered again.
    pub(crate) fn escalate(
        &mut self,
        id: IncidentId,
        by: Actor,
        policy: Option<PolicyId>,
        level: Option<u32>,
        version: Option<u32>,
    ) -> Result<(), Refusal> {
        let Some(incident) = self.engine.state.incidents.get(&id) else { return Err(Refusal::NotOpen) };
        if let Some(seen) = version.filter(|seen| *seen != incident.version) {
            return Err(Refusal::VersionConflict { seen, now: incident.version });
        }
        let place = match &policy {
            Some(policy) => incident.escalations.iter().position(|it| it.policy == *policy),
            None => (!incident.escalations.is_empty()).then_some(0),
        };
        let place = place.ok_or(Refusal::NoSuchPolicy)?;
        let Some(escalation) = incident.escalations.get(place) else { return Err(Refusal::NoSuchPolicy) };
        let (policy, next) = (escalation.policy.clone(), escalation.next_level);
        let levels = self.plan(escalation.config, &policy).levels.len() as u32;
        if level.is_some_and(|level| level >= levels) || levels == 0 {
            return Err(Refusal::NoSuchLevel { levels });
        }
        let chosen = level.is_some();
        let level = level.unwrap_or(if next >= levels { 0 } else { next });
        let others: Vec<usize> = (0..incident.escalations.len()).filter(|other| *other != place).collect();
        let answered = incident.state != IncidentState::Triggered;
        self.note(id, by, Happening::Escalated { policy, level });
        let now = self.now;
        if answered {
            self.quiet(id);
            for other in others {
                // The others give this one time, so that one press does not page everybody.
                self.resume(id, other, None, now.after(Delay::mins(5)));
            }
        }
        if let Some(incident) = self.incident(id) {
            incident.state = IncidentState::Triggered;
            incident.updated_at = now;
            incident.version += 1;
        }
        // Who names a level means it, whatever its conditions say.
        self.asked = chosen.then_some((id, place));
        self.resume(id, place, Some(level), now);
        Ok(())
    }

    /// The policies of the configuration in force take the place of those the incident kept. One that runs goes on at the
    /// same level with its timer; one that was used up starts over.
    pub(crate) fn apply_policies(&mut self, id: IncidentId, by: &Actor, version: Option<u32>) -> Result<(), Refusal> {
        let Some(incident) = self.engine.state.incidents.get(&id) else { return Err(Refusal::NotOpen) };
        if let Some(seen) = version.filter(|seen| *seen != incident.version) {
            return Err(Refusal::VersionConflict { seen, now: incident.version });
        }
        let rings = incident.state == IncidentState::Triggered && incident.suppressed.is_empty();
        let changed = |(place, it): (usize, &shared::Escalation)| {
            let newer = self.config.policies.get(&it.policy)?;
            (**newer != *self.plan(it.config, &it.policy)).then(|| (place, it.policy.clone(), newer.clone(), it.config))
        };
        let changed: Vec<_> = incident.escalations.iter().enumerate().filter_map(changed).collect();
        if changed.is_empty() {
            return Err(Refusal::NothingNewer);
        }
        let (now, to) = (self.now, self.config.version);
        for (place, policy, newer, from) in changed {
            let (levels, repeat) = (newer.levels.len() as u32, newer.repeat);
            self.engine.state.policies.insert((to, policy.clone()), newer);
            let Some(escalation) = self.incident(id).and_then(|it| it.escalations.get_mut(place)) else { continue };
            escalation.config = to;
            (escalation.levels, escalation.repeat) = (levels, repeat);
            escalation.next_level = escalation.next_level.min(levels);
            let used_up = escalation.state == EscalationState::Exhausted;
            self.note(id, by.clone(), Happening::PolicyApplied { policy, from, to });
            if used_up && rings {
                self.resume(id, place, None, now);
            }
        }
        if let Some(incident) = self.incident(id) {
            incident.updated_at = now;
            incident.version += 1;
        }
        Ok(())
    }
}
