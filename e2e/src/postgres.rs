//! A PostgreSQL server of our own for tests: made in a temporary folder, ended with the process that made it.

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use std::{
    fs,
    io::Write as _,
    os::unix::{
        fs::{MetadataExt as _, chown},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread::sleep,
    time::Duration,
};
use tempfile::TempDir;

/// Whether a commit waits for the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// As in production: for tests that kill the server.
    Fsync,
    /// Faster, and a crash of the machine may lose everything.
    None,
}

/// A PostgreSQL server on a socket in its own folder. Dropping it, or ending the process in whatever way, ends the
/// server and removes the folder.
pub struct Server {
    bin: PathBuf,
    folder: TempDir,
    account: Option<Account>,
    durability: Durability,
    running: Option<Child>,
    databases: AtomicU32,
}

/// PostgreSQL refuses to run as root, so then another account runs it.
#[derive(Clone, Copy)]
struct Account {
    uid: u32,
    gid: u32,
}

/// The superuser of the server, who needs no password on the socket.
const USER: &str = "tocsin";
/// How long a start or an end may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long to wait before looking again.
const PAUSE: Duration = Duration::from_millis(25);

/// Runs the server (`$@`) until it ends by itself, a signal's name comes in, or the input closes because whoever
/// started this is gone; in the last case the folder (`$0`) goes too. Only its own children are ever signalled.
const KEEPER: &str = r#"
exec 3<&0 </dev/null
"$@" 3<&- & server=$!
( read -r signal <&3 || { signal=QUIT; : > "$0/orphan"; }; kill -s "$signal" "$server" ) & reader=$!
exec 3<&-
wait "$server"
kill "$reader" 2>/dev/null
if [ -e "$0/orphan" ]; then rm -rf "$0"; fi
"#;

impl Server {
    /// Makes a server that keeps commits as production does, and waits until it answers.
    ///
    /// # Errors
    /// When PostgreSQL is not installed or does not start; the error says what to do or holds its log.
    pub fn start() -> Result<Self> {
        Self::start_with(Durability::Fsync)
    }

    /// Makes a server and waits until it answers.
    ///
    /// # Errors
    /// When PostgreSQL is not installed or does not start; the error says what to do or holds its log.
    pub fn start_with(durability: Durability) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("tocsin-pg-").tempdir()?;
        let mut server = Self {
            bin: bin()?,
            account: account(folder.path())?,
            folder,
            durability,
            running: None,
            databases: AtomicU32::new(0),
        };
        if let Some(account) = server.account {
            chown(server.folder.path(), Some(account.uid), Some(account.gid))?;
        }
        let data = server.data();
        let made = server
            .command("initdb")
            .arg("--pgdata")
            .arg(&data)
            .args(["--username", USER, "--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync"])
            .output()
            .context("initdb cannot be run")?;
        check("initdb", &made)?;
        server.restart()?;
        Ok(server)
    }

    /// The URL of a database of this server.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgresql:///{database}?host={}&user={USER}", self.folder.path().display())
    }

    /// Makes an empty database and gives its URL.
    ///
    /// # Errors
    /// When the server does not answer.
    pub fn create_database(&self) -> Result<String> {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.run(&format!("CREATE DATABASE {name}"))?;
        Ok(self.url(&name))
    }

    /// What `pg_dump` writes of a database of this server: all that a backup would hold.
    ///
    /// # Errors
    /// When it cannot be run, or fails.
    pub fn dump(&self, url: &str) -> Result<Vec<u8>> {
        let dumped = self.command("pg_dump").arg(url).output().context("pg_dump cannot be run")?;
        check("pg_dump", &dumped)?;
        Ok(dumped.stdout)
    }

    /// The folder of everything the server writes.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Ends the server in good order: sessions are cut off, the files are whole.
    ///
    /// # Errors
    /// When it does not end in time.
    pub fn stop(&mut self) -> Result<()> {
        self.signal("INT")
    }

    /// Kills the server without any warning, as a power failure would end it.
    ///
    /// # Errors
    /// When it does not end in time.
    pub fn kill(&mut self) -> Result<()> {
        self.signal("KILL")
    }

    /// Starts the server again after [`Server::stop`] or [`Server::kill`], and waits until it answers.
    ///
    /// # Errors
    /// When it does not come up in time; the error holds its log.
    pub fn restart(&mut self) -> Result<()> {
        for _ in 0..PATIENCE.as_millis() / PAUSE.as_millis() {
            // One that was killed leaves sessions behind that hold its memory for a moment: try until they are gone.
            let ended = match self.running.as_mut() {
                Some(keeper) => keeper.try_wait()?.is_some(),
                None => true,
            };
            if ended {
                self.running = Some(self.spawn()?);
            } else if self.run("SELECT 1").is_ok() {
                return Ok(());
            }
            sleep(PAUSE);
        }
        bail!("PostgreSQL did not start within {PATIENCE:?}; its log says:\n{}", self.log())
    }

    fn spawn(&self) -> Result<Child> {
        let fsync = match self.durability {
            Durability::Fsync => "on",
            Durability::None => "off",
        };
        let log = fs::File::options().create(true).append(true).open(self.folder.path().join("log"))?;
        let mut command = self.command_at(Path::new("/bin/sh"));
        command.args(["-c", KEEPER]).arg(self.folder.path()).arg(self.bin.join("postgres")).arg("-D").arg(self.data());
        for setting in [
            "listen_addresses=",
            "unix_socket_permissions=0700",
            "max_connections=60",
            "shared_buffers=32MB",
            "log_min_messages=warning",
            &format!("unix_socket_directories={}", self.folder.path().display()),
            &format!("fsync={fsync}"),
            &format!("full_page_writes={fsync}"),
        ] {
            command.args(["-c", setting]);
        }
        // A group of its own: an interrupt of the test at the terminal reaches it by the closed input only.
        command.process_group(0).stdin(Stdio::piped()).stdout(log.try_clone()?).stderr(log);
        command.spawn().context("PostgreSQL cannot be started")
    }

    fn signal(&mut self, name: &str) -> Result<()> {
        let Some(mut keeper) = self.running.take() else { return Ok(()) };
        if let Some(mut input) = keeper.stdin.take() {
            // It may have ended by itself, and then nobody listens.
            writeln!(input, "{name}").ok();
            // Kept open until the end: closing it would say that we are gone.
            for _ in 0..PATIENCE.as_millis() / PAUSE.as_millis() {
                if keeper.try_wait()?.is_some() {
                    return Ok(());
                }
                sleep(PAUSE);
            }
        }
        bail!("PostgreSQL did not end within {PATIENCE:?}; its log says:\n{}", self.log())
    }

    fn run(&self, sql: &str) -> Result<()> {
        let output = self
            .command("psql")
            .args(["--no-psqlrc", "--quiet", "--username", USER, "--dbname", "postgres", "--command", sql, "--host"])
            .arg(self.folder.path())
            .output()
            .context("psql cannot be run")?;
        check("psql", &output)
    }

    fn command(&self, program: &str) -> Command {
        self.command_at(&self.bin.join(program))
    }

    fn command_at(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.folder.path()).stdin(Stdio::null()).env_remove("PGOPTIONS").env("LC_ALL", "C");
        if let Some(account) = self.account {
            command.uid(account.uid).gid(account.gid);
        }
        command
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Err(error) = self.signal("QUIT") {
            eprintln!("{error:#}");
        }
    }
}

