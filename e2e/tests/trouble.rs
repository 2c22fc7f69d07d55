//! While the store takes nothing: senders are told to come back, a P0 pages all the same, and afterwards all is well.
//! A locked database, a disk that is nearly full, and an engine that hangs.

use anyhow::{Context as _, Result, ensure};
use e2e::{hook::HookSink, store_lock::StoreLock, tocsin::Tocsin, wait};
use shared::api::{IncidentList, PagerStatus, Role};
use std::{collections::BTreeSet, fs, process::Command, time::Duration};

const PATIENCE: Duration = Duration::from_secs(20);
/// A sender is answered within this, whatever the store does; its own time-out is not much longer.
const ANSWERED: Duration = Duration::from_millis(3_500);

#[test]
fn a_locked_store_is_never_answered_with_success_and_a_p0_pages_all_the_same() -> Result<()> {
    let hook = HookSink::start()?;
    let mut server = Tocsin::fresh()?;
    server.start()?;
    server.apply(&hook.people(&["wang"]))?;
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

    let lock = StoreLock::take(&server.folder().join("data/tocsin.db"))?;
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
    // It says nothing of itself in its headers: then its shape tells.
    let n9e = r#"{"hash":"a","rule_id":12,"rule_name":"lag","severity":1,"trigger_time":1795201800,"tags":["ident=db-07"],"is_recovered":false}"#;
    let (status, retry_after) = post(n9e, &[("User-Agent", "Go-http-client/1.1")])?;
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

/// How large a file of the server may grow; what it writes beyond that fails, as on a full disk.
fn limit_files(server: &Tocsin, bytes: &str) -> Result<()> {
    let pid = server.pid().to_string();
    let status = Command::new("prlimit").args(["--pid", &pid, &format!("--fsize={bytes}:")]).status()?;
    ensure!(status.success(), "the limit cannot be set");
    Ok(())
}

/// So many frames of SQLite's log are still free: enough for a row, and not for an incident.
const FREE_BYTES: u64 = 10 * 4_120;

#[test]
fn a_nearly_full_disk_pages_once_and_is_left_without_a_loss() -> Result<()> {
    let hook = HookSink::start()?;
    let mut server = Tocsin::fresh()?;
    // Without this the kernel would kill whoever writes beyond the limit.
    server.start_below(&["env", "--ignore-signal=XFSZ"]);
    server.start()?;
    server.apply(&hook.people(&["wang"]))?;
    let path = format!("/ingest/{}", server.sender("falcon")?);
    let (sender, viewer) = (server.anybody(), server.somebody(Role::Viewer)?);
    let post = |body: &str| sender.post(&path, &[("User-Agent", "curl/8")], body.as_bytes());
    let mut acknowledged = BTreeSet::new();
    for n in 0..20 {
        let host = format!("web-{n}");
        post(&format!("[P3][PROBLEM][{host}][10.1.2.4][slow]"))?.is(200)?;
        acknowledged.insert(host);
    }

    let log = fs::metadata(server.folder().join("data/tocsin.db-wal")).context("SQLite keeps no log?")?.len();
    limit_files(&server, &(log + FREE_BYTES).to_string())?;
    let p0 = format!("[P0][PROBLEM][db-07][10.1.2.3][{}]", "the host is down, ".repeat(4_000));
    let refused = post(&p0)?.is(503)?;
    ensure!(refused.header("retry-after").is_some(), "the sender is not told when to come back");
    let page = hook.wait_for("/wang", 1, PATIENCE)?.page()?;
    ensure!(page.unrecorded && page.ack_url.is_none(), "{page:?}");
    ensure!(sender.get("/healthz")?.status == 200, "the process is well");
    let ready = sender.get("/readyz")?.is(503)?;
    ensure!(ready.text().contains("the store takes nothing"), "it says: {}", ready.text());
    let status: PagerStatus = viewer.read("/api/v1/status")?;
    ensure!(!status.warnings.is_empty(), "the page about the pager shows nothing");
    post("[P3][PROBLEM][web-20][10.1.2.4][slow]")?.is(503)?;
    // It tries again and again, and what is small is stored: that is no reason to believe that all is well.
    let tries = || server.log().matches("the store still takes nothing").count();
    wait::until("the fifth try", PATIENCE, || (tries() >= 5).then_some(()))?;
    ensure!(sender.get("/readyz")?.status == 503, "it takes the disk for mended");
    ensure!(hook.count() == 1, "each try paged anew: {}", hook.count());

    limit_files(&server, "unlimited")?;
    wait::attempt("it to be ready again", PATIENCE, || Ok((sender.get("/readyz")?.status == 200).then_some(())))?;
    let page = hook.wait_for("/wang", 2, PATIENCE)?.page()?;
    ensure!(!page.unrecorded && page.ack_url.is_some(), "the P0 that was kept is not recorded: {page:?}");
    post(&p0)?.is(200)?;
    acknowledged.insert("db-07".to_owned());
    // What was acknowledged is on the disk and not only in a memory.
    server.kill()?;
    server.start()?;
    let viewer = server.somebody(Role::Viewer)?;
    let board: IncidentList = viewer.read("/api/v1/incidents")?;
    let hosts: Vec<_> = board.items.into_iter().filter_map(|row| row.host).collect();
    let kept: BTreeSet<_> = hosts.iter().cloned().collect();
    ensure!(kept == acknowledged && hosts.len() == kept.len(), "{acknowledged:?} became {hosts:?}");
    ensure!(hook.count() == 2, "paged {} times", hook.count());
    Ok(())
}

#[test]
fn an_engine_that_hangs_ends_the_process_so_that_another_can_take_over() -> Result<()> {
    let hook = HookSink::start()?;
    let mut server = Tocsin::fresh()?;
    server.apply(&hook.people(&["wang"]))?;
    let path = format!("/ingest/{}", server.sender("falcon")?);
    let p0 = b"[P0][PROBLEM][db-07][10.1.2.3][host is down]";
    // The bound is a minute, which nobody has to wait for here.
    server.start_with(&["--failpoint", "ingest.before_commit=hang", "--hung-ms", "7000"])?;
    let sender = server.anybody();
    let answer = sender.post(&path, &[], p0)?;
    ensure!(answer.status == 503, "what was not stored was answered {}", answer.status);
    let said = wait::attempt("it to say that it hangs", PATIENCE, || {
        let answer = sender.get("/readyz")?;
        Ok((answer.status == 503).then(|| answer.text()))
    })?;
    ensure!(said.contains("has not completed a turn"), "it says: {said}");
    server.wait_for_abort(PATIENCE)?;
    ensure!(server.log().contains("the engine hangs"), "its log says:\n{}", server.log());
    ensure!(hook.count() == 0, "paged for something that is nowhere stored");

    server.start()?;
    server.anybody().post(&path, &[], p0)?.is(200)?;
    let page = hook.wait_for("/wang", 1, PATIENCE)?.page()?;
    ensure!(!page.unrecorded, "{page:?}");
    Ok(())
}
