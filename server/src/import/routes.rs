//! The routing tree and the inhibition rules.

use super::{
    Differences,
    alertmanager::{File, Route},
    matchers,
    receivers::Policies,
    times::Times,
    write::{Ids, Writer},
};

/// # Errors
/// Where the file is one that Alertmanager would not start with.
pub(super) fn translate(
    file: &File,
    policies: &Policies,
    times: &Times,
    toml: &mut Writer,
    differences: &mut Differences,
) -> Result<(), String> {
    let root = file.route.as_ref().ok_or("the file has no `route`")?;
    if root.receiver.is_empty() {
        return Err("route.receiver: the first route must name a receiver".to_owned());
    }
    let mut tree = Tree { policies, times, toml, differences, ids: Ids::default() };
    tree.toml.comment("Tried in order; the first that matches wins, and what a route does not say is its parent's.");
    tree.route(root, None, "route", "routes")
}

struct Tree<'a> {
    policies: &'a Policies,
    times: &'a Times,
    toml: &'a mut Writer,
    differences: &'a mut Differences,
    ids: Ids,
}

/// Whether a route says when it is active and mute, so that those below must say that they are not.
#[derive(Clone, Copy)]
struct Above {
    active: bool,
    mute: bool,
}

impl Tree<'_> {
    fn route(&mut self, route: &Route, above: Option<Above>, place: &str, path: &str) -> Result<(), String> {
        let read =
            matchers::all(&route.equal, &route.like, &route.matchers).map_err(|error| format!("{place}: {error}"))?;
        let hours = route.active_time_intervals.len() + route.mute_time_intervals.len();
        if above.is_none() && (!read.is_empty() || hours > 0) {
            return Err(format!("{place}: the first route takes everything; it has no matchers and no time intervals"));
        }
        let id = match above {
            None => self.ids.name("root", "root"),
            Some(_) => {
                let words: Vec<&str> = read.iter().map(matchers::Match::word).filter(|it| !it.is_empty()).collect();
                let words = if words.is_empty() { route.receiver.clone() } else { words.join("-") };
                self.ids.name(&words, "route")
            }
        };
        self.timing(route, place, above.is_none());
        self.toml.item(path);
        self.toml.key("id", id.as_str());
        if !read.is_empty() {
            let conditions: Vec<String> = read.iter().map(|it| it.condition(place, self.differences)).collect();
            self.toml.texts("match", &conditions);
        }
        if !route.receiver.is_empty() {
            let policy = self.policies.get(&route.receiver);
            let policy =
                policy.ok_or_else(|| format!("{place}.receiver: there is no receiver `{}`", route.receiver))?;
            self.toml.key("policy", policy.as_str());
        }
        if route.r#continue {
            self.toml.key("continue", true);
        }
        self.group(route, place, above.is_none());
        let active = self.hours("active", &route.active_time_intervals, above.is_some_and(|it| it.active), place)?;
        let mute = self.hours("mute", &route.mute_time_intervals, above.is_some_and(|it| it.mute), place)?;
        self.toml.gap();
        for (i, child) in route.routes.iter().enumerate() {
            let above = Some(Above { active, mute });
            self.route(child, above, &format!("{place}.routes[{i}]"), &format!("{path}.routes"))?;
        }
        Ok(())
    }

    fn timing(&mut self, route: &Route, place: &str, is_root: bool) {
        for (key, value, what) in [
            (
                "group_wait",
                route.group_wait.as_deref().or(is_root.then_some("30s")),
                "not carried over: the first page goes out at once",
            ),
            (
                "group_interval",
                route.group_interval.as_deref().or(is_root.then_some("5m")),
                "not carried over: what joins an incident is shown in it at once",
            ),
            (
                "repeat_interval",
                route.repeat_interval.as_deref().or(is_root.then_some("4h")),
                "not carried over: add levels to the policy, or let it `repeat`",
            ),
        ] {
            if let Some(value) = value {
                self.differences.add(format!("{place}.{key}"), format!("{value} is {what}"));
            }
        }
    }

    fn group(&mut self, route: &Route, place: &str, is_root: bool) {
        let by: Vec<String> = match &route.group_by {
            // One notification for everything there would be one incident for everything here, and an answer to it would
            // cover a new P0.
            None if is_root => {
                let what = "absent, one notification for everything: here each alert is an incident; write `group = { by = [] }` \
                            to have one";
                self.differences.add(format!("{place}.group_by"), what.to_owned());
                return;
            }
            None => return,
            Some(by) if by.iter().any(|label| label == "...") => vec!["dedup_key".to_owned()],
            Some(by) => by.iter().map(|label| format!("labels.{label}")).collect(),
        };
        let by: Vec<String> = by.iter().map(|field| toml::Value::from(field.as_str()).to_string()).collect();
        self.toml.raw("group", &format!("{{ by = [{}], missing_equal = true }}", by.join(", ")));
    }

    /// Writes the windows a route names; whether it (or a route above) is limited by any.
    fn hours(&mut self, key: &str, names: &[String], above: bool, place: &str) -> Result<bool, String> {
        let mut windows = Vec::new();
        for name in names {
            let found = self.times.get(name);
            let found = found.ok_or_else(|| format!("{place}: there is no time interval `{name}`"))?;
            windows.extend(found.iter().cloned());
        }
        if above || !windows.is_empty() {
            self.toml.texts(key, &windows);
        }
        Ok(!windows.is_empty())
    }
}

/// Holds for every alert.
const ANY: &str = "severity=~\".*\"";

/// # Errors
/// A matcher that is none.
pub(super) fn inhibitions(file: &File, toml: &mut Writer, differences: &mut Differences) -> Result<(), String> {
    let mut ids = Ids::default();
    for (i, rule) in file.inhibit_rules.iter().enumerate() {
        let place = format!("inhibit_rules[{i}]");
        let mut conditions = |equal, like, list: &[String]| -> Result<Vec<String>, String> {
            let read = matchers::all(equal, like, list).map_err(|error| format!("{place}: {error}"))?;
            let found: Vec<String> = read.iter().map(|it| it.condition(&place, differences)).collect();
            // A side that asks nothing is every alert; ours must ask something.
            Ok(if found.is_empty() { vec![ANY.to_owned()] } else { found })
        };
        let source = conditions(&rule.source_equal, &rule.source_like, &rule.source_matchers)?;
        let target = conditions(&rule.target_equal, &rule.target_like, &rule.target_matchers)?;
        toml.item("inhibitions");
        toml.key("id", ids.name(&rule.name, &format!("inhibition-{}", i + 1)));
        toml.texts("source", &source);
        toml.texts("target", &target);
        let equal: Vec<String> = rule.equal.iter().map(|label| format!("labels.{label}")).collect();
        toml.texts("equal", &equal);
        toml.comment("Two alerts that both lack a label agree in it, as in Alertmanager.");
        toml.key("missing_equal", true);
        toml.gap();
    }
    if !file.inhibit_rules.is_empty() {
        differences.add(
            "inhibit_rules",
            "a target stays inhibited until the last source is over; in Alertmanager the end of one source may release \
             it although another fires",
        );
        differences.add(
            "inhibit_rules",
            "the recovery of an inhibited alert is delivered to those who were paged for it before",
        );
    }
    Ok(())
}
