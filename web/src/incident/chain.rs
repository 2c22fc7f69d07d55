//! The chain of decisions from a message to a person, taken out of the timeline.

use shared::{
    PageVia, PersonId, PolicyId, Recipient, Timestamp, Waits,
    timeline::{Happening, PlannedAttempt, RouteStep, SeverityReason, TargetResult, TimelineEntry, Unmet},
};

/// Why somebody was paged.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Chain {
    pub(crate) severity: Option<SeverityReason>,
    /// When the routes were asked, and of which configuration version.
    pub(crate) asked: (Timestamp, Option<i64>),
    pub(crate) trace: Vec<RouteStep>,
    pub(crate) routed: bool,
    pub(crate) page: Option<Paged>,
    pub(crate) levels: Vec<LevelRun>,
}

/// The page the chain ends in.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Paged {
    pub(crate) recipient: Recipient,
    pub(crate) via: PageVia,
    pub(crate) policy: PolicyId,
    /// 0-based.
    pub(crate) level: u32,
    pub(crate) rule: Option<u32>,
    pub(crate) plan: Vec<PlannedAttempt>,
    pub(crate) waits: Option<Waits>,
    pub(crate) at: Timestamp,
    /// The version of the policy.
    pub(crate) config: Option<i64>,
    /// The configuration in force then.
    pub(crate) in_force: Option<i64>,
}

/// A level that was due, with what each target came to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LevelRun {
    pub(crate) policy: PolicyId,
    pub(crate) level: u32,
    pub(crate) at: Timestamp,
    /// The version of the policy.
    pub(crate) config: i64,
    /// The configuration in force then.
    pub(crate) in_force: Option<i64>,
    pub(crate) targets: Vec<TargetResult>,
    /// Why it did not run.
    pub(crate) unmet: Option<Unmet>,
}

/// The chain that ends with `me`, or with the first page when I was not paged (or am nobody).
pub(crate) fn chain(timeline: &[TimelineEntry], me: Option<&PersonId>) -> Chain {
    let asked = (Timestamp::from_ms(0), None);
    let mut chain = Chain { severity: None, asked, trace: Vec::new(), routed: false, page: None, levels: Vec::new() };
    let mut mine = false;
    for entry in timeline {
        match &entry.what {
            Happening::Opened { severity, .. } => {
                chain.severity = Some(severity.clone());
                chain.asked.0 = entry.at;
            }
            Happening::Routed { trace, policies, config, .. } => {
                chain.asked = (entry.at, Some(*config));
                chain.trace.clone_from(trace);
                chain.routed = !policies.is_empty();
            }
            Happening::LevelRan { policy, config, level, targets, in_force, .. }
            | Happening::LevelEmpty { policy, config, level, targets, in_force, .. } => {
                let (policy, targets) = (policy.clone(), targets.clone());
                let (level, config, in_force) = (*level, *config, *in_force);
                chain.levels.push(LevelRun { policy, level, at: entry.at, config, in_force, targets, unmet: None });
            }
            Happening::LevelSkipped { policy, config, level, unmet, .. } => {
                let (policy, unmet, targets) = (policy.clone(), Some(unmet.clone()), Vec::new());
                let (level, config) = (*level, *config);
                chain.levels.push(LevelRun { policy, level, at: entry.at, config, in_force: None, targets, unmet });
            }
            Happening::Paged { recipient, via, policy, level, rule, plan, waits, config, in_force, .. } => {
                let is_me = matches!(recipient, Recipient::Person(id) if Some(id) == me);
                if chain.page.is_none() || (is_me && !mine) {
                    mine |= is_me;
                    chain.page = Some(Paged {
                        recipient: recipient.clone(),
                        via: via.clone(),
                        policy: policy.clone(),
                        level: *level,
                        rule: *rule,
                        plan: plan.clone(),
                        waits: *waits,
                        at: entry.at,
                        config: *config,
                        in_force: *in_force,
                    });
                }
            }
            _ => {}
        }
    }
    chain
}

impl Chain {
    /// The rule that decided: the last one that named a policy.
    pub(crate) fn deciding_route(&self) -> Option<&RouteStep> {
        self.trace.iter().rev().find(|step| step.policy.is_some())
    }

    pub(crate) fn ends_with(&self, me: Option<&PersonId>) -> bool {
        matches!(&self.page, Some(Paged { recipient: Recipient::Person(id), .. }) if Some(id) == me)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::{IncidentId, PageId, timeline::Actor};

    fn paged(seq: u32, who: &str) -> TimelineEntry {
        let what = Happening::Paged {
            page: PageId(i64::from(seq)),
            recipient: Recipient::Person(who.into()),
            via: PageVia::Direct,
            policy: "db".into(),
            level: 0,
            rule: None,
            plan: vec![],
            waits: None,
            config: None,
            in_force: None,
        };
        TimelineEntry { incident: IncidentId(1), seq, at: Timestamp::from_ms(0), actor: Actor::System, what }
    }

    #[test]
    fn my_own_page_ends_the_chain() {
        let timeline = [paged(1, "wang"), paged(2, "li"), paged(3, "li")];
        let me = PersonId::from("li");
        let found = chain(&timeline, Some(&me));
        assert!(found.ends_with(Some(&me)));
        assert!(!chain(&timeline, Some(&"chen".into())).ends_with(Some(&"chen".into())));
    }

    #[test]
    fn without_a_page_there_is_a_chain_all_the_same() {
        assert_eq!(chain(&[], None).page, None);
    }
}
