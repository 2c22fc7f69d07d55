//! Mirrors on Open vSwitch, by its database alone (OVSDB, RFC 7047); its control socket is asked for routes only.
//!
//! A mirror and the port that is made for it come in one transaction and go in one. That port is the end of the tunnel, or
//! else half of a wire to nowhere: that it goes makes `ovs-vswitchd` look again at the traffic that runs, which versions up
//! to 3.3.2 do not do for a mirror alone ([decision 34](../../../docs/decisions/0034-mirrors-on-open-vswitch.md)).

mod control;
mod rates;
mod request;
mod session;
mod tables;
mod tag;
mod there;
mod view;
mod wanted;

use super::{Driver, Order, Outcome, Picked, Quiet, Removed};
use crate::{
    clock,
    inventory::{Fault, FaultKind, Reach, Usual, endpoint, ovsdb::USUAL_PORT},
};
use control::Control;
use rates::Rates;
use request::Going;
use serde_json::{Value, json};
use session::{Sent, Session};
use shared::{
    BackendId, MirrorId,
    config::Backend,
    mirror::{Capabilities, Counters, Looked, MirrorTag, Plan, Presence, SwitchView, Transport},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tables::{Bridge, Tables};
use there::There;
use wanted::SESSIONS_MOST;
pub(super) use wanted::{Output, Wanted};

/// For `ovs-vswitchd` to carry out what its database has. Measured: 2 to 30 ms.
const CARRIED_OUT_WITHIN: Duration = Duration::from_secs(5);
/// Something that is gone from the database is gone, whether the program lives or not; this is for it to notice.
const LET_GO_WITHIN: Duration = Duration::from_secs(2);
/// A mirror that has lost the port made for it takes one more to go.
const ROUNDS: usize = 4;
/// Mirrors that are gone and whose destination's counters are remembered.
const REMEMBERED: usize = 256;

/// Mirrors on the bridges of one Open vSwitch.
pub struct Ovs {
    backend: BackendId,
    session: Session,
    control: Option<Control>,
    rates: Mutex<Rates>,
    /// What the destination and the sources of mirrors that are gone had counted when it was asked first.
    after: Mutex<BTreeMap<MirrorId, After>>,
}

#[derive(Clone, Copy)]
struct After {
    destination: u64,
    sources: u64,
}

impl fmt::Debug for Ovs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ovs").field("endpoint", self.session.endpoint()).finish_non_exhaustive()
    }
}

impl Ovs {
    /// Connects when it is asked first.
    ///
    /// # Errors
    /// When an address is none, or lacks what its kind needs.
    pub fn new(backend: &Backend) -> Result<Self, Fault> {
        let Backend { id, address, ca, certificate, key, control, .. } = backend;
        let reach = Reach { address, ca: ca.as_deref(), certificate: certificate.as_deref(), key: key.as_deref() };
        Ok(Self {
            backend: id.clone(),
            session: Session::new(endpoint(&reach, USUAL_PORT, Usual::Openvswitch)?),
            control: control.as_deref().map(Control::parse).transpose()?,
            rates: Mutex::default(),
            after: Mutex::default(),
        })
    }

    /// Everything there is, with what can be done with it.
    async fn tables(&self) -> Result<(Tables, Capabilities), Fault> {
        let (connected, tables) = self.session.read().await?;
        let can = view::capabilities(&connected.schema, &tables);
        Ok((tables, can))
    }

    /// The ways of the switch's host, as far as it can be asked. A way that is not known is the rules' business.
    async fn devices(&self, remotes: &[IpAddr]) -> BTreeMap<IpAddr, Option<String>> {
        let mut devices = BTreeMap::new();
        let Some(control) = &self.control else { return devices };
        for remote in remotes {
            match control.device(*remote).await {
                Ok(device) => drop(devices.insert(*remote, device)),
                Err(error) => tracing::warn!(backend = self.backend.as_str(), %error, "a switch's route is not known"),
            }
        }
        devices
    }

