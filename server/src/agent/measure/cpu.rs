//! Processors: how they spent their time, and how much there is to do for them (proc(5): stat, loadavg).

use super::{
    fields::{after, numbers},
    roots::Roots,
    values::{Values, rate, rate_of},
};
use procfs_core::{FromRead as _, LoadAverage};
use shared::host::CoreUse;
use std::{collections::BTreeMap, time::Duration};

/// Cores that have a series of their own, and a row in the table.
const CORES_MAX: usize = 256;
/// user, nice, system, idle, iowait, irq, softirq, steal; then guest, which is a part of user.
const WAYS: usize = 9;
const GUEST: usize = 8;
type Ticks = [u64; WAYS];

#[derive(Debug, Default)]
pub(super) struct Cpu {
    before: Option<(Duration, Stat)>,
}

/// What `/proc/stat` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Stat {
    whole: Ticks,
    cores: BTreeMap<u32, Ticks>,
    switches: Option<u64>,
    interrupts: Option<u64>,
    forks: Option<u64>,
    running: Option<u64>,
    blocked: Option<u64>,
}

impl Stat {
    fn read(text: &str) -> Option<Self> {
        let mut stat = Self {
            switches: after(text, "ctxt"),
            interrupts: after(text, "intr"),
            forks: after(text, "processes"),
            running: after(text, "procs_running"),
            blocked: after(text, "procs_blocked"),
            ..Self::default()
        };
        let mut whole = None;
        for line in text.lines().map_while(|line| line.strip_prefix("cpu")) {
            let (number, rest) = line.split_once(' ').unwrap_or((line, ""));
            // An old kernel has fewer columns; what it does not count is nothing.
            let mut ticks = Ticks::default();
            for (place, number) in ticks.iter_mut().zip(numbers(rest)) {
                *place = number;
            }
            match number.parse() {
                Ok(core) => drop(stat.cores.insert(core, ticks)),
                Err(_) if number.is_empty() => whole = Some(ticks),
                Err(_) => {}
            }
        }
        stat.whole = whole?;
        Some(stat)
    }
}

/// How the time between two readings was spent, each of a hundred; none if there was none, or if counting began anew.
fn shares(before: &Ticks, now: &Ticks) -> Option<[f64; WAYS]> {
    let sum = |ticks: &Ticks| ticks.iter().take(GUEST).map(|it| u128::from(*it)).sum::<u128>();
    if sum(now) <= sum(before) {
        return None;
    }
    // Idle and iowait of a core may go back a little, when it wakes while they are read: that is no time.
    let mut spent = Ticks::default();
    for (spent, (now, before)) in spent.iter_mut().zip(now.iter().zip(before)) {
        *spent = now.saturating_sub(*before);
    }
    let whole = sum(&spent);
    (whole > 0).then(|| spent.map(|it| it as f64 * 100.0 / whole as f64))
}

impl Cpu {
    pub(super) fn measure(&mut self, roots: &Roots, out: &mut Values) -> Vec<CoreUse> {
        let at = roots.now();
        let stat = roots.text("proc/stat").and_then(|text| Stat::read(&text));
        if stat.is_none() {
            out.lacks("cpu", "/proc/stat cannot be read");
        }
        let now = stat.clone().unwrap_or_default();
        let (before_at, before) = self.before.clone().unwrap_or((at, Stat::default()));
        let is_first = self.before.is_none();
        let spent = if is_first { None } else { shares(&before.whole, &now.whole) };
        let way = |n: usize| spent.and_then(|it| it.get(n).copied());
        out.put("cpu.busy", way(3).map(|idle| 100.0 - idle));
        let ways = ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal", "guest"];
        for (n, name) in ways.iter().enumerate() {
            out.put(&format!("cpu.{name}"), way(n));
        }
        let seconds = at.saturating_sub(before_at).as_secs_f64();
        out.put("cpu.switches", rate_of(before.switches, now.switches, seconds));
        out.put("cpu.interrupts", rate_of(before.interrupts, now.interrupts, seconds));
        out.put("cpu.forks", rate_of(before.forks, now.forks, seconds));
        let mut cores = Vec::new();
        for (core, ticks) in now.cores.iter().take(CORES_MAX) {
            let spent = before.cores.get(core).and_then(|before| shares(before, ticks));
            out.put_of("cpu.core.busy", &[("core", &core.to_string())], spent.map(|it| 100.0 - it[3]));
            if let Some([user, nice, system, idle, iowait, irq, softirq, steal, guest]) =
                spent.map(|it| it.map(|percent| percent as f32))
            {
                cores.push(CoreUse { core: *core, user, nice, system, idle, iowait, irq, softirq, steal, guest });
            }
        }
        self.load(roots, out);
        out.put("proc.running", now.running.map(|it| it as f64));
        out.put("proc.blocked", now.blocked.map(|it| it as f64));
        self.before = stat.map(|stat| (at, stat));
        cores
    }

