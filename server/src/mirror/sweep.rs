//! Compares every switch with what should be in it: at the start, every half minute, and each second what its tags say.
//!
//! What is tagged and past its end goes, whoever made it and whether or not the store answers. What is ours and unknown to
//! the engine goes too. What carries no tag is shown, and never touched.

use super::{Desk, Lease, Picked, desk::Held};
use crate::{clock, runtime::Runtime, seal::KeyFile};
use shared::{
    BackendId, MirrorId, Timestamp,
    mirror::{MirrorState, MirrorTag, Observed},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};
use tokio::time;

const TICK: Duration = Duration::from_secs(1);
const LOOK_EVERY_MS: i64 = 30_000;
const LEASE_EVERY_MS: i64 = 10_000;
/// The engine ends a mirror at its end; this is for when it does not.
const PATIENCE_MS: i64 = 2_000;
/// After a removal that failed.
const AGAIN_MS: i64 = 3_000;

/// Looks after everything that is in switches, for ever. The lease for a watchdog is written into `folder`.
pub async fn keep(desk: Arc<Desk>, runtime: Runtime, folder: PathBuf, keys: KeyFile) {
    let mut sweep =
        Sweep { desk, runtime, folder, keys, looked: BTreeMap::new(), retry: BTreeMap::new(), renewed_at: None };
    loop {
        sweep.tick().await;
        time::sleep(TICK).await;
    }
}

struct Sweep {
    desk: Arc<Desk>,
    runtime: Runtime,
    folder: PathBuf,
    keys: KeyFile,
    looked: BTreeMap<BackendId, Timestamp>,
    /// When a backend that did not let go of something is asked again.
    retry: BTreeMap<BackendId, Timestamp>,
    renewed_at: Option<Timestamp>,
}

impl Sweep {
    async fn tick(&mut self) {
        let config = self.runtime.config();
        let known = self.runtime.mirrors().await.ok();
        let live = known.iter().flatten().filter(|it| it.state.may_run());
        let used: BTreeSet<BackendId> = live.map(|it| it.plan.backend.clone()).collect();
        match &known {
            Some(_) => self.desk.hold(&config.document.mirrors.backends, &used),
            // What may run there is not known now: nothing is let go.
            None => {
                let all = self.desk.all().iter().map(|it| it.id().clone()).collect();
                self.desk.hold(&config.document.mirrors.backends, &all);
            }
        }
        let now = clock::now();
        let ours: Option<BTreeSet<MirrorId>> =
            known.map(|it| it.iter().filter(|it| it.state != MirrorState::Stopped).map(|it| it.id).collect());
        for held in self.desk.all() {
            let looked = self.looked.get(held.id()).copied();
            if looked.is_none_or(|at| now.ms_since(at) >= LOOK_EVERY_MS) {
                self.looked.insert(held.id().clone(), now);
                // What it says, or why it says nothing, is kept with it.
                drop(held.look(&[]).await);
            }
            self.clean(&held, ours.as_ref(), now).await;
        }
        self.renew(now);
    }

    async fn clean(&mut self, held: &Held, ours: Option<&BTreeSet<MirrorId>>, now: Timestamp) {
        if self.retry.get(held.id()).is_some_and(|at| now < *at) {
            return;
        }
        let instance = self.desk.instance().to_owned();
        let known = ours.cloned();
        let picked = move |tag: &MirrorTag| is_due(tag, now) || is_orphan(tag, &instance, known.as_ref());
        let standing = held.standing();
        let sessions = standing.switches.iter().flat_map(|view| &view.sessions);
        let due: Vec<&str> =
            sessions.filter(|it| it.tag.as_ref().is_some_and(&picked)).map(|it| it.name.as_str()).collect();
        if due.is_empty() {
            return;
        }
        tracing::warn!(
            backend = held.id().as_str(),
            mirrors = due.join(", "),
            "removes what nobody answers for any more"
        );
        match held.remove(None, Picked(&picked)).await {
            Ok(_) => drop(self.retry.remove(held.id())),
            Err(error) => {
                tracing::error!(backend = held.id().as_str(), %error, "a mirror that is over could not be removed; it is tried again");
                self.retry.insert(held.id().clone(), clock::now().plus_ms(AGAIN_MS));
            }
        }
    }

    fn renew(&mut self, now: Timestamp) {
        if self.renewed_at.is_some_and(|at| now.ms_since(at) < LEASE_EVERY_MS) {
            return;
        }
        let backends: Vec<_> = self.desk.all().iter().map(|it| it.config().clone()).collect();
        if backends.is_empty() && self.renewed_at.is_none() {
            return;
        }
        let lease = Lease { instance: self.desk.instance().to_owned(), renewed_at: now, backends };
        match lease.write(&self.folder, &self.keys) {
            Ok(()) => self.renewed_at = Some(now),
            Err(error) => tracing::error!(%error, "the watchdog's lease cannot be written; it will stop every mirror"),
        }
    }
}

/// It should have ended by itself.
pub(super) fn is_due(tag: &MirrorTag, now: Timestamp) -> bool {
    now.ms_since(tag.expires_at) >= PATIENCE_MS
}

/// It is ours, and the engine, which answers, does not know it.
fn is_orphan(tag: &MirrorTag, instance: &str, known: Option<&BTreeSet<MirrorId>>) -> bool {
    tag.instance == instance && known.is_some_and(|known| !known.contains(&tag.mirror))
}

/// Whose a session is, for those who look: none where it is a mirror of ours that is known.
#[must_use]
pub fn standing(session: &Observed, instance: &str, known: &BTreeSet<MirrorId>) -> Option<shared::api::Standing> {
    match &session.tag {
        Some(tag) if tag.instance == instance && known.contains(&tag.mirror) => None,
        Some(tag) if tag.instance == instance => Some(shared::api::Standing::Orphaned),
        _ => Some(shared::api::Standing::Foreign),
    }
}
