//! What a machine of the demo measures at an instant: what it is for, the time of day, chance, and what ails it.

use shared::{
    Timestamp,
    host::{CgroupUse, CoreUse, HostFacts, HostTables, PeerUse, ProcessUse},
};
use std::f64::consts::TAU;

const DAY_S: f64 = 86_400.0;
const GIB: f64 = 1_073_741_824.0;
/// The silent one was last heard so long before the start.
const SILENT_MS: i64 = 40 * 60_000;

/// What ails a machine, as the senders tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ailment {
    None,
    /// More to do than its cores can.
    Load,
    /// Waits for its disk.
    Disk,
    /// Hardly any memory left.
    Memory,
    /// A file system that fills up.
    Full,
    /// Its interface drops packets.
    Drops,
    /// Its clock is off.
    Clock,
    /// Thousands of connections in TIME_WAIT.
    TimeWait,
    /// A control group that is near its limit of tasks.
    Tasks,
    Silent,
}

/// What it is for: how much of its processor and memory it needs by day, its size, and its busiest program.
struct Role {
    prefix: &'static str,
    cpu: f64,
    memory: f64,
    cores: u32,
    gib: f64,
    program: &'static str,
    port: u16,
}

const fn role(
    prefix: &'static str,
    cpu: f64,
    memory: f64,
    cores: u32,
    gib: f64,
    program: &'static str,
    port: u16,
) -> Role {
    Role { prefix, cpu, memory, cores, gib, program, port }
}

const ROLES: [Role; 16] = [
    role("db-", 34.0, 78.0, 16, 64.0, "mysqld", 3306),
    role("web-gw", 28.0, 38.0, 8, 16.0, "nginx", 443),
    role("cache-", 18.0, 71.0, 4, 32.0, "redis-server", 6379),
    role("etl-", 52.0, 55.0, 16, 64.0, "java", 7077),
    role("kafka-", 31.0, 64.0, 8, 32.0, "java", 9092),
    role("api-", 36.0, 47.0, 8, 16.0, "api-server", 8080),
    role("node-", 22.0, 35.0, 4, 8.0, "containerd", 10250),
    role("kvm-", 41.0, 82.0, 64, 512.0, "qemu-system-x86", 16509),
    role("dns-", 7.0, 18.0, 2, 4.0, "named", 53),
    role("lb-", 16.0, 22.0, 4, 8.0, "haproxy", 443),
    role("backup-", 12.0, 30.0, 4, 16.0, "restic", 22),
    role("pay-", 24.0, 45.0, 8, 16.0, "payd", 8443),
    role("order-", 44.0, 51.0, 8, 16.0, "order-worker", 8080),
    role("recommend", 63.0, 74.0, 32, 128.0, "python3", 8500),
    role("mon-", 15.0, 40.0, 4, 16.0, "tcpdump", 4789),
    role("", 11.0, 33.0, 2, 4.0, "app", 8080),
];

