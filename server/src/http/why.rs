//! Why an incident paged whom, in sentences, and why it did not page everybody else.

use super::{App, app::blocking, incidents, not_paged, principal::Principal, problem::ApiError, reader};
use actix_web::{HttpRequest, web};
use shared::{
    IncidentId,
    api::Why,
    text::{Names, happening},
    timeline::{Happening, TimelineEntry},
};

pub(super) async fn explain(
    app: web::Data<App>,
    request: HttpRequest,
    principal: Principal,
    id: web::Path<i64>,
) -> Result<web::Json<Why>, ApiError> {
    let id = IncidentId(id.into_inner());
    let language = reader::of(&app, &principal, &request);
    let incident = incidents::find(&app, id).await?;
    let timeline = app.db(move |store| store.timeline(id)).await?;
    let config = app.runtime.config();
    let policies = incidents::policies(&app, [&incident]).await?;
    let why = blocking(move || {
        let not_paged = not_paged::reasons(language, &incident, &timeline, &policies, &config);
        let decisions: Vec<TimelineEntry> = timeline.into_iter().filter(|entry| is_decision(&entry.what)).collect();
        let names: Names = config.people.iter().map(|(id, person)| (id.clone(), person.name.clone())).collect();
        let sentences = decisions.iter().map(|entry| happening(language, &names, &entry.what)).collect();
        Why { incident: id, decisions, sentences, not_paged }
    });
    Ok(web::Json(why.await?))
}

/// What decided who was paged; deliveries and people's own acts are on the timeline.
const fn is_decision(what: &Happening) -> bool {
    matches!(
        what,
        Happening::Opened { .. }
            | Happening::Routed { .. }
            | Happening::SeverityChanged { .. }
            | Happening::LevelRan { .. }
            | Happening::LevelEmpty { .. }
            | Happening::LevelSkipped { .. }
            | Happening::LevelFailed { .. }
            | Happening::NobodyReached { .. }
            | Happening::Exhausted { .. }
            | Happening::Reminded { .. }
            | Happening::Paged { .. }
            | Happening::Throttled { .. }
            | Happening::PulledForward { .. }
            | Happening::Answered { .. }
            | Happening::AckExpired
            | Happening::SnoozeEnded
            | Happening::Escalated { .. }
            | Happening::Reassigned { .. }
            | Happening::RespondersAdded { .. }
            | Happening::PolicyApplied { .. }
    )
}
