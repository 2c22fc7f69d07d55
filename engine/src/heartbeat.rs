//! Heartbeats: what is not heard in time becomes an alert of the ordinary kind, and the next beat its recovery.
//!
//! The time counts from the last beat. A server that was away itself gives every heartbeat its whole interval and grace
//! again, since beats could not arrive: once for each beat, so that one which is restarted often still notices, and
//! whenever the deadline passed meanwhile.

mod compile;
mod rhythm;

pub use compile::CALENDAR_OLD;
pub(crate) use compile::compile;
pub use rhythm::{WEEKS_NEEDED, weeks};

use crate::{
    Engine,
    compile::{SELF, Snapshot},
    dedup,
    engine::Turn,
    event::{OwnMessage, Refusal, Wake},
    matcher::{Matcher, Subject},
    oncall::Spans,
    route::Routing,
    window::Hours,
};
use shared::{
    Action, AlertEvent, AlertId, Counted, CountedBecause, Delay, Down, DownBecause, Format, HeartbeatId, IncidentId,
    IntegrationId, LayerId, MarkKind, Pulse, ScheduleId, Signal, Timestamp,
    config::Heartbeat,
    timeline::{Actor, Happening},
};
use std::collections::BTreeMap;

/// Characters kept of what is sent along.
const NOTE_MAX: usize = 500;

/// A configured heartbeat, ready to use.
#[derive(Clone, Debug)]
pub struct Expected {
    pub config: Heartbeat,
    matches: Vec<Matcher>,
    hours: Hours,
    /// Days on which silence says nothing.
    holidays: Spans,
    /// Any message of the sender is a beat, and is an alert all the same.
    any: bool,
    /// How long it may be silent is learned from when it was heard.
    learned: bool,
}

impl Expected {
    /// How long it may be silent.
    #[must_use]
    pub const fn patience(&self) -> Delay {
        Delay(self.config.interval.0.saturating_add(self.config.grace.0))
    }

    /// When it is missed if nothing comes after `from`. Silence outside its time windows and on holidays is fine: then the
    /// time counts from the end of the holiday, or from the beginning of the next window and is over with it at the latest.
    /// None when no window ever comes, and when too little is known of whose rhythm is to be learned.
    #[must_use]
    pub fn due(&self, pulse: &Pulse, from: Timestamp) -> Option<Timestamp> {
        if self.learned {
            return rhythm::due(pulse.rhythm.as_deref()?, from, &self.holidays);
        }
        let mut due = from.after(self.patience());
        while let Some((_, until)) = self.holidays.at(due) {
            due = until.after(self.patience());
        }
        if self.hours.quiet(due).is_none() {
            return Some(due);
        }
        let opens = self.hours.quiet_until(due)?;
        let closes = self.hours.active.iter().filter_map(|(_, window)| window.changes_after(opens)).min();
        let due = opens.after(self.patience());
        Some(closes.map_or(due, |closes| due.min(closes)))
    }
}

/// The identity of a heartbeat's alert.
#[must_use]
pub fn key(heartbeat: &HeartbeatId) -> String {
    format!("heartbeat:{heartbeat}")
}

/// The name under which the silence of a sender is watched; no configured heartbeat can have it.
#[must_use]
pub fn of_sender(integration: &IntegrationId) -> HeartbeatId {
    HeartbeatId(format!("sender:{integration}").into())
}

/// The name under which a calendar that others keep is watched; no configured heartbeat can have it.
#[must_use]
pub fn of_calendar(schedule: &ScheduleId, layer: &LayerId) -> HeartbeatId {
    HeartbeatId(format!("calendar:{schedule}:{layer}").into())
}

/// The heartbeat that an alert is about.
fn of<'a>(config: &'a Snapshot, integration: &IntegrationId, event: &AlertEvent) -> Option<&'a Expected> {
    if integration.as_str() != SELF {
        return None;
    }
    config.heartbeats.get(&HeartbeatId::from(event.dedup_key.strip_prefix("heartbeat:")?))
}

