//! The same machine measured by several: a real Prometheus that writes here, the real node_exporter it asks, asked by this
//! server too, and Open-Falcon's push over HTTP and JSON-RPC. What they say of it must agree.

use anyhow::{Context as _, Result, ensure};
use e2e::{environment, http::Client, running::Running, tocsin::Tocsin, wait};
use serde_json::json;
use shared::{
    Timestamp,
    api::{HostBoard, HostDetail, Role, SeriesAnswer, SeriesQuery},
    host::{Feed, HostState},
};
use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

/// Seconds that are compared.
const COMPARED: i64 = 10;
const PATIENCE: Duration = Duration::from_secs(60);
/// What this server calls the exporter; the Prometheus calls it as the machine calls itself.
const SCRAPED: &str = "scraped";

fn started(program: &str, arguments: &[String]) -> Result<Running> {
    let found = environment::program(program).with_context(|| {
        format!("{program} is missing; `cargo xtask test` installs it, or: apt-get install {program}")
    })?;
    let child = Command::new(found).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    Ok(Running(child))
}

fn free() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// A Prometheus that asks the exporter each second and writes what it hears to an address.
fn prometheus(folder: &Path, exporter: SocketAddr, url: &str) -> Result<Running> {
    let file = folder.join("prometheus.yml");
    let config = format!(
        "global: {{ scrape_interval: 1s }}\n\
         scrape_configs: [{{ job_name: node, static_configs: [{{ targets: ['{exporter}'] }}] }}]\n\
         remote_write: [{{ url: '{url}', queue_config: {{ batch_send_deadline: 1s, min_shards: 3 }} }}]\n"
    );
    fs::write(&file, config)?;
    let own = free()?;
    started(
        "prometheus",
        &[
            format!("--config.file={}", file.display()),
            format!("--storage.tsdb.path={}", folder.join("data").display()),
            format!("--web.listen-address={own}"),
        ],
    )
}

/// The mean of each of these series in the seconds before then, where there is any.
fn means(viewer: &Client, host: &str, series: &[&str], until: Timestamp, seconds: i64) -> Result<Vec<Option<f32>>> {
    let query = SeriesQuery {
        hosts: vec![host.to_owned()],
        series: series.iter().map(|it| (*it).to_owned()).collect(),
        from: until.plus_ms(-1_000 * seconds),
        until,
        points: 1,
    };
    let answer = viewer.post_json("/api/v1/hosts/series", &serde_json::to_value(query)?)?.is(200)?;
    let answer: SeriesAnswer = answer.json()?;
    let of = |name: &&str| {
        let line = answer.lines.iter().find(|line| line.host == host && line.series == *name)?;
        let found: Vec<f32> = line.mean.iter().copied().flatten().collect();
        (!found.is_empty()).then(|| found.iter().sum::<f32>() / found.len() as f32)
    };
    Ok(series.iter().map(of).collect())
}

#[test]
fn several_who_measure_one_machine_agree() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (exporter, falcon) = (free()?, free()?);
    let arguments = [format!("--web.listen-address={exporter}"), "--collector.processes".to_owned()];
    let _exporter = started("prometheus-node-exporter", &arguments)?;
    let mut server = Tocsin::fresh()?;
    // Before it starts: it would measure its own machine until it is told not to.
    let config = |falcon: SocketAddr| {
        format!(
            "[hosts]\nown = false\nfalcon_listen = \"{falcon}\"\nfalcon_from = [\"127.0.0.1\"]\n\
             [[hosts.scrapes]]\naddress = \"http://{exporter}/metrics\"\nhost = \"{SCRAPED}\"\nevery = \"1s\"\n"
        )
    };
    server.apply(&config(falcon))?;
    server.start()?;
    let token = server.sender("measures")?;
    let _prometheus = prometheus(folder.path(), exporter, &server.url(&format!("/prom/{token}/api/v1/write")))?;
    let viewer = server.somebody(Role::Viewer)?;

    push_over_http(&server, &token)?;
    push_over_rpc(falcon)?;

    let name = fs::read_to_string("/proc/sys/kernel/hostname")?.trim().to_owned();
    let rows = wait::attempt("all of them to be seen with rates", PATIENCE, || {
        let board: HostBoard = viewer.read("/api/v1/hosts")?;
        let names = [name.as_str(), SCRAPED, "falcon-http", "falcon-rpc"];
        let rows: Vec<_> = names.iter().filter_map(|name| board.hosts.iter().find(|row| row.name == *name)).collect();
        let measured = |host: &str| rows.iter().any(|row| row.name == host && row.vitals.cpu_busy.is_some());
        let is_there = rows.len() == names.len() && measured(&name) && measured(SCRAPED);
        Ok(is_there.then(|| rows.into_iter().cloned().collect::<Vec<_>>()))
    })?;
    let feeds: Vec<_> = rows.iter().map(|row| row.feeds.clone()).collect();
    ensure!(
        feeds == [vec![Feed::RemoteWrite], vec![Feed::Scrape], vec![Feed::Falcon], vec![Feed::Falcon]],
        "{feeds:?}"
    );
    ensure!(rows.iter().all(|row| row.state == HostState::Live), "{rows:?}");
    ensure!(rows[0].every_ms == 1_000 && rows[1].every_ms == 1_000, "{rows:?}");

    compare(&viewer, &name)?;
    let detail: HostDetail = viewer.read(&format!("/api/v1/hosts/one?name={name}"))?;
    let facts = detail.facts.context("it says nothing of itself")?;
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    ensure!((facts.hostname.as_str(), facts.kernel.as_str()) == (name.as_str(), kernel.trim()), "{facts:?}");
    ensure!(facts.version.starts_with("node_exporter "), "{facts:?}");
    let own = means(&viewer, "falcon-rpc", &["cpu.idle", "cpu.busy"], Timestamp::from_ms(wait::now_ms()), 60)?;
    ensure!(own == [Some(93.5), Some(6.5)], "{own:?}");

    // The listener follows the configuration.
    let other = free()?;
    server.apply(&config(other))?;
    push_over_rpc(other)?;
    ensure!(TcpStream::connect(falcon).is_err(), "it still listens where it listened before");
    Ok(())
}

