//! The meter on machines that were recorded: what each file becomes, and what a file that is odd or missing costs.

use super::*;
use shared::host::{METRICS, SeriesName};
use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use tempfile::TempDir;

/// A machine whose files are written as a test wants them, with a clock that stands still.
struct Recorded {
    folder: TempDir,
    clock_ms: Arc<AtomicU64>,
}

impl Recorded {
    fn new() -> (Self, Meter) {
        let recorded = Self { folder: TempDir::new().unwrap(), clock_ms: Arc::new(AtomicU64::new(5_000)) };
        let clock_ms = Arc::clone(&recorded.clock_ms);
        let clock = move || Duration::from_millis(clock_ms.load(Ordering::Relaxed));
        let meter = Meter::of(Roots::recorded(recorded.folder.path().to_owned(), clock));
        (recorded, meter)
    }

    fn write(&self, files: &[(&str, &str)]) {
        for (file, text) in files {
            let path = self.folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).unwrap();
            fs::write(path, text).unwrap();
        }
    }

    fn later(&self, seconds: u64) {
        self.clock_ms.fetch_add(seconds * 1_000, Ordering::Relaxed);
    }
}

fn value(measured: &Measured, name: &str) -> Option<f64> {
    let place = measured.series.iter().position(|it| it == name).unwrap_or_else(|| panic!("no series {name}"));
    measured.sample.values[place]
}

fn has(measured: &Measured, name: &str) -> bool {
    measured.series.iter().any(|it| it == name)
}

fn at(ms: i64) -> Timestamp {
    Timestamp::from_ms(ms)
}

const STAT_1: &str = "cpu  100 0 100 800 0 0 0 0 0 0\ncpu0 100 0 100 800 0 0 0 0 0 0\nintr 1000 1\nctxt 2000\nbtime 1700000000\n\
                      processes 50\nprocs_running 2\nprocs_blocked 1\n";
const STAT_2: &str = "cpu  150 10 120 1000 20 5 5 10 40 0\ncpu0 150 10 120 1000 20 5 5 10 40 0\nintr 1500 1\nctxt 4000\n\
                      btime 1700000000\nprocesses 70\nprocs_running 1\nprocs_blocked 0\n";
const MEMINFO: &str = "MemTotal:       1000 kB\nMemFree:         100 kB\nMemAvailable:    400 kB\nBuffers:          10 kB\n\
                       Cached:          200 kB\nSwapTotal:       500 kB\nSwapFree:        400 kB\nDirty:             1 kB\n\
                       Shmem:             5 kB\nSlab:             30 kB\nNew_In_Linux_9:   x y z\n";
const DISK_1: &str = "   8       0 sda 100 0 2000 1000 50 0 400 500 0 800 1500 0 0 0 0 9 9\n   8       1 sda1 1 0 0 0 0 0 0 0 0 0 0\n\
                      7 0 loop0 1 0 0 0 0 0 0 0 0 0 0\n   8      16 sdb 1 2 3\n";
const DISK_2: &str = "   8       0 sda 150 0 4000 2000 150 0 1400 2500 1 4800 4500 0 0 0 0 9 9\n";
const DEV_1: &str = "h\nh\n  lo: 10 1 0 0 0 0 0 0 10 1 0 0 0 0 0 0\neth0: 1000 10 1 2 0 0 0 0 2000 20 3 4 0 0 0 0\n\
                     bond0: 5 1 0 0 0 0 0 0 5 1 0 0 0 0 0 0\nveth1: 5 1 0 0 0 0 0 0 5 1 0 0 0 0 0 0\n\
                     eth9: 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n";
const DEV_2: &str = "h\nh\n  lo: 10 1 0 0 0 0 0 0 10 1 0 0 0 0 0 0\neth0: 11000 30 1 7 0 0 0 0 1000 25 3 4 0 0 0 0\n";

