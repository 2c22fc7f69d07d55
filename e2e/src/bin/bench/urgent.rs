//! How soon a P0 leaves the house while a thousand other alerts a second come in and page too.

use crate::{
    rows::{ONE_BY_ONE, QUIET},
    table::{self, Row, Stands},
};
use anyhow::{Context as _, Result, ensure};
use e2e::{
    hook::HookSink,
    load::{Measured, due, open_loop, post},
    tocsin::Tocsin,
    wait,
};
use std::{collections::BTreeMap, time::Duration};

const RATE: u32 = 1_000;
const LENGTH: Duration = Duration::from_secs(20);
/// One alert of so many is a P0.
const ONE_OF: u64 = 200;
const MUST_MS: f64 = 2_000.0;

pub(crate) fn urgent() -> Result<()> {
    let hook = HookSink::start()?;
    let quiet = QUIET.replace("http://127.0.0.1:9", &hook.url("")).replace(r#", after = "1h""#, "");
    let mut server = Tocsin::fresh()?;
    server.apply(&format!("{ONE_BY_ONE}{quiet}"))?;
    let path = format!("/ingest/{}", server.sender("bench")?);
    server.start_with(&["--log", "warn"])?;
    let alert = |n: u64| {
        let severity = if n.is_multiple_of(ONE_OF) { "P0" } else { "P3" };
        post(&path, "text/plain", &format!("[{severity}][PROBLEM][host-{n}][10.0.0.1][host is down]"))
    };
    let begun = wait::instant() + Duration::from_millis(200);
    let sent = open_loop(server.address(), begun, RATE, LENGTH, alert)?;
    ensure!(sent.refused == 0, "{} alerts were refused", sent.refused);
    let wanted = (u64::from(RATE) * LENGTH.as_secs()).div_ceil(ONE_OF) as usize;
    let mut first: BTreeMap<u64, Duration> = BTreeMap::new();
    let mut seen = 0;
    wait::attempt("every page about a P0", Duration::from_secs(60), || {
        let calls = hook.calls();
        for call in calls.iter().skip(seen) {
            for incident in call.page()?.incidents {
                let host = incident.host.context("a page without a host")?;
                let n: u64 = host.trim_start_matches("host-").parse().context("a page of another host")?;
                if n.is_multiple_of(ONE_OF) {
                    first.entry(n).or_insert_with(|| call.at.saturating_duration_since(due(begun, RATE, n)));
                }
            }
        }
        seen = calls.len();
        Ok((first.len() >= wanted).then_some(()))
    })?;
    println!("{wanted} P0 among {} alerts; {seen} messages went out", u64::from(RATE) * LENGTH.as_secs());
    let took = Measured::new(first.into_values().collect(), LENGTH, 0);
    let longest = took.within_ms(1_000);
    table::print(&[Row {
        number: "P0",
        metric: "from a P0's alert to its first request, beside 1,000 alerts/s, p50 / p99 / max",
        measured: format!("{:.1} / {:.1} / {longest:.1} ms", took.within_ms(500), took.within_ms(990)),
        against: String::new(),
        must: format!("{MUST_MS:.0} ms"),
        moonshot: "50 ms".to_owned(),
        stands: Stands::falling(longest, MUST_MS, 50.0),
    }]);
    Ok(())
}
