//! Swaps: somebody offers a shift, the other takes it, and then it is an override like any other.

use super::{
    App,
    app::{act, now},
    body::Json,
    overrides,
    principal::Principal,
    problem::ApiError,
    schedules::{self, Range},
};
use actix_web::{HttpResponse, http::StatusCode, web};
use engine::oncall::{Swap, SwapRefusal};
use shared::{
    PersonId, ScheduleId,
    api::{List, NewSwap, Role, SwapRow, SwapState},
    config::Override,
};

const MOST: i64 = 200;

pub(super) async fn list_swaps(app: web::Data<App>) -> Result<web::Json<List<SwapRow>>, ApiError> {
    Ok(web::Json(List { items: app.db(|store| store.swaps(MOST)).await?, next: None }))
}

/// Whether somebody may speak for a person.
fn speaks_for(principal: &Principal, person: &PersonId) -> bool {
    principal.person() == Some(person) || principal.role >= Role::Admin
}

pub(super) async fn offer(
    app: web::Data<App>,
    principal: Principal,
    id: web::Path<String>,
    Json(body): Json<NewSwap>,
) -> Result<HttpResponse, ApiError> {
    Range { from: body.from, until: body.until }.check()?;
    if let Some(span) = &body.in_return {
        Range { from: span.from, until: span.until }.check()?;
    }
    let giver = body.giver.or_else(|| principal.person().cloned());
    let giver =
        giver.ok_or_else(|| ApiError::invalid("giver", "This account is not a person: say whose shift it is."))?;
    if !speaks_for(&principal, &giver) {
        return Err(ApiError::forbidden("It is theirs to offer the shift, or an administrator's."));
    }
    if !app.runtime.config().people.contains_key(&body.taker) {
        return Err(ApiError::invalid("taker", "There is no such person."));
    }
    let mut row = SwapRow {
        id: 0,
        state: SwapState::Offered,
        schedule: ScheduleId::from(id.into_inner()),
        giver,
        taker: body.taker,
        from: body.from,
        until: body.until,
        in_return: body.in_return,
        note: body.note,
        offered_by: principal.record_name(),
        offered_at: now(),
        decided_by: None,
        decided_at: None,
    };
    covers(&app, &row)?;
    let entry = act(&row.offered_by, "swap.offer", row.schedule.to_string(), format!("{} to {}", row.giver, row.taker));
    let stored = row.clone();
    row.id = app.change(entry, move |store| store.swap_create(&stored)).await?;
    Ok(HttpResponse::Created().json(row))
}

/// The overrides a swap would be now.
fn covers(app: &App, row: &SwapRow) -> Result<Vec<Override>, ApiError> {
    let config = app.runtime.config();
    let (_, roster) = schedules::find(&config, &row.schedule)?;
    let swap = Swap {
        giver: row.giver.clone(),
        taker: row.taker.clone(),
        from: row.from,
        until: row.until,
        in_return: row.in_return.as_ref().map(|span| (span.from, span.until)),
    };
    let mut covers = swap.overrides(roster, now())?;
    for cover in &mut covers {
        cover.note.clone_from(&row.note);
    }
    Ok(covers)
}

/// An offer that nobody has decided on yet.
async fn offered(app: &App, id: i64) -> Result<SwapRow, ApiError> {
    let row = app.db(move |store| store.swap(id)).await?.ok_or_else(|| ApiError::not_found("swap"))?;
    if row.state == SwapState::Offered { Ok(row) } else { Err(decided_before()) }
}

fn decided_before() -> ApiError {
    ApiError::new(StatusCode::CONFLICT, "not_open", "This swap was decided before")
}

pub(super) async fn accept(
    app: web::Data<App>,
    principal: Principal,
    id: web::Path<i64>,
) -> Result<web::Json<SwapRow>, ApiError> {
    let row = offered(&app, id.into_inner()).await?;
    if !speaks_for(&principal, &row.taker) {
        return Err(ApiError::forbidden("It is theirs to take the shift, or an administrator's."));
    }
    // Of two who accept at once, the second finds that the giver is not on call any more, or contradicts the first.
    overrides::add(&app, &principal, "swap.overrides", &row.schedule, covers(&app, &row)?).await?;
    decide(&app, &principal, row, SwapState::Accepted).await
}

pub(super) async fn decline(
    app: web::Data<App>,
    principal: Principal,
    id: web::Path<i64>,
) -> Result<web::Json<SwapRow>, ApiError> {
    let row = offered(&app, id.into_inner()).await?;
    if !speaks_for(&principal, &row.taker) && !speaks_for(&principal, &row.giver) {
        return Err(ApiError::forbidden("It is for the two of them to say, or for an administrator."));
    }
    decide(&app, &principal, row, SwapState::Declined).await
}

async fn decide(
    app: &App,
    principal: &Principal,
    row: SwapRow,
    state: SwapState,
) -> Result<web::Json<SwapRow>, ApiError> {
    let by = principal.record_name();
    let row = SwapRow { state, decided_by: Some(by.clone()), decided_at: Some(now()), ..row };
    let entry = act(&by, &format!("swap.{}", state.as_str()), row.id.to_string(), "");
    let stored = row.clone();
    let first = app.change(entry, move |store| store.swap_decide(&stored)).await?;
    if first { Ok(web::Json(row)) } else { Err(decided_before()) }
}

impl From<SwapRefusal> for ApiError {
    fn from(refusal: SwapRefusal) -> Self {
        Self::new(StatusCode::CONFLICT, "no_swap", "This swap cannot be").detail(refusal.to_string())
    }
}
