//! Deliveries that share a message: those of one person and contact that wait together, and what becomes of them.
//!
//! A due delivery waits in the lane of its person and contact. While nothing throttles the lane, its most urgent one
//! stands in the queue for a slot for all of them; when it gets one, everything that waits by then is one message. The
//! deliveries stay each their own: they succeed, fail and are tried again together, and are answered one by one.

mod messages;

pub(crate) use messages::Messages;

use crate::{
    deadline::Deadlines,
    dispatch::Queue,
    engine::Turn,
    event::{Command, Part, Wake},
    notify::way,
    throttle::{Outlet, Told, Waiting, throttle},
};
use shared::{
    Attempt, AttemptId, AttemptState, Incident, IncidentId, Page, Recipient, Severity, Throttle, Timestamp,
    timeline::{Actor, Happening},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Deliveries of one message: each is written to the store with it, and a P0 waits for that.
const MEMBERS_MAX: usize = 5_000;

/// Urgency, then due time, then number.
type Place = (u8, Timestamp, AttemptId);

/// Deliveries that wait for their message, by person and contact.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lanes {
    lanes: BTreeMap<Outlet, Lane>,
    /// Lanes that nothing throttles, by the delivery that stands in the queue for them.
    tickets: BTreeMap<AttemptId, Outlet>,
    /// When throttled lanes are looked at again.
    opens: BTreeSet<(Timestamp, Outlet)>,
    /// Lanes to look at within this turn.
    touched: BTreeSet<Outlet>,
}

#[derive(Clone, Debug, Default)]
struct Lane {
    waiting: BTreeMap<AttemptId, (IncidentId, u8, Timestamp)>,
    order: BTreeSet<Place>,
    ticket: Option<AttemptId>,
    opens: Option<Timestamp>,
    /// Nobody has said yet what these wait for.
    unsaid: BTreeSet<AttemptId>,
}

impl Lanes {
    fn add(&mut self, outlet: Outlet, incident: IncidentId, (rank, due, attempt): Place) {
        let lane = self.lanes.entry(outlet.clone()).or_default();
        lane.waiting.insert(attempt, (incident, rank, due));
        lane.order.insert((rank, due, attempt));
        lane.unsaid.insert(attempt);
        self.touched.insert(outlet);
    }

    /// Forgets a delivery that is not needed any more.
    pub(crate) fn remove(&mut self, outlet: &Outlet, attempt: AttemptId, queue: &mut Queue) {
        let Some(lane) = self.lanes.get_mut(outlet) else { return };
        let Some((_, rank, due)) = lane.waiting.remove(&attempt) else { return };
        lane.order.remove(&(rank, due, attempt));
        lane.unsaid.remove(&attempt);
        if lane.ticket == Some(attempt) {
            lane.ticket = None;
            self.tickets.remove(&attempt);
            queue.remove(attempt);
        }
        self.touched.insert(outlet.clone());
    }

    /// What goes out as the next message of a lane that has its slot; what is too much for one follows in another.
    fn take(&mut self, outlet: &Outlet) -> Vec<(IncidentId, AttemptId)> {
        let Some(mut lane) = self.lanes.remove(outlet) else { return Vec::new() };
        if let Some(ticket) = lane.ticket.take() {
            self.tickets.remove(&ticket);
        }
        let places: Vec<Place> = lane.order.iter().take(MEMBERS_MAX).copied().collect();
        let mut members = Vec::with_capacity(places.len());
        for place @ (_, _, attempt) in places {
            lane.order.remove(&place);
            members.extend(lane.waiting.remove(&attempt).map(|(incident, ..)| (incident, attempt)));
        }
        if !lane.waiting.is_empty() {
            lane.unsaid = lane.waiting.keys().copied().collect();
            self.lanes.insert(outlet.clone(), lane);
            self.touched.insert(outlet.clone());
        }
        members
    }

    /// A delivery that waits is more or less urgent than it was.
    fn rerank(&mut self, outlet: &Outlet, attempt: AttemptId, to: u8, queue: &mut Queue) {
        let known = self.lanes.get(outlet).and_then(|lane| lane.waiting.get(&attempt)).copied();
        if let Some((incident, _, due)) = known.filter(|(_, rank, _)| *rank != to) {
            let unsaid = self.lanes.get(outlet).is_some_and(|lane| lane.unsaid.contains(&attempt));
            self.remove(outlet, attempt, queue);
            self.add(outlet.clone(), incident, (to, due, attempt));
            if let Some(lane) = self.lanes.get_mut(outlet).filter(|_| !unsaid) {
                lane.unsaid.remove(&attempt);
            }
        }
    }

