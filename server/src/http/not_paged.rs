//! For each person who was not paged: the reason, from what was decided and what the policies would have done next.

use super::{incidents::Documents, upcoming::Policies};
use engine::{Snapshot, compile::FALLBACK};
use shared::{
    Escalation, Incident, IncidentState, NounKind, PersonId, Piece, PolicyId, Recipient, SuppressedBy, Timestamp,
    api::NotPaged,
    config::{Document, Language, Policy, Schedule, Target},
    messages,
    text::{self, Names, Voice},
    timeline::{Happening, Skip, TargetResult, TimelineEntry, Unmet},
};
use std::collections::{BTreeMap, BTreeSet};

messages! {
    no_contact() { en: "was to be paged, but has no contact", zh: "本应通知，但没有联系方式" }
    no_rule(severity: &str) { en: "was to be paged, but their own rules name no contact for {severity}", zh: "本应通知，但其规则在 {severity} 级别没有联系方式" }
    has_answered() { en: "answered before, without being paged", zh: "未被通知，但已先行响应" }
    handed_over(to: &str) { en: "has quiet hours; {to} was paged instead", zh: "处于免打扰时段，已改为通知 {to}" }
    quiet() { en: "cannot be rung now, so it was somebody else's turn", zh: "当前不宜打扰，已轮到其他人" }
    others_turn() { en: "was among those to be paged, but it was somebody else's turn", zh: "在应通知的人员中，但未轮到此人" }
    not_reached(policy: &str, level: u32) { en: "level {level} of policy {policy} names them, and it has not run", zh: "策略 {policy} 的第 {level} 级包含此人，但尚未执行" }
    passed_over(policy: &str, level: u32, why: &str) { en: "level {level} of policy {policy} names them, and was passed over: {why}", zh: "策略 {policy} 的第 {level} 级包含此人，但被跳过：{why}" }
    stopped(policy: &str, level: u32) { en: "level {level} of policy {policy} names them; it was not needed, because somebody answered first", zh: "策略 {policy} 的第 {level} 级包含此人；有人先响应，未执行" }
    held(policy: &str) { en: "policy {policy} still waited when it recovered, so that nobody was paged", zh: "策略 {policy} 仍在等待时已恢复，未通知任何人" }
    off_duty(schedule: &str) { en: "is in schedule {schedule}, but was not on call when it was asked", zh: "在值班表 {schedule} 中，但当时不值班" }
    unnamed(policies: &str) { en: "no level of {policies} names them", zh: "{policies} 的任何级别都未包含此人" }
    unrouted() { en: "no route matched, and the fallback does not name them", zh: "没有匹配的路由，且兜底联系人不包含此人" }
    kept_quiet(why: &str) { en: "nobody was paged: it was kept quiet by {why}", zh: "未通知任何人：已被静默（{why}）" }
    joined_later() { en: "was not in the configuration that this incident follows", zh: "不在此事件所依据的配置中" }
}

/// What reasons are found in.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) l: Language,
    pub(super) names: &'a Names,
    pub(super) policies: &'a Policies,
    /// The configurations that were in force when it was asked who is to be paged.
    pub(super) documents: &'a Documents,
    pub(super) config: &'a Snapshot,
}

/// When it was last asked who is to be paged, and the configuration version that was in force then.
pub(super) fn last_asked(timeline: &[TimelineEntry]) -> Option<(Timestamp, i64)> {
    timeline.iter().rev().find_map(|entry| match &entry.what {
        Happening::LevelRan { in_force: Some(version), .. }
        | Happening::LevelEmpty { in_force: Some(version), .. }
        | Happening::NobodyReached { in_force: Some(version), .. }
        | Happening::Routed { config: version, .. } => Some((entry.at, *version)),
        _ => None,
    })
}

