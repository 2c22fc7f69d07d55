//! Where agents report. The answer is held until there is something to ask them.

use super::{
    App,
    app::{blocking, now},
    body,
    principal::bearer,
    problem::ApiError,
};
use crate::inventory::Held;
use actix_web::{HttpRequest, http::StatusCode, web};
use shared::{
    SourceId,
    agent::{AgentAnswer, AgentReport},
    config::SourceKind,
};
use std::{sync::Arc, time::Duration};

/// A report of as many neighbours as are taken, with room to spare.
const MOST_BYTES: usize = 1 << 20;

pub(super) async fn report(
    request: HttpRequest,
    payload: web::Payload,
    app: web::Data<App>,
) -> Result<web::Json<AgentAnswer>, ApiError> {
    // Who it is comes before what they say.
    let (source, only) = let_in(&request, &app).await?;
    let report: AgentReport = body::json(&request, payload, MOST_BYTES).await?;
    if let Some(only) = only.filter(|only| *only != report.agent) {
        return Err(ApiError::forbidden(format!(
            "This token is for the agent `{only}`; start the agent with `--name {only}`, or make it a token of its own."
        )));
    }
    let (name, hold) = (report.agent.clone(), Duration::from_millis(report.hold_ms));
    let inventory = Arc::clone(&app.inventory);
    let taken =
        blocking(move || inventory.report(&source, report, now()).map(|taken| (taken, inventory.desk(&source))));
    let (taken, desk) = taken.await?.map_err(|fault| {
        ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_report", "The report cannot be used")
            .detail(fault.to_string())
    })?;
    if taken.whole {
        return Ok(web::Json(AgentAnswer { whole: true, ..AgentAnswer::default() }));
    }
    match desk.hold(&name, taken.ticket, hold).await {
        Held::Probe(probe) => Ok(web::Json(AgentAnswer { probe, ..AgentAnswer::default() })),
        Held::Superseded => {
            Err(ApiError::new(StatusCode::CONFLICT, "another_agent", "Another agent reports under this name").detail(
                format!("Two agents called `{name}` report for one source; start one of them with another --name."),
            ))
        }
    }
}

/// The source that a token is for, and the agent if it is for one alone.
async fn let_in(request: &HttpRequest, app: &App) -> Result<(SourceId, Option<String>), ApiError> {
    let token = bearer(request).unwrap_or_default();
    let Some(named) = app.keyring.find_agent(token, &app.readers).await else {
        return Err(ApiError::new(StatusCode::UNAUTHORIZED, "unknown_token", "There is no such token of an agent")
            .detail("Make one with `tocsin token create --kind agent --name SOURCE/AGENT`."));
    };
    let (source, only) = match named.split_once('/') {
        Some((source, agent)) => (source, Some(agent.to_owned())),
        None => (named.as_str(), None),
    };
    let config = app.runtime.config();
    let found = config.document.sources.iter().find(|it| it.id.as_str() == source && it.kind == SourceKind::Agents);
    match found {
        Some(it) if it.paused => {
            Err(ApiError::new(StatusCode::CONFLICT, "source_paused", "The source is paused in the configuration")
                .detail(format!("Reports for `{source}` are taken again when it is not.")))
        }
        Some(it) => Ok((it.id.clone(), only)),
        None => Err(ApiError::new(StatusCode::CONFLICT, "no_such_source", "The configuration has no such source")
            .detail(format!(
                "This token is for `{source}`; add [[sources]] with id = \"{source}\" and kind = \"agents\"."
            ))),
    }
}
