//! `tocsin proof`: whether the record of deliveries and answers is as it was written.

use super::{CliError, Done, open_existing};
use crate::{config::Storage, db::ProofVerdict};
use clap::Subcommand;

#[derive(Subcommand, Debug)]
pub(super) enum ProofCommand {
    /// Check every link; print how many there are and the hash of the newest, which is worth keeping elsewhere
    Verify,
}

pub(super) fn run(storage: &Storage, command: &ProofCommand) -> Done {
    let ProofCommand::Verify = command;
    let (_, mut store) = open_existing(storage)?;
    match store.proof_verify()? {
        ProofVerdict::Intact { links: 0, .. } => println!("the proof has no link yet"),
        ProofVerdict::Intact { links, head } => println!("{links} links, none changed; the newest is {head}"),
        ProofVerdict::Broken { id, what } => {
            return Err(CliError::Told(format!("link {id} was tampered with: {what}")));
        }
    }
    Ok(())
}
