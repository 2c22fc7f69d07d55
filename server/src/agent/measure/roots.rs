//! Where the kernel's files are, and the clock by which they are read.

use crate::clock;
use std::{
    fmt,
    fs::{self, File},
    io::{self, Read as _},
    path::PathBuf,
    time::Duration,
};

/// No file that is read here is larger on any machine that works; of one that is, the rest is left.
const FILE_BYTES: u64 = 32 * 1_024 * 1_024;

/// The files of one machine: `proc`, `sys` and `etc` below one folder.
pub struct Roots {
    folder: PathBuf,
    /// Its sockets may be asked for, since it is the machine this program runs on.
    pub(super) is_here: bool,
    clock: Box<dyn Fn() -> Duration + Send>,
    pub(super) page_bytes: u64,
    /// The kernel's unit of processor time.
    pub(super) ticks_a_second: u64,
}

impl fmt::Debug for Roots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Roots").field(&self.folder).finish()
    }
}

impl Roots {
    /// This machine.
    #[must_use]
    pub fn here() -> Self {
        Self {
            folder: PathBuf::from("/"),
            is_here: true,
            clock: Box::new(clock::uptime),
            page_bytes: u64::try_from(rustix::param::page_size()).unwrap_or(4_096),
            ticks_a_second: rustix::param::clock_ticks_per_second(),
        }
    }

    /// Files that were recorded on a machine of pages of 4 KiB, read at the times that `clock` says.
    #[must_use]
    pub fn recorded(folder: PathBuf, clock: impl Fn() -> Duration + Send + 'static) -> Self {
        Self { folder, is_here: false, clock: Box::new(clock), page_bytes: 4_096, ticks_a_second: 100 }
    }

    /// Nobody sets this clock, and it counts on while the machine sleeps.
    pub(super) fn now(&self) -> Duration {
        (self.clock)()
    }

    /// The place of a file of the kernel's: `proc/stat`.
    pub(super) fn path(&self, file: &str) -> PathBuf {
        self.folder.join(file)
    }

    /// The text of a file, whatever bytes are in it.
    pub(super) fn read(&self, file: &str) -> io::Result<String> {
        let mut bytes = Vec::new();
        File::open(self.path(file))?.take(FILE_BYTES).read_to_end(&mut bytes)?;
        Ok(match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        })
    }

    /// The text of a file, if there is one.
    pub(super) fn text(&self, file: &str) -> Option<String> {
        self.read(file).ok()
    }

    /// The only number of a file.
    pub(super) fn number(&self, file: &str) -> Option<u64> {
        self.text(file)?.trim().parse().ok()
    }

    /// The names in a folder, none where there is no such folder; not in any order.
    pub(super) fn names(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(folder)).into_iter().flatten().flatten();
        entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
    }

    /// How long the machine has been running.
    pub(super) fn uptime(&self) -> Option<Duration> {
        let text = self.text("proc/uptime")?;
        let seconds: f64 = text.split_whitespace().next()?.parse().ok()?;
        Duration::try_from_secs_f64(seconds).ok()
    }
}
