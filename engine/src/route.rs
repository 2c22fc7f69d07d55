//! The routing tree: where an alert goes and what is made of it, with the trace of every rule that was asked.

use crate::{
    field::Field,
    matcher::{Matcher, Subject},
    window::{Hours, Window, Windows},
};
use shared::{
    Delay, Pairs, PolicyId, RouteId, Severity, TeamId, Timestamp, WindowId,
    config::{Group, Route, StaleAction},
    timeline::{Muted, RouteStep},
};
use std::{collections::BTreeMap, sync::Arc};

/// A compiled node of the tree.
#[derive(Clone, Debug)]
pub struct Node {
    pub id: RouteId,
    pub matchers: Vec<Matcher>,
    pub policy: Option<PolicyId>,
    pub team: Option<TeamId>,
    pub severity: Option<Severity>,
    pub group: Option<GroupBy>,
    pub annotations: Pairs,
    /// When its pages go out, as it stands here: what the route does not say is its parent's.
    pub hours: Hours,
    pub hold: Option<Delay>,
    pub hold_p0: Option<Delay>,
    pub stale_after: Option<Delay>,
    pub stale: Option<StaleAction>,
    pub continues: bool,
    pub children: Vec<Node>,
}

/// Which alerts of a route belong together.
#[derive(Clone, Debug)]
pub struct GroupBy {
    fields: Vec<(String, Field)>,
    missing_equal: bool,
    window: Delay,
    limit: u32,
}

/// The group an alert belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// What its alerts share.
    pub key: String,
    /// How long after the newest of them another one joins.
    pub window: Delay,
    /// How many an incident takes.
    pub limit: u32,
}

/// How long pages wait for a recovery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    pub p0: Delay,
    pub others: Delay,
}

/// Where an alert goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Routing {
    /// In the order they matched, without repetition.
    pub policies: Vec<PolicyId>,
    /// Those of the policies whose routes are all muted now, and until when.
    pub held: BTreeMap<PolicyId, Timestamp>,
    pub team: Option<TeamId>,
    /// The deepest route that sets a severity.
    pub severity: Option<(RouteId, Severity)>,
    /// What alerts of one incident share, by the first route that took it and groups; none for an alert by itself.
    pub group: Option<Membership>,
    pub annotations: Pairs,
    pub trace: Vec<RouteStep>,
    /// After how long without a repetition it is stale, by the first route that says so.
    pub stale_after: Option<(RouteId, Delay)>,
    /// What becomes of it then.
    pub stale: Option<StaleAction>,
    /// How long the pages of each policy wait: the shortest of what the routes that send to it now say.
    pub holds: BTreeMap<PolicyId, Hold>,
}

impl Routing {
    /// Something of the pager's own says which policies page, whatever the routes say and however they would wait.
    pub(crate) fn overrule(&mut self, by: &str, policies: &[PolicyId]) {
        self.policies = policies.to_vec();
        self.held.clear();
        self.holds.clear();
        for step in &mut self.trace {
            step.policy = None;
        }
        for (place, policy) in policies.iter().enumerate() {
            self.trace.push(RouteStep {
                route: by.into(),
                depth: 0,
                matched: true,
                failed: None,
                policy: Some(policy.clone()),
                continues: place + 1 < policies.len(),
                muted: None,
            });
        }
    }

    /// How long a policy waits for what is this bad to recover.
    #[must_use]
    pub fn hold(&self, policy: &PolicyId, severity: Severity) -> Option<Delay> {
        let hold = self.holds.get(policy)?;
        Some(if severity == Severity::P0 { hold.p0 } else { hold.others }).filter(|hold| *hold > Delay::ZERO)
    }

    /// Until when a policy pages nobody by rule for an alert that fires since then, muted or held.
    #[must_use]
    pub fn held_until(&self, policy: &PolicyId, severity: Severity, since: Timestamp) -> Option<Timestamp> {
        let hold = self.hold(policy, severity).map(|hold| since.after(hold));
        self.held.get(policy).copied().max(hold)
    }
}

/// Traces keep at most this many rules; matching ones are always kept.
const TRACE_MAX: usize = 64;

/// Something wrong in the tree: (path, message).
pub type Fault = (String, String);

/// Compiles the tree; every fault is named.
pub fn compile(routes: &[Route], windows: &Windows) -> Result<Vec<Node>, Vec<Fault>> {
    let mut faults = Vec::new();
    let tree = compile_below(routes, "routes", windows, &Hours::default(), &mut faults);
    if faults.is_empty() { Ok(tree) } else { Err(faults) }
}

