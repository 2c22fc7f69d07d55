//! `tocsin mirror-watchdog`: stops port mirrors that nobody answers for, when no server runs and no database answers.

use super::{CliError, DATABASE, Done, log};
use crate::{
    config::{LogFormat, Storage},
    mirror::{
        lease,
        watchdog::{self, Settings},
    },
};
use clap::Args;
use shared::Delay;
use std::{path::PathBuf, time::Duration};

const LOG: &str = "info";

#[derive(Args, Debug)]
pub(super) struct Command {
    /// The file in which the server says that it lives [default: mirrors.lease in the data folder]
    #[arg(long, value_name = "FILE")]
    lease: Option<PathBuf>,
    /// A server that is silent for so long is gone, and all of its mirrors are stopped: 30s to 10m
    #[arg(long, value_name = "TIME", default_value = "90s", value_parser = patience)]
    patience: Duration,
    /// Look once, stop what is past its end, and end
    #[arg(long)]
    once: bool,
    /// Stop every mirror of that server now, and end
    #[arg(long, conflicts_with = "once")]
    stop_all: bool,
}

fn patience(text: &str) -> Result<Duration, String> {
    let delay = Delay::parse(text)?;
    let length = Duration::from_millis(delay.0.unsigned_abs());
    (30_000..=600_000)
        .contains(&delay.0)
        .then_some(length)
        .ok_or_else(|| format!("`{text}` is not between 30s and 10m"))
}

pub(super) fn watch(storage: &Storage, command: &Command) -> Done {
    log::install(LOG, LogFormat::Pretty)?;
    let url = storage.database(DATABASE)?;
    let settings = Settings {
        lease: command.lease.clone().unwrap_or_else(|| lease::file(&storage.data)),
        keys: storage.keys(&url),
        patience: command.patience,
        once: command.once,
        stop_all: command.stop_all,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(watchdog::watch(&settings)).map_err(|error| CliError::Told(error.to_string()))
}
