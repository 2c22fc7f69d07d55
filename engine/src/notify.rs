//! Pages and their deliveries: whom a target comes to now, by which contacts, and what a failed try leads to.

use crate::{
    allowance::Robot,
    bundle::find,
    compile::{FALLBACK, RuleChoice, Snapshot, rule_for},
    dispatch::Way,
    engine::Turn,
    event::{Refusal, Wake},
    proof::patience,
};
use shared::{
    Attempt, AttemptId, AttemptState, ContactId, Delay, Failure, Fault, Incident, IncidentId, OnCall, Page, PageId,
    PageVia, PersonId, PolicyId, Recipient, Severity, SharedStr, ThinVec, Timestamp, Waits,
    config::{ContactKind, Paging, Person, Target},
    timeline::{Actor, Happening, PlannedAttempt, Skip},
};
use siphasher::sip::SipHasher13;
use std::hash::Hasher;
use std::sync::Arc;

/// Pages an incident carries with it; the timeline keeps the record of all of them.
const PAGES_MAX: usize = 200;

/// Urgent alerts that no route claims page the fallback; others are shown on the board.
pub(crate) fn policies_or_fallback(policies: Vec<PolicyId>, severity: Severity) -> Vec<PolicyId> {
    if policies.is_empty() && severity.is_urgent() { vec![FALLBACK.into()] } else { policies }
}

/// What a delivery occupies.
pub(crate) fn way(config: &Snapshot, page: &Page, attempt: &Attempt) -> Way {
    Way { target: target_key(config, page, attempt), robot: Robot::of(config, page, attempt) }
}

fn target_key(config: &Snapshot, page: &Page, attempt: &Attempt) -> String {
    if attempt.channel != ContactKind::Webhook {
        return attempt.channel.as_str().to_owned();
    }
    let url = match &page.recipient {
        Recipient::Webhook(hook) => config.hooks.get(hook).map(|hook| hook.url.as_str()),
        Recipient::Person(person) => config
            .people
            .get(person)
            .and_then(|person| person.contacts.iter().find(|contact| contact.id == attempt.contact))
            .and_then(|contact| contact.webhook.as_deref()),
    };
    let host = url.and_then(|url| url.split("://").nth(1)?.split(['/', '?', '#']).next());
    format!("webhook {}", host.unwrap_or_default())
}

/// How long to wait before the next try: doubled each time, spread between half and one and a half by a
/// hash, so that a run replays and a thousand failed tries do not come back together.
#[must_use]
pub(crate) fn retry_delay(paging: &Paging, attempt: AttemptId, tries: u32) -> Delay {
    let doubled = paging.retry_after.0.saturating_mul(1 << tries.saturating_sub(1).min(16));
    let mut hasher = SipHasher13::new_with_keys(0x746f_6373_696e, 0x6a69_7474_6572);
    hasher.write_i64(attempt.0);
    hasher.write_u32(tries);
    let per_mille = 500 + (hasher.finish() % 1_001) as i64;
    Delay(doubled.saturating_mul(per_mille) / 1_000)
}

/// What a page is made for.
pub(crate) struct Ask<'a> {
    pub(crate) via: PageVia,
    pub(crate) policy: &'a PolicyId,
    pub(crate) level: u32,
    pub(crate) cycle: u32,
    /// Somebody named this recipient, not a policy.
    pub(crate) by_hand: bool,
}

