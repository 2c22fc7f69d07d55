//! The path of an alert, from a fresh folder to a resolved incident: sent by curl, paged by mail and webhook, escalated,
//! acknowledged by a person in a real browser (and by the link in a mail), recovered.

use anyhow::{Context as _, Result, ensure};
use e2e::{browser::Browser, hook::HookSink, hook::SECRET, http::Client, mail::MailSink, tocsin::Tocsin, wait};
use shared::{
    IncidentState,
    api::{IncidentDetail, Role},
};
use std::{process::Command, time::Duration};

const DOWN: &str = "[P0][PROBLEM][db-07][10.1.2.3][host is down]";
const UP: &str = "[P0][OK][db-07][10.1.2.3][host is up]";
const LEVEL: Duration = Duration::from_secs(3);
/// Longer than whatever was still due.
const SILENCE: Duration = Duration::from_secs(10);
const PATIENCE: Duration = Duration::from_secs(20);

/// Wang by mail and phone; after three seconds Zhao; eight seconds later Chen, whom nobody ever wants to wake.
fn house(mail: &MailSink, hook: &HookSink) -> String {
    let (port, phone) = (mail.port(), |who: &str| hook.url(&format!("/{who}")));
    format!(
        r#"
fallback = ["person:chen"]
channels.email = {{ host = "127.0.0.1", port = {port}, tls = "none", from = "Tocsin <tocsin@example.org>" }}
channels.webhook = {{ allow_networks = ["127.0.0.0/8"], allow_http = true }}

[[people]]
id = "wang"
name = "Wang"
contacts = [
  {{ id = "mail", email = "wang@example.org" }},
  {{ id = "phone", webhook = "{}", secret = "{SECRET}" }},
]

[[people]]
id = "zhao"
name = "Zhao"
contacts = [{{ id = "phone", webhook = "{}" }}]

[[people]]
id = "chen"
name = "Chen"
contacts = [{{ id = "phone", webhook = "{}" }}]

[[policies]]
id = "databases"
levels = [
  {{ notify = ["person:wang"], delay = "3s" }},
  {{ notify = ["person:zhao"], delay = "8s" }},
  {{ notify = ["person:chen"], delay = "3s" }},
]

[[routes]]
id = "everything"
policy = "databases"
"#,
        phone("wang"),
        phone("zhao"),
        phone("chen")
    )
}

/// The real program, as it stands in the crontab of some monitoring script.
fn curl(url: &str, body: &str) -> Result<String> {
    let curl =
        Command::new("curl").args(["--silent", "--show-error", "--fail-with-body", "--data", body, url]).output();
    let output = curl.context("curl is not installed")?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(output.status.success(), "curl: {said} {}", String::from_utf8_lossy(&output.stderr));
    Ok(said)
}

struct Scene {
    server: Tocsin,
    mail: MailSink,
    hook: HookSink,
    ingest: String,
    viewer: Client,
}

/// From nothing: the server, its configuration, a sender's token.
fn scene() -> Result<Scene> {
    let (mail, hook) = (MailSink::start()?, HookSink::start()?);
    let mut server = Tocsin::fresh()?;
    server.start()?;
    server.apply(&house(&mail, &hook))?;
    let ingest = server.url(&format!("/ingest/{}", server.sender("falcon")?));
    let viewer = server.somebody(Role::Viewer)?;
    Ok(Scene { server, mail, hook, ingest, viewer })
}

impl Scene {
    fn incident(&self) -> Result<IncidentDetail> {
        self.viewer.read("/api/v1/incidents/1")
    }

    fn nobody_is_paged_for(&self, length: Duration) -> Result<()> {
        let (calls, mails) = (self.hook.count(), self.mail.to("wang@example.org").len());
        wait::stays("nobody is paged", length, || {
            self.hook.count() == calls && self.mail.to("wang@example.org").len() == mails
        })
    }
}

