//! The routing tree: which escalation policies an alert goes to, with the trace of every rule that was asked.

use crate::matcher::{Matcher, Subject};
use shared::{PolicyId, RouteId, Severity, TeamId, config::Route, timeline::RouteStep};

/// A compiled node of the tree.
#[derive(Clone, Debug)]
pub struct Node {
    pub id: RouteId,
    pub matchers: Vec<Matcher>,
    pub policy: Option<PolicyId>,
    pub team: Option<TeamId>,
    pub severity: Option<Severity>,
    pub continues: bool,
    pub children: Vec<Node>,
}

/// Where an alert goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Routing {
    /// In the order they matched, without repetition.
    pub policies: Vec<PolicyId>,
    pub team: Option<TeamId>,
    /// The deepest route that sets a severity.
    pub severity: Option<(RouteId, Severity)>,
    pub trace: Vec<RouteStep>,
}

/// Traces keep at most this many rules; matching ones are always kept.
const TRACE_MAX: usize = 64;

/// Compiles the tree; the error is (path, message).
pub fn compile(routes: &[Route], path: &str) -> Result<Vec<Node>, (String, String)> {
    routes
        .iter()
        .map(|route| {
            let here = format!("{path}[{}]", route.id);
            let matchers = route
                .matches
                .iter()
                .enumerate()
                .map(|(i, text)| Matcher::parse(text).map_err(|error| (format!("{here}.match[{i}]"), error)))
                .collect::<Result<_, _>>()?;
            Ok(Node {
                id: route.id.clone(),
                matchers,
                policy: route.policy.clone(),
                team: route.team.clone(),
                severity: route.severity,
                continues: route.continues,
                children: compile(&route.routes, &format!("{here}.routes"))?,
            })
        })
        .collect()
}

/// Whether any rule overrules the severity.
#[must_use]
pub(crate) fn sets_severity(tree: &[Node]) -> bool {
    tree.iter().any(|node| node.severity.is_some() || sets_severity(&node.children))
}

/// Walks the tree depth first: the first matching child wins unless it continues; a node whose children
/// do not match takes the alert itself; policy, team and severity are inherited.
#[must_use]
pub fn route(tree: &[Node], subject: &Subject<'_>) -> Routing {
    let mut routing = Routing::default();
    walk(tree, subject, 0, &Inherited::default(), &mut routing);
    routing
}

#[derive(Clone, Default)]
struct Inherited<'a> {
    policy: Option<&'a PolicyId>,
    team: Option<&'a TeamId>,
    severity: Option<(&'a RouteId, Severity)>,
}

fn walk<'a>(
    nodes: &'a [Node],
    subject: &Subject<'_>,
    depth: u32,
    above: &Inherited<'a>,
    routing: &mut Routing,
) -> bool {
    let mut any = false;
    for node in nodes {
        let failed = node.matchers.iter().find_map(|matcher| matcher.check(subject).err());
        let matched = failed.is_none();
        let place = routing.trace.len();
        if matched || place < TRACE_MAX {
            routing.trace.push(RouteStep {
                route: node.id.clone(),
                depth,
                matched,
                failed,
                policy: None,
                continues: matched && node.continues,
            });
        }
        if !matched {
            continue;
        }
        any = true;
        let here = Inherited {
            policy: node.policy.as_ref().or(above.policy),
            team: node.team.as_ref().or(above.team),
            severity: node.severity.map(|severity| (&node.id, severity)).or(above.severity),
        };
        if !walk(&node.children, subject, depth + 1, &here, routing) {
            take(&here, place, routing);
        }
        if !node.continues {
            break;
        }
    }
    any
}

fn take(here: &Inherited<'_>, place: usize, routing: &mut Routing) {
    if let Some(policy) = here.policy {
        if let Some(step) = routing.trace.get_mut(place) {
            step.policy = Some(policy.clone());
        }
        if !routing.policies.contains(policy) {
            routing.policies.push(policy.clone());
        }
    }
    if routing.team.is_none() {
        routing.team = here.team.cloned();
    }
    if routing.severity.is_none() {
        routing.severity = here.severity.map(|(route, severity)| (route.clone(), severity));
    }
}