const MACHINES: [(&str, &str, Ailment); 40] = [
    ("db-order-01", "10.21.3.7", Ailment::None),
    ("db-order-02", "10.21.3.8", Ailment::Disk),
    ("db-order-03", "10.21.3.9", Ailment::None),
    ("db-pay-01", "10.21.3.17", Ailment::None),
    ("web-gw-10", "10.21.8.10", Ailment::None),
    ("web-gw-11", "10.21.8.11", Ailment::Load),
    ("web-gw-12", "10.21.8.12", Ailment::TimeWait),
    ("web-gw-13", "10.21.8.13", Ailment::None),
    ("cache-01", "10.21.4.21", Ailment::None),
    ("cache-02", "10.21.4.22", Ailment::None),
    ("cache-03", "10.21.4.23", Ailment::Memory),
    ("etl-07", "10.21.9.7", Ailment::Full),
    ("etl-08", "10.21.9.8", Ailment::None),
    ("etl-09", "10.21.9.9", Ailment::Drops),
    ("api-checkout-4", "10.30.2.44", Ailment::None),
    ("api-checkout-5", "10.30.2.45", Ailment::Tasks),
    ("api-search-1", "10.30.2.11", Ailment::None),
    ("api-search-2", "10.30.2.12", Ailment::Load),
    ("api-mail-1", "10.30.2.61", Ailment::None),
    ("kafka-04", "10.30.4.4", Ailment::Disk),
    ("kafka-05", "10.30.4.5", Ailment::None),
    ("kafka-06", "10.30.4.6", Ailment::None),
    ("node-berlin-08", "10.60.0.8", Ailment::Full),
    ("node-berlin-09", "10.60.0.9", Ailment::None),
    ("node-berlin-11", "10.60.0.11", Ailment::Clock),
    ("node-berlin-14", "10.60.0.14", Ailment::None),
    ("pay-gateway", "10.30.9.1", Ailment::None),
    ("order-worker-2", "10.30.9.12", Ailment::None),
    ("order-worker-3", "10.30.9.13", Ailment::Load),
    ("recommend-1", "10.30.9.31", Ailment::None),
    ("coupon-1", "10.30.9.41", Ailment::None),
    ("report-1", "10.30.9.51", Ailment::Silent),
    ("kvm-host-07", "10.22.0.7", Ailment::None),
    ("kvm-host-19", "10.22.0.19", Ailment::None),
    ("kvm-host-21", "10.22.0.21", Ailment::Disk),
    ("kvm-berlin-2", "10.61.0.2", Ailment::None),
    ("dns-01", "10.20.0.53", Ailment::None),
    ("lb-edge-03", "10.20.1.3", Ailment::None),
    ("backup-01", "10.22.1.5", Ailment::None),
    ("mon-capture", "10.21.250.9", Ailment::None),
];

pub(super) struct Machine {
    pub(super) name: &'static str,
    ip: &'static str,
    ailment: Ailment,
    role: &'static Role,
    seed: u64,
}

pub(super) fn all() -> Vec<Machine> {
    let machine = |(n, (name, ip, ailment)): (usize, &(&'static str, &'static str, Ailment))| {
        // The last one fits every name.
        let role = ROLES.iter().find(|role| name.starts_with(role.prefix)).unwrap_or(&ROLES[ROLES.len() - 1]);
        Machine { name, ip, ailment: *ailment, role, seed: n as u64 + 1 }
    };
    MACHINES.iter().enumerate().map(machine).collect()
}

/// A number in 0..1 that is always the same for the same three.
fn chance(seed: u64, what: u64, step: i64) -> f64 {
    let mut z =
        seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ what.wrapping_mul(0xbf58_476d_1ce4_e5b9) ^ step.cast_unsigned();
    for _ in 0..2 {
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
    }
    (z >> 11) as f64 / (1_u64 << 53) as f64
}

impl Machine {
    /// Whether it says nothing then; `started` is when the demo began.
    pub(super) fn is_silent(&self, at: Timestamp, started: Timestamp) -> bool {
        self.ailment == Ailment::Silent && at.ms_since(started) > -SILENT_MS
    }

    pub(super) fn clock_ahead_ms(&self) -> i64 {
        if self.ailment == Ailment::Clock { 340 } else { 0 }
    }

    /// Between 0 and 1, moving slowly: what people do.
    fn swing(&self, what: u64, at: Timestamp, step_ms: i64) -> f64 {
        let (n, part) = (at.ms().div_euclid(step_ms), at.ms().rem_euclid(step_ms) as f64 / step_ms as f64);
        let smooth = part * part * (3.0 - 2.0 * part);
        chance(self.seed, what, n) * (1.0 - smooth) + chance(self.seed, what, n + 1) * smooth
    }

    /// How busy the day is: least at four in the night in Shanghai, most in the evening.
    fn day(&self, at: Timestamp) -> f64 {
        let of_day = (at.ms() as f64 / 1_000.0 + 8.0 * 3_600.0).rem_euclid(DAY_S) / DAY_S;
        0.65 - 0.35 * ((of_day - 4.0 / 24.0) * TAU).cos()
    }

