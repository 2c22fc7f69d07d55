//! What this process uses of its machine, under the names that every Prometheus client gives it.

use metrics::{Unit, describe_counter, describe_gauge};
#[cfg(target_os = "linux")]
use metrics::{counter, gauge};

/// Names the metrics; the names are those of Prometheus' own clients.
pub(super) fn describe() {
    describe_counter!("process_cpu_seconds_total", "Processor time of this process; whole seconds");
    describe_gauge!("process_resident_memory_bytes", Unit::Bytes, "Memory that this process holds");
    describe_gauge!("process_open_fds", "Files and sockets that this process has open");
    describe_gauge!("process_max_fds", "Files and sockets that this process may have open");
    describe_gauge!("process_threads", "Threads of this process");
    describe_gauge!("process_start_time_seconds", Unit::Seconds, "When this process began, since 1970");
}

/// Reads them anew. What the kernel does not tell stays as it was.
#[cfg(target_os = "linux")]
pub(super) fn read() {
    use procfs_core::{FromRead as _, process::Stat};
    use rustix::param::{clock_ticks_per_second, page_size};
    use std::fs;

    let ticks = clock_ticks_per_second().max(1);
    if let Ok(stat) = fs::File::open("/proc/self/stat").map_err(procfs_core::ProcError::from).and_then(Stat::from_read)
    {
        counter!("process_cpu_seconds_total").absolute((stat.utime + stat.stime) / ticks);
        gauge!("process_resident_memory_bytes").set(stat.rss as f64 * page_size() as f64);
        gauge!("process_threads").set(stat.num_threads as f64);
        let booted = fs::read_to_string("/proc/stat")
            .ok()
            .and_then(|text| text.lines().find_map(|line| line.strip_prefix("btime ")?.trim().parse::<f64>().ok()));
        if let Some(booted) = booted {
            gauge!("process_start_time_seconds").set(booted + stat.starttime as f64 / ticks as f64);
        }
    }
    if let Ok(open) = fs::read_dir("/proc/self/fd") {
        gauge!("process_open_fds").set(open.count() as f64);
    }
    let most = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    if let Some(most) = most {
        gauge!("process_max_fds").set(most as f64);
    }
}

/// Nothing is known elsewhere.
#[cfg(not(target_os = "linux"))]
pub(super) fn read() {}
