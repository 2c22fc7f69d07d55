//! Which rules are for which host: templates, their parents, and groups.

use super::Expression;
use crate::window::{Hours, Window};
use shared::{
    Delay, HostGroupId, Severity, TemplateId, ThresholdId, Timestamp, WindowId,
    config::{HostGroup, Template, Threshold},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// A rule, ready to use.
#[derive(Clone, Debug)]
pub struct Bound {
    /// The template that it stands in.
    pub template: TemplateId,
    pub config: Threshold,
    pub when: Expression,
    pub clear: Option<Expression>,
    pub hold: Delay,
    pub severity: Severity,
    pub max_steps: u32,
    pub every: Delay,
    pub(super) during: Vec<(WindowId, Arc<Window>)>,
}

impl Bound {
    /// Whether it counts at all: it is not paused, and it is in its hours.
    #[must_use]
    pub fn counts_at(&self, now: Timestamp) -> bool {
        let hours = Hours { active: self.during.clone(), ..Hours::default() };
        !self.config.paused && hours.quiet(now).is_none()
    }

    /// How far back its conditions look, if points come every `step`.
    #[must_use]
    pub fn reach(&self, step: Delay) -> Delay {
        let clear = self.clear.as_ref().map_or(Delay::ZERO, |it| it.reach(step));
        self.when.reach(step).max(clear)
    }

    /// The identity of its alert about a series of a host; neither level nor value is in it.
    #[must_use]
    pub fn key(&self, host: &str, series: &str) -> String {
        format!("{}{}/{}:{host}:{series}", super::KEY, self.template, self.config.id)
    }
}

/// Every rule of a configuration.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    pub(super) groups: Vec<HostGroup>,
    pub(super) templates: BTreeMap<TemplateId, Compiled>,
}

/// A template, ready to use.
#[derive(Clone, Debug)]
pub(super) struct Compiled {
    pub(super) config: Template,
    pub(super) rules: Vec<Arc<Bound>>,
    /// Nearest first.
    pub(super) ancestors: Vec<TemplateId>,
}

impl Rules {
    /// The groups that a host belongs to, in the order in which they are configured.
    pub fn groups_of<'a>(&'a self, host: &'a str) -> impl Iterator<Item = &'a HostGroupId> {
        self.groups.iter().filter(move |group| group.holds(host)).map(|group| &group.id)
    }

    /// The rules that a template has itself and from its parents, each with the template that it stands in.
    #[must_use]
    pub fn of_template(&self, id: &TemplateId) -> Vec<Arc<Bound>> {
        let mut named = BTreeSet::new();
        let chain = self.templates.get(id).into_iter().flat_map(|it| std::iter::once(id).chain(&it.ancestors));
        let mut rules = Vec::new();
        for template in chain.filter_map(|id| self.templates.get(id)) {
            let new = template.rules.iter().filter(|rule| !named.contains(&rule.config.id)).cloned();
            let new: Vec<Arc<Bound>> = new.collect();
            named.extend(new.iter().map(|rule| rule.config.id.clone()));
            rules.extend(new);
        }
        rules
    }

    /// Whether a template is for a host.
    #[must_use]
    pub fn is_for(&self, id: &TemplateId, host: &str) -> bool {
        let Some(template) = self.templates.get(id).filter(|it| !it.config.paused) else { return false };
        let named = |group: &&HostGroup| template.config.groups.contains(&group.id);
        template.config.every_host || self.groups.iter().filter(named).any(|group| group.holds(host))
    }

    /// The rules that are for a host. One that a template takes the place of counts no more, even if its own template is
    /// for the host too.
    #[must_use]
    pub fn of(&self, host: &str) -> Vec<Arc<Bound>> {
        let ours: Vec<&TemplateId> = self.templates.keys().filter(|id| self.is_for(id, host)).collect();
        let mut replaced: BTreeSet<(&TemplateId, &ThresholdId)> = BTreeSet::new();
        for id in &ours {
            let Some(template) = self.templates.get(*id) else { continue };
            let lineage = std::iter::once(*id).chain(&template.ancestors);
            let lineage: Vec<&Compiled> = lineage.filter_map(|id| self.templates.get(id)).collect();
            for (n, below) in lineage.iter().enumerate() {
                for above in lineage.iter().skip(n + 1) {
                    replaced.extend(below.rules.iter().map(|rule| (&above.config.id, &rule.config.id)));
                }
            }
        }
        let mut rules: BTreeMap<(TemplateId, ThresholdId), Arc<Bound>> = BTreeMap::new();
        for rule in ours.iter().flat_map(|id| self.of_template(id)) {
            if !replaced.contains(&(&rule.template, &rule.config.id)) {
                rules.insert((rule.template.clone(), rule.config.id.clone()), rule);
            }
        }
        rules.into_values().collect()
    }
}
