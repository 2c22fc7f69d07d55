//! The life of a mirror: what people ask for, what drivers report, and what its time brings.
//!
//! Each mirror has one deadline. It fails closed: what is not known to be as it was planned is asked to end, and what was
//! asked to end is asked again until the switch was read without it.

use super::{MirrorCommand, MirrorRefusal};
use crate::{
    deadline::Deadlines,
    engine::{Engine, Turn},
    event::Wake,
};
use shared::{
    Delay, MirrorId, Timestamp,
    mirror::{
        Counters, Evidence, Looked, Mirror, MirrorEnd, MirrorReport, MirrorState, MirrorStep, MirrorTrouble, Presence,
        STEPS_MAX, Transport, Verified,
    },
    timeline::{Actor, Happening, MirrorEvent},
};
use std::{collections::BTreeSet, sync::Arc};

/// A driver answers a plan within this; after that, or a restart, it is sent again, which changes nothing if it is there.
const APPLY_LEASE: Delay = Delay::secs(60);
/// So often a plan is sent before it is given up and removed.
const APPLY_TRIES: u32 = 3;
/// How often a running mirror is looked at. Open vSwitch counts every 5 s.
const LOOK_EVERY: Delay = Delay::secs(5);
/// A mirror that changes nothing but its counters is stored so often.
const STORE_EVERY: Delay = Delay::secs(30);
/// So many looks without a copy, while its source counts packets, and it is said that it does not copy.
const LOOKS_TO_VERIFY: u32 = 3;
/// A mirror that somebody changed has so long to be as planned again.
const DRIFT_GRACE: Delay = Delay::secs(30);
/// A removal is asked for again after this, twice as long each time, up to [`REMOVE_LATEST`].
const REMOVE_FIRST: Delay = Delay::secs(1);
const REMOVE_LATEST: Delay = Delay::secs(15);
/// Flat looks that prove that it is over, how far apart, and how many looks are spent on it.
const FLAT_LOOKS: u32 = 2;
const PROVE_EVERY: Delay = Delay::secs(6);
const PROVE_LOOKS: u32 = 20;
/// Somebody is woken when a mirror outlives its end by this.
const OUTLIVES: Delay = Delay::secs(60);

/// A mirror that is not over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    pub mirror: Arc<Mirror>,
    /// When it is to be sent, looked at or removed next.
    next: Timestamp,
    /// The deadline that is set for it.
    armed: Option<Timestamp>,
    stored_at: Timestamp,
    /// Since when it is not as planned.
    drifted_at: Option<Timestamp>,
    /// Looks since it was applied, or since it was gone.
    looks: u32,
    /// The end in its tag is not the one it has.
    pub(super) untagged: bool,
    /// An alert says that it cannot be ended.
    pub(super) raised: bool,
}

impl Running {
    pub(super) fn new(mirror: Mirror, now: Timestamp) -> Self {
        let mirror = Arc::new(mirror);
        Self {
            mirror,
            next: now,
            armed: None,
            stored_at: now,
            drifted_at: None,
            looks: 0,
            untagged: false,
            raised: false,
        }
    }

    /// Its number, when its time is over and it is not asked to end, or when nothing will ever happen to it.
    pub(crate) fn is_lost(&self, now: Timestamp, deadlines: &Deadlines) -> Option<MirrorId> {
        let Mirror { id, state, expires_at, .. } = &*self.mirror;
        let overdue = *expires_at <= now && !matches!(state, MirrorState::Stopping | MirrorState::Stopped);
        let armed = self.armed.is_some_and(|at| deadlines.contains(at, Wake::Mirror { mirror: *id }));
        (!self.mirror.is_over() && (overdue || !armed)).then_some(*id)
    }

    /// When something has to be done about it.
    fn due(&self, approve_within: Delay) -> Timestamp {
        let Mirror { state, created_at, starts_at, expires_at, .. } = &*self.mirror;
        match state {
            MirrorState::Planned => created_at.after(approve_within).min(*expires_at),
            MirrorState::Approved => (*starts_at).min(*expires_at),
            MirrorState::Stopping | MirrorState::Stopped => self.next,
            _ => self.next.min(*expires_at),
        }
    }
}

