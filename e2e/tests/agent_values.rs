//! The agent's values against independent tools on this very machine, under load: each is printed beside theirs, with how
//! far it is from what they allow.
//!
//! Where a tool reads counters or an amount, it is read all the time; ours must lie between what was read before and what
//! was read after. Where a tool measures over a time (`mpstat`, `iostat`), it measures the same ten seconds as the agent,
//! up to the moment that the sample takes to arrive, so a bound is given for what that moment may hold.

use anyhow::{Context as _, Result, ensure};
use e2e::{
    environment,
    hook::{HookSink, Reply},
    running::Running,
    wait,
};
use flate2::read::GzDecoder;
use serde_json::Value;
use shared::agent::{SAMPLES_PATH, SampleReport};
use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};
use tempfile::TempDir;

/// The agent measures this often here: as it does while nobody looks.
const ANSWER: &str = r#"{"every_ms":10000}"#;
const SECONDS: f64 = 10.0;
/// From the instant of a sample on, everything in it is read within this, on a busy machine and in a debug build.
const READ_WITHIN_MS: f64 = 400.0;
/// A little of each kind of work, all the time.
const CONNECTIONS: usize = 40;

/// Reads everything again and again, each with the instants before and after. `psutil` reads /proc by itself.
const OBSERVER: &str = r#"
import json, subprocess, sys, time, psutil
def now(): return time.time() * 1000
def run(*words): return subprocess.run(words, capture_output=True, text=True, env={"LC_ALL": "C", "PATH": "/usr/bin:/bin:/usr/sbin:/sbin"}).stdout
def say(what, read):
    begun = now()
    values = read()
    print(json.dumps({"what": what, "from": begun, "until": now(), "values": values}), flush=True)
def counters():
    times, stats = psutil.cpu_times(), psutil.cpu_stats()
    values = {"cpu." + name: getattr(times, name) for name in times._fields}
    values["cpu.total"] = sum(times[:8])
    values["ctx"], values["intr"] = stats.ctx_switches, stats.interrupts
    for name, it in psutil.net_io_counters(pernic=True, nowrap=False).items():
        for field in ("bytes_recv", "bytes_sent", "packets_recv", "packets_sent", "errin", "dropin"):
            values[f"net.{name}.{field}"] = getattr(it, field)
    for name, it in psutil.disk_io_counters(perdisk=True, nowrap=False).items():
        for field in ("read_bytes", "write_bytes", "read_count", "write_count", "read_time", "write_time", "busy_time"):
            values[f"disk.{name}.{field}"] = getattr(it, field)
    with open("/proc/diskstats") as disks:  # psutil leaves this one out
        for words in map(str.split, disks): values[f"disk.{words[2]}.queue_time"] = int(words[13])
    return values
def amounts():
    memory, swap = psutil.virtual_memory(), psutil.swap_memory()
    return {"total": memory.total, "available": memory.available, "free": memory.free, "buffers": memory.buffers,
            "swap": swap.used, "pids": len(psutil.pids()), "load": psutil.getloadavg()[0]}
def free():
    names, memory, *rest = run("free", "-b").splitlines()
    return dict(zip(names.split(), map(int, memory.split()[1:])))
def df():
    rows = [line.rsplit(None, 4) for line in run("df", "-B1", "--output=target,size,used,avail,pcent").splitlines()[1:]]
    return {row[0]: {"size": int(row[1]), "used": int(row[2]), "avail": int(row[3])} for row in rows if row[1] != "-"}
def sockets():
    counts = {}
    for line in run("ss", "-tanH").splitlines():
        state = line.split()[0]
        counts[state] = counts.get(state, 0) + 1
    return counts
def links():
    return {it["ifname"]: it["stats64"] for it in json.loads(run("ip", "-j", "-s", "link"))}
n = 0
while True:
    say("counters", counters)
    say("amounts", amounts)
    if n % 4 == 0:
        for what, read in (("free", free), ("df", df), ("ss", sockets), ("ip", links)): say(what, read)
    n += 1
    time.sleep(0.05)
"#;

/// What a tool read, by its name, in order.
type Readings = Arc<Mutex<BTreeMap<String, Vec<Value>>>>;

