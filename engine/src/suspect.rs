//! Hypervisors, switches and datastores under suspicion: when many VMs of one fail alike, one page about it takes the
//! place of theirs.
//!
//! What counts is where the machine of each open alert runs, as it was handed in. A placement that is doubtful or old
//! counts for nothing, so that its alert pages as ever. VMs fail alike when at least two of them say the same, with names
//! and numbers left out; what only one of them says pages for itself. Whoever is quiet for this reason pages again when
//! the suspicion is over, or when their VM runs elsewhere. What one suspicion explains is no reason for another.

mod around;

pub use around::Sought;

use crate::{
    compile::SELF,
    dedup,
    engine::Turn,
    event::Wake,
    matcher::Subject,
    route::Routing,
    state::{Placing, State},
};
use shared::{
    Action, Alert, AlertEvent, AlertId, Format, IncidentId, Pairs, PolicyId, Severity, SharedStr, SourceId,
    SuppressedBy, Timestamp,
    config::SuspectMode,
    placement::{Common, Placement},
    timeline::{Actor, Happening},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// How the alerts about suspects begin their identity.
const KEY: &str = "suspect:";
/// VMs named in a timeline and in a page.
const NAMED_MAX: usize = 50;
/// Alerts of one suspect that are looked at; the newest.
const LOOKED_AT: usize = 4_096;

/// What VMs have in common: who says so, and what it is called there. The narrowest is the first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Spot {
    what: Common,
    source: SourceId,
    key: SharedStr,
}

impl Spot {
    /// The identity of the alert about it.
    fn identity(&self) -> String {
        format!("{KEY}{}:{}/{}", self.what.as_str(), self.source, self.key)
    }
}

/// Where the machine of an alert runs.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seat {
    /// Its hypervisor first.
    spots: Vec<Spot>,
    vm: SharedStr,
    name: SharedStr,
    /// What it says, with names and numbers left out.
    way: u64,
}

/// Where the machines of open alerts run, and what is suspected.
#[derive(Clone, Debug, Default)]
pub(crate) struct Suspects {
    /// Of every open alert with a placement; none in it when that is not beyond doubt.
    seats: BTreeMap<AlertId, Option<Seat>>,
    crowds: BTreeMap<Spot, Crowd>,
    /// The open alerts about suspects.
    parents: BTreeMap<AlertId, Spot>,
}

/// The open alerts of the VMs that have something in common.
#[derive(Clone, Debug)]
struct Crowd {
    name: SharedStr,
    /// VMs that have it.
    vms: u32,
    alerts: BTreeSet<AlertId>,
    /// What is older gives no new reason: a suspicion ended then.
    after: Timestamp,
    /// By which its VMs would page, once it is suspected.
    policies: Vec<PolicyId>,
    suspicion: Option<Suspicion>,
}

#[derive(Clone, Debug)]
struct Suspicion {
    parent: AlertId,
    /// What its VMs say.
    ways: BTreeSet<u64>,
    covered: BTreeSet<AlertId>,
    /// So many VMs had to fail.
    least: u32,
    /// The most that failed.
    told: usize,
    severity: Severity,
    /// Too few fail by now; then it is over.
    clears_at: Option<Timestamp>,
}

impl Seat {
    fn of(alert: &Alert, placement: &Placement) -> Option<Self> {
        let (vm, _) = placement.settled()?;
        let spots = common(placement).map(|(spot, ..)| spot).collect();
        Some(Self { spots, vm: vm.key.as_str().into(), name: vm.name.as_str().into(), way: way(&alert.event) })
    }
}

/// What a VM has in common with others, with its name and how many have it; the hypervisor first.
fn common(placement: &Placement) -> impl Iterator<Item = (Spot, &str, u32)> {
    let hypervisor = placement.hypervisor.as_ref().map(|it| {
        let spot = Spot { what: Common::Hypervisor, source: it.source.clone(), key: it.key.as_str().into() };
        (spot, it.name.as_str(), it.vms)
    });
    let source = placement.vm.as_ref().map(|vm| vm.source.clone()).unwrap_or_default();
    let shares = placement.shares.iter().map(move |it| {
        let spot = Spot { what: it.what, source: source.clone(), key: it.key.as_str().into() };
        (spot, it.name.as_str(), it.vms)
    });
    hypervisor.into_iter().chain(shares)
}

