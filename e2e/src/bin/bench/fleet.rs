//! A fleet of hosts that are measured every ten seconds: what taking, keeping and asking for it costs the server, beside a
//! handler that takes the same bodies and does nothing.

use crate::controls;
use anyhow::{Context as _, Result, bail, ensure};
use e2e::{
    load::{Measured, closed_loop, open_loop},
    tocsin::Tocsin,
    wait,
};
use flate2::{Compression, write::GzEncoder};
use serde_json::json;
use shared::api::Role;
use std::{fmt::Write as _, fs, io::Write as _, path::Path, sync::Mutex, time::Duration};

/// How large, and for how long.
pub(crate) struct Fleet {
    pub(crate) hosts: u64,
    pub(crate) series: u64,
    pub(crate) length: Duration,
}

const EVERY_MS: i64 = 10_000;
const HOUR_MS: i64 = 3_600_000;
/// Samples in one message of what was kept.
const KEPT: i64 = 360;
const ASKED: u64 = 40;

impl Fleet {
    /// From `HOSTS SERIES SECONDS`.
    pub(crate) fn of(words: &[&str]) -> Result<Self> {
        let [hosts, series, seconds] = words else { bail!("bench fleet HOSTS SERIES SECONDS") };
        let number = |text: &str| text.parse::<u64>().with_context(|| format!("`{text}` is not a number"));
        let fleet =
            Self { hosts: number(hosts)?, series: number(series)?, length: Duration::from_secs(number(seconds)?) };
        ensure!(
            fleet.hosts.is_multiple_of(10) && fleet.hosts > 0,
            "the hosts are measured in turn: make them a multiple of ten"
        );
        ensure!((1..=1_900).contains(&fleet.series), "a host has 1 to 1900 series here");
        Ok(fleet)
    }

    fn names(&self) -> Vec<String> {
        let name = |n: u64| match n {
            0 => "cpu.busy".to_owned(),
            1 => "load.1min".to_owned(),
            2 => "mem.memused.percent".to_owned(),
            _ => format!("{}/device=d{}", METRICS[(n % METRICS.len() as u64) as usize], n / METRICS.len() as u64),
        };
        (0..self.series).map(name).collect()
    }

    /// What a host says of some instants.
    fn report(&self, host: u64, every: impl Iterator<Item = i64>) -> Vec<u8> {
        let mut samples = String::new();
        for at in every {
            if !samples.is_empty() {
                samples.push(',');
            }
            // Writing to a text cannot fail.
            write!(samples, "{{\"at\":{at},\"values\":[").ok();
            for series in 0..self.series {
                let comma = if series == 0 { "" } else { "," };
                write!(samples, "{comma}{}", value(host, series, at / EVERY_MS)).ok();
            }
            samples.push_str("]}");
        }
        let head = json!({
            "agent": name(host), "sent_at": wait::now_ms(), "every_ms": EVERY_MS, "series": self.names(),
            "facts": { "hostname": name(host), "cpus": 4, "ips": [format!("10.{}.{}.1", host / 250, host % 250)] },
        });
        let head = head.to_string();
        let open = head.strip_suffix('}').unwrap_or(&head);
        format!("{open},\"samples\":[{samples}]}}").into_bytes()
    }
}

const METRICS: [&str; 8] = [
    "disk.io.util",
    "disk.io.await",
    "disk.io.read_bytes",
    "net.if.in.bits",
    "net.if.out.bits",
    "df.bytes.used.percent",
    "mem.cached",
    "ss.estab",
];

fn name(host: u64) -> String {
    format!("host-{host:05}")
}

/// About what machines say: much that never changes, much that is mostly nothing, loads, rates, counts and bytes.
fn value(host: u64, series: u64, beat: i64) -> f64 {
    let seed = (host * 7_919 + series).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mixed = (seed ^ beat.cast_unsigned().wrapping_mul(0xBF58_476D_1CE4_E5B9)).wrapping_mul(0x94D0_49BB_1331_11EB);
    let noise = (mixed >> 40) as f64 / (1_u64 << 24) as f64;
    let wave = ((beat as f64 / 90.0 + (seed >> 48) as f64).sin() + 1.0) * 50.0;
    match series {
        0 | 2 => ((wave * 40.0).floor() / 4_003.0 * 100.0 + noise).clamp(0.0, 100.0),
        1 => (wave * 10.0 + noise * 20.0).floor() / 100.0,
        _ => match seed >> 32 & 7 {
            0..=2 => 16.0 * 1_073_741_824.0,
            3 => {
                if noise < 0.05 {
                    (noise * 1_000.0).floor() / 10.003
                } else {
                    0.0
                }
            }
            4 => (wave * 3.0 + noise * 4.0).floor(),
            5 => ((8e9 + wave * 1e7 + noise * 1e6) / 4_096.0).floor() * 4_096.0,
            6 => (wave * wave * 10.0 + noise * 50.0).floor() / (10.0 + noise * 0.01),
            _ => 40.0 + wave / 10.0,
        },
    }
}

/// A request with a deflated body, as agents send it.
fn request(path: &str, token: &str, body: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    // Memory takes everything.
    let body = gzip.write_all(body).and_then(|()| gzip.finish()).unwrap_or_default();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n\
         Content-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), &body].concat()
}

