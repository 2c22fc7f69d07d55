//! Mirrors on the distributed switches of a vCenter: its port mirroring sessions, changed by `ReconfigureDvs_Task`.
//!
//! A session that is not ours is never edited and never removed, and no port's promiscuous mode is ever changed.

mod door;
mod faults;
mod look;
mod planned;
mod session;
mod task;

use super::{Driver, Order, Outcome, Picked, Quiet, Removed};
use crate::inventory::{
    Fault, FaultKind,
    https::{Https, Trust},
    vsphere::{soap::Trouble, xml::Written},
};
use door::{Account, Door};
use look::Switch;
use planned::Operation;
use session::Session;
use shared::{
    BackendId, MirrorId, Timestamp,
    config::Backend,
    mirror::{Looked, MirrorSource, MirrorTag, Plan, Presence, SwitchView},
    net::Mac,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    net::IpAddr,
    time::Duration,
};
use task::{Changed, Progress, change};

/// How often a change is tried when somebody else changes the switch at the same time.
const TRIES: u32 = 3;
/// How long a switch may take to be reconfigured.
const TASK_PATIENCE: Duration = Duration::from_secs(30);

/// The driver of one vCenter.
pub struct VsphereMirrors {
    backend: BackendId,
    door: Door,
    sessions_most: u32,
    patience: Duration,
    progress: Progress,
}

impl fmt::Debug for VsphereMirrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("VsphereMirrors").field(&self.backend).finish()
    }
}

impl VsphereMirrors {
    /// Connects to nobody yet.
    ///
    /// # Errors
    /// When the address, the credentials or the trust cannot be used.
    pub fn new(backend: &Backend) -> Result<Self, Fault> {
        let (Some(username), Some(password)) = (backend.username.clone(), backend.password.clone()) else {
            return Err(Fault::new(FaultKind::Refused, "a vCenter needs `username` and `password`"));
        };
        let trust = Trust::named(backend.ca.as_deref(), backend.fingerprint.as_deref())?;
        let https = Https::new(&backend.address, &trust)?;
        Ok(Self {
            backend: backend.id.clone(),
            door: Door::new(https, Account { username, password }),
            sessions_most: backend.sessions.unwrap_or(0),
            patience: TASK_PATIENCE,
            progress: Progress::default(),
        })
    }

