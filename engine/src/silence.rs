//! Silences: whether one is in force at an instant, what it matches, and when that changes.

pub(crate) mod configured;

use crate::{
    engine::Turn,
    event::{Refusal, SilenceAct, Wake},
    matcher::{Matcher, Subject},
    notice,
    window::Window,
};
use shared::{
    Delay, IncidentId, IncidentState, Silence, SilenceEnd, SilenceId, SilenceKind, SilenceRequest, SuppressedBy,
    Timestamp, config::Finding, silence::HID_MAX, timeline::Actor,
};
use std::sync::Arc;

/// A silence that lasts longer is a mistake of units, or a rule that should be removed.
const LONGEST: Delay = Delay(400 * 86_400_000);

/// A silence that is not over, ready to be asked.
#[derive(Clone, Debug)]
pub struct Standing {
    pub silence: Arc<Silence>,
    matchers: Vec<Matcher>,
    window: Option<Window>,
    /// The deadline that is set for it.
    armed: Option<Timestamp>,
}

/// What is wrong with a request; empty when nothing is. Paths are those of the request's fields.
#[must_use]
pub fn faults(request: &SilenceRequest, now: Timestamp) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut fault = |path: &str, message: &str| {
        found.push(Finding { path: path.to_owned(), message: message.to_owned(), fatal: true });
    };
    let starts_at = request.starts_at.unwrap_or(now);
    if request.reason.trim().is_empty() {
        fault("reason", "Say why: somebody will wonder at night.");
    }
    if request.matches.is_empty() {
        fault("match", "Name at least one condition, such as host=db-07.");
    }
    match request.ends_at {
        Some(ends_at) if ends_at <= now => fault("ends_at", "It would be over already; choose a time to come."),
        Some(ends_at) if ends_at <= starts_at => fault("ends_at", "It would end before it begins."),
        Some(ends_at) if ends_at.ms_since(starts_at) > LONGEST.0 => {
            fault("ends_at", "It would last more than 400 days; remove the rule that fires instead.");
        }
        None if !request.until_recovered && request.recurs.is_none() => {
            fault("ends_at", "Say until when, or that it ends with the trouble.");
        }
        _ => {}
    }
    for (i, text) in request.matches.iter().enumerate() {
        if let Err(error) = Matcher::parse(text) {
            fault(&format!("match[{i}]"), &error);
        }
    }
    if let Some(recurs) = &request.recurs
        && let Err((path, error)) = Window::compile(&recurs.window())
    {
        fault(&format!("recurs.{path}"), &error);
    }
    found
}

/// A request's conditions, all of which must hold; none when they do not compile, or there are none.
#[must_use]
pub fn conditions(request: &SilenceRequest) -> Option<Vec<Matcher>> {
    let matchers: Vec<Matcher> =
        request.matches.iter().map(|text| Matcher::parse(text)).collect::<Result<_, _>>().ok()?;
    (!matchers.is_empty()).then_some(matchers)
}

impl Standing {
    /// Makes a silence ready. One that cannot be read any more matches nothing: who would be kept quiet is paged.
    #[must_use]
    pub fn new(silence: Arc<Silence>) -> Self {
        let matchers: Result<Vec<_>, _> = silence.matches.iter().map(|text| Matcher::parse(text)).collect();
        let window = silence.recurs.as_ref().map(|recurs| Window::compile(&recurs.window()));
        let (matchers, window) = match (matchers, window.transpose()) {
            (Ok(matchers), Ok(window)) => (matchers, window),
            _ => (Vec::new(), None),
        };
        Self { silence, matchers, window, armed: None }
    }

    /// Whether it keeps an alert quiet now.
    #[must_use]
    pub fn covers(&self, subject: &Subject<'_>) -> bool {
        self.is_in_force(subject.now)
            && !self.matchers.is_empty()
            && self.matchers.iter().all(|matcher| matcher.holds(subject))
    }

    fn is_in_force(&self, now: Timestamp) -> bool {
        self.silence.starts_at <= now
            && self.silence.ends_at.is_none_or(|ends_at| now < ends_at)
            && self.window.as_ref().is_none_or(|window| window.contains(now))
    }

    /// When it begins, pauses, goes on or ends next.
    fn changes_after(&self, now: Timestamp) -> Option<Timestamp> {
        let begins = Some(self.silence.starts_at).filter(|at| *at > now);
        let turns = self.window.as_ref().and_then(|window| window.changes_after(now.max(self.silence.starts_at)));
        [begins, turns, self.silence.remind_at, self.silence.ends_at].into_iter().flatten().filter(|at| *at > now).min()
    }

