//! The routes while they are edited, what is found wrong with them, and what of the configuration their forms name.

use super::place::{self, Place};
use crate::{
    api::ApiError,
    pages::sections::{self, Named},
};
use leptos::prelude::*;
use serde::{Deserialize, Deserializer};
use shared::{
    PersonId,
    config::{Finding, Route, Target},
};
use std::collections::BTreeMap;

/// The configuration as far as it is named here, and all of it for the engine.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Outline {
    pub(super) version: i64,
    #[serde(deserialize_with = "both")]
    pub(super) document: Known,
}

/// What routes can name.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Known {
    pub(super) routes: Vec<Route>,
    pub(super) policies: Vec<Named>,
    pub(super) teams: Vec<Named>,
    pub(super) integrations: Vec<Named>,
    pub(super) time_windows: Vec<Named>,
    pub(super) fallback: Vec<Target>,
    people: Vec<Named>,
    schedules: Vec<Named>,
    /// The whole document as it came.
    #[serde(skip)]
    text: String,
}

/// What is named here, and the whole beside it.
fn both<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Known, D::Error> {
    let (known, text) = sections::read(deserializer)?;
    Ok(Known { text, ..known })
}

/// How much a route took: incidents and pages, by its id.
pub(super) type Taken = BTreeMap<String, (u32, u32)>;

/// Typing redraws only what the route says; adding, moving and removing redraws the tree.
#[derive(Clone, Copy)]
pub(super) struct Draft {
    outline: StoredValue<Outline>,
    routes: StoredValue<Vec<Route>>,
    pub(super) shape: RwSignal<u32>,
    /// Rises with every change.
    pub(super) edits: RwSignal<u32>,
    /// The route whose form is open.
    pub(super) open: RwSignal<Option<Place>>,
    pub(super) findings: RwSignal<Vec<Finding>>,
    /// Those of the stored document.
    pub(super) known_findings: StoredValue<Option<Vec<Finding>>>,
    /// Rises with every look of the engine.
    pub(super) reviews: RwSignal<u32>,
    pub(super) refusal: RwSignal<Option<ApiError>>,
    /// The edit whose replay was seen.
    pub(super) replayed: RwSignal<Option<u32>>,
}

impl Draft {
    pub(super) fn new(outline: Outline) -> Self {
        let routes = outline.document.routes.clone();
        Self {
            outline: StoredValue::new(outline),
            routes: StoredValue::new(routes),
            shape: RwSignal::new(0),
            edits: RwSignal::new(0),
            open: RwSignal::new(None),
            findings: RwSignal::new(Vec::new()),
            known_findings: StoredValue::new(None),
            reviews: RwSignal::new(0),
            refusal: RwSignal::new(None),
            replayed: RwSignal::new(None),
        }
    }

    pub(super) fn routes(self) -> Vec<Route> {
        self.routes.get_value()
    }

    pub(super) fn stored(self) -> Vec<Route> {
        self.known(|known| known.routes.clone())
    }

    /// The route at a place, without those below it.
    pub(super) fn route(self, at: &[usize]) -> Option<Route> {
        self.routes.with_value(|routes| place::at(routes, at).map(alone))
    }

    pub(super) fn edit(self, at: &[usize], change: impl FnOnce(&mut Route)) {
        self.routes.update_value(|routes| {
            if let Some(route) = place::at_mut(routes, at) {
                change(route);
            }
        });
        self.refusal.set(None);
        self.edits.update(|edits| *edits += 1);
    }

    /// Changes the tree; gives where the route in question is now, whose form stays open if it was.
    pub(super) fn reshape(self, change: impl FnOnce(&mut Vec<Route>) -> Option<Place>) -> Option<Place> {
        let now = self.routes.try_update_value(change).flatten();
        let was_open = self.open.with_untracked(Option::is_some);
        self.open.set(now.clone().filter(|_| was_open));
        self.refusal.set(None);
        self.edits.update(|edits| *edits += 1);
        self.shape.update(|shape| *shape += 1);
        now
    }

    /// Whether it differs from what is in force; follows the edits.
    pub(super) fn is_changed(self) -> bool {
        self.edits.track();
        self.outline.with_value(|outline| self.routes.with_value(|routes| *routes != outline.document.routes))
    }

    /// Whether it may change whom a P0 or P1 pages, and when: more than words and whatever belongs together differs.
    pub(super) fn moves_pages(self) -> bool {
        self.edits.track();
        let of = |routes: &[Route]| routes.iter().map(paging).collect::<Vec<_>>();
        self.outline.with_value(|outline| self.routes.with_value(|routes| of(routes) != of(&outline.document.routes)))
    }

