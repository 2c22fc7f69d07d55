//! Disks, with the meaning of `iostat -x` (proc(5): diskstats).
//!
//! Whole devices, and what is made of them (device mapper, RAID); no partitions, nor what is only memory or a file.

use super::{
    roots::Roots,
    values::{Values, rate},
};
use procfs_core::DiskStat;
use std::{collections::BTreeMap, time::Duration};

/// Devices that are measured; by name, the first of more.
const DISKS_MAX: usize = 40;
/// The kernel's unit of what is read and written, whatever the device's is.
const SECTOR_BYTES: f64 = 512.0;
/// Not a disk: files, memory, optical and floppy drives.
const NO_DISKS: [&str; 5] = ["loop", "ram", "zram", "sr", "fd"];
/// From this version on the kernel counts at each tick whether a disk is busy, not for how long: what a request took by
/// itself cannot be told from it.
const NO_SERVICE_TIME_FROM: u64 = 5;

#[derive(Debug, Default)]
pub(super) struct Disks {
    before: BTreeMap<String, DiskStat>,
    before_at: Duration,
}

impl Disks {
    pub(super) fn measure(&mut self, roots: &Roots, out: &mut Values) {
        let at = roots.now();
        let text = roots.text("proc/diskstats").unwrap_or_default();
        let mut now: BTreeMap<String, DiskStat> =
            text.lines().filter_map(|line| DiskStat::from_line(line).ok()).map(|it| (it.name.clone(), it)).collect();
        let mut names: Vec<String> = roots.names("sys/block").iter().map(|name| name.replace('!', "/")).collect();
        names.retain(|name| !NO_DISKS.iter().any(|kind| is_of(name, kind)) && now.contains_key(name));
        names.sort();
        if names.is_empty() {
            out.lacks("disk.io", "there are no disks in /sys/block and /proc/diskstats");
        } else if names.len() > DISKS_MAX {
            out.lacks("disk.io", format!("the first {DISKS_MAX} of {} disks are measured", names.len()));
        }
        names.truncate(DISKS_MAX);
        now.retain(|name, _| names.binary_search(name).is_ok());
        let has_service_time = kernel_major(roots).is_some_and(|major| major < NO_SERVICE_TIME_FROM);
        if !has_service_time {
            out.lacks("disk.io.svctm", "Linux does not count it from 5.0 on; look at await and the queue");
        }
        let seconds = at.saturating_sub(self.before_at).as_secs_f64();
        for (name, now) in &now {
            let before = self.before.get(name);
            let grown = before.filter(|_| seconds > 0.0).and_then(|before| Grown::between(before, now));
            grown.put(name, seconds, has_service_time, out);
        }
        (self.before, self.before_at) = (now, at);
    }
}

/// Whether a name is that of a kind of devices: `sr0` of `sr`.
fn is_of(name: &str, kind: &str) -> bool {
    name.strip_prefix(kind).is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit()))
}

fn kernel_major(roots: &Roots) -> Option<u64> {
    roots.text("proc/sys/kernel/osrelease")?.split('.').next()?.parse().ok()
}

/// By how much the counters of a device grew.
struct Grown {
    reads: f64,
    writes: f64,
    read_sectors: f64,
    written_sectors: f64,
    reading_ms: f64,
    writing_ms: f64,
    busy_ms: f64,
    queued_ms: f64,
}

impl Grown {
    /// None when one of them went back: the device was taken out and put in again, or a counter began anew.
    fn between(before: &DiskStat, now: &DiskStat) -> Option<Self> {
        Some(Self {
            reads: rate(before.reads, now.reads, 1.0)?,
            writes: rate(before.writes, now.writes, 1.0)?,
            read_sectors: rate(before.sectors_read, now.sectors_read, 1.0)?,
            written_sectors: rate(before.sectors_written, now.sectors_written, 1.0)?,
            reading_ms: rate(before.time_reading, now.time_reading, 1.0)?,
            writing_ms: rate(before.time_writing, now.time_writing, 1.0)?,
            busy_ms: rate(before.time_in_progress, now.time_in_progress, 1.0)?,
            queued_ms: rate(before.weighted_time_in_progress, now.weighted_time_in_progress, 1.0)?,
        })
    }
}

/// What each of some requests took; nothing where there were none, as `iostat` has it.
fn each(ms: f64, requests: f64) -> f64 {
    if requests > 0.0 { ms / requests } else { 0.0 }
}

trait Put {
    fn put(&self, name: &str, seconds: f64, has_service_time: bool, out: &mut Values);
}

impl Put for Option<Grown> {
    fn put(&self, name: &str, seconds: f64, has_service_time: bool, out: &mut Values) {
        let it = self.as_ref();
        let tags = [("device", name)];
        let requests = |it: &Grown| it.reads + it.writes;
        out.put_of("disk.io.util", &tags, it.map(|it| (it.busy_ms / seconds / 10.0).min(100.0)));
        out.put_of("disk.io.await", &tags, it.map(|it| each(it.reading_ms + it.writing_ms, requests(it))));
        out.put_of("disk.io.r_await", &tags, it.map(|it| each(it.reading_ms, it.reads)));
        out.put_of("disk.io.w_await", &tags, it.map(|it| each(it.writing_ms, it.writes)));
        if has_service_time {
            out.put_of("disk.io.svctm", &tags, it.map(|it| each(it.busy_ms, requests(it))));
        }
        out.put_of("disk.io.avgqu-sz", &tags, it.map(|it| it.queued_ms / seconds / 1_000.0));
        out.put_of("disk.io.read_requests", &tags, it.map(|it| it.reads / seconds));
        out.put_of("disk.io.write_requests", &tags, it.map(|it| it.writes / seconds));
        out.put_of("disk.io.read_bytes", &tags, it.map(|it| it.read_sectors * SECTOR_BYTES / seconds));
        out.put_of("disk.io.write_bytes", &tags, it.map(|it| it.written_sectors * SECTOR_BYTES / seconds));
    }
}
