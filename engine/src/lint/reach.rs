//! Whether a P0 reaches somebody at every instant of the coming weeks, by levels or at least by the fallback.

use super::{AHEAD, fatal, warning};
use crate::{
    compile::{FALLBACK, RuleChoice, Snapshot, rule_for},
    condition::{Standing, unmet},
    oncall::{self, Roster, Stretch},
    route::Node,
    window::{Window, Windows},
};
use shared::{
    PersonId, PolicyId, ScheduleId, Severity, Timestamp,
    config::{Contact, ContactKind, Finding, GatewayFor, Hook, Level, Policy, Target},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Boundaries looked at for one policy; a document with more has its first ones checked.
const INSTANTS_MAX: usize = 4_096;
/// Reasons spelled out in one finding.
const REASONS_MAX: usize = 3;

/// Findings about instants at which a P0 reaches nobody, or only the fallback.
pub(super) fn unreachable(snapshot: &Snapshot, now: Timestamp) -> Vec<Finding> {
    let ways = ways(snapshot);
    let reach = Reach::new(snapshot, now);
    let fallback = &snapshot.document.fallback;
    let mut findings = Vec::new();
    for id in &ways.policies {
        let Some(policy) = snapshot.policies.get(id) else { continue };
        let all: Vec<&Target> = policy.levels.iter().flat_map(|level| &level.notify).chain(fallback).collect();
        let mut instants: BTreeSet<Timestamp> = reach.instants(&all, now).collect();
        instants.extend(changes(policy, &snapshot.windows, now));
        let mut covered_only = None;
        for at in instants.into_iter().take(INSTANTS_MAX) {
            let levels = running(policy, snapshot, at);
            if levels.iter().any(|target| reach.reaches(target, at)) {
                continue;
            }
            if fallback.iter().any(|target| reach.reaches(target, at)) {
                covered_only.get_or_insert(at);
                continue;
            }
            findings.push(fatal(format!("policies[{id}]"), reach.nobody(id, &levels, at)));
            covered_only = None;
            break;
        }
        if let Some(at) = covered_only {
            let levels = running(policy, snapshot, at);
            let why = reach.reasons(&levels, at);
            let message =
                format!("a P0 of policy `{id}` reaches only the fallback{}: {why}", reach.since(&levels, at, now));
            findings.push(warning(format!("policies[{id}]"), message));
        }
    }
    if ways.unmatched {
        let targets: Vec<&Target> = fallback.iter().collect();
        let gap = reach.instants(&targets, now).find(|at| !targets.iter().any(|target| reach.reaches(target, *at)));
        if let Some(at) = gap {
            findings.push(fatal("fallback", reach.unmatched(&targets, at)));
        }
    }
    findings
}

/// The targets of the levels that run for a lone P0 at an instant; a level that asks for several alerts cannot be counted
/// on.
fn running<'a>(policy: &'a Policy, snapshot: &Snapshot, at: Timestamp) -> Vec<&'a Target> {
    let standing = Standing { severity: Severity::P0, firing: 1, now: at };
    let runs = |level: &&Level| unmet(&level.when, standing, &snapshot.windows).is_none();
    policy.levels.iter().filter(runs).flat_map(|level| &level.notify).collect()
}

/// When the hours of a policy's levels begin or end within the coming weeks.
fn changes(policy: &Policy, windows: &Windows, now: Timestamp) -> BTreeSet<Timestamp> {
    let named = policy.levels.iter().flat_map(|level| level.when.during.iter().chain(&level.when.except));
    let found = named.collect::<BTreeSet<_>>().into_iter().filter_map(|id| windows.get(id));
    let until = now.after(AHEAD);
    let of = |window: &Arc<Window>| {
        let window = window.clone();
        let first = window.changes_after(now);
        std::iter::successors(first, move |at| window.changes_after(*at)).take_while(move |at| *at < until)
    };
    found.flat_map(of).take(INSTANTS_MAX).collect()
}

/// Where a P0 can go.
struct Ways {
    policies: BTreeSet<PolicyId>,
    /// Whether a P0 can match no route, or only routes without a policy.
    unmatched: bool,
}

fn ways(snapshot: &Snapshot) -> Ways {
    let mut ways = Ways { policies: BTreeSet::new(), unmatched: false };
    // A route may raise any severity to P0, and lower a P0.
    for stated in Severity::ALL {
        let certain = walk(&snapshot.tree, stated, None, None, &mut ways);
        if stated == Severity::P0 && !certain {
            ways.unmatched = true;
        }
    }
    // Named by a route, the fallback is held to the same as an unmatched P0.
    ways.unmatched |= ways.policies.remove(&PolicyId::from(FALLBACK));
    ways
}

