//! What `cargo xtask test` tells the tests about this machine, with the places to look when they run by themselves.
#![expect(clippy::disallowed_methods, reason = "a test has no configuration; the command that runs it says where")]

use anyhow::{Context as _, Result, ensure};
use std::path::{Path, PathBuf};

/// The server to test: `TOCSIN_BIN`, or the one built beside this test.
///
/// # Errors
/// When there is none; the error says how to build it.
pub fn binary() -> Result<PathBuf> {
    let bin = match std::env::var_os("TOCSIN_BIN") {
        Some(named) => PathBuf::from(named),
        None => beside("tocsin")?,
    };
    ensure!(
        bin.is_file(),
        "there is no {}: `cargo xtask build` makes it, or name another in TOCSIN_BIN",
        bin.display()
    );
    bin.canonicalize().with_context(|| format!("{} cannot be found", bin.display()))
}

/// The Python with the packages the tests need: in `TOCSIN_E2E_VENV`, or where `cargo xtask test` makes it.
///
/// # Errors
/// When it was not set up.
pub fn python() -> Result<PathBuf> {
    let named = std::env::var_os("TOCSIN_E2E_VENV").map(PathBuf::from);
    let own = beside("../e2e-venv")?;
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/e2e-venv");
    let found =
        named.into_iter().chain([own, default]).map(|venv| venv.join("bin/python")).find(|python| python.is_file());
    found.context(
        "the Python environment of the tests is missing; `cargo xtask test` makes it, or name one in TOCSIN_E2E_VENV",
    )
}

/// The folder in which Open vSwitch, libvirt and QEMU are unpacked for the tests: `TOCSIN_LAB`, or where `cargo xtask
/// test` makes it. None where the machine's own are used.
#[must_use]
pub fn lab() -> Option<PathBuf> {
    let named = std::env::var_os("TOCSIN_LAB").map(PathBuf::from);
    let own = beside("../lab/root").ok();
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/lab/root");
    let found = named.into_iter().chain(own).chain([default]).find(|root| root.join("usr").is_dir())?;
    found.canonicalize().ok()
}

/// Whether a program is installed, and where.
#[must_use]
pub fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// The library that gives one process a wall clock of its own (Debian's package `faketime`).
///
/// # Errors
/// When it is not installed.
pub fn faketime() -> Result<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib").context("there is no /usr/lib")?;
    let places = folders.flatten().map(|folder| folder.path()).chain([PathBuf::from("/usr/lib")]);
    let mut found = places.map(|folder| folder.join("faketime/libfaketime.so.1")).filter(|file| file.is_file());
    found.next().context("libfaketime is missing; `cargo xtask test` installs it, or: apt-get install faketime")
}

/// A number for repeating a run with random parts: `TOCSIN_SEED`, or another one each time.
#[must_use]
pub fn seed() -> u64 {
    let named = std::env::var("TOCSIN_SEED").ok().and_then(|text| text.parse().ok());
    named.unwrap_or_else(|| u64::from(std::process::id()) ^ crate::wait::now_ms().unsigned_abs())
}

/// The arguments of this program, without its name.
#[must_use]
pub fn arguments() -> Vec<String> {
    std::env::args().skip(1).collect()
}

/// A file in the folder cargo builds into; tests stand one folder deeper.
///
/// # Errors
/// When this program does not know where it stands.
pub fn beside(name: &str) -> Result<PathBuf> {
    let own = std::env::current_exe().context("this program does not know where it stands")?;
    let folder = own.parent().context("this program stands nowhere")?;
    let folder = if folder.ends_with("deps") { folder.parent().unwrap_or(folder) } else { folder };
    Ok(folder.join(name))
}
