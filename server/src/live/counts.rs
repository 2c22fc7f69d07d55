//! The board's heading, kept up to date by what each incident adds and takes away.

use engine::dense::Set;
use shared::{Incident, IncidentId, IncidentState, Recipient, Timestamp, api::Counts};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Default)]
pub(super) struct Tally {
    triggered: [u32; 7],
    acked: [u32; 7],
    oldest: Set<(Timestamp, IncidentId)>,
    /// How many unanswered incidents each recipient was paged for.
    people: BTreeMap<Recipient, u32>,
    unreached: u32,
}

impl Tally {
    /// Most changes of an incident change nothing of the heading.
    pub(super) fn replace(&mut self, before: Option<&Incident>, incident: &Incident) {
        if before.is_some_and(|before| counts_alike(before, incident)) {
            return;
        }
        if let Some(before) = before {
            self.remove(before);
        }
        self.add(incident);
    }

    fn add(&mut self, incident: &Incident) {
        self.count(incident, u32::wrapping_add);
        if is_unanswered(incident) {
            self.oldest.insert((incident.opened_at, incident.id));
            for recipient in recipients(incident) {
                *self.people.entry(recipient.clone()).or_default() += 1;
            }
        }
    }

    pub(super) fn remove(&mut self, incident: &Incident) {
        self.count(incident, u32::wrapping_sub);
        if is_unanswered(incident) {
            self.oldest.remove(&(incident.opened_at, incident.id));
            for recipient in recipients(incident) {
                if let Some(count) = self.people.get_mut(recipient) {
                    *count -= 1;
                    if *count == 0 {
                        self.people.remove(recipient);
                    }
                }
            }
        }
    }

    fn count(&mut self, incident: &Incident, change: fn(u32, u32) -> u32) {
        if incident.is_unreached() {
            self.unreached = change(self.unreached, 1);
        }
        let ranks = match incident.state {
            IncidentState::Resolved => return,
            _ if is_unanswered(incident) => &mut self.triggered,
            _ => &mut self.acked,
        };
        if let Some(count) = ranks.get_mut(usize::from(incident.severity.rank())) {
            *count = change(*count, 1);
        }
    }

    pub(super) fn counts(&self) -> Counts {
        Counts {
            triggered: self.triggered,
            acked: self.acked,
            oldest_triggered: self.oldest.first().map(|(at, _)| *at),
            people_paged: self.people.len() as u32,
            unreached: self.unreached,
            storm: None,
        }
    }
}

/// Somebody should answer: it is triggered, and nothing keeps it quiet on purpose.
fn is_unanswered(incident: &Incident) -> bool {
    incident.state == IncidentState::Triggered && incident.suppressed.is_empty()
}

fn counts_alike(one: &Incident, other: &Incident) -> bool {
    let of = |it: &Incident| (it.state, it.severity, it.opened_at, it.suppressed.is_empty(), it.is_unreached());
    let paged = one.pages.iter().map(|page| &page.recipient);
    of(one) == of(other) && paged.eq(other.pages.iter().map(|page| &page.recipient))
}

/// Everybody who was paged, each once.
fn recipients(incident: &Incident) -> BTreeSet<&Recipient> {
    incident.pages.iter().map(|page| &page.recipient).collect()
}