    async fn send_plan(&self, order: &Order<'_>, plan: &Plan) -> Result<Outcome, Fault> {
        let (tables, can) = self.tables().await?;
        let Some(bridge) = tables.bridge(&plan.switch) else {
            return Ok(Outcome::Refused(format!("{} has no bridge {} any more", self.backend, plan.switch)));
        };
        let wanted = match Wanted::there(order, can.revalidates) {
            Ok(wanted) => wanted,
            Err(why) => return Ok(Outcome::Refused(why)),
        };
        let there = There::find(bridge, order.tag);
        match there.presence(&wanted) {
            Presence::Absent => {}
            Presence::AsPlanned => {
                let counted = there.mirror.map(|mirror| view::counters(bridge, mirror, clock::now()));
                return Ok(Outcome::Applied(counted));
            }
            Presence::SourceGone => return Ok(Outcome::Unknown("it is there already, and its source is gone".into())),
            Presence::Changed(what) => return Ok(Outcome::Unknown(format!("it is there already, but {what}"))),
        }
        if request::revision(bridge) != plan.revision {
            let why = "the bridge's mirrors have changed since it was planned; plan it again".to_owned();
            return Ok(Outcome::Refused(why));
        }
        if bridge.mirrors.len() >= usize::try_from(SESSIONS_MOST).unwrap_or(usize::MAX) {
            let why = format!("the bridge has {SESSIONS_MOST} mirrors, and carries out no more; end another one first");
            return Ok(Outcome::Refused(why));
        }
        let mut operations = match request::filled(plan, order.tag, bridge) {
            Ok(operations) => operations,
            Err(why) => return Ok(Outcome::Refused(why)),
        };
        request::mark_flooded(&mut operations, bridge);
        match self.session.send(operations).await? {
            Sent::Done(number) => Ok(self.watch(order, plan, number).await),
            Sent::Refused(why) => Ok(Outcome::Refused(format!("{} refuses it: {why}", self.session.endpoint()))),
            Sent::Stale => {
                Ok(Outcome::Refused("the bridge changed at the moment it was sent to; plan it again".to_owned()))
            }
        }
    }

    /// Whether what was sent is carried out as planned. If not it is taken back.
    async fn watch(&self, order: &Order<'_>, plan: &Plan, number: i64) -> Outcome {
        let why = match self.session.carried_out(number, CARRIED_OUT_WITHIN).await {
            Ok(true) => match self.read_back(order, plan).await {
                Ok(Ok(counters)) => return Outcome::Applied(Some(counters)),
                Ok(Err(why)) => why,
                Err(fault) => fault.message,
            },
            Ok(false) => {
                format!("ovs-vswitchd did not carry it out within {CARRIED_OUT_WITHIN:?}; does it run on that host?")
            }
            Err(fault) => fault.message,
        };
        let own = |it: &MirrorTag| tag::is_of(it, order.tag);
        match self.remove(Some(&plan.switch), Picked(&own)).await {
            Ok(_) => Outcome::Refused(format!("{why}; it was taken back")),
            Err(fault) => Outcome::Unknown(format!("{why}; and taking it back failed: {}", fault.message)),
        }
    }

    async fn read_back(&self, order: &Order<'_>, plan: &Plan) -> Result<Result<Counters, String>, Fault> {
        let (tables, can) = self.tables().await?;
        let Some(bridge) = tables.bridge(&plan.switch) else { return Ok(Err("the bridge is gone".to_owned())) };
        let there = There::find(bridge, order.tag);
        Ok(Wanted::there(order, can.revalidates).and_then(|wanted| {
            let trouble = there.trouble(&wanted);
            match (there.presence(&wanted), there.mirror, trouble) {
                (_, _, Some(trouble)) => Err(trouble),
                (Presence::AsPlanned, Some(mirror), None) => Ok(view::counters(bridge, mirror, clock::now())),
                (Presence::Changed(what), ..) => Err(format!("it is not as it was sent: {what}")),
                (Presence::SourceGone, ..) => Err("its source is gone".to_owned()),
                (Presence::Absent | Presence::AsPlanned, ..) => Err("it is not there".to_owned()),
            }
        }))
    }

    /// Takes what is picked away from one bridge. Gives the number by which it is known when that is carried out.
    async fn take_away(&self, bridge: &Bridge, lot: &Lot, needs_port: bool) -> Result<i64, Fault> {
        let names: Vec<&str> = lot.removed.values().map(|it| it.name.as_str()).collect();
        let comment = format!("{}: removed", names.join(", "));
        let mut operations = request::removal(bridge, &lot.going, &comment);
        if needs_port && lot.going.ports.is_empty() {
            // Its port was removed by somebody: another one comes, and goes in the next round.
            if let Some(tag) = lot.removed.values().find_map(|it| it.tag.as_ref()) {
                request::add_blind_port(&mut operations, bridge, &wanted::blind_port_of(tag), tag);
            }
        }
        let at = self.session.endpoint();
        match self.session.send(Value::Array(operations)).await? {
            Sent::Done(number) => Ok(number),
            Sent::Refused(why) => Err(Fault::new(FaultKind::Refused, format!("{at} does not remove: {why}"))),
            Sent::Stale => Err(Fault::new(FaultKind::Unreadable, format!("{at} changed while something was removed"))),
        }
    }