    /// Until when it keeps quiet, as far as is known now.
    fn until(&self, now: Timestamp) -> Option<Timestamp> {
        let pause = self.window.as_ref().and_then(|window| window.changes_after(now));
        [pause, self.silence.ends_at].into_iter().flatten().min()
    }

    /// As it stands with what it keeps quiet.
    pub(crate) fn suppresses(&self, now: Timestamp) -> SuppressedBy {
        let (silence, until) = (self.silence.id, self.until(now));
        match self.silence.kind {
            SilenceKind::Silence => SuppressedBy::Silence { silence, until },
            SilenceKind::Maintenance => SuppressedBy::Maintenance { silence, until },
        }
    }
}

impl Turn<'_> {
    /// Somebody makes, changes or ends a silence.
    pub(crate) fn silence(&mut self, by: Actor, act: SilenceAct) -> Result<SilenceId, Refusal> {
        match act {
            SilenceAct::Begin(request) => {
                let id = self.engine.state.counters.next_silence();
                self.put_silence(request, id, by, self.now)
            }
            SilenceAct::Change(id, request) => {
                let created_at = self.by_hand(id)?.created_at;
                self.put_silence(request, id, by, created_at)
            }
            SilenceAct::End(id) => {
                self.by_hand(id)?;
                self.end_silence(id, by, None);
                Ok(id)
            }
        }
    }

    /// One that people may change: it stands, and not in the configuration.
    fn by_hand(&self, id: SilenceId) -> Result<&Silence, Refusal> {
        let silence = &self.engine.state.silences.get(&id).ok_or(Refusal::NoSuchSilence)?.silence;
        match &silence.configured {
            Some(name) => Err(Refusal::ConfiguredSilence { name: name.clone() }),
            None => Ok(silence),
        }
    }

    fn put_silence(
        &mut self,
        request: SilenceRequest,
        id: SilenceId,
        by: Actor,
        created_at: Timestamp,
    ) -> Result<SilenceId, Refusal> {
        if let Some(fault) = faults(&request, self.now).into_iter().next() {
            return Err(Refusal::BadSilence { path: fault.path, message: fault.message });
        }
        self.place_silence(request, id, by, created_at, None);
        Ok(id)
    }

    /// A new silence, or another one in its place.
    pub(crate) fn place_silence(
        &mut self,
        request: SilenceRequest,
        id: SilenceId,
        by: Actor,
        created_at: Timestamp,
        configured: Option<String>,
    ) {
        let before = self.engine.state.silences.remove(&id);
        if let Some(armed) = before.as_ref().and_then(|it| it.armed) {
            self.engine.state.deadlines.clear(armed, Wake::Silence { silence: id });
        }
        let before = before.map(|it| Arc::unwrap_or_clone(it.silence));
        let planned = before.as_ref().filter(|it| it.ends_at == request.ends_at).and_then(|it| it.remind_at);
        // One of the configuration has no owner to remind.
        let remind_at = planned.or_else(|| self.remind_at(&request).filter(|_| configured.is_none()));
        let (hid, hidden, stint, digests, notices) =
            before.map(|it| (it.hid, it.hidden, it.stint, it.digests, it.notices)).unwrap_or_default();
        let silence = Silence {
            id,
            kind: request.kind,
            matches: request.matches,
            starts_at: request.starts_at.unwrap_or(self.now),
            ends_at: request.ends_at,
            until_recovered: request.until_recovered,
            recurs: request.recurs,
            reason: request.reason,
            configured,
            by,
            author: request.author,
            created_at,
            ended: None,
            hid,
            hidden,
            remind_at,
            stint,
            digests,
            notices,
        };
        self.engine.state.silences.insert(id, Standing::new(Arc::new(silence)));
        self.engine.state.dirty.silences.insert(id);
        self.rearm_silence(id);
        self.review_all();
    }

    /// When the owner is told that it ends soon: not of one that whoever makes it knows to be short.
    fn remind_at(&self, request: &SilenceRequest) -> Option<Timestamp> {
        let lead = self.config.paging().silence_reminder;
        let once = !request.until_recovered && request.recurs.is_none() && lead > Delay::ZERO;
        let at = request.ends_at.filter(|_| once)?.plus_ms(-lead.0);
        (at > request.starts_at.unwrap_or(self.now).max(self.now)).then_some(at)
    }

    fn rearm_silence(&mut self, id: SilenceId) {
        self.engine.arm_silence(id, self.now);
    }

    /// A silence begins, pauses, goes on or ends.
    pub(crate) fn silence_due(&mut self, id: SilenceId) {
        let Some(standing) = self.engine.state.silences.get_mut(&id) else { return };
        standing.armed = None;
        if standing.silence.ends_at.is_some_and(|ends_at| ends_at <= self.now) {
            self.end_silence(id, Actor::System, None);
            return;
        }
        if standing.silence.stint.is_some() && !standing.is_in_force(self.now) {
            self.digest(id);
        }
        self.rearm_silence(id);
        self.review_all();
        self.remind_owner(id);
    }

    /// It is over: what it kept quiet and still fires pages.
    pub(crate) fn end_silence(&mut self, id: SilenceId, by: Actor, gone_since: Option<i64>) {
        let Some(mut standing) = self.engine.state.silences.remove(&id) else { return };
        if let Some(armed) = standing.armed {
            self.engine.state.deadlines.clear(armed, Wake::Silence { silence: id });
        }
        Arc::make_mut(&mut standing.silence).ended = Some(SilenceEnd { at: self.now, by, gone_since });
        self.engine.state.dirty.silences.insert(id);
        self.engine.state.over.insert(id, standing.silence);
        self.digest(id);
        self.review_all();
    }

    /// An incident a silence keeps quiet is noted in it.
    pub(crate) fn hide(&mut self, id: SilenceId, incident: IncidentId) {
        let state = &mut self.engine.state;
        let (Some(standing), Some(kept)) = (state.silences.get_mut(&id), state.incidents.get(&incident)) else {
            return;
        };
        let silence = Arc::make_mut(&mut standing.silence);
        notice::note(silence, kept, self.now);
        state.dirty.silences.insert(id);
        if silence.hid.contains(&incident) {
            return;
        }
        silence.hidden += 1;
        if silence.hid.len() < HID_MAX {
            silence.hid.push(incident);
        }
    }

    /// An incident is over: silences that last until it recovers end with the last one they keep quiet.
    pub(crate) fn recovered_in_silence(&mut self, incident: IncidentId) {
        let Some(over) = self.engine.state.incidents.get(&incident) else { return };
        let alone = !over.answered;
        for id in over.suppressed.iter().filter_map(SuppressedBy::silence).collect::<Vec<_>>() {
            self.recovered_alone(id, incident, alone);
            let state = &self.engine.state;
            let waits = state.silences.get(&id).is_some_and(|it| it.silence.until_recovered);
            let holds = |by: &SuppressedBy| by.silence() == Some(id);
            let mut others = state.incidents.values().filter(|it| it.state != IncidentState::Resolved);
            let unneeded = waits && !others.any(|it| it.id != incident && it.suppressed.iter().any(holds));
            drop(others);
            if unneeded {
                self.end_silence(id, Actor::System, None);
            }
        }
    }
}

