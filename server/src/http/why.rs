//! Why an incident paged whom, in sentences, and why it did not page everybody else.

use super::{
    App,
    app::blocking,
    incidents,
    not_paged::{self, Known},
    principal::Principal,
    problem::ApiError,
    reader,
};
use actix_web::{HttpRequest, web};
use shared::{
    IncidentId,
    api::Why,
    text::{Names, told},
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
    let documents = incidents::documents(&app, not_paged::last_asked(&timeline).map(|(_, version)| version)).await?;
    let why = blocking(move || {
        let names: Names = config.people.iter().map(|(id, person)| (id.clone(), person.name.clone())).collect();
        let (policies, documents) = (&policies, &documents);
        let known = Known { l: language, names: &names, policies, documents, config: &config };
        let not_paged = not_paged::reasons(known, &incident, &timeline);
        let decisions = timeline.iter().filter(|entry| is_decision(&entry.what));
        let decisions: Vec<TimelineEntry> = decisions.cloned().collect();
        let pieces: Vec<_> = decisions.iter().map(|entry| told(language, &names, &timeline, entry)).collect();
        let sentences = pieces.iter().map(|pieces| not_paged::whole(pieces)).collect();
        Why { incident: id, decisions, sentences, pieces, not_paged }
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
            | Happening::Unreached { .. }
            | Happening::Exhausted { .. }
            | Happening::Reminded { .. }
            | Happening::Paged { .. }
            | Happening::Throttled { .. }
            | Happening::PulledForward { .. }
            | Happening::Unproven { .. }
            | Happening::CallsStopped { .. }
            | Happening::Answered { .. }
            | Happening::AckExpired
            | Happening::SnoozeEnded
            | Happening::Escalated { .. }
            | Happening::Reassigned { .. }
            | Happening::RespondersAdded { .. }
            | Happening::PolicyApplied { .. }
    )
}
