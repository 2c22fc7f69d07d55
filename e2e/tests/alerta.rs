//! Alerta's own client, Apprise and Netdata's alarm script against the server, each by the addresses it knows.

use anyhow::{Context as _, Result, ensure};
use e2e::{environment, http::Client, tocsin::Tocsin};
use shared::{
    IncidentState, Severity,
    api::{IncidentDetail, IncidentList, IncidentRow, Role},
};
use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

struct Scene {
    server: Tocsin,
    token: String,
    viewer: Client,
    folder: tempfile::TempDir,
}

fn scene(name: &str) -> Result<Scene> {
    let mut server = Tocsin::fresh()?;
    server.start()?;
    let token = server.sender(name)?;
    let viewer = server.somebody(Role::Viewer)?;
    Ok(Scene { server, token, viewer, folder: tempfile::tempdir()? })
}

impl Scene {
    fn rows(&self) -> Result<Vec<IncidentRow>> {
        let board: IncidentList = self.viewer.read("/api/v1/incidents?state=all")?;
        // The pager's own word that nobody is configured is none of them.
        Ok(board.items.into_iter().filter(|row| row.integration.as_str() != "tocsin").collect())
    }

    fn row(&self, title: &str) -> Result<IncidentRow> {
        let rows = self.rows()?;
        let found = rows.iter().find(|row| row.title.contains(title)).cloned();
        found.with_context(|| format!("there is no `{title}` among {rows:?}"))
    }

    /// What Alerta's client prints.
    fn alerta(&self, endpoint: &str, key: Option<&str>, arguments: &[&str]) -> Result<(bool, String)> {
        let mut alerta = Command::new(beside_python("alerta")?);
        alerta.args(["--endpoint-url", endpoint]).args(arguments).stdin(Stdio::null());
        alerta.env("ALERTA_CONF_FILE", self.folder.path().join("alerta.conf")).env("HOME", self.folder.path());
        // With a terminal's name it waits for alerts on its input.
        alerta.env_remove("TERM").env_remove("PS1").env("LC_ALL", "C.UTF-8").env("NO_PROXY", "127.0.0.1");
        if let Some(key) = key {
            alerta.env("ALERTA_API_KEY", key);
        }
        let output = alerta.output()?;
        let said = [output.stdout, output.stderr].concat();
        Ok((output.status.success(), String::from_utf8_lossy(&said).into_owned()))
    }
}

pub(super) fn beside_python(program: &str) -> Result<PathBuf> {
    let found = environment::python()?.with_file_name(program);
    ensure!(found.is_file(), "there is no {}; `cargo xtask test` installs it", found.display());
    Ok(found)
}

