//! A schedule over a range: what is stored of its past, what its layers, overrides and temporary schedules say of the
//! rest, its gaps, and what each person carries. And the same for a draft that is not stored.

use super::{
    App,
    app::{blocking, now},
    body::Json,
    oncall::named_people,
    problem::ApiError,
};
use crate::shifts;
use actix_web::web;
use engine::{
    Snapshot,
    oncall::{Roster, gaps, history},
};
use serde::Deserialize;
use shared::{
    Delay, PersonId, ScheduleId, Timestamp,
    api::{Gap, LayerRange, OverrideRange, SchedulePreview, ScheduleRange, Stretch, TemporaryRange},
    config::{Document, Schedule},
};

/// The longest range that is answered.
const LONGEST: Delay = Delay(400 * 86_400_000);
/// 1970 to 2200: what lies outside is a mistake, and would be a lot of work.
const YEARS: std::ops::Range<i64> = 0..7_258_118_400_000;

#[derive(Deserialize)]
pub(super) struct Range {
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
}

impl Range {
    /// Refuses what would take for ever.
    pub(super) fn check(&self) -> Result<(), ApiError> {
        let length = self.until.ms_since(self.from);
        if YEARS.contains(&self.from.ms()) && (1..=LONGEST.0).contains(&length) {
            return Ok(());
        }
        Err(ApiError::invalid("until", "Ask for a range that ends after it begins, at most 400 days later."))
    }
}

pub(super) async fn show_range(
    app: web::Data<App>,
    id: web::Path<String>,
    range: web::Query<Range>,
) -> Result<web::Json<ScheduleRange>, ApiError> {
    let range = range.into_inner();
    range.check()?;
    let id = ScheduleId::from(id.into_inner());
    let past = if range.from < now() { Some(past(&app, &id, &range).await?) } else { None };
    let config = app.runtime.config();
    let work = move || {
        let (schedule, roster) = find(&config, &id)?;
        Ok(web::Json(look(&config, schedule, roster, &range, now(), past)))
    };
    blocking(work).await?
}

/// What is stored of a range, and until when.
async fn past(app: &App, id: &ScheduleId, range: &Range) -> Result<(Vec<Stretch>, Timestamp), ApiError> {
    let (id, from, until, now) = (id.clone(), range.from, range.until, now());
    app.db(move |store| {
        let recorded = shifts::record(store, now)?.unwrap_or(now);
        Ok((store.shifts_between(&id, from, until.min(recorded))?, recorded))
    })
    .await
}

/// Who was on call at a moment that is over, as it is stored; nobody in a schedule that is new.
pub(super) async fn on_call_at(
    app: &App,
    config: &Snapshot,
    id: &ScheduleId,
    at: Timestamp,
) -> Result<Vec<PersonId>, ApiError> {
    let range = Range { from: at, until: at.plus_ms(1) };
    let (mut stretches, recorded_until) = past(app, id, &range).await?;
    if recorded_until <= at
        && let Some(roster) = config.rosters.get(id)
    {
        stretches = roster.between(range.from, range.until);
    }
    Ok(stretches.into_iter().flat_map(|stretch| stretch.duties).map(|duty| duty.person).collect())
}

/// A schedule of the configuration in force.
pub(super) fn find<'a>(config: &'a Snapshot, id: &ScheduleId) -> Result<(&'a Schedule, &'a Roster), ApiError> {
    let schedule = config.document.schedules.iter().find(|schedule| schedule.id == *id);
    schedule.zip(config.rosters.get(id)).ok_or_else(|| ApiError::not_found("schedule"))
}

pub(super) async fn preview(
    app: web::Data<App>,
    Json(body): Json<SchedulePreview>,
) -> Result<web::Json<ScheduleRange>, ApiError> {
    let range = Range { from: body.from, until: body.until };
    range.check()?;
    let config = app.runtime.config();
    blocking(move || draft(&config, body.schedule, &range)).await?
}

/// A draft beside what is in force of the rest.
fn draft(config: &Snapshot, schedule: Schedule, range: &Range) -> Result<web::Json<ScheduleRange>, ApiError> {
    // Nothing else of the document can be at fault: it is in force.
    let mut document = Document {
        people: config.document.people.clone(),
        time_off: config.document.time_off.clone(),
        holidays: config.document.holidays.clone(),
        ..Document::default()
    };
    document.schedules.push(schedule);
    let draft = Snapshot::compile_with(config.version, document, config.copies.clone()).map_err(|findings| {
        ApiError::new(
            actix_web::http::StatusCode::UNPROCESSABLE_ENTITY,
            "config_refused",
            "This cannot be used as it is",
        )
        .findings(findings)
    })?;
    let schedule = draft.document.schedules.first().ok_or_else(ApiError::internal)?;
    let (schedule, roster) = find(&draft, &schedule.id)?;
    Ok(web::Json(look(&draft, schedule, roster, range, now(), None)))
}

/// Everything about a range; `past` is what is stored of it, and until when.
fn look(
    config: &Snapshot,
    schedule: &Schedule,
    roster: &Roster,
    range: &Range,
    now: Timestamp,
    past: Option<(Vec<Stretch>, Timestamp)>,
) -> ScheduleRange {
    let Range { from, until } = *range;
    let (mut stretches, recorded_until) = past.unwrap_or((Vec::new(), from));
    let recorded_until = recorded_until.clamp(from, until);
    history::append(&mut stretches, roster.between(recorded_until, until));
    let layer = |(layer, precedence, stretches)| LayerRange { layer, precedence, stretches };
    let touches = |span: &(Timestamp, Timestamp)| span.0 < until && from < span.1;
    let overrides = schedule.overrides.iter().zip(roster.override_spans()).filter(|(_, span)| touches(span));
    let overrides = overrides.map(|(cover, (from, until))| OverrideRange {
        id: cover.id.clone(),
        does: cover.kind,
        person: cover.person.clone(),
        replaces: cover.replaces.clone(),
        from,
        until,
        note: cover.note.clone(),
    });
    let temporary = roster.temporary_spans().filter(|(_, span)| touches(span)).map(|(place, (from, until))| {
        let note = schedule.temporary.get(place).and_then(|it| it.note.clone());
        TemporaryRange { from, until, note }
    });
    let people = stretches.iter().flat_map(|it| &it.duties).map(|duty| &duty.person).chain(schedule.people());
    ScheduleRange {
        schedule: schedule.id.clone(),
        name: schedule.name.clone(),
        time_zone: schedule.time_zone.clone(),
        from,
        until,
        recorded_until,
        layers: roster.layers_between(from, until).into_iter().map(layer).collect(),
        overrides: overrides.collect(),
        temporary: temporary.collect(),
        holidays: roster.holidays().within(from, until).map(|(from, until)| Gap { from, until }).collect(),
        gaps: gaps(&stretches),
        load: roster.load(&stretches),
        next_handoff: roster.next_handoff(now),
        clock_changes: roster.clock_changes(from, until),
        names: named_people(config, people),
        stretches,
    }
}
