//! Rules about what a switch can do: what it cannot is refused, and never left out quietly.

use super::{Case, Said};
use shared::mirror::{About, BackendKind, Capabilities, Encapsulation, MirrorSource, Needs, SwitchView, Transport};

/// The most that one packet of so many can be; vSphere's bound.
const SAMPLING_MOST: u32 = 65_535;

/// 13: packets are cut only where that works.
pub(super) fn snap(case: &Case<'_>, said: &mut Said) {
    const PATH: &str = "snap_bytes";
    let (Some(bytes), Some(view)) = (case.spec.snap_bytes, case.view) else { return };
    // Open vSwitch cuts the tunnel's packet and not the copy in it: what arrives is no packet.
    if view.kind == BackendKind::Openvswitch && matches!(case.spec.transport, Transport::Erspan { .. }) {
        said.blocks(PATH, About::SnapInTunnel);
    } else if view.can.snap && !(view.can.snap_least..=view.can.snap_most).contains(&bytes) {
        said.blocks(PATH, About::SnapOutOfRange { least: view.can.snap_least, most: view.can.snap_most });
    }
}

/// 14: one packet of so many is a number that switches know; whether this one samples is asked by rule 15.
pub(super) fn sampling(case: &Case<'_>, said: &mut Said) {
    if case.spec.sampling.is_some_and(|of| !(1..=SAMPLING_MOST).contains(&of)) {
        said.blocks("sampling", About::SamplingOutOfRange);
    }
}

/// 15: the switch is known, new mirrors may begin on it, and it can do all that is asked for.
pub(super) fn capability(case: &Case<'_>, said: &mut Said) {
    let spec = case.spec;
    if spec.transport == Transport::Legacy {
        said.blocks("transport", About::LegacyIsReadOnly);
        return;
    }
    let of_vlans = matches!(spec.source, MirrorSource::Vlans { .. });
    let brings_rspan = matches!(spec.transport, Transport::RspanDestination { .. });
    if brings_rspan && !of_vlans {
        said.blocks("source", About::SourceAndTransport);
    }
    let Some(view) = case.view else {
        // Which switch it is follows from the sources; while these are not known, rule 2 has said enough.
        let known = if of_vlans { !case.source_vlans().is_empty() } else { !case.sources.is_empty() };
        if known || spec.switch.is_some() {
            said.blocks("switch", About::SwitchUnknown);
        }
        return;
    };
    // A distributed switch copies VLANs only as the end of RSPAN.
    if of_vlans && !brings_rspan && view.kind == BackendKind::Vsphere {
        said.blocks("source", About::SourceAndTransport);
    }
    if let Some(backend) = case.world.mode.backends.iter().find(|it| it.id == view.backend && it.paused) {
        said.blocks("backend", About::Paused { backend: backend.title().to_owned() });
    }
    let asked = [
        (transport(&spec.transport), "transport"),
        ((of_vlans && !brings_rspan).then_some(Needs::VlanSource), "source.vlans"),
        ((!spec.vlan_filter.is_empty()).then_some(Needs::VlanFilter), "vlan_filter"),
        (spec.snap_bytes.map(|_| Needs::Snap), "snap_bytes"),
        (spec.sampling.map(|_| Needs::Sampling), "sampling"),
        (has_netstack(&spec.transport).then_some(Needs::Netstack), "transport.netstack"),
    ];
    for (what, path) in asked.into_iter().filter_map(|(what, path)| Some((what?, path))) {
        if !can(&view.can, what) {
            said.blocks(path, cannot(view, what));
        }
    }
}

/// What the way of the copies asks of a switch.
const fn transport(transport: &Transport) -> Option<Needs> {
    match transport {
        Transport::Span { .. } => Some(Needs::Span),
        Transport::RspanSource { .. } => Some(Needs::RspanSource),
        Transport::RspanDestination { .. } => Some(Needs::RspanDestination),
        Transport::Erspan { version: Encapsulation::Gre, .. } => Some(Needs::Gre),
        Transport::Erspan { version: Encapsulation::Erspan2, .. } => Some(Needs::Erspan2),
        Transport::Erspan { version: Encapsulation::Erspan3, .. } => Some(Needs::Erspan3),
        Transport::Legacy => None,
    }
}

const fn has_netstack(transport: &Transport) -> bool {
    matches!(transport, Transport::Erspan { netstack: Some(_), .. })
}

const fn can(can: &Capabilities, what: Needs) -> bool {
    match what {
        Needs::Span => can.span,
        Needs::RspanSource => can.rspan_source,
        Needs::RspanDestination => can.rspan_destination,
        Needs::Gre => can.gre,
        Needs::Erspan2 => can.erspan2,
        Needs::Erspan3 => can.erspan3,
        Needs::VlanSource => can.vlan_source,
        Needs::VlanFilter => can.vlan_filter,
        Needs::Snap => can.snap,
        Needs::Sampling => can.sampling,
        Needs::Netstack => can.netstack,
    }
}

fn cannot(view: &SwitchView, what: Needs) -> About {
    About::CannotDo { what, version: view.version.clone() }
}

/// 21: the switch applies a change only to what begins later, unless it is told to look again at what already runs.
pub(super) fn revalidation(case: &Case<'_>, said: &mut Said) {
    if let Some(view) = case.view.filter(|view| !view.can.revalidates) {
        said.warns("switch", About::MustRevalidate { version: view.version.clone() });
    }
}
