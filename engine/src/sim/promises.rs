//! What the simulated house promises beyond the engine's own invariants: to those who are paged, and to senders.

use crate::{compile::Snapshot, engine::Engine, event::Changes, lint::lint};
use shared::{
    Attempt, AttemptId, AttemptState, Delay, EventId, Incident, IncidentId, IncidentState, IntegrationId, Severity,
    Timestamp,
    config::ContactKind,
    timeline::{Happening, Outcome},
};
use std::{collections::BTreeMap, sync::Arc};

/// Attempts remembered; answers do not come later than that.
const ATTEMPTS_KEPT: i64 = 20_000;
/// A route holds a P0 no longer.
const HOLD_MAX: Delay = Delay::mins(5);
/// Time for slots, hanging providers and retries on top of what the policies say.
const SLACK: Delay = Delay::mins(5);

/// What one delivery did so far.
#[derive(Clone, Copy, Debug, Default)]
struct Rang {
    last_try: u32,
    rings: u32,
    ambiguous: u32,
    accepted: bool,
}

/// An answer that was given: when, the message's number and its outcomes.
type Answered = (Timestamp, EventId, Vec<Outcome>);

/// The book of promises.
#[derive(Clone, Debug, Default)]
pub(super) struct Promises {
    attempts: BTreeMap<AttemptId, Rang>,
    /// For each unanswered P0: since when nothing was done for it.
    waiting: BTreeMap<IncidentId, Timestamp>,
    /// The longest time between two pages that a policy seen so far may ask for.
    patience: Delay,
    /// Whether the configuration in force reaches somebody at all.
    reachable: bool,
    acknowledged: BTreeMap<(IntegrationId, String), Answered>,
    last_event: EventId,
}

impl Promises {
    /// A configuration is in force.
    pub(super) fn config(&mut self, config: &Arc<Snapshot>, now: Timestamp) {
        self.reachable = !config.document.people.is_empty() && lint(config, now).iter().all(|finding| !finding.fatal);
        let levels = config.policies.values().flat_map(|policy| &policy.levels).map(|level| level.delay);
        let rules = config.people.values().flat_map(|person| &person.rules);
        let steps = rules.flat_map(|rule| &rule.notify).map(|step| step.after).max().unwrap_or_default();
        let longest = levels.chain([Delay::mins(5)]).max().unwrap_or_default();
        // The longest silence there is: the last level's delay, then the time to the first reminder; or a P0 that is held.
        self.patience =
            self.patience.max(Delay(longest.0 + HOLD_MAX.0 + config.paging().reminder.0 + steps.0 + SLACK.0));
        self.excuse(now);
    }

    /// The process was down, stood still or got another configuration: what waited may wait from now.
    pub(super) fn excuse(&mut self, now: Timestamp) {
        self.waiting.values_mut().for_each(|since| *since = now);
    }

    /// After each event: all that is open, or what changed with it.
    pub(super) fn check(
        &mut self,
        engine: &Engine,
        changes: &Changes,
        whole: bool,
        now: Timestamp,
    ) -> Result<(), String> {
        let paging = engine.config().paging();
        let state = &engine.state;
        let checked = if whole {
            state.check(now, paging.in_flight)
        } else {
            let mut open = changes.incidents.iter().filter(|it| state.incidents.contains_key(&it.id));
            state.check_sums(now, paging.in_flight).and_then(|()| open.try_for_each(|it| state.check_incident(it)))
        };
        checked.map_err(|broken| broken.to_string())?;
        if let Some(attempt) = engine.state.held_up(paging) {
            return Err(format!("delivery {attempt} waits although a slot is free, or for ever"));
        }
        if whole && let Some((id, attempt)) = unseen(engine, now) {
            return Err(format!("P0 incident {id} was left with delivery {attempt}, which nobody saw"));
        }
        for (id, since) in &self.waiting {
            if self.reachable && now.ms_since(*since) > self.patience.0 {
                let silent = Delay(now.ms_since(*since));
                return Err(format!("nobody was paged for the unanswered P0 incident {id} for {silent}"));
            }
        }
        Ok(())
    }

