//! `tocsin import`: another program's configuration as ours, with what does not mean the same.

use super::{CliError, Done};
use crate::import;
use clap::Subcommand;
use std::{fs, path::PathBuf};

#[derive(Subcommand, Debug)]
pub(super) enum Import {
    /// Print an alertmanager.yml as our configuration, and on stderr every difference in meaning
    Alertmanager {
        /// The alertmanager.yml
        file: PathBuf,
    },
}

pub(super) fn run(command: &Import) -> Done {
    let Import::Alertmanager { file } = command;
    let place = file.display();
    let yaml = fs::read_to_string(file).map_err(|error| CliError::Told(format!("{place} cannot be read: {error}")))?;
    let imported = import::alertmanager(&yaml).map_err(|error| CliError::Told(format!("{place}: {error}")))?;
    print!("{}", imported.toml);
    eprintln!("{place}: {} differences in meaning", imported.differences.len());
    for difference in &imported.differences {
        eprintln!("  {}: {}", difference.place, difference.what);
    }
    Ok(())
}
