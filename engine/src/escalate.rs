//! Levels, delays, repeats, acknowledgement and its end: who is told next, until somebody answers.

use crate::{
    compile::FALLBACK,
    engine::Turn,
    event::{Refusal, Wake},
    notify::Ask,
};
use shared::{
    Ack, AttemptState, Delay, EscalationState, Incident, IncidentId, IncidentState, Page, PageVia, PersonId, PolicyId,
    Recipient, Severity, Timestamp,
    config::{Policy, Target},
    timeline::{Actor, Happening, TargetResult},
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

    fn plan(&self, config: i64, policy: &PolicyId) -> Arc<Policy> {
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

    /// The next level of an escalation is due; empty levels are passed over at once.
    pub(crate) fn level_due(&mut self, id: IncidentId, place: usize, at: Timestamp) {
        loop {
            let Some(incident) = self.engine.state.incidents.get(&id) else { return };
            let Some(escalation) =
                incident.escalations.get(place).filter(|it| it.due == Some(at) || it.due == Some(self.now))
            else {
                return;
            };
            if incident.state != IncidentState::Triggered {
                return;
            }
            let (config, policy, level, cycle, reached) = (
                escalation.config,
                escalation.policy.clone(),
                escalation.next_level,
                escalation.cycle,
                escalation.reached,
            );
            let (exhausted, urgent) = (escalation.state == EscalationState::Exhausted, incident.severity.is_urgent());
            let plan = self.plan(config, &policy);
            if exhausted && urgent {
                self.remind(id, place, &plan);
                return;
            }
            if exhausted {
                // No longer urgent: the reminders end, and a rise begins them again.
                self.set_due(id, place, None);
                return;
            }
            let Some(step) = plan.levels.get(level as usize) else {
                if reached && cycle < plan.repeat {
                    self.move_to(id, place, 0, cycle + 1, false);
                    continue;
                }
                self.exhaust(id, place, &plan, reached);
                return;
            };
            let (targets, delay) = (step.notify.clone(), step.delay);
            let results = self.page_targets(id, &policy, level, cycle, &targets);
            let paged = results.iter().any(|result| !result.recipients.is_empty());
            self.move_to(id, place, level + 1, cycle, reached || paged);
            if paged {
                if let Some(incident) = self.incident(id) {
                    incident.version += 1;
                }
                self.note(id, Actor::System, Happening::LevelRan { policy, config, level, cycle, targets: results });
                self.set_due(id, place, Some(self.now.after(delay)));
                return;
            }
            self.note(id, Actor::System, Happening::LevelEmpty { policy, config, level, cycle, targets: results });
        }
    }

    fn move_to(&mut self, id: IncidentId, place: usize, level: u32, cycle: u32, reached: bool) {
        if let Some(escalation) = self.incident(id).and_then(|incident| incident.escalations.get_mut(place)) {
            escalation.next_level = level;
            escalation.cycle = cycle;
            escalation.reached = reached;
        }
        // The loop above reads the level it just moved to, so the timer stands at this turn until it is set.
        self.set_due(id, place, Some(self.now));
    }

    /// Pages everyone the targets come to now, each person once a level.
    fn page_targets(
        &mut self,
        id: IncidentId,
        policy: &PolicyId,
        level: u32,
        cycle: u32,
        targets: &[Target],
    ) -> Vec<TargetResult> {
        let mut paged: Vec<Recipient> = Vec::new();
        targets
            .iter()
            .map(|target| {
                let (found, mut skipped) = self.resolve_target(target);
                let mut recipients = Vec::new();
                for (recipient, via) in found {
                    if paged.contains(&recipient) {
                        if let Recipient::Person(person) = recipient {
                            skipped.push(shared::timeline::Skip::AlreadyPaged { person });
                        }
                        continue;
                    }
                    match self.page(id, &recipient, Ask { via, policy, level, cycle, by_hand: false }) {
                        Ok(()) => {
                            paged.push(recipient.clone());
                            recipients.push(recipient);
                        }
                        Err(skip) => skipped.push(skip),
                    }
                }
                TargetResult { target: target.to_string(), recipients, skipped }
            })
            .collect()
    }

    /// All levels and repeats are used up: never silent for P0 and P1.
    fn exhaust(&mut self, id: IncidentId, place: usize, plan: &Policy, reached: bool) {
        let reminder = self.config.paging().reminder;
        let Some(incident) = self.engine.state.incidents.get(&id) else { return };
        let urgent = incident.severity.is_urgent();
        if !reached || (urgent && !accepted_in_this_pass(incident, &plan.id)) {
            self.fall_back(id, plan, 0);
        }
        self.note(
            id,
            Actor::System,
            Happening::Exhausted { policy: plan.id.clone(), reminder_ms: urgent.then_some(reminder.0) },
        );
        if let Some(escalation) = self.incident(id).and_then(|incident| incident.escalations.get_mut(place)) {
            escalation.state = EscalationState::Exhausted;
        }
        let due = urgent.then(|| self.now.after(reminder));
        self.set_due(id, place, due);
    }

    /// Nobody was reached by the policy: the configured fallback is paged, and the log says so.
    fn fall_back(&mut self, id: IncidentId, plan: &Policy, cycle: u32) {
        let targets = self.config.document.fallback.clone();
        let mut results = Vec::new();
        for target in &targets {
            let (found, mut skipped) = self.resolve_target(target);
            let mut recipients = Vec::new();
            for (recipient, _) in found {
                let ask = Ask { via: PageVia::Fallback, policy: &plan.id, level: 0, cycle, by_hand: false };
                match self.page(id, &recipient, ask) {
                    Ok(()) => recipients.push(recipient),
                    Err(skip) => skipped.push(skip),
                }
            }
            results.push(TargetResult { target: target.to_string(), recipients, skipped });
        }
        self.note(id, Actor::System, Happening::NobodyReached { policy: plan.id.clone(), fallback: results });
    }

    /// The slow reminder: the last level that has somebody is paged again, or else the fallback.
    fn remind(&mut self, id: IncidentId, place: usize, plan: &Policy) {
        let reminder = self.config.paging().reminder;
        let mut reminded = false;
        for (level, step) in plan.levels.iter().enumerate().rev() {
            let results = self.page_targets(id, &plan.id, level as u32, plan.repeat + 1, &step.notify);
            if results.iter().any(|result| !result.recipients.is_empty()) {
                self.note(id, Actor::System, Happening::Reminded { policy: plan.id.clone(), level: level as u32 });
                reminded = true;
                break;
            }
        }
        if !reminded {
            self.fall_back(id, plan, plan.repeat + 1);
        }
        self.set_due(id, place, Some(self.now.after(reminder)));
    }

    /// The newest pages of a policy all failed: the delay of their level is not waited out.
    pub(crate) fn level_failed(&mut self, id: IncidentId, policy: &PolicyId, level: u32, asked_at: Timestamp) {
        let now = self.now;
        let Some(incident) = self.engine.state.incidents.get(&id).filter(|it| it.state == IncidentState::Triggered)
        else {
            return;
        };
        // Pages of the same level from before an acknowledgement do not speak for this run of it.
        let newest = incident.pages.iter().filter(|page| page.policy == *policy).map(|page| page.created_at).max();
        let asked: Vec<&Page> =
            incident.pages.iter().filter(|page| page.policy == *policy && page.created_at == asked_at).collect();
        let failed = |it: &shared::Attempt| matches!(it.state, AttemptState::Failed | AttemptState::Cancelled);
        if newest != Some(asked_at) || !asked.iter().all(|page| page.attempts.iter().all(failed)) {
            return;
        }
        let Some(place) = incident.escalations.iter().position(|it| it.policy == *policy) else { return };
        let Some(escalation) = incident.escalations.get(place) else { return };
        match escalation.state {
            EscalationState::Running if escalation.due.is_some_and(|due| due > now) => {
                self.note(id, Actor::System, Happening::LevelFailed { policy: policy.clone(), level });
                self.set_due(id, place, Some(now));
            }
            // A reminder that reaches nobody is no reminder.
            EscalationState::Exhausted
                if incident.severity.is_urgent() && asked.iter().all(|page| page.via != PageVia::Fallback) =>
            {
                let plan = self.plan(escalation.config, policy);
                self.note(id, Actor::System, Happening::LevelFailed { policy: policy.clone(), level });
                self.fall_back(id, &plan, plan.repeat + 1);
            }
            _ => {}
        }
    }

    /// Stops levels, acknowledgement timers and deliveries that have not begun.
    pub(crate) fn quiet(&mut self, id: IncidentId) {
        // Whoever was told a moment ago may be told again: what they were told no longer holds.
        self.paged.retain(|(incident, _)| *incident != id);
        let Some(incident) = self.engine.state.incidents.get_mut(&id).map(Arc::make_mut) else { return };
        let ack = incident.ack.take().and_then(|ack| ack.until);
        let snooze = incident.snoozed_until.take();
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

    pub(crate) fn ack(&mut self, id: IncidentId, by: Actor, until: Option<Timestamp>) -> Result<(), Refusal> {
        if until.is_some_and(|until| until <= self.now) {
            return Err(Refusal::InThePast);
        }
        let Some(incident) = self.engine.state.incidents.get(&id) else { return Err(Refusal::NotOpen) };
        if incident.state == IncidentState::Acked && until.is_none() {
            // Losing a race is a success: the row names who was first.
            return Ok(());
        }
        let until = until.or_else(|| self.ack_timeout(incident.severity).map(|delay| self.now.after(delay)));
        self.quiet(id);
        let now = self.now;
        if let Some(incident) = self.incident(id) {
            incident.state = IncidentState::Acked;
            incident.ack = Some(Ack { by: by.clone(), at: now, until });
            incident.updated_at = now;
            incident.version += 1;
        }
        if let Some(until) = until {
            self.engine.state.deadlines.set(until, Wake::AckTimeout { incident: id });
        }
        self.note(id, by, Happening::Acked { until });
        Ok(())
    }

    fn ack_timeout(&self, severity: Severity) -> Option<Delay> {
        let paging = self.config.paging();
        match severity {
            Severity::P0 => Some(paging.ack_timeout_p0),
            Severity::P1 => Some(paging.ack_timeout_p1),
            _ => None,
        }
        .filter(|delay| *delay > Delay::ZERO)
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

    /// Lets an escalation run again at `at`, with the level it was at or a chosen one.
    fn resume(&mut self, id: IncidentId, place: usize, level: Option<u32>, at: Timestamp) {
        let Some(escalation) = self.incident(id).and_then(|incident| incident.escalations.get_mut(place)) else {
            return;
        };
        let used_up = escalation.state == EscalationState::Exhausted;
        escalation.state = EscalationState::Running;
        match level {
            Some(level) => escalation.next_level = level,
            None if used_up => {
                escalation.next_level = 0;
                escalation.cycle = 0;
                escalation.reached = false;
            }
            None => escalation.next_level = escalation.next_level.saturating_sub(1),
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
        self.resume(id, place, Some(level), now);
        Ok(())
    }

    /// Pages somebody in particular; the policy goes on behind them.
    pub(crate) fn reassign(&mut self, id: IncidentId, by: Actor, to: PersonId) -> Result<(), Refusal> {
        if !self.config.people.contains_key(&to) {
            return Err(Refusal::NoSuchPerson);
        }
        let Some(incident) = self.engine.state.incidents.get(&id) else { return Err(Refusal::NotOpen) };
        let recipient = Recipient::Person(to.clone());
        if self.steps(&recipient, incident.severity, true).is_err() {
            return Err(Refusal::NoContact);
        }
        let policy = incident.escalations.first().map_or_else(|| FALLBACK.into(), |it| it.policy.clone());
        let places = incident.escalations.len();
        self.note(id, by, Happening::Reassigned { to });
        self.quiet(id);
        let now = self.now;
        if let Some(incident) = self.incident(id) {
            incident.state = IncidentState::Triggered;
            incident.updated_at = now;
            incident.version += 1;
        }
        for place in 0..places {
            self.resume(id, place, None, now.after(Delay::mins(5)));
        }
        let ask = Ask { via: PageVia::Direct, policy: &policy, level: 0, cycle: 0, by_hand: true };
        self.page(id, &recipient, ask).map_err(|_| Refusal::NoContact)
    }
}

/// Whether a provider took a page since this policy began its levels, or the level it was at, anew:
/// going back from its newest page, level and cycle fall until the pass before.
fn accepted_in_this_pass(incident: &Incident, policy: &PolicyId) -> bool {
    let mut began: Option<&Page> = None;
    for page in incident.pages.iter().rev().filter(|page| page.policy == *policy) {
        let same_pass = began.is_none_or(|after| {
            (page.cycle, page.level) < (after.cycle, after.level) || page.created_at == after.created_at
        });
        if !same_pass {
            break;
        }
        began = Some(page);
    }
    // Another policy may have paged the same people in the same turn: then its pages speak for this one.
    let began = began.map_or(Timestamp(i64::MIN), |page| page.created_at);
    let since = incident.pages.iter().filter(|page| page.created_at >= began);
    since.flat_map(|page| &page.attempts).any(|attempt| attempt.state == AttemptState::Accepted)
}