fn compile_below(routes: &[Route], path: &str, windows: &Windows, above: &Hours, faults: &mut Vec<Fault>) -> Vec<Node> {
    let node = |route: &Route| {
        let here = format!("{path}[{}]", route.id);
        let matchers = conditions(&route.matches, &here, windows, faults);
        let mut hours = |field: &str, own: &Option<Vec<WindowId>>, above: &[(WindowId, Arc<Window>)]| match own {
            Some(ids) => named(ids, &format!("{here}.{field}"), windows, faults),
            None => above.to_vec(),
        };
        let hours = Hours {
            active: hours("active", &route.active, &above.active),
            mute: hours("mute", &route.mute, &above.mute),
        };
        Node {
            id: route.id.clone(),
            matchers,
            policy: route.policy.clone(),
            team: route.team.clone(),
            severity: route.severity,
            group: route.group.as_ref().map(GroupBy::new),
            annotations: route.annotations.clone().into(),
            hold: route.hold,
            hold_p0: route.hold_p0,
            stale_after: route.stale_after,
            stale: route.stale,
            continues: route.continues,
            children: compile_below(&route.routes, &format!("{here}.routes"), windows, &hours, faults),
            hours,
        }
    };
    routes.iter().map(node).collect()
}

/// Compiles conditions of something at `path`; faults are collected.
pub(crate) fn conditions(texts: &[String], path: &str, windows: &Windows, faults: &mut Vec<Fault>) -> Vec<Matcher> {
    let mut matchers = Vec::with_capacity(texts.len());
    for (i, text) in texts.iter().enumerate() {
        match Matcher::parse_with(text, windows) {
            Ok(matcher) => matchers.push(matcher),
            Err(error) => faults.push((format!("{path}.match[{i}]"), error)),
        }
    }
    matchers
}

fn named(ids: &[WindowId], path: &str, windows: &Windows, faults: &mut Vec<Fault>) -> Vec<(WindowId, Arc<Window>)> {
    let mut found = Vec::with_capacity(ids.len());
    for id in ids {
        match windows.get(id) {
            Some(window) => found.push((id.clone(), window.clone())),
            None => faults.push((
                path.to_owned(),
                format!("there is no time window `{id}` in this document; declare it or correct the name"),
            )),
        }
    }
    found
}

impl GroupBy {
    fn new(group: &Group) -> Self {
        let fields = group.by.iter().map(|name| (name.clone(), Field::named(name))).collect();
        Self { fields, missing_equal: group.missing_equal, window: group.window, limit: group.limit }
    }

    /// The group of an alert; none for one that lacks a field and so stays by itself.
    fn membership(&self, route: &RouteId, subject: &Subject<'_>) -> Option<Membership> {
        let mut key = route.to_string();
        for (name, field) in &self.fields {
            let value = field.of(subject).filter(|value| !value.is_empty());
            let value = if self.missing_equal { value.unwrap_or_default() } else { value? };
            // Quoted, so that no value can look like two.
            key.push_str(&format!(" {name}={value:?}"));
        }
        Some(Membership { key, window: self.window, limit: self.limit })
    }
}

/// Whether any rule overrules the severity.
#[must_use]
pub(crate) fn sets_severity(tree: &[Node]) -> bool {
    tree.iter().any(|node| node.severity.is_some() || sets_severity(&node.children))
}

/// Whether any rule says when its alerts are stale, or what becomes of them.
#[must_use]
pub(crate) fn sets_stale(tree: &[Node]) -> bool {
    tree.iter().any(|node| node.stale_after.is_some() || node.stale.is_some() || sets_stale(&node.children))
}

/// Walks the tree depth first: the first matching child wins unless it continues; a node whose children
/// do not match takes the alert itself; what a node does not say is its parent's.
#[must_use]
pub fn route(tree: &[Node], subject: &Subject<'_>) -> Routing {
    follow(tree, subject, true)
}

/// The same without the trace, for those who only want to know where it goes.
#[must_use]
pub fn decide(tree: &[Node], subject: &Subject<'_>) -> Routing {
    follow(tree, subject, false)
}

fn follow(tree: &[Node], subject: &Subject<'_>, traced: bool) -> Routing {
    let mut walk = Walk { subject, traced, routing: Routing::default(), open: false };
    walk.below(tree, 0, None);
    walk.routing
}

