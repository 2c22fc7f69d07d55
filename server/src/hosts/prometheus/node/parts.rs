//! Processors, memory, file systems, disks, interfaces and sockets, each made of several of `node_exporter`'s metrics.

use super::{super::instance::Instance, Sight};
use crate::{agent::is_made, hosts::given};
use shared::{Timestamp, host::CoreUse};
use std::collections::BTreeMap;

/// How `/proc/stat` divides a processor's time. Guests are not here: their time is a part of `user` and `nice` already, and
/// `node_exporter` leaves it there, as proc(5) does.
const MODES: [&str; 8] = ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"];
const IDLE: usize = 3;
/// File systems in memory, and images that are always full.
const NO_SPACE: [&str; 7] = ["tmpfs", "ramfs", "devtmpfs", "squashfs", "iso9660", "rootfs", "erofs"];
/// Files and memory that are shown as disks.
const NO_DISKS: [&str; 5] = ["loop", "ram", "zram", "sr", "fd"];

fn percent(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part * 100.0 / whole)
}

/// Seconds of each mode in a second; of a hundred, if there were any.
fn shares(modes: &[f64; 8]) -> Option<[f64; 8]> {
    let whole: f64 = modes.iter().sum();
    (whole > 0.0).then(|| modes.map(|it| it * 100.0 / whole))
}

/// The shares of the whole machine, and of each core.
pub(super) fn processors(sight: &mut Sight<'_>, instance: &mut Instance) -> Vec<CoreUse> {
    let mut seconds: BTreeMap<u32, [Option<f64>; 8]> = BTreeMap::new();
    let mut known = 0;
    if let Some(all) = sight.by_name.get("node_cpu_seconds_total") {
        for (reading, rate) in all {
            let Ok(core) = reading.series.label("cpu").parse() else { continue };
            let Some(mode) = MODES.iter().position(|it| *it == reading.series.label("mode")) else { continue };
            let modes = seconds.entry(core).or_insert([None; 8]);
            if let Some(place) = modes.get_mut(mode) {
                *place = *rate;
            }
        }
        known = seconds.len();
    }
    sight.used.insert("node_cpu_seconds_total");
    if known == 0 {
        return Vec::new();
    }
    instance.facts.cpus = u32::try_from(known).unwrap_or(u32::MAX);
    let mut guests: BTreeMap<u32, f64> = BTreeMap::new();
    for (reading, rate) in sight.each("node_cpu_guest_seconds_total") {
        if let Ok(core) = reading.series.label("cpu").parse() {
            *guests.entry(core).or_default() += rate;
        }
    }
    let (mut whole, mut guest, mut cores) = ([0.0; 8], 0.0, Vec::new());
    for (core, modes) in &seconds {
        // A core that says nothing of being idle was not told whole: it counts anew, or for the first time.
        let told = modes.get(IDLE).copied().flatten().is_some();
        let modes = modes.map(|mode| mode.unwrap_or_default());
        let shares = shares(&modes).filter(|_| told);
        let name = core.to_string();
        sight.put_of("cpu.core.busy", &[("core", &name)], shares.map(|[.., idle, _, _, _, _]| 100.0 - idle));
        let Some(shares) = shares else { continue };
        let of_guest = guests.get(core).copied().unwrap_or_default();
        guest += of_guest;
        whole.iter_mut().zip(modes).for_each(|(sum, mode)| *sum += mode);
        let [user, nice, system, idle, iowait, irq, softirq, steal] = shares.map(|it| it as f32);
        let guest = percent(of_guest, modes.iter().sum()).unwrap_or_default() as f32;
        cores.push(CoreUse { core: *core, user, nice, system, idle, iowait, irq, softirq, steal, guest });
    }
    let all: f64 = whole.iter().sum();
    let shares = shares(&whole);
    for (n, mode) in MODES.iter().enumerate() {
        sight.put(&format!("cpu.{mode}"), shares.and_then(|it| it.get(n).copied()));
    }
    sight.put("cpu.busy", shares.map(|[.., idle, _, _, _, _]| 100.0 - idle));
    sight.put("cpu.guest", percent(guest, all));
    cores
}

/// Used is what is not available, as `free` shows it.
pub(super) fn memory(sight: &mut Sight<'_>) {
    let total = sight.value("node_memory_MemTotal_bytes");
    let parts = ["node_memory_MemFree_bytes", "node_memory_Buffers_bytes", "node_memory_Cached_bytes"];
    let guess = parts.map(|part| sight.value(part)).into_iter().sum::<Option<f64>>();
    // Kernels before 3.14 do not say what is available.
    let available = sight.value("node_memory_MemAvailable_bytes").or(guess);
    if let (Some(total), Some(available)) = (total, available) {
        let used = (total - available).max(0.0);
        sight.put("mem.memavailable", Some(available));
        sight.put("mem.memused", Some(used));
        sight.put("mem.memused.percent", percent(used, total));
        sight.put("mem.memfree.percent", percent(available, total));
    }
    let (swap, free) = (sight.value("node_memory_SwapTotal_bytes"), sight.value("node_memory_SwapFree_bytes"));
    if let (Some(swap), Some(free)) = (swap, free) {
        let used = (swap - free).max(0.0);
        sight.put("mem.swapused", Some(used));
        sight.put("mem.swapused.percent", percent(used, swap));
    }
}

