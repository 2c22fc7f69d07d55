//! `tocsin agent`: tells a server what this machine does and who answers on its segments. It needs no privilege.

use super::{CliError, Done, log};
use crate::{
    agent::{
        self, Meter, Sampling, Server, Settings, Table,
        page::{Page, Style},
    },
    clock,
    config::LogFormat,
    inventory::{https::Trust, own_name},
};
use clap::Args;
use ipnet::IpNet;
use shared::Delay;
use std::{io::IsTerminal as _, path::PathBuf, time::Duration};

/// What is said without being asked.
const LOG: &str = "info";
/// Rates of `--once` are of this time.
const LOOK: Duration = Duration::from_secs(1);
/// The width where there is no terminal to ask.
const WIDTH: usize = 120;

#[derive(Args, Debug)]
pub(super) struct Command {
    /// Where Tocsin answers: https://tocsin.example.org (http:// only on this machine)
    #[arg(long, env = "TOCSIN_SERVER", value_name = "URL", required_unless_present = "once")]
    server: Option<String>,
    /// A file with this agent's token (`tocsin token create --kind agent --name SOURCE/AGENT`)
    #[arg(long, env = "TOCSIN_TOKEN_FILE", value_name = "FILE", required_unless_present = "once")]
    token_file: Option<PathBuf>,
    /// What this machine is called [default: its host name]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Only this interface; may be given several times
    #[arg(long = "interface", value_name = "NAME")]
    interfaces: Vec<String>,
    /// Look at the kernel's tables this often: 1s to 30s
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = every)]
    every: Duration,
    /// Look for addresses in this prefix when the server asks for one; without it nothing is ever sent
    #[arg(long, value_name = "PREFIX")]
    probe: Vec<IpNet>,
    /// The authorities (PEM) that may have signed the server's certificate, instead of this machine's
    #[arg(long, value_name = "FILE", conflicts_with = "fingerprint")]
    ca: Option<String>,
    /// SHA-256 of the one certificate that is the server's
    #[arg(long, value_name = "HEX")]
    fingerprint: Option<String>,
    /// Keep samples here that the server does not take, so that none is lost in a restart [default: in memory only]
    #[arg(long, env = "STATE_DIRECTORY", value_name = "FOLDER")]
    buffer: Option<PathBuf>,
    /// Ask this time server how far the clock is off: HOST or HOST:PORT
    #[arg(long, value_name = "SERVER")]
    ntp: Option<String>,
    /// Only tell of neighbours, and measure nothing
    #[arg(long)]
    neighbours_only: bool,
    /// Measure for a second, print the machine on a page, and end
    #[arg(long)]
    once: bool,
    /// No colours, even on a terminal
    #[arg(long, env = "NO_COLOR", value_name = "1", num_args = 0..=1, default_missing_value = "1", hide = true)]
    no_color: Option<String>,
}

fn every(text: &str) -> Result<Duration, String> {
    let delay = Delay::parse(text)?;
    let fits = (1_000..=30_000).contains(&delay.0);
    let length = Duration::from_millis(delay.0.unsigned_abs());
    fits.then_some(length).ok_or_else(|| format!("`{text}` is not between 1s and 30s"))
}

pub(super) fn agent(command: &Command) -> Done {
    if command.once {
        return print(command);
    }
    let told = |fault: crate::inventory::Fault| CliError::Told(fault.message);
    let (Some(url), Some(token_file)) = (&command.server, &command.token_file) else {
        return Err(CliError::Told("--server and --token-file say where to report".to_owned()));
    };
    log::install(LOG, LogFormat::Pretty)?;
    let trust = Trust::named(command.ca.as_deref(), command.fingerprint.as_deref()).map_err(told)?;
    let settings = Settings {
        name: command.name.clone().unwrap_or_else(own_name),
        interfaces: command.interfaces.clone(),
        every: command.every,
        probe: command.probe.iter().map(IpNet::trunc).collect(),
        sampling: (!command.neighbours_only)
            .then(|| Sampling { buffer: command.buffer.clone(), ntp: command.ntp.clone() }),
    };
    // A wrong --interface is better said now than in each report.
    Table::read(&settings.interfaces)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let server = Server::new(url, &trust, token_file.clone()).map_err(told)?;
        tracing::info!(server = server.shown(), name = settings.name, "reports this machine and its neighbours");
        agent::run(&settings, &server).await.map_err(|error| {
            let folder = command.buffer.as_deref().map(|it| it.display().to_string()).unwrap_or_default();
            CliError::Told(format!(
                "the folder {folder} for samples cannot be used ({error}); name another with --buffer"
            ))
        })
    })
}

fn print(command: &Command) -> Done {
    let neighbours = Table::read(&command.interfaces)?;
    let mut meter = Meter::here();
    meter.measure(clock::now(), None);
    std::thread::sleep(LOOK);
    let measured = meter.measure(clock::now(), None);
    let facts = meter.facts();
    let stdout = std::io::stdout();
    let width = rustix::termios::tcgetwinsize(&stdout).ok().map(|size| usize::from(size.ws_col)).filter(|it| *it > 0);
    let style = Style {
        width: width.unwrap_or(WIDTH),
        colour: stdout.is_terminal() && command.no_color.as_deref().unwrap_or_default().is_empty(),
    };
    print!("{}", Page { facts: &facts, measured: &measured, neighbours: &neighbours }.drawn(style));
    Ok(())
}
