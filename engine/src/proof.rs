//! Proof of delivery: what somebody else says became of a message, and what follows when nobody says anything.
//!
//! That a provider took a message proves little. A page that matters is not left with it: if nothing says in time that
//! it stands on a screen, the recipient's next contact is tried now.

use crate::{engine::Turn, event::Wake};
use shared::{
    Attempt, AttemptId, AttemptState, Delay, DeliveryReceipt, Incident, IncidentId, Page, PageId, Recipient, Severity,
    SharedStr, Timestamp,
    config::Paging,
    timeline::{Actor, Happening},
};
use std::sync::Arc;

/// How long an accepted message may stay without a sign that it was seen; none when that does not matter.
pub(crate) const fn patience(paging: &Paging, severity: Severity, proves: bool) -> Option<Delay> {
    let bound = match (severity, proves) {
        (Severity::P0, true) => paging.shown_p0,
        (Severity::P0, false) => paging.unproven_p0,
        (Severity::P1, true) => paging.shown_p1,
        (Severity::P1, false) => paging.unproven_p1,
        _ => Delay::ZERO,
    };
    if bound.0 > 0 { Some(bound) } else { None }
}

impl Turn<'_> {
    /// A provider took a delivery: from now on it is waited for a sign that it was seen, where that matters.
    pub(crate) fn await_proof(&mut self, id: IncidentId, attempt: AttemptId) {
        let paging = self.config.paging();
        let Some(incident) = self.engine.state.incidents.get(&id) else { return };
        let found = incident
            .pages
            .iter()
            .rev()
            .find_map(|page| page.attempts.iter().find(|it| it.id == attempt).map(|found| (page, found)));
        let Some((page, found)) = found else { return };
        if !self.may_ring(id, page)
            || !matches!(page.recipient, Recipient::Person(_))
            || found.state != AttemptState::Accepted
            || page.is_shown()
        {
            return;
        }
        let proves = found.channel.proves();
        // Where there is nothing else to try, only a channel that would have told counts as silent.
        let matters = proves || page.attempts.iter().any(|it| it.state == AttemptState::Planned);
        let Some(bound) = patience(paging, incident.severity, proves).filter(|_| matters) else { return };
        let until = self.now.after(bound);
        if let Some(found) = self.attempt(id, attempt) {
            found.lease_until = Some(until);
        }
        self.engine.state.deadlines.set(until, Wake::Lease { incident: id, attempt });
    }

    /// Nothing said in time that an accepted delivery was seen: the next contact is used now, and with none left a page
    /// by channels that would have told counts as failed.
    pub(crate) fn unproven(&mut self, id: IncidentId, attempt: AttemptId, at: Timestamp) {
        let Some(found) = self.attempt(id, attempt) else { return };
        if found.state != AttemptState::Accepted || found.lease_until != Some(at) {
            return;
        }
        found.lease_until = None;
        let (contact, channel, taken) = (found.contact.clone(), found.channel, found.finished_at);
        self.engine.state.dirty.incidents.insert(id);
        let Some(page) = self.page_of(id, attempt) else { return };
        let Some(found) = self.engine.state.incidents.get(&id).and_then(|it| it.pages.iter().find(|it| it.id == page))
        else {
            return;
        };
        if found.is_shown() || !self.may_ring(id, found) {
            return;
        }
        let another = found.attempts.iter().any(|it| it.state == AttemptState::Planned);
        if !another && !channel.proves() {
            return;
        }
        let recipient = found.recipient.clone();
        let within_ms = self.now.ms_since(taken.unwrap_or(self.now));
        let what = Happening::Unproven { page, attempt, recipient, contact, channel, within_ms };
        self.note(id, Actor::System, what);
        self.after_failure(id, page);
    }

    /// Whether a channel that would have told took a delivery, and the time in which it should have is over.
    pub(crate) fn is_silent(&self, severity: Severity, page: &Page, attempt: &Attempt) -> bool {
        attempt.state == AttemptState::Accepted
            && attempt.channel.proves()
            && attempt.lease_until.is_none()
            && !page.is_shown()
            && patience(self.config.paging(), severity, true).is_some()
    }

    /// Somebody says what became of a message: of each delivery in it.
    pub(crate) fn receipt(
        &mut self,
        id: IncidentId,
        message: AttemptId,
        receipt: &DeliveryReceipt,
        device: Option<&SharedStr>,
    ) {
        for (id, attempt) in self.parts(id, message) {
            self.receipt_of(id, attempt, receipt, device);
        }
    }

    /// The deliveries of a message that began with this one.
    fn parts(&self, id: IncidentId, message: AttemptId) -> Vec<(IncidentId, AttemptId)> {
        let of = |incident: &Arc<Incident>| {
            let attempts = incident.pages.iter().flat_map(|page| &page.attempts);
            let named = attempts.filter(|it| it.id == message || it.message() == message);
            named.map(|it| (incident.id, it.id)).collect::<Vec<_>>()
        };
        let incidents = &self.engine.state.incidents;
        let lead = incidents.get(&id).map(&of).unwrap_or_default();
        let alone = |(id, attempt): &(IncidentId, AttemptId)| {
            let pages = incidents.get(id).map(|it| &it.pages);
            let mut attempts = pages.into_iter().flatten().flat_map(|page| &page.attempts);
            attempts.any(|it| it.id == *attempt && it.bundling.as_ref().is_none_or(|it| it.message.is_none()))
        };
        // Only what shares a message is looked for everywhere.
        if lead.iter().any(alone) { lead } else { incidents.values().flat_map(of).collect() }
    }

    fn receipt_of(
        &mut self,
        id: IncidentId,
        attempt: AttemptId,
        receipt: &DeliveryReceipt,
        device: Option<&SharedStr>,
    ) {
        let now = self.now;
        let Some(page) = self.page_of(id, attempt) else { return };
        let Some(found) = self.attempt(id, attempt) else { return };
        // Nobody can tell of what was never sent.
        let Some(sent_at) = found.first_sent_at else { return };
        if let DeliveryReceipt::Failed { failure } = receipt {
            if !matches!(found.state, AttemptState::Accepted | AttemptState::Sending) || found.is_shown() {
                return;
            }
            let accepted = found.state == AttemptState::Accepted;
            let failure = shared::Failure { permanent: true, ambiguous: false, ..failure.clone() };
            self.note_receipt(id, page, attempt, receipt, device, now.ms_since(sent_at));
            if accepted {
                self.taken_back(id, page, attempt, failure);
            } else {
                self.try_failed(id, attempt, failure);
            }
            return;
        }
        if !found.proof.get_or_insert_default().add(receipt, device, now) {
            return;
        }
        self.engine.state.dirty.incidents.insert(id);
        self.engine.state.dirty.deliveries.insert((id, attempt));
        self.note_receipt(id, page, attempt, receipt, device, now.ms_since(sent_at));
        if receipt.is_shown() {
            self.stop_awaiting(id, |it| it == page);
            self.arrived(id, attempt);
        }
    }

    /// It stands on a screen, so the provider has it, whatever it answered: nothing is tried again.
    fn arrived(&mut self, id: IncidentId, attempt: AttemptId) {
        let Some(found) = self.attempt(id, attempt) else { return };
        if found.state == AttemptState::Retrying {
            let try_number = found.tries;
            self.delivered(id, attempt, try_number, Ok(None));
        }
    }

    /// What a provider took did not arrive after all.
    fn taken_back(&mut self, id: IncidentId, page: PageId, attempt: AttemptId, failure: shared::Failure) {
        let now = self.now;
        self.stop_awaiting_one(id, attempt);
        if let Some(found) = self.attempt(id, attempt) {
            found.state = AttemptState::Failed;
            found.finished_at = Some(now);
            found.failure = Some(Box::new(failure));
        }
        self.delivery(id, attempt);
        let incident = self.engine.state.incidents.get(&id);
        let of = incident.and_then(|it| it.pages.iter().find(|it| it.id == page));
        if of.is_some_and(|page| self.may_ring(id, page)) {
            self.after_failure(id, page);
        }
    }

    fn note_receipt(
        &mut self,
        id: IncidentId,
        page: PageId,
        attempt: AttemptId,
        receipt: &DeliveryReceipt,
        device: Option<&SharedStr>,
        delay_ms: i64,
    ) {
        let incident = self.engine.state.incidents.get(&id);
        let Some(of) = incident.and_then(|it| it.pages.iter().find(|it| it.id == page)) else { return };
        let Some(found) = of.attempts.iter().find(|it| it.id == attempt) else { return };
        let what = Happening::DeliveryReceipt {
            page,
            attempt,
            recipient: of.recipient.clone(),
            contact: found.contact.clone(),
            channel: found.channel,
            receipt: receipt.clone(),
            device: device.cloned(),
            delay_ms,
        };
        self.note(id, Actor::System, what);
    }

    /// No sign is waited for any more of these pages.
    pub(crate) fn stop_awaiting(&mut self, id: IncidentId, of: impl Fn(PageId) -> bool) {
        let Some(incident) = self.engine.state.incidents.get(&id) else { return };
        let waiting = |it: &&Attempt| it.state == AttemptState::Accepted && it.lease_until.is_some();
        let pages = incident.pages.iter().filter(|page| of(page.id));
        let awaited: Vec<AttemptId> =
            pages.flat_map(|page| page.attempts.iter().filter(waiting)).map(|it| it.id).collect();
        awaited.into_iter().for_each(|attempt| self.stop_awaiting_one(id, attempt));
    }

    fn stop_awaiting_one(&mut self, id: IncidentId, attempt: AttemptId) {
        let until = self.attempt(id, attempt).and_then(|found| found.lease_until.take());
        if let Some(until) = until {
            self.engine.state.deadlines.clear(until, Wake::Lease { incident: id, attempt });
            self.engine.state.dirty.incidents.insert(id);
        }
    }

    fn page_of(&self, id: IncidentId, attempt: AttemptId) -> Option<PageId> {
        let incident = self.engine.state.incidents.get(&id)?;
        let page = incident.pages.iter().rev().find(|page| page.attempts.iter().any(|it| it.id == attempt))?;
        Some(page.id)
    }

    fn attempt(&mut self, id: IncidentId, attempt: AttemptId) -> Option<&mut Attempt> {
        self.attempt_mut(id, attempt).map(|(_, found)| found)
    }
}