fn observe() -> Result<(Running, Readings)> {
    let mut python = Command::new(environment::python()?);
    let mut child = python.args(["-c", OBSERVER]).stdout(Stdio::piped()).spawn()?;
    let lines = BufReader::new(child.stdout.take().context("no output")?).lines();
    let readings = Readings::default();
    let shared = Arc::clone(&readings);
    thread::spawn(move || {
        for reading in lines.map_while(Result::ok).filter_map(|line| serde_json::from_str::<Value>(&line).ok()) {
            let what = reading["what"].as_str().unwrap_or_default().to_owned();
            if let Ok(mut readings) = shared.lock() {
                readings.entry(what).or_default().push(reading);
            }
        }
    });
    Ok((Running(child), readings))
}

/// Work of each kind until it is dropped: a core, the disk, the loopback, connections of two states.
struct Load {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
    _open: Vec<TcpStream>,
}

impl Load {
    fn begin(folder: &TempDir) -> Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let mut open = Vec::new();
        for n in 0..2 * CONNECTIONS {
            let (one, other) = (TcpStream::connect(address)?, listener.accept()?.0);
            if n < CONNECTIONS {
                open.extend([one, other]);
            }
            // The others are closed, and wait.
        }
        let mut threads = Vec::new();
        let mut begin = |mut work: Box<dyn FnMut() + Send>| {
            let stop = Arc::clone(&stop);
            threads.push(thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    work();
                }
            }));
        };
        let mut sum = 0_u64;
        begin(Box::new(move || sum = (0..100_000).fold(sum, |sum, n| std::hint::black_box(sum ^ n))));
        let mut file = fs::File::create(folder.path().join("written"))?;
        let block = vec![7; 256 * 1_024];
        begin(Box::new(move || {
            drop(file.write_all(&block).and_then(|()| file.sync_data()).and_then(|()| file.set_len(0)));
            wait::pass(Duration::from_millis(20));
        }));
        let (mut one, mut other) = (TcpStream::connect(address)?, listener.accept()?.0);
        let mut message = vec![7; 64 * 1_024];
        begin(Box::new(move || {
            drop(one.write_all(&message).and_then(|()| other.read_exact(&mut message)));
            wait::pass(Duration::from_millis(10));
        }));
        Ok(Self { stop, threads, _open: open })
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            drop(thread.join());
        }
    }
}

/// A sample by the names of its series.
#[derive(Debug)]
struct Ours {
    at: f64,
    values: BTreeMap<String, f64>,
}

fn samples(sink: &HookSink) -> Result<Vec<Ours>> {
    let mut samples = Vec::new();
    for call in sink.calls_of(SAMPLES_PATH) {
        let mut text = Vec::new();
        GzDecoder::new(call.body.as_slice()).read_to_end(&mut text)?;
        let report: SampleReport = serde_json::from_slice(&text)?;
        for sample in &report.samples {
            let values = report.series.iter().zip(&sample.values);
            let values = values.filter_map(|(name, value)| Some((name.clone(), (*value)?))).collect();
            samples.push(Ours { at: sample.at.ms() as f64, values });
        }
    }
    Ok(samples)
}

/// What a tool read before and after an instant, and all that it read between, of one value.
fn around(readings: &[Value], pointer: &str, at: f64) -> Result<(f64, f64)> {
    let instant = |reading: &Value, name: &str| reading[name].as_f64().unwrap_or_default();
    let before = readings.iter().rposition(|it| instant(it, "until") <= at).context("nothing was read before")?;
    let after = readings.iter().position(|it| instant(it, "from") >= at + READ_WITHIN_MS);
    let after = after.context("nothing was read after")?;
    let values = readings[before..=after]
        .iter()
        .map(|it| it["values"].pointer(pointer).and_then(Value::as_f64).unwrap_or_default());
    Ok(values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), it| (low.min(it), high.max(it))))
}

/// One line of the table.
struct Row {
    metric: String,
    tool: &'static str,
    ours: f64,
    low: f64,
    high: f64,
    /// How far outside of what the tool says ours may be.
    bound: f64,
}

impl Row {
    fn difference(&self) -> f64 {
        (self.low - self.ours).max(self.ours - self.high).max(0.0)
    }

    fn is_good(&self) -> bool {
        self.difference() <= self.bound
    }

    fn shown(&self) -> String {
        let number = |it: f64| if it.abs() >= 1_000.0 { format!("{it:.0}") } else { format!("{it:.2}") };
        let theirs = if self.low == self.high {
            number(self.low)
        } else {
            format!("{} .. {}", number(self.low), number(self.high))
        };
        let (ours, difference, bound) = (number(self.ours), number(self.difference()), number(self.bound));
        let mark = if self.is_good() { "" } else { "  <- too far" };
        format!("{:<44} {:>14} {:<8} {theirs:>32} {difference:>12} {bound:>10}{mark}", self.metric, ours, self.tool)
    }
}

