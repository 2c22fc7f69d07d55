//! Notices: who is told of a silence that ends, by their quietest contacts, a few at a time and never while they rest.

use crate::{
    engine::Turn,
    event::{Tell, Wake},
    notify::retry_delay,
    state::State,
};
use shared::{
    Attempt, AttemptId, AttemptState, ContactId, Digest, Failure, Fault, Incident, IncidentState, Named, Notice,
    NoticeAbout, PersonId, Recipient, Severity, Silence, SilenceId, SilenceKind, Timestamp, Untold,
    config::ContactKind,
    notice::{DIGESTS_MAX, NAMED_MAX, NOTICES_MAX, PEOPLE_MAX},
    silence::HID_MAX,
};
use std::{collections::BTreeSet, sync::Arc};

/// Notices under way at once; they take no slot of a page.
const IN_FLIGHT: usize = 4;
/// How urgent a notice is: it waits for quiet hours and mornings as a page of this severity does.
const URGENCY: Severity = Severity::P4;
/// The rules a notice follows: the first of these for which the person is reached at all.
const RULES: [Severity; 7] =
    [URGENCY, Severity::P5, Severity::P6, Severity::P3, Severity::P2, Severity::P1, Severity::P0];

/// Notices that are due, and those under way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outbox {
    waiting: BTreeSet<(Timestamp, AttemptId, SilenceId)>,
    flying: BTreeSet<AttemptId>,
}

impl State {
    /// A silence that stands, or of which somebody is still to be told.
    fn silence_mut(&mut self, id: SilenceId) -> Option<&mut Silence> {
        let known = match self.silences.get_mut(&id) {
            Some(standing) => &mut standing.silence,
            None => self.over.get_mut(&id)?,
        };
        self.dirty.silences.insert(id);
        Some(Arc::make_mut(known))
    }

    fn silence(&self, id: SilenceId) -> Option<&Arc<Silence>> {
        self.silences.get(&id).map(|standing| &standing.silence).or_else(|| self.over.get(&id))
    }

    fn sending(&self, id: SilenceId, attempt: AttemptId) -> Option<(&Notice, &Attempt)> {
        let notices = self.silence(id)?.notices.iter().rev();
        notices.filter_map(|it| Some((it, it.sending.as_ref()?))).find(|(_, sending)| sending.id == attempt)
    }

    fn sending_mut(&mut self, id: SilenceId, attempt: AttemptId) -> Option<&mut Attempt> {
        let notices = self.silence_mut(id)?.notices.iter_mut().rev();
        notices.filter_map(|it| it.sending.as_mut()).find(|sending| sending.id == attempt)
    }

    /// Sets the deadlines of a restored silence's notices.
    pub(crate) fn arm_notices(&mut self, id: SilenceId) {
        let Some(silence) = self.silence(id).cloned() else { return };
        for sending in silence.notices.iter().filter_map(|notice| notice.sending.as_ref()) {
            let wake = Wake::Notice { silence: id, attempt: sending.id };
            match (sending.state, sending.lease_until) {
                (AttemptState::Planned | AttemptState::Retrying, _) => self.deadlines.set(sending.due, wake),
                (AttemptState::Sending, Some(until)) => {
                    self.deadlines.set(until, wake);
                    self.outbox.flying.insert(sending.id);
                }
                _ => {}
            }
        }
    }

    /// A notice that nothing would bring forward, when there is one.
    pub(crate) fn lost_notice(&self) -> Option<AttemptId> {
        let silences = self.silences.values().map(|standing| &standing.silence).chain(self.over.values());
        let sendings = silences.flat_map(|silence| {
            silence.notices.iter().filter_map(|notice| notice.sending.as_ref()).map(|it| (silence.id, it))
        });
        let lost = |(silence, it): &(SilenceId, &Attempt)| {
            let wake = Wake::Notice { silence: *silence, attempt: it.id };
            let (waits, flies) =
                (self.outbox.waiting.contains(&(it.due, it.id, *silence)), self.outbox.flying.contains(&it.id));
            match it.state {
                AttemptState::Planned | AttemptState::Retrying => {
                    self.deadlines.contains(it.due, wake) == waits || flies
                }
                AttemptState::Sending => {
                    !flies || waits || !it.lease_until.is_some_and(|until| self.deadlines.contains(until, wake))
                }
                _ => flies || waits,
            }
        };
        sendings.into_iter().find(lost).map(|(_, sending)| sending.id)
    }
}

