//! The rows of goals.md that are about taking alerts: throughput, latency, memory, start.

use crate::{
    controls::{self, Alertmanager},
    table::{self, Row, Stands},
};
use anyhow::{Context as _, Result, ensure};
use e2e::{
    hook::HookSink,
    load::{Measured, closed_loop, due, open_loop, post},
    tocsin::Tocsin,
    wait,
};
use shared::api::{IncidentList, Role};
use std::time::Duration;

/// How much is sent.
pub(crate) struct Scale {
    singles: u64,
    batches: u64,
    seconds: Duration,
    flushes: usize,
    rounds: usize,
}

impl Scale {
    pub(crate) const FULL: Self =
        Self { singles: 60_000, batches: 1_000, seconds: Duration::from_secs(10), flushes: 3_000, rounds: 3 };
    pub(crate) const QUICK: Self =
        Self { singles: 5_000, batches: 100, seconds: Duration::from_secs(3), flushes: 500, rounds: 1 };
}

const CONNECTIONS: u64 = 64;
const TYPE: &str = "text/plain";
/// Alertmanager in proportion to the trivial handler, as goals.md measured both; used where it is not installed.
const ALERTMANAGER_SINGLE: f64 = 13.9 / 51.0;
const ALERTMANAGER_BATCH: f64 = 48.0 / 51.0;

/// Every alert opens an incident, walks the routes and plans a page; the page is due in an hour, so that what is
/// measured is the taking and not the receiver of pages.
pub(crate) const QUIET: &str = r#"
fallback = ["person:wang"]
[channels.webhook]
allow_networks = ["127.0.0.0/8"]
allow_http = true
[[people]]
id = "wang"
name = "Wang"
contacts = [{ id = "phone", webhook = "http://127.0.0.1:9/phone" }]
rules = [{ notify = [{ contact = "phone", after = "1h" }] }]
[[policies]]
id = "all"
levels = [{ notify = ["person:wang"], delay = "2h" }]
[[routes]]
id = "databases"
match = ["host=~db-.*", "severity=P0"]
policy = "all"
[[routes]]
id = "all"
policy = "all"
"#;

/// Every page goes out by itself, however many there are: what is measured is how soon, not how they are collected.
pub(crate) const ONE_BY_ONE: &str = "limits = []\nstorm = { incidents = 0 }\npaging = { bundle = \"0s\" }\n";

/// How the alerts of rows 2 and 10 become incidents.
struct Grouped {
    /// What the rows are called.
    rate: &'static str,
    memory: &'static str,
    /// Alerts of one incident.
    size: u64,
    /// Added to the last route.
    route: &'static str,
    /// Alertmanager, grouping alike.
    peer: fn(&Rates) -> &Peer,
}

/// Each alert with an escalation, a page and a timeline of its own: the dearest there is.
const APART: Grouped = Grouped {
    rate: "durable alerts in batches of 100, an incident each",
    memory: "resident memory per 100 k open, an incident each; growth by listing",
    size: 1,
    route: "",
    peer: |rates| &rates.apart,
};
/// As Alertmanager holds them, which puts all of them in one group.
const TOGETHER: Grouped = Grouped {
    rate: "the same, 100 alerts to an incident",
    memory: "the same, 100 alerts to an incident",
    size: 100,
    route: "group = { by = [\"severity\"], limit = 100 }\n",
    peer: |rates| &rates.together,
};

struct Bench {
    server: Tocsin,
    path: String,
    start: Duration,
}

fn bench(document: &str) -> Result<Bench> {
    let mut server = Tocsin::fresh()?;
    server.apply(document)?;
    let path = format!("/ingest/{}", server.sender("bench")?);
    let begun = wait::instant();
    server.start_with(&["--log", "warn"])?;
    Ok(Bench { start: begun.elapsed(), server, path })
}

impl Bench {
    fn single(&self, n: u64) -> Vec<u8> {
        post(&self.path, TYPE, &format!("[P3][PROBLEM][host-{n}][10.0.{}.{}][disk is full]", n / 250 % 250, n % 250))
    }

    /// Sends, and prints which threads of the server were busy meanwhile.
    fn watched(&self, number: &str, load: impl FnOnce() -> Result<Measured>) -> Result<Measured> {
        let before = controls::threads(self.server.pid())?;
        let measured = load()?;
        let mut busy: Vec<(f64, String)> = controls::threads(self.server.pid())?
            .into_iter()
            .map(|(name, used)| (used - before.get(&name).copied().unwrap_or(0.0), name))
            .filter(|(used, _)| *used >= 0.01)
            .collect();
        busy.sort_by(|a, b| b.0.total_cmp(&a.0));
        let busy: Vec<String> = busy.into_iter().map(|(used, name)| format!("{name} {used:.2} s")).collect();
        println!("row {number}: {:.2} s, of which busy: {}", measured.total.as_secs_f64(), busy.join(", "));
        ensure!(measured.refused == 0, "{} requests of row {number} were refused", measured.refused);
        Ok(measured)
    }

