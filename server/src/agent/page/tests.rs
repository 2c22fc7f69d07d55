//! The page of a machine that is always the same.

use super::*;
use shared::{
    Timestamp,
    host::{CgroupUse, CoreUse, HostTables, PeerUse, ProcessUse, Sample},
};

const VALUES: [(&str, f64); 74] = [
    ("kernel.uptime", 1_051_200.0),
    ("cpu.busy", 37.5),
    ("cpu.user", 20.0),
    ("cpu.nice", 0.0),
    ("cpu.system", 10.0),
    ("cpu.iowait", 5.5),
    ("cpu.irq", 0.0),
    ("cpu.softirq", 1.25),
    ("cpu.steal", 0.75),
    ("cpu.guest", 0.0),
    ("cpu.switches", 12_345.6),
    ("cpu.interrupts", 2_345.0),
    ("cpu.forks", 3.0),
    ("load.1min", 1.5),
    ("load.5min", 0.75),
    ("load.15min", 0.5),
    ("proc.running", 3.0),
    ("proc.blocked", 1.0),
    ("mem.memtotal", 17_179_869_184.0),
    ("mem.memused", 15_569_256_448.0),
    ("mem.memused.percent", 90.625),
    ("mem.memfree", 1_073_741_824.0),
    ("mem.buffers", 1_048_576.0),
    ("mem.cached", 536_870_912.0),
    ("mem.slab", 2_097_152.0),
    ("mem.shmem", 4_096.0),
    ("mem.dirty", 0.0),
    ("mem.swaptotal", 1_073_741_824.0),
    ("mem.swapused", 805_306_368.0),
    ("mem.swapused.percent", 75.0),
    ("mem.swap.in", 0.0),
    ("mem.swap.out", 8_192.0),
    ("psi.cpu.some", 1.0),
    ("psi.memory.some", 2.0),
    ("psi.memory.full", 1.5),
    ("psi.io.some", 3.0),
    ("psi.io.full", 2.5),
    ("pids.current", 412.0),
    ("pids.max", 32_768.0),
    ("pids.used.percent", 1.257),
    ("proc.total", 180.0),
    ("kernel.files.allocated", 2_048.0),
    ("disk.io.util/device=sda", 95.0),
    ("disk.io.await/device=sda", 12.34),
    ("disk.io.avgqu-sz/device=sda", 2.5),
    ("disk.io.read_requests/device=sda", 10.0),
    ("disk.io.write_requests/device=sda", 120.5),
    ("disk.io.read_bytes/device=sda", 40_960.0),
    ("disk.io.write_bytes/device=sda", 5_242_880.0),
    ("df.bytes.total/fstype=ext4,mount=/", 107_374_182_400.0),
    ("df.bytes.used/fstype=ext4,mount=/", 53_687_091_200.0),
    ("df.bytes.free/fstype=ext4,mount=/", 48_318_382_080.0),
    ("df.bytes.used.percent/fstype=ext4,mount=/", 52.6),
    ("df.inodes.used.percent/fstype=ext4,mount=/", 4.0),
    ("net.if.in.bits/iface=eth0", 12_000_000.0),
    ("net.if.out.bits/iface=eth0", 800_000.0),
    ("net.if.in.packets/iface=eth0", 1_500.0),
    ("net.if.out.packets/iface=eth0", 900.0),
    ("net.if.in.errors/iface=eth0", 0.0),
    ("net.if.out.errors/iface=eth0", 0.0),
    ("net.if.in.dropped/iface=eth0", 0.5),
    ("net.if.out.dropped/iface=eth0", 0.0),
    ("net.if.speed.bits/iface=eth0", 1_000_000_000.0),
    ("ss.estab", 32.0),
    ("ss.timewait", 41_000.0),
    ("ss.closewait", 0.0),
    ("ss.synsent", 1.0),
    ("ss.listen", 12.0),
    ("sockets.used", 300.0),
    ("tcp.retrans", 0.25),
    ("tcp.listen.overflows", 0.0),
    ("conntrack.count", 50.0),
    ("conntrack.max", 65_536.0),
    ("conntrack.used.percent", 0.076),
];