    /// The same, giving a switch only so long to be reconfigured.
    #[must_use]
    pub fn patient(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// A switch with everything, as the plan of an order needs it.
    async fn seen(&self, uuid: &str) -> Result<(Switch, SwitchView), Fault> {
        let looked = self.door.with(move |within| async move {
            let (switches, places) = look::everything(&within).await?;
            let switch = look::pick(switches, uuid)?;
            let ports = switch.ports(&within, &places).await?;
            Ok((switch, ports))
        });
        let (switch, ports) = looked.await?;
        let view = switch.view(&self.backend, ports, self.sessions_most);
        Ok((switch, view))
    }

    /// A switch with its sessions.
    async fn sessions(&self, uuid: &str) -> Result<Switch, Fault> {
        self.door.with(move |within| async move { look::pick(look::switches(&within).await?, uuid) }).await
    }

    /// Tries to send a plan. A fault is that nobody knows what came of it.
    async fn try_apply(&self, order: &Order<'_>, plan: &Plan) -> Result<Outcome, Fault> {
        let mut stale = None;
        for _ in 0..TRIES {
            let (switch, view) = self.seen(&plan.switch).await?;
            if let Some(there) = already(order, &switch) {
                return Ok(there);
            }
            let made = self.plan(order, &view).and_then(|now| {
                if now.steps == plan.steps && now.sources == plan.sources {
                    planned::numbered(order, switch.place())
                } else {
                    Err(format!("{} has changed since: another plan would be sent now; look at it again", view.name))
                }
            });
            let session = match made {
                Ok(session) => session,
                Err(why) => return Ok(Outcome::Refused(why)),
            };
            match change(&self.door, &self.progress, &switch, &[(Operation::Add, &session)], self.patience).await? {
                Changed::Refused(refusal) if refusal.is_stale() => stale = Some(refusal.told(&switch.name)),
                Changed::Refused(refusal) => {
                    let told = refusal.told(&switch.name);
                    return self.read_back(order, plan, &session, Outcome::Refused(told)).await;
                }
                Changed::Unanswered(why) => {
                    return self.read_back(order, plan, &session, Outcome::Unknown(why)).await;
                }
                Changed::Done => {
                    let why = format!("{} said that it was done, and has nothing of it", switch.name);
                    return self.read_back(order, plan, &session, Outcome::Refused(why)).await;
                }
            }
        }
        Ok(Outcome::Refused(stale.unwrap_or_default()))
    }

    /// What is in the switch after a change; `absent` when there is nothing of it.
    async fn read_back(
        &self,
        order: &Order<'_>,
        plan: &Plan,
        session: &Session,
        absent: Outcome,
    ) -> Result<Outcome, Fault> {
        let switch = self.sessions(&plan.switch).await?;
        Ok(judged(session, &switch.ours(order.tag), &switch.name).unwrap_or(absent))
    }

    /// Removes from one switch what is picked, all at once. Gives what was removed.
    async fn remove_from(&self, uuid: &str, picked: Picked<'_>) -> Result<Vec<Removed>, Fault> {
        let is_picked = |session: &Session| session.tag().is_some_and(|tag| picked.0(&tag));
        let (mut removed, mut asked) = (Vec::new(), Vec::<Session>::new());
        let mut why = String::new();
        // Looked at again after each try, whatever was said of it: what is absent then is removed.
        for tried in 0..=TRIES {
            let switch = self.sessions(uuid).await?;
            asked.retain(|session| !switch.sessions.iter().any(|left| left.key == session.key));
            removed.extend(asked.drain(..).filter_map(|session| {
                let tag = session.tag()?;
                Some(Removed { mirror: tag.mirror, name: session.name, tag: Some(tag), counters: None })
            }));
            asked = switch.sessions.iter().filter(|session| is_picked(session)).cloned().collect();
            if asked.is_empty() {
                untagged(&switch, picked)?;
                return Ok(removed);
            }
            if tried == TRIES {
                break;
            }
            let operations: Vec<_> = asked.iter().map(|session| (Operation::Remove, session)).collect();
            why = match change(&self.door, &self.progress, &switch, &operations, self.patience).await? {
                Changed::Done => format!("{} said that it removed sessions, and still has them", switch.name),
                Changed::Refused(refusal) if refusal.is_stale() => refusal.told(&switch.name),
                Changed::Refused(refusal) => return Err(unfinished(refusal.told(&switch.name))),
                Changed::Unanswered(why) => why,
            };
        }
        Err(unfinished(why))
    }
}

fn unfinished(why: String) -> Fault {
    Fault::new(FaultKind::Refused, format!("{why}; it is tried again"))
}

/// What is said of a session that is there: as it should be, or not. None when there is none.
fn judged(session: &Session, found: &[&Session], switch: &str) -> Option<Outcome> {
    match found {
        [] => None,
        [one] => {
            let differences = session.differences(one);
            Some(if differences.is_empty() {
                Outcome::Applied(None)
            } else {
                Outcome::Unknown(format!("{switch} has it otherwise than it was planned: {}", differences.join("; ")))
            })
        }
        several => Some(Outcome::Unknown(format!("{switch} has it {} times", several.len()))),
    }
}

/// What is there already of an order.
fn already(order: &Order<'_>, switch: &Switch) -> Option<Outcome> {
    let found = switch.ours(order.tag);
    if found.is_empty() {
        return None;
    }
    Some(match planned::numbered(order, switch.place()) {
        Ok(session) => judged(&session, &found, &switch.name)?,
        Err(why) => Outcome::Unknown(format!("{} has it, and could not have it now: {why}", switch.name)),
    })
}

/// Sessions under our names without their tags are nobody's to remove but a person's, and must not be taken for gone.
fn untagged(switch: &Switch, picked: Picked<'_>) -> Result<(), Fault> {
    let half = switch.sessions.iter().filter(|session| session.tag().is_none());
    let mut ours = half.filter(|session| named(&session.name).is_some_and(|tag| picked.0(&tag)));
    let Some(session) = ours.next() else { return Ok(()) };
    let message = format!(
        "{} has a session `{}`, whose description somebody changed, so that it is not known whose it is; remove it by \
         hand, or write the old description into it",
        switch.name,
        crate::outbound::quote(&session.name, &[])
    );
    Err(Fault::new(FaultKind::Refused, message))
}

/// What a name of ours alone says: who made it, and nothing of when it ends, so as if it had.
fn named(name: &str) -> Option<MirrorTag> {
    let (instance, number) = name.strip_prefix("tocsin-")?.rsplit_once('-')?;
    Some(MirrorTag {
        mirror: MirrorId(number.parse().ok()?),
        instance: instance.to_owned(),
        owner: String::new(),
        expires_at: Timestamp::from_ms(0),
        plan: String::new(),
    })
}

/// What an order's switch is.
fn switch_of<'a>(order: &Order<'a>) -> Result<&'a str, Fault> {
    let switch = order.spec.switch.as_deref();
    switch.ok_or_else(|| Fault::new(FaultKind::Unreadable, "the mirror names no switch"))
}