/// What is no rate is the same; what is one can differ by the intervals, which do not begin together.
fn compare(viewer: &Client, name: &str) -> Result<()> {
    const SAME: [&str; 4] = ["mem.memtotal", "conntrack.max", "kernel.maxfiles", "pids.max"];
    const ALIKE: [(&str, f32); 5] = [
        ("cpu.busy", 15.0),
        ("cpu.system", 10.0),
        ("mem.memused.percent", 3.0),
        ("load.1min", 2.0),
        ("load.15min", 0.5),
    ];
    // Of the same seconds: on a busy machine the one begins long after the other.
    let begun = Timestamp::from_ms(wait::now_ms());
    let until = begun.plus_ms(1_000 * COMPARED);
    wait::attempt("both to have measured for some seconds", PATIENCE, || {
        let alive = ["agent.alive"];
        let both = [name, SCRAPED].map(|host| means(viewer, host, &alive, until.plus_ms(2_000), 2));
        Ok(both.into_iter().collect::<Result<Vec<_>>>()?.iter().all(|it| it == &[Some(1.0)]).then_some(()))
    })?;
    let means = |host: &str, series: &[&str]| means(viewer, host, series, until, COMPARED);
    let (written, scraped) = (means(name, &SAME)?, means(SCRAPED, &SAME)?);
    ensure!(written == scraped, "{written:?} and {scraped:?}");
    ensure!(written[0].is_some() && written[2].is_some() && written[3].is_some(), "{written:?}");
    let series: Vec<&str> = ALIKE.iter().map(|(series, _)| *series).collect();
    let (written, scraped) = (means(name, &series)?, means(SCRAPED, &series)?);
    for ((series, most), (a, b)) in ALIKE.iter().zip(written.iter().zip(&scraped)) {
        let (a, b) = (
            a.with_context(|| format!("no {series} was written"))?,
            b.with_context(|| format!("no {series} was told"))?,
        );
        println!("{series}: {a} by remote write, {b} by asking");
        ensure!((a - b).abs() <= *most, "{series}: {a} by remote write, {b} by asking");
    }
    Ok(())
}

/// As a program does that pushed to its agent, and one that pushed to `transfer`.
fn push_over_http(server: &Tocsin, token: &str) -> Result<()> {
    let metric = |metric: &str, value: f64| {
        json!({
            "endpoint": "falcon-http", "metric": metric, "value": value, "step": 60, "counterType": "GAUGE", "tags": "",
            "timestamp": wait::now_ms() / 1_000,
        })
    };
    let anybody = server.anybody();
    let pushed = anybody.post_json(&format!("/falcon/{token}/v1/push"), &json!([metric("cpu.idle", 50.0)]))?.is(200)?;
    ensure!(pushed.body == b"success", "{pushed:?}");
    let pushed =
        anybody.post_json(&format!("/falcon/{token}/api/push"), &json!([metric("nginx.alive", 1.0)]))?.is(200)?;
    let said = String::from_utf8_lossy(&pushed.body);
    ensure!(said.starts_with("{\"msg\":\"success\",\"data\":{\"Message\":\"ok\",\"Total\":1,\"Invalid\":0,"), "{said}");
    Ok(())
}

/// As an agent of Open-Falcon does.
fn push_over_rpc(address: SocketAddr) -> Result<()> {
    let stream = wait::attempt("the listener", PATIENCE, || Ok(TcpStream::connect(address).ok()))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let metric = json!({
        "endpoint": "falcon-rpc", "metric": "cpu.idle", "value": 93.5, "step": 60, "counterType": "GAUGE", "tags": "",
        "timestamp": wait::now_ms() / 1_000,
    });
    let call = json!({ "method": "Transfer.Update", "params": [[metric]], "id": 0 });
    (&stream).write_all(call.to_string().as_bytes())?;
    let mut answer = String::new();
    BufReader::new(&stream).read_line(&mut answer)?;
    ensure!(answer.contains("\"Message\":\"ok\",\"Total\":1,\"Invalid\":0,"), "{answer}");
    Ok(())
}