    /// How much it ails, from 0 to 1: in spells of some minutes, more of them now than yesterday.
    fn ails(&self, what: Ailment, at: Timestamp) -> f64 {
        if self.ailment != what {
            return 0.0;
        }
        let spell = self.swing(77, at, 9 * 60_000);
        (0.35 + spell).min(1.0)
    }

    fn noise(&self, what: u64, at: Timestamp) -> f64 {
        chance(self.seed, what, at.ms() / 1_000) - 0.5
    }

    /// The series and their values then.
    // tidy: long because it is one table of what a machine measures.
    pub(super) fn measured(&self, at: Timestamp) -> Vec<(String, f64)> {
        let Role { cores, gib, .. } = *self.role;
        let day = self.day(at);
        let load_ail = self.ails(Ailment::Load, at);
        let disk_ail = self.ails(Ailment::Disk, at);
        let busy =
            self.role.cpu * day * (0.75 + 0.5 * self.swing(1, at, 240_000)) + 60.0 * load_ail + 9.0 * self.noise(2, at);
        let iowait = (0.4 + 1.5 * self.swing(3, at, 90_000) + 34.0 * disk_ail).min(60.0);
        let busy = busy.clamp(0.8, 97.0 - iowait);
        let steal = if self.name.starts_with("kvm") { 0.0 } else { 0.3 + 2.5 * self.swing(4, at, 600_000) * day };
        let (system, softirq) = (busy * (0.16 + 0.05 * self.noise(5, at)), busy * 0.04);
        let user = (busy - system - softirq - steal).max(0.1);
        let idle = 100.0 - busy - iowait;
        let cores_f = f64::from(cores);
        let load =
            cores_f * (busy + iowait) / 100.0 * (0.8 + 0.3 * self.swing(6, at, 120_000)) + cores_f * 1.4 * load_ail;
        let total = gib * GIB;
        let used = total
            * ((self.role.memory + 8.0 * self.swing(7, at, 1_800_000) + 24.0 * self.ails(Ailment::Memory, at)) / 100.0)
                .min(0.985);
        let cache = (total - used) * 0.8;
        let swap_total = 4.0 * GIB;
        let swap_used = swap_total * (0.01 + 0.6 * self.ails(Ailment::Memory, at));
        let full = self.ails(Ailment::Full, at) > 0.0;
        let hours = at.ms().rem_euclid(86_400_000) as f64 / 3_600_000.0;
        let data = if full { (84.0 + hours * 0.5).min(97.0) } else { 48.0 + 9.0 * self.swing(8, at, 7_200_000) };
        let net = 12e6 * cores_f * day * (0.5 + self.swing(9, at, 180_000)) * (1.0 + 0.15 * self.noise(10, at));
        let util = (6.0 + 14.0 * self.swing(11, at, 60_000) * day + 88.0 * disk_ail).clamp(0.5, 100.0);
        let wait = 0.6 + 1.2 * self.swing(12, at, 60_000) + 85.0 * disk_ail * disk_ail;
        let estab = 90.0 * cores_f * day * (0.7 + 0.6 * self.swing(13, at, 200_000));
        let time_wait = estab * 0.6 + 21_000.0 * self.ails(Ailment::TimeWait, at);
        let dropped = 57.0 * self.ails(Ailment::Drops, at);
        let pids = 210.0 + 30.0 * cores_f * day;
        let group_pids = 40.0 + 20.0 * day + 430.0 * self.ails(Ailment::Tasks, at);
        let uptime = (at.ms() - self.boot().ms()) as f64 / 1_000.0;
        let ntp = self.noise(14, at) * 1.6 + if self.ailment == Ailment::Clock { 340.0 } else { 0.0 };
        let psi = |much: f64| (much + 0.4 * self.noise(15, at).abs()).clamp(0.0, 95.0);
        let mut all: Vec<(String, f64)> = Vec::with_capacity(90);
        let mut add = |name: &str, value: f64| all.push((name.to_owned(), value));
        for (name, value) in [
            ("agent.alive", 1.0),
            ("kernel.uptime", uptime),
            ("sys.ntp.offset", ntp),
            ("cpu.busy", busy),
            ("cpu.idle", idle),
            ("cpu.user", user),
            ("cpu.nice", 0.0),
            ("cpu.system", system),
            ("cpu.iowait", iowait),
            ("cpu.irq", 0.0),
            ("cpu.softirq", softirq),
            ("cpu.steal", steal),
            ("cpu.guest", 0.0),
            ("cpu.switches", busy * 310.0),
            ("load.1min", load),
            ("load.5min", load * 0.93),
            ("load.15min", load * 0.85),
            ("psi.cpu.some", psi(70.0 * load_ail)),
            ("psi.memory.some", psi(22.0 * self.ails(Ailment::Memory, at))),
            ("psi.memory.full", psi(9.0 * self.ails(Ailment::Memory, at))),
            ("psi.io.some", psi(62.0 * disk_ail)),
            ("psi.io.full", psi(48.0 * disk_ail)),
            ("mem.memtotal", total),
            ("mem.memused", used),
            ("mem.memavailable", total - used),
            ("mem.memfree", total - used - cache),
            ("mem.buffers", cache * 0.06),
            ("mem.cached", cache * 0.9),
            ("mem.slab", total * 0.02),
            ("mem.memused.percent", used * 100.0 / total),
            ("mem.swaptotal", swap_total),
            ("mem.swapused", swap_used),
            ("mem.swapused.percent", swap_used * 100.0 / swap_total),
            ("mem.swap.in", 4e6 * self.ails(Ailment::Memory, at)),
            ("mem.swap.out", 7e6 * self.ails(Ailment::Memory, at)),
            ("df.bytes.used.percent/fstype=ext4,mount=/", 31.0 + 4.0 * self.swing(16, at, 7_200_000)),
            ("df.bytes.used.percent/fstype=xfs,mount=/data", data),
            ("df.bytes.free.percent/fstype=ext4,mount=/", 69.0 - 4.0 * self.swing(16, at, 7_200_000)),
            ("df.bytes.free.percent/fstype=xfs,mount=/data", 100.0 - data),
            ("df.bytes.used/fstype=xfs,mount=/data", data * 10.0 * GIB),
            ("df.inodes.used.percent/fstype=xfs,mount=/data", 7.0),
            ("disk.io.util/device=vda", util * 0.3),
            ("disk.io.util/device=vdb", util),
            ("disk.io.await/device=vda", wait * 0.4),
            ("disk.io.await/device=vdb", wait),
            ("disk.io.avgqu-sz/device=vdb", util / 30.0),
            ("disk.io.read_bytes/device=vdb", util * 1.1e6),
            ("disk.io.write_bytes/device=vdb", util * 1.9e6),
            ("net.if.in.bits/iface=eth0", net),
            ("net.if.out.bits/iface=eth0", net * 1.7),
            ("net.if.in.packets/iface=eth0", net / 6_000.0),
            ("net.if.out.packets/iface=eth0", net / 5_000.0),
            ("net.if.in.errors/iface=eth0", 0.0),
            ("net.if.out.errors/iface=eth0", 0.0),
            ("net.if.in.dropped/iface=eth0", dropped),
            ("net.if.out.dropped/iface=eth0", 0.0),
            ("net.if.speed.bits/iface=eth0", 10e9),
            ("ss.estab", estab.round()),
            ("ss.timewait", time_wait.round()),
            ("ss.closewait", (3.0 + 4.0 * day).round()),
            ("ss.synrecv", 1.0),
            ("ss.finwait1", 2.0),
            ("ss.finwait2", (5.0 * day).round()),
            ("ss.listen", 14.0),
            ("tcp.retrans", 2.0 + dropped * 3.0),
            ("tcp.listen.overflows", 0.0),
            ("tcp.listen.drops", 0.0),
            ("conntrack.count", (estab + time_wait).round()),
            ("conntrack.max", 262_144.0),
            ("pids.current", pids.round()),
            ("pids.max", 32_768.0),
            ("pids.used.percent", pids * 100.0 / 32_768.0),
            ("proc.running", (1.0 + load * 0.4).round()),
            ("proc.blocked", (14.0 * disk_ail).round()),
            ("kernel.files.allocated", 4_000.0 + estab),
        ] {
            add(name, value);
        }
        let unit = format!("/system.slice/{}.service", self.role.program);
        add(&format!("cgroup.pids.current/cgroup={unit}"), group_pids.round());
        add(&format!("cgroup.pids.max/cgroup={unit}"), 512.0);
        add("cgroup.pids.current/cgroup=/system.slice/cron.service", 1.0);
        for core in 0..cores.min(8) {
            let own = busy * (0.6 + 0.8 * self.swing(u64::from(core) + 100, at, 45_000));
            add(&format!("cpu.core.busy/core={core}"), own.clamp(0.0, 100.0));
        }
        all
    }