    pub(super) fn version(self) -> i64 {
        self.outline.with_value(|outline| outline.version)
    }

    /// The whole stored document, as JSON.
    pub(super) fn document(self) -> String {
        self.outline.with_value(|outline| outline.document.text.clone())
    }

    pub(super) fn known<R>(self, look: impl FnOnce(&Known) -> R) -> R {
        self.outline.with_value(|outline| look(&outline.document))
    }

    pub(super) fn names(self) -> BTreeMap<PersonId, String> {
        self.known(|known| sections::names(&known.people))
    }

    /// The zone of the first schedule, in which people are woken.
    pub(super) fn zone(self) -> Option<String> {
        self.known(|known| known.schedules.first().and_then(|it| it.time_zone.clone()))
    }

    /// Where the check names a route: `routes[db].routes[notes]`.
    fn path(self, at: &[usize]) -> String {
        self.routes.with_value(|routes| place::path(routes, at))
    }

    /// What is found at a route itself: the field (empty for all of it) and the finding.
    pub(super) fn found_at(self, at: &[usize]) -> Vec<(String, Finding)> {
        let here = self.path(at);
        let refused = self.refusal.with(|error| error.as_ref().map(ApiError::findings).unwrap_or_default());
        let mut found = self.findings.get();
        found.extend(refused.into_iter().filter(|it| it.fatal));
        let mut own: Vec<(String, Finding)> = Vec::new();
        for finding in found {
            let Some(field) = place::field(&here, &finding.path) else { continue };
            if own.iter().all(|(_, known)| *known != finding) {
                own.push((field.to_owned(), finding));
            }
        }
        own
    }

    /// What is found about the tree as a whole, and what the draft brings about elsewhere in the document.
    pub(super) fn found_elsewhere(self) -> (Vec<Finding>, Vec<Finding>) {
        let known = self.known_findings.get_value().unwrap_or_default();
        let (whole, other): (Vec<Finding>, Vec<Finding>) = self
            .findings
            .get()
            .into_iter()
            .filter(|it| !it.path.starts_with("routes["))
            .partition(|it| it.path == "routes");
        (whole, other.into_iter().filter(|it| !known.contains(it)).collect())
    }
}

fn alone(route: &Route) -> Route {
    Route { routes: Vec::new(), ..route.clone() }
}

/// Only what decides who is paged and when.
fn paging(route: &Route) -> Route {
    Route {
        team: None,
        group: None,
        annotations: BTreeMap::new(),
        stale_after: None,
        stale: None,
        routes: route.routes.iter().map(paging).collect(),
        ..route.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft() -> Draft {
        let outline = serde_json::from_str(
            r#"{"version":7,"document":{"public_url":"https://x","people":[{"id":"li","name":"Li","contacts":[]}],
            "schedules":[{"id":"db","name":"DB","time_zone":"Europe/Berlin"}],"fallback":["person:li"],
            "routes":[{"id":"a","match":["host=x"],"routes":[{"id":"a1"}]},{"id":"b"}]}}"#,
        );
        Draft::new(outline.unwrap())
    }

    #[test]
    fn a_draft_knows_whether_it_changes_anything_and_whether_pages_move() {
        Owner::new().with(|| {
            let draft = draft();
            assert!(!draft.is_changed() && !draft.moves_pages());
            draft.edit(&[0], |route| drop(route.annotations.insert("runbook".to_owned(), "https://y".to_owned())));
            assert!(draft.is_changed() && !draft.moves_pages());
            draft.edit(&[0, 0], |route| route.matches.push("severity=P0".to_owned()));
            assert!(draft.moves_pages());
            assert!(draft.document().contains("https://x"));
            assert_eq!((draft.version(), draft.zone().as_deref()), (7, Some("Europe/Berlin")));
        });
    }

    #[test]
    fn findings_stand_where_they_are_about() {
        Owner::new().with(|| {
            let draft = draft();
            let finding = |path: &str| Finding { path: path.to_owned(), message: String::new(), fatal: false };
            draft.known_findings.set_value(Some(vec![finding("people[li]")]));
            let paths = ["routes[a].match[0]", "routes[a].routes[a1]", "routes", "people[li]", "policies[p]"];
            draft.findings.set(paths.map(finding).to_vec());
            let fields = |at: &[usize]| draft.found_at(at).into_iter().map(|(field, _)| field).collect::<Vec<_>>();
            assert_eq!((fields(&[0]), fields(&[0, 0])), (vec!["match[0]".to_owned()], vec![String::new()]));
            assert!(fields(&[1]).is_empty());
            let (whole, other) = draft.found_elsewhere();
            assert_eq!((whole, other), (vec![finding("routes")], vec![finding("policies[p]")]));
        });
    }
}
