//! Row 8 of goals.md: how late pages come that are due while 100,000 others are planned, and across a server's death.

use crate::{
    rows::{ONE_BY_ONE, QUIET, two_latencies},
    table::{self, Row, Stands},
};
use anyhow::{Context as _, Result, ensure};
use e2e::{
    hook::HookSink,
    load::{Measured, closed_loop, due, open_loop, post},
    tocsin::Tocsin,
    wait,
};
use std::time::{Duration, Instant};

const TYPE: &str = "text/plain";
const JSON: &str = "application/json";
/// Pages planned for later, an incident each.
const PLANNED: u64 = 100_000;
const RATE: u32 = 200;
/// From the alert to its page, by the rule of whoever is paged.
const AFTER: Duration = Duration::from_secs(5);

pub(crate) fn lateness() -> Result<()> {
    let hook = HookSink::start()?;
    // A P1 is due after five seconds, anything else after an hour.
    let quiet = QUIET.replace("http://127.0.0.1:9", &hook.url("")).replace(
        r#"rules = [{ notify"#,
        r#"rules = [{ severity = ["P1"], notify = [{ contact = "phone", after = "5s" }] }, { notify"#,
    );
    let mut server = Tocsin::fresh()?;
    server.apply(&format!("{ONE_BY_ONE}{quiet}"))?;
    let path = format!("/ingest/{}", server.sender("bench")?);
    server.start_with(&["--log", "warn"])?;
    let hundred = |n: u64| {
        let alert = |i: u64| format!(r#"{{"severity":"P3","host":"host-{}","summary":"disk is full"}}"#, n * 100 + i);
        post(&path, JSON, &format!("[{}]", (0..100).map(alert).collect::<Vec<_>>().join(",")))
    };
    let planned = closed_loop(server.address(), 8, PLANNED / 100, hundred)?;
    ensure!(planned.refused == 0, "{} batches were refused", planned.refused);
    println!("{PLANNED} pages are planned for later");

    let alert = |round: &str, n: u64| post(&path, TYPE, &format!("[P1][PROBLEM][{round}-{n}][10.0.0.1][host is down]"));
    let begun = wait::instant() + Duration::from_millis(200);
    open_loop(server.address(), begun, RATE, Duration::from_secs(10), |n| alert("steady", n))?;
    let steady = late(&hook, "steady", begun, 10 * u64::from(RATE))?;

    let begun = wait::instant() + Duration::from_millis(200);
    open_loop(server.address(), begun, RATE, Duration::from_secs(4), |n| alert("death", n))?;
    // In the middle of what is due.
    wait::sleep_until(begun + AFTER + Duration::from_secs(1));
    server.kill()?;
    let killed = wait::instant();
    server.start_with(&["--log", "warn"])?;
    println!("killed, and ready again after {} ms", killed.elapsed().as_millis());
    let death = late(&hook, "death", begun, 4 * u64::from(RATE))?;
    let longest = |it: &Measured| it.within_ms(1_000);
    table::print(&[
        two_latencies(
            "8",
            "page behind its time, 100 k others planned, p99 / max",
            (steady.within_ms(990), longest(&steady)),
            ((250.0, 1_000.0), (20.0, 200.0)),
            None,
        ),
        Row {
            number: "8",
            metric: "the same across kill -9 and a restart, max",
            measured: format!("{:.0} ms", longest(&death)),
            against: String::new(),
            must: "5000 ms".to_owned(),
            moonshot: "5000 ms".to_owned(),
            stands: Stands::falling(longest(&death), 5_000.0, 5_000.0),
        },
    ]);
    Ok(())
}

/// How long after its time each page of a round came in: the first of each, should one have come twice.
fn late(hook: &HookSink, round: &str, begun: Instant, pages: u64) -> Result<Measured> {
    let mut first: Vec<Option<Duration>> = vec![None; usize::try_from(pages)?];
    let mut seen = 0;
    wait::attempt("every page", Duration::from_secs(90), || {
        let calls = hook.calls();
        for call in calls.iter().skip(seen) {
            // Those that wait for the same slot share a message.
            for incident in call.page()?.incidents {
                let host = incident.host.context("a page without a host")?;
                let Some(n) = host.strip_prefix(round).and_then(|rest| rest.strip_prefix('-')) else { continue };
                let n: u64 = n.parse().context("a page of another host")?;
                let slot = first.get_mut(usize::try_from(n)?).context("a page of no alert")?;
                let at = call.at.saturating_duration_since(due(begun, RATE, n) + AFTER);
                slot.get_or_insert(at);
            }
        }
        seen = calls.len();
        Ok(first.iter().all(Option::is_some).then_some(()))
    })?;
    Ok(Measured::new(first.into_iter().flatten().collect(), Duration::from_secs(1), 0))
}