/// As `df` counts: free is what is left for everybody, without what is reserved for root; a percentage is of both. Each
/// device once, where its path is shortest.
pub(super) fn file_systems(sight: &mut Sight<'_>) {
    let mut sizes: BTreeMap<&str, (&str, &str, f64)> = BTreeMap::new();
    for (reading, size) in sight.each("node_filesystem_size_bytes") {
        let label = |name: &str| reading.series.label(name);
        let (device, kind, mount) = (label("device"), label("fstype"), label("mountpoint"));
        if size <= 0.0 || NO_SPACE.contains(&kind) || (kind == "overlay" && mount != "/") {
            continue;
        }
        let found = sizes.entry(device).or_insert((mount, kind, size));
        if (mount.len(), mount) < (found.0.len(), found.0) {
            *found = (mount, kind, size);
        }
    }
    let mut at = |name| sight.by_label(name, "mountpoint");
    let (free, available) = (at("node_filesystem_free_bytes"), at("node_filesystem_avail_bytes"));
    let (files, files_free) = (at("node_filesystem_files"), at("node_filesystem_files_free"));
    for (mount, kind, size) in sizes.into_values() {
        let tags = [("fstype", kind), ("mount", mount)];
        let of = |all: &BTreeMap<&str, f64>| all.get(mount).copied();
        let used = of(&free).map(|free| (size - free).max(0.0));
        let used_percent = used.zip(of(&available)).and_then(|(used, available)| percent(used, used + available));
        let inodes = of(&files).zip(of(&files_free)).and_then(|(all, free)| percent(all - free, all));
        sight.put_of("df.bytes.total", &tags, Some(size));
        sight.put_of("df.bytes.used", &tags, used);
        sight.put_of("df.bytes.free", &tags, of(&available));
        sight.put_of("df.bytes.used.percent", &tags, used_percent);
        sight.put_of("df.bytes.free.percent", &tags, used_percent.map(|it| 100.0 - it));
        sight.put_of("df.inodes.used.percent", &tags, inodes);
        sight.put_of("df.inodes.free.percent", &tags, inodes.map(|it| 100.0 - it));
    }
    sight.used.extend(["node_filesystem_readonly", "node_filesystem_device_error"]);
}

/// As `iostat -x` counts. What a disk takes for itself (`svctm`) cannot be told from what kernels count since 5.0.
pub(super) fn disks(sight: &mut Sight<'_>) {
    // Those that said something of themselves, even if it is the first time.
    let named = sight.by_name.get("node_disk_io_time_seconds_total").into_iter().flatten();
    let named: Vec<&str> = named.map(|(reading, _)| reading.series.label("device")).collect();
    let mut of = |name| sight.by_label(name, "device");
    let (reads, writes) = (of("node_disk_reads_completed_total"), of("node_disk_writes_completed_total"));
    let (read, written) = (of("node_disk_read_bytes_total"), of("node_disk_written_bytes_total"));
    let (reading_s, writing_s) = (of("node_disk_read_time_seconds_total"), of("node_disk_write_time_seconds_total"));
    let (busy_s, queued_s) = (of("node_disk_io_time_seconds_total"), of("node_disk_io_time_weighted_seconds_total"));
    for device in named.into_iter().filter(|device| !is_numbered(device, &NO_DISKS)) {
        let tags = [("device", device)];
        let of = |all: &BTreeMap<&str, f64>| all.get(device).copied();
        // Nothing where there were no requests, as iostat has it.
        let each_ms = |seconds: Option<f64>, requests: Option<f64>| {
            seconds
                .zip(requests)
                .map(|(seconds, requests)| if requests > 0.0 { seconds * 1_000.0 / requests } else { 0.0 })
        };
        let both = |a: Option<f64>, b: Option<f64>| a.zip(b).map(|(a, b)| a + b);
        let waiting_s = both(of(&reading_s), of(&writing_s));
        sight.put_of("disk.io.util", &tags, of(&busy_s).map(|busy_s| (busy_s * 100.0).min(100.0)));
        sight.put_of("disk.io.await", &tags, each_ms(waiting_s, both(of(&reads), of(&writes))));
        sight.put_of("disk.io.r_await", &tags, each_ms(of(&reading_s), of(&reads)));
        sight.put_of("disk.io.w_await", &tags, each_ms(of(&writing_s), of(&writes)));
        sight.put_of("disk.io.avgqu-sz", &tags, of(&queued_s));
        sight.put_of("disk.io.read_requests", &tags, of(&reads));
        sight.put_of("disk.io.write_requests", &tags, of(&writes));
        sight.put_of("disk.io.read_bytes", &tags, of(&read));
        sight.put_of("disk.io.write_bytes", &tags, of(&written));
    }
}