/// One reason a person, in the order of their names' ids.
pub(super) fn reasons(known: Known<'_>, incident: &Incident, timeline: &[TimelineEntry]) -> Vec<NotPaged> {
    let paged: BTreeSet<&PersonId> = incident
        .pages
        .iter()
        .filter_map(|page| match &page.recipient {
            Recipient::Person(id) => Some(id),
            Recipient::Webhook(_) => None,
        })
        .collect();
    let left_out = LeftOut::of(timeline);
    let people = known.config.people.values().filter(|person| !paged.contains(&person.id));
    people
        .map(|person| {
            let pieces = told(known, &person.id, incident, &left_out);
            NotPaged { person: person.id.clone(), name: person.name.clone(), reason: whole(&pieces), pieces }
        })
        .collect()
}

/// The reason for one person who was not paged.
pub(super) fn reason_of(
    known: Known<'_>,
    person: &PersonId,
    incident: &Incident,
    timeline: &[TimelineEntry],
) -> Vec<Piece> {
    told(known, person, incident, &LeftOut::of(timeline))
}

/// The sentence that the pieces are.
pub(super) fn whole(pieces: &[Piece]) -> String {
    pieces.iter().map(|piece| piece.text.as_str()).collect()
}

fn told(known: Known<'_>, person: &PersonId, incident: &Incident, left_out: &LeftOut) -> Vec<Piece> {
    let (at, version) = left_out.asked.unwrap_or((incident.opened_at, 0));
    let voice = Voice::linked(known.l, known.names, at);
    let then = known.documents.get(&version).map(|document| (version, &**document));
    let sentence = reason(known, &voice, person, incident, left_out, then);
    voice.pieces(&sentence)
}

/// Why people and levels were left out, as the timeline has it.
struct LeftOut {
    people: BTreeMap<PersonId, Skip>,
    levels: PassedOver,
    asked: Option<(Timestamp, i64)>,
    /// What kept the whole incident quiet, when that was before anybody was paged; the last words about it.
    quiet: Vec<SuppressedBy>,
}

impl LeftOut {
    fn of(timeline: &[TimelineEntry]) -> Self {
        Self {
            people: skips(timeline),
            levels: passed_over_levels(timeline),
            asked: last_asked(timeline),
            quiet: quieted_by(timeline),
        }
    }
}

/// What keeps an incident quiet, or kept it until it was over.
fn quieted_by(timeline: &[TimelineEntry]) -> Vec<SuppressedBy> {
    let last = timeline.iter().rev().find_map(|entry| match &entry.what {
        Happening::Suppressed { by } => Some(by.clone()),
        Happening::Released => Some(Vec::new()),
        _ => None,
    });
    last.unwrap_or_default()
}

/// People a level left out, with the last reason.
fn skips(timeline: &[TimelineEntry]) -> BTreeMap<PersonId, Skip> {
    let mut found = BTreeMap::new();
    let targets = timeline.iter().flat_map(|entry| -> &[TargetResult] {
        match &entry.what {
            Happening::LevelRan { targets, .. }
            | Happening::LevelEmpty { targets, .. }
            | Happening::NobodyReached { fallback: targets, .. } => targets,
            _ => &[],
        }
    });
    for skip in targets.flat_map(|target| &target.skipped) {
        match skip {
            Skip::NoContact { person }
            | Skip::NoRule { person }
            | Skip::OthersTurn { person }
            | Skip::Answered { person }
            | Skip::Waits { person, .. }
            | Skip::HandedOver { person, .. } => {
                found.insert(person.clone(), skip.clone());
            }
            Skip::NobodyOnCall | Skip::EmptyTeam | Skip::Gone | Skip::AlreadyPaged { .. } => {}
        }
    }
    found
}

/// By policy and level.
type PassedOver = BTreeMap<(PolicyId, u32), Unmet>;

/// Levels whose conditions did not hold, with the last reason; one that ran later is none.
fn passed_over_levels(timeline: &[TimelineEntry]) -> PassedOver {
    let mut found = BTreeMap::new();
    for entry in timeline {
        match &entry.what {
            Happening::LevelSkipped { policy, level, unmet, .. } => {
                found.insert((policy.clone(), *level), unmet.clone());
            }
            Happening::LevelRan { policy, level, .. } => {
                found.remove(&(policy.clone(), *level));
            }
            _ => {}
        }
    }
    found
}