    pub(crate) fn holds(&self, outlet: &Outlet, attempt: AttemptId) -> bool {
        self.lanes.get(outlet).is_some_and(|lane| lane.waiting.contains_key(&attempt))
    }

    /// Whether a lane stands in the queue, or is looked at again.
    pub(crate) fn goes_on(&self, outlet: &Outlet, queue: &Queue, deadlines: &Deadlines) -> bool {
        self.lanes.get(outlet).is_some_and(|lane| match (lane.ticket, lane.opens) {
            (Some(ticket), None) => queue.is_waiting(ticket) && self.tickets.get(&ticket) == Some(outlet),
            (None, Some(at)) => deadlines.contains(at, Wake::Bundle) && self.opens.contains(&(at, outlet.clone())),
            _ => false,
        })
    }

    /// Every delivery that waits, with the time it was due.
    pub(crate) fn content(&self) -> impl Iterator<Item = (AttemptId, Timestamp)> + '_ {
        self.lanes.values().flat_map(|lane| lane.waiting.iter().map(|(attempt, (_, _, due))| (*attempt, *due)))
    }

    pub(crate) fn is_ticket(&self, attempt: AttemptId) -> bool {
        self.tickets.contains_key(&attempt)
    }

    pub(crate) fn tickets(&self) -> usize {
        self.tickets.len()
    }

    pub(crate) fn waiting(&self) -> usize {
        self.lanes.values().map(|lane| lane.waiting.len()).sum()
    }

    /// Everything that throttles may have changed.
    pub(crate) fn reconsider(&mut self) {
        self.touched.extend(self.lanes.keys().cloned());
    }

    fn set_opens(&mut self, outlet: &Outlet, at: Option<Timestamp>) {
        let Some(lane) = self.lanes.get_mut(outlet) else { return };
        if let Some(before) = std::mem::replace(&mut lane.opens, at) {
            self.opens.remove(&(before, outlet.clone()));
        }
        if let Some(at) = at {
            self.opens.insert((at, outlet.clone()));
        }
    }
}

/// The lane in which a delivery waits that has not begun; none for what goes to the queue at once: machines, whoever was
/// asked for by name, and a P0.
pub(crate) fn lane_of(severity: Severity, page: &Page, attempt: &Attempt) -> Option<Outlet> {
    let waits = attempt.tries == 0 && !page.by_hand && severity != Severity::P0;
    outlet(page, attempt).filter(|_| waits)
}

/// The lane a delivery may stand in whatever its incident's severity is by now: of a person, or of a chat's room.
pub(crate) fn outlet(page: &Page, attempt: &Attempt) -> Option<Outlet> {
    let reads = matches!(page.recipient, Recipient::Person(_)) || attempt.channel.is_chat();
    reads.then(|| (page.recipient.clone(), attempt.contact.clone()))
}

pub(crate) fn find(pages: &[Page], attempt: AttemptId) -> Option<(&Page, &Attempt)> {
    pages.iter().rev().find_map(|page| page.attempts.iter().find(|it| it.id == attempt).map(|found| (page, found)))
}

