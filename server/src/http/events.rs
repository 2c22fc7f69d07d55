//! Messages as they arrived, and what a body would become.

use super::{
    App,
    app::{act, blocking, now},
    body::{Json, MOST_CONFIG_BYTES, whole},
    confirm,
    principal::Principal,
    problem::ApiError,
};
use crate::{
    db::{EventQuery, Message, REPLAYED},
    entropy, ingest,
};
use actix_web::{
    HttpRequest,
    http::{StatusCode, header::CONTENT_TYPE},
    web::{self, Payload, Query},
};
use engine::{
    Snapshot,
    compile::SELF,
    normalize::{Normalized, Source, normalize, subscription},
};
use serde::Deserialize;
use shared::{
    EventId, IncidentId, IntegrationId,
    api::{EventDetail, EventRow, List, MappingPreview, MappingTrial, Preview, Receipt},
};

const PREVIEW_BYTES: usize = 1024 * 1024;

#[derive(Deserialize)]
pub(super) struct EventFilter {
    integration: Option<IntegrationId>,
    outcome: Option<String>,
    incident: Option<i64>,
    after: Option<i64>,
    limit: Option<usize>,
}

pub(super) async fn list_events(
    app: web::Data<App>,
    filter: Query<EventFilter>,
) -> Result<web::Json<List<EventRow>>, ApiError> {
    let filter = filter.into_inner();
    let query = EventQuery {
        integration: filter.integration,
        outcome: filter.outcome.filter(|outcome| !outcome.is_empty()),
        incident: filter.incident.map(IncidentId),
        before: filter.after.map(EventId),
        limit: filter.limit.unwrap_or(50),
    };
    let page = app.db(move |store| store.events(&query)).await?;
    Ok(web::Json(List { items: page.items, next: page.next.map(|id| id.to_string()) }))
}

pub(super) async fn show_event(app: web::Data<App>, id: web::Path<i64>) -> Result<web::Json<EventDetail>, ApiError> {
    let id = EventId(id.into_inner());
    let message = app.db(move |store| store.event(id)).await?.ok_or_else(|| ApiError::not_found("message"))?;
    let config = app.runtime.config();
    let asked = subscription(&message.body);
    let mut detail = blocking(move || detail(&config, message)).await?;
    if let Some(url) = asked {
        detail.subscription = Some(confirm::standing(&app, id, &url).await?);
    }
    Ok(web::Json(detail))
}

/// A stored message, read again so that the fields can be marked.
pub(super) fn detail(config: &Snapshot, message: Message) -> EventDetail {
    let integration = config.integration(&message.integration);
    let source = Source {
        integration: &integration,
        content_type: Some(message.content_type.as_str()).filter(|text| !text.is_empty()),
        format: None,
        peer: Some(message.peer.as_str()).filter(|text| !text.is_empty()),
        received_at: message.received_at,
    };
    let Normalized { text, events, .. } = normalize(&source, &message.body);
    EventDetail {
        id: message.id,
        integration: message.integration,
        received_at: message.received_at,
        peer: message.peer,
        content_type: message.content_type,
        charset: message.charset,
        size_bytes: message.body.len() as u64,
        text,
        fields: events.into_iter().flat_map(|parsed| parsed.spans).collect(),
        formats: message.formats,
        outcomes: message.outcomes,
        subscription: None,
    }
}

/// Reads a stored message again by today's settings and tells it to the engine as one that came just now, under a name of its
/// own: it is no repetition of the first. Nothing of the first changes.
pub(super) async fn replay_event(
    app: web::Data<App>,
    principal: Principal,
    id: web::Path<i64>,
) -> Result<web::Json<Receipt>, ApiError> {
    let id = EventId(id.into_inner());
    let message = app.db(move |store| store.event(id)).await?.ok_or_else(|| ApiError::not_found("message"))?;
    if message.integration.as_str() == SELF {
        let why = "It is the pager's own word on itself, which it tells again by itself when that still holds.";
        return Err(ApiError::invalid("id", why));
    }
    let key = format!("{REPLAYED}{id} {}", entropy::token(""));
    let told = app.runtime.ingest(ingest::again(&app, message, key)).await;
    let mut entry = act(&principal.record_name(), "event.replay", id.to_string(), "");
    match &told {
        Ok(receipt) => entry.detail = format!("as message {}", receipt.event),
        Err(refused) => entry.outcome = refused.to_string(),
    }
    app.db(move |store| store.audit_append(&entry)).await?;
    told.map(web::Json).map_err(|refused| {
        ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "The message was not stored")
            .detail(refused.to_string())
            .retry_after(refused.retry_after_s())
    })
}

#[derive(Deserialize)]
pub(super) struct PreviewFormat {
    format: Option<String>,
}

pub(super) async fn preview_event(
    app: web::Data<App>,
    request: HttpRequest,
    format: Query<PreviewFormat>,
    payload: Payload,
) -> Result<web::Json<Preview>, ApiError> {
    let body = whole(payload, PREVIEW_BYTES).await?;
    let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).map(ToOwned::to_owned);
    let (config, format) = (app.runtime.config(), format.into_inner().format);
    let preview = blocking(move || ingest::preview(&config, content_type.as_deref(), format.as_deref(), &body, now()));
    Ok(web::Json(preview.await?))
}

/// Reads a body, or a stored message as it arrived, with a mapping that is not in force.
pub(super) async fn preview_mapping(
    app: web::Data<App>,
    Json(trial): Json<MappingTrial, MOST_CONFIG_BYTES>,
) -> Result<web::Json<MappingPreview>, ApiError> {
    let MappingTrial { integration, mapping, body, event } = trial;
    let (sender, content_type, bytes, at) = match (body, event) {
        // Who maps something means JSON.
        (Some(body), _) => (None, Some("application/json".to_owned()), body.into_bytes(), now()),
        (None, Some(id)) => {
            let found = app.db(move |store| store.event(id)).await?.ok_or_else(|| ApiError::not_found("message"))?;
            (Some(found.integration), Some(found.content_type), found.body, found.received_at)
        }
        (None, None) => return Err(ApiError::invalid("body", "Give a `body`, or the number of an `event`.")),
    };
    let config = app.runtime.config();
    let trial = blocking(move || {
        let mut settings = config.integration(&integration.or(sender).unwrap_or_else(|| "preview".into()));
        settings.mapping = mapping.map(Box::new);
        ingest::preview_mapping(&settings, content_type.as_deref(), &bytes, at)
    });
    Ok(web::Json(trial.await?))
}
