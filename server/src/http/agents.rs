//! Where agents report, and where they say what they measured. The answer to a report is held until there is something
//! to ask them, or they are to measure more or less often.

use super::{
    App,
    app::{blocking, now},
    body,
    principal::bearer,
    problem::ApiError,
};
use crate::{
    hosts::{Batch, Clocked, HostFault, Hosts, Spoken},
    inventory::Held,
};
use actix_web::{HttpRequest, http::StatusCode, web};
use shared::{
    SourceId, Timestamp,
    agent::{AgentAnswer, AgentReport, BEHIND, SampleAnswer, SampleReport},
    config::SourceKind,
    host::Feed,
};
use std::{sync::Arc, time::Duration};

/// A report of as many neighbours as are taken, with room to spare.
const MOST_BYTES: usize = 1 << 20;
/// As many samples of as many series as are taken, as JSON; sent they are a tenth of it.
const MOST_SAMPLES: usize = 16 << 20;
const MOST_SAMPLES_SENT: usize = 4 << 20;

pub(super) async fn report(
    request: HttpRequest,
    payload: web::Payload,
    app: web::Data<App>,
) -> Result<web::Json<AgentAnswer>, ApiError> {
    // Who it is comes before what they say.
    let (source, only) = let_in(&request, &app).await?;
    let report: AgentReport = body::json(&request, payload, MOST_BYTES).await?;
    is_own(only.as_deref(), &report.agent)?;
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
    let held = tokio::select! {
        held = desk.hold(&name, taken.ticket, hold) => held,
        every_ms = app.hosts.pace(&name) => {
            return Ok(web::Json(AgentAnswer { every_ms: Some(every_ms), ..AgentAnswer::default() }));
        }
    };
    match held {
        Held::Probe(probe) => Ok(web::Json(AgentAnswer { probe, ..AgentAnswer::default() })),
        Held::Superseded => {
            let told =
                format!("Two agents called `{name}` report for one source; start one of them with another --name.");
            Err(another_agent(told))
        }
    }
}

fn another_agent(detail: String) -> ApiError {
    ApiError::new(StatusCode::CONFLICT, "another_agent", "Another agent reports under this name").detail(detail)
}

/// What an agent measured; it counts at once.
pub(super) async fn samples(
    request: HttpRequest,
    payload: web::Payload,
    app: web::Data<App>,
) -> Result<web::Json<SampleAnswer>, ApiError> {
    // Before anything that takes a while, such as the body: how far the agent's clock is off is told by it.
    let came_at = now();
    let (source, only) = let_in(&request, &app).await?;
    let report: SampleReport = body::inflated_json(&request, payload, MOST_SAMPLES_SENT, MOST_SAMPLES).await?;
    is_own(only.as_deref(), &report.agent)?;
    let hosts = Arc::clone(&app.hosts);
    let spoken = Spoken { source, run: report.run, every_ms: report.every_ms };
    // Hundreds of series take a part of a millisecond; what was kept for a day takes more.
    let taken = if report.samples.len() > AT_ONCE {
        blocking(move || take(&hosts, spoken, report, came_at)).await?
    } else {
        take(&hosts, spoken, report, came_at)
    };
    taken.map(web::Json).map_err(|fault| match fault {
        HostFault::Behind => {
            let title = "Too many samples of the past wait to be stored";
            ApiError::new(StatusCode::SERVICE_UNAVAILABLE, BEHIND, title).detail(fault.to_string()).retry_after(60)
        }
        HostFault::Another(_) => another_agent(fault.to_string()),
        other => ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_samples", "The samples cannot be used")
            .detail(other.to_string()),
    })
}

/// Samples that are taken where others wait for it.
const AT_ONCE: usize = 4;

/// Hands the samples over by this server's clock, and answers by the agent's.
fn take(hosts: &Hosts, spoken: Spoken, mut report: SampleReport, now: Timestamp) -> Result<SampleAnswer, HostFault> {
    hosts.may_speak(&report.agent, &spoken, now)?;
    let Clocked { ahead_ms, off_ms } = hosts.clock_off(&report.agent, report.sent_at, now)?;
    for sample in &mut report.samples {
        sample.at = sample.at.plus_ms(-off_ms);
    }
    if let Some(tables) = &mut report.tables {
        tables.at = tables.at.plus_ms(-off_ms);
    }
    let SampleReport { agent, every_ms, facts, series, samples, tables, lost, .. } = report;
    let clock_ahead_ms = Some(ahead_ms);
    let name = agent.clone();
    let batch =
        Batch { host: agent, feed: Feed::Agent, every_ms, facts, series, samples, tables, clock_ahead_ms, lost };
    let taken = hosts.take(batch, now)?;
    hosts.spoke(&name, spoken, now);
    let stored_until = taken.stored_until.map(|until| until.plus_ms(off_ms));
    Ok(SampleAnswer { every_ms: taken.every_ms, stored_until, again: taken.again, facts: taken.facts })
}

/// A token for one agent is for that one.
fn is_own(only: Option<&str>, agent: &str) -> Result<(), ApiError> {
    match only.filter(|only| *only != agent) {
        None => Ok(()),
        Some(only) => Err(ApiError::forbidden(format!(
            "This token is for the agent `{only}`; start the agent with `--name {only}`, or make it a token of its own."
        ))),
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