    fn resident_mb(&self) -> Result<f64> {
        controls::resident_mb(self.server.pid())
    }

    /// The same once it rests.
    fn rested_mb(&self) -> Result<f64> {
        controls::rested_mb(self.server.pid())
    }
}

/// What everything is compared with, measured in the same run.
struct Rates {
    trivial: f64,
    /// As many people run Alertmanager, and as rows 1 and 2 of goals.md mean it.
    together: Peer,
    /// As it has to be run for each alert to be told by itself.
    apart: Peer,
}

/// Alertmanager, or what goals.md knows of it.
struct Peer {
    name: &'static str,
    single: f64,
    batch: f64,
    held_mb: f64,
}

impl Peer {
    fn of(grouped: &str, measured: Option<Alertmanager>, trivial: &Measured) -> Self {
        let trivial = trivial.per_second();
        let Some(it) = measured else {
            println!(
                "Alertmanager is not installed (prometheus-alertmanager): its rates are taken as {ALERTMANAGER_SINGLE:.2} and \
                 {ALERTMANAGER_BATCH:.2} of the trivial handler's, the proportion in goals.md"
            );
            let (single, batch) = (trivial * ALERTMANAGER_SINGLE, trivial * ALERTMANAGER_BATCH);
            return Self { name: "Alertmanager (estimated)", single, batch, held_mb: 430.0 };
        };
        let (single, batch) = (it.single.per_second(), it.batch.per_second() * 100.0);
        println!(
            "Alertmanager, {grouped}: {single:.0}/s single, {batch:.0} alerts/s in batches, ready after {} ms, \
             {:.0} MB idle, {:.0} MB per 100 k",
            it.start.as_millis(),
            it.idle_mb,
            it.held_mb
        );
        Self { name: "Alertmanager", single, batch, held_mb: it.held_mb }
    }
}

pub(crate) fn ingest(scale: &Scale) -> Result<()> {
    let rounds = (1..=scale.rounds).map(|number| {
        println!("round {number} of {}", scale.rounds);
        round(scale)
    });
    let mut rows = table::middle(rounds.collect::<Result<_>>()?);
    rows.sort_by_key(|row| row.number.parse::<u32>().unwrap_or(0));
    table::print(&rows);
    Ok(())
}

/// Every row once, with the controls it is compared with.
fn round(scale: &Scale) -> Result<Vec<Row>> {
    let probe = Tocsin::fresh()?;
    let flush = controls::flushes(probe.folder(), scale.flushes)?;
    println!(
        "flush: p50 {:.3} ms, p99 {:.3} ms, {:.0}/s",
        flush.within_ms(500),
        flush.within_ms(990),
        flush.per_second()
    );
    let trivial = controls::trivial(scale.singles)?;
    println!("trivial handler: {:.0}/s, p99 {:.2} ms", trivial.per_second(), trivial.within_ms(990));
    let peer = |by| controls::alertmanager(probe.folder(), by, scale.singles, scale.batches);
    let rates = Rates {
        trivial: trivial.per_second(),
        together: Peer::of("in one group", peer(controls::ONE_GROUP)?, &trivial),
        apart: Peer::of("a group each", peer(controls::A_GROUP_EACH)?, &trivial),
    };

    let mut rows = single_and_repeated(scale, &rates)?;
    rows.extend(batches_and_memory(scale, &rates, &APART)?);
    let together = batches_and_memory(scale, &rates, &TOGETHER)?;
    rows.extend(together.into_iter().filter(|row| matches!(row.number, "2" | "10")));
    rows.push(answer_latency(scale, &flush)?);
    rows.push(to_the_webhook(
        scale,
        "5",
        "to the webhook at 200/s, p50 / p99",
        200,
        ((5.0, 15.0), (2.0, 5.0)),
        &flush,
    )?);
    rows.push(to_the_webhook(scale, "6", "the same at 1,000/s", 1_000, ((5.0, 50.0), (2.0, 15.0)), &flush)?);
    let again = controls::flushes(probe.folder(), scale.flushes)?;
    println!("flush before: p50 {:.3} ms; after: p50 {:.3} ms\n", flush.within_ms(500), again.within_ms(500));
    Ok(rows)
}

