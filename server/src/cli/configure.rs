//! `tocsin check`, `apply` and `export`: the configuration as files, for those who keep it in git.

use super::{CliError, Done, audit, open, print_findings};
use crate::{
    clock,
    config::{self, Checked, Refused, Storage},
};
use clap::Args;
use shared::{api::TrialResult, config::Document};
use std::{path::PathBuf, sync::Arc};

#[derive(Args, Debug)]
pub(super) struct Check {
    /// A file, or a folder of *.toml
    path: PathBuf,
}

#[derive(Args, Debug)]
pub(super) struct Apply {
    /// A file, or a folder of *.toml
    path: PathBuf,
    /// Only print what would change
    #[arg(long)]
    dry_run: bool,
}

#[derive(Args, Debug)]
pub(super) struct Export {
    /// Print secrets instead of ********; `apply` takes either form back on the same server
    #[arg(long)]
    with_secrets: bool,
}

pub(super) fn check(command: &Check) -> Done {
    let text = config::read(&command.path).map_err(CliError::Findings)?;
    let checked = config::check(&text, 1, Arc::default(), clock::now());
    say(&checked);
    match checked {
        Ok(checked) => {
            println!("{}: {}", command.path.display(), summary(&checked.document));
            Ok(())
        }
        Err(_) => {
            eprintln!("error: {} is refused", command.path.display());
            Err(CliError::Said)
        }
    }
}

/// Findings and tests, as they are.
fn say(checked: &Result<Checked, Box<Refused>>) {
    let (findings, tests) = match checked {
        Ok(checked) => (&checked.warnings, &checked.tests),
        Err(refused) => (&refused.findings, &refused.tests),
    };
    for TrialResult { name, passed, detail } in tests {
        if *passed {
            println!("test {name}: ok");
        } else {
            println!("test {name}: FAILED: {detail}");
        }
    }
    print_findings(findings);
}

fn summary(document: &Document) -> String {
    let count = |n: usize, one: &str, many: &str| format!("{n} {}", if n == 1 { one } else { many });
    [
        count(document.people.len(), "person", "people"),
        count(document.schedules.len(), "schedule", "schedules"),
        count(document.policies.len(), "policy", "policies"),
        count(document.tests.len(), "test", "tests"),
    ]
    .join(", ")
        + ": good"
}

pub(super) fn apply(storage: &Storage, command: &Apply) -> Done {
    let text = config::read(&command.path).map_err(CliError::Findings)?;
    let mut store = open(storage)?;
    let (version, stored) = store.config_current()?.unwrap_or_default();
    let old = config::parse(&stored).map_err(|finding| CliError::Findings(vec![finding]))?;
    let text = config::restore(&text, &old).map_err(CliError::Findings)?;
    let checked = config::check(&text, version + 1, Arc::new(store.calendar_copies()?), clock::now());
    say(&checked);
    let checked = checked.map_err(|_| {
        eprintln!("error: the configuration is refused; nothing was changed");
        CliError::Said
    })?;
    let changes = config::plan(&old, &checked.document);
    for change in &changes {
        println!("{change}");
    }
    if changes.is_empty() && (version > 0 || checked.document == old) {
        println!("nothing changes; version {version} stays in force");
        return Ok(());
    }
    if command.dry_run {
        println!("dry run: version {version} stays in force");
        return Ok(());
    }
    let entry = audit::entry("config.apply", &(version + 1).to_string(), changes.join(", "));
    let version = store.audited(&entry, |store| store.config_put(&text, audit::BY, entry.at, Some(version)))?;
    println!("version {version} is in force; a running server takes it up within seconds");
    Ok(())
}

pub(super) fn export(storage: &Storage, command: &Export) -> Done {
    let (_, text) = open(storage)?.config_current()?.unwrap_or_default();
    let text = if command.with_secrets { text } else { config::hide(&text) };
    print!("{text}");
    if !text.is_empty() && !text.ends_with('\n') {
        println!();
    }
    Ok(())
}
