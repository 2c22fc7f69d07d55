//! `tocsin secrets`: another key for what is sealed in the database, and what to do when a key is lost.

use super::{CliError, DATABASE, Done, audit};
use crate::{
    config::Storage,
    db::{Store, Swept},
};
use clap::Subcommand;

#[derive(Subcommand, Debug)]
pub(super) enum SecretsCommand {
    /// Seal everything with a new key and drop the old one
    Rotate,
    /// After a key was lost: give up the secrets that were sealed with it, and keep everything else
    Forget {
        /// Really do so
        #[arg(long)]
        yes: bool,
    },
}

pub(super) fn run(storage: &Storage, command: SecretsCommand) -> Done {
    let url = storage.database(DATABASE)?;
    let mut store = Store::open_with(&url, &storage.keys(&url))?;
    store.migrate()?;
    match command {
        SecretsCommand::Rotate => {
            store.seal_all()?;
            let swept = store.secrets_rotate(&mut tell)?;
            let key = done(&mut store, "secrets.rotate", swept)?;
            println!("sealed {} values anew; key {key} is the only one now", swept.sealed);
            println!("copy the file of keys to every other machine that uses this database, and to your backup of it");
        }
        SecretsCommand::Forget { yes: false } => {
            let text = "this gives up every secret that no key of the file opens; add --yes if the right file is lost for good";
            return Err(CliError::Told(text.to_owned()));
        }
        SecretsCommand::Forget { yes: true } => {
            let swept = store.secrets_forget(&mut tell)?;
            let key = done(&mut store, "secrets.forget", swept)?;
            println!("{} secrets are lost, {} stand sealed with key {key}", swept.lost, swept.sealed);
            println!("put them in again: `tocsin export --with-secrets` shows `lost` where they stood");
        }
    }
    Ok(())
}

fn tell(done: usize, of: usize) {
    if done == of || done.is_multiple_of(100) {
        eprintln!("{done} of {of} configurations");
    }
}

/// The record says that it was done; gives the key in force.
fn done(store: &mut Store, action: &str, swept: Swept) -> Result<String, CliError> {
    let key = store.secrets_key()?.unwrap_or_default();
    let entry = audit::entry(action, &key, format!("{} sealed, {} lost", swept.sealed, swept.lost));
    store.audited(&entry, |_| Ok(()))?;
    Ok(key)
}
