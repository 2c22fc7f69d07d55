//! The rule about people: why, what for, and a second person where the machine is sensitive.

use super::{Case, Said};
use shared::mirror::About;

/// 20: it is said why and for which incident; and traffic of sensitive machines is seen only when a second person agrees,
/// who is asked for when the mirror is.
pub(super) fn accountable(case: &Case<'_>, said: &mut Said) {
    if case.spec.reason.trim().is_empty() {
        said.blocks("reason", About::NoReason);
    }
    if case.spec.incident.is_none() {
        said.blocks("incident", About::NoIncident);
    }
    let machines = case.macs().flat_map(|(_, mac)| case.machines(mac)).filter(|it| it.sensitive);
    let mut vms: Vec<String> = machines.map(|it| it.vm.clone()).collect();
    // Nobody knows all that is in a VLAN, unless it carries nothing but copies.
    let mode = &case.world.mode;
    if !mode.sensitive.is_empty() {
        let others =
            case.source_vlans().iter().filter(|vlan| !mode.collectors.iter().any(|it| it.vlan == Some(**vlan)));
        vms.extend(others.map(|vlan| format!("VLAN {vlan}")));
    }
    vms.dedup();
    if !vms.is_empty() {
        said.warns("source", About::SecondPerson { vms });
    }
}