/// Rows 1, 3, 11 and the first half of 13.
fn single_and_repeated(scale: &Scale, rates: &Rates) -> Result<Vec<Row>> {
    let bench = bench(QUIET)?;
    let idle = bench.resident_mb()?;
    let address = bench.server.address();
    let distinct = bench.watched("1", || closed_loop(address, CONNECTIONS, scale.singles, |n| bench.single(n)))?;
    let repeated =
        bench.watched("3", || closed_loop(address, CONNECTIONS, scale.singles, |n| bench.single(n % 1_000)))?;
    let (one, again) = (distinct.per_second(), repeated.per_second());
    let start = bench.start.as_secs_f64() * 1_000.0;
    Ok(vec![
        Row {
            number: "1",
            metric: "durable single POST, 64 connections, distinct",
            measured: format!("{one:.0}/s, p50 {:.1} p99 {:.1} ms", distinct.within_ms(500), distinct.within_ms(990)),
            against: format!(
                "{:.2} x {}; {:.2} x trivial",
                one / rates.together.single,
                rates.together.name,
                one / rates.trivial
            ),
            must: "0.6 x".to_owned(),
            moonshot: "1.5 x".to_owned(),
            stands: Stands::rising(one / rates.together.single, 0.6, 1.5),
        },
        Row {
            number: "3",
            metric: "repeats of open alerts",
            measured: format!("{again:.0}/s, p50 {:.1} p99 {:.1} ms", repeated.within_ms(500), repeated.within_ms(990)),
            against: format!("{:.2} x row 1; {:.2} x trivial", again / one, again / rates.trivial),
            must: "1.5 x".to_owned(),
            moonshot: "2 x".to_owned(),
            stands: Stands::rising(again / one, 1.5, 2.0),
        },
        Row {
            number: "11",
            metric: "idle resident memory",
            measured: format!("{idle:.1} MB"),
            against: String::new(),
            must: "40 MB".to_owned(),
            moonshot: "20 MB".to_owned(),
            stands: Stands::falling(idle, 40.0, 20.0),
        },
        Row {
            number: "13",
            metric: "start to ready, empty",
            measured: format!("{start:.0} ms"),
            against: String::new(),
            must: "1000 ms".to_owned(),
            moonshot: "100 ms".to_owned(),
            stands: Stands::falling(start, 1_000.0, 100.0),
        },
    ])
}