/// A question for series.
fn asks(token: &str, body: &serde_json::Value) -> Vec<u8> {
    let body = body.to_string();
    let head = format!(
        "POST /api/v1/hosts/series HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    (head + &body).into_bytes()
}

pub(crate) fn fleet(fleet: &Fleet) -> Result<()> {
    let mut server = Tocsin::fresh()?;
    server.start_with(&["--log", "warn"])?;
    server.apply("[[sources]]\nid = \"agents\"\nkind = \"agents\"\n[hosts]\nown = false\n")?;
    let agent = server.ask(&["token", "create", "--kind", "agent", "--name", "agents"], "")?.trim().to_owned();
    let empty_mb = controls::rested_mb(server.pid())?;
    let rate = u32::try_from(fleet.hosts / 10)?;
    let total = u64::from(rate) * fleet.length.as_secs();
    let bytes = Mutex::new(0_u64);
    // The body is of now: it is made as it is due, and that is the sender's cost, not the server's.
    let report = |n: u64| {
        let made =
            request("/agent/v1/samples", &agent, &fleet.report(n % fleet.hosts, std::iter::once(wait::now_ms())));
        *bytes.lock().unwrap_or_else(std::sync::PoisonError::into_inner) += made.len() as u64;
        made
    };
    let handler = controls::trivial_handler()?;
    let control = open_loop(handler.address, wait::instant(), rate, Duration::from_secs(10), report)?;
    drop(handler);
    *bytes.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = 0;
    let before = processor(&server)?;
    let taken = open_loop(server.address(), wait::instant(), rate, fleet.length, report)?;
    let used = processor(&server)? - before;
    ensure!(taken.refused == 0, "{} of {total} reports were refused: {}", taken.refused, server.log());
    let sent = bytes.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) as f64 / total as f64;
    let values = total * fleet.series;
    let full_mb = controls::rested_mb(server.pid())?;
    let seconds = fleet.length.as_secs_f64();
    println!("{} hosts, {} series each, every 10 s, for {seconds:.0} s", fleet.hosts, fleet.series);
    println!(
        "  taken: {:.0} samples/s, {:.0} values/s, {sent:.0} bytes a sample as sent",
        taken.per_second(),
        values as f64 / seconds
    );
    compare("  each report", &taken, &control);
    println!("  processor: {:.1} % of one core, {:.0} µs a sample", used / seconds * 100.0, used * 1e6 / total as f64);
    println!("  memory: {full_mb:.0} MB, {empty_mb:.0} MB without hosts");
    queries(fleet, &server, &agent, &control)?;
    let (pid_mb, kept) = (controls::rested_mb(server.pid())?, stored(&mut server)?);
    println!("  memory with all of it asked for: {pid_mb:.0} MB");
    let with_history = values + 24 * KEPT.unsigned_abs() * fleet.series;
    println!("  stored after the end: {:.1} MB, {:.2} bytes a value", kept / 1e6, kept / with_history as f64);
    Ok(())
}

fn compare(what: &str, measured: &Measured, control: &Measured) {
    println!(
        "{what}: p50 {:.2} ms, p99 {:.2} ms; {:.1} times a handler that does nothing (p50 {:.2} ms, p99 {:.2} ms)",
        measured.within_ms(500),
        measured.within_ms(990),
        measured.within_ms(500) / control.within_ms(500),
        control.within_ms(500),
        control.within_ms(990)
    );
}

/// Processor seconds of the server so far.
fn processor(server: &Tocsin) -> Result<f64> {
    Ok(controls::threads(server.pid())?.values().sum())
}

fn queries(fleet: &Fleet, server: &Tocsin, agent: &str, control: &Measured) -> Result<()> {
    // A day of one host, as an agent brings it after the server was away.
    let end = wait::now_ms() - HOUR_MS / 2;
    let day = |n: u64| {
        let begin = end - (24 - n.cast_signed()) * HOUR_MS;
        request("/agent/v1/samples", agent, &fleet.report(0, (0..KEPT).map(|beat| begin + beat * EVERY_MS)))
    };
    let kept = closed_loop(server.address(), 1, 24, day)?;
    ensure!(kept.refused == 0, "{} hours of one host were refused", kept.refused);
    println!(
        "  a day of one host sent again: {:.2} s, an hour in p50 {:.0} ms",
        kept.total.as_secs_f64(),
        kept.within_ms(500)
    );
    let viewer = server.api_token(Role::Viewer)?;
    let ask = |what: &str, body: &(dyn Fn() -> serde_json::Value + Sync)| -> Result<()> {
        let measured = closed_loop(server.address(), 1, ASKED, |_| asks(&viewer, &body()))?;
        ensure!(measured.refused == 0, "{} questions were refused", measured.refused);
        compare(what, &measured, control);
        Ok(())
    };
    let span = |hours: i64| (wait::now_ms() - hours * HOUR_MS, wait::now_ms());
    let of_one = |hours: i64| {
        let (from, until) = span(hours);
        let series = ["cpu.busy", "load.1min", "disk.io.util", "net.if.in.bits"];
        json!({ "hosts": [name(0)], "series": series, "from": from, "until": until, "points": 1_000 })
    };
    ask("  one host, 1 h, four metrics", &|| of_one(1))?;
    ask("  one host, 24 h, four metrics", &|| of_one(24))?;
    ask("  one metric of all hosts, 1 h", &|| {
        let (from, until) = span(1);
        json!({ "series": ["cpu.busy"], "from": from, "until": until, "points": 120 })
    })
}

/// Bytes of the database once the server has ended, and everything is in it.
fn stored(server: &mut Tocsin) -> Result<f64> {
    server.stop()?;
    let size = |path: &Path| fs::metadata(path).map_or(0, |it| it.len());
    let files = fs::read_dir(server.data())?.flatten().map(|entry| entry.path());
    let database = files.filter(|path| path.to_string_lossy().contains(".db") && path.is_file());
    let bytes = database.map(|path| size(&path)).sum::<u64>();
    ensure!(bytes > 0, "there is no database in {}", server.data().display());
    Ok(bytes as f64)
}
