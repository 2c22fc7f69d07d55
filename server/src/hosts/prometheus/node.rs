//! What `node_exporter` calls things, and what they are called here.
//!
//! Rates are of counters since the instant before; shares of time come from counters of seconds. What is not in these
//! tables keeps its own name with its labels as tags; buckets of histograms are left out.

mod parts;

use super::{
    Reading,
    instance::{APART_MS, Instance, Mapped},
};
use crate::{agent::is_made, hosts::given};
use shared::{Timestamp, agent::SERIES_MAX, net::Mac};
use std::collections::{BTreeMap, BTreeSet};

/// A value of the whole machine: whose, ours, and by how much to multiply. Counters of these are rates.
const WHOLE: &[(&str, &str, f64)] = &[
    ("up", "agent.alive", 1.0),
    ("node_load1", "load.1min", 1.0),
    ("node_load5", "load.5min", 1.0),
    ("node_load15", "load.15min", 1.0),
    ("node_context_switches_total", "cpu.switches", 1.0),
    ("node_intr_total", "cpu.interrupts", 1.0),
    ("node_forks_total", "cpu.forks", 1.0),
    ("node_pressure_cpu_waiting_seconds_total", "psi.cpu.some", 100.0),
    ("node_pressure_memory_waiting_seconds_total", "psi.memory.some", 100.0),
    ("node_pressure_memory_stalled_seconds_total", "psi.memory.full", 100.0),
    ("node_pressure_io_waiting_seconds_total", "psi.io.some", 100.0),
    ("node_pressure_io_stalled_seconds_total", "psi.io.full", 100.0),
    ("node_memory_MemTotal_bytes", "mem.memtotal", 1.0),
    ("node_memory_MemFree_bytes", "mem.memfree", 1.0),
    ("node_memory_Buffers_bytes", "mem.buffers", 1.0),
    ("node_memory_Cached_bytes", "mem.cached", 1.0),
    ("node_memory_Slab_bytes", "mem.slab", 1.0),
    ("node_memory_Shmem_bytes", "mem.shmem", 1.0),
    ("node_memory_Dirty_bytes", "mem.dirty", 1.0),
    ("node_memory_SwapTotal_bytes", "mem.swaptotal", 1.0),
    ("node_memory_SwapFree_bytes", "mem.swapfree", 1.0),
    // Pages; it does not say of which size, and 4 KiB is that of all but a few machines.
    ("node_vmstat_pswpin", "mem.swap.in", 4_096.0),
    ("node_vmstat_pswpout", "mem.swap.out", 4_096.0),
    ("node_vmstat_oom_kill", "mem.oom", 1.0),
    ("node_netstat_Tcp_CurrEstab", "ss.estab", 1.0),
    ("node_sockstat_TCP_tw", "ss.timewait", 1.0),
    ("node_sockstat_TCP_orphan", "ss.orphaned", 1.0),
    ("node_sockstat_sockets_used", "sockets.used", 1.0),
    ("node_sockstat_TCP_mem_bytes", "sockets.tcp.mem", 1.0),
    ("node_netstat_Tcp_RetransSegs", "tcp.retrans", 1.0),
    ("node_netstat_TcpExt_ListenOverflows", "tcp.listen.overflows", 1.0),
    ("node_netstat_TcpExt_ListenDrops", "tcp.listen.drops", 1.0),
    ("node_nf_conntrack_entries", "conntrack.count", 1.0),
    ("node_nf_conntrack_entries_limit", "conntrack.max", 1.0),
    ("node_procs_running", "proc.running", 1.0),
    ("node_procs_blocked", "proc.blocked", 1.0),
    ("node_processes_pids", "proc.total", 1.0),
    ("node_processes_threads", "pids.current", 1.0),
    ("node_filefd_allocated", "kernel.files.allocated", 1.0),
    ("node_filefd_maximum", "kernel.maxfiles", 1.0),
];
/// What an exporter or a Prometheus says of itself and its asking, not of the machine.
const OWN: &[&str] = &["go_", "process_", "promhttp_", "scrape_", "node_scrape_", "node_exporter_", "node_textfile_"];

