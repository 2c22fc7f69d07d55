//! One configuration's replay: the engine on a stage, and what is written down of what it does.

use super::{Past, Received, Span, nowhere};
use crate::{
    Act, Event, SilenceAct, Snapshot,
    oncall::zone,
    stage::{Scene, Sent, Stage},
};
use jiff::tz::TimeZone;
use shared::{
    AlertId, EventId, Incident, IncidentId, IncidentState, IntegrationId, PersonId, PolicyId, Recipient, Severity,
    SharedStr, SilenceId, SilenceRequest, Timestamp,
    api::Unpaged,
    timeline::{Happening, Outcome},
};
use std::{
    collections::BTreeMap,
    ops::{ControlFlow, Range},
    sync::Arc,
};

/// Hours of the night on a person's own clock: from 22:00 to 07:00.
pub const NIGHT: (i8, i8) = (22, 7);
/// Incidents, pages and openings kept for the comparison; more are only counted.
pub(super) const KEPT_MAX: usize = 100_000;

/// Which alert opened an incident: the stored message, and the place in it.
pub(super) type Origin = (EventId, u32);

/// What is kept of an incident.
#[derive(Clone, Debug)]
pub(super) struct Stand {
    pub(super) origin: Origin,
    pub(super) opened_at: Timestamp,
    pub(super) integration: IntegrationId,
    pub(super) host: Option<String>,
    pub(super) title: String,
    /// The most urgent it ever was.
    pub(super) severity: Severity,
    pub(super) first_page: Option<Timestamp>,
    pub(super) why: Unpaged,
    pub(super) is_over: bool,
}

/// A page that began, reminders left out.
#[derive(Clone, Debug)]
pub(super) struct Rung {
    pub(super) at: Timestamp,
    pub(super) incident: IncidentId,
    pub(super) recipient: Recipient,
    pub(super) night: bool,
    pub(super) severity: Severity,
    pub(super) policy: PolicyId,
    pub(super) level: u32,
}

/// Pages of one recipient.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Load {
    pub(super) pages: u64,
    pub(super) night: u64,
    pub(super) reminders: u64,
}

/// Members of messages that went to no incident.
#[derive(Clone, Debug, Default)]
pub(super) struct Nowhere {
    pub(super) count: u64,
    pub(super) examples: Vec<(Timestamp, EventId, IntegrationId, String)>,
}

/// Examples that are kept of one reason.
pub(super) const EXAMPLES: usize = 5;

#[derive(Debug)]
pub(super) struct Ledger {
    stage: Stage,
    pub(super) books: Books,
}

/// Everything that is written down.
#[derive(Debug)]
pub(super) struct Books {
    pub(super) span: Span,
    zones: BTreeMap<PersonId, TimeZone>,
    pub(super) messages: u64,
    pub(super) stands: BTreeMap<IncidentId, Stand>,
    /// The most urgent each alert ever was.
    pub(super) alerts: BTreeMap<AlertId, Severity>,
    pub(super) rung: Vec<Rung>,
    pub(super) loads: BTreeMap<Recipient, Load>,
    pub(super) severities: BTreeMap<Severity, Load>,
    pub(super) nowhere: BTreeMap<Unpaged, Nowhere>,
    pub(super) cut: bool,
    /// Stored silences by the number they have here.
    silences: BTreeMap<SilenceId, SilenceId>,
}

impl Ledger {
    pub(super) fn new(config: Arc<Snapshot>, span: Span) -> Self {
        let zones = config.people.values().filter_map(|it| Some((it.id.clone(), zone(it.time_zone.as_deref()?).ok()?)));
        let books = Books {
            span,
            zones: zones.collect(),
            messages: 0,
            stands: BTreeMap::new(),
            alerts: BTreeMap::new(),
            rung: Vec::new(),
            loads: BTreeMap::new(),
            severities: BTreeMap::new(),
            nowhere: BTreeMap::new(),
            cut: false,
            silences: BTreeMap::new(),
        };
        Self { stage: Stage::new(config, Timestamp::from_ms(i64::MIN)), books }
    }

