//! The policy while it is being edited, and what of the configuration its form needs.

use crate::pages::sections::{self, Named};
use leptos::prelude::*;
use serde::{Deserialize, Deserializer};
use shared::{
    Delay, PolicyId,
    config::{Level, Policy, Target},
};
use std::collections::BTreeMap;

/// The configuration as far as the form names it, and all of it for the engine.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Outline {
    pub(super) version: i64,
    #[serde(deserialize_with = "both")]
    pub(super) document: Known,
}

/// Who and what can be named.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Known {
    pub(super) policies: Vec<Policy>,
    people: Vec<Named>,
    teams: Vec<Named>,
    schedules: Vec<Named>,
    webhooks: Vec<Named>,
    /// The whole document as it came.
    #[serde(skip)]
    text: String,
}

/// What is named here, and the whole beside it.
fn both<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Known, D::Error> {
    let (known, text) = sections::read(deserializer)?;
    Ok(Known { text, ..known })
}

/// Typing redraws nothing of the form; adding and removing redraws its levels.
#[derive(Clone, Copy)]
pub(super) struct Draft {
    outline: StoredValue<Outline>,
    policy: StoredValue<Policy>,
    pub(super) shape: RwSignal<u32>,
    /// Rises with every change.
    pub(super) edits: RwSignal<u32>,
}

impl Draft {
    pub(super) fn new(outline: Outline, policy: Policy) -> Self {
        Self {
            outline: StoredValue::new(outline),
            policy: StoredValue::new(policy),
            shape: RwSignal::new(0),
            edits: RwSignal::new(0),
        }
    }

    pub(super) fn get(self) -> Policy {
        self.policy.get_value()
    }

    pub(super) fn level(self, index: usize) -> Level {
        self.policy.with_value(|policy| policy.levels.get(index).cloned()).unwrap_or_default()
    }

    pub(super) fn edit(self, change: impl FnOnce(&mut Policy)) {
        self.policy.update_value(change);
        self.edits.update(|edits| *edits += 1);
    }

    pub(super) fn edit_level(self, index: usize, change: impl FnOnce(&mut Level)) {
        self.edit(|policy| {
            if let Some(level) = policy.levels.get_mut(index) {
                change(level);
            }
        });
    }

    pub(super) fn reshape(self, change: impl FnOnce(&mut Policy)) {
        self.edit(change);
        self.shape.update(|shape| *shape += 1);
    }

    pub(super) fn version(self) -> i64 {
        self.outline.with_value(|outline| outline.version)
    }

    /// The whole document, as JSON.
    pub(super) fn document(self) -> String {
        self.outline.with_value(|outline| outline.document.text.clone())
    }

    /// All policies with this one in the place of `original`, or at the end.
    pub(super) fn policies(self, original: Option<&PolicyId>) -> Vec<Policy> {
        let mut policies = self.outline.with_value(|outline| outline.document.policies.clone());
        let policy = self.get();
        match policies.iter_mut().find(|it| Some(&it.id) == original) {
            Some(place) => *place = policy,
            None => policies.push(policy),
        }
        policies
    }

    /// Everybody and everything that can be notified, with a name.
    pub(super) fn targets(self) -> Vec<(Target, String)> {
        self.outline.with_value(|outline| {
            let known = &outline.document;
            let kinds = [
                ("schedule", &known.schedules),
                ("person", &known.people),
                ("team", &known.teams),
                ("webhook", &known.webhooks),
            ];
            let named = kinds.into_iter().flat_map(|(kind, list)| list.iter().map(move |it| (kind, it)));
            named.filter_map(|(kind, it)| Some((format!("{kind}:{}", it.id).parse().ok()?, it.name.clone()))).collect()
        })
    }

    /// Names of people.
    pub(super) fn names(self) -> BTreeMap<shared::PersonId, String> {
        self.outline.with_value(|outline| sections::names(&outline.document.people))
    }

    /// The zone of the first schedule the policy names, else of any.
    pub(super) fn zone(self) -> Option<String> {
        let named: Vec<String> =
            self.get().levels.iter().flat_map(|level| &level.notify).map(ToString::to_string).collect();
        self.outline.with_value(|outline| {
            let schedules = &outline.document.schedules;
            let own = schedules.iter().find(|it| named.contains(&format!("schedule:{}", it.id)));
            own.or(schedules.first()).and_then(|it| it.time_zone.clone())
        })
    }
}

/// A new policy, with a name no other one has.
pub(super) fn fresh(known: &[Policy]) -> Policy {
    let id =
        (1..).map(|n| format!("policy{n}")).find(|id| known.iter().all(|it| it.id.as_str() != id)).unwrap_or_default();
    let mut policy = Policy { id: PolicyId::from(id), ..Policy::default() };
    add_level(&mut policy);
    policy
}

pub(super) fn add_level(policy: &mut Policy) {
    policy.levels.push(Level { delay: Delay::mins(5), ..Level::default() });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outline() -> Outline {
        serde_json::from_str(
            r#"{"version":7,"document":{"public_url":"https://x","people":[{"id":"li","name":"Li","contacts":[]}],
            "schedules":[{"id":"db","name":"DB","time_zone":"Europe/Berlin"},{"id":"web","name":"W","time_zone":"UTC"}],
            "policies":[{"id":"a","levels":[{"notify":["schedule:web"],"delay":"5m"}],"repeat":0}]}}"#,
        )
        .unwrap()
    }

    #[test]
    fn the_engine_gets_the_whole_document_and_the_form_what_it_names() {
        let owner = Owner::new();
        owner.with(|| {
            let draft = Draft::new(outline(), outline().document.policies.remove(0));
            assert!(draft.document().contains("https://x"));
            assert_eq!((draft.version(), draft.zone().as_deref()), (7, Some("UTC")));
            let targets: Vec<String> = draft.targets().into_iter().map(|(target, _)| target.to_string()).collect();
            assert_eq!(targets, ["schedule:db", "schedule:web", "person:li"]);
            draft.edit(|policy| policy.id = "b".into());
            let ids = |original: Option<&PolicyId>| {
                draft.policies(original).into_iter().map(|it| it.id.0).collect::<Vec<_>>()
            };
            assert_eq!(ids(Some(&"a".into())), ["b"]);
            assert_eq!(ids(None), ["a", "b"]);
            assert_eq!(fresh(&draft.policies(None)).id.as_str(), "policy1");
        });
    }
}
