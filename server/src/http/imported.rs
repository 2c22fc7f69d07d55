//! Calendars that others keep, as layers of schedules take their shifts from them: how each stands, and fetching it now.

use super::{App, app::now, problem::ApiError, schedules::find};
use crate::{calendars, db::Store};
use actix_web::web;
use shared::{
    ScheduleId,
    api::{ImportedCalendar, List},
};

/// Between two fetches of one calendar that somebody asks for: it is others' server.
const REST_MS: i64 = 5_000;

/// Those of one schedule, or of all.
async fn standing(app: &App, only: Option<&ScheduleId>) -> Result<web::Json<List<ImportedCalendar>>, ApiError> {
    let config = app.runtime.config();
    let states = app.db(Store::calendar_states).await?;
    let rosters = config.rosters.iter().filter(|(id, _)| only.is_none_or(|only| only == *id));
    let each = rosters.flat_map(|(id, roster)| roster.imported().iter().map(move |it| (id, it)));
    let items = each.map(|(id, it)| calendars::shown(id, it, &states, now())).collect();
    Ok(web::Json(List { items, next: None }))
}

pub(super) async fn list_imported(app: web::Data<App>) -> Result<web::Json<List<ImportedCalendar>>, ApiError> {
    standing(&app, None).await
}

/// Fetches the calendars of a schedule, except those that were fetched this very moment.
pub(super) async fn fetch_imported(
    app: web::Data<App>,
    id: web::Path<String>,
) -> Result<web::Json<List<ImportedCalendar>>, ApiError> {
    let id = ScheduleId::from(id.into_inner());
    let config = app.runtime.config();
    let (schedule, _) = find(&config, &id)?;
    let states = app.db(Store::calendar_states).await?;
    let rests = |url: &str| states.iter().any(|it| it.url == url && now().ms_since(it.tried_at) < REST_MS);
    let urls = schedule.calendar_urls().filter(|url| !rests(url)).map(str::to_owned).collect();
    calendars::fetch(&app.runtime, &app.readers, urls).await;
    standing(&app, Some(&id)).await
}
