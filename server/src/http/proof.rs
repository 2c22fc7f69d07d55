//! The proof as a file: a line a link, in the order of the chain.

use super::{App, app::now, problem::ApiError};
use crate::db::ProofSpan;
use actix_web::{
    HttpResponse,
    http::header::CONTENT_DISPOSITION,
    web::{self, Bytes, Query},
};
use futures_util::stream;
use serde::Deserialize;
use shared::{IncidentId, Timestamp, api::ProofLink};

#[derive(Deserialize)]
pub(super) struct Asked {
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    /// From its first link to its last; of what lies between only the hashes.
    incident: Option<IncidentId>,
}

/// What is still to be written.
struct Rest {
    app: web::Data<App>,
    span: Option<ProofSpan>,
    only: Option<IncidentId>,
}

pub(super) async fn export(app: web::Data<App>, asked: Query<Asked>) -> Result<HttpResponse, ApiError> {
    let Asked { from, to, incident } = asked.into_inner();
    let (from, to) = (from.unwrap_or(Timestamp::from_ms(0)), to.unwrap_or_else(|| now().plus_ms(1)));
    if to < from {
        return Err(ApiError::invalid("to", "Ask for a range that ends after it begins."));
    }
    let span = app
        .db(move |store| match incident {
            Some(incident) => store.proof_of(incident),
            None => store.proof_between(from, to),
        })
        .await?;
    let name = incident.map_or_else(|| "tocsin-proof.ndjson".to_owned(), |id| format!("tocsin-proof-{id}.ndjson"));
    // Read and sent piece by piece: it may be years.
    let lines = stream::try_unfold(Rest { app, span, only: incident }, |Rest { app, span, only }| async move {
        let Some(span) = span else { return Ok(None) };
        let (links, next) = app.db(move |store| store.proof_links(span, only)).await?;
        Ok::<_, ApiError>(Some((Bytes::from(written(&links)), Rest { app, span: next, only })))
    });
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")))
        .content_type("application/x-ndjson")
        .streaming(lines))
}

fn written(links: &[ProofLink]) -> String {
    let mut text = String::new();
    // Our own types always become JSON; a line that did not would be missed by whoever checks the chain.
    for line in links.iter().filter_map(|link| serde_json::to_string(link).ok()) {
        text.push_str(&line);
        text.push('\n');
    }
    text
}
