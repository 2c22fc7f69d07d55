//! The backends of the configuration, each with its driver and what it said last, and the orders that are carried out.

use super::{
    Driver as _, Kind, Order, Orders, Outcome, Picked, Quiet, Removed,
    draft::{self, Asked},
};
use crate::{
    clock, failpoint,
    inventory::{Fault, FaultKind, Inventory},
    runtime::Runtime,
};
use engine::mirror::MirrorCommand;
use shared::{
    BackendId, MirrorId, Timestamp,
    config::Backend,
    mirror::{
        Looked, Mirror, MirrorReport, MirrorSource, MirrorSpec, MirrorState, MirrorTag, Plan, SourcePort, SwitchView,
    },
    net::Mac,
    timeline::Actor,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};
use tokio::time::timeout;

/// Whatever is done with a switch is over by then, one way or the other; shorter than the engine's lease.
const WITHIN: Duration = Duration::from_secs(45);
/// What is only looked at; whoever types does not wait longer for a switch.
pub(super) const LOOK_WITHIN: Duration = Duration::from_secs(5);

/// All backends, and what is to be done on them.
#[derive(Debug)]
pub struct Desk {
    /// Which Tocsin this is: it stands in every tag.
    instance: String,
    orders: Arc<Orders>,
    held: RwLock<BTreeMap<BackendId, Arc<Held>>>,
    /// The ports of mirrors whose sources were found anew since they were planned.
    armed: Mutex<BTreeMap<MirrorId, Vec<(Mac, String)>>>,
}

/// A backend, its driver, and what it said last.
pub struct Held {
    config: Backend,
    driver: Kind,
    standing: Mutex<Standing>,
    /// What changes a switch goes one after the other.
    turn: tokio::sync::Mutex<()>,
}

/// How a backend stood when it was looked at last.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    pub seen_at: Option<Timestamp>,
    pub tried_at: Option<Timestamp>,
    pub error: Option<String>,
    pub switches: Vec<SwitchView>,
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held").field("id", &self.config.id).finish_non_exhaustive()
    }
}

impl Held {
    /// # Errors
    /// When the backend is not described so that it can work.
    pub fn of(backend: &Backend) -> Result<Self, Fault> {
        let driver = Kind::of(backend)?;
        Ok(Self { config: backend.clone(), driver, standing: Mutex::default(), turn: tokio::sync::Mutex::default() })
    }

    #[must_use]
    pub const fn id(&self) -> &BackendId {
        &self.config.id
    }

    /// As the configuration describes it.
    #[must_use]
    pub const fn config(&self) -> &Backend {
        &self.config
    }

    #[must_use]
    pub fn title(&self) -> &str {
        self.config.title()
    }

    /// How it stood last.
    #[must_use]
    pub fn standing(&self) -> Standing {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Looks at it, and keeps what it says.
    ///
    /// # Errors
    /// Those of the driver.
    pub async fn look(&self, remotes: &[IpAddr]) -> Result<Vec<SwitchView>, Fault> {
        let looked = self.driver.look(remotes).await;
        let mut standing = self.standing.lock().unwrap_or_else(PoisonError::into_inner);
        standing.tried_at = Some(clock::now());
        match &looked {
            Ok(switches) => {
                standing.seen_at = standing.tried_at;
                standing.error = None;
                standing.switches.clone_from(switches);
            }
            Err(fault) => standing.error = Some(fault.message.clone()),
        }
        looked
    }

    /// What it says of the task that is under way for us.
    #[must_use]
    pub fn progress(&self) -> Option<String> {
        self.driver.progress()
    }

    /// What would be sent.
    ///
    /// # Errors
    /// What the order lacks, or the switch cannot do.
    pub fn plan(&self, order: &Order<'_>, view: &SwitchView) -> Result<Plan, String> {
        self.driver.plan(order, view)
    }

    /// Removes what is tagged and picked, and forgets it from what was seen.
    ///
    /// # Errors
    /// Those of the driver.
    pub async fn remove(&self, switch: Option<&str>, picked: Picked<'_>) -> Result<Vec<Removed>, Fault> {
        let _turn = self.turn.lock().await;
        let removed = within(self.title(), self.driver.remove(switch, picked)).await?;
        let mut standing = self.standing.lock().unwrap_or_else(PoisonError::into_inner);
        for view in &mut standing.switches {
            view.sessions.retain(|session| !removed.iter().any(|it| it.name == session.name));
        }
        Ok(removed)
    }
}

async fn within<T>(who: &str, work: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    match timeout(WITHIN, work).await {
        Ok(done) => done,
        Err(_) => {
            Err(Fault::new(FaultKind::Unreachable, format!("{who} did not answer within {} s", WITHIN.as_secs())))
        }
    }
}

impl Desk {
    /// A desk of the Tocsin with this name.
    #[must_use]
    pub fn new(instance: String, orders: Arc<Orders>) -> Self {
        Self { instance, orders, held: RwLock::default(), armed: Mutex::default() }
    }

