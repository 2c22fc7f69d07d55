//! `tocsin simulate`: the engine under a virtual clock. By default days of everything that can go wrong; with `--at` one
//! message at one moment, and whom it would wake.

use super::{CliError, Done, open_existing};
use crate::{
    clock,
    config::{self, Storage},
};
use clap::Args;
use engine::{Snapshot, rehearsal, sim::Scale};
use shared::{
    Delay, Timestamp,
    config::ContactKind,
    text::{Language, Names, happening},
};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

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
    /// A configuration to live with; without one the simulator makes its own, and with --at the one in force is taken
    #[arg(long)]
    config: Option<PathBuf>,
    /// When the message arrives: 2026-10-25T01:30:00Z, 2026-10-25 02:30 in --zone, or clock-change for the next one there
    #[arg(long, value_name = "TIME", conflicts_with_all = ["seed", "days", "people"])]
    at: Option<String>,
    /// The time zone of times that are read and printed
    #[arg(long, value_name = "ZONE", default_value = "UTC", requires = "at")]
    zone: String,
    /// What arrives
    #[arg(long, requires = "at", default_value = rehearsal::SAMPLE)]
    message: String,
    /// Whose message it is
    #[arg(long, value_name = "ID", requires = "at", default_value = rehearsal::NOBODYS)]
    integration: String,
    /// How long is looked on while nobody answers
    #[arg(long = "for", value_name = "LENGTH", requires = "at", default_value_t = rehearsal::LENGTH, value_parser = Delay::parse)]
    length: Delay,
}

pub(super) fn simulate(storage: &Storage, command: &Simulate) -> Done {
    if let Some(at) = &command.at {
        return one_message(storage, command, at);
    }
    let config = command.config.as_deref().map(given).transpose()?;
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

fn given(path: &Path) -> Result<Arc<Snapshot>, CliError> {
    let text = config::read(path).map_err(CliError::Findings)?;
    let checked = config::check(&text, 1, Arc::default(), clock::now())
        .map_err(|refused| CliError::Findings(refused.findings))?;
    Ok(Arc::new(checked.snapshot))
}

fn in_force(storage: &Storage) -> Result<Arc<Snapshot>, CliError> {
    let (_, mut store) = open_existing(storage)?;
    let (version, text) = store.config_current()?.unwrap_or_default();
    let document = config::parse(&text).map_err(|finding| CliError::Findings(vec![finding]))?;
    Snapshot::compile_with(version, document, Arc::new(store.calendar_copies()?))
        .map(Arc::new)
        .map_err(CliError::Findings)
}

/// A line for each thing that is decided and each delivery that would begin, with the wall clock.
fn one_message(storage: &Storage, command: &Simulate, at: &str) -> Done {
    let config = match &command.config {
        Some(path) => given(path)?,
        None => in_force(storage)?,
    };
    let zone = command.zone.as_str();
    let at = rehearsal::moment(at, zone, clock::now())?;
    let integration = command.integration.as_str().into();
    let told = rehearsal::rehearse(&config, &integration, command.message.as_bytes(), at, command.length);
    println!("{}  {}", rehearsal::shown(zone, at), command.message);
    let names: Names = config.people.values().map(|person| (person.id.clone(), person.name.clone())).collect();
    let mut sent = told.sent.iter().peekable();
    for entry in &told.timeline {
        while let Some(sent) = sent.next_if(|sent| sent.at < entry.at) {
            begun(zone, at, sent);
        }
        // Deliveries have a line of their own.
        if !matches!(entry.what, shared::timeline::Happening::Delivery { .. }) {
            line(zone, at, entry.at, &happening(Language::En, &names, &entry.what));
        }
    }
    sent.for_each(|sent| begun(zone, at, sent));
    if told.sent.is_empty() {
        for outcome in &told.outcomes {
            println!("nobody is paged; the message is {}", outcome.name());
        }
    }
    if told.cut {
        println!("and so on: there are more deliveries than are shown");
    }
    Ok(())
}

fn begun(zone: &str, start: Timestamp, sent: &engine::stage::Sent) {
    let kind = match sent.channel {
        ContactKind::Email => "e-mail",
        ContactKind::Voice => "call",
        other => other.as_str(),
    };
    let reminder = if sent.reminder { ", reminder" } else { "" };
    let (to, contact) = (shared::text::recipient_name(&sent.recipient), &sent.contact);
    let level = sent.level + 1;
    line(zone, start, sent.at, &format!("-> {to} via {contact} ({kind}; {} level {level}{reminder})", sent.policy));
}

fn line(zone: &str, start: Timestamp, at: Timestamp, what: &str) {
    println!("{}  +{:<9} {what}", rehearsal::shown(zone, at), Delay(at.ms_since(start)).to_string());
}
