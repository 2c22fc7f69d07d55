//! `tocsin token`: made, listed and revoked while the server runs; only the token itself goes to stdout.

use super::{CliError, Done, audit, open};
use crate::{
    auth::token,
    clock,
    config::Storage,
    db::{NewToken, TokenKind},
    entropy,
    http::sender_id,
};
use clap::{Args, Subcommand};
use shared::{IntegrationId, api::Role};

#[derive(Subcommand, Debug)]
pub(super) enum TokenCommand {
    /// Make a token and print it, alone on its line
    Create(Create),
    /// List tokens, never their text
    List,
    /// Revoke a token by its number
    Revoke(Revoke),
}

#[derive(Args, Debug)]
pub(super) struct Create {
    /// integration (a sender), api (a program), agent (its name is SOURCE/AGENT, or SOURCE for any agent of it), calendar (a feed; its name is person:ID or schedule:ID), or
    /// heartbeat (its name is the heartbeat's id)
    #[arg(long)]
    kind: TokenKind,
    /// What it is for; of a sender, its name
    #[arg(long)]
    name: String,
    /// For api: viewer, responder or admin [default: viewer]
    #[arg(long)]
    role: Option<Role>,
}

#[derive(Args, Debug)]
pub(super) struct Revoke {
    /// The number `tocsin token list` shows
    id: i64,
}

const KINDS: [TokenKind; 5] =
    [TokenKind::Integration, TokenKind::Api, TokenKind::Agent, TokenKind::Calendar, TokenKind::Heartbeat];

pub(super) fn run(storage: &Storage, command: TokenCommand) -> Done {
    match command {
        TokenCommand::Create(command) => create(storage, &command),
        TokenCommand::List => list(storage),
        TokenCommand::Revoke(command) => revoke(storage, &command),
    }
}

fn create(storage: &Storage, command: &Create) -> Done {
    let name = command.name.trim();
    if name.is_empty() || name.chars().count() > 100 {
        return Err(CliError::Told("give the token a --name of 1 to 100 characters".to_owned()));
    }
    if command.role.is_some() && command.kind != TokenKind::Api {
        return Err(CliError::Told("only --kind api takes a --role".to_owned()));
    }
    if command.kind == TokenKind::Agent && !is_agent(name) {
        let told = "the --name of an agent's token is SOURCE/AGENT, or SOURCE for any agent of that source";
        return Err(CliError::Told(told.to_owned()));
    }
    let integration: Option<IntegrationId> = match command.kind {
        TokenKind::Integration => Some(sender_id(name).ok_or_else(|| {
            CliError::Told("use letters or digits in --name; `tocsin` is taken by Tocsin itself".to_owned())
        })?),
        TokenKind::Api | TokenKind::Agent | TokenKind::Calendar | TokenKind::Heartbeat => None,
    };
    let role = (command.kind == TokenKind::Api).then(|| command.role.unwrap_or(Role::Viewer));
    let text = entropy::token(command.kind.prefix());
    let new = NewToken {
        kind: command.kind,
        name,
        integration: integration.as_ref(),
        role,
        hash: &token::hash_hex(&text),
        hint: &token::hint(&text),
        created_by: audit::BY,
    };
    let entry = audit::entry("token.create", name, command.kind.as_str());
    open(storage)?.audited(&entry, |store| store.token_create(&new, clock::now()))?;
    println!("{text}");
    Ok(())
}

/// Whether this names a source, or an agent of one.
fn is_agent(name: &str) -> bool {
    let mut parts = name.split('/');
    parts.by_ref().take(2).all(|part| !part.is_empty()) && parts.next().is_none()
}

fn list(storage: &Storage) -> Done {
    let mut store = open(storage)?;
    for kind in KINDS {
        for token in store.tokens(kind)? {
            let what = match (&token.integration, token.role) {
                (Some(sender), _) => sender.to_string(),
                (None, Some(role)) => role.as_str().to_owned(),
                (None, None) => "-".to_owned(),
            };
            println!("{}\t{}\t{what}\t{}…\t{}", token.id, kind.as_str(), token.hint, token.name);
        }
    }
    Ok(())
}

fn revoke(storage: &Storage, command: &Revoke) -> Done {
    let (mut store, id, now) = (open(storage)?, command.id, clock::now());
    let entry = audit::entry("token.revoke", &id.to_string(), "");
    let revoked = store.audited(&entry, |store| {
        for kind in KINDS {
            if store.token_revoke(kind, id, now)? {
                return Ok(true);
            }
        }
        Ok(false)
    })?;
    if revoked {
        eprintln!("revoked token {id}");
        return Ok(());
    }
    Err(CliError::Told(format!("there is no live token {id}; `tocsin token list` shows them")))
}