fn first(recorded: &Recorded) {
    recorded.write(&[
        ("proc/stat", STAT_1),
        ("proc/loadavg", "0.50 0.25 0.10 3/300 4711\n"),
        ("proc/uptime", "1234.50 2000.00\n"),
        ("proc/meminfo", MEMINFO),
        ("proc/vmstat", "pswpin 10\npswpout 20\noom_kill 1\n"),
        ("proc/pressure/cpu", "some avg10=0.00 avg60=0.00 avg300=0.00 total=1000000\n"),
        ("proc/pressure/io", "some avg10=0 avg60=0 avg300=0 total=0\nfull avg10=0 avg60=0 avg300=0 total=0\n"),
        ("proc/diskstats", DISK_1),
        ("sys/block/sda/size", "1\n"),
        ("sys/block/sdb/size", "1\n"),
        ("sys/block/loop0/size", "1\n"),
        ("proc/net/dev", DEV_1),
        ("sys/class/net/eth0/speed", "1000\n"),
        ("sys/class/net/eth0/device/vendor", "x\n"),
        ("sys/class/net/eth9/operstate", "down\n"),
        ("sys/class/net/bond0/bonding/mode", "x\n"),
        ("sys/class/net/bond0/speed", "-1\n"),
        ("proc/net/sockstat", "sockets: used 50\nTCP: inuse 3 orphan 1 tw 7 alloc 13 mem 2\nUDP: inuse 4 mem 0\n"),
        ("proc/net/sockstat6", "TCP6: inuse 2\nUDP6: inuse 1\n"),
        ("proc/net/snmp", "Tcp: A RetransSegs\nTcp: 1 10\n"),
        ("proc/net/netstat", "TcpExt: ListenOverflows ListenDrops\nTcpExt: 1 2\n"),
        ("proc/net/tcp", TCP),
        ("proc/sys/net/netfilter/nf_conntrack_count", "50\n"),
        ("proc/sys/net/netfilter/nf_conntrack_max", "200\n"),
        ("proc/sys/kernel/pid_max", "1000\n"),
        ("proc/sys/kernel/threads-max", "600\n"),
        ("proc/sys/kernel/osrelease", "4.19.0-27-amd64\n"),
        ("proc/sys/kernel/hostname", "web01\n"),
        ("proc/sys/fs/file-nr", "1024\t0\t9000\n"),
        ("proc/7/stat", &process(7, "nginx: w", 100)),
        ("proc/7/status", "Name:\tx\nUid:\t33\t33\t33\t33\n"),
        ("proc/7/cmdline", "nginx\0--token=hunter2\0"),
        ("proc/7/io", "rchar: 1\nread_bytes: 1000\nwrite_bytes: 0\n"),
        ("etc/passwd", "root:x:0:0::/:\nwww-data:x:33:33::/:\n"),
        ("etc/os-release", "NAME=x\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n"),
    ]);
}

const TCP: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
    0: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0\n\
    1: 0100007F:0050 0200000A:C350 01 00000000:00000000 00:00000000 00000000     0        0 2 1 0 100 0 0 10 0\n\
    2: 0100007F:9C40 0300000A:0CEA 06 00000000:00000000 00:00000000 00000000     0        0 0 1 0 100 0 0 10 0\n";

fn process(pid: u32, name: &str, ticks: u64) -> String {
    format!("{pid} ({name}) S 1 1 1 0 -1 4 0 0 0 0 {ticks} 0 0 0 20 0 3 0 77 1000 25 9 0 0 0 0 0 0 0 0 0 0 0 0\n")
}