/// A heartbeat that names its policy goes there, whatever the routes say.
pub(crate) fn overrule(config: &Snapshot, subject: &Subject<'_>, routing: &mut Routing) {
    let Some(expected) = of(config, subject.integration, subject.event) else { return };
    routing.annotations.extend(expected.config.annotations.clone());
    let Some(policy) = &expected.config.policy else { return };
    routing.overrule(&key(&expected.config.id), std::slice::from_ref(policy));
}

/// The alert of a heartbeat, or its recovery, as if a sender had written it.
fn event(heartbeat: &Heartbeat, action: Action, because: DownBecause, note: &str) -> AlertEvent {
    let title = heartbeat.title();
    let usual = match because {
        DownBecause::Missed => format!("no heartbeat from {title}"),
        DownBecause::Failed => format!("{title} reports a failure"),
    };
    let mut labels = heartbeat.labels.clone();
    labels.insert("heartbeat".to_owned(), heartbeat.id.to_string());
    AlertEvent {
        action,
        summary: heartbeat.summary.clone().unwrap_or(usual).into(),
        content: note.into(),
        labels: labels.into(),
        dedup_key: key(&heartbeat.id).into(),
        ..AlertEvent::blank(Format::Json, heartbeat.severity)
    }
}

impl Engine {
    /// Takes over how heartbeats stood before a restart.
    pub(crate) fn take_pulses(&mut self, pulses: Vec<Pulse>, now: Timestamp) {
        self.state.pulses = pulses.into_iter().map(|pulse| (pulse.heartbeat.clone(), pulse)).collect();
        self.watch_heartbeats(now, CountedBecause::Restart);
    }

    /// Nobody can be heard any more, since nothing can be stored: what is not heard now says nothing. Waiting begins anew
    /// when the state is read back.
    pub fn stop_listening(&mut self) {
        for pulse in self.state.pulses.values_mut() {
            pulse.due = None;
        }
        self.state.deadlines.give_up(|wake| matches!(wake, Wake::Heartbeat | Wake::Stale { .. }));
    }

    /// Waits for what the configuration in force says, and for nothing else.
    pub(crate) fn watch_heartbeats(&mut self, now: Timestamp, because: CountedBecause) {
        let config = self.config().clone();
        let mut pulses: BTreeMap<HeartbeatId, Pulse> = std::mem::take(&mut self.state.pulses);
        for (id, pulse) in &mut pulses {
            // One that is configured no more is not waited for, and not forgotten: it may be configured again.
            let expected = config.heartbeats.get(id);
            let before = (pulse.due, pulse.counted);
            if let Some(due) = pulse.due {
                self.state.deadlines.clear(due, Wake::Heartbeat);
            }
            let awaited = |it: &&Expected| !it.config.paused && pulse.down.is_none() && pulse.last_at.is_some();
            pulse.due = expected.filter(awaited).and_then(|expected| wait(expected, pulse, now, because));
            if before != (pulse.due, pulse.counted) {
                self.state.dirty.pulses.insert(id.clone());
            }
        }
        for due in pulses.values().filter_map(|pulse| pulse.due) {
            self.state.deadlines.set(due, Wake::Heartbeat);
        }
        self.state.pulses = pulses;
    }
}

/// Until when a heartbeat that was heard before is waited for, after a restart or for another configuration.
fn wait(expected: &Expected, pulse: &mut Pulse, now: Timestamp, because: CountedBecause) -> Option<Timestamp> {
    let known = pulse.counted.filter(|counted| counted.from <= now);
    let due = known.and_then(|counted| expected.due(pulse, counted.from));
    let given = known.is_some_and(|counted| counted.because == CountedBecause::Restart);
    let over = due.is_some_and(|due| due <= now);
    let anew = match because {
        CountedBecause::Restart => !given || over,
        // It waits anew when it was paused, or is expected so much earlier that its time is over already.
        CountedBecause::Configured => pulse.due.is_none() || over,
        CountedBecause::Beat => true,
    };
    if !anew && known.is_some() {
        return due;
    }
    pulse.counted = Some(Counted { from: now, because });
    expected.due(pulse, now)
}

