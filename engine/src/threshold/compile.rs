//! Reads the groups and templates of a document, and names what is wrong with them.

use super::{
    Expression, LOOK_BACK_MAX_MS, Rules,
    bind::{Bound, Compiled},
};
use crate::window::{Window, Windows};
use shared::{
    Delay, TemplateId, WindowId,
    config::{Document, Template, Threshold},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Where something is wrong, and what.
type Fault = (String, String);

/// The parents that a template may have, one above the other.
const ANCESTORS_MAX: usize = 8;
const NAMES_MAX: usize = 1_000;
const RULES_MAX: usize = 500;
const STEPS_MAX: u32 = 1_000;

impl Rules {
    /// Compiles the groups and templates of a document.
    ///
    /// # Errors
    /// Every fault with its path.
    pub fn compile(document: &Document, windows: &Windows) -> Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        let mut named = BTreeSet::new();
        for group in &document.host_groups {
            let path = format!("host_groups[{}]", group.id);
            if !is_id(group.id.as_str()) {
                faults.push((path.clone(), "an id is 1 to 64 letters, digits, `.`, `-` and `_`".to_owned()));
            }
            if !named.insert(&group.id) {
                faults.push((path.clone(), "another group has this id".to_owned()));
            }
            let names = group.hosts.len() + group.except.len();
            if group.hosts.is_empty() || names > NAMES_MAX {
                faults.push((format!("{path}.hosts"), format!("a group names 1 to {NAMES_MAX} hosts, as in web-*")));
            }
            if group.hosts.iter().chain(&group.except).any(|name| name.is_empty() || name.len() > 255) {
                faults.push((format!("{path}.hosts"), "the name of a host is 1 to 255 characters".to_owned()));
            }
        }
        let by_id: BTreeMap<&TemplateId, &Template> = document.templates.iter().map(|it| (&it.id, it)).collect();
        let mut rules = Self { groups: document.host_groups.clone(), templates: BTreeMap::new() };
        for template in &document.templates {
            let path = format!("templates[{}]", template.id);
            if !is_id(template.id.as_str()) {
                faults.push((path.clone(), "an id is 1 to 64 letters, digits, `.`, `-` and `_`".to_owned()));
            }
            for (n, group) in template.groups.iter().enumerate().filter(|(_, group)| !named.contains(group)) {
                faults.push((format!("{path}.groups[{n}]"), format!("there is no group `{group}` in host_groups")));
            }
            let ancestors = ancestors(template, &by_id).unwrap_or_else(|why| {
                faults.push((format!("{path}.parent"), why));
                Vec::new()
            });
            let compiled =
                Compiled { rules: bound(template, &path, windows, &mut faults), config: template.clone(), ancestors };
            if rules.templates.insert(template.id.clone(), compiled).is_some() {
                faults.push((path, "another template has this id".to_owned()));
            }
        }
        if faults.is_empty() { Ok(rules) } else { Err(faults) }
    }
}

/// The parents of a template, the nearest first.
fn ancestors(template: &Template, by_id: &BTreeMap<&TemplateId, &Template>) -> Result<Vec<TemplateId>, String> {
    let mut above = Vec::new();
    let mut at = template;
    while let Some(parent) = &at.parent {
        let Some(next) = by_id.get(parent) else { return Err(format!("there is no template `{parent}`")) };
        if *parent == template.id || above.contains(parent) {
            return Err(format!("`{parent}` would be its own parent"));
        }
        if above.len() >= ANCESTORS_MAX {
            return Err(format!("more than {ANCESTORS_MAX} parents one above the other"));
        }
        above.push(parent.clone());
        at = next;
    }
    Ok(above)
}

fn bound(template: &Template, path: &str, windows: &Windows, faults: &mut Vec<Fault>) -> Vec<Arc<Bound>> {
    let mut named = BTreeSet::new();
    let mut rules = Vec::new();
    if template.rules.len() > RULES_MAX {
        faults.push((format!("{path}.rules"), format!("a template has at most {RULES_MAX} rules")));
    }
    for rule in &template.rules {
        let path = format!("{path}.rules[{}]", rule.id);
        if !named.insert(&rule.id) {
            faults.push((path.clone(), "another rule of this template has this id".to_owned()));
        }
        match Bound::compile(&template.id, rule, windows) {
            Ok(rule) => rules.push(Arc::new(rule)),
            Err(found) => faults.extend(found.into_iter().map(|(field, why)| (format!("{path}.{field}"), why))),
        }
    }
    rules
}

impl Bound {
    /// Compiles one rule.
    ///
    /// # Errors
    /// Every fault with its field.
    pub fn compile(template: &TemplateId, rule: &Threshold, windows: &Windows) -> Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        let mut fault = |field: &str, why: String| faults.push((field.to_owned(), why));
        if !is_id(rule.id.as_str()) {
            fault("id", "an id is 1 to 64 letters, digits, `.`, `-` and `_`".to_owned());
        }
        let when: Option<Expression> = rule.when.parse().map_err(|why| fault("when", why)).ok();
        let clear: Option<Expression> = match &rule.clear {
            Some(text) => text.parse().map_err(|why| fault("clear", why)).ok(),
            None => None,
        };
        let nodata = |it: &Option<Expression>| it.as_ref().is_some_and(|it| it.function.span().is_none());
        if nodata(&clear) || (nodata(&when) && clear.is_some()) {
            fault("clear", "a rule about nodata is over when something comes; leave `clear` out".to_owned());
        }
        if let (Some(when), Some(clear)) = (&when, &clear)
            && when.series != clear.series
        {
            fault("clear", format!("the end is judged by the same series as the beginning: {}", when.series));
        }
        if rule.hold.0 < 0 || rule.hold.0 > LOOK_BACK_MAX_MS * 24 {
            fault("hold", "a condition holds for 0 to 1d".to_owned());
        }
        if !(1_000..=LOOK_BACK_MAX_MS * 24).contains(&rule.every.0) {
            fault("every", "it is told again after 1s to 1d".to_owned());
        }
        if rule.max_steps > STEPS_MAX {
            fault("max_steps", format!("it is told 0 to {STEPS_MAX} times"));
        }
        let mut during: Vec<(WindowId, Arc<Window>)> = Vec::new();
        for (n, id) in rule.during.iter().enumerate() {
            match windows.get(id) {
                Some(window) => during.push((id.clone(), Arc::clone(window))),
                None => fault(&format!("during[{n}]"), format!("there is no time window `{id}`")),
            }
        }
        let (Some(when), true) = (when, faults.is_empty()) else { return Err(faults) };
        let every = if rule.every == Delay::ZERO { Delay::mins(5) } else { rule.every };
        Ok(Self {
            template: template.clone(),
            config: rule.clone(),
            when,
            clear,
            hold: rule.hold,
            severity: rule.severity,
            max_steps: rule.max_steps,
            every,
            during,
        })
    }
}

fn is_id(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    (1..=64).contains(&text.len()) && text.bytes().all(fits)
}
