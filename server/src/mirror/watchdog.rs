//! `tocsin mirror-watchdog`: beside the server, and in need of nothing but the switches, it stops what nobody answers for.
//!
//! It reads the server's lease: where the switches are, and when the server was last alive. What is tagged and past its end
//! it removes; when the lease is not renewed, everything of that server's. It decides nothing else.

use super::{
    Picked,
    desk::Held,
    lease::{self, Lease},
    sweep::is_due,
};
use crate::{
    clock::{self, Stopwatch},
    seal::KeyFile,
};
use shared::{
    BackendId, Timestamp,
    mirror::{BackendKind, MirrorTag},
};
use std::{collections::BTreeMap, path::PathBuf, time::Duration};
use tokio::time;

const TICK: Duration = Duration::from_secs(1);
/// A switch is looked at this often; its ends are known between. What began just before the server went is to be seen in time.
const LOOK_EVERY_MS: i64 = 2_000;
/// A vCenter, for which a look is work. A mirror that lasts less long may outlive its end there by the difference.
const LOOK_AT_VSPHERE_EVERY_MS: i64 = 15_000;

/// How a watchdog watches.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The lease of the server.
    pub lease: PathBuf,
    /// What its credentials are sealed with.
    pub keys: KeyFile,
    /// A lease that is older than this is not renewed any more.
    pub patience: Duration,
    /// Looks once, removes what is due, and ends.
    pub once: bool,
    /// Removes everything of that server's at once, and ends.
    pub stop_all: bool,
}

/// Why a watchdog cannot watch.
#[derive(Debug, thiserror::Error)]
pub enum WatchdogError {
    #[error("{0}; the server writes it into its data folder once a backend of mirrors is configured")]
    Lease(std::io::Error),
    #[error("{0}")]
    Left(String),
}

/// Watches, until it is ended.
///
/// # Errors
/// When it is to look once, and the lease cannot be read or something could not be removed.
pub async fn watch(settings: &Settings) -> Result<(), WatchdogError> {
    let mut watchdog =
        Watchdog { held: BTreeMap::new(), lease: None, unchanged: Stopwatch::start(), complained: false };
    loop {
        let read = Lease::read(&settings.lease, &settings.keys);
        let left = watchdog.tick(settings, read.as_ref().ok()).await;
        match (read, settings.once || settings.stop_all) {
            (Err(error), true) => return Err(WatchdogError::Lease(error)),
            (Ok(_), true) if left.is_empty() => return Ok(()),
            (Ok(_), true) => return Err(WatchdogError::Left(left.join("; "))),
            (Err(error), false) if !watchdog.complained => {
                watchdog.complained = true;
                tracing::error!(%error, "the lease cannot be read; what was in it counts on");
            }
            (Ok(_), false) => watchdog.complained = false,
            _ => {}
        }
        if let Err(error) = lease::say_alive(&settings.lease, clock::now()) {
            tracing::warn!(%error, "the server cannot be told that its watchdog lives");
        }
        time::sleep(TICK).await;
    }
}

struct Watchdog {
    held: BTreeMap<BackendId, (Held, Option<Timestamp>)>,
    lease: Option<Lease>,
    /// Since the lease last said something new. Not by the wall clock, which may be set.
    unchanged: Stopwatch,
    complained: bool,
}

impl Watchdog {
    /// Looks and removes once; gives what could not be removed.
    async fn tick(&mut self, settings: &Settings, read: Option<&Lease>) -> Vec<String> {
        if let Some(read) = read
            && self.lease.as_ref() != Some(read)
        {
            // The first one may be old already.
            let first = self.lease.is_none();
            self.held.retain(|id, (held, _)| read.backends.iter().any(|it| it.id == *id && it == held.config()));
            for backend in &read.backends {
                match Held::of(backend) {
                    Ok(held) => drop(self.held.entry(backend.id.clone()).or_insert((held, None))),
                    Err(error) => {
                        tracing::error!(backend = backend.id.as_str(), %error, "a backend cannot be used");
                    }
                }
            }
            let stale = clock::now().ms_since(read.renewed_at) > settings.patience.as_millis() as i64;
            if !(first && stale) {
                self.unchanged = Stopwatch::start();
            }
            self.lease = Some(read.clone());
        }
        let Some(lease) = self.lease.clone() else { return Vec::new() };
        let old = self.unchanged.elapsed_ms() > settings.patience.as_millis() as i64
            || clock::now().ms_since(lease.renewed_at) > settings.patience.as_millis() as i64;
        let all = old || settings.stop_all;
        let picked = move |tag: &MirrorTag| is_due(tag, clock::now()) || (all && tag.instance == lease.instance);
        let mut left = Vec::new();
        for (id, (held, looked)) in &mut self.held {
            if looked.is_none_or(|at| clock::now().ms_since(at) >= look_every_ms(held.config().kind)) {
                *looked = Some(clock::now());
                if let Err(error) = held.look(&[]).await {
                    left.push(error.message);
                    continue;
                }
            }
            let standing = held.standing();
            let sessions = standing.switches.iter().flat_map(|view| &view.sessions);
            let due = sessions.filter(|it| it.tag.as_ref().is_some_and(&picked)).count();
            if due == 0 && !settings.stop_all {
                continue;
            }
            match held.remove(None, Picked(&picked)).await {
                Ok(removed) => {
                    for it in removed {
                        tracing::warn!(
                            backend = id.as_str(),
                            mirror = it.name,
                            server_is_silent = old,
                            "removed a mirror"
                        );
                        println!("removed {} on {id}", it.name);
                    }
                }
                Err(error) => {
                    tracing::error!(backend = id.as_str(), %error, "a mirror could not be removed; it is tried again");
                    left.push(error.message);
                }
            }
        }
        left
    }
}

const fn look_every_ms(kind: BackendKind) -> i64 {
    match kind {
        BackendKind::Vsphere => LOOK_AT_VSPHERE_EVERY_MS,
        BackendKind::Openvswitch | BackendKind::DryRun => LOOK_EVERY_MS,
    }
}