impl Turn<'_> {
    /// A planned delivery, or a retry, is due: it waits for its message, or for its slot.
    pub(crate) fn attempt_due(&mut self, id: IncidentId, attempt: AttemptId, at: Timestamp) {
        let config = self.config.clone();
        let Some(incident) = self.engine.state.incidents.get(&id) else { return };
        let severity = incident.severity;
        let Some((page, found)) = find(&incident.pages, attempt) else { return };
        let planned = found.state == AttemptState::Planned;
        if !(planned || found.state == AttemptState::Retrying) || found.due != at {
            return;
        }
        let (lane, way) = (lane_of(severity, page, found), way(&config, page, found));
        if planned {
            self.count_due();
        }
        if let Some(outlet) = lane {
            self.engine.state.lanes.add(outlet, id, (severity.rank(), at, attempt));
            return;
        }
        let mut entry = (attempt, severity.rank());
        if let Some(message) = self.engine.state.messages.of.get(&attempt).copied() {
            entry = (message, self.ready(message));
        }
        self.engine.state.queue.push(id, entry.0, entry.1, at, way);
    }

    /// All deliveries of a message are tried again together; gives the urgency of the most urgent.
    fn ready(&mut self, message: AttemptId) -> u8 {
        let state = &mut self.engine.state;
        let Some(known) = state.messages.messages.get_mut(&message) else { return u8::MAX };
        let mut rank = u8::MAX;
        for (attempt, id) in &known.members {
            let Some(incident) = state.incidents.get(id) else { continue };
            let Some((_, found)) = find(&incident.pages, *attempt) else { continue };
            if found.state == AttemptState::Retrying {
                rank = rank.min(incident.severity.rank());
                state.deadlines.clear(found.due, Wake::Attempt { incident: *id, attempt: *attempt });
                known.ready.insert(*attempt, found.due);
            }
        }
        rank
    }

    /// An incident's severity fell: what waits about it gives way.
    pub(crate) fn rerank(&mut self, id: IncidentId) {
        let state = &mut self.engine.state;
        let Some(incident) = state.incidents.get(&id) else { return };
        for page in &incident.pages {
            for attempt in page.attempts.iter().filter(|it| it.state == AttemptState::Planned) {
                if let Some(outlet) = outlet(page, attempt) {
                    state.lanes.rerank(&outlet, attempt.id, incident.severity.rank(), &mut state.queue);
                }
            }
        }
    }

    /// Lanes that may be open by now are looked at.
    pub(crate) fn lanes_due(&mut self) {
        let lanes = &mut self.engine.state.lanes;
        while let Some((at, outlet)) = lanes.opens.first().cloned().filter(|(at, _)| *at <= self.now) {
            lanes.opens.remove(&(at, outlet.clone()));
            if let Some(lane) = lanes.lanes.get_mut(&outlet) {
                lane.opens = None;
            }
            lanes.touched.insert(outlet);
        }
        self.engine.state.queue.release(self.now);
    }

    /// Begins every due delivery that has a free slot.
    pub(crate) fn dispatch(&mut self) {
        self.begin_all();
        for (id, attempt, throttle) in self.engine.state.queue.newly_held() {
            match self.engine.state.lanes.tickets.get(&attempt).cloned() {
                Some(outlet) => self.say_all(&outlet, throttle),
                None => self.say(id, attempt, throttle),
            }
        }
        if let Some(at) = self.engine.state.queue.opens(self.now) {
            self.engine.state.deadlines.set(at, Wake::Bundle);
        }
    }

    fn begin_all(&mut self) {
        let config = self.config.clone();
        loop {
            while let Some(outlet) = self.engine.state.lanes.touched.pop_first() {
                self.look_at(&outlet);
            }
            let Some((id, next)) = self.engine.state.queue.begin(config.paging(), self.now) else {
                if self.engine.state.lanes.touched.is_empty() { return } else { continue }
            };
            let Some(outlet) = self.engine.state.lanes.tickets.get(&next).cloned() else {
                let known = self.engine.state.messages.messages.get_mut(&next);
                let members = known.map_or_else(
                    || vec![(id, next)],
                    |message| {
                        let ready = std::mem::take(&mut message.ready);
                        let of = |attempt: AttemptId| Some((*message.members.get(&attempt)?, attempt));
                        ready.into_keys().filter_map(of).collect()
                    },
                );
                self.begin_message(next, members, None);
                continue;
            };
            // Another contact of the person may have used up what was left a moment ago.
            if self.throttled(&outlet).is_some() {
                self.engine.state.queue.abandon(next);
                self.engine.state.lanes.tickets.remove(&next);
                if let Some(lane) = self.engine.state.lanes.lanes.get_mut(&outlet) {
                    lane.ticket = None;
                    lane.unsaid.extend(lane.waiting.keys().copied());
                }
                self.look_at(&outlet);
                continue;
            }
            let mut members = self.engine.state.lanes.take(&outlet);
            self.sort(&mut members);
            let Some(message) = members.first().map(|(_, attempt)| *attempt) else {
                self.engine.state.queue.abandon(next);
                continue;
            };
            self.engine.state.queue.rename(next, message);
            self.begin_message(message, members, Some(&outlet));
        }
    }

    /// The most severe first, the oldest first among equals.
    fn sort(&self, members: &mut [(IncidentId, AttemptId)]) {
        members.sort_by_key(|(id, attempt)| {
            (self.engine.state.incidents.get(id).map(|incident| incident.severity), *attempt)
        });
    }

    /// A lane stands in the queue, or waits for what throttles it.
    fn look_at(&mut self, outlet: &Outlet) {
        let Some(lane) = self.engine.state.lanes.lanes.get(outlet) else { return };
        let Some((rank, due, first)) = lane.order.first().copied() else {
            self.engine.state.lanes.set_opens(outlet, None);
            self.engine.state.lanes.lanes.remove(outlet);
            return;
        };
        let Some(id) = lane.waiting.get(&first).map(|(id, ..)| *id) else { return };
        let ticket = lane.ticket;
        if let Some(wait) = self.throttled(outlet) {
            if let Some(ticket) = ticket {
                self.engine.state.queue.remove(ticket);
                self.engine.state.lanes.tickets.remove(&ticket);
            }
            self.engine.state.lanes.set_opens(outlet, Some(wait.until));
            self.engine.state.deadlines.set(wait.until, Wake::Bundle);
            if let Some(lane) = self.engine.state.lanes.lanes.get_mut(outlet).filter(|lane| lane.ticket.is_some()) {
                lane.ticket = None;
                lane.unsaid.extend(lane.waiting.keys().copied());
            }
            self.say_all(outlet, wait);
            return;
        }
        self.engine.state.lanes.set_opens(outlet, None);
        if ticket == Some(first) {
            if let Some(wait) = self.engine.state.queue.held(first) {
                self.say_all(outlet, wait);
            }
            return;
        }
        let Some((page, found)) = self.engine.state.incidents.get(&id).and_then(|it| find(&it.pages, first)) else {
            return;
        };
        let way = way(&self.config, page, found);
        let state = &mut self.engine.state;
        if let Some(ticket) = ticket {
            state.queue.remove(ticket);
            state.lanes.tickets.remove(&ticket);
        }
        state.queue.push(id, first, rank, due, way);
        state.lanes.tickets.insert(first, outlet.clone());
        if let Some(lane) = state.lanes.lanes.get_mut(outlet) {
            lane.ticket = Some(first);
        }
    }

    /// What a lane waits for now.
    fn throttled(&self, outlet: &Outlet) -> Option<Throttle> {
        let state = &self.engine.state;
        let lane = state.lanes.lanes.get(outlet)?;
        let (attempt, (id, ..)) = lane.waiting.first_key_value()?;
        let waiting = Waiting {
            kind: find(&state.incidents.get(id)?.pages, *attempt)?.1.channel,
            urgent: lane.order.first().is_some_and(|(rank, ..)| *rank <= Severity::P1.rank()),
            incidents: lane.waiting.len(),
        };
        throttle(state, &self.config.document, outlet, &waiting, self.now)
    }

    /// Writes down, for all of a lane of which nobody did so yet, what they wait for.
    fn say_all(&mut self, outlet: &Outlet, throttle: Throttle) {
        let Some(lane) = self.engine.state.lanes.lanes.get_mut(outlet) else { return };
        let of = |attempt: AttemptId| Some((lane.waiting.get(&attempt)?.0, attempt));
        let unsaid: Vec<_> = std::mem::take(&mut lane.unsaid).into_iter().filter_map(of).collect();
        for (id, attempt) in unsaid {
            self.say(id, attempt, throttle);
        }
    }

    /// Writes down, once for each delivery, what it waits for.
    fn say(&mut self, id: IncidentId, attempt: AttemptId, throttle: Throttle) {
        let Some(incident) = self.engine.state.incidents.get_mut(&id).map(Arc::make_mut) else { return };
        let Some((page, found)) = find_mut(incident, attempt) else { return };
        let bundling = found.bundling.get_or_insert_default();
        if bundling.waits.is_some() {
            return;
        }
        bundling.waits = Some(throttle);
        let (contact, channel) = (found.contact.clone(), found.channel);
        let (page, recipient) = page;
        self.count(|storm| storm.deliveries.delayed += 1);
        self.note(id, Actor::System, Happening::Throttled { page, attempt, recipient, contact, channel, throttle });
    }

    /// These deliveries go out as one message, which has its slot.
    fn begin_message(
        &mut self,
        message: AttemptId,
        mut members: Vec<(IncidentId, AttemptId)>,
        outlet: Option<&Outlet>,
    ) {
        let (now, lease) = (self.now, self.config.paging().lease);
        let until = now.after(lease);
        self.sort(&mut members);
        // Rooms are told of everything that happens.
        let spared = |outlet: &Outlet| matches!(outlet.0, Recipient::Person(_));
        let storm = self.engine.state.storm.as_ref().map(|storm| storm.id).filter(|_| outlet.is_some_and(spared));
        let incidents = members.len() as u32;
        let mut parts = Vec::with_capacity(members.len());
        let (mut first, mut about) = (None, None);
        for (id, attempt) in &members {
            let Some(incident) = self.engine.state.incidents.get_mut(id).map(Arc::make_mut) else { continue };
            let Some(((page, _), found)) = find_mut(incident, *attempt) else { continue };
            let before = found.state;
            found.state = AttemptState::Sending;
            found.tries += 1;
            found.lease_until = Some(until);
            found.first_sent_at.get_or_insert(now);
            if outlet.is_some() && (incidents > 1 || storm.is_some()) {
                let bundling = found.bundling.get_or_insert_default();
                bundling.message = (incidents > 1).then_some(message);
                bundling.incidents = incidents;
                bundling.storm = storm;
            }
            about = about.or(found.bundling.as_ref().and_then(|it| it.storm));
            first.get_or_insert((found.contact.clone(), found.tries));
            let together = found.bundling.as_ref().is_some_and(|it| it.message.is_some());
            let of = incident.pages.iter().rev().find(|it| it.id == page).map(|it| (it.policy.clone(), it.cycle));
            let reminder = of.is_some_and(|(policy, cycle)| self.repeats(*id, &policy).is_some_and(|it| cycle > it));
            if before == AttemptState::Planned {
                self.count(|storm| {
                    storm.deliveries.sent += 1;
                    storm.deliveries.bundled += u64::from(incidents > 1);
                });
            }
            let state = &mut self.engine.state;
            if together {
                state.messages.add(message, *id, *attempt, AttemptState::Sending);
            }
            state.deadlines.set(until, Wake::Lease { incident: *id, attempt: *attempt });
            state.dirty.incidents.insert(*id);
            state.dirty.deliveries.insert((*id, *attempt));
            parts.push(Part { incident: *id, page, attempt: *attempt, reminder });
        }
        let mut parts = parts.into_iter();
        let (Some(lead), Some((contact, try_number))) = (parts.next(), first) else {
            self.engine.state.queue.finish(message);
            return;
        };
        if let Some(outlet) = outlet {
            self.sent(outlet, incidents, storm);
        }
        self.effects.commands.push(Command::Deliver {
            incident: lead.incident,
            page: lead.page,
            attempt: lead.attempt,
            contact,
            try_number,
            lease,
            reminder: lead.reminder,
            message,
            others: parts.collect(),
            storm: about,
        });
    }

    /// Counts a message against the limits.
    fn sent(&mut self, (recipient, contact): &Outlet, incidents: u32, storm: Option<IncidentId>) {
        let Recipient::Person(person) = recipient else { return };
        let outlet = (person.clone(), contact.clone());
        let state = &mut self.engine.state;
        let log = state.sends.entry(outlet.clone()).or_default();
        log.add(self.now, &self.config.document);
        if let Some(storm) = storm {
            let told = log.storm.filter(|told| told.storm == storm).map_or(0, |told| told.incidents);
            log.storm = Some(Told { storm, incidents: told + incidents, at: self.now });
        }
        state.dirty.sends.insert(outlet);
        self.count(|storm| storm.messages += 1);
    }
}