/// Two samples, ten seconds apart, and what the tools said around them.
struct Comparison {
    one: Ours,
    two: Ours,
    readings: BTreeMap<String, Vec<Value>>,
    rows: Vec<Row>,
}

impl Comparison {
    fn ours(&self, metric: &str) -> Result<f64> {
        self.two.values.get(metric).copied().with_context(|| format!("the agent has no {metric}"))
    }

    fn read(&self, what: &str) -> Result<&[Value]> {
        Ok(self.readings.get(what).with_context(|| format!("{what} said nothing"))?)
    }

    fn add(&mut self, metric: &str, tool: &'static str, (low, high): (f64, f64), bound: f64) -> Result<()> {
        let row = Row { metric: metric.to_owned(), tool, ours: self.ours(metric)?, low, high, bound };
        self.rows.push(row);
        Ok(())
    }

    /// By how much a counter can have grown between the two samples.
    fn growth(&self, what: &str, pointer: &str) -> Result<(f64, f64)> {
        let (one, two) =
            (around(self.read(what)?, pointer, self.one.at)?, around(self.read(what)?, pointer, self.two.at)?);
        Ok(((two.0 - one.1).max(0.0), two.1 - one.0))
    }

    /// The same in a second: the two readings of ours may be so much nearer or further apart than the samples' instants.
    fn rate(&self, what: &str, pointer: &str, each: f64) -> Result<(f64, f64)> {
        let (low, high) = self.growth(what, pointer)?;
        let seconds = (self.two.at - self.one.at) / 1_000.0;
        let slack = READ_WITHIN_MS / 1_000.0;
        Ok((low * each / (seconds + slack), high * each / (seconds - slack)))
    }

    fn amount(&mut self, metric: &str, tool: &'static str, what: &str, pointer: &str, bound: f64) -> Result<()> {
        let range = around(self.read(what)?, pointer, self.two.at)?;
        self.add(metric, tool, range, bound)
    }

    /// Amounts. What moves all the time may have been higher or lower between two looks: a two-hundredth of the memory, a
    /// thousandth of a file system, a few connections and processes of others.
    fn amounts(&mut self) -> Result<()> {
        let memory = self.ours("mem.memtotal")? / 200.0;
        self.amount("mem.memtotal", "psutil", "amounts", "/total", 0.0)?;
        self.amount("mem.memtotal", "free", "free", "/total", 0.0)?;
        for (metric, name) in
            [("memavailable", "available"), ("memfree", "free"), ("buffers", "buffers"), ("swapused", "swap")]
        {
            self.amount(&format!("mem.{metric}"), "psutil", "amounts", &format!("/{name}"), memory)?;
        }
        for (metric, name) in [("memused", "used"), ("memavailable", "available"), ("memfree", "free")] {
            self.amount(&format!("mem.{metric}"), "free", "free", &format!("/{name}"), memory)?;
        }
        self.amount("proc.total", "psutil", "amounts", "/pids", 5.0)?;
        self.amount("load.1min", "psutil", "amounts", "/load", 0.01)?;
        let states = [("estab", "ESTAB"), ("listen", "LISTEN"), ("timewait", "TIME-WAIT"), ("closewait", "CLOSE-WAIT")];
        for (metric, state) in states.into_iter().chain([("synsent", "SYN-SENT"), ("finwait2", "FIN-WAIT-2")]) {
            self.amount(&format!("ss.{metric}"), "ss", "ss", &format!("/{state}"), 5.0)?;
        }
        let is_size = |name: &&String| name.starts_with("df.bytes.total/");
        let sizes: Vec<String> = self.two.values.keys().filter(is_size).cloned().collect();
        ensure!(!sizes.is_empty(), "the agent has no file system");
        for size in sizes {
            let tags = size.split_once('/').map_or("", |(_, tags)| tags).to_owned();
            let place = tags.split_once("mount=").map_or("", |(_, place)| place).replace('~', "~0").replace('/', "~1");
            let part = self.ours(&size)? / 1_000.0;
            for (metric, name, bound) in [("total", "size", 0.0), ("used", "used", part), ("free", "avail", part)] {
                self.amount(&format!("df.bytes.{metric}/{tags}"), "df", "df", &format!("/{place}/{name}"), bound)?;
            }
        }
        Ok(())
    }

