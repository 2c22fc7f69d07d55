//! Overrides made and taken back by people, each as an edit of the one configuration document.

use super::{
    App,
    app::{act, now},
    body::Json,
    config,
    principal::Principal,
    problem::ApiError,
    schedules,
};
use crate::config::{EditError, add_overrides, remove_override};
use actix_web::{HttpResponse, http::StatusCode, web};
use engine::oncall::write;
use shared::{
    ScheduleId,
    api::{NewOverride, OverrideMade},
    config::{Document, Override},
};

/// Somebody else may be faster this often.
const TRIES: u32 = 3;

pub(super) async fn make_override(
    app: web::Data<App>,
    principal: Principal,
    id: web::Path<String>,
    Json(body): Json<NewOverride>,
) -> Result<HttpResponse, ApiError> {
    let schedule = ScheduleId::from(id.into_inner());
    let cover = {
        let config = app.runtime.config();
        let (_, roster) = schedules::find(&config, &schedule)?;
        let from = body.from.max(now());
        if body.until <= from {
            return Err(ApiError::invalid(
                "until",
                "Let it end after it begins, and later than now: the past stays as it was.",
            ));
        }
        for (field, person) in [("person", Some(&body.person)), ("replaces", body.replaces.as_ref())] {
            if person.is_some_and(|person| !config.people.contains_key(person)) {
                return Err(ApiError::invalid(field, "There is no such person."));
            }
        }
        Override {
            kind: body.does,
            from: write(roster.zone(), from, false),
            until: write(roster.zone(), body.until, true),
            person: body.person,
            replaces: body.replaces,
            note: body.note.map(|note| note.trim().to_owned()).filter(|note| !note.is_empty()),
            ..Override::default()
        }
    };
    let made = add(&app, &principal, "override.create", &schedule, vec![cover]).await?;
    let id = made.into_iter().next().ok_or_else(ApiError::internal)?;
    Ok(HttpResponse::Created().json(OverrideMade { id }))
}

/// Adds overrides to a schedule, and gives the names they got.
pub(super) async fn add(
    app: &App,
    principal: &Principal,
    action: &str,
    schedule: &ScheduleId,
    covers: Vec<Override>,
) -> Result<Vec<String>, ApiError> {
    edit(app, principal, action, schedule.as_str(), |text, _, version| {
        let name = |i| if i == 0 { format!("o{}", version + 1) } else { format!("o{}-{}", version + 1, i + 1) };
        let names: Vec<String> = (0..covers.len()).map(name).collect();
        let by = Some(principal.record_name());
        let named = covers.iter().zip(&names);
        let named = named.map(|(cover, id)| Override { id: Some(id.clone()), by: by.clone(), ..cover.clone() });
        Ok((add_overrides(text, schedule, &named.collect::<Vec<_>>())?, names))
    })
    .await
}

pub(super) async fn drop_override(
    app: web::Data<App>,
    principal: Principal,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    let (schedule, id) = path.into_inner();
    let schedule = ScheduleId::from(schedule);
    let object = format!("{schedule}/{id}");
    edit(&app, &principal, "override.delete", &object, |text, document, _| {
        let found = document.schedules.iter().find(|it| it.id == schedule);
        let has = found.is_some_and(|it| it.overrides.iter().any(|cover| cover.id.as_deref() == Some(id.as_str())));
        if !has {
            return Err(ApiError::not_found("override"));
        }
        Ok((remove_override(text, &schedule, &id)?, ()))
    })
    .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Changes the stored configuration; tried again when somebody else was faster with something else.
pub(super) async fn edit<T>(
    app: &App,
    principal: &Principal,
    action: &str,
    object: &str,
    change: impl Fn(&str, &Document, i64) -> Result<(String, T), ApiError>,
) -> Result<T, ApiError> {
    for _ in 0..TRIES {
        let (version, text, document) = config::stored(app).await?;
        let (text, made) = change(&text, &document, version)?;
        let entry = act(&principal.record_name(), action, object, "");
        match config::put(app, entry, text, version).await {
            Ok(_) => return Ok(made),
            Err(error) if error.code() == "version_conflict" => {}
            Err(error) => return Err(error),
        }
    }
    Err(ApiError::unavailable())
}

impl From<EditError> for ApiError {
    fn from(error: EditError) -> Self {
        Self::new(StatusCode::CONFLICT, "not_changed", "The configuration cannot be changed").detail(error.to_string())
    }
}
