//! Rules about where copies come out: a port of the same switch that is a collector's and nobody else's.

use super::{Case, Said, case::Other};
use shared::mirror::{About, MirrorSource, SwitchPort, Transport};

/// Where a destination port stands in the specification.
const PORT: &str = "transport.port";

/// 3: what is copied is not where the copies come out.
pub(super) fn same_session(case: &Case<'_>, said: &mut Said) {
    if let Some(port) = case.destination() {
        // Whole keys: `Ethernet4` is not `Ethernet44`.
        let of_vlans = case.source_ports().iter().any(|(_, source)| source.key == port);
        let here = |switch: &Option<String>| switch.as_deref() == case.switch();
        let of_nics = case.sources.iter().any(|it| it.of.port.as_deref() == Some(port) && here(&it.of.switch));
        if of_vlans || of_nics {
            said.blocks(PORT, About::OwnDestination { port: port.to_owned() });
        }
    }
    if let Some(vlan) = case.output_vlan()
        && let MirrorSource::Vlans { vlans } = &case.spec.source
        && vlans.contains(&vlan)
    {
        said.blocks("transport.vlan", About::OwnVlan { vlan });
    }
}

/// 4: nobody else's copies come out there, and nobody copies what is sent there; nor do copies come out at a machine whose
/// incoming traffic is to be copied.
pub(super) fn taken(case: &Case<'_>, said: &mut Said) {
    let other = |held: &dyn Fn(&Other<'_>) -> bool| {
        case.others.iter().find(|other| held(other)).map(|other| other.name.to_string())
    };
    if let Some(port) = case.destination() {
        if let Some(session) = other(&|it| it.comes_out_of(port)) {
            said.blocks(PORT, About::DestinationOf { port: port.to_owned(), session });
        }
        if let Some(session) = other(&|it| it.copies_to(port)) {
            said.blocks(PORT, About::SourceOf { port: port.to_owned(), session });
        }
    }
    if let Some(vlan) = case.output_vlan()
        && let Some(session) = other(&|it| it.output_vlan == Some(vlan))
    {
        said.blocks("transport.vlan", About::VlanOf { vlan, session });
    }
    for (path, port) in copied_to(case) {
        if let Some(session) = other(&|it| it.comes_out_of(&port.key)) {
            said.blocks(path, About::DestinationOf { port: port.key.clone(), session });
        }
    }
}

/// The ports at which what machines are sent is copied.
fn copied_to<'c, 'a>(case: &'c Case<'a>) -> Vec<(&'c str, &'a SwitchPort)> {
    if case.spec.direction.takes_to() { case.source_ports() } else { Vec::new() }
}

/// 5: a promiscuous port is no destination, and what is sent to it is not copied. It is never switched over.
pub(super) fn promiscuous(case: &Case<'_>, said: &mut Said) {
    let destination = case.destination_port().map(|port| (PORT, port));
    for (path, port) in destination.into_iter().chain(copied_to(case)) {
        if port.promiscuous == Some(true) {
            said.blocks(path, About::PromiscuousPort { port: port.key.clone() });
        }
    }
}

/// 6: the destination's port group keeps its ports.
pub(super) fn ephemeral(case: &Case<'_>, said: &mut Said) {
    if let Some(port) = case.destination_port().filter(|port| port.ephemeral) {
        let group = port.group.clone().unwrap_or_default();
        said.blocks(PORT, About::EphemeralGroup { port: port.key.clone(), group });
    }
}

/// 7: the destination is there, is marked as a collector, and does nothing else.
pub(super) fn marked(case: &Case<'_>, said: &mut Said) {
    let (Transport::Span { port: key } | Transport::RspanDestination { port: key }) = &case.spec.transport else {
        return;
    };
    if case.view.is_none() && !key.is_empty() {
        // The switch is not known: rule 15 says so.
        return;
    }
    let Some(port) = case.destination_port() else {
        said.blocks(PORT, About::NoSuchPort { port: key.clone() });
        return;
    };
    if case.collectors().next().is_none() {
        said.blocks(PORT, About::NotACollector { port: key.clone(), vm: port.vm.clone() });
    }
    if case.spec.keep_normal_traffic {
        said.blocks("keep_normal_traffic", About::NormalTraffic { port: key.clone() });
    }
}

/// 17: source and destination are on one hypervisor, where copies do not leave it.
pub(super) fn same_hypervisor(case: &Case<'_>, said: &mut Said) {
    let (Transport::Span { .. }, Some(view), Some(port)) = (&case.spec.transport, case.view, case.destination_port())
    else {
        return;
    };
    if !view.can.same_hypervisor {
        return;
    }
    let Some(destination) = &port.hypervisor else {
        said.blocks(PORT, About::HypervisorUnknown { port: port.key.clone() });
        return;
    };
    for source in &case.sources {
        let Some(port) = source.port else { continue };
        match port.hypervisor.as_ref().or(source.of.hypervisor.as_ref()) {
            None => said.blocks(&source.path, About::HypervisorUnknown { port: port.key.clone() }),
            Some(of) if of != destination => {
                let (source_on, destination) = (of.clone(), destination.clone());
                said.blocks(&source.path, About::OtherHypervisor { source: source_on, destination });
            }
            Some(_) => {}
        }
    }
}
