//! Rules about whose traffic is copied: that it is known, that it is a machine's, and what else goes on with it.

use super::{
    Case, Said,
    case::{SOURCES_MOST, Source},
};
use shared::{
    inventory::Power,
    mirror::{About, MirrorSource, PortKind, SwitchPort, Transport},
    net::Mac,
};

/// 2: each source is exactly one interface, at a port of this switch, as seen of late.
pub(super) fn known(case: &Case<'_>, said: &mut Said) {
    let (named, path) = match &case.spec.source {
        MirrorSource::Nics { macs } => (macs.len(), "source.macs"),
        MirrorSource::Vlans { vlans } => (vlans.len(), "source.vlans"),
    };
    if named == 0 {
        said.blocks(path, About::NoSource);
    }
    if named > SOURCES_MOST {
        said.blocks(path, About::TooManySources { most: SOURCES_MOST as u32 });
    }
    let macs: Vec<(String, Mac)> = case.macs().collect();
    for (i, (path, mac)) in macs.iter().enumerate() {
        if macs[..i].iter().any(|(_, before)| before == mac) {
            said.blocks(path, About::SourceTwice { mac: *mac });
            continue;
        }
        match case.machines(*mac) {
            [] => said.blocks(path, About::SourceUnknown { mac: *mac }),
            [_] => {}
            several => {
                let vms = several.iter().map(|it| it.vm.clone()).collect();
                said.blocks(path, About::SourceAmbiguous { mac: *mac, vms });
            }
        }
    }
    case.sources.iter().for_each(|source| at_its_port(case, source, said));
}

fn at_its_port(case: &Case<'_>, source: &Source<'_>, said: &mut Said) {
    let Source { path, of, port } = source;
    let (mac, vm) = (of.mac, of.vm.clone());
    let (age_ms, most_ms) = (case.world.now.ms_since(of.seen_at), case.world.mode.fresh.0);
    if age_ms > most_ms {
        said.blocks(path, About::SourceOld { mac, age_ms, most_ms });
    }
    let Some(switch) = of.switch.as_ref().filter(|_| of.port.is_some()) else {
        said.blocks(path, About::SourceUnplugged { mac, vm });
        return;
    };
    if case.switch().is_some_and(|it| it != switch) {
        said.blocks(path, About::SourceElsewhere { mac, switch: switch.clone() });
        return;
    }
    match port {
        // The switch itself does not answer: rule 15 says so.
        None if case.view.is_none() => {}
        None => said.blocks(path, About::SourceUnplugged { mac, vm }),
        // A port that was left is given to the next machine: its traffic is not what was asked for.
        Some(port) if port.mac.is_some_and(|it| it != mac) => {
            said.blocks(path, About::PortOfAnother { mac, port: port.key.clone() });
        }
        Some(_) => {}
    }
}

/// 8: no wire, tunnel or door of the host is a source: copies would be copied again, and Open vSwitch dies of that.
pub(super) fn kind(case: &Case<'_>, said: &mut Said) {
    for source in &case.sources {
        let Some(port) = source.port else { continue };
        // What is behind it the inventory alone would say; the switch has to agree.
        let agreed = port.kind == PortKind::Unknown && port.mac == Some(source.of.mac);
        if port.kind != PortKind::Vm && !agreed {
            said.blocks(&source.path, not_a_machine(port));
        }
    }
    // What RSPAN brings comes over wires, and goes out of one port only.
    if matches!(case.spec.transport, Transport::RspanDestination { .. }) {
        return;
    }
    let Some(view) = case.view else { return };
    for (i, vlan) in case.source_vlans().iter().enumerate() {
        let inside = |port: &&SwitchPort| port.vlan == Some(*vlan) && port.kind != PortKind::Vm;
        for port in view.ports.iter().filter(inside) {
            said.blocks(format!("source.vlans[{i}]"), not_a_machine(port));
        }
    }
}

fn not_a_machine(port: &SwitchPort) -> About {
    About::NotAMachine { port: port.key.clone(), is: port.kind }
}

/// 22: something else goes on with the machine, so that copies may be missing or come twice.
pub(super) fn unsettled(case: &Case<'_>, said: &mut Said) {
    for Source { path, of, port } in &case.sources {
        let vm = || of.vm.clone();
        let other = port.and_then(|port| case.others.iter().find(|other| other.copies(&port.key)));
        if let Some(other) = other {
            said.warns(path, About::AlreadyMirrored { vm: vm(), session: other.name.to_string() });
        }
        if of.moving {
            said.warns(path, About::Moving { vm: vm() });
        }
        if matches!(of.power, Power::Off | Power::Paused) {
            said.warns(path, About::Asleep { vm: vm() });
        }
    }
}
