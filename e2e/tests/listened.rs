//! The forward protocol and mail, as their real clients speak them.

use anyhow::{Context as _, Result, ensure};
use e2e::{environment, hook::HookSink, running::Running, senders, tocsin::Tocsin, wait};
use serde_json::{Value, json};
use shared::{
    IncidentState, Severity,
    api::{EventRow, IncidentList, IncidentRow, List, Role},
};
use std::{
    fs,
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

const PATIENCE: Duration = Duration::from_secs(60);

fn free() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

fn listens(address: SocketAddr) -> Result<()> {
    // A connection to a free port can come out at that port itself, and is then one with nobody.
    let is_other = |stream: &TcpStream| stream.local_addr().is_ok_and(|own| own != address);
    let connect = || TcpStream::connect(address).ok().filter(is_other);
    wait::until(&format!("something to listen at {address}"), PATIENCE, connect).map(drop)
}

/// Runs a script of the folder of libraries; gives what it printed.
fn run(script: &str, arguments: &[&str]) -> Result<Value> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (program, folder) = if script.ends_with(".mjs") {
        ("node".into(), here.join("browser"))
    } else {
        (environment::python()?, here.to_path_buf())
    };
    let mut command = Command::new(program);
    let output = command.arg(here.join("tests/libraries").join(script)).args(arguments).current_dir(folder).output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stdout));
    if output.stdout.is_empty() { Ok(Value::Null) } else { Ok(serde_json::from_slice(&output.stdout)?) }
}

/// The incident of a machine, once it is there.
fn row(server: &Tocsin, host: &str) -> Result<IncidentRow> {
    let viewer = server.somebody(Role::Viewer)?;
    wait::attempt(&format!("an incident of {host}"), PATIENCE, || {
        let rows = viewer.read::<IncidentList>("/api/v1/incidents?state=all&limit=200")?.items;
        Ok(rows.into_iter().find(|row| row.host.as_deref() == Some(host)))
    })
    .with_context(|| server.log())
}

fn messages(server: &Tocsin, integration: &str) -> Result<Vec<EventRow>> {
    let viewer = server.somebody(Role::Viewer)?;
    Ok(viewer.read::<List<EventRow>>(&format!("/api/v1/events?integration={integration}&limit=200"))?.items)
}

#[test]
fn loggers_forward_in_every_mode_and_are_told_what_is_stored() -> Result<()> {
    let (open, keyed) = (free()?, free()?);
    let hook = HookSink::start()?;
    let mut server = Tocsin::fresh()?;
    server.apply(&format!(
        "{}[[integrations]]\nid = \"apps\"\n[integrations.forward]\nlisten = \"{open}\"\nfrom = [\"127.0.0.1\"]\n\
         events = [{{ match = [\"severity_word=fatal\"] }}]\n\
         [[integrations]]\nid = \"keyed\"\n[integrations.forward]\nlisten = \"{keyed}\"\nshared_key = \"open sesame\"\n",
        hook.people(&["wang"])
    ))?;
    server.start()?;
    listens(open)?;
    listens(keyed)?;
    let said = run("fluent_client.py", &["127.0.0.1", &open.port().to_string()])?;
    ensure!(said["sent"] == 6, "{said}");
    for host in ["python-false", "python-true"] {
        let found = row(&server, host)?;
        ensure!(found.severity == Severity::P1 && &*found.title == "磁盘满了", "{found:?}");
        let found = row(&server, &format!("{host}-rule"))?;
        ensure!(found.severity == Severity::P0 && &*found.title == "out of memory", "{found:?}");
    }
    ensure!(messages(&server, "apps")?.len() == 4, "{:?}", messages(&server, "apps")?);
    let version = said["version"].as_str().unwrap_or_default();
    senders::worked("fluent-logger (Python)", version, "6 records", "the lines and those of a rule paged")?;

    let said = run("fluent_client.mjs", &["127.0.0.1", &keyed.port().to_string(), "open sesame"])?;
    let modes = ["Message", "Forward", "PackedForward", "CompressedPackedForward"];
    ensure!(said["acknowledged"] == json!(modes), "{said}");
    ensure!(said["refused"].as_str().is_some_and(|it| !it.is_empty()), "{said}");
    // They were acknowledged: nothing is waited for.
    ensure!(messages(&server, "keyed")?.len() == 4, "{:?}", messages(&server, "keyed")?);
    for mode in modes {
        ensure!(row(&server, &format!("node-{mode}"))?.severity == Severity::P1);
    }
    let version = said["version"].as_str().unwrap_or_default();
    senders::worked(
        "@fluent-org/logger (npm)",
        version,
        "four modes with acks and a key",
        "each acknowledged, and paged",
    )?;
    Ok(())
}