#[test]
fn each_command_of_alertas_client_that_a_sender_needs_works() -> Result<()> {
    let scene = scene("alerta")?;
    let endpoint = scene.server.url("/alerta/api");
    let run = |arguments: &[&str]| -> Result<String> {
        let (success, said) = scene.alerta(&endpoint, Some(&scene.token), arguments)?;
        ensure!(success, "alerta {arguments:?}: {said}");
        Ok(said)
    };
    let says = |arguments: &[&str], words: &[&str]| -> Result<String> {
        let said = run(arguments)?;
        for word in words {
            ensure!(said.contains(word), "alerta {arguments:?} does not say `{word}`: {said}");
        }
        Ok(said)
    };
    let down = ["send", "-r", "db-07:mysql", "-e", "NodeDown", "-E", "Production", "-S", "Shop", "-g", "OS"];
    let more =
        ["-T", "dc=bj", "-A", "region=north", "-C", "NodeDown", "-C", "NodeUp", "-v", "100%", "--timeout", "3600"];
    let send = |severity, text| [&down[..], &more[..], &["-s", severity, "-t", text]].concat();
    says(&send("major", "it does not answer"), &["1 (indeterminate -> major)"])?;
    says(&send("major", "it does not answer"), &["1 (1 duplicates)"])?;
    says(&send("critical", "it does not answer"), &["1 (major -> critical)"])?;
    let row = scene.row("NodeDown on db-07:mysql: it does not answer")?;
    ensure!((row.severity, row.host.as_deref(), row.count) == (Severity::P1, Some("db-07"), 3), "{row:?}");

    says(&["query"], &["Production", "db-07:mysql", "NodeDown", "critical", "Shop"])?;
    says(&["query", "--filter", "severity=critical", "--full"], &["dc=bj", "status     | open", "region"])?;
    says(&["--json", "query", "-q", "resource:\"db-07:mysql\" AND status:open"], &["\"duplicateCount\": 2"])?;
    ensure!(!run(&["query", "--filter", "environment=Test"])?.contains("NodeDown"));
    ensure!(
        scene
            .alerta(&endpoint, Some(&scene.token), &["query", "-q", "severity:(a OR b)"])?
            .1
            .contains("not understood")
    );
    says(&["raw"], &["RAW DATA"])?;
    says(&["query", "--medium"], &["it does not answer"])?;

    run(&["ack", "--ids", "1", "--text", "I look"])?;
    ensure!(scene.row("NodeDown")?.state == IncidentState::Acked);
    says(&["--json", "query"], &["\"status\": \"ack\""])?;
    run(&["unack", "--filter", "resource=db-07:mysql"])?;
    ensure!(scene.row("NodeDown")?.state == IncidentState::Triggered);
    run(&["shelve", "--ids", "1", "--timeout", "600"])?;
    ensure!(scene.row("NodeDown")?.state == IncidentState::Snoozed);
    run(&["unshelve", "--ids", "1"])?;
    run(&["action", "--action", "ack", "--ids", "1"])?;
    ensure!(scene.row("NodeDown")?.state == IncidentState::Acked);
    run(&["note", "--alert-ids", "1", "--text", "the disk is new"])?;
    run(&["tag", "--ids", "1", "--tag", "owner=dba"])?;
    run(&["update", "--ids", "1", "-A", "ticket=17"])?;
    let incident: IncidentDetail = scene.viewer.read("/api/v1/incidents/1")?;
    let told = serde_json::to_string(&incident)?;
    for word in ["I look", "the disk is new", "\"owner\":\"dba\"", "\"ticket\":\"17\""] {
        ensure!(told.contains(word), "{word} is not in {told}");
    }

    // Another event that the open alert names is its recovery.
    says(
        &["send", "-r", "db-07:mysql", "-e", "NodeUp", "-E", "Production", "-s", "normal"],
        &["1 (critical -> normal)"],
    )?;
    ensure!(scene.row("NodeDown")?.state == IncidentState::Resolved);
    says(&["send", "-r", "db-07:mysql", "-e", "NodeUp", "-E", "Production", "-s", "ok"], &["nothing is open"])?;
    says(&send("minor", "again"), &["indeterminate -> minor"])?;
    run(&["close", "--filter", "event=NodeDown", "--text", "done"])?;
    ensure!(scene.rows()?.iter().all(|row| row.state == IncidentState::Resolved), "{:?}", scene.rows()?);

    says(&["heartbeat", "--origin", "backup/db-07", "--timeout", "300", "-E", "Production"], &["backup/db-07"])?;
    ensure!(scene.rows()?.len() == 2, "a heartbeat pages nobody: {:?}", scene.rows()?);
    says(&["uptime"], &["up 0 days"])?;
    says(&["version"], &["alerta client 8.5.3"])?;
    says(&["config"], &["alarm_model"])?;
    Ok(())
}

#[test]
fn what_alertas_client_may_not_do_is_said_to_it_and_the_token_may_stand_in_the_address() -> Result<()> {
    let scene = scene("alerta")?;
    let endpoint = scene.server.url("/alerta/api");
    // For what sends no key.
    let in_path = scene.server.url(&format!("/alerta/{}", scene.token));
    let (success, said) = scene.alerta(&in_path, None, &["send", "-r", "web-01", "-e", "Slow", "-s", "warning"])?;
    ensure!(success && said.contains("indeterminate -> warning"), "{said}");
    let other = scene.server.sender("other")?;
    for (key, arguments, words) in [
        (scene.token.as_str(), &["history"][..], "is not done here"),
        (&scene.token, &["query", "-q", "severity:(a OR b)"], "is not understood"),
        (&scene.token, &["blackout", "-E", "Production"], "is not done here"),
        (&scene.token, &["send", "-r", "db-07"], "Missing mandatory value"),
        ("nobody", &["send", "-r", "db-07", "-e", "x"], "API key parameter is invalid"),
    ] {
        let (success, said) = scene.alerta(&endpoint, Some(key), arguments)?;
        ensure!(!success && said.contains(words), "alerta {arguments:?}: {said}");
    }
    ensure!(!scene.alerta(&endpoint, Some(&other), &["query"])?.1.contains("web-01"));
    ensure!(scene.alerta(&endpoint, Some(&scene.token), &["query"])?.1.contains("web-01"));
    Ok(())
}

#[test]
fn apprise_reaches_us_by_each_address_that_can_be_pointed_here() -> Result<()> {
    let scene = scene("apprise")?;
    let (at, token) = (scene.server.address(), &scene.token);
    let send = |url: &str, kind: &str, title: &str| -> Result<()> {
        let output = Command::new(beside_python("apprise")?)
            .args(["--notification-type", kind, "--title", title, "--body", "it is 95% full", url])
            .env("HOME", scene.folder.path())
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::null())
            .output()?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.success(), "apprise to {url}: {}{said}", String::from_utf8_lossy(&output.stdout));
        Ok(())
    };
    for (url, title, severity) in [
        (format!("json://{at}/ingest/{token}"), "db-07 disk by JSON", Severity::P2),
        (format!("form://{at}/ingest/{token}"), "db-07 disk by form", Severity::P2),
        (format!("gotify://{at}/{token}?priority=high"), "db-07 disk by Gotify", Severity::P1),
        (format!("mmost://{at}/{token}"), "[P0] db-07 disk by Mattermost", Severity::P0),
    ] {
        send(&url, "failure", title)?;
        let row = scene.row(title.trim_start_matches("[P0] "))?;
        ensure!((row.severity, row.state) == (severity, IncidentState::Triggered), "{row:?}");
    }
    for way in ["json", "form"] {
        let title = format!("db-07 disk by {}", if way == "json" { "JSON" } else { "form" });
        send(&format!("{way}://{at}/ingest/{token}"), "success", &title)?;
        ensure!(scene.row(&title)?.state == IncidentState::Resolved, "{:?}", scene.row(&title)?);
    }
    Ok(())
}

