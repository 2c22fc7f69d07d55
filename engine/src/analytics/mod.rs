//! Figures about the past: how soon people answered, whom it woke, what is noise. A fold over incidents, one at a time.
//!
//! An incident counts in a range when it *opened* in it: `from ≤ opened < until`. A page counts when it *rang* in it,
//! which is when its first delivery was first handed to a provider; a page that never got so far woke nobody. Pages to one
//! person that rang in the same instant were one message, and count once for the person and the hour. A message counts
//! for its channel when it was first handed over in the range, whoever it was for.

mod delivery;
mod noise;
mod people;
mod story;
mod times;

pub use story::Story;

use self::{
    delivery::Deliveries,
    noise::{Ledger, Quiet},
    people::People,
    times::{Hours, Measure},
};
use jiff::tz::TimeZone;
use shared::{
    Incident, IncidentState, PersonId, Recipient, Timestamp,
    api::{Analytics, Distribution},
};
use std::collections::BTreeMap;

/// Upper ends of the buckets, in seconds: how long until somebody answered, and until it was over.
const ACKNOWLEDGE: &[i64] = &[30, 60, 120, 300, 600, 900, 1_800, 3_600, 14_400, 86_400];
const RESOLVE: &[i64] = &[60, 300, 900, 1_800, 3_600, 7_200, 14_400, 28_800, 86_400, 259_200];
/// Identities that are told of; nobody mends more at once.
const IDENTITIES: usize = 100;

/// What is asked about.
#[derive(Clone, Debug)]
pub struct Scope {
    pub from: Timestamp,
    pub until: Timestamp,
    /// Of the hours of the week, and of people who have none of their own.
    pub zone: TimeZone,
    /// Of people who have one.
    pub zones: BTreeMap<PersonId, TimeZone>,
    /// What people are called; others by their id.
    pub names: BTreeMap<PersonId, String>,
}

impl Scope {
    fn has(&self, at: Timestamp) -> bool {
        (self.from..self.until).contains(&at)
    }
}

/// The figures so far.
#[derive(Debug)]
pub struct Fold {
    scope: Scope,
    incidents: u32,
    acknowledge: Measure,
    resolve: Measure,
    people: People,
    deliveries: Deliveries,
    hours: Hours,
    identities: Ledger,
    routes: Ledger,
    policies: Ledger,
    quiet: Quiet,
}

impl Fold {
    /// Nothing yet.
    #[must_use]
    pub fn new(scope: Scope) -> Self {
        Self {
            incidents: 0,
            acknowledge: Measure::new(ACKNOWLEDGE),
            resolve: Measure::new(RESOLVE),
            people: People::default(),
            deliveries: Deliveries::default(),
            hours: Hours::default(),
            identities: Ledger::default(),
            routes: Ledger::default(),
            policies: Ledger::default(),
            quiet: Quiet::default(),
            scope,
        }
    }

    /// Counts one incident, in whatever order they come.
    ///
    /// - *Time to acknowledge* = first acknowledged − opened, of incidents that rang for somebody or were acknowledged.
    ///   Snoozing and resolving by hand answer too. Never: it was over without; waiting: it is still open.
    /// - *Time to resolve* = resolved − opened. What was merged into another incident is not counted in either.
    pub fn add(&mut self, incident: &Incident, story: &Story) {
        self.deliveries.add(&self.scope, incident);
        let rang = rang(incident);
        for (person, at) in rang.iter().filter(|(_, at)| self.scope.has(*at)) {
            if self.people.add(&self.scope, person, *at) {
                self.hours.page(&self.scope.zone, *at);
            }
        }
        if !self.scope.has(incident.opened_at) {
            return;
        }
        self.incidents += 1;
        let over = incident.state == IncidentState::Resolved;
        let since_opened = |at: Timestamp| at.ms_since(incident.opened_at).max(0);
        let acknowledged = story.acknowledged_at.map(since_opened);
        if !story.merged {
            if !rang.is_empty() || acknowledged.is_some() {
                self.acknowledge.add(incident.severity, acknowledged, over);
            }
            let resolved = incident.resolved_at.filter(|_| over).map(since_opened);
            self.resolve.add(incident.severity, resolved, false);
        }
        if !rang.is_empty() {
            self.hours.incident(&self.scope.zone, incident.opened_at, acknowledged);
        }
        let pages = u32::try_from(rang.len()).unwrap_or(u32::MAX);
        let key = story.key.as_deref().unwrap_or(&incident.title);
        self.identities.add((incident.integration.as_str(), key), incident, story, pages);
        for route in &story.routes {
            self.routes.add(("", route.as_str()), incident, story, pages);
        }
        for escalation in &incident.escalations {
            self.policies.add(("", escalation.policy.as_str()), incident, story, pages);
        }
        self.quiet.add(incident, story, pages > 0);
    }

    /// The figures; messages and schedules are not known here, and empty.
    #[must_use]
    pub fn finish(self) -> Analytics {
        let Scope { from, until, .. } = self.scope;
        let time_zone = self.scope.zone.iana_name().unwrap_or("UTC").to_owned();
        let (days, people) = self.people.finish(&self.scope);
        let identities_total = u32::try_from(self.identities.len()).unwrap_or(u32::MAX);
        let mut identities = self.identities.finish();
        identities.truncate(IDENTITIES);
        Analytics {
            from,
            until,
            time_zone,
            incidents: self.incidents,
            messages: 0,
            unpaged: 0,
            cut_at: None,
            acknowledge: Distribution::from(self.acknowledge),
            resolve: Distribution::from(self.resolve),
            days,
            people,
            channels: self.deliveries.finish(),
            hours: self.hours.finish(),
            identities,
            identities_total,
            routes: self.routes.finish(),
            policies: self.policies.finish(),
            quiet: self.quiet.finish(),
            schedules: Vec::new(),
            teams: Vec::new(),
        }
    }
}

/// Each page to a person that rang, and when.
fn rang(incident: &Incident) -> Vec<(&PersonId, Timestamp)> {
    let pages = incident.pages.iter().filter_map(|page| {
        let Recipient::Person(person) = &page.recipient else { return None };
        let first = page.attempts.iter().filter_map(|attempt| attempt.first_sent_at).min()?;
        Some((person, first))
    });
    pages.collect()
}

#[cfg(test)]
mod tests;
