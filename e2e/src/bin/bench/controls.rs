//! What the machine does without us: flushes, trivial answers, and Alertmanager where it is installed.

use anyhow::{Context as _, Result, bail};
use e2e::{
    environment,
    http::Client,
    load::{Measured, closed_loop, post},
    wait,
};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{BufRead as _, BufReader, Write as _},
    net::{SocketAddr, TcpListener},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

/// Allocators and garbage collectors have given back by then what they will.
const REST: Duration = Duration::from_secs(4);

/// Appends a little and flushes it, again and again.
pub(crate) fn flushes(folder: &Path, count: usize) -> Result<Measured> {
    let mut file = File::create(folder.join("flushes"))?;
    let begun = wait::instant();
    let mut took = Vec::with_capacity(count);
    for _ in 0..count {
        let each = wait::instant();
        file.write_all(&[b'x'; 200])?;
        file.sync_data()?;
        took.push(each.elapsed());
    }
    Ok(Measured::new(took, begun.elapsed(), 0))
}

/// A child that is ended with its handle.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Server {
    pub(crate) fn resident_mb(&self) -> Result<f64> {
        resident_mb(self.child.id())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Memory a process holds.
pub(crate) fn resident_mb(pid: u32) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    let kb: f64 = line.trim().trim_end_matches("kB").trim().parse().context("VmRSS is no number")?;
    Ok(kb / 1_024.0)
}

/// The same once it rests: what a rush took is given back seconds after it, ours as another's.
pub(crate) fn rested_mb(pid: u32) -> Result<f64> {
    wait::sleep_until(wait::instant() + REST);
    resident_mb(pid)
}

/// Processor seconds each kind of thread of a process has used so far.
pub(crate) fn threads(pid: u32) -> Result<BTreeMap<String, f64>> {
    const TICKS_A_SECOND: f64 = 100.0;
    let mut used: BTreeMap<String, f64> = BTreeMap::new();
    for task in fs::read_dir(format!("/proc/{pid}/task"))?.flatten() {
        let stat = fs::read_to_string(task.path().join("stat"))?;
        let (_, rest) = stat.split_once('(').context("no name")?;
        let (name, rest) = rest.rsplit_once(") ").context("no name")?;
        // Fields 14 and 15, of which two are gone: in our code and in the system's.
        let ticks: f64 = rest.split(' ').skip(11).take(2).filter_map(|text| text.parse::<f64>().ok()).sum();
        let kind = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == ':' || c == '-');
        *used.entry(kind.to_owned()).or_default() += ticks / TICKS_A_SECOND;
    }
    Ok(used)
}

/// The body of the process `bench trivial-handler`.
pub(crate) fn serve_trivially() -> Result<()> {
    use actix_web::{App, HttpResponse, HttpServer, rt::System, web};
    System::new().block_on(async {
        let server = HttpServer::new(|| {
            // It reads what it is sent, as any handler must.
            let handler = |body: web::Bytes| async move { HttpResponse::Ok().body(body.len().to_string()) };
            App::new().default_service(web::to(handler))
        });
        let server = server.bind(("127.0.0.1", 0))?;
        println!("{}", server.addrs().first().context("it listens nowhere")?);
        Ok(server.run().await?)
    })
}

/// An actix handler that answers 200 and does nothing else.
pub(crate) fn trivial_handler() -> Result<Server> {
    let own = std::env::current_exe()?;
    let mut child = Command::new(own).arg("trivial-handler").stdout(Stdio::piped()).spawn()?;
    let mut line = String::new();
    BufReader::new(child.stdout.take().context("no output")?).read_line(&mut line)?;
    Ok(Server { child, address: line.trim().parse().context("it does not say where it listens")? })
}

/// Single requests a second of the trivial handler.
pub(crate) fn trivial(count: u64) -> Result<Measured> {
    let handler = trivial_handler()?;
    closed_loop(handler.address, 64, count, |n| {
        post("/", "text/plain", &format!("[P3][PROBLEM][host-{n}][10.0.0.1][disk is full]"))
    })
}

const ALERTMANAGER: &str = "prometheus-alertmanager";

/// What Alertmanager does with the same alerts.
pub(crate) struct Alertmanager {
    pub(crate) idle_mb: f64,
    pub(crate) start: Duration,
    pub(crate) single: Measured,
    pub(crate) batch: Measured,
    pub(crate) held_mb: f64,
}

/// How Alertmanager groups: by what all alerts share, which makes one group of them.
pub(crate) const ONE_GROUP: &str = "[alertname]";
/// By everything they say: a group each, as an incident each is here.
pub(crate) const A_GROUP_EACH: &str = "['...']";

/// None where it is not installed.
pub(crate) fn alertmanager(folder: &Path, group_by: &str, singles: u64, batches: u64) -> Result<Option<Alertmanager>> {
    let Some(program) = environment::program(ALERTMANAGER) else { return Ok(None) };
    let folder = tempfile::tempdir_in(folder)?;
    let folder = folder.path();
    let config = folder.join("alertmanager.yml");
    // It waits before it would notify anybody, so that nothing is measured but taking and holding.
    let grouped = format!("  group_by: {group_by}\n  group_wait: 1h\n");
    fs::write(&config, format!("route:\n  receiver: none\n{grouped}receivers:\n  - name: none\n"))?;
    let address = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?;
    let begun = wait::instant();
    let child = Command::new(program)
        .arg(format!("--config.file={}", config.display()))
        .arg(format!("--storage.path={}", folder.join("alertmanager").display()))
        .arg(format!("--web.listen-address={address}"))
        .args(["--cluster.listen-address=", "--log.level=error"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let mut server = Server { child, address };
    let client = Client::new(address);
    wait::attempt("Alertmanager to be ready", wait::PATIENCE, || {
        if let Some(status) = server.child.try_wait()? {
            bail!("Alertmanager ended with {status}");
        }
        Ok(client.get("/-/ready").is_ok_and(|answer| answer.status == 200).then_some(()))
    })?;
    let start = begun.elapsed();
    let idle_mb = server.resident_mb()?;
    let alert = |n: u64| {
        format!(
            r#"{{"labels":{{"alertname":"disk","severity":"P3","host":"host-{n}"}},"annotations":{{"summary":"disk is full"}}}}"#
        )
    };
    let single =
        closed_loop(address, 64, singles, |n| post("/api/v2/alerts", "application/json", &format!("[{}]", alert(n))))?;
    let batch = closed_loop(address, 8, batches, |n| {
        let alerts: Vec<String> = (0..100).map(|i| alert(1_000_000 + n * 100 + i)).collect();
        post("/api/v2/alerts", "application/json", &format!("[{}]", alerts.join(",")))
    })?;
    let held_mb = rested_mb(server.child.id())? * 100_000.0 / (singles + batches * 100) as f64;
    Ok(Some(Alertmanager { idle_mb, start, single, batch, held_mb }))
}