fn fires(incident: &Incident) -> bool {
    incident.state != IncidentState::Resolved && incident.firing > 0
}

impl Turn<'_> {
    /// A silence ends soon: its owner is told once, as soon as something fires under it.
    pub(crate) fn remind_owner(&mut self, id: SilenceId) {
        let now = self.now;
        let state = &self.engine.state;
        let Some(silence) = state.silences.get(&id).map(|standing| &standing.silence) else { return };
        let (Some(remind_at), Some(ends_at)) = (silence.remind_at, silence.ends_at) else { return };
        if now < remind_at || now >= ends_at {
            return;
        }
        let under = |it: &&Arc<Incident>| fires(it) && it.suppressed.iter().any(|by| by.silence() == Some(id));
        let firing = state.incidents.values().filter(under).count() as u32;
        if firing == 0 {
            return;
        }
        let owner = self.person_of(&silence.by);
        if let Some(silence) = self.engine.state.silence_mut(id) {
            silence.remind_at = None;
        }
        self.tell(id, NoticeAbout::EndsSoon { ends_at, firing }, owner);
    }

    /// A maintenance keeps an incident quiet: who would have been paged is noted in it.
    pub(crate) fn missed(&mut self, id: shared::IncidentId) {
        let Some(incident) = self.engine.state.incidents.get(&id) else { return };
        let kept = incident.suppressed.iter().filter(|by| matches!(by, shared::SuppressedBy::Maintenance { .. }));
        let maintenances: Vec<SilenceId> = kept.filter_map(shared::SuppressedBy::silence).collect();
        if maintenances.is_empty() {
            return;
        }
        let people: Vec<PersonId> =
            (0..incident.escalations.len()).flat_map(|place| self.would_page(id, place)).collect();
        for silence in maintenances {
            let Some(stint) = self.engine.state.silence_mut(silence).and_then(|it| it.stint.as_deref_mut()) else {
                continue;
            };
            for person in &people {
                if !stint.people.contains(person) && stint.people.len() < PEOPLE_MAX {
                    stint.people.push(person.clone());
                }
            }
        }
    }

    /// A maintenance is over, or pauses: what happened in it is told to those who would have been paged, and its owner.
    pub(crate) fn digest(&mut self, id: SilenceId) {
        let now = self.now;
        let Some(silence) = self.engine.state.silence(id).filter(|it| it.kind == SilenceKind::Maintenance) else {
            return;
        };
        let Some(stint) = silence.stint.clone() else { return };
        let owner = self.person_of(&silence.by);
        let mut people = stint.people;
        people.extend(owner.clone().filter(|owner| !people.contains(owner)));
        people.retain(|person| self.config.people.contains_key(person));
        let firing = stint.hid.iter().filter_map(|id| self.engine.state.incidents.get(id)).filter(|it| fires(it));
        let mut still: Vec<Named> = firing.map(|it| named(it)).collect();
        let firing = still.len() as u32;
        still.sort_by_key(|it| (it.severity, it.incident));
        still.truncate(NAMED_MAX);
        let (hid, recovered) = (stint.hid.len() as u32, stint.recovered.len() as u32);
        let gone = stint.named.into_iter().filter(|it| stint.recovered.contains(&it.incident)).collect();
        let told = people.clone();
        let digest = Digest { at: now, since: stint.since, hid, recovered, firing, still, gone, people };
        self.engine.state.dirty.digests.push((id, digest.clone()));
        if let Some(silence) = self.engine.state.silence_mut(id) {
            silence.stint = None;
            if silence.digests.len() >= DIGESTS_MAX {
                silence.digests.remove(0);
            }
            silence.digests.push(digest);
        }
        let about = NoticeAbout::Over { digest: now };
        for person in told {
            self.tell(id, about, Some(person));
        }
        if owner.is_none() {
            self.tell(id, about, None);
        }
    }

    /// The contacts a notice goes to, one after the other as they fail.
    fn notice_contacts(&self, person: &PersonId) -> Vec<(ContactId, ContactKind)> {
        let to = Recipient::Person(person.clone());
        let found = RULES.into_iter().find_map(|severity| self.steps(&to, severity, false).ok());
        let mut steps = found.map(|(_, steps)| steps).unwrap_or_default();
        steps.sort_by_key(|(_, _, after)| *after);
        steps.into_iter().map(|(contact, channel, _)| (contact, channel)).collect()
    }

    /// Decides how somebody is told: by the first contact that was not tried for it, when they do not rest.
    fn tell(&mut self, id: SilenceId, about: NoticeAbout, person: Option<PersonId>) {
        let now = self.now;
        let tried: Vec<ContactId> = self.engine.state.silence(id).map_or_else(Vec::new, |silence| {
            let same = silence.notices.iter().filter(|it| it.about == about && it.person == person);
            same.filter_map(|it| it.sending.as_ref()).map(|it| it.contact.clone()).collect()
        });
        let how = match &person {
            None => Err(Untold::NoPerson),
            Some(person) => {
                let waits = self.config.quiet.get(person).and_then(|quiet| quiet.waits(URGENCY, now));
                let due = waits.map_or(now, |waits| waits.until);
                let next = self.notice_contacts(person).into_iter().find(|(contact, _)| !tried.contains(contact));
                match (about, next) {
                    (_, None) => Err(Untold::NoContact),
                    (NoticeAbout::EndsSoon { ends_at, .. }, _) if due >= ends_at => Err(Untold::Rests { until: due }),
                    (_, Some((contact, channel))) => Ok((contact, channel, due)),
                }
            }
        };
        // The last contact failed as well, and its own failure says so.
        if how == Err(Untold::NoContact) && !tried.is_empty() {
            return;
        }
        let (sending, untold) = match how {
            Err(untold) => (None, Some(untold)),
            Ok((contact, channel, due)) => {
                let attempt = self.engine.state.counters.next_attempt();
                self.engine.state.deadlines.set(due, Wake::Notice { silence: id, attempt });
                (Some(Attempt::planned(attempt, contact, channel, due)), None)
            }
        };
        let Some(silence) = self.engine.state.silence_mut(id) else { return };
        if silence.notices.len() >= NOTICES_MAX
            && let Some(oldest) = silence.notices.iter().position(|it| !it.is_pending())
        {
            silence.notices.remove(oldest);
        }
        silence.notices.push(Notice { about, at: now, person, sending, untold });
    }

    /// A notice is due, or the answer to one has not come.
    pub(crate) fn notice_due(&mut self, id: SilenceId, attempt: AttemptId, at: Timestamp) {
        let now = self.now;
        let state = &mut self.engine.state;
        let (Some(silence), Some((notice, sending))) = (state.silence(id), state.sending(id, attempt)) else { return };
        // Ended or given another end since: it is not true any more.
        let wanted = match notice.about {
            NoticeAbout::EndsSoon { ends_at, .. } => {
                silence.ended.is_none() && silence.ends_at == Some(ends_at) && now < ends_at
            }
            NoticeAbout::Over { .. } => true,
        };
        let due = sending.due;
        match sending.state {
            AttemptState::Planned | AttemptState::Retrying if due == at => {
                if wanted {
                    state.outbox.waiting.insert((due, attempt, id));
                } else if let Some(sending) = state.sending_mut(id, attempt) {
                    sending.state = AttemptState::Cancelled;
                    sending.finished_at = Some(now);
                }
            }
            AttemptState::Sending if sending.lease_until == Some(at) => {
                let detail = "no answer came before the lease ended; the message may have arrived".to_owned();
                let failure =
                    Failure { permanent: false, ambiguous: true, detail, retry_after_ms: None, fault: Fault::Unknown };
                self.notice_failed(id, attempt, failure);
            }
            _ => {}
        }
    }

    /// Sends what is due, a few at a time.
    pub(crate) fn send_notices(&mut self) {
        let lease = self.config.paging().lease;
        let now = self.now;
        let state = &mut self.engine.state;
        while state.outbox.flying.len() < IN_FLIGHT
            && let Some((_, attempt, silence)) = state.outbox.waiting.pop_first()
        {
            let until = now.after(lease);
            let Some(sending) = state.sending_mut(silence, attempt) else { continue };
            sending.state = AttemptState::Sending;
            sending.tries += 1;
            sending.lease_until = Some(until);
            sending.first_sent_at.get_or_insert(now);
            let try_number = sending.tries;
            state.outbox.flying.insert(attempt);
            state.deadlines.set(until, Wake::Notice { silence, attempt });
            self.effects.notices.push(Tell { silence, attempt, try_number });
        }
    }

    /// A notice came to its end; an answer to an earlier try is too late.
    pub(crate) fn notice_finished(
        &mut self,
        id: SilenceId,
        attempt: AttemptId,
        try_number: u32,
        result: Result<Option<String>, Failure>,
    ) {
        let now = self.now;
        let Some((_, sending)) = self.engine.state.sending(id, attempt) else { return };
        if sending.state != AttemptState::Sending || sending.tries != try_number {
            return;
        }
        match result {
            Err(failure) => self.notice_failed(id, attempt, failure),
            Ok(provider_id) => {
                self.land(id, attempt);
                if let Some(sending) = self.engine.state.sending_mut(id, attempt) {
                    sending.state = AttemptState::Accepted;
                    sending.finished_at = Some(now);
                    sending.failure = None;
                    if let Some(provider_id) = provider_id {
                        sending.proof.get_or_insert_default().provider_id = Some(provider_id.into());
                    }
                }
            }
        }
    }

    /// It is not under way any more.
    fn land(&mut self, id: SilenceId, attempt: AttemptId) {
        let state = &mut self.engine.state;
        state.outbox.flying.remove(&attempt);
        let lease = state.sending_mut(id, attempt).and_then(|sending| sending.lease_until.take());
        if let Some(lease) = lease {
            state.deadlines.clear(lease, Wake::Notice { silence: id, attempt });
        }
    }

    fn notice_failed(&mut self, id: SilenceId, attempt: AttemptId, failure: Failure) {
        let now = self.now;
        let paging = self.config.paging().clone();
        self.land(id, attempt);
        let Some(sending) = self.engine.state.sending_mut(id, attempt) else { return };
        let pause = retry_delay(&paging, attempt, sending.tries).0.max(failure.retry_after_ms.unwrap_or(0));
        let next = now.plus_ms(pause);
        let last = sending.first_sent_at.unwrap_or(now).after(paging.give_up_after);
        let over = failure.permanent || sending.tries >= paging.tries || next > last;
        sending.failure = Some(Box::new(failure));
        if !over {
            sending.state = AttemptState::Retrying;
            sending.due = next;
            self.engine.state.deadlines.set(next, Wake::Notice { silence: id, attempt });
            return;
        }
        sending.state = AttemptState::Failed;
        sending.finished_at = Some(now);
        let told = self.engine.state.sending(id, attempt).map(|(notice, _)| (notice.about, notice.person.clone()));
        if let Some((about, person)) = told {
            self.tell(id, about, person);
        }
    }
}

/// An incident as a digest names it.
pub(crate) fn named(incident: &Incident) -> Named {
    Named { incident: incident.id, severity: incident.severity, title: incident.title.to_string() }
}

/// Notes an incident in what a maintenance keeps quiet at present.
pub(crate) fn note(silence: &mut Silence, incident: &Incident, now: Timestamp) {
    if silence.kind != SilenceKind::Maintenance {
        return;
    }
    let stint = silence.stint.get_or_insert_with(|| Box::new(shared::Stint { since: now, ..shared::Stint::default() }));
    if stint.hid.len() >= HID_MAX || stint.hid.contains(&incident.id) {
        return;
    }
    stint.hid.push(incident.id);
    if stint.named.len() < NAMED_MAX {
        stint.named.push(named(incident));
    }
}