#[test]
fn a_page_is_acknowledged_in_the_browser_and_the_recovery_is_seen_there() -> Result<()> {
    let scene = scene()?;
    let password = "kestrel anvil harbour 42";
    // While there is no administrator, the sign-in page leads to making one.
    scene.server.account("chen", Role::Admin, password)?;
    scene.server.account("wang", Role::Responder, password)?;
    let url = scene.server.url("");
    let variables = [("TOCSIN_PATH_URL", url.as_str()), ("TOCSIN_LOGIN", "wang"), ("TOCSIN_PASSWORD", password)];
    let mut browser = Browser::play("path.spec.ts", &variables)?;
    browser.reached("the empty board is open")?;

    let receipt = curl(&scene.ingest, DOWN)?;
    ensure!(receipt.contains(r#""accepted":1"#), "{receipt}");
    let mail = scene.mail.wait_for("wang@example.org", 1, PATIENCE)?;
    ensure!(mail.subject.contains("P0") && mail.subject.contains("db-07"), "the subject says {}", mail.subject);
    let first = scene.hook.wait_for("/wang", 1, PATIENCE)?;
    first.verify(SECRET)?;
    let page = first.page()?;
    ensure!(page.incident.severity == "P0" && page.incident.host.as_deref() == Some("db-07"), "{page:?}");
    ensure!(page.page.level == 1 && !page.unrecorded && page.ack_url.is_some(), "{page:?}");

    let second = scene.hook.wait_for("/zhao", 1, PATIENCE)?;
    let after = second.at.duration_since(first.at);
    ensure!(after + Duration::from_millis(250) >= LEVEL, "level 2 was paged {after:?} after level 1");
    ensure!(second.page()?.page.level == 2);

    browser.reached("acknowledged")?;
    let calls = scene.hook.calls_of("/chen");
    ensure!(calls.is_empty(), "Chen was woken: {calls:?}");
    scene.nobody_is_paged_for(SILENCE)?;
    ensure!(scene.incident()?.row.acked_by.as_deref() == Some("wang"), "{:?}", scene.incident()?.row);

    curl(&scene.ingest, UP)?;
    browser.reached("resolved")?;
    browser.finish()?;
    let row = scene.incident()?.row;
    ensure!(row.state == IncidentState::Resolved && row.resolved_at.is_some(), "{row:?}");
    ensure!(scene.hook.calls_of("/wang").len() == 1 && scene.hook.calls_of("/zhao").len() == 1, "paged twice");
    Ok(())
}

#[test]
fn the_link_in_a_mail_acts_when_pressed_and_not_when_opened() -> Result<()> {
    let scene = scene()?;
    curl(&scene.ingest, DOWN)?;
    let mail = scene.mail.wait_for("wang@example.org", 1, PATIENCE)?;
    let link = mail.link("/a/").with_context(|| format!("no link in: {}", mail.text))?;
    let path = link.strip_prefix(&scene.server.url("")).with_context(|| format!("a foreign link: {link}"))?;
    let phone = scene.server.anybody();

    // Mail scanners and chat previews open links before people do.
    for method in ["GET", "HEAD"].repeat(5) {
        ensure!(phone.send(method, path, &[], b"")?.status == 200, "{method} {path}");
    }
    let shown = phone.get(path)?.is(200)?.text();
    ensure!(shown.contains("db-07") && shown.contains(r#"method="post""#), "{shown}");
    ensure!(!shown.contains("<script"), "the page has a script");
    ensure!(scene.incident()?.row.state == IncidentState::Triggered, "opening the link acknowledged");
    scene.hook.wait_for("/zhao", 1, PATIENCE)?;

    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let answer = phone.post(path, &form, b"do=ack")?.is(303)?;
    ensure!(answer.header("location") == Some(path), "it leads to {:?}", answer.header("location"));
    let row = scene.incident()?.row;
    ensure!(row.state == IncidentState::Acked && row.acked_by.as_deref() == Some("wang"), "{row:?}");
    ensure!(phone.get(path)?.is(200)?.text().contains("Wang"), "the page does not say who answered");
    scene.nobody_is_paged_for(SILENCE)?;

    // Pressed twice, or by a preview that sends forms, it is the same acknowledgement.
    phone.post(path, &form, b"do=ack")?.is(303)?;
    ensure!(scene.incident()?.row.state == IncidentState::Acked);
    let forged = format!("{}x", path.trim_end_matches(|c: char| c.is_ascii_alphanumeric()));
    phone.post(&forged, &form, b"do=ack")?.is(404)?;
    Ok(())
}
