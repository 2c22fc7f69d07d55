//! While the store takes nothing: senders are told to come back, a P0 pages all the same, and afterwards all is well.

use anyhow::{Context as _, Result, ensure};
use e2e::{environment, hook::HookSink, tocsin::Tocsin, wait};
use shared::api::{IncidentList, Role};
use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

const PATIENCE: Duration = Duration::from_secs(20);
/// A sender is answered within this, whatever the store does; its own time-out is not much longer.
const ANSWERED: Duration = Duration::from_millis(3_500);

/// Somebody else who writes to the database and does not finish.
struct Lock(Child);

impl Lock {
    fn take(database: &Path) -> Result<Self> {
        let script = "import sqlite3, sys\n\
            db = sqlite3.connect(sys.argv[1], timeout=20, isolation_level=None)\n\
            db.execute('BEGIN IMMEDIATE')\n\
            print('locked', flush=True)\n\
            sys.stdin.read()\n\
            db.execute('ROLLBACK')";
        let mut python = Command::new(environment::python()?);
        python.args(["-c", script]).arg(database).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = python.spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("no output")?).read_line(&mut line)?;
        ensure!(line.trim() == "locked", "the database could not be locked");
        Ok(Self(child))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // The lock goes with its holder.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn a_locked_store_is_never_answered_with_success_and_a_p0_pages_all_the_same() -> Result<()> {
    let hook = HookSink::start()?;
    let document = format!(
        r#"
fallback = ["person:wang"]
channels.webhook = {{ allow_networks = ["127.0.0.0/8"], allow_http = true }}
[[people]]
id = "wang"
name = "Wang"
contacts = [{{ id = "phone", webhook = "{}" }}]
"#,
        hook.url("/wang")
    );
    let mut server = Tocsin::fresh()?;
    server.start()?;
    server.apply(&document)?;
    let path = format!("/ingest/{}", server.sender("falcon")?);
    let (sender, viewer) = (server.anybody(), server.somebody(Role::Viewer)?);
    let headers = [("Idempotency-Key", "one"), ("User-Agent", "curl/8")];
    let post = |body: &str, headers: &[(&str, &str)]| -> Result<(u16, Option<u32>)> {
        let begun = wait::instant();
        let answer = sender.post(&path, headers, body.as_bytes())?;
        ensure!(begun.elapsed() < ANSWERED, "answered {} after {:?}", answer.status, begun.elapsed());
        Ok((answer.status, answer.header("retry-after").and_then(|text| text.parse().ok())))
    };
    let p0 = "[P0][PROBLEM][db-07][10.1.2.3][host is down]";

    let lock = Lock::take(&server.folder().join("data/tocsin.db"))?;
    let (status, retry_after) = post(p0, &headers)?;
    ensure!(status == 503 && retry_after.is_some_and(|s| s <= 60), "answered {status}, Retry-After {retry_after:?}");
    let page = hook.wait_for("/wang", 1, PATIENCE)?.page()?;
    ensure!(page.unrecorded && page.ack_url.is_none() && page.title.contains("UNRECORDED"), "{page:?}");
    wait::attempt("it to say that it is not ready", PATIENCE, || {
        Ok((sender.get("/readyz")?.status == 503).then_some(()))
    })?;
    ensure!(sender.get("/healthz")?.status == 200, "the process is well");
    // Nightingale tries again on 429 only.
    let (status, retry_after) = post("[P3][PROBLEM][web-1][10.1.2.4][slow]", &[("User-Agent", "n9e/6")])?;
    ensure!(status == 429 && retry_after.is_some(), "answered {status}, Retry-After {retry_after:?}");

    drop(lock);
    wait::attempt("it to be ready again", PATIENCE, || Ok((sender.get("/readyz")?.status == 200).then_some(())))?;
    let (status, _) = post(p0, &headers)?;
    ensure!(status == 200, "the sender's retry was answered {status}");
    let board: IncidentList = viewer.read("/api/v1/incidents")?;
    ensure!(board.items.len() == 1, "one message became {:?}", board.items);
    // Recorded now, and paged under the record's own name, so that it can be acknowledged.
    let page = hook.wait_for("/wang", 2, PATIENCE)?.page()?;
    ensure!(!page.unrecorded && page.ack_url.is_some(), "{page:?}");
    ensure!(hook.count() == 2, "paged {} times", hook.count());
    Ok(())
}
