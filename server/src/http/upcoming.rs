//! The levels that will run unless somebody answers, with who is on call then.

use engine::{
    Snapshot,
    condition::{Standing, unmet},
};
use shared::{
    Escalation, EscalationState, Incident, PersonId, PolicyId, Recipient, Timestamp,
    api::UpcomingLevel,
    config::{Policy, Target},
};
use std::{collections::BTreeMap, sync::Arc};

const MOST: usize = 12;

/// Policies by configuration version and name, as incidents started with them.
pub(super) type Policies = BTreeMap<(i64, PolicyId), Arc<Policy>>;

/// For every policy that still runs: what is due, then what follows it.
pub(super) fn levels(incident: &Incident, policies: &Policies, config: &Snapshot) -> Vec<UpcomingLevel> {
    let mut found = Vec::new();
    let standing = Standing { severity: incident.severity, firing: incident.firing, now: incident.updated_at };
    for escalation in incident.escalations.iter().filter(|it| it.state == EscalationState::Running) {
        let key = (escalation.config, escalation.policy.clone());
        if let Some(policy) = policies.get(&key) {
            follow(escalation, standing, policy, config, &mut found);
        }
    }
    found.sort_by_key(|level| (level.at, level.level));
    found.truncate(MOST);
    found
}

fn follow(
    escalation: &Escalation,
    standing: Standing,
    policy: &Policy,
    config: &Snapshot,
    found: &mut Vec<UpcomingLevel>,
) {
    let Some(mut at) = escalation.due else { return };
    let (mut level, mut cycle) = (escalation.next_level, escalation.cycle);
    for _ in 0..MOST {
        if level as usize >= policy.levels.len() {
            (level, cycle) = (0, cycle + 1);
        }
        let Some(step) = policy.levels.get(level as usize).filter(|_| cycle <= policy.repeat) else { return };
        let runs = unmet(&step.when, Standing { now: at, ..standing }, &config.windows).is_none();
        let recipients = if runs { who(&step.notify, config, at) } else { Vec::new() };
        // A level with nobody, or one that is not meant then, is passed over at once.
        let waits = !recipients.is_empty();
        let one_of = step.round_robin && recipients.len() > 1;
        found.push(UpcomingLevel { policy: escalation.policy.clone(), level, cycle, at, recipients, one_of });
        if waits {
            at = at.after(step.delay);
        }
        level += 1;
    }
}

/// Who the targets mean at an instant, everybody once.
pub(super) fn who(targets: &[Target], config: &Snapshot, at: Timestamp) -> Vec<Recipient> {
    let mut recipients: Vec<Recipient> = Vec::new();
    for target in targets {
        let people: Vec<PersonId> = match target {
            Target::Person(id) => vec![id.clone()],
            Target::Team(id) => config.teams.get(id).map(|team| team.members.clone()).unwrap_or_default(),
            Target::Schedule(id) => config
                .rosters
                .get(id)
                .map(|roster| roster.at(at).into_iter().map(|duty| duty.person).collect())
                .unwrap_or_default(),
            Target::Webhook(id) => {
                recipients.push(Recipient::Webhook(id.clone()));
                continue;
            }
        };
        let known = people.into_iter().filter(|id| config.people.contains_key(id));
        recipients.extend(known.map(Recipient::Person));
    }
    let mut seen = std::collections::BTreeSet::new();
    recipients.retain(|recipient| seen.insert(recipient.clone()));
    recipients
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_follow_each_other_through_the_repeats() {
        let text = r#"
            [[people]]
            id = "a"
            name = "A"
            [[teams]]
            id = "none"
            name = "N"
            [[policies]]
            id = "p"
            repeat = 1
            levels = [
              { notify = ["person:a"], delay = "5m" },
              { notify = ["team:none"], delay = "1h" },
              { notify = ["person:a"], delay = "5m", when = { severity = ["P0"] } },
            ]
        "#;
        let config = Snapshot::compile(3, toml::from_str(text).unwrap()).unwrap();
        let escalation = Escalation {
            policy: "p".into(),
            config: 3,
            state: EscalationState::Running,
            next_level: 1,
            again: false,
            levels: 3,
            repeat: 1,
            cycle: 0,
            reached: true,
            due: Some(Timestamp::from_ms(1_000)),
            held_until: None,
        };
        let mut found = Vec::new();
        let standing = Standing { severity: shared::Severity::P2, firing: 1, now: Timestamp::from_ms(0) };
        follow(&escalation, standing, &config.policies[&"p".into()], &config, &mut found);
        let plan: Vec<(u32, u32, i64, usize)> =
            found.iter().map(|it| (it.level, it.cycle, it.at.ms(), it.recipients.len())).collect();
        assert_eq!(
            plan,
            [(1, 0, 1_000, 0), (2, 0, 1_000, 0), (0, 1, 1_000, 1), (1, 1, 301_000, 0), (2, 1, 301_000, 0)]
        );
    }
}