    /// What became durable.
    pub(super) fn committed(&mut self, changes: &Changes, now: Timestamp) -> Result<(), String> {
        for incident in &changes.incidents {
            if incident.state == IncidentState::Triggered && incident.severity == Severity::P0 {
                self.waiting.entry(incident.id).or_insert(now);
            } else {
                self.waiting.remove(&incident.id);
            }
        }
        for entry in &changes.timeline {
            if let Happening::Delivery { attempt, state: AttemptState::Accepted, .. } = &entry.what {
                let rang = self.attempts.entry(*attempt).or_default();
                if std::mem::replace(&mut rang.accepted, true) {
                    return Err(format!("delivery {attempt} was counted as accepted twice"));
                }
            }
        }
        let oldest = AttemptId(changes.counters.attempt - ATTEMPTS_KEPT);
        if self.attempts.first_key_value().is_some_and(|(first, _)| first.0 < oldest.0 - ATTEMPTS_KEPT) {
            self.attempts = self.attempts.split_off(&oldest);
        }
        Ok(())
    }

    /// A try begins.
    pub(super) fn begun(
        &mut self,
        engine: &Engine,
        incident: IncidentId,
        attempt: AttemptId,
        try_number: u32,
        now: Timestamp,
    ) -> Result<(), String> {
        let known = engine.state.incidents.get(&incident);
        let state = known.map(|incident| incident.state);
        let helper = known.is_some_and(|incident| {
            let of = |page: &&shared::Page| page.attempts.iter().any(|it| it.id == attempt);
            incident.pages.iter().find(of).is_some_and(|page| page.via.is_beside())
        });
        let answered = matches!(state, Some(IncidentState::Acked | IncidentState::Snoozed));
        if state != Some(IncidentState::Triggered) && !(helper && answered) {
            return Err(format!("delivery {attempt} begins although incident {incident} is {state:?}"));
        }
        self.waiting.entry(incident).and_modify(|since| *since = now);
        let rang = self.attempts.entry(attempt).or_default();
        if try_number <= rang.last_try || rang.accepted {
            return Err(format!("delivery {attempt} begins try {try_number} after try {}", rang.last_try));
        }
        rang.last_try = try_number;
        Ok(())
    }

    /// A device rang; says whether it did before.
    pub(super) fn rang(&mut self, attempt: AttemptId) -> Result<bool, String> {
        let rang = self.attempts.entry(attempt).or_default();
        rang.rings += 1;
        if rang.rings > 1 + rang.ambiguous {
            return Err(format!("delivery {attempt} rang {} times after {} lost answers", rang.rings, rang.ambiguous));
        }
        Ok(rang.rings > 1)
    }

    /// The answer to a try is lost, late, or dies with the process.
    pub(super) fn ambiguous(&mut self, attempt: AttemptId) {
        self.attempts.entry(attempt).or_default().ambiguous += 1;
    }

    /// A sender was answered.
    pub(super) fn answered(
        &mut self,
        key: Option<(IntegrationId, String)>,
        (now, event, outcomes): Answered,
        repeated: bool,
    ) -> Result<(), String> {
        let fresh = event > self.last_event;
        self.last_event = self.last_event.max(event);
        let Some(key) = key else {
            return if fresh { Ok(()) } else { Err(format!("message number {event} was given twice")) };
        };
        self.acknowledged.retain(|_, (at, _, _)| now.ms_since(*at) < 86_400_000);
        if let Some((_, first, before)) = self.acknowledged.get(&key) {
            let same = repeated && *first == event && *before == outcomes;
            return if same {
                Ok(())
            } else {
                Err(format!("the key {key:?} was answered {before:?}, then {outcomes:?}"))
            };
        }
        self.acknowledged.insert(key, (now, event, outcomes));
        Ok(())
    }

    /// Attempts that may still ring, for the providers' memory.
    pub(super) fn oldest(&self) -> Option<AttemptId> {
        self.attempts.first_key_value().map(|(attempt, _)| *attempt)
    }
}

/// A push of a P0 that was taken and not shown in time, although another contact waits for its turn.
fn unseen(engine: &Engine, now: Timestamp) -> Option<(IncidentId, AttemptId)> {
    let bound = engine.config().paging().shown_p0;
    let urgent = |it: &&Arc<Incident>| it.severity == Severity::P0 && it.state == IncidentState::Triggered;
    let late = |it: &&Attempt| {
        let taken = it.finished_at.is_some_and(|at| at.after(bound) < now);
        it.state == AttemptState::Accepted && it.channel == ContactKind::Push && taken
    };
    engine.state.incidents.values().filter(urgent).find_map(|incident| {
        incident.pages.iter().filter(|page| !page.is_shown()).find_map(|page| {
            let late = page.attempts.iter().find(late)?;
            let another = page.attempts.iter().any(|it| it.state == AttemptState::Planned && it.due > now);
            let went_on = page.attempts.iter().any(|it| it.first_sent_at > late.finished_at);
            (another && !went_on).then_some((incident.id, late.id))
        })
    })
}