fn machine() -> (HostFacts, Measured) {
    let facts = HostFacts {
        hostname: "web01".into(),
        os: "Debian GNU/Linux 12 (bookworm)".into(),
        kernel: "6.1.0-26-amd64".into(),
        arch: "x86_64".into(),
        cpu_model: "A Processor".into(),
        cpus: 4,
        memory_bytes: 17_179_869_184,
        missing: vec!["sys.ntp.offset: no time server answers".into()],
        ..HostFacts::default()
    };
    let core = |core, idle| CoreUse { core, idle, ..CoreUse::default() };
    let process = ProcessUse {
        pid: 4_711,
        name: "java".into(),
        user: "app".into(),
        state: "S".into(),
        cpu_percent: 143.2,
        rss_bytes: 2_147_483_648,
        threads: 87,
        command: format!("java -Dpassword=*** {}", "-Dx=y ".repeat(30)),
        ..ProcessUse::default()
    };
    let peer = PeerUse {
        port: 3_306,
        time_wait: 40_900,
        busiest: Some(("10.0.0.9".parse().unwrap(), 40_900)),
        ..PeerUse::default()
    };
    let group = CgroupUse {
        path: "/system.slice/app.service".into(),
        pids: 95,
        pids_max: Some(100),
        memory_bytes: Some(1_073_741_824),
        cpu_percent: Some(143.0),
        ..CgroupUse::default()
    };
    let tables = HostTables {
        cores: vec![core(0, 62.5), core(1, 0.0), core(2, 100.0), core(3, 20.0)],
        processes: vec![process],
        peers: vec![peer],
        cgroups: vec![group],
        ..HostTables::default()
    };
    let series = VALUES.iter().map(|(name, _)| (*name).to_owned()).collect();
    let sample = Sample { at: Timestamp::from_ms(0), values: VALUES.iter().map(|(_, value)| Some(*value)).collect() };
    (facts, Measured { series, sample, tables })
}

fn drawn(width: usize, colour: bool) -> String {
    let (facts, measured) = machine();
    Page { facts: &facts, measured: &measured, neighbours: &Table::default() }.drawn(Style { width, colour })
}

#[test]
fn the_page_is_as_it_was() {
    let drawn = drawn(100, false);
    assert_eq!(drawn, include_str!("page.txt"), "\n{drawn}");
}

#[test]
fn tables_keep_to_the_width_and_colours_are_only_on_a_terminal() {
    for width in [1, 60, 80, 300] {
        let page = drawn(width, false);
        let most = width.clamp(WIDTH_MIN, WIDTH_MAX);
        let measured = page.lines().skip(3).filter(|line| !line.starts_with("not measured"));
        let wide: Vec<&str> = measured.filter(|line| line.chars().count() > most).collect();
        assert!(wide.is_empty(), "{width}: {wide:?}");
        assert!(!page.contains('\u{1b}'));
    }
    let coloured = drawn(100, true);
    assert!(coloured.contains("\u{1b}[31m95.0 %\u{1b}[0m"), "{coloured}");
    let plain = regex::Regex::new("\u{1b}\\[[0-9]*m").unwrap().replace_all(&coloured, "").into_owned();
    assert_eq!(plain, drawn(100, false), "a colour takes no room");
}

#[test]
fn a_machine_of_which_nothing_is_known_has_a_page_too() {
    let measured = Measured {
        series: Vec::new(),
        sample: Sample { at: Timestamp::from_ms(0), values: Vec::new() },
        tables: HostTables::default(),
    };
    let facts = HostFacts::default();
    let page = Page { facts: &facts, measured: &measured, neighbours: &Table::default() };
    assert!(page.drawn(Style { width: 80, colour: false }).contains("CPU"));
}
