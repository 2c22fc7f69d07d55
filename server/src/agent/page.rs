//! The machine on one page of a terminal: what `tocsin agent --once` prints.

mod grid;

use super::{Measured, Table};
use grid::{Grid, Side};
use shared::host::{HostFacts, SeriesName};
use std::{collections::BTreeMap, fmt::Write as _};

/// A page is no narrower than this, and bars and texts no wider than of that.
const WIDTH_MIN: usize = 60;
const WIDTH_MAX: usize = 200;
const ROWS_MAX: usize = 15;
/// From here on a share is a warning, and from there on it is bad; of a hundred.
const WARN: f64 = 75.0;
const BAD: f64 = 90.0;

/// How a page is drawn.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    pub width: usize,
    pub colour: bool,
}

/// What is on a page.
#[derive(Debug)]
pub struct Page<'a> {
    pub facts: &'a HostFacts,
    pub measured: &'a Measured,
    pub neighbours: &'a Table,
}

/// Values by metric, each with the tag that tells it from others.
struct Known<'a> {
    by_name: BTreeMap<SeriesName, f64>,
    page: &'a Page<'a>,
    style: Style,
}

impl Page<'_> {
    /// The page as text, each line with its end.
    #[must_use]
    pub fn drawn(&self, style: Style) -> String {
        let style = Style { width: style.width.clamp(WIDTH_MIN, WIDTH_MAX), ..style };
        let named = self.measured.series.iter().zip(&self.measured.sample.values);
        let by_name = named.filter_map(|(name, value)| Some((name.parse().ok()?, (*value)?))).collect();
        let known = Known { by_name, page: self, style };
        let mut text = String::new();
        for part in [
            known.machine(),
            known.processors(),
            known.memory(),
            known.disks(),
            known.space(),
            known.interfaces(),
            known.connections(),
            known.cgroups(),
            known.processes(),
            known.neighbours(),
            known.missing(),
        ] {
            if !part.is_empty() {
                text.push_str(&part);
                text.push('\n');
            }
        }
        text
    }
}