    fn boot(&self) -> Timestamp {
        let days = 3 + (chance(self.seed, 200, 0) * 280.0) as i64;
        Timestamp::from_ms(1_795_000_000_000 - days * 86_400_000)
    }

    pub(super) fn facts(&self, now: Timestamp) -> HostFacts {
        let debian = !self.seed.is_multiple_of(3);
        let mac = self.ip.parse::<std::net::Ipv4Addr>().map(|ip| {
            let [_, b, c, d] = ip.octets();
            format!("52:54:00:{b:02x}:{c:02x}:{d:02x}")
        });
        HostFacts {
            hostname: self.name.to_owned(),
            os: if debian { "Debian GNU/Linux 12 (bookworm)" } else { "Rocky Linux 9.4 (Blue Onyx)" }.to_owned(),
            kernel: if debian { "6.1.0-26-amd64" } else { "5.14.0-427.el9.x86_64" }.to_owned(),
            arch: "x86_64".to_owned(),
            cpu_model: "Intel(R) Xeon(R) Gold 6338 CPU @ 2.00GHz".to_owned(),
            cpus: self.role.cores,
            memory_bytes: (self.role.gib * GIB) as u64,
            swap_bytes: (4.0 * GIB) as u64,
            boot_at: Some(self.boot().min(now)),
            ips: self.ip.parse().into_iter().collect(),
            macs: mac.ok().and_then(|mac| mac.parse().ok()).into_iter().collect(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            missing: Vec::new(),
        }
    }

    pub(super) fn tables(&self, at: Timestamp) -> HostTables {
        let measured = self.measured(at);
        let of = |name: &str| measured.iter().find(|(own, _)| own == name).map_or(0.0, |(_, value)| *value);
        let cores = self.role.cores;
        let process = |n: u32, name: &str, user: &str, part: f64, memory: f64| ProcessUse {
            pid: 800 + n * 37 + (self.seed as u32) * 11,
            name: name.to_owned(),
            user: user.to_owned(),
            state: if part > 0.3 { "R" } else { "S" }.to_owned(),
            cpu_percent: (of("cpu.busy") * f64::from(cores) * part) as f32,
            rss_bytes: (of("mem.memused") * memory) as u64,
            threads: 1 + (part * 60.0) as u32,
            read_bytes_s: Some((of("disk.io.read_bytes/device=vdb") * part) as f32),
            write_bytes_s: Some((of("disk.io.write_bytes/device=vdb") * part) as f32),
            command: format!("/usr/sbin/{name} --config /etc/{name}.conf"),
        };
        let core = |core: u32| {
            let busy = of(&format!("cpu.core.busy/core={}", core % 8)) as f32;
            let iowait = (of("cpu.iowait") as f32).min(100.0 - busy);
            let (user, system) = (busy * 0.78, busy * 0.18);
            CoreUse {
                core,
                user,
                system,
                softirq: busy * 0.04,
                iowait,
                idle: 100.0 - busy - iowait,
                ..CoreUse::default()
            }
        };
        let unit = format!("/system.slice/{}.service", self.role.program);
        let group = |path: &str, pids: f64, max: Option<u64>, part: f64| CgroupUse {
            path: path.to_owned(),
            pids: pids as u64,
            pids_max: max,
            memory_bytes: Some((of("mem.memused") * part) as u64),
            memory_max_bytes: max.map(|_| (self.role.gib * GIB * 0.9) as u64),
            cpu_percent: Some((of("cpu.busy") * f64::from(cores) * part) as f32),
        };
        let peer = |port: u16, ours: bool, part: f64| PeerUse {
            port,
            ours,
            established: (of("ss.estab") * part) as u32,
            time_wait: (of("ss.timewait") * part) as u32,
            close_wait: if ours { 0 } else { 2 },
            other: 1,
            busiest: "10.21.8.11".parse().ok().map(|ip| (ip, (of("ss.estab") * part * 0.4) as u32)),
        };
        HostTables {
            at,
            processes: vec![
                process(1, self.role.program, "app", 0.71, 0.62),
                process(2, "fluent-bit", "root", 0.06, 0.03),
                process(3, "node_exporter", "nobody", 0.02, 0.01),
                process(4, "tocsin", "tocsin", 0.01, 0.005),
                process(5, "systemd-journald", "root", 0.01, 0.02),
                process(6, "sshd", "root", 0.001, 0.002),
            ],
            cores: (0..cores).map(core).collect(),
            cgroups: vec![
                group(&unit, of(&format!("cgroup.pids.current/cgroup={unit}")), Some(512), 0.62),
                group("/user.slice", 6.0, None, 0.01),
                group("/system.slice/cron.service", 1.0, None, 0.001),
            ],
            peers: vec![peer(3306, false, 0.66), peer(self.role.port, true, 0.25), peer(6379, false, 0.08)],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::host::{SeriesName, metric};
    use std::collections::BTreeSet;

    #[test]
    fn every_machine_measures_what_is_known_and_what_can_be() {
        let machines = all();
        assert_eq!(machines.iter().map(|it| it.name).collect::<BTreeSet<_>>().len(), machines.len());
        for machine in &machines {
            for hour in 0..24 {
                let at = Timestamp::from_ms(1_795_000_000_000 + hour * 3_600_000);
                let measured = machine.measured(at);
                let names: BTreeSet<&String> = measured.iter().map(|(name, _)| name).collect();
                assert_eq!(names.len(), measured.len(), "{}", machine.name);
                for (name, value) in &measured {
                    let series: SeriesName = name.parse().unwrap();
                    assert!(metric(&series.metric).is_some(), "{name}");
                    assert!(value.is_finite(), "{name} of {}", machine.name);
                    if name.contains("percent") || name.starts_with("cpu.") && name != "cpu.switches" {
                        assert!((0.0..=100.0).contains(value), "{name} of {}: {value}", machine.name);
                    }
                }
                assert_eq!(measured, machine.measured(at), "the same at the same time");
            }
            assert_eq!(machine.facts(Timestamp::from_ms(1_795_000_000_000)).macs.len(), 1);
        }
    }

    #[test]
    fn who_is_told_to_be_ill_is() {
        let machines = all();
        let at = Timestamp::from_ms(1_795_000_000_000);
        let value = |name: &str, series: &str| {
            let machine = machines.iter().find(|it| it.name == name).unwrap();
            machine.measured(at).into_iter().find(|(own, _)| own == series).unwrap().1
        };
        assert!(value("web-gw-12", "ss.timewait") > 5_000.0);
        assert!(value("etl-07", "df.bytes.used.percent/fstype=xfs,mount=/data") > 80.0);
        assert!(value("db-order-02", "disk.io.util/device=vdb") > 30.0);
        let silent = machines.iter().find(|it| it.name == "report-1").unwrap();
        assert!(silent.is_silent(at, at) && !silent.is_silent(at.plus_ms(-SILENT_MS - 1), at));
    }
}
