//! Routes that nothing reaches, alerts that no route takes, and pages that wait where they should not.
//!
//! Whether one route takes everything another would is decided by what conditions imply. Where that cannot be known
//! (two different regular expressions), nothing is said: a warning is always right, its absence is no proof.

use super::warning;
use crate::{
    compile::Snapshot,
    field::Field,
    matcher::{Matcher, Test, Text},
    route::Node,
};
use ipnet::IpNet;
use shared::{Severity, Timestamp, config::Finding};

/// Everything doubtful about the tree.
pub(super) fn routes(snapshot: &Snapshot, now: Timestamp) -> Vec<Finding> {
    let mut findings = Vec::new();
    below(&snapshot.tree, "routes", &[], now, &mut findings);
    findings.extend(unmatched(&snapshot.tree));
    findings
}

fn below(nodes: &[Node], path: &str, above: &[&Matcher], now: Timestamp, findings: &mut Vec<Finding>) {
    for (i, node) in nodes.iter().enumerate() {
        let here = format!("{path}[{}]", node.id);
        let conditions: Vec<&Matcher> = above.iter().copied().chain(&node.matchers).collect();
        if let Some(why) = contradiction(&conditions, now) {
            findings.push(warning(here, format!("never matches: {why}")));
            continue;
        }
        let takes_all = |before: &&Node| !before.continues && before.matchers.iter().all(|it| implied(it, &conditions));
        if let Some(before) = nodes.iter().take(i).find(takes_all) {
            let what = if before.matchers.is_empty() { "everything" } else { "everything this one would" };
            let message = format!(
                "never asked: route `{}` before it matches {what} and does not continue; move it up",
                before.id
            );
            findings.push(warning(here, message));
            continue;
        }
        waiting(node, &here, &conditions, now, findings);
        below(&node.children, &format!("{here}.routes"), &conditions, now, findings);
    }
}

/// Pages that wait for ever, and a P0 that waits at all.
fn waiting(node: &Node, here: &str, conditions: &[&Matcher], now: Timestamp, findings: &mut Vec<Finding>) {
    if node.hours.quiet(now).is_some() && node.hours.quiet_until(now).is_none() {
        findings.push(warning(here, "never pages: it is muted, and its time windows never change that"));
        return;
    }
    let is_muted = !(node.hours.active.is_empty() && node.hours.mute.is_empty());
    let takes_p0 = node.severity.unwrap_or(Severity::P0) == Severity::P0
        && conditions.iter().all(|condition| condition.admits(Severity::P0));
    if is_muted && takes_p0 {
        let message = "a P0 waits too while the route is muted; add severity!=P0, and a route for P0 before it";
        findings.push(warning(here, message));
    }
}

/// Severities that no route is certain to take.
fn unmatched(tree: &[Node]) -> Option<Finding> {
    let takes = |node: &Node, severity: Severity| {
        node.matchers.iter().all(|matcher| matcher.is_about_severity() && matcher.admits(severity))
    };
    let open = |severity: &Severity| !tree.iter().any(|node| takes(node, *severity));
    let (urgent, other): (Vec<Severity>, Vec<Severity>) =
        Severity::ALL.into_iter().filter(open).partition(|severity| severity.is_urgent());
    let list = |severities: &[Severity]| severities.iter().map(|it| it.as_str()).collect::<Vec<_>>().join(", ");
    let fate = match (urgent.is_empty(), other.is_empty()) {
        (true, true) => return None,
        (true, false) => format!("a {} that no route matches is shown and pages nobody", list(&other)),
        (false, true) => format!("a {} that no route matches pages the fallback", list(&urgent)),
        (false, false) => format!(
            "a {} that no route matches pages the fallback, and a {} is shown and pages nobody",
            list(&urgent),
            list(&other)
        ),
    };
    Some(warning("routes", format!("{fate}; a last route without `match` would take the rest")))
}