#[test]
fn each_file_becomes_the_values_that_its_tool_shows() {
    let (recorded, mut meter) = Recorded::new();
    first(&recorded);
    let one = meter.measure(at(1_000), None);
    for rate in ["cpu.idle", "cpu.switches", "disk.io.util/device=sda", "net.if.in.bits/iface=eth0", "psi.cpu.some"] {
        assert_eq!(value(&one, rate), None, "{rate} is of two readings");
    }
    recorded.later(10);
    recorded.write(&[
        ("proc/stat", STAT_2),
        ("proc/vmstat", "pswpin 30\npswpout 20\noom_kill 2\n"),
        ("proc/pressure/cpu", "some avg10=0.00 avg60=0.00 avg300=0.00 total=3500000\n"),
        ("proc/diskstats", DISK_2),
        ("proc/net/dev", DEV_2),
        ("proc/net/snmp", "Tcp: A RetransSegs\nTcp: 1 60\n"),
        ("proc/7/stat", &process(7, "nginx: w", 1_600)),
        ("proc/7/io", "rchar: 1\nread_bytes: 21000\nwrite_bytes: 0\n"),
    ]);
    let two = meter.measure(at(11_000), Some(-1.5));
    for (name, expected) in [
        ("agent.alive", 1.0),
        ("kernel.uptime", 1_234.5),
        ("sys.ntp.offset", -1.5),
        // Of 320 ticks: 50, 10, 20, 200, 20, 5, 5, 10; the guest is a part of user.
        ("cpu.user", 15.625),
        ("cpu.idle", 62.5),
        ("cpu.busy", 37.5),
        ("cpu.iowait", 6.25),
        ("cpu.steal", 3.125),
        ("cpu.guest", 12.5),
        ("cpu.core.busy/core=0", 37.5),
        ("cpu.switches", 200.0),
        ("cpu.interrupts", 50.0),
        ("cpu.forks", 2.0),
        ("load.5min", 0.25),
        ("psi.cpu.some", 25.0),
        ("psi.io.full", 0.0),
        ("mem.memused", 600.0 * 1_024.0),
        ("mem.memused.percent", 60.0),
        ("mem.memfree.percent", 40.0),
        ("mem.swapused.percent", 20.0),
        ("mem.swap.in", 8_192.0),
        ("mem.oom", 0.1),
        ("disk.io.util/device=sda", 40.0),
        // 1000 ms of 50 reads and 2000 ms of 100 writes.
        ("disk.io.await/device=sda", 20.0),
        ("disk.io.r_await/device=sda", 20.0),
        ("disk.io.w_await/device=sda", 20.0),
        ("disk.io.svctm/device=sda", 26.667),
        ("disk.io.avgqu-sz/device=sda", 0.3),
        ("disk.io.read_bytes/device=sda", 102_400.0),
        ("disk.io.write_requests/device=sda", 10.0),
        ("net.if.in.bits/iface=eth0", 8_000.0),
        ("net.if.in.packets/iface=eth0", 2.0),
        ("net.if.in.dropped/iface=eth0", 0.5),
        ("net.if.speed.bits/iface=eth0", 1e9),
        ("ss.estab", 1.0),
        ("ss.timewait", 1.0),
        ("ss.listen", 1.0),
        ("ss.orphaned", 1.0),
        ("sockets.tcp.inuse", 5.0),
        ("sockets.tcp.mem", 8_192.0),
        ("tcp.retrans", 5.0),
        ("conntrack.used.percent", 25.0),
        ("pids.current", 300.0),
        ("pids.max", 600.0),
        ("pids.used.percent", 50.0),
        ("kernel.files.allocated", 1_024.0),
        ("proc.running", 1.0),
        ("proc.total", 1.0),
    ] {
        assert_eq!(value(&two, name), Some(expected), "{name}");
    }
    assert_eq!(value(&two, "net.if.out.bits/iface=eth0"), None, "a counter that went back is no number");
    let process = &two.tables.processes[0];
    assert_eq!((process.cpu_percent, process.user.as_str(), process.read_bytes_s), (150.0, "www-data", Some(2_000.0)));
    assert_eq!(process.command, "nginx --token=***");
    let ports: Vec<_> = two.tables.peers.iter().map(|it| (it.port, it.ours, it.time_wait)).collect();
    assert_eq!(ports, [(80, true, 0), (3_306, false, 1)]);
    assert_eq!(two.tables.cores.len(), 1);
}

#[test]
fn partitions_loops_containers_and_what_is_not_plugged_in_have_no_series() {
    let (recorded, mut meter) = Recorded::new();
    first(&recorded);
    let one = meter.measure(at(1_000), None);
    for absent in ["device=sda1", "device=loop0", "device=sdb", "iface=veth1", "iface=eth9"] {
        assert!(!one.series.iter().any(|it| it.contains(absent)), "{absent}");
    }
    assert!(has(&one, "net.if.in.bits/iface=bond0,kind=bond") && has(&one, "net.if.in.bits/iface=lo"));
    assert_eq!(value(&one, "net.if.speed.bits/iface=bond0,kind=bond"), None);
    for name in &one.series {
        let read: SeriesName = name.parse().unwrap();
        let known = METRICS.iter().find(|it| it.name == read.metric).unwrap_or_else(|| panic!("{name} is not listed"));
        assert!(read.tags.iter().all(|(tag, _)| known.tags.contains(&tag.as_str())), "{name}");
    }
    let facts = meter.facts();
    assert_eq!((facts.hostname.as_str(), facts.os.as_str()), ("web01", "Debian GNU/Linux 12 (bookworm)"));
    assert_eq!((facts.cpus, facts.memory_bytes, facts.boot_at), (1, 1_024_000, Some(at(1_700_000_000_000))));
}

#[test]
fn an_empty_machine_has_values_of_none_and_says_what_it_lacks() {
    let (_recorded, mut meter) = Recorded::new();
    meter.measure(at(1_000), None);
    let two = meter.measure(at(1_000), None);
    assert_eq!(two.sample.at, at(1_001), "no two samples are of one instant");
    let known: Vec<_> = two.series.iter().zip(&two.sample.values).filter(|(_, value)| value.is_some()).collect();
    assert_eq!(known.len(), 1, "only that it measures: {known:?}");
    let missing = meter.facts().missing;
    for what in ["cpu", "mem", "psi", "disk.io", "net.if", "ss", "cgroups", "conntrack", "sys.ntp.offset"] {
        assert!(missing.iter().any(|it| it.starts_with(&format!("{what}: "))), "{what} {missing:?}");
    }
}

