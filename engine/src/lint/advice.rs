//! Warnings: what works, and is probably not what was meant.

use super::{
    AHEAD,
    reach::{contact_fault, hook_fault, local_time},
    warning,
};
use crate::{
    compile::Snapshot,
    oncall::{CopyState, Roster},
};
use shared::{
    Delay, HookId, PersonId, PolicyId, ScheduleId, TeamId, Timestamp,
    config::{ContactKind, Finding, Policy, Route, Target},
};
use std::collections::BTreeSet;

/// Names of one calendar that are told each by itself.
const NAMES_MAX: usize = 10;

/// Everything doubtful, in the order of the document.
pub(super) fn advice(snapshot: &Snapshot, now: Timestamp) -> Vec<Finding> {
    let used = Used::of(snapshot);
    let mut findings = Vec::new();
    address(snapshot, &mut findings);
    people(snapshot, &used, &mut findings);
    schedules(snapshot, &used, now, &mut findings);
    hooks(snapshot, &used, &mut findings);
    silences(snapshot, now, &mut findings);
    for policy in &snapshot.document.policies {
        levels(policy, &mut findings);
        if !used.policies.contains(&policy.id) {
            let message = format!("no route leads to policy `{}`", policy.id);
            findings.push(warning(format!("policies[{}]", policy.id), message));
        }
    }
    for team in snapshot.document.teams.iter().filter(|team| !used.teams.contains(&team.id)) {
        findings.push(warning(format!("teams[{}]", team.id), format!("nothing names team `{}`", team.id)));
    }
    findings
}

/// What the document's levels, fallback, routes and shifts name.
#[derive(Default)]
struct Used<'a> {
    policies: BTreeSet<&'a PolicyId>,
    people: BTreeSet<&'a PersonId>,
    /// Those a level, the fallback or a shift pages; the others are only members or covers.
    schedules: BTreeSet<&'a ScheduleId>,
    teams: BTreeSet<&'a TeamId>,
    hooks: BTreeSet<&'a HookId>,
}

impl<'a> Used<'a> {
    fn of(snapshot: &'a Snapshot) -> Self {
        let document = &snapshot.document;
        let mut used = Self::default();
        used.by_routes(&document.routes);
        let levels = document.policies.iter().flat_map(|policy| &policy.levels).flat_map(|level| &level.notify);
        for target in levels.chain(&document.fallback) {
            match target {
                Target::Person(id) => drop(used.people.insert(id)),
                Target::Schedule(id) => drop(used.schedules.insert(id)),
                Target::Team(id) => drop(used.teams.insert(id)),
                Target::Webhook(id) => drop(used.hooks.insert(id)),
            }
        }
        for schedule in document.schedules.iter().filter(|it| used.schedules.contains(&it.id)) {
            used.people.extend(schedule.people());
            used.people.extend(snapshot.rosters.get(&schedule.id).into_iter().flat_map(Roster::people_of_calendars));
        }
        for team in document.teams.iter().filter(|team| used.teams.contains(&team.id)) {
            used.people.extend(&team.members);
        }
        used
    }

    fn by_routes(&mut self, routes: &'a [Route]) {
        for route in routes {
            self.policies.extend(&route.policy);
            self.teams.extend(&route.team);
            self.by_routes(&route.routes);
        }
    }
}

fn address(snapshot: &Snapshot, findings: &mut Vec<Finding>) {
    let document = &snapshot.document;
    let linked = |kind| kind != ContactKind::Webhook;
    let mut contacts = document.people.iter().flat_map(|person| &person.contacts);
    if document.public_url.is_none() && contacts.any(|it| it.address().is_some_and(|(kind, _)| linked(kind))) {
        let message = "pages carry no link to answer with; set `public_url` to the address phones \
                       reach this server by";
        findings.push(warning("public_url", message));
    }
}

fn people(snapshot: &Snapshot, used: &Used<'_>, findings: &mut Vec<Finding>) {
    for person in &snapshot.document.people {
        let path = format!("people[{}]", person.id);
        if !used.people.contains(&person.id) {
            let message = format!("nothing pages `{}`: no level, shift, team or fallback names them", person.id);
            findings.push(warning(&path, message));
        } else if person.contacts.is_empty() {
            let message = format!("`{}` is on call without a contact, and is passed over; add one", person.id);
            findings.push(warning(format!("{path}.contacts"), message));
        }
        if snapshot.document.paging.defer.is_some() && person.time_zone.is_none() && used.people.contains(&person.id) {
            let message =
                format!("`{}` has no time zone, so `paging.defer` does not let them sleep; add one", person.id);
            findings.push(warning(format!("{path}.time_zone"), message));
        }
        for (i, contact) in person.contacts.iter().enumerate() {
            let here = format!("{path}.contacts[{i}]");
            if let Some(fault) = contact_fault(snapshot, contact) {
                findings.push(warning(&here, format!("`{}` can never be used: {fault}", contact.id)));
            }
            if contact.webhook.is_some() && contact.secret.is_none() {
                findings.push(warning(format!("{here}.secret"), unsigned(contact.id.as_str())));
            }
        }
        for (i, _) in person.rules.iter().enumerate().filter(|(_, rule)| rule.notify.is_empty()) {
            let message = "the rule names no contact, so it makes pages that reach nobody; name one or remove it";
            findings.push(warning(format!("{path}.rules[{i}].notify"), message));
        }
    }
}