impl Driver for VsphereMirrors {
    async fn look(&self, _remotes: &[IpAddr]) -> Result<Vec<SwitchView>, Fault> {
        let looked = self.door.with(|within| async move {
            let drift = look::drift_ms(&within).await?;
            let (switches, places) = look::everything(&within).await?;
            let mut with_ports = Vec::new();
            for switch in switches {
                let ports = switch.ports(&within, &places).await?;
                with_ports.push((switch, ports));
            }
            Ok((drift, with_ports))
        });
        let (drift, switches) = looked.await?;
        let views = switches.into_iter().map(|(switch, ports)| SwitchView {
            clock_drift_ms: drift,
            ..switch.view(&self.backend, ports, self.sessions_most)
        });
        Ok(views.collect())
    }

    fn plan(&self, order: &Order<'_>, view: &SwitchView) -> Result<Plan, String> {
        planned::plan(order, view, &self.backend)
    }

    async fn apply(&self, order: &Order<'_>, plan: &Plan) -> Outcome {
        Box::pin(self.try_apply(order, plan)).await.unwrap_or_else(|fault| Outcome::Unknown(fault.message))
    }

    async fn read(&self, order: &Order<'_>) -> Result<Looked, Fault> {
        let uuid = switch_of(order)?;
        let presence = self.door.with(move |within| async move {
            let switch = look::pick(look::switches(&within).await?, uuid)?;
            let [found] = switch.ours(order.tag)[..] else { return Ok(absent_or_changed(order, &switch)) };
            let keys: BTreeSet<&str> =
                found.received.ports.iter().chain(&found.transmitted.ports).map(String::as_str).collect();
            let behind = behind(&switch, &within, &keys).await?;
            Ok(presence(order, &switch, found, &behind))
        });
        Ok(Looked { presence: presence.await?, counters: None })
    }

    async fn retag(&self, order: &Order<'_>) -> Result<(), Fault> {
        let uuid = switch_of(order)?;
        let mut why = String::new();
        for tried in 0..=TRIES {
            let switch = self.sessions(uuid).await?;
            let [found] = switch.ours(order.tag)[..] else {
                let message = format!("{} does not have {} once", switch.name, order.tag.name());
                return Err(Fault::new(FaultKind::Refused, message));
            };
            // Everything else stays as it is read, the key too.
            let session = Session { description: order.tag.to_string(), ..found.clone() };
            if *found == session {
                return Ok(());
            }
            if tried == TRIES {
                break;
            }
            why = match change(&self.door, &self.progress, &switch, &[(Operation::Edit, &session)], self.patience)
                .await?
            {
                Changed::Done => format!("{} said that it was done, and has the old end", switch.name),
                Changed::Refused(refusal) if refusal.is_stale() => refusal.told(&switch.name),
                Changed::Refused(refusal) => return Err(unfinished(refusal.told(&switch.name))),
                Changed::Unanswered(why) => why,
            };
        }
        Err(unfinished(why))
    }