#[test]
fn a_newer_kernel_counts_no_service_times() {
    let (recorded, mut meter) = Recorded::new();
    first(&recorded);
    recorded.write(&[("proc/sys/kernel/osrelease", "6.1.0-26-amd64\n")]);
    let one = meter.measure(at(1_000), None);
    assert!(!has(&one, "disk.io.svctm/device=sda") && has(&one, "disk.io.await/device=sda"));
    assert!(meter.facts().missing.iter().any(|it| it.starts_with("disk.io.svctm: ")));
}

/// Twelve groups of one to twelve tasks, and one small one that is near its limit.
fn groups(recorded: &Recorded, folder: impl Fn(&str, &str, &str) -> String, files: [&str; 3], max: &str) {
    let write = |group: &str, controller: &str, file: &str, text: &str| {
        recorded.write(&[(&folder(controller, group, file), text)]);
    };
    for n in 1..=12 {
        let group = format!("app{n}.service");
        write(&group, "pids", "pids.current", &format!("{}\n", n + 10));
        write(&group, "pids", "pids.max", "max\n");
        write(&group, "memory", files[0], "4096\n");
        write(&group, "memory", files[1], max);
        write(&group, "cpuacct", files[2], "usage_usec 5\n");
    }
    write("small.service", "pids", "pids.current", "3\n");
    write("small.service", "pids", "pids.max", "4\n");
}

fn check_groups(measured: &Measured) {
    let path = |n: u32| format!("/system.slice/app{n}.service");
    assert_eq!(value(measured, &format!("cgroup.pids.current/cgroup={}", path(12))), Some(22.0));
    assert_eq!(value(measured, &format!("cgroup.pids.max/cgroup={}", path(12))), None);
    assert!(!has(measured, &format!("cgroup.pids.current/cgroup={}", path(1))), "the ten largest have series");
    assert_eq!(value(measured, "cgroup.pids.used.percent/cgroup=/system.slice/small.service"), Some(75.0));
    let rows: Vec<_> = measured.tables.cgroups.iter().map(|it| (it.path.clone(), it.pids)).collect();
    assert_eq!((rows.len(), rows[0].clone()), (13, (path(12), 22)));
    assert_eq!(measured.tables.cgroups[0].memory_bytes, Some(4_096));
    assert_eq!(measured.tables.cgroups[0].memory_max_bytes, None, "no limit");
}

#[test]
fn groups_of_version_2_are_told_by_their_tasks() {
    let (recorded, mut meter) = Recorded::new();
    recorded.write(&[("sys/fs/cgroup/cgroup.controllers", "cpu memory pids\n")]);
    let folder = |_: &str, group: &str, file: &str| format!("sys/fs/cgroup/system.slice/{group}/{file}");
    groups(&recorded, folder, ["memory.current", "memory.max", "cpu.stat"], "max\n");
    meter.measure(at(1_000), None);
    recorded.later(10);
    recorded.write(&[("sys/fs/cgroup/system.slice/app12.service/cpu.stat", "usage_usec 5000005\nuser_usec 1\n")]);
    let two = meter.measure(at(2_000), None);
    check_groups(&two);
    assert_eq!(two.tables.cgroups[0].cpu_percent, Some(50.0));
}

#[test]
fn groups_of_version_1_are_told_alike() {
    let (recorded, mut meter) = Recorded::new();
    let folder =
        |controller: &str, group: &str, file: &str| format!("sys/fs/cgroup/{controller}/system.slice/{group}/{file}");
    let files = ["memory.usage_in_bytes", "memory.limit_in_bytes", "ignored"];
    groups(&recorded, folder, files, "9223372036854771712\n");
    check_groups(&meter.measure(at(1_000), None));
}

#[test]
fn this_machine_is_measured_with_few_gaps() {
    let mut meter = Meter::here();
    meter.measure(at(1_000), None);
    let one = meter.measure(at(2_000), None);
    for name in ["load.1min", "mem.memtotal", "ss.estab", "sockets.used", "pids.current", "kernel.uptime", "proc.total"]
    {
        assert!(value(&one, name).is_some(), "{name}: {:?}", meter.facts().missing);
    }
    assert!(one.series.len() < shared::agent::SERIES_MAX);
    let mut names = one.series.clone();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), one.series.len(), "each series is there once");
    assert!(!meter.facts().kernel.is_empty());
}
