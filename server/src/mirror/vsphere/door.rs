//! The session at a vCenter: begun when it is needed, begun again when it has ended, and given back at the end.

use crate::{
    clock::Stopwatch,
    inventory::{
        Fault,
        https::Https,
        vsphere::soap::{Content, Object, Soap, Trouble},
        vsphere::view,
    },
};
use std::{collections::BTreeMap, future::Future, sync::Arc};
use tokio::sync::Mutex;

/// What a view of it has; all that is ever looked through.
const TYPES: [&str; 3] = ["DistributedVirtualPortgroup", "DistributedVirtualSwitch", "HostSystem"];
/// Names of VMs are asked for again after this: they change seldom, and there are many.
const NAMES_MS: i64 = 300_000;

/// Who asks.
pub(super) struct Account {
    pub(super) username: String,
    pub(super) password: String,
}

/// A vCenter, of which one session is kept.
pub(super) struct Door {
    https: Https,
    account: Account,
    within: Mutex<Option<Arc<Within>>>,
}

/// A session.
pub(super) struct Within {
    pub(super) soap: Soap,
    pub(super) content: Content,
    /// Of everything in [`TYPES`].
    pub(super) view: Object,
    names: Mutex<Names>,
}

/// Names of VMs by their ids, and how old the oldest is.
struct Names {
    known: BTreeMap<String, String>,
    since: Stopwatch,
}

impl Door {
    /// Connects to nobody yet.
    pub(super) fn new(https: Https, account: Account) -> Self {
        Self { https, account, within: Mutex::new(None) }
    }

    /// As faults name it: scheme, host and port.
    pub(super) fn shown(&self) -> &str {
        self.https.shown()
    }

    /// Does something in the session, and once more in a new one where it has ended. What is done must say
    /// [`Trouble::Lost`] only as long as nothing came of it.
    pub(super) async fn with<T, F>(&self, work: impl Fn(Arc<Within>) -> F + Send) -> Result<T, Fault>
    where
        F: Future<Output = Result<T, Trouble>> + Send,
    {
        let within = self.enter().await?;
        match Box::pin(work(Arc::clone(&within))).await {
            Err(Trouble::Lost(_)) => {
                self.forget(&within).await;
                Ok(Box::pin(work(self.enter().await?)).await?)
            }
            done => Ok(done?),
        }
    }

    async fn enter(&self) -> Result<Arc<Within>, Fault> {
        let mut within = self.within.lock().await;
        if let Some(within) = &*within {
            return Ok(Arc::clone(within));
        }
        let mut soap = Soap::new(self.https.clone());
        let content = soap.meet().await?;
        soap.login(&content, &self.account.username, &self.account.password).await?;
        let view = view::make(&soap, &content, &TYPES).await?;
        let names = Mutex::new(Names { known: BTreeMap::new(), since: Stopwatch::start() });
        let entered = Arc::new(Within { soap, content, view, names });
        *within = Some(Arc::clone(&entered));
        Ok(entered)
    }

    /// The next to enter begins a new one, unless somebody else did meanwhile.
    async fn forget(&self, lost: &Arc<Within>) {
        let mut within = self.within.lock().await;
        if within.as_ref().is_some_and(|within| Arc::ptr_eq(within, lost)) {
            *within = None;
        }
    }
}

impl Within {
    /// The names of these VMs, as far as there are any; asked for when they are new, or old.
    pub(super) async fn names(&self, ids: impl Iterator<Item = &str>) -> Result<BTreeMap<String, String>, Trouble> {
        /// Asked for in one call.
        const AT_ONCE: usize = 500;
        let mut names = self.names.lock().await;
        if names.since.elapsed_ms() > NAMES_MS {
            *names = Names { known: BTreeMap::new(), since: Stopwatch::start() };
        }
        let unknown: Vec<&str> = ids.filter(|id| !names.known.contains_key(*id)).collect();
        for ids in unknown.chunks(AT_ONCE) {
            let wanted = view::of_each("VirtualMachine", ids.iter().copied(), &["name"]);
            view::each(&self.soap, &self.content, &wanted, ids.len(), |object| {
                if let (Some(id), Some(name)) = (object.text_at("obj"), view::value(object, "name")) {
                    names.known.insert(id.to_owned(), crate::inventory::vsphere::machine::unescaped(&name.text));
                }
            })
            .await?;
        }
        Ok(names.known.clone())
    }
}

impl Drop for Within {
    /// Sessions are few at a vCenter; where there is a runtime left, ours is given back.
    fn drop(&mut self) {
        if let (true, Ok(runtime)) = (self.soap.is_in(), tokio::runtime::Handle::try_current()) {
            let mut soap = self.soap.clone();
            runtime.spawn(async move { soap.logout().await });
        }
    }
}