/// What a node and those above it say.
struct Said<'a> {
    node: &'a Node,
    above: Option<&'a Said<'a>>,
}

impl<'a> Said<'a> {
    /// From the node up to the top.
    fn lineage(&self) -> impl Iterator<Item = &'a Node> + use<'a> {
        let first = (self.node, self.above);
        std::iter::successors(Some(first), |(_, above)| above.map(|said| (said.node, said.above))).map(|(node, _)| node)
    }

    /// The nearest that has something to say.
    fn nearest<T: 'a>(&self, of: impl Fn(&'a Node) -> Option<T>) -> Option<T> {
        self.lineage().find_map(of)
    }
}

struct Walk<'s> {
    subject: &'s Subject<'s>,
    traced: bool,
    routing: Routing,
    /// A route has taken it already: it decides the team, the severity and the group.
    open: bool,
}

impl Walk<'_> {
    fn below(&mut self, nodes: &[Node], depth: u32, above: Option<&Said<'_>>) -> bool {
        let mut any = false;
        for node in nodes {
            let failed = node.matchers.iter().find(|matcher| !matcher.holds(self.subject));
            let matched = failed.is_none();
            let place = self.routing.trace.len();
            if self.traced && (matched || place < TRACE_MAX) {
                self.routing.trace.push(RouteStep {
                    route: node.id.clone(),
                    depth,
                    matched,
                    failed: failed.map(|matcher| matcher.failure(self.subject)),
                    policy: None,
                    continues: matched && node.continues,
                    muted: None,
                });
            }
            if !matched {
                continue;
            }
            any = true;
            let here = Said { node, above };
            if !self.below(&node.children, depth + 1, Some(&here)) {
                self.take(&here, place);
            }
            if !node.continues {
                break;
            }
        }
        any
    }

    fn take(&mut self, here: &Said<'_>, place: usize) {
        let muted = self.muted(here.node);
        if let Some(policy) = here.nearest(|node| node.policy.as_ref()) {
            let hold = Hold {
                p0: here.nearest(|node| node.hold_p0).unwrap_or_default(),
                others: here.nearest(|node| node.hold).unwrap_or_default(),
            };
            self.send(policy, muted.as_ref(), hold);
            if let Some(step) = self.routing.trace.get_mut(place) {
                step.policy = Some(policy.clone());
                step.muted = muted;
            }
        }
        let routing = &mut self.routing;
        if routing.team.is_none() {
            routing.team = here.nearest(|node| node.team.clone());
        }
        if routing.severity.is_none() {
            routing.severity = here.nearest(|node| Some((node.id.clone(), node.severity?)));
        }
        if routing.stale_after.is_none() {
            routing.stale_after = here.nearest(|node| Some((node.id.clone(), node.stale_after?)));
        }
        if routing.stale.is_none() {
            routing.stale = here.nearest(|node| node.stale);
        }
        if !self.open {
            let group = here.nearest(|node| node.group.as_ref());
            routing.group = group.and_then(|group| group.membership(&here.node.id, self.subject));
            self.open = true;
        }
        for node in here.lineage() {
            if routing.annotations.is_empty() {
                // What one route says for all of its incidents is held once.
                routing.annotations = node.annotations.clone();
                continue;
            }
            for (name, text) in node.annotations.iter() {
                if !routing.annotations.contains_key(name) {
                    routing.annotations.insert(name.clone(), text.clone());
                }
            }
        }
    }

    fn muted(&self, node: &Node) -> Option<Muted> {
        let window = node.hours.quiet(self.subject.now)?.cloned();
        Some(Muted { window, until: node.hours.quiet_until(self.subject.now) })
    }

    /// A policy that some route sends to now is not held; one that every route holds waits for the first of them.
    fn send(&mut self, policy: &PolicyId, muted: Option<&Muted>, hold: Hold) {
        let routing = &mut self.routing;
        let known = routing.policies.contains(policy);
        match muted {
            None => drop(routing.held.remove(policy)),
            Some(Muted { until: None, .. }) => return,
            Some(Muted { until: Some(until), .. }) => match routing.held.get_mut(policy) {
                Some(held) => *held = (*held).min(*until),
                None if !known => drop(routing.held.insert(policy.clone(), *until)),
                None => {}
            },
        }
        if !known {
            routing.policies.push(policy.clone());
        }
        let shortest = routing.holds.entry(policy.clone()).or_insert(hold);
        *shortest = Hold { p0: shortest.p0.min(hold.p0), others: shortest.others.min(hold.others) };
    }
}