impl Turn<'_> {
    /// Whom a target comes to at this instant, and why nobody.
    pub(crate) fn resolve_target(&self, target: &Target) -> (Vec<(Recipient, PageVia)>, Vec<Skip>) {
        let gone = || (Vec::new(), vec![Skip::Gone]);
        match target {
            Target::Person(id) if self.config.people.contains_key(id) => {
                (vec![(Recipient::Person(id.clone()), PageVia::Direct)], Vec::new())
            }
            Target::Webhook(id) if self.config.hooks.contains_key(id) => {
                (vec![(Recipient::Webhook(id.clone()), PageVia::Direct)], Vec::new())
            }
            Target::Person(_) | Target::Webhook(_) => gone(),
            Target::Schedule(id) => {
                let Some(roster) = self.config.rosters.get(id) else { return gone() };
                let duties = roster.at(self.now);
                if duties.is_empty() {
                    return (Vec::new(), vec![Skip::NobodyOnCall]);
                }
                let via = |duty: &crate::oncall::Duty| {
                    let (over, replaces) = crate::oncall::covering(&duty.reason);
                    PageVia::Schedule(Box::new(OnCall {
                        schedule: id.clone(),
                        until: Some(duty.until),
                        over,
                        replaces: replaces.cloned(),
                        reason: Some(Box::new(duty.reason.clone())),
                    }))
                };
                (duties.iter().map(|duty| (Recipient::Person(duty.person.clone()), via(duty))).collect(), Vec::new())
            }
            Target::Team(id) => {
                let Some(team) = self.config.teams.get(id) else { return gone() };
                if team.members.is_empty() {
                    return (Vec::new(), vec![Skip::EmptyTeam]);
                }
                let members = team
                    .members
                    .iter()
                    .map(|person| (Recipient::Person(person.clone()), PageVia::Team { team: id.clone() }));
                (members.collect(), Vec::new())
            }
        }
    }

    /// Until when a page waits; somebody who was asked for by name, and a fallback for what is urgent, does not wait.
    pub(crate) fn waits(&self, to: &Recipient, severity: Severity, by_hand: bool, via: &PageVia) -> Option<Waits> {
        let Recipient::Person(person) = to else { return None };
        if by_hand || (*via == PageVia::Fallback && severity.is_urgent()) {
            return None;
        }
        self.config.quiet.get(person)?.waits(severity, self.now)
    }

    /// Makes a page: plans a delivery for each contact the recipient's rules name, and says until when they wait. Somebody
    /// another policy paged for this incident in the same turn is not paged twice.
    pub(crate) fn page(&mut self, id: IncidentId, to: &Recipient, ask: Ask<'_>) -> Result<Option<Waits>, Skip> {
        let Ask { via, policy, level, cycle, by_hand } = ask;
        let now = self.now;
        let Some(incident) = self.engine.state.incidents.get(&id) else { return Err(Skip::Gone) };
        let waits = self.waits(to, incident.severity, by_hand, &via);
        let config = incident.escalations.iter().find(|it| it.policy == *policy).map(|it| it.config);
        if self.paged.contains(&(id, to.clone())) {
            return Ok(waits);
        }
        // One that waits for the same is enough.
        let there = |page: &Page| page.recipient == *to && page.waits.as_deref() == waits.as_ref() && page.is_waiting();
        if waits.is_some() && incident.pages.iter().any(there) {
            return Ok(waits);
        }
        let from = waits.map_or(now, |waits| waits.until);
        let no_calls = incident.pages.iter().any(|page| page.no_calls && page.recipient == *to);
        let (rule, mut steps) = self.steps(to, incident.severity, by_hand)?;
        if no_calls {
            steps.retain(|(_, kind, _)| *kind != ContactKind::Voice);
        }
        if let (true, Recipient::Person(person)) = (steps.is_empty(), to) {
            return Err(Skip::NoContact { person: person.clone() });
        }
        self.paged.insert((id, to.clone()));
        self.cancel_attempts(id, |page| page.recipient == *to);
        let page_id = self.engine.state.counters.next_page();
        let mut attempts = ThinVec::with_capacity(steps.len());
        let mut plan = Vec::new();
        for (contact, channel, after) in steps {
            let attempt = self.engine.state.counters.next_attempt();
            let due = from.after(after);
            self.engine.state.deadlines.set(due, Wake::Attempt { incident: id, attempt });
            plan.push(PlannedAttempt { attempt, contact: contact.clone(), channel, after_ms: after.0 });
            attempts.push(Attempt::planned(attempt, contact, channel, due));
        }
        let page = Page {
            id: page_id,
            recipient: to.clone(),
            via: via.clone(),
            policy: policy.clone(),
            level,
            cycle,
            rule,
            created_at: now,
            waits: waits.map(Box::new),
            by_hand,
            no_calls,
            attempts,
        };
        if let Some(incident) = self.engine.state.incidents.get_mut(&id).map(Arc::make_mut) {
            let settled = |page: &Page| page.attempts.iter().all(|attempt| attempt.state.is_final());
            if incident.pages.len() >= PAGES_MAX
                && let Some(oldest) = incident.pages.iter().position(settled)
            {
                incident.pages.remove(oldest);
            }
            // A hundred thousand incidents with one page each: the usual room for four would be most of the memory.
            incident.pages.reserve_exact(1);
            incident.pages.push(page);
        }
        self.note(
            id,
            Actor::System,
            Happening::Paged {
                page: page_id,
                recipient: to.clone(),
                via,
                policy: policy.clone(),
                level,
                rule,
                plan,
                waits,
                config,
                in_force: Some(self.config.version),
            },
        );
        Ok(waits)
    }

    /// Which contacts a recipient is reached by, how, and how long after the page.
    /// Somebody asked for by hand is reached even where their rules name nothing for the severity.
    pub(crate) fn steps(
        &self,
        to: &Recipient,
        severity: Severity,
        by_hand: bool,
    ) -> Result<(Option<u32>, Vec<Step>), Skip> {
        let id = match to {
            Recipient::Webhook(hook) => {
                let kind = self.config.hooks.get(hook).ok_or(Skip::Gone)?.kind;
                return Ok((None, vec![(ContactId(hook.0.clone()), kind, Delay::ZERO)]));
            }
            Recipient::Person(id) => id,
        };
        let Some(person) = self.config.people.get(id) else { return Err(Skip::Gone) };
        let (rule, steps) = match rule_for(person, severity) {
            RuleChoice::Nothing if !by_hand => return Err(Skip::NoRule { person: id.clone() }),
            RuleChoice::Nothing | RuleChoice::AllContacts => {
                (None, person.contacts.iter().filter_map(|it| step(person, &it.id, Delay::ZERO)).collect::<Vec<_>>())
            }
            RuleChoice::Rule(index, rule) => {
                (Some(index as u32), rule.notify.iter().filter_map(|it| step(person, &it.contact, it.after)).collect())
            }
        };
        if steps.is_empty() { Err(Skip::NoContact { person: id.clone() }) } else { Ok((rule, steps)) }
    }

    /// The provider did not answer in time. It may have taken the page, so the next try uses the same key. Or it took it,
    /// and nothing says that anybody saw it.
    pub(crate) fn lease_ended(&mut self, id: IncidentId, attempt: AttemptId, at: Timestamp) {
        self.unproven(id, attempt, at);
        let Some((_, found)) = self.attempt_mut(id, attempt) else { return };
        if found.state == AttemptState::Sending && found.lease_until == Some(at) {
            let try_number = found.tries;
            let detail = "no answer came before the lease ended; the page may have arrived".to_owned();
            let failure =
                Failure { permanent: false, ambiguous: true, detail, retry_after_ms: None, fault: Fault::Unknown };
            self.delivered(id, attempt, try_number, Err(failure));
        }
    }

    /// A message came to its end, and with it the deliveries in it.
    pub(crate) fn finished(
        &mut self,
        id: IncidentId,
        attempt: AttemptId,
        try_number: u32,
        result: &Result<Option<String>, Failure>,
    ) {
        let account = self.account_of(id, attempt);
        for (id, attempt) in self.engine.state.messages.members(id, attempt) {
            self.delivered(id, attempt, try_number, result.clone());
        }
        if let Some(account) = account {
            self.provider_answered(&account, result.as_ref().map(drop));
        }
    }

    /// A delivery came to its end. A late acceptance counts; a late failure of an earlier try does not.
    pub(crate) fn delivered(
        &mut self,
        id: IncidentId,
        attempt: AttemptId,
        try_number: u32,
        result: Result<Option<String>, Failure>,
    ) {
        let now = self.now;
        let Some((_, found)) = self.attempt_mut(id, attempt) else { return };
        let current = found.state == AttemptState::Sending && found.tries == try_number;
        // It stands on a screen: the answer was lost, or wrong.
        let result = if result.is_err() && current && found.is_shown() { Ok(None) } else { result };
        match result {
            Err(failure) if current => self.try_failed(id, attempt, failure),
            Err(_) => {}
            Ok(_) if matches!(found.state, AttemptState::Accepted | AttemptState::Failed) => {}
            // It had left the message before this try.
            Ok(_) if found.tries < try_number => {}
            Ok(provider_id) => {
                let (due, lease) = (found.due, found.lease_until.take());
                found.state = AttemptState::Accepted;
                found.finished_at = Some(now);
                found.failure = None;
                if let Some(provider_id) = provider_id {
                    found.proof.get_or_insert_default().provider_id = Some(SharedStr::from(provider_id));
                }
                self.settle(id, attempt, due, lease);
                self.delivery(id, attempt);
                self.await_proof(id, attempt);
            }
        }
    }

    /// Takes a delivery out of every index.
    fn settle(&mut self, id: IncidentId, attempt: AttemptId, due: Timestamp, lease: Option<Timestamp>) {
        self.engine.state.deadlines.clear(due, Wake::Attempt { incident: id, attempt });
        if let Some(lease) = lease {
            self.engine.state.deadlines.clear(lease, Wake::Lease { incident: id, attempt });
        }
        let state = &mut self.engine.state;
        let found = state.incidents.get(&id).and_then(|it| find(&it.pages, attempt));
        let over = found.is_none_or(|(_, found)| found.state.is_final());
        state.messages.leave(&mut state.queue, attempt, over);
        state.dirty.incidents.insert(id);
        state.dirty.deliveries.insert((id, attempt));
    }

    pub(crate) fn try_failed(&mut self, id: IncidentId, attempt: AttemptId, failure: Failure) {
        let now = self.now;
        let paging = self.config.paging().clone();
        let incident = self.engine.state.incidents.get(&id);
        // A newer page to the same recipient has its own deliveries; retrying both would ring twice.
        let wanted = incident.is_some_and(|it| {
            find(&it.pages, attempt).is_some_and(|(page, _)| self.may_ring(id, page)) && !is_superseded(it, attempt)
        });
        let Some((page, found)) = self.attempt_mut(id, attempt) else { return };
        let pause = retry_delay(&paging, found.message(), found.tries).0.max(failure.retry_after_ms.unwrap_or(0));
        let next = now.plus_ms(pause);
        let last = found.first_sent_at.unwrap_or(now).after(paging.give_up_after);
        let over = failure.permanent || found.tries >= paging.tries || next > last;
        let (due, lease) = (found.due, found.lease_until.take());
        let (first, is_again) = (found.first_sent_at.unwrap_or(now), found.tries > 1);
        found.failure = Some(Box::new(failure));
        found.state = match (wanted, over) {
            (_, true) => AttemptState::Failed,
            (false, false) => AttemptState::Cancelled,
            (true, false) => AttemptState::Retrying,
        };
        if found.state == AttemptState::Retrying {
            found.due = next;
        } else {
            found.finished_at = Some(now);
        }
        let state = found.state;
        self.settle(id, attempt, due, lease);
        if state == AttemptState::Retrying {
            self.engine.state.deadlines.set(next, Wake::Attempt { incident: id, attempt });
        }
        self.delivery(id, attempt);
        match state {
            AttemptState::Failed if wanted => self.after_failure(id, page),
            // Once: when it first turns out that the next try could come too late to be seen in time.
            AttemptState::Retrying
                if self.is_late(id, page, first, next) && !(is_again && self.is_late(id, page, first, due)) =>
            {
                self.pull_forward(id, page);
            }
            _ => {}
        }
    }

    /// Whether a try at `due` may not be known to be taken within the time in which a page that matters is to be seen.
    fn is_late(&self, id: IncidentId, page: PageId, first: Timestamp, due: Timestamp) -> bool {
        let Some(incident) = self.engine.state.incidents.get(&id) else { return false };
        let Some(page) = incident.pages.iter().find(|it| it.id == page) else { return false };
        let paging = self.config.paging();
        let bound = patience(paging, incident.severity, true);
        !page.is_shown() && bound.is_some_and(|bound| due.after(paging.lease) > first.after(bound))
    }

    /// A contact is out: the page's next one is tried now; with none left, the level is over.
    pub(crate) fn after_failure(&mut self, id: IncidentId, page: PageId) {
        if self.pull_forward(id, page) {
            return;
        }
        let incident = self.engine.state.incidents.get(&id);
        let Some(page) = incident.and_then(|it| it.pages.iter().find(|it| it.id == page)) else { return };
        let (policy, level, asked_at) = (page.policy.clone(), page.level, page.created_at);
        if !page.via.is_beside() {
            self.level_failed(id, &policy, level, asked_at);
        }
    }

    /// Tries a page's next contact now; whether there is one.
    fn pull_forward(&mut self, id: IncidentId, page: PageId) -> bool {
        let now = self.now;
        let Some(page) = self
            .engine
            .state
            .incidents
            .get_mut(&id)
            .map(Arc::make_mut)
            .and_then(|it| it.pages.iter_mut().find(|it| it.id == page))
        else {
            return false;
        };
        let page_id = page.id;
        let next = page
            .attempts
            .iter_mut()
            .filter(|it| it.state == AttemptState::Planned && it.due > now)
            .min_by_key(|it| (it.due, it.id));
        let Some(next) = next else { return false };
        let (attempt, contact) = (next.id, next.contact.clone());
        let before = std::mem::replace(&mut next.due, now);
        self.engine.state.deadlines.clear(before, Wake::Attempt { incident: id, attempt });
        self.engine.state.deadlines.set(now, Wake::Attempt { incident: id, attempt });
        self.note(id, Actor::System, Happening::PulledForward { page: page_id, attempt, contact });
        true
    }

    /// Gives up deliveries that have not begun; one under way ends by itself and is recorded.
    pub(crate) fn cancel_attempts(&mut self, id: IncidentId, of: impl Fn(&Page) -> bool) {
        let over: Vec<PageId> = self.engine.state.incidents.get(&id).map_or_else(Vec::new, |incident| {
            incident.pages.iter().filter(|page| of(page)).map(|page| page.id).collect()
        });
        self.stop_awaiting(id, |page| over.contains(&page));
        self.cancel_some(id, |page, _| of(page));
    }

    /// This person is not called again about an incident; whatever else reaches them stays.
    pub(crate) fn stop_calls(&mut self, id: IncidentId, by: Actor, person: PersonId) -> Result<(), Refusal> {
        let recipient = Recipient::Person(person.clone());
        let Some(incident) = self.incident(id) else { return Err(Refusal::NotOpen) };
        let mut new = false;
        for page in incident.pages.iter_mut().filter(|page| page.recipient == recipient) {
            new |= !std::mem::replace(&mut page.no_calls, true);
        }
        if new {
            self.cancel_some(id, |page, attempt| page.recipient == recipient && attempt.channel == ContactKind::Voice);
            self.note(id, by, Happening::CallsStopped { person });
        }
        Ok(())
    }

    fn cancel_some(&mut self, id: IncidentId, of: impl Fn(&Page, &Attempt) -> bool) {
        let now = self.now;
        let mut given_up = 0;
        let state = &mut self.engine.state;
        let Some(incident) = state.incidents.get_mut(&id).map(Arc::make_mut) else { return };
        for page in &mut incident.pages {
            let recipient = page.recipient.clone();
            let waiting = |it: &Attempt| matches!(it.state, AttemptState::Planned | AttemptState::Retrying);
            let meant: Vec<AttemptId> =
                page.attempts.iter().filter(|it| waiting(it) && of(page, it)).map(|it| it.id).collect();
            for attempt in page.attempts.iter_mut().filter(|it| meant.contains(&it.id)) {
                let wake = Wake::Attempt { incident: id, attempt: attempt.id };
                let was_due = !state.deadlines.contains(attempt.due, wake);
                given_up += u64::from(was_due && attempt.state == AttemptState::Planned);
                attempt.state = AttemptState::Cancelled;
                attempt.finished_at = Some(now);
                state.deadlines.clear(attempt.due, wake);
                let outlet = (recipient.clone(), attempt.contact.clone());
                state.lanes.remove(&outlet, attempt.id, &mut state.queue);
                state.messages.leave(&mut state.queue, attempt.id, true);
                state.dirty.incidents.insert(id);
                state.dirty.deliveries.insert((id, attempt.id));
            }
        }
        if given_up > 0 {
            self.count(|storm| storm.deliveries.cancelled += given_up);
        }
    }

    /// Writes a delivery's newest state into the timeline.
    pub(crate) fn delivery(&mut self, id: IncidentId, attempt: AttemptId) {
        let now = self.now;
        let Some((page, found)) = self.engine.state.incidents.get(&id).and_then(|it| find(&it.pages, attempt)) else {
            return;
        };
        let entry = Happening::Delivery {
            page: page.id,
            attempt,
            recipient: page.recipient.clone(),
            contact: found.contact.clone(),
            channel: found.channel,
            state: found.state,
            tries: found.tries,
            delay_ms: now.ms_since(page.begins_at()),
            failure: found.failure.as_deref().cloned(),
            incidents: found.bundling.as_ref().filter(|it| it.message.is_some()).map(|it| it.incidents),
        };
        self.note(id, Actor::System, entry);
        self.engine.state.dirty.deliveries.insert((id, attempt));
    }

    pub(crate) fn attempt_mut(&mut self, id: IncidentId, attempt: AttemptId) -> Option<(PageId, &mut Attempt)> {
        let pages = &mut self.engine.state.incidents.get_mut(&id).map(Arc::make_mut)?.pages;
        // Newest pages last, and nearly always the ones asked for.
        pages.iter_mut().rev().find_map(|page| {
            let of = page.id;
            page.attempts.iter_mut().find(|it| it.id == attempt).map(|found| (of, found))
        })
    }
}

