//! People of the demo: whoever is paged answers after a while, works on it, writes what they found, and is done.

use super::dice::Dice;
use crate::{clock, http::App, live::BoardFilter};
use actix_web::web;
use engine::Act;
use shared::{IncidentId, IncidentState, PersonId, Severity, Timestamp, api::IncidentRow, timeline::Actor};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

const LOOK_EVERY: Duration = Duration::from_secs(2);
/// In the beginning people answer fast, so that the first minute shows every state.
const FIRST_MS: i64 = 60_000;

/// What people write while they work.
const NOTES: &[&str] = &[
    "重启后恢复，正在查原因",
    "Failing over to the replica now",
    "已联系机房，工程师 20 分钟内到",
    "Rolled back this morning's release, watching the error rate",
    "磁盘已扩容，等待告警恢复",
    "Known issue, the fix is in review",
];

/// When somebody means to do something about an incident, and what.
struct Plan {
    at: Timestamp,
    what: Next,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Answer,
    Write,
    Finish,
}

pub(super) async fn run(app: web::Data<App>, dice: Dice) {
    let began = clock::now();
    let mut plans: BTreeMap<IncidentId, Plan> = BTreeMap::new();
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let now = clock::now();
        let hurry = now.ms_since(began) < FIRST_MS;
        let rows = app.board.list(&everything(), now).items;
        let open: BTreeSet<IncidentId> = rows.iter().map(|row| row.id).collect();
        plans.retain(|id, _| open.contains(id));
        for row in rows {
            if plans.get(&row.id).is_some_and(|plan| plan.at > now) {
                continue;
            }
            let due = plans.remove(&row.id).map(|plan| plan.what);
            if let Some(next) = due {
                carry_out(&app, &dice, &row, next).await;
            }
            if let Some(plan) = intend(&dice, &row, due, now, hurry) {
                plans.insert(row.id, plan);
            }
        }
    }
}

/// What comes next for an incident; some are left alone, so that escalation is seen.
fn intend(dice: &Dice, row: &IncidentRow, done: Option<Next>, now: Timestamp, hurry: bool) -> Option<Plan> {
    let soon = |least: u64, most: u64| {
        let ms = dice.between(least, most) * 1_000;
        now.plus_ms(i64::try_from(ms).unwrap_or(60_000))
    };
    match (row.state, done) {
        (IncidentState::Triggered, _) => {
            let at = match row.severity {
                _ if hurry && dice.percent(45) => soon(2, 20),
                Severity::P0 => soon(25, 120),
                Severity::P1 => soon(40, 240),
                _ => soon(90, 900),
            };
            Some(Plan { at, what: Next::Answer })
        }
        (IncidentState::Acked, None | Some(Next::Answer)) => Some(Plan { at: soon(20, 180), what: Next::Write }),
        (IncidentState::Acked, Some(Next::Write | Next::Finish)) => {
            Some(Plan { at: soon(60, 600), what: Next::Finish })
        }
        _ => None,
    }
}

async fn carry_out(app: &App, dice: &Dice, row: &IncidentRow, next: Next) {
    let Some(by) = who(app, dice, row) else { return };
    let act = match (next, row.state) {
        (Next::Answer, IncidentState::Triggered) if row.severity > Severity::P2 && dice.percent(15) => {
            Act::Snooze { until: clock::now().plus_ms(i64::try_from(dice.between(5, 40) * 60_000).unwrap_or(600_000)) }
        }
        (Next::Answer, IncidentState::Triggered) => Act::Ack { until: None },
        (Next::Write, _) => Act::Note { text: dice.pick(NOTES).copied().unwrap_or_default().to_owned() },
        (Next::Finish, IncidentState::Acked) if dice.percent(60) => Act::Resolve,
        _ => return,
    };
    // Somebody else was faster, or it is over: as in life.
    app.runtime.act(row.id, by, act).await.ok();
}

/// One of those who were paged; whoever looks at the demo is left to answer for themselves.
fn who(app: &App, dice: &Dice, row: &IncidentRow) -> Option<Actor> {
    let config = app.runtime.config();
    let paged: Vec<PersonId> = row
        .proof
        .recipients
        .iter()
        .map(|name| PersonId::from(name.clone()))
        .filter(|id| id.as_str() != super::organisation::VISITOR && config.people.contains_key(id))
        .collect();
    dice.pick(&paged).map(|person| Actor::Link { person: person.clone(), via: None })
}

/// As much as a list gives at once.
fn everything() -> BoardFilter {
    BoardFilter { limit: 500, ..BoardFilter::default() }
}