    fn after(&self) -> MutexGuard<'_, BTreeMap<MirrorId, After>> {
        self.after.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is picked of a bridge: each mirror with whatever is tagged as a part of it.
#[derive(Default)]
struct Lot {
    going: Going,
    removed: BTreeMap<(String, MirrorId), Removed>,
}

impl Lot {
    fn of(bridge: &Bridge, picked: Picked<'_>, at: shared::Timestamp) -> Self {
        let tags = || {
            let of_mirrors = bridge.mirrors.iter().map(|it| &it.ids);
            of_mirrors.chain(bridge.ports.iter().map(|it| &it.ids)).filter_map(tag::read)
        };
        let key = |tag: &MirrorTag| (tag.instance.clone(), tag.mirror);
        let keys: BTreeSet<(String, MirrorId)> = tags().filter(|tag| picked.0(tag)).map(|tag| key(&tag)).collect();
        let mut lot = Self::default();
        for tag in tags().filter(|tag| keys.contains(&key(tag))) {
            let (mirror, name) = (tag.mirror, tag.name());
            lot.removed.entry(key(&tag)).or_insert(Removed { mirror, name, tag: Some(tag), counters: None });
        }
        for mirror in &bridge.mirrors {
            let Some(removed) = tag::read(&mirror.ids).and_then(|tag| lot.removed.get_mut(&key(&tag))) else {
                continue;
            };
            removed.counters = Some(view::counters(bridge, mirror, at));
            lot.going.mirrors.insert(mirror.id.clone());
        }
        for port in &bridge.ports {
            if tag::read(&port.ids).is_some_and(|tag| keys.contains(&key(&tag))) {
                lot.going.ports.insert(port.id.clone());
            }
        }
        lot
    }
}

impl Driver for Ovs {
    async fn look(&self, remotes: &[IpAddr]) -> Result<Vec<SwitchView>, Fault> {
        let (tables, can) = self.tables().await?;
        let devices = self.devices(remotes).await;
        let now = clock::now();
        let counted = tables.bridges.iter().flat_map(|bridge| &bridge.ports).filter_map(|port| {
            let bytes = (port.count("rx_bytes")?, port.count("tx_bytes")?);
            Some((port.id.clone(), bytes))
        });
        let peaks = self.rates.lock().unwrap_or_else(PoisonError::into_inner).take(now, &counted.collect());
        let view = |bridge| view::view(&self.backend, &tables, bridge, can, (now, &peaks), &devices);
        Ok(tables.bridges.iter().map(view).collect())
    }

    fn plan(&self, order: &Order<'_>, view: &SwitchView) -> Result<Plan, String> {
        Ok(request::plan(order, view, &Wanted::planned(order, view)?))
    }

    async fn apply(&self, order: &Order<'_>, plan: &Plan) -> Outcome {
        self.after().remove(&order.tag.mirror);
        match self.send_plan(order, plan).await {
            Ok(outcome) => outcome,
            Err(fault) => Outcome::Unknown(fault.message),
        }
    }

    async fn read(&self, order: &Order<'_>) -> Result<Looked, Fault> {
        let (tables, can) = self.tables().await?;
        let bridge = order.spec.switch.as_deref().and_then(|switch| tables.bridge(switch));
        let Some(bridge) = bridge else { return Ok(Looked { presence: Presence::Absent, counters: None }) };
        let there = There::find(bridge, order.tag);
        let counters = there.mirror.map(|mirror| view::counters(bridge, mirror, clock::now()));
        let presence = match Wanted::there(order, can.revalidates) {
            Ok(wanted) => match (there.presence(&wanted), there.trouble(&wanted)) {
                (Presence::AsPlanned, Some(trouble)) => Presence::Changed(trouble),
                (presence, _) => presence,
            },
            Err(why) => Presence::Changed(why),
        };
        Ok(Looked { presence, counters })
    }