    async fn remove(&self, switch: Option<&str>, picked: Picked<'_>) -> Result<Vec<Removed>, Fault> {
        let uuids = match switch {
            Some(uuid) => vec![uuid.to_owned()],
            None => {
                let all = self.door.with(|within| async move { look::switches(&within).await });
                all.await?.into_iter().map(|switch| switch.uuid).collect()
            }
        };
        let (mut removed, mut faults) = (Vec::new(), Vec::new());
        for uuid in uuids {
            // One switch that refuses keeps nobody from clearing the others.
            match Box::pin(self.remove_from(&uuid, picked)).await {
                Ok(gone) => removed.extend(gone),
                Err(fault) => faults.push(fault),
            }
        }
        match Fault::one_of(faults) {
            Some(fault) => Err(fault),
            None => Ok(removed),
        }
    }

    /// A vCenter counts nothing of a session. The counters of its destination's port are as old as the vCenter's last
    /// look at them, which it does not tell, so that they stand still proves nothing.
    fn progress(&self) -> Option<String> {
        self.progress.said()
    }

    async fn quiet(&self, _order: &Order<'_>) -> Result<Quiet, Fault> {
        std::future::ready(Ok(Quiet::Untold)).await
    }
}

/// What can be said where a mirror is not there once.
fn absent_or_changed(order: &Order<'_>, switch: &Switch) -> Presence {
    let name = order.tag.name();
    match switch.ours(order.tag).len() {
        0 if switch.sessions.iter().any(|session| session.name == name) => {
            Presence::Changed("its description, by which it is known as ours, was changed".into())
        }
        0 => Presence::Absent,
        several => Presence::Changed(format!("it is there {several} times")),
    }
}

/// What is plugged into ports of these keys: the MAC that is seen there, as long as one is.
async fn behind(
    switch: &Switch,
    within: &door::Within,
    keys: &BTreeSet<&str>,
) -> Result<BTreeMap<String, Option<Mac>>, Trouble> {
    let mut behind = BTreeMap::new();
    if keys.is_empty() {
        return Ok(behind);
    }
    let criteria = Written::default().texts("portKey", keys.iter().copied());
    let each = switch.fetch(within, &criteria, |port| {
        if let (Some(key), Some(_)) = (port.text_at("key").filter(|key| keys.contains(key)), port.child("connectee")) {
            let mac = port.text_at("state.runtimeInfo.macAddress").and_then(|mac| mac.parse().ok());
            behind.insert(key.to_owned(), mac);
        }
    });
    each.await?;
    Ok(behind)
}

/// How a session that is there once compares with what was asked for, whatever its end is.
fn presence(order: &Order<'_>, switch: &Switch, found: &Session, behind: &BTreeMap<String, Option<Mac>>) -> Presence {
    let expected = |mac: Mac| order.sources.iter().any(|(source, _)| *source == mac);
    // Then it copies what nobody asked for.
    if let Some((port, Some(mac))) = behind.iter().find(|(_, mac)| mac.is_some_and(|mac| !expected(mac))) {
        return Presence::Changed(format!("behind its source port {port} is another machine now, {mac}"));
    }
    if behind.is_empty() && matches!(order.spec.source, MirrorSource::Nics { .. }) {
        return Presence::SourceGone;
    }
    match planned::numbered(order, switch.place()) {
        Ok(session) => {
            let session = Session { description: found.description.clone(), ..session };
            let differences = session.differences(found);
            if differences.is_empty() { Presence::AsPlanned } else { Presence::Changed(differences.join("; ")) }
        }
        Err(why) => Presence::Changed(why),
    }
}