/// Everything that was read at one instant, by name.
pub(super) struct Sight<'a> {
    by_name: BTreeMap<&'a str, Vec<(&'a Reading, Option<f64>)>>,
    used: BTreeSet<&'a str>,
    values: BTreeMap<String, Option<f64>>,
}

impl<'a> Sight<'a> {
    /// The value of the only series of this name, a rate where it counts.
    fn value(&mut self, name: &'a str) -> Option<f64> {
        self.used.insert(name);
        self.by_name.get(name)?.first()?.1
    }

    /// The series of this name with a value.
    fn each(&mut self, name: &'a str) -> Vec<(&'a Reading, f64)> {
        self.used.insert(name);
        let found = self.by_name.get(name).into_iter().flatten();
        found.filter_map(|(reading, value)| Some((*reading, (*value)?))).collect()
    }

    /// The series of this name by one of their labels.
    fn by_label(&mut self, name: &'a str, label: &str) -> BTreeMap<&'a str, f64> {
        self.each(name).into_iter().map(|(reading, value)| (reading.series.label(label), value)).collect()
    }

    fn has(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    fn put(&mut self, name: &str, value: Option<f64>) {
        self.values.insert(name.to_owned(), value.filter(|value| value.is_finite()));
    }

    fn put_of(&mut self, metric: &str, tags: &[(&str, &str)], value: Option<f64>) {
        if let Some(name) = given::series(metric, tags.iter().copied()) {
            self.values.insert(name, value.filter(|value| value.is_finite()));
        }
    }
}

/// The labels of a reading as tags.
pub(super) fn tags(reading: &Reading) -> impl Iterator<Item = (&str, &str)> {
    reading.series.labels.iter().map(|(name, value)| (name.as_str(), value.as_str()))
}

/// An instant of an instance, in our names.
pub(super) fn map(instance: &mut Instance, at: Timestamp, readings: &[Reading]) -> Mapped {
    let mut sight = sight(instance, at, readings);
    facts(&mut sight, instance);
    for (theirs, ours, factor) in WHOLE {
        if sight.has(theirs) {
            let value = sight.value(theirs).map(|value| value * factor);
            let value = if ours.starts_with("psi.") { value.map(|it| it.min(100.0)) } else { value };
            sight.put(ours, value);
        }
    }
    let cores = parts::processors(&mut sight, instance);
    parts::memory(&mut sight);
    parts::file_systems(&mut sight);
    parts::disks(&mut sight);
    parts::interfaces(&mut sight);
    parts::sockets(&mut sight);
    parts::tasks(&mut sight);
    let clock_ahead_ms = parts::clock(&mut sight, at);
    let tables = (!cores.is_empty()).then(|| shared::host::HostTables { at, cores, ..Default::default() });
    let left_out = others(&mut sight);
    Mapped { values: sight.values, tables, clock_ahead_ms, left_out }
}

fn sight<'a>(instance: &mut Instance, at: Timestamp, readings: &'a [Reading]) -> Sight<'a> {
    let mut by_name: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    for reading in readings {
        instance.end(reading);
        let counts = reading.series.counts() && reading.value.is_finite();
        let value = if counts {
            let name = given::series(&reading.series.name, tags(reading));
            name.and_then(|name| instance.counters.rate(&name, at, reading.value, APART_MS))
        } else {
            Some(reading.value).filter(|value| value.is_finite())
        };
        by_name.entry(reading.series.name.as_str()).or_default().push((reading, value));
    }
    Sight { by_name, used: BTreeSet::new(), values: BTreeMap::new() }
}