/// What an alert says, whichever machine it is about: its text without the machine's names and without numbers.
fn way(event: &AlertEvent) -> u64 {
    let mut text = event.summary.to_lowercase();
    for name in [&event.host, &event.ip].into_iter().flatten().filter(|name| !name.is_empty()) {
        text = text.replace(&name.to_lowercase(), "");
    }
    let words: String = text.chars().filter(|c| !c.is_ascii_digit() && !c.is_whitespace()).collect();
    crate::placement::digest(words.as_bytes())
}

/// Whether it is about a suspect.
fn is_own(alert: &Alert) -> bool {
    alert.integration.as_str() == SELF && alert.event.dedup_key.starts_with(KEY)
}

impl Crowd {
    fn new(name: &str) -> Self {
        let after = Timestamp::from_ms(0);
        Self { name: name.into(), vms: 0, alerts: BTreeSet::new(), after, policies: Vec::new(), suspicion: None }
    }

    /// How many VMs have to fail for it to be suspected.
    fn least(&self, mode: &SuspectMode) -> u32 {
        let share = (u64::from(self.vms) * u64::from(mode.percent)).div_ceil(100);
        mode.vms.max(u32::try_from(share).unwrap_or(u32::MAX))
    }
}

impl Suspects {
    /// Seats an alert; gives what it has left, if it was seated before and something of that is no longer so.
    fn seat(&mut self, alert: &Alert, placement: &Placement) -> Option<(Seat, Vec<Spot>)> {
        let seat = Seat::of(alert, placement);
        if seat.is_some() {
            for (spot, name, vms) in common(placement) {
                let crowd = self.crowds.entry(spot).or_insert_with(|| Crowd::new(name));
                crowd.vms = vms;
                crowd.alerts.insert(alert.id);
            }
        }
        let stays: Vec<Spot> = seat.as_ref().map(|seat| seat.spots.clone()).unwrap_or_default();
        let before = self.seats.insert(alert.id, seat).flatten()?;
        let left: Vec<Spot> = before.spots.iter().filter(|spot| !stays.contains(spot)).cloned().collect();
        left.iter().for_each(|spot| self.rise_from(alert.id, spot));
        (!left.is_empty()).then_some((before, left))
    }

    fn rise_from(&mut self, alert: AlertId, spot: &Spot) {
        let Some(crowd) = self.crowds.get_mut(spot) else { return };
        crowd.alerts.remove(&alert);
        if let Some(suspicion) = &mut crowd.suspicion {
            suspicion.covered.remove(&alert);
        }
        if crowd.alerts.is_empty() && crowd.suspicion.is_none() {
            self.crowds.remove(spot);
        }
    }

    fn seat_of(&self, alert: AlertId) -> Option<&Seat> {
        self.seats.get(&alert)?.as_ref()
    }

    fn over(&self, alert: AlertId) -> Option<(&Crowd, &Suspicion)> {
        self.seat_of(alert)?.spots.iter().find_map(|spot| self.covered_by(alert, spot))
    }

    fn covered_by(&self, alert: AlertId, spot: &Spot) -> Option<(&Crowd, &Suspicion)> {
        let crowd = self.crowds.get(spot)?;
        let suspicion = crowd.suspicion.as_ref()?;
        suspicion.covered.contains(&alert).then_some((crowd, suspicion))
    }

    /// Whether another suspicion explains it.
    fn is_explained(&self, alert: AlertId, but: &Spot) -> bool {
        let spots = self.seat_of(alert).into_iter().flat_map(|seat| &seat.spots);
        spots.filter(|spot| *spot != but).any(|spot| self.covered_by(alert, spot).is_some())
    }

