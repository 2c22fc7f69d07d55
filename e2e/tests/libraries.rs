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
fn run(script: &str, base: &str, token: &str, front: Option<&Front>) -> Result<Value> {
    run_with(script, &[base, token], front)
}

fn run_with(script: &str, arguments: &[&str], front: Option<&Front>) -> Result<Value> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    // What npm installed stands where the browser's tests are.
    let (program, folder) = if script.ends_with(".mjs") {
        ("node".into(), here.join("browser"))
    } else {
        (environment::python()?, here.to_path_buf())
    };
    let mut command = Command::new(program);
    command.arg(here.join("tests/libraries").join(script)).args(arguments).current_dir(folder);
    if let Some(front) = front {
        for name in ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"] {
            command.env(name, front.authority());
        }
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
    for (script, name, host, severity) in [
        ("pagerduty_client.py", "pagerduty", "db-07", Severity::P1),
        ("pdpyras_client.py", "pdpyras", "db-08", Severity::P2),
        ("pdjs_client.mjs", "@pagerduty/pdjs", "db-06", Severity::P2),
    ] {
        let said = run(script, &base, &token, Some(&front))?;
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
        ensure!(said["refused"].as_str().is_none_or(|it| it.contains("Event object is invalid")), "{said}");
        let version = said["version"].as_str().unwrap_or_default();
        senders::worked(name, version, "trigger, acknowledge, resolve, change", "paged, answered, resolved")?;
    }
    let said = run("pagerduty_client.py", &base, &token, Some(&front))?;
    ensure!(said["refused"].as_str().is_some_and(|it| it.contains("Event object is invalid")), "{said}");
    Ok(())
}

#[test]
fn the_libraries_of_opsgenie_make_each_call_and_each_is_done_when_they_ask() -> Result<()> {
    let mut server = Tocsin::fresh()?;
    server.start()?;
    let said = run("opsgenie_client.py", &server.url(""), &server.sender("opsgenie")?, None)?;
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
    let said = run("opsgenie_client.mjs", &server.url(""), &server.sender("opsgenie-js")?, None)?;
    ensure!(said["calls"].as_array().is_some_and(|calls| calls.len() == 14), "{said}");
    ensure!(
        said["alias"] == json!(["db-05:disk"]) && said["refused"] == 422 && said["snoozed"] == json!(true),
        "{said}"
    );
    ensure!(said["tags"] == json!(["env:prod", "dc:bj-1"]) && said["details"]["row"] == "7", "{said}");
    ensure!(said["details"].get("rack").is_none(), "{said}");
    let found = incident(&server, "db-05")?;
    ensure!(found.incident.state == IncidentState::Resolved, "{:?}", found.incident);
    let version = said["version"].as_str().unwrap_or_default();
    senders::worked("opsgenie-sdk (npm)", version, "14 changes, 16 questions", "each done when asked")?;
    Ok(())
}

#[test]
fn what_the_library_of_standard_webhooks_signs_is_taken_once_and_nothing_else() -> Result<()> {
    let mut server = Tocsin::fresh()?;
    server.start()?;
    let [secret, next] =
        ["whsec_dGhlIGZpcnN0IHNlY3JldCBvZiBhIHNlbmRlcg==", "whsec_YW5kIHRoZSBuZXh0IG9uZSBvZiBpdCwgc29vbg=="];
    server.apply(&format!(
        "fallback = [\"person:li\"]\n[[people]]\nid = \"li\"\nname = \"Li\"\n\
         contacts = [{{ id = \"hook\", webhook = \"https://bot.invalid/x\" }}]\n\
         [[integrations]]\nid = \"signed\"\n\
         signature = {{ kind = \"standard_webhooks\", secret = \"{secret}\", next_secret = \"{next}\" }}\n"
    ))?;
    let base = server.url("");
    let token = server.sender("signed")?;
    let said = run_with("standardwebhooks_client.py", &[base.trim_end_matches('/'), &token, secret, next], None)?;
    let refused = json!([401, "bad_signature"]);
    for name in ["old", "early", "changed", "stranger"] {
        ensure!(said[name] == refused, "{name}: {said}");
    }
    ensure!(said["right"][0] == 200 && said["right"] == said["again"], "{said}");
    ensure!(said["next"][0] == 200 && said["next"] != said["right"] && said["over"][0] == 200, "{said}");
    let found = incident(&server, "db-11")?;
    ensure!((found.incident.state, found.alerts[0].count) == (IncidentState::Resolved, 2), "{:?}", found.incident);
    let version = said["version"].as_str().unwrap_or_default();
    senders::worked(
        "standardwebhooks (Python)",
        version,
        "signed, again, next secret",
        "taken once; 4 forgeries refused",
    )?;
    Ok(())
}