    #[must_use]
    pub fn instance(&self) -> &str {
        &self.instance
    }

    /// The backends that are held, in the order of their ids.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Held>> {
        self.held.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    #[must_use]
    pub fn held(&self, id: &BackendId) -> Option<Arc<Held>> {
        self.held.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    /// Holds the backends that are configured, and goes on holding those on which something may run. What does not work
    /// as it is described was refused with the configuration, and is said again here.
    pub(super) fn hold(&self, configured: &[Backend], used: &BTreeSet<BackendId>) {
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        held.retain(|id, _| used.contains(id) || configured.iter().any(|it| it.id == *id));
        for backend in configured {
            if held.get(&backend.id).is_some_and(|it| it.config == *backend) {
                continue;
            }
            match Held::of(backend) {
                Ok(made) => drop(held.insert(backend.id.clone(), Arc::new(made))),
                Err(error) => {
                    tracing::error!(backend = backend.id.as_str(), %error, "a backend of mirrors cannot be used")
                }
            }
        }
    }

    /// The backend that was named, or whose switch the first source is plugged into.
    pub(super) fn held_for(&self, spec: &MirrorSpec, sources: &[(Mac, Vec<SourcePort>)]) -> Option<Arc<Held>> {
        if let Some(named) = &spec.backend {
            return self.held(named);
        }
        let all = self.all();
        let switch = sources.iter().flat_map(|(_, found)| found).find_map(|it| it.switch.as_deref());
        let has = |held: &&Arc<Held>| {
            let by_mac =
                |view: &SwitchView| sources.iter().any(|(mac, _)| view.ports.iter().any(|port| port.mac == Some(*mac)));
            held.standing().switches.iter().any(|view| Some(view.switch.as_str()) == switch || by_mac(view))
        };
        all.iter().find(has).or(all.first().filter(|_| all.len() == 1)).cloned()
    }

    /// A mirror with what its switch says of the task that is under way, while one may be.
    #[must_use]
    pub fn with_progress(&self, mirror: &Mirror) -> Mirror {
        let under_way = matches!(mirror.state, MirrorState::Applying | MirrorState::Stopping);
        let held = self.held(&mirror.plan.backend).filter(|_| under_way);
        Mirror { progress: held.and_then(|held| held.progress()), ..mirror.clone() }
    }

    /// The tag of a mirror of ours.
    #[must_use]
    pub fn tag(&self, mirror: MirrorId, owner: &Actor, expires_at: Timestamp, hash: &str) -> MirrorTag {
        draft::tag(&self.instance, mirror, owner, expires_at, hash)
    }

    fn tag_of(&self, mirror: &Mirror) -> MirrorTag {
        self.tag(mirror.id, &mirror.by, mirror.expires_at, &mirror.plan.hash)
    }

    fn armed(&self, mirror: &Mirror) -> Vec<(Mac, String)> {
        let armed = self.armed.lock().unwrap_or_else(PoisonError::into_inner);
        armed.get(&mirror.id).unwrap_or(&mirror.plan.sources).clone()
    }
}

/// Carries out what the engine wants, for ever.
pub async fn carry_out(desk: Arc<Desk>, runtime: Runtime, inventory: Arc<Inventory>) {
    loop {
        for (command, mirror) in desk.orders.taken().await {
            let (desk, runtime, inventory) = (Arc::clone(&desk), runtime.clone(), Arc::clone(&inventory));
            drop(actix_web::rt::spawn(async move {
                if let Some(report) = done(&desk, &runtime, &inventory, command, &mirror).await {
                    runtime.mirror_reported(mirror.id, report);
                }
            }));
        }
    }
}

/// What came of it; none where there is nothing to say.
async fn done(
    desk: &Desk,
    runtime: &Runtime,
    inventory: &Inventory,
    command: MirrorCommand,
    mirror: &Mirror,
) -> Option<MirrorReport> {
    let Some(held) = desk.held(&mirror.plan.backend) else {
        let message = format!(
            "the backend `{}` is not in the configuration any more; put it back so that the mirror can be ended",
            mirror.plan.backend
        );
        return match command {
            MirrorCommand::Apply { .. } => Some(MirrorReport::Unknown { message }),
            MirrorCommand::Remove { .. } => Some(MirrorReport::NotStopped { message }),
            _ => None,
        };
    };
    let (tag, ports) = (desk.tag_of(mirror), desk.armed(mirror));
    let order = Order { spec: &mirror.spec, sources: &ports, tag: &tag };
    match command {
        MirrorCommand::Apply { .. } => Some(apply(desk, runtime, inventory, &held, mirror).await),
        MirrorCommand::Rearm { .. } => rearm(desk, runtime, inventory, &held, mirror).await,
        MirrorCommand::Look { .. } => {
            // Not between the two halves of something that is being done.
            let _turn = held.turn.lock().await;
            within(held.title(), held.driver.read(&order)).await.map(MirrorReport::Looked).ok()
        }
        MirrorCommand::Retag { .. } => {
            let _turn = held.turn.lock().await;
            Some(match within(held.title(), held.driver.retag(&order)).await {
                Ok(()) => {
                    // So that nobody takes the old end for the one it has.
                    drop(timeout(LOOK_WITHIN, held.look(&[])).await);
                    MirrorReport::Extended
                }
                Err(fault) => MirrorReport::NotExtended { message: fault.message },
            })
        }
        MirrorCommand::Remove { .. } => {
            let own = |it: &MirrorTag| it.mirror == mirror.id && it.instance == tag.instance;
            failpoint::hit("mirror.before_remove");
            let removed = held.remove(None, Picked(&own)).await;
            failpoint::hit("mirror.removed");
            Some(match removed {
                Ok(removed) => {
                    desk.armed.lock().unwrap_or_else(PoisonError::into_inner).remove(&mirror.id);
                    MirrorReport::Stopped { counters: removed.into_iter().find_map(|it| it.counters) }
                }
                Err(fault) => MirrorReport::NotStopped { message: fault.message },
            })
        }
        MirrorCommand::Prove { .. } => {
            let quiet = within(held.title(), held.driver.quiet(&order)).await.ok()?;
            let flat = match quiet {
                Quiet::Flat => Some(true),
                Quiet::Counted => Some(false),
                Quiet::Untold => None,
            };
            Some(MirrorReport::Quiet { flat })
        }
    }
}

/// Checks once more, plans once more for the switch as it is now, and sends only what was agreed to.
async fn apply(desk: &Desk, runtime: &Runtime, inventory: &Inventory, held: &Held, mirror: &Mirror) -> MirrorReport {
    let asked = Asked { desk, inventory, runtime, by: &mirror.by, store_drift_ms: 0 };
    let drafted = draft::world(asked, mirror.spec.clone(), Some(mirror.id)).await;
    let refused = |message: String| MirrorReport::Refused { message };
    if let Some(error) = drafted.error {
        // It may have been sent by a process that ended before it could say so.
        return MirrorReport::Unknown { message: error };
    }
    let Some(plan) = &drafted.plan else {
        let rules: Vec<String> = drafted
            .findings
            .iter()
            .filter(|it| it.weight == shared::mirror::Weight::Blocks)
            .map(|it| shared::text::mirror::finding(shared::text::Language::En, it))
            .collect();
        return unsent(desk, held, mirror, format!("it is not allowed any more: {}", rules.join("; "))).await;
    };
    if plan.hash != mirror.plan.hash {
        let why = "the switch has changed since the plan was agreed to; ask again to see the new plan".to_owned();
        return unsent(desk, held, mirror, why).await;
    }
    let (tag, ports) = (desk.tag_of(mirror), draft::ports(&drafted.world.sources));
    let order = Order { spec: &mirror.spec, sources: &ports, tag: &tag };
    let turn = held.turn.lock().await;
    // Others had their turn before: what was ended meanwhile would be removed already, and left there now.
    if !is_wanted(runtime, mirror).await {
        drop(turn);
        return unsent(desk, held, mirror, "it was ended before it was sent".to_owned()).await;
    }
    failpoint::hit("mirror.before_send");
    let sent = timeout(WITHIN, held.driver.apply(&order, plan)).await;
    failpoint::hit("mirror.sent");
    drop(turn);
    // So that the sweep knows its end, even if the engine cannot say it any more.
    drop(timeout(LOOK_WITHIN, held.look(&[])).await);
    match sent {
        Ok(Outcome::Applied(counters)) => MirrorReport::Applied { counters },
        Ok(Outcome::Refused(message)) => refused(message),
        Ok(Outcome::Unknown(message)) => MirrorReport::Unknown { message },
        Err(_) => {
            MirrorReport::Unknown { message: format!("{} did not answer within {} s", held.title(), WITHIN.as_secs()) }
        }
    }
}

/// Whether the engine still waits for it to be sent, and it has any time left.
async fn is_wanted(runtime: &Runtime, mirror: &Mirror) -> bool {
    let waits = |it: &Arc<Mirror>| it.id == mirror.id && it.state == MirrorState::Applying;
    let known = runtime.mirrors().await;
    known.is_ok_and(|all| all.iter().any(waits)) && clock::now() < mirror.expires_at
}

/// It is not sent. Should an earlier try have come through, it is not left there.
async fn unsent(desk: &Desk, held: &Held, mirror: &Mirror, why: String) -> MirrorReport {
    let own = |it: &MirrorTag| it.mirror == mirror.id && it.instance == desk.instance;
    match held.remove(None, Picked(&own)).await {
        Ok(_) => MirrorReport::Refused { message: why },
        Err(fault) => MirrorReport::Unknown { message: format!("{why}; and {}", fault.message) },
    }
}

/// Finds the sources anew, and sends the plan for the ports they have now. The specification and its approval stay.
async fn rearm(
    desk: &Desk,
    runtime: &Runtime,
    inventory: &Inventory,
    held: &Held,
    mirror: &Mirror,
) -> Option<MirrorReport> {
    if !matches!(mirror.spec.source, MirrorSource::Nics { .. }) {
        return None;
    }
    let asked = Asked { desk, inventory, runtime, by: &mirror.by, store_drift_ms: 0 };
    // With the end it has by now: what was extended would be past the one that was asked for.
    let spec = MirrorSpec { expires_at: Some(mirror.expires_at), ..mirror.spec.clone() };
    let drafted = draft::world(asked, spec, Some(mirror.id)).await;
    let plan = drafted.plan.filter(|plan| plan.switch == mirror.plan.switch)?;
    let (tag, ports) = (desk.tag_of(mirror), draft::ports(&drafted.world.sources));
    let order = Order { spec: &mirror.spec, sources: &ports, tag: &tag };
    let own = |it: &MirrorTag| it.mirror == mirror.id && it.instance == tag.instance;
    held.remove(None, Picked(&own)).await.ok()?;
    let _turn = held.turn.lock().await;
    match timeout(WITHIN, held.driver.apply(&order, &plan)).await {
        Ok(Outcome::Applied(counters)) => {
            desk.armed.lock().unwrap_or_else(PoisonError::into_inner).insert(mirror.id, ports.clone());
            Some(MirrorReport::Looked(Looked { presence: shared::mirror::Presence::AsPlanned, counters }))
        }
        // The next look finds it absent, or changed, and it is ended.
        Ok(Outcome::Refused(_) | Outcome::Unknown(_)) | Err(_) => None,
    }
}