/// Why these conditions can never hold together, as far as that can be known.
fn contradiction(conditions: &[&Matcher], now: Timestamp) -> Option<String> {
    for condition in conditions {
        let against = |field: &str| Some(format!("its conditions on `{field}` contradict each other"));
        let name = condition.text().split(['=', '!', ' ']).next().unwrap_or_default().trim();
        match &condition.test {
            Test::Text(field, _) | Test::Network(field, _)
                if possible(field, conditions).is_some_and(|values| values.is_empty()) =>
            {
                return against(name);
            }
            Test::Time(windows) if !condition.negated => {
                let gone = windows.iter().all(|(_, it)| !it.contains(now) && it.changes_after(now).is_none());
                if gone {
                    return Some(format!("the time of `{}` does not come any more", condition.text()));
                }
            }
            _ => {}
        }
        // What is implied when the opposite is asked for cannot hold.
        let opposite = condition.opposite();
        let others: Vec<&Matcher> = conditions.iter().copied().filter(|it| !std::ptr::eq(*it, *condition)).collect();
        if implied(&opposite, &others) {
            return against(name);
        }
    }
    None
}

/// Whether a condition holds for certain wherever all of the others hold.
fn implied(condition: &Matcher, others: &[&Matcher]) -> bool {
    let negated = condition.negated;
    match &condition.test {
        Test::Text(field, text) => match possible(field, others) {
            // Of nothing everything holds; but that is another finding.
            Some(values) => !values.is_empty() && values.iter().all(|value| text.holds(value) != negated),
            None => others.iter().any(|other| match &other.test {
                Test::Text(theirs, same) => theirs == field && other.negated == negated && alike(same, text),
                _ => false,
            }),
        },
        Test::Network(field, networks) => others.iter().any(|other| match &other.test {
            Test::Network(theirs, narrower) if theirs == field => match (negated, other.negated) {
                (false, false) => narrower.iter().all(|it| networks.iter().any(|wide| wide.contains(it))),
                (true, true) => networks.iter().all(|it| narrower.iter().any(|wide| wide.contains(it))),
                (true, false) => !narrower.iter().any(|one| networks.iter().any(|two| overlap(one, two))),
                (false, true) => false,
            },
            _ => false,
        }),
        Test::Time(windows) => others.iter().any(|other| match &other.test {
            Test::Time(theirs) if other.negated == negated => {
                let (some, all) = if negated { (windows, theirs) } else { (theirs, windows) };
                some.iter().all(|(id, _)| all.iter().any(|(known, _)| known == id))
            }
            _ => false,
        }),
    }
}

fn overlap(one: &IpNet, two: &IpNet) -> bool {
    one.contains(two) || two.contains(one)
}

fn alike(one: &Text, two: &Text) -> bool {
    match (one, two) {
        (Text::Equal(one), Text::Equal(two)) => one == two,
        (Text::Like(one), Text::Like(two)) => one.as_str() == two.as_str(),
        _ => false,
    }
}

/// Every text a field can hold where these conditions hold; none when they leave it open.
fn possible(field: &Field, conditions: &[&Matcher]) -> Option<Vec<String>> {
    let texts = || {
        conditions.iter().filter_map(|condition| match &condition.test {
            Test::Text(theirs, text) if theirs == field => Some((text, condition.negated)),
            _ => None,
        })
    };
    let named = |(text, negated): (&Text, bool)| match text {
        Text::Equal(value) if !negated => Some(vec![value.clone()]),
        Text::Like(regex) if !negated => alternatives(regex.as_str()),
        _ => None,
    };
    let mut values = match field {
        Field::Severity => Severity::ALL.iter().map(|severity| severity.as_str().to_owned()).collect(),
        _ => texts().find_map(named)?,
    };
    values.retain(|value| texts().all(|(text, negated)| text.holds(value) != negated));
    Some(values)
}

/// The texts of a regular expression that is nothing but a choice of plain texts: `db|web`.
fn alternatives(regex: &str) -> Option<Vec<String>> {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | ' ' | ':' | '/');
    let inner = regex.strip_prefix(r"\A(?:")?.strip_suffix(r")\z")?;
    let texts: Vec<String> = inner.split('|').map(str::to_owned).collect();
    texts.iter().all(|text| text.chars().all(plain)).then_some(texts)
}
