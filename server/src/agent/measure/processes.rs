//! The processes that use most of the processor or of memory (proc(5): pid/stat, status, cmdline, io).

use super::{
    SLOW_EVERY, command,
    fields::{after, numbers},
    roots::Roots,
    values::{Values, rate},
};
use procfs_core::{FromRead as _, process::Stat};
use shared::host::ProcessUse;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::Read as _,
    time::Duration,
};

/// So many by processor, and as many by memory.
const EACH_MAX: usize = 10;
/// Processes that are looked at; of more, the rest is only counted.
const PROCESSES_MAX: usize = 20_000;
/// Of a command line; what is shown is far less.
const COMMAND_BYTES: u64 = 4_096;

#[derive(Debug, Default)]
pub(super) struct Processes {
    before: BTreeMap<u32, Spent>,
    before_at: Option<Duration>,
    moved: BTreeMap<u32, Moved>,
    users: BTreeMap<u32, String>,
    users_at: Option<Duration>,
}

/// The processor time of a process. Numbers come again; with the start they are of one process.
#[derive(Clone, Copy, Debug)]
struct Spent {
    started: u64,
    ticks: u64,
}

/// What a process read and wrote.
#[derive(Clone, Copy, Debug)]
struct Moved {
    started: u64,
    at: Duration,
    read: u64,
    written: u64,
}

struct Seen {
    stat: Stat,
    pid: u32,
    cpu_percent: f64,
}

/// Reads `pid/stat`, whatever its program is called. The library trusts the kernel to put brackets around the name with
/// a space before and after; that is looked at first.
fn stat(text: &str) -> Option<Stat> {
    let (before, rest) = text.trim().split_once(" (")?;
    let (_, after) = rest.rsplit_once(')')?;
    let is_sound = before.bytes().all(|b| b.is_ascii_digit()) && after.starts_with(' ');
    is_sound.then(|| Stat::from_read(text.as_bytes()).ok()).flatten()
}

impl Processes {
    pub(super) fn measure(&mut self, roots: &Roots, out: &mut Values) -> Vec<ProcessUse> {
        let at = roots.now();
        let mut pids: Vec<u32> = roots.names("proc").iter().filter_map(|name| name.parse().ok()).collect();
        pids.sort_unstable();
        out.put("proc.total", (!pids.is_empty()).then_some(pids.len() as f64));
        if pids.len() > PROCESSES_MAX {
            out.lacks("processes", format!("{PROCESSES_MAX} of {} are looked at", pids.len()));
            pids.truncate(PROCESSES_MAX);
        } else if roots.is_here && !pids.contains(&1) {
            out.lacks("processes", "those of others are hidden (/proc is mounted with hidepid, or ProtectProc is set)");
        }
        let seconds = self.before_at.map(|before| at.saturating_sub(before).as_secs_f64());
        let seen: Vec<Seen> = pids.iter().filter_map(|pid| self.look(*pid, seconds, roots)).collect();
        let spent = |it: &Seen| (it.pid, Spent { started: it.stat.starttime, ticks: it.stat.utime + it.stat.stime });
        self.before = seen.iter().map(spent).collect();
        self.before_at = Some(at);
        let told: Vec<ProcessUse> = busiest(&seen).iter().map(|it| self.tell(it, roots, out)).collect();
        let shown: BTreeSet<u32> = told.iter().map(|it| it.pid).collect();
        self.moved.retain(|pid, _| shown.contains(pid));
        told
    }

    fn look(&self, pid: u32, seconds: Option<f64>, roots: &Roots) -> Option<Seen> {
        let stat = stat(&roots.text(&format!("proc/{pid}/stat"))?)?;
        let ticks = stat.utime.saturating_add(stat.stime);
        let before = self.before.get(&pid).filter(|it| it.started == stat.starttime).map(|it| it.ticks);
        let grown = match (seconds, before) {
            (Some(seconds), Some(before)) => rate(before, ticks, seconds),
            // It began since the last look: all it spent is of this time.
            (Some(seconds), None) => rate(0, ticks, seconds),
            (None, _) => None,
        };
        let cpu_percent = grown.unwrap_or_default() * 100.0 / roots.ticks_a_second.max(1) as f64;
        Some(Seen { stat, pid, cpu_percent })
    }

    fn tell(&mut self, seen: &Seen, roots: &Roots, out: &mut Values) -> ProcessUse {
        let Seen { stat, pid, cpu_percent } = seen;
        let status = roots.text(&format!("proc/{pid}/status")).unwrap_or_default();
        let uid = after(&status, "Uid").and_then(|uid| u32::try_from(uid).ok());
        let (read_bytes_s, write_bytes_s) = self.moved(seen, roots, out).unwrap_or_default();
        ProcessUse {
            pid: *pid,
            name: stat.comm.chars().filter(|c| !c.is_control()).collect(),
            user: uid.map(|uid| self.user(uid, roots)).unwrap_or_default(),
            state: stat.state.to_string(),
            cpu_percent: *cpu_percent as f32,
            rss_bytes: stat.rss.saturating_mul(roots.page_bytes),
            threads: u32::try_from(stat.num_threads).unwrap_or_default(),
            read_bytes_s,
            write_bytes_s,
            command: command_of(*pid, &stat.comm, roots),
        }
    }