    /// Whether an alert pages nobody because of a suspicion.
    pub(crate) fn covers(&self, alert: AlertId) -> bool {
        self.over(alert).is_some()
    }

    /// Whether it has been looked for.
    fn knows(&self, alert: AlertId) -> bool {
        self.seats.contains_key(&alert)
    }

    /// The different VMs of some alerts, by their names.
    fn vms<'a>(&self, alerts: impl Iterator<Item = &'a AlertId>) -> BTreeMap<&SharedStr, &SharedStr> {
        alerts.filter_map(|id| self.seat_of(*id)).map(|seat| (&seat.vm, &seat.name)).collect()
    }

    fn end(&mut self, spot: &Spot, now: Timestamp) -> Option<Suspicion> {
        let crowd = self.crowds.get_mut(spot)?;
        crowd.after = now;
        let suspicion = crowd.suspicion.take()?;
        self.parents.remove(&suspicion.parent);
        if crowd.alerts.is_empty() {
            self.crowds.remove(spot);
        }
        Some(suspicion)
    }
}

impl State {
    /// What keeps an alert quiet because something its VM shares is suspected.
    pub(crate) fn suspected(&self, alert: &Alert) -> Option<SuppressedBy> {
        let (crowd, suspicion) = self.suspects.over(alert.id)?;
        let parent = self.alerts.get(&suspicion.parent).filter(|parent| parent.incident != alert.incident)?;
        let what = self.suspects.parents.get(&suspicion.parent)?.what;
        Some(SuppressedBy::Suspect { what, name: crowd.name.to_string(), source: parent.incident })
    }

    /// Alerts of a suspect since then that at least two VMs send alike, and which texts those are.
    fn alike(&self, spot: &Spot, crowd: &Crowd, since: Timestamp) -> (BTreeSet<AlertId>, BTreeSet<u64>) {
        let recent = crowd.alerts.iter().rev().take(LOOKED_AT);
        let recent = recent.take_while(|id| self.alerts.get(id).is_some_and(|alert| alert.first_at > since));
        let recent = recent.filter(|id| !self.suspects.is_explained(**id, spot));
        let seats: Vec<_> = recent.filter_map(|id| Some((*id, self.suspects.seat_of(*id)?))).collect();
        let mut saying: BTreeMap<u64, BTreeSet<&SharedStr>> = BTreeMap::new();
        for (_, seat) in &seats {
            saying.entry(seat.way).or_default().insert(&seat.vm);
        }
        saying.retain(|_, vms| vms.len() > 1);
        let alerts = seats.into_iter().filter(|(_, seat)| saying.contains_key(&seat.way)).map(|(id, _)| id);
        (alerts.collect(), saying.keys().copied().collect())
    }

    fn incidents_of(&self, alerts: &BTreeSet<AlertId>) -> BTreeSet<IncidentId> {
        alerts.iter().filter_map(|id| Some(self.alerts.get(id)?.incident)).collect()
    }

    fn policies_of(&self, alerts: &BTreeSet<AlertId>) -> Vec<PolicyId> {
        let mut policies: Vec<PolicyId> = Vec::new();
        for incident in self.incidents_of(alerts).iter().filter_map(|id| self.incidents.get(id)) {
            for escalation in
                incident.escalations.iter().filter(|it| !policies.contains(&it.policy)).collect::<Vec<_>>()
            {
                policies.push(escalation.policy.clone());
            }
        }
        policies
    }

    fn worst_of(&self, alerts: &BTreeSet<AlertId>) -> Option<Severity> {
        alerts.iter().filter_map(|id| Some(self.alerts.get(id)?.severity())).min_by_key(|severity| severity.rank())
    }
}

