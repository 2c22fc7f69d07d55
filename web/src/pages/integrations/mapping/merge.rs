//! Two people change one mapping at once: what only one of them touched is taken from that one, and what both did is asked.

use super::{
    draft::{Field, action_of, severity_of},
    payload::{Tree, rebased},
};
use crate::text::mapping as t;
use shared::config::{Language, Mapping};
use std::collections::BTreeSet;

/// Something of a mapping that is decided by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// All of it: where the pointers count from different places and no payload says how they compare.
    Whole,
    When,
    Field(Field),
    /// What a word of the level or the status means.
    Word(Field, String),
}

/// What both changed, each in another way.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Clash {
    pub(super) part: Part,
    /// The other person's mapping, its pointers counted as in ours.
    pub(super) theirs: Mapping,
}

impl Part {
    pub(super) fn name(&self, l: Language) -> String {
        match self {
            Self::Whole => t::title(l),
            Self::When => t::whens(l),
            Self::Field(field) => field.name(l),
            Self::Word(_, word) => t::word_means(l, word),
        }
    }

    /// What a mapping says of it; nothing when it says nothing.
    pub(super) fn said(&self, mapping: &Mapping) -> String {
        match self {
            Self::Whole => serde_json::to_string(mapping).unwrap_or_default(),
            Self::When => {
                let one = |test: &shared::config::MappedWhen| format!("{} = {}", test.at, test.is.join("|"));
                mapping.when.iter().map(one).collect::<Vec<_>>().join(", ")
            }
            Self::Field(field) => field.texts(mapping).join(", "),
            Self::Word(Field::Status, word) => {
                action_of(mapping, word).map(|it| format!("{it:?}").to_lowercase()).unwrap_or_default()
            }
            Self::Word(_, word) => severity_of(mapping, word).map(|it| it.to_string()).unwrap_or_default(),
        }
    }

    fn is_same(&self, one: &Mapping, other: &Mapping) -> bool {
        match self {
            Self::Whole => one == other,
            Self::When => one.when == other.when,
            Self::Field(field) => field.texts(one) == field.texts(other),
            Self::Word(Field::Status, word) => action_of(one, word) == action_of(other, word),
            Self::Word(_, word) => severity_of(one, word) == severity_of(other, word),
        }
    }

    pub(super) fn copy(&self, from: &Mapping, to: &mut Mapping) {
        match self {
            Self::Whole => to.clone_from(from),
            Self::When => to.when.clone_from(&from.when),
            Self::Field(field) => field.set(to, field.texts(from).to_vec()),
            // A word without a place where it stands means nothing.
            Self::Word(Field::Status, word) => {
                if let Some(status) = &mut to.status {
                    status.words.retain(|known, _| !known.eq_ignore_ascii_case(word));
                    status.words.extend(action_of(from, word).map(|it| (word.clone(), it)));
                }
            }
            Self::Word(_, word) => {
                if let Some(severity) = &mut to.severity {
                    severity.words.retain(|known, _| !known.eq_ignore_ascii_case(word));
                    severity.words.extend(severity_of(from, word).map(|it| (word.clone(), it)));
                }
            }
        }
    }
}

/// What ours becomes with theirs taken in; where both changed the same, ours stays until somebody chooses.
pub(super) fn merged(base: &Mapping, ours: &Mapping, theirs: &Mapping, tree: Option<&Tree>) -> (Mapping, Vec<Clash>) {
    if ours == base || ours == theirs {
        return (theirs.clone(), Vec::new());
    }
    if theirs == base {
        return (ours.clone(), Vec::new());
    }
    let is_one_base = base.each == ours.each && base.each == theirs.each;
    let Some(tree) = tree.filter(|_| !is_one_base) else {
        if is_one_base {
            return by_part(base, ours, theirs, Vec::new());
        }
        return (ours.clone(), vec![Clash { part: Part::Whole, theirs: theirs.clone() }]);
    };
    // Pointers are compared as they count from the place that remains.
    let both_moved = ours.each != base.each && theirs.each != base.each && ours.each != theirs.each;
    let each = if ours.each == base.each { &theirs.each } else { &ours.each };
    let [base, ours, moved] = [base, ours, theirs].map(|it| rebased(it, tree, each.clone()));
    let clashes = if both_moved { vec![Clash { part: Part::Whole, theirs: theirs.clone() }] } else { Vec::new() };
    by_part(&base, &ours, &moved, clashes)
}

fn by_part(base: &Mapping, ours: &Mapping, theirs: &Mapping, mut clashes: Vec<Clash>) -> (Mapping, Vec<Clash>) {
    let mut merged = ours.clone();
    for part in parts(&[base, ours, theirs]) {
        if part.is_same(ours, base) {
            part.copy(theirs, &mut merged);
        } else if !part.is_same(theirs, base) && !part.is_same(theirs, ours) {
            clashes.push(Clash { part, theirs: theirs.clone() });
        }
    }
    (merged, clashes)
}

