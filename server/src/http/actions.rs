//! What people do to an incident: each is one act of the engine, answered with the row as it then is.

use super::{
    App,
    app::{act as record_of, now},
    body::MaybeJson,
    principal::Principal,
    problem::ApiError,
};
use actix_web::web;
use engine::Act;
use shared::{
    IncidentId, Timestamp,
    api::{ActionRequest, IncidentRow},
};

const MOST_NOTE_CHARS: usize = 10_000;
const MOST_RESPONDERS: usize = 32;
/// A snooze is a nap, not a burial.
const LONGEST_SNOOZE_MS: i64 = 31 * 86_400_000;

async fn act(app: &App, principal: &Principal, id: i64, act: Act) -> Result<web::Json<IncidentRow>, ApiError> {
    let incident = app.runtime.act(IncidentId(id), principal.actor(), act).await?;
    Ok(web::Json(IncidentRow::from(&incident)))
}

type Action = Result<web::Json<IncidentRow>, ApiError>;
type Body = MaybeJson<ActionRequest>;

pub(super) async fn ack(app: web::Data<App>, by: Principal, id: web::Path<i64>, MaybeJson(body): Body) -> Action {
    let until = body.until.map(sensible).transpose()?;
    let act_of = |person: &shared::PersonId| Act::AckAs { person: person.clone(), until };
    act(&app, &by, *id, by.person().map_or(Act::Ack { until }, act_of)).await
}

pub(super) async fn unack(app: web::Data<App>, by: Principal, id: web::Path<i64>, _: Body) -> Action {
    act(&app, &by, *id, Act::Unack).await
}

pub(super) async fn resolve(app: web::Data<App>, by: Principal, id: web::Path<i64>, _: Body) -> Action {
    act(&app, &by, *id, Act::Resolve).await
}

pub(super) async fn snooze(app: web::Data<App>, by: Principal, id: web::Path<i64>, MaybeJson(body): Body) -> Action {
    let until = body.until.ok_or_else(|| ApiError::invalid("until", "Say until when, in milliseconds since 1970."))?;
    act(&app, &by, *id, Act::Snooze { until: sensible(until)? }).await
}

pub(super) async fn escalate(app: web::Data<App>, by: Principal, id: web::Path<i64>, MaybeJson(body): Body) -> Action {
    let level = match body.level {
        Some(0) => return Err(ApiError::invalid("level", "Levels are counted from 1.")),
        level => level.map(|level| level - 1),
    };
    act(&app, &by, *id, Act::Escalate { policy: body.policy, level, version: body.version }).await
}

pub(super) async fn reassign(app: web::Data<App>, by: Principal, id: web::Path<i64>, MaybeJson(body): Body) -> Action {
    let to = body.to.ok_or_else(|| ApiError::invalid("to", "Say whom to page, by the person's id."))?;
    act(&app, &by, *id, Act::Reassign { to }).await
}

pub(super) async fn responders(
    app: web::Data<App>,
    by: Principal,
    id: web::Path<i64>,
    MaybeJson(body): Body,
) -> Action {
    if body.targets.is_empty() || body.targets.len() > MOST_RESPONDERS {
        let mend = format!("Name 1 to {MOST_RESPONDERS} targets, such as person:li or schedule:db.");
        return Err(ApiError::invalid("targets", mend));
    }
    act(&app, &by, *id, Act::AddResponders { targets: body.targets, version: body.version }).await
}

pub(super) async fn apply_policy(
    app: web::Data<App>,
    by: Principal,
    id: web::Path<i64>,
    MaybeJson(body): Body,
) -> Action {
    act(&app, &by, *id, Act::ApplyPolicy { version: body.version }).await
}

pub(super) async fn note(app: web::Data<App>, by: Principal, id: web::Path<i64>, MaybeJson(body): Body) -> Action {
    let text = body.text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let text = text.ok_or_else(|| ApiError::invalid("text", "Write something."))?;
    if text.chars().count() > MOST_NOTE_CHARS {
        return Err(ApiError::invalid("text", format!("A note has at most {MOST_NOTE_CHARS} characters.")));
    }
    act(&app, &by, *id, Act::Note { text }).await
}

pub(super) async fn merge(app: web::Data<App>, by: Principal, id: web::Path<i64>, MaybeJson(body): Body) -> Action {
    let into = body.into.ok_or_else(|| ApiError::invalid("into", "Say into which incident, by its number."))?;
    let answer = act(&app, &by, *id, Act::Merge { into, version: body.version }).await?;
    record(&app, &by, "incident.merge", *id, format!("into #{into}")).await?;
    Ok(answer)
}

pub(super) async fn detach(app: web::Data<App>, by: Principal, id: web::Path<i64>, MaybeJson(body): Body) -> Action {
    let alert = body.alert.ok_or_else(|| ApiError::invalid("alert", "Say which alert, by its number."))?;
    let answer = act(&app, &by, *id, Act::Detach { alert, version: body.version }).await?;
    record(&app, &by, "incident.detach", *id, format!("alert {alert}")).await?;
    Ok(answer)
}

/// What belongs to which incident is for the record too; what is answered stands in the timeline.
async fn record(app: &App, by: &Principal, action: &str, id: i64, detail: String) -> Result<(), ApiError> {
    let entry = record_of(&by.record_name(), action, id.to_string(), detail);
    app.db(move |store| store.audit_append(&entry)).await.map(drop)
}

/// The engine refuses the past; this refuses what can only be a mistake of units.
fn sensible(until: Timestamp) -> Result<Timestamp, ApiError> {
    if until.ms_since(now()) > LONGEST_SNOOZE_MS {
        return Err(ApiError::invalid("until", "At most 31 days ahead, in milliseconds since 1970."));
    }
    Ok(until)
}