impl Turn<'_> {
    /// What is known now of where an alert's machine runs. The first word is kept with the alert; a later one may
    /// release it.
    pub(crate) fn place(&mut self, id: AlertId, placement: &Arc<Placement>) {
        let now = self.now;
        let State { alerts, suspects, dirty, .. } = &mut self.engine.state;
        let Some(alert) = alerts.get(&id) else { return };
        if !suspects.knows(id) {
            dirty.places.push(Placing { alert: id, at: now, placement: placement.clone() });
        }
        let incident = alert.incident;
        let before = suspects.seat(alert, placement);
        let spots = suspects.seat_of(id).map(|seat| seat.spots.clone()).unwrap_or_default();
        if let Some((before, left)) = before {
            self.moved(incident, &before, placement);
            left.iter().for_each(|spot| self.look(spot));
            self.review(incident);
        }
        spots.iter().for_each(|spot| self.look(spot));
    }

    /// Notes that a VM runs on another hypervisor now.
    fn moved(&mut self, incident: IncidentId, before: &Seat, placement: &Placement) {
        let Some(from) = before.spots.iter().find(|spot| spot.what == Common::Hypervisor) else { return };
        let to = placement.hypervisor.as_ref().filter(|it| it.key != *from.key || it.source != from.source);
        let Some(to) = to.map(|it| it.name.clone()) else { return };
        let crowd = self.engine.state.suspects.crowds.get(from);
        let from = crowd.map_or_else(|| from.key.to_string(), |crowd| crowd.name.to_string());
        self.note(incident, Actor::System, Happening::VmMoved { vm: before.name.to_string(), from, to });
    }

    /// The policies of a VM page about what is suspected in its stead.
    pub(crate) fn pages_for(&mut self, id: AlertId) {
        let state = &self.engine.state;
        let Some((_, suspicion)) = state.suspects.over(id) else { return };
        let Some(parent) = state.alerts.get(&suspicion.parent).and_then(|it| state.incidents.get(&it.incident)) else {
            return;
        };
        let known = |policy: &PolicyId| parent.escalations.iter().any(|it| it.policy == *policy);
        let new: Vec<_> = state.policies_of(&BTreeSet::from([id])).into_iter().filter(|it| !known(it)).collect();
        let parent = parent.id;
        for policy in new {
            self.start(parent, policy, None);
        }
    }

    /// An alert is over, by a recovery or by somebody's hand.
    pub(crate) fn rises(&mut self, id: AlertId) {
        let suspects = &mut self.engine.state.suspects;
        if let Some(spot) = suspects.parents.remove(&id) {
            // Somebody ended the suspicion: its VMs page for themselves.
            if let Some(suspicion) = suspects.end(&spot, self.now) {
                self.release(&suspicion);
            }
        }
        if let Some(Some(seat)) = self.engine.state.suspects.seats.remove(&id) {
            for spot in &seat.spots {
                self.engine.state.suspects.rise_from(id, spot);
                self.look(spot);
            }
        }
    }

    /// Decides on a suspect anew.
    fn look(&mut self, spot: &Spot) {
        let Some(crowd) = self.engine.state.suspects.crowds.get(spot) else { return };
        if crowd.suspicion.is_some() { self.go_on(spot) } else { self.suspect(spot) }
    }

    fn suspect(&mut self, spot: &Spot) {
        let mode = self.config.document.suspects.clone();
        let state = &self.engine.state;
        let Some(crowd) = state.suspects.crowds.get(spot).filter(|_| mode.vms > 0) else { return };
        let least = crowd.least(&mode);
        if crowd.alerts.len() < least as usize {
            return;
        }
        let since = self.now.plus_ms(-mode.within.0).max(crowd.after);
        let (covered, ways) = state.alike(spot, crowd, since);
        let told = state.suspects.vms(covered.iter()).len();
        let Some(severity) = state.worst_of(&covered).filter(|_| told >= least as usize) else { return };
        let policies = state.policies_of(&covered);
        if let Some(crowd) = self.engine.state.suspects.crowds.get_mut(spot) {
            crowd.policies = policies;
        }
        self.raise_suspect(spot, &covered, severity);
        let state = &mut self.engine.state;
        let Some(parent) = dedup::open(state, &SELF.into(), &spot.identity()) else { return };
        let suspicion = Suspicion { parent, ways, covered, least, told, severity, clears_at: None };
        let reason = state.reason(spot, &suspicion, &mode);
        let incidents = state.incidents_of(&suspicion.covered);
        state.suspects.parents.insert(parent, spot.clone());
        if let Some(crowd) = state.suspects.crowds.get_mut(spot) {
            crowd.suspicion = Some(suspicion);
        }
        let about = state.alerts.get(&parent).map(|alert| alert.incident);
        if let Some((about, reason)) = about.zip(reason) {
            self.note(about, Actor::System, reason);
        }
        incidents.into_iter().for_each(|incident| self.review(incident));
    }

    /// More VMs may fail, or fewer.
    fn go_on(&mut self, spot: &Spot) {
        let mode = self.config.document.suspects.clone();
        let now = self.now;
        let state = &self.engine.state;
        let Some(crowd) = state.suspects.crowds.get(spot) else { return };
        let Some(suspicion) = &crowd.suspicion else { return };
        let began = state.alerts.get(&suspicion.parent).map_or(now, |parent| parent.first_at);
        let since = began.plus_ms(-mode.within.0).max(crowd.after);
        let (alike, ways) = state.alike(spot, crowd, since);
        let ways: BTreeSet<u64> = ways.union(&suspicion.ways).copied().collect();
        let says = |id: &&AlertId| {
            let of = state.suspects.seat_of(**id);
            of.is_some_and(|seat| ways.contains(&seat.way))
                && !state.suspects.is_explained(**id, spot)
                && state.alerts.get(*id).is_some_and(|alert| alert.first_at > since)
        };
        let newest = crowd.alerts.iter().rev().take(LOOKED_AT).filter(says);
        let covered: BTreeSet<AlertId> = newest.chain(&alike).chain(&suspicion.covered).copied().collect();
        let joined: BTreeSet<AlertId> = covered.difference(&suspicion.covered).copied().collect();
        let failing = state.suspects.vms(covered.iter()).len();
        if failing == 0 {
            self.clear(spot);
            return;
        }
        let severity = state.worst_of(&covered).unwrap_or(suspicion.severity);
        let news = failing > suspicion.told || severity.rank() < suspicion.severity.rank();
        let few = failing * 2 < suspicion.least as usize || failing < mode.vms as usize;
        let parent = suspicion.parent;
        let before = suspicion.clears_at;
        let clears_at = few.then(|| before.unwrap_or(now.after(mode.calm)));
        let incidents = state.incidents_of(&joined);
        let state = &mut self.engine.state;
        let about = state.alerts.get(&parent).map(|alert| alert.incident);
        if let Some(suspicion) = state.suspects.crowds.get_mut(spot).and_then(|crowd| crowd.suspicion.as_mut()) {
            suspicion.ways = ways;
            suspicion.covered.clone_from(&covered);
            suspicion.told = suspicion.told.max(failing);
            suspicion.severity = severity;
            suspicion.clears_at = clears_at;
        }
        if let (None, Some(until), Some(about)) = (before, clears_at, about) {
            state.deadlines.set(until, Wake::Suspects);
            let calms = Happening::SuspicionCalms { failing: failing as u32, calm_ms: mode.calm.0 };
            self.note(about, Actor::System, calms);
        }
        if news {
            self.raise_suspect(spot, &covered, severity);
        }
        incidents.into_iter().for_each(|incident| self.review(incident));
    }

    /// It is over: whoever still fails pages for themselves.
    fn clear(&mut self, spot: &Spot) {
        let Some(event) = self.engine.state.event(spot, &BTreeSet::new(), Severity::P6, Action::Resolve) else {
            return;
        };
        let Some(suspicion) = self.engine.state.suspects.end(spot, self.now) else { return };
        self.announce(event);
        self.release(&suspicion);
    }

    fn release(&mut self, suspicion: &Suspicion) {
        for incident in self.engine.state.incidents_of(&suspicion.covered) {
            self.review(incident);
        }
    }

    /// Raises the alert about a suspect, or brings it up to date.
    fn raise_suspect(&mut self, spot: &Spot, covered: &BTreeSet<AlertId>, severity: Severity) {
        if let Some(event) = self.engine.state.event(spot, covered, severity, Action::Trigger) {
            self.announce(event);
        }
    }

    /// Time is up for suspicions of which too little is left; and after a restart all are looked at.
    pub(crate) fn suspects_due(&mut self) {
        let now = self.now;
        let suspects = &self.engine.state.suspects;
        let orphans: Vec<AlertEvent> = self
            .engine
            .state
            .alerts
            .values()
            .filter(|alert| is_own(alert))
            .filter(|alert| !suspects.parents.contains_key(&alert.id))
            .map(|alert| AlertEvent { action: Action::Resolve, ..alert.event.clone() })
            .collect();
        let spots: Vec<(Spot, bool)> = suspects
            .crowds
            .iter()
            .filter_map(|(spot, crowd)| Some((spot, crowd.suspicion.as_ref()?)))
            .map(|(spot, it)| (spot.clone(), it.clears_at.is_some_and(|at| at <= now)))
            .collect();
        for (spot, over) in spots {
            if over { self.clear(&spot) } else { self.go_on(&spot) }
        }
        // The machines of its VMs are known no more.
        orphans.into_iter().for_each(|event| self.announce(event));
    }

    /// Another configuration may suspect nothing at all.
    pub(crate) fn suspects_reconfigured(&mut self) {
        if self.config.document.suspects.vms > 0 {
            return;
        }
        for spot in self.engine.state.suspects.crowds.keys().cloned().collect::<Vec<_>>() {
            self.clear(&spot);
        }
    }

    /// Who would be paged about the VMs is paged about what they have in common, whatever the routes say of it.
    pub(crate) fn overrule_suspect(&self, subject: &Subject<'_>, routing: &mut Routing) {
        if subject.integration.as_str() != SELF || !subject.event.dedup_key.starts_with(KEY) {
            return;
        }
        let key = subject.event.dedup_key.as_str();
        let mut crowds = self.engine.state.suspects.crowds.iter().filter(|(spot, _)| spot.identity() == key);
        let Some((_, crowd)) = crowds.next().filter(|(_, crowd)| !crowd.policies.is_empty()) else { return };
        routing.overrule(key, &crowd.policies);
    }
}