/// Follows one stated severity; says whether some node takes it for certain.
fn walk(
    nodes: &[Node],
    stated: Severity,
    policy: Option<&PolicyId>,
    severity: Option<Severity>,
    ways: &mut Ways,
) -> bool {
    for node in nodes.iter().filter(|node| node.matchers.iter().all(|matcher| matcher.admits(stated))) {
        let policy = node.policy.as_ref().or(policy);
        let severity = node.severity.or(severity);
        let taken_below = walk(&node.children, stated, policy, severity, ways);
        if !taken_below && severity.unwrap_or(stated) == Severity::P0 {
            match policy {
                Some(policy) => drop(ways.policies.insert(policy.clone())),
                // Other routes may still give it a policy; the fallback is there in case they do not.
                None => ways.unmatched = true,
            }
        }
        let certain = node.matchers.iter().all(|matcher| matcher.is_about_severity());
        if certain && !node.continues {
            return true;
        }
    }
    // A node that takes everything and continues has taken it too.
    nodes.iter().any(|node| node.matchers.iter().all(|matcher| matcher.is_about_severity() && matcher.admits(stated)))
}

/// The shifts of the coming weeks, and what each contact needs.
struct Reach<'a> {
    snapshot: &'a Snapshot,
    shifts: BTreeMap<&'a ScheduleId, Vec<Stretch>>,
}

impl<'a> Reach<'a> {
    fn new(snapshot: &'a Snapshot, now: Timestamp) -> Self {
        let until = now.after(AHEAD);
        let shifts = snapshot.rosters.iter().map(|(id, roster)| (id, roster.between(now, until))).collect();
        Self { snapshot, shifts }
    }

    /// Every instant at which the answer for these targets may change, `now` first.
    fn instants(&self, targets: &[&Target], now: Timestamp) -> impl Iterator<Item = Timestamp> + use<> {
        let mut instants = BTreeSet::from([now]);
        for target in targets {
            if let Target::Schedule(id) = target {
                instants.extend(self.shifts.get(id).into_iter().flatten().map(|stretch| stretch.from));
            }
        }
        instants.into_iter().take(INSTANTS_MAX)
    }

    fn on_call(&self, schedule: &ScheduleId, at: Timestamp) -> Vec<&PersonId> {
        let shifts = self.shifts.get(schedule).map(Vec::as_slice).unwrap_or_default();
        let place = shifts.partition_point(|stretch| stretch.from <= at);
        let found = place.checked_sub(1).and_then(|place| shifts.get(place));
        found.map(|stretch| stretch.duties.iter().map(|duty| &duty.person).collect()).unwrap_or_default()
    }

    fn reaches(&self, target: &Target, at: Timestamp) -> bool {
        match target {
            Target::Person(person) => person_is_reachable(self.snapshot, person),
            Target::Webhook(id) => {
                self.snapshot.hooks.get(id).is_some_and(|hook| hook_fault(self.snapshot, hook).is_none())
            }
            Target::Schedule(id) => {
                self.on_call(id, at).into_iter().any(|person| person_is_reachable(self.snapshot, person))
            }
            Target::Team(id) => self
                .snapshot
                .teams
                .get(id)
                .is_some_and(|team| team.members.iter().any(|person| person_is_reachable(self.snapshot, person))),
        }
    }

    fn nobody(&self, policy: &PolicyId, levels: &[&Target], at: Timestamp) -> String {
        let fallback: Vec<&Target> = self.snapshot.document.fallback.iter().collect();
        let why = self.reasons(levels, at);
        let (rest, mend) = if fallback.is_empty() {
            ("`fallback` is empty".to_owned(), "add a person to `fallback`, or close the gap")
        } else {
            (
                format!("the fallback reaches nobody either ({})", self.reasons(&fallback, at)),
                "give `fallback` somebody with a contact that can be used",
            )
        };
        format!("a P0 of policy `{policy}` can reach nobody: {why}, and {rest}; {mend}")
    }

    fn unmatched(&self, fallback: &[&Target], at: Timestamp) -> String {
        if fallback.is_empty() {
            return "a P0 that matches no route can reach nobody: `fallback` is empty; add a person to it, or a last \
                    route without `match` that has a policy"
                .to_owned();
        }
        format!(
            "a P0 that matches no route can reach nobody: {}; give `fallback` somebody with a contact that can be used",
            self.reasons(fallback, at)
        )
    }

    /// Why these targets come to nobody at an instant.
    fn reasons(&self, targets: &[&Target], at: Timestamp) -> String {
        if targets.is_empty() {
            return "no level that runs then names anybody".to_owned();
        }
        let distinct: BTreeSet<&&Target> = targets.iter().collect();
        let more = distinct.len().saturating_sub(REASONS_MAX);
        let mut parts: Vec<String> =
            distinct.into_iter().take(REASONS_MAX).map(|target| self.reason(target, at)).collect();
        if more > 0 {
            parts.push(format!("and {more} more like these"));
        }
        parts.join(", ")
    }