/// Netdata's script as its daemon calls it.
fn alarm_notify(config: &Path, status: &str, before: &str, value: &str) -> Result<String> {
    let output = alarm_script(config, ["db-07", status, before, value])?.output()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success() && !said.contains("ERROR"), "alarm-notify.sh: {said}");
    Ok(said)
}

/// The call of that script: for which host, its state now and before, and the value.
pub(super) fn alarm_script(config: &Path, [host, status, before, value]: [&str; 4]) -> Result<Command> {
    const SCRIPT: &str = "usr/lib/netdata/plugins.d/alarm-notify.sh";
    let places = environment::lab().into_iter().chain([PathBuf::from("/")]).map(|root| root.join(SCRIPT));
    let script = places.into_iter().find(|file| file.is_file());
    let script = script.context("Netdata's alarm-notify.sh is missing; `cargo xtask test` unpacks it")?;
    let (shown, when) = (format!("{value}%"), (e2e::wait::now_ms() / 1_000).to_string());
    let arguments = [
        "sysadmin",
        host,
        "1001",
        "12",
        "3",
        &when,
        "10min_cpu_usage",
        "system.cpu",
        "cpu",
        status,
        before,
        value,
        "80",
        "10@cpu.conf",
        "60",
        "120",
        "%",
        "average CPU utilization",
        &shown,
        "80%",
        "expression",
        "values",
        "0",
        "1",
    ];
    let mut bash = Command::new("bash");
    bash.arg(script)
        .args(arguments)
        .env("NETDATA_USER_CONFIG_DIR", config)
        .env("NETDATA_STOCK_CONFIG_DIR", config.join("none"))
        .env("NETDATA_CACHE_DIR", config)
        .env("NO_PROXY", "127.0.0.1");
    Ok(bash)
}

#[test]
fn netdata_pages_and_recovers_as_alerta_slack_gotify_and_opsgenie() -> Result<()> {
    let scene = scene("first")?;
    let tokens = ["alerta", "slack", "gotify", "opsgenie"].map(|name| scene.server.sender(name));
    let [alerta, slack, gotify, opsgenie] = tokens;
    let url = |path: &str| scene.server.url(path);
    let config = format!(
        "SEND_EMAIL=NO\nSEND_SYSLOG=NO\n\
         SEND_ALERTA=YES\nALERTA_WEBHOOK_URL={}\nALERTA_API_KEY={}\nDEFAULT_RECIPIENT_ALERTA=Production\n\
         SEND_SLACK=YES\nSLACK_WEBHOOK_URL={}\nDEFAULT_RECIPIENT_SLACK='#alarms'\n\
         SEND_GOTIFY=YES\nGOTIFY_APP_URL={}\nGOTIFY_APP_TOKEN={}\n\
         SEND_OPSGENIE=YES\nOPSGENIE_API_URL={}\nOPSGENIE_API_KEY={}\n",
        url("/alerta"),
        alerta?,
        url(&format!("/slack/{}", slack?)),
        url(""),
        gotify?,
        url(""),
        opsgenie?,
    );
    std::fs::write(scene.folder.path().join("health_alarm_notify.conf"), config)?;
    for (status, before, value, severity) in
        [("WARNING", "CLEAR", "85", Severity::P3), ("CRITICAL", "WARNING", "95", Severity::P1)]
    {
        let said = alarm_notify(scene.folder.path(), status, before, value)?;
        for way in ["alerta", "slack", "gotify", "opsgenie"] {
            ensure!(said.contains(&format!("sent {way} notification")), "{way}: {said}");
        }
        let rows = scene.rows()?;
        let is_right = |row: &IncidentRow| row.host.as_deref() == Some("db-07") && row.severity == severity;
        ensure!(rows.len() == 4 && rows.iter().all(is_right), "{status}: {rows:#?}");
    }
    alarm_notify(scene.folder.path(), "CLEAR", "CRITICAL", "20")?;
    let rows = scene.rows()?;
    ensure!(rows.len() == 4 && rows.iter().all(|row| row.state == IncidentState::Resolved), "{rows:#?}");
    Ok(())
}