    fn load(&self, roots: &Roots, out: &mut Values) {
        let load = roots.text("proc/loadavg").and_then(|text| LoadAverage::from_read(text.as_bytes()).ok());
        let of = |which: fn(&LoadAverage) -> f32| load.as_ref().map(|it| f64::from(which(it)));
        out.put("load.1min", of(|it| it.one));
        out.put("load.5min", of(|it| it.five));
        out.put("load.15min", of(|it| it.fifteen));
    }
}

/// Pressure stall information: the share of the time for which tasks waited, from the kernel's own sum.
#[derive(Debug, Default)]
pub(super) struct Pressure {
    before: BTreeMap<&'static str, (Duration, u64)>,
}

/// Series, file and kind of waiting.
const PRESSURES: [(&str, &str, &str); 5] = [
    ("psi.cpu.some", "proc/pressure/cpu", "some"),
    ("psi.memory.some", "proc/pressure/memory", "some"),
    ("psi.memory.full", "proc/pressure/memory", "full"),
    ("psi.io.some", "proc/pressure/io", "some"),
    ("psi.io.full", "proc/pressure/io", "full"),
];

impl Pressure {
    pub(super) fn measure(&mut self, roots: &Roots, out: &mut Values) {
        let mut found = false;
        for (series, file, kind) in PRESSURES {
            let at = roots.now();
            let now = roots.text(file).and_then(|text| super::fields::waited_us(&text, kind));
            found |= now.is_some();
            let before = self.before.get(series).copied().zip(now);
            let share = before.and_then(|((before_at, before), now)| {
                rate(before, now, at.saturating_sub(before_at).as_secs_f64()).map(|us| (us / 10_000.0).min(100.0))
            });
            out.put(series, share);
            match now {
                Some(now) => drop(self.before.insert(series, (at, now))),
                None => drop(self.before.remove(series)),
            }
        }
        if !found {
            out.lacks("psi", "this kernel has no /proc/pressure; it is there from Linux 4.20 on, or with psi=1");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const STAT: &str = "cpu  10 20 30 40 50 60 70 80 5 0\ncpu0 1 2 3 4 5 6 7 8 0 0\ncpu2 1 2 3 4\nintr 99 1 2\n\
                        ctxt 7\nbtime 3\nprocesses 8\nprocs_running 2\nprocs_blocked 1\n";

    #[test]
    fn cores_keep_their_numbers_and_an_old_kernel_has_fewer_columns() {
        let stat = Stat::read(STAT).unwrap();
        assert_eq!(stat.whole, [10, 20, 30, 40, 50, 60, 70, 80, 5]);
        assert_eq!(stat.cores.keys().collect::<Vec<_>>(), [&0, &2]);
        assert_eq!(stat.cores[&2], [1, 2, 3, 4, 0, 0, 0, 0, 0]);
        assert_eq!((stat.interrupts, stat.switches, stat.forks), (Some(99), Some(7), Some(8)));
        assert_eq!(Stat::read("intr 1\n"), None);
    }

    #[test]
    fn shares_are_of_the_time_without_the_guest_twice() {
        let spent = shares(&[0; 9], &[50, 0, 0, 50, 0, 0, 0, 0, 50]).unwrap();
        assert_eq!((spent[0], spent[3], spent[8]), (50.0, 50.0, 50.0));
        assert_eq!(shares(&[1; 9], &[1; 9]), None, "no time");
        assert_eq!(shares(&[9; 9], &[1; 9]), None, "counted anew");
        let spent = shares(&[0, 0, 0, 10, 10, 0, 0, 0, 0], &[0, 0, 0, 30, 9, 0, 0, 0, 0]).unwrap();
        assert_eq!((spent[3], spent[4]), (100.0, 0.0), "iowait may go back a little");
    }

    proptest! {
        #[test]
        fn any_text_is_read_and_shares_are_of_a_hundred(text in "(?s)(cpu[0-9 ]{0,60}\n|.{0,40}\n){0,6}", later in any::<[u64; 9]>()) {
            if let Some(stat) = Stat::read(&text) && let Some(spent) = shares(&stat.whole, &later) {
                let sum: f64 = spent.iter().take(8).sum();
                prop_assert!((sum - 100.0).abs() < 1e-6, "{}", sum);
            }
        }
    }
}