fn unsigned(id: &str) -> String {
    format!("calls of webhook `{id}` are not signed, so its receiver cannot tell them from forged ones; add `secret`")
}

fn silences(snapshot: &Snapshot, now: Timestamp, findings: &mut Vec<Finding>) {
    for (id, silence) in &snapshot.silences {
        if silence.ends_at.is_some_and(|ends_at| ends_at <= now) {
            findings
                .push(warning(format!("silences[{id}].until"), "its time is over; take it out, or give a later time"));
        }
    }
}

fn hooks(snapshot: &Snapshot, used: &Used<'_>, findings: &mut Vec<Finding>) {
    for hook in &snapshot.document.webhooks {
        let path = format!("webhooks[{}]", hook.id);
        if !used.hooks.contains(&hook.id) {
            findings.push(warning(&path, format!("no level or fallback names webhook `{}`", hook.id)));
        }
        if let Some(fault) = hook_fault(snapshot, hook) {
            findings.push(warning(format!("{path}.url"), format!("`{}` can never be used: {fault}", hook.id)));
        }
        if hook.kind == ContactKind::Webhook && hook.secret.is_none() {
            findings.push(warning(format!("{path}.secret"), unsigned(hook.id.as_str())));
        }
    }
}

fn schedules(snapshot: &Snapshot, used: &Used<'_>, now: Timestamp, findings: &mut Vec<Finding>) {
    for schedule in &snapshot.document.schedules {
        let path = format!("schedules[{}]", schedule.id);
        if !used.schedules.contains(&schedule.id) {
            findings.push(warning(path, format!("no level or fallback names schedule `{}`", schedule.id)));
            continue;
        }
        let Some(roster) = snapshot.rosters.get(&schedule.id) else { continue };
        calendars(roster, &path, now, findings);
        if roster.is_unknown() {
            // Whether there is a gap shows once it was fetched.
            continue;
        }
        let shifts = roster.between(now, now.after(AHEAD));
        let Some(first) = shifts.iter().position(|stretch| stretch.duties.is_empty()) else { continue };
        let gap: Vec<_> = shifts.iter().skip(first).take_while(|stretch| stretch.duties.is_empty()).collect();
        let (Some(from), Some(until)) = (gap.first(), gap.last()) else { continue };
        let from = local_time(&schedule.time_zone, from.from);
        let length = if first + gap.len() == shifts.len() {
            format!("from {from} on")
        } else {
            format!("from {from} until {}", local_time(&schedule.time_zone, until.until))
        };
        let message = format!("nobody is on call {length}; the next level or the fallback is paged instead");
        findings.push(warning(path, message));
    }
}

/// Calendars that others keep: what they lack, and whom they name that is nobody.
fn calendars(roster: &Roster, path: &str, now: Timestamp, findings: &mut Vec<Finding>) {
    for calendar in roster.imported() {
        let path = format!("{path}.layers[{}].ical_url", calendar.layer);
        match &calendar.copy {
            CopyState::Missing => {
                let message = "the calendar was not fetched yet; until it is, it puts nobody on call";
                findings.push(warning(&path, message));
            }
            CopyState::Unreadable(why) => {
                let message = format!("the copy of the calendar cannot be read, so it puts nobody on call: {why}");
                findings.push(warning(&path, message));
            }
            CopyState::Read { events: 0, .. } => {
                findings.push(warning(&path, "the calendar is empty, so it puts nobody on call"));
            }
            CopyState::Read { last, .. } if last.is_none_or(|last| last <= now) => {
                findings.push(warning(&path, "the calendar has no shift to come, so it puts nobody on call"));
            }
            CopyState::Read { .. } => {}
        }
        let unclear = calendar.unclear(now);
        for name in unclear.iter().take(NAMES_MAX) {
            let (event, name, why) = (&name.event, &name.name, name.shared);
            let what = if why {
                "is the name of several people; write the id of the one it means"
            } else {
                "is nobody of this document; write the id, the name or the e-mail address of a person"
            };
            findings.push(warning(&path, format!("in the event `{event}` `{name}` {what}; it puts nobody on call")));
        }
        if unclear.len() > NAMES_MAX {
            findings.push(warning(&path, format!("{} more names are nobody's", unclear.len() - NAMES_MAX)));
        }
    }
}

fn levels(policy: &Policy, findings: &mut Vec<Finding>) {
    let last = policy.levels.len().saturating_sub(1);
    for (i, level) in policy.levels.iter().enumerate() {
        let path = format!("policies[{}].levels[{i}]", policy.id);
        if level.notify.is_empty() {
            findings.push(warning(format!("{path}.notify"), "the level names nobody and is passed over"));
        } else if level.delay == Delay::ZERO && (i < last || policy.repeat > 0) {
            let message = "the next level follows in the same instant, so nobody has time to answer; give it a delay";
            findings.push(warning(format!("{path}.delay"), message));
        } else if level.delay == Delay::ZERO {
            let message = "the policy is used up in the same instant, before any delivery can be confirmed, and a P0 \
                           pages the fallback at once; give the last level a delay";
            findings.push(warning(format!("{path}.delay"), message));
        }
    }
}