/// Everything that any of them says; places before the words that stand there.
fn parts(all: &[&Mapping]) -> Vec<Part> {
    let labels: BTreeSet<&String> = all.iter().flat_map(|it| it.labels.keys()).collect();
    let mut parts = vec![Part::When];
    parts.extend(Field::ALL.into_iter().map(Part::Field));
    parts.extend(labels.into_iter().map(|name| Part::Field(Field::Label(name.clone()))));
    let levels = all.iter().flat_map(|it| &it.severity).flat_map(|it| it.words.keys());
    let states = all.iter().flat_map(|it| &it.status).flat_map(|it| it.words.keys());
    let words = levels.map(|word| (Field::Severity, word)).chain(states.map(|word| (Field::Status, word)));
    for (field, word) in words {
        let part = Part::Word(field, word.to_lowercase());
        if !parts.contains(&part) {
            parts.push(part);
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::{
        Severity,
        config::{MappedSeverity, MappedWhen},
    };

    fn level(word: &str, severity: Severity) -> MappedSeverity {
        MappedSeverity { from: "/level".into(), words: [(word.to_owned(), severity)].into() }
    }

    #[test]
    fn what_one_of_them_touched_is_taken_from_that_one() {
        let base = Mapping { host: "/a".into(), summary: "/s".into(), ..Mapping::default() };
        let ours = Mapping { host: "/b".into(), ..base.clone() };
        let theirs = Mapping {
            summary: "/t".into(),
            severity: Some(level("crit", Severity::P0)),
            labels: [("team".to_owned(), "/crew".into())].into(),
            ..base.clone()
        };
        let (both, clashes) = merged(&base, &ours, &theirs, None);
        assert_eq!(both, Mapping { host: "/b".into(), ..theirs.clone() });
        assert_eq!(clashes, []);
        assert_eq!(merged(&base, &base, &theirs, None).0, theirs);
        assert_eq!(merged(&base, &ours, &base, None).0, ours);
        // What they took away goes, and what we took away stays away.
        let bare = Mapping::default();
        assert_eq!(merged(&base, &ours, &bare, None).0, Mapping { host: "/b".into(), ..bare.clone() });
        assert_eq!(merged(&base, &bare, &Mapping { ip: "/ip".into(), ..base.clone() }, None).0.summary, bare.summary);
    }

    #[test]
    fn what_both_changed_is_asked_and_ours_until_then() {
        let base = Mapping { host: "/a".into(), severity: Some(level("crit", Severity::P1)), ..Mapping::default() };
        let of = |host: &str, severity| Mapping {
            host: host.into(),
            severity: Some(level("CRIT", severity)),
            ..Mapping::default()
        };
        let (ours, theirs) = (of("/b", Severity::P0), of("/c", Severity::P2));
        let (mut both, clashes) = merged(&base, &ours, &theirs, None);
        let parts: Vec<_> = clashes.iter().map(|it| it.part.clone()).collect();
        assert_eq!(parts, [Part::Field(Field::Host), Part::Word(Field::Severity, "crit".to_owned())]);
        assert_eq!((both.host.0[0].as_str(), severity_of(&both, "crit")), ("/b", Some(Severity::P0)));
        assert_eq!((parts[0].said(&clashes[0].theirs), parts[1].said(&clashes[1].theirs)), ("/c".into(), "P2".into()));
        clashes.iter().for_each(|it| it.part.copy(&it.theirs, &mut both));
        assert_eq!((both.host.0[0].as_str(), severity_of(&both, "crit")), ("/c", Some(Severity::P2)));
        assert_eq!(merged(&base, &ours, &ours, None), (ours.clone(), Vec::new()), "the same change twice is none");
    }

    #[test]
    fn pointers_are_compared_from_one_place() {
        let tree = Tree::read(r#"{"env":"prod","items":[{"n":"a"}]}"#).unwrap();
        let base = Mapping { host: "/items/0/n".into(), ..Mapping::default() };
        let theirs = rebased(&base, &tree, Some("/items".to_owned()));
        let ours = Mapping { service: "/env".into(), ..base.clone() };
        let (both, clashes) = merged(&base, &ours, &theirs, Some(&tree));
        assert_eq!(clashes, []);
        assert_eq!((both.each.as_deref(), both.host.0[0].as_str()), (Some("/items"), "/n"));
        assert_eq!(both.service.0[0], "$/env");
        // Without a payload nobody can say, so all of it is asked.
        let (both, clashes) = merged(&base, &ours, &theirs, None);
        assert_eq!((both, clashes.len(), &clashes[0].part), (ours, 1, &Part::Whole));
    }

    #[test]
    fn conditions_are_one_thing() {
        let when = |word: &str| vec![MappedWhen { at: "/kind".to_owned(), is: vec![word.to_owned()] }];
        let of = |word: &str| Mapping { when: when(word), host: "/h".into(), ..Mapping::default() };
        let (both, clashes) = merged(&of("a"), &of("b"), &of("c"), None);
        assert_eq!((both.when, clashes.len()), (when("b"), 1));
        assert_eq!(clashes[0].part.said(&clashes[0].theirs), "/kind = c");
    }
}
