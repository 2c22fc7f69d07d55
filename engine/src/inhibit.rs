//! Inhibition: while something larger is wrong, what follows from it pages nobody. Sources are counted, so that the
//! first of two to recover releases nobody.

use crate::{
    field::Field,
    matcher::{Matcher, Subject},
    route,
    window::Windows,
};
use shared::{AlertId, InhibitionId, config::Inhibition};
use std::collections::{BTreeMap, BTreeSet};

/// A compiled rule.
#[derive(Clone, Debug)]
pub struct Rule {
    pub id: InhibitionId,
    source: Vec<Matcher>,
    target: Vec<Matcher>,
    equal: Vec<Field>,
    missing_equal: bool,
}

/// Which side of a rule an alert is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    Source,
    Target,
}

impl Rule {
    /// Compiles a rule; faults are (path, message).
    pub fn compile(rule: &Inhibition) -> Result<Self, Vec<(String, String)>> {
        let mut faults = Vec::new();
        // An alert is put on its side once, so the hour is no condition here.
        let windows = &Windows::new();
        let here = format!("inhibitions[{}]", rule.id);
        let source = route::conditions(&rule.source, &format!("{here}.source"), windows, &mut faults);
        let target = route::conditions(&rule.target, &format!("{here}.target"), windows, &mut faults);
        for (side, conditions) in [("source", &rule.source), ("target", &rule.target)] {
            if conditions.is_empty() {
                faults.push((format!("{here}.{side}"), "name at least one condition, such as severity=P0".to_owned()));
            }
        }
        let equal = rule.equal.iter().map(|name| Field::named(name)).collect();
        let rule = Self { id: rule.id.clone(), source, target, equal, missing_equal: rule.missing_equal };
        if faults.is_empty() { Ok(rule) } else { Err(faults) }
    }

    /// The side an alert is on, and what it has in common with the other side. One that is on both is a source.
    fn side(&self, subject: &Subject<'_>) -> Option<(Side, String)> {
        let holds = |matchers: &[Matcher]| matchers.iter().all(|matcher| matcher.holds(subject));
        let side = match (holds(&self.source), holds(&self.target)) {
            (true, _) => Side::Source,
            (false, true) => Side::Target,
            (false, false) => return None,
        };
        let mut key = String::new();
        for field in &self.equal {
            match field.of(subject).filter(|text| !text.is_empty()) {
                Some(text) => key.push_str(text),
                None if self.missing_equal => {}
                None => return None,
            }
            key.push('\u{1f}');
        }
        Some((side, key))
    }
}

/// The open alerts on either side of the rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Inhibitors {
    sides: BTreeMap<(usize, String, Side), BTreeSet<AlertId>>,
    of: BTreeMap<AlertId, Vec<(usize, String, Side)>>,
}

impl Inhibitors {
    /// Takes an open alert in, or again after it changed; gives the alerts that may be kept quiet or released by it.
    pub(crate) fn enter(&mut self, alert: AlertId, rules: &[Rule], subject: &Subject<'_>) -> BTreeSet<AlertId> {
        let mut touched = self.leave(alert);
        for (place, rule) in rules.iter().enumerate() {
            let Some((side, key)) = rule.side(subject) else { continue };
            let entry = (place, key, side);
            if side == Side::Source {
                touched.extend(self.targets(&entry));
            }
            self.sides.entry(entry.clone()).or_default().insert(alert);
            self.of.entry(alert).or_default().push(entry);
        }
        touched
    }

    /// An alert is over; gives the alerts that may be released.
    pub(crate) fn leave(&mut self, alert: AlertId) -> BTreeSet<AlertId> {
        let mut touched = BTreeSet::new();
        for entry in self.of.remove(&alert).unwrap_or_default() {
            if let Some(alerts) = self.sides.get_mut(&entry) {
                alerts.remove(&alert);
                if alerts.is_empty() {
                    self.sides.remove(&entry);
                }
            }
            if entry.2 == Side::Source {
                touched.extend(self.targets(&entry));
            }
        }
        touched
    }

    fn targets(&self, (place, key, _): &(usize, String, Side)) -> Vec<AlertId> {
        let found = self.sides.get(&(*place, key.clone(), Side::Target));
        found.map(|alerts| alerts.iter().copied().collect()).unwrap_or_default()
    }

    /// The rules that keep an alert quiet, by their places, with the sources of each, oldest first.
    pub(crate) fn over(&self, alert: AlertId) -> impl Iterator<Item = (usize, &BTreeSet<AlertId>)> {
        let sides = self.of.get(&alert).into_iter().flatten().filter(|(.., side)| *side == Side::Target);
        sides.filter_map(|(place, key, _)| Some((*place, self.sides.get(&(*place, key.clone(), Side::Source))?)))
    }

    /// Whether an alert is a source over another one.
    pub(crate) fn is_over(&self, source: AlertId, target: AlertId) -> bool {
        self.over(target).any(|(_, sources)| sources.contains(&source))
    }
}
