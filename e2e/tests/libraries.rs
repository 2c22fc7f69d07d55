//! The libraries with which programs speak to PagerDuty and to Opsgenie, as they are published, told another address.

use anyhow::{Result, ensure};
use e2e::{environment, front::Front, senders, tocsin::Tocsin};
use serde_json::{Value, json};
use shared::{
    IncidentState, Severity,
    api::{IncidentDetail, IncidentList, Role},
};
use std::{path::Path, process::Command};

/// Runs a script of this folder with an address and a token; gives what it printed.
fn python(script: &str, base: &str, token: &str, front: Option<&Front>) -> Result<Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/libraries").join(script);
    let mut command = Command::new(environment::python()?);
    command.arg(script).args([base, token]);
    if let Some(front) = front {
        command.env("SSL_CERT_FILE", front.authority()).env("REQUESTS_CA_BUNDLE", front.authority());
    }
    let output = command.output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stdout));
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// How the incident of a machine stands, which must be the only one.
fn incident(server: &Tocsin, host: &str) -> Result<IncidentDetail> {
    let viewer = server.somebody(Role::Viewer)?;
    let board: IncidentList = viewer.read("/api/v1/incidents?state=open,resolved")?;
    let rows: Vec<_> = board.items.iter().filter(|row| row.host.as_deref() == Some(host)).collect();
    ensure!(rows.len() == 1, "{rows:?}");
    viewer.read(&format!("/api/v1/incidents/{}", rows[0].id))
}

#[test]
fn the_libraries_of_pagerduty_open_answer_and_close_an_alert_and_tell_changes() -> Result<()> {
    let mut server = Tocsin::fresh()?;
    server.start()?;
    let token = server.sender("pagerduty")?;
    // They speak to nobody without TLS.
    let front = Front::start(server.address())?;
    let base = format!("https://{}", front.host());
    for (script, host, severity) in
        [("pagerduty_client.py", "db-07", Severity::P1), ("pdpyras_client.py", "db-08", Severity::P2)]
    {
        let said = python(script, &base, &token, Some(&front))?;
        let found = incident(&server, host)?;
        ensure!(
            (found.incident.state, found.incident.severity) == (IncidentState::Resolved, severity),
            "{script}: {:?}",
            found.incident
        );
        ensure!(*found.alerts[0].event.dedup_key == *said["key"].as_str().unwrap_or_default(), "{said}");
        let timeline = serde_json::to_value(&found.timeline)?;
        let is_answer = |it: &Value| it["what"]["kind"] == "acked" && it["actor"]["kind"] == "integration";
        ensure!(timeline.as_array().into_iter().flatten().any(is_answer), "{script}: {timeline:#}");
        let (name, version) = (script.trim_end_matches("_client.py"), said["version"].as_str().unwrap_or_default());
        senders::worked(name, version, "trigger, acknowledge, resolve, change", "paged, answered, resolved")?;
    }
    let said = python("pagerduty_client.py", &base, &token, Some(&front))?;
    ensure!(said["refused"].as_str().is_some_and(|it| it.contains("Event object is invalid")), "{said}");
    Ok(())
}

#[test]
fn the_library_of_opsgenie_makes_each_call_and_each_is_done_when_it_asks() -> Result<()> {
    let mut server = Tocsin::fresh()?;
    server.start()?;
    let said = python("opsgenie_client.py", &server.url(""), &server.sender("opsgenie")?, None)?;
    ensure!(said["calls"].as_array().is_some_and(|calls| calls.len() == 15), "{said}");
    ensure!(said["alias"] == json!(["db-09/磁盘"]) && said["refused"] == 422, "{said}");
    ensure!(
        said["message"] == "disk is full, 0 bytes" && said["priority"] == "P2" && said["status"] == "open",
        "{said}"
    );
    let found = incident(&server, "db-09")?;
    ensure!(found.incident.state == IncidentState::Resolved, "{:?}", found.incident);
    ensure!(found.incident.ip.as_deref() == Some("10.8.3.29"), "{:?}", found.incident);
    let version = said["version"].as_str().unwrap_or_default();
    senders::worked("opsgenie-sdk (Python)", version, "15 changes, 18 questions", "each done when asked")?;
    Ok(())
}