/// Whether a name is that of one of these kinds with a number behind it: `loop3`.
fn is_numbered(name: &str, kinds: &[&str]) -> bool {
    let is_number = |rest: &str| rest.bytes().all(|b| b.is_ascii_digit());
    kinds.iter().any(|kind| name.strip_prefix(kind).is_some_and(is_number))
}

/// What tells an interface from others; one that rides on another has a tag for it, so that a sum counts what enters the
/// machine once.
fn named(device: &str) -> Vec<(&str, &str)> {
    let kind = given::interface_kind(device).map(|kind| ("kind", kind));
    [("iface", device)].into_iter().chain(kind).collect()
}

pub(super) fn interfaces(sight: &mut Sight<'_>) {
    const RATES: [(&str, &str, f64); 8] = [
        ("node_network_receive_bytes_total", "net.if.in.bits", 8.0),
        ("node_network_transmit_bytes_total", "net.if.out.bits", 8.0),
        ("node_network_receive_packets_total", "net.if.in.packets", 1.0),
        ("node_network_transmit_packets_total", "net.if.out.packets", 1.0),
        ("node_network_receive_errs_total", "net.if.in.errors", 1.0),
        ("node_network_transmit_errs_total", "net.if.out.errors", 1.0),
        ("node_network_receive_drop_total", "net.if.in.dropped", 1.0),
        ("node_network_transmit_drop_total", "net.if.out.dropped", 1.0),
    ];
    for (theirs, ours, factor) in RATES {
        let all: Vec<_> = sight.by_name.get(theirs).into_iter().flatten().copied().collect();
        sight.used.insert(theirs);
        for (reading, rate) in all {
            let device = reading.series.label("device");
            if !is_made(device) {
                sight.put_of(ours, &named(device), rate.map(|rate| rate * factor));
            }
        }
    }
    // Less than nothing where nothing is plugged in.
    for (device, bytes) in sight.by_label("node_network_speed_bytes", "device") {
        if bytes > 0.0 && !is_made(device) {
            sight.put_of("net.if.speed.bits", &named(device), Some(bytes * 8.0));
        }
    }
}

pub(super) fn sockets(sight: &mut Sight<'_>) {
    const STATES: [(&str, &str); 10] = [
        ("established", "ss.estab"),
        ("syn_sent", "ss.synsent"),
        ("syn_recv", "ss.synrecv"),
        ("fin_wait1", "ss.finwait1"),
        ("fin_wait2", "ss.finwait2"),
        ("time_wait", "ss.timewait"),
        ("close_wait", "ss.closewait"),
        ("last_ack", "ss.lastack"),
        ("closing", "ss.closing"),
        ("listen", "ss.listen"),
    ];
    // Only with --collector.tcpstat; a state that nothing is in is not told then.
    let told = sight.by_label("node_tcp_connection_states", "state");
    if !told.is_empty() {
        for (state, ours) in STATES {
            sight.put(ours, Some(told.get(state).copied().unwrap_or_default()));
        }
    }
    for (four, six, ours) in [
        ("node_sockstat_TCP_inuse", "node_sockstat_TCP6_inuse", "sockets.tcp.inuse"),
        ("node_sockstat_UDP_inuse", "node_sockstat_UDP6_inuse", "sockets.udp.inuse"),
    ] {
        let six = sight.value(six).unwrap_or_default();
        if let Some(four) = sight.value(four) {
            sight.put(ours, Some(four + six));
        }
    }
    let (count, most) = (sight.value("node_nf_conntrack_entries"), sight.value("node_nf_conntrack_entries_limit"));
    if let Some((count, most)) = count.zip(most) {
        sight.put("conntrack.used.percent", percent(count, most));
    }
}

/// Only with --collector.processes.
pub(super) fn tasks(sight: &mut Sight<'_>) {
    let limits = [sight.value("node_processes_max_processes"), sight.value("node_processes_max_threads")];
    let most = limits.into_iter().flatten().min_by(f64::total_cmp);
    if let Some(most) = most {
        sight.put("pids.max", Some(most));
        let used = sight.value("node_processes_threads").and_then(|threads| percent(threads, most));
        sight.put("pids.used.percent", used);
    }
}

/// How long it runs and what its clock is off by; gives how far that is ahead of `at`.
pub(super) fn clock(sight: &mut Sight<'_>, at: Timestamp) -> Option<i64> {
    let now_s = sight.value("node_time_seconds");
    if let Some(boot_s) = sight.value("node_boot_time_seconds") {
        sight.put("kernel.uptime", Some(now_s.unwrap_or(at.ms() as f64 / 1_000.0) - boot_s));
    }
    let offset_s = sight.value("node_timex_offset_seconds");
    // A clock that nobody sets says 0, which is not what it is off by.
    if sight.value("node_timex_sync_status").is_some_and(|synchronised| synchronised > 0.0) {
        sight.put("sys.ntp.offset", offset_s.map(|offset_s| offset_s * 1_000.0));
    }
    now_s.map(|now_s| Timestamp::from_ms((now_s * 1_000.0) as i64).ms_since(at))
}
