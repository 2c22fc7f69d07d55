//! The rules of an integration that make events of what is logged, compiled once and not for each message.

use super::super::Source;
use crate::matcher::{Matcher, Subject};
use shared::{AlertEvent, config::SyslogRule};
use std::cell::RefCell;

/// Integrations whose rules are remembered; with more of them rules are compiled more often.
const REMEMBERED: usize = 16;

type Known = (Vec<SyslogRule>, Vec<Vec<Matcher>>);

thread_local! {
    // To compile a regular expression takes as long as a hundred messages do. Remembering them changes no result.
    static KNOWN: RefCell<Vec<Known>> = const { RefCell::new(Vec::new()) };
}

/// Whether any rule takes an event.
pub(in crate::normalize) fn take(rules: &[SyslogRule], source: &Source<'_>, event: &AlertEvent) -> bool {
    let integration = &source.integration.id;
    let subject = Subject { event, integration, severity: event.severity, now: source.received_at };
    KNOWN.with_borrow_mut(|known| {
        let found = known.iter().position(|(of, _)| of == rules).unwrap_or_else(|| {
            if known.len() >= REMEMBERED {
                known.remove(0);
            }
            known.push((rules.to_vec(), rules.iter().map(compiled).collect()));
            known.len() - 1
        });
        let takes = |all: &Vec<Matcher>| !all.is_empty() && all.iter().all(|it| it.holds(&subject));
        known.get(found).is_some_and(|(_, compiled)| compiled.iter().any(takes))
    })
}

/// No conditions, which take nothing, when one of them is wrong: such a configuration was never put in force.
fn compiled(rule: &SyslogRule) -> Vec<Matcher> {
    rule.matches.iter().map(|text| Matcher::parse(text)).collect::<Result<_, _>>().unwrap_or_default()
}
