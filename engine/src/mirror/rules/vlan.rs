//! The rule about VLANs: they are VLANs, and the one of RSPAN is nobody else's.

use super::{Case, Said};
use shared::mirror::{About, BackendKind, SwitchPort, Transport};

/// 12: every VLAN is one, reserved ones are left alone, and the one that copies go into carries nothing else: whoever is in
/// it would learn the copies' addresses at the wrong port.
pub(super) fn vlans(case: &Case<'_>, said: &mut Said) {
    let sources = case.source_vlans().iter().enumerate();
    for (path, vlan) in sources.map(|(i, vlan)| (format!("source.vlans[{i}]"), *vlan)) {
        if !is_vlan(vlan) {
            said.blocks(path, About::VlanOutOfRange { vlan });
        } else if case.world.mode.reserved_vlans.contains(&vlan) {
            said.blocks(path, About::VlanReserved { vlan });
        }
    }
    for (i, vlan) in case.spec.vlan_filter.iter().enumerate() {
        if !is_vlan(*vlan) {
            said.blocks(format!("vlan_filter[{i}]"), About::VlanOutOfRange { vlan: *vlan });
        }
    }
    if let Transport::RspanSource { uplinks, vlan, .. } = &case.spec.transport {
        rspan(case, uplinks, *vlan, said);
    }
}

fn rspan(case: &Case<'_>, uplinks: &[String], vlan: u16, said: &mut Said) {
    const PATH: &str = "transport.vlan";
    if !is_vlan(vlan) {
        said.blocks(PATH, About::VlanOutOfRange { vlan });
        return;
    }
    if case.world.mode.reserved_vlans.contains(&vlan) {
        said.blocks(PATH, About::VlanReserved { vlan });
    }
    let Some(view) = case.view else { return };
    let is_collectors = |port: &SwitchPort| {
        case.collectors().any(|it| {
            it.port.as_ref() == Some(&port.key)
                && it.backend.as_ref() == Some(&view.backend)
                && it.switch.as_ref().is_none_or(|switch| *switch == view.switch)
        })
    };
    // A wire's own VLAN counts too: its packets carry no number, and would be taken for copies.
    if let Some(port) = view.ports.iter().find(|port| port.vlan == Some(vlan) && !is_collectors(port)) {
        said.blocks(PATH, About::VlanUsed { vlan, port: port.key.clone() });
    }
    if view.kind == BackendKind::Vsphere && uplinks.is_empty() {
        said.blocks("transport.uplinks", About::NoUplink);
    }
}

/// Numbers of VLANs (IEEE 802.1Q): 0 means none, and 4095 is reserved.
const fn is_vlan(vlan: u16) -> bool {
    matches!(vlan, 1..=4_094)
}
