//! Levels one after the other: whom each reaches, when the next one follows, and what comes after the last.

use crate::{
    condition::{self, Standing},
    engine::Turn,
    notify::Ask,
};
use shared::{
    AttemptState, EscalationState, Incident, IncidentId, IncidentState, Page, PageVia, PersonId, PolicyId, Recipient,
    Severity, Timestamp,
    config::{Level, Policy},
    timeline::{Actor, Happening, Skip, TargetResult, Unmet},
};

/// Somebody a level's target came to.
struct Found {
    /// Of the target among the level's.
    place: usize,
    recipient: Recipient,
    via: PageVia,
}

impl Turn<'_> {
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
            if let Some(unmet) = self.unmet(id, place, step) {
                self.move_to(id, place, level + 1, cycle, reached);
                self.note(id, Actor::System, Happening::LevelSkipped { policy, config, level, cycle, unmet });
                continue;
            }
            let delay = step.delay;
            let (results, rings) = self.page_level(id, &policy, level, cycle, step);
            let paged = results.iter().any(|result| !result.recipients.is_empty());
            self.move_to(id, place, level + 1, cycle, reached || paged);
            if paged {
                if let Some(incident) = self.incident(id) {
                    incident.version += 1;
                }
                let in_force = Some(self.config.version);
                let ran = Happening::LevelRan { policy, config, level, cycle, targets: results, in_force };
                self.note(id, Actor::System, ran);
                // A level all of whose pages wait counts from when the first one rings.
                self.set_due(id, place, Some(rings.unwrap_or(self.now).after(delay)));
                return;
            }
            let in_force = Some(self.config.version);
            let empty = Happening::LevelEmpty { policy, config, level, cycle, targets: results, in_force };
            self.note(id, Actor::System, empty);
        }
    }

    /// The condition of a level that does not hold now; somebody who named this level is not asked for it.
    fn unmet(&mut self, id: IncidentId, place: usize, level: &Level) -> Option<Unmet> {
        if self.asked.take_if(|asked| *asked == (id, place)).is_some() || level.when.is_empty() {
            return None;
        }
        self.unmet_now(id, level)
    }

    fn unmet_now(&self, id: IncidentId, level: &Level) -> Option<Unmet> {
        let incident = self.engine.state.incidents.get(&id)?;
        let standing = Standing { severity: incident.severity, firing: incident.firing, now: self.now };
        condition::unmet(&level.when, standing, &self.config.windows)
    }

    fn move_to(&mut self, id: IncidentId, place: usize, level: u32, cycle: u32, reached: bool) {
        if let Some(escalation) = self.incident(id).and_then(|incident| incident.escalations.get_mut(place)) {
            escalation.next_level = level;
            escalation.again = false;
            escalation.cycle = cycle;
            escalation.reached = reached;
        }
        // The loop above reads the level it just moved to, so the timer stands at this turn until it is set.
        self.set_due(id, place, Some(self.now));
    }

    /// Whom a level's targets come to now, in the order they are asked, and what each target says.
    fn candidates(
        &self,
        policy: &PolicyId,
        level: u32,
        step: &Level,
        severity: Severity,
    ) -> (Vec<Found>, Vec<TargetResult>) {
        let mut results = Vec::with_capacity(step.notify.len());
        let mut found: Vec<Found> = Vec::new();
        for (place, target) in step.notify.iter().enumerate() {
            let (recipients, mut skipped) = self.resolve_target(target);
            for (recipient, via) in recipients {
                let stand_in = self.stand_in(&recipient, severity);
                found.push(match stand_in {
                    Some((person, to)) => {
                        skipped.push(Skip::HandedOver { person: person.clone(), to: to.clone() });
                        Found { place, recipient: Recipient::Person(to), via: PageVia::StandIn { person } }
                    }
                    None => Found { place, recipient, via },
                });
            }
            results.push(TargetResult { target: target.to_string(), recipients: Vec::new(), skipped });
        }
        if step.round_robin {
            let turns = self.engine.state.turns.get(&(policy.clone(), level));
            let latest = |person: &PersonId| turns.and_then(|it| it.iter().position(|known| known == person));
            // Who must be waited for comes last, who never had a turn first; equal ones in the order they are written.
            found.sort_by_key(|it| match &it.recipient {
                Recipient::Person(person) => {
                    (self.waits(&it.recipient, severity, false, &it.via).is_some(), latest(person))
                }
                Recipient::Webhook(_) => (false, None),
            });
        }
        (found, results)
    }

    /// Who would be paged now if it were not kept quiet: the people of the next level that reaches anybody, or else of
    /// the fallback.
    pub(crate) fn would_page(&self, id: IncidentId, place: usize) -> Vec<PersonId> {
        let Some(incident) = self.engine.state.incidents.get(&id).filter(|it| it.state == IncidentState::Triggered)
        else {
            return Vec::new();
        };
        let Some(escalation) = incident.escalations.get(place) else { return Vec::new() };
        let plan = self.plan(escalation.config, &escalation.policy);
        let people = |found: Vec<Recipient>, most: usize| {
            let reached = found.into_iter().filter(|to| self.steps(to, incident.severity, false).is_ok());
            reached.take(most).collect::<Vec<_>>()
        };
        let levels = plan.levels.iter().enumerate().skip(escalation.next_level as usize);
        let meant = levels.filter(|(_, step)| step.when.is_empty() || self.unmet_now(id, step).is_none());
        let mut reached = meant.map(|(level, step)| {
            let (found, _) = self.candidates(&escalation.policy, level as u32, step, incident.severity);
            people(found.into_iter().map(|it| it.recipient).collect(), if step.round_robin { 1 } else { usize::MAX })
        });
        let found = reached.find(|found| !found.is_empty()).unwrap_or_else(|| {
            let targets = self.config.document.fallback.iter();
            people(targets.flat_map(|target| self.resolve_target(target).0).map(|(to, _)| to).collect(), usize::MAX)
        });
        let person = |to| match to {
            Recipient::Person(person) => Some(person),
            Recipient::Webhook(_) => None,
        };
        found.into_iter().filter_map(person).collect()
    }

    /// Pages everyone the targets come to now, each person once a level; in a level that pages one at a time, the first
    /// in turn who can be reached. Says also when the first of them is rung. What is urgent does not count whoever must be
    /// waited for.
    fn page_level(
        &mut self,
        id: IncidentId,
        policy: &PolicyId,
        level: u32,
        cycle: u32,
        step: &Level,
    ) -> (Vec<TargetResult>, Option<Timestamp>) {
        let Some(severity) = self.engine.state.incidents.get(&id).map(|it| it.severity) else {
            return (Vec::new(), None);
        };
        let (found, mut results) = self.candidates(policy, level, step, severity);
        let mut paged: Vec<Recipient> = Vec::new();
        let (mut taken, mut rings) = (false, None);
        for Found { place, recipient, via } in found {
            let Some(result) = results.get_mut(place) else { continue };
            if let Recipient::Person(person) = &recipient {
                let skip = if self.has_answered(id, person) {
                    Some(Skip::Answered { person: person.clone() })
                } else if paged.contains(&recipient) {
                    Some(Skip::AlreadyPaged { person: person.clone() })
                } else if taken {
                    let waits = self.waits(&recipient, severity, false, &via);
                    Some(match waits {
                        Some(waits) => Skip::Waits { person: person.clone(), waits },
                        None => Skip::OthersTurn { person: person.clone() },
                    })
                } else {
                    None
                };
                if let Some(skip) = skip {
                    result.skipped.push(skip);
                    continue;
                }
            } else if paged.contains(&recipient) {
                continue;
            }
            match self.page(id, &recipient, Ask { via, policy, level, cycle, by_hand: false }) {
                Ok(waits) => {
                    if let (true, Recipient::Person(person)) = (step.round_robin, &recipient) {
                        taken = true;
                        self.had_turn(policy, level, person);
                    }
                    paged.push(recipient.clone());
                    match (waits, &recipient) {
                        (Some(waits), Recipient::Person(person)) if severity.is_urgent() => {
                            result.skipped.push(Skip::Waits { person: person.clone(), waits });
                        }
                        _ => {
                            let at = waits.map_or(self.now, |waits| waits.until);
                            rings = Some(rings.map_or(at, |first: Timestamp| first.min(at)));
                            result.recipients.push(recipient);
                        }
                    }
                }
                Err(skip) => result.skipped.push(skip),
            }
        }
        if step.everyone {
            self.wait_for(id, &paged);
        }
        (results, rings)
    }

    /// Who is paged for what is urgent in place of somebody with quiet hours: only one who can be rung now.
    fn stand_in(&self, recipient: &Recipient, severity: Severity) -> Option<(PersonId, PersonId)> {
        let Recipient::Person(person) = recipient else { return None };
        let quiet = self.config.quiet.get(person).filter(|it| severity.is_urgent() && it.has_quiet_hours(self.now))?;
        let to = quiet.hand_over_to.as_ref()?;
        let rests = self.config.quiet.get(to).is_some_and(|it| it.has_quiet_hours(self.now));
        let reachable = self.steps(&Recipient::Person(to.clone()), severity, false).is_ok();
        (reachable && !rests).then(|| (person.clone(), to.clone()))
    }

    fn has_answered(&self, id: IncidentId, person: &PersonId) -> bool {
        let everyone = self.engine.state.incidents.get(&id).and_then(|incident| incident.everyone.as_ref());
        everyone.is_some_and(|everyone| everyone.answered.contains(person))
    }

    /// From now on each of these must answer.
    fn wait_for(&mut self, id: IncidentId, paged: &[Recipient]) {
        let people = paged.iter().filter_map(|recipient| match recipient {
            Recipient::Person(person) => Some(person),
            Recipient::Webhook(_) => None,
        });
        let people: Vec<&PersonId> = people.collect();
        let Some(incident) = self.incident(id).filter(|_| !people.is_empty()) else { return };
        let everyone = incident.everyone.get_or_insert_default();
        for person in people {
            if !everyone.missing.contains(person) {
                everyone.missing.push(person.clone());
            }
        }
    }

    /// Remembers that somebody had a turn; who is no longer configured is forgotten.
    fn had_turn(&mut self, policy: &PolicyId, level: u32, person: &PersonId) {
        let key = (policy.clone(), level);
        let turns = self.engine.state.turns.entry(key.clone()).or_default();
        turns.retain(|known| known != person && self.config.people.contains_key(known));
        turns.push(person.clone());
        self.engine.state.dirty.turns.insert(key);
    }

    /// All levels and repeats are used up: never silent for P0 and P1.
    fn exhaust(&mut self, id: IncidentId, place: usize, plan: &Policy, reached: bool) {
        let reminder = self.config.paging().reminder;
        let Some(urgent) = self.engine.state.incidents.get(&id).map(|it| it.severity.is_urgent()) else { return };
        // A policy that means nobody now, by its own conditions, wakes nobody else for what is not urgent.
        let meant = urgent || plan.levels.iter().any(|level| self.unmet_now(id, level).is_none());
        let Some(incident) = self.engine.state.incidents.get(&id) else { return };
        if (!reached && meant) || (urgent && !accepted_in_this_pass(incident, &plan.id)) {
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

    /// Nobody was reached by the policy: the configured fallback is paged, and the log says so. Where that is nobody either,
    /// it is known at once that nobody is left.
    fn fall_back(&mut self, id: IncidentId, plan: &Policy, cycle: u32) {
        let targets = self.config.document.fallback.clone();
        let mut results = Vec::new();
        for target in &targets {
            let (found, mut skipped) = self.resolve_target(target);
            let mut recipients = Vec::new();
            for (recipient, _) in found {
                let ask = Ask { via: PageVia::Fallback, policy: &plan.id, level: 0, cycle, by_hand: false };
                match self.page(id, &recipient, ask) {
                    Ok(_) => recipients.push(recipient),
                    Err(skip) => skipped.push(skip),
                }
            }
            results.push(TargetResult { target: target.to_string(), recipients, skipped });
        }
        let in_force = Some(self.config.version);
        let nobody = Happening::NobodyReached { policy: plan.id.clone(), fallback: results, in_force };
        self.note(id, Actor::System, nobody);
        let Some(incident) = self.engine.state.incidents.get(&id).filter(|it| it.severity.is_urgent()) else { return };
        if incident.pages.iter().flat_map(|page| &page.attempts).all(|it| it.state.is_lost()) {
            self.note(id, Actor::System, Happening::Unreached { policy: plan.id.clone() });
        }
    }

    /// The slow reminder: the last level that has somebody is paged again, or else the fallback.
    fn remind(&mut self, id: IncidentId, place: usize, plan: &Policy) {
        let reminder = self.config.paging().reminder;
        let mut reminded = false;
        let awaited = self.engine.state.incidents.get(&id).is_some_and(|incident| incident.everyone.is_some());
        let mut levels: Vec<(usize, &Level)> = plan.levels.iter().enumerate().rev().collect();
        // Those whose answer is missing come first.
        levels.sort_by_key(|(_, step)| !(awaited && step.everyone));
        for (level, step) in levels {
            if self.unmet_now(id, step).is_some() {
                continue;
            }
            let (results, _) = self.page_level(id, &plan.id, level as u32, plan.repeat + 1, step);
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
        let newest = pages_of(incident, policy).map(|page| page.created_at).max();
        // One that waits for the morning does not make up for those that were to ring now.
        let waits = |page: &Page| page.waits.as_ref().is_some_and(|waits| waits.until > now);
        let asked: Vec<&Page> =
            pages_of(incident, policy).filter(|page| page.created_at == asked_at && !waits(page)).collect();
        let failed =
            |page: &Page, it: &shared::Attempt| it.state.is_lost() || self.is_silent(incident.severity, page, it);
        if newest != Some(asked_at) || !asked.iter().all(|page| page.attempts.iter().all(|it| failed(page, it))) {
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
            EscalationState::Exhausted if incident.severity.is_urgent() => {
                self.note(id, Actor::System, Happening::Unreached { policy: policy.clone() });
            }
            _ => {}
        }
    }
}

/// What a policy asked for; those who help were asked by somebody.
fn pages_of<'a>(incident: &'a Incident, policy: &PolicyId) -> impl DoubleEndedIterator<Item = &'a Page> {
    incident.pages.iter().filter(move |page| page.policy == *policy && !page.via.is_beside())
}

/// Whether a provider took a page since this policy began its levels, or the level it was at, anew:
/// going back from its newest page, level and cycle fall until the pass before.
fn accepted_in_this_pass(incident: &Incident, policy: &PolicyId) -> bool {
    let mut began: Option<&Page> = None;
    for page in pages_of(incident, policy).rev() {
        let same_pass = began.is_none_or(|after| {
            (page.cycle, page.level) < (after.cycle, after.level) || page.created_at == after.created_at
        });
        if !same_pass {
            break;
        }
        began = Some(page);
    }
    // Another policy may have paged the same people in the same turn: then its pages speak for this one.
    let began = began.map_or(Timestamp::from_ms(i64::MIN), |page| page.created_at);
    let since = incident.pages.iter().filter(|page| page.created_at >= began);
    since.flat_map(|page| &page.attempts).any(|attempt| attempt.state == AttemptState::Accepted)
}