    /// Something happened; gives what became of a message's members.
    pub(super) fn take(&mut self, at: Timestamp, past: &Past) -> Vec<Outcome> {
        match past {
            Past::Message(message) => return self.message(at, message),
            Past::Answered(answer) => {
                let by = answer.by.clone();
                let mut keys = answer.dedup_keys.iter();
                if let Some(incident) = keys.find_map(|key| self.holder(&answer.integration, key)) {
                    self.happen(at, Event::Acted { incident, by, act: still_to_come(&answer.act, at) });
                }
            }
            // Each configuration brings its own.
            Past::Silenced(silence) if silence.configured.is_some() => {}
            Past::Silenced(silence) => {
                let request = SilenceRequest {
                    kind: silence.kind,
                    matches: silence.matches.clone(),
                    starts_at: Some(silence.starts_at),
                    ends_at: silence.ends_at,
                    until_recovered: silence.until_recovered,
                    recurs: silence.recurs.clone(),
                    reason: silence.reason.clone(),
                    author: None,
                };
                let by = silence.by.clone();
                let made = self.happen(at, Event::Silence { by, act: SilenceAct::Begin(request) });
                self.books.silences.extend(made.silence.map(|here| (silence.id, here)));
            }
            Past::SilenceEnded(stored) => {
                if let Some(here) = self.books.silences.remove(stored) {
                    self.happen(at, Event::Silence { by: shared::timeline::Actor::System, act: SilenceAct::End(here) });
                }
            }
        }
        Vec::new()
    }

    /// Lets the rest of the span pass.
    pub(super) fn end(&mut self) {
        let books = &mut self.books;
        let until = books.span.until.plus_ms(-1);
        self.stage.advance(until, &mut |scene| books.see(scene));
        for (id, incident) in self.stage.engine().state.incidents.iter() {
            if let Some(stand) = books.stands.get_mut(id) {
                stand.close(incident);
            }
        }
    }

    fn message(&mut self, at: Timestamp, message: &Received) -> Vec<Outcome> {
        let books = &mut self.books;
        let first = self.stage.engine().state.counters.incident;
        let outcomes = self.stage.post(at, &message.post(), &mut |scene| books.see(scene)).outcomes;
        for (outcome, member) in outcomes.iter().zip(0..) {
            // Only one that is new with this message was opened by it.
            if let Outcome::Opened { incident, .. } = outcome
                && incident.0 > first
                && let Some(stand) = books.stands.get_mut(incident)
                && stand.origin == NO_ORIGIN
            {
                stand.origin = (message.id, member);
            }
        }
        if at >= books.span.from {
            books.messages += 1;
            outcomes.iter().filter_map(nowhere).for_each(|why| books.went_nowhere(why, at, message));
        }
        outcomes
    }

    fn happen(&mut self, at: Timestamp, event: Event) -> crate::Effects {
        let books = &mut self.books;
        self.stage.happen(at, event, &mut |scene| books.see(scene))
    }

    /// The incident of the open alert with this identity.
    fn holder(&self, integration: &IntegrationId, dedup_key: &str) -> Option<IncidentId> {
        let state = &self.stage.engine().state;
        let alerts = state.open.candidates(integration, dedup_key).filter_map(|id| state.alerts.get(&id));
        let mut found = alerts.filter(|alert| alert.integration == *integration && alert.event.dedup_key == dedup_key);
        found.next().map(|alert| alert.incident)
    }
}

const NO_ORIGIN: Origin = (EventId(0), 0);

/// A snooze until an instant that is over here would be refused; it lasts a moment instead.
fn still_to_come(act: &Act, at: Timestamp) -> Act {
    match act {
        Act::Snooze { until } => Act::Snooze { until: (*until).max(at.plus_ms(1)) },
        Act::Ack { until } => Act::Ack { until: until.filter(|until| *until > at) },
        act => act.clone(),
    }
}

impl Books {
    fn see(&mut self, scene: &Scene) -> ControlFlow<()> {
        for incident in &scene.changes.incidents {
            self.incident(incident);
        }
        for alert in &scene.changes.alerts {
            let severity = self.alerts.entry(alert.id).or_insert(alert.highest);
            *severity = alert.highest.min(*severity);
        }
        for entry in &scene.changes.timeline {
            if let Some(stand) = self.stands.get_mut(&entry.incident) {
                stand.hear(&entry.what);
            }
        }
        for sent in scene.sent.iter().filter(|sent| sent.first) {
            self.ring(sent);
        }
        for incident in &scene.changes.incidents {
            if incident.state == IncidentState::Resolved
                && let Some(stand) = self.stands.get_mut(&incident.id)
            {
                stand.is_over = true;
                stand.close(incident);
            }
        }
        ControlFlow::Continue(())
    }