impl State {
    fn reason(&self, spot: &Spot, suspicion: &Suspicion, mode: &SuspectMode) -> Option<Happening> {
        let crowd = self.suspects.crowds.get(spot)?;
        let vms = self.suspects.vms(suspicion.covered.iter());
        Some(Happening::Suspected {
            what: spot.what,
            source: spot.source.clone(),
            name: crowd.name.to_string(),
            vms: vms.values().take(NAMED_MAX).map(ToString::to_string).collect(),
            failing: vms.len() as u32,
            of: crowd.vms,
            least: suspicion.least,
            within_ms: mode.within.0,
        })
    }

    /// The alert about a suspect, as if a sender had written it.
    fn event(
        &self,
        spot: &Spot,
        covered: &BTreeSet<AlertId>,
        severity: Severity,
        action: Action,
    ) -> Option<AlertEvent> {
        let crowd = self.suspects.crowds.get(spot)?;
        let vms = self.suspects.vms(covered.iter());
        let mut names: Vec<&str> = vms.values().take(NAMED_MAX).map(|name| name.as_str()).collect();
        if vms.len() > NAMED_MAX {
            names.push("…");
        }
        let of = (crowd.vms as usize).max(vms.len());
        let labels: BTreeMap<String, String> =
            [(spot.what.as_str(), crowd.name.to_string()), ("source", spot.source.to_string())]
                .map(|(name, value)| (name.to_owned(), value))
                .into();
        Some(AlertEvent {
            action,
            summary: format!("{} suspected: {} of {of} VMs fail alike", spot.what.as_str(), vms.len()).into(),
            content: names.join(", ").into(),
            host: Some(crowd.name.clone()),
            labels: Pairs::from(labels),
            dedup_key: spot.identity().into(),
            ..AlertEvent::blank(Format::Json, severity)
        })
    }
}