impl Engine {
    /// Takes back what was not over. `ahead_ms`: by how much the clock was set back meanwhile; nothing lasts longer for it.
    pub(crate) fn restore_mirrors(&mut self, mirrors: Vec<Mirror>, ahead_ms: i64, now: Timestamp) {
        for mut mirror in mirrors {
            mirror.expires_at = mirror.expires_at.plus_ms(-ahead_ms);
            let (id, raised) = (mirror.id, self.has_alarm(mirror.id));
            // Its tag may have been on the way when the last process ended; to write it once more is no harm.
            let untagged = mirror.state.is_running();
            self.state.mirrors.insert(id, Running { untagged, raised, ..Running::new(mirror, now) });
            if ahead_ms > 0 {
                self.state.dirty.mirrors.insert(id);
            }
            self.arm_mirror(id);
        }
    }

    /// Those that changed, as they are; what is over leaves the memory.
    pub(crate) fn changed_mirrors(&mut self, changed: BTreeSet<MirrorId>) -> Vec<Arc<Mirror>> {
        let mut told = Vec::with_capacity(changed.len());
        for id in changed {
            let Some(running) = self.state.mirrors.get(&id) else { continue };
            told.push(running.mirror.clone());
            if running.mirror.is_over() {
                self.state.mirrors.remove(&id);
            }
        }
        told
    }

    pub(super) fn arm_mirror(&mut self, id: MirrorId) {
        let within = self.config().document.mirrors.approve_within;
        let Some(running) = self.state.mirrors.get_mut(&id) else { return };
        if let Some(armed) = running.armed.take() {
            self.state.deadlines.clear(armed, Wake::Mirror { mirror: id });
        }
        if running.mirror.is_over() {
            return;
        }
        let due = running.due(within);
        running.armed = Some(due);
        self.state.deadlines.set(due, Wake::Mirror { mirror: id });
    }
}