    fn incident(&mut self, incident: &Incident) {
        if !self.stands.contains_key(&incident.id) {
            if self.stands.len() >= KEPT_MAX {
                self.cut = true;
                return;
            }
            self.stands.insert(incident.id, Stand::new(incident));
        }
        if let Some(stand) = self.stands.get_mut(&incident.id) {
            stand.severity = stand.severity.min(incident.severity);
        }
    }

    fn ring(&mut self, sent: &Sent) {
        if let Some(stand) = self.stands.get_mut(&sent.incident) {
            stand.first_page.get_or_insert(sent.at);
        }
        if !self.counts(sent.at) {
            return;
        }
        let night = self.is_night(&sent.recipient, sent.at);
        let load = self.loads.entry(sent.recipient.clone()).or_default();
        if sent.reminder {
            load.reminders += 1;
            return;
        }
        for load in [load, self.severities.entry(sent.severity).or_default()] {
            load.pages += 1;
            load.night += u64::from(night);
        }
        if self.rung.len() >= KEPT_MAX {
            self.cut = true;
            return;
        }
        self.rung.push(Rung {
            at: sent.at,
            incident: sent.incident,
            recipient: sent.recipient.clone(),
            night,
            severity: sent.severity,
            policy: sent.policy.clone(),
            level: sent.level,
        });
    }

    pub(super) fn counts(&self, at: Timestamp) -> bool {
        let Range { start, end } = self.span.from..self.span.until;
        at >= start && at < end
    }

    fn is_night(&self, recipient: &Recipient, at: Timestamp) -> bool {
        let Recipient::Person(person) = recipient else { return false };
        let zone = self.zones.get(person).cloned().unwrap_or(TimeZone::UTC);
        let hour = jiff::Timestamp::from_millisecond(at.ms()).unwrap_or_default().to_zoned(zone).hour();
        hour >= NIGHT.0 || hour < NIGHT.1
    }

    fn went_nowhere(&mut self, why: Unpaged, at: Timestamp, message: &Received) {
        let nowhere = self.nowhere.entry(why).or_default();
        nowhere.count += 1;
        if nowhere.examples.len() < EXAMPLES {
            let text: String = String::from_utf8_lossy(&message.body).chars().take(120).collect();
            nowhere.examples.push((at, message.id, message.integration.clone(), text));
        }
    }
}

impl Stand {
    fn new(incident: &Incident) -> Self {
        Self {
            origin: NO_ORIGIN,
            opened_at: incident.opened_at,
            integration: incident.integration.clone(),
            host: incident.host.as_ref().map(SharedStr::to_string),
            title: incident.title.to_string(),
            severity: incident.severity,
            first_page: None,
            why: Unpaged::NotMeant,
            is_over: false,
        }
    }

    /// What the timeline says of why nobody is paged; the last word counts.
    fn hear(&mut self, what: &Happening) {
        match what {
            Happening::Routed { policies, .. } if policies.is_empty() => self.why = Unpaged::NoRoute,
            Happening::LevelEmpty { .. } | Happening::NobodyReached { .. } => self.why = Unpaged::NobodyReached,
            Happening::Suppressed { .. } => self.why = Unpaged::KeptQuiet,
            Happening::Recovered { held: true, .. } => self.why = Unpaged::Held,
            _ => {}
        }
    }

    /// How it stands at its end, or at that of the span.
    fn close(&mut self, incident: &Incident) {
        let waits = !incident.pages.is_empty() || incident.escalations.iter().any(|it| it.held_until.is_some());
        if waits && !matches!(self.why, Unpaged::Held | Unpaged::KeptQuiet) {
            self.why = if self.is_over { Unpaged::Waited } else { Unpaged::StillWaiting };
        }
        if !incident.suppressed.is_empty() {
            self.why = Unpaged::KeptQuiet;
        }
    }
}
