//! Routes of a document, checked beside what compiling their conditions says.

use super::{Check, FALLBACK, Snapshot, is_name, unknown};
use crate::stale;
use shared::{Delay, config::Route};
use std::collections::BTreeSet;

impl Check {
    pub(super) fn routes(&mut self, routes: &[Route], path: &str, snapshot: &Snapshot, seen: &mut BTreeSet<String>) {
        for route in routes {
            let here = format!("{path}[{}]", route.id);
            if !is_name(route.id.as_str()) {
                self.fault(
                    format!("{here}.id"),
                    format!("`{}` is not a name; use 1 to 64 letters, digits, `-`, `_` and `.`", route.id),
                );
            }
            if !seen.insert(route.id.to_string()) {
                self.fault(format!("{here}.id"), format!("`{}` is there twice; give each route its own id", route.id));
            }
            if let Some(policy) = route
                .policy
                .as_ref()
                .filter(|policy| !snapshot.policies.contains_key(*policy) && policy.as_str() != FALLBACK)
            {
                self.fault(format!("{here}.policy"), unknown("policy", policy.as_str()));
            }
            if let Some(team) = route.team.as_ref().filter(|team| !snapshot.teams.contains_key(*team)) {
                self.fault(format!("{here}.team"), unknown("team", team.as_str()));
            }
            self.annotations(route, &here);
            if let Some(field) = route.group.iter().flat_map(|group| &group.by).find(|field| field.trim().is_empty()) {
                self.fault(
                    format!("{here}.group.by"),
                    format!("`{field}` is not a field; write service or labels.NAME"),
                );
            }
            self.noise(route, &here);
            self.routes(&route.routes, &format!("{here}.routes"), snapshot, seen);
        }
    }

    /// Bounds on what keeps pages back.
    fn noise(&mut self, route: &Route, here: &str) {
        if let Some(group) = &route.group {
            if !(Delay::secs(1)..=Delay::mins(1_440)).contains(&group.window) {
                self.fault(format!("{here}.group.window"), "a window lasts 1s to 24h");
            }
            if !(2..=1_000).contains(&group.limit) {
                self.fault(format!("{here}.group.limit"), "an incident takes 2 to 1000 alerts");
            }
        }
        if route.hold.is_some_and(|hold| hold > Delay::mins(60)) {
            self.fault(
                format!("{here}.hold"),
                "pages are held for at most 1h; send what can wait longer to a time window",
            );
        }
        if route.hold_p0.is_some_and(|hold| hold > Delay::mins(5)) {
            self.fault(format!("{here}.hold_p0"), "a P0 is held for at most 5m; what can wait longer is no P0");
        }
        if route.stale_after.is_some_and(stale::is_out_of_range) {
            self.fault(format!("{here}.stale_after"), stale::RANGE);
        }
    }

    fn annotations(&mut self, route: &Route, here: &str) {
        if route.annotations.len() > 16 {
            self.fault(format!("{here}.annotations"), "a route has at most 16 annotations");
        }
        for (name, text) in &route.annotations {
            if !is_name(name) || text.chars().count() > 500 {
                let message = "an annotation has a name of 1 to 64 letters, digits, `-`, `_` and `.`, and at most 500 \
                               characters";
                self.fault(format!("{here}.annotations.{name}"), message);
            }
        }
    }
}
