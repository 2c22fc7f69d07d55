//! What all handlers share.

use super::problem::ApiError;
use crate::{
    auth::{keyring::Keyring, throttle::Throttle},
    clock,
    db::{AuditEntry, Readers, Store, StoreError},
    devices::Devices,
    hosts::{Hosts, Intake, judge::Judge},
    ingest::{Lost, Pace, Requests},
    inventory::Inventory,
    live::Board,
    mirror::Desk,
    replay,
    runtime::Runtime,
};
use actix_web::web;
use ipnet::IpNet;
use shared::Timestamp;
use std::{
    fmt,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

/// This server, as it was started.
#[derive(Clone, Debug)]
pub struct Instance {
    pub version: &'static str,
    pub demo: bool,
    /// The address it listens on, for those on this machine.
    pub own_url: String,
    /// Proxies that are believed about the client's address.
    pub trusted_proxies: Vec<IpNet>,
}

/// Everything a handler may use; shared by all workers.
pub struct App {
    pub runtime: Runtime,
    pub board: Arc<Board>,
    pub readers: Arc<Readers>,
    /// What the sources of machines say.
    pub inventory: Arc<Inventory>,
    /// What is measured of hosts.
    pub hosts: Arc<Hosts>,
    /// How threshold rules stand with them.
    pub judge: Arc<Judge>,
    /// Where others push it.
    pub intake: Arc<Intake>,
    /// The backends of port mirrors.
    pub mirrors: Arc<Desk>,
    /// What web pushes go to.
    pub devices: Arc<Devices>,
    /// The folder where a watchdog of mirrors says that it lives.
    pub data: Option<PathBuf>,
    pub keyring: Arc<Keyring>,
    pub throttle: Mutex<Throttle>,
    /// The last requests of each sender.
    pub requests: Requests,
    /// What was refused of them for good.
    pub lost: Lost,
    /// What senders sent lately that may not send as much as they like.
    pub pace: Pace,
    /// The one replay at a time.
    pub replays: replay::Desk,
    pub instance: Instance,
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("instance", &self.instance).finish_non_exhaustive()
    }
}

impl App {
    /// Where browsers and phones reach this server, without a slash at the end.
    #[must_use]
    pub fn public_url(&self) -> String {
        self.runtime.links().base()
    }

    /// Whether people reach it by https: cookies are bound to the host then, and TLS is insisted on.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.public_url().starts_with("https://")
    }

    /// Asks the store, on a thread that may block.
    pub async fn db<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let readers = Arc::clone(&self.readers);
        blocking(move || readers.with(work)).await?.map_err(ApiError::from)
    }

    /// Changes something and records who did it, both or neither; a refusal by the rules is recorded too.
    pub async fn change<T: Send + 'static>(
        &self,
        mut entry: AuditEntry,
        work: impl FnOnce(&mut Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, ApiError> {
        self.db(move |store| {
            let done = store.audited(&entry, work);
            if let Err(StoreError::Refused(refused)) = &done {
                entry.outcome = refused.to_string();
                store.audit_append(&entry)?;
            }
            done
        })
        .await
    }

    /// The throttle of sign-ins.
    pub fn throttle<T>(&self, with: impl FnOnce(&mut Throttle) -> T) -> T {
        with(&mut self.throttle.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Something that takes a while, on a thread where that is no harm.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, ApiError> {
    web::block(work).await.map_err(|_| ApiError::unavailable())
}

/// An act for the record.
pub(crate) fn act(actor: &str, action: &str, object: impl Into<String>, detail: impl Into<String>) -> AuditEntry {
    AuditEntry {
        at: now(),
        actor: actor.to_owned(),
        action: action.to_owned(),
        object: object.into(),
        detail: detail.into(),
        outcome: "ok".to_owned(),
    }
}

pub(super) fn now() -> Timestamp {
    clock::now()
}