    fn rates(&mut self) -> Result<()> {
        let total = self.growth("counters", "/cpu.total")?;
        for way in ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal", "guest"] {
            let (low, high) = self.growth("counters", &format!("/cpu.{way}"))?;
            self.add(&format!("cpu.{way}"), "psutil", (low * 100.0 / total.1, high * 100.0 / total.0), 0.01)?;
        }
        for (metric, name) in [("cpu.switches", "ctx"), ("cpu.interrupts", "intr")] {
            let range = self.rate("counters", &format!("/{name}"), 1.0)?;
            self.add(metric, "psutil", range, 0.0)?;
        }
        for (metric, name, in_ip, each) in [
            ("in.bits", "bytes_recv", "rx/bytes", 8.0),
            ("out.bits", "bytes_sent", "tx/bytes", 8.0),
            ("in.packets", "packets_recv", "rx/packets", 1.0),
            ("out.packets", "packets_sent", "tx/packets", 1.0),
            ("in.errors", "errin", "rx/errors", 1.0),
            ("in.dropped", "dropin", "rx/dropped", 1.0),
        ] {
            let metric = format!("net.if.{metric}/iface=lo");
            let range = self.rate("counters", &format!("/net.lo.{name}"), each)?;
            self.add(&metric, "psutil", range, 0.01)?;
            let range = self.rate("ip", &format!("/lo/{in_ip}"), each)?;
            self.add(&metric, "ip -s", range, 0.01)?;
        }
        Ok(())
    }

    /// The first disk that was written to.
    fn disk(&self) -> Result<String> {
        let written = |(name, value): (&String, &f64)| {
            name.strip_prefix("disk.io.write_requests/device=").filter(|_| *value > 0.0).map(str::to_owned)
        };
        self.two.values.iter().find_map(written).context("no disk was written to")
    }

    fn disks(&mut self, iostat: &Value) -> Result<()> {
        let disk = self.disk()?;
        // How far the readings around our two samples are apart: as much may have come in the moments between.
        let mut moments = BTreeMap::new();
        for (metric, name) in [
            ("read_bytes", "read_bytes"),
            ("write_bytes", "write_bytes"),
            ("read_requests", "read_count"),
            ("write_requests", "write_count"),
        ] {
            let range = self.rate("counters", &format!("/disk.{disk}.{name}"), 1.0)?;
            moments.insert(metric, range.1 - range.0);
            self.add(&format!("disk.io.{metric}/device={disk}"), "psutil", range, 0.01)?;
        }
        // Milliseconds in a second, of a hundred.
        let range = self.rate("counters", &format!("/disk.{disk}.busy_time"), 0.1)?;
        self.add(&format!("disk.io.util/device={disk}"), "psutil", range, 0.01)?;
        // Requests that waited a second, in a second. One burst that ends between two readings can be most of it.
        let range = self.rate("counters", &format!("/disk.{disk}.queue_time"), 0.001)?;
        moments.insert("avgqu-sz", range.1 - range.0);
        self.add(&format!("disk.io.avgqu-sz/device={disk}"), "/proc", range, 0.01)?;
        let waited = self.growth("counters", &format!("/disk.{disk}.write_time"))?;
        let written = self.growth("counters", &format!("/disk.{disk}.write_count"))?;
        let range = (waited.0 / written.1.max(1.0), waited.1 / written.0.max(1.0));
        moments.insert("w_await", range.1 - range.0);
        self.add(&format!("disk.io.w_await/device={disk}"), "psutil", range, 0.01)?;
        let theirs = iostat.pointer("/sysstat/hosts/0/statistics/0/disk").and_then(Value::as_array);
        let theirs = theirs.and_then(|disks| disks.iter().find(|it| it["disk_device"] == disk.as_str()));
        let theirs = theirs.with_context(|| format!("iostat does not tell of {disk}: {iostat}"))?.clone();
        let value = |name: &str| theirs[name].as_f64().unwrap_or_default();
        // The moment by which the times differ may hold a burst: a twentieth, a little, or what came around our samples.
        for (metric, name, each, least) in [
            ("util", "util", 1.0, 3.0),
            ("read_requests", "r/s", 1.0, 20.0),
            ("write_requests", "w/s", 1.0, 5.0),
            ("write_bytes", "wkB/s", 1_024.0, 500_000.0),
            ("w_await", "w_await", 1.0, 1.0),
            ("avgqu-sz", "aqu-sz", 1.0, 0.5),
        ] {
            let theirs = value(name) * each;
            self.add(
                &format!("disk.io.{metric}/device={disk}"),
                "iostat",
                (theirs, theirs),
                f64::max(least, theirs * 0.05).max(moments.get(metric).copied().unwrap_or_default()),
            )?;
        }
        Ok(())
    }

    fn processors(&mut self, mpstat: &Value) -> Result<()> {
        let all = mpstat.pointer("/sysstat/hosts/0/statistics/0/cpu-load/0").context("mpstat says nothing")?.clone();
        let value = |name: &str| all[name].as_f64().unwrap_or_default();
        // `mpstat` counts guests apart; for us they are a part of user and of nice.
        for (metric, theirs) in [
            ("user", value("usr") + value("guest")),
            ("nice", value("nice") + value("gnice")),
            ("system", value("sys")),
            ("idle", value("idle")),
            ("iowait", value("iowait")),
            ("softirq", value("soft")),
            ("steal", value("steal")),
        ] {
            self.add(&format!("cpu.{metric}"), "mpstat", (theirs, theirs), 3.0)?;
        }
        Ok(())
    }
}

