//! People asked for by name: instead of those the policy pages, or besides them.

use crate::{compile::FALLBACK, engine::Turn, event::Refusal, notify::Ask};
use shared::{
    Delay, IncidentId, IncidentState, Page, PageVia, PersonId, Recipient,
    config::Target,
    timeline::{Actor, Happening, TargetResult},
};

impl Turn<'_> {
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
        self.page(id, &recipient, ask).map(drop).map_err(|_| Refusal::NoContact)
    }

    /// Asks people to help, by their own rules, whether or not somebody answered already; the policies go on as they were.
    pub(crate) fn add_responders(
        &mut self,
        id: IncidentId,
        by: Actor,
        targets: &[Target],
        version: Option<u32>,
    ) -> Result<(), Refusal> {
        let Some(incident) = self.engine.state.incidents.get(&id) else { return Err(Refusal::NotOpen) };
        if let Some(seen) = version.filter(|seen| *seen != incident.version) {
            return Err(Refusal::VersionConflict { seen, now: incident.version });
        }
        let severity = incident.severity;
        let policy = incident.escalations.first().map_or_else(|| FALLBACK.into(), |it| it.policy.clone());
        let found: Vec<_> = targets.iter().map(|target| (target, self.resolve_target(target))).collect();
        let reachable = |to: &Recipient| self.steps(to, severity, true).is_ok();
        if !found.iter().any(|(_, (recipients, _))| recipients.iter().any(|(to, _)| reachable(to))) {
            return Err(Refusal::NobodyReached);
        }
        // Whoever is asked for is rung, also when a policy paged them in this very instant.
        self.paged.retain(|(incident, _)| *incident != id);
        let mut results = Vec::with_capacity(found.len());
        for (target, (recipients, skipped)) in found {
            let mut result = TargetResult { target: target.to_string(), recipients: Vec::new(), skipped };
            for (recipient, _) in recipients {
                let ask = Ask { via: PageVia::Added, policy: &policy, level: 0, cycle: 0, by_hand: true };
                match self.page(id, &recipient, ask) {
                    Ok(_) => result.recipients.push(recipient),
                    Err(skip) => result.skipped.push(skip),
                }
            }
            results.push(result);
        }
        let now = self.now;
        if let Some(incident) = self.incident(id) {
            incident.updated_at = now;
            incident.version += 1;
        }
        self.note(id, by, Happening::RespondersAdded { targets: results, in_force: Some(self.config.version) });
        Ok(())
    }

    /// Somebody who was asked to help with an answered incident answers: what still would ring does not.
    pub(crate) fn helper_answered(&mut self, id: IncidentId, by: Actor, person: Option<PersonId>) {
        let Some(person) = person else { return };
        let recipient = Recipient::Person(person.clone());
        let asked = |page: &Page| page.recipient == recipient && page.is_waiting();
        if !self.engine.state.incidents.get(&id).is_some_and(|incident| incident.pages.iter().any(asked)) {
            return;
        }
        self.cancel_attempts(id, |page| page.recipient == recipient);
        let now = self.now;
        if let Some(incident) = self.incident(id) {
            incident.updated_at = now;
            incident.version += 1;
        }
        self.note(id, by, Happening::Answered { person: Some(person), missing: Vec::new() });
    }

    /// Whether a page may ring as the incident stands: after an answer only for those who are asked to help.
    pub(crate) fn may_ring(&self, id: IncidentId, page: &Page) -> bool {
        self.engine.state.incidents.get(&id).is_some_and(|incident| match incident.state {
            IncidentState::Triggered => true,
            IncidentState::Acked | IncidentState::Snoozed => page.via.is_beside(),
            IncidentState::Resolved => false,
        })
    }
}
