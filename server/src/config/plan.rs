//! What applying a document would change, one short line a thing: `people +li`, `policies ~db`, `routes -old`.

use shared::config::{Document, MirrorMode, Route};
use std::collections::BTreeMap;

/// The differences between two documents, section by section; empty when they mean the same.
#[must_use]
pub fn plan(old: &Document, new: &Document) -> Vec<String> {
    // Taken apart, so that no section can be forgotten.
    let Document {
        public_url,
        paging,
        limits,
        allowances,
        storm,
        suspects,
        mirrors,
        flapping,
        hosts,
        channels,
        integrations,
        mail,
        heartbeats,
        people,
        teams,
        schedules,
        readiness,
        time_off,
        holidays,
        webhooks,
        policies,
        time_windows,
        routes: tree,
        inhibitions,
        silences,
        sources,
        host_groups,
        templates,
        fallback,
        tests,
    } = new;
    let mut changes = Vec::new();
    for (name, changed) in [
        ("public_url", old.public_url != *public_url),
        ("paging", old.paging != *paging),
        ("limits", old.limits != *limits),
        ("allowances", old.allowances != *allowances),
        ("storm", old.storm != *storm),
        ("suspects", old.suspects != *suspects),
        ("mirrors", rules_of(&old.mirrors) != rules_of(mirrors)),
        ("flapping", old.flapping != *flapping),
        ("hosts", old.hosts != *hosts),
        ("channels", old.channels != *channels),
        ("mail", old.mail != *mail),
        ("readiness", old.readiness != *readiness),
        ("time_off", old.time_off != *time_off),
        ("fallback", old.fallback != *fallback),
    ] {
        if changed {
            changes.push(format!("{name} ~"));
        }
    }
    section(&mut changes, "integrations", &old.integrations, integrations, |it| it.id.as_str());
    section(&mut changes, "heartbeats", &old.heartbeats, heartbeats, |it| it.id.as_str());
    section(&mut changes, "people", &old.people, people, |it| it.id.as_str());
    section(&mut changes, "teams", &old.teams, teams, |it| it.id.as_str());
    section(&mut changes, "schedules", &old.schedules, schedules, |it| it.id.as_str());
    section(&mut changes, "holidays", &old.holidays, holidays, |it| it.id.as_str());
    section(&mut changes, "webhooks", &old.webhooks, webhooks, |it| it.id.as_str());
    section(&mut changes, "time_windows", &old.time_windows, time_windows, |it| it.id.as_str());
    section(&mut changes, "policies", &old.policies, policies, |it| it.id.as_str());
    routes(&mut changes, &old.routes, tree);
    section(&mut changes, "inhibitions", &old.inhibitions, inhibitions, |it| it.id.as_str());
    section(&mut changes, "silences", &old.silences, silences, |it| &it.id);
    section(&mut changes, "sources", &old.sources, sources, |it| it.id.as_str());
    section(&mut changes, "host_groups", &old.host_groups, host_groups, |it| it.id.as_str());
    section(&mut changes, "templates", &old.templates, templates, |it| it.id.as_str());
    section(&mut changes, "mirrors.backends", &old.mirrors.backends, &mirrors.backends, |it| it.id.as_str());
    section(&mut changes, "mirrors.collectors", &old.mirrors.collectors, &mirrors.collectors, |it| it.id.as_str());
    section(&mut changes, "tests", &old.tests, tests, |it| &it.name);
    changes
}

/// What is allowed of mirrors, without the lists that are compared one by one.
fn rules_of(mirrors: &MirrorMode) -> MirrorMode {
    MirrorMode { backends: Vec::new(), collectors: Vec::new(), ..mirrors.clone() }
}

fn section<T: PartialEq>(changes: &mut Vec<String>, name: &str, old: &[T], new: &[T], id: impl Fn(&T) -> &str) {
    let known: BTreeMap<&str, &T> = old.iter().map(|item| (id(item), item)).collect();
    let wanted: BTreeMap<&str, &T> = new.iter().map(|item| (id(item), item)).collect();
    for (id, item) in &wanted {
        match known.get(id) {
            None => changes.push(format!("{name} +{id}")),
            Some(before) if before != item => changes.push(format!("{name} ~{id}")),
            Some(_) => {}
        }
    }
    changes.extend(known.keys().filter(|id| !wanted.contains_key(*id)).map(|id| format!("{name} -{id}")));
}

/// A route, without what hangs below it, and where it hangs.
#[derive(PartialEq)]
struct Flat {
    id: String,
    above: String,
    own: Route,
}

/// Routes are a tree whose order matters: each is compared by itself, then the order of all.
fn routes(changes: &mut Vec<String>, old: &[Route], new: &[Route]) {
    let (mut before, mut after) = (Vec::new(), Vec::new());
    flatten(old, "", &mut before);
    flatten(new, "", &mut after);
    let count = changes.len();
    section(changes, "routes", &before, &after, |it| &it.id);
    let order = |list: &[Flat]| list.iter().map(|it| it.id.clone()).collect::<Vec<_>>();
    if changes.len() == count && order(&before) != order(&after) {
        changes.push("routes ~order".to_owned());
    }
}

fn flatten(routes: &[Route], above: &str, into: &mut Vec<Flat>) {
    for route in routes {
        let own = Route { routes: Vec::new(), ..route.clone() };
        into.push(Flat { id: route.id.to_string(), above: above.to_owned(), own });
        flatten(&route.routes, route.id.as_str(), into);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::config::{Inhibition, Person};

    fn person(id: &str, name: &str) -> Person {
        Person { id: id.into(), name: name.to_owned(), ..Person::default() }
    }

    fn route(id: &str, routes: Vec<Route>) -> Route {
        Route { id: id.into(), routes, ..Route::default() }
    }

    #[test]
    fn each_change_is_one_line() {
        let old = Document { people: vec![person("db", "A"), person("old", "B")], ..Document::default() };
        let mut new = Document { people: vec![person("li", "C"), person("db", "D")], ..Document::default() };
        new.paging.tries = 9;
        assert_eq!(plan(&old, &new), ["paging ~", "people ~db", "people +li", "people -old"]);
        assert!(plan(&old, &old).is_empty());
    }

    #[test]
    fn a_rule_of_inhibition_is_a_change_like_any_other() {
        let rule = Inhibition { id: "switch".into(), ..Inhibition::default() };
        let new = Document { inhibitions: vec![rule], ..Document::default() };
        assert_eq!(plan(&Document::default(), &new), ["inhibitions +switch"]);
    }

    #[test]
    fn a_route_is_compared_without_its_children_and_with_its_place() {
        let old = Document { routes: vec![route("a", vec![route("b", vec![])])], ..Document::default() };
        let moved = Document { routes: vec![route("a", vec![]), route("b", vec![])], ..Document::default() };
        assert_eq!(plan(&old, &moved), ["routes ~b"]);
        let turned = Document { routes: vec![route("b", vec![]), route("a", vec![])], ..Document::default() };
        assert_eq!(plan(&moved, &turned), ["routes ~order"]);
    }
}
