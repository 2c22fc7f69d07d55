//! The server as a process of its own: started in a fresh folder, asked by its command line, killed, started again.

use crate::{environment, http::Client, wait};
use anyhow::{Context as _, Result, bail, ensure};
use shared::api::Role;
use std::{
    fs::{self, File},
    io::Write as _,
    net::SocketAddr,
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};
use tempfile::TempDir;

/// A server and its folder. Dropping it ends the process and removes the folder; a failing test shows the log.
pub struct Tocsin {
    bin: PathBuf,
    folder: TempDir,
    database: Option<String>,
    /// The program it is started with, and that program's arguments.
    below: Vec<String>,
    running: Option<Running>,
    /// Where it is told to listen, and where it listened last.
    listen: SocketAddr,
    listened: SocketAddr,
    /// How many times it was started.
    starts: u32,
}

struct Running {
    child: Child,
    address: SocketAddr,
}

impl Tocsin {
    /// A fresh folder; nothing is started yet.
    ///
    /// # Errors
    /// When there is no server to start.
    pub fn fresh() -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("tocsin-e2e-").tempdir()?;
        let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
        Ok(Self {
            bin: environment::binary()?,
            folder,
            database: None,
            below: Vec::new(),
            running: None,
            listen: anywhere,
            listened: anywhere,
            starts: 0,
        })
    }

    /// The same on a database that is made already.
    ///
    /// # Errors
    /// When there is no server to start.
    pub fn fresh_on(database: &str) -> Result<Self> {
        let mut server = Self::fresh()?;
        server.database = Some(database.to_owned());
        Ok(server)
    }

    /// From now on the server is started by another program, which becomes it: `env` with its arguments, for example.
    pub fn start_below(&mut self, program: &[&str]) {
        self.below = program.iter().map(|&word| word.to_owned()).collect();
    }

    /// Starts the server and waits until it is ready.
    ///
    /// # Errors
    /// When it is not ready in time; the error holds its log.
    pub fn start(&mut self) -> Result<()> {
        self.start_with(&[])
    }

    /// The same with more arguments.
    ///
    /// # Errors
    /// When it is not ready in time; the error holds its log.
    pub fn start_with(&mut self, arguments: &[&str]) -> Result<()> {
        self.spawn(arguments)?;
        let address = self.address();
        let client = Client::new(address);
        wait::attempt("the server to be ready", wait::PATIENCE, || {
            self.still_runs()?;
            Ok(client.get("/readyz").is_ok_and(|answer| answer.status == 200).then_some(()))
        })
        .with_context(|| format!("its log says:\n{}", self.log()))
    }

    /// Starts it again where it listened before, for those who know that address.
    ///
    /// # Errors
    /// As for a start, and when somebody else listens there by now.
    pub fn start_again(&mut self) -> Result<()> {
        self.start_again_with(&[])
    }

    /// The same with more arguments.
    ///
    /// # Errors
    /// As above.
    pub fn start_again_with(&mut self, arguments: &[&str]) -> Result<()> {
        self.listen = self.listened;
        self.start_with(arguments)
    }

    /// Starts the process and waits until it says where it listens: it answers soon, or dies before.
    ///
    /// # Errors
    /// When it ended without a word; the error holds its log.
    pub fn spawn(&mut self, arguments: &[&str]) -> Result<()> {
        ensure!(self.running.is_none(), "it runs already");
        self.starts += 1;
        let log = File::create(self.log_file())?;
        let mut serve = self.command_below(&self.below);
        serve.args(["serve", "--listen", &self.listen.to_string()]).args(arguments);
        let child = serve.stdout(log.try_clone()?).stderr(log).spawn().context("the server cannot be started")?;
        // Until it says where.
        self.running = Some(Running { child, address: SocketAddr::from(([127, 0, 0, 1], 0)) });
        let address = wait::attempt("the server to say where it listens", wait::PATIENCE, || {
            let log = self.log();
            let said = log.lines().find_map(|line| line.split_once("listens on http://"));
            if said.is_none() {
                self.still_runs()?;
            }
            Ok(said.and_then(|(_, rest)| rest.split([' ', ',']).next()?.parse().ok()))
        })
        .with_context(|| format!("its log says:\n{}", self.log()))?;
        if let Some(running) = &mut self.running {
            running.address = address;
        }
        self.listened = address;
        Ok(())
    }

    fn still_runs(&mut self) -> Result<()> {
        let Some(running) = &mut self.running else { bail!("it was not started") };
        if let Some(status) = running.child.try_wait()? {
            self.running = None;
            bail!("the server ended by itself: {status}");
        }
        Ok(())
    }

    /// Where it listens (or listened last).
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.running.as_ref().map_or_else(|| SocketAddr::from(([127, 0, 0, 1], 1)), |running| running.address)
    }

    /// Its number among processes.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.running.as_ref().map_or(0, |running| running.child.id())
    }

    /// How people reach it.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address())
    }

    /// Somebody without any right.
    #[must_use]
    pub fn anybody(&self) -> Client {
        Client::new(self.address())
    }

    /// Kills it as `kill -9` does.
    ///
    /// # Errors
    /// When it does not run.
    pub fn kill(&mut self) -> Result<()> {
        let Some(mut running) = self.running.take() else { bail!("it does not run") };
        running.child.kill()?;
        running.child.wait()?;
        Ok(())
    }

    /// Asks it to end, and waits until it has.
    ///
    /// # Errors
    /// When it does not, or says that something went wrong.
    pub fn stop(&mut self) -> Result<()> {
        let pid = self.pid().to_string();
        ensure!(Command::new("kill").args(["-TERM", &pid]).status()?.success(), "it does not run");
        let status = self.wait_for_end(wait::PATIENCE)?;
        ensure!(status.success(), "it ended with {status}; its log says:\n{}", self.log());
        Ok(())
    }

    /// Waits until it has ended by itself.
    ///
    /// # Errors
    /// When it goes on.
    pub fn wait_for_end(&mut self, patience: Duration) -> Result<ExitStatus> {
        let Some(running) = &mut self.running else { bail!("it does not run") };
        let status = wait::attempt("the server to end", patience, || Ok(running.child.try_wait()?))?;
        self.running = None;
        Ok(status)
    }

    /// Whether it has ended by aborting itself, as it does at a failpoint.
    ///
    /// # Errors
    /// When it goes on, or ended in another way.
    pub fn wait_for_abort(&mut self, patience: Duration) -> Result<()> {
        const SIGABRT: i32 = 6;
        let status = self.wait_for_end(patience)?;
        ensure!(status.signal() == Some(SIGABRT), "it ended with {status}; its log says:\n{}", self.log());
        Ok(())
    }

    /// What it printed since it was started last.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join(format!("log-{}", self.starts))
    }

    /// Its folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where it keeps its database, unless it has another.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The program, with its folder and database.
    #[must_use]
    pub fn command(&self) -> Command {
        self.command_below(&[])
    }

    fn command_below(&self, below: &[String]) -> Command {
        let mut command = match below {
            [] => Command::new(&self.bin),
            [program, arguments @ ..] => {
                let mut command = Command::new(program);
                command.args(arguments).arg(&self.bin);
                command
            }
        };
        command.current_dir(self.folder.path()).arg("--data").arg(self.data());
        if let Some(url) = &self.database {
            command.args(["--database", url]);
        }
        command.stdin(Stdio::null()).env_remove("RUST_LOG");
        command
    }

    /// Runs a command of it and gives what it prints.
    ///
    /// # Errors
    /// When it is refused; the error holds what was said.
    pub fn ask(&self, arguments: &[&str], input: &str) -> Result<String> {
        let mut command = self.command();
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().context("tocsin cannot be started")?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(input.as_bytes())?;
        }
        let output = child.wait_with_output()?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.success(), "tocsin {}: {}: {said}", arguments.join(" "), output.status);
        Ok(String::from_utf8(output.stdout)?.trim_end().to_owned())
    }

    /// Makes a sender's token.
    ///
    /// # Errors
    /// When it is refused.
    pub fn sender(&self, name: &str) -> Result<String> {
        self.ask(&["token", "create", "--kind", "integration", "--name", name], "")
    }

    /// Makes an API token and gives somebody who holds it.
    ///
    /// # Errors
    /// When it is refused.
    pub fn somebody(&self, role: Role) -> Result<Client> {
        Ok(Client::new(self.address()).bearer(&self.api_token(role)?))
    }

    /// Makes an API token.
    ///
    /// # Errors
    /// When it is refused.
    pub fn api_token(&self, role: Role) -> Result<String> {
        self.ask(&["token", "create", "--kind", "api", "--role", role.as_str(), "--name", "tests"], "")
    }

    /// Makes an account.
    ///
    /// # Errors
    /// When it is refused.
    pub fn account(&self, login: &str, role: Role, password: &str) -> Result<()> {
        self.ask(&["user", "add", login, "--role", role.as_str(), "--password-stdin"], &format!("{password}\n"))
            .map(drop)
    }

    /// Puts a configuration in force; a running server is waited for.
    ///
    /// # Errors
    /// When it is refused, with what was said.
    pub fn apply(&self, document: &str) -> Result<()> {
        let file = self.folder.path().join("config.toml");
        fs::write(&file, document)?;
        let said = self.ask(&["apply", &file.to_string_lossy()], "")?;
        if self.running.is_none() {
            return Ok(());
        }
        let version = said.lines().last().and_then(|line| line.split_whitespace().nth(1)?.parse::<i64>().ok());
        let version = version.with_context(|| format!("`tocsin apply` said: {said}"))?;
        let viewer = self.somebody(Role::Viewer)?;
        wait::attempt("the configuration to be in force", wait::PATIENCE, || {
            let status: shared::api::PagerStatus = viewer.read("/api/v1/status")?;
            Ok((status.config == version).then_some(()))
        })
    }
}

impl Drop for Tocsin {
    fn drop(&mut self) {
        if self.running.is_some() {
            drop(self.kill());
        }
        // A test that fails without a panic is not seen here, so what went wrong is always said.
        let log = self.log();
        let is_wrong = |line: &&str| line.contains(" ERROR ") || line.contains("\"ERROR\"");
        for line in log.lines().filter(|line| std::thread::panicking() || is_wrong(line)) {
            eprintln!("--- the server's log: {line}");
        }
    }
}
