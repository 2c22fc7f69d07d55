//! The tokens of senders and programs in memory, by hash: a request does not wait for the store to be let in.

use super::token;
use crate::{
    clock::Stopwatch,
    db::{Readers, StoreError, TokenKind},
};
use shared::{HeartbeatId, IntegrationId, Timestamp, api::Role};
use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};
use tokio::sync::Mutex;

/// A program's token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    pub id: i64,
    pub name: String,
    pub role: Role,
}

/// A sender's token, and when it ends.
type Ending = (IntegrationId, Option<Timestamp>);

/// Why a token opens nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    Unknown,
    /// Another one took its place.
    Expired,
}

#[derive(Default)]
struct Keys {
    senders: HashMap<String, Ending>,
    programs: HashMap<String, ApiKey>,
    heartbeats: HashMap<String, HeartbeatId>,
    /// Whom an agent's token is for, by its name: `SOURCE` or `SOURCE/AGENT`.
    agents: HashMap<String, String>,
}

/// Every token that is not revoked. A new one works at once, a revoked one stops within a second, one that ends at its time.
pub struct Keyring {
    keys: RwLock<Keys>,
    /// Since the last look into the store because of an unknown token; held while one is under way.
    looked: Mutex<Option<Stopwatch>>,
}

/// Between two looks because of unknown tokens.
const LOOK_EVERY_MS: i64 = 250;
/// Between two looks in any case.
pub const REFRESH_EVERY_MS: u64 = 1_000;

impl Keyring {
    /// Reads the tokens.
    ///
    /// # Errors
    /// When the store does not answer.
    pub fn open(readers: &Readers) -> Result<Self, StoreError> {
        let keyring = Self { keys: RwLock::default(), looked: Mutex::default() };
        keyring.read(readers)?;
        Ok(keyring)
    }

    /// Reads the tokens again; blocks.
    ///
    /// # Errors
    /// When the store does not answer; the tokens read before stay in force.
    pub fn read(&self, readers: &Readers) -> Result<(), StoreError> {
        let found = readers.with(|store| store.live_tokens())?;
        let mut keys = Keys::default();
        for (hash, token) in found {
            match (token.kind, token.integration, token.role) {
                (TokenKind::Integration, Some(sender), _) => {
                    drop(keys.senders.insert(hash, (sender, token.expires_at)))
                }
                (TokenKind::Api, _, Some(role)) => {
                    drop(keys.programs.insert(hash, ApiKey { id: token.id, name: token.name, role }))
                }
                (TokenKind::Agent, ..) => drop(keys.agents.insert(hash, token.name)),
                (TokenKind::Heartbeat, ..) => drop(keys.heartbeats.insert(hash, HeartbeatId::from(token.name))),
                _ => {}
            }
        }
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
        Ok(())
    }

    /// Reads the tokens again, on a thread that may block; the old ones stay in force when that fails.
    pub async fn reload(self: &Arc<Self>, readers: &Arc<Readers>) {
        let (keyring, readers) = (self.clone(), readers.clone());
        match actix_web::web::block(move || keyring.read(&readers)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the tokens could not be read; those known stay in force"),
            Err(error) => tracing::warn!(%error, "the tokens could not be read; those known stay in force"),
        }
    }

    /// The program a token belongs to.
    #[must_use]
    pub fn api(&self, text: &str) -> Option<ApiKey> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).programs.get(&token::hash_hex(text)).cloned()
    }

    /// The heartbeat a token belongs to, looking into the store for one that is not known yet.
    pub async fn find_heartbeat(self: &Arc<Self>, text: &str, readers: &Arc<Readers>) -> Option<HeartbeatId> {
        let hash = token::hash_hex(text);
        let known = || self.keys.read().unwrap_or_else(PoisonError::into_inner).heartbeats.get(&hash).cloned();
        if let Some(found) = known() {
            return Some(found);
        }
        self.look(readers).await;
        known()
    }

    /// The name of an agent's token (`SOURCE` or `SOURCE/AGENT`), looking into the store for one that is not known yet.
    pub async fn find_agent(self: &Arc<Self>, text: &str, readers: &Arc<Readers>) -> Option<String> {
        let hash = token::hash_hex(text);
        let known = || self.keys.read().unwrap_or_else(PoisonError::into_inner).agents.get(&hash).cloned();
        if let Some(found) = known() {
            return Some(found);
        }
        self.look(readers).await;
        known()
    }

    /// The sender a token belongs to, looking into the store for one that is not known yet.
    ///
    /// # Errors
    /// When there is none, or it has ended.
    pub async fn find_integration(
        self: &Arc<Self>,
        text: &str,
        readers: &Arc<Readers>,
        now: Timestamp,
    ) -> Result<IntegrationId, Unfit> {
        let hash = token::hash_hex(text);
        let known = || self.keys.read().unwrap_or_else(PoisonError::into_inner).senders.get(&hash).cloned();
        let mut found = known();
        if found.is_none() {
            self.look(readers).await;
            found = known();
        }
        let (sender, ends) = found.ok_or(Unfit::Unknown)?;
        if ends.is_some_and(|ends| ends <= now) { Err(Unfit::Expired) } else { Ok(sender) }
    }

    /// The same as [`Self::api`], looking into the store for a token that is not known yet.
    pub async fn find_api(self: &Arc<Self>, text: &str, readers: &Arc<Readers>) -> Option<ApiKey> {
        if let Some(found) = self.api(text) {
            return Some(found);
        }
        self.look(readers).await;
        self.api(text)
    }

    /// Reads the tokens, not more often than is allowed: guessing must not keep the store busy. All who came meanwhile
    /// wait for the same look, so that a token that is new is never taken for unknown.
    async fn look(self: &Arc<Self>, readers: &Arc<Readers>) {
        let asked = Stopwatch::start();
        let mut last = self.looked.lock().await;
        if last.is_some_and(|last| last.elapsed_ms() < asked.elapsed_ms()) {
            return;
        }
        let rest = last.map_or(0, |last| LOOK_EVERY_MS - last.elapsed_ms());
        actix_web::rt::time::sleep(Duration::from_millis(u64::try_from(rest).unwrap_or(0))).await;
        *last = Some(Stopwatch::start());
        self.reload(readers).await;
    }
}