/// What the machine is, as far as it was said this time.
fn facts(sight: &mut Sight<'_>, instance: &mut Instance) {
    let facts = &mut instance.facts;
    let mut text = |name: &'static str, label: &str, into: &mut String| {
        let found = sight.each(name).first().map(|(reading, _)| reading.series.label(label).to_owned());
        if let Some(found) = found.filter(|it| !it.is_empty()) {
            *into = found;
        }
    };
    text("node_uname_info", "nodename", &mut facts.hostname);
    text("node_uname_info", "release", &mut facts.kernel);
    text("node_uname_info", "machine", &mut facts.arch);
    text("node_os_info", "pretty_name", &mut facts.os);
    text("node_cpu_info", "model_name", &mut facts.cpu_model);
    let mut version = String::new();
    text("node_exporter_build_info", "version", &mut version);
    if !version.is_empty() {
        facts.version = format!("node_exporter {version}");
    }
    if let Some(total) = sight.value("node_memory_MemTotal_bytes") {
        facts.memory_bytes = total as u64;
    }
    if let Some(total) = sight.value("node_memory_SwapTotal_bytes") {
        facts.swap_bytes = total as u64;
    }
    if let Some(boot_s) = sight.value("node_boot_time_seconds") {
        facts.boot_at = Some(Timestamp::from_ms((boot_s * 1_000.0) as i64));
    }
    let mut macs: Vec<Mac> = Vec::new();
    for (reading, _) in sight.each("node_network_info") {
        let (device, address) = (reading.series.label("device"), reading.series.label("address"));
        if !is_made(device)
            && let Ok(mac) = address.parse::<Mac>()
            && address.bytes().any(|b| b != b'0' && b != b':')
            && !macs.contains(&mac)
        {
            macs.push(mac);
        }
    }
    if !macs.is_empty() {
        facts.macs = macs;
    }
    let ips = sight.each("node_network_address_info");
    let ips = ips.iter().filter_map(|(reading, _)| reading.series.label("address").parse::<std::net::IpAddr>().ok());
    let ips: BTreeSet<_> = ips.filter(|ip| !ip.is_loopback()).collect();
    if !ips.is_empty() {
        facts.ips = ips.into_iter().collect();
    }
}

/// Everything else, under its own name; gives how much there was no room for.
fn others(sight: &mut Sight<'_>) -> u64 {
    let is_node = sight.by_name.keys().any(|name| name.starts_with("node_"));
    let mut left_out = 0;
    for (name, readings) in &sight.by_name {
        // What is information in its labels is always 1.
        let skipped = name.ends_with("_bucket")
            || name.ends_with("_info")
            || sight.used.contains(name)
            || (is_node && OWN.iter().any(|start| name.starts_with(start)));
        if skipped {
            continue;
        }
        for (reading, value) in readings {
            match given::series(name, tags(reading)) {
                Some(name) if sight.values.len() < SERIES_MAX => drop(sight.values.insert(name, *value)),
                _ => left_out += 1,
            }
        }
    }
    left_out
}

#[cfg(test)]
mod tests {
    use super::{super::read, *};
    use proptest::prelude::*;

    const FIRST: &str = include_str!("../../../tests/intake/node_exporter-1.5.0-at-0s.txt");
    const SECOND: &str = include_str!("../../../tests/intake/node_exporter-1.5.0-at-5s.txt");
    const AT: Timestamp = Timestamp::from_ms(1_795_373_173_788);

    fn value(mapped: &Mapped, series: &str) -> Option<f64> {
        *mapped.values.get(series).unwrap_or_else(|| panic!("{series} is none of {:?}", mapped.values.keys()))
    }