/// Schedules and teams are those of `then`, as they were when it was asked.
fn reason(
    known: Known<'_>,
    voice: &Voice<'_>,
    person: &PersonId,
    incident: &Incident,
    left_out: &LeftOut,
    then: Option<(i64, &Document)>,
) -> String {
    let Known { l, policies, config, .. } = known;
    let (version, document) = then.map_or((None, &config.document), |(version, document)| (Some(version), document));
    let unmet = &left_out.levels;
    match left_out.people.get(person) {
        Some(Skip::NoContact { .. }) => return no_contact(l),
        Some(Skip::NoRule { .. }) => return no_rule(l, incident.severity.as_str()),
        Some(Skip::OthersTurn { .. }) => return others_turn(l),
        Some(Skip::Answered { .. }) => return has_answered(l),
        Some(Skip::Waits { .. }) => return quiet(l),
        Some(Skip::HandedOver { to, .. }) => {
            return handed_over(l, &voice.person(to, version));
        }
        _ => {}
    }
    if incident.pages.is_empty() && !left_out.quiet.is_empty() {
        let why: Vec<String> = left_out.quiet.iter().map(|by| text::quieted_by(voice, by, None)).collect();
        return kept_quiet(l, &why.join(", "));
    }
    let mut off_duty_in = None;
    for escalation in &incident.escalations {
        let Some(policy) = policies.get(&(escalation.config, escalation.policy.clone())) else { continue };
        let level_of = |level| voice.policy(&policy.id, Some(escalation.config), Some(level));
        match named(policy, person, document) {
            Named::Surely(level) if let Some(why) = unmet.get(&(policy.id.clone(), level)) => {
                return passed_over(l, &level_of(level), level + 1, &text::unmet(voice, why));
            }
            Named::Surely(level) if incident.state == IncidentState::Triggered => {
                return not_reached(l, &level_of(level), level + 1);
            }
            Named::Surely(_) if recovered_first(incident, escalation) => {
                return held(l, &voice.policy(&policy.id, Some(escalation.config), None));
            }
            Named::Surely(level) => return stopped(l, &level_of(level), level + 1),
            Named::Sometimes(schedule) => off_duty_in = off_duty_in.or(Some(schedule)),
            Named::Never => {}
        }
    }
    if let Some(schedule) = off_duty_in {
        return off_duty(l, &voice.named(NounKind::Schedule, &schedule, version));
    }
    let kept = incident.escalations.iter().filter(|it| it.policy.as_str() != FALLBACK);
    let kept: Vec<String> = kept.map(|it| voice.policy(&it.policy, Some(it.config), None)).collect();
    match kept.as_slice() {
        [] if incident.escalations.is_empty() => joined_later(l),
        [] => unrouted(l),
        kept => unnamed(l, &kept.join(", ")),
    }
}

/// Whether it was over before the policy was to page anybody.
fn recovered_first(incident: &Incident, escalation: &Escalation) -> bool {
    incident.resolved_at.zip(escalation.held_until).is_some_and(|(over, held)| over < held) && incident.ack.is_none()
}

/// Whether somebody has turns in a schedule, in its own rotations or a layer's, or covers for others.
pub(super) fn takes_part(schedule: &Schedule, person: &PersonId) -> bool {
    let layers = schedule.layers.iter().flat_map(|layer| &layer.rotations);
    schedule
        .rotations
        .iter()
        .chain(layers)
        .any(|it| it.people.iter().chain(it.groups.iter().flatten()).any(|id| id == person))
        || schedule.overrides.iter().any(|cover| cover.person == *person)
        || schedule.temporary.iter().flat_map(|it| &it.shifts).any(|shift| shift.person == *person)
}

enum Named {
    /// Directly or by team, first in this level (0-based).
    Surely(u32),
    /// By a schedule in which they take turns.
    Sometimes(String),
    Never,
}

