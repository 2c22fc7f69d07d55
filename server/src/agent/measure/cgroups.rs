//! Control groups: tasks, memory and processor time of each (cgroups(7); of version 2, or of version 1 as it was).

use super::{
    SLOW_EVERY,
    fields::after,
    roots::Roots,
    values::{Values, percent, rate},
};
use shared::host::CgroupUse;
use std::{collections::BTreeMap, fs, path::Path, time::Duration};

/// Rows of the table.
const ROWS_MAX: usize = 20;
/// Groups with series of their own because they are large …
const LARGE_MAX: usize = 10;
/// … and those that are near their limit, with them at most so many.
const SERIES_MAX: usize = 40;
const NEAR_PERCENT: f64 = 50.0;
/// Groups that are looked at, and how deep they may lie.
const GROUPS_MAX: usize = 4_096;
const DEPTH_MAX: usize = 16;

#[derive(Debug, Default)]
pub(super) struct Cgroups {
    groups: Vec<String>,
    listed_at: Option<Duration>,
    /// The processor time of those in the table, in microseconds.
    spent: BTreeMap<String, (Duration, u64)>,
}

/// Where the files of groups are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

impl Version {
    fn of(roots: &Roots) -> Option<Self> {
        if roots.path("sys/fs/cgroup/cgroup.controllers").exists() {
            return Some(Self::Two);
        }
        roots.path("sys/fs/cgroup/pids").is_dir().then_some(Self::One)
    }

    /// The folder of a controller.
    fn folder(self, controller: &str) -> String {
        match self {
            Self::Two => "sys/fs/cgroup".to_owned(),
            Self::One => format!("sys/fs/cgroup/{controller}"),
        }
    }

    fn tasks(self, group: &str, roots: &Roots) -> Option<u64> {
        roots.number(&format!("{}{group}/pids.current", self.folder("pids")))
    }

    /// None without a limit.
    fn most_tasks(self, group: &str, roots: &Roots) -> Option<u64> {
        roots.number(&format!("{}{group}/pids.max", self.folder("pids")))
    }

    fn memory(self, group: &str, roots: &Roots) -> (Option<u64>, Option<u64>) {
        let (used, most) = match self {
            Self::Two => ("memory.current", "memory.max"),
            Self::One => ("memory.usage_in_bytes", "memory.limit_in_bytes"),
        };
        let number = |file: &str| roots.number(&format!("{}{group}/{file}", self.folder("memory")));
        // Version 1 has no word for no limit, only a number near the largest.
        (number(used), number(most).filter(|most| *most < 1 << 62))
    }

    fn spent_us(self, group: &str, roots: &Roots) -> Option<u64> {
        match self {
            Self::Two => after(&roots.text(&format!("{}{group}/cpu.stat", self.folder("")))?, "usage_usec"),
            Self::One => {
                roots.number(&format!("{}{group}/cpuacct.usage", self.folder("cpuacct"))).map(|nanos| nanos / 1_000)
            }
        }
    }
}

impl Cgroups {
    pub(super) fn measure(&mut self, roots: &Roots, out: &mut Values) -> Vec<CgroupUse> {
        let Some(version) = Version::of(roots) else {
            out.lacks("cgroups", "neither version of control groups with pids is mounted at /sys/fs/cgroup");
            return Vec::new();
        };
        let at = roots.now();
        if self.listed_at.is_none_or(|last| at.saturating_sub(last) >= SLOW_EVERY) {
            self.groups = list(&roots.path(&version.folder("pids")));
            self.listed_at = Some(at);
        }
        if self.groups.len() >= GROUPS_MAX {
            out.lacks("cgroups", format!("the first {GROUPS_MAX} groups are looked at"));
        }
        let mut sizes: Vec<(u64, &String)> =
            self.groups.iter().filter_map(|group| Some((version.tasks(group, roots)?, group))).collect();
        if sizes.is_empty() && !self.groups.is_empty() {
            out.lacks("cgroups", "no group counts its tasks (the controller pids is off)");
        }
        sizes.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
        let mut rows: Vec<CgroupUse> = Vec::new();
        let mut near = 0;
        for (n, (tasks, group)) in sizes.iter().enumerate() {
            let most = version.most_tasks(group, roots);
            let used = most.and_then(|most| percent(*tasks, most));
            let is_near = used.is_some_and(|it| it > NEAR_PERCENT);
            if n >= ROWS_MAX && !(is_near && near < SERIES_MAX - LARGE_MAX) {
                continue;
            }
            let (memory_bytes, memory_max_bytes) = version.memory(group, roots);
            if n < LARGE_MAX || is_near {
                near += usize::from(n >= LARGE_MAX);
                let tags = [("cgroup", group.as_str())];
                out.put_of("cgroup.pids.current", &tags, *tasks as f64);
                out.put_of("cgroup.pids.max", &tags, most.map(|it| it as f64));
                out.put_of("cgroup.pids.used.percent", &tags, used);
                out.put_of("cgroup.memory.bytes", &tags, memory_bytes.map(|it| it as f64));
            }
            if n < ROWS_MAX {
                let row = CgroupUse { path: (*group).clone(), pids: *tasks, pids_max: most, ..CgroupUse::default() };
                rows.push(CgroupUse { memory_bytes, memory_max_bytes, ..row });
            }
        }
        self.spend(&mut rows, version, roots);
        rows
    }

    /// Adds what each used of a core since the last time.
    fn spend(&mut self, rows: &mut [CgroupUse], version: Version, roots: &Roots) {
        let mut spent = BTreeMap::new();
        for row in rows {
            let at = roots.now();
            let Some(now) = version.spent_us(&row.path, roots) else { continue };
            let before = self.spent.get(&row.path);
            let grown = before.and_then(|(before_at, us)| rate(*us, now, at.saturating_sub(*before_at).as_secs_f64()));
            row.cpu_percent = grown.map(|us| (us / 10_000.0) as f32);
            spent.insert(row.path.clone(), (at, now));
        }
        self.spent = spent;
    }
}

/// Every group below the root, by its path from there. What cannot be read is passed over.
fn list(root: &Path) -> Vec<String> {
    let mut groups = Vec::new();
    let mut open = vec![(String::new(), 0)];
    while let Some((group, depth)) = open.pop() {
        let entries = fs::read_dir(root.join(group.trim_start_matches('/'))).into_iter().flatten().flatten();
        for entry in entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
            let Ok(name) = entry.file_name().into_string() else { continue };
            if groups.len() >= GROUPS_MAX {
                return groups;
            }
            let path = format!("{group}/{name}");
            groups.push(path.clone());
            if depth < DEPTH_MAX {
                open.push((path, depth + 1));
            }
        }
    }
    groups
}