    async fn retag(&self, order: &Order<'_>) -> Result<(), Fault> {
        let (tables, _) = self.tables().await?;
        let bridge = order.spec.switch.as_deref().and_then(|switch| tables.bridge(switch));
        let there = bridge.map(|bridge| There::find(bridge, order.tag));
        let name = order.tag.name();
        let gone = || {
            Fault::new(
                FaultKind::Unreadable,
                format!("{} has no {name} that could be extended", self.session.endpoint()),
            )
        };
        let Some((there, mirror)) = there.and_then(|there| Some((there, there.mirror?))) else { return Err(gone()) };
        // Only while it is there.
        let mut operations = vec![
            json!(crate::inventory::ovsdb::DATABASE),
            json!({"op": "wait", "timeout": 0, "table": "Mirror", "where": [["_uuid", "==", ["uuid", mirror.id]]],
                "columns": ["name"], "until": "==", "rows": [{"name": mirror.name}]}),
            request::tagging("Mirror", &mirror.id, order.tag),
        ];
        if let Some(port) = there.port {
            operations.push(request::tagging("Port", &port.id, order.tag));
            let interfaces = port.interfaces.iter();
            operations.extend(interfaces.map(|it| request::tagging("Interface", &it.id, order.tag)));
        }
        operations.extend(request::closing(&format!("{name}: ends at {} ms", order.tag.expires_at.ms())));
        match self.session.send(Value::Array(operations)).await? {
            Sent::Done(_) => Ok(()),
            Sent::Stale => Err(gone()),
            Sent::Refused(why) => {
                let at = self.session.endpoint();
                Err(Fault::new(FaultKind::Refused, format!("{at} does not extend {name}: {why}")))
            }
        }
    }

    async fn remove(&self, switch: Option<&str>, picked: Picked<'_>) -> Result<Vec<Removed>, Fault> {
        let mut removed: BTreeMap<(String, MirrorId), Removed> = BTreeMap::new();
        let mut last = None;
        for _ in 0..ROUNDS {
            let (tables, can) = self.tables().await?;
            let bridges = tables.bridges.iter().filter(|it| switch.is_none_or(|switch| it.switch == switch));
            let lots = bridges.map(|bridge| (bridge, Lot::of(bridge, picked, clock::now())));
            let lots: Vec<(&Bridge, Lot)> = lots.filter(|(_, lot)| !lot.going.is_empty()).collect();
            if lots.is_empty() {
                return Ok(removed.into_values().collect());
            }
            let mut faults = Vec::new();
            for (bridge, lot) in lots {
                match self.take_away(bridge, &lot, !can.revalidates && !lot.going.mirrors.is_empty()).await {
                    Ok(number) => last = last.max(Some(number)),
                    Err(fault) => faults.push(fault),
                }
                for (key, it) in lot.removed {
                    removed.entry(key).or_insert(it);
                }
            }
            if let Some(fault) = Fault::one_of(faults) {
                return Err(fault);
            }
            if let Some(number) = last
                && !self.session.carried_out(number, LET_GO_WITHIN).await.unwrap_or(false)
            {
                tracing::warn!(
                    backend = self.backend.as_str(),
                    "a mirror is gone from the switch's database, but ovs-vswitchd has not noticed yet; is it running?"
                );
            }
        }
        let at = self.session.endpoint();
        Err(Fault::new(FaultKind::Unreadable, format!("{at} has mirrors again that were removed; who makes them?")))
    }

    async fn quiet(&self, order: &Order<'_>) -> Result<Quiet, Fault> {
        let (tables, _) = self.tables().await?;
        if tables.current < tables.asked {
            let message = format!(
                "ovs-vswitchd of {} has not carried out what its database says, and may go on copying; is it running?",
                self.session.endpoint()
            );
            return Err(Fault::new(FaultKind::Unreachable, message));
        }
        let bridge = order.spec.switch.as_deref().and_then(|switch| tables.bridge(switch));
        // The end of a tunnel went with its mirror, and a VLAN is not counted.
        let (Some(bridge), Transport::Span { port }) = (bridge, &order.spec.transport) else {
            return Ok(Quiet::Untold);
        };
        let Some(destination) = bridge.port(port).and_then(|port| port.count("tx_packets")) else {
            return Ok(Quiet::Untold);
        };
        let ports: Vec<String> = order.sources.iter().map(|(_, port)| port.clone()).collect();
        let now = After { destination, sources: view::sent_by(bridge, &ports, order.spec.direction) };
        let mut after = self.after();
        let before = after.insert(order.tag.mirror, now);
        if after.len() > REMEMBERED {
            after.pop_first();
        }
        Ok(before.map_or(Quiet::Untold, |before| before.compared(now)))
    }
}

impl After {
    /// The destination takes part in its network again, and is sent what everybody is sent; copies would be as many as
    /// what the sources counted.
    const fn compared(self, now: Self) -> Quiet {
        let (copies, sources) =
            (now.destination.saturating_sub(self.destination), now.sources.saturating_sub(self.sources));
        match (copies, sources) {
            (0, _) => Quiet::Flat,
            (_, 0) => Quiet::Untold,
            (copies, sources) if copies >= sources => Quiet::Counted,
            _ => Quiet::Untold,
        }
    }
}
