//! The command line: what an operator types, and what they are told when it does not work.
//!
//! Results go to stdout, everything else to stderr. Exit code 0 is success, 1 a refusal or failure, 2 wrong usage.

mod agent;
mod audit;
mod configure;
mod doctor;
mod import;
mod inventory;
mod log;
mod mirror_watchdog;
mod proof;
mod replay;
mod secrets;
mod serve;
mod simulate;
mod token;
mod user;

use crate::{
    config::{Serve, Storage},
    db::{DatabaseUrl, Store, StoreError},
};
use clap::{Parser, Subcommand};
use shared::config::Finding;
use std::{ffi::OsString, path::Path, process::ExitCode};

/// Where the data of an ordinary server is.
const DATABASE: &str = "tocsin.db";

/// The program.
#[derive(Parser, Debug)]
#[command(
    name = "tocsin",
    version,
    about = "A self-hosted on-call platform: it takes alerts, wakes whoever is on call, and keeps trying",
    arg_required_else_help = true,
    after_help = "Start with `tocsin serve`, or look around with `tocsin serve --demo`."
)]
pub struct Cli {
    #[command(flatten)]
    storage: Storage,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Run the server
    Serve(Box<Serve>),
    /// Tell a server who answers for which address on this machine's segments
    Agent(Box<agent::Command>),
    /// Stop port mirrors that nobody answers for: runs beside the server, and needs nothing but the switches
    MirrorWatchdog(mirror_watchdog::Command),
    /// Bring the database's schema up to date
    Migrate,
    /// Accounts: who may sign in
    #[command(subcommand)]
    User(user::UserCommand),
    /// Tokens of senders, programs and agents
    #[command(subcommand)]
    Token(token::TokenCommand),
    /// The key that seals what is secret in the database
    #[command(subcommand)]
    Secrets(secrets::SecretsCommand),
    /// The record of deliveries and answers
    #[command(subcommand)]
    Proof(proof::ProofCommand),
    /// Check a configuration (a file, or a folder of *.toml) and run its tests
    Check(configure::Check),
    /// Put a configuration in force
    Apply(configure::Apply),
    /// Print the configuration in force
    Export(configure::Export),
    /// Make a configuration of another program's
    #[command(subcommand)]
    Import(import::Import),
    /// All machines that sources know, as a dynamic inventory of Ansible
    Inventory(inventory::Command),
    /// Replay stored messages: what a draft of the configuration would have done with them, and what it would lose
    Replay(replay::Replay),
    /// Live through days of made-up alerts in seconds, or with --at through one message at one moment
    Simulate(simulate::Simulate),
    /// Look for what keeps this installation from working
    Doctor(doctor::Doctor),
}

/// Why a command did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A document is refused; each finding is a line.
    #[error("the configuration is refused")]
    Findings(Vec<Finding>),
    /// In our own words, with the mend.
    #[error("{0}")]
    Told(String),
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// It was said already.
    #[error("")]
    Said,
}

impl From<String> for CliError {
    fn from(text: String) -> Self {
        Self::Told(text)
    }
}

type Done = Result<(), CliError>;

/// The arguments as they were meant: Ansible runs its script with `--list` alone, so under the script's name the program is
/// the command that prints the inventory.
pub fn arguments(given: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut given: Vec<OsString> = given.collect();
    let name = given.first().and_then(|program| Path::new(program).file_stem()?.to_str()).unwrap_or_default();
    if name == inventory::SCRIPT {
        given.insert(1, "inventory".into());
    }
    given
}

/// Runs the program and gives its exit code.
#[must_use]
pub fn run(cli: Cli) -> ExitCode {
    match carry_out(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell(&error);
            ExitCode::FAILURE
        }
    }
}

/// The agent as a program of its own.
#[derive(Parser, Debug)]
#[command(name = "tocsin-agent", version, about = "Tells a Tocsin server what this machine does", long_about = None)]
pub struct AgentAlone {
    #[command(flatten)]
    command: agent::Command,
}

/// Runs the agent and gives its exit code.
#[must_use]
pub fn run_agent(alone: &AgentAlone) -> ExitCode {
    match agent::agent(&alone.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell(&error);
            ExitCode::FAILURE
        }
    }
}

fn carry_out(cli: Cli) -> Done {
    let Cli { storage, command } = cli;
    match command {
        Command::Serve(settings) => serve::serve(&storage, &settings),
        Command::Agent(command) => agent::agent(&command),
        Command::MirrorWatchdog(command) => mirror_watchdog::watch(&storage, &command),
        Command::Migrate => migrate(&storage),
        Command::User(command) => user::run(&storage, command),
        Command::Token(command) => token::run(&storage, command),
        Command::Secrets(command) => secrets::run(&storage, command),
        Command::Proof(command) => proof::run(&storage, &command),
        Command::Check(command) => configure::check(&command),
        Command::Apply(command) => configure::apply(&storage, &command),
        Command::Export(command) => configure::export(&storage, &command),
        Command::Import(command) => import::run(&command),
        Command::Inventory(command) => inventory::inventory(&storage, &command),
        Command::Replay(command) => replay::replay(&storage, &command),
        Command::Simulate(command) => simulate::simulate(&storage, &command),
        Command::Doctor(command) => doctor::doctor(&storage, &command),
    }
}

fn tell(error: &CliError) {
    match error {
        CliError::Said => {}
        CliError::Findings(findings) => {
            print_findings(findings);
            eprintln!("error: {error}; nothing was changed");
        }
        error => eprintln!("error: {error}"),
    }
}

/// One finding a line, the place first.
fn print_findings(findings: &[Finding]) {
    for finding in findings {
        let word = if finding.fatal { "error" } else { "warning" };
        eprintln!("{word}: {}: {}", finding.path, finding.message);
    }
}

/// The database, with the schema of this program.
fn open(storage: &Storage) -> Result<Store, CliError> {
    let url = storage.database(DATABASE)?;
    let mut store = Store::open_with(&url, &storage.keys(&url))?;
    // A new database has no schema, and an older one gets what is missing; a newer one is refused.
    store.migrate()?;
    store.seal_all()?;
    Ok(store)
}

/// A database that is there already, for a command that only reads.
fn open_existing(storage: &Storage) -> Result<(DatabaseUrl, Store), CliError> {
    let url = storage.database(DATABASE)?;
    if let DatabaseUrl::Sqlite(path) = &url
        && !path.exists()
    {
        return Err(format!("there is no database at {}; name it with --data or --database", path.display()).into());
    }
    let mut store = Store::open_with(&url, &storage.keys(&url))?;
    let pending = store.pending_migrations()?;
    if pending.is_empty() {
        return Ok((url, store));
    }
    Err(format!("{url} lacks {}; run `tocsin migrate`", pending.join(", ")).into())
}

fn migrate(storage: &Storage) -> Done {
    let url = storage.database(DATABASE)?;
    let mut store = Store::open_with(&url, &storage.keys(&url))?;
    let applied = store.migrate()?;
    store.seal_all()?;
    if applied.is_empty() {
        println!("{url} is up to date");
    }
    for name in applied {
        println!("applied {name}");
    }
    Ok(())
}