impl Turn<'_> {
    /// What a driver says of a mirror.
    pub(crate) fn mirror_reported(&mut self, id: MirrorId, report: MirrorReport) {
        let Some(state) = self.engine.state.mirrors.get(&id).map(|it| it.mirror.state) else { return };
        match (state, report) {
            (MirrorState::Applying, MirrorReport::Applied { counters }) => self.applied(id, counters),
            (MirrorState::Applying, MirrorReport::Refused { message }) => {
                self.trouble(id, &message);
                self.change(id, |mirror, at| {
                    mirror.state = MirrorState::Failed;
                    mirror.ended = Some(MirrorEnd::Refused { at });
                });
                self.step(id, Actor::System, MirrorEvent::Refused { message });
            }
            (MirrorState::Applying, MirrorReport::Unknown { message }) => {
                self.trouble(id, &message);
                self.end_mirror(id, MirrorEnd::Unanswered { at: self.now }, Actor::System);
            }
            (state, MirrorReport::Looked(looked)) if state.is_running() => self.looked(id, looked),
            (MirrorState::Stopping, MirrorReport::Stopped { counters }) => self.stopped(id, counters),
            (MirrorState::Stopping, MirrorReport::NotStopped { message }) => self.not_stopped(id, message),
            (MirrorState::Stopped, MirrorReport::Quiet { flat }) => self.quieted(id, flat),
            (state, MirrorReport::Extended) if state.is_running() => {
                if let Some(running) = self.engine.state.mirrors.get_mut(&id) {
                    running.untagged = false;
                }
            }
            (state, MirrorReport::NotExtended { message }) if state.is_running() => {
                // Not said again and again: the next look asks once more.
                let known = self.known(id).ok().and_then(|it| it.trouble.as_ref());
                if known.is_none_or(|it| it.message != message) {
                    self.trouble(id, &message);
                    self.step(id, Actor::System, MirrorEvent::NotExtended { message });
                }
            }
            // An answer that comes after something else was decided.
            _ => {}
        }
        self.engine.arm_mirror(id);
    }

    fn applied(&mut self, id: MirrorId, counters: Option<Counters>) {
        self.change(id, |mirror, now| {
            mirror.state = MirrorState::Applied;
            mirror.applied_at = Some(now);
            mirror.trouble = None;
            mirror.tries = 0;
            mirror.evidence = Evidence { first: counters, last: counters, ..Evidence::default() };
        });
        self.step(id, Actor::System, MirrorEvent::Applied);
        self.next(id, LOOK_EVERY, true);
        if counters.is_none() {
            self.verified(id, Verified::Uncounted { at: self.now });
        }
    }

    fn looked(&mut self, id: MirrorId, looked: Looked) {
        let Looked { presence, counters } = looked;
        match presence {
            Presence::Absent => {
                self.change(id, |mirror, at| {
                    mirror.ended = Some(MirrorEnd::Removed { at });
                    mirror.state = MirrorState::Stopping;
                });
                self.step(id, Actor::System, MirrorEvent::Ending { why: MirrorEnd::Removed { at: self.now } });
                self.stopped(id, counters);
            }
            Presence::SourceGone => {
                self.counted(id, counters);
                if self.known(id).is_ok_and(|it| it.state != MirrorState::Disarmed) {
                    self.change(id, |mirror, _| mirror.state = MirrorState::Disarmed);
                    self.step(id, Actor::System, MirrorEvent::Disarmed);
                }
                self.effects.mirrors.push(MirrorCommand::Rearm { mirror: id });
            }
            Presence::Changed(what) => {
                self.counted(id, counters);
                let now = self.now;
                let Some(running) = self.engine.state.mirrors.get_mut(&id) else { return };
                let since = *running.drifted_at.get_or_insert(now);
                if running.mirror.state != MirrorState::Drifted {
                    self.change(id, |mirror, _| mirror.state = MirrorState::Drifted);
                    self.step(id, Actor::System, MirrorEvent::Drifted { what });
                } else if now.ms_since(since) >= DRIFT_GRACE.0 {
                    self.end_mirror(id, MirrorEnd::Changed { at: now }, Actor::System);
                }
            }
            Presence::AsPlanned => self.as_planned(id, counters),
        }
    }

    fn as_planned(&mut self, id: MirrorId, counters: Option<Counters>) {
        let before = self.known(id).ok().and_then(|it| it.evidence.last);
        self.counted(id, counters);
        let now = self.now;
        let Some(running) = self.engine.state.mirrors.get_mut(&id) else { return };
        running.drifted_at = None;
        running.looks = running.looks.saturating_add(1);
        let (looks, mirror) = (running.looks, running.mirror.clone());
        if running.untagged {
            self.effects.mirrors.push(MirrorCommand::Retag { mirror: id });
        }
        if matches!(mirror.state, MirrorState::Drifted | MirrorState::Disarmed) {
            let state = if mirror.verified.is_some() { MirrorState::Active } else { MirrorState::Applied };
            self.change(id, |mirror, _| mirror.state = state);
            self.step(id, Actor::System, MirrorEvent::Restored);
        }
        let copies = mirror.evidence.copied().0 > 0;
        match (mirror.verified, counters) {
            (None, None) => self.verified(id, Verified::Uncounted { at: now }),
            (None | Some(Verified::Idle { .. }), Some(_)) if copies => {
                self.verified(id, Verified::Counted { at: now });
            }
            (None, Some(counted)) if looks >= 2 => {
                let source = |it: Option<Counters>| it.and_then(|it| it.source_packets);
                let first = source(mirror.evidence.first.or(before));
                match (first, source(Some(counted))) {
                    (Some(first), Some(last)) if last == first => self.verified(id, Verified::Idle { at: now }),
                    // It is not known whether there is anything to copy.
                    (Some(_), Some(_)) | (None, _) | (_, None) if looks >= LOOKS_TO_VERIFY => {
                        self.unverified(id);
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }

    /// Takes counters in, and the rate they show.
    fn counted(&mut self, id: MirrorId, counters: Option<Counters>) {
        let (Some(now), Some(running)) = (counters, self.engine.state.mirrors.get_mut(&id)) else { return };
        let evidence = &mut Arc::make_mut(&mut running.mirror).evidence;
        let first = *evidence.first.get_or_insert(now);
        if let Some(last) = evidence.last {
            let ms = now.at.ms_since(last.at);
            // Counters that fell were set anew: what was counted before is not known to be more than that.
            if now.packets < last.packets || now.bytes < last.bytes {
                evidence.first = Some(Counters { at: first.at, ..now });
            } else if ms > 0 {
                evidence.bps = ((now.bytes - last.bytes) * 8_000) / ms.unsigned_abs();
                evidence.peak_bps = evidence.peak_bps.max(evidence.bps);
            }
            let flat = now.packets == last.packets;
            evidence.flat = if flat { evidence.flat.saturating_add(1) } else { 0 };
        }
        evidence.last = Some(now);
        if self.now.ms_since(running.stored_at) >= STORE_EVERY.0 {
            running.stored_at = self.now;
            self.engine.state.dirty.mirrors.insert(id);
        }
    }

    fn verified(&mut self, id: MirrorId, how: Verified) {
        self.change(id, |mirror, _| {
            mirror.verified = Some(how);
            mirror.trouble = None;
            mirror.state = MirrorState::Active;
        });
        self.step(id, Actor::System, MirrorEvent::Verified { how });
    }

    /// Its source counts packets, or cannot say, and nothing is copied.
    fn unverified(&mut self, id: MirrorId) {
        let Ok(mirror) = self.known(id) else { return };
        if mirror.steps.iter().any(|step| step.what == MirrorEvent::NotCopying) {
            return;
        }
        self.step(id, Actor::System, MirrorEvent::NotCopying);
    }

    fn stopped(&mut self, id: MirrorId, counters: Option<Counters>) {
        self.counted(id, counters);
        let Ok(mirror) = self.known(id) else { return };
        let (packets, bytes) = mirror.evidence.copied();
        self.change(id, |mirror, now| {
            mirror.state = MirrorState::Stopped;
            mirror.stopped_at = Some(now);
            mirror.trouble = None;
            mirror.tries = 0;
            mirror.evidence.bps = 0;
            mirror.evidence.flat = 0;
        });
        self.step(id, Actor::System, MirrorEvent::Stopped { packets, bytes });
        self.lower(id);
        self.next(id, Delay::ZERO, true);
    }

    fn not_stopped(&mut self, id: MirrorId, message: String) {
        self.trouble(id, &message);
        let Ok(mirror) = self.known(id) else { return };
        let (tries, late) =
            (mirror.tries, mirror.ended.as_ref().is_some_and(|end| end.at().after(OUTLIVES) <= self.now));
        if tries <= 1 {
            self.step(id, Actor::System, MirrorEvent::NotStopped { message, tries });
        }
        if late {
            self.raise(id);
        }
    }

    fn quieted(&mut self, id: MirrorId, flat: Option<bool>) {
        let Some(running) = self.engine.state.mirrors.get_mut(&id) else { return };
        running.looks = running.looks.saturating_add(1);
        let spent = running.looks >= PROVE_LOOKS;
        let first_time = !running.mirror.steps.iter().any(|step| step.what == MirrorEvent::StillCounted);
        let flats = if flat == Some(true) { running.mirror.evidence.flat + 1 } else { 0 };
        self.change(id, |mirror, now| {
            mirror.evidence.flat = flats;
            if flats >= FLAT_LOOKS {
                mirror.state = MirrorState::ProvedStopped;
                mirror.proved_at = Some(now);
            } else if flat.is_none() || spent {
                mirror.unprovable = true;
            }
        });
        if flats >= FLAT_LOOKS {
            self.step(id, Actor::System, MirrorEvent::ProvedStopped);
        } else if flat == Some(false) && first_time {
            self.step(id, Actor::System, MirrorEvent::StillCounted);
        }
    }

    /// Its time has come, for whatever is next.
    pub(crate) fn mirror_due(&mut self, id: MirrorId) {
        let Some(running) = self.engine.state.mirrors.get_mut(&id) else { return };
        running.armed = None;
        let mirror = running.mirror.clone();
        let expired = mirror.expires_at <= self.now;
        match mirror.state {
            MirrorState::Planned => {
                let at = self.now;
                let why = if expired { MirrorEnd::Expired { at } } else { MirrorEnd::NotApproved { at } };
                self.end_mirror(id, why, Actor::System);
            }
            _ if expired && !matches!(mirror.state, MirrorState::Stopping | MirrorState::Stopped) => {
                self.end_mirror(id, MirrorEnd::Expired { at: self.now }, Actor::System);
            }
            MirrorState::Approved => self.send_mirror(id),
            MirrorState::Applying if mirror.tries >= APPLY_TRIES => {
                self.end_mirror(id, MirrorEnd::Unanswered { at: self.now }, Actor::System);
            }
            MirrorState::Applying => self.send_mirror(id),
            MirrorState::Stopping => self.remove_mirror(id),
            MirrorState::Stopped => {
                self.effects.mirrors.push(MirrorCommand::Prove { mirror: id });
                self.next(id, PROVE_EVERY, false);
            }
            state if state.is_running() => {
                self.effects.mirrors.push(MirrorCommand::Look { mirror: id });
                self.next(id, LOOK_EVERY, false);
            }
            _ => {}
        }
        self.engine.arm_mirror(id);
    }

    fn send_mirror(&mut self, id: MirrorId) {
        self.change(id, |mirror, _| {
            mirror.state = MirrorState::Applying;
            mirror.tries += 1;
        });
        let tries = self.known(id).map_or(0, |it| it.tries);
        self.step(id, Actor::System, MirrorEvent::Sent { tries });
        self.effects.mirrors.push(MirrorCommand::Apply { mirror: id });
        self.next(id, APPLY_LEASE, true);
    }

    fn remove_mirror(&mut self, id: MirrorId) {
        self.change(id, |mirror, _| mirror.tries = mirror.tries.saturating_add(1));
        let tries = self.known(id).map_or(1, |it| it.tries);
        self.effects.mirrors.push(MirrorCommand::Remove { mirror: id });
        let doubled = REMOVE_FIRST.0.saturating_mul(1 << tries.saturating_sub(1).min(8));
        self.next(id, Delay(doubled.min(REMOVE_LATEST.0)), false);
        let late =
            self.known(id).is_ok_and(|it| it.ended.as_ref().is_some_and(|end| end.at().after(OUTLIVES) <= self.now));
        if late {
            self.raise(id);
        }
    }

    /// It is to end: what was never sent is dropped, and anything else is removed until the switch was read without it.
    pub(super) fn end_mirror(&mut self, id: MirrorId, why: MirrorEnd, by: Actor) {
        let Ok(mirror) = self.known(id) else { return };
        let sent = mirror.state.may_run();
        self.change(id, |mirror, _| {
            mirror.ended = Some(why.clone());
            mirror.tries = 0;
            mirror.state = if sent { MirrorState::Stopping } else { MirrorState::Dropped };
        });
        self.step(id, by, if sent { MirrorEvent::Ending { why } } else { MirrorEvent::Dropped });
        if sent {
            self.remove_mirror(id);
        }
        self.engine.arm_mirror(id);
    }

    pub(super) fn known(&self, id: MirrorId) -> Result<&Mirror, MirrorRefusal> {
        self.engine.state.mirrors.get(&id).map(|it| &*it.mirror).ok_or(MirrorRefusal::Unknown)
    }

    pub(super) fn change(&mut self, id: MirrorId, how: impl FnOnce(&mut Mirror, Timestamp)) {
        let now = self.now;
        let Some(running) = self.engine.state.mirrors.get_mut(&id) else { return };
        how(Arc::make_mut(&mut running.mirror), now);
        running.stored_at = now;
        self.engine.state.dirty.mirrors.insert(id);
    }

    /// When it is to be looked at next; `anew` counts looks from the beginning.
    fn next(&mut self, id: MirrorId, after: Delay, anew: bool) {
        let now = self.now;
        let Some(running) = self.engine.state.mirrors.get_mut(&id) else { return };
        running.next = now.after(after);
        if anew {
            running.looks = 0;
        }
    }

    fn trouble(&mut self, id: MirrorId, message: &str) {
        self.change(id, |mirror, at| mirror.trouble = Some(MirrorTrouble { at, message: message.to_owned() }));
    }

    /// Keeps what happened with the mirror, in the record of acts, and in the timeline of its incident.
    pub(super) fn step(&mut self, id: MirrorId, by: Actor, what: MirrorEvent) {
        let at = self.now;
        let step = MirrorStep { at, by: by.clone(), what: what.clone() };
        let mut incident = None;
        if let Some(running) = self.engine.state.mirrors.get_mut(&id) {
            let mirror = Arc::make_mut(&mut running.mirror);
            if mirror.steps.len() >= STEPS_MAX {
                mirror.steps.remove(STEPS_MAX / 2);
            }
            mirror.steps.push(step.clone());
            incident = mirror.spec.incident;
            self.engine.state.dirty.mirrors.insert(id);
            let (reason, to) = (mirror.spec.reason.clone(), destination(&mirror.spec.transport));
            self.engine.state.dirty.mirror_steps.push(super::Recorded { mirror: id, step, incident, reason, to });
        }
        let told = !matches!(what, MirrorEvent::Sent { .. } | MirrorEvent::NotExtended { .. });
        if let Some(incident) = incident.filter(|_| told) {
            self.note(incident, by, Happening::Mirror { mirror: id, what });
        }
    }
}

/// Where the copies go, in few words.
pub(super) fn destination(transport: &Transport) -> String {
    match transport {
        Transport::Span { port } | Transport::RspanDestination { port } => port.clone(),
        Transport::RspanSource { vlan, .. } => format!("VLAN {vlan}"),
        Transport::Erspan { remote, session, .. } => format!("{remote} #{session}"),
        Transport::Legacy => String::new(),
    }
}