impl Turn<'_> {
    /// A sender said something at the address of a heartbeat.
    pub(crate) fn heard(&mut self, id: &HeartbeatId, signal: Signal, note: String) -> Result<(), Refusal> {
        let config = self.config.clone();
        let expected = config.heartbeats.get(id).ok_or(Refusal::NoSuchHeartbeat)?;
        let now = self.now;
        let pulse = self.engine.state.pulses.entry(id.clone()).or_insert_with(|| Pulse::new(id.clone()));
        self.engine.state.dirty.pulses.insert(id.clone());
        if !note.is_empty() || matches!(signal, Signal::Beat | Signal::Fail) {
            pulse.note = note.chars().take(NOTE_MAX).collect();
        }
        let before = pulse.due;
        let was_down = pulse.down;
        match signal {
            Signal::Log => return Ok(()),
            Signal::Start => {
                pulse.started_at = Some(now);
                return Ok(());
            }
            Signal::Beat => {
                pulse.last_at = Some(now);
                pulse.beats += 1;
                pulse.down = None;
                pulse.counted = Some(Counted { from: now, because: CountedBecause::Beat });
                if expected.any {
                    rhythm::hear(&mut pulse.rhythm, now);
                }
                pulse.due = if expected.config.paused { None } else { expected.due(pulse, now) };
                pulse.mark(now, MarkKind::Beat);
            }
            Signal::Fail => {
                pulse.mark(now, MarkKind::Failed);
                if !expected.config.paused {
                    pulse.down.get_or_insert(Down { since: now, because: DownBecause::Failed });
                    pulse.due = None;
                }
            }
        }
        pulse.started_at = None;
        let (due, down) = (pulse.due, pulse.down);
        self.rearm_heartbeat(before, due);
        if signal == Signal::Beat {
            self.recover_heartbeat(&expected.config, was_down.map_or(DownBecause::Missed, |down| down.because));
        } else if down.is_some() && was_down.is_none() {
            self.raise_heartbeat(&expected.config, DownBecause::Failed);
        }
        Ok(())
    }

    /// Whatever was due at `at` did not come.
    pub(crate) fn heartbeats_due(&mut self, at: Timestamp) {
        let config = self.config.clone();
        let now = self.now;
        let is_due = |pulse: &&mut Pulse| pulse.due.is_some_and(|due| due <= at);
        let mut missed = Vec::new();
        for pulse in self.engine.state.pulses.values_mut().filter(is_due) {
            pulse.due = None;
            pulse.down = Some(Down { since: now, because: DownBecause::Missed });
            pulse.mark(now, MarkKind::Missed);
            missed.push(pulse.heartbeat.clone());
        }
        for id in missed {
            self.engine.state.dirty.pulses.insert(id.clone());
            if let Some(expected) = config.heartbeats.get(&id) {
                self.raise_heartbeat(&expected.config, DownBecause::Missed);
            }
        }
    }

    /// Firing alerts of a sender that are beats; the first heartbeat they are for.
    pub(crate) fn beats(&mut self, integration: &IntegrationId, event: &AlertEvent) -> Option<HeartbeatId> {
        if event.action != Action::Trigger || self.config.heartbeats.is_empty() {
            return None;
        }
        let subject = Subject { event, integration, severity: event.severity, now: self.now };
        let is_beat = |expected: &&Expected| {
            !expected.any
                && expected.config.integration.as_ref() == Some(integration)
                && expected.matches.iter().all(|matcher| matcher.holds(&subject))
        };
        let beats: Vec<_> = self.config.heartbeats.values().filter(is_beat).map(|it| it.config.id.clone()).collect();
        for id in &beats {
            // It is configured, so it cannot be refused.
            let heard = self.heard(id, Signal::Beat, event.summary.to_string());
            debug_assert!(heard.is_ok());
        }
        beats.into_iter().next()
    }

    /// A sender whose silence is watched said something. Who sends all the time is not noted each time: at most sixty
    /// times in the length of silence that counts, and once a minute.
    pub(crate) fn sender_heard(&mut self, integration: &IntegrationId) {
        if self.config.heartbeats.is_empty() {
            return;
        }
        let id = of_sender(integration);
        let Some(expected) = self.config.heartbeats.get(&id) else { return };
        let often_ms = if expected.learned { 60_000 } else { (expected.config.interval.0 / 60).min(60_000) };
        let just_now =
            |pulse: &Pulse| pulse.down.is_none() && pulse.last_at.is_some_and(|at| self.now.ms_since(at) < often_ms);
        if self.engine.state.pulses.get(&id).is_some_and(just_now) {
            return;
        }
        // It is configured, so it cannot be refused.
        let heard = self.heard(&id, Signal::Beat, String::new());
        debug_assert!(heard.is_ok());
    }

    /// Writes into an incident's timeline why a heartbeat's alert was raised.
    pub(crate) fn note_heartbeat(&mut self, incident: IncidentId, alert: AlertId) {
        let state = &self.engine.state;
        let Some(alert) = state.alerts.get(&alert) else { return };
        let Some(expected) = of(&self.config, &alert.integration, &alert.event) else { return };
        let Some(pulse) = state.pulses.get(&expected.config.id) else { return };
        let Some(down) = pulse.down else { return };
        let silent_ms = pulse.counted.map_or(0, |counted| down.since.ms_since(counted.from));
        let what = Happening::HeartbeatDown {
            heartbeat: pulse.heartbeat.clone(),
            because: down.because,
            last_at: pulse.last_at,
            counted: pulse.counted,
            interval_ms: if expected.learned { silent_ms } else { expected.config.interval.0 },
            grace_ms: expected.config.grace.0,
            learned_weeks: pulse.rhythm.as_deref().filter(|_| expected.learned).map(weeks),
            note: pulse.note.clone(),
        };
        self.note(incident, Actor::System, what);
    }

    fn rearm_heartbeat(&mut self, before: Option<Timestamp>, due: Option<Timestamp>) {
        let state = &mut self.engine.state;
        // Two may be due at the same instant.
        if let Some(before) = before.filter(|at| !state.pulses.values().any(|pulse| pulse.due == Some(*at))) {
            state.deadlines.clear(before, Wake::Heartbeat);
        }
        if let Some(due) = due {
            state.deadlines.set(due, Wake::Heartbeat);
        }
    }

    fn raise_heartbeat(&mut self, heartbeat: &Heartbeat, because: DownBecause) {
        let note = self.engine.state.pulses.get(&heartbeat.id).map(|pulse| pulse.note.clone()).unwrap_or_default();
        self.announce(event(heartbeat, Action::Trigger, because, &note));
    }

    fn recover_heartbeat(&mut self, heartbeat: &Heartbeat, because: DownBecause) {
        if dedup::open(&self.engine.state, &SELF.into(), &key(&heartbeat.id)).is_some() {
            self.announce(event(heartbeat, Action::Resolve, because, ""));
        }
    }

    /// Raises an alert, or its recovery, under the pager's own name. It goes the way of every other.
    pub(crate) fn announce(&mut self, event: AlertEvent) {
        let id = self.engine.state.counters.next_event();
        let outcome = self.alert(&SELF.into(), event.clone(), id, None);
        self.book(&outcome);
        self.engine.state.dirty.own.push(OwnMessage { id, at: self.now, event, outcome });
    }
}
