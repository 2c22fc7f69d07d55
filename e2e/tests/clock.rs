//! A wall clock that leaps: nobody is paged because of it, and nobody is forgotten because of it.

use anyhow::{Result, ensure};
use e2e::{environment, hook::HookSink, tocsin::Tocsin, wait};
use serde_json::json;
use shared::api::{IncidentList, Role};
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

const PATIENCE: Duration = Duration::from_secs(20);
/// Longer than a page takes that is due.
const SILENCE: Duration = Duration::from_secs(3);
const HOSTS: usize = 6;

/// P0 goes to Wang and two seconds later to Zhao; P1 goes to Li, and after an hour to Chen.
fn house(hook: &HookSink) -> String {
    hook.people(&["wang", "zhao", "li", "chen"])
        + r#"
[[policies]]
id = "fast"
levels = [{ notify = ["person:wang"], delay = "2s" }, { notify = ["person:zhao"], delay = "1h" }]
[[policies]]
id = "slow"
levels = [{ notify = ["person:li"], delay = "1h" }, { notify = ["person:chen"], delay = "1h" }]
[[routes]]
id = "urgent"
match = ["severity = P0"]
policy = "fast"
[[routes]]
id = "rest"
policy = "slow"
"#
}

/// A wall clock of the server's own; its other clocks stay the machine's.
struct WallClock(PathBuf);

impl WallClock {
    fn of(server: &mut Tocsin) -> Result<Self> {
        let clock = Self(server.folder().join("wall-clock"));
        clock.set("+0")?;
        let library = format!("LD_PRELOAD={}", environment::faketime()?.display());
        let offset = format!("FAKETIME_TIMESTAMP_FILE={}", clock.0.display());
        server.start_below(&["env", &library, &offset, "FAKETIME_NO_CACHE=1", "FAKETIME_DONT_FAKE_MONOTONIC=1"]);
        Ok(clock)
    }

    /// Sets it to the machine's with an offset, such as `+1d` or `-1h`.
    fn set(&self, offset: &str) -> Result<()> {
        // Renamed into its place: the server reads it at any moment.
        let new: &Path = &self.0.with_extension("new");
        fs::write(new, format!("{offset}\n"))?;
        Ok(fs::rename(new, &self.0)?)
    }
}

/// How far the server says that its wall clock is ahead of its timers, in seconds.
fn offset_s(server: &Tocsin) -> Result<f64> {
    let metrics = server.anybody().get("/metrics")?.is(200)?.text();
    let line = metrics.lines().find_map(|line| line.strip_prefix("tocsin_clock_offset_seconds "));
    Ok(line.map_or(Ok(0.0), str::parse)?)
}

#[test]
fn a_wall_clock_that_leaps_pages_nobody_and_silences_nobody() -> Result<()> {
    let hook = HookSink::start()?;
    let mut server = Tocsin::fresh()?;
    let clock = WallClock::of(&mut server)?;
    server.start()?;
    server.apply(&house(&hook))?;
    let path = format!("/ingest/{}", server.sender("falcon")?);
    let (sender, responder) = (server.anybody(), server.somebody(Role::Responder)?);
    let post = |severity: &str, host: &str| {
        sender.post(&path, &[], format!("[{severity}][PROBLEM][{host}][10.1.2.3][down]").as_bytes())?.is(200)
    };
    for n in 0..HOSTS {
        post("P1", &format!("web-{n}"))?;
    }
    hook.wait_for("/li", HOSTS, PATIENCE)?;
    // An acknowledgement of a P1 ends after half an hour.
    let board: IncidentList = responder.read("/api/v1/incidents")?;
    for row in board.items.iter().take(HOSTS / 2) {
        responder.post_json(&format!("/api/v1/incidents/{}/ack", row.id), &json!({}))?.is(200)?;
    }

    clock.set("+1d")?;
    wait::attempt("it to notice", PATIENCE, || Ok((offset_s(&server)? > 86_000.0).then_some(())))?;
    wait::stays("no timer of an hour ends", SILENCE, || hook.count() == HOSTS)?;
    ensure!(server.log().contains("the wall clock leapt"), "its log says:\n{}", server.log());
    post("P0", "db-1")?;
    hook.wait_for("/zhao", 1, PATIENCE)?;

    clock.set("-1h")?;
    wait::attempt("it to notice", PATIENCE, || Ok((offset_s(&server)? < -3_500.0).then_some(())))?;
    post("P0", "db-2")?;
    hook.wait_for("/zhao", 2, PATIENCE)?;

    clock.set("+0")?;
    wait::until("it to agree again", PATIENCE, || server.log().contains("agree again").then_some(()))?;
    ensure!(hook.calls_of("/wang").len() == 2 && hook.count() == HOSTS + 4, "paged {} times", hook.count());
    Ok(())
}