/// A server that takes mail, and offers STARTTLS.
fn mailed() -> Result<(Tocsin, SocketAddr, String)> {
    let address = free()?;
    let mut server = Tocsin::fresh()?;
    let file = |name: &str| server.folder().join(name).display().to_string();
    let (certificate, key) = (file("mail.pem"), file("mail.key"));
    run("smtp_client.py", &["certificate", &certificate, &key])?;
    server.apply(&format!(
        "[mail]\nlisten = \"{address}\"\ndomains = [\"alerts.example\"]\n\
         [mail.tls]\ncertificate_file = \"{certificate}\"\nkey_file = \"{key}\"\n"
    ))?;
    server.start()?;
    listens(address)?;
    Ok((server, address, certificate))
}

#[test]
fn pythons_smtplib_mails_in_the_clear_and_encrypted() -> Result<()> {
    let (server, address, certificate) = mailed()?;
    let token = server.sender("mails")?;
    let said = run("smtp_client.py", &[&address.port().to_string(), &token, &certificate])?;
    ensure!(said["codes"] == json!([550, 550, 552]), "{said}");
    let found = row(&server, "smtp-gbk")?;
    ensure!(found.severity == Severity::P0 && &*found.title == "主机宕机", "{found:?}");
    ensure!(row(&server, "smtp-body")?.severity == Severity::P2);
    let found = row(&server, "smtp-html")?;
    ensure!(found.severity == Severity::P1 && found.state == IncidentState::Resolved, "{found:?}");
    ensure!(messages(&server, "mails")?.len() == 3, "{:?}", messages(&server, "mails")?);
    let version = said["version"].as_str().unwrap_or_default();
    let calls = format!("4 mails, two by {}", said["cipher"].as_str().unwrap_or_default());
    senders::worked("smtplib (Python)", version, &calls, "paged and resolved; strangers refused")
}

#[test]
fn alertmanagers_mails_open_and_close_an_incident() -> Result<()> {
    let (server, address, _) = mailed()?;
    let token = server.sender("alertmanager")?;
    let program = environment::program("prometheus-alertmanager").context("there is no prometheus-alertmanager")?;
    let version = senders::version(Command::new(&program).arg("--version"))?;
    let listen = free()?;
    let config = server.folder().join("alertmanager.yml");
    fs::write(
        &config,
        format!(
            "global:\n  resolve_timeout: 1m\nroute:\n  receiver: mail\n  group_by: [alertname]\n  group_wait: 1s\n  group_interval: 1s\n\
             receivers:\n  - name: mail\n    email_configs:\n      - to: 'ops+{token}@alerts.example'\n        from: am@mon\n\
             \x20       smarthost: {address}\n        require_tls: false\n        send_resolved: true\n"
        ),
    )?;
    let log = fs::File::create(server.folder().join("alertmanager.log"))?;
    let mut command = Command::new(program);
    command
        .arg(format!("--config.file={}", config.display()))
        .arg(format!("--storage.path={}", server.folder().join("am").display()))
        .arg(format!("--web.listen-address={listen}"))
        .arg("--cluster.listen-address=")
        .stdout(Stdio::null())
        .stderr(log);
    let _running = Running(command.spawn()?);
    listens(listen)?;
    let client = e2e::http::Client::new(listen);
    let tell = |ends: &str| {
        let alert = json!([{ "labels": { "alertname": "HostDown", "instance": "am-mail:9100", "severity": "critical" },
                             "annotations": { "summary": "it is down" },
                             "startsAt": "2026-01-01T00:00:00Z", "endsAt": ends }]);
        client
            .post("/api/v2/alerts", &[("content-type", "application/json")], alert.to_string().as_bytes())?
            .is(200)
            .map(drop)
    };
    tell("2099-01-01T00:00:00Z")?;
    let found = row(&server, "am-mail")
        .with_context(|| fs::read_to_string(server.folder().join("alertmanager.log")).unwrap_or_default())?;
    ensure!(found.severity == Severity::P1, "{found:?}");
    tell("2026-01-02T00:00:00Z")?;
    wait::attempt("it to recover", PATIENCE, || {
        Ok((row(&server, "am-mail")?.state == IncidentState::Resolved).then_some(()))
    })?;
    senders::worked("Alertmanager (email)", &version, "one alert, firing and resolved", "paged, then resolved")
}