/// Rows 2, 10, 12 and the second half of 13.
fn batches_and_memory(scale: &Scale, rates: &Rates, grouped: &Grouped) -> Result<Vec<Row>> {
    let peer = (grouped.peer)(rates);
    let mut bench = bench(&format!("{QUIET}{}", grouped.route))?;
    let token = bench.server.api_token(Role::Viewer)?;
    let viewer = bench.server.anybody().bearer(&token);
    let hundred = |n: u64| {
        let alert = |i: u64| format!(r#"{{"severity":"P3","host":"host-{}","summary":"disk is full"}}"#, n * 100 + i);
        post(&bench.path, "application/json", &format!("[{}]", (0..100).map(alert).collect::<Vec<_>>().join(",")))
    };
    let batch = bench.watched("2", || closed_loop(bench.server.address(), 8, scale.batches, hundred))?;
    let rate = batch.per_second() * 100.0;
    let open = scale.batches as f64 * 100.0;
    let board: IncidentList = viewer.read("/api/v1/incidents?limit=1")?;
    let incidents = scale.batches * 100 / grouped.size;
    ensure!(u64::from(board.total) == incidents, "{} incidents of {incidents} are open", board.total);
    let held = bench.rested_mb()?;
    let list = || -> Result<Duration> {
        let begun = wait::instant();
        let found: IncidentList = viewer.read("/api/v1/incidents?limit=100&severity=P3&q=host-9")?;
        ensure!(!found.items.is_empty(), "nothing is listed");
        Ok(begun.elapsed())
    };
    let mut lists = (0..20).map(|_| list()).collect::<Result<Vec<_>>>()?;
    lists.sort_unstable();
    let page_ms = lists.get(10).context("no list")?.as_secs_f64() * 1_000.0;
    let grown = bench.resident_mb()? - held;
    bench.server.kill()?;
    let begun = wait::instant();
    bench.server.start_with(&["--log", "warn"])?;
    let start = begun.elapsed().as_secs_f64() * 1_000.0;
    let per_100k = held * 100_000.0 / open;
    Ok(vec![
        Row {
            number: "2",
            metric: grouped.rate,
            measured: format!("{rate:.0}/s, p99 {:.1} ms", batch.within_ms(990)),
            against: format!(
                "{:.2} x {} so; {:.2} x in one group; {:.2} x trivial",
                rate / peer.batch,
                peer.name,
                rate / rates.together.batch,
                rate / rates.trivial
            ),
            must: "0.7 x".to_owned(),
            moonshot: "2 x".to_owned(),
            stands: Stands::rising(rate / peer.batch, 0.7, 2.0),
        },
        Row {
            number: "10",
            metric: grouped.memory,
            measured: format!("{per_100k:.0} MB; {grown:.1} MB"),
            against: format!("{:.2} x {} so: {:.0} MB", per_100k / peer.held_mb, peer.name, peer.held_mb),
            must: "150 MB; 0".to_owned(),
            moonshot: "48 MB; 0".to_owned(),
            stands: Stands::falling(per_100k, 150.0, 48.0),
        },
        Row {
            number: "12",
            metric: "first 100 of all open, filtered, whole request",
            measured: format!("{page_ms:.1} ms of {open:.0}"),
            against: String::new(),
            must: "30 ms".to_owned(),
            moonshot: "5 ms".to_owned(),
            stands: Stands::falling(page_ms, 30.0, 5.0),
        },
        Row {
            number: "13",
            metric: "start to ready after kill -9, all open",
            measured: format!("{start:.0} ms with {open:.0}"),
            against: String::new(),
            must: "1000 ms".to_owned(),
            moonshot: "500 ms".to_owned(),
            stands: Stands::falling(start, 1_000.0, 500.0),
        },
    ])
}

/// Row 4.
fn answer_latency(scale: &Scale, flush: &Measured) -> Result<Row> {
    let bench = bench(QUIET)?;
    let begun = wait::instant() + Duration::from_millis(200);
    let address = bench.server.address();
    let measured = bench.watched("4", || open_loop(address, begun, 1_000, scale.seconds, |n| bench.single(n)))?;
    let took = (measured.within_ms(500), measured.within_ms(990));
    let bounds = ((2.0, 15.0), (1.0, 5.0));
    Ok(two_latencies("4", "ingest answer at 1,000/s open loop, p50 / p99", took, bounds, Some(flush)))
}

/// Rows 5 and 6: from the moment a POST was due to the moment its page came in.
fn to_the_webhook(
    scale: &Scale,
    number: &'static str,
    metric: &'static str,
    rate: u32,
    bounds: ((f64, f64), (f64, f64)),
    flush: &Measured,
) -> Result<Row> {
    let hook = HookSink::start()?;
    let quiet = QUIET.replace("http://127.0.0.1:9", &hook.url("")).replace(r#", after = "1h""#, "");
    let document = format!("{ONE_BY_ONE}{quiet}");
    let bench = bench(&document)?;
    let begun = wait::instant() + Duration::from_millis(200);
    let address = bench.server.address();
    bench.watched(number, || open_loop(address, begun, rate, scale.seconds, |n| bench.single(n)))?;
    let wanted = u64::from(rate) * scale.seconds.as_secs();
    let mut took = Vec::new();
    let mut seen = 0;
    wait::attempt("every page", Duration::from_secs(60), || {
        let calls = hook.calls();
        for call in calls.iter().skip(seen) {
            // Those that wait for the same slot share a message.
            for incident in call.page()?.incidents {
                let host = incident.host.context("a page without a host")?;
                let n = host.trim_start_matches("host-").parse().context("a page of another host")?;
                took.push(call.at.saturating_duration_since(due(begun, rate, n)));
            }
        }
        seen = calls.len();
        Ok((took.len() as u64 >= wanted).then_some(()))
    })?;
    let measured = Measured::new(took, scale.seconds, 0);
    Ok(two_latencies(number, metric, (measured.within_ms(500), measured.within_ms(990)), bounds, Some(flush)))
}

/// Two figures in milliseconds, each with what it must be and what is hoped for.
pub(crate) fn two_latencies(
    number: &'static str,
    metric: &'static str,
    (first, second): (f64, f64),
    ((must_1, must_2), (moon_1, moon_2)): ((f64, f64), (f64, f64)),
    flush: Option<&Measured>,
) -> Row {
    let flushes = |flush: &Measured| {
        format!("{:.0} x / {:.0} x one flush", first / flush.within_ms(500), second / flush.within_ms(500))
    };
    Row {
        number,
        metric,
        measured: format!("{first:.2} / {second:.2} ms"),
        against: flush.map(flushes).unwrap_or_default(),
        must: format!("{must_1} / {must_2} ms"),
        moonshot: format!("{moon_1} / {moon_2} ms"),
        stands: Stands::falling(first, must_1, moon_1).min(Stands::falling(second, must_2, moon_2)),
    }
}