fn check(program: &str, output: &Output) -> Result<()> {
    ensure!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(())
}

/// The account that runs the server: none when it is our own.
fn account(folder: &Path) -> Result<Option<Account>> {
    // What we just made is ours.
    if fs::metadata(folder)?.uid() != 0 {
        return Ok(None);
    }
    let accounts = fs::read_to_string("/etc/passwd").context("the accounts of this machine cannot be read")?;
    let found = ["nobody", "postgres", "daemon"].into_iter().find_map(|name| {
        let line = accounts.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        Some(Account { uid: fields.next()?.parse().ok()?, gid: fields.next()?.parse().ok()? })
    });
    let missing = || anyhow!("PostgreSQL does not run as root, and there is no account `nobody` to run it");
    found.map(Some).ok_or_else(missing)
}

/// The folder of PostgreSQL's programs: named by the environment, on the path, or where Debian keeps it.
#[expect(clippy::disallowed_methods, reason = "a test has no configuration; the command that runs it says where")]
fn bin() -> Result<PathBuf> {
    if let Some(named) = std::env::var_os("TOCSIN_POSTGRES_BIN") {
        let named = PathBuf::from(named);
        ensure!(has_server(&named), "TOCSIN_POSTGRES_BIN names {}, which holds no initdb", named.display());
        return Ok(named);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut kept: Vec<PathBuf> = debian.map(|version| version.path().join("bin")).collect();
    // The newest first.
    kept.sort_by_key(|bin| std::cmp::Reverse(version_of(bin)));
    std::env::split_paths(&path).chain(kept).find(|bin| has_server(bin)).ok_or_else(|| {
        anyhow!("PostgreSQL is not installed: apt-get install postgresql, or name the folder of initdb in TOCSIN_POSTGRES_BIN")
    })
}

fn has_server(bin: &Path) -> bool {
    ["initdb", "postgres", "psql"].iter().all(|program| bin.join(program).is_file())
}

fn version_of(bin: &Path) -> u32 {
    bin.parent().and_then(Path::file_name).and_then(|name| name.to_str()?.parse().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_killed_server_comes_back_with_what_was_committed() {
        let mut server = Server::start().unwrap();
        server.run("CREATE TABLE kept (n int)").unwrap();
        server.kill().unwrap();
        assert!(server.run("SELECT 1").is_err());
        server.restart().unwrap();
        server.run("SELECT n FROM kept").unwrap();
        server.stop().unwrap();
        server.restart().unwrap();
        server.run("SELECT n FROM kept").unwrap();
        let folder = server.folder.path().to_owned();
        drop(server);
        assert!(!folder.exists());
    }
}
