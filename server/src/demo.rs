//! `--demo`: an organisation that lives by itself, so that a stranger sees within a minute what this is for.
//!
//! Nothing is simulated inside: synthetic senders post to the ordinary ingest addresses, pages go out through the
//! ordinary webhook channel to a receiver on the loopback that fails now and then, and demo people answer late.

mod beats;
mod crew;
mod dice;
mod fleet;
mod organisation;
mod senders;
mod sink;
mod trouble;

use crate::{
    auth::{password, token},
    clock,
    db::{Account, NewToken, Store, StoreError, TokenKind},
    entropy,
    http::App,
};
use actix_web::{rt, web};
use shared::{HeartbeatId, IntegrationId, PersonId, Timestamp, api::Role};
use std::path::Path;

/// The demo never touches the data of a real server.
pub const DATABASE: &str = "demo.db";
const LOGIN: &str = "demo";

/// What the demo needs to begin once the server answers.
pub struct Demo {
    tokens: Vec<(IntegrationId, String)>,
    beats: Vec<(HeartbeatId, String)>,
    sink: sink::Bound,
}

/// Puts the organisation into the store and prints how to sign in.
///
/// # Errors
/// In words, when the store refuses it, no port is free, or the folder cannot be written to.
pub fn prepare(store: &mut Store, data: &Path) -> Result<Demo, String> {
    let now = clock::now();
    let sink = sink::bind().map_err(|error| format!("the demo's receiver cannot listen: {error}"))?;
    let machines = organisation::machines(data)
        .map_err(|error| format!("the demo's machines cannot be written into {}: {error}", data.display()))?;
    let document = organisation::document(sink.port, &machines);
    let prepared = configure(store, &document, now).and_then(|()| senders(store, now)).and_then(|tokens| {
        let beats = beats(store, now)?;
        let password = account(store, now)?;
        Ok((tokens, beats, password))
    });
    let (tokens, beats, password) = prepared.map_err(|error| format!("the demo cannot be set up: {error}"))?;
    println!("Demo: sign in as `{LOGIN}` with the password `{password}`");
    Ok(Demo { tokens, beats, sink })
}

/// Starts the senders, the people and their receiver.
pub fn begin(app: &web::Data<App>, demo: Demo) {
    let dice = dice::Dice::new(u64::from_le_bytes(entropy::bytes::<8>()));
    drop(rt::spawn(demo.sink.run()));
    if let Some((to_senders, to_beats)) = senders::House::new(app).zip(senders::House::new(app)) {
        drop(rt::spawn(senders::run(app.clone(), to_senders, demo.tokens, dice.another())));
        drop(rt::spawn(beats::run(to_beats, demo.beats)));
    }
    drop(rt::spawn(crew::run(app.clone(), dice.another())));
    drop(rt::spawn(fleet::run(app.clone())));
}

fn configure(store: &mut Store, document: &str, now: Timestamp) -> Result<(), StoreError> {
    let current = store.config_current()?;
    if current.as_ref().is_some_and(|(_, text)| text == document) {
        return Ok(());
    }
    store.config_put(document, "demo", now, None).map(drop)
}

/// New tokens at each start: only their hashes are stored, so the old ones are of no use to anybody.
fn senders(store: &mut Store, now: Timestamp) -> Result<Vec<(IntegrationId, String)>, StoreError> {
    let mut tokens = Vec::new();
    for (id, name) in organisation::SENDERS {
        let sender = IntegrationId::from(*id);
        store.tokens_revoke_of(&sender, now)?;
        let text = entropy::token("tin_");
        let new = NewToken {
            kind: TokenKind::Integration,
            name,
            integration: Some(&sender),
            role: None,
            hash: &token::hash_hex(&text),
            hint: &token::hint(&text),
            created_by: "demo",
        };
        store.token_create(&new, now)?;
        tokens.push((sender, text));
    }
    Ok(tokens)
}

/// The same for what beats.
fn beats(store: &mut Store, now: Timestamp) -> Result<Vec<(HeartbeatId, String)>, StoreError> {
    let mut tokens = Vec::new();
    for (id, _) in beats::JOBS {
        store.tokens_revoke_named(TokenKind::Heartbeat, id, now)?;
        let text = entropy::token("thb_");
        let new = NewToken {
            kind: TokenKind::Heartbeat,
            name: id,
            integration: None,
            role: None,
            hash: &token::hash_hex(&text),
            hint: &token::hint(&text),
            created_by: "demo",
        };
        store.token_create(&new, now)?;
        tokens.push((HeartbeatId::from(*id), text));
    }
    Ok(tokens)
}

/// The demo's administrator, with a new password each time.
fn account(store: &mut Store, now: Timestamp) -> Result<String, StoreError> {
    let text = entropy::token("");
    let hash = password::hash(&text).map_err(|error| StoreError::Other { context: error.to_string(), source: None })?;
    if store.account(LOGIN)?.is_some() {
        store.password_set(LOGIN, &hash, None)?;
        return Ok(text);
    }
    let account = Account {
        login: LOGIN.to_owned(),
        name: "李伟 Li Wei".to_owned(),
        role: Role::Admin,
        person: Some(PersonId::from(organisation::VISITOR)),
        password_hash: Some(hash),
        disabled: false,
        created_at: now,
    };
    store.account_create(&account)?;
    Ok(text)
}