    #[test]
    fn a_real_exporter_is_read_in_our_names() {
        let mut instance = Instance::default();
        let first = instance.map(AT, &read(FIRST).readings);
        for series in ["cpu.busy", "cpu.forks", "disk.io.util/device=vda", "psi.cpu.some", "net.if.in.bits/iface=eth0"]
        {
            assert_eq!(value(&first, series), None, "{series} is a rate, and this is the first time");
        }
        let second = instance.map(AT.plus_ms(5_000), &read(SECOND).readings);
        // What another program made of the two texts.
        for (series, expected) in [
            ("cpu.user", 3.296_703_297),
            ("cpu.nice", 64.335_664_336),
            ("cpu.system", 11.688_311_688),
            ("cpu.idle", 20.179_820_180),
            ("cpu.busy", 79.820_179_820),
            ("cpu.iowait", 0.399_600_400),
            ("cpu.softirq", 0.099_900_100),
            ("cpu.steal", 0.0),
            ("cpu.guest", 0.0),
            ("cpu.forks", 73.8),
            ("cpu.switches", 2_313.6),
            ("psi.cpu.some", 16.401_180),
            ("load.1min", 1.92),
            ("mem.memtotal", 25_276_510_208.0),
            ("mem.memused", 1_553_379_328.0),
            ("mem.memused.percent", 6.145_545_074),
            ("mem.swapused", 0.0),
            ("df.bytes.total/fstype=ext4,mount=/", 270_553_174_016.0),
            ("df.bytes.free/fstype=ext4,mount=/", 57_213_157_376.0),
            ("df.bytes.used.percent/fstype=ext4,mount=/", 41.363_589_958),
            ("df.inodes.used.percent/fstype=ext4,mount=/", 3.036_773_205),
            ("disk.io.util/device=vda", 1.52),
            ("disk.io.write_bytes/device=vda", 3_276.8),
            ("disk.io.write_requests/device=vda", 0.6),
            ("disk.io.w_await/device=vda", 0.0),
            ("ss.estab", 4.0),
            ("ss.listen", 4.0),
            ("ss.timewait", 8.0),
            ("ss.closewait", 0.0),
            ("sockets.used", 28.0),
            ("sockets.tcp.mem", 135_168.0),
            ("conntrack.used.percent", 0.0),
            ("proc.total", 88.0),
            ("pids.current", 122.0),
            ("pids.max", 32_768.0),
            ("pids.used.percent", 0.372_314_453),
            ("kernel.uptime", 45_698.787_624),
            ("node_arp_entries/device=eth0", 1.0),
        ] {
            let found = value(&second, series).unwrap_or_else(|| panic!("{series} has no value"));
            assert!((found - expected).abs() < 1e-6 * expected.abs().max(1.0), "{series}: {found}, not {expected}");
        }
        assert_eq!(second.clock_ahead_ms, Some(-1));
        let cores = &second.tables.as_ref().unwrap().cores;
        assert_eq!(cores.len(), 2);
        assert!(
            cores
                .iter()
                .all(|it| (it.user + it.nice + it.system + it.idle + it.iowait + it.softirq - 100.0).abs() < 0.1)
        );
        for none in [
            "go_goroutines",
            "disk.io.util/device=zram0",
            "iface=ifb0",
            "node_uname_info",
            "sys.ntp.offset",
            "node_memory_MemTotal",
        ] {
            assert!(!second.values.keys().any(|it| it.contains(none)), "{none}");
        }
        assert_eq!(value(&second, "mem.swapused.percent"), None, "there is no swap");
    }

    #[test]
    fn what_rides_on_another_interface_is_told_apart_and_not_summed() {
        let text = |bytes: u64| {
            let line = |device: &str| format!("node_network_receive_bytes_total{{device=\"{device}\"}} {bytes}\n");
            ["eth0", "bond0", "br0", "eth0.12", "wg0", "fwbr1i0"].map(line).concat()
        };
        let mut instance = Instance::default();
        instance.map(AT, &read(&text(1_000)).readings);
        let mapped = instance.map(AT.plus_ms(10_000), &read(&text(11_000)).readings);
        for tags in ["iface=eth0", "iface=bond0,kind=bond", "iface=br0,kind=bridge", "iface=eth0.12,kind=vlan"] {
            assert_eq!(value(&mapped, &format!("net.if.in.bits/{tags}")), Some(8_000.0));
        }
        assert_eq!(mapped.values.len(), 5, "{:?}", mapped.values.keys());
        let sum = mapped.values.iter().filter(|(name, _)| !name.contains("kind=")).filter_map(|(_, value)| *value);
        assert_eq!(sum.sum::<f64>(), 8_000.0);
    }

    #[test]
    fn what_it_is_is_told_too() {
        let mut instance = Instance::default();
        instance.map(AT, &read(FIRST).readings);
        let facts = instance.facts();
        assert_eq!((facts.hostname.as_str(), facts.os.as_str()), ("web01", "Debian GNU/Linux 12 (bookworm)"));
        assert_eq!((facts.cpus, facts.memory_bytes, facts.arch.as_str()), (2, 25_276_510_208, "x86_64"));
        assert_eq!(
            (facts.version.as_str(), facts.boot_at.map(Timestamp::ms)),
            ("node_exporter 1.5.0", Some(1_795_327_480_000))
        );
        let macs: Vec<String> = facts.macs.iter().map(ToString::to_string).collect();
        assert_eq!(macs, ["02:fc:00:00:00:01"]);
    }

