//! `tocsin user`: accounts, for when nobody can sign in.

use super::{CliError, Done, audit, open};
use crate::{
    auth::password,
    clock,
    config::Storage,
    db::{Account, AccountPatch},
    entropy,
};
use clap::{Args, Subcommand};
use shared::{PersonId, api::Role};
use std::io::BufRead as _;

#[derive(Subcommand, Debug)]
pub(super) enum UserCommand {
    /// Make an account
    Add(Add),
    /// Set a new password; ends all sessions of the account
    Passwd(Passwd),
    /// List accounts
    List,
    /// Keep an account from signing in; ends all its sessions
    Disable(Named),
    /// Let a disabled account sign in again
    Enable(Named),
}

#[derive(Args, Debug)]
pub(super) struct Add {
    login: String,
    /// The name people see
    #[arg(long)]
    name: Option<String>,
    /// viewer, responder or admin
    #[arg(long, default_value = "responder")]
    role: Role,
    /// The person of the on-call configuration this is
    #[arg(long)]
    person: Option<String>,
    #[command(flatten)]
    password: PasswordSource,
}

#[derive(Args, Debug)]
pub(super) struct Passwd {
    login: String,
    #[command(flatten)]
    password: PasswordSource,
}

#[derive(Args, Debug)]
pub(super) struct Named {
    login: String,
}

#[derive(Args, Debug)]
struct PasswordSource {
    /// Read the password from the first line of stdin; without it one is made and printed
    #[arg(long)]
    password_stdin: bool,
}

impl PasswordSource {
    /// The password, and whether it must be shown because nobody knows it yet.
    fn get(&self, login: &str) -> Result<(String, bool), CliError> {
        if !self.password_stdin {
            return Ok((entropy::token(""), true));
        }
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line)?;
        let text = line.trim_end_matches(['\r', '\n']).to_owned();
        password::check(login, &text).map_err(|error| CliError::Told(format!("{error}; take another one")))?;
        Ok((text, false))
    }
}

pub(super) fn run(storage: &Storage, command: UserCommand) -> Done {
    match command {
        UserCommand::Add(command) => add(storage, command),
        UserCommand::Passwd(command) => passwd(storage, &command),
        UserCommand::List => list(storage),
        UserCommand::Disable(command) => switch(storage, &command.login, true),
        UserCommand::Enable(command) => switch(storage, &command.login, false),
    }
}

fn hashed(password: &str) -> Result<String, CliError> {
    password::hash(password).map_err(|error| CliError::Told(error.to_string()))
}

fn add(storage: &Storage, command: Add) -> Done {
    let login = command.login.trim().to_owned();
    if login.is_empty() || login.contains(char::is_whitespace) {
        return Err(CliError::Told("a login has no blanks and is not empty".to_owned()));
    }
    let (text, show) = command.password.get(&login)?;
    let account = Account {
        name: command.name.unwrap_or_else(|| login.clone()),
        role: command.role,
        person: command.person.map(PersonId::from),
        password_hash: Some(hashed(&text)?),
        disabled: false,
        created_at: clock::now(),
        login,
    };
    let entry = audit::entry("account.create", &account.login, format!("as {}", account.role.as_str()));
    open(storage)?.audited(&entry, |store| store.account_create(&account))?;
    eprintln!("made the account {} ({})", account.login, account.role.as_str());
    if show {
        println!("{text}");
    }
    Ok(())
}

fn passwd(storage: &Storage, command: &Passwd) -> Done {
    let (text, show) = command.password.get(&command.login)?;
    let hash = hashed(&text)?;
    let entry = audit::entry("password.reset", &command.login, "ended all sessions");
    open(storage)?.audited(&entry, |store| store.password_set(&command.login, &hash, None))?;
    eprintln!("set the password of {}; its sessions have ended", command.login);
    if show {
        println!("{text}");
    }
    Ok(())
}

fn list(storage: &Storage) -> Done {
    for account in open(storage)?.accounts()? {
        let person = account.person.map_or_else(|| "-".to_owned(), |person| person.to_string());
        let state = if account.disabled { "disabled" } else { "active" };
        println!("{}\t{}\t{state}\t{person}\t{}", account.login, account.role.as_str(), account.name);
    }
    Ok(())
}

fn switch(storage: &Storage, login: &str, disabled: bool) -> Done {
    let word = if disabled { "disabled" } else { "enabled" };
    let patch = AccountPatch { disabled: Some(disabled), ..AccountPatch::default() };
    let entry = audit::entry("account.change", login, word);
    open(storage)?.audited(&entry, |store| store.account_change(login, &patch))?;
    eprintln!("{word} {login}");
    Ok(())
}
