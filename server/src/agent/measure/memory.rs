//! Memory, swap, and who waits for what (proc(5): meminfo, vmstat, pressure).

use super::{
    cpu::Pressure,
    fields::after,
    roots::Roots,
    values::{Values, percent, rate_of},
};
use std::time::Duration;

#[derive(Debug, Default)]
pub(super) struct Memory {
    before: Option<(Duration, Moved)>,
    pressure: Pressure,
}

/// What was moved since the machine started.
#[derive(Clone, Copy, Debug, Default)]
struct Moved {
    swap_in_pages: Option<u64>,
    swap_out_pages: Option<u64>,
    killed: Option<u64>,
}

impl Memory {
    pub(super) fn measure(&mut self, roots: &Roots, out: &mut Values) {
        amounts(roots, out);
        let at = roots.now();
        let text = roots.text("proc/vmstat").unwrap_or_default();
        let now = Moved {
            swap_in_pages: after(&text, "pswpin"),
            swap_out_pages: after(&text, "pswpout"),
            killed: after(&text, "oom_kill"),
        };
        let (before_at, before) = self.before.replace((at, now)).unwrap_or((at, Moved::default()));
        let seconds = at.saturating_sub(before_at).as_secs_f64();
        let page = roots.page_bytes as f64;
        out.put("mem.swap.in", rate_of(before.swap_in_pages, now.swap_in_pages, seconds).map(|it| it * page));
        out.put("mem.swap.out", rate_of(before.swap_out_pages, now.swap_out_pages, seconds).map(|it| it * page));
        out.put("mem.oom", rate_of(before.killed, now.killed, seconds));
        if now.killed.is_none() {
            out.lacks("mem.oom", "this kernel does not count it; Linux does from 4.13 on");
        }
        self.pressure.measure(roots, out);
    }
}

/// As `free` shows them: used is what is not available.
fn amounts(roots: &Roots, out: &mut Values) {
    let text = roots.text("proc/meminfo").unwrap_or_default();
    let bytes = |name: &str| after(&text, name).map(|kib| kib.saturating_mul(1_024));
    let total = bytes("MemTotal");
    if total.is_none() {
        out.lacks("mem", "/proc/meminfo cannot be read");
    }
    let (free, buffers, cached) = (bytes("MemFree"), bytes("Buffers"), bytes("Cached"));
    // Kernels before 3.14 do not say what is available.
    let guess = || Some(free?.saturating_add(buffers?).saturating_add(cached?));
    let available = bytes("MemAvailable").or_else(guess);
    let used = total.zip(available).map(|(total, available)| total.saturating_sub(available));
    let (swap, swap_free) = (bytes("SwapTotal"), bytes("SwapFree"));
    let swap_used = swap.zip(swap_free).map(|(total, free)| total.saturating_sub(free));
    let number = |it: Option<u64>| it.map(|it| it as f64);
    out.put("mem.memtotal", number(total));
    out.put("mem.memused", number(used));
    out.put("mem.memavailable", number(available));
    out.put("mem.memfree", number(free));
    out.put("mem.buffers", number(buffers));
    out.put("mem.cached", number(cached));
    out.put("mem.slab", number(bytes("Slab")));
    out.put("mem.shmem", number(bytes("Shmem")));
    out.put("mem.dirty", number(bytes("Dirty")));
    out.put("mem.memused.percent", used.zip(total).and_then(|(part, whole)| percent(part, whole)));
    out.put("mem.memfree.percent", available.zip(total).and_then(|(part, whole)| percent(part, whole)));
    out.put("mem.swaptotal", number(swap));
    out.put("mem.swapused", number(swap_used));
    out.put("mem.swapfree", number(swap_free));
    out.put("mem.swapused.percent", swap_used.zip(swap).and_then(|(part, whole)| percent(part, whole)));
}