    #[test]
    fn a_core_that_counts_anew_is_left_out_for_once_and_a_device_is_one_file_system() {
        let text = |idle: [u32; 2], user: [u32; 2]| {
            let line = |cpu: usize, mode: &str, value: u32| {
                format!("node_cpu_seconds_total{{cpu=\"{cpu}\",mode=\"{mode}\"}} {value}\n")
            };
            (0..2).map(|cpu| line(cpu, "idle", idle[cpu]) + &line(cpu, "user", user[cpu])).collect::<String>()
        };
        let mut instance = Instance::default();
        instance.map(AT, &read(&text([100, 100], [50, 50])).readings);
        let mapped = instance.map(AT.plus_ms(10_000), &read(&text([106, 3], [54, 1])).readings);
        assert_eq!((value(&mapped, "cpu.user"), value(&mapped, "cpu.core.busy/core=0")), (Some(40.0), Some(40.0)));
        assert_eq!(value(&mapped, "cpu.core.busy/core=1"), None);
        let size = |mount: &str| {
            format!("node_filesystem_size_bytes{{device=\"/dev/vda\",fstype=\"xfs\",mountpoint=\"{mount}\"}} 10\n")
        };
        let mapped = instance.map(AT, &read(&(size("/var/lib/x") + &size("/data"))).readings);
        let found: Vec<_> = mapped.values.keys().filter(|it| it.starts_with("df.bytes.total")).collect();
        assert_eq!(found, ["df.bytes.total/fstype=xfs,mount=/data"]);
    }

    #[test]
    fn others_keep_their_names_and_are_bounded() {
        let mut instance = Instance::default();
        let text = "nginx_requests_total{code=\"200\"} 10\nnginx_up 1\nh_bucket{le=\"1\"} 3\nh_sum 4\nthing_info{a=\"b\"} 1\ngo_x 1\n";
        instance.map(AT, &read(text).readings);
        let mapped = instance.map(AT.plus_ms(10_000), &read(&text.replace(" 10\n", " 30\n")).readings);
        let found: Vec<_> = mapped.values.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        let expected = [
            ("go_x", Some(1.0)),
            ("h_sum", Some(0.0)),
            ("nginx_requests_total/code=200", Some(2.0)),
            ("nginx_up", Some(1.0)),
        ];
        assert_eq!(found, expected);
        let many: String = (0..SERIES_MAX + 5).map(|n| format!("m{{n=\"{n}\"}} 1\n")).collect();
        let mapped = instance.map(AT, &read(&many).readings);
        assert_eq!((mapped.values.len(), mapped.left_out), (SERIES_MAX, 5));
    }

    proptest! {
        #[test]
        fn any_reading_is_mapped(
            names in prop::collection::vec((0usize..60, "[a-z0-9/]{0,4}", any::<f64>()), 0..30), later in any::<f64>()
        ) {
            let known = ["node_cpu_seconds_total", "node_filesystem_size_bytes", "node_filesystem_free_bytes", "node_time_seconds",
                "node_disk_io_time_seconds_total", "node_network_speed_bytes", "node_processes_threads", "node_boot_time_seconds"];
            let mut instance = Instance::default();
            for (n, at) in [(1.0, AT), (later, AT.plus_ms(7_000))] {
                let readings: Vec<Reading> = names.iter().map(|(which, label, value)| {
                    let name = WHOLE.get(*which).map_or_else(|| known[which % known.len()], |(theirs, ..)| *theirs).to_owned();
                    let labels = ["cpu", "device", "fstype", "mode", "mountpoint"].map(|it| (it.to_owned(), label.clone()));
                    let series = super::super::Series { name, labels: labels.to_vec(), counter: None };
                    Reading { series: std::sync::Arc::new(series), value: value * n }
                }).collect();
                for (name, value) in instance.map(at, &readings).values {
                    prop_assert!(value.is_none_or(f64::is_finite), "{} {:?}", name, value);
                    let parsed = name.parse::<shared::host::SeriesName>().unwrap().to_string();
                    prop_assert_eq!(parsed, name);
                }
            }
        }
    }
}