fn named(policy: &Policy, person: &PersonId, document: &Document) -> Named {
    let mut sometimes = None;
    for (index, level) in policy.levels.iter().enumerate() {
        for target in &level.notify {
            let surely = match target {
                Target::Person(id) => id == person,
                Target::Team(id) => document.teams.iter().any(|team| team.id == *id && team.members.contains(person)),
                Target::Schedule(id) => {
                    let schedule = document.schedules.iter().find(|schedule| schedule.id == *id);
                    if schedule.is_some_and(|schedule| takes_part(schedule, person)) && sometimes.is_none() {
                        sometimes = Some(id.to_string());
                    }
                    false
                }
                Target::Webhook(_) => false,
            };
            if surely {
                return Named::Surely(u32::try_from(index).unwrap_or(u32::MAX));
            }
        }
    }
    sometimes.map_or(Named::Never, Named::Sometimes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::{Engine, Event, Ingested, normalize};
    use shared::{IntegrationId, Timestamp};
    use std::sync::Arc;

    const DOCUMENT: &str = r#"
        people = [
          { id = "a", name = "A", contacts = [{ id = "m", email = "a@x" }] },
          { id = "b", name = "B", contacts = [{ id = "m", email = "b@x" }] },
          { id = "c", name = "C" },
          { id = "d", name = "D", contacts = [{ id = "m", email = "d@x" }] },
          { id = "e", name = "E", contacts = [{ id = "m", email = "e@x" }] },
          { id = "f", name = "F", contacts = [{ id = "m", email = "f@x" }] },
        ]
        teams = [{ id = "t", name = "T", members = ["b"] }]
        schedules = [{ id = "s", name = "S", time_zone = "UTC", rotations = [
          { people = ["a", "e"], handoff = "00:00", start = "2026-01-05" }] }]
        policies = [{ id = "p", levels = [
          { notify = ["person:f"], delay = "5m", when = { severity = ["P0"] } },
          { notify = ["schedule:s", "person:c"], delay = "5m" }, { notify = ["team:t"], delay = "5m" }] }]
        routes = [{ id = "all", policy = "p" }]
    "#;

    #[test]
    fn everybody_who_was_not_paged_has_a_reason() {
        let config = Arc::new(Snapshot::compile(1, toml::from_str(DOCUMENT).unwrap()).unwrap());
        let mut engine = Engine::new(config.clone());
        // 2026-01-06: A is on call.
        let now = Timestamp::from_ms(1_767_693_600_000);
        let integration = config.integration(&IntegrationId::from("x"));
        let source = normalize::Source {
            integration: &integration,
            content_type: None,
            format: None,
            peer: None,
            received_at: now,
        };
        let read = normalize::normalize(&source, b"[P1][PROBLEM][db-07][10.0.3.7][down]");
        let events = read.events.into_iter().map(|it| it.event).collect();
        engine.handle(
            now,
            Event::Ingested(Ingested {
                integration: "x".into(),
                key: None,
                events,
                rejected: vec![],
                places: Vec::new(),
                replayed: false,
            }),
        );
        let timeline = engine.take_changes().timeline;
        let incident = engine.state.incidents.values().next().unwrap();
        let policies: Policies = engine.state.policies.clone();
        let names = Names::new();
        let documents = Documents::from([(1, Arc::new(config.document.clone()))]);
        let known =
            Known { l: Language::En, names: &names, policies: &policies, documents: &documents, config: &config };
        let found = reasons(known, incident, &timeline);
        let off_duty: Vec<String> =
            found[3].pieces.iter().filter_map(|it| it.noun.as_ref()).map(shared::Noun::href).collect();
        assert_eq!(off_duty, [format!("/versions/schedule/s?version=1&at={}", now.ms())]);
        let not_run: Vec<String> =
            found[0].pieces.iter().filter_map(|it| it.noun.as_ref()).map(shared::Noun::href).collect();
        assert_eq!(not_run, ["/versions/policy/p?version=1&part=3"]);
        let found: Vec<(&str, &str)> = found.iter().map(|it| (it.person.as_str(), it.reason.as_str())).collect();
        assert_eq!(
            found,
            [
                ("b", "level 3 of policy p names them, and it has not run"),
                ("c", "was to be paged, but has no contact"),
                ("d", "no level of p names them"),
                ("e", "is in schedule s, but was not on call when it was asked"),
                ("f", "level 1 of policy p names them, and was passed over: it is P1, the level is for P0"),
            ]
        );
    }
}
