//! The ports of distributed switches, as the switches know them: which VM is behind one, on which hypervisor, in which VLAN.

use super::{
    machine::Machine,
    places::{Places, Switch, vlan_of},
    soap::{PATIENCE, Soap, Trouble},
    xml::{Element, Written},
};
use crate::inventory::{Fault, FaultKind};
use shared::inventory::Port;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// One answer holds all ports of a switch, of which there may be tens of thousands.
const ALL_PATIENCE: Duration = PATIENCE.saturating_mul(5);
/// Asked for by key in one call.
const KEYS_MAX: usize = 200;
/// A distributed switch has at most 60,000.
const PORTS_MAX: usize = 500_000;

/// Ports by [`key`].
pub(super) type Ports = BTreeMap<String, Port>;

/// How a port is named in observations.
pub(super) fn key(switch: &str, port: &str) -> String {
    format!("{switch}/{port}")
}

/// What ports refer to.
#[derive(Clone, Copy)]
pub(super) struct Around<'a> {
    pub(super) places: &'a Places,
    pub(super) machines: &'a BTreeMap<String, Machine>,
}

/// All ports that something is plugged into.
pub(super) async fn all(soap: &Soap, around: Around<'_>) -> Result<Ports, Trouble> {
    let mut ports = Ports::new();
    let connected = Written::default().text("connected", "true");
    for switch in around.places.switches() {
        fetch(soap, switch, &connected, ALL_PATIENCE, around, &mut ports).await?;
    }
    Ok(ports)
}

/// Those of some ports, by switch and port, that something is plugged into.
pub(super) async fn some(
    soap: &Soap,
    wanted: &BTreeSet<(String, String)>,
    around: Around<'_>,
) -> Result<Ports, Trouble> {
    let mut ports = Ports::new();
    for switch in around.places.switches() {
        let of_switch: Vec<&str> =
            wanted.iter().filter(|(uuid, _)| *uuid == switch.uuid).map(|(_, port)| port.as_str()).collect();
        for keys in of_switch.chunks(KEYS_MAX) {
            let criteria = Written::default().texts("portKey", keys.iter().copied());
            fetch(soap, switch, &criteria, PATIENCE, around, &mut ports).await?;
        }
    }
    ports.retain(|_, port| wanted.contains(&(port.switch.clone(), port.port.clone())));
    Ok(ports)
}

async fn fetch(
    soap: &Soap,
    switch: &Switch,
    criteria: &Written,
    patience: Duration,
    around: Around<'_>,
    into: &mut Ports,
) -> Result<(), Trouble> {
    let arguments = Written::default().inside("criteria", criteria);
    let mut reply = soap.call("FetchDVPorts", &switch.object, &arguments, patience).await?;
    while let Some(element) = reply.next(&["returnval"]).await? {
        if let Some(port) = read(&element, switch, around) {
            into.insert(port.key.clone(), port);
        }
        if into.len() > PORTS_MAX {
            let message = format!("the switch `{}` has more than {PORTS_MAX} ports", switch.name);
            return Err(Fault::new(FaultKind::Unreadable, message).into());
        }
    }
    Ok(())
}

/// A `DistributedVirtualPort`, if something is plugged into it.
pub(super) fn read(element: &Element, switch: &Switch, Around { places, machines }: Around<'_>) -> Option<Port> {
    let port = element.text_at("key")?;
    let connectee = element.child("connectee")?;
    let behind = connectee.child("connectedEntity").filter(|entity| entity.of == "VirtualMachine");
    let machine = behind.and_then(|entity| machines.get(&entity.text));
    let at_port = |machine: &Machine| {
        let mut all = machine.ports().filter(|(uuid, key, _)| *uuid == switch.uuid && *key == port);
        all.find_map(|(_, _, mac)| mac)
    };
    // Behind uplinks and kernel interfaces is the hypervisor, which is no machine of anybody's.
    let mac = behind.and_then(|_| {
        let seen = element.text_at("state.runtimeInfo.macAddress").and_then(|mac| mac.parse().ok());
        seen.or_else(|| machine.and_then(at_port))
    });
    let group = element.text_at("portgroupKey").and_then(|key| places.group(key));
    let vlan = element.at("config.setting").and_then(vlan_of).or_else(|| group?.vlan);
    let proxy = element.text_at("proxyHost").and_then(|id| places.hypervisor(id));
    Some(Port {
        key: key(&switch.uuid, port),
        switch: switch.uuid.clone(),
        switch_name: switch.name.clone(),
        port: port.to_owned(),
        mac,
        group: group.map(|group| group.name.clone()),
        vlan,
        iface_id: None,
        vm_uuid: machine.and_then(Machine::uuid).map(str::to_owned),
        hypervisor: proxy.map(|hypervisor| hypervisor.name.clone()),
        connected: element.truth_at("state.runtimeInfo.linkUp"),
    })
}