    fn reason(&self, target: &Target, at: Timestamp) -> String {
        match target {
            Target::Person(person) => self.no_contact(person),
            Target::Webhook(id) => {
                format!("webhook `{id}` is an http:// address while `channels.webhook.allow_http` is off")
            }
            Target::Team(id) => {
                let members = self.snapshot.teams.get(id).map(|team| team.members.as_slice()).unwrap_or_default();
                match members.first() {
                    None => format!("team `{id}` has no members"),
                    Some(first) => format!("in team `{id}` nobody can be reached ({})", self.no_contact(first)),
                }
            }
            Target::Schedule(id) => match self.on_call(id, at).first() {
                None if self.snapshot.rosters.get(id).is_some_and(Roster::is_unknown) => {
                    format!("the calendar of schedule `{id}` was not fetched yet")
                }
                None => format!("schedule `{id}` has nobody on call on {}", self.local(id, at)),
                Some(person) => {
                    format!("schedule `{id}` on {}: {}", self.local(id, at), self.no_contact(person))
                }
            },
        }
    }

    fn no_contact(&self, id: &PersonId) -> String {
        let Some(person) = self.snapshot.people.get(id) else { return format!("there is no person `{id}`") };
        if person.contacts.is_empty() {
            return format!("`{id}` has no contact");
        }
        match person.contacts.iter().find_map(|contact| contact_fault(self.snapshot, contact)) {
            Some(fault) => format!("`{id}` has no contact that can be used ({fault})"),
            None => format!("the rule of `{id}` for P0 uses no contact"),
        }
    }

    /// ` from Sat 2026-11-28 09:00 Asia/Shanghai`, unless it is so already.
    fn since(&self, targets: &[&Target], at: Timestamp, now: Timestamp) -> String {
        let schedule = targets.iter().find_map(|target| match target {
            Target::Schedule(id) => Some(id),
            _ => None,
        });
        match schedule {
            Some(id) if at > now => format!(" from {}", self.local(id, at)),
            _ => String::new(),
        }
    }

    fn local(&self, schedule: &ScheduleId, at: Timestamp) -> String {
        let zone = self.snapshot.document.schedules.iter().find(|it| it.id == *schedule).map(|it| &it.time_zone);
        local_time(zone.map_or("UTC", String::as_str), at)
    }
}

/// `Sat 2026-11-28 09:00 Asia/Shanghai`.
pub(super) fn local_time(zone: &str, at: Timestamp) -> String {
    let zoned = oncall::zone(zone).ok().zip(jiff::Timestamp::from_millisecond(at.ms()).ok());
    match zoned {
        Some((tz, instant)) => format!("{} {zone}", instant.to_zoned(tz).strftime("%a %Y-%m-%d %H:%M")),
        None => format!("{} ms", at.ms()),
    }
}

/// Whether a P0 page to this person has at least one contact that can be used.
pub(super) fn person_is_reachable(snapshot: &Snapshot, id: &PersonId) -> bool {
    let Some(person) = snapshot.people.get(id) else { return false };
    let usable = |contact: &Contact| contact_fault(snapshot, contact).is_none();
    match rule_for(person, Severity::P0) {
        RuleChoice::Nothing => false,
        RuleChoice::AllContacts => person.contacts.iter().any(usable),
        RuleChoice::Rule(_, rule) => rule
            .notify
            .iter()
            .filter_map(|step| person.contacts.iter().find(|contact| contact.id == step.contact))
            .any(usable),
    }
}

/// Why a message to this room could never be delivered.
pub(super) fn hook_fault(snapshot: &Snapshot, hook: &Hook) -> Option<String> {
    address_fault(snapshot, hook.kind, &hook.url)
}

/// Why a delivery to this contact could never be made.
pub(super) fn contact_fault(snapshot: &Snapshot, contact: &Contact) -> Option<String> {
    let (kind, address) = contact.address()?;
    address_fault(snapshot, kind, address)
}

fn address_fault(snapshot: &Snapshot, kind: ContactKind, address: &str) -> Option<String> {
    let channels = &snapshot.document.channels;
    let without = |name: &str, channel: &str| Some(format!("{name} without `channels.{channel}`"));
    match kind {
        ContactKind::Email if channels.email.is_none() => without("e-mail", "email"),
        ContactKind::Ntfy if channels.ntfy.is_none() => without("ntfy", "ntfy"),
        ContactKind::Sms => channels.carrier(GatewayFor::Sms).err().map(|why| format!("text messages: {why}")),
        ContactKind::Voice => channels.carrier(GatewayFor::Voice).err().map(|why| format!("calls: {why}")),
        ContactKind::Slack if channels.slack.is_none() && !address.contains("://") => {
            without("a Slack member or channel", "slack")
        }
        ContactKind::Telegram if channels.telegram.is_none() => without("Telegram", "telegram"),
        ContactKind::WeCom if address.starts_with("user:") && channels.wecom.corp_id.is_none() => {
            without("a member of WeCom", "wecom")
        }
        ContactKind::Webhook if !address.starts_with("https://") && !channels.webhook.allow_http => {
            Some("an http:// webhook while `channels.webhook.allow_http` is off".to_owned())
        }
        _ => None,
    }
}
