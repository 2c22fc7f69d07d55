//! Heartbeats with the clients that send them: curl as in a crontab, and a real Alertmanager with its Watchdog.

use anyhow::{Context as _, Result, ensure};
use e2e::{environment, hook::HookSink, http::Client, running::Running, tocsin::Tocsin, wait};
use shared::{
    HeartbeatState, IncidentState,
    api::{HeartbeatRow, IncidentDetail, List, Role},
};
use std::{
    net::TcpListener,
    process::{Command, Stdio},
    time::Duration,
};

const PATIENCE: Duration = Duration::from_secs(60);

struct Scene {
    server: Tocsin,
    hook: HookSink,
    api_token: String,
    /// Of the heartbeat.
    path: String,
}

/// A server with one heartbeat, which Wang is paged for.
fn scene(settings: &str) -> Result<Scene> {
    let hook = HookSink::start()?;
    let mut server = Tocsin::fresh()?;
    server.start()?;
    let heartbeat = format!("[[heartbeats]]\nid = \"job\"\nseverity = \"P1\"\n{settings}\n");
    server.apply(&(hook.people(&["wang"]) + &heartbeat))?;
    let token = server.ask(&["token", "create", "--kind", "heartbeat", "--name", "job"], "")?;
    let api_token = server.api_token(Role::Viewer)?;
    Ok(Scene { server, hook, api_token, path: format!("/heartbeat/{token}") })
}

impl Scene {
    /// Somebody who looks; a server that is started again has another address.
    fn viewer(&self) -> Client {
        self.server.anybody().bearer(&self.api_token)
    }

    fn row(&self) -> Result<HeartbeatRow> {
        let rows: List<HeartbeatRow> = self.viewer().read("/api/v1/heartbeats")?;
        rows.items.into_iter().next().context("there is no heartbeat")
    }

    /// As it stands in a crontab.
    fn curl(&self, suffix: &str, arguments: &[&str]) -> Result<()> {
        let url = self.server.url(&format!("{}{suffix}", self.path));
        let usual = ["-fsS", "--retry", "3", "-o", "/dev/null"];
        let curl = Command::new("curl").args(usual).args(arguments).arg(url).output()?;
        ensure!(curl.status.success(), "{}", String::from_utf8_lossy(&curl.stderr));
        Ok(())
    }
}

#[test]
fn a_beat_that_does_not_come_pages_and_the_next_one_recovers_also_over_a_kill() -> Result<()> {
    let mut scene = scene("interval = \"10s\"\ngrace = \"0s\"")?;
    ensure!(scene.row()?.state == HeartbeatState::Waiting);
    scene.curl("/start", &[])?;
    scene.curl("", &["--data-binary", "812 files"])?;
    let up = scene.row()?;
    ensure!((up.state, up.pulse.note.as_str()) == (HeartbeatState::Up, "812 files"), "{up:?}");
    let call = scene.hook.wait_for("/wang", 1, PATIENCE)?;
    ensure!(String::from_utf8_lossy(&call.body).contains("no heartbeat from job"), "{call:?}");
    let down = scene.row()?;
    let incident = down.incident.context("it opened no incident")?;
    ensure!(down.state == HeartbeatState::Down);

    // What is down is known to the next process too, and pages nobody again.
    scene.server.kill()?;
    scene.server.start()?;
    ensure!(scene.row()?.state == HeartbeatState::Down && scene.row()?.incident == Some(incident));
    scene.curl("", &["--head"])?;
    let detail: IncidentDetail = scene.viewer().read(&format!("/api/v1/incidents/{incident}"))?;
    ensure!(detail.incident.state == IncidentState::Resolved, "{:?}", detail.incident.state);
    scene.curl("/3", &["--data-binary", "exit 3"])?;
    scene.hook.wait_for("/wang", 2, PATIENCE)?;
    ensure!(scene.row()?.pulse.beats == 2);
    Ok(())
}

#[test]
fn the_watchdog_of_a_real_alertmanager_beats() -> Result<()> {
    let program = environment::program("prometheus-alertmanager").context(
        "Alertmanager is missing; `cargo xtask test` installs it, or: apt-get install prometheus-alertmanager",
    )?;
    let scene = scene("interval = \"10m\"")?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("alertmanager.yml");
    let url = scene.server.url(&scene.path);
    std::fs::write(
        &file,
        format!(
            "route: {{ receiver: beat, group_wait: 0s, group_interval: 1s, repeat_interval: 1s }}\n\
             receivers: [{{ name: beat, webhook_configs: [{{ url: '{url}', send_resolved: true }}] }}]\n"
        ),
    )?;
    let free = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let alertmanager = Command::new(program)
        .arg(format!("--config.file={}", file.display()))
        .arg(format!("--storage.path={}", folder.path().display()))
        .arg(format!("--web.listen-address={free}"))
        .arg("--cluster.listen-address=")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let _alertmanager = Running(alertmanager);
    let alert = |end: &str| format!("[{{\"labels\":{{\"alertname\":\"Watchdog\",\"severity\":\"none\"}}{end}}}]");
    let post = |body: &str| -> Result<Option<()>> {
        let curl = Command::new("curl")
            .args(["-fsS", "-H", "Content-Type: application/json", "--data-binary", body])
            .arg(format!("http://{free}/api/v2/alerts"))
            .output()?;
        Ok(curl.status.success().then_some(()))
    };
    wait::attempt("Alertmanager to take the alert", PATIENCE, || post(&alert("")))?;
    let beats = || Ok(Some(scene.row()?).filter(|row| row.pulse.beats >= 2));
    let row = wait::attempt("Alertmanager to beat twice", PATIENCE, beats)?;
    ensure!(row.pulse.note.starts_with("Alertmanager, receiver beat: 1 firing"), "{row:?}");

    // Its recovery is only a note.
    post(&alert(",\"endsAt\":\"2020-01-01T00:00:01Z\",\"startsAt\":\"2020-01-01T00:00:00Z\""))?.context("refused")?;
    let said = || Ok(Some(scene.row()?).filter(|row| row.pulse.note.contains("resolved")));
    let row = wait::attempt("the recovery to be noted", PATIENCE, said)?;
    ensure!(row.state == HeartbeatState::Up && row.incident.is_none(), "{row:?}");
    Ok(())
}