impl Known<'_> {
    fn value(&self, metric: &str) -> Option<f64> {
        self.by_name.get(&SeriesName::plain(metric)).copied()
    }

    fn shown(&self, metric: &str) -> String {
        number(self.value(metric))
    }

    /// The values of a tag that a metric has.
    fn of(&self, metric: &str, tag: &str) -> Vec<String> {
        let names = self.by_name.keys().filter(|name| name.metric == metric);
        let mut values: Vec<String> = names.filter_map(|name| name.tag(tag)).map(str::to_owned).collect();
        values.dedup();
        values
    }

    /// The value of a metric with this value of a tag.
    fn value_of(&self, metric: &str, tag: &str, text: &str) -> Option<f64> {
        let is_it = |name: &&SeriesName| name.metric == metric && name.tag(tag) == Some(text);
        self.by_name.keys().find(is_it).and_then(|name| self.by_name.get(name)).copied()
    }

    fn title(&self, text: &str) -> String {
        if self.style.colour { format!("\u{1b}[1m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    /// A share in the colour that it deserves.
    fn share(&self, percent: Option<f64>, text: String) -> String {
        let colour = match percent {
            Some(it) if it >= BAD => "31",
            Some(it) if it >= WARN => "33",
            _ => return text,
        };
        if self.style.colour { format!("\u{1b}[{colour}m{text}\u{1b}[0m") } else { text }
    }

    fn bar(&self, percent: Option<f64>, length: usize) -> String {
        let full = percent.map_or(0, |it| (it.clamp(0.0, 100.0) / 100.0 * length as f64).round() as usize);
        let bar: String = "█".repeat(full) + &"░".repeat(length.saturating_sub(full));
        self.share(percent, bar)
    }

    fn machine(&self) -> String {
        let facts = self.page.facts;
        let up = self.value("kernel.uptime").map(since).unwrap_or_default();
        let mut text =
            format!("{}  {}  {} {}  up {up}\n", self.title(&facts.hostname), facts.os, facts.kernel, facts.arch);
        let parts = [
            facts.cpu_model.clone(),
            format!("{} cores", facts.cpus),
            format!("{} memory", bytes(Some(facts.memory_bytes as f64))),
        ];
        let parts: Vec<&str> = parts.iter().map(String::as_str).filter(|it| !it.is_empty()).collect();
        _ = writeln!(text, "{}", parts.join(", "));
        text
    }

    fn processors(&self) -> String {
        let busy = self.value("cpu.busy");
        let mut parts = vec![format!("{}  {} {}", self.title("CPU"), self.bar(busy, 20), percent(busy))];
        let ways = ["user", "nice", "system", "iowait", "irq", "softirq", "steal", "guest"];
        parts.extend(ways.iter().map(|way| format!("{way} {}", self.shown(&format!("cpu.{way}")))));
        let mut text = self.flowed(&parts);
        let cores = &self.page.measured.tables.cores;
        // `  12 ██████░░░░ 100.0 %` and two spaces between.
        let a_line = (self.style.width / 25).max(1);
        for line in cores.chunks(a_line) {
            let each = |core: &shared::host::CoreUse| {
                let busy = Some(100.0 - f64::from(core.idle));
                format!("{:>4} {} {:>7}", core.core, self.bar(busy, 10), percent(busy))
            };
            _ = writeln!(text, "{}", line.iter().map(each).collect::<Vec<_>>().join("  "));
        }
        let [one, five, fifteen] = ["load.1min", "load.5min", "load.15min"].map(|it| self.shown(it));
        let a_second = |metric: &str| count(self.value(metric));
        text + &self.flowed(&[
            format!("{} {one} {five} {fifteen}", self.title("LOAD")),
            format!("running {}", self.shown("proc.running")),
            format!("blocked {}", self.shown("proc.blocked")),
            format!("switches {}/s", a_second("cpu.switches")),
            format!("interrupts {}/s", a_second("cpu.interrupts")),
            format!("forks {}/s", a_second("cpu.forks")),
        ])
    }

    fn memory(&self) -> String {
        let size = |metric: &str| bytes(self.value(metric));
        let used = self.value("mem.memused.percent");
        let of = |used: &str, whole: &str| format!("{} of {}", size(used), size(whole));
        let mut parts = vec![format!("{}  {} {}", self.title("MEM"), self.bar(used, 20), percent(used))];
        parts.push(of("mem.memused", "mem.memtotal"));
        let rest = [("free", "memfree"), ("buffers", "buffers"), ("cached", "cached"), ("slab", "slab")];
        let rest = rest.into_iter().chain([("shared", "shmem"), ("dirty", "dirty")]);
        parts.extend(rest.map(|(name, metric)| format!("{name} {}", size(&format!("mem.{metric}")))));
        let mut text = self.flowed(&parts);
        if self.value("mem.swaptotal").is_some_and(|it| it > 0.0) {
            let used = self.value("mem.swapused.percent");
            text.push_str(&self.flowed(&[
                format!("{} {} {}", self.title("SWAP"), self.bar(used, 20), percent(used)),
                of("mem.swapused", "mem.swaptotal"),
                format!("in {}/s", size("mem.swap.in")),
                format!("out {}/s", size("mem.swap.out")),
            ]));
        }
        if self.value("psi.cpu.some").is_some() {
            let share = |metric: &str| percent(self.value(&format!("psi.{metric}")));
            text.push_str(&self.flowed(&[
                format!("{}  waiting for CPU {}", self.title("PSI"), share("cpu.some")),
                format!("memory {} (all {})", share("memory.some"), share("memory.full")),
                format!("I/O {} (all {})", share("io.some"), share("io.full")),
            ]));
        }
        let used = self.value("pids.used.percent");
        let tasks = format!("{} of {}", count(self.value("pids.current")), count(self.value("pids.max")));
        text + &self.flowed(&[
            format!("{} {} ({})", self.title("TASKS"), self.share(used, tasks), percent(used)),
            format!("processes {}", self.shown("proc.total")),
            format!("open files {}", count(self.value("kernel.files.allocated"))),
        ])
    }

    /// Some texts beside each other, on as many lines as they take.
    fn flowed(&self, parts: &[String]) -> String {
        let mut text = String::new();
        let mut used = 0;
        for part in parts {
            let wide = grid::width(part);
            if used > 0 && used + 2 + wide > self.style.width {
                text.push_str("\n     ");
                used = 5;
            } else if used > 0 {
                text.push_str("  ");
                used += 2;
            }
            text.push_str(part);
            used += wide;
        }
        text.push('\n');
        text
    }

    fn disks(&self) -> String {
        let mut grid = Grid::new(&[
            ("DISK", Side::Left),
            ("util", Side::Right),
            ("await", Side::Right),
            ("queue", Side::Right),
            ("r/s", Side::Right),
            ("w/s", Side::Right),
            ("read/s", Side::Right),
            ("written/s", Side::Right),
        ]);
        for disk in self.of("disk.io.util", "device").iter().take(ROWS_MAX) {
            let value = |metric: &str| self.value_of(&format!("disk.io.{metric}"), "device", disk);
            let await_ms = value("await").map(|it| format!("{it:.1} ms")).unwrap_or_default();
            grid.row([
                disk.clone(),
                self.share(value("util"), percent(value("util"))),
                await_ms,
                number(value("avgqu-sz")),
                number(value("read_requests")),
                number(value("write_requests")),
                bytes(value("read_bytes")),
                bytes(value("write_bytes")),
            ]);
        }
        grid.drawn(self.style)
    }

    fn space(&self) -> String {
        let mut grid = Grid::new(&[
            ("FILE SYSTEM", Side::Left),
            ("type", Side::Left),
            ("size", Side::Right),
            ("used", Side::Right),
            ("free", Side::Right),
            ("used", Side::Right),
            ("inodes", Side::Right),
        ]);
        for place in self.of("df.bytes.total", "mount").iter().take(ROWS_MAX) {
            let value = |metric: &str| self.value_of(&format!("df.{metric}"), "mount", place);
            let is_it = |name: &&SeriesName| name.metric == "df.bytes.total" && name.tag("mount") == Some(place);
            let kind = self.by_name.keys().find(is_it).and_then(|it| it.tag("fstype")).unwrap_or_default().to_owned();
            let (used, inodes) = (value("bytes.used.percent"), value("inodes.used.percent"));
            grid.row([
                place.clone(),
                kind,
                bytes(value("bytes.total")),
                bytes(value("bytes.used")),
                bytes(value("bytes.free")),
                self.share(used, percent(used)),
                self.share(inodes, percent(inodes)),
            ]);
        }
        grid.drawn(self.style)
    }

    fn interfaces(&self) -> String {
        let mut grid = Grid::new(&[
            ("INTERFACE", Side::Left),
            ("in", Side::Right),
            ("out", Side::Right),
            ("packets in", Side::Right),
            ("out", Side::Right),
            ("errors", Side::Right),
            ("dropped", Side::Right),
            ("speed", Side::Right),
        ]);
        for name in self.of("net.if.in.bits", "iface").iter().take(ROWS_MAX) {
            let value = |metric: &str| self.value_of(&format!("net.if.{metric}"), "iface", name);
            let sum = |what: &str| Some(value(&format!("in.{what}"))? + value(&format!("out.{what}"))?);
            let speed = value("speed.bits").map(|it| bits(Some(it))).unwrap_or_default();
            grid.row([
                name.clone(),
                bits(value("in.bits")),
                bits(value("out.bits")),
                number(value("in.packets")),
                number(value("out.packets")),
                number(sum("errors")),
                number(sum("dropped")),
                speed,
            ]);
        }
        grid.drawn(self.style)
    }

    fn connections(&self) -> String {
        let states = [
            ("established", "estab"),
            ("TIME_WAIT", "timewait"),
            ("CLOSE_WAIT", "closewait"),
            ("SYN_SENT", "synsent"),
            ("SYN_RECV", "synrecv"),
            ("FIN_WAIT1", "finwait1"),
            ("FIN_WAIT2", "finwait2"),
            ("LAST_ACK", "lastack"),
            ("closing", "closing"),
            ("listen", "listen"),
            ("orphaned", "orphaned"),
        ];
        let state = |(name, metric): (&str, &str)| format!("{name} {}", self.shown(&format!("ss.{metric}")));
        let mut parts = vec![self.title("TCP")];
        parts.extend(states.map(state));
        parts.push(format!("sockets {}", self.shown("sockets.used")));
        parts.push(format!("sent again {}/s", self.shown("tcp.retrans")));
        parts.push(format!("accept queue overflows {}/s", self.shown("tcp.listen.overflows")));
        if self.value("conntrack.used.percent").is_some() {
            parts.push(format!("tracked {} of {}", self.shown("conntrack.count"), self.shown("conntrack.max")));
        }
        let text = self.flowed(&parts);
        let mut grid = Grid::new(&[
            ("PORT", Side::Right),
            ("whose", Side::Left),
            ("established", Side::Right),
            ("TIME_WAIT", Side::Right),
            ("CLOSE_WAIT", Side::Right),
            ("other", Side::Right),
            ("most with", Side::Left),
        ]);
        for peer in self.page.measured.tables.peers.iter().take(ROWS_MAX) {
            let whose = if peer.ours { "ours" } else { "theirs" };
            let busiest = peer.busiest.map(|(ip, n)| format!("{ip} ({n})")).unwrap_or_default();
            grid.row([
                peer.port.to_string(),
                whose.to_owned(),
                peer.established.to_string(),
                peer.time_wait.to_string(),
                peer.close_wait.to_string(),
                peer.other.to_string(),
                busiest,
            ]);
        }
        text + &grid.drawn(self.style)
    }

    fn cgroups(&self) -> String {
        let mut grid = Grid::new(&[
            ("tasks", Side::Right),
            ("of", Side::Right),
            ("memory", Side::Right),
            ("of", Side::Right),
            ("cpu", Side::Right),
            ("CONTROL GROUP", Side::Left),
        ]);
        for group in self.page.measured.tables.cgroups.iter().take(ROWS_MAX) {
            let used = group.pids_max.filter(|most| *most > 0).map(|most| group.pids as f64 * 100.0 / most as f64);
            let size = |it: Option<u64>| it.map(|it| bytes(Some(it as f64))).unwrap_or_default();
            let most = group.pids_max.map(|it| it.to_string()).unwrap_or_default();
            grid.row([
                self.share(used, group.pids.to_string()),
                most,
                size(group.memory_bytes),
                size(group.memory_max_bytes),
                group.cpu_percent.map(|it| percent(Some(it.into()))).unwrap_or_default(),
                group.path.clone(),
            ]);
        }
        grid.drawn(self.style)
    }

    fn processes(&self) -> String {
        let mut grid = Grid::new(&[
            ("PID", Side::Right),
            ("user", Side::Left),
            ("state", Side::Left),
            ("cpu", Side::Right),
            ("memory", Side::Right),
            ("threads", Side::Right),
            ("COMMAND", Side::Left),
        ]);
        for it in &self.page.measured.tables.processes {
            let cpu = percent(Some(it.cpu_percent.into()));
            grid.row([
                it.pid.to_string(),
                it.user.clone(),
                it.state.clone(),
                cpu,
                bytes(Some(it.rss_bytes as f64)),
                it.threads.to_string(),
                it.command.clone(),
            ]);
        }
        grid.drawn(self.style)
    }

    fn neighbours(&self) -> String {
        let table = self.page.neighbours;
        let mut grid =
            Grid::new(&[("SEGMENT", Side::Left), ("hardware address", Side::Left), ("addresses", Side::Left)]);
        for it in table.interfaces().filter(|it| !it.nets.is_empty()).take(ROWS_MAX) {
            let nets: Vec<String> = it.nets.iter().map(ToString::to_string).collect();
            grid.row([it.name.clone(), it.mac.map(|mac| mac.to_string()).unwrap_or_default(), nets.join(" ")]);
        }
        let mut text = grid.drawn(self.style);
        let mut grid = Grid::new(&[
            ("NEIGHBOUR", Side::Left),
            ("of", Side::Left),
            ("hardware address", Side::Left),
            ("confirmed", Side::Right),
            ("", Side::Left),
        ]);
        for (interface, ip, it) in table.neighbours() {
            let router = if it.router { "router" } else { "" };
            grid.row([
                ip.to_string(),
                interface.to_owned(),
                it.mac.to_string(),
                format!("{} s ago", it.age_ms / 1_000),
                router.to_owned(),
            ]);
        }
        text.push_str(&grid.drawn(self.style));
        text
    }

    fn missing(&self) -> String {
        let mut text = String::new();
        for it in &self.page.facts.missing {
            _ = writeln!(text, "{} {it}", self.title("not measured:"));
        }
        text
    }
}

fn percent(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |it| format!("{it:.1} %"))
}

/// Whole where it is, else with one or two places.
fn number(value: Option<f64>) -> String {
    match value {
        None => "-".to_owned(),
        Some(it) if it.fract() == 0.0 || it.abs() >= 1_000.0 => format!("{it:.0}"),
        Some(it) if it.abs() >= 10.0 => format!("{it:.1}"),
        Some(it) => format!("{it:.2}"),
    }
}

fn scaled(value: Option<f64>, base: f64, units: &[&str]) -> String {
    let Some(mut value) = value else { return "-".to_owned() };
    let mut unit = units.first().copied().unwrap_or_default();
    for next in units.iter().skip(1) {
        if value.abs() < base {
            break;
        }
        value /= base;
        unit = next;
    }
    let digits = usize::from(value.abs() < 100.0 && value.fract() != 0.0);
    if unit.is_empty() { format!("{value:.digits$}") } else { format!("{value:.digits$} {unit}") }
}

fn bytes(value: Option<f64>) -> String {
    scaled(value, 1_024.0, &["B", "KiB", "MiB", "GiB", "TiB", "PiB"])
}

fn bits(value: Option<f64>) -> String {
    scaled(value, 1_000.0, &["b/s", "kb/s", "Mb/s", "Gb/s", "Tb/s"])
}

fn count(value: Option<f64>) -> String {
    scaled(value, 1_000.0, &["", "k", "M", "G"])
}

fn since(seconds: f64) -> String {
    let minutes = (seconds / 60.0) as u64;
    let (days, hours, minutes) = (minutes / 1_440, minutes / 60 % 24, minutes % 60);
    if days > 0 { format!("{days} d {hours} h") } else { format!("{hours} h {minutes} min") }
}

#[cfg(test)]
mod tests;
