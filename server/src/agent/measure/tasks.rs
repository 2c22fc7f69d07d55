//! How many tasks and open files there are, and how many the kernel would allow.

use super::{
    roots::Roots,
    values::{Values, percent},
};

pub(super) fn measure(roots: &Roots, out: &mut Values) {
    // `0.10 0.20 0.30 3/512 4711`: of 512 tasks, threads included, three run.
    let current = roots.text("proc/loadavg").and_then(|text| {
        let tasks = text.split_whitespace().nth(3)?.split_once('/')?.1;
        tasks.parse::<u64>().ok()
    });
    // Every task takes a number and a place, whichever there are fewer of.
    let limits = ["proc/sys/kernel/pid_max", "proc/sys/kernel/threads-max"];
    let most = limits.iter().filter_map(|file| roots.number(file)).min();
    out.put("pids.current", current.map(|it| it as f64));
    out.put("pids.max", most.map(|it| it as f64));
    out.put("pids.used.percent", current.zip(most).and_then(|(part, whole)| percent(part, whole)));
    let files = roots.text("proc/sys/fs/file-nr").unwrap_or_default();
    let allocated = super::fields::numbers(&files).next();
    out.put("kernel.files.allocated", allocated.map(|it| it as f64));
    // Since Linux 5.9 it is as large as a number can be unless somebody set it.
    out.put("kernel.maxfiles", super::fields::numbers(&files).nth(2).map(|it| it as f64));
}
