//! `tocsin simulate`: the engine under a virtual clock, against everything that can go wrong.

use super::{CliError, Done};
use crate::{clock, config};
use clap::Args;
use engine::sim::Scale;
use std::{path::PathBuf, sync::Arc};

#[derive(Args, Debug)]
pub(super) struct Simulate {
    /// The same seed lives through the same days
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many days
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    days: u32,
    /// How many people; a handful without
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    people: Option<u32>,
    /// How many policies they have
    #[arg(long, default_value_t = 50, requires = "people", value_parser = clap::value_parser!(u32).range(4..=1_000))]
    policies: u32,
    /// A configuration to live with; without one the simulator makes its own
    #[arg(long)]
    config: Option<PathBuf>,
}

pub(super) fn simulate(command: &Simulate) -> Done {
    let config = match &command.config {
        Some(path) => {
            let text = config::read(path).map_err(CliError::Findings)?;
            let checked =
                config::check(&text, 1, clock::now()).map_err(|refused| CliError::Findings(refused.findings))?;
            Some(Arc::new(checked.snapshot))
        }
        None => None,
    };
    // A line a simulated day, on stderr: stdout holds the report alone.
    let progress = |at: engine::sim::Progress| eprintln!("day {} of {}: {} events", at.day, at.days, at.events);
    let scale = command.people.map_or(Scale::HOUSE, |people| Scale::town(people, command.policies));
    match engine::sim::run(command.seed, command.days, scale, config, progress) {
        Ok(report) => {
            print!("{report}");
            Ok(())
        }
        Err(failure) => {
            eprintln!("{failure}");
            Err(CliError::Said)
        }
    }
}