type OfPage = (shared::PageId, Recipient);

fn find_mut(incident: &mut Incident, attempt: AttemptId) -> Option<(OfPage, &mut Attempt)> {
    incident.pages.iter_mut().rev().find_map(|page| {
        let of = (page.id, page.recipient.clone());
        page.attempts.iter_mut().find(|it| it.id == attempt).map(|found| (of, found))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_much_for_one_message_follows_in_the_next_and_the_most_urgent_go_first() {
        let outlet: Outlet = (Recipient::Person("wang".into()), "push".into());
        let mut lanes = Lanes::default();
        for n in 1..=MEMBERS_MAX as i64 + 1 {
            let rank = if n == MEMBERS_MAX as i64 + 1 { 1 } else { 3 };
            lanes.add(outlet.clone(), IncidentId(n), (rank, Timestamp::from_ms(n), AttemptId(n)));
        }
        lanes.touched.clear();
        let first = lanes.take(&outlet);
        assert_eq!(first.len(), MEMBERS_MAX);
        assert_eq!(first[0].0, IncidentId(MEMBERS_MAX as i64 + 1));
        assert_eq!((lanes.waiting(), lanes.touched.len()), (1, 1), "the last of the others is looked at at once");
        assert_eq!(lanes.take(&outlet), [(IncidentId(MEMBERS_MAX as i64), AttemptId(MEMBERS_MAX as i64))]);
        assert_eq!((lanes.waiting(), lanes.lanes.len()), (0, 0));
    }
}