fn is_superseded(incident: &Incident, attempt: AttemptId) -> bool {
    find(&incident.pages, attempt).is_some_and(|(page, _)| {
        incident.pages.iter().any(|newer| newer.id > page.id && newer.recipient == page.recipient)
    })
}

type Step = (ContactId, ContactKind, Delay);

fn step(person: &Person, contact: &ContactId, after: Delay) -> Option<Step> {
    let contact = person.contacts.iter().find(|it| it.id == *contact)?;
    Some((contact.id.clone(), contact.address()?.0, after))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_pause_is_half_to_one_and_a_half_of_the_doubled_one(
            first in 0..3_600_000_i64,
            attempt in any::<i64>(),
            tries in 0..40_u32,
        ) {
            let paging = Paging { retry_after: Delay(first), ..Paging::default() };
            let pause = retry_delay(&paging, AttemptId(attempt), tries).0;
            let doubled = first << tries.saturating_sub(1).min(16);
            prop_assert!(pause >= doubled / 2 && pause <= doubled + doubled / 2 + 1, "{pause} for {doubled}");
            prop_assert_eq!(pause, retry_delay(&paging, AttemptId(attempt), tries).0, "the same on every run");
        }
    }

    #[test]
    fn a_thousand_failed_deliveries_do_not_come_back_together() {
        let paging = Paging::default();
        let pauses: std::collections::BTreeSet<i64> =
            (0..1_000).map(|n| retry_delay(&paging, AttemptId(n), 1).0).collect();
        assert!(pauses.len() > 500, "only {} different pauses", pauses.len());
    }
}
