//! `tocsin agent`: tells a server who answers for which address on this machine's segments. It needs no privilege.

use super::{CliError, Done, log};
use crate::{
    agent::{self, Server, Settings, Table},
    config::LogFormat,
    inventory::{https::Trust, own_name},
};
use clap::Args;
use ipnet::IpNet;
use shared::Delay;
use std::{path::PathBuf, time::Duration};

/// What is said without being asked.
const LOG: &str = "info";

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
    /// Print the table that would be reported, and end
    #[arg(long)]
    once: bool,
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
    };
    // A wrong --interface is better said now than in each report.
    Table::read(&settings.interfaces)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let server = Server::new(url, &trust, token_file.clone()).map_err(told)?;
        tracing::info!(server = server.shown(), name = settings.name, "reports the neighbours of this machine");
        agent::run(&settings, &server).await;
        Ok(())
    })
}

fn print(command: &Command) -> Done {
    let table = Table::read(&command.interfaces)?;
    for interface in table.interfaces() {
        let nets: Vec<String> = interface.nets.iter().map(ToString::to_string).collect();
        let mac = interface.mac.map(|mac| mac.to_string()).unwrap_or_default();
        println!("{}\t{mac}\t{}", interface.name, nets.join(" "));
    }
    for (interface, ip, it) in table.neighbours() {
        let router = if it.router { "\trouter" } else { "" };
        println!("{interface}\t{ip}\t{}\tconfirmed {} s ago{router}", it.mac, it.age_ms / 1_000);
    }
    Ok(())
}