/// Measures for ten seconds, beginning now.
fn sysstat(program: &str, arguments: &str) -> Result<Child> {
    let mut command = Command::new(program);
    command.args(arguments.split(' ')).env("LC_ALL", "C").stdout(Stdio::piped());
    command.spawn().with_context(|| format!("{program} is missing; `cargo xtask test` installs it (Debian: sysstat)"))
}

fn told(child: Child) -> Result<Value> {
    let output = child.wait_with_output()?;
    serde_json::from_slice(&output.stdout).with_context(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

fn start_agent(sink: &HookSink, folder: &TempDir) -> Result<Running> {
    let token = folder.path().join("token");
    fs::write(&token, "tag_of_nobody\n")?;
    let mut agent = Command::new(environment::binary()?);
    agent.args(["agent", "--name", "here", "--server"]).arg(sink.url("")).arg("--token-file").arg(token);
    Ok(Running(agent.stderr(Stdio::null()).spawn()?))
}

#[test]
fn what_the_agent_measures_is_what_independent_tools_measure() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let sink = HookSink::start()?;
    sink.script(|_| Reply::Says(200, ANSWER));
    let _load = Load::begin(&folder)?;
    let (_observer, readings) = observe()?;
    wait::until("the first readings", wait::PATIENCE, || {
        readings.lock().is_ok_and(|it| it.contains_key("ip")).then_some(())
    })?;
    let _agent = start_agent(&sink, &folder)?;
    sink.wait_for(SAMPLES_PATH, 1, wait::PATIENCE)?;
    let tools = [sysstat("mpstat", "-o JSON 10 1")?, sysstat("iostat", "-o JSON -dxy 10 1")?];
    sink.wait_for(SAMPLES_PATH, 2, wait::PATIENCE)?;
    let mut samples = samples(&sink)?;
    let two = samples.pop().context("no second sample")?;
    let one = samples.pop().context("no first sample")?;
    ensure!(((two.at - one.at) / 1_000.0 - SECONDS).abs() < 1.0, "samples {} ms apart", two.at - one.at);
    let is_after = |it: &Value| it["from"].as_f64().is_some_and(|from| from >= two.at + READ_WITHIN_MS);
    wait::until("readings after it", wait::PATIENCE, || {
        let readings = readings.lock().ok()?;
        readings.values().all(|of_tool| of_tool.last().is_some_and(is_after)).then_some(())
    })?;
    let [mpstat, iostat] = tools.map(told);
    let readings = readings.lock().map_err(|error| anyhow::anyhow!("{error}"))?.clone();
    let mut comparison = Comparison { one, two, readings, rows: Vec::new() };
    comparison.amounts()?;
    comparison.rates()?;
    comparison.disks(&iostat?)?;
    comparison.processors(&mpstat?)?;
    println!("{:<44} {:>14} {:<8} {:>32} {:>12} {:>10}", "metric", "ours", "tool", "theirs", "difference", "allowed");
    for row in &comparison.rows {
        println!("{}", row.shown());
    }
    let load = comparison.ours("net.if.in.bits/iface=lo")?;
    ensure!(
        load > 1e6 && comparison.ours("ss.estab")? >= 2.0 * CONNECTIONS as f64,
        "there was no load to measure: {load}"
    );
    let bad: Vec<&str> = comparison.rows.iter().filter(|row| !row.is_good()).map(|row| row.metric.as_str()).collect();
    ensure!(bad.is_empty(), "{} of {} values are too far off: {}", bad.len(), comparison.rows.len(), bad.join(", "));
    Ok(())
}