impl Turn<'_> {
    /// What recovered during a maintenance before anybody acted is told at its end.
    fn recovered_alone(&mut self, id: SilenceId, incident: IncidentId, alone: bool) {
        let Some(standing) = self.engine.state.silences.get_mut(&id).filter(|_| alone) else { return };
        if !standing.silence.stint.as_ref().is_some_and(|stint| stint.hid.contains(&incident)) {
            return;
        }
        if let Some(stint) = Arc::make_mut(&mut standing.silence).stint.as_deref_mut() {
            stint.recovered.push(incident);
            self.engine.state.dirty.silences.insert(id);
        }
    }
}

impl crate::Engine {
    /// Sets the deadline of a silence's next change.
    pub(crate) fn arm_silence(&mut self, id: SilenceId, now: Timestamp) {
        let Some(standing) = self.state.silences.get_mut(&id) else { return };
        let wake = Wake::Silence { silence: id };
        if let Some(armed) = standing.armed.take() {
            self.state.deadlines.clear(armed, wake);
        }
        let over = standing.silence.ends_at.filter(|ends_at| *ends_at <= now);
        standing.armed = over.or_else(|| standing.changes_after(now));
        if let Some(at) = standing.armed {
            self.state.deadlines.set(at, wake);
        }
    }
}