    /// What a process reads and writes in a second; none when the kernel does not tell us.
    fn moved(&mut self, seen: &Seen, roots: &Roots, out: &mut Values) -> Option<(Option<f32>, Option<f32>)> {
        let at = roots.now();
        let text = match roots.read(&format!("proc/{}/io", seen.pid)) {
            Ok(text) => text,
            Err(error) => {
                // Others are those that have just ended.
                if error.kind() == std::io::ErrorKind::PermissionDenied {
                    out.lacks("processes' input and output", "the kernel tells it of this account's own only");
                }
                return None;
            }
        };
        let (read, written) = (after(&text, "read_bytes")?, after(&text, "write_bytes")?);
        let started = seen.stat.starttime;
        let before = self.moved.insert(seen.pid, Moved { started, at, read, written });
        let Some(before) = before.filter(|it| it.started == started) else { return Some((None, None)) };
        let seconds = at.saturating_sub(before.at).as_secs_f64();
        let each = |before, now| rate(before, now, seconds).map(|it| it as f32);
        Some((each(before.read, read), each(before.written, written)))
    }

    /// The name of an account; its number where it is not in the file.
    fn user(&mut self, uid: u32, roots: &Roots) -> String {
        let at = roots.now();
        let is_due = self.users_at.is_none_or(|last| at.saturating_sub(last) >= SLOW_EVERY);
        if is_due && !self.users.contains_key(&uid) {
            let text = roots.text("etc/passwd").unwrap_or_default();
            self.users = text.lines().filter_map(account).collect();
            self.users_at = Some(at);
        }
        self.users.get(&uid).cloned().unwrap_or_else(|| uid.to_string())
    }
}

/// A line of passwd(5): name, password, number.
fn account(line: &str) -> Option<(u32, String)> {
    let mut parts = line.split(':');
    let name = parts.next()?;
    Some((numbers(parts.nth(1)?).next()?.try_into().ok()?, name.to_owned()))
}

fn command_of(pid: u32, name: &str, roots: &Roots) -> String {
    let mut bytes = Vec::new();
    let read = File::open(roots.path(&format!("proc/{pid}/cmdline")))
        .and_then(|file| file.take(COMMAND_BYTES).read_to_end(&mut bytes));
    match read {
        Ok(_) if !bytes.is_empty() => command::shown(&String::from_utf8_lossy(&bytes)),
        // A thread of the kernel's, or one that has ended.
        _ => format!("[{name}]"),
    }
}

/// Those with most of the processor, then those with most memory that are not among them.
fn busiest(seen: &[Seen]) -> Vec<&Seen> {
    let mut by_cpu: Vec<&Seen> = seen.iter().collect();
    by_cpu.sort_by(|a, b| {
        b.cpu_percent.total_cmp(&a.cpu_percent).then(b.stat.rss.cmp(&a.stat.rss)).then(a.pid.cmp(&b.pid))
    });
    let mut by_memory = by_cpu.clone();
    by_memory.sort_by_key(|it| (std::cmp::Reverse(it.stat.rss), it.pid));
    by_cpu.truncate(EACH_MAX);
    let chosen: BTreeSet<u32> = by_cpu.iter().map(|it| it.pid).collect();
    by_cpu.extend(by_memory.into_iter().take(EACH_MAX).filter(|it| !chosen.contains(&it.pid)));
    by_cpu
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn line(pid: u32, name: &str, ticks: u64, rss: u64) -> String {
        format!("{pid} ({name}) S 1 1 1 0 -1 4 0 0 0 0 {ticks} 0 0 0 20 0 3 0 77 1000 {rss} 9 0 0 0 0 0 0 0 0 0 0 0 0")
    }

    #[test]
    fn a_program_may_be_called_anything() {
        for name in ["nginx", "a) S (b", "(sd-pam)", "ä b", ") 1 2"] {
            let stat = stat(&line(7, name, 5, 100)).unwrap();
            assert_eq!((stat.comm.as_str(), stat.utime, stat.rss, stat.num_threads), (name, 5, 100, 3));
        }
        assert!(stat("7 (x").is_none() && stat("(x) S").is_none() && stat("7 (x)").is_none());
    }

    #[test]
    fn the_table_holds_the_busiest_and_the_largest_once_each() {
        let seen: Vec<Seen> = (0..40)
            .map(|pid| {
                let stat = stat(&line(pid, "x", 0, u64::from(pid))).unwrap();
                Seen { stat, pid, cpu_percent: if pid < 5 { 90.0 } else { 0.0 } }
            })
            .collect();
        let told: Vec<u32> = busiest(&seen).iter().map(|it| it.pid).collect();
        assert_eq!(told, [4, 3, 2, 1, 0, 39, 38, 37, 36, 35, 34, 33, 32, 31, 30]);
    }

    #[test]
    fn accounts_are_read_by_number() {
        assert_eq!(account("www-data:x:33:33:www:/var/www:/usr/sbin/nologin"), Some((33, "www-data".to_owned())));
        assert_eq!(account("half:x"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "(?s)[0-9ä ]{0,4}\\(?.{0,20}\\)?[ SRZ0-9-]{0,200}", line in ".{0,60}") {
            stat(&text);
            stat(&line);
            account(&line);
        }
    }
}
